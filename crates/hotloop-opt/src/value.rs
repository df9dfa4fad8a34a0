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
    /// Its length is not known, and its items are no slots.
    pub joined: Option<Joined>,
    /// The virtualizable was written back in the instruction with this number: it is an ordinary object for
    /// the rest of it.
    pub flushed_in: Option<u32>,
}

/// The items of a virtual object of unknown length: runs of other objects' items, which do not change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Joined {
    /// How many items it has.
    pub length: Operand,
    /// Where they come from; what is not among it is zero.
    pub runs: Vec<JoinedRun>,
    /// The instruction that makes it. Only that adds runs.
    pub made_in: u32,
}

/// Items of another object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct JoinedRun {
    /// The other object, which is allocated.
    pub from: Operand,
    /// Its type.
    pub ty: TypeRef,
    /// The first item's index there.
    pub at: Operand,
    /// And in the object itself.
    pub to: Operand,
    /// How many.
    pub count: Operand,
}

/// A place of memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Place {
    /// The field with this number.
    Field(u32),
    /// Array type, constant index.
    Item(u32, u32),
}
