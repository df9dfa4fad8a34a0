//! The one MMTk instance of the process, the heaps that share it, and the threads around a
//! collection.
//!
//! A collection, step by step:
//!
//! 1. A heap's thread wants one ([`collect`]): the other heaps are asked to stop, through what
//!    their owners have said ([`Heap::set_request`](crate::Heap::set_request)), and MMTk is asked
//!    for the collection.
//! 2. Each thread stops when it comes to a safepoint ([`stop`]). First it gathers its roots: words
//!    of its stack and registers and what the root scanners report. A thread that is *away* (in a
//!    call that may block, [`leave_safepoint`]) does not stop; a worker gathers its roots.
//! 3. A worker waits for that ([`wait_until_stopped`]), then the workers trace from the roots and
//!    free the rest.
//! 4. A worker takes stock of what survived in each heap and lets all go on ([`resume`]).
//!
//! Invariant: whoever is *running* touches its own [`HeapInner`] only; those of stopped and away
//! threads are touched under the lock of the [`World`] or by the workers, while nobody runs.

use crate::binding::Hotloop;
use crate::heap::HeapInner;
use crate::options::Plan;
use crate::pacer::Extent;
use crate::scan::WorkerState;
use mmtk::memory_manager::{bind_mutator, initialize_collection, mmtk_init};
use mmtk::util::opaque_pointer::{OpaquePointer, VMMutatorThread, VMThread, VMWorkerThread};
use mmtk::util::options::{GCTriggerSelector, PlanSelector};
use mmtk::util::{Address, ObjectReference};
use mmtk::vm::ObjectModel;
use mmtk::{MMTK, MMTKBuilder, Mutator};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock};

/// The alignment in bytes of every object.
pub(crate) const MIN_ALIGNMENT: usize = 8;
/// The number of collector threads. Two were slower; see the crate's documentation.
pub(crate) const WORKERS: usize = 1;

/// The process's MMTk instance; initialised by the first caller, others wait.
pub(crate) fn mmtk() -> &'static MMTK<Hotloop> {
    static INSTANCE: OnceLock<&'static MMTK<Hotloop>> = OnceLock::new();
    INSTANCE.get_or_init(|| {
        // Environment variables do not change the collector under the program.
        let mut builder = MMTKBuilder::new_no_env_vars();
        let options = &mut builder.options;
        let plan = match plan() {
            Plan::Immix => PlanSelector::Immix,
            Plan::StickyImmix => PlanSelector::StickyImmix,
        };
        let mut accepted = options.plan.set(plan);
        // A request for a collection may be one for a young one.
        accepted &= options.full_heap_system_gc.set(false);
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

/// The process's plan as a number: 0 until it is chosen.
static PLAN: AtomicU8 = AtomicU8::new(0);

/// The process's plan; from now on it can't be changed.
pub(crate) fn plan() -> Plan {
    let _ = PLAN.compare_exchange(0, Plan::default() as u8, Ordering::Relaxed, Ordering::Relaxed);
    if PLAN.load(Ordering::Relaxed) == Plan::Immix as u8 { Plan::Immix } else { Plan::StickyImmix }
}

/// Chooses the process's plan, before the first heap (and [`prepare`]): later it is too late, and
/// the answer is false unless the plan is the same.
pub fn choose(wanted: Plan) -> bool {
    let _ = PLAN.compare_exchange(0, wanted as u8, Ordering::Relaxed, Ordering::Relaxed);
    plan() == wanted
}

/// Where the mark bits are that MMTk keeps of objects outside of the space of large ones.
#[inline(always)]
pub(crate) fn mark_bits() -> usize {
    Hotloop::LOCAL_MARK_BIT_SPEC.extract_side_spec().get_starting_address().as_usize()
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

/// How many heaps can be told apart by the owner's number in their objects' headers.
pub(crate) const OWNERS: usize = 256;

/// What a heap's thread does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Activity {
    /// Runs, and may change the heap.
    Running,
    /// Waits for the end of a collection.
    Stopped,
    /// Is in a call that does not use the heap; its stack is in use from this address on.
    Away(*const u8),
}

/// A heap that is alive.
struct Member(*const HeapInner);

// SAFETY: other threads use the heap only as the invariant of this file says.
unsafe impl Send for Member {}

/// The heaps that are alive, and the collection that is wanted or going on.
struct World {
    heaps: Vec<Member>,
    /// How many of their threads run.
    running: usize,
    /// What the collection looks at that is wanted or going on, if one is.
    pause: Option<Extent>,
    /// Bytes that heaps left behind that are gone, since the last collection.
    left_behind: usize,
    /// The number that the last heap got which joined.
    last_owner: u8,
}

static WORLD: Mutex<World> =
    Mutex::new(World { heaps: Vec::new(), running: 0, pause: None, left_behind: 0, last_owner: 0 });
/// Whether [`World::pause`] is set, for a look without the lock.
static WANTED: AtomicBool = AtomicBool::new(false);
/// A thread has stopped.
static STOPPED: Condvar = Condvar::new();
/// A collection has ended.
static RESUMED: Condvar = Condvar::new();

impl World {
    /// The heaps. Those whose threads run must not be touched.
    fn heaps(&self) -> impl Iterator<Item = &HeapInner> {
        // SAFETY: heaps take themselves off the list before they go away, under the lock.
        self.heaps.iter().map(|member| unsafe { &*member.0 })
    }

    /// A thread no longer runs.
    fn one_less(&mut self) {
        self.running -= 1;
        if self.running == 0 {
            STOPPED.notify_all();
        }
    }
}

fn lock() -> MutexGuard<'static, World> {
    // A panic elsewhere does no harm: what is behind the mutex is always whole.
    WORLD.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn wait<'a>(on: &Condvar, world: MutexGuard<'a, World>) -> MutexGuard<'a, World> {
    on.wait(world).unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Waits until no collection is going on.
fn lock_outside_of_pauses() -> MutexGuard<'static, World> {
    let mut world = lock();
    while world.pause.is_some() {
        world = wait(&RESUMED, world);
    }
    world
}

