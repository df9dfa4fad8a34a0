//! The heap as the mutator sees it: allocation (an inlined fast path, a slow path that may
//! collect), the write barrier, roots, the limit.
//!
//! The heap keeps the cursor and limit of its bump region itself, at a fixed address that traces
//! know. The allocator inside MMTk holds the same region; the slow path hands the cursor back
//! ([`HeapInner::close_region`]), lets MMTk allocate, and takes the region that MMTk has then
//! ([`HeapInner::open_region`]). In between, also during every collection, the heap's own region
//! is empty: that is the invariant of this file.

use crate::binding::Hotloop;
use crate::fresh::Fresh;
use crate::options::{HeapOptions, Pauses, Plan, Request, Requester, Stats};
use crate::pacer::{Decision, Extent, NURSERY, Pacer};
use crate::reuse::Pools;
use crate::stack;
use crate::types::{self, FLAG_OLD, HEADER_FLAGS_OFFSET, HEADER_OWNER_OFFSET, TypeId};
use crate::verify::Verified;
use crate::world::{self, Activity, MIN_ALIGNMENT};
use mmtk::util::alloc::Allocator;
use mmtk::util::alloc::ImmixAllocator;
use mmtk::util::{Address, ObjectReference};
use mmtk::vm::slot::SimpleSlot;
use mmtk::{AllocationSemantics, Mutator, MutatorContext};
use std::cell::{Cell, RefCell, UnsafeCell};
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::time::{Duration, Instant};

/// The size in bytes up to which objects may be allocated by bumping the cursor of the
/// [`BumpRegion`]; larger ones go through [`Heap::alloc`] or [`alloc_slow`] always.
pub const MAX_BUMP_BYTES: usize = 16 << 10;

/// Names a root scanner, for [`Heap::remove_roots`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RootsId(u64);

/// A function that calls its argument with every word that may be a reference.
pub type RootScanner = Box<dyn Fn(&mut dyn FnMut(u64))>;

/// The memory that allocation bumps through: zeroed bytes between `cursor` and `limit`.
///
/// An object of `size` bytes (a multiple of eight, at most [`MAX_BUMP_BYTES`]) fits if
/// `cursor + size <= limit`. The crate's documentation has the whole sequence.
#[repr(C)]
#[derive(Debug)]
pub struct BumpRegion {
    /// The address of the next object.
    pub cursor: usize,
    /// The end of the region.
    pub limit: usize,
}

/// A heap, behind a pointer that does not change: traces and MMTk know its address.
#[repr(C)]
pub(crate) struct HeapInner {
    /// First, so that a pointer to the region is a pointer to the heap. Empty in the slow path.
    region: UnsafeCell<BumpRegion>,
    /// What objects' headers say besides type and length: the owner.
    header_bits: Cell<u64>,
    /// Objects that were given back.
    pub(crate) pools: Pools,
    /// Where the bump region's uncounted bytes start.
    counted_to: Cell<usize>,
    /// What was allocated since the last collection.
    fresh: RefCell<Fresh>,
    /// MMTk's side of this heap; owned, freed by [`world::leave`].
    mutator: Cell<*mut Mutator<Hotloop>>,
    /// What the heap's thread does.
    activity: Cell<Activity>,
    /// The objects that the stack, the registers and the root scanners refer to, each once, while
    /// the thread is stopped.
    roots: RefCell<Vec<ObjectReference>>,
    pacer: RefCell<Pacer>,
    allocated_bytes: Cell<u64>,
    /// Bytes of the old objects that were remembered since the last collection.
    remembered_bytes: Cell<usize>,
    collections: Cell<u64>,
    young_collections: Cell<u64>,
    collection_time: Cell<Duration>,
    longest_collection: Cell<Duration>,
    pauses: RefCell<Pauses>,
    survived_bytes: Cell<u64>,
    stress: Option<u32>,
    /// Allocations until the next collection in stress mode.
    until_stress: Cell<u32>,
    /// Allocations until the one that fails; 0 if none does.
    until_failure: Cell<u64>,
    /// One has failed, and nobody has asked yet.
    failed: Cell<bool>,
    /// If the heap is verified.
    verified: Option<RefCell<Verified>>,
    pub(crate) stack_base: Cell<*const u8>,
    /// The parts in use of stacks that are not the running one: from, to.
    pub(crate) suspended: RefCell<Vec<(*const u8, *const u8)>>,
    scanners: RefCell<Vec<(RootsId, RootScanner)>>,
    next_roots: Cell<u64>,
    requester: RefCell<Option<Requester>>,
}

