//! `cargo xtask ci`: what CI runs and what everyone runs before a commit. And `bless`, which lets the
//! tests rewrite what they expect.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::args::Args;
use crate::{Result, bench, process, tidy, workspace};

pub const CI_HELP: &str = "\
ci                     formatting, tidiness, clippy, all tests, documentation tests, the main job;
                       stops at the first failure and shows its output
    --no-smoke         leave the main job out";

pub const BLESS_HELP: &str = "\
bless [ARGUMENTS…]     run `cargo test ARGUMENTS…` with BLESS=1: tests rewrite what they expect";

/// How many tests passed and failed.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Counts {
    passed: usize,
    failed: usize,
}

pub fn ci(mut args: Args) -> Result<()> {
    let smoke_too = !args.flag("--no-smoke");
    args.rest()?;
    let started = Instant::now();
    let mut counts = Counts::default();
    let result = steps(smoke_too, &mut counts);
    println!("total time {:.1} s", started.elapsed().as_secs_f64());
    // The closing line is machine-read; a step that failed without counting tests is a failure, too.
    let failed = counts.failed + usize::from(result.is_err() && counts.failed == 0);
    if let Err(message) = &result {
        println!("{message}");
    }
    println!("{} passed, {failed} failed", counts.passed);
    // All has been said, and the closing line must stay the last one.
    result.map_err(|_| String::new())
}

fn steps(smoke_too: bool, counts: &mut Counts) -> Result<()> {
    step("formatting", || cargo(&["fmt", "--all", "--check"]).map(|_| String::new()))?;
    step("tidiness", || tidy::check().map(|files| format!("{files} files")))?;
    step("clippy", || {
        cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]).map(|_| String::new())
    })?;
    // --no-fail-fast: one run shows all that fails.
    step("tests", || tested(&["test", "--workspace", "--all-targets", "--no-fail-fast"], counts))?;
    step("documentation tests", || tested(&["test", "--workspace", "--doc", "--no-fail-fast"], counts))?;
    if smoke_too {
        step("main job", main_job)?;
    }
    Ok(())
}

/// Runs one step: says its name, how long it took, and what it has to say for itself.
fn step(name: &str, run: impl FnOnce() -> Result<String>) -> Result<()> {
    println!("== {name}");
    let started = Instant::now();
    let result = run();
    let seconds = started.elapsed().as_secs_f64();
    match result {
        Ok(note) if note.is_empty() => println!("   ok in {seconds:.1} s"),
        Ok(note) => println!("   ok in {seconds:.1} s: {note}"),
        Err(output) => {
            println!("{output}\n   FAILED after {seconds:.1} s");
            return Err(format!("step `{name}` failed"));
        }
    }
    Ok(())
}

/// Runs cargo; its standard output, or as an error all it said.
fn cargo(arguments: &[&str]) -> Result<String> {
    let outcome = process::run(workspace::cargo().args(arguments), None)?;
    if outcome.succeeded() {
        Ok(outcome.stdout_text())
    } else {
        Err(outcome.stderr_text() + &outcome.stdout_text())
    }
}

fn tested(arguments: &[&str], total: &mut Counts) -> Result<String> {
    let mut command = arguments.to_vec();
    command.insert(1, "--release");
    let result = cargo(&command);
    let counts = count_tests(result.as_ref().unwrap_or_else(|output| output));
    total.passed += counts.passed;
    total.failed += counts.failed;
    result.map(|_| format!("{} tests", counts.passed))
}

/// Sums up the `test result: ok. 3 passed; 0 failed; …` lines of a run.
fn count_tests(output: &str) -> Counts {
    let mut counts = Counts::default();
    for line in output.lines().filter(|line| line.starts_with("test result:")) {
        let mut before = 0;
        for word in line.split_whitespace() {
            match word {
                "passed;" => counts.passed += before,
                "failed;" => counts.failed += before,
                _ => before = word.parse().unwrap_or(0),
            }
        }
    }
    counts
}

/// The main job: the seeds' benchmark with its full counts gives its answer in a time that only compiled
/// code reaches; then all its variants and peers run once with short counts and must agree.
fn main_job() -> Result<String> {
    let hotloop = workspace::hotloop(None)?;
    let program = workspace::root().join("bench/addmul_loop.pyl");
    let limit = Duration::from_secs(60);
    let outcome = process::run(Command::new(&hotloop).arg("run").arg(program), Some(limit))?;
    if !outcome.succeeded() || outcome.stdout != b"500 5000000\n" {
        let (stdout, stderr) = (outcome.stdout_text(), outcome.stderr_text());
        return Err(format!("addmul_loop.pyl ended with {}:\n{stdout}{stderr}", outcome.ended));
    }
    bench::smoke(hotloop)?;
    Ok(format!("addmul_loop.pyl took {:.2} s of CPU time", outcome.cpu.as_secs_f64()))
}

pub fn bless(mut args: Args) -> Result<()> {
    let mut command = workspace::cargo();
    command.args(["test", "--release"]);
    let mut words = Vec::new();
    while let Some(word) = args.command() {
        words.push(word);
    }
    if words.is_empty() {
        words.push("--workspace".to_string());
    }
    // UPDATE_EXPECT is what the crate expect-test listens to.
    command.args(words).env("BLESS", "1").env("UPDATE_EXPECT", "1");
    let status = command.status().map_err(|error| format!("can't start cargo: {error}"))?;
    if !status.success() {
        return Err("some tests fail even so".to_string());
    }
    println!("blessed; look at `git diff` before you commit");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_counted_over_all_binaries() {
        let output = "running 3 tests\n\
            test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
            test result: FAILED. 10 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished\n";
        assert_eq!(count_tests(output), Counts { passed: 13, failed: 2 });
        assert_eq!(count_tests("nothing here"), Counts::default());
    }
}
