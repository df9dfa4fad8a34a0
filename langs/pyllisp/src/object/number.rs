//! Integers without bounds: small ones in a value's word, big ones in the heap.
//!
//! Every integer has one form: what fits 61 bits is small.

use dashu_int::{IBig, Sign, UBig};
use hotloop::prelude::*;

use super::{BigInt, as_boolean};

/// An integer's value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Integer {
    /// One that fits a word.
    Small(i64),
    /// One that doesn't fit 61 bits.
    Big(IBig),
}

impl Integer {
    /// As a big integer.
    pub fn into_big(self) -> IBig {
        match self {
            Integer::Small(value) => IBig::from(value),
            Integer::Big(value) => value,
        }
    }

    /// As a value.
    pub fn to_value(&self, runtime: &Runtime) -> Value<Plain> {
        match self {
            Integer::Small(value) => integer(runtime, *value),
            Integer::Big(value) => big(runtime, value),
        }
    }

    /// The nearest float.
    pub fn to_float(&self) -> f64 {
        match self {
            Integer::Small(value) => *value as f64,
            Integer::Big(value) => value.to_f64().value(),
        }
    }
}

/// The integer that a value is.
pub fn as_integer(value: Value<Plain>) -> Option<Integer> {
    match value.as_small() {
        Some(small) => Some(Integer::Small(small.to_int().get())),
        None => value.cast::<BigInt<Plain>>().map(|big| Integer::Big(magnitude(big))),
    }
}

/// The integer that a value or a boolean is.
pub fn as_number(value: Value<Plain>) -> Option<Integer> {
    match as_boolean(value) {
        Some(truth) => Some(Integer::Small(truth.into())),
        None => as_integer(value),
    }
}

fn magnitude(big: BigInt<Plain>) -> IBig {
    let magnitude = IBig::from(UBig::from_words(big.words_slice()));
    if big.negative().get() == 0 { magnitude } else { -magnitude }
}

/// The value of an integer.
pub fn integer(runtime: &Runtime, value: i64) -> Value<Plain> {
    match Value::from_int(value.into()) {
        Some(small) => small,
        None => big(runtime, &IBig::from(value)),
    }
}

/// The value of a big integer, which may be small after all.
pub fn big(runtime: &Runtime, value: &IBig) -> Value<Plain> {
    if let Ok(small) = i64::try_from(value)
        && let Some(small) = Value::from_int(small.into())
    {
        return small;
    }
    let (sign, words) = value.as_sign_words();
    BigInt::from_words(runtime, sign == Sign::Negative, words).to_value()
}

/// The integer nearest to a float on the side of zero; `None` if it is infinite or no number.
pub fn truncated(runtime: &Runtime, float: f64) -> Option<Value<Plain>> {
    if float.abs() < 1e18 {
        return Some(integer(runtime, float as i64));
    }
    IBig::try_from(float.trunc()).ok().map(|value| big(runtime, &value))
}

/// The integer of digits in a radix, as the source or a program has them.
pub fn parse(digits: &str, radix: u32) -> Option<Integer> {
    match i64::from_str_radix(digits, radix) {
        Ok(value) => Some(Integer::Small(value)),
        // Underscores are no digits here.
        Err(_) if digits.contains('_') => None,
        Err(_) => IBig::from_str_radix(digits, radix).ok().map(Integer::Big),
    }
}
