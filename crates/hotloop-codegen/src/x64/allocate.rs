//! Register allocation while emitting: who gets a register, who loses one.
//!
//! The values of an operation are pinned while it is emitted. A value that must go is stored at most once
//! in its life; one whose operation is the loop's head's business makes the body be walked again (see
//! `compile`).

use hotloop_ir::{Operand, Var};

use super::asm::{Mem, Reg, Src};
use super::compile::{Compiler, RegClass, Result};
use super::file::{CALLEE_SAVED, Loc, slot_mem};
use super::moves::{Move, single};
use super::plan::NONE;
use crate::CodegenError;

impl Compiler<'_> {
    /// Whether the value is not needed any more once this operation has read it.
    pub fn dies(&self, var: Var) -> bool {
        self.plan.end[var.0 as usize] <= 2 * self.at
    }

    /// The operation that really uses the value next, at `from` or later.
    pub fn next_use(&mut self, var: Var, from: u32) -> u32 {
        let cursor = &mut self.file.cursor[var.0 as usize];
        while *cursor != NONE && self.plan.nodes[*cursor as usize].0 < self.at {
            *cursor = self.plan.nodes[*cursor as usize].1;
        }
        let mut node = *cursor;
        while node != NONE {
            let (at, next) = self.plan.nodes[node as usize];
            if at >= from {
                return at;
            }
            node = next;
        }
        // Round the loop: it is needed again.
        if self.plan.invariant[var.0 as usize] && self.head.is_some() {
            self.trace.ops.len() as u32
        } else {
            NONE
        }
    }

    /// Whether a call comes before the value's last real use.
    pub fn crosses_call(&mut self, var: Var) -> bool {
        let after = self.at + 1;
        let index = self.plan.calls.partition_point(|call| *call >= after);
        if index == 0 {
            return false;
        }
        let call = self.plan.calls[index - 1];
        self.plan.end[var.0 as usize] > 2 * call + 1 && self.next_use(var, call + 1) != NONE
    }

    /// A register of the class that is free; evicts the value needed last if there is none.
    pub fn obtain(&mut self, class: RegClass, var: Option<Var>) -> Result<Reg> {
        let free = self.file.free & class.mask() & !self.pins & !self.temps;
        if free == 0 {
            return self.evict_one(class);
        }
        if let Some(var) = var {
            let hint = self.plan.hint[var.0 as usize];
            if hint != NONE
                && let Some(reg) = self.head.as_ref().and_then(|head| head.reg_of(Var(hint)))
                && free & 1 << reg != 0
            {
                self.hinted &= !(1 << reg);
                return Ok(reg);
            }
            let kept = free & CALLEE_SAVED;
            if kept != 0 && self.crosses_call(var) {
                return Ok(kept.trailing_zeros() as Reg);
            }
        }
        // Rather not a phi's register, nor one that values across calls want.
        let choices = [free & !CALLEE_SAVED & !self.hinted, free & !self.hinted, free];
        let choice = choices.into_iter().find(|choice| *choice != 0).unwrap_or(free);
        Ok(choice.trailing_zeros() as Reg)
    }

    fn evict_one(&mut self, class: RegClass) -> Result<Reg> {
        let mut best: Option<(u32, bool, Reg, Var)> = None;
        for (reg, var) in self.file.holders() {
            if class.mask() & !self.pins & 1 << reg == 0 {
                continue;
            }
            let next = self.next_use(var, self.at);
            let key = (next, self.file.slot(var).is_some());
            if best.is_none_or(|(best_next, clean, ..)| key > (best_next, clean)) {
                best = Some((key.0, key.1, reg, var));
            }
        }
        let (_, _, reg, var) = best.ok_or(CodegenError::TooManySpills)?;
        self.evict(var)?;
        Ok(reg)
    }

    /// Moves a value out of its register for good: into its slot.
    pub fn evict(&mut self, var: Var) -> Result<()> {
        self.note_eviction(var);
        self.spill(var)?;
        self.file.drop_reg(var);
        Ok(())
    }

    /// A value that has a register at the loop's head loses it: it had better be in a slot there.
    pub fn note_eviction(&mut self, var: Var) {
        if self.head.as_ref().is_some_and(|head| head.reg_of(var).is_some())
            && !self.slot_at_head[var.0 as usize]
        {
            self.slot_at_head[var.0 as usize] = true;
            self.again = true;
        }
    }

    /// Makes sure that the value is in a slot, too.
    pub fn spill(&mut self, var: Var) -> Result<u16> {
        if let Some(slot) = self.file.slot(var) {
            return Ok(slot);
        }
        let slot = self.file.take_slot(var).ok_or(CodegenError::TooManySpills)?;
        if let Some(reg) = self.file.reg(var) {
            single(&mut self.asm, Move { to: Loc::Slot(slot), from: Loc::Reg(reg) }, &[], 0);
        }
        Ok(slot)
    }

    /// A register for use within this operation.
    pub fn temp(&mut self, class: RegClass) -> Result<Reg> {
        let reg = self.obtain(class, None)?;
        self.temps |= 1 << reg;
        Ok(reg)
    }

    /// The operand in a register, pinned for this operation. Constants go into a temporary one.
    pub fn in_reg(&mut self, operand: Operand, class: RegClass) -> Result<Reg> {
        let reg = match self.root(operand).as_var() {
            Some(var) => match self.file.reg(var) {
                Some(reg) => reg,
                None => self.reload(var, class)?,
            },
            None => {
                let reg = self.temp(class)?;
                let index = self.root(operand).as_const().unwrap_or(0);
                single(&mut self.asm, Move { to: Loc::Reg(reg), from: Loc::Const(index) }, &self.consts, 0);
                reg
            }
        };
        self.pins |= 1 << reg;
        Ok(reg)
    }

    fn reload(&mut self, var: Var, class: RegClass) -> Result<Reg> {
        let slot = self.file.slot(var).ok_or_else(|| self.lost(var))?;
        let reg = self.obtain(class, Some(var))?;
        single(&mut self.asm, Move { to: Loc::Reg(reg), from: Loc::Slot(slot) }, &[], 0);
        self.file.set_reg(var, reg);
        Ok(reg)
    }

    /// The operand in whatever form the instruction can take it; pinned if in a register.
    pub fn source(&mut self, operand: Operand, class: RegClass) -> Result<Src> {
        let root = self.root(operand);
        if let Some(index) = root.as_const() {
            let bits = self.consts[index as usize].bits;
            return Ok(match i32::try_from(bits as i64) {
                Ok(imm) if class == RegClass::General => Src::Imm(imm),
                _ => Src::Mem(self.asm.pool(bits)),
            });
        }
        let Some(var) = root.as_var() else {
            return Err(CodegenError::Malformed("an operand is missing".into()));
        };
        if self.file.reg(var).is_none() {
            // Worth a register only if it is used again and one is free.
            let again = self.next_use(var, self.at + 1) != NONE;
            if !(again && self.file.free & class.mask() & !self.pins & !self.temps & !self.hinted != 0) {
                let slot = self.file.slot(var).ok_or_else(|| self.lost(var))?;
                return Ok(Src::Mem(slot_mem(slot)));
            }
        }
        self.in_reg(operand, class).map(Src::Reg)
    }

    /// A register for the result. `from`: the first operand, whose register is taken over if it dies.
    pub fn define(&mut self, class: RegClass, from: Option<Operand>) -> Result<Reg> {
        let var = Var(self.at);
        if let Some(dying) = from.and_then(|operand| self.root(operand).as_var())
            && self.dies(dying)
            && let Some(reg) = self.file.reg(dying)
            && class.mask() & 1 << reg != 0
        {
            self.file.drop_reg(dying);
            self.file.set_reg(var, reg);
            self.pins |= 1 << reg;
            return Ok(reg);
        }
        let reg = self.obtain(class, Some(var))?;
        self.file.set_reg(var, reg);
        self.pins |= 1 << reg;
        Ok(reg)
    }

    /// Lets go of the operand's register if it dies here, so that the result may be put there.
    pub fn release(&mut self, operand: Operand) {
        if let Some(var) = self.root(operand).as_var()
            && self.dies(var)
            && let Some(reg) = self.file.reg(var)
        {
            self.file.drop_reg(var);
            self.pins &= !(1 << reg);
        }
    }

    pub fn lost(&self, var: Var) -> CodegenError {
        CodegenError::Malformed(format!("{var:?} is nowhere at operation {}", self.at))
    }

    /// `[address]` of something outside, with its base in the scratch register.
    pub fn absolute(&mut self, address: u64) -> Mem {
        self.asm.mov_const(super::asm::SCRATCH, address);
        Mem::Base(super::asm::SCRATCH, 0)
    }
}
