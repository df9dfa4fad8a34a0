//! Algebraic simplification: named rules, one operation at a time.
//!
//! * What: [`simplify`] is asked about one operation and answers keep, same as an operand, a constant, or
//!   another operation. It owns no knowledge; facts and definitions come through [`Known`].
//! * Why it pays: interpreters shift tags in and out, compare comparisons with 0 and check what cannot
//!   happen; this is where that disappears.
//! * Before: `v3 = int_shl v1, 3; v4 = int_shl v2, 3; v5 = int_lt v3, v4; v6 = int_eq v5, 0`.
//!   After: `v6 = int_le v2, v1` (if the facts say that the shifts lose nothing).
//! * Keeps true: the answer computes the same word for all words that the facts admit, never more work,
//!   and mentions only operands and operands of their definitions. A replacement may be simplified again:
//!   each rule lowers the operation, its depth or its number of constants, so that ends.
//! * Does not yet: rules over the operands' users, reassociation beyond constants, division by constants
//!   that are not powers of two.
//! * Source: PyPy's `ruleopt/real.rules`; each rule is tried in `tests/rules.rs` on all words of a narrow
//!   window and at the edges.
//!
//! The rules (`c` constant, `b` a boolean; "if" is asked of the facts):
//!
//! ```text
//! decided          op(..) -> c                       if the facts leave one result
//! same_operands    x-x, x^x, x<x -> 0; x==x, x<=x, x/x -> 1; x&x, x|x, select(b,x,x) -> x
//! add_zero mul_one sub_zero div_one shift_zero    x+0, x*1, x-0, x/1, x<<0 -> x (also `_ovf`)
//! add_add          (x+c1)+c2, (x-c1)+c2, (x+c1)-c2, (x-c1)-c2 -> x+c
//! cancel           (x+y)-y, (x-y)+y, x-(x-y) -> x, x, y
//! negate_negate    0-(0-x) -> x                      mul_minus_one    x*-1 -> 0-x
//! mul_power        x*2^k -> x<<k                     mul_mul          (x*c1)*c2 -> x*c
//! mul_ovf_two      int_mul_ovf(x,2) -> int_add_ovf(x,x)
//! no_overflow      int_*_ovf -> int_*                if it can't overflow
//! floor_power      div_floor(x,2^k) -> x>>k; mod_floor(x,2^k) -> x&(2^k-1)
//! trunc_power      the same for div, rem             if x >= 0
//! rem_small        rem(x,y), mod_floor(x,y) -> x     if 0 <= x < y
//! and_useless      x&m -> x                          if all other bits of x are 0
//! or_useless       x|m -> x                          if all bits of m are 1 in x, or m is 0
//! bits_bits        (x&c1)&c2, (x|c1)|c2, (x^c1)^c2 -> x op c
//! and_skips        (x|c1)&c2, (x^c1)&c2, (x+c1)&c2, (x-c1)&c2 -> x&c2   if c1 can't reach the bits of c2
//! xor_zero         x^0 -> x
//! shl_sar shl_shr  (x<<c1)>>c2 -> x, x<<c, x>>c      if the shift loses nothing; x&c for logical ones
//! sar_shl          (x>>c)<<c -> x                    if the low bits are 0; else x & -2^c
//! shift_shift      (x<<c1)<<c2, (x>>c1)>>c2 -> x<<c, x>>c or 0
//! bool_itself      b==1, b!=0 -> b                   not_bool         b==0, b!=1, b^1 -> the opposite comparison
//! eq_add eq_sub eq_xor   x+c1==c2, x-c1==c2, x^c1==c2 -> x==c;  x-y==0, x^y==0 -> x==y (also !=)
//! order_add        x+c1<c2, c2<x+c1 -> x<c, c<x      if nothing overflows (also <=)
//! shl_const        x<<c1==c2, x<<c1<c2, c2<x<<c1 ..  -> x==c, x<c, c<x  if the shift loses nothing
//! shl_shl          x<<c==y<<c, x<<c<y<<c ..          -> x==y, x<y       if the shifts lose nothing
//! eq_refs          ref_to_value(p)==ref_to_value(q) -> ref_eq(p,q) (also ref_to_int)
//! ref_eq_words     ref_eq(value_to_ref(x), value_to_ref(y)) -> x==y (also int_to_ref, and null)
//! there_and_back   ref_to_value(value_to_ref(x)) -> x and the other pairs; neg(neg(x)) -> x
//! untag_as_int     ref_to_int(value_to_ref(x)) -> x-2
//! select_known     select(c,x,y) -> x or y           select_bool      select(b,1,0) -> b; select(b,0,1) -> b==0
//! select_test      select(x!=0,y,z) -> select(x,y,z); select(x==0,y,z) -> select(x,z,y)
//! fits_if_float    float_fits_value(value_to_float(x)) -> value_is_float(x)
//! unbox            value_to_float(box_float(x)) -> x; value_is_float(box_float(x)) -> float_fits_value(x)
//! box_unneeded     box_float(value_to_float(x)) -> x if x is tagged; box_float(int_to_float(x)) -> float_to_value
//! float_unit       x*1.0, x/1.0, x-0.0, x+-0.0 -> x  (not x+0.0, which is 0.0 for -0.0)
//! abs_of           abs(neg(x)), abs(abs(x)) -> abs(x)
//! int_of_float     float_to_int(int_to_float(x)) -> x      if |x| <= 2^53
//! float_of_ints    float_lt(int_to_float(x), int_to_float(y)) -> int_lt(x,y) ..   if both |..| <= 2^53
//! constant_right   c op x -> x op c                  for commutative operations
//! ```

