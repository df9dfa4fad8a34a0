//! The invariants of a trace. Every room may count on them, and checks what it made in debug builds.
//!
//! * One operation ends the trace, and it is the last one. Inputs come first; phis come right after the
//!   label, of which there is at most one.
//! * An operand is a constant of the trace or the result of an earlier operation, of the type that the
//!   table wants; no operand is missing, and none is too many. Only the state of an `instr` and the list of
//!   a `virtualizable` have holes (`_`).
//! * Operand lists lie within [`Trace::lists`], and only operations that have one have one.
//! * Descriptors exist and fit: a stored value has the field's type, an item operation's type has items, of
//!   the same kind if there are two types.
//! * `loop` carries a value for each phi (or for each input, if there is no label), of its type.
//! * `call_raised` stands right behind the call that it asks about, and that one may raise.
//! * `guard_value` compares with a constant of the same type.
//! * Recorded traces: events before guards, calls and instructions are counted upwards and exist.
//! * Optimised traces (those with resume data): every guard has resume data. What it mentions is defined
//!   before the guard; object numbers exist; an object has a description for each of its slots, of the
//!   slot's type; places are kept (`keep`) only in objects that exist; expressions are pure; the log is in order and
//!   ends before the guard's events do.
//! * Facts of the trace are about inputs, those of resume data about variables before the guard.

use crate::descr::{FieldKind, TypeDescr, TypeRef};
use crate::fact::Fact;
use crate::foreign::Scalar;
use crate::ops::{Class, Opcode};
use crate::print::{DescrKind, descr_kind};
use crate::resume::{Desc, Feed, ObjectKind, Place, Resume};
use crate::trace::{Op, Operand, Trace, Ty, Var};

/// Checks the invariants in the module's header; the error names operation and fault.
pub fn verify(trace: &Trace) -> Result<(), String> {
    let mut checker = Checker { trace, inputs: trace.inputs().count(), events: 0 };
    for (index, op) in trace.ops.iter().enumerate() {
        let at = |fault: String| format!("`{}` (number {index}): {fault}", trace.show_op(Var(index as u32)));
        checker.operation(index, op).map_err(at)?;
    }
    ensure(trace.ops.last().is_some_and(|op| op.code.class() == Class::End), || {
        "the last operation does not end the trace".into()
    })?;
    for (var, fact) in &trace.facts {
        ensure((var.0 as usize) < checker.inputs, || format!("a fact of {var:?}, which is no input"))?;
        known_type(fact)?;
    }
    for (number, event) in trace.events.iter().enumerate() {
        for operand in [event.object, event.result, event.raised] {
            checker.exists(trace.ops.len(), operand).map_err(|fault| format!("event {number}: {fault}"))?;
        }
    }
    Ok(())
}

fn ensure(holds: bool, fault: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(fault()) }
}

fn known_type(fact: &Fact) -> Result<(), String> {
    fact.heap_type.map_or(Ok(()), |ty| descr(TypeRef(ty)).map(|_| ()))
}

fn descr(ty: TypeRef) -> Result<&'static TypeDescr, String> {
    ty.try_get().ok_or_else(|| format!("there is no type {}", ty.0))
}

fn items(ty: TypeRef) -> Result<FieldKind, String> {
    let descr = descr(ty)?;
    descr.items.map(|(kind, _)| kind).ok_or_else(|| format!("{} has no items", descr.name))
}

struct Checker<'a> {
    trace: &'a Trace,
    inputs: usize,
    /// The count of events that was last mentioned.
    events: u32,
}

