//! Programs from source text to their end.

use std::fmt;

use hotloop::prelude::*;

use super::error::{Place, shown};
use super::link::link;
use super::module::ModuleInfo;
use super::{Pc, Progress, Pyllisp, State};
use crate::compile;
use crate::ffi::Server;
use crate::object::{Error, Frame, is_set, null, repr, unset};
use crate::position::SyntaxError;
use crate::read;

/// Why a program ended with an error.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Failure {
    /// It can't be read.
    Syntax(SyntaxError),
    /// It raised an error that nobody handled.
    Raised {
        /// A line for each frame that the error came through, the outermost first.
        trace: String,
        /// What was wrong.
        message: String,
        /// Where the error came from.
        place: Option<Box<Place>>,
    },
    /// It called `exit`, with this status; which may say that all is well.
    Exit(u8),
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Syntax(error) => write!(out, "Error: {error}"),
            Failure::Exit(status) => write!(out, "exit with status {status}"),
            Failure::Raised { trace, message, .. } if trace.is_empty() => write!(out, "Error: {message}"),
            Failure::Raised { trace, message, .. } => write!(out, "Traceback:\n{trace}Error: {message}"),
        }
    }
}

impl std::error::Error for Failure {}

impl Pyllisp {
    /// A new module for a program, over `base`.
    pub fn module(&self, name: &str) -> &'static ModuleInfo {
        ModuleInfo::new(name, Some(self.base), false)
    }

    /// A value as a prompt shows it.
    pub fn shown(&self, value: Value<Plain>) -> Result<String, Failure> {
        repr::whole(self, value).map_err(|Raise(error)| match error.cast::<Error<Plain>>() {
            Some(error) => shown(self, error),
            None => Failure::Raised { trace: String::new(), message: String::from("no error"), place: None },
        })
    }

    /// Runs a program in a module and gives the value of its last expression.
    pub fn run(
        &self,
        vm: &Vm<'_, Pyllisp>,
        module: &'static ModuleInfo,
        source: &[u8],
        value: bool,
    ) -> Result<Value<Plain>, Failure> {
        let options = compile::Options { defined: module.defined(self), value };
        let program = compile::compile(source, &options).map_err(Failure::Syntax)?;
        let text = read::decode(source).map_err(Failure::Syntax)?;
        let code = link(self, program, text, module);
        if code.code.generator {
            // A program that yields is a generator that nobody asks.
            return Ok(null());
        }
        self.begin_in_main();
        let slots = u32::from(code.code.slots);
        let frame = Frame::new(self.runtime(), code, None, None, Progress::New, 0.into(), slots);
        let state = State { frame, result: null(), exception: unset() };
        let server = Server { interp: self, vm };
        let state = hotloop_ffi::callback::serve(&server, || self.run_greenlets(vm, Pc::new(code, 0), state));
        if !is_set(state.exception) {
            return Ok(state.result);
        }
        Err(match state.exception.cast::<Error<Plain>>() {
            Some(error) => shown(self, error),
            None => Failure::Raised { trace: String::new(), message: String::from("no error"), place: None },
        })
    }
}

/// Runs a program that prints to `output`, with everything it needs.
///
/// ```
/// use hotloop_pyllisp::run_program;
///
/// assert!(run_program(b"(assert 2 * 21 == 42)", Default::default(), Box::new(std::io::sink())).is_ok());
/// ```
pub fn run_program(source: &[u8], options: Options, output: Box<dyn std::io::Write>) -> Result<(), Failure> {
    let interp = Pyllisp::new(options, output);
    let vm = Vm::new(&interp);
    let result = interp.run(&vm, interp.module("main"), source, false);
    interp.flush();
    result.map(drop)
}
