//! Stable fields: what they cost, and what a write makes invalid.

use hotloop_ir::{Class, Opcode};

use crate::run::{Way, alone};
use crate::shapes::{body, traces, way};

/// One write, in the middle of a million reads.
const MILLION: &str = "
    fn main 10
      int r0 0; int r2 1000000; int r3 1; config r4 r3; int r7 500000
    loop:
      version r5 r4; add r1 r1 r5
      same r8 r0 r7
      jump-if r8 write
    on:
      add r0 r0 r3
      back-less r0 r2 loop
      return r1
    write:
      int r6 3; set-version r4 r6
      jump on";

#[test]
fn a_million_reads_cost_no_load_and_one_write_one_invalidation() {
    alone(|| {
        let (report, traces) = traces(MILLION, &way(), 2_000_000);
        assert!(report.outcome.result.starts_with("returned 1499997 "), "{:?}", report.outcome.result);
        let summary = &report.summary;
        assert_eq!((summary.loops, summary.invalidated), (2, 1), "{summary}");
        assert!(summary.exits < 10, "{summary}");
        for trace in traces.iter().filter(|trace| trace.label().is_some()) {
            let (_, ops) = body(std::slice::from_ref(trace));
            let wrong = ops.iter().find(|op| {
                let memory = matches!(op.code.class(), Class::Read | Class::Write | Class::Call);
                memory || op.code == Opcode::GuardValid
            });
            assert!(wrong.is_none(), "{wrong:?}:\n{trace}");
        }
    });
}

/// Two loops, each with an object of its own; `writes` is done to the first one's between runs of both.
fn two_loops(writes: usize) -> String {
    let runs = "call r6 sum r4 1; call r6 sum2 r5 1;";
    let runs: Vec<&str> = runs.split(';').map(str::trim).filter(|line| !line.is_empty()).collect();
    let mut text = String::from("fn main 8\n int r0 5; int r3 1; config r4 r3; config r5 r3\n");
    for round in 0..=writes {
        for run in &runs {
            text.push_str(&format!("{run}\n add r1 r1 r6\n"));
        }
        if round < writes {
            text.push_str(&format!("int r7 {}; set-version r4 r7\n", round + 2));
        }
    }
    for run in &runs {
        text.push_str(&format!("{run}\n add r1 r1 r6\n"));
    }
    text.push_str("return r1\n");
    for name in ["sum", "sum2"] {
        text.push_str(&format!(
            "fn {name} 6
               int r1 0; int r2 30; int r3 1
             loop:
               version r4 r0; add r5 r5 r4; add r1 r1 r3
               back-less r1 r2 loop
               return r5\n"
        ));
    }
    text
}

/// A write makes invalid what relied on that field of that object, and nothing else.
#[test]
fn a_write_invalidates_exactly_the_traces_that_relied_on_it() {
    alone(|| {
        for writes in 0..4 {
            for native in [false, true] {
                let way = Way::eager(native, true, 1000);
                let (report, _) = traces(&two_loops(writes), &way, 10_000);
                let expected = traces(&two_loops(writes), &Way::plain(), 10_000).0.outcome;
                assert_eq!(report.outcome, expected);
                let summary = &report.summary;
                let (loops, invalidated) = (summary.loops as usize, summary.invalidated as usize);
                assert_eq!((loops, invalidated), (2 + writes, writes), "{summary}");
                assert!(summary.aborts.is_empty(), "{summary}");
            }
        }
    });
}

/// A write that changes nothing invalidates nothing.
#[test]
fn a_write_of_the_same_invalidates_nothing() {
    let text = "
        fn main 9
          int r0 0; int r2 100; int r3 1; config r4 r3; set-version r4 r3
        loop:
          version r5 r4; add r1 r1 r5; set-version r4 r3; poke-version r4 r3
          add r0 r0 r3
          back-less r0 r2 loop
          return r1";
    alone(|| {
        let (report, _) = traces(text, &way(), 10_000);
        let summary = &report.summary;
        assert_eq!((summary.loops, summary.invalidated, summary.aborts.len()), (1, 0, 0), "{summary}");
    });
}

/// A field that is written in every iteration costs a few recordings, then it is read like any other.
#[test]
fn a_restless_field_is_read_at_last() {
    let text = "
        fn main 9
          int r0 0; int r2 1000; int r3 1; config r4 r3
        loop:
          version r5 r4; add r1 r1 r5; set-version r4 r0
          add r0 r0 r3
          back-less r0 r2 loop
          return r1";
    alone(|| {
        let (report, traces) = traces(text, &way(), 10_000);
        let (trace, ops) = body(&traces);
        assert!(ops.iter().any(|op| op.code == Opcode::Call), "the write is made:\n{trace}");
        let summary = &report.summary;
        assert_eq!((summary.loops, summary.bridges), (1, 0), "{summary}");
        let aborts: u32 = summary.aborts.iter().map(|(_, count)| count).sum();
        assert!(aborts <= 4 && summary.invalidated <= 4 && summary.exits < 10, "{summary}");
    });
}

/// Only what is recorded is given up when a field is written that it had relied on: the loop goes on.
#[test]
fn a_bridge_that_was_made_invalid_leaves_the_loop_alone() {
    let text = "
        fn main 10
          int r0 1; int r2 400; int r3 1; config r4 r3; int r7 2; int r8 200
        loop:
          mod r6 r0 r7
          jump-if r6 odd
        on:
          add r0 r0 r3
          back-less r0 r2 loop
          return r1
        odd:
          version r5 r4; add r1 r1 r5
          jump-less r0 r8 on
          int r8 10000; set-version r4 r0
          jump on";
    alone(|| {
        let (report, traces) = traces(text, &way(), 10_000);
        let loops = traces.iter().filter(|trace| trace.label().is_some()).count();
        let checks = traces.iter().filter(|trace| trace.label().is_none());
        let checked = checks.filter(|trace| trace.ops.iter().any(|op| op.code == Opcode::GuardValid)).count();
        let summary = &report.summary;
        // It was recorded anew when its second path turned up.
        assert_eq!((loops, summary.loops, summary.invalidated), (2, 2, 1), "{summary}");
        assert!(checked >= 1, "a bridge checks what it relies on: {summary}");
    });
}
