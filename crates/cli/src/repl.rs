//! The prompt: reads, evaluates, prints, until the input ends. An error is shown and the session goes on;
//! Ctrl-C stops what is being evaluated, or drops what is being typed.

use std::io::{self, Write};

use hotloop::{Runtime, Vm};
use hotloop_pyllisp::object::{repr, special};
use hotloop_pyllisp::read::syntax::Syntax;
use hotloop_pyllisp::vm::module::ModuleInfo;
use hotloop_pyllisp::{Options, Pyllisp, SyntaxError, compile, read};

use crate::arguments::Settings;
use crate::failure::Failure;
use crate::input::{self, Typed};
use crate::language::raised_text;
use crate::output::Output;
use crate::signal;

/// Runs a session on standard input and output.
pub fn run(settings: Settings) -> Result<(), Failure> {
    Runtime::prepare(&settings.options);
    let mut output = Output::new();
    let interpreter = Pyllisp::new(settings.options, Box::new(output.clone()));
    interpreter.runtime().set_log(settings.log);
    let vm = Vm::new(&interpreter);
    let module = interpreter.module("main");
    signal::install(interpreter.runtime().interrupter());
    let mut input = io::stdin().lock();
    loop {
        let typed = input::read(&mut input, &mut output, |source| goes_on(source, &interpreter, module));
        match typed {
            Ok(Typed::Source(source)) => evaluate(&interpreter, &vm, module, &source, &mut output)?,
            Ok(Typed::Interrupted) => continue,
            Ok(Typed::End) => break,
            Err(error) => {
                output.finish()?;
                return Err(Failure::input(format!("standard input: {}", crate::source::reason(&error))));
            }
        }
    }
    vm.log_summary();
    output.finish()
}

fn evaluate(
    interpreter: &Pyllisp,
    vm: &Vm<'_, Pyllisp>,
    module: &'static ModuleInfo,
    source: &[u8],
    output: &mut Output,
) -> Result<(), Failure> {
    signal::start();
    let result = interpreter.run(vm, module, source, true);
    signal::stop();
    match result {
        Ok(value) if value.is_special(special::NULL) => {}
        Ok(value) => {
            // The output keeps the error, and `finish` gives it.
            let _ = writeln!(output, "{}", repr::repr(interpreter, value));
        }
        Err(hotloop_pyllisp::Failure::Exit(status)) => {
            output.finish()?;
            return Err(Failure::exit(status));
        }
        Err(failure) => {
            output.finish()?;
            Failure::program(raised_text(&failure)).show();
        }
    }
    output.finish()
}

/// Whether a line is only the beginning of something: brackets are open, an expression misses its end, or
/// its last form is one that waits for a block.
fn goes_on(source: &[u8], interpreter: &Pyllisp, module: &'static ModuleInfo) -> bool {
    let options = Options { defined: module.defined(interpreter), value: true };
    let Err(error) = compile(source, &options) else { return false };
    let Ok(text) = read::decode(source) else { return false };
    match read::read(text) {
        Err(SyntaxError { message, .. }) => {
            message.contains(" truncates at ") || message.ends_with(", got eof")
        }
        Ok(forms) => {
            let waiting = forms.last().and_then(Syntax::capturing);
            error.message == "expecting capture" && waiting.is_some_and(|form| form.span.start == error.at)
        }
    }
}
