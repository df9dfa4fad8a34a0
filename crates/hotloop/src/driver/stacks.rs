//! Runs on native stacks of their own, which may be suspended and go on in any order.
//!
//! A native that a program calls may begin a run of the interpreter. While that one is at work, nothing else can go
//! on with what waits below it on the native stack. So who must switch between such runs begins each on a stack of
//! its own ([`Stacks::run`]), and any native called by it may suspend that stack
//! ([`Runtime::leave_stack`](crate::Runtime::leave_stack)): whoever let it run goes on, and may let any other run.
//!
//! ```text
//! thread's stack   with_stacks -> run(..) . . . . . . Suspended(0) -> run(..) . . . . Ended -> resume(0) . . .
//! stack 0                           step -> native -> suspend . . . . . . . . . . . . . . . -> step
//! stack 1                                                                step . . end
//! ```
//!
//! What belongs to a native stack (recorders at work, runs of code, which frame is waited for) is exchanged at each
//! change, in one place ([`Vm::change_stack`]). A suspended stack is scanned like the running one, from its stack
//! pointer on. One that is left suspended for good can't be unwound, as there may be frames of C on it: its memory
//! stays as long as the process.

use std::cell::{Cell, RefCell};

use corosensei::stack::{DefaultStack, Stack};
use corosensei::{Coroutine, CoroutineResult, Yielder};
use hotloop_codegen::{Context, OnStack};
use hotloop_record::Recorder;

use super::check::Checking;
use super::force::Made;
use super::{STACK_RESERVE, Vm};
use crate::interpreter::Interpreter;
use crate::{Plain, frames, watch};

/// The most stacks of a machine, those included that are left behind.
const MOST_STACKS: usize = 1000;

/// Bytes of a stack. It is memory only where it was used.
const STACK_SIZE: usize = 2 << 20;

/// The largest stack for what a program begins on.
const MOST_SIZE: usize = 64 << 20;

/// The most unused stacks that are kept.
const MOST_UNUSED: usize = 16;

/// How a run on a native stack stopped.
#[derive(Debug)]
pub enum Left<S> {
    /// It has ended in this state.
    Ended(S),
    /// A native has suspended it: the number by which it goes on.
    Suspended(usize),
}

/// There are too many native stacks, or there is no memory for one.
#[derive(Clone, Copy, Debug)]
pub struct NoStack;

impl std::fmt::Display for NoStack {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "no native stack is left (of {MOST_STACKS})")
    }
}
impl std::error::Error for NoStack {}

/// How the stack that runs is suspended, and where the last one was.
#[derive(Debug)]
pub(crate) struct Suspend {
    /// Null: it can't be.
    pub how: Cell<*const Yielder<(), ()>>,
    pub at: Cell<usize>,
}

impl Suspend {
    pub const fn new() -> Suspend {
        Suspend { how: Cell::new(std::ptr::null()), at: Cell::new(0) }
    }
}

type Native = Coroutine<(), (), (), DefaultStack>;

/// What of a machine belongs to a native stack that is not running.
#[derive(Default)]
pub(super) struct Parked {
    recorders: Vec<*const Recorder>,
    kept: Vec<u64>,
    made: Vec<Made>,
    pins: Vec<usize>,
    watch: u64,
    behind: u64,
    left_for_good: bool,
    target: OnStack,
    recording: hotloop_record::OnStack,
    runs: frames::OnStack,
    natives: watch::OnStack,
}

impl Parked {
    pub fn visit(&self, visit: &mut dyn FnMut(u64)) {
        self.kept.iter().for_each(|word| visit(*word));
        self.made.iter().flatten().flatten().for_each(|word| visit(*word));
        for recorder in &self.recorders {
            // SAFETY: it is in a frame of a stack that is suspended.
            unsafe { (**recorder).visit_words(visit) };
        }
    }

    pub fn target(&self) -> &OnStack {
        &self.target
    }

    pub fn pins(&self) -> &[usize] {
        &self.pins
    }
}

