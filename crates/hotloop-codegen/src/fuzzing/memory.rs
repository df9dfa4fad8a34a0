//! The memory that random traces work on: always at the same addresses, so that two runs can be compared
//! word by word.
//!
//! Every few native calls and slow allocations all objects become old, as by a collection. Which objects were
//! remembered between two of these places is kept: the tested target must remember all that the reference
//! does (and may remember more, as the reference looks at the words that are stored).

use std::cell::RefCell;
use std::sync::OnceLock;

use hotloop_ir::{
    CallDescr, CallId, Effect, FieldDescr, FieldId, FieldKind, Mutability, Scalar, Signature, Ty, TypeDescr,
    TypeRef,
};

use crate::context::{FLAGS, OLD};
use crate::{Bump, Context};

/// The last two have references as items.
const OBJECTS: usize = NUMBERS + 2;
const NUMBERS: usize = 6;
const ITEMS: usize = 8;
const FIELDS: usize = 5;
const OBJECT_WORDS: usize = 1 + FIELDS + ITEMS;
const REGION: usize = 4096;
/// Where words are that are no objects, and how many.
const RAW_AT: usize = OBJECTS * OBJECT_WORDS + 2 * REGION;
const RAW: usize = 17;

/// The flag in a header's word.
const OLD_HEADER: u64 = (OLD as u64) << (8 * FLAGS);

/// Objects, and room for new ones.
pub struct Arena {
    words: Vec<u64>,
    bump: Box<Bump>,
    /// What the slow path of the allocator has given out so far.
    slow: usize,
}

/// The types, fields and functions that random traces use.
pub struct Kit {
    pub object: TypeRef,
    pub small: TypeRef,
    /// Its items are references.
    pub refs: TypeRef,
    pub fields: Vec<FieldId>,
    /// By number of arguments.
    pub calls: Vec<CallId>,
    pub float_call: CallId,
    /// Functions of C, with their addresses.
    pub foreign: Vec<(CallId, u64)>,
    pub write_call: CallId,
}

/// The kit, made once.
pub fn kit() -> &'static Kit {
    static KIT: OnceLock<Kit> = OnceLock::new();
    KIT.get_or_init(|| {
        let kinds = [FieldKind::Int, FieldKind::Float, FieldKind::Ref, FieldKind::Byte, FieldKind::Value];
        let fields: Vec<FieldId> = kinds
            .into_iter()
            .enumerate()
            .map(|(index, kind)| {
                FieldId::intern(FieldDescr {
                    owner: "fuzz".into(),
                    name: format!("{kind:?}").to_lowercase(),
                    offset: 8 + 8 * index as u32,
                    kind,
                    mutability: Mutability::Mutable,
                })
            })
            .collect();
        let ty = |name: &str, id, items| {
            TypeRef::intern(TypeDescr {
                name: name.into(),
                id,
                fixed_size: 8 + 8 * FIELDS as u32,
                fields: fields.clone(),
                items,
                virtualizable: false,
            })
        };
        let call = |name: &str, address: usize, result, raises| {
            let name = name.to_string();
            CallId::intern(CallDescr {
                name,
                address,
                result: Some(result),
                effect: Effect::Any,
                raises,
                foreign: None,
            })
        };
        let addresses = mixers();
        Kit {
            object: ty("fuzz", 77, Some((FieldKind::Int, Mutability::Mutable))),
            small: ty("fuzz_small", 78, None),
            refs: ty("fuzz_refs", 79, Some((FieldKind::Ref, Mutability::Mutable))),
            calls: addresses
                .iter()
                .enumerate()
                .map(|(count, address)| call(&format!("fuzz_mix{count}"), *address, Ty::Int, true))
                .collect(),
            float_call: call("fuzz_float", float_native as *const () as usize, Ty::Float, false),
            write_call: call("fuzz_write", write_native as *const () as usize, Ty::Int, true),
            foreign: foreign(),
            fields,
        }
    })
}

