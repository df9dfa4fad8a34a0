//! Guards: a compare and a jump to a stub that names the guard.
//!
//! Values stay where they are: the guard's record says where each of them is when it fails. The stub only
//! pushes the guard's number and jumps to the common exit, so it is 10 bytes; a bridge overwrites it with a
//! jump, and the jumps to it go to the bridge directly.

use hotloop_ir::{Const, Op, Opcode, Operand, Ty, Var};

use super::asm::{Alu, CONTEXT, FloatOp, Mem, RSP, Reg, SCRATCH, Shift, Src, Target, VECTOR_SCRATCH, cond};
use super::compile::{Compiler, RegClass, Result, Slow, SlowKind};
use super::file::Loc;
use super::plan::NONE;
use crate::context::handle;
use crate::{CodegenError, Context, Site, Waiting};

/// Bytes of a stub.
pub const STUB_SIZE: usize = 10;

/// A guard of the code.
#[derive(Clone, Debug)]
pub struct GuardRecord {
    /// Its number in the trace.
    pub resume: u32,
    /// Its part of the list of locations.
    pub start: u32,
    pub end: u32,
    /// Where they are in the call before it, if that may be looked into: likewise.
    pub waiting: Option<(u32, u32)>,
    /// The jumps to its stub: offsets of their distances.
    pub sites: Vec<u32>,
}

/// What decides a guard, with the operands where they must be; emitted last, as it sets the flags.
pub enum Test {
    /// The flags are right already.
    Flags(u8),
    Compare(Src, Src, u8),
    Bits(Reg, Src, u8),
    Float(Reg, Src, u8),
    Wraps(Opcode, Src, Src),
    /// The tag of a value is one of a float.
    ValueTag(Reg),
    /// The tag that a float would get is; a register for use.
    FloatTag(Reg, Reg),
}

/// Bit `tag`: values with this tag are floats. Four copies, as bits are counted modulo 32.
pub const FLOAT_TAGS: u64 = 0x6262_6262;
/// The same by the top bits of a float below the sign, from which the tag is made by flipping two.
const FLOAT_TOPS: u64 = 0x1919_1919;

/// The condition of an equal compare of floats, which takes two flags.
const FLOAT_EQUAL: u8 = 0x20;

fn waiting_mem(field: usize) -> Mem {
    Mem::Base(CONTEXT, (std::mem::offset_of!(Context, waiting) + field) as i32)
}

const GENERAL: RegClass = RegClass::General;
const VECTOR: RegClass = RegClass::Vector;

