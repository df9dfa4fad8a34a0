//! The instructions that the compiler uses, each a method; encoding is dynasm's.
//!
//! Registers are numbers: 0-15 general, 16-31 vector. Jumps out of the code and constants of the pool are
//! left open as [`Fixup`]s, because code may be emitted twice and cut back in between.

// The macro converts every register number.
#![allow(clippy::useless_conversion)]

use dynasmrt::{AssemblyOffset, DynasmApi, dynasm};
use hotloop_ir::Scalar;

/// A register: 0-15 general, 16-31 vector.
pub type Reg = u8;

/// General registers by name.
pub const RAX: Reg = 0;
pub const RCX: Reg = 1;
pub const RDX: Reg = 2;
pub const RBX: Reg = 3;
pub const RSP: Reg = 4;
pub const RBP: Reg = 5;
pub const RSI: Reg = 6;
pub const RDI: Reg = 7;
pub const R8: Reg = 8;
pub const R9: Reg = 9;
/// Never allocated: free for use within one operation.
pub const SCRATCH: Reg = 11;
/// Holds the address of the [`crate::Context`].
pub const CONTEXT: Reg = 15;
/// The vector register that is never allocated.
pub const VECTOR_SCRATCH: Reg = 31;

/// Condition codes, as the processor numbers them; the lowest bit negates.
pub mod cond {
    pub const OVERFLOW: u8 = 0;
    pub const BELOW: u8 = 2;
    pub const EQUAL: u8 = 4;
    pub const NOT_EQUAL: u8 = 5;
    pub const BELOW_EQUAL: u8 = 6;
    pub const ABOVE: u8 = 7;
    pub const ABOVE_EQUAL: u8 = 3;
    pub const SIGN: u8 = 8;
    pub const PARITY: u8 = 10;
    pub const LESS: u8 = 12;
    pub const LESS_EQUAL: u8 = 14;
    pub const GREATER_EQUAL: u8 = 13;
    pub const GREATER: u8 = 15;
}

/// A place in memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mem {
    /// `[base + disp]`
    Base(Reg, i32),
    /// `[base + index * 8 + disp]`
    Words(Reg, Reg, i32),
    /// `[base + index + disp]`
    Bytes(Reg, Reg, i32),
    /// A constant of the pool behind the code.
    Pool(u32),
}

/// A second operand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Src {
    Reg(Reg),
    Mem(Mem),
    Imm(i32),
}

/// Arithmetic on two operands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Alu {
    Add,
    Sub,
    And,
    Or,
    Xor,
    Cmp,
}

/// Float arithmetic on two operands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FloatOp {
    Add,
    Sub,
    Mul,
    Div,
    Sqrt,
    Compare,
}

/// A shift.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shift {
    Left,
    Right,
    Arithmetic,
}

/// Four bytes at `at`, to be set to the distance to the target.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fixup {
    pub at: u32,
    pub target: Target,
}

/// What a [`Fixup`] refers to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    /// The stub of the guard with this number in the trace.
    Stub(u32),
    /// The n-th piece of code that is seldom run.
    Slow(u32),
    /// A constant of the pool.
    Pool(u32),
    /// An offset in this code.
    Here(u32),
    /// An offset in the code region.
    Region(u32),
    /// The code's own entry for calls.
    CallEntry,
}

/// Code under construction.
#[derive(Default)]
pub struct Asm {
    pub bytes: Vec<u8>,
    pub fixups: Vec<Fixup>,
    pub pool: Vec<u64>,
}

impl Extend<u8> for Asm {
    fn extend<T: IntoIterator<Item = u8>>(&mut self, bytes: T) {
        self.bytes.extend(bytes)
    }
}

impl<'a> Extend<&'a u8> for Asm {
    fn extend<T: IntoIterator<Item = &'a u8>>(&mut self, bytes: T) {
        self.bytes.extend(bytes)
    }
}

impl DynasmApi for Asm {
    #[inline]
    fn offset(&self) -> AssemblyOffset {
        AssemblyOffset(self.bytes.len())
    }
    #[inline]
    fn push(&mut self, byte: u8) {
        self.bytes.push(byte);
    }
    fn align(&mut self, alignment: usize, with: u8) {
        while !self.bytes.len().is_multiple_of(alignment) {
            self.push(with);
        }
    }
}

