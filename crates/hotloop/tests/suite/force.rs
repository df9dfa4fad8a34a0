//! What looking at frames costs: how often a trace is left for it, and what is in the trace for who may look.
//! (That the right things are seen: `programs/force.rs`.)

use std::time::{Duration, Instant};

use hotloop::JitOptions;
use hotloop_ir::{Opcode, Trace};

use crate::programs::parse;
use crate::run::{Report, Way, alone, run};
use crate::shapes::{body, touches_frame, traces, way};

/// The reader and the writer look where `WHEN` says, of a loop with an inlined call.
fn looking(when: &str, rounds: u32) -> String {
    let text = "
        fn main 11
          int r0 0; int r2 ROUNDS; int r3 1; int r7 70
        loop:
          WHEN; pair r4 r0 r3
          slot-if r5 0 r6; set-slot-if 8 r0 r6; call r9 callee r6 1
          first r4 r4; add r1 r1 r4; add r1 r1 r5; add r1 r1 r9
          add r0 r0 r3
          back-less r0 r2 loop
          return r1
        fn callee 3
          int r1 1
          walk-if r2 r0; add r2 r2 r1
          return r2";
    text.replace("WHEN", when).replace("ROUNDS", &rounds.to_string())
}

/// In one iteration, the one with this number.
fn looking_at(round: u32, rounds: u32) -> String {
    looking("same r6 r0 r7", rounds).replace("int r7 70", &format!("int r7 {round}"))
}

fn frames_made(trace: &Trace) -> usize {
    let makes = |op: &&hotloop_ir::Op| {
        matches!(op.code, Opcode::New | Opcode::NewArray) && op.type_ref().get().virtualizable
    };
    trace.ops.iter().filter(makes).count()
}

/// The default parameters, but hot soon.
fn usual() -> Way {
    Way::with(JitOptions { threshold: 10, function_threshold: u32::MAX, ..JitOptions::default() })
}

#[test]
fn who_may_look_costs_no_frame() {
    alone(|| {
        let (_, traces) = traces(&looking_at(70, 60), &way(), 10_000);
        let (trace, ops) = body(&traces);
        let count = |code| ops.iter().filter(|op| op.code == code).count();
        assert_eq!((count(Opcode::Call), count(Opcode::GuardNotForced)), (3, 3), "{trace}");
        assert!(!ops.iter().any(touches_frame), "{trace}");
        assert_eq!(frames_made(trace), 0, "{trace}");
        assert_eq!(
            count(Opcode::GuardType),
            0,
            "what was known of registers is known behind the call:\n{trace}"
        );
        // Not even the pair in a register is made.
        assert_eq!(count(Opcode::New), 0, "{trace}");
    });
}

/// The three calls of iteration 70 are one force each at most; the loop that was left is entered again.
#[test]
fn a_frame_read_once_is_forced_once() {
    let reader = "
        fn main 10
          int r0 0; int r2 1000; int r3 1; int r7 70
        loop:
          same r6 r0 r7; slot-if r5 0 r6; add r1 r1 r5
          add r0 r0 r3
          back-less r0 r2 loop
          return r1";
    for native in [true, false] {
        let mut way = usual();
        way.jit.native = native;
        let summary = alone(|| run(parse(reader), &way, 10_000)).expect("no internal error").summary;
        assert_eq!(
            (summary.forces, summary.loops, summary.bridges, summary.retired),
            (1, 1, 0, 0),
            "{summary}"
        );
        assert!(summary.aborts.is_empty() && summary.exits <= 3, "{summary}");
    }
}

fn same_result(text: &str, way: &Way, fuel: i64) -> Report {
    let expected = run(parse(text), &Way::plain(), fuel).expect("no internal error").outcome;
    let report = run(parse(text), way, fuel).expect("no internal error");
    assert_eq!(report.outcome, expected);
    report
}

/// A call that is looked in often is recorded anew: the frames are written back before it from then on.
#[test]
fn a_call_that_is_looked_in_often_is_recorded_anew() {
    alone(|| {
        let text = looking("div r6 r0 r7", 3000);
        let report = same_result(&text, &usual(), 10_000);
        let summary = report.summary;
        // Two places of `main` and one of `callee`; each until its guard has failed so often.
        let most = 3 * u64::from(JitOptions::default().trace_eagerness);
        assert!(summary.forces > 100 && summary.forces <= most, "{summary}");
        assert!(summary.loops <= 4 && summary.aborts.is_empty() && summary.retired == 0, "{summary}");
        assert!(summary.exits <= most + 20, "{summary}");
    });
}

