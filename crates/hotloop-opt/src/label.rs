//! Jumps from bridges to the label of the loop they left, past the preamble: what was virtual at the label
//! stays virtual, and nothing that the preamble found out is found out again.
//!
//! ```text
//! loop     …; label; k = phi …; a = phi …; (the object with a in its field is virtual)
//! bridge   …; b = int_add a, 3; enter_label 0 [k1, b, …]          instead of new, setfield, enter 0
//! ```
//!
//! A [`Label`] says what the loop's body assumes where it begins. A bridge may go there if it ends with that:
//! the same constants and invariants, virtual objects of the same shape, phis of which the same is known,
//! memory that the body relies on not written, and nothing called since the last check of stable fields that could
//! have written one, for the check may be in the preamble. Invariants come to the bridge as inputs, because guards behind
//! the label keep them (`Resume::kept`). Inductions over which guards were moved out of the loop must have
//! gone a step, or none, as they would have in the loop. Else the bridge enters at the preamble, of this loop or of
//! another version of it ([`crate::versions`]).
//!
//! Source: virtual states in RPython (`optimizeopt/virtualstate.py`).

use rustc_hash::FxHashMap as HashMap;
use std::rc::Rc;

use hotloop_ir::{Class, Effect, Fact, Op, Opcode, Operand, Trace, Ty, TypeRef, Var};

use crate::Contradiction;
use crate::bounds;
use crate::entries::looks_behind_tokens;
use crate::hoist::Claim;
use crate::pipeline::Optimizer;
use crate::value::{ObjectId, Place, Slot, Val};

/// What the body assumes of one value.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Spot {
    /// Nobody needs it.
    Unneeded,
    /// This constant.
    Const(Ty, u64),
    /// The invariant with this number.
    Kept(usize),
    /// Likewise, but nothing depends on it: a bridge may pass on something else.
    Idle(usize),
    /// The phi with this number, of which this is known.
    Phi(usize, Fact),
    /// A float, computed or in a value: the number itself is this.
    Float(Box<Spot>),
    /// This virtual object; the flag: as a tagged value.
    Object(usize, bool),
}

/// A virtual object at the label.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct SpotObject {
    pub ty: TypeRef,
    pub items: u32,
    pub slots: Vec<Spot>,
}

/// What a loop's body assumes where it begins.
#[derive(Clone, Debug, Default)]
pub struct Label {
    pub(crate) args: Vec<Spot>,
    pub(crate) objects: Vec<SpotObject>,
    /// Stores that go round the loop: object, place, value.
    pub(crate) stores: Vec<(Spot, Place, Spot)>,
    pub(crate) phis: usize,
    /// How many invariants are kept.
    pub(crate) kept: usize,
    /// Places of memory that the body has read before.
    pub(crate) relied: Vec<Place>,
    /// The loop relies on stable fields.
    pub(crate) stable: bool,
    /// What was moved out of the loop demands of phis.
    pub(crate) claims: Vec<KeptClaim>,
    /// It demands more than a bridge can be seen to do.
    pub(crate) private: bool,
    /// Where the jump may pass tokens for frames: phis that may be one anyhow, and what is kept.
    pub(crate) tokens: Vec<u32>,
    /// The resume data of the guards that bound the loop's inductions.
    bounds: Vec<u32>,
}

/// A [`Claim`] of the finished trace.
#[derive(Clone, Debug)]
pub(crate) struct KeptClaim {
    /// Number among what is kept: there is the phi, and then its next value, if that is known already.
    kept: usize,
    phi: usize,
    leader: usize,
    step: i64,
}

impl Label {
    /// Whether a bridge from the guard with this resume data leaves the loop because it has come to its end.
    pub fn ends_at(&self, resume: u32) -> bool {
        self.bounds.contains(&resume)
    }
}

