//! What is compiled to what, and that every code keeps what the verifier checks.

use super::{Options, compile};
use crate::code;

/// The bytecode of a program.
fn check(text: &str, expected: &str) {
    let program = compile(text.as_bytes(), &Options::default()).unwrap();
    code::verify(&program).unwrap();
    let shown = program.to_string();
    assert_eq!(words(&shown), words(expected), "\n{shown}");
}

fn words(text: &str) -> Vec<String> {
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.filter(|line| !line.is_empty()).collect()
}

#[test]
fn the_seed_benchmark_at_the_top_level() {
    check(
        "(while k < 500)\n    (assert k+j*k >= 0)\n    k += 1",
        "f0 -: function of 0, 5 slots
           0 LoadCell r0 k
           1 JumpLtInt r1 r0 500 <
           2 JumpIfFalse r1 @14
           3 LoadCell r1 k
           4 LoadCell r3 j
           5 LoadCell r4 k
           6 Mul r2 r3 r4 *
           7 Add r0 r1 r2 +
           8 JumpGeInt r1 r0 0 >=
           9 JumpIfFalse r1 @16
          10 LoadCell r0 k
          11 AddInt r0 r0 1 +
          12 StoreCell k r0
          13 Loop @0
          14 LoadNull r0
          15 Return r0
          16 AssertFail",
    );
}

/// What is never read again is not live, be its register in use.
#[test]
fn only_what_is_read_later_is_live() {
    let source = "f = (func n m)\n    i = 0\n    (while i < n) (if i * m > 3) i += 1\n    (return n)";
    let program = compile(source.as_bytes(), &Options::default()).unwrap();
    let code = &program.codes[1];
    let shown: Vec<String> = code
        .instrs
        .iter()
        .zip(&code.live)
        .map(|(op, live)| format!("{} {:b}", op.name(), live.parts().1))
        .collect();
    assert_eq!(
        shown.join(", "),
        "LoadInt 11, JumpLt 111, JumpIfFalse 1111, Mul 111, JumpGtInt 1111, JumpIfFalse 10111, AddInt 111, Loop 111, Return 1"
    );
}

#[test]
fn locals_live_in_registers() {
    check(
        "f = (func n)\n    i = 0\n    (while i < n) i += 1\n    (return (f i -1))",
        "f0 -: function of 0, 1 slots
           0 MakeClosure r0 f1
           1 StoreCell f r0
           2 LoadNull r0
           3 Return r0
         f1 f: function of 1, 7 slots
           0 LoadInt r1 0
           1 JumpLt r2 r1 r0 <
           2 JumpIfFalse r2 @5
           3 AddInt r1 r1 1 +
           4 Loop @1
           5 LoadCell r4 f
           6 Move r5 r1
           7 LoadInt r6 -1
           8 Call r3 r4 2
           9 Return r3",
    );
}

#[test]
fn captured_variables_live_in_environments() {
    check(
        "f = (func)\n    n = 0\n    g = (func)\n        n += 1\n        h = (func) g\n    (return g)",
        "f0 -: function of 0, 1 slots
           0 MakeClosure r0 f1
           1 StoreCell f r0
           2 LoadNull r0
           3 Return r0
         f1 f: function of 0, 2 slots
           0 MakeEnv 2
           1 LoadInt r0 0
           2 StoreEnv 0 0 r0
           3 MakeClosure r0 f2
           4 StoreEnv 0 1 r0
           5 LoadEnv r1 0 1
           6 Return r1
         f2 g: function of 0, 2 slots
           0 LoadEnv r1 0 0
           1 AddInt r1 r1 1 +
           2 StoreEnv 0 0 r1
           3 MakeClosure r0 f3
           4 LoadNull r1
           5 Return r1
         f3 h: function of 0, 1 slots
           0 LoadEnv r0 0 1
           1 JumpIfSet r0 @3
           2 LoadCell r0 g
           3 LoadNull r0
           4 Return r0",
    );
}

#[test]
fn a_name_that_may_be_unset_falls_through_to_the_outer_one() {
    check(
        "f = (func c)\n    (if c) x = 1\n    x += c",
        "f0 -: function of 0, 1 slots
           0 MakeClosure r0 f1
           1 StoreCell f r0
           2 LoadNull r0
           3 Return r0
         f1 f: function of 1, 3 slots
           0 LoadUnset r1
           1 JumpIfFalse r0 @3
           2 LoadInt r1 1
           3 JumpIfSet r1 @6
           4 LoadCell r2 x
           5 Jump @7
           6 Move r2 r1
           7 Add r2 r2 r0 +
           8 JumpIfSet r1 @11
           9 StoreCell x r2
          10 Jump @12
          11 Move r1 r2
          12 LoadNull r2
          13 Return r2",
    );
}

