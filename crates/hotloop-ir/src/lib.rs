//! The trace: what the recorder writes, the optimizer rewrites and the code generator reads.
//!
//! A [`Trace`] is straight-line SSA code: operation number *n* defines [`Var`] *n*. Control leaves it only
//! through guards, whose [`Resume`] says how the interpreter goes on, and through its last operation.
//! This crate depends on nothing and knows neither recorder nor optimizer nor machine.
//!
//! * [`ops`]: the one table of operations.
//! * [`pure`]: what a pure operation computes (shared by every room that folds or evaluates).
//! * [`descr`]: descriptors of heap types, fields and calls.
//! * [`trace`]: the trace itself; [`resume`]: what stands behind a guard.
//! * [`print`] and [`parse`]: the text form; [`verify`]: the invariants.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod descr;
pub mod fact;
pub mod foreign;
pub mod live;
pub mod ops;
pub mod parse;
pub mod print;
pub mod pure;
pub mod resume;
pub mod trace;
pub mod verify;

pub use descr::{CallDescr, CallId, Effect, FieldDescr, FieldId, FieldKind, Mutability, TypeDescr, TypeRef};
pub use fact::Fact;
pub use foreign::{Scalar, Signature};
pub use live::Live;
pub use ops::{Class, Opcode, Shape};
pub use resume::{Desc, Feed, Log, ObjectDesc, ObjectKind, Place, Resume, Run, Store};
pub use trace::{
    Const, EntryCall, Event, EventKind, FRAME_TOKEN, Instr, List, MOST_HANDLES, Op, Operand, Part, Returning,
    Trace, Ty, Var, caller_of_token, caller_token, two_types,
};
