//! The poll that costs nothing: it rides on the loop's own condition (see [`crate::Poll`]).
//!
//! For loops that begin with the poll and a comparison of something with an invariant, and that call and
//! allocate nothing (whoever is called may run another loop, which would set its own limit).
//!
//! ```text
//! before   body: …; cmp [poll], 0; jne stub; cmp k, n; jl body; jmp stub
//! after    mov [limit], n; fence; cmp [poll], 0; jne stub; body: …; cmp k, [limit]; jl body; jmp stub
//! ```
//!
//! The fence keeps the load of the flag behind the store of the limit, so an interrupt is seen by one or by
//! the other. Where the system can see to that, there is none (see [`crate::barrier`]).

use std::mem::offset_of;

use hotloop_ir::{Opcode, Operand};

use super::asm::{Alu, CONTEXT, Mem, Reg, SCRATCH, Src, Target, cond};
use super::compile::{Compiler, Result};
use super::file::Loc;
use crate::{Context, Poll};

/// A loop's condition with which the poll rides.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// The register of what changes.
    reg: Reg,
    /// The bound.
    bound: Operand,
    /// The loop goes on if (reg, bound) compare so.
    goes_on: u8,
    /// Offset of the limit in the context.
    place: i32,
}

impl Compiler<'_> {
    /// The limit of a loop that begins with these guards, if it can have one.
    pub fn find_limit(&self, lead: &[(u32, u32)]) -> Result<Option<Limit>> {
        let (Some(label), [(poll, _), (test, _)]) = (self.trace.label(), lead) else { return Ok(None) };
        let body = &self.trace.ops[label..];
        let calls = body.iter().any(|op| op.code.may_collect());
        let (poll, test) = (&self.trace.ops[*poll as usize], &self.trace.ops[*test as usize]);
        if calls || poll.code != Opcode::GuardNoInterrupt || test.code == Opcode::GuardNoInterrupt {
            return Ok(None);
        }
        let Some(compare) = self.root(test.args[0]).as_var() else { return Ok(None) };
        let compare = self.trace.op(compare);
        let less = match compare.code {
            Opcode::IntLt => cond::LESS,
            Opcode::IntLe => cond::LESS_EQUAL,
            _ => return Ok(None),
        };
        let (a, b) = (self.root(compare.args[0]), self.root(compare.args[1]));
        let invariant = |operand: Operand| operand.as_var().is_none_or(|var| (var.0 as usize) < label);
        // In terms of what changes, on the left.
        let (changing, bound, holds) = match (invariant(a), invariant(b)) {
            (false, true) => (a, b, less),
            (true, false) if less == cond::LESS => (b, a, cond::GREATER),
            (true, false) => (b, a, cond::GREATER_EQUAL),
            _ => return Ok(None),
        };
        let goes_on = if test.code == Opcode::GuardTrue { holds } else { holds ^ 1 };
        let Loc::Reg(reg) = self.loc_of(changing)? else { return Ok(None) };
        let upper = matches!(goes_on, cond::LESS | cond::LESS_EQUAL);
        let place = if upper { offset_of!(Poll, low) } else { offset_of!(Poll, high) };
        let place = (offset_of!(Context, poll) + place) as i32;
        Ok(Some(Limit { reg, bound, goes_on, place }))
    }

    /// Sets the limit, once per entry of the loop; `poll` is the guard that leaves if the flag is set.
    pub fn set_limit(&mut self, limit: &Limit, poll: u32) -> Result<()> {
        let place = Mem::Base(CONTEXT, limit.place);
        match self.loc_of(limit.bound)? {
            Loc::Reg(reg) => self.asm.store(place, reg),
            Loc::Slot(slot) => {
                self.asm.load(SCRATCH, super::file::slot_mem(slot));
                self.asm.store(place, SCRATCH);
            }
            Loc::Const(_) => {
                let bits = self.constant(limit.bound).unwrap_or(0);
                self.asm.mov_const(SCRATCH, bits);
                self.asm.store(place, SCRATCH);
            }
        }
        if self.env.fence {
            self.asm.fence();
        }
        self.asm.cmp_half_imm(Mem::Base(CONTEXT, offset_of!(Context, poll) as i32), 0);
        self.asm.jump_if(cond::NOT_EQUAL, Target::Stub(poll));
        Ok(())
    }

    /// The jump back.
    pub fn compare_with_limit(&mut self, limit: &Limit, body: Target) -> Result<()> {
        self.asm.alu(Alu::Cmp, limit.reg, Src::Mem(Mem::Base(CONTEXT, limit.place)));
        self.asm.jump_if(limit.goes_on, body);
        Ok(())
    }
}
