//! The native stack: where it ends, what its registers hold, which of its words may refer into
//! the heap.
//!
//! Stacks are read conservatively: every aligned word that points anywhere into an object keeps
//! the object alive. Callee-saved registers of the frames above may still be in registers, so they
//! are spilled into the frame that scans.

use mmtk::memory_manager::{find_object_from_internal_pointer, last_heap_address, starting_heap_address};
use mmtk::util::{Address, ObjectReference};

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
compile_error!("hotloop-gc knows how to spill the registers of x86-64 and AArch64 only");

/// How far below an address to look for the start of the object around it: the whole heap, since
/// one array may fill it. MMTk bounds the search itself in the space of small objects.
const MAX_SEARCH_BYTES: usize = 1 << 46;

/// The end (highest address) of the calling thread's stack.
pub(crate) fn thread_stack_base() -> *const u8 {
    thread_stack().1 as *const u8
}

/// The lowest and the highest address of the calling thread's stack.
pub fn thread_stack() -> (usize, usize) {
    // SAFETY: `pthread_getattr_np` initialises the attribute object that it is given for the
    // calling thread, which exists; the object is read and destroyed only if that succeeded.
    unsafe {
        let mut attributes = std::mem::MaybeUninit::<libc::pthread_attr_t>::uninit();
        let failed = libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr());
        assert_eq!(failed, 0, "the thread's stack bounds are not known");
        let mut low = std::ptr::null_mut();
        let mut size = 0;
        let failed = libc::pthread_attr_getstack(attributes.as_ptr(), &mut low, &mut size);
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        assert_eq!(failed, 0, "the thread's stack bounds are not known");
        (low as usize, low as usize + size)
    }
}

/// Calls `visit` with every aligned word between `low` and `high`, for root scanners of other
/// stacks (suspended coroutines) and register images.
///
/// # Safety
///
/// The range is readable memory, and no other thread writes it meanwhile.
#[inline]
pub unsafe fn visit_words(low: *const u8, high: *const u8, visit: &mut dyn FnMut(u64)) {
    let mut cursor = (low as usize).next_multiple_of(8);
    let end = high as usize & !7;
    while cursor < end {
        // SAFETY: an aligned word inside the caller's range. The read is volatile because the
        // compiler must not reason about what other frames have left there.
        visit(unsafe { (cursor as *const u64).read_volatile() });
        cursor += 8;
    }
}

/// Calls `visit` with every word of the calling thread's registers and stack up to `base`.
///
/// # Safety
///
/// The memory between the current stack pointer and `base` is one stack, the running one.
pub(crate) unsafe fn visit_own_stack(base: *const u8, visit: &mut dyn FnMut(u64)) {
    with_registers_saved(|low| {
        assert!(low < base, "the stack base {base:p} is below the stack pointer {low:p}");
        // SAFETY: the caller's obligation: this is the running stack, written by this thread only.
        unsafe { visit_words(low, base, visit) };
    });
}

/// Saves the registers that callers may keep references in on the stack and calls `work` with an
/// address below them and above what `work` uses itself.
#[inline(never)]
pub(crate) fn with_registers_saved<T>(work: impl FnOnce(*const u8) -> T) -> T {
    let mut registers = [0u64; 12];
    // SAFETY: stores the callee-saved registers into the local array, which has room for them;
    // changes nothing else.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        std::arch::asm!(
            "mov [{array}], rbx",
            "mov [{array} + 8], rbp",
            "mov [{array} + 16], r12",
            "mov [{array} + 24], r13",
            "mov [{array} + 32], r14",
            "mov [{array} + 40], r15",
            array = in(reg) registers.as_mut_ptr(),
            options(nostack, preserves_flags),
        );
    }
    // SAFETY: as above.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        std::arch::asm!(
            "stp x19, x20, [{array}]",
            "stp x21, x22, [{array}, #16]",
            "stp x23, x24, [{array}, #32]",
            "stp x25, x26, [{array}, #48]",
            "stp x27, x28, [{array}, #64]",
            array = in(reg) registers.as_mut_ptr(),
            options(nostack, preserves_flags),
        );
    }
    let pointer: *const u8;
    // SAFETY: reads the stack pointer. What the caller of this function keeps is above it, as is
    // the array.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        std::arch::asm!("mov {}, rsp", out(reg) pointer, options(nostack, nomem, preserves_flags));
    }
    // SAFETY: as above.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        std::arch::asm!("mov {}, sp", out(reg) pointer, options(nostack, nomem, preserves_flags));
    }
    let result = work(pointer);
    std::hint::black_box(&registers);
    result
}

/// Whether `word` lies where objects are.
#[inline]
pub(crate) fn may_point_to_object(word: u64) -> bool {
    (starting_heap_address().as_usize()..last_heap_address().as_usize()).contains(&(word as usize))
}

/// The object that `word` points into, if any: the object's address, the address plus a tag, or
/// any address inside it.
pub(crate) fn object_at(word: u64) -> Option<ObjectReference> {
    if !may_point_to_object(word) {
        return None;
    }
    // SAFETY: making an address from a number is always fine.
    let address = unsafe { Address::from_usize(word as usize) };
    find_object_from_internal_pointer(address, MAX_SEARCH_BYTES)
}
