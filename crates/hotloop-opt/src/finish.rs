//! The last sweep, backward: what nobody needs is dropped; values that only guards need are *described* in
//! their resume data instead of computed in the loop; what is left is numbered anew.
//!
//! Before: `v3 = int_shl v2, 3; guard_true v4 !0` with v3 in resume 0. After: resume 0 has `int_shl(v2, 3)`.
//! Source: PyPy and LuaJIT's sinking (`lj_opt_sink.c`), for pure operations.

use rustc_hash::FxHashMap as HashMap;
use std::rc::Rc;

use crate::label::{Draft, Label};
use hotloop_ir::{Class, Desc, Op, Opcode, Operand, Trace, Var};

use crate::entries::looks_behind_tokens;

/// The deepest description.
const DEEPEST: u32 = 4;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    /// Nobody.
    None,
    /// Only resume data, at most so deep in a description.
    Resume(u32),
    /// An operation.
    Code,
}

struct Sweep<'t> {
    trace: &'t Trace,
    need: Vec<Need>,
    described: Vec<bool>,
    /// The live variables of each resume data.
    live: Vec<Vec<Var>>,
    optimize: bool,
}

impl Sweep<'_> {
    fn by_code(&mut self, operand: Operand) {
        if let Some(var) = operand.as_var() {
            self.need[var.0 as usize] = Need::Code;
        }
    }

    fn by_resume(&mut self, var: Var, depth: u32) {
        let need = &mut self.need[var.0 as usize];
        *need = match *need {
            Need::None => Need::Resume(depth),
            Need::Resume(known) => Need::Resume(known.max(depth)),
            Need::Code => Need::Code,
        };
    }

    /// Whether the operation is better described than computed: it has one variable operand.
    fn describable(&self, op: &Op) -> bool {
        let variables = op.operands().iter().filter(|operand| operand.as_var().is_some()).count();
        self.optimize && op.code.class() == Class::Pure && !op.code.is_outcome() && variables == 1
    }

    fn visit(&mut self, index: usize) {
        let op = self.trace.ops[index];
        let need = self.need[index];
        self.described[index] = false;
        let droppable = matches!(op.code.class(), Class::Pure | Class::Read);
        if droppable && need == Need::None {
            return;
        }
        if let Need::Resume(depth) = need
            && depth < DEEPEST
            && self.describable(&op)
        {
            self.described[index] = true;
            for operand in op.operands() {
                if let Some(var) = operand.as_var() {
                    self.by_resume(var, depth + 1);
                }
            }
            return;
        }
        if op.code == Opcode::Phi {
            // Its second operand is that of the jump back; see `sweep`.
            self.by_code(op.args[0]);
            return;
        }
        for operand in op.operands() {
            self.by_code(*operand);
        }
        if op.code != Opcode::Loop || self.trace.label().is_none() {
            let trace = self.trace;
            for operand in trace.list(op.list) {
                self.by_code(*operand);
            }
        }
        if op.code.is_guard() && (op.resume as usize) < self.live.len() {
            for index in 0..self.live[op.resume as usize].len() {
                self.by_resume(self.live[op.resume as usize][index], 0);
            }
        }
    }

    /// Sweeps until the phis' needs don't change any more.
    fn sweep(&mut self, phis: &[usize], back: &[Operand]) {
        let mut needed = vec![false; phis.len()];
        loop {
            self.need.fill(Need::None);
            for (slot, needed) in needed.iter().enumerate() {
                if *needed {
                    self.by_code(back[slot]);
                }
            }
            for index in (0..self.trace.ops.len()).rev() {
                // A phi nobody needs does not need its first operand either.
                if self.trace.ops[index].code == Opcode::Phi && self.need[index] == Need::None {
                    continue;
                }
                self.visit(index);
            }
            let now: Vec<bool> = phis.iter().map(|phi| self.need[*phi] != Need::None).collect();
            if now == needed {
                return;
            }
            needed = now;
        }
    }
}

