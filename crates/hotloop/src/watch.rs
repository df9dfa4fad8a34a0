//! `check_hints` for native code: what it reads and writes, against what its author declared; and what
//! elidable and loop-invariant functions answer.
//!
//! The accessors of `Plain` come here while somebody checks. An object that was made in a call is its own
//! affair. Memory that native code writes past the accessors is seen where it matters: by following recorded
//! steps again later (`driver/check.rs`).

use std::cell::RefCell;
use std::collections::HashMap;

use hotloop_ir::{Effect, FieldKind, Mutability};
use hotloop_record::{check_failed, checking, place};

use crate::heap::TypeCell;
use crate::mode::{Direct, Mode};
use crate::red::Value;
use crate::residual::{CallCell, Outcome};

/// What is done to a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Access {
    Read,
    Write,
}

/// A native function at work.
struct Running {
    cell: &'static CallCell,
    /// Objects made since are its own.
    since: u64,
}

/// What an elidable function answered, and where it was asked.
struct Answered {
    cell: &'static CallCell,
    args: Vec<u64>,
    outcome: Outcome,
    place: String,
}

#[derive(Default)]
struct Watch {
    running: Vec<Running>,
    /// Objects that native code made, and when.
    made: HashMap<u64, u64>,
    clock: u64,
    answers: Vec<Answered>,
    answer_of: HashMap<(usize, Vec<u64>), usize>,
    /// Runs of loops so far, the one at work (0: none), and what loop-invariant functions answered in it.
    runs: u64,
    run: u64,
    invariants: HashMap<(usize, Vec<u64>), (u64, Outcome)>,
}

thread_local! {
    static WATCH: RefCell<Watch> = RefCell::default();
}

/// The natives at work on a native stack that is not running, and the run of a loop.
#[derive(Default)]
pub(crate) struct OnStack(Vec<Running>, u64);

impl OnStack {
    /// The stack is about to go on; from then on this is what belongs to the one that is left.
    pub fn exchange(&mut self) {
        WATCH.with_borrow_mut(|watch| {
            std::mem::swap(&mut self.0, &mut watch.running);
            std::mem::swap(&mut self.1, &mut watch.run);
        });
    }
}

/// Answers of elidable functions that are kept.
const MOST_ANSWERS: usize = 1024;

impl Watch {
    /// What is wrong with an access.
    fn fault(&self, object: u64, ty: &TypeCell, mutability: Mutability, access: Access) -> Option<String> {
        let made = self.made.get(&object).copied();
        let first = self.running.first().map_or(0, |first| first.since);
        let name = self.running.last().map_or("native code", |last| last.cell.name());
        if mutability == Mutability::Immutable {
            let foreign = made.is_none_or(|at| at < first);
            return (access == Access::Write && foreign)
                .then(|| format!("`{name}` writes {{}}, which is immutable"));
        }
        for Running { cell, since } in &self.running {
            if made.is_some_and(|at| at >= *since) {
                continue;
            }
            let (name, effect) = (cell.name(), cell.effect());
            if effect == Effect::Elidable && !cell.caches() {
                return Some(match access {
                    Access::Read => format!("`{name}` is not elidable: it reads {{}}, which may change"),
                    Access::Write => format!("`{name}` is not elidable: it writes {{}}"),
                });
            }
            if access == Access::Write && matches!(effect, Effect::Reads | Effect::Invariant) {
                return Some(format!("`{name}` writes {{}}, but is declared to write nothing"));
            }
            if ty.is_virtualizable() && effect != Effect::Any {
                return Some(format!(
                    "`{name}` looks at {{}}, which is a frame, but its effect is not `any`"
                ));
            }
        }
        None
    }

    fn visit(&self, visit: &mut dyn FnMut(u64)) {
        for answered in &self.answers {
            answered.args.iter().for_each(|word| visit(*word));
            visit(answered.outcome.value);
        }
        for ((_, args), (_, outcome)) in &self.invariants {
            args.iter().for_each(|word| visit(*word));
            visit(outcome.value);
        }
    }
}

/// An access of native code to a field (`Some`) or an item.
#[cold]
#[inline(never)]
pub(crate) fn accessed(
    object: u64,
    ty: &'static TypeCell,
    field: Option<usize>,
    mutability: Mutability,
    access: Access,
) {
    if !checking() {
        return;
    }
    let fault = WATCH.with_borrow(|watch| watch.fault(object, ty, mutability, access));
    if let Some(fault) = fault {
        let place = match field {
            Some(index) => format!("`{}.{}`", ty.name(), ty.field_name(index)),
            None => format!("an item of a `{}`", ty.name()),
        };
        check_failed(&fault.replace("{}", &place));
    }
}

/// Native code made an object.
#[cold]
#[inline(never)]
pub(crate) fn made(object: u64) {
    if checking() {
        WATCH.with_borrow_mut(|watch| {
            watch.clock += 1;
            let now = watch.clock;
            watch.made.insert(object, now);
        });
    }
}

/// Checking begins or ends: nothing is known.
pub(crate) fn forget() {
    WATCH.set(Watch::default());
}

/// A run of a loop, or the recording of one iteration: in it, loop-invariant functions answer the same.
pub(crate) struct OneRun(u64);