/// The stacks of a machine: by their numbers, and those that are not used.
#[derive(Default)]
pub(super) struct Pool {
    numbers: Vec<bool>,
    unused: Vec<DefaultStack>,
    /// How many are left behind.
    lost: usize,
    made: bool,
}

impl Pool {
    fn take(&mut self) -> Option<(usize, DefaultStack)> {
        let number = self.numbers.iter().position(|taken| !taken).unwrap_or(self.numbers.len());
        if number + self.lost >= MOST_STACKS {
            return None;
        }
        let stack = match self.unused.pop() {
            Some(stack) => stack,
            None => {
                let (low, high) = hotloop_gc::thread_stack();
                let first = !std::mem::replace(&mut self.made, true);
                // What a program begins on is as large as it would be without all this.
                let size = if first { (high - low).clamp(STACK_SIZE, MOST_SIZE) } else { STACK_SIZE };
                DefaultStack::new(size).ok()?
            }
        };
        if number == self.numbers.len() {
            self.numbers.push(false);
        }
        self.numbers[number] = true;
        Some((number, stack))
    }

    fn give(&mut self, number: usize, stack: DefaultStack) {
        self.numbers[number] = false;
        if self.unused.len() < MOST_UNUSED {
            self.unused.push(stack);
        }
    }
}

/// One that is at work or suspended.
struct One {
    native: Native,
    /// Its ends.
    low: usize,
    base: usize,
}

/// Where a run begins.
type Begin<I> = (<I as Interpreter>::Pc, <I as Interpreter>::State<Plain>);

/// Native stacks on which an interpreter runs: see [`Vm::with_stacks`].
pub struct Stacks<'v, 'i, I: Interpreter> {
    vm: &'v Vm<'i, I>,
    /// By number.
    all: RefCell<Vec<Option<One>>>,
    /// What the next one begins with.
    begin: Cell<Option<Begin<I>>>,
    /// What the last one ended with.
    end: Cell<Option<I::State<Plain>>>,
}

impl<I: Interpreter> std::fmt::Debug for Stacks<'_, '_, I> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Stacks").finish_non_exhaustive()
    }
}

impl<'i, I: Interpreter> Vm<'i, I> {
    /// Calls `work`, which can run programs on native stacks that may be suspended. Those that are still suspended
    /// when it is over never go on.
    pub fn with_stacks<T>(&self, work: impl FnOnce(&Stacks<'_, 'i, I>) -> T) -> T {
        let _checking = Checking::begin(self.checks_hints());
        let stacks =
            Stacks { vm: self, all: RefCell::default(), begin: Cell::new(None), end: Cell::new(None) };
        work(&stacks)
    }

    /// Exchanges what belongs to the stack that is left, which is in use from `at` on, with what belongs to the one
    /// that goes on, whose lowest address is `low`.
    fn change_stack(&self, number: usize, at: usize, low: usize) {
        let context = self.interpreter.runtime().context();
        let mut all = self.parked.borrow_mut();
        if all.len() <= number {
            all.resize_with(number + 1, Parked::default);
        }
        let parked = &mut all[number];
        std::mem::swap(&mut *self.recorders.borrow_mut(), &mut parked.recorders);
        std::mem::swap(&mut *self.kept.borrow_mut(), &mut parked.kept);
        std::mem::swap(&mut *self.made.borrow_mut(), &mut parked.made);
        std::mem::swap(&mut self.tables.borrow_mut().pins, &mut parked.pins);
        parked.watch = self.watch.replace(parked.watch);
        parked.behind = self.behind.replace(parked.behind);
        parked.left_for_good = self.left_for_good.replace(parked.left_for_good);
        let mutable = std::ptr::from_ref(context).cast_mut();
        // SAFETY: the context is that of all runs of this machine, and lives for ever.
        unsafe { self.target.change_stack(mutable, &mut parked.target) };
        parked.target.low = at;
        parked.recording.exchange();
        parked.runs.exchange(context);
        parked.natives.exchange();
        self.limit_stack(context, low);
    }

    fn limit_stack(&self, context: &Context, low: usize) {
        self.stack_limit.set(low + STACK_RESERVE);
        context.poll.set_stack_limit(low + STACK_RESERVE);
    }
}

