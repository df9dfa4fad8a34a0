//! Ranges of numbers that are handed out and given back: code memory, guards' numbers.
//!
//! First fit by address, and neighbours are joined, so that what is freed together can be used for
//! something large again.

use std::collections::BTreeMap;

/// The free ranges.
#[derive(Clone, Debug)]
pub struct Ranges {
    /// Start and length; no two touch.
    free: BTreeMap<usize, usize>,
    left: usize,
}

impl Ranges {
    /// One free range.
    pub fn new(start: usize, length: usize) -> Ranges {
        let mut ranges = Ranges { free: BTreeMap::new(), left: 0 };
        ranges.give(start, length);
        ranges
    }

    /// The lowest range of this length; none if there is no room.
    pub fn take(&mut self, length: usize) -> Option<usize> {
        let (start, room) =
            self.free.iter().find(|(_, room)| **room >= length).map(|(at, room)| (*at, *room))?;
        if length > 0 {
            self.free.remove(&start);
            if room > length {
                self.free.insert(start + length, room - length);
            }
        }
        self.left -= length;
        Some(start)
    }

    /// A range is free (again).
    pub fn give(&mut self, start: usize, length: usize) {
        if length == 0 {
            return;
        }
        self.left += length;
        let (mut start, mut end) = (start, start + length);
        if let Some((before, room)) = self.free.range(..=start).next_back().map(|(at, room)| (*at, *room)) {
            assert!(before + room <= start, "a range is freed twice");
            if before + room == start {
                self.free.remove(&before);
                start = before;
            }
        }
        if let Some((after, room)) = self.free.range(start..).next().map(|(at, room)| (*at, *room)) {
            assert!(end <= after, "a range is freed twice");
            if after == end {
                self.free.remove(&after);
                end += room;
            }
        }
        self.free.insert(start, end - start);
    }

    /// How much is free.
    pub fn left(&self) -> usize {
        self.left
    }
}

#[cfg(test)]
mod tests {
    use super::Ranges;

    #[test]
    fn neighbours_are_joined() {
        let mut ranges = Ranges::new(10, 90);
        let taken: Vec<usize> = (0..9).filter_map(|_| ranges.take(10)).collect();
        assert_eq!(taken, [10, 20, 30, 40, 50, 60, 70, 80, 90]);
        assert_eq!((ranges.take(1), ranges.left()), (None, 0));
        for at in [30, 50, 40, 10, 90, 80] {
            ranges.give(at, 10);
        }
        assert_eq!((ranges.take(31), ranges.take(30), ranges.take(20)), (None, Some(30), Some(80)));
        assert_eq!((ranges.take(0), ranges.take(4), ranges.left()), (Some(10), Some(10), 6));
    }
}
