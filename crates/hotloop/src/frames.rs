//! Frames that native code looks at while traces keep them to themselves.
//!
//! A trace that calls a native of effect `any` writes nothing back. The accessors of frames in `Plain` come here
//! first: is the frame the own one of a run that waits in such a call, or a handle for a frame of it? Then the
//! run's machine makes its frames and writes them (`driver/force.rs`), and the trace is left behind the call.
//! (RPython's `virtualizable_token` and `virtualref.py` serve the same end.)
//!
//! ```text
//! RUNS -> innermost run -> the run that was at work when it began -> …      each waits in at most one call
//! ```
//!
//! Steps in `Direct`, `Meta` and compiled code don't ask. So a run of the interpreter that begins in such a call
//! makes the frames of those that wait ([`force_all`]); only the innermost of all runs may have frames to make.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

use hotloop_codegen::{Context, Site};
use hotloop_record::{looks_are_noted, note_all_looks, note_look};

/// What can make the frames of a run.
pub(crate) trait Owner {
    /// Somebody looks at this frame (an address, or a handle). If the run has to do with it, its frames are made;
    /// gives the address if it was a handle of the run.
    fn look(&self, run: &Run<'_>, frame: u64) -> Option<u64>;
    /// Somebody may look at any frame.
    fn force(&self, run: &Run<'_>);
}

/// A run of compiled code.
pub(crate) struct Run<'a> {
    owner: &'a dyn Owner,
    /// Counts the runs of its owner.
    pub depth: usize,
    context: &'a Context,
    /// Another run is at work, which has begun in a call of this one: that call.
    paused: Cell<Option<Site>>,
    outer: *const Run<'static>,
}

/// No run is at work.
static NOBODY: AtomicU64 = AtomicU64::new(Site::NONE);

thread_local! {
    static RUNS: Cell<*const Run<'static>> = const { Cell::new(std::ptr::null()) };
    /// The guard behind the call that the innermost run waits in: only that one's frames may have to be made, as
    /// those of all others were when another run began in them.
    static WAITS: Cell<*const AtomicU64> = const { Cell::new(&raw const NOBODY) };
}

/// The runs of a native stack that is not running: at first there are none.
pub(crate) struct OnStack {
    runs: *const Run<'static>,
    waits: *const AtomicU64,
    site: Site,
}

impl Default for OnStack {
    fn default() -> OnStack {
        OnStack {
            runs: std::ptr::null(),
            waits: &raw const NOBODY,
            site: Site { guard: Site::NONE, frame: 0 },
        }
    }
}

impl OnStack {
    /// The stack is about to go on; from then on this is what belongs to the one that is left.
    pub fn exchange(&mut self, context: &Context) {
        self.runs = RUNS.replace(self.runs);
        self.waits = WAITS.replace(self.waits);
        let site = context.waiting.get();
        context.waiting.set(std::mem::replace(&mut self.site, site));
    }
}

/// Puts the outer run back, however the inner one ends.
struct Inner<'a>(&'a Context);

impl Drop for Inner<'_> {
    fn drop(&mut self) {
        let run = RUNS.get();
        // SAFETY: the run is the one that `Run::begin` has put there, and it lives on the stack of that call; so
        // does the outer one, which waits for it.
        let outer = unsafe { (*run).outer };
        RUNS.set(outer);
        // SAFETY: as above.
        let waits = if outer.is_null() { &NOBODY } else { unsafe { (*outer).context }.waiting.guard() };
        WAITS.set(waits);
        // SAFETY: as above.
        let paused = (!outer.is_null()).then(|| unsafe { (*outer).paused.take() }).flatten();
        self.0.waiting.set(paused.unwrap_or(Site { guard: Site::NONE, frame: 0 }));
    }
}

impl Run<'_> {
    /// Runs `execute` as a run of this owner.
    pub fn begin<T>(owner: &dyn Owner, depth: usize, context: &Context, execute: impl FnOnce() -> T) -> T {
        let outer = RUNS.get();
        if !outer.is_null() {
            // SAFETY: a run that is at work lives on the stack below this call.
            unsafe { (*outer).paused.set(Some(context.waiting.get())) };
        }
        context.waiting.set(Site { guard: Site::NONE, frame: 0 });
        let run = Run { owner, depth, context, paused: Cell::new(None), outer };
        RUNS.set((&raw const run).cast());
        WAITS.set(context.waiting.guard());
        let _inner = Inner(context);
        execute()
    }

    /// The call that it waits in.
    pub fn site(&self) -> Site {
        self.paused.get().unwrap_or_else(|| self.context.waiting.get())
    }

    /// Its frames are made.
    pub fn set_forced(&self) {
        let site = Site { guard: Site::FORCED, ..self.site() };
        match self.paused.get() {
            Some(_) => self.paused.set(Some(site)),
            None => self.context.waiting.set(site),
        }
    }
}

/// All runs that wait in a call, innermost first, until one answers.
fn ask<T>(mut question: impl FnMut(&Run<'_>) -> Option<T>) -> Option<T> {
    let mut at = RUNS.get();
    while !at.is_null() {
        // SAFETY: runs at work live on the stack below this call.
        let run: &Run<'_> = unsafe { &*at };
        if run.site().guard != Site::NONE
            && let Some(answer) = question(run)
        {
            return Some(answer);
        }
        at = run.outer;
    }
    None
}

/// Native code looks at a frame, or lets go of a reference to it: its address.
#[inline(always)]
pub(crate) fn look(frame: u64) -> u64 {
    // SAFETY: it points to the static, or to the context of a run at work.
    let guard = unsafe { &*WAITS.get() }.load(Ordering::Relaxed);
    let matters = guard < Site::FORCED || frame & 1 != 0 || looks_are_noted();
    if matters { look_behind(frame) } else { frame }
}

#[cold]
#[inline(never)]
fn look_behind(frame: u64) -> u64 {
    note_look(frame);
    ask(|run| run.owner.look(run, frame)).unwrap_or(frame)
}

/// Code begins to run that may look at any frame.
pub(crate) fn force_all() {
    note_all_looks();
    ask(|run| {
        run.owner.force(run);
        None::<()>
    });
}
