//! What ends the program before its time: what is said on standard error, and the exit status.

/// The status of programs and input that are wrong.
const WRONG: u8 = 1;
/// The status of a wrong command line.
const USAGE: u8 = 2;
/// The status after Ctrl-C, as shells have it: 128 and the signal's number.
const INTERRUPTED: u8 = 130;

/// Why hotloop ends without having done what it was told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// What to say; its last line begins with `Error:`. Empty if the program has said it.
    pub text: String,
    /// The exit status.
    pub status: u8,
}

impl Failure {
    /// The command line or the environment can't be used.
    pub fn usage(message: impl std::fmt::Display) -> Failure {
        Failure { text: format!("Error: {message}"), status: USAGE }
    }

    /// A file can't be used.
    pub fn input(message: impl std::fmt::Display) -> Failure {
        Failure::program(format!("Error: {message}"))
    }

    /// A program ended with an error; this is the whole text.
    pub fn program(text: String) -> Failure {
        Failure { text, status: WRONG }
    }

    /// A program ended by itself with a status, which may be 0.
    pub fn exit(status: u8) -> Failure {
        Failure { text: String::new(), status }
    }

    /// A program was stopped by Ctrl-C if it was pressed, else it ended with an error.
    pub fn stopped(text: String) -> Failure {
        let status = if crate::signal::interrupted() { INTERRUPTED } else { WRONG };
        Failure { text, status }
    }

    /// Says it on standard error.
    pub fn show(&self) {
        use std::io::Write;
        if self.text.is_empty() {
            return;
        }
        // If nobody can be told, the status has to do.
        let _ = writeln!(std::io::stderr().lock(), "{}", self.text);
    }
}
