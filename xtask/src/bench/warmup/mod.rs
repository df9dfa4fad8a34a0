//! `cargo xtask bench warmup`: how long programs run before they are fast.
//!
//! Every program of the suite prints a line after each round of its work. Here it writes to a pseudo
//! terminal, where all contestants write line by line, and each line is stamped with the CPU time that
//! its process has used until then. Of several runs, taken in turn, each round's least time counts: what
//! else the machine does makes rounds longer only.
//!
//! A round's time is *steady* in the median of the last third of the rounds. A program is warm at the
//! first round from which on the rolling median of [`WINDOW`] rounds stays within five per cent of it.
//! Its *warm-up* is the CPU time from the process's start until then; its *excess* is what all rounds
//! together took above the steady state: the price of starting, recording, compiling and interpreting.

mod plot;
mod terminal;

use std::fmt::Write as _;
use std::fs;

use super::measure::Prepared;
use super::programs::{Benchmark, Pace};
use super::suite::SUITE;
use super::{Settings, table};
use crate::args::Args;
use crate::{Result, workspace};

const WINDOW: usize = 15;
const NEAR: f64 = 1.05;

/// What one contestant needed.
#[derive(Clone, Debug)]
pub struct Warmth {
    pub label: &'static str,
    /// CPU seconds of a round in the end.
    pub steady: f64,
    /// CPU seconds until the program was warm.
    pub warm: f64,
    /// CPU seconds above the steady state.
    pub excess: f64,
}

pub struct Row {
    pub name: &'static str,
    pub contestants: Vec<Warmth>,
}

pub fn command(mut args: Args) -> Result<()> {
    let runs = args.number("--runs", 5)?.max(1) as usize;
    let given = args.option("--hotloop")?;
    let names = args.rest()?;
    let settings = Settings::new(runs, workspace::hotloop(given)?);
    let selected = SUITE.iter().filter(|it| names.is_empty() || names.iter().any(|name| it.name == name));
    let mut rows = Vec::new();
    for benchmark in selected {
        let row = Row { name: benchmark.name, contestants: race(benchmark, &settings)? };
        println!("{}", markdown_row(&row));
        rows.push(row);
    }
    if rows.is_empty() {
        return Err("no program of the suite has such a name".to_string());
    }
    if names.is_empty() {
        let docs = workspace::root().join("docs");
        let write = |name: &str, text: String| {
            fs::write(docs.join(name), text).map_err(|error| format!("can't write docs/{name}: {error}"))
        };
        write("warmup.svg", plot::svg(&rows))?;
        replace_table(&docs.join("warmup.md"), &rows)?;
    }
    Ok(())
}

/// All contestants in turn, several times.
fn race(benchmark: &'static Benchmark, settings: &Settings) -> Result<Vec<Warmth>> {
    let mut prepared = Vec::new();
    let contestants = benchmark.contestants.iter().filter(|it| it.pace == Pace::Fast && it.is_interpreter());
    for contestant in contestants {
        match Prepared::new(contestant, benchmark, benchmark.literals, settings)? {
            Ok(ready) => prepared.push((ready, Vec::new())),
            Err(reason) => println!("  ({} is left out: {reason})", contestant.label),
        }
    }
    let rounds = benchmark.literals[0] as usize;
    for _ in 0..settings.rounds {
        for (ready, runs) in &mut prepared {
            let stamps = terminal::stamps(&mut ready.command())?;
            if stamps.len() != rounds {
                let label = ready.contestant.label;
                return Err(format!(
                    "{}: {label} printed {} lines of {rounds}",
                    benchmark.name,
                    stamps.len()
                ));
            }
            runs.push(durations(&stamps));
        }
    }
    Ok(prepared.into_iter().map(|(ready, runs)| warmth(ready.contestant.label, &least(&runs))).collect())
}

/// The rounds' own times; the first one's from the start of the process.
fn durations(stamps: &[f64]) -> Vec<f64> {
    let before = std::iter::once(0.0).chain(stamps.iter().copied());
    stamps.iter().zip(before).map(|(stamp, before)| stamp - before).collect()
}

/// Each round's least time over the runs.
fn least(runs: &[Vec<f64>]) -> Vec<f64> {
    let round = |index: usize| runs.iter().map(|run| run[index]).fold(f64::INFINITY, f64::min);
    (0..runs[0].len()).map(round).collect()
}

fn warmth(label: &'static str, rounds: &[f64]) -> Warmth {
    let steady = table::median(&rounds[rounds.len() * 2 / 3..]);
    let near =
        |start: usize| table::median(&rounds[start..(start + WINDOW).min(rounds.len())]) <= steady * NEAR;
    let windows = rounds.len().saturating_sub(WINDOW) + 1;
    let first = (0..windows).rev().take_while(|&start| near(start)).last().unwrap_or(windows - 1);
    // The first window that is near may still begin with rounds that are not.
    let window = &rounds[first..(first + WINDOW).min(rounds.len())];
    let slow = window.iter().rposition(|it| *it > steady * NEAR).map_or(0, |last| last + 1);
    let warm = rounds[..first + slow].iter().sum();
    let excess = rounds.iter().sum::<f64>() - steady * rounds.len() as f64;
    Warmth { label, steady, warm, excess }
}

fn markdown_row(row: &Row) -> String {
    let mut text = format!("| {} |", row.name);
    for it in &row.contestants {
        // Writing into a String can't fail.
        let _ = write!(text, " {:.2} | {:.0} | {:.0} |", it.steady * 1e3, it.warm * 1e3, it.excess * 1e3);
    }
    text
}

const BEGIN: &str = "<!-- cargo xtask bench warmup -->";
const END: &str = "<!-- end -->";

/// Puts the table between the two marks of the document.
fn replace_table(path: &std::path::Path, rows: &[Row]) -> Result<()> {
    let shown = workspace::shown(path);
    let text = fs::read_to_string(path).map_err(|error| format!("can't read {shown}: {error}"))?;
    let (Some(begin), Some(end)) = (text.find(BEGIN), text.find(END)) else {
        return Err(format!("{shown} must contain `{BEGIN}` and `{END}`"));
    };
    let labels = rows[0].contestants.iter().map(|it| it.label).collect::<Vec<_>>();
    let mut table = String::from("| ms of CPU time |");
    for label in &labels {
        let _ = write!(table, " {label}: a round | warm-up | excess |");
    }
    table += "\n|---|";
    table += &"---|---|---|".repeat(labels.len());
    for row in rows {
        table += "\n";
        table += &markdown_row(row);
    }
    let text = format!("{}{BEGIN}\n\n{table}\n\n{}", &text[..begin], &text[end..]);
    fs::write(path, text).map_err(|error| format!("can't write {shown}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warm_is_when_the_rounds_stay_near() {
        let mut rounds = vec![10.0, 5.0, 3.0];
        rounds.extend([1.0; 30]);
        let it = warmth("it", &rounds);
        assert_eq!((it.steady, it.warm, it.excess), (1.0, 18.0, 15.0));
        // A single slow round later is the machine's noise.
        rounds[20] = 9.0;
        assert_eq!(warmth("it", &rounds).warm, 18.0);
        assert_eq!(warmth("it", &[1.0; 30]).warm, 0.0);
    }

    #[test]
    fn rounds_are_differences_and_the_least_counts() {
        assert_eq!(durations(&[1.0, 1.5, 3.5]), [1.0, 0.5, 2.0]);
        assert_eq!(least(&[vec![1.0, 9.0], vec![3.0, 1.0], vec![2.0, 2.0]]), [1.0, 1.0]);
    }
}
