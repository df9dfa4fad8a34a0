//! Residual calls: run with no recorder current, then recorded with their effects.

use hotloop_ir::{CallId, Effect, EventKind, Op, Opcode, Operand, Ty};

use crate::recorder::{Fed, Recorder, check};
use crate::{Red, current, enter};

/// Calls a residual function: its result, and whether it raised.
pub fn call(id: CallId, args: &[Red], run: impl FnOnce() -> (u64, u64)) -> (Red, Red) {
    if let Some(fed) = current().begin_call(id, args) {
        return fed;
    }
    let (value, raised) = if let Some(answer) = current().executed() {
        answer
    } else {
        // SAFETY: no recorder at all is always valid.
        let _none = unsafe { enter(std::ptr::null_mut()) };
        run()
    };
    current().end_call(id, args, value, raised)
}

impl Recorder {
    fn begin_call(&mut self, id: CallId, args: &[Red]) -> Option<(Red, Red)> {
        self.operations += 1;
        let Some(Fed::Result(result, raised)) = self.count_event(Opcode::Call, id.0, args) else {
            return None;
        };
        if self.is_recording() {
            let descr = id.get();
            let kind =
                if descr.effect >= Effect::Writes { EventKind::CallWrites } else { EventKind::CallReads };
            let value = descr.result.map_or(Operand::NONE, |ty| self.operand(result, ty));
            let flag = if descr.raises { self.operand(raised, Ty::Int) } else { Operand::NONE };
            self.note_event(kind, Operand::NONE, value, flag, check(Opcode::Call, id.0));
            if descr.effect >= Effect::Writes {
                self.stable_may_change();
            }
            if descr.effect == Effect::Any {
                // The frame was written back before that call: an ordinary object for this instruction.
                self.flush();
            }
        }
        Some((result, raised))
    }

    fn end_call(&mut self, id: CallId, args: &[Red], value: u64, raised: u64) -> (Red, Red) {
        self.keep_answer(value, raised);
        if !self.is_recording() {
            return (Red::constant(value), Red::constant(raised));
        }
        let descr = id.get();
        let code = check(Opcode::Call, id.0);
        if descr.effect == Effect::Elidable && args.iter().all(|arg| self.is_constant(*arg)) {
            let result = descr.result.map_or(Operand::NONE, |ty| self.constant(ty, value));
            let flag = if descr.raises { self.constant(Ty::Int, raised) } else { Operand::NONE };
            self.note_event(EventKind::CallReads, Operand::NONE, result, flag, code);
            return (Red::constant(value), Red::constant(raised));
        }
        let operands: Vec<Operand> =
            args.iter().map(|arg| self.operand(*arg, self.type_of(*arg).unwrap_or(Ty::Int))).collect();
        for var in operands.iter().filter_map(|operand| operand.as_var()) {
            self.heap.escape(var);
        }
        let mut op = Op::new(Opcode::Call, &[]).with_descr(id.0);
        op.list = self.trace.push_list(operands);
        op.resume = self.trace.events.len() as u32;
        let var: Operand = self.push(op).into();
        let result = if descr.result.is_some() { var } else { Operand::NONE };
        let flag =
            if descr.raises { self.push(Op::new(Opcode::CallRaised, &[var])).into() } else { Operand::NONE };
        let writes = descr.effect >= Effect::Writes;
        if writes {
            self.heap.clobber(descr.effect == Effect::Any);
        }
        let kind = if writes { EventKind::CallWrites } else { EventKind::CallReads };
        self.note_event(kind, Operand::NONE, result, flag, code);
        let result =
            if result.is_none() { Red::constant(value) } else { Red { bits: value, operand: result } };
        let flag = if flag.is_none() { Red::constant(raised) } else { Red { bits: raised, operand: flag } };
        if writes {
            self.stable_may_change();
        }
        (result, flag)
    }

    fn type_of(&self, red: Red) -> Option<Ty> {
        if red.operand.is_none() { None } else { self.trace.operand_type(red.operand) }
    }
}
