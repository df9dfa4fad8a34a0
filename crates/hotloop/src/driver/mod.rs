//! The driver: the dispatch loop, the counters, entering and leaving compiled code.
//!
//! ```text
//! direct.rs   the dispatch loop in Direct mode            hot back edge ->
//! hot.rs      what to do there: run code, record, poll     ->
//! record.rs   the dispatch loop in Meta mode, recording    -> trace
//! entries.rs  calls of compiled entries, and how they return
//! compile.rs  trace -> optimizer -> target -> tables
//! force.rs    a native looks at frames that a trace keeps to itself
//! leave.rs    a guard failed: rebuild, replay, or record a bridge
//! check.rs    do the author's promises hold? (check_hints)
//! life.rs     what was compiled is freed
//! stacks.rs   runs on native stacks that may be suspended
//! tables.rs   positions, loops, traces, guards
//! ```

mod calls;
mod check;
mod compile;
mod direct;
mod entries;
mod force;
mod hot;
mod leave;
mod life;
mod record;
mod returns;
mod stacks;
mod tables;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use hotloop_codegen::{Context, Eval, Target};
use hotloop_gc::{Heap, TypeId};
use hotloop_ir::{FieldKind, Live, Mutability, Ty, TypeRef};
use hotloop_record::{Recorder, Red};

use crate::Plain;
use crate::interpreter::{Interpreter, RedState, Step};
use crate::mode::{Direct, Meta, Mode};
use force::Made;
use tables::Tables;

pub use stacks::{Left, NoStack, Stacks};
pub use tables::{LoopCell, Summary};

pub(crate) use stacks::Suspend;

/// The context that running code shares with the runtime; it lives for ever.
pub(crate) fn context(heap: &Heap) -> &'static Context {
    extern "C" fn allocate(heap: *const (), header: u64, size: usize) -> *mut u8 {
        // SAFETY: traces hand over what `context` put there: the region of a heap that outlives its traces;
        // header and size come from type descriptors.
        unsafe { hotloop_gc::alloc_slow(heap.cast_mut().cast(), header, size) }
    }
    extern "C" fn remember(object: *mut u8) {
        // SAFETY: traces store into live objects of their thread's heap.
        unsafe { hotloop_gc::remember(object) };
    }
    const { assert!(hotloop_codegen::MAX_BUMP == hotloop_gc::MAX_BUMP_BYTES) };
    let mut context = Context::new(heap.bump().cast_const().cast(), allocate);
    context.bump = heap.bump().cast();
    context.header_bits = heap.header_bits();
    context.remember = remember;
    Box::leak(Box::new(context))
}

/// Traces that call each other leave so much of the machine stack to what they call.
const STACK_RESERVE: usize = 512 << 10;

/// What happens next, in terms of the interpreter.
#[derive(Clone, Copy, Debug)]
enum Next<P> {
    /// An instruction did this.
    After(Step<P>),
    /// The instruction at this position is executed (the flag: an exception is pending there).
    At(P, bool),
}

impl<P: Copy> Next<P> {
    /// The position, and whether an exception is pending there; nothing at the program's end.
    fn at(self) -> Option<(P, bool)> {
        match self {
            Next::At(pc, raising) => Some((pc, raising)),
            Next::After(step) => step.place().map(|pc| (pc, matches!(step, Step::Raise(_)))),
        }
    }
}

/// Runs programs of one interpreter, and owns what was compiled for them.
pub struct Vm<'i, I: Interpreter> {
    interpreter: &'i I,
    target: Box<dyn Target>,
    /// The types of the red state.
    types: Vec<Ty>,
    /// The machine stack that runs ends there, but for room for what traces call.
    stack_limit: Cell<usize>,
    /// What belongs to stacks that are not running, by their numbers.
    parked: Rc<RefCell<Vec<stacks::Parked>>>,
    pool: RefCell<stacks::Pool>,
    tables: Rc<RefCell<Tables<I::Pc>>>,
    /// Recorders at work, innermost last; their words are roots.
    recorders: Rc<RefCell<Vec<*const Recorder>>>,
    /// The frame that the dispatch loop is to come back to; 0: none.
    watch: Cell<u64>,
    /// The frame that called that one: is it current, the other was left on the way. 0: none.
    behind: Cell<u64>,
    /// The last run ended at an exit that stays one.
    left_for_good: Cell<bool>,
    /// Recorded steps, for `check_hints`, and how many were followed again.
    history: Rc<RefCell<Vec<check::Past<I::Pc>>>>,
    rechecked: Cell<usize>,
    /// Words that must stay alive while a state is rebuilt.
    kept: Rc<RefCell<Vec<u64>>>,
    /// For each run of compiled code, outermost first: what was made for who looks at its frames.
    made: Rc<RefCell<Vec<Made>>>,
    roots: Option<hotloop_gc::RootsId>,
    /// How often code was asked for.
    attempts: Cell<u32>,
    /// Invalidations of this thread before this machine was made.
    invalidations: u64,
}

