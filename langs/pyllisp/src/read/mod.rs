//! From source text to forms: characters, tokens, expressions, layout.

mod expression;
mod layout;
pub mod lexer;
pub mod syntax;

pub use layout::read;

use crate::position::{Pos, SyntaxError};

/// The text of a source file, or the place of the first byte that is not UTF-8.
///
/// A byte order mark at the start is not part of the text.
pub fn decode(bytes: &[u8]) -> Result<&str, SyntaxError> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.strip_prefix('\u{feff}').unwrap_or(text)),
        Err(error) => {
            let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let good = good.strip_prefix('\u{feff}').unwrap_or(&good);
            let mut at = Pos::default();
            for character in good.chars() {
                at = lexer::after(at, character);
            }
            let byte = bytes[error.valid_up_to()];
            Err(SyntaxError::new(at, format!("invalid UTF-8: byte 0x{byte:02x}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn a_bad_byte_is_reported_with_its_place() {
        let error = decode(b"(print 1)\n\xc3\xa4 \xff").unwrap_err();
        assert_eq!(error.to_string(), "2:2: invalid UTF-8: byte 0xff");
        assert_eq!(decode(b"\xef\xbb\xbfx").unwrap(), "x");
    }
}
