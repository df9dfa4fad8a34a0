//! Work with large numbers, which may take minutes: a library does it, and can't be told to stop.
//!
//! So another thread does it, and this one waits for it or for Ctrl-C. What nobody waits for any more goes on to its
//! end; the process does not wait for it.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use hotloop::prelude::*;

use super::Pyllisp;

/// With numbers of so many bits no work takes longer than a twentieth of a second.
const FEW_BITS: usize = 1 << 20;
/// How often it is looked whether Ctrl-C was pressed.
const NAP: Duration = Duration::from_millis(10);

impl Pyllisp {
    /// The result of work with numbers of so many bits; an error if Ctrl-C was pressed before there was one.
    pub(crate) fn long<T: Send + 'static>(
        &self,
        bits: usize,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Raise<Plain>> {
        if let Some(result) = self.long_unless_asked(bits, work) {
            return Ok(result);
        }
        self.stop_if_asked()?;
        Err(self.error("out of memory"))
    }

    /// The same for who looks later whether Ctrl-C was pressed.
    pub(crate) fn long_unless_asked<T: Send + 'static>(
        &self,
        bits: usize,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        if bits <= FEW_BITS {
            return Some(work());
        }
        let (sender, mut receiver) = mpsc::channel();
        // Nobody may be there to receive it.
        let work = move || drop(sender.send(work()));
        thread::Builder::new().name("pyllisp-long".into()).spawn(work).ok()?;
        loop {
            let result;
            (receiver, result) = self.runtime().blocking(move || {
                let result = receiver.recv_timeout(NAP);
                (receiver, result)
            });
            match result {
                Ok(result) => return Some(result),
                Err(RecvTimeoutError::Timeout) if !self.runtime().interrupter().is_asked() => {}
                Err(_) => return None,
            }
        }
    }
}
