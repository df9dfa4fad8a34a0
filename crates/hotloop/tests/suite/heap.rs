//! Interpreters of several threads at once, and a heap that fails.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;

use hotloop::{Options, Runtime};

use crate::language::OUT_OF_MEMORY;
use crate::language::program::Program;
use crate::programs::{all, parse};
use crate::run::{FUEL, Way, alone, run};

/// Some programs of each kind, with what they do.
fn programs(stride: usize) -> Vec<(&'static str, &'static Program, String)> {
    let chosen = all().enumerate().filter(|(index, _)| index % stride == 0);
    chosen
        .map(|(_, (name, text))| {
            let program = parse(text);
            let expected = run(program, &Way::plain(), FUEL).expect(name).outcome;
            (name, program, format!("{expected:?}"))
        })
        .collect()
}

fn stressed(native: bool, every: u32) -> Way {
    Way { gc_stress: Some(every), ..Way::eager(native, true, 2) }
}

/// Each thread runs other programs, and collects often, in turn with the others.
#[test]
fn four_threads_run_at_once() {
    alone(|| {
        let programs = programs(2);
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let programs = &programs;
                scope.spawn(move || {
                    for (index, (name, program, expected)) in programs.iter().enumerate() {
                        if (index + thread) % 4 == 0 {
                            continue;
                        }
                        let way = stressed((index + thread) % 3 != 0, 3 + thread as u32);
                        let outcome = run(program, &way, FUEL).expect(name).outcome;
                        assert_eq!(format!("{outcome:?}"), *expected, "{name}");
                    }
                });
            }
        });
    });
}

/// Threads come and go while others go on; each has a runtime of its own for one program.
#[test]
fn threads_come_and_go() {
    alone(|| {
        let programs = programs(7);
        for round in 0..3 {
            std::thread::scope(|scope| {
                for (name, program, expected) in &programs {
                    scope.spawn(move || {
                        let outcome = run(program, &stressed(true, 4 + round), FUEL).expect(name).outcome;
                        assert_eq!(format!("{outcome:?}"), *expected, "{name}");
                    });
                }
            });
        }
    });
}

/// A call that blocks, made by a thread that has a heap, does not hold up the collections of others.
#[test]
fn a_call_that_blocks_is_not_waited_for() {
    alone(|| {
        let programs = programs(9);
        let (away, is_away) = channel();
        let (done, is_done) = channel::<()>();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let runtime = Runtime::new(Options::default());
                runtime.blocking(move || {
                    away.send(()).expect("the others are there");
                    is_done.recv().expect("the others are done");
                });
                runtime.heap().collect();
            });
            is_away.recv().expect("the thread is there");
            for (name, program, expected) in &programs {
                let outcome = run(program, &stressed(true, 2), FUEL).expect(name).outcome;
                assert_eq!(format!("{outcome:?}"), *expected, "{name}");
            }
            done.send(()).expect("the thread is there");
        });
    });
}

/// Loops of compiled code that neither allocate nor call stop for the collections of others: they are asked
/// to in the way of an interrupt.
#[test]
fn loops_stop_for_others() {
    alone(|| {
        for (way, count) in [(Way::eager(true, true, 2), 300_000_000), (Way::plain(), 20_000_000)] {
            let program = parse(&format!(
                "fn main 4
                   int r0 0; int r1 0; int r2 {count}; int r3 1
                 loop:
                   add r0 r0 r3
                   back-less r0 r2 loop
                   return r0"
            ));
            let running = AtomicU32::new(1);
            std::thread::scope(|scope| {
                let running = &running;
                let way = way.clone();
                scope.spawn(move || {
                    let outcome = run(program, &way, i64::MAX >> 4).expect("no error").outcome;
                    running.store(0, Ordering::Release);
                    assert!(outcome.result.starts_with(&format!("returned {count}")), "{outcome:?}");
                });
                let runtime = Runtime::new(Options::default());
                let mut collections = 0;
                while running.load(Ordering::Acquire) == 1 {
                    runtime.heap().collect();
                    collections += 1;
                    runtime.blocking(|| std::thread::sleep(std::time::Duration::from_millis(1)));
                }
                assert!(collections >= 3, "{collections} collections while the loop ran");
            });
        }
    });
}

/// Every allocation of a program fails in turn: it ends in the language's error, or goes on as if nothing
/// had been where the error is not noticed any more.
#[test]
fn each_allocation_may_fail() {
    alone(|| {
        let mut failed = 0;
        for (name, program, expected) in programs(4) {
            let handlers = program.functions.iter().any(|function| !function.handlers.is_empty());
            for (native, optimize) in [(true, true), (true, false), (false, true)] {
                for number in (1..=12).chain([20, 40, 80]) {
                    let way = Way { gc_fail: Some(number), ..Way::eager(native, optimize, 2) };
                    let outcome = run(program, &way, FUEL);
                    let outcome =
                        outcome.unwrap_or_else(|text| panic!("{name}: allocation {number}: {text}"));
                    let outcome = outcome.outcome;
                    let out_of_memory = outcome.result.starts_with(&format!("failed #{OUT_OF_MEMORY} "));
                    failed += u32::from(out_of_memory);
                    // A program that catches exceptions may do anything then.
                    assert!(
                        out_of_memory || handlers || format!("{outcome:?}") == expected,
                        "{name}: allocation {number}: {outcome:?}, not {expected}"
                    );
                }
            }
        }
        assert!(failed > 100, "{failed} programs failed");
    });
}
