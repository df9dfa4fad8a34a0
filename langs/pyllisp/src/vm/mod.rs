//! The interpreter: one step of it is in `step.rs`, what steps do is in the files beside it.

mod access;
pub(crate) mod call;
mod class;
pub mod dispatch;
pub(crate) mod error;
pub(crate) mod floats;
pub(crate) mod greenlet;
pub(crate) mod import;
pub mod interface;
mod iteration;
pub mod link;
mod long;
pub(crate) mod memory;
pub mod module;
pub mod operator;
mod pc;
mod pieces;
mod quick;
mod run;
mod stacks;
mod step;
mod suggest;

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::Write;
use std::time::Instant;

use hotloop::prelude::*;

pub use error::Place;
pub use pc::{Pc, Progress};
pub use run::{Failure, run_program};
pub use step::State;

use crate::base;
use crate::base::random::Generator;
use crate::ffi::Ffi;
use crate::object::{self, Characters, Interface, Str};
use interface::{InterfaceInfo, Interfaces, Known};
use link::Atom;
use module::ModuleInfo;

/// An interpreter of Pyllisp with its heap and its modules.
pub struct Pyllisp {
    runtime: Runtime,
    pub(crate) interfaces: Interfaces,
    pub(crate) base: &'static ModuleInfo,
    /// The modules that `import` gives.
    pub(crate) modules: RefCell<HashMap<String, ConstValue>>,
    /// The files that were imported.
    files: RefCell<import::Files>,
    /// Functions of the prelude and the library that the interpreter itself calls.
    pub(crate) helpers: RefCell<HashMap<&'static str, ConstValue>>,
    atoms: RefCell<HashMap<String, Atom>>,
    atom_names: RefCell<Vec<String>>,
    /// The strings of one byte.
    characters: ConstObject<Characters<Plain>>,
    /// Which greenlet runs.
    running: ConstValue,
    /// What is known of C.
    pub(crate) ffi: Ffi,
    /// When the interpreter began.
    pub(crate) began: Instant,
    /// Where the module `random` has its numbers from.
    pub(crate) random: Generator,
    output: RefCell<Box<dyn Write>>,
}

impl std::fmt::Debug for Pyllisp {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Pyllisp").finish_non_exhaustive()
    }
}

/// Names whose numbers are known beforehand, in the order of their numbers.
const KNOWN_ATOMS: [&str; 3] = ["length", "next", "init"];

/// The name `length`.
pub(crate) const LENGTH: Atom = Atom(0);
/// The name `next`.
pub(crate) const NEXT: Atom = Atom(1);
/// The name `init`.
pub(crate) const INIT: Atom = Atom(2);

impl Pyllisp {
    /// An interpreter whose programs print to `output`.
    pub fn new(options: Options, output: Box<dyn Write>) -> Pyllisp {
        let runtime = Runtime::new(options);
        let interfaces = interfaces(&runtime);
        let table = Characters::<Plain>::new(&runtime, 256);
        for byte in 0..=255u8 {
            let text = if byte.is_ascii() { char::from(byte) } else { '?' };
            table.set_items(u32::from(byte), Str::from_text(&runtime, text.encode_utf8(&mut [0; 4])));
        }
        let characters = runtime.constant_object(table);
        let running = runtime.constant(greenlet::new_running(&runtime).to_value());
        let ffi = Ffi::new(&runtime);
        let interp = Pyllisp {
            runtime,
            interfaces,
            base: ModuleInfo::new("base", None, true),
            modules: RefCell::default(),
            files: RefCell::default(),
            helpers: RefCell::default(),
            atoms: RefCell::default(),
            atom_names: RefCell::default(),
            characters,
            running,
            ffi,
            began: Instant::now(),
            random: Generator::unknown(),
            output: RefCell::new(output),
        };
        for name in KNOWN_ATOMS {
            interp.atom(name);
        }
        base::define(&interp);
        interp
    }

