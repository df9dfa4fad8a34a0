//! The bytecode of the seeds' loops, in a language small enough to be written twice.

/// The instructions that the program needs, encoded compactly:
/// twelve bytes, registers of the frame as operands, small integers in the instruction. `cell` is where
/// the operator would be looked up for operands that are not small integers.
#[derive(Clone, Copy, Debug)]
pub enum Instruction {
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

/// The slot of the outer loop's variable.
pub const J: u16 = 0;
/// The slot of the inner loop's variable.
pub const K: u16 = 1;
const FIRST: u16 = 2;
const SECOND: u16 = 3;
/// How many slots the frame has.
pub const SLOTS: usize = 4;

/// The two loops of addmul as a compiler for a register machine translates them. (A bound that fits
/// sixteen bits is part of the comparison.)
pub fn addmul(outer: i32, inner: i32) -> Vec<Instruction> {
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
