//! What stands behind a guard: how the interpreter goes on from here (resume by replay).
//!
//! The state is described as it was when the guard's instruction *began*; the [`Log`] says which of the
//! instruction's events, up to the guard, must not be done again. Everything else is done again.

use std::rc::Rc;

use crate::descr::TypeRef;
use crate::fact::Fact;
use crate::ops::Opcode;
use crate::trace::{Operand, Var};

/// How to get a value at the exit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Desc {
    /// A live variable or a constant.
    Operand(Operand),
    /// The object with this index in [`Resume::objects`].
    Object(u32),
    /// A small pure expression over others, so that the operation need not stay in the trace.
    Expr(Rc<(Opcode, Vec<Desc>)>),
    /// Nothing lives here: zero.
    Dead,
    /// The place is left as it is (fields of objects that exist).
    Keep,
}

/// Whether an object must be made at the exit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ObjectKind {
    /// It was never allocated: make it, with so many items.
    Virtual(u32),
    /// The same with a length that is not known; its items are copied from elsewhere, in order.
    Joined(Desc, Vec<Run>),
    /// It exists, and its fields are stale: the virtualizable.
    Existing(Operand),
}

/// Items that an object gets from another when it is made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Run {
    /// The other object.
    pub from: Desc,
    /// Its type.
    pub ty: TypeRef,
    /// The first item's index there.
    pub at: Desc,
    /// And in the object that is made.
    pub to: Desc,
    /// How many.
    pub count: Desc,
}

impl Run {
    fn each_desc(&self, visit: &mut dyn FnMut(&Desc)) {
        [&self.from, &self.at, &self.to, &self.count].into_iter().for_each(visit);
    }

    fn map(&self, change: &mut dyn FnMut(Operand) -> Desc) -> Run {
        let [from, at, to, count] =
            [&self.from, &self.at, &self.to, &self.count].map(|desc| desc.map(change));
        Run { from, ty: self.ty, at, to, count }
    }
}

/// An object to be made or brought up to date.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ObjectDesc {
    /// Its type.
    pub ty: TypeRef,
    /// Whether it exists.
    pub kind: ObjectKind,
    /// The slots in order: fields, then items (but for those of runs).
    pub slots: Vec<Desc>,
}

/// A place in the heap.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// The slot (counted as in [`ObjectDesc::slots`]) of an object of that type.
    Slot(TypeRef, u32),
    /// An item whose index is not known.
    Item(TypeRef, Desc),
}

/// A store that was put off and is due now, before replay.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Store {
    /// Where.
    pub object: Desc,
    /// Which place of it.
    pub place: Place,
    /// What.
    pub value: Desc,
}

/// What replay does with an event instead of doing it again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Feed {
    /// A write that has been made.
    Skip,
    /// A read, an allocation, or a call that can't raise: its result.
    Result(Desc),
    /// A call that may raise: its result and whether it raised.
    Outcome(Desc, Desc),
}

/// An entry of the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Log {
    /// The event's number in its instruction.
    pub event: u32,
    /// Operation and descriptor, as in `Event::check`.
    pub check: u32,
    /// What to do.
    pub feed: Feed,
}

/// Everything behind a guard.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Resume {
    /// The driver's number of the position.
    pub position: u32,
    /// The red state when the instruction began. (Guards of one instruction share it.)
    pub state: Rc<Vec<Desc>>,
    /// The objects that the state and others refer to.
    pub objects: Rc<Vec<ObjectDesc>>,
    /// Stores that are due.
    pub stores: Vec<Store>,
    /// The events that are not done again, in order.
    pub log: Vec<Log>,
    /// How many events the instruction had before the guard.
    pub events: u32,
    /// The trace's own frame was written back in this instruction: in it, it is an object like any other.
    pub flushed: bool,
    /// What a bridge from here needs to jump to its loop's label: what the body uses from before the label,
    /// and then phis. (The guards of a trace share it.)
    pub kept: Rc<Vec<Operand>>,
    /// What is known of the variables here, for a bridge.
    pub facts: Vec<(Var, Fact)>,
}

