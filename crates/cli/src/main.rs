//! The hotloop program: `hotloop run FILE`, or a prompt.
//!
//! ```text
//! arguments.rs   the command line -> what to do, and the options
//! language.rs    the languages by extension, and how a program of each is run
//! repl.rs        the prompt                      input.rs   its lines
//! editor.rs      the prompt on a terminal        history.rs what was typed there before
//! paint.rs       values in colours
//! source.rs      files and places in them        output.rs  where programs print
//! signal.rs      Ctrl-C                          failure.rs what is said at the end, and the status
//! ```
#![deny(unsafe_code)]

mod arguments;
mod editor;
mod failure;
mod headers;
mod history;
mod input;
mod language;
mod output;
mod paint;
mod repl;
#[allow(unsafe_code)]
mod signal;
mod source;

use std::io::Write;
use std::process::ExitCode;

use arguments::Command;
use failure::Failure;

fn main() -> ExitCode {
    match obey() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.show();
            ExitCode::from(failure.status)
        }
    }
}

fn obey() -> Result<(), Failure> {
    match arguments::parse(std::env::args_os().skip(1))? {
        Command::Help => say(&arguments::help()),
        Command::Version => say(concat!("hotloop ", env!("CARGO_PKG_VERSION"), "\n")),
        Command::Headers(headers) => headers::run(&headers),
        Command::Prompt(settings) => repl::run(settings),
        Command::Run { settings, file, arguments } => {
            hotloop::Runtime::prepare(&settings.options);
            on_a_deep_stack(move || {
                let result = language::run(settings, &file, &arguments);
                signal::uninstall();
                result
            })
        }
    }
}

/// Compiled functions that call each other take machine stack, at least a kilobyte a call. (What they do not
/// find room for goes on in the interpreter, which needs none.) The memory is taken as it is used.
const STACK_SIZE: usize = 256 << 20;

fn on_a_deep_stack(run: impl FnOnce() -> Result<(), Failure> + Send) -> Result<(), Failure> {
    std::thread::scope(|scope| {
        match std::thread::Builder::new().stack_size(STACK_SIZE).spawn_scoped(scope, run) {
            Ok(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            Err(error) => Err(Failure::input(format_args!("can't start the program's thread: {error}"))),
        }
    })
}

fn say(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(|error| output::failure(&error))
}
