//! When to collect, and how: the heap's pacing and its soft limit, as plain arithmetic.
//!
//! A collection is due when the bytes allocated since the last one reach the *allowance*. Without
//! generations that is as much as survived the last collection, at least [`MIN_ALLOWANCE`]. With
//! them it is the size of the nursery, and a due collection is a *young* one, which looks at new
//! objects only and takes all others for alive; a full one is made when the old objects have
//! doubled since the last full one, or when the limit is near.
//!
//! The nursery grows with what survives it, up to [`NURSERY_GROWTH`] times: garbage costs a young
//! collection nothing, survivors cost, and of what a program works on at any time about as much
//! survives however much garbage it has made since the last collection. (Not so of trees that are
//! being built, of which more survives then; no nursery that is bounded helps there.)
//!
//! The allowance is no more than is left under the limit; but never less than a *step*, a fraction
//! of the limit, so that a heap that is nearly full does not collect at every turn. The limit is
//! soft: a heap whose survivors exceed it is *over the limit*, which its owner is told and should
//! act on; up to the *hard cap* allocation goes on so that there is memory to act with. Until then
//! collections are half as much as survived apart, lest they take all the time.
//!
//! All sizes are bytes of objects. The pages that hold them are more, by the holes between them.

/// The least allowance in bytes between two collections if the limit permits.
pub(crate) const MIN_ALLOWANCE: usize = 8 << 20;
/// With generations: the same, if nothing else is asked for.
pub(crate) const NURSERY: usize = 16 << 20;
/// With generations: where next to nothing survives, the nursery is this many times smaller, so that new memory is
/// cleared and written in the cache;
const NURSERY_SHRINKAGE: usize = 2;
/// that is where the nursery would still be so many times larger than what survives of it.
const FEW_SURVIVORS: usize = 256;
/// With generations: a nursery is at least as many times larger than what survives of it,
const SURVIVORS: usize = 16;
/// but at most so many times larger than the least one.
const NURSERY_GROWTH: usize = 8;
/// With generations: the least growth in bytes between two full collections.
const MIN_GROWTH: usize = 32 << 20;
/// With generations: a large heap's nursery is this fraction of it, as sweeping takes time in
/// proportion to the whole heap.
const NURSERY_FRACTION: usize = 8;
/// The least step in bytes.
const MIN_STEP: usize = 256 << 10;
/// The least reserve in bytes between the limit and the hard cap.
const MIN_RESERVE: usize = 64 << 20;

/// What a request for memory has to do first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Decision {
    /// Nothing.
    Allocate,
    /// Collect, then allocate.
    Collect(Extent),
}

/// What a collection looks at.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Extent {
    /// The objects allocated since the last collection.
    Young,
    /// All objects.
    Full,
}

/// The figures behind the decision.
#[derive(Clone, Debug)]
pub(crate) struct Pacer {
    /// Whether there are young collections: the least allowance in bytes between them.
    nursery: Option<usize>,
    /// The soft limit on live bytes.
    limit: usize,
    /// Bytes found live by the last collection, or taken for it.
    live: usize,
    /// Bytes of new objects that the last young collections found alive: half of the last one's, a
    /// quarter of the one before's, and so on.
    survivors: usize,
    /// Whether that was a full one.
    exact: bool,
    /// The live bytes at which the next collection is a full one.
    full_at: usize,
    /// Bytes allocated since.
    since: usize,
    /// Bytes that may be allocated between the last collection and the next.
    allowance: usize,
}

impl Pacer {
    /// The pacer of a heap that was not collected yet.
    pub(crate) fn new(limit: usize, nursery: Option<usize>) -> Pacer {
        // Nothing is known yet, so the nursery is the size that was asked for.
        let survivors = nursery.unwrap_or(0) / FEW_SURVIVORS;
        let mut pacer =
            Pacer { nursery, limit, live: 0, survivors, exact: true, full_at: 0, since: 0, allowance: 0 };
        pacer.collected(Extent::Full, 0);
        pacer
    }

    /// How far a nearly full heap goes between collections, in bytes.
    fn step(&self) -> usize {
        (self.limit / 16).clamp(MIN_STEP, MIN_ALLOWANCE)
    }

    /// The bytes that may be live or not yet collected at most.
    fn hard_cap(&self) -> usize {
        self.limit.saturating_add((self.limit / 2).max(MIN_RESERVE))
    }

    /// The bytes that are live or not yet collected.
    fn used(&self) -> usize {
        self.live.saturating_add(self.since)
    }

