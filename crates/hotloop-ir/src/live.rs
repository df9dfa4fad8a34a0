//! Which items of a frame may still be read.

/// The items of a frame that are live: those below a number, and of the first 64 of them those whose bits are set.
///
/// ```
/// use hotloop_ir::Live;
///
/// let live = Live::new(4, 0b1011);
/// assert!([0, 1, 3].into_iter().all(|item| live.has(item)));
/// assert!(!live.has(2) && !live.has(4));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Live {
    below: u32,
    first: u64,
}

impl Live {
    /// Nobody knows of one that is dead.
    pub const ALL: Live = Live { below: u32::MAX, first: u64::MAX };

    /// All below a number.
    pub const fn below(below: u32) -> Live {
        Live::new(below, u64::MAX)
    }

    /// Those below a number; item `n` of the first 64 only if bit `n` of `first` is set.
    pub const fn new(below: u32, first: u64) -> Live {
        let all = if below < u64::BITS { (1 << below) - 1 } else { u64::MAX };
        Live { below, first: first & all }
    }

    /// Whether an item is live.
    #[inline]
    pub const fn has(self, item: u32) -> bool {
        item < self.below && (item >= u64::BITS || self.first & 1 << item != 0)
    }

    /// Whether an item is dead that was live before.
    pub const fn ends_some_of(self, before: Live) -> bool {
        self.below < before.below || before.first & !self.first != 0
    }

    /// The number, and the bits.
    pub const fn parts(self) -> (u32, u64) {
        (self.below, self.first)
    }
}

#[cfg(test)]
mod tests {
    use super::Live;

    #[test]
    fn bits_count_for_the_first_64_only() {
        let live = Live::new(70, 0b101);
        let items: Vec<u32> = (0..100).filter(|item| live.has(*item)).collect();
        assert_eq!(items, [0, 2, 64, 65, 66, 67, 68, 69]);
        assert_eq!(Live::new(2, 0b101), Live::new(2, 1));
        assert!(Live::below(64).has(63) && !Live::below(64).has(64) && Live::ALL.has(1 << 31));
        assert!(Live::new(70, 1).ends_some_of(live) && Live::below(3).ends_some_of(live));
        assert!(!live.ends_some_of(live) && !Live::ALL.ends_some_of(live));
    }
}
