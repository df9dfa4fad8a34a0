//! Programs by hand, each for one thing, run in all ways.

mod calls;
mod data;
mod entries;
mod force;
pub mod frames;
mod hints;
mod replay;
mod stable;
pub mod versions;

use hotloop_record::Abort;

use crate::language::program::Program;
use crate::run::{Counts, Effort, FUEL, Way, alone, compare, run};

/// Name and text. What the text looks like:
///
/// ```text
/// fn NAME REGISTERS            arguments come in the first registers, a closure's captured value before them
/// label:
///   op …; op …; END …          one step of the interpreter, however many operations
///   try FROM TO rN TARGET      exceptions between the labels go to the register and the target
/// ```
pub type Text = (&'static str, &'static str);

pub fn all() -> impl Iterator<Item = Text> {
    let all = [
        data::PROGRAMS,
        calls::PROGRAMS,
        entries::PROGRAMS,
        frames::PROGRAMS,
        force::PROGRAMS,
        replay::PROGRAMS,
        hints::PROGRAMS,
        stable::PROGRAMS,
        versions::PROGRAMS,
    ];
    all.into_iter().flatten().copied()
}

pub fn parse(text: &str) -> &'static Program {
    Box::leak(Box::new(Program::parse(text)))
}

fn check(programs: &[Text]) {
    let mut counts = Counts::default();
    let mut failures = Vec::new();
    for (name, text) in programs {
        let program = parse(text);
        if let Err(failure) = alone(|| compare(program, Effort::All, None, &mut counts)) {
            eprintln!("{name}: {}\n{}", failure.way, failure.text);
            failures.push(name);
        }
    }
    println!("{} programs, {counts:?}", programs.len());
    assert!(failures.is_empty(), "programs that differ: {failures:?}");
}

#[test]
fn data_agrees() {
    check(data::PROGRAMS);
}

#[test]
fn calls_agree() {
    check(calls::PROGRAMS);
}

#[test]
fn entries_agree() {
    check(entries::PROGRAMS);
}

#[test]
fn frames_agree() {
    check(frames::PROGRAMS);
}

#[test]
fn forced_frames_agree() {
    check(force::PROGRAMS);
}

/// Somebody looks at frames of a waiting trace in each of these, on both targets. (But for the recursion: there the
/// traces that call each other may be left before somebody looks.)
#[test]
fn forced_frames_are_forced() {
    let mut unforced = Vec::new();
    for (name, text) in force::PROGRAMS.iter().filter(|(name, _)| !name.starts_with("recursion")) {
        for native in [false, true] {
            let forces = |entries: bool| {
                let way = Way::eager(native, true, 1_000_000).with_entries(entries);
                alone(|| run(parse(text), &way, FUEL)).expect(name).summary.forces
            };
            if forces(false) + forces(true) == 0 {
                unforced.push((name, native));
            }
        }
    }
    assert!(unforced.is_empty(), "{unforced:?}");
}

#[test]
fn replay_agrees() {
    check(replay::PROGRAMS);
}

#[test]
fn hints_agree() {
    check(hints::PROGRAMS);
}

#[test]
fn stable_fields_agree() {
    check(stable::PROGRAMS);
}

#[test]
fn versions_agree() {
    check(versions::PROGRAMS);
}

/// In each of these loops another version is asked for, on both targets.
#[test]
fn versions_are_made() {
    // In the last, what comes next is never known.
    for (name, text) in &versions::PROGRAMS[..versions::PROGRAMS.len() - 1] {
        for native in [false, true] {
            let summary = alone(|| run(parse(text), &Way::eager(native, true, 2), FUEL)).expect(name).summary;
            assert!(summary.aborts.iter().any(|(why, _)| *why == Abort::OtherVersion), "{name}: {summary}");
        }
    }
}

/// A program's text form is read back as the same program.
#[test]
fn text_form() {
    for (name, text) in all() {
        let program = parse(text);
        assert_eq!(*program, Program::parse(&program.to_string()), "{name}");
    }
}

/// The programs do what they are written for, not fail on their first line.
#[test]
fn programs_succeed() {
    for (name, text) in all() {
        let report = alone(|| run(parse(text), &crate::run::Way::plain(), crate::run::FUEL));
        let outcome = report.expect(name).outcome;
        assert!(outcome.result.starts_with("returned"), "{name}: {outcome:#?}");
    }
}
