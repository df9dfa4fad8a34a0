//! Characters to tokens.
//!
//! Operator characters combine greedily into the longest known operator, a character that starts
//! nothing else is a symbol by itself. Whitespace leaves no token: the reader compares the places
//! where tokens start and stop.

use std::rc::Rc;

use crate::position::{Pos, Span, SyntaxError};

/// What a token is; its text is in the token.
#[derive(Clone, PartialEq, Debug)]
pub enum Kind {
    /// `(`, `[` or `{`.
    Open,
    /// `)`, `]` or `}`.
    Close,
    /// `and`, `or`, `not`.
    Word,
    /// `=`
    Let,
    /// `:=`
    Set,
    /// A comparison, which may be chained.
    Compare,
    /// Any other operator.
    Operator,
    /// `.`
    Dot,
    /// A name.
    Symbol,
    /// A number or a string.
    Literal(Literal),
}

/// The value of a number or a string in the source.
#[derive(Clone, PartialEq, Debug)]
pub enum Literal {
    /// An integer that fits a machine word.
    Int(i64),
    /// An integer that doesn't.
    BigInt {
        /// Ten or sixteen.
        radix: u32,
        /// The digits, without a prefix.
        digits: Box<str>,
    },
    /// A floating-point number.
    Float(f64),
    /// A string, its escapes resolved.
    Str(Rc<str>),
}

/// A token and the place where it stands.
#[derive(Clone, PartialEq, Debug)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Its text as written (a string's text is in its literal).
    pub text: Rc<str>,
    /// Where it stands.
    pub span: Span,
}

/// The place after a character that stands at `at`.
pub fn after(at: Pos, character: char) -> Pos {
    if character == '\n' {
        Pos { line: at.line.saturating_add(1), col: 0 }
    } else {
        Pos { line: at.line, col: at.col.saturating_add(1) }
    }
}

/// All tokens of a text.
pub fn tokens(text: &str) -> Result<Vec<Token>, SyntaxError> {
    let mut lexer = Lexer { rest: text, at: Pos::default() };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.next()? {
        tokens.push(token);
    }
    Ok(tokens)
}

/// Operators by their text. Each prefix of a long one is in the table, which is what greedy
/// combination needs.
fn operator(text: &str) -> Option<Kind> {
    Some(match text {
        "=" => Kind::Let,
        ":=" => Kind::Set,
        "<" | ">" | "<=" | ">=" | "==" | "!=" => Kind::Compare,
        "|" | "^" | "&" | "<<" | ">>" | "++" | "+" | "-" | "*" | "/" | "%" | "~" | "!" => Kind::Operator,
        ":" => Kind::Symbol,
        "." => Kind::Dot,
        "(" | "[" | "{" => Kind::Open,
        ")" | "]" | "}" => Kind::Close,
        _ => return None,
    })
}

struct Lexer<'a> {
    rest: &'a str,
    at: Pos,
}

impl<'a> Lexer<'a> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn advance(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.rest = &self.rest[character.len_utf8()..];
        self.at = after(self.at, character);
        Some(character)
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let length = self.rest.find(|character| !wanted(character)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(length);
        self.at = taken.chars().fold(self.at, after);
        self.rest = rest;
        taken
    }

    fn next(&mut self) -> Result<Option<Token>, SyntaxError> {
        loop {
            self.take_while(char::is_whitespace);
            if self.peek() != Some('#') {
                break;
            }
            self.take_while(|character| character != '\n');
        }
        let (start, before) = (self.at, self.rest);
        let Some(first) = self.peek() else { return Ok(None) };
        let kind = if starts_symbol(first) {
            match self.take_while(|character| starts_symbol(character) || character.is_ascii_digit()) {
                "and" | "or" | "not" => Kind::Word,
                _ => Kind::Symbol,
            }
        } else if first.is_ascii_digit() {
            Kind::Literal(self.number()?)
        } else if first == '"' || first == '\'' {
            Kind::Literal(Literal::Str(self.string()?))
        } else {
            self.operator_or_character()
        };
        let length = before.len() - self.rest.len();
        let text = match kind {
            Kind::Literal(Literal::Str(_)) => "string",
            _ => &before[..length],
        };
        Ok(Some(Token { kind, text: text.into(), span: Span { start, stop: self.at } }))
    }

    fn operator_or_character(&mut self) -> Kind {
        let before = self.rest;
        self.advance();
        let mut length = before.len() - self.rest.len();
        let mut kind = operator(&before[..length]).unwrap_or(Kind::Symbol);
        while let Some(next) = self.peek() {
            let longer = length + next.len_utf8();
            match operator(&before[..longer]) {
                Some(found) => kind = found,
                None => break,
            }
            self.advance();
            length = longer;
        }
        kind
    }

    fn number(&mut self) -> Result<Literal, SyntaxError> {
        let start = self.at;
        let before = self.rest;
        if before.starts_with("0x") {
            self.advance();
            self.advance();
            let digits = self.take_while(|character| character.is_ascii_hexdigit());
            if digits.is_empty() {
                return Err(SyntaxError::new(start, "expected hexadecimal digits after 0x"));
            }
            return Ok(integer(16, digits));
        }
        let digits = self.take_while(|character| character.is_ascii_digit());
        let mut float = false;
        if self.peek() == Some('.') {
            float = true;
            self.advance();
            self.take_while(|character| character.is_ascii_digit());
        }
        if self.at_exponent() {
            float = true;
            self.advance();
            self.advance();
            self.take_while(|character| character.is_ascii_digit());
        }
        if !float {
            return Ok(integer(10, digits));
        }
        let text = &before[..before.len() - self.rest.len()];
        match text.parse() {
            Ok(number) => Ok(Literal::Float(number)),
            Err(_) => Err(SyntaxError::new(start, format!("bad number {text}"))),
        }
    }

    /// Whether `e5`, `e+5` or `e-5` follows: a bare `e` is the start of a symbol.
    fn at_exponent(&self) -> bool {
        let mut following = self.rest.chars();
        if !matches!(following.next(), Some('e' | 'E')) {
            return false;
        }
        match following.next() {
            Some('+' | '-') => following.next().is_some_and(|digit| digit.is_ascii_digit()),
            Some(digit) => digit.is_ascii_digit(),
            None => false,
        }
    }

    fn string(&mut self) -> Result<Rc<str>, SyntaxError> {
        let start = self.at;
        let broken = || SyntaxError::new(start, "Broken string literal");
        let quote = self.advance();
        let mut text = String::new();
        loop {
            let character = self.advance().ok_or_else(broken)?;
            if Some(character) == quote {
                return Ok(text.into());
            }
            if character == '\\' {
                text.push(self.escape().ok_or_else(broken)??);
            } else {
                text.push(character);
            }
        }
    }

    /// The character that an escape stands for; `None` at the end of the text. An unknown escape
    /// is the character itself.
    fn escape(&mut self) -> Option<Result<char, SyntaxError>> {
        let at = self.at;
        Some(Ok(match self.advance()? {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            '0' => '\0',
            'x' => {
                let digits: String = self.rest.chars().take(2).collect();
                let code = u32::from_str_radix(&digits, 16)
                    .ok()
                    .filter(|_| digits.len() == 2 && !digits.starts_with('+'));
                let Some(character) = code.and_then(char::from_u32) else {
                    return Some(Err(SyntaxError::new(at, "expected two hexadecimal digits after \\x")));
                };
                self.advance();
                self.advance();
                character
            }
            'u' => {
                let bad = || Some(Err(SyntaxError::new(at, "expected a character's number in \\u{...}")));
                if self.peek() != Some('{') {
                    return bad();
                }
                self.advance();
                let digits = self.take_while(|character| character.is_ascii_hexdigit());
                let code = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32);
                if self.peek() != Some('}') {
                    return bad();
                }
                self.advance();
                match code {
                    Some(character) => character,
                    None => return bad(),
                }
            }
            other => other,
        }))
    }
}

