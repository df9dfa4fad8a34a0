//! `check_hints` finds broken promises, and nothing where there are none.

use std::cell::Cell;
use std::process::Command;

use hotloop::prelude::*;

use crate::programs::{all, parse};
use crate::run::{FUEL, Way, alone, run};

const FAULT: &str = "TINY_FAULT";

/// What is wrong with the language below.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Fault {
    None,
    /// A step computes with what it keeps in a cell.
    Step,
    /// A step writes the heap or not, by a cell.
    Event,
    /// A step goes elsewhere, by a cell.
    Goal,
    /// A function that counts is called elidable.
    Elidable,
    /// The same, where no trace is made.
    ElidableInDirect,
}

const FAULTS: [(Fault, &str); 5] = [
    (Fault::Step, "the step at position 0 is not deterministic"),
    (Fault::Event, "the step at position 0 is not deterministic"),
    (Fault::Goal, "the step at position 0 is not deterministic"),
    (Fault::Elidable, "`count` is not elidable"),
    (Fault::ElidableInDirect, "`count` is not elidable"),
];

#[heap_type]
struct Sum {
    total: Int,
}

#[derive(State)]
struct State<M: Mode> {
    sum: Sum<M>,
    left: Int<M>,
}

struct Wrong {
    runtime: Runtime,
    fault: Fault,
    counter: Cell<i64>,
    cells: [LoopCell; 3],
}

impl Wrong {
    fn count(&self) -> i64 {
        self.counter.set(self.counter.get() + 1);
        self.counter.get()
    }
}

#[elidable]
fn count(wrong: &Wrong) -> Int<Plain> {
    Int::from(if wrong.fault == Fault::None { 1 } else { wrong.count() })
}

impl Interpreter for Wrong {
    type Pc = u32;
    type State<M: Mode> = State<M>;

    fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    #[inline(always)]
    fn step<M: Mode>(&self, pc: u32, state: &mut State<M>) -> Step<u32> {
        let State { sum, left } = *state;
        if pc != 0 {
            state.left = left - 1;
            return if state.left < 0 { Step::Done } else { Step::Loop(0) };
        }
        let number = match self.fault {
            Fault::Step => Int::from(self.count()),
            Fault::Elidable | Fault::ElidableInDirect | Fault::None => count::<M>(self),
            _ => Int::from(1),
        };
        if self.fault == Fault::Event && self.count() % 2 == 0 {
            return Step::Next(1);
        }
        sum.set_total(sum.total() + number);
        if self.fault == Fault::Goal && self.count() % 2 == 0 { Step::Next(2) } else { Step::Next(1) }
    }

    fn loop_cell(&self, pc: u32) -> &LoopCell {
        &self.cells[pc as usize]
    }

    fn interrupt(&self, _pc: u32, _state: &mut State<Plain>, _why: Interrupt) -> bool {
        false
    }

    fn describe(&self, pc: u32) -> String {
        format!("position {pc}")
    }
}

fn run_wrong(fault: Fault) -> i64 {
    let mut options = Options::default();
    options.jit.threshold = 3;
    options.jit.enabled = fault != Fault::ElidableInDirect;
    options.jit.check_hints = true;
    let wrong =
        Wrong { runtime: Runtime::new(options), fault, counter: Cell::new(0), cells: Default::default() };
    let vm = Vm::new(&wrong);
    let state = State { sum: Sum::new(&wrong.runtime, Int::from(0)), left: Int::from(100) };
    vm.run(0, state).sum.total().get()
}

/// What the processes below run. On its own it has nothing to do.
#[test]
fn child() {
    let Ok(number) = std::env::var(FAULT) else { return };
    run_wrong(FAULTS[number.parse::<usize>().expect("a fault's number")].0);
}

#[test]
fn broken_promises_are_found() {
    for (number, (fault, message)) in FAULTS.iter().enumerate() {
        let program = std::env::current_exe().expect("this program");
        let output = Command::new(program)
            .args(["--exact", "hints::child", "--nocapture"])
            .env(FAULT, number.to_string())
            .output()
            .expect("the process");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(70), "{fault:?}: {said}");
        assert!(said.contains(message), "{fault:?}: {said}");
    }
}

#[test]
fn kept_promises_pass() {
    alone(|| assert_eq!(run_wrong(Fault::None), 101));
    for (name, text) in all() {
        let program = parse(text);
        let expected = alone(|| run(program, &Way::plain(), FUEL)).expect(name).outcome;
        for every in [None, Some(3)] {
            for gc_stress in [None, Some(1)] {
                let mut way = Way::eager(true, true, 2);
                way.jit.check_hints = true;
                way.jit.force_every = every;
                way.gc_stress = gc_stress;
                let found = alone(|| run(program, &way, FUEL)).expect(name).outcome;
                assert_eq!(found, expected, "{name}");
            }
        }
    }
}
