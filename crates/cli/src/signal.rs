//! Ctrl-C: the only unsafe code of the program.
//!
//! The first Ctrl-C asks the running program to stop, which it does at its next back edge or call, also in
//! compiled code. A second one within a second ends the process: it is for programs that hang elsewhere.
//! While nothing runs, at the prompt, Ctrl-C only makes the read of a line return early.
//!
//! The handler does what handlers may: it loads and stores atomics, reads a clock, and calls `signal`, `raise`
//! and `pthread_kill`.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use hotloop::Interrupter;

/// Two Ctrl-C within so many milliseconds end the process.
const IMPATIENCE: u64 = 1000;
/// No Ctrl-C has stopped this run.
const NEVER: u64 = u64::MAX;

struct Control {
    interrupter: Interrupter,
    /// What times are counted from.
    start: Instant,
    /// The program's thread: a read of its that waits is given up only if the signal comes to it.
    thread: libc::pthread_t,
}

static CONTROL: OnceLock<Control> = OnceLock::new();
/// When this run was asked to stop, in milliseconds.
static ASKED: AtomicU64 = AtomicU64::new(NEVER);
/// Whether a program is running.
static RUNNING: AtomicBool = AtomicBool::new(false);

extern "C" fn on_interrupt(signal: libc::c_int) {
    let Some(control) = CONTROL.get() else { return };
    // SAFETY: both may be called in a handler; the program's thread takes the handler away before it ends.
    unsafe {
        if libc::pthread_equal(libc::pthread_self(), control.thread) == 0 {
            libc::pthread_kill(control.thread, signal);
            return;
        }
    }
    if !RUNNING.load(Relaxed) {
        return;
    }
    let now = control.start.elapsed().as_millis() as u64;
    let before = ASKED.swap(now, Relaxed);
    if before != NEVER && now - before < IMPATIENCE {
        // SAFETY: both may be called in a handler. The process ends when this handler returns.
        unsafe {
            libc::signal(signal, libc::SIG_DFL);
            libc::raise(signal);
        }
    }
    control.interrupter.interrupt();
}

/// From now on Ctrl-C stops what runs between [`start`] and [`stop`]. A process has one interpreter: later
/// calls change nothing.
pub fn install(interrupter: Interrupter) {
    // SAFETY: it always succeeds.
    let thread = unsafe { libc::pthread_self() };
    if CONTROL.set(Control { interrupter, start: Instant::now(), thread }).is_err() {
        return;
    }
    let handler: extern "C" fn(libc::c_int) = on_interrupt;
    // SAFETY: all zero is a valid `sigaction`: no flags, so that a read that waits is given up, and an empty
    // mask. The handler keeps to what the module's head says.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as usize;
        libc::sigaction(libc::SIGINT, &action, std::ptr::null_mut());
    }
}

/// The program's thread is about to end: Ctrl-C ends the process again.
pub fn uninstall() {
    // SAFETY: this only sets the disposition back to what the system has it at.
    unsafe { libc::signal(libc::SIGINT, libc::SIG_DFL) };
}

/// A program begins to run.
pub fn start() {
    ASKED.store(NEVER, Relaxed);
    RUNNING.store(true, Relaxed);
}

/// The program has ended.
pub fn stop() {
    RUNNING.store(false, Relaxed);
}

/// Whether Ctrl-C was pressed while the last program ran.
pub fn interrupted() -> bool {
    ASKED.load(Relaxed) != NEVER
}
