//! Functions over everything that can be iterated: written in the prelude, because they call the program's
//! functions, and because traces then see through them.

use hotloop::prelude::*;

use super::{expect, helped, nothing};
use crate::vm::Pyllisp;
use crate::vm::interface::{Answer, Helpers, Native, When, Work};

use When::Given;

pub(super) fn define(interp: &Pyllisp) {
    let one: Native = |interp, args| too_few(interp, args, 1);
    let two: Native = |interp, args| too_few(interp, args, 2);
    let functions: [(&str, Native, Helpers); 10] = [
        ("map", two, &[(Given(1), "map")]),
        ("filter", two, &[(Given(1), "filter")]),
        ("reduce", two, &[(Given(2), "reduce_from"), (Given(1), "reduce")]),
        ("sum", one, &[(Given(1), "sum_from"), (Given(0), "sum")]),
        ("any", one, &[(Given(0), "any")]),
        ("all", one, &[(Given(0), "all")]),
        ("sorted", one, &[(Given(1), "sorted_by"), (Given(0), "sorted")]),
        ("reversed", one, &[(Given(0), "reversed")]),
        ("enumerate", one, &[(Given(1), "enumerate_from"), (Given(0), "enumerate")]),
        ("zip", two, &[(Given(2), "zip_three"), (Given(1), "zip")]),
    ];
    for (name, native, helpers) in functions {
        interp.base.define(interp, name, helped(interp, name, Work::Native(native), helpers));
    }
}

/// With enough arguments the prelude does the work.
fn too_few(interp: &Pyllisp, args: &[Value<Plain>], count: usize) -> Answer {
    expect(interp, args, count)?;
    nothing()
}
