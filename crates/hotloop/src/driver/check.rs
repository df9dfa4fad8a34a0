//! `check_hints`: what a language's author promises, put to the test. A broken promise ends the process with
//! a message that names the function, field or step, and where the program stands.
//!
//! * Steps are deterministic: each is executed once more, following its own events (see
//!   `hotloop_record::Kept`). Recorded ones are followed again later, when the loop is left and at the end: what
//!   a trace took for granted (immutable fields, data behind green references, `live_items`) still holds.
//! * What `live_items` says is dead is not read: it is overwritten before each step of plain execution.
//! * Native functions keep to what they declare, and answer the same where they say so (`watch.rs`). What
//!   elidable functions answered is asked again later, too.
//! * Facts given by the author hold (`hotloop_record`).
//!
//! Plain execution runs in Meta mode here, so that all of it is seen; compiled code only calls native
//! functions.

use std::sync::atomic::Ordering;

use hotloop_ir::{FieldKind, Live};
use hotloop_record::{Kept, POISON, Recorder, Red, check_failed, set_checking};

use super::Vm;
use super::direct::Pause;
use super::tables::LoopCell;
use crate::interpreter::{Interpreter, RedState, Step};
use crate::mode::{Direct, Meta};
use crate::watch;

/// Whether promises are checked on this thread, until dropped.
pub(super) struct Checking(bool);

impl Checking {
    pub fn begin(on: bool) -> Checking {
        let before = set_checking(on);
        if on && !before {
            watch::forget();
        }
        Checking(before)
    }
}

impl Drop for Checking {
    fn drop(&mut self) {
        let before = set_checking(self.0);
        if before && !self.0 {
            watch::forget();
        }
    }
}

/// The red words and the plain part of a state.
type Words = (Vec<Red>, Vec<u64>);

/// A step that was executed, and what must come of it again.
#[derive(Clone)]
pub(super) struct Past<P> {
    pc: P,
    raising: bool,
    before: Words,
    kept: Vec<Kept>,
    step: Step<P>,
    after: Words,
    live: Live,
    cell: Option<*const LoopCell>,
}

impl<P> Past<P> {
    /// Calls `visit` with every word of it.
    pub fn visit(&self, visit: &mut dyn FnMut(u64)) {
        for (words, greens) in [&self.before, &self.after] {
            words.iter().for_each(|red| visit(red.bits));
            greens.iter().for_each(|word| visit(*word));
        }
        self.kept.iter().for_each(|event| event.visit(visit));
    }
}

/// Recorded steps that are remembered.
const MOST_PAST: usize = 512;
/// Of these, how many are followed again at each exit.
const PER_EXIT: usize = 8;

