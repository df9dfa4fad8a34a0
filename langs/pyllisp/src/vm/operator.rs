//! Operators over the interpreter's own types; for others the operator's multimethod is called.

use std::cmp::Ordering;

use dashu_int::IBig;
use dashu_int::ops::{BitTest, DivRem};
use hotloop::prelude::*;

use super::call::{Args, Outcome};
use super::interface::{Answer, InterfaceInfo, Known};
use super::{Pc, Pyllisp, State, module};
use crate::object::number::{self, Integer};
use crate::object::{Cell, List, Str, boolean, equality, is_set, list, red_boolean, special, text, unset};

/// A multimethod that is none of the operators.
pub const NONE: u32 = 0;
/// The operators by number: in the order of [`NAMES`], from one.
pub const ADD: u32 = 1;
pub const SUB: u32 = 2;
pub const MUL: u32 = 3;
pub const DIV: u32 = 4;
pub const MOD: u32 = 5;
pub const BIT_OR: u32 = 6;
pub const BIT_XOR: u32 = 7;
pub const BIT_AND: u32 = 8;
pub const SHL: u32 = 9;
pub const SHR: u32 = 10;
pub const CONCAT: u32 = 11;
pub const LT: u32 = 12;
pub const GT: u32 = 13;
pub const LE: u32 = 14;
pub const GE: u32 = 15;
pub const EQ: u32 = 16;
pub const NE: u32 = 17;
pub const MIN: u32 = 18;
pub const MAX: u32 = 19;
pub const NEGATE: u32 = 20;
pub const POSATE: u32 = 21;
pub const INVERT: u32 = 22;

/// The names of the operators.
pub const NAMES: [&str; 22] = [
    "+", "-", "*", "/", "%", "|", "^", "&", "<<", ">>", "++", "<", ">", "<=", ">=", "==", "!=", "min", "max",
    "-expr", "+expr", "~expr",
];

/// How many operands an operator has.
pub fn arity(operator: u32) -> i64 {
    if operator >= NEGATE { 1 } else { 2 }
}

/// Whether an operator whose operands have no method coerces them and tries again.
pub fn coerces(operator: u32) -> bool {
    (ADD..=GE).contains(&operator) && operator != CONCAT || (MIN..=MAX).contains(&operator)
}

/// An operator over values of the interpreter's own types; unset if it knows nothing of them.
#[residual(reads)]
pub fn operate(
    interp: &Pyllisp,
    operator: u32,
    a: Value<Plain>,
    b: Value<Plain>,
) -> Result<Value<Plain>, Raise<Plain>> {
    operate_plain(interp, operator, a, b)
}

fn operate_plain(interp: &Pyllisp, operator: u32, a: Value<Plain>, b: Value<Plain>) -> Answer {
    match operator {
        EQ | NE => {
            let equal = equality::equal(a, b).map_err(|error| interp.too_deep(error))?;
            Ok(boolean(equal == (operator == EQ)))
        }
        NEGATE | POSATE | INVERT => unary(interp, operator, a),
        CONCAT => concat(interp, a, b),
        _ => match (number::as_number(a), number::as_number(b)) {
            (Some(a), Some(b)) => integers(interp, operator, a, b),
            (one, two) => {
                let one = a.as_float().map(Float::get).or(one.map(|one| one.to_float()));
                let two = b.as_float().map(Float::get).or(two.map(|two| two.to_float()));
                match (one, two, a.cast::<Str<Plain>>(), b.cast::<Str<Plain>>()) {
                    (Some(one), Some(two), ..) => floats(interp, operator, one, two),
                    (_, _, Some(one), Some(two)) if (LT..=GE).contains(&operator) => {
                        Ok(compared(operator, Some(one.bytes_slice().cmp(two.bytes_slice()))))
                    }
                    _ => Ok(unset()),
                }
            }
        },
    }
}

fn compared(operator: u32, order: Option<Ordering>) -> Value<Plain> {
    boolean(match operator {
        LT => order == Some(Ordering::Less),
        GT => order == Some(Ordering::Greater),
        LE => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        _ => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    })
}

