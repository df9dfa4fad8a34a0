//! From a guard's resume data back to the interpreter's state.
//!
//! Objects that were virtual are allocated first and filled after (they may refer to each other), the
//! virtualizable's fields are written back, stores that were put off are made. With a recording recorder
//! the same steps are also the first operations of the bridge.

use hotloop_ir::{
    Desc, FRAME_TOKEN, Feed, ObjectDesc, ObjectKind, Op, Opcode, Operand, Place, Resume, Trace, Ty, TypeRef,
    Var, pure,
};

use crate::recorder::{Fed, FedEntry, Recorder, Run};
use crate::{Red, memory};

/// Makes heap objects; may collect.
pub trait Allocate {
    /// A zeroed object; `items` is the length of its array part.
    fn allocate(&self, ty: TypeRef, items: u32) -> u64;
    /// Keeps a word alive until the rebuilding is over.
    fn keep(&self, word: u64);
    /// The type of the boxes of floats that don't fit a tagged word.
    fn float_type(&self) -> TypeRef;
}

/// The interpreter's state at the start of the guard's instruction.
#[derive(Debug)]
pub struct Rebuilt {
    /// The red state.
    pub state: Vec<Red>,
    /// What the instruction must not do again.
    pub feed: Vec<FedEntry>,
}

struct Rebuilder<'a> {
    recorder: &'a mut Recorder,
    resume: &'a Resume,
    trace: &'a Trace,
    live: Vec<(Var, Red)>,
    objects: Vec<Red>,
    allocator: &'a dyn Allocate,
    /// Floats that were boxed, and their boxes: those who shared one still do.
    boxes: Vec<(u64, u64)>,
}

/// Rebuilds the state behind a guard of an optimised trace. `live` is `resume.live()`, `values` are its words, in
/// that order, with their operands if a bridge is recorded. `made`: the objects, if they were made before
/// ([`make_objects`]); then nothing is written either.
pub fn rebuild(
    recorder: &mut Recorder,
    trace: &Trace,
    resume: &Resume,
    (live, values): (&[Var], &[Red]),
    made: Option<&[u64]>,
    allocator: &dyn Allocate,
) -> Rebuilt {
    let mut rebuilder = Rebuilder::new(recorder, trace, resume, (live, values), allocator);
    match made {
        Some(made) => rebuilder.take_over(made),
        None => {
            rebuilder.objects();
            rebuilder.stores();
        }
    }
    let state = resume.state.iter().map(|desc| rebuilder.value(desc)).collect();
    let feed = resume.log.iter().map(|entry| rebuilder.entry(entry)).collect();
    Rebuilt { state, feed }
}

/// Makes the objects behind a guard that the trace has not come to yet, and brings its own frame up to date:
/// somebody looks at frames in the call before the guard. The addresses, for [`rebuild`].
pub fn make_objects(
    trace: &Trace,
    resume: &Resume,
    live: &[Var],
    words: &[u64],
    allocator: &dyn Allocate,
) -> Vec<u64> {
    let mut recorder = Recorder::replaying();
    let reds: Vec<Red> = words.iter().map(|word| Red::constant(*word)).collect();
    let mut rebuilder = Rebuilder::new(&mut recorder, trace, resume, (live, &reds), allocator);
    rebuilder.objects();
    rebuilder.stores();
    rebuilder.objects.iter().map(|red| red.bits).collect()
}

