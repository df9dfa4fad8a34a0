//! Parallel moves: many values change places at once.
//!
//! A move whose destination nobody reads any more is made; when there is none, the rest are cycles, and one
//! is broken by keeping a source aside (the usual algorithm, as in Rideau, Serpette, Leroy: "Tilting at
//! windmills with Coq"). Values between two slots go through the scratch register; a cycle's spare value is
//! kept in the vector scratch register.

use hotloop_ir::Const;

use super::asm::{Asm, Mem, RSP, SCRATCH, VECTOR_SCRATCH};
use super::file::Loc;

/// A move. Sources and destinations of one set must be of one frame; destinations differ.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Move {
    pub to: Loc,
    pub from: Loc,
}

/// Emits the moves as if all were made at once. `shift` is how far the stack pointer is below the frame's.
pub fn parallel(asm: &mut Asm, mut moves: Vec<Move>, consts: &[Const], shift: i32) {
    moves.retain(|step| step.to != step.from);
    // Constants overwrite only, so they come last.
    let (constants, mut moves): (Vec<Move>, Vec<Move>) =
        moves.into_iter().partition(|step| matches!(step.from, Loc::Const(_)));
    let spare = Loc::Reg(VECTOR_SCRATCH);
    while !moves.is_empty() {
        let mut index = 0;
        let mut stuck = true;
        while index < moves.len() {
            let step = moves[index];
            if moves.iter().any(|other| other.from == step.to) {
                index += 1;
            } else {
                single(asm, step, consts, shift);
                moves.swap_remove(index);
                stuck = false;
            }
        }
        if stuck {
            let kept = moves[0].from;
            single(asm, Move { to: spare, from: kept }, consts, shift);
            moves.iter_mut().filter(|step| step.from == kept).for_each(|step| step.from = spare);
        }
    }
    for step in constants {
        single(asm, step, consts, shift);
    }
}

/// Emits one move. Keeps the flags, except for a float constant.
pub fn single(asm: &mut Asm, step: Move, consts: &[Const], shift: i32) {
    let mem = |slot: u16| Mem::Base(RSP, slot as i32 * 8 + shift);
    match (step.to, step.from) {
        (Loc::Reg(to @ 0..16), Loc::Reg(from @ 0..16)) => asm.mov(to, from),
        (Loc::Reg(to @ 0..16), Loc::Reg(from)) => asm.bits_from_float(to, from),
        (Loc::Reg(to), Loc::Reg(from @ 0..16)) => asm.float_from_bits(to, from),
        (Loc::Reg(to), Loc::Reg(from)) => asm.float_mov(to, from),
        (Loc::Reg(to @ 0..16), Loc::Slot(slot)) => asm.load(to, mem(slot)),
        (Loc::Reg(to), Loc::Slot(slot)) => asm.float_load(to, mem(slot)),
        (Loc::Slot(slot), Loc::Reg(from @ 0..16)) => asm.store(mem(slot), from),
        (Loc::Slot(slot), Loc::Reg(from)) => asm.float_store(mem(slot), from),
        (Loc::Slot(to), Loc::Slot(from)) => {
            asm.load(SCRATCH, mem(from));
            asm.store(mem(to), SCRATCH);
        }
        (Loc::Reg(to @ 0..16), Loc::Const(index)) => asm.mov_const(to, consts[index as usize].bits),
        (Loc::Reg(to), Loc::Const(index)) => float_const(asm, to, consts[index as usize].bits),
        (Loc::Slot(slot), Loc::Const(index)) => {
            let bits = consts[index as usize].bits;
            match i32::try_from(bits as i64) {
                Ok(imm) => asm.store_imm(mem(slot), imm),
                Err(_) => {
                    asm.mov_const(SCRATCH, bits);
                    asm.store(mem(slot), SCRATCH);
                }
            }
        }
        (Loc::Const(_), _) => unreachable!("a move to a constant"),
    }
}

/// Loads a float constant.
pub fn float_const(asm: &mut Asm, to: u8, bits: u64) {
    if bits == 0 {
        asm.float_zero(to);
    } else {
        let mem = asm.pool(bits);
        asm.float_load(to, mem);
    }
}
