//! The module `math`.

use hotloop::prelude::*;

use super::{expect, module};
use crate::object::{number, repr};
use crate::vm::Pyllisp;
use crate::vm::interface::{Answer, Work};

pub(super) fn define(interp: &Pyllisp) {
    module(interp, "math", &[("sqrt", Work::Root(root))]);
}

/// The square root of any number as a float.
fn root(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    expect(interp, args, 1)?;
    let integer = number::as_number(args[0]).map(|integer| integer.to_float());
    match args[0].as_float().map(Float::get).or(integer) {
        Some(float) if float >= 0.0 || float.is_nan() => {
            Ok(Value::from_float(interp.runtime(), float.sqrt().into()))
        }
        _ => Err(interp.error(&format!("no square root of {}", repr::repr(interp, args[0])))),
    }
}
