//! Runs a Pyllisp program: `run FILE [jit parameters]`, for example `run fib.pyl off`.

use std::io::{BufWriter, stdout};
use std::process::ExitCode;

use hotloop::Options;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let Some(path) = args.next() else {
        eprintln!("usage: run FILE [jit parameters]");
        return ExitCode::from(2);
    };
    let mut options = Options::default();
    if let Err(error) = options.jit.parse(&args.next().unwrap_or_default()) {
        eprintln!("{error}");
        return ExitCode::from(2);
    }
    let source = match std::fs::read(&path) {
        Ok(source) => source,
        Err(error) => {
            eprintln!("{path}: {error}");
            return ExitCode::from(2);
        }
    };
    match hotloop_pyllisp::run_program(&source, options, Box::new(BufWriter::new(stdout()))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}
