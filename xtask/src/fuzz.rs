//! `cargo xtask fuzz`: random programs under all modes. What tells two modes apart is made small and
//! saved; the seed makes every program again.
//!
//! Starting a process for each mode is what takes the time, so Pyllisp's example `alike` runs many programs
//! in all modes in one process. What it finds, or dies of, is run again with a process for each mode.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::args::Args;
use crate::modes::{self, Setting};
use crate::process::{self, Ended};
use crate::{Result, reduce, workspace};

pub const HELP: &str = "\
fuzz                   run generated programs in all modes of xtask/src/modes.rs, compare, and reduce
                       what differs
    --seconds N        how long (default 60)
    --seed N           the first seed (default: from the clock)
    --keep-going       do not stop at the first difference
    --limit SECONDS    for each run; what takes longer in some mode is slow, not different (default 10)
    --generator PATH   prints a program for the seed it is given, which then runs in a process for each mode
                       (default: Pyllisp's example `generate`, many programs in one process)
    --traces N         instead of programs, so many random traces: machine code against the reference
    --types N          instead of programs, so many random declarations of C: their layouts and calls against a
                       C compiler's, and a hundred times as many texts of types
    --sources N        instead, so many sources that are wrong in some way, for Pyllisp's reader and compiler, made
                       of the programs in the tree
    --mode NAME        only the modes whose name contains NAME
    --hotloop PATH     use this program instead of building it";

/// A reduction asks at most this many questions, each of which is two runs.
const ATTEMPTS: usize = 2000;

pub fn command(mut args: Args) -> Result<()> {
    let duration = Duration::from_secs(args.number("--seconds", 60)?);
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |time| time.as_secs());
    let first = args.number("--seed", clock)?;
    let limit = Duration::from_secs(args.number("--limit", 10)?);
    let keep_going = args.flag("--keep-going");
    let filter = args.option("--mode")?;
    let generator = args.option("--generator")?;
    let given = args.option("--hotloop")?;
    let traces = args.number("--traces", 0)?;
    let types = args.number("--types", 0)?;
    let sources = args.number("--sources", 0)?;
    args.rest()?;
    if types > 0 {
        return declarations(first, types);
    }
    if traces > 0 {
        return sessions(first, traces);
    }
    if sources > 0 {
        return mutants(first, sources);
    }
    let (generator, alike) = match generator {
        Some(path) => (PathBuf::from(path), None),
        None => (
            workspace::example("hotloop-pyllisp", "generate")?,
            Some(workspace::example("hotloop-pyllisp", "alike")?),
        ),
    };
    let fuzzer = Fuzzer {
        hotloop: workspace::hotloop(given)?,
        generator,
        alike,
        settings: modes::settings(filter.as_deref()),
        limit,
        folder: workspace::scratch("fuzz")?,
    };

    println!("from seed {first} on, {} modes", fuzzer.settings.len());
    let started = Instant::now();
    let (mut runs, mut skipped, mut found) = (0, 0, 0);
    let mut next = first;
    while started.elapsed() < duration {
        let mut verdict = None;
        if let Some(alike) = &fuzzer.alike {
            let batch = fuzzer.batch(alike, next)?;
            (runs, skipped, next) = (runs + batch.alike, skipped + batch.slow, batch.next);
            if let Some(what) = batch.found {
                verdict = Some(match fuzzer.try_seed(next)? {
                    Verdict::Differs(report) => Verdict::Differs(report),
                    _ => Verdict::Differs(format!(
                        "seed {next}: {what}, but only with other programs in one process"
                    )),
                });
            }
        } else {
            verdict = Some(fuzzer.try_seed(next)?);
        }
        let Some(verdict) = verdict else { continue };
        next += 1;
        match verdict {
            Verdict::Alike => runs += 1,
            Verdict::Slow => skipped += 1,
            Verdict::Differs(report) => {
                println!("{report}");
                found += 1;
                if !keep_going {
                    break;
                }
            }
        }
    }
    let seconds = started.elapsed().as_secs();
    println!("{runs} programs alike, {found} different, {skipped} too slow, in {seconds} s");
    if found == 0 { Ok(()) } else { Err(format!("{found} programs tell the modes apart")) }
}

/// Random traces; the example of the code generator says what differs.
fn sessions(first: u64, traces: u64) -> Result<()> {
    let example = workspace::example("hotloop-codegen", "sessions")?;
    let status = Command::new(&example).args([first, traces].map(|number| number.to_string())).status();
    let status = status.map_err(|error| format!("{}: {error}", example.display()))?;
    if status.success() { Ok(()) } else { Err(format!("random traces: {status}")) }
}

/// Random types of C; the example of `hotloop-ffi` says what differs.
fn declarations(first: u64, count: u64) -> Result<()> {
    let example = workspace::example("hotloop-ffi", "types")?;
    let folder = workspace::scratch("fuzz")?;
    let numbers = [first, count].map(|number| number.to_string());
    let status = Command::new(&example).args(numbers).arg(folder).status();
    let status = status.map_err(|error| format!("{}: {error}", example.display()))?;
    if status.success() { Ok(()) } else { Err(format!("random types: {status}")) }
}

