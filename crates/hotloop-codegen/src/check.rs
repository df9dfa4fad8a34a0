//! What both targets rely on, checked before a trace is compiled. (`hotloop_ir::verify` checks more.)

use hotloop_ir::{Class, Op, Opcode, Operand, Trace, Var};

use crate::CodegenError;

/// Checks the trace. `inputs_of` gives the number of inputs of a compiled trace, `labels_of` what its label takes.
pub(crate) fn check(
    trace: &Trace,
    inputs_of: &dyn Fn(u32) -> Option<usize>,
    labels_of: &dyn Fn(u32) -> Option<usize>,
) -> Result<(), CodegenError> {
    let bad = |what: String| Err(CodegenError::Malformed(what));
    match trace.ops.last() {
        Some(op) if op.code.class() == Class::End => {}
        _ => return bad("the last operation does not end it".into()),
    }
    let inputs = trace.inputs().count();
    let label = trace.label();
    let mut phis = 0;
    let mut guarded = vec![false; trace.resumes.len()];
    for (index, op) in trace.ops.iter().enumerate() {
        let last = index + 1 == trace.ops.len();
        if (op.code.class() == Class::End) != last {
            return bad(format!("{} in the middle (operation {index})", op.code.name()));
        }
        let known = |operand: &Operand| match (operand.as_var(), operand.as_const()) {
            (Some(Var(var)), _) => (var as usize) < index,
            (_, Some(constant)) => (constant as usize) < trace.consts.len(),
            _ => false,
        };
        if !op.operands().iter().all(known) || !trace.list(op.list).iter().all(known) {
            return bad(format!("operation {index} ({}) has an operand that is not defined", op.code.name()));
        }
        if op.code.is_guard() && op.resume as usize >= trace.resumes.len() {
            return bad(format!("operation {index} ({}) has no resume data", op.code.name()));
        }
        if op.code.is_guard() && std::mem::replace(&mut guarded[op.resume as usize], true) {
            return bad(format!("two guards with resume {}", op.resume));
        }
        match op.code {
            Opcode::Input if index >= inputs => return bad(format!("late input (operation {index})")),
            Opcode::Label if label != Some(index) => return bad("two labels".into()),
            Opcode::Phi if label.is_none_or(|label| index < label) => {
                return bad("phi before the label".into());
            }
            Opcode::Phi => phis += 1,
            Opcode::CallResult => {
                // Guards leave the results where they are.
                let between = |op: &Op| op.code == Opcode::CallResult || op.code.class() == Class::Guard;
                let behind = (0..index).rev().find(|at| !between(&trace.ops[*at]));
                let call =
                    behind.filter(|at| matches!(trace.ops[*at].code, Opcode::CallEntry | Opcode::Input));
                if call.is_none() || op.descr as usize / 4 >= crate::MOST_RESULTS {
                    return bad(format!("call_result (operation {index}) is out of place"));
                }
            }
            Opcode::Return if op.list.len as usize > crate::MOST_RESULTS => {
                return bad(format!("return with {} results", op.list.len));
            }
            Opcode::CallEntry => {
                let call = trace.calls.get(op.descr as usize);
                let wanted = call.and_then(|call| call.code.map_or(Some(inputs), inputs_of));
                if wanted != Some(op.list.len as usize) {
                    return bad(format!("call_entry with {} operands for {wanted:?}", op.list.len));
                }
            }
            Opcode::CallRaised => {
                let call = previous(trace, index);
                if call.is_none() || op.args[0].as_var().map(|var| var.0 as usize) != call {
                    return bad(format!("call_raised (operation {index}) does not follow its call"));
                }
            }
            Opcode::CopyItems | Opcode::EqualItems | Opcode::CompareItems if op.list.len != 2 => {
                return bad(format!("operation {index} without two indices"));
            }
            Opcode::FillItems if op.list.len != 1 => return bad(format!("fill_items {index} without count")),
            Opcode::GuardValue if !op.args[1].is_const() => {
                return bad(format!("guard_value (operation {index}) with a variable"));
            }
            Opcode::Loop => {
                let wanted = if label.is_some() { phis } else { inputs };
                if op.list.len as usize != wanted {
                    return bad(format!("loop with {} operands for {wanted}", op.list.len));
                }
            }
            Opcode::EnterLabel if labels_of(op.descr) != Some(op.list.len as usize) => {
                return bad(format!("enter_label with {} operands", op.list.len));
            }
            Opcode::Enter => match inputs_of(op.descr) {
                Some(count) if count == op.list.len as usize => {}
                other => return bad(format!("enter with {} operands for {other:?}", op.list.len)),
            },
            _ => {}
        }
    }
    Ok(())
}

/// The operation before this one that is not a mark, if it is a call.
fn previous(trace: &Trace, index: usize) -> Option<usize> {
    let is_mark =
        |code| matches!(code, Opcode::Instr | Opcode::Live | Opcode::Virtualizable | Opcode::Hoisted);
    (0..index).rev().find(|at| !is_mark(trace.ops[*at].code)).filter(|at| trace.ops[*at].code == Opcode::Call)
}
