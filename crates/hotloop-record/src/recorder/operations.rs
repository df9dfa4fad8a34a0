//! The operations on red values, one function each: executed, and recorded, folded, found or fed.

use hotloop_ir::{EventKind, FieldId, Mutability, Op, Opcode, Operand, Ty, TypeRef, pure};

use super::{Abort, Fed, Recorder, check};
use crate::heap_cache::PlaceKey;
use crate::{Red, memory, stable};

impl Recorder {
    /// A pure operation.
    #[inline(never)]
    pub fn pure(&mut self, code: Opcode, args: &[Red]) -> Red {
        self.operations += 1;
        let word = |index: usize| args.get(index).map_or(0, |red| red.bits);
        let bits = pure::evaluate(code, word(0), word(1), word(2));
        if !self.recording || args.iter().all(|red| self.folds(*red)) {
            return Red::constant(bits);
        }
        if code == Opcode::ValueToRef
            && let Some(object) = args[0].operand.as_var().and_then(|var| self.untagged.get(&var))
        {
            return Red { bits, operand: *object };
        }
        let mut op = Op::new(code, &[]);
        for (index, red) in args.iter().enumerate() {
            let ty = match code.shape().args[index] {
                b'r' => Ty::Ref,
                b'f' => Ty::Float,
                _ => Ty::Int,
            };
            op.args[index] = self.operand(*red, ty);
        }
        if matches!(code, Opcode::RefToInt | Opcode::Select) {
            op.args.iter().filter_map(|arg| arg.as_var()).for_each(|var| self.heap.escape(var));
        }
        let result = self.emit_memo(op, bits);
        if let (Opcode::RefToValue, Some(tagged), Some(object)) =
            (code, result.operand.as_var(), op.args[0].as_var())
        {
            self.untagged.insert(tagged, op.args[0]);
            self.heap.aliased(object, tagged);
        }
        result
    }

    /// A red boolean becomes control flow.
    #[inline(never)]
    pub fn branch(&mut self, condition: Red) -> bool {
        let taken = condition.bits != 0;
        if self.folds(condition) {
            return taken;
        }
        if self.feed.is_empty() {
            let code = if taken { Opcode::GuardTrue } else { Opcode::GuardFalse };
            self.emit_guard(Op::new(code, &[condition.operand]));
        }
        if condition.bits <= 1 {
            self.became_constant(condition);
        }
        taken
    }

    /// An operation that may overflow.
    #[inline(never)]
    pub fn checked(&mut self, code: Opcode, a: Red, b: Red) -> Option<Red> {
        self.operations += 1;
        let overflows = pure::overflows(code, a.bits, b.bits);
        let bits = pure::evaluate(code, a.bits, b.bits, 0);
        if self.folds(a) && self.folds(b) {
            return (!overflows).then(|| Red::constant(bits));
        }
        let args = [self.operand(a, Ty::Int), self.operand(b, Ty::Int)];
        if overflows {
            let wraps = match code {
                Opcode::IntAddOvf => Opcode::IntAddWraps,
                Opcode::IntSubOvf => Opcode::IntSubWraps,
                _ => Opcode::IntMulWraps,
            };
            let flag = self.emit_memo(Op::new(wraps, &args), 1);
            self.branch(flag);
            return None;
        }
        let result = if self.feed.is_empty() {
            self.emit_guard(Op::new(code, &args))
        } else {
            let plain = match code {
                Opcode::IntAddOvf => Opcode::IntAdd,
                Opcode::IntSubOvf => Opcode::IntSub,
                _ => Opcode::IntMul,
            };
            self.push(Op::new(plain, &args))
        };
        Some(Red { bits, operand: result.into() })
    }

    /// The word becomes a constant.
    #[inline(never)]
    pub fn promote(&mut self, red: Red, ty: Ty) -> u64 {
        if self.folds(red) {
            return red.bits;
        }
        if self.feed.is_empty() {
            let constant = self.constant(ty, red.bits);
            self.emit_guard(Op::new(Opcode::GuardValue, &[red.operand, constant]));
        }
        self.became_constant(red);
        red.bits
    }

    /// Whether the object is of the type. A miss guards the type that it is.
    #[inline(never)]
    pub fn is_type(&mut self, object: Red, ty: TypeRef) -> bool {
        let number = memory::type_number(object.bits);
        let holds = number == self.type_descr(ty).id;
        if self.folds(object) {
            return holds;
        }
        let Some(var) = object.operand.as_var() else { return holds };
        if self.known[var.0 as usize].heap_type.is_some() {
            return holds;
        }
        let Some(actual) = self.type_by_number(number) else {
            self.give_up(Abort::Contradiction);
            return holds;
        };
        if self.feed.is_empty() {
            self.emit_guard(Op::new(Opcode::GuardType, &[object.operand]).with_descr(actual.0));
        }
        self.known[var.0 as usize].heap_type = Some(actual);
        holds
    }

