//! Derives and attributes for authors of interpreters. They are documented where `hotloop` exports them.
#![deny(missing_docs)]

mod green;
mod heap_type;
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

/// Declares a residual function: see `hotloop::residual`.
#[proc_macro_attribute]
pub fn residual(options: TokenStream, item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as ItemFn);
    residual::expand(options.into(), item).unwrap_or_else(|error| error.to_compile_error()).into()
}

/// Declares an elidable function: see `hotloop::elidable`.
#[proc_macro_attribute]
pub fn elidable(_options: TokenStream, item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as ItemFn);
    residual::expand(quote::quote!(elidable), item).unwrap_or_else(|error| error.to_compile_error()).into()
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
