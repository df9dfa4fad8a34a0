//! Forms to the syntax tree: the macros are recognised, captured blocks go to whom they belong.
//!
//! A form is a macro if its head is a macro's name, whatever that name is bound to. Any other form
//! is a call, which takes its captured block as further arguments. `(else)` and `(elif c)` belong to
//! the `if` that captures the line before them, `(except name)` to the `try`.

use std::rc::Rc;

use crate::ast::{Block, Class, Expr, ExprKind, Function, Name, Program, Target};
use crate::position::{Pos, Span, SyntaxError};
use crate::read::syntax::{Bracketed, Symbol, Syntax, SyntaxKind};

type Result<T> = std::result::Result<T, SyntaxError>;

/// The tree of a program that has been read.
pub fn expand(program: &[Syntax]) -> Result<Program> {
    let mut expander = Expander { functions: 1, ..Expander::default() };
    expander.scopes.push(Scope::default());
    let body = expander.block(program)?;
    let generator = expander.scopes.pop().is_some_and(|scope| scope.generator);
    let stop = program.last().map_or(Pos::default(), |last| last.span.stop);
    let main = Function {
        id: 0,
        name: None,
        params: 0,
        locals: Vec::new(),
        body,
        generator,
        span: Span { start: Pos::default(), stop },
    };
    Ok(Program { main, functions: expander.functions, uses: expander.uses })
}

#[derive(Default)]
struct Expander<'a> {
    uses: usize,
    functions: usize,
    /// The functions around the expression at hand, the innermost last.
    scopes: Vec<Scope>,
    /// The `else` and `elif` forms that wait for their `if`, or the `except` for its `try`, and the form that
    /// must be that one.
    chain: Option<(Span, &'a [Syntax])>,
    /// The name that the function or class at hand is being bound to.
    function_name: Option<Rc<str>>,
}

#[derive(Default)]
struct Scope {
    locals: Vec<Rc<str>>,
    loops: u32,
    generator: bool,
}

fn fail<T>(span: Span, message: &str) -> Result<T> {
    Err(SyntaxError::new(span.start, message))
}

/// The name at the head of a form.
fn head(syntax: &Syntax) -> Option<&str> {
    match &syntax.kind {
        SyntaxKind::Form(form) => match &form.items.first()?.kind {
            SyntaxKind::Name(name) => Some(&name.text),
            _ => None,
        },
        _ => None,
    }
}

fn is_chained(syntax: &Syntax) -> bool {
    matches!(head(syntax), Some("else" | "elif" | "except"))
}

impl<'a> Expander<'a> {
    fn name(&mut self, symbol: &Symbol) -> Name {
        self.uses += 1;
        Name { text: symbol.text.clone(), use_id: self.uses - 1 }
    }

    /// A name that the scope at hand binds. The top level's names are not locals.
    fn bound(&mut self, symbol: &Symbol) -> Name {
        let top_level = self.scopes.len() == 1;
        if let Some(scope) = self.scopes.last_mut()
            && !top_level
            && !scope.locals.contains(&symbol.text)
        {
            scope.locals.push(symbol.text.clone());
        }
        self.name(symbol)
    }

    fn bound_target(&mut self, symbol: &Symbol) -> Target {
        Target::Bound(self.bound(symbol))
    }

    fn stored_target(&mut self, symbol: &Symbol) -> Target {
        Target::Stored(self.name(symbol))
    }

    fn block(&mut self, block: &'a [Syntax]) -> Result<Block> {
        let mut expressions = Vec::new();
        let mut rest = block;
        while let Some((first, following)) = rest.split_first() {
            let chained = following.iter().take_while(|syntax| is_chained(syntax)).count();
            let (chain, after) = following.split_at(chained);
            expressions.push(self.chained(first, chain)?);
            rest = after;
        }
        Ok(expressions)
    }

    /// An expression of a block with the `else` or `except` forms after it.
    fn chained(&mut self, first: &'a Syntax, chain: &'a [Syntax]) -> Result<Expr> {
        if is_chained(first) {
            return fail(first.span, "chain without receiver");
        }
        let receiver = first.capturing().filter(|form| matches!(head(form), Some("if" | "try")));
        let outer = match (chain.first(), receiver) {
            (None, _) => self.chain.take(),
            (Some(_), Some(receiver)) => self.chain.replace((receiver.span, chain)),
            (Some(chained), None) => return fail(chained.span, "chain without receiver"),
        };
        let expr = self.expr(first)?;
        self.chain = outer;
        Ok(expr)
    }

