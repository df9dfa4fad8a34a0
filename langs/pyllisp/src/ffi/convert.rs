//! Values to C and back, for any type, with errors that say what is wrong.

use std::fmt;

use hotloop::foreign::{Number, Scalar};
use hotloop::prelude::*;
use hotloop_ffi::call::Plain as Word;
use hotloop_ffi::types::Found;
use hotloop_ffi::{Bits, Kind, Type, long_double, memory};

use crate::object::number::{self, Integer, as_number};
use crate::object::{
    Block, BoundMethod, Builtin, CFunction, Closure, List, Memory, Multimethod, Room, Str, list, null, repr,
    special,
};
use crate::vm::Pyllisp;
use crate::vm::interface::Answer;

/// Where a value goes: what errors say first.
pub(super) struct Where<'a>(pub fmt::Arguments<'a>);

/// Whether memory of one type may go where a pointer to another is wanted: `void` goes with everything, bytes are
/// bytes, an array is its first item.
pub(super) fn compatible(wanted: &'static Type, given: &'static Type) -> bool {
    let void = |ty: &Type| matches!(ty.kind, Kind::Void);
    std::ptr::eq(wanted, given)
        || void(wanted)
        || void(given)
        || (wanted.is_byte() && given.is_byte())
        || matches!(given.kind, Kind::Array(of, _) if compatible(wanted, of))
        || matches!((&wanted.kind, &given.kind), (Kind::Number(a), Kind::Number(b))
            if !a.is_float() && !b.is_float() && a.size() == b.size())
        || matches!((&wanted.kind, &given.kind), (Kind::Pointer(a), Kind::Pointer(b)) if compatible(a, b))
}

impl Pyllisp {
    fn misfit(&self, place: &Where<'_>, wanted: &Type, value: Value<Plain>) -> Raise<Plain> {
        self.error(&format!("{}: expected {wanted}, got {}", place.0, repr::repr(self, value)))
    }

    /// A value as C wants it. What it refers to is kept alive by `keep`.
    pub(super) fn to_c(
        &self,
        ty: &'static Type,
        value: Value<Plain>,
        keep: List<Plain>,
        place: &Where<'_>,
    ) -> Result<Word, Raise<Plain>> {
        match &ty.kind {
            Kind::LongDouble | Kind::Number(Scalar::F32 | Scalar::F64) => {
                let float = value.as_float().map(|float| float.get());
                let float = float.or_else(|| as_number(value).map(|integer| integer.to_float()));
                float.map(Word::Float).ok_or_else(|| self.misfit(place, ty, value))
            }
            Kind::Number(scalar) => self.integer_to_c(*scalar, ty, value, place),
            Kind::Pointer(to) => self.pointer_to_c(ty, to, value, keep, place),
            Kind::Record(_) => match value.cast::<Memory<Plain>>() {
                Some(memory) if std::ptr::eq(memory.ty().get(), ty) => {
                    self.check_room(memory, 0, ty, place)?;
                    Ok(Word::At(memory.address().get() as usize))
                }
                _ => Err(self.misfit(place, ty, value)),
            },
            Kind::Void | Kind::Array(..) | Kind::Function(_) => Err(self.misfit(place, ty, value)),
        }
    }

    fn integer_to_c(
        &self,
        scalar: Scalar,
        ty: &Type,
        value: Value<Plain>,
        place: &Where<'_>,
    ) -> Result<Word, Raise<Plain>> {
        let Some(integer) = as_number(value) else { return Err(self.misfit(place, ty, value)) };
        let (lo, hi) = scalar.range();
        let word = match &integer {
            Integer::Small(word) if scalar == Scalar::U64 => (*word >= 0).then_some(*word as u64),
            Integer::Small(word) => (lo..=hi).contains(word).then_some(*word as u64),
            Integer::Big(big) if scalar == Scalar::U64 => u64::try_from(big).ok(),
            Integer::Big(big) if scalar == Scalar::I64 => i64::try_from(big).ok().map(|word| word as u64),
            Integer::Big(_) => None,
        };
        word.map(Word::Word)
            .ok_or_else(|| self.error(&format!("{}: {} does not fit {ty}", place.0, repr::repr(self, value))))
    }

    fn pointer_to_c(
        &self,
        ty: &'static Type,
        to: &'static Type,
        value: Value<Plain>,
        keep: List<Plain>,
        place: &Where<'_>,
    ) -> Result<Word, Raise<Plain>> {
        if value.is_special(special::NULL) {
            return Ok(Word::Word(0));
        }
        if let Some(memory) = value.cast::<Memory<Plain>>() {
            if !compatible(to, memory.ty().get()) {
                return Err(self.misfit(place, ty, value));
            }
            self.check_live(memory, place)?;
            return Ok(Word::Word(memory.address().get() as u64));
        }
        if let Some(string) = value.cast::<Str<Plain>>()
            && (to.is_byte() || matches!(to.kind, Kind::Void))
        {
            let room = self.text_for_c(string);
            list::push(self.runtime(), keep, room.to_value());
            return Ok(Word::Word(address_of_room(room) as u64));
        }
        let void = matches!(to.kind, Kind::Void);
        if let Some(function) = value.cast::<CFunction<Plain>>()
            && (void || std::ptr::eq(function.ty().get(), to))
        {
            return Ok(Word::Word(function.address().get() as u64));
        }
        if matches!(to.kind, Kind::Function(_)) && can_be_called(value) {
            return self.callback(value, to, place).map(|address| Word::Word(address as u64));
        }
        Err(self.misfit(place, ty, value))
    }