impl<I: Interpreter> std::fmt::Debug for Vm<'_, I> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vm").finish_non_exhaustive()
    }
}

impl<'i, I: Interpreter> Vm<'i, I> {
    /// A machine for this interpreter; nothing is compiled yet.
    pub fn new(interpreter: &'i I) -> Vm<'i, I> {
        let jit = interpreter.runtime().jit();
        let options = hotloop_codegen::Options {
            force: jit.force.map(|(guard, at)| hotloop_codegen::Force { guard, at }),
            force_every: jit.force_every,
            code_limit: jit.max_code as usize,
            header_bits: interpreter.runtime().heap().header_bits(),
        };
        let target = target(jit.native && jit.enabled, options);
        let tables: Rc<RefCell<Tables<I::Pc>>> = Rc::default();
        let recorders: Rc<RefCell<Vec<*const Recorder>>> = Rc::default();
        let kept: Rc<RefCell<Vec<u64>>> = Rc::default();
        let made: Rc<RefCell<Vec<Made>>> = Rc::default();
        let (rooted, recording, words) = (tables.clone(), recorders.clone(), kept.clone());
        let objects = made.clone();
        let parked: Rc<RefCell<Vec<stacks::Parked>>> = Rc::default();
        let others = parked.clone();
        let history: Rc<RefCell<Vec<check::Past<I::Pc>>>> = Rc::default();
        let past = history.clone();
        let roots = interpreter.runtime().heap().add_roots(Box::new(move |visit| {
            // The tables are never borrowed across an allocation.
            rooted.borrow().constants(visit);
            words.borrow().iter().for_each(|word| visit(*word));
            objects.borrow().iter().flatten().flatten().for_each(|word| visit(*word));
            past.borrow().iter().for_each(|step| step.visit(visit));
            crate::watch::visit(visit);
            others.borrow().iter().for_each(|stack| stack.visit(visit));
            for recorder in recording.borrow().iter() {
                // SAFETY: recorders are taken off this list before they go away, and no reference to one is
                // in use while an allocation may collect (see `Mode::allocate` and `hotloop_record::call`).
                unsafe { (**recorder).visit_words(visit) };
            }
        }));
        let invalidations = hotloop_record::stable::invalidations();
        let kinds = <I::State<Direct> as RedState<Direct>>::kinds();
        Vm {
            interpreter,
            target,
            types: kinds.iter().map(|kind| kind.ty()).collect(),
            stack_limit: Cell::new(hotloop_gc::thread_stack().0 + STACK_RESERVE),
            parked,
            pool: RefCell::default(),
            tables,
            recorders,
            history,
            rechecked: Cell::new(0),
            watch: Cell::new(0),
            behind: Cell::new(0),
            left_for_good: Cell::new(false),
            kept,
            made,
            roots: Some(roots),
            attempts: Cell::new(0),
            invalidations,
        }
    }

    /// Runs from `pc` in `state` until [`Step::Done`], and gives the state back.
    pub fn run(&self, pc: I::Pc, state: I::State<Plain>) -> I::State<Plain> {
        self.interpreter.runtime().context().poll.set_stack_limit(self.stack_limit.get());
        // Steps look at frames without asking.
        crate::frames::force_all();
        let check = self.checks_hints();
        let _checking = check::Checking::begin(check);
        let end = self.drive(Next::At(pc, false), Self::in_mode(&state));
        if check {
            self.check_all();
        }
        Self::in_mode(&end)
    }

    /// The same state in another mode of plain words.
    fn in_mode<A, B>(state: &I::State<A>) -> I::State<B>
    where
        A: Mode<Word = u64>,
        B: Mode<Word = u64>,
    {
        let (words, greens) = Self::parts(state);
        RedState::load(&words, &greens)
    }

    /// A recording or compiled code goes on with the red words of a state: it may keep references to frames.
    fn share(&self, words: &[u64]) {
        for (word, ty) in words.iter().zip(&self.types) {
            if *ty == Ty::Ref && *word != 0 {
                Direct::share(*word);
            }
        }
    }

    /// The red words of a state, and its plain part.
    fn parts<M: Mode>(state: &I::State<M>) -> (Vec<M::Word>, Vec<u64>) {
        let (mut words, mut greens) = (Vec::with_capacity(16), Vec::new());
        state.save(&mut words);
        state.greens(&mut greens);
        (words, greens)
    }

    /// A state of words that the trace knows nothing of.
    fn unrecorded(words: &[u64], greens: &[u64]) -> I::State<Meta> {
        let reds: Vec<Red> = words.iter().map(|bits| Red::constant(*bits)).collect();
        RedState::load(&reds, greens)
    }

    /// The state as it is, without what is recorded of it.
    fn executed(state: &I::State<Meta>) -> I::State<Direct> {
        let (reds, greens) = Self::parts(state);
        let words: Vec<u64> = reds.iter().map(|red| red.bits).collect();
        RedState::load(&words, &greens)
    }

    /// Whether the author's promises are put to the test.
    fn checks_hints(&self) -> bool {
        self.interpreter.runtime().options().jit.check_hints
    }

    /// What was compiled so far, in numbers.
    pub fn summary(&self) -> Summary {
        let invalidated = hotloop_record::stable::invalidations() - self.invalidations;
        Summary { invalidated, ..self.tables.borrow().summary.clone() }
    }

    /// How many guards the compiled traces have; they are numbered in the order of compilation.
    pub fn guard_count(&self) -> u32 {
        self.tables.borrow().guards.len() as u32
    }

    /// Writes the `jit-summary` and `gc-summary` sections of the log, if they are wanted.
    pub fn log_summary(&self) {
        let summary = self.summary();
        let runtime = self.interpreter.runtime();
        runtime.log().write(hotloop_log::Section::Summary, "totals", summary);
        runtime.log().write(hotloop_log::Section::Collector, "totals", runtime.heap().stats());
    }

    /// Where the frame is in the red state, if it is a virtualizable.
    fn frame() -> Option<(usize, TypeRef)> {
        let (index, cell) = <I::State<Meta> as RedState<Meta>>::frame()?;
        let ty = cell.type_ref();
        ty.get().virtualizable.then_some((index, ty))
    }

    fn is_immutable(ty: TypeRef, slot: usize) -> bool {
        Self::mutability(ty, slot) == Some(Mutability::Immutable)
    }

    /// Whether a slot of the current frame does, of which these items are live.
    fn means_something(ty: TypeRef, slot: usize, live: Live) -> bool {
        match Self::mutability(ty, slot) {
            Some(mutability) => mutability != Mutability::Waiting,
            None => live.has((slot - ty.get().fields.len()) as u32),
        }
    }

    /// Of a field.
    fn mutability(ty: TypeRef, slot: usize) -> Option<Mutability> {
        Some(ty.get().fields.get(slot)?.get().mutability)
    }

    /// Whether a word of this kind is the address of a frame.
    fn is_frame(kind: FieldKind, word: u64) -> bool {
        let number = |object: u64| <Direct as crate::mode::Mode>::type_number(object) as u32;
        kind == FieldKind::Ref
            && word != 0
            && Self::frame().is_some_and(|(_, ty)| ty.get().id == number(word))
    }

    fn allocate(&self, ty: TypeRef, items: u32) -> u64 {
        let descr = ty.get();
        let items_size = descr.items.map_or(0, |(kind, _)| kind.size()) * items;
        let size = (descr.fixed_size + items_size + 7) & !7;
        self.interpreter.runtime().heap().alloc(TypeId(descr.id), size as usize, items) as u64
    }
}

impl<I: Interpreter> Drop for Vm<'_, I> {
    fn drop(&mut self) {
        if let Some(roots) = self.roots.take() {
            self.interpreter.runtime().heap().remove_roots(roots);
        }
    }
}

fn target(native: bool, options: hotloop_codegen::Options) -> Box<dyn Target> {
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    if native {
        // Without executable memory (a locked-down system) traces are evaluated.
        if let Ok(target) = hotloop_codegen::x64::X64::new(options.clone()) {
            return Box::new(target);
        }
    }
    let _ = native;
    Box::new(Eval::new(options))
}
