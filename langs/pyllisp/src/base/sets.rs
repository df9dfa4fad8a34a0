//! Sets: dictionaries without values.

use hotloop::prelude::*;

use super::{add_method, each, expect, helped, instantiate, method, nothing, object};
use crate::object::{Dict, DictPart, Set, boolean, dict, list, null, repr};
use crate::vm::Pyllisp;
use crate::vm::interface::{Answer, Helpers, Native, Quick, When, Work};

pub(super) fn define(interp: &Pyllisp) {
    let known = interp.interfaces.set;
    let from_generator = &[(When::Generator(0), "set_of")];
    instantiate(interp, known, helped(interp, "set", Work::Native(new_set), from_generator));
    let natives: [(&str, Native); 6] = [
        ("add", add),
        ("remove", remove),
        ("discard", discard),
        ("clear", clear),
        ("copy", copy),
        ("issubset", is_subset),
    ];
    for (name, native) in natives {
        method(interp, known, name, Work::Native(native));
    }
    method(interp, known, "contains", Work::Quick(Quick::Contains, contains));
    let helped_ones: [(&str, Native, Helpers); 4] = [
        ("update", update, &[(When::Generator(1), "set_update")]),
        ("union", union, &[(When::Generator(1), "set_union")]),
        ("intersection", intersection, &[(When::Generator(1), "set_intersection")]),
        ("difference", difference, &[(When::Generator(1), "set_difference")]),
    ];
    for (name, native, helpers) in helped_ones {
        add_method(interp, known, name, helped(interp, name, Work::Native(native), helpers));
    }
}

fn this(interp: &Pyllisp, args: &[Value<Plain>]) -> Result<Dict<Plain>, Raise<Plain>> {
    object::<Set<Plain>>(interp, args, 0, interp.interfaces.set).map(Set::dict)
}

fn put(interp: &Pyllisp, dict: Dict<Plain>, item: Value<Plain>) -> Result<(), Raise<Plain>> {
    interp.put(dict, item, null())
}

fn has(interp: &Pyllisp, dict: Dict<Plain>, item: Value<Plain>) -> Result<bool, Raise<Plain>> {
    Ok(dict::place(dict, item).map_err(|error| interp.too_deep(error))?.is_some())
}

fn take(interp: &Pyllisp, dict: Dict<Plain>, item: Value<Plain>) -> Result<bool, Raise<Plain>> {
    Ok(dict::remove(dict, item).map_err(|error| interp.too_deep(error))?.is_some())
}

/// A set of the values of an iterable.
fn collected(interp: &Pyllisp, iterable: Value<Plain>) -> Result<Set<Plain>, Raise<Plain>> {
    let dict = dict::new(interp.runtime());
    each(interp, iterable, |item| put(interp, dict, item))?;
    Ok(Set::new(interp.runtime(), dict))
}

fn new_set(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    match args.first() {
        Some(iterable) => Ok(collected(interp, *iterable)?.to_value()),
        None => Ok(Set::new(interp.runtime(), dict::new(interp.runtime())).to_value()),
    }
}

fn add(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    expect(interp, args, 2)?;
    put(interp, this(interp, args)?, args[1])?;
    nothing()
}

fn remove(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    expect(interp, args, 2)?;
    match take(interp, this(interp, args)?, args[1])? {
        true => nothing(),
        false => Err(interp.error(&format!("{} not in <set>", repr::repr(interp, args[1])))),
    }
}

/// `(set.discard value)`: whether it was there.
fn discard(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    expect(interp, args, 2)?;
    Ok(boolean(take(interp, this(interp, args)?, args[1])?))
}

fn contains(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    expect(interp, args, 2)?;
    Ok(boolean(has(interp, this(interp, args)?, args[1])?))
}

fn clear(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    dict::clear(interp.runtime(), this(interp, args)?);
    nothing()
}

fn copy(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    this(interp, args)?;
    Ok(collected(interp, args[0])?.to_value())
}

/// Whether all elements are in the other set.
fn is_subset(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let other = object::<Set<Plain>>(interp, args, 1, interp.interfaces.set)?.dict();
    let (dict, mut place) = (this(interp, args)?, 0);
    while let Some((item, _, next)) = dict::next_entry(dict, place) {
        place = next;
        if !has(interp, other, item)? {
            return Ok(boolean(false));
        }
    }
    Ok(boolean(true))
}

fn update(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    expect(interp, args, 2)?;
    let dict = this(interp, args)?;
    // A copy first: a set may be updated with itself.
    let added = list::with_room(interp.runtime(), 0);
    each(interp, args[1], |item| interp.push(added, item))?;
    for index in 0..list::length(added) {
        put(interp, dict, list::get(added, index))?;
    }
    nothing()
}

fn union(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    expect(interp, args, 2)?;
    this(interp, args)?;
    let result = collected(interp, args[0])?;
    each(interp, args[1], |item| put(interp, result.dict(), item))?;
    Ok(result.to_value())
}

fn intersection(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    select(interp, args, true)
}

fn difference(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    select(interp, args, false)
}

/// The elements that are, or are not, among the values of an iterable.
fn select(interp: &Pyllisp, args: &[Value<Plain>], wanted: bool) -> Answer {
    expect(interp, args, 2)?;
    let (dict, other) = (this(interp, args)?, collected(interp, args[1])?.dict());
    let result = dict::new(interp.runtime());
    let mut place = 0;
    while let Some((item, _, next)) = dict::next_entry(dict, place) {
        place = next;
        if has(interp, other, item)? == wanted {
            put(interp, result, item)?;
        }
    }
    Ok(Set::new(interp.runtime(), result).to_value())
}

/// An iterator over the elements.
pub(crate) fn iterator(interp: &Pyllisp, set: Set<Plain>) -> Value<Plain> {
    interp.dict_iterator(set.dict(), DictPart::Keys)
}
