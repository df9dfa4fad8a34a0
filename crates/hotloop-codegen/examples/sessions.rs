//! Random traces, machine code against the reference: `sessions FIRST TRACES`, from this seed on until so many
//! traces were made. Says how far it is, and what differs.

use std::time::Instant;

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
fn main() {
    use hotloop_codegen::fuzzing::{Counts, compare};

    let number = |index: usize| std::env::args().nth(index).and_then(|text| text.parse::<u64>().ok());
    let (Some(first), Some(traces)) = (number(1), number(2)) else {
        eprintln!("usage: sessions FIRST TRACES");
        std::process::exit(2);
    };
    let started = Instant::now();
    let mut counts = Counts::default();
    let (mut seed, mut different) = (first, 0);
    while counts.traces < traces {
        let before = counts.traces / 100_000;
        match compare(seed) {
            Ok(done) => counts += done,
            Err(error) => {
                println!("{error}");
                different += 1;
            }
        }
        seed += 1;
        if counts.traces / 100_000 != before {
            println!("{} s, seeds {first}..{seed}: {counts:?}", started.elapsed().as_secs());
        }
    }
    println!("{} s, seeds {first}..{seed}: {counts:?}, {different} differ", started.elapsed().as_secs());
    if different > 0 {
        std::process::exit(1);
    }
}

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
fn main() {
    let _ = Instant::now();
    println!("there is no native target");
}
