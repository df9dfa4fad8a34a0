//! Child processes: what they print, how they end, and how much CPU time they take.
//!
//! CPU time (user and system) is what benchmarks compare, because the machine may be shared. The kernel
//! gives it to whoever reaps the child through `wait4`, so children are reaped here and not through
//! `std::process::Child`.

use std::io::{self, Read};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::Result;

/// How a child ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ended {
    Status(i32),
    Signal(i32),
    TimedOut,
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Ended::Status(status) => write!(f, "status {status}"),
            Ended::Signal(signal) => write!(f, "signal {signal}"),
            Ended::TimedOut => write!(f, "timed out"),
        }
    }
}

/// What a child did.
pub struct Outcome {
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    pub ended: Ended,
    /// User and system time of the child and of the children it waited for.
    pub cpu: Duration,
}

impl Outcome {
    pub fn succeeded(&self) -> bool {
        self.ended == Ended::Status(0)
    }

    pub fn stdout_text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    pub fn stderr_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// The last line of stderr that is not blank: a program's error message.
    pub fn last_error_line(&self) -> String {
        self.stderr_text().lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("").to_string()
    }
}

/// Runs `command` with no input, collecting its output; kills it when `limit` is over.
pub fn run(command: &mut Command, limit: Option<Duration>) -> Result<Outcome> {
    let program = command.get_program().to_string_lossy().into_owned();
    let start = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("can't start {program}: {error}"))?;
    // Both pipes are drained while the child runs: it would block on a full one.
    let stdout = drain(child.stdout.take());
    let stderr = drain(child.stderr.take());
    let (ended, cpu) =
        reap(&child, start, limit).map_err(|error| format!("can't wait for {program}: {error}"))?;
    let collect = |thread: thread::JoinHandle<Vec<u8>>| thread.join().unwrap_or_default();
    Ok(Outcome { stdout: collect(stdout), stderr: collect(stderr), ended, cpu })
}

/// Whether `program` can be started at all, found out by running it with `arguments`.
pub fn answers(program: &str, arguments: &[&str]) -> Option<String> {
    let outcome = run(Command::new(program).args(arguments), Some(Duration::from_secs(20))).ok()?;
    outcome.succeeded().then(|| outcome.stdout_text())
}

fn drain(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // A read error ends the output early; what was read so far is still worth having.
            let _ = pipe.read_to_end(&mut bytes);
        }
        bytes
    })
}

/// Waits for the child. With a limit this polls, because a timer that kills by process id could hit a
/// stranger once the child has been reaped; polling and killing from one thread can't.
fn reap(child: &Child, start: Instant, limit: Option<Duration>) -> io::Result<(Ended, Duration)> {
    let Some(limit) = limit else {
        return wait4(child, true).map(|ended| ended.expect("a blocking wait has a result"));
    };
    let mut pause = Duration::from_micros(200);
    loop {
        if let Some(result) = wait4(child, false)? {
            return Ok(result);
        }
        if start.elapsed() > limit {
            kill(child);
            let (_, cpu) = wait4(child, true)?.expect("a blocking wait has a result");
            return Ok((Ended::TimedOut, cpu));
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(10));
    }
}

fn process_id(child: &Child) -> libc::pid_t {
    child.id() as libc::pid_t
}

fn wait4(child: &Child, block: bool) -> io::Result<Option<(Ended, Duration)>> {
    let mut status = 0;
    let options = if block { 0 } else { libc::WNOHANG };
    loop {
        // SAFETY: an all-zero `rusage` is a valid value of that plain C struct.
        let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
        // SAFETY: both pointers are to live locals of the types that wait4 writes.
        match unsafe { libc::wait4(process_id(child), &mut status, options, &mut usage) } {
            0 => return Ok(None),
            -1 => {
                let error = io::Error::last_os_error();
                if error.kind() != io::ErrorKind::Interrupted {
                    return Err(error);
                }
            }
            _ => {
                let ended = if libc::WIFSIGNALED(status) {
                    Ended::Signal(libc::WTERMSIG(status))
                } else {
                    Ended::Status(libc::WEXITSTATUS(status))
                };
                return Ok(Some((ended, duration(usage.ru_utime) + duration(usage.ru_stime))));
            }
        }
    }
}

fn kill(child: &Child) {
    // SAFETY: kill takes plain numbers; the child has not been reaped, so the id is still its own.
    unsafe { libc::kill(process_id(child), libc::SIGKILL) };
}

fn duration(time: libc::timeval) -> Duration {
    Duration::from_secs(time.tv_sec as u64) + Duration::from_micros(time.tv_usec as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, limit: Option<Duration>) -> Outcome {
        run(Command::new("sh").arg("-c").arg(script), limit).unwrap()
    }

    #[test]
    fn output_and_status_are_collected() {
        let outcome = shell("echo out; echo first >&2; echo last >&2; exit 3", None);
        assert_eq!(outcome.stdout_text(), "out\n");
        assert_eq!(outcome.last_error_line(), "last");
        assert_eq!(outcome.ended, Ended::Status(3));
        assert_eq!(shell("kill -9 $$", None).ended, Ended::Signal(9));
    }

    #[test]
    fn more_output_than_a_pipe_holds_does_not_block() {
        assert_eq!(shell("head -c 300000 /dev/zero", None).stdout.len(), 300_000);
    }

    #[test]
    fn a_child_over_its_limit_is_killed_and_cpu_time_is_counted() {
        let outcome = shell("while :; do :; done", Some(Duration::from_millis(300)));
        assert_eq!(outcome.ended, Ended::TimedOut);
        assert!(outcome.cpu > Duration::from_millis(10), "{:?}", outcome.cpu);
    }

    #[test]
    fn a_program_that_is_missing_is_an_error() {
        assert!(run(&mut Command::new("no-such-program-here"), None).is_err());
        assert!(answers("no-such-program-here", &[]).is_none());
    }
}