fn integers(interp: &Pyllisp, operator: u32, a: Integer, b: Integer) -> Answer {
    let runtime = interp.runtime();
    let zero = b == Integer::Small(0);
    match operator {
        DIV | MOD if zero => return Err(interp.error("division by zero")),
        LT..=GE => return Ok(compared(operator, Some(order(&a, &b)))),
        MIN | MAX => {
            let less = order(&a, &b) == Ordering::Less;
            return Ok(match if less == (operator == MIN) { a } else { b } {
                Integer::Small(chosen) => number::integer(runtime, chosen),
                Integer::Big(chosen) => number::big(runtime, &chosen),
            });
        }
        SHL | SHR => return shift(interp, operator, a, b),
        _ => {}
    }
    if let (Integer::Small(a), Integer::Small(b)) = (&a, &b) {
        let (a, b) = (*a, *b);
        let result = match operator {
            ADD => a.checked_add(b),
            SUB => a.checked_sub(b),
            MUL => a.checked_mul(b),
            DIV => a.checked_div(b).map(|quotient| quotient - i64::from(a % b != 0 && (a < 0) != (b < 0))),
            MOD => {
                a.checked_rem(b).map(|rest| if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest })
            }
            BIT_OR => Some(a | b),
            BIT_XOR => Some(a ^ b),
            _ => Some(a & b),
        };
        if let Some(result) = result {
            return Ok(number::integer(runtime, result));
        }
    }
    let (a, b) = (a.into_big(), b.into_big());
    let bits = a.bit_len() + b.bit_len();
    if operator == MUL {
        interp.reserve(bits / 8)?;
    }
    let result = match operator {
        ADD => a + b,
        SUB => a - b,
        MUL => interp.long(bits, || a * b)?,
        DIV => interp.long(bits, || divide_floor(a, b).0)?,
        MOD => interp.long(bits, || divide_floor(a, b).1)?,
        BIT_OR => a | b,
        BIT_XOR => a ^ b,
        _ => a & b,
    };
    Ok(number::big(runtime, &result))
}

fn order(a: &Integer, b: &Integer) -> Ordering {
    match (a, b) {
        (Integer::Small(a), Integer::Small(b)) => a.cmp(b),
        (Integer::Big(a), Integer::Big(b)) => a.cmp(b),
        // One that does not fit a word is beyond all that do.
        (Integer::Big(a), Integer::Small(_)) => a.cmp(&IBig::ZERO),
        (Integer::Small(_), Integer::Big(b)) => IBig::ZERO.cmp(b),
    }
}

/// Quotient towards minus infinity, and the rest.
fn divide_floor(a: IBig, b: IBig) -> (IBig, IBig) {
    let (quotient, rest) = a.div_rem(&b);
    if !rest.is_zero() && rest.sign() != b.sign() {
        return (quotient - IBig::ONE, rest + b);
    }
    (quotient, rest)
}

/// The widest shift: a number of this many bits still fits the memory of most machines.
const MAX_SHIFT: i64 = 1 << 32;

fn shift(interp: &Pyllisp, operator: u32, a: Integer, b: Integer) -> Answer {
    let runtime = interp.runtime();
    let count = match b {
        Integer::Small(count) if count < 0 => return Err(interp.error("negative shift count")),
        Integer::Small(count) => count,
        Integer::Big(_) => i64::MAX,
    };
    if operator == SHR {
        return Ok(match a {
            Integer::Small(a) => number::integer(runtime, a >> count.min(63)),
            Integer::Big(a) => number::big(runtime, &(a >> usize::try_from(count).unwrap_or(usize::MAX))),
        });
    }
    if a == Integer::Small(0) {
        return Ok(Value::small(0));
    }
    if count > MAX_SHIFT || interp.reserve((count / 8) as usize).is_err() {
        return Err(interp.error("shift count too large"));
    }
    Ok(number::big(runtime, &(a.into_big() << count as usize)))
}