/// The heap of a thread. One that was leaked would be waited for at every collection, so the end
/// of its thread takes it off the list.
struct ThreadsHeap(Cell<*const HeapInner>);

impl Drop for ThreadsHeap {
    fn drop(&mut self) {
        // SAFETY: the heap was not dropped, or this would be null; its thread ends.
        if let Some(leaked) = unsafe { self.0.get().as_ref() } {
            leaked.close_region();
            leaked.leave();
        }
    }
}

thread_local! {
    static THREADS_HEAP: ThreadsHeap = const { ThreadsHeap(Cell::new(std::ptr::null())) };
}

impl HeapInner {
    /// MMTk's mutator of this heap.
    pub(crate) fn mutator(&self) -> *mut Mutator<Hotloop> {
        self.mutator.get()
    }

    /// The owner's number in this heap's objects.
    pub(crate) fn owner(&self) -> u8 {
        (self.header_bits.get() >> (8 * HEADER_OWNER_OFFSET)) as u8
    }

    /// Sets what a heap is given when it joins the others.
    pub(crate) fn admit(&self, mutator: *mut Mutator<Hotloop>, owner: u8) {
        self.mutator.set(mutator);
        self.header_bits.set(u64::from(owner) << (8 * HEADER_OWNER_OFFSET));
    }

    /// What the heap's thread does.
    pub(crate) fn activity(&self) -> &Cell<Activity> {
        &self.activity
    }

    /// Gathers the objects that the stack (the running one, or another's from an address on), the
    /// registers and the root scanners refer to, each once.
    pub(crate) fn gather_roots(&self, away: Option<*const u8>) {
        let mut words = Vec::new();
        let mut visit = |word: u64| {
            if stack::may_point_to_object(word) {
                words.push(word);
            }
        };
        // SAFETY: the base is that of the thread's stack, or one for which the caller of
        // `set_stack_base` vouched; a thread that is away stays below its address.
        unsafe {
            match away {
                None => stack::visit_own_stack(self.stack_base.get(), &mut visit),
                Some(low) => stack::visit_words(low, self.stack_base.get(), &mut visit),
            }
            for (low, high) in self.suspended.borrow().iter() {
                // They don't change until they go on, see `Heap::leave_stack`.
                stack::visit_words(*low, *high, &mut visit);
            }
        }
        for (_, scanner) in self.scanners.borrow().iter() {
            scanner(&mut visit);
        }
        words.sort_unstable();
        words.dedup();
        self.expose_for_checks();
        let mut roots = self.fresh.borrow_mut().find(&words);
        // Several words may point into one object.
        roots.sort_unstable();
        roots.dedup();
        if let Some(verified) = &self.verified {
            verified.borrow_mut().collect(&roots, self.owner());
        }
        *self.roots.borrow_mut() = roots;
    }

    /// Lets all new objects be found, if the verifier or MMTk's assertions check each object that is reached.
    fn expose_for_checks(&self) {
        if self.verified.is_some() || cfg!(debug_assertions) {
            self.fresh.borrow_mut().expose_all();
        }
    }

    /// The roots gathered last.
    pub(crate) fn take_roots(&self) -> Vec<ObjectReference> {
        self.roots.take()
    }

    /// Asks the heap's thread to come to a safepoint. Called on other threads.
    pub(crate) fn ask_to_stop(&self) {
        self.request(Request::Stop);
    }

