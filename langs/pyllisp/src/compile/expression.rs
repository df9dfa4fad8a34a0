//! Expressions: for their value in a given register, in any register, or for their effect.

use super::operator::{self, Right};
use super::{Compiler, function};
use crate::ast::{Class, Expr, ExprKind, Literal, Name, Target};
use crate::code::{CodeId, Instr, Reg};

impl Compiler<'_, '_> {
    /// Expressions for their effect.
    pub(super) fn block(&mut self, block: &[Expr]) {
        for expr in block {
            self.effect(expr);
        }
    }

    /// Expressions for their effect, the last one for its value.
    pub(super) fn block_into(&mut self, block: &[Expr], dst: Reg) {
        if let Some((last, others)) = block.split_last() {
            self.block(others);
            self.into(last, dst);
        }
    }

    /// An expression for its effect.
    pub(super) fn effect(&mut self, expr: &Expr) {
        let span = std::mem::replace(&mut self.emit.span, expr.span);
        let top = self.emit.top();
        match &expr.kind {
            ExprKind::Literal(_) | ExprKind::Func(_) => {}
            ExprKind::Assign(target, value) => {
                self.assign(target, value);
            }
            ExprKind::Augment(operator, target, value) => {
                self.augment(operator, target, value);
            }
            ExprKind::If(arms, otherwise) => self.if_(arms, otherwise.as_ref(), None),
            ExprKind::While(condition, body) => self.while_(condition, body, None),
            ExprKind::For(variable, iterable, body) => self.for_(variable, iterable, body, None),
            ExprKind::Try(body, name, handler) => self.try_(body, name.as_ref(), handler, None),
            ExprKind::Assert(condition) => {
                let failed = self.emit.failure();
                self.jump_if(condition, false, failed);
            }
            ExprKind::And(operands) | ExprKind::Or(operands) => {
                let done = self.emit.label();
                let stops_at = matches!(expr.kind, ExprKind::Or(_));
                if let Some((last, others)) = operands.split_last() {
                    for operand in others {
                        self.jump_if(operand, stops_at, done);
                    }
                    self.effect(last);
                }
                self.emit.bind(done);
            }
            _ => {
                let dst = self.emit.push();
                self.into(expr, dst);
            }
        }
        self.emit.pop_to(top);
        self.emit.span = span;
    }

    /// An expression's value in a register that may be a variable's. If `assigned_later`, a
    /// variable may change before the value is used, so its own register won't do.
    pub(super) fn operand(&mut self, expr: &Expr, assigned_later: bool) -> Reg {
        if let ExprKind::Name(name) = &expr.kind
            && let Some(reg) = self.register(name)
            && !assigned_later
        {
            return reg;
        }
        let dst = self.emit.push();
        self.into(expr, dst);
        dst
    }

    /// An expression's value in the given register. Only if [`Compiler::writes_once`] may that be a
    /// variable which the expression reads.
    pub(super) fn into(&mut self, expr: &Expr, dst: Reg) {
        let span = std::mem::replace(&mut self.emit.span, expr.span);
        let top = self.emit.top();
        match &expr.kind {
            ExprKind::Literal(literal) => self.literal(literal, dst),
            ExprKind::Name(name) => self.name(name, dst),
            ExprKind::Call(callee, args) => self.call(callee, args, dst),
            ExprKind::Operator(name, operands) => self.operator(name, operands, dst),
            ExprKind::Chain { operators, operands, and } => self.chain(operators, operands, and, dst),
            ExprKind::And(operands) => self.short_circuit(operands, false, dst),
            ExprKind::Or(operands) => self.short_circuit(operands, true, dst),
            ExprKind::Not(not, operand) => self.not(not, operand, dst),
            ExprKind::List(items) => {
                let base = self.emit.top();
                self.args(items);
                let count = items.len() as u16;
                // An empty list needs no register to begin at, but names one that exists.
                let base = if items.is_empty() { dst } else { Reg(base) };
                self.emit.instr(Instr::MakeList { dst, base, count });
            }
            ExprKind::Attr(object, name) => {
                let object = self.operand(object, false);
                let name = self.attribute(name);
                self.emit.instr(Instr::GetAttr { dst, object, name });
            }
            ExprKind::Index(object, index) => {
                let object = self.operand(object, index.assigns);
                let item = self.index(index);
                self.get_item(dst, object, item);
            }
            ExprKind::Assign(target, value) => {
                let src = self.assign(target, value);
                self.copy(dst, src);
            }
            ExprKind::Augment(operator, target, value) => {
                let src = self.augment(operator, target, value);
                self.copy(dst, src);
            }
            ExprKind::Func(inner) => {
                function(self.unit, inner);
                self.emit.instr(Instr::MakeClosure { dst, code: CodeId(inner.id as u16) });
            }
            ExprKind::If(arms, otherwise) => self.if_(arms, otherwise.as_ref(), Some(dst)),
            ExprKind::While(condition, body) => self.while_(condition, body, Some(dst)),
            ExprKind::For(variable, iterable, body) => self.for_(variable, iterable, body, Some(dst)),
            ExprKind::Return(value) => {
                let src = self.optional(value.as_deref());
                self.leave(src);
            }
            ExprKind::Yield(value) => {
                let src = self.optional(value.as_deref());
                self.emit.instr(Instr::Yield { dst, src });
            }
            ExprKind::Break => self.break_(),
            ExprKind::Continue => self.continue_(),
            ExprKind::Assert(condition) => {
                let cond = self.operand(condition, false);
                let failed = self.emit.failure();
                self.emit.instr(Instr::JumpIfFalse { cond, target: failed });
                self.copy(dst, cond);
            }
            ExprKind::From(object, names) => {
                let object = self.operand(object, false);
                for name in names {
                    let top = self.emit.top();
                    let value = self.emit.push();
                    let attribute = self.attribute(&name.text);
                    self.emit.instr(Instr::GetAttr { dst: value, object, name: attribute });
                    self.store(name, value);
                    self.emit.pop_to(top);
                }
                self.copy(dst, object);
            }
            ExprKind::Try(body, name, handler) => self.try_(body, name.as_ref(), handler, Some(dst)),
            ExprKind::Raise(value) => {
                let src = self.operand(value, false);
                self.emit.instr(Instr::Raise { src });
            }
            ExprKind::Class(class) => self.class(class, dst),
        }
        self.emit.pop_to(top);
        self.emit.span = span;
    }

