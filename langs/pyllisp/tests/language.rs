//! What programs print, and how they fail.
//!
//! Each program is run without the JIT, with it from the first iteration on, with guards that fail for no
//! reason, and with many collections.

mod common;

use common::{check, check_error};

/// Deep recursion takes too long with many collections.
const DEEP_WAYS: [&str; 2] = ["off", "threshold=1"];

#[test]
fn integers_grow() {
    check(
        "(print 1152921504606846975 + 1 -1152921504606846976 - 1)",
        "1152921504606846976 -1152921504606846977\n",
    );
    check("(print 4611686018427387904 * 4)", "18446744073709551616\n");
    check(
        "x = 1 << 100\n(print x x >> 98 x / 3 -x / 3 -x % 1000 {x - x})",
        "1267650600228229401496703205376 4 422550200076076467165567735125 -422550200076076467165567735126 624 0\n",
    );
    check(
        "(print 99999999999999999999 == 99999999999999999999 0xffffffffffffffffffff)",
        "true 1208925819614629174706175\n",
    );
    check(
        "(print {1 << 70} > 5 5 > {1 << 70} {{1 << 70} & {1 << 70} - 1} {~{1 << 61}})",
        "true false 0 -2305843009213693953\n",
    );
    check(
        "f = (func n)\n    r = 1\n    (while n > 0)\n        r *= n\n        n -= 1\n    (return r)\n(print (f 25))",
        "15511210043330985984000000\n",
    );
    check(
        "(print -9223372036854775808 / -1 1152921504606846976 * 0 -1152921504606846976 * -1)",
        "9223372036854775808 0 1152921504606846976\n",
    );
    check_error("(print 1 / 0)", "division by zero");
    check_error("(print 1 % 0)", "division by zero");
    check_error("(print {1 << 70} / 0)", "division by zero");
    check_error("(print 1 << -1)", "negative shift count");
    check_error("(print 1 << 99999999999)", "shift count too large");
}

/// A list that is written down has up to eight elements in line, one that has grown elsewhere.
#[test]
fn lists_in_line_do_what_others_do() {
    let source = "\
change = (func l which)
    (if which == 0) (l.insert 0 7)
    (elif which == 1) (l.extend l)
    (elif which == 2) (l.reverse)
    (elif which == 3) (l.sort)
    (elif which == 4) (l.clear)
    (elif which == 5) (l.remove l[0])
    (elif which == 6) (l.pop)
    (elif which == 7) (l.pop 0)
    (elif which == 8) l[0] = [8]
    before = (l.copy)
    (l.append 7)
    sum = 0
    (for x before) (if x != [8]) sum += x
    (return [before l (l.slice 0 2) l ++ l (l.repeat 2) l.length (l.contains 7) sum l[l.length - 1]])
written = (func n)
    (if n == 1) (return [3])
    (elif n == 2) (return [3 1])
    (elif n == 8) (return [3 1 2 5 4 6 8 7])
    (return [3 1 2 5 4 6 8 7 9])
grown = (func n)
    l = []
    (for x (written n)) (l.append x)
    (return l)
(for n [1 2 8 9])
    (for which (range 10))
        (assert (change (written n) which) == (change (grown n) which))
(print (change [3 1 2] 3))
";
    check(source, "[[1 2 3] [1 2 3 7] [1 2] [1 2 3 7 1 2 3 7] [1 2 3 7 1 2 3 7] 4 true 6 7]\n");
}

#[test]
fn floats() {
    check(
        "(print 1.5 2. 1e16 1e-7 0.1 + 0.2 1.0 / 3.0)",
        "1.5 2.0 1e16 1e-7 0.30000000000000004 0.3333333333333333\n",
    );
    check("(print 1 + 0.5 0.5 * 2 7.5 % 2 -7.5 % 2 7 / 2.0)", "1.5 1.0 1.5 0.5 3.5\n");
    check(
        "(print {1 < 1.5} {1.5 == 1.5} {1 == 1.0} {2.0 != 2} (min 1 0.5) -1.5)",
        "true true true false 0.5 -1.5\n",
    );
    check("x = 1e200\n(print x * x -x * x {x * x == x * x})", "inf -inf true\n");
    check_error("(print 1.0 / 0.0)", "division by zero");
    check_error("(print 1.5 & 2)", "no method for [float float]");
}

