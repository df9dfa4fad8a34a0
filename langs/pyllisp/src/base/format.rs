//! `(template.format values…)`: values put into a text.
//!
//! ```text
//! {}  {0}  {:spec}  {0:spec}        the next value, or the one with this number; {{ and }} are brackets
//! spec = [[fill]align][sign][0][width][,][.precision][kind]
//! align  < > ^        sign  + or a space        kind  d x X b o   e f %   s
//! ```

use dashu_int::ops::BitTest;
use hotloop::prelude::*;

use super::string;
use crate::object::number::{self, Integer};
use crate::object::repr;
use crate::vm::Pyllisp;
use crate::vm::interface::Answer;

/// How wide and how precise anything may be: enough for every table, too little to fill the memory.
const MOST: usize = 10_000;

/// What stands behind a placeholder's colon.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Spec {
    fill: Option<char>,
    align: Option<char>,
    sign: Option<char>,
    width: usize,
    commas: bool,
    precision: Option<usize>,
    kind: Option<char>,
}

pub(super) fn format(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let template = string(interp, args, 0)?;
    let mut out = String::new();
    let mut rest: &str = &template;
    let mut next = 0;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, after) = (&rest[..at], &rest[at + 1..]);
        out.push_str(before);
        let bracket = &rest[at..=at];
        if after.starts_with(bracket) {
            out.push_str(bracket);
            rest = &after[1..];
            continue;
        }
        let Some((inside, after)) = after.split_once('}').filter(|_| bracket == "{") else {
            return Err(interp.error(&format!("single {bracket} in format")));
        };
        let (place, spec) = inside.split_once(':').unwrap_or((inside, ""));
        let index = if place.is_empty() { Some(next) } else { place.parse().ok() };
        let value = index.and_then(|index: usize| args.get(index.checked_add(1)?));
        let Some(value) = value else {
            let shown = if place.is_empty() { next.to_string() } else { place.to_owned() };
            return Err(interp.error(&format!("no value {shown} for format")));
        };
        next += usize::from(place.is_empty());
        let written = match parse(spec) {
            Some(spec) => written(interp, *value, &spec)?,
            None => None,
        };
        match written {
            Some(text) => out.push_str(&text),
            None => {
                let shown = repr::repr(interp, *value);
                return Err(interp.error(&format!("cannot format {shown} as {{:{spec}}}")));
            }
        }
        interp.reserve(out.len())?;
        rest = after;
    }
    out.push_str(rest);
    Ok(interp.text(&out))
}

fn parse(text: &str) -> Option<Spec> {
    let mut spec = Spec::default();
    let mut rest = text;
    let is_align = |character: &char| matches!(character, '<' | '>' | '^');
    let mut characters = text.chars();
    let (first, second) = (characters.next(), characters.next());
    if let (Some(fill), Some(align)) = (first, second.filter(is_align)) {
        (spec.fill, spec.align) = (Some(fill), Some(align));
        rest = characters.as_str();
    } else if let Some(align) = first.filter(is_align) {
        spec.align = Some(align);
        rest = &rest[1..];
    }
    if let Some(sign) = rest.chars().next().filter(|sign| matches!(sign, '+' | ' ')) {
        spec.sign = Some(sign);
        rest = &rest[1..];
    }
    if rest.starts_with('0') {
        // Zeros stand between the sign and the number.
        spec.fill = spec.fill.or(Some('0'));
        spec.align = spec.align.or(Some('='));
        rest = &rest[1..];
    }
    spec.width = digits(&mut rest)?.unwrap_or(0);
    if let Some(after) = rest.strip_prefix(',') {
        spec.commas = true;
        rest = after;
    }
    if let Some(after) = rest.strip_prefix('.') {
        rest = after;
        spec.precision = Some(digits(&mut rest)??);
    }
    let mut characters = rest.chars();
    spec.kind = characters.next();
    if characters.next().is_some() { None } else { Some(spec) }
}