    /// The number of the object's heap type.
    pub fn type_number(&mut self, object: Red) -> Red {
        let bits = memory::type_number(object.bits) as u64;
        let known = object
            .operand
            .as_var()
            .is_some_and(|var| self.recording && self.known[var.0 as usize].heap_type.is_some());
        if known || self.folds(object) {
            return Red::constant(bits);
        }
        self.emit_memo(Op::new(Opcode::GetType, &[object.operand]), bits)
    }

    /// Reads a field.
    #[inline(never)]
    pub fn get_field(&mut self, object: Red, field: FieldId) -> Red {
        self.operations += 1;
        let descr = self.field_descr(field);
        let immutable = descr.mutability == Mutability::Immutable;
        if !immutable
            && let Some(Fed::Result(red, _)) = self.count_event(Opcode::GetField, field.0, &[object])
        {
            self.note_fed(EventKind::Read, object, red, descr.kind.ty(), check(Opcode::GetField, field.0));
            return red;
        }
        let executed = if immutable { None } else { self.executed() };
        let bits = match executed {
            Some((answer, _)) => answer,
            None => memory::load(object.bits, descr.offset as u64, descr.kind),
        };
        if !immutable {
            self.keep_answer(bits, 0);
        }
        if !self.recording {
            return Red::constant(bits);
        }
        if self.folds(object) {
            match descr.mutability {
                Mutability::Immutable => return Red::constant(bits),
                Mutability::Stable if stable::is_restless(object.bits, field) => {}
                Mutability::Stable => {
                    if !self.trace.stable.contains(&(object.bits, field)) {
                        self.trace.stable.push((object.bits, field));
                        stable::watch(object.bits, field, &self.invalid);
                    }
                    self.relies_on_stable();
                    let operand = self.operand(object, Ty::Ref);
                    let result = self.constant(descr.kind.ty(), bits);
                    self.note_event(
                        EventKind::Read,
                        operand,
                        result,
                        Operand::NONE,
                        check(Opcode::GetField, field.0),
                    );
                    return Red::constant(bits);
                }
                Mutability::Mutable | Mutability::Waiting => {}
            }
        }
        let object = if !immutable && self.is_frame_field(field) { self.identify(object) } else { object };
        let operand = self.operand(object, Ty::Ref);
        let place = PlaceKey::Field(field.0);
        let red = match self.heap.get(operand, place) {
            Some(known) => known,
            None => {
                let op = Op::new(Opcode::GetField, &[operand]).with_descr(field.0);
                let red = Red { bits, operand: self.push(op).into() };
                self.heap.read(operand, place, red);
                red
            }
        };
        if !immutable {
            let result = self.operand(red, descr.kind.ty());
            self.note_event(
                EventKind::Read,
                operand,
                result,
                Operand::NONE,
                check(Opcode::GetField, field.0),
            );
        }
        red
    }

    /// Writes a field.
    #[inline(never)]
    pub fn set_field(&mut self, object: Red, field: FieldId, value: Red) {
        self.operations += 1;
        if self.count_event(Opcode::SetField, field.0, &[object, value]).is_some() {
            self.note_fed(EventKind::Write, object, object, Ty::Ref, check(Opcode::SetField, field.0));
            return;
        }
        let descr = self.field_descr(field);
        if self.executed().is_none() {
            if descr.mutability == Mutability::Stable
                && memory::load(object.bits, descr.offset as u64, descr.kind) != value.bits
            {
                stable::written(object.bits, field);
            }
            memory::store(object.bits, descr.offset as u64, descr.kind, value.bits);
        }
        if !self.recording {
            return;
        }
        let object = if self.is_frame_field(field) { self.identify(object) } else { object };
        let operand = self.operand(object, Ty::Ref);
        let stored = self.operand(value, descr.kind.ty());
        if descr.mutability == Mutability::Stable && !self.heap.is_fresh(operand) {
            let number = self.constant(Ty::Int, field.0 as u64);
            let mut op = Op::new(Opcode::Call, &[]).with_descr(stable::setter().0);
            op.list = self.trace.push_list([operand, number, stored]);
            op.resume = self.trace.events.len() as u32;
            self.push(op);
            self.heap.clobber(false);
        } else {
            self.push(Op::new(Opcode::SetField, &[operand, stored]).with_descr(field.0));
        }
        self.heap.written(operand, PlaceKey::Field(field.0), Red { bits: value.bits, operand: stored });
        self.note_event(
            EventKind::Write,
            operand,
            Operand::NONE,
            Operand::NONE,
            check(Opcode::SetField, field.0),
        );
        if descr.mutability == Mutability::Stable {
            self.stable_may_change();
        }
    }

