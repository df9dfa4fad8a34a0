//! Dictionaries: open addressing over entries that stay in order.
//!
//! ```text
//! table     size (a power of two) words: 0 never used, -1 removed, else
//!               63                      32 31                       0
//!               | upper half of the hash | place of the entry, plus 1 |
//! entries   key 0, value 0, key 1, value 1, …  a removed entry's key is unset
//! ```
//!
//! The lower bits of a key's hash say where its search begins; the upper half tells other keys there without a look
//! at them. The whole is not kept: strings keep theirs, the others are quick. A table is at most two thirds full,
//! removed places included.

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

/// What of a word of the table is the place, plus 1.
const PLACE: i64 = 0xffff_ffff;

/// The place that a word of the table names.
#[inline(always)]
fn named(word: i64) -> i64 {
    (word & PLACE) - 1
}

/// The word of the table for a key with this hash at this place.
fn word(hash: i64, place: i64) -> i64 {
    hash & !PLACE | (place + 1)
}

/// Where a search has ended.
enum Found {
    /// At the slot of the table with the key, whose entry has this place.
    Key { slot: usize, place: i64 },
    /// At the slot where the word for the key may go, which has this hash.
    Free { slot: usize, hash: i64 },
}

/// Looks for a key.
fn find(dict: Dict<Plain>, key: Value<Plain>) -> Result<Found, TooDeep> {
    match key.cast::<Str<Plain>>() {
        Some(string) => find_string(dict, string),
        None => search(dict, hash(key)?, |other| same_key(other, key)),
    }
}

/// Looks for a key that is a string.
#[inline(always)]
fn find_string(dict: Dict<Plain>, key: Str<Plain>) -> Result<Found, TooDeep> {
    search(dict, text::hash(key), |other| {
        let is_key = |other: Str<Plain>| text::same_bytes(other, key);
        Ok(other.is_same(key.to_value()) || other.cast::<Str<Plain>>().is_some_and(is_key))
    })
}

/// The place of the entry of a key that is a string: most are.
#[inline(never)]
fn place_of_string(dict: Dict<Plain>, key: Str<Plain>) -> Option<i64> {
    match find_string(dict, key) {
        Ok(Found::Key { place, .. }) => Some(place),
        _ => None,
    }
}

#[inline(always)]
fn search(
    dict: Dict<Plain>,
    hash: i64,
    is_key: impl Fn(Value<Plain>) -> Result<bool, TooDeep>,
) -> Result<Found, TooDeep> {
    let table = dict.table();
    let mask = table.slots_len().get() as usize - 1;
    let mut slot = hash as usize & mask;
    let mut free = None;
    let mut distance = 0;
    loop {
        match table.slots(slot).get() {
            NEVER_USED => return Ok(Found::Free { slot: free.unwrap_or(slot), hash }),
            REMOVED => free = free.or(Some(slot)),
            word if (word ^ hash) & !PLACE == 0 => {
                let place = named(word);
                if is_key(dict.entries().items(2 * place))? {
                    return Ok(Found::Key { slot, place });
                }
            }
            _ => {}
        }
        distance += 1;
        slot = (slot + distance) & mask;
    }
}

/// The place of a key's entry.
#[inline]
pub fn place(dict: Dict<Plain>, key: Value<Plain>) -> Result<Option<i64>, TooDeep> {
    if let Some(string) = key.cast::<Str<Plain>>() {
        return Ok(place_of_string(dict, string));
    }
    Ok(match find(dict, key)? {
        Found::Key { place, .. } => Some(place),
        Found::Free { .. } => None,
    })
}

/// The value of a key.
pub fn get(dict: Dict<Plain>, key: Value<Plain>) -> Result<Option<Value<Plain>>, TooDeep> {
    Ok(place(dict, key)?.map(|place| dict.entries().items(2 * place + 1)))
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
    let (slot, hash) = match find(dict, key)? {
        Found::Key { place, .. } => {
            dict.entries().set_items(2 * place + 1, value);
            return Ok(());
        }
        Found::Free { slot, hash } => (slot, hash),
    };
    let used = dict.used().get();
    if is_full(dict) {
        resize(runtime, dict)?;
        return set(runtime, dict, key, value);
    }
    let entries = dict.entries();
    entries.set_items(2 * used, key);
    entries.set_items(2 * used + 1, value);
    dict.table().set_slots(slot, word(hash, used).into());
    dict.set_used((used + 1).into());
    dict.set_length((dict.length().get() + 1).into());
    Ok(())
}

/// Takes a key out and gives its value.
pub fn remove(dict: Dict<Plain>, key: Value<Plain>) -> Result<Option<Value<Plain>>, TooDeep> {
    let Found::Key { slot, place } = find(dict, key)? else { return Ok(None) };
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
        let hash = hash(key)?;
        let mut slot = hash as usize & (size - 1);
        let mut distance = 0;
        while table.slots(slot).get() != NEVER_USED {
            distance += 1;
            slot = (slot + distance) & (size - 1);
        }
        table.set_slots(slot, word(hash, used).into());
        used += 1;
    }
    dict.set_table(table);
    dict.set_entries(entries);
    dict.set_used(used.into());
    Ok(())
}
