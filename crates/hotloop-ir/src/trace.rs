//! The trace: operations, constants, and (as recorded) the instructions and events behind its guards.

use std::fmt;

use crate::descr::{CallId, FieldId, TypeRef};
use crate::fact::Fact;
use crate::foreign::Scalar;
use crate::ops::{Class, Opcode};
use crate::resume::Resume;

/// The type of a value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Ty {
    /// A word: integer, boolean or tagged language value.
    Int,
    /// The address of a heap object, or 0.
    Ref,
    /// A 64-bit float.
    Float,
}

/// A value: the result of the operation with this number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Var(pub u32);

impl fmt::Debug for Var {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}

/// A variable or a constant of the trace, in one word: constants have the top bit set.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Operand(u32);

impl Operand {
    /// No operand.
    pub const NONE: Operand = Operand(u32::MAX);
    const CONST: u32 = 1 << 31;

    /// A variable.
    #[inline]
    pub const fn var(var: Var) -> Operand {
        Operand(var.0)
    }

    /// The constant with this index.
    #[inline]
    pub const fn constant(index: u32) -> Operand {
        Operand(index | Self::CONST)
    }

    /// The variable, unless it is a constant or nothing.
    #[inline]
    pub const fn as_var(self) -> Option<Var> {
        if self.0 & Self::CONST == 0 { Some(Var(self.0)) } else { None }
    }

    /// The constant's index.
    #[inline]
    pub const fn as_const(self) -> Option<u32> {
        if self.0 & Self::CONST != 0 && self.0 != u32::MAX { Some(self.0 & !Self::CONST) } else { None }
    }

    /// Whether it is a constant.
    #[inline]
    pub const fn is_const(self) -> bool {
        self.as_const().is_some()
    }

    /// Whether it is nothing.
    #[inline]
    pub const fn is_none(self) -> bool {
        self.0 == u32::MAX
    }
}

impl From<Var> for Operand {
    fn from(var: Var) -> Operand {
        Operand::var(var)
    }
}

impl fmt::Debug for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.as_var(), self.as_const()) {
            (Some(var), _) => write!(f, "{var:?}"),
            (_, Some(index)) => write!(f, "c{index}"),
            _ => write!(f, "_"),
        }
    }
}

/// A constant.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Const {
    /// Its type.
    pub ty: Ty,
    /// Its word (a float's bits, an object's address).
    pub bits: u64,
}

/// A run of operands in [`Trace::lists`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct List {
    /// Index of the first.
    pub start: u32,
    /// How many.
    pub len: u32,
}

/// An operation. Its number in [`Trace::ops`] is the variable it defines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Op {
    /// What it does.
    pub code: Opcode,
    /// Up to three operands; [`Operand::NONE`] where there is none.
    pub args: [Operand; 3],
    /// A descriptor or number; see the table's header.
    pub descr: u32,
    /// Recorded guards, calls: the number of [`Trace::events`] before it. Optimised ones: the index in
    /// [`Trace::resumes`]. `u32::MAX`: none.
    pub resume: u32,
    /// More operands (calls, jumps).
    pub list: List,
}

impl Op {
    /// An operation with these operands.
    #[inline]
    pub fn new(code: Opcode, args: &[Operand]) -> Op {
        let mut all = [Operand::NONE; 3];
        all[..args.len()].copy_from_slice(args);
        Op { code, args: all, descr: 0, resume: u32::MAX, list: List::default() }
    }

    /// The same with this descriptor.
    #[inline]
    pub fn with_descr(mut self, descr: u32) -> Op {
        self.descr = descr;
        self
    }

    /// The operands in `args` that there are.
    #[inline]
    pub fn operands(&self) -> &[Operand] {
        &self.args[..self.code.shape().args.len()]
    }

    /// Its descriptor as a field.
    pub fn field(&self) -> FieldId {
        FieldId(self.descr)
    }

    /// Its descriptor as a heap type.
    pub fn type_ref(&self) -> TypeRef {
        TypeRef(self.descr)
    }

    /// Its descriptor as two types.
    pub fn types(&self) -> (TypeRef, TypeRef) {
        (TypeRef(self.descr & 0xffff), TypeRef(self.descr >> 16))
    }

    /// Its descriptor as a number as C stores it.
    pub fn scalar(&self) -> Scalar {
        Scalar::ALL.get(self.descr as usize).copied().unwrap_or(Scalar::I64)
    }

    /// Its descriptor as a call.
    pub fn call(&self) -> CallId {
        CallId(self.descr)
    }
}

