//! The test modes in which guards fail although they hold.
//!
//! Leaving a trace and coming back must be right at every guard, also at those that never fail in a test's
//! program. So a test runs its program once for each guard and lets that one fail.

use std::cell::Cell;

/// This guard fails at its n-th execution although it holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Force {
    /// The guard's global number.
    pub guard: u32,
    /// Which execution, from 1.
    pub at: u64,
}

/// The modes with their counts. The counts run downwards, so that machine code needs only a decrement.
#[derive(Default, Debug)]
pub(crate) struct Forcing {
    pub force: Cell<Option<Force>>,
    pub every: Cell<Option<u64>>,
    pub force_left: Cell<u64>,
    pub every_left: Cell<u64>,
}

impl Forcing {
    pub fn new(force: Option<Force>, every: Option<u64>) -> Forcing {
        let forcing = Forcing::default();
        forcing.set(force, every);
        forcing
    }

    pub fn set(&self, force: Option<Force>, every: Option<u64>) {
        let every = every.filter(|every| *every > 0);
        self.force.set(force);
        self.every.set(every);
        self.force_left.set(force.map_or(0, |force| force.at));
        self.every_left.set(every.unwrap_or(0));
    }

    /// Whether the guard that is about to be executed must fail. Both counts go on in any case.
    #[inline]
    pub fn must_fail(&self, guard: u32) -> bool {
        let mut fail = false;
        if self.force.get().is_some_and(|force| force.guard == guard) {
            self.force_left.set(self.force_left.get().wrapping_sub(1));
            fail = self.force_left.get() == 0;
        }
        if let Some(every) = self.every.get() {
            self.every_left.set(self.every_left.get() - 1);
            if self.every_left.get() == 0 {
                self.every_left.set(every);
                fail = true;
            }
        }
        fail
    }
}
