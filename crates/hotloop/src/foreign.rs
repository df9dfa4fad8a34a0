//! C: calls of its functions, and memory outside the heap.
//!
//! Nothing of it can be checked: a function may be of another signature than the program says, and an address may be
//! anyone's. So all of it goes through [`Foreign`], which a [`Runtime`](crate::Runtime) hands out if its options let
//! programs leave the sandbox; whoever runs such a program vouches for what the program does.
//!
//! ```
//! use hotloop::foreign::{ForeignCall, Number, Scalar};
//! use hotloop::{Int, Options, Plain, Runtime};
//!
//! extern "C" fn half(number: i32) -> i32 {
//!     number / 2
//! }
//!
//! let runtime = Runtime::new(Options::default());
//! let foreign = runtime.foreign().expect("this is no sandbox");
//! let how = ForeignCall::new(&[Scalar::I32], Some(Scalar::I32)).expect("one argument fits");
//! let address: Int<Plain> = Int::from(half as *const () as i64);
//! let given = foreign.call(how, false, address, &[Number::Word(Int::from(-8))]);
//! assert!(matches!(given, Some(Number::Word(word)) if word.get() == -4));
//! ```

use hotloop_codegen::foreign;
use hotloop_ir::{CallDescr, CallId, Effect, Signature};

pub use hotloop_ir::Scalar;

use crate::mode::Mode;
use crate::red::{Float, Int};

/// Most signatures of calls that traces make: descriptors are kept for ever.
const MOST_SIGNATURES: usize = 2048;

/// The permission to call C and to touch its memory.
#[derive(Clone, Copy, Debug)]
pub struct Foreign(());

/// A number of C while it is in the interpreter's hands.
#[derive(Clone, Copy)]
pub enum Number<M: Mode> {
    /// An integer or an address.
    Word(Int<M>),
    /// A float, of 64 bits here whatever it is in C.
    Float(Float<M>),
}

/// How functions of C are called that take and give numbers, all in registers: a trace calls them with one
/// instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ForeignCall {
    alone: CallId,
    back: CallId,
}

impl ForeignCall {
    /// How functions of this signature are called; nothing if they take more than six words or eight floats, or if
    /// there are very many signatures already.
    pub fn new(args: &[Scalar], result: Option<Scalar>) -> Option<ForeignCall> {
        static COUNT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let signature = Signature::new(args.to_vec(), result)?;
        let name = format!("C {signature}");
        if CallId::by_name(&name).is_none()
            && COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed) >= MOST_SIGNATURES
        {
            return None;
        }
        let call = |effect, name: String| {
            let foreign = Some(signature.clone());
            let result = result.map(Scalar::ty);
            CallId::intern(CallDescr { name, address: 0, result, effect, raises: false, foreign })
        };
        let back = format!("{name}, which may call back");
        Some(ForeignCall { alone: call(Effect::Outside, name), back: call(Effect::Any, back) })
    }
}

impl Foreign {
    /// The permission, if these options give it.
    pub(crate) fn allowed(options: &crate::Options) -> Option<Foreign> {
        (!options.sandbox).then_some(Foreign(()))
    }

    /// Calls a function. `calls_back`: it may run the interpreter again, so it may change any object and
    /// look at frames; else it can't see the heap at all.
    #[inline]
    pub fn call<M: Mode>(
        self,
        how: ForeignCall,
        calls_back: bool,
        address: Int<M>,
        args: &[Number<M>],
    ) -> Option<Number<M>> {
        let call = if calls_back { how.back } else { how.alone };
        let mut words = [M::constant(0); 1 + MOST_ARGUMENTS];
        words[0] = address.word();
        for (word, arg) in words[1..].iter_mut().zip(args) {
            *word = match arg {
                Number::Word(word) => word.word(),
                Number::Float(float) => float.word(),
            };
        }
        let word = M::call_foreign(call, &words[..1 + args.len()]);
        let result = call.get().foreign.as_ref().and_then(Signature::result);
        result.map(|scalar| Number::of(scalar, word))
    }

    /// The number at an address plus an offset in bytes.
    #[inline(always)]
    pub fn load<M: Mode>(self, scalar: Scalar, address: Int<M>, offset: Int<M>) -> Number<M> {
        Number::of(scalar, M::load_raw(address.word(), offset.word(), scalar))
    }

    /// Writes a number at an address plus an offset in bytes; of an integer its lowest bytes.
    #[inline(always)]
    pub fn store<M: Mode>(self, scalar: Scalar, address: Int<M>, offset: Int<M>, value: Number<M>) {
        let word = match value {
            Number::Word(word) if scalar.is_float() => word.to_float().word(),
            Number::Float(float) if !scalar.is_float() => float.to_int().word(),
            Number::Word(word) => word.word(),
            Number::Float(float) => float.word(),
        };
        M::store_raw(address.word(), offset.word(), scalar, word);
    }
}

/// Words and floats in registers.
const MOST_ARGUMENTS: usize = hotloop_ir::foreign::WORD_ARGUMENTS + hotloop_ir::foreign::FLOAT_ARGUMENTS;

impl<M: Mode> Number<M> {
    #[inline(always)]
    fn of(scalar: Scalar, word: M::Word) -> Number<M> {
        if scalar.is_float() {
            Number::Float(Float::from_word(word))
        } else {
            Number::Word(Int::from_word(word))
        }
    }
}

/// Calls a function of C for plain execution and while recording: its address is the first word.
pub(crate) fn call(call: CallId, words: &[u64]) -> u64 {
    let signature = call.get().foreign.as_ref();
    let Some((signature, (address, args))) = signature.zip(words.split_first()) else {
        unreachable!("a call of C has a signature and an address")
    };
    assert_eq!(args.len(), signature.args().len(), "a call of {signature}");
    // SAFETY: the call came through `Foreign`: whoever gave the permission vouches for the program's words.
    unsafe { foreign::call(signature, *address, args.iter().copied()) }
}

#[inline(always)]
pub(crate) fn load(address: u64, scalar: Scalar) -> u64 {
    // SAFETY: as for `call`.
    unsafe { foreign::load(address, scalar) }
}

#[inline(always)]
pub(crate) fn store(address: u64, scalar: Scalar, word: u64) {
    // SAFETY: as for `call`.
    unsafe { foreign::store(address, scalar, word) }
}