    fn class(&mut self, class: &Class, dst: Reg) {
        let interface = self.emit.push();
        let parent = self.operand(&class.parent, false);
        let names = std::iter::once(&class.name).chain(&class.fields);
        let names: Vec<&str> = names.map(|name| &**name).collect();
        let shape = self.emit.constant(&Literal::Str(names.join(" ").into()));
        self.emit.instr(Instr::MakeClass { dst: interface, parent, shape });
        for (name, value) in &class.members {
            let top = self.emit.top();
            let src = self.operand(value, false);
            let name = self.attribute(name);
            self.emit.instr(Instr::SetAttr { object: interface, name, src });
            self.emit.pop_to(top);
        }
        self.copy(dst, interface);
    }

    /// Whether [`Compiler::into`] writes its register once, when the expression is done with
    /// everything else, so that the register may be that of a variable.
    fn writes_once(&self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Name(name) => self.is_simple(name),
            ExprKind::Literal(_)
            | ExprKind::Call(..)
            | ExprKind::Operator(..)
            | ExprKind::Chain { .. }
            | ExprKind::Not(..)
            | ExprKind::List(_)
            | ExprKind::Attr(..)
            | ExprKind::Index(..)
            | ExprKind::Func(_)
            | ExprKind::Yield(_) => true,
            _ => false,
        }
    }

    fn copy(&mut self, dst: Reg, src: Reg) {
        if dst != src {
            self.emit.instr(Instr::Move { dst, src });
        }
    }

    /// The operand of `return` and `yield`, which is null if there is none.
    fn optional(&mut self, value: Option<&Expr>) -> Reg {
        match value {
            Some(value) => self.operand(value, false),
            None => {
                let dst = self.emit.push();
                self.emit.instr(Instr::LoadNull { dst });
                dst
            }
        }
    }

    pub(super) fn literal(&mut self, literal: &Literal, dst: Reg) {
        if let Literal::Int(value) = literal
            && let Ok(value) = i32::try_from(*value)
        {
            self.emit.instr(Instr::LoadInt { dst, value });
        } else {
            let value = self.emit.constant(literal);
            self.emit.instr(Instr::LoadConst { dst, value });
        }
    }

    fn name(&mut self, name: &Name, dst: Reg) {
        let instr = match &*name.text {
            "null" => Instr::LoadNull { dst },
            "true" => Instr::LoadTrue { dst },
            "false" => Instr::LoadFalse { dst },
            _ => return self.read(name, dst),
        };
        if self.is_from_base(name) {
            self.emit.instr(instr);
        } else {
            self.read(name, dst);
        }
    }

    /// Arguments in consecutive temporaries.
    fn args(&mut self, args: &[Expr]) {
        for arg in args {
            let dst = self.emit.push();
            self.into(arg, dst);
        }
    }

    fn call(&mut self, callee: &Expr, args: &[Expr], dst: Reg) {
        let base = self.emit.push();
        let count = args.len() as u16;
        if let ExprKind::Attr(object, name) = &callee.kind {
            let span = std::mem::replace(&mut self.emit.span, callee.span);
            let receiver = self.emit.push();
            let top = self.emit.top();
            let object = match &object.kind {
                ExprKind::Name(name) if self.register(name).is_some() => self.operand(object, false),
                _ => {
                    self.into(object, receiver);
                    receiver
                }
            };
            self.emit.pop_to(top);
            let name = self.attribute(name);
            // The method is looked for before the arguments are evaluated, unless nobody can tell.
            if args.iter().all(|arg| self.is_at_hand(arg)) {
                let around = std::mem::replace(&mut self.emit.span, span);
                self.args(args);
                self.emit.span = around;
                self.emit.instr(Instr::Invoke { base, object, name, count });
                self.emit.span = span;
            } else {
                self.emit.instr(Instr::LoadMethod { dst: base, object, name });
                self.emit.span = span;
                self.args(args);
            }
            self.emit.instr(Instr::CallMethod { dst, base, count });
        } else {
            self.into(callee, base);
            self.args(args);
            self.emit.instr(Instr::Call { dst, base, count });
        }
    }

    /// Whether evaluating the expression changes nothing and never fails.
    fn is_at_hand(&self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Literal(_) => true,
            ExprKind::Name(name) => self.register(name).is_some(),
            _ => false,
        }
    }

    fn not(&mut self, not: &Name, operand: &Expr, dst: Reg) {
        if self.is_from_base(not) {
            let a = self.operand(operand, false);
            self.emit.instr(Instr::Not { dst, a });
        } else {
            self.operator(not, std::slice::from_ref(operand), dst);
        }
    }

    /// `and` and `or`: the first operand that decides, or the last one.
    fn short_circuit(&mut self, operands: &[Expr], stops_at: bool, dst: Reg) {
        let done = self.emit.label();
        if let Some((last, others)) = operands.split_last() {
            for operand in others {
                self.into(operand, dst);
                self.emit.instr(match stops_at {
                    true => Instr::JumpIfTrue { cond: dst, target: done },
                    false => Instr::JumpIfFalse { cond: dst, target: done },
                });
            }
            self.into(last, dst);
        }
        self.emit.bind(done);
    }

    /// Assigns and gives a register that holds the value; temporaries are the caller's to free.
    fn assign(&mut self, target: &Target, value: &Expr) -> Reg {
        match target {
            Target::Bound(name) | Target::Stored(name) => {
                let direct = self.register(name).filter(|_| self.writes_once(value));
                if let Some(dst) = direct {
                    self.into(value, dst);
                    return dst;
                }
                let src = self.operand(value, false);
                self.store(name, src);
                src
            }
            Target::Attr(object, name) => {
                let src = self.operand(value, object.assigns);
                let object = self.operand(object, false);
                let name = self.attribute(name);
                self.emit.instr(Instr::SetAttr { object, name, src });
                src
            }
            Target::Index(object, index) => {
                let src = self.operand(value, object.assigns || index.assigns);
                let object = self.operand(object, index.assigns);
                let item = self.index(index);
                self.set_item(object, item, src);
                src
            }
        }
    }

    /// `target += value`, like [`Compiler::assign`].
    fn augment(&mut self, operator: &Name, target: &Target, value: &Expr) -> Reg {
        let target_assigns = match target {
            Target::Bound(_) | Target::Stored(_) => false,
            Target::Attr(object, _) => object.assigns,
            Target::Index(object, index) => object.assigns || index.assigns,
        };
        let right = match operator::small_int(value) {
            Some(_) if self.is_from_base(operator) => self.right(&operator.text, value),
            _ => Right::Reg(self.operand(value, target_assigns)),
        };
        match target {
            Target::Bound(name) | Target::Stored(name) => {
                if let Some(variable) = self.register(name) {
                    self.operate(operator, variable, right, variable);
                    return variable;
                }
                let dst = self.emit.push();
                self.read(name, dst);
                self.operate(operator, dst, right, dst);
                self.store(name, dst);
                dst
            }
            Target::Attr(object, name) => {
                let object = self.operand(object, false);
                let name = self.attribute(name);
                let dst = self.emit.push();
                self.emit.instr(Instr::GetAttr { dst, object, name });
                self.operate(operator, dst, right, dst);
                self.emit.instr(Instr::SetAttr { object, name, src: dst });
                dst
            }
            Target::Index(object, index) => {
                let object = self.operand(object, index.assigns);
                let item = self.index(index);
                let dst = self.emit.push();
                self.get_item(dst, object, item);
                self.operate(operator, dst, right, dst);
                self.set_item(object, item, dst);
                dst
            }
        }
    }

    /// What stands between the brackets of `object[index]`.
    fn index(&mut self, index: &Expr) -> Right {
        match operator::small_int(index) {
            Some(value) => Right::Int(value),
            None => Right::Reg(self.operand(index, false)),
        }
    }

    fn get_item(&mut self, dst: Reg, object: Reg, item: Right) {
        self.emit.instr(match item {
            Right::Reg(item) => Instr::GetItem { dst, object, item },
            Right::Int(value) => Instr::GetItemInt { dst, object, value },
        });
    }

    fn set_item(&mut self, object: Reg, item: Right, src: Reg) {
        self.emit.instr(match item {
            Right::Reg(item) => Instr::SetItem { object, item, src },
            Right::Int(value) => Instr::SetItemInt { object, value, src },
        });
    }
}
