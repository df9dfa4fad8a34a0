//! One contestant: made ready once, then measured round by round.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::Settings;
use super::compile;
use super::programs::{self, Benchmark, Contestant, Runner};
use crate::{Result, process, workspace};

/// No contestant may take longer: a hang is an error and not a long benchmark.
const LIMIT: Duration = Duration::from_secs(300);

/// A contestant whose program exists and whose source has the right counts.
pub struct Prepared {
    pub contestant: &'static Contestant,
    program: PathBuf,
    arguments: Vec<String>,
}

impl Prepared {
    /// The inner error is the word on why this contestant is left out: its program is not installed.
    pub fn new(
        contestant: &'static Contestant,
        benchmark: &Benchmark,
        counts: &[u64],
        settings: &Settings,
    ) -> Result<std::result::Result<Prepared, String>> {
        let scratch = workspace::scratch("bench")?;
        let source = || {
            programs::with_counts(contestant.file, benchmark.literals, counts, &scratch)
                .map(|path| path.display().to_string())
        };
        let numbers = || counts.iter().map(u64::to_string).collect::<Vec<_>>();
        let ready = |program: PathBuf, arguments| Ok(Ok(Prepared { contestant, program, arguments }));
        match contestant.runner {
            Runner::Hotloop(own) => {
                let Some(program) = &settings.hotloop else { return Ok(Err("not wanted".to_string())) };
                let mut arguments = vec!["run".to_string()];
                arguments.extend(own.iter().map(|word| word.to_string()));
                if let (true, Some(jit)) = (own.is_empty(), &settings.jit) {
                    arguments.extend(["--jit".to_string(), jit.clone()]);
                }
                arguments.push(source()?);
                ready(program.clone(), arguments)
            }
            Runner::Script(name) => {
                let name = if contestant.runner == programs::PYTHON { &settings.python } else { name };
                match interpreter(name) {
                    Some(program) => ready(program, vec![source()?]),
                    None => Ok(Err(format!("{name} is not installed"))),
                }
            }
            Runner::C { overflow_checks } => match compile::compile(contestant.file, &scratch)? {
                Some(program) => {
                    if overflow_checks > 0 {
                        match compile::overflow_checks_in_a_loop(&program)? {
                            None => println!(
                                "  (objdump is not installed: the C program's checks are not verified)"
                            ),
                            Some(found) if found >= overflow_checks => (),
                            Some(found) => {
                                return Err(format!(
                                    "gcc left {found} overflow checks in a loop of bench/{}, {overflow_checks} are wanted",
                                    contestant.file
                                ));
                            }
                        }
                    }
                    ready(program, numbers())
                }
                None => Ok(Err("gcc is not installed".to_string())),
            },
            Runner::Direct(which) => {
                let mut arguments = vec![which.to_string()];
                arguments.extend(numbers());
                ready(workspace::example("hotloop", "direct")?, arguments)
            }
        }
    }

    /// The command that runs it.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        command
    }

    /// Runs it once: the CPU seconds, if it printed what it must.
    pub fn measure(&self, expected: &str) -> Result<f64> {
        let label = self.contestant.label;
        let outcome = process::run(&mut self.command(), Some(LIMIT))?;
        if !outcome.succeeded() {
            return Err(format!("{label} ended with {}:\n{}", outcome.ended, outcome.stderr_text()));
        }
        if outcome.stdout != expected.as_bytes() {
            let printed = outcome.stdout_text();
            return Err(format!("{label} gave a wrong answer:\n{printed}instead of:\n{expected}"));
        }
        Ok(outcome.cpu.as_secs_f64())
    }
}

/// The interpreter's program. A version manager may stand in front of Python with a script that takes
/// longer than a short benchmark, so Python itself is asked where it is.
fn interpreter(name: &str) -> Option<PathBuf> {
    match name {
        "luajit" => process::answers(name, &["-v"]).map(|_| PathBuf::from(name)),
        _ => {
            let answer = process::answers(name, &["-c", "import sys; print(sys.executable)"])?;
            Some(PathBuf::from(answer.trim()))
        }
    }
}
