//! The library: each function in every way, what it refuses, and what it does in loops.

mod common;

use common::{WAYS, check};

/// Expressions and what they print.
fn values(before: &str, pairs: &[(&str, &str)]) {
    let lines: Vec<String> = pairs.iter().map(|(source, _)| format!("(print {source})\n")).collect();
    let expected: Vec<String> = pairs.iter().map(|(_, expected)| format!("{expected}\n")).collect();
    for way in WAYS {
        let got = common::run(&format!("{before}{}", lines.concat()), way).to_string();
        for (number, ((source, _), (got, expected))) in
            pairs.iter().zip(got.lines().zip(expected.concat().lines())).enumerate()
        {
            assert_eq!(got, expected, "{way}, {number}: {source}");
        }
        assert_eq!(got, expected.concat(), "{way}");
    }
}

/// Expressions and the errors that they end with.
fn errors(before: &str, pairs: &[(&str, &str)]) {
    for (source, expected) in pairs {
        for way in ["off", "threshold=1"] {
            let got = common::run(&format!("{before}{source}\n"), way).to_string();
            assert_eq!(got.lines().last(), Some(&*format!("Error: {expected}")), "{way}: {source}");
        }
    }
}

#[test]
fn strings() {
    values(
        "s = \"h\u{e4}llo w\u{f6}rld\"\n",
        &[
            (
                "(s.find \"w\") (s.rfind \"l\") (s.find \"x\") (s.rfind \"x\") (s.index \"llo\")",
                "6 9 null null 2",
            ),
            (
                "(s.count \"l\") (\"aaa\".count \"aa\") (s.capitalize) (s.reverse)",
                "3 1 H\u{e4}llo w\u{f6}rld dlr\u{f6}w oll\u{e4}h",
            ),
            ("(\"ab\".repeat 3) [(\"ab\".repeat 0) (\"ab\".repeat -1)]", "ababab [\"\" \"\"]"),
            (
                "[(\"a\".ljust 3) (\"a\".rjust 3) (\"a\".center 4 \"*\") (\"abc\".rjust 2)]",
                "[\"a  \" \"  a\" \"*a**\" \"abc\"]",
            ),
            (
                "[(\" a \".strip) (\" a \".lstrip) (\" a \".rstrip) (\"xxaxx\".strip \"x\") (\"xya\".lstrip \"yx\")]",
                "[\"a\" \"a \" \" a\" \"a\" \"a\"]",
            ),
            (
                "(\"12\".isdigit) (\"\".isdigit) (\"a1\".isalpha) (\"\u{e4}\".isalpha) (\" \\n\".isspace)",
                "true false false true true",
            ),
            (
                "(\"a\\nb\\r\\n\\nc\".splitlines) (\"\u{e4}\".bytes) (\"\".splitlines)",
                "[\"a\" \"b\" \"\" \"c\"] [195 164] []",
            ),
            ("(chr 65) (chr 8364) (ord \"A\") (ord \"\u{20ac}\")", "A \u{20ac} 65 8364"),
            ("(\", \".join (range 3)) (\"-\".join \"abc\") (\"x\".join [])", "0, 1, 2 a-b-c "),
            (
                "(\"ä\".join [\"a\" \"€b\"]).length {(\"\".join [\"\" \"a\" \"\"]) == \"a\"} {(\"-\".join [\"\" \"\"]) == \"-\"}",
                "4 true true",
            ),
            (
                "(\"-\".join [\"ab\" 1 \"c\"]) (\"\".join [\"\"]).length (\"x\".join [\"abc\"])",
                "ab-1-c 0 abc",
            ),
            (
                "(\" a\\tbc\\n\".split) (\"\\u{b}a\\u{a0}äb\".split) (\",a,,\".split \",\") (\"\".split) (\"\".split \",\")",
                "[\"a\" \"bc\"] [\"a\" \"äb\"] [\"\" \"a\" \"\" \"\"] [] [\"\"]",
            ),
            (
                "{(\"\\u{b}a\\u{1c}b\\u{c}\".split) == [\"a\\u{1c}b\"]} (\"a--b\".split \"--\") (\"ä,b\".split \",\")",
                "true [\"a\" \"b\"] [\"ä\" \"b\"]",
            ),
            (
                "(s.startswith \"h\u{e4}\") (s.endswith \"d\") (s.contains \"lo w\") (s.replace \"l\" \"L\")",
                "true true true h\u{e4}LLo w\u{f6}rLd",
            ),
            ("(int \"ff\" 16) (int \"-101\" 2) (int \"zz\" 36)", "255 -5 1295"),
        ],
    );
    check(
        "g = (func)\n    (yield 1)\n    (yield \"b\")\n(print (\"+\".join (g)))\n\
         n = 0\n(for i (range 200))\n    s = (\"-\".join [i (i.foo)])\n",
        "1+b\nTraceback:\n    main: 7:22 7:27\nError: foo not in 0\n",
    );
    errors(
        "",
        &[
            ("(\"a\".index \"b\")", "\"b\" not in \"a\""),
            ("(\"a\".repeat \"b\")", "expected integer as arg: 1"),
            ("(\"a\".ljust 5 \"bc\")", "expected one character to fill with"),
            ("(chr -1)", "no character: -1"),
            ("(chr 0xd800)", "no character: 55296"),
            ("(ord \"ab\")", "expected one character"),
            ("(int \"12\" 1)", "no base: 1"),
            ("(int \"9\" 8)", "no integer: \"9\""),
            ("(int \"1_000\")", "no integer: \"1_000\""),
            ("(\"a\".repeat 1 << 59)", "out of memory"),
            ("(\"a\".ljust 1 << 59)", "out of memory"),
            ("(\"a\".split \"\")", "empty separator"),
        ],
    );
}

