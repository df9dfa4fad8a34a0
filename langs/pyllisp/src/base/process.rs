//! What programs have to do with the world around them: `exit`, `input`, and the module `process`.

use std::io::{self, BufRead};

use hotloop::prelude::*;

use super::files::reason;
use super::{function, module, small, string};
use crate::object::{Interface, boolean, null, repr};
use crate::vm::Pyllisp;
use crate::vm::interface::{Answer, Work};

pub(super) fn define(interp: &Pyllisp) {
    function(interp, "exit", exit);
    function(interp, "input", input);
    function(interp, "isinstance", is_instance);
    module(
        interp,
        "process",
        &[
            ("exit", Work::Native(exit)),
            ("getenv", Work::Native(environment)),
            ("getcwd", Work::Native(folder)),
            ("getpid", Work::Native(number)),
        ],
    );
}

/// `(exit)`, `(exit status)`: the program ends.
fn exit(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let status = if args.is_empty() { 0 } else { small(interp, args, 0)? };
    match u8::try_from(status) {
        Ok(status) => Err(interp.exit(status)),
        Err(_) => Err(interp.error(&format!("no exit status: {status}"))),
    }
}

/// `(input)`, `(input prompt)`: a line of standard input without its end; null after the last one.
fn input(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    if let Some(prompt) = args.first() {
        let written = interp.write(&repr::display(interp, *prompt)?);
        written.map_err(|error| interp.error(&format!("cannot print: {}", reason(&error))))?;
    }
    interp.flush();
    let mut line = Vec::new();
    loop {
        let (part, result) = interp.runtime().blocking(part_of_line);
        line.extend(part);
        match result {
            Ok(true) => break,
            Ok(false) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => interp.stop_if_asked()?,
            Err(error) => {
                return Err(interp.error(&format!("cannot read standard input: {}", reason(&error))));
            }
        }
    }
    if line.is_empty() {
        return Ok(null());
    }
    for end in [b'\n', b'\r'] {
        line.pop_if(|last| *last == end);
    }
    match String::from_utf8(line) {
        Ok(line) => Ok(interp.text(&line)),
        Err(error) => {
            let bad = error.as_bytes()[error.utf8_error().valid_up_to()];
            Err(interp.error(&format!("cannot read standard input: invalid UTF-8: byte 0x{bad:02x}")))
        }
    }
}

/// Some bytes of a line, and whether it ends with them.
fn part_of_line() -> (Vec<u8>, io::Result<bool>) {
    let mut input = io::stdin().lock();
    let available = match input.fill_buf() {
        Ok(available) => available,
        Err(error) => return (Vec::new(), Err(error)),
    };
    let end = available.iter().position(|byte| *byte == b'\n').map(|index| index + 1);
    let part = available[..end.unwrap_or(available.len())].to_vec();
    let ended = end.is_some() || part.is_empty();
    input.consume(part.len());
    (part, Ok(ended))
}

/// `(isinstance value interface)`: whether it is one of it, or of one that refines it.
fn is_instance(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let interface: Interface<Plain> = super::object(interp, args, 1, interp.interfaces.interface)?;
    Ok(boolean(interp.is_instance(args[0], interface.info().get())))
}

/// `(process.getenv name)`: a variable of the environment, or null.
fn environment(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let name = string(interp, args, 0)?;
    // A name that no variable can have.
    if name.is_empty() || name.contains(['=', '\0']) {
        return Ok(null());
    }
    Ok(std::env::var_os(name).map_or(null(), |value| interp.text(&value.to_string_lossy())))
}

/// `(process.getcwd)`: the folder that relative paths begin in.
fn folder(interp: &Pyllisp, _: &[Value<Plain>]) -> Answer {
    match std::env::current_dir() {
        Ok(path) => Ok(interp.text(&path.to_string_lossy())),
        Err(error) => Err(interp.error(&format!("no working folder: {}", reason(&error)))),
    }
}

/// `(process.getpid)`
fn number(_: &Pyllisp, _: &[Value<Plain>]) -> Answer {
    Ok(Value::small(std::process::id().into()))
}