/// The descriptor of an operation on the array parts of objects of two types.
///
/// # Panics
/// There are 65,536 heap types before these.
pub fn two_types(one: TypeRef, two: TypeRef) -> u32 {
    assert!(one.0 < 1 << 16 && two.0 < 1 << 16, "too many heap types");
    one.0 | two.0 << 16
}

/// What an event of an instruction did (design: resume by replay).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EventKind {
    /// Read a mutable or stable place of `object`.
    Read,
    /// Wrote a place of `object`.
    Write,
    /// Copied items of `result` to `object`.
    Copy,
    /// Made `object`.
    Alloc,
    /// Called a function that can't write what the interpreter reads, or compared items.
    CallReads,
    /// Called a function that may write anything.
    CallWrites,
    /// Asked what is known while compiling (`is_constant`, `is_virtual`): replay must hear the same answer.
    Hint,
    /// Made a float a value (`box_float`): always done again, since nobody minds which box it is.
    Box,
}

/// Something an instruction did that replay must count: numbered alike while recording and in replay.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Event {
    /// What.
    pub kind: EventKind,
    /// The object read, written or made; nothing for calls.
    pub object: Operand,
    /// What was read, where it was copied from, or the call's result; nothing if there is none.
    pub result: Operand,
    /// The call's `call_raised`; nothing if it can't raise.
    pub raised: Operand,
    /// Operation and descriptor, compared in replay.
    pub check: u32,
}

/// An instruction of the interpreter, as recorded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Instr {
    /// The driver's number of the position (green values).
    pub position: u32,
    /// The red state when the instruction began.
    pub state: Vec<Operand>,
    /// Index of its first event in [`Trace::events`].
    pub first_event: u32,
}

/// A token for the trace's own frame, in its place, when a trace calls another: the frame is made only if
/// the called one leaves through an exit. (Addresses are multiples of 8.)
pub const FRAME_TOKEN: u64 = 1;

/// A token for the caller's frame with this number, which stays in the caller's registers.
pub const fn caller_token(number: usize) -> u64 {
    8 * number as u64 + 9
}

/// The number of a caller's frame that the word is a token for.
pub const fn caller_of_token(word: u64) -> Option<usize> {
    if word & 7 == 1 && word > FRAME_TOKEN { Some((word / 8 - 1) as usize) } else { None }
}

/// Handles for frames (`virtual_ref`) have numbers below this: each is an address in the machine frame of the trace.
pub const MOST_HANDLES: u32 = 32;

/// A call of a compiled function's entry.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct EntryCall {
    /// The number of the code; nothing: the trace calls itself.
    pub code: Option<u32>,
    /// Which word of the red state is the frame.
    pub frame: u32,
    /// The slots of the frame that the entry takes as inputs, behind the red state.
    pub slots: Vec<u32>,
    /// Those of them that hold frames of the caller, with the number of each.
    pub callers: Vec<(u32, u32)>,
}

/// A part of what a called function leaves to its caller.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Part {
    /// A word of the red state.
    Word(u32),
    /// A slot of the function's frame.
    Slot(u32),
}

/// How a trace returns to a calling one.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Returning {
    /// What is handed over.
    pub results: Vec<Part>,
    /// What is not, because it is as the caller has passed it: that is this input.
    pub same: Vec<(Part, Var)>,
}

/// A trace.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Trace {
    /// The operations; the last one ends the trace.
    pub ops: Vec<Op>,
    /// Operand lists of calls and jumps.
    pub lists: Vec<Operand>,
    /// The constants.
    pub consts: Vec<Const>,
    /// What is known of inputs from the start (bridges).
    pub facts: Vec<(Var, Fact)>,
    /// The instructions (recorded traces).
    pub instrs: Vec<Instr>,
    /// The events (recorded traces).
    pub events: Vec<Event>,
    /// Stable fields of constant objects that the trace relies on: (address, field).
    pub stable: Vec<(u64, FieldId)>,
    /// The entries that are called.
    pub calls: Vec<EntryCall>,
    /// What `return` hands over.
    pub returning: Option<Returning>,
    /// Inputs that may be tokens for frames: the trace's own, and callers' frames.
    pub tokens: Vec<Var>,
    /// Positions in the list of `enter` or `enter_label` where the entered trace takes tokens.
    pub entered: Vec<u32>,
    /// What stands behind a guard at the trace's very start.
    pub start: Option<Box<Resume>>,
    /// What stands behind the guards (optimised traces).
    pub resumes: Vec<Resume>,
}

impl Trace {
    /// An empty trace.
    pub fn new() -> Trace {
        Trace::default()
    }

