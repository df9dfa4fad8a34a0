//! The little heap that random programs work on, its types, and the native functions they call.
//!
//! Objects are made in one region at always the same addresses, so that a run can be repeated. What two
//! runs did is compared as a [`canon`]ical form, in which objects have the numbers of their discovery.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use hotloop_ir::{
    CallDescr, CallId, Effect, FieldDescr, FieldId, FieldKind, Mutability, Ty, TypeDescr, TypeRef,
};

/// The region's size in words.
const WORDS: usize = 1 << 16;
/// How many items the frame has.
pub const FRAME_ITEMS: u32 = 4;
/// Objects that exist from the start: (cells, arrays, byte arrays, texts).
const GLOBALS: (usize, usize, usize, usize) = (4, 2, 1, 1);
/// How many they are.
pub const GLOBAL_COUNT: usize = GLOBALS.0 + GLOBALS.1 + GLOBALS.2 + GLOBALS.3;

/// Types, fields and functions of the random programs.
pub struct Kit {
    pub cell: TypeRef,
    pub array: TypeRef,
    pub bytes: TypeRef,
    /// Bytes that do not change after they were made.
    pub text: TypeRef,
    pub frame: TypeRef,
    pub n: FieldId,
    pub next: FieldId,
    pub v: FieldId,
    pub k: FieldId,
    pub s: FieldId,
    pub count: FieldId,
    pub hash: FieldId,
    pub tag: FieldId,
    pub link: FieldId,
    pub x: FieldId,
    pub r: FieldId,
    pub natives: Vec<Native>,
    pub set_stable: CallId,
}

/// A function that programs call, and what it takes: `i` an int, `r` a reference.
pub struct Native {
    pub id: CallId,
    pub takes: &'static str,
}

fn field(owner: &str, name: &str, offset: u32, kind: FieldKind, mutability: Mutability) -> FieldId {
    FieldId::intern(FieldDescr { owner: owner.into(), name: name.into(), offset, kind, mutability })
}

/// The kit, made once.
pub fn kit() -> &'static Kit {
    use FieldKind::{Byte, Int, Ref, Value};
    use Mutability::{Immutable, Mutable, Stable};
    static KIT: OnceLock<Kit> = OnceLock::new();
    KIT.get_or_init(|| {
        let n = field("RandomCell", "n", 8, Int, Mutable);
        let next = field("RandomCell", "next", 16, Ref, Mutable);
        let v = field("RandomCell", "v", 24, Value, Mutable);
        let k = field("RandomCell", "k", 32, Int, Immutable);
        let s = field("RandomCell", "s", 40, Int, Stable);
        let count = field("RandomArray", "count", 8, Int, Mutable);
        let hash = field("RandomText", "hash", 8, Int, Mutable);
        let tag = field("RandomBytes", "tag", 8, Int, Immutable);
        let link = field("RandomFrame", "link", 8, Ref, Immutable);
        let x = field("RandomFrame", "x", 16, Int, Mutable);
        let r = field("RandomFrame", "r", 24, Ref, Mutable);
        let ty = |name: &str, id, fixed_size, fields: &[FieldId], items, virtualizable| {
            let (name, fields) = (name.to_string(), fields.to_vec());
            TypeRef::intern(TypeDescr { name, id, fixed_size, fields, items, virtualizable })
        };
        let call = |name: &str, address: usize, result, effect, raises| {
            CallId::intern(CallDescr {
                name: format!("random_{name}"),
                address,
                result,
                effect,
                raises,
                foreign: None,
            })
        };
        let native =
            |name, function: extern "C" fn(u64, u64, u64) -> Answer, takes, result, effect, raises| Native {
                id: call(name, function as *const () as usize, result, effect, raises),
                takes,
            };
        Kit {
            cell: ty("RandomCell", 901, 48, &[n, next, v, k, s], None, false),
            array: ty("RandomArray", 902, 16, &[count], Some((Ref, Mutable)), false),
            bytes: ty("RandomBytes", 903, 16, &[tag], Some((Byte, Mutable)), false),
            text: ty("RandomText", 905, 16, &[hash], Some((Byte, Immutable)), false),
            frame: ty("RandomFrame", 904, 32, &[link, x, r], Some((Value, Mutable)), true),
            natives: vec![
                native("mix", mix, "i", Some(Ty::Int), Effect::Elidable, false),
                native("mix_raises", mix_raises, "i", Some(Ty::Int), Effect::Elidable, true),
                native("tag_of", tag_of, "r", Some(Ty::Int), Effect::Elidable, false),
                native("look", look, "ri", Some(Ty::Int), Effect::Reads, false),
                native("look_raises", look_raises, "ri", Some(Ty::Ref), Effect::Reads, true),
                native("find", find, "ri", Some(Ty::Int), Effect::Looks, false),
                native("find_raises", find_raises, "ri", Some(Ty::Int), Effect::Looks, true),
                native("make", make, "i", Some(Ty::Ref), Effect::Reads, false),
                native("write", write, "ri", None, Effect::Writes, true),
                native("write_quietly", write, "ri", None, Effect::Writes, false),
                native("chain", chain, "rr", Some(Ty::Ref), Effect::Writes, false),
                native("anything", anything, "i", Some(Ty::Int), Effect::Any, false),
                native("anything_raises", anything_with, "ri", Some(Ty::Ref), Effect::Any, true),
            ],
            set_stable: call("set_stable", set_stable as *const () as usize, None, Effect::Writes, false),
            n,
            next,
            v,
            k,
            s,
            count,
            hash,
            tag,
            link,
            x,
            r,
        }
    })
}

