//! What a language implements.

use hotloop_ir::{FieldKind, Live};

use crate::Plain;
use crate::driver::LoopCell;
use crate::green::Green;
use crate::heap::TypeCell;
use crate::mode::Mode;
use crate::runtime::Runtime;

/// What an instruction did to control flow. Return literals: a `Step` that was computed and is passed on
/// costs a second indirect jump per instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Step<P> {
    /// Goes on at this position.
    Next(P),
    /// A back edge to this position: traces start and close here.
    Loop(P),
    /// A frame was put on top of the chain; its code begins at this position.
    Call(P),
    /// The top frame was taken off; goes on at this position of the frame below.
    /// If the frame's `release` is called before, plain execution makes a later call's frame of it.
    Return(P),
    /// An exception is pending in the state; [`Interpreter::handle`] is asked at this position.
    Raise(P),
    /// Goes on at this position of another chain of frames (generators, coroutines).
    Switch(P),
    /// The program has ended; its outcome is in the state.
    Done,
}

impl<P> Step<P> {
    /// Where it goes on.
    pub(crate) fn place(self) -> Option<P> {
        match self {
            Step::Next(pc)
            | Step::Loop(pc)
            | Step::Call(pc)
            | Step::Return(pc)
            | Step::Raise(pc)
            | Step::Switch(pc) => Some(pc),
            Step::Done => None,
        }
    }
}

/// Why the program is interrupted at a poll.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Interrupt {
    /// The user asked for it (Ctrl-C).
    User,
    /// The heap has outgrown its limit.
    OutOfMemory,
}

/// The red state of an interpreter: derive it with `#[derive(State)]`. Fields that mention the mode are red;
/// plain ones are green and belong to the position. `#[frame]` marks the reference to the current frame.
pub trait RedState<M: Mode>: Sized {
    #[doc(hidden)]
    fn kinds() -> &'static [FieldKind];
    #[doc(hidden)]
    fn frame() -> Option<(usize, &'static TypeCell)>;
    #[doc(hidden)]
    fn frame_word(&self) -> Option<M::Word>;
    #[doc(hidden)]
    fn save(&self, words: &mut Vec<M::Word>);
    #[doc(hidden)]
    fn greens(&self, words: &mut Vec<u64>);
    #[doc(hidden)]
    fn load(words: &[M::Word], greens: &[u64]) -> Self;
}

/// An interpreter. hotloop owns the dispatch loop, the counters and the traces.
///
/// # Without compiled code
///
/// `step` is inlined into the dispatch loop of plain execution, which the compiler builds as one function. How quick that is
/// depends on how little goes round it. What made the programs of a language here take 0.86 of the time
/// (`docs/measurements.md`):
///
/// * A position of one machine word, which leads to all that its instruction needs: a [`GreenRef`](crate::GreenRef) to an
///   instruction that knows the next one, where it jumps, and its [`LoopCell`]. An instruction's number with its
///   function beside it costs two registers, one of which ends up in memory, each time round.
/// * What is unusual is a call of a function that is not inlined, behind `std::hint::cold_path()`, so that the loop keeps its
///   registers; and what that function answers is an enum of one word beside the tag, which comes back in registers.
///   What comes back in memory keeps LLVM from leading each answer straight to the next instruction.
/// * `match *instruction`, whose fields are read where they are used, rather than a copy of it.
/// * Objects known while compiling as [`ConstObject`](crate::ConstObject), whose types nobody asks for.
pub trait Interpreter: Sized + 'static {
    /// The green position: which instruction. At best one machine word.
    type Pc: Green;
    /// What an instruction reads and changes.
    type State<M: Mode>: RedState<M>;

    /// The runtime this interpreter was made with.
    fn runtime(&self) -> &Runtime;

    /// Executes one instruction. Mark it `#[inline(always)]`: it is instantiated twice.
    fn step<M: Mode>(&self, pc: Self::Pc, state: &mut Self::State<M>) -> Step<Self::Pc>;

    /// An exception is pending at `pc`: finds a handler in the current frame ([`Step::Next`]), takes the
    /// frame off and asks again ([`Step::Raise`] at the caller's position), or ends ([`Step::Done`]).
    fn handle<M: Mode>(&self, pc: Self::Pc, state: &mut Self::State<M>) -> Step<Self::Pc> {
        let _ = (pc, state);
        Step::Done
    }

    /// The counter cell of a position that is the target of [`Step::Loop`] or [`Step::Call`], kept beside
    /// the code.
    fn loop_cell(&self, pc: Self::Pc) -> &LoopCell;

    /// Which of the current frame's items are live before the instruction at `pc`; the others are
    /// neither carried nor kept.
    fn live_items(&self, pc: Self::Pc) -> Live {
        let _ = pc;
        Live::ALL
    }

    /// The program is interrupted before the instruction at `pc`: make it a language error, pending in the
    /// state, and return true, or return false to go on.
    fn interrupt(&self, pc: Self::Pc, state: &mut Self::State<Plain>, why: Interrupt) -> bool;

    /// Whether the function whose code begins at `pc` is never inlined (RPython's `can_never_inline`). The
    /// answer must be the same each time.
    fn can_never_inline(&self, pc: Self::Pc) -> bool {
        let _ = pc;
        false
    }

    /// How often a trace that starts elsewhere goes round the loop at `pc` before that loop must be compiled
    /// first. (RPython's `should_unroll_one_iteration` says 1 or 0.)
    fn unroll_limit(&self, pc: Self::Pc) -> u32 {
        let _ = pc;
        1
    }

    /// Whether plain execution may go over to compiled code, or be recorded, at `pc` (RPython's
    /// `confirm_enter_jit`).
    fn confirm_enter_jit(&self, pc: Self::Pc) -> bool {
        let _ = pc;
        true
    }

    /// The position, for people: file, line, instruction.
    fn describe(&self, pc: Self::Pc) -> String {
        format!("{pc:?}")
    }
}
