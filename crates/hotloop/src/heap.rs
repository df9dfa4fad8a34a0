//! Heap types as the `#[heap_type]` attribute declares them, and what may be stored in their fields.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use hotloop_gc::{Layout, Slot, SlotKind, Trailing};
use hotloop_ir::{FieldDescr, FieldId, FieldKind, Mutability, Opcode, TypeDescr, TypeRef};
use hotloop_record::bulk;

use crate::Plain;
use crate::green::GreenWord;
use crate::mode::{Items, Mode};
use crate::red::{Bool, Float, Int, Value};

/// A field of a heap type, as declared.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct FieldSpec {
    pub name: &'static str,
    pub kind: FieldKind,
    pub mutability: Mutability,
}

/// A heap type, as declared; fields take 8 bytes each, from offset 8 on.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct TypeSpec {
    pub name: &'static str,
    pub fields: &'static [FieldSpec],
    pub items: Option<(FieldKind, Mutability)>,
    pub virtualizable: bool,
}

/// A heap type's entry in the process's tables, made at first use.
#[doc(hidden)]
#[derive(Debug)]
pub struct TypeCell {
    spec: TypeSpec,
    id: AtomicU32,
    registered: OnceLock<(TypeRef, Vec<FieldId>)>,
}

impl TypeCell {
    pub const fn new(spec: TypeSpec) -> TypeCell {
        TypeCell { spec, id: AtomicU32::new(0), registered: OnceLock::new() }
    }

    pub fn name(&self) -> &'static str {
        self.spec.name
    }

    pub(crate) fn field_name(&self, index: usize) -> &'static str {
        self.spec.fields[index].name
    }

    pub(crate) fn is_virtualizable(&self) -> bool {
        self.spec.virtualizable
    }

    /// Who may write items.
    #[inline(always)]
    pub(crate) fn items_mutability(&self) -> Mutability {
        match self.spec.items {
            Some((_, mutability)) => mutability,
            None => Mutability::Mutable,
        }
    }

    pub(crate) fn field_mutability(&self, index: usize) -> Mutability {
        self.spec.fields[index].mutability
    }

    /// The number in the headers of its objects.
    #[inline(always)]
    pub fn id(&self) -> u32 {
        let id = self.id.load(Ordering::Relaxed);
        if id != 0 { id } else { self.first_id() }
    }

    /// The number, or 0, which no object has, before the first use.
    #[inline(always)]
    pub(crate) fn id_if_used(&self) -> u32 {
        self.id.load(Ordering::Relaxed)
    }

    /// The number at first use: out of line, because every type test has a call of it.
    #[cold]
    #[inline(never)]
    fn first_id(&self) -> u32 {
        self.register().0.get().id
    }

    pub fn type_ref(&self) -> TypeRef {
        self.register().0
    }

    pub fn field(&self, index: usize) -> FieldId {
        self.register().1[index]
    }

    #[cold]
    fn register_new(&self) -> (TypeRef, Vec<FieldId>) {
        let spec = &self.spec;
        let fixed_size = 8 + 8 * spec.fields.len() as u32;
        let slot_kind = |kind| match kind {
            FieldKind::Ref => SlotKind::Ref,
            FieldKind::Value => SlotKind::Value,
            FieldKind::Int | FieldKind::Float | FieldKind::Byte => SlotKind::Raw,
        };
        let slots = spec.fields.iter().enumerate();
        let id = hotloop_gc::register_type(Layout {
            name: spec.name,
            fixed_size,
            slots: slots
                .map(|(index, field)| Slot { offset: 8 + 8 * index as u32, kind: slot_kind(field.kind) })
                .filter(|slot| slot.kind != SlotKind::Raw)
                .collect(),
            trailing: spec.items.map(|(kind, _)| Trailing { kind: slot_kind(kind), elem_size: kind.size() }),
        });
        let fields: Vec<FieldId> = spec
            .fields
            .iter()
            .enumerate()
            .map(|(index, field)| {
                FieldId::intern(FieldDescr {
                    owner: spec.name.to_string(),
                    name: field.name.to_string(),
                    offset: 8 + 8 * index as u32,
                    kind: field.kind,
                    mutability: field.mutability,
                })
            })
            .collect();
        let type_ref = TypeRef::intern(TypeDescr {
            name: spec.name.to_string(),
            id: id.0,
            fixed_size,
            fields: fields.clone(),
            items: spec.items,
            virtualizable: spec.virtualizable,
        });
        self.id.store(id.0, Ordering::Relaxed);
        (type_ref, fields)
    }

    #[inline]
    fn register(&self) -> &(TypeRef, Vec<FieldId>) {
        self.registered.get_or_init(|| self.register_new())
    }
}

