//! What is done with strings, lists and dictionaries in line, so that traces see through it.
//!
//! Everything here is for the usual arguments; for all others there is a function of the interpreter.

use hotloop::prelude::*;

use super::Pyllisp;
use super::interface::Quick;
use super::link::Atom;
use super::operator::{EQ, GE, GT, LE, LT, NE};
use crate::object::{Dict, List, Set, Str, StrIterator, boolean, dict, list, null, red_boolean, text, unset};

/// Longer strings and lists are made by functions of the interpreter, which see whether there is memory.
pub(super) const LARGE: i64 = 1 << 20;

/// Floats nearer to zero have a whole part that is a small integer.
const EXACT: f64 = 1e17;

/// An answer, or nothing if it takes more than is done here.
pub(super) type Maybe<M> = Option<Result<Value<M>, Raise<M>>>;

/// The place of a key among a dictionary's entries, or -1.
#[residual(looks)]
fn place_of_key(interp: &Pyllisp, dict: Dict<Plain>, key: Value<Plain>) -> Result<Int<Plain>, Raise<Plain>> {
    match dict::place(dict, key) {
        Ok(place) => Ok(place.unwrap_or(-1).into()),
        Err(error) => Err(interp.too_deep(error)),
    }
}

/// The number of a name.
#[elidable]
fn atom_of(interp: &Pyllisp, name: Str<Plain>) -> Int<Plain> {
    i64::from(interp.atom(&text::text(name)).0).into()
}

impl Pyllisp {
    /// A method for the usual arguments, of which there are so many: at most three. The others are unset.
    #[inline(never)]
    pub(super) fn quick<M: Mode>(
        &self,
        quick: Quick,
        count: u16,
        object: Value<M>,
        first: Value<M>,
        second: Value<M>,
    ) -> Maybe<M> {
        match quick {
            Quick::Append if count == 2 => {
                let list = object.cast::<List<M>>()?;
                if list::is_full(list) && list::count(list) > LARGE {
                    return None;
                }
                list::push(self.runtime(), list, first);
                Some(Ok(null()))
            }
            Quick::Extend if count == 2 => {
                let (list, added) = (object.cast::<List<M>>()?, first.cast::<List<M>>()?);
                if list::count(list) + list::count(added) > LARGE {
                    return None;
                }
                list::extend(self.runtime(), list, added);
                Some(Ok(null()))
            }
            Quick::Pop if count == 1 => list::pop(self.runtime(), object.cast::<List<M>>()?).map(Ok),
            Quick::Slice if count == 3 => {
                let (start, stop) = first.both_small(second)?;
                let (start, stop) = (start.to_int(), stop.to_int());
                if let Some(list) = object.cast::<List<M>>() {
                    let count = self.count_of_part(start, stop, list::count(list))?;
                    let part = list::part(self.runtime(), list, start, count);
                    return Some(Ok(part.to_value()));
                }
                let string = object.cast::<Str<M>>()?;
                let count = self.count_of_part(start, stop, string.length())?;
                self.substring(string, start, count).map(Ok)
            }
            Quick::Get if count > 1 => {
                let default = if count == 3 { second } else { null() };
                self.get_entry(object, first, default)
            }
            Quick::Contains if count == 2 => {
                let dict = match object.cast::<Set<M>>() {
                    Some(set) => set.dict(),
                    None => object.cast::<Dict<M>>()?,
                };
                let place = place_of_key::<M>(self, dict, first);
                Some(place.map(|place| boolean(place >= 0)))
            }
            Quick::Truncate | Quick::Floor if count == 1 => {
                if object.is_small() {
                    return Some(Ok(object));
                }
                let float = object.as_float()?;
                let exact = float.abs() < EXACT;
                if !exact {
                    return None;
                }
                let whole = float.to_int();
                let above = quick == Quick::Floor && whole.to_float() > float;
                Value::from_int(if above { whole - 1 } else { whole }).map(Ok)
            }
            Quick::Absolute if count == 1 => {
                if let Some(small) = object.as_small() {
                    return if small < Small::constant(0) {
                        small.checked_neg().map(|negated| Ok(negated.to_value()))
                    } else {
                        Some(Ok(object))
                    };
                }
                let float = object.as_float()?;
                Some(Ok(Value::from_float(self.runtime(), float.abs())))
            }
            Quick::GetAttribute if count == 2 => {
                let name = self.constant_name(first)?;
                self.name_in_module(object, name).map(Ok)
            }
            Quick::SetAttribute if count == 3 => {
                let name = self.constant_name(first)?;
                let value = second;
                self.store_in_module(object, name, value).then_some(Ok(value))
            }
            _ => None,
        }
    }

