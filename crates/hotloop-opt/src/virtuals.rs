//! Escape analysis: objects made in the trace are *virtual* (not allocated, their slots known here) until
//! someone outside could see them; then they are *forced*. The trace's own frame, the virtualizable, is
//! treated alike, but exists: its slots are written back by resume data, or before a call that may look.
//!
//! Before: `v3 = new Pair; setfield v3 Pair.a v1; v4 = getfield v3 Pair.a; v5 = int_add v4, 1`
//! After: `v5 = int_add v1, 1`
//!
//! Keeps true: a virtual is reachable only from virtuals, the virtualizable and the red state.
//! Does not yet: arrays of more than four items indexed by variables, arrays of more than [`MOST_ITEMS`] items (see `items.rs` for those of unknown length).
//! Source: Bolz et al., "Allocation removal by partial evaluation in a tracing JIT" (2011).

use hotloop_ir::{FieldKind, Live, Mutability, Op, Opcode, Operand, Ty, TypeDescr};

use crate::pipeline::Optimizer;
use crate::value::{Home, Joined, Object, ObjectId, Place, Slot, Val};

/// The longest array part that is kept virtual; of bytes, a shorter one: they are soon cheaper in memory.
pub(crate) const MOST_ITEMS: u64 = 128;
const MOST_BYTES: u64 = 32;

pub(crate) fn place_of(descr: &TypeDescr, ty: u32, slot: usize) -> Place {
    match descr.fields.get(slot) {
        Some(field) => Place::Field(field.0),
        None => Place::Item(ty, (slot - descr.fields.len()) as u32),
    }
}

