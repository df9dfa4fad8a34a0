//! Attributes and items of memory, for any type and any mistake.

use hotloop::prelude::*;
use hotloop_ffi::{Kind, Type, memory};

use super::convert::Where;
use crate::object::{Library, Memory, number, repr};
use crate::vm::Pyllisp;
use crate::vm::interface::Answer;
use crate::vm::link::Atom;

impl Pyllisp {
    /// `object.name`, if the object is one of C.
    pub(crate) fn attribute_in_c(&self, object: Value<Plain>, name: Atom) -> Option<Answer> {
        if let Some(library) = object.cast::<Library<Plain>>() {
            return Some(self.member_of_library(library, name));
        }
        let memory = object.cast::<Memory<Plain>>()?;
        let ty: &'static Type = memory.ty().get();
        let shown = self.atom_name(name);
        let place = Where(format_args!("{shown} of {}", repr::repr(self, object)));
        if let Some(found) = self.field_of(ty, name) {
            return Some(match found.bits {
                Some(bits) => self.read_bits(memory, found, bits, &place),
                None => self.read(memory, found.offset as i64, found.ty, &place),
            });
        }
        match (shown.as_str(), &ty.kind) {
            ("str", _) => Some(self.text_in_c(memory, ty, &place)),
            ("length", Kind::Array(_, Some(length))) => Some(Ok(self.unsigned(*length))),
            (_, Kind::Record(record)) if record.body().is_none() => {
                Some(Err(self.error(&format!("{}: the size of {ty} is unknown", place.0))))
            }
            _ => None,
        }
    }

    /// The bytes up to a zero as text.
    fn text_in_c(&self, memory: Memory<Plain>, ty: &'static Type, place: &Where<'_>) -> Answer {
        let bytes = ty.is_byte() || matches!(ty.kind, Kind::Array(of, _) if of.is_byte());
        if !bytes && !matches!(ty.kind, Kind::Void) {
            return Err(self.error(&format!("{}: {ty} is no text", place.0)));
        }
        self.check_live(memory, place)?;
        let address = memory.address().get();
        let left = memory.block().map(|block| block.start().get() + block.size().get() - address);
        let length = match ty.kind {
            Kind::Array(_, Some(length)) => Some(length as i64),
            _ => None,
        };
        let most = left.into_iter().chain(length).min().map(|most| most.max(0) as usize);
        let bytes = memory::text(self.foreign()?, address as usize, most);
        Ok(self.text(&String::from_utf8_lossy(&bytes)))
    }

    /// `object.name = value`, if the object is one of C.
    pub(crate) fn store_attribute_in_c(
        &self,
        object: Value<Plain>,
        name: Atom,
        value: Value<Plain>,
    ) -> Option<Result<(), Raise<Plain>>> {
        let memory = object.cast::<Memory<Plain>>()?;
        let ty: &'static Type = memory.ty().get();
        let shown = self.atom_name(name);
        let place = Where(format_args!("{shown} of {}", repr::repr(self, object)));
        if let Some(found) = self.field_of(ty, name) {
            return Some(match found.bits {
                Some(bits) => self.write_bits(memory, found, bits, value, &place),
                None => self.write_to(memory, found.offset as i64, found.ty, value, &place),
            });
        }
        None
    }

    /// Type and offset of an item, or what is wrong with it.
    fn place_of_item(
        &self,
        memory: Memory<Plain>,
        item: Value<Plain>,
    ) -> Result<(&'static Type, i64), Raise<Plain>> {
        if number::as_integer(item).is_none() {
            return Err(self.error("index not an integer"));
        }
        let out_of_range = || self.error("index out of range");
        let index = item.as_small().map(|index| index.to_int().get()).ok_or_else(out_of_range)?;
        let ty: &'static Type = memory.ty().get();
        let (of, length) = match ty.kind {
            Kind::Array(of, length) => (of, length),
            _ => (ty, None),
        };
        if length.is_some_and(|length| u64::try_from(index).map_or(true, |index| index >= length)) {
            return Err(out_of_range());
        }
        let size = of.size().map_err(|error| self.error(&error.0))? as i64;
        Ok((of, index.checked_mul(size).ok_or_else(out_of_range)?))
    }

    /// `memory[item]`
    pub(crate) fn item_in_c(&self, memory: Memory<Plain>, item: Value<Plain>) -> Answer {
        let (ty, offset) = self.place_of_item(memory, item)?;
        let shown = repr::repr(self, item);
        let place = Where(format_args!("item {shown} of {}", repr::repr(self, memory.to_value())));
        self.read(memory, offset, ty, &place)
    }

    /// `memory[item] = value`
    pub(crate) fn store_item_in_c(
        &self,
        memory: Memory<Plain>,
        item: Value<Plain>,
        value: Value<Plain>,
    ) -> Result<(), Raise<Plain>> {
        let (ty, offset) = self.place_of_item(memory, item)?;
        let shown = repr::repr(self, item);
        let place = Where(format_args!("item {shown} of {}", repr::repr(self, memory.to_value())));
        self.write_to(memory, offset, ty, value, &place)
    }
}
