//! What the operations do to facts: bounds and known bits, forwards and backwards.
//!
//! * What: [`forward`] gives the fact of a result from those of the operands, [`backward`] what a decided
//!   comparison says of its operands, [`cannot_overflow`] and [`must_overflow`] decide overflow checks.
//! * Why it pays: overflow checks, bounds checks and tag tests are most of an interpreter's guards; what
//!   the facts decide needs no code.
//! * Keeps true: *soundness*. Whatever words the operands' facts admit, the result's fact admits the
//!   result ([`hotloop_ir::pure::evaluate`]). The tests try all facts over small sets of words.
//!   Operands that are impossible mean dead code: then nothing is promised, and nothing panics.
//! * Does not yet: facts of floats (beyond their sign bit), relations between variables.
//! * Source: PyPy's `intutils.py`; tristate numbers by Vishwanathan, Shachnai, Narayana and Nagarakatte
//!   (2022), trailing bits of products as in LLVM's `KnownBits::mul`.
//!
//! Ranges are computed in 128 bits, where nothing overflows, and then brought home in one of two ways:
//! [`wrapped`] for operations that wrap, [`clipped`] for those that leave the trace instead.

use hotloop_ir::pure::evaluate;
use hotloop_ir::{Class, Fact, FieldKind, Opcode};

/// The two tag bits of a reference as a language value: `ref_to_value` adds this.
const REF_TAG: u64 = 2;
/// The low bits that are 0 in every address.
const ALIGNMENT: u64 = 7;

/// No word fits.
const IMPOSSIBLE: Fact = Fact { lo: 1, hi: 0, ..Fact::ANY };

/// The fact of an operation's result; of an `int_*_ovf` if it did not overflow.
///
/// Impossible for an `int_*_ovf` that always overflows.
pub fn forward(op: Opcode, args: &[Fact]) -> Fact {
    use Opcode::*;
    if args.iter().any(Fact::is_impossible) {
        return Fact::ANY;
    }
    match (op, args) {
        (CallRaised, _) => Fact::BOOL,
        (Len, _) => Fact::range(0, i64::MAX),
        (GetType, _) => Fact::range(0, u32::MAX as i64),
        (IntAdd | IntAddOvf | IntSub | IntSubOvf | IntMul | IntMulOvf, [a, b]) => {
            let tags = tags_of(a, b, |a, b| evaluate(wrapping(op), a, b, 0));
            settled(arithmetic_bits(op, a, b).and(&arithmetic_range(op, a, b)).and(&tags))
        }
        (IntAddWraps | IntSubWraps | IntMulWraps, [a, b]) => truth(if cannot_overflow(op, a, b) {
            Some(false)
        } else if must_overflow(op, a, b) {
            Some(true)
        } else {
            None
        }),
        (IntDiv | IntDivFloor, [a, b]) => quotient(op, a, b),
        (IntRem | IntModFloor, [a, b]) => remainder(op, a, b),
        (IntAnd, [a, b]) => and(a, b),
        (IntOr, [a, b]) => not(&and(&not(a), &not(b))),
        (IntXor, [a, b]) => xor(a, b),
        (IntShl | IntSar | IntShr, [a, b]) => shift(op, a, b),
        (IntEq | IntNe | IntLt | IntLe | UintLt | UintLe | RefEq, [a, b]) => truth(decided(op, a, b)),
        (Select, [condition, a, b]) => match condition.constant() {
            Some(0) => *b,
            _ if may_be_zero(condition) => a.or(b),
            _ => *a,
        },
        (RefToValue, [a]) => {
            let aligned = settled(a.and(&bits(ALIGNMENT, 0)));
            typed(forward(IntAdd, &[aligned, Fact::exactly(REF_TAG)]), a)
        }
        (ValueToRef, [a]) => {
            let tagged = settled(a.and(&bits(ALIGNMENT & !REF_TAG, REF_TAG)));
            typed(forward(IntSub, &[tagged, Fact::exactly(REF_TAG)]), a)
        }
        (RefToInt | IntToRef | FloatToBits | BitsToFloat, [a]) => *a,
        (FloatAbs, [a]) => and(a, &Fact::exactly(!SIGN)),
        (FloatNeg, [a]) => xor(a, &Fact::exactly(SIGN)),
        // What it is computed from fits, or it is never executed.
        (FloatToValue, [a]) => folded(op, &[a]).unwrap_or(settled(Fact::FLOAT_VALUE)),
        (BoxFloat, [a]) => match a.constant() {
            Some(word) if evaluate(FloatFitsValue, word, 0, 0) != 0 => {
                Fact::exactly(evaluate(op, word, 0, 0))
            }
            _ => settled(Fact::FLOAT_OR_BOX),
        },
        (FloatFitsValue, [a]) => folded(op, &[a]).unwrap_or(Fact::BOOL),
        (ValueIsFloat, [a]) => truth(match settled(a.and(&Fact::FLOAT_VALUE)) {
            _ if a.implies(&Fact::FLOAT_VALUE) => Some(true),
            both if both.is_impossible() => Some(false),
            _ => None,
        }),
        (FloatEq | FloatLt | FloatLe, [a, b]) => folded(op, &[a, b]).unwrap_or(Fact::BOOL),
        (_, [a]) if op.class() == Class::Pure => folded(op, &[a]).unwrap_or(Fact::ANY),
        (_, [a, b]) if op.class() == Class::Pure => folded(op, &[a, b]).unwrap_or(Fact::ANY),
        _ => Fact::ANY,
    }
}