    fn request(&self, what: Request) {
        // The cell is not changed while there may be another thread, see `Heap::set_request`.
        // SAFETY: as just said.
        if let Ok(Some(requester)) = unsafe { self.requester.try_borrow_unguarded() } {
            requester(what);
        }
    }

    /// Takes note of a collection that found `bytes` of this heap's objects alive.
    pub(crate) fn collected(&self, extent: Extent, bytes: usize) {
        self.collections.set(self.collections.get() + 1);
        self.fresh.borrow_mut().clear();
        self.pools.clear();
        let remembered = self.remembered_bytes.take();
        let mut pacer = self.pacer.borrow_mut();
        let live = match extent {
            Extent::Full => bytes,
            Extent::Young => {
                self.young_collections.set(self.young_collections.get() + 1);
                // Remembered objects were looked at, too, but counted already when they were new.
                let survived = bytes.saturating_sub(remembered);
                self.survived_bytes.set(self.survived_bytes.get() + survived as u64);
                pacer.live() + survived
            }
        };
        pacer.collected(extent, live);
        let over_limit = pacer.over_limit();
        drop(pacer);
        if over_limit {
            self.request(Request::OverLimit);
        }
    }

    /// An old object is written: the next young collection looks at it.
    fn remember(&self, object: *mut u8) {
        let Some(reference) = ObjectReference::from_raw_address(Address::from_mut_ptr(object)) else {
            return;
        };
        self.remembered_bytes.set(self.remembered_bytes.get() + crate::scan::size_of_object(reference));
        if let Some(verified) = &self.verified {
            verified.borrow_mut().remember(reference);
        }
        // SAFETY: the mutator is not in use and no collection is going on.
        let mutator = unsafe { &mut *self.mutator.get() };
        // The slot is not looked at: whole objects are remembered.
        let slot = SimpleSlot::from_address(reference.to_raw_address());
        mutator.barrier().object_reference_write_slow(reference, slot, None);
    }

    /// Leaves the other heaps; what it has is garbage from now on. The region must be closed.
    fn leave(&self) {
        // Who finds its old objects by chance will follow them.
        self.expose_for_checks();
        let pacer = self.pacer.borrow();
        // SAFETY: the mutator came from `join` and is not used after this; the thread runs.
        unsafe { world::leave(self, self.mutator(), pacer.live() + pacer.since()) };
    }

    /// Counts the objects allocated in the region, gives its cursor back to MMTk's allocator and
    /// leaves the heap's own region empty.
    pub(crate) fn close_region(&self) {
        // SAFETY: the region is only accessed in methods of the heap, on its thread, none of which
        // holds a reference to it across a call; traces do not run meanwhile.
        let region = unsafe { &mut *self.region.get() };
        if region.limit != 0 {
            self.count(region.cursor - self.counted_to.get());
            self.fresh.borrow_mut().add(self.counted_to.get(), region.cursor);
            // SAFETY: the allocator is not in use; the cursor lies in its region, which nobody
            // else has changed since `open_region` took it.
            let bump = unsafe { &mut (*self.allocator()).bump_pointer };
            // SAFETY: making an address from a number is always fine.
            bump.cursor = unsafe { Address::from_usize(region.cursor) };
            *region = BumpRegion { cursor: 0, limit: 0 };
        }
    }

    /// Takes over the region that MMTk's allocator has. Not in stress mode, where every allocation
    /// takes the slow path.
    pub(crate) fn open_region(&self) {
        if self.stress.is_some() || self.until_failure.get() != 0 {
            return;
        }
        // SAFETY: the allocator is not in use.
        let bump = unsafe { &(*self.allocator()).bump_pointer };
        let (cursor, limit) = (bump.cursor.as_usize(), bump.limit.as_usize());
        self.counted_to.set(cursor);
        // SAFETY: as in `close_region`.
        unsafe { *self.region.get() = BumpRegion { cursor, limit } };
    }

