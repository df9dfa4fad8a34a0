//! Runs optimised traces.
//!
//! Two targets behind one trait: [`Eval`] walks the trace and is the reference; [`x64::X64`] compiles it to
//! machine code. Both take the same requests and give the same answers, which is what the tests of this
//! crate check; so whoever uses a target need not know which one it is.
//!
//! * [`Target`]: compile a trace, run it until it leaves.
//! * [`Context`]: what running code shares with the runtime: the poll flag and the allocator.
//! * [`Options`]: limits, and the modes in which guards fail although they hold.
#![deny(missing_docs)]

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod barrier;
mod check;
mod context;
mod eval;
mod folding;
mod force;
pub mod foreign;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod items;
mod ranges;
mod stack;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
pub mod x64;

use std::fmt;
use std::sync::atomic::AtomicU32;

use hotloop_ir::Trace;

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
pub use barrier::prepare;
pub use context::{Alloc, Bump, Context, MAX_BUMP, MOST_RESULTS, Poll, Remember, Site, Waiting};
pub use eval::Eval;
pub use force::Force;
pub use ranges::Ranges;
pub use stack::OnStack;

/// A compiled trace. `enter`'s descriptor is the number of the loop to enter.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct CodeId(pub u32);

/// How a trace is reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Entry {
    /// By [`Target::run`], or by `enter` from another trace.
    Fresh,
    /// By the failure of this guard: the inputs are its `resume.live()`, in that order. A bridge can be run
    /// and entered like any other trace, too.
    Bridge {
        /// The guard's global number.
        guard: u32,
    },
}

/// What to compile a trace as.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// How it is reached.
    pub entry: Entry,
    /// The global number of the trace's resume 0; resume `i` belongs to guard `first_guard + i`. The ranges
    /// of two traces must not overlap, and numbers stay below 2³¹.
    pub first_guard: u32,
    /// `guard_valid` fails if this is not 0; may be null if the trace has none. It must outlive the code.
    pub invalid: *const AtomicU32,
}

/// Why a trace was not compiled. The trace is given up; nothing else happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CodegenError {
    /// More values live at once than a frame has room for.
    TooManySpills,
    /// [`Options::code_limit`] is reached; freeing code helps.
    OutOfCodeMemory,
    /// The operating system refused (what, and why).
    System(String),
    /// The trace breaks a rule of the IR.
    Malformed(String),
}

impl fmt::Display for CodegenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CodegenError::TooManySpills => write!(f, "too many values live at once"),
            CodegenError::OutOfCodeMemory => write!(f, "out of code memory"),
            CodegenError::System(what) => write!(f, "{what}"),
            CodegenError::Malformed(what) => write!(f, "malformed trace: {what}"),
        }
    }
}

impl std::error::Error for CodegenError {}

/// Limits and test modes of a target.
#[derive(Clone, Debug)]
pub struct Options {
    /// One guard fails once although it holds.
    pub force: Option<Force>,
    /// Every k-th executed guard fails (k > 0).
    pub force_every: Option<u64>,
    /// Most bytes of machine code at a time. At most 1 GiB.
    pub code_limit: usize,
    /// [`Context::header_bits`] of all contexts that traces run in.
    pub header_bits: u64,
}

impl Default for Options {
    fn default() -> Options {
        Options { force: None, force_every: None, code_limit: 64 << 20, header_bits: 0 }
    }
}

/// How a run was left: the exit of the trace that was executed last, then those of the traces that had
/// called it (their `guard_returned`), and so on outwards.
#[derive(Clone, Default, Debug)]
pub struct Exits {
    /// Guard, and where its values start.
    exits: Vec<(u32, usize)>,
    values: Vec<u64>,
}

impl Exits {
    /// Forgets all.
    pub fn clear(&mut self) {
        self.exits.clear();
        self.values.clear();
    }

    pub(crate) fn push(&mut self, guard: u32, values: impl IntoIterator<Item = u64>) {
        self.exits.push((guard, self.values.len()));
        self.values.extend(values);
    }

    /// How many there are.
    #[allow(clippy::len_without_is_empty)] // a run has at least one
    pub fn len(&self) -> usize {
        self.exits.len()
    }

    /// The global number of an exit's guard, and the words of its live variables.
    pub fn get(&self, index: usize) -> (u32, &[u64]) {
        let (guard, start) = self.exits[index];
        let end = self.exits.get(index + 1).map_or(self.values.len(), |(_, end)| *end);
        (guard, &self.values[start..end])
    }