/// What makes references into the heap stay on their thread: neither `Send` nor `Sync`.
#[doc(hidden)]
pub type ThreadBound = std::marker::PhantomData<*mut u8>;

/// A red reference to an object of one heap type: what `#[heap_type]` makes.
pub trait HeapType<M: Mode>: Copy {
    #[doc(hidden)]
    fn cell() -> &'static TypeCell;
    #[doc(hidden)]
    fn from_word(word: M::Word) -> Self;
    #[doc(hidden)]
    fn word(self) -> M::Word;
}

/// A heap type with an array part: what can be done with runs of its items, as one operation each.
///
/// All ranges must lie within the array parts (as for single items: check first what the user gives).
pub trait HeapArray<M: Mode>: HeapType<M> {
    /// The type of an item.
    type Item: Stored<M>;
    #[doc(hidden)]
    const ITEMS: FieldKind;
    /// Bytes before the first item.
    #[doc(hidden)]
    const FIXED: usize;

    /// Copies `count` items from `at` on to `to_at` and what follows it in `to`, which may be the same
    /// object: as through a buffer.
    #[inline(always)]
    fn copy_to<T: HeapArray<M, Item = Self::Item>>(
        self,
        at: impl Into<Int<M>>,
        to: T,
        to_at: impl Into<Int<M>>,
        count: impl Into<Int<M>>,
    ) {
        const { assert!(Self::ITEMS.size() == T::ITEMS.size()) }
        M::copy_items(items(self, at.into()), items(to, to_at.into()), count.into().word());
    }

    /// Sets `count` items from `at` on.
    #[inline(always)]
    fn fill(self, at: impl Into<Int<M>>, count: impl Into<Int<M>>, value: Self::Item) {
        M::fill_items(items(self, at.into()), count.into().word(), value.stored());
    }

    /// Whether `count` items from `at` on are the same, bit for bit, as those of `other` from `other_at` on.
    #[inline(always)]
    fn same_items<T: HeapArray<M, Item = Self::Item>>(
        self,
        at: impl Into<Int<M>>,
        other: T,
        other_at: impl Into<Int<M>>,
        count: impl Into<Int<M>>,
    ) -> Bool<M> {
        const { assert!(Self::ITEMS.size() == T::ITEMS.size()) }
        let (one, two) = (items(self, at.into()), items(other, other_at.into()));
        Bool::from_word(M::compare_items(Opcode::EqualItems, one, two, count.into().word()))
    }

    /// The order of the first items that differ, as unsigned words: -1, 0 or 1.
    #[inline(always)]
    fn compare_items<T: HeapArray<M, Item = Self::Item>>(
        self,
        at: impl Into<Int<M>>,
        other: T,
        other_at: impl Into<Int<M>>,
        count: impl Into<Int<M>>,
    ) -> Int<M> {
        const { assert!(Self::ITEMS.size() == T::ITEMS.size()) }
        let (one, two) = (items(self, at.into()), items(other, other_at.into()));
        Int::from_word(M::compare_items(Opcode::CompareItems, one, two, count.into().word()))
    }
}

#[inline(always)]
fn items<M: Mode, T: HeapArray<M>>(array: T, at: Int<M>) -> Items<M::Word> {
    Items { object: array.word(), ty: T::cell(), fixed: T::FIXED, kind: T::ITEMS, at: at.word() }
}

/// What the items of an array part are that natives see as a slice.
#[doc(hidden)]
pub trait PlainItem: Copy {
    /// In the heap.
    const KIND: FieldKind;
}

