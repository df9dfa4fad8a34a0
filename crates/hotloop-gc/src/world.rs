//! What belongs to the process: the one MMTk instance, its worker threads, and the handshake by
//! which the one mutator stops for a collection.
//!
//! A collection, step by step:
//!
//! 1. The mutator asks MMTk for a collection and then blocks ([`block_mutator`]). First it gathers
//!    its roots: words of its stack and registers and what the root scanners report.
//! 2. A worker waits for that ([`wait_until_blocked`]), then the workers trace from the roots and
//!    free the rest.
//! 3. A worker resumes the mutator ([`resume`]), which takes note of what survived.
//!
//! Invariant: there is at most one [`HeapInner`] at a time ([`enter`], [`leave`]), and while the
//! mutator is blocked nobody but the workers touches it.

use crate::binding::Hotloop;
use crate::heap::HeapInner;
use crate::scan::WorkerState;
use mmtk::memory_manager::{bind_mutator, initialize_collection, mmtk_init};
use mmtk::util::opaque_pointer::{OpaquePointer, VMMutatorThread, VMThread, VMWorkerThread};
use mmtk::util::options::{GCTriggerSelector, PlanSelector};
use mmtk::util::{Address, ObjectReference};
use mmtk::{MMTK, MMTKBuilder, Mutator};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock};
use std::thread::ThreadId;

/// The alignment in bytes of every object.
pub(crate) const MIN_ALIGNMENT: usize = 8;
/// The number of collector threads. Two were slower; see the crate's documentation.
const WORKERS: usize = 1;

/// The process's MMTk instance; initialised by the first caller, others wait.
pub(crate) fn mmtk() -> &'static MMTK<Hotloop> {
    static INSTANCE: OnceLock<&'static MMTK<Hotloop>> = OnceLock::new();
    INSTANCE.get_or_init(|| {
        // Environment variables do not change the collector under the program.
        let mut builder = MMTKBuilder::new_no_env_vars();
        let options = &mut builder.options;
        let mut accepted = options.plan.set(PlanSelector::Immix);
        accepted &= options.threads.set(WORKERS);
        accepted &= options.gc_trigger.set(GCTriggerSelector::Delegated);
        accepted &= options.no_finalizer.set(true);
        accepted &= options.no_reference_types.set(true);
        assert!(accepted, "MMTk refuses an option");
        let instance: &'static MMTK<Hotloop> = Box::leak(mmtk_init(&builder));
        initialize_collection(instance, VMThread::UNINITIALIZED);
        instance
    })
}

/// Starts the initialisation of the process's heap on another thread and returns at once.
///
/// It takes about 7 ms of processor time, most of it spent in reserving address space for the
/// collector's tables. A program that has something else to do before it makes its first
/// [`Heap`](crate::Heap) calls this first; `Heap::new` then waits for what is left of it.
pub fn prepare() {
    // Without a thread, `Heap::new` does the work.
    let _ = std::thread::Builder::new().name("hotloop-gc-init".into()).spawn(|| {
        mmtk();
    });
}

/// What the workers count, one for each.
static WORKER_STATES: [WorkerState; WORKERS] = [const { WorkerState::new() }; WORKERS];

/// Runs a collector thread. A panic in it would leave the mutator waiting for ever, so it ends
/// the process.
pub(crate) fn spawn_worker(worker: Box<mmtk::scheduler::GCWorker<Hotloop>>) {
    static STARTED: AtomicUsize = AtomicUsize::new(0);
    let state = &WORKER_STATES[STARTED.fetch_add(1, Ordering::Relaxed)];
    let address = Address::from_ref(state);
    let spawned = std::thread::Builder::new().name("hotloop-gc".into()).spawn(move || {
        let thread = VMWorkerThread(VMThread(OpaquePointer::from_address(address)));
        let run = AssertUnwindSafe(|| mmtk::memory_manager::start_worker(mmtk(), thread, worker));
        if catch_unwind(run).is_err() {
            std::process::abort();
        }
    });
    if let Err(error) = spawned {
        out_of_memory(&format!("no collector thread ({error})"));
    }
}

/// Ends the process because there is no memory to go on with.
#[cold]
pub(crate) fn out_of_memory(why: &str) -> ! {
    eprintln!("hotloop: out of memory: {why}");
    std::process::exit(1)
}

/// The heap that is alive, or null.
static CURRENT: AtomicPtr<HeapInner> = AtomicPtr::new(std::ptr::null_mut());

/// Whose turn it is to have a heap, and what it inherits.
struct Turn {
    /// The thread of the heap that is alive.
    owner: Option<ThreadId>,
    /// Bytes allocated since the last collection by heaps that are gone.
    left_behind: usize,
}

static TURN: Mutex<Turn> = Mutex::new(Turn { owner: None, left_behind: 0 });
static TURN_ENDED: Condvar = Condvar::new();

