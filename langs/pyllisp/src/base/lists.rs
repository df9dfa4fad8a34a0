//! Methods of lists.

use std::cmp::Ordering;

use hotloop::prelude::*;

use super::{add_method, each, expect, helped, instantiate, method, nothing, object, small};
use crate::object::{Elements, List, boolean, equality, is_set, is_true, list, null, repr};
use crate::vm::Pyllisp;
use crate::vm::interface::{Answer, Helpers, Native, Quick, When, Work};
use crate::vm::operator;

pub(super) fn define(interp: &Pyllisp) {
    let known = &interp.interfaces;
    let from_generator = &[(When::Generator(0), "list_of")];
    instantiate(interp, known.list, helped(interp, "list", Work::Native(new_list), from_generator));
    let of_lists: [(&str, Native); 10] = [
        ("insert", insert),
        ("remove", remove),
        ("contains", contains),
        ("index", index),
        ("reverse", reverse),
        ("find", find),
        ("count", count),
        ("clear", clear),
        ("copy", copy),
        ("repeat", repeat),
    ];
    let quick_of_lists: [(&str, Quick, Native); 3] =
        [("append", Quick::Append, append), ("pop", Quick::Pop, pop), ("slice", Quick::Slice, slice)];
    for (name, quick, native) in quick_of_lists {
        method(interp, known.list, name, Work::Quick(quick, native));
    }
    for (name, native) in of_lists {
        method(interp, known.list, name, Work::Native(native));
    }
    let helped_of_lists: [(&str, Work, Helpers); 3] = [
        ("extend", Work::Quick(Quick::Extend, extend), &[(When::Generator(1), "extend_by")]),
        ("sort", Work::Native(sort), &[(When::Given(1), "sort_by")]),
        ("sort_by", Work::Native(needs_a_key), &[(When::Given(1), "sort_by_key")]),
    ];
    for (name, work, helpers) in helped_of_lists {
        add_method(interp, known.list, name, helped(interp, name, work, helpers));
    }
}

fn this(interp: &Pyllisp, args: &[Value<Plain>]) -> Result<List<Plain>, Raise<Plain>> {
    object(interp, args, 0, interp.interfaces.list)
}

fn new_list(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let runtime = interp.runtime();
    let list = list::with_room(runtime, 0);
    if let Some(iterable) = args.first() {
        add_all(interp, list, *iterable)?;
    }
    Ok(list.to_value())
}

fn add_all(interp: &Pyllisp, list: List<Plain>, iterable: Value<Plain>) -> Result<(), Raise<Plain>> {
    each(interp, iterable, |item| interp.push(list, item))
}

fn append(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    expect(interp, args, 2)?;
    interp.push(this(interp, args)?, args[1])?;
    nothing()
}

fn extend(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    expect(interp, args, 2)?;
    // A copy first: a list may be extended with itself.
    let added = list::with_room(interp.runtime(), 0);
    add_all(interp, added, args[1])?;
    let list = this(interp, args)?;
    interp.reserve_items(2 * (list::length(list) + list::length(added)))?;
    list::extend(interp.runtime(), list, added);
    nothing()
}

fn insert(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    expect(interp, args, 3)?;
    let list = this(interp, args)?;
    let index = interp.index(args[1], list::length(list) + 1)?;
    if list::is_full(list) {
        interp.reserve_items(2 * list::length(list))?;
    }
    list::insert(interp.runtime(), list, index, args[2]);
    nothing()
}

/// `(list.pop)` or `(list.pop index)`
fn pop(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let list = this(interp, args)?;
    let length = list::length(list);
    let index = match args.get(1) {
        Some(index) => interp.index(*index, length)?,
        None => length.checked_sub(1).ok_or_else(|| interp.error("index out of range"))?,
    };
    Ok(list::remove(interp.runtime(), list, index))
}

