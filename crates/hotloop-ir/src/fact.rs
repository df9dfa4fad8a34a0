//! What is known of a word: range, known bits, possible tags, heap type of the object it refers to.
//!
//! Known bits and bounds are kept together and tighten each other ("tristate numbers": Vishwanathan et
//! al., 2022, as in PyPy's `intutils.py`). The three lowest bits are where language values have their
//! tags, and the tags of floats (001, 101, 110) have no bit in common: so for these three there is also the
//! set of the values that they may have.

/// Knowledge of a value. [`Fact::ANY`] is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fact {
    /// Least signed value.
    pub lo: i64,
    /// Greatest signed value.
    pub hi: i64,
    /// Bits known to be 0.
    pub zeros: u64,
    /// Bits known to be 1.
    pub ones: u64,
    /// Which values the three lowest bits may have: bit *n* is set if *n* is possible.
    pub tags: u8,
    /// Number of the heap type of the object (`TypeRef`), if it is the address of one; implies not null.
    pub heap_type: Option<u32>,
}

/// The sets of all tags that have this bit.
const WITH_BIT: [u8; 3] = [0b1010_1010, 0b1100_1100, 0b1111_0000];

impl Fact {
    /// Nothing is known.
    pub const ANY: Fact = Fact { lo: i64::MIN, hi: i64::MAX, zeros: 0, ones: 0, tags: !0, heap_type: None };
    /// 0 or 1.
    pub const BOOL: Fact = Fact { lo: 0, hi: 1, zeros: !1, ones: 0, tags: 0b11, heap_type: None };
    /// A tagged float (`value_is_float`).
    pub const FLOAT_VALUE: Fact = Fact { tags: 1 << 0b001 | 1 << 0b101 | 1 << 0b110, ..Fact::ANY };

    /// A float as a value: tagged, or a reference to its box.
    pub const FLOAT_OR_BOX: Fact = Fact { tags: Fact::FLOAT_VALUE.tags | 1 << 0b010, ..Fact::ANY };

    /// Exactly this word.
    pub const fn exactly(bits: u64) -> Fact {
        let tags = 1 << (bits & 7);
        Fact { lo: bits as i64, hi: bits as i64, zeros: !bits, ones: bits, tags, heap_type: None }
    }

    /// A signed range.
    pub fn range(lo: i64, hi: i64) -> Fact {
        Fact { lo, hi, ..Fact::ANY }.tightened()
    }

    /// The word, if only one is possible.
    pub fn constant(&self) -> Option<u64> {
        if self.lo == self.hi {
            Some(self.lo as u64)
        } else if self.zeros | self.ones == u64::MAX {
            Some(self.ones)
        } else {
            None
        }
    }

    /// Whether a word fits what is known.
    pub fn admits(&self, bits: u64) -> bool {
        let word = bits as i64;
        let tagged = self.tags >> (bits & 7) & 1 != 0;
        tagged
            && self.lo <= word
            && word <= self.hi
            && bits & self.zeros == 0
            && bits & self.ones == self.ones
    }

    /// Whether nothing is known.
    pub fn is_any(&self) -> bool {
        *self == Fact::ANY
    }

    /// Both facts at once.
    pub fn and(&self, other: &Fact) -> Fact {
        Fact {
            lo: self.lo.max(other.lo),
            hi: self.hi.min(other.hi),
            zeros: self.zeros | other.zeros,
            ones: self.ones | other.ones,
            tags: self.tags & other.tags,
            heap_type: self.heap_type.or(other.heap_type),
        }
        .tightened()
    }

    /// What holds of either.
    pub fn or(&self, other: &Fact) -> Fact {
        Fact {
            lo: self.lo.min(other.lo),
            hi: self.hi.max(other.hi),
            zeros: self.zeros & other.zeros,
            ones: self.ones & other.ones,
            tags: self.tags | other.tags,
            heap_type: if self.heap_type == other.heap_type { self.heap_type } else { None },
        }
    }