use hotloop_ir::pure::evaluate;
use hotloop_ir::{Class, Fact, Opcode, Operand, Ty};

use Opcode::*;

use crate::bounds::{cannot_overflow, forward, shift_keeps};

/// What the rules may ask about operands.
pub trait Known {
    /// The fact of an operand.
    fn fact(&self, operand: Operand) -> Fact;
    /// The operation that defines an operand, if it is pure.
    fn definition(&self, operand: Operand) -> Option<(Opcode, [Operand; 3])>;
    /// The word of a constant.
    fn constant(&self, operand: Operand) -> Option<u64>;
}

/// An operand of a replacement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Term {
    /// One that exists.
    Operand(Operand),
    /// A new integer constant.
    Int(u64),
}

/// What becomes of an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// It stays.
    Keep,
    /// Its result is this operand.
    Same(Operand),
    /// Its result is this word, a constant of the operation's result type.
    Const(u64),
    /// Another operation takes its place; unused terms are `Term::Int(0)`.
    Replace(Opcode, [Term; 3]),
}

/// What becomes of an operation, pure or `int_*_ovf`. A replacement is worth asking about again.
pub fn simplify(op: Opcode, args: &[Operand], known: &dyn Known) -> Answer {
    simplify_by(op, args, known).map_or(Answer::Keep, |(_, answer)| answer)
}

/// The same with the name of the rule, for logs and tests; nothing if no rule applies.
pub fn simplify_by(op: Opcode, args: &[Operand], known: &dyn Known) -> Option<(&'static str, Answer)> {
    if !matches!(op.class(), Class::Pure | Class::PureGuard) {
        return None;
    }
    let mut all = [Operand::NONE; 3];
    all[..args.len()].copy_from_slice(args);
    let swap = op.is_commutative() && known.constant(all[0]).is_some() && known.constant(all[1]).is_none();
    if swap {
        all.swap(0, 1);
    }
    let site = Site { op, args: all, count: args.len(), known };
    let found = COMMON.iter().chain(rules_of(op)).find_map(|rule| Some((rule.name, (rule.apply)(&site)?)));
    found.or_else(|| swap.then(|| ("constant_right", replace(op, all[0], all[1]).unwrap_or(Answer::Keep))))
}

/// A rule: condition and action in one function.
struct Rule {
    name: &'static str,
    apply: fn(&Site) -> Option<Answer>,
}

const fn rule(name: &'static str, apply: fn(&Site) -> Option<Answer>) -> Rule {
    Rule { name, apply }
}

/// The operation asked about. A constant operand of a commutative one stands on the right.
struct Site<'a> {
    op: Opcode,
    args: [Operand; 3],
    count: usize,
    known: &'a dyn Known,
}