impl Checker<'_> {
    fn operation(&mut self, index: usize, op: &Op) -> Result<(), String> {
        let trace = self.trace;
        let shape = op.code.shape();
        ensure(op.code != Opcode::Input || index < self.inputs, || "an input after other operations".into())?;
        let is_last = index + 1 == trace.ops.len();
        ensure(op.code.class() != Class::End || is_last, || {
            "the end comes before the last operation".into()
        })?;
        self.descriptor(index, op)?;
        for (position, operand) in op.args.iter().enumerate() {
            match shape.args.get(position) {
                Some(wanted) => self.operand(index, *operand, *wanted, op.code)?,
                None => ensure(operand.is_none(), || "too many operands".into())?,
            }
        }
        let end = op.list.start as usize + op.list.len as usize;
        ensure(end <= trace.lists.len(), || "its list is out of range".into())?;
        ensure(shape.list || op.list.len == 0, || "it takes no list".into())?;
        for operand in trace.list(op.list) {
            match op.code {
                Opcode::Virtualizable => self.exists(index, *operand)?,
                _ => self.operand(index, *operand, b'*', op.code)?,
            }
        }
        self.particular(index, op)?;
        self.behind(index, op)
    }

    /// Whether what `descr` names exists.
    fn descriptor(&mut self, index: usize, op: &Op) -> Result<(), String> {
        match descr_kind(op.code) {
            DescrKind::Field => ensure(op.field().try_get().is_some(), || "there is no such field".into()),
            DescrKind::Type => descr(op.type_ref()).map(|_| ()),
            DescrKind::TwoTypes => {
                let (one, two) = op.types();
                ensure(items(one)? == items(two)?, || "items of two kinds".into())
            }
            DescrKind::Call => ensure(op.call().try_get().is_some(), || "there is no such function".into()),
            DescrKind::Scalar => {
                ensure((op.descr as usize) < Scalar::ALL.len(), || "there is no such number of C".into())
            }
            DescrKind::Ty => ensure(op.descr < 3, || "there is no such type".into()),
            DescrKind::Instr => {
                let instr = self.trace.instrs.get(op.descr as usize).ok_or("there is no such instruction")?;
                self.count_events(instr.first_event)?;
                instr.state.iter().try_for_each(|operand| self.exists(index, *operand))
            }
            DescrKind::Number | DescrKind::None => Ok(()),
        }
    }

    /// Whether an operand is there and has the type that the table wants.
    fn operand(&self, index: usize, operand: Operand, wanted: u8, code: Opcode) -> Result<(), String> {
        ensure(!operand.is_none(), || "an operand is missing".into())?;
        self.exists(index, operand)?;
        if code.is_outcome() {
            // The outcome of a call without result is no value for anyone else.
            return Ok(());
        }
        let found = self.trace.operand_type(operand);
        let wanted = match wanted {
            b'i' => Some(Ty::Int),
            b'r' => Some(Ty::Ref),
            b'f' => Some(Ty::Float),
            _ => found,
        };
        ensure(found.is_some(), || format!("{} has no value", self.trace.show(operand)))?;
        ensure(found == wanted, || format!("{} is of the wrong type", self.trace.show(operand)))
    }

    /// Whether an operand, if it is one, is a constant or defined before.
    fn exists(&self, index: usize, operand: Operand) -> Result<(), String> {
        match (operand.as_var(), operand.as_const()) {
            (Some(var), _) => ensure((var.0 as usize) < index, || format!("{var:?} is not defined before")),
            (_, Some(constant)) => ensure((constant as usize) < self.trace.consts.len(), || {
                format!("there is no constant {constant}")
            }),
            _ => Ok(()),
        }
    }

    fn fits(&self, operand: Operand, kind: FieldKind) -> Result<(), String> {
        let fits = self.trace.operand_type(operand) == Some(kind.ty());
        ensure(fits, || format!("{} is not of the type of the place", self.trace.show(operand)))
    }

    /// What single operations want beyond the table.
    fn particular(&self, index: usize, op: &Op) -> Result<(), String> {
        let trace = self.trace;
        let list = trace.list(op.list);
        match op.code {
            Opcode::Label => ensure(trace.label() == Some(index), || "a second label".into()),
            Opcode::Phi => {
                let follows = index > 0 && matches!(trace.ops[index - 1].code, Opcode::Label | Opcode::Phi);
                ensure(follows, || "a phi that is not at the label".into())
            }
            Opcode::SetField => self.fits(op.args[1], op.field().get().kind),
            Opcode::SetItem => self.fits(op.args[2], items(op.type_ref())?),
            Opcode::FillItems => {
                self.fits(op.args[2], items(op.type_ref())?)?;
                self.indices(list, 1)
            }
            Opcode::CopyItems | Opcode::EqualItems | Opcode::CompareItems => self.indices(list, 2),
            Opcode::GetItem | Opcode::Len | Opcode::NewArray => items(op.type_ref()).map(|_| ()),
            Opcode::LoadRaw | Opcode::StoreRaw => {
                let ty = Some(op.scalar().ty());
                let fits = op.code == Opcode::LoadRaw || trace.operand_type(op.args[2]) == ty;
                ensure(fits, || "what is written is of another type".into())
            }
            Opcode::Call if op.call().get().foreign.is_some() => self.foreign(op, list),
            Opcode::Virtualizable => {
                let ty = op.type_ref().get();
                ensure(list.len() >= ty.fields.len(), || "a field of the frame is missing".into())?;
                list.iter().enumerate().try_for_each(|(slot, operand)| match operand.is_none() {
                    true => Ok(()),
                    false => self.fits(*operand, ty.slot(slot).1),
                })
            }
            Opcode::CallIf | Opcode::CallUnless => {
                let condition = list.first().and_then(|operand| trace.operand_type(*operand));
                let call = op.call().get();
                let wanted = if op.code == Opcode::CallIf { Some(Ty::Int) } else { call.result };
                let fits = condition.is_some() && condition == wanted && condition != Some(Ty::Float);
                ensure(fits, || "the condition is of the wrong type".into())?;
                ensure(!call.raises, || "a conditional call can't raise".into())?;
                ensure(call.foreign.is_none(), || "a conditional call can't be one of C".into())
            }
            Opcode::KnownResult => {
                let result = list.first().and_then(|operand| trace.operand_type(*operand));
                let same = result.is_some() && result == op.call().get().result;
                ensure(same, || "that can't be the function's result".into())
            }
            Opcode::GuardValue | Opcode::KnownValue => {
                let constant = trace.const_of(op.args[1]).ok_or("it compares with a variable")?;
                let same = trace.operand_type(op.args[0]) == Some(constant.ty);
                ensure(same, || "the constant is of another type".into())
            }
            Opcode::CallRaised => {
                let call =
                    op.args[0].as_var().filter(|var| var.0 as usize + 1 == index).map(|var| trace.op(var));
                let call =
                    call.filter(|call| call.code == Opcode::Call).ok_or("the call is not just before")?;
                ensure(call.call().get().raises, || "the call never raises".into())
            }
            Opcode::GuardNotForced => {
                let call = (0..index).rev().find(|at| trace.ops[*at].code != Opcode::CallRaised);
                let found = call.is_some_and(|call| trace.force_guard(call) == Some(index));
                ensure(found, || "the call is not just before".into())
            }
            Opcode::Loop => {
                let targets: Vec<usize> = match trace.label() {
                    Some(label) => {
                        let is_phi = |at: &usize| trace.ops[*at].code == Opcode::Phi;
                        (label + 1..trace.ops.len()).take_while(is_phi).collect()
                    }
                    None => (0..self.inputs).collect(),
                };
                let (found, wanted) = (list.len(), targets.len());
                ensure(found == wanted, || format!("{found} values for {wanted}"))?;
                targets.iter().zip(list).try_for_each(|(target, operand)| {
                    let same = trace.result_type(&trace.ops[*target]) == trace.operand_type(*operand);
                    ensure(same, || format!("{} is of another type than v{target}", trace.show(*operand)))
                })
            }
            _ => Ok(()),
        }
    }

    /// Whether a call of C is handed an address and what the signature wants.
    fn foreign(&self, op: &Op, list: &[Operand]) -> Result<(), String> {
        let call = op.call().get();
        let Some(signature) = &call.foreign else { return Ok(()) };
        let wanted = [Ty::Int].into_iter().chain(signature.args().iter().map(|arg| arg.ty()));
        let found = list.iter().map(|operand| self.trace.operand_type(*operand));
        ensure(found.eq(wanted.map(Some)), || format!("arguments that are not {signature}"))?;
        let result = signature.result().map(Scalar::ty);
        ensure(result == call.result && !call.raises, || "a result that is not the signature's".into())
    }

    fn indices(&self, list: &[Operand], wanted: usize) -> Result<(), String> {
        let ints = list.iter().all(|operand| self.trace.operand_type(*operand) == Some(Ty::Int));
        ensure(ints && list.len() == wanted, || "its list is not of indices".into())
    }

    fn count_events(&mut self, count: u32) -> Result<(), String> {
        if !self.trace.resumes.is_empty() {
            return Ok(());
        }
        ensure(count >= self.events, || format!("{count} events after {}", self.events))?;
        ensure(count as usize <= self.trace.events.len(), || format!("there are no {count} events"))?;
        self.events = count;
        Ok(())
    }

    /// What stands behind a guard or call.
    fn behind(&mut self, index: usize, op: &Op) -> Result<(), String> {
        let recorded = self.trace.resumes.is_empty();
        match op.resume {
            u32::MAX => ensure(recorded || !op.code.is_guard(), || "a guard without resume data".into()),
            _ if !op.code.is_guard()
                && !matches!(
                    op.code,
                    Opcode::Call | Opcode::CallIf | Opcode::CallUnless | Opcode::Return
                ) =>
            {
                Err("resume data where nothing leaves".into())
            }
            count if recorded => self.count_events(count),
            number => {
                let resume = self.trace.resumes.get(number as usize).ok_or("there is no such resume data")?;
                self.resume(index, resume).map_err(|fault| format!("resume {number}: {fault}"))
            }
        }
    }

    fn resume(&self, index: usize, resume: &Resume) -> Result<(), String> {
        let desc = |desc: &Desc| self.desc(index, resume, desc, None);
        resume.state.iter().try_for_each(desc)?;
        for object in resume.objects.iter() {
            let ty = descr(object.ty)?;
            let (found, fields) = (object.slots.len(), ty.fields.len());
            let complete = match &object.kind {
                ObjectKind::Virtual(items) => found == fields + *items as usize,
                ObjectKind::Joined(length, runs) => {
                    self.desc(index, resume, length, Some(Ty::Int))?;
                    for run in runs {
                        ensure(items(run.ty)? == items(object.ty)?, || "a run of other items".into())?;
                        self.desc(index, resume, &run.from, Some(Ty::Ref))?;
                        for number in [&run.at, &run.to, &run.count] {
                            self.desc(index, resume, number, Some(Ty::Int))?;
                        }
                    }
                    found == fields
                }
                ObjectKind::Existing(operand) => {
                    self.desc(index, resume, &Desc::Operand(*operand), Some(Ty::Ref))?;
                    found >= fields
                }
            };
            ensure(complete, || format!("{found} slots of a {}", ty.name))?;
            let exists = matches!(object.kind, ObjectKind::Existing(_));
            for (slot, value) in object.slots.iter().enumerate() {
                ensure(exists || *value != Desc::Keep, || "a new object keeps nothing".into())?;
                if *value != Desc::Keep {
                    self.desc(index, resume, value, Some(ty.slot(slot).1.ty()))?;
                }
            }
        }
        for store in &resume.stores {
            self.desc(index, resume, &store.object, Some(Ty::Ref))?;
            let kind = match &store.place {
                Place::Slot(ty, slot) => {
                    let descr = descr(*ty)?;
                    let exists = (*slot as usize) < descr.fields.len() || descr.items.is_some();
                    ensure(exists, || format!("{} has no slot {slot}", descr.name))?;
                    descr.slot(*slot as usize).1
                }
                Place::Item(ty, item) => {
                    self.desc(index, resume, item, Some(Ty::Int))?;
                    items(*ty)?
                }
            };
            self.desc(index, resume, &store.value, Some(kind.ty()))?;
        }
        ensure(resume.log.windows(2).all(|pair| pair[0].event < pair[1].event), || {
            "the log is not in order".into()
        })?;
        for entry in &resume.log {
            ensure(entry.event < resume.events, || format!("event {} is not before the guard", entry.event))?;
            match &entry.feed {
                Feed::Skip => {}
                Feed::Result(result) => desc(result)?,
                Feed::Outcome(result, raised) => {
                    desc(result)?;
                    self.desc(index, resume, raised, Some(Ty::Int))?;
                }
            }
        }
        resume.kept.iter().try_for_each(|operand| self.exists(index, *operand))?;
        resume.facts.iter().try_for_each(|(var, fact)| {
            self.exists(index, Operand::var(*var))?;
            known_type(fact)
        })
    }

    /// Whether a description can be evaluated at the guard and gives the wanted type.
    fn desc(&self, index: usize, resume: &Resume, desc: &Desc, wanted: Option<Ty>) -> Result<(), String> {
        let found = match desc {
            Desc::Operand(operand) => {
                ensure(!operand.is_none(), || "a value is missing".into())?;
                self.exists(index, *operand)?;
                let ty = self.trace.operand_type(*operand);
                ensure(ty.is_some(), || format!("{} has no value", self.trace.show(*operand)))?;
                ty
            }
            Desc::Object(number) => {
                let exists = (*number as usize) < resume.objects.len();
                ensure(exists, || format!("there is no object {number}"))?;
                Some(Ty::Ref)
            }
            Desc::Expr(expr) => {
                let (code, args) = &**expr;
                let wanted = code.shape().args;
                let computes = code.class() == Class::Pure && !code.is_outcome();
                ensure(computes && args.len() == wanted.len(), || {
                    format!("{} is no expression", code.name())
                })?;
                for (arg, wanted) in args.iter().zip(wanted) {
                    let ty = match wanted {
                        b'r' => Ty::Ref,
                        b'f' => Ty::Float,
                        _ => Ty::Int,
                    };
                    self.desc(index, resume, arg, Some(ty))?;
                }
                code.shape().result.flatten()
            }
            Desc::Dead => wanted,
            Desc::Keep => return Err("`keep` outside of an object".into()),
        };
        let fits = wanted.is_none() || found == wanted;
        ensure(fits, || format!("{} is of the wrong type", self.trace.show_desc(desc)))
    }
}
