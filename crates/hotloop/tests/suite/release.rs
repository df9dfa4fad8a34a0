//! Frames that were left are used again, unless somebody may still refer to them.

use hotloop::prelude::*;

use crate::language::program::Function;
use crate::language::types::{Cell, Frame, Generator};
use crate::programs::frames::KEPT_AT_THE_END;
use crate::programs::{all, parse};
use crate::run::{FUEL, Way, alone, run};

fn new(runtime: &Runtime, code: &'static Function, back: Option<Frame<Plain>>) -> Frame<Plain> {
    Frame::new(runtime, GreenRef::new(code), back, 0, 0.into(), None, Value::zero(), 4)
}

/// Whether a frame is used again after `keep` did something with it, or with the one above it.
fn is_used_again(keep: impl Fn(&Runtime, Frame<Plain>, Frame<Plain>)) -> bool {
    alone(|| {
        let runtime = Runtime::new(Options::default());
        let code = &parse("fn main 4\n return r0").functions[0];
        let below = new(&runtime, code, None);
        let above = new(&runtime, code, Some(below));
        keep(&runtime, below, above);
        below.release(&runtime);
        let next = new(&runtime, code, None);
        std::hint::black_box(above);
        next.is_same(below)
    })
}

#[test]
fn a_frame_that_nobody_knows_is_used_again() {
    assert!(is_used_again(|_, _, _| {}));
}

#[test]
fn a_frame_that_an_object_refers_to_is_kept() {
    assert!(!is_used_again(|runtime, below, _| {
        Generator::new(runtime, Some(below), 0.into());
    }));
    assert!(!is_used_again(|runtime, below, _| {
        Generator::new(runtime, None, 0.into()).set_frame(Some(below));
    }));
    assert!(!is_used_again(|runtime, below, _| {
        Cell::new(runtime, below.to_value(), 0.into(), 0.0.into(), None);
    }));
}

#[test]
fn what_a_kept_frame_refers_to_is_kept() {
    assert!(!is_used_again(|_, _, above| {
        above.to_value();
    }));
}

#[test]
fn a_frame_in_another_ones_field_is_kept() {
    // The other one may be below it.
    assert!(!is_used_again(|_, below, above| above.set_back(Some(below))));
}

/// A recording that ends too early has not shared what the steps that it recorded have kept.
#[test]
fn a_frame_kept_by_a_recording_that_fails_is_kept() {
    let (_, text) = all().find(|(name, _)| *name == KEPT_AT_THE_END).expect("a program");
    let program = parse(text);
    alone(|| {
        let expected = run(program, &Way::plain(), FUEL).expect("it runs").outcome;
        for limit in 1..60 {
            let mut way = Way::eager(false, true, 1);
            way.jit.trace_limit = limit;
            let outcome = run(program, &way, FUEL).expect("it runs").outcome;
            assert_eq!(outcome, expected, "with a limit of {limit} operations");
        }
    });
}