impl Site<'_> {
    fn fact(&self, index: usize) -> Fact {
        self.known.fact(self.args[index])
    }

    /// The word of an operand that is a constant.
    fn word(&self, index: usize) -> Option<u64> {
        self.known.constant(self.args[index])
    }

    /// The operands of an operand that is defined by `op`.
    fn defined(&self, index: usize, op: Opcode) -> Option<(Operand, Operand)> {
        let (found, args) = self.known.definition(self.args[index])?;
        (found == op).then_some((args[0], args[1]))
    }

    /// Operand and constant of an operand that is defined by `op` of something and a constant.
    fn defined_const(&self, index: usize, op: Opcode) -> Option<(Operand, u64)> {
        let (x, y) = self.defined(index, op)?;
        Some((x, self.known.constant(y)?))
    }

    fn same(&self, index: usize) -> Option<Answer> {
        Some(Answer::Same(self.args[index]))
    }

    fn is_bool(&self, index: usize) -> bool {
        self.fact(index).implies(&Fact::BOOL)
    }

    fn keeps(&self, x: Operand, count: u64) -> bool {
        shift_keeps(&self.known.fact(x), count as u32)
    }
}

impl From<Operand> for Term {
    fn from(operand: Operand) -> Term {
        Term::Operand(operand)
    }
}

impl From<u64> for Term {
    fn from(word: u64) -> Term {
        Term::Int(word)
    }
}

fn replace(op: Opcode, x: impl Into<Term>, y: impl Into<Term>) -> Option<Answer> {
    Some(Answer::Replace(op, [x.into(), y.into(), Term::Int(0)]))
}

fn constant(word: u64) -> Option<Answer> {
    Some(Answer::Const(word))
}

/// The exponent of a power of two, the sign bit included.
fn power(word: u64) -> Option<u64> {
    word.is_power_of_two().then(|| word.trailing_zeros() as u64)
}

/// The exponent of a power of two that is positive as a signed number.
fn positive_power(word: u64) -> Option<u64> {
    power(word).filter(|exponent| *exponent < 63)
}

/// Tried on every operation.
const COMMON: &[Rule] = &[rule("decided", decided), rule("same_operands", same_operands)];

/// What to try on an operation, in order.
fn rules_of(op: Opcode) -> &'static [Rule] {
    match op {
        IntAdd | IntSub => SUMS,
        IntMul => PRODUCTS,
        IntAddOvf | IntSubOvf | IntMulOvf => CHECKED,
        IntDiv | IntRem | IntDivFloor | IntModFloor => QUOTIENTS,
        IntAnd | IntOr | IntXor => BITS,
        IntShl | IntSar | IntShr => SHIFTS,
        IntEq | IntNe | IntLt | IntLe | UintLt | UintLe => COMPARISONS,
        Select => SELECTS,
        RefEq | RefToValue | ValueToRef | RefToInt | IntToRef => REFERENCES,
        _ => FLOATS,
    }
}

fn decided(site: &Site) -> Option<Answer> {
    if site.op.is_outcome() {
        return None;
    }
    if site.op.shape().result != Some(Some(Ty::Int)) {
        // Floats and addresses fold from constants alone: a fact about an address is no constant object.
        let mut words = [0; 3];
        for (index, word) in words.iter_mut().enumerate().take(site.count) {
            *word = site.word(index)?;
        }
        return constant(evaluate(site.op, words[0], words[1], words[2]));
    }
    let mut facts = [Fact::ANY; 3];
    for (index, fact) in facts.iter_mut().enumerate().take(site.count) {
        *fact = site.fact(index);
    }
    if site.op.class() == Class::PureGuard && !cannot_overflow(site.op, &facts[0], &facts[1]) {
        return None;
    }
    constant(forward(site.op, &facts[..site.count]).constant()?)
}

fn same_operands(site: &Site) -> Option<Answer> {
    let (left, right) = if site.op == Select { (1, 2) } else { (0, 1) };
    if site.count < 2 || site.args[left] != site.args[right] {
        return None;
    }
    match site.op {
        IntSub | IntSubOvf | IntSubWraps | IntXor | IntRem | IntModFloor => constant(0),
        IntNe | IntLt | UintLt | FloatLt => constant(0),
        IntEq | IntLe | UintLe | RefEq | IntDiv | IntDivFloor => constant(1),
        IntAnd | IntOr | Select => site.same(left),
        _ => None,
    }
}

