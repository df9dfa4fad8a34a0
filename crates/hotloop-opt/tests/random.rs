//! Random programs run directly and through optimised traces: the answers must be the same, whichever
//! guards fail, with bridges and without, optimised or not.
//!
//! `HOTLOOP_RANDOM_CASES` says how many programs, `HOTLOOP_RANDOM_SEED` which one is the first.

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};

use support::generate::{Random, program, smaller};
use support::language::Program;
use support::run::{Config, Counts, run_direct, run_traced, traces};

const CASES: u64 = 300;

fn configs() -> Vec<Config> {
    let plain = Config {
        optimize: true,
        peel: true,
        hoist: true,
        break_rule: None,
        every: None,
        record_at: 2,
        bridges: None,
    };
    let mut all = vec![
        Config { optimize: false, peel: false, ..plain },
        Config { optimize: false, peel: false, every: Some(3), bridges: Some(9), ..plain },
        Config { optimize: false, every: Some(2), ..plain },
        Config { peel: false, ..plain },
        Config { peel: false, every: Some(3), ..plain },
        plain,
        Config { hoist: false, every: Some(5), ..plain },
        Config { record_at: 1, bridges: Some(9), ..plain },
    ];
    for every in [1, 2, 4, 8, 16, 40] {
        all.push(Config { every: Some(every), record_at: 1 + every as u32 % 3, ..plain });
        let bridges = Some(if every % 3 == 1 { 9 } else { 2 });
        all.push(Config { every: Some(every), bridges, ..plain });
    }
    all
}

/// What is wrong with the program under this configuration, if anything is.
fn wrong(program: &Program, config: Config, counts: &mut Counts) -> Option<String> {
    let tried = catch_unwind(AssertUnwindSafe(|| (run_direct(program), run_traced(program, config))));
    match tried {
        Ok((expected, (result, found))) => {
            counts.loops += found.loops;
            counts.bridges += found.bridges;
            counts.labels += found.labels;
            counts.exits += found.exits;
            counts.contradictions += found.contradictions;
            match result {
                Ok(outcome) if outcome == expected => None,
                Ok(outcome) => Some(format!("{outcome:x?}\nexpected\n{expected:x?}")),
                Err(error) => Some(error),
            }
        }
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            Some(format!(
                "panic: {}",
                text.or(panic.downcast_ref::<&str>().map(|s| s.to_string())).unwrap_or_default()
            ))
        }
    }
}

/// The smallest program found that is still wrong.
fn shrink(mut program: Program, config: Config) -> Program {
    let mut counts = Counts::default();
    'again: loop {
        for less in smaller(&program) {
            if wrong(&less, config, &mut counts).is_some() {
                program = less;
                continue 'again;
            }
        }
        return program;
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn traces_make_no_difference() {
    let (first, cases) = (number("HOTLOOP_RANDOM_SEED", 1), number("HOTLOOP_RANDOM_CASES", CASES));
    let loud = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let mut counts = Counts::default();
    let mut found = None;
    'cases: for seed in first..first + cases {
        let program = program(&mut Random::new(seed));
        for config in configs() {
            if wrong(&program, config, &mut counts).is_some() {
                let small = shrink(program.clone(), config);
                let why = wrong(&small, config, &mut Counts::default()).unwrap_or_default();
                found =
                    Some(format!("seed {seed}, {config:?}\n{small:#?}\n{why}\n{}", traces(&small, config)));
                break 'cases;
            }
        }
    }
    std::panic::set_hook(loud);
    println!("{cases} programs, {counts:?}");
    if let Some(found) = found {
        panic!("{found}");
    }
    assert!(counts.loops > 0 && counts.exits > 0 && counts.bridges > 0 && counts.labels > 0);
}

/// A rule of resume data that is broken on purpose must be noticed, or these tests are worth nothing.
#[test]
fn broken_rules_are_noticed() {
    let loud = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let noticed = |rule: usize| {
        (1..2000).find(|seed| {
            let program = program(&mut Random::new(*seed));
            let every = Some(seed % 12 + 1);
            let config = Config { every, break_rule: Some(rule as u32), bridges: None, ..configs()[5] };
            wrong(&program, config, &mut Counts::default()).is_some()
        })
    };
    // The machine of these tests asks for no hints, and makes no bridges here.
    let rules = &hotloop_opt::BROKEN_RULES[..7];
    let first: Vec<Option<u64>> = (0..rules.len()).map(noticed).collect();
    std::panic::set_hook(loud);
    for (rule, seed) in rules.iter().zip(first) {
        println!("{rule}: noticed by program {seed:?}");
        assert!(seed.is_some(), "nobody noticed: {rule}");
    }
}