    /// Length of the array part. No event: it never changes.
    pub fn length(&mut self, object: Red, ty: TypeRef) -> Red {
        let bits = memory::length(object.bits) as u64;
        if self.folds(object) {
            return Red::constant(bits);
        }
        self.emit_memo(Op::new(Opcode::Len, &[object.operand]).with_descr(ty.0), bits)
    }

    /// Reads an item; the index is in range.
    #[inline(never)]
    pub fn get_item(&mut self, object: Red, ty: TypeRef, index: Red) -> Red {
        self.operations += 1;
        let descr = self.type_descr(ty);
        let Some((kind, mutability)) = descr.items else { unreachable!("{} has no items", descr.name) };
        let immutable = mutability == Mutability::Immutable;
        if !immutable
            && let Some(Fed::Result(red, _)) = self.count_event(Opcode::GetItem, ty.0, &[object, index])
        {
            self.note_fed(EventKind::Read, object, red, kind.ty(), check(Opcode::GetItem, ty.0));
            return red;
        }
        let offset = descr.fixed_size as u64 + index.bits * kind.size() as u64;
        let executed = if immutable { None } else { self.executed() };
        let bits = match executed {
            Some((answer, _)) => answer,
            None => memory::load(object.bits, offset, kind),
        };
        if !immutable {
            self.keep_answer(bits, 0);
        }
        if !self.recording || (immutable && self.folds(object) && self.folds(index)) {
            return Red::constant(bits);
        }
        let object = if descr.virtualizable { self.identify(object) } else { object };
        let operand = self.operand(object, Ty::Ref);
        // Bytes are cut off when written, so what was written is not what is read: they are not cached.
        let place =
            (self.folds(index) && kind.size() == 8).then_some(PlaceKey::Item(ty.0, index.bits as u32));
        let red = match place.and_then(|place| self.heap.get(operand, place)) {
            Some(known) => known,
            None => {
                let index = self.operand(index, Ty::Int);
                let op = Op::new(Opcode::GetItem, &[operand, index]).with_descr(ty.0);
                let red = Red { bits, operand: self.push(op).into() };
                match place {
                    Some(place) => self.heap.read(operand, place, red),
                    None => self.heap.expose(operand),
                }
                red
            }
        };
        if !immutable {
            let result = self.operand(red, kind.ty());
            self.note_event(EventKind::Read, operand, result, Operand::NONE, check(Opcode::GetItem, ty.0));
        }
        red
    }

    /// Writes an item; the index is in range.
    #[inline(never)]
    pub fn set_item(&mut self, object: Red, ty: TypeRef, index: Red, value: Red) {
        self.operations += 1;
        if self.count_event(Opcode::SetItem, ty.0, &[object, index, value]).is_some() {
            self.note_fed(EventKind::Write, object, object, Ty::Ref, check(Opcode::SetItem, ty.0));
            return;
        }
        let descr = self.type_descr(ty);
        let Some((kind, _)) = descr.items else { unreachable!("{} has no items", descr.name) };
        if self.executed().is_none() {
            let offset = descr.fixed_size as u64 + index.bits * kind.size() as u64;
            memory::store(object.bits, offset, kind, value.bits);
        }
        if !self.recording {
            return;
        }
        let object = if descr.virtualizable { self.identify(object) } else { object };
        let operand = self.operand(object, Ty::Ref);
        let stored = self.operand(value, kind.ty());
        let at = self.operand(index, Ty::Int);
        self.push(Op::new(Opcode::SetItem, &[operand, at, stored]).with_descr(ty.0));
        let value = Red { bits: value.bits, operand: stored };
        if self.folds(index) && kind.size() == 8 {
            self.heap.written(operand, PlaceKey::Item(ty.0, index.bits as u32), value);
        } else {
            self.heap.item_written(operand, ty.0, value);
        }
        self.note_event(
            EventKind::Write,
            operand,
            Operand::NONE,
            Operand::NONE,
            check(Opcode::SetItem, ty.0),
        );
    }

