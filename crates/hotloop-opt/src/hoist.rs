//! Guards out of loops: a guard of the body whose condition depends on invariants and on *inductions*
//! (phis that go by the same step each time round, and have a bound) is checked before the label for the
//! whole range instead, and the body has none.
//!
//! The body has been swept once when this looks at it. It finds the inductions, takes values that are
//! *linear* in one (sums, differences and products with invariants, nothing wrapping), and asks of each
//! guard over them: does it hold at both ends of the range? A linear value lies between its ends, so what
//! holds there (no overflow, `<`, an index within bounds) holds all the way. The ends are computed before
//! the label by the very operations of the body; most of those for the start have been computed by the
//! preamble. Then the body is swept again, knowing which guards hold.
//!
//! ```text
//! before   …; label; k = phi k1; guard_true k < n; m = int_mul_ovf j, k; s = int_add_ovf k, m; loop [k + 1]
//! after    …; hoisted; e = int_sub n, 1; f = int_mul_ovf j, e; int_add_ovf e, f
//!          label; k = phi k1; guard_true k < n; loop [k + 1]
//! ```
//!
//! Keeps true: the body's guards that are gone would hold, each time round. By induction over the
//! iterations: the guard that bounds an induction stays in the body, so behind it the induction is within
//! its range, and a step from there does not overflow (known, or checked before the label as well). In front
//! of the bound it may be a step further, if the first iteration starts within that. The checks before the label may fail although the loop would have
//! gone well (it might have ended early): the driver then makes the loop again without them.
//! Does not yet: type guards, bounds by `!=`, products of two inductions as linear values.
//! Source: LuaJIT's array bounds check elimination (`lj_record.c`, `rec_idx_abc`), PyPy's guard
//! strengthening (`optimizeopt/guard.py`), loop predication in HotSpot's C2.

use rustc_hash::FxHashMap as HashMap;

use hotloop_ir::{Class, Fact, Op, Opcode, Operand, Ty, Var};

use crate::bounds;
use crate::inductions::{Compared, Kind, Loop, Step, zeros};
use crate::pipeline::Optimizer;

/// The deepest expression that is computed before the label for a guard.
const DEEPEST: u32 = 24;

/// What the second sweep of the body may count on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hoisted {
    /// Guards that hold, by their number in the recorded trace; what is known of their results.
    proven: HashMap<u32, Fact>,
    /// What is known of phis, by number.
    phis: Vec<(usize, Fact)>,
    /// What whoever jumps to the label must have done with phis.
    claims: Vec<Claim>,
    /// What was moved holds of this loop's own iterations alone: nobody else may jump to the label.
    private: bool,
}

/// A phi must go by this step, or stay, if what was moved out of the loop is to hold; it must not go where its
/// leader stays.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim {
    pub phi: usize,
    /// The phi with the bound, perhaps the same one.
    pub leader: usize,
    pub step: i64,
    /// The guard of the recorded trace that is the bound.
    pub bound: u32,
}

/// A value at the start and at the end of an induction's range.
type Ends = (Operand, Operand);

/// Emits what is checked before the label.
struct Hoister<'h, 'a, 't> {
    optimizer: &'h mut Optimizer<'a>,
    body: &'h Loop<'t>,
    /// The ends of values of the body, in front of the bound and behind it.
    ends: HashMap<(Var, bool), Option<Ends>>,
    /// The last next values of inductions that pass their bounds.
    furthest: HashMap<usize, Operand>,
    /// The guard being moved.
    at: usize,
    hoisted: Hoisted,
}

impl Optimizer<'_> {
    /// Emits what has to be checked before the label so that guards of the body hold.
    pub fn hoist(&mut self, body: &Loop) -> Hoisted {
        if self.state.out.ops.len() != body.label {
            return Hoisted::default();
        }
        self.emit(Op::new(Opcode::Hoisted, &[]));
        let mut hoister = Hoister {
            optimizer: self,
            body,
            ends: HashMap::default(),
            furthest: HashMap::default(),
            at: 0,
            hoisted: Hoisted::default(),
        };
        for at in body.label..body.trace.ops.len() {
            if body.candidate(at)
                && let Some(fact) = hoister.guard(at)
            {
                hoister.hoisted.proven.insert(body.origin[at], fact);
            }
        }
        hoister.hoisted
    }

    /// What is known of the result, if the guard of the recorded trace that is being visited holds.
    pub fn proven(&self) -> Option<Fact> {
        self.hoisted.proven.get(&self.at).copied()
    }
}

