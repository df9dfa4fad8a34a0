//! Brainfuck on hotloop: the tutorial's interpreter. No line of it is about the JIT.
//!
//! Cells are bytes that wrap; the tape has 30,000 of them; reading past the end of input gives 0.
#![forbid(unsafe_code)]

use std::cell::RefCell;
use std::io::{Read, Write};

use hotloop::prelude::*;

mod parse;
pub use parse::{Op, Program, SyntaxError, parse};

#[heap_type]
pub struct Tape {
    cells: [Byte],
}

#[derive(State)]
pub struct State<M: Mode> {
    tape: Tape<M>,
    head: Int<M>,
}

#[derive(Clone, Copy, PartialEq, Debug, Green)]
pub struct Pc {
    program: GreenRef<Program>,
    index: u32,
}

pub struct Brainfuck {
    runtime: Runtime,
    input: RefCell<Box<dyn Read>>,
    output: RefCell<Box<dyn Write>>,
    stopped: RefCell<Option<&'static str>>,
}

#[residual(reads)]
fn write(bf: &Brainfuck, byte: Int<Plain>) -> bool {
    bf.output.borrow_mut().write_all(&[byte.get() as u8]).is_ok()
}

#[residual(reads)]
fn read(bf: &Brainfuck) -> Int<Plain> {
    let mut byte = [0];
    // A failing read is the end of input.
    let _ = bf.output.borrow_mut().flush();
    let _ = bf.input.borrow_mut().read_exact(&mut byte);
    Int::from(byte[0] as i64)
}

#[residual(reads)]
fn stop(bf: &Brainfuck, off_tape: bool) {
    *bf.stopped.borrow_mut() =
        Some(if off_tape { "the head left the tape" } else { "the output can't be written" });
}

impl Interpreter for Brainfuck {
    type Pc = Pc;
    type State<M: Mode> = State<M>;

    fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    #[inline(always)]
    fn step<M: Mode>(&self, pc: Pc, state: &mut State<M>) -> Step<Pc> {
        let State { tape, head } = *state;
        let at = |index: u32| Pc { index, ..pc };
        match pc.program.ops[pc.index as usize] {
            Op::Add(n) => tape.set_cells(head, (tape.cells(head) + n as i64) & 255),
            Op::Move(n) => {
                state.head = head + n as i64;
                if !state.head.is_index_of(tape.cells_len()) {
                    stop::<M>(self, true);
                    return Step::Done;
                }
            }
            Op::Write => {
                if !write::<M>(self, tape.cells(head)) {
                    stop::<M>(self, false);
                    return Step::Done;
                }
            }
            Op::Read => tape.set_cells(head, read::<M>(self)),
            Op::Open(end) => {
                if tape.cells(head) == 0 {
                    return Step::Next(at(end + 1));
                }
            }
            Op::Close(start) => return Step::Loop(at(start)),
            Op::End => return Step::Done,
        }
        Step::Next(at(pc.index + 1))
    }

    fn loop_cell(&self, pc: Pc) -> &LoopCell {
        &pc.program.get().cells[pc.index as usize]
    }

    fn interrupt(&self, _pc: Pc, _state: &mut State<Plain>, _why: Interrupt) -> bool {
        *self.stopped.borrow_mut() = Some("interrupted");
        true
    }

    fn describe(&self, pc: Pc) -> String {
        let (line, column) = pc.program.places[pc.index as usize];
        format!("{line}:{column}")
    }
}

impl Brainfuck {
    pub fn new(runtime: Runtime, input: Box<dyn Read>, output: Box<dyn Write>) -> Brainfuck {
        Brainfuck { runtime, input: input.into(), output: output.into(), stopped: None.into() }
    }

    /// Runs a program.
    ///
    /// # Errors
    /// What stopped it before its end.
    pub fn run(&self, program: Program) -> Result<(), String> {
        let vm = Vm::new(self);
        let pc = Pc { program: GreenRef::new(Box::leak(Box::new(program))), index: 0 };
        vm.run(pc, State { tape: Tape::new(&self.runtime, 30_000), head: Int::from(0) });
        vm.log_summary();
        let flushed = self.output.borrow_mut().flush();
        match (self.stopped.borrow_mut().take(), flushed) {
            (Some(why), _) => Err(why.to_string()),
            (None, Err(error)) => Err(error.to_string()),
            (None, Ok(())) => Ok(()),
        }
    }
}
