//! The garbage-collected heap of hotloop: [MMTk](https://www.mmtk.io)'s Immix plan, non-moving,
//! with precise objects and conservative stacks, behind an allocator that traces inline.
//!
//! ```
//! use hotloop_gc::{Heap, HeapOptions, Layout, Slot, SlotKind, layout, register_type};
//!
//! let pair = register_type(Layout {
//!     name: "pair",
//!     fixed_size: 24,
//!     slots: vec![Slot { offset: 8, kind: SlotKind::Value }, Slot { offset: 16, kind: SlotKind::Ref }],
//!     trailing: None,
//! });
//! let heap = Heap::new(HeapOptions::default());
//! let mut list = std::ptr::null_mut();
//! for number in 0..1000u64 {
//!     let object = heap.alloc(pair, layout(pair).size(0), 0);
//!     let slots = object.cast::<u64>();
//!     // SAFETY: the object was just allocated; these are its two slots.
//!     unsafe {
//!         heap.store_ref(object, slots.add(1), number << 3);
//!         heap.store_ref(object, slots.add(2), list as u64);
//!     }
//!     list = object;
//! }
//! heap.collect();
//! assert!(heap.stats().live_bytes >= 24_000);
//! assert_eq!(heap.contains(list as usize + 10), Some(list));
//! ```
//!
//! # What holds
//!
//! * An object's address is its identity for good: nothing moves.
//! * Every object starts with a header of eight bytes, the type's number and the length of the
//!   trailing array ([`Layout`]); objects are aligned to eight bytes; new memory is zero.
//! * An object lives while a scanned slot of a live object refers to it, or a word of the native
//!   stack, of the registers or of a root scanner's report points anywhere into it (with a tag of
//!   up to seven, too). A reference in a plain `Vec` or `Box` is *not* seen.
//! * A collection happens only in [`Heap::alloc`], [`Heap::try_alloc`], [`Heap::collect`],
//!   [`Heap::safepoint`] and [`alloc_slow`], on the thread that calls them, which waits for the
//!   collector's thread; and during [`Heap::blocking`].
//! * References are stored through [`Heap::store_ref`] or [`write_barrier`] only, or beside a call
//!   of [`barrier`]: a generational [`Plan`] must know which old objects were written.
//! * A thread has one heap at a time. The heaps of several threads are collected together, because
//!   MMTk has one instance: a collection waits until all threads that have a heap are at one of the
//!   places above. Nothing else is shared: no heap refers to objects of another.
//!
//! # Inlined allocation
//!
//! What a trace does for an object of `size` bytes, a multiple of eight, at most
//! [`MAX_BUMP_BYTES`] (larger ones: [`alloc_slow`] at once). `bump` is [`Heap::bump`], a constant
//! while the heap is alive, as is `header`, the type's number in the low 16 bits, [`Heap::header_bits`], and the array's length in
//! the high half:
//!
//! ```text
//! object = load64 [bump + 0]                      the cursor
//! end    = object + size                          cannot overflow
//! if end > load64 [bump + 8]  (unsigned):         the limit
//!     object = alloc_slow(bump, header, size)     C calling convention; may collect; done
//! else:
//!     store64 [bump + 0] = end
//!     store64 [object]   = header
//! ```
//!
//! The other fields are zero already. Several objects may be allocated with one check of the
//! limit for their sum; each needs its header before the next call that may collect, and there is no room
//! between them: who points to a new object is found by walking from header to header.
//! In stress mode the region is empty, so that every allocation is a call.
//!
//! # The write barrier
//!
//! What a trace does beside storing references into `object`, unless the object is new since the
//! last place where a collection may happen:
//!
//! ```text
//! if load8 [object + 2] & 1 != 0:                 HEADER_FLAGS_OFFSET, FLAG_OLD
//!     remember(object)                            C calling convention; does not collect
//! ```
//!
//! The flag is MMTk's "unlogged" bit: a collection sets it in all survivors, and `remember` takes
//! it away, so that an object is remembered once.
//!
//! # The verifier
//!
//! With [`HeapOptions::verify`], what is reachable is followed before each collection: a reference to
//! what is no object (a root was missing), an old object that refers to a new one without having been
//! remembered (a barrier was), and a store into an object that was not reachable end the process.
//!
//! # Figures
//!
//! Measured with `examples/alloc_bench.rs` on two cores shared with others; collections are
//! included. Checking the size in [`Heap::alloc`] costs nothing that can be measured, and neither
//! link-time optimisation nor compiling out MMTk's logging gains anything.
//!
//! | what | time |
//! |---|---|
//! | 24-byte object, garbage at once | 3.4 ns, 1 of it collecting |
//! | the same in trees, 131 thousand objects alive | 11 ns, 3 of it collecting |
//! | the same in a list that stays alive and grows to 10 million | 35 ns, 24 of it collecting |
//! | a collection of 8 MB of garbage (a young one comes that often where nothing survives) | 0.35 ms |
//! | a collection of nothing | 0.07 ms, the first one 5 ms |
//! | the process's first `Heap::new` | 8 ms of processor time |
//!
//! There is one collector thread: with two, which wait for each other at every step, collecting
//! 32 MB of garbage took 3-4 ms, trees 6 ns per object, and the list gained nothing.
//!
//! The first `Heap::new` pays for MMTk's start, which reserves address space for all side tables
//! of all its plans and marks the whole range in a map, chunk by chunk. The range is fixed when
//! MMTk is compiled; no option or smaller layout cuts it. [`prepare`] does it on another thread
//! while the program reads its source.
#![warn(missing_docs)]

mod away;
mod binding;
mod fresh;
mod heap;
mod options;
mod pacer;
mod reuse;
mod scan;
mod stack;
mod types;
mod verify;
mod world;

pub use heap::{
    BumpRegion, Heap, MAX_BUMP_BYTES, RootScanner, RootsId, alloc_slow, barrier, remember, write_barrier,
};
pub use options::{HeapOptions, Plan, Request, Requester, Stats};
pub use reuse::share;
pub use stack::{thread_stack, visit_words};
pub use types::{
    FLAG_OLD, HEADER_BYTES, HEADER_FLAGS_OFFSET, HEADER_LEN_OFFSET, HEADER_OWNER_OFFSET, HEADER_TYPE_OFFSET,
    Layout, MAX_TYPES, REF_TAG, Slot, SlotKind, TAG_MASK, Trailing, TypeId, layout, register_type,
};
pub use world::{choose, prepare};