    /// Whether everything that `other` says, this says as well.
    pub fn implies(&self, other: &Fact) -> bool {
        self.lo >= other.lo
            && self.hi <= other.hi
            && other.zeros & !self.zeros == 0
            && other.ones & !self.ones == 0
            && self.tags & !other.tags == 0
            && (other.heap_type.is_none() || other.heap_type == self.heap_type)
    }

    /// Whether no word fits: the code behind is dead.
    pub fn is_impossible(&self) -> bool {
        self.lo > self.hi || self.zeros & self.ones != 0 || self.tags == 0
    }

    /// Bounds and bits brought to bear on each other.
    pub fn tightened(mut self) -> Fact {
        if self.is_impossible() {
            return self;
        }
        // Bits that the bounds fix: the common prefix of lo and hi.
        let differ = (self.lo ^ self.hi) as u64;
        let low = if differ == 0 { 0 } else { u64::MAX >> differ.leading_zeros() };
        let fixed = !low;
        self.ones |= self.lo as u64 & fixed;
        self.zeros |= !(self.lo as u64) & fixed;
        // Tags that the bits exclude, and bits that all tags agree in.
        self.tags &= self.tags_of_bits();
        for (bit, with) in WITH_BIT.iter().enumerate() {
            match (self.tags & with, self.tags & !with) {
                (0, _) => self.zeros |= 1 << bit,
                (_, 0) => self.ones |= 1 << bit,
                _ => {}
            }
        }
        if self.zeros & self.ones != 0 {
            return self;
        }
        // Bounds that the bits fix: all unknown bits 0 or 1, the sign bit the other way round.
        const SIGN: u64 = 1 << 63;
        let unknown = !(self.zeros | self.ones);
        let least = (self.ones | (unknown & SIGN)) as i64;
        let greatest = (self.ones | (unknown & !SIGN)) as i64;
        self.lo = self.lo.max(least);
        self.hi = self.hi.min(greatest);
        // Low bits known to be 0: round the bounds to multiples.
        let align = self.zeros.trailing_ones().min(62);
        let step = 1i64 << align;
        if let Some(up) = self.lo.checked_add(step - 1) {
            self.lo = up & !(step - 1);
        }
        self.hi &= !(step - 1);
        // The ends of a range of few words (a tag's) have possible tags, too.
        if self.hi.checked_sub(self.lo).is_some_and(|width| width < 8) {
            while self.lo < self.hi && self.tags >> (self.lo & 7) & 1 == 0 {
                self.lo += 1;
            }
            while self.lo < self.hi && self.tags >> (self.hi & 7) & 1 == 0 {
                self.hi -= 1;
            }
        }
        self
    }

    /// The tags that the known bits allow.
    pub fn tags_of_bits(&self) -> u8 {
        (0..3).fold(!0, |tags, bit| match (self.zeros >> bit & 1, self.ones >> bit & 1) {
            (1, _) => tags & !WITH_BIT[bit],
            (_, 1) => tags & WITH_BIT[bit],
            _ => tags,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_and_bits_meet() {
        let tagged = Fact { zeros: 7, ..Fact::ANY }.tightened();
        assert_eq!(tagged.hi, i64::MAX - 7);
        let small = Fact::range(0, 9).and(&tagged);
        assert_eq!((small.lo, small.hi), (0, 8));
        assert_eq!(Fact::range(8, 8).constant(), Some(8));
        assert!(Fact::range(1, 0).is_impossible());
        let float = Fact::FLOAT_VALUE.tightened();
        assert_eq!(float, Fact::FLOAT_VALUE);
        assert!(float.and(&tagged).is_impossible());
        let tag = float.and(&Fact::range(0, 7));
        assert_eq!((tag.lo, tag.hi), (1, 6));
        assert!(float.admits(5) && !float.admits(8) && !float.implies(&tagged));
        assert_eq!(float.or(&tagged).tags, Fact::FLOAT_VALUE.tags | 1);
        assert!(small.implies(&Fact::range(0, 100)) && !Fact::range(0, 100).implies(&small));
    }
}