impl OneRun {
    /// Begins one, if hints are checked.
    pub fn begin(check: bool) -> Option<OneRun> {
        check.then(|| {
            WATCH.with_borrow_mut(|watch| {
                watch.runs += 1;
                OneRun(std::mem::replace(&mut watch.run, watch.runs))
            })
        })
    }
}

impl Drop for OneRun {
    fn drop(&mut self) {
        WATCH.with_borrow_mut(|watch| watch.run = self.0);
    }
}

/// Calls `visit` with every word that is kept.
pub(crate) fn visit(visit: &mut dyn FnMut(u64)) {
    WATCH.with_borrow(|watch| watch.visit(visit));
}

/// Runs native code, its accesses held against what the cell declares.
fn observe(cell: &'static CallCell, body: &dyn Fn() -> Outcome) -> Outcome {
    WATCH.with_borrow_mut(|watch| {
        let since = watch.clock + 1;
        watch.running.push(Running { cell, since });
    });
    let outcome = body();
    WATCH.with_borrow_mut(|watch| {
        watch.running.pop();
        if watch.running.is_empty() {
            watch.made.clear();
        }
    });
    outcome
}

/// Runs a native function in check mode.
#[cold]
#[inline(never)]
pub(crate) fn run(cell: &'static CallCell, args: &[u64], body: &dyn Fn() -> Outcome) -> Outcome {
    if !checking() {
        return body();
    }
    let outcome = observe(cell, body);
    match cell.effect() {
        Effect::Elidable => {
            let again = observe(cell, body);
            if !same(cell, outcome, again) {
                check_failed(&format!(
                    "`{}` is not elidable: it answered {}, then {} to the same arguments",
                    cell.name(),
                    say(outcome),
                    say(again)
                ));
            }
            remember(cell, args, outcome);
        }
        Effect::Invariant => invariant(cell, args, outcome),
        _ => {}
    }
    outcome
}

/// An elidable function answered: as it did before, to the same arguments.
fn remember(cell: &'static CallCell, args: &[u64], outcome: Outcome) {
    let key = (std::ptr::from_ref(cell) as usize, args.to_vec());
    let before = WATCH.with_borrow(|watch| {
        let answered = &watch.answers[*watch.answer_of.get(&key)?];
        Some((answered.outcome, answered.place.clone()))
    });
    match before {
        Some((before, place)) => still(cell, before, &place, outcome),
        None => WATCH.with_borrow_mut(|watch| {
            if watch.answers.len() < MOST_ANSWERS {
                let place = place().unwrap_or_default();
                watch.answer_of.insert(key, watch.answers.len());
                watch.answers.push(Answered { cell, args: args.to_vec(), outcome, place });
            }
        }),
    }
}

fn still(cell: &CallCell, before: Outcome, place: &str, now: Outcome) {
    if !same(cell, before, now) {
        check_failed(&format!(
            "`{}` is not elidable: it answered {} at {place}, and later {} to the same arguments",
            cell.name(),
            say(before),
            say(now)
        ));
    }
}

/// Asks the elidable functions again: what was folded into traces must still hold. `which` chooses.
pub(crate) fn ask_again(which: impl Fn(usize) -> bool) {
    let count = WATCH.with_borrow(|watch| watch.answers.len());
    for index in (0..count).filter(|index| which(*index)) {
        let (cell, args, outcome, place) = WATCH.with_borrow(|watch| {
            let Answered { cell, args, outcome, place } = &watch.answers[index];
            (*cell, args.clone(), *outcome, place.clone())
        });
        if let Some(now) = cell.call(&args) {
            still(cell, outcome, &place, now);
        }
    }
}

fn invariant(cell: &'static CallCell, args: &[u64], outcome: Outcome) {
    let key = (std::ptr::from_ref(cell) as usize, args.to_vec());
    let before = WATCH.with_borrow_mut(|watch| {
        let run = watch.run;
        if run == 0 {
            return None;
        }
        let before = watch.invariants.insert(key, (run, outcome));
        before.filter(|(in_run, _)| *in_run == run).map(|(_, before)| before)
    });
    if let Some(before) = before
        && !same(cell, before, outcome)
    {
        check_failed(&format!(
            "`{}` is not loop-invariant: it answered {}, then {} in one run of a loop",
            cell.name(),
            say(before),
            say(outcome)
        ));
    }
}

/// Whether both outcomes say the same. Objects are compared by their types: a function may make a new one
/// each time.
fn same(cell: &CallCell, first: Outcome, second: Outcome) -> bool {
    let type_of = |object: u64| if object == 0 { 0 } else { <Direct as Mode>::type_number(object) };
    first.raised == second.raised
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
        }
}

fn say(outcome: Outcome) -> String {
    format!("{:#x}{}", outcome.value, if outcome.raised != 0 { " (raised)" } else { "" })
}

/// An elidable function answers what the author said.
#[cold]
pub(crate) fn check_assumed(cell: &CallCell, said: u64, found: Outcome) {
    let said = Outcome { value: said, raised: 0 };
    if !same(cell, said, found) {
        check_failed(&format!(
            "`{}` was said to answer {}, but answers {}",
            cell.name(),
            say(said),
            say(found)
        ));
    }
}
