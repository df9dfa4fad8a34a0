//! `types FIRST COUNT FOLDER`: random types for so many seeds; says what is wrong with one.

use std::path::Path;
use std::process::ExitCode;

use hotloop::{Options, Runtime};
use hotloop_ffi::fuzzing::{Library, texts};

/// Declarations in one library.
const BATCH: u64 = 200;

fn run() -> Result<u64, String> {
    let args: Vec<String> = std::env::args().collect();
    let [_, first, count, folder] = args.as_slice() else {
        return Err("usage: types FIRST COUNT FOLDER".into());
    };
    let number = |text: &str| text.parse::<u64>().map_err(|error| format!("{text}: {error}"));
    let (first, count) = (number(first)?, number(count)?);
    let runtime = Runtime::new(Options::default());
    let allowed = runtime.foreign().ok_or("a sandbox")?;
    for seed in first..first + count * 100 {
        texts(seed).map_err(|error| format!("seed {seed}: {error}"))?;
    }
    let mut next = first;
    while next < first + count {
        let batch = BATCH.min(first + count - next);
        Library::compile(allowed, next, batch, Path::new(folder))?.check(allowed)?;
        next += batch;
    }
    Ok(count)
}

fn main() -> ExitCode {
    match run() {
        Ok(count) => {
            println!("{count} declarations alike");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
