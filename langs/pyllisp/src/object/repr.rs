//! Values as text.

use std::fmt::Write;
use std::ops::Deref;

use dashu_int::ops::BitTest;
use hotloop::prelude::*;

use super::number::{self, Integer};
use super::text::Text;
use super::{
    BoundMethod, Builtin, CFunction, CType, Error, Interface, Library, List, Memory, Module, Str, as_boolean,
    list, special, text,
};
use crate::vm::Pyllisp;

/// How deep lists are shown; deeper ones are dots, as are those that are inside of themselves.
const MAX_DEPTH: usize = 200;
/// The longest text, in bytes. (Lists that share their elements may have texts of any length.)
const LONGEST: usize = 1 << 28;
/// How many bytes a message quotes.
const QUOTED: usize = 1000;

/// A value as `print` shows it: strings as they are, all else as [`whole`].
pub fn display(interp: &Pyllisp, value: Value<Plain>) -> Result<Shown, Raise<Plain>> {
    match text::as_text(value) {
        Some(text) => Ok(Shown::Text(text)),
        None => whole(interp, value).map(Shown::Made),
    }
}

/// What `print` shows of a value.
pub enum Shown {
    /// A string as it is.
    Text(Text),
    /// Anything else as a text.
    Made(String),
}

impl Deref for Shown {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Shown::Text(text) => text,
            Shown::Made(text) => text,
        }
    }
}

/// A value as it is shown inside of others.
pub fn whole(interp: &Pyllisp, value: Value<Plain>) -> Result<String, Raise<Plain>> {
    let mut writer = Writer::new(interp, LONGEST);
    writer.value(value);
    interp.stop_if_asked()?;
    if writer.ended {
        return Err(interp.error("out of memory"));
    }
    interp.reserve(writer.out.len())?;
    Ok(writer.out)
}

/// A value as errors quote it: a long text is cut.
pub fn repr(interp: &Pyllisp, value: Value<Plain>) -> String {
    let mut writer = Writer::new(interp, QUOTED);
    writer.value(value);
    let mut out = writer.out;
    if writer.ended {
        out.truncate(out.floor_char_boundary(QUOTED));
        out.push_str("...");
    }
    out
}

struct Writer<'a> {
    interp: &'a Pyllisp,
    out: String,
    /// The words of the lists around the value at hand, which the outermost one keeps alive.
    path: Vec<u64>,
    /// With so many bytes the text ends.
    most: usize,
    ended: bool,
    /// The length at which the heap is asked again whether it fits.
    next_look: usize,
}

impl<'a> Writer<'a> {
    fn new(interp: &'a Pyllisp, most: usize) -> Writer<'a> {
        Writer { interp, out: String::new(), path: Vec::new(), most, ended: false, next_look: 1 << 20 }
    }

    fn value(&mut self, value: Value<Plain>) {
        let out = &mut self.out;
        // Writing to a string can't fail.
        if let Some(integer) = number::as_integer(value) {
            let _ = match integer {
                Integer::Small(value) => write!(out, "{value}"),
                Integer::Big(value) => {
                    let digits = self.interp.long_unless_asked(value.bit_len(), move || value.to_string());
                    self.ended |= digits.is_none();
                    out.write_str(&digits.unwrap_or_default())
                }
            };
        } else if let Some(float) = value.as_float() {
            out.push_str(&float_text(float.get()));
        } else if let Some(truth) = as_boolean(value) {
            out.push_str(if truth { "true" } else { "false" });
        } else if value.is_special(special::NULL) {
            out.push_str("null");
        } else if let Some(string) = value.cast::<Str<Plain>>() {
            quote(&text::text(string), out);
        } else if let Some(items) = value.cast::<List<Plain>>() {
            self.list(items);
        } else if let Some(module) = value.cast::<Module<Plain>>() {
            let _ = write!(out, "<module {}>", module.info().name);
        } else if let Some(builtin) = value.cast::<Builtin<Plain>>() {
            let _ = write!(out, "<builtin {}>", builtin.info().name);
        } else if let Some(interface) = value.cast::<Interface<Plain>>() {
            out.push_str(&interface.info().name);
        } else if let Some(method) = value.cast::<BoundMethod<Plain>>() {
            self.inside(method.to_value(), |writer| writer.value(method.receiver()));
            let _ = write!(self.out, ".{}", text::text(method.name()));
        } else if let Some(error) = value.cast::<Error<Plain>>() {
            out.push_str("<error ");
            self.inside(value, |writer| writer.value(error.message()));
            self.out.push('>');
        } else if let Some(ty) = value.cast::<CType<Plain>>() {
            let _ = write!(out, "<{}>", ty.ty().get());
        } else if let Some(memory) = value.cast::<Memory<Plain>>() {
            let _ = write!(out, "<memory {}>", memory.ty().get());
        } else if let Some(function) = value.cast::<CFunction<Plain>>() {
            let _ = write!(out, "<cfunction {}>", text::text(function.name()));
        } else if let Some(library) = value.cast::<Library<Plain>>() {
            let _ = write!(out, "<library {}>", library.info().name);
        } else {
            let _ = write!(out, "<{}>", self.interp.interface_of(value).name);
        }
    }

    /// Writes something that is inside of a value, unless that is inside of itself, or too deep.
    fn inside(&mut self, value: Value<Plain>, write: impl FnOnce(&mut Self)) {
        if self.path.len() == MAX_DEPTH || self.path.contains(&value.raw()) {
            self.out.push_str("...");
            return;
        }
        self.path.push(value.raw());
        write(self);
        self.path.pop();
    }

    /// Ends the text if it is too long, or if somebody doesn't want to wait for it.
    fn look(&mut self) {
        let (length, runtime) = (self.out.len(), self.interp.runtime());
        self.ended |= length > self.most || runtime.interrupter().is_asked();
        if length > self.next_look {
            // It will be in the heap, too.
            self.ended |= !runtime.try_reserve(2 * length);
            self.next_look = length + length / 2;
        }
    }

    fn list(&mut self, items: List<Plain>) {
        self.out.push('[');
        self.inside(items.to_value(), |writer| {
            for index in 0..list::length(items) {
                writer.look();
                if writer.ended {
                    return;
                }
                if index > 0 {
                    writer.out.push(' ');
                }
                writer.value(list::get(items, index));
            }
        });
        self.out.push(']');
    }
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
