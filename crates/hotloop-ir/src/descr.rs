//! Descriptors: what the trace knows of heap types, their fields and native functions.
//!
//! They are facts about the *program* (like type ids), not about one run, so they live in append-only
//! tables of the process and traces hold their indices. Equal descriptors share an index.

use std::sync::{Mutex, OnceLock};

use crate::foreign::Signature;
use crate::trace::Ty;

/// How a field or an item is stored.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FieldKind {
    /// A 64-bit integer, or the word of a green value.
    Int,
    /// A 64-bit float.
    Float,
    /// The address of a heap object, or 0.
    Ref,
    /// A tagged language value.
    Value,
    /// An unsigned byte.
    Byte,
}

impl FieldKind {
    /// Bytes it takes.
    pub const fn size(self) -> u32 {
        match self {
            FieldKind::Byte => 1,
            _ => 8,
        }
    }

    /// The type of the operand that holds it.
    pub const fn ty(self) -> Ty {
        match self {
            FieldKind::Int | FieldKind::Value | FieldKind::Byte => Ty::Int,
            FieldKind::Float => Ty::Float,
            FieldKind::Ref => Ty::Ref,
        }
    }
}

/// Who may write a field, and when.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Mutability {
    /// Anyone, at any time.
    Mutable,
    /// Only the object's making.
    Immutable,
    /// Seldom: a write invalidates the traces that relied on it (RPython's quasi-immutable, `x?`).
    Stable,
    /// Anyone, at any time; in the current frame it means nothing, only in those that wait.
    Waiting,
}

/// A field of a heap type.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct FieldDescr {
    /// The heap type's name.
    pub owner: String,
    /// The field's name.
    pub name: String,
    /// Bytes from the object's start.
    pub offset: u32,
    /// How it is stored.
    pub kind: FieldKind,
    /// Who may write it.
    pub mutability: Mutability,
}

/// A heap type.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct TypeDescr {
    /// Its name.
    pub name: String,
    /// The number in an object's header (`hotloop-gc`'s `TypeId`).
    pub id: u32,
    /// Bytes up to the array part, header included.
    pub fixed_size: u32,
    /// The fields, in order; a *slot number* counts them, then the items.
    pub fields: Vec<FieldId>,
    /// How the items of the array part are stored, and whether they can be written after the making.
    pub items: Option<(FieldKind, Mutability)>,
    /// Whether it is a frame whose fields live in registers while a trace runs.
    pub virtualizable: bool,
}

/// What a call may do beyond computing its result.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Effect {
    /// Nothing: the same arguments give the same result (RPython's elidable).
    Elidable,
    /// Nothing, and during one run of a loop the same arguments give the same result, whatever is written
    /// (RPython's loop_invariant).
    Invariant,
    /// Reads the heap and does nothing else: as long as nothing is written, the same arguments give the same
    /// result (RPython's dictionary look-ups, `OS_DICT_LOOKUP`).
    Looks,
    /// Reads the heap, and may allocate.
    Reads,
    /// Does something to the world outside the heap; neither reads nor writes objects.
    Outside,
    /// Reads and writes any mutable field, and may allocate.
    Writes,
    /// Everything, looking at the frames included.
    Any,
}

/// A native function that traces call.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct CallDescr {
    /// Its name.
    pub name: String,
    /// Its machine address (System V ABI): words in integer registers, floats as their bits in integer
    /// registers, too; answers (result, raised) in `rax`, `rdx`.
    pub address: usize,
    /// The result's type.
    pub result: Option<Ty>,
    /// What it may do.
    pub effect: Effect,
    /// Whether it may raise: then `call_raised` follows and is guarded.
    pub raises: bool,
    /// Of a call of C: what the functions take and give. The first operand is then the address, and the others
    /// go where the C calling convention wants them.
    pub foreign: Option<Signature>,
}

/// The most descriptors of each kind.
const CAPACITY: usize = 1 << 14;

macro_rules! table {
    ($id:ident, $descr:ident, $table:ident, $what:literal) => {
        #[doc = concat!("The index of ", $what, ".")]
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
        pub struct $id(pub u32);

        // Written under the lock, in order; read without it.
        static $table: ([OnceLock<&'static $descr>; CAPACITY], Mutex<usize>) =
            ([const { OnceLock::new() }; CAPACITY], Mutex::new(0));

        impl $id {
            /// The index of this descriptor; equal descriptors have the same.
            pub fn intern(descr: $descr) -> $id {
                let mut count = $table.1.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                if let Some(known) = Self::find(|known| *known == descr) {
                    return known;
                }
                assert!(*count < CAPACITY, "more than {CAPACITY} descriptors");
                let index = *count;
                let _ = $table.0[index].set(Box::leak(Box::new(descr)));
                *count += 1;
                $id(index as u32)
            }

            fn find(matches: impl Fn(&$descr) -> bool) -> Option<$id> {
                let known = $table.0.iter().map_while(|entry| entry.get());
                known.enumerate().find(|(_, descr)| matches(descr)).map(|(index, _)| $id(index as u32))
            }

            /// The descriptor, if there is one with this index.
            pub fn try_get(self) -> Option<&'static $descr> {
                $table.0.get(self.0 as usize)?.get().copied()
            }

            /// The descriptor.
            #[inline]
            pub fn get(self) -> &'static $descr {
                match $table.0[self.0 as usize].get() {
                    Some(descr) => descr,
                    None => unreachable!(concat!("no such index of ", $what)),
                }
            }
        }
    };
}

table!(FieldId, FieldDescr, FIELDS, "a field descriptor");
table!(TypeRef, TypeDescr, TYPES, "a type descriptor");
table!(CallId, CallDescr, CALLS, "a call descriptor");

impl TypeRef {
    /// The type whose objects carry this number in their headers.
    pub fn by_number(number: u32) -> Option<TypeRef> {
        TypeRef::find(|descr| descr.id == number)
    }

    /// The type with this name, if one was made.
    pub fn by_name(name: &str) -> Option<TypeRef> {
        TypeRef::find(|descr| descr.name == name)
    }

    /// The type that has this field.
    pub fn of_field(field: FieldId) -> Option<TypeRef> {
        TypeRef::find(|descr| descr.fields.contains(&field))
    }
}

impl FieldId {
    /// The field `owner.name`, if there is one.
    pub fn by_name(owner: &str, name: &str) -> Option<FieldId> {
        FieldId::find(|descr| descr.owner == owner && descr.name == name)
    }
}

impl CallId {
    /// The function with this name, if there is one.
    pub fn by_name(name: &str) -> Option<CallId> {
        CallId::find(|descr| descr.name == name)
    }
}

impl TypeDescr {
    /// The slot number of a field.
    pub fn slot_of(&self, field: FieldId) -> Option<usize> {
        self.fields.iter().position(|known| *known == field)
    }

    /// Offset in bytes and storage of a slot (fields first, then items).
    pub fn slot(&self, slot: usize) -> (u32, FieldKind) {
        match self.fields.get(slot) {
            Some(field) => {
                let descr = field.get();
                (descr.offset, descr.kind)
            }
            None => {
                let kind = self.items.map_or(FieldKind::Int, |(kind, _)| kind);
                (self.fixed_size + (slot - self.fields.len()) as u32 * kind.size(), kind)
            }
        }
    }
}
