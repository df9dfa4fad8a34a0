//! Lists that grow.
//!
//! A list that a program writes down has its elements in its own object. They move to an object of their own as soon
//! as there become more or fewer of them.

use hotloop::prelude::*;

use super::{Elements, List};

/// How many elements at most lie in the list itself; what they leave there when they move is this much.
const MOST_OWN: u32 = 8;

/// Shorter lists get twice the room when they are full, longer ones half as much again.
const DOUBLES: i64 = 1 << 15;

/// An empty list with room for some elements.
pub fn with_room(runtime: &Runtime, room: usize) -> List<Plain> {
    List::new(runtime, Some(Elements::new(runtime, 0.into(), room)), 0)
}

/// A list of so many elements, which the caller keeps alive.
#[inline(always)]
pub fn of<M: Mode>(runtime: &Runtime, count: u32, element: impl Fn(u32) -> Value<M>) -> List<M> {
    if count <= MOST_OWN {
        let list = List::new(runtime, None, count);
        (0..count).for_each(|index| list.set_own(index, element(index)));
        list
    } else {
        let elements = Elements::new(runtime, count.into(), count);
        (0..count).for_each(|index| elements.set_items(index, element(index)));
        List::new(runtime, Some(elements), 0)
    }
}

/// A list of these values, which the caller keeps alive.
pub fn from_values(runtime: &Runtime, values: &[Value<Plain>]) -> List<Plain> {
    of(runtime, values.len() as u32, |index| values[index as usize])
}

/// How many elements a list has.
#[inline(always)]
pub fn count<M: Mode>(list: List<M>) -> Int<M> {
    match list.grown() {
        None => list.own_len(),
        Some(elements) => elements.length(),
    }
}

/// The element at a place, if there is one.
#[inline(always)]
pub fn item<M: Mode>(list: List<M>, index: Int<M>) -> Option<Value<M>> {
    let Some(elements) = list.grown() else {
        return if index.is_index_of(list.own_len()) { Some(list.own(index)) } else { None };
    };
    if index.is_index_of(elements.length()) { Some(elements.items(index)) } else { None }
}

/// Changes the element at a place; nothing if there is none.
#[inline(always)]
pub fn set_item<M: Mode>(list: List<M>, index: Int<M>, value: Value<M>) -> Option<()> {
    match list.grown() {
        None => index.is_index_of(list.own_len()).then(|| list.set_own(index, value)),
        Some(elements) => index.is_index_of(elements.length()).then(|| elements.set_items(index, value)),
    }
}

/// How many elements a list has.
#[inline]
pub fn length(list: List<Plain>) -> usize {
    count(list).get() as usize
}

/// The elements of a list that doesn't change meanwhile.
#[inline(always)]
pub fn values(list: List<Plain>) -> impl Iterator<Item = Value<Plain>> {
    let grown = list.grown();
    (0..length(list)).map(move |index| match grown {
        None => list.own(index),
        Some(elements) => elements.items(index),
    })
}

/// The element at a place that is in range.
#[inline]
pub fn get(list: List<Plain>, index: usize) -> Value<Plain> {
    match list.grown() {
        None => list.own(index),
        Some(elements) => elements.items(index),
    }
}

/// Changes the element at a place that is in range.
pub fn set(list: List<Plain>, index: usize, value: Value<Plain>) {
    match list.grown() {
        None => list.set_own(index, value),
        Some(elements) => elements.set_items(index, value),
    }
}

/// Exchanges the elements at two places that are in range.
pub fn swap(list: List<Plain>, one: usize, two: usize) {
    let value = get(list, one);
    set(list, one, get(list, two));
    set(list, two, value);
}

/// Whether another element needs more room.
#[inline(always)]
pub fn is_full<M: Mode>(list: List<M>) -> bool {
    match list.grown() {
        None => true,
        Some(elements) => !elements.length().is_index_of(elements.items_len()),
    }
}

/// Copies elements that are in range to where there is room for them.
pub fn copy<M: Mode>(
    list: List<M>,
    at: impl Into<Int<M>>,
    to: impl HeapArray<M, Item = Value<M>>,
    to_at: impl Into<Int<M>>,
    count: impl Into<Int<M>>,
) {
    match list.grown() {
        None => list.copy_to(at, to, to_at, count),
        Some(elements) => elements.copy_to(at, to, to_at, count),
    }
}