    /// What to do before `size` more bytes are allocated.
    #[inline]
    pub(crate) fn decide(&self, size: usize) -> Decision {
        let near_limit = self.exceeds_limit(size);
        let due = self.since >= self.allowance
            || (near_limit && self.live <= self.limit && self.since >= self.step())
            || (self.exceeds_hard_cap(size) && (self.since > 0 || !self.exact));
        match due {
            false => Decision::Allocate,
            true if self.nursery.is_some() && !near_limit && self.live < self.full_at => {
                Decision::Collect(Extent::Young)
            }
            true => Decision::Collect(Extent::Full),
        }
    }

    /// Whether `size` more bytes would exceed the limit.
    #[inline]
    pub(crate) fn exceeds_limit(&self, size: usize) -> bool {
        self.used().saturating_add(size) > self.limit
    }

    /// Whether `size` more bytes would exceed the hard cap.
    #[inline]
    pub(crate) fn exceeds_hard_cap(&self, size: usize) -> bool {
        self.used().saturating_add(size) > self.hard_cap()
    }

    /// Counts bytes that heaps left behind that are gone: the next collection is a full one.
    pub(crate) fn inherit(&mut self, size: usize) {
        self.since += size;
        self.full_at = 0;
    }

    /// Counts `size` allocated bytes.
    #[inline]
    pub(crate) fn allocated(&mut self, size: usize) {
        self.since += size;
    }

    /// Notes a collection after which `live` bytes are alive, old objects of a young one included.
    pub(crate) fn collected(&mut self, extent: Extent, live: usize) {
        self.exact = extent == Extent::Full;
        if self.exact {
            self.full_at = live.saturating_add(live.max(MIN_GROWTH));
        } else {
            self.survivors = (self.survivors + live.saturating_sub(self.live)) / 2;
        }
        self.live = live;
        self.since = 0;
        let wanted = match self.nursery {
            Some(nursery) => {
                let roomy = self.survivors.saturating_mul(SURVIVORS).min(nursery * NURSERY_GROWTH);
                let few = self.survivors.saturating_mul(FEW_SURVIVORS);
                few.clamp(nursery / NURSERY_SHRINKAGE, nursery).max(roomy).max(live / NURSERY_FRACTION)
            }
            None => live.max(MIN_ALLOWANCE),
        };
        self.allowance = match self.limit.checked_sub(live) {
            Some(left) => wanted.min(left.max(self.step())),
            // What a young collection took for alive may be garbage.
            None if !self.exact => 0,
            None => (live / 2).max(self.step()),
        };
    }

    /// Whether the last collection found more bytes alive than the limit.
    pub(crate) fn over_limit(&self) -> bool {
        self.exact && self.live > self.limit
    }

    /// Whether the last collection was a full one.
    pub(crate) fn exact(&self) -> bool {
        self.exact
    }

    /// Bytes found alive by the last collection.
    pub(crate) fn live(&self) -> usize {
        self.live
    }

    /// Bytes allocated since the last collection.
    pub(crate) fn since(&self) -> usize {
        self.since
    }

    /// The soft limit in bytes.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MB: usize = 1 << 20;
    const FULL: Decision = Decision::Collect(Extent::Full);
    const YOUNG: Decision = Decision::Collect(Extent::Young);

    #[test]
    fn the_allowance_follows_what_survived() {
        let mut pacer = Pacer::new(4096 * MB, None);
        pacer.allocated(MIN_ALLOWANCE - 1);
        assert_eq!(pacer.decide(8), Decision::Allocate);
        pacer.allocated(1);
        assert_eq!(pacer.decide(8), FULL);
        pacer.collected(Extent::Full, 100 * MB);
        pacer.allocated(99 * MB);
        assert_eq!(pacer.decide(8), Decision::Allocate);
        pacer.allocated(MB);
        assert_eq!(pacer.decide(8), FULL);
    }

    #[test]
    fn the_limit_shortens_the_allowance() {
        let mut pacer = Pacer::new(64 * MB, None);
        pacer.collected(Extent::Full, 50 * MB);
        pacer.allocated(14 * MB);
        assert_eq!(pacer.decide(8), FULL);
        // A full heap still goes a step between collections.
        pacer.collected(Extent::Full, 64 * MB);
        pacer.allocated(4 * MB - 1);
        assert_eq!(pacer.decide(8), Decision::Allocate);
        pacer.allocated(1);
        assert_eq!(pacer.decide(8), FULL);
        assert!(!pacer.over_limit());
        pacer.collected(Extent::Full, 64 * MB + 1);
        assert!(pacer.over_limit());
    }