/// Wrong sources; the example of Pyllisp says what is wrong with the answer.
fn mutants(first: u64, sources: u64) -> Result<()> {
    let example = workspace::example("hotloop-pyllisp", "mutants")?;
    let mut programs = Vec::new();
    for folder in ["bench", "langs/pyllisp/tests/oracle", "langs/pyllisp/src/base"] {
        let folder = workspace::root().join(folder);
        let entries = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        programs.extend(entries.flatten().map(|entry| entry.path()));
    }
    programs.retain(|path| workspace::has_extension(path, &["pyl"]));
    programs.sort();
    let mut command = Command::new(&example);
    command.args([first, sources].map(|number| number.to_string())).args(programs);
    let status = command.status().map_err(|error| format!("{}: {error}", example.display()))?;
    if status.success() { Ok(()) } else { Err(format!("wrong sources: {status}")) }
}

struct Fuzzer {
    hotloop: PathBuf,
    generator: PathBuf,
    /// Runs many programs in one process.
    alike: Option<PathBuf>,
    settings: Vec<Setting>,
    limit: Duration,
    folder: PathBuf,
}

enum Verdict {
    Alike,
    /// Some mode takes too long: nothing to compare there.
    Slow,
    Differs(String),
}

/// What a process that ran many programs has said.
struct Batch {
    alike: u32,
    slow: u32,
    /// The seed after the last one that was done.
    next: u64,
    /// What is wrong with that one.
    found: Option<String>,
}

/// Programs in one process.
const BATCH: u64 = 50;

impl Fuzzer {
    fn batch(&self, alike: &Path, first: u64) -> Result<Batch> {
        let mut command = Command::new(alike);
        command.args([first, BATCH, self.limit.as_millis() as u64].map(|number| number.to_string()));
        command.args(self.settings.iter().map(Setting::in_process));
        let outcome = process::run(&mut command, Some(self.limit * 30))?;
        let mut batch = Batch { alike: 0, slow: 0, next: first, found: None };
        for line in outcome.stdout_text().lines() {
            match line.split(' ').next() {
                Some("alike") => batch.alike += 1,
                Some("slow") => batch.slow += 1,
                _ => {
                    batch.found = Some(line.to_string());
                    return Ok(batch);
                }
            }
            batch.next += 1;
        }
        if batch.next < first + BATCH && outcome.ended == Ended::TimedOut {
            // Slow programs all together; the next process begins with the one that was interrupted.
            batch.slow += 1;
            batch.next += 1;
        } else if batch.next < first + BATCH {
            batch.found = Some(format!("{}: {}", outcome.ended, outcome.last_error_line()));
        }
        Ok(batch)
    }

    fn try_seed(&self, seed: u64) -> Result<Verdict> {
        let generated = process::run(Command::new(&self.generator).arg(seed.to_string()), Some(self.limit))?;
        if !generated.succeeded() {
            return Err(format!("the generator fails for seed {seed}:\n{}", generated.stderr_text()));
        }
        let text = generated.stdout_text();
        let path = self.write("current.pyl", &text)?;
        let reference = self.settings[0].observe(&self.hotloop, &path, self.limit)?;
        match reference.ended {
            Ended::TimedOut => return Ok(Verdict::Slow),
            // A crash without the JIT is a find of its own; it has nothing to be compared with.
            Ended::Signal(_) => {
                return self.report(seed, &text, &self.settings[0], &reference.ended.to_string());
            }
            Ended::Status(_) => (),
        }
        let mut verdict = Verdict::Alike;
        for setting in &self.settings[1..] {
            let observed = setting.observe(&self.hotloop, &path, self.limit)?;
            if observed.ended == Ended::TimedOut {
                verdict = Verdict::Slow;
            } else if let Some(difference) = reference.difference(&observed) {
                return self.report(seed, &text, setting, &difference);
            }
        }
        Ok(verdict)
    }

    /// Reduces the program while this setting still differs, saves both forms, and describes the find.
    fn report(&self, seed: u64, text: &str, setting: &Setting, difference: &str) -> Result<Verdict> {
        println!("seed {seed}: {}: {difference}; reducing…", setting.name);
        let original = self.write(&format!("seed-{seed}.pyl"), text)?;
        let reduced = reduce::lines(text, ATTEMPTS, &mut |candidate| {
            self.write("candidate.pyl", candidate)
                .is_ok_and(|path| self.still_differs(&path, setting).unwrap_or(false))
        });
        let small = self.write(&format!("seed-{seed}.reduced.pyl"), &reduced)?;
        let last = match self.difference(&small, setting)? {
            Some(difference) => difference,
            // The program does not do the same every time: the first find is all there is to say.
            None => format!("{difference} (not every time)"),
        };
        Ok(Verdict::Differs(format!(
            "seed {seed}: {}: {last}\n    hotloop run {} {}\n    whole program: {}\n{reduced}",
            setting.name,
            setting.arguments().join(" "),
            small.display(),
            original.display(),
        )))
    }

    fn still_differs(&self, program: &Path, setting: &Setting) -> Result<bool> {
        Ok(self.difference(program, setting)?.is_some())
    }

    fn difference(&self, program: &Path, setting: &Setting) -> Result<Option<String>> {
        let reference = self.settings[0].observe(&self.hotloop, program, self.limit)?;
        match reference.ended {
            // Removing a line can make a program endless, which is not the failure looked for.
            Ended::TimedOut => Ok(None),
            Ended::Signal(_) => Ok((*setting == self.settings[0]).then(|| reference.ended.to_string())),
            Ended::Status(_) => {
                let observed = setting.observe(&self.hotloop, program, self.limit)?;
                // Slow is not different.
                Ok(reference.difference(&observed).filter(|_| observed.ended != Ended::TimedOut))
            }
        }
    }

    fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.folder.join(name);
        fs::write(&path, text).map_err(|error| format!("can't write {}: {error}", path.display()))?;
        Ok(path)
    }
}