/// The facts of a comparison's operands, given that it is known to hold or not to hold.
///
/// Other operations say nothing: the operands' facts come back as they are.
pub fn backward(op: Opcode, holds: bool, a: &Fact, b: &Fact) -> (Fact, Fact) {
    use Opcode::*;
    if a.is_impossible() || b.is_impossible() {
        return (*a, *b);
    }
    match (op, holds) {
        (IntEq | RefEq, true) | (IntNe, false) => {
            let both = settled(a.and(b));
            (both, both)
        }
        (IntEq | RefEq, false) | (IntNe, true) => (without(a, b), without(b, a)),
        (IntLt, true) => below(a, b, 1),
        (IntLe, true) => below(a, b, 0),
        (IntLt, false) => swap(below(b, a, 0)),
        (IntLe, false) => swap(below(b, a, 1)),
        (UintLt, true) => below_unsigned(a, b, 1),
        (UintLe, true) => below_unsigned(a, b, 0),
        (UintLt, false) => swap(below_unsigned(b, a, 0)),
        (UintLe, false) => swap(below_unsigned(b, a, 1)),
        _ => (*a, *b),
    }
}

/// Whether an `int_*_ovf` or `int_*_wraps` never overflows for these operands.
pub fn cannot_overflow(op: Opcode, a: &Fact, b: &Fact) -> bool {
    let (lo, hi) = exact_range(op, a, b);
    lo >= MIN && hi <= MAX
}

/// Whether an `int_*_ovf` or `int_*_wraps` overflows for all operands that these facts admit.
pub fn must_overflow(op: Opcode, a: &Fact, b: &Fact) -> bool {
    let (lo, hi) = exact_range(op, a, b);
    hi < MIN || lo > MAX
}

/// Whether `x << count` loses nothing: `(x << count) >> count` is `x`.
pub fn shift_keeps(x: &Fact, count: u32) -> bool {
    x.lo >= i64::MIN >> count && x.hi <= i64::MAX >> count
}

/// What is known of a word just loaded from a field or an item.
pub fn loaded(kind: FieldKind) -> Fact {
    match kind {
        FieldKind::Byte => Fact::range(0, 255),
        FieldKind::Ref => bits(ALIGNMENT, 0),
        FieldKind::Int | FieldKind::Float | FieldKind::Value => Fact::ANY,
    }
}

