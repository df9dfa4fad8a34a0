//! Residual calls: run with no recorder current, then recorded with their effects.

use hotloop_ir::{CallId, Effect, EventKind, Op, Opcode, Operand, Ty};

use crate::looks::Looks;
use crate::recorder::{Fed, Recorder, check};
use crate::{Red, current, enter};

/// Runs native code with no recorder current.
pub fn outside<T>(run: impl FnOnce() -> T) -> T {
    // SAFETY: no recorder at all is always valid.
    let _none = unsafe { enter(std::ptr::null_mut()) };
    run()
}

/// Calls a residual function: its result, and whether it raised.
pub fn call(id: CallId, args: &[Red], run: impl FnOnce() -> (u64, u64)) -> (Red, Red) {
    if let Some(fed) = current().begin_call(Opcode::Call, id, args) {
        return fed;
    }
    let (outcome, looks) = match current().executed() {
        Some(outcome) => (outcome, Looks::unknown()),
        None if current().is_recording() && id.get().effect == Effect::Any => Looks::during(|| outside(run)),
        None => (outside(run), Looks::unknown()),
    };
    current().end_call(Opcode::Call, id, args, outcome, &looks)
}

/// Calls a residual function if the condition is not 0 (`CallIf`; no result), or unless it is, when the
/// condition is the result (`CallUnless`). It never raises.
pub fn conditional_call(
    code: Opcode,
    id: CallId,
    condition: Red,
    args: &[Red],
    run: impl FnOnce() -> (u64, u64),
) -> Red {
    let all: Vec<Red> = std::iter::once(condition).chain(args.iter().copied()).collect();
    if let Some((fed, _)) = current().begin_call(code, id, &all) {
        return fed;
    }
    let called = (condition.bits != 0) == (code == Opcode::CallIf);
    let value = match current().executed() {
        Some((value, _)) => value,
        None if called => outside(run).0,
        None => condition.bits,
    };
    current().end_conditional_call(code, id, &all, called, value)
}

fn kind_of(effect: Effect) -> EventKind {
    if effect >= Effect::Outside { EventKind::CallWrites } else { EventKind::CallReads }
}

impl Recorder {
    fn begin_call(&mut self, code: Opcode, id: CallId, args: &[Red]) -> Option<(Red, Red)> {
        self.operations += 1;
        let Some(Fed::Result(result, raised)) = self.count_event(code, id.0, args) else {
            return None;
        };
        if self.is_recording() {
            let descr = id.get();
            let answers = descr.result.filter(|_| code != Opcode::CallIf);
            let value = answers.map_or(Operand::NONE, |ty| self.operand(result, ty));
            let flag = if descr.raises { self.operand(raised, Ty::Int) } else { Operand::NONE };
            self.note_event(kind_of(descr.effect), Operand::NONE, value, flag, check(code, id.0));
            if descr.effect >= Effect::Writes {
                self.stable_may_change();
            }
        }
        Some((result, raised))
    }

    fn end_call(
        &mut self,
        asked: Opcode,
        id: CallId,
        args: &[Red],
        (value, raised): (u64, u64),
        looks: &Looks,
    ) -> (Red, Red) {
        self.keep_answer(value, raised);
        if !self.is_recording() {
            return (Red::constant(value), Red::constant(raised));
        }
        let descr = id.get();
        let code = check(asked, id.0);
        if descr.effect == Effect::Elidable && args.iter().all(|arg| self.is_constant(*arg)) {
            let result = descr.result.map_or(Operand::NONE, |ty| self.constant(ty, value));
            let flag = if descr.raises { self.constant(Ty::Int, raised) } else { Operand::NONE };
            self.note_event(EventKind::CallReads, Operand::NONE, result, flag, code);
            return (Red::constant(value), Red::constant(raised));
        }
        let guarded = descr.effect == Effect::Any && self.lets_frames_be(looks);
        if guarded {
            // Guards that are owed come before the call: its own is just behind it.
            self.settle_validity();
        }
        let var = self.emit_call(Opcode::Call, id, args, guarded);
        let result = if descr.result.is_some() { var } else { Operand::NONE };
        let flag =
            if descr.raises { self.push(Op::new(Opcode::CallRaised, &[var])).into() } else { Operand::NONE };
        self.called(descr.effect, result, flag, code, guarded);
        let result =
            if result.is_none() { Red::constant(value) } else { Red { bits: value, operand: result } };
        let flag = if flag.is_none() { Red::constant(raised) } else { Red { bits: raised, operand: flag } };
        (result, flag)
    }

    fn end_conditional_call(
        &mut self,
        code: Opcode,
        id: CallId,
        all: &[Red],
        called: bool,
        value: u64,
    ) -> Red {
        let condition = all[0];
        if self.is_recording() && self.is_constant(condition) && called {
            // Nothing is left of the condition.
            return self.end_call(code, id, &all[1..], (value, 0), &Looks::unknown()).0;
        }
        self.keep_answer(value, 0);
        if !self.is_recording() {
            return Red::constant(value);
        }
        let descr = id.get();
        let answers = descr.result.filter(|_| code == Opcode::CallUnless);
        if self.is_constant(condition) {
            let result = answers.map_or(Operand::NONE, |ty| self.operand(condition, ty));
            self.note_event(EventKind::CallReads, Operand::NONE, result, Operand::NONE, check(code, id.0));
            return condition;
        }
        let var = self.emit_call(code, id, all, false);
        let result = if answers.is_some() { var } else { Operand::NONE };
        self.called(descr.effect, result, Operand::NONE, check(code, id.0), false);
        if result.is_none() { Red::constant(value) } else { Red { bits: value, operand: result } }
    }

    /// Appends a call; what it is given is known to others from there on, but for frames if the call is guarded.
    fn emit_call(&mut self, code: Opcode, id: CallId, args: &[Red], guarded: bool) -> Operand {
        let operands = self.call_operands(id, args);
        for operand in &operands {
            if let Some(var) = operand.as_var()
                && !(guarded && self.is_own_frame(*operand))
            {
                self.heap.escape(var);
            }
        }
        let mut op = Op::new(code, &[]).with_descr(id.0);
        op.list = self.trace.push_list(operands);
        op.resume = self.trace.events.len() as u32;
        self.push(op).into()
    }

    /// What a call may have changed, and its event. `guarded`: nothing of frames, or the trace is left here.
    fn called(&mut self, effect: Effect, result: Operand, flag: Operand, code: u32, guarded: bool) {
        let writes = effect >= Effect::Writes;
        if writes {
            self.heap.clobber(effect == Effect::Any && !guarded);
        }
        self.note_event(kind_of(effect), Operand::NONE, result, flag, code);
        if guarded {
            self.bare_guard(Opcode::GuardNotForced);
        }
        if writes {
            self.stable_may_change();
        }
    }
}
