//! From trace to machine code, in one walk forwards: registers are allocated where they are needed, and
//! code is emitted at once.
//!
//! Straight-line code makes linear scan exact: the next use of every value is known, so the one needed last
//! is evicted. What is only mentioned behind guards is never needed, so it goes first. A loop's body may be
//! walked a few times: when a value that lives at the loop's head turns out to be evicted in the body, the
//! head is compiled again with that value in a slot, so that the store is in front of the loop.
//!
//! The operations themselves are in `arith`, `float`, `heap`, `call`, `guard` and `control`.

use hotloop_ir::{Class, Const, Opcode, Operand, Trace, Ty, Var};

use super::asm::{Alu, Asm, RSP, Reg, Src, Target};
use super::control::{Entered, EnteredLabel, Entry, Head};
use super::file::{FRAMES, File, GENERAL, Loc, VECTOR, frame_size};
use super::guard::{GuardRecord, STUB_SIZE};
use super::plan::{NONE, Plan, is_mark};
use crate::CodegenError;
use crate::folding::{Fold, Folds, Member};

/// What the compiler must know of its surroundings.
pub struct Env<'a> {
    /// Spill slots of the frame.
    pub slots: usize,
    /// Offsets of the shared pieces of code.
    pub common_exits: [usize; FRAMES.len()],
    pub alloc_slow: usize,
    pub remember: usize,
    /// What new objects' headers say besides type and length.
    pub header_bits: u64,
    /// The guards' global numbers start here.
    pub first_guard: u32,
    /// Address of the cell that `guard_valid` looks at.
    pub invalid: u64,
    /// How many more they are than in the frame that a bridge finds.
    pub more_slots: usize,
    /// For a bridge: where its inputs are, in its own frame.
    pub bridge: Option<Vec<Entry>>,
    /// Where `enter` and `call_entry` of some code go, and where its inputs must be.
    pub enter: &'a dyn Fn(u32) -> Option<Entered>,
    /// The label of some code.
    pub enter_label: &'a dyn Fn(u32) -> Option<EnteredLabel>,
    /// Test modes: the guard that counts down this cell, and the cell that all guards count down, with
    /// its start.
    pub force: Option<(u32, u64)>,
    pub force_every: Option<(u64, u64)>,
    /// Whether the processor has BMI2.
    pub bmi2: bool,
    /// Between the store of a loop's limit and the load of the flag.
    pub fence: bool,
}

/// Code that is run seldom; it is put behind the loop.
pub struct Slow {
    /// Where to go on.
    pub back: u32,
    pub kind: SlowKind,
}

/// What the slow code does.
pub enum SlowKind {
    /// Allocates: the length's register for arrays of variable length.
    Alloc { object: Reg, length: Option<Reg>, size: u64, header: u64, item: u32 },
    /// Allocates a run: other objects in its memory.
    AllocRun { object: Reg, size: u64, header: u64, rest: Vec<Member> },
    /// A float that does not fit a tagged word becomes an object, with the float at an offset.
    Box { value: Reg, float: Reg, size: u64, header: u64, offset: u32 },
    /// A reference is stored into an old object.
    Remember { object: Reg },
    /// Calls native code with what is in these places.
    Call { address: u64, args: Vec<Loc> },
    /// A guard must fail: start the count anew and go to its stub.
    Force { cell: u64, every: u64, guard: u32 },
    /// A called entry did not return at the position: which of two guards fails?
    Returned { status: Reg, returned: u32, elsewhere: u32 },
}

