//! Runs of items, and a list that grows: its items lie in an array of integers while all of them are
//! integers, else in an array of values.

use hotloop::prelude::*;

use super::micro::{Done, as_small, as_type, fail, small};
use super::op::{Micro, Op};
use super::types::{Array, Bytes, Ints, List};
use super::{INDEX, NULL, State, Tiny, native};

/// A number as a count (two bits) and two indices (three bits each).
fn run<M: Mode>(number: Value<M>) -> Done<M, [Int<M>; 3]> {
    let number = as_small(number)?.to_int();
    Ok([number & 3, (number >> 2) & 7, (number >> 5) & 7])
}

/// Whether so many items from an index on are there.
fn within<M: Mode>(at: Int<M>, count: Int<M>, length: Int<M>) -> bool {
    count <= length && at.is_index_of(length - count + 1)
}

fn copy<M: Mode, T: HeapArray<M>>(to: T, from: T, lengths: [Int<M>; 2], how: Value<M>) -> Done<M> {
    let [count, at, to_at] = run(how)?;
    if !within(to_at, count, lengths[0]) || !within(at, count, lengths[1]) {
        return fail(INDEX);
    }
    from.copy_to(at, to, to_at, count);
    Ok(())
}

/// An array of at least so many items, with the first of another.
fn room<M: Mode>(length: Int<M>) -> Int<M> {
    length + (length >> 1) + 2
}

impl Tiny {
    fn push<M: Mode>(&self, list: List<M>, value: Value<M>) -> Done<M> {
        let length = list.length();
        if let Some(ints) = list.storage().cast::<Ints<M>>() {
            if let Some(number) = value.as_small() {
                let mut items = ints;
                if !length.is_index_of(ints.items_len()) {
                    items = Ints::new(&self.runtime, room(length));
                    ints.copy_to(0, items, 0, length);
                    list.set_storage(items.to_value());
                }
                items.set_items(length, number.to_int());
                list.set_length(length + 1);
                return Ok(());
            }
            native::generalise::<M>(self, list);
        }
        let mut items: Array<M> = as_type(list.storage())?;
        if !length.is_index_of(items.items_len()) {
            let larger = Array::new(&self.runtime, room(length));
            items.copy_to(0, larger, 0, length);
            list.set_storage(larger.to_value());
            items = larger;
        }
        items.set_items(length, value);
        list.set_length(length + 1);
        Ok(())
    }

    fn at<M: Mode>(&self, list: List<M>, index: Int<M>) -> Done<M, Value<M>> {
        if !index.is_index_of(list.length()) {
            return fail(INDEX);
        }
        match list.storage().cast::<Ints<M>>() {
            Some(ints) => Ok(small(ints.items(index))),
            None => Ok(as_type::<M, Array<M>>(list.storage())?.items(index)),
        }
    }

    pub(super) fn list_micro<M: Mode>(&self, micro: &Micro, state: &mut State<M>) -> Done<M> {
        let runtime = &self.runtime;
        let frame = state.frame;
        let [x, y, z] = micro.args;
        let get = |register: i64| frame.slots(register);
        let set = |register: i64, value: Value<M>| frame.set_slots(register, value);
        match micro.op {
            Op::ArrayOf => {
                let length = as_small(get(y))?.to_int() & 7;
                set(x, Array::new(runtime, length).to_value());
            }
            Op::CopyItems => {
                let (to, from) = (as_type::<M, Array<M>>(get(x))?, as_type::<M, Array<M>>(get(y))?);
                copy(to, from, [to.items_len(), from.items_len()], get(z))?;
            }
            Op::CopyBytes => {
                let (to, from) = (as_type::<M, Bytes<M>>(get(x))?, as_type::<M, Bytes<M>>(get(y))?);
                copy(to, from, [to.items_len(), from.items_len()], get(z))?;
            }
            Op::FillItems => {
                let (array, at) = (as_type::<M, Array<M>>(get(x))?, as_small(get(y))?.to_int());
                if !within(at, Int::from(2), array.items_len()) {
                    return fail(INDEX);
                }
                array.fill(at, 2, get(z));
            }
            Op::SameBytes => {
                let (one, two) = (as_type::<M, Bytes<M>>(get(y))?, as_type::<M, Bytes<M>>(get(z))?);
                let (length, other) = (one.items_len(), two.items_len());
                let count = if length == other { length } else { length.is_lt(other).select(length, other) };
                let order = one.compare_items(0, two, 0, count);
                set(x, small(one.same_items(0, two, 0, count).to_int() * 4 + order));
            }
            Op::SameItems => {
                let (one, two) = (as_type::<M, Array<M>>(get(y))?, as_type::<M, Array<M>>(get(z))?);
                let same =
                    one.items_len() == two.items_len() && one.same_items(0, two, 0, one.items_len()).branch();
                set(x, Value::small(same as i64));
            }
            Op::Slice => {
                let from = as_type::<M, Bytes<M>>(get(y))?;
                let [count, at, _] = run(get(z))?;
                if !within(at, count, from.items_len()) {
                    return fail(INDEX);
                }
                let part = Bytes::new(runtime, count);
                from.copy_to(at, part, 0, count);
                set(x, part.to_value());
            }
            Op::List => {
                let ints = Ints::new(runtime, 2);
                set(x, List::new(runtime, Int::from(0), ints.to_value()).to_value());
            }
            Op::Push => self.push(as_type(get(x))?, get(y))?,
            Op::Pop => {
                let list: List<M> = as_type(get(y))?;
                let last = list.length() - 1;
                let value = self.at(list, last)?;
                list.set_length(last);
                if let Some(array) = list.storage().cast::<Array<M>>() {
                    array.set_items(last, Value::special(NULL));
                }
                set(x, value);
            }
            Op::At => set(x, self.at(as_type(get(y))?, as_small(get(z))?.to_int())?),
            _ => set(x, small(as_type::<M, List<M>>(get(y))?.length())),
        }
        Ok(())
    }
}
