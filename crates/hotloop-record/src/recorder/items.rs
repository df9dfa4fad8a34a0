//! Runs of items: copied, filled and compared, one event each.

use hotloop_ir::{Event, EventKind, FieldKind, Mutability, Op, Opcode, Operand, Ty, TypeRef, two_types};

use super::{Fed, Recorder, check};
use crate::{Red, bulk};

/// Where a run of items begins.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// The object.
    pub object: Red,
    /// Its type.
    pub ty: TypeRef,
    /// The first index.
    pub at: Red,
}

impl Recorder {
    fn item_kind(&mut self, ty: TypeRef) -> (FieldKind, Mutability) {
        let descr = self.type_descr(ty);
        descr.items.unwrap_or_else(|| unreachable!("{} has no items", descr.name))
    }

    fn address(&mut self, run: Run) -> u64 {
        let size = self.item_kind(run.ty).0.size() as u64;
        run.object.bits + self.type_descr(run.ty).fixed_size as u64 + run.at.bits * size
    }

    /// The object of a run, as an operand; the trace's own frame under its own name.
    fn run_object(&mut self, run: Run) -> Operand {
        let object =
            if self.type_descr(run.ty).virtualizable { self.identify(run.object) } else { run.object };
        self.operand(object, Ty::Ref)
    }

    /// Copies items, as through a buffer; both runs are in range.
    pub fn copy_items(&mut self, from: Run, to: Run, count: Red) {
        self.operations += 1;
        let descr = two_types(from.ty, to.ty);
        let args = [from.object, from.at, to.object, to.at, count];
        let code = check(Opcode::CopyItems, descr);
        if self.count_event(Opcode::CopyItems, descr, &args).is_some() {
            if self.is_recording() {
                let [source, target] = [from, to].map(|run| self.operand(run.object, Ty::Ref));
                self.note_event(EventKind::Copy, target, source, Operand::NONE, code);
            }
            return;
        }
        if self.executed().is_none() {
            self.copy_now(from, to, count);
        }
        if self.recording {
            let (source, target) = self.record_copy(from, to, count);
            self.note_event(EventKind::Copy, target, source, Operand::NONE, code);
        }
    }

    /// Copies items to an object that is made while a state is rebuilt: part of no instruction.
    pub fn copy_rebuilt(&mut self, from: Run, to: Run, count: Red) {
        self.copy_now(from, to, count);
        if self.recording {
            self.record_copy(from, to, count);
        }
    }

    fn copy_now(&mut self, from: Run, to: Run, count: Red) {
        let kind = self.item_kind(to.ty).0;
        let (source, target) = (self.address(from), self.address(to));
        bulk::copy(source, to.object.bits, target, count.bits, kind);
    }

    fn record_copy(&mut self, from: Run, to: Run, count: Red) -> (Operand, Operand) {
        let (source, target) = (self.run_object(from), self.run_object(to));
        let descr = two_types(from.ty, to.ty);
        let op = self.run_op(Opcode::CopyItems, descr, [source, target], [from.at, to.at], count);
        self.push(op);
        self.heap.items_copied(source, target, to.ty.0);
        (source, target)
    }

    fn run_op(&mut self, code: Opcode, descr: u32, objects: [Operand; 2], at: [Red; 2], count: Red) -> Op {
        let count = self.operand(count, Ty::Int);
        let list = at.map(|at| self.operand(at, Ty::Int));
        let mut op = Op::new(code, &[objects[0], objects[1], count]).with_descr(descr);
        op.list = self.trace.push_list(list);
        op
    }

    /// Writes the same value to items in range.
    pub fn fill_items(&mut self, to: Run, count: Red, value: Red) {
        self.operations += 1;
        let code = check(Opcode::FillItems, to.ty.0);
        let args = [to.object, to.at, count, value];
        if self.count_event(Opcode::FillItems, to.ty.0, &args).is_some() {
            self.note_fed(EventKind::Write, to.object, to.object, Ty::Ref, code);
            return;
        }
        let kind = self.item_kind(to.ty).0;
        if self.executed().is_none() {
            bulk::fill(to.object.bits, self.address(to), count.bits, kind, value.bits);
        }
        if !self.recording {
            return;
        }
        let target = self.run_object(to);
        let stored = self.operand(value, kind.ty());
        let at = self.operand(to.at, Ty::Int);
        let count = self.operand(count, Ty::Int);
        let mut op = Op::new(Opcode::FillItems, &[target, at, stored]).with_descr(to.ty.0);
        op.list = self.trace.push_list([count]);
        self.push(op);
        self.heap.item_written(target, to.ty.0, Red { bits: value.bits, operand: stored });
        self.note_event(EventKind::Write, target, Operand::NONE, Operand::NONE, code);
    }

    /// Compares items in range: whether they are the same bits (`equal_items`), or their order
    /// (`compare_items`). An event unless neither array part is ever written.
    pub fn compare_items(&mut self, code: Opcode, one: Run, two: Run, count: Red) -> Red {
        self.operations += 1;
        let descr = two_types(one.ty, two.ty);
        let (kind, mutability) = self.item_kind(one.ty);
        let immutable = [mutability, self.item_kind(two.ty).1] == [Mutability::Immutable; 2];
        let args = [one.object, one.at, two.object, two.at, count];
        let number = check(code, descr);
        let event = |result| Event {
            kind: EventKind::CallReads,
            object: Operand::NONE,
            result,
            raised: Operand::NONE,
            check: number,
        };
        if !immutable && let Some(Fed::Result(red, _)) = self.count_event(code, descr, &args) {
            if self.is_recording() {
                let result = self.operand(red, Ty::Int);
                self.trace.events.push(event(result));
            }
            return red;
        }
        let (first, second) = (self.address(one), self.address(two));
        let executed = if immutable { None } else { self.executed() };
        let bits = match (executed, code) {
            (Some((answer, _)), _) => answer,
            (None, Opcode::EqualItems) => bulk::equal(first, second, count.bits * kind.size() as u64) as u64,
            _ => bulk::compare(first, second, count.bits, kind) as u64,
        };
        if !immutable {
            self.keep_answer(bits, 0);
        }
        if !self.recording || (immutable && args.iter().all(|red| self.folds(*red))) {
            return Red::constant(bits);
        }
        let objects = [self.run_object(one), self.run_object(two)];
        let op = self.run_op(code, descr, objects, [one.at, two.at], count);
        let result = self.push(op).into();
        if !immutable {
            self.trace.events.push(event(result));
        }
        Red { bits, operand: result }
    }
}
