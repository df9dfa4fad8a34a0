//! What does `Direct` cost? The same small interpreter twice, by hand and on hotloop, running the same
//! bytecode: same instructions, tagged small integers with overflow checks, a frame on the heap, a look at
//! the interrupt flag on each back edge.
//!
//! `direct hand OUTER INNER` or `direct toolkit OUTER INNER` runs one of them (`cargo xtask bench direct`
//! pairs them).

mod hand;
mod program;
mod toolkit;

use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let numbers: Vec<i32> = words.iter().skip(1).filter_map(|word| word.parse().ok()).collect();
    let (Some(which), [outer, inner]) = (words.first(), numbers.as_slice()) else {
        // Without arguments (as an example that is merely tried): a short run of both.
        println!("{}", hand::run(20, 30).unwrap_or_default());
        println!("{}", toolkit::run(20, 30));
        return ExitCode::SUCCESS;
    };
    match which.as_str() {
        "hand" => println!("{}", hand::run(*outer, *inner).unwrap_or_default()),
        "toolkit" => println!("{}", toolkit::run(*outer, *inner)),
        _ => {
            eprintln!("usage: direct hand|toolkit OUTER INNER");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
