//! Positions: instructions of codes that are linked, and how far frames have come.

use hotloop::prelude::*;

use super::link::{LinkedCode, LinkedInstr};
use crate::code::{Instr, Reg};

/// A position: an instruction of a code. It is one machine word, which is all that the dispatch loop carries.
#[derive(Clone, Copy, PartialEq, Debug, Green)]
pub struct Pc(GreenRef<LinkedInstr>);

impl Pc {
    /// The instruction with this number.
    #[inline(always)]
    pub fn new(code: GreenRef<LinkedCode>, number: u32) -> Pc {
        Pc(GreenRef::new(&code.get().instrs[number as usize]))
    }

    /// The code.
    #[inline(always)]
    pub fn code(self) -> GreenRef<LinkedCode> {
        GreenRef::new(self.0.get().code())
    }

    /// Another instruction of the same code.
    #[inline(always)]
    pub fn at(self, number: u32) -> Pc {
        Pc::new(self.code(), number)
    }

    /// The instruction behind this one.
    #[inline(always)]
    pub(super) fn next(self) -> Pc {
        Pc(GreenRef::new(self.0.get().next()))
    }

    /// Where the instruction jumps; a fused comparison does that if it doesn't hold.
    #[inline(always)]
    pub(super) fn jump(self) -> Pc {
        Pc(GreenRef::new(self.0.get().jump()))
    }

    /// Behind the instruction after this one, whose work it has done.
    #[inline(always)]
    pub(super) fn over(self) -> Pc {
        Pc(GreenRef::new(self.0.get().over()))
    }

    /// The instruction's number.
    #[inline(always)]
    pub fn number(self) -> u32 {
        self.0.get().number
    }

    /// The register that the instruction writes.
    #[inline(always)]
    pub(super) fn result_register(self) -> Reg {
        self.0.get().result
    }

    /// The counter of the loop that begins here, or of the function.
    #[inline(always)]
    pub(super) fn loop_cell(self) -> &'static LoopCell {
        &self.0.get().loop_cell
    }

    /// The instruction.
    #[inline(always)]
    pub fn instr(self) -> &'static Instr {
        &self.0.get().instr
    }
}

/// How far a frame has come that doesn't run.
#[derive(Clone, Copy, PartialEq, Debug, Green)]
pub enum Progress {
    /// It has not begun.
    New,
    /// It waits in this instruction: a call or a `Yield`.
    At(Pc),
    /// It has ended.
    Ended,
}

impl Progress {
    const ENDED: u64 = 1;

    /// Where a frame that waits does that.
    #[inline(always)]
    pub fn place(self) -> Pc {
        match self {
            Progress::At(pc) => pc,
            Progress::New | Progress::Ended => unreachable!("who calls is at an instruction"),
        }
    }
}

impl GreenWord for Progress {
    #[inline(always)]
    fn to_word(self) -> u64 {
        match self {
            Progress::New => 0,
            Progress::At(pc) => pc.0.to_word(),
            Progress::Ended => Progress::ENDED,
        }
    }

    #[inline(always)]
    fn from_word(word: u64) -> Progress {
        match word {
            0 => Progress::New,
            Progress::ENDED => Progress::Ended,
            word => Progress::At(Pc(GreenRef::from_word(word))),
        }
    }
}