    /// A copy of a text with a zero behind it.
    pub(super) fn text_for_c(&self, string: Str<Plain>) -> Room<Plain> {
        let bytes = string.bytes_slice();
        let room = Room::<Plain>::new(self.runtime(), bytes.len() + 1);
        room.write_bytes(0, bytes);
        room
    }

    /// A value for what C gave as a word.
    pub(super) fn value_of_word(&self, ty: &'static Type, word: u64) -> Value<Plain> {
        match &ty.kind {
            Kind::Number(Scalar::U64) => self.unsigned(word),
            Kind::Pointer(_) if word == 0 => null(),
            Kind::Pointer(to) => match to.kind {
                Kind::Function(_) => self.function_at(word as i64, to, "function"),
                _ => self.memory_at(word as i64, to),
            },
            _ => number::integer(self.runtime(), word as i64),
        }
    }

    /// A word without a sign.
    pub(super) fn unsigned(&self, word: u64) -> Value<Plain> {
        match i64::try_from(word) {
            Ok(word) => number::integer(self.runtime(), word),
            Err(_) => number::big(self.runtime(), &word.into()),
        }
    }

    /// What lies in memory at an offset. Of a structure or an array, that is memory again.
    pub(super) fn read(
        &self,
        memory: Memory<Plain>,
        offset: i64,
        ty: &'static Type,
        place: &Where<'_>,
    ) -> Answer {
        let foreign = self.foreign()?;
        let Some(scalar) = ty.scalar() else {
            if matches!(ty.kind, Kind::Void | Kind::Function(_)) {
                return Err(self.error(&format!("{}: {ty} can't be read", place.0)));
            }
            if matches!(ty.kind, Kind::LongDouble) {
                self.check_room(memory, offset, ty, place)?;
                let word =
                    |scalar, at: i64| match foreign.load(scalar, memory.address(), (offset + at).into()) {
                        Number::Word(word) => word.get() as u64,
                        Number::Float(_) => 0,
                    };
                let (low, high) = (word(Scalar::U64, 0), word(Scalar::U16, 8));
                let float = long_double::to_float(u128::from(high) << 64 | u128::from(low));
                return Ok(Value::from_float(self.runtime(), float.into()));
            }
            self.check_live(memory, place)?;
            let address = memory.address().get().wrapping_add(offset);
            let part = Memory::new(self.runtime(), GreenRef::new(ty), address.into(), memory.block());
            return Ok(part.to_value());
        };
        self.check_room(memory, offset, ty, place)?;
        Ok(match foreign.load(scalar, memory.address(), offset.into()) {
            Number::Float(float) => Value::from_float(self.runtime(), float),
            Number::Word(word) => self.value_of_word(ty, word.get() as u64),
        })
    }

    /// Writes what lies in memory at an offset.
    pub(super) fn write_to(
        &self,
        memory: Memory<Plain>,
        offset: i64,
        ty: &'static Type,
        value: Value<Plain>,
        place: &Where<'_>,
    ) -> Result<(), Raise<Plain>> {
        let foreign = self.foreign()?;
        self.check_room(memory, offset, ty, place)?;
        if value.is::<Str<Plain>>() {
            let message = "a text lives for a call only; copy it to memory that does";
            return Err(self.error(&format!("{}: {message}", place.0)));
        }
        if let Kind::Array(..) = ty.kind {
            let source = value.cast::<Memory<Plain>>().filter(|source| std::ptr::eq(source.ty().get(), ty));
            let Some(source) = source else { return Err(self.misfit(place, ty, value)) };
            self.check_room(source, 0, ty, place)?;
            self.copy_value(ty, source.address().get(), memory.address().get().wrapping_add(offset))?;
            return Ok(());
        }
        let keep = list::with_room(self.runtime(), 0);
        match self.to_c(ty, value, keep, place)? {
            Word::At(source) => {
                self.copy_value(ty, source as i64, memory.address().get().wrapping_add(offset))?;
            }
            Word::Word(word) => {
                let number = Number::Word((word as i64).into());
                foreign.store(ty.scalar().unwrap_or(Scalar::U64), memory.address(), offset.into(), number);
            }
            Word::Float(float) if matches!(ty.kind, Kind::LongDouble) => {
                let to = memory.address().get().wrapping_add(offset) as usize;
                memory::write(foreign, to, &long_double::from_float(float).to_ne_bytes());
            }
            Word::Float(float) => {
                let number = Number::Float(float.into());
                foreign.store(ty.scalar().unwrap_or(Scalar::F64), memory.address(), offset.into(), number);
            }
        }
        Ok(())
    }

