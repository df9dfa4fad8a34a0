//! Marking: which words of an object are references, and how they are followed.
//!
//! MMTk traces breadth first, in packets of objects, and touches each object's side tables four
//! times through functions that are not inlined here: 40 ns an object, and 250 ns more where a
//! packet has one object only, as with lists. So the scanner marks most objects itself, depth
//! first: the mark bit, [`FLAG_OLD`], the count of live bytes. What it can't do is to mark *lines*,
//! by which Immix finds free memory: that table is MMTk's own, written after MMTk has had an object
//! scanned. One object per line is enough for it, so:
//!
//! ```text
//! target is large (not in lines)                  -> MMTk traces it
//! target is marked                                -> done
//! each line it lies in has a marked object        -> marked here
//! else: the first one of a line                   -> MMTk traces it; it is scanned here nevertheless
//! ```
//!
//! That a line has a marked object is to be read off the mark bits: one per eight bytes, 32 for a
//! line of 256.
//!
//! # What it keeps true
//!
//! * *A line in which a marked object starts is marked when the collection ends*: the first such
//!   object was traced by MMTk in this collection (which marks the lines of all it scans), or, in a
//!   young collection, is an old one, whose lines are marked already and have no young ones.
//! * An object that MMTk traces is scanned by it later, once. [`FLAG_AHEAD`] says that what it refers
//!   to has been followed before; no object has the flag when the collection ends.
//! * There is one worker, so that plain stores to the bits do.

use crate::heap::MAX_BUMP_BYTES;
use crate::options::Plan;
use crate::types::{
    self, FLAG_AHEAD, FLAG_OLD, HEADER_FLAGS_OFFSET, HEADER_LEN_OFFSET, HEADER_OWNER_OFFSET,
    HEADER_TYPE_OFFSET, REF_TAG, Registered, SlotKind, TAG_MASK, TypeId,
};
use crate::world::{self, OWNERS, WORKERS};
use mmtk::util::opaque_pointer::VMWorkerThread;
use mmtk::util::{Address, ObjectReference};
use mmtk::vm::ObjectTracer;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The size of an Immix line is two to the power of this.
const LOG_LINE_BYTES: usize = 8;
/// The mark bits of a line.
type LineMarks = u32;

const _: () = assert!(LineMarks::BITS as usize * 8 == 1 << LOG_LINE_BYTES);
const _: () = assert!(WORKERS == 1, "the marking is not atomic");

/// What one collector thread counts; MMTk's "thread-local storage" pointer of the worker refers to
/// it. Written by that worker only (but for [`reset_live`](WorkerState::reset_live), between
/// collections), so plain loads and stores do.
pub(crate) struct WorkerState {
    /// Bytes of the objects found alive in this collection, by owner.
    live: [AtomicUsize; OWNERS],
}

impl WorkerState {
    pub(crate) const fn new() -> WorkerState {
        WorkerState { live: [const { AtomicUsize::new(0) }; OWNERS] }
    }

    /// The state behind a worker's thread pointer.
    #[inline(always)]
    pub(crate) fn of(worker: VMWorkerThread) -> &'static WorkerState {
        // SAFETY: `world::spawn_worker` gave the worker the address of an element of a static array.
        unsafe { &*worker.0.0.to_address().to_ptr::<WorkerState>() }
    }

    /// Counts a live object of `bytes`.
    #[inline(always)]
    fn add_live(&self, owner: u8, bytes: usize) {
        let live = &self.live[owner as usize];
        live.store(live.load(Relaxed) + bytes, Relaxed);
    }

    /// The live bytes of an owner counted in the collection that has just ended.
    pub(crate) fn live(&self, owner: u8) -> usize {
        self.live[owner as usize].load(Relaxed)
    }

    /// Starts counting anew.
    pub(crate) fn reset_live(&self) {
        self.live.iter().for_each(|live| live.store(0, Relaxed));
    }
}

/// An object's header as the scanner reads it, all at once.
#[derive(Clone, Copy)]
struct Header(u64);

impl Header {
    #[inline(always)]
    fn of(object: ObjectReference) -> Header {
        // SAFETY: an object reference is the address of a header that was written when the object was
        // allocated, before anything could see it; only its flags change afterwards.
        Header(unsafe { object.to_raw_address().load::<u64>() })
    }

    /// Changes an object's header. Always as a whole: a part that was just stored would be waited for when
    /// the whole is read again.
    #[inline(always)]
    fn write(self, object: ObjectReference) {
        // SAFETY: the object's header; all threads that may write it are stopped.
        unsafe { object.to_raw_address().store(self.0) };
    }

    #[inline(always)]
    fn with(self, flags: u8) -> Header {
        Header(self.0 | u64::from(flags) << (8 * HEADER_FLAGS_OFFSET))
    }

    #[inline(always)]
    fn without(self, flags: u8) -> Header {
        Header(self.0 & !(u64::from(flags) << (8 * HEADER_FLAGS_OFFSET)))
    }

    #[inline(always)]
    fn registered(self) -> &'static Registered {
        types::registered(TypeId(u32::from((self.0 >> (8 * HEADER_TYPE_OFFSET)) as u16)))
    }

    #[inline(always)]
    fn flags(self) -> u8 {
        (self.0 >> (8 * HEADER_FLAGS_OFFSET)) as u8
    }

    #[inline(always)]
    fn owner(self) -> u8 {
        (self.0 >> (8 * HEADER_OWNER_OFFSET)) as u8
    }

    #[inline(always)]
    fn len(self) -> u32 {
        (self.0 >> (8 * HEADER_LEN_OFFSET)) as u32
    }
}

/// The scanner's view of an object: its type and the length of its trailing array.
pub(crate) fn describe(object: ObjectReference) -> (&'static Registered, u32) {
    let header = Header::of(object);
    (header.registered(), header.len())
}