#[test]
fn a_program_may_define_operators() {
    check(
        "{+} = f\ny = 1 + 2 - 3\n(if not x and y) x",
        "f0 -: function of 0, 5 slots
           0 LoadCell r0 f
           1 StoreCell + r0
           2 LoadCell r2 +
           3 LoadInt r3 1
           4 LoadInt r4 2
           5 Call r1 r2 2
           6 SubInt r0 r1 3 -
           7 StoreCell y r0
           8 LoadCell r0 x
           9 JumpIfTrue r0 @13
          10 LoadCell r0 y
          11 JumpIfFalse r0 @13
          12 LoadCell r0 x
          13 LoadNull r0
          14 Return r0",
    );
}

#[test]
fn operands_are_evaluated_before_what_follows_them() {
    // The left operand is the old value of x, in a copy.
    check(
        "f = (func x)\n    (return x - {x = 1})",
        "f0 -: function of 0, 1 slots
           0 MakeClosure r0 f1
           1 StoreCell f r0
           2 LoadNull r0
           3 Return r0
         f1 f: function of 1, 5 slots
           0 Move r3 r0
           1 LoadInt r0 1
           2 Move r4 r0
           3 Sub r2 r3 r4 -
           4 Return r2",
    );
}

#[test]
fn an_index_that_is_a_small_literal_is_part_of_its_instruction() {
    check(
        "f = (func a i)\n    a[1] += a[i]\n    a[100000] = a[7]\n    (return a[0])\n",
        "f0 -: function of 0, 1 slots
           0 MakeClosure r0 f1
           1 StoreCell f r0
           2 LoadNull r0
           3 Return r0
         f1 f: function of 2, 4 slots
           0 GetItem r2 r0 r1
           1 GetItemInt r3 r0 1
           2 Add r3 r3 r2 +
           3 SetItemInt r0 1 r3
           4 GetItemInt r2 r0 7
           5 LoadInt r3 100000
           6 SetItem r0 r3 r2
           7 GetItemInt r3 r0 0
           8 Return r3",
    );
}

#[test]
fn strings_in_a_row_are_joined_at_once() {
    check(
        "f = (func a b c)\n    (return a ++ b ++ (c) ++ \"d\")",
        "f0 -: function of 0, 1 slots
           0 MakeClosure r0 f1
           1 StoreCell f r0
           2 LoadNull r0
           3 Return r0
         f1 f: function of 3, 9 slots
           0 Move r5 r0
           1 Move r6 r1
           2 Piece r6 r5 2 ++
           3 Move r8 r2
           4 Call r7 r8 0
           5 Piece r7 r5 3 ++
           6 LoadConst r8 Str(\"d\")
           7 JoinPieces r4 r5 4 ++
           8 Return r4",
    );
}

#[test]
fn a_comparison_with_null_has_one_operand() {
    check(
        "f = (func a)\n    (if a == null) (a)\n    (while a != null) (a)",
        "f0 -: function of 0, 1 slots
           0 MakeClosure r0 f1
           1 StoreCell f r0
           2 LoadNull r0
           3 Return r0
         f1 f: function of 1, 3 slots
           0 JumpEqNull r1 r0 ==
           1 JumpIfFalse r1 @4
           2 Move r2 r0
           3 Call r1 r2 0
           4 JumpNeNull r1 r0 !=
           5 JumpIfFalse r1 @9
           6 Move r2 r0
           7 Call r1 r2 0
           8 Loop @4
           9 LoadNull r1
          10 Return r1",
    );
}

#[test]
fn a_long_chain_of_strings_takes_few_registers() {
    let chain = format!("(print {})", vec!["a"; 100].join(" ++ "));
    let program = compile(chain.as_bytes(), &Options::default()).unwrap();
    code::verify(&program).unwrap();
    assert!(program.codes[0].slots < 24);
}

#[test]
fn a_method_with_arguments_at_hand_is_looked_for_and_called_at_once() {
    check(
        "f = (func l x)\n    (l.append x)\n    (l.append (x))",
        "f0 -: function of 0, 1 slots
           0 MakeClosure r0 f1
           1 StoreCell f r0
           2 LoadNull r0
           3 Return r0
         f1 f: function of 2, 7 slots
           0 Move r5 r1
           1 Invoke r3 r0 .append 1
           2 CallMethod r2 r3 1
           3 LoadMethod r3 r0 .append
           4 Move r6 r1
           5 Call r5 r6 0
           6 CallMethod r2 r3 1
           7 LoadNull r2
           8 Return r2",
    );
}
