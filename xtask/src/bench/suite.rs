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
    program!("fib", "doubly recursive Fibonacci", [120, 25, 75_025], 30, 60, [2, 12, 144],
        fast("C, checked", "fib.c", PLAIN_C)),
    program!("ack", "Ackermann's function: deep recursion", [150, 6, 509], 40, 30, [2, 2, 29]),
    program!("tak", "Takeuchi's function: three arguments, four calls", [400, 6, 7], 80, 200, [2, 3, 6]),
    program!("trees", "binary trees, made and counted", [300, 14, 97_212], 40, 50, [2, 4, 31]),
    program!("conses", "lists of pairs: map, filter, reverse", [300, 40_000, 6_692_008], 40, 15, [2, 50, 8_712]),
    program!("richards", "tasks that send packets", [150, 10_000, 9_297, 23_246], 30, 20, [2, 100, 95, 239]),
    program!("deltablue", "a solver of constraints", [150, 500, 2_744_460], 30, 40, [2, 3, 10_960]),
    program!("nbody", "planets: arithmetic with floats", [600, 2_000, 169_071_606], 100, 50, [2, 20, 169_070_786]),
    program!("mandelbrot", "complex numbers: floats in a short loop", [150, 200, 15_909], 30, 6, [2, 12, 60]),
    program!("fannkuch", "permutations and flips of a short list", [150, 8, 1_616], 30, 20, [2, 4, 4]),
    program!("sieve", "a long list of booleans", [500, 100_000, 9_592], 100, 50, [2, 200, 46]),
    program!("queens", "recursion and short lists", [300, 9, 352], 50, 100, [2, 4, 2]),
    program!("towers", "recursion and linked disks", [150, 15, 32_767], 30, 80, [2, 4, 15]),
    program!("permute", "recursion and swaps", [200, 7, 69_281], 30, 50, [2, 3, 41]),
    program!("bounce", "balls: objects with changing fields", [600, 1_200, 31_928], 100, 30, [2, 10, 268]),
    program!("list", "recursion over linked lists", [150, 6, 7], 30, 50, [2, 3, 6]),
    program!("storage", "a tree of lists for the collector", [200, 8, 21_845], 40, 60, [2, 3, 21]),
    program!("json", "a text read character by character", [300, 200, 55_140], 50, 150, [2, 4, 196]),
    program!("strings", "texts built, joined, split and translated", [400, 3_000, 13_402_412], 50, 200, [2, 30, 11_859]),
    program!("builder", "texts that grow by appending", [300, 20_000, 177_696], 50, 100, [2, 60, 470]),
    program!("words", "words counted in a dictionary", [400, 25_000, 1_412_507], 50, 150, [2, 40, 230_165]),
    program!("generators", "numbers through four generators", [500, 30_000, 15_563_267], 50, 100, [2, 40, 12_245]),
    program!("pingpong", "two coroutines that take turns", [400, 50_000, 250_181_671], 50, 80, [2, 30, 164_157]),
];
