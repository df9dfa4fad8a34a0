//! The program as its users meet it: run, and looked at from outside.
//!
//! ```text
//! bad_input.rs    files, programs and command lines that are wrong
//! foreign.rs      C: the game, descriptions of headers, the sandbox
//! interrupt.rs    Ctrl-C
//! limits.rs       programs that want too much
//! programs.rs     the benchmarks' and the languages' programs, in every mode
//! prompt.rs       sessions
//! terminal.rs     sessions of a person
//! ```

mod bad_input;
mod foreign;
mod interrupt;
mod limits;
mod programs;
mod prompt;
mod terminal;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a run left behind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ended {
    pub stdout: String,
    pub stderr: String,
    /// `None` after a signal.
    pub status: Option<i32>,
}

impl Ended {
    pub fn last_error_line(&self) -> &str {
        self.stderr.lines().last().unwrap_or_default()
    }
}

/// The program, with these arguments.
pub fn hotloop(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hotloop"));
    command.args(arguments).env_remove("HOTLOOP_LOG");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs it to its end, with something to read.
pub fn end_of(command: &mut Command, input: &str) -> Ended {
    let mut child = command.spawn().unwrap();
    // A program that ends without having read everything is no failure.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ended { stdout: text(&output.stdout), stderr: text(&output.stderr), status: output.status.code() }
}

/// Runs it to its end.
pub fn run(arguments: &[&str]) -> Ended {
    end_of(&mut hotloop(arguments), "")
}

/// A file with this text, in a folder for the purpose.
pub fn file(name: &str, text: impl AsRef<[u8]>) -> String {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_string()
}

/// A path in the repository.
pub fn in_tree(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}