impl Optimizer<'_> {
    fn object(&self, id: ObjectId) -> &Object {
        &self.state.objects[id.0 as usize]
    }

    fn object_mut(&mut self, id: ObjectId) -> &mut Object {
        &mut self.state.objects[id.0 as usize]
    }

    pub fn new_object(&mut self, object: Object) -> ObjectId {
        self.state.objects.push(object);
        ObjectId(self.state.objects.len() as u32 - 1)
    }

    /// The address of an object that exists.
    pub fn real(&self, id: ObjectId) -> Option<Operand> {
        match self.object(id).home {
            Home::Virtual => None,
            Home::Real(operand) | Home::Virtualizable(operand) => Some(operand),
        }
    }

    /// The value as an operand; a virtual object is forced.
    pub fn materialize(&mut self, value: Val) -> Operand {
        match value {
            Val::Op(operand) => operand,
            Val::Virtual(id) => self.force(id),
            Val::Tagged(id) => {
                let object = self.force(id);
                self.emit_pure(Opcode::RefToValue, &[object])
            }
        }
    }

    /// Allocates a virtual object and writes its slots.
    fn force(&mut self, id: ObjectId) -> Operand {
        if let Some(operand) = self.real(id) {
            return operand;
        }
        let Object { ty, items, .. } = *self.object(id);
        let joined = self.object(id).joined.clone();
        let descr = ty.get();
        let length = match &joined {
            Some(joined) => joined.length,
            None => self.constant(Ty::Int, items as u64),
        };
        let op = if descr.items.is_some() {
            Op::new(Opcode::NewArray, &[length])
        } else {
            Op::new(Opcode::New, &[])
        };
        let operand = self.emit_new(op.with_descr(ty.0), ty.0);
        // Before the slots: they may refer back to it.
        let slots = std::mem::take(&mut self.object_mut(id).slots);
        self.object_mut(id).home = Home::Real(operand);
        self.state.forced += 1;
        self.snapshot = None;
        if descr.items.is_some() {
            self.state.pure.insert((Opcode::Len, 0, Op::new(Opcode::Len, &[operand]).args), length);
        }
        for (slot, content) in slots.into_iter().enumerate() {
            let Slot::Known(value) = content else { continue };
            let value = self.settle(value);
            let stored = self.materialize(value);
            let zero = self.state.out.const_of(stored).is_some_and(|constant| constant.bits == 0);
            if !zero {
                self.emit_store(operand, ty.0, slot, stored);
            }
            self.know_slot(operand, ty.0, slot, stored);
        }
        if let Some(joined) = joined {
            self.emit_joined(operand, ty, &joined);
        }
        operand
    }

    pub fn emit_new(&mut self, op: Op, ty: u32) -> Operand {
        let operand = self.emit(op);
        self.learn(operand, &hotloop_ir::Fact { heap_type: Some(ty), zeros: 7, ..hotloop_ir::Fact::ANY });
        operand
    }

    /// An allocation: virtual at first.
    pub fn allocate(&mut self, op: &Op) -> Val {
        let ty = op.type_ref();
        let descr = ty.get();
        let length = match op.code {
            Opcode::NewArray => Some(self.operand(op.args[0])),
            _ => None,
        };
        let items = match length {
            None => Some(0),
            Some(length) => self.state.out.const_of(length).map(|constant| constant.bits),
        };
        let most = match descr.items {
            Some((FieldKind::Byte, _)) => MOST_BYTES,
            _ => MOST_ITEMS,
        };
        match items {
            Some(items) if self.options.optimize && items <= most => {
                let count = descr.fields.len() + items as usize;
                let slots = (0..count)
                    .map(|slot| Slot::Known(Val::Op(self.constant(descr.slot(slot).1.ty(), 0))))
                    .collect();
                let home = Home::Virtual;
                let object = Object { ty, home, items: items as u32, slots, joined: None, flushed_in: None };
                Val::Virtual(self.new_object(object))
            }
            None if self.options.optimize && matches!(descr.items, Some((_, Mutability::Immutable))) => {
                let length = length.unwrap_or(Operand::NONE);
                let slots = (0..descr.fields.len())
                    .map(|slot| Slot::Known(Val::Op(self.constant(descr.slot(slot).1.ty(), 0))))
                    .collect();
                let joined = Some(Joined { length, runs: Vec::new(), made_in: self.state.instr });
                let object = Object { ty, home: Home::Virtual, items: 0, slots, joined, flushed_in: None };
                Val::Virtual(self.new_object(object))
            }
            _ => {
                let new = match length {
                    Some(length) => Op::new(Opcode::NewArray, &[length]),
                    None => Op::new(Opcode::New, &[]),
                };
                Val::Op(self.emit_new(new.with_descr(ty.0), ty.0))
            }
        }
    }

    /// What can be said of a pure operation over virtual objects without allocating them.
    pub fn pure_of_virtual(&mut self, op: &Op) -> Option<Val> {
        let a = self.value(op.args[0]);
        let b = if op.args[1].is_none() { Val::Op(Operand::NONE) } else { self.value(op.args[1]) };
        let word = |optimizer: &mut Self, bits: u64| Some(Val::Op(optimizer.constant(Ty::Int, bits)));
        match (op.code, a, b) {
            (Opcode::RefToValue, Val::Virtual(id), _) => Some(Val::Tagged(id)),
            (Opcode::ValueToRef, Val::Tagged(id), _) => Some(Val::Virtual(id)),
            (Opcode::ValueIsFloat, Val::Tagged(_), _) => word(self, 0),
            (Opcode::IntAnd, Val::Tagged(_), Val::Op(mask)) => {
                let mask = self.state.out.const_of(mask)?.bits;
                if mask <= 7 { word(self, 2 & mask) } else { None }
            }
            (Opcode::RefEq, Val::Virtual(one), Val::Virtual(other)) => word(self, (one == other) as u64),
            (Opcode::RefEq, Val::Virtual(_), _) | (Opcode::RefEq, _, Val::Virtual(_)) => word(self, 0),
            (Opcode::IntEq, Val::Tagged(one), Val::Tagged(other)) => word(self, (one == other) as u64),
            (Opcode::IntNe, Val::Tagged(one), Val::Tagged(other)) => word(self, (one != other) as u64),
            // Nobody else can have the word of an object that was not allocated.
            (Opcode::IntEq, Val::Tagged(_), _) | (Opcode::IntEq, _, Val::Tagged(_)) => word(self, 0),
            (Opcode::IntNe, Val::Tagged(_), _) | (Opcode::IntNe, _, Val::Tagged(_)) => word(self, 1),
            _ => None,
        }
    }

    /// The object behind a reference whose slots are known here, if it is one.
    pub fn tracked(&self, value: Val) -> Option<ObjectId> {
        match value {
            Val::Virtual(id) => Some(id),
            Val::Op(operand) => {
                let id = self.state.virtualizable?;
                let object = self.object(id);
                let ordinary = object.flushed_in == Some(self.state.instr);
                (object.home == Home::Virtualizable(operand) && !ordinary).then_some(id)
            }
            Val::Tagged(_) => None,
        }
    }

    /// The slot of a read or write; `None` if the index is not constant.
    fn slot_number(&mut self, op: &Op) -> Option<usize> {
        match op.code {
            Opcode::GetField | Opcode::SetField => {
                let field = op.field();
                self.state.heap.slot_of(field).map(|(_, slot)| slot)
            }
            _ => {
                let index = self.state.out.const_of(op.args[1])?.bits;
                Some(op.type_ref().get().fields.len() + index as usize)
            }
        }
    }

    /// A read of the recorded trace.
    pub fn read(&mut self, op: &Op) -> Val {
        let object = self.value(op.args[0]);
        if let (Val::Op(frame), Opcode::Len, Some(id)) = (object, op.code, self.state.virtualizable)
            && self.object(id).home == Home::Virtualizable(frame)
        {
            // Known, and it may be a token.
            let items = self.object(id).items;
            return Val::Op(self.constant(Ty::Int, items as u64));
        }
        if let (Val::Virtual(id), Opcode::Len | Opcode::GetType) = (object, op.code) {
            let known = self.object(id);
            if let (Some(joined), Opcode::Len) = (&known.joined, op.code) {
                let length = joined.length;
                return Val::Op(self.known_constant(length));
            }
            let word = if op.code == Opcode::Len { known.items } else { known.ty.get().id };
            return Val::Op(self.constant(Ty::Int, word as u64));
        }
        let op = self.access(op);
        self.read_from(object, &op)
    }

    /// A recorded read or write with its index in terms of the new trace.
    fn access(&mut self, op: &Op) -> Op {
        let mut access = *op;
        if matches!(op.code, Opcode::GetItem | Opcode::SetItem) {
            access.args[1] = self.operand(op.args[1]);
        }
        access
    }

    /// A read of an object; the index is one of the new trace.
    pub fn read_from(&mut self, object: Val, op: &Op) -> Val {
        if matches!(op.code, Opcode::GetField | Opcode::GetItem)
            && let Some(id) = self.tracked(object)
            && let Some(slot) = self.slot_number(op)
        {
            match self.object(id).slots.get(slot).copied() {
                Some(Slot::Known(value)) => return self.settle(value),
                Some(Slot::Unknown | Slot::Dead)
                    if matches!(self.object(id).home, Home::Virtualizable(_)) =>
                {
                    // The heap is right; from here on the slot is kept here.
                    let operand = self.materialize(object);
                    let loaded = Val::Op(self.load_op(op, operand));
                    self.object_mut(id).slots[slot] = Slot::Known(loaded);
                    return loaded;
                }
                // Nothing lives there: reading it is the language's mistake, and gives zero.
                Some(_) => {
                    let ty = self.object(id).ty.get().slot(slot).1.ty();
                    return Val::Op(self.constant(ty, 0));
                }
                None => {}
            }
        }
        if op.code == Opcode::GetItem
            && let Some(chosen) = self.choose_item(object, op.type_ref(), op.args[1])
        {
            return Val::Op(chosen);
        }
        self.flush_if_tracked(object, op);
        let operand = self.materialize(object);
        Val::Op(self.load_op(op, operand))
    }

    /// A write of the recorded trace.
    pub fn write(&mut self, op: &Op) {
        let object = self.value(op.args[0]);
        let access = self.access(op);
        let value = self.value(op.args[op.operands().len() - 1]);
        self.write_to(object, &access, value);
    }

    /// A write to an object; the index is one of the new trace.
    pub fn write_to(&mut self, object: Val, op: &Op, value: Val) {
        if let Some(id) = self.tracked(object)
            && let Some(slot) = self.slot_number(op)
            && slot < self.object(id).slots.len()
        {
            let kind = self.object(id).ty.get().slot(slot).1;
            let value = self.as_stored(kind, value);
            let before = std::mem::replace(&mut self.object_mut(id).slots[slot], Slot::Known(value));
            self.state.undo.push((id, slot as u32, before));
            return;
        }
        self.flush_if_tracked(object, op);
        let operand = self.materialize(object);
        let value = self.materialize(value);
        self.store_op(op, operand, value);
    }

    /// What a place holds once the value was written to it: bytes are cut off.
    pub fn as_stored(&mut self, kind: FieldKind, value: Val) -> Val {
        if kind != FieldKind::Byte {
            return value;
        }
        let mask = self.constant(Ty::Int, 0xff);
        let operand = self.materialize(value);
        let args = [operand, mask];
        let cut = self.simplify(&Op::new(Opcode::IntAnd, &args), &args);
        Val::Op(cut.unwrap_or(operand))
    }

    /// An access to the trace's own frame that could not be seen through (its index is a variable) needs the
    /// heap to be right.
    fn flush_if_tracked(&mut self, object: Val, op: &Op) {
        let mutable = !matches!(op.code, Opcode::Len | Opcode::GetType);
        if mutable && matches!(object, Val::Op(_)) && self.tracked(object).is_some() {
            self.flush_frame();
        }
    }

    // ---- the virtualizable ----------------------------------------------------------------------------

    /// The trace's own frame and what its slots hold.
    pub fn declare_virtualizable(&mut self, op: &Op) {
        let operand = self.operand(op.args[0]);
        let list: Vec<Operand> = self.recorded.list(op.list).to_vec();
        let slots: Vec<Slot> = list
            .into_iter()
            .map(|slot| if slot.is_none() { Slot::Unknown } else { Slot::Known(self.value(slot)) })
            .collect();
        let ty = op.type_ref();
        let items = (slots.len() - ty.get().fields.len()) as u32;
        self.learn(operand, &hotloop_ir::Fact { heap_type: Some(ty.0), ..hotloop_ir::Fact::ANY });
        let home = Home::Virtualizable(operand);
        let object = Object { ty, home, items, slots, joined: None, flushed_in: None };
        let id = self.new_object(object);
        self.state.virtualizable = Some(id);
    }

    /// Items of the current frame are dead, and so are its fields for frames that wait.
    pub fn kill_items(&mut self, op: &Op) {
        let value = self.value(op.args[0]);
        let Some(id) = self.tracked(value) else { return };
        let live = Live::new(op.descr, self.recorded.const_of(op.args[1]).map_or(u64::MAX, |mask| mask.bits));
        let fields = &self.object(id).ty.get().fields;
        for (index, slot) in self.object_mut(id).slots.iter_mut().enumerate() {
            let means_something = match fields.get(index) {
                Some(field) => field.get().mutability != Mutability::Waiting,
                None => live.has((index - fields.len()) as u32),
            };
            if !means_something {
                *slot = Slot::Dead;
            }
        }
    }

    /// Writes the frame's slots back: someone may look at it, or write it.
    pub fn flush_frame(&mut self) {
        let Some(id) = self.state.virtualizable else { return };
        let Home::Virtualizable(operand) = self.object(id).home else { return };
        let instr = self.state.instr;
        if self.object(id).flushed_in == Some(instr) {
            return;
        }
        let ty = self.object(id).ty;
        let descr = ty.get();
        for slot in 0..self.object(id).slots.len() {
            let immutable =
                descr.fields.get(slot).is_some_and(|field| field.get().mutability == Mutability::Immutable);
            if let Slot::Known(value) = self.object(id).slots[slot]
                && !immutable
            {
                let value = self.settle(value);
                let stored = self.materialize(value);
                self.emit_store(operand, ty.0, slot, stored);
                self.know_slot(operand, ty.0, slot, stored);
            }
            self.object_mut(id).slots[slot] = Slot::Unknown;
        }
        self.object_mut(id).flushed_in = Some(instr);
        self.state.undo.retain(|(owner, _, _)| *owner != id);
        self.snapshot = None;
    }
}
