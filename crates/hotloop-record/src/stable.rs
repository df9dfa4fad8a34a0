//! Stable fields (RPython's quasi-immutable, `x?`): reads of constant objects fold, and a write invalidates
//! the traces that relied on the old value. Kept per thread, as traces are.

use rustc_hash::FxHashMap as HashMap;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};

use hotloop_ir::{CallDescr, CallId, Effect, FieldId};

use crate::memory;

type Watchers = HashMap<(u64, FieldId), Vec<Rc<AtomicU32>>>;

thread_local! {
    static WATCHERS: RefCell<Watchers> = RefCell::default();
}

/// From now on a write to the field sets the flag.
pub fn watch(object: u64, field: FieldId, flag: &Rc<AtomicU32>) {
    WATCHERS.with_borrow_mut(|watchers| watchers.entry((object, field)).or_default().push(flag.clone()));
}

/// A stable field is written with a new value: the traces that relied on it are invalid.
#[cold]
#[inline(never)]
pub fn written(object: u64, field: FieldId) {
    WATCHERS.with_borrow_mut(|watchers| {
        for flag in watchers.remove(&(object, field)).into_iter().flatten() {
            flag.store(1, Ordering::Relaxed);
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