/// One run's memory and what its calls saw.
pub struct World {
    words: RefCell<Vec<u64>>,
    cursor: Cell<usize>,
    /// Objects that exist from the start.
    pub globals: Vec<u64>,
    /// The frame.
    pub frame: u64,
    /// As many items of the frame are live everywhere.
    pub always_live: u32,
    /// What the calls saw.
    pub log: RefCell<Vec<u64>>,
    /// Stable fields that traces rely on: (object, the trace's flag).
    pub watched: RefCell<Vec<(u64, *const AtomicU32)>>,
}

thread_local! {
    static WORLD: Cell<*const World> = const { Cell::new(std::ptr::null()) };
    static REGION: RefCell<Vec<u64>> = RefCell::new(vec![0; WORDS]);
}

/// The world that the native functions of this thread work on.
fn world<'a>() -> &'a World {
    // SAFETY: the world of the run under way is put there by `World::new` and lives until it is dropped.
    unsafe { &*WORLD.get() }
}

impl World {
    /// The world as it is at the beginning.
    pub fn new(always_live: u32) -> Box<World> {
        let kit = kit();
        let words = REGION.with(|region| std::mem::take(&mut *region.borrow_mut()));
        let mut world = Box::new(World {
            words: RefCell::new(words),
            cursor: Cell::new(1),
            globals: Vec::new(),
            frame: 0,
            always_live,
            log: RefCell::default(),
            watched: RefCell::default(),
        });
        let (cells, arrays, bytes, _) = GLOBALS;
        for index in 0..GLOBAL_COUNT {
            let (ty, items) = match index {
                _ if index < cells => (kit.cell, 0),
                _ if index < cells + arrays => (kit.array, 3),
                _ if index < cells + arrays + bytes => (kit.bytes, 4),
                _ => (kit.text, 3),
            };
            let object = world.allocate(ty, items);
            world.globals.push(object);
        }
        world.frame = world.allocate(kit.frame, FRAME_ITEMS);
        for index in 0..cells as u64 {
            let cell = world.globals[index as usize];
            store_slot(cell, kit.cell, 0, 3 * index);
            store_slot(cell, kit.cell, 1, if index > 1 { world.globals[index as usize - 1] } else { 0 });
            store_slot(cell, kit.cell, 2, if index % 2 == 0 { index << 3 } else { world.globals[0] + 2 });
            store_slot(cell, kit.cell, 3, index % 2);
            store_slot(cell, kit.cell, 4, 5);
        }
        store_slot(world.globals[cells], kit.array, 2, world.globals[1]);
        (0..3).for_each(|slot| store_slot(world.globals[GLOBAL_COUNT - 1], kit.text, slot, slot as u64));
        store_slot(world.frame, kit.frame, 0, world.globals[0]);
        store_slot(world.frame, kit.frame, 2, world.globals[2]);
        WORLD.set(&*world);
        world
    }

    /// A zeroed object.
    pub fn allocate(&self, ty: TypeRef, items: u32) -> u64 {
        let descr = ty.get();
        let item = descr.items.map_or(0, |(kind, _)| kind.size());
        let size = (descr.fixed_size + items * item).div_ceil(8) as usize;
        self.place(descr.id as u64 | (items as u64) << 32, size)
    }