impl<I: Interpreter> Stacks<'_, '_, I> {
    /// Runs from `pc` in `state`, on a stack of its own, until the end or until it is suspended.
    ///
    /// # Errors
    /// There is no stack left.
    pub fn run(&self, pc: I::Pc, state: I::State<Plain>) -> Result<Left<I::State<Plain>>, NoStack> {
        let (number, stack) = self.vm.pool.borrow_mut().take().ok_or(NoStack)?;
        let (low, base) = (stack.limit().get() + PAGE, stack.base().get());
        let this = std::ptr::from_ref(self).cast::<()>();
        let native = Native::with_stack(stack, move |suspend, ()| {
            // SAFETY: a stack runs and goes on only within methods of this object, at the same address.
            let this = unsafe { &*this.cast::<Stacks<'_, '_, I>>() };
            this.vm.interpreter.runtime().suspend().how.set(suspend);
            if let Some((pc, state)) = this.begin.take() {
                this.end.set(Some(this.vm.run(pc, state)));
            }
        });
        let mut all = self.all.borrow_mut();
        if all.len() <= number {
            all.resize_with(number + 1, || None);
        }
        all[number] = Some(One { native, low, base });
        drop(all);
        self.begin.set(Some((pc, state)));
        Ok(self.resume(number))
    }

    /// Goes on with a suspended stack until its run ends, or until it is suspended again.
    ///
    /// # Panics
    /// If there is no such stack.
    pub fn resume(&self, number: usize) -> Left<I::State<Plain>> {
        /// Back on the calling stack, whether the other has come back or panicked.
        struct Back<'a, 'v, 'i, I: Interpreter> {
            stacks: &'a Stacks<'v, 'i, I>,
            number: usize,
            limit: usize,
            how: *const Yielder<(), ()>,
        }
        impl<I: Interpreter> Drop for Back<'_, '_, '_, I> {
            fn drop(&mut self) {
                let vm = self.stacks.vm;
                let suspend = vm.interpreter.runtime().suspend();
                suspend.how.set(self.how);
                vm.change_stack(self.number, suspend.at.get(), self.limit - STACK_RESERVE);
            }
        }
        let one = self.all.borrow_mut().get_mut(number).and_then(Option::take);
        let Some(mut one) = one else { panic!("native stack {number} is not suspended") };
        let runtime = self.vm.interpreter.runtime();
        // Steps look at frames without asking.
        frames::force_all();
        let (limit, how) = (self.vm.stack_limit.get(), runtime.suspend().how.get());
        let back = Back { stacks: self, number, limit, how };
        self.vm.change_stack(number, (&raw const back).addr(), one.low);
        let base: *const u8 = std::ptr::with_exposed_provenance(one.base);
        let native = &mut one.native;
        // SAFETY: the stack that runs meanwhile ends there; this one goes on when it is back.
        let left = unsafe { runtime.heap().leave_stack(base, || native.resume(())) };
        drop(back);
        match left {
            CoroutineResult::Yield(()) => {
                self.all.borrow_mut()[number] = Some(one);
                Left::Suspended(number)
            }
            CoroutineResult::Return(()) => {
                self.vm.pool.borrow_mut().give(number, one.native.into_stack());
                match self.end.take() {
                    Some(end) => Left::Ended(end),
                    None => unreachable!("a run that has ended left its state"),
                }
            }
        }
    }
}

/// Below this there is the page that ends the process.
const PAGE: usize = 4096;

/// What is suspended stays so: nothing can unwind the frames of C.
impl<I: Interpreter> Drop for Stacks<'_, '_, I> {
    fn drop(&mut self) {
        let heap = self.vm.interpreter.runtime().heap();
        for (number, one) in self.all.take().into_iter().enumerate() {
            let Some(one) = one else { continue };
            heap.forget_stack(std::ptr::with_exposed_provenance(one.base));
            self.vm.parked.borrow_mut()[number] = Parked::default();
            let mut pool = self.vm.pool.borrow_mut();
            pool.numbers[number] = false;
            pool.lost += 1;
            std::mem::forget(one.native);
        }
    }
}
