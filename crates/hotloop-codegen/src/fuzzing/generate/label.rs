//! Loops whose bridges may jump to their labels.

use std::rc::Rc;

use hotloop_ir::{Opcode, Operand, Ty, Var};

use super::Builder;

/// What a bridge that jumps to a label passes on.
pub(super) struct Label {
    /// The types of its phis.
    pub phis: Vec<Ty>,
    /// Which inputs of the bridge are what its guard keeps, and the type of those for which anything will do.
    pub kept: Vec<(usize, Option<Ty>)>,
}

impl Builder<'_> {
    /// Each guard of a loop's body keeps what the body uses from before the label, so that bridges can jump there.
    pub(super) fn keep_for_label(&mut self, phis: &[(Ty, Var)]) {
        let Some(label) = self.trace.label() else { return };
        if self.trace.ops.last().is_none_or(|op| op.code != Opcode::Loop) {
            return;
        }
        let body = &self.trace.ops[label + 1 + phis.len()..];
        let mut kept: Vec<Var> = Vec::new();
        let mut guards = Vec::new();
        for op in body {
            let operands = op.operands().iter().chain(self.trace.list(op.list));
            kept.extend(operands.filter_map(|operand| operand.as_var()));
            if op.code.is_guard() {
                kept.extend(self.trace.resumes[op.resume as usize].live());
                guards.push(op.resume as usize);
            }
        }
        kept.retain(|var| (var.0 as usize) < label);
        kept.sort_unstable_by_key(|var| var.0);
        kept.dedup();
        let mut idle: Vec<bool> = self.trace.inputs().map(|input| Some(input) != self.frame).collect();
        for op in &self.trace.ops {
            for var in
                op.operands().iter().chain(self.trace.list(op.list)).filter_map(|operand| operand.as_var())
            {
                if let Some(idle) = idle.get_mut(var.0 as usize) {
                    *idle = false;
                }
            }
        }
        let operands: Rc<Vec<Operand>> = Rc::new(kept.iter().map(|var| Operand::from(*var)).collect());
        for guard in guards {
            let resume = &mut self.trace.resumes[guard];
            resume.kept = operands.clone();
            let live = resume.live();
            let trace = &self.trace;
            let ty = |var: &Var| trace.result_type(trace.op(*var)).unwrap_or(Ty::Int);
            let place = &mut self.places[guard];
            place.types = live.iter().map(ty).collect();
            let input = |var: &Var| {
                let index = live.iter().position(|known| known == var)?;
                Some((index, (idle.get(var.0 as usize) == Some(&true)).then(|| ty(var))))
            };
            let kept = kept.iter().filter_map(input).collect();
            place.label = Some(Rc::new(Label { phis: phis.iter().map(|(ty, _)| *ty).collect(), kept }));
        }
    }
}