fn floats(interp: &Pyllisp, operator: u32, a: f64, b: f64) -> Answer {
    let runtime = interp.runtime();
    let result = match operator {
        LT..=GE => return Ok(compared(operator, a.partial_cmp(&b))),
        DIV | MOD if b == 0.0 => return Err(interp.error("division by zero")),
        ADD => a + b,
        SUB => a - b,
        MUL => a * b,
        DIV => a / b,
        MOD => floor_mod(a, b),
        MIN => a.min(b),
        MAX => a.max(b),
        _ => return Ok(unset()),
    };
    Ok(Value::from_float(runtime, result.into()))
}

fn floor_mod(a: f64, b: f64) -> f64 {
    let rest = a % b;
    if rest != 0.0 && (rest < 0.0) != (b < 0.0) { rest + b } else { rest }
}

fn unary(interp: &Pyllisp, operator: u32, a: Value<Plain>) -> Answer {
    let runtime = interp.runtime();
    if let Some(float) = a.as_float() {
        return Ok(match operator {
            NEGATE => Value::from_float(runtime, -float),
            POSATE => a,
            _ => unset(),
        });
    }
    Ok(match (number::as_integer(a), operator) {
        (None, _) => unset(),
        (Some(_), POSATE) => a,
        (Some(integer), NEGATE) => number::big(runtime, &-integer.into_big()),
        (Some(integer), _) => number::big(runtime, &(-integer.into_big() - IBig::ONE)),
    })
}

fn concat(interp: &Pyllisp, a: Value<Plain>, b: Value<Plain>) -> Answer {
    let runtime = interp.runtime();
    if let (Some(one), Some(two)) = (a.cast::<Str<Plain>>(), b.cast::<Str<Plain>>()) {
        let (first, second) = (one.bytes_len(), two.bytes_len());
        if first == 0 || second == 0 {
            return Ok(if first == 0 { b } else { a });
        }
        interp.reserve((first + second).get() as usize)?;
        let whole = Str::new(runtime, one.length() + two.length(), 0.into(), first + second);
        one.copy_to(0, whole, 0, first);
        two.copy_to(0, whole, first, second);
        return Ok(whole.to_value());
    }
    if let (Some(one), Some(two)) = (a.cast::<List<Plain>>(), b.cast::<List<Plain>>()) {
        interp.reserve_items(list::length(one) + list::length(two))?;
        return Ok(list::joined(runtime, one, two).to_value());
    }
    Ok(unset())
}

/// An operator over small integers whose result is one, or a truth value.
fn of_small<M: Mode>(operator: u32, a: Value<M>, b: Value<M>) -> Option<Value<M>> {
    let (a, b) = a.both_small(b)?;
    Some(match operator {
        ADD => a.checked_add(b)?.to_value(),
        SUB => a.checked_sub(b)?.to_value(),
        MUL => a.checked_mul(b)?.to_value(),
        LT => red_boolean(a.is_lt(b)),
        GT => red_boolean(b.is_lt(a)),
        LE => red_boolean(!b.is_lt(a)),
        GE => red_boolean(!a.is_lt(b)),
        EQ => red_boolean(a.is_eq(b)),
        NE => red_boolean(!a.is_eq(b)),
        MIN => b.is_lt(a).select_value(b.to_value(), a.to_value()),
        MAX => b.is_lt(a).select_value(a.to_value(), b.to_value()),
        _ => return None,
    })
}

/// What `a == b` or `a != b` gives where one of them is null, and the other of one of the interpreter's common
/// types.
#[inline(always)]
pub(super) fn equals_null<M: Mode, const OPERATOR: u32>(a: Value<M>, b: Value<M>) -> Option<bool> {
    if !matches!(OPERATOR, EQ | NE) {
        return None;
    }
    let is_null = |value: Value<M>| value.is_special(special::NULL);
    let other = if is_null(b) {
        a
    } else if is_null(a) {
        b
    } else {
        return None;
    };
    let equal = if other.is_reference() {
        (other.is::<List<M>>() || other.is::<Str<M>>()).then_some(false)
    } else {
        Some(is_null(other))
    };
    equal.map(|equal| equal == (OPERATOR == EQ))
}

