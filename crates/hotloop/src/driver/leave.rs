//! A guard failed: the state is rebuilt and the instruction replayed, or a bridge is recorded from here.

use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use hotloop_codegen::Exits;
use hotloop_ir::{Desc, Fact, ObjectKind, Opcode, Resume, Trace, Ty, TypeRef, Var};
use hotloop_record::{Allocate, Recorder, Red, rebuild};

use super::entries::{ELSEWHERE, resolve};
use super::record::{Ending, Goal, Recording};
use super::{Next, Vm};
use crate::hooks::ExitInfo;
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

/// A retired loop gets another chance when it has gone without for so many times of what it has cost.
const REST: u32 = 50;

/// An exit of a trace.
struct LeftAt {
    guard: u32,
    head: usize,
    trace: Rc<Trace>,
    /// Which of the trace's resume data.
    number: usize,
    /// What lives there.
    live: Vec<Var>,
}

impl LeftAt {
    fn resume(&self) -> &Resume {
        &self.trace.resumes[self.number]
    }

    /// Whether it is where the function returns, called by the interpreter.
    fn has_returned(&self) -> bool {
        let ops = &self.trace.ops;
        let called = ops.iter().rev().take_while(|op| op.code != Opcode::GuardReturned);
        ops.last().is_some_and(|op| op.code == Opcode::Return)
            && called
                .into_iter()
                .any(|op| op.code == Opcode::GuardCalled && op.resume as usize == self.number)
    }

    fn new(guard: u32, head: usize, trace: Rc<Trace>, number: usize) -> LeftAt {
        let live = trace.resumes[number].live();
        LeftAt { guard, head, trace, number, live }
    }

    /// The types of the words that live there.
    fn types(&self) -> impl Iterator<Item = Ty> {
        self.live.iter().map(|var| self.trace.operand_type((*var).into()).unwrap_or(Ty::Int))
    }
}

