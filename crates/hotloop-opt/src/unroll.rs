//! Loop peeling: the recorded iteration is swept twice. The first sweep is the preamble; what it computed
//! stays true in the second, the loop's body, whose label takes only what changes from one iteration to the
//! next (phis). Loop-invariant code is left in the preamble because the body finds it computed already.
//!
//! What the label passes on has a *shape*: constants, invariants, phis (with what is known of them), and
//! virtual objects, whose slots are shapes again. The first guess is what the preamble ends with; if the
//! body ends with something less, the guess is widened and the body swept again, a bounded number of times.
//!
//! A float that is computed in the loop goes round as it is (`Shape::Float`): the body takes it from the phi, and only
//! who needs a tagged word, or an exit, makes a value of it (`box_float`). Ints need no such thing: their
//! shifts are described at exits, and comparisons and sums work on the shifted word.
//!
//! Stores that were put off and that only guards could see go round the loop, too, as phis: the body makes
//! none; exits do. Only what can't be a reference, lest a stale slot keep garbage alive.
//!
//! ```text
//! before   v0 = input int; v1 = input int; v2 = int_mul v1, 3; v3 = int_add_ovf v0, v2; loop [v3, v1]
//! after    …; v2 = int_mul v1, 3; v3 = int_add_ovf v0, v2; label; v5 = phi v3; v6 = int_add_ovf v5, v2; loop [v6]
//! ```
//!
//! Bridges may jump to the label, too: see [`crate::label`].
//! Source: Ardö, Bolz, Fijałkowski, "Loop-aware optimizations in PyPy's tracing JIT" (2012).

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use hotloop_ir::pure::evaluate;
use hotloop_ir::{Fact, FieldKind, Op, Opcode, Operand, Trace, Ty, TypeRef, Var};

use crate::Contradiction;
use crate::heap::Pending;
use crate::hoist::Claim;
use crate::inductions::Loop;
use crate::knowledge::{weakened, widen};
use crate::label::{Draft, DraftSpot, idle_inputs, writes};
use crate::pipeline::{Optimizer, State};
use crate::value::{Home, Object, ObjectId, Place, Slot, Val};

/// How often the body is swept before knowledge is given up altogether.
const MOST_SWEEPS: u32 = 6;

/// What the label passes on in one place.
#[derive(Clone, PartialEq, Debug)]
enum Shape {
    /// This constant.
    Const(Operand),
    /// This variable of the preamble, unchanged, with what was known of it before the label.
    Same(Operand, Fact),
    /// Something that changes, with what is known of it.
    Phi(Fact),
    /// A float that changes, carried as it is; the type of its box, should a value be made of it.
    Float(u32),
    /// The virtual object with this index; the flag: as a tagged value.
    Object(usize, bool),
    /// Nothing lives here.
    Dead,
}

#[derive(Clone, PartialEq, Debug)]
struct ObjectShape {
    ty: TypeRef,
    items: u32,
    slots: Vec<Shape>,
}

/// A guess of what the label passes on.
#[derive(Clone, PartialEq, Debug, Default)]
struct Plan {
    args: Vec<Shape>,
    objects: Vec<ObjectShape>,
    stores: Vec<(Pending, Shape)>,
    /// Memory contents of the preamble that don't hold in the body.
    excluded: HashSet<(Operand, Place)>,
    /// Phis, by number, that start alike but go different ways.
    split: HashSet<usize>,
    /// Phis, by number, that never change after all (or were thought not to, and do).
    fixed: HashMap<usize, bool>,
    /// Assumes nothing.
    last_resort: bool,
}

