//! Bytecode as text, for people and tests.

use std::fmt;

use super::{Code, Operand, Program};

impl fmt::Display for Program {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, code) in self.codes.iter().enumerate() {
            let name = if code.name.is_empty() { "-" } else { &code.name };
            let kind = if code.generator { "generator" } else { "function" };
            writeln!(out, "f{number} {name}: {kind} of {}, {} slots", code.params, code.slots)?;
            for (at, instr) in code.instrs.iter().enumerate() {
                write!(out, "{at:4} {:11}", instr.name())?;
                let mut result = Ok(());
                instr.operands(|_, operand| result = result.and_then(|()| self.operand(out, code, operand)));
                result?;
                writeln!(out)?;
            }
            for handler in &code.handlers {
                let (start, stop, target) = (handler.start, handler.stop, handler.target);
                writeln!(out, "     errors of {start} to {stop} go to {target} in {}", handler.dst)?;
            }
        }
        Ok(())
    }
}

impl Program {
    fn operand(&self, out: &mut fmt::Formatter<'_>, code: &Code, operand: Operand) -> fmt::Result {
        match operand {
            Operand::Cell(cell) => write!(out, " {}", self.cells[cell.index()]),
            Operand::NameId(name) => write!(out, " .{}", self.names[name.index()]),
            Operand::Const(value) => write!(out, " {:?}", code.consts[value.index()]),
            _ => write!(out, " {operand}"),
        }
    }
}
