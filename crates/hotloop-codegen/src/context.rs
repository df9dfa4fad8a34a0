//! What running code shares with the runtime.

use std::sync::atomic::AtomicU32;

/// The region in which objects are allocated inline, by moving a pointer. Its memory is zero.
#[repr(C)]
#[derive(Debug)]
pub struct Bump {
    /// Where the next object goes (a multiple of 8).
    pub cursor: usize,
    /// The end.
    pub limit: usize,
}

/// Allocates an object the slow way: zeroed, header written, its valid-object bit set. May collect.
///
/// `header` is the type's id in the low 32 bits and the length of the array part in the high ones; `size` is
/// the whole size in bytes, a multiple of 8.
pub type Alloc = extern "C" fn(heap: *const (), header: u64, size: usize) -> *mut u8;

/// One per runtime, at an address that does not change while code runs: machine code keeps the address in
/// a register and reads all fields when it needs them.
#[repr(C)]
#[derive(Debug)]
pub struct Context {
    /// Not 0: `guard_no_interrupt` fails.
    pub poll: AtomicU32,
    /// The inline allocation region. Not read if `vo_base` is 0.
    pub bump: *mut Bump,
    /// Base of the valid-object bits: the one of the object at `a` is bit `(a >> 3) & 7` of the byte at
    /// `vo_base + (a >> 6)`; 32 bits are read and written at once. 0: no inline allocation.
    pub vo_base: usize,
    /// Handed to `alloc`.
    pub heap: *const (),
    /// Called when inline allocation is not possible.
    pub alloc: Alloc,
}

impl Context {
    /// A context without inline allocation.
    pub fn new(heap: *const (), alloc: Alloc) -> Context {
        Context { poll: AtomicU32::new(0), bump: std::ptr::null_mut(), vo_base: 0, heap, alloc }
    }
}
