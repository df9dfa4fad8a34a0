//! `cargo xtask handwritten`: the yardstick for `Direct`. A small bytecode interpreter as one writes it by
//! hand in Rust, without hotloop, running the bytecode of `bench/addmul_func.pyl`.
//!
//! It does the work that the same loop is for Pyllisp with the JIT off, and no more: the same
//! instructions (seven for an iteration of the inner loop), tagged small integers (three zero bits below
//! 61 bits of integer), tags checked and overflow checked, a frame on the heap with variables and
//! temporaries in slots, a look at the interrupt flag on each back edge, `loop { match }` over an array of
//! instructions. What hotloop's seam between driver and `step` costs is the difference. When Pyllisp's
//! compiler translates the loop in another way, this must follow.

use std::fmt;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::Result;
use crate::args::Args;

pub const HELP: &str = "\
handwritten OUTER INNER
                       run addmul on an interpreter written by hand, to compare `--jit off` with";

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

/// The instructions that the program needs, encoded like Pyllisp's (`langs/pyllisp/src/code/instr.rs`):
/// twelve bytes, registers of the frame as operands, small integers in the instruction. `cell` is where
/// the operator would be looked up for operands that are not small integers.
#[derive(Clone, Copy)]
enum Instruction {
    LoadInt {
        dst: u16,
        value: i32,
    },
    Mul {
        dst: u16,
        a: u16,
        b: u16,
        cell: u16,
    },
    Add {
        dst: u16,
        a: u16,
        b: u16,
        cell: u16,
    },
    AddInt {
        dst: u16,
        a: u16,
        value: i16,
        cell: u16,
    },
    /// `a < b`, and the `JumpIfFalse` that comes next is made with it.
    JumpLt {
        a: u16,
        b: u16,
        cell: u16,
    },
    JumpLtInt {
        a: u16,
        value: i16,
        cell: u16,
    },
    JumpGeInt {
        a: u16,
        value: i16,
        cell: u16,
    },
    JumpIfFalse {
        cond: u16,
        target: u32,
    },
    Loop {
        target: u32,
    },
    AssertFail,
    Return,
}

/// What a function's call lives in: on the heap, because a language's frames outlive its calls.
struct Frame {
    slots: Box<[Value]>,
}

/// What stops a program.
#[derive(Debug, PartialEq, Eq)]
enum Error {
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

const J: u16 = 0;
const K: u16 = 1;
const FIRST: u16 = 2;
const SECOND: u16 = 3;
const SLOTS: usize = 4;

/// The two loops of `bench/addmul_func.pyl` as Pyllisp's compiler translates them. (A bound that fits
/// sixteen bits is part of the comparison.)
fn addmul(outer: i32, inner: i32) -> Vec<Instruction> {
    use Instruction::*;
    let (less, add, mul, at_least) = (0, 1, 2, 3);
    let jump_unless_less = |a: u16, bound: i32| match i16::try_from(bound) {
        Ok(value) => vec![JumpLtInt { a, value, cell: less }],
        Err(_) => vec![LoadInt { dst: FIRST, value: bound }, JumpLt { a, b: FIRST, cell: less }],
    };
    let jump = |target: usize| JumpIfFalse { cond: SECOND, target: target as u32 };

    let mut body = vec![
        // (assert k + j*k >= 0)
        Mul { dst: SECOND, a: J, b: K, cell: mul },
        Add { dst: FIRST, a: K, b: SECOND, cell: add },
        JumpGeInt { a: FIRST, value: 0, cell: at_least },
    ];
    let (outer_test, inner_test) = (jump_unless_less(J, outer), jump_unless_less(K, inner));
    let outer_start = 1;
    let inner_start = outer_start + outer_test.len() + 2;
    // After the inner loop's test and its jump: the body, its jump, `k += 1`, Loop.
    let inner_end = inner_start + inner_test.len() + 1 + body.len() + 3;
    let outer_end = inner_end + 2;
    let failed = outer_end + 1;

    let mut code = vec![LoadInt { dst: J, value: 0 }];
    code.extend(outer_test);
    code.extend([jump(outer_end), LoadInt { dst: K, value: 0 }]);
    code.extend(inner_test);
    code.push(jump(inner_end));
    code.append(&mut body);
    code.push(jump(failed));
    code.extend([AddInt { dst: K, a: K, value: 1, cell: add }, Loop { target: inner_start as u32 }]);
    code.extend([AddInt { dst: J, a: J, value: 1, cell: add }, Loop { target: outer_start as u32 }]);
    code.extend([Return, AssertFail]);
    code
}

pub fn command(args: Args) -> Result<()> {
    let numbers = args.rest()?.iter().map(|word| word.parse()).collect::<std::result::Result<Vec<i32>, _>>();
    let Ok([outer, inner]) = numbers.as_deref() else {
        return Err("usage: handwritten OUTER INNER".to_string());
    };
    println!("{}", run(*outer, *inner).map_err(|error| format!("{error:?}"))?);
    Ok(())
}

fn run(outer: i32, inner: i32) -> std::result::Result<String, Error> {
    // The compiler must not look through to the one program that is ever interpreted.
    let code = black_box(addmul(outer, inner));
    let mut frame = black_box(Frame { slots: vec![NULL; SLOTS].into_boxed_slice() });
    interpret(&code, &mut frame)?;
    Ok(format!("{} {}", frame.slots[J as usize], frame.slots[K as usize]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loops_end_where_they_must() {
        assert_eq!(run(20, 30), Ok("20 30".to_string()));
        assert_eq!(run(0, 30), Ok("0 null".to_string()));
    }

    #[test]
    fn an_iteration_takes_seven_instructions_for_large_bounds() {
        let code = addmul(500, 5_000_000);
        let back =
            code.iter().position(|instruction| matches!(instruction, Instruction::Loop { .. })).unwrap();
        let Instruction::Loop { target } = code[back] else { unreachable!("a Loop was found") };
        let jumps = |instruction: &&Instruction| matches!(instruction, Instruction::JumpIfFalse { .. });
        let all = &code[target as usize..=back];
        assert_eq!(all.len() - all.iter().filter(jumps).count(), 7);
        assert_eq!(size_of::<Instruction>(), 12);
    }

    #[test]
    fn what_is_not_a_small_integer_or_does_not_fit_stops_it() {
        let frame = |left, right| Frame { slots: Box::new([left, right, NULL]) };
        let add = [Instruction::Add { dst: 2, a: 0, b: 1, cell: 7 }, Instruction::Return];
        let mul = [Instruction::Mul { dst: 2, a: 0, b: 1, cell: 8 }, Instruction::Return];
        let large = Value::small(1 << 59);
        assert_eq!(interpret(&add, &mut frame(NULL, large)), Err(Error::SlowPath { cell: 7 }));
        assert_eq!(interpret(&add, &mut frame(large, large)), Err(Error::SlowPath { cell: 7 }));
        assert_eq!(interpret(&mul, &mut frame(large, Value::small(2))), Err(Error::SlowPath { cell: 8 }));
        assert_eq!(interpret(&mul, &mut frame(large, Value::small(1))), Ok(()));
        let assert = [
            Instruction::JumpGeInt { a: 0, value: 0, cell: 0 },
            Instruction::JumpIfFalse { cond: 1, target: 3 },
            Instruction::Return,
            Instruction::AssertFail,
        ];
        assert_eq!(interpret(&assert, &mut frame(Value::small(-1), NULL)), Err(Error::Assertion));
        assert_eq!(interpret(&assert, &mut frame(Value::small(0), NULL)), Ok(()));
    }
}
