//! Runs of items: copied, filled and compared.
//!
//! Few items, and those of objects that are not allocated, are read and written one by one, which is seen
//! through; the rest is one operation.
//!
//! Before: `v3 = new_array 2 Array; copy_items v1, v3, 2 Array Array [v2, 0]; v4 = getitem v3, 0 Array`
//! After: `v4 = getitem v1, v2 Array; v5 = int_add v2, 1; v6 = getitem v1, v5 Array` (and v6 if it is used)
//!
//! Objects of unknown length are virtual, too, if their items do not change after they were made (strings): while
//! they are made it is only noted which runs of others are *joined* in them. Joined to another, sliced as a whole or
//! compared with something they are seen through; all else forces them.
//!
//! Before: `v4 = new_array v3 Str; copy_items v0, v4, v1 Str Str [0, 0]; copy_items v2, v4, 1 Str Str [0, v1];
//! v5 = equal_items v4, v6, v3 Str Str [0, 0]`
//! After: `v4 = equal_items v0, v6, v1 Str Str [0, 0]; v5 = getitem v6, v1 Str; …`
//!
//! Keeps true: items are read before any is written; the runs of a joined object are of allocated objects whose
//! items are written already.
//! Does not yet: read single items of joined objects.
//! Source: PyPy's `optimizeopt/virtualize.py` and `rewrite.py` (ARRAYCOPY), `vstring.py` (VStringConcat, comparisons).

use hotloop_ir::{Fact, FieldKind, Mutability, Op, Opcode, Operand, Ty, TypeRef, two_types};

use crate::pipeline::Optimizer;
use crate::value::{Home, Joined, JoinedRun, ObjectId, Val};
use crate::virtuals::MOST_ITEMS;

/// Most runs of a joined object.
const MOST_RUNS: usize = 16;
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

    /// What is joined in an object, if it is virtual and made so.
    fn joined(&self, object: Val) -> Option<(ObjectId, &Joined)> {
        let Val::Virtual(id) = object else { return None };
        Some((id, self.state.objects[id.0 as usize].joined.as_ref()?))
    }

    /// Whether a run is all items of a joined object.
    fn is_whole(&mut self, run: &Run, count: Operand) -> Option<Joined> {
        let joined = self.joined(run.object)?.1.clone();
        let length = self.known_constant(joined.length);
        (self.constant_of(run.at) == Some(0) && length == count).then_some(joined)
    }

    /// Notes a copy to a joined object that is just being made. Whether that was one.
    fn join(&mut self, from: &Run, to: &Run, count: Operand) -> bool {
        let Some((id, target)) = self.joined(to.object) else { return false };
        let unchanging = matches!(from.ty.get().items, Some((_, Mutability::Immutable)));
        if target.made_in != self.state.instr || target.runs.len() >= MOST_RUNS || !unchanging {
            return false;
        }
        let runs = match self.is_whole(from, count) {
            Some(source) if source.runs.len() < MOST_RUNS => source.runs,
            _ => {
                // Zero: the target's index is added below.
                let zero = self.constant(Ty::Int, 0);
                vec![JoinedRun { from: self.in_memory(from), ty: from.ty, at: from.at, to: zero, count }]
            }
        };
        for run in runs {
            let moved = JoinedRun { to: self.computed(Opcode::IntAdd, &[to.at, run.to]), ..run };
            if let Some(joined) = &mut self.state.objects[id.0 as usize].joined {
                joined.runs.push(moved);
            }
        }
        true
    }

    /// Writes the items of a joined object that was just allocated.
    pub fn emit_joined(&mut self, object: Operand, ty: TypeRef, joined: &Joined) {
        for run in &joined.runs {
            let objects = [run.from, object, run.count];
            let mut op = Op::new(Opcode::CopyItems, &objects).with_descr(two_types(run.ty, ty));
            op.list = self.state.out.push_list([run.at, run.to]);
            self.emit(op);
        }
    }

    /// A comparison of all items of a joined object, run by run.
    fn equal_joined(&mut self, joined: &Run, other: &Run, count: Operand) -> Option<Operand> {
        let Joined { length, runs, .. } = self.is_whole(joined, count)?;
        let mut end = self.constant(Ty::Int, 0);
        for run in &runs {
            if self.known_constant(run.to) != end {
                return None;
            }
            end = self.computed(Opcode::IntAdd, &[end, run.count]);
        }
        if end != self.known_constant(length) {
            return None;
        }
        let mut all = self.constant(Ty::Int, 1);
        for run in runs {
            let one = Run { object: Val::Op(run.from), ty: run.ty, at: run.at };
            let at = self.computed(Opcode::IntAdd, &[other.at, run.to]);
            let same = self.equal_items(one, Run { at, ..*other }, run.count);
            all = self.computed(Opcode::IntAnd, &[all, same]);
        }
        Some(all)
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
        if self.join(&from, &to, count) {
            return;
        }
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
        if op.code == Opcode::EqualItems {
            return Val::Op(self.equal_items(one, two, count));
        }
        if self.options.optimize && one.object == two.object && one.at == two.at {
            return Val::Op(self.constant(Ty::Int, 0));
        }
        let kind = op.types().0.get().items.map_or(FieldKind::Int, |(kind, _)| kind);
        match self.one_by_one(&[one, two], count, 2 * FEW) {
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
        self.learn(result, &Fact::range(-1, 1));
        Val::Op(result)
    }

    /// Whether two runs hold the same items: 1 or 0.
    fn equal_items(&mut self, one: Run, two: Run, count: Operand) -> Operand {
        if self.options.optimize {
            if one.object == two.object && one.at == two.at {
                return self.constant(Ty::Int, 1);
            }
            for (joined, other) in [(one, two), (two, one)] {
                if let Some(result) = self.equal_joined(&joined, &other, count) {
                    return result;
                }
            }
        }
        if let Some(count) = self.one_by_one(&[one, two], count, 2 * FEW) {
            let kind = one.ty.get().items.map_or(FieldKind::Int, |(kind, _)| kind);
            let mut all = self.constant(Ty::Int, 1);
            for offset in 0..count {
                let (a, b) = (self.read_item(&one, offset), self.read_item(&two, offset));
                let same = self.same_item(kind, a, b);
                all = self.computed(Opcode::IntAnd, &[all, same]);
            }
            return all;
        }
        let result = self.emit_runs(Opcode::EqualItems, two_types(one.ty, two.ty), &one, &two, count);
        self.learn(result, &Fact::BOOL);
        result
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
