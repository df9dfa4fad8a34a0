//! Functions of the program that C calls.
//!
//! A callback runs in the greenlet that called C, which may switch to others and back (`vm/stacks.rs`). An
//! error that leaves it is kept until C has returned, and raised where C was called; C sees 0 meanwhile, and is
//! called back no more.

use std::collections::HashMap;

use hotloop::prelude::*;
use hotloop_ffi::call::Plain as Word;
use hotloop_ffi::callback::{Handler, make};
use hotloop_ffi::{Kind, Type};

use super::convert::Where;
use crate::object::{Closure, Frame, is_set, list, null, unset};
use crate::vm::{Pc, Pyllisp, State};

/// The most callbacks of a program: they are never freed, as C may keep them.
const MOST_MADE: usize = 1 << 16;

/// The callbacks of a program.
#[derive(Default)]
pub(super) struct Made {
    /// What each calls, and what C takes it for.
    functions: Vec<(ConstValue, &'static Type)>,
    /// Their addresses, by function and type. Functions of callbacks are never freed or moved.
    addresses: HashMap<(u64, usize), usize>,
}

/// Runs callbacks of an interpreter's program.
pub(crate) struct Server<'a> {
    pub interp: &'a Pyllisp,
    pub vm: &'a Vm<'a, Pyllisp>,
}

impl Handler for Server<'_> {
    fn owner(&self) -> u64 {
        self.interp.ffi.owner
    }

    fn call(&self, number: usize, args: &[Word]) -> Word {
        let interp = self.interp;
        let callbacks = interp.callbacks::<Plain>();
        if is_set(callbacks.pending()) {
            return Word::Word(0);
        }
        interp.run_callback(self.vm, number, args).unwrap_or_else(|Raise(error)| {
            callbacks.set_pending(error);
            Word::Word(0)
        })
    }
}

impl Pyllisp {
    /// The address that C calls for a function of the program.
    pub(super) fn callback(
        &self,
        function: Value<Plain>,
        ty: &'static Type,
        place: &Where<'_>,
    ) -> Result<usize, Raise<Plain>> {
        let key = (function.raw(), std::ptr::from_ref(ty).addr());
        if let Some(known) = self.ffi.made.borrow().addresses.get(&key) {
            return Ok(*known);
        }
        let Kind::Function(signature) = &ty.kind else {
            return Err(self.error(&format!("{}: {ty} is no function", place.0)));
        };
        let number = self.ffi.made.borrow().functions.len();
        if number >= MOST_MADE {
            return Err(self.error(&format!("{}: there are {MOST_MADE} callbacks already", place.0)));
        }
        let made = make(self.foreign()?, self.ffi.owner, number, signature);
        let address = made.map_err(|error| self.error(&format!("{}: {error}", place.0)))?;
        let function = self.runtime().constant(function);
        let mut made = self.ffi.made.borrow_mut();
        made.functions.push((function, ty));
        made.addresses.insert(key, address);
        // From now on C may do whatever the program does.
        self.callbacks::<Plain>().set_made(1.into());
        Ok(address)
    }

    fn run_callback(&self, vm: &Vm<'_, Pyllisp>, number: usize, args: &[Word]) -> Result<Word, Raise<Plain>> {
        let (function, ty) = self.ffi.made.borrow().functions[number];
        let Kind::Function(signature) = &ty.kind else { return Ok(Word::Word(0)) };
        let runtime = self.runtime();
        let values = list::with_room(runtime, args.len());
        for (arg, ty) in args.iter().zip(&signature.args) {
            list::push(
                runtime,
                values,
                match *arg {
                    Word::Float(float) => Value::from_float(runtime, float.into()),
                    Word::Word(word) => self.value_of_word(ty, word),
                    Word::At(_) => null(),
                },
            );
        }
        if !runtime.has_stack_room() {
            return Err(self.error("callbacks are nested too deeply"));
        }
        let Some(helper) = self.helper("run_callback").value::<Plain>().cast::<Closure<Plain>>() else {
            unreachable!("helpers are closures")
        };
        let code = helper.code();
        let frame = Frame::new(runtime, code, None, None, 0, 0.into(), u32::from(code.code.slots));
        frame.set_slots(0, function.value());
        frame.set_slots(1, values.to_value());
        let state = State { frame, result: null(), exception: unset() };
        let end = self.called_back(|| vm.run(Pc::new(code, 0), state));
        if is_set(end.exception) {
            return Err(Raise(end.exception));
        }
        if matches!(signature.result.kind, Kind::Void) {
            return Ok(Word::Word(0));
        }
        let keep = list::with_room(runtime, 0);
        let word =
            self.to_c(signature.result, end.result, keep, &Where(format_args!("result of a callback")))?;
        if list::length(keep) > 0 {
            return Err(self.error("result of a callback: a text lives for a call only"));
        }
        Ok(word)
    }
}