macro_rules! emit {
    ($asm:expr; $($code:tt)*) => { dynasm!($asm ; .arch x64 ; $($code)*) };
}

/// One instruction with a memory operand, in all its forms: the tokens before it and those behind it.
macro_rules! emit_mem {
    ($asm:expr, $mem:expr; { $($before:tt)* } { $($after:tt)* }) => {
        match $mem {
            Mem::Base(base, disp) if i8::try_from(disp).is_ok() => {
                emit!($asm; $($before)* [BYTE Rq(base) + disp as i8] $($after)*)
            }
            Mem::Base(base, disp) => emit!($asm; $($before)* [DWORD Rq(base) + disp] $($after)*),
            Mem::Words(base, index, disp) if i8::try_from(disp).is_ok() => {
                emit!($asm; $($before)* [BYTE Rq(base) + 8 * Rq(index) + disp as i8] $($after)*)
            }
            Mem::Words(base, index, disp) => {
                emit!($asm; $($before)* [DWORD Rq(base) + 8 * Rq(index) + disp] $($after)*)
            }
            Mem::Bytes(base, index, disp) => {
                emit!($asm; $($before)* [DWORD Rq(base) + 1 * Rq(index) + disp] $($after)*)
            }
            Mem::Pool(constant) => {
                emit!($asm; $($before)* [rip + 0] $($after)*);
                $asm.fix_last(Target::Pool(constant));
            }
        }
    };
}

macro_rules! alu {
    ($asm:expr, $dst:expr, $src:expr, $name:ident) => {
        match $src {
            Src::Reg(src) => emit!($asm; $name Rq($dst), Rq(src)),
            Src::Imm(imm) if i8::try_from(imm).is_ok() => emit!($asm; $name Rq($dst), BYTE imm as i8),
            Src::Imm(imm) => emit!($asm; $name Rq($dst), DWORD imm),
            Src::Mem(mem) => emit_mem!($asm, mem; { $name Rq($dst), } {}),
        }
    };
}

macro_rules! float {
    ($asm:expr, $dst:expr, $src:expr, $name:ident) => {
        match $src {
            Src::Reg(src) => emit!($asm; $name Rx($dst - 16), Rx(src - 16)),
            Src::Mem(mem) => emit_mem!($asm, mem; { $name Rx($dst - 16), QWORD } {}),
            Src::Imm(_) => unreachable!("a float as an immediate"),
        }
    };
}

impl Asm {
    /// The four bytes just emitted are a distance to be filled in.
    pub fn fix_last(&mut self, target: Target) {
        self.fixups.push(Fixup { at: self.bytes.len() as u32 - 4, target });
    }

    /// A pool constant as a memory operand.
    pub fn pool(&mut self, bits: u64) -> Mem {
        let index = match self.pool.iter().position(|known| *known == bits) {
            Some(index) => index,
            None => {
                self.pool.push(bits);
                self.pool.len() - 1
            }
        };
        Mem::Pool(index as u32)
    }

    /// `dst = src`, both general. Keeps the flags.
    pub fn mov(&mut self, dst: Reg, src: Reg) {
        if dst != src {
            emit!(self; mov Rq(dst), Rq(src));
        }
    }

    /// `dst = bits`. Keeps the flags.
    pub fn mov_const(&mut self, dst: Reg, bits: u64) {
        if let Ok(imm) = u32::try_from(bits) {
            emit!(self; mov Rd(dst), DWORD imm as i32);
        } else if let Ok(imm) = i32::try_from(bits as i64) {
            emit!(self; mov Rq(dst), DWORD imm);
        } else {
            emit!(self; mov Rq(dst), QWORD bits as i64);
        }
    }

    /// `dst = src` for any source. Keeps the flags.
    pub fn mov_src(&mut self, dst: Reg, src: Src) {
        match src {
            Src::Reg(src) => self.mov(dst, src),
            Src::Imm(imm) => self.mov_const(dst, imm as i64 as u64),
            Src::Mem(mem) => self.load(dst, mem),
        }
    }

    pub fn load(&mut self, dst: Reg, mem: Mem) {
        emit_mem!(self, mem; { mov Rq(dst), } {});
    }

