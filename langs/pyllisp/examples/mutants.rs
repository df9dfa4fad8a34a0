//! Wrong sources for the reader and the compiler: `mutants FIRST COUNT FILE…` makes them of these programs.
//! Prints how many were made; ends with status 1 at the first that breaks a rule, panics, or takes over a second.

use std::panic::catch_unwind;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use hotloop_pyllisp::mutate;

/// How long a source of some kilobytes may take.
const LIMIT: Duration = Duration::from_secs(1);

/// How long a source takes. On a busy machine a single measurement says little, so one that is over the limit is
/// made again.
fn fastest(mut took: Duration, source: &[u8]) -> Duration {
    for _ in 0..3 {
        if took > LIMIT {
            let start = Instant::now();
            let _ = catch_unwind(|| mutate::check(source));
            took = took.min(start.elapsed());
        }
    }
    took
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize| args.get(index).and_then(|text| text.parse::<u64>().ok());
    let (Some(first), Some(count)) = (number(0), number(1)) else {
        eprintln!("usage: mutants FIRST COUNT FILE…");
        return ExitCode::from(2);
    };
    let programs: Vec<Vec<u8>> = args[2..].iter().filter_map(|path| std::fs::read(path).ok()).collect();
    let (mut compiled, mut no_text, mut slowest) = (0u64, 0u64, Duration::ZERO);
    for seed in first..first + count {
        let source = mutate::source(seed, &programs);
        let start = Instant::now();
        let found = match catch_unwind(|| mutate::check(&source)) {
            Ok(Ok(fine)) => {
                compiled += u64::from(fine);
                None
            }
            Ok(Err(error)) => Some(error),
            Err(_) => Some(String::from("panic")),
        };
        let took = fastest(start.elapsed(), &source);
        slowest = slowest.max(took);
        let found = found.or_else(|| (took > LIMIT).then(|| format!("takes {took:?}")));
        if let Some(found) = found {
            println!("seed {seed}: {found}\n{}", String::from_utf8_lossy(&source));
            return ExitCode::FAILURE;
        }
        no_text += u64::from(!mutate::is_text(&source));
    }
    println!(
        "{count} sources of {} programs: {compiled} compiled, {no_text} no text, the slowest took {slowest:?}",
        programs.len()
    );
    ExitCode::SUCCESS
}
