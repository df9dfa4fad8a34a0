//! Residual functions: plain Rust over concrete values, called from traces (`#[residual]`, `#[elidable]`).

use std::sync::OnceLock;

use hotloop_ir::{CallDescr, CallId, Effect, FieldKind, Opcode, Ty};

use crate::mode::Mode;
use crate::red::{Float, Int, Value};
use crate::watch;

/// What a residual function's machine entry answers, in `rax` and `rdx`.
#[doc(hidden)]
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    pub value: u64,
    pub raised: u64,
}

/// What is asked of a function that several functions call.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum Asked<W> {
    /// To be called.
    Call,
    /// Nothing: the author says what it answers.
    Known(W),
    /// To be called if the word is not 0.
    If(W),
    /// To be called if the word is 0.
    Unless(W),
}

/// An exception on its way: the language's exception value.
#[derive(Clone, Copy)]
pub struct Raise<M: Mode>(pub Value<M>);

/// What a residual function may return: a red value, `bool`, `()`, or a `Result` of one and [`Raise`].
#[doc(hidden)]
pub trait Answer<M: Mode>: Sized {
    const RAISES: bool;
    const RESULT: Option<FieldKind>;
    fn from_words(value: M::Word, raised: M::Word) -> Self;
    fn into_words(self) -> (M::Word, M::Word);
}

/// An answer that is stored in one word.
#[doc(hidden)]
#[macro_export]
macro_rules! stored_answer {
    ($mode:ident, $ty:ty $(, $bound:ident)*) => {
        impl<$mode: $crate::Mode $(, $bound: $crate::HeapType<$mode> + $crate::internal::Stored<$mode>)*>
            $crate::internal::Answer<$mode> for $ty
        {
            const RAISES: bool = false;
            const RESULT: Option<$crate::internal::FieldKind> =
                Some(<$ty as $crate::internal::Stored<$mode>>::KIND);
            #[inline(always)]
            fn from_words(value: $mode::Word, _raised: $mode::Word) -> Self {
                <$ty as $crate::internal::Stored<$mode>>::from_red(value)
            }
            #[inline(always)]
            fn into_words(self) -> ($mode::Word, $mode::Word) {
                (<$ty as $crate::internal::Stored<$mode>>::into_red(self), $mode::constant(0))
            }
        }
    };
}
stored_answer!(M, Int<M>);
stored_answer!(M, Float<M>);
stored_answer!(M, Value<M>);
stored_answer!(M, Option<T>, T);

impl<M: Mode> Answer<M> for () {
    const RAISES: bool = false;
    const RESULT: Option<FieldKind> = None;
    #[inline(always)]
    fn from_words(_value: M::Word, _raised: M::Word) -> Self {}
    #[inline(always)]
    fn into_words(self) -> (M::Word, M::Word) {
        (M::constant(0), M::constant(0))
    }
}

impl<M: Mode> Answer<M> for bool {
    const RAISES: bool = false;
    const RESULT: Option<FieldKind> = Some(FieldKind::Int);
    #[inline(always)]
    fn from_words(value: M::Word, _raised: M::Word) -> Self {
        M::branch(value)
    }
    #[inline(always)]
    fn into_words(self) -> (M::Word, M::Word) {
        (M::constant(self as u64), M::constant(0))
    }
}

impl<M: Mode, T: Answer<M>> Answer<M> for Result<T, Raise<M>> {
    const RAISES: bool = true;
    // A raised value travels in the same word as a result.
    const RESULT: Option<FieldKind> = match T::RESULT {
        None => Some(FieldKind::Value),
        some => some,
    };
    #[inline(always)]
    fn from_words(value: M::Word, raised: M::Word) -> Self {
        if M::branch(raised) {
            let word = match T::RESULT.map(FieldKind::ty) {
                Some(Ty::Ref) => M::pure1(Opcode::RefToInt, value),
                Some(Ty::Float) => M::pure1(Opcode::FloatToBits, value),
                _ => value,
            };
            Err(Raise(Value::from_word(word)))
        } else {
            Ok(T::from_words(value, M::constant(0)))
        }
    }
    #[inline(always)]
    fn into_words(self) -> (M::Word, M::Word) {
        match self {
            Ok(result) => result.into_words(),
            Err(Raise(value)) => (value.word(), M::constant(1)),
        }
    }
}

/// A residual function's entry in the process's table, made at first use.
#[doc(hidden)]
#[derive(Debug)]
pub struct CallCell {
    name: &'static str,
    effect: Effect,
    raises: bool,
    result: Option<FieldKind>,
    address: fn() -> usize,
    /// It reads and writes places that are its own affair.
    caches: bool,
    id: OnceLock<CallId>,
}

impl CallCell {
    pub const fn new(
        name: &'static str,
        effect: Effect,
        raises: bool,
        result: Option<FieldKind>,
        address: fn() -> usize,
        caches: bool,
    ) -> CallCell {
        CallCell { name, effect, raises, result, address, caches, id: OnceLock::new() }
    }

    /// What its machine entry does; held against its promises while hints are checked.
    #[inline(always)]
    pub fn run<const N: usize>(&'static self, args: [u64; N], body: impl Fn([u64; N]) -> Outcome) -> Outcome {
        if hotloop_record::anyone_checks() { watch::run(self, &args, &|| body(args)) } else { body(args) }
    }

    pub(crate) fn effect(&self) -> Effect {
        self.effect
    }

    pub(crate) fn caches(&self) -> bool {
        self.caches
    }

    /// Calls its machine entry; `None` with more arguments than anyone needs.
    pub(crate) fn call(&self, args: &[u64]) -> Option<Outcome> {
        type Entry0 = extern "C" fn() -> Outcome;
        type Entry1 = extern "C" fn(u64) -> Outcome;
        type Entry2 = extern "C" fn(u64, u64) -> Outcome;
        type Entry3 = extern "C" fn(u64, u64, u64) -> Outcome;
        type Entry4 = extern "C" fn(u64, u64, u64, u64) -> Outcome;
        let address = (self.address)();
        // SAFETY: that is the address of the function that the attribute made for so many words.
        unsafe {
            Some(match *args {
                [] => std::mem::transmute::<usize, Entry0>(address)(),
                [a] => std::mem::transmute::<usize, Entry1>(address)(a),
                [a, b] => std::mem::transmute::<usize, Entry2>(address)(a, b),
                [a, b, c] => std::mem::transmute::<usize, Entry3>(address)(a, b, c),
                [a, b, c, d] => std::mem::transmute::<usize, Entry4>(address)(a, b, c, d),
                _ => return None,
            })
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn kind(&self) -> Option<FieldKind> {
        self.result
    }

    pub fn id(&self) -> CallId {
        *self.id.get_or_init(|| {
            let result = self.result.map(FieldKind::ty);
            CallId::intern(CallDescr {
                name: self.name.to_string(),
                address: (self.address)(),
                result,
                effect: self.effect,
                raises: self.raises,
                foreign: None,
            })
        })
    }
}