    /// MMTk's allocator of small objects.
    fn allocator(&self) -> *mut ImmixAllocator<Hotloop> {
        // SAFETY: the mutator lives as long as the heap, no collection is going on, and default
        // allocation in the Immix plan is by an Immix allocator.
        unsafe {
            (*self.mutator.get())
                .allocator_impl_mut_for_semantic::<ImmixAllocator<Hotloop>>(AllocationSemantics::Default)
        }
    }

    /// Counts `bytes` of allocated objects.
    fn count(&self, bytes: usize) {
        self.allocated_bytes.set(self.allocated_bytes.get() + bytes as u64);
        self.pacer.borrow_mut().allocated(bytes);
    }

    /// Collects now. The region must be closed.
    fn collect_closed(&self, extent: Extent) {
        let started = Instant::now();
        while !world::collect(self, extent) {}
        self.count_time(started);
    }

    /// Counts the time of a collection.
    fn count_time(&self, started: Instant) {
        let time = started.elapsed();
        self.collection_time.set(self.collection_time.get() + time);
        self.longest_collection.set(self.longest_collection.get().max(time));
        self.pauses.borrow_mut().add(time);
    }

    /// Stops if another thread wants to collect. The region must be closed.
    fn safepoint_closed(&self) {
        if !world::wanted() {
            return;
        }
        let before = self.collections.get();
        let started = Instant::now();
        world::safepoint(self);
        if self.collections.get() != before {
            self.count_time(started);
        }
    }

    /// Collects if it is time to, before `size` bytes are allocated. The region must be closed.
    fn poll(&self, size: usize) {
        self.safepoint_closed();
        let mut decision = self.pacer.borrow().decide(size);
        if let Some(every) = self.stress {
            self.until_stress.set(self.until_stress.get() - 1);
            if self.until_stress.get() == 0 {
                self.until_stress.set(every.max(1));
                // Every fourth looks at all objects.
                let young = world::plan() == Plan::StickyImmix && self.collections.get() % 4 != 3;
                decision = Decision::Collect(if young { Extent::Young } else { Extent::Full });
            }
        }
        if let Some(left) = self.until_failure.get().checked_sub(1) {
            self.until_failure.set(left);
            if left == 0 {
                self.failed.set(true);
                self.request(Request::OverLimit);
            }
        }
        if let Decision::Collect(extent) = decision {
            self.collect_closed(extent);
        }
    }

    /// Allocates with the region closed and opens it; the pacer has been asked.
    fn alloc_closed(&self, header: u64, size: usize) -> *mut u8 {
        let address = if size <= MAX_BUMP_BYTES {
            // SAFETY: as in `close_region`.
            let address = unsafe { &mut *self.allocator() }.alloc(size, MIN_ALIGNMENT, 0);
            if !address.is_zero() {
                // SAFETY: the address is that of the new object, of at least eight bytes.
                unsafe { address.store(header) };
                self.fresh.borrow_mut().add(address.as_usize(), address.as_usize() + size);
            }
            address
        } else {
            // SAFETY: the mutator is not in use and no collection is going on.
            let mutator = unsafe { &mut *self.mutator.get() };
            let address = mutator.alloc(size, MIN_ALIGNMENT, 0, AllocationSemantics::Los);
            if let Some(object) = ObjectReference::from_raw_address(address) {
                // SAFETY: as above.
                unsafe { address.store(header) };
                mutator.post_alloc(object, size, AllocationSemantics::Los);
            }
            address
        };
        if address.is_zero() {
            world::out_of_memory(&format!("no room for an object of {size} bytes"));
        }
        self.count(size);
        self.open_region();
        address.to_mut_ptr()
    }

