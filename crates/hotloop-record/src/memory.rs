//! Concrete memory: the one place where the recorder touches objects. Header: type number at offset 0 (16
//! bits), length of the array part at offset 4.

use hotloop_ir::FieldKind;

/// Reads a place of an object.
#[inline]
pub fn load(object: u64, offset: u64, kind: FieldKind) -> u64 {
    debug_assert!(object != 0 && object & 7 == 0, "read from {object:#x}");
    // SAFETY: `object` came from an allocation, a reference field or a checked cast, so it is a live object;
    // the offset is a field's or that of an item within its length.
    unsafe {
        match kind {
            FieldKind::Byte => *((object + offset) as *const u8) as u64,
            _ => *((object + offset) as *const u64),
        }
    }
}

/// Writes a place of an object.
#[inline]
pub fn store(object: u64, offset: u64, kind: FieldKind, value: u64) {
    debug_assert!(object != 0 && object & 7 == 0, "write to {object:#x}");
    // SAFETY: as for `load`; the object is written by its interpreter's thread only.
    unsafe {
        let place = (object + offset) as *mut u64;
        match kind {
            FieldKind::Byte => *place.cast::<u8>() = value as u8,
            FieldKind::Ref | FieldKind::Value => hotloop_gc::write_barrier(object as *mut u8, place, value),
            FieldKind::Int | FieldKind::Float => *place = value,
        }
    }
}

/// The number of an object's heap type.
#[inline]
pub fn type_number(object: u64) -> u32 {
    debug_assert!(object != 0 && object & 7 == 0, "type of {object:#x}");
    // SAFETY: as for `load`.
    unsafe { *(object as *const u16) as u32 }
}

/// The length of an object's array part.
#[inline]
pub fn length(object: u64) -> u32 {
    debug_assert!(object != 0 && object & 7 == 0, "length of {object:#x}");
    // SAFETY: as for `load`.
    unsafe { *((object + 4) as *const u32) }
}
