//! Heap types.

use hotloop::prelude::*;

use super::program::Function;

#[heap_type(virtualizable)]
pub struct Frame {
    #[immutable]
    pub code: Green<GreenRef<Function>>,
    pub back: Option<Frame>,
    /// Where this frame goes on when the one above it returns.
    pub pc: Green<u32>,
    #[immutable]
    pub depth: Int,
    /// The generator that this frame is the body of.
    pub generator: Option<Generator>,
    pub note: Value,
    pub slots: [Value],
}

#[heap_type]
pub struct Pair {
    pub first: Value,
    pub second: Value,
}

#[heap_type]
pub struct Cell {
    pub value: Value,
    pub count: Int,
    pub weight: Float,
    pub link: Option<Pair>,
}

#[heap_type]
pub struct Array {
    pub items: [Value],
}

#[heap_type]
pub struct Bytes {
    pub items: [Byte],
}

#[heap_type]
pub struct Ints {
    pub items: [Int],
}

/// A list that grows.
#[heap_type]
pub struct List {
    pub length: Int,
    /// `Ints` or `Array`, with as many items at least.
    pub storage: Value,
}

#[heap_type]
pub struct Config {
    #[immutable]
    pub kind: Value,
    #[stable]
    pub version: Int,
}

#[heap_type]
pub struct Closure {
    #[immutable]
    pub code: Green<GreenRef<Function>>,
    #[immutable]
    pub captured: Value,
}

#[heap_type]
pub struct Generator {
    /// The suspended or running frame; none: it has ended.
    pub frame: Option<Frame>,
    pub running: Int,
}