/// A comparison that a jump is made by: of floats, or with null.
#[inline(always)]
pub(super) fn compare_quickly<M: Mode, const OPERATOR: u32>(a: Value<M>, b: Value<M>) -> Option<bool> {
    if matches!(OPERATOR, EQ | NE) {
        return equals_null::<M, OPERATOR>(a, b);
    }
    let (a, b) = (a.as_float()?, b.as_float()?);
    Some(match OPERATOR {
        LT => a < b,
        GT => a > b,
        LE => a <= b,
        GE => a >= b,
        _ => return None,
    })
}

impl Pyllisp {
    /// A comparison and the jump after it, if that is not made in line: of strings at once.
    #[inline(never)]
    pub(super) fn compare_and_jump<M: Mode, const OPERATOR: u32>(
        &self,
        pc: Pc,
        state: &mut State<M>,
        cell: Cell<M>,
        a: Value<M>,
        b: Value<M>,
    ) -> Outcome {
        if matches!(OPERATOR, EQ | NE)
            && let (Some(two), Some(one)) = (b.cast::<Str<M>>(), a.cast::<Str<M>>())
        {
            let holds = text::is_same(one, two).branch() == (OPERATOR == EQ);
            return Outcome::Goto(if holds { pc.over() } else { pc.jump() });
        }
        self.general::<M, OPERATOR>(pc, state, cell, a, b)
    }

    /// Whether an operator over values of these interfaces is the interpreter's own affair, which no method
    /// of the program's changes.
    pub(super) fn is_own(&self, operator: u32, a: &InterfaceInfo, b: &InterfaceInfo) -> bool {
        let known = &self.interfaces;
        let both = |these: &[Known]| a.is_one_of(these) && b.is_one_of(these);
        let numbers = || both(&[known.integer, known.float, known.boolean]);
        let strings = || both(&[known.string]);
        match operator {
            NONE => false,
            NEGATE | POSATE | INVERT => a.is_one_of(&[known.integer, known.float]),
            CONCAT => strings() || both(&[known.list]),
            LT..=GE => numbers() || strings(),
            EQ | NE => {
                let plain = [known.integer, known.float, known.boolean, known.string, known.list, known.null];
                both(&plain)
                    || both(&[known.dict])
                    || both(&[known.set])
                    || both(&[known.memory, known.cfunction])
            }
            _ => numbers(),
        }
    }

    /// An operator over values of the interpreter's own types, which have these interfaces; nothing if it
    /// is the affair of the program's methods.
    pub(super) fn own<M: Mode>(
        &self,
        operator: u32,
        a: Value<M>,
        b: Value<M>,
        one: &InterfaceInfo,
        two: &InterfaceInfo,
    ) -> Option<Result<Value<M>, Raise<M>>> {
        if !self.is_own(operator, one, two) {
            return None;
        }
        let number = |value: Value<M>, info: &InterfaceInfo| match info.is_one_of(&[self.interfaces.boolean])
        {
            true => {
                let truth = value.is_same_word(Value::special(special::TRUE));
                truth.select_value(Value::small(1), Value::small(0))
            }
            false => value,
        };
        let (x, y) = if matches!(operator, EQ | NE) { (a, b) } else { (number(a, one), number(b, two)) };
        if let Some(value) = of_small(operator, x, y) {
            return Some(Ok(value));
        }
        match operate::<M>(self, operator, a, b) {
            Ok(value) if !is_set(value) => None,
            answer => Some(answer),
        }
    }

