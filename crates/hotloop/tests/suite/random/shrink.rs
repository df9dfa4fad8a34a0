//! Makes a failing program smaller: operations, ends of instructions, instructions, functions are left out
//! as long as it still fails.

use crate::language::op::{End, Instr};
use crate::language::program::Program;
use crate::run::Failure;

/// The smallest program found that fails, and how it fails.
pub fn shrink(
    program: &'static Program,
    mut fails: impl FnMut(&'static Program) -> Result<(), Failure>,
) -> Option<(&'static Program, Failure)> {
    std::panic::set_hook(Box::new(|_| {}));
    let mut best = None;
    let mut current = program.clone();
    loop {
        let mut smaller = false;
        // From the end, so that what is left out does not move what is tried next.
        for function in (0..current.functions.len()).rev() {
            for index in (0..current.functions[function].instrs.len()).rev() {
                let mut candidates = Vec::new();
                let instr = &current.functions[function].instrs[index];
                candidates.push(without_instr(&current, function, index));
                if instr.end != End::Next {
                    candidates.push(with(
                        &current,
                        function,
                        index,
                        Instr { end: End::Next, ..instr.clone() },
                    ));
                }
                if instr.work.len() > 1 {
                    for work in 0..instr.work.len() {
                        let mut changed = instr.clone();
                        changed.work.remove(work);
                        candidates.push(with(&current, function, index, changed));
                    }
                }
                for mut candidate in candidates {
                    if candidate.functions[0].instrs.is_empty() || !returns(&candidate) {
                        continue;
                    }
                    candidate.count_live();
                    let kept: &'static Program = Box::leak(Box::new(candidate.clone()));
                    if let Err(failure) = fails(kept) {
                        best = Some((kept, failure));
                        current = candidate;
                        smaller = true;
                        break;
                    }
                }
            }
        }
        if !smaller {
            let _ = std::panic::take_hook();
            return best;
        }
    }
}

/// Whether no function runs off its end.
fn returns(program: &Program) -> bool {
    program.functions.iter().all(|function| {
        let last = function.instrs.last().map(|instr| instr.end);
        matches!(last, Some(End::Return(_) | End::Raise(_)))
    })
}

fn with(program: &Program, function: usize, index: usize, instr: Instr) -> Program {
    let mut program = program.clone();
    program.functions[function].instrs[index] = instr;
    program
}

fn without_instr(program: &Program, function: usize, index: usize) -> Program {
    let mut program = program.clone();
    let function = &mut program.functions[function];
    function.instrs.remove(index);
    let moved = |label: &mut u32| *label -= (*label > index as u32) as u32;
    for instr in &mut function.instrs {
        if let Some(label) = instr.end.label() {
            moved(label);
        }
    }
    for handler in &mut function.handlers {
        moved(&mut handler.start);
        moved(&mut handler.end);
        moved(&mut handler.target);
    }
    program
}
