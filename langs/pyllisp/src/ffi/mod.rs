//! The module `ffi`: C in the hands of programs. The types and what libffi does are `hotloop-ffi`'s.
//!
//! ```text
//! api       the module `api`: libraries with descriptions of their headers
//! define    the module: constructors of types, libraries, memory
//! library   symbols by name
//! convert   values to C and back, for any type: with errors that say what is wrong
//! access    the same in line, for the usual arguments, so that traces see through it
//! memory    attributes and items of memory, for any type and any mistake
//! call      calls of C
//! callback  functions of the program that C calls
//! ```
//!
//! Memory is an address and the type of what lies there. It knows its block if the program made it: then accesses are
//! held against the block's size, and a block that was freed is not touched. Null is `null`.

mod access;
mod api;
mod call;
mod callback;
mod convert;
mod define;
mod library;
mod memory;

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use hotloop::foreign::Foreign;
use hotloop::prelude::*;

use crate::object::{Callbacks, Str, list, unset};
use crate::vm::Pyllisp;

pub(crate) use callback::Server;
pub(crate) use define::define;
pub use library::LibraryInfo;

/// What an interpreter knows of C.
pub(crate) struct Ffi {
    /// The permission, unless this is a sandbox.
    pub allowed: Option<Foreign>,
    /// No other interpreter's number.
    pub owner: u64,
    /// Whether there are callbacks, and the error that one of them left.
    callbacks: ConstValue,
    made: RefCell<callback::Made>,
    /// What functions are called that C gave.
    function: ConstValue,
    /// Texts of the program that C was shown, with a zero at the end, for ever.
    texts: RefCell<HashMap<Vec<u8>, usize>>,
}

impl Ffi {
    pub(crate) fn new(runtime: &Runtime) -> Ffi {
        static OWNERS: AtomicU64 = AtomicU64::new(0);
        let callbacks = Callbacks::<Plain>::new(runtime, 0.into(), unset(), list::with_room(runtime, 0));
        Ffi {
            allowed: runtime.foreign(),
            owner: OWNERS.fetch_add(1, Ordering::Relaxed),
            callbacks: runtime.constant(callbacks.to_value()),
            function: runtime.constant(Str::from_text(runtime, "function").to_value()),
            made: RefCell::default(),
            texts: RefCell::default(),
        }
    }
}

impl Pyllisp {
    #[inline(always)]
    pub(crate) fn callbacks<M: Mode>(&self) -> Callbacks<M> {
        match self.ffi.callbacks.value::<M>().cast::<Callbacks<M>>() {
            Some(callbacks) => callbacks,
            None => unreachable!("the place was made with the interpreter"),
        }
    }

    /// What functions are called that C gave.
    fn function_name<M: Mode>(&self) -> Str<M> {
        match self.ffi.function.value::<M>().cast::<Str<M>>() {
            Some(name) => name,
            None => unreachable!("the name was made with the interpreter"),
        }
    }

    /// The permission to call C.
    pub(crate) fn foreign(&self) -> Result<Foreign, Raise<Plain>> {
        self.ffi.allowed.ok_or_else(|| self.error("C can't be called from a sandbox"))
    }
}
