//! Facts, constants and common subexpressions of the new trace; algebra is asked here.
//!
//! Before: `v3 = int_and v1, 7; v4 = int_eq v3, 0; guard_true v4; …; v9 = int_and v1, 7; v10 = int_eq v9, 0;
//! guard_true v10`. After: the second check is gone: v9 is v3, v10 is v4, which is known to be 1.

use hotloop_ir::{Class, Fact, Op, Opcode, Operand, Trace, Ty};

use crate::Contradiction;
use crate::bounds;
use crate::pipeline::Optimizer;
use crate::rules::{self, Answer, Known, Term};

struct View<'a> {
    out: &'a Trace,
    facts: &'a [Fact],
}

impl Known for View<'_> {
    fn fact(&self, operand: Operand) -> Fact {
        fact_of(self.out, self.facts, operand)
    }
    fn definition(&self, operand: Operand) -> Option<(Opcode, [Operand; 3])> {
        let op = self.out.op(operand.as_var()?);
        (op.code.class() == Class::Pure && !op.code.is_outcome()).then_some((op.code, op.args))
    }
    fn constant(&self, operand: Operand) -> Option<u64> {
        self.out.const_of(operand).map(|constant| constant.bits)
    }
}

fn fact_of(out: &Trace, facts: &[Fact], operand: Operand) -> Fact {
    match operand.as_var() {
        Some(var) => facts[var.0 as usize],
        None => out.const_of(operand).map_or(Fact::ANY, |constant| Fact::exactly(constant.bits)),
    }
}

