//! Running programs in tests.

use std::cell::RefCell;
use std::fmt;
use std::io::{self, Write};
use std::rc::Rc;

use hotloop::Options;
use hotloop_pyllisp::run_program;

/// An output that keeps what is written.
#[derive(Clone, Default)]
struct Kept(Rc<RefCell<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a program printed, and its error's text if it ended with one.
pub struct Outcome {
    pub printed: String,
    pub error: Option<String>,
}

impl fmt::Display for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.printed)?;
        match &self.error {
            Some(error) => writeln!(out, "{error}"),
            None => Ok(()),
        }
    }
}

/// Runs a program with these parameters of the JIT; `gc=N` collects at every n-th allocation.
pub fn run(source: &str, parameters: &str) -> Outcome {
    let mut options = Options::default();
    for parameter in parameters.split(',') {
        match parameter.strip_prefix("gc=") {
            Some(every) => options.gc_stress = Some(every.parse().unwrap()),
            None => options.jit.parse(parameter).unwrap(),
        }
    }
    let output = Kept::default();
    let result = run_program(source.as_bytes(), options, Box::new(output.clone()));
    let printed = String::from_utf8(output.0.borrow().clone()).unwrap();
    Outcome { printed, error: result.err().map(|error| error.to_string()) }
}