impl Compiler<'_> {
    fn forced(&self) -> bool {
        self.env.force.is_some() || self.env.force_every.is_some()
    }

    /// Notes where everything is that lives behind this guard.
    fn open_guard(&mut self, op: &Op) -> Result<u32> {
        if let Some(guard) = self.repeated {
            return Ok(guard);
        }
        let start = self.locs.len() as u32;
        for index in self.plan.live_at(op.resume) {
            let operand = self.plan.live[index];
            let loc = self.loc_of(operand)?;
            self.locs.push(loc);
        }
        let end = self.locs.len() as u32;
        let waits = matches!(op.code, Opcode::GuardNotForced | Opcode::GuardReturned);
        let waiting = if waits { self.waiting.take() } else { None };
        self.guards.push(GuardRecord { resume: op.resume, start, end, waiting, sites: Vec::new() });
        Ok(self.guards.len() as u32 - 1)
    }

    /// Where an operand is.
    pub fn loc_of(&self, operand: Operand) -> Result<Loc> {
        let root = self.root(operand);
        if let Some(index) = root.as_const() {
            return Ok(Loc::Const(index));
        }
        let var = root.as_var().ok_or_else(|| CodegenError::Malformed("an operand is missing".into()))?;
        self.file.loc(var).ok_or_else(|| self.lost(var))
    }

    /// Just before the instruction that decides: the record, and the counters of the test modes.
    pub fn before_guard(&mut self, op: &Op) -> Result<()> {
        if !op.code.is_guard() {
            return Ok(());
        }
        let guard = self.open_guard(op)?;
        if op.code.is_final() {
            return Ok(());
        }
        if let Some((number, cell)) = self.env.force
            && number == self.env.first_guard + op.resume
        {
            let mem = self.absolute(cell);
            self.asm.dec_mem(mem);
            self.asm.jump_if(cond::EQUAL, Target::Stub(guard));
        }
        if let Some((cell, every)) = self.env.force_every {
            let mem = self.absolute(cell);
            self.asm.dec_mem(mem);
            self.asm.jump_if(cond::EQUAL, Target::Slow(self.slow.len() as u32));
            self.slow.push(Slow { back: 0, kind: SlowKind::Force { cell, every, guard } });
        }
        Ok(())
    }

    /// The global number of a guard of this trace.
    fn number_of(&self, resume: u32) -> i32 {
        (self.env.first_guard + resume) as i32
    }

    /// A call comes, with this guard behind it: who looks for what lives there finds it in slots.
    pub fn wait_for(&mut self, guard: usize) -> Result<()> {
        let resume = self.trace.ops[guard].resume;
        let start = self.locs.len() as u32;
        for index in self.plan.live_at(resume) {
            let operand = self.plan.live[index];
            let loc = match operand.as_var().filter(|var| self.file.loc(*var).is_some()) {
                Some(var) if self.file.reg(var).is_some() && self.next_use(var, self.at) == NONE => {
                    self.evict(var)?;
                    self.loc_of(operand)?
                }
                Some(var) => Loc::Slot(self.spill(var)?),
                None if operand.is_const() => self.loc_of(operand)?,
                // What the call gives.
                None => {
                    self.consts.push(Const { ty: Ty::Int, bits: 0 });
                    Loc::Const(self.consts.len() as u32 - 1)
                }
            };
            self.locs.push(loc);
        }
        self.waiting = Some((start, self.locs.len() as u32));
        Ok(())
    }

    /// Leaves word of a call for natives that look at frames.
    pub fn wait_in_call(&mut self, guard: usize) -> Result<()> {
        self.wait_for(guard)?;
        let number = self.number_of(self.trace.ops[guard].resume);
        self.asm.store_imm(waiting_mem(Waiting::GUARD), number);
        self.asm.store(waiting_mem(Waiting::FRAME), RSP);
        Ok(())
    }

    /// A handle for a frame.
    pub fn virtual_ref(&mut self, op: &Op) -> Result<()> {
        let dst = self.define(GENERAL, None)?;
        self.asm.lea(dst, Mem::Base(RSP, handle(op.descr)));
        Ok(())
    }

    fn stub(&self) -> Target {
        Target::Stub(self.repeated.unwrap_or(self.guards.len() as u32 - 1))
    }

    /// Behind an operation that may be a checked one.
    pub fn after_checked(&mut self, op: &Op) -> Result<()> {
        if op.code.is_guard() {
            let stub = self.stub();
            self.asm.jump_if(cond::OVERFLOW, stub);
        }
        Ok(())
    }

    pub fn guard(&mut self, op: &Op, flags: Option<(Var, u8)>, signs: Option<Var>) -> Result<()> {
        let a = op.args[0];
        let (test, holds) = match op.code {
            Opcode::GuardTrue => (self.condition(a, flags, signs)?, true),
            Opcode::GuardFalse => (self.condition(a, flags, signs)?, false),
            Opcode::GuardValue => (self.equals_constant(a, op.args[1])?, true),
            Opcode::GuardType => {
                let object = self.in_reg(a, GENERAL)?;
                self.before_guard(op)?;
                self.asm.load_word(SCRATCH, Mem::Base(object, 0));
                self.asm.alu(Alu::Cmp, SCRATCH, Src::Imm(op.type_ref().get().id as i32));
                (Test::Flags(cond::EQUAL), true)
            }
            Opcode::GuardNoInterrupt => {
                self.before_guard(op)?;
                let poll = std::mem::offset_of!(Context, poll) as i32;
                self.asm.cmp_half_imm(Mem::Base(CONTEXT, poll), 0);
                (Test::Flags(cond::EQUAL), true)
            }
            Opcode::GuardStack => {
                self.before_guard(op)?;
                let limit = std::mem::offset_of!(Context, poll) + crate::Poll::STACK;
                self.asm.alu(Alu::Cmp, RSP, Src::Mem(Mem::Base(CONTEXT, limit as i32)));
                (Test::Flags(cond::ABOVE_EQUAL), true)
            }
            Opcode::GuardReal | Opcode::GuardCalled => match self.constant(a) {
                Some(bits) => {
                    self.before_guard(op)?;
                    if (bits & 1 != 0) == (op.code == Opcode::GuardReal) {
                        let stub = self.stub();
                        self.asm.jump(stub);
                    }
                    return Ok(());
                }
                None => {
                    let word = self.source(a, GENERAL)?;
                    self.before_guard(op)?;
                    match word {
                        Src::Reg(word) => self.asm.test_imm(word, 1),
                        Src::Mem(mem) => self.asm.test_byte_imm(mem, 1),
                        Src::Imm(_) => return Err(CodegenError::Malformed("a constant".into())),
                    }
                    let set = op.code == Opcode::GuardCalled;
                    (Test::Flags(if set { cond::NOT_EQUAL } else { cond::EQUAL }), true)
                }
            },
            Opcode::GuardNotForced => {
                self.before_guard(op)?;
                self.asm.cmp_mem_imm(waiting_mem(Waiting::GUARD), self.number_of(op.resume));
                self.asm.store_imm(waiting_mem(Waiting::GUARD), Site::NONE as i64 as i32);
                (Test::Flags(cond::EQUAL), true)
            }
            // Positions are not negative; the other answer is.
            Opcode::GuardReturned => {
                let status = self.in_reg(a, GENERAL)?;
                self.before_guard(op)?;
                if self.position_follows(a) {
                    self.returned = Some(self.guards.len() as u32 - 1);
                    return Ok(());
                }
                self.asm.test(status, status);
                (Test::Flags(cond::SIGN ^ 1), true)
            }
            _ => {
                self.before_guard(op)?;
                let cell = self.absolute(self.env.invalid);
                self.asm.cmp_half_imm(cell, 0);
                (Test::Flags(cond::EQUAL), true)
            }
        };
        if matches!(op.code, Opcode::GuardTrue | Opcode::GuardFalse | Opcode::GuardValue) {
            self.before_guard(op)?;
        }
        let cond = self.emit_test(test)?;
        let stub = match self.returned.take() {
            Some(returned) => {
                let status = self.in_reg(a, GENERAL)?;
                let kind = SlowKind::Returned { status, returned, elsewhere: self.guards.len() as u32 - 1 };
                self.slow.push(Slow { back: 0, kind });
                Target::Slow(self.slow.len() as u32 - 1)
            }
            None => self.stub(),
        };
        match (cond, holds) {
            (FLOAT_EQUAL, true) => {
                self.asm.jump_if(cond::NOT_EQUAL, stub);
                self.asm.jump_if(cond::PARITY, stub);
            }
            (FLOAT_EQUAL, false) => {
                let unordered = self.asm.skip_if(Some(cond::PARITY));
                self.asm.jump_if(cond::EQUAL, stub);
                self.asm.land(unordered);
            }
            (cond, true) => self.asm.jump_if(cond ^ 1, stub),
            (cond, false) => self.asm.jump_if(cond, stub),
        }
        Ok(())
    }

    /// Whether the next operation asks at which position a call returned that has just given this status: one
    /// compare is enough, then, for both guards. (Nothing in between changes where values are.)
    fn position_follows(&self, status: Operand) -> bool {
        let mut behind = self.trace.ops[self.at as usize + 1..].iter();
        !self.forced()
            && self.repeated.is_none()
            && behind.find(|op| op.code != Opcode::Instr).is_some_and(|op| {
                op.code == Opcode::GuardValue
                    && self.root(op.args[0]) == self.root(status)
                    && self.constant(op.args[1]).is_some_and(|bits| i32::try_from(bits).is_ok())
            })
    }

    fn equals_constant(&mut self, a: Operand, b: Operand) -> Result<Test> {
        let bits = self.constant(b).unwrap_or(0);
        let wanted = match i32::try_from(bits as i64) {
            Ok(imm) => Src::Imm(imm),
            Err(_) => Src::Mem(self.asm.pool(bits)),
        };
        let is_float = self.trace.operand_type(a) == Some(Ty::Float);
        if is_float {
            let reg = self.in_reg(a, VECTOR)?;
            let word = self.temp(GENERAL)?;
            self.asm.bits_from_float(word, reg);
            return Ok(Test::Compare(Src::Reg(word), wanted, cond::EQUAL));
        }
        let value = match (self.source(a, GENERAL)?, wanted) {
            (Src::Mem(mem @ Mem::Base(..)), Src::Imm(_)) => Src::Mem(mem),
            (Src::Reg(reg), _) => Src::Reg(reg),
            _ => Src::Reg(self.in_reg(a, GENERAL)?),
        };
        Ok(Test::Compare(value, wanted, cond::EQUAL))
    }

    /// Whether the operand is not 0: the compare that was fused, flags that are still there, or a test.
    pub fn condition(&mut self, a: Operand, flags: Option<(Var, u8)>, signs: Option<Var>) -> Result<Test> {
        let (flags, signs) = if self.forced() { (None, None) } else { (flags, signs) };
        if let Some(var) = self.root(a).as_var() {
            let op = &self.trace.ops[var.0 as usize];
            if self.plan.fused[var.0 as usize] {
                return match op.code {
                    Opcode::IntAnd => self.test_bits(op, cond::NOT_EQUAL),
                    _ => self.compare_test(op, signs),
                };
            }
            match flags {
                Some((known, cond)) if known == var => return Ok(Test::Flags(cond)),
                _ if signs == Some(var) => return Ok(Test::Flags(cond::NOT_EQUAL)),
                _ => {}
            }
        }
        self.against_zero(a, cond::NOT_EQUAL)
    }

    fn against_zero(&mut self, a: Operand, cond: u8) -> Result<Test> {
        Ok(match self.source(a, GENERAL)? {
            Src::Reg(reg) => Test::Bits(reg, Src::Reg(reg), cond),
            Src::Mem(mem @ Mem::Base(..)) => Test::Compare(Src::Mem(mem), Src::Imm(0), cond),
            _ => {
                let reg = self.in_reg(a, GENERAL)?;
                Test::Bits(reg, Src::Reg(reg), cond)
            }
        })
    }

    fn test_bits(&mut self, op: &Op, cond: u8) -> Result<Test> {
        let [mut a, mut b, _] = op.args;
        if self.constant(a).is_some() {
            std::mem::swap(&mut a, &mut b);
        }
        let reg = self.in_reg(a, GENERAL)?;
        let mask = match self.immediate(b) {
            Some(imm) => Src::Imm(imm),
            None => Src::Reg(self.in_reg(b, GENERAL)?),
        };
        Ok(Test::Bits(reg, mask, cond))
    }

    /// The test behind a compare operation.
    fn compare_test(&mut self, op: &Op, signs: Option<Var>) -> Result<Test> {
        use Opcode::*;
        let [mut a, mut b, _] = op.args;
        let mut cond = match op.code {
            IntEq | RefEq => cond::EQUAL,
            IntNe => cond::NOT_EQUAL,
            IntLt => cond::LESS,
            IntLe => cond::LESS_EQUAL,
            UintLt => cond::BELOW,
            UintLe => cond::BELOW_EQUAL,
            FloatEq | FloatLt | FloatLe => return self.float_test(op),
            ValueIsFloat => return Ok(Test::ValueTag(self.in_reg(a, GENERAL)?)),
            FloatFitsValue => return Ok(Test::FloatTag(self.in_reg(a, VECTOR)?, self.temp(GENERAL)?)),
            _ => {
                let first = self.source(a, GENERAL)?;
                let second = self.source(b, GENERAL)?;
                return Ok(Test::Wraps(op.code, first, second));
            }
        };
        if self.constant(a).is_some() && self.constant(b).is_none() {
            std::mem::swap(&mut a, &mut b);
            // a < b is b > a, which is "not b <= a", and so on.
            cond = match cond {
                cond::LESS => cond::LESS_EQUAL ^ 1,
                cond::LESS_EQUAL => cond::LESS ^ 1,
                cond::BELOW => cond::ABOVE,
                cond::BELOW_EQUAL => cond::ABOVE_EQUAL,
                same => same,
            };
        }
        if self.constant(b) == Some(0) {
            if let Some(Var(var)) = self.root(a).as_var() {
                let inner = &self.trace.ops[var as usize];
                if self.plan.fused[var as usize] && inner.code == IntAnd {
                    return self.test_bits(inner, cond);
                }
                let known = match cond {
                    cond::LESS => Some(cond::SIGN),
                    c if c == cond::LESS ^ 1 => Some(cond::SIGN ^ 1),
                    cond::EQUAL | cond::NOT_EQUAL => Some(cond),
                    _ => None,
                };
                if let Some(known) = known.filter(|_| signs == Some(Var(var)) && !self.forced()) {
                    return Ok(Test::Flags(known));
                }
            }
            return self.against_zero(a, cond);
        }
        let second = self.source(b, GENERAL)?;
        let first = match (self.source(a, GENERAL)?, second) {
            (Src::Mem(mem @ Mem::Base(..)), Src::Reg(_) | Src::Imm(_)) => Src::Mem(mem),
            (Src::Reg(reg), _) => Src::Reg(reg),
            _ => Src::Reg(self.in_reg(a, GENERAL)?),
        };
        Ok(Test::Compare(first, second, cond))
    }

    fn float_test(&mut self, op: &Op) -> Result<Test> {
        let [a, b, _] = op.args;
        // x < y is y > x: "above" is false when one of them is not a number.
        let (first, second, cond) = match op.code {
            Opcode::FloatEq => (a, b, FLOAT_EQUAL),
            Opcode::FloatLt => (b, a, cond::ABOVE),
            _ => (b, a, cond::ABOVE_EQUAL),
        };
        let reg = self.in_reg(first, VECTOR)?;
        let src = self.source(second, VECTOR)?;
        Ok(Test::Float(reg, src, cond))
    }

    /// Emits the test; the condition under which it is true.
    pub fn emit_test(&mut self, test: Test) -> Result<u8> {
        Ok(match test {
            Test::Flags(cond) => cond,
            Test::Compare(Src::Reg(a), b, cond) => {
                match b {
                    Src::Imm(0) => self.asm.test(a, a),
                    b => self.asm.alu(Alu::Cmp, a, b),
                }
                cond
            }
            Test::Compare(Src::Mem(mem), Src::Imm(imm), cond) => {
                self.asm.cmp_mem_imm(mem, imm);
                cond
            }
            Test::Compare(Src::Mem(mem), Src::Reg(reg), cond) => {
                self.asm.cmp_mem_reg(mem, reg);
                cond
            }
            Test::Compare(..) => return Err(CodegenError::Malformed("compare of constants".into())),
            Test::Bits(a, b, cond) => {
                match b {
                    Src::Reg(b) => self.asm.test(a, b),
                    Src::Imm(imm) => self.asm.test_imm(a, imm),
                    Src::Mem(_) => return Err(CodegenError::Malformed("test in memory".into())),
                }
                cond
            }
            Test::Float(a, b, cond) => {
                self.asm.float_op(FloatOp::Compare, a, b);
                cond
            }
            Test::ValueTag(value) => {
                self.asm.mov_const(SCRATCH, FLOAT_TAGS);
                self.asm.test_bit_half(SCRATCH, value);
                cond::BELOW
            }
            Test::FloatTag(float, top) => {
                self.asm.bits_from_float(top, float);
                self.asm.shift_imm(Shift::Right, top, 60);
                self.asm.mov_const(SCRATCH, FLOAT_TOPS);
                self.asm.test_bit_half(SCRATCH, top);
                cond::BELOW
            }
            Test::Wraps(code, a, b) => {
                self.asm.mov_src(SCRATCH, a);
                match code {
                    Opcode::IntAddWraps => self.asm.alu(Alu::Add, SCRATCH, b),
                    Opcode::IntSubWraps => self.asm.alu(Alu::Sub, SCRATCH, b),
                    _ => self.asm.imul(SCRATCH, b),
                }
                cond::OVERFLOW
            }
        })
    }

    /// A compare whose outcome is needed as a word.
    pub fn compare(&mut self, op: &Op, signs: Option<Var>) -> Result<()> {
        if op.code == Opcode::FloatEq {
            let (a, b) = (self.in_reg(op.args[0], VECTOR)?, self.in_reg(op.args[1], VECTOR)?);
            let dst = self.define(GENERAL, None)?;
            self.asm.float_mov(VECTOR_SCRATCH, a);
            self.asm.float_equal_mask(VECTOR_SCRATCH, b);
            self.asm.bits_from_float(dst, VECTOR_SCRATCH);
            self.asm.alu(Alu::And, dst, Src::Imm(1));
            return Ok(());
        }
        let test = self.compare_test(op, signs)?;
        let cond = self.emit_test(test)?;
        op.operands().iter().for_each(|operand| self.release(*operand));
        let dst = self.define(GENERAL, None)?;
        self.asm.set(dst, cond);
        self.flags = Some((Var(self.at), cond));
        Ok(())
    }

    pub fn exit(&mut self, op: &Op) -> Result<()> {
        self.before_guard(op)?;
        let stub = self.stub();
        self.asm.jump(stub);
        Ok(())
    }
}
