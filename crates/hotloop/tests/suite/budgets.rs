//! What can't be compiled usefully costs little: chains of bridges end, loops that don't pay are retired,
//! traces that are too long are not tried for ever.

use hotloop_record::Abort;

use crate::programs::parse;
use crate::run::{Report, Way, alone, run};

const FUEL: i64 = 10_000_000;

/// Runs the program with RPython's parameters, and compares with the interpreter.
fn defaults(text: &str) -> Report {
    let program = parse(text);
    let expected = run(program, &Way::plain(), FUEL).expect("no internal error").outcome;
    let report = run(program, &Way::with(Default::default()), FUEL).expect("no internal error");
    assert_eq!(report.outcome, expected);
    report
}

/// Functions that are called in turn from one place.
fn functions(count: u32, rounds: u32) -> String {
    let mut text = format!("fn main 12\n int r0 0; int r2 {count}; int r3 1; array r7 {count}\n");
    for index in 0..count {
        text += &format!(" int r8 {index}; closure r9 f{index} r8; set-item r7 r8 r9\n");
    }
    text += &format!(
        " int r5 {rounds}\nouter:\n int r1 0\ninner:\n item r9 r7 r1\n call-value r4 r9 r4 1\n add r1 r1 r3\n \
         back-less r1 r2 inner\n add r0 r0 r3\n back-less r0 r5 outer\n return r4\n"
    );
    for index in 0..count {
        text += &format!("fn f{index} 4\n int r2 {}; add r1 r1 r2; xor r1 r1 r0\n return r1\n", index % 7);
    }
    text
}

#[test]
fn many_values_of_one_promote_end_in_the_interpreter() {
    alone(|| {
        let Report { summary, .. } = defaults(&functions(500, 200));
        assert!(summary.bridges <= 2 * 10 && summary.code_bytes < 32 << 10, "{summary}");
        // The loop rests or is retired: its exits cost more than it gains.
        assert!(summary.exits < 20_000, "{summary}");
        // So many are worth their code.
        let Report { summary, .. } = defaults(&functions(60, 2000));
        assert!(summary.bridges >= 55 && summary.retired == 0 && summary.exits < 20_000, "{summary}");
    });
}

/// Nine values, each null or a number, in all 512 combinations.
#[test]
fn many_paths_are_bounded() {
    let mut text = String::from("fn main 24\n int r0 0; int r2 60000; int r3 1\nloop:\n");
    text += " int r4 40503; mul r5 r0 r4; int r4 511; and r5 r5 r4\n";
    for bit in 0..9 {
        let number = 1 << bit;
        text += &format!(
            " null r{0}; int r4 {number}; and r4 r5 r4\n jump-if r4 set{bit}\n jump next{bit}\nset{bit}:\n \
             move r{0} r0\nnext{bit}:\n next\n",
            10 + bit
        );
    }
    for bit in 0..9 {
        text += &format!(
            " jump-if r{} some{bit}\n add r6 r6 r3\n jump end{bit}\nsome{bit}:\n xor r6 r6 r{}\nend{bit}:\n next\n",
            10 + bit,
            10 + bit
        );
    }
    text += " add r0 r0 r3\n back-less r0 r2 loop\n return r6\n";
    alone(|| {
        let Report { summary, .. } = defaults(&text);
        assert!(summary.bridges <= 200 && summary.code_bytes < 512 << 10, "{summary}");
        assert!(summary.exits < 50_000, "{summary}");
    });
}

/// Another type in every iteration.
#[test]
fn types_that_change_are_compiled() {
    let text = "
        fn main 16
          int r0 0; int r2 50000; int r3 1; int r4 4; array r5 4
          int r6 0; set-item r5 r6 r3
          int r6 1; float r7 2.5; set-item r5 r6 r7
          int r6 2; pair r7 r0 r0; set-item r5 r6 r7
          int r6 3; null r7; set-item r5 r6 r7
        loop:
          mod r6 r0 r4; item r7 r5 r6
          is-pair r8 r7; same r9 r7 r3
          jump-if r8 pair
          jump-if r9 one
          add r1 r1 r3
          jump next
        pair:
          first r8 r7; add r1 r1 r8
          jump next
        one:
          add r1 r1 r7
        next:
          add r0 r0 r3
          back-less r0 r2 loop
          return r1";
    alone(|| {
        let Report { summary, .. } = defaults(text);
        assert!(summary.retired == 0 && summary.bridges < 20 && summary.exits < 5000, "{summary}");
    });
}

/// A loop that is too large for a trace is compiled in pieces.
#[test]
fn huge_loops_are_compiled_in_pieces() {
    let mut text = String::from("fn main 12\n int r0 0; int r2 20000; int r3 1\nloop:\n");
    for index in 0..900 {
        text += &format!(" next r4; xor r5 r5 r4; set-global {} r5; add r6 r4 r5; xor r7 r7 r6\n", index % 8);
    }
    text += " add r0 r0 r3\n back-less r0 r2 loop\n return r7\n";
    alone(|| {
        let program = parse(&text);
        let expected = run(program, &Way::plain(), 2000).expect("no internal error").outcome;
        for (native, limit) in [(true, 1000), (false, 1000), (true, 3000)] {
            let mut way = Way::with(Default::default());
            (way.jit.threshold, way.jit.trace_limit, way.jit.native) = (2, limit, native);
            let report = run(program, &way, 2000).expect("no internal error");
            let summary = &report.summary;
            assert_eq!(report.outcome, expected);
            assert!(summary.aborts.is_empty() && summary.loops == 1 && summary.bridges >= 2, "{summary}");
            assert!(summary.exits < 30, "{summary}");
        }
    });
}

/// An instruction that is too large for a trace is tried a few times, with growing pauses.
#[test]
fn huge_instructions_are_given_up() {
    let text = format!(
        "fn main 12\n int r0 0; int r2 20000; int r3 1\nloop:\n next r4{}\n add r0 r0 r3\n \
         back-less r0 r2 loop\n return r7\n",
        "; add r5 r4 r7; xor r7 r5 r4; set-global 1 r7; global r4 2".repeat(300)
    );
    alone(|| {
        let mut way = Way::with(Default::default());
        (way.jit.threshold, way.jit.trace_limit) = (2, 1000);
        let report = run(parse(&text), &way, 3000).expect("no internal error");
        let aborts: u32 = report.summary.aborts.iter().map(|(_, count)| count).sum();
        assert!((1..=way.jit.max_aborts + 1).contains(&aborts), "{}", report.summary);
        assert_eq!(report.summary.aborts[0].0, Abort::TooLong, "{}", report.summary);
    });
}
