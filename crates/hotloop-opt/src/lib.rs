//! The optimizer: recorded trace in, optimised trace with resume data out.
//!
//! One forward sweep asks each room about each operation, in the order that [`pipeline`] says; loops are
//! swept twice ([`unroll`]); [`finish`] sweeps backward and drops what nobody needs.
//!
//! ```text
//! pipeline.rs   the order                      value.rs    what a recorded value is known as
//! knowledge.rs  facts, constants, CSE          rules.rs    algebra          bounds.rs  ranges and bits
//! guards.rs     guards, and what they teach    virtuals.rs escape analysis, the virtualizable
//! heap.rs       loads forwarded, stores put off   resume.rs   what stands behind a guard
//! entries.rs    calls of compiled entries, and tokens for frames
//! items.rs      runs of items                  unroll.rs   loop peeling
//! inductions.rs what goes by steps in a loop   hoist.rs    guards out of loops
//! label.rs      jumps from bridges to labels
//! versions.rs   loops for values of several types
//! finish.rs     dead code, described values, numbering
//! ```
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod bounds;
mod entries;
mod finish;
mod force;
mod guards;
mod heap;
mod hoist;
mod inductions;
mod items;
mod knowledge;
mod label;
mod pipeline;
mod raw;
mod resume;
pub mod rules;
mod unroll;
mod value;
mod versions;
mod virtuals;

pub use label::{Label, ToLabel};
pub use versions::{Version, Wants};

use hotloop_ir::Trace;

use pipeline::Optimizer;

/// What to do.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Optimise; otherwise only resume data is made.
    pub optimize: bool,
    /// Peel loops.
    pub peel: bool,
    /// Call loop-invariant functions each time, so that they can be checked.
    pub call_invariants: bool,
    /// Move guards out of peeled loops.
    pub hoist: bool,
    /// Note what others must know of a loop to go on in it.
    pub label: bool,
    /// Test mode: this rule of resume data is broken on purpose (see [`BROKEN_RULES`]).
    pub break_rule: Option<u32>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            optimize: true,
            peel: true,
            call_invariants: false,
            hoist: true,
            label: false,
            break_rule: None,
        }
    }
}

/// The rules of replay that [`Options::break_rule`] can break: each must make the test suite fail.
pub const BROKEN_RULES: &[&str] = &[
    "writes are not fed",
    "calls are not fed",
    "forced allocations are not fed",
    "reads before an effect are not fed",
    "snapshots show the virtuals as they are at the guard",
    "delayed stores are not made at exits",
    "the virtualizable is not restored",
    "hints are not fed",
    "bridges do not check that stable fields still hold",
    "copies are done again although their source was written",
    "who looks at frames in a call sees them as they were when the instruction began",
    "objects that were made for who looks at frames are made again at the exit",
];

/// The trace contradicts itself: a guard in it can't hold. (Input that was recorded from a real run does
/// that only if what the optimizer was told is wrong, or the code is dead.)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Contradiction;

/// Optimises a recorded trace.
///
/// # Errors
/// [`Contradiction`].
pub fn optimize(recorded: &Trace, options: &Options) -> Result<Trace, Contradiction> {
    Ok(optimize_for(recorded, options, Ways::default())?.trace)
}

/// An optimised trace in its tree.
#[derive(Debug)]
pub struct Optimized {
    /// The trace.
    pub trace: Trace,
    /// Of a peeled loop: what bridges must know to jump to its label.
    pub label: Option<Label>,
    /// A bridge that could jump to its loop's label, were it not for guards that were moved out of the loop: the
    /// inductions that these are about go another way here.
    pub strays: bool,
    /// Of a loop: what its preamble wants.
    pub wants: Wants,
    /// It goes on in a version of a loop that wants something else than it ends with, as all do that there are.
    pub misfit: bool,
}

/// Where a trace may go on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ways<'w> {
    /// A bridge: at the label of the loop that it left.
    pub label: Option<ToLabel<'w>>,
    /// In one of these loops, instead of the one that was recorded. The first is the best of equals.
    pub versions: &'w [Version<'w>],
}

/// The same for traces that stand in a tree: a bridge may jump to the label of the loop it came from, or to a version
/// of the loop it ends at, and of a loop it is said what bridges need to jump there.
///
/// # Errors
/// [`Contradiction`].
pub fn optimize_for(recorded: &Trace, options: &Options, ways: Ways) -> Result<Optimized, Contradiction> {
    let mut optimizer = Optimizer::new(recorded, *options, ways);
    let (swept, draft) = optimizer.run()?;
    let (trace, label) = finish::finish(swept, draft.as_ref(), options.optimize);
    let Optimizer { strays, wants, misfit, .. } = optimizer;
    Ok(Optimized { trace, label, strays, wants, misfit })
}
