//! Values as text.

use std::fmt::Write;

use hotloop::prelude::*;

use super::number::{self, Integer};
use super::{
    BoundMethod, Builtin, CFunction, CType, Error, Interface, Library, List, Memory, Module, Str, as_boolean,
    list, special, text,
};
use crate::vm::Pyllisp;

/// How deep lists are shown; deeper ones are dots.
const MAX_DEPTH: u32 = 50;

/// A value as `print` shows it: strings as they are, all else as [`repr`].
pub fn display(interp: &Pyllisp, value: Value<Plain>) -> String {
    text::as_text(value).unwrap_or_else(|| repr(interp, value))
}

/// A value as it is shown inside of others and in errors.
pub fn repr(interp: &Pyllisp, value: Value<Plain>) -> String {
    let mut out = String::new();
    write_repr(interp, value, &mut out, 0);
    out
}

fn write_repr(interp: &Pyllisp, value: Value<Plain>, out: &mut String, depth: u32) {
    if let Some(integer) = number::as_integer(value) {
        match integer {
            Integer::Small(value) => out.push_str(&value.to_string()),
            Integer::Big(value) => out.push_str(&value.to_string()),
        }
    } else if let Some(float) = value.as_float() {
        out.push_str(&float_text(float.get()));
    } else if let Some(truth) = as_boolean(value) {
        out.push_str(if truth { "true" } else { "false" });
    } else if value.is_special(special::NULL) {
        out.push_str("null");
    } else if let Some(string) = value.cast::<Str<Plain>>() {
        quote(&text::text(string), out);
    } else if let Some(items) = value.cast::<List<Plain>>() {
        write_list(interp, items, out, depth);
    } else if let Some(module) = value.cast::<Module<Plain>>() {
        let _ = write!(out, "<module {}>", module.info().name);
    } else if let Some(builtin) = value.cast::<Builtin<Plain>>() {
        let _ = write!(out, "<builtin {}>", builtin.info().name);
    } else if let Some(interface) = value.cast::<Interface<Plain>>() {
        out.push_str(&interface.info().name);
    } else if let Some(method) = value.cast::<BoundMethod<Plain>>() {
        write_repr(interp, method.receiver(), out, depth + 1);
        let _ = write!(out, ".{}", text::text(method.name()));
    } else if let Some(error) = value.cast::<Error<Plain>>() {
        let _ = write!(out, "<error {}>", repr(interp, error.message()));
    } else if let Some(ty) = value.cast::<CType<Plain>>() {
        let _ = write!(out, "<{}>", ty.ty().get());
    } else if let Some(memory) = value.cast::<Memory<Plain>>() {
        let _ = write!(out, "<memory {}>", memory.ty().get());
    } else if let Some(function) = value.cast::<CFunction<Plain>>() {
        let _ = write!(out, "<cfunction {}>", text::text(function.name()));
    } else if let Some(library) = value.cast::<Library<Plain>>() {
        let _ = write!(out, "<library {}>", library.info().name);
    } else {
        let _ = write!(out, "<{}>", interp.interface_of(value).name);
    }
}

fn write_list(interp: &Pyllisp, items: List<Plain>, out: &mut String, depth: u32) {
    if depth == MAX_DEPTH {
        out.push_str("[...]");
        return;
    }
    out.push('[');
    for index in 0..list::length(items) {
        if index > 0 {
            out.push(' ');
        }
        write_repr(interp, list::get(items, index), out, depth + 1);
    }
    out.push(']');
}

/// A float's shortest form that reads back, with a point or an exponent.
pub fn float_text(float: f64) -> String {
    format!("{float:?}")
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\0' => out.push_str("\\0"),
            control if control.is_control() => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(control));
            }
            plain => out.push(plain),
        }
    }
    out.push('"');
}
