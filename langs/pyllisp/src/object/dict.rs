//! Dictionaries: open addressing over entries that stay in order.
//!
//! ```text
//! table     size (a power of two) words: 0 never used, -1 removed, else place + 1
//! entries   key 0, value 0, key 1, value 1, …  a removed entry's key is unset
//! ```
//!
//! The hash of a key is not kept: strings keep theirs, the others are quick. A table is at most
//! two thirds full, removed places included.

use hotloop::prelude::*;

use super::equality::{TooDeep, hash, same_key};
use super::{Dict, Items, Str, Table, is_set, text, unset};

const NEVER_USED: i64 = 0;
const REMOVED: i64 = -1;
const MIN_TABLE: usize = 8;

/// An empty dictionary.
pub fn new(runtime: &Runtime) -> Dict<Plain> {
    let table = Table::new(runtime, MIN_TABLE);
    let entries = Items::new(runtime, 2 * room(MIN_TABLE));
    Dict::new(runtime, 0.into(), 0.into(), table, entries)
}

/// How many entries a table of this size holds.
fn room(table: usize) -> usize {
    table * 2 / 3
}

/// The slot of the table with the key's place, or else the slot where it may go.
#[inline]
fn find(dict: Dict<Plain>, key: Value<Plain>) -> Result<Result<usize, usize>, TooDeep> {
    match key.cast::<Str<Plain>>() {
        Some(string) => {
            let hash = text::hash(string);
            // The hash of each key is known.
            let is_key = |other: Str<Plain>| other.hash().get() == hash && text::same_bytes(other, string);
            search(dict, hash, |other| {
                Ok(other.is_same(key) || other.cast::<Str<Plain>>().is_some_and(is_key))
            })
        }
        None => search(dict, hash(key)?, |other| same_key(other, key)),
    }
}

#[inline(always)]
fn search(
    dict: Dict<Plain>,
    hash: i64,
    is_key: impl Fn(Value<Plain>) -> Result<bool, TooDeep>,
) -> Result<Result<usize, usize>, TooDeep> {
    let (table, entries) = (dict.table(), dict.entries());
    let mask = table.slots_len().get() as usize - 1;
    let mut slot = hash as usize & mask;
    let mut free = None;
    let mut distance = 0;
    loop {
        match table.slots(slot).get() {
            NEVER_USED => return Ok(Err(free.unwrap_or(slot))),
            REMOVED => free = free.or(Some(slot)),
            place => {
                if is_key(entries.items(2 * (place - 1)))? {
                    return Ok(Ok(slot));
                }
            }
        }
        distance += 1;
        slot = (slot + distance) & mask;
    }
}

/// The place of a key's entry.
#[inline]
pub fn place(dict: Dict<Plain>, key: Value<Plain>) -> Result<Option<i64>, TooDeep> {
    Ok(find(dict, key)?.ok().map(|slot| dict.table().slots(slot).get() - 1))
}

/// The value of a key.
pub fn get(dict: Dict<Plain>, key: Value<Plain>) -> Result<Option<Value<Plain>>, TooDeep> {
    Ok(find(dict, key)?.ok().map(|slot| {
        let place = dict.table().slots(slot).get() - 1;
        dict.entries().items(2 * place + 1)
    }))
}

/// Whether another key needs more room.
pub fn is_full(dict: Dict<Plain>) -> bool {
    dict.used().get() as usize == room(dict.table().slots_len().get() as usize)
}

/// How many words a dictionary takes once it has more room.
pub fn size_when_larger(dict: Dict<Plain>) -> usize {
    let table = larger(dict);
    table + 2 * room(table)
}

/// The size of the next table.
fn larger(dict: Dict<Plain>) -> usize {
    (dict.length().get() as usize * 3).next_power_of_two().max(MIN_TABLE)
}

/// Gives a key a value.
pub fn set(
    runtime: &Runtime,
    dict: Dict<Plain>,
    key: Value<Plain>,
    value: Value<Plain>,
) -> Result<(), TooDeep> {
    let free = match find(dict, key)? {
        Ok(slot) => {
            let place = dict.table().slots(slot).get() - 1;
            dict.entries().set_items(2 * place + 1, value);
            return Ok(());
        }
        Err(free) => free,
    };
    let used = dict.used().get();
    if is_full(dict) {
        resize(runtime, dict)?;
        return set(runtime, dict, key, value);
    }
    let entries = dict.entries();
    entries.set_items(2 * used, key);
    entries.set_items(2 * used + 1, value);
    dict.table().set_slots(free, (used + 1).into());
    dict.set_used((used + 1).into());
    dict.set_length((dict.length().get() + 1).into());
    Ok(())
}

/// Takes a key out and gives its value.
pub fn remove(dict: Dict<Plain>, key: Value<Plain>) -> Result<Option<Value<Plain>>, TooDeep> {
    let Ok(slot) = find(dict, key)? else { return Ok(None) };
    let place = dict.table().slots(slot).get() - 1;
    let entries = dict.entries();
    let value = entries.items(2 * place + 1);
    entries.set_items(2 * place, unset());
    entries.set_items(2 * place + 1, unset());
    dict.table().set_slots(slot, REMOVED.into());
    dict.set_length((dict.length().get() - 1).into());
    Ok(Some(value))
}

/// Takes all entries out.
pub fn clear(runtime: &Runtime, dict: Dict<Plain>) {
    let empty = new(runtime);
    dict.set_table(empty.table());
    dict.set_entries(empty.entries());
    dict.set_used(0.into());
    dict.set_length(0.into());
}

/// The entry at a place or the first after it, and the place after that.
pub fn next_entry(dict: Dict<Plain>, mut place: i64) -> Option<(Value<Plain>, Value<Plain>, i64)> {
    let entries = dict.entries();
    while place < dict.used().get() {
        let key = entries.items(2 * place);
        if is_set(key) {
            return Some((key, entries.items(2 * place + 1), place + 1));
        }
        place += 1;
    }
    None
}

/// Makes room: a table for twice as many entries as there are, without the removed ones.
fn resize(runtime: &Runtime, dict: Dict<Plain>) -> Result<(), TooDeep> {
    let size = larger(dict);
    let table = Table::new(runtime, size);
    let entries = Items::new(runtime, 2 * room(size));
    let (mut place, mut used) = (0, 0);
    while let Some((key, value, next)) = next_entry(dict, place) {
        place = next;
        entries.set_items(2 * used, key);
        entries.set_items(2 * used + 1, value);
        used += 1;
        let mut slot = hash(key)? as usize & (size - 1);
        let mut distance = 0;
        while table.slots(slot).get() != NEVER_USED {
            distance += 1;
            slot = (slot + distance) & (size - 1);
        }
        table.set_slots(slot, used.into());
    }
    dict.set_table(table);
    dict.set_entries(entries);
    dict.set_used(used.into());
    Ok(())
}
