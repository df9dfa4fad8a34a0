//! Methods of strings.

use hotloop::prelude::*;

use super::format::format;
use super::{add_method, collected, each, expect, function, helped, method, small, string};
use crate::object::{List, Str, boolean, list, null, repr};
use crate::vm::Pyllisp;
use crate::vm::interface::{Answer, Native, Quick, When, Work};

pub(super) fn define(interp: &Pyllisp) {
    let methods: [(&str, Native); 26] = [
        ("contains", contains),
        ("startswith", starts_with),
        ("endswith", ends_with),
        ("find", find),
        ("rfind", find_last),
        ("index", index),
        ("count", count),
        ("replace", replace),
        ("split", split),
        ("splitlines", split_lines),
        ("strip", strip),
        ("lstrip", strip_left),
        ("rstrip", strip_right),
        ("upper", upper),
        ("lower", lower),
        ("capitalize", capitalize),
        ("reverse", reverse),
        ("repeat", repeat),
        ("ljust", pad_right),
        ("rjust", pad_left),
        ("center", center),
        ("isdigit", is_digit),
        ("isalpha", is_alphabetic),
        ("isspace", is_space),
        ("format", format),
        ("bytes", bytes),
    ];
    method(interp, interp.interfaces.string, "slice", Work::Quick(Quick::Slice, slice));
    for (name, native) in methods {
        method(interp, interp.interfaces.string, name, Work::Native(native));
    }
    let join = helped(interp, "join", Work::Native(join), &[(When::Generator(1), "join_by")]);
    add_method(interp, interp.interfaces.string, "join", join);
    function(interp, "chr", character);
    function(interp, "ord", number);
}

fn answer(interp: &Pyllisp, text: &str) -> Answer {
    Ok(interp.text(text))
}

fn contains(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    Ok(boolean(string(interp, args, 0)?.contains(&*string(interp, args, 1)?)))
}

fn starts_with(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    Ok(boolean(string(interp, args, 0)?.starts_with(&*string(interp, args, 1)?)))
}

fn ends_with(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    Ok(boolean(string(interp, args, 0)?.ends_with(&*string(interp, args, 1)?)))
}

/// The number of the character at a byte.
fn place(text: &str, byte: usize) -> Value<Plain> {
    Value::small(text[..byte].chars().count() as i64)
}

/// The place of a text in another, or null.
fn find(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let text = string(interp, args, 0)?;
    Ok(text.find(&*string(interp, args, 1)?).map_or(null(), |byte| place(&text, byte)))
}

/// The place of the last of them, or null.
fn find_last(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let text = string(interp, args, 0)?;
    Ok(text.rfind(&*string(interp, args, 1)?).map_or(null(), |byte| place(&text, byte)))
}

/// The place of a text that must be there.
fn index(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let text = string(interp, args, 0)?;
    let found = text.find(&*string(interp, args, 1)?).map(|byte| place(&text, byte));
    found.ok_or_else(|| {
        interp.error(&format!("{} not in {}", repr::repr(interp, args[1]), repr::repr(interp, args[0])))
    })
}

/// How often a text is there; those that are counted don't overlap.
fn count(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let (text, part) = (string(interp, args, 0)?, string(interp, args, 1)?);
    Ok(Value::small(text.matches(&*part).count() as i64))
}

fn replace(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let text = string(interp, args, 0)?;
    let (old, new) = (string(interp, args, 1)?, string(interp, args, 2)?);
    let count = if new.len() > old.len() { text.matches(&*old).count() } else { 0 };
    interp.reserve(text.len().saturating_add(count.saturating_mul(new.len())))?;
    answer(interp, &text.replace(&*old, &new))
}

