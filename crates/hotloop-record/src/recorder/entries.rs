//! Calls of compiled entries, as the calling trace records them, and the return of the called one.
//!
//! ```text
//! v8 = call_entry [frame, red state…]        the frame's slots go along; frames of the caller stay behind
//! v9 = call_result v8 …                      what the callee hands over
//! instr UNWOUND [callers' frames]; guard_returned v8
//! instr RETURNED [v8, red state…]; guard_value v8, position
//! setfield frame …                           the frame as it is when its last instruction begins
//! instr … [red state]                        that instruction, which returns
//! ```

use hotloop_ir::{Desc, EntryCall, Instr, Op, Opcode, Operand, Resume, Trace, Ty, TypeRef, Var};

use super::{Recorder, place_of};
use crate::Red;
use crate::heap_cache::PlaceKey;

/// Positions of guards behind a call of an entry, which are none of the interpreter.
#[derive(Clone, Copy, Debug)]
pub struct EntryPositions {
    /// The callee left through an exit.
    pub unwound: u32,
    /// It returned at another position.
    pub elsewhere: u32,
}

impl Recorder {
    /// The instruction that was executed last is taken back: the trace ends before it.
    pub fn rewind_instruction(&mut self) {
        let Some(at) = self.trace.ops.iter().rposition(|op| op.code == Opcode::Instr) else { return };
        self.trace.ops.truncate(at + 1);
        self.known.truncate(at + 1);
        let instr = self.trace.ops[at].descr as usize;
        let first = self.trace.instrs[instr].first_event as usize;
        self.trace.events.truncate(first);
        self.owes_validity = false;
    }

    /// The number of the position of the last instruction.
    pub fn instruction_position(&self) -> u32 {
        self.trace.instrs.last().map_or(0, |instr| instr.position)
    }

    /// The address of the trace's own frame.
    pub fn own_frame(&self) -> Option<u64> {
        self.root.map(|root| root.bits)
    }

    /// What a word of the red state is as the last instruction begins.
    pub fn state_operand(&self, word: usize) -> Option<Operand> {
        self.trace.instrs.last()?.state.get(word).copied()
    }

    /// Records the call of an entry with this frame, and that it returned with these results (words and their
    /// types) at the position with this number. `callers` are the caller's frames that `call` mentions.
    #[allow(clippy::too_many_arguments)] // the parts of one operation
    pub fn call_entry(
        &mut self,
        call: EntryCall,
        frame: Red,
        state: &[(Red, Ty)],
        callers: &[Red],
        results: &[(u64, Ty)],
        returned: u32,
        positions: EntryPositions,
    ) -> Vec<Red> {
        if !self.recording {
            return results.iter().map(|(bits, _)| Red::constant(*bits)).collect();
        }
        let mut list = vec![self.operand(frame, Ty::Ref)];
        for (red, ty) in state {
            let operand = self.operand(*red, *ty);
            list.push(operand);
        }
        let callers: Vec<Operand> = callers.iter().map(|red| self.operand(*red, Ty::Ref)).collect();
        let kept: Vec<Operand> = callers.iter().chain(&list[..1]).copied().collect();
        self.heap.hand_over(&list, &kept);
        self.trace.calls.push(call);
        let mut op = Op::new(Opcode::CallEntry, &[]).with_descr(self.trace.calls.len() as u32 - 1);
        op.list = self.trace.push_list(list.iter().copied());
        let status: Operand = self.push(op).into();
        let reds = self.entry_results(Red { bits: returned.into(), operand: status }, results);
        self.heap.clobber(false);
        self.validated = false;
        self.mark(positions.unwound, callers.clone());
        self.emit_guard(Op::new(Opcode::GuardReturned, &[status]));
        self.mark(positions.elsewhere, [&[status], &list[1..]].concat());
        let expected = self.constant(Ty::Int, returned as u64);
        self.emit_guard(Op::new(Opcode::GuardValue, &[status, expected]));
        reds
    }

    /// Records that these words and types are taken over from an entry that returned at the position with the
    /// number `status`.
    pub fn entry_results(&mut self, status: Red, results: &[(u64, Ty)]) -> Vec<Red> {
        let status = self.operand(status, Ty::Int);
        let one = |(number, (bits, ty)): (usize, &(u64, Ty))| {
            let descr = number as u32 * 4 + ty.number();
            let operand = self.push(Op::new(Opcode::CallResult, &[status]).with_descr(descr)).into();
            Red { bits: *bits, operand }
        };
        results.iter().enumerate().map(one).collect()
    }

    /// Guards that the call returned at this position; `state` is that of [`EntryPositions::elsewhere`].
    pub fn guard_position(&mut self, position: u32, state: &[(Red, Ty)], status: Red) {
        if !self.recording {
            return;
        }
        let operands = state.iter().map(|(red, ty)| self.operand(*red, *ty)).collect();
        self.mark(position, operands);
        let (operand, expected) = (self.operand(status, Ty::Int), self.constant(Ty::Int, status.bits));
        self.emit_guard(Op::new(Opcode::GuardValue, &[operand, expected]));
    }

    /// The resume data of a guard as that of a guard at the start of this trace, a bridge from there; its
    /// position under a number of its own.
    pub fn start_as(&mut self, resume: &Resume, parent: &Trace, position: u32) {
        let live = resume.live();
        let mut start = resume.clone();
        start.position = position;
        start.facts.clear();
        start.map(&mut |operand| {
            let input = operand.as_var().and_then(|var| live.iter().position(|known| *known == var));
            Desc::Operand(match (input, parent.const_of(operand)) {
                (Some(index), _) => Operand::var(Var(index as u32)),
                (None, Some(constant)) => self.constant(constant.ty, constant.bits),
                _ => operand,
            })
        });
        self.trace.start = Some(Box::new(start));
    }

    /// An operand for a constant.
    pub fn constant_operand(&mut self, ty: Ty, bits: u64) -> Operand {
        self.constant(ty, bits)
    }

    fn mark(&mut self, position: u32, state: Vec<Operand>) {
        self.event = 0;
        self.trace.instrs.push(Instr { position, state, first_event: self.trace.events.len() as u32 });
        let index = self.trace.instrs.len() as u32 - 1;
        self.push(Op::new(Opcode::Instr, &[]).with_descr(index));
    }

    /// Records that a slot of the object holds this (it is in memory already).
    pub fn record_store(&mut self, object: Red, ty: TypeRef, slot: usize, value: Red) {
        if !self.is_recording() {
            return;
        }
        let descr = ty.get();
        let kind = descr.slot(slot).1;
        let owner = self.operand(object, Ty::Ref);
        let stored = self.operand(value, kind.ty());
        let place = place_of(descr, ty, slot);
        let op = match place {
            PlaceKey::Field(field) => Op::new(Opcode::SetField, &[owner, stored]).with_descr(field),
            PlaceKey::Item(ty, index) => {
                let index = self.constant(Ty::Int, index as u64);
                Op::new(Opcode::SetItem, &[owner, index, stored]).with_descr(ty)
            }
        };
        self.push(op);
        self.heap.written(owner, place, Red { bits: value.bits, operand: stored });
    }
}
