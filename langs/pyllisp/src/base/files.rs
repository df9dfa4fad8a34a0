//! The module `fs`.
//!
//! A file is text in UTF-8; the functions with `bytes` in their names are for all others, and have lists of
//! integers.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use hotloop::prelude::*;

use super::{collected, expect, module, nothing, object, string};
use crate::object::{List, boolean, list, repr};
use crate::vm::Pyllisp;
use crate::vm::interface::{Answer, Work};

pub(super) fn define(interp: &Pyllisp) {
    module(
        interp,
        "fs",
        &[
            ("read_file", Work::Native(read_file)),
            ("read_lines", Work::Native(read_lines)),
            ("read_bytes", Work::Native(read_bytes)),
            ("write_file", Work::Native(write_file)),
            ("write_bytes", Work::Native(write_bytes)),
            ("append_file", Work::Native(append_file)),
            ("exists", Work::Native(exists)),
            ("is_file", Work::Native(is_file)),
            ("is_dir", Work::Native(is_folder)),
            ("size", Work::Native(size)),
            ("listdir", Work::Native(list_folder)),
            ("mkdir", Work::Native(make_folder)),
            ("rename", Work::Native(rename)),
            ("remove", Work::Native(remove)),
        ],
    );
}

/// Something can't be done with a path.
fn failed(interp: &Pyllisp, what: &str, path: &str, error: &io::Error) -> Raise<Plain> {
    interp.error(&format!("cannot {what} {path}: {}", reason(error)))
}

/// The bytes of a file, if they fit into memory.
fn content(interp: &Pyllisp, path: &str) -> Result<Vec<u8>, Raise<Plain>> {
    if let Ok(data) = fs::metadata(path) {
        interp.reserve(data.len() as usize)?;
    }
    fs::read(path).map_err(|error| failed(interp, "read", path, &error))
}

fn text(interp: &Pyllisp, args: &[Value<Plain>]) -> Result<String, Raise<Plain>> {
    let path = string(interp, args, 0)?;
    String::from_utf8(content(interp, &path)?).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let (line, byte) =
            (error.as_bytes()[..at].split(|byte| *byte == b'\n').count(), error.as_bytes()[at]);
        interp.error(&format!("cannot read {path}: line {line}: invalid UTF-8: byte 0x{byte:02x}"))
    })
}

fn read_file(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    Ok(interp.text(&text(interp, args)?))
}

/// `(fs.read_lines path)`: the lines without their ends.
fn read_lines(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    collected(interp, text(interp, args)?.lines().map(|line| interp.text(line)))
}

fn read_bytes(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let content = content(interp, &string(interp, args, 0)?)?;
    collected(interp, content.iter().map(|byte| Value::small((*byte).into())))
}

fn write_all(interp: &Pyllisp, path: &str, bytes: &[u8], append: bool) -> Answer {
    let mut options = fs::OpenOptions::new();
    let opened = options.create(true).write(true).append(append).truncate(!append).open(path);
    match opened.and_then(|mut file| file.write_all(bytes)) {
        Ok(()) => nothing(),
        Err(error) => Err(failed(interp, "write", path, &error)),
    }
}

/// `(fs.write_file path text)`: what was there before is lost.
fn write_file(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    write_all(interp, &string(interp, args, 0)?, string(interp, args, 1)?.as_bytes(), false)
}

fn append_file(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    write_all(interp, &string(interp, args, 0)?, string(interp, args, 1)?.as_bytes(), true)
}

fn write_bytes(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let path = string(interp, args, 0)?;
    let items: List<Plain> = object(interp, args, 1, interp.interfaces.list)?;
    let mut bytes = Vec::with_capacity(list::length(items));
    for index in 0..list::length(items) {
        let item = list::get(items, index);
        match item.as_small().and_then(|byte| u8::try_from(byte.to_int().get()).ok()) {
            Some(byte) => bytes.push(byte),
            None => return Err(interp.error(&format!("no byte: {}", repr::repr(interp, item)))),
        }
    }
    write_all(interp, &path, &bytes, false)
}

fn exists(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    Ok(boolean(Path::new(&string(interp, args, 0)?).exists()))
}

fn is_file(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    Ok(boolean(Path::new(&string(interp, args, 0)?).is_file()))
}

fn is_folder(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    Ok(boolean(Path::new(&string(interp, args, 0)?).is_dir()))
}

/// How many bytes a file has.
fn size(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let path = string(interp, args, 0)?;
    match fs::metadata(path) {
        Ok(data) => Ok(Value::small(data.len() as i64)),
        Err(error) => Err(failed(interp, "read", &path, &error)),
    }
}

/// `(fs.listdir path)`: the names in a folder, in order.
fn list_folder(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let path = string(interp, args, 0)?;
    let entries = fs::read_dir(path).and_then(|entries| entries.collect::<io::Result<Vec<_>>>());
    let entries = entries.map_err(|error| failed(interp, "read", &path, &error))?;
    let mut names: Vec<String> =
        entries.iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    collected(interp, names.iter().map(|name| interp.text(name)))
}

fn make_folder(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let path = string(interp, args, 0)?;
    fs::create_dir(path).map_err(|error| failed(interp, "make", &path, &error))?;
    nothing()
}

fn rename(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    expect(interp, args, 2)?;
    let (from, to) = (string(interp, args, 0)?, string(interp, args, 1)?);
    fs::rename(from, to).map_err(|error| failed(interp, "rename", &from, &error))?;
    nothing()
}

/// `(fs.remove path)`: a file, or an empty folder
fn remove(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let path = string(interp, args, 0)?;
    let is_folder = fs::symlink_metadata(path).is_ok_and(|data| data.is_dir());
    let removed = if is_folder { fs::remove_dir(path) } else { fs::remove_file(path) };
    removed.map_err(|error| failed(interp, "remove", &path, &error))?;
    nothing()
}

/// An error of the system in words, without its number.
pub(crate) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let words = text.split(" (os error").next().unwrap_or_default();
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
