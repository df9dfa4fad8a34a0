//! What hints make of traces.

use hotloop_ir::{Op, Opcode, Trace};

use crate::run::{Report, alone};
use crate::shapes::{body, traces, way};

/// A loop around `work`; `r0` counts, `r2` is the end, `r3` is 1, `r5` is the old `r0`.
fn around(before: &str, work: &str) -> String {
    format!(
        "fn main 10
           int r0 0; int r2 300; int r3 1
           {before}
         loop:
           {work}
           move r5 r0; add r0 r0 r3
           back-less r0 r2 loop
           return r1"
    )
}

fn run_loop(before: &str, work: &str) -> (Report, Vec<Trace>) {
    let (report, traces) = traces(&around(before, work), &way(), 10_000);
    assert!(report.outcome.result.starts_with("returned"), "{:?}", report.outcome);
    (report, traces)
}

/// The names of the functions that the operations call.
fn calls(ops: &[Op]) -> Vec<String> {
    ops.iter().filter(|op| op.code == Opcode::Call).map(|op| op.call().get().name.clone()).collect()
}

/// Checks the loop's body.
fn check_body(before: &str, work: &str, called: &[&str], wrong: impl Fn(&Op) -> bool) {
    let (_, traces) = run_loop(before, work);
    let (trace, ops) = body(&traces);
    assert_eq!(calls(&ops), called, "{work}:\n{trace}");
    if let Some(op) = ops.iter().find(|op| wrong(op)) {
        panic!("{}: {work}:\n{trace}", op.code.name());
    }
}

#[test]
fn what_is_looked_into_is_not_called() {
    alone(|| {
        check_body("next", "array r4 3; set-item r4 r3 r0; total r4 r4; move r1 r4", &[], |_| false);
        check_body("array r4 9", "total r6 r4; move r1 r6", &["total_called"], |_| false);
        check_body(
            "array r4 2; cell r6 r4",
            "advance r6; cell r6 r4; poke r6 r4; cell-get r7 r6; total r7 r7",
            &["advance", "poke", "total_called"],
            |_| false,
        );
    });
}

#[test]
fn a_promoted_elidable_call_folds() {
    alone(|| check_body("int r4 6", "hash-const r1 r4", &[], |_| false));
}

/// One call when the loop is entered, none in it; a function without the hint is called each time.
#[test]
fn a_loop_invariant_call_is_made_once() {
    alone(|| {
        let (_, traces) = run_loop("cell r4 r0", "limit r1; poke r4 r1; limit r6; add r1 r1 r6");
        let (trace, ops) = body(&traces);
        assert_eq!(calls(&ops), ["poke"], "{trace}");
        assert_eq!(calls(&trace.ops), ["limit", "poke", "poke"], "{trace}");
    });
}

#[test]
fn what_is_not_in_the_trace_is_not_in_it() {
    alone(|| {
        let (_, traces) = run_loop("next", "watch r0");
        for trace in &traces {
            assert!(calls(&trace.ops).is_empty(), "{trace}");
        }
    });
}

#[test]
fn results_that_the_author_knows_are_not_computed() {
    alone(|| {
        check_body("next", "square r4 r0; square-root r1 r4", &[], |_| false);
        check_body("next", "mix r4 r0 r3; square-root r1 r4", &["square_root"], |_| false);
    });
}

#[test]
fn types_that_the_author_knows_are_not_guarded() {
    alone(|| {
        let before = "cell r6 r3; pair r4 r0 r3; cell-set r6 r4";
        let guards_type = |op: &Op| op.code == Opcode::GuardType;
        check_body(
            before,
            "advance r6; poke r6 r4; peek r7 r6; sure-first r1 r7",
            &["advance", "poke", "peek", "is_pair"],
            guards_type,
        );
        // The same without the hint.
        let (_, traces) = run_loop(before, "advance r6; poke r6 r4; peek r7 r6; first r1 r7");
        let (trace, ops) = body(&traces);
        assert!(ops.iter().any(guards_type), "{trace}");
    });
}

/// A call that is made now and then, without a guard: no exits, no bridges.
#[test]
fn conditional_calls_need_no_guard() {
    alone(|| {
        let (report, traces) = run_loop(
            "cell r4 r0; int r6 5",
            "mod r7 r0 r6; at-least r4 r7; cell-get r8 r4; add r1 r1 r8; cell-set r4 r3",
        );
        let (trace, ops) = body(&traces);
        let conditional = ops.iter().filter(|op| op.code == Opcode::CallIf).count();
        assert_eq!((conditional, calls(&ops).len()), (1, 0), "{trace}");
        let summary = &report.summary;
        assert!(summary.bridges == 0 && summary.exits < 10, "{summary}");
        // What is known while compiling needs no call, or no condition.
        let (_, traces) = run_loop("int r6 5", "cell r4 r0; cached r7 r4; cached r8 r4; add r1 r7 r8");
        let (trace, ops) = body(&traces);
        assert_eq!(calls(&ops), ["compute"], "{trace}");
        let unless = ops.iter().filter(|op| op.code == Opcode::CallUnless).count();
        assert!(unless <= 1, "{trace}");
    });
}
