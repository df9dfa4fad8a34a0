//! The module `math`, and `abs`.

use dashu_int::IBig;
use dashu_int::ops::{BitTest, Gcd};
use hotloop::prelude::*;

use super::{builtin, expect, float, module, small, unexpected};
use crate::object::number::{self, Integer};
use crate::object::{boolean, repr};
use crate::vm::Pyllisp;
use crate::vm::floats::FUNCTIONS;
use crate::vm::interface::{Answer, Native, Quick, Work};

pub(super) fn define(interp: &Pyllisp) {
    let mut functions: Vec<(&str, Work)> = vec![
        ("sqrt", Work::Root(root)),
        ("log", Work::Native(logarithm)),
        ("pow", Work::Native(power)),
        ("atan2", Work::Native(|interp, args| of_two(interp, args, f64::atan2))),
        ("hypot", Work::Native(|interp, args| of_two(interp, args, f64::hypot))),
        ("floor", Work::Quick(Quick::Floor, |interp, args| rounded(interp, args, f64::floor))),
        ("ceil", Work::Native(|interp, args| rounded(interp, args, f64::ceil))),
        ("trunc", Work::Native(|interp, args| rounded(interp, args, f64::trunc))),
        ("round", Work::Native(round)),
        ("sign", Work::Native(sign)),
        ("gcd", Work::Native(greatest_divisor)),
        ("isnan", Work::Native(|interp, args| Ok(boolean(float(interp, args, 0)?.is_nan())))),
        ("isinf", Work::Native(|interp, args| Ok(boolean(float(interp, args, 0)?.is_infinite())))),
    ];
    for (number, (name, _)) in (0..).zip(FUNCTIONS) {
        functions.push((name, Work::Float(number, NATIVES[number as usize])));
    }
    let info = module(interp, "math", &functions);
    use std::f64::consts;
    for (name, value) in [
        ("pi", consts::PI),
        ("tau", consts::TAU),
        ("e", consts::E),
        ("inf", f64::INFINITY),
        ("nan", f64::NAN),
    ] {
        info.define(interp, name, Value::from_float(interp.runtime(), value.into()));
    }
    interp.base.define(interp, "abs", builtin(interp, "abs", Work::Quick(Quick::Absolute, absolute)));
}

/// For each function of floats the one that takes any number, and refuses what it is not defined for.
const NATIVES: [Native; FUNCTIONS.len()] = natives();

const fn natives() -> [Native; FUNCTIONS.len()] {
    macro_rules! table {
        ($($number:literal)*) => { [$(|interp, args| of_float(interp, args, $number)),*] };
    }
    table!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20)
}

fn of_float(interp: &Pyllisp, args: &[Value<Plain>], number: usize) -> Answer {
    let (name, apply) = FUNCTIONS[number];
    let argument = float(interp, args, 0)?;
    let result = apply(argument);
    if result.is_nan() && !argument.is_nan() {
        return Err(undefined(interp, name, args[0]));
    }
    Ok(Value::from_float(interp.runtime(), result.into()))
}

fn undefined(interp: &Pyllisp, name: &str, value: Value<Plain>) -> Raise<Plain> {
    interp.error(&format!("no {name} of {}", repr::repr(interp, value)))
}

fn of_two(interp: &Pyllisp, args: &[Value<Plain>], apply: fn(f64, f64) -> f64) -> Answer {
    let result = apply(float(interp, args, 0)?, float(interp, args, 1)?);
    Ok(Value::from_float(interp.runtime(), result.into()))
}

/// The square root of any number as a float.
fn root(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    expect(interp, args, 1)?;
    let integer = number::as_number(args[0]).map(|integer| integer.to_float());
    match args[0].as_float().map(Float::get).or(integer) {
        Some(float) if float >= 0.0 || float.is_nan() => {
            Ok(Value::from_float(interp.runtime(), float.sqrt().into()))
        }
        _ => Err(interp.error(&format!("no square root of {}", repr::repr(interp, args[0])))),
    }
}

/// `(math.log x)` to the base e, `(math.log x base)`
fn logarithm(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let number = float(interp, args, 0)?;
    if number <= 0.0 {
        return Err(undefined(interp, "log", args[0]));
    }
    let result = match args.len() {
        1 => number.ln(),
        _ => match float(interp, args, 1)? {
            base if base <= 0.0 || base == 1.0 => {
                return Err(interp.error(&format!("no log to the base {}", repr::repr(interp, args[1]))));
            }
            2.0 => number.log2(),
            10.0 => number.log10(),
            base => number.ln() / base.ln(),
        },
    };
    Ok(Value::from_float(interp.runtime(), result.into()))
}

