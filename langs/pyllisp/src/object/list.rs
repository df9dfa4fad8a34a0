//! Lists that grow.

use hotloop::prelude::*;

use super::{Items, List};

/// An empty list with room for some elements.
pub fn with_room(runtime: &Runtime, room: usize) -> List<Plain> {
    let items = Items::new(runtime, room);
    List::new(runtime, 0.into(), items)
}

/// A list of these values, which the caller keeps alive.
pub fn from_values(runtime: &Runtime, values: &[Value<Plain>]) -> List<Plain> {
    let list = with_room(runtime, values.len());
    for (index, value) in values.iter().enumerate() {
        list.items().set_items(index, *value);
    }
    list.set_length(values.len().into());
    list
}

/// How many elements a list has.
pub fn length(list: List<Plain>) -> usize {
    list.length().get() as usize
}

/// The element at a place that is in range.
pub fn get(list: List<Plain>, index: usize) -> Value<Plain> {
    list.items().items(index)
}

/// Whether another element needs more room.
#[inline(always)]
pub fn is_full<M: Mode>(list: List<M>) -> bool {
    !list.length().is_index_of(list.items().items_len())
}

/// Puts the elements where there is room for as many, and some more.
fn move_to_room<M: Mode>(runtime: &Runtime, list: List<M>, room: Int<M>) -> Items<M> {
    let items = Items::new(runtime, room + (room >> 1) + 4);
    list.items().copy_to(0, items, 0, list.length());
    list.set_items(items);
    items
}

/// Adds an element at the end.
#[inline(always)]
pub fn push<M: Mode>(runtime: &Runtime, list: List<M>, value: Value<M>) {
    let used = list.length();
    let mut items = list.items();
    if !used.is_index_of(items.items_len()) {
        items = move_to_room(runtime, list, used);
    }
    items.set_items(used, value);
    list.set_length(used + 1);
}

/// Adds the elements of a list, which may be the same one, at the end.
pub fn extend<M: Mode>(runtime: &Runtime, list: List<M>, added: List<M>) {
    let (used, count, from) = (list.length(), added.length(), added.items());
    let mut items = list.items();
    if used + count > items.items_len() {
        items = move_to_room(runtime, list, used + count);
    }
    from.copy_to(0, items, used, count);
    list.set_length(used + count);
}

/// Takes out the last element, if there is one.
#[inline(always)]
pub fn pop<M: Mode>(list: List<M>) -> Option<Value<M>> {
    let last = list.length() - 1;
    let items = list.items();
    if !last.is_index_of(items.items_len()) {
        return None;
    }
    let value = items.items(last);
    // The place must not keep its object alive.
    items.set_items(last, Value::zero());
    list.set_length(last);
    Some(value)
}

/// A list of elements in range.
pub fn part<M: Mode>(runtime: &Runtime, list: List<M>, start: Int<M>, count: Int<M>) -> List<M> {
    let items = Items::new(runtime, count);
    list.items().copy_to(start, items, 0, count);
    List::new(runtime, count, items)
}

/// A list of the elements of two.
pub fn joined<M: Mode>(runtime: &Runtime, one: List<M>, two: List<M>) -> List<M> {
    let (first, second) = (one.length(), two.length());
    let items = Items::new(runtime, first + second);
    one.items().copy_to(0, items, 0, first);
    two.items().copy_to(0, items, first, second);
    List::new(runtime, first + second, items)
}

/// Inserts an element before a place that is in range or the end.
pub fn insert(runtime: &Runtime, list: List<Plain>, index: usize, value: Value<Plain>) {
    let used = length(list);
    push(runtime, list, value);
    let items = list.items();
    items.copy_to(index, items, index + 1, used - index);
    items.set_items(index, value);
}

/// Takes out the element at a place that is in range.
pub fn remove(list: List<Plain>, index: usize) -> Value<Plain> {
    let used = length(list);
    let items = list.items();
    let value = items.items(index);
    items.copy_to(index + 1, items, index, used - index - 1);
    // The last place must not keep its object alive.
    items.set_items(used - 1, Value::zero());
    list.set_length((used - 1).into());
    value
}