#[test]
fn formats() {
    values(
        "",
        &[
            ("(\"{} {} {{}} {0}\".format 1 \"a\")", "1 a {} 1"),
            ("(\"{:5}|{:<5}|{:>5}|{:^5}|{:*^5}\".format 1 2 3 4 5)", "    1|2    |    3|  4  |**5**"),
            ("(\"{:5}|{:>5}|{:.2}\".format \"ab\" \"cd\" \"efg\")", "ab   |   cd|ef"),
            (
                "(\"{:.2f} {:.0f} {:e} {:.1e} {:%} {:.3}\".format 3.14159 2.5 1234.5 0.00012 0.125 2.0)",
                "3.14 2 1.234500e3 1.2e-4 12.50% 2.000",
            ),
            (
                "(\"{:05} {:+} {: } {:+.1f} {:08.3f}\".format -42 7 7 2.0 -3.14159)",
                "-0042 +7  7 +2.0 -003.142",
            ),
            ("(\"{:x} {:X} {:o} {:b} {:08b} {:x}\".format 255 255 8 5 5 -16)", "ff FF 10 101 00000101 -10"),
            ("(\"{:,} {:,.2f} {:,} {:,}\".format 1234567 -9876.543 12 123)", "1,234,567 -9,876.54 12 123"),
            ("(\"{} {} {}\".format 1.5 [1 \"a\"] null)", "1.5 [1 \"a\"] null"),
            ("(\"{:x} {:d}\".format 1 << 70 5)", "400000000000000000 5"),
            ("(\"{:s}|{:6s}|\".format 5 [1])", "5|[1]   |"),
        ],
    );
    errors(
        "",
        &[
            ("(\"{}\".format)", "no value 0 for format"),
            ("(\"{3}\".format 1)", "no value 3 for format"),
            ("(\"{a}\".format 1)", "no value a for format"),
            ("(\"{\".format 1)", "single { in format"),
            ("(\"}\".format 1)", "single } in format"),
            ("(\"{:q}\".format 1)", "cannot format 1 as {:q}"),
            ("(\"{:x}\".format \"a\")", "cannot format \"a\" as {:x}"),
            ("(\"{:x}\".format 1.5)", "cannot format 1.5 as {:x}"),
            ("(\"{:99999999999999999999}\".format 1)", "cannot format 1 as {:99999999999999999999}"),
            ("(\"{:.}\".format 1.0)", "cannot format 1.0 as {:.}"),
        ],
    );
}

