//! What targets know of a native stack.

use std::ffi::c_void;

use crate::CodeId;
use crate::context::Context;
use crate::eval::Active;

/// What a target knows of a native stack that is not running. While all traces run on one stack there is none.
#[derive(Debug)]
pub struct OnStack {
    /// From here on it is in use; for whoever suspends it to say.
    pub low: usize,
    /// Where the outermost activation begins; 0 if there is none.
    pub(crate) outermost: usize,
    pub(crate) activation: *mut c_void,
    /// Traces that are walked, outermost first.
    pub(crate) active: Vec<Active>,
}

impl Default for OnStack {
    fn default() -> OnStack {
        OnStack { low: 0, outermost: 0, activation: std::ptr::null_mut(), active: Vec::new() }
    }
}

impl OnStack {
    /// Exchanges the activation with the context's.
    ///
    /// # Safety
    /// The context is alive.
    pub(crate) unsafe fn exchange(&mut self, context: *mut Context) {
        // SAFETY: the caller's promise.
        unsafe { std::mem::swap(&mut (*context).activation, &mut self.activation) };
    }

    /// The traces that are walked.
    pub(crate) fn walked(&self) -> impl Iterator<Item = CodeId> {
        self.active.iter().map(|active| active.id)
    }
}
