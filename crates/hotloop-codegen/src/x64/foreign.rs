//! C: calls of its functions, and memory that is not the heap's.
//!
//! A call is one `call` instruction: up to six words and eight floats go to the registers in which the System V
//! convention wants them, the result is widened by the signature. Numbers in memory are read and written by the
//! instruction for their size.

use hotloop_ir::{Op, Opcode, Operand, Scalar, Signature, Var};

use super::asm::{Mem, RAX, Reg, SCRATCH, VECTOR_SCRATCH};
use super::call::ARGUMENTS;
use super::compile::{Compiler, RegClass, Result};
use super::file::Loc;
use super::moves::{Move, parallel};

const GENERAL: RegClass = RegClass::General;
const VECTOR: RegClass = RegClass::Vector;
/// `xmm0`, the first of eight registers for arguments, and the one for results.
const FIRST_VECTOR: Reg = 16;

impl Compiler<'_> {
    /// A call of a C function: its address, then what it is handed.
    pub fn foreign_call(&mut self, args: &[Operand], signature: &Signature) -> Result<()> {
        self.save_across_call(args)?;
        let mut moves = Vec::with_capacity(args.len());
        let (mut words, mut floats) = (0, 0);
        let mut narrow = Vec::new();
        for (arg, scalar) in args[1..].iter().zip(signature.args()) {
            let to = if scalar.is_float() {
                floats += 1;
                FIRST_VECTOR + floats - 1
            } else {
                words += 1;
                ARGUMENTS[words - 1]
            };
            if *scalar == Scalar::F32 {
                narrow.push(to);
            }
            moves.push(Move { to: Loc::Reg(to), from: self.loc_of(*arg)? });
        }
        let address = self.constant(args[0]);
        if address.is_none() {
            moves.push(Move { to: Loc::Reg(SCRATCH), from: self.loc_of(args[0])? });
        }
        parallel(&mut self.asm, moves, &self.consts, 0);
        for reg in narrow {
            self.asm.narrow_float(reg, reg);
        }
        match address {
            Some(address) => self.asm.call_address(address),
            None => self.asm.call_reg(SCRATCH),
        }
        for arg in args {
            self.release(*arg);
        }
        self.take_foreign_result(signature.result());
        Ok(())
    }

    fn take_foreign_result(&mut self, result: Option<Scalar>) {
        let var = Var(self.at);
        let (Some(scalar), true) = (result, self.plan.end[self.at as usize] != 0) else { return };
        if scalar.is_float() {
            if scalar == Scalar::F32 {
                self.asm.widen_float(FIRST_VECTOR, FIRST_VECTOR);
            }
            self.file.set_reg(var, FIRST_VECTOR);
        } else {
            self.asm.widen(scalar, RAX);
            self.file.set_reg(var, RAX);
        }
    }

    /// `load_raw` and `store_raw`
    pub fn raw(&mut self, op: &Op) -> Result<()> {
        let base = self.in_reg(op.args[0], GENERAL)?;
        let near = self.constant(op.args[1]).and_then(|offset| i32::try_from(offset as i64).ok());
        let place = match near {
            Some(offset) => Mem::Base(base, offset),
            None => Mem::Bytes(base, self.in_reg(op.args[1], GENERAL)?, 0),
        };
        let scalar = op.scalar();
        if op.code == Opcode::LoadRaw {
            self.release(op.args[0]);
            self.release(op.args[1]);
            return self.load_scalar(scalar, place);
        }
        if scalar.is_float() {
            let value = self.in_reg(op.args[2], VECTOR)?;
            if scalar == Scalar::F32 {
                self.asm.narrow_float(VECTOR_SCRATCH, value);
                self.asm.single_store(place, VECTOR_SCRATCH);
            } else {
                self.asm.float_store(place, value);
            }
            return Ok(());
        }
        let value = self.in_reg(op.args[2], GENERAL)?;
        match scalar.size() {
            1 => self.asm.store_byte(place, value),
            2 => self.asm.store_word(place, value),
            4 => self.asm.store_half(place, value),
            _ => self.asm.store(place, value),
        }
        Ok(())
    }

    fn load_scalar(&mut self, scalar: Scalar, place: Mem) -> Result<()> {
        if scalar.is_float() {
            let dst = self.define(VECTOR, None)?;
            match scalar {
                Scalar::F32 => self.asm.single_load(dst, place),
                _ => self.asm.float_load(dst, place),
            }
        } else {
            let dst = self.define(GENERAL, None)?;
            self.asm.load_scalar(dst, place, scalar);
        }
        Ok(())
    }
}
