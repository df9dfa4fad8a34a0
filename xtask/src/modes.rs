//! The ways in which every program is executed and compared. The tables are the only place that knows
//! how hotloop is told to behave, so this is what to edit when its parameters change.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::Result;
use crate::process::{self, Ended};

/// The first mode is the reference. In `jit`, the value of `--jit`, the word `eager` stands for [`EAGER`]
/// and `{}`, as in the name, for each number of `sweep` in turn.
pub const MODES: &[Mode] = &[
    Mode { name: "jit off", jit: "off", sweep: &[] },
    Mode { name: "defaults", jit: "", sweep: &[] },
    Mode { name: "threshold 1", jit: "eager", sweep: &[] },
    Mode { name: "eval, unoptimised", jit: "eager,backend=eval,optimize=0", sweep: &[] },
    Mode { name: "eval", jit: "eager,backend=eval", sweep: &[] },
    Mode { name: "native, unoptimised", jit: "eager,optimize=0", sweep: &[] },
    Mode { name: "guard {} fails", jit: "eager,force={}:1", sweep: &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11] },
    Mode { name: "every {}. guard fails", jit: "eager,force_every={}", sweep: &[1, 2, 3, 7, 50] },
    Mode { name: "traces in pieces", jit: "eager,trace_limit=100", sweep: &[] },
    Mode { name: "code is freed at once", jit: "eager,loop_longevity=0", sweep: &[] },
    Mode { name: "little code memory", jit: "eager,max_code=8000", sweep: &[] },
    Mode { name: "every {}. time no code memory", jit: "eager,fail_code={}", sweep: &[1, 2, 3] },
    Mode { name: "gc stress", jit: "eager,gc_stress=50", sweep: &[] },
    Mode { name: "gc stress, every 3rd guard fails", jit: "eager,gc_stress=50,force_every=3", sweep: &[] },
];

/// Compile whatever runs twice, so that short programs reach compiled code, too.
const EAGER: &str = "threshold=1,function_threshold=1,trace_eagerness=1";

/// One line of the table.
pub struct Mode {
    name: &'static str,
    jit: &'static str,
    sweep: &'static [u32],
}

/// A mode with its number filled in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Setting {
    pub name: String,
    jit: String,
}

/// What a program did, as far as it must be the same in all modes.
#[derive(Clone, PartialEq, Eq)]
pub struct Observed {
    pub stdout: Vec<u8>,
    pub ended: Ended,
    /// The message of the error that ended the program. (Lines before it may differ: logs.)
    pub error: String,
}

/// All settings of the modes whose name contains `filter`; the reference is always the first.
pub fn settings(filter: Option<&str>) -> Vec<Setting> {
    let wanted = |(index, mode): &(usize, &Mode)| *index == 0 || filter.is_none_or(|f| mode.name.contains(f));
    MODES.iter().enumerate().filter(wanted).flat_map(|(_, mode)| mode.settings()).collect()
}

impl Mode {
    fn settings(&self) -> Vec<Setting> {
        let fill = |number: &str| Setting {
            name: self.name.replace("{}", number),
            jit: self.jit.replace("eager", EAGER).replace("{}", number),
        };
        if self.sweep.is_empty() {
            vec![fill("")]
        } else {
            self.sweep.iter().map(|number| fill(&number.to_string())).collect()
        }
    }
}

impl Setting {
    /// Runs a program in this mode.
    pub fn observe(&self, hotloop: &Path, program: &Path, limit: Duration) -> Result<Observed> {
        let mut command = Command::new(hotloop);
        command.arg("run").args(self.arguments()).arg(program);
        let outcome = process::run(&mut command, Some(limit))?;
        let error = if outcome.succeeded() { String::new() } else { outcome.last_error_line() };
        Ok(Observed { stdout: outcome.stdout, ended: outcome.ended, error })
    }

    /// For the example `alike`, which runs many programs in one process.
    pub fn in_process(&self) -> String {
        self.jit.clone()
    }

    /// hotloop's arguments, for the run and for messages.
    pub fn arguments(&self) -> Vec<String> {
        let mut arguments = Vec::new();
        let mut jit: Vec<&str> = Vec::new();
        for item in self.jit.split(',').filter(|item| !item.is_empty()) {
            match item.split_once('=') {
                // The one parameter here that is the heap's.
                Some(("gc_stress", every)) => {
                    arguments.extend(["--gc-stress".to_string(), every.to_string()])
                }
                _ => jit.push(item),
            }
        }
        if !jit.is_empty() {
            arguments.extend(["--jit".to_string(), jit.join(",")]);
        }
        arguments
    }
}

impl Observed {
    /// Where the other one differs, in words; nothing if it does not.
    pub fn difference(&self, other: &Observed) -> Option<String> {
        if self.ended != other.ended {
            let errors = format!("`{}`, `{}`", self.error, other.error);
            return Some(format!("{} instead of {} (errors: {errors})", other.ended, self.ended));
        }
        if self.stdout != other.stdout {
            return Some(first_difference(&self.stdout, &other.stdout));
        }
        (self.error != other.error)
            .then(|| format!("the error is `{}` instead of `{}`", other.error, self.error))
    }
}

fn first_difference(expected: &[u8], found: &[u8]) -> String {
    let (expected, found) = (String::from_utf8_lossy(expected), String::from_utf8_lossy(found));
    let (mut left, mut right) = (expected.lines(), found.lines());
    let mut number = 1;
    loop {
        match (left.next(), right.next()) {
            (Some(left), Some(right)) if left == right => number += 1,
            (Some(left), Some(right)) => return format!("line {number} is `{right}` instead of `{left}`"),
            (Some(left), None) => return format!("line {number} is missing: `{left}`"),
            (None, Some(right)) => return format!("line {number} is too much: `{right}`"),
            (None, None) => return "line endings differ".to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sweeps_are_filled_in_and_the_reference_comes_first() {
        let all = settings(None);
        assert_eq!(all[0].arguments(), ["--jit", "off"]);
        assert!(all.iter().any(|setting| setting.name == "guard 3 fails"));
        assert!(all.iter().all(|setting| !setting.jit.contains("eager,") && !setting.jit.contains("{}")));
        let some = settings(Some("gc stress"));
        assert_eq!(some[0], all[0]);
        assert_eq!(some.len(), 3);
    }

    #[test]
    fn differences_are_named() {
        let seen = |stdout: &str, status, error: &str| Observed {
            stdout: stdout.as_bytes().to_vec(),
            ended: Ended::Status(status),
            error: error.to_string(),
        };
        let reference = seen("1\n2\n", 0, "");
        assert_eq!(reference.difference(&reference), None);
        assert_eq!(reference.difference(&seen("1\n3\n", 0, "")).unwrap(), "line 2 is `3` instead of `2`");
        assert_eq!(reference.difference(&seen("1\n", 0, "")).unwrap(), "line 2 is missing: `2`");
        assert!(reference.difference(&seen("1\n2\n", 1, "bad")).unwrap().starts_with("status 1 instead"));
        assert!(seen("", 1, "a").difference(&seen("", 1, "b")).is_some());
    }
}
