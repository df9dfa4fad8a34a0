//! Between the types: what calling `int`, `float`, `bool` and `str` does, and `coerce`.

use hotloop::prelude::*;

use super::{expect, instantiator, small, string, unexpected};
use crate::object::{as_boolean, boolean, error_kind, is_true, list, number, repr, text};
use crate::vm::Pyllisp;
use crate::vm::error::new_error;
use crate::vm::interface::{Answer, Quick, Work};

pub(super) fn define(interp: &Pyllisp) {
    let known = &interp.interfaces;
    instantiator(interp, known.integer, Work::Quick(Quick::Truncate, to_integer));
    instantiator(interp, known.float, Work::Native(to_float));
    instantiator(interp, known.boolean, Work::Native(to_boolean));
    instantiator(interp, known.string, Work::Native(to_string));
    instantiator(interp, known.error, Work::Native(to_error));
}

fn to_integer(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    expect(interp, args, 1)?;
    let value = args[0];
    let refused = || interp.error(&format!("no integer: {}", repr::repr(interp, value)));
    let Some(text) = text::as_text(value) else {
        if number::as_integer(value).is_some() {
            return Ok(value);
        }
        if let Some(truth) = as_boolean(value) {
            return Ok(Value::small(truth.into()));
        }
        if let Some(float) = value.as_float() {
            return number::truncated(interp.runtime(), float.get()).ok_or_else(refused);
        }
        return Err(unexpected(interp, 0, interp.interfaces.string));
    };
    let text = text.trim();
    if args.len() > 1 {
        let base = small(interp, args, 1)?;
        let Some(radix) = u32::try_from(base).ok().filter(|radix| (2..=36).contains(radix)) else {
            return Err(interp.error(&format!("no base: {base}")));
        };
        return parsed(interp, text, radix)?.ok_or_else(refused);
    }
    let parsed = match text.strip_prefix("0x") {
        Some(digits) if !digits.starts_with(['+', '-']) => parsed(interp, digits, 16)?,
        _ => parsed(interp, text, 10)?,
    };
    parsed.ok_or_else(refused)
}

/// The integer of digits in a radix, if that is what they are.
fn parsed(interp: &Pyllisp, digits: &str, radix: u32) -> Result<Option<Value<Plain>>, Raise<Plain>> {
    let integer = if digits.len() < 1 << 16 {
        number::parse(digits, radix)
    } else {
        let owned = digits.to_owned();
        // About four bits a digit.
        interp.long(digits.len().saturating_mul(4), move || number::parse(&owned, radix))?
    };
    Ok(integer.map(|integer| integer.to_value(interp.runtime())))
}

fn to_float(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    expect(interp, args, 1)?;
    let value = args[0];
    let float = match (value.as_float(), number::as_number(value)) {
        (Some(_), _) => return Ok(value),
        (None, Some(integer)) => Some(integer.to_float()),
        (None, None) => string(interp, args, 0)?.trim().parse().ok(),
    };
    match float {
        Some(float) => Ok(Value::from_float(interp.runtime(), float.into())),
        None => Err(interp.error(&format!("no float: {}", repr::repr(interp, value)))),
    }
}

fn to_boolean(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    expect(interp, args, 1)?;
    Ok(boolean(is_true(args[0])))
}

fn to_string(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    expect(interp, args, 1)?;
    if let Some(small) = args[0].as_small() {
        let mut digits = [0; 20];
        return Ok(interp.ascii(decimal(small.to_int().get(), &mut digits)));
    }
    Ok(interp.text(&repr::display(interp, args[0])?))
}

/// A small integer in decimal, without anything on Rust's heap: programs make many of these.
fn decimal(value: i64, digits: &mut [u8; 20]) -> &[u8] {
    let mut left = value.unsigned_abs();
    let mut at = digits.len();
    while at == digits.len() || left > 0 {
        at -= 1;
        digits[at] = b'0' + (left % 10) as u8;
        left /= 10;
    }
    if value < 0 {
        at -= 1;
        digits[at] = b'-';
    }
    &digits[at..]
}

/// `(error message)`
fn to_error(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    expect(interp, args, 1)?;
    Ok(new_error(interp.runtime(), error_kind::PLAIN, args[0]).to_value())
}

/// `coerce` of integers and booleans.
pub(super) fn to_integers(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let pair = [to_integer(interp, &args[..1])?, to_integer(interp, &args[1..])?];
    Ok(list::from_values(interp.runtime(), &pair).to_value())
}

/// `coerce` of numbers of which one is a float.
pub(super) fn to_floats(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let pair = [to_float(interp, &args[..1])?, to_float(interp, &args[1..])?];
    Ok(list::from_values(interp.runtime(), &pair).to_value())
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn decimals() {
        for value in [0, 7, -7, 10, -100, 1_152_921_504_606_846_975, -1_152_921_504_606_846_976, i64::MIN] {
            assert_eq!(decimal(value, &mut [0; 20]), value.to_string().as_bytes());
        }
    }
}