#[test]
fn lists() {
    values(
        "l = [3 1 2 1]\n",
        &[
            (
                "(l.find 1) (l.find 9) (l.count 1) (l.index 2) (l.copy) {(l.copy) == l}",
                "1 null 2 2 [3 1 2 1] true",
            ),
            ("([1 2].repeat 2) ([].repeat 5) ([1].repeat 0)", "[1 2 1 2] [] []"),
            ("(sorted l) (reversed l) l", "[1 1 2 3] [1 2 1 3] [3 1 2 1]"),
            (
                "(sorted [[2 \"a\"] [1 \"b\"] [1 \"a\"] [1]]) (sorted \"hello\")",
                "[[1] [1 \"a\"] [1 \"b\"] [2 \"a\"]] [\"e\" \"h\" \"l\" \"l\" \"o\"]",
            ),
            ("(sorted [2 0.5 true -1])", "[-1 0.5 true 2]"),
        ],
    );
    check(
        "size = (func s) (return s.length)\nl = [\"ccc\" \"a\" \"bb\" \"d\"]\n(print (l.sort_by size) l)\n\
         last = (func a b) (return a > b)\n(print (sorted [1 3 2] last))\nl = [1 2]\nm = l\n(l.clear)\n(print l m l.length)\n\
         l.length",
        "[\"a\" \"d\" \"bb\" \"ccc\"] [\"a\" \"d\" \"bb\" \"ccc\"]\n[3 2 1]\n[] [] 0\n",
    );
    errors(
        "",
        &[
            ("([1].repeat 1 << 58)", "out of memory"),
            ("([1].repeat 1 << 40)", "out of memory"),
            ("([1].sort_by)", "expected 2 arguments"),
            ("(sorted [1 \"a\"])", "no order of [string integer]"),
            ("(sorted [[1] 1])", "no order of [integer list]"),
            ("([1].sort_by 5)", "cannot call 5"),
            ("a = [1]\na[0] = a\nb = [1]\nb[0] = b\n(sorted [a b])", "structure is nested too deeply"),
        ],
    );
}

#[test]
fn dictionaries() {
    values(
        "d = (dict [[\"a\" 1] [\"b\" 2]])\n",
        &[
            (
                "(d.setdefault \"a\" 9) (d.setdefault \"c\" 3) d.length (d.pop \"c\") (d.pop \"x\" 7)",
                "1 3 3 3 7",
            ),
            (
                "(d.update (dict [[\"b\" 5] [\"e\" 6]])) (list (d.items)) (d.update [[1 2]]) d[1]",
                "null [[\"a\" 1] [\"b\" 5] [\"e\" 6]] null 2",
            ),
            ("(d.copy).length {(d.copy) == d} (d.remove 1) (d.contains 1)", "4 true 2 false"),
            ("(d.clear) d.length (list d) (d.get \"a\" 5)", "null 0 [] 5"),
        ],
    );
    check(
        "g = (func)\n    (yield [1 2])\n    (yield [3 4])\nd = (dict (g))\n(d.update (g))\n(print (list (d.items)))\n\
         words = (\"the cat the dog the end\".split)\ncounts = (dict)\n(for w words) counts[w] = (counts.get w 0) + 1\n\
         n = 0\n(for i (range 300)) n += counts.length + (counts.setdefault \"the\" 0)\n(print n)\n",
        "[[1 2] [3 4]]\n2100\n",
    );
    errors(
        "d = (dict)\n",
        &[
            ("(d.pop \"a\")", "key \"a\" not in <dict>"),
            ("(d.remove 1)", "key 1 not in <dict>"),
            ("(d.update 5)", "cannot iterate 5"),
            ("(d.update [1])", "cannot getitem 1"),
            ("a = [1]\na[0] = a\nd[a] = 1", "structure is nested too deeply"),
        ],
    );
}

#[test]
fn sets() {
    values(
        "s = (set [1 2 3 2])\nt = (set \"abc\")\n",
        &[
            ("s s.length (s.contains 2) (s.contains 9) (list s)", "<set> 3 true false [1 2 3]"),
            (
                "(s.add 4) (s.add 4) s.length (s.remove 4) (s.discard 4) (s.discard 1) (list s)",
                "null null 4 null false true [2 3]",
            ),
            (
                "(list (s.union [3 9])) (list (s.intersection [3 9])) (list (s.difference [3 9]))",
                "[2 3 9] [3] [2]",
            ),
            (
                "(s.update s) (s.update \"x\") (list s) (t.issubset (set \"dcba\")) (t.issubset s)",
                "null null [2 3 \"x\"] true false",
            ),
            (
                "((t.copy).add \"z\") t.length (t.clear) t.length (interface t) (isinstance t set)",
                "null 3 null 0 set true",
            ),
            ("{(set [1 2]) == (set [2 1])} {(set [1]) == (set [2])} {(set) != (set)}", "true false false"),
        ],
    );
    check(
        "g = (func n)\n    (for i (range n)) (yield i % 7)\ns = (set (g 100))\n(s.update (g 8))\n\
         (print s.length (s.union (g 3)).length (s.intersection (g 3)).length (s.difference (g 3)).length)\n\
         n = 0\n(for i (range 300)) (if (s.contains i % 10)) n += 1\n(for x s) n += x\n(print n)\n",
        "7 7 3 4\n231\n",
    );
    errors(
        "",
        &[
            ("(set 5)", "cannot iterate 5"),
            ("((set).remove 1)", "1 not in <set>"),
            ("((set).add)", "expected 2 arguments"),
        ],
    );
}

