//! Stable fields (RPython's quasi-immutable, `x?`): reads of constant objects fold, and a write invalidates
//! the traces that relied on the old value. Kept per thread, as traces are.

use rustc_hash::FxHashMap as HashMap;
use std::cell::RefCell;
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
}

/// From now on a write to the field sets the flag.
pub fn watch(object: u64, field: FieldId, flag: &Rc<AtomicU32>) {
    WATCHERS.with_borrow_mut(|watchers| watchers.add(object, field, flag));
}

/// A stable field is written with a new value: the traces that relied on it are invalid.
#[cold]
#[inline(never)]
pub fn written(object: u64, field: FieldId) {
    WATCHERS.with_borrow_mut(|watchers| {
        for flag in watchers.fields.remove(&(object, field)).into_iter().flatten() {
            watchers.count -= 1;
            if let Some(flag) = flag.upgrade() {
                flag.store(1, Ordering::Relaxed);
            }
        }
    });
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
    })
}
