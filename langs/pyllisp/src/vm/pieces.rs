//! `a ++ b ++ c`: strings in a row are joined at once, so that those in between are never made.
//!
//! The operands are pieces in consecutive registers. All pieces but the last are strings or unset: where an
//! operand is anything else, what `++` makes of the pieces so far takes the last one's place before the next operand
//! is evaluated, as a method of the program's may do anything.

use hotloop::prelude::*;

use super::call::Outcome;
use super::operator::{CONCAT, operate};
use super::quick::LARGE;
use super::{Pc, Pyllisp, State};
use crate::object::{Cell, Frame, Str, is_set, unset};

impl Pyllisp {
    /// The last piece waits for others if it and the one before are strings.
    #[inline(never)]
    pub(super) fn add_piece<M: Mode>(
        &self,
        pc: Pc,
        state: &mut State<M>,
        cell: Cell<M>,
        base: u16,
        count: u16,
    ) -> Outcome {
        let last = u32::from(base + count - 1);
        if state.frame.slots(last - 1).is::<Str<M>>() && state.frame.slots(last).is::<Str<M>>() {
            return Outcome::Next;
        }
        self.concat_pieces(pc, state, cell, base, count)
    }

    /// `++` of all pieces, if they are strings.
    #[inline(never)]
    pub(super) fn join_pieces<M: Mode>(
        &self,
        pc: Pc,
        state: &mut State<M>,
        cell: Cell<M>,
        base: u16,
        count: u16,
    ) -> Outcome {
        match self.joined_pieces(state.frame, base, count) {
            Some(whole) => {
                self.give(pc, state, whole);
                Outcome::Next
            }
            None => self.concat_pieces(pc, state, cell, base, count),
        }
    }

    /// `++` of the last piece and what the others make, which become unset.
    #[inline(never)]
    pub(super) fn concat_pieces<M: Mode>(
        &self,
        pc: Pc,
        state: &mut State<M>,
        cell: Cell<M>,
        base: u16,
        count: u16,
    ) -> Outcome {
        let frame = state.frame;
        let last = base + count - 1;
        let mut before = unset();
        for index in base..last {
            let piece = frame.slots(u32::from(index));
            if !is_set(before) {
                before = piece;
            } else {
                match operate::<M>(self, CONCAT, before, piece) {
                    Ok(value) => before = value,
                    error => return self.answer(pc, state, error),
                }
            }
            frame.set_slots(u32::from(index), unset());
        }
        self.general::<M, CONCAT>(pc, state, cell, before, frame.slots(u32::from(last)))
    }

    /// The strings of the pieces that are set in one; nothing if there is anything else among them, or if it is large.
    #[inline(always)]
    fn joined_pieces<M: Mode>(&self, frame: Frame<M>, base: u16, count: u16) -> Option<Value<M>> {
        let pieces = || (base..base + count).map(|index| frame.slots(u32::from(index)));
        let (mut bytes, mut length) = (Int::from(0), Int::from(0));
        let mut found = 0;
        let mut whole = unset();
        for piece in pieces().filter(|piece| is_set(*piece)) {
            let text = piece.cast::<Str<M>>()?;
            let size = text.bytes_len();
            // The one that is not empty is the result. (Strings of one byte are in the heap once only.)
            if found == 0 || size != 0 {
                found += u32::from(size != 0);
                (bytes, length) = (bytes + size, length + text.length());
                whole = piece;
            }
        }
        if found < 2 {
            return is_set(whole).then_some(whole);
        }
        if bytes > LARGE {
            return None;
        }
        let whole = Str::new(self.runtime(), length, 0.into(), bytes);
        let mut at = Int::from(0);
        for text in pieces().filter_map(|piece| piece.cast::<Str<M>>()) {
            let size = text.bytes_len();
            text.copy_to(0, whole, at, size);
            at = at + size;
        }
        Some(whole.to_value())
    }
}
