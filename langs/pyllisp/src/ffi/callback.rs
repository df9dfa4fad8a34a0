//! Functions of the program that C calls.
//!
//! A callback runs in the greenlet that called C, which may switch to others and back (`vm/stacks.rs`). An
//! error that leaves it is kept until C has returned, and raised where C was called; C sees 0 meanwhile, and is
//! called back no more.

use std::collections::{HashMap, VecDeque};

use hotloop::prelude::*;
use hotloop_ffi::call::{Plain as Word, Returned};
use hotloop_ffi::callback::{Callback, Handler, make};
use hotloop_ffi::memory::{copy, read};
use hotloop_ffi::{Kind, Type};

use super::convert::Where;
use crate::object::{Closure, Frame, is_set, list, null, unset};
use crate::vm::{Pc, Progress, Pyllisp, State};

/// The most callbacks of a program.
const MOST_MADE: usize = 1 << 16;

/// So many that were freed are not used again, as C may still call them by mistake, which is an error then.
const KEPT_FREED: usize = 1 << 10;

/// The callbacks of a program, by their numbers.
#[derive(Default)]
pub(super) struct Made {
    all: Vec<Known>,
    /// Their numbers, by function and type. Functions of callbacks are not moved, and kept alive.
    numbers: HashMap<(u64, usize), usize>,
    by_address: HashMap<usize, usize>,
    /// Those that were freed, in that order.
    freed: VecDeque<usize>,
}

/// A callback.
struct Known {
    ty: &'static Type,
    code: Callback,
    /// Whether it was not freed.
    live: bool,
}

impl Made {
    /// Where a new callback of a type goes, and whether there is code for it already.
    fn place(&mut self, ty: &'static Type) -> Option<(usize, bool)> {
        let full = self.all.len() >= MOST_MADE;
        let mut freed = self.freed.iter();
        if (full || freed.len() >= KEPT_FREED)
            && let Some(at) = freed.position(|number| std::ptr::eq(self.all[*number].ty, ty))
        {
            return Some((self.freed.remove(at)?, true));
        }
        if full { Some((self.freed.pop_front()?, false)) } else { Some((self.all.len(), false)) }
    }
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

    fn call(&self, number: usize, args: &[Word]) -> Returned {
        self.interp.runtime().unblocked(|| self.call_back(number, args))
    }
}

impl Server<'_> {
    fn call_back(&self, number: usize, args: &[Word]) -> Returned {
        let interp = self.interp;
        let callbacks = interp.callbacks::<Plain>();
        if is_set(callbacks.pending()) {
            return Returned::Nothing;
        }
        interp.run_callback(self.vm, number, args).unwrap_or_else(|Raise(error)| {
            callbacks.set_pending(error);
            Returned::Nothing
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
        if let Some(number) = self.ffi.made.borrow().numbers.get(&key) {
            return Ok(self.ffi.made.borrow().all[*number].code.address());
        }
        let Kind::Function(signature) = &ty.kind else {
            return Err(self.error(&format!("{}: {ty} is no function", place.0)));
        };
        let foreign = self.foreign()?;
        let mut made = self.ffi.made.borrow_mut();
        let Some((number, again)) = made.place(ty) else {
            let message = "callbacks already; free those that C needs no more";
            return Err(self.error(&format!("{}: there are {MOST_MADE} {message}", place.0)));
        };
        if !again {
            let code = make(foreign, self.ffi.owner, number, signature)
                .map_err(|error| self.error(&format!("{}: {error}", place.0)))?;
            made.by_address.insert(code.address(), number);
            let known = Known { ty, code, live: true };
            if number == made.all.len() {
                made.all.push(known);
            } else {
                let before = std::mem::replace(&mut made.all[number], known);
                made.by_address.remove(&before.code.address());
                before.code.free(foreign);
            }
        }
        made.all[number].live = true;
        made.numbers.insert(key, number);
        let address = made.all[number].code.address();
        drop(made);
        let functions = self.callbacks::<Plain>().functions();
        while list::length(functions) <= number {
            list::push(self.runtime(), functions, null());
        }
        list::set(functions, number, function);
        // From now on C may do whatever the program does.
        self.callbacks::<Plain>().set_made(1.into());
        Ok(address)
    }

    /// C will not call a callback again.
    pub(super) fn free_callback(&self, address: usize) -> Result<(), Raise<Plain>> {
        let mut made = self.ffi.made.borrow_mut();
        let Some(number) = made.by_address.get(&address).copied() else {
            return Err(self.error("free: the function is no callback"));
        };
        let ty = made.all[number].ty;
        if !std::mem::replace(&mut made.all[number].live, false) {
            return Err(self.error("free: the callback was freed"));
        }
        let functions = self.callbacks::<Plain>().functions();
        let function = list::get(functions, number);
        made.numbers.remove(&(function.raw(), std::ptr::from_ref(ty).addr()));
        made.freed.push_back(number);
        list::set(functions, number, null());
        Ok(())
    }

    /// A copy of what C handed over by value.
    fn value_at(&self, ty: &'static Type, place: usize) -> Result<Value<Plain>, Raise<Plain>> {
        let size = ty.size().map_err(|error| self.error(&error.0))?;
        let memory = self.room(ty, size)?;
        copy(self.foreign()?, place, memory.address().get() as usize, size as usize);
        Ok(memory.to_value())
    }

    fn run_callback(
        &self,
        vm: &Vm<'_, Pyllisp>,
        number: usize,
        args: &[Word],
    ) -> Result<Returned, Raise<Plain>> {
        let (ty, live) = {
            let known = &self.ffi.made.borrow().all[number];
            (known.ty, known.live)
        };
        if !live {
            return Err(self.error("C called a callback that was freed"));
        }
        let function = list::get(self.callbacks::<Plain>().functions(), number);
        let Kind::Function(signature) = &ty.kind else { return Ok(Returned::Nothing) };
        let runtime = self.runtime();
        let values = list::with_room(runtime, args.len());
        for (arg, ty) in args.iter().zip(&signature.args) {
            list::push(
                runtime,
                values,
                match *arg {
                    Word::Float(float) => Value::from_float(runtime, float.into()),
                    Word::Word(word) => self.value_of_word(ty, word),
                    Word::At(place) => self.value_at(ty, place)?,
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
        let frame =
            Frame::new(runtime, code, None, None, Progress::New, 0.into(), u32::from(code.code.slots));
        frame.set_slots(0, function);
        frame.set_slots(1, values.to_value());
        let state = State { frame, result: null(), exception: unset() };
        let end = self.called_back(|| vm.run(Pc::new(code, 0), state));
        if is_set(end.exception) {
            return Err(Raise(end.exception));
        }
        if matches!(signature.result.kind, Kind::Void) {
            return Ok(Returned::Nothing);
        }
        let keep = list::with_room(runtime, 0);
        let word =
            self.to_c(signature.result, end.result, keep, &Where(format_args!("result of a callback")))?;
        if list::length(keep) > 0 {
            return Err(self.error("result of a callback: a text lives for a call only"));
        }
        Ok(match word {
            Word::Word(word) => Returned::Word(word),
            Word::Float(float) => Returned::Float(float),
            Word::At(place) => {
                let size = signature.result.size().map_err(|error| self.error(&error.0))?;
                Returned::Bytes(read(self.foreign()?, place, size as usize))
            }
        })
    }
}
