//! Large objects: whether there is memory is asked before they are made, so that a program that wants too much
//! gets an error and not its end.

use hotloop::prelude::*;

use super::Pyllisp;
use crate::object::{Dict, List, dict, list};

/// Most bytes of a string, most elements of a list.
pub(crate) const MOST: usize = 1 << 31;

/// What an element costs that is made with its list, at least.
const SMALL_OBJECT: usize = 16;

impl Pyllisp {
    /// Refuses an object of so many bytes if it doesn't fit.
    pub(crate) fn reserve(&self, bytes: usize) -> Result<(), Raise<Plain>> {
        let fits = bytes < MOST && self.runtime().try_reserve(bytes);
        if fits { Ok(()) } else { Err(self.error("out of memory")) }
    }

    /// Refuses so many elements if they don't fit.
    pub(crate) fn reserve_items(&self, count: usize) -> Result<(), Raise<Plain>> {
        let fits = count < MOST && self.runtime().try_reserve(count * 8);
        if fits { Ok(()) } else { Err(self.error("out of memory")) }
    }

    /// Adds an element at the end of a list.
    pub(crate) fn push(&self, list: List<Plain>, value: Value<Plain>) -> Result<(), Raise<Plain>> {
        if list::push_in_room(list, value).is_some() {
            return Ok(());
        }
        let room = list::length(list) * 2;
        self.reserve_items(room)?;
        if !self.runtime().try_reserve(room * (8 + SMALL_OBJECT)) {
            return Err(self.error("out of memory"));
        }
        list::push(self.runtime(), list, value);
        Ok(())
    }

    /// Gives a key of a dictionary a value.
    pub(crate) fn put(
        &self,
        dict: Dict<Plain>,
        key: Value<Plain>,
        value: Value<Plain>,
    ) -> Result<(), Raise<Plain>> {
        if dict::is_full(dict) {
            self.reserve_items(dict::size_when_larger(dict))?;
        }
        dict::set(self.runtime(), dict, key, value).map_err(|error| self.too_deep(error))
    }
}