impl Plan {
    /// Forgets which numbers the state that changes holds at the end of the preamble; perhaps not what kinds of values.
    fn weaken(&mut self, trace: &Trace, kinds: bool) {
        for shape in self.args.iter_mut().chain(self.stores.iter_mut().map(|(_, shape)| shape)) {
            match shape {
                Shape::Phi(fact) => *fact = weakened(fact, kinds),
                Shape::Const(operand) => {
                    let fact = trace.const_of(*operand).map_or(Fact::ANY, |known| Fact::exactly(known.bits));
                    *shape = Shape::Phi(weakened(&fact, kinds));
                }
                Shape::Same(..) | Shape::Float(_) | Shape::Object(..) | Shape::Dead => {}
            }
        }
        for shape in self.objects.iter_mut().flat_map(|object| &mut object.slots) {
            if let Shape::Phi(fact) = shape {
                *fact = weakened(fact, kinds);
            }
        }
    }
}

/// See [`Phis::leader`].
const FIXED: usize = usize::MAX;

/// The phis being made, in the order of the plan's shapes.
struct Phis {
    first: Vec<Operand>,
    /// The phi that does for this one, too: it starts alike, and so far they went the same way. [`FIXED`]: its
    /// first value does.
    leader: Vec<usize>,
    made: Vec<Operand>,
    /// How many of them the shapes have taken.
    taken: usize,
}

impl Phis {
    fn new(first: Vec<Operand>, plan: &Plan) -> Phis {
        let fixed = |number: usize| plan.fixed.get(&number) == Some(&true);
        let apart = |number: usize| plan.split.contains(&number) || fixed(number);
        let leader = (0..first.len())
            .map(|number| {
                let alike = |earlier: &usize| first[*earlier] == first[number] && !apart(*earlier);
                match number {
                    _ if plan.last_resort => number,
                    _ if fixed(number) => FIXED,
                    _ if plan.split.contains(&number) => number,
                    _ => (0..number).find(alike).unwrap_or(number),
                }
            })
            .collect();
        Phis { first, leader, made: Vec::new(), taken: 0 }
    }

    fn leads(&self, number: usize) -> bool {
        self.leader[number] == number
    }

    fn take(&mut self) -> Operand {
        self.taken += 1;
        self.made[self.taken - 1]
    }
}

/// Pairs the objects of a plan with those of one end of the loop.
#[derive(Default)]
struct Pairing {
    to_index: HashMap<ObjectId, usize>,
    to_object: HashMap<usize, ObjectId>,
}

