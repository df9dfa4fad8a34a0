//! Calls of compiled entries, and the tokens that stand for frames meanwhile.
//!
//! A callee's frame is not made for the call: its slots are handed over as the callee's inputs, and
//! [`FRAME_TOKEN`] stands for its address. The caller's frames stay where they are, with tokens in place of
//! the references to them. Only if the callee leaves through an exit all of them come into being: the guard
//! behind the call describes the caller's frames like any other guard.
//!
//! A trace must not look behind a token. So one that uses an input that may be a token for anything but
//! handing it on begins with `guard_real`.

use rustc_hash::FxHashSet as HashSet;

use hotloop_ir::{
    FRAME_TOKEN, Mutability, ObjectKind, Op, Opcode, Operand, Part, Trace, Ty, TypeDescr, Var, caller_token,
};

use crate::Contradiction;
use crate::pipeline::Optimizer;
use crate::value::{Home, ObjectId, Slot, Val};

impl Optimizer<'_> {
    /// A call of an entry of the recorded trace: the frame, then the red state.
    pub fn call_entry(&mut self, op: &Op) -> Result<Val, Contradiction> {
        let call = self.recorded.calls[op.descr as usize].clone();
        let list: Vec<Operand> = self.recorded.list(op.list).to_vec();
        // A frame that somebody else knows can't be replaced by a token.
        let Val::Virtual(frame) = self.value(list[0]) else { return Err(Contradiction) };
        let mut inputs = Vec::with_capacity(call.slots.len() + list.len());
        for (index, word) in list[1..].iter().enumerate() {
            inputs.push(if index as u32 == call.frame {
                self.constant(Ty::Ref, FRAME_TOKEN)
            } else {
                self.operand(*word)
            });
        }
        for slot in &call.slots {
            if let Some((_, caller)) = call.callers.iter().find(|(known, _)| known == slot) {
                inputs.push(self.constant(Ty::Ref, caller_token(*caller as usize)));
                continue;
            }
            let object = &self.state.objects[frame.0 as usize];
            let (ty, content) =
                (object.ty.get().slot(*slot as usize).1.ty(), object.slots.get(*slot as usize));
            inputs.push(match content.copied() {
                Some(Slot::Known(value)) => {
                    let value = self.settle(value);
                    self.materialize(value)
                }
                _ => self.constant(ty, 0),
            });
        }
        if !matches!(self.state.objects[frame.0 as usize].home, Home::Virtual) {
            return Err(Contradiction);
        }
        self.flush_stores();
        let mut new = Op::new(Opcode::CallEntry, &[]).with_descr(op.descr);
        new.list = self.state.out.push_list(inputs);
        let status = self.emit(new);
        self.state.heap.known.clear();
        self.state.valid = false;
        Ok(Val::Op(status))
    }

    /// The end of a trace that returns to a calling one: the red state and the frame's slots as they are when
    /// the instruction that returns begins. Called by the driver, it leaves instead.
    pub fn return_to_caller(&mut self, op: &Op) {
        let shape = self.recorded.returning.clone().unwrap_or_default();
        let state = self.recorded.instrs[self.state.instr as usize].state.clone();
        let root = self.state.virtualizable;
        let token = root.and_then(|id| self.real(id));
        let Some((root, token)) = root.zip(token).filter(|(_, token)| token.as_var().is_some()) else {
            return self.guard_op(*op, Op::new(Opcode::Exit, &[]));
        };
        // Frames of the caller must be where they were.
        let fields = self.state.objects[root.0 as usize].ty.get().fields.clone();
        let unchanged = shape.same.iter().all(|(part, var)| self.is_input(root, &state, *part, *var));
        let moved = fields.iter().enumerate().any(|(slot, field)| {
            let content = self.state.objects[root.0 as usize].slots[slot];
            let mutable = !matches!(field.get().mutability, Mutability::Immutable | Mutability::Waiting);
            let unmoved = matches!(content, Slot::Known(Val::Op(operand))
                if operand.as_var().is_some_and(|var| self.recorded.tokens.contains(&var)));
            let part = Part::Slot(slot as u32);
            let known = shape.results.contains(&part) || shape.same.iter().any(|(same, _)| *same == part);
            mutable && !known && !unmoved
        });
        if moved || !unchanged {
            return self.guard_op(*op, Op::new(Opcode::Exit, &[]));
        }
        self.guard_op(*op, Op::new(Opcode::GuardCalled, &[token]));
        let results: Vec<Operand> = shape.results.iter().map(|part| self.part(root, &state, *part)).collect();
        self.flush_stores();
        let mut new = Op::new(Opcode::Return, &[]).with_descr(op.descr);
        new.list = self.state.out.push_list(results);
        self.emit(new);
    }

    /// What a part of the state is now, that of the trace's own frame for slots.
    fn part(&mut self, root: ObjectId, state: &[Operand], part: Part) -> Operand {
        match part {
            Part::Word(word) => self.operand(state[word as usize]),
            Part::Slot(slot) => {
                let object = &self.state.objects[root.0 as usize];
                let ty = object.ty.get().slot(slot as usize).1.ty();
                match object.slots.get(slot as usize).copied() {
                    Some(Slot::Known(value)) => {
                        let value = self.settle(value);
                        self.materialize(value)
                    }
                    _ => self.constant(ty, 0),
                }
            }
        }
    }

    /// Whether a part of the state is this input, as far as is known, or dead.
    fn is_input(&mut self, root: ObjectId, state: &[Operand], part: Part, input: Var) -> bool {
        let known = match part {
            Part::Word(word) => self.value(state[word as usize]),
            Part::Slot(slot) => match self.state.objects[root.0 as usize].slots.get(slot as usize).copied() {
                Some(Slot::Known(value)) => value,
                Some(Slot::Unknown) => return false,
                Some(Slot::Dead) | None => return true,
            },
        };
        let input = self.value(Operand::var(input));
        match (self.settle(known), self.settle(input)) {
            (Val::Op(one), Val::Op(two)) => one == two,
            _ => false,
        }
    }
}

