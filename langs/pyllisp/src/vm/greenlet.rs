//! Greenlets: chains of frames that take turns.
//!
//! All calls of programs are frames in the heap, so a switch is: keep the frame that calls `switch`, with the
//! position of that call, and go on with the frame of the other chain, whose own call of `switch` gives what
//! was handed over. The first frame of a chain is that of `run_greenlet` in the prelude, which has nobody to
//! return to: it ends the greenlet instead. An error that leaves it goes on in the parent.
//!
//! Of the greenlet that runs, `frame` is nobody's affair; of every other living one it is the frame that waits,
//! or nothing if it has not begun.

use hotloop::prelude::*;

use super::call::{Args, MAX_DEPTH, Outcome};
use super::error::Complaint;
use super::{Pc, Pyllisp, State};
use crate::object::{Closure, Frame, Greenlet, Items, List, Running, null};

/// [`Greenlet::stage`]: it has not begun.
const NEW: i64 = 0;
/// It runs or waits.
const STARTED: i64 = 1;
/// It has ended.
const DEAD: i64 = 2;

/// A greenlet that will call a function with these arguments, and those of the first switch.
pub(crate) fn new_greenlet(interp: &Pyllisp, function: Value<Plain>, args: List<Plain>) -> Greenlet<Plain> {
    let parent = Some(interp.running::<Plain>().greenlet());
    Greenlet::new(interp.runtime(), parent, function, Some(args), None, NEW.into())
}

/// The place of the greenlet that runs, with the one that every program begins in.
pub(super) fn new_running(runtime: &Runtime) -> Running<Plain> {
    let main = new_main(runtime);
    Running::new(runtime, main, main)
}

fn new_main(runtime: &Runtime) -> Greenlet<Plain> {
    Greenlet::new(runtime, None, null(), None, None, STARTED.into())
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
        running.set_greenlet(greenlet);
        running.set_base(greenlet);
    }

    /// A callback of C begins, in a greenlet of its own: those that wait for it to end.
    pub(crate) fn begin_callback(&self) -> Running<Plain> {
        let running = self.running::<Plain>();
        let waiting = Running::new(self.runtime(), running.greenlet(), running.base());
        let own = new_main(self.runtime());
        running.set_greenlet(own);
        running.set_base(own);
        waiting
    }

    /// The callback has ended, wherever it was then; nobody goes on with its greenlet.
    pub(crate) fn end_callback(&self, waiting: Running<Plain>) {
        let running = self.running::<Plain>();
        running.base().set_stage(DEAD.into());
        running.set_greenlet(waiting.greenlet());
        running.set_base(waiting.base());
    }

    /// Whether it is the first of a run of the interpreter that waits for C: what it goes on with must not run before
    /// C has returned.
    fn waits_for_c<M: Mode>(&self, greenlet: Greenlet<M>) -> bool {
        greenlet.parent().is_none() && !greenlet.is_same(self.running::<M>().base())
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
        if stage == NEW {
            return self.start(pc, state, greenlet, args);
        }
        let value = match args.count() {
            1 => null(),
            2 => args.get(frame, 1),
            count => {
                let items = Items::new(self.runtime(), u32::from(count - 1));
                for index in 1..count {
                    items.set_items(u32::from(index - 1), args.get(frame, index));
                }
                List::new(self.runtime(), u32::from(count - 1).into(), items).to_value()
            }
        };
        if greenlet.is_same(current) {
            self.give(pc, state, value);
            return Outcome::Next;
        }
        frame.set_pc(pc.number());
        current.set_frame(Some(frame));
        self.go_on(state, greenlet, value)
    }

    /// Goes on with a greenlet that waits; whoever ran before is noted already.
    fn go_on<M: Mode>(&self, state: &mut State<M>, greenlet: Greenlet<M>, value: Value<M>) -> Outcome {
        if self.waits_for_c(greenlet) {
            return self.complain(state, Complaint::OutOfCallback, null(), 0);
        }
        let Some(frame) = greenlet.frame() else {
            return self.complain(state, Complaint::DeadGreenlet, null(), 0);
        };
        greenlet.set_frame(None);
        self.running::<M>().set_greenlet(greenlet);
        state.frame = frame;
        let at = Pc::new(frame.code(), frame.pc());
        self.give(at, state, value);
        Outcome::Switch(at.ahead(1))
    }

    fn start<M: Mode>(&self, pc: Pc, state: &mut State<M>, greenlet: Greenlet<M>, args: Args<M>) -> Outcome {
        let (frame, running, runtime) = (state.frame, self.running::<M>(), self.runtime());
        let depth = frame.depth() + 1;
        let helper = self.helper("run_greenlet").value::<M>().cast::<Closure<M>>();
        let (Some(helper), Some(first)) = (helper, greenlet.args()) else {
            return self.complain(state, Complaint::DeadGreenlet, null(), 0);
        };
        if depth > MAX_DEPTH {
            return self.complain(state, Complaint::Recursion, null(), 0);
        }
        let (before, given) = (first.length(), args.count() - 1);
        let count = before + i64::from(given);
        let items = Items::new(runtime, count);
        first.items().copy_to(0, items, 0, before);
        for index in 0..given {
            items.set_items(before + i64::from(index), args.get(frame, index + 1));
        }
        let code = helper.code();
        let chain = Frame::new(runtime, code, None, None, 0, depth, u32::from(code.code.slots));
        chain.set_slots(0, greenlet.function());
        chain.set_slots(1, List::new(runtime, count, items).to_value());
        greenlet.set_stage(STARTED.into());
        frame.set_pc(pc.number());
        running.greenlet().set_frame(Some(frame));
        running.set_greenlet(greenlet);
        state.frame = chain;
        Outcome::Switch(Pc::new(code, 0))
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
    pub(super) fn raise_in_parent<M: Mode>(&self) -> Option<Frame<M>> {
        let running = self.running::<M>();
        let parent = self.bury(running.greenlet())?;
        if self.waits_for_c(parent) {
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
