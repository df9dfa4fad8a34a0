//! Functions of the program that C calls: greenlets that leave them, and go on in any order.

mod common;

use common::{SORTING as START, check, check_error};

fn check_with(program: &str, expected: &str) {
    check(&format!("{START}{program}"), expected);
}

#[test]
fn out_of_callbacks_and_back() {
    check_with(
        "g = (greenlet asking 2)\n(print (g.switch))\n(print (g.switch))\n(g.switch)\n",
        "[0 1]\n[\"sorted\" 0 1 1]\nTraceback:\n    main: 28:0 28:10\nError: dead greenlet\n",
    );
    // Who calls C in the program's own greenlet leaves it, too; the other has not begun, or waits.
    check_with(
        "given = []\n\
         taker = (func x y)\n    (while true)\n        (given.append [x y])\n        pair = (main.switch)\n\
         \u{20}       x = pair[0]\n        y = pair[1]\n\
         t = (greenlet taker)\n\
         calls = 0\nitems = (sort 4)\n    (func a b)\n        calls += 1\n        (t.switch a.to b.to)\n        (return a.to - b.to)\n\
         (print {given.length == calls} given[0].length items[0] items[1] items[2] items[3])\n",
        "true 2 0 1 2 3\n",
    );
}

/// The last that called C is not the first that goes on.
#[test]
fn in_any_order() {
    check_with(
        "turns = (func count)\n    all = []\n    (for i (range count)) (all.append (greenlet asking 3+i))\n\
         \u{20}   left = count\n    seen = 0\n    i = 0\n    (while left > 0)\n        k = i * 5 % count\n        i += 1\n\
         \u{20}       (if all[k])\n            got = (all[k].switch)\n            (if got.length == 2)\n\
         \u{20}               seen += 1\n            (else)\n                seen += 1000 * got[3]\n\
         \u{20}               left -= 1\n                all[k] = false\n    (return seen)\n\
         total = 0\n(for i (range 15)) total += (turns 6)\n(print total-asked)\n",
        "315000\n",
    );
}

/// A greenlet in a callback in a greenlet in a callback …; they end from the outermost inwards, and from the innermost.
#[test]
fn callbacks_in_callbacks() {
    check_with(
        "nested = (func depth)\n    (if depth == 0) (return 1)\n    sum = 0\n    (sort 2)\n        (func a b)\n\
         \u{20}           g = (greenlet nested depth-1)\n            sum += (g.switch) + 1\n            (return 0)\n\
         \u{20}   (return sum)\n\
         (print (nested 1) (nested 2) (nested 12))\n\
         chain = []\n\
         next = (func depth)\n    (sort 2)\n        (func a b)\n            (if depth < 8)\n                (chain.append (greenlet next depth+1))\n\
         \u{20}               (chain[depth].switch)\n            (else)\n                (main.switch)\n            (return 0)\n\
         \u{20}   (return depth)\n\
         g = (greenlet next 0)\n(g.switch)\n(print chain.length)\n\
         (for c chain) (print (c.switch))\n",
        "2 3 13\n8\n0\n2\n3\n4\n5\n6\n7\n8\n",
    );
}

#[test]
fn errors_and_ends() {
    // An error in a greenlet goes on in the callback that waits for it, and through C.
    check_with(
        "broken = (func x) (return x.nothing)\n\
         (try)\n    (sort 3)\n        (func a b)\n            ((greenlet broken).switch a)\n            (return 0)\n\
         (except e)\n    (print e.message)\n\
         caught = []\n(sort 2)\n    (func a b)\n        (try)\n            ((greenlet broken).switch a)\n        (except e)\n\
         \u{20}           (caught.append e.message)\n        (return a.to - b.to)\n(print caught)\n",
        "nothing not in <memory i32>\n[\"nothing not in <memory i32>\"]\n",
    );
    // An error in a callback leaves C first, then the greenlet.
    check_with(
        "late = (func)\n    (sort 3)\n        (func a b)\n            (main.switch 1)\n            (raise \"late\")\n\
         g = (greenlet late)\n(print (g.switch))\n(try)\n    (g.switch)\n(except e)\n    (print e.message)\n\
         (try)\n    (g.switch)\n(except e)\n    (print e.message)\n",
        "1\nlate\ndead greenlet\n",
    );
    // A greenlet that ends goes on in its parent, which C has called back; so does one whose parent is dead.
    check_with(
        "made = []\n\
         (sort 2)\n    (func a b)\n        last = (func) (return \"grandchild\")\n        inner = (func)\n            (made.append (greenlet last))\n            (return \"child\")\n\
         \u{20}       (print ((greenlet inner).switch))\n        (print (made[0].switch))\n        (return 0)\n\
         (print \"end\")\n",
        "child\ngrandchild\nend\n",
    );
    check_error(
        &format!("{START}(sort 2)\n    (func a b)\n        (main.switch 7)\n        (return \"x\")\n"),
        "result of a callback: expected i32, got \"x\"",
    );
}

