//! The values of the language: how they lie in the heap, and what they can do that needs no
//! interpreter loop.

pub mod dict;
pub mod equality;
pub mod list;
pub mod number;
pub mod repr;
pub mod text;
pub mod types;

use hotloop::prelude::*;

pub use types::*;

/// The special constants.
pub mod special {
    /// `null`
    pub const NULL: u32 = 0;
    /// `true`
    pub const TRUE: u32 = 1;
    /// `false`
    pub const FALSE: u32 = 2;
    /// What a variable holds before its first assignment; never seen by programs.
    pub const UNSET: u32 = 3;
    /// What a cell's constant is once the cell has been written twice.
    pub const VARIES: u32 = 4;
}

/// `null`
#[inline(always)]
pub fn null<M: Mode>() -> Value<M> {
    Value::special(special::NULL)
}

/// The value of a variable that has none.
#[inline(always)]
pub fn unset<M: Mode>() -> Value<M> {
    Value::special(special::UNSET)
}

/// Whether a variable has a value.
#[inline(always)]
pub fn is_set<M: Mode>(value: Value<M>) -> bool {
    !value.is_special(special::UNSET)
}

/// `true` or `false`.
#[inline(always)]
pub fn boolean<M: Mode>(truth: bool) -> Value<M> {
    Value::special(if truth { special::TRUE } else { special::FALSE })
}

/// `true` or `false`, without a guard.
#[inline(always)]
pub fn red_boolean<M: Mode>(truth: Bool<M>) -> Value<M> {
    truth.select_value(Value::special(special::TRUE), Value::special(special::FALSE))
}

/// Whether a value counts as true: all but `null` and `false` do.
#[inline(always)]
pub fn is_true<M: Mode>(value: Value<M>) -> bool {
    value.is_special(special::TRUE) || (!value.is_special(special::FALSE) && !value.is_special(special::NULL))
}

/// The boolean that a value is.
pub fn as_boolean(value: Value<Plain>) -> Option<bool> {
    if value.is_special(special::TRUE) {
        Some(true)
    } else if value.is_special(special::FALSE) {
        Some(false)
    } else {
        None
    }
}