impl Desc {
    /// Calls `visit` with every variable in it.
    pub fn each_var(&self, visit: &mut dyn FnMut(Var)) {
        match self {
            Desc::Operand(operand) => {
                if let Some(var) = operand.as_var() {
                    visit(var);
                }
            }
            Desc::Expr(expr) => expr.1.iter().for_each(|arg| arg.each_var(visit)),
            Desc::Object(_) | Desc::Dead | Desc::Keep => {}
        }
    }

    /// The same with every operand replaced by a description.
    pub fn map(&self, change: &mut dyn FnMut(Operand) -> Desc) -> Desc {
        match self {
            Desc::Operand(operand) => change(*operand),
            Desc::Expr(expr) => {
                Desc::Expr(Rc::new((expr.0, expr.1.iter().map(|arg| arg.map(change)).collect())))
            }
            other => other.clone(),
        }
    }
}

impl Resume {
    /// Calls `visit` with every description in it, in a fixed order.
    pub fn each_desc(&self, visit: &mut dyn FnMut(&Desc)) {
        self.state.iter().for_each(&mut *visit);
        for object in self.objects.iter() {
            object.slots.iter().for_each(&mut *visit);
            match &object.kind {
                ObjectKind::Virtual(_) => {}
                ObjectKind::Joined(length, runs) => {
                    visit(length);
                    runs.iter().for_each(|run| run.each_desc(visit));
                }
                ObjectKind::Existing(operand) => visit(&Desc::Operand(*operand)),
            }
        }
        for store in &self.stores {
            visit(&store.object);
            visit(&store.value);
            if let Place::Item(_, index) = &store.place {
                visit(index);
            }
        }
        for entry in &self.log {
            match &entry.feed {
                Feed::Skip => {}
                Feed::Result(result) => visit(result),
                Feed::Outcome(result, raised) => {
                    visit(result);
                    visit(raised);
                }
            }
        }
        self.kept.iter().for_each(|operand| visit(&Desc::Operand(*operand)));
    }

    /// The variables that must be live at the guard, each once, in order of first mention.
    pub fn live(&self) -> Vec<Var> {
        let mut live: Vec<Var> = Vec::new();
        // A bit for each variable seen.
        let mut seen: Vec<u64> = Vec::new();
        self.each_desc(&mut |desc| {
            desc.each_var(&mut |var| {
                let (word, bit) = (var.0 as usize / 64, 1u64 << (var.0 % 64));
                if seen.len() <= word {
                    seen.resize(word + 1, 0);
                }
                if seen[word] & bit == 0 {
                    seen[word] |= bit;
                    live.push(var);
                }
            });
        });
        live
    }

    /// Replaces every operand by a description. An existing object's own operand must map to an operand, and
    /// what is kept as well.
    pub fn map(&mut self, change: &mut dyn FnMut(Operand) -> Desc) {
        self.state = Rc::new(self.state.iter().map(|desc| desc.map(change)).collect());
        self.objects = Rc::new(
            self.objects
                .iter()
                .map(|object| ObjectDesc {
                    ty: object.ty,
                    kind: match &object.kind {
                        ObjectKind::Virtual(items) => ObjectKind::Virtual(*items),
                        ObjectKind::Joined(length, runs) => {
                            let length = length.map(change);
                            ObjectKind::Joined(length, runs.iter().map(|run| run.map(change)).collect())
                        }
                        ObjectKind::Existing(operand) => match change(*operand) {
                            Desc::Operand(operand) => ObjectKind::Existing(operand),
                            _ => ObjectKind::Existing(*operand),
                        },
                    },
                    slots: object.slots.iter().map(|desc| desc.map(change)).collect(),
                })
                .collect(),
        );
        let kept = self.kept.iter().map(|operand| match change(*operand) {
            Desc::Operand(operand) => operand,
            _ => *operand,
        });
        self.kept = Rc::new(kept.collect());
        for store in &mut self.stores {
            store.object = store.object.map(change);
            store.value = store.value.map(change);
            if let Place::Item(_, index) = &mut store.place {
                *index = index.map(change);
            }
        }
        for entry in &mut self.log {
            match &mut entry.feed {
                Feed::Skip => {}
                Feed::Result(result) => *result = result.map(change),
                Feed::Outcome(result, raised) => {
                    *result = result.map(change);
                    *raised = raised.map(change);
                }
            }
        }
    }
}
