//! A naive recorder: every operation on a red word is executed, and appended to the trace as it is; nothing
//! is shared, folded or cached, so that all of that is left to the optimizer. In replay, events are fed from
//! the log, as `hotloop-record` does it.

use std::collections::{HashMap, VecDeque};

use hotloop_ir::{
    CallId, Effect, Event, EventKind, Fact, FieldId, FieldKind, Instr, Mutability, Op, Opcode, Operand,
    Trace, Ty, TypeRef, pure, two_types,
};

use super::memory::{self, Answer, kit};

/// A red word: what it is now, and what it is in the trace (nothing: a constant).
#[derive(Clone, Copy, Debug)]
pub struct Red {
    pub bits: u64,
    pub operand: Operand,
}

impl Red {
    pub fn constant(bits: u64) -> Red {
        Red { bits, operand: Operand::NONE }
    }
}

/// What replay does with an event.
#[derive(Clone, Copy, Debug)]
pub enum Fed {
    Skip,
    Result(Red, Red),
}

/// An entry of the log: event, operation and descriptor, what to do.
pub type Entry = (u32, u32, Fed);

/// Executes; records if there is a trace.
#[derive(Default)]
pub struct Machine {
    pub trace: Option<Trace>,
    consts: HashMap<(Ty, u64), Operand>,
    pub feed: VecDeque<Entry>,
    /// The frame had been written back in the instruction that comes first: it is an ordinary object in it.
    pub flushed: bool,
    event: u32,
}

fn check(code: Opcode, descr: u32) -> u32 {
    (code as u32) << 24 | (descr & 0xff_ffff)
}

impl Machine {
    pub fn recording() -> Machine {
        Machine { trace: Some(Trace::new()), ..Machine::default() }
    }

    pub fn input(&mut self, ty: Ty, bits: u64, fact: Fact) -> Red {
        let operand = self.push(Op::new(Opcode::Input, &[]).with_descr(ty.number()));
        if let (Some(trace), Some(var), false) = (&mut self.trace, operand.as_var(), fact.is_any()) {
            trace.facts.push((var, fact));
        }
        Red { bits, operand }
    }

    pub fn virtualizable(&mut self, frame: Red, ty: TypeRef, slots: &[Option<Red>]) {
        let operands: Vec<Operand> = slots
            .iter()
            .enumerate()
            .map(|(slot, red)| red.map_or(Operand::NONE, |red| self.operand(red, ty.get().slot(slot).1.ty())))
            .collect();
        let frame = self.operand(frame, Ty::Ref);
        self.push_with_list(Op::new(Opcode::Virtualizable, &[frame]).with_descr(ty.0), operands);
    }

    pub fn begin(&mut self, position: u32, frame: Red, live: u32, state: &[(Red, Ty)]) {
        self.event = 0;
        if self.trace.is_none() {
            return;
        }
        let frame = self.operand(frame, Ty::Ref);
        let mask = self.operand(Red::constant(u64::MAX), Ty::Int);
        self.push(Op::new(Opcode::Live, &[frame, mask]).with_descr(live));
        let state = state.iter().map(|(red, ty)| self.operand(*red, *ty)).collect();
        if let Some(trace) = &mut self.trace {
            trace.instrs.push(Instr { position, state, first_event: trace.events.len() as u32 });
            let index = trace.instrs.len() as u32 - 1;
            self.push(Op::new(Opcode::Instr, &[]).with_descr(index));
        }
        if self.flushed && !self.feed.is_empty() {
            self.push(Op::new(Opcode::Flush, &[frame]));
        }
        self.flushed = false;
    }

    pub fn finish(&mut self, code: Opcode, descr: u32, args: &[(Red, Ty)]) {
        let args = args.iter().map(|(red, ty)| self.operand(*red, *ty)).collect();
        let mut op = Op::new(code, &[]).with_descr(descr);
        if code == Opcode::Exit {
            op.resume = self.events();
        }
        self.push_with_list(op, args);
    }