/// Calls `change` while no thread asks another one to stop.
pub(crate) fn while_alone(change: impl FnOnce()) {
    let _world = lock();
    change();
}

/// Adds a heap, whose thread runs from now on. Before any other thread looks at it, it is given
/// its mutator (owned, freed by [`leave`]) and its owner's number (which heaps share if there are
/// too many). Returns the bytes that heaps left behind that are gone.
pub(crate) fn join(heap: &HeapInner) -> usize {
    let mmtk = mmtk();
    let mut world = lock_outside_of_pauses();
    let mut taken = [false; OWNERS];
    world.heaps().for_each(|heap| taken[heap.owner() as usize] = true);
    // In turn: what a heap left behind may be alive for a while, by stale words of some stack, and must
    // not count for the next one.
    let mut turns = (1..=OWNERS).map(|turn| (world.last_owner as usize + turn) % OWNERS);
    let owner = turns.find(|owner| !taken[*owner]).unwrap_or(OWNERS - 1) as u8;
    world.last_owner = owner;
    heap.admit(Box::into_raw(bind_mutator(mmtk, mutator_thread(heap))), owner);
    world.heaps.push(Member(heap));
    world.running += 1;
    std::mem::take(&mut world.left_behind)
}

/// Takes a heap off the list and frees its mutator; `left_behind` bytes are garbage from now on.
///
/// # Safety
///
/// The heap has joined and its thread runs. `mutator` is its own and is not used again.
pub(crate) unsafe fn leave(heap: *const HeapInner, mutator: *mut Mutator<Hotloop>, left_behind: usize) {
    // If a collection is wanted it waits for this thread, so none is going on.
    let mut world = lock();
    world.heaps.retain(|member| member.0 != heap);
    // SAFETY: the caller's obligation.
    let mut mutator = unsafe { Box::from_raw(mutator) };
    mmtk::memory_manager::destroy_mutator(&mut mutator);
    world.left_behind += left_behind;
    world.one_less();
}

/// The thread pointer by which MMTk knows the mutator of `heap`.
fn mutator_thread(heap: *const HeapInner) -> VMMutatorThread {
    VMMutatorThread(VMThread(OpaquePointer::from_address(Address::from_ptr(heap))))
}

/// The heap whose mutator MMTk knows by this pointer.
fn heap_of(thread: VMMutatorThread) -> *const HeapInner {
    thread.0.0.to_address().to_ptr::<HeapInner>()
}

/// Whether `thread` is a mutator's: it is, unless it is a worker's.
pub(crate) fn is_mutator(thread: VMThread) -> bool {
    let address = thread.0.to_address().to_ptr::<WorkerState>();
    !address.is_null() && !WORKER_STATES.as_ptr_range().contains(&address)
}

/// The mutator that MMTk knows by this pointer.
pub(crate) fn mutator_of(thread: VMMutatorThread) -> *mut Mutator<Hotloop> {
    // SAFETY: the pointer is one made by `mutator_thread`; MMTk asks on the heap's own thread.
    unsafe { &*heap_of(thread) }.mutator()
}

