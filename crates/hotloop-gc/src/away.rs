//! Heaps whose thread is elsewhere: in a call that may take long, or on another native stack.

use crate::heap::{Heap, HeapInner};
use crate::stack;
use crate::world::{self, Activity};

impl Heap {
    /// Calls `work`, which may wait for something or take long, while collections of other heaps
    /// go on.
    ///
    /// `work` must not use the heap or change its objects; it may read objects that the caller has
    /// references to, on its stack or in roots. Root scanners may be called on other threads
    /// meanwhile, so it must not change what they read either.
    ///
    /// # Safety
    ///
    /// As just said.
    pub unsafe fn blocking<T>(&self, work: impl FnOnce() -> T) -> T {
        let inner = self.inner();
        inner.close_region();
        let result = stack::with_registers_saved(|low| {
            world::go_away(inner, low);
            // A panic must come back, too.
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            world::come_back(inner);
            result
        });
        inner.open_region();
        result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// Calls `work`, which uses the heap, in the middle of a call of [`blocking`](Heap::blocking), if this is one:
    /// what blocks has called back. Waits for the end of a collection.
    pub fn unblocked<T>(&self, work: impl FnOnce() -> T) -> T {
        let inner = self.inner();
        let Activity::Away(stack) = inner.activity().get() else { return work() };
        world::come_back(inner);
        inner.open_region();
        // A panic must go away again, too.
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        inner.close_region();
        world::go_away(inner, stack);
        result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// Calls `work`, which goes on with another native stack, the end (highest address) of which is `base`. The
    /// calling stack is suspended until `work` is back: collections scan it from here.
    ///
    /// # Safety
    ///
    /// As for [`set_stack_base`](Heap::set_stack_base), while the other stack runs. The calling stack stays
    /// readable until it goes on, or until [`forget_stack`](Heap::forget_stack).
    pub unsafe fn leave_stack<T>(&self, base: *const u8, work: impl FnOnce() -> T) -> T {
        /// The stack goes on, whether `work` has returned or panicked.
        struct Back<'a>(&'a HeapInner, *const u8, *const u8);
        impl Drop for Back<'_> {
            fn drop(&mut self) {
                let Back(inner, low, own) = *self;
                inner.stack_base.set(own);
                inner.suspended.borrow_mut().retain(|(suspended, _)| *suspended != low);
            }
        }
        let inner = self.inner();
        stack::with_registers_saved(|low| {
            let own = inner.stack_base.replace(base);
            inner.suspended.borrow_mut().push((low, own));
            let _back = Back(inner, low, own);
            work()
        })
    }

    /// The stack that ends at `base` never goes on; what it refers to is not kept alive any more.
    pub fn forget_stack(&self, base: *const u8) {
        self.inner().suspended.borrow_mut().retain(|(_, high)| *high != base);
    }
}