const SUMS: &[Rule] = &[
    rule("add_zero", |s| if s.op == IntAdd && s.word(1)? == 0 { s.same(0) } else { None }),
    rule("sub_zero", |s| if s.op == IntSub && s.word(1)? == 0 { s.same(0) } else { None }),
    rule("add_add", |s| {
        let second = if s.op == IntAdd { s.word(1)? } else { s.word(1)?.wrapping_neg() };
        let added = s.defined_const(0, IntAdd);
        let (x, first) = added.or_else(|| s.defined_const(0, IntSub).map(|(x, c)| (x, c.wrapping_neg())))?;
        replace(IntAdd, x, first.wrapping_add(second))
    }),
    rule("negate_negate", |s| match (s.op, s.word(0)?, s.defined(1, IntSub)?) {
        (IntSub, 0, (zero, x)) if s.known.constant(zero) == Some(0) => Some(Answer::Same(x)),
        _ => None,
    }),
    rule("cancel", |s| {
        let (left, right) = (s.args[0], s.args[1]);
        if s.op == IntSub {
            return match (s.defined(0, IntAdd), s.defined(1, IntSub)) {
                (Some((x, y)), _) if y == right => Some(Answer::Same(x)),
                (Some((x, y)), _) if x == right => Some(Answer::Same(y)),
                (_, Some((x, y))) if x == left => Some(Answer::Same(y)),
                _ => None,
            };
        }
        match (s.defined(0, IntSub), s.defined(1, IntSub)) {
            (Some((x, y)), _) if y == right => Some(Answer::Same(x)),
            (_, Some((x, y))) if y == left => Some(Answer::Same(x)),
            _ => None,
        }
    }),
];

const PRODUCTS: &[Rule] = &[
    rule("mul_one", |s| if s.word(1)? == 1 { s.same(0) } else { None }),
    rule("mul_minus_one", |s| if s.word(1)? == u64::MAX { replace(IntSub, 0, s.args[0]) } else { None }),
    rule("mul_mul", |s| {
        let (x, first) = s.defined_const(0, IntMul)?;
        replace(IntMul, x, first.wrapping_mul(s.word(1)?))
    }),
    rule("mul_power", |s| replace(IntShl, s.args[0], power(s.word(1)?)?)),
];

const CHECKED: &[Rule] = &[
    rule("add_zero", |s| if s.op == IntAddOvf && s.word(1)? == 0 { s.same(0) } else { None }),
    rule("sub_zero", |s| if s.op == IntSubOvf && s.word(1)? == 0 { s.same(0) } else { None }),
    rule("mul_one", |s| if s.op == IntMulOvf && s.word(1)? == 1 { s.same(0) } else { None }),
    rule("no_overflow", |s| {
        let plain = match s.op {
            IntAddOvf => IntAdd,
            IntSubOvf => IntSub,
            _ => IntMul,
        };
        if cannot_overflow(s.op, &s.fact(0), &s.fact(1)) {
            replace(plain, s.args[0], s.args[1])
        } else {
            None
        }
    }),
    rule("mul_ovf_two", |s| {
        if s.op == IntMulOvf && s.word(1)? == 2 { replace(IntAddOvf, s.args[0], s.args[0]) } else { None }
    }),
];

const QUOTIENTS: &[Rule] = &[
    rule("div_one", |s| match (s.op, s.word(1)?) {
        (IntDiv | IntDivFloor, 1) => s.same(0),
        _ => None,
    }),
    rule("floor_power", |s| {
        let exponent = positive_power(s.word(1)?)?;
        match s.op {
            IntDivFloor => replace(IntSar, s.args[0], exponent),
            IntModFloor => replace(IntAnd, s.args[0], (1 << exponent) - 1),
            _ => None,
        }
    }),
    rule("trunc_power", |s| {
        let exponent = positive_power(s.word(1)?)?;
        match s.op {
            _ if s.fact(0).lo < 0 => None,
            IntDiv => replace(IntSar, s.args[0], exponent),
            IntRem => replace(IntAnd, s.args[0], (1 << exponent) - 1),
            _ => None,
        }
    }),
    rule("rem_small", |s| {
        let small = s.fact(0).lo >= 0 && s.fact(0).hi < s.fact(1).lo;
        if small && matches!(s.op, IntRem | IntModFloor) { s.same(0) } else { None }
    }),
];