impl Optimizer<'_> {
    /// The recorded loop's jump back, unpeeled.
    pub fn close_unpeeled(&mut self, last: &Op) {
        let list: Vec<Operand> = self.recorded.list(last.list).to_vec();
        let args: Vec<Operand> = list.into_iter().map(|arg| self.operand(arg)).collect();
        self.flush_stores();
        self.end(Opcode::Loop, 0, args);
    }

    /// The jump to another loop's entry.
    pub fn enter(&mut self, last: &Op) {
        let list: Vec<Operand> = self.recorded.list(last.list).to_vec();
        let values: Vec<Val> = list.iter().map(|arg| self.value(*arg)).collect();
        let of_the_loop = |code: u32| code == last.descr || self.versions.iter().any(|one| one.code == code);
        if let Some(target) = self.to_label.filter(|target| of_the_loop(target.code))
            && self.enter_label(&target, &values)
        {
            return;
        }
        let mut code = last.descr;
        match self.choose(&values) {
            Some(chosen) => {
                let version = self.versions[chosen];
                code = version.code;
                self.state.out.entered = version.tokens.to_vec();
            }
            None => self.misfit = !self.versions.is_empty(),
        }
        let args: Vec<Operand> = list.into_iter().map(|arg| self.operand(arg)).collect();
        self.flush_stores();
        self.end(Opcode::Enter, code, args);
    }

    pub fn end(&mut self, code: Opcode, descr: u32, args: Vec<Operand>) {
        let mut op = Op::new(code, &[]).with_descr(descr);
        op.list = self.state.out.push_list(args);
        self.emit(op);
    }

    /// Peels the recorded loop; its first iteration has been swept.
    pub fn peel(&mut self, inputs: usize) -> Result<(), Contradiction> {
        let last = self.recorded.ops[self.recorded.ops.len() - 1];
        let list: Vec<Operand> = self.recorded.list(last.list).to_vec();
        let args: Vec<Val> = list.iter().map(|arg| self.value(*arg)).collect();
        let mut uncarried: HashSet<(Operand, Place)> = HashSet::default();
        self.idle = idle_inputs(self.recorded, inputs);
        let saved = self.state.clone();
        let mut plan = None;
        // The body can't go the preamble's way with all that is known at its end, but perhaps from elsewhere: with
        // the kinds of values known alone, then with nothing.
        let mut weak = 0;
        for sweep in 0..=MOST_SWEEPS {
            if sweep > 0 {
                self.state = saved.clone();
                self.snapshot = None;
            }
            let last_resort = sweep == MOST_SWEEPS || !self.options.optimize;
            let mut current = match plan.take() {
                Some(plan) if !last_resort => plan,
                _ => self.first_plan(&args, &mut uncarried, last_resort),
            };
            if weak > 0 && !last_resort {
                current.weaken(&self.state.out, weak == 1);
            }
            let swept = match self.sweep_body(inputs, &args, &list, &current, &mut uncarried, None) {
                Err(Contradiction) if weak < 2 && !last_resort => {
                    (weak, plan) = (weak + 1, Some(current));
                    continue;
                }
                swept => swept?,
            };
            match swept {
                None if last_resort || !self.options.hoist => return Ok(()),
                None => {
                    self.hoist_guards(inputs, &args, &list, &current, saved);
                    return Ok(());
                }
                Some(better) => plan = better,
            }
        }
        // The last resort assumes nothing, so it always fits.
        Err(Contradiction)
    }

    /// The loop is closed. If guards of its body can be moved before the label, the body is swept once more
    /// without them; `saved` is the state after the preamble.
    fn hoist_guards(&mut self, inputs: usize, args: &[Val], list: &[Operand], plan: &Plan, saved: State) {
        let label_facts = std::mem::take(&mut self.label_facts);
        let closed = std::mem::replace(&mut self.state, saved);
        let Some(body) = Loop::find(&closed.out, &closed.origin, &self.state.facts, &label_facts) else {
            self.state = closed;
            return;
        };
        self.snapshot = None;
        let swept = self.sweep_body(inputs, args, list, plan, &mut HashSet::default(), Some(&body));
        let moved = !std::mem::take(&mut self.hoisted).is_empty();
        if !moved || !matches!(swept, Ok(None)) {
            self.state = closed;
        }
    }

    /// Whether the store of this value may go round the loop: nobody is kept alive or hidden by it.
    fn may_carry(&self, store: &Pending, value: Operand) -> bool {
        let (_, kind) = store.ty.get().slot(store.slot as usize);
        if self.boxed(value).is_some() || !matches!(kind, FieldKind::Value | FieldKind::Ref) {
            return true;
        }
        let fact = self.fact(value);
        // A value whose tag can't be that of a reference (010).
        fact.tightened().tags & 1 << 0b010 == 0
    }

    pub fn is_float(&self, value: Operand) -> bool {
        self.boxed(value).is_some() || self.fact(value).implies(&Fact::FLOAT_VALUE)
    }

    /// The float in a value that [`is_float`](Self::is_float).
    pub fn unboxed(&mut self, value: Operand) -> Operand {
        if let Some(constant) = self.state.out.const_of(value) {
            let bits = evaluate(Opcode::ValueToFloat, constant.bits, 0, 0);
            return self.constant(Ty::Float, bits);
        }
        match self.boxed(value) {
            Some((float, _)) => float,
            None => self.emit_pure(Opcode::ValueToFloat, &[value]),
        }
    }

    /// The shape of something that changes.
    fn changing(&self, value: Operand) -> Shape {
        match self.boxed(value) {
            Some((_, ty)) => Shape::Float(ty),
            None => Shape::Phi(self.fact(value)),
        }
    }

    fn first_plan(
        &mut self,
        args: &[Val],
        uncarried: &mut HashSet<(Operand, Place)>,
        last_resort: bool,
    ) -> Plan {
        let mut plan = Plan { last_resort, ..Plan::default() };
        let same: HashSet<Operand> = args
            .iter()
            .enumerate()
            .filter(|(index, value)| **value == Val::Op(Operand::var(Var(*index as u32))))
            .map(|(index, _)| Operand::var(Var(index as u32)))
            .collect();
        let mut pairing = Pairing::default();
        for (index, value) in args.iter().enumerate() {
            let unchanged = *value == Val::Op(Operand::var(Var(index as u32)));
            let shape = match value {
                _ if last_resort && !unchanged => Shape::Phi(Fact::ANY),
                Val::Op(operand) if !unchanged && operand.as_var().is_some() => match self.changing(*operand)
                {
                    Shape::Phi(fact) if self.idle[index] => Shape::Phi(weakened(&fact, true)),
                    changing => changing,
                },
                value => self.shape(*value, &same, &mut plan, &mut pairing),
            };
            plan.args.push(shape);
        }
        if last_resort {
            let known: Vec<(Operand, Place)> = self
                .state
                .heap
                .known
                .iter()
                .flat_map(|(place, known)| known.iter().map(|(owner, _, _)| (*owner, *place)))
                .collect();
            plan.excluded.extend(known);
            return plan;
        }
        for pending in self.state.heap.pending.clone() {
            if self.may_carry(&pending, pending.value)
                && !uncarried.contains(&(pending.object, pending.place))
            {
                let shape = match self.state.out.const_of(pending.value) {
                    Some(_) => Shape::Const(pending.value),
                    None => self.changing(pending.value),
                };
                plan.stores.push((pending, shape));
            } else {
                uncarried.insert((pending.object, pending.place));
            }
        }
        plan
    }

    fn shape(
        &mut self,
        value: Val,
        same: &HashSet<Operand>,
        plan: &mut Plan,
        pairing: &mut Pairing,
    ) -> Shape {
        match self.settle(value) {
            Val::Op(operand) if operand.is_const() => Shape::Const(operand),
            Val::Op(operand) if same.contains(&operand) => Shape::Same(operand, self.fact(operand)),
            Val::Op(operand) => self.changing(operand),
            Val::Virtual(id) | Val::Tagged(id) if self.state.objects[id.0 as usize].joined.is_some() => {
                Shape::Phi(Fact::ANY)
            }
            Val::Virtual(id) => Shape::Object(self.object_shape(id, same, plan, pairing), false),
            Val::Tagged(id) => Shape::Object(self.object_shape(id, same, plan, pairing), true),
        }
    }

    fn object_shape(
        &mut self,
        id: ObjectId,
        same: &HashSet<Operand>,
        plan: &mut Plan,
        pairing: &mut Pairing,
    ) -> usize {
        if let Some(index) = pairing.to_index.get(&id) {
            return *index;
        }
        let Object { ty, items, slots, .. } = self.state.objects[id.0 as usize].clone();
        let index = plan.objects.len();
        pairing.to_index.insert(id, index);
        plan.objects.push(ObjectShape { ty, items, slots: Vec::new() });
        let slots = slots
            .into_iter()
            .map(|slot| match slot {
                Slot::Known(value) => self.shape(value, same, plan, pairing),
                Slot::Unknown | Slot::Dead => Shape::Dead,
            })
            .collect();
        plan.objects[index].slots = slots;
        index
    }

    /// Sweeps the body under a plan. `None`: it fits, and the loop is closed. Otherwise the next plan
    /// (`Some(None)`: to be made anew).
    #[allow(clippy::type_complexity)]
    fn sweep_body(
        &mut self,
        inputs: usize,
        args: &[Val],
        list: &[Operand],
        plan: &Plan,
        uncarried: &mut HashSet<(Operand, Place)>,
        hoist: Option<&Loop>,
    ) -> Result<Option<Option<Plan>>, Contradiction> {
        // Stores that are not carried are made before the label.
        self.make_other_stores(plan);
        // The preamble's side of the phis; virtual objects that the plan has as phis are allocated here.
        let store_values: Vec<Val> = plan.stores.iter().map(|(pending, _)| Val::Op(pending.value)).collect();
        let first = self.phi_values(plan, args, &store_values);
        let first = first.into_iter().map(|value| self.materialize(value)).collect();
        let mut phis = Phis::new(first, plan);
        if let Some(body) = hoist {
            self.hoisted = self.hoist(body);
            if self.hoisted.is_empty() {
                return Ok(None);
            }
        }
        self.emit(Op::new(Opcode::Label, &[]));
        let label = self.state.out.ops.len();
        self.make_phis(&mut phis);
        let ends_at = self.state.out.ops.len();
        let mut made: HashMap<usize, ObjectId> = HashMap::default();
        for (index, shape) in plan.args.iter().enumerate() {
            let value = self.make(plan, shape, &mut phis, &mut made);
            self.state.values[index] = value;
        }
        let mut pending = Vec::new();
        for (store, shape) in &plan.stores {
            let value = self.make(plan, shape, &mut phis, &mut made);
            pending.push(Pending { value: self.materialize(value), ..*store });
        }
        self.label_facts = self.state.facts[label..ends_at].to_vec();
        for (number, fact) in self.hoisted.phis().to_vec() {
            self.learn(Var((label + number) as u32).into(), &fact);
        }
        let heap = &mut self.state.heap;
        heap.relied_on.clear();
        // The body may write before it comes here again.
        heap.written();
        for (place, known) in heap.known.iter_mut() {
            known.retain(|(owner, _, _)| !plan.excluded.contains(&(*owner, *place)));
            known.iter_mut().for_each(|(_, _, imported)| *imported = true);
        }
        for store in &pending {
            let known = heap.known.entry(store.place).or_default();
            known.retain(|(owner, _, _)| *owner != store.object);
            known.push((store.object, store.value, false));
        }
        heap.pending = pending;
        self.state.virtualizable = None;
        self.snapshot = None;

        for index in inputs..self.recorded.ops.len() - 1 {
            self.visit(index)?;
        }

        // The body's side.
        let mut better = plan.clone();
        let mut anew = false;
        let ends: Vec<Val> = list.iter().map(|arg| self.value(*arg)).collect();
        let mut pairing = Pairing::default();
        for (index, (shape, end)) in plan.args.iter().zip(&ends).enumerate() {
            better.args[index] = self.compare(plan, &mut better, shape.clone(), *end, &mut pairing);
        }
        let mut store_ends = Vec::new();
        for (index, (store, shape)) in plan.stores.iter().enumerate() {
            match self.state.heap.content(store.object, store.place) {
                Some(value) if self.may_carry(store, value) => {
                    let compared =
                        self.compare(plan, &mut better, shape.clone(), Val::Op(value), &mut pairing);
                    better.stores[index].1 = compared;
                    store_ends.push(Val::Op(value));
                }
                _ => {
                    uncarried.insert((store.object, store.place));
                    anew = true;
                    store_ends.push(Val::Op(store.value));
                }
            }
        }
        let relied_on = std::mem::take(&mut self.state.heap.relied_on);
        let relied: Vec<Place> = relied_on.iter().map(|(_, place, _)| *place).collect();
        for (object, place, value) in relied_on {
            if self.state.heap.content(object, place) != Some(value) {
                better.excluded.insert((object, place));
            }
        }
        if anew {
            return Ok(Some(None));
        }
        let back = if better == *plan { self.phi_values(plan, &ends, &store_ends) } else { Vec::new() };
        for (number, value) in back.iter().enumerate() {
            let unchanged = *value == Val::Op(phis.first[number]);
            match phis.leader[number] {
                FIXED if !unchanged => {
                    better.fixed.insert(number, false);
                }
                FIXED => {}
                _ if unchanged && !plan.fixed.contains_key(&number) && !plan.last_resort => {
                    better.fixed.insert(number, true);
                }
                leader if *value != back[leader] => {
                    better.split.insert(number);
                }
                _ => {}
            }
        }
        if better != *plan {
            return Ok(Some(Some(better)));
        }
        self.make_other_stores(plan);
        let back: Vec<Operand> = back
            .into_iter()
            .enumerate()
            .filter(|(number, _)| phis.leads(*number))
            .map(|(_, value)| {
                let value = self.settle(value);
                self.materialize(value)
            })
            .collect();
        self.state.label = self.draft_label(plan, &phis.made, label, relied);
        self.end(Opcode::Loop, 0, back);
        Ok(None)
    }

    /// Makes the stores that the plan does not carry round the loop.
    fn make_other_stores(&mut self, plan: &Plan) {
        let carried: Vec<(Operand, Place)> =
            plan.stores.iter().map(|(pending, _)| (pending.object, pending.place)).collect();
        self.flush_stores_where(|pending| !carried.contains(&(pending.object, pending.place)));
    }

    /// What bridges must know of the label.
    fn draft_label(&self, plan: &Plan, made: &[Operand], label: usize, relied: Vec<Place>) -> Option<Draft> {
        let out = &self.state.out;
        if !self.options.label || out.ops[label..].iter().any(|op| writes(out, op, &relied, label)) {
            return None;
        }
        let mut claims = Vec::new();
        for claim in self.hoisted.claims() {
            let at = (label..self.state.out.ops.len())
                .find(|at| self.state.origin[*at] == claim.bound && self.state.out.ops[*at].code.is_guard());
            claims.push(Claim { bound: at? as u32, ..*claim });
        }
        let private = self.hoisted.is_private();
        let (args, objects, stores) = Default::default();
        let mut draft = Draft { args, objects, stores, relied, claims, private };
        draft.objects.resize_with(plan.objects.len(), || (plan.objects[0].ty, 0, Vec::new()));
        let mut made = made.iter();
        let mut seen = HashSet::default();
        for (index, shape) in plan.args.iter().enumerate() {
            let spot = draft_spot(plan, shape, &mut made, &mut seen, &mut draft)?;
            draft.args.push(match spot {
                DraftSpot::Operand(known, _) if self.is_idle(plan, index, known) => DraftSpot::Idle(known),
                spot => spot,
            });
        }
        for (store, shape) in &plan.stores {
            let spot = draft_spot(plan, shape, &mut made, &mut seen, &mut draft)?;
            draft.stores.push((store.object, store.place, spot));
        }
        Some(draft)
    }

    /// Whether this argument, which goes round the loop unchanged, is of no consequence for it.
    fn is_idle(&self, plan: &Plan, index: usize, known: Operand) -> bool {
        let input = Operand::var(Var(index as u32));
        let is_it = |shape: &&Shape| matches!(shape, Shape::Same(operand, _) if *operand == input);
        let objects = plan.objects.iter().flat_map(|object| &object.slots);
        let stores = plan.stores.iter().map(|(_, shape)| shape);
        self.idle[index]
            && known == input
            && self.fact(input).is_any()
            && plan.args.iter().chain(objects).chain(stores).filter(is_it).count() == 1
            && plan.stores.iter().all(|(store, _)| store.object != input)
    }

    /// What the phis of a plan are at one end of the loop, in order.
    fn phi_values(&mut self, plan: &Plan, args: &[Val], stores: &[Val]) -> Vec<Val> {
        let mut pairing = Pairing::default();
        let mut values = Vec::new();
        for (shape, value) in plan.args.iter().zip(args) {
            self.collect(plan, shape, *value, &mut pairing, &mut values);
        }
        for ((_, shape), value) in plan.stores.iter().zip(stores) {
            self.collect(plan, shape, *value, &mut pairing, &mut values);
        }
        values
    }

    fn collect(
        &mut self,
        plan: &Plan,
        shape: &Shape,
        value: Val,
        pairing: &mut Pairing,
        phis: &mut Vec<Val>,
    ) {
        match shape {
            Shape::Const(_) | Shape::Same(..) | Shape::Dead => {}
            Shape::Phi(_) => {
                let value = self.settle(value);
                phis.push(value);
            }
            Shape::Float(_) => {
                let value = self.settle(value);
                let operand = self.materialize(value);
                phis.push(Val::Op(self.unboxed(operand)));
            }
            Shape::Object(index, _) => {
                let (Val::Virtual(id) | Val::Tagged(id)) = value else { return };
                if pairing.to_object.insert(*index, id).is_some() {
                    return;
                }
                let slots = self.state.objects[id.0 as usize].slots.clone();
                for (shape, slot) in plan.objects[*index].slots.iter().zip(slots) {
                    if let Slot::Known(value) = slot {
                        let value = self.settle(value);
                        self.collect(plan, shape, value, pairing, phis);
                    }
                }
            }
        }
    }

    fn make_phis(&mut self, phis: &mut Phis) {
        for number in 0..phis.first.len() {
            let phi = match phis.leader[number] {
                FIXED => phis.first[number],
                leader if leader == number => self.emit(Op::new(Opcode::Phi, &[phis.first[number]])),
                leader => phis.made[leader],
            };
            phis.made.push(phi);
        }
    }

    /// The value that the body starts with.
    fn make(
        &mut self,
        plan: &Plan,
        shape: &Shape,
        phis: &mut Phis,
        made: &mut HashMap<usize, ObjectId>,
    ) -> Val {
        match shape {
            Shape::Const(operand) | Shape::Same(operand, _) => Val::Op(*operand),
            Shape::Dead => Val::Op(Operand::NONE),
            Shape::Phi(fact) => {
                let phi = phis.take();
                self.learn(phi, fact);
                Val::Op(phi)
            }
            Shape::Float(ty) => {
                let phi = phis.take();
                let op = Op::new(Opcode::BoxFloat, &[phi]).with_descr(*ty);
                Val::Op(self.simplify(&op, &[phi]).unwrap_or(phi))
            }
            Shape::Object(index, tagged) => {
                let id = match made.get(index) {
                    Some(id) => *id,
                    None => {
                        let ObjectShape { ty, items, .. } = plan.objects[*index];
                        let object = Object {
                            ty,
                            items,
                            home: Home::Virtual,
                            slots: Vec::new(),
                            joined: None,
                            flushed_in: None,
                        };
                        let id = self.new_object(object);
                        made.insert(*index, id);
                        let slots = plan.objects[*index]
                            .slots
                            .iter()
                            .map(|slot| match slot {
                                Shape::Dead => Slot::Dead,
                                shape => Slot::Known(self.make(plan, shape, phis, made)),
                            })
                            .collect();
                        self.state.objects[id.0 as usize].slots = slots;
                        id
                    }
                };
                if *tagged { Val::Tagged(id) } else { Val::Virtual(id) }
            }
        }
    }

    /// What was thought to be some float, and tagged, turns out to be one that is computed.
    fn becomes_float(&self, shape: &Shape, value: Val) -> Option<Shape> {
        let before = match shape {
            Shape::Const(operand) => self.fact(*operand),
            Shape::Same(_, fact) | Shape::Phi(fact) => *fact,
            _ => return None,
        };
        let Val::Op(operand) = value else { return None };
        let (_, ty) = self.boxed(operand).filter(|_| before.implies(&Fact::FLOAT_VALUE))?;
        Some(Shape::Float(ty))
    }

    /// The shape that admits both the plan's and what the body ends with.
    fn compare(
        &mut self,
        plan: &Plan,
        better: &mut Plan,
        shape: Shape,
        value: Val,
        pairing: &mut Pairing,
    ) -> Shape {
        let value = self.settle(value);
        let general = |optimizer: &Self| match value {
            Val::Op(operand) => Shape::Phi(optimizer.fact(operand)),
            _ => Shape::Phi(Fact::ANY),
        };
        if let Some(float) = self.becomes_float(&shape, value) {
            return float;
        }
        match shape {
            Shape::Const(operand) if value == Val::Op(operand) => shape,
            // The body may have learned which constant it is.
            Shape::Same(operand, _) if value == Val::Op(self.known_constant(operand)) => shape,
            Shape::Const(operand) => match general(self) {
                Shape::Phi(fact) => Shape::Phi(widen(&self.fact(operand), &fact)),
                other => other,
            },
            Shape::Same(_, before) => match general(self) {
                Shape::Phi(fact) => Shape::Phi(widen(&before, &fact)),
                other => other,
            },
            Shape::Phi(known) => match value {
                Val::Op(operand) => {
                    let fact = self.fact(operand);
                    if fact.implies(&known) { Shape::Phi(known) } else { Shape::Phi(widen(&known, &fact)) }
                }
                _ if known.is_any() => Shape::Phi(known),
                _ => Shape::Phi(Fact::ANY),
            },
            Shape::Float(_) => match value {
                Val::Op(operand) if self.is_float(operand) => shape,
                _ => Shape::Phi(Fact::ANY),
            },
            Shape::Dead => Shape::Dead,
            Shape::Object(index, tagged) => {
                let id = match (value, tagged) {
                    (Val::Virtual(id), false) | (Val::Tagged(id), true) => id,
                    _ => return Shape::Phi(Fact::ANY),
                };
                let object = self.state.objects[id.0 as usize].clone();
                let expected = &plan.objects[index];
                let known = (pairing.to_index.get(&id), pairing.to_object.get(&index));
                match known {
                    (Some(other), _) if *other == index => return shape,
                    (None, None) => {}
                    _ => return Shape::Phi(Fact::ANY),
                }
                if object.ty != expected.ty || object.items != expected.items || object.joined.is_some() {
                    return Shape::Phi(Fact::ANY);
                }
                pairing.to_index.insert(id, index);
                pairing.to_object.insert(index, id);
                for (number, slot) in object.slots.iter().enumerate() {
                    let shape = expected.slots[number].clone();
                    let compared = match (slot, shape) {
                        (_, Shape::Dead) => Shape::Dead,
                        // What the body leaves dead nobody reads.
                        (Slot::Known(value), shape) => self.compare(plan, better, shape, *value, pairing),
                        (_, _) => Shape::Dead,
                    };
                    better.objects[index].slots[number] = compared;
                }
                shape
            }
        }
    }
}

/// What a shape is at the label; `made` are the phis in the order in which they were made.
fn draft_spot(
    plan: &Plan,
    shape: &Shape,
    made: &mut std::slice::Iter<Operand>,
    seen: &mut HashSet<usize>,
    draft: &mut Draft,
) -> Option<DraftSpot> {
    Some(match shape {
        Shape::Const(operand) | Shape::Same(operand, _) => DraftSpot::Operand(*operand, Fact::ANY),
        Shape::Dead => DraftSpot::Unneeded,
        Shape::Phi(fact) => DraftSpot::Operand(*made.next()?, *fact),
        Shape::Float(_) => DraftSpot::Float(*made.next()?),
        Shape::Object(index, tagged) => {
            if seen.insert(*index) {
                let ObjectShape { ty, items, slots } = &plan.objects[*index];
                let mut spots = Vec::new();
                for slot in slots {
                    spots.push(draft_spot(plan, slot, made, seen, draft)?);
                }
                draft.objects[*index] = (*ty, *items, spots);
            }
            DraftSpot::Object(*index, *tagged)
        }
    })
}
