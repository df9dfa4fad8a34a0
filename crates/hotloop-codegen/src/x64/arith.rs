//! Integer arithmetic and compares.

use hotloop_ir::{Op, Opcode, Operand, Var};

use super::asm::{Alu, Mem, RAX, RCX, RDX, Reg, SCRATCH, Shift, Src, cond};
use super::compile::{Compiler, RegClass, Result};

const GENERAL: RegClass = RegClass::General;

impl Compiler<'_> {
    pub fn arithmetic(&mut self, op: &Op) -> Result<()> {
        use Opcode::*;
        let [a, b, _] = op.args;
        match op.code {
            IntAdd => self.add(op),
            IntAddOvf => self.two_address(op, Alu::Add),
            IntSub => match self.immediate(b) {
                Some(imm) if imm != i32::MIN => self.add_imm(a, -imm),
                _ => self.two_address(op, Alu::Sub),
            },
            RefToValue => self.add_imm(a, 2),
            ValueToRef => self.add_imm(a, -2),
            IntSubOvf => self.two_address(op, Alu::Sub),
            IntAnd => self.two_address(op, Alu::And),
            IntOr => self.two_address(op, Alu::Or),
            IntXor => self.two_address(op, Alu::Xor),
            IntMul | IntMulOvf => self.multiply(op),
            IntShl => self.shift(op, Shift::Left),
            IntShr => self.shift(op, Shift::Right),
            IntSar => self.shift(op, Shift::Arithmetic),
            _ => self.divide(op),
        }
    }

    /// The operand as a 32-bit immediate, if it is one.
    pub fn immediate(&self, operand: Operand) -> Option<i32> {
        self.constant(operand).and_then(|bits| i32::try_from(bits as i64).ok())
    }

    fn dies_in_reg(&self, operand: Operand) -> bool {
        self.root(operand).as_var().is_some_and(|var| self.dies(var) && self.file.reg(var).is_some())
    }

    fn same(&self, a: Operand, b: Operand) -> bool {
        self.root(a) == self.root(b)
    }

    /// The register that the result flows into round the loop, if it is free now.
    fn wanted(&self) -> Option<Reg> {
        let hint = self.plan.hint[self.at as usize];
        let reg = self.head.as_ref()?.reg_of(Var(hint))?;
        (hint != super::plan::NONE && self.file.free & 1 << reg != 0).then_some(reg)
    }

    fn add_imm(&mut self, a: Operand, imm: i32) -> Result<()> {
        if let Some(bits) = self.constant(a) {
            let dst = self.define(GENERAL, None)?;
            self.asm.mov_const(dst, bits.wrapping_add(imm as i64 as u64));
            return Ok(());
        }
        if self.dies_in_reg(a) && self.wanted().is_none() {
            let dst = self.define(GENERAL, Some(a))?;
            self.asm.alu(Alu::Add, dst, Src::Imm(imm));
            self.signs = Some(Var(self.at));
            return Ok(());
        }
        let src = self.in_reg(a, GENERAL)?;
        self.release(a);
        let dst = self.define(GENERAL, None)?;
        if dst == src {
            self.asm.alu(Alu::Add, dst, Src::Imm(imm));
        } else {
            self.asm.lea(dst, Mem::Base(src, imm));
        }
        Ok(())
    }

    /// A wrapping sum need not overwrite an operand.
    fn add(&mut self, op: &Op) -> Result<()> {
        let [a, b, _] = op.args;
        if let Some(imm) = self.immediate(b) {
            return self.add_imm(a, imm);
        }
        if let Some(imm) = self.immediate(a) {
            return self.add_imm(b, imm);
        }
        let in_reg = |operand| self.root(operand).as_var().is_some_and(|var| self.file.reg(var).is_some());
        let overwrites = self.wanted().is_none() && (self.dies_in_reg(a) || self.dies_in_reg(b));
        if overwrites || !in_reg(a) || !in_reg(b) {
            return self.two_address(op, Alu::Add);
        }
        let (x, y) = (self.in_reg(a, GENERAL)?, self.in_reg(b, GENERAL)?);
        self.release(a);
        self.release(b);
        let dst = self.define(GENERAL, None)?;
        if dst == x {
            self.asm.alu(Alu::Add, dst, Src::Reg(y));
        } else if dst == y {
            self.asm.alu(Alu::Add, dst, Src::Reg(x));
        } else {
            self.asm.lea(dst, Mem::Bytes(x, y, 0));
        }
        Ok(())
    }

    /// `dst = a; dst op= b`, with as few moves as possible; a guard's jump follows for the checked ones.
    fn two_address(&mut self, op: &Op, alu: Alu) -> Result<()> {
        let (dst, src) = self.two_operands(op)?;
        self.before_guard(op)?;
        self.asm.alu(alu, dst, src);
        self.signs = Some(Var(self.at));
        self.after_checked(op)
    }

    /// The first operand in the result's register, and the second one.
    fn two_operands(&mut self, op: &Op) -> Result<(Reg, Src)> {
        let [mut a, mut b, _] = op.args;
        if op.code.is_commutative() {
            let better = self.constant(a).is_some() || !self.dies_in_reg(a) && self.dies_in_reg(b);
            if better && self.constant(b).is_none() {
                std::mem::swap(&mut a, &mut b);
            }
        }
        let src = self.source(b, GENERAL)?;
        let first = if self.same(a, b) { src } else { self.source_kept(a)? };
        if !self.same(a, b) && self.dies_in_reg(a) {
            return Ok((self.define(GENERAL, Some(a))?, src));
        }
        if self.same(a, b) && self.dies_in_reg(a) {
            let dst = self.define(GENERAL, Some(a))?;
            return Ok((dst, src));
        }
        let dst = self.define(GENERAL, None)?;
        self.asm.mov_src(dst, first);
        Ok((dst, src))
    }

    /// As [`Compiler::source`], for a value that is only copied: never reloads for later.
    fn source_kept(&mut self, operand: Operand) -> Result<Src> {
        if let Some(bits) = self.constant(operand)
            && i32::try_from(bits as i64).is_err()
        {
            return Ok(Src::Mem(self.asm.pool(bits)));
        }
        self.source(operand, GENERAL)
    }

    fn multiply(&mut self, op: &Op) -> Result<()> {
        let [mut a, mut b, _] = op.args;
        if self.constant(a).is_some() {
            std::mem::swap(&mut a, &mut b);
        }
        let Some(imm) = self.immediate(b).filter(|_| self.constant(a).is_none()) else {
            let (dst, src) = self.two_operands(op)?;
            self.before_guard(op)?;
            self.asm.imul(dst, src);
            return self.after_checked(op);
        };
        if op.code == Opcode::IntMul && imm > 0 && (imm as u32).is_power_of_two() {
            return self.shift_imm(a, Shift::Left, imm.trailing_zeros() as u8);
        }
        let src = self.source(a, GENERAL)?;
        let guarded = op.code == Opcode::IntMulOvf;
        if !guarded {
            self.release(a);
        }
        let dst = if guarded && self.dies_in_reg(a) {
            self.define(GENERAL, Some(a))?
        } else {
            self.define(GENERAL, None)?
        };
        self.before_guard(op)?;
        self.asm.imul_imm(dst, src, imm);
        self.after_checked(op)
    }

    fn shift_imm(&mut self, a: Operand, shift: Shift, count: u8) -> Result<()> {
        let src = self.source_kept(a)?;
        let dst = self.define(GENERAL, Some(a))?;
        self.asm.mov_src(dst, src);
        if count != 0 {
            self.asm.shift_imm(shift, dst, count);
        }
        Ok(())
    }

    fn shift(&mut self, op: &Op, shift: Shift) -> Result<()> {
        let [a, b, _] = op.args;
        if let Some(count) = self.constant(b) {
            return self.shift_imm(a, shift, (count & 63) as u8);
        }
        let count = self.in_reg(b, GENERAL)?;
        if self.env.bmi2 {
            let value = self.in_reg(a, GENERAL)?;
            self.release(a);
            self.release(b);
            let dst = self.define(GENERAL, None)?;
            self.asm.shift_by(shift, dst, value, count);
            return Ok(());
        }
        // The count must be in cl: exchange it with what is there, and back.
        let value = self.source_kept(a)?;
        self.asm.mov_src(SCRATCH, value);
        if count != RCX {
            self.asm.xchg(RCX, count);
        }
        self.asm.shift_cl(shift, SCRATCH);
        if count != RCX {
            self.asm.xchg(RCX, count);
        }
        self.release(a);
        self.release(b);
        let dst = self.define(GENERAL, None)?;
        self.asm.mov(dst, SCRATCH);
        Ok(())
    }

    /// Frees a certain register: its value moves elsewhere.
    fn evacuate(&mut self, reg: Reg) -> Result<()> {
        let Some(var) = self.file.holder(reg) else { return Ok(()) };
        let free = self.file.free & super::file::GENERAL & !self.pins & !self.temps;
        if free == 0 {
            return self.evict(var);
        }
        let other = self.obtain(GENERAL, Some(var))?;
        self.asm.mov(other, reg);
        self.file.drop_reg(var);
        self.file.set_reg(var, other);
        Ok(())
    }

    /// The processor divides `rdx:rax` and traps for 0 and for MIN/-1, which are handled apart.
    fn divide(&mut self, op: &Op) -> Result<()> {
        use Opcode::*;
        let [a, b, _] = op.args;
        let quotient = matches!(op.code, IntDiv | IntDivFloor);
        let floor = matches!(op.code, IntDivFloor | IntModFloor);
        let divisor = self.constant(b);
        if let Some(power) = divisor.filter(|bits| floor && (*bits as i64) > 0 && bits.is_power_of_two()) {
            if quotient {
                return self.shift_imm(a, Shift::Arithmetic, power.trailing_zeros() as u8);
            }
            let src = self.source_kept(a)?;
            let mask = match i32::try_from(power as i64 - 1) {
                Ok(imm) => Src::Imm(imm),
                Err(_) => Src::Mem(self.asm.pool(power - 1)),
            };
            let dst = self.define(GENERAL, Some(a))?;
            self.asm.mov_src(dst, src);
            self.asm.alu(Alu::And, dst, mask);
            return Ok(());
        }
        if let Some(divisor) = divisor.filter(|bits| floor && (*bits as i64) > 0) {
            return self.divide_by_constant(a, divisor, quotient);
        }
        self.pins |= 1 << RAX | 1 << RDX;
        let divisor_src = self.source_plain(b)?;
        self.asm.mov_src(SCRATCH, divisor_src);
        for reg in [RAX, RDX] {
            let stays = self.file.holder(reg).is_some_and(|var| !self.dies(var));
            if stays {
                self.evacuate(reg)?;
            }
        }
        let dividend = self.source_plain(a)?;
        self.asm.mov_src(RAX, dividend);
        self.release(a);
        self.release(b);
        let safe = divisor.is_some_and(|bits| bits != 0 && bits != u64::MAX);
        let special = if safe {
            None
        } else {
            self.asm.lea(RDX, Mem::Base(SCRATCH, 1));
            self.asm.alu(Alu::Cmp, RDX, Src::Imm(1));
            Some(self.asm.skip_if(Some(cond::BELOW_EQUAL)))
        };
        self.asm.divide(SCRATCH);
        if floor {
            // The quotient was cut off towards zero: one less if the remainder's sign is not the divisor's.
            self.asm.test(RDX, RDX);
            let exact = self.asm.skip_if(Some(cond::EQUAL));
            if quotient {
                self.asm.alu(Alu::Xor, RDX, Src::Reg(SCRATCH));
                let same_sign = self.asm.skip_if(Some(cond::SIGN ^ 1));
                self.asm.alu(Alu::Sub, RAX, Src::Imm(1));
                self.asm.land(same_sign);
            } else {
                self.asm.mov(RAX, RDX);
                self.asm.alu(Alu::Xor, RAX, Src::Reg(SCRATCH));
                let same_sign = self.asm.skip_if(Some(cond::SIGN ^ 1));
                self.asm.alu(Alu::Add, RDX, Src::Reg(SCRATCH));
                self.asm.land(same_sign);
            }
            self.asm.land(exact);
        }
        if let Some(special) = special {
            let done = self.asm.skip_if(None);
            self.asm.land(special);
            // 0 or -1: the quotient is a * -b... for both, a multiple of the divisor; the remainder is 0.
            if quotient {
                self.asm.imul(RAX, Src::Reg(SCRATCH));
            } else {
                self.asm.mov_const(RDX, 0);
            }
            self.asm.land(done);
        }
        let dst = if quotient { RAX } else { RDX };
        self.file.set_reg(Var(self.at), dst);
        Ok(())
    }

    /// Divides by a positive constant that is no power of two, rounding down: multiplies by its inverse. What is
    /// negative is turned over before, and the quotient after: `floor(n / d) = !floor(!n / d)`.
    /// Source: Granlund and Montgomery, "Division by invariant integers using multiplication" (1994), for 63 bits.
    fn divide_by_constant(&mut self, a: Operand, divisor: u64, quotient: bool) -> Result<()> {
        let bits = u64::BITS - (divisor - 1).leading_zeros();
        let inverse = (1u128 << (63 + bits)).div_ceil(divisor.into()) as u64;
        self.pins |= 1 << RAX | 1 << RDX;
        for reg in [RAX, RDX] {
            // For the remainder the dividend is needed once more.
            let stays = |var| !self.dies(var) || !quotient && self.root(a) == Operand::var(var);
            if self.file.holder(reg).is_some_and(stays) {
                self.evacuate(reg)?;
            }
        }
        let dividend = self.source_plain(a)?;
        let inverse = self.asm.pool(inverse);
        self.asm.mov_src(RAX, dividend);
        self.asm.mov(SCRATCH, RAX);
        self.asm.shift_imm(Shift::Arithmetic, SCRATCH, 63);
        self.asm.alu(Alu::Xor, RAX, Src::Reg(SCRATCH));
        self.asm.multiply(inverse);
        self.asm.shift_imm(Shift::Right, RDX, bits as u8 - 1);
        self.asm.alu(Alu::Xor, RDX, Src::Reg(SCRATCH));
        if !quotient {
            match i32::try_from(divisor) {
                Ok(divisor) => self.asm.imul_imm(RDX, Src::Reg(RDX), divisor),
                Err(_) => {
                    let divisor = Src::Mem(self.asm.pool(divisor));
                    self.asm.imul(RDX, divisor);
                }
            }
            self.asm.mov_src(RAX, dividend);
            self.asm.alu(Alu::Sub, RAX, Src::Reg(RDX));
        }
        self.release(a);
        let dst = if quotient { RDX } else { RAX };
        self.file.set_reg(Var(self.at), dst);
        Ok(())
    }

    /// Where the operand is, without loading it and without a pin.
    fn source_plain(&mut self, operand: Operand) -> Result<Src> {
        match self.root(operand).as_var() {
            Some(var) => match (self.file.reg(var), self.file.slot(var)) {
                (Some(reg), _) => Ok(Src::Reg(reg)),
                (_, Some(slot)) => Ok(Src::Mem(super::file::slot_mem(slot))),
                _ => Err(self.lost(var)),
            },
            None => self.source_kept(operand),
        }
    }

    /// `dst = b` if `a` is not 0, else `c`.
    pub fn select(&mut self, op: &Op, flags: Option<(Var, u8)>, signs: Option<Var>) -> Result<()> {
        let [a, b, c] = op.args;
        // What the move writes to must not be `c`, nor what the condition needs before the compare.
        let otherwise = match self.constant(c) {
            Some(bits) => Src::Mem(self.asm.pool(bits)),
            None => self.source(c, GENERAL)?,
        };
        let then = self.source_kept(b)?;
        let test = self.condition(a, flags, signs)?;
        let cond = self.emit_test(test)?;
        let dst = if !self.same(b, c) && self.dies_in_reg(b) {
            self.define(GENERAL, Some(b))?
        } else {
            self.define(GENERAL, None)?
        };
        self.asm.mov_src(dst, then);
        self.asm.cmov(cond ^ 1, dst, otherwise);
        Ok(())
    }
}
