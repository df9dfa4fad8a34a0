//! Binding times are types: the mode an interpreter is generic over.
//!
//! [`Direct`] executes; red values are machine words. [`Meta`] executes *and* records (or replays, or just
//! executes, as the current recorder says); red values are a word and the trace's operand for it. Every
//! operation of the red types in `red/` comes down to one of the functions of [`Mode`], called with a
//! constant operation, so that `Direct` folds to the machine operation.

use hotloop_gc::Heap;
use hotloop_ir::{CallId, FieldKind, Mutability, Opcode, Scalar, Ty, pure};
use hotloop_record::{Question, Red, Run, bulk, conditional_call, current};

use crate::foreign;
use crate::frames;
use crate::heap::TypeCell;
use crate::residual::CallCell;
use crate::watch::{self, Access};

mod sealed {
    pub trait Sealed {}
    impl<const NATIVE: bool> Sealed for super::Concrete<NATIVE> {}
    impl Sealed for super::Meta {}
}

/// How an interpreter runs. Languages are generic over it and never name its implementors.
pub trait Mode: sealed::Sealed + Copy + 'static {
    /// A red word.
    #[doc(hidden)]
    type Word: Copy;

    #[doc(hidden)]
    fn constant(bits: u64) -> Self::Word;
    #[doc(hidden)]
    fn pure1(op: Opcode, a: Self::Word) -> Self::Word;
    #[doc(hidden)]
    fn pure2(op: Opcode, a: Self::Word, b: Self::Word) -> Self::Word;
    #[doc(hidden)]
    fn select(condition: Self::Word, a: Self::Word, b: Self::Word) -> Self::Word;
    /// Turns a red boolean into control flow: a guard.
    #[doc(hidden)]
    fn branch(condition: Self::Word) -> bool;
    /// One of the `int_*_ovf` operations.
    #[doc(hidden)]
    fn checked(op: Opcode, a: Self::Word, b: Self::Word) -> Option<Self::Word>;
    #[doc(hidden)]
    fn promote(word: Self::Word, ty: Ty) -> u64;
    /// Whether steps run under a recorder: what `we_are_jitted` answers.
    #[doc(hidden)]
    const JITTED: bool;
    #[doc(hidden)]
    fn is_constant(word: Self::Word) -> bool;
    /// Whether the object (or the value that refers to it) was made in this trace and has not escaped.
    #[doc(hidden)]
    fn is_virtual(word: Self::Word) -> bool;
    /// The author says that the word is this one.
    #[doc(hidden)]
    fn assume_word(word: Self::Word, known: u64);
    /// The author says that the object (not null) is of the type.
    #[doc(hidden)]
    fn assume_type(object: Self::Word, ty: &'static TypeCell);
    /// The author says what the elidable function answers.
    #[doc(hidden)]
    fn assume_result<const N: usize>(
        cell: &'static CallCell,
        args: [Self::Word; N],
        result: Self::Word,
        run: impl Fn([u64; N]) -> crate::residual::Outcome,
    );
    /// Calls the function if the condition is not 0.
    #[doc(hidden)]
    fn call_if<const N: usize>(
        cell: &'static CallCell,
        condition: Self::Word,
        args: [Self::Word; N],
        run: impl Fn([u64; N]) -> crate::residual::Outcome,
    );
    /// The word if it is not 0, else what the function answers.
    #[doc(hidden)]
    fn call_unless<const N: usize>(
        cell: &'static CallCell,
        word: Self::Word,
        args: [Self::Word; N],
        run: impl Fn([u64; N]) -> crate::residual::Outcome,
    ) -> Self::Word;
    /// Calls a function that compiled code does not call.
    #[doc(hidden)]
    fn call_outside<const N: usize>(
        cell: &'static CallCell,
        args: [Self::Word; N],
        run: impl Fn([u64; N]) -> crate::residual::Outcome,
    );
    /// Somebody looks at a frame, or lets go of a reference to it: natives may have a handle for it.
    #[doc(hidden)]
    fn frame(object: Self::Word) -> Self::Word;
    /// Whether the object (not null) is of the type.
    #[doc(hidden)]
    fn is_type(object: Self::Word, ty: &'static TypeCell) -> bool;
    /// The number of the object's heap type.
    #[doc(hidden)]
    fn type_number(object: Self::Word) -> Self::Word;
    #[doc(hidden)]
    fn get_field(
        object: Self::Word,
        ty: &'static TypeCell,
        index: usize,
        offset: usize,
        kind: FieldKind,
    ) -> Self::Word;
    #[doc(hidden)]
    fn set_field(
        object: Self::Word,
        ty: &'static TypeCell,
        index: usize,
        offset: usize,
        kind: FieldKind,
        mutability: Mutability,
        value: Self::Word,
    );
    #[doc(hidden)]
    fn get_item(
        object: Self::Word,
        ty: &'static TypeCell,
        fixed: usize,
        kind: FieldKind,
        index: Self::Word,
    ) -> Self::Word;
    #[doc(hidden)]
    fn set_item(
        object: Self::Word,
        ty: &'static TypeCell,
        fixed: usize,
        kind: FieldKind,
        index: Self::Word,
        value: Self::Word,
    );
    #[doc(hidden)]
    fn length(object: Self::Word, ty: &'static TypeCell) -> Self::Word;
    #[doc(hidden)]
    fn copy_items(from: Items<Self::Word>, to: Items<Self::Word>, count: Self::Word);
    #[doc(hidden)]
    fn fill_items(to: Items<Self::Word>, count: Self::Word, value: Self::Word);
    /// `equal_items` or `compare_items`.
    #[doc(hidden)]
    fn compare_items(
        op: Opcode,
        one: Items<Self::Word>,
        two: Items<Self::Word>,
        count: Self::Word,
    ) -> Self::Word;
    /// A frame, or something else, is stored where it may outlive the frames above it.
    #[doc(hidden)]
    fn share(object: Self::Word);
    /// A frame was left.
    #[doc(hidden)]
    fn release(heap: &Heap, frame: Self::Word);
    /// An object; `private`: a frame with a field, to which only the frames above it refer until it is shared.
    #[doc(hidden)]
    fn allocate(
        heap: &Heap,
        ty: &'static TypeCell,
        fixed: usize,
        length: Option<(Self::Word, FieldKind)>,
        private: bool,
    ) -> Self::Word;
    /// A float as a value: tagged if it fits, else what `make` makes of its bits, which refers to a `ty`.
    #[doc(hidden)]
    fn box_float(float: Self::Word, ty: &'static TypeCell, make: impl Fn(u64) -> u64) -> Self::Word;
    /// Where the float is that the value is, if it is one: tagged, or in an object of that type.
    #[doc(hidden)]
    fn find_float(value: Self::Word, ty: &'static TypeCell) -> FloatIn<Self::Word>;
    #[doc(hidden)]
    fn call<const N: usize>(
        cell: &'static CallCell,
        args: [Self::Word; N],
        run: impl Fn([u64; N]) -> crate::residual::Outcome,
    ) -> (Self::Word, Self::Word);
    /// Calls a function of C: its address first.
    #[doc(hidden)]
    fn call_foreign(call: CallId, args: &[Self::Word]) -> Self::Word;
    /// Reads a number of C.
    #[doc(hidden)]
    fn load_raw(address: Self::Word, offset: Self::Word, scalar: Scalar) -> Self::Word;
    /// Writes a number of C.
    #[doc(hidden)]
    fn store_raw(address: Self::Word, offset: Self::Word, scalar: Scalar, value: Self::Word);
}

/// Where the float of a value is.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub enum FloatIn<W> {
    /// This is it.
    Here(W),
    /// In this object.
    Object(W),
    /// The value is no float.
    Nowhere,
}

/// A run of an object's items: where it begins.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct Items<W> {
    pub object: W,
    pub ty: &'static TypeCell,
    /// Bytes before the first item.
    pub fixed: usize,
    pub kind: FieldKind,
    pub at: W,
}

impl Items<u64> {
    /// The address of the first of so many items, which must be there.
    #[inline(always)]
    fn address(&self, count: u64) -> u64 {
        let length = length_of(self.object);
        if count > length as u64 || self.at > length as u64 - count {
            out_of_range(self.ty, self.at.saturating_add(count), length);
        }
        self.object + self.fixed as u64 + self.at * self.kind.size() as u64
    }
}

impl Items<Red> {
    /// The run of so many items, which must be there: two guards.
    fn run(&self, count: Red) -> Run {
        let ty = self.ty.type_ref();
        let length = current().length(self.object, ty);
        let within = |a: Red, b: Red| {
            let inside = current().pure(Opcode::UintLe, &[a, b]);
            if !current().branch(inside) {
                out_of_range(self.ty, self.at.bits.saturating_add(count.bits), length.bits as u32);
            }
        };
        within(count, length);
        let most = current().pure(Opcode::IntSub, &[length, count]);
        within(self.at, most);
        Run { object: self.object, ty, at: self.at }
    }
}

/// Plain execution; `NATIVE`: of residual functions and the like, whose accesses `check_hints` watches.
#[derive(Clone, Copy, Debug)]
pub struct Concrete<const NATIVE: bool>;

/// Plain execution of the interpreter's steps.
pub type Direct = Concrete<false>;

/// Execution under a recorder.
#[derive(Clone, Copy, Debug)]
pub struct Meta;

#[cold]
#[inline(never)]
fn out_of_range(ty: &'static TypeCell, index: u64, length: u32) -> ! {
    panic!("item {index} of a {} with {length} items", ty.name())
}

#[inline(always)]
fn length_of(object: u64) -> u32 {
    // SAFETY: red references are made by allocation, by loads of reference fields or by checked casts
    // only, so `object` is the address of a live heap object (or was null-checked before).
    unsafe { *((object + 4) as *const u32) }
}

#[inline(always)]
fn load(address: u64, kind: FieldKind) -> u64 {
    // SAFETY: the address is that of a field or a bounds-checked item of a live object (see `length_of`).
    unsafe {
        match kind {
            FieldKind::Byte => *(address as *const u8) as u64,
            _ => *(address as *const u64),
        }
    }
}

#[inline(always)]
fn store(object: u64, offset: u64, kind: FieldKind, value: u64) {
    let place = (object + offset) as *mut u64;
    // SAFETY: as for `load`; only the interpreter's own thread writes the object.
    unsafe {
        match kind {
            FieldKind::Byte => *place.cast::<u8>() = value as u8,
            FieldKind::Ref | FieldKind::Value => hotloop_gc::write_barrier(object as *mut u8, place, value),
            FieldKind::Int | FieldKind::Float => *place = value,
        }
    }
}

/// Whether accesses of this mode are watched now.
#[inline(always)]
fn watched<const NATIVE: bool>() -> bool {
    NATIVE && hotloop_record::anyone_checks()
}

impl<const NATIVE: bool> Mode for Concrete<NATIVE> {
    type Word = u64;

    #[inline(always)]
    fn constant(bits: u64) -> u64 {
        bits
    }
    #[inline(always)]
    fn pure1(op: Opcode, a: u64) -> u64 {
        pure::evaluate(op, a, 0, 0)
    }
    #[inline(always)]
    fn pure2(op: Opcode, a: u64, b: u64) -> u64 {
        pure::evaluate(op, a, b, 0)
    }
    #[inline(always)]
    fn select(condition: u64, a: u64, b: u64) -> u64 {
        if condition != 0 { a } else { b }
    }
    #[inline(always)]
    fn branch(condition: u64) -> bool {
        condition != 0
    }
    #[inline(always)]
    fn checked(op: Opcode, a: u64, b: u64) -> Option<u64> {
        let (a, b) = (a as i64, b as i64);
        let result = match op {
            Opcode::IntAddOvf => a.checked_add(b),
            Opcode::IntSubOvf => a.checked_sub(b),
            _ => a.checked_mul(b),
        };
        result.map(|word| word as u64)
    }
    #[inline(always)]
    fn promote(word: u64, _ty: Ty) -> u64 {
        word
    }
    const JITTED: bool = false;
    #[inline(always)]
    fn is_constant(_word: u64) -> bool {
        false
    }
    #[inline(always)]
    fn is_virtual(_word: u64) -> bool {
        false
    }
    #[inline(always)]
    fn assume_word(_word: u64, _known: u64) {}
    #[inline(always)]
    fn assume_type(_object: u64, _ty: &'static TypeCell) {}
    #[inline(always)]
    fn assume_result<const N: usize>(
        _cell: &'static CallCell,
        _args: [u64; N],
        _result: u64,
        _run: impl Fn([u64; N]) -> crate::residual::Outcome,
    ) {
    }
    #[inline(always)]
    fn call_if<const N: usize>(
        _cell: &'static CallCell,
        condition: u64,
        args: [u64; N],
        run: impl Fn([u64; N]) -> crate::residual::Outcome,
    ) {
        if condition != 0 {
            run(args);
        }
    }
    #[inline(always)]
    fn call_unless<const N: usize>(
        _cell: &'static CallCell,
        word: u64,
        args: [u64; N],
        run: impl Fn([u64; N]) -> crate::residual::Outcome,
    ) -> u64 {
        if word != 0 { word } else { run(args).value }
    }
    #[inline(always)]
    fn call_outside<const N: usize>(
        _cell: &'static CallCell,
        args: [u64; N],
        run: impl Fn([u64; N]) -> crate::residual::Outcome,
    ) {
        run(args);
    }
    #[inline(always)]
    fn frame(object: u64) -> u64 {
        if NATIVE { frames::look(object) } else { object }
    }
    #[inline(always)]
    fn is_type(object: u64, ty: &'static TypeCell) -> bool {
        Self::type_number(object) == ty.id_if_used() as u64
    }
    #[inline(always)]
    fn type_number(object: u64) -> u64 {
        // SAFETY: as for `length_of`.
        unsafe { *(object as *const u16) as u64 }
    }
    #[inline(always)]
    fn get_field(object: u64, ty: &'static TypeCell, index: usize, offset: usize, kind: FieldKind) -> u64 {
        if watched::<NATIVE>() {
            watch::accessed(object, ty, Some(index), ty.field_mutability(index), Access::Read);
        }
        load(object + offset as u64, kind)
    }
    #[inline(always)]
    fn set_field(
        object: u64,
        ty: &'static TypeCell,
        index: usize,
        offset: usize,
        kind: FieldKind,
        mutability: Mutability,
        value: u64,
    ) {
        if watched::<NATIVE>() {
            watch::accessed(object, ty, Some(index), mutability, Access::Write);
        }
        if mutability == Mutability::Stable && load(object + offset as u64, kind) != value {
            hotloop_record::stable::written(object, ty.field(index));
        }
        store(object, offset as u64, kind, value);
    }
    #[inline(always)]
    fn get_item(object: u64, ty: &'static TypeCell, fixed: usize, kind: FieldKind, index: u64) -> u64 {
        if watched::<NATIVE>() {
            watch::accessed(object, ty, None, ty.items_mutability(), Access::Read);
        }
        let length = length_of(object);
        if index >= length as u64 {
            out_of_range(ty, index, length);
        }
        load(object + fixed as u64 + index * kind.size() as u64, kind)
    }
    #[inline(always)]
    fn set_item(object: u64, ty: &'static TypeCell, fixed: usize, kind: FieldKind, index: u64, value: u64) {
        if watched::<NATIVE>() {
            watch::accessed(object, ty, None, ty.items_mutability(), Access::Write);
        }
        let length = length_of(object);
        if index >= length as u64 {
            out_of_range(ty, index, length);
        }
        store(object, fixed as u64 + index * kind.size() as u64, kind, value);
    }
    #[inline(always)]
    fn length(object: u64, _ty: &'static TypeCell) -> u64 {
        length_of(object) as u64
    }
    #[inline]
    fn copy_items(from: Items<u64>, to: Items<u64>, count: u64) {
        bulk::copy(from.address(count), to.object, to.address(count), count, to.kind);
    }
    #[inline]
    fn fill_items(to: Items<u64>, count: u64, value: u64) {
        bulk::fill(to.object, to.address(count), count, to.kind, value);
    }
    #[inline]
    fn compare_items(op: Opcode, one: Items<u64>, two: Items<u64>, count: u64) -> u64 {
        let (first, second) = (one.address(count), two.address(count));
        match op {
            Opcode::EqualItems => bulk::equal(first, second, count * one.kind.size() as u64) as u64,
            _ => bulk::compare(first, second, count, one.kind) as u64,
        }
    }
    #[inline(always)]
    fn allocate(
        heap: &Heap,
        ty: &'static TypeCell,
        fixed: usize,
        length: Option<(u64, FieldKind)>,
        private: bool,
    ) -> u64 {
        let (size, len) = match length {
            None => (fixed, 0),
            Some((len, kind)) => ((fixed + len as usize * kind.size() as usize + 7) & !7, len as u32),
        };
        let ty = hotloop_gc::TypeId(ty.id());
        // SAFETY: the size is that of the type with so many items, rounded up to words; private ones have fixed
        // fields, which their constructor writes at once.
        let object = unsafe {
            if private {
                heap.alloc_private(ty, fixed, size, len)
            } else {
                heap.alloc_unchecked(ty, size, len)
            }
        } as u64;
        if watched::<NATIVE>() {
            watch::made(object);
        }
        object
    }
    #[inline(always)]
    fn share(object: u64) {
        // SAFETY: as for `length_of`.
        unsafe { hotloop_gc::share(object as *mut u8) };
    }
    #[inline(always)]
    fn release(heap: &Heap, frame: u64) {
        // SAFETY: as for `length_of`; those without fields are not private.
        unsafe { heap.give_back(frame as *mut u8) };
    }
    #[inline(always)]
    fn box_float(float: u64, _ty: &'static TypeCell, make: impl Fn(u64) -> u64) -> u64 {
        if pure::evaluate(Opcode::FloatFitsValue, float, 0, 0) != 0 {
            pure::evaluate(Opcode::FloatToValue, float, 0, 0)
        } else {
            make(float)
        }
    }
    #[inline(always)]
    fn find_float(value: u64, ty: &'static TypeCell) -> FloatIn<u64> {
        if pure::evaluate(Opcode::ValueIsFloat, value, 0, 0) != 0 {
            FloatIn::Here(pure::evaluate(Opcode::ValueToFloat, value, 0, 0))
        } else if value & 7 == 2 && Self::is_type(value - 2, ty) {
            FloatIn::Object(value - 2)
        } else {
            FloatIn::Nowhere
        }
    }
    #[inline(always)]
    fn call<const N: usize>(
        _cell: &'static CallCell,
        args: [u64; N],
        run: impl Fn([u64; N]) -> crate::residual::Outcome,
    ) -> (u64, u64) {
        let outcome = run(args);
        (outcome.value, outcome.raised)
    }
    fn call_foreign(call: CallId, args: &[u64]) -> u64 {
        foreign::call(call, args)
    }
    #[inline(always)]
    fn load_raw(address: u64, offset: u64, scalar: Scalar) -> u64 {
        foreign::load(address.wrapping_add(offset), scalar)
    }
    #[inline(always)]
    fn store_raw(address: u64, offset: u64, scalar: Scalar, value: u64) {
        foreign::store(address.wrapping_add(offset), scalar, value);
    }
}

impl Mode for Meta {
    type Word = Red;

    #[inline]
    fn constant(bits: u64) -> Red {
        Red::constant(bits)
    }
    #[inline]
    fn pure1(op: Opcode, a: Red) -> Red {
        current().pure(op, &[a])
    }
    #[inline]
    fn pure2(op: Opcode, a: Red, b: Red) -> Red {
        current().pure(op, &[a, b])
    }
    #[inline]
    fn select(condition: Red, a: Red, b: Red) -> Red {
        current().pure(Opcode::Select, &[condition, a, b])
    }
    #[inline]
    fn branch(condition: Red) -> bool {
        current().branch(condition)
    }
    #[inline]
    fn checked(op: Opcode, a: Red, b: Red) -> Option<Red> {
        current().checked(op, a, b)
    }
    #[inline]
    fn promote(word: Red, ty: Ty) -> u64 {
        current().promote(word, ty)
    }
    const JITTED: bool = true;
    #[inline]
    fn is_constant(word: Red) -> bool {
        current().ask(Question::Constant, word)
    }
    #[inline]
    fn is_virtual(word: Red) -> bool {
        current().ask(Question::Virtual, word)
    }
    #[inline]
    fn assume_word(word: Red, known: u64) {
        current().assume_word(word, known);
    }
    #[inline]
    fn assume_type(object: Red, ty: &'static TypeCell) {
        current().assume_type(object, ty.type_ref());
    }
    fn assume_result<const N: usize>(
        cell: &'static CallCell,
        args: [Red; N],
        result: Red,
        run: impl Fn([u64; N]) -> crate::residual::Outcome,
    ) {
        if hotloop_record::checking() {
            let outcome = hotloop_record::outside(|| run(args.map(|arg| arg.bits)));
            watch::check_assumed(cell, result.bits, outcome);
        }
        current().assume_result(cell.id(), &args, result);
    }
    fn call_if<const N: usize>(
        cell: &'static CallCell,
        condition: Red,
        args: [Red; N],
        run: impl Fn([u64; N]) -> crate::residual::Outcome,
    ) {
        conditional_call(Opcode::CallIf, cell.id(), condition, &args, || {
            let outcome = run(args.map(|arg| arg.bits));
            (outcome.value, outcome.raised)
        });
    }
    fn call_unless<const N: usize>(
        cell: &'static CallCell,
        word: Red,
        args: [Red; N],
        run: impl Fn([u64; N]) -> crate::residual::Outcome,
    ) -> Red {
        conditional_call(Opcode::CallUnless, cell.id(), word, &args, || {
            let outcome = run(args.map(|arg| arg.bits));
            (outcome.value, outcome.raised)
        })
    }
    fn call_outside<const N: usize>(
        _cell: &'static CallCell,
        args: [Red; N],
        run: impl Fn([u64; N]) -> crate::residual::Outcome,
    ) {
        if !current().is_done() {
            hotloop_record::outside(|| run(args.map(|arg| arg.bits)));
        }
    }
    #[inline]
    fn frame(object: Red) -> Red {
        object
    }
    #[inline]
    fn is_type(object: Red, ty: &'static TypeCell) -> bool {
        current().is_type(object, ty.type_ref())
    }
    #[inline]
    fn type_number(object: Red) -> Red {
        current().type_number(object)
    }
    #[inline]
    fn get_field(object: Red, ty: &'static TypeCell, index: usize, _offset: usize, _kind: FieldKind) -> Red {
        current().get_field(object, ty.field(index))
    }
    #[inline]
    fn set_field(
        object: Red,
        ty: &'static TypeCell,
        index: usize,
        _offset: usize,
        _kind: FieldKind,
        _mutability: Mutability,
        value: Red,
    ) {
        current().set_field(object, ty.field(index), value)
    }
    #[inline]
    fn get_item(object: Red, ty: &'static TypeCell, _fixed: usize, _kind: FieldKind, index: Red) -> Red {
        check_range(object, ty, index);
        current().get_item(object, ty.type_ref(), index)
    }
    #[inline]
    fn set_item(object: Red, ty: &'static TypeCell, _fixed: usize, _kind: FieldKind, index: Red, value: Red) {
        check_range(object, ty, index);
        current().set_item(object, ty.type_ref(), index, value)
    }
    #[inline]
    fn length(object: Red, ty: &'static TypeCell) -> Red {
        current().length(object, ty.type_ref())
    }
    fn copy_items(from: Items<Red>, to: Items<Red>, count: Red) {
        let (source, target) = (from.run(count), to.run(count));
        current().copy_items(source, target, count);
    }
    fn fill_items(to: Items<Red>, count: Red, value: Red) {
        let target = to.run(count);
        current().fill_items(target, count, value);
    }
    fn compare_items(op: Opcode, one: Items<Red>, two: Items<Red>, count: Red) -> Red {
        let (first, second) = (one.run(count), two.run(count));
        current().compare_items(op, first, second, count)
    }
    fn allocate(
        heap: &Heap,
        ty: &'static TypeCell,
        fixed: usize,
        length: Option<(Red, FieldKind)>,
        _private: bool,
    ) -> Red {
        let type_ref = ty.type_ref();
        if let Some(fed) = current().begin_allocation(type_ref) {
            return fed;
        }
        let plain = length.map(|(len, kind)| (len.bits, kind));
        let bits = match current().executed() {
            Some((bits, _)) => bits,
            None => Direct::allocate(heap, ty, fixed, plain, false),
        };
        current().end_allocation(type_ref, length.map(|(len, _)| len), bits)
    }
    #[inline(always)]
    fn share(_object: Red) {
        // A recording shares the frames that it begins with, and makes no private ones.
    }
    #[inline(always)]
    fn release(_heap: &Heap, _frame: Red) {}
    fn box_float(float: Red, ty: &'static TypeCell, make: impl Fn(u64) -> u64) -> Red {
        let type_ref = ty.type_ref();
        if let Some(fed) = current().begin_box(float, type_ref) {
            return fed;
        }
        let bits = match current().executed() {
            Some((bits, _)) => bits,
            None => Direct::box_float(float.bits, ty, make),
        };
        current().end_box(float, type_ref, bits)
    }
    fn find_float(value: Red, ty: &'static TypeCell) -> FloatIn<Red> {
        let type_ref = ty.type_ref();
        if let Some(float) = current().boxed_float(value, type_ref) {
            return FloatIn::Here(float);
        }
        match Direct::find_float(value.bits, ty) {
            FloatIn::Here(_) => {
                let tagged = current().pure(Opcode::ValueIsFloat, &[value]);
                current().branch(tagged);
                FloatIn::Here(current().pure(Opcode::ValueToFloat, &[value]))
            }
            FloatIn::Object(_) => FloatIn::Object(current().guard_box(value, type_ref)),
            FloatIn::Nowhere => {
                let tagged = current().pure(Opcode::ValueIsFloat, &[value]);
                current().branch(tagged);
                let tag = current().pure(Opcode::IntAnd, &[value, Red::constant(7)]);
                let reference = current().pure(Opcode::IntEq, &[tag, Red::constant(2)]);
                if current().branch(reference) {
                    let object = current().pure(Opcode::ValueToRef, &[value]);
                    current().is_type(object, type_ref);
                }
                FloatIn::Nowhere
            }
        }
    }
    fn call<const N: usize>(
        cell: &'static CallCell,
        args: [Red; N],
        run: impl Fn([u64; N]) -> crate::residual::Outcome,
    ) -> (Red, Red) {
        hotloop_record::call(cell.id(), &args, || {
            let outcome = run(args.map(|arg| arg.bits));
            (outcome.value, outcome.raised)
        })
    }
    fn call_foreign(call: CallId, args: &[Red]) -> Red {
        hotloop_record::call(call, args, || {
            let words: Vec<u64> = args.iter().map(|arg| arg.bits).collect();
            (foreign::call(call, &words), 0)
        })
        .0
    }
    fn load_raw(address: Red, offset: Red, scalar: Scalar) -> Red {
        let place = address.bits.wrapping_add(offset.bits);
        current().load_raw(address, offset, scalar, || foreign::load(place, scalar))
    }
    fn store_raw(address: Red, offset: Red, scalar: Scalar, value: Red) {
        let place = address.bits.wrapping_add(offset.bits);
        current().store_raw(address, offset, scalar, value, || foreign::store(place, scalar, value.bits));
    }
}

fn check_range(object: Red, ty: &'static TypeCell, index: Red) {
    let length = current().length(object, ty.type_ref());
    let inside = current().pure(Opcode::UintLt, &[index, length]);
    if !current().branch(inside) {
        out_of_range(ty, index.bits, length.bits as u32);
    }
}