pub struct Compiler<'a> {
    pub trace: &'a Trace,
    pub env: &'a Env<'a>,
    pub plan: Plan,
    pub folds: Folds,
    pub consts: Vec<Const>,
    pub asm: Asm,
    pub file: File,
    /// The current operation.
    pub at: u32,
    /// Registers that may not be evicted now.
    pub pins: u32,
    /// Registers in use by the current operation without holding a variable.
    pub temps: u32,
    /// The registers of phis whose new value is not there yet.
    pub hinted: u32,
    /// Bit `v`: variable `v` lives in a slot at the loop's head.
    pub slot_at_head: Vec<bool>,
    /// Set when a variable must be added to those.
    pub again: bool,
    pub head: Option<Head>,
    pub guards: Vec<GuardRecord>,
    pub locs: Vec<Loc>,
    /// Where what lives behind the next guard is in the call before it: its part of `locs`.
    pub waiting: Option<(u32, u32)>,
    /// Calls of entries: the return address, and the guard behind.
    pub returns: Vec<Returns>,
    pub slow: Vec<Slow>,
    /// Where `enter` comes in, and where the inputs are then.
    pub entry: u32,
    pub entry_locs: Vec<Option<Loc>>,
    /// Where the label is, and all the places of the phis and of what is kept there.
    pub label: Option<(u32, Vec<Vec<Loc>>)>,
    /// Offsets of what `finish` emits.
    pub stubs: u32,
    pub slow_at: Vec<u32>,
    pub run_entry: u32,
    pub call_entry: Option<u32>,
    pub pool_at: u32,
    /// The guard that a call has returned, where it is part of the next one.
    pub returned: Option<u32>,
    /// The guard that is emitted a second time.
    pub repeated: Option<u32>,
    /// The compare whose outcome the flags hold.
    pub flags: Option<(Var, u8)>,
    /// The variable whose sign and zero the flags hold.
    pub signs: Option<Var>,
    /// Objects that are new, or that the collector was told of: stores into them need no barrier until the
    /// next operation that may collect.
    pub clean: Vec<Operand>,
}

/// A call of an entry, as the stack shows it.
#[derive(Clone, Copy, Debug)]
pub struct Returns {
    /// The return address: an offset in the code.
    pub at: u32,
    /// The number of the guard behind it in the trace.
    pub resume: u32,
}

/// What must be put back to walk the body again.
pub struct Snapshot {
    file: File,
    bytes: usize,
    fixups: usize,
    guards: usize,
    locs: usize,
    slow: usize,
    at: u32,
}

/// Walks of a loop's body, at most.
const MOST_WALKS: u32 = 6;

/// General register, or vector register.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RegClass {
    General,
    Vector,
}

impl RegClass {
    pub fn mask(self) -> u32 {
        match self {
            RegClass::General => GENERAL,
            RegClass::Vector => VECTOR,
        }
    }
}

pub type Result<T> = std::result::Result<T, CodegenError>;

