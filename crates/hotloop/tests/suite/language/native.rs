//! Residual functions of every effect.

use std::hash::{DefaultHasher, Hash, Hasher};

use hotloop::prelude::*;

use super::types::{Array, Cell, Config, Frame, Ints, List, Pair};
use super::{Tiny, error};

fn odd(value: Value<Plain>) -> bool {
    value.as_int().is_some_and(|number| number.get() & 1 != 0)
}

#[residual(reads)]
pub fn print(interp: &Tiny, value: Value<Plain>) {
    let text = interp.show(value, 3);
    interp.output.borrow_mut().push(text);
}

#[residual(looks)]
pub fn peek(cell: Cell<Plain>) -> Value<Plain> {
    cell.value()
}

#[residual(reads)]
pub fn make_pair(interp: &Tiny, first: Value<Plain>, second: Value<Plain>) -> Pair<Plain> {
    Pair::new(&interp.runtime, first, second)
}

#[residual(reads)]
pub fn next(interp: &Tiny) -> Int<Plain> {
    interp.counter.set(interp.counter.get() + 1);
    Int::from(interp.counter.get())
}

#[residual(reads)]
pub fn is_big(value: Value<Plain>) -> bool {
    value.as_int().is_some_and(|number| number.get() > 50)
}

#[residual(reads)]
pub fn pair_of(cell: Cell<Plain>) -> Option<Pair<Plain>> {
    cell.value().cast::<Pair<Plain>>()
}

#[residual(reads)]
pub fn half(value: Value<Plain>) -> Result<Float<Plain>, Raise<Plain>> {
    match value.as_int() {
        Some(number) if number.get() % 3 != 0 => Ok(Float::from(number.get() as f64 / 2.0)),
        Some(_) => Err(Raise(value)),
        None => Err(Raise(error(super::TYPE))),
    }
}

#[residual(reads)]
pub fn halves(interp: &Tiny, value: Value<Plain>) -> Result<Pair<Plain>, Raise<Plain>> {
    match value.as_int() {
        Some(number) if number.get() % 5 != 0 => Ok(Pair::new(&interp.runtime, value, value)),
        _ => Err(Raise(value)),
    }
}

#[residual(writes)]
pub fn poke(cell: Cell<Plain>, value: Value<Plain>) {
    cell.set_value(value);
}

#[residual(writes)]
pub fn poke_odd(cell: Cell<Plain>, value: Value<Plain>) -> Result<Value<Plain>, Raise<Plain>> {
    let before = cell.value();
    cell.set_value(value);
    if odd(value) { Err(Raise(before)) } else { Ok(before) }
}

#[residual(writes)]
pub fn advance(cell: Cell<Plain>) {
    let next = match cell.value().as_int() {
        Some(number) => Value::small((number.get() + 1) & 0xffff),
        None => Value::special(0),
    };
    cell.set_value(next);
    cell.set_count(cell.count() + 10);
}

#[residual(writes)]
pub fn scribble(pair: Pair<Plain>, value: Value<Plain>) {
    pair.set_second(pair.first());
    pair.set_first(value);
}

#[residual(writes)]
pub fn poke_version(config: Config<Plain>, version: Int<Plain>) {
    config.set_version(version);
}

#[residual]
pub fn walk(frame: Frame<Plain>) -> Int<Plain> {
    let mut sum = 0i64;
    let mut at = Some(frame);
    while let Some(frame) = at {
        sum = sum * 3 + frame.depth().get();
        for index in 0..frame.slots_len().get() {
            if let Some(number) = frame.slots(index).as_int() {
                sum += number.get() & 0xff;
            }
        }
        at = frame.back();
    }
    Int::from(sum & 0xff_ffff)
}

#[residual]
pub fn chain(interp: &Tiny, frame: Frame<Plain>) {
    let mut text = frame.code().name.clone();
    let mut at = frame.back();
    while let Some(frame) = at {
        text = format!("{text} <- {}:{}", frame.code().name, frame.pc());
        at = frame.back();
    }
    interp.output.borrow_mut().push(text);
}

#[residual]
pub fn caller_slot(frame: Frame<Plain>, slot: i64) -> Value<Plain> {
    match frame.back() {
        Some(back) if slot < back.slots_len().get() => back.slots(slot),
        _ => Value::special(0),
    }
}

#[residual]
pub fn set_caller_slot(frame: Frame<Plain>, slot: i64, value: Value<Plain>) {
    if let Some(back) = frame.back()
        && slot < back.slots_len().get()
    {
        back.set_slots(slot, value);
    }
}

