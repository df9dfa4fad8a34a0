//! C for languages on hotloop: no language in it, and the part of calling C that is not the JIT's.
//!
//! * [`types`]: numbers, pointers, arrays, structures, unions, functions, and how they lie in memory (System V);
//! * [`library`]: shared libraries and their symbols;
//! * [`call`]: calls of any signature, through libffi (those that fit registers are the toolkit's own,
//!   [`hotloop::foreign`]);
//! * [`callback`]: functions of the language as addresses that C calls;
//! * [`long_double`]: the one number of C that is none of ours;
//! * [`description`], [`text`]: headers as JSON, types as text; [`headers`] makes descriptions of C headers by clang;
//! * [`memory`]: `malloc` and what is known of its blocks.
//!
//! Everything that can break memory takes a [`Foreign`](hotloop::foreign::Foreign), the permission that a runtime hands
//! out unless it is a sandbox. Who gives it vouches for the program; so languages need no `unsafe` for it.
#![warn(missing_docs)]

pub mod call;
pub mod callback;
pub mod description;
#[doc(hidden)]
pub mod fuzzing;
pub mod headers;
pub mod library;
pub mod long_double;
pub mod memory;
pub mod text;
pub mod types;

pub use types::{Bits, Function, Kind, Record, Type, TypeError};