    fn push(&mut self, op: Op) -> Operand {
        self.trace.as_mut().map_or(Operand::NONE, |trace| trace.push(op).into())
    }

    fn push_with_list(&mut self, mut op: Op, list: Vec<Operand>) -> Operand {
        if let Some(trace) = &mut self.trace {
            op.list = trace.push_list(list);
        }
        self.push(op)
    }

    pub fn operand(&mut self, red: Red, ty: Ty) -> Operand {
        match &mut self.trace {
            Some(trace) if red.operand.is_none() => {
                *self.consts.entry((ty, red.bits)).or_insert_with(|| trace.push_const(ty, red.bits))
            }
            _ => red.operand,
        }
    }

    fn events(&self) -> u32 {
        self.trace.as_ref().map_or(0, |trace| trace.events.len() as u32)
    }

    /// A guard, unless it holds by construction.
    fn guard(&mut self, mut op: Op) {
        if self.feed.is_empty() {
            op.resume = self.events();
            self.push(op);
        }
    }

    pub fn bare_guard(&mut self, code: Opcode) {
        self.guard(Op::new(code, &[]));
    }

    /// In replay, what the log says of the event that comes now.
    fn count(&mut self, code: u32) -> Option<Fed> {
        let event = self.event;
        self.event += 1;
        let (_, expected, fed) = self.feed.pop_front_if(|entry| entry.0 == event)?;
        assert_eq!(expected, code, "replay met another event than was recorded");
        Some(fed)
    }

    fn note(
        &mut self,
        kind: EventKind,
        object: Red,
        result: Option<(Red, Ty)>,
        raised: Option<Red>,
        check: u32,
    ) {
        if self.trace.is_none() {
            return;
        }
        let object = match kind {
            EventKind::CallReads | EventKind::CallWrites => Operand::NONE,
            _ => self.operand(object, Ty::Ref),
        };
        let result = result.map_or(Operand::NONE, |(red, ty)| self.operand(red, ty));
        let raised = raised.map_or(Operand::NONE, |red| self.operand(red, Ty::Int));
        if let Some(trace) = &mut self.trace {
            trace.events.push(Event { kind, object, result, raised, check });
        }
    }

    // ---- red operations --------------------------------------------------------------------------------

    pub fn pure(&mut self, code: Opcode, args: &[Red]) -> Red {
        let word = |index: usize| args.get(index).map_or(0, |red| red.bits);
        let bits = pure::evaluate(code, word(0), word(1), word(2));
        if args.iter().all(|red| red.operand.is_none()) {
            return Red::constant(bits);
        }
        let operands = self.typed(code, args);
        Red { bits, operand: self.push(Op::new(code, &operands)) }
    }

    fn typed(&mut self, code: Opcode, args: &[Red]) -> Vec<Operand> {
        let ty = |letter: &u8| match letter {
            b'r' => Ty::Ref,
            b'f' => Ty::Float,
            _ => Ty::Int,
        };
        args.iter().zip(code.shape().args).map(|(red, letter)| self.operand(*red, ty(letter))).collect()
    }

    pub fn branch(&mut self, condition: Red) -> bool {
        let taken = condition.bits != 0;
        if condition.operand.as_var().is_some() {
            let code = if taken { Opcode::GuardTrue } else { Opcode::GuardFalse };
            self.guard(Op::new(code, &[condition.operand]));
        }
        taken
    }

