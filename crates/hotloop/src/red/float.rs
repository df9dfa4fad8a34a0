//! A red 64-bit float.

use std::cmp::Ordering;
use std::ops::{Add, Div, Mul, Neg, Sub};

use hotloop_ir::{Opcode, Ty};

use super::{Bool, Int};
use crate::mode::{Concrete, Mode};

/// A 64-bit float known at run time. Comparisons give a plain `bool` and record a guard; with a NaN all but
/// `!=` are false.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Float<M: Mode>(M::Word);

impl<M: Mode> Float<M> {
    #[inline(always)]
    pub(crate) fn from_word(word: M::Word) -> Self {
        Float(word)
    }
    #[inline(always)]
    pub(crate) fn word(self) -> M::Word {
        self.0
    }
    #[inline(always)]
    fn pure(self, op: Opcode, other: impl Into<Float<M>>) -> Float<M> {
        Float(M::pure2(op, self.0, other.into().0))
    }
    #[inline(always)]
    fn test(self, op: Opcode, other: impl Into<Float<M>>) -> Bool<M> {
        Bool::from_word(self.pure(op, other).0)
    }

    /// The plain float; a guard that its bits stay the same.
    #[inline(always)]
    pub fn promote(self) -> f64 {
        f64::from_bits(M::promote(self.0, Ty::Float))
    }

    /// The magnitude.
    #[inline(always)]
    pub fn abs(self) -> Float<M> {
        Float(M::pure1(Opcode::FloatAbs, self.0))
    }

    /// The square root.
    #[inline(always)]
    pub fn sqrt(self) -> Float<M> {
        Float(M::pure1(Opcode::FloatSqrt, self.0))
    }

    /// Towards zero, saturating; NaN gives 0.
    #[inline(always)]
    pub fn to_int(self) -> Int<M> {
        Int::from_word(M::pure1(Opcode::FloatToInt, self.0))
    }

    /// The bits.
    #[inline(always)]
    pub fn to_bits(self) -> Int<M> {
        Int::from_word(M::pure1(Opcode::FloatToBits, self.0))
    }

    /// The float with these bits.
    #[inline(always)]
    pub fn from_bits(bits: Int<M>) -> Float<M> {
        Float(M::pure1(Opcode::BitsToFloat, bits.word()))
    }

    /// `self < other` without a guard.
    #[inline(always)]
    pub fn is_lt(self, other: impl Into<Float<M>>) -> Bool<M> {
        self.test(Opcode::FloatLt, other)
    }
}

impl<const NATIVE: bool> Float<Concrete<NATIVE>> {
    /// The float, in residual functions.
    #[inline(always)]
    pub fn get(self) -> f64 {
        f64::from_bits(self.0)
    }
}

impl<M: Mode> From<f64> for Float<M> {
    #[inline(always)]
    fn from(float: f64) -> Self {
        Float(M::constant(float.to_bits()))
    }
}

macro_rules! operators {
    ($($trait:ident $method:ident $op:ident)*) => {$(
        impl<M: Mode, T: Into<Float<M>>> $trait<T> for Float<M> {
            type Output = Float<M>;
            #[inline(always)]
            fn $method(self, other: T) -> Float<M> {
                self.pure(Opcode::$op, other)
            }
        }
    )*};
}
operators!(Add add FloatAdd Sub sub FloatSub Mul mul FloatMul Div div FloatDiv);

impl<M: Mode> Neg for Float<M> {
    type Output = Float<M>;
    #[inline(always)]
    fn neg(self) -> Float<M> {
        Float(M::pure1(Opcode::FloatNeg, self.0))
    }
}

impl<M: Mode, T: Into<Float<M>> + Copy> PartialEq<T> for Float<M> {
    #[inline(always)]
    fn eq(&self, other: &T) -> bool {
        self.test(Opcode::FloatEq, *other).branch()
    }
}

impl<M: Mode, T: Into<Float<M>> + Copy> PartialOrd<T> for Float<M> {
    fn partial_cmp(&self, other: &T) -> Option<Ordering> {
        if *self < *other {
            Some(Ordering::Less)
        } else if *self == *other {
            Some(Ordering::Equal)
        } else if *self > *other {
            Some(Ordering::Greater)
        } else {
            None
        }
    }
    #[inline(always)]
    fn lt(&self, other: &T) -> bool {
        self.test(Opcode::FloatLt, *other).branch()
    }
    #[inline(always)]
    fn le(&self, other: &T) -> bool {
        self.test(Opcode::FloatLe, *other).branch()
    }
    #[inline(always)]
    fn gt(&self, other: &T) -> bool {
        (*other).into().test(Opcode::FloatLt, *self).branch()
    }
    #[inline(always)]
    fn ge(&self, other: &T) -> bool {
        (*other).into().test(Opcode::FloatLe, *self).branch()
    }
}