/// A lock that does not mind a panic elsewhere: the data behind these mutexes is always whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Waits until no heap is alive and claims the process for a new one; returns the bytes that
/// earlier heaps allocated after the last collection.
///
/// # Panics
///
/// If the calling thread itself owns the heap that is alive: it would wait for ever.
pub(crate) fn claim_turn() -> usize {
    let this = std::thread::current().id();
    let mut turn = lock(&TURN);
    while let Some(owner) = turn.owner {
        assert!(owner != this, "this thread already has a Heap; only one can be alive at a time");
        turn = TURN_ENDED.wait(turn).unwrap_or_else(|poisoned| poisoned.into_inner());
    }
    turn.owner = Some(this);
    turn.left_behind
}

/// Binds a mutator for `heap` and makes it the process's heap. After [`claim_turn`].
pub(crate) fn enter(heap: *mut HeapInner) -> *mut Mutator<Hotloop> {
    let mutator = Box::into_raw(bind_mutator(mmtk(), mutator_thread(heap)));
    CURRENT.store(heap, Ordering::Release);
    mutator
}

/// Ends the current heap's turn and frees its mutator; the next heap inherits `left_behind`
/// uncollected bytes.
///
/// # Safety
///
/// `mutator` came from [`enter`] and is not used again.
pub(crate) unsafe fn leave(mutator: *mut Mutator<Hotloop>, left_behind: usize) {
    // SAFETY: the caller's obligation; no collection is going on, as the mutator is running.
    let mut mutator = unsafe { Box::from_raw(mutator) };
    mmtk::memory_manager::destroy_mutator(&mut mutator);
    CURRENT.store(std::ptr::null_mut(), Ordering::Release);
    let mut turn = lock(&TURN);
    *turn = Turn { owner: None, left_behind };
    TURN_ENDED.notify_one();
}

/// The thread pointer by which MMTk knows the mutator of `heap`.
pub(crate) fn mutator_thread(heap: *const HeapInner) -> VMMutatorThread {
    VMMutatorThread(VMThread(OpaquePointer::from_address(Address::from_ptr(heap))))
}

/// Whether `thread` is the mutator's.
pub(crate) fn is_mutator(thread: VMThread) -> bool {
    let current = CURRENT.load(Ordering::Acquire);
    !current.is_null() && thread == mutator_thread(current).0
}

/// The mutator of the heap that is alive.
pub(crate) fn current_mutator() -> Option<*mut Mutator<Hotloop>> {
    let current = CURRENT.load(Ordering::Acquire);
    // SAFETY: the heap that is alive stays alive for the length of this call: a worker calls this
    // while the heap's thread is blocked in it, other callers are that thread.
    unsafe { current.as_ref() }.map(HeapInner::mutator)
}

/// The mutator's side of a pause.
struct Pause {
    blocked: bool,
    roots: Vec<ObjectReference>,
}

static PAUSE: Mutex<Pause> = Mutex::new(Pause { blocked: false, roots: Vec::new() });
static PAUSE_CHANGED: Condvar = Condvar::new();

/// Blocks the mutator's thread for the collection that was requested, from the gathering of its
/// roots to the taking of stock.
pub(crate) fn block_mutator(thread: VMMutatorThread) {
    let heap = thread.0.0.to_address().to_ptr::<HeapInner>();
    // SAFETY: the pointer is the one made by `mutator_thread` for the heap that is alive, in one
    // of whose methods this thread is.
    let heap = unsafe { &*heap };
    let started = std::time::Instant::now();
    // A panic in a root scanner could not be unwound through MMTk, whose workers are waiting.
    let Ok(roots) = catch_unwind(AssertUnwindSafe(|| heap.gather_roots())) else { std::process::abort() };
    let mut pause = lock(&PAUSE);
    pause.roots = roots;
    pause.blocked = true;
    PAUSE_CHANGED.notify_all();
    while pause.blocked {
        pause = PAUSE_CHANGED.wait(pause).unwrap_or_else(|poisoned| poisoned.into_inner());
    }
    pause.roots = Vec::new();
    drop(pause);
    let live = WORKER_STATES.iter().map(WorkerState::take_live).sum();
    heap.collected(live, started.elapsed());
}

/// Waits on a worker's thread until the mutator is blocked.
pub(crate) fn wait_until_blocked() {
    let mut pause = lock(&PAUSE);
    while !pause.blocked {
        pause = PAUSE_CHANGED.wait(pause).unwrap_or_else(|poisoned| poisoned.into_inner());
    }
}

/// Lets the mutator go on.
pub(crate) fn resume() {
    lock(&PAUSE).blocked = false;
    PAUSE_CHANGED.notify_all();
}

/// Calls `use_roots` with the roots of the current collection.
pub(crate) fn with_roots(use_roots: impl FnOnce(&[ObjectReference])) {
    use_roots(&lock(&PAUSE).roots);
}