/// Whether the facts decide a comparison.
pub fn decided(op: Opcode, a: &Fact, b: &Fact) -> Option<bool> {
    use Opcode::*;
    let less = |least: bool, never: bool| match (least, never) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    };
    match op {
        IntEq | RefEq => match (a.constant(), b.constant()) {
            (Some(a), Some(b)) => Some(a == b),
            _ if disjoint(a, b) => Some(false),
            _ => None,
        },
        IntNe => decided(IntEq, a, b).map(|equal| !equal),
        IntLt => less(a.hi < b.lo, a.lo >= b.hi),
        IntLe => less(a.hi <= b.lo, a.lo > b.hi),
        UintLt | UintLe => {
            let ((alo, ahi), (blo, bhi)) = (unsigned(a), unsigned(b));
            if op == UintLt { less(ahi < blo, alo >= bhi) } else { less(ahi <= blo, alo > bhi) }
        }
        _ => None,
    }
}

const MIN: i128 = i64::MIN as i128;
const MAX: i128 = i64::MAX as i128;
const SIGN: u64 = 1 << 63;

/// Known bits alone.
fn bits(zeros: u64, ones: u64) -> Fact {
    settled(Fact { zeros, ones, ..Fact::ANY })
}

/// Tightened until it stays (bounds tightened by bits may fix more bits, once).
fn settled(fact: Fact) -> Fact {
    fact.tightened().tightened()
}

/// The fact, with the heap type of another: tags don't change what is referred to.
fn typed(fact: Fact, of: &Fact) -> Fact {
    Fact { heap_type: of.heap_type, ..fact }
}

fn swap((a, b): (Fact, Fact)) -> (Fact, Fact) {
    (b, a)
}

fn truth(known: Option<bool>) -> Fact {
    known.map_or(Fact::BOOL, |truth| Fact::exactly(truth as u64))
}

/// The result, where all operands are constants.
fn folded(op: Opcode, args: &[&Fact]) -> Option<Fact> {
    let word = |index: usize| args.get(index).map_or(Some(0), |fact| fact.constant());
    Some(Fact::exactly(evaluate(op, word(0)?, word(1)?, word(2)?)))
}

/// Whether 0 fits; an address of a typed object is not null.
fn may_be_zero(fact: &Fact) -> bool {
    fact.heap_type.is_none() && fact.admits(0)
}

/// Whether no word fits both.
fn disjoint(a: &Fact, b: &Fact) -> bool {
    let types_differ = matches!((a.heap_type, b.heap_type), (Some(a), Some(b)) if a != b);
    let one_is_null =
        (a.constant() == Some(0) && !may_be_zero(b)) || (b.constant() == Some(0) && !may_be_zero(a));
    types_differ || one_is_null || settled(a.and(b)).is_impossible()
}

/// Where an exact range ends up if the operation wraps.
fn wrapped(lo: i128, hi: i128) -> Fact {
    // Sound only if all of it wraps equally often.
    if (lo - MIN) >> 64 == (hi - MIN) >> 64 { Fact::range(lo as i64, hi as i64) } else { Fact::ANY }
}

/// What of an exact range can be represented; the rest left the trace.
fn clipped(lo: i128, hi: i128) -> Fact {
    if lo > MAX || hi < MIN {
        return IMPOSSIBLE;
    }
    Fact::range(lo.max(MIN) as i64, hi.min(MAX) as i64)
}

/// The range of a sum, difference or product as if words had no end.
fn exact_range(op: Opcode, a: &Fact, b: &Fact) -> (i128, i128) {
    use Opcode::*;
    let (alo, ahi, blo, bhi) = (a.lo as i128, a.hi as i128, b.lo as i128, b.hi as i128);
    match op {
        IntAdd | IntAddOvf | IntAddWraps => (alo + blo, ahi + bhi),
        IntSub | IntSubOvf | IntSubWraps => (alo - bhi, ahi - blo),
        IntMul | IntMulOvf | IntMulWraps => extremes([alo * blo, alo * bhi, ahi * blo, ahi * bhi]),
        // Not an operation that overflows: neither "cannot" nor "must".
        _ => (i128::MIN, i128::MAX),
    }
}