/// The same before the trace was finished; operands are those of the unfinished trace.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub args: Vec<DraftSpot>,
    pub objects: Vec<(TypeRef, u32, Vec<DraftSpot>)>,
    pub stores: Vec<(Operand, Place, DraftSpot)>,
    pub relied: Vec<Place>,
    /// Phis are counted from the label; the bound is a guard of the unfinished trace.
    pub claims: Vec<Claim>,
    pub private: bool,
}

/// What a value is at the label.
#[derive(Clone, Copy, Debug)]
pub(crate) enum DraftSpot {
    Unneeded,
    /// A constant, an invariant, or a phi with what is known of it.
    Operand(Operand, Fact),
    /// An input that the iteration neither reads nor changes.
    Idle(Operand),
    /// A float, as it is.
    Float(Operand),
    Object(usize, bool),
}

/// Where a bridge may jump to.
#[derive(Clone, Copy, Debug)]
pub struct ToLabel<'l> {
    /// The loop's label.
    pub label: &'l Label,
    /// The loop's number, as in `enter`.
    pub code: u32,
    /// The bridge's inputs that are what its guard kept.
    pub kept: &'l [Operand],
}

impl Draft {
    /// The label of the finished trace. `renamed`: what operands are called there; nothing if they were
    /// dropped. `described`: they are nowhere, but needed.
    pub fn finish(
        &self,
        old: &Trace,
        new: &mut Trace,
        renamed: &[Operand],
        described: &[bool],
    ) -> Option<Label> {
        let old_label = old.label()?;
        let new_label = new.label()?;
        let mut kept = invariants(new, new_label);
        let count = kept.len();
        let phis: Vec<Operand> = (new_label + 1..new.ops.len())
            .map(|at| Operand::var(Var(at as u32)))
            .take_while(|phi| phi.as_var().is_some_and(|var| new.op(var).code == Opcode::Phi))
            .collect();
        let operand = |operand: Operand, fact: &Fact| -> Option<Spot> {
            let Some(Var(var)) = operand.as_var() else {
                let constant = old.const_of(operand)?;
                return Some(Spot::Const(constant.ty, constant.bits));
            };
            if described[var as usize] {
                return None;
            }
            let name = renamed[var as usize];
            let phi = phis.iter().position(|phi| *phi == name);
            let invariant = kept.iter().position(|kept| *kept == name);
            Some(match (phi, invariant) {
                _ if name.is_none() => Spot::Unneeded,
                (Some(phi), _) => Spot::Phi(phi, *fact),
                (_, Some(invariant)) => Spot::Kept(invariant),
                _ => Spot::Unneeded,
            })
        };
        let (_, may_be) = looks_behind_tokens(new, |_| true);
        let phi_tokens = (0..phis.len()).filter(|phi| may_be.contains(&phis[*phi]));
        let tokens = phi_tokens.chain(phis.len()..phis.len() + count).map(|place| place as u32).collect();
        let spot = |spot: &DraftSpot| match spot {
            DraftSpot::Unneeded => Some(Spot::Unneeded),
            DraftSpot::Operand(known, fact) => operand(*known, fact),
            DraftSpot::Idle(input) => Some(match operand(*input, &Fact::ANY)? {
                Spot::Kept(invariant) => Spot::Idle(invariant),
                other => other,
            }),
            DraftSpot::Float(known) => Some(Spot::Float(Box::new(operand(*known, &Fact::ANY)?))),
            DraftSpot::Object(index, tagged) => Some(Spot::Object(*index, *tagged)),
        };
        let spots = |all: &[DraftSpot]| all.iter().map(spot).collect::<Option<Vec<Spot>>>();
        let mut label = Label {
            args: spots(&self.args)?,
            objects: Vec::new(),
            stores: Vec::new(),
            phis: phis.len(),
            kept: count,
            relied: self.relied.clone(),
            stable: !new.stable.is_empty(),
            claims: Vec::new(),
            private: self.private,
            tokens,
            bounds: Vec::new(),
        };
        for (ty, items, slots) in &self.objects {
            label.objects.push(SpotObject { ty: *ty, items: *items, slots: spots(slots)? });
        }
        for (object, place, value) in &self.stores {
            label.stores.push((operand(*object, &Fact::ANY)?, *place, spot(value)?));
        }
        let mut bounds = Vec::new();
        let number = |phi: usize| {
            let name = renamed[old_label + 1 + phi];
            phis.iter().position(|phi| *phi == name)
        };
        for claim in &self.claims {
            let Some(phi) = number(claim.phi) else { continue };
            let leader = number(claim.leader)?;
            label.claims.push(KeptClaim { kept: kept.len(), phi, leader, step: claim.step });
            let bound = renamed[claim.bound as usize].as_var()?.0 as usize;
            bounds.push(bound);
            label.bounds.push(new.ops[bound].resume);
            kept.extend([phis[phi], new.list(new.ops[new.ops.len() - 1].list)[phi]]);
        }
        let mut valid = true;
        let mut shared = Rc::new(kept.clone());
        for at in new_label..new.ops.len() {
            let op = new.ops[at];
            valid = op.code == Opcode::GuardValid || valid && !(label.stable && may_write(&op));
            if op.code.is_guard() && op.code != Opcode::GuardValid && valid {
                let mut kept = kept.clone();
                for (pair, bound) in kept[count..].chunks_mut(2).zip(&bounds) {
                    // In front of the bound the step may overflow.
                    if at <= *bound || pair[1].as_var().is_none_or(|next| next.0 as usize >= at) {
                        pair[1] = pair[0];
                    }
                }
                if kept != *shared {
                    shared = Rc::new(kept);
                }
                new.resumes[op.resume as usize].kept = shared.clone();
            }
        }
        Some(label)
    }
}

