//! Pyllisp: a small indentation-based Lisp with infix operators.
//!
//! Source text goes through the house in one direction:
//!
//! ```text
//! read     characters -> tokens -> forms with their captured blocks
//! expand   forms -> the syntax tree, macros recognised
//! scope    every name -> the variables it may mean
//! compile  the tree -> register bytecode
//! ```
//!
//! Each step gives up with a [`SyntaxError`] that carries a line and a column.

#![forbid(unsafe_code)]

pub mod ast;
pub mod code;
pub mod compile;
pub mod expand;
pub mod position;
pub mod read;
pub mod scope;

pub use compile::{Options, compile};
pub use position::{Pos, Span, SyntaxError};
