//! Runs of items in memory: copied, filled and compared. Addresses are those of items, which are there; what
//! is written is an object's, which the collector is told of if references may be among it.

use hotloop_ir::FieldKind;

#[inline]
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
    unsafe { copy_bytes(from as *const u8, to as *mut u8, bytes as usize) }
}

/// Copies bytes, as through a buffer: a few in line, as texts are short.
///
/// # Safety
///
/// There are so many bytes at both places.
#[inline]
pub unsafe fn copy_bytes(from: *const u8, to: *mut u8, bytes: usize) {
    // SAFETY: the caller's obligation; what is read of each is among its bytes.
    unsafe {
        match bytes {
            0 => {}
            1 => to.write(from.read()),
            2..4 => copy_ends::<u16>(from, to, bytes),
            4..8 => copy_ends::<u32>(from, to, bytes),
            8..=16 => copy_ends::<u64>(from, to, bytes),
            _ => std::ptr::copy(from, to, bytes),
        }
    }
}

/// Copies the first and the last of some bytes, which may be the same ones in part.
///
/// # Safety
///
/// There are so many bytes at both places, at least those of one `W` and at most those of two.
#[inline(always)]
unsafe fn copy_ends<W: Copy>(from: *const u8, to: *mut u8, bytes: usize) {
    let last = bytes - size_of::<W>();
    // SAFETY: the caller's obligation.
    unsafe {
        let (first, second) =
            (from.cast::<W>().read_unaligned(), from.add(last).cast::<W>().read_unaligned());
        to.cast::<W>().write_unaligned(first);
        to.add(last).cast::<W>().write_unaligned(second);
    }
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