/// What the body uses from before the label.
fn invariants(trace: &Trace, label: usize) -> Vec<Operand> {
    let mut used = vec![false; label];
    let mut mark = |operand: Operand| {
        if let Some(Var(var)) = operand.as_var()
            && (var as usize) < label
        {
            used[var as usize] = true;
        }
    };
    for op in trace.ops[label..].iter().filter(|op| op.code != Opcode::Phi) {
        op.operands().iter().for_each(|operand| mark(*operand));
        trace.list(op.list).iter().for_each(|operand| mark(*operand));
        if op.code.is_guard() {
            trace.resumes[op.resume as usize].live().into_iter().for_each(|var| mark(var.into()));
        }
    }
    let all = used.iter().enumerate().filter(|(_, used)| **used);
    all.map(|(var, _)| Operand::var(Var(var as u32))).collect()
}

/// Which inputs no operation of the recorded iteration has for an operand: they only go round the loop. None, if
/// the frame's slots are read or written as a whole or one by one.
pub(crate) fn idle_inputs(recorded: &Trace, inputs: usize) -> Vec<bool> {
    let body = &recorded.ops[inputs..recorded.ops.len() - 1];
    let frame = body.iter().find(|op| op.code == Opcode::Virtualizable).map(|op| op.args[0]);
    let reads = |op: &Op| op.code.class() == Class::Read && frame.is_some_and(|frame| op.args[0] == frame);
    let idle = !body.iter().any(|op| op.code == Opcode::Flush || reads(op));
    let mut idle = vec![idle; inputs];
    let states = [Opcode::Instr, Opcode::Virtualizable];
    for op in body {
        let list = if states.contains(&op.code) { &[] } else { recorded.list(op.list) };
        for var in op.operands().iter().chain(list).filter_map(|operand| operand.as_var()) {
            if let Some(idle) = idle.get_mut(var.0 as usize) {
                *idle = false;
            }
        }
    }
    idle
}

