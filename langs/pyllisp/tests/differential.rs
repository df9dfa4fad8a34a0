//! The same programs, run in several ways, print the same.

mod common;

use hotloop_pyllisp::generate;

/// The ways; the first is the reference.
const WAYS: [&str; 6] = [
    "off",
    "threshold=1,backend=eval",
    "threshold=2,optimize=0,backend=eval",
    "threshold=1,function_threshold=1",
    "threshold=2,function_threshold=3,force_every=3",
    "off,gc=1009",
];

fn check(seeds: std::ops::Range<u64>) {
    for seed in seeds {
        let source = generate::program(seed);
        let expected = common::run(&source, WAYS[0]).to_string();
        for way in &WAYS[1..] {
            let got = common::run(&source, way).to_string();
            assert!(
                got == expected,
                "seed {seed}, {way}:\n{source}\n--- expected\n{expected}\n--- got\n{got}"
            );
        }
    }
}

#[test]
fn random_programs_print_the_same_in_every_way() {
    check(0..16);
}