    /// Allocates if the bump region cannot, collecting first if it is time to.
    #[cold]
    #[inline(never)]
    fn alloc_slow(&self, header: u64, size: usize) -> *mut u8 {
        self.close_region();
        self.poll(size);
        if self.pacer.borrow().exceeds_hard_cap(size) && !self.pacer.borrow().exact() {
            self.collect_closed(Extent::Full);
        }
        if self.pacer.borrow().exceeds_hard_cap(size) {
            let pacer = self.pacer.borrow();
            world::out_of_memory(&format!(
                "{size} bytes on top of {} alive and {} new ones are far above the limit of {}",
                pacer.live(),
                pacer.since(),
                pacer.limit()
            ));
        }
        self.alloc_closed(header, size)
    }
}

/// A garbage-collected heap with its mutator. See the crate's documentation.
///
/// It belongs to the thread that made it. Objects are raw addresses; what they point to is kept
/// alive by references in live objects, by words on the native stack and in registers, and by
/// what the root scanners report. All objects of a heap die with it.
pub struct Heap {
    inner: NonNull<HeapInner>,
    /// The heap is its thread's: neither `Send` nor `Sync`.
    thread_bound: PhantomData<*mut HeapInner>,
}

/// An object's header as one word.
#[inline(always)]
fn header_word(ty: TypeId, len: u32) -> u64 {
    // The two halves are in this order in memory on the little-endian machines supported.
    u64::from(ty.0) | u64::from(len) << 32
}

/// Panics unless `size` is the size of an object of type `ty` with `len` elements.
#[inline(always)]
fn check_size(ty: TypeId, size: usize, len: u32) {
    assert!(types::registered(ty).size(len) == size, "wrong size for an object of this type and length");
}

impl Heap {
    /// Makes a heap for the calling thread.
    ///
    /// Heaps of several threads share their memory and are collected together: a collection waits
    /// for all threads that have a heap, each of which must allocate, call
    /// [`safepoint`](Heap::safepoint) or be in a call of [`blocking`](Heap::blocking) soon.
    ///
    /// # Panics
    ///
    /// If the calling thread already has a heap.
    pub fn new(options: HeapOptions) -> Heap {
        world::mmtk();
        let taken = THREADS_HEAP.with(|heap| !heap.0.get().is_null());
        assert!(!taken, "this thread already has a Heap");
        let limit = options.limit_bytes.unwrap_or_else(default_limit);
        let generational = world::plan() == Plan::StickyImmix;
        let inner = Box::into_raw(Box::new(HeapInner {
            region: UnsafeCell::new(BumpRegion { cursor: 0, limit: 0 }),
            header_bits: Cell::new(0),
            pools: Pools::default(),
            counted_to: Cell::new(0),
            fresh: RefCell::default(),
            mutator: Cell::new(std::ptr::null_mut()),
            activity: Cell::new(Activity::Running),
            roots: RefCell::default(),
            pacer: RefCell::new(Pacer::new(
                limit,
                generational.then_some(options.nursery_bytes.unwrap_or(NURSERY)),
            )),
            allocated_bytes: Cell::new(0),
            remembered_bytes: Cell::new(0),
            collections: Cell::new(0),
            young_collections: Cell::new(0),
            collection_time: Cell::new(Duration::ZERO),
            longest_collection: Cell::new(Duration::ZERO),
            pauses: RefCell::new(Pauses::new()),
            survived_bytes: Cell::new(0),
            stress: options.stress,
            until_stress: Cell::new(options.stress.unwrap_or(0).max(1)),
            until_failure: Cell::new(options.fail_at.unwrap_or(0)),
            failed: Cell::new(false),
            verified: options.verify.then(RefCell::default),
            stack_base: Cell::new(stack::thread_stack_base()),
            suspended: RefCell::default(),
            scanners: RefCell::new(Vec::new()),
            next_roots: Cell::new(0),
            requester: RefCell::new(None),
        }));
        // SAFETY: `Box::into_raw` gives a valid pointer that is not null.
        let heap = Heap { inner: unsafe { NonNull::new_unchecked(inner) }, thread_bound: PhantomData };
        let left_behind = world::join(heap.inner());
        if left_behind != 0 {
            heap.inner().pacer.borrow_mut().inherit(left_behind);
        }
        THREADS_HEAP.with(|threads| threads.0.set(inner));
        heap
    }

