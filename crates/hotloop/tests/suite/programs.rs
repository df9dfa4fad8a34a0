//! Programs by hand, each for one thing, run in all ways.
//!
//! ```text
//! fn NAME REGISTERS         arguments come in the first registers; a closure's captured value before them
//! label:
//!   op …; op …; END …       one step of the interpreter, however many operations
//!   try FROM TO rN TARGET   exceptions between the labels go to the register and the target
//! ```

use crate::language::program::Program;
use crate::run::{Counts, Effort, alone, compare};

/// (name, text)
pub const PROGRAMS: &[(&str, &str)] = &[
    (
        "sum",
        "fn main 4
           int r0 0; int r1 0; int r2 100; int r3 1
         loop:
           add r1 r1 r0
           add r0 r0 r3
           back-less r0 r2 loop
           return r1",
    ),
];

pub fn parse(text: &str) -> &'static Program {
    Box::leak(Box::new(Program::parse(text)))
}

#[test]
fn all_ways_agree() {
    let mut counts = Counts::default();
    let mut failures = Vec::new();
    for (name, text) in PROGRAMS {
        let program = parse(text);
        if let Err(failure) = alone(|| compare(program, Effort::All, None, &mut counts)) {
            eprintln!("{name}: {}\n{}", failure.way, failure.text);
            failures.push(name);
        }
    }
    println!("{counts:?}");
    assert!(failures.is_empty(), "programs that differ: {failures:?}");
}
