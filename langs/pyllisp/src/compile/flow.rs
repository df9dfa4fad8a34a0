//! Branches, loops and conditions.

use super::Compiler;
use crate::ast::{Block, Expr, ExprKind, Name};
use crate::code::{Instr, Label, Reg};

/// A loop around the expression at hand.
#[derive(Clone, Copy)]
pub(super) struct Loop {
    again: Label,
    exit: Label,
}

impl Compiler<'_, '_> {
    /// `if` with its `elif` and `else`; without a value's register, for its effect.
    pub(super) fn if_(&mut self, arms: &[(Expr, Block)], otherwise: Option<&Block>, dst: Option<Reg>) {
        let done = self.emit.label();
        for (number, (condition, block)) in arms.iter().enumerate() {
            let next = self.emit.label();
            self.jump_if(condition, false, next);
            self.value(block, dst);
            let last = number + 1 == arms.len() && otherwise.is_none() && dst.is_none();
            if !last && self.emit.reachable() {
                self.emit.instr(Instr::Jump { target: done });
            }
            self.emit.bind(next);
        }
        match (otherwise, dst) {
            (Some(block), _) => self.value(block, dst),
            (None, Some(dst)) => self.emit.instr(Instr::LoadNull { dst }),
            (None, None) => {}
        }
        self.emit.bind(done);
    }

    fn value(&mut self, block: &[Expr], dst: Option<Reg>) {
        match dst {
            Some(dst) => self.block_into(block, dst),
            None => self.block(block),
        }
    }

    /// `while`; its value is that of the last iteration, null if there is none.
    pub(super) fn while_(&mut self, condition: &Expr, body: &[Expr], dst: Option<Reg>) {
        if let Some(dst) = dst {
            self.emit.instr(Instr::LoadNull { dst });
        }
        let (again, exit) = (self.emit.label(), self.emit.label());
        self.emit.bind(again);
        self.jump_if(condition, false, exit);
        self.loop_body(Loop { again, exit }, body, dst);
    }

    /// `for`; its value is that of the last iteration, null if there is none.
    pub(super) fn for_(&mut self, variable: &Name, iterable: &Expr, body: &[Expr], dst: Option<Reg>) {
        let top = self.emit.top();
        let iterator = self.emit.push();
        let src = self.operand(iterable, false);
        self.emit.instr(Instr::Iter { dst: iterator, src });
        self.emit.pop_to(top + 1);
        if let Some(dst) = dst {
            self.emit.instr(Instr::LoadNull { dst });
        }
        let (again, exit) = (self.emit.label(), self.emit.label());
        self.emit.bind(again);
        match self.register(variable) {
            Some(variable) => self.emit.instr(Instr::Next { dst: variable, iterator, target: exit }),
            None => {
                let value = self.emit.push();
                self.emit.instr(Instr::Next { dst: value, iterator, target: exit });
                self.store(variable, value);
                self.emit.pop_to(top + 1);
            }
        }
        self.loop_body(Loop { again, exit }, body, dst);
        self.emit.pop_to(top);
    }

    /// `try` with its `except`.
    pub(super) fn try_(&mut self, body: &[Expr], name: Option<&Name>, handler: &[Expr], dst: Option<Reg>) {
        let (failed, done) = (self.emit.label(), self.emit.label());
        let top = self.emit.top();
        // Below everything that the body keeps in registers.
        let error = self.emit.push();
        let handled = self.emit.begin_handled();
        self.value(body, dst);
        if self.emit.reachable() {
            self.emit.instr(Instr::Jump { target: done });
        }
        self.emit.end_handled(handled, failed, error);
        self.emit.bind(failed);
        if let Some(name) = name {
            self.store(name, error);
        }
        self.value(handler, dst);
        self.emit.pop_to(top);
        self.emit.bind(done);
    }

    fn loop_body(&mut self, current: Loop, body: &[Expr], dst: Option<Reg>) {
        self.loops.push(current);
        self.value(body, dst);
        self.loops.pop();
        if self.emit.reachable() {
            self.emit.instr(Instr::Loop { target: current.again });
        }
        self.emit.bind(current.exit);
    }

    // That a loop is there was checked where macros are recognised.

    pub(super) fn break_(&mut self) {
        if let Some(Loop { exit, .. }) = self.loops.last() {
            self.emit.instr(Instr::Jump { target: *exit });
        }
    }

    pub(super) fn continue_(&mut self) {
        if let Some(Loop { again, .. }) = self.loops.last() {
            self.emit.instr(Instr::Loop { target: *again });
        }
    }

    /// Jumps to the target if the condition is as wanted, else goes on after it.
    pub(super) fn jump_if(&mut self, condition: &Expr, wanted: bool, target: Label) {
        let span = std::mem::replace(&mut self.emit.span, condition.span);
        match &condition.kind {
            ExprKind::Not(not, operand) if self.is_from_base(not) => self.jump_if(operand, !wanted, target),
            ExprKind::And(operands) => self.jump_if_all(operands, wanted, false, target),
            ExprKind::Or(operands) => self.jump_if_all(operands, wanted, true, target),
            ExprKind::Chain { operators, operands, .. }
                if !wanted && self.compare_and_jump(operators, operands, target) => {}
            ExprKind::Name(name)
                if matches!(&*name.text, "null" | "true" | "false") && self.is_from_base(name) =>
            {
                if (&*name.text == "true") == wanted {
                    self.emit.instr(Instr::Jump { target });
                }
            }
            _ => {
                let top = self.emit.top();
                let cond = self.operand(condition, false);
                self.emit.instr(match wanted {
                    true => Instr::JumpIfTrue { cond, target },
                    false => Instr::JumpIfFalse { cond, target },
                });
                self.emit.pop_to(top);
            }
        }
        self.emit.span = span;
    }

    /// A condition of several operands, evaluated up to the first that is as `stops_at`.
    fn jump_if_all(&mut self, operands: &[Expr], wanted: bool, stops_at: bool, target: Label) {
        let Some((last, others)) = operands.split_last() else { return };
        let decided = self.emit.label();
        for operand in others {
            let target = if wanted == stops_at { target } else { decided };
            self.jump_if(operand, stops_at, target);
        }
        self.jump_if(last, wanted, target);
        self.emit.bind(decided);
    }
}
