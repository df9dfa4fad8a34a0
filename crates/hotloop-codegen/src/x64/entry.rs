//! Traces that call each other's entries.
//!
//! The caller's values wait in its own frame: the callee uses all registers. Inputs go where the callee wants
//! them; those that it wants in slots are handed over in the context. Results are left in the
//! context, the first ones in registers, too; the position at which the callee returned is in `rax`. The registers
//! are for the trace that calls, right behind the call; bridges, and the driver, read the context.
//!
//! ```text
//! caller   spill what lives on; arguments; call entry; load more results
//! callee   sub rsp, frame; copy arguments to slots; …; store results; mov rax, position; add rsp, frame; ret
//! ```

use hotloop_ir::{Op, Opcode, Operand, Ty, Var};

use super::asm::{Alu, CONTEXT, Mem, RAX, RCX, RDI, RDX, RSI, RSP, Reg, SCRATCH, Src, Target};
use super::compile::{Compiler, RegClass, Result, Returns};
use super::control::Entered;
use super::file::{Loc, slot_mem};
use super::moves::{Move, parallel, single};
use crate::{CodegenError, Context};

/// Where the first results are, too, if they are integers or references.
const RESULTS: [Reg; 4] = [RDX, RCX, RSI, RDI];

/// The register of a result, if it has one.
fn result_reg(number: u32, class: RegClass) -> Option<Reg> {
    match class {
        RegClass::General => RESULTS.get(number as usize).copied(),
        RegClass::Vector => (number < RESULTS.len() as u32).then_some(16 + number as Reg),
    }
}

/// Where an argument is that the callee wants in a slot: the first, the second, and so on.
fn arg_mem(number: i32) -> Mem {
    Mem::Base(CONTEXT, std::mem::offset_of!(Context, args) as i32 + 8 * number)
}

/// Where a result is.
fn result_mem(number: u32) -> Mem {
    Mem::Base(CONTEXT, (std::mem::offset_of!(Context, results) + 8 * number as usize) as i32)
}

impl Compiler<'_> {
    pub fn call_of_entry(&mut self, op: &Op) -> Result<()> {
        let (target, locs) = match self.trace.calls[op.descr as usize].code {
            None if self.is_called() => (Target::CallEntry, self.entry_locs.clone()),
            None => return Err(CodegenError::Malformed("call of itself, which is no entry".into())),
            Some(code) => {
                let Some(Entered { call_at: Some(call_at), locs, .. }) = (self.env.enter)(code) else {
                    return Err(CodegenError::Malformed("call of no entry".into()));
                };
                (Target::Region(call_at as u32), locs)
            }
        };
        for (_, var) in self.file.holders() {
            if !self.dies(var) {
                self.note_eviction(var);
                self.spill(var)?;
            }
        }
        let behind = self.trace.ops[self.at as usize..].iter();
        let guard =
            behind.take_while(|op| op.code != Opcode::Instr).position(|op| op.code == Opcode::GuardReturned);
        let guard = guard.map(|guard| guard + self.at as usize);
        if let Some(guard) = guard {
            self.wait_for(guard)?;
        }
        let args: Vec<Operand> = self.trace.list(op.list).to_vec();
        let mut moves = Vec::new();
        let mut handed = 0;
        for (arg, to) in args.iter().zip(&locs) {
            let Some(to) = *to else { continue };
            let from = self.loc_of(*arg)?;
            if matches!(to, Loc::Slot(_)) {
                self.store_handed(arg_mem(handed), *arg, from);
                handed += 1;
            } else {
                moves.push(Move { to, from });
            }
        }
        parallel(&mut self.asm, moves, &self.consts, 0);
        self.asm.call(target);
        if let Some(guard) = guard {
            let (at, resume) = (self.asm.bytes.len() as u32, self.trace.ops[guard].resume);
            self.returns.push(Returns { at, resume });
        }
        for (_, var) in self.file.holders() {
            self.file.drop_reg(var);
        }
        self.pins = 0;
        if self.plan.end[self.at as usize] != 0 {
            self.file.set_reg(Var(self.at), RAX);
        }
        self.take_first_results();
        Ok(())
    }

    /// The results that are read right behind the call come in registers.
    fn take_first_results(&mut self) {
        let trace = self.trace;
        let first = self.at as usize + 1;
        for (at, op) in trace.ops.iter().enumerate().skip(first) {
            if op.code != Opcode::CallResult {
                break;
            }
            let var = Var(at as u32);
            let reg = result_reg(op.descr / 4, self.class_of(var));
            if let Some(reg) = reg.filter(|reg| self.plan.end[at] != 0 && self.file.free & 1 << reg != 0) {
                self.file.set_reg(var, reg);
            }
        }
    }

    pub fn call_result(&mut self, op: &Op) -> Result<()> {
        if self.file.reg(Var(self.at)).is_some() {
            return Ok(());
        }
        let class = self.class_of(Var(self.at));
        let mem = result_mem(op.descr / 4);
        let dst = self.define(class, None)?;
        match class {
            RegClass::General => self.asm.load(dst, mem),
            RegClass::Vector => self.asm.float_load(dst, mem),
        }
        Ok(())
    }

    /// Stores what is handed over.
    fn store_handed(&mut self, mem: Mem, operand: Operand, from: Loc) {
        match (from, self.immediate(operand)) {
            (Loc::Reg(reg @ 0..16), _) => self.asm.store(mem, reg),
            (Loc::Reg(reg), _) => self.asm.float_store(mem, reg),
            (_, Some(imm)) => self.asm.store_imm(mem, imm),
            (from, None) => {
                single(&mut self.asm, Move { to: Loc::Reg(SCRATCH), from }, &self.consts, 0);
                self.asm.store(mem, SCRATCH);
            }
        }
    }

    pub fn return_to_caller(&mut self, op: &Op) -> Result<()> {
        let results: Vec<Operand> = self.trace.list(op.list).to_vec();
        let mut moves = Vec::new();
        for (number, operand) in results.into_iter().enumerate() {
            let mem = result_mem(number as u32);
            let from = self.loc_of(operand)?;
            let is_float = self.trace.operand_type(operand) == Some(Ty::Float);
            let class = if is_float { RegClass::Vector } else { RegClass::General };
            if let Some(to) = result_reg(number as u32, class) {
                moves.push(Move { to: Loc::Reg(to), from });
            }
            self.store_handed(mem, operand, from);
        }
        parallel(&mut self.asm, moves, &self.consts, 0);
        self.asm.mov_const(RAX, op.descr as u64);
        self.asm.alu(Alu::Add, RSP, Src::Imm(self.frame_size()));
        self.asm.ret();
        Ok(())
    }

    /// Whether traces may call this one: it checks that the machine stack has room.
    pub fn is_called(&self) -> bool {
        self.trace.ops.iter().any(|op| op.code == Opcode::GuardStack)
    }

    /// The way in for calls.
    pub fn emit_call_entry(&mut self) {
        let frame = self.frame_size();
        self.asm.alu(Alu::Sub, RSP, Src::Imm(frame));
        let slots = self.entry_locs.clone().into_iter().flatten().filter_map(|loc| match loc {
            Loc::Slot(slot) => Some(slot),
            _ => None,
        });
        for (number, slot) in slots.enumerate() {
            self.asm.load(SCRATCH, arg_mem(number as i32));
            self.asm.store(slot_mem(slot), SCRATCH);
        }
        self.asm.jump(Target::Here(self.entry));
    }
}
