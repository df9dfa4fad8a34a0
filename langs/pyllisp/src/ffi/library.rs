//! Libraries: symbols by name, as functions and as memory.

use std::cell::RefCell;
use std::collections::HashMap;

use hotloop::prelude::*;
use hotloop_ffi::description::{Constant, Description, Meaning};
use hotloop_ffi::{Kind, Type, library};

use crate::object::{
    CFunction, CType, Dict, Items, Library, Memory, Str, Wrap, dict, is_set, number, repr, text, unset,
};
use crate::vm::Pyllisp;
use crate::vm::interface::Answer;
use crate::vm::link::Atom;

/// A library as green data.
#[derive(Debug)]
pub struct LibraryInfo {
    /// What it is called in errors.
    pub name: String,
    /// The library itself; nothing if a loader knows its functions.
    pub library: Option<&'static library::Library>,
    /// What its header says.
    pub description: Option<&'static Description>,
    /// What was found in it.
    known: RefCell<HashMap<Atom, ConstValue>>,
}

impl LibraryInfo {
    /// A library in which nothing was looked for yet.
    pub fn new(
        name: String,
        library: Option<&'static library::Library>,
        description: Option<&'static Description>,
    ) -> LibraryInfo {
        LibraryInfo { name, library, description, known: RefCell::default() }
    }

    fn known(&self, name: Atom) -> Option<Value<Plain>> {
        self.known.borrow().get(&name).map(|known| known.value())
    }
}

/// What a library's name means; unset if it means nothing, or if a loader has not been asked yet.
#[elidable(caches)]
fn member(interp: &Pyllisp, library: Library<Plain>, name: Atom) -> Value<Plain> {
    match library.info().known(name) {
        Some(known) => known,
        // A loader is a function of C, which may do anything: not here.
        None if library.info().library.is_none() => unset(),
        None => interp.member_of_library(library, name).unwrap_or(unset()),
    }
}

impl Pyllisp {
    /// What a library's name means, if anything.
    #[inline(never)]
    pub(crate) fn library_member<M: Mode>(&self, object: Value<M>, name: Atom) -> Option<Value<M>> {
        let found = member::<M>(self, object.cast::<Library<M>>()?, name);
        is_set(found).then_some(found)
    }

    /// A name of a library: a function, a variable, or whatever its description has.
    pub(crate) fn member_of_library(&self, library: Library<Plain>, atom: Atom) -> Answer {
        let info = library.info().get();
        if let Some(known) = info.known(atom) {
            return Ok(known);
        }
        let name = &self.atom_name(atom);
        let found = if let Some(description) = info.description {
            self.described_member(library, description, name)?
        } else if let Some(api) = library.api().cast::<Dict<Plain>>() {
            let Ok(Some(described)) = dict::get(api, self.text(name)) else {
                return Err(self.no_member(library, name));
            };
            if let Some(wrap) = described.cast::<Wrap<Plain>>() {
                self.symbol(library, name, &text::text(wrap.name()), wrap.ty().ty().get())?
            } else if let Some(described) = described.cast::<CType<Plain>>() {
                self.symbol(library, name, name, described.ty().get())?
            } else {
                return Ok(described);
            }
        } else {
            self.symbol(library, name, name, Type::void())?
        };
        info.known.borrow_mut().insert(atom, self.runtime().constant(found));
        Ok(found)
    }

    fn no_member(&self, library: Library<Plain>, name: &str) -> Raise<Plain> {
        let library = library.to_value();
        self.missing(name, library, &repr::repr(self, library))
    }

    fn described_member(
        &self,
        library: Library<Plain>,
        description: &'static Description,
        name: &str,
    ) -> Answer {
        let meaning = description.find(name).map_err(|error| {
            self.error(&format!("the description of {} is wrong: {error}", library.info().name))
        })?;
        match meaning {
            None => Err(self.no_member(library, name)),
            Some(Meaning::Constant(Constant::Int(value))) => Ok(number::integer(self.runtime(), value)),
            Some(Meaning::Constant(Constant::Unsigned(value))) => Ok(self.unsigned(value)),
            Some(Meaning::Constant(Constant::Float(value))) => {
                Ok(Value::from_float(self.runtime(), value.into()))
            }
            Some(Meaning::Constant(Constant::Text(value))) => Ok(self.text(&value)),
            Some(Meaning::Type(ty)) => Ok(self.type_value(ty)),
            Some(Meaning::Symbol(symbol, ty)) => self.symbol(library, name, &symbol, ty),
        }
    }

    /// A symbol of a library, as a function or as memory.
    pub(crate) fn symbol(
        &self,
        library: Library<Plain>,
        name: &str,
        symbol: &str,
        ty: &'static Type,
    ) -> Answer {
        let info = library.info();
        let found = match info.library {
            Some(library) => library.symbol(symbol),
            None => self.loaded(library.loader(), symbol)?,
        };
        let Some(address) = found else {
            return Err(self.error(&format!("no symbol {symbol} in library {}", info.name)));
        };
        Ok(match ty.kind {
            Kind::Function(_) => self.function_at(address as i64, ty, name),
            _ => self.memory_at(address as i64, ty),
        })
    }

    /// The address that a loader, a function of C, gives for a name.
    fn loaded(&self, loader: Value<Plain>, symbol: &str) -> Result<Option<usize>, Raise<Plain>> {
        let Some(function) = loader.cast::<CFunction<Plain>>() else { return Ok(None) };
        let args = Items::new(self.runtime(), 1);
        args.set_items(0, self.text(symbol));
        let given = self.call_any(function, args)?;
        Ok(if let Some(memory) = given.cast::<Memory<Plain>>() {
            Some(memory.address().get() as usize)
        } else {
            given.cast::<CFunction<Plain>>().map(|function| function.address().get() as usize)
        })
    }

    /// A function at an address.
    pub(crate) fn function_at(&self, address: i64, ty: &'static Type, name: &str) -> Value<Plain> {
        let runtime = self.runtime();
        let name = Str::from_text(runtime, name);
        CFunction::new(runtime, GreenRef::new(ty), address.into(), name).to_value()
    }

    /// Memory at an address that is not null, in no block that is known.
    pub(crate) fn memory_at(&self, address: i64, ty: &'static Type) -> Value<Plain> {
        Memory::new(self.runtime(), GreenRef::new(ty), address.into(), None).to_value()
    }
}
