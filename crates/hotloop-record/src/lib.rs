//! Interpreter steps become a trace, and a side exit becomes interpreter steps again.
//!
//! * [`Recorder`]: what every operation on a red value comes to in `Meta` mode: executed always; recorded,
//!   folded or taken from the heap cache while recording; fed from the log in replay.
//! * [`heap_cache`]: what the recorder knows of memory.
//! * [`rebuild`]: from a guard's resume data back to the interpreter's state.
//! * [`follow`]: whether a step is deterministic, for `check_hints`; [`promise`]: when a promise is broken.
//! * [`looks`]: who looks at frames while a call is recorded.
//! * [`stable`]: who relied on a stable field that is written.
//!
//! The main invariant: memory is right at every moment of a recording, so giving up is just stopping.
#![warn(missing_docs)]

pub mod bulk;
mod call;
mod follow;
mod heap_cache;
mod looks;
mod memory;
mod promise;
mod rebuild;
mod recorder;
pub mod stable;
mod stack;

use std::cell::Cell;

use hotloop_ir::TypeRef;

pub use call::{call, conditional_call, outside};
pub use follow::{Kept, POISON};
pub use looks::{looks_are_noted, note_all_looks, note_look};
pub use promise::{anyone_checks, at_place, check_failed, checking, place, set_checking};
pub use rebuild::{Allocate, Rebuilt, make_objects, rebuild};
pub use recorder::{Abort, EntryPositions, Fed, FedEntry, Question, Recorder, Run};
pub use stack::OnStack;

use hotloop_ir::Operand;

/// Reads a slot of an object, for the driver.
pub fn read_slot(object: u64, ty: TypeRef, slot: usize) -> u64 {
    let (offset, kind) = ty.get().slot(slot);
    memory::load(object, offset as u64, kind)
}

/// Writes a slot of an object, for the driver.
pub fn write_slot(object: u64, ty: TypeRef, slot: usize, word: u64) {
    let (offset, kind) = ty.get().slot(slot);
    memory::store(object, offset as u64, kind, word);
}

/// Reads a slot of an object and leaves zero in it, for the driver.
pub fn take_slot(object: u64, ty: TypeRef, slot: usize) -> u64 {
    let (offset, kind) = ty.get().slot(slot);
    let bits = memory::load(object, offset as u64, kind);
    memory::store(object, offset as u64, kind, 0);
    bits
}

/// The length of an object's array part, for the driver.
pub fn read_length(object: u64) -> u32 {
    memory::length(object)
}

/// A red word in `Meta` mode: what it is now, and what it is in the trace.
#[derive(Clone, Copy, Debug)]
pub struct Red {
    /// The word.
    pub bits: u64,
    /// The trace's operand; [`Operand::NONE`] for a constant that is not in the trace's table (yet).
    pub operand: Operand,
}

impl Red {
    /// A word known while compiling.
    #[inline]
    pub const fn constant(bits: u64) -> Red {
        Red { bits, operand: Operand::NONE }
    }
}

thread_local! {
    pub(crate) static CURRENT: Cell<*mut Recorder> = const { Cell::new(std::ptr::null_mut()) };
}

/// The recorder under which this thread runs `Meta` code.
///
/// Panics if there is none: `Meta` code runs only under the driver, which sets one.
#[inline]
pub fn current<'a>() -> &'a mut Recorder {
    let recorder = CURRENT.get();
    assert!(!recorder.is_null(), "red operation outside of a recording");
    // SAFETY: the driver put a live recorder there (`enter`), and no reference obtained here outlives the
    // single red operation it was obtained for, so no two of them exist at once.
    unsafe { &mut *recorder }
}

/// Makes a recorder the current one for as long as the guard lives; the one before comes back after.
#[derive(Debug)]
pub struct Entered {
    before: *mut Recorder,
}

/// Makes `recorder` current (null: none).
///
/// # Safety
/// It must stay alive, and be used through [`current`] only, until the guard is dropped.
pub unsafe fn enter(recorder: *mut Recorder) -> Entered {
    Entered { before: CURRENT.replace(recorder) }
}

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(self.before);
    }
}
