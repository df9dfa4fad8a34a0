//! Strings: between the heap and Rust, characters by number.

use std::ffi::OsStr;
use std::fmt;
use std::hash::Hasher;
use std::ops::Deref;
use std::path::Path;

use hotloop::prelude::*;
use rustc_hash::FxHasher;

use super::Str;

/// The text of a string, where it is in the heap: looked at as `&str`.
#[derive(Clone, Copy)]
pub struct Text(Str<Plain>);

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        // Strings are made from texts, so nothing is lost here.
        std::str::from_utf8(self.0.bytes_slice()).unwrap_or_default()
    }
}

impl AsRef<OsStr> for Text {
    fn as_ref(&self) -> &OsStr {
        OsStr::new(&**self)
    }
}

impl AsRef<Path> for Text {
    fn as_ref(&self) -> &Path {
        Path::new(&**self)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self)
    }
}

/// The text of a string.
pub fn text(string: Str<Plain>) -> Text {
    Text(string)
}

/// The text of a value that is a string.
pub fn as_text(value: Value<Plain>) -> Option<Text> {
    value.cast::<Str<Plain>>().map(text)
}

/// The character that begins at a byte, and where the next one begins.
pub fn character_at(string: Str<Plain>, index: i64) -> Option<(char, i64)> {
    let rest = string.bytes_slice().get(index as usize..)?;
    let rest = &rest[..rest.len().min(4)];
    let character = rest.utf8_chunks().next()?.valid().chars().next()?;
    Some((character, index + character.len_utf8() as i64))
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
#[inline]
pub fn same(one: Str<Plain>, two: Str<Plain>) -> bool {
    if one.is_same(two) {
        return true;
    }
    let (first, second) = (one.hash().get(), two.hash().get());
    let known_to_differ = first != second && first != 0 && second != 0;
    !known_to_differ && same_bytes(one, two)
}

/// The same, without a look at what is known.
#[inline]
pub fn same_bytes(one: Str<Plain>, two: Str<Plain>) -> bool {
    one.bytes_slice() == two.bytes_slice()
}

/// The same, in line.
#[inline(always)]
pub fn is_same<M: Mode>(one: Str<M>, two: Str<M>) -> Bool<M> {
    let (length, other) = (two.bytes_len(), one.bytes_len());
    // Strings of one byte are in the heap once only.
    if length == 1 || other == 1 {
        return one.to_value().is_same_word(two.to_value());
    }
    if length != other {
        return Int::from(0).is_eq(1);
    }
    one.same_items(0, two, 0, length)
}

/// The order of two strings: less than 0, 0, or more.
pub fn order<M: Mode>(one: Str<M>, two: Str<M>) -> Int<M> {
    let (first, second) = (one.bytes_len(), two.bytes_len());
    let order = one.compare_items(0, two, 0, first.is_lt(second).select(first, second));
    order.is_eq(0).select(first - second, order)
}

/// The string's hash, which is kept in it.
#[inline(always)]
pub fn hash(string: Str<Plain>) -> i64 {
    let known = string.hash().get();
    if known != 0 { known } else { new_hash(string) }
}

#[inline(never)]
fn new_hash(string: Str<Plain>) -> i64 {
    let mut hasher = FxHasher::default();
    hasher.write(string.bytes_slice());
    // 0 says that the hash is not known.
    let hash = hasher.finish().max(1) as i64;
    string.set_hash(hash.into());
    hash
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn hashes_differ_and_are_kept() {
        let runtime = Runtime::new(Options::default());
        let hashes = (0..1000).map(|number| {
            let string = Str::from_text(&runtime, &format!("word {number}"));
            let hash = hash(string);
            assert_eq!((string.hash().get(), hash != 0), (hash, true));
            hash
        });
        let hashes: HashSet<i64> = hashes.collect();
        assert_eq!(hashes.len(), 1000);
        // A dictionary begins its search at the lower bits, and tells keys by the upper half. By chance, 639 of 1024
        // places would be taken.
        let places: HashSet<i64> = hashes.iter().map(|hash| hash & 1023).collect();
        assert!(places.len() > 600, "{} places", places.len());
        assert_eq!(hashes.iter().map(|hash| hash >> 32).collect::<HashSet<_>>().len(), 1000);
    }
}
