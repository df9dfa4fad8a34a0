//! A guard failed: the state is rebuilt and the instruction replayed, or a bridge is recorded from here.

use std::sync::atomic::Ordering;
use std::time::Instant;

use hotloop_ir::{Fact, ObjectKind, Resume, TypeRef};
use hotloop_record::{Allocate, Recorder, Red, rebuild};

use super::record::{Goal, Recording};
use super::{Next, Vm};
use crate::interpreter::{Interpreter, RedState};
use crate::mode::{Direct, Meta};

struct Allocator<'a, 'i, I: Interpreter>(&'a Vm<'i, I>);

impl<I: Interpreter> Allocate for Allocator<'_, '_, I> {
    fn allocate(&self, ty: TypeRef, items: u32) -> u64 {
        self.0.allocate(ty, items)
    }
    fn keep(&self, word: u64) {
        self.0.kept.borrow_mut().push(word);
    }
}

impl<I: Interpreter> Vm<'_, I> {
    /// Goes on after the failure of a guard; `values` are the words of its live variables.
    pub(super) fn leave(&self, guard: u32, values: Vec<u64>) -> (Next<I::Pc>, I::State<Direct>) {
        let started = Instant::now();
        let kept_before = self.kept.borrow().len();
        self.kept.borrow_mut().extend_from_slice(&values);
        let (trace, resume, head, bridge) = {
            let mut tables = self.tables.borrow_mut();
            let entry = &mut tables.guards[guard as usize];
            entry.failures += 1;
            let (index, hot) = (entry.trace, entry.failures >= entry.eagerness);
            tables.summary.exits += 1;
            let generation = tables.generation;
            let compiled = tables.trace(index);
            let invalid = compiled.invalid.load(Ordering::Relaxed) != 0;
            let (trace, number, head) =
                (compiled.trace.clone(), (guard - compiled.first_guard) as usize, compiled.head);
            let condemned = compiled.condemned;
            tables.heads[head].used = generation;
            if invalid && tables.heads[head].trace == Some(index) {
                tables.heads[head].trace = None;
            }
            // Should it be running further up the stack, it is freed later.
            tables.sweep |= invalid || condemned;
            let room = tables.heads[head].bridges < self.interpreter.runtime().options().jit.max_bridges;
            (trace, number, head, hot && room && !condemned)
        };
        let resume = &trace.resumes[resume];
        let position = self.tables.borrow().position(resume.position);
        let result = match bridge {
            true => self.bridge(
                guard,
                head,
                &trace,
                resume,
                &values,
                position.pc,
                position.raising,
                &position.greens,
            ),
            false => {
                let mut recorder = Recorder::replaying();
                let reds: Vec<Red> = values.iter().map(|bits| Red::constant(*bits)).collect();
                let rebuilt = rebuild(&mut recorder, &trace, resume, &reds, &Allocator(self));
                let next = Next::At(position.pc, position.raising);
                let result = if rebuilt.feed.is_empty() {
                    let words: Vec<u64> = rebuilt.state.iter().map(|red| red.bits).collect();
                    (next, <I::State<Direct> as RedState<Direct>>::load(&words, &position.greens))
                } else {
                    let mut state =
                        <I::State<Meta> as RedState<Meta>>::load(&rebuilt.state, &position.greens);
                    recorder.prepare_feed(rebuilt.feed);
                    self.begin(&mut recorder, position.pc, position.raising, &state, &Self::types());
                    let step = self.meta_step(&mut recorder, position.pc, position.raising, &mut state);
                    self.tables.borrow_mut().free_positions(&recorder.trace, None);
                    self.resume_direct(Next::After(step), state)
                };
                self.count_exit(head, started);
                result
            }
        };
        self.kept.borrow_mut().truncate(kept_before);
        result
    }

    /// A loop that spends too much of its time in exits is left to the interpreter.
    fn count_exit(&self, head: usize, started: Instant) {
        let mut tables = self.tables.borrow_mut();
        tables.summary.leaving += started.elapsed();
        let max = self.interpreter.runtime().options().jit.max_aborts;
        let head = &mut tables.heads[head];
        if head.exits.add(started) && head.trace.take().is_some() {
            head.aborts = max + 1;
            tables.summary.retired += 1;
            tables.sweep = true;
        }
    }

    #[allow(clippy::too_many_arguments)] // the guard's description, taken apart by the caller
    fn bridge(
        &self,
        guard: u32,
        head: usize,
        trace: &hotloop_ir::Trace,
        resume: &Resume,
        values: &[u64],
        pc: I::Pc,
        raising: bool,
        greens: &[u64],
    ) -> (Next<I::Pc>, I::State<Direct>) {
        let jit = &self.interpreter.runtime().options().jit;
        let mut recorder = Box::new(Recorder::recording(jit.trace_limit as usize));
        let reds: Vec<Red> = resume
            .live()
            .into_iter()
            .zip(values)
            .map(|(var, bits)| {
                let fact =
                    resume.facts.iter().find(|(known, _)| *known == var).map_or(Fact::ANY, |(_, fact)| *fact);
                let ty = trace.operand_type(var.into()).unwrap_or(hotloop_ir::Ty::Int);
                recorder.input(ty, *bits, fact)
            })
            .collect();
        let rebuilt = rebuild(&mut recorder, trace, resume, &reds, &Allocator(self));
        let state = <I::State<Meta> as RedState<Meta>>::load(&rebuilt.state, greens);
        recorder.prepare_feed(rebuilt.feed);
        // The trace's own frame: the virtualizable that the resume data brought up to date.
        let root = resume.objects.iter().find_map(|object| match object.kind {
            ObjectKind::Existing(operand) => Some(operand),
            ObjectKind::Virtual(_) => None,
        });
        let live = resume.live();
        let root = root.and_then(|operand| match operand.as_var() {
            Some(var) => live.iter().position(|known| *known == var).map(|index| reds[index].operand),
            None => None,
        });
        let goal = Goal::Bridge { guard, head };
        let recording = Recording { recorder, root, goal, slots: Vec::new(), links: Vec::new() };
        self.record(recording, Next::At(pc, raising), state)
    }
}
