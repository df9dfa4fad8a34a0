//! The transfer functions are sound: tried over all facts that small sets of words give.

use hotloop_ir::pure::{evaluate, overflows};
use hotloop_ir::{Class, Fact, Opcode};
use hotloop_opt::bounds::{backward, cannot_overflow, decided, forward, must_overflow, shift_keeps};

/// The fact of a set of words, as a whole and with each kind of knowledge alone.
fn facts_of(words: &[u64]) -> [Fact; 3] {
    let all = words.iter().map(|word| Fact::exactly(*word)).reduce(|a, b| a.or(&b)).unwrap();
    let range = Fact { lo: all.lo, hi: all.hi, ..Fact::ANY };
    let bits = Fact { zeros: all.zeros, ones: all.ones, ..Fact::ANY };
    [all.tightened(), range, bits.tightened()]
}

fn distinct(facts: impl Iterator<Item = Fact>) -> Vec<Fact> {
    let mut all: Vec<Fact> = Vec::new();
    for fact in facts {
        if !all.contains(&fact) {
            all.push(fact);
        }
    }
    all
}

/// A narrow width: the facts of all sets of the words of a window, all words of the window.
fn window(first: i64, count: u32) -> (Vec<Fact>, Vec<u64>) {
    let words: Vec<u64> = (0..count).map(|index| first.wrapping_add(index as i64) as u64).collect();
    let facts = (1u32..1 << count).flat_map(|set| {
        let members: Vec<u64> =
            (0..count).filter(|bit| set >> bit & 1 == 1).map(|bit| words[bit as usize]).collect();
        facts_of(&members)
    });
    (distinct(facts), words)
}

/// Words where something happens, and the facts of all pairs of them.
fn edges() -> (Vec<Fact>, Vec<u64>) {
    let mut words: Vec<u64> = vec![0, 1, 2, 3, 7, 8, 10, 62, 63, 64, 1 << 31, 1 << 62, (1 << 62) + 8];
    words.extend(
        [-1i64, -2, -3, -8, -(1 << 32), i64::MIN, i64::MIN + 1, i64::MAX, i64::MAX - 7]
            .map(|word| word as u64),
    );
    let pairs = words.iter().flat_map(|a| words.iter().map(|b| [*a, *b]));
    (distinct(pairs.flat_map(|pair| facts_of(&pair)).chain([Fact::ANY])), words)
}

fn binary_ops() -> impl Iterator<Item = Opcode> {
    let computes = |op: &Opcode| matches!(op.class(), Class::Pure | Class::PureGuard);
    Opcode::ALL.iter().copied().filter(computes).filter(|op| matches!(op.shape().args, b"ii" | b"rr"))
}

fn divides(op: Opcode) -> bool {
    matches!(op, Opcode::IntDiv | Opcode::IntRem | Opcode::IntDivFloor | Opcode::IntModFloor)
}

fn admitted(fact: &Fact, words: &[u64]) -> Vec<u64> {
    words.iter().copied().filter(|word| fact.admits(*word)).collect()
}

fn check_pair(op: Opcode, a: &Fact, b: &Fact, lefts: &[u64], rights: &[u64]) {
    let result = forward(op, &[*a, *b]);
    let (never, always) = (cannot_overflow(op, a, b), must_overflow(op, a, b));
    let (yes, no) = (backward(op, true, a, b), backward(op, false, a, b));
    let known = decided(op, a, b);
    let wraps = match op {
        Opcode::IntAddWraps => Some(Opcode::IntAddOvf),
        Opcode::IntSubWraps => Some(Opcode::IntSubOvf),
        Opcode::IntMulWraps => Some(Opcode::IntMulOvf),
        _ if op.class() == Class::PureGuard => Some(op),
        _ => None,
    };
    for &x in lefts {
        for &y in rights {
            if divides(op) && y == 0 {
                continue;
            }
            let word = evaluate(op, x, y, 0);
            let told = || format!("{op:?} {:?} {:?}: {a:?} {b:?}", x as i64, y as i64);
            if let Some(checked) = wraps {
                let overflow = overflows(checked, x, y);
                assert!(!(overflow && never) && (overflow || !always), "{}", told());
                if overflow && op.class() == Class::PureGuard {
                    continue;
                }
            }
            assert!(result.admits(word), "{} = {} not in {result:?}", told(), word as i64);
            if let Some(truth) = known {
                assert_eq!(truth as u64, word, "{}", told());
            }
            let (fact_x, fact_y) = if word == 0 { no } else { yes };
            assert!(fact_x.admits(x) && fact_y.admits(y), "{} refined to {fact_x:?} {fact_y:?}", told());
        }
    }
}

#[test]
fn binary_operations_over_narrow_windows() {
    for (facts, words) in
        [window(-4, 7), window(i64::MIN, 5), window(i64::MAX - 4, 5), window(i64::MAX - 2, 6)]
    {
        for op in binary_ops() {
            for a in &facts {
                let lefts = admitted(a, &words);
                facts.iter().for_each(|b| check_pair(op, a, b, &lefts, &admitted(b, &words)));
            }
        }
    }
}

