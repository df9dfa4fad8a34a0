//! A red 64-bit integer.

use std::cmp::Ordering;
use std::ops::{Add, BitAnd, BitOr, BitXor, Mul, Neg, Not, Shl, Shr, Sub};

use hotloop_ir::{Opcode, Ty};

use super::{Bool, Float};
use crate::mode::{Concrete, Mode};

/// A 64-bit integer known at run time. `+ - *` wrap; `checked_*` guard against overflow; comparisons give a
/// plain `bool` and record a guard.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Int<M: Mode>(M::Word);

impl<M: Mode> Int<M> {
    #[inline(always)]
    pub(crate) fn from_word(word: M::Word) -> Self {
        Int(word)
    }
    #[inline(always)]
    pub(crate) fn word(self) -> M::Word {
        self.0
    }
    #[inline(always)]
    fn pure(self, op: Opcode, other: impl Into<Int<M>>) -> Int<M> {
        Int(M::pure2(op, self.0, other.into().0))
    }
    #[inline(always)]
    fn test(self, op: Opcode, other: impl Into<Int<M>>) -> Bool<M> {
        Bool::from_word(self.pure(op, other).0)
    }

    /// The plain integer; a guard that it stays the same.
    #[inline(always)]
    pub fn promote(self) -> i64 {
        M::promote(self.0, Ty::Int) as i64
    }

    /// Whether it is known while compiling (never in plain execution). Ways chosen by it must come to the
    /// same result.
    #[inline(always)]
    pub fn is_constant(self) -> bool {
        M::is_constant(self.0)
    }

    /// The plain integer, which the author knows; no guard (RPython's `record_exact_value`). A wrong one makes
    /// wrong traces; `check_hints` finds it.
    #[inline(always)]
    pub fn assume(self, known: i64) -> i64 {
        M::assume_word(self.0, known as u64);
        known
    }

    /// The sum, or `None` on overflow (a guard).
    #[inline(always)]
    pub fn checked_add(self, other: impl Into<Int<M>>) -> Option<Int<M>> {
        M::checked(Opcode::IntAddOvf, self.0, other.into().0).map(Int)
    }

    /// The difference, or `None` on overflow (a guard).
    #[inline(always)]
    pub fn checked_sub(self, other: impl Into<Int<M>>) -> Option<Int<M>> {
        M::checked(Opcode::IntSubOvf, self.0, other.into().0).map(Int)
    }

    /// The product, or `None` on overflow (a guard).
    #[inline(always)]
    pub fn checked_mul(self, other: impl Into<Int<M>>) -> Option<Int<M>> {
        M::checked(Opcode::IntMulOvf, self.0, other.into().0).map(Int)
    }

    /// Quotient towards zero, or `None` if the divisor is zero (a guard). `i64::MIN / -1` wraps.
    #[inline(always)]
    pub fn checked_div(self, divisor: impl Into<Int<M>>) -> Option<Int<M>> {
        self.divide(Opcode::IntDiv, divisor.into())
    }

    /// Remainder of [`checked_div`](Int::checked_div), or `None` if the divisor is zero.
    #[inline(always)]
    pub fn checked_rem(self, divisor: impl Into<Int<M>>) -> Option<Int<M>> {
        self.divide(Opcode::IntRem, divisor.into())
    }

    /// Quotient towards minus infinity, or `None` if the divisor is zero.
    #[inline(always)]
    pub fn checked_div_floor(self, divisor: impl Into<Int<M>>) -> Option<Int<M>> {
        self.divide(Opcode::IntDivFloor, divisor.into())
    }

    /// Remainder with the divisor's sign, or `None` if the divisor is zero.
    #[inline(always)]
    pub fn checked_mod_floor(self, divisor: impl Into<Int<M>>) -> Option<Int<M>> {
        self.divide(Opcode::IntModFloor, divisor.into())
    }

    #[inline(always)]
    fn divide(self, op: Opcode, divisor: Int<M>) -> Option<Int<M>> {
        if divisor == 0 { None } else { Some(self.pure(op, divisor)) }
    }

    /// Shift right, filling with zeros; the count is taken modulo 64, as for `<<` and `>>`.
    #[inline(always)]
    pub fn shr_logical(self, count: impl Into<Int<M>>) -> Int<M> {
        self.pure(Opcode::IntShr, count)
    }

