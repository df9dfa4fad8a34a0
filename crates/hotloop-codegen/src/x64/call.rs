//! Calls of native functions (System V: six words in registers, the rest on the stack).

use hotloop_ir::{Const, FieldKind, Op, Opcode, Operand, Ty, Var};

use super::asm::{Alu, Mem, R8, R9, RAX, RCX, RDI, RDX, RSI, RSP, Reg, SCRATCH, Src, Target, cond};
use super::compile::{Compiler, RegClass, Result, Slow, SlowKind};
use super::file::{CALLEE_SAVED, GENERAL, Loc};
use super::moves::{Move, parallel, single};
use super::plan::{NONE, is_mark};
use crate::items;

pub const ARGUMENTS: [Reg; 6] = [RDI, RSI, RDX, RCX, R8, R9];

impl Compiler<'_> {
    pub fn call(&mut self, op: &Op) -> Result<()> {
        let args: Vec<Operand> = self.trace.list(op.list).to_vec();
        if let Some(guard) = self.trace.force_guard(self.at as usize) {
            self.wait_in_call(guard)?;
        }
        match &op.call().get().foreign {
            Some(signature) => self.foreign_call(&args, signature),
            None => self.call_native(&args, op.call().get().address),
        }
    }

    /// An operation on runs of items.
    pub fn items(&mut self, op: &Op) -> Result<()> {
        let written = match op.code {
            Opcode::CopyItems => Some((op.args[1], op.types().1)),
            Opcode::FillItems => Some((op.args[0], op.type_ref())),
            _ => None,
        };
        if let Some((object, ty)) = written {
            let kind = ty.get().items.map_or(FieldKind::Int, |(kind, _)| kind);
            self.barrier_for_all(object, kind)?;
        }
        let mut args = [op.operands(), self.trace.list(op.list)].concat();
        self.consts.push(Const { ty: Ty::Int, bits: items::layout(op) });
        args.push(Operand::constant(self.consts.len() as u32 - 1));
        self.call_native(&args, items::function(op.code))
    }

    fn call_native(&mut self, args: &[Operand], address: usize) -> Result<()> {
        self.save_across_call(args)?;
        let mut locs = Vec::with_capacity(args.len());
        for arg in args {
            locs.push(self.loc_of(*arg)?);
        }
        self.native_call(address as u64, &locs);
        // What died here may still be in the registers of the results.
        for arg in args {
            self.release(*arg);
        }
        self.take_results()
    }

    /// A call that is made or not, by the first operand. The call itself is out of line.
    pub fn conditional_call(&mut self, op: &Op) -> Result<()> {
        let all: Vec<Operand> = self.trace.list(op.list).to_vec();
        // What is in registers that the call doesn't keep is saved on both ways: they meet again.
        self.save_across_call(&all)?;
        let mut args = Vec::with_capacity(all.len());
        for operand in &all {
            args.push(self.loc_of(*operand)?);
        }
        let condition = args.remove(0);
        single(&mut self.asm, Move { to: Loc::Reg(SCRATCH), from: condition }, &self.consts, 0);
        self.asm.test(SCRATCH, SCRATCH);
        let calls = if op.code == Opcode::CallIf { cond::NOT_EQUAL } else { cond::EQUAL };
        self.asm.jump_if(calls, Target::Slow(self.slow.len() as u32));
        if op.code == Opcode::CallUnless {
            self.asm.mov(RAX, SCRATCH);
        }
        let back = self.asm.bytes.len() as u32;
        let address = op.call().get().address as u64;
        self.slow.push(Slow { back, kind: SlowKind::Call { address, args } });
        for operand in &all {
            self.release(*operand);
        }
        let result = Var(self.at);
        if op.code == Opcode::CallUnless && self.plan.end[result.0 as usize] != 0 {
            self.file.set_reg(result, RAX);
        }
        Ok(())
    }

    /// The call: arguments go to their places.
    pub fn native_call(&mut self, address: u64, locs: &[Loc]) {
        let on_stack = locs.len().saturating_sub(ARGUMENTS.len());
        let room = (on_stack * 8).next_multiple_of(16) as i32;
        if on_stack > 0 {
            self.asm.alu(Alu::Sub, RSP, Src::Imm(room));
            for (index, loc) in locs[ARGUMENTS.len()..].iter().enumerate() {
                let place = Mem::Base(RSP, index as i32 * 8);
                match *loc {
                    Loc::Reg(reg @ 0..16) => self.asm.store(place, reg),
                    Loc::Reg(reg) => self.asm.float_store(place, reg),
                    other => {
                        let step = Move { to: Loc::Reg(SCRATCH), from: other };
                        single(&mut self.asm, step, &self.consts, room);
                        self.asm.store(place, SCRATCH);
                    }
                }
            }
        }
        let moves = locs.iter().zip(ARGUMENTS).map(|(from, to)| Move { to: Loc::Reg(to), from: *from });
        parallel(&mut self.asm, moves.collect(), &self.consts, room);
        self.asm.call_address(address);
        if on_stack > 0 {
            self.asm.alu(Alu::Add, RSP, Src::Imm(room));
        }
    }

    /// Values that live on after the call leave the registers that it doesn't keep.
    pub fn save_across_call(&mut self, args: &[Operand]) -> Result<()> {
        self.pins = 0;
        for arg in args {
            if let Some(reg) = self.root(*arg).as_var().and_then(|var| self.file.reg(var)) {
                self.pins |= 1 << reg;
            }
        }
        for (reg, var) in self.file.holders() {
            if CALLEE_SAVED & 1 << reg != 0 || self.dies(var) {
                continue;
            }
            let kept = self.file.free & CALLEE_SAVED;
            let needed = GENERAL & 1 << reg != 0 && self.next_use(var, self.at + 1) != NONE;
            if needed && kept != 0 {
                let other = kept.trailing_zeros() as Reg;
                self.asm.mov(other, reg);
                self.file.drop_reg(var);
                self.file.set_reg(var, other);
            } else {
                self.evict(var)?;
            }
        }
        Ok(())
    }

    /// The result is in rax, the flag in rdx.
    fn take_results(&mut self) -> Result<()> {
        let mut next = self.at as usize + 1;
        while is_mark(self.trace.ops[next].code) {
            next += 1;
        }
        let result = Var(self.at);
        if self.trace.ops[next].code == Opcode::CallRaised && self.plan.end[next] != 0 {
            self.file.set_reg(Var(next as u32), RDX);
            self.pins |= 1 << RDX;
        }
        if self.plan.end[result.0 as usize] == 0 {
            return Ok(());
        }
        if self.class_of(result) == RegClass::Vector {
            let dst = self.define(RegClass::Vector, None)?;
            self.asm.float_from_bits(dst, RAX);
        } else {
            self.file.set_reg(result, RAX);
        }
        Ok(())
    }
}