#[test]
fn binary_operations_at_the_edges() {
    let (facts, words) = edges();
    let words_of: Vec<Vec<u64>> = facts.iter().map(|fact| admitted(fact, &words)).collect();
    for op in binary_ops() {
        for (a, lefts) in facts.iter().zip(&words_of).step_by(3) {
            facts.iter().zip(&words_of).for_each(|(b, rights)| check_pair(op, a, b, lefts, rights));
        }
    }
}

#[test]
fn other_operations() {
    let unary = |op: &Opcode| op.class() == Class::Pure && op.shape().args.len() == 1 && !op.is_outcome();
    let (mut facts, words) = edges();
    facts.extend([1.5f64, -0.0, f64::NAN].map(|float| Fact::exactly(float.to_bits())));
    for fact in &facts {
        for word in admitted(fact, &words) {
            for op in Opcode::ALL.iter().copied().filter(unary) {
                let meant = match op {
                    Opcode::RefToValue => word & 7 == 0,
                    Opcode::ValueToRef => word & 7 == 2,
                    Opcode::FloatToValue | Opcode::BoxFloat => {
                        evaluate(Opcode::FloatFitsValue, word, 0, 0) == 1
                    }
                    _ => true,
                };
                let result = forward(op, &[*fact]);
                assert!(
                    !meant || result.admits(evaluate(op, word, 0, 0)),
                    "{op:?} {word:#x} {fact:?}: {result:?}"
                );
            }
            for count in 0..64 {
                let kept = ((word << count) as i64) >> count == word as i64;
                assert!(kept || !shift_keeps(fact, count), "{word:#x} << {count}");
            }
            let chosen = forward(Opcode::Select, &[*fact, Fact::range(5, 6), Fact::exactly(9)]);
            assert!(chosen.admits(if word != 0 { 6 } else { 9 }));
        }
    }
}

#[test]
fn facts_are_as_tight_as_hoped() {
    use Opcode::*;
    let small = Fact::range(0, 5_000_000);
    assert!(cannot_overflow(IntMulOvf, &small, &small));
    assert_eq!(forward(IntMulOvf, &[small, small]).hi, 25_000_000_000_000);
    let tagged = forward(IntShl, &[small, Fact::exactly(3)]);
    assert_eq!((tagged.lo, tagged.hi, tagged.zeros & 7), (0, 40_000_000, 7));
    assert_eq!(forward(IntAnd, &[tagged, Fact::exactly(7)]).constant(), Some(0));
    let sum = forward(IntAdd, &[Fact { zeros: 7, ..Fact::ANY }, Fact { zeros: 7, ..Fact::ANY }]);
    assert_eq!(sum.zeros & 7, 7);
    let product = forward(IntMul, &[Fact { zeros: 7, ..Fact::ANY }, Fact::ANY]);
    assert_eq!(product.zeros & 7, 7);
    let value = forward(RefToValue, &[Fact { heap_type: Some(4), ..Fact::ANY }]);
    assert_eq!((value.zeros & 7, value.ones & 7, value.heap_type), (5, 2, Some(4)));
    assert_eq!(forward(ValueToRef, &[value]).zeros & 7, 7);
    assert_eq!(forward(IntAnd, &[value, Fact::exactly(7)]).constant(), Some(2));
    let float = forward(FloatToValue, &[Fact::ANY]);
    assert_eq!(forward(ValueIsFloat, &[float]).constant(), Some(1));
    assert_eq!(forward(ValueIsFloat, &[value]).constant(), Some(0));
    let either = forward(IntOr, &[Fact::ANY, float]);
    assert_eq!(
        forward(IntEq, &[forward(IntAnd, &[either, Fact::exactly(7)]), Fact::exactly(0)]).constant(),
        Some(0)
    );
    let (index, _) = backward(UintLt, true, &Fact::ANY, &Fact::range(0, 10));
    assert_eq!((index.lo, index.hi), (0, 9));
    assert_eq!(backward(IntNe, true, &Fact::BOOL, &Fact::exactly(0)).0.constant(), Some(1));
    assert_eq!(forward(IntSubOvf, &[Fact::range(3, i64::MAX), Fact::exactly(1)]).lo, 2);
    assert!(forward(IntAddOvf, &[Fact::exactly(i64::MAX as u64), Fact::range(1, 2)]).is_impossible());
    assert_eq!(forward(IntModFloor, &[Fact::ANY, Fact::exactly(10)]), Fact::range(0, 9));
    assert_eq!(forward(IntDivFloor, &[Fact::range(-7, 7), Fact::exactly(2)]), Fact::range(-4, 3));
    let null = Fact::exactly(0);
    assert_eq!(forward(RefEq, &[Fact { heap_type: Some(1), ..Fact::ANY }, null]).constant(), Some(0));
    assert_eq!(forward(IntShr, &[Fact::ANY, Fact::exactly(60)]), Fact::range(0, 15));
}