impl<I: Interpreter> Vm<'_, I> {
    /// The words and the plain part of a state.
    pub(super) fn words_of(state: &I::State<Meta>) -> Words {
        let (words, greens) = Self::parts(state);
        (words.into_iter().map(|red| Red::constant(red.bits)).collect(), greens)
    }

    /// Plain execution under check: every step is seen.
    pub(super) fn direct_checked(
        &self,
        mut pc: I::Pc,
        mut raising: bool,
        state: I::State<Direct>,
    ) -> (Pause<I::Pc>, I::State<Direct>) {
        let poll = self.interpreter.runtime().poll();
        let mut recorder = Box::new(Recorder::replaying());
        self.recorders.borrow_mut().push(&raw const *recorder);
        let (words, greens) = Self::parts(&state);
        let mut state = Self::unrecorded(&words, &greens);
        let is_watched =
            |state: &I::State<Meta>| self.is_watched(state.frame_word().map(|red: Red| red.bits));
        let pause = loop {
            if !raising {
                self.poison(pc, &state);
            }
            recorder.begin_instruction(0, &[], &[], None);
            let step = self.meta_step(&mut recorder, pc, raising, &mut state);
            (pc, raising) = match step {
                Step::Next(next) => (next, false),
                Step::Return(next) | Step::Switch(next) => {
                    if is_watched(&state) {
                        break Pause::Watched(next, false);
                    }
                    (next, false)
                }
                Step::Loop(next) => {
                    if self.interpreter.loop_cell(next).tick() || poll.load(Ordering::Relaxed) != 0 {
                        break Pause::Loop(next);
                    }
                    (next, false)
                }
                Step::Call(next) => {
                    if self.interpreter.loop_cell(next).tick() || poll.load(Ordering::Relaxed) != 0 {
                        break Pause::Call(next);
                    }
                    (next, false)
                }
                // The interpreter's own `handle` may have taken frames off.
                Step::Raise(at) => {
                    if raising && is_watched(&state) {
                        break Pause::Watched(at, true);
                    }
                    (at, true)
                }
                Step::Done => break Pause::Done,
            };
        };
        self.recorders.borrow_mut().pop();
        (pause, Self::executed(&state))
    }

    /// Overwrites the slots of the frame that mean nothing before the instruction at `pc`.
    fn poison(&self, pc: I::Pc, state: &I::State<Meta>) {
        let (Some((_, ty)), Some(frame)) = (Self::frame(), state.frame_word()) else { return };
        let length = hotloop_record::read_length(frame.bits) as usize;
        let live = self.interpreter.live_items(pc);
        let slots = (0..ty.get().fields.len() + length).filter(|slot| {
            matches!(ty.get().slot(*slot).1, FieldKind::Value | FieldKind::Int)
                && !Self::means_something(ty, *slot, live)
        });
        slots.for_each(|slot| hotloop_record::write_slot(frame.bits, ty, slot, POISON));
    }

    /// A step was executed: follows it, and remembers it if it was recorded.
    pub(super) fn check_step(
        &self,
        recorder: &mut Recorder,
        (pc, raising): (I::Pc, bool),
        before: Words,
        step: Step<I::Pc>,
        after: &I::State<Meta>,
    ) {
        let cell = match step {
            Step::Loop(to) | Step::Call(to) => Some(std::ptr::from_ref(self.interpreter.loop_cell(to))),
            _ => None,
        };
        let live = if raising { Live::ALL } else { self.interpreter.live_items(pc) };
        let kept = recorder.take_kept();
        if let Some((index, _)) = Self::frame()
            && let Some(what) = kept.iter().find_map(|event| event.poisoned(before.0[index].bits))
        {
            check_failed(&format!("the step at {} reads {what}", self.interpreter.describe(pc)));
        }
        let past = Past { pc, raising, before, kept, step, after: Self::words_of(after), live, cell };
        self.follow(&past, "");
        if recorder.is_recording() {
            let mut history = self.history.borrow_mut();
            if history.len() < MOST_PAST {
                history.push(past);
            }
        }
    }

    /// Executes a step again, from the state before it, and compares.
    fn follow(&self, past: &Past<I::Pc>, when: &str) {
        let Past { pc, raising, before, kept, step, after, live, cell } = past;
        let place = format!("{}{when}", self.interpreter.describe(*pc));
        let mut recorder = Recorder::following(kept.clone(), place.clone());
        let mut state = <I::State<Meta> as RedState<Meta>>::load(&before.0, &before.1);
        let again = self.meta_step(&mut recorder, *pc, *raising, &mut state);
        recorder.end_following();
        if again != *step {
            check_failed(&format!(
                "the step at {place} is not deterministic: it ended with {step:?}, then {again:?}"
            ));
        }
        let bits = |(words, greens): &Words| -> (Vec<u64>, Vec<u64>) {
            (words.iter().map(|red| red.bits).collect(), greens.clone())
        };
        let (first, second) = (bits(after), bits(&Self::words_of(&state)));
        if first != second {
            check_failed(&format!(
                "the step at {place} is not deterministic: it left the state {first:x?}, then {second:x?}"
            ));
        }
        let now = if *raising { Live::ALL } else { self.interpreter.live_items(*pc) };
        if now != *live {
            check_failed(&format!("live_items at {place} was {live:?}, then {now:?}"));
        }
        if let (Some(cell), Step::Loop(to) | Step::Call(to)) = (cell, step)
            && !std::ptr::eq(*cell, self.interpreter.loop_cell(*to))
        {
            let to = self.interpreter.describe(*to);
            check_failed(&format!("loop_cell of {to} is another one each time"));
        }
    }

    /// What traces took for granted, some of it: at an exit.
    pub(super) fn check_some(&self) {
        let count = self.history.borrow().len();
        let from = self.rechecked.get();
        self.rechecked.set(from + PER_EXIT);
        for index in (from..from + PER_EXIT.min(count)).map(|index| index % count) {
            self.follow_again(index);
        }
        watch::ask_again(|index| index % 64 == (from / PER_EXIT) % 64);
    }

    /// All of it.
    pub(super) fn check_all(&self) {
        let count = self.history.borrow().len();
        (0..count).for_each(|index| self.follow_again(index));
        watch::ask_again(|_| true);
    }

    fn follow_again(&self, index: usize) {
        let past = self.history.borrow()[index].clone();
        self.follow(&past, ", again after it was recorded,");
    }
}
