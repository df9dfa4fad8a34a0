//! A small language over the public API: heap frames, calls, exceptions, generators, natives of all effects.
//! Its peculiarity: an instruction does any number of operations in one step, so that every order of writes,
//! calls, allocations and guards within an instruction can be had, which is what replay is about.

pub mod op;
pub mod program;

mod hint;
mod lists;
mod micro;
mod native;
mod show;
pub mod types;

use std::cell::{Cell as PlainCell, RefCell};

use hotloop::prelude::*;

use op::End;
use program::{Function, Program};
use types::{Array, Closure, Frame, Generator};

pub const NULL: u32 = 0;
pub const TYPE: u32 = 10;
pub const OVERFLOW: u32 = 11;
pub const INDEX: u32 = 12;
pub const ZERO: u32 = 13;
pub const DEEP: u32 = 14;
pub const ENDED: u32 = 15;
pub const OUT_OF_FUEL: u32 = 16;
pub const OUT_OF_MEMORY: u32 = 17;
pub const INTERRUPTED: u32 = 18;

const MOST_DEPTH: i64 = 40;
pub const GLOBALS: u32 = 8;

fn error<M: Mode>(number: u32) -> Value<M> {
    Value::special(number)
}

#[derive(State)]
pub struct State<M: Mode> {
    #[frame]
    pub frame: Frame<M>,
    /// The program's result, or the exception on its way.
    pub result: Value<M>,
    /// Back edges and calls that are left.
    pub fuel: Int<M>,
    /// A plain part: belongs to the position.
    pub color: u32,
    pub failed: bool,
}

#[derive(Clone, Copy, PartialEq, Debug, Green)]
pub struct Pc {
    pub code: GreenRef<Function>,
    pub index: u32,
}

pub struct Tiny {
    pub runtime: Runtime,
    program: &'static Program,
    /// One counter for each instruction of each function, and one more.
    cells: Vec<Vec<LoopCell>>,
    globals: ConstValue,
    output: RefCell<Vec<String>>,
    counter: PlainCell<i64>,
    /// The machine that runs the program, for nested runs.
    vm: PlainCell<*const ()>,
    /// How deep they are nested.
    nesting: PlainCell<u32>,
    /// How often the natives ran that need not run each time: no part of the outcome.
    pub limits: PlainCell<u64>,
    pub watched: PlainCell<u64>,
    pub interrupts: Interrupts,
}

/// What comes from outside while a program runs.
#[derive(Clone, Debug, Default)]
pub struct Interrupts {
    /// As soon as one is answered, the next one comes.
    pub always: bool,
    /// Those that come when so much fuel is left, or less, are errors.
    pub error_at: Option<i64>,
    /// How many were answered.
    pub count: PlainCell<u64>,
}

/// What a program did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    pub result: String,
    pub output: Vec<String>,
    pub heap: String,
}

impl Interpreter for Tiny {
    type Pc = Pc;
    type State<M: Mode> = State<M>;

    fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    #[inline(always)]
    fn step<M: Mode>(&self, pc: Pc, state: &mut State<M>) -> Step<Pc> {
        let instr = &pc.code.get().instrs[pc.index as usize];
        for micro in &instr.work {
            if let Err(Raise(value)) = self.micro::<M>(micro, state) {
                state.result = value;
                return Step::Raise(pc);
            }
        }
        let frame = state.frame;
        let at = |index: u32| Pc { index, ..pc };
        let next = at(pc.index + 1);
        match instr.end {
            End::Next => Step::Next(next),
            End::Jump(to) => Step::Next(at(to)),
            End::Back(to) => {
                if self.burn::<M>(state) {
                    Step::Loop(at(to))
                } else {
                    Step::Done
                }
            }
            End::JumpIf(a, to) => {
                let value = frame.slots(a);
                if value.is_special(NULL) || value.is_same(Value::zero()) {
                    Step::Next(next)
                } else {
                    Step::Next(at(to))
                }
            }
            End::JumpLess(a, b, to) => match micro::less(frame.slots(a), frame.slots(b)) {
                Ok(true) => Step::Next(at(to)),
                Ok(false) => Step::Next(next),
                Err(Raise(value)) => {
                    state.result = value;
                    Step::Raise(pc)
                }
            },
            End::BackLess(a, b, to) => match micro::less(frame.slots(a), frame.slots(b)) {
                Ok(true) => {
                    if self.burn::<M>(state) {
                        Step::Loop(at(to))
                    } else {
                        Step::Done
                    }
                }
                Ok(false) => Step::Next(next),
                Err(Raise(value)) => {
                    state.result = value;
                    Step::Raise(pc)
                }
            },
            End::Call(_, callee, first, count) => {
                let code = GreenRef::new(&self.program.functions[callee as usize]);
                self.call(pc, state, code, None, first, count)
            }
            End::CallValue(_, callee, first, count) => {
                let Some(closure) = frame.slots(callee).cast::<Closure<M>>() else {
                    state.result = error(TYPE);
                    return Step::Raise(pc);
                };
                self.call(pc, state, closure.code(), Some(closure.captured()), first, count)
            }
            End::Return(a) => {
                let value = frame.slots(a);
                let generator = frame.generator();
                if let Some(generator) = generator {
                    generator.set_frame(None);
                    generator.set_running(Int::from(0));
                    frame.set_generator(None);
                }
                let Some(back) = frame.back() else {
                    state.result = value;
                    return Step::Done;
                };
                let to = deliver(back, value);
                state.frame = back;
                frame.release(&self.runtime);
                if generator.is_some() { Step::Switch(to) } else { Step::Return(to) }
            }
            End::Raise(a) => {
                state.result = frame.slots(a);
                Step::Raise(pc)
            }
            End::Resume(_, generator, a) => {
                let sent = frame.slots(a);
                let Some(generator) = frame.slots(generator).cast::<Generator<M>>() else {
                    state.result = error(TYPE);
                    return Step::Raise(pc);
                };
                let body = match generator.frame() {
                    Some(body) if generator.running() == 0 => body,
                    _ => {
                        state.result = error(ENDED);
                        return Step::Raise(pc);
                    }
                };
                if !self.burn::<M>(state) {
                    return Step::Done;
                }
                generator.set_running(Int::from(1));
                frame.set_pc(pc.index + 1);
                body.set_back(Some(frame));
                state.frame = body;
                let to = body.pc();
                if to == 0 {
                    return Step::Switch(Pc { code: body.code(), index: 0 });
                }
                Step::Switch(deliver(body, sent))
            }
            End::Yield(_, a) => {
                let value = frame.slots(a);
                let Some(generator) = frame.generator() else {
                    state.result = error(TYPE);
                    return Step::Raise(pc);
                };
                let Some(back) = frame.back() else {
                    state.result = error(TYPE);
                    return Step::Raise(pc);
                };
                generator.set_running(Int::from(0));
                frame.set_pc(pc.index + 1);
                frame.set_back(None);
                state.frame = back;
                Step::Switch(deliver(back, value))
            }
        }
    }

    fn handle<M: Mode>(&self, pc: Pc, state: &mut State<M>) -> Step<Pc> {
        let frame = state.frame;
        for handler in &pc.code.get().handlers {
            if (handler.start..handler.end).contains(&pc.index) {
                frame.set_slots(handler.register, state.result);
                return Step::Next(Pc { index: handler.target, ..pc });
            }
        }
        if let Some(generator) = frame.generator() {
            generator.set_frame(None);
            generator.set_running(Int::from(0));
            frame.set_generator(None);
        }
        let Some(back) = frame.back() else {
            state.failed = true;
            return Step::Done;
        };
        state.frame = back;
        frame.release(&self.runtime);
        Step::Raise(Pc { code: back.code(), index: back.pc() - 1 })
    }

    fn loop_cell(&self, pc: Pc) -> &LoopCell {
        &self.cells[pc.code.index as usize][pc.index as usize]
    }

    fn live_items(&self, pc: Pc) -> Live {
        pc.code.get().live.as_ref().map_or(Live::ALL, |live| live[pc.index as usize])
    }

    fn interrupt(&self, _pc: Pc, state: &mut State<Plain>, why: Interrupt) -> bool {
        if why == Interrupt::OutOfMemory {
            state.result = error(OUT_OF_MEMORY);
            return true;
        }
        self.interrupts.count.set(self.interrupts.count.get() + 1);
        if self.interrupts.error_at.is_some_and(|fuel| state.fuel.get() <= fuel) {
            state.result = error(INTERRUPTED);
            return true;
        }
        if self.interrupts.always {
            self.runtime.interrupter().interrupt();
        }
        false
    }

    // Functions say by their names what the driver may do with them.
    fn can_never_inline(&self, pc: Pc) -> bool {
        pc.code.name.starts_with("not-inlined")
    }

    fn unroll_limit(&self, pc: Pc) -> u32 {
        let limit = pc.code.get().name.strip_prefix("unrolled-").and_then(|rest| rest.get(..1));
        limit.and_then(|digit| digit.parse().ok()).unwrap_or(1)
    }

    fn confirm_enter_jit(&self, pc: Pc) -> bool {
        !pc.code.name.ends_with("-plain")
    }

