//! Memory of objects that exist: loads are forwarded, stores are put off until someone could look.
//!
//! Before: `setfield v0 Cell.value v1; v2 = getfield v0 Cell.value; setfield v0 Cell.value v3`
//! After: `setfield v0 Cell.value v3` (v2 is v1), and even that only before a call, another reference's
//! access to the same field, or the end; guards make it at their exits.
//!
//! Keeps true: at every exit, after the stores of its resume data, memory is as recorded.
//! Two references are told apart if both are constants, or one was made after the other was there.
//! Does not yet: tell two references apart by their types.
//! At a variable index the last item written, and those read since, are known.
//! Source: PyPy's `optimizeopt/heap.py`.

use rustc_hash::FxHashMap as HashMap;

use hotloop_ir::{Effect, FieldId, Mutability, Op, Opcode, Operand, Trace, Ty, TypeRef};

use crate::bounds;
use crate::pipeline::Optimizer;
use crate::value::{Place, Val};
use crate::virtuals::place_of;

/// A store that was put off.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Pending {
    pub object: Operand,
    pub ty: TypeRef,
    pub slot: u32,
    pub place: Place,
    pub value: Operand,
}

impl Pending {
    /// Whether the place is written but once, when its object is made.
    fn is_immutable(&self) -> bool {
        let mutability = match self.place {
            Place::Field(field) => Some(FieldId(field).get().mutability),
            Place::Item(ty, _) => TypeRef(ty).get().items.map(|(_, mutability)| mutability),
        };
        mutability == Some(Mutability::Immutable)
    }
}

/// An item at an index that is not known.
#[derive(Clone, Copy, Debug)]
struct Somewhere {
    ty: u32,
    object: Operand,
    index: Operand,
    value: Operand,
}

#[derive(Clone, Debug)]
struct Looked {
    call: u32,
    args: Vec<Operand>,
    result: Operand,
    raised: Operand,
}

/// What is known of memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct HeapState {
    /// Contents: (object, value, brought over from before the label).
    pub known: HashMap<Place, Vec<(Operand, Operand, bool)>>,
    pub pending: Vec<Pending>,
    /// Contents from before the label that the loop's body relied on.
    pub relied_on: Vec<(Operand, Place, Operand)>,
    slots: HashMap<FieldId, (TypeRef, usize)>,
    elidable: Vec<(u32, Vec<Operand>, Operand)>,
    /// Calls that only looked, since when nothing was written: function, arguments, result, whether it raised.
    looked: Vec<Looked>,
    /// Items at variable indices that were read, or written last, since when nothing was written.
    somewhere: Vec<Somewhere>,
    /// The call just before was found there and did not raise.
    shared: bool,
}

impl HeapState {
    /// Type and slot number of a field.
    pub fn slot_of(&mut self, field: FieldId) -> Option<(TypeRef, usize)> {
        if let Some(found) = self.slots.get(&field) {
            return Some(*found);
        }
        let ty = TypeRef::of_field(field)?;
        let slot = ty.get().slot_of(field)?;
        self.slots.insert(field, (ty, slot));
        Some((ty, slot))
    }

    fn know(&mut self, object: Operand, place: Place, value: Operand) {
        let known = self.known.entry(place).or_default();
        known.retain(|(owner, _, _)| *owner != object);
        known.push((object, value, false));
    }

    /// Something was written: who looks again may find something else.
    pub fn written(&mut self) {
        self.looked.clear();
        self.somewhere.clear();
    }

    /// What the place of the object holds.
    pub fn content(&self, object: Operand, place: Place) -> Option<Operand> {
        self.known.get(&place)?.iter().find(|(owner, _, _)| *owner == object).map(|(_, value, _)| *value)
    }
}

