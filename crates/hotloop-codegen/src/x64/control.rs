//! The entry, the loop's head and its closing, and the way into other loops.

use hotloop_ir::{Const, Op, Opcode, Operand, Ty, Var};

use super::asm::{Alu, Mem, RAX, RSP, Reg, SCRATCH, Src, Target};
use super::compile::{Compiler, Result};
use super::file::{CALLEE_SAVED, File, Loc, frame_size};
use super::limit::Limit;
use super::moves::{Move, parallel, single};
use super::plan::{NONE, is_mark};
use crate::CodegenError;

/// Where a bridge finds an input.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Entry {
    /// Where the guard left it.
    At(Loc),
    /// It is known.
    Known(u64),
}

/// Other code that is entered or called.
pub struct Entered {
    /// Where `enter` goes, and where `call_entry` does (only into what begins with `guard_stack`).
    pub at: usize,
    pub call_at: Option<usize>,
    /// Where the inputs must be.
    pub locs: Vec<Option<Loc>>,
    /// Spill slots of its frame.
    pub slots: usize,
}

/// The label of a loop.
pub struct EnteredLabel {
    pub at: usize,
    /// For each phi, and for what is kept: all its places.
    pub places: Vec<Vec<Loc>>,
    /// Spill slots of the loop's frame.
    pub slots: usize,
}

/// The state at the loop's head, which must hold again when the loop closes.
pub struct Head {
    /// Offset in the code.
    pub at: u32,
    /// Where the phis (or inputs) are.
    pub phis: Vec<Option<Loc>>,
    /// Which variable each register holds.
    registers: [u32; 32],
    /// The guards that the body begins with and that need nothing but a compare: operation, guard.
    lead: Vec<(u32, u32)>,
    /// Whether the next operation may still be one of these.
    leading: bool,
    /// The poll rides on the last of them.
    limit: Option<Limit>,
    /// Offset behind them.
    body: u32,
    /// Where everything is at the head.
    file: File,
}

/// More of the leading guards are not repeated.
const MOST_LEADING: usize = 3;
/// Loops begin at multiples of this.
const LOOP_ALIGNMENT: usize = 32;

impl Head {
    /// The register that the variable is in at the head.
    pub fn reg_of(&self, var: Var) -> Option<Reg> {
        if var.0 == NONE {
            return None;
        }
        self.registers.iter().position(|held| *held == var.0).map(|reg| reg as Reg)
    }
}

/// Inputs beyond so many wait in slots.
const INPUTS_IN_REGISTERS: u32 = 10;