    /// The low half, zero-extended.
    pub fn load_half(&mut self, dst: Reg, mem: Mem) {
        emit_mem!(self, mem; { mov Rd(dst), } {});
    }

    /// 16 bits, with zeros above.
    pub fn load_word(&mut self, dst: Reg, mem: Mem) {
        emit_mem!(self, mem; { movzx Rd(dst), WORD } {});
    }

    pub fn load_byte(&mut self, dst: Reg, mem: Mem) {
        emit_mem!(self, mem; { movzx Rd(dst), BYTE } {});
    }

    /// A number of C that is no float, widened.
    pub fn load_scalar(&mut self, dst: Reg, mem: Mem, scalar: Scalar) {
        match scalar {
            Scalar::I8 => emit_mem!(self, mem; { movsx Rq(dst), BYTE } {}),
            Scalar::U8 => self.load_byte(dst, mem),
            Scalar::I16 => emit_mem!(self, mem; { movsx Rq(dst), WORD } {}),
            Scalar::U16 => self.load_word(dst, mem),
            Scalar::I32 => emit_mem!(self, mem; { movsxd Rq(dst), DWORD } {}),
            Scalar::U32 => self.load_half(dst, mem),
            _ => self.load(dst, mem),
        }
    }

    /// Widens the number of C, no float, that the register's low bytes are.
    pub fn widen(&mut self, scalar: Scalar, reg: Reg) {
        match scalar {
            Scalar::I8 => emit!(self; movsx Rq(reg), Rb(reg)),
            Scalar::U8 => emit!(self; movzx Rd(reg), Rb(reg)),
            Scalar::I16 => emit!(self; movsx Rq(reg), Rw(reg)),
            Scalar::U16 => emit!(self; movzx Rd(reg), Rw(reg)),
            Scalar::I32 => emit!(self; movsxd Rq(reg), Rd(reg)),
            Scalar::U32 => emit!(self; mov Rd(reg), Rd(reg)),
            _ => {}
        }
    }

    /// The lowest 16 bits.
    pub fn store_word(&mut self, mem: Mem, src: Reg) {
        emit_mem!(self, mem; { mov } { , Rw(src) });
    }

    pub fn store(&mut self, mem: Mem, src: Reg) {
        emit_mem!(self, mem; { mov } { , Rq(src) });
    }

    pub fn store_half(&mut self, mem: Mem, src: Reg) {
        emit_mem!(self, mem; { mov } { , Rd(src) });
    }

    pub fn store_byte(&mut self, mem: Mem, src: Reg) {
        emit_mem!(self, mem; { mov } { , Rb(src) });
    }

    pub fn store_imm(&mut self, mem: Mem, imm: i32) {
        emit_mem!(self, mem; { mov QWORD } { , DWORD imm });
    }

    pub fn store_byte_imm(&mut self, mem: Mem, imm: i8) {
        emit_mem!(self, mem; { mov BYTE } { , BYTE imm });
    }

    pub fn lea(&mut self, dst: Reg, mem: Mem) {
        emit_mem!(self, mem; { lea Rq(dst), } {});
    }

    pub fn alu(&mut self, op: Alu, dst: Reg, src: Src) {
        match op {
            Alu::Add => alu!(self, dst, src, add),
            Alu::Sub => alu!(self, dst, src, sub),
            Alu::And => alu!(self, dst, src, and),
            Alu::Or => alu!(self, dst, src, or),
            Alu::Xor => alu!(self, dst, src, xor),
            Alu::Cmp => match src {
                Src::Reg(src) => emit!(self; cmp Rq(dst), Rq(src)),
                Src::Mem(mem) => emit_mem!(self, mem; { cmp Rq(dst), } {}),
                Src::Imm(imm) => {
                    let at = self.bytes.len();
                    emit!(self; cmp Rq(dst), DWORD imm);
                    self.shorten(at, imm);
                }
            },
        }
    }

    /// Makes the immediate of the arithmetic instruction at `at` one byte, if it fits. (The assembler has
    /// no way to ask for this form of `cmp`.)
    fn shorten(&mut self, at: usize, imm: i32) {
        let opcode = at + usize::from(self.bytes[at] & 0xf0 == 0x40);
        if i8::try_from(imm).is_ok() && self.bytes[opcode] == 0x81 {
            self.bytes[opcode] = 0x83;
            self.bytes.truncate(self.bytes.len() - 3);
        }
    }