#[test]
fn iterables() {
    values(
        "sq = (func x) (return x * x)\nodd = (func x) (return x % 2 == 1)\ng = (func n)\n    (for i (range n)) (yield i)\n",
        &[
            (
                "(map sq (range 4)) (filter odd (g 6)) (map str [1 null])",
                "[0 1 4 9] [1 3 5] [\"1\" \"null\"]",
            ),
            (
                "(reduce {+} [1 2 3]) (reduce {++} [\"a\" \"b\"]) (reduce max (g 5)) (reduce {*} [] 1)",
                "6 ab 4 1",
            ),
            ("(sum (g 5)) (sum [0.5 1]) (sum [] 7) (sum [1 2] 10)", "10 1.5 7 13"),
            (
                "(any [false null]) (any [0]) (all []) (all [1 null]) (all (g 3))",
                "false true true false true",
            ),
            (
                "(zip [1 2 3] \"ab\") (zip (g 2) (g 5) \"xyz\") (zip [] [1])",
                "[[1 \"a\"] [2 \"b\"]] [[0 0 \"x\"] [1 1 \"y\"]] []",
            ),
            (
                "(enumerate \"ab\") (enumerate (g 1) 5) (list (dict [[1 2]]))",
                "[[0 \"a\"] [1 \"b\"]] [[5 0]] [1]",
            ),
            ("(reversed (g 3)) (sorted (g 3)) (sorted (dict [[2 1] [1 1]]))", "[2 1 0] [0 1 2] [1 2]"),
        ],
    );
    check(
        "sq = (func x) (return x * x)\nn = 0\n(for i (range 60))\n    n += (sum (map sq (range 10)))\n    (for p (enumerate [i i])) n += p[0]\n(print n)\n",
        "17160\n",
    );
    errors(
        "",
        &[
            ("(map print)", "expected 2 arguments"),
            ("(sum)", "expected 1 arguments"),
            ("(map 5 [1])", "cannot call 5"),
            ("(sum 5)", "cannot iterate 5"),
            ("(reduce {+} [])", "reduce of nothing without a start"),
            ("(sum [1 \"a\"])", "no method for [integer string]"),
        ],
    );
}