    fn exprs(&mut self, items: &'a [Syntax]) -> Result<Vec<Expr>> {
        items.iter().map(|item| self.expr(item)).collect()
    }

    fn boxed(&mut self, syntax: &'a Syntax) -> Result<Box<Expr>> {
        self.expr(syntax).map(Box::new)
    }

    fn expr(&mut self, syntax: &'a Syntax) -> Result<Expr> {
        let span = syntax.span;
        let function_name = self.function_name.take();
        let kind = match &syntax.kind {
            SyntaxKind::Literal(literal) => ExprKind::Literal(literal.clone()),
            SyntaxKind::Name(name) => ExprKind::Name(self.name(name)),
            SyntaxKind::Form(form) => {
                self.function_name = function_name;
                self.form(form, span)?
            }
            SyntaxKind::List(list) => {
                nothing_captured(list, span)?;
                ExprKind::List(self.exprs(&list.items)?)
            }
            SyntaxKind::Operator(name, operands) => {
                ExprKind::Operator(self.name(name), self.exprs(operands)?)
            }
            SyntaxKind::Chain(names, operands) => ExprKind::Chain {
                operators: names.iter().map(|name| self.name(name)).collect(),
                operands: self.exprs(operands)?,
                and: self.name(&Symbol::from("and")),
            },
            SyntaxKind::And(operands) => ExprKind::And(self.exprs(operands)?),
            SyntaxKind::Or(operands) => ExprKind::Or(self.exprs(operands)?),
            SyntaxKind::Not(name, operand) => ExprKind::Not(self.name(name), self.boxed(operand)?),
            SyntaxKind::Attr(object, name) => ExprKind::Attr(self.boxed(object)?, name.text.clone()),
            SyntaxKind::Index(object, items) => {
                let (object, index) = self.index(object, items, span)?;
                ExprKind::Index(object, index)
            }
            SyntaxKind::Let(target, value) => self.assign(target, value, Expander::bound_target)?,
            SyntaxKind::Set(target, value) => self.assign(target, value, Expander::stored_target)?,
            SyntaxKind::Augment(operator, target, value) => {
                let value = self.boxed(value)?;
                let operator = self.name(operator);
                ExprKind::Augment(operator, Box::new(self.target(target, Expander::stored_target)?), value)
            }
        };
        Ok(Expr::new(kind, span))
    }

    fn index(
        &mut self,
        object: &'a Syntax,
        items: &'a [Syntax],
        span: Span,
    ) -> Result<(Box<Expr>, Box<Expr>)> {
        let [index] = items else { return fail(span, "expected one index") };
        Ok((self.boxed(object)?, self.boxed(index)?))
    }

    fn assign(
        &mut self,
        target: &'a Syntax,
        value: &'a Syntax,
        name: fn(&mut Self, &Symbol) -> Target,
    ) -> Result<ExprKind> {
        self.function_name = match &target.kind {
            SyntaxKind::Name(name) | SyntaxKind::Attr(_, name) => Some(name.text.clone()),
            _ => None,
        };
        let value = self.boxed(value)?;
        Ok(ExprKind::Assign(Box::new(self.target(target, name)?), value))
    }

    fn target(&mut self, target: &'a Syntax, name: fn(&mut Self, &Symbol) -> Target) -> Result<Target> {
        Ok(match &target.kind {
            SyntaxKind::Name(symbol) => name(self, symbol),
            SyntaxKind::Attr(object, attr) => Target::Attr(self.boxed(object)?, attr.text.clone()),
            SyntaxKind::Index(object, items) => {
                let (object, index) = self.index(object, items, target.span)?;
                Target::Index(object, index)
            }
            _ => return fail(target.span, "cannot assign to this expression"),
        })
    }

