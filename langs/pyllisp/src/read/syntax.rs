//! The tree that the reader builds: forms, lists, operators, with captured blocks in place but no
//! macro recognised yet.

use std::rc::Rc;

use super::lexer::Literal;
use crate::position::{Span, SyntaxError};

/// How high a tree may grow. The steps after the reader recurse over it, and a chain of binary
/// operators is as high as it is long.
pub const MAX_HEIGHT: u32 = 400;

/// One expression of the source.
#[derive(Clone, PartialEq, Debug)]
pub struct Syntax {
    /// What it is.
    pub kind: SyntaxKind,
    /// Where it stands, without its captured block.
    pub span: Span,
    height: u32,
}

/// A name where it is used.
#[derive(Clone, PartialEq, Debug)]
pub struct Symbol {
    /// The name.
    pub text: Rc<str>,
    /// Where it stands.
    pub span: Span,
}

/// The kinds of expressions.
#[derive(Clone, PartialEq, Debug)]
pub enum SyntaxKind {
    /// A number or a string.
    Literal(Literal),
    /// A name.
    Name(Symbol),
    /// `(f a b)`, and the block it captured.
    Form(Bracketed),
    /// `[a b c]`, and the block it captured.
    List(Bracketed),
    /// A prefix, binary or postfix operator: a call of the operator's name.
    Operator(Symbol, Vec<Syntax>),
    /// `a < b <= c`: one operator fewer than operands.
    Chain(Vec<Symbol>, Vec<Syntax>),
    /// Operands joined by the word `and`.
    And(Vec<Syntax>),
    /// Operands joined by the word `or`.
    Or(Vec<Syntax>),
    /// `not a`, with the word's place.
    Not(Symbol, Box<Syntax>),
    /// `a.name`
    Attr(Box<Syntax>, Symbol),
    /// `a[i]`
    Index(Box<Syntax>, Vec<Syntax>),
    /// `target = value`
    Let(Box<Syntax>, Box<Syntax>),
    /// `target := value`
    Set(Box<Syntax>, Box<Syntax>),
    /// `target += value`, with the binary operator's name.
    Augment(Symbol, Box<Syntax>, Box<Syntax>),
}

/// What stands between brackets, and the block that layout gave to it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Bracketed {
    /// The expressions between the brackets.
    pub items: Vec<Syntax>,
    /// The captured block; a block is never empty.
    pub capture: Vec<Syntax>,
}

impl Syntax {
    /// A node, unless it would make the tree too high.
    pub fn new(kind: SyntaxKind, span: Span) -> Result<Syntax, SyntaxError> {
        let mut syntax = Syntax { kind, span, height: 0 };
        let mut height = 0;
        syntax.each_child(&mut |child| height = height.max(child.height));
        syntax.height = height + 1;
        if syntax.height > MAX_HEIGHT {
            return Err(SyntaxError::new(span.start, "expression too deeply nested"));
        }
        Ok(syntax)
    }

    /// Gives this expression's last brackets the block that follows it. There must be such brackets.
    pub fn attach(&mut self, block: Vec<Syntax>) -> Result<(), SyntaxError> {
        self.height += block.iter().map(|child| child.height).max().unwrap_or(0);
        if self.height > MAX_HEIGHT {
            return Err(SyntaxError::new(self.span.start, "expression too deeply nested"));
        }
        if let Some(bracketed) = self.capturer() {
            bracketed.capture = block;
        }
        Ok(())
    }

    /// The form or list that captures what follows this expression: the last brackets on its line
    /// that are not inside of others.
    pub fn capturing(&self) -> Option<&Syntax> {
        match &self.kind {
            SyntaxKind::Form(_) | SyntaxKind::List(_) => Some(self),
            _ => {
                let mut last = None;
                self.each_child(&mut |child| last = child.capturing().or(last));
                last
            }
        }
    }

    fn each_child<'a>(&'a self, visit: &mut dyn FnMut(&'a Syntax)) {
        match &self.kind {
            SyntaxKind::Literal(_) | SyntaxKind::Name(_) => {}
            SyntaxKind::Form(bracketed) | SyntaxKind::List(bracketed) => {
                bracketed.items.iter().chain(&bracketed.capture).for_each(visit);
            }
            SyntaxKind::Operator(_, operands)
            | SyntaxKind::Chain(_, operands)
            | SyntaxKind::And(operands)
            | SyntaxKind::Or(operands) => operands.iter().for_each(visit),
            SyntaxKind::Not(_, operand) | SyntaxKind::Attr(operand, _) => visit(operand),
            SyntaxKind::Index(object, items) => {
                visit(object);
                items.iter().for_each(visit);
            }
            SyntaxKind::Let(target, value)
            | SyntaxKind::Set(target, value)
            | SyntaxKind::Augment(_, target, value) => {
                visit(target);
                visit(value);
            }
        }
    }

    /// The brackets of [`Syntax::capturing`].
    fn capturer(&mut self) -> Option<&mut Bracketed> {
        match &mut self.kind {
            SyntaxKind::Literal(_) | SyntaxKind::Name(_) => None,
            SyntaxKind::Form(bracketed) | SyntaxKind::List(bracketed) => Some(bracketed),
            SyntaxKind::Operator(_, operands)
            | SyntaxKind::Chain(_, operands)
            | SyntaxKind::And(operands)
            | SyntaxKind::Or(operands) => operands.iter_mut().rev().find_map(Syntax::capturer),
            SyntaxKind::Not(_, operand) | SyntaxKind::Attr(operand, _) => operand.capturer(),
            SyntaxKind::Index(object, items) => {
                items.iter_mut().rev().find_map(Syntax::capturer).or_else(|| object.capturer())
            }
            SyntaxKind::Let(target, value)
            | SyntaxKind::Set(target, value)
            | SyntaxKind::Augment(_, target, value) => value.capturer().or_else(|| target.capturer()),
        }
    }
}
