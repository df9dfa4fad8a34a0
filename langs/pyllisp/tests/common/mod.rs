//! Running programs in tests.
#![allow(dead_code)] // Each test file uses a part of this.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

use hotloop::Options;
use hotloop_pyllisp::run_program;

/// An output that keeps what is written.
#[derive(Clone, Default)]
pub struct Kept(Rc<RefCell<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a program printed, and its error's text if it ended with one.
pub fn run(source: &str, options: Options) -> (String, Option<String>) {
    let output = Kept::default();
    let result = run_program(source.as_bytes(), options, Box::new(output.clone()));
    let printed = String::from_utf8(output.0.borrow().clone()).unwrap();
    (printed, result.err().map(|error| error.to_string()))
}

/// Options with these parameters of the JIT; `gc=N` collects at every n-th allocation.
pub fn options(parameters: &str) -> Options {
    let mut options = Options::default();
    for parameter in parameters.split(',') {
        match parameter.strip_prefix("gc=") {
            Some(every) => options.gc_stress = Some(every.parse().unwrap()),
            None => options.jit.parse(parameter).unwrap(),
        }
    }
    options
}

/// Output and error in one text.
pub fn outcome(source: &str, parameters: &str) -> String {
    match run(source, options(parameters)) {
        (printed, None) => printed,
        (printed, Some(error)) => format!("{printed}{error}\n"),
    }
}
