//! What of a thread's recording belongs to one native stack.

use crate::looks::{self, Looks};
use crate::promise::{Describe, PLACE};
use crate::recorder::Recorder;

/// What of the recording belongs to a native stack that is not running: at first nothing.
#[derive(Debug)]
pub struct OnStack {
    current: *mut Recorder,
    looks: (bool, Looks),
    place: Option<*const Describe>,
}

impl Default for OnStack {
    fn default() -> OnStack {
        OnStack { current: std::ptr::null_mut(), looks: Default::default(), place: None }
    }
}

impl OnStack {
    /// The stack is about to go on; from then on this is what belongs to the one that is left.
    pub fn exchange(&mut self) {
        self.current = crate::CURRENT.replace(self.current);
        self.place = PLACE.replace(self.place);
        self.looks = looks::replace(std::mem::take(&mut self.looks));
    }
}
