//! `check_hints` finds broken promises, and nothing where there are none.

use std::cell::Cell;
use std::process::Command;

use hotloop::prelude::*;

use crate::programs::{all, parse};
use crate::run::{FUEL, Way, alone, run};

const FAULT: &str = "TINY_FAULT";

macro_rules! faults {
    ($($fault:ident $message:literal)*) => {
        /// What is wrong with the language below.
        #[derive(Clone, Copy, PartialEq, Debug)]
        enum Fault { None, $($fault),* }

        const FAULTS: &[(Fault, &str)] = &[$((Fault::$fault, $message)),*];
    };
}

// Each with what is said of it; where the program stood is said of all.
faults! {
    // A step computes with what it keeps in a cell; writes the heap or not by it; goes elsewhere by it.
    Step "the step at position 0 is not deterministic"
    Event "the step at position 0 is not deterministic"
    Goal "the step at position 0 is not deterministic"
    // What a step sees in green data, or in an immutable field, changes after a trace was made.
    Green "the step at position 0, again after it was recorded, is not deterministic"
    Memory "the step at position 0, again after it was recorded, is not deterministic"
    LiveItems "live_items at position 0 was"
    DeadItem "the step at position 0 reads item 1 of its frame, which `live_items` said was dead"
    WaitingField "the step at position 0 reads `at` of its frame, which means something only in frames that wait"
    LoopCell "loop_cell of position 0 is another one each time"
    // A function that counts is called elidable; the same without traces; one whose answer changes later.
    Elidable "`count` is not elidable: it answered 0x1, then 0x2"
    ElidableInDirect "`count` is not elidable"
    ElidableLater "`is_late` is not elidable: it answered 0x0 at position 0, and later 0x1"
    ElidableReads "`total_of` is not elidable: it reads `Sum.total`, which may change"
    ElidableReadsStable "`version_of` is not elidable: it reads `Thing.version`, which may change"
    ElidableReadsItem "`first_of` is not elidable: it reads an item of a `Table`, which may change"
    ElidableWrites "`set_total` is not elidable: it writes `Sum.total`"
    ImmutableField "`change_kind` writes `Thing.kind`, which is immutable"
    ImmutableItem "`change_row` writes an item of a `Row`, which is immutable"
    ReadsWrites "`tally` writes `Sum.total`, but is declared to write nothing"
    ReadsWritesItem "`put` writes an item of a `Table`, but is declared to write nothing"
    // In compiled code only.
    ReadsWritesLate "`tally_late` writes `Sum.total`, but is declared to write nothing"
    WritesLooksAtFrame "`peek_page` looks at an item of a `Page`, which is a frame, but its effect is not `any`"
    Invariant "`era` is not loop-invariant: it answered"
    InvariantLate "`late_era` is not loop-invariant: it answered"
    InvariantWrites "`era_tally` writes `Sum.total`, but is declared to write nothing"
    NotInTraceWrites "`note` writes `Sum.total`, but is declared to write nothing"
    LookInsideWrites "`add_up_called` writes `Sum.total`, but is declared to write nothing"
    AssumeWord "a word was said to be 0x5, but is"
    AssumeSmall "a word was said to be 0x1, but is 0x0"
    AssumeType "an object was said to be a Sum, but is a Thing"
    KnownResult "`double` was said to answer 0x3, but answers 0xc8"
}

#[heap_type]
struct Sum {
    total: Int,
}

#[heap_type]
struct Thing {
    #[immutable]
    kind: Int,
    #[stable]
    version: Int,
}

#[heap_type]
struct Row {
    #[immutable]
    items: [Int],
}

#[heap_type]
struct Table {
    items: [Int],
}

#[heap_type(virtualizable)]
struct Page {
    #[waiting]
    at: Int,
    slots: [Int],
}

#[derive(State)]
struct State<M: Mode> {
    sum: Sum<M>,
    thing: Thing<M>,
    row: Row<M>,
    table: Table<M>,
    #[frame]
    page: Page<M>,
    left: Int<M>,
}

struct Wrong {
    runtime: Runtime,
    fault: Fault,
    counter: Cell<i64>,
    /// Iterations so far.
    ticks: Cell<i64>,
    cells: [LoopCell; 4],
}

impl Wrong {
    fn count(&self) -> i64 {
        self.counter.set(self.counter.get() + 1);
        self.counter.get()
    }

    fn is_late(&self) -> bool {
        self.ticks.get() > 50
    }
}

#[residual]
fn tick(wrong: &Wrong) {
    wrong.ticks.set(wrong.ticks.get() + 1);
}

