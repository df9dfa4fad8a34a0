//! What a heap is told, and what it tells.

use std::time::Duration;

#[cfg(doc)]
use crate::Heap;

/// How the process collects. All heaps share one plan, see [`choose`](crate::choose).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Plan {
    /// Every collection looks at all objects.
    Immix = 1,
    /// Most collections look at new objects only (and at old ones that were written).
    #[default]
    StickyImmix = 2,
}

/// Why a heap wants its owner's attention, see [`Heap::set_request`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Request {
    /// A collection left the heap over its limit.
    OverLimit,
    /// Another heap's thread wants to collect: [`Heap::safepoint`] is to be called soon.
    Stop,
}

/// A function that tells a heap's owner of a request, on whatever thread.
pub type Requester = Box<dyn Fn(Request) + Send + Sync>;

/// How a [`Heap`] is set up.
#[derive(Clone, Copy, Debug, Default)]
pub struct HeapOptions {
    /// The soft limit in bytes on the objects alive after a collection; three quarters of the
    /// machine's memory if `None`.
    pub limit_bytes: Option<usize>,
    /// Collect at every n-th allocation, for tests. Every allocation takes the slow path then.
    pub stress: Option<u32>,
    /// The n-th allocation (from 1) finds the heap over its limit, for tests. Every allocation takes
    /// the slow path then.
    pub fail_at: Option<u64>,
    /// With generations: bytes allocated between two collections of a small heap; 32 MB if `None`.
    pub nursery_bytes: Option<usize>,
}

/// What a heap has done so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stats {
    /// The number of collections.
    pub collections: u64,
    /// How many of them looked at new objects only.
    pub young_collections: u64,
    /// Bytes of all objects ever allocated.
    pub allocated_bytes: u64,
    /// Bytes of the objects that the last collection found alive, or took for it.
    pub live_bytes: usize,
    /// Bytes of the pages that hold objects now, with the holes between them.
    pub page_bytes: usize,
    /// Time spent in collections, the gathering of roots and the waiting for threads included.
    pub collection_time: Duration,
    /// The longest of them.
    pub longest_collection: Duration,
}
