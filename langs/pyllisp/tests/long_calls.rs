//! Calls of C that take long, beside threads that collect. (Alone, as all tests of a process share a heap.)

mod common;

use std::sync::atomic::{AtomicBool, Ordering};

/// Collections of other threads don't wait for a call that is said to take long.
#[test]
fn others_collect_during_long_calls() {
    let ended = AtomicBool::new(false);
    let sleep = "ffi = (import \"ffi\")\npoll = (ffi.handle (ffi.library null) \"poll\" \
                 (ffi.blocking (ffi.cfunc ffi.int [ffi.voidp ffi.ulong ffi.int])))\n(print (poll null 0 1000))\n";
    let work = "a = []\n(for i (range 300))\n    (a.append [i])\n(print a.length)\n";
    std::thread::scope(|scope| {
        scope.spawn(|| {
            assert_eq!(common::run(sleep, "off").to_string(), "0\n");
            ended.store(true, Ordering::SeqCst);
        });
        let mut during = 0;
        while !ended.load(Ordering::SeqCst) {
            assert_eq!(common::run(work, "off,gc=11").to_string(), "300\n");
            during += 1;
        }
        // One waits for the other's start or end, perhaps.
        println!("{during} programs");
        assert!(during > 4, "{during} programs that collected all the time");
    });
}
