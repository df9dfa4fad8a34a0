//! Errors: made where something is wrong, unwound frame by frame, shown at the end.

use hotloop::prelude::*;

use super::call::Outcome;
use super::import::import_failed;
use super::link::LinkedCode;
use super::run::Failure;
use super::suggest::suggestion;
use super::{Pc, Pyllisp, State};
use crate::code::Instr;
use crate::object::equality::TooDeep;
use crate::object::{Error, FINISHED, Str, Trace, null, repr, text, unset};
use crate::position::Span;

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
    /// A greenlet that has ended can't go on.
    DeadGreenlet,
    /// A callback can't go on with what waits for C to return.
    OutOfCallback,
}

const COMPLAINTS: [Complaint; 10] = [
    Complaint::Assertion,
    Complaint::CannotCall,
    Complaint::CannotInstantiate,
    Complaint::ClosureRequires,
    Complaint::Recursion,
    Complaint::Stop,
    Complaint::AlreadyRunning,
    Complaint::ExpectedAtLeast,
    Complaint::DeadGreenlet,
    Complaint::OutOfCallback,
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
        Complaint::DeadGreenlet => interp.error("dead greenlet"),
        Complaint::OutOfCallback => interp.error("cannot switch out of a callback"),
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
        Raise(Error::new(runtime, 0.into(), message, None, null(), None).to_value())
    }

    /// The error of a name that an object, shown so, doesn't have.
    pub(crate) fn missing(&self, name: &str, object: Value<Plain>, shown: &str) -> Raise<Plain> {
        let runtime = self.runtime();
        let message = self.text(&format!("{name} not in {shown}"));
        let name = Str::from_text(runtime, name);
        Raise(Error::new(runtime, 0.into(), message, Some(name), object, None).to_value())
    }

    /// The end of an iterator.
    pub(crate) fn stop(&self) -> Raise<Plain> {
        let runtime = self.runtime();
        let message = self.text("stop iteration");
        Raise(Error::new(runtime, 1.into(), message, None, null(), None).to_value())
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
        let Some(back) = frame.back().or_else(|| self.raise_in_parent()) else { return Step::Done };
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

/// A place in a program's text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// The file, or what the module is called.
    pub file: String,
    /// The program's text.
    pub source: &'static str,
    /// The place.
    pub span: Span,
    /// A name that is there, where one is missing.
    pub suggestion: Option<String>,
}

/// Equal lines of a traceback that are shown in a row.
const MOST_EQUAL_LINES: usize = 3;
/// How many lines a traceback shows at its beginning, and at its end.
const MOST_LINES: usize = 20;

/// An error that ended a program.
pub(super) fn shown(interp: &Pyllisp, error: Error<Plain>) -> Failure {
    let mut frames: Vec<(&'static LinkedCode, Span, usize)> = Vec::new();
    let mut link = error.trace();
    while let Some(frame) = link {
        link = frame.next();
        let code = frame.code().get();
        let span = code.code.spans[frame.pc() as usize];
        match frames.last_mut() {
            // The interpreter's own functions are nothing that a program's author could look at.
            _ if code.module.frozen => {}
            Some((last, at, times)) if std::ptr::eq(*last, code) && *at == span => *times += 1,
            _ => frames.push((code, span, 1)),
        }
    }
    let place = frames.last().map(|(code, span, _)| {
        let name = error.name().map(text::text);
        let suggestion = name.and_then(|name| suggestion(interp, &name, error.object(), code));
        Box::new(Place { file: code.module.place(), source: code.source, span: *span, suggestion })
    });
    Failure::Raised { trace: traceback(&frames), message: repr::display(interp, error.message()), place }
}

fn traceback(frames: &[(&'static LinkedCode, Span, usize)]) -> String {
    let mut lines = Vec::new();
    for (code, span, times) in frames {
        let line = format!("    {}: {} {}\n", code.module.place(), span.start, span.stop);
        lines.extend(std::iter::repeat_n(line, *times.min(&MOST_EQUAL_LINES)));
        if let Some(more) = times.checked_sub(MOST_EQUAL_LINES).filter(|more| *more > 0) {
            lines.push(format!("    (the last line {more} more times)\n"));
        }
    }
    let left_out = lines.len().saturating_sub(2 * MOST_LINES);
    if left_out > 1 {
        lines.splice(MOST_LINES..MOST_LINES + left_out, [format!("    ({left_out} more lines)\n")]);
    }
    lines.concat()
}
