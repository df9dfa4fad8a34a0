//! Methods of strings.

use hotloop::prelude::*;

use super::{expect, method, object, small, string};
use crate::object::{List, boolean, list, repr};
use crate::vm::Pyllisp;
use crate::vm::interface::{Answer, Native, Quick, Work};

pub(super) fn define(interp: &Pyllisp) {
    let methods: [(&str, Native); 10] = [
        ("contains", contains),
        ("startswith", starts_with),
        ("endswith", ends_with),
        ("find", find),
        ("replace", replace),
        ("split", split),
        ("join", join),
        ("strip", strip),
        ("upper", upper),
        ("lower", lower),
    ];
    method(interp, interp.interfaces.string, "slice", Work::Quick(Quick::Slice, slice));
    for (name, native) in methods {
        method(interp, interp.interfaces.string, name, Work::Native(native));
    }
}

fn answer(interp: &Pyllisp, text: &str) -> Answer {
    Ok(interp.text(text))
}

fn contains(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    Ok(boolean(string(interp, args, 0)?.contains(&string(interp, args, 1)?)))
}

fn starts_with(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    Ok(boolean(string(interp, args, 0)?.starts_with(&string(interp, args, 1)?)))
}

fn ends_with(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    Ok(boolean(string(interp, args, 0)?.ends_with(&string(interp, args, 1)?)))
}

/// The place of a text in another, or null.
fn find(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let text = string(interp, args, 0)?;
    let found = text.find(&string(interp, args, 1)?);
    Ok(match found {
        Some(bytes) => Value::small(text[..bytes].chars().count() as i64),
        None => crate::object::null(),
    })
}

fn replace(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let text = string(interp, args, 0)?;
    answer(interp, &text.replace(&string(interp, args, 1)?, &string(interp, args, 2)?))
}

/// `(text.split)` at whitespace, `(text.split separator)` at every separator.
fn split(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let text = string(interp, args, 0)?;
    let runtime = interp.runtime();
    let parts = list::with_room(runtime, 0);
    let separator = if args.len() > 1 { Some(string(interp, args, 1)?) } else { None };
    match separator {
        None => text.split_whitespace().for_each(|part| list::push(runtime, parts, interp.text(part))),
        Some(separator) if separator.is_empty() => return Err(interp.error("empty separator")),
        Some(separator) => {
            text.split(&separator).for_each(|part| list::push(runtime, parts, interp.text(part)));
        }
    }
    Ok(parts.to_value())
}

/// `(separator.join list)`
fn join(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    expect(interp, args, 2)?;
    let separator = string(interp, args, 0)?;
    let parts: List<Plain> = object(interp, args, 1, interp.interfaces.list)?;
    let texts: Vec<String> =
        (0..list::length(parts)).map(|index| repr::display(interp, list::get(parts, index))).collect();
    answer(interp, &texts.join(&separator))
}

fn strip(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    answer(interp, string(interp, args, 0)?.trim())
}

fn upper(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    answer(interp, &string(interp, args, 0)?.to_uppercase())
}

fn lower(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    answer(interp, &string(interp, args, 0)?.to_lowercase())
}

/// `(text.slice start stop)`; places behind the end count as the end.
fn slice(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let text = string(interp, args, 0)?;
    let start = small(interp, args, 1)?.max(0) as usize;
    let stop = if args.len() > 2 { small(interp, args, 2)?.max(0) as usize } else { usize::MAX };
    let part: String = text.chars().skip(start).take(stop.saturating_sub(start)).collect();
    answer(interp, &part)
}
