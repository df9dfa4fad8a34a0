//! A recorded trace goes through the optimizer to the target and into the tables.

use std::fs::OpenOptions;
use std::io::Write;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use hotloop_codegen::{CodeId, CodegenError, Entry, Request};
use hotloop_ir::{Opcode, Operand, Trace, Var, verify};
use hotloop_log::Section;
use hotloop_opt::{Label, Optimized, ToLabel, Version, Wants, Ways};
use hotloop_record::Abort;

use super::Vm;
use super::entries::ELSEWHERE;
use super::record::{Ending, Goal, Inputs, Recording, Which};
use super::tables::{Compiled, ExitCost, Guard};
use crate::hooks::{JitHooks, TraceInfo, TraceKind};
use crate::interpreter::Interpreter;

/// A tree of more bridges is not recorded anew for want of a way back to its loop's label.
const MOST_REDONE: u32 = 8;

impl<I: Interpreter> Vm<'_, I> {
    /// Compiles a whole recording; a failure is an abort.
    pub(super) fn compile(&self, recording: Recording<I::Pc>) {
        let Recording { recorder, goal, inputs, ending, .. } = recording;
        let invalid = recorder.invalid;
        let recorded = recorder.trace;
        let compiled = if invalid.load(Ordering::Relaxed) != 0 {
            Err(Abort::StableWritten)
        } else {
            self.compile_trace(&recorded, goal, inputs, ending, invalid)
        };
        let mut tables = self.tables.borrow_mut();
        tables.free_positions(&recorded, compiled.as_deref().ok());
        drop(tables);
        if let Err(reason) = compiled {
            self.aborted(&goal, reason);
        }
    }

    /// The optimised trace, which is in the tables now.
    fn compile_trace(
        &self,
        recorded: &Trace,
        goal: Goal<I::Pc>,
        inputs: Inputs,
        ending: Ending,
        invalid: Rc<AtomicU32>,
    ) -> Result<Rc<Trace>, Abort> {
        let runtime = self.interpreter.runtime();
        let jit = runtime.jit();
        if cfg!(debug_assertions)
            && let Err(error) = verify::verify(recorded)
        {
            panic!("internal error: the recorder broke the trace: {error}\n{recorded}");
        }
        runtime.log().write(Section::NoOpt, self.headline(&goal), recorded);
        let started = Instant::now();
        let peel = jit.optimize && jit.unroll && recorded.real_ops() as u64 <= jit.disable_unrolling as u64;
        let options = hotloop_opt::Options {
            optimize: jit.optimize,
            peel,
            call_invariants: jit.check_hints,
            hoist: jit.optimize && self.may_hoist(&goal),
            label: jit.optimize && matches!(goal, Goal::Loop { .. }),
            break_rule: jit.break_rule,
        };
        // A loop whose second iteration can't go the first one's way may still be worth its first.
        let way = self.way_to_label(&goal);
        let label = way.as_ref().map(|(label, code, kept)| ToLabel { label, code: *code, kept });
        let targets = self.targets(&ending);
        let versions: Vec<Version> =
            targets.iter().map(|(code, wants, tokens)| Version { code: code.0, wants, tokens }).collect();
        let ways = Ways { label, versions: &versions };
        let optimized = hotloop_opt::optimize_for(recorded, &options, ways).or_else(|_| {
            hotloop_opt::optimize_for(recorded, &hotloop_opt::Options { peel: false, ..options }, ways)
        });
        let Optimized { trace: optimized, label, strays, wants, misfit } =
            optimized.map_err(|_| Abort::Contradiction)?;
        if strays && self.has_many_paths(&goal) {
            return Err(Abort::ManyPaths);
        }
        if misfit && self.wants_version(&goal, &ending) {
            return Err(Abort::OtherVersion);
        }
        let optimizing = started.elapsed();
        if cfg!(debug_assertions)
            && let Err(error) = verify::verify(&optimized)
        {
            panic!("internal error: the optimizer broke the trace: {error}\n{recorded}\n{optimized}");
        }
        runtime.log().write(Section::Opt, self.headline(&goal), &optimized);

        self.tell(&goal, recorded, &optimized, 0, |hooks, info| hooks.before_compile(info));
        let entry = match goal {
            Goal::Loop { .. } | Goal::Entry { .. } => Entry::Fresh,
            Goal::Bridge { guard, .. } => Entry::Bridge { guard },
        };
        let count = optimized.resumes.len();
        let first_guard = self.tables.borrow_mut().take_guards(count).ok_or(Abort::Codegen)?;
        let started = Instant::now();
        let invalid_cell = if optimized.stable.is_empty() { std::ptr::null() } else { Rc::as_ptr(&invalid) };
        let request = Request { entry, first_guard, invalid: invalid_cell };
        let code = loop {
            // What it continues or goes on in may have been given up while it was recorded, or just now.
            let tables = self.tables.borrow();
            if tables.pins.iter().any(|pin| tables.trace(*pin).condemned) {
                drop(tables);
                self.tables.borrow_mut().give_guards(first_guard, count);
                return Err(Abort::TargetGone);
            }
            drop(tables);
            match self.compile_code(&optimized, &request) {
                Err(CodegenError::OutOfCodeMemory) if self.evict() => {}
                Ok(code) => break code,
                Err(error) => {
                    runtime.log().write(Section::Abort, self.headline(&goal), format!("{error}\n"));
                    self.tables.borrow_mut().give_guards(first_guard, count);
                    return Err(Abort::Codegen);
                }
            }
        };
        let assembling = started.elapsed();
        if runtime.log().wants(Section::Backend)
            && let Some(text) = self.target.disassemble(code)
        {
            runtime.log().write(Section::Backend, self.headline(&goal), text);
        }
        let size = self.target.code_size(code);
        self.tell(&goal, recorded, &optimized, size, |hooks, info| hooks.after_compile(info));
        if jit.perf_map {
            self.write_perf_map(code, &goal);
        }
        let optimized = Rc::new(optimized);
        let trace = optimized.clone();
        self.install(
            recorded,
            trace,
            goal,
            inputs,
            ending,
            invalid,
            (label.map(Rc::new), Rc::new(wants)),
            code,
            first_guard,
            (optimizing, assembling),
        );
        Ok(optimized)
    }

    /// How a bridge may get to its loop's label: the label, the loop's code, and the inputs that its guard
    /// kept.
    fn way_to_label(&self, goal: &Goal<I::Pc>) -> Option<(Rc<Label>, u32, Vec<Operand>)> {
        let Goal::Bridge { guard, .. } = *goal else { return None };
        let tables = self.tables.borrow();
        let parent = tables.trace(tables.guards[guard as usize].trace);
        if parent.condemned {
            // Its root may be gone.
            return None;
        }
        let root = tables.trace(parent.root);
        let resume = &parent.trace.resumes[(guard - parent.first_guard) as usize];
        let live = resume.live();
        let input = |operand: &Operand| {
            let var = operand.as_var()?;
            let index = live.iter().position(|known| *known == var)?;
            Some(Operand::var(Var(index as u32)))
        };
        let kept = resume.kept.iter().map(input).collect::<Option<Vec<Operand>>>()?;
        Some((root.label.clone()?, root.code.0, kept))
    }

    /// A bridge goes round its loop by another way, on which inductions don't go by their steps. If it does not begin
    /// where the loop ends, the tree is recorded anew, with all guards in the loop. Whether that is so.
    fn has_many_paths(&self, goal: &Goal<I::Pc>) -> bool {
        let Goal::Bridge { mut guard, head } = *goal else { return false };
        let mut tables = self.tables.borrow_mut();
        while let Some(parent) = tables.trace(tables.guards[guard as usize].trace).parent {
            guard = parent;
        }
        let root = tables.trace(tables.guards[guard as usize].trace);
        let ends = root.label.as_ref().is_some_and(|label| label.ends_at(guard - root.first_guard));
        if ends || tables.heads[head].multi_path || tables.heads[head].bridges > MOST_REDONE {
            return false;
        }
        tables.heads[head].multi_path = true;
        tables.record_anew(head);
        true
    }

    /// Whether guards may be moved out of the loop.
    fn may_hoist(&self, goal: &Goal<I::Pc>) -> bool {
        let head = &self.tables.borrow().heads[goal.head()];
        let plain = match goal {
            Goal::Loop { which: Which::Plain, .. } => true,
            Goal::Loop { which: Which::Version, .. } => head.plain_versions,
            _ => false,
        };
        !plain && !head.multi_path
    }

    /// What the optimizer must know of the loops of which a trace goes on in one.
    fn targets(&self, ending: &Ending) -> Vec<(CodeId, Rc<Wants>, Vec<u32>)> {
        let tables = self.tables.borrow();
        let targets = ending.targets.iter().map(|target| tables.trace(*target));
        targets.map(|target| (target.code, target.wants.clone(), target.entry_tokens())).collect()
    }

    /// A bridge ends at a loop with what none of its versions wants. Whether another one is recorded, from there.
    fn wants_version(&self, goal: &Goal<I::Pc>, ending: &Ending) -> bool {
        let mut tables = self.tables.borrow_mut();
        let (Goal::Bridge { .. }, Some(target)) = (goal, ending.targets.first()) else { return false };
        let head = tables.trace(*target).head;
        let head = &mut tables.heads[head];
        if head.retraces >= self.interpreter.runtime().jit().retrace_limit {
            return false;
        }
        head.retraces += 1;
        head.wants_version = true;
        true
    }

    fn compile_code(&self, trace: &Trace, request: &Request) -> Result<CodeId, CodegenError> {
        let attempts = self.attempts.get() + 1;
        self.attempts.set(attempts);
        match self.interpreter.runtime().jit().fail_code {
            Some(every) if attempts.is_multiple_of(every) => Err(CodegenError::OutOfCodeMemory),
            _ => self.target.compile(trace, request),
        }
    }

    #[allow(clippy::too_many_arguments)] // the parts of one table entry
    fn install(
        &self,
        recorded: &Trace,
        optimized: Rc<Trace>,
        goal: Goal<I::Pc>,
        inputs: Inputs,
        ending: Ending,
        invalid: Rc<AtomicU32>,
        (label, wants): (Option<Rc<Label>>, Rc<Wants>),
        code: CodeId,
        first_guard: u32,
        (optimizing, assembling): (std::time::Duration, std::time::Duration),
    ) {
        let jit = self.interpreter.runtime().jit();
        let mut guard = self.tables.borrow_mut();
        let tables = &mut *guard;
        let index = tables.next_trace();
        let guard = Guard {
            trace: index,
            failures: 0,
            eagerness: jit.trace_eagerness,
            aborts: 0,
            room: None,
            hoisted: false,
            returns: false,
            forced: false,
        };
        let numbers = first_guard as usize..first_guard as usize + optimized.resumes.len();
        tables.guards.resize(tables.guards.len().max(numbers.end), guard);
        tables.guards[numbers].fill(guard);
        let hoisted = optimized.ops.iter().skip_while(|op| op.code != Opcode::Hoisted);
        for op in hoisted.take_while(|op| op.code != Opcode::Label).filter(|op| op.code.is_guard()) {
            if let Some(guard) = tables.guards.get_mut((first_guard + op.resume) as usize) {
                guard.hoisted = true;
            }
        }
        // Entered by the interpreter, a function returns with a guard that nobody called it.
        let returning = optimized.ops.last().is_some_and(|op| op.code == Opcode::Return);
        let returning = if returning { optimized.ops.as_slice() } else { &[] };
        let last = returning.iter().rev().take_while(|op| op.code != Opcode::GuardReturned);
        for op in last.filter(|op| op.code == Opcode::GuardCalled) {
            if let Some(guard) = tables.guards.get_mut((first_guard + op.resume) as usize) {
                guard.returns = true;
            }
        }
        for op in optimized.ops.iter().filter(|op| op.code == Opcode::GuardNotForced) {
            if let Some(guard) = tables.guards.get_mut((first_guard + op.resume) as usize) {
                guard.forced = true;
            }
        }
        for op in &optimized.ops {
            let eagerness = match op.code {
                // The next piece is recorded at once.
                Opcode::Exit if ending.cut => 1,
                // These go back to the interpreter for good.
                Opcode::GuardNoInterrupt
                | Opcode::GuardStack
                | Opcode::GuardReal
                | Opcode::GuardCalled
                | Opcode::GuardReturned
                | Opcode::Exit => u32::MAX,
                _ => continue,
            };
            if let Some(guard) = tables.guards.get_mut((first_guard + op.resume) as usize) {
                guard.eagerness = eagerness;
            }
        }
        let summary = &mut tables.summary;
        summary.trace_ops += recorded.real_ops() as u64;
        summary.optimized_ops += optimized.real_ops() as u64;
        summary.guards += optimized.guards() as u64;
        summary.optimizing += optimizing;
        summary.assembling += assembling;
        summary.code_bytes += self.target.code_size(code) as u64;
        let (head, root, parent) = match goal {
            Goal::Loop { pc, head, .. } | Goal::Entry { pc, head } => {
                match goal {
                    Goal::Loop { .. } => summary.loops += 1,
                    _ => summary.entries += 1,
                }
                match goal {
                    Goal::Loop { which: Which::Plain, .. } => tables.installed_plain(head, index),
                    Goal::Loop { which: Which::Version, .. } => tables.heads[head].versions.push(index),
                    _ => {
                        let entry = &mut tables.heads[head];
                        tables.sweep |= entry.roots().next().is_some();
                        entry.forget();
                        (entry.trace, entry.retraces) = (Some(index), 0);
                        (entry.cold, entry.plain_versions) = (false, false);
                    }
                }
                tables.heads[head].rest_until = None;
                tables.heads[head].exits = ExitCost::default();
                self.interpreter.loop_cell(pc).set_count(1);
                (head, index, None)
            }
            Goal::Bridge { guard, head } => {
                summary.bridges += 1;
                let root = &mut tables.heads[head];
                root.bridges += 1;
                root.exits.bridged();
                tables.guards[guard as usize].eagerness = u32::MAX;
                let parent = tables.guards[guard as usize].trace;
                (head, tables.trace(parent).root, Some(guard))
            }
        };
        let end = optimized.ops[optimized.ops.len() - 1];
        let goes_on = matches!(end.code, Opcode::Enter | Opcode::EnterLabel);
        let chosen = |target: &usize| goes_on && tables.trace(*target).code.0 == end.descr;
        let links = [ending.links, ending.targets.into_iter().filter(chosen).collect()].concat();
        tables.heads[head].used = tables.generation;
        tables.heads[head].runs.calls |= !optimized.calls.is_empty();
        let compiled = Compiled {
            code,
            trace: optimized,
            label,
            wants,
            first_guard,
            invalid,
            head,
            slots: Rc::new(inputs.slots),
            passed: Rc::new(inputs.passed),
            root,
            parent,
            links,
            condemned: false,
        };
        if let Some(parent) = parent {
            tables.watch(parent, &compiled, &jit);
        }
        tables.traces[index] = Some(compiled);
    }

    /// A line of the map that `perf` reads (the kernel's `tools/perf/Documentation/jit-interface.txt`). Code that
    /// was freed stays in it: what ran there before can't be told apart.
    fn write_perf_map(&self, code: CodeId, goal: &Goal<I::Pc>) {
        let path = format!("/tmp/perf-{}.map", std::process::id());
        if let Some(address) = self.target.address(code)
            && let Ok(mut file) = OpenOptions::new().append(true).create(true).open(path)
        {
            // A profile without names is no reason to stop.
            let _ = writeln!(file, "{address:x} {:x} {}", self.target.code_size(code), self.headline(goal));
        }
    }

    /// Tells the hooks of a trace.
    fn tell(
        &self,
        goal: &Goal<I::Pc>,
        recorded: &Trace,
        optimized: &Trace,
        code_bytes: usize,
        hook: impl Fn(&dyn JitHooks, &TraceInfo<'_>),
    ) {
        let Some(hooks) = self.interpreter.runtime().hooks() else { return };
        let (place, kind) = self.place_of(goal);
        hook(
            &*hooks,
            &TraceInfo {
                place: &place,
                kind,
                recorded_ops: recorded.real_ops(),
                ops: optimized.real_ops(),
                guards: optimized.guards(),
                code_bytes,
                trace: optimized,
            },
        );
    }

    /// Where a trace starts, for people.
    pub(super) fn place_of(&self, goal: &Goal<I::Pc>) -> (String, TraceKind) {
        match *goal {
            Goal::Loop { pc, .. } => (self.interpreter.describe(pc), TraceKind::Loop),
            Goal::Entry { pc, .. } => (self.interpreter.describe(pc), TraceKind::Entry),
            Goal::Bridge { guard, .. } => (self.place_of_guard(guard), TraceKind::Bridge(guard)),
        }
    }

    /// The instruction in which a guard stands, for people.
    pub(super) fn place_of_guard(&self, guard: u32) -> String {
        let tables = self.tables.borrow();
        // The trace may have been freed meanwhile.
        let compiled = tables.traces[tables.guards[guard as usize].trace].as_ref();
        let resume = compiled
            .and_then(|compiled| compiled.trace.resumes.get((guard - compiled.first_guard) as usize))
            .filter(|resume| resume.position != ELSEWHERE);
        let pc = resume.map(|resume| tables.position(resume.position).pc);
        drop(tables);
        pc.map_or(format!("guard {guard}"), |pc| self.interpreter.describe(pc))
    }

    fn headline(&self, goal: &Goal<I::Pc>) -> String {
        match *goal {
            Goal::Loop { pc, .. } => format!("loop at {}", self.interpreter.describe(pc)),
            Goal::Entry { pc, .. } => format!("entry at {}", self.interpreter.describe(pc)),
            Goal::Bridge { guard, .. } => format!("bridge of guard {guard}"),
        }
    }
}