    /// A string.
    pub fn text(&self, text: &str) -> Value<Plain> {
        match text.as_bytes() {
            [byte] => self.character(i64::from(*byte).into()).to_value(),
            _ => Str::from_text(&self.runtime, text).to_value(),
        }
    }

    /// A string of characters of one byte each.
    pub(crate) fn ascii(&self, bytes: &[u8]) -> Value<Plain> {
        debug_assert!(bytes.is_ascii());
        match bytes {
            [byte] => self.character(i64::from(*byte).into()).to_value(),
            _ => Str::from_bytes(&self.runtime, bytes, bytes.len()).to_value(),
        }
    }

    /// The string of one byte.
    #[inline(always)]
    pub(crate) fn character<M: Mode>(&self, byte: Int<M>) -> Str<M> {
        self.characters.get::<M, Characters<M>>().items(byte)
    }

    /// The heap and its limits.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// The number of an attribute's name.
    pub fn atom(&self, name: &str) -> Atom {
        if let Some(atom) = self.atoms.borrow().get(name) {
            return *atom;
        }
        let mut names = self.atom_names.borrow_mut();
        let atom = Atom(names.len() as u32);
        names.push(name.to_owned());
        self.atoms.borrow_mut().insert(name.to_owned(), atom);
        atom
    }

    /// The name with this number.
    pub(crate) fn atom_name(&self, atom: Atom) -> String {
        self.atom_names.borrow()[atom.0 as usize].clone()
    }

    /// Does something with the name of this number, which adds no names.
    pub(crate) fn with_atom_name<T>(&self, atom: Atom, work: impl FnOnce(&str) -> T) -> T {
        work(&self.atom_names.borrow()[atom.0 as usize])
    }

    /// Writes to where programs print.
    pub(crate) fn write(&self, text: &str) -> std::io::Result<()> {
        self.output.borrow_mut().write_all(text.as_bytes())
    }

    /// An error if Ctrl-C was pressed: for functions that wait.
    pub(crate) fn stop_if_asked(&self) -> Result<(), Raise<Plain>> {
        let interrupter = self.runtime.interrupter();
        if !interrupter.is_asked() {
            return Ok(());
        }
        // This is the answer.
        interrupter.clear();
        Err(self.interrupted())
    }

    /// Writes out what was printed.
    pub fn flush(&self) {
        // Nobody is left to be told of a closed output.
        let _ = self.output.borrow_mut().flush();
    }
}

fn interfaces(runtime: &Runtime) -> Interfaces {
    let known = |info: &'static InterfaceInfo| Known {
        info,
        value: runtime.constant(Interface::new(runtime, GreenRef::new(info)).to_value()),
    };
    let null = Known { info: InterfaceInfo::new("null", None), value: runtime.constant(object::null()) };
    let object = known(InterfaceInfo::new("object", Some(null)));
    let child = |name: &str| known(InterfaceInfo::new(name, Some(object)));
    let integer = child("integer");
    Interfaces {
        object,
        interface: child("interface"),
        integer,
        float: child("float"),
        boolean: known(InterfaceInfo::new("boolean", Some(integer))),
        string: child("string"),
        list: child("list"),
        list_iterator: child("list_iterator"),
        dict: child("dict"),
        key_iterator: child("key_iterator"),
        value_iterator: child("value_iterator"),
        item_iterator: child("item_iterator"),
        string_iterator: child("string_iterator"),
        range: child("range"),
        module: child("module"),
        multimethod: child("multimethod"),
        builtin: child("builtin"),
        closure: child("closure"),
        generator: child("generator"),
        greenlet: child("greenlet"),
        bound_method: child("bound_method"),
        error: child("error"),
        ctype: child("ctype"),
        memory: child("memory"),
        cfunction: child("cfunction"),
        library: child("library"),
        wrap: child("wrap"),
        set: child("set"),
        null,
    }
}
