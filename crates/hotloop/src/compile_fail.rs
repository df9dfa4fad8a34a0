//! What must not compile: no red word reaches plain Rust except through a guard, and nothing that can change
//! under a trace is green. Documentation tests only; each has a twin that compiles, so that it fails for the
//! reason given and not by a slip.
//!
//! # Red words
//!
//! A red integer is no index, and becomes one by a guard only.
//! ```compile_fail,E0277
//! use hotloop::prelude::*;
//! fn item<M: Mode>(table: &[u8], index: Int<M>) -> u8 { table[index] }
//! ```
//! ```compile_fail,E0605
//! use hotloop::prelude::*;
//! fn item<M: Mode>(table: &[u8], index: Int<M>) -> u8 { table[index as usize] }
//! ```
//! ```
//! use hotloop::prelude::*;
//! fn item<M: Mode>(table: &'static [u8], index: Int<M>) -> u8 { table[index.promote() as usize] }
//! ```
//!
//! `get` is for residual functions, whose mode is concrete.
//! ```compile_fail,E0599
//! use hotloop::prelude::*;
//! fn plain<M: Mode>(number: Int<M>) -> i64 { number.get() }
//! ```
//! ```compile_fail,E0599
//! use hotloop::prelude::*;
//! fn word<M: Mode>(value: Value<M>) -> u64 { value.raw() }
//! ```
//! ```compile_fail,E0599
//! use hotloop::prelude::*;
//! fn plain<M: Mode>(number: Float<M>) -> f64 { number.get() }
//! ```
//! ```
//! use hotloop::prelude::*;
//! fn plain(number: Int<Plain>) -> i64 { number.get() }
//! fn word(value: Value<Plain>) -> u64 { value.raw() }
//! ```
//!
//! Red words can't be printed, hashed or sorted.
//! ```compile_fail,E0277
//! use hotloop::prelude::*;
//! fn show<M: Mode>(number: Int<M>) -> String { format!("{number}") }
//! ```
//! ```compile_fail,E0277
//! use hotloop::prelude::*;
//! fn show<M: Mode>(value: Value<M>) -> String { format!("{value:?}") }
//! ```
//! ```compile_fail,E0277
//! use hotloop::prelude::*;
//! fn key<M: Mode>(value: Value<M>) -> impl std::hash::Hash { value }
//! ```
//! ```compile_fail,E0277
//! use hotloop::prelude::*;
//! fn sort<M: Mode>(numbers: &mut Vec<Int<M>>) { numbers.sort(); }
//! ```
//! ```compile_fail,E0369
//! use hotloop::prelude::*;
//! fn equal<M: Mode>(a: Value<M>, b: Value<M>) -> bool { a == b }
//! ```
//! ```
//! use hotloop::prelude::*;
//! fn show<M: Mode>(number: Int<M>) -> String { format!("{}", number.promote()) }
//! fn equal<M: Mode>(a: Value<M>, b: Value<M>) -> bool { a.is_same(b) }
//! ```
//!
//! A red truth value is no condition, a red integer matches no pattern.
//! ```compile_fail,E0308
//! use hotloop::prelude::*;
//! fn choose<M: Mode>(a: Int<M>, b: Int<M>) -> u32 { if a.is_lt(b) { 1 } else { 2 } }
//! ```
//! ```compile_fail,E0308
//! use hotloop::prelude::*;
//! fn choose<M: Mode>(a: Int<M>) -> u32 { match a { 0 => 1, _ => 2 } }
//! ```
//! ```
//! use hotloop::prelude::*;
//! fn choose<M: Mode>(a: Int<M>, b: Int<M>) -> u32 { if a.is_lt(b).branch() { 1 } else { 2 } }
//! fn shorter<M: Mode>(a: Int<M>, b: Int<M>) -> u32 { if a < b { 1 } else { 2 } }
//! ```
//!
//! The modes have no names in a language, so a language can't ask which one it is in.
//! ```compile_fail,E0432
//! use hotloop::Direct;
//! ```
//! ```compile_fail,E0432
//! use hotloop::Meta;
//! ```
//! ```compile_fail,E0603
//! use hotloop::mode::Meta;
//! ```
//! ```compile_fail,E0277
//! struct Mine;
//! fn wants_mode<M: hotloop::Mode>() {}
//! wants_mode::<Mine>();
//! ```
//! ```
//! fn wants_mode<M: hotloop::Mode>() {}
//! wants_mode::<hotloop::Plain>();
//! ```
//!
//! An immutable field has no setter outside of its type's module.
//! ```compile_fail,E0624
//! mod types {
//!     use hotloop::prelude::*;
//!     #[heap_type]
//!     pub struct Pair { #[immutable] pub first: Value }
//! }
//! use hotloop::prelude::*;
//! fn change<M: Mode>(pair: types::Pair<M>) { pair.set_first(Value::zero()) }
//! ```
//! ```
//! mod types {
//!     use hotloop::prelude::*;
//!     #[heap_type]
//!     pub struct Pair { pub first: Value }
//! }
//! use hotloop::prelude::*;
//! fn change<M: Mode>(pair: types::Pair<M>) { pair.set_first(Value::zero()) }
//! ```
//!
//! # Green values
//!
//! What can change is not green: cells, hash maps, borrowed data; nor is a red word.
//! ```compile_fail,E0277
//! use hotloop::Green;
//! #[derive(Green)]
//! struct Pc { index: std::cell::Cell<u32> }
//! ```
//! ```compile_fail,E0277
//! use hotloop::Green;
//! #[derive(Clone, PartialEq, Debug, Green)]
//! struct Pc { names: std::collections::HashMap<u32, u32> }
//! ```
//! ```compile_fail,E0277
//! use hotloop::Green;
//! #[derive(PartialEq, Debug, Green)]
//! struct Pc { code: &'static mut [u8] }
//! ```
//! ```compile_fail,E0277
//! use hotloop::Green;
//! #[derive(Clone, Copy, PartialEq, Debug, Green)]
//! struct Pc { address: *const u8 }
//! ```
//! ```compile_fail,E0277
//! use hotloop::prelude::*;
//! fn green<T: Green>(_: T) {}
//! fn leak<M: Mode>(number: Int<M>) { green(number) }
//! ```
//! ```compile_fail,E0277
//! use hotloop::prelude::*;
//! #[derive(Clone, Copy, Green)]
//! struct Pc { depth: Int<Plain> }
//! ```
//! ```
//! use hotloop::prelude::*;
//! struct Code { ops: Vec<u8> }
//! #[derive(Clone, Copy, PartialEq, Debug, Green)]
//! struct Pc { index: u32, inside: Option<(u8, bool)>, code: GreenRef<Code> }
//! fn green<T: Green>(_: T) {}
//! fn keep<M: Mode>(number: Int<M>) { green(number.promote()) }
//! ```
//!
//! # Threads
//!
//! A runtime, its machine, its values and references stay on their thread.
//! ```compile_fail,E0277
//! use hotloop::prelude::*;
//! fn send<T: Send>() {}
//! fn check() { send::<Runtime>() }
//! ```
//! ```compile_fail,E0277
//! use hotloop::prelude::*;
//! fn share<T: Sync>() {}
//! fn check() { share::<Runtime>() }
//! ```
//! ```compile_fail,E0277
//! use hotloop::prelude::*;
//! fn send<T: Send>() {}
//! fn check<I: Interpreter + Send + Sync + 'static>() { send::<Vm<'static, I>>() }
//! ```
//! ```compile_fail,E0277
//! use hotloop::prelude::*;
//! fn share<T: Sync>() {}
//! fn check<I: Interpreter + Send + Sync + 'static>() { share::<Vm<'static, I>>() }
//! ```
//! ```compile_fail,E0277
//! use hotloop::prelude::*;
//! fn send<T: Send>() {}
//! fn check() { send::<Value<Plain>>() }
//! ```
//! ```compile_fail,E0277
//! use hotloop::prelude::*;
//! #[heap_type]
//! struct Pair { left: Value }
//! fn send<T: Send>() {}
//! fn check() { send::<Pair<Plain>>() }
//! ```
//! A call that may block can't touch the heap.
//! ```compile_fail,E0277
//! use hotloop::prelude::*;
//! fn wait(runtime: &Runtime) { runtime.blocking(|| runtime.heap().collect()) }
//! ```
//! ```compile_fail,E0277
//! use hotloop::prelude::*;
//! #[heap_type]
//! struct Pair { left: Value }
//! fn wait(runtime: &Runtime, pair: Pair<Plain>) { runtime.blocking(|| pair.set_left(Value::zero())) }
//! ```
//! Plain data goes in and comes out; who interrupts a program may be on another thread.
//! ```
//! use hotloop::prelude::*;
//! fn wait(runtime: &Runtime, number: i64) -> i64 { runtime.blocking(|| number + 1) }
//! fn send<T: Send + Sync>() {}
//! fn check() { send::<hotloop::Interrupter>() }
//! ```
