//! The heap verifier, for tests: before each collection it follows everything that is reachable, and
//! panics where a collection would go wrong, or where an earlier one has.
//!
//! What must hold:
//!
//! * Whatever is referred to is an object: its valid-object bit is set (those of new objects were, for
//!   this), its type is registered. A reference to something else is to an object that an earlier
//!   collection did not find.
//! * An old object that was not remembered refers to old objects only: else somebody stored a reference
//!   without the barrier, and a young collection would free what it refers to.

use std::collections::HashSet;
use std::sync::atomic::Ordering::Relaxed;

use mmtk::util::ObjectReference;

use crate::scan::{describe, for_each_reference};
use crate::types::{FLAG_OLD, HEADER_FLAGS_OFFSET, HEADER_OWNER_OFFSET};

/// What is known between two collections, if the heap is verified.
#[derive(Default)]
pub(crate) struct Verified {
    /// What was reachable at the last one.
    reachable: HashSet<ObjectReference>,
    /// The objects that were remembered since.
    remembered: HashSet<ObjectReference>,
}

impl Verified {
    /// An old object is written: it was reachable, or else a root is missing.
    #[cold]
    #[inline(never)]
    pub(crate) fn remember(&mut self, object: ObjectReference) {
        let name = describe(object).0.layout.name;
        assert!(self.reachable.contains(&object), "{object}, {name}, is written, but was not reachable");
        self.remembered.insert(object);
    }
}

impl Verified {
    /// Verifies what the roots of a heap make reachable, before a collection. Objects of other owners, of which a
    /// stale word of the stack was found, are not looked at: their thread may be at work.
    // Not inlined, because what a stack frame leaves unused is read as roots.
    #[cold]
    #[inline(never)]
    pub(crate) fn collect(&mut self, roots: &[ObjectReference], owner: u8) {
        let generational = crate::world::plan() == crate::options::Plan::StickyImmix;
        let remembered = std::mem::take(&mut self.remembered);
        let mut seen: HashSet<ObjectReference> = roots.iter().copied().collect();
        let mut next: Vec<ObjectReference> = roots.to_vec();
        while let Some(object) = next.pop() {
            if !is_owned(object, owner) {
                continue;
            }
            let (registered, len) = describe(object);
            let whole = is_old(object);
            for_each_reference(object, registered, len, |target| {
                let name = registered.layout.name;
                let address = target.to_raw_address();
                assert!(
                    mmtk::memory_manager::is_mmtk_object(address) == Some(target),
                    "{object}, {name} of length {len}, refers to {address}, where no object is"
                );
                let to_new = !is_old(target) && !remembered.contains(&target);
                assert!(
                    !(generational && whole && to_new && is_owned(target, owner)),
                    "{object}, an old {name} of length {len}, refers to {address}, a new {}, and is not remembered",
                    describe(target).0.layout.name
                );
                if seen.insert(target) {
                    next.push(target);
                }
            });
        }
        self.reachable = seen;
    }
}

fn is_old(object: ObjectReference) -> bool {
    byte(object, HEADER_FLAGS_OFFSET) & FLAG_OLD != 0
}

fn is_owned(object: ObjectReference, owner: u8) -> bool {
    byte(object, HEADER_OWNER_OFFSET) == owner
}

fn byte(object: ObjectReference, offset: usize) -> u8 {
    // SAFETY: a byte of the header of an object, whose thread is stopped or the calling one.
    unsafe { (object.to_raw_address() + offset).atomic_load::<std::sync::atomic::AtomicU8>(Relaxed) }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use mmtk::util::Address;

    use super::*;
    use crate::types::{Layout, Slot, SlotKind, register_type};
    use crate::{Heap, HeapOptions};

    fn reference(object: *mut u8) -> ObjectReference {
        ObjectReference::from_raw_address(Address::from_mut_ptr(object)).unwrap()
    }

    /// What the verifier says of a heap with this root.
    fn verdict(root: *mut u8) -> String {
        let root = reference(root);
        let verify = || Verified::default().collect(&[root], byte(root, HEADER_OWNER_OFFSET));
        message(catch_unwind(AssertUnwindSafe(verify)))
    }

    fn message(result: std::thread::Result<()>) -> String {
        result.err().map_or("fine".into(), |text| text.downcast_ref::<String>().unwrap().clone())
    }

    /// One test, because no collection must find what is wrong on purpose.
    #[test]
    fn what_is_wrong_is_found() {
        let slots = vec![Slot { offset: 8, kind: SlotKind::Ref }];
        let ty = register_type(Layout { name: "cell", fixed_size: 16, slots, trailing: None });
        let heap = Heap::new(HeapOptions { verify: true, ..HeapOptions::default() });
        let cell = heap.alloc(ty, 16, 0);
        heap.collect();
        let slot = cell.wrapping_add(8).cast::<u64>();
        let store = |word: u64| {
            // SAFETY: the slot of a live cell; the barrier is left out, which is what is tested.
            unsafe { slot.write(word) };
        };

        let lost = catch_unwind(AssertUnwindSafe(|| Verified::default().remember(reference(cell))));
        assert!(message(lost).contains("cell, is written, but was not reachable"));
        let new = heap.alloc(ty, 16, 0);
        assert_eq!(heap.contains(new as usize), Some(new));
        store(new as u64);
        assert!(verdict(cell).contains("an old cell of length 0, refers to"));
        store(cell as u64 + 8);
        assert!(verdict(cell).contains("where no object is"));
        store(0);
        let new = heap.alloc(ty, 16, 0);
        // SAFETY: the slot of a live cell.
        unsafe { heap.store_ref(cell, slot, new as u64) };
        heap.collect();
        assert_eq!(verdict(cell), "fine");
    }
}
