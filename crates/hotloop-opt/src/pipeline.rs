//! The order of the passes: [`Optimizer::visit`].

use rustc_hash::FxHashMap as HashMap;
use std::rc::Rc;

use hotloop_ir::{Class, Desc, Fact, Op, Opcode, Operand, Resume, Trace, Ty, Var};

use crate::heap::HeapState;
use crate::hoist::Hoisted;
use crate::label::{Draft, ToLabel};
use crate::resume::SnapshotCache;
use crate::value::{Object, ObjectId, Slot, Val};
use crate::versions::{Version, Wants};
use crate::{Contradiction, Options, Ways};

/// What the rooms share: the new trace and what is known. Cloned before a loop's second iteration, in case
/// that has to be done again.
#[derive(Clone, Debug)]
pub(crate) struct State {
    /// The new trace.
    pub out: Trace,
    /// Facts of its variables.
    pub facts: Vec<Fact>,
    /// The operations of the recorded trace that they come from.
    pub origin: Vec<u32>,
    /// What the recorded trace's variables are.
    pub values: Vec<Val>,
    /// Objects kept track of.
    pub objects: Vec<Object>,
    /// The trace's own frame.
    pub virtualizable: Option<ObjectId>,
    /// Results of pure operations.
    pub pure: HashMap<(Opcode, u32, [Operand; 3]), Operand>,
    /// Constants of the new trace.
    pub consts: HashMap<(Ty, u64), Operand>,
    /// Memory.
    pub heap: HeapState,
    /// The current instruction of the recorded trace.
    pub instr: u32,
    /// Slots of objects as they were before this instruction wrote them.
    pub undo: Vec<(ObjectId, u32, Slot)>,
    /// No stable field was written since this was last checked.
    pub valid: bool,
    /// Counts forced objects: snapshots before and after differ.
    pub forced: u32,
    /// What bridges must know of the loop's label.
    pub label: Option<Draft>,
}

/// The optimizer at work on one trace.
pub(crate) struct Optimizer<'a> {
    pub recorded: &'a Trace,
    pub options: Options,
    pub state: State,
    pub snapshot: Option<SnapshotCache>,
    /// The resume data of the `guard_not_forced` that comes next, but for the call's outcome.
    pub in_call: Option<Resume>,
    /// The operation of the recorded trace that is being visited.
    pub at: u32,
    /// Guards of a loop's body that are known to hold.
    pub hoisted: Hoisted,
    /// What was known of the phis at the label when the body was last swept.
    pub label_facts: Vec<Fact>,
    /// Inputs of a loop that only go round it.
    pub idle: Vec<bool>,
    /// For a bridge: the label it may jump to.
    pub to_label: Option<ToLabel<'a>>,
    /// It could jump there, but for what was moved out of the loop.
    pub strays: bool,
    /// The versions of the loop that it ends at.
    pub versions: &'a [Version<'a>],
    /// It ends with what none of them wants.
    pub misfit: bool,
    /// For a loop: what its preamble wants.
    pub wants: Wants,
    /// What its guards keep for further bridges.
    pub kept: Rc<Vec<Operand>>,
}

