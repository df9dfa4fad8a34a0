//! The benchmarks as data: which programs run against each other, with which counts, and what they
//! must print.
//!
//! A source file has its counts written into it as literals ([`Benchmark::literals`]); a shorter run
//! replaces them in a copy ([`with_counts`]), so that every language is measured on the program as its
//! programmer writes it. C programs take the counts from argv: gcc would compute with constants.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::suite;
use crate::{Result, workspace};

/// One piece of work in several languages.
pub struct Benchmark {
    pub name: &'static str,
    pub about: &'static str,
    /// The counts as they stand in the sources.
    pub literals: &'static [u64],
    /// The counts of `--quick`.
    pub quick: &'static [u64],
    /// The counts for interpreters, which are compared among themselves.
    pub slow: &'static [u64],
    /// The counts for `diff`, which runs each program in dozens of modes.
    pub tiny: &'static [u64],
    pub expected: Expected,
    pub contestants: &'static [Contestant],
}

/// What every contestant must print.
pub enum Expected {
    Nothing,
    /// The counts, which the loops' variables have reached in the end.
    Counts,
    /// The numbers of the rounds, the first count, a line each: the program checks its results itself.
    Rounds,
    /// What `closures.pyl` sums up.
    Closures,
    /// The contents of this file.
    File(&'static str),
}

/// One program in a race. The first one of each pace is what the others are compared with.
pub struct Contestant {
    pub label: &'static str,
    pub file: &'static str,
    pub runner: Runner,
    pub pace: Pace,
    /// The first contestant's time must be at most this many times this contestant's.
    pub goal: Option<f64>,
}

impl Contestant {
    /// Whether it writes line by line to a terminal, as all interpreters do.
    pub fn is_interpreter(&self) -> bool {
        matches!(self.runner, Runner::Hotloop(_) | Runner::Script(_))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Compiled: runs the full counts.
    Fast,
    /// Interpreted: would take minutes for them.
    Slow,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Runner {
    /// `hotloop run` with these arguments before the file.
    Hotloop(&'static [&'static str]),
    /// An interpreter, by the name of its program.
    Script(&'static str),
    /// gcc -O2; `overflow_checks` is how many overflow jumps must stand in one loop of it.
    C { overflow_checks: usize },
    /// One of the two interpreters of hotloop's example `direct`.
    Direct(&'static str),
}

pub const fn fast(label: &'static str, file: &'static str, runner: Runner) -> Contestant {
    Contestant { label, file, runner, pace: Pace::Fast, goal: None }
}

pub const fn slow(label: &'static str, file: &'static str, runner: Runner) -> Contestant {
    Contestant { label, file, runner, pace: Pace::Slow, goal: None }
}

pub const fn goal(contestant: Contestant, goal: f64) -> Contestant {
    Contestant { goal: Some(goal), ..contestant }
}

pub const HOTLOOP: Runner = Runner::Hotloop(&[]);
pub const JIT_OFF: Runner = Runner::Hotloop(&["--jit", "off"]);
pub const PYPY: Runner = Runner::Script("pypy3");
pub const PYTHON: Runner = Runner::Script("python3");
pub const LUAJIT: Runner = Runner::Script("luajit");
const CHECKED_C: Runner = Runner::C { overflow_checks: 2 };
pub const PLAIN_C: Runner = Runner::C { overflow_checks: 0 };

const BENCHMARKS: &[Benchmark] = &[
    Benchmark {
        name: "addmul",
        about: "two loops of `assert k + j*k >= 0`, at top level",
        literals: &[500, 5_000_000],
        quick: &[500, 500_000],
        slow: &[500, 40_000],
        tiny: &[20, 2_000],
        expected: Expected::Counts,
        contestants: &[
            fast("hotloop", "addmul_loop.pyl", HOTLOOP),
            goal(fast("C, checked", "addmul.c", CHECKED_C), 1.3),
            fast("C, unchecked", "addmul_unchecked.c", PLAIN_C),
            goal(fast("pypy3", "addmul_loop.py", PYPY), 0.85),
            fast("luajit", "addmul.lua", LUAJIT),
            slow("hotloop, JIT off", "addmul_loop.pyl", JIT_OFF),
            goal(slow("python3", "addmul_loop.py", PYTHON), 1.0),
        ],
    },
    Benchmark {
        name: "addmul-func",
        about: "the same two loops inside a function",
        literals: &[500, 5_000_000],
        quick: &[500, 500_000],
        slow: &[500, 40_000],
        tiny: &[20, 2_000],
        expected: Expected::Counts,
        contestants: &[
            fast("hotloop", "addmul_func.pyl", HOTLOOP),
            goal(fast("hotloop, top level", "addmul_loop.pyl", HOTLOOP), 1.05),
            goal(fast("C, checked", "addmul.c", CHECKED_C), 1.3),
            goal(fast("pypy3", "addmul_func.py", PYPY), 0.85),
            fast("luajit", "addmul.lua", LUAJIT),
            slow("hotloop, JIT off", "addmul_func.pyl", JIT_OFF),
            goal(slow("python3", "addmul_func.py", PYTHON), 1.0),
        ],
    },
    Benchmark {
        name: "addmul-small",
        about: "the small form of the two loops: warming up counts",
        literals: &[100, 100_000],
        quick: &[100, 100_000],
        slow: &[100, 20_000],
        tiny: &[20, 3_000],
        expected: Expected::Counts,
        contestants: &[
            fast("hotloop", "addmul.pyl", HOTLOOP),
            fast("C, checked", "addmul.c", CHECKED_C),
            fast("pypy3", "addmul.py", PYPY),
        ],
    },
    Benchmark {
        name: "direct",
        about: "the same small interpreter on hotloop with the JIT off, and by hand",
        literals: &[500, 400_000],
        quick: &[500, 40_000],
        slow: &[500, 400_000],
        tiny: &[20, 3_000],
        expected: Expected::Counts,
        contestants: &[
            fast("on hotloop", "", Runner::Direct("toolkit")),
            goal(fast("by hand", "", Runner::Direct("hand")), 1.1),
        ],
    },
    Benchmark {
        name: "bf-primes",
        about: "primes below 200 in Brainfuck: 252 million instructions",
        literals: &[],
        quick: &[],
        slow: &[],
        tiny: &[],
        expected: Expected::File("primes.out"),
        contestants: &[fast("hotloop", "primes.b", HOTLOOP), fast("hotloop, JIT off", "primes.b", JIT_OFF)],
    },
    Benchmark {
        name: "bf-count",
        about: "counting to eight million in Brainfuck: 226 million instructions, a carry is a side branch",
        literals: &[],
        quick: &[],
        slow: &[],
        tiny: &[],
        expected: Expected::File("count.out"),
        contestants: &[fast("hotloop", "count.b", HOTLOOP), fast("hotloop, JIT off", "count.b", JIT_OFF)],
    },
    Benchmark {
        name: "closures",
        about: "a loop that never compiles: sixty closures in turn",
        literals: &[100_000],
        quick: &[10_000],
        slow: &[10_000],
        tiny: &[50],
        expected: Expected::Closures,
        contestants: &[
            fast("hotloop", "closures.pyl", HOTLOOP),
            goal(fast("hotloop, JIT off", "closures.pyl", JIT_OFF), 1.1),
        ],
    },
    Benchmark {
        name: "folds",
        about: "one loop, used with eight functions, with ints and with floats",
        literals: &[2_500, 2_000, 280_555],
        quick: &[250, 2_000, 280_555],
        slow: &[60, 2_000, 280_555],
        tiny: &[2, 40, 78_583],
        expected: Expected::Rounds,
        contestants: &[
            fast("hotloop", "folds.pyl", HOTLOOP),
            goal(fast("pypy3", "folds.py", PYPY), 0.8),
            goal(fast("luajit", "folds.lua", LUAJIT), 2.0),
            slow("hotloop, JIT off", "folds.pyl", JIT_OFF),
            goal(slow("python3", "folds.py", PYTHON), 1.0),
        ],
    },
    Benchmark {
        name: "ffi-abs",
        about: "a small function of C, called again and again; in C through a pointer",
        literals: &[30, 10_000_000, 49989996001000],
        quick: &[3, 10_000_000, 49989996001000],
        slow: &[1, 10_000_000, 49989996001000],
        tiny: &[2, 3_000, 2499500],
        expected: Expected::Rounds,
        contestants: &[fast("hotloop", "ffi_abs.pyl", HOTLOOP), goal(fast("C", "ffi_abs.c", PLAIN_C), 1.5)],
    },
    Benchmark {
        name: "ffi-items",
        about: "an array of C, read item by item",
        literals: &[50, 2_000, 10_000, 495000],
        quick: &[5, 2_000, 10_000, 495000],
        slow: &[1, 2_000, 10_000, 495000],
        tiny: &[2, 3, 40, 780],
        expected: Expected::Rounds,
        contestants: &[fast("hotloop", "ffi_items.pyl", HOTLOOP), fast("C", "ffi_items.c", PLAIN_C)],
    },
    Benchmark {
        name: "startup",
        about: "an empty program (hotloop: at most 0.010)",
        literals: &[],
        quick: &[],
        slow: &[],
        tiny: &[],
        expected: Expected::Nothing,
        contestants: &[
            fast("hotloop", "empty.pyl", HOTLOOP),
            fast("python3", "empty.py", PYTHON),
            fast("pypy3", "empty.py", PYPY),
            fast("luajit", "empty.lua", LUAJIT),
        ],
    },
];

/// These and the suite.
pub fn all() -> impl Iterator<Item = &'static Benchmark> {
    BENCHMARKS.iter().chain(suite::SUITE)
}

impl Benchmark {
    /// What must come out with these counts.
    pub fn expected_output(&self, counts: &[u64]) -> Result<String> {
        Ok(match self.expected {
            Expected::Nothing => String::new(),
            Expected::Counts => words(counts) + "\n",
            Expected::Rounds => (0..counts[0]).map(|round| format!("{round}\n")).collect(),
            Expected::Closures => format!("{} {}\n", counts[0], closures(counts[0])),
            Expected::File(name) => read(&folder().join(name))?,
        })
    }
}

/// The counts as arguments or as output.
pub fn words(counts: &[u64]) -> String {
    counts.iter().map(u64::to_string).collect::<Vec<_>>().join(" ")
}

/// Where the programs are.
pub fn folder() -> PathBuf {
    workspace::root().join("bench")
}

/// The source file with its literals replaced by `counts`: the file itself if they are the same, else a
/// copy in `scratch`.
pub fn with_counts(file: &str, literals: &[u64], counts: &[u64], scratch: &Path) -> Result<PathBuf> {
    let original = folder().join(file);
    if literals == counts {
        return Ok(original);
    }
    let mut text = read(&original)?;
    let place = |literal: &u64| {
        place_of(&text, &literal.to_string())
            .ok_or_else(|| format!("bench/{file} must contain the number {literal} exactly once"))
    };
    let places = literals.iter().map(place).collect::<Result<Vec<_>>>()?;
    let mut replaced = places.into_iter().zip(counts).collect::<Vec<_>>();
    // The last one first, so that the other places stay where they are.
    replaced.sort_by_key(|(place, _)| std::cmp::Reverse(place.start));
    for (place, count) in replaced {
        text.replace_range(place, &count.to_string());
    }
    let copy = scratch.join(format!("{}-{file}", words(counts).replace(' ', "x")));
    fs::write(&copy, text).map_err(|error| format!("can't write {}: {error}", copy.display()))?;
    Ok(copy)
}

/// Where the number `literal` stands in `text`; nothing if it is not there exactly once.
fn place_of(text: &str, literal: &str) -> Option<Range<usize>> {
    let part_of_a_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '.');
    let mut places = text.match_indices(literal).map(|(start, _)| start).filter(|&start| {
        let after = text[start + literal.len()..].chars().next();
        !part_of_a_word(text[..start].chars().next_back()) && !part_of_a_word(after)
    });
    let start = places.next()?;
    places.next().is_none().then_some(start..start + literal.len())
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|error| format!("can't read {}: {error}", path.display()))
}

fn closures(rounds: u64) -> u64 {
    (0..rounds).flat_map(|n| (0..60).map(move |i| (n + i) % 1000)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_is_there_and_takes_its_counts() {
        let scratch = std::env::temp_dir().join(format!("xtask-programs-{}", std::process::id()));
        fs::create_dir_all(&scratch).unwrap();
        for benchmark in all() {
            let counts = benchmark.slow.iter().map(|count| count + 1).collect::<Vec<_>>();
            benchmark.expected_output(&counts).unwrap();
            for contestant in benchmark.contestants {
                match contestant.runner {
                    Runner::Direct(_) => continue,
                    Runner::C { .. } => assert!(folder().join(contestant.file).exists()),
                    Runner::Hotloop(_) | Runner::Script(_) => {
                        let copy =
                            with_counts(contestant.file, benchmark.literals, &counts, &scratch).unwrap();
                        assert_eq!(copy.starts_with(&scratch), !counts.is_empty());
                    }
                }
            }
        }
        fs::remove_dir_all(scratch).unwrap();
    }

    #[test]
    fn only_a_whole_number_that_occurs_once_is_replaced() {
        assert_eq!(place_of("k < 50 and 500", "50"), Some(4..6));
        assert_eq!(place_of("50 50", "50"), None);
        assert_eq!(place_of("500 x50", "50"), None);
    }

    #[test]
    fn results_are_known() {
        assert_eq!(closures(1), 59 * 60 / 2);
    }
}