    fn form(&mut self, form: &'a Bracketed, span: Span) -> Result<ExprKind> {
        let Some((first, args)) = form.items.split_first() else { return fail(span, "empty form") };
        let name = match &first.kind {
            SyntaxKind::Name(name) => &*name.text,
            _ => "",
        };
        if !matches!(name, "func" | "class") {
            self.function_name = None;
        }
        match name {
            "func" => self.func(form, args, span),
            "if" => self.if_(form, args, span),
            "while" => {
                let [condition] = args else { return fail(span, "format: (while condition)") };
                let condition = self.boxed(condition)?;
                Ok(ExprKind::While(condition, self.loop_body(form, span)?))
            }
            "for" => {
                let [variable, iterable] = args else { return fail(span, "format: (for variable iterable)") };
                let SyntaxKind::Name(variable) = &variable.kind else {
                    return fail(variable.span, "expected symbol");
                };
                let iterable = self.boxed(iterable)?;
                let variable = self.bound(variable);
                Ok(ExprKind::For(variable, iterable, self.loop_body(form, span)?))
            }
            "from" => self.from(form, args, span),
            "try" => self.try_(form, args, span),
            "class" => self.class(form, args, span),
            "return" | "yield" | "assert" | "raise" | "break" | "continue" => {
                nothing_captured(form, span)?;
                self.plain(name, args, span)
            }
            "else" | "elif" | "except" => fail(span, "chain without receiver"),
            _ => {
                let callee = self.boxed(first)?;
                let mut args = self.exprs(args)?;
                args.extend(self.block(&form.capture)?);
                Ok(ExprKind::Call(callee, args))
            }
        }
    }

    /// The macros that capture nothing.
    fn plain(&mut self, name: &str, args: &'a [Syntax], span: Span) -> Result<ExprKind> {
        match (name, args) {
            ("return", []) => Ok(ExprKind::Return(None)),
            ("return", [value]) => Ok(ExprKind::Return(Some(self.boxed(value)?))),
            ("return", _) => fail(span, "format: (return value)"),
            ("yield", [] | [_]) => {
                let value = args.first().map(|value| self.boxed(value)).transpose()?;
                if let Some(scope) = self.scopes.last_mut() {
                    scope.generator = true;
                }
                Ok(ExprKind::Yield(value))
            }
            ("yield", _) => fail(span, "format: (yield value)"),
            ("assert", [condition]) => Ok(ExprKind::Assert(self.boxed(condition)?)),
            ("assert", _) => fail(span, "format: (assert condition)"),
            ("raise", [value]) => Ok(ExprKind::Raise(self.boxed(value)?)),
            ("raise", _) => fail(span, "format: (raise value)"),
            ("break" | "continue", [_, ..]) => fail(span, &format!("format: ({name})")),
            _ if self.scopes.last().is_none_or(|scope| scope.loops == 0) => fail(span, "not inside a loop"),
            ("break", _) => Ok(ExprKind::Break),
            _ => Ok(ExprKind::Continue),
        }
    }

    fn body(&mut self, form: &'a Bracketed, span: Span) -> Result<Block> {
        if form.capture.is_empty() {
            return fail(span, "expecting capture");
        }
        self.block(&form.capture)
    }

    fn loop_body(&mut self, form: &'a Bracketed, span: Span) -> Result<Block> {
        self.in_loop(1);
        let body = self.body(form, span)?;
        self.in_loop(-1);
        Ok(body)
    }

