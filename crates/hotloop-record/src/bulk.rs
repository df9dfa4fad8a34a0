//! Runs of items in memory: copied, filled and compared. Addresses are those of items, which are there; what
//! is written is an object's, which the collector is told of if references may be among it.

use hotloop_ir::FieldKind;

fn barrier(object: u64, kind: FieldKind) {
    if matches!(kind, FieldKind::Ref | FieldKind::Value) {
        // SAFETY: a live object of this thread's heap, says the caller.
        unsafe { hotloop_gc::barrier(object as *mut u8) }
    }
}

/// Copies items into an object, as through a buffer.
#[inline]
pub fn copy(from: u64, object: u64, to: u64, count: u64, kind: FieldKind) {
    barrier(object, kind);
    let bytes = count * kind.size() as u64;
    // SAFETY: both runs lie within live objects, says the caller, who has checked their ranges; objects are
    // written by their interpreter's thread only.
    unsafe { std::ptr::copy(from as *const u8, to as *mut u8, bytes as usize) }
}

/// Writes the same word to as many items of an object.
#[inline]
pub fn fill(object: u64, to: u64, count: u64, kind: FieldKind, word: u64) {
    barrier(object, kind);
    // SAFETY: as for `copy`; items of words are aligned.
    unsafe {
        match kind {
            FieldKind::Byte => std::ptr::write_bytes(to as *mut u8, word as u8, count as usize),
            _ => std::slice::from_raw_parts_mut(to as *mut u64, count as usize).fill(word),
        }
    }
}

/// Whether both runs hold the same bits.
#[inline]
pub fn equal(one: u64, two: u64, bytes: u64) -> bool {
    // SAFETY: as for `copy`; nothing is written meanwhile.
    unsafe {
        std::slice::from_raw_parts(one as *const u8, bytes as usize)
            == std::slice::from_raw_parts(two as *const u8, bytes as usize)
    }
}

/// The order of the first items that differ, as unsigned words: -1, 0 or 1.
#[inline]
pub fn compare(one: u64, two: u64, count: u64, kind: FieldKind) -> i64 {
    // SAFETY: as for `equal`; items of words are aligned.
    let order = unsafe {
        let count = count as usize;
        match kind {
            FieldKind::Byte => std::slice::from_raw_parts(one as *const u8, count)
                .cmp(std::slice::from_raw_parts(two as *const u8, count)),
            _ => std::slice::from_raw_parts(one as *const u64, count)
                .cmp(std::slice::from_raw_parts(two as *const u64, count)),
        }
    };
    order as i64
}