/// Whether an operation may write one of these places, or anything, of an object that was there before the
/// operation number `since` of this trace.
pub(crate) fn writes(trace: &Trace, op: &Op, places: &[Place], since: usize) -> bool {
    let is_new = |object: Operand| {
        let made = object.as_var().filter(|var| var.0 as usize >= since);
        made.is_some_and(|var| trace.op(var).code.class() == Class::Alloc)
    };
    match op.code {
        _ if places.is_empty() => false,
        Opcode::SetField => places.contains(&Place::Field(op.descr)) && !is_new(op.args[0]),
        Opcode::SetItem => {
            let place = |place: &Place| matches!(place, Place::Item(ty, _) if *ty == op.descr);
            places.iter().any(place) && !is_new(op.args[0])
        }
        Opcode::FillItems => !is_new(op.args[0]),
        Opcode::CopyItems => !is_new(op.args[1]),
        _ => op.code.class() == Class::Write || may_write(op),
    }
}

/// Whether the operation is a call that may write any object.
fn may_write(op: &Op) -> bool {
    match op.code {
        Opcode::Call => op.call().get().effect >= Effect::Writes,
        code => code.class() == Class::Call,
    }
}

/// Pairs what a bridge ends with with what the label wants.
struct Matching<'m> {
    label: &'m Label,
    kept: &'m [Operand],
    phis: Vec<Option<Val>>,
    objects: Vec<Option<ObjectId>>,
    indices: HashMap<ObjectId, usize>,
    /// What is passed on for invariants on which nothing depends.
    idle: Vec<(usize, Val)>,
    demands: Vec<Demand>,
}

/// What a guard in front of the jump has to find out.
#[derive(Clone, Copy, PartialEq)]
enum Demand {
    /// The value has this tag.
    Tag(Operand, u32),
    /// The object has this type.
    Type(Operand, u32),
}

/// What jumps to the label.
struct Jump {
    phis: Vec<Val>,
    idle: Vec<(usize, Val)>,
    demands: Vec<Demand>,
    /// It may, in spite of what was moved out of the loop.
    lawful: bool,
}

