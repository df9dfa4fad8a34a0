//! A meta-tracing JIT toolkit: you write an interpreter in ordinary Rust, hotloop traces *that interpreter*
//! while it runs a user's program and compiles what is hot.
//!
//! Binding times are types. An [`Interpreter`] is generic over a [`Mode`]; what is known only at run time is
//! a *red* type ([`Int`], [`Float`], [`Value`], heap types), what is known while compiling is *green*: plain
//! Rust. An interpreter that would bake a run-time value into a trace does not compile.
//!
//! [`Vm`] owns the dispatch loop, the counters and the traces.
//!
//! An interpreter for a machine with one register and three instructions; the loop is traced and compiled:
//!
//! ```
//! use hotloop::prelude::*;
//!
//! #[derive(Clone, Copy, PartialEq, Debug)]
//! enum Op { Add(i64), JumpIfBelow { limit: i64, target: u32 }, Halt }
//!
//! #[derive(Clone, Copy, PartialEq, Debug, Green)]
//! struct Pc(u32);                                  // green: which instruction
//!
//! #[derive(State)]
//! struct Machine<M: Mode> { register: Int<M> }     // red: known when the program runs
//!
//! struct Toy { runtime: Runtime, program: Vec<Op>, cells: Vec<LoopCell> }
//!
//! impl Interpreter for Toy {
//!     type Pc = Pc;
//!     type State<M: Mode> = Machine<M>;
//!
//!     fn runtime(&self) -> &Runtime { &self.runtime }
//!
//!     #[inline(always)]
//!     fn step<M: Mode>(&self, Pc(at): Pc, state: &mut Machine<M>) -> Step<Pc> {
//!         match self.program[at as usize] {
//!             Op::Add(n) => state.register = state.register + n,
//!             Op::JumpIfBelow { limit, target } => {
//!                 if state.register < limit {      // a plain `bool`, and a guard in the trace
//!                     return Step::Loop(Pc(target));
//!                 }
//!             }
//!             Op::Halt => return Step::Done,
//!         }
//!         Step::Next(Pc(at + 1))
//!     }
//!
//!     fn loop_cell(&self, Pc(at): Pc) -> &LoopCell { &self.cells[at as usize] }
//!     fn interrupt(&self, _: Pc, _: &mut Machine<Plain>, _: Interrupt) -> bool { false }
//! }
//!
//! let program = vec![Op::Add(3), Op::JumpIfBelow { limit: 1_000_000, target: 0 }, Op::Halt];
//! let cells = program.iter().map(|_| LoopCell::default()).collect();
//! let toy = Toy { runtime: Runtime::new(Options::default()), program, cells };
//! let vm = Vm::new(&toy);
//! let end = vm.run(Pc(0), Machine { register: Int::from(0) });
//! assert_eq!(end.register.get(), 1_000_002);
//! assert_eq!(vm.summary().loops, 1);
//! ```
#![warn(missing_docs)]

extern crate self as hotloop;

mod boxed;
#[cfg(doctest)]
mod compile_fail;
mod driver;
pub mod foreign;
mod frames;
mod green;
mod heap;
mod hooks;
mod interpreter;
mod mode;
mod red;
mod residual;
mod runtime;
mod watch;

pub use boxed::BoxedFloat;
pub use driver::{Left, LoopCell, NoStack, Stacks, Summary, Vm};
pub use green::{Green, GreenRef, GreenWord};
pub use heap::{HeapArray, HeapType};
pub use hooks::{AbortInfo, ExitInfo, JitHooks, TraceInfo, TraceKind};
pub use interpreter::{Interpreter, Interrupt, RedState, Step};
pub use mode::Mode;
pub use red::{Bool, ConstObject, ConstValue, Float, Int, Small, Value};
pub use residual::Raise;
pub use runtime::{Interrupter, JitOptions, Options, OptionsError, Runtime};

/// The mode of concrete values: in residual functions and when a program is started.
pub type Plain = mode::Concrete<true>;

pub use hotloop_gc::Plan;
pub use hotloop_ir::Live;
/// Declares a type of objects in the heap, generic over the mode, with a getter and a setter for each field.
///
/// Fields are [`Int`], [`Float`], [`Value`], other heap types, `Option`s of these, `Green<T>` of a [`GreenWord`], and
/// last an array part `[T]`, whose items may also be bytes (`[Byte]`). `#[heap_type(virtualizable)]` is for the
/// interpreter's frames. What is said of a field, hotloop relies on (and looks whether it is true, with the parameter
/// `check_hints=1`):
///
/// * `#[immutable]`: written by the object's making only (RPython's `_immutable_fields_`);
/// * `#[stable]`: written seldom; a write invalidates the traces that relied on the old value (`x?`);
/// * `#[waiting]`, of frames: means something only in frames that wait for another one, such as the instruction at
///   which they go on. Of the current frame it is neither carried through traces nor handed over by calls, like an
///   item that is dead by [`Interpreter::live_items`].
///
/// ```
/// use hotloop::prelude::*;
///
/// #[heap_type(virtualizable)]
/// struct Frame {
///     back: Option<Frame>,
///     #[waiting]
///     goes_on_at: Int,
///     registers: [Value],
/// }
///
/// let runtime = Runtime::new(Options::default());
/// let outer = Frame::<Plain>::new(&runtime, None, 7.into(), 4);
/// let inner = Frame::new(&runtime, Some(outer), 0.into(), 2);
/// inner.set_registers(1, Value::small(5));
/// assert_eq!(inner.back().unwrap().goes_on_at().get(), 7);
/// ```
pub use hotloop_macros::heap_type;
pub use hotloop_macros::{Green, State, elidable, look_inside_iff, loop_invariant, not_in_trace, residual};

/// Whether this code runs to be compiled, or after compiled code was left in the middle of an instruction;
/// plain execution says no. Ways chosen by it must come to the same result.
#[inline(always)]
pub fn we_are_jitted<M: Mode>() -> bool {
    M::JITTED
}

/// What an interpreter's author needs, in one `use`.
pub mod prelude {
    pub use crate::{
        Bool, ConstObject, ConstValue, Float, Green, GreenRef, GreenWord, HeapArray, HeapType, Int,
        Interpreter, Interrupt, Live, LoopCell, Mode, Options, Plain, Raise, RedState, Runtime, Small, State,
        Step, Value, Vm, elidable, heap_type, look_inside_iff, loop_invariant, not_in_trace, residual,
        we_are_jitted,
    };
}

/// For the code that the macros make.
#[doc(hidden)]
pub mod internal {
    pub use crate::heap::{
        FieldSpec, Stored, ThreadBound, TypeCell, TypeSpec, item_slice, read_green, write_items,
    };
    pub use crate::residual::{Answer, Asked, CallCell, Outcome};
    pub use hotloop_ir::{Effect, FieldKind, Mutability, Opcode, Ty};

    use crate::{Int, Mode};

    #[inline(always)]
    pub fn int_word<M: Mode>(int: Int<M>) -> M::Word {
        int.word()
    }
    #[inline(always)]
    pub fn word_int<M: Mode>(word: M::Word) -> Int<M> {
        Int::from_word(word)
    }
    /// A constant pointer that a residual call carried as a word.
    #[inline(always)]
    pub fn reference<'a, T>(word: u64) -> &'a T {
        // SAFETY: the word was made from a `&T` argument of the residual function's wrapper; what a language
        // hands over there (its interpreter) outlives the traces that hold the word.
        unsafe { &*(word as *const T) }
    }
}
