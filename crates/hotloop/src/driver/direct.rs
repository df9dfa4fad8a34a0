//! The dispatch loop in Direct mode. It is the whole cost of running without compiled code: one counter per
//! back edge, one flag per call.

use std::sync::atomic::Ordering;

use super::tables::HeadKind;
use super::{Next, Vm};
use crate::interpreter::{Interpreter, Step};
use crate::mode::Direct;

/// Why the dispatch loop paused.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pause<P> {
    /// At a back edge to this position: the counter has run out or the poll flag is set.
    Loop(P),
    /// At a function's entry, likewise.
    Call(P),
    /// The program has ended.
    Done,
}

impl<I: Interpreter> Vm<'_, I> {
    /// Everything between the program's start and its end.
    pub(super) fn drive(&self, mut next: Next<I::Pc>, mut state: I::State<Direct>) -> I::State<Direct> {
        loop {
            let pause;
            (pause, state) = match next {
                Next::At(pc, false) => self.direct(pc, state),
                Next::At(pc, true) => self.unwind(pc, state),
                Next::After(Step::Next(pc) | Step::Return(pc) | Step::Switch(pc)) => self.direct(pc, state),
                Next::After(Step::Loop(pc)) => (Pause::Loop(pc), state),
                Next::After(Step::Call(pc)) => (Pause::Call(pc), state),
                Next::After(Step::Raise(pc)) => self.unwind(pc, state),
                Next::After(Step::Done) => return state,
            };
            (next, state) = match pause {
                Pause::Loop(pc) => self.hot(HeadKind::Loop, pc, state),
                Pause::Call(pc) => self.hot(HeadKind::Entry, pc, state),
                Pause::Done => return state,
            };
        }
    }

    /// Runs instructions until there is something for the driver to do. The only place where `step` is
    /// instantiated for plain execution, so that it is inlined here and nowhere else.
    #[inline(never)]
    fn direct(&self, mut pc: I::Pc, mut state: I::State<Direct>) -> (Pause<I::Pc>, I::State<Direct>) {
        let interpreter = self.interpreter;
        let poll = interpreter.runtime().poll();
        loop {
            match interpreter.step::<Direct>(pc, &mut state) {
                Step::Next(next) | Step::Return(next) | Step::Switch(next) => pc = next,
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
                    let pause;
                    (pause, state) = self.handler(at, state);
                    match pause {
                        Some(next) => pc = next,
                        None => return (Pause::Done, state),
                    }
                }
                Step::Done => return (Pause::Done, state),
            }
        }
    }

    /// An exception is pending: goes on from its handler.
    fn unwind(&self, pc: I::Pc, state: I::State<Direct>) -> (Pause<I::Pc>, I::State<Direct>) {
        match self.handler(pc, state) {
            (Some(next), state) => self.direct(next, state),
            (None, state) => (Pause::Done, state),
        }
    }

    /// The position of the exception's handler; `None` if it leaves the program.
    #[cold]
    #[inline(never)]
    fn handler(&self, mut pc: I::Pc, mut state: I::State<Direct>) -> (Option<I::Pc>, I::State<Direct>) {
        loop {
            match self.interpreter.handle::<Direct>(pc, &mut state) {
                Step::Raise(at) => pc = at,
                Step::Done => return (None, state),
                Step::Next(next)
                | Step::Loop(next)
                | Step::Call(next)
                | Step::Return(next)
                | Step::Switch(next) => {
                    return (Some(next), state);
                }
            }
        }
    }
}
