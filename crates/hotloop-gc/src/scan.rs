//! Scanning objects: which words of an object are references, and in what order they are followed.
//!
//! MMTk traces breadth first in packets of objects: scanning a packet makes the next one of what
//! it found unmarked. A long list then makes a packet per element, at 250 ns each. So in a small
//! packet the scanner *looks ahead*: it scans what it has just found at once, depth first, up to
//! [`LOOK_AHEAD`] objects. MMTk has them all in its next packet and scans them again, which
//! finds everything marked; that makes 40 ns.
//!
//! What it keeps true: MMTk scans every object itself, so the line marks and the count of live
//! bytes, which are made there, do not depend on the look-ahead.

use crate::types::{
    self, HEADER_LEN_OFFSET, HEADER_OWNER_OFFSET, HEADER_TYPE_OFFSET, REF_TAG, Registered, SlotKind,
    TAG_MASK, TypeId,
};
use crate::world::OWNERS;
use mmtk::util::opaque_pointer::VMWorkerThread;
use mmtk::util::{Address, ObjectReference};
use mmtk::vm::ObjectTracer;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

/// Packets of fewer objects than this are small.
const SMALL_PACKET: usize = 64;
/// How many objects are scanned ahead per packet at most.
const LOOK_AHEAD: usize = 4096;

/// What one collector thread counts; MMTk's "thread-local storage" pointer of the worker refers to
/// it. Written by that worker only (but for [`reset_live`](WorkerState::reset_live), between
/// collections), so plain loads and stores do.
pub(crate) struct WorkerState {
    /// Bytes of the objects scanned in this collection, by owner.
    live: [AtomicUsize; OWNERS],
    /// Objects in the packet that is being worked on.
    packet: AtomicUsize,
    /// Whether its objects have all been announced and are now being scanned.
    scanning: AtomicBool,
    /// Objects scanned ahead in this packet.
    ahead: AtomicUsize,
}

impl WorkerState {
    pub(crate) const fn new() -> WorkerState {
        WorkerState {
            live: [const { AtomicUsize::new(0) }; OWNERS],
            packet: AtomicUsize::new(0),
            scanning: AtomicBool::new(false),
            ahead: AtomicUsize::new(0),
        }
    }

    /// The state behind a worker's thread pointer.
    #[inline(always)]
    pub(crate) fn of(worker: VMWorkerThread) -> &'static WorkerState {
        // SAFETY: `world::spawn_worker` gave the worker the address of an element of a static array.
        unsafe { &*worker.0.0.to_address().to_ptr::<WorkerState>() }
    }

    /// Counts an object of the packet that is about to be scanned.
    #[inline(always)]
    pub(crate) fn announce_object(&self) {
        if self.scanning.load(Relaxed) {
            self.scanning.store(false, Relaxed);
            self.packet.store(0, Relaxed);
            self.ahead.store(0, Relaxed);
        }
        self.packet.store(self.packet.load(Relaxed) + 1, Relaxed);
    }

    /// Counts a live object of `bytes`.
    #[inline(always)]
    fn add_live(&self, object: ObjectReference, bytes: usize) {
        // SAFETY: as in `describe`.
        let owner = unsafe { (object.to_raw_address() + HEADER_OWNER_OFFSET).load::<u8>() };
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

/// The scanner's view of an object: its type and the length of its trailing array.
#[inline(always)]
pub(crate) fn describe(object: ObjectReference) -> (&'static Registered, u32) {
    let header = object.to_raw_address();
    // SAFETY: an object reference is the address of a header that was written when the object was
    // allocated, before anything could see it, and does not change afterwards.
    let (ty, len) =
        unsafe { ((header + HEADER_TYPE_OFFSET).load::<u16>(), (header + HEADER_LEN_OFFSET).load::<u32>()) };
    (types::registered(TypeId(ty.into())), len)
}

/// The size in bytes of an object.
#[inline(always)]
pub(crate) fn size_of_object(object: ObjectReference) -> usize {
    let (registered, len) = describe(object);
    registered.size(len)
}

/// Scans an object of the current packet.
#[inline(always)]
pub(crate) fn scan(worker: &WorkerState, object: ObjectReference, tracer: &mut impl ObjectTracer) {
    worker.scanning.store(true, Relaxed);
    let (registered, len) = describe(object);
    worker.add_live(object, registered.size(len));
    if worker.packet.load(Relaxed) < SMALL_PACKET {
        look_ahead(worker, object, tracer);
    } else {
        for_each_reference(object, registered, len, |target| {
            tracer.trace_object(target);
        });
    }
}

/// Scans an object and, depth first, what it makes reachable.
#[inline(never)]
fn look_ahead(worker: &WorkerState, object: ObjectReference, tracer: &mut impl ObjectTracer) {
    let mut found = Vec::new();
    let mut next = Some(object);
    let mut ahead = worker.ahead.load(Relaxed);
    while let Some(object) = next {
        let (registered, len) = describe(object);
        for_each_reference(object, registered, len, |target| {
            // With two workers, both may find it unmarked: it is then scanned ahead twice.
            let new = !target.is_reachable();
            tracer.trace_object(target);
            if new && ahead < LOOK_AHEAD {
                ahead += 1;
                found.push(target);
            }
        });
        next = found.pop();
    }
    worker.ahead.store(ahead, Relaxed);
}

/// Calls `visit` with every object that `object` refers to.
#[inline(always)]
fn for_each_reference(
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