fn extremes(corners: [i128; 4]) -> (i128, i128) {
    corners.iter().fold((i128::MAX, i128::MIN), |(lo, hi), &corner| (lo.min(corner), hi.max(corner)))
}

fn arithmetic_range(op: Opcode, a: &Fact, b: &Fact) -> Fact {
    let (lo, hi) = exact_range(op, a, b);
    if op.class() == Class::PureGuard { clipped(lo, hi) } else { wrapped(lo, hi) }
}

/// Known bits of sums, differences and products, over tristate numbers: value and unknown bits.
fn arithmetic_bits(op: Opcode, a: &Fact, b: &Fact) -> Fact {
    use Opcode::*;
    let (value_a, unknown_a) = (a.ones, !(a.zeros | a.ones));
    let (value_b, unknown_b) = (b.ones, !(b.zeros | b.ones));
    let (value, unknown) = match op {
        IntAdd | IntAddOvf => {
            let value = value_a.wrapping_add(value_b);
            let carries = value.wrapping_add(unknown_a).wrapping_add(unknown_b) ^ value;
            (value, carries | unknown_a | unknown_b)
        }
        IntSub | IntSubOvf => {
            let value = value_a.wrapping_sub(value_b);
            let borrows = value.wrapping_add(unknown_a) ^ value.wrapping_sub(unknown_b);
            (value, borrows | unknown_a | unknown_b)
        }
        _ => {
            // The low bits of a product depend on low bits alone; zeros below add up.
            let (zeros_a, zeros_b) = (a.zeros.trailing_ones(), b.zeros.trailing_ones());
            let (known_a, known_b) = (unknown_a.trailing_zeros(), unknown_b.trailing_zeros());
            let known = (known_a - zeros_a).min(known_b - zeros_b) + zeros_a + zeros_b;
            (value_a.wrapping_mul(value_b), !low_mask(known))
        }
    };
    bits(!(value | unknown), value & !unknown)
}

/// The tags of the result of an operation whose low bits depend on its operands' low bits alone.
fn tags_of(a: &Fact, b: &Fact, operation: impl Fn(u64, u64) -> u64) -> Fact {
    let possible = |fact: &Fact| {
        let tags = fact.tags;
        (0..8u64).filter(move |tag| tags >> tag & 1 != 0)
    };
    let pairs = possible(a).flat_map(|left| possible(b).map(move |right| (left, right)));
    let tags = pairs.fold(0, |tags, (left, right)| tags | 1 << (operation(left, right) & 7));
    Fact { tags, ..Fact::ANY }
}

/// The operation that wraps where this one leaves the trace.
fn wrapping(op: Opcode) -> Opcode {
    match op {
        Opcode::IntAddOvf => Opcode::IntAdd,
        Opcode::IntSubOvf => Opcode::IntSub,
        Opcode::IntMulOvf => Opcode::IntMul,
        _ => op,
    }
}

/// That many ones, from the bottom.
fn low_mask(count: u32) -> u64 {
    if count >= 64 { u64::MAX } else { (1 << count) - 1 }
}

fn not(fact: &Fact) -> Fact {
    let tags = fact.tags.reverse_bits();
    Fact { lo: !fact.hi, hi: !fact.lo, zeros: fact.ones, ones: fact.zeros, tags, heap_type: None }
}

fn and(a: &Fact, b: &Fact) -> Fact {
    // Clearing bits never makes a word greater, unless it clears the sign.
    let (lo, hi) = match (a.lo >= 0, b.lo >= 0) {
        (true, true) => (0, a.hi.min(b.hi)),
        (true, false) => (0, a.hi),
        (false, true) => (0, b.hi),
        (false, false) => {
            let hi = if a.hi < 0 && b.hi < 0 { a.hi.min(b.hi) } else { a.hi.max(b.hi) };
            (!low_mask(64 - (!a.lo.min(b.lo)).leading_zeros()) as i64, hi)
        }
    };
    let tags = tags_of(a, b, |a, b| a & b).tags;
    settled(Fact { lo, hi, zeros: a.zeros | b.zeros, ones: a.ones & b.ones, tags, heap_type: None })
}

