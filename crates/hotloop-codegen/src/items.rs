//! Runs of items: what traces call for the operations on them.

use hotloop_ir::{FieldKind, Op, Opcode, TypeDescr};

/// What the functions here must know of the two array parts: where they begin, and the size of an item.
pub(crate) fn layout(op: &Op) -> u64 {
    let (one, two) = match op.code {
        Opcode::FillItems => (op.type_ref().get(), op.type_ref().get()),
        _ => (op.types().0.get(), op.types().1.get()),
    };
    let size = |ty: &TypeDescr| ty.items.map_or(8, |(kind, _): (FieldKind, _)| kind.size() as u64);
    one.fixed_size as u64 | (two.fixed_size as u64) << 24 | size(one) << 48
}

/// The function for an operation: its operands are `args`, then the list, then the layout.
pub(crate) fn function(code: Opcode) -> usize {
    let function = match code {
        Opcode::CopyItems => copy as *const (),
        Opcode::FillItems => fill as *const (),
        Opcode::EqualItems => equal as *const (),
        _ => compare as *const (),
    };
    function as usize
}

fn first(layout: u64, object: u64, at: u64) -> u64 {
    object.wrapping_add(layout & 0xff_ffff).wrapping_add(at.wrapping_mul(layout >> 48))
}

fn second(layout: u64, object: u64, at: u64) -> u64 {
    first(layout >> 24 & 0xff_ffff | layout >> 48 << 48, object, at)
}

pub(crate) extern "C" fn copy(from: u64, to: u64, count: u64, from_at: u64, to_at: u64, layout: u64) -> u64 {
    let (from, to) = (first(layout, from, from_at), second(layout, to, to_at));
    // SAFETY: the trace checked that the items are there.
    unsafe { std::ptr::copy(from as *const u8, to as *mut u8, (count * (layout >> 48)) as usize) }
    0
}

pub(crate) extern "C" fn fill(object: u64, at: u64, value: u64, count: u64, layout: u64) -> u64 {
    let place = first(layout, object, at);
    // SAFETY: the trace checked that the items are there; those of 8 bytes are aligned.
    unsafe {
        match layout >> 48 {
            1 => std::ptr::write_bytes(place as *mut u8, value as u8, count as usize),
            _ => std::slice::from_raw_parts_mut(place as *mut u64, count as usize).fill(value),
        }
    }
    0
}

pub(crate) extern "C" fn equal(one: u64, two: u64, count: u64, at: u64, other_at: u64, layout: u64) -> u64 {
    let (one, two) = (first(layout, one, at), second(layout, two, other_at));
    let bytes = (count * (layout >> 48)) as usize;
    // SAFETY: the trace checked that the items are there; nothing is written meanwhile.
    unsafe {
        let one = std::slice::from_raw_parts(one as *const u8, bytes);
        (one == std::slice::from_raw_parts(two as *const u8, bytes)) as u64
    }
}

pub(crate) extern "C" fn compare(one: u64, two: u64, count: u64, at: u64, other_at: u64, layout: u64) -> u64 {
    let (one, two, count) = (first(layout, one, at), second(layout, two, other_at), count as usize);
    // SAFETY: as for `equal`; items of 8 bytes are aligned.
    let order = unsafe {
        use std::slice::from_raw_parts;
        match layout >> 48 {
            1 => from_raw_parts(one as *const u8, count).cmp(from_raw_parts(two as *const u8, count)),
            _ => from_raw_parts(one as *const u64, count).cmp(from_raw_parts(two as *const u64, count)),
        }
    };
    order as i64 as u64
}