    #[test]
    fn the_hard_cap_is_above_the_limit() {
        let mut pacer = Pacer::new(64 * MB, None);
        pacer.collected(Extent::Full, 70 * MB);
        assert!(pacer.exceeds_limit(0));
        assert!(!pacer.exceeds_hard_cap(50 * MB));
        assert!(pacer.exceeds_hard_cap(60 * MB));
        assert!(pacer.exceeds_hard_cap(usize::MAX));
    }

    #[test]
    fn young_collections_until_the_old_objects_have_doubled() {
        let mut pacer = Pacer::new(65536 * MB, Some(NURSERY));
        pacer.collected(Extent::Full, 4000 * MB);
        pacer.allocated(4000 * MB / NURSERY_FRACTION);
        assert_eq!(pacer.decide(8), YOUNG);
        pacer.collected(Extent::Young, 7999 * MB);
        pacer.allocated(7999 * MB / NURSERY_FRACTION);
        assert_eq!(pacer.decide(8), YOUNG);
        pacer.collected(Extent::Young, 8000 * MB);
        assert_eq!(pacer.decide(8), Decision::Allocate);
        pacer.allocated(8000 * MB / NURSERY_FRACTION);
        assert_eq!(pacer.decide(8), FULL);
        pacer.collected(Extent::Full, MB);
        pacer.allocated(NURSERY_GROWTH * NURSERY);
        assert_eq!(pacer.decide(8), YOUNG);
    }

    #[test]
    fn the_nursery_grows_with_what_survives() {
        let mut pacer = Pacer::new(16384 * MB, Some(NURSERY));
        // Four in a row, of which 6 MB survive: 6 / 2 + 6 / 4 + 6 / 8 + 6 / 16 of them count.
        (1..=4).for_each(|round| pacer.collected(Extent::Young, 6 * round * MB));
        pacer.allocated(89 * MB);
        assert_eq!(pacer.decide(8), Decision::Allocate);
        pacer.allocated(2 * MB);
        assert_eq!(pacer.decide(8), YOUNG);
        // It does not grow without bounds, and shrinks again.
        pacer.collected(Extent::Young, 800 * MB);
        pacer.allocated(NURSERY_GROWTH * NURSERY);
        assert_ne!(pacer.decide(8), Decision::Allocate);
        (0..10).for_each(|_| pacer.collected(Extent::Young, 100 * MB));
        pacer.allocated(NURSERY);
        assert_ne!(pacer.decide(8), Decision::Allocate);
    }

    #[test]
    fn the_nursery_is_small_while_next_to_nothing_survives() {
        let mut pacer = Pacer::new(16384 * MB, Some(NURSERY));
        // At first nothing is known.
        for allowance in [NURSERY, NURSERY / 2, NURSERY / 2] {
            pacer.allocated(allowance - 1);
            assert_eq!(pacer.decide(8), Decision::Allocate);
            pacer.allocated(1);
            assert_eq!(pacer.decide(8), YOUNG);
            pacer.collected(Extent::Young, 0);
        }
        // Half of this counts.
        pacer.collected(Extent::Young, 2 * NURSERY / FEW_SURVIVORS);
        pacer.allocated(NURSERY - 1);
        assert_eq!(pacer.decide(8), Decision::Allocate);
        pacer.allocated(1);
        assert_eq!(pacer.decide(8), YOUNG);
        (0..10).for_each(|_| pacer.collected(Extent::Young, 2 * NURSERY / FEW_SURVIVORS));
        pacer.allocated(NURSERY / NURSERY_SHRINKAGE);
        assert_eq!(pacer.decide(8), YOUNG);
    }

    #[test]
    fn near_the_limit_collections_are_full() {
        let mut pacer = Pacer::new(64 * MB, Some(NURSERY));
        pacer.collected(Extent::Full, 50 * MB);
        pacer.allocated(14 * MB);
        assert_eq!(pacer.decide(8), FULL);
        // What a young collection leaves does not count as over the limit, until a full one has.
        pacer.collected(Extent::Young, 70 * MB);
        assert!(!pacer.over_limit());
        assert_eq!(pacer.decide(8), FULL);
        pacer.collected(Extent::Full, 70 * MB);
        assert!(pacer.over_limit());
    }
}