impl Compiler<'_> {
    /// Says where the inputs are (and, for a bridge, brings them there).
    pub fn place_inputs(&mut self) -> Result<()> {
        let inputs: Vec<Var> = self.trace.inputs().collect();
        self.at = 0;
        match &self.env.bridge {
            None => {
                for var in inputs {
                    self.place_input(var)?;
                }
            }
            Some(entries) => {
                if entries.len() != inputs.len() {
                    let counts = format!("a bridge with {} inputs for {}", inputs.len(), entries.len());
                    return Err(CodegenError::Malformed(counts));
                }
                self.take_over(&inputs, entries)?;
            }
        }
        self.entry = self.asm.bytes.len() as u32;
        self.entry_locs = self.trace.inputs().map(|var| self.file.loc(var)).collect();
        Ok(())
    }

    fn place_input(&mut self, var: Var) -> Result<()> {
        let index = var.0 as usize;
        if self.plan.end[index] == 0 {
            return Ok(());
        }
        let class = self.class_of(var);
        let taken = class.mask().count_ones() - (self.file.free & class.mask()).count_ones();
        let limit =
            if self.plan.first[index] == NONE { INPUTS_IN_REGISTERS / 2 } else { INPUTS_IN_REGISTERS };
        if taken >= limit || self.slot_at_head[index] {
            self.file.take_slot(var).ok_or(CodegenError::TooManySpills)?;
        } else {
            let reg = self.obtain(class, Some(var))?;
            self.file.set_reg(var, reg);
        }
        Ok(())
    }

    /// A bridge begins with its guard's registers and slots. Two inputs may be in one place: then the
    /// later one is copied.
    fn take_over(&mut self, inputs: &[Var], entries: &[Entry]) -> Result<()> {
        let mut later = Vec::new();
        let mut seen: Vec<Loc> = Vec::new();
        for (var, entry) in inputs.iter().zip(entries) {
            if self.plan.end[var.0 as usize] == 0 {
                continue;
            }
            match *entry {
                Entry::At(loc) if !seen.contains(&loc) => {
                    seen.push(loc);
                    match loc {
                        Loc::Reg(reg) => self.file.set_reg(*var, reg),
                        Loc::Slot(slot) => self.file.set_slot(*var, slot),
                        Loc::Const(_) => {}
                    }
                }
                other => later.push((*var, other)),
            }
        }
        for (var, entry) in later {
            let from = match entry {
                Entry::At(loc) => {
                    // Its first owner may have been moved meanwhile.
                    let owner = inputs.iter().zip(entries).find(|(_, known)| **known == entry);
                    owner.and_then(|(owner, _)| self.file.loc(*owner)).unwrap_or(loc)
                }
                Entry::Known(bits) => {
                    self.consts.push(Const { ty: Ty::Int, bits });
                    Loc::Const(self.consts.len() as u32 - 1)
                }
            };
            let class = self.class_of(var);
            let to = if self.file.free & class.mask() == 0 || self.plan.first[var.0 as usize] == NONE {
                Loc::Slot(self.file.take_slot(var).ok_or(CodegenError::TooManySpills)?)
            } else {
                let reg = self.obtain(class, Some(var))?;
                self.file.set_reg(var, reg);
                Loc::Reg(reg)
            };
            single(&mut self.asm, Move { to, from }, &self.consts, 0);
        }
        for var in inputs {
            if self.slot_at_head[var.0 as usize] {
                self.spill(*var)?;
                self.file.drop_reg(*var);
            }
        }
        Ok(())
    }

    /// Gives the phis their first values and places; what lives through the loop goes where it shall stay.
    pub fn place_phis(&mut self, label: u32) -> Result<()> {
        self.pins = 0;
        self.temps = 0;
        let phis = self.plan.phis.clone();
        let first: Vec<Operand> = phis.iter().map(|phi| self.root(self.trace.op(*phi).args[0])).collect();
        for (index, phi) in phis.iter().enumerate() {
            if self.plan.end[phi.0 as usize] == 0 {
                continue;
            }
            let class = self.class_of(*phi);
            if self.slot_at_head[phi.0 as usize] {
                let from = self.loc_of(first[index])?;
                let slot = self.file.take_slot(*phi).ok_or(CodegenError::TooManySpills)?;
                single(&mut self.asm, Move { to: Loc::Slot(slot), from }, &self.consts, 0);
                continue;
            }
            let inherited = first[index].as_var().filter(|var| {
                self.dies(*var) && !first[index + 1..].contains(&first[index]) && self.class_of(*var) == class
            });
            if let Some((var, reg)) = inherited.and_then(|var| Some((var, self.file.reg(var)?))) {
                self.file.drop_reg(var);
                self.file.set_reg(*phi, reg);
            } else {
                let reg = self.obtain(class, Some(*phi))?;
                let from = self.loc_of(first[index])?;
                single(&mut self.asm, Move { to: Loc::Reg(reg), from }, &self.consts, 0);
                self.file.set_reg(*phi, reg);
            }
        }
        self.bury_operands(label);
        for (_, var) in self.file.holders() {
            if self.slot_at_head[var.0 as usize] {
                self.spill(var)?;
                self.file.drop_reg(var);
            }
        }
        self.settle_invariants(label)
    }

    /// What the body uses had better be in registers, and in such that calls keep.
    fn settle_invariants(&mut self, label: u32) -> Result<()> {
        for (reg, var) in self.file.holders() {
            let kept = self.file.free & CALLEE_SAVED;
            if reg < 16 && CALLEE_SAVED & 1 << reg == 0 && kept != 0 && self.crosses_call(var) {
                let other = kept.trailing_zeros() as Reg;
                self.asm.mov(other, reg);
                self.file.drop_reg(var);
                self.file.set_reg(var, other);
            }
        }
        for index in 0..label {
            let var = Var(index);
            if !self.plan.invariant[index as usize]
                || self.slot_at_head[index as usize]
                || self.file.reg(var).is_some()
            {
                continue;
            }
            let class = self.class_of(var);
            if let Some(slot) = self.file.slot(var)
                && (self.file.free & class.mask()).count_ones() > 4
            {
                let reg = self.obtain(class, Some(var))?;
                single(&mut self.asm, Move { to: Loc::Reg(reg), from: Loc::Slot(slot) }, &[], 0);
                self.file.set_reg(var, reg);
            }
        }
        Ok(())
    }

    /// The loop's head is here.
    pub fn begin_loop(&mut self) {
        let mut registers = [NONE; 32];
        self.hinted = 0;
        for (reg, var) in self.file.holders() {
            registers[reg as usize] = var.0;
            if self.plan.phis.contains(&var) {
                self.hinted |= 1 << reg;
            }
        }
        let phis = self.plan.phis.iter().map(|phi| self.file.loc(*phi)).collect();
        self.asm.pad_to(LOOP_ALIGNMENT);
        let at = self.asm.bytes.len() as u32;
        let leading = self.env.force.is_none() && self.env.force_every.is_none();
        let file = self.file.clone();
        self.head =
            Some(Head { at, phis, registers, lead: Vec::new(), leading, limit: None, body: at, file });
    }

    /// Takes note of the operation just emitted, if it belongs to the body's leading guards.
    pub fn note_leading(&mut self) -> Result<()> {
        let (at, version) = (self.at, self.file.version);
        let Some(lead) = self.is_lead(at) else { return Ok(()) };
        let Some(head) = self.head.as_mut().filter(|head| head.leading) else { return Ok(()) };
        if !lead || version != head.file.version {
            head.leading = false;
            return Ok(());
        }
        head.lead.push((at, self.guards.len() as u32 - 1));
        let full = head.lead.len() == MOST_LEADING;
        let mut next = at + 1;
        let more = loop {
            match self.is_lead(next) {
                Some(more) => break more,
                None => next += 1,
            }
        };
        if full || !more {
            let lead = self.head.as_ref().map(|head| head.lead.clone()).unwrap_or_default();
            let limit = self.find_limit(&lead)?;
            if let Some(limit) = &limit {
                self.set_limit(limit, lead[0].1)?;
            }
            if let Some(head) = &mut self.head {
                head.limit = limit;
            }
            self.asm.pad_to(LOOP_ALIGNMENT);
        }
        let body = self.asm.bytes.len() as u32;
        if let Some(head) = &mut self.head {
            head.body = body;
            head.leading = !full && more;
        }
        Ok(())
    }

    /// Whether the operation is a guard that takes a compare and nothing else; nothing if it emits no code.
    fn is_lead(&self, at: u32) -> Option<bool> {
        let op = &self.trace.ops[at as usize];
        let silent = matches!(op.code, Opcode::Label | Opcode::Phi | Opcode::RefToInt | Opcode::IntToRef);
        if is_mark(op.code) || silent || self.plan.fused[at as usize] {
            return None;
        }
        Some(match op.code {
            Opcode::GuardNoInterrupt => true,
            Opcode::GuardTrue | Opcode::GuardFalse => {
                let tested = self.plan.root_of(op.args[0]).as_var();
                tested.is_some_and(|Var(var)| self.plan.fused[var as usize])
            }
            _ => false,
        })
    }

    /// Closes the loop with a copy of the body's leading guards, so that the last of them is the jump back
    /// (loop inversion). The state is that of the head, so the guards' records hold here, too.
    fn jump_back(&mut self, head: Head) -> Result<()> {
        let Some((last, guard)) = head.lead.last().copied() else {
            self.asm.jump(Target::Here(head.at));
            return Ok(());
        };
        self.file = head.file;
        if let Some(limit) = head.limit {
            self.compare_with_limit(&limit, Target::Here(head.body))?;
            self.asm.jump(Target::Stub(guard));
            return Ok(());
        }
        for (at, guard) in head.lead {
            (self.at, self.pins, self.temps) = (at, 0, 0);
            self.repeated = Some(guard);
            let trace = self.trace;
            self.guard(&trace.ops[at as usize], None, None)?;
            self.bury_operands(at);
        }
        let body = Target::Here(head.body);
        let tested = self.root(self.trace.ops[last as usize].args[0]).as_var();
        if tested.is_some_and(|var| self.trace.op(var).code == Opcode::FloatEq) {
            self.asm.jump(body);
        } else {
            self.asm.invert_last_jump(body);
            self.asm.jump(Target::Stub(guard));
        }
        Ok(())
    }

    pub fn close_loop(&mut self, op: &Op) -> Result<()> {
        let Some(head) = self.head.take() else {
            return Err(CodegenError::Malformed("loop without a head".into()));
        };
        if self.trace.label().is_some() {
            let kept = self.trace.kept();
            let phis = self.plan.phis.iter().map(|phi| Some(*phi));
            let vars = phis.chain(kept.iter().map(|kept| self.root(*kept).as_var()));
            let places = vars.map(|var| {
                let Some(var) = var else { return Vec::new() };
                let places = [head.file.reg(var).map(Loc::Reg), head.file.slot(var).map(Loc::Slot)];
                places.into_iter().flatten().collect()
            });
            self.label = Some((head.at, places.collect()));
        }
        let mut moves = Vec::new();
        for (to, operand) in head.phis.iter().zip(self.trace.list(op.list)) {
            if let Some(to) = *to {
                moves.push(Move { to, from: self.loc_of(*operand)? });
            }
        }
        for (reg, var) in head.registers.iter().enumerate() {
            let var = Var(*var);
            if var.0 != NONE && !self.plan.phis.contains(&var) {
                moves.push(Move { to: Loc::Reg(reg as Reg), from: self.loc_of(Operand::var(var))? });
            }
        }
        parallel(&mut self.asm, moves, &self.consts, 0);
        self.jump_back(head)
    }

    pub fn enter(&mut self, op: &Op) -> Result<()> {
        let Some(entered) = (self.env.enter)(op.descr) else {
            return Err(CodegenError::Malformed("enter of nothing".into()));
        };
        let mut moves = Vec::new();
        for (to, operand) in entered.locs.iter().zip(self.trace.list(op.list)) {
            if let Some(to) = *to {
                moves.push(Move { to, from: self.loc_of(*operand)? });
            }
        }
        self.go_on_in(entered.at, entered.slots, moves);
        Ok(())
    }

    /// Jumps to the label of the loop that the bridge came from.
    pub fn enter_label(&mut self, op: &Op) -> Result<()> {
        let Some(label) = (self.env.enter_label)(op.descr) else {
            return Err(CodegenError::Malformed("enter_label of nothing".into()));
        };
        let mut moves: Vec<Move> = Vec::new();
        for (places, operand) in label.places.iter().zip(self.trace.list(op.list)) {
            for to in places {
                // Two names of one word may be kept.
                if moves.iter().all(|known| known.to != *to) {
                    moves.push(Move { to: *to, from: self.loc_of(*operand)? });
                }
            }
        }
        self.go_on_in(label.at, label.slots, moves);
        Ok(())
    }

    /// Jumps to other code, whose frame has so many spill slots; the moves are from this one's to that one's.
    fn go_on_in(&mut self, at: usize, other: usize, mut moves: Vec<Move>) {
        // The return address stays where it is, so a frame grows and shrinks at its low end: slots are
        // counted from there, in the larger one of the two.
        let own = self.env.slots;
        let counted = |loc: Loc, slots: usize| match loc {
            Loc::Slot(slot) => Loc::Slot(slot + (own.max(other) - slots) as u16),
            loc => loc,
        };
        if other > own {
            self.asm.alu(Alu::Sub, RSP, Src::Imm(frame_size(other) - frame_size(own)));
        }
        for step in &mut moves {
            *step = Move { to: counted(step.to, other), from: counted(step.from, own) };
        }
        parallel(&mut self.asm, moves, &self.consts, 0);
        if other < own {
            self.asm.alu(Alu::Add, RSP, Src::Imm(frame_size(own) - frame_size(other)));
        }
        self.asm.jump(Target::Region(at as u32));
    }

    /// The way in from `run`: loads the inputs from the array at the scratch register.
    pub fn emit_run_entry(&mut self) {
        let locs = self.entry_locs.clone();
        self.asm.alu(Alu::Sub, RSP, Src::Imm(self.frame_size()));
        // Touches the frame's lowest page, so that no guard page is jumped over.
        self.asm.store(Mem::Base(RSP, 0), RAX);
        let word = |index: usize| Mem::Base(SCRATCH, index as i32 * 8);
        for (index, loc) in locs.iter().enumerate() {
            if let Some(Loc::Slot(slot)) = loc {
                self.asm.load(RAX, word(index));
                self.asm.store(super::file::slot_mem(*slot), RAX);
            }
        }
        for (index, loc) in locs.iter().enumerate() {
            match loc {
                Some(Loc::Reg(reg @ 0..16)) => self.asm.mov_src(*reg, Src::Mem(word(index))),
                Some(Loc::Reg(reg)) => self.asm.float_load(*reg, word(index)),
                _ => {}
            }
        }
        self.asm.jump(Target::Here(self.entry));
    }
}