const BITS: &[Rule] = &[
    rule("and_useless", |s| match (s.op, s.fact(0), s.fact(1)) {
        (IntAnd, a, b) if a.zeros | b.ones == u64::MAX => s.same(0),
        (IntAnd, a, b) if b.zeros | a.ones == u64::MAX => s.same(1),
        _ => None,
    }),
    rule("or_useless", |s| match (s.op, s.fact(0), s.fact(1)) {
        (IntOr, a, b) if b.zeros | a.ones == u64::MAX => s.same(0),
        (IntOr, a, b) if a.zeros | b.ones == u64::MAX => s.same(1),
        _ => None,
    }),
    rule("xor_zero", |s| if s.op == IntXor && s.word(1)? == 0 { s.same(0) } else { None }),
    rule("bits_bits", |s| {
        let (x, first) = s.defined_const(0, s.op)?;
        replace(s.op, x, evaluate(s.op, first, s.word(1)?, 0))
    }),
    rule("and_skips", |s| {
        let mask = if s.op == IntAnd { s.word(1)? } else { return None };
        let (inner, [x, y, _]) = s.known.definition(s.args[0])?;
        // A sum changes bits from its lowest one upwards.
        let zeros = |y| s.known.fact(y).zeros;
        let reach = match inner {
            IntOr | IntXor => !zeros(y),
            IntAdd | IntSub => u64::MAX.checked_shl(zeros(y).trailing_ones()).unwrap_or(0),
            _ => return None,
        };
        if reach & mask == 0 { replace(IntAnd, x, mask) } else { None }
    }),
    rule("not_bool", |s| if s.op == IntXor && s.word(1)? == 1 { not_bool(s) } else { None }),
];

const SHIFTS: &[Rule] = &[
    rule("shift_zero", |s| if s.word(1)? & 63 == 0 { s.same(0) } else { None }),
    rule("shl_sar", |s| {
        let (x, left) = s.defined_const(0, IntShl)?;
        let (left, right) = (left & 63, s.word(1)? & 63);
        match left.cmp(&right) {
            _ if s.op != IntSar || !s.keeps(x, left) => None,
            std::cmp::Ordering::Equal => Some(Answer::Same(x)),
            std::cmp::Ordering::Greater => replace(IntShl, x, left - right),
            std::cmp::Ordering::Less => replace(IntSar, x, right - left),
        }
    }),
    rule("shl_shr", |s| {
        let (x, left) = s.defined_const(0, IntShl)?;
        let (left, right) = (left & 63, s.word(1)? & 63);
        if s.op == IntShr && left == right { replace(IntAnd, x, u64::MAX >> left) } else { None }
    }),
    rule("sar_shl", |s| {
        let inner = s.defined_const(0, IntSar).map(|(x, right)| (IntSar, x, right));
        let inner = inner.or_else(|| s.defined_const(0, IntShr).map(|(x, right)| (IntShr, x, right)));
        let (down, x, right) = inner.filter(|_| s.op == IntShl)?;
        let (right, left) = (right & 63, s.word(1)? & 63);
        let mask = u64::MAX << right;
        // Whether the shift to the right loses nothing.
        let exact = s.known.fact(x).zeros & !mask == !mask;
        match left.cmp(&right) {
            std::cmp::Ordering::Equal if exact => Some(Answer::Same(x)),
            std::cmp::Ordering::Equal => replace(IntAnd, x, mask),
            std::cmp::Ordering::Less if exact => replace(down, x, right - left),
            std::cmp::Ordering::Greater if exact => replace(IntShl, x, left - right),
            _ => None,
        }
    }),
    rule("shift_shift", |s| {
        let (x, first) = s.defined_const(0, s.op)?;
        let sum = (first & 63) + (s.word(1)? & 63);
        match s.op {
            _ if sum < 64 => replace(s.op, x, sum),
            IntSar => replace(IntSar, x, 63),
            _ => constant(0),
        }
    }),
];

