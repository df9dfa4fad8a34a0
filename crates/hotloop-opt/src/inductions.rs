//! Inductions of a loop's body, and which of its guards could be moved in front of it (see [`crate::hoist`]).
//!
//! ```text
//! label; k = phi k1; guard_true k < n; m = int_mul_ovf j, k; …; loop [k + 8]
//!        k: an induction, steps of 8, bound by n behind the guard; m: linear in k, if j is an invariant
//! ```
//!
//! Keeps true: a step is exact (it can't have wrapped unseen), or said not to be known to be. Facts that are
//! asked of phis are those at the label, of other operands those before it: what guards of the body taught
//! does not hold where the iteration begins.

use hotloop_ir::{Class, Fact, Op, Opcode, Operand, Trace};

use crate::bounds;

/// How a value of the body depends on the iteration.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Somehow.
    Any,
    /// Not at all.
    Invariant,
    /// It is linear in this induction.
    Linear(usize),
}

/// How far a phi goes each time round.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Const(i64),
    Add(Operand),
    Sub(Operand),
}

/// What is compared with a bound.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Compared {
    /// The phi plus this.
    Plus(i64),
    /// The phi's next value.
    Next,
}

/// A phi that goes by the same step each time round.
#[derive(Debug)]
pub(crate) struct Induction {
    /// Which of the phis.
    pub phi: usize,
    pub first: Operand,
    pub step: Step,
    /// The step is known not to overflow.
    pub exact: bool,
    pub bound: Option<Bound>,
    /// The induction that this one keeps step with, if it has no bound itself.
    pub with: Option<usize>,
}

/// A guard of the body that says how far an induction goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound {
    /// The guard's place.
    pub at: usize,
    pub compared: Compared,
    pub limit: Operand,
    /// The limit itself is out of bounds.
    pub strict: bool,
    /// The limit is above.
    pub above: bool,
    /// The comparison is of signed words.
    pub signed: bool,
    /// The comparison and how it comes out.
    pub compare: Op,
    pub truth: bool,
}

/// The body as it was swept without this.
pub(crate) struct Loop<'t> {
    pub trace: &'t Trace,
    pub origin: &'t [u32],
    pub label: usize,
    pub inductions: Vec<Induction>,
    pub kinds: Vec<Kind>,
    /// Low bits of values that are 0 in every iteration.
    pub aligned: Vec<u32>,
}

/// How many low bits are known to be 0.
pub(crate) fn zeros(fact: &Fact) -> u32 {
    fact.zeros.trailing_ones().min(62)
}

