//! `cargo xtask bench`: hotloop and its peers, run in turn and compared by CPU time.
//!
//! All contestants of a benchmark run once in each round (A B C, A B C, …), so that whatever else the
//! machine does hits all of them alike; ratios are taken inside a round and their median is shown.
//! Every output is checked: a wrong answer ends the run, however fast it was.

mod compile;
mod measure;
mod programs;
mod suite;
mod table;
mod warmup;

use std::path::{Path, PathBuf};

use crate::args::Args;
use crate::{Result, workspace};
use measure::Prepared;
use programs::{Benchmark, Pace, Runner};

/// CPython, unless another program is asked for.
const PYTHON: &str = "python3";

pub const HELP: &str = "\
bench [NAME…]          compare hotloop with its peers; a NAME selects the benchmarks that contain it
    --quick            shorter counts
    --rounds N         rounds (default 5)
    --peers            without hotloop
    --jit ARGUMENTS    give hotloop these JIT parameters where the benchmark names none
    --interpreters     only the second tables: hotloop with the JIT off, and CPython
    --python PROGRAM   CPython's program (default `python3`)
    --strict           fail if a goal is missed
    --hotloop PATH     use this program instead of building it
    The NAME `suite` stands for the programs of the suite, whose ratios are summed up in the end.
bench warmup [NAME…]   CPU time until the programs of the suite are within 5 % of their steady state;
                       without names it writes docs/warmup.md and docs/warmup.svg
    --runs N           runs of each contestant (default 5)
    --hotloop PATH     use this program instead of building it";

pub fn command(mut args: Args) -> Result<()> {
    if args.flag("warmup") {
        return warmup::command(args);
    }
    let quick = args.flag("--quick");
    let strict = args.flag("--strict");
    let rounds = args.number("--rounds", 5)?.max(1) as usize;
    let peers_only = args.flag("--peers");
    let jit = args.option("--jit")?;
    let interpreters = args.flag("--interpreters");
    let python = args.option("--python")?.unwrap_or_else(|| PYTHON.to_string());
    let given = args.option("--hotloop")?;
    let selected = select(&args.rest()?)?;
    let hotloop = if peers_only { None } else { Some(workspace::hotloop(given)?) };
    // Goals compare hotloop with a peer; without hotloop the first row is only a yardstick.
    let judge = hotloop.is_some();
    let missed = run(&selected, &Settings { quick, rounds, hotloop, jit, interpreters, python, judge })?;
    match missed {
        0 => Ok(()),
        _ if !strict => Ok(()),
        missed => Err(format!("{missed} goals were missed")),
    }
}

/// One short round of the main benchmark, for `ci`: does everything run and answer alike?
pub fn smoke(hotloop: PathBuf) -> Result<()> {
    let settings = Settings { quick: true, ..Settings::new(1, hotloop) };
    run(&select(&["addmul".to_string()])?, &settings).map(|_| ())
}

pub struct Settings {
    pub quick: bool,
    pub rounds: usize,
    /// The hotloop program; none if only its peers are to be measured.
    pub hotloop: Option<PathBuf>,
    /// The value of `--jit` for contestants that have no arguments of their own.
    pub jit: Option<String>,
    /// Whether only the races of interpreters are run.
    pub interpreters: bool,
    /// CPython's program.
    pub python: String,
    /// Whether ratios are held against the goals.
    pub judge: bool,
}

impl Settings {
    /// So many rounds of the full counts, which no goal judges.
    pub fn new(rounds: usize, hotloop: PathBuf) -> Settings {
        Settings {
            quick: false,
            rounds,
            hotloop: Some(hotloop),
            jit: None,
            interpreters: false,
            python: PYTHON.to_string(),
            judge: false,
        }
    }
}

/// The program with counts so small that all modes of `diff` can run it, if it is one that has counts.
pub fn shortened(path: &Path, scratch: &Path) -> Result<PathBuf> {
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let runs = |benchmark: &&Benchmark| benchmark.contestants.iter().any(|it| it.file == file);
    let Some(benchmark) = programs::all().find(runs) else { return Ok(path.to_path_buf()) };
    programs::with_counts(&file, benchmark.literals, benchmark.tiny, scratch)
}

