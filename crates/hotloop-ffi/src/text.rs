//! Types as text, as descriptions of headers have them; what is printed reads back, but for records without a name.
//!
//! ```text
//! type = "void" | "i8" | "u8" | … | "u64" | "f32" | "f64" | "longdouble"
//!      | "pointer" type
//!      | "array" type N?                              without N its length is unknown
//!      | "cfunc" type "[" type* "..."? "]"            the result, then the arguments
//!      | NAME                                         of the description's types
//! ```

use hotloop::foreign::Scalar;

use crate::types::{Type, TypeError};

/// Longer texts are no types.
const LONGEST: usize = 1 << 14;
/// How deep types may nest while they are read.
const DEEPEST: u32 = 64;

/// Whether a name stands where its size matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Use {
    /// Behind a pointer: it need not be complete.
    Pointed,
    /// As it is.
    Whole,
}

/// The type that a text means; `named` knows the names.
///
/// # Errors
/// The text is no type, or there is no such type.
pub fn parse(
    text: &str,
    named: &mut dyn FnMut(&str, Use) -> Result<&'static Type, TypeError>,
) -> Result<&'static Type, TypeError> {
    if text.len() > LONGEST {
        return Err(TypeError("the text of the type is too long".into()));
    }
    let spaced = text.replace('[', " [ ").replace(']', " ] ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut reader = Reader { tokens: &tokens, next: 0, named };
    let ty = reader.ty(Use::Whole, 0)?;
    match reader.peek() {
        None => Ok(ty),
        Some(token) => Err(TypeError(format!("`{token}` after the type {ty}"))),
    }
}

struct Reader<'a> {
    tokens: &'a [&'a str],
    next: usize,
    named: &'a mut dyn FnMut(&str, Use) -> Result<&'static Type, TypeError>,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.tokens.get(self.next).copied()
    }

    fn take(&mut self) -> Option<&'a str> {
        let token = self.peek();
        self.next += 1;
        token
    }

    fn ty(&mut self, used: Use, depth: u32) -> Result<&'static Type, TypeError> {
        if depth > DEEPEST {
            return Err(TypeError("the type is nested too deeply".into()));
        }
        let Some(token) = self.take() else { return Err(TypeError("the type ends too early".into())) };
        match token {
            "void" => Ok(Type::void()),
            "longdouble" => Ok(Type::long_double()),
            "pointer" => Type::pointer(self.ty(Use::Pointed, depth + 1)?),
            "array" => {
                let of = self.ty(Use::Whole, depth + 1)?;
                let length = self.peek().and_then(|token| token.parse::<u64>().ok());
                self.next += usize::from(length.is_some());
                Type::array(of, length)
            }
            "cfunc" => self.function(depth),
            _ => match Scalar::from_name(token) {
                Some(scalar) => Ok(Type::number(scalar)),
                None if is_name(token) => (self.named)(token, used),
                None => Err(TypeError(format!("`{token}` is no type"))),
            },
        }
    }

    fn function(&mut self, depth: u32) -> Result<&'static Type, TypeError> {
        let result = self.ty(Use::Pointed, depth + 1)?;
        if self.take() != Some("[") {
            return Err(TypeError(
                "`[` and the arguments' types are missing after cfunc and its result".into(),
            ));
        }
        let mut args = Vec::new();
        let mut variadic = false;
        loop {
            match self.peek() {
                Some("]") => break,
                Some("...") if !variadic => {
                    variadic = true;
                    self.next += 1;
                }
                _ if variadic => return Err(TypeError("something stands after `...`".into())),
                None => return Err(TypeError("`]` is missing after a function's arguments".into())),
                Some(_) => args.push(self.ty(Use::Pointed, depth + 1)?),
            }
        }
        self.next += 1;
        Type::function(result, args, variadic)
    }
}

fn is_name(token: &str) -> bool {
    let word = |letter: char| letter == '_' || letter.is_ascii_alphanumeric();
    token.chars().all(word) && !token.starts_with(|letter: char| letter.is_ascii_digit())
}
