//! What a heap is told, and what it tells.

use std::fmt;
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
    /// Verify what is reachable before each collection, for tests: a missing write barrier or root ends
    /// the process at once.
    pub verify: bool,
    /// With generations: bytes allocated between two collections of a small heap; 16 MB if `None`. Half of it
    /// where next to nothing survives.
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
    /// Bytes of new objects that young collections found alive, in all of them.
    pub survived_bytes: u64,
    /// Bytes of the objects that the last collection found alive, or took for it.
    pub live_bytes: usize,
    /// Bytes of the pages that hold objects now, with the holes between them.
    pub page_bytes: usize,
    /// Time spent in collections, the gathering of roots and the waiting for threads included.
    pub collection_time: Duration,
    /// The longest of them.
    pub longest_collection: Duration,
    /// As long as half of them at most, to a sixteenth.
    pub median_collection: Duration,
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MB: f64 = (1 << 20) as f64;
        let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
        writeln!(f, "collections {}, young {}", self.collections, self.young_collections)?;
        writeln!(
            f,
            "pauses of {:.2} ms: median {:.2}, longest {:.2}",
            milliseconds(self.collection_time),
            milliseconds(self.median_collection),
            milliseconds(self.longest_collection)
        )?;
        writeln!(f, "MB allocated {:.0}", self.allocated_bytes as f64 / MB)?;
        writeln!(f, "MB that survived young collections {:.1}", self.survived_bytes as f64 / MB)?;
        writeln!(f, "MB alive {:.1}", self.live_bytes as f64 / MB)?;
        writeln!(f, "MB of pages {:.1}", self.page_bytes as f64 / MB)
    }
}

/// How often pauses of which length came: buckets of a sixteenth of an octave of nanoseconds.
#[derive(Clone, Debug)]
pub(crate) struct Pauses {
    buckets: [u32; Pauses::BUCKETS],
    count: u32,
}

impl Pauses {
    /// The steps in which a power of two is divided.
    const STEPS: usize = 16;
    /// Pauses of up to two to the power of 40 nanoseconds, a quarter of an hour.
    const BUCKETS: usize = 40 * Pauses::STEPS;

    pub(crate) const fn new() -> Pauses {
        Pauses { buckets: [0; Pauses::BUCKETS], count: 0 }
    }

    /// Counts a pause.
    pub(crate) fn add(&mut self, pause: Duration) {
        let octaves = (pause.as_nanos().max(1) as f64).log2();
        let bucket = (octaves * Pauses::STEPS as f64) as usize;
        self.buckets[bucket.min(Pauses::BUCKETS - 1)] += 1;
        self.count += 1;
    }

    /// The middle of the bucket in which the median is.
    pub(crate) fn median(&self) -> Duration {
        let mut left = self.count / 2;
        let bucket = self.buckets.iter().position(|count| {
            let found = left < *count;
            left = left.saturating_sub(*count);
            found
        });
        bucket.map_or(Duration::ZERO, |bucket| {
            Duration::from_nanos(((bucket as f64 + 0.5) / Pauses::STEPS as f64).exp2() as u64)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        let mut pauses = Pauses::new();
        assert_eq!(pauses.median(), Duration::ZERO);
        [9, 1, 2, 1000, 3].into_iter().for_each(|micros| pauses.add(Duration::from_micros(micros)));
        let median = pauses.median().as_secs_f64() * 1e6;
        assert!((median - 3.0).abs() < 3.0 / 16.0, "{median}");
        pauses.add(Duration::from_secs(100_000));
        pauses.add(Duration::ZERO);
    }
}