    /// The words of all exits, for the collector.
    pub fn words(&self) -> &[u64] {
        &self.values
    }
}

/// What a called trace answers instead of a position if it was left through an exit.
pub(crate) const UNWOUND: u64 = u64::MAX;

/// Something that runs traces, for one thread.
///
/// A native function called by a trace may itself call any of these methods on the same target: [`run`]
/// again, or compile new traces and bridges. So all of them take `&self`.
///
/// [`run`]: Target::execute
pub trait Target {
    /// Compiles a trace; a bridge is attached, too: from now on its guard's failure goes on in it, also in
    /// activations that are already running. The last bridge of a guard counts.
    ///
    /// # Errors
    /// See [`CodegenError`]; the target is as it was before.
    fn compile(&self, trace: &Trace, request: &Request) -> Result<CodeId, CodegenError>;

    /// Runs from the entry of `code` with its inputs (raw words, floats as bits) until a guard without a
    /// bridge fails or `exit` is reached. `exits` then holds its global number and the raw words of its
    /// `resume.live()`, in that order, and the same of all traces that were waiting for it. The collector
    /// doesn't see them there: no collection may happen before the caller has put them where it does.
    ///
    /// # Safety
    /// `code` is of this target; the inputs fit the trace; `context` and everything that the trace
    /// reads, writes and calls is valid.
    unsafe fn execute(&self, code: CodeId, context: *mut Context, inputs: &[u64], exits: &mut Exits);

    /// The same for code that calls no entries: gives the guard's number and, in `values`, its words.
    ///
    /// # Safety
    /// As for [`Target::execute`].
    unsafe fn run(&self, code: CodeId, context: *mut Context, inputs: &[u64], values: &mut Vec<u64>) -> u32 {
        let mut exits = Exits::default();
        // SAFETY: the caller's promise.
        unsafe { self.execute(code, context, inputs, &mut exits) };
        let (guard, words) = exits.get(0);
        values.clear();
        values.extend_from_slice(words);
        guard
    }

    /// What the exits of a run would be if it were left right now, in the middle of a call that its traces make: the
    /// guard behind the call, and those of the traces that wait for this one, each with its live words. (What the
    /// call gives is not there yet: zeros.) `exits` is overwritten.
    ///
    /// # Safety
    /// The call is at work: `site` is what [`Context::waiting`] holds in it (or held, while a run that was
    /// begun in it is at work).
    unsafe fn waiting(&self, site: Site, exits: &mut Exits);

    /// The guard leaves the trace again when it fails, also in activations that are already running. Its
    /// bridge stays, for whoever runs in it or enters it.
    fn detach(&self, guard: u32);

    /// The traces in which an activation of [`Target::run`] may be right now: some word of the stack, or of those
    /// that are suspended, points into them. Empty unless a native function called by a trace is asking.
    fn running(&self, suspended: &[&OnStack]) -> Vec<CodeId>;

    /// Another native stack is about to go on: `other` is what is known of that one (at first nothing), and then of
    /// the one that is left.
    ///
    /// # Safety
    /// The context is that of all runs on both.
    unsafe fn change_stack(&self, context: *mut Context, other: &mut OnStack);

    /// Frees a trace: its memory, its number and its guards' numbers are used again. A bridge is detached
    /// from its guard; bridges of its own guards stay and have to be freed on their own.
    ///
    /// # Safety
    /// The trace is not [running](Target::running), and no trace that is left enters it.
    unsafe fn free(&self, code: CodeId);

    /// Bytes of machine code, constants and stubs included (0 if there is none).
    fn code_size(&self, code: CodeId) -> usize;

    /// Where the machine code runs, if there is any; for profilers.
    fn address(&self, code: CodeId) -> Option<usize>;

    /// The machine code as text, if there is any.
    fn disassemble(&self, code: CodeId) -> Option<String>;

    /// Bytes of a guard's out-of-line stub (0 if there is none).
    fn stub_size(&self) -> usize;

    /// Replaces the test modes of [`Options`] and starts their counts anew. Machine code knows those modes
    /// that were on when it was compiled, so set them first.
    fn set_force(&self, force: Option<Force>, every: Option<u64>);
}

/// Nothing to prepare on other systems.
#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
pub fn prepare() {}
