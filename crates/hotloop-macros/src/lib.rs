//! Derives and attributes for authors of interpreters. They are documented where `hotloop` exports them.
#![deny(missing_docs)]

mod green;
mod heap_type;
mod look_inside;
mod residual;
mod state;

use proc_macro::TokenStream;
use syn::{DeriveInput, ItemFn, ItemStruct, parse_macro_input};

/// Declares a heap type: see `hotloop::heap_type`.
#[proc_macro_attribute]
pub fn heap_type(options: TokenStream, item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as ItemStruct);
    heap_type::expand(options.into(), item).unwrap_or_else(|error| error.to_compile_error()).into()
}

fn called(kind: residual::Kind, options: TokenStream, item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as ItemFn);
    residual::expand(kind, options.into(), item).unwrap_or_else(|error| error.to_compile_error()).into()
}

/// Declares a residual function: see `hotloop::residual`.
#[proc_macro_attribute]
pub fn residual(options: TokenStream, item: TokenStream) -> TokenStream {
    called(residual::Kind::Residual, options, item)
}

/// Declares an elidable function: see `hotloop::elidable`.
#[proc_macro_attribute]
pub fn elidable(options: TokenStream, item: TokenStream) -> TokenStream {
    called(residual::Kind::Elidable, options, item)
}

/// Declares a function that answers the same during one run of a loop: see `hotloop::loop_invariant`.
#[proc_macro_attribute]
pub fn loop_invariant(options: TokenStream, item: TokenStream) -> TokenStream {
    called(residual::Kind::LoopInvariant, options, item)
}

/// Declares a function that compiled code does not call: see `hotloop::not_in_trace`.
#[proc_macro_attribute]
pub fn not_in_trace(options: TokenStream, item: TokenStream) -> TokenStream {
    called(residual::Kind::NotInTrace, options, item)
}

/// Declares a function that is traced or called, as a predicate says: see `hotloop::look_inside_iff`.
#[proc_macro_attribute]
pub fn look_inside_iff(options: TokenStream, item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as ItemFn);
    look_inside::expand(options.into(), item).unwrap_or_else(|error| error.to_compile_error()).into()
}

/// Implements `RedState`: see `hotloop::State`.
#[proc_macro_derive(State, attributes(frame))]
pub fn state(item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as DeriveInput);
    state::expand(item).unwrap_or_else(|error| error.to_compile_error()).into()
}

/// Implements `Green`: see `hotloop::Green`.
#[proc_macro_derive(Green)]
pub fn green(item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as DeriveInput);
    green::expand(item).into()
}