    /// `self == other` without a guard.
    #[inline(always)]
    pub fn is_eq(self, other: impl Into<Int<M>>) -> Bool<M> {
        self.test(Opcode::IntEq, other)
    }

    /// `self < other` without a guard.
    #[inline(always)]
    pub fn is_lt(self, other: impl Into<Int<M>>) -> Bool<M> {
        self.test(Opcode::IntLt, other)
    }

    /// `self < other` as unsigned integers, without a guard: one comparison for `0 <= i && i < length`.
    #[inline(always)]
    pub fn is_below(self, other: impl Into<Int<M>>) -> Bool<M> {
        self.test(Opcode::UintLt, other)
    }

    /// Whether it lies in `0..length` (a guard).
    #[inline(always)]
    pub fn is_index_of(self, length: impl Into<Int<M>>) -> bool {
        self.is_below(length).branch()
    }

    /// The nearest float.
    #[inline(always)]
    pub fn to_float(self) -> Float<M> {
        Float::from_word(M::pure1(Opcode::IntToFloat, self.0))
    }
}

impl<const NATIVE: bool> Int<Concrete<NATIVE>> {
    /// The integer, in residual functions.
    #[inline(always)]
    pub fn get(self) -> i64 {
        self.0 as i64
    }
}

impl<M: Mode> From<i64> for Int<M> {
    #[inline(always)]
    fn from(word: i64) -> Self {
        Int(M::constant(word as u64))
    }
}
impl<M: Mode> From<i32> for Int<M> {
    #[inline(always)]
    fn from(word: i32) -> Self {
        Int::from(word as i64)
    }
}
impl<M: Mode> From<u32> for Int<M> {
    #[inline(always)]
    fn from(word: u32) -> Self {
        Int::from(word as i64)
    }
}
impl<M: Mode> From<usize> for Int<M> {
    #[inline(always)]
    fn from(word: usize) -> Self {
        Int::from(word as i64)
    }
}

macro_rules! operators {
    ($($trait:ident $method:ident $op:ident)*) => {$(
        impl<M: Mode, T: Into<Int<M>>> $trait<T> for Int<M> {
            type Output = Int<M>;
            #[inline(always)]
            fn $method(self, other: T) -> Int<M> {
                self.pure(Opcode::$op, other)
            }
        }
    )*};
}
operators!(Add add IntAdd Sub sub IntSub Mul mul IntMul BitAnd bitand IntAnd BitOr bitor IntOr BitXor bitxor IntXor
           Shl shl IntShl Shr shr IntSar);

impl<M: Mode> Neg for Int<M> {
    type Output = Int<M>;
    #[inline(always)]
    fn neg(self) -> Int<M> {
        Int::from(0i64) - self
    }
}

impl<M: Mode> Not for Int<M> {
    type Output = Int<M>;
    #[inline(always)]
    fn not(self) -> Int<M> {
        self ^ -1i64
    }
}

impl<M: Mode, T: Into<Int<M>> + Copy> PartialEq<T> for Int<M> {
    #[inline(always)]
    fn eq(&self, other: &T) -> bool {
        self.test(Opcode::IntEq, *other).branch()
    }
    #[inline(always)]
    #[allow(clippy::partialeq_ne_impl)] // one guard of the right sense instead of a negated one
    fn ne(&self, other: &T) -> bool {
        self.test(Opcode::IntNe, *other).branch()
    }
}

impl<M: Mode, T: Into<Int<M>> + Copy> PartialOrd<T> for Int<M> {
    fn partial_cmp(&self, other: &T) -> Option<Ordering> {
        Some(if *self < *other {
            Ordering::Less
        } else if *self == *other {
            Ordering::Equal
        } else {
            Ordering::Greater
        })
    }
    // Each written out: the provided ones would make two guards.
    #[inline(always)]
    fn lt(&self, other: &T) -> bool {
        self.test(Opcode::IntLt, *other).branch()
    }
    #[inline(always)]
    fn le(&self, other: &T) -> bool {
        self.test(Opcode::IntLe, *other).branch()
    }
    #[inline(always)]
    fn gt(&self, other: &T) -> bool {
        (*other).into().test(Opcode::IntLt, *self).branch()
    }
    #[inline(always)]
    fn ge(&self, other: &T) -> bool {
        (*other).into().test(Opcode::IntLe, *self).branch()
    }
}