impl<I: Interpreter> Vm<'_, I> {
    /// Goes on after a run: the innermost trace has left through an exit, and with it all that called it.
    pub(super) fn leave(&self, exits: &Exits) -> (Next<I::Pc>, I::State<Direct>) {
        let started = Instant::now();
        let jit = &self.interpreter.runtime().jit();
        let kept_before = self.kept.borrow().len();
        self.kept.borrow_mut().extend_from_slice(exits.words());
        let callers = self.make_callers(exits);
        let (guard, words) = exits.get(0);
        let last;
        let (left, bridge, watched) = {
            let mut tables = self.tables.borrow_mut();
            let entry = &mut tables.guards[guard as usize];
            // The more traces wait for this one, the dearer is the exit.
            entry.failures = entry.failures.saturating_add(exits.len() as u32);
            let (index, hot, hoisted) = (entry.trace, entry.failures >= entry.eagerness, entry.hoisted);
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
            if hoisted {
                tables.hoisted_failed(head, index);
            }
            let bridge = hot && !condemned && tables.has_room(guard, jit);
            if hot && !bridge {
                // Given up: the interpreter is its generic path.
                tables.guards[guard as usize].eagerness = u32::MAX;
            }
            let watched = tables.guards[guard as usize].room.is_some();
            last = tables.guards[guard as usize].eagerness == u32::MAX;
            (LeftAt::new(guard, head, trace, number), bridge, watched)
        };
        let words = resolve(words, left.types(), &callers);
        if !bridge && let Some(hooks) = self.interpreter.runtime().hooks() {
            let place = self.place_of_guard(guard);
            let failures = self.tables.borrow().guards[guard as usize].failures;
            hooks.on_side_exit(&ExitInfo { place: &place, guard, failures });
        }
        let result = if bridge {
            self.bridge(&left, &words)
        } else {
            let result = self.resume(&left, &words, watched);
            self.count_exit(&left, started);
            result
        };
        self.kept.borrow_mut().truncate(kept_before);
        self.left_for_good.set(last && !bridge);
        if self.interpreter.runtime().jit().check_hints {
            self.check_some();
        }
        result
    }

    /// What was left, and where.
    fn left_at(&self, guard: u32) -> LeftAt {
        let tables = self.tables.borrow();
        let compiled = tables.trace(tables.guards[guard as usize].trace);
        let number = (guard - compiled.first_guard) as usize;
        LeftAt::new(guard, compiled.head, compiled.trace.clone(), number)
    }

    /// The frames of the traces that wait for the innermost one, made from the outermost inwards; gives those
    /// that the innermost one has tokens for.
    fn make_callers(&self, exits: &Exits) -> Vec<u64> {
        let mut callers = Vec::new();
        let mut recorder = Recorder::replaying();
        for index in (1..exits.len()).rev() {
            let (guard, words) = exits.get(index);
            let left = self.left_at(guard);
            let words = resolve(words, left.types(), &callers);
            let reds: Vec<Red> = words.iter().map(|bits| Red::constant(*bits)).collect();
            let rebuilt =
                rebuild(&mut recorder, &left.trace, left.resume(), &left.live, &reds, &Allocator(self));
            callers = rebuilt.state.iter().map(|red| red.bits).collect();
            self.kept.borrow_mut().extend_from_slice(&callers);
        }
        callers
    }

    /// The state behind an exit; the instruction is replayed. Where that leads may be watched.
    fn resume(&self, left: &LeftAt, words: &[u64], watched: bool) -> (Next<I::Pc>, I::State<Direct>) {
        let resume = left.resume();
        let mut recorder = Recorder::replaying();
        let reds: Vec<Red> = words.iter().map(|bits| Red::constant(*bits)).collect();
        let results = self.waiting_results();
        let rebuilt = rebuild(&mut recorder, &left.trace, resume, &left.live, &reds, &Allocator(self));
        if resume.position == ELSEWHERE {
            let (next, state) = self.returned_elsewhere(&mut recorder, &rebuilt.state, &results, None);
            return self.resume_direct(next, state);
        }
        let position = self.tables.borrow().position(resume.position);
        let next = Next::At(position.pc, position.raising);
        if rebuilt.feed.is_empty() && !watched {
            let words: Vec<u64> = rebuilt.state.iter().map(|red| red.bits).collect();
            (next, <I::State<Direct> as RedState<Direct>>::load(&words, &position.greens))
        } else {
            let mut state = <I::State<Meta> as RedState<Meta>>::load(&rebuilt.state, &position.greens);
            recorder.prepare_feed(rebuilt.feed);
            self.begin(&mut recorder, position.pc, position.raising, &state, &Self::types());
            let step = self.meta_step(&mut recorder, position.pc, position.raising, &mut state);
            let mut tables = self.tables.borrow_mut();
            tables.free_positions(&recorder.trace, None);
            if watched && let Some(place) = step.place() {
                tables.led_to(left.guard, place);
            }
            drop(tables);
            self.resume_direct(Next::After(step), state)
        }
    }

    /// The results that the last entry has handed over, kept alive.
    fn waiting_results(&self) -> Vec<u64> {
        let results = self.interpreter.runtime().context().results.to_vec();
        self.kept.borrow_mut().extend_from_slice(&results);
        results
    }

    /// A called entry returned at another position than when its caller was recorded. The state is that of
    /// the callee's frame there; `fresh` are the results as inputs of a bridge.
    fn returned_elsewhere(
        &self,
        recorder: &mut Recorder,
        rebuilt: &[Red],
        results: &[u64],
        fresh: Option<Vec<Red>>,
    ) -> (Next<I::Pc>, I::State<Meta>) {
        let (frame, status) = (rebuilt[0], rebuilt[1]);
        let point = self.tables.borrow().returned_at(status.bits as u32);
        let Some((_, ty)) = Self::frame() else { unreachable!("entries have frames") };
        let reds = fresh.unwrap_or_else(|| results.iter().map(|bits| Red::constant(*bits)).collect());
        for (slot, red) in point.slots.iter().zip(&reds[Self::types().len() - 1..]) {
            hotloop_record::write_slot(frame.bits, ty, *slot as usize, red.bits);
        }
        let position = point.position;
        let state = self.after_return(recorder, frame, ty, &point.slots, &reds, &position.greens);
        (Next::At(position.pc, position.raising), state)
    }

    /// A loop that spends too much of its time in exits is left to the interpreter.
    fn count_exit(&self, left: &LeftAt, started: Instant) {
        let mut tables = self.tables.borrow_mut();
        let spent = started.elapsed();
        tables.summary.leaving += spent;
        let for_good = tables.guards[left.guard as usize].eagerness == u32::MAX;
        let head = &mut tables.heads[left.head];
        if left.has_returned() {
            // That is how functions end, and loops in them; see `Rest`.
            return;
        }
        head.spent += spent;
        if head.exits.add(started, for_good) && head.trace.take().is_some() {
            head.plain = None;
            head.rest_until = Some(Instant::now() + std::mem::take(&mut head.spent) * REST);
            tables.summary.retired += 1;
            tables.sweep = true;
        }
    }

    fn bridge(&self, left: &LeftAt, words: &[u64]) -> (Next<I::Pc>, I::State<Direct>) {
        let (trace, resume) = (&left.trace, left.resume());
        let jit = self.interpreter.runtime().jit();
        let mut recorder = Box::new(Recorder::recording(jit.trace_limit as usize));
        let live = &left.live;
        let reds: Vec<Red> = live
            .iter()
            .zip(words)
            .map(|(var, bits)| {
                let fact =
                    resume.facts.iter().find(|(known, _)| known == var).map_or(Fact::ANY, |(_, fact)| *fact);
                let ty = trace.operand_type((*var).into()).unwrap_or(hotloop_ir::Ty::Int);
                let red = recorder.input(ty, *bits, fact);
                if trace.tokens.contains(var) {
                    recorder.trace.tokens.extend(red.operand.as_var());
                }
                red
            })
            .collect();
        let elsewhere = resume.position == ELSEWHERE;
        let position = (!elsewhere).then(|| self.tables.borrow().position(resume.position));
        let number = position.clone().map_or(ELSEWHERE, |one| self.tables.borrow_mut().add_position(one));
        recorder.start_as(resume, trace, number);
        let results = self.waiting_results();
        let fresh = elsewhere.then(|| self.entry_results(&mut recorder, resume, &reds, live, &results));
        let rebuilt = rebuild(&mut recorder, trace, resume, live, &reds, &Allocator(self));
        // The trace's own frame: the virtualizable that the resume data brought up to date.
        let root = resume.objects.iter().find_map(|object| match object.kind {
            ObjectKind::Existing(operand) => operand.as_var(),
            ObjectKind::Virtual(_) => None,
        });
        let root =
            root.and_then(|var| live.iter().position(|known| *known == var)).map(|index| reds[index].operand);
        let (next, state) = if let Some(position) = &position {
            let state = <I::State<Meta> as RedState<Meta>>::load(&rebuilt.state, &position.greens);
            (Next::At(position.pc, position.raising), state)
        } else {
            let typed = [(rebuilt.state[0], Ty::Ref), (rebuilt.state[1], Ty::Int)];
            recorder.guard_position(resume.position, &typed, rebuilt.state[1]);
            self.returned_elsewhere(&mut recorder, &rebuilt.state, &results, fresh)
        };
        recorder.prepare_feed(rebuilt.feed);
        let goal = Goal::Bridge { guard: left.guard, head: left.head };
        let recording = Recording {
            recorder,
            root,
            goal,
            slots: Vec::new(),
            ending: Ending::default(),
            called: elsewhere,
        };
        self.record(recording, next, state)
    }

    /// The results of the entry that returned elsewhere, as the first operations of a bridge.
    fn entry_results(
        &self,
        recorder: &mut Recorder,
        resume: &Resume,
        reds: &[Red],
        live: &[Var],
        results: &[u64],
    ) -> Vec<Red> {
        let status = match &resume.state[1] {
            Desc::Operand(operand) => operand.as_var(),
            _ => None,
        };
        let Some(at) = status.and_then(|var| live.iter().position(|known| *known == var)) else {
            unreachable!("the position at which an entry returned is a variable")
        };
        let point = self.tables.borrow().returned_at(reds[at].bits as u32);
        let types = Self::types();
        let index = Self::frame().map_or(0, |(index, _)| index);
        let mut words = results[..types.len() - 1].to_vec();
        words.insert(index, 0);
        let next = std::cell::Cell::new(types.len() - 1);
        let typed =
            self.results(&words, &point.slots, index, &types, |_| results[next.replace(next.get() + 1)]);
        recorder.entry_results(reds[at], &typed)
    }
}
