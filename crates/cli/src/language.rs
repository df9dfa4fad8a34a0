//! The languages, and how a program of each is run.

use std::ffi::OsString;
use std::io::{self, Read};
use std::path::Path;

use hotloop::{Plain, Runtime, Value, Vm};
use hotloop_bf::Brainfuck;
use hotloop_pyllisp::object::list;
use hotloop_pyllisp::{Failure as PyllispFailure, Pyllisp};

use crate::arguments::Settings;
use crate::failure::Failure;
use crate::output::Output;
use crate::signal;
use crate::source::{self, Place};

/// A language that hotloop runs.
pub struct Language {
    /// What its files' names end with.
    pub extension: &'static str,
    /// Its name.
    pub name: &'static str,
    run: fn(Settings, &Program<'_>) -> Result<(), Failure>,
}

/// All languages.
pub const LANGUAGES: &[Language] = &[
    Language { extension: "pyl", name: "Pyllisp", run: pyllisp },
    Language { extension: "b", name: "Brainfuck", run: brainfuck },
];

/// A program that was read.
struct Program<'a> {
    path: &'a Path,
    source: Vec<u8>,
    arguments: &'a [OsString],
}

impl Program<'_> {
    fn rejected(&self, place: Place, shown: impl std::fmt::Display, message: &str) -> Failure {
        source::rejected(self.path, &self.source, place, shown, message)
    }
}

/// Runs a file.
pub fn run(settings: Settings, path: &Path, arguments: &[OsString]) -> Result<(), Failure> {
    source::check(path)?;
    let extension = path.extension();
    let Some(language) = LANGUAGES.iter().find(|language| extension == Some(language.extension.as_ref()))
    else {
        return Err(unknown(path));
    };
    let source = source::read(path)?;
    (language.run)(settings, &Program { path, source, arguments })
}

fn unknown(path: &Path) -> Failure {
    let known: Vec<String> =
        LANGUAGES.iter().map(|language| format!(".{} ({})", language.extension, language.name)).collect();
    Failure::usage(format!(
        "{}: the extension does not name a language; there are: {}",
        path.display(),
        known.join(", ")
    ))
}

fn pyllisp(settings: Settings, program: &Program<'_>) -> Result<(), Failure> {
    let mut output = Output::new();
    let interpreter = Pyllisp::new(settings.options, Box::new(output.clone()));
    interpreter.runtime().set_log(settings.log);
    let vm = Vm::new(&interpreter);
    let module = interpreter.module_of_file("main", program.path);
    module.define(&interpreter, "argv", arguments(&interpreter, program));
    signal::install(interpreter.runtime().interrupter());
    signal::start();
    let result = interpreter.run(&vm, module, &program.source, false);
    signal::stop();
    vm.log_summary();
    output.finish()?;
    result.map(drop).map_err(|failure| match failure {
        PyllispFailure::Syntax(error) => {
            let place = Place { line: error.at.line as usize, column: error.at.col as usize + 1 };
            program.rejected(place, error.at, &error.to_string())
        }
        PyllispFailure::Exit(status) => Failure::exit(status),
        raised => Failure::stopped(raised_text(&raised)),
    })
}

/// What is said of a Pyllisp program's error: the traceback, the line that it came from, and last what is wrong.
pub fn raised_text(failure: &PyllispFailure) -> String {
    let text = failure.to_string();
    let PyllispFailure::Raised { message, place: Some(place), .. } = failure else { return text };
    let label = place.suggestion.as_ref().map_or(String::new(), |name| format!("did you mean `{name}`?"));
    let [start, stop] = [place.span.start, place.span.stop]
        .map(|pos| Place { line: pos.line as usize, column: pos.col as usize + 1 });
    let excerpt = source::excerpt(place.source, start, stop, &label);
    let error = format!("Error: {message}");
    match text.strip_suffix(&error) {
        Some(before) => format!("{before}{}:{}\n{excerpt}{error}", place.file, place.span.start),
        None => text,
    }
}

/// What Pyllisp programs find as `argv`: a list of strings, the program's own name first.
fn arguments(interp: &Pyllisp, program: &Program<'_>) -> Value<Plain> {
    let words =
        std::iter::once(program.path.as_os_str()).chain(program.arguments.iter().map(OsString::as_os_str));
    let runtime = interp.runtime();
    let argv = list::with_room(runtime, 1 + program.arguments.len());
    words.for_each(|word| list::push(runtime, argv, interp.text(&word.to_string_lossy())));
    argv.to_value()
}

fn brainfuck(settings: Settings, program: &Program<'_>) -> Result<(), Failure> {
    let text = source::decode(&program.source)
        .map_err(|(place, message)| program.rejected(place, shown(place), &message))?;
    let parsed = hotloop_bf::parse(text).map_err(|error| {
        let place = Place { line: error.line as usize, column: error.column as usize };
        program.rejected(place, shown(place), &error.to_string())
    })?;
    let runtime = Runtime::new(settings.options);
    runtime.set_log(settings.log);
    signal::install(runtime.interrupter());
    let mut output = Output::new();
    let interpreter = Brainfuck::new(runtime, Box::new(Input), Box::new(output.clone()));
    signal::start();
    let result = interpreter.run(parsed);
    signal::stop();
    output.finish()?;
    result.map_err(|message| Failure::stopped(format!("Error: {message}")))
}

fn shown(place: Place) -> String {
    format!("{}:{}", place.line, place.column)
}

/// Standard input whose reads Ctrl-C ends: the program goes on to where it is told.
struct Input;

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match io::stdin().lock().read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                    if signal::interrupted() {
                        return Err(io::Error::other("interrupted"));
                    }
                }
                result => return result,
            }
        }
    }
}
