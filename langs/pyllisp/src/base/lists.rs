//! Methods of lists and dictionaries.

use std::cmp::Ordering;

use hotloop::prelude::*;

use super::{add_method, expect, helped, instantiate, method, nothing, object, small, unexpected};
use crate::object::{Dict, DictPart, List, boolean, dict, equality, is_set, is_true, list, null, repr};
use crate::vm::Pyllisp;
use crate::vm::interface::{Answer, Native, Quick, When, Work};
use crate::vm::operator;

pub(super) fn define(interp: &Pyllisp) {
    let known = &interp.interfaces;
    for (interface, native, helper) in
        [(known.list, new_list as Native, "list_of"), (known.dict, new_dict, "dict_of")]
    {
        let helper = Some((When::Generator(0), helper));
        instantiate(interp, interface, helped(interp, &interface.info.name, Work::Native(native), helper));
    }
    let of_lists: [(&str, Native); 5] = [
        ("insert", insert),
        ("remove", remove),
        ("contains", contains),
        ("index", index),
        ("reverse", reverse),
    ];
    let quick_of_lists: [(&str, Quick, Native); 3] =
        [("append", Quick::Append, append), ("pop", Quick::Pop, pop), ("slice", Quick::Slice, slice)];
    for (name, quick, native) in quick_of_lists {
        method(interp, known.list, name, Work::Quick(quick, native));
    }
    for (name, native) in of_lists {
        method(interp, known.list, name, Work::Native(native));
    }
    for (name, work, when, helper) in [
        ("extend", Work::Quick(Quick::Extend, extend), When::Generator(1), "extend_by"),
        ("sort", Work::Native(sort), When::Given(1), "sort_by"),
    ] {
        add_method(interp, known.list, name, helped(interp, name, work, Some((when, helper))));
    }
    let of_dicts: [(&str, Native); 4] =
        [("keys", keys), ("values", values), ("items", items), ("remove", remove_key)];
    for (name, native) in of_dicts {
        method(interp, known.dict, name, Work::Native(native));
    }
    method(interp, known.dict, "get", Work::Quick(Quick::Get, get));
    method(interp, known.dict, "contains", Work::Quick(Quick::Contains, has_key));
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
    let iterator = interp.iterator(iterable)?;
    while let Some(item) = interp.next(iterator)? {
        list::push(interp.runtime(), list, item);
    }
    Ok(())
}

fn append(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    expect(interp, args, 2)?;
    list::push(interp.runtime(), this(interp, args)?, args[1]);
    nothing()
}

fn extend(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    expect(interp, args, 2)?;
    // A copy first: a list may be extended with itself.
    let added = list::with_room(interp.runtime(), 0);
    add_all(interp, added, args[1])?;
    list::extend(interp.runtime(), this(interp, args)?, added);
    nothing()
}

fn insert(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    expect(interp, args, 3)?;
    let list = this(interp, args)?;
    let index = interp.index(args[1], list::length(list) + 1)?;
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
    Ok(list::remove(list, index))
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
    Ok(list::remove(this(interp, args)?, index))
}

fn contains(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    Ok(boolean(position(interp, args)?.is_some()))
}

fn index(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let index = position(interp, args)?.ok_or_else(|| missing(interp, args))?;
    Ok(Value::small(index as i64))
}

fn reverse(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let list = this(interp, args)?;
    let (items, length) = (list.items(), list::length(list));
    for index in 0..length / 2 {
        let (one, two) = (items.items(index), items.items(length - 1 - index));
        items.set_items(index, two);
        items.set_items(length - 1 - index, one);
    }
    nothing()
}

/// `(list.slice start stop)`; places behind the end count as the end.
fn slice(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let list = this(interp, args)?;
    let length = list::length(list) as i64;
    let start = small(interp, args, 1)?.clamp(0, length);
    let stop = if args.len() > 2 { small(interp, args, 2)?.clamp(start, length) } else { length };
    Ok(list::part(interp.runtime(), list, start.into(), (stop - start).into()).to_value())
}

/// Sorts numbers or strings in place, stably, by merging.
fn sort(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let list = this(interp, args)?;
    let count = list::length(list);
    // The places are sorted, not the values, which must stay where the collector sees them.
    let mut places: Vec<usize> = (0..count).collect();
    let mut failure = None;
    places.sort_by(|one, two| {
        if failure.is_some() {
            return Ordering::Equal;
        }
        match order(interp, list::get(list, *one), list::get(list, *two)) {
            Ok(order) => order,
            Err(error) => {
                failure = Some(error);
                Ordering::Equal
            }
        }
    });
    if let Some(error) = failure {
        return Err(error);
    }
    let sorted = list::with_room(interp.runtime(), count);
    for place in places {
        list::push(interp.runtime(), sorted, list::get(list, place));
    }
    list.set_items(sorted.items());
    Ok(list.to_value())
}

fn order(interp: &Pyllisp, one: Value<Plain>, two: Value<Plain>) -> Result<Ordering, Raise<Plain>> {
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

fn this_dict(interp: &Pyllisp, args: &[Value<Plain>]) -> Result<Dict<Plain>, Raise<Plain>> {
    object(interp, args, 0, interp.interfaces.dict)
}

fn new_dict(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let runtime = interp.runtime();
    let new = dict::new(runtime);
    let set = |key, value| dict::set(runtime, new, key, value).map_err(|error| interp.too_deep(error));
    match args.first() {
        None => {}
        Some(from) => match from.cast::<Dict<Plain>>() {
            Some(from) => {
                let mut place = 0;
                while let Some((key, value, next)) = dict::next_entry(from, place) {
                    place = next;
                    set(key, value)?;
                }
            }
            None => {
                let iterator = interp.iterator(*from)?;
                while let Some(pair) = interp.next(iterator)? {
                    let key = interp.item(pair, Value::small(0))?;
                    set(key, interp.item(pair, Value::small(1))?)?;
                }
            }
        },
    }
    Ok(new.to_value())
}

fn keys(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    Ok(interp.dict_iterator(this_dict(interp, args)?, DictPart::Keys))
}

fn values(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    Ok(interp.dict_iterator(this_dict(interp, args)?, DictPart::Values))
}

fn items(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    Ok(interp.dict_iterator(this_dict(interp, args)?, DictPart::Items))
}

fn find(interp: &Pyllisp, args: &[Value<Plain>]) -> Result<Option<Value<Plain>>, Raise<Plain>> {
    expect(interp, args, 2)?;
    dict::get(this_dict(interp, args)?, args[1]).map_err(|error| interp.too_deep(error))
}

/// `(dict.get key)` or `(dict.get key default)`
fn get(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    Ok(find(interp, args)?.or(args.get(2).copied()).unwrap_or(null()))
}

fn has_key(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    Ok(boolean(find(interp, args)?.is_some()))
}

fn remove_key(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    expect(interp, args, 2)?;
    let Some(dict) = args[0].cast::<Dict<Plain>>() else {
        return Err(unexpected(interp, 0, interp.interfaces.dict));
    };
    let removed = dict::remove(dict, args[1]).map_err(|error| interp.too_deep(error))?;
    removed.ok_or_else(|| interp.error(&format!("key {} not in <dict>", repr::repr(interp, args[1]))))
}