impl Optimizer<'_> {
    /// What a jump to the label would be, if the bridge ends with what that wants. `args`: its state.
    fn fits_label(&mut self, target: &ToLabel, args: &[Val]) -> Option<Jump> {
        let label = target.label;
        if args.len() != label.args.len() || target.kept.len() != label.kept + 2 * label.claims.len() {
            return None;
        }
        let carried = |object: Operand, place: Place| {
            label.stores.iter().any(|(spot, known, _)| {
                *known == place
                    && match spot {
                        Spot::Kept(index) => target.kept[*index] == object,
                        Spot::Const(_, bits) => {
                            self.state.out.const_of(object).is_some_and(|known| known.bits == *bits)
                        }
                        _ => false,
                    }
            })
        };
        let pending = &self.state.heap.pending;
        let stale =
            pending.iter().any(|one| label.relied.contains(&one.place) && !carried(one.object, one.place));
        if stale {
            return None;
        }
        let mut matching = Matching {
            label,
            kept: target.kept,
            phis: vec![None; label.phis],
            objects: vec![None; label.objects.len()],
            indices: HashMap::default(),
            idle: Vec::new(),
            demands: Vec::new(),
        };
        for (spot, value) in label.args.iter().zip(args) {
            self.fits(&mut matching, spot, *value)?;
        }
        for (object, place, spot) in &label.stores {
            let object = match object {
                Spot::Kept(index) => target.kept[*index],
                Spot::Const(ty, bits) => self.constant(*ty, *bits),
                _ => return None,
            };
            let value = self.state.heap.content(object, *place)?;
            self.fits(&mut matching, spot, Val::Op(value))?;
        }
        let phis: Vec<Val> = matching.phis.into_iter().collect::<Option<Vec<Val>>>()?;
        let virtuals = phis.iter().any(|value| !matches!(value, Val::Op(_)));
        if virtuals && !label.objects.is_empty() {
            return None;
        }
        let mut went = HashMap::default();
        for claim in &label.claims {
            went.insert(claim.phi, self.stepped(&target.kept[claim.kept..], phis[claim.phi], claim.step));
        }
        let holds = |claim: &KeptClaim| match went[&claim.phi] {
            Some(true) => went.get(&claim.leader) == Some(&Some(true)),
            Some(false) => true,
            None => false,
        };
        let lawful = !label.private && label.claims.iter().all(holds);
        Some(Jump { phis, idle: matching.idle, demands: matching.demands, lawful })
    }

    /// A bridge that has written what the body relies on, or may have, may not jump to its label any more, nor may bridges
    /// that start behind that.
    pub fn watch_relied(&mut self, op: &Op) {
        let spoils =
            |label: &Label| label.stable && may_write(op) || writes(&self.state.out, op, &label.relied, 0);
        if self.to_label.is_some_and(|target| spoils(target.label)) {
            self.to_label = None;
            self.kept = Rc::default();
        }
    }

    /// Whether the value is the old one and a step; nothing if it is neither that nor the old one itself.
    fn stepped(&self, kept: &[Operand], new: Val, step: i64) -> Option<bool> {
        let Val::Op(new) = new else { return None };
        let old = kept[0];
        if new == old || new == kept[1] {
            return Some(new != old);
        }
        let op = self.state.out.op(new.as_var()?);
        let constant = self.state.out.const_of(op.args[1])?.bits;
        let exact = op.code.class() == Class::PureGuard
            || bounds::cannot_overflow(op.code, &self.fact(op.args[0]), &self.fact(op.args[1]));
        let way = match op.code {
            Opcode::IntAdd | Opcode::IntAddOvf => Some(constant as i64),
            Opcode::IntSub | Opcode::IntSubOvf => (constant as i64).checked_neg(),
            _ => None,
        };
        (op.args[0] == old && exact && way == Some(step)).then_some(true)
    }

    /// What is to be asked of an operand of which this is not known; nothing at all if that is no use.
    fn demand(&self, operand: Operand, wanted: &Fact) -> Option<Option<Demand>> {
        let known = self.fact(operand);
        let object = wanted.heap_type.or(known.heap_type);
        // Objects are aligned.
        let tags = if object.is_some() { 1 } else { wanted.tags };
        let then = known.and(&Fact { tags, heap_type: object, ..Fact::ANY }).tightened();
        let is_null = object.is_some() && known.constant() == Some(0);
        if is_null || then.is_impossible() || !then.implies(wanted) {
            return None;
        }
        match object {
            Some(_) if known.heap_type.is_some() => Some(None),
            Some(ty) => Some(Some(Demand::Type(operand, ty))),
            None if self.state.out.operand_type(operand) == Some(Ty::Int) && tags.is_power_of_two() => {
                Some(Some(Demand::Tag(operand, tags.trailing_zeros())))
            }
            None => None,
        }
    }

    /// Emits the guard for a demand.
    fn guard_demand(&mut self, demand: Demand) -> Result<(), Contradiction> {
        match demand {
            Demand::Tag(operand, tag) => {
                let [mask, tag] = [7, tag.into()].map(|bits| self.constant(Ty::Int, bits));
                let low = self.simplify(&Op::new(Opcode::IntAnd, &[operand, mask]), &[operand, mask])?;
                let is_so = self.simplify(&Op::new(Opcode::IntEq, &[low, tag]), &[low, tag])?;
                self.guard_at_end(Op::new(Opcode::GuardTrue, &[is_so]));
                self.learn_truth(is_so, true);
            }
            Demand::Type(operand, ty) => {
                if self.fact(operand).admits(0) {
                    let null = self.constant(Ty::Ref, 0);
                    let is_null =
                        self.simplify(&Op::new(Opcode::RefEq, &[operand, null]), &[operand, null])?;
                    self.guard_at_end(Op::new(Opcode::GuardFalse, &[is_null]));
                    self.learn_truth(is_null, false);
                }
                self.guard_at_end(Op::new(Opcode::GuardType, &[operand]).with_descr(ty));
                self.learn(operand, &Fact { heap_type: Some(ty), ..Fact::ANY });
            }
        }
        Ok(())
    }

    /// A guard behind all that is recorded.
    fn guard_at_end(&mut self, mut guard: Op) {
        guard.resume = self.recorded.events.len() as u32;
        self.guard_op(guard, guard);
    }

    fn fits(&mut self, matching: &mut Matching, spot: &Spot, value: Val) -> Option<()> {
        let value = self.settle(value);
        let fits = match spot {
            Spot::Unneeded => true,
            Spot::Const(_, bits) => match value {
                Val::Op(operand) => {
                    self.state.out.const_of(operand).is_some_and(|constant| constant.bits == *bits)
                }
                _ => false,
            },
            Spot::Kept(index) => {
                let kept = matching.kept[*index];
                value == Val::Op(kept) || value == Val::Op(self.known_constant(kept))
            }
            Spot::Idle(index) => {
                matching.idle.push((*index, value));
                true
            }
            Spot::Phi(index, fact) => {
                match value {
                    Val::Op(operand) if !self.fact(operand).implies(fact) => {
                        let demand = self.demand(operand, fact)?;
                        matching.demands.extend(demand.filter(|demand| !matching.demands.contains(demand)));
                    }
                    Val::Op(_) => {}
                    Val::Virtual(_) | Val::Tagged(_) if !fact.is_any() => return None,
                    Val::Virtual(_) | Val::Tagged(_) => {}
                }
                *matching.phis[*index].get_or_insert(value) == value
            }
            Spot::Float(number) => {
                let Val::Op(operand) = value else { return None };
                if !self.is_float(operand) {
                    return None;
                }
                let value = Val::Op(self.unboxed(operand));
                self.fits(matching, number, value)?;
                true
            }
            Spot::Object(index, tagged) => {
                let id = match (value, tagged) {
                    (Val::Virtual(id), false) | (Val::Tagged(id), true) => id,
                    _ => return None,
                };
                match (matching.objects[*index], matching.indices.get(&id)) {
                    (Some(known), _) if known == id => return Some(()),
                    (None, None) => {}
                    _ => return None,
                }
                matching.objects[*index] = Some(id);
                matching.indices.insert(id, *index);
                let object = self.state.objects[id.0 as usize].clone();
                let wanted = &matching.label.objects[*index];
                if object.ty != wanted.ty
                    || object.items != wanted.items
                    || object.slots.len() != wanted.slots.len()
                    || object.joined.is_some()
                {
                    return None;
                }
                for (spot, slot) in wanted.slots.iter().zip(&object.slots) {
                    match slot {
                        Slot::Known(value) => self.fits(matching, spot, *value)?,
                        Slot::Unknown | Slot::Dead if *spot == Spot::Unneeded => {}
                        Slot::Unknown | Slot::Dead => return None,
                    }
                }
                true
            }
        };
        fits.then_some(())
    }

    /// Jumps to the label, if the bridge ends with what it wants.
    pub fn enter_label(&mut self, target: &ToLabel, args: &[Val]) -> bool {
        let Some(Jump { phis, idle, demands, lawful }) = self.fits_label(target, args) else { return false };
        self.strays = !lawful;
        if self.strays || demands.into_iter().any(|demand| self.guard_demand(demand).is_err()) {
            return false;
        }
        let stores: Vec<(Operand, Place)> = target
            .label
            .stores
            .iter()
            .map(|(object, place, _)| match object {
                Spot::Const(ty, bits) => (self.constant(*ty, *bits), *place),
                Spot::Kept(index) => (target.kept[*index], *place),
                _ => (Operand::NONE, *place),
            })
            .collect();
        self.flush_stores_where(|pending| !stores.contains(&(pending.object, pending.place)));
        let mut list: Vec<Operand> = phis.into_iter().map(|value| self.materialize(value)).collect();
        let passed = list.len();
        list.extend(&target.kept[..target.label.kept]);
        for (invariant, value) in idle {
            list[passed + invariant] = self.materialize(value);
        }
        self.state.out.entered = target.label.tokens.clone();
        self.end(Opcode::EnterLabel, target.code, list);
        true
    }
}
