//! The module `fs`.

use hotloop::prelude::*;

use super::{module, string};
use crate::vm::Pyllisp;
use crate::vm::interface::{Answer, Work};

pub(super) fn define(interp: &Pyllisp) {
    module(interp, "fs", &[("read_file", Work::Native(read_file))]);
}

fn read_file(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let path = string(interp, args, 0)?;
    match std::fs::read_to_string(&path) {
        Ok(content) => Ok(interp.text(&content)),
        Err(error) => Err(interp.error(&format!("cannot read {path}: {}", reason(&error)))),
    }
}

/// An error of the system in words, without its number.
pub(crate) fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    let words = text.split(" (os error").next().unwrap_or_default();
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
