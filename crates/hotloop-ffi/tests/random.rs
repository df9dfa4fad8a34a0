//! Random types, a second of them: `cargo xtask fuzz --types N` tries more.

use std::path::Path;

use hotloop::{Options, Runtime};
use hotloop_ffi::fuzzing::{Library, texts};

#[test]
fn texts_read_back() {
    for seed in 1..20_000 {
        texts(seed).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
}

#[test]
fn layouts_and_calls_are_the_compilers() {
    let runtime = Runtime::new(Options::default());
    let allowed = runtime.foreign().unwrap();
    let library = Library::compile(allowed, 1, 150, Path::new(env!("CARGO_TARGET_TMPDIR"))).unwrap();
    library.check(allowed).unwrap_or_else(|error| panic!("{error}"));
}