    /// A binary operator whose operands are not both small integers with a small result.
    #[inline(never)]
    pub(super) fn general<M: Mode, const OPERATOR: u32>(
        &self,
        pc: Pc,
        state: &mut State<M>,
        cell: Cell<M>,
        a: Value<M>,
        b: Value<M>,
    ) -> Outcome {
        if let Some(truth) = equals_null::<M, OPERATOR>(a, b) {
            self.give(pc, state, boolean(truth));
            return Outcome::Next;
        }
        let floats = match (a.as_float(), b.as_float()) {
            _ if OPERATOR == CONCAT => None,
            (Some(a), Some(b)) => Some((a, b)),
            (Some(a), None) => b.as_small().map(|b| (a, b.to_int().to_float())),
            (None, Some(b)) => a.as_small().map(|a| (a.to_int().to_float(), b)),
            (None, None) => None,
        };
        if let Some((a, b)) = floats {
            let value = match OPERATOR {
                ADD => Value::from_float(self.runtime(), a + b),
                SUB => Value::from_float(self.runtime(), a - b),
                MUL => Value::from_float(self.runtime(), a * b),
                DIV if b != 0.0 => Value::from_float(self.runtime(), a / b),
                LT => boolean(a < b),
                GT => boolean(a > b),
                LE => boolean(a <= b),
                GE => boolean(a >= b),
                EQ => boolean(a == b),
                NE => boolean(a != b),
                _ => unset(),
            };
            if !matches!(OPERATOR, MOD | BIT_OR..=CONCAT | DIV) || is_set(value) {
                self.give(pc, state, value);
                return Outcome::Next;
            }
        }
        let quick = match OPERATOR {
            CONCAT => self.joined(a, b),
            LT..=NE => self.compared(OPERATOR, a, b),
            _ => None,
        };
        if let Some(value) = quick {
            self.give(pc, state, value);
            return Outcome::Next;
        }
        match self.own(OPERATOR, a, b, self.interface(a).info, self.interface(b).info) {
            Some(answer) => self.answer(pc, state, answer),
            None => self.call_cell(pc, state, cell, Args::pair(a, b)),
        }
    }

    /// `a << b`
    #[inline(never)]
    pub(super) fn shift_left<M: Mode>(
        &self,
        pc: Pc,
        state: &mut State<M>,
        cell: Cell<M>,
        a: Value<M>,
        b: Value<M>,
    ) -> Outcome {
        if let Some((a, b)) = a.both_small(b) {
            let (a, b) = (a.to_int(), b.to_int());
            if b.is_index_of(61) {
                let shifted = a << b;
                if shifted >> b == a
                    && let Some(value) = Value::from_int(shifted)
                {
                    self.give(pc, state, value);
                    return Outcome::Next;
                }
            }
        }
        self.general::<M, SHL>(pc, state, cell, a, b)
    }

    /// `a >> b`
    #[inline(never)]
    pub(super) fn shift_right<M: Mode>(
        &self,
        pc: Pc,
        state: &mut State<M>,
        cell: Cell<M>,
        a: Value<M>,
        b: Value<M>,
    ) -> Outcome {
        if let Some((a, b)) = a.both_small(b) {
            let (a, b) = (a.to_int(), b.to_int());
            if b.is_index_of(64)
                && let Some(value) = Value::from_int(a >> b)
            {
                self.give(pc, state, value);
                return Outcome::Next;
            }
        }
        self.general::<M, SHR>(pc, state, cell, a, b)
    }

    /// A unary operator whose operand is not a small integer with a small result.
    #[inline(never)]
    pub(super) fn general_unary<M: Mode>(
        &self,
        pc: Pc,
        state: &mut State<M>,
        operator: u32,
        cell: Cell<M>,
        a: Value<M>,
    ) -> Outcome {
        let info = self.interface(a).info;
        match self.own(operator, a, unset(), info, info) {
            Some(answer) => self.answer(pc, state, answer),
            None => self.call_cell(pc, state, cell, Args::one(a)),
        }
    }

    /// Calls what a cell holds that the module froze before the code ran.
    fn call_cell<M: Mode>(&self, pc: Pc, state: &mut State<M>, cell: Cell<M>, args: Args<M>) -> Outcome {
        let callee = module::value(cell).unwrap_or(unset());
        self.invoke(pc, state, callee, args)
    }
}
