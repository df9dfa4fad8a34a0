//! The interpreter on hotloop, run with the JIT off.

use hotloop::prelude::*;

use crate::program::{Instruction, J, K, SLOTS, addmul};

#[heap_type(virtualizable)]
struct Frame {
    slots: [Value],
}

struct Code {
    instructions: Vec<Instruction>,
    cells: Vec<LoopCell>,
}

#[derive(Clone, Copy, PartialEq, Debug, Green)]
struct Pc {
    code: GreenRef<Code>,
    index: usize,
}

#[derive(State)]
struct State<M: Mode> {
    #[frame]
    frame: Frame<M>,
    failed: Value<M>,
}

struct Toy {
    runtime: Runtime,
}

const NULL: u32 = 0;
const FALSE: u32 = 1;

impl Interpreter for Toy {
    type Pc = Pc;
    type State<M: Mode> = State<M>;

    fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    #[inline(always)]
    fn step<M: Mode>(&self, pc: Pc, state: &mut State<M>) -> Step<Pc> {
        let frame = state.frame;
        let at = |index: usize| Pc { index, ..pc };
        let slot = |index: u16| frame.slots(u32::from(index));
        macro_rules! small {
            ($a:expr, $b:expr, $cell:expr, |$x:ident, $y:ident| $quick:expr) => {
                match $a.both_small($b) {
                    Some(($x, $y)) => $quick,
                    None => {
                        state.failed = Value::small(i64::from($cell));
                        return Step::Done;
                    }
                }
            };
        }
        macro_rules! arithmetic {
            ($dst:expr, $a:expr, $b:expr, $cell:expr, $method:ident) => {
                match small!($a, $b, $cell, |x, y| x.$method(y)) {
                    Some(result) => {
                        frame.set_slots(u32::from($dst), result.to_value());
                        Step::Next(at(pc.index + 1))
                    }
                    None => {
                        state.failed = Value::small(i64::from($cell));
                        Step::Done
                    }
                }
            };
        }
        macro_rules! jump {
            ($a:expr, $b:expr, $cell:expr, |$x:ident, $y:ident| $test:expr) => {
                if small!($a, $b, $cell, |$x, $y| $test) {
                    Step::Next(at(pc.index + 2))
                } else {
                    match pc.code.get().instructions[pc.index + 1] {
                        Instruction::JumpIfFalse { target, .. } => Step::Next(at(target as usize)),
                        _ => Step::Next(at(pc.index + 2)),
                    }
                }
            };
        }
        match pc.code.get().instructions[pc.index] {
            Instruction::LoadInt { dst, value } => {
                frame.set_slots(u32::from(dst), Value::small(value.into()));
                Step::Next(at(pc.index + 1))
            }
            Instruction::Mul { dst, a, b, cell } => arithmetic!(dst, slot(a), slot(b), cell, checked_mul),
            Instruction::Add { dst, a, b, cell } => arithmetic!(dst, slot(a), slot(b), cell, checked_add),
            Instruction::AddInt { dst, a, value, cell } => {
                arithmetic!(dst, slot(a), Value::small(value.into()), cell, checked_add)
            }
            Instruction::JumpLt { a, b, cell } => jump!(slot(a), slot(b), cell, |x, y| x < y),
            Instruction::JumpLtInt { a, value, cell } => {
                jump!(slot(a), Value::small(value.into()), cell, |x, y| x < y)
            }
            Instruction::JumpGeInt { a, value, cell } => {
                jump!(slot(a), Value::small(value.into()), cell, |x, y| x >= y)
            }
            Instruction::JumpIfFalse { cond, target } => {
                let value = slot(cond);
                if value.is_special(FALSE) || value.is_special(NULL) {
                    Step::Next(at(target as usize))
                } else {
                    Step::Next(at(pc.index + 1))
                }
            }
            Instruction::Loop { target } => Step::Loop(at(target as usize)),
            Instruction::AssertFail => {
                state.failed = Value::special(FALSE);
                Step::Done
            }
            Instruction::Return => Step::Done,
        }
    }

    fn loop_cell(&self, pc: Pc) -> &LoopCell {
        &pc.code.get().cells[pc.index]
    }

    fn interrupt(&self, _pc: Pc, _state: &mut State<Plain>, _why: Interrupt) -> bool {
        false
    }
}

/// Runs the program: what its two variables are in the end.
pub fn run(outer: i32, inner: i32) -> String {
    let mut options = Options::default();
    options.jit.enabled = false;
    let toy = Toy { runtime: Runtime::new(options) };
    let instructions = addmul(outer, inner);
    let cells = instructions.iter().map(|_| LoopCell::default()).collect();
    let code = GreenRef::new(Box::leak(Box::new(Code { instructions, cells })));
    let frame = Frame::new(&toy.runtime, SLOTS as u32);
    for slot in 0..SLOTS as u32 {
        frame.set_slots(slot, Value::special(NULL));
    }
    let end = Vm::new(&toy).run(Pc { code, index: 0 }, State { frame, failed: Value::special(NULL) });
    assert!(end.failed.is_special(NULL), "the program failed");
    let shown = |slot: u16| match end.frame.slots(u32::from(slot)).as_int() {
        Some(integer) => integer.get().to_string(),
        None => "null".to_string(),
    };
    format!("{} {}", shown(J), shown(K))
}