#[test]
fn mathematics() {
    values(
        "m = (import \"math\")\n",
        &[
            (
                "(m.sin 0) (m.cos 0.0) (m.atan2 1 1) (m.hypot 3 4) (m.exp 0)",
                "0.0 1.0 0.7853981633974483 5.0 1.0",
            ),
            (
                "(m.log 1) (m.log 8 2) (m.log 1000 10) (m.log10 100.0) (m.log2 8.0) (m.ln m.e)",
                "0.0 3.0 3.0 2.0 3.0 1.0",
            ),
            (
                "(m.pow 2 100) (m.pow 2 -1) (m.pow 2.0 0.5) (m.pow -1 3) (m.pow 0 0) (m.pow true 5)",
                "1267650600228229401496703205376 0.5 1.4142135623730951 -1 1 1",
            ),
            (
                "(m.floor -1.5) (m.ceil 1.2) (m.trunc -1.7) (m.round 2.5) (m.round 3.5) (m.floor 7)",
                "-2 2 -1 2 4 7",
            ),
            (
                "(m.round 2.675 2) (m.round 1234.5 -2) (m.round 5 1) (m.floor 1e20)",
                "2.67 1200.0 5.0 100000000000000000000",
            ),
            ("(m.sign -3) (m.sign 0.0) (m.sign 1 << 80) (m.gcd 12 -18) (m.gcd 0 0)", "-1 0 1 6 0"),
            (
                "m.pi m.tau m.inf m.nan (m.isnan m.nan) (m.isinf 1.0)",
                "3.141592653589793 6.283185307179586 inf NaN true false",
            ),
            (
                "(m.degrees m.pi) (m.radians 180) (m.cbrt 27.0) (m.tanh 0.0) (m.asin 1)",
                "180.0 3.141592653589793 3.0 0.0 1.5707963267948966",
            ),
            (
                "(abs -5) (abs 2.5) (abs -1 << 80) (abs true) (abs -0.0)",
                "5 2.5 1208925819614629174706176 1 0.0",
            ),
            ("(m.sqrt 16) (m.exp 1000.0) (m.sin m.nan)", "4.0 inf NaN"),
        ],
    );
    check(
        "(from (import \"math\") sin cos log floor)\nx = 0.0\nn = 0\n(while n < 400)\n    y = n * 0.1\n    x += (sin y) * (sin y) + (cos y) * (cos y)\n    x += (log y + 1.0) * 0\n    n += 1\n(print (floor x + 0.5))\n",
        "400\n",
    );
    check(
        "(from (import \"math\") log2)\nbad = 0\n(for i (range 200))\n    (try) (log2 3.0 - i)\n    (except e) bad += 1\n(print bad)\n",
        "197\n",
    );
    check(
        "(from (import \"math\") floor)\nn = 0\ny = 0.0\n(for i (range 200))\n    x = i * 0.25 - 20.0\n    n += (floor x) + (int x) + (abs i - 100)\n    (if i < 100) y += (abs i * 0.5 - 25.0)\n(print n y)\n\
         (for x [-0.5 -2.0 0.0 -0.0 99999999999999984.0 1e17 -1e17 -1e300 7 -1 << 80 true])\n    (print (floor x) (int x) (abs x))\n\
         (print (abs -1152921504606846976) (abs -1 << 60))\n",
        "11860 1250.0\n-1 0 0.5\n-2 -2 2.0\n0 0 0.0\n0 0 0.0\n99999999999999984 99999999999999984 9.999999999999998e16\n\
         100000000000000000 100000000000000000 1e17\n-100000000000000000 -100000000000000000 1e17\n-1000000000000000052504760255204420248704468581108159154915854115511802457988908195786371375080447864043704443832883878176942523235360430575644792184786706982848387200926575803737830233794788090059368953234970799945081119038967640880074652742780142494579258788820056842838115669472196386865459400540160 -1000000000000000052504760255204420248704468581108159154915854115511802457988908195786371375080447864043704443832883878176942523235360430575644792184786706982848387200926575803737830233794788090059368953234970799945081119038967640880074652742780142494579258788820056842838115669472196386865459400540160 1e300\n7 7 7\n-1208925819614629174706176 -1208925819614629174706176 1208925819614629174706176\n1 1 1\n\
         1152921504606846976 1152921504606846976\n",
    );
    errors(
        "m = (import \"math\")\n",
        &[
            ("(m.sin \"a\")", "expected float as arg: 0"),
            ("(m.sin)", "expected float as arg: 0"),
            ("(m.log 0)", "no log of 0"),
            ("(m.log 5 1)", "no log to the base 1"),
            ("(m.log2 -1.0)", "no log2 of -1.0"),
            ("(m.asin 2)", "no asin of 2"),
            ("(m.sin m.inf)", "no sin of inf"),
            ("(m.pow 0 -1)", "division by zero"),
            ("(m.pow -8 0.5)", "no pow of -8 and 0.5"),
            ("(m.pow 3 1 << 50)", "out of memory"),
            ("(m.floor m.inf)", "no integer: inf"),
            ("(m.floor \"a\")", "expected float as arg: 0"),
            ("(m.gcd 1.5 2)", "expected integer as arg: 0"),
            ("m.pi = 3", "module math is frozen"),
            ("(abs \"a\")", "expected integer as arg: 0"),
        ],
    );
}

