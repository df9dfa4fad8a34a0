//! Iterators and generators.
//!
//! A generator's frame waits with the position where it goes on. While it runs, the frame that
//! asked for the next value is its `back`; that frame waits at the instruction that asked.

use hotloop::prelude::*;

use super::call::{Args, Outcome};
use super::error::Complaint;
use super::interface::Answer;
use super::{NEXT, Pc, Progress, Pyllisp, State};
use crate::base::sets;
use crate::code::Instr;
use crate::object::{
    Dict, DictIterator, DictPart, Frame, Generator, List, ListIterator, Range, Set, Str, StrIterator, dict,
    is_set, list, null, repr, text, unset,
};

/// An iterator of an object.
#[residual(writes)]
pub fn iterate(interp: &Pyllisp, object: Value<Plain>) -> Result<Value<Plain>, Raise<Plain>> {
    interp.iterator(object)
}

/// The next value of an iterator; unset at its end, or if it is none of the interpreter's own.
#[residual(writes)]
pub fn next_value(interp: &Pyllisp, iterator: Value<Plain>) -> Result<Value<Plain>, Raise<Plain>> {
    Ok(interp.next(iterator)?.unwrap_or(unset()))
}

impl Pyllisp {
    /// An iterator of an object; iterators are their own.
    pub(crate) fn iterator(&self, object: Value<Plain>) -> Answer {
        let runtime = self.runtime();
        if let Some(list) = object.cast::<List<Plain>>() {
            return Ok(ListIterator::new(runtime, list, 0.into()).to_value());
        }
        if let Some(dict) = object.cast::<Dict<Plain>>() {
            return Ok(self.dict_iterator(dict, DictPart::Keys));
        }
        if let Some(text) = object.cast::<Str<Plain>>() {
            return Ok(StrIterator::new(runtime, text, 0.into()).to_value());
        }
        if let Some(set) = object.cast::<Set<Plain>>() {
            return Ok(sets::iterator(self, set));
        }
        if self.interface_of(object).method(NEXT).is_some() {
            return Ok(object);
        }
        Err(self.error(&format!("cannot iterate {}", repr::repr(self, object))))
    }

    /// An iterator over a part of a dictionary.
    pub(crate) fn dict_iterator(&self, dict: Dict<Plain>, part: DictPart) -> Value<Plain> {
        let (part, length, table) = ((part as i64).into(), dict.length(), dict.table());
        DictIterator::new(self.runtime(), dict, part, length, table, 0.into()).to_value()
    }

    /// The next value of an iterator of the interpreter's own, generators aside.
    pub(crate) fn next(&self, iterator: Value<Plain>) -> Result<Option<Value<Plain>>, Raise<Plain>> {
        let runtime = self.runtime();
        if let Some(iterator) = iterator.cast::<ListIterator<Plain>>() {
            let index = iterator.index().get();
            let item = list::item(iterator.list(), index.into());
            if item.is_some() {
                iterator.set_index((index + 1).into());
            }
            return Ok(item);
        }
        if let Some(range) = iterator.cast::<Range<Plain>>() {
            let (next, stop, step) = (range.next().get(), range.stop().get(), range.step().get());
            if if step > 0 { next >= stop } else { next <= stop } {
                return Ok(None);
            }
            range.set_next((next + step).into());
            return Ok(Value::from_int(next.into()));
        }
        if let Some(iterator) = iterator.cast::<StrIterator<Plain>>() {
            let character = text::character_at(iterator.text(), iterator.index().get());
            return Ok(character.map(|(character, next)| {
                iterator.set_index(next.into());
                self.text(character.encode_utf8(&mut [0; 4]))
            }));
        }
        if let Some(iterator) = iterator.cast::<DictIterator<Plain>>() {
            let dict = iterator.dict();
            if dict.length() != iterator.length() || !dict.table().is_same(iterator.table()) {
                return Err(self.error("dictionary or set changed while it was iterated"));
            }
            let Some((key, value, place)) = dict::next_entry(iterator.dict(), iterator.index().get()) else {
                return Ok(None);
            };
            iterator.set_index(place.into());
            let part = iterator.part().get();
            return Ok(Some(if part == DictPart::Keys as i64 {
                key
            } else if part == DictPart::Values as i64 {
                value
            } else {
                list::from_values(runtime, &[key, value]).to_value()
            }));
        }
        Err(self.error(&format!("cannot iterate {}", repr::repr(self, iterator))))
    }

