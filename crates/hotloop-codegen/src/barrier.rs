//! Lets running code go without a fence: who asks it to stop makes it have had one.
//!
//! A loop stores its limit and then loads the flag ([`crate::Poll`]); the processor may do that the other way round,
//! and with it goes an interrupt. A fence at each entry of a loop forbids it, and takes as long as some iterations.
//! Linux can do the same from the other side (`membarrier`, private expedited): it interrupts the processors on which
//! the process runs at this moment. Interrupts are rare, entries are not.
//!
//! Source of the idea: asymmetric fences (Dice, Huang, Yang, "Asymmetric Dekker synchronization", 2001).

use std::sync::atomic::{AtomicBool, Ordering};

static READY: AtomicBool = AtomicBool::new(false);

/// Says that this process will interrupt running code; loops that are compiled from now on begin without a fence.
///
/// The first runtime does that by itself; but nothing is done once the process has several threads, for which the
/// system would take milliseconds. A program that runs its interpreter in a thread of its own calls this before.
///
/// ```
/// hotloop_codegen::prepare();
/// std::thread::spawn(|| { /* … run an interpreter … */ }).join().unwrap();
/// ```
pub fn prepare() {
    if !ready() && has_one_thread() && call(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) {
        READY.store(true, Ordering::SeqCst);
    }
}

/// Whether code needs no fences.
pub(crate) fn ready() -> bool {
    READY.load(Ordering::Relaxed)
}

/// What each thread of the process has done before is done for all to see, and what it does afterwards sees what
/// this one did. (May be called by signal handlers.)
pub(crate) fn everywhere() {
    if ready() && !call(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED) {
        // Slower, but not to be registered for.
        call(libc::MEMBARRIER_CMD_GLOBAL);
    }
}

fn call(command: libc::c_int) -> bool {
    // SAFETY: reads and writes no memory of ours.
    unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
}

fn has_one_thread() -> bool {
    std::fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() == 1)
}
