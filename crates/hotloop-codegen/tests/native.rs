//! The native target against the reference.
#![cfg(all(target_arch = "x86_64", target_os = "linux"))]

use hotloop_codegen::fuzzing::{Counts, compare};

/// Sessions of which so many traces are made in all, some with guards that fail although they hold.
fn sessions(traces: u64) -> Counts {
    let mut counts = Counts::default();
    for seed in 0.. {
        match compare(seed) {
            Ok(done) => counts += done,
            Err(error) => panic!("{error}"),
        }
        if counts.traces >= traces {
            break;
        }
    }
    counts
}

/// Many more: `cargo xtask fuzz --traces 1000000`.
#[test]
fn random_sessions_agree() {
    let counts = sessions(20_000);
    // All that is compared happens often enough.
    assert!(counts.runs > 10_000, "{counts:?}");
    assert!(counts.unwound > 500, "{counts:?}");
    assert!(counts.safepoints > 10_000, "{counts:?}");
    assert!(counts.remembered > 10_000, "{counts:?}");
    assert!(counts.to_labels > 200, "{counts:?}");
}