#[test]
fn entries_in_which_someone_may_look_are_called_by_traces() {
    let text = "
        fn main 8
          int r0 0; int r2 300; int r3 1; int r7 250
        loop:
          same r6 r0 r7; call r4 not-inlined r6 1
          add r1 r1 r4; add r0 r0 r3
          back-less r0 r2 loop
          return r1
        fn not-inlined 3
          int r1 1
          walk-if r2 r0; add r2 r2 r1; slot-if r1 1 r0; add r2 r2 r1
          return r2";
    alone(|| {
        let mut way = usual();
        way.jit.function_threshold = 5;
        let (report, traces) = traces(text, &way, 10_000);
        let entry = traces.iter().find(|trace| trace.ops.iter().any(|op| op.code == Opcode::GuardNotForced));
        let entry = entry.expect("the entry was compiled");
        assert!(!entry.ops.iter().any(|op| op.code == Opcode::GuardReal || touches_frame(op)), "{entry}");
        let (trace, ops) = body(&traces);
        assert!(ops.iter().any(|op| op.code == Opcode::CallEntry), "{trace}");
        assert_eq!(frames_made(trace) + frames_made(entry), 0, "{trace}{entry}");
        // One of the walk; the other call of that iteration is the interpreter's.
        assert_eq!(report.summary.forces, 1, "{}", report.summary);
        assert!(report.summary.exits < 10, "{}", report.summary);
    });
}

/// A program without the JIT and with it, in turn: the shortest times of each.
fn times(text: &str, fuel: i64) -> (Duration, Duration, Report) {
    let program = parse(text);
    let timed = |way: &Way| {
        let started = Instant::now();
        let report = run(program, way, fuel).expect("no internal error");
        (started.elapsed(), report)
    };
    let plain = Way::plain();
    let jit = Way::with(JitOptions::default());
    let (mut interpreted, expected) = timed(&plain);
    let (mut compiled, report) = timed(&jit);
    assert_eq!(report.outcome, expected.outcome);
    for _ in 0..6 {
        interpreted = interpreted.min(timed(&plain).0);
        compiled = compiled.min(timed(&jit).0);
    }
    (interpreted, compiled, report)
}

/// A frame that escapes in every iteration: few aborts, and not slower than the interpreter. Whether it does so from the
/// start, only later, or now and then.
#[test]
fn a_frame_that_escapes_every_time_stays_near_the_interpreter() {
    let stored = "
        fn main 10
          int r0 0; int r2 ROUNDS; int r3 1
        loop:
          this-frame r4; set-global 1 r4; add r5 r0 r0; sub r5 r5 r3; slot-if r6 0 r3; add r1 r6 r3
          add r0 r0 r3
          back-less r0 r2 loop
          null r4; set-global 1 r4
          return r1"
        .replace("ROUNDS", "200000");
    let sum = |text: String| text.replace("add r1 r1 r9", "move r1 r9").replace("add r1 r1 r5", "move r1 r5");
    let cases = [
        ("stored and read from the start", stored),
        ("read and written from the start", sum(looking("move r6 r3", 200_000))),
        (
            "read and written from iteration 5000 on",
            sum(looking("div r6 r0 r7", 200_000)).replace("r7 70", "r7 5000"),
        ),
        ("read and written every 70 iterations", sum(looking("mod r6 r0 r7; same r6 r6 r10", 200_000))),
        ("never looked at", sum(looking_at(1_000_000, 200_000))),
    ];
    alone(|| {
        for (name, text) in cases {
            let (interpreted, compiled, report) = times(&text, 1_000_000);
            let ratio = compiled.as_secs_f64() / interpreted.as_secs_f64();
            let summary = &report.summary;
            let aborts: u32 = summary.aborts.iter().map(|(_, count)| count).sum();
            println!(
                "{name}: {interpreted:?}, with the JIT {compiled:?} ({ratio:.2}); {} forces, {} exits, {} loops, {} bridges, {aborts} aborts",
                summary.forces, summary.exits, summary.loops, summary.bridges
            );
            assert!(aborts <= 3 && summary.retired == 0, "{name}: {summary}");
            assert!(ratio <= 1.1, "{name}: {ratio:.2}\n{summary}");
        }
    });
}
