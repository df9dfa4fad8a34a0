//! Tokens to expressions.
//!
//! Precedence, loosest first: `or`, `and`, chains of comparisons, binary operators by strength,
//! prefix operators, postfix operators, terms. Whether an operator is a prefix, a postfix or a
//! binary one is decided by what it touches. Lines mean nothing here, but what stands at the end
//! of one expression and what at the start of the next is decided here alone.

use std::rc::Rc;

use super::lexer::{Kind, Token};
use super::syntax::{Bracketed, Symbol, Syntax, SyntaxKind};
use crate::position::{Pos, Span, SyntaxError};

/// How deep expressions and blocks may nest, so that the reader's recursion is bounded.
const MAX_NESTING: u32 = 100;

/// The tokens of a program and how far they are read.
pub(super) struct Reader {
    tokens: Vec<Token>,
    next: usize,
    end: Pos,
    nesting: u32,
}

type Result<T> = std::result::Result<T, SyntaxError>;

/// The strength of a binary operator.
fn binary_strength(text: &str) -> Option<u32> {
    Some(match text {
        "|" | "^" => 10,
        "&" => 20,
        "<<" => 30,
        ">>" | "++" | "+" | "-" => 40,
        "*" | "/" | "%" => 50,
        _ => return None,
    })
}

fn prefix_strength(text: &str) -> Option<u32> {
    matches!(text, "-" | "+" | "~").then_some(90)
}

fn postfix_strength(text: &str) -> Option<u32> {
    (text == "!").then_some(100)
}

impl Reader {
    pub fn new(tokens: Vec<Token>, end: Pos) -> Reader {
        Reader { tokens, next: 0, end, nesting: 0 }
    }

    /// The token that is read next; `None` at the end.
    pub fn first(&self) -> Option<&Token> {
        self.tokens.get(self.next)
    }

    /// Where the next token stands, or the end of the source.
    pub fn position(&self) -> Pos {
        self.first().map_or(self.end, |token| token.span.start)
    }

    /// Goes one level deeper. An error leaves the reader where it is: it is the last thing it says.
    pub fn enter(&mut self) -> Result<()> {
        if self.nesting == MAX_NESTING {
            return Err(SyntaxError::new(self.position(), "expression too deeply nested"));
        }
        self.nesting += 1;
        Ok(())
    }

    /// Comes back from where [`Reader::enter`] went.
    pub fn leave(&mut self) {
        self.nesting -= 1;
    }

    fn second(&self) -> Option<&Token> {
        self.tokens.get(self.next + 1)
    }

    fn kind(&self) -> Option<&Kind> {
        self.first().map(|token| &token.kind)
    }

    fn at(&self, text: &str) -> bool {
        self.first().is_some_and(|token| &*token.text == text && !matches!(token.kind, Kind::Literal(_)))
    }

    fn advance(&mut self) -> Result<Token> {
        let token = self.tokens.get(self.next).cloned();
        let token = token.ok_or_else(|| self.expected("term"))?;
        self.next += 1;
        Ok(token)
    }

    fn expected(&self, what: &str) -> SyntaxError {
        let got = self.first().map_or("eof", |token| &token.text);
        SyntaxError::new(self.position(), format!("expected {what}, got {got}"))
    }

    /// The next token as an operator's name.
    fn symbol(&mut self) -> Result<Symbol> {
        let token = self.advance()?;
        Ok(Symbol { text: token.text, span: token.span })
    }

    /// An expression: operands joined by `or`.
    pub fn expression(&mut self) -> Result<Syntax> {
        let first = self.conjunction()?;
        self.joined(first, "or", SyntaxKind::Or, Reader::conjunction)
    }

    fn conjunction(&mut self) -> Result<Syntax> {
        let first = self.chain()?;
        self.joined(first, "and", SyntaxKind::And, Reader::chain)
    }

    fn joined(
        &mut self,
        first: Syntax,
        word: &str,
        kind: fn(Vec<Syntax>) -> SyntaxKind,
        operand: fn(&mut Reader) -> Result<Syntax>,
    ) -> Result<Syntax> {
        if !self.at(word) {
            return Ok(first);
        }
        let mut operands = vec![first];
        while self.at(word) {
            self.advance()?;
            operands.push(operand(self)?);
        }
        let span = operands[0].span.to(operands[operands.len() - 1].span);
        Syntax::new(kind(operands), span)
    }