    pub fn cmp_mem_imm(&mut self, mem: Mem, imm: i32) {
        let at = self.bytes.len();
        emit_mem!(self, mem; { cmp QWORD } { , DWORD imm });
        self.shorten(at, imm);
    }

    pub fn cmp_half_imm(&mut self, mem: Mem, imm: i32) {
        let at = self.bytes.len();
        emit_mem!(self, mem; { cmp DWORD } { , DWORD imm });
        self.shorten(at, imm);
    }

    pub fn cmp_mem_reg(&mut self, mem: Mem, reg: Reg) {
        emit_mem!(self, mem; { cmp } { , Rq(reg) });
    }

    pub fn test_byte_imm(&mut self, mem: Mem, imm: i8) {
        emit_mem!(self, mem; { test BYTE } { , BYTE imm });
    }

    pub fn test(&mut self, a: Reg, b: Reg) {
        emit!(self; test Rq(a), Rq(b));
    }

    /// `test` with a mask, in the shortest form that sets zero and sign alike.
    pub fn test_imm(&mut self, a: Reg, imm: i32) {
        if (0..128).contains(&imm) {
            emit!(self; test Rb(a), BYTE imm as i8);
        } else if imm >= 0 {
            emit!(self; test Rd(a), DWORD imm);
        } else {
            emit!(self; test Rq(a), DWORD imm);
        }
    }

    pub fn imul(&mut self, dst: Reg, src: Src) {
        match src {
            Src::Reg(src) => emit!(self; imul Rq(dst), Rq(src)),
            Src::Mem(mem) => emit_mem!(self, mem; { imul Rq(dst), } {}),
            Src::Imm(imm) => self.imul_imm(dst, Src::Reg(dst), imm),
        }
    }

    /// `dst = src * imm`
    pub fn imul_imm(&mut self, dst: Reg, src: Src, imm: i32) {
        match (src, i8::try_from(imm)) {
            (Src::Reg(src), Ok(imm)) => emit!(self; imul Rq(dst), Rq(src), BYTE imm),
            (Src::Reg(src), Err(_)) => emit!(self; imul Rq(dst), Rq(src), DWORD imm),
            (other, _) => {
                self.mov_src(dst, other);
                emit!(self; imul Rq(dst), Rq(dst), DWORD imm)
            }
        }
    }

    pub fn shift_imm(&mut self, shift: Shift, reg: Reg, count: u8) {
        let count = count as i8;
        match shift {
            Shift::Left => emit!(self; shl Rq(reg), BYTE count),
            Shift::Right => emit!(self; shr Rq(reg), BYTE count),
            Shift::Arithmetic => emit!(self; sar Rq(reg), BYTE count),
        }
    }

    /// Rotates left by so many bits.
    pub fn rotate_left(&mut self, reg: Reg, count: u8) {
        let count = count as i8;
        emit!(self; rol Rq(reg), BYTE count);
    }

    /// Sets the carry flag to a bit of a 32-bit register (its number is taken modulo 32).
    pub fn test_bit_half(&mut self, reg: Reg, bit: Reg) {
        emit!(self; bt Rd(reg), Rd(bit));
    }

    /// Shifts by `cl`.
    pub fn shift_cl(&mut self, shift: Shift, reg: Reg) {
        match shift {
            Shift::Left => emit!(self; shl Rq(reg), cl),
            Shift::Right => emit!(self; shr Rq(reg), cl),
            Shift::Arithmetic => emit!(self; sar Rq(reg), cl),
        }
    }

    /// Three-operand shift (BMI2).
    pub fn shift_by(&mut self, shift: Shift, dst: Reg, src: Reg, count: Reg) {
        match shift {
            Shift::Left => emit!(self; shlx Rq(dst), Rq(src), Rq(count)),
            Shift::Right => emit!(self; shrx Rq(dst), Rq(src), Rq(count)),
            Shift::Arithmetic => emit!(self; sarx Rq(dst), Rq(src), Rq(count)),
        }
    }

    pub fn xchg(&mut self, a: Reg, b: Reg) {
        emit!(self; xchg Rq(a), Rq(b));
    }

