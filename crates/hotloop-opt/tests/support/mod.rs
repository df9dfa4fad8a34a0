//! Random programs, run directly and through traces that must not make a difference.

pub mod generate;
pub mod language;
pub mod machine;
pub mod memory;
pub mod run;