impl Hoisted {
    pub fn is_empty(&self) -> bool {
        self.proven.is_empty()
    }

    /// What whoever jumps to the label must have done with phis.
    pub fn claims(&self) -> &[Claim] {
        &self.claims
    }

    /// Whether nobody else may jump to the label.
    pub fn is_private(&self) -> bool {
        self.private
    }

    pub fn phis(&self) -> &[(usize, Fact)] {
        &self.phis
    }
}

impl Hoister<'_, '_, '_> {
    fn op(&self, code: Opcode, args: &[Operand]) -> Op {
        let mut op = Op::new(code, args);
        // Behind everything that the iteration did.
        op.resume = self.optimizer.recorded.events.len() as u32;
        op
    }

    fn int(&mut self, word: i64) -> Operand {
        self.optimizer.constant(Ty::Int, word as u64)
    }

    fn fact(&self, operand: Operand) -> Fact {
        self.optimizer.fact(operand)
    }

    /// A pure operation, or one that is checked here. `None`: it overflows for certain.
    fn emit(&mut self, code: Opcode, args: &[Operand]) -> Option<Operand> {
        let op = self.op(code, args);
        self.optimizer.simplify(&op, args).ok()
    }

    /// Guards that the condition is so. Whether that can be.
    fn demand(&mut self, condition: Operand, truth: bool) -> bool {
        if let Some(constant) = self.optimizer.state.out.const_of(condition) {
            return (constant.bits != 0) == truth;
        }
        let code = if truth { Opcode::GuardTrue } else { Opcode::GuardFalse };
        let guard = self.op(code, &[condition]);
        self.optimizer.guard_op(guard, guard);
        self.optimizer.learn_truth(condition, truth);
        true
    }

    /// Moves a guard. What is known of its result, if that can be done.
    fn guard(&mut self, at: usize) -> Option<Fact> {
        let op = self.body.trace.ops[at];
        self.at = at;
        match op.code {
            Opcode::GuardValue => {
                let (operand, _) = self.ends_here(op.args[0])?;
                let expected = self.body.trace.const_of(op.args[1])?;
                if let Some(constant) = self.optimizer.state.out.const_of(operand) {
                    return (constant.bits == expected.bits).then_some(Fact::ANY);
                }
                let constant = self.optimizer.constant(expected.ty, expected.bits);
                let guard = self.op(op.code, &[operand, constant]);
                self.optimizer.guard_op(guard, guard);
                self.optimizer.learn_equal(operand, expected.bits);
                Some(Fact::ANY)
            }
            Opcode::GuardTrue | Opcode::GuardFalse => {
                let truth = op.code == Opcode::GuardTrue;
                if self.body.kind(op.args[0]) == Kind::Invariant {
                    let (condition, _) = self.ends_here(op.args[0])?;
                    return self.demand(condition, truth).then_some(Fact::ANY);
                }
                let compare = *self.body.trace.op(op.args[0].as_var()?);
                self.compare(&compare, truth).then_some(Fact::ANY)
            }
            code => {
                let corners = self.corners(code, op.args[0], op.args[1])?;
                let overflows =
                    corners.iter().any(|(a, b)| bounds::must_overflow(code, &self.fact(*a), &self.fact(*b)));
                if overflows {
                    return None;
                }
                let mut range: Option<Fact> = None;
                for (a, b) in corners {
                    let result = self.emit(code, &[a, b])?;
                    let fact = self.fact(result);
                    range = Some(range.map_or(fact, |range| range.or(&fact)));
                }
                range.map(|fact| Fact::range(fact.lo, fact.hi))
            }
        }
    }

    /// Whether the comparison comes out so in the whole range: at its ends.
    fn compare(&mut self, op: &Op, truth: bool) -> bool {
        let Some(corners) = self.corners(op.code, op.args[0], op.args[1]) else { return false };
        let mut conditions = Vec::new();
        for (a, b) in corners {
            if matches!(op.code, Opcode::UintLt | Opcode::UintLe) {
                // Without signs only what is below a positive number is a range.
                let zero = self.int(0);
                conditions.push(self.emit(Opcode::IntLe, &[zero, b]));
            }
            let code = op.code;
            conditions.push(self.emit(code, &[a, b]));
        }
        let wrong = |operand: &Option<Operand>| match operand {
            Some(operand) => {
                self.optimizer.state.out.const_of(*operand).is_some_and(|word| (word.bits != 0) != truth)
            }
            None => true,
        };
        if conditions.iter().any(wrong) {
            return false;
        }
        conditions.into_iter().flatten().all(|condition| self.demand(condition, truth))
    }

    /// The pairs that two operands are at the ends: both at once if they go together, else in all ways.
    fn corners(&mut self, code: Opcode, a: Operand, b: Operand) -> Option<Vec<Ends>> {
        let product = matches!(code, Opcode::IntMulOvf | Opcode::IntMulWraps);
        let apart = match (self.body.kind(a), self.body.kind(b)) {
            (Kind::Linear(one), Kind::Linear(other)) => one != other || product,
            _ => false,
        };
        let ((a0, a1), (b0, b1)) = (self.ends_here(a)?, self.ends_here(b)?);
        let mut corners =
            if apart { vec![(a0, b0), (a0, b1), (a1, b0), (a1, b1)] } else { vec![(a0, b0), (a1, b1)] };
        corners.dedup();
        Some(corners)
    }

    /// A value of the body at both ends of its range at the guard being moved.
    fn ends_here(&mut self, operand: Operand) -> Option<Ends> {
        self.ends(operand, self.body.behind(operand, self.at), 0)
    }

    fn ends(&mut self, operand: Operand, behind: bool, depth: u32) -> Option<Ends> {
        if self.body.invariant(operand) {
            let operand = self.renewed(operand);
            return Some((operand, operand));
        }
        let var = operand.as_var()?;
        if let Some(known) = self.ends.get(&(var, behind)) {
            return *known;
        }
        let ends = if depth < DEEPEST { self.new_ends(var, behind, depth) } else { None };
        self.ends.insert((var, behind), ends);
        ends
    }

    /// An invariant operand of the body as it was first swept: the preamble is the same now, but constants
    /// are numbered anew.
    fn renewed(&mut self, operand: Operand) -> Operand {
        match self.body.trace.const_of(operand) {
            Some(constant) => self.optimizer.constant(constant.ty, constant.bits),
            None => self.optimizer.known_constant(operand),
        }
    }

    fn new_ends(&mut self, var: Var, behind: bool, depth: u32) -> Option<Ends> {
        use Opcode::*;
        let op = *self.body.trace.op(var);
        let kind = self.body.kind(var.into());
        if kind == Kind::Any {
            return None;
        }
        if op.code == Phi {
            let index = self.body.induction_of(self.body.phi(var.into())?)?;
            return match (behind, self.body.inductions[index].with) {
                (false, _) => self.range_in_front(index),
                (true, Some(leader)) => self.in_step(index, leader),
                (true, None) => self.range(index),
            };
        }
        let mut args = [(Operand::NONE, Operand::NONE); 3];
        for (slot, arg) in args.iter_mut().zip(op.operands()) {
            *slot = self.ends(*arg, behind, depth + 1)?;
        }
        let count = op.operands().len();
        // What wraps is not linear: the ends must not, then nothing in between does.
        let code = match op.code {
            IntAdd => IntAddOvf,
            IntSub => IntSubOvf,
            IntMul => IntMulOvf,
            IntShl if kind != Kind::Invariant => {
                let count = self.body.word(op.args[1])?;
                let factor = self.int(1 << count);
                args[1] = (factor, factor);
                IntMulOvf
            }
            code => code,
        };
        let code = if kind == Kind::Invariant { op.code } else { code };
        let [start, end] = [0, 1].map(|side| {
            let args = args.map(|(start, end)| if side == 0 { start } else { end });
            self.emit(code, &args[..count])
        });
        Some((start?, end?))
    }

    /// The operand before the step that made it, if the preamble made it by this step.
    fn before_step(&self, first: Operand, step: i64) -> Option<Operand> {
        let out = &self.optimizer.state.out;
        let op = out.op(first.as_var()?);
        let constant = out.const_of(op.args[1])?.bits as i64;
        let (a, b) = (self.fact(op.args[0]), self.fact(op.args[1]));
        let exact = op.code.class() == Class::PureGuard || bounds::cannot_overflow(op.code, &a, &b);
        let same = match op.code {
            Opcode::IntAdd | Opcode::IntAddOvf => constant == step,
            Opcode::IntSub | Opcode::IntSubOvf => constant.checked_neg() == Some(step),
            _ => false,
        };
        (same && exact).then_some(op.args[0])
    }

    /// Where an induction starts, and the last value that passes its bound.
    fn range(&mut self, index: usize) -> Option<Ends> {
        let induction = &self.body.inductions[index];
        let bound = induction.bound?;
        let first = self.renewed(induction.first);
        let (phi, exact, step) = (induction.phi, induction.exact, induction.step);
        let step_fact = match step {
            Step::Const(word) => Fact::exactly(word as u64),
            Step::Add(step) | Step::Sub(step) => self.fact(step),
        };
        let limit = self.renewed(bound.limit);
        if !bound.signed {
            // Below a positive number without signs is below it with them.
            let zero = self.int(0);
            let condition = self.emit(Opcode::IntLe, &[zero, limit])?;
            if !self.demand(condition, true) {
                return None;
            }
        }
        // Steps of unknown sign are taken to lead to the bound.
        if let Step::Add(step) | Step::Sub(step) = step {
            let zero = self.int(0);
            let positive = matches!(induction.step, Step::Add(_)) == bound.above;
            let args = if positive { [zero, step] } else { [step, zero] };
            let condition = self.emit(Opcode::IntLt, &args)?;
            if !self.demand(condition, true) {
                return None;
            }
        }
        let offset = match bound.compared {
            Compared::Plus(offset) => offset,
            Compared::Next => 0,
        };
        // The last one before a strict limit, as far as the low bits say.
        let low = zeros(&self.fact(first)).min(zeros(&step_fact));
        let low = low.min(zeros(&Fact::exactly(offset as u64))).min(zeros(&self.fact(limit)));
        let gap = if bound.strict { 1i64 << low } else { 0 };
        let gap = if bound.above { gap.checked_add(offset)? } else { gap.checked_sub(offset)? };
        let gap = self.int(gap);
        let code = if bound.above { Opcode::IntSubOvf } else { Opcode::IntAddOvf };
        let mut last = self.checked(code, limit, gap)?;
        if let Step::Const(word) = step
            && word.unsigned_abs() > 1 << low
            && let Ok(size) = i64::try_from(word.unsigned_abs())
        {
            // Only every so many-th one is reached.
            let args = if bound.above { [last, first] } else { [first, last] };
            let way = self.checked(Opcode::IntSubOvf, args[0], args[1])?;
            let size = self.int(size);
            let rest = self.emit(Opcode::IntModFloor, &[way, size])?;
            last = self.checked(code, last, rest)?;
        }
        if bound.compared == Compared::Next {
            self.furthest.insert(index, last);
            last = self.stepped(last, step, false)?;
        }
        if !exact {
            self.stepped(last, step, true)?;
        }
        let fact = self.fact(first);
        let fact = if bound.above { Fact::range(fact.lo, i64::MAX) } else { Fact::range(i64::MIN, fact.hi) };
        self.hoisted.phis.push((phi, fact));
        let word = if let Step::Const(word) = step { word } else { 0 };
        self.hoisted.private |= !matches!(step, Step::Const(_));
        let bound = self.body.origin[bound.at];
        self.hoisted.claims.push(Claim { phi, leader: phi, step: word, bound });
        let start = match step {
            Step::Const(word) => self.before_step(first, word).unwrap_or(first),
            _ => first,
        };
        Some((start, last))
    }

    /// A step further, or back.
    fn stepped(&mut self, from: Operand, step: Step, further: bool) -> Option<Operand> {
        let (amount, add) = match step {
            Step::Const(word) => (self.int(word), true),
            Step::Add(step) => (step, true),
            Step::Sub(step) => (step, false),
        };
        let code = if add == further { Opcode::IntAddOvf } else { Opcode::IntSubOvf };
        self.checked(code, from, amount)
    }

    /// The range in front of the bound: one step more, if the first iteration starts as if it had come there
    /// by a step from behind the bound.
    fn range_in_front(&mut self, index: usize) -> Option<Ends> {
        let induction = &self.body.inductions[index];
        let (phi, step) = (induction.phi, induction.step);
        let leader = induction.with.unwrap_or(index);
        let leading = &self.body.inductions[leader];
        let (bound, pace) = (leading.bound?, leading.step);
        let (start, last) = self.range_of(phi)?;
        self.hoisted.private = true;
        let first = self.renewed(leading.first);
        let before = match bound.compared {
            Compared::Next => first,
            Compared::Plus(offset) => {
                let offset = self.int(offset);
                let before = self.checked(Opcode::IntAddOvf, first, offset)?;
                self.stepped(before, pace, false)?
            }
        };
        let limit = self.renewed(bound.limit);
        let args = if self.body.invariant(bound.compare.args[1]) { [before, limit] } else { [limit, before] };
        let condition = self.emit(bound.compare.code, &args)?;
        if !self.demand(condition, bound.truth) {
            return None;
        }
        let further = self.furthest.get(&index).copied().filter(|_| leader == index);
        Some((start, further.or_else(|| self.stepped(last, step, true))?))
    }

    fn checked(&mut self, code: Opcode, a: Operand, b: Operand) -> Option<Operand> {
        if bounds::must_overflow(code, &self.fact(a), &self.fact(b)) {
            return None;
        }
        self.emit(code, &[a, b])
    }

    /// The ends of an induction that goes with another one, which has the bound.
    fn in_step(&mut self, index: usize, leader: usize) -> Option<Ends> {
        let (induction, leading) = (&self.body.inductions[index], &self.body.inductions[leader]);
        let (Step::Const(step), Step::Const(pace)) = (induction.step, leading.step) else { return None };
        let (phi, exact) = (induction.phi, induction.exact);
        let (first, leader_first) = (self.renewed(induction.first), self.renewed(leading.first));
        let (leader_start, last) = self.range_of(leading.phi)?;
        let way = self.checked(Opcode::IntSubOvf, last, leader_first)?;
        let gone = if step.checked_rem(pace)? == 0 {
            let factor = self.int(step / pace);
            self.checked(Opcode::IntMulOvf, way, factor)?
        } else if pace.checked_rem(step)? == 0 && (pace / step).unsigned_abs().is_power_of_two() {
            // All that lies between are whole steps.
            let shift = self.int((pace / step).unsigned_abs().trailing_zeros().into());
            let gone = self.emit(Opcode::IntSar, &[way, shift])?;
            let sign = self.int((pace / step).signum());
            self.checked(Opcode::IntMulOvf, gone, sign)?
        } else {
            return None;
        };
        let end = self.checked(Opcode::IntAddOvf, first, gone)?;
        if !exact {
            let step = self.int(step);
            self.checked(Opcode::IntAddOvf, end, step)?;
        }
        let fact = self.fact(first);
        let fact = if step > 0 { Fact::range(fact.lo, i64::MAX) } else { Fact::range(i64::MIN, fact.hi) };
        self.hoisted.phis.push((phi, fact));
        let bound = self.body.origin[leading.bound?.at];
        self.hoisted.claims.push(Claim { phi, leader: leading.phi, step, bound });
        // Both start in the same iteration.
        if leader_start == leader_first {
            return Some((first, end));
        }
        let start = match self.before_step(first, step) {
            Some(start) => start,
            None => {
                let step = self.int(step);
                self.checked(Opcode::IntSubOvf, first, step)?
            }
        };
        Some((start, end))
    }

    /// The range of a phi behind the bound.
    fn range_of(&mut self, phi: usize) -> Option<Ends> {
        self.ends(Var((self.body.label + 1 + phi) as u32).into(), true, 0)
    }
}
