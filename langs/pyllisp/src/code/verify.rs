//! What every code keeps true, checked.
//!
//! * Jumps, constants, cells, names and functions are there; no instruction falls off the end.
//! * Registers are below the slot count.
//! * A register is read only where it was written on every way there, parameters aside.
//! * What an instruction or a later one reads lies below `live` of the instruction.
//! * A fused comparison is followed by its jump.
//! * Handlers cover instructions that are there; an error may come from each of them.

use super::{Code, Instr, Operand, Program, Reg};

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
    if let Some(dst) = fused(instr) {
        match code.instrs[at + 1] {
            Instr::JumpIfFalse { cond, .. } if cond == dst => {}
            _ => return Err("no jump after a fused comparison".to_owned()),
        }
    }
    Ok(())
}

/// The result of a fused comparison.
fn fused(instr: Instr) -> Option<Reg> {
    if instr.name().starts_with("Jump") { instr.dst() } else { None }
}

fn falls_through(instr: Instr) -> bool {
    !matches!(
        instr,
        Instr::Jump { .. }
            | Instr::Loop { .. }
            | Instr::Return { .. }
            | Instr::AssertFail {}
            | Instr::Raise { .. }
    )
}

/// The registers that an instruction reads and writes.
fn effects(instr: Instr) -> (Vec<Reg>, Vec<Reg>) {
    let (mut reads, mut writes) = (Vec::new(), Vec::new());
    let (mut base, mut count) = (None, 0);
    instr.operands(|name, operand| match (name, operand) {
        ("dst", Operand::Reg(reg)) => writes.push(reg),
        ("base", Operand::Reg(reg)) => base = Some(reg),
        ("count", Operand::Int(number)) => count = number as u16,
        (_, Operand::Reg(reg)) => reads.push(reg),
        _ => {}
    });
    if let Some(base) = base {
        let extra = match instr {
            Instr::Call { .. } => 1,
            Instr::CallMethod { .. } => 2,
            _ => 0,
        };
        reads.extend((base.0..base.0 + count + extra).map(Reg));
    }
    if let Instr::LoadMethod { dst, .. } = instr {
        writes.push(Reg(dst.0 + 1));
    }
    (reads, writes)
}

/// The registers that are read later, by going backward until nothing changes; each must lie below
/// `live`. At the start only parameters may be read later.
fn liveness(code: &Code) -> Result<(), String> {
    let words = usize::from(code.slots).div_ceil(64).max(1);
    let mut later = vec![vec![0u64; words]; code.instrs.len()];
    let mut changed = true;
    while changed {
        changed = false;
        for at in (0..code.instrs.len()).rev() {
            let instr = code.instrs[at];
            let mut set = vec![0u64; words];
            let flows = |to: usize, set: &mut Vec<u64>| {
                for (word, other) in set.iter_mut().zip(&later[to]) {
                    *word |= other;
                }
            };
            if falls_through(instr) {
                flows(at + 1, &mut set);
            }
            instr.operands(|_, operand| {
                if let Operand::Label(target) = operand {
                    flows(target.index(), &mut set);
                }
            });
            let (reads, writes) = effects(instr);
            for reg in writes {
                set[reg.index() / 64] &= !(1 << (reg.index() % 64));
            }
            for reg in reads {
                set[reg.index() / 64] |= 1 << (reg.index() % 64);
            }
            if let Some(handler) = code.handler(at) {
                let mut handled = later[handler.target.index()].clone();
                handled[handler.dst.index() / 64] &= !(1 << (handler.dst.index() % 64));
                for (word, other) in set.iter_mut().zip(handled) {
                    *word |= other;
                }
            }
            if later[at] != set {
                later[at] = set;
                changed = true;
            }
        }
    }
    for (at, set) in later.iter().enumerate() {
        let needed = (0..code.slots).rev().find(|reg| set[usize::from(*reg) / 64] >> (reg % 64) & 1 == 1);
        let needed = needed.map_or(0, |reg| reg + 1);
        if needed > code.live[at] {
            return Err(format!("{at} reads r{} later, but only {} are live", needed - 1, code.live[at]));
        }
    }
    let first = later.first();
    let read = |reg: &u16| first.is_some_and(|set| set[usize::from(*reg) / 64] >> (reg % 64) & 1 == 1);
    match (code.params..code.slots).find(read) {
        Some(reg) => Err(format!("r{reg} is read before it is written")),
        None => Ok(()),
    }
}
