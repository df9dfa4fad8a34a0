//! The verifier finds what is broken.

use hotloop_ir::parse::parse;
use hotloop_ir::verify::verify;

const DECLARATIONS: &str = "\
type verify.Cell id 1 size 16 { field word int 8 mutable }
type verify.Array id 2 size 16 { } items ref mutable
function verify.act effect any raises
function verify.sum effect elidable returns int
function verify.c effect outside returns int foreign [f32, u64] i32
";

/// What the verifier says of a trace that starts with an int, a ref and a float.
fn fault(text: &str) -> String {
    let inputs = "i = input int\np = input ref\nf = input float\n";
    let trace =
        parse(&format!("{DECLARATIONS}{inputs}{text}")).unwrap_or_else(|error| panic!("{error}\n{text}"));
    verify(&trace).err().unwrap_or_default()
}

#[test]
fn correct_traces_pass() {
    for text in [
        "loop [i, p, f]",
        "label\na = phi i\nb = int_add a, 1\nloop [b]",
        "c = call verify.act [i]\nr = call_raised c\nguard_false r !0\nexit !0",
        "setfield p, i verify.Cell.word\nx = getitem p, i verify.Array\nenter 3 []",
        "x = int_add_ovf i, 1 !0\nexit !0\nresume 0: at 1 state [i, obj0]\nobject 0 virtual 1 verify.Array [obj0]",
        "instr 3 [i, _] events 0\nexit !0",
        "x = load_raw i, 8 f32\nstore_raw i, i, x f64\nc = call verify.c [i, x, i]\nloop [c, p, f]",
    ] {
        assert_eq!(fault(text), "", "{text}");
    }
}

#[test]
fn broken_traces_do_not() {
    let resumed = |resume: &str| format!("x = int_add i, 1\nexit !0\nresume 0: {resume}");
    for (text, expected) in [
        ("x = int_add i, 1".to_string(), "does not end"),
        ("store_raw i, i, f i32\nexit".into(), "of another type"),
        ("x = load_raw p, 0 i32\nexit".into(), "p is of the wrong type"),
        ("c = call verify.c [i, i, i]\nexit".into(), "arguments that are not [f32, u64] i32"),
        ("c = call verify.c [f, i]\nexit".into(), "arguments that are not"),
        ("c = call_unless verify.c [i, i, f, i]\nexit".into(), "can't be one of C"),
        ("exit\nexit".into(), "the end comes before"),
        ("label\nq = input int\nexit".into(), "an input after"),
        ("x = int_add i, p\nexit".into(), "p is of the wrong type"),
        ("x = float_neg i\nexit".into(), "wrong type"),
        ("x = int_add i, _\nexit".into(), "missing"),
        ("loop [i, p]".into(), "2 values for 3"),
        ("loop [i, f, p]".into(), "another type than v1"),
        ("label\na = phi i\nloop [i, p, f]".into(), "3 values for 1"),
        ("a = phi i\nexit".into(), "not at the label"),
        ("label\nlabel\nexit".into(), "second label"),
        ("guard_value i, i\nexit".into(), "compares with a variable"),
        ("guard_value i, null\nexit".into(), "of another type"),
        ("setfield p, p verify.Cell.word\nexit".into(), "type of the place"),
        ("x = getitem p, i verify.Cell\nexit".into(), "has no items"),
        ("c = call verify.act []\nlabel\nr = call_raised c\nexit".into(), "not just before"),
        ("c = call verify.sum []\nr = call_raised c\nexit".into(), "never raises"),
        ("c = call verify.act []\nx = int_add c, 1\nexit".into(), "has no value"),
        ("guard_true i !2\nexit".into(), "no 2 events"),
        ("x = int_add i, 1 !0\nexit".into(), "where nothing leaves"),
        ("instr 3 [] events 7\nexit".into(), "no 7 events"),
        ("guard_true i !1\nexit !0\nevent 0 alloc p\nevent 1 read p".into(), "0 events after 1"),
        ("fact i type=verify.Cell\nx = int_add i, 1\nfact x any\nexit".into(), "no input"),
        ("guard_true i\nexit !0\nresume 0: at 1 state []".into(), "without resume data"),
        ("exit !1\nresume 0: at 1 state []".into(), "no such resume"),
        ("guard_true i !0\nx = int_add i, 1\nexit !0\nresume 0: at 1 state [x]".into(), "not defined before"),
        (resumed("at 1 state [obj0]"), "no object 0"),
        (resumed("at 1 state [keep]"), "outside of an object"),
        (resumed("at 1 state [getfield(p)]"), "no expression"),
        (resumed("at 1 state [int_add(i)]"), "no expression"),
        (resumed("at 1 state [int_add(i, p)]"), "wrong type"),
        (resumed("at 1 state []\nobject 0 virtual 0 verify.Cell []"), "0 slots"),
        (resumed("at 1 state []\nobject 0 virtual 0 verify.Cell [p]"), "wrong type"),
        (resumed("at 1 state []\nobject 0 virtual 0 verify.Cell [keep]"), "keeps nothing"),
        (resumed("at 1 state []\nobject 0 existing i verify.Cell [keep]"), "wrong type"),
        (resumed("at 1 state []\nstore p slot verify.Cell 1 = i"), "no slot 1"),
        (resumed("at 1 state []\nstore p verify.Cell.word = f"), "wrong type"),
        (resumed("at 1 state []\nstore p item verify.Array f = p"), "wrong type"),
        (resumed("at 1 state [] events 3\nlog 1 check 0 skip\nlog 0 check 0 skip"), "not in order"),
        (resumed("at 1 state [] events 1\nlog 1 check 0 skip"), "not before the guard"),
    ] {
        let found = fault(&text).replace("v1 is", "p is").replace("than p", "than v1");
        assert!(found.contains(expected), "{text}\nsays: {found}");
    }
}
