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

/// Makes room for one more element.
pub fn grow(runtime: &Runtime, list: List<Plain>) {
    let old = list.items();
    let used = length(list);
    let new = Items::new(runtime, used + used / 2 + 4);
    for index in 0..used {
        new.set_items(index, old.items(index));
    }
    list.set_items(new);
}

/// Adds an element at the end.
pub fn push(runtime: &Runtime, list: List<Plain>, value: Value<Plain>) {
    let used = length(list);
    if used == list.items().items_len().get() as usize {
        grow(runtime, list);
    }
    list.items().set_items(used, value);
    list.set_length((used + 1).into());
}

/// Inserts an element before a place that is in range or the end.
pub fn insert(runtime: &Runtime, list: List<Plain>, index: usize, value: Value<Plain>) {
    let used = length(list);
    push(runtime, list, value);
    let items = list.items();
    for at in (index..used).rev() {
        items.set_items(at + 1, items.items(at));
    }
    items.set_items(index, value);
}

/// Takes out the element at a place that is in range.
pub fn remove(list: List<Plain>, index: usize) -> Value<Plain> {
    let used = length(list);
    let items = list.items();
    let value = items.items(index);
    for at in index + 1..used {
        items.set_items(at - 1, items.items(at));
    }
    // The last place must not keep its object alive.
    items.set_items(used - 1, Value::zero());
    list.set_length((used - 1).into());
    value
}