/// `(text.split)` at whitespace, `(text.split separator)` at every separator.
fn split(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let text = string(interp, args, 0)?;
    let all_ascii = text.is_ascii();
    if args.len() == 1 {
        if all_ascii {
            let words = text.as_bytes().split(|byte| matches!(byte, b'\t'..=b'\r' | b' '));
            return collected(interp, words.filter(|word| !word.is_empty()).map(|word| interp.ascii(word)));
        }
        return collected(interp, text.split_whitespace().map(|part| interp.text(part)));
    }
    let separator = string(interp, args, 1)?;
    if separator.is_empty() {
        return Err(interp.error("empty separator"));
    }
    if all_ascii && let [separator] = separator.as_bytes() {
        let parts = text.as_bytes().split(|byte| byte == separator);
        return collected(interp, parts.map(|part| interp.ascii(part)));
    }
    collected(interp, text.split(&*separator).map(|part| interp.text(part)))
}

/// `(separator.join iterable)`
fn join(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    expect(interp, args, 2)?;
    if let (Some(separator), Some(list)) = (args[0].cast::<Str<Plain>>(), args[1].cast::<List<Plain>>())
        && let Some(whole) = join_strings(interp, separator, list)?
    {
        return Ok(whole.to_value());
    }
    let separator = string(interp, args, 0)?;
    let mut whole = String::new();
    let mut first = true;
    each(interp, args[1], |part| {
        if !first {
            whole.push_str(&separator);
        }
        first = false;
        whole.push_str(&repr::display(interp, part)?);
        // The text is made twice: here, and in the heap.
        interp.reserve(2 * whole.len())
    })?;
    answer(interp, &whole)
}

/// How many strings are joined between two looks whether Ctrl-C was pressed.
const AT_ONCE: usize = 1 << 12;

/// The strings of a list in one, made where it stays; nothing if there is something else among them, or if there is
/// next to nothing in them: strings of one byte are not made.
fn join_strings(
    interp: &Pyllisp,
    separator: Str<Plain>,
    list: List<Plain>,
) -> Result<Option<Str<Plain>>, Raise<Plain>> {
    let count = list::length(list);
    let gap = separator.bytes_len().get() as usize;
    let gaps = count.saturating_sub(1);
    let mut bytes = gap * gaps;
    let mut length = separator.length().get() * gaps as i64;
    for (index, part) in list::values(list).enumerate() {
        let Some(part) = part.cast::<Str<Plain>>() else { return Ok(None) };
        bytes += part.bytes_len().get() as usize;
        length += part.length().get();
        if index % AT_ONCE == 0 {
            interp.stop_if_asked()?;
        }
    }
    if bytes < 2 {
        return Ok(None);
    }
    interp.reserve(bytes)?;
    let whole = Str::new(interp.runtime(), length.into(), 0.into(), bytes);
    let mut at = 0;
    for (index, part) in list::values(list).enumerate() {
        if index > 0 && gap > 0 {
            whole.write_bytes(at, separator.bytes_slice());
            at += gap;
        }
        if let Some(part) = part.cast::<Str<Plain>>() {
            match part.bytes_slice() {
                [byte] => whole.set_bytes(at, i64::from(*byte).into()),
                bytes => whole.write_bytes(at, bytes),
            }
            at += part.bytes_slice().len();
        }
        if index % AT_ONCE == 0 {
            interp.stop_if_asked()?;
        }
    }
    Ok(Some(whole))
}

/// `(text.splitlines)`: the lines without their ends.
fn split_lines(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    collected(interp, string(interp, args, 0)?.lines().map(|line| interp.text(line)))
}

/// The characters that a strip takes off: the argument's, or whitespace.
fn stripped(interp: &Pyllisp, args: &[Value<Plain>]) -> Result<impl Fn(char) -> bool + use<>, Raise<Plain>> {
    let chosen = if args.len() > 1 { Some(string(interp, args, 1)?) } else { None };
    Ok(move |character: char| match &chosen {
        Some(chosen) => chosen.contains(character),
        None => character.is_whitespace(),
    })
}

fn strip(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    answer(interp, string(interp, args, 0)?.trim_matches(stripped(interp, args)?))
}

