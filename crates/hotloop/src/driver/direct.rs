//! The dispatch loop in Direct mode. It is the whole cost of running without compiled code: a counter and the
//! poll flag at each back edge and call, and whether a recording waits for a frame at each return.

use std::sync::atomic::Ordering;

use super::tables::HeadKind;
use super::{Next, Vm};
use crate::interpreter::{Interpreter, RedState, Step};
use crate::mode::Direct;

/// Why the dispatch loop paused.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pause<P> {
    /// At a back edge to this position: the counter has run out or the poll flag is set.
    Loop(P),
    /// At a function's entry, likewise.
    Call(P),
    /// The watched frame is current again; an exception may be pending there.
    Watched(P, bool),
    /// The program has ended.
    Done,
}

impl<I: Interpreter> Vm<'_, I> {
    /// Everything between the program's start and its end.
    pub(super) fn drive(&self, next: Next<I::Pc>, state: I::State<Direct>) -> I::State<Direct> {
        let before = (self.watch.replace(0), self.behind.replace(0));
        let (_, state) = self.drive_on(next, state);
        self.watch.set(before.0);
        self.behind.set(before.1);
        state
    }

    /// Goes on until this frame is current again, or its caller's: a trace that was recorded meanwhile, or an
    /// instruction that was replayed, may have left it. Nothing if the program ends before.
    pub(super) fn drive_back_to(
        &self,
        frame: u64,
        caller: Option<u64>,
        next: Next<I::Pc>,
        state: I::State<Direct>,
    ) -> (Option<Next<I::Pc>>, I::State<Direct>) {
        let before = (self.watch.replace(frame), self.behind.replace(caller.unwrap_or(0)));
        let result = self.drive_on(next, state);
        self.watch.set(before.0);
        self.behind.set(before.1);
        result
    }

    fn drive_on(
        &self,
        mut next: Next<I::Pc>,
        mut state: I::State<Direct>,
    ) -> (Option<Next<I::Pc>>, I::State<Direct>) {
        loop {
            let frame = state.frame_word();
            let behind = self.behind.get();
            if self.is_watched(frame) || (behind != 0 && frame == Some(behind)) {
                return (Some(next), state);
            }
            let pause;
            (pause, state) = match next {
                Next::At(pc, false) => self.direct(pc, state),
                Next::At(pc, true) => self.unwind(pc, state),
                Next::After(Step::Next(pc) | Step::Return(pc) | Step::Switch(pc)) => self.direct(pc, state),
                Next::After(Step::Loop(pc)) => (Pause::Loop(pc), state),
                Next::After(Step::Call(pc)) => (Pause::Call(pc), state),
                Next::After(Step::Raise(pc)) => self.unwind(pc, state),
                Next::After(Step::Done) => return (None, state),
            };
            (next, state) = match pause {
                Pause::Loop(pc) => self.hot(HeadKind::Loop, pc, state),
                Pause::Call(pc) => self.hot(HeadKind::Entry, pc, state),
                Pause::Watched(pc, raising) => return (Some(Next::At(pc, raising)), state),
                Pause::Done => return (None, state),
            };
        }
    }

    /// Whether this frame is the one that is waited for.
    #[inline(always)]
    pub(super) fn is_watched(&self, frame: Option<u64>) -> bool {
        let watched = self.watch.get();
        watched != 0 && frame == Some(watched)
    }

    /// Runs instructions until there is something for the driver to do. The only place where `step` is
    /// instantiated for plain execution, so that it is inlined here and nowhere else.
    #[inline(never)]
    fn direct(&self, mut pc: I::Pc, mut state: I::State<Direct>) -> (Pause<I::Pc>, I::State<Direct>) {
        let interpreter = self.interpreter;
        if self.checks_hints() {
            return self.direct_checked(pc, false, state);
        }
        let poll = interpreter.runtime().poll();
        loop {
            match interpreter.step::<Direct>(pc, &mut state) {
                Step::Next(next) => pc = next,
                Step::Return(next) | Step::Switch(next) => {
                    pc = next;
                    if self.is_watched(state.frame_word()) {
                        return (Pause::Watched(next, false), state);
                    }
                }
                Step::Loop(next) => {
                    pc = next;
                    if interpreter.loop_cell(next).tick() || poll.load(Ordering::Relaxed) != 0 {
                        return (Pause::Loop(next), state);
                    }
                }
                Step::Call(next) => {
                    pc = next;
                    if interpreter.loop_cell(next).tick() || poll.load(Ordering::Relaxed) != 0 {
                        return (Pause::Call(next), state);
                    }
                }
                Step::Raise(at) => {
                    let found;
                    (found, state) = self.handler(at, state);
                    match found {
                        Ok(next) => pc = next,
                        Err(pause) => return (pause, state),
                    }
                }
                Step::Done => return (Pause::Done, state),
            }
        }
    }

    /// An exception is pending: goes on from its handler.
    fn unwind(&self, pc: I::Pc, state: I::State<Direct>) -> (Pause<I::Pc>, I::State<Direct>) {
        if self.checks_hints() {
            return self.direct_checked(pc, true, state);
        }
        match self.handler(pc, state) {
            (Ok(next), state) => self.direct(next, state),
            (Err(pause), state) => (pause, state),
        }
    }

    /// The position of the exception's handler, unless it leaves the program or the watched frame comes before.
    #[cold]
    #[inline(never)]
    #[allow(clippy::type_complexity)] // what the driver passes around
    fn handler(
        &self,
        mut pc: I::Pc,
        mut state: I::State<Direct>,
    ) -> (Result<I::Pc, Pause<I::Pc>>, I::State<Direct>) {
        loop {
            match self.interpreter.handle::<Direct>(pc, &mut state) {
                Step::Raise(at) if self.is_watched(state.frame_word()) => {
                    return (Err(Pause::Watched(at, true)), state);
                }
                Step::Raise(at) => pc = at,
                Step::Done => return (Err(Pause::Done), state),
                Step::Next(next)
                | Step::Loop(next)
                | Step::Call(next)
                | Step::Return(next)
                | Step::Switch(next) => {
                    return (Ok(next), state);
                }
            }
        }
    }
}