/// Functions whose results have bits above those of their types, which whoever calls must not see.
fn foreign() -> Vec<(CallId, u64)> {
    use Scalar::*;
    let call = |address: usize, effect, args: &[Scalar], result: Option<Scalar>| {
        let signature = Signature::new(args.to_vec(), result);
        let name = format!("fuzz_c{address:x}");
        let result = result.map(Scalar::ty);
        let descr = CallDescr { name, address: 0, result, effect, raises: false, foreign: signature };
        (CallId::intern(descr), address as u64)
    };
    let words = foreign_words as *const () as usize;
    let small = |result| call(words, Effect::Any, &[I32, U8, I64], Some(result));
    let mut all: Vec<_> = [I8, U8, I16, U16, I32, U32, I64, U64].into_iter().map(small).collect();
    all.push(call(foreign_double as *const () as usize, Effect::Outside, &[F64, F32, I64], Some(F64)));
    all.push(call(foreign_single as *const () as usize, Effect::Any, &[F32], Some(F32)));
    all.push(call(foreign_void as *const () as usize, Effect::Outside, &[], None));
    let many = [F64, U64, F32, U64, F64, U64, F32, U64, F64, U64, F64, U64, F64, F64];
    all.push(call(foreign_many as *const () as usize, Effect::Any, &many, Some(F64)));
    all
}

extern "C" fn foreign_words(a: u64, b: u64, c: u64) -> u64 {
    safepoint();
    (a ^ b.rotate_left(13) ^ c.rotate_left(31)).wrapping_mul(0xff51_afd7_ed55_8ccd)
}

extern "C" fn foreign_double(a: f64, b: f32, c: u64) -> f64 {
    clobber();
    known(a * 0.25 + f64::from(b) - (c >> 40) as f64)
}

extern "C" fn foreign_single(a: f32) -> f32 {
    safepoint();
    known((a * 3.0).into()) as f32
}

extern "C" fn foreign_void() {
    clobber();
}

#[allow(clippy::too_many_arguments)]
extern "C" fn foreign_many(
    a: f64,
    b: u64,
    c: f32,
    d: u64,
    e: f64,
    f: u64,
    g: f32,
    h: u64,
    i: f64,
    j: u64,
    k: f64,
    l: u64,
    m: f64,
    n: f64,
) -> f64 {
    safepoint();
    let words = [b, d, f, h, j, l].into_iter().fold(0u64, |sum, word| sum.rotate_left(9) ^ word);
    let floats = [a, c.into(), e, g.into(), i, k, m, n].into_iter().fold(0.5, |sum, float| sum * 0.5 + float);
    known(floats + (words >> 44) as f64)
}

/// Which of its many words a float that is no number has, nobody says.
fn known(float: f64) -> f64 {
    if float.is_nan() { 1.5 } else { float }
}

#[repr(C)]
struct Answer {
    result: u64,
    raised: u64,
}

macro_rules! mixer {
    ($name:ident $($arg:ident)*) => {
        extern "C" fn $name($($arg: u64),*) -> Answer {
            let hash = 0x9e37_79b9_7f4a_7c15u64;
            $(let hash = (hash ^ $arg).wrapping_mul(0xff51_afd7_ed55_8ccd).rotate_left(29);)*
            safepoint();
            Answer { result: hash >> (hash & 31), raised: (hash >> 60 == 0) as u64 }
        }
    };
}

mixer!(mix0);
mixer!(mix1 a);
mixer!(mix2 a b);
mixer!(mix3 a b c);
mixer!(mix4 a b c d);
mixer!(mix5 a b c d e);
mixer!(mix6 a b c d e f);
mixer!(mix7 a b c d e f g);
mixer!(mix8 a b c d e f g h);
mixer!(mix9 a b c d e f g h i);

fn mixers() -> [usize; 10] {
    [
        mix0 as *const (),
        mix1 as _,
        mix2 as _,
        mix3 as _,
        mix4 as _,
        mix5 as _,
        mix6 as _,
        mix7 as _,
        mix8 as _,
        mix9 as _,
    ]
    .map(|function| function as usize)
}

