//! Float arithmetic and conversions.

use hotloop_ir::{Op, Opcode, Operand};

use super::asm::{Alu, FloatOp, Reg, SCRATCH, Src, Target, VECTOR_SCRATCH, cond};
use super::compile::{Compiler, RegClass, Result, Slow, SlowKind};
use super::file::{Loc, slot_mem};
use super::guard::FLOAT_TAGS;
use super::moves::{Move, single};
use crate::eval::layout;

const GENERAL: RegClass = RegClass::General;
const VECTOR: RegClass = RegClass::Vector;

impl Compiler<'_> {
    pub fn float(&mut self, op: &Op) -> Result<()> {
        use Opcode::*;
        let a = op.args[0];
        match op.code {
            FloatAdd => self.float_arithmetic(op, FloatOp::Add),
            FloatSub => self.float_arithmetic(op, FloatOp::Sub),
            FloatMul => self.float_arithmetic(op, FloatOp::Mul),
            FloatDiv => self.float_arithmetic(op, FloatOp::Div),
            FloatSqrt => {
                let src = self.source(a, VECTOR)?;
                let dst = self.define(VECTOR, Some(a))?;
                self.asm.float_op(FloatOp::Sqrt, dst, src);
                Ok(())
            }
            FloatNeg | FloatAbs => {
                let mask = if op.code == FloatNeg { 1 << 63 } else { u64::MAX >> 1 };
                let dst = self.float_copy(a)?;
                let mask = self.asm.pool(mask);
                self.asm.float_load(VECTOR_SCRATCH, mask);
                match op.code {
                    FloatNeg => self.asm.float_xor(dst, VECTOR_SCRATCH),
                    _ => self.asm.float_and(dst, VECTOR_SCRATCH),
                }
                Ok(())
            }
            IntToFloat => {
                let src = match self.source(a, GENERAL)? {
                    Src::Imm(_) => Src::Reg(self.in_reg(a, GENERAL)?),
                    src => src,
                };
                let dst = self.define(VECTOR, None)?;
                self.asm.float_from_int(dst, src);
                Ok(())
            }
            FloatToInt => self.float_to_int(a),
            FloatToBits | BitsToFloat => {
                self.change_class(a, if op.code == FloatToBits { GENERAL } else { VECTOR })
            }
            // Self-tagging, as `hotloop_ir::pure` defines it.
            FloatToValue => {
                let src = self.in_reg(a, VECTOR)?;
                let dst = self.define(GENERAL, None)?;
                self.asm.bits_from_float(dst, src);
                self.asm.rotate_left(dst, 4);
                self.asm.alu(Alu::Xor, dst, Src::Imm(5));
                Ok(())
            }
            BoxFloat => {
                let src = self.in_reg(a, VECTOR)?;
                let value = self.define(GENERAL, None)?;
                self.asm.bits_from_float(value, src);
                self.asm.rotate_left(value, 4);
                self.asm.alu(Alu::Xor, value, Src::Imm(5));
                self.asm.mov_const(SCRATCH, FLOAT_TAGS);
                self.asm.test_bit_half(SCRATCH, value);
                self.asm.jump_if(cond::BELOW ^ 1, Target::Slow(self.slow.len() as u32));
                let ty = op.type_ref().get();
                let (size, header) = layout(ty, 0);
                let (size, header) = (size as u64, header | self.env.header_bits);
                let kind = SlowKind::Box { value, float: src, size, header, offset: ty.slot(0).0 };
                self.slow.push(Slow { back: self.asm.bytes.len() as u32, kind });
                Ok(())
            }
            ValueToFloat => {
                let src = match self.source(a, GENERAL)? {
                    Src::Imm(_) => Src::Reg(self.in_reg(a, GENERAL)?),
                    src => src,
                };
                let dst = self.define(VECTOR, None)?;
                self.asm.mov_src(SCRATCH, src);
                self.asm.alu(Alu::Xor, SCRATCH, Src::Imm(5));
                self.asm.rotate_left(SCRATCH, 60);
                self.asm.float_from_bits(dst, SCRATCH);
                Ok(())
            }
            _ => unreachable!("not a float operation"),
        }
    }

    /// The operand's value in the result's register.
    fn float_copy(&mut self, a: Operand) -> Result<Reg> {
        let src = self.source(a, VECTOR)?;
        let dst = self.define(VECTOR, Some(a))?;
        self.float_from(dst, src);
        Ok(dst)
    }

    fn float_from(&mut self, dst: Reg, src: Src) {
        match src {
            Src::Reg(src) => self.asm.float_mov(dst, src),
            Src::Mem(mem) => self.asm.float_load(dst, mem),
            Src::Imm(_) => unreachable!("a float as an immediate"),
        }
    }

    fn float_arithmetic(&mut self, op: &Op, code: FloatOp) -> Result<()> {
        let [mut a, mut b, _] = op.args;
        let dies = |operand| {
            self.root(operand).as_var().is_some_and(|var| self.dies(var) && self.file.reg(var).is_some())
        };
        if op.code.is_commutative() && !dies(a) && (dies(b) || self.constant(a).is_some()) {
            std::mem::swap(&mut a, &mut b);
        }
        let src = self.source(b, VECTOR)?;
        let same = self.root(a) == self.root(b);
        let first = if same { src } else { self.source(a, VECTOR)? };
        let dst = self.define(VECTOR, Some(a))?;
        self.float_from(dst, first);
        self.asm.float_op(code, dst, src);
        Ok(())
    }

    /// Rust's `as`: the processor gives MIN for everything that does not fit.
    fn float_to_int(&mut self, a: Operand) -> Result<()> {
        let src = self.in_reg(a, VECTOR)?;
        let dst = self.define(GENERAL, None)?;
        self.asm.int_from_float(dst, src);
        // MIN - 1 overflows, nothing else does.
        self.asm.alu(Alu::Cmp, dst, Src::Imm(1));
        let fits = self.asm.skip_if(Some(cond::OVERFLOW ^ 1));
        // MAX if it is above 0, 0 if it is not a number, else MIN.
        self.asm.float_zero(VECTOR_SCRATCH);
        self.asm.float_op(FloatOp::Compare, src, Src::Reg(VECTOR_SCRATCH));
        let number = self.asm.skip_if(Some(cond::PARITY ^ 1));
        self.asm.mov_const(dst, 0);
        self.asm.land(number);
        let below = self.asm.skip_if(Some(cond::BELOW_EQUAL));
        self.asm.mov_const(dst, i64::MAX as u64);
        self.asm.land(below);
        self.asm.land(fits);
        Ok(())
    }

    /// The same bits in a register of the other kind.
    fn change_class(&mut self, a: Operand, to: RegClass) -> Result<()> {
        let root = self.root(a);
        let loc = self.loc_of(root)?;
        if let Loc::Reg(reg) = loc {
            self.pins |= 1 << reg;
        }
        let dst = self.define(to, None)?;
        match loc {
            Loc::Slot(slot) if to == VECTOR => self.asm.float_load(dst, slot_mem(slot)),
            _ => single(&mut self.asm, Move { to: Loc::Reg(dst), from: loc }, &self.consts, 0),
        }
        Ok(())
    }
}
