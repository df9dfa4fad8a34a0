//! `try`, `except` and `raise`, in every way.

mod common;

use common::{WAYS, check, check_error};

#[test]
fn errors_are_caught() {
    check(
        "(try)\n    (print 1 / 0)\n(except e)\n    (print e e.message)\n",
        "<error \"division by zero\"> division by zero\n",
    );
    check("x = (try) nothing\n(except)\n    5\n(print x)\n", "5\n");
    check("x = (try)\n    7\n(except e)\n    5\n(print x)\n", "7\n");
    // Of the interpreter's own functions, of calls, of assertions, of attributes and items.
    check(
        "f = (func n)\n    (if n == 0) (return [1][5])\n    (return (f n-1))\n\
         g = (func n)\n    (try)\n        (if n % 4 == 0) (return (f 3))\n        (if n % 4 == 1) (assert n < 0)\n\
         \u{20}       (if n % 4 == 2) (return null.x)\n        (return n)\n    (except e)\n        (return e.message)\n\
         (for i (range 60))\n    r = (g i)\n    (if i > 55) (print r)\n",
        "index out of range\nAssertion error\nx not in null\n59\n",
    );
}

#[test]
fn anything_can_be_raised() {
    check("(try) (raise \"bad\")\n(except e) (print e.message e.stop)\n", "bad false\n");
    check("(try) (raise [1 2])\n(except e) (print e)\n", "[1 2]\n");
    check(
        "bad = (class object code)\n(try) (raise (bad 3))\n(except e) (print e.code (isinstance e bad))\n",
        "3 true\n",
    );
    check("e = (error \"mine\")\n(try) (raise e)\n(except f) (print {e == f} f.message)\n", "true mine\n");
    check_error("(raise \"bad\")", "bad");
    check_error("(raise [1 \"a\"])", "[1 \"a\"]");
    check_error("(try) (raise \"one\")\n(except e) (raise \"two\")", "two");
    check_error("(try)\n    (try) (raise \"one\")\n    (except e) (raise e)\n(except e) (raise e)", "one");
}

#[test]
fn the_innermost_handler_counts() {
    check(
        "f = (func n)\n    (try)\n        (try)\n            (if n % 2 == 0) (raise \"inner\")\n            (raise [n])\n\
         \u{20}       (except e)\n            (if (isinstance e list)) (raise \"outer\")\n            (return e.message)\n\
         \u{20}   (except e)\n        (return e.message)\n\
         s = \"\"\n(for i (range 50)) s = (f i) ++ (str i)\n(print s (f 50))\n",
        "outer49 inner\n",
    );
    // A handler that was left is no handler any more.
    check_error("(try) (raise \"one\")\n(except e) 1\n(raise \"two\")", "two");
    check_error(
        "(while true)\n    (try)\n        (break)\n    (except e)\n        (print 1)\n(raise \"after\")",
        "after",
    );
}

#[test]
fn loops_go_on() {
    check(
        "n = 0\nbad = 0\n(while n < 300)\n    n += 1\n    (try)\n        (if n % 3 == 0) (continue)\n\
         \u{20}       (if n % 7 == 0) (raise n)\n        (if n == 299) (break)\n    (except e)\n        bad += e\n(print n bad)\n",
        "299 4116\n",
    );
    check(
        "total = 0\n(for x [1 \"a\" 2 null 3])\n    (try) total += x\n    (except e) (print e.message)\n(print total)\n",
        "no method for [integer string]\nno method for [integer null]\n6\n",
    );
}

#[test]
fn variables_keep_what_they_had() {
    check(
        "f = (func n)\n    x = 1\n    (try)\n        x = 2\n        y = x + n\n        x = 3\n    (except e)\n\
         \u{20}       (return [x e.message])\n    (return [x y])\n(for i (range 30)) (f i)\n(print (f 5) (f \"a\"))\n",
        "[3 7] [2 \"no method for [integer string]\"]\n",
    );
    check(
        "y = \"outer\"\nf = (func n)\n    (try)\n        (if n > 0) (raise n)\n        y = n\n    (except e)\n        e\n    (return y)\n\
         (print (f 0) (f 1))\n",
        "0 outer\n",
    );
    check(
        "f = (func l)\n    g = (func) (return e)\n    (try) (raise l)\n    (except e) l\n    (return (g))\n(print (f [4]))\n",
        "[4]\n",
    );
}

#[test]
fn generators_and_greenlets_pass_errors_on() {
    check(
        "g = (func)\n    (try)\n        (yield 1)\n        (raise \"inside\")\n    (except e)\n        (yield e.message)\n    (raise \"end\")\n\
         (try)\n    (for x (g)) (print x)\n(except e)\n    (print e.message)\n",
        "1\ninside\nend\n",
    );
    check(
        "it = (iter [1 2])\n(try)\n    (while true) (print (it.next))\n(except e)\n    (print e.stop e.message)\n",
        "1\n2\ntrue stop iteration\n",
    );
    check(
        "main = (getcurrent)\nwork = (func)\n    (main.switch 1)\n    (raise \"in the greenlet\")\n\
         g = (greenlet work)\n(try)\n    (print (g.switch))\n    (g.switch)\n(except e)\n    (print e.message)\n(print {main == (getcurrent)})\n",
        "1\nin the greenlet\ntrue\n",
    );
}

#[test]
fn recursion_that_is_too_deep_is_caught() {
    for way in ["off", "threshold=1"] {
        let source = "f = (func n) (return 1 + (f n+1))\n(try) (f 0)\n(except e) (print e.message)\n";
        assert_eq!(common::run(source, way).to_string(), "maximum recursion depth exceeded\n");
    }
}

#[test]
fn tracebacks_say_where_it_was() {
    check(
        "f = (func)\n    (raise \"x\")\n(try) (f)\n(except e)\n    (print e.trace)\n",
        "    main: 3:6 3:9\n    main: 2:4 2:15\n\n",
    );
    check(
        "f = (func)\n    (raise \"x\")\n(try) (f)\n(except e)\n    (raise e)\n",
        "Traceback:\n    main: 5:4 5:13\n    main: 3:6 3:9\n    main: 2:4 2:15\nError: x\n",
    );
}

#[test]
fn nobody_handles_the_end() {
    for way in WAYS {
        let source = "(try)\n    (print 1)\n    (exit 3)\n(except e)\n    (print 2)\n(print 3)\n";
        assert_eq!(common::run(source, way).to_string(), "1\nexit with status 3\n");
    }
    check_error("(exit 256)", "no exit status: 256");
}
