//! The shared pieces of code: in, out, and to the allocator.
//!
//! `enter` calls a trace as traces call each other (`call_entry`). A frame, from high to low addresses;
//! `rsp` is a multiple of 16 while a trace runs:
//!
//! ```text
//! return address | 8 unused | spill slots <- rsp
//! at an exit, below that: guard number | 8 unused | 16 vector registers | 16 general registers <- image
//! ```
//!
//! Frames have one of two sizes; bridges have the size of the trace that they belong to. There is a common
//! exit for each size. It answers [`UNWOUND`] to whoever called the trace.

use super::asm::{Alu, Asm, CONTEXT, Mem, R8, R9, RAX, RBP, RBX, RCX, RDI, RDX, RSI, RSP, Reg, SCRATCH, Src};
use super::file::{FRAMES, SLOTS, frame_size};
use crate::{Context, UNWOUND};

/// From the image to the guard's number, and to the spill slots.
const IMAGE: i32 = 16 * 8 + 16 * 8 + 8;
const SAVED: [Reg; 6] = [RBX, RBP, 12, 13, 14, 15];

/// The registers as they were at an exit, and the frame above them.
#[repr(C)]
pub struct Image {
    pub general: [u64; 16],
    pub vector: [u64; 16],
    unused: u64,
    pub guard: u64,
    pub slots: [u64; SLOTS],
}

/// Calls a trace: context, the code's address, inputs.
pub type Enter = unsafe extern "C" fn(*mut Context, usize, *const u64) -> u64;

/// Where the pieces begin.
pub struct Glue {
    pub enter: usize,
    /// Of small frames, of large ones.
    pub common_exits: [usize; FRAMES.len()],
    pub alloc_slow: usize,
    pub remember: usize,
}

/// The code of all pieces, and where each begins. `decode` gets the activation and the image, and collects what the
/// exit needs.
pub fn build(decode: usize) -> (Vec<u8>, Glue) {
    let mut asm = Asm::default();
    enter(&mut asm);
    asm.pad_to(16);
    let common_exits = FRAMES.map(|slots| {
        let at = asm.bytes.len();
        exit(&mut asm, decode, slots);
        asm.pad_to(16);
        at
    });
    let alloc_slow = asm.bytes.len();
    alloc(&mut asm);
    asm.pad_to(16);
    let remember = asm.bytes.len();
    remembering(&mut asm);
    (asm.bytes, Glue { enter: 0, common_exits, alloc_slow, remember })
}

fn enter(asm: &mut Asm) {
    for reg in SAVED {
        asm.push_reg(reg);
    }
    asm.alu(Alu::Sub, RSP, Src::Imm(8));
    asm.mov(CONTEXT, RDI);
    asm.mov(SCRATCH, RDX);
    asm.call_reg(RSI);
    asm.alu(Alu::Add, RSP, Src::Imm(8));
    for reg in SAVED.iter().rev() {
        asm.pop_reg(*reg);
    }
    asm.ret();
}

fn exit(asm: &mut Asm, decode: usize, slots: usize) {
    asm.alu(Alu::Sub, RSP, Src::Imm(IMAGE));
    for reg in 0..16 {
        if reg != RSP {
            asm.store(Mem::Base(RSP, reg as i32 * 8), reg);
        }
        asm.float_store(Mem::Base(RSP, 128 + reg as i32 * 8), reg + 16);
    }
    asm.load(RDI, Mem::Base(CONTEXT, std::mem::offset_of!(Context, activation) as i32));
    asm.mov(RSI, RSP);
    asm.mov_const(RAX, decode as u64);
    asm.call_reg(RAX);
    asm.alu(Alu::Add, RSP, Src::Imm(IMAGE + 8 + frame_size(slots)));
    asm.mov_const(RAX, UNWOUND);
    asm.ret();
}

/// The general registers that calls don't keep, and room for the vector registers.
const LOST: [Reg; 8] = [RAX, RCX, RDX, RSI, RDI, R8, R9, 10];
const VECTORS: i32 = 15 * 8 + 16;

fn save_all(asm: &mut Asm) {
    for reg in LOST {
        asm.push_reg(reg);
    }
    asm.alu(Alu::Sub, RSP, Src::Imm(VECTORS));
    for reg in 0..15u8 {
        asm.float_store(Mem::Base(RSP, reg as i32 * 8), reg + 16);
    }
}

fn restore_all(asm: &mut Asm) {
    for reg in 0..15u8 {
        asm.float_load(reg + 16, Mem::Base(RSP, reg as i32 * 8));
    }
    asm.alu(Alu::Add, RSP, Src::Imm(VECTORS));
    for reg in LOST.iter().rev() {
        asm.pop_reg(*reg);
    }
}

/// In the scratch register: an old object. Keeps all others, vectors included.
fn remembering(asm: &mut Asm) {
    // The stack pointer is a multiple of 16 minus the return address here, and `VECTORS` one plus 8.
    save_all(asm);
    asm.mov(RDI, SCRATCH);
    asm.load(RAX, Mem::Base(CONTEXT, std::mem::offset_of!(Context, remember) as i32));
    asm.call_reg(RAX);
    restore_all(asm);
    asm.ret();
}

/// On the stack: size, header. Answers in the scratch register and keeps all others, vectors included.
fn alloc(asm: &mut Asm) {
    save_all(asm);
    let arguments = VECTORS + LOST.len() as i32 * 8 + 8;
    asm.load(RDX, Mem::Base(RSP, arguments));
    asm.load(RSI, Mem::Base(RSP, arguments + 8));
    asm.load(RDI, Mem::Base(CONTEXT, std::mem::offset_of!(Context, heap) as i32));
    asm.load(RAX, Mem::Base(CONTEXT, std::mem::offset_of!(Context, alloc) as i32));
    asm.call_reg(RAX);
    asm.mov(SCRATCH, RAX);
    restore_all(asm);
    asm.ret_and_pop(16);
}
