//! `check_hints`: what a language's author promises, put to the test. Steps are deterministic: each that is
//! recorded is executed once more, following its own events (see `hotloop_record::Kept`). Elidable functions
//! answer the same words when they are called again. A broken promise ends the process with a message.

use std::cell::Cell;

use hotloop_ir::FieldKind;
use hotloop_record::{Kept, Recorder, Red, check_failed};

use super::Vm;
use crate::interpreter::{Interpreter, RedState, Step};
use crate::mode::{Direct, Meta, Mode};
use crate::red::Value;
use crate::residual::{CallCell, Outcome};

thread_local! {
    static ON: Cell<bool> = const { Cell::new(false) };
}

/// Whether elidable functions are checked on this thread, until dropped.
pub(super) struct Checking(bool);

impl Checking {
    pub fn begin(on: bool) -> Checking {
        Checking(ON.replace(on))
    }
}

impl Drop for Checking {
    fn drop(&mut self) {
        ON.set(self.0);
    }
}

/// Runs a residual function; twice, if it is elidable and hints are checked.
#[inline(always)]
pub(crate) fn checked_call(cell: &CallCell, run: impl Fn() -> Outcome) -> Outcome {
    let outcome = run();
    if cell.is_elidable() && ON.get() {
        compare(cell, outcome, run());
    }
    outcome
}

/// Objects are compared by their types: a function may make a new one each time.
#[cold]
fn compare(cell: &CallCell, first: Outcome, second: Outcome) {
    let type_of = |object: u64| if object == 0 { 0 } else { <Direct as Mode>::type_number(object) };
    let same = first.raised == second.raised
        && match cell.kind() {
            Some(FieldKind::Ref) if first.raised == 0 => type_of(first.value) == type_of(second.value),
            Some(FieldKind::Value | FieldKind::Ref) => {
                let reference = |word: u64| Value::<Direct>::from_word(word).is_reference();
                first.value == second.value
                    || (reference(first.value)
                        && reference(second.value)
                        && type_of(first.value & !7) == type_of(second.value & !7))
            }
            _ => first.value == second.value,
        };
    if !same {
        let say = |outcome: Outcome| {
            format!("{:#x}{}", outcome.value, if outcome.raised != 0 { " (raised)" } else { "" })
        };
        check_failed(&format!(
            "`{}` is not elidable: it answered {}, then {} to the same arguments",
            cell.name(),
            say(first),
            say(second)
        ));
    }
}

impl<I: Interpreter> Vm<'_, I> {
    /// The words and the plain part of a state.
    pub(super) fn words_of(state: &I::State<Meta>) -> (Vec<Red>, Vec<u64>) {
        let (mut words, mut greens) = (Vec::new(), Vec::new());
        state.save(&mut words);
        state.greens(&mut greens);
        (words.into_iter().map(|red| Red::constant(red.bits)).collect(), greens)
    }

    /// Executes a recorded step again, from the state `before` it, and compares.
    pub(super) fn follow(
        &self,
        kept: Vec<Kept>,
        (pc, raising): (I::Pc, bool),
        before: &(Vec<Red>, Vec<u64>),
        step: Step<I::Pc>,
        after: &I::State<Meta>,
    ) {
        let place = self.interpreter.describe(pc);
        let mut recorder = Recorder::following(kept, place.clone());
        let mut state = <I::State<Meta> as RedState<Meta>>::load(&before.0, &before.1);
        let again = self.meta_step(&mut recorder, pc, raising, &mut state);
        recorder.end_following();
        if again != step {
            check_failed(&format!(
                "the step at {place} is not deterministic: it ended with {step:?}, then {again:?}"
            ));
        }
        let bits = |(words, greens): (Vec<Red>, Vec<u64>)| -> (Vec<u64>, Vec<u64>) {
            (words.iter().map(|red| red.bits).collect(), greens)
        };
        let (first, second) = (bits(Self::words_of(after)), bits(Self::words_of(&state)));
        if first != second {
            check_failed(&format!(
                "the step at {place} is not deterministic: it left the state {first:x?}, then {second:x?}"
            ));
        }
    }
}