#[test]
fn random_numbers() {
    check(
        "r = (import \"random\")\n(r.seed 42)\na = [(r.integer 1 6) (r.random) (r.choice \"x\".bytes)]\n",
        "Traceback:\n    main: 3:32 3:52\nError: expected list as arg: 0\n",
    );
    check(
        "(from (import \"random\") seed random integer choice shuffle uniform)\n\
         draw = (func)\n    (seed 7)\n    l = (list (range 10))\n    (shuffle l)\n    s = 0\n    (for i (range 100)) s += (integer -5 5)\n    (return [l s (choice l) (random) (uniform 1 2)])\n\
         a = (draw)\nb = (draw)\n(print {a == b} {(sorted a[0]) == (list (range 10))} {0 <= a[3] < 1} {1.0 <= a[4] < 2.0})\n(print (integer 3 3))\n",
        "true true true true\n3\n",
    );
    errors(
        "r = (import \"random\")\n",
        &[
            ("(r.integer 2 1)", "no integers from 2 to 1"),
            ("(r.choice [])", "choice from nothing"),
            ("(r.shuffle 1)", "expected list as arg: 0"),
            ("(r.seed \"a\")", "expected integer as arg: 0"),
        ],
    );
}

#[test]
fn time() {
    values(
        "t = (import \"time\")\n",
        &[
            (
                "(t.date 0) (t.date 951782400.5) (t.date -1)",
                "1970-01-01 00:00:00 2000-02-29 00:00:00 1969-12-31 23:59:59",
            ),
            ("(t.parts 1000000000)", "[2001 9 9 1 46 40]"),
            (
                "{(t.clock) <= (t.clock)} {(t.now) > 1600000000} (t.sleep 0) (t.date).length",
                "true true null 19",
            ),
        ],
    );
    errors(
        "t = (import \"time\")\n",
        &[
            ("(t.sleep -1)", "cannot sleep for -1 seconds"),
            ("(t.sleep \"a\")", "expected float as arg: 0"),
            ("(t.date 1e300)", "no date: 1e300"),
        ],
    );
}

#[test]
fn files() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("files");
    let path = folder.to_str().unwrap();
    let source = format!(
        "fs = (import \"fs\")\np = \"{path}\"\n(fs.mkdir p)\nf = p ++ \"/a.txt\"\n(fs.write_file f \"one\\ntwo\\n\")\n\
         (fs.append_file f \"\u{e4}\")\n(print (fs.read_file f) (fs.read_lines f) (fs.size f) (fs.read_bytes f).length)\n\
         (fs.write_bytes p ++ \"/b\" [0 255 10])\n(print (fs.read_bytes p ++ \"/b\") (fs.listdir p))\n\
         (fs.rename p ++ \"/b\" p ++ \"/c\")\n(print (fs.exists p ++ \"/b\") (fs.is_file p ++ \"/c\") (fs.is_dir p) (fs.is_file p))\n\
         message = (func f)\n    (try) (f)\n    (except e) (print (e.message.replace p \"P\"))\n\
         no_text = (func) (fs.read_file p ++ \"/c\")\n(message no_text)\nmissing = (func) (fs.read_lines p ++ \"/d\")\n(message missing)\n\
         no_file = (func) (fs.write_file p \"x\")\n(message no_file)\nno_byte = (func) (fs.write_bytes p ++ \"/c\" [256])\n(message no_byte)\n\
         full = (func) (fs.write_file \"/dev/full\" \"x\")\n(message full)\nagain = (func) (fs.mkdir p)\n(message again)\n\
         not_empty = (func) (fs.remove p)\n(message not_empty)\n\
         (for name (fs.listdir p)) (fs.remove p ++ \"/\" ++ name)\n(fs.remove p)\n(print (fs.exists p))\n"
    );
    let expected = "one\ntwo\n\u{e4} [\"one\" \"two\" \"\u{e4}\"] 10 10\n[0 255 10] [\"a.txt\" \"b\"]\nfalse true true false\n\
        cannot read P/c: line 1: invalid UTF-8: byte 0xff\ncannot read P/d: no such file or directory\n\
        cannot write P: is a directory\nno byte: 256\ncannot write /dev/full: no space left on device\n\
        cannot make P: file exists\ncannot remove P: directory not empty\nfalse\n";
    let _ = std::fs::remove_dir_all(&folder);
    check(&source, expected);
}

#[test]
fn the_process() {
    values(
        "p = (import \"process\")\n",
        &[
            (
                "(p.getenv \"NO_SUCH_VARIABLE\") {(p.getenv \"PATH\").length > 0} (p.getenv \"\") (p.getenv \"a=b\")",
                "null true null null",
            ),
            ("{(p.getpid) > 0} ((p.getcwd).startswith \"/\")", "true true"),
        ],
    );
    errors("", &[("(exit \"a\")", "expected integer as arg: 0"), ("(exit -1)", "no exit status: -1")]);
}