#[test]
fn equality_with_null_and_booleans() {
    check(
        "f = (func x) (return [{x == null} {null != x} {x == true} {false == x}])\n\
         (for x [null true false 0 1 1.5 \"\" \"a\" [] [null] (dict) (range 2) f]) (print (f x))",
        "[true false false false]\n[false true true false]\n[false true false true]\n\
         [false true false false]\n[false true false false]\n[false true false false]\n\
         [false true false false]\n[false true false false]\n[false true false false]\n\
         [false true false false]\n[false true false false]\n[false true false false]\n\
         [false true false false]\n",
    );
    let null = "{==}[[closure null]] = (func f n) (return \"mine\")\nf = (func) (return 1)\n";
    check(&format!("{null}(print {{f == null}} {{[] == null}} {{null == f}})"), "mine false false\n");
}

#[test]
fn interfaces() {
    check(
        "(print (interface 1) (interface int) (interface null) (interface 1 << 70) (interface 1e300))",
        "integer interface interface integer float\n",
    );
    check(
        "(print bool.name bool.parent {bool.parent == int} int.parent.parent (interface [])[\"x\"])",
        "Traceback:\n    main: 1:68 1:87\nError: cannot getitem list\n",
    );
    check(
        "(print bool.name bool.parent {bool.parent == int} int.parent.parent generator.methods)",
        "boolean integer true null [\"next\"]\n",
    );
}

#[test]
fn square_roots() {
    let from = "(from (import \"math\") sqrt)\n";
    check(
        &format!("{from}(print (sqrt 2.25) (sqrt 4) (sqrt 0.0) (sqrt 1 << 100))"),
        "1.5 2.0 0.0 1125899906842624.0\n",
    );
    check(
        &format!(
            "{from}x = 0.0\ni = 0\n(while i < 300)\n    x += (sqrt i * 1.0)\n    i += 1\n(print (int x))"
        ),
        "3455\n",
    );
    check_error(&format!("{from}(sqrt -1.0)"), "no square root of -1.0");
    check_error(&format!("{from}(sqrt \"4\")"), "no square root of \"4\"");
    check_error(&format!("{from}(sqrt)"), "expected 1 arguments");
}

#[test]
fn conversions() {
    check(
        "(print (int \"12\") (int 3.9) (int -3.9) (int true) (int \"0x1f\") (int 1e20))",
        "12 3 -3 1 31 100000000000000000000\n",
    );
    check("(print (float 3) (float \"1.5\") (str 1.5) (bool 0) (bool null))", "3.0 1.5 1.5 true false\n");
    check_error("(int \"x\")", "no integer: \"x\"");
    check_error("(float \"x\")", "no float: \"x\"");
    check_error("(int [])", "expected string as arg: 0");
}

/// Of several strings that are joined at once, each may be something else.
#[test]
fn chains_of_concatenations() {
    check(
        "f = (func x) (return x)\n(print \"a\" ++ (f \"ä\") ++ \"\" ++ (f \"€\") {\"\" ++ (f \"\") ++ \"\"}.length)",
        "aä€ 0\n",
    );
    // Strings of one byte are compared by what they are.
    check("s = \"\"\n(print {s ++ \"a\" ++ s == \"a\"} {s ++ s ++ \"a\" == \"a\"})", "true true\n");
    check("(print [1] ++ [2] ++ [3] ++ [4])", "[1 2 3 4]\n");
    check("s = \"ab\"\n(for i (range 3)) s = s ++ s ++ s\n(print s.length)", "54\n");
    let many = vec!["(f \"ab\")"; 40].join(" ++ ");
    let program = format!("f = (func x) (return x)\nn = {{{many}}}\n(print n.length n)");
    check(&program, &format!("80 {}\n", "ab".repeat(40)));
    check_error("(print \"a\" ++ \"b\" ++ 3)", "no method for [string integer]");
    check_error("(print 3 ++ \"a\" ++ \"b\")", "no method for [integer string]");
    check_error("(print \"a\" ++ \"b\" ++ [] ++ \"c\")", "no method for [string list]");
}