/// Finishes an optimised trace.
pub(crate) fn finish(trace: Trace, draft: Option<&Draft>, optimize: bool) -> (Trace, Option<Label>) {
    let count = trace.ops.len();
    let live = trace.resumes.iter().map(|resume| resume.live()).collect();
    let mut sweep =
        Sweep { trace: &trace, need: vec![Need::None; count], described: vec![false; count], live, optimize };
    let phis: Vec<usize> = (0..count).filter(|index| trace.ops[*index].code == Opcode::Phi).collect();
    let back: Vec<Operand> = match (trace.ops.last(), phis.is_empty()) {
        (Some(last), false) => trace.list(last.list).to_vec(),
        _ => Vec::new(),
    };
    sweep.sweep(&phis, &back);
    let Sweep { need, described, .. } = sweep;

    let mut new = Trace {
        consts: trace.consts.clone(),
        stable: trace.stable.clone(),
        calls: trace.calls.clone(),
        tokens: trace.tokens.clone(),
        ..Trace::default()
    };
    let dropped = |index: usize| {
        let op = &trace.ops[index];
        let droppable = matches!(op.code.class(), Class::Pure | Class::Read) || op.code == Opcode::Phi;
        described[index] || (droppable && need[index] == Need::None)
    };
    let (guarded, tokens) = looks_behind_tokens(&trace, |index| !dropped(index));
    let inputs = trace.inputs().count();
    let mut renamed: Vec<Operand> = vec![Operand::NONE; count];
    let mut descriptions: HashMap<Var, Desc> = HashMap::default();
    let rename = |renamed: &[Operand], operand: Operand| {
        operand.as_var().map_or(operand, |var| renamed[var.0 as usize])
    };
    for (index, op) in trace.ops.iter().enumerate() {
        if index == inputs
            && guarded
            && let (Some(start), Some(token)) = (&trace.start, trace.tokens.first())
        {
            let mut guard = Op::new(Opcode::GuardReal, &[Operand::var(*token)]);
            guard.resume = new.resumes.len() as u32;
            new.resumes.push((**start).clone());
            new.push(guard);
        }
        if described[index] {
            let args = op
                .operands()
                .iter()
                .map(|operand| match operand.as_var() {
                    Some(var) => describe(&descriptions, &renamed, var),
                    None => Desc::Operand(*operand),
                })
                .collect();
            descriptions.insert(Var(index as u32), Desc::Expr(Rc::new((op.code, args))));
            continue;
        }
        if dropped(index) {
            continue;
        }
        let mut copy = *op;
        for arg in copy.args.iter_mut() {
            *arg = rename(&renamed, *arg);
        }
        if op.list.len > 0 {
            let mut list: Vec<Operand> =
                trace.list(op.list).iter().map(|arg| rename(&renamed, *arg)).collect();
            if op.code == Opcode::Loop && !phis.is_empty() {
                let kept = phis.iter().zip(list).filter(|(phi, _)| need[**phi] != Need::None);
                list = kept.map(|(_, operand)| operand).collect();
            }
            copy.list = new.push_list(list);
        }
        if op.code.is_guard()
            && let Some(resume) = trace.resumes.get(op.resume as usize)
        {
            let mut resume = resume.clone();
            resume.map(&mut |operand| match operand.as_var() {
                Some(var) => describe(&descriptions, &renamed, var),
                None => Desc::Operand(operand),
            });
            resume.facts = resume
                .facts
                .iter()
                .filter_map(|(var, fact)| Some((renamed[var.0 as usize].as_var()?, *fact)))
                .collect();
            copy.resume = new.resumes.len() as u32;
            new.resumes.push(resume);
        }
        renamed[index] = new.push(copy).into();
        if op.code == Opcode::Phi && tokens.contains(&Operand::var(Var(index as u32))) {
            new.tokens.extend(renamed[index].as_var());
        }
    }
    new.facts = trace
        .facts
        .iter()
        .filter_map(|(var, fact)| Some((renamed[var.0 as usize].as_var()?, *fact)))
        .collect();
    let label = draft.and_then(|draft| draft.finish(&trace, &mut new, &renamed, &described));
    (new, label)
}

fn describe(descriptions: &HashMap<Var, Desc>, renamed: &[Operand], var: Var) -> Desc {
    descriptions.get(&var).cloned().unwrap_or(Desc::Operand(renamed[var.0 as usize]))
}
