//! The memory that was allocated since the last collection, and the objects in it.
//!
//! A word of a native stack may point anywhere into an object. MMTk finds the object by its valid-object bit, and a
//! collection leaves the bits right for what survives it (it copies the mark bits). To set the bit of each new object
//! as well costs more than to allocate it, and most die before anybody asks. So there are none until a root points
//! into a stretch of new memory: then all objects of the stretch get theirs, by walking from header to header.
//!
//! What it keeps true: a stretch is objects without a gap between them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use mmtk::util::{Address, ObjectReference};

use crate::scan::size_of_object;
use crate::stack;

/// New objects in a row.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    start: usize,
    end: usize,
    /// Its objects have their bits.
    walked: bool,
}

/// What was allocated since the last collection.
#[derive(Debug, Default)]
pub(crate) struct Fresh(Vec<Stretch>);

impl Fresh {
    /// There are objects from here to there.
    pub fn add(&mut self, start: usize, end: usize) {
        match self.0.last_mut() {
            _ if start == end => {}
            Some(last) if last.end == start => *last = Stretch { end, walked: false, ..*last },
            _ => self.0.push(Stretch { start, end, walked: false }),
        }
    }

    /// The objects, new and old, that these words, in order, point into.
    pub fn find(&mut self, words: &[u64]) -> Vec<ObjectReference> {
        let _alone = alone();
        for stretch in &mut self.0 {
            // There are many more stretches than words.
            let first = words.partition_point(|word| (*word as usize) < stretch.start);
            if words.get(first).is_some_and(|word| (*word as usize) < stretch.end) {
                stretch.walk();
            }
        }
        words.iter().filter_map(|word| stack::object_at(*word)).collect()
    }

    /// From now on MMTk finds all new objects.
    pub fn expose_all(&mut self) {
        let _alone = alone();
        self.0.iter_mut().for_each(Stretch::walk);
    }

    /// They are not new any more.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

/// No other thread changes bits meanwhile: MMTk looks at those of other heaps, too, and asserts that they don't.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Stretch {
    fn walk(&mut self) {
        if std::mem::replace(&mut self.walked, true) {
            return;
        }
        let bits = mmtk::util::metadata::side_metadata::vo_bit_side_metadata_addr();
        let mut at = self.start;
        while at < self.end {
            // One bit for every eight bytes of heap.
            let byte: *mut u8 = (bits + (at >> 6)).to_mut_ptr();
            // SAFETY: MMTk maps the bits of all pages that it hands out; who looks for roots is alone with them.
            unsafe { *byte |= 1 << ((at >> 3) & 7) };
            // SAFETY: making an address from a number is always fine.
            let address = unsafe { Address::from_usize(at) };
            let object =
                ObjectReference::from_raw_address(address).expect("a stretch does not begin at null");
            at += size_of_object(object);
        }
    }
}