impl<'a> Compiler<'a> {
    pub fn new(trace: &'a Trace, env: &'a Env<'a>) -> Compiler<'a> {
        let plan = Plan::new(trace);
        Compiler {
            trace,
            env,
            folds: Folds::of(trace),
            consts: trace.consts.clone(),
            asm: Asm { bytes: Vec::with_capacity(trace.ops.len() * 8), ..Asm::default() },
            file: File::new(&plan.first, env.slots),
            at: 0,
            pins: 0,
            temps: 0,
            hinted: 0,
            slot_at_head: vec![false; trace.ops.len()],
            again: false,
            head: None,
            guards: Vec::new(),
            locs: Vec::new(),
            waiting: None,
            returns: Vec::new(),
            slow: Vec::new(),
            entry: 0,
            entry_locs: Vec::new(),
            label: None,
            stubs: 0,
            slow_at: Vec::new(),
            run_entry: 0,
            call_entry: None,
            pool_at: 0,
            returned: None,
            repeated: None,
            flags: None,
            signs: None,
            clean: Vec::new(),
            plan,
        }
    }

    /// Compiles the whole trace.
    pub fn run(&mut self) -> Result<()> {
        let inputs = self.trace.inputs().count() as u32;
        let label = self.trace.label().map(|label| label as u32);
        if self.env.more_slots > 0 {
            self.asm.alu(Alu::Sub, RSP, Src::Imm(8 * self.env.more_slots as i32));
        }
        let mut restart = self.snapshot();
        self.place_inputs()?;
        if self.plan.head == Some(inputs) && label.is_none() {
            self.begin_loop();
        } else {
            restart.at = NONE;
        }
        self.at = inputs;
        let mut walks = 1;
        while (self.at as usize) < self.trace.ops.len() {
            if Some(self.at) == label {
                restart = self.snapshot();
                self.place_phis(self.at)?;
                if self.plan.head.is_some() {
                    self.begin_loop();
                }
            }
            let closes = self.trace.ops[self.at as usize].code == Opcode::Loop;
            if closes && self.again && walks < MOST_WALKS {
                walks += 1;
                self.rewind(&restart);
                if label.is_none() {
                    self.place_inputs()?;
                    self.begin_loop();
                    self.at = inputs;
                }
                continue;
            }
            self.operation()?;
            if closes {
                break;
            }
            self.note_leading()?;
            self.at += 1;
        }
        self.finish();
        Ok(())
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot {
            file: self.file.clone(),
            bytes: self.asm.bytes.len(),
            fixups: self.asm.fixups.len(),
            guards: self.guards.len(),
            locs: self.locs.len(),
            slow: self.slow.len(),
            at: self.at,
        }
    }

    fn rewind(&mut self, to: &Snapshot) {
        self.file = to.file.clone();
        self.asm.bytes.truncate(to.bytes);
        self.asm.fixups.truncate(to.fixups);
        self.guards.truncate(to.guards);
        self.returns.retain(|call| call.at as usize <= to.bytes);
        self.waiting = None;
        self.locs.truncate(to.locs);
        self.slow.truncate(to.slow);
        self.at = to.at;
        self.again = false;
        self.head = None;
        self.pins = 0;
        self.temps = 0;
        self.flags = None;
        self.signs = None;
        self.clean.clear();
    }

    /// Emits the current operation.
    fn operation(&mut self) -> Result<()> {
        let trace = self.trace;
        let op = &trace.ops[self.at as usize];
        let unused = op.code.class() == Class::Pure && self.plan.end[self.at as usize] == 0;
        let silent = is_mark(op.code)
            || matches!(op.code, Opcode::Phi | Opcode::RefToInt | Opcode::IntToRef | Opcode::CallRaised);
        if silent || unused || self.plan.fused[self.at as usize] {
            // Their variables' last uses are elsewhere, except for the marks of what dies here.
            if !self.plan.fused[self.at as usize] && op.code != Opcode::CallRaised {
                self.bury(self.at);
            }
            return Ok(());
        }
        self.pins = 0;
        self.temps = 0;
        let (flags, signs) = (self.flags.take(), self.signs.take());
        let behind = matches!(self.folds.at(self.at), Some(Fold::Behind { .. }));
        if op.code.may_collect() && !behind || op.code == Opcode::Label {
            self.clean.clear();
        }
        use Opcode::*;
        match op.code {
            IntAdd | IntSub | IntMul | IntAnd | IntOr | IntXor | IntShl | IntSar | IntShr | IntDiv
            | IntRem | IntDivFloor | IntModFloor | IntAddOvf | IntSubOvf | IntMulOvf | RefToValue
            | ValueToRef => self.arithmetic(op)?,
            Select => self.select(op, flags, signs)?,
            code if super::plan::is_compare(code) => self.compare(op, signs)?,
            FloatAdd | FloatSub | FloatMul | FloatDiv | FloatNeg | FloatAbs | FloatSqrt | IntToFloat
            | FloatToInt | FloatToBits | BitsToFloat | FloatToValue | ValueToFloat | BoxFloat => {
                self.float(op)?
            }
            GuardTrue | GuardFalse | GuardValue | GuardType | GuardNoInterrupt | GuardValid | GuardStack
            | GuardReal | GuardCalled | GuardReturned | GuardNotForced => self.guard(op, flags, signs)?,
            VirtualRef => self.virtual_ref(op)?,
            CallEntry => self.call_of_entry(op)?,
            CallResult => self.call_result(op)?,
            Return => self.return_to_caller(op)?,
            GetField | SetField | GetItem | SetItem | Len | GetType => self.memory(op)?,
            LoadRaw | StoreRaw => self.raw(op)?,
            New | NewArray => self.allocation(op)?,
            Call => self.call(op)?,
            CallIf | CallUnless => self.conditional_call(op)?,
            CopyItems | FillItems | EqualItems | CompareItems => self.items(op)?,
            Label => {}
            Loop => self.close_loop(op)?,
            Enter => self.enter(op)?,
            EnterLabel => self.enter_label(op)?,
            Exit => self.exit(op)?,
            _ => return Err(CodegenError::Malformed(format!("{} can't be compiled", op.code.name()))),
        }
        self.bury(self.at);
        Ok(())
    }

    /// Forgets the variables whose last use is here, and the result if it is never used.
    fn bury(&mut self, at: u32) {
        self.bury_operands(at);
        if self.plan.end[at as usize] == 0 {
            self.file.forget(Var(at));
        }
    }

    /// Forgets the variables whose last use is here.
    pub fn bury_operands(&mut self, at: u32) {
        let mut var = self.plan.dying[at as usize];
        while var != NONE {
            self.file.forget(Var(var));
            var = self.plan.next_dying[var as usize];
        }
    }

    /// Emits what is seldom run, the stubs, the entry and the constants.
    fn finish(&mut self) {
        for index in 0..self.slow.len() {
            self.slow_at.push(self.asm.bytes.len() as u32);
            self.emit_slow(index);
        }
        self.stubs = self.asm.bytes.len() as u32;
        let frame = FRAMES.iter().position(|slots| *slots == self.env.slots).unwrap_or_default();
        let common_exit = self.env.common_exits[frame] as u32;
        for index in 0..self.guards.len() {
            let number = self.env.first_guard + self.guards[index].resume;
            self.asm.push_imm(number as i32);
            self.asm.jump(Target::Region(common_exit));
        }
        self.run_entry = self.asm.bytes.len() as u32;
        self.emit_run_entry();
        if self.is_called() {
            self.call_entry = Some(self.asm.bytes.len() as u32);
            self.emit_call_entry();
        }
        while !self.asm.bytes.len().is_multiple_of(8) {
            self.asm.bytes.push(0xcc);
        }
        self.pool_at = self.asm.bytes.len() as u32;
        for index in 0..self.asm.pool.len() {
            let bits = self.asm.pool[index];
            self.asm.bytes.extend(bits.to_le_bytes());
        }
    }

    /// Fills in all distances; `base` is where the code will be in the region.
    pub fn link(&mut self, base: usize) {
        for fixup in std::mem::take(&mut self.asm.fixups) {
            let target = match fixup.target {
                Target::Here(offset) => offset as i32,
                Target::Region(offset) => offset as i32 - base as i32,
                Target::Stub(guard) => {
                    self.guards[guard as usize].sites.push(fixup.at);
                    (self.stubs + guard * STUB_SIZE as u32) as i32
                }
                Target::Slow(index) => self.slow_at[index as usize] as i32,
                Target::CallEntry => self.call_entry.unwrap_or(self.run_entry) as i32,
                Target::Pool(index) => (self.pool_at + index * 8) as i32,
            };
            // From the end of the four bytes, where the instruction ends, too.
            let distance = target - (fixup.at as i32 + 4);
            self.asm.bytes[fixup.at as usize..fixup.at as usize + 4].copy_from_slice(&distance.to_le_bytes());
        }
    }

    /// Bytes of the frame.
    pub fn frame_size(&self) -> i32 {
        frame_size(self.env.slots)
    }

    /// The variable or constant behind an operand.
    pub fn root(&self, operand: Operand) -> Operand {
        self.plan.root_of(operand)
    }

    /// The bits, if it is a constant.
    pub fn constant(&self, operand: Operand) -> Option<u64> {
        self.root(operand).as_const().map(|index| self.consts[index as usize].bits)
    }

    pub fn class_of(&self, var: Var) -> RegClass {
        match self.trace.result_type(self.trace.op(var)) {
            Some(Ty::Float) => RegClass::Vector,
            _ => RegClass::General,
        }
    }
}