fn starts_symbol(character: char) -> bool {
    character.is_alphabetic() || character == '_'
}

fn integer(radix: u32, digits: &str) -> Literal {
    match i64::from_str_radix(digits, radix) {
        Ok(value) => Literal::Int(value),
        Err(_) => Literal::BigInt { radix, digits: digits.into() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let shown = match tokens(text) {
            Ok(tokens) => tokens.iter().map(show).collect::<Vec<_>>().join(" "),
            Err(error) => error.to_string(),
        };
        assert_eq!(shown, expected, "tokens of {text:?}");
    }

    fn show(token: &Token) -> String {
        match &token.kind {
            Kind::Literal(literal) => format!("{literal:?}"),
            kind => format!("{kind:?}:{}", token.text),
        }
    }

    #[test]
    fn operators_combine_greedily() {
        check("x<<=4", "Symbol:x Operator:<< Let:= Int(4)");
        check("a:=b", "Symbol:a Set::= Symbol:b");
        check("a!=b!", "Symbol:a Compare:!= Symbol:b Operator:!");
        check("++ + -=", "Operator:++ Operator:+ Operator:- Let:=");
        check("a<-b", "Symbol:a Compare:< Operator:- Symbol:b");
    }

    #[test]
    fn words_symbols_and_lone_characters() {
        check(
            "and nota not_ $,: ä1",
            "Word:and Symbol:nota Symbol:not_ Symbol:$ Symbol:, Symbol:: Symbol:ä1",
        );
    }

    #[test]
    fn numbers() {
        check(
            "0xff 12 1.5 2. 1e3 1.5e-3 1e",
            "Int(255) Int(12) Float(1.5) Float(2.0) Float(1000.0) Float(0.0015) Int(1) Symbol:e",
        );
        check("9223372036854775807", "Int(9223372036854775807)");
        check("9223372036854775808", "BigInt { radix: 10, digits: \"9223372036854775808\" }");
        check("0x", "1:0: expected hexadecimal digits after 0x");
    }

    #[test]
    fn strings_and_escapes() {
        check(r#""a\n\"\q" 'it"s'"#, r#"Str("a\n\"q") Str("it\"s")"#);
        check(r#""\x41\u{e4}""#, r#"Str("Aä")"#);
        check("1 'abc", "1:2: Broken string literal");
        check(r#""\"#, "1:0: Broken string literal");
        check(r#""\x4""#, "1:2: expected two hexadecimal digits after \\x");
        check(r#""\u{110000}""#, "1:2: expected a character's number in \\u{...}");
    }

    #[test]
    fn comments_and_places() {
        let tokens = tokens("# one\n  ab # two\nc").unwrap();
        let places: Vec<String> = tokens.iter().map(|token| token.span.start.to_string()).collect();
        assert_eq!(places, ["2:2", "3:0"]);
        assert_eq!(tokens[0].span.stop.to_string(), "2:4");
    }
}