/// Whether two operands are certainly two objects: two constants, or one was made in the trace after the
/// other was there.
fn distinct(out: &Trace, one: Operand, other: Operand) -> bool {
    let made_after = |made: Operand, old: Operand| {
        made.as_var().is_some_and(|var| {
            matches!(out.op(var).code, Opcode::New | Opcode::NewArray)
                && old.as_var().is_none_or(|old| old < var)
        })
    };
    one != other && ((one.is_const() && other.is_const()) || made_after(one, other) || made_after(other, one))
}

impl Optimizer<'_> {
    /// A store to a slot, now.
    pub fn emit_store(&mut self, object: Operand, ty: u32, slot: usize, value: Operand) {
        let op = match place_of(TypeRef(ty).get(), ty, slot) {
            Place::Field(field) => Op::new(Opcode::SetField, &[object, value]).with_descr(field),
            Place::Item(ty, index) => {
                let index = self.constant(Ty::Int, index as u64);
                Op::new(Opcode::SetItem, &[object, index, value]).with_descr(ty)
            }
        };
        self.emit(op);
    }

    /// The slot of an object that was just made holds this.
    pub fn know_slot(&mut self, object: Operand, ty: u32, slot: usize, value: Operand) {
        let descr = TypeRef(ty).get();
        match place_of(descr, ty, slot) {
            Place::Field(field) if FieldId(field).get().mutability == Mutability::Immutable => {
                let op = Op::new(Opcode::GetField, &[object]);
                self.state.pure.insert((Opcode::GetField, field, op.args), value);
            }
            place => self.state.heap.know(object, place, value),
        }
    }

    /// Where a read or write goes: type, slot, place; `None` for variable indices.
    fn place(&mut self, op: &Op) -> Option<(TypeRef, usize, Place)> {
        match op.code {
            Opcode::GetField | Opcode::SetField => {
                let (ty, slot) = self.state.heap.slot_of(op.field())?;
                Some((ty, slot, Place::Field(op.descr)))
            }
            _ => {
                let ty = op.type_ref();
                let descr = ty.get();
                let index = self.state.out.const_of(op.args[1])?.bits;
                Some((ty, descr.fields.len() + index as usize, Place::Item(ty.0, index as u32)))
            }
        }
    }

    fn immutable(op: &Op) -> bool {
        match op.code {
            Opcode::GetField => op.field().get().mutability == Mutability::Immutable,
            Opcode::GetItem => matches!(op.type_ref().get().items, Some((_, Mutability::Immutable))),
            _ => true,
        }
    }

    /// A read of an object that exists.
    pub fn load_op(&mut self, op: &Op, object: Operand) -> Operand {
        let mut new = Op::new(op.code, &[object]).with_descr(op.descr);
        if op.code == Opcode::GetItem {
            new.args[1] = op.args[1];
        }
        if let Some(float) = self.float_in_box(op, object) {
            return float;
        }
        if Self::immutable(op) {
            // Length and type are found whatever type the asker expects.
            let header = matches!(op.code, Opcode::Len | Opcode::GetType);
            let key = (new.code, if header { 0 } else { new.descr }, new.args);
            if self.options.optimize
                && let Some(known) = self.state.pure.get(&key).copied()
            {
                return self.known_constant(known);
            }
            if !header && let Some(known) = self.stored_when_made(op, object) {
                return self.known_constant(known);
            }
            let result = self.emit_load(new);
            self.state.pure.insert(key, result);
            return result;
        }
        let place = self.place(op);
        let Some((_, _, place)) = place.filter(|_| self.options.optimize) else {
            if op.code == Opcode::GetItem {
                self.flush_items(op.descr);
                return self.load_somewhere(new);
            }
            return self.emit_load(new);
        };
        let known = self
            .state
            .heap
            .known
            .get(&place)
            .and_then(|known| known.iter().find(|(owner, _, _)| *owner == object));
        if let Some((_, value, imported)) = known.copied() {
            if imported {
                self.state.heap.relied_on.push((object, place, value));
            }
            return self.known_constant(value);
        }
        self.flush_aliases(object, place);
        let result = self.emit_load(new);
        self.state.heap.know(object, place, result);
        result
    }

    /// A read of an item at a variable index; stores to such items were made.
    fn load_somewhere(&mut self, op: Op) -> Operand {
        let (ty, object, index) = (op.descr, op.args[0], op.args[1]);
        let same = |known: &&Somewhere| (known.ty, known.object, known.index) == (ty, object, index);
        if let Some(Somewhere { value, .. }) = self.state.heap.somewhere.iter().find(same) {
            return self.known_constant(*value);
        }
        let value = self.emit_load(op);
        self.know_somewhere(Somewhere { ty, object, index, value });
        value
    }

    /// An item at a variable index holds this. (Traces' own frames are changed elsewhere, too.)
    fn know_somewhere(&mut self, item: Somewhere) {
        if self.options.optimize && !TypeRef(item.ty).get().virtualizable {
            self.state.heap.somewhere.push(item);
        }
    }

    /// An immutable place is about to be read. It is written when its object is made, which may be put off like
    /// any store, and a bridge may know the object by another name: the store is due, or its value is known.
    fn stored_when_made(&mut self, op: &Op, object: Operand) -> Option<Operand> {
        let Some((_, _, place)) = self.place(op) else {
            self.flush_items(op.descr);
            return None;
        };
        let known = self.state.heap.content(object, place);
        if known.is_none() {
            self.flush_aliases(object, place);
        }
        known
    }

    /// What is read is the float in a box that a `box_float` made.
    fn float_in_box(&self, op: &Op, object: Operand) -> Option<Operand> {
        let cast = self.state.out.op(object.as_var().filter(|_| self.options.optimize)?);
        if op.code != Opcode::GetField || cast.code != Opcode::ValueToRef {
            return None;
        }
        let (float, ty) = self.boxed(cast.args[0])?;
        (TypeRef(ty).get().fields[0] == op.field()).then_some(float)
    }

    fn emit_load(&mut self, op: Op) -> Operand {
        let result = self.emit(op);
        let kind = match op.code {
            Opcode::GetField => Some(op.field().get().kind),
            Opcode::GetItem => op.type_ref().get().items.map(|(kind, _)| kind),
            _ => None,
        };
        let fact = match kind {
            Some(kind) => bounds::loaded(kind),
            None => hotloop_ir::Fact::range(0, u32::MAX as i64),
        };
        self.learn(result, &fact);
        result
    }

    /// A write to an object that exists.
    pub fn store_op(&mut self, op: &Op, object: Operand, value: Operand) {
        let frame = self.state.virtualizable.is_some_and(|id| self.real(id) == Some(object));
        let place = self.place(op).filter(|_| self.options.optimize && !frame);
        let Some((ty, slot, place)) = place else {
            let mut new = Op::new(op.code, &[object, value]).with_descr(op.descr);
            if op.code == Opcode::SetItem {
                new = Op::new(op.code, &[object, op.args[1], value]).with_descr(op.descr);
                self.flush_items(op.descr);
                self.forget_items(object, op.descr);
            } else {
                self.flush_place(Place::Field(op.descr));
                self.forget_aliases(object, Place::Field(op.descr));
            }
            self.emit(new);
            // Bytes are cut off.
            if op.code == Opcode::SetItem
                && op.type_ref().get().items.is_some_and(|(kind, _)| kind.size() == 8)
            {
                self.know_somewhere(Somewhere { ty: op.descr, object, index: op.args[1], value });
            }
            return;
        };
        self.flush_aliases(object, place);
        self.forget_aliases(object, place);
        let kind = ty.get().slot(slot).1;
        let Val::Op(content) = self.as_stored(kind, Val::Op(value)) else { return };
        self.state.heap.know(object, place, content);
        let pending = Pending { object, ty, slot: slot as u32, place, value };
        let put_off = &mut self.state.heap.pending;
        match put_off.iter_mut().find(|known| known.object == object && known.place == place) {
            Some(known) => *known = pending,
            None => put_off.push(pending),
        }
    }

    fn flush_where(&mut self, due: impl Fn(&Pending) -> bool) {
        if self.state.heap.pending.is_empty() {
            return;
        }
        let (now, later) =
            std::mem::take(&mut self.state.heap.pending).into_iter().partition(|pending| due(pending));
        self.state.heap.pending = later;
        let now: Vec<Pending> = now;
        for pending in now {
            self.emit_store(pending.object, pending.ty.0, pending.slot as usize, pending.value);
        }
    }

    /// Stores to the same place of other objects (which may be the same one) are due.
    fn flush_aliases(&mut self, object: Operand, place: Place) {
        let out = &self.state.out;
        let distinct = |other: Operand| distinct(out, other, object);
        let due: Vec<Operand> = self
            .state
            .heap
            .pending
            .iter()
            .filter(|pending| pending.place == place && pending.object != object && !distinct(pending.object))
            .map(|pending| pending.object)
            .collect();
        if !due.is_empty() {
            self.flush_where(|pending| pending.place == place && due.contains(&pending.object));
        }
    }

    /// The place of the object is written: what other objects hold in it is known no more, unless they are
    /// certainly others.
    fn forget_aliases(&mut self, object: Operand, place: Place) {
        let out = &self.state.out;
        if let Some(known) = self.state.heap.known.get_mut(&place) {
            known.retain(|(owner, _, _)| *owner != object && distinct(out, *owner, object));
        }
    }

    /// Items of the object were written: what others of the type hold is known no more, unless they are
    /// certainly others.
    pub fn forget_items(&mut self, object: Operand, ty: u32) {
        let out = &self.state.out;
        for (place, known) in self.state.heap.known.iter_mut() {
            if matches!(place, Place::Item(owner, _) if *owner == ty) {
                known.retain(|(owner, _, _)| *owner != object && distinct(out, *owner, object));
            }
        }
    }

    fn flush_place(&mut self, place: Place) {
        self.flush_where(|pending| pending.place == place);
    }

    pub fn flush_items(&mut self, ty: u32) {
        self.flush_where(|pending| matches!(pending.place, Place::Item(owner, _) if owner == ty));
    }

    /// All stores are due.
    pub fn flush_stores(&mut self) {
        self.flush_where(|_| true);
    }

    /// Some stores are due: those that these conditions hold for.
    pub fn flush_stores_where(&mut self, due: impl Fn(&Pending) -> bool) {
        self.flush_where(due);
    }

    /// A call of the recorded trace.
    pub fn call(&mut self, op: &Op) -> Val {
        let descr = op.call().get();
        let list: Vec<Operand> = self.recorded.list(op.list).to_vec();
        if self.recorded.force_guard(self.at as usize).is_some() {
            return self.guarded_call(op, &list);
        }
        let args: Vec<Operand> = list.into_iter().map(|arg| self.operand(arg)).collect();
        let called = descr.effect == Effect::Invariant && self.options.call_invariants;
        let shared = descr.effect <= Effect::Invariant && !called && !descr.raises && self.options.optimize;
        if shared {
            let known =
                self.state.heap.elidable.iter().find(|(call, known, _)| *call == op.descr && *known == args);
            if let Some((_, _, result)) = known {
                let result = *result;
                return Val::Op(self.known_constant(result));
            }
        }
        let looks = descr.effect == Effect::Looks && self.options.optimize;
        if looks {
            self.flush_stores();
        }
        if looks
            && let Some(index) =
                self.state.heap.looked.iter().position(|known| known.call == op.descr && known.args == args)
        {
            let Looked { result, raised, .. } = self.state.heap.looked[index];
            let raised = if raised.is_none() { raised } else { self.known_constant(raised) };
            if !descr.raises || self.state.out.const_of(raised).is_some_and(|constant| constant.bits == 0) {
                self.state.heap.shared = descr.raises;
                return Val::Op(self.known_constant(result));
            }
        }
        self.before_call(descr.effect);
        self.state.heap.shared = false;
        let mut new = Op::new(Opcode::Call, &[]).with_descr(op.descr);
        new.list = self.state.out.push_list(args.iter().copied());
        let result = self.emit(new);
        self.learn_foreign(result, descr);
        self.after_call(descr.effect);
        if looks {
            let call = op.descr;
            self.state.heap.looked.push(Looked { call, args: args.clone(), result, raised: Operand::NONE });
        }
        if shared {
            self.state.heap.elidable.push((op.descr, args, result));
        }
        Val::Op(result)
    }

    /// A call of the recorded trace that is made or not, by its first operand.
    pub fn conditional_call(&mut self, op: &Op) -> Val {
        let list: Vec<Operand> = self.recorded.list(op.list).to_vec();
        let condition = self.value(list[0]);
        let value = op.code == Opcode::CallUnless;
        let known = match condition {
            // An object is not null.
            Val::Virtual(_) | Val::Tagged(_) => Some(true),
            Val::Op(operand) => match self.state.out.const_of(operand) {
                Some(constant) => Some(constant.bits != 0),
                None => {
                    let fact = self.fact(operand);
                    let set = fact.heap_type.is_some() || fact.ones != 0 || fact.lo > 0 || fact.hi < 0;
                    set.then_some(true)
                }
            },
        };
        match known.filter(|_| self.options.optimize) {
            Some(true) if value => return condition,
            Some(false) if !value => return Val::Op(Operand::NONE),
            Some(_) => {
                let mut call = Op::new(Opcode::Call, &[]).with_descr(op.descr);
                call.list = hotloop_ir::List { start: op.list.start + 1, len: op.list.len - 1 };
                return self.call(&call);
            }
            None => {}
        }
        let operands: Vec<Operand> = list.into_iter().map(|operand| self.operand(operand)).collect();
        let effect = op.call().get().effect;
        self.before_call(effect);
        let mut new = Op::new(op.code, &[]).with_descr(op.descr);
        new.list = self.state.out.push_list(operands);
        let result = self.emit(new);
        self.after_call(effect);
        Val::Op(if value { result } else { Operand::NONE })
    }

    fn before_call(&mut self, effect: Effect) {
        if effect > Effect::Elidable && effect != Effect::Outside {
            self.flush_stores();
        } else {
            // What never changes may be read by anybody.
            self.flush_where(Pending::is_immutable);
        }
        if effect == Effect::Any {
            self.flush_frame();
        }
    }

    pub fn after_call(&mut self, effect: Effect) {
        if effect >= Effect::Writes {
            self.state.heap.written();
            self.state.heap.known.clear();
            self.state.valid = false;
        }
    }

    /// The author knows what an elidable function answers.
    pub fn known_result(&mut self, op: &Op) {
        if !self.options.optimize {
            return;
        }
        let list: Vec<Operand> = self.recorded.list(op.list).to_vec();
        let mut operands: Vec<Operand> = list.into_iter().map(|operand| self.operand(operand)).collect();
        let result = operands.remove(0);
        self.state.heap.elidable.push((op.descr, operands, result));
    }

    /// A part of the outcome of the call just before.
    pub fn outcome(&mut self, op: &Op) -> Val {
        if op.code == Opcode::CallRaised && std::mem::take(&mut self.state.heap.shared) {
            return Val::Op(self.constant(Ty::Int, 0));
        }
        let call = self.operand(op.args[0]);
        let result = self.emit(Op::new(op.code, &[call]).with_descr(op.descr));
        if op.code == Opcode::CallRaised {
            self.learn(result, &hotloop_ir::Fact::BOOL);
            if let Some(known) = self.state.heap.looked.last_mut().filter(|known| known.result == call) {
                known.raised = result;
            }
        }
        Val::Op(result)
    }
}