/// The size in bytes of an object.
#[inline(always)]
pub(crate) fn size_of_object(object: ObjectReference) -> usize {
    let header = Header::of(object);
    header.registered().size(header.len())
}

/// Scans an object that MMTk has traced and, depth first, what it makes reachable.
#[inline(never)]
pub(crate) fn scan(worker: &WorkerState, object: ObjectReference, tracer: &mut impl ObjectTracer) {
    let header = Header::of(object);
    let registered = header.registered();
    worker.add_live(header.owner(), registered.size(header.len()));
    if header.flags() & FLAG_AHEAD != 0 {
        header.without(FLAG_AHEAD).write(object);
        return;
    }
    let mut marker = Marker {
        worker,
        tracer,
        mark_bits: world::mark_bits(),
        old: if world::plan() == Plan::StickyImmix { FLAG_OLD } else { 0 },
        found: Vec::new(),
    };
    let mut next = Some((object, registered, header.len()));
    while let Some((object, registered, len)) = next {
        for_each_reference(object, registered, len, |target| marker.visit(target));
        next = marker.found.pop().map(|object| {
            let (registered, len) = describe(object);
            (object, registered, len)
        });
    }
}

/// What is reached from one object.
struct Marker<'a, T> {
    worker: &'a WorkerState,
    tracer: &'a mut T,
    /// The address of the mark bits of line zero.
    mark_bits: usize,
    /// The flag of survivors.
    old: u8,
    /// Marked objects to scan.
    found: Vec<ObjectReference>,
}

impl<T: ObjectTracer> Marker<'_, T> {
    /// Follows a reference.
    #[inline(always)]
    fn visit(&mut self, target: ObjectReference) {
        let header = Header::of(target);
        let registered = header.registered();
        let size = registered.size(header.len());
        if size > MAX_BUMP_BYTES {
            self.tracer.trace_object(target);
            return;
        }
        let address = target.to_raw_address().as_usize();
        let line = address >> LOG_LINE_BYTES;
        let bit = 1 << ((address >> 3) % LineMarks::BITS as usize);
        let marks = self.marks_of(line);
        // SAFETY: see `marks_of`.
        let bits = unsafe { marks.read() };
        if bits & bit != 0 {
            return;
        }
        let last = (address + size - 1) >> LOG_LINE_BYTES;
        // SAFETY: see `marks_of`.
        if bits != 0 && (line + 1..=last).all(|line| unsafe { self.marks_of(line).read() } != 0) {
            // SAFETY: see `marks_of`.
            unsafe { marks.write(bits | bit) };
            header.with(self.old).write(target);
            self.worker.add_live(header.owner(), size);
        } else {
            self.tracer.trace_object(target);
            if !registered.is_leaf {
                Header::of(target).with(FLAG_AHEAD).write(target);
            }
        }
        if !registered.is_leaf {
            self.found.push(target);
        }
    }

    /// Where the mark bits of a line are. They may be read and written: MMTk maps them for all pages that
    /// small objects lie in, and only this thread uses them while it scans.
    #[inline(always)]
    fn marks_of(&self, line: usize) -> *mut LineMarks {
        (self.mark_bits + line * size_of::<LineMarks>()) as *mut LineMarks
    }
}

/// Calls `visit` with every object that `object` refers to.
#[inline(always)]
pub(crate) fn for_each_reference(
    object: ObjectReference,
    registered: &Registered,
    len: u32,
    mut visit: impl FnMut(ObjectReference),
) {
    let start = object.to_raw_address();
    for &offset in &registered.refs {
        // SAFETY: `register_type` checked that this is an aligned slot in the fixed part.
        unsafe { visit_ref(start + offset as usize, &mut visit) };
    }
    for &offset in &registered.values {
        // SAFETY: as above.
        unsafe { visit_value(start + offset as usize, &mut visit) };
    }
    // The object has `len` elements after its fixed part, of eight aligned bytes each if they are
    // scanned (which `register_type` checked).
    let elements = start + registered.layout.fixed_size as usize;
    match registered.trailing {
        SlotKind::Raw => {}
        SlotKind::Ref => {
            for index in 0..len as usize {
                // SAFETY: an element of the array, see above.
                unsafe { visit_ref(elements + index * 8, &mut visit) };
            }
        }
        SlotKind::Value => {
            for index in 0..len as usize {
                // SAFETY: an element of the array, see above.
                unsafe { visit_value(elements + index * 8, &mut visit) };
            }
        }
    }
}

/// Visits the object that a plain reference slot refers to, if any.
///
/// # Safety
///
/// `slot` is the address of an aligned `Ref` slot of a live object; the mutator is stopped.
#[inline(always)]
unsafe fn visit_ref(slot: Address, visit: &mut impl FnMut(ObjectReference)) {
    // SAFETY: the caller's obligation.
    let word = unsafe { slot.load::<Address>() };
    if let Some(target) = ObjectReference::from_raw_address(word) {
        visit(target);
    }
}

/// Visits the object that a tagged word refers to, if it is a reference.
///
/// # Safety
///
/// `slot` is the address of an aligned `Value` slot of a live object; the mutator is stopped.
#[inline(always)]
unsafe fn visit_value(slot: Address, visit: &mut impl FnMut(ObjectReference)) {
    // SAFETY: the caller's obligation.
    let word = unsafe { slot.load::<u64>() };
    if word & TAG_MASK == REF_TAG {
        // SAFETY: making an address from a number is always fine.
        let address = unsafe { Address::from_usize((word - REF_TAG) as usize) };
        if let Some(target) = ObjectReference::from_raw_address(address) {
            visit(target);
        }
    }
}