    #[inline(always)]
    pub(crate) fn inner(&self) -> &HeapInner {
        // SAFETY: the inner heap lives until `drop` and is only accessed through shared references
        // and, for the region, through its cell.
        unsafe { self.inner.as_ref() }
    }

    /// Allocates an object of type `ty` with `len` trailing elements: its header is written, all
    /// else is zero. May collect. `size_bytes` is `layout(ty).size(len)`, which callers know
    /// better than the heap (often as a constant).
    ///
    /// The limit is soft: the object may exceed it. If far more than the limit is in use, or the
    /// machine has no memory left, the process ends with a message and exit code 1; use
    /// [`try_alloc`](Heap::try_alloc) where sizes come from the program's user.
    ///
    /// # Panics
    ///
    /// If `ty` is not registered or `size_bytes` is not the size.
    #[inline(always)]
    pub fn alloc(&self, ty: TypeId, size_bytes: usize, len: u32) -> *mut u8 {
        check_size(ty, size_bytes, len);
        // SAFETY: just checked.
        unsafe { self.alloc_unchecked(ty, size_bytes, len) }
    }

    /// Like [`alloc`](Heap::alloc), without its check.
    ///
    /// # Safety
    ///
    /// `ty` is registered and `size_bytes` is `layout(ty).size(len)`.
    #[inline(always)]
    pub unsafe fn alloc_unchecked(&self, ty: TypeId, size_bytes: usize, len: u32) -> *mut u8 {
        let inner = self.inner();
        let header = header_word(ty, len) | inner.header_bits.get();
        let region = inner.region.get();
        // SAFETY: the region is only accessed on the heap's thread; see `close_region`.
        let (cursor, limit) = unsafe { ((*region).cursor, (*region).limit) };
        if size_bytes > MAX_BUMP_BYTES || size_bytes > limit - cursor {
            return inner.alloc_slow(header, size_bytes);
        }
        // SAFETY: as above; the object's bytes are free memory of the region.
        unsafe {
            (*region).cursor = cursor + size_bytes;
            let object = cursor as *mut u8;
            object.cast::<u64>().write(header);
            object
        }
    }

    /// Like [`alloc`](Heap::alloc), but gives `None` if the object would exceed the limit even
    /// after a collection.
    ///
    /// # Panics
    ///
    /// As [`alloc`](Heap::alloc).
    pub fn try_alloc(&self, ty: TypeId, size_bytes: usize, len: u32) -> Option<*mut u8> {
        check_size(ty, size_bytes, len);
        let inner = self.inner();
        if size_bytes > inner.pacer.borrow().limit() {
            return None;
        }
        inner.close_region();
        let before = inner.collections.get();
        inner.poll(size_bytes);
        let stale = inner.collections.get() == before || !inner.pacer.borrow().exact();
        if stale && inner.pacer.borrow().exceeds_limit(size_bytes) {
            inner.collect_closed(Extent::Full);
        }
        if inner.pacer.borrow().exceeds_limit(size_bytes) {
            inner.open_region();
            return None;
        }
        Some(inner.alloc_closed(header_word(ty, len) | inner.header_bits.get(), size_bytes))
    }

    /// Stores `word` into the slot of `object` at `slot`; see [`write_barrier`].
    ///
    /// # Safety
    ///
    /// As [`write_barrier`].
    #[inline(always)]
    pub unsafe fn store_ref(&self, object: *mut u8, slot: *mut u64, word: u64) {
        // SAFETY: the caller's obligation.
        unsafe { write_barrier(object, slot, word) };
    }

    /// Collects now, looking at all objects.
    pub fn collect(&self) {
        self.collect_to(Extent::Full);
    }

    /// Whether so many bytes more would exceed the limit, if everything is alive that was since the last collection.
    pub fn exceeds_limit(&self, bytes: usize) -> bool {
        self.inner().pacer.borrow().exceeds_limit(bytes)
    }

