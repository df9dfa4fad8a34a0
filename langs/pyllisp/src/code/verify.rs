//! What every code keeps true, checked.
//!
//! * Jumps, constants, cells, names and functions are there; no instruction falls off the end.
//! * Registers are below the slot count.
//! * A register is read only where it was written on every way there, parameters aside.
//! * What an instruction or a later one reads is `live` at the instruction.
//! * A fused comparison is followed by its jump, an `Invoke` by its `CallMethod`.
//! * Handlers cover instructions that are there; an error may come from each of them.

use super::liveness::{Later, falls_through};
use super::{Code, Instr, Operand, Program};

/// Checks all codes of a program; the error says what is wrong where.
pub fn verify(program: &Program) -> Result<(), String> {
    for (number, code) in program.codes.iter().enumerate() {
        for at in 0..code.instrs.len() {
            check(program, code, at).map_err(|error| format!("f{number} at {at}: {error}"))?;
        }
        for handler in &code.handlers {
            let fine = handler.start < handler.stop
                && handler.stop as usize <= code.instrs.len()
                && handler.target.index() < code.instrs.len()
                && handler.dst.0 < code.slots;
            if !fine {
                return Err(format!("f{number}: handler out of range"));
            }
        }
        liveness(code).map_err(|error| format!("f{number}: {error}"))?;
    }
    Ok(())
}

fn check(program: &Program, code: &Code, at: usize) -> Result<(), String> {
    let instr = code.instrs[at];
    let mut wrong = None;
    instr.operands(|name, operand| {
        let fine = match operand {
            Operand::Reg(reg) => reg.0 < code.slots,
            Operand::Const(value) => value.index() < code.consts.len(),
            Operand::Cell(cell) => cell.index() < program.cells.len(),
            Operand::NameId(name) => name.index() < program.names.len(),
            Operand::CodeId(function) => function.index() < program.codes.len(),
            Operand::Label(target) => target.index() < code.instrs.len(),
            Operand::Int(_) => true,
        };
        if !fine {
            wrong = Some(format!("{name} {operand} out of range"));
        }
    });
    if let Some(wrong) = wrong {
        return Err(wrong);
    }
    if code.spans.len() != code.instrs.len() || code.live.len() != code.instrs.len() {
        return Err("tables of different length".to_owned());
    }
    if falls_through(instr) && at + 1 == code.instrs.len() {
        return Err("falls off the end".to_owned());
    }
    if let Instr::Invoke { base, count, .. } = instr
        && !matches!(code.instrs[at + 1], Instr::CallMethod { base: at, count: of, .. } if (at, of) == (base, count))
    {
        return Err("no call after an Invoke".to_owned());
    }
    if instr.is_fused_comparison()
        && let Some(dst) = instr.dst()
    {
        match code.instrs[at + 1] {
            Instr::JumpIfFalse { cond, .. } if cond == dst => {}
            _ => return Err("no jump after a fused comparison".to_owned()),
        }
    }
    Ok(())
}

/// Registers that are read later must be live; at the start only parameters may be.
fn liveness(code: &Code) -> Result<(), String> {
    let Some(later) = Later::find(code) else { return Ok(()) };
    for (at, live) in code.live.iter().enumerate() {
        if live.ends_some_of(later.live(at)) {
            return Err(format!("{at}: {:?} are read later, but only {live:?} are live", later.live(at)));
        }
    }
    match (code.params..code.slots).find(|reg| later.reads(0, *reg)) {
        Some(reg) => Err(format!("r{reg} is read before it is written")),
        None => Ok(()),
    }
}