impl<'t> Loop<'t> {
    /// Looks for guards that could be moved; `facts` are those before the label, `label_facts` those of the
    /// phis.
    pub fn find(
        trace: &'t Trace,
        origin: &'t [u32],
        facts: &[Fact],
        label_facts: &[Fact],
    ) -> Option<Loop<'t>> {
        let label = trace.label()?;
        let end = trace.ops.len() - 1;
        let guards = trace.ops[label..end].iter().filter(|op| {
            op.code.is_guard() && !matches!(op.code, Opcode::GuardNoInterrupt | Opcode::GuardValid)
        });
        // One of them is the loop's own condition.
        if guards.count() < 2 {
            return None;
        }
        let mut found =
            Loop { trace, origin, label, inductions: Vec::new(), kinds: Vec::new(), aligned: Vec::new() };
        found.find_inductions(facts, label_facts);
        found.find_bounds(label_facts);
        found.find_kinds(facts);
        (label..end).any(|at| found.candidate(at)).then_some(found)
    }

    pub fn invariant(&self, operand: Operand) -> bool {
        operand.as_var().map_or(operand.is_const(), |var| (var.0 as usize) < self.label)
    }

    pub fn word(&self, operand: Operand) -> Option<i64> {
        self.trace.const_of(operand).map(|constant| constant.bits as i64)
    }

    /// What is known before the label.
    fn fact(&self, facts: &[Fact], operand: Operand) -> Fact {
        match (self.word(operand), operand.as_var()) {
            (Some(word), _) => Fact::exactly(word as u64),
            (_, Some(var)) => facts.get(var.0 as usize).copied().unwrap_or(Fact::ANY),
            _ => Fact::ANY,
        }
    }

    /// The number of a phi.
    pub fn phi(&self, operand: Operand) -> Option<usize> {
        let var = operand.as_var()?.0 as usize;
        (var > self.label && self.trace.ops[var].code == Opcode::Phi).then(|| var - self.label - 1)
    }

    /// The induction that a value is compared of, and how, if it can't have overflown unseen.
    fn compared(&self, operand: Operand, label_facts: &[Fact]) -> Option<(usize, Compared)> {
        if let Some(phi) = self.phi(operand) {
            return Some((self.induction_of(phi)?, Compared::Plus(0)));
        }
        let back = self.trace.list(self.trace.ops[self.trace.ops.len() - 1].list);
        let next = |known: &Induction| known.exact && back[known.phi] == operand;
        if let Some(index) = self.inductions.iter().position(next) {
            return Some((index, Compared::Next));
        }
        let op = self.trace.op(operand.as_var().filter(|var| var.0 as usize > self.label)?);
        let phi = self.phi(op.args[0])?;
        let constant = self.word(op.args[1])?;
        let word = Fact::exactly(constant as u64);
        let exact = op.code.class() == Class::PureGuard
            || bounds::cannot_overflow(op.code, label_facts.get(phi)?, &word);
        let index = self.induction_of(phi)?;
        match op.code {
            Opcode::IntAdd | Opcode::IntAddOvf if exact => Some((index, Compared::Plus(constant))),
            Opcode::IntSub | Opcode::IntSubOvf if exact => {
                Some((index, Compared::Plus(constant.checked_neg()?)))
            }
            _ => None,
        }
    }

    fn find_inductions(&mut self, facts: &[Fact], label_facts: &[Fact]) {
        let trace = self.trace;
        let back = trace.list(trace.ops[trace.ops.len() - 1].list);
        for (phi, next) in back.iter().enumerate() {
            let Some(next) = next.as_var().filter(|var| var.0 as usize > self.label) else { continue };
            let op = trace.op(next);
            let (a, b) = (op.args[0], op.args[1]);
            let added = matches!(op.code, Opcode::IntAdd | Opcode::IntAddOvf);
            let step = match op.code {
                Opcode::IntAdd | Opcode::IntAddOvf | Opcode::IntSub | Opcode::IntSubOvf
                    if self.phi(a) == Some(phi) && self.invariant(b) =>
                {
                    b
                }
                Opcode::IntAdd | Opcode::IntAddOvf if self.phi(b) == Some(phi) && self.invariant(a) => a,
                _ => continue,
            };
            let exact = op.code.class() == Class::PureGuard
                || label_facts
                    .get(phi)
                    .is_some_and(|fact| bounds::cannot_overflow(op.code, fact, &self.fact(facts, step)));
            let step = match self.word(step) {
                Some(0) => continue,
                Some(word) if added => Step::Const(word),
                Some(word) => match word.checked_neg() {
                    Some(word) => Step::Const(word),
                    None => continue,
                },
                None if added => Step::Add(step),
                None => Step::Sub(step),
            };
            let first = trace.ops[self.label + 1 + phi].args[0];
            self.inductions.push(Induction { phi, first, step, exact, bound: None, with: None });
        }
    }

    /// Which way an induction goes, as far as is known.
    fn goes_up(&self, induction: &Induction) -> Option<bool> {
        match induction.step {
            Step::Const(word) => Some(word > 0),
            _ => None,
        }
    }

    fn find_bounds(&mut self, label_facts: &[Fact]) {
        // Signed comparisons are more often a loop's condition, unsigned ones checks.
        for signed in [true, false] {
            for at in self.label..self.trace.ops.len() {
                let Some((bound, index)) = self.bound(at, signed, label_facts) else { continue };
                let known = &self.inductions[index];
                if known.bound.is_none() && self.goes_up(known).is_none_or(|up| up == bound.above) {
                    self.inductions[index].bound = Some(bound);
                }
            }
        }
        let Some(leader) = self
            .inductions
            .iter()
            .position(|known| known.bound.is_some() && matches!(known.step, Step::Const(_)))
        else {
            return;
        };
        for induction in &mut self.inductions {
            if induction.bound.is_none() && matches!(induction.step, Step::Const(_)) {
                induction.with = Some(leader);
            }
        }
    }

    /// The bound that a guard is, and of which induction.
    fn bound(&self, at: usize, signed: bool, label_facts: &[Fact]) -> Option<(Bound, usize)> {
        let guard = &self.trace.ops[at];
        let truth = match guard.code {
            Opcode::GuardTrue => true,
            Opcode::GuardFalse => false,
            _ => return None,
        };
        let compare = *self.trace.op(guard.args[0].as_var()?);
        let strict = match (compare.code, signed) {
            (Opcode::IntLt, true) => true,
            (Opcode::IntLe, true) => false,
            (Opcode::UintLt, false) if truth => true,
            (Opcode::UintLe, false) if truth => false,
            _ => return None,
        };
        // The lesser one, if it is true, else the greater one.
        let (mut low, mut high, mut strict) = (compare.args[0], compare.args[1], strict);
        if !truth {
            (low, high, strict) = (high, low, !strict);
        }
        let (changing, limit, above) = if self.invariant(high) {
            (low, high, true)
        } else if self.invariant(low) && signed {
            (high, low, false)
        } else {
            return None;
        };
        let (index, compared) = self.compared(changing, label_facts)?;
        Some((Bound { at, compared, limit, strict, above, signed, compare, truth }, index))
    }

    pub fn induction_of(&self, phi: usize) -> Option<usize> {
        self.inductions.iter().position(|known| known.phi == phi)
    }

    pub fn kind(&self, operand: Operand) -> Kind {
        match operand.as_var() {
            Some(var) if var.0 as usize >= self.label => {
                self.kinds.get(var.0 as usize - self.label).copied().unwrap_or(Kind::Any)
            }
            _ => Kind::Invariant,
        }
    }

    fn alignment(&self, facts: &[Fact], operand: Operand) -> u32 {
        match operand.as_var() {
            Some(var) if var.0 as usize >= self.label => {
                self.aligned.get(var.0 as usize - self.label).copied().unwrap_or(0)
            }
            _ => zeros(&self.fact(facts, operand)),
        }
    }

    fn find_kinds(&mut self, facts: &[Fact]) {
        use Opcode::*;
        for at in self.label..self.trace.ops.len() {
            let op = &self.trace.ops[at];
            let [a, b] = [op.args[0], op.args[1]].map(|arg| self.kind(arg));
            let [low_a, low_b] = [op.args[0], op.args[1]].map(|arg| self.alignment(facts, arg));
            let shift =
                self.word(op.args[1]).filter(|count| (0..62).contains(count)).map(|count| count as u32);
            let linear = match (a, b) {
                (Kind::Linear(one), Kind::Linear(other)) if one == other => a,
                (Kind::Linear(_), Kind::Invariant) => a,
                (Kind::Invariant, _) => b,
                _ => Kind::Any,
            };
            let (kind, low) = match op.code {
                Phi => match self.induction_of(at - self.label - 1) {
                    Some(index) => {
                        let induction = &self.inductions[index];
                        let step = match induction.step {
                            Step::Const(word) => zeros(&Fact::exactly(word as u64)),
                            Step::Add(step) | Step::Sub(step) => self.alignment(facts, step),
                        };
                        let low = self.alignment(facts, induction.first).min(step);
                        let kind = match (induction.bound, induction.with) {
                            (Some(_), _) => Kind::Linear(index),
                            (_, Some(leader)) => Kind::Linear(leader),
                            _ => Kind::Any,
                        };
                        (kind, low)
                    }
                    None => (Kind::Any, 0),
                },
                IntAdd | IntAddOvf | IntSub | IntSubOvf => (linear, low_a.min(low_b)),
                IntMul | IntMulOvf if a == Kind::Invariant || b == Kind::Invariant => {
                    (linear, (low_a + low_b).min(62))
                }
                IntShl if shift.is_some() => (a, (low_a + shift.unwrap_or(0)).min(62)),
                IntSar if shift.is_some_and(|count| count <= low_a) => (a, low_a - shift.unwrap_or(0)),
                // What these leave undefined a guard in front excludes.
                IntDiv | IntRem | IntDivFloor | IntModFloor => (Kind::Any, 0),
                code if code.is_outcome() => (Kind::Any, 0),
                _ if op.code.class() == Class::Pure => {
                    let all = op.operands().iter().all(|arg| self.kind(*arg) == Kind::Invariant);
                    (if all { Kind::Invariant } else { Kind::Any }, 0)
                }
                _ => (Kind::Any, 0),
            };
            self.kinds.push(kind);
            self.aligned.push(low);
        }
    }

    /// Whether a place of the body is behind the bound of what the operand depends on.
    pub fn behind(&self, operand: Operand, at: usize) -> bool {
        match self.kind(operand) {
            Kind::Linear(index) => self.inductions[index].bound.is_some_and(|bound| bound.at < at),
            _ => true,
        }
    }

    fn is_bound(&self, at: usize) -> bool {
        self.inductions.iter().any(|known| known.bound.is_some_and(|bound| bound.at == at))
    }

    /// Whether the guard may be one that can be moved.
    pub fn candidate(&self, at: usize) -> bool {
        let op = &self.trace.ops[at];
        let known = |operand: &Operand| self.kind(*operand) != Kind::Any;
        match op.code.class() {
            Class::PureGuard => op.operands().iter().all(known),
            Class::Guard if self.is_bound(at) => false,
            Class::Guard => match op.code {
                Opcode::GuardValue => self.kind(op.args[0]) == Kind::Invariant,
                Opcode::GuardTrue | Opcode::GuardFalse => {
                    let Some(var) = op.args[0].as_var() else { return false };
                    let compare = self.trace.op(var);
                    self.kind(op.args[0]) == Kind::Invariant
                        || movable(compare.code, op.code == Opcode::GuardTrue)
                            && compare.operands().iter().all(known)
                }
                _ => false,
            },
            _ => false,
        }
    }
}

/// Whether the comparison, being so at both ends of a range, is so in between.
fn movable(code: Opcode, truth: bool) -> bool {
    use Opcode::*;
    match code {
        IntLt | IntLe => true,
        UintLt | UintLe => truth,
        IntAddWraps | IntSubWraps | IntMulWraps => !truth,
        _ => false,
    }
}
