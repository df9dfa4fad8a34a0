//! Where programs print: standard output, in large pieces unless a person is watching.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::os::fd::AsFd;
use std::rc::Rc;

use crate::failure::Failure;

/// How much is written at once.
const PIECE: usize = 64 << 10;

/// Standard output for one interpreter. Clones write to the same place.
#[derive(Clone)]
pub struct Output(Rc<RefCell<Inner>>);

struct Inner {
    writer: Box<dyn Write>,
    /// The first error: programs are told of it, but need not tell anybody.
    error: Option<io::Error>,
}

impl Output {
    pub fn new() -> Output {
        let stdout = io::stdout();
        let copy = if stdout.is_terminal() { None } else { stdout.as_fd().try_clone_to_owned().ok() };
        let writer: Box<dyn Write> = match copy {
            Some(descriptor) => Box::new(BufWriter::with_capacity(PIECE, File::from(descriptor))),
            None => Box::new(stdout),
        };
        Output(Rc::new(RefCell::new(Inner { writer, error: None })))
    }

    /// Writes out what was printed, and says whether all of it could be written.
    pub fn finish(&mut self) -> Result<(), Failure> {
        // The error is kept, and looked at next.
        let _ = self.flush();
        match self.0.borrow_mut().error.take() {
            Some(error) => Err(failure(&error)),
            None => Ok(()),
        }
    }

    fn keep<T>(&self, act: impl FnOnce(&mut dyn Write) -> io::Result<T>) -> io::Result<T> {
        let inner = &mut *self.0.borrow_mut();
        act(&mut *inner.writer).map_err(|error| {
            let kind = error.kind();
            if kind != io::ErrorKind::Interrupted {
                inner.error.get_or_insert(error);
            }
            kind.into()
        })
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.keep(|writer| writer.write(bytes))
    }
    fn flush(&mut self) -> io::Result<()> {
        self.keep(|writer| writer.flush())
    }
}

/// What is said if standard output can't be written.
pub fn failure(error: &io::Error) -> Failure {
    Failure::input(format!("standard output: {}", crate::source::reason(error)))
}
