//! Greenlets: chains of frames that take turns.
//!
//! All calls of programs are frames in the heap, so a switch is: keep the frame that calls `switch`, with the
//! position of that call, and go on with the frame of the other chain, whose own call of `switch` gives what
//! was handed over. The first frame of a chain is that of `run_greenlet` in the prelude, which has nobody to
//! return to: it ends the greenlet instead. An error that leaves it goes on in the parent.
//!
//! Of the greenlet that runs, `frame` is nobody's affair; of every other living one it is the frame that waits,
//! or nothing if it has not begun, or if C has called it back: then its native stack waits (`vm/stacks.rs`).

use hotloop::prelude::*;

use super::call::{Args, MAX_DEPTH, Outcome};
use super::error::Complaint;
use super::stacks::leave_c;
use super::{Pc, Progress, Pyllisp, State};
use crate::object::{Closure, Elements, Frame, Greenlet, List, Running, list, null, unset};

/// [`Greenlet::stage`]: it has not begun.
pub(super) const NEW: i64 = 0;
/// It runs or waits.
pub(super) const STARTED: i64 = 1;
/// It has ended.
pub(super) const DEAD: i64 = 2;
/// As [`STARTED`], in a callback: the frames of C that wait for it are on a native stack, which is its own.
pub(super) const CALLED_BACK: i64 = 3;

/// A greenlet that will call a function with these arguments, and those of the first switch.
pub(crate) fn new_greenlet(interp: &Pyllisp, function: Value<Plain>, args: List<Plain>) -> Greenlet<Plain> {
    let parent = Some(interp.running::<Plain>().greenlet());
    Greenlet::new(interp.runtime(), parent, function, Some(args), None, NEW.into(), 0.into())
}

/// The place of the greenlet that runs, with the one that every program begins in.
pub(super) fn new_running(runtime: &Runtime) -> Running<Plain> {
    let main = new_main(runtime);
    Running::new(runtime, main, None, null(), unset())
}

fn new_main(runtime: &Runtime) -> Greenlet<Plain> {
    Greenlet::new(runtime, None, null(), None, None, STARTED.into(), 0.into())
}

impl Pyllisp {
    /// Where the greenlet that runs is noted.
    #[inline(always)]
    pub(crate) fn running<M: Mode>(&self) -> Running<M> {
        match self.running.value::<M>().cast::<Running<M>>() {
            Some(running) => running,
            None => unreachable!("the place was made with the interpreter"),
        }
    }

    /// A program begins: in the greenlet in which all of them do.
    pub(super) fn begin_in_main(&self) {
        let running = self.running::<Plain>();
        let mut greenlet = running.greenlet();
        while let Some(parent) = greenlet.parent() {
            greenlet = parent;
        }
        greenlet.set_frame(None);
        greenlet.set_stage(STARTED.into());
        running.set_greenlet(greenlet);
    }

    /// `(greenlet.switch values…)`, the greenlet being the first of the arguments.
    pub(super) fn switch<M: Mode>(
        &self,
        pc: Pc,
        state: &mut State<M>,
        greenlet: Greenlet<M>,
        args: Args<M>,
    ) -> Outcome {
        let (frame, running) = (state.frame, self.running::<M>());
        let current = running.greenlet();
        let stage = greenlet.stage();
        if stage == DEAD {
            return self.complain(state, Complaint::DeadGreenlet, null(), 0);
        }
        let leaves_c = current.stage() == CALLED_BACK && !greenlet.is_same(current);
        if stage == NEW && !leaves_c {
            return self.start(pc, state, greenlet, args);
        }
        let value = match args.count() {
            2 if stage != NEW => args.get(frame, 1),
            1 if stage != NEW => null(),
            count => {
                let given = |index| args.get(frame, index as u16 + 1);
                list::of(self.runtime(), u32::from(count - 1), given).to_value()
            }
        };
        if greenlet.is_same(current) {
            self.give(pc, state, value);
            return Outcome::Next;
        }
        if leaves_c {
            let answer = leave_c::<M>(self, greenlet, value);
            return self.answer(pc, state, answer);
        }
        frame.set_progress(Progress::At(pc));
        current.set_frame(Some(frame));
        self.go_on(state, greenlet, value)
    }