fn xor(a: &Fact, b: &Fact) -> Fact {
    let zeros = (a.zeros & b.zeros) | (a.ones & b.ones);
    let ones = (a.ones & b.zeros) | (a.zeros & b.ones);
    // If both are signed numbers of so many bits, so is the result.
    let width = |fact: &Fact| {
        64 - (fact.lo ^ (fact.lo >> 63)).leading_zeros().min((fact.hi ^ (fact.hi >> 63)).leading_zeros())
    };
    let mask = low_mask(width(a).max(width(b))) as i64;
    let tags = tags_of(a, b, |a, b| a ^ b).tags;
    settled(Fact { lo: !mask, hi: mask, zeros, ones, tags, heap_type: None })
}

fn shift(op: Opcode, a: &Fact, b: &Fact) -> Fact {
    let count = and(b, &Fact::exactly(63));
    let (least, most) = (count.lo as u32, count.hi as u32);
    let known_bits = match (op, least == most) {
        (Opcode::IntShl, true) => bits((a.zeros << least) | low_mask(least), a.ones << least),
        (Opcode::IntShl, false) => bits(low_mask((a.zeros.trailing_ones() + least).min(64)), 0),
        (Opcode::IntShr, true) => bits(!(!a.zeros >> least), a.ones >> least),
        (Opcode::IntShr, false) => bits(!(u64::MAX >> least), 0),
        (_, true) => bits(((a.zeros as i64) >> least) as u64, ((a.ones as i64) >> least) as u64),
        (_, false) => Fact::ANY,
    };
    let (lo, hi) = (a.lo as i128, a.hi as i128);
    let range = match op {
        Opcode::IntShl => {
            let (lo, hi) = extremes([lo << least, lo << most, hi << least, hi << most]);
            if least == most || (lo >= MIN && hi <= MAX) { wrapped(lo, hi) } else { Fact::ANY }
        }
        Opcode::IntSar => Fact::range((a.lo >> least).min(a.lo >> most), (a.hi >> least).max(a.hi >> most)),
        _ => {
            let (lo, hi) = unsigned(a);
            from_unsigned(lo >> most, hi >> least)
        }
    };
    settled(known_bits.and(&range))
}

/// The parts of a divisor's range that may be: below zero, above zero.
fn divisors(b: &Fact) -> impl Iterator<Item = (i64, i64)> {
    [(b.lo, b.hi.min(-1)), (b.lo.max(1), b.hi)].into_iter().filter(|(lo, hi)| lo <= hi)
}

fn quotient(op: Opcode, a: &Fact, b: &Fact) -> Fact {
    if a.lo == i64::MIN && b.admits(u64::MAX) {
        // MIN / -1 wraps.
        return folded(op, &[a, b]).unwrap_or(Fact::ANY);
    }
    let divide = |a: i64, b: i64| evaluate(op, a as u64, b as u64, 0) as i64;
    let parts = divisors(b).map(|(lo, hi)| {
        // Monotone in each operand where the divisor keeps its sign. (MIN is not divided by -1, unless the
        // bits alone exclude it: then the wrapped corner is taken for the one it stands for.)
        let corners = [(a.lo, lo), (a.lo, hi), (a.hi, lo), (a.hi, hi)].map(|(a, b)| match (a, b) {
            (i64::MIN, -1) => i64::MAX,
            _ => divide(a, b),
        });
        (corners.into_iter().min(), corners.into_iter().max())
    });
    join(parts.filter_map(|(lo, hi)| Some((lo?, hi?))))
}