    pub fn checked(&mut self, code: Opcode, a: Red, b: Red) -> Option<Red> {
        let overflows = pure::overflows(code, a.bits, b.bits);
        let bits = pure::evaluate(code, a.bits, b.bits, 0);
        if a.operand.is_none() && b.operand.is_none() {
            return (!overflows).then_some(Red::constant(bits));
        }
        let (plain, wraps) = match code {
            Opcode::IntAddOvf => (Opcode::IntAdd, Opcode::IntAddWraps),
            Opcode::IntSubOvf => (Opcode::IntSub, Opcode::IntSubWraps),
            _ => (Opcode::IntMul, Opcode::IntMulWraps),
        };
        if overflows {
            let flag = self.pure(wraps, &[a, b]);
            self.branch(flag);
            return None;
        }
        if !self.feed.is_empty() {
            return Some(self.pure(plain, &[a, b]));
        }
        let operands = self.typed(code, &[a, b]);
        let mut op = Op::new(code, &operands);
        op.resume = self.events();
        Some(Red { bits, operand: self.push(op) })
    }

    /// The word becomes a constant.
    pub fn promote(&mut self, red: Red, ty: Ty) -> Red {
        if red.operand.as_var().is_some() {
            let constant = self.operand(Red::constant(red.bits), ty);
            self.guard(Op::new(Opcode::GuardValue, &[red.operand, constant]));
        }
        Red::constant(red.bits)
    }

    /// Whether the object, which is not null, is of the type.
    pub fn is_type(&mut self, object: Red, ty: TypeRef) -> bool {
        let actual = memory::type_of(object.bits);
        let operand = self.operand(object, Ty::Ref);
        self.guard(Op::new(Opcode::GuardType, &[operand]).with_descr(actual.0));
        actual == ty
    }

    pub fn length(&mut self, object: Red, ty: TypeRef) -> Red {
        let bits = memory::header(object.bits).1 as u64;
        let operand = self.operand(object, Ty::Ref);
        Red { bits, operand: self.push(Op::new(Opcode::Len, &[operand]).with_descr(ty.0)) }
    }

    pub fn get_field(&mut self, object: Red, field: FieldId) -> Red {
        let descr = field.get();
        let code = check(Opcode::GetField, field.0);
        let read = descr.mutability != Mutability::Immutable;
        if read && let Some(Fed::Result(red, _)) = self.count(code) {
            self.note(EventKind::Read, object, Some((red, descr.kind.ty())), None, code);
            return red;
        }
        let bits = memory::load(object.bits, descr.offset, descr.kind);
        let stable = descr.mutability == Mutability::Stable;
        let red = if stable && object.operand.is_none() && self.trace.is_some() && self.feed.is_empty() {
            self.bare_guard(Opcode::GuardValid);
            if let Some(trace) = &mut self.trace
                && !trace.stable.contains(&(object.bits, field))
            {
                trace.stable.push((object.bits, field));
            }
            Red::constant(bits)
        } else {
            let operand = self.operand(object, Ty::Ref);
            Red { bits, operand: self.push(Op::new(Opcode::GetField, &[operand]).with_descr(field.0)) }
        };
        if read {
            self.note(EventKind::Read, object, Some((red, descr.kind.ty())), None, code);
        }
        red
    }

    pub fn set_field(&mut self, object: Red, field: FieldId, value: Red) {
        let descr = field.get();
        let code = check(Opcode::SetField, field.0);
        if self.count(code).is_some() {
            return self.note(EventKind::Write, object, None, None, code);
        }
        let stable = descr.mutability == Mutability::Stable;
        let owner = self.operand(object, Ty::Ref);
        let stored = self.operand(value, descr.kind.ty());
        if stable {
            memory::write_stable(object.bits, value.bits);
        } else {
            memory::store(object.bits, descr.offset, descr.kind, value.bits);
        }
        let made = |trace: &Trace| owner.as_var().is_some_and(|var| trace.op(var).code == Opcode::New);
        if stable && !self.trace.as_ref().is_some_and(made) {
            let number = self.operand(Red::constant(field.0 as u64), Ty::Int);
            // The setter takes (object, field, word).
            let mut op = Op::new(Opcode::Call, &[]).with_descr(kit().set_stable.0);
            op.resume = self.events();
            self.push_with_list(op, vec![owner, number, stored]);
        } else {
            self.push(Op::new(Opcode::SetField, &[owner, stored]).with_descr(field.0));
        }
        self.note(EventKind::Write, object, None, None, code);
        if stable {
            self.bare_guard(Opcode::GuardValid);
        }
    }