    /// The value of a bit-field.
    pub(super) fn read_bits(
        &self,
        memory: Memory<Plain>,
        found: Found,
        bits: Bits,
        place: &Where<'_>,
    ) -> Answer {
        let (scalar, word) = self.number_with_bits(memory, found, place)?;
        let word = bits.read(scalar, word);
        Ok(if scalar == Scalar::U64 {
            self.unsigned(word)
        } else {
            number::integer(self.runtime(), word as i64)
        })
    }

    /// Writes a bit-field; the others of its number stay.
    pub(super) fn write_bits(
        &self,
        memory: Memory<Plain>,
        found: Found,
        bits: Bits,
        value: Value<Plain>,
        place: &Where<'_>,
    ) -> Result<(), Raise<Plain>> {
        let foreign = self.foreign()?;
        let (scalar, before) = self.number_with_bits(memory, found, place)?;
        let integer = match as_number(value) {
            Some(Integer::Small(word)) => Some(i128::from(word)),
            Some(Integer::Big(big)) => i128::try_from(&big).ok(),
            None => return Err(self.misfit(place, found.ty, value)),
        };
        let (lo, hi) = bits.range(scalar);
        let Some(integer) = integer.filter(|integer| (lo..=hi).contains(integer)) else {
            let shown = repr::repr(self, value);
            let message = format!("{}: {shown} does not fit {} bits of {}", place.0, bits.width, found.ty);
            return Err(self.error(&message));
        };
        let word = bits.write(before, integer as u64);
        let number = Number::Word((word as i64).into());
        foreign.store(scalar, memory.address(), (found.offset as i64).into(), number);
        Ok(())
    }

    /// The number that a bit-field lies in.
    fn number_with_bits(
        &self,
        memory: Memory<Plain>,
        found: Found,
        place: &Where<'_>,
    ) -> Result<(Scalar, u64), Raise<Plain>> {
        let offset = found.offset as i64;
        self.check_room(memory, offset, found.ty, place)?;
        let scalar = found.ty.scalar().unwrap_or(Scalar::U64);
        match self.foreign()?.load(scalar, memory.address(), offset.into()) {
            Number::Word(word) => Ok((scalar, word.get() as u64)),
            Number::Float(_) => unreachable!("bits are of integers"),
        }
    }

    fn copy_value(&self, ty: &Type, from: i64, to: i64) -> Result<(), Raise<Plain>> {
        let size = ty.size().map_err(|error| self.error(&error.0))?;
        memory::copy(self.foreign()?, from as usize, to as usize, size as usize);
        Ok(())
    }

    /// Refuses memory that was freed.
    pub(super) fn check_live(&self, memory: Memory<Plain>, place: &Where<'_>) -> Result<(), Raise<Plain>> {
        match memory.block() {
            Some(block) if block.live().get() == 0 => {
                Err(self.error(&format!("{}: the memory was freed", place.0)))
            }
            _ => Ok(()),
        }
    }

    /// Refuses memory that was freed, or that is less than a value of the type takes at an offset.
    pub(super) fn check_room(
        &self,
        memory: Memory<Plain>,
        offset: i64,
        ty: &Type,
        place: &Where<'_>,
    ) -> Result<(), Raise<Plain>> {
        let size = ty.size().map_err(|error| self.error(&format!("{}: {error}", place.0)))?;
        self.check_live(memory, place)?;
        let Some(block) = memory.block() else { return Ok(()) };
        match has_room(block, memory.address().get(), offset, size) {
            true => Ok(()),
            false => Err(self.error(&format!(
                "{}: {size} bytes at {} of a block of {}",
                place.0,
                memory.address().get().wrapping_sub(block.start().get()).wrapping_add(offset),
                block.size().get()
            ))),
        }
    }
}

fn has_room(block: Block<Plain>, address: i64, offset: i64, size: u64) -> bool {
    let start = i128::from(address) - i128::from(block.start().get()) + i128::from(offset);
    start >= 0 && start + i128::from(size) <= i128::from(block.size().get())
}

/// Where the bytes of a room are; they stay there while somebody refers to it.
pub(super) fn address_of_room(room: Room<Plain>) -> i64 {
    room.bytes_slice().as_ptr().expose_provenance() as i64
}

/// Whether C can be given a function that calls it.
pub(super) fn can_be_called(value: Value<Plain>) -> bool {
    value.is::<Closure<Plain>>()
        || value.is::<Builtin<Plain>>()
        || value.is::<BoundMethod<Plain>>()
        || value.is::<Multimethod<Plain>>()
}
