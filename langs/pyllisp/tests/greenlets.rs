//! Chains of frames that take turns.

mod common;

use common::{check, check_error};

#[test]
fn values_go_to_and_fro() {
    check(
        "main = (getcurrent)\n\
         f = (func a b)\n    c = (main.switch [a b])\n    d = (main.switch c)\n    (main.switch d)\n    (return \"end\")\n\
         g = (greenlet f 1)\n\
         (print (g.switch 2) (g.switch 3 4 5) (g.switch) (g.switch 6) (interface g) g.parent {g.parent == main})",
        "[1 2] [3 4 5] null end greenlet <greenlet> true\n",
    );
    check(
        "f = (func) 1\n(print ((getcurrent).switch 5) ((greenlet min 4).switch 3) ((greenlet f).switch 7))",
        "5 3 null\n",
    );
}

#[test]
fn loops_in_several_chains() {
    check(
        "main = (getcurrent)\n\
         count = (func n)\n    i = 0\n    (while i < n)\n        i += (main.switch i)\n    (return -1)\n\
         f = (func n)\n    g = (greenlet count)\n    s = (g.switch n)\n    x = 0\n    (while x >= 0)\n        x = (g.switch 1)\n\
         \u{20}       s += x\n    (return s)\n(print (f 10) (f 300))",
        "44 44849\n",
    );
    // Three that pass a token round.
    check(
        "main = (getcurrent)\nring = []\nturns = [0 0 0]\n\
         run = (func me)\n    (while true)\n        turns[me] += 1\n        (if turns[me] == 50 and me == 2) (main.switch 0)\n\
         \u{20}       (ring[{me + 1} % 3].switch me)\n\
         (for i (range 3)) (ring.append (greenlet run i))\n(ring[0].switch)\n(print turns)",
        "[50 50 50]\n",
    );
}

#[test]
fn calls_and_recursion_in_chains() {
    // A tree that is walked by a function which is deep in calls whenever it gives a value.
    check(
        "build = (func n)\n    (if n == 0) (return null)\n    (return [(build n-1) n (build n-1)])\n\
         each = (func node back)\n    (if node == null) (return null)\n    (each node[0] back)\n    (back.switch node[1])\n    (each node[2] back)\n\
         sum = (func n)\n    g = (greenlet each (build n) (getcurrent))\n    s = 0\n    x = (g.switch)\n\
         \u{20}   (while x != null)\n        s += x\n        x = (g.switch)\n    (return s)\n(print (sum 3) (sum 7))",
        "11 247\n",
    );
    check(
        "fib = (func n)\n    (if n < 2) (return n)\n    (return (fib n-1) + (fib n-2))\n\
         s = 0\n(for i (range 14)) s += ((greenlet fib).switch i)\n(print s)",
        "609\n",
    );
    // A recursion of greenlets in greenlets.
    check(
        "f = (func n)\n    (if n == 0) (return 0)\n    (return 1 + ((greenlet f).switch n-1))\n(print (f 5) (f 300))",
        "5 300\n",
    );
}

#[test]
fn generators_in_chains() {
    check(
        "main = (getcurrent)\n\
         gen = (func n)\n    (for i (range n))\n        (main.switch i)\n        (yield i * 10)\n\
         f = (func) (return (list (gen 3)))\ng = (greenlet f)\n\
         (print (g.switch) (g.switch) (g.switch) (g.switch))",
        "0 1 2 [0 10 20]\n",
    );
    check_error(
        "main = (getcurrent)\ngen = (func)\n    (main.switch 1)\n    (yield 2)\nx = (gen)\ng = (greenlet x.next)\n(g.switch)\n(x.next)",
        "generator is running already",
    );
}

#[test]
fn errors_go_on_in_the_parent() {
    check(
        "f = (func x)\n    (return 1 / x)\ng = (greenlet f)\nh = (func)\n    (return (g.switch 0))\n(h)",
        "Traceback:\n    main: 6:0 6:3\n    main: 5:12 5:24\n    main: 2:12 2:17\nError: division by zero\n",
    );
    // The one that gets the value of an end is the nearest parent that lives.
    check(
        "main = (getcurrent)\nkept = []\n\
         outer = (func)\n    (kept.append (greenlet inner))\n    (return \"outer\")\n\
         inner = (func) (return \"inner\")\n\
         (print ((greenlet outer).switch) (kept[0].switch) {kept[0].parent == main})",
        "outer inner false\n",
    );
    check_error("f = (func) 1\ng = (greenlet f)\n(g.switch)\n(g.switch)", "dead greenlet");
    check_error("f = (func) (g.nothing)\ng = (greenlet f)\n(g.switch)", "nothing not in <greenlet>");
    check_error("g = (greenlet 5)\n(g.switch)", "cannot call 5");
    check_error("(greenlet)", "expected 1 arguments");
    check_error("s = (greenlet min).switch\n(s)", "expected at least 2 arguments, got 0");
    // (This takes too long with many collections.)
    for way in ["off", "threshold=1,function_threshold=1"] {
        let got = common::run("f = (func) ((greenlet f).switch)\n(f)", way).to_string();
        assert_eq!(got.lines().last(), Some("Error: maximum recursion depth exceeded"));
    }
}

#[test]
fn what_waits_is_kept_alive() {
    check(
        "main = (getcurrent)\n\
         f = (func n)\n    l = [n [n]]\n    (while true)\n        l = [n l[1]]\n        (main.switch l[1][0])\n\
         all = []\n(for i (range 40))\n    g = (greenlet f i)\n    (g.switch)\n    (all.append g)\n\
         s = 0\n(for k (range 5))\n    (for g all) s += (g.switch)\n(print s)",
        "3900\n",
    );
}