    fn describe(&self, pc: Pc) -> String {
        format!("{}:{}", pc.code.name, pc.index)
    }
}

/// A result arrives in the register that the frame's instruction named; where the frame goes on.
fn deliver<M: Mode>(frame: Frame<M>, value: Value<M>) -> Pc {
    let pc = Pc { code: frame.code(), index: frame.pc() };
    if let Some(register) = pc.code.get().instrs[pc.index as usize - 1].end.target() {
        frame.set_slots(register, value);
    }
    pc
}

impl Tiny {
    #[inline(always)]
    fn burn<M: Mode>(&self, state: &mut State<M>) -> bool {
        state.fuel = state.fuel - 1;
        if state.fuel < 0 {
            state.result = error(OUT_OF_FUEL);
            state.failed = true;
            return false;
        }
        true
    }

    #[inline(always)]
    fn call<M: Mode>(
        &self,
        pc: Pc,
        state: &mut State<M>,
        code: GreenRef<Function>,
        captured: Option<Value<M>>,
        first: u32,
        count: u32,
    ) -> Step<Pc> {
        let frame = state.frame;
        let depth = frame.depth() + 1;
        if depth > MOST_DEPTH {
            state.result = error(DEEP);
            return Step::Raise(pc);
        }
        if !self.burn::<M>(state) {
            return Step::Done;
        }
        frame.set_pc(pc.index + 1);
        let callee =
            Frame::new(&self.runtime, code, Some(frame), 0, depth, None, Value::zero(), code.registers);
        let mut to = 0;
        if let Some(captured) = captured {
            callee.set_slots(0, captured);
            to = 1;
        }
        for index in 0..count.min(code.registers - to) {
            callee.set_slots(to + index, frame.slots(first + index));
        }
        state.frame = callee;
        Step::Call(Pc { code, index: 0 })
    }

    /// Gives the machine a program; it is kept for ever.
    pub fn new(options: Options, program: &'static Program) -> Tiny {
        let runtime = Runtime::new(options);
        let globals = Array::<Plain>::new(&runtime, GLOBALS);
        let globals = runtime.constant(globals.to_value());
        let cells = program
            .functions
            .iter()
            .map(|function| (0..=function.instrs.len()).map(|_| LoopCell::default()).collect());
        Tiny {
            cells: cells.collect(),
            globals,
            runtime,
            program,
            output: RefCell::default(),
            counter: PlainCell::new(0),
            vm: PlainCell::new(std::ptr::null()),
            nesting: PlainCell::new(0),
            interrupts: Interrupts::default(),
            limits: PlainCell::new(0),
            watched: PlainCell::new(0),
        }
    }

    /// Runs a function with one argument while the program runs, in a native.
    fn nested(&self, function: i64, argument: Value<Plain>) -> Result<Value<Plain>, Raise<Plain>> {
        let code = GreenRef::new(&self.program.functions[function as usize]);
        if self.nesting.get() == 2 {
            return Err(Raise(error(DEEP)));
        }
        // SAFETY: `run` has put it there, and waits for the native that this is called by.
        let vm = unsafe { &*self.vm.get().cast::<Vm<'_, Tiny>>() };
        let frame =
            Frame::new(&self.runtime, code, None, 0, Int::from(0), None, Value::zero(), code.registers);
        frame.set_slots(0, argument);
        let state = State { frame, result: Value::zero(), fuel: Int::from(30), color: 0, failed: false };
        self.nesting.set(self.nesting.get() + 1);
        let state = vm.run(Pc { code, index: 0 }, state);
        self.nesting.set(self.nesting.get() - 1);
        if state.failed { Err(Raise(state.result)) } else { Ok(state.result) }
    }

    /// Runs the first function.
    pub fn run(&self, vm: &Vm<'_, Tiny>, fuel: i64) -> Outcome {
        let code = GreenRef::new(&self.program.functions[0]);
        let frame =
            Frame::new(&self.runtime, code, None, 0, Int::from(0), None, Value::zero(), code.registers);
        let state = State { frame, result: Value::zero(), fuel: Int::from(fuel), color: 0, failed: false };
        self.vm.set(std::ptr::from_ref(vm).cast());
        let state = vm.run(Pc { code, index: 0 }, state);
        let how = if state.failed { "failed" } else { "returned" };
        let result = format!("{how} {} color {}", self.show(state.result, 0), state.color);
        let heap = self.show_graph(&[state.result, self.globals.value::<Plain>(), state.frame.to_value()]);
        Outcome { result, output: self.output.take(), heap }
    }
}
