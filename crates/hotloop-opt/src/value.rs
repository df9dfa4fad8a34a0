//! What the optimizer knows a value of the recorded trace as.

use hotloop_ir::{Operand, TypeRef};

/// The number of an object that the optimizer keeps track of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct ObjectId(pub u32);

/// A value of the recorded trace, in terms of the new one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Val {
    /// A variable or constant of the new trace.
    Op(Operand),
    /// The address of an object that is (or was) virtual.
    Virtual(ObjectId),
    /// The same as a tagged language value.
    Tagged(ObjectId),
}

/// What is in a slot of an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Slot {
    /// Nothing is known; the heap is right (only in the virtualizable).
    Unknown,
    /// This value; the heap may be stale.
    Known(Val),
    /// Nothing lives here.
    Dead,
}

/// Where an object is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Home {
    /// Not allocated.
    Virtual,
    /// Allocated, all slots written: an object like any other from here on.
    Real(Operand),
    /// The trace's own frame: exists, but its slots are kept here.
    Virtualizable(Operand),
}

/// An object that the optimizer keeps track of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Object {
    /// Its type.
    pub ty: TypeRef,
    /// Where it is.
    pub home: Home,
    /// How many items it has.
    pub items: u32,
    /// Fields, then items.
    pub slots: Vec<Slot>,
    /// The virtualizable was written back in the instruction with this number: it is an ordinary object for
    /// the rest of it.
    pub flushed_in: Option<u32>,
}

/// A place of memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Place {
    /// The field with this number.
    Field(u32),
    /// Array type, constant index.
    Item(u32, u32),
}