    /// Collects now, looking at new objects only if the process's [`Plan`] can.
    pub fn collect_young(&self) {
        self.collect_to(if world::plan() == Plan::StickyImmix { Extent::Young } else { Extent::Full });
    }

    fn collect_to(&self, extent: Extent) {
        let inner = self.inner();
        inner.close_region();
        inner.collect_closed(extent);
        inner.open_region();
    }

    /// Stops here for the time of the collection that another heap's thread wants, if one does.
    pub fn safepoint(&self) {
        let inner = self.inner();
        inner.close_region();
        inner.safepoint_closed();
        inner.open_region();
    }

    /// Whether the last collection found more bytes alive than the limit. The program should give
    /// something up (a language would raise its memory error); see also
    /// [`set_poll_flag`](Heap::set_poll_flag).
    pub fn over_limit(&self) -> bool {
        // A failure of `HeapOptions::fail_at` is reported once.
        self.inner().pacer.borrow().over_limit() || self.inner().failed.take()
    }

    /// Says how the heap tells its owner of a request. It is called on whatever thread, with the
    /// heap's own lock held, so it should do no more than set a flag.
    pub fn set_request(&self, requester: Requester) {
        world::while_alone(|| *self.inner().requester.borrow_mut() = Some(requester));
    }

    /// What an object's header says besides the type (its low 16 bits) and the length (the high
    /// 32): bits for the word that [`alloc_slow`] is given, constant while the heap is alive.
    pub fn header_bits(&self) -> u64 {
        self.inner().header_bits.get()
    }

    /// What the heap has done so far.
    pub fn stats(&self) -> Stats {
        let inner = self.inner();
        // SAFETY: as in `close_region`.
        let region = unsafe { &*inner.region.get() };
        let uncounted = if region.limit == 0 { 0 } else { region.cursor - inner.counted_to.get() };
        Stats {
            collections: inner.collections.get(),
            young_collections: inner.young_collections.get(),
            allocated_bytes: inner.allocated_bytes.get() + uncounted as u64,
            survived_bytes: inner.survived_bytes.get(),
            live_bytes: inner.pacer.borrow().live(),
            page_bytes: mmtk::memory_manager::used_bytes(world::mmtk()),
            collection_time: inner.collection_time.get(),
            longest_collection: inner.longest_collection.get(),
            median_collection: inner.pauses.borrow().median(),
        }
    }

    /// Adds a root scanner. Every collection calls it, on the heap's thread (or another one during
    /// [`blocking`](Heap::blocking)), with a visitor of words; each may be an object's address, a tagged reference, an address inside an object or
    /// no reference at all. It must not use the heap.
    pub fn add_roots(&self, scanner: RootScanner) -> RootsId {
        let inner = self.inner();
        let id = RootsId(inner.next_roots.get());
        inner.next_roots.set(id.0 + 1);
        inner.scanners.borrow_mut().push((id, scanner));
        id
    }

    /// Removes a root scanner.
    pub fn remove_roots(&self, id: RootsId) {
        self.inner().scanners.borrow_mut().retain(|(other, _)| *other != id);
    }

    /// Says where the running stack ends (its highest address). Collections scan from the stack
    /// pointer to there. At first it is the end of the stack of the thread that made the heap.
    ///
    /// # Safety
    ///
    /// Whenever the heap may collect, the memory from the stack pointer to `base` is readable and
    /// is the running stack. What other stacks refer to is for root scanners to report.
    pub unsafe fn set_stack_base(&self, base: *const u8) {
        self.inner().stack_base.set(base);
    }

    /// The bump region, at the same address for the life of the heap. Traces allocate from it; the
    /// crate's documentation says how.
    pub fn bump(&self) -> *mut BumpRegion {
        // The region is the first field of the inner heap, whose pointer this is.
        self.inner.as_ptr().cast()
    }