impl PlainItem for u8 {
    const KIND: FieldKind = FieldKind::Byte;
}

impl PlainItem for u64 {
    const KIND: FieldKind = FieldKind::Int;
}

/// The items of an array part that is never written after its making.
#[doc(hidden)]
#[inline]
pub fn item_slice<T: HeapArray<Plain>, E: PlainItem>(array: &T) -> &[E] {
    const { assert!(T::ITEMS as u8 == E::KIND as u8) }
    let address = array.word() as usize;
    // SAFETY: the object lives, with so many items behind its fixed part: the borrowed reference to it is on
    // the stack, which the collector scans, and it finds objects by addresses within them, too.
    unsafe {
        let length = *((address + 4) as *const u32) as usize;
        std::slice::from_raw_parts((address + T::FIXED) as *const E, length)
    }
}

/// Copies items into an array part; panics if they don't fit.
#[doc(hidden)]
#[inline]
pub fn write_items<T: HeapArray<Plain>, E: PlainItem>(array: T, at: usize, items: &[E]) {
    const { assert!(T::ITEMS as u8 == E::KIND as u8) }
    let address = array.word() as usize;
    // SAFETY: the object lives, and the range lies in its array part; `items` may be of the same object.
    unsafe {
        let length = *((address + 4) as *const u32) as usize;
        assert!(at <= length && items.len() <= length - at, "{} items at {at} of {length}", items.len());
        let to = ((address + T::FIXED) as *mut E).add(at);
        bulk::copy_bytes(items.as_ptr().cast(), to.cast(), size_of_val(items));
    }
}

/// What can be kept in a field or handed to a residual function.
pub trait Stored<M: Mode>: Sized {
    /// How it is stored.
    #[doc(hidden)]
    const KIND: FieldKind;
    #[doc(hidden)]
    fn from_red(word: M::Word) -> Self;
    #[doc(hidden)]
    fn into_red(self) -> M::Word;
    /// As a word that is stored where it may stay.
    #[doc(hidden)]
    #[inline(always)]
    fn stored(self) -> M::Word {
        self.into_red()
    }
}

impl<M: Mode> Stored<M> for Int<M> {
    const KIND: FieldKind = FieldKind::Int;
    #[inline(always)]
    fn from_red(word: M::Word) -> Self {
        Int::from_word(word)
    }
    #[inline(always)]
    fn into_red(self) -> M::Word {
        self.word()
    }
}

impl<M: Mode> Stored<M> for Float<M> {
    const KIND: FieldKind = FieldKind::Float;
    #[inline(always)]
    fn from_red(word: M::Word) -> Self {
        Float::from_word(word)
    }
    #[inline(always)]
    fn into_red(self) -> M::Word {
        self.word()
    }
}

impl<M: Mode> Stored<M> for Value<M> {
    const KIND: FieldKind = FieldKind::Value;
    #[inline(always)]
    fn from_red(word: M::Word) -> Self {
        Value::from_word(word)
    }
    #[inline(always)]
    fn into_red(self) -> M::Word {
        self.word()
    }
}

impl<M: Mode, T: HeapType<M> + Stored<M>> Stored<M> for Option<T> {
    const KIND: FieldKind = FieldKind::Ref;
    #[inline(always)]
    fn from_red(word: M::Word) -> Self {
        let is_null = M::pure2(hotloop_ir::Opcode::RefEq, word, M::constant(0));
        if M::branch(is_null) { None } else { Some(T::from_word(word)) }
    }
    #[inline(always)]
    fn into_red(self) -> M::Word {
        match self {
            Some(object) => object.word(),
            None => M::constant(0),
        }
    }
    #[inline(always)]
    fn stored(self) -> M::Word {
        match self {
            Some(object) => object.stored(),
            None => M::constant(0),
        }
    }
}

/// A green position or other plain value kept in red memory: promoted when read.
#[doc(hidden)]
#[inline(always)]
pub fn read_green<M: Mode, T: GreenWord>(word: M::Word) -> T {
    T::from_word(M::promote(word, hotloop_ir::Ty::Int))
}