/// Puts the elements where there is room for as many, and some more.
fn move_to_room<M: Mode>(runtime: &Runtime, list: List<M>, room: Int<M>) -> Elements<M> {
    let count = count(list);
    let more = room.is_lt(DOUBLES).select(room, room >> 1);
    let elements = Elements::new(runtime, count, room + more + 4);
    copy(list, 0, elements, 0, count);
    put_in(list, elements);
    elements
}

/// Gives a list other elements.
pub fn put_in<M: Mode>(list: List<M>, elements: Elements<M>) {
    // The places in it must not keep their objects alive.
    list.fill(0, list.own_len(), Value::zero());
    list.set_grown(Some(elements));
}

/// Where elements are added and taken out.
#[inline(always)]
fn elements<M: Mode>(runtime: &Runtime, list: List<M>) -> Elements<M> {
    match list.grown() {
        None => move_to_room(runtime, list, list.own_len()),
        Some(elements) => elements,
    }
}

/// Adds an element at the end; nothing if there is no room for it.
#[inline(always)]
pub fn push_in_room<M: Mode>(list: List<M>, value: Value<M>) -> Option<()> {
    let elements = list.grown()?;
    let used = elements.length();
    if !used.is_index_of(elements.items_len()) {
        return None;
    }
    elements.set_items(used, value);
    elements.set_length(used + 1);
    Some(())
}

/// Adds an element at the end.
#[inline(always)]
pub fn push<M: Mode>(runtime: &Runtime, list: List<M>, value: Value<M>) {
    let mut elements = elements(runtime, list);
    let used = elements.length();
    if !used.is_index_of(elements.items_len()) {
        elements = move_to_room(runtime, list, used);
    }
    elements.set_items(used, value);
    elements.set_length(used + 1);
}

/// Adds the elements of a list, which may be the same one, at the end.
pub fn extend<M: Mode>(runtime: &Runtime, list: List<M>, added: List<M>) {
    let mut elements = elements(runtime, list);
    let (used, count) = (elements.length(), count(added));
    if used + count > elements.items_len() {
        elements = move_to_room(runtime, list, used + count);
    }
    copy(added, 0, elements, used, count);
    elements.set_length(used + count);
}

/// Takes out the last element, if there is one.
#[inline(always)]
pub fn pop<M: Mode>(runtime: &Runtime, list: List<M>) -> Option<Value<M>> {
    let elements = elements(runtime, list);
    let last = elements.length() - 1;
    if !last.is_index_of(elements.items_len()) {
        return None;
    }
    let value = elements.items(last);
    // The place must not keep its object alive.
    elements.set_items(last, Value::zero());
    elements.set_length(last);
    Some(value)
}

/// A list of elements in range.
pub fn part<M: Mode>(runtime: &Runtime, list: List<M>, start: Int<M>, count: Int<M>) -> List<M> {
    let elements = Elements::new(runtime, count, count);
    copy(list, start, elements, 0, count);
    List::new(runtime, Some(elements), 0)
}

/// A list of the elements of two.
pub fn joined<M: Mode>(runtime: &Runtime, one: List<M>, two: List<M>) -> List<M> {
    let (first, second) = (count(one), count(two));
    let elements = Elements::new(runtime, first + second, first + second);
    copy(one, 0, elements, 0, first);
    copy(two, 0, elements, first, second);
    List::new(runtime, Some(elements), 0)
}

/// Inserts an element before a place that is in range or the end.
pub fn insert(runtime: &Runtime, list: List<Plain>, index: usize, value: Value<Plain>) {
    let used = length(list);
    push(runtime, list, value);
    let elements = elements(runtime, list);
    elements.copy_to(index, elements, index + 1, used - index);
    elements.set_items(index, value);
}

/// Takes out the element at a place that is in range.
pub fn remove(runtime: &Runtime, list: List<Plain>, index: usize) -> Value<Plain> {
    let used = length(list);
    let elements = elements(runtime, list);
    let value = elements.items(index);
    elements.copy_to(index + 1, elements, index, used - index - 1);
    // The last place must not keep its object alive.
    elements.set_items(used - 1, Value::zero());
    elements.set_length((used - 1).into());
    value
}
