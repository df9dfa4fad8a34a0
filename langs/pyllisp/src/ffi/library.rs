//! Libraries: symbols by name, as functions and as memory.

use hotloop::prelude::*;
use hotloop_ffi::{Kind, Type, library};

use crate::object::{CFunction, CType, Dict, Library, Memory, Str, Wrap, dict, is_set, repr, text, unset};
use crate::vm::Pyllisp;
use crate::vm::interface::Answer;
use crate::vm::link::Atom;

/// A library as green data.
#[derive(Debug)]
pub struct LibraryInfo {
    /// What it is called in errors.
    pub name: String,
    /// The library itself.
    pub library: &'static library::Library,
}

/// What a library's name means; unset if it means nothing.
#[elidable(caches)]
fn member(interp: &Pyllisp, library: Library<Plain>, name: Atom) -> Value<Plain> {
    interp.member(library, name).unwrap_or(unset())
}

impl Pyllisp {
    /// What a library's name means, if anything.
    #[inline(never)]
    pub(crate) fn library_member<M: Mode>(&self, object: Value<M>, name: Atom) -> Option<Value<M>> {
        let found = member::<M>(self, object.cast::<Library<M>>()?, name);
        is_set(found).then_some(found)
    }

    /// A name of a library: a function, a variable, or whatever its description has.
    pub(crate) fn member(&self, library: Library<Plain>, name: Atom) -> Answer {
        let runtime = self.runtime();
        let name = self.atom_name(name);
        let key = self.text(&name);
        if let Ok(Some(known)) = dict::get(library.symbols(), key) {
            return Ok(known);
        }
        let mut symbol = name.clone();
        let mut ty = Type::void();
        if let Some(api) = library.api().cast::<Dict<Plain>>() {
            let Ok(Some(described)) = dict::get(api, key) else {
                return Err(self.missing(&name, library.to_value(), &repr::repr(self, library.to_value())));
            };
            if let Some(wrap) = described.cast::<Wrap<Plain>>() {
                symbol = text::text(wrap.name());
                ty = wrap.ty().ty().get();
            } else if let Some(described) = described.cast::<CType<Plain>>() {
                ty = described.ty().get();
            } else {
                return Ok(described);
            }
        }
        let found = self.symbol(library, &name, &symbol, ty)?;
        if dict::set(runtime, library.symbols(), key, found).is_err() {
            return Err(self.error("a library's names are strings"));
        }
        Ok(found)
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
        let Some(address) = info.library.symbol(symbol) else {
            return Err(self.error(&format!("no symbol {symbol} in library {}", info.name)));
        };
        Ok(match ty.kind {
            Kind::Function(_) => self.function_at(address as i64, ty, name),
            _ => self.memory_at(address as i64, ty),
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
