//! Runs of items: copied, filled and compared.
//!
//! Few items, and those of objects that are not allocated, are read and written one by one, which is seen
//! through; the rest is one operation.
//!
//! Before: `v3 = new_array 2 Array; copy_items v1, v3, 2 Array Array [v2, 0]; v4 = getitem v3, 0 Array`
//! After: `v4 = getitem v1, v2 Array; v5 = int_add v2, 1; v6 = getitem v1, v5 Array` (and v6 if it is used)
//!
//! Keeps true: items are read before any is written.
//! Does not yet: keep arrays of unknown length virtual.
//! Source: PyPy's `optimizeopt/virtualize.py` and `rewrite.py` (ARRAYCOPY), `vstring.py` for comparisons.

use hotloop_ir::{FieldKind, Op, Opcode, Operand, Ty, TypeRef};

use crate::pipeline::Optimizer;
use crate::value::{Home, Val};
use crate::virtuals::MOST_ITEMS;

/// So many items of objects that exist are copied or compared one by one.
const FEW: u64 = 4;

#[derive(Clone, Copy)]
struct Run {
    object: Val,
    ty: TypeRef,
    at: Operand,
}

impl Optimizer<'_> {
    fn constant_of(&self, operand: Operand) -> Option<u64> {
        self.state.out.const_of(operand).map(|constant| constant.bits)
    }

    /// The two runs of an operation, and how many items.
    fn runs(&mut self, op: &Op) -> (Run, Run, Operand) {
        let (one, two) = op.types();
        let list: Vec<Operand> = self.recorded.list(op.list).to_vec();
        let first = Run { object: self.value(op.args[0]), ty: one, at: self.operand(list[0]) };
        let second = Run { object: self.value(op.args[1]), ty: two, at: self.operand(list[1]) };
        let count = self.operand(op.args[2]);
        (first, second, count)
    }

    /// Whether the items are kept here: those of a virtual object or of the trace's own frame.
    fn is_known(&self, run: &Run, count: u64) -> bool {
        let Some(id) = self.tracked(run.object) else { return false };
        let items = self.state.objects[id.0 as usize].items as u64;
        self.constant_of(run.at).is_some_and(|at| at <= items && count <= items - at)
    }

    /// How many items, if they are to be handled one by one.
    fn one_by_one(&self, runs: &[Run], count: Operand, most: u64) -> Option<u64> {
        let count = self.constant_of(count).filter(|_| self.options.optimize)?;
        let known = runs.iter().any(|run| self.is_known(run, count));
        (count <= FEW || (known && count <= most)).then_some(count)
    }

    fn index(&mut self, run: &Run, offset: u64) -> Operand {
        let offset = self.constant(Ty::Int, offset);
        self.computed(Opcode::IntAdd, &[run.at, offset])
    }

    /// A pure operation, simplified.
    fn computed(&mut self, code: Opcode, args: &[Operand]) -> Operand {
        match self.simplify(&Op::new(code, args), args) {
            Ok(operand) => operand,
            Err(_) => self.emit_pure(code, args),
        }
    }

    fn read_item(&mut self, run: &Run, offset: u64) -> Val {
        let index = self.index(run, offset);
        let object = self.settle(run.object);
        let op = Op::new(Opcode::GetItem, &[Operand::NONE, index]).with_descr(run.ty.0);
        self.read_from(object, &op)
    }

    fn write_item(&mut self, run: &Run, offset: u64, value: Val) {
        let index = self.index(run, offset);
        let object = self.settle(run.object);
        let op = Op::new(Opcode::SetItem, &[Operand::NONE, index, Operand::NONE]).with_descr(run.ty.0);
        let value = self.settle(value);
        self.write_to(object, &op, value);
    }

    /// The object of a run, allocated, with all its items in memory.
    fn in_memory(&mut self, run: &Run) -> Operand {
        let object = self.settle(run.object);
        if matches!(object, Val::Op(_)) && self.tracked(object).is_some() {
            self.flush_frame();
        }
        let operand = self.materialize(object);
        self.flush_items(run.ty.0);
        operand
    }

    fn emit_runs(&mut self, code: Opcode, descr: u32, one: &Run, two: &Run, count: Operand) -> Operand {
        let objects = [self.in_memory(one), self.in_memory(two)];
        let mut op = Op::new(code, &[objects[0], objects[1], count]).with_descr(descr);
        op.list = self.state.out.push_list([one.at, two.at]);
        self.emit(op)
    }

    /// Items are copied.
    pub fn copy_items(&mut self, op: &Op) {
        let (from, to, count) = self.runs(op);
        if let Some(count) = self.one_by_one(&[from, to], count, MOST_ITEMS) {
            let values: Vec<Val> = (0..count).map(|offset| self.read_item(&from, offset)).collect();
            for (offset, value) in values.into_iter().enumerate() {
                self.write_item(&to, offset as u64, value);
            }
            return;
        }
        self.emit_runs(Opcode::CopyItems, op.descr, &from, &to, count);
        let target = self.in_memory(&to);
        self.forget_items(target, to.ty.0);
    }

    /// Items are set to one value.
    pub fn fill_items(&mut self, op: &Op) {
        let count = self.recorded.list(op.list)[0];
        let (object, at, count) = (self.value(op.args[0]), self.operand(op.args[1]), self.operand(count));
        let to = Run { object, ty: op.type_ref(), at };
        let value = self.value(op.args[2]);
        if let Some(count) = self.one_by_one(&[to], count, MOST_ITEMS) {
            (0..count).for_each(|offset| self.write_item(&to, offset, value));
            return;
        }
        let value = self.materialize(value);
        let target = self.in_memory(&to);
        let mut new = Op::new(Opcode::FillItems, &[target, at, value]).with_descr(op.descr);
        new.list = self.state.out.push_list([count]);
        self.emit(new);
        self.forget_items(target, op.descr);
    }

    /// `equal_items` and `compare_items`.
    pub fn compare_items(&mut self, op: &Op) -> Val {
        let (one, two, count) = self.runs(op);
        let equal = op.code == Opcode::EqualItems;
        if self.options.optimize && one.object == two.object && one.at == two.at {
            return Val::Op(self.constant(Ty::Int, equal as u64));
        }
        let kind = op.types().0.get().items.map_or(FieldKind::Int, |(kind, _)| kind);
        match self.one_by_one(&[one, two], count, 2 * FEW) {
            Some(count) if equal => {
                let mut all = self.constant(Ty::Int, 1);
                for offset in 0..count {
                    let (a, b) = (self.read_item(&one, offset), self.read_item(&two, offset));
                    let same = self.same_item(kind, a, b);
                    all = self.computed(Opcode::IntAnd, &[all, same]);
                }
                return Val::Op(all);
            }
            Some(count) if count <= FEW && kind.ty() == Ty::Int => {
                let mut order = self.constant(Ty::Int, 0);
                for offset in (0..count).rev() {
                    let [a, b] = [one, two].map(|run| {
                        let value = self.read_item(&run, offset);
                        self.materialize(value)
                    });
                    let more = self.computed(Opcode::UintLt, &[b, a]);
                    let less = self.computed(Opcode::UintLt, &[a, b]);
                    let here = self.computed(Opcode::IntSub, &[more, less]);
                    let same = self.computed(Opcode::IntEq, &[a, b]);
                    order = self.computed(Opcode::Select, &[same, order, here]);
                }
                return Val::Op(order);
            }
            _ => {}
        }
        let result = self.emit_runs(op.code, op.descr, &one, &two, count);
        let fact = if equal { hotloop_ir::Fact::BOOL } else { hotloop_ir::Fact::range(-1, 1) };
        self.learn(result, &fact);
        Val::Op(result)
    }

    /// Whether two items are the same bits: 1 or 0.
    fn same_item(&mut self, kind: FieldKind, a: Val, b: Val) -> Operand {
        let (a, b) = (self.settle(a), self.settle(b));
        let (Val::Op(one), Val::Op(two)) = (a, b) else {
            // Nobody else has the address of an object that was not allocated.
            return self.constant(Ty::Int, (a == b) as u64);
        };
        match kind.ty() {
            Ty::Int => self.computed(Opcode::IntEq, &[one, two]),
            Ty::Ref => self.computed(Opcode::RefEq, &[one, two]),
            Ty::Float => {
                let [one, two] = [one, two].map(|item| self.computed(Opcode::FloatToBits, &[item]));
                self.computed(Opcode::IntEq, &[one, two])
            }
        }
    }

    /// An item of a short virtual array by an index that is not known: chosen, if that needs no allocation.
    pub fn choose_item(&mut self, object: Val, ty: TypeRef, index: Operand) -> Option<Operand> {
        let Val::Virtual(id) = object else { return None };
        let object = &self.state.objects[id.0 as usize];
        let first = ty.get().fields.len();
        let short = object.home == Home::Virtual && (1..=FEW).contains(&(object.items as u64));
        if !short || !self.options.optimize || ty.get().items.is_none_or(|(kind, _)| kind.ty() != Ty::Int) {
            return None;
        }
        let mut items = Vec::new();
        let slots = object.slots[first..].to_vec();
        for slot in slots {
            let crate::value::Slot::Known(value) = slot else { return None };
            let Val::Op(item) = self.settle(value) else { return None };
            items.push(item);
        }
        let mut chosen = items[0];
        for (number, item) in items.into_iter().enumerate().skip(1) {
            let number = self.constant(Ty::Int, number as u64);
            let is_it = self.computed(Opcode::IntEq, &[index, number]);
            chosen = self.computed(Opcode::Select, &[is_it, item, chosen]);
        }
        Some(chosen)
    }
}
