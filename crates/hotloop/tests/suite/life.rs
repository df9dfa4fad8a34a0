//! Code is freed, code memory runs out, interrupts and limits of the heap come at any time.

use std::sync::atomic::{AtomicBool, Ordering};

use hotloop::Vm;

use crate::language::Tiny;
use crate::programs::parse;
use crate::run::{Report, Way, alone, run};

/// The outer loop enters the inner one; others are hot for a while.
fn phases(rounds: u32) -> String {
    let mut text = String::from("fn main 12\n int r0 0; int r2 30; int r3 1\n");
    for round in 0..rounds {
        text += &format!(
            " int r0 0\nouter{round}:\n int r1 0\ninner{round}:\n add r4 r4 r1; add r1 r1 r3\n \
             back-less r1 r2 inner{round}\n add r0 r0 r3\n back-less r0 r2 outer{round}\n"
        );
    }
    text + " return r4\n"
}

fn native(longevity: u32, max_code: u32) -> Way {
    let mut way = Way::eager(true, true, 2);
    (way.jit.loop_longevity, way.jit.max_code) = (longevity, max_code);
    way
}

fn ok(text: &str, way: &Way) -> Report {
    run(parse(text), way, 1_000_000).expect("no internal error")
}

/// What is not used any more is freed; what is entered from other traces only is not.
#[test]
fn code_ages() {
    alone(|| {
        let text = phases(100);
        let expected = ok(&text, &Way::plain()).outcome;
        let all = ok(&text, &native(1000, 64 << 20));
        assert_eq!((&all.outcome, all.summary.freed), (&expected, 0), "{}", all.summary);
        for longevity in [0, 3, 20] {
            let some = ok(&text, &native(longevity, 64 << 20));
            let summary = &some.summary;
            assert_eq!(some.outcome, expected);
            let left = summary.loops + summary.bridges - summary.freed;
            assert!(left <= 4 + 3 * (longevity + longevity.isqrt()), "{left} left: {summary}");
            // Freed too early, it would have to be made again.
            if longevity > 3 {
                assert_eq!(summary.loops, all.summary.loops, "{summary}");
            }
        }
    });
}

/// The oldest code makes room for new code; the limit holds at all times.
#[test]
fn code_memory_is_limited() {
    alone(|| {
        let text = phases(100);
        let expected = ok(&text, &Way::plain()).outcome;
        for max_code in [0, 64, 1 << 10, 8 << 10, 128 << 10] {
            let some = ok(&text, &native(1000, max_code));
            let summary = &some.summary;
            assert_eq!(some.outcome, expected);
            assert!(summary.code_bytes - summary.freed_bytes <= max_code as u64, "{summary}");
            if max_code >= 8 << 10 {
                assert!(summary.loops >= 200 && (summary.freed > 100) == (max_code < 128 << 10), "{summary}");
            }
        }
    });
}

/// Two loops that don't fit together: they are not compiled in turns for ever.
#[test]
fn loops_that_do_not_fit_are_given_up() {
    alone(|| {
        let text = "
            fn main 12
              int r0 0; int r2 400; int r3 1; int r5 30
            outer:
              int r1 0
            one:
              add r4 r4 r1; add r1 r1 r3
              back-less r1 r5 one
              int r1 0
            other:
              sub r4 r4 r1; add r1 r1 r3; xor r6 r4 r1
              back-less r1 r5 other
              add r0 r0 r3
              back-less r0 r2 outer
              return r4";
        let expected = ok(text, &Way::plain()).outcome;
        let most = ok(text, &native(1000, 64 << 20)).summary.code_bytes as u32;
        for max_code in (64..most).step_by(128) {
            let some = ok(text, &native(1000, max_code));
            let aborts: u32 = some.summary.aborts.iter().map(|(_, count)| count).sum();
            assert_eq!(some.outcome, expected);
            assert!(some.summary.loops + some.summary.bridges + aborts < 150, "{}", some.summary);
        }
    });
}

