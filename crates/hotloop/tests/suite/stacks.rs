//! Runs on native stacks that are suspended and go on in any order, interpreted and compiled.

use hotloop::prelude::*;
use hotloop::{Left, LoopCell, Stacks};

/// What a run adds up.
#[heap_type]
struct Sum {
    total: Int,
}

#[derive(State)]
struct Machine<M: Mode> {
    sum: Sum<M>,
    left: Int<M>,
}

/// Runs a loop that is suspended in each iteration, and a nested run of it in the middle.
struct Pausing {
    runtime: Runtime,
    cell: LoopCell,
}

/// The stack is suspended; what lives on it only is still there afterwards.
#[residual(any)]
fn pause(pausing: &Pausing, number: Int<Plain>) -> Int<Plain> {
    let kept = Sum::<Plain>::new(&pausing.runtime, number);
    assert!(pausing.runtime.leave_stack(), "it runs on a stack that can be left");
    for other in 0..20 {
        Sum::<Plain>::new(&pausing.runtime, other.into());
    }
    kept.total()
}

impl Interpreter for Pausing {
    type Pc = u32;
    type State<M: Mode> = Machine<M>;

    fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    #[inline(always)]
    fn step<M: Mode>(&self, _: u32, state: &mut Machine<M>) -> Step<u32> {
        let number = pause::<M>(self, state.left);
        state.sum.set_total(state.sum.total() + number);
        state.left = state.left - 1;
        if state.left > 0 { Step::Loop(0) } else { Step::Done }
    }

    fn loop_cell(&self, _: u32) -> &LoopCell {
        &self.cell
    }

    fn interrupt(&self, _: u32, _: &mut Machine<Plain>, _: Interrupt) -> bool {
        false
    }
}

fn begin(pausing: &Pausing, stacks: &Stacks<'_, '_, Pausing>, count: i64) -> Left<Machine<Plain>> {
    let sum = Sum::new(&pausing.runtime, Int::from(0));
    stacks.run(0, Machine { sum, left: Int::from(count) }).expect("there are stacks")
}

/// Runs of several lengths take turns; each ends with its own sum.
fn turns(jit: &str, gc_stress: Option<u32>) {
    let mut options = Options { gc_stress, gc_verify: gc_stress.is_some(), ..Options::default() };
    options.jit.parse(jit).unwrap();
    let pausing = Pausing { runtime: Runtime::new(options), cell: LoopCell::default() };
    let vm = Vm::new(&pausing);
    assert!(!pausing.runtime.leave_stack(), "the thread's own stack can't be left");
    for round in 0..3 {
        vm.with_stacks(|stacks| {
            let mut waiting = Vec::new();
            for count in 1..=9 {
                match begin(&pausing, stacks, 7 * count) {
                    Left::Suspended(stack) => waiting.push((7 * count, stack)),
                    Left::Ended(_) => panic!("it pauses first"),
                }
            }
            let mut turn = round;
            while !waiting.is_empty() {
                turn = (turn * 5 + 3) % waiting.len();
                let (count, stack) = waiting[turn];
                if let Left::Ended(end) = stacks.resume(stack) {
                    assert_eq!(end.sum.total().get(), count * (count + 1) / 2, "{jit} {gc_stress:?}");
                    waiting.swap_remove(turn);
                }
            }
            // These never end.
            for _ in 0..3 {
                assert!(matches!(begin(&pausing, stacks, 5), Left::Suspended(_)));
            }
        });
        pausing.runtime.heap().collect();
    }
}

#[test]
fn suspended_runs_go_on_in_any_order() {
    for jit in [
        "off",
        "threshold=2",
        "threshold=2,backend=eval",
        "threshold=2,force_every=3",
        "threshold=2,check_hints",
    ] {
        turns(jit, None);
        turns(jit, Some(7));
    }
}

#[test]
fn there_are_only_so_many() {
    let pausing = Pausing { runtime: Runtime::new(Options::default()), cell: LoopCell::default() };
    let vm = Vm::new(&pausing);
    for _ in 0..2 {
        // Those that are left behind count.
        vm.with_stacks(|stacks| {
            for _ in 0..500 {
                assert!(matches!(begin(&pausing, stacks, 5), Left::Suspended(_)));
            }
        });
    }
    vm.with_stacks(|stacks| {
        let sum = Sum::new(&pausing.runtime, Int::from(0));
        let end = stacks.run(0, Machine { sum, left: Int::from(5) });
        assert!(end.err().is_some_and(|error| error.to_string().contains("no native stack")));
    });
}

#[test]
#[should_panic(expected = "native stack 3 is not suspended")]
fn what_is_not_suspended_does_not_go_on() {
    let pausing = Pausing { runtime: Runtime::new(Options::default()), cell: LoopCell::default() };
    Vm::new(&pausing).with_stacks(|stacks| {
        stacks.resume(3);
    });
}