    /// Divides `rdx:rax`, the sign-extended `rax`.
    pub fn divide(&mut self, divisor: Reg) {
        emit!(self; cqo; idiv Rq(divisor));
    }

    /// `rdx:rax = rax * src`, unsigned.
    pub fn multiply(&mut self, src: Mem) {
        emit_mem!(self, src; { mul QWORD } {});
    }

    /// `dst = 1` if the condition holds, else 0. Keeps the flags; uses the scratch register.
    pub fn set(&mut self, dst: Reg, cond: u8) {
        self.bytes.extend([0x41, 0x0f, 0x90 | cond, 0xc0 | (SCRATCH - 8)]);
        emit!(self; movzx Rd(dst), Rb(SCRATCH));
    }

    /// `dst = src` if the condition holds.
    pub fn cmov(&mut self, cond: u8, dst: Reg, src: Src) {
        let at = self.bytes.len();
        match src {
            Src::Reg(src) => emit!(self; cmovo Rq(dst), Rq(src)),
            Src::Mem(mem) => emit_mem!(self, mem; { cmovo Rq(dst), } {}),
            Src::Imm(_) => unreachable!("cmov of an immediate"),
        }
        // rex, 0f, 40 + condition
        self.bytes[at + 2] |= cond;
    }

    /// `jcc` with an open distance.
    pub fn jump_if(&mut self, cond: u8, target: Target) {
        self.bytes.extend([0x0f, 0x80 | cond, 0, 0, 0, 0]);
        self.fix_last(target);
    }

    /// The `jcc` just emitted jumps to another target under the opposite condition.
    pub fn invert_last_jump(&mut self, target: Target) {
        let at = self.bytes.len() - 5;
        self.bytes[at] ^= 1;
        self.fixups.pop();
        self.fix_last(target);
    }

    /// `jmp` with an open distance.
    pub fn jump(&mut self, target: Target) {
        self.bytes.extend([0xe9, 0, 0, 0, 0]);
        self.fix_last(target);
    }

    /// `call` with an open distance.
    pub fn call(&mut self, target: Target) {
        self.bytes.extend([0xe8, 0, 0, 0, 0]);
        self.fix_last(target);
    }

    /// `call` of the address in the pool.
    pub fn call_address(&mut self, address: u64) {
        let mem = self.pool(address);
        emit_mem!(self, mem; { call QWORD } {});
    }

    /// A short forward jump (`None`: always); [`Asm::land`] sets its target.
    pub fn skip_if(&mut self, cond: Option<u8>) -> usize {
        self.bytes.extend([cond.map_or(0xeb, |cond| 0x70 | cond), 0]);
        self.bytes.len()
    }

    /// The short jump goes here.
    pub fn land(&mut self, skip: usize) {
        let distance = self.bytes.len() - skip;
        assert!(distance < 128, "short jump over {distance} bytes");
        self.bytes[skip - 1] = distance as u8;
    }

    /// No load after it is done before a store in front of it.
    pub fn fence(&mut self) {
        // lock or dword [rsp], 0
        self.bytes.extend([0xf0, 0x83, 0x0c, 0x24, 0x00]);
    }

    /// Fills up with as few instructions as possible, so that the next one's offset is a multiple.
    pub fn pad_to(&mut self, alignment: usize) {
        // The recommended no-operations of up to nine bytes.
        const NOPS: [&[u8]; 9] = [
            &[0x90],
            &[0x66, 0x90],
            &[0x0f, 0x1f, 0x00],
            &[0x0f, 0x1f, 0x40, 0],
            &[0x0f, 0x1f, 0x44, 0, 0],
            &[0x66, 0x0f, 0x1f, 0x44, 0, 0],
            &[0x0f, 0x1f, 0x80, 0, 0, 0, 0],
            &[0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0],
            &[0x66, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0],
        ];
        let mut missing = self.bytes.len().next_multiple_of(alignment) - self.bytes.len();
        while missing > 0 {
            let length = missing.min(NOPS.len());
            self.bytes.extend(NOPS[length - 1]);
            missing -= length;
        }
    }

    pub fn push_reg(&mut self, reg: Reg) {
        emit!(self; push Rq(reg));
    }

    pub fn pop_reg(&mut self, reg: Reg) {
        emit!(self; pop Rq(reg));
    }