fn remainder(op: Opcode, a: &Fact, b: &Fact) -> Fact {
    // A remainder by a multiple of 2^k keeps the low k bits.
    let low = low_mask(b.zeros.trailing_ones());
    let known_bits = bits(a.zeros & low, a.ones & low);
    let parts = divisors(b).map(|(lo, hi)| {
        let most = (lo as i128).abs().max((hi as i128).abs()) - 1;
        let least_divisor = (lo as i128).abs().min((hi as i128).abs());
        let (lo, hi) = match (op, hi > 0) {
            (Opcode::IntRem, _) => (
                if a.lo >= 0 { 0 } else { -most.min(-(a.lo as i128)) },
                if a.hi <= 0 { 0 } else { most.min(a.hi as i128) },
            ),
            (_, true) if a.lo >= 0 => (0, most.min(a.hi as i128)),
            (_, false) if a.hi <= 0 => (-most.min(-(a.lo as i128)), 0),
            (_, true) => (0, most),
            (_, false) => (-most, 0),
        };
        // Small enough to be its own remainder.
        let own_sign = op == Opcode::IntRem || (hi > 0 && a.lo >= 0) || (lo < 0 && a.hi <= 0);
        let small = (a.lo as i128).abs().max((a.hi as i128).abs()) < least_divisor;
        if own_sign && small { (a.lo, a.hi) } else { (lo as i64, hi as i64) }
    });
    settled(join(parts).and(&known_bits))
}

/// The hull of ranges; anything, if there is none (a division by zero: never executed).
fn join(ranges: impl Iterator<Item = (i64, i64)>) -> Fact {
    ranges
        .reduce(|(alo, ahi), (blo, bhi)| (alo.min(blo), ahi.max(bhi)))
        .map_or(Fact::ANY, |(lo, hi)| Fact::range(lo, hi))
}

/// The unsigned range.
fn unsigned(fact: &Fact) -> (u64, u64) {
    if fact.lo >= 0 || fact.hi < 0 { (fact.lo as u64, fact.hi as u64) } else { (fact.ones, !fact.zeros) }
}

/// What an unsigned range says.
fn from_unsigned(lo: u64, hi: u64) -> Fact {
    match (lo < SIGN, hi < SIGN) {
        _ if lo > hi => IMPOSSIBLE,
        (true, false) => Fact::ANY,
        _ => Fact::range(lo as i64, hi as i64),
    }
}

/// `fact`, knowing that the word differs from the other one.
fn without(fact: &Fact, other: &Fact) -> Fact {
    let Some(word) = other.constant() else { return *fact };
    if fact.constant() == Some(word) {
        return IMPOSSIBLE;
    }
    let mut fact = *fact;
    if fact.lo == word as i64 {
        fact.lo += 1;
    }
    if fact.hi == word as i64 {
        fact.hi -= 1;
    }
    settled(fact)
}

/// Both, knowing that `a + gap <= b`.
fn below(a: &Fact, b: &Fact, gap: i64) -> (Fact, Fact) {
    let (Some(hi), Some(lo)) = (b.hi.checked_sub(gap), a.lo.checked_add(gap)) else {
        return (IMPOSSIBLE, IMPOSSIBLE);
    };
    (settled(a.and(&Fact { hi, ..Fact::ANY })), settled(b.and(&Fact { lo, ..Fact::ANY })))
}

/// Both, knowing that `a + gap <= b` without signs.
fn below_unsigned(a: &Fact, b: &Fact, gap: u64) -> (Fact, Fact) {
    let ((alo, ahi), (blo, bhi)) = (unsigned(a), unsigned(b));
    let (Some(hi), Some(lo)) = (bhi.checked_sub(gap), alo.checked_add(gap)) else {
        return (IMPOSSIBLE, IMPOSSIBLE);
    };
    (settled(a.and(&from_unsigned(alo, ahi.min(hi)))), settled(b.and(&from_unsigned(blo.max(lo), bhi))))
}