    /// The `guard_not_forced` of the call with this index, if it has one: then natives find frames of this trace
    /// through it.
    pub fn force_guard(&self, call: usize) -> Option<usize> {
        let is = |at: usize, code| self.ops.get(at).is_some_and(|op| op.code == code);
        let behind = call + 1 + usize::from(is(call + 1, Opcode::CallRaised));
        (is(call, Opcode::Call) && is(behind, Opcode::GuardNotForced)).then_some(behind)
    }

    /// Appends an operation; the variable is its result, if it has one.
    #[inline]
    pub fn push(&mut self, op: Op) -> Var {
        self.ops.push(op);
        Var(self.ops.len() as u32 - 1)
    }

    /// Appends a run of operands.
    pub fn push_list(&mut self, operands: impl IntoIterator<Item = Operand>) -> List {
        let start = self.lists.len() as u32;
        self.lists.extend(operands);
        List { start, len: self.lists.len() as u32 - start }
    }

    /// The operands of a list.
    #[inline]
    pub fn list(&self, list: List) -> &[Operand] {
        &self.lists[list.start as usize..(list.start + list.len) as usize]
    }

    /// A new constant. Sharing equal constants is the caller's business.
    pub fn push_const(&mut self, ty: Ty, bits: u64) -> Operand {
        self.consts.push(Const { ty, bits });
        Operand::constant(self.consts.len() as u32 - 1)
    }

    /// The operation that defines a variable.
    #[inline]
    pub fn op(&self, var: Var) -> &Op {
        &self.ops[var.0 as usize]
    }

    /// The constant behind an operand.
    #[inline]
    pub fn const_of(&self, operand: Operand) -> Option<Const> {
        operand.as_const().map(|index| self.consts[index as usize])
    }

    /// The type of an operation's result.
    pub fn result_type(&self, op: &Op) -> Option<Ty> {
        match op.code.shape().result? {
            Some(ty) => Some(ty),
            None => match op.code {
                Opcode::Input => Some([Ty::Int, Ty::Ref, Ty::Float][op.descr as usize % 3]),
                Opcode::Phi => self.operand_type(op.args[0]),
                Opcode::GetField => Some(op.field().get().kind.ty()),
                Opcode::LoadRaw => Some(op.scalar().ty()),
                Opcode::GetItem => op.type_ref().get().items.map(|(kind, _)| kind.ty()),
                Opcode::Call | Opcode::CallUnless => op.call().get().result,
                Opcode::CallResult => Some([Ty::Int, Ty::Ref, Ty::Float][(op.descr & 3) as usize % 3]),
                _ => None,
            },
        }
    }

    /// The type of an operand.
    pub fn operand_type(&self, operand: Operand) -> Option<Ty> {
        match operand.as_var() {
            Some(var) => self.result_type(self.op(var)),
            None => self.const_of(operand).map(|constant| constant.ty),
        }
    }

    /// The inputs: the first operations.
    pub fn inputs(&self) -> impl Iterator<Item = Var> + '_ {
        self.ops
            .iter()
            .take_while(|op| op.code == Opcode::Input)
            .enumerate()
            .map(|(index, _)| Var(index as u32))
    }

    /// Index of the label, if the loop is peeled.
    pub fn label(&self) -> Option<usize> {
        self.ops.iter().position(|op| op.code == Opcode::Label)
    }

    /// What the body of a peeled loop uses from before the label, as `enter_label` passes it on behind the
    /// phis. Empty if no guard of the body says.
    pub fn kept(&self) -> Vec<Operand> {
        let Some(label) = self.label() else { return Vec::new() };
        let guard = self.ops[label..].iter().find(|op| op.code.is_guard());
        let resume = guard.and_then(|op| self.resumes.get(op.resume as usize));
        let kept = resume.into_iter().flat_map(|resume| resume.kept.iter());
        kept.copied().filter(|operand| operand.as_var().is_some_and(|var| (var.0 as usize) < label)).collect()
    }

    /// How many operations are left that are not mere marks.
    pub fn real_ops(&self) -> usize {
        self.ops.iter().filter(|op| op.code.class() != Class::Marker).count()
    }

    /// How many guards there are.
    pub fn guards(&self) -> usize {
        self.ops.iter().filter(|op| op.code.is_guard() && op.code != Opcode::Exit).count()
    }
}

impl Ty {
    /// The number that an `input` carries as its descriptor.
    pub const fn number(self) -> u32 {
        match self {
            Ty::Int => 0,
            Ty::Ref => 1,
            Ty::Float => 2,
        }
    }
}