impl<'a> Rebuilder<'a> {
    fn new(
        recorder: &'a mut Recorder,
        trace: &'a Trace,
        resume: &'a Resume,
        (live, values): (&[Var], &[Red]),
        allocator: &'a dyn Allocate,
    ) -> Rebuilder<'a> {
        let mut live: Vec<(Var, Red)> = live.iter().copied().zip(values.iter().copied()).collect();
        live.sort_unstable_by_key(|(var, _)| *var);
        Rebuilder { recorder, resume, trace, live, objects: Vec::new(), allocator, boxes: Vec::new() }
    }

    /// The objects are there already.
    fn take_over(&mut self, made: &[u64]) {
        let resume = self.resume;
        for (object, bits) in resume.objects.iter().zip(made) {
            if let ObjectKind::Existing(operand) = object.kind
                && self.operand(operand).bits == FRAME_TOKEN
            {
                self.replace_token(*bits);
            }
            self.objects.push(Red::constant(*bits));
        }
    }

    fn operand(&self, operand: Operand) -> Red {
        match operand.as_var() {
            Some(var) => match self.live.binary_search_by_key(&var, |(known, _)| *known) {
                Ok(index) => self.live[index].1,
                Err(_) => unreachable!("{var:?} is not live at its guard"),
            },
            None => {
                Red::constant(operand.as_const().map_or(0, |index| self.trace.consts[index as usize].bits))
            }
        }
    }

    fn value(&mut self, desc: &Desc) -> Red {
        match desc {
            Desc::Operand(operand) => self.operand(*operand),
            Desc::Object(index) => self.objects[*index as usize],
            Desc::Expr(expr) => {
                let args: Vec<Red> = expr.1.iter().map(|arg| self.value(arg)).collect();
                match expr.0 {
                    // Guards of their own where they stood; here they can't overflow.
                    code @ (Opcode::IntAddOvf | Opcode::IntSubOvf | Opcode::IntMulOvf) => {
                        let bits = pure::evaluate(code, args[0].bits, args[1].bits, 0);
                        let plain = match code {
                            Opcode::IntAddOvf => Opcode::IntAdd,
                            Opcode::IntSubOvf => Opcode::IntSub,
                            _ => Opcode::IntMul,
                        };
                        Red { bits, ..self.recorder.pure(plain, &args) }
                    }
                    Opcode::BoxFloat => self.boxed(args[0]),
                    code => self.recorder.pure(code, &args),
                }
            }
            Desc::Dead | Desc::Keep => Red::constant(0),
        }
    }

    fn boxed(&mut self, float: Red) -> Red {
        let ty = self.allocator.float_type();
        let bits = if pure::evaluate(Opcode::FloatFitsValue, float.bits, 0, 0) != 0 {
            pure::evaluate(Opcode::FloatToValue, float.bits, 0, 0)
        } else if let Some((_, known)) = self.boxes.iter().find(|(known, _)| *known == float.bits) {
            *known
        } else {
            let object = self.allocator.allocate(ty, 0);
            self.allocator.keep(object);
            let (offset, kind) = ty.get().slot(0);
            memory::store(object, offset as u64, kind, float.bits);
            let value = pure::evaluate(Opcode::RefToValue, object, 0, 0);
            self.boxes.push((float.bits, value));
            value
        };
        self.recorder.boxed(float, ty, bits)
    }

    fn objects(&mut self) {
        let resume = self.resume;
        for object in resume.objects.iter() {
            let red = match &object.kind {
                ObjectKind::Virtual(items) => {
                    let length = object.ty.get().items.is_some().then_some(Red::constant(*items as u64));
                    self.new_object(object.ty, length)
                }
                ObjectKind::Joined(length, _) => {
                    let length = self.value(length);
                    self.new_object(object.ty, Some(length))
                }
                ObjectKind::Existing(operand) => {
                    let red = self.operand(*operand);
                    if red.bits == FRAME_TOKEN { self.make_frame(object, red) } else { red }
                }
            };
            self.objects.push(red);
        }
        for (index, object) in resume.objects.iter().enumerate() {
            let red = self.objects[index];
            let fresh = !matches!(object.kind, ObjectKind::Existing(_));
            let mut slots: Vec<Option<Red>> = Vec::with_capacity(object.slots.len());
            for (slot, desc) in object.slots.iter().enumerate() {
                let (offset, kind) = object.ty.get().slot(slot);
                match desc {
                    Desc::Keep => slots.push(None),
                    Desc::Dead => {
                        if !fresh {
                            memory::store(red.bits, offset as u64, kind, 0);
                        }
                        slots.push(if fresh { None } else { Some(Red::constant(0)) });
                    }
                    _ => {
                        let value = self.value(desc);
                        memory::store(red.bits, offset as u64, kind, value.bits);
                        slots.push(Some(value));
                    }
                }
            }
            if let ObjectKind::Joined(_, runs) = &object.kind {
                runs.iter().for_each(|run| self.copy(run, red, object.ty));
            }
            if !self.recorder.is_recording() {
                continue;
            }
            if fresh {
                for (slot, value) in slots.into_iter().enumerate() {
                    if let Some(value) = value {
                        self.recorder.record_store(red, object.ty, slot, value);
                    }
                }
            } else {
                self.recorder.virtualizable(red, object.ty, &slots);
            }
        }
    }

    fn new_object(&mut self, ty: TypeRef, length: Option<Red>) -> Red {
        let bits = self.allocator.allocate(ty, length.map_or(0, |length| length.bits as u32));
        self.allocator.keep(bits);
        if self.recorder.is_recording() {
            self.recorder.emit_new(ty, length, bits)
        } else {
            Red::constant(bits)
        }
    }

    fn copy(&mut self, run: &hotloop_ir::Run, object: Red, ty: TypeRef) {
        let from = Run { object: self.value(&run.from), ty: run.ty, at: self.value(&run.at) };
        let to = Run { object, ty, at: self.value(&run.to) };
        let count = self.value(&run.count);
        self.recorder.copy_rebuilt(from, to, count);
    }

    /// The trace was called with a token in place of its frame: now it is made.
    fn make_frame(&mut self, object: &ObjectDesc, token: Red) -> Red {
        let items = object.slots.len() - object.ty.get().fields.len();
        let bits = self.allocator.allocate(object.ty, items as u32);
        self.allocator.keep(bits);
        self.replace_token(bits);
        Red { bits, ..token }
    }

    /// The frame is there now that a token stood for.
    fn replace_token(&mut self, frame: u64) {
        for (var, red) in &mut self.live {
            if red.bits == FRAME_TOKEN && self.trace.operand_type((*var).into()) == Some(Ty::Ref) {
                red.bits = frame;
            }
        }
    }

    fn stores(&mut self) {
        let resume = self.resume;
        for store in &resume.stores {
            let object = self.value(&store.object);
            let value = self.value(&store.value);
            match &store.place {
                Place::Slot(ty, slot) => {
                    let (offset, kind) = ty.get().slot(*slot as usize);
                    memory::store(object.bits, offset as u64, kind, value.bits);
                    self.recorder.record_store(object, *ty, *slot as usize, value);
                }
                Place::Item(ty, index) => {
                    let index = self.value(index);
                    let descr = ty.get();
                    let Some((kind, _)) = descr.items else { unreachable!("{} has no items", descr.name) };
                    let offset = descr.fixed_size as u64 + index.bits * kind.size() as u64;
                    memory::store(object.bits, offset, kind, value.bits);
                    if self.recorder.is_recording() {
                        let args = [
                            self.recorder.operand(object, Ty::Ref),
                            self.recorder.operand(index, Ty::Int),
                            self.recorder.operand(value, kind.ty()),
                        ];
                        self.recorder.push(Op::new(Opcode::SetItem, &args).with_descr(ty.0));
                        self.recorder.heap.item_written(args[0], ty.0, value);
                    }
                }
            }
        }
    }

    fn entry(&mut self, entry: &hotloop_ir::Log) -> FedEntry {
        let fed = match &entry.feed {
            Feed::Skip => Fed::Skip,
            Feed::Result(result) => Fed::Result(self.value(result), Red::constant(0)),
            Feed::Outcome(result, raised) => Fed::Result(self.value(result), self.value(raised)),
        };
        FedEntry { event: entry.event, check: entry.check, fed }
    }
}
