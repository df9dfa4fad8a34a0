//! Errors: made where something is wrong, unwound frame by frame, shown at the end.

use std::fmt::Write;

use hotloop::prelude::*;

use super::call::Outcome;
use super::import::import_failed;
use super::{Pc, Pyllisp, State};
use crate::code::Instr;
use crate::object::equality::TooDeep;
use crate::object::{Error, FINISHED, Trace, repr, unset};

/// What steps themselves complain of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Green)]
#[repr(u32)]
pub enum Complaint {
    /// A failed assertion.
    Assertion,
    /// A call of what is no function.
    CannotCall,
    /// A call of an interface that makes no objects.
    CannotInstantiate,
    /// A closure is called with fewer arguments than this.
    ClosureRequires,
    /// Too many calls are in progress.
    Recursion,
    /// An iterator has ended.
    Stop,
    /// A generator asks itself for its next value.
    AlreadyRunning,
    /// A multimethod is called with fewer arguments than this.
    ExpectedAtLeast,
}

const COMPLAINTS: [Complaint; 8] = [
    Complaint::Assertion,
    Complaint::CannotCall,
    Complaint::CannotInstantiate,
    Complaint::ClosureRequires,
    Complaint::Recursion,
    Complaint::Stop,
    Complaint::AlreadyRunning,
    Complaint::ExpectedAtLeast,
];

impl GreenWord for Complaint {
    fn to_word(self) -> u64 {
        self as u64
    }
    fn from_word(word: u64) -> Complaint {
        COMPLAINTS[word as usize]
    }
}

/// The error of a complaint about a value and a number.
#[residual(writes)]
pub fn complaint(interp: &Pyllisp, what: Complaint, about: Value<Plain>, number: u32) -> Value<Plain> {
    let Raise(error) = match what {
        Complaint::Assertion => interp.error("Assertion error"),
        Complaint::CannotCall => interp.error(&format!("cannot call {}", repr::repr(interp, about))),
        Complaint::CannotInstantiate => {
            interp.error(&format!("Cannot instantiate {}", repr::repr(interp, about)))
        }
        Complaint::ClosureRequires => interp.error(&format!("closure requires {number} arguments")),
        Complaint::Recursion => interp.error("maximum recursion depth exceeded"),
        Complaint::Stop => interp.stop(),
        Complaint::AlreadyRunning => interp.error("generator is running already"),
        Complaint::ExpectedAtLeast => {
            let got = about.as_small().map_or(0, |count| count.to_int().get());
            interp.error(&format!("expected at least {number} arguments, got {got}"))
        }
    };
    error
}

impl Pyllisp {
    /// An error with a message.
    pub(crate) fn error(&self, message: &str) -> Raise<Plain> {
        let runtime = self.runtime();
        let message = self.text(message);
        Raise(Error::new(runtime, 0.into(), message, None).to_value())
    }

    /// The end of an iterator.
    pub(crate) fn stop(&self) -> Raise<Plain> {
        let runtime = self.runtime();
        let message = self.text("stop iteration");
        Raise(Error::new(runtime, 1.into(), message, None).to_value())
    }

    /// The error of structures that nest too deeply to be compared or hashed.
    pub(crate) fn too_deep(&self, _: TooDeep) -> Raise<Plain> {
        self.error("structure is nested too deeply")
    }

    /// Makes a complaint the pending error.
    #[cold]
    #[inline(never)]
    pub(super) fn complain<M: Mode>(
        &self,
        state: &mut State<M>,
        what: Complaint,
        about: Value<M>,
        number: u32,
    ) -> Outcome {
        state.exception = complaint::<M>(self, what, about, number);
        Outcome::Raise
    }

    /// An error is pending at an instruction: it leaves the frame, unless it is the end of an
    /// iterator that a loop asks for its next value.
    pub(super) fn unwind<M: Mode>(&self, pc: Pc, state: &mut State<M>) -> Step<Pc> {
        let Some(error) = state.exception.cast::<Error<M>>() else { return Step::Done };
        if let Instr::Next { target, .. } = pc.instr()
            && error.is_stop() == 1
        {
            state.exception = unset();
            return Step::Next(pc.at(target.0));
        }
        let frame = state.frame;
        error.set_trace(Some(Trace::new(self.runtime(), pc.code, pc.number(), error.trace())));
        let Some(back) = frame.back() else { return Step::Done };
        if pc.code.is_file {
            import_failed::<M>(self, GreenRef::new(pc.code.get().module));
        }
        if pc.code.code.generator {
            frame.set_pc(FINISHED);
            frame.set_back(None);
        }
        state.frame = back;
        Step::Raise(Pc::new(back.code(), back.pc()))
    }
}

/// Equal lines of a traceback that are shown in a row.
const MOST_EQUAL_LINES: usize = 3;

/// The lines of a traceback and the error's message.
pub(super) fn shown(interp: &Pyllisp, error: Error<Plain>) -> (String, String) {
    let mut lines: Vec<(String, usize)> = Vec::new();
    let mut link = error.trace();
    while let Some(frame) = link {
        let code = frame.code();
        let span = code.code.spans[frame.pc() as usize];
        // The interpreter's own functions are nothing that a program's author could look at.
        if !code.module.frozen {
            let line = format!("    {}: {} {}\n", code.module.place(), span.start, span.stop);
            match lines.last_mut() {
                Some((last, times)) if *last == line => *times += 1,
                _ => lines.push((line, 1)),
            }
        }
        link = frame.next();
    }
    let mut trace = String::new();
    for (line, times) in lines {
        trace += &line.repeat(times.min(MOST_EQUAL_LINES));
        if let Some(more) = times.checked_sub(MOST_EQUAL_LINES).filter(|more| *more > 0) {
            let _ = writeln!(trace, "    (the last line {more} more times)");
        }
    }
    (trace, repr::display(interp, error.message()))
}
