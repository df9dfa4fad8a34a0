//! Private objects: their owner says when they are no longer used, and gets them back for the next ones.
//!
//! An interpreter's frames die in the order opposite to that of their making, most of them at once. Given back,
//! a frame is still in the cache when the next call wants one, and costs the collector nothing.
//!
//! ```text
//! private   made by `alloc_private`; flags = FLAG_PRIVATE
//!   | give_back: goes to the pool of its length       alloc_private: comes from there
//!   | share: somebody else may refer to it            old: it has survived a collection
//!   v
//! as any other object: `give_back` does nothing
//! ```
//!
//! What is in the pools stays an object with its type and length, so who uses it too late sees another's
//! contents but never another's layout. Each collection empties the pools: nothing in them is reachable.

use crate::heap::Heap;
use crate::types::{
    self, FLAG_PRIVATE, HEADER_BYTES, HEADER_FLAGS_OFFSET, HEADER_LEN_OFFSET, HEADER_TYPE_OFFSET, TypeId,
};
use std::cell::Cell;

/// Objects with more elements are not kept.
const MOST_ELEMENTS: usize = 64;

/// What was given back since the last collection: for each number of elements, the object given back last; in the
/// word behind the header, each has the address of the one before.
pub(crate) struct Pools([Cell<usize>; MOST_ELEMENTS + 1]);

impl Default for Pools {
    fn default() -> Pools {
        Pools([const { Cell::new(0) }; MOST_ELEMENTS + 1])
    }
}

impl Pools {
    /// Forgets everything.
    pub fn clear(&self) {
        self.0.iter().for_each(|pool| pool.set(0));
    }
}

impl Heap {
    /// Like [`alloc_unchecked`](Heap::alloc_unchecked), for an object that only its owner refers to, until it is
    /// [shared](share).
    ///
    /// # Safety
    ///
    /// As [`alloc_unchecked`](Heap::alloc_unchecked). The type has a fixed field; all up to `fixed_bytes` are written
    /// before anything else is done with the heap.
    #[inline(always)]
    pub unsafe fn alloc_private(
        &self,
        ty: TypeId,
        fixed_bytes: usize,
        size_bytes: usize,
        len: u32,
    ) -> *mut u8 {
        if let Some(pool) = self.inner().pools.0.get(len as usize)
            && pool.get() != 0
        {
            let object = pool.get() as *mut u8;
            // SAFETY: what is in a pool is an object with so many elements behind its fixed part; if its type is
            // this one it has this size, and the word behind its header is that of `give_back`.
            unsafe {
                if u32::from(object.add(HEADER_TYPE_OFFSET).cast::<u16>().read()) == ty.0 {
                    pool.set(object.add(HEADER_BYTES).cast::<usize>().read());
                    clear(object.add(fixed_bytes).cast(), (size_bytes - fixed_bytes) / 8);
                    return object;
                }
            }
        }
        // SAFETY: the caller's obligation; the object was just made.
        unsafe {
            let object = self.alloc_unchecked(ty, size_bytes, len);
            object.add(HEADER_FLAGS_OFFSET).write(FLAG_PRIVATE);
            object
        }
    }

    /// The owner of a private object has no more use for it: one made later may take its place. Nothing happens
    /// if it was shared, or has survived a collection.
    ///
    /// # Safety
    ///
    /// `object` is the address of a live object of this heap.
    #[inline(always)]
    pub unsafe fn give_back(&self, object: *mut u8) {
        // SAFETY: the caller's obligation; every object has a header.
        let (flags, len) = unsafe {
            (object.add(HEADER_FLAGS_OFFSET).read(), object.add(HEADER_LEN_OFFSET).cast::<u32>().read())
        };
        if flags == FLAG_PRIVATE
            && let Some(pool) = self.inner().pools.0.get(len as usize)
        {
            // SAFETY: as a private object it has a field there, whose contents nobody needs. To a collection that finds the
            // object by chance it is a reference, or no tagged one.
            unsafe { object.add(HEADER_BYTES).cast::<usize>().write(pool.get()) };
            pool.set(object as usize);
        }
    }
}

/// Clears some words: in line, as they are few.
///
/// # Safety
///
/// There are so many words to write to.
#[inline(always)]
unsafe fn clear(words: *mut u64, count: usize) {
    for index in 0..count {
        // Volatile, or the compiler would make it a call.
        // SAFETY: the caller's obligation.
        unsafe { words.add(index).write_volatile(0) };
    }
}

/// Others than its owner may refer to an object from now on, and so to what it refers to in its fixed fields. It
/// may be of any kind.
///
/// # Safety
///
/// `object` is the address of a live object of the calling thread's heap.
#[inline(always)]
pub unsafe fn share(object: *mut u8) {
    // SAFETY: the caller's obligation; every object has a header.
    if unsafe { object.add(HEADER_FLAGS_OFFSET).read() } & FLAG_PRIVATE != 0 {
        // SAFETY: the caller's obligation.
        unsafe { share_reachable(object) };
    }
}

#[cold]
#[inline(never)]
unsafe fn share_reachable(mut object: *mut u8) {
    // Empty, unless several objects in a row are private.
    let mut left = Vec::new();
    loop {
        // SAFETY: the caller's obligation, or a reference of a live object.
        let ty = unsafe {
            let flags = object.add(HEADER_FLAGS_OFFSET);
            flags.write(flags.read() & !FLAG_PRIVATE);
            TypeId(u32::from(object.add(HEADER_TYPE_OFFSET).cast::<u16>().read()))
        };
        left.extend(types::registered(ty).refs.iter().filter_map(|offset| {
            // SAFETY: the object has such a field, which holds the address of an object or nothing.
            unsafe {
                let target = object.add(*offset as usize).cast::<*mut u8>().read();
                (!target.is_null() && target.add(HEADER_FLAGS_OFFSET).read() & FLAG_PRIVATE != 0)
                    .then_some(target)
            }
        }));
        match left.pop() {
            Some(next) => object = next,
            None => return,
        }
    }
}
