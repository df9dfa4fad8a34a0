//! Operations that use hints.

use hotloop::prelude::*;

use super::types::{Array, Cell, Pair};
use super::{TYPE, Tiny, error, native};

fn is_short<M: Mode>(array: Array<M>) -> bool {
    array.is_virtual() || (array.items_len().is_constant() && array.items_len() < 4)
}

#[look_inside_iff(is_short, reads)]
pub fn total<M: Mode>(array: Array<M>) -> Result<Int<M>, Raise<M>> {
    let mut sum = Int::from(0);
    for index in 0..array.items_len().promote() {
        sum = sum + array.items(index).as_int().ok_or(Raise(error(TYPE)))?;
    }
    Ok(sum & 0xff_ffff)
}

#[elidable(promote(value))]
pub fn hash_const(interp: &Tiny, value: Value<Plain>) -> Int<Plain> {
    let _ = interp;
    native::hash::<Plain>(value)
}

#[loop_invariant]
pub fn limit(interp: &Tiny) -> Int<Plain> {
    interp.limits.set(interp.limits.get() + 1);
    Int::from(77)
}

#[not_in_trace]
pub fn watch(interp: &Tiny, value: Value<Plain>) {
    let _ = interp.show(value, 2);
    interp.watched.set(interp.watched.get() + 1);
}

/// The root of a square below 2^40; 0 of anything else.
#[elidable(known)]
pub fn square_root(square: Int<Plain>) -> Int<Plain> {
    let root = (square.get().clamp(0, 1 << 40) as f64).sqrt() as i64;
    Int::from(if root * root == square.get() { root } else { 0 })
}

pub fn square<M: Mode>(number: Int<M>) -> Int<M> {
    let number = number & 0xf_ffff;
    let square = number * number;
    if square < 1i64 << 40 {
        square_root_known::<M>(number, square);
    }
    square
}

#[residual(reads)]
fn is_pair(value: Value<Plain>) -> bool {
    value.is::<Pair<Plain>>()
}

pub fn sure_first<M: Mode>(value: Value<M>) -> Option<Value<M>> {
    if !is_pair::<M>(value) {
        return None;
    }
    // SAFETY: that is what was asked.
    let pair = unsafe { value.assume::<Pair<M>>() };
    Some(pair.first())
}

pub fn low_bit<M: Mode>(number: Int<M>) -> i64 {
    let bit = number & 1;
    let odd = bit.is_eq(1);
    if odd.branch() { bit.assume(1) } else { bit.assume(0) }
}

/// Makes a pair of the value twice, and leaves one in the cell.
pub fn if_constant<M: Mode>(runtime: &Runtime, cell: Cell<M>, value: Value<M>) {
    if value.is_constant() {
        cell.set_value(value);
        cell.set_link(Some(Pair::new(runtime, cell.value(), value)));
    } else {
        native::poke::<M>(cell, value);
        let pair = Pair::new(runtime, value, value);
        cell.set_link(Some(pair));
    }
    cell.set_count(cell.count() + 1);
}

/// Moves the first to the second, and gives it.
pub fn if_virtual<M: Mode>(pair: Pair<M>) -> Value<M> {
    let first = pair.first();
    if pair.is_virtual() {
        pair.set_second(first);
        return pair.second();
    }
    native::scribble::<M>(pair, first);
    first
}

#[residual(writes)]
fn count_two(cell: Cell<Plain>) {
    cell.set_count(cell.count() + 2);
}

pub fn if_jitted<M: Mode>(cell: Cell<M>) {
    if we_are_jitted::<M>() {
        cell.set_count(cell.count() + 1);
        cell.set_count(cell.count() + 1);
    } else {
        count_two::<M>(cell);
    }
}

#[residual(writes, conditional)]
fn store(cell: Cell<Plain>, value: Value<Plain>) {
    cell.set_value(value);
}

pub fn at_least<M: Mode>(cell: Cell<M>, least: Small<M>) -> Result<(), Raise<M>> {
    let value = cell.value().as_small().ok_or(Raise(error(TYPE)))?;
    store_if::<M>(value.is_lt(least), cell, least.to_value());
    Ok(())
}

/// Not 0.
#[elidable(conditional)]
fn compute(value: Value<Plain>) -> Int<Plain> {
    native::hash::<Plain>(value) + 1
}

pub fn cached<M: Mode>(cell: Cell<M>) -> Int<M> {
    let number = compute_unless::<M>(cell.count(), cell.value());
    cell.set_count(number);
    number
}