    pub fn get_item(&mut self, object: Red, ty: TypeRef, index: Red) -> Red {
        let code = check(Opcode::GetItem, ty.0);
        let descr = ty.get();
        let kind = descr.items.expect("an array").0;
        if let Some(Fed::Result(red, _)) = self.count(code) {
            self.note(EventKind::Read, object, Some((red, kind.ty())), None, code);
            return red;
        }
        let bits = memory::load(object.bits, descr.fixed_size + index.bits as u32 * kind.size(), kind);
        let operands = [self.operand(object, Ty::Ref), self.operand(index, Ty::Int)];
        let red = Red { bits, operand: self.push(Op::new(Opcode::GetItem, &operands).with_descr(ty.0)) };
        self.note(EventKind::Read, object, Some((red, kind.ty())), None, code);
        red
    }

    pub fn set_item(&mut self, object: Red, ty: TypeRef, index: Red, value: Red) {
        let code = check(Opcode::SetItem, ty.0);
        let descr = ty.get();
        let kind = descr.items.expect("an array").0;
        if self.count(code).is_none() {
            memory::store(object.bits, descr.fixed_size + index.bits as u32 * kind.size(), kind, value.bits);
            let operands =
                [self.operand(object, Ty::Ref), self.operand(index, Ty::Int), self.operand(value, kind.ty())];
            self.push(Op::new(Opcode::SetItem, &operands).with_descr(ty.0));
        }
        self.note(EventKind::Write, object, None, None, code);
    }

    /// Copies items in range, as through a buffer. A run: object, type, first index.
    pub fn copy_items(&mut self, from: (Red, TypeRef, Red), to: (Red, TypeRef, Red), count: Red) {
        let descr = two_types(from.1, to.1);
        let code = check(Opcode::CopyItems, descr);
        if self.count(code).is_none() {
            self.copy_now(from, to, count);
        }
        let source = self.operand(from.0, Ty::Ref);
        let target = self.operand(to.0, Ty::Ref);
        if let Some(trace) = &mut self.trace {
            let (kind, raised) = (EventKind::Copy, Operand::NONE);
            trace.events.push(Event { kind, object: target, result: source, raised, check: code });
        }
    }

    /// The same as part of no instruction.
    pub fn copy_now(&mut self, from: (Red, TypeRef, Red), to: (Red, TypeRef, Red), count: Red) {
        let words: Vec<u64> = (0..count.bits).map(|offset| Self::item(from, offset)).collect();
        for (offset, word) in words.into_iter().enumerate() {
            let (place, kind) = Self::item_place(to, offset as u64);
            memory::store(to.0.bits, place, kind, word);
        }
        self.push_runs(Opcode::CopyItems, from, to, count);
    }

    /// Writes a word to items in range.
    pub fn fill_items(&mut self, to: (Red, TypeRef, Red), count: Red, value: Red) {
        let code = check(Opcode::FillItems, to.1.0);
        if self.count(code).is_none() {
            for offset in 0..count.bits {
                let (place, kind) = Self::item_place(to, offset);
                memory::store(to.0.bits, place, kind, value.bits);
            }
            let kind = to.1.get().items.expect("an array").0;
            let operands =
                [self.operand(to.0, Ty::Ref), self.operand(to.2, Ty::Int), self.operand(value, kind.ty())];
            let count = self.operand(count, Ty::Int);
            self.push_with_list(Op::new(Opcode::FillItems, &operands).with_descr(to.1.0), vec![count]);
        }
        self.note(EventKind::Write, to.0, None, None, code);
    }

