//! What running code shares with the runtime.

use std::ffi::c_void;
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use hotloop_ir::MOST_HANDLES;

/// The region in which objects are allocated inline, by moving a pointer. Its memory is zero.
#[repr(C)]
#[derive(Debug)]
pub struct Bump {
    /// Where the next object goes (a multiple of 8).
    pub cursor: usize,
    /// The end.
    pub limit: usize,
}

/// An empty region; never written.
static NO_ROOM: Bump = Bump { cursor: 0, limit: 0 };

/// Allocates an object the slow way: zeroed, header written. May collect.
///
/// `header` is the type's id in the low 16 bits, [`Context::header_bits`] up to bit 32, and the length of the
/// array part in the high half; `size` is the whole size in bytes, a multiple of 8.
pub type Alloc = extern "C" fn(heap: *const (), header: u64, size: usize) -> *mut u8;

/// Told of an old object before or after references are stored into it (see [`OLD`]). Does not collect.
pub type Remember = extern "C" fn(object: *mut u8);

/// Objects of more bytes are not allocated in a [`Bump`] region: the collector looks for the beginning of what
/// a word points into no farther away than this.
pub const MAX_BUMP: usize = 16 << 10;

/// Where in an object its flags are: a byte. Who stores a reference into an object in whose flags [`OLD`] is
/// set calls [`Context::remember`], which takes it away until the next collection.
pub(crate) const FLAGS: i32 = 2;
/// The flag of an object that survived a collection.
pub(crate) const OLD: u8 = 1;
/// The low bits of a language value, and those of one that is a reference.
pub(crate) const TAG_MASK: u64 = 7;
pub(crate) const REF_TAG: u64 = 2;

/// How running code is asked to stop.
///
/// A loop that calls nothing does not look at the flag in each iteration: it keeps the invariant bound of
/// its own condition in one of the limits and compares with that, so that an interrupt, by overwriting the
/// limits, ends the loop through its condition. (Any guard may fail although it holds: the interpreter then
/// decides anew.) It looks at the flag once, after it has set its limit.
#[repr(C)]
#[derive(Debug)]
pub struct Poll {
    /// Not 0: `guard_no_interrupt` fails.
    pub flag: AtomicU32,
    /// The bound of a loop that goes on while something is below it.
    pub(crate) low: AtomicI64,
    /// The bound of a loop that goes on while something is above it.
    pub(crate) high: AtomicI64,
    /// Where the machine stack must end for a call of an entry; nowhere, if code is asked to stop.
    stack: AtomicUsize,
    /// Where it must end otherwise.
    stack_limit: AtomicUsize,
}

impl Poll {
    const fn new() -> Poll {
        Poll {
            flag: AtomicU32::new(0),
            low: AtomicI64::new(i64::MIN),
            high: AtomicI64::new(i64::MAX),
            stack: AtomicUsize::new(usize::MAX),
            stack_limit: AtomicUsize::new(usize::MAX),
        }
    }

    /// Says how far down the machine stack may grow by calls of entries (the lowest address).
    pub fn set_stack_limit(&self, lowest: usize) {
        self.stack_limit.store(lowest, Ordering::SeqCst);
        self.rearm();
    }

    /// Whether the machine stack has room from here, whoever is asked to stop.
    pub fn is_within_limit(&self, stack_pointer: usize) -> bool {
        stack_pointer >= self.stack_limit.load(Ordering::SeqCst)
    }

    /// The flag was answered: calls of entries have room again.
    pub fn rearm(&self) {
        self.stack.store(self.stack_limit.load(Ordering::SeqCst), Ordering::SeqCst);
        // Somebody may have asked again in between.
        if self.flag.load(Ordering::SeqCst) != 0 {
            self.stack.store(usize::MAX, Ordering::SeqCst);
        }
    }

    /// Whether a call of an entry from here has room.
    pub(crate) fn has_room(&self, stack_pointer: usize) -> bool {
        stack_pointer >= self.stack.load(Ordering::Relaxed)
    }

