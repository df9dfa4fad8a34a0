//! A language value in one word.
//!
//! ```text
//! low 3 bits   what                                         word
//! 000          small integer, 61 bits                       integer << 3
//! 010          reference to a heap object                   address + 2
//! 100          special constant (null, true, …), 0..2^60    number << 3 | 4
//! 1, 5, 6      float near 0 or in 2^-255..2^256             self-tagged (see hotloop_ir::pure)
//! ```
//! Other floats are boxed.

use std::fmt;
use std::marker::PhantomData;

use hotloop_ir::{Opcode, Ty};

use super::{Bool, Float, Int, Small};
use crate::Plain;
use crate::boxed::BoxedFloat;
use crate::heap::{HeapType, Stored, ThreadBound};
use crate::mode::{Concrete, Direct, FloatIn, Mode};
use crate::runtime::Runtime;

/// A tagged language value known at run time.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Value<M: Mode>(M::Word, ThreadBound);

const TAG: u64 = 7;
const REFERENCE: u64 = 2;
const SPECIAL: u64 = 4;

impl<M: Mode> Value<M> {
    #[inline(always)]
    #[doc(hidden)]
    pub fn from_word(word: M::Word) -> Self {
        Value(word, ThreadBound::default())
    }
    #[inline(always)]
    #[doc(hidden)]
    pub fn word(self) -> M::Word {
        self.0
    }
    #[inline(always)]
    fn has_tag(self, tag: u64) -> bool {
        let bits = M::pure2(Opcode::IntAnd, self.0, M::constant(TAG));
        M::branch(M::pure2(Opcode::IntEq, bits, M::constant(tag)))
    }

    /// The special constant with this number: what a language uses for null, true, false.
    #[inline(always)]
    pub fn special(number: u32) -> Value<M> {
        Value::from_word(M::constant((number as u64) << 3 | SPECIAL))
    }

    /// The word that a fresh field or item holds: the small integer 0.
    #[inline(always)]
    pub fn zero() -> Value<M> {
        Value::from_word(M::constant(0))
    }

    /// A small integer known while compiling. Panics if it has more than 61 bits.
    #[inline(always)]
    pub fn small(integer: i64) -> Value<M> {
        assert!(integer << 3 >> 3 == integer, "not a small integer");
        Value::from_word(M::constant((integer << 3) as u64))
    }

    /// Whether it is a small integer (a guard).
    #[inline(always)]
    pub fn is_small(self) -> bool {
        self.has_tag(0)
    }

    /// Both at once, with one guard.
    #[inline(always)]
    pub fn both_small(self, other: Value<M>) -> Option<(Small<M>, Small<M>)> {
        let either = M::pure2(Opcode::IntOr, self.0, other.0);
        if Value::<M>::from_word(either).has_tag(0) {
            Some((Small::from_word(self.0), Small::from_word(other.0)))
        } else {
            None
        }
    }

    /// The small integer in it (a guard).
    #[inline(always)]
    pub fn as_small(self) -> Option<Small<M>> {
        if self.is_small() { Some(Small::from_word(self.0)) } else { None }
    }

    /// The small integer in it as an [`Int`] (a guard).
    #[inline(always)]
    pub fn as_int(self) -> Option<Int<M>> {
        self.as_small().map(Small::to_int)
    }

    /// An integer as a value; `None` if it has more than 61 bits (a guard).
    #[inline(always)]
    pub fn from_int(integer: Int<M>) -> Option<Value<M>> {
        Small::from_int(integer).map(Small::to_value)
    }

    /// Whether it is this very word: same small integer, same object, same special constant (a guard).
    #[inline(always)]
    pub fn is_same(self, other: Value<M>) -> bool {
        self.is_same_word(other).branch()
    }

    /// [`is_same`](Value::is_same) without a guard.
    #[inline(always)]
    pub fn is_same_word(self, other: Value<M>) -> Bool<M> {
        Bool::from_word(M::pure2(Opcode::IntEq, self.0, other.0))
    }

    /// Whether it is the special constant with this number (a guard).
    #[inline(always)]
    pub fn is_special(self, number: u32) -> bool {
        self.is_same(Value::special(number))
    }

    /// Whether it is any special constant (a guard).
    #[inline(always)]
    pub fn is_any_special(self) -> bool {
        self.has_tag(SPECIAL)
    }

    /// Whether it refers to a heap object (a guard). Boxed floats do.
    #[inline(always)]
    pub fn is_reference(self) -> bool {
        self.has_tag(REFERENCE)
    }

    /// The object, if the value refers to one of that type (guards).
    #[inline(always)]
    pub fn cast<T: HeapType<M>>(self) -> Option<T> {
        if !self.is_reference() {
            return None;
        }
        let object = M::pure1(Opcode::ValueToRef, self.0);
        if M::is_type(object, T::cell()) { Some(T::from_word(object)) } else { None }
    }