/// Greenlets that wait in C when the program ends never go on.
#[test]
fn left_behind() {
    check_with(
        "some = (func)\n    all = []\n    (for i (range 10))\n        g = (greenlet asking 4)\n        (all.append (g.switch))\n\
         \u{20}   (return all.length)\n(print (some))\n",
        "10\n",
    );
}

/// Generators, deep calls and loops beside callbacks that were left.
#[test]
fn programs_go_on_meanwhile() {
    check_with(
        "fib = (func n)\n    (if n < 2) (return n)\n    (return (fib n-1) + (fib n-2))\n\
         lines = (func n)\n    (for i (range n))\n        (yield i + (fib i % 8))\n\
         work = (func count)\n    sum = 0\n    (sort count)\n        (func a b)\n            (for line (lines 6)) sum += line\n\
         \u{20}           sum += (main.switch sum)\n            (for i (range 20)) sum += i * a.to\n            (return a.to - b.to)\n    (return [sum])\n\
         one = (greenlet work 2)\ntwo = (greenlet work 2)\n\
         drain = (func)\n    total = 0\n    live = [one two]\n    (while true)\n        done = 0\n        (for k (range 2))\n            (if live[k])\n\
         \u{20}               got = (live[k].switch (fib 10))\n                (if (interface got) == list)\n                    total += got[0]\n\
         \u{20}                   live[k] = false\n                (else) total += got\n            (else) done += 1\n\
         \u{20}       (if done == 2) (return total)\n\
         (print (drain))\n",
        "218\n",
    );
}

#[test]
fn callbacks_are_freed() {
    let many = "less = (func a b) (return a.to - b.to)\n\
         round = (func n)\n    sum = 0\n    (for i (range n))\n        compare = (func a b) (return i)\n\
         \u{20}       c = (ffi.callback order compare)\n        sum += (c null null)\n        (ffi.free c)\n    (return sum)\n";
    check_with(&format!("{many}(print (round 100) (round 3000))\n"), "4950 4498500\n");
    // The addresses are used again, but not at once.
    for way in ["off", "threshold=50"] {
        let got = common::run(&format!("{START}{many}(print (round 70000))\n"), way).to_string();
        assert_eq!(got, "2449965000\n", "{way}");
    }
    let one = format!("{START}{many}c = (ffi.callback order less)\n");
    check_error(&format!("{one}(ffi.free c)\n(c null null)\n"), "C called a callback that was freed");
    check_error(
        &format!("{one}(ffi.free c)\n(qsort (numbers 3) 3 4 c)\n"),
        "C called a callback that was freed",
    );
    check_error(&format!("{one}(ffi.free c)\n(ffi.free c)\n"), "free: the callback was freed");
    check_error(&format!("{START}(ffi.free qsort)\n"), "free: the function is no callback");
    // One is made again for a function whose callback was freed, and a callback may free itself.
    check_with(
        &format!(
            "{many}c = (ffi.callback order less)\n(ffi.free c)\nd = (ffi.callback order less)\n\
             items = (numbers 4)\n(qsort items 4 4 d)\n(print items[0] items[3])\n\
             unary = (ffi.cfunc ffi.int [ffi.int])\nself = null\nlast = (func n)\n    (ffi.free self)\n    (return n + 1)\n\
             self = (ffi.callback unary last)\n(print (self 5))\n"
        ),
        "0 3\n6\n",
    );
}

/// What C does meanwhile is in the heap's bounds, too: callbacks in calls that others don't wait for.
#[test]
fn blocking_calls_call_back() {
    check_with(
        "slow = (ffi.handle libc \"qsort\" (ffi.blocking (ffi.cfunc null [ffi.voidp ffi.size_t ffi.size_t (ffi.pointer order)])))\n\
         sorted = (func count)\n    items = (numbers count)\n    (slow items count 4)\n        (func a b)\n            x = [a.to b.to]\n\
         \u{20}           (return x[0] - x[1])\n    (return items[count - 1])\n\
         sum = 0\n(for i (range 12)) sum += (sorted 8 + i % 3)\n(print sum)\n\
         (try)\n    (slow (numbers 3) 3 4)\n        (func a b) (return a.nothing)\n(except e)\n    (print e.message)\n\
         leaves = (func)\n    (slow (numbers 2) 2 4)\n        (func a b)\n            (main.switch 1)\n            (return 0)\n    (return 2)\n\
         one = (greenlet leaves)\ntwo = (greenlet leaves)\n(print (one.switch) (two.switch) (one.switch) (two.switch))\n",
        "96\nnothing not in <memory i32>\n1 1 2 2\n",
    );
    check_error("ffi = (import \"ffi\")\n(ffi.blocking ffi.int)", "i32 is no function");
}
