//! Greenlets that C has called back.
//!
//! Between the frame that called C and those of the callback there are frames of C on the native stack, so only that
//! stack can go on with them. All that is on a native stack belongs to one greenlet: who leaves one that was called
//! back (`stage` is `CALLED_BACK`) leaves its stack, and other greenlets go on elsewhere.
//!
//! ```text
//! native stack 0   main -> qsort -> compare -> (g.switch)  . . . . . . . . . -> compare -> qsort -> main
//! native stack 1                               g -> qsort -> compare -> (main.switch) . . . .
//! ```
//!
//! * Who was called back suspends its stack ([`leave_c`]); nothing of its frames has to be written anywhere.
//! * Who was not, and switches to one that was, ends the run of the interpreter: its frames are in the heap.
//!
//! In both cases `Running` says who is next, and [`Pyllisp::run_greenlets`] below all of them lets that one go on.

use hotloop::prelude::*;
use hotloop::{Left, Stacks};

use super::call::Args;
use super::greenlet::{CALLED_BACK, DEAD, NEW};
use super::{Pc, Pyllisp, State};
use crate::object::{Frame, Greenlet, List, is_set, list, null, unset};

/// A greenlet that C has called back switches to another: what it is given when it goes on.
#[residual(any)]
pub(super) fn leave_c(
    interp: &Pyllisp,
    next: Greenlet<Plain>,
    value: Value<Plain>,
) -> Result<Value<Plain>, Raise<Plain>> {
    let running = interp.running::<Plain>();
    running.set_next(Some(next));
    running.set_value(value);
    if !interp.runtime().leave_stack() {
        running.set_next(None);
        return Err(interp.error("cannot switch out of a callback"));
    }
    let exception = running.exception();
    if is_set(exception) {
        running.set_exception(unset());
        return Err(Raise(exception));
    }
    let value = running.value();
    running.set_value(null());
    Ok(value)
}

/// Where a run of the interpreter begins.
type Begin = (Pc, State<Plain>);

fn begin_in(frame: Frame<Plain>) -> State<Plain> {
    State { frame, result: null(), exception: unset() }
}

impl Pyllisp {
    /// C calls the greenlet that runs back, until `run` is over.
    pub(crate) fn called_back<T>(&self, run: impl FnOnce() -> T) -> T {
        let greenlet = self.running::<Plain>().greenlet();
        let before = greenlet.stage();
        greenlet.set_stage(CALLED_BACK.into());
        let result = run();
        greenlet.set_stage(before);
        result
    }

    /// Runs a program to its end, and greenlets as they switch to each other.
    pub(super) fn run_greenlets(&self, vm: &Vm<'_, Pyllisp>, pc: Pc, state: State<Plain>) -> State<Plain> {
        if self.runtime().foreign().is_none() {
            return vm.run(pc, state);
        }
        vm.with_stacks(|stacks| {
            // By their stacks.
            let waiting = list::with_room(self.runtime(), 0);
            let frame = state.frame;
            let end = match stacks.run(pc, state) {
                Ok(left) => self.take_turns(stacks, waiting, left),
                // Nobody can leave a callback then.
                Err(_) => vm.run(pc, begin_in(frame)),
            };
            for index in 0..list::length(waiting) {
                if let Some(greenlet) = list::get(waiting, index).cast::<Greenlet<Plain>>()
                    && greenlet.stage() == CALLED_BACK
                {
                    // Its stack never goes on.
                    greenlet.set_stage(DEAD.into());
                }
            }
            end
        })
    }

    fn take_turns(
        &self,
        stacks: &Stacks<'_, '_, Pyllisp>,
        waiting: List<Plain>,
        mut left: Left<State<Plain>>,
    ) -> State<Plain> {
        let running = self.running::<Plain>();
        loop {
            let before = match left {
                Left::Ended(end) if running.next().is_none() => return end,
                // Its frames are in the heap.
                Left::Ended(_) => None,
                Left::Suspended(stack) => {
                    let greenlet = running.greenlet();
                    greenlet.set_stack((stack as i64).into());
                    while list::length(waiting) <= stack {
                        list::push(self.runtime(), waiting, null());
                    }
                    list::set(waiting, stack, greenlet.to_value());
                    Some(greenlet)
                }
            };
            let Some(next) = running.next() else { unreachable!("a stack is left for a greenlet") };
            running.set_next(None);
            running.set_greenlet(next);
            let (stage, frame) = (next.stage(), next.frame());
            let stack = |greenlet: Greenlet<Plain>| greenlet.stack().get() as usize;
            left = match (self.begin(next), before) {
                (None, _) => stacks.resume(stack(next)),
                (Some((pc, state)), before) => match (stacks.run(pc, state), before) {
                    (Ok(left), _) => left,
                    (Err(_), None) => unreachable!("who was not called back leaves a stack behind"),
                    (Err(_), Some(before)) => {
                        next.set_stage(stage);
                        next.set_frame(frame);
                        running.set_greenlet(before);
                        running.set_exception(self.error("too many greenlets wait in callbacks of C").0);
                        stacks.resume(stack(before))
                    }
                },
            };
        }
    }

    /// Where a greenlet goes on, unless its native stack does.
    fn begin(&self, greenlet: Greenlet<Plain>) -> Option<Begin> {
        let (running, stage) = (self.running::<Plain>(), greenlet.stage());
        if stage == CALLED_BACK {
            return None;
        }
        if stage == NEW {
            let args = running.value().cast::<List<Plain>>()?;
            let frame = self.first_frame(
                None,
                0.into(),
                greenlet,
                Args::before_list(self.runtime(), greenlet.to_value(), args),
            )?;
            return Some((Pc::new(frame.code(), 0), begin_in(frame)));
        }
        let frame: Frame<Plain> = greenlet.frame()?;
        greenlet.set_frame(None);
        let mut state = begin_in(frame);
        let at = frame.progress().place();
        self.give(at, &mut state, running.value());
        Some((at.next(), state))
    }
}
