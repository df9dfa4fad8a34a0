//! A red boolean, where no guard is wanted.

use hotloop_ir::Opcode;

use super::{Int, Value};
use crate::mode::Mode;

/// A truth value that has not become control flow. `if` needs [`Bool::branch`], which is a guard; the
/// methods here need none.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Bool<M: Mode>(M::Word);

impl<M: Mode> Bool<M> {
    #[inline(always)]
    pub(crate) fn from_word(word: M::Word) -> Self {
        Bool(word)
    }

    /// Control flow: a guard in the trace.
    #[inline(always)]
    pub fn branch(self) -> bool {
        M::branch(self.0)
    }

    /// How the condition comes out, which the author knows; no guard. A wrong one makes wrong traces;
    /// `check_hints` finds it.
    #[inline(always)]
    pub fn assume(self, known: bool) -> bool {
        M::assume_word(self.0, known.into());
        known
    }

    /// One of two integers, without a guard.
    #[inline(always)]
    pub fn select(self, yes: impl Into<Int<M>>, no: impl Into<Int<M>>) -> Int<M> {
        Int::from_word(M::select(self.0, yes.into().word(), no.into().word()))
    }

    /// One of two values, without a guard.
    #[inline(always)]
    pub fn select_value(self, yes: Value<M>, no: Value<M>) -> Value<M> {
        Value::from_word(M::select(self.0, yes.word(), no.word()))
    }

    /// 1 or 0.
    #[inline(always)]
    pub fn to_int(self) -> Int<M> {
        Int::from_word(self.0)
    }
}

impl<M: Mode> std::ops::Not for Bool<M> {
    type Output = Bool<M>;
    #[inline(always)]
    fn not(self) -> Bool<M> {
        Bool(M::pure2(Opcode::IntEq, self.0, M::constant(0)))
    }
}

impl<M: Mode> std::ops::BitAnd for Bool<M> {
    type Output = Bool<M>;
    #[inline(always)]
    fn bitand(self, other: Bool<M>) -> Bool<M> {
        Bool(M::pure2(Opcode::IntAnd, self.0, other.0))
    }
}

impl<M: Mode> std::ops::BitOr for Bool<M> {
    type Output = Bool<M>;
    #[inline(always)]
    fn bitor(self, other: Bool<M>) -> Bool<M> {
        Bool(M::pure2(Opcode::IntOr, self.0, other.0))
    }
}
