//! Green values: plain, immutable Rust, known while compiling.

use std::fmt;
use std::ops::Deref;

/// Plain Rust that can't change under a trace: integers, booleans, enums and tuples of green values,
/// references to immutable data. Derive it with `#[derive(Green)]` on a `Copy` type whose fields are green.
pub trait Green: Copy + PartialEq + fmt::Debug + 'static {}

/// A green value that fits a machine word, so that it can be kept in red memory (`Green<T>` fields) and be
/// handed to residual functions.
pub trait GreenWord: Green {
    /// As a word.
    fn to_word(self) -> u64;
    /// Back again. Called with words that [`to_word`](GreenWord::to_word) gave, and with 0 for a field that
    /// was never set.
    fn from_word(word: u64) -> Self;
}

macro_rules! integers {
    ($($ty:ty)*) => {$(
        impl Green for $ty {}
        impl GreenWord for $ty {
            #[inline(always)]
            fn to_word(self) -> u64 { self as u64 }
            #[inline(always)]
            fn from_word(word: u64) -> $ty { word as $ty }
        }
    )*};
}
integers!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize);

impl Green for bool {}
impl GreenWord for bool {
    #[inline(always)]
    fn to_word(self) -> u64 {
        self as u64
    }
    #[inline(always)]
    fn from_word(word: u64) -> bool {
        word != 0
    }
}
impl Green for () {}
impl<A: Green> Green for Option<A> {}
impl<A: Green, B: Green> Green for (A, B) {}
impl<A: Green, B: Green, C: Green> Green for (A, B, C) {}
impl Green for &'static str {}

/// A reference to immutable data that lives as long as the process, compared by address: code objects,
/// tables. What it refers to must not change in a way a trace could see (loop counters are fine).
pub struct GreenRef<T: 'static>(&'static T);

impl<T> GreenRef<T> {
    /// Makes it.
    pub fn new(target: &'static T) -> GreenRef<T> {
        GreenRef(target)
    }

    /// The reference.
    #[inline(always)]
    pub fn get(self) -> &'static T {
        self.0
    }
}

impl<T> Clone for GreenRef<T> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for GreenRef<T> {}
impl<T> PartialEq for GreenRef<T> {
    #[inline(always)]
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}
impl<T> Eq for GreenRef<T> {}
impl<T> fmt::Debug for GreenRef<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:p}", self.0)
    }
}
impl<T> Deref for GreenRef<T> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        self.0
    }
}
impl<T> Green for GreenRef<T> {}
impl<T> GreenWord for GreenRef<T> {
    #[inline(always)]
    fn to_word(self) -> u64 {
        self.0 as *const T as u64
    }
    #[inline(always)]
    fn from_word(word: u64) -> Self {
        assert!(word != 0, "a green reference was read before it was set");
        // SAFETY: green words are only made by `to_word`, from a reference that lives for ever; a field
        // of this type is only reachable through the accessors that `#[heap_type]` makes for this type.
        GreenRef(unsafe { &*(word as *const T) })
    }
}