    /// The object that `address` lies in (or would with its tag removed), if it is one that the
    /// last collection found alive or that was allocated since. For tests and assertions.
    pub fn contains(&self, address: usize) -> Option<*mut u8> {
        let inner = self.inner();
        inner.close_region();
        let found = inner.fresh.borrow_mut().find(&[address as u64]);
        inner.open_region();
        found.first().map(|object| object.to_raw_address().to_mut_ptr())
    }
}

impl Drop for Heap {
    fn drop(&mut self) {
        let inner = self.inner();
        inner.close_region();
        inner.leave();
        THREADS_HEAP.with(|heap| heap.0.set(std::ptr::null()));
        // SAFETY: the pointer came from `Box::into_raw` in `new`; the world has just forgotten it.
        drop(unsafe { Box::from_raw(self.inner.as_ptr()) });
    }
}

/// The machine's memory in bytes, as far as the system tells.
pub(crate) fn machine_memory() -> Option<usize> {
    // SAFETY: asks the system for two numbers.
    let (pages, page_size) =
        unsafe { (libc::sysconf(libc::_SC_PHYS_PAGES), libc::sysconf(libc::_SC_PAGESIZE)) };
    usize::try_from(pages).ok()?.checked_mul(usize::try_from(page_size).ok()?)
}

/// The default limit: three quarters of the machine's memory, in bytes.
fn default_limit() -> usize {
    machine_memory().map_or(4 << 30, |bytes| bytes / 4 * 3)
}

/// The one write barrier: stores `word` into the slot of `object` at `slot`. Every store of a
/// reference (or of a tagged word that may be one) into a heap object goes through here, or is
/// accompanied by [`barrier`], except stores into an object that was allocated with no chance for
/// a collection in between.
///
/// # Safety
///
/// `object` is the address of a live object and `slot` that of a scanned slot inside it; `word`
/// is what such a slot may hold. The object is of the calling thread's heap.
#[inline(always)]
pub unsafe fn write_barrier(object: *mut u8, slot: *mut u64, word: u64) {
    // SAFETY: the caller's obligation.
    unsafe {
        barrier(object);
        slot.write(word);
    }
}

/// What must be done beside stores of references into `object`, before or after them but with no
/// chance for a collection in between; once for several stores.
///
/// # Safety
///
/// `object` is the address of a live object of the calling thread's heap.
#[inline(always)]
pub unsafe fn barrier(object: *mut u8) {
    // SAFETY: the caller's obligation; every object has a header.
    if unsafe { object.add(HEADER_FLAGS_OFFSET).read() } & FLAG_OLD != 0 {
        // SAFETY: the caller's obligation.
        unsafe { remember(object) };
    }
}

/// The slow path of [`barrier`], for traces: the object has its flag [`FLAG_OLD`].
///
/// # Safety
///
/// As [`barrier`].
#[cold]
#[inline(never)]
pub unsafe extern "C" fn remember(object: *mut u8) {
    THREADS_HEAP.with(|heap| {
        // SAFETY: a heap that is dropped takes itself out of the cell.
        if let Some(heap) = unsafe { heap.0.get().as_ref() } {
            heap.remember(object);
        }
    });
}

/// The slow path of allocation, for traces: what [`Heap::alloc`] does if the bump region has no
/// room. `bump` is [`Heap::bump`], `header` the object's header as a word (the type's number, the bits
/// of [`Heap::header_bits`], the length in the high half), `size` the object's size in bytes.
///
/// # Safety
///
/// The heap is alive, this is its thread, `size` is the layout's size for the type and length.
pub unsafe extern "C" fn alloc_slow(bump: *mut BumpRegion, type_id_and_len: u64, size: usize) -> *mut u8 {
    // SAFETY: the region is the first field of the heap (`repr(C)`), and `Heap::bump` made the
    // pointer from one to the whole heap.
    let inner = unsafe { &*bump.cast::<HeapInner>() };
    inner.alloc_slow(type_id_and_len, size)
}