/// The number at the start of a text, which is taken off; `None` if it is too large.
fn digits(rest: &mut &str) -> Option<Option<usize>> {
    let end = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
    let (number, after) = rest.split_at(end);
    *rest = after;
    if number.is_empty() {
        return Some(None);
    }
    let number = number.parse().ok().filter(|number| *number <= MOST)?;
    Some(Some(number))
}

/// A value as its placeholder says; `None` if it can't be written so.
fn written(interp: &Pyllisp, value: Value<Plain>, spec: &Spec) -> Result<Option<String>, Raise<Plain>> {
    let integer = number::as_integer(value);
    let float = value.as_float().map(Float::get);
    let (negative, body) = match (spec.kind, integer, float) {
        (None | Some('d'), Some(integer), _) if spec.precision.is_none() => {
            of_integer(interp, integer, 10, spec)?
        }
        (Some('x'), Some(integer), _) => of_integer(interp, integer, 16, spec)?,
        (Some('X'), Some(integer), _) => {
            let (negative, digits) = of_integer(interp, integer, 16, spec)?;
            (negative, digits.to_uppercase())
        }
        (Some('o'), Some(integer), _) => of_integer(interp, integer, 8, spec)?,
        (Some('b'), Some(integer), _) => of_integer(interp, integer, 2, spec)?,
        (None | Some('e' | 'f' | '%'), integer, float) if integer.is_some() || float.is_some() => {
            let float = float.or(integer.map(|integer| integer.to_float()));
            of_float(float.unwrap_or_default(), spec)
        }
        (None | Some('s'), None, None) | (Some('s'), ..) if spec.sign.is_none() && !spec.commas => {
            let text = repr::display(interp, value)?;
            let cut = text.chars().take(spec.precision.unwrap_or(usize::MAX)).collect();
            return Ok(Some(aligned(cut, spec, '<')));
        }
        _ => return Ok(None),
    };
    let sign = if negative { "-".to_owned() } else { spec.sign.map(String::from).unwrap_or_default() };
    if spec.align == Some('=') {
        let missing = spec.width.saturating_sub(sign.len() + body.chars().count());
        let fill = spec.fill.unwrap_or('0').to_string();
        return Ok(Some(sign + &fill.repeat(missing) + &body));
    }
    Ok(Some(aligned(sign + &body, spec, '>')))
}

fn of_integer(
    interp: &Pyllisp,
    integer: Integer,
    radix: u8,
    spec: &Spec,
) -> Result<(bool, String), Raise<Plain>> {
    let integer = integer.into_big();
    let digits = interp.long(integer.bit_len(), move || integer.in_radix(radix).to_string())?;
    let (negative, digits) = match digits.strip_prefix('-') {
        Some(digits) => (true, digits.to_owned()),
        None => (false, digits),
    };
    Ok((negative, if spec.commas { with_commas(&digits) } else { digits }))
}

fn of_float(float: f64, spec: &Spec) -> (bool, String) {
    let (negative, size) = (float.is_sign_negative() && !float.is_nan(), float.abs());
    let text = match (spec.kind, spec.precision) {
        (Some('e'), precision) => format!("{size:.*e}", precision.unwrap_or(6)),
        (Some('%'), precision) => format!("{:.*}%", precision.unwrap_or(2), size * 100.0),
        (None, None) => repr::float_text(size),
        (_, precision) => format!("{size:.*}", precision.unwrap_or(6)),
    };
    if !spec.commas {
        return (negative, text);
    }
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    (negative, with_commas(&text[..end]) + &text[end..])
}

fn with_commas(digits: &str) -> String {
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn aligned(text: String, spec: &Spec, usual: char) -> String {
    let missing = spec.width.saturating_sub(text.chars().count());
    let fill = spec.fill.unwrap_or(' ').to_string();
    match spec.align.unwrap_or(usual) {
        '<' => text + &fill.repeat(missing),
        '^' => fill.repeat(missing / 2) + &text + &fill.repeat(missing - missing / 2),
        _ => fill.repeat(missing) + &text,
    }
}