    /// Compares items in range: `equal_items` or `compare_items`.
    pub fn compare_items(
        &mut self,
        opcode: Opcode,
        one: (Red, TypeRef, Red),
        two: (Red, TypeRef, Red),
        count: Red,
    ) -> Red {
        let code = check(opcode, two_types(one.1, two.1));
        let red = match self.count(code) {
            Some(Fed::Result(red, _)) => red,
            _ => {
                let words = |run| (0..count.bits).map(|offset| Self::item(run, offset)).collect::<Vec<u64>>();
                let order = words(one).cmp(&words(two)) as i64;
                let bits = if opcode == Opcode::EqualItems { (order == 0) as u64 } else { order as u64 };
                Red { bits, operand: self.push_runs(opcode, one, two, count) }
            }
        };
        self.note(EventKind::CallReads, Red::constant(0), Some((red, Ty::Int)), None, code);
        red
    }

    fn push_runs(
        &mut self,
        code: Opcode,
        one: (Red, TypeRef, Red),
        two: (Red, TypeRef, Red),
        count: Red,
    ) -> Operand {
        let operands =
            [self.operand(one.0, Ty::Ref), self.operand(two.0, Ty::Ref), self.operand(count, Ty::Int)];
        let list = vec![self.operand(one.2, Ty::Int), self.operand(two.2, Ty::Int)];
        self.push_with_list(Op::new(code, &operands).with_descr(two_types(one.1, two.1)), list)
    }

    fn item_place(run: (Red, TypeRef, Red), offset: u64) -> (u32, FieldKind) {
        let descr = run.1.get();
        let kind = descr.items.expect("an array").0;
        (descr.fixed_size + (run.2.bits + offset) as u32 * kind.size(), kind)
    }

    fn item(run: (Red, TypeRef, Red), offset: u64) -> u64 {
        let (place, kind) = Self::item_place(run, offset);
        memory::load(run.0.bits, place, kind)
    }

    /// Makes an object, with items if it is of an array type.
    pub fn new_object(&mut self, ty: TypeRef, items: Red, allocate: &dyn Fn(TypeRef, u32) -> u64) -> Red {
        let array = ty.get().items.is_some();
        let opcode = if array { Opcode::NewArray } else { Opcode::New };
        let code = check(opcode, ty.0);
        let red = match self.count(code) {
            Some(Fed::Result(red, _)) => red,
            _ => self.emit_new(ty, items, allocate(ty, items.bits as u32)),
        };
        self.note(EventKind::Alloc, red, Some((red, Ty::Ref)), None, code);
        red
    }

    /// The allocation alone, without an event.
    pub fn emit_new(&mut self, ty: TypeRef, items: Red, bits: u64) -> Red {
        let op = if ty.get().items.is_some() {
            Op::new(Opcode::NewArray, &[self.operand(items, Ty::Int)])
        } else {
            Op::new(Opcode::New, &[])
        };
        Red { bits, operand: self.push(op.with_descr(ty.0)) }
    }

    /// A store alone, without an event.
    pub fn emit_store(&mut self, object: Red, ty: TypeRef, slot: usize, value: Red) {
        memory::store_slot(object.bits, ty, slot, value.bits);
        if self.trace.is_none() {
            return;
        }
        let descr = ty.get();
        let object = self.operand(object, Ty::Ref);
        let stored = self.operand(value, descr.slot(slot).1.ty());
        match descr.fields.get(slot) {
            Some(field) => self.push(Op::new(Opcode::SetField, &[object, stored]).with_descr(field.0)),
            None => {
                let index = Red::constant((slot - descr.fields.len()) as u64);
                let index = self.operand(index, Ty::Int);
                self.push(Op::new(Opcode::SetItem, &[object, index, stored]).with_descr(ty.0))
            }
        };
    }

