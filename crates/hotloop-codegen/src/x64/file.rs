//! Where each value is while code is emitted: registers, spill slots.
//!
//! A value may be in a register, in a slot, or in both: traces are SSA, so a slot that was written once
//! stays right for as long as the value lives.

use hotloop_ir::Var;

use super::asm::{CONTEXT, Mem, RSP, Reg, SCRATCH, VECTOR_SCRATCH};
use super::plan::NONE;

/// No register.
pub const NO_REG: Reg = 255;
/// No slot.
pub const NO_SLOT: u16 = u16::MAX;
/// Spill slots of the largest frame.
pub const SLOTS: usize = FRAMES[FRAMES.len() - 1];
/// How many spill slots frames have. Code has the smallest that does: traces call each other, a hundred thousand
/// deep if need be.
pub const FRAMES: [usize; 3] = [32, 128, crate::context::MOST_ARGS];

/// Bytes of a frame below its return address.
pub const fn frame_size(slots: usize) -> i32 {
    slots as i32 * 8 + 8
}

/// The general registers that are allocated.
pub const GENERAL: u32 = 0xffff & !(1 << RSP | 1 << CONTEXT | 1 << SCRATCH);
/// The vector registers that are allocated.
pub const VECTOR: u32 = 0xffff_0000 & !(1 << VECTOR_SCRATCH);
/// Those that a called function keeps: rbx, rbp, r12-r14 (and r15, which is taken).
pub const CALLEE_SAVED: u32 = 1 << 3 | 1 << 5 | 1 << 12 | 1 << 13 | 1 << 14;

/// A place where a guard's values, a trace's inputs or a loop's phis are.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Loc {
    /// A register: 0-15 general, 16-31 vector.
    Reg(Reg),
    /// A spill slot.
    Slot(u16),
    /// A constant of the code (never a destination).
    Const(u32),
}

/// The slot's place in the frame.
pub fn slot_mem(slot: u16) -> Mem {
    Mem::Base(RSP, slot as i32 * 8)
}

/// The state at one point of the code.
#[derive(Clone)]
pub struct File {
    reg: Vec<Reg>,
    slot: Vec<u16>,
    /// The variable in each register.
    holder: [u32; 32],
    /// Registers that hold nothing.
    pub free: u32,
    free_slots: [u64; SLOTS / 64],
    /// Each variable's next real use, as far as known: an index into the plan's nodes.
    pub cursor: Vec<u32>,
    /// Changes whenever a value comes to a place.
    pub version: u32,
}

impl File {
    /// Nothing is anywhere yet.
    pub fn new(first: &[u32], slots: usize) -> File {
        let mut free_slots = [0; SLOTS / 64];
        (0..slots).for_each(|slot| free_slots[slot / 64] |= 1 << (slot % 64));
        File {
            reg: vec![NO_REG; first.len()],
            slot: vec![NO_SLOT; first.len()],
            holder: [NONE; 32],
            free: GENERAL | VECTOR,
            free_slots,
            cursor: first.to_vec(),
            version: 0,
        }
    }

    #[inline]
    pub fn reg(&self, var: Var) -> Option<Reg> {
        Some(self.reg[var.0 as usize]).filter(|reg| *reg != NO_REG)
    }

    #[inline]
    pub fn slot(&self, var: Var) -> Option<u16> {
        Some(self.slot[var.0 as usize]).filter(|slot| *slot != NO_SLOT)
    }

    /// Where the value is; a register rather than a slot.
    pub fn loc(&self, var: Var) -> Option<Loc> {
        self.reg(var).map(Loc::Reg).or(self.slot(var).map(Loc::Slot))
    }

    pub fn holder(&self, reg: Reg) -> Option<Var> {
        Some(self.holder[reg as usize]).filter(|var| *var != NONE).map(Var)
    }

    /// The value is in this register now, which was free.
    pub fn set_reg(&mut self, var: Var, reg: Reg) {
        debug_assert!(self.free & 1 << reg != 0, "register {reg} is taken");
        self.holder[reg as usize] = var.0;
        self.reg[var.0 as usize] = reg;
        self.free &= !(1 << reg);
        self.version += 1;
    }

    /// The value is in no register any more.
    pub fn drop_reg(&mut self, var: Var) {
        if let Some(reg) = self.reg(var) {
            self.holder[reg as usize] = NONE;
            self.reg[var.0 as usize] = NO_REG;
            self.free |= 1 << reg;
        }
    }

    /// A slot for the value.
    pub fn take_slot(&mut self, var: Var) -> Option<u16> {
        let word = self.free_slots.iter().position(|word| *word != 0)?;
        let slot = word as u16 * 64 + self.free_slots[word].trailing_zeros() as u16;
        self.set_slot(var, slot);
        Some(slot)
    }

    /// The value is in this slot.
    pub fn set_slot(&mut self, var: Var, slot: u16) {
        self.free_slots[slot as usize / 64] &= !(1 << (slot % 64));
        self.slot[var.0 as usize] = slot;
        self.version += 1;
    }

    /// Gives a slot back.
    pub fn release_slot(&mut self, slot: u16) {
        self.free_slots[slot as usize / 64] |= 1 << (slot % 64);
    }

    /// The value is dead.
    pub fn forget(&mut self, var: Var) {
        self.drop_reg(var);
        if let Some(slot) = self.slot(var) {
            self.release_slot(slot);
            self.slot[var.0 as usize] = NO_SLOT;
        }
    }

    /// A copy of what is in registers.
    pub fn holders(&self) -> impl Iterator<Item = (Reg, Var)> + use<> {
        let holder = self.holder;
        (0..32u8)
            .filter(move |reg| holder[*reg as usize] != NONE)
            .map(move |reg| (reg, Var(holder[reg as usize])))
    }
}
