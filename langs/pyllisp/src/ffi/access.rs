//! Memory and arguments in line, for the usual cases: what a trace sees of them is checks, loads and stores.

use hotloop::foreign::{Number, Scalar};
use hotloop::prelude::*;
use hotloop_ffi::types::Found;
use hotloop_ffi::{Kind, Type};

use super::convert::{address_of_room, can_be_called, compatible};
use crate::object::{CFunction, Memory, Str, special};
use crate::vm::Pyllisp;
use crate::vm::link::Atom;

/// Larger types are not read in line.
const LARGEST: u64 = 1 << 32;

/// The address of a text of the program with a zero behind it; it is never freed.
#[elidable(caches)]
fn constant_text(interp: &Pyllisp, string: Str<Plain>) -> Int<Plain> {
    let mut texts = interp.ffi.texts.borrow_mut();
    let bytes = string.bytes_slice();
    if let Some(address) = texts.get(bytes) {
        return (*address as i64).into();
    }
    let kept: &'static [u8] = [bytes, &[0]].concat().leak();
    let address = kept.as_ptr().expose_provenance();
    texts.insert(bytes.to_vec(), address);
    (address as i64).into()
}

/// The address of a copy of a text with a zero behind it. It lives as long as the machine's stack or registers
/// hold the address, as it does until C has returned.
#[residual(reads)]
fn text_address(interp: &Pyllisp, string: Str<Plain>) -> Int<Plain> {
    address_of_room(interp.text_for_c(string)).into()
}

/// Whether a callback can be made of a value.
#[elidable]
fn is_callable(value: Value<Plain>) -> bool {
    can_be_called(value)
}

/// The address of a callback, 0 if there is none and none can be made.
#[residual(writes)]
fn callback_address(interp: &Pyllisp, value: Value<Plain>, ty: GreenRef<Type>) -> Int<Plain> {
    let place = super::convert::Where(format_args!("callback"));
    interp.callback(value, ty.get(), &place).map_or(0, |address| address as i64).into()
}

impl Pyllisp {
    /// A value as a number for C, if that is usual.
    pub(super) fn number_for_c<M: Mode>(&self, ty: &'static Type, value: Value<M>) -> Option<Number<M>> {
        match &ty.kind {
            Kind::Number(scalar) if scalar.is_float() => match value.as_float() {
                Some(float) => Some(Number::Float(float)),
                None => Some(Number::Float(value.as_small()?.to_int().to_float())),
            },
            Kind::Number(scalar) => {
                let word = value.as_small()?.to_int();
                fits(*scalar, word).then_some(Number::Word(word))
            }
            Kind::Pointer(to) => self.address_for_c(to, value).map(Number::Word),
            _ => None,
        }
    }

    fn address_for_c<M: Mode>(&self, to: &'static Type, value: Value<M>) -> Option<Int<M>> {
        if value.is_special(special::NULL) {
            return Some(0.into());
        }
        if let Some(memory) = value.cast::<Memory<M>>() {
            let live = match memory.block() {
                Some(block) => block.live() != 0,
                None => true,
            };
            return (live && compatible(to, memory.ty().get())).then(|| memory.address());
        }
        if (to.is_byte() || matches!(to.kind, Kind::Void))
            && let Some(string) = value.cast::<Str<M>>()
        {
            // Plain execution makes a copy: it does not know what is constant.
            let constant = value.is_constant();
            return Some(if constant {
                constant_text::<M>(self, string)
            } else {
                text_address::<M>(self, string)
            });
        }
        if !matches!(to.kind, Kind::Function(_)) {
            return None;
        }
        if let Some(function) = value.cast::<CFunction<M>>() {
            return std::ptr::eq(function.ty().get(), to).then(|| function.address());
        }
        if !is_callable::<M>(value) {
            return None;
        }
        let address = callback_address::<M>(self, value, GreenRef::new(to));
        if address == 0 { None } else { Some(address) }
    }

    /// What a name means in memory or in a library, if that is usual.
    #[inline(never)]
    pub(crate) fn name_in_c<M: Mode>(&self, object: Value<M>, name: Atom) -> Option<Value<M>> {
        if object.is::<Memory<M>>() {
            return self.memory_field(object, name);
        }
        self.library_member(object, name)
    }