/// The roots of a mutator, gathered for the collection that is going on.
pub(crate) fn take_roots(thread: VMMutatorThread) -> Vec<ObjectReference> {
    // SAFETY: as in `mutator_of`, or on a worker's thread while the mutator does not run.
    unsafe { &*heap_of(thread) }.take_roots()
}

/// The mutators of all heaps.
pub(crate) fn mutators() -> Vec<*mut Mutator<Hotloop>> {
    lock().heaps().map(HeapInner::mutator).collect()
}

/// The number of heaps.
pub(crate) fn number_of_mutators() -> usize {
    lock().heaps.len()
}

/// Collects, on the thread of `heap`, whose bump region is closed. If another thread is about to
/// collect, that collection is waited for, and it may look at less; then the answer is false.
pub(crate) fn collect(heap: &HeapInner, extent: Extent) -> bool {
    let mut world = lock();
    if let Some(wanted) = world.pause {
        drop(world);
        stop(heap);
        return wanted >= extent;
    }
    world.pause = Some(extent);
    WANTED.store(true, Ordering::SeqCst);
    for other in world.heaps().filter(|other| !std::ptr::eq(*other, heap)) {
        other.ask_to_stop();
    }
    drop(world);
    // Calls `stop` through `Collection::block_for_gc`.
    mmtk().handle_user_collection_request(mutator_thread(heap), true, extent == Extent::Full);
    true
}

/// Whether another thread wants to collect.
#[inline(always)]
pub(crate) fn wanted() -> bool {
    WANTED.load(Ordering::Relaxed)
}

/// Stops if a collection is wanted, on the thread of `heap`, whose bump region is closed.
pub(crate) fn safepoint(heap: &HeapInner) {
    let wanted = lock().pause.is_some();
    if wanted {
        stop(heap);
    }
}

/// Stops the calling thread, that of a mutator, for the collection that was requested.
pub(crate) fn block_for_gc(thread: VMMutatorThread) {
    // SAFETY: the pointer is the one made by `mutator_thread` for a heap in one of whose methods
    // this thread is.
    stop(unsafe { &*heap_of(thread) });
}

/// Stops the thread of `heap` until the end of the collection that is wanted.
fn stop(heap: &HeapInner) {
    // A panic in a root scanner could not be unwound through MMTk, whose workers are waiting.
    if catch_unwind(AssertUnwindSafe(|| heap.gather_roots(None))).is_err() {
        std::process::abort();
    }
    let mut world = lock();
    heap.activity().set(Activity::Stopped);
    world.one_less();
    while heap.activity().get() == Activity::Stopped {
        world = wait(&RESUMED, world);
    }
}

/// The thread of `heap`, whose bump region is closed, no longer uses the heap; what its stack
/// refers to from `stack` on stays alive.
pub(crate) fn go_away(heap: &HeapInner, stack: *const u8) {
    let mut world = lock();
    heap.activity().set(Activity::Away(stack));
    world.one_less();
}

/// The thread of `heap` is back; waits for the end of a collection.
pub(crate) fn come_back(heap: &HeapInner) {
    let mut world = lock_outside_of_pauses();
    heap.activity().set(Activity::Running);
    world.running += 1;
}

/// Waits on a worker's thread until no heap's thread runs.
pub(crate) fn wait_until_stopped() {
    let mut world = lock();
    while world.running != 0 {
        world = wait(&STOPPED, world);
    }
    for heap in world.heaps() {
        if let Activity::Away(stack) = heap.activity().get()
            && catch_unwind(AssertUnwindSafe(|| heap.gather_roots(Some(stack)))).is_err()
        {
            std::process::abort();
        }
    }
}

/// Takes stock and lets all go on.
pub(crate) fn resume() {
    let mut world = lock();
    let extent = world.pause.unwrap_or(Extent::Full);
    for heap in world.heaps() {
        let found = WORKER_STATES.iter().map(|worker| worker.live(heap.owner())).sum();
        heap.collected(extent, found);
    }
    WORKER_STATES.iter().for_each(WorkerState::reset_live);
    let mut running = 0;
    for heap in world.heaps().filter(|heap| heap.activity().get() == Activity::Stopped) {
        heap.activity().set(Activity::Running);
        running += 1;
    }
    world.running += running;
    if extent == Extent::Full {
        world.left_behind = 0;
    }
    world.pause = None;
    WANTED.store(false, Ordering::SeqCst);
    RESUMED.notify_all();
}