/// Whether the trace looks behind an input that may be a token; and all variables that may be tokens. `kept`
/// says which operations are left.
pub(crate) fn looks_behind_tokens(trace: &Trace, kept: impl Fn(usize) -> bool) -> (bool, HashSet<Operand>) {
    let mut tokens: HashSet<Operand> = trace.tokens.iter().map(|var| Operand::var(*var)).collect();
    let mut found = false;
    if tokens.is_empty() {
        return (found, tokens);
    }
    let frame = frame_type(trace);
    let phis: Vec<Operand> = (0..trace.ops.len())
        .filter(|at| trace.ops[*at].code == Opcode::Phi)
        .map(|at| Operand::var(Var(at as u32)))
        .collect();
    loop {
        let before = tokens.len();
        for (at, op) in trace.ops.iter().enumerate() {
            if !kept(at) {
                continue;
            }
            let mentions = op.operands().iter().any(|operand| tokens.contains(operand));
            let list = trace.list(op.list).iter().enumerate();
            let mut listed = list.filter(|(_, operand)| tokens.contains(operand)).map(|(index, _)| index);
            let looks = match op.code {
                Opcode::Phi => {
                    if mentions {
                        tokens.insert(Operand::var(Var(at as u32)));
                    }
                    false
                }
                Opcode::RefEq | Opcode::GuardCalled | Opcode::GuardReal | Opcode::GuardValue => false,
                Opcode::Loop if trace.label().is_some() => {
                    let carried: Vec<Operand> = listed.map(|index| phis[index]).collect();
                    tokens.extend(carried);
                    false
                }
                Opcode::Loop => listed.any(|index| !trace.tokens.contains(&Var(index as u32))),
                // A frame that is reached through the heap may be one that a calling trace keeps in registers.
                Opcode::GetField | Opcode::SetField | Opcode::GetItem | Opcode::SetItem => {
                    let made = op.args[0]
                        .as_var()
                        .is_some_and(|var| matches!(trace.op(var).code, Opcode::New | Opcode::NewArray));
                    mentions || (!made && frame.is_some_and(|frame| reaches_into(frame, op)))
                }
                Opcode::CopyItems | Opcode::EqualItems | Opcode::CompareItems => {
                    let (one, other) = op.types();
                    mentions || one.get().virtualizable || other.get().virtualizable
                }
                Opcode::FillItems => mentions || op.type_ref().get().virtualizable,
                Opcode::Enter | Opcode::EnterLabel => {
                    listed.any(|index| !trace.entered.contains(&(index as u32)))
                }
                _ => mentions || listed.next().is_some(),
            };
            found |= looks;
        }
        if tokens.len() == before {
            return (found, tokens);
        }
    }
}

/// The type of the trace's own frame.
fn frame_type(trace: &Trace) -> Option<&'static TypeDescr> {
    let objects = &trace.start.as_ref()?.objects;
    let frame = objects.iter().find(|object| matches!(object.kind, ObjectKind::Existing(_)))?;
    Some(frame.ty.get())
}

/// Whether it reads or writes what may change of a frame.
fn reaches_into(frame: &TypeDescr, op: &Op) -> bool {
    match op.code {
        Opcode::GetField | Opcode::SetField => {
            frame.fields.contains(&op.field()) && op.field().get().mutability != Mutability::Immutable
        }
        _ => op.type_ref().get().id == frame.id,
    }
}
