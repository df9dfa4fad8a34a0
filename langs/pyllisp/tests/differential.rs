//! The same programs, run in several ways, print the same.

mod common;

use hotloop_pyllisp::generate;

/// The ways; the first is the reference.
const WAYS: [&str; 11] = [
    "off",
    "threshold=2,function_threshold=2",
    "threshold=1,function_threshold=1,trace_eagerness=1,fail_code=3",
    "threshold=1,function_threshold=1,trace_eagerness=1,force_every=1",
    "threshold=1,trace_eagerness=1",
    "threshold=1,backend=eval",
    "threshold=2,optimize=0,backend=eval",
    "threshold=1,function_threshold=1",
    "threshold=2,function_threshold=3,force_every=3",
    "off,gc=1009",
    "threshold=3,check_hints=1",
];

fn check(name: &str, source: &str) {
    let expected = common::run(source, WAYS[0]).to_string();
    for way in &WAYS[1..] {
        let got = common::run(source, way).to_string();
        assert!(got == expected, "{name}, {way}:\n{source}\n--- expected\n{expected}\n--- got\n{got}");
    }
}

#[test]
fn random_programs_print_the_same_in_every_way() {
    for seed in 0..16 {
        check(&format!("seed {seed}"), &generate::program(seed));
    }
}

/// What went wrong once, as small as it could be made.
const FOUND: [(&str, &str); 4] = [
    (
        "the length of a string is read in a bridge that knows the string by two names",
        "f = (func s)
    k = 0
    (while k < 12)
        k += 1
        s = s ++ s
        (if k != 2)
            (if s.length < 200) s = s ++ s
    (print s.length)
(f \"ab\")
",
    ),
    (
        "a bridge ends where a function returns whose caller is recorded meanwhile",
        "i1 = 5
i3 = 2
f = (func n m)
    d = (dict)
    (if n < 3 or n > 40) (return m)
    i = (f n-1 m+1)
    (return i3 % 1000003)
k = 0
(while k < 40)
    k += 1
    (for j (range 8))
        i2 = (f {i1} % 64 0)
    h = 0
    (while h < 12)
        h += 1
        i1 = i1 + h
(print i1 i2)
",
    ),
    (
        "a called function switches to a greenlet whose frame is the caller's trace's own",
        "main = (getcurrent)
turns = (func a)
    (while true)
        (if a % 3 == 0) a += (main.switch 7)
        a = {(main.switch a) + a}
b0 = (greenlet turns)
i2 = 0
f2 = (func n m)
    (if n < 3) (return m)
    i2 += (f2 n-1 m+1)
    (b0.switch 1)
    (return 0)
j = 0
(while j < 3)
    j += 1
    (f2 15 0)
    (print j (b0.switch 10))
",
    ),
    (
        "a trace that returns where another one does is compiled while that one is freed",
        "near = (class object n k)
    add = (func self a)
        (return self.n)
far = (class near w)
    init = (func self n)
        self.w = [n]
    step = (func self a)
        self.k += 1
i0 = 1
i1 = -9223372036854775809
i2 = 3
s0 = \"abc\"
turns = (func a)
        a = {(main.switch a) + a} % 1000003
f1 = (func i0 i1)
    q0 = (far 5)
    (if i0 < 3 or i0 > 40) (return i1)
    i2 += (f1 i0-1 i1+1)
    (return {i1} % 1000003)
(for k0 (range 30))
    i2 = {(f1 {(f1 {i0} % 64 {9223372036854775807} % 1000)} % 64 {i1} % 1000)} % 1000003
    (if s0.length < 200) s0 = s0 ++ s0
",
    ),
];

#[test]
fn what_went_wrong_once_prints_the_same_in_every_way() {
    for (name, source) in FOUND {
        check(name, source);
    }
}