impl Optimizer<'_> {
    /// A constant of the new trace.
    pub fn constant(&mut self, ty: Ty, bits: u64) -> Operand {
        let out = &mut self.state.out;
        *self.state.consts.entry((ty, bits)).or_insert_with(|| out.push_const(ty, bits))
    }

    /// What is known of an operand.
    pub fn fact(&self, operand: Operand) -> Fact {
        fact_of(&self.state.out, &self.state.facts, operand)
    }

    /// Something more is known of an operand.
    pub fn learn(&mut self, operand: Operand, fact: &Fact) {
        if let Some(var) = operand.as_var() {
            let known = &mut self.state.facts[var.0 as usize];
            *known = known.and(fact);
        }
    }

    /// The operand, or the constant that it is known to be.
    pub fn known_constant(&mut self, operand: Operand) -> Operand {
        let Some(var) = operand.as_var() else { return operand };
        if !self.options.optimize {
            return operand;
        }
        let Some(bits) = self.state.facts[var.0 as usize].constant() else { return operand };
        match self.state.out.operand_type(operand) {
            Some(ty) => self.constant(ty, bits),
            None => operand,
        }
    }

    /// Appends an operation to the new trace.
    pub fn emit(&mut self, op: Op) -> Operand {
        let writes = op.code.class() == Class::Write && op.code != Opcode::StoreRaw;
        if writes || op.code == Opcode::CallEntry {
            self.state.heap.written();
        }
        self.watch_relied(&op);
        self.state.facts.push(Fact::ANY);
        self.state.origin.push(self.at);
        self.state.out.push(op).into()
    }

    /// Simplifies an operation by its rules until none applies, and emits what is left.
    pub fn simplify(&mut self, op: &Op, args: &[Operand]) -> Result<Operand, Contradiction> {
        let mut code = op.code;
        let mut current = [Operand::NONE; 3];
        current[..args.len()].copy_from_slice(args);
        if self.options.optimize {
            // Every rule makes the operation simpler, so this ends; the bound is for a rule that does not.
            for _ in 0..32 {
                let count = code.shape().args.len();
                let view = View { out: &self.state.out, facts: &self.state.facts };
                match rules::simplify(code, &current[..count], &view) {
                    Answer::Keep => break,
                    Answer::Same(operand) => return Ok(self.known_constant(operand)),
                    Answer::Const(bits) => {
                        let ty = code.shape().result.flatten().unwrap_or(Ty::Int);
                        return Ok(self.constant(ty, bits));
                    }
                    Answer::Replace(new, terms) => {
                        code = new;
                        let count = code.shape().args.len();
                        current = [Operand::NONE; 3];
                        for (slot, term) in current.iter_mut().zip(terms).take(count) {
                            *slot = match term {
                                Term::Operand(operand) => operand,
                                Term::Int(bits) => self.constant(Ty::Int, bits),
                            };
                        }
                    }
                }
            }
        }
        let count = code.shape().args.len();
        let args = current;
        if code.class() == Class::PureGuard {
            return self.overflow_guard(op, code, &args[..count]);
        }
        let descr = if code == Opcode::BoxFloat { op.descr } else { 0 };
        Ok(self.emit_pure_op(Op::new(code, &args[..count]).with_descr(descr)))
    }

    /// A pure operation: found computed before, or emitted.
    pub fn emit_pure(&mut self, code: Opcode, args: &[Operand]) -> Operand {
        self.emit_pure_op(Op::new(code, args))
    }

    fn emit_pure_op(&mut self, op: Op) -> Operand {
        let (code, args) = (op.code, op.operands());
        let key = (code, 0, op.args);
        if self.options.optimize
            && let Some(known) = self.state.pure.get(&key).copied()
        {
            return self.known_constant(known);
        }
        let result = self.emit(op);
        self.know_result(result, code, args);
        self.state.pure.insert(key, result);
        result
    }

    /// The float that the value was made of, and the type of its box.
    pub fn boxed(&self, value: Operand) -> Option<(Operand, u32)> {
        let op = self.state.out.op(value.as_var()?);
        (op.code == Opcode::BoxFloat).then_some((op.args[0], op.descr))
    }

    fn know_result(&mut self, result: Operand, code: Opcode, args: &[Operand]) {
        let mut facts = [Fact::ANY; 3];
        for (fact, arg) in facts.iter_mut().zip(args) {
            *fact = self.fact(*arg);
        }
        let fact = bounds::forward(code, &facts[..args.len()]);
        self.learn(result, &fact);
    }

    fn overflow_guard(&mut self, op: &Op, code: Opcode, args: &[Operand]) -> Result<Operand, Contradiction> {
        let (a, b) = (self.fact(args[0]), self.fact(args[1]));
        if self.options.optimize && bounds::must_overflow(code, &a, &b) {
            return Err(Contradiction);
        }
        let new = Op::new(code, args);
        if self.options.optimize
            && let Some(known) = self.state.pure.get(&(code, 0, new.args)).copied()
        {
            return Ok(self.known_constant(known));
        }
        // Where it does not overflow, the wrapping operation gives the same.
        let plain = match code {
            Opcode::IntAddOvf => Opcode::IntAdd,
            Opcode::IntSubOvf => Opcode::IntSub,
            _ => Opcode::IntMul,
        };
        let result = match self.proven() {
            Some(fact) => {
                let result = self.emit_pure(plain, args);
                self.learn(result, &fact);
                result
            }
            None => self.guard_op_result(*op, new),
        };
        self.know_result(result, code, args);
        self.state.pure.insert((code, 0, new.args), result);
        self.state.pure.insert((plain, 0, new.args), result);
        Ok(result)
    }
}

/// What holds of all values of the kind, if that is known.
pub(crate) fn weakened(fact: &Fact, kinds: bool) -> Fact {
    let tags = if kinds { fact.tightened().tags } else { Fact::ANY.tags };
    Fact { tags, heap_type: fact.heap_type, ..Fact::ANY }
}

/// What holds of both, with bounds that moved given up.
pub(crate) fn widen(known: &Fact, new: &Fact) -> Fact {
    let mut fact = known.or(new);
    if new.lo < known.lo {
        fact.lo = i64::MIN;
    }
    if new.hi > known.hi {
        fact.hi = i64::MAX;
    }
    // Bits that followed from the bounds alone are not to be relied on; tags are.
    let low = 7u64;
    fact.zeros &= low | if fact.lo >= 0 { 1 << 63 } else { 0 };
    fact.ones &= low;
    fact
}