    /// A loop asks for its iterator's next value, which is not one that is made in line.
    #[inline(never)]
    pub(super) fn next_in_loop<M: Mode>(&self, pc: Pc, state: &mut State<M>, iterator: Value<M>) -> Outcome {
        if let Some(generator) = iterator.cast::<Generator<M>>() {
            let frame = generator.frame();
            if !frame.is_same(state.frame) && frame.progress() == Progress::Ended {
                return Outcome::Goto(pc.jump());
            }
            return self.resume(pc, state, frame, null());
        }
        match next_value::<M>(self, iterator) {
            Ok(value) if !is_set(value) => Outcome::Goto(pc.jump()),
            answer => self.answer(pc, state, answer),
        }
    }

    /// Runs a generator up to its next value, which the current instruction gets.
    pub(super) fn resume<M: Mode>(
        &self,
        pc: Pc,
        state: &mut State<M>,
        generator: Frame<M>,
        sent: Value<M>,
    ) -> Outcome {
        let asking = state.frame;
        if generator.back().is_some() || generator.is_same(asking) {
            return self.complain(state, Complaint::AlreadyRunning, null(), 0);
        }
        let progress = generator.progress();
        if progress == Progress::Ended {
            return self.complain(state, Complaint::Stop, null(), 0);
        }
        let depth = asking.depth() + 1;
        if depth > super::call::MAX_DEPTH {
            return self.complain(state, Complaint::Recursion, null(), 0);
        }
        asking.set_progress(Progress::At(pc));
        generator.set_back(Some(asking));
        generator.set_depth(depth);
        state.frame = generator;
        Outcome::Switch(match progress {
            Progress::At(at) => {
                self.give(at, state, sent);
                at.next()
            }
            Progress::New | Progress::Ended => Pc::new(generator.code(), 0),
        })
    }

    /// The generator whose frame is the current one gives a value to the frame that asked.
    pub(super) fn yield_value<M: Mode>(&self, pc: Pc, state: &mut State<M>, value: Value<M>) -> Outcome {
        let generator = state.frame;
        let Some(asking) = generator.back() else {
            return self.complain(state, Complaint::CannotCall, value, 0);
        };
        generator.set_progress(Progress::At(pc));
        generator.set_back(None);
        state.frame = asking;
        let at = asking.progress().place();
        self.give(at, state, value);
        Outcome::Switch(at.next())
    }

    /// The generator whose frame is the current one has ended.
    pub(super) fn end_generator<M: Mode>(&self, state: &mut State<M>) -> Outcome {
        let generator = state.frame;
        let Some(asking) = generator.back() else {
            return self.complain(state, Complaint::CannotCall, null(), 0);
        };
        generator.set_progress(Progress::Ended);
        generator.set_back(None);
        state.frame = asking;
        let at = asking.progress().place();
        if let Instr::Next { .. } = at.instr() {
            return Outcome::Switch(at.jump());
        }
        self.complain(state, Complaint::Stop, null(), 0);
        Outcome::RaiseAt(at)
    }

    /// The arguments of a method call, whose method `LoadMethod` left before them.
    #[inline(always)]
    pub(super) fn method_args<M: Mode>(&self, frame: Frame<M>, base: u16, count: u16) -> Args<M> {
        let receiver = frame.slots(u32::from(base) + 1);
        if is_set(receiver) {
            Args::method(receiver, base + 2, count)
        } else {
            Args::registers(base + 2, count)
        }
    }
}
