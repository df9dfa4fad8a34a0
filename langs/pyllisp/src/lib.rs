//! Pyllisp: a small indentation-based Lisp with infix operators.
//!
//! Source text goes through the house in one direction:
//!
//! ```text
//! read     characters -> tokens -> forms with their captured blocks
//! expand   forms -> the syntax tree, macros recognised
//! scope    every name -> the variables it may mean
//! compile  the tree -> register bytecode
//! vm       bytecode, tied to a module, is run on the toolkit's driver
//! ```
//!
//! The first four give up with a [`SyntaxError`] that carries a line and a column. `object` has the
//! values, `base` the functions and methods that every program finds.

#![forbid(unsafe_code)]

pub mod ast;
mod base;
pub mod code;
pub mod compile;
pub mod expand;
mod ffi;
pub mod generate;
pub mod mutate;
pub mod object;
pub mod position;
pub mod read;
pub mod scope;
pub mod vm;

pub use compile::{Options, compile};
pub use position::{Pos, Span, SyntaxError};
pub use vm::{Failure, Place, Pyllisp, run_program};