/// A name selects the benchmark of that name, or all that contain it; no names select all.
fn select(names: &[String]) -> Result<Vec<&'static Benchmark>> {
    if names.is_empty() {
        return Ok(programs::all().collect());
    }
    let mut selected = Vec::new();
    for name in names {
        if name == "suite" {
            selected.extend(suite::SUITE);
            continue;
        }
        let exact = programs::all().filter(|benchmark| benchmark.name == name).collect::<Vec<_>>();
        let containing = programs::all().filter(|benchmark| benchmark.name.contains(name.as_str()));
        let found = if exact.is_empty() { containing.collect() } else { exact };
        if found.is_empty() {
            let names = programs::all().map(|benchmark| benchmark.name).collect::<Vec<_>>();
            return Err(format!("no benchmark is called `{name}`; there are {}", names.join(", ")));
        }
        selected.extend(found);
    }
    Ok(selected)
}

/// Runs the benchmarks and prints their tables; gives the number of goals that were missed.
fn run(selected: &[&'static Benchmark], settings: &Settings) -> Result<usize> {
    let mut missed = 0;
    let mut summary = Vec::new();
    for benchmark in selected {
        let full = if settings.quick { benchmark.quick } else { benchmark.literals };
        let mut ratios = Vec::new();
        for (pace, counts) in [(Pace::Fast, full), (Pace::Slow, benchmark.slow)] {
            if settings.interpreters && pace == Pace::Fast {
                continue;
            }
            missed += race(benchmark, pace, counts, settings, &mut ratios)?;
        }
        summary.push((benchmark.name, ratios));
    }
    summary.retain(|(name, _)| suite::SUITE.iter().any(|benchmark| benchmark.name == *name));
    if summary.len() > 1 {
        println!("{}", table::summary(&summary));
    }
    Ok(missed)
}

/// One race and its table; the ratios with the peers are added to `ratios`.
fn race(
    benchmark: &Benchmark,
    pace: Pace,
    counts: &[u64],
    settings: &Settings,
    ratios: &mut Vec<(&'static str, f64)>,
) -> Result<usize> {
    let mut prepared = Vec::new();
    for contestant in benchmark.contestants.iter().filter(|contestant| contestant.pace == pace) {
        if settings.hotloop.is_none() && matches!(contestant.runner, Runner::Hotloop(_)) {
            continue;
        }
        match Prepared::new(contestant, benchmark, counts, settings)? {
            Ok(ready) => prepared.push(ready),
            Err(reason) => println!("  ({} is left out: {reason})", contestant.label),
        }
    }
    if prepared.is_empty() {
        return Ok(0);
    }
    let expected = benchmark.expected_output(counts)?;
    let mut times = vec![Vec::with_capacity(settings.rounds); prepared.len()];
    for _ in 0..settings.rounds {
        for (contestant, times) in prepared.iter().zip(&mut times) {
            times.push(contestant.measure(&expected)?);
        }
    }
    let rows = prepared.iter().zip(times).map(|(ready, times)| table::Row {
        label: ready.contestant.label,
        goal: ready.contestant.goal,
        times,
    });
    let rows = rows.collect::<Vec<_>>();
    println!("{}: {}", benchmark.name, benchmark.about);
    if !counts.is_empty() {
        println!("  counts {}", programs::words(counts).replace(' ', " x "));
    }
    ratios.extend(rows[1..].iter().map(|row| (row.label, table::ratio(&rows[0], row))));
    let (text, missed) = table::render(&rows, settings.judge);
    println!("{text}");
    Ok(missed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_selects_its_benchmark_or_those_that_contain_it() {
        let names = |selection: &[&str]| {
            let words = selection.iter().map(|name| name.to_string()).collect::<Vec<_>>();
            select(&words).map(|found| found.iter().map(|benchmark| benchmark.name).collect::<Vec<_>>())
        };
        assert_eq!(names(&["addmul"]), Ok(vec!["addmul"]));
        assert_eq!(names(&["bf"]), Ok(vec!["bf-primes", "bf-count"]));
        assert_eq!(names(&[]).unwrap().len(), programs::all().count());
        assert!(names(&["nonsense"]).is_err());
    }
}
