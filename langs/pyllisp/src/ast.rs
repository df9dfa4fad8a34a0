//! The syntax tree: what a program says once its macros are recognised.
//!
//! Every use of a name has a number, by which [`crate::scope`] says what it means.

use std::rc::Rc;

use crate::position::Span;
pub use crate::read::lexer::Literal;

/// A whole program.
#[derive(Clone, PartialEq, Debug)]
pub struct Program {
    /// The top level, as a function without parameters.
    pub main: Function,
    /// How many functions there are, the top level included.
    pub functions: usize,
    /// How many uses of names there are.
    pub uses: usize,
}

/// A function of the program.
#[derive(Clone, PartialEq, Debug)]
pub struct Function {
    /// Its number; the top level is 0, and a function's number is greater than its parent's.
    pub id: usize,
    /// The name that it is first bound to, for tracebacks.
    pub name: Option<Rc<str>>,
    /// How many parameters it has; they are its first locals.
    pub params: usize,
    /// The names that are bound in its own scope. The top level has none: its names are the module's.
    pub locals: Vec<Rc<str>>,
    /// What it does.
    pub body: Block,
    /// Whether it yields.
    pub generator: bool,
    /// Where the form stands that makes it.
    pub span: Span,
}

/// Expressions one after the other.
pub type Block = Vec<Expr>;

/// A name where it is used.
#[derive(Clone, PartialEq, Debug)]
pub struct Name {
    /// The name.
    pub text: Rc<str>,
    /// The number of this use.
    pub use_id: usize,
}

/// An expression.
#[derive(Clone, PartialEq, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
    pub span: Span,
    /// Whether it may bind or assign a variable of the function in which it stands.
    pub assigns: bool,
}

/// What a value is stored in.
#[derive(Clone, PartialEq, Debug)]
pub enum Target {
    /// A variable of the scope at hand, as `=` binds it.
    Bound(Name),
    /// The variable of the nearest scope that has it, as `:=` and `+=` store it.
    Stored(Name),
    /// `object.name`
    Attr(Box<Expr>, Rc<str>),
    /// `object[index]`
    Index(Box<Expr>, Box<Expr>),
}

/// `(class parent field…)` and what stands in its block.
#[derive(Clone, PartialEq, Debug)]
pub struct Class {
    /// The name that it is first bound to.
    pub name: Rc<str>,
    /// What it refines.
    pub parent: Expr,
    /// The fields of its own.
    pub fields: Vec<Rc<str>>,
    /// The names and values of its members.
    pub members: Vec<(Rc<str>, Expr)>,
}

/// The kinds of expressions.
#[derive(Clone, PartialEq, Debug)]
pub enum ExprKind {
    /// A number or a string.
    Literal(Literal),
    /// A variable.
    Name(Name),
    /// `(callee args…)`
    Call(Box<Expr>, Vec<Expr>),
    /// A prefix, postfix or binary operator: a call of what its name means.
    Operator(Name, Vec<Expr>),
    /// `a < b <= c`: every comparison is made, their results are joined by the function `and`.
    Chain {
        /// The comparisons, one fewer than operands.
        operators: Vec<Name>,
        /// What is compared, each evaluated once.
        operands: Vec<Expr>,
        /// The function that joins the results.
        and: Name,
    },
    /// The first operand that is false, or the last one.
    And(Vec<Expr>),
    /// The first operand that is not false, or the last one.
    Or(Vec<Expr>),
    /// A call of the function `not`.
    Not(Name, Box<Expr>),
    /// `[items…]`
    List(Vec<Expr>),
    /// `object.name`
    Attr(Box<Expr>, Rc<str>),
    /// `object[index]`
    Index(Box<Expr>, Box<Expr>),
    /// `target = value` or `target := value`; its value is the right side's.
    Assign(Box<Target>, Box<Expr>),
    /// `target += value`, with the operator first.
    Augment(Name, Box<Target>, Box<Expr>),
    /// A closure.
    Func(Box<Function>),
    /// `(if c)`, `(elif c)`, … `(else)`
    If(Vec<(Expr, Block)>, Option<Block>),
    /// `(while c)`
    While(Box<Expr>, Block),
    /// `(for name iterable)`
    For(Name, Box<Expr>, Block),
    /// `(return e)`
    Return(Option<Box<Expr>>),
    /// `(break)`
    Break,
    /// `(continue)`
    Continue,
    /// `(assert e)`
    Assert(Box<Expr>),
    /// `(yield e)`
    Yield(Option<Box<Expr>>),
    /// `(from e name …)`
    From(Box<Expr>, Vec<Name>),
    /// `(try)` with what stands in `(except name)`.
    Try(Block, Option<Name>, Block),
    /// `(raise e)`
    Raise(Box<Expr>),
    /// `(class parent field…)`
    Class(Box<Class>),
}

impl Expr {
    /// An expression; `assigns` follows from its parts.
    pub fn new(kind: ExprKind, span: Span) -> Expr {
        let assigns = kind.assigns();
        Expr { kind, span, assigns }
    }
}

impl ExprKind {
    fn assigns(&self) -> bool {
        let any = |parts: &[Expr]| parts.iter().any(|part| part.assigns);
        match self {
            ExprKind::Literal(_) | ExprKind::Name(_) | ExprKind::Func(_) => false,
            ExprKind::Break | ExprKind::Continue => false,
            ExprKind::Assign(..) | ExprKind::Augment(..) | ExprKind::For(..) | ExprKind::From(..) => true,
            ExprKind::Try(body, name, handler) => name.is_some() || any(body) || any(handler),
            ExprKind::Class(class) => {
                class.parent.assigns || class.members.iter().any(|(_, value)| value.assigns)
            }
            ExprKind::Call(callee, args) => callee.assigns || any(args),
            ExprKind::Operator(_, parts)
            | ExprKind::Chain { operands: parts, .. }
            | ExprKind::And(parts)
            | ExprKind::Or(parts)
            | ExprKind::List(parts) => any(parts),
            ExprKind::Not(_, part)
            | ExprKind::Attr(part, _)
            | ExprKind::Assert(part)
            | ExprKind::Raise(part) => part.assigns,
            ExprKind::Index(object, index) => object.assigns || index.assigns,
            ExprKind::If(arms, otherwise) => {
                arms.iter().any(|(condition, block)| condition.assigns || any(block))
                    || otherwise.as_ref().is_some_and(|block| any(block))
            }
            ExprKind::While(condition, block) => condition.assigns || any(block),
            ExprKind::Return(value) | ExprKind::Yield(value) => {
                value.as_ref().is_some_and(|value| value.assigns)
            }
        }
    }
}
