//! Methods of dictionaries.

use hotloop::prelude::*;

use super::{add_method, each, expect, helped, instantiate, method, nothing, object};
use crate::object::{Dict, DictPart, boolean, dict, null, repr};
use crate::vm::Pyllisp;
use crate::vm::interface::{Answer, Native, Quick, When, Work};

pub(super) fn define(interp: &Pyllisp) {
    let known = &interp.interfaces;
    let from_generator = &[(When::Generator(0), "dict_of")];
    instantiate(interp, known.dict, helped(interp, "dict", Work::Native(new_dict), from_generator));
    let natives: [(&str, Native); 8] = [
        ("keys", keys),
        ("values", values),
        ("items", items),
        ("remove", remove),
        ("pop", pop),
        ("setdefault", set_default),
        ("clear", clear),
        ("copy", copy),
    ];
    for (name, native) in natives {
        method(interp, known.dict, name, Work::Native(native));
    }
    method(interp, known.dict, "get", Work::Quick(Quick::Get, get));
    method(interp, known.dict, "contains", Work::Quick(Quick::Contains, has_key));
    let update = helped(interp, "update", Work::Native(update), &[(When::Generator(1), "update_by")]);
    add_method(interp, known.dict, "update", update);
}

fn this(interp: &Pyllisp, args: &[Value<Plain>]) -> Result<Dict<Plain>, Raise<Plain>> {
    object(interp, args, 0, interp.interfaces.dict)
}

fn new_dict(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let new = dict::new(interp.runtime());
    if let Some(from) = args.first() {
        add_all(interp, new, *from)?;
    }
    Ok(new.to_value())
}

/// Adds the entries of a dictionary, or pairs of key and value.
fn add_all(interp: &Pyllisp, dict: Dict<Plain>, from: Value<Plain>) -> Result<(), Raise<Plain>> {
    let Some(from) = from.cast::<Dict<Plain>>() else {
        return each(interp, from, |pair| {
            let key = interp.item(pair, Value::small(0))?;
            interp.put(dict, key, interp.item(pair, Value::small(1))?)
        });
    };
    let mut place = 0;
    while let Some((key, value, next)) = dict::next_entry(from, place) {
        place = next;
        interp.put(dict, key, value)?;
    }
    Ok(())
}

fn update(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    expect(interp, args, 2)?;
    add_all(interp, this(interp, args)?, args[1])?;
    nothing()
}

fn copy(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    this(interp, args)?;
    new_dict(interp, args)
}

fn clear(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    dict::clear(interp.runtime(), this(interp, args)?);
    nothing()
}

/// `(dict.setdefault key value)`: the key's value, which it gets if it has none.
fn set_default(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    expect(interp, args, 3)?;
    if let Some(value) = find(interp, args)? {
        return Ok(value);
    }
    interp.put(this(interp, args)?, args[1], args[2])?;
    Ok(args[2])
}

fn keys(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    Ok(interp.dict_iterator(this(interp, args)?, DictPart::Keys))
}

fn values(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    Ok(interp.dict_iterator(this(interp, args)?, DictPart::Values))
}

fn items(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    Ok(interp.dict_iterator(this(interp, args)?, DictPart::Items))
}

fn find(interp: &Pyllisp, args: &[Value<Plain>]) -> Result<Option<Value<Plain>>, Raise<Plain>> {
    expect(interp, args, 2)?;
    dict::get(this(interp, args)?, args[1]).map_err(|error| interp.too_deep(error))
}

/// `(dict.get key)` or `(dict.get key default)`
fn get(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    Ok(find(interp, args)?.or(args.get(2).copied()).unwrap_or(null()))
}

fn has_key(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    Ok(boolean(find(interp, args)?.is_some()))
}

fn removed(interp: &Pyllisp, args: &[Value<Plain>]) -> Result<Option<Value<Plain>>, Raise<Plain>> {
    expect(interp, args, 2)?;
    dict::remove(this(interp, args)?, args[1]).map_err(|error| interp.too_deep(error))
}

fn missing(interp: &Pyllisp, key: Value<Plain>) -> Raise<Plain> {
    interp.error(&format!("key {} not in <dict>", repr::repr(interp, key)))
}

fn remove(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    removed(interp, args)?.ok_or_else(|| missing(interp, args[1]))
}

/// `(dict.pop key)` or `(dict.pop key default)`
fn pop(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    removed(interp, args)?.or(args.get(2).copied()).ok_or_else(|| missing(interp, args[1]))
}
