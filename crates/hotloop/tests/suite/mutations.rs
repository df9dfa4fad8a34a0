//! The suite is worth something: each rule of replay, broken on purpose, makes it fail.
//!
//! A run with a broken rule may end in a wrong result, in an internal error, or, as memory is what the rules
//! are about, in a crash: it happens in a process of its own.

use std::process::Command;

use crate::programs::{all, parse};
use crate::run::{Counts, Effort, alone, compare};

const RULE: &str = "TINY_BROKEN_RULE";
const CAUGHT: i32 = 77;

/// What the processes below run. On its own it has nothing to do.
#[test]
fn child() {
    let Some(rule) = std::env::var(RULE).ok().and_then(|text| text.parse().ok()) else { return };
    for (name, text) in all() {
        let mut counts = Counts::default();
        if let Err(failure) = alone(|| compare(parse(text), Effort::Some, Some(rule), &mut counts)) {
            let found = failure.text.lines().next().unwrap_or_default();
            println!("caught by {name}: {}: {found}", failure.way);
            std::process::exit(CAUGHT);
        }
    }
}

#[test]
fn every_broken_rule_is_found() {
    let mut missed = Vec::new();
    for (number, rule) in hotloop_opt::BROKEN_RULES.iter().enumerate() {
        let program = std::env::current_exe().expect("this program");
        let output = Command::new(program)
            .args(["--exact", "mutations::child", "--nocapture"])
            .env(RULE, number.to_string())
            .output()
            .expect("the process");
        let said = String::from_utf8_lossy(&output.stdout);
        let how = said.lines().find(|line| line.starts_with("caught by")).unwrap_or("a crash");
        println!("{rule}: {} {how}", output.status);
        // A crash, too, would have made the suite fail.
        if output.status.success() {
            missed.push(rule);
        }
    }
    assert!(missed.is_empty(), "not found: {missed:?}");
}