    fn in_loop(&mut self, change: i32) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.loops = scope.loops.saturating_add_signed(change);
        }
    }

    fn func(&mut self, form: &'a Bracketed, args: &'a [Syntax], span: Span) -> Result<ExprKind> {
        let name = self.function_name.take();
        let mut locals: Vec<Rc<str>> = Vec::new();
        for arg in args {
            match &arg.kind {
                SyntaxKind::Name(param) if locals.contains(&param.text) => {
                    return fail(arg.span, "parameter named twice");
                }
                SyntaxKind::Name(param) => locals.push(param.text.clone()),
                _ => return fail(arg.span, "expected symbol inside func"),
            }
        }
        let id = self.functions;
        self.functions += 1;
        self.scopes.push(Scope { locals, ..Scope::default() });
        let body = self.body(form, span)?;
        let scope = self.scopes.pop().unwrap_or_default();
        let (locals, generator) = (scope.locals, scope.generator);
        let function = Function { id, name, params: args.len(), locals, body, generator, span };
        Ok(ExprKind::Func(Box::new(function)))
    }

    fn if_(&mut self, form: &'a Bracketed, args: &'a [Syntax], span: Span) -> Result<ExprKind> {
        let [condition] = args else { return fail(span, "format: (if condition)") };
        let chain = self.take_chain(span);
        let condition = self.expr(condition)?;
        let mut arms = vec![(condition, self.body(form, span)?)];
        let mut otherwise = None;
        for link in chain {
            let SyntaxKind::Form(form) = &link.kind else { continue };
            if otherwise.is_some() {
                return fail(link.span, "chain without receiver");
            }
            match (head(link), &form.items[1..]) {
                (Some("elif"), [condition]) => {
                    let condition = self.expr(condition)?;
                    arms.push((condition, self.body(form, link.span)?));
                }
                (Some("elif"), _) => return fail(link.span, "format: (elif condition)"),
                (Some("else"), []) => otherwise = Some(self.body(form, link.span)?),
                (Some("else"), _) => return fail(link.span, "format: (else)"),
                _ => return fail(link.span, "chain without receiver"),
            }
        }
        Ok(ExprKind::If(arms, otherwise))
    }

    /// The forms after this one that belong to it.
    fn take_chain(&mut self, span: Span) -> &'a [Syntax] {
        match self.chain.take_if(|(receiver, _)| *receiver == span) {
            Some((_, chain)) => chain,
            None => &[],
        }
    }

    fn try_(&mut self, form: &'a Bracketed, args: &'a [Syntax], span: Span) -> Result<ExprKind> {
        if !args.is_empty() {
            return fail(span, "format: (try)");
        }
        let chain = self.take_chain(span);
        let body = self.body(form, span)?;
        let Some((link, others)) = chain.split_first() else { return fail(span, "expecting except") };
        if let Some(other) = others.first() {
            return fail(other.span, "chain without receiver");
        }
        let SyntaxKind::Form(form) = &link.kind else { return fail(link.span, "expecting except") };
        let name = match (head(link), &form.items[1..]) {
            (Some("except"), []) => None,
            (Some("except"), [Syntax { kind: SyntaxKind::Name(name), .. }]) => Some(self.bound(name)),
            (Some("except"), _) => return fail(link.span, "format: (except name)"),
            _ => return fail(link.span, "chain without receiver"),
        };
        Ok(ExprKind::Try(body, name, self.body(form, link.span)?))
    }

    fn class(&mut self, form: &'a Bracketed, args: &'a [Syntax], span: Span) -> Result<ExprKind> {
        let name = self.function_name.take().unwrap_or_else(|| Rc::from("class"));
        let Some((parent, own)) = args.split_first() else {
            return fail(span, "format: (class parent field...)");
        };
        let parent = self.expr(parent)?;
        let mut fields: Vec<Rc<str>> = Vec::new();
        for field in own {
            match &field.kind {
                SyntaxKind::Name(field_name) if fields.contains(&field_name.text) => {
                    return fail(field.span, "field named twice");
                }
                SyntaxKind::Name(field_name) => fields.push(field_name.text.clone()),
                _ => return fail(field.span, "expected symbol inside class"),
            }
        }
        let mut members = Vec::new();
        for member in &form.capture {
            let (member_name, value) = match &member.kind {
                SyntaxKind::Let(target, value) => match &target.kind {
                    SyntaxKind::Name(name) => (name.text.clone(), value),
                    _ => return fail(member.span, "expected name = value inside class"),
                },
                _ => return fail(member.span, "expected name = value inside class"),
            };
            self.function_name = Some(member_name.clone());
            members.push((member_name, self.expr(value)?));
        }
        Ok(ExprKind::Class(Box::new(Class { name, parent, fields, members })))
    }

    fn from(&mut self, form: &'a Bracketed, args: &'a [Syntax], span: Span) -> Result<ExprKind> {
        let names = match args {
            [_] if form.capture.is_empty() => return fail(span, "expecting capture"),
            [_] => form.capture.as_slice(),
            [_, names @ ..] => {
                nothing_captured(form, span)?;
                names
            }
            [] => return fail(span, "format: (from expression symbol...)"),
        };
        let object = self.boxed(&args[0])?;
        let mut bound = Vec::new();
        for name in names {
            let SyntaxKind::Name(symbol) = &name.kind else { return fail(name.span, "expected symbol") };
            bound.push(self.bound(symbol));
        }
        Ok(ExprKind::From(object, bound))
    }
}