const COMPARISONS: &[Rule] = &[
    rule("bool_itself", |s| match (s.op, s.word(1)?) {
        (IntEq, 1) | (IntNe, 0) if s.is_bool(0) => s.same(0),
        _ => None,
    }),
    rule("not_bool", |s| match (s.op, s.word(1)?) {
        (IntEq, 0) | (IntNe, 1) => not_bool(s),
        _ => None,
    }),
    rule("eq_add", |s| equal_to(s, IntAdd, u64::wrapping_sub)),
    rule("eq_sub", |s| equal_difference(s, IntSub).or_else(|| equal_to(s, IntSub, u64::wrapping_add))),
    rule("eq_xor", |s| equal_difference(s, IntXor).or_else(|| equal_to(s, IntXor, |word, c| word ^ c))),
    rule("order_add", |s| {
        let sum = if s.word(1).is_some() { 0 } else { 1 };
        let word = s.word(1 - sum)?;
        let (x, added) = s.defined_const(sum, IntAdd).filter(|_| matches!(s.op, IntLt | IntLe))?;
        let moved = (word as i64).checked_sub(added as i64)? as u64;
        match cannot_overflow(IntAdd, &s.known.fact(x), &Fact::exactly(added)) {
            false => None,
            true if sum == 0 => replace(s.op, x, moved),
            true => replace(s.op, moved, x),
        }
    }),
    rule("shl_const", |s| {
        let shifted = if s.word(1).is_some() { 0 } else { 1 };
        let word = s.word(1 - shifted)? as i64;
        let (x, count) = s.defined_const(shifted, IntShl)?;
        let count = count & 63;
        if !s.keeps(x, count) {
            return None;
        }
        let down = word >> count;
        let up = ((word as i128 + (1i128 << count) - 1) >> count) as i64;
        match (s.op, shifted) {
            (IntEq | IntNe, _) if down == up => replace(s.op, x, down as u64),
            (IntLt, 0) => replace(IntLt, x, up as u64),
            (IntLe, 0) => replace(IntLe, x, down as u64),
            (IntLt, 1) => replace(IntLt, down as u64, x),
            (IntLe, 1) => replace(IntLe, up as u64, x),
            _ => None,
        }
    }),
    rule("shl_shl", |s| {
        let ((x, left), (y, right)) = (s.defined_const(0, IntShl)?, s.defined_const(1, IntShl)?);
        let count = left & 63;
        let lossless = count == right & 63 && s.keeps(x, count) && s.keeps(y, count);
        if lossless { replace(s.op, x, y) } else { None }
    }),
    rule("eq_refs", |s| {
        let (inner, [p, ..]) = s.known.definition(s.args[0])?;
        let (q, _) = s.defined(1, inner)?;
        if s.op == IntEq && matches!(inner, RefToInt | RefToValue) { replace(RefEq, p, q) } else { None }
    }),
];

/// The opposite of the boolean on the left.
fn not_bool(site: &Site) -> Option<Answer> {
    if !site.is_bool(0) {
        return None;
    }
    match site.known.definition(site.args[0]) {
        Some((IntEq, [x, y, _])) => replace(IntNe, x, y),
        Some((IntNe, [x, y, _])) => replace(IntEq, x, y),
        Some((IntLt, [x, y, _])) => replace(IntLe, y, x),
        Some((IntLe, [x, y, _])) => replace(IntLt, y, x),
        Some((UintLt, [x, y, _])) => replace(UintLe, y, x),
        Some((UintLe, [x, y, _])) => replace(UintLt, y, x),
        // The one form that guards and the code generator know.
        _ if site.op != IntEq => replace(IntEq, site.args[0], 0),
        _ => None,
    }
}

/// `inner(x, c1) == c2` becomes `x == undo(c2, c1)`; `!=` as well.
fn equal_to(site: &Site, inner: Opcode, undo: fn(u64, u64) -> u64) -> Option<Answer> {
    let word = site.word(1).filter(|_| matches!(site.op, IntEq | IntNe))?;
    let (x, c) = site.defined_const(0, inner)?;
    replace(site.op, x, undo(word, c))
}

/// `inner(x, y) == 0` becomes `x == y` where `inner` is 0 just for equal words.
fn equal_difference(site: &Site, inner: Opcode) -> Option<Answer> {
    site.word(1).filter(|word| *word == 0 && matches!(site.op, IntEq | IntNe))?;
    let (x, y) = site.defined(0, inner)?;
    replace(site.op, x, y)
}

const SELECTS: &[Rule] = &[
    rule("select_known", |s| {
        let fact = s.fact(0);
        match fact.constant() {
            Some(0) => s.same(2),
            _ if fact.admits(0) => None,
            _ => s.same(1),
        }
    }),
    rule("select_bool", |s| match (s.word(1)?, s.word(2)?) {
        (1, 0) if s.is_bool(0) => s.same(0),
        (0, 1) => replace(IntEq, s.args[0], 0),
        (1, 0) => replace(IntNe, s.args[0], 0),
        _ => None,
    }),
    rule("select_test", |s| {
        let zero = |(x, word)| if word == 0 { Some(x) } else { None };
        let [_, yes, no] = s.args.map(Term::Operand);
        if let Some(x) = s.defined_const(0, IntNe).and_then(zero) {
            return Some(Answer::Replace(Select, [x.into(), yes, no]));
        }
        let x = s.defined_const(0, IntEq).and_then(zero)?;
        Some(Answer::Replace(Select, [x.into(), no, yes]))
    }),
];