extern "C" fn float_native(a: u64, b: u64) -> Answer {
    safepoint();
    let sum = f64::from_bits(a) * 0.5 + f64::from_bits(b);
    Answer { result: if sum.is_nan() { 1.5 } else { sum }.to_bits(), raised: 0 }
}

extern "C" fn write_native(object: *mut u64, word: u64) -> Answer {
    // SAFETY: random traces only hand over objects of the arena.
    unsafe { object.add(1).write(word ^ 0x55) };
    safepoint();
    Answer { result: word.rotate_left(7), raised: (word % 16 == 3) as u64 }
}

/// What a collector would be told.
struct Journal {
    arena: *mut Arena,
    /// The objects that were remembered, in pieces between two safepoints.
    remembered: Vec<Vec<u64>>,
    /// So many safepoints make one at which objects become old.
    every: usize,
}

thread_local! {
    static JOURNAL: RefCell<Journal> =
        const { RefCell::new(Journal { arena: std::ptr::null_mut(), remembered: Vec::new(), every: 1 }) };
}

/// What was remembered since the last [`context_for`]: a list for each piece between two safepoints.
pub fn remembered() -> Vec<Vec<u64>> {
    JOURNAL.with_borrow_mut(|journal| std::mem::take(&mut journal.remembered))
}

/// Here a collection may happen.
fn safepoint() {
    clobber();
    JOURNAL.with_borrow_mut(|journal| {
        journal.remembered.push(Vec::new());
        if journal.remembered.len().is_multiple_of(journal.every) {
            // SAFETY: the arena that the running trace works on.
            unsafe { (*journal.arena).make_all_old() };
        }
    });
}

extern "C" fn remember(object: *mut u8) {
    clobber();
    // SAFETY: random traces only hand over objects of the arena, which have flags.
    let flags = unsafe { &mut *object.add(FLAGS as usize) };
    // One that is new is noted in a way that the reference never does.
    let noted = if *flags & OLD != 0 { object as u64 } else { 0 };
    *flags &= !OLD;
    JOURNAL.with_borrow_mut(|journal| journal.remembered.last_mut().map(|piece| piece.push(noted)));
}

/// Overwrites all registers that a called function need not keep.
fn clobber() {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: everything that is changed is declared.
    unsafe {
        std::arch::asm!(
            "mov rax, -1",
            "mov rcx, rax",
            "mov rdx, rax",
            "mov rsi, rax",
            "mov rdi, rax",
            "mov r8, rax",
            "mov r9, rax",
            "mov r10, rax",
            "mov r11, rax",
            "movq xmm0, rax",
            "movq xmm1, rax",
            "movq xmm2, rax",
            "movq xmm3, rax",
            "movq xmm4, rax",
            "movq xmm5, rax",
            "movq xmm6, rax",
            "movq xmm7, rax",
            "movq xmm8, rax",
            "movq xmm9, rax",
            "movq xmm10, rax",
            "movq xmm11, rax",
            "movq xmm12, rax",
            "movq xmm13, rax",
            "movq xmm14, rax",
            "movq xmm15, rax",
            clobber_abi("C")
        );
    }
}

impl Default for Arena {
    fn default() -> Arena {
        Arena::new()
    }
}

impl Arena {
    /// How many objects it has before traces make some, and how many of them have numbers as items.
    pub const OBJECTS: usize = OBJECTS;
    /// Where memory begins that is no object, seen from the first one, in bytes.
    pub const RAW_OFFSET: u64 = 8 * RAW_AT as u64;
    /// A mask for places in it.
    pub const RAW_MASK: u64 = 127;
    /// See [`Arena::OBJECTS`].
    pub const NUMBERS: usize = NUMBERS;

    /// Some memory.
    pub fn new() -> Arena {
        let words = vec![0; RAW_AT + RAW];
        Arena { words, bump: Box::new(Bump { cursor: 0, limit: 0 }), slow: 0 }
    }