/// Strings that are long together are joined one after the other.
#[test]
fn long_chains_of_concatenations() {
    check(
        "s = (\"äb\".repeat 600000)\nt = s ++ s ++ \"c\" ++ s\n(print t.length t[2400000] t[3600000])",
        "3600001 c b\n",
    );
}

/// What a method makes of the first ones takes part before the next one is evaluated.
#[test]
fn chains_of_concatenations_call_methods_in_their_order() {
    let source = "\
show = (func x)
    (print x)
    (return x)
{++}[[str int]] = (func a b)
    (print \"method\" a b)
    (return [a b])
{++}[[list str]] = (func a b) (return b)
main = (func n)
    i = 0
    (while i < n)
        r = (show \"a\") ++ (show \"b\") ++ (show i) ++ (show \"c\") ++ (show \"d\")
        i += 1
    (return r)
(print (main 3))
";
    let round = |i| format!("a\nb\n{i}\nmethod ab {i}\nc\nd\n");
    check(source, &format!("{}{}{}cd\n", round(0), round(1), round(2)));
    check(
        "g = (func)\n    x = \"a\" ++ (yield 1) ++ (yield 2)\n    (yield x)\n\
         c = (g)\n(c.next)\n(c.next \"b\")\n(print (c.next \"c\"))",
        "abc\n",
    );
}

/// A comparison that only decides where to go on.
#[test]
fn jumps_over_strings_and_null() {
    let source = "\
f = (func x y)
    r = []
    (if x == y) (r.append 1)
    (if x != y) (r.append 2)
    (if x == null) (r.append 3)
    (if x != null) (r.append 4)
    (return r)
main = (func values)
    (for x values)
        (for y values)
            (print (f x y))
(main [\"a\" \"a\" ++ \"b\" \"ab\" null 1 [1] f])
";
    let values = ["a", "ab", "ab", "null", "1", "[1]", "f"];
    let pairs = values.iter().flat_map(|x| values.iter().map(move |y| (x, y)));
    let line = |(x, y): (&&str, &&str)| {
        let null = if *x == "null" { 3 } else { 4 };
        format!("[{} {null}]\n", if x == y { 1 } else { 2 })
    };
    check(source, &pairs.map(line).collect::<String>());
    check(
        "{==}[[closure null]] = (func f n) (return \"mine\")\nf = (func) (return 1)\n(if f == null) (print \"yes\")",
        "yes\n",
    );
}

#[test]
fn strings() {
    check("s = \"aä€\"\n(print s s.length s[1] [s] s ++ \"x\")", "aä€ 3 ä [\"aä€\"] aä€x\n");
    check("(print [\"q\\\"\\n\\u{7}\"])", "[\"q\\\"\\n\\u{7}\"]\n");
    check("(print {\"a\" < \"b\"} {\"ab\" == \"a\" ++ \"b\"} {\"a\" != \"b\"})", "true true true\n");
    check("(for c \"xyä\") (print c)", "x\ny\nä\n");
    check(
        "(print (\"a,b,c\".split \",\") (\" a  b \".split) (\"-\".join [1 \"x\" null]))",
        "[\"a\" \"b\" \"c\"] [\"a\" \"b\"] 1-x-null\n",
    );
    check(
        "(print (\"hello\".find \"l\") (\"hello\".find \"z\") (\"hello\".slice 1 3) (\"x\".upper))",
        "2 null el X\n",
    );
    check_error("s = \"a\"\n(print s[1])", "index out of range");
    check_error("(print \"a\" + \"b\")", "no method for [string string]");
}

#[test]
fn lists() {
    check(
        "l = []\n(for i (range 5)) (l.append i * i)\n(print l (l.pop) l (l.pop 0) l)",
        "[1 4 9] 16 [1 4 9] 0 [1 4 9]\n",
    );
    check(
        "l = [3 1 2]\n(l.sort)\n(l.insert 1 9)\n(print l (l.contains 9) (l.index 2) [1] ++ [2])",
        "[1 9 2 3] true 2 [1 2]\n",
    );
    check(
        "l = [3 1 2 5 4]\nless = (func a b) (return a > b)\n(print (l.sort less) l)",
        "[5 4 3 2 1] [5 4 3 2 1]\n",
    );
    check("(print {[1 [2]] == [1 [2]]} {[1] == [2]} {[] == []})", "true false true\n");
    check("l = [1 2 3]\n(l.extend l)\n(l.reverse)\n(print l (l.slice 1 3))", "[3 2 1 3 2 1] [2 1]\n");
    check("l = [1]\nl[0] = l\n(print l.length {l == l})", "1 true\n");
    check("(print (range 3) (list (range 2 8 3)) (list (range 3 0 -1)))", "<range> [2 5] [3 2 1]\n");
    check_error("l = []\n(l.pop)", "index out of range");
    check_error("l = [1]\nl[\"x\"] = 1", "index not an integer");
    check_error("a = [1]\na[0] = a\nb = [1]\nb[0] = b\n(print {a == b})", "structure is nested too deeply");
    check_error("l = [1 \"a\"]\n(l.sort)", "no order of [string integer]");
}

#[test]
fn dictionaries() {
    check(
        "d = (dict)\n(for i (range 100)) d[i] = i * i\n(for i (range 95)) (d.remove i)\n(print d.length (list d) (list (d.values)))",
        "5 [95 96 97 98 99] [9025 9216 9409 9604 9801]\n",
    );
    check(
        "d = (dict [[\"a\" 1] [[1 2] 3] [1.5 4]])\n(print d[\"a\"] d[[1 2]] d[1.5] (d.get 9) (d.get 9 0))",
        "1 3 4 null 0\n",
    );
    check(
        "d = (dict)\nd[\"x\"] = 1\nd[\"y\"] = 2\n(for p (d.items)) (print p)\nd[\"x\"] += 10\n(print (list (d.keys)) (list (d.values)))",
        "[\"x\" 1]\n[\"y\" 2]\n[\"x\" \"y\"] [11 2]\n",
    );
    check(
        "a = (dict [[1 2]])\nb = (dict a)\nb[1] = 3\n(print a[1] b[1] {a == b} {a == (dict [[1 2]])})",
        "2 3 false true\n",
    );
    check_error("d = (dict)\n(print d[\"a\"])", "key \"a\" not in <dict>");
}

#[test]
fn closures_and_scopes() {
    check(
        "f = (func)\n    (if true) x = 1\n    g = (func) (return x)\n    (return (g))\nx = 5\n(print (f))",
        "1\n",
    );
    check(
        "x = 5\nf = (func c)\n    (if c) x = 1\n    x += 1\n    (return x)\n(print (f true) x (f false) x)",
        "2 5 6 6\n",
    );
    check(
        "fs = []\n(for i (range 3))\n    (fs.append)\n        (func) (return i)\n(for f fs) (print (f))",
        "2\n2\n2\n",
    );
    check(
        "f = (func n)\n    g = (func)\n        h = (func) (return n)\n        n := n + 1\n        (return (h))\n    (return (g) + n)\n(print (f 1))",
        "4\n",
    );
    check(
        "f = (func n)\n    g = (func m)\n        (if m == 0) (return 0)\n        (return 1 + (g m-1))\n    (return (g n))\n(print (f 10))",
        "10\n",
    );
    check_error("f = (func a b) (return a)\n(f 1)", "closure requires 2 arguments");
    check_error("f = (func)\n    (return y)\n    y = 1\n(f)", "y not in <module main>");
}

#[test]
fn operators_are_names() {
    check("{+} = (func a b) (return [a b])\n(print 1 + 2 {{+} == {+}})", "[1 2] true\n");
    check(
        "f = (func)\n    {-} = (func a b) (return \"minus\")\n    (return 5 - 3)\n(print (f) 5 - 3)",
        "minus 2\n",
    );
    check(
        "(setattr (import \"fs\") \"x\" 1)",
        "Traceback:\n    main: 1:0 1:29\nError: module fs is frozen\n",
    );
    check(
        "(print ({+} 1 2) ({<} 1 2) ({==} \"a\" \"a\") ({not} 1) ({and} 1 null))",
        "3 true true false false\n",
    );
    check_error("x = 1 + 2\n{+} = 5", "cell + is frozen");
    check_error("(print (min 1 2))\nmin = 5", "cell min is frozen");
    check("min = 5\n(print min)", "5\n");
    check_error("(print true)\n(setattr (module \"m\") \"x\" 1)\ntrue = 1", "cell true is frozen");
}

#[test]
fn multimethods() {
    check(
        "m = (multimethod 1)\nm[[int]] = (func x) (return \"int\")\nm.default = (func x) (return \"other\")\n(print (m 1) (m \"a\") m.arity)",
        "int other 1\n",
    );
    check("{+}[[str int]] = (func a b) (return a ++ (str b))\n(print \"a\" + 1)", "a1\n");
    check(
        "{*}[[list int]] = (func a b)\n    r = []\n    (for i (range b)) (r.extend a)\n    (return r)\n(print [1 2] * 2)\nl = [0]\nl *= 3\n(print l)",
        "[1 2 1 2]\n[0 0 0]\n",
    );
    check("coerce[[str int]] = (func a b) (return [(int a) b])\n(print \"5\" + 6 \"5\" * 2)", "11 10\n");
    check(
        "{==}[[closure int]] = (func f n) (return (f n))\nf = (func n) (return n == 3)\n(print {f == 3} {f == 4} {f == f})",
        "true false true\n",
    );
    // A method that is added later counts from then on, also in compiled loops.
    check(
        "m = (multimethod 1)\nm.default = (func x) (return 0)\ns = 0\n\
         f = (func n)\n    i = 0\n    (while i < n)\n        s += (m i)\n        i += 1\n\
         (f 100)\nm[[int]] = (func x) (return 1)\n(f 100)\nm[[int]] = (func x) (return 100)\n(f 100)\n(print s)",
        "10100\n",
    );
    check(
        "m = (multimethod 3)\nm[[int str null]] = (func a b c d) (return [a b c d])\n\
         (print (m 1 \"a\" null 4) m[[int str null]])\nm.default = {++}\n(print (m [1] [2] 0))",
        "[1 \"a\" null 4] <closure>\n[1 2]\n",
    );
    check(
        "(print {+}.default)\n{+}.default = (func a b) (return [a b])\n(print 1 + 2 \"a\" + 1 {+}.arity)\n\
         {+}.default = null\n(print true + true {+}.default)",
        "null\n3 [\"a\" 1] 2\n2 null\n",
    );
    check(
        "negate = (getattr (import \"base\") \"-expr\")\nnegate[[bool]] = (func x) (return not x)\nx = true\n\
         (print -x (negate 3))",
        "false -3\n",
    );
    check(
        "point = (class object x y)\n{-_}[[point]] = (func p) (return (point 0 - p.x 0 - p.y))\n\
         factorial = (func n)\n    (if n < 2) (return 1)\n    (return n * (factorial n-1))\n{_!} = factorial\n\
         {~_}[[str]] = reversed\np = -(point 1 2)\n_ = 3\n\
         (print p.x p.y 5! {_!} == factorial ~\"ab\" ({-_} 4) -_ (map {-_} [1 2]))",
        "-1 -2 120 true [\"b\" \"a\"] -4 -3 [-1 -2]\n",
    );
    check(
        "(print (min 3 2) (max 3 2) (min 1.5 2) ({*} 3 4) ({>=} 3 4) ({!=} 1 1))",
        "2 3 1.5 12 false false\n",
    );
    check(
        "{<}[[list list]] = (func a b) (return a.length < b.length)\n\
         (print {[1] < [2 3]} {[1] < []} {{<}[[list list]] == null})",
        "true false false\n",
    );
    check_error("m = (multimethod 2)\n(m 1 2)", "no method for [integer integer]");
    check_error("(print {null < 1})", "no method for [null integer]");
    check_error("m = (multimethod 1)\nm[int] = 1", "expected a list of 1 interfaces");
    check_error("m = (multimethod 1)\nm[[1]] = 1", "expected interface, got 1");
    check_error("m = (multimethod 1)\nm[[int]]", "no method for [integer]");
    check_error("m = (multimethod 1)\nm.default = m\n(m 1)", "maximum recursion depth exceeded");
    check_error(
        "m = (multimethod 1)\nm[[int]] = (multimethod 1)\nm[[int]].default = m\n(m 1)",
        "maximum recursion depth exceeded",
    );
    check_error("m = (multimethod 1)\nm.default = 5\n(m 1)", "cannot call 5");
    check_error("coerce[[int bool]] = 1", "method for [integer boolean] is frozen");
    check_error("coerce.default = (func a b) (return [a b])\n\"a\" + 1", "no method for [string integer]");
    check_error("m = (multimethod 2)\n(m 1)", "expected at least 2 arguments, got 1");
    check_error("{+}[[int int]] = (func a b) (return 5)", "method for [integer integer] is frozen");
}

#[test]
fn generators() {
    check(
        "g = (func n)\n    (while n > 0)\n        (yield n)\n        n -= 1\n(print (list (g 3)) (dict (g 0)))",
        "[3 2 1] <dict>\n",
    );
    check(
        "inner = (func n)\n    (for i (range n)) (yield i)\nouter = (func n)\n    (for i (inner n))\n        (for j (inner i)) (yield [i j])\n(for p (outer 3)) (print p)",
        "[1 0]\n[2 0]\n[2 1]\n",
    );
    check(
        "g = (func)\n    x = null\n    (while true)\n        x = (yield x)\n        (if x == null) (return 0)\nh = (g)\n(print (h.next) (h.next 5) (h.next 6))\n(for x h) (print x)\n(for x h) (print x)",
        "null 5 6\n",
    );
    check(
        "g = (func n)\n    (for i (range n)) (yield i)\nl = [9]\n(l.extend (g 3))\n(l.extend (range 2))\n(print l (l.extend [5]) l)",
        "[9 0 1 2 0 1 5] null [9 0 1 2 0 1 5]\n",
    );
    // What is sent before the first value is lost; `next` is a value like any other.
    check(
        "g = (func n)\n    total = 0\n    (while true) total += (yield total)\ng = (g 0)\nn = g.next\n\
         f = (func k)\n    (for i (range k)) (n i)\n    (return (n 0))\n(print (n 7) (f 100))",
        "0 4950\n",
    );
    // The end of an iterator inside of a generator ends the generator, too.
    check(
        "g = (func l)\n    it = (iter l)\n    (while true) (yield (it.next))\n(print (list (g [1 2])))",
        "[1 2]\n",
    );
    check(
        "g = (func)\n    (yield 1)\n    (yield 1 / 0)\n(for x (g)) (print x)",
        "1\nTraceback:\n    main: 4:0 4:11\n    main: 3:11 3:16\nError: division by zero\n",
    );
    check_error("g = (func) (yield (h.next))\nh = (g)\n(h.next)", "generator is running already");
    check_error("g = (func) (yield 1)\nh = (g)\n(h.next)\n(h.next)", "stop iteration");
}

#[test]
fn errors_come_with_a_traceback() {
    check(
        "f = (func x)\n    (print \"in f\")\n    (return (g x) + 1)\ng = (func x)\n    (assert x > 5)\n    (return x)\n(print (f 6))\n(print (f 1))",
        "in f\n7\nin f\nTraceback:\n    main: 8:7 8:12\n    main: 3:12 3:17\n    main: 5:4 5:18\nError: Assertion error\n",
    );
    check("(print 1 +\n  (a b))", "Traceback:\n    main: 2:3 2:4\nError: a not in <module main>\n");
    check_error("(print (iter 5))", "cannot iterate 5");
    check_error("x = 5\n(x.foo 1)", "foo not in 5");
    check_error("null.x = 1", "cannot set x in null");
    check_error("(object)", "Cannot instantiate object");
    check_error("(import)", "expected string as arg: 0");
}

#[test]
fn calls_are_as_deep_as_the_limit() {
    let deep = "f = (func n)\n    (if n == 0) (return 0)\n    (return 1 + (f n-1))\n";
    for way in DEEP_WAYS {
        assert_eq!(common::run(&format!("{deep}(print (f 100000))"), way).to_string(), "100000\n");
        let got = common::run(&format!("{deep}(f -1)"), way).to_string();
        assert_eq!(got.lines().last(), Some("Error: maximum recursion depth exceeded"));
        assert!(got.lines().any(|line| line.ends_with("more times)")) && got.lines().count() < 10, "{got}");
    }
}

#[test]
fn modules() {
    check(
        "m = (module \"m\")\nm.x = 1\nm.x += 1\n(print m m.x (getattr m \"x\"))\nn = (module \"n\" m)\n(print n.x)",
        "<module m> 2 2\n2\n",
    );
    // What is read through a module that can change is not frozen; what comes from `base` is.
    check(
        "m = (module \"m\")\nn = (module \"n\" m)\no = (module \"o\" n)\nm.x = 1\n(print o.x n.x)\n\
         m.x = 2\n(print o.x)\nm.x += 1\n(print o.x n.x)\nn.x = 10\n(print o.x n.x m.x)\no.x += 5\n(print o.x n.x m.x)",
        "1 1\n2\n3 3\n10 10 3\n15 10 3\n",
    );
    check(
        "m = (module \"m\")\nn = (module \"n\" m)\nm.x = 0\nf = (func k)\n    s = 0\n    (for i (range k))\n\
         \u{20}       m.x = i\n        s += n.x\n        n.y = s\n    (return [s n.y])\n(print (f 100))\n\
         n.x = 7\n(print (f 10))\n(print (getattr n \"y\") (setattr n \"y\" 3) n.y)",
        "[4950 4950]\n[70 70]\n70 3 3\n",
    );
    check(
        "f = (func n)\n    m = (module \"m\")\n    (for i (range n))\n        (setattr m \"a\" i)\n\
         \u{20}       (setattr m \"b\" (getattr m \"a\"))\n        m.c = (getattr m [\"a\" \"b\"][i % 2])\n\
         \u{20}   (return m)\n(print (f 50).b (f 20).c)",
        "49 19\n",
    );
    check_error("(setattr (import \"base\") \"x\" 1)", "module base is frozen");
    check_error("b = (module \"m\" (import \"base\"))\n(print b.print)\nb.print = 1", "cell print is frozen");
    check_error(
        "b = (module \"m\" (import \"base\"))\nb.print = 1\n(print b.print)\n(b.print 2)",
        "cannot call 1",
    );
    check_error("b = (import \"base\")\n(print b.nothing)", "nothing not in <module base>");
    check_error("(module \"m\" 3)", "expected module as arg: 1");
    check_error("(import \"no/such\")", "no such module: \"no/such\"");
    check_error("(import 3)", "expected string as arg: 0");
    check("(from (import \"fs\") read_file)\n(print read_file)", "<builtin read_file>\n");
    check_error("m = (module \"m\")\n(print m.y)", "y not in <module m>");
}

#[test]
fn values_of_statements() {
    check("x = (while false) 1\ny = (for i [1 2 3]) i * 2\nz = (if false) 1\n(print x y z)", "null 6 null\n");
    check("i = 0\nx = (while true)\n    i += 1\n    (if i > 3) (break)\n    i * 10\n(print x i)", "30 4\n");
    check("i = 0\n(while i < 5)\n    i += 1\n    (if i % 2 == 0) (continue)\n    (print i)", "1\n3\n5\n");
    check(
        "f = (func n)\n    (for i (range n))\n        (if i == 3) (return i)\n    (return -1)\n(print (f 10) (f 2))",
        "3 -1\n",
    );
    check(
        "r = (if 1 > 2)\n    \"a\"\n(elif 2 > 1)\n    \"b\"\n(else)\n    \"c\"\n(print r {1 < 2 < 3} {1 < 3 < 2})",
        "b true false\n",
    );
}

/// What a call takes is live where the call leaves a trace, because another function is called.
#[test]
fn arguments_live_until_they_are_taken() {
    check(
        "add = (func a b) (return a + b)\nsub = (func a b) (return a - b)\n\
         main = (func n)\n    t = 0\n    i = 0\n    (while i < n)\n        h = [add sub add][i % 3]\n\
         \u{20}       t = (h t i*i%11)\n        i += 1\n    (return t)\n(print (main 300))\n",
        "399\n",
    );
}

/// With arguments that are variables and literals a method is looked for behind them, which nobody can tell.
#[test]
fn methods_are_looked_for_before_their_arguments() {
    // What is missing is found out before the argument prints.
    check("(try)\n    ([].missing (print 1))\n(except e)\n    (print e.message)\n", "missing not in []\n");
    check_error("f = (func l)\n    (l.missing 1 \"two\")\n(f [])", "missing not in []");
    // Arguments that change what the receiver, or its attribute, is.
    check(
        r#"f = (func l)
    (l.append {l = 5})
    (return l)
x = [1]
(print (f x) x)
pair = (class object a b)
more = (func x) (return x + 1)
g = (func p)
    (return (p.a {p.a = 7}))
(print (g (pair more 0)))
"#,
        "5 [1 5]\n8\n",
    );
    // Every kind of callee, with arguments at hand: in line, plain Rust, with helpers, what a field or a module holds,
    // methods of classes, of generators.
    let answers = "[\"v\" 1 [\"x\" \"y\"] \"X,Y\" \"x,\" \"b\" true 4.0 8 5 20 0 1 \"2x,ya\" \"2\"]\n";
    check(
        r#"math = (import "math")
pair = (class object a b)
    sum = (func self c) (return self.a + self.b + c)
    none = (func self) (return self.b)
counted = (func n)
    (for i (range n)) (yield i)
ten = (func n) (return n * 10)
work = (func l d s p q g n x)
    (l.append x)
    (l.insert 0 n)
    i = 1
    a = [(d.get "k") (d.get "no" i) (s.split ",") (s.upper) (s.slice 0 n) (l.pop) (l.contains n) (math.sqrt 16.0)]
    b = [(q.sum n) (p.none) (p.a n) (g.next) (g.next) (s.join l) (s.join g)]
    (return a ++ b)
(for k (range 4))
    p = (pair ten 5)
    q = (pair 1 5)
    (print (work ["a"] (dict [["k" "v"]]) "x,y" p q (counted 3) 2 "b"))
"#,
        &answers.repeat(4),
    );
    check(
        "main = (getcurrent)\nback = (func value)\n    (while true)\n        value = (main.switch value)\n\
         g = (greenlet back)\nf = (func g n)\n    total = 0\n    (for i (range n))\n        total += (g.switch i)\n    (return total)\n\
         (print (f g 100))\n\
         next = (func n)\n    (while true)\n        n = (yield n)\nk = (func it n)\n    (it.next)\n    total = 0\n\
         \u{20}   (for i (range n)) total += (it.next i)\n    (return total)\n(print (k (next 1) 50))\n",
        "4950\n1225\n",
    );
}