    fn chain(&mut self) -> Result<Syntax> {
        let first = self.binary(0)?;
        if self.kind() != Some(&Kind::Compare) {
            return Ok(first);
        }
        let mut operands = vec![first];
        let mut operators = Vec::new();
        while self.kind() == Some(&Kind::Compare) {
            operators.push(self.symbol()?);
            operands.push(self.binary(0)?);
        }
        let span = operands[0].span.to(operands[operands.len() - 1].span);
        Syntax::new(SyntaxKind::Chain(operators, operands), span)
    }

    /// A term with its prefix and postfix operators, and the binary operators after it that bind
    /// more strongly than `strength`.
    fn binary(&mut self, strength: u32) -> Result<Syntax> {
        self.enter()?;
        let left = match self.prefix() {
            Some(prefix) => self.prefixed(prefix)?,
            None => self.term()?,
        };
        let left = self.suffixes(left)?;
        let left = self.operators(left, strength)?;
        self.leave();
        Ok(left)
    }

    /// The strength of the prefix operator that comes next, if one does.
    fn prefix(&self) -> Option<u32> {
        let operator = self.first().filter(|token| token.kind == Kind::Operator)?;
        if self.touches_right() { prefix_strength(&operator.text) } else { None }
    }

    /// Whether the next token touches the one after it. A closing bracket is no neighbour.
    fn touches_right(&self) -> bool {
        match (self.first(), self.second()) {
            (Some(first), Some(second)) => first.span.stop == second.span.start && second.kind != Kind::Close,
            _ => false,
        }
    }

    fn prefixed(&mut self, strength: u32) -> Result<Syntax> {
        let mut operator = self.symbol()?;
        let operand = self.binary(strength)?;
        operator.text = format!("{}expr", operator.text).into();
        let span = operator.span.to(operand.span);
        Syntax::new(SyntaxKind::Operator(operator, vec![operand]), span)
    }

    /// Attributes, indices and assignments after a term.
    fn suffixes(&mut self, mut left: Syntax) -> Result<Syntax> {
        loop {
            let Some(token) = self.first() else { return Ok(left) };
            let touches = token.span.start == left.span.stop;
            left = match &token.kind {
                Kind::Dot => {
                    self.advance()?;
                    if self.kind() != Some(&Kind::Symbol) && self.kind() != Some(&Kind::Word) {
                        return Err(self.expected("symbol"));
                    }
                    let name = self.symbol()?;
                    let span = left.span.to(name.span);
                    Syntax::new(SyntaxKind::Attr(Box::new(left), name), span)?
                }
                Kind::Open if touches && &*token.text == "[" => {
                    let open = self.advance()?;
                    let (items, close) = self.bracketed(&open, "]", "[]")?;
                    let span = left.span.to(close);
                    Syntax::new(SyntaxKind::Index(Box::new(left), items), span)?
                }
                Kind::Let => {
                    self.advance()?;
                    self.assigned(left, SyntaxKind::Let)?
                }
                Kind::Set => {
                    self.advance()?;
                    self.assigned(left, SyntaxKind::Set)?
                }
                Kind::Operator if self.at_augmented() => {
                    let operator = self.symbol()?;
                    self.advance()?;
                    self.assigned(left, |target, value| SyntaxKind::Augment(operator, target, value))?
                }
                _ => return Ok(left),
            };
        }
    }

    fn at_augmented(&self) -> bool {
        let binary = self.first().is_some_and(|token| binary_strength(&token.text).is_some());
        binary && self.second().is_some_and(|token| token.kind == Kind::Let)
    }

    fn assigned(
        &mut self,
        target: Syntax,
        kind: impl FnOnce(Box<Syntax>, Box<Syntax>) -> SyntaxKind,
    ) -> Result<Syntax> {
        let value = self.expression()?;
        let span = target.span.to(value.span);
        Syntax::new(kind(Box::new(target), Box::new(value)), span)
    }

