//! Types as clang writes them, `int (*)(const void *, struct tm [3])`, as types in our own words,
//! `pointer cfunc i32 [pointer void pointer tm]`.

use super::scope::Scope;

/// A type that has no words here: nothing that uses it is described.
#[derive(Debug)]
pub struct Unknown;

type Result<T> = std::result::Result<T, Unknown>;

/// What a declarator makes of a type, one after the other.
enum Step {
    Pointer,
    Array(Option<u64>),
    Function(Vec<String>, bool),
}

struct Reader<'a, 's> {
    tokens: Vec<&'a str>,
    next: usize,
    scope: &'s mut Scope,
}

/// The text of a type in our words.
pub fn translate(text: &str, scope: &mut Scope) -> Result<String> {
    let mut reader = Reader { tokens: tokens(text), next: 0, scope };
    let ty = reader.ty()?;
    if reader.next == reader.tokens.len() { Ok(ty) } else { Err(Unknown) }
}

fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        let length = if word(first) {
            rest.find(|letter| !word(letter)).unwrap_or(rest.len())
        } else if rest.starts_with("...") {
            3
        } else {
            first.len_utf8()
        };
        tokens.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    tokens
}

impl Reader<'_, '_> {
    fn peek(&self) -> &str {
        self.tokens.get(self.next).copied().unwrap_or_default()
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.peek() == token && !token.is_empty();
        self.next += usize::from(found);
        found
    }

    fn ty(&mut self) -> Result<String> {
        let base = self.base()?;
        let steps = self.declarator(0)?;
        steps.into_iter().try_fold(base, |ty, step| {
            Ok(match step {
                Step::Pointer => format!("pointer {ty}"),
                Step::Array(Some(length)) => format!("array {ty} {length}"),
                Step::Array(None) => format!("array {ty}"),
                Step::Function(args, variadic) => {
                    let more = if variadic { " ..." } else { "" };
                    format!("cfunc {ty} [{}{more}]", args.join(" "))
                }
            })
        })
    }

    fn base(&mut self) -> Result<String> {
        let (mut long, mut unsigned, mut signed) = (0, false, false);
        let mut kind = None;
        loop {
            let token = self.peek().to_owned();
            match token.as_str() {
                "const" | "volatile" | "restrict" | "__restrict" => {}
                "unsigned" => unsigned = true,
                "signed" => signed = true,
                "long" => long += 1,
                "struct" | "union" | "enum" if kind.is_none() => {
                    self.next += 1;
                    let name = self.peek().to_owned();
                    kind = Some(self.scope.tag(&token, &name)?);
                }
                "char" | "short" | "int" | "float" | "double" | "void" | "_Bool" => {
                    if token != "int" || kind.is_none() {
                        kind = Some(token);
                    }
                }
                _ if kind.is_none() && long == 0 && !unsigned && !signed && is_word(&token) => {
                    kind = Some(self.scope.typedef(&token)?);
                }
                _ => break,
            }
            self.next += 1;
        }
        let plain = |signed: &str, other: &str| (if unsigned { other } else { signed }).to_owned();
        Ok(match kind.as_deref() {
            None if long == 0 && !unsigned && !signed => return Err(Unknown),
            Some("double") if long > 0 => "longdouble".to_owned(),
            Some("char") => plain("i8", "u8"),
            Some("short") => plain("i16", "u16"),
            None | Some("int") if long > 0 => plain("i64", "u64"),
            None | Some("int") => plain("i32", "u32"),
            Some("float") => "f32".to_owned(),
            Some("double") => "f64".to_owned(),
            Some("_Bool") => "u8".to_owned(),
            Some(other) => other.to_owned(),
        })
    }

    /// What is applied to the base, in order.
    fn declarator(&mut self, depth: u32) -> Result<Vec<Step>> {
        if depth > 32 {
            return Err(Unknown);
        }
        let mut steps = Vec::new();
        loop {
            match self.peek() {
                "*" => steps.push(Step::Pointer),
                "const" | "volatile" | "restrict" | "__restrict" => {}
                _ => break,
            }
            self.next += 1;
        }
        let grouped =
            self.peek() == "(" && matches!(self.tokens.get(self.next + 1).copied(), Some("*" | "("));
        let inner = if grouped {
            self.next += 1;
            let inner = self.declarator(depth + 1)?;
            if !self.eat(")") {
                return Err(Unknown);
            }
            inner
        } else {
            Vec::new()
        };
        let mut suffixes = Vec::new();
        loop {
            if self.eat("[") {
                let length = self.peek().parse().ok();
                self.next += usize::from(length.is_some());
                if !self.eat("]") {
                    return Err(Unknown);
                }
                suffixes.push(Step::Array(length));
            } else if self.eat("(") {
                suffixes.push(self.parameters()?);
            } else {
                break;
            }
        }
        steps.extend(suffixes.into_iter().rev());
        steps.extend(inner);
        Ok(steps)
    }

    fn parameters(&mut self) -> Result<Step> {
        let mut args = Vec::new();
        let mut variadic = false;
        while !self.eat(")") {
            if self.eat("...") {
                variadic = true;
            } else {
                args.push(self.ty()?);
            }
            if !self.eat(",") && self.peek() != ")" {
                return Err(Unknown);
            }
        }
        if args == ["void"] {
            args.clear();
        }
        Ok(Step::Function(args, variadic))
    }
}

fn is_word(token: &str) -> bool {
    token.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_')
}
