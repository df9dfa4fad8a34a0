//! When two values are equal, and their hashes, for `==` and for dictionaries.

use hotloop::prelude::*;

use super::number::{self, Integer};
use super::{BigInt, CFunction, Dict, List, Memory, Set, Str, dict, list, text};

/// How deep lists may nest when they are compared or hashed.
const MAX_DEPTH: u32 = 200;

/// Structures are nested too deeply, or in a circle.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooDeep;

/// Whether two values are equal as `==` sees it: numbers by value across types, strings, lists and
/// dictionaries by content, what is C's by its address, all else by identity.
pub fn equal(one: Value<Plain>, two: Value<Plain>) -> Result<bool, TooDeep> {
    equal_at(one, two, 0, true)
}

/// Whether two values are the same key: like [`equal`], but values of different types differ.
#[inline(always)]
pub fn same_key(one: Value<Plain>, two: Value<Plain>) -> Result<bool, TooDeep> {
    if one.is_small() || two.is_small() {
        return Ok(one.is_same(two));
    }
    if let (Some(one), Some(two)) = (one.cast::<Str<Plain>>(), two.cast::<Str<Plain>>()) {
        return Ok(text::same(one, two));
    }
    equal_at(one, two, 0, false)
}

fn equal_at(one: Value<Plain>, two: Value<Plain>, depth: u32, across: bool) -> Result<bool, TooDeep> {
    if let Some(answer) = equal_at_once(one, two, across) {
        return Ok(answer);
    }
    if depth == MAX_DEPTH {
        return Err(TooDeep);
    }
    if let (Some(one), Some(two)) = (one.cast::<List<Plain>>(), two.cast::<List<Plain>>()) {
        if list::length(one) != list::length(two) {
            return Ok(false);
        }
        for index in 0..list::length(one) {
            if !equal_at(list::get(one, index), list::get(two, index), depth + 1, across)? {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    if across && let (Some(one), Some(two)) = (one.cast::<Set<Plain>>(), two.cast::<Set<Plain>>()) {
        return equal_dicts(one.dict(), two.dict(), depth);
    }
    if across && let (Some(one), Some(two)) = (one.cast::<Dict<Plain>>(), two.cast::<Dict<Plain>>()) {
        return equal_dicts(one, two, depth);
    }
    Ok(false)
}

/// The answer if neither is looked into. (Out of line: it takes stack that is not wanted at each level.)
#[inline(never)]
fn equal_at_once(one: Value<Plain>, two: Value<Plain>, across: bool) -> Option<bool> {
    if one.is_same(two) && one.as_float().is_none_or(|float| !float.get().is_nan()) {
        return Some(true);
    }
    if let (Some(one), Some(two)) = (one.cast::<Str<Plain>>(), two.cast::<Str<Plain>>()) {
        return Some(text::same(one, two));
    }
    if let (Some(one), Some(two)) = (one.as_float(), two.as_float()) {
        return Some(one.get() == two.get());
    }
    if one.is::<BigInt<Plain>>() && two.is::<BigInt<Plain>>() {
        return Some(number::as_integer(one) == number::as_integer(two));
    }
    if across {
        match (one.as_float(), two.as_float(), number::as_integer(one), number::as_integer(two)) {
            (Some(one), _, _, Some(two)) => return Some(one.get() == two.to_float()),
            (_, Some(two), Some(one), _) => return Some(one.to_float() == two.get()),
            (_, _, Some(Integer::Small(one)), Some(Integer::Small(two))) => return Some(one == two),
            _ => {}
        }
    }
    if let (Some(one), Some(two)) = (address(one), address(two)) {
        return Some(one == two);
    }
    None
}

/// Where something of C is: that is what it is.
fn address(value: Value<Plain>) -> Option<i64> {
    if let Some(memory) = value.cast::<Memory<Plain>>() {
        return Some(memory.address().get());
    }
    value.cast::<CFunction<Plain>>().map(|function| function.address().get())
}

fn equal_dicts(one: Dict<Plain>, two: Dict<Plain>, depth: u32) -> Result<bool, TooDeep> {
    if one.length().get() != two.length().get() {
        return Ok(false);
    }
    let mut place = 0;
    while let Some((key, value, next)) = dict::next_entry(one, place) {
        place = next;
        match dict::get(two, key)? {
            Some(other) if equal_at(value, other, depth + 1, true)? => {}
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// A hash that equal keys share.
#[inline(always)]
pub fn hash(value: Value<Plain>) -> Result<i64, TooDeep> {
    if value.is_small() {
        return Ok(mix(value.raw()));
    }
    if let Some(string) = value.cast::<Str<Plain>>() {
        return Ok(text::hash(string));
    }
    hash_at(value, 0)
}

fn hash_at(value: Value<Plain>, depth: u32) -> Result<i64, TooDeep> {
    if let Some(string) = value.cast::<Str<Plain>>() {
        return Ok(text::hash(string));
    }
    if let Some(float) = value.as_float() {
        // Zeros of both signs are equal.
        return Ok(mix((float.get() + 0.0).to_bits()));
    }
    if let Some(big) = value.cast::<BigInt<Plain>>() {
        let words = (0..big.words_len().get()).map(|index| big.words(index).get() as u64);
        return Ok(words.fold(big.negative().get(), |hash, word| mix(hash as u64 ^ word)));
    }
    if let Some(address) = address(value) {
        return Ok(mix(address as u64));
    }
    if depth == MAX_DEPTH {
        return Err(TooDeep);
    }
    if let Some(list) = value.cast::<List<Plain>>() {
        let mut hash = 0x345678;
        for index in 0..list::length(list) {
            hash = mix(hash as u64 ^ hash_at(list::get(list, index), depth + 1)? as u64);
        }
        return Ok(hash);
    }
    // Small integers, special constants; objects by their address, which never changes.
    Ok(mix(value.raw()))
}

/// Spreads the bits of a word (the finisher of MurmurHash3).
fn mix(word: u64) -> i64 {
    let word = (word ^ word >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let word = (word ^ word >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    (word ^ word >> 33) as i64
}
