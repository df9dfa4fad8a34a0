//! Source files, and places in them.

use std::fmt::Write;
use std::fs;
use std::io;
use std::path::Path;

use crate::failure::Failure;

/// A place in a file; lines and columns in characters count from one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    pub line: usize,
    pub column: usize,
}

/// Checks that there is a file to read.
pub fn check(path: &Path) -> Result<(), Failure> {
    match fs::metadata(path) {
        Ok(data) if data.is_dir() => Err(unreadable(path, &io::ErrorKind::IsADirectory.into())),
        Ok(_) => Ok(()),
        Err(error) => Err(unreadable(path, &error)),
    }
}

/// The bytes of a file.
pub fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::input(format!("{}: {}", path.display(), reason(error)))
}

/// An error of the system in words, without its number.
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let words = text.split(" (os error").next().unwrap_or_default();
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// The text of a file, or where it is not UTF-8.
pub fn decode(bytes: &[u8]) -> Result<&str, (Place, String)> {
    std::str::from_utf8(bytes).map_err(|error| {
        let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        let line = good.matches('\n').count() + 1;
        let column = good.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let byte = bytes[error.valid_up_to()];
        (Place { line, column }, format!("{line}:{column}: invalid UTF-8: byte 0x{byte:02x}"))
    })
}

/// A program can't be read: `FILE:` and the language's own `LINE:COLUMN`, the line with a mark under the
/// place, and last what the language says. (The languages do not all count columns from one.)
pub fn rejected(
    path: &Path,
    source: &[u8],
    place: Place,
    shown: impl std::fmt::Display,
    message: &str,
) -> Failure {
    let mut text = format!("{}:{shown}\n", path.display());
    let line = source.split(|byte| *byte == b'\n').nth(place.line.saturating_sub(1));
    let line = String::from_utf8_lossy(line.unwrap_or_default());
    let line = line.trim_end_matches(['\r', '\n']).trim_start_matches('\u{feff}');
    if line.chars().count() <= WIDEST && !line.trim().is_empty() {
        // Tabs stay tabs, so that the mark stands where the character does.
        let blank = |c: char| if c == '\t' { '\t' } else { ' ' };
        let mut before: String = line.chars().map(blank).take(place.column.saturating_sub(1)).collect();
        before.extend(std::iter::repeat_n(' ', place.column.saturating_sub(1 + before.chars().count())));
        // Writing to a string can't fail.
        let _ = write!(text, "    {line}\n    {before}^\n");
    }
    Failure::program(text + "Error: " + message)
}

/// Longer lines are not shown.
const WIDEST: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_characters() {
        assert_eq!(decode("ä".as_bytes()), Ok("ä"));
        let (place, message) = decode(b"++\n\xc3\xa4\xff").unwrap_err();
        assert_eq!(place, Place { line: 2, column: 2 });
        assert_eq!(message, "2:2: invalid UTF-8: byte 0xff");
    }

    #[test]
    fn the_place_is_marked() {
        let place = Place { line: 2, column: 3 };
        let failure = rejected(Path::new("a.x"), b"one\n\ttwo\n", place, "2:3", "2:3: bad");
        assert_eq!(failure.text, "a.x:2:3\n    \ttwo\n    \t ^\nError: 2:3: bad");
        let failure = rejected(Path::new("a.x"), b"", Place { line: 9, column: 9 }, "9:9", "9:9: end");
        assert_eq!(failure.text, "a.x:9:9\nError: 9:9: end");
    }

    #[test]
    fn reasons_have_no_numbers() {
        assert_eq!(reason(&io::Error::from_raw_os_error(2)), "no such file or directory");
    }
}