    pub fn push_imm(&mut self, imm: i32) {
        emit!(self; push DWORD imm);
    }

    pub fn dec_mem(&mut self, mem: Mem) {
        emit_mem!(self, mem; { dec QWORD } {});
    }

    pub fn ret(&mut self) {
        emit!(self; ret);
    }

    /// Returns and drops so many bytes of arguments.
    pub fn ret_and_pop(&mut self, bytes: i16) {
        emit!(self; ret WORD bytes);
    }

    pub fn call_reg(&mut self, reg: Reg) {
        emit!(self; call Rq(reg));
    }

    /// `dst = src`, both vector registers.
    pub fn float_mov(&mut self, dst: Reg, src: Reg) {
        if dst != src {
            emit!(self; movaps Rx(dst - 16), Rx(src - 16));
        }
    }

    pub fn float_load(&mut self, dst: Reg, mem: Mem) {
        emit_mem!(self, mem; { movsd Rx(dst - 16), QWORD } {});
    }

    pub fn float_store(&mut self, mem: Mem, src: Reg) {
        emit_mem!(self, mem; { movsd QWORD } { , Rx(src - 16) });
    }

    /// The `float` in the low half of `src` as a `double`.
    pub fn widen_float(&mut self, dst: Reg, src: Reg) {
        emit!(self; cvtss2sd Rx(dst - 16), Rx(src - 16));
    }

    /// The `double` as a `float` in the low half of `dst`.
    pub fn narrow_float(&mut self, dst: Reg, src: Reg) {
        emit!(self; cvtsd2ss Rx(dst - 16), Rx(src - 16));
    }

    /// A `float`, widened.
    pub fn single_load(&mut self, dst: Reg, mem: Mem) {
        self.float_zero(dst);
        emit_mem!(self, mem; { cvtss2sd Rx(dst - 16), DWORD } {});
    }

    /// The low half, a `float`.
    pub fn single_store(&mut self, mem: Mem, src: Reg) {
        emit_mem!(self, mem; { movss DWORD } { , Rx(src - 16) });
    }

    pub fn float_zero(&mut self, dst: Reg) {
        emit!(self; xorps Rx(dst - 16), Rx(dst - 16));
    }

    pub fn float_op(&mut self, op: FloatOp, dst: Reg, src: Src) {
        match op {
            FloatOp::Add => float!(self, dst, src, addsd),
            FloatOp::Sub => float!(self, dst, src, subsd),
            FloatOp::Mul => float!(self, dst, src, mulsd),
            FloatOp::Div => float!(self, dst, src, divsd),
            FloatOp::Sqrt => float!(self, dst, src, sqrtsd),
            FloatOp::Compare => float!(self, dst, src, ucomisd),
        }
    }

    /// All bits of `dst` set if equal (ordered), else none.
    pub fn float_equal_mask(&mut self, dst: Reg, src: Reg) {
        emit!(self; cmpsd Rx(dst - 16), Rx(src - 16), 0);
    }

    pub fn float_and(&mut self, dst: Reg, src: Reg) {
        emit!(self; andps Rx(dst - 16), Rx(src - 16));
    }

    pub fn float_xor(&mut self, dst: Reg, src: Reg) {
        emit!(self; xorps Rx(dst - 16), Rx(src - 16));
    }

    /// Bits of a vector register to a general one.
    pub fn bits_from_float(&mut self, dst: Reg, src: Reg) {
        emit!(self; movq Rq(dst), Rx(src - 16));
    }

    /// Bits of a general register to a vector one.
    pub fn float_from_bits(&mut self, dst: Reg, src: Reg) {
        emit!(self; movq Rx(dst - 16), Rq(src));
    }

    pub fn float_from_int(&mut self, dst: Reg, src: Src) {
        self.float_zero(dst);
        match src {
            Src::Reg(src) => emit!(self; cvtsi2sd Rx(dst - 16), Rq(src)),
            Src::Mem(mem) => emit_mem!(self, mem; { cvtsi2sd Rx(dst - 16), QWORD } {}),
            Src::Imm(_) => unreachable!("conversion of an immediate"),
        }
    }

    pub fn int_from_float(&mut self, dst: Reg, src: Reg) {
        emit!(self; cvttsd2si Rq(dst), Rx(src - 16));
    }
}
