//! Operators: names that are called. Those that mean what `base` says are instructions.

use super::Compiler;
use crate::ast::{Expr, ExprKind, Literal, Name};
use crate::code::{Cell, Instr, Label, Reg};

const CONCAT: &str = "++";

/// So many pieces of a text are joined at once, each of which takes a register.
const MOST_PIECES: u16 = 16;

/// What an operator's right side is once it is evaluated.
#[derive(Clone, Copy)]
pub(super) enum Right {
    Reg(Reg),
    /// A small integer that is part of the instruction.
    Int(i16),
}

/// Makes an instruction of the result's register, the operands and the operator's cell.
type Maker<B> = fn(Reg, Reg, B, Cell) -> Instr;

/// The instruction of a binary operator that `base` knows.
fn binary(operator: &str) -> Option<Maker<Reg>> {
    macro_rules! table {
        ($($text:literal $name:ident;)*) => {
            match operator {
                $($text => Some(|dst, a, b, cell| Instr::$name { dst, a, b, cell }),)*
                _ => None,
            }
        };
    }
    table! {
        "+" Add; "-" Sub; "*" Mul; "/" Div; "%" Mod; "|" BitOr; "^" BitXor; "&" BitAnd; "<<" Shl; ">>" Shr;
        "++" Concat; "<" Lt; ">" Gt; "<=" Le; ">=" Ge; "==" Eq; "!=" Ne;
    }
}

fn binary_int(operator: &str) -> Option<Maker<i16>> {
    match operator {
        "+" => Some(|dst, a, value, cell| Instr::AddInt { dst, a, value, cell }),
        "-" => Some(|dst, a, value, cell| Instr::SubInt { dst, a, value, cell }),
        _ => None,
    }
}

fn fused(operator: &str, right: Right) -> Option<Maker<Right>> {
    macro_rules! table {
        ($($text:literal $name:ident $name_int:ident;)*) => {
            match (operator, right) {
                $(($text, _) => Some(|dst, a, right, cell| match right {
                    Right::Reg(b) => Instr::$name { dst, a, b, cell },
                    Right::Int(value) => Instr::$name_int { dst, a, value, cell },
                }),)*
                _ => None,
            }
        };
    }
    table! {
        "<" JumpLt JumpLtInt; ">" JumpGt JumpGtInt; "<=" JumpLe JumpLeInt; ">=" JumpGe JumpGeInt;
        "==" JumpEq JumpEqInt; "!=" JumpNe JumpNeInt;
    }
}

/// The instruction of a comparison with null and the jump after it.
fn with_null(operator: &str) -> Option<fn(Reg, Reg, Cell) -> Instr> {
    match operator {
        "==" => Some(|dst, a, cell| Instr::JumpEqNull { dst, a, cell }),
        "!=" => Some(|dst, a, cell| Instr::JumpNeNull { dst, a, cell }),
        _ => None,
    }
}

fn unary(operator: &str) -> Option<fn(Reg, Reg, Cell) -> Instr> {
    match operator {
        "-expr" => Some(|dst, a, cell| Instr::Negate { dst, a, cell }),
        "+expr" => Some(|dst, a, cell| Instr::Posate { dst, a, cell }),
        "~expr" => Some(|dst, a, cell| Instr::Invert { dst, a, cell }),
        _ => None,
    }
}

/// The number that `-literal` is.
pub(super) fn negated(operator: &str, operands: &[Expr]) -> Option<Literal> {
    match (operator, operands) {
        ("-expr", [Expr { kind: ExprKind::Literal(literal), .. }]) => match literal {
            Literal::Int(value) => value.checked_neg().map(Literal::Int),
            Literal::Float(value) => Some(Literal::Float(-value)),
            _ => None,
        },
        _ => None,
    }
}

impl Compiler<'_, '_> {
    /// A prefix, postfix or binary operator.
    pub(super) fn operator(&mut self, operator: &Name, operands: &[Expr], dst: Reg) {
        let text = &*operator.text;
        let top = self.emit.top();
        match operands {
            [a] => {
                if let Some(instr) = unary(text)
                    && self.is_from_base(operator)
                {
                    if let Some(literal) = negated(text, operands) {
                        self.literal(&literal, dst);
                        return;
                    }
                    let a = self.operand(a, false);
                    let cell = self.cell(text);
                    self.emit.instr(instr(dst, a, cell));
                    self.emit.pop_to(top);
                    return;
                }
            }
            [a, b] if binary(text).is_some() && self.is_from_base(operator) => {
                if text == CONCAT && self.pieces(a, b, dst) {
                    return;
                }
                let a = self.operand(a, b.assigns);
                let b = self.right(text, b);
                self.operate(operator, a, b, dst);
                self.emit.pop_to(top);
                return;
            }
            _ => {}
        }
        let base = self.emit.push();
        self.read(operator, base);
        for operand in operands {
            let arg = self.emit.push();
            self.into(operand, arg);
        }
        let count = operands.len() as u16;
        self.emit.instr(Instr::Call { dst, base, count });
        self.emit.pop_to(top);
    }