/// `(math.pow x y)`: an integer if both are, and the second is not negative.
fn power(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    expect(interp, args, 2)?;
    if let (Some(base), Some(Integer::Small(exponent))) =
        (number::as_number(args[0]), number::as_number(args[1]))
        && let Ok(exponent) = usize::try_from(exponent)
    {
        let base = base.into_big();
        if base == IBig::from(0) || base == IBig::from(1) || base == IBig::from(-1) {
            let odd = !exponent.is_multiple_of(2);
            let result = if exponent == 0 || (base == IBig::from(-1) && !odd) { IBig::from(1) } else { base };
            return Ok(number::big(interp.runtime(), &result));
        }
        let bits = base.to_f64().value().abs().log2().min(1e9) as usize + 1;
        // The same bound as that of shifts.
        let bytes = bits.checked_mul(exponent).map(|bits| bits / 8).filter(|bytes| *bytes < 1 << 29);
        interp.reserve(bytes.unwrap_or(usize::MAX))?;
        return Ok(number::big(interp.runtime(), &interp.long(bits * exponent, move || base.pow(exponent))?));
    }
    let (base, exponent) = (float(interp, args, 0)?, float(interp, args, 1)?);
    let result = base.powf(exponent);
    if base == 0.0 && exponent < 0.0 {
        return Err(interp.error("division by zero"));
    }
    if result.is_nan() && !base.is_nan() && !exponent.is_nan() {
        let [base, exponent] = [args[0], args[1]].map(|value| repr::repr(interp, value));
        return Err(interp.error(&format!("no pow of {base} and {exponent}")));
    }
    Ok(Value::from_float(interp.runtime(), result.into()))
}

/// An integer near to a number.
fn rounded(interp: &Pyllisp, args: &[Value<Plain>], round: fn(f64) -> f64) -> Answer {
    let float = float(interp, args, 0)?;
    if let Some(integer) = number::as_number(args[0]) {
        return Ok(number::big(interp.runtime(), &integer.into_big()));
    }
    let integer = number::truncated(interp.runtime(), round(float));
    integer.ok_or_else(|| interp.error(&format!("no integer: {}", repr::repr(interp, args[0]))))
}

/// `(math.round x)`: the nearest integer, of two the even one; `(math.round x digits)`: a float
fn round(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    if args.len() < 2 {
        return rounded(interp, args, f64::round_ties_even);
    }
    let (float, digits) = (float(interp, args, 0)?, small(interp, args, 1)?.clamp(-400, 400) as i32);
    let result = if digits >= 0 {
        // The text has the digits right: what the float is, not what a product makes of it.
        format!("{float:.*}", digits as usize).parse().unwrap_or(float)
    } else {
        let unit = 10f64.powi(-digits);
        if unit.is_finite() { (float / unit).round_ties_even() * unit } else { 0.0 }
    };
    Ok(Value::from_float(interp.runtime(), result.into()))
}

/// -1, 0 or 1
fn sign(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let float = float(interp, args, 0)?;
    Ok(Value::small(i64::from(float > 0.0) - i64::from(float < 0.0)))
}

fn integer(interp: &Pyllisp, args: &[Value<Plain>], index: usize) -> Result<IBig, Raise<Plain>> {
    let found = args.get(index).and_then(|value| number::as_number(*value));
    found.map(Integer::into_big).ok_or_else(|| unexpected(interp, index, interp.interfaces.integer))
}

fn greatest_divisor(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let (one, two) = (integer(interp, args, 0)?, integer(interp, args, 1)?);
    let zero = IBig::from(0);
    if one == zero && two == zero {
        return Ok(Value::small(0));
    }
    let divisor = interp.long(one.bit_len() + two.bit_len(), || one.gcd(two))?;
    Ok(number::big(interp.runtime(), &IBig::from(divisor)))
}

/// `(abs number)`
fn absolute(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    expect(interp, args, 1)?;
    if let Some(float) = args[0].as_float() {
        return Ok(Value::from_float(interp.runtime(), float.get().abs().into()));
    }
    let number = integer(interp, args, 0)?;
    Ok(number::big(interp.runtime(), &if number < IBig::from(0) { -number } else { number }))
}
