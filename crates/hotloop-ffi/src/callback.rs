//! Functions of a language as addresses that C calls.
//!
//! What C calls is a piece of code made by libffi for one function of one interpreter. It finds the interpreter among
//! those that run on this thread ([`serve`]); if there is none, or on another thread, nothing is called and C gets 0.
//!
//! Errors of the language can't travel through C's frames: the handler remembers them, answers 0, and raises them
//! when the call of C is over.

use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::thread::ThreadId;

use hotloop::foreign::{Foreign, Scalar};
use libffi::low::ffi_cif;
use libffi::middle::Closure;

use crate::call::{Plain, Returned, float_for, interface};
use crate::long_double;
use crate::types::{Function, Kind, TypeError};

/// Whose functions C calls.
pub trait Handler {
    /// A number that no other handler has.
    fn owner(&self) -> u64;
    /// Calls a function by its number; the answer is as the function's type has it (nothing is 0). What arguments
    /// [are at](Plain::At) is C's, for this call. If calls may be [blocking](crate::call::call_in), it uses the heap in
    /// [`Runtime::unblocked`](hotloop::Runtime::unblocked) only.
    fn call(&self, number: usize, args: &[Plain]) -> Returned;
}

thread_local! {
    /// Those that run on this thread, the innermost last. Each is valid until its `serve` ends.
    static RUNNING: RefCell<Vec<*const dyn Handler>> = const { RefCell::new(Vec::new()) };
}

/// While this runs, callbacks of the handler's find it.
pub fn serve<T>(handler: &dyn Handler, run: impl FnOnce() -> T) -> T {
    struct End;
    impl Drop for End {
        fn drop(&mut self) {
            RUNNING.with_borrow_mut(Vec::pop);
        }
    }
    let pointer = std::ptr::from_ref(handler);
    // SAFETY: only the lifetime changes, and `End` takes the pointer away before the reference ends.
    let pointer = unsafe { std::mem::transmute::<*const dyn Handler, *const dyn Handler>(pointer) };
    RUNNING.with_borrow_mut(|running| running.push(pointer));
    let _end = End;
    run()
}

/// What a callback's code knows.
struct Shared {
    owner: u64,
    number: usize,
    thread: ThreadId,
    function: &'static Function,
}

/// A function that C can call. It stays when this is dropped: nobody knows for how long C keeps it.
pub struct Callback {
    closure: ManuallyDrop<Closure<'static>>,
    /// What the closure refers to.
    shared: *mut Shared,
}

impl Callback {
    /// Where C finds it.
    pub fn address(&self) -> usize {
        (*self.closure.code_ptr() as *const ()).expose_provenance()
    }

    /// Frees its code: C has forgotten the address, vouches who has the permission.
    pub fn free(self, _allowed: Foreign) {
        drop(ManuallyDrop::into_inner(self.closure));
        // SAFETY: `make` made it, and only the closure referred to it.
        drop(unsafe { Box::from_raw(self.shared) });
    }
}

/// Makes a function that C can call, of a type and with a number that the handler knows.
///
/// # Errors
/// Functions of that type can't be made.
pub fn make(
    _allowed: Foreign,
    owner: u64,
    number: usize,
    function: &'static Function,
) -> Result<Callback, TypeError> {
    if function.variadic {
        return Err(TypeError("any number of arguments can't be handed to a callback".into()));
    }
    let interface = interface(function)?;
    let shared =
        Box::into_raw(Box::new(Shared { owner, number, thread: std::thread::current().id(), function }));
    // SAFETY: it was just made, and goes after the closure.
    let known = unsafe { &*shared };
    type Entry = unsafe extern "C" fn(&ffi_cif, &mut u64, *const *const libc::c_void, &Shared);
    // SAFETY: the result is handed over as an address either way; it is that of room for any result.
    let entry = unsafe { std::mem::transmute::<RawEntry, Entry>(entry) };
    let closure = Closure::try_new(interface, entry, known)
        .map_err(|_| TypeError("libffi can't make a callback".into()))?;
    Ok(Callback { closure: ManuallyDrop::new(closure), shared })
}

type RawEntry = unsafe extern "C" fn(&ffi_cif, *mut u8, *const *const libc::c_void, &Shared);

/// What libffi calls. A panic can't unwind through C: it ends the process here.
unsafe extern "C" fn entry(
    _interface: &ffi_cif,
    result: *mut u8,
    args: *const *const libc::c_void,
    shared: &Shared,
) {
    let ty = shared.function.result;
    let size = if matches!(ty.kind, Kind::Void) { 0 } else { ty.size().unwrap_or(0) as usize };
    // libffi wants small integers widened.
    let room = if ty.scalar().is_some() { 8 } else { size };
    // SAFETY: there is room for the result, and for a word.
    unsafe { result.write_bytes(0, room) };
    if std::thread::current().id() != shared.thread {
        return;
    }
    let plain: Vec<Plain> = shared
        .function
        .args
        .iter()
        .enumerate()
        .map(|(index, ty)| {
            // SAFETY: libffi hands over one pointer for each argument of the interface.
            let place = unsafe { *args.add(index) };
            match (ty.scalar(), &ty.kind) {
                (Some(scalar), _) => {
                    // SAFETY: there is a number of this type.
                    let word = unsafe { read(place, scalar) };
                    if scalar.is_float() { Plain::Float(f64::from_bits(word)) } else { Plain::Word(word) }
                }
                (None, Kind::LongDouble) => {
                    let mut bytes = [0; 16];
                    // SAFETY: there is one, of which ten bytes count.
                    unsafe { std::ptr::copy_nonoverlapping(place.cast::<u8>(), bytes.as_mut_ptr(), 10) };
                    Plain::Float(long_double::to_float(u128::from_ne_bytes(bytes)))
                }
                (None, _) => Plain::At(place.expose_provenance()),
            }
        })
        .collect();
    let handlers = RUNNING.with_borrow(Clone::clone);
    // SAFETY: a handler that is in the list is valid: `serve` has not ended.
    let mut handlers = handlers.iter().rev().map(|handler| unsafe { &**handler });
    let Some(handler) = handlers.find(|handler| handler.owner() == shared.owner) else { return };
    let bytes = match handler.call(shared.number, &plain) {
        Returned::Float(float) => float_for(Some(ty), float).to_ne_bytes().to_vec(),
        Returned::Word(word) => {
            let word = ty.scalar().map_or(0, |scalar| scalar.extend(word));
            u128::from(word).to_ne_bytes().to_vec()
        }
        Returned::Bytes(bytes) => bytes,
        Returned::Nothing => Vec::new(),
    };
    // SAFETY: as above; not more than there is room for.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), result, bytes.len().min(room)) };
}

/// # Safety
/// There is such a number at the address.
unsafe fn read(place: *const libc::c_void, scalar: Scalar) -> u64 {
    // SAFETY: the caller's promise.
    unsafe {
        match scalar {
            Scalar::F32 => f64::from(place.cast::<f32>().read()).to_bits(),
            _ => {
                let mut bytes = [0u8; 8];
                let size = scalar.size() as usize;
                std::ptr::copy_nonoverlapping(place.cast::<u8>(), bytes.as_mut_ptr(), size);
                scalar.extend(u64::from_ne_bytes(bytes))
            }
        }
    }
}
