//! A small integer, kept shifted: additions, comparisons and overflow checks work on the tagged word
//! itself, because the tag of small integers is zero.

use std::cmp::Ordering;

use hotloop_ir::Opcode;

use super::{Bool, Int, Value};
use crate::mode::Mode;

/// A tagged value known to be a small integer (61 bits).
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Small<M: Mode>(M::Word);

impl<M: Mode> Small<M> {
    #[inline(always)]
    pub(crate) fn from_word(word: M::Word) -> Self {
        Small(word)
    }
    #[inline(always)]
    fn pure(self, op: Opcode, other: M::Word) -> M::Word {
        M::pure2(op, self.0, other)
    }
    #[inline(always)]
    fn test(self, op: Opcode, other: Small<M>) -> bool {
        M::branch(self.pure(op, other.0))
    }
    #[inline(always)]
    fn checked(self, op: Opcode, other: M::Word) -> Option<Small<M>> {
        M::checked(op, self.0, other).map(Small)
    }

    /// A small integer known while compiling. Panics if it has more than 61 bits.
    #[inline(always)]
    pub fn constant(integer: i64) -> Small<M> {
        Small(Value::<M>::small(integer).word())
    }

    /// The integer as a small one; `None` if it has more than 61 bits (a guard).
    #[inline(always)]
    pub fn from_int(integer: Int<M>) -> Option<Small<M>> {
        let shifted = M::pure2(Opcode::IntShl, integer.word(), M::constant(3));
        let back = M::pure2(Opcode::IntSar, shifted, M::constant(3));
        if M::branch(M::pure2(Opcode::IntEq, back, integer.word())) { Some(Small(shifted)) } else { None }
    }

    /// The integer as a small one, which the author knows it to be; no guard. If it has more than 61 bits, the upper ones
    /// are lost or traces are wrong; `check_hints` finds it.
    #[inline(always)]
    pub fn assume(integer: Int<M>) -> Small<M> {
        let [least, most] = [i64::MIN >> 3, i64::MAX >> 3].map(|end| M::constant(end as u64));
        Bool::<M>::from_word(M::pure2(Opcode::IntLe, least, integer.word())).assume(true);
        Bool::<M>::from_word(M::pure2(Opcode::IntLe, integer.word(), most)).assume(true);
        Small(M::pure2(Opcode::IntShl, integer.word(), M::constant(3)))
    }

    /// The tagged value.
    #[inline(always)]
    pub fn to_value(self) -> Value<M> {
        Value::from_word(self.0)
    }

    /// The integer.
    #[inline(always)]
    pub fn to_int(self) -> Int<M> {
        Int::from_word(self.pure(Opcode::IntSar, M::constant(3)))
    }

    /// The plain integer; a guard that it stays the same.
    #[inline(always)]
    pub fn promote(self) -> i64 {
        M::promote(self.0, hotloop_ir::Ty::Int) as i64 >> 3
    }

    /// The sum; `None` if it is no small integer (a guard).
    #[inline(always)]
    pub fn checked_add(self, other: Small<M>) -> Option<Small<M>> {
        self.checked(Opcode::IntAddOvf, other.0)
    }

    /// The difference; `None` if it is no small integer (a guard).
    #[inline(always)]
    pub fn checked_sub(self, other: Small<M>) -> Option<Small<M>> {
        self.checked(Opcode::IntSubOvf, other.0)
    }

    /// The product; `None` if it is no small integer (a guard).
    #[inline(always)]
    pub fn checked_mul(self, other: Small<M>) -> Option<Small<M>> {
        let integer = self.to_int();
        M::checked(Opcode::IntMulOvf, integer.word(), other.0).map(Small)
    }

    /// Minus this; `None` if it is no small integer (a guard).
    #[inline(always)]
    pub fn checked_neg(self) -> Option<Small<M>> {
        Small(M::constant(0)).checked_sub(self)
    }

    /// Quotient towards minus infinity; `None` if the divisor is zero or the result no small integer.
    #[inline(always)]
    pub fn checked_div_floor(self, divisor: Small<M>) -> Option<Small<M>> {
        if divisor == Small::constant(0) {
            return None;
        }
        // Quotients of the shifted words are those of the integers.
        Small::from_int(Int::from_word(self.pure(Opcode::IntDivFloor, divisor.0)))
    }

    /// Remainder with the divisor's sign; `None` if the divisor is zero.
    #[inline(always)]
    pub fn checked_mod_floor(self, divisor: Small<M>) -> Option<Small<M>> {
        if divisor == Small::constant(0) {
            return None;
        }
        Some(Small(self.pure(Opcode::IntModFloor, divisor.0)))
    }

    /// Bitwise and.
    #[inline(always)]
    pub fn and(self, other: Small<M>) -> Small<M> {
        Small(self.pure(Opcode::IntAnd, other.0))
    }

    /// Bitwise or.
    #[inline(always)]
    pub fn or(self, other: Small<M>) -> Small<M> {
        Small(self.pure(Opcode::IntOr, other.0))
    }

    /// Bitwise exclusive or.
    #[inline(always)]
    pub fn xor(self, other: Small<M>) -> Small<M> {
        Small(self.pure(Opcode::IntXor, other.0))
    }

    /// `self < other` without a guard.
    #[inline(always)]
    pub fn is_lt(self, other: Small<M>) -> Bool<M> {
        Bool::from_word(self.pure(Opcode::IntLt, other.0))
    }

    /// `self == other` without a guard.
    #[inline(always)]
    pub fn is_eq(self, other: Small<M>) -> Bool<M> {
        Bool::from_word(self.pure(Opcode::IntEq, other.0))
    }
}

impl<M: Mode> PartialEq for Small<M> {
    #[inline(always)]
    fn eq(&self, other: &Self) -> bool {
        self.test(Opcode::IntEq, *other)
    }
    #[inline(always)]
    #[allow(clippy::partialeq_ne_impl)] // one guard of the right sense instead of a negated one
    fn ne(&self, other: &Self) -> bool {
        self.test(Opcode::IntNe, *other)
    }
}

impl<M: Mode> PartialOrd for Small<M> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.to_int().partial_cmp(&other.to_int())
    }
    #[inline(always)]
    fn lt(&self, other: &Self) -> bool {
        self.test(Opcode::IntLt, *other)
    }
    #[inline(always)]
    fn le(&self, other: &Self) -> bool {
        self.test(Opcode::IntLe, *other)
    }
    #[inline(always)]
    fn gt(&self, other: &Self) -> bool {
        other.test(Opcode::IntLt, *self)
    }
    #[inline(always)]
    fn ge(&self, other: &Self) -> bool {
        other.test(Opcode::IntLe, *self)
    }
}