    /// `memory.name`, if that is usual.
    #[inline(never)]
    pub(crate) fn memory_field<M: Mode>(&self, object: Value<M>, name: Atom) -> Option<Value<M>> {
        let memory = object.cast::<Memory<M>>()?;
        let found = self.field_of(memory.ty().get(), name).filter(|found| found.bits.is_none())?;
        self.load(memory, (found.offset as i64).into(), found.ty)
    }

    /// `memory.name = value`, if that is usual; whether it is.
    #[inline(never)]
    pub(crate) fn set_memory_field<M: Mode>(&self, object: Value<M>, name: Atom, value: Value<M>) -> bool {
        let Some(memory) = object.cast::<Memory<M>>() else { return false };
        match self.field_of(memory.ty().get(), name) {
            Some(Found { ty, offset, bits: None }) => self.store(memory, (offset as i64).into(), ty, value),
            _ => false,
        }
    }

    /// `memory[index]`, if that is usual.
    #[inline(never)]
    pub(crate) fn memory_item<M: Mode>(&self, object: Value<M>, item: Value<M>) -> Option<Value<M>> {
        let memory = object.cast::<Memory<M>>()?;
        let (ty, offset) = self.item_of(memory, item)?;
        self.load(memory, offset, ty)
    }

    /// `memory[index] = value`, if that is usual; whether it is.
    #[inline(never)]
    pub(crate) fn set_memory_item<M: Mode>(&self, object: Value<M>, item: Value<M>, value: Value<M>) -> bool {
        let Some(memory) = object.cast::<Memory<M>>() else { return false };
        match self.item_of(memory, item) {
            Some((ty, offset)) => self.store(memory, offset, ty, value),
            None => false,
        }
    }

    /// Where in memory of a type what a name means is.
    pub(super) fn field_of(&self, ty: &'static Type, name: Atom) -> Option<Found> {
        self.with_atom_name(name, |name| {
            let field = ty.as_record().and_then(|record| record.find(name));
            field.or_else(|| (name == "to").then_some(Found { ty, offset: 0, bits: None }))
        })
    }

    /// Type and offset of an item.
    fn item_of<M: Mode>(&self, memory: Memory<M>, item: Value<M>) -> Option<(&'static Type, Int<M>)> {
        let index = item.as_small()?.to_int();
        let (ty, length) = match memory.ty().get().kind {
            Kind::Array(of, length) => (of, length),
            _ => (memory.ty().get(), None),
        };
        let size = ty.size().ok().filter(|size| *size < LARGEST)? as i64;
        if let Some(length) = length
            && !index.is_index_of(length as i64)
        {
            return None;
        }
        Some((ty, if size == 1 { index } else { index.checked_mul(size)? }))
    }

    /// Whether the memory is there: not freed, and in its block.
    fn is_there<M: Mode>(memory: Memory<M>, offset: Int<M>, size: u64) -> bool {
        let Some(block) = memory.block() else { return true };
        let start = memory.address() - block.start() + offset;
        block.live() != 0 && start >= 0 && start <= block.size() - size as i64
    }

    fn load<M: Mode>(&self, memory: Memory<M>, offset: Int<M>, ty: &'static Type) -> Option<Value<M>> {
        let foreign = self.ffi.allowed?;
        let size = ty.size().ok()?;
        if !Self::is_there(memory, offset, size) {
            return None;
        }
        match ty.scalar() {
            Some(scalar) => Some(self.value_of(ty, foreign.load(scalar, memory.address(), offset))),
            None if matches!(ty.kind, Kind::LongDouble) => None,
            None => {
                let address = memory.address() + offset;
                Some(Memory::new(self.runtime(), GreenRef::new(ty), address, memory.block()).to_value())
            }
        }
    }

    fn store<M: Mode>(&self, memory: Memory<M>, offset: Int<M>, ty: &'static Type, value: Value<M>) -> bool {
        let (Some(foreign), Some(scalar), Ok(size)) = (self.ffi.allowed, ty.scalar(), ty.size()) else {
            return false;
        };
        if value.is::<Str<M>>() || !Self::is_there(memory, offset, size) {
            return false;
        }
        let Some(number) = self.number_for_c(ty, value) else { return false };
        foreign.store(scalar, memory.address(), offset, number);
        true
    }
}

/// Whether an integer is one of the type's.
fn fits<M: Mode>(scalar: Scalar, word: Int<M>) -> bool {
    match scalar {
        Scalar::I64 => true,
        Scalar::U64 => word >= 0,
        _ => {
            let (lo, hi) = scalar.range();
            word >= lo && word <= hi
        }
    }
}
