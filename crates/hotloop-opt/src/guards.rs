//! Guards: dropped where they are known to hold; what the others teach.
//!
//! Before: `v2 = int_lt v0, v1; guard_true v2; …; v5 = int_add_ovf v0, 1; v6 = int_lt v0, v1; guard_true v6`
//! After: the second comparison is gone, and `v5 = int_add v0, 1`: below v1, v0 is not the greatest integer.

use hotloop_ir::{Fact, Op, Opcode, Operand, Trace, Ty};

use crate::Contradiction;
use crate::bounds;
use crate::pipeline::Optimizer;
use crate::value::Val;

impl Optimizer<'_> {
    /// A guard of the recorded trace.
    pub fn guard(&mut self, op: &Op) -> Result<(), Contradiction> {
        match op.code {
            Opcode::GuardTrue | Opcode::GuardFalse => self.guard_truth(op, op.code == Opcode::GuardTrue),
            Opcode::GuardValue => self.guard_value(op),
            Opcode::GuardType => self.guard_type(op),
            Opcode::GuardBox => self.guard_box(op),
            Opcode::GuardValid => {
                let bridge = self.recorded.ops.last().is_some_and(|last| last.code != Opcode::Loop);
                if bridge && self.options.break_rule == Some(8) {
                    return Ok(());
                }
                if !self.state.valid && !self.recorded.stable.is_empty() {
                    self.guard_op(*op, Op::new(op.code, &[]));
                }
                self.state.valid = true;
                Ok(())
            }
            Opcode::GuardNotForced => {
                self.guard_not_forced();
                Ok(())
            }
            _ => {
                let args: Vec<Operand> = op.operands().iter().map(|arg| self.operand(*arg)).collect();
                self.guard_op(*op, Op::new(op.code, &args));
                Ok(())
            }
        }
    }

    fn guard_truth(&mut self, op: &Op, truth: bool) -> Result<(), Contradiction> {
        let condition = self.operand(op.args[0]);
        if let Some(constant) = self.state.out.const_of(condition) {
            return if (constant.bits != 0) == truth { Ok(()) } else { Err(Contradiction) };
        }
        if truth && self.asks_for_float(op, condition) {
            return Ok(());
        }
        if self.proven().is_none() {
            self.guard_op(*op, Op::new(op.code, &[condition]));
        }
        self.learn_truth(condition, truth);
        Ok(())
    }

    /// Whether the recorded guard asks for the tag of a value that a `box_float` gave, in order to take the float out of
    /// it: that float is at hand, in a box or not.
    fn asks_for_float(&self, op: &Op, condition: Operand) -> bool {
        let defines = |trace: &Trace, operand: Operand, code| {
            operand.as_var().is_some_and(|var| trace.op(var).code == code)
        };
        self.options.optimize
            && defines(self.recorded, op.args[0], Opcode::ValueIsFloat)
            && defines(&self.state.out, condition, Opcode::FloatFitsValue)
    }

    /// The condition is known to be true or false from here on.
    pub fn learn_truth(&mut self, condition: Operand, truth: bool) {
        let Some(var) = condition.as_var() else { return };
        let definition = *self.state.out.op(var);
        let boolean = self.fact(condition).implies(&Fact::BOOL);
        if !truth || boolean {
            self.learn(condition, &Fact::exactly(truth as u64));
        }
        let [a, b, _] = definition.args;
        match definition.code {
            Opcode::IntEq
            | Opcode::IntNe
            | Opcode::IntLt
            | Opcode::IntLe
            | Opcode::UintLt
            | Opcode::UintLe => {
                let (left, right) = bounds::backward(definition.code, truth, &self.fact(a), &self.fact(b));
                self.learn(a, &left);
                self.learn(b, &right);
                let equal = (definition.code == Opcode::IntEq) == truth
                    && matches!(definition.code, Opcode::IntEq | Opcode::IntNe);
                if equal && let Some(constant) = self.state.out.const_of(b) {
                    self.learn_equal(a, constant.bits);
                } else {
                    self.learn_tags(a);
                }
            }
            Opcode::ValueIsFloat => {
                let float = Fact::FLOAT_VALUE;
                self.learn(a, &if truth { float } else { Fact { tags: !float.tags, ..float } });
            }
            Opcode::IntAnd if boolean && truth => {
                self.learn_truth(a, true);
                self.learn_truth(b, true);
            }
            _ => {}
        }
    }

    /// The operand is this word: what does that say of what it was computed from?
    pub fn learn_equal(&mut self, operand: Operand, bits: u64) {
        self.learn(operand, &Fact::exactly(bits));
        let Some(var) = operand.as_var() else { return };
        let definition = *self.state.out.op(var);
        let [a, b, _] = definition.args;
        match (definition.code, self.state.out.const_of(b)) {
            (Opcode::IntAnd, Some(mask)) => {
                let fact = Fact { zeros: mask.bits & !bits, ones: mask.bits & bits, ..Fact::ANY };
                self.learn(a, &fact.tightened());
                // Zero in the union is zero in both.
                if bits == 0 {
                    self.learn_zero_bits(a, mask.bits);
                }
            }
            (Opcode::IntOr, _) if bits == 0 => {
                self.learn_equal(a, 0);
                self.learn_equal(b, 0);
            }
            (
                Opcode::IntEq
                | Opcode::IntNe
                | Opcode::IntLt
                | Opcode::IntLe
                | Opcode::UintLt
                | Opcode::UintLe,
                _,
            ) => self.learn_truth(operand, bits != 0),
            _ => {}
        }
    }

    /// What is known of the tag that was cut out of a value, is known of the value.
    fn learn_tags(&mut self, operand: Operand) {
        let Some(var) = operand.as_var() else { return };
        let definition = *self.state.out.op(var);
        let [value, mask, _] = definition.args;
        let is_tag = definition.code == Opcode::IntAnd
            && self.state.out.const_of(mask).is_some_and(|mask| mask.bits & 7 == 7);
        if is_tag {
            let tags = self.fact(operand).tightened().tags;
            self.learn(value, &Fact { tags, ..Fact::ANY });
        }
    }

    /// These bits of the operand are zero.
    fn learn_zero_bits(&mut self, operand: Operand, mask: u64) {
        let Some(var) = operand.as_var() else { return };
        let definition = *self.state.out.op(var);
        if definition.code == Opcode::IntOr {
            let fact = Fact { zeros: mask, ..Fact::ANY }.tightened();
            for part in [definition.args[0], definition.args[1]] {
                self.learn(part, &fact);
                self.learn_zero_bits(part, mask);
            }
        }
    }

    fn guard_value(&mut self, op: &Op) -> Result<(), Contradiction> {
        let operand = self.operand(op.args[0]);
        let Some(expected) = self.recorded.const_of(op.args[1]) else { return Err(Contradiction) };
        if let Some(constant) = self.state.out.const_of(operand) {
            return if constant.bits == expected.bits { Ok(()) } else { Err(Contradiction) };
        }
        let fact = self.fact(operand);
        if self.options.optimize && fact.and(&Fact::exactly(expected.bits)).is_impossible() {
            return Err(Contradiction);
        }
        let constant = self.constant(expected.ty, expected.bits);
        if self.proven().is_none() {
            self.guard_op(*op, Op::new(Opcode::GuardValue, &[operand, constant]));
        }
        self.learn_equal(operand, expected.bits);
        Ok(())
    }

    /// The same without a guard: the author knows it.
    pub fn known_value(&mut self, op: &Op) {
        let operand = self.operand(op.args[0]);
        if let Some(expected) = self.recorded.const_of(op.args[1])
            && self.options.optimize
            && self.state.out.const_of(operand).is_none()
        {
            self.learn_equal(operand, expected.bits);
        }
    }

    fn guard_type(&mut self, op: &Op) -> Result<(), Contradiction> {
        let value = self.value(op.args[0]);
        match value {
            Val::Virtual(id) if self.state.objects[id.0 as usize].ty.0 == op.descr => Ok(()),
            Val::Op(operand) => self.guard_object_type(op, operand),
            _ => Err(Contradiction),
        }
    }

    fn guard_object_type(&mut self, op: &Op, object: Operand) -> Result<(), Contradiction> {
        match self.fact(object).heap_type {
            Some(ty) if ty == op.descr => return Ok(()),
            Some(_) => return Err(Contradiction),
            None => {}
        }
        self.guard_op(*op, Op::new(Opcode::GuardType, &[object]).with_descr(op.descr));
        self.learn(object, &Fact { heap_type: Some(op.descr), ..Fact::ANY });
        Ok(())
    }

    /// A value that is a float in a box. Nothing to check if the float is at hand: it may be tagged this time.
    fn guard_box(&mut self, op: &Op) -> Result<(), Contradiction> {
        let value = match self.value(op.args[0]) {
            Val::Tagged(id) if self.state.objects[id.0 as usize].ty.0 == op.descr => return Ok(()),
            Val::Op(operand) => operand,
            _ => return Err(Contradiction),
        };
        if self.options.optimize && self.boxed(value).is_some() {
            return Ok(());
        }
        let [mask, reference] = [7, 2].map(|bits| self.constant(Ty::Int, bits));
        let tag = self.simplify(&Op::new(Opcode::IntAnd, &[]), &[value, mask])?;
        let is_reference = self.simplify(&Op::new(Opcode::IntEq, &[]), &[tag, reference])?;
        match self.state.out.const_of(is_reference) {
            Some(constant) if constant.bits == 0 => return Err(Contradiction),
            Some(_) => {}
            None => {
                self.guard_op(*op, Op::new(Opcode::GuardTrue, &[is_reference]));
                self.learn_truth(is_reference, true);
            }
        }
        let object = self.simplify(&Op::new(Opcode::ValueToRef, &[]), &[value])?;
        self.guard_object_type(op, object)
    }

    /// Emits a guard with its resume data.
    pub fn guard_op(&mut self, recorded: Op, op: Op) {
        self.guard_op_result(recorded, op);
    }

    /// The same, for guards that have a result.
    pub fn guard_op_result(&mut self, recorded: Op, mut op: Op) -> Operand {
        // Tagging a virtual that was allocated since may emit an operation: before the guard.
        let resume = self.resume_data(recorded.resume);
        op.resume = self.state.out.resumes.len() as u32;
        self.state.out.resumes.push(resume);
        self.emit(op)
    }
}
