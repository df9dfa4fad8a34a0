//! Object types: what the collector knows about the layout of each kind of heap object.
//!
//! Every object starts with a header of eight bytes:
//!
//! ```text
//!   offset 0      2       3       4        8                      fixed_size
//!          +------+-------+-------+--------+------- - - - --------+------- - - - ------+
//!          | type | flags | owner | length | fields at offsets    | length elements    |
//!          | u16  | u8    | u8    | u32    | 8, 16, ...           | of the trailing    |
//!          +------+-------+-------+--------+----------------------+ array -------------+
//! ```
//!
//! The flags are [`FLAG_OLD`], [`FLAG_PRIVATE`] and, while a collection goes on, [`FLAG_AHEAD`]. The owner is the
//! number of the heap that the object belongs to.
//!
//! The registry of layouts belongs to the process and only grows. The collector's worker threads
//! read it while they scan, so reading takes no lock: entry `i` of a fixed table is written once,
//! before its number is given out.

use std::sync::Mutex;
use std::sync::atomic::{AtomicPtr, Ordering};

/// The low tag of a tagged word that is a reference: `word == address + REF_TAG`.
pub const REF_TAG: u64 = 2;
/// The bits of a tagged word that say what it is.
pub const TAG_MASK: u64 = 7;
/// The size in bytes of the header that every object starts with.
pub const HEADER_BYTES: usize = 8;
/// The offset in bytes of the type id in the header, of which 16 bits are kept.
pub const HEADER_TYPE_OFFSET: usize = 0;
/// The offset in bytes of the flags in the header, a byte.
pub const HEADER_FLAGS_OFFSET: usize = 2;
/// The flag of an object that has survived a collection and was not written since: who stores a
/// reference into it must say so ([`barrier`](crate::barrier)).
pub const FLAG_OLD: u8 = 1;
/// The flag of an object that was scanned before MMTk has it scanned; see [`scan`](crate::scan).
pub(crate) const FLAG_AHEAD: u8 = 2;
/// The flag of an object that only its owner refers to; see [`share`](crate::share).
pub(crate) const FLAG_PRIVATE: u8 = 4;
/// The offset in bytes of the owner's number in the header, a byte.
pub const HEADER_OWNER_OFFSET: usize = 3;
/// The offset in bytes of the `u32` length of the trailing array in the header.
pub const HEADER_LEN_OFFSET: usize = 4;
/// How many types a process can register.
pub const MAX_TYPES: usize = 1 << 14;

/// The number of a registered object type. Zero is never a valid id.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(transparent)]
pub struct TypeId(pub u32);

/// What the collector does with an eight-byte word of an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SlotKind {
    /// Not a reference, never looked at.
    Raw,
    /// The address of an object, or zero.
    Ref,
    /// A tagged word: a reference if and only if its bits under [`TAG_MASK`] are [`REF_TAG`], and
    /// then the object's address plus the tag; everything else is an immediate value.
    Value,
}

/// One eight-byte field of a type's fixed part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slot {
    /// Offset in bytes from the start of the header; a multiple of eight.
    pub offset: u32,
    /// How to scan it.
    pub kind: SlotKind,
}

/// The array at the end of a type's objects. Its length is in each object's header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Trailing {
    /// How to scan the elements.
    pub kind: SlotKind,
    /// Bytes per element: 1, 2, 4 or 8; 8 if the elements are scanned.
    pub elem_size: u32,
}

/// The layout of one object type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Layout {
    /// The type's name, for messages.
    pub name: &'static str,
    /// Bytes of the fixed part, the header included; the trailing array starts here. A multiple of
    /// eight if the trailing array is scanned.
    pub fixed_size: u32,
    /// The fields to scan. [`SlotKind::Raw`] ones may be left out.
    pub slots: Vec<Slot>,
    /// The trailing array, if the type has one.
    pub trailing: Option<Trailing>,
}

impl Layout {
    /// The size in bytes of an object of this type with `len` trailing elements, rounded up to
    /// eight.
    #[inline]
    pub fn size(&self, len: u32) -> usize {
        let elements = self.trailing.map_or(0, |t| t.elem_size as usize * len as usize);
        (self.fixed_size as usize + elements + 7) & !7
    }

    /// Panics unless the collector can scan objects of this layout.
    fn check(&self) {
        let name = self.name;
        assert!(self.fixed_size as usize >= HEADER_BYTES, "{name}: the header does not fit");
        let scanned = |kind| kind != SlotKind::Raw;
        for slot in &self.slots {
            assert!(
                slot.offset as usize >= HEADER_BYTES
                    && slot.offset.is_multiple_of(8)
                    && slot.offset.checked_add(8).is_some_and(|end| end <= self.fixed_size),
                "{name}: slot at offset {} is misaligned or outside the fixed part",
                slot.offset
            );
        }
        if let Some(trailing) = self.trailing {
            assert!(
                matches!(trailing.elem_size, 1 | 2 | 4 | 8),
                "{name}: elements of {} bytes",
                trailing.elem_size
            );
            assert!(
                !scanned(trailing.kind) || (trailing.elem_size == 8 && self.fixed_size.is_multiple_of(8)),
                "{name}: scanned elements must be aligned words"
            );
        }
    }
}

