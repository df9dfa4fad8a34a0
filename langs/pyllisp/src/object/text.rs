//! Strings: between the heap and Rust, characters by number.

use hotloop::prelude::*;

use super::Str;

/// The text of a string.
pub fn text(string: Str<Plain>) -> String {
    let bytes = (0..string.bytes_len().get()).map(|index| string.bytes(index).get() as u8).collect();
    // Strings are made from texts, so nothing is lost here.
    String::from_utf8(bytes).unwrap_or_default()
}

/// The text of a value that is a string.
pub fn as_text(value: Value<Plain>) -> Option<String> {
    value.cast::<Str<Plain>>().map(text)
}

/// A string value with this text.
pub fn string(runtime: &Runtime, text: &str) -> Value<Plain> {
    Str::from_text(runtime, text).to_value()
}

/// The character that begins at a byte, and where the next one begins.
pub fn character_at(string: Str<Plain>, index: i64) -> Option<(String, i64)> {
    let length = string.bytes_len().get();
    if index >= length {
        return None;
    }
    let mut end = index + 1;
    while end < length && string.bytes(end).get() & 0xc0 == 0x80 {
        end += 1;
    }
    let bytes = (index..end).map(|at| string.bytes(at).get() as u8).collect();
    Some((String::from_utf8(bytes).unwrap_or_default(), end))
}

/// Where the character with this number begins, in bytes; the number is in range.
pub fn offset(string: Str<Plain>, number: i64) -> i64 {
    if string.length().get() == string.bytes_len().get() {
        return number;
    }
    let mut left = number;
    let mut at = 0;
    while at < string.bytes_len().get() {
        if string.bytes(at).get() & 0xc0 != 0x80 {
            if left == 0 {
                return at;
            }
            left -= 1;
        }
        at += 1;
    }
    at
}

/// Whether two strings have the same text.
pub fn same(one: Str<Plain>, two: Str<Plain>) -> bool {
    if one.is_same(two) {
        return true;
    }
    let length = one.bytes_len().get();
    length == two.bytes_len().get()
        && (0..length).all(|index| one.bytes(index).get() == two.bytes(index).get())
}

/// The string's hash, which is kept in it.
pub fn hash(string: Str<Plain>) -> i64 {
    let known = string.hash().get();
    if known != 0 {
        return known;
    }
    // FNV-1a.
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    for index in 0..string.bytes_len().get() {
        hash = (hash ^ string.bytes(index).get() as u64).wrapping_mul(0x0000_0100_0000_01b3);
    }
    let hash = (hash as i64).max(1);
    string.set_hash(hash.into());
    hash
}