    /// `(dict.get key default)`
    #[inline(always)]
    pub(super) fn get_entry<M: Mode>(&self, object: Value<M>, key: Value<M>, default: Value<M>) -> Maybe<M> {
        let dict = object.cast::<Dict<M>>()?;
        Some(self.entry(dict, key).map(|entry| entry.unwrap_or(default)))
    }

    /// The number of a name that is known while compiling.
    fn constant_name<M: Mode>(&self, name: Value<M>) -> Option<Atom> {
        if !name.is_constant() {
            return None;
        }
        Some(Atom(atom_of::<M>(self, name.cast::<Str<M>>()?).promote() as u32))
    }

    /// How many elements lie between two places that are in range, not too many.
    #[inline(always)]
    fn count_of_part<M: Mode>(&self, start: Int<M>, stop: Int<M>, length: Int<M>) -> Option<Int<M>> {
        let within = start >= 0 && start <= stop && stop <= length;
        let count = stop - start;
        (within && count <= LARGE).then_some(count)
    }

    /// The value of a key, if the dictionary has it.
    #[inline(always)]
    pub(super) fn entry<M: Mode>(&self, dict: Dict<M>, key: Value<M>) -> Result<Option<Value<M>>, Raise<M>> {
        let place = place_of_key::<M>(self, dict, key)?;
        if place < 0 {
            return Ok(None);
        }
        Ok(Some(dict.entries().items(place * 2 + 1)))
    }

    /// Gives a key that the dictionary has another value; whether it has it.
    #[inline(always)]
    pub(super) fn set_entry<M: Mode>(
        &self,
        dict: Dict<M>,
        key: Value<M>,
        value: Value<M>,
    ) -> Result<bool, Raise<M>> {
        let place = place_of_key::<M>(self, dict, key)?;
        if place < 0 {
            return Ok(false);
        }
        dict.entries().set_items(place * 2 + 1, value);
        Ok(true)
    }

    /// A character of a string of one-byte characters only.
    #[inline(always)]
    pub(super) fn character_at<M: Mode>(&self, string: Str<M>, index: Int<M>) -> Option<Value<M>> {
        let length = string.bytes_len();
        if string.length() != length || !index.is_index_of(length) {
            return None;
        }
        Some(self.character(string.bytes(index)).to_value())
    }

    /// The next character of a string of one-byte characters only.
    #[inline(always)]
    pub(super) fn next_character<M: Mode>(&self, iterator: StrIterator<M>) -> Option<Value<M>> {
        let index = iterator.index();
        let character = self.character_at(iterator.text(), index)?;
        iterator.set_index(index + 1);
        Some(character)
    }

    /// A part, in range, of a string of one-byte characters only.
    fn substring<M: Mode>(&self, string: Str<M>, start: Int<M>, count: Int<M>) -> Option<Value<M>> {
        if string.length() != string.bytes_len() {
            return None;
        }
        if count == 1 {
            return self.character_at(string, start);
        }
        let part = Str::new(self.runtime(), count, 0.into(), count);
        string.copy_to(start, part, 0, count);
        Some(part.to_value())
    }

    /// Two strings or two lists in one.
    #[inline(always)]
    pub(super) fn joined<M: Mode>(&self, a: Value<M>, b: Value<M>) -> Option<Value<M>> {
        if let (Some(one), Some(two)) = (a.cast::<Str<M>>(), b.cast::<Str<M>>()) {
            let (first, second) = (one.bytes_len(), two.bytes_len());
            if first == 0 {
                return Some(b);
            }
            if second == 0 {
                return Some(a);
            }
            let count = first + second;
            if count > LARGE {
                return None;
            }
            let whole = Str::new(self.runtime(), one.length() + two.length(), 0.into(), count);
            one.copy_to(0, whole, 0, first);
            two.copy_to(0, whole, first, second);
            return Some(whole.to_value());
        }
        let (one, two) = (a.cast::<List<M>>()?, b.cast::<List<M>>()?);
        (list::count(one) + list::count(two) <= LARGE)
            .then(|| list::joined(self.runtime(), one, two).to_value())
    }

    /// A comparison of strings.
    #[inline(always)]
    pub(super) fn compared<M: Mode>(&self, operator: u32, a: Value<M>, b: Value<M>) -> Option<Value<M>> {
        let (two, one) = (b.cast::<Str<M>>()?, a.cast::<Str<M>>()?);
        Some(match operator {
            EQ => red_boolean(text::is_same(one, two)),
            NE => red_boolean(!text::is_same(one, two)),
            LT => red_boolean(text::order(one, two).is_lt(0)),
            GT => red_boolean(Int::from(0).is_lt(text::order(one, two))),
            LE => red_boolean(!Int::from(0).is_lt(text::order(one, two))),
            GE => red_boolean(!text::order(one, two).is_lt(0)),
            _ => unset(),
        })
    }
}