/// A layout as the scanner wants it: raw slots left out, the trailing array's stride known.
pub(crate) struct Registered {
    pub(crate) layout: Layout,
    /// Offsets of the plain references.
    pub(crate) refs: Box<[u32]>,
    /// Offsets of the tagged words.
    pub(crate) values: Box<[u32]>,
    /// How to scan the trailing array; `Raw` also if there is none.
    pub(crate) trailing: SlotKind,
    /// Bytes per trailing element, zero if there is none.
    pub(crate) elem_size: usize,
    /// Whether objects of this type refer to nothing.
    pub(crate) is_leaf: bool,
}

impl Registered {
    /// The size in bytes of an object of this type with `len` trailing elements.
    #[inline(always)]
    pub(crate) fn size(&self, len: u32) -> usize {
        (self.layout.fixed_size as usize + self.elem_size * len as usize + 7) & !7
    }
}

static TABLE: [AtomicPtr<Registered>; MAX_TYPES] =
    [const { AtomicPtr::new(std::ptr::null_mut()) }; MAX_TYPES];
/// The next free number.
static NEXT: Mutex<u32> = Mutex::new(1);

/// Adds a type to the process's registry and returns its number.
///
/// # Panics
///
/// If the layout is malformed (see [`Slot`], [`Trailing`], [`Layout`]) or the process already has
/// [`MAX_TYPES`] types.
pub fn register_type(layout: Layout) -> TypeId {
    layout.check();
    let of_kind = |kind| -> Box<[u32]> {
        layout.slots.iter().filter(|slot| slot.kind == kind).map(|slot| slot.offset).collect()
    };
    let (refs, values) = (of_kind(SlotKind::Ref), of_kind(SlotKind::Value));
    let trailing = layout.trailing.map_or(SlotKind::Raw, |t| t.kind);
    let registered = Box::new(Registered {
        is_leaf: refs.is_empty() && values.is_empty() && trailing == SlotKind::Raw,
        refs,
        values,
        trailing,
        elem_size: layout.trailing.map_or(0, |t| t.elem_size as usize),
        layout,
    });
    let mut next = NEXT.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let id = *next;
    assert!((id as usize) < MAX_TYPES, "more than {MAX_TYPES} object types");
    *next += 1;
    TABLE[id as usize].store(Box::into_raw(registered), Ordering::Release);
    TypeId(id)
}

/// The layout of a registered type.
///
/// # Panics
///
/// If `id` was never returned by [`register_type`].
pub fn layout(id: TypeId) -> &'static Layout {
    &registered(id).layout
}

/// The scanner's view of a type; panics if the number is not registered.
#[inline(always)]
pub(crate) fn registered(id: TypeId) -> &'static Registered {
    let entry = TABLE[id.0 as usize].load(Ordering::Acquire);
    // SAFETY: a non-null entry came from `Box::into_raw` in `register_type`, was published with
    // release ordering after it was complete, and is never freed or written again.
    unsafe { entry.as_ref() }.unwrap_or_else(|| panic!("unregistered object type {}", id.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_rounded_up() {
        let layout = Layout {
            name: "bytes",
            fixed_size: 8,
            slots: vec![],
            trailing: Some(Trailing { kind: SlotKind::Raw, elem_size: 1 }),
        };
        assert_eq!(layout.size(0), 8);
        assert_eq!(layout.size(1), 16);
        assert_eq!(layout.size(8), 16);
        assert_eq!(layout.size(9), 24);
    }

    #[test]
    fn registered_layouts_are_found_again() {
        let first = Layout { name: "first", fixed_size: 16, slots: vec![], trailing: None };
        let second = Layout { name: "second", fixed_size: 24, slots: vec![], trailing: None };
        let (a, b) = (register_type(first.clone()), register_type(second.clone()));
        assert_ne!(a, b);
        assert_ne!(a.0, 0);
        assert_eq!(layout(a), &first);
        assert_eq!(layout(b), &second);
    }

    #[test]
    #[should_panic(expected = "misaligned or outside")]
    fn slots_lie_in_the_fixed_part() {
        let slots = vec![Slot { offset: 16, kind: SlotKind::Ref }];
        register_type(Layout { name: "bad", fixed_size: 16, slots, trailing: None });
    }
}
