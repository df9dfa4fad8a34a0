//! Stable fields (RPython's quasi-immutable, `x?`): reads of constant objects fold, and a write invalidates
//! the traces that relied on the old value. Kept per thread, as traces are. A field that is written again
//! and again is not stable, whatever its author says: traces stop relying on it.

use rustc_hash::FxHashMap as HashMap;
use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::sync::atomic::{AtomicU32, Ordering};

use hotloop_ir::{CallDescr, CallId, Effect, FieldId};

use crate::memory;

/// The flags of a field; those of traces that were freed are dead.
#[derive(Default)]
struct Watchers {
    fields: HashMap<(u64, FieldId), Vec<Weak<AtomicU32>>>,
    /// How many flags there are, and at how many the dead ones are looked for.
    count: usize,
    most: usize,
}

impl Watchers {
    fn add(&mut self, object: u64, field: FieldId, flag: &Rc<AtomicU32>) {
        let flags = self.fields.entry((object, field)).or_default();
        let flag = Rc::downgrade(flag);
        if flags.iter().any(|known| known.ptr_eq(&flag)) {
            return;
        }
        flags.push(flag);
        self.count += 1;
        if self.count > self.most.max(64) {
            self.fields.retain(|_, flags| {
                flags.retain(|flag| flag.strong_count() > 0);
                !flags.is_empty()
            });
            self.count = self.fields.values().map(Vec::len).sum();
            self.most = self.count * 2;
        }
    }
}

thread_local! {
    static WATCHERS: RefCell<Watchers> = RefCell::default();
    /// How often a write to the field made something invalid.
    static WRITES: RefCell<HashMap<(u64, FieldId), u32>> = RefCell::default();
    static INVALIDATIONS: Cell<u64> = const { Cell::new(0) };
}

/// A field that made traces invalid so often is no longer taken for granted.
const MOST_WRITES: u32 = 4;

/// How many traces, and recordings at work, were made invalid on this thread so far.
pub fn invalidations() -> u64 {
    INVALIDATIONS.get()
}

/// Whether the field turned out to be written often: it is read like any other.
pub(crate) fn is_restless(object: u64, field: FieldId) -> bool {
    WRITES.with_borrow(|writes| writes.get(&(object, field)).is_some_and(|count| *count >= MOST_WRITES))
}

/// From now on a write to the field sets the flag.
pub fn watch(object: u64, field: FieldId, flag: &Rc<AtomicU32>) {
    WATCHERS.with_borrow_mut(|watchers| watchers.add(object, field, flag));
}

/// A stable field is written with a new value: the traces that relied on it are invalid.
#[cold]
#[inline(never)]
pub fn written(object: u64, field: FieldId) {
    let flags = WATCHERS.with_borrow_mut(|watchers| {
        let flags = watchers.fields.remove(&(object, field)).unwrap_or_default();
        watchers.count -= flags.len();
        flags
    });
    let living = flags.iter().filter_map(|flag| flag.upgrade());
    let valid = living.filter(|flag| flag.swap(1, Ordering::Relaxed) == 0).count();
    INVALIDATIONS.set(INVALIDATIONS.get() + valid as u64);
    if valid > 0 {
        WRITES.with_borrow_mut(|writes| *writes.entry((object, field)).or_default() += 1);
    }
}

/// The second word of what native functions answer traces with.
#[repr(C)]
struct Outcome {
    value: u64,
    raised: u64,
}

/// A stable field's setter, for traces.
extern "C" fn set_stable(object: u64, field: u64, value: u64) -> Outcome {
    let id = FieldId(field as u32);
    let descr = id.get();
    if memory::load(object, descr.offset as u64, descr.kind) != value {
        written(object, id);
    }
    memory::store(object, descr.offset as u64, descr.kind, value);
    Outcome { value: 0, raised: 0 }
}

/// The call that a trace makes to write a stable field: (object, field, value).
pub(crate) fn setter() -> CallId {
    CallId::intern(CallDescr {
        name: "set_stable".to_string(),
        address: set_stable as *const () as usize,
        result: None,
        effect: Effect::Writes,
        raises: false,
        foreign: None,
    })
}
