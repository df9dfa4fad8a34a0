//! Places in the source, and the error that names one.
//!
//! Lines count from one and columns from zero, in characters, as the original did: the column of an
//! expression is what layout compares.

use std::fmt;

/// A place in the source.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Pos {
    /// The line, from one.
    pub line: u32,
    /// The column in characters, from zero.
    pub col: u32,
}

impl Default for Pos {
    fn default() -> Pos {
        Pos { line: 1, col: 0 }
    }
}

impl fmt::Display for Pos {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.line, self.col)
    }
}

/// The stretch of source that an expression covers; `stop` is the place after its last character.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Span {
    /// Where the first character stands.
    pub start: Pos,
    /// The place after the last character.
    pub stop: Pos,
}

impl Span {
    /// From the start of the one to the end of the other.
    pub fn to(self, other: Span) -> Span {
        Span { start: self.start, stop: other.stop }
    }
}

/// Why a program can't be read, and where. Shown as `LINE:COL: message`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SyntaxError {
    /// The place that is wrong.
    pub at: Pos,
    /// What is wrong there.
    pub message: String,
}

impl SyntaxError {
    /// An error at a place.
    pub fn new(at: Pos, message: impl Into<String>) -> SyntaxError {
        SyntaxError { at, message: message.into() }
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.at, self.message)
    }
}

impl std::error::Error for SyntaxError {}
