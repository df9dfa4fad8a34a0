//! Source files, and places in them.

use std::fs;
use std::io;
use std::path::Path;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

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
    let text = String::from_utf8_lossy(source);
    let text = text.trim_start_matches('\u{feff}');
    let stop = Place { column: place.column + 1, ..place };
    Failure::program(format!(
        "{}:{shown}\n{}Error: {message}",
        path.display(),
        excerpt(text, place, stop, "")
    ))
}

/// The line at a place, with its number, and a mark under what goes to the other place, or to the line's end.
/// Nothing if there is no such line, or nothing to see on it.
pub fn excerpt(source: &str, start: Place, stop: Place, label: &str) -> String {
    let Some(line) = source.split('\n').nth(start.line.saturating_sub(1)) else { return String::new() };
    let line = line.trim_end();
    if line.is_empty() {
        return String::new();
    }
    let at = |column: usize| line.char_indices().nth(column - 1).map_or(line.len(), |(at, _)| at);
    let from = at(start.column);
    let to = if stop.line > start.line { line.len() } else { at(stop.column) };
    let mark = AnnotationKind::Primary.span(from..to.max(from));
    let mark = if label.is_empty() { mark } else { mark.label(label) };
    let snippet = Snippet::source(line).line_start(start.line).annotation(mark);
    let group = Group::with_level(Level::ERROR).element(snippet);
    Renderer::plain().render(&[group]) + "\n"
}

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
        assert_eq!(failure.text, "a.x:2:3\n  |\n2 |     two\n  |      ^\nError: 2:3: bad");
        let failure = rejected(Path::new("a.x"), b"", Place { line: 9, column: 9 }, "9:9", "9:9: end");
        assert_eq!(failure.text, "a.x:9:9\nError: 9:9: end");
    }

    #[test]
    fn marks_end_with_the_line() {
        let [start, stop] = [(2, 3), (3, 2)].map(|(line, column)| Place { line, column });
        assert_eq!(excerpt("a\nb (c\nd)", start, stop, "there"), "  |\n2 | b (c\n  |   ^^ there\n");
        let stop = Place { line: 2, column: 99 };
        assert_eq!(excerpt("a\nb (c\r\nd)", start, stop, ""), "  |\n2 | b (c\n  |   ^^\n");
        let start = Place { line: 2, column: 50 };
        assert_eq!(excerpt("a\nb (c\nd)", start, stop, ""), "  |\n2 | b (c\n  |     ^\n");
    }

    #[test]
    fn reasons_have_no_numbers() {
        assert_eq!(reason(&io::Error::from_raw_os_error(2)), "no such file or directory");
    }
}