    fn place(&self, header: u64, words: usize) -> u64 {
        let at = self.cursor.get();
        assert!(at + words <= WORDS, "the program makes too many objects");
        self.cursor.set(at + words);
        let mut region = self.words.borrow_mut();
        region[at] = header;
        &raw mut region[at] as u64
    }

    /// Whether the object exists in every run at this address.
    pub fn is_global(&self, object: u64) -> bool {
        self.globals.contains(&object)
    }

    /// A stable field was written.
    pub fn invalidate(&self, object: u64) {
        for (watched, flag) in self.watched.borrow().iter() {
            if *watched == object {
                // SAFETY: the flags of a run outlive it.
                unsafe { (**flag).store(1, Ordering::Relaxed) };
            }
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        WORLD.set(std::ptr::null());
        let mut words = std::mem::take(&mut *self.words.borrow_mut());
        words[..self.cursor.get()].fill(0);
        REGION.with(|region| *region.borrow_mut() = words);
    }
}

/// The allocator of traces.
pub extern "C" fn allocate_for_trace(_heap: *const (), header: u64, size: usize) -> *mut u8 {
    world().place(header, size / 8) as *mut u8
}

/// Reads a place.
pub fn load(object: u64, offset: u32, kind: FieldKind) -> u64 {
    assert!(object != 0, "a read from null");
    // SAFETY: programs check type and length before they read.
    unsafe {
        match kind {
            FieldKind::Byte => (object as *const u8).add(offset as usize).read() as u64,
            _ => (object as *const u64).byte_add(offset as usize).read(),
        }
    }
}

/// Writes a place.
pub fn store(object: u64, offset: u32, kind: FieldKind, word: u64) {
    assert!(object != 0, "a write to null");
    // SAFETY: programs check type and length before they write.
    unsafe {
        match kind {
            FieldKind::Byte => (object as *mut u8).add(offset as usize).write(word as u8),
            _ => (object as *mut u64).byte_add(offset as usize).write(word),
        }
    }
}

pub fn load_slot(object: u64, ty: TypeRef, slot: usize) -> u64 {
    let (offset, kind) = ty.get().slot(slot);
    load(object, offset, kind)
}

pub fn store_slot(object: u64, ty: TypeRef, slot: usize, word: u64) {
    let (offset, kind) = ty.get().slot(slot);
    store(object, offset, kind, word);
}

/// Type number and length in an object's header.
pub fn header(object: u64) -> (u32, u32) {
    let word = load(object, 0, FieldKind::Int);
    (word as u32, (word >> 32) as u32)
}

/// The type of an object.
pub fn type_of(object: u64) -> TypeRef {
    let kit = kit();
    let number = header(object).0;
    let found =
        [kit.cell, kit.array, kit.bytes, kit.text, kit.frame].into_iter().find(|ty| ty.get().id == number);
    found.unwrap_or_else(|| panic!("no object at {object:#x}"))
}

/// Everything reachable from these words, with objects numbered as they are found.
pub fn canon(roots: &[(FieldKind, u64)], frame_items: u32) -> Vec<u64> {
    let mut numbers: HashMap<u64, u64> = HashMap::new();
    let mut queue: Vec<u64> = Vec::new();
    let mut out = Vec::new();
    let mut word = |kind: FieldKind, bits: u64, queue: &mut Vec<u64>, out: &mut Vec<u64>| {
        let (object, tag) = match kind {
            FieldKind::Ref => (bits, 0),
            FieldKind::Value if bits & 7 == 2 => (bits - 2, 1),
            _ => return out.push(bits),
        };
        if object == 0 {
            return out.push(0);
        }
        let count = numbers.len() as u64 + 1;
        let number = *numbers.entry(object).or_insert_with(|| {
            queue.push(object);
            count
        });
        out.push(0x0b1e_c700_0000 | number << 1 | tag);
    };
    for (kind, bits) in roots {
        word(*kind, *bits, &mut queue, &mut out);
    }
    let mut next = 0;
    while next < queue.len() {
        let object = queue[next];
        next += 1;
        let ty = type_of(object);
        let (number, length) = header(object);
        out.extend([number as u64, length as u64]);
        let items = if ty == kit().frame { frame_items } else { length };
        for slot in 0..ty.get().fields.len() + items as usize {
            let kind = ty.get().slot(slot).1;
            word(kind, load_slot(object, ty, slot), &mut queue, &mut out);
        }
    }
    out
}

// ---- native functions ----------------------------------------------------------------------------------

/// What a native function answers.
#[repr(C)]
pub struct Answer {
    pub result: u64,
    pub raised: u64,
}

fn answer(result: u64, raised: bool) -> Answer {
    Answer { result, raised: raised as u64 }
}

fn digest(words: &[u64]) -> u64 {
    words.iter().fold(7, |hash: u64, word| (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23))
}

/// Notes that a function was called and what it could see.
fn note(function: u64, number: u64, objects: &[u64]) -> u64 {
    let world = world();
    let roots: Vec<(FieldKind, u64)> =
        objects.iter().chain(&world.globals).map(|object| (FieldKind::Ref, *object)).collect();
    let seen = digest(&canon(&roots, world.always_live));
    world.log.borrow_mut().extend([function, number, seen]);
    seen
}

fn is_cell(object: u64) -> bool {
    object != 0 && type_of(object) == kit().cell
}

extern "C" fn mix(number: u64, _: u64, _: u64) -> Answer {
    answer(digest(&[number]) & 0xff, false)
}

extern "C" fn mix_raises(number: u64, _: u64, _: u64) -> Answer {
    answer(digest(&[number]) & 0xff, number % 4 == 1)
}

extern "C" fn tag_of(object: u64, _: u64, _: u64) -> Answer {
    let has_one = object != 0 && type_of(object) == kit().bytes;
    answer(if has_one { load_slot(object, kit().bytes, 0) } else { 0 }, false)
}

extern "C" fn find(object: u64, number: u64, _: u64) -> Answer {
    let world = world();
    let roots: Vec<(FieldKind, u64)> =
        world.globals.iter().chain([&object]).map(|object| (FieldKind::Ref, *object)).collect();
    answer(digest(&[number, digest(&canon(&roots, world.always_live))]) & 0xff, false)
}

extern "C" fn find_raises(object: u64, number: u64, _: u64) -> Answer {
    let found = find(object, number, 0).result;
    answer(found, found % 4 == 1)
}

extern "C" fn look(object: u64, number: u64, _: u64) -> Answer {
    answer(note(1, number, &[object]) & 0xff, false)
}

extern "C" fn look_raises(object: u64, number: u64, _: u64) -> Answer {
    note(2, number, &[object]);
    let raises = number % 4 == 1;
    answer(if raises { 0 } else { object }, raises)
}

extern "C" fn make(number: u64, _: u64, _: u64) -> Answer {
    let object = world().allocate(kit().cell, 0);
    store_slot(object, kit().cell, 0, number);
    store_slot(object, kit().cell, 3, 9);
    note(3, number, &[object]);
    answer(object, false)
}

extern "C" fn write(object: u64, number: u64, _: u64) -> Answer {
    note(4, number, &[object]);
    for cell in [object, world().globals[1]].into_iter().filter(|object| is_cell(*object)) {
        store_slot(cell, kit().cell, 0, load_slot(cell, kit().cell, 0).wrapping_add(number));
    }
    answer(0, number % 4 == 1)
}

extern "C" fn chain(object: u64, other: u64, _: u64) -> Answer {
    note(5, 0, &[object, other]);
    if !is_cell(object) {
        return answer(other, false);
    }
    let before = load_slot(object, kit().cell, 1);
    store_slot(object, kit().cell, 1, other);
    answer(before, false)
}

/// Looks at the frame and writes it.
fn at_the_frame(function: u64, number: u64, object: u64) -> u64 {
    let frame = world().frame;
    let seen = note(function, number, &[frame, object]);
    if number.is_multiple_of(3) {
        let x = load_slot(frame, kit().frame, 1);
        store_slot(frame, kit().frame, 1, x.wrapping_mul(3) & 0xff);
    }
    if number % 3 == 1 {
        store_slot(frame, kit().frame, 2, world().globals[3]);
        store_slot(frame, kit().frame, 3, (number & 0xff) << 3);
    }
    seen
}

extern "C" fn anything(number: u64, _: u64, _: u64) -> Answer {
    answer(at_the_frame(6, number, 0) & 0xff, false)
}

extern "C" fn anything_with(object: u64, number: u64, _: u64) -> Answer {
    at_the_frame(7, number, object);
    answer(load_slot(world().frame, kit().frame, 2), number % 4 == 1)
}

extern "C" fn set_stable(object: u64, _field: u64, word: u64) -> Answer {
    write_stable(object, word);
    answer(0, false)
}

/// Writes the stable field; traces that relied on it are told.
pub fn write_stable(object: u64, word: u64) {
    if load_slot(object, kit().cell, 4) != word {
        world().invalidate(object);
    }
    store_slot(object, kit().cell, 4, word);
}