    /// Sets bits of the flag, and ends loops that don't look at it. May be called from other threads and
    /// from signal handlers.
    pub fn request(&self, bits: u32) {
        self.flag.fetch_or(bits, Ordering::SeqCst);
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        crate::barrier::everywhere();
        self.low.store(i64::MIN, Ordering::SeqCst);
        self.high.store(i64::MAX, Ordering::SeqCst);
        self.stack.store(usize::MAX, Ordering::SeqCst);
    }
}

/// A call of a trace in which natives may look at frames.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Site {
    /// The global number of the guard behind it, or [`Site::NONE`], or [`Site::FORCED`].
    pub guard: u64,
    /// Where the trace keeps its values; handles of frames are odd addresses there.
    pub frame: usize,
}

impl Site {
    /// No such call is at work. (All bits are set.)
    pub const NONE: u64 = u64::MAX;
    /// One is at work, and somebody has looked: the guard behind it will fail.
    pub const FORCED: u64 = u64::MAX - 1;

    /// The number of the frame that the word is a handle for, if it may be one of this call.
    pub fn number_of(&self, handle: u64) -> Option<usize> {
        let offset = handle.wrapping_sub(self.frame as u64);
        (offset & 7 == 1 && offset >> 3 < MOST_HANDLES.into()).then_some((offset >> 3) as usize)
    }
}

/// The handle of a frame.
pub(crate) const fn handle(number: u32) -> i32 {
    8 * number as i32 + 1
}

/// The innermost call in which natives may look at frames, where natives find it.
#[repr(C)]
#[derive(Debug)]
pub struct Waiting {
    guard: AtomicU64,
    frame: AtomicUsize,
}

impl Waiting {
    pub(crate) const GUARD: usize = std::mem::offset_of!(Waiting, guard);
    pub(crate) const FRAME: usize = std::mem::offset_of!(Waiting, frame);

    /// What is there.
    pub fn get(&self) -> Site {
        Site { guard: self.guard.load(Ordering::Relaxed), frame: self.frame.load(Ordering::Relaxed) }
    }

    /// The guard behind it alone.
    pub fn guard(&self) -> &AtomicU64 {
        &self.guard
    }

    /// Puts a call there.
    pub fn set(&self, site: Site) {
        self.guard.store(site.guard, Ordering::Relaxed);
        self.frame.store(site.frame, Ordering::Relaxed);
    }
}

impl Default for Waiting {
    fn default() -> Waiting {
        Waiting { guard: AtomicU64::new(Site::NONE), frame: AtomicUsize::new(0) }
    }
}

/// One per runtime, at an address that does not change while code runs: machine code keeps the address in
/// a register and reads all fields when it needs them.
#[repr(C)]
#[derive(Debug)]
pub struct Context {
    /// How running code is asked to stop.
    pub poll: Poll,
    /// The inline allocation region.
    pub bump: *mut Bump,
    /// Handed to `alloc`.
    pub heap: *const (),
    /// Called when inline allocation is not possible.
    pub alloc: Alloc,
    /// What new objects' headers say besides type and length.
    pub header_bits: u64,
    /// Called when a reference is stored into an old object.
    pub remember: Remember,
    /// What a returning trace hands over.
    pub results: [u64; MOST_RESULTS],
    /// What a calling trace hands over that has no register.
    pub(crate) args: [u64; MOST_ARGS],
    /// The innermost call of the run at work in which natives may look at frames.
    pub waiting: Waiting,
    /// The innermost [`crate::Target::execute`] at work.
    pub(crate) activation: *mut c_void,
}

/// More results can't be returned.
pub const MOST_RESULTS: usize = 64;
/// Inputs of an entry that have no register have spill slots: the largest frame has as many.
pub(crate) const MOST_ARGS: usize = 512;

impl Poll {
    pub(crate) const STACK: usize = std::mem::offset_of!(Poll, stack);
}

impl Context {
    /// A context without inline allocation.
    pub fn new(heap: *const (), alloc: Alloc) -> Context {
        extern "C" fn forget(_: *mut u8) {}
        Context {
            poll: Poll::new(),
            bump: std::ptr::from_ref(&NO_ROOM).cast_mut(),
            heap,
            alloc,
            header_bits: 0,
            remember: forget,
            results: [0; MOST_RESULTS],
            args: [0; MOST_ARGS],
            waiting: Waiting::default(),
            activation: std::ptr::null_mut(),
        }
    }
}