impl<'a> Optimizer<'a> {
    pub fn new(recorded: &'a Trace, options: Options, ways: Ways<'a>) -> Optimizer<'a> {
        let mut out = Trace::new();
        out.stable = recorded.stable.clone();
        out.calls = recorded.calls.clone();
        out.tokens = recorded.tokens.clone();
        out.entered = recorded.entered.clone();
        let state = State {
            out,
            facts: Vec::new(),
            origin: Vec::new(),
            values: vec![Val::Op(Operand::NONE); recorded.ops.len()],
            objects: Vec::new(),
            virtualizable: None,
            pure: HashMap::default(),
            consts: HashMap::default(),
            heap: HeapState::default(),
            instr: 0,
            undo: Vec::new(),
            valid: false,
            forced: 0,
            label: None,
        };
        Optimizer {
            recorded,
            options,
            state,
            snapshot: None,
            in_call: None,
            at: 0,
            hoisted: Hoisted::default(),
            label_facts: Vec::new(),
            idle: Vec::new(),
            to_label: ways.label,
            strays: false,
            versions: ways.versions,
            misfit: false,
            wants: Wants::default(),
            kept: ways.label.map_or_else(Rc::default, |target| Rc::new(target.kept.to_vec())),
        }
    }

    /// The new trace, unfinished, and what bridges must know of its label.
    pub fn run(&mut self) -> Result<(Trace, Option<Draft>), Contradiction> {
        if let Some(mut start) = self.recorded.start.clone() {
            start.map(&mut |operand| {
                let constant = self.recorded.const_of(operand);
                Desc::Operand(constant.map_or(operand, |constant| self.constant(constant.ty, constant.bits)))
            });
            self.state.out.start = Some(start);
        }
        let inputs = self.recorded.inputs().count();
        for index in 0..inputs {
            self.input(index);
        }
        let end = self.recorded.ops.len() - 1;
        for index in inputs..end {
            self.visit(index)?;
        }
        if self.options.label {
            self.wants = self.wants();
        }
        let last = self.recorded.ops[end];
        match last.code {
            Opcode::Loop if self.options.peel => self.peel(inputs)?,
            Opcode::Loop => self.close_unpeeled(&last),
            Opcode::Enter => self.enter(&last),
            Opcode::Return => self.return_to_caller(&last),
            _ => self.guard_op(last, Op::new(Opcode::Exit, &[])),
        }
        Ok((std::mem::take(&mut self.state.out), self.state.label.take()))
    }

    fn input(&mut self, index: usize) {
        let op = self.recorded.ops[index];
        let operand = self.emit(op);
        self.state.values[index] = Val::Op(operand);
        let fact = self.recorded.facts.iter().find(|(var, _)| var.0 as usize == index);
        if let Some((var, fact)) = fact {
            self.state.out.facts.push((*var, *fact));
            self.learn(operand, fact);
        }
    }

    /// One operation of the recorded trace goes through the rooms.
    pub fn visit(&mut self, index: usize) -> Result<(), Contradiction> {
        let op = self.recorded.ops[index];
        self.at = index as u32;
        let result = match op.code.class() {
            Class::Marker => {
                self.marker(&op);
                None
            }
            Class::Pure if op.code.is_outcome() => Some(self.outcome(&op)),
            // Algebra, then common subexpressions.
            Class::Pure | Class::PureGuard => Some(self.pure(&op)?),
            Class::Guard => {
                self.guard(&op)?;
                None
            }
            // Virtual objects first; what is real goes to the heap.
            Class::Read if matches!(op.code, Opcode::EqualItems | Opcode::CompareItems) => {
                Some(self.compare_items(&op))
            }
            Class::Read if op.code == Opcode::LoadRaw => Some(self.load_raw(&op)),
            Class::Read => Some(self.read(&op)),
            Class::Write => {
                match op.code {
                    Opcode::CopyItems => self.copy_items(&op),
                    Opcode::FillItems => self.fill_items(&op),
                    Opcode::StoreRaw => self.store_raw(&op),
                    _ => self.write(&op),
                }
                None
            }
            Class::Alloc => Some(self.allocate(&op)),
            Class::Call if op.code == Opcode::CallEntry => Some(self.call_entry(&op)?),
            Class::Call if op.code == Opcode::Call => Some(self.call(&op)),
            Class::Call => Some(self.conditional_call(&op)),
            Class::End => None,
        };
        if let Some(value) = result {
            self.state.values[index] = value;
        }
        Ok(())
    }

    fn marker(&mut self, op: &Op) {
        match op.code {
            Opcode::Instr => {
                self.state.instr = op.descr;
                self.state.undo.clear();
                self.snapshot = None;
            }
            Opcode::Virtualizable => self.declare_virtualizable(op),
            Opcode::Live => self.kill_items(op),
            Opcode::Flush => self.flush_frame(),
            Opcode::KnownValue => self.known_value(op),
            Opcode::KnownResult => self.known_result(op),
            _ => {}
        }
    }

    /// The value of a recorded operand. What is known to be one word is that constant.
    pub fn value(&mut self, operand: Operand) -> Val {
        let value = match operand.as_var() {
            Some(Var(index)) => self.state.values[index as usize],
            None => match self.recorded.const_of(operand) {
                Some(constant) => Val::Op(self.constant(constant.ty, constant.bits)),
                None => Val::Op(Operand::NONE),
            },
        };
        self.settle(value)
    }

    /// The value as it stands now: objects that were allocated meanwhile are their addresses.
    pub fn settle(&mut self, value: Val) -> Val {
        match value {
            Val::Op(operand) => Val::Op(self.known_constant(operand)),
            Val::Virtual(id) => match self.real(id) {
                Some(operand) => Val::Op(operand),
                None => value,
            },
            Val::Tagged(id) => match self.real(id) {
                Some(operand) => Val::Op(self.emit_pure(Opcode::RefToValue, &[operand])),
                None => value,
            },
        }
    }

    /// The recorded operand as an operand of the new trace; virtual objects are allocated for it.
    pub fn operand(&mut self, operand: Operand) -> Operand {
        let value = self.value(operand);
        self.materialize(value)
    }

    /// A pure operation, or one that leaves on overflow.
    fn pure(&mut self, op: &Op) -> Result<Val, Contradiction> {
        if let Some(value) = self.pure_of_virtual(op) {
            return Ok(value);
        }
        let mut args = [Operand::NONE; 3];
        let count = op.operands().len();
        for (index, arg) in op.operands().iter().enumerate() {
            args[index] = self.operand(*arg);
        }
        self.simplify(op, &args[..count]).map(Val::Op)
    }
}
