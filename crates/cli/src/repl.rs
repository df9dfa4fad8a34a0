//! The prompt: reads, evaluates, prints, until the input ends. An error is shown and the session goes on;
//! Ctrl-C stops what is being evaluated, or drops what is being typed.

use std::io::{self, IsTerminal, Write};

use hotloop::{Runtime, Vm};
use hotloop_pyllisp::object::special;
use hotloop_pyllisp::read::syntax::{Syntax, SyntaxKind};
use hotloop_pyllisp::vm::module::ModuleInfo;
use hotloop_pyllisp::{Options, Pyllisp, SyntaxError, compile, read};

use crate::arguments::Settings;
use crate::editor::Terminal;
use crate::failure::Failure;
use crate::input::{self, Typed};
use crate::language::raised_text;
use crate::output::Output;
use crate::paint;
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
    let session = Session { interpreter: &interpreter, vm: &vm, module, coloured: paint::wanted() };
    let person = io::stdin().is_terminal() && io::stdout().is_terminal();
    let mut terminal = match person.then(|| Terminal::new(&interpreter, module)) {
        Some(Ok(terminal)) => Some(terminal),
        // A terminal that can't be set up is good enough for lines.
        _ => None,
    };
    loop {
        let goes_on = |source: &[u8]| session.goes_on(source);
        let typed = match &mut terminal {
            Some(terminal) => terminal.read(goes_on),
            // Locked for one line only: programs read, too.
            None => input::read(&mut io::stdin().lock(), &mut output, goes_on),
        };
        match typed {
            Ok(Typed::Source(source)) => session.evaluate(&source, &mut output)?,
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

/// What lasts from line to line.
struct Session<'a> {
    interpreter: &'a Pyllisp,
    vm: &'a Vm<'a, Pyllisp>,
    module: &'static ModuleInfo,
    /// Whether values are shown in colours.
    coloured: bool,
}

impl Session<'_> {
    fn evaluate(&self, source: &[u8], output: &mut Output) -> Result<(), Failure> {
        signal::start();
        let result = self.interpreter.run(self.vm, self.module, source, true);
        let result = result.and_then(|value| match value.is_special(special::NULL) {
            true => Ok(None),
            false => self.interpreter.shown(value).map(|text| Some((value, text))),
        });
        signal::stop();
        match result {
            Ok(None) => {}
            Ok(Some((value, text))) => {
                let text = if self.coloured { paint::painted(value, &text) } else { text };
                // The output keeps the error, and `finish` gives it.
                let _ = writeln!(output, "{text}");
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
    fn goes_on(&self, source: &[u8]) -> bool {
        let options = Options { defined: self.module.defined(self.interpreter), value: true };
        let error = compile(source, &options).err();
        let Ok(text) = read::decode(source) else { return false };
        match (read::read(text), error) {
            (Err(SyntaxError { message, .. }), _) => {
                message.contains(" truncates at ") || message.ends_with(", got eof")
            }
            (Ok(forms), error) => {
                let Some(waiting) = forms.last().and_then(Syntax::capturing) else { return false };
                match error {
                    Some(error) => error.message == "expecting capture" && waiting.span.start == error.at,
                    None => may_go_on(waiting),
                }
            }
        }
    }
}

/// Whether a form that is complete may have a block: a class without members.
fn may_go_on(form: &Syntax) -> bool {
    let SyntaxKind::Form(form) = &form.kind else { return false };
    let head = form.items.first().map(|head| &head.kind);
    form.capture.is_empty() && matches!(head, Some(SyntaxKind::Name(name)) if &*name.text == "class")
}