fn nothing_captured(bracketed: &Bracketed, span: Span) -> Result<()> {
    if bracketed.capture.is_empty() { Ok(()) } else { fail(span, "capture without receiver") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read;

    fn expanded(text: &str) -> Result<Program> {
        expand(&read::read(text)?)
    }

    fn check_error(text: &str, expected: &str) {
        assert_eq!(expanded(text).unwrap_err().to_string(), expected, "expanding {text:?}");
    }

    #[test]
    fn errors_carry_their_place() {
        check_error("(if true)\n(print 1)", "1:0: expecting capture");
        check_error("fs = [(func x) (func y)]", "1:6: expecting capture");
        check_error("(else)\n  1", "1:0: chain without receiver");
        check_error("(print 1)\n(else)\n  1", "2:0: chain without receiver");
        check_error("(if a)\n  1\n(else)\n  2\n(else)\n  3", "5:0: chain without receiver");
        check_error("(break)", "1:0: not inside a loop");
        check_error("(while a)\n  (func)\n    (break)", "3:4: not inside a loop");
        check_error("(return 1)\n  2", "1:0: capture without receiver");
        check_error("[1 2]\n  3", "1:0: capture without receiver");
        check_error("()", "1:0: empty form");
        check_error("1 = 2", "1:0: cannot assign to this expression");
        check_error("a[1 2]", "1:0: expected one index");
        check_error("(func 1)\n  2", "1:6: expected symbol inside func");
        check_error("(func a a)\n  2", "1:8: parameter named twice");
        check_error("(for 1 a)\n  2", "1:5: expected symbol");
        check_error("(print (if a))\n  2", "1:7: expecting capture");
        check_error("(try)\n  1", "1:0: expecting except");
        check_error("(try)\n  1\n(else)\n  2", "3:0: chain without receiver");
        check_error("(try 1)\n  1\n(except e)\n  2", "1:0: format: (try)");
        check_error("(try)\n  1\n(except 1)\n  2", "3:0: format: (except name)");
        check_error("(try)\n  1\n(except e)\n  2\n(except e)\n  3", "5:0: chain without receiver");
        check_error("(if a)\n  1\n(except e)\n  2", "3:0: chain without receiver");
        check_error("(except e)\n  1", "1:0: chain without receiver");
        check_error("(raise)", "1:0: format: (raise value)");
        check_error("(class)", "1:0: format: (class parent field...)");
        check_error("(class object 1)", "1:14: expected symbol inside class");
        check_error("(class object a a)", "1:16: field named twice");
        check_error("(class object a)\n  (print 1)", "2:2: expected name = value inside class");
    }

    #[test]
    fn else_belongs_to_the_if_that_captures_the_line() {
        let program = expanded("r = (if a)\n  1\n(elif b)\n  2\n(else)\n  3").unwrap();
        let ExprKind::Assign(_, value) = &program.main.body[0].kind else { panic!("no assignment") };
        let ExprKind::If(arms, Some(otherwise)) = &value.kind else { panic!("no if") };
        assert_eq!((arms.len(), otherwise.len()), (2, 1));
        check_error("(f) (if a) 1\n(else) 2", "2:0: chain without receiver");
    }

    #[test]
    fn functions_know_their_locals_and_names() {
        let text = "f = (func a)\n  b = a\n  c := 1\n  (for d a)\n    (from d e)\n  (yield b)";
        let program = expanded(text).unwrap();
        let ExprKind::Assign(_, value) = &program.main.body[0].kind else { panic!("no assignment") };
        let ExprKind::Func(function) = &value.kind else { panic!("no function") };
        let locals: Vec<&str> = function.locals.iter().map(|local| &**local).collect();
        assert_eq!(locals, ["a", "b", "d", "e"]);
        assert_eq!(function.name.as_deref(), Some("f"));
        assert!(function.generator && !program.main.generator);
    }
}