    /// Goes on with a greenlet that waits; whoever ran before is noted already.
    fn go_on<M: Mode>(&self, state: &mut State<M>, greenlet: Greenlet<M>, value: Value<M>) -> Outcome {
        if greenlet.stage() == CALLED_BACK {
            self.running::<M>().set_next(Some(greenlet));
            self.running::<M>().set_value(value);
            return Outcome::Leave;
        }
        let Some(frame) = greenlet.frame() else {
            return self.complain(state, Complaint::DeadGreenlet, null(), 0);
        };
        greenlet.set_frame(None);
        self.running::<M>().set_greenlet(greenlet);
        state.frame = frame;
        let at = frame.progress().place();
        self.give(at, state, value);
        Outcome::Switch(at.next())
    }

    fn start<M: Mode>(&self, pc: Pc, state: &mut State<M>, greenlet: Greenlet<M>, args: Args<M>) -> Outcome {
        let (frame, running) = (state.frame, self.running::<M>());
        let depth = frame.depth() + 1;
        if depth > MAX_DEPTH {
            return self.complain(state, Complaint::Recursion, null(), 0);
        }
        let Some(chain) = self.first_frame(Some(frame), depth, greenlet, args) else {
            return self.complain(state, Complaint::DeadGreenlet, null(), 0);
        };
        frame.set_progress(Progress::At(pc));
        running.greenlet().set_frame(Some(frame));
        running.set_greenlet(greenlet);
        state.frame = chain;
        Outcome::Switch(Pc::new(chain.code(), 0))
    }

    /// A greenlet begins, with these arguments (of a frame, if any are in registers) behind its own: its first frame.
    pub(super) fn first_frame<M: Mode>(
        &self,
        frame: Option<Frame<M>>,
        depth: Int<M>,
        greenlet: Greenlet<M>,
        args: Args<M>,
    ) -> Option<Frame<M>> {
        let runtime = self.runtime();
        let helper = self.helper("run_greenlet").value::<M>().cast::<Closure<M>>()?;
        let first = greenlet.args()?;
        let code = helper.code();
        let chain = Frame::new(runtime, code, None, None, Progress::New, depth, u32::from(code.code.slots));
        let frame = frame.unwrap_or(chain);
        let (before, given) = (list::count(first), args.count() - 1);
        let count = before + i64::from(given);
        let elements = Elements::new(runtime, count, count);
        list::copy(first, 0, elements, 0, before);
        for index in 0..given {
            elements.set_items(before + i64::from(index), args.get(frame, index + 1));
        }
        chain.set_slots(0, greenlet.function());
        chain.set_slots(1, List::new(runtime, Some(elements), 0).to_value());
        greenlet.set_stage(STARTED.into());
        Some(chain)
    }

    /// The greenlet that runs has ended: its value goes to the nearest parent that lives.
    pub(super) fn end_greenlet<M: Mode>(&self, state: &mut State<M>, value: Value<M>) -> Outcome {
        match self.bury(self.running::<M>().greenlet()) {
            Some(parent) => self.go_on(state, parent, value),
            None => self.complain(state, Complaint::DeadGreenlet, null(), 0),
        }
    }

    /// An error leaves the first frame of the chain that runs: the frame of the nearest living parent that it
    /// goes on in; nothing if the program ends.
    pub(super) fn raise_in_parent<M: Mode>(&self, state: &mut State<M>) -> Option<Frame<M>> {
        let running = self.running::<M>();
        if running.greenlet().stage() == CALLED_BACK {
            // It leaves the callback only.
            return None;
        }
        let parent = self.bury(running.greenlet())?;
        if parent.stage() == CALLED_BACK {
            running.set_next(Some(parent));
            running.set_exception(state.exception);
            state.exception = unset();
            return None;
        }
        let frame = parent.frame()?;
        parent.set_frame(None);
        running.set_greenlet(parent);
        Some(frame)
    }

    /// The greenlet is dead from now on, unless it is the one in which programs begin; its nearest living
    /// parent.
    fn bury<M: Mode>(&self, greenlet: Greenlet<M>) -> Option<Greenlet<M>> {
        let mut parent = greenlet.parent()?;
        greenlet.set_stage(DEAD.into());
        while parent.stage() == DEAD {
            parent = parent.parent()?;
        }
        Some(parent)
    }
}

/// What `parent` of a greenlet is to programs.
pub(super) fn parent_of(greenlet: Greenlet<Plain>) -> Value<Plain> {
    greenlet.parent().map_or(null(), Greenlet::to_value)
}
