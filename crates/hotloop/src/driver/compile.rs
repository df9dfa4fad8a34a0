//! A recorded trace goes through the optimizer to the target and into the tables.

use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use hotloop_codegen::{Entry, Request};
use hotloop_ir::{Opcode, Trace, verify};
use hotloop_log::Section;
use hotloop_record::Abort;

use super::Vm;
use super::record::{Goal, Recording};
use super::tables::{Compiled, ExitCost, Guard};
use crate::interpreter::Interpreter;

impl<I: Interpreter> Vm<'_, I> {
    /// Compiles a whole recording; a failure is an abort.
    pub(super) fn compile(&self, recording: Recording<I::Pc>) {
        let runtime = self.interpreter.runtime();
        let jit = &runtime.options().jit;
        let Recording { recorder, goal, slots, .. } = recording;
        let invalid = recorder.invalid;
        if invalid.load(Ordering::Relaxed) != 0 {
            return self.aborted(&goal, Abort::StableWritten);
        }
        let recorded = recorder.trace;
        if cfg!(debug_assertions)
            && let Err(error) = verify::verify(&recorded)
        {
            panic!("internal error: the recorder broke the trace: {error}\n{recorded}");
        }
        runtime.log().write(Section::NoOpt, self.headline(&goal), &recorded);
        let started = Instant::now();
        let options =
            hotloop_opt::Options { optimize: jit.optimize, peel: jit.optimize, break_rule: jit.break_rule };
        // A loop whose second iteration can't go the first one's way may still be worth its first.
        let optimized = hotloop_opt::optimize(&recorded, &options)
            .or_else(|_| hotloop_opt::optimize(&recorded, &hotloop_opt::Options { peel: false, ..options }));
        let Ok(optimized) = optimized else { return self.aborted(&goal, Abort::Contradiction) };
        let optimizing = started.elapsed();
        if cfg!(debug_assertions)
            && let Err(error) = verify::verify(&optimized)
        {
            panic!("internal error: the optimizer broke the trace: {error}\n{recorded}\n{optimized}");
        }
        runtime.log().write(Section::Opt, self.headline(&goal), &optimized);

        let first_guard = self.tables.borrow().guards.len() as u32;
        let entry = match goal {
            Goal::Loop { .. } => Entry::Fresh,
            Goal::Bridge { guard, .. } => Entry::Bridge { guard },
        };
        let started = Instant::now();
        let request = Request {
            entry,
            first_guard,
            invalid: if optimized.stable.is_empty() { std::ptr::null() } else { Rc::as_ptr(&invalid) },
        };
        let code = match self.target.compile(&optimized, &request) {
            Ok(code) => code,
            Err(error) => {
                runtime.log().write(Section::Abort, self.headline(&goal), format!("{error}\n"));
                return self.aborted(&goal, Abort::Codegen);
            }
        };
        let assembling = started.elapsed();
        if runtime.log().wants(Section::Backend)
            && let Some(text) = self.target.disassemble(code)
        {
            runtime.log().write(Section::Backend, self.headline(&goal), text);
        }
        self.install(&recorded, optimized, goal, slots, invalid, code, first_guard, (optimizing, assembling));
    }

    #[allow(clippy::too_many_arguments)] // the parts of one table entry
    fn install(
        &self,
        recorded: &Trace,
        optimized: Trace,
        goal: Goal<I::Pc>,
        slots: Vec<usize>,
        invalid: Rc<AtomicU32>,
        code: hotloop_codegen::CodeId,
        first_guard: u32,
        (optimizing, assembling): (std::time::Duration, std::time::Duration),
    ) {
        let jit = &self.interpreter.runtime().options().jit;
        let mut guard = self.tables.borrow_mut();
        let tables = &mut *guard;
        let index = tables.traces.len();
        for _ in &optimized.resumes {
            tables.guards.push(Guard {
                trace: index,
                failures: 0,
                eagerness: jit.trace_eagerness,
                aborts: 0,
            });
        }
        for op in &optimized.ops {
            // These go back to the interpreter for good.
            if matches!(op.code, Opcode::GuardNoInterrupt | Opcode::Exit)
                && let Some(guard) = tables.guards.get_mut((first_guard + op.resume) as usize)
            {
                guard.eagerness = u32::MAX;
            }
        }
        let summary = &mut tables.summary;
        summary.trace_ops += recorded.real_ops() as u64;
        summary.optimized_ops += optimized.real_ops() as u64;
        summary.guards += optimized.guards() as u64;
        summary.optimizing += optimizing;
        summary.assembling += assembling;
        summary.code_bytes += self.target.code_size(code) as u64;
        let head = match goal {
            Goal::Loop { pc, head } => {
                summary.loops += 1;
                tables.heads[head].trace = Some(index);
                self.interpreter.loop_cell(pc).set_count(1);
                head
            }
            Goal::Bridge { guard, head } => {
                summary.bridges += 1;
                let root = &mut tables.heads[head];
                root.bridges += 1;
                // While bridges still come, exits become fewer: the count starts anew.
                root.exits = ExitCost::default();
                tables.guards[guard as usize].eagerness = u32::MAX;
                head
            }
        };
        let trace = Rc::new(optimized);
        tables.traces.push(Compiled { code, trace, first_guard, invalid, head, slots: Rc::new(slots) });
    }

    fn headline(&self, goal: &Goal<I::Pc>) -> String {
        match *goal {
            Goal::Loop { pc, .. } => format!("loop at {}", self.interpreter.describe(pc)),
            Goal::Bridge { guard, .. } => format!("bridge of guard {guard}"),
        }
    }
}