#[residual]
pub fn my_slot(frame: Frame<Plain>, slot: i64) -> Value<Plain> {
    frame.slots(slot)
}

#[residual]
pub fn set_my_slot(frame: Frame<Plain>, slot: i64, value: Value<Plain>) {
    frame.set_slots(slot, value);
}

#[residual]
pub fn odd_slot(frame: Frame<Plain>, slot: i64, value: Value<Plain>) -> Result<(), Raise<Plain>> {
    frame.set_slots(slot, value);
    if odd(value) { Err(Raise(Value::small(slot))) } else { Ok(()) }
}

/// Whether a native that looks at times does so now.
fn now(when: Value<Plain>) -> bool {
    when.as_int().is_some_and(|number| number.get() != 0)
}

#[residual]
pub fn slot_if(frame: Frame<Plain>, slot: i64, when: Value<Plain>) -> Value<Plain> {
    if now(when) { frame.slots(slot) } else { Value::small(7) }
}

#[residual]
pub fn set_slot_if(frame: Frame<Plain>, slot: i64, value: Value<Plain>, when: Value<Plain>) {
    if now(when) {
        frame.set_slots(slot, value);
    }
}

#[residual]
pub fn caller_slot_if(frame: Frame<Plain>, slot: i64, when: Value<Plain>) -> Value<Plain> {
    match frame_below(frame, when) {
        Some(back) if slot < back.slots_len().get() => back.slots(slot),
        _ => Value::small(9),
    }
}

#[residual]
pub fn set_caller_slot_if(frame: Frame<Plain>, slot: i64, value: Value<Plain>, when: Value<Plain>) {
    if let Some(back) = frame_below(frame, when)
        && slot < back.slots_len().get()
    {
        back.set_slots(slot, value);
    }
}

fn frame_below(frame: Frame<Plain>, when: Value<Plain>) -> Option<Frame<Plain>> {
    if now(when) { frame.back() } else { None }
}

#[residual]
pub fn walk_if(frame: Frame<Plain>, when: Value<Plain>) -> Int<Plain> {
    if now(when) { walk::<Plain>(frame) } else { Int::from(3) }
}

#[residual]
pub fn chain_if(interp: &Tiny, frame: Frame<Plain>, when: Value<Plain>) {
    if now(when) {
        chain::<Plain>(interp, frame);
    }
}

#[residual]
pub fn raise_if(frame: Frame<Plain>, slot: i64, value: Value<Plain>) -> Result<Int<Plain>, Raise<Plain>> {
    if !odd(value) {
        return Ok(Int::from(5));
    }
    frame.set_slots(slot, value);
    Err(Raise(Value::small(slot)))
}

#[residual]
pub fn grab_if(frame: Frame<Plain>, when: Value<Plain>) -> Value<Plain> {
    if now(when) { frame.to_value() } else { Value::zero() }
}

#[residual]
pub fn nested_if(interp: &Tiny, function: i64, argument: Value<Plain>) -> Result<Value<Plain>, Raise<Plain>> {
    if now(argument) { interp.nested(function, argument) } else { Ok(Value::small(11)) }
}

#[residual]
pub fn any_poke(cell: Cell<Plain>, value: Value<Plain>) -> Result<Value<Plain>, Raise<Plain>> {
    let before = cell.value();
    cell.set_value(value);
    cell.set_count(cell.count() + 1);
    if odd(before) { Err(Raise(before)) } else { Ok(before) }
}

#[elidable]
pub fn hash(value: Value<Plain>) -> Int<Plain> {
    // Of what is not an object: addresses differ from run to run.
    let word = if value.is_reference() { 0 } else { value.raw() };
    let mut hasher = DefaultHasher::new();
    word.hash(&mut hasher);
    Int::from((hasher.finish() & 0xffff) as i64)
}

#[elidable]
pub fn root(value: Value<Plain>) -> Result<Int<Plain>, Raise<Plain>> {
    match value.as_int() {
        Some(number) if number.get() >= 0 => Ok(Int::from((number.get() as f64).sqrt() as i64)),
        _ => Err(Raise(error(super::TYPE))),
    }
}

/// A list of integers becomes one of values.
#[residual(writes)]
pub fn generalise(interp: &Tiny, list: List<Plain>) {
    let Some(ints) = list.storage().cast::<Ints<Plain>>() else { return };
    let items = Array::<Plain>::new(&interp.runtime, ints.items_len());
    for index in 0..list.length().get() {
        items.set_items(index, super::micro::small(ints.items(index)));
    }
    list.set_storage(items.to_value());
}
