//! When to collect: the heap's pacing and its soft limit, as plain arithmetic.
//!
//! A collection is due when the bytes allocated since the last one reach the *allowance*: as much
//! as survived the last collection, at least [`MIN_ALLOWANCE`], and no more than is left under the
//! limit; but never less than a *step*, a fraction of the limit, so that a heap that is nearly
//! full does not collect at every turn. The limit is soft: a heap whose survivors exceed it is
//! *over the limit*, which its owner is told and should act on; up to the *hard cap* allocation
//! goes on so that there is memory to act with. Until then collections are half as much as
//! survived apart, lest they take all the time.
//!
//! All sizes are bytes of objects. The pages that hold them are more, by the holes between them.

/// The least allowance in bytes between two collections if the limit permits.
pub(crate) const MIN_ALLOWANCE: usize = 8 << 20;
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
    Collect,
}

/// The figures behind the decision.
#[derive(Clone, Debug)]
pub(crate) struct Pacer {
    /// The soft limit on live bytes.
    limit: usize,
    /// Bytes found live by the last collection.
    live: usize,
    /// Bytes allocated since.
    since: usize,
    /// Bytes that may be allocated between the last collection and the next.
    allowance: usize,
}

impl Pacer {
    /// The pacer of a heap that was not collected yet; `since` bytes were allocated before it,
    /// by heaps that are gone.
    pub(crate) fn new(limit: usize, since: usize) -> Pacer {
        let mut pacer = Pacer { limit, live: 0, since: 0, allowance: 0 };
        pacer.collected(0);
        pacer.since = since;
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
        let due = self.since >= self.allowance
            || (self.exceeds_limit(size) && !self.over_limit() && self.since >= self.step())
            || (self.exceeds_hard_cap(size) && self.since > 0);
        if due { Decision::Collect } else { Decision::Allocate }
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

    /// Counts `size` allocated bytes.
    #[inline]
    pub(crate) fn allocated(&mut self, size: usize) {
        self.since += size;
    }

    /// Notes a collection that found `live` bytes alive.
    pub(crate) fn collected(&mut self, live: usize) {
        self.live = live;
        self.since = 0;
        self.allowance = match self.limit.checked_sub(live) {
            Some(left) => live.max(MIN_ALLOWANCE).min(left).max(self.step()),
            None => (live / 2).max(self.step()),
        };
    }

    /// Whether the last collection found more bytes alive than the limit.
    pub(crate) fn over_limit(&self) -> bool {
        self.live > self.limit
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

    #[test]
    fn the_allowance_follows_what_survived() {
        let mut pacer = Pacer::new(4096 * MB, 0);
        pacer.allocated(MIN_ALLOWANCE - 1);
        assert_eq!(pacer.decide(8), Decision::Allocate);
        pacer.allocated(1);
        assert_eq!(pacer.decide(8), Decision::Collect);
        pacer.collected(100 * MB);
        pacer.allocated(99 * MB);
        assert_eq!(pacer.decide(8), Decision::Allocate);
        pacer.allocated(MB);
        assert_eq!(pacer.decide(8), Decision::Collect);
    }

    #[test]
    fn the_limit_shortens_the_allowance() {
        let mut pacer = Pacer::new(64 * MB, 0);
        pacer.collected(50 * MB);
        pacer.allocated(14 * MB);
        assert_eq!(pacer.decide(8), Decision::Collect);
        // A full heap still goes a step between collections.
        pacer.collected(64 * MB);
        pacer.allocated(4 * MB - 1);
        assert_eq!(pacer.decide(8), Decision::Allocate);
        pacer.allocated(1);
        assert_eq!(pacer.decide(8), Decision::Collect);
        assert!(!pacer.over_limit());
        pacer.collected(64 * MB + 1);
        assert!(pacer.over_limit());
    }

    #[test]
    fn the_hard_cap_is_above_the_limit() {
        let mut pacer = Pacer::new(64 * MB, 0);
        pacer.collected(70 * MB);
        assert!(pacer.exceeds_limit(0));
        assert!(!pacer.exceeds_hard_cap(50 * MB));
        assert!(pacer.exceeds_hard_cap(60 * MB));
        assert!(pacer.exceeds_hard_cap(usize::MAX));
    }
}