/// An interrupt at every poll, or at any moment, changes nothing if the language goes on.
#[test]
fn interrupts_change_nothing() {
    alone(|| {
        let text = phases(3);
        for native in [false, true] {
            for eagerness in [1, 3, 1000] {
                let mut way = Way::eager(native, true, eagerness);
                let expected = ok(&text, &way).outcome;
                way.interrupts.always = true;
                let report = ok(&text, &way);
                assert_eq!(report.outcome, expected);
                assert!(report.interrupts > 1000, "{} interrupts", report.interrupts);
                way.interrupts.always = false;
                let report = while_interrupted(&text, &way);
                assert_eq!(report.0, expected);
                assert!(report.1 > 0);
            }
        }
    });
}

/// Runs the program again and again while another thread interrupts it.
fn while_interrupted(text: &str, way: &Way) -> (crate::language::Outcome, u64) {
    let options = hotloop::Options { jit: way.jit, ..Default::default() };
    let tiny = Tiny::new(options, parse(text));
    let vm = Vm::new(&tiny);
    let interrupter = tiny.runtime.interrupter();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                interrupter.interrupt();
                std::thread::sleep(std::time::Duration::from_micros(20));
            }
        });
        let mut outcome = tiny.run(&vm, 1_000_000);
        for _ in 0..1000 {
            if tiny.interrupts.count.get() >= 3 {
                break;
            }
            outcome = tiny.run(&vm, 1_000_000);
        }
        done.store(true, Ordering::Relaxed);
        (outcome, tiny.interrupts.count.get())
    })
}

/// An interrupt that is an error ends the program there, with all that it has printed so far.
#[test]
fn interrupts_are_errors() {
    let text = "
        fn main 12
          int r0 0; int r2 40; int r3 1; int r5 10
        outer:
          int r1 0
        inner:
          add r4 r4 r1; add r1 r1 r3
          back-less r1 r5 inner
          print r4; add r0 r0 r3
          back-less r0 r2 outer
          return r4";
    alone(|| {
        let whole = ok(text, &Way::plain()).outcome.output;
        for native in [false, true] {
            for eagerness in [1, 1000] {
                for left in [999_999, 999_900, 999_700, 999_650] {
                    let mut way = Way::eager(native, true, eagerness);
                    (way.interrupts.always, way.interrupts.error_at) = (true, Some(left));
                    let outcome = ok(text, &way).outcome;
                    assert!(outcome.result.starts_with("failed #18"), "{}", outcome.result);
                    assert!(whole.starts_with(&outcome.output) && outcome.output.len() < whole.len());
                }
            }
        }
    });
}

/// A heap that outgrows its limit is an error of the language, wherever the objects are made.
#[test]
fn a_full_heap_is_an_error() {
    let texts = [
        // In the loop, and all are kept.
        "fn main 8
           int r0 0; int r3 1; int r2 100000000; null r4
         loop:
           pair r4 r0 r4; array r5 20; set-global 2 r5; add r0 r0 r3
           back-less r0 r2 loop
           return r0",
        // In a callee.
        "fn main 8
           int r0 0; int r3 1; int r2 100000000; null r4
         loop:
           call r4 f r4 1
           add r0 r0 r3
           back-less r0 r2 loop
           return r0
         fn f 4
           int r1 0; pair r2 r0 r0; array r3 30; set-item r3 r1 r2; pair r0 r3 r0
           return r0",
    ];
    alone(|| {
        for text in texts {
            for mut way in [Way::plain(), Way::eager(true, true, 2), Way::eager(false, true, 2)] {
                way.heap_limit = Some(8 << 20);
                let outcome = run(parse(text), &way, 1 << 40).expect("no internal error").outcome;
                assert!(outcome.result.starts_with("failed #17"), "{}", outcome.result);
            }
        }
    });
}