    /// Whether it refers to an object of that type (guards).
    #[inline(always)]
    pub fn is<T: HeapType<M>>(self) -> bool {
        self.cast::<T>().is_some()
    }

    /// A reference as a value.
    #[inline(always)]
    pub fn from_object<T: HeapType<M> + Stored<M>>(object: T) -> Value<M> {
        Value::from_word(M::pure1(Opcode::RefToValue, object.stored()))
    }

    /// The float in it, immediate or boxed (guards).
    #[inline(always)]
    pub fn as_float(self) -> Option<Float<M>> {
        match M::find_float(self.0, <BoxedFloat<M> as HeapType<M>>::cell()) {
            FloatIn::Here(float) => Some(Float::from_word(float)),
            FloatIn::Object(object) => Some(<BoxedFloat<M> as HeapType<M>>::from_word(object).float()),
            FloatIn::Nowhere => None,
        }
    }

    /// A float as a value: immediate if it fits, else boxed (no guard). Which of two boxes with the same float
    /// it is can't be relied on.
    #[inline(always)]
    pub fn from_float(runtime: &Runtime, float: Float<M>) -> Value<M> {
        let boxed = |bits| {
            let float = Float::<Direct>::from_word(bits);
            Value::<Direct>::from_object(BoxedFloat::new(runtime, float)).word()
        };
        Value::from_word(M::box_float(float.word(), <BoxedFloat<M> as HeapType<M>>::cell(), boxed))
    }

    /// The value as a constant of the trace; a guard that it stays this very word.
    #[inline(always)]
    pub fn promote(self) -> Value<M> {
        Value::from_word(M::constant(M::promote(self.0, Ty::Int)))
    }

    /// Whether it is known while compiling (never in plain execution). Ways chosen by it must come to the
    /// same result.
    #[inline(always)]
    pub fn is_constant(self) -> bool {
        M::is_constant(self.0)
    }

    /// Whether it refers to an object that was made in this trace and that nobody else can reach yet (never
    /// in plain execution). Ways chosen by it must come to the same result.
    #[inline(always)]
    pub fn is_virtual(self) -> bool {
        M::is_virtual(self.0)
    }

    /// The object of type `T` that the author knows it to refer to; no guard (RPython's
    /// `record_exact_class`). `check_hints` finds wrong ones.
    ///
    /// # Safety
    /// The value refers to an object of type `T`.
    #[inline(always)]
    pub unsafe fn assume<T: HeapType<M>>(self) -> T {
        let object = M::pure1(Opcode::ValueToRef, self.0);
        M::assume_type(object, T::cell());
        T::from_word(object)
    }
}

impl<const NATIVE: bool> Value<Concrete<NATIVE>> {
    /// The raw word, in residual functions: for hashing by identity and the like.
    #[inline(always)]
    pub fn raw(self) -> u64 {
        self.0
    }
}

/// A value known while compiling: made by [`Runtime::constant`], kept alive for ever, green.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConstValue(pub(crate) u64);

impl ConstValue {
    /// As a red value of any mode.
    #[inline(always)]
    pub fn value<M: Mode>(self) -> Value<M> {
        Value::from_word(M::constant(self.0))
    }
}
impl crate::green::Green for ConstValue {}

/// An object of type `T` (in mode `Plain`) known while compiling: made by [`Runtime::constant_object`], kept alive for
/// ever. Nobody asks for its type again.
///
/// ```
/// use hotloop::prelude::*;
///
/// #[heap_type]
/// struct Cell {
///     value: Value,
/// }
///
/// fn read<M: Mode>(cell: ConstObject<Cell<Plain>>) -> Value<M> {
///     cell.get::<M, Cell<M>>().value()
/// }
///
/// let runtime = Runtime::new(Options::default());
/// let cell = runtime.constant_object(Cell::<Plain>::new(&runtime, Value::small(7)));
/// assert_eq!(read::<Plain>(cell).raw(), Value::<Plain>::small(7).raw());
/// ```
pub struct ConstObject<T> {
    object: u64,
    ty: PhantomData<T>,
}

impl<T: HeapType<Plain>> ConstObject<T> {
    pub(crate) fn new(object: T) -> ConstObject<T> {
        ConstObject { object: object.word(), ty: PhantomData }
    }

    /// In any mode; `U` is the same type there.
    #[inline(always)]
    pub fn get<M: Mode, U: HeapType<M>>(self) -> U {
        assert!(std::ptr::eq(T::cell(), U::cell()), "a constant object is of its own type in all modes");
        U::from_word(M::constant(self.object))
    }
}

impl<T> Clone for ConstObject<T> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for ConstObject<T> {}
impl<T> fmt::Debug for ConstObject<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:#x}", self.object)
    }
}
