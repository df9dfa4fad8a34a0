//! Who looks at frames while a residual call is recorded.
//!
//! While recording, memory is right at every moment, so a native that looks at a frame finds what it wants. But a
//! call whose native did so is recorded in another form than one whose native did not: frames are written back
//! before it, and read again after. A call that nobody looked in writes nothing back; should somebody look in it
//! later, the trace is left behind it (`guard_not_forced`).

use std::cell::{Cell, RefCell};

/// The frames that were looked at in a call.
#[derive(Debug, Default)]
pub(crate) struct Looks {
    frames: Vec<u64>,
    /// Any frame may have been looked at.
    any: bool,
}

thread_local! {
    static ASKED: Cell<bool> = const { Cell::new(false) };
    static LOOKS: RefCell<Looks> = RefCell::default();
}

impl Looks {
    /// What nobody has watched.
    pub fn unknown() -> Looks {
        Looks { frames: Vec::new(), any: true }
    }

    /// Runs native code; the frames that it looks at.
    pub fn during<T>(run: impl FnOnce() -> T) -> (T, Looks) {
        let before = (ASKED.replace(true), LOOKS.take());
        let result = run();
        ASKED.set(before.0);
        (result, LOOKS.replace(before.1))
    }

    /// Whether one of these frames was looked at.
    pub fn any_of(&self, frames: &[u64]) -> bool {
        self.any || self.frames.iter().any(|looked| frames.contains(looked))
    }
}

/// Another native stack goes on: what was noted for the one before.
pub(crate) fn replace((asked, looks): (bool, Looks)) -> (bool, Looks) {
    (ASKED.replace(asked), LOOKS.replace(looks))
}

/// Whether a recording wants to know which frames natives look at.
#[inline(always)]
pub fn looks_are_noted() -> bool {
    ASKED.get()
}

/// Native code looks at this frame.
pub fn note_look(frame: u64) {
    if ASKED.get() {
        LOOKS.with_borrow_mut(|looks| {
            if !looks.frames.contains(&frame) {
                looks.frames.push(frame);
            }
        });
    }
}

/// Code begins to run that may look at any frame.
pub fn note_all_looks() {
    if ASKED.get() {
        LOOKS.with_borrow_mut(|looks| looks.any = true);
    }
}
