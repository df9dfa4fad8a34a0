//! The interpreter as one writes it by hand in Rust, without hotloop.

use std::fmt;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::program::{Instruction, J, K, SLOTS, addmul};

/// A tagged word: `integer << 3` or `number << 3 | 4`.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Value(i64);

const TAG: i64 = 7;
const NULL: Value = Value(4);
const FALSE: Value = Value(1 << 3 | 4);

impl Value {
    fn small(integer: i64) -> Value {
        Value(integer << 3)
    }

    fn is_true(self) -> bool {
        self != FALSE && self != NULL
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            NULL => write!(f, "null"),
            FALSE => write!(f, "false"),
            Value(word) => write!(f, "{}", word >> 3),
        }
    }
}

/// What a function's call lives in: on the heap, because a language's frames outlive its calls.
struct Frame {
    slots: Box<[Value]>,
}

/// What stops a program.
#[derive(Debug, PartialEq, Eq)]
pub enum Error {
    /// An integer that needs more bits, or an operand that is none: the operator's slow path, which this
    /// language does not have.
    SlowPath {
        cell: u16,
    },
    Assertion,
    Interrupted,
}

/// Set by whoever wants the program to stop; every back edge looks at it.
static INTERRUPT: AtomicBool = AtomicBool::new(false);

fn interpret(code: &[Instruction], frame: &mut Frame) -> std::result::Result<(), Error> {
    let slots = &mut *frame.slots;
    let mut pc = 0;
    loop {
        match code[pc] {
            Instruction::LoadInt { dst, value } => {
                slots[dst as usize] = Value::small(value.into());
                pc += 1;
            }
            Instruction::Mul { dst, a, b, cell } => {
                let (a, b) = both_small(slots[a as usize], slots[b as usize], cell)?;
                // One side unshifted: the product is shifted once, and its overflow is the hardware's.
                slots[dst as usize] = Value((a >> 3).checked_mul(b).ok_or(Error::SlowPath { cell })?);
                pc += 1;
            }
            Instruction::Add { dst, a, b, cell } => {
                let (a, b) = both_small(slots[a as usize], slots[b as usize], cell)?;
                slots[dst as usize] = Value(a.checked_add(b).ok_or(Error::SlowPath { cell })?);
                pc += 1;
            }
            Instruction::AddInt { dst, a, value, cell } => {
                let (a, b) = both_small(slots[a as usize], Value::small(value.into()), cell)?;
                slots[dst as usize] = Value(a.checked_add(b).ok_or(Error::SlowPath { cell })?);
                pc += 1;
            }
            Instruction::JumpLt { a, b, cell } => {
                let (a, b) = both_small(slots[a as usize], slots[b as usize], cell)?;
                pc = after_comparison(code, pc, a < b);
            }
            Instruction::JumpLtInt { a, value, cell } => {
                let (a, b) = both_small(slots[a as usize], Value::small(value.into()), cell)?;
                pc = after_comparison(code, pc, a < b);
            }
            Instruction::JumpGeInt { a, value, cell } => {
                let (a, b) = both_small(slots[a as usize], Value::small(value.into()), cell)?;
                pc = after_comparison(code, pc, a >= b);
            }
            Instruction::JumpIfFalse { cond, target } => {
                pc = if slots[cond as usize].is_true() { pc + 1 } else { target as usize };
            }
            Instruction::Loop { target } => {
                if INTERRUPT.load(Ordering::Relaxed) {
                    return Err(Error::Interrupted);
                }
                pc = target as usize;
            }
            Instruction::AssertFail => return Err(Error::Assertion),
            Instruction::Return => return Ok(()),
        }
    }
}

/// The words of two small integers: one test for both tags.
#[inline(always)]
fn both_small(a: Value, b: Value, cell: u16) -> std::result::Result<(i64, i64), Error> {
    if (a.0 | b.0) & TAG == 0 { Ok((a.0, b.0)) } else { Err(Error::SlowPath { cell }) }
}

/// Where a comparison at `pc` goes on: the jump after it is made at once.
#[inline(always)]
fn after_comparison(code: &[Instruction], pc: usize, holds: bool) -> usize {
    match code[pc + 1] {
        Instruction::JumpIfFalse { target, .. } if !holds => target as usize,
        _ => pc + 2,
    }
}

/// Runs the program: what its two variables are in the end.
pub fn run(outer: i32, inner: i32) -> std::result::Result<String, Error> {
    // The compiler must not look through to the one program that is ever interpreted.
    let code = black_box(addmul(outer, inner));
    let mut frame = black_box(Frame { slots: vec![NULL; SLOTS].into_boxed_slice() });
    interpret(&code, &mut frame)?;
    Ok(format!("{} {}", frame.slots[J as usize], frame.slots[K as usize]))
}
