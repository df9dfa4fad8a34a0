//! Whether promises are checked (`check_hints`), where the program stands, and what happens when one is broken.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many threads check.
static CHECKING_THREADS: AtomicU32 = AtomicU32::new(0);

/// Says where the program stands.
pub(crate) type Describe = dyn Fn() -> String;

thread_local! {
    static CHECKING: Cell<bool> = const { Cell::new(false) };
    pub(crate) static PLACE: Cell<Option<*const Describe>> = const { Cell::new(None) };
}

/// Whether some thread checks what authors promise: one load.
#[inline(always)]
pub fn anyone_checks() -> bool {
    CHECKING_THREADS.load(Ordering::Relaxed) != 0
}

/// Whether what authors promise is checked on this thread.
pub fn checking() -> bool {
    CHECKING.get()
}

/// Begins or ends checking on this thread; what was before.
pub fn set_checking(on: bool) -> bool {
    let before = CHECKING.replace(on);
    match (before, on) {
        (false, true) => CHECKING_THREADS.fetch_add(1, Ordering::Relaxed),
        (true, false) => CHECKING_THREADS.fetch_sub(1, Ordering::Relaxed),
        _ => 0,
    };
    before
}

/// Puts the place back that was known before.
struct Placed(Option<*const Describe>);

impl Drop for Placed {
    fn drop(&mut self) {
        PLACE.set(self.0);
    }
}

/// Runs `run` at the place that `describe` tells.
pub fn at_place<T>(describe: &dyn Fn() -> String, run: impl FnOnce() -> T) -> T {
    let describe: *const (dyn Fn() -> String + '_) = describe;
    // SAFETY: only the lifetime changes; the pointer is taken away again before `describe` ends, however
    // `run` ends.
    let describe =
        unsafe { std::mem::transmute::<*const (dyn Fn() -> String + '_), *const Describe>(describe) };
    let _placed = Placed(PLACE.replace(Some(describe)));
    run()
}

/// Where the program stands, if anyone knows.
pub fn place() -> Option<String> {
    // SAFETY: `at_place` keeps what it points to alive while it is there.
    PLACE.get().map(|describe| unsafe { (*describe)() })
}

/// Reports a broken promise of the language's author, and ends the process: the program's results could not
/// be trusted with traces.
pub fn check_failed(message: &str) -> ! {
    let place = place().map_or(String::new(), |place| format!("\n  at {place}"));
    eprintln!("hotloop: check_hints: {message}{place}");
    std::process::exit(70);
}