    /// What a slot holds, without an event.
    pub fn slot(&mut self, object: Red, ty: TypeRef, slot: usize) -> Red {
        let descr = ty.get();
        let bits = memory::load_slot(object.bits, ty, slot);
        let operand = self.operand(object, Ty::Ref);
        let op = match descr.fields.get(slot) {
            Some(field) => Op::new(Opcode::GetField, &[operand]).with_descr(field.0),
            None => {
                let index = Red::constant((slot - descr.fields.len()) as u64);
                let index = self.operand(index, Ty::Int);
                Op::new(Opcode::GetItem, &[operand, index]).with_descr(ty.0)
            }
        };
        Red { bits, operand: self.push(op) }
    }

    /// Calls a native function that does not raise if the condition is not 0 (`CallIf`), or unless it is, when
    /// the condition is the result (`CallUnless`).
    pub fn conditional_call(
        &mut self,
        opcode: Opcode,
        id: CallId,
        condition: (Red, Ty),
        args: &[(Red, Ty)],
    ) -> Red {
        let descr = id.get();
        let code = check(opcode, id.0);
        let kind = if descr.effect >= Effect::Writes { EventKind::CallWrites } else { EventKind::CallReads };
        let answers = descr.result.filter(|_| opcode == Opcode::CallUnless);
        let result = match self.count(code) {
            Some(Fed::Result(result, _)) => result,
            _ => {
                let called = (condition.0.bits != 0) == (opcode == Opcode::CallIf);
                let bits = if called { Self::answer(id, args).result } else { condition.0.bits };
                let all = std::iter::once(&condition).chain(args);
                let operands: Vec<Operand> = all.map(|(red, ty)| self.operand(*red, *ty)).collect();
                let mut op = Op::new(opcode, &[]).with_descr(id.0);
                op.resume = self.events();
                Red { bits, operand: self.push_with_list(op, operands) }
            }
        };
        self.note(kind, Red::constant(0), answers.map(|ty| (result, ty)), None, code);
        if kind == EventKind::CallWrites {
            self.bare_guard(Opcode::GuardValid);
        }
        result
    }

    fn answer(id: CallId, args: &[(Red, Ty)]) -> Answer {
        let word = |index: usize| args.get(index).map_or(0, |(red, _)| red.bits);
        // SAFETY: the kit's functions are of this type.
        let function =
            unsafe { std::mem::transmute::<usize, extern "C" fn(u64, u64, u64) -> Answer>(id.get().address) };
        function(word(0), word(1), word(2))
    }

    /// Calls a native function: its result, and whether it raised.
    pub fn call(&mut self, id: CallId, args: &[(Red, Ty)]) -> (Red, bool) {
        let descr = id.get();
        let code = check(Opcode::Call, id.0);
        let kind = if descr.effect >= Effect::Writes { EventKind::CallWrites } else { EventKind::CallReads };
        let (result, raised) = match self.count(code) {
            Some(Fed::Result(result, raised)) => (result, raised),
            _ => {
                let operands: Vec<Operand> = args.iter().map(|(red, ty)| self.operand(*red, *ty)).collect();
                let answer = Self::answer(id, args);
                let mut op = Op::new(Opcode::Call, &[]).with_descr(id.0);
                op.resume = self.events();
                let operand = self.push_with_list(op, operands);
                let mut raised = Red::constant(0);
                if descr.raises {
                    let flag = Op::new(Opcode::CallRaised, &[operand]);
                    raised = Red { bits: answer.raised, operand: self.push(flag) };
                }
                (Red { bits: answer.result, operand }, raised)
            }
        };
        let noted = descr.result.map(|ty| (result, ty));
        self.note(kind, Red::constant(0), noted, descr.raises.then_some(raised), code);
        if kind == EventKind::CallWrites {
            self.bare_guard(Opcode::GuardValid);
        }
        let result = if descr.result.is_some() { result } else { Red::constant(0) };
        (result, descr.raises && self.branch(raised))
    }
}
