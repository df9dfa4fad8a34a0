//! Errors: made where something is wrong, unwound frame by frame, shown at the end.

use hotloop::prelude::*;

use super::call::Outcome;
use super::import::import_failed;
use super::link::LinkedCode;
use super::run::Failure;
use super::suggest::suggestion;
use super::{Pc, Progress, Pyllisp, State};
use crate::code::Instr;
use crate::object::equality::TooDeep;
use crate::object::error_kind::{EXIT, INTERRUPT, PLAIN, STOP};
use crate::object::{Error, Str, Trace, is_set, null, repr, text, unset};
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
    /// A class is called with fewer arguments than it has fields.
    ClassRequires,
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
    Complaint::ClassRequires,
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
        Complaint::ClassRequires => {
            interp.error(&format!("{} requires {number} arguments", repr::repr(interp, about)))
        }
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
        Raise(new_error(runtime, PLAIN, message).to_value())
    }

    /// The error of a name that an object, shown so, doesn't have.
    pub(crate) fn missing(&self, name: &str, object: Value<Plain>, shown: &str) -> Raise<Plain> {
        let runtime = self.runtime();
        let message = self.text(&format!("{name} not in {shown}"));
        let name = Str::from_text(runtime, name);
        let plain = Int::from(PLAIN);
        Raise(Error::new(runtime, plain, message, unset(), Some(name), object, None).to_value())
    }

    /// The end of an iterator.
    pub(crate) fn stop(&self) -> Raise<Plain> {
        let runtime = self.runtime();
        let message = self.text("stop iteration");
        Raise(new_error(runtime, STOP, message).to_value())
    }

    /// Ctrl-C was pressed.
    pub(crate) fn interrupted(&self) -> Raise<Plain> {
        Raise(new_error(self.runtime(), INTERRUPT, self.text("interrupted")).to_value())
    }

    /// The program ends with this status.
    pub(crate) fn exit(&self, status: u8) -> Raise<Plain> {
        Raise(new_error(self.runtime(), EXIT, Value::small(status.into())).to_value())
    }

    /// `(raise value)`: errors as they are, strings as errors that say so.
    pub(super) fn raise<M: Mode>(&self, state: &mut State<M>, value: Value<M>) -> Outcome {
        state.exception = if value.is::<Error<M>>() {
            value
        } else {
            let raised = if value.is::<Str<M>>() { unset() } else { value };
            Error::new(self.runtime(), PLAIN.into(), value, raised, None, null(), None).to_value()
        };
        Outcome::Raise
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
    /// iterator that a loop asks for its next value, or is handled there.
    pub(super) fn unwind<M: Mode>(&self, pc: Pc, state: &mut State<M>) -> Step<Pc> {
        let Some(error) = state.exception.cast::<Error<M>>() else { return Step::Done };
        if let Instr::Next { .. } = pc.instr()
            && error.kind() == STOP
        {
            state.exception = unset();
            return Step::Next(pc.jump());
        }
        let frame = state.frame;
        error.set_trace(Some(Trace::new(self.runtime(), pc.code(), pc.number(), error.trace())));
        if let Some(handler) = pc.code().get().code.handler(pc.number() as usize)
            && error.kind() <= STOP
        {
            let raised = error.raised();
            let caught = if is_set(raised) { raised } else { error.to_value() };
            frame.set_slots(u32::from(handler.dst.0), caught);
            state.exception = unset();
            return Step::Next(pc.at(handler.target.0));
        }
        let Some(back) = frame.back().or_else(|| self.raise_in_parent(state)) else { return Step::Done };
        if pc.code().is_file {
            import_failed::<M>(self, GreenRef::new(pc.code().get().module));
        }
        if pc.code().code.generator {
            frame.set_progress(Progress::Ended);
            frame.set_back(None);
        }
        state.frame = back;
        frame.release(self.runtime());
        Step::Raise(back.progress().place())
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

/// An error with a message, which nobody has raised yet.
pub(crate) fn new_error(runtime: &Runtime, kind: i64, message: Value<Plain>) -> Error<Plain> {
    Error::new(runtime, kind.into(), message, unset(), None, null(), None)
}

/// Frames, each with its place in the text and how many equal ones follow each other.
type Frames = Vec<(&'static LinkedCode, Span, usize)>;

/// The frames that an error came through.
fn frames(error: Error<Plain>) -> Frames {
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
    frames
}

/// The traceback of an error that was raised.
pub(super) fn trace_text(error: Error<Plain>) -> String {
    traceback(&frames(error))
}

/// An error that ended a program.
pub(super) fn shown(interp: &Pyllisp, error: Error<Plain>) -> Failure {
    if error.kind().get() == EXIT {
        let status = error.message().as_small().map_or(0, |status| status.to_int().get());
        return Failure::Exit(status as u8);
    }
    let frames = frames(error);
    let place = frames.last().map(|(code, span, _)| {
        let name = error.name().map(text::text);
        let suggestion = name.and_then(|name| suggestion(interp, &name, error.object(), code));
        Box::new(Place { file: code.module.place(), source: code.source, span: *span, suggestion })
    });
    let message = match text::as_text(error.message()) {
        Some(text) => text.to_string(),
        None => repr::repr(interp, error.message()),
    };
    Failure::Raised { trace: traceback(&frames), message, place }
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