    /// An allocation begins: fed from the log, or to be made.
    pub fn begin_allocation(&mut self, ty: TypeRef) -> Option<Red> {
        self.operations += 1;
        let code = if ty.get().items.is_some() { Opcode::NewArray } else { Opcode::New };
        match self.count_event(code, ty.0, &[]) {
            Some(Fed::Result(red, _)) => {
                self.note_fed(EventKind::Alloc, red, red, Ty::Ref, check(code, ty.0));
                Some(red)
            }
            _ => None,
        }
    }

    /// The object was made.
    pub fn end_allocation(&mut self, ty: TypeRef, length: Option<Red>, bits: u64) -> Red {
        self.keep_answer(bits, 0);
        if !self.recording {
            return Red::constant(bits);
        }
        let red = self.emit_new(ty, length, bits);
        let code = if length.is_some() { Opcode::NewArray } else { Opcode::New };
        self.note_event(EventKind::Alloc, red.operand, red.operand, Operand::NONE, check(code, ty.0));
        red
    }

    /// A float is made a value; nothing if the log knows the answer.
    pub fn begin_box(&mut self, float: Red, ty: TypeRef) -> Option<Red> {
        self.operations += 1;
        match self.count_event(Opcode::BoxFloat, ty.0, &[float]) {
            Some(Fed::Result(red, _)) => Some(red),
            _ => None,
        }
    }

    /// The float was made this value.
    pub fn end_box(&mut self, float: Red, ty: TypeRef, bits: u64) -> Red {
        self.keep_answer(bits, 0);
        let red = self.boxed(float, ty, bits);
        if self.recording {
            let value = self.operand(red, Ty::Int);
            let what = check(Opcode::BoxFloat, ty.0);
            self.note_event(EventKind::Box, Operand::NONE, value, Operand::NONE, what);
        }
        red
    }

    /// The float that this trace made the value of; no guard.
    pub fn boxed_float(&self, value: Red, ty: TypeRef) -> Option<Red> {
        let var = value.operand.as_var().filter(|_| self.recording)?;
        let op = self.trace.op(var);
        (op.code == Opcode::BoxFloat && op.descr == ty.0)
            .then(|| Red { bits: float_in(value.bits, ty), operand: op.args[0] })
    }

    /// The box that the value, a float that does not fit a tagged word, is in (a guard).
    pub fn guard_box(&mut self, value: Red, ty: TypeRef) -> Red {
        if !self.folds(value) && self.feed.is_empty() {
            let operand = self.operand(value, Ty::Int);
            self.emit_guard(Op::new(Opcode::GuardBox, &[operand]).with_descr(ty.0));
        }
        let object = self.pure(Opcode::ValueToRef, &[value]);
        if let Some(var) = object.operand.as_var() {
            self.known[var.0 as usize].heap_type = Some(ty);
        }
        object
    }

    /// The value that the float was made, without an event.
    pub(crate) fn boxed(&mut self, float: Red, ty: TypeRef, bits: u64) -> Red {
        if self.folds(float) {
            return Red::constant(bits);
        }
        let operand = self.operand(float, Ty::Float);
        self.emit_memo(Op::new(Opcode::BoxFloat, &[operand]).with_descr(ty.0), bits)
    }

    pub(crate) fn emit_new(&mut self, ty: TypeRef, length: Option<Red>, bits: u64) -> Red {
        let op = match length {
            Some(length) => {
                let length = self.operand(length, Ty::Int);
                Op::new(Opcode::NewArray, &[length]).with_descr(ty.0)
            }
            None => Op::new(Opcode::New, &[]).with_descr(ty.0),
        };
        let var = self.push(op);
        if !self.recording {
            return Red::constant(bits);
        }
        self.known[var.0 as usize].heap_type = Some(ty);
        if ty.get().virtualizable {
            self.made_frames.push(bits);
        }
        self.heap.made(var);
        if let Some(length) = length
            && self.folds(length)
        {
            self.remember(Opcode::Len, ty.0, &[var.into()], length.bits);
        }
        Red { bits, operand: var.into() }
    }
}

/// The float that a value is: tagged, or in a box of this type.
fn float_in(value: u64, ty: TypeRef) -> u64 {
    if pure::evaluate(Opcode::ValueIsFloat, value, 0, 0) != 0 {
        return pure::evaluate(Opcode::ValueToFloat, value, 0, 0);
    }
    let (offset, kind) = ty.get().slot(0);
    memory::load(pure::evaluate(Opcode::ValueToRef, value, 0, 0), offset as u64, kind)
}