    fn operators(&mut self, mut left: Syntax, strength: u32) -> Result<Syntax> {
        loop {
            let Some(operator) = self.first().filter(|token| token.kind == Kind::Operator) else {
                return Ok(left);
            };
            let touches_left = left.span.stop == operator.span.start;
            let touches_right = self.touches_right();
            let binary = binary_strength(&operator.text).filter(|found| *found > strength);
            let postfix = postfix_strength(&operator.text).filter(|found| *found > strength);
            if let Some(found) = binary
                && touches_left == touches_right
                && self.second().is_some()
            {
                let operator = self.symbol()?;
                let right = self.binary(found)?;
                let span = left.span.to(right.span);
                left = Syntax::new(SyntaxKind::Operator(operator, vec![left, right]), span)?;
            } else if postfix.is_some() && touches_left && !touches_right {
                let mut operator = self.symbol()?;
                operator.text = format!("expr{}", operator.text).into();
                let span = left.span.to(operator.span);
                left = Syntax::new(SyntaxKind::Operator(operator, vec![left]), span)?;
            } else {
                return Ok(left);
            }
        }
    }

    fn term(&mut self) -> Result<Syntax> {
        match self.kind() {
            Some(Kind::Symbol) => {
                let name = self.symbol()?;
                let span = name.span;
                Syntax::new(SyntaxKind::Name(name), span)
            }
            Some(Kind::Literal(literal)) => {
                let literal = literal.clone();
                let token = self.advance()?;
                Syntax::new(SyntaxKind::Literal(literal), token.span)
            }
            Some(Kind::Word) if self.at("not") => {
                let operator = self.symbol()?;
                let operand = self.chain()?;
                let span = operator.span.to(operand.span);
                Syntax::new(SyntaxKind::Not(operator, Box::new(operand)), span)
            }
            Some(Kind::Open) => self.brackets(),
            _ => Err(self.expected("term")),
        }
    }

    fn brackets(&mut self) -> Result<Syntax> {
        let open = self.advance()?;
        let (close, what, kind): (_, _, fn(Bracketed) -> SyntaxKind) = match &*open.text {
            "(" => (")", "form", SyntaxKind::Form),
            "[" => ("]", "list", SyntaxKind::List),
            _ => return self.group(&open),
        };
        let (items, close) = self.bracketed(&open, close, what)?;
        Syntax::new(kind(Bracketed { items, capture: Vec::new() }), open.span.to(close))
    }

    /// `{expression}`, or what names an operator: `{+}`, `{-_}` (the prefix), `{_!}` (the postfix).
    fn group(&mut self, open: &Token) -> Result<Syntax> {
        let lone_operator = matches!(self.kind(), Some(Kind::Operator | Kind::Compare | Kind::Word))
            && self.second().is_some_and(|token| &*token.text == "}");
        let unary = self.unary_name();
        let mut inner = if let Some(text) = unary {
            let (mut name, hole) = (self.symbol()?, self.symbol()?);
            (name.text, name.span) = (text.into(), name.span.to(hole.span));
            let span = name.span;
            Syntax::new(SyntaxKind::Name(name), span)?
        } else if lone_operator {
            let name = self.symbol()?;
            let span = name.span;
            Syntax::new(SyntaxKind::Name(name), span)?
        } else {
            self.expression()?
        };
        inner.span = open.span.to(self.close(open, "}", "group")?);
        Ok(inner)
    }

    /// The name of the prefix or postfix operator that stands alone in a group, with `_` for its operand.
    fn unary_name(&self) -> Option<String> {
        let [one, other, close] = self.tokens.get(self.next..self.next + 3)? else { return None };
        if &*close.text != "}" || one.span.stop != other.span.start {
            return None;
        }
        match (&*one.text, &*other.text) {
            (operator, "_") if prefix_strength(operator).is_some() => Some(format!("{operator}expr")),
            ("_", operator) if postfix_strength(operator).is_some() => Some(format!("expr{operator}")),
            _ => None,
        }
    }

    /// The expressions up to the closing bracket, and the place of that.
    fn bracketed(&mut self, open: &Token, close: &str, what: &str) -> Result<(Vec<Syntax>, Span)> {
        let mut items = Vec::new();
        while self.kind().is_some_and(|kind| *kind != Kind::Close) {
            items.push(self.expression()?);
        }
        Ok((items, self.close(open, close, what)?))
    }

    fn close(&mut self, open: &Token, close: &str, what: &str) -> Result<Span> {
        if !self.at(close) {
            let message = format!("{what} truncates at {}", self.position());
            return Err(SyntaxError::new(open.span.start, message));
        }
        Ok(self.advance()?.span)
    }
}

/// The name that a symbol token stands for.
impl From<&str> for Symbol {
    fn from(text: &str) -> Symbol {
        Symbol { text: Rc::from(text), span: Span::default() }
    }
}
