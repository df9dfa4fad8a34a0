//! The native target against the reference.
#![cfg(all(target_arch = "x86_64", target_os = "linux"))]

use hotloop_codegen::fuzzing::session;
use hotloop_codegen::x64::X64;
use hotloop_codegen::{Eval, Options};

/// Random sessions; `HOTLOOP_FUZZ=n` runs so many.
#[test]
fn random_sessions_agree() {
    let count = std::env::var("HOTLOOP_FUZZ").ok().and_then(|text| text.parse().ok()).unwrap_or(1500);
    let start = std::env::var("HOTLOOP_FUZZ_START").ok().and_then(|text| text.parse().ok()).unwrap_or(0u64);
    for seed in start..start + count {
        let options = Options { code_limit: 16 << 20, ..Options::default() };
        let native = if seed % 4 == 3 { X64::baseline(options) } else { X64::new(options) }.unwrap();
        if let Err(error) = session(seed, &native, &Eval::default()) {
            panic!("{error}");
        }
    }
}

/// The same with guards that fail although they hold.
#[test]
fn random_sessions_agree_when_guards_are_forced() {
    for seed in 0..500 {
        let options = Options {
            force_every: (seed % 2 == 0).then_some(1 + seed % 13),
            force: (seed % 2 == 1)
                .then_some(hotloop_codegen::Force { guard: (seed % 9) as u32, at: 1 + seed % 5 }),
            code_limit: 16 << 20,
            ..Options::default()
        };
        let native = X64::new(options.clone()).unwrap();
        if let Err(error) = session(seed, &native, &Eval::new(options)) {
            panic!("{error}");
        }
    }
}