    /// The address of an object.
    pub fn object(&self, index: usize) -> u64 {
        (self.words.as_ptr() as usize + (index % OBJECTS) * OBJECT_WORDS * 8) as u64
    }

    /// A copy of everything in it: the objects and the new ones.
    pub fn words(&self) -> Vec<u64> {
        let mut words = self.words.clone();
        // The flags differ: see above.
        self.headers().for_each(|at| words[at] &= !OLD_HEADER);
        words
    }

    /// Where the headers are.
    fn headers(&self) -> impl Iterator<Item = usize> {
        let words = &self.words;
        let run = move |from: usize, to: usize| {
            std::iter::successors(Some(from), move |at| {
                let items = if words[*at] & 0xffff == 78 { 0 } else { words[*at] >> 32 };
                Some(at + 1 + FIELDS + items as usize)
            })
            .take_while(move |at| *at < to)
        };
        let first = OBJECTS * OBJECT_WORDS;
        let cursor = (self.bump.cursor - words.as_ptr() as usize) / 8;
        run(0, first).chain(run(first, cursor)).chain(run(first + REGION, first + REGION + self.slow / 8))
    }

    fn make_all_old(&mut self) {
        let headers: Vec<usize> = self.headers().collect();
        headers.into_iter().for_each(|at| self.words[at] |= OLD_HEADER);
    }

    /// The state in which every run begins.
    pub fn reset(&mut self, seed: u64) {
        self.words.fill(0);
        self.slow = 0;
        for index in 0..OBJECTS {
            let next = self.object(index + 1 + seed as usize % 3);
            let object = &mut self.words[index * OBJECT_WORDS..][..OBJECT_WORDS];
            object[0] = if index < NUMBERS { 77 } else { 79 } | (ITEMS as u64) << 32 | OLD_HEADER;
            object[1] = index as u64 * 1000 + seed % 7;
            object[2] = (index as f64 * 1.25).to_bits();
            object[3] = next;
            object[4] = 200 + index as u64;
            object[5] = (index as u64) << 3;
            for (item, word) in object[1 + FIELDS..].iter_mut().enumerate() {
                *word = if index < NUMBERS { seed.wrapping_mul(item as u64 + 3) >> 20 } else { next };
            }
        }
        for (index, word) in self.words[RAW_AT..].iter_mut().enumerate() {
            *word = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(7 * index as u32);
        }
        let start = self.words.as_ptr() as usize + OBJECTS * OBJECT_WORDS * 8;
        // A short region in some sessions, so that it runs out.
        let size = if seed.is_multiple_of(3) { 512 } else { REGION * 8 };
        *self.bump = Bump { cursor: start, limit: start + size };
    }
}

/// A context over the arena. Some seeds give one without inline allocation.
pub fn context_for(arena: &mut Arena, seed: u64) -> Context {
    let mut context = Context::new(std::ptr::from_mut(arena).cast_const().cast(), slow_alloc);
    if !seed.is_multiple_of(5) {
        context.bump = &mut *arena.bump;
    }
    context.remember = remember;
    if !seed.is_multiple_of(7) {
        context.poll.set_stack_limit(0);
    }
    JOURNAL.set(Journal { arena, remembered: vec![Vec::new()], every: 1 + seed as usize % 3 });
    context
}

extern "C" fn slow_alloc(heap: *const (), header: u64, size: usize) -> *mut u8 {
    safepoint();
    // SAFETY: the context's heap is an arena, which nobody else uses while a trace runs.
    let arena = unsafe { &mut *heap.cast_mut().cast::<Arena>() };
    let start = OBJECTS * OBJECT_WORDS + REGION + arena.slow / 8;
    arena.slow += size;
    if arena.slow > REGION * 8 {
        // Enough: start again, as the contents matter less than that both runs do the same.
        arena.slow = 0;
    }
    let start = if start + size / 8 > arena.words.len() { OBJECTS * OBJECT_WORDS + REGION } else { start };
    let object = &mut arena.words[start..start + size / 8];
    object.fill(0);
    object[0] = header;
    object.as_mut_ptr().cast()
}