fn strip_left(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    answer(interp, string(interp, args, 0)?.trim_start_matches(stripped(interp, args)?))
}

fn strip_right(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    answer(interp, string(interp, args, 0)?.trim_end_matches(stripped(interp, args)?))
}

fn capitalize(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let text = string(interp, args, 0)?;
    let mut characters = text.chars();
    let first = characters.next().into_iter().flat_map(char::to_uppercase);
    answer(interp, &first.chain(characters.as_str().to_lowercase().chars()).collect::<String>())
}

fn reverse(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    answer(interp, &string(interp, args, 0)?.chars().rev().collect::<String>())
}

fn repeat(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let (text, times) = (string(interp, args, 0)?, small(interp, args, 1)?.max(0) as usize);
    interp.reserve(text.len().saturating_mul(times))?;
    answer(interp, &text.repeat(times))
}

/// What has to be added to make a text as wide as the second argument, of the third or of spaces.
fn padding(interp: &Pyllisp, args: &[Value<Plain>]) -> Result<(String, usize, String), Raise<Plain>> {
    let (text, width) = (string(interp, args, 0)?.to_string(), small(interp, args, 1)?.max(0) as usize);
    let filler = if args.len() > 2 { string(interp, args, 2)?.to_string() } else { String::from(" ") };
    if filler.chars().count() != 1 {
        return Err(interp.error("expected one character to fill with"));
    }
    interp.reserve(width.saturating_mul(filler.len()))?;
    let missing = width.saturating_sub(text.chars().count());
    Ok((text, missing, filler))
}

fn pad_right(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let (text, missing, filler) = padding(interp, args)?;
    answer(interp, &(text + &filler.repeat(missing)))
}

fn pad_left(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let (text, missing, filler) = padding(interp, args)?;
    answer(interp, &(filler.repeat(missing) + &text))
}

fn center(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let (text, missing, filler) = padding(interp, args)?;
    answer(interp, &(filler.repeat(missing / 2) + &text + &filler.repeat(missing - missing / 2)))
}

/// Whether a text is not empty, and all of its characters are such.
fn all(interp: &Pyllisp, args: &[Value<Plain>], such: fn(char) -> bool) -> Answer {
    let text = string(interp, args, 0)?;
    Ok(boolean(!text.is_empty() && text.chars().all(such)))
}

fn is_digit(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    all(interp, args, |character| character.is_ascii_digit())
}

fn is_alphabetic(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    all(interp, args, char::is_alphabetic)
}

fn is_space(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    all(interp, args, char::is_whitespace)
}

/// `(text.bytes)`: the bytes of the text in UTF-8.
fn bytes(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    collected(interp, string(interp, args, 0)?.bytes().map(|byte| Value::small(byte.into())))
}

/// `(chr number)`: the character with this number.
fn character(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let number = small(interp, args, 0)?;
    match u32::try_from(number).ok().and_then(char::from_u32) {
        Some(character) => answer(interp, character.encode_utf8(&mut [0; 4])),
        None => Err(interp.error(&format!("no character: {number}"))),
    }
}

/// `(ord text)`: the number of a text's only character.
fn number(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let text = string(interp, args, 0)?;
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(character), None) => Ok(Value::small(u32::from(character).into())),
        _ => Err(interp.error("expected one character")),
    }
}

fn upper(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    answer(interp, &string(interp, args, 0)?.to_uppercase())
}

fn lower(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    answer(interp, &string(interp, args, 0)?.to_lowercase())
}

/// `(text.slice start stop)`; places behind the end count as the end.
fn slice(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let text = string(interp, args, 0)?;
    let start = small(interp, args, 1)?.max(0) as usize;
    let stop = if args.len() > 2 { small(interp, args, 2)?.max(0) as usize } else { usize::MAX };
    let part: String = text.chars().skip(start).take(stop.saturating_sub(start)).collect();
    answer(interp, &part)
}
