//! The suite: programs in the three languages from the published algorithms, each of which runs its work
//! round by round, checks each round's result and prints the round's number.
//!
//! The first count is the number of rounds, the last one the result that the program checks.

use super::programs::{
    Benchmark, Expected, HOTLOOP, JIT_OFF, LUAJIT, PLAIN_C, PYPY, PYTHON, fast, goal, slow,
};

/// A program of the suite: full counts, the rounds of a short run and of the interpreters' run, and the
/// counts of a run in dozens of modes.
macro_rules! program {
    ($name:literal, $about:literal, [$rounds:literal $(, $count:literal)*],
     $quick:literal, $slow:literal, [$($tiny:literal),*] $(, $peer:expr)?) => {
        Benchmark {
            name: $name,
            about: $about,
            literals: &[$rounds $(, $count)*],
            quick: &[$quick $(, $count)*],
            slow: &[$slow $(, $count)*],
            tiny: &[$($tiny),*],
            expected: Expected::Rounds,
            contestants: &[
                fast("hotloop", concat!($name, ".pyl"), HOTLOOP),
                $($peer,)?
                goal(fast("pypy3", concat!($name, ".py"), PYPY), 2.0),
                goal(fast("luajit", concat!($name, ".lua"), LUAJIT), 2.0),
                slow("hotloop, JIT off", concat!($name, ".pyl"), JIT_OFF),
                goal(slow("python3", concat!($name, ".py"), PYTHON), 1.0),
            ],
        }
    };
}

#[rustfmt::skip]
pub const SUITE: &[Benchmark] = &[
    program!("fib", "doubly recursive Fibonacci", [120, 25, 75_025], 30, 12, [2, 12, 144],
        fast("C, checked", "fib.c", PLAIN_C)),
    program!("ack", "Ackermann's function: deep recursion", [150, 6, 509], 40, 12, [2, 2, 29]),
    program!("tak", "Takeuchi's function: three arguments, four calls", [400, 6, 7], 80, 30, [2, 3, 6]),
    program!("trees", "binary trees, made and counted", [300, 14, 97_212], 40, 10, [2, 4, 31]),
    program!("conses", "lists of pairs: map, filter, reverse", [200, 40_000, 6_692_008], 40, 5, [2, 50, 8_712]),
];