    /// `a ++ b`, if `a` is such an expression, too: each operand becomes a piece, and all are joined at once.
    fn pieces(&mut self, a: &Expr, b: &Expr, dst: Reg) -> bool {
        let mut first = a;
        let mut others = vec![(self.emit.span, b)];
        while let ExprKind::Operator(operator, operands) = &first.kind
            && &*operator.text == CONCAT
            && let [a, b] = &operands[..]
            && self.is_from_base(operator)
        {
            others.push((first.span, b));
            first = a;
        }
        if others.len() == 1 {
            return false;
        }
        let top = self.emit.top();
        let base = self.emit.push();
        self.into(first, base);
        let mut count = 1;
        while let Some((span, piece)) = others.pop() {
            let last = self.emit.push();
            self.into(piece, last);
            count += 1;
            let before = std::mem::replace(&mut self.emit.span, span);
            let cell = self.cell(CONCAT);
            if others.is_empty() {
                self.emit.instr(Instr::JoinPieces { dst, base, count, cell });
            } else if count == MOST_PIECES {
                self.emit.instr(Instr::JoinPieces { dst: base, base, count, cell });
                self.emit.pop_to(base.0 + 1);
                count = 1;
            } else {
                self.emit.instr(Instr::Piece { dst: last, base, count, cell });
            }
            self.emit.span = before;
        }
        self.emit.pop_to(top);
        true
    }

    /// The right side of an operator that means what `base` says.
    pub(super) fn right(&mut self, operator: &str, b: &Expr) -> Right {
        if binary_int(operator).is_some()
            && let Some(value) = small_int(b)
        {
            return Right::Int(value);
        }
        Right::Reg(self.operand(b, false))
    }

    /// An operator over operands that are evaluated.
    pub(super) fn operate(&mut self, operator: &Name, a: Reg, b: Right, dst: Reg) {
        let text = &*operator.text;
        if binary(text).is_some() && self.is_from_base(operator) {
            let cell = self.cell(text);
            match (b, binary(text), binary_int(text)) {
                (Right::Reg(b), Some(instr), _) => self.emit.instr(instr(dst, a, b, cell)),
                (Right::Int(value), _, Some(instr)) => self.emit.instr(instr(dst, a, value, cell)),
                _ => {}
            }
            return;
        }
        let top = self.emit.top();
        let base = self.emit.push();
        self.read(operator, base);
        let first = self.emit.push();
        self.emit.instr(Instr::Move { dst: first, src: a });
        let second = self.emit.push();
        match b {
            Right::Reg(src) => self.emit.instr(Instr::Move { dst: second, src }),
            Right::Int(value) => self.emit.instr(Instr::LoadInt { dst: second, value: value.into() }),
        }
        self.emit.instr(Instr::Call { dst, base, count: 2 });
        self.emit.pop_to(top);
    }

    /// A chain of comparisons: each is made, the function `and` joins the results.
    pub(super) fn chain(&mut self, operators: &[Name], operands: &[Expr], and: &Name, dst: Reg) {
        let top = self.emit.top();
        let assigns_after = |at: usize| operands[at + 1..].iter().any(|operand| operand.assigns);
        let mut left = self.operand(&operands[0], assigns_after(0));
        let mut result = None;
        for (at, operator) in operators.iter().enumerate() {
            let right = self.operand(&operands[at + 1], assigns_after(at + 1));
            let last = at + 1 == operators.len();
            let compared = if last && result.is_none() { dst } else { self.emit.push() };
            self.operate(operator, left, Right::Reg(right), compared);
            result = Some(match result {
                None => compared,
                Some(before) => {
                    let joined = if last { dst } else { before };
                    self.join(and, before, compared, joined);
                    joined
                }
            });
            left = right;
        }
        self.emit.pop_to(top);
    }

    fn join(&mut self, and: &Name, a: Reg, b: Reg, dst: Reg) {
        if self.is_from_base(and) {
            self.emit.instr(Instr::Both { dst, a, b });
        } else {
            self.operate(and, a, Right::Reg(b), dst);
        }
    }

    /// Whether this is the null that `base` knows.
    fn is_null(&mut self, expr: &Expr) -> bool {
        matches!(&expr.kind, ExprKind::Name(name) if &*name.text == "null" && self.is_from_base(name))
    }

    /// Jumps if a comparison doesn't hold; `false` if it takes more than a comparison of two.
    pub(super) fn compare_and_jump(&mut self, operators: &[Name], operands: &[Expr], target: Label) -> bool {
        let ([operator], [a, b]) = (operators, operands) else { return false };
        let text = &*operator.text;
        if binary(text).is_none() || !self.is_from_base(operator) {
            return false;
        }
        let top = self.emit.top();
        let a = self.operand(a, b.assigns);
        let with_null = with_null(text).filter(|_| self.is_null(b));
        let right = match small_int(b) {
            Some(value) => Right::Int(value),
            None if with_null.is_some() => Right::Int(0),
            None => Right::Reg(self.operand(b, false)),
        };
        let cell = self.cell(text);
        let dst = self.emit.push();
        if let Some(instr) = with_null {
            self.emit.instr(instr(dst, a, cell));
        } else if let Some(instr) = fused(text, right) {
            self.emit.instr(instr(dst, a, right, cell));
        }
        self.emit.instr(Instr::JumpIfFalse { cond: dst, target });
        self.emit.pop_to(top);
        true
    }
}

/// The value of a literal that fits an instruction.
pub(super) fn small_int(expr: &Expr) -> Option<i16> {
    match &expr.kind {
        ExprKind::Literal(Literal::Int(value)) => i16::try_from(*value).ok(),
        _ => None,
    }
}