#[elidable]
fn count(wrong: &Wrong) -> Int<Plain> {
    Int::from(if wrong.fault == Fault::None { 1 } else { wrong.count() })
}

#[elidable]
fn is_late(wrong: &Wrong) -> Int<Plain> {
    Int::from(wrong.is_late() as i64)
}

#[elidable]
fn total_of(sum: Sum<Plain>) -> Int<Plain> {
    sum.total()
}

#[elidable]
fn version_of(thing: Thing<Plain>) -> Int<Plain> {
    thing.version()
}

#[elidable]
fn kind_of(thing: Thing<Plain>) -> Int<Plain> {
    thing.kind()
}

/// Keeps what it found in the object: its own affair.
#[elidable(caches)]
fn remembered(sum: Sum<Plain>, number: Int<Plain>) -> Int<Plain> {
    let before = sum.total();
    sum.set_total(number);
    sum.set_total(before);
    number
}

#[elidable]
fn first_of(table: Table<Plain>) -> Int<Plain> {
    table.items(0)
}

#[elidable]
fn set_total(sum: Sum<Plain>) -> Int<Plain> {
    sum.set_total(Int::from(0));
    Int::from(0)
}

#[elidable(known)]
fn double(number: Int<Plain>) -> Int<Plain> {
    number + number
}

#[residual(writes)]
fn change_kind(thing: Thing<Plain>) {
    thing.set_kind(Int::from(3));
}

#[residual(writes)]
fn change_row(row: Row<Plain>) {
    row.set_items(0, Int::from(3));
}

/// New objects may be written by who made them.
#[residual(reads)]
fn new_row(wrong: &Wrong) -> Row<Plain> {
    let row = Row::new(&wrong.runtime, 2);
    row.set_items(0, Int::from(1));
    row
}

#[residual(reads)]
fn tally(sum: Sum<Plain>) {
    sum.set_total(sum.total() + 1);
}

#[residual(reads)]
fn tally_late(wrong: &Wrong, sum: Sum<Plain>) {
    if wrong.is_late() {
        sum.set_total(sum.total() + 1);
    }
}

#[residual(reads)]
fn put(table: Table<Plain>) {
    table.set_items(0, Int::from(1));
}

#[residual(writes)]
fn peek_page(page: Page<Plain>) -> Int<Plain> {
    page.slots(0)
}

#[loop_invariant]
fn era(wrong: &Wrong) -> Int<Plain> {
    Int::from(if wrong.fault == Fault::None { 1 } else { wrong.count() })
}

#[loop_invariant]
fn late_era(wrong: &Wrong) -> Int<Plain> {
    Int::from(wrong.is_late() as i64)
}

#[loop_invariant]
fn era_tally(sum: Sum<Plain>) -> Int<Plain> {
    sum.set_total(Int::from(1));
    Int::from(1)
}

#[not_in_trace]
fn note(wrong: &Wrong, sum: Sum<Plain>) {
    if wrong.fault != Fault::None {
        sum.set_total(Int::from(1));
    }
}

fn never<M: Mode>(sum: Sum<M>) -> bool {
    let _ = sum;
    false
}

#[look_inside_iff(never, reads)]
fn add_up<M: Mode>(sum: Sum<M>) {
    sum.set_total(sum.total() + 1);
}

/// Writes an immutable field behind everybody's back.
#[residual(writes)]
fn poke_kind(wrong: &Wrong, thing: Thing<Plain>) {
    if wrong.is_late() {
        let address = (thing.to_value().raw() & !7) + 8;
        // SAFETY: the first field of a live object.
        unsafe { *(address as *mut i64) = 77 };
    }
}

impl Interpreter for Wrong {
    type Pc = u32;
    type State<M: Mode> = State<M>;

    fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    #[inline(always)]
    fn step<M: Mode>(&self, pc: u32, state: &mut State<M>) -> Step<u32> {
        let State { sum, thing, row, table, page, left } = *state;
        if pc != 0 {
            tick::<M>(self);
            state.left = left - 1;
            return if state.left < 0 { Step::Done } else { Step::Loop(0) };
        }
        let number = match self.fault {
            Fault::Step => Int::from(self.count()),
            Fault::Green => Int::from(self.is_late() as i64),
            Fault::Memory => {
                poke_kind::<M>(self, thing);
                thing.promote().kind()
            }
            Fault::Elidable | Fault::ElidableInDirect => count::<M>(self),
            Fault::ElidableLater => is_late::<M>(self),
            Fault::ElidableReads => total_of::<M>(sum),
            Fault::ElidableReadsStable => version_of::<M>(thing),
            Fault::ElidableReadsItem => first_of::<M>(table),
            Fault::ElidableWrites => set_total::<M>(sum),
            Fault::DeadItem => page.slots(1),
            Fault::WaitingField => page.at(),
            Fault::WritesLooksAtFrame => peek_page::<M>(page),
            Fault::Invariant => era::<M>(self) + era::<M>(self),
            Fault::InvariantLate => late_era::<M>(self),
            Fault::InvariantWrites => era_tally::<M>(sum),
            Fault::AssumeWord => Int::from(left.assume(5)),
            Fault::AssumeSmall => Small::assume(left + (1i64 << 62)).to_int(),
            Fault::KnownResult => {
                double_known::<M>(Int::from(3), Int::from(100));
                Int::from(1)
            }
            Fault::None => {
                note::<M>(self, sum);
                double_known::<M>(left + left, left);
                let new = new_row::<M>(self);
                let numbers = count::<M>(self) + era::<M>(self) + new.items(0) + double::<M>(left);
                numbers + kind_of::<M>(thing) + remembered::<M>(sum, left) - left * 3 - 3
            }
            _ => Int::from(1),
        };
        match self.fault {
            Fault::ImmutableField => change_kind::<M>(thing),
            Fault::ImmutableItem => change_row::<M>(row),
            Fault::ReadsWrites => tally::<M>(sum),
            Fault::ReadsWritesItem => put::<M>(table),
            Fault::ReadsWritesLate => tally_late::<M>(self, sum),
            Fault::NotInTraceWrites => note::<M>(self, sum),
            Fault::LookInsideWrites => add_up::<M>(sum),
            Fault::AssumeType => {
                // SAFETY: it is not true, but found before anyone relies on it.
                let wrong = unsafe { thing.to_value().assume::<Sum<M>>() };
                sum.set_total(wrong.total());
            }
            _ => {}
        }
        if self.fault == Fault::Event && self.count() % 2 == 0 {
            return Step::Next(1);
        }
        sum.set_total(sum.total() + number);
        if self.fault == Fault::Goal && self.count() % 2 == 0 { Step::Next(2) } else { Step::Next(1) }
    }

    fn loop_cell(&self, pc: u32) -> &LoopCell {
        let other = self.fault == Fault::LoopCell && self.is_late();
        &self.cells[if other { 3 } else { pc as usize }]
    }

    fn live_items(&self, _pc: u32) -> Live {
        match self.fault {
            Fault::LiveItems => Live::below(self.count() as u32),
            Fault::DeadItem => Live::below(1),
            _ => Live::ALL,
        }
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
    let wrong = Wrong {
        runtime: Runtime::new(options),
        fault,
        counter: Cell::new(0),
        ticks: Cell::new(0),
        cells: Default::default(),
    };
    let runtime = &wrong.runtime;
    let vm = Vm::new(&wrong);
    let state = State {
        sum: Sum::new(runtime, Int::from(0)),
        thing: Thing::new(runtime, Int::from(1), Int::from(0)),
        row: Row::new(runtime, 2),
        table: Table::new(runtime, 2),
        page: Page::new(runtime, 0.into(), 2),
        left: Int::from(100),
    };
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
    let mut missed = Vec::new();
    for (number, (fault, message)) in FAULTS.iter().enumerate() {
        let program = std::env::current_exe().expect("this program");
        let output = Command::new(program)
            .args(["--exact", "hints::child", "--nocapture"])
            .env(FAULT, number.to_string())
            .output()
            .expect("the process");
        let said = String::from_utf8_lossy(&output.stderr);
        // The function or the field, and the program's line.
        let found = output.status.code() == Some(70) && said.contains(message) && said.contains("position 0");
        if !found {
            missed.push(format!("{fault:?}: {}: {said}", output.status));
        }
    }
    assert!(missed.is_empty(), "not found:\n{}", missed.join("\n"));
}

#[test]
fn kept_promises_pass() {
    alone(|| assert_eq!(run_wrong(Fault::None), 101));
    for (name, text) in all() {
        let program = parse(text);
        let expected = alone(|| run(program, &Way::plain(), FUEL)).expect(name).outcome;
        for (every, gc_stress) in [(None, None), (Some(3), None), (Some(3), Some(2))] {
            let mut way = Way::eager(true, true, 2);
            way.jit.check_hints = true;
            way.jit.force_every = every;
            way.gc_stress = gc_stress;
            let found = alone(|| run(program, &way, FUEL)).expect(name).outcome;
            assert_eq!(found, expected, "{name}");
        }
    }
}