const REFERENCES: &[Rule] = &[
    rule("there_and_back", there_and_back),
    rule("untag_as_int", |s| {
        let (x, _) = s.defined(0, ValueToRef).filter(|_| s.op == RefToInt)?;
        replace(IntSub, x, 2)
    }),
    rule("ref_eq_words", |s| {
        let (inner, [x, ..]) = s.known.definition(s.args[0]).filter(|_| s.op == RefEq)?;
        match inner {
            IntToRef | ValueToRef if s.word(1) == Some(0) => {
                replace(IntEq, x, if inner == ValueToRef { 2 } else { 0 })
            }
            IntToRef | ValueToRef => replace(IntEq, x, s.defined(1, inner)?.0),
            _ => None,
        }
    }),
];

/// Conversions that undo each other.
fn there_and_back(site: &Site) -> Option<Answer> {
    let inverse = match site.op {
        RefToValue => ValueToRef,
        ValueToRef => RefToValue,
        RefToInt => IntToRef,
        IntToRef => RefToInt,
        BitsToFloat => FloatToBits,
        FloatToBits => BitsToFloat,
        // Both are defined for all words.
        FloatToValue => ValueToFloat,
        ValueToFloat => FloatToValue,
        FloatNeg => FloatNeg,
        _ => return None,
    };
    Some(Answer::Same(site.defined(0, inverse)?.0))
}

/// Integers that floats represent exactly.
fn exact_as_float(fact: &Fact) -> bool {
    fact.lo >= -(1 << 53) && fact.hi <= 1 << 53
}

const FLOATS: &[Rule] = &[
    rule("there_and_back", there_and_back),
    rule("fits_if_float", |s| {
        let (x, _) = s.defined(0, ValueToFloat).filter(|_| s.op == FloatFitsValue)?;
        Some(Answer::Replace(ValueIsFloat, [x.into(), Term::Int(0), Term::Int(0)]))
    }),
    rule("unbox", |s| {
        let (x, _) = s.defined(0, BoxFloat)?;
        match s.op {
            ValueToFloat => Some(Answer::Same(x)),
            ValueIsFloat => replace(FloatFitsValue, x, 0),
            _ => None,
        }
    }),
    rule("box_unneeded", |s| {
        if s.op != BoxFloat {
            return None;
        }
        match s.known.definition(s.args[0])? {
            (ValueToFloat, [x, ..]) if s.known.fact(x).implies(&Fact::FLOAT_VALUE) => Some(Answer::Same(x)),
            // 0, or a magnitude from 1 to 2^63.
            (IntToFloat, _) => replace(FloatToValue, s.args[0], 0),
            _ => None,
        }
    }),
    rule("float_unit", |s| {
        let unit: f64 = match s.op {
            FloatMul | FloatDiv => 1.0,
            FloatSub => 0.0,
            FloatAdd => -0.0,
            _ => return None,
        };
        if s.word(1)? == unit.to_bits() { s.same(0) } else { None }
    }),
    rule("abs_of", |s| match s.known.definition(s.args[0])? {
        (FloatNeg, [x, ..]) if s.op == FloatAbs => replace(FloatAbs, x, 0),
        (FloatAbs, _) if s.op == FloatAbs => s.same(0),
        _ => None,
    }),
    rule("int_of_float", |s| {
        let (x, _) = s.defined(0, IntToFloat).filter(|_| s.op == FloatToInt)?;
        if exact_as_float(&s.known.fact(x)) { Some(Answer::Same(x)) } else { None }
    }),
    rule("float_of_ints", |s| {
        let op = match s.op {
            FloatEq => IntEq,
            FloatLt => IntLt,
            FloatLe => IntLe,
            _ => return None,
        };
        let ((x, _), (y, _)) = (s.defined(0, IntToFloat)?, s.defined(1, IntToFloat)?);
        let exact = exact_as_float(&s.known.fact(x)) && exact_as_float(&s.known.fact(y));
        if exact { replace(op, x, y) } else { None }
    }),
];