fn position(interp: &Pyllisp, args: &[Value<Plain>]) -> Result<Option<usize>, Raise<Plain>> {
    expect(interp, args, 2)?;
    let list = this(interp, args)?;
    for index in 0..list::length(list) {
        let equal = equality::equal(list::get(list, index), args[1]);
        if equal.map_err(|error| interp.too_deep(error))? {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

fn missing(interp: &Pyllisp, args: &[Value<Plain>]) -> Raise<Plain> {
    interp.error(&format!("{} not in {}", repr::repr(interp, args[1]), repr::repr(interp, args[0])))
}

fn remove(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let index = position(interp, args)?.ok_or_else(|| missing(interp, args))?;
    Ok(list::remove(interp.runtime(), this(interp, args)?, index))
}

fn contains(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    Ok(boolean(position(interp, args)?.is_some()))
}

fn index(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let index = position(interp, args)?.ok_or_else(|| missing(interp, args))?;
    Ok(Value::small(index as i64))
}

/// `(list.find value)`: its place, or null.
fn find(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    Ok(position(interp, args)?.map_or(null(), |index| Value::small(index as i64)))
}

fn count(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    expect(interp, args, 2)?;
    let list = this(interp, args)?;
    let mut count = 0;
    for index in 0..list::length(list) {
        let equal = equality::equal(list::get(list, index), args[1]);
        count += i64::from(equal.map_err(|error| interp.too_deep(error))?);
    }
    Ok(Value::small(count))
}

fn clear(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let list = this(interp, args)?;
    list::put_in(list, Elements::new(interp.runtime(), 0.into(), 0));
    nothing()
}

fn copy(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let list = this(interp, args)?;
    interp.reserve_items(list::length(list))?;
    Ok(list::part(interp.runtime(), list, 0.into(), list::count(list)).to_value())
}

/// `(list.repeat times)`: a list of so many copies of the elements.
fn repeat(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let list = this(interp, args)?;
    let (length, times) = (list::length(list), small(interp, args, 1)?.max(0) as usize);
    let total = length.saturating_mul(times);
    interp.reserve_items(total)?;
    let elements = Elements::new(interp.runtime(), total.into(), total);
    for place in 0..times {
        list::copy(list, 0, elements, place * length, length);
    }
    Ok(List::new(interp.runtime(), Some(elements), 0).to_value())
}

fn reverse(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let list = this(interp, args)?;
    let length = list::length(list);
    for index in 0..length / 2 {
        list::swap(list, index, length - 1 - index);
    }
    nothing()
}

/// `(list.slice start stop)`; places behind the end count as the end.
fn slice(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let list = this(interp, args)?;
    let length = list::length(list) as i64;
    let start = small(interp, args, 1)?.clamp(0, length);
    let stop = if args.len() > 2 { small(interp, args, 2)?.clamp(start, length) } else { length };
    interp.reserve_items((stop - start) as usize)?;
    Ok(list::part(interp.runtime(), list, start.into(), (stop - start).into()).to_value())
}

/// Sorts numbers, strings or lists of such in place, stably, by merging.
fn sort(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let list = this(interp, args)?;
    interp.reserve_items(2 * list::length(list))?;
    let places = sorted_places(interp, list)?;
    let sorted = Elements::new(interp.runtime(), places.len().into(), places.len());
    for (index, place) in places.into_iter().enumerate() {
        sorted.set_items(index, list::get(list, place));
    }
    list::put_in(list, sorted);
    Ok(list.to_value())
}

/// `(order_of keys)`: the places of a list in the order of what is there.
pub(super) fn order_of(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let keys = this(interp, args)?;
    interp.reserve_items(2 * list::length(keys))?;
    let order = list::with_room(interp.runtime(), list::length(keys));
    for place in sorted_places(interp, keys)? {
        list::push(interp.runtime(), order, Value::small(place as i64));
    }
    Ok(order.to_value())
}

/// `(list.sort_by)` without its argument.
fn needs_a_key(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    expect(interp, args, 2)?;
    nothing()
}

/// The places of a list in the order of what is there. (The values must stay where the collector sees them.)
fn sorted_places(interp: &Pyllisp, list: List<Plain>) -> Result<Vec<usize>, Raise<Plain>> {
    let mut places: Vec<usize> = (0..list::length(list)).collect();
    let mut failure = None;
    places.sort_by(|one, two| {
        if failure.is_some() {
            return Ordering::Equal;
        }
        order(interp, list::get(list, *one), list::get(list, *two), 0).unwrap_or_else(|error| {
            failure = Some(error);
            Ordering::Equal
        })
    });
    match failure {
        Some(error) => Err(error),
        None => Ok(places),
    }
}

/// How deep lists that are put in order may nest.
const MAX_DEPTH: u32 = 200;

fn order(
    interp: &Pyllisp,
    one: Value<Plain>,
    two: Value<Plain>,
    depth: u32,
) -> Result<Ordering, Raise<Plain>> {
    if let (Some(one), Some(two)) = (one.cast::<List<Plain>>(), two.cast::<List<Plain>>()) {
        if depth == MAX_DEPTH {
            return Err(interp.too_deep(equality::TooDeep));
        }
        for index in 0..list::length(one).min(list::length(two)) {
            let order = order(interp, list::get(one, index), list::get(two, index), depth + 1)?;
            if order != Ordering::Equal {
                return Ok(order);
            }
        }
        return Ok(list::length(one).cmp(&list::length(two)));
    }
    for (a, b, order) in [(one, two, Ordering::Less), (two, one, Ordering::Greater)] {
        let less = operator::operate::<Plain>(interp, operator::LT, a, b)?;
        if !is_set(less) {
            let names = [a, b].map(|value| interp.interface_of(value).name.as_str());
            return Err(interp.error(&format!("no order of [{}]", names.join(" "))));
        }
        if is_true(less) {
            return Ok(order);
        }
    }
    Ok(Ordering::Equal)
}
