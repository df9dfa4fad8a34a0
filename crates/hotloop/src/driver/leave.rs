//! A guard failed: the state is rebuilt and the instruction replayed, or a bridge is recorded from here.

use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use hotloop_codegen::Exits;
use hotloop_ir::{Desc, Fact, ObjectKind, Part, Resume, Trace, Ty, TypeRef, Var};
use hotloop_record::{Allocate, Recorder, Red, make_objects, rebuild};

use super::calls::Calls;
use super::entries::{ELSEWHERE, resolve};
use super::force::Made;
use super::hot::MOST_RECORDINGS;
use super::record::{Goal, Recording};
use super::{Next, Vm};
use crate::boxed::BoxedFloat;
use crate::heap::HeapType;
use crate::hooks::ExitInfo;
use crate::interpreter::{Interpreter, RedState};
use crate::mode::{Direct, Meta};

pub(super) struct Allocator<'a, 'i, I: Interpreter>(pub &'a Vm<'i, I>);

impl<I: Interpreter> Allocate for Allocator<'_, '_, I> {
    fn allocate(&self, ty: TypeRef, items: u32) -> u64 {
        self.0.allocate(ty, items)
    }
    fn keep(&self, word: u64) {
        self.0.kept.borrow_mut().push(word);
    }
    fn float_type(&self) -> TypeRef {
        <BoxedFloat<Direct> as HeapType<Direct>>::cell().type_ref()
    }
}

/// A retired loop gets another chance when it has gone without for so many times of what it has cost; twice as long each
/// time that it is retired.
const RETIRED_FOR: u32 = 50;

/// An exit of a trace.
pub(super) struct LeftAt {
    guard: u32,
    head: usize,
    pub trace: Rc<Trace>,
    /// Which of the trace's resume data.
    number: usize,
    /// What lives there.
    pub live: Vec<Var>,
}

impl LeftAt {
    pub fn resume(&self) -> &Resume {
        &self.trace.resumes[self.number]
    }

    /// The types of the words that live there.
    pub fn types(&self) -> impl Iterator<Item = Ty> {
        self.live.iter().map(|var| self.trace.operand_type((*var).into()).unwrap_or(Ty::Int))
    }
}

/// How to go on at an exit.
#[derive(Clone, Copy)]
struct Way {
    /// With the recording of a bridge.
    bridge: bool,
    /// Where the instruction leads is noted.
    watched: bool,
    /// It will always go to the interpreter.
    for_good: bool,
}

impl<I: Interpreter> Vm<'_, I> {
    /// Goes on after a run: the innermost trace has left through an exit, and with it all that called it.
    /// `made`: what was made already for who has looked at frames in the call just before.
    pub(super) fn leave(&self, exits: &Exits, mut made: Made) -> (Next<I::Pc>, I::State<Direct>) {
        let started = Instant::now();
        let kept_before = self.kept.borrow().len();
        self.kept.borrow_mut().extend_from_slice(exits.words());
        self.kept.borrow_mut().extend(made.iter().flatten());
        let callers = self.make_callers(exits, &mut made);
        let broken = self.interpreter.runtime().jit().break_rule == Some(11);
        let made = made.get(exits.len() - 1).map(Vec::as_slice).filter(|_| !broken);
        let (guard, words) = exits.get(0);
        let left = self.left_at(guard);
        let way = self.count_failure(&left, exits.len());
        let words = resolve(words, left.types(), &callers);
        let result = if way.bridge {
            self.bridge(&left, &words)
        } else {
            if let Some(hooks) = self.interpreter.runtime().hooks() {
                let place = self.place_of_guard(guard);
                let failures = self.tables.borrow().guards[guard as usize].failures;
                hooks.on_side_exit(&ExitInfo { place: &place, guard, failures });
            }
            let result = self.resume(&left, &words, made, way.watched);
            self.count_exit(&left, started, way.for_good);
            result
        };
        self.kept.borrow_mut().truncate(kept_before);
        self.left_for_good.set(way.for_good && !way.bridge);
        if self.checks_hints() {
            self.check_some();
        }
        result
    }

    /// What was left, and where.
    pub(super) fn left_at(&self, guard: u32) -> LeftAt {
        let tables = self.tables.borrow();
        let compiled = tables.trace(tables.guards[guard as usize].trace);
        let number = (guard - compiled.first_guard) as usize;
        let trace = compiled.trace.clone();
        let live = trace.resumes[number].live();
        LeftAt { guard, head: compiled.head, trace, number, live }
    }

    /// Counts a guard's failure, which so many traces left with. How to go on.
    fn count_failure(&self, left: &LeftAt, traces: usize) -> Way {
        let mut tables = self.tables.borrow_mut();
        tables.summary.exits += 1;
        let entry = &mut tables.guards[left.guard as usize];
        // The more traces wait for this one, the dearer is the exit.
        entry.failures = entry.failures.saturating_add(traces as u32);
        let guard = *entry;
        let compiled = tables.trace(guard.trace);
        let invalid = compiled.invalid.load(Ordering::Relaxed) != 0;
        let condemned = compiled.condemned;
        // Should it be running further up the stack, it is freed later.
        tables.sweep |= invalid || condemned;
        let generation = tables.generation;
        let head = &mut tables.heads[left.head];
        head.used = generation;
        if invalid && head.trace == Some(guard.trace) {
            head.trace = None;
        }
        if invalid {
            head.versions.retain(|version| *version != guard.trace);
        }
        if guard.hoisted {
            tables.hoisted_failed(left.head, guard.trace);
        }
        if guard.forced {
            tables.looked_in(left.guard, &self.interpreter.runtime().jit());
            return Way { bridge: false, watched: false, for_good: false };
        }
        // A recording waits for a callee, further up: not too many at a time.
        let busy = self.recorders.borrow().len() > MOST_RECORDINGS;
        let hot = guard.failures >= guard.eagerness && !busy;
        let bridge = hot && !condemned && tables.has_room(left.guard, &self.interpreter.runtime().jit());
        let entry = &mut tables.guards[left.guard as usize];
        if hot && !bridge {
            // Given up: the interpreter is its generic path.
            entry.eagerness = u32::MAX;
        }
        Way { bridge, watched: entry.room.is_some(), for_good: entry.eagerness == u32::MAX }
    }

    /// The frames of the traces that wait for the innermost one, made from the outermost inwards if they are not;
    /// gives those that the innermost one has tokens for.
    pub(super) fn make_callers(&self, exits: &Exits, made: &mut Made) -> Vec<u64> {
        let mut callers = Vec::new();
        let mut recorder = Recorder::replaying();
        if exits.len() > 1 {
            // What the innermost one's callee has returned waits while frames are made.
            self.waiting_results();
        }
        for index in (1..exits.len()).rev() {
            let (guard, words) = exits.get(index);
            let left = self.left_at(guard);
            let (trace, resume) = (&left.trace, left.resume());
            let words = resolve(words, left.types(), &callers);
            let outer = exits.len() - 1 - index;
            if made.len() == outer {
                made.push(make_objects(trace, resume, &left.live, &words, &Allocator(self)));
            }
            let reds: Vec<Red> = words.iter().map(|bits| Red::constant(*bits)).collect();
            let values = (left.live.as_slice(), reds.as_slice());
            let rebuilt = rebuild(&mut recorder, trace, resume, values, Some(&made[outer]), &Allocator(self));
            callers = rebuilt.state.iter().map(|red| red.bits).collect();
        }
        callers
    }

    /// The state behind an exit; the instruction is replayed. Where that leads may be watched.
    fn resume(
        &self,
        left: &LeftAt,
        words: &[u64],
        made: Option<&[u64]>,
        watched: bool,
    ) -> (Next<I::Pc>, I::State<Direct>) {
        let resume = left.resume();
        let mut recorder = Recorder::replaying();
        let reds: Vec<Red> = words.iter().map(|bits| Red::constant(*bits)).collect();
        let results = (resume.position == ELSEWHERE).then(|| self.waiting_results());
        let values = (left.live.as_slice(), reds.as_slice());
        let rebuilt = rebuild(&mut recorder, &left.trace, resume, values, made, &Allocator(self));
        if let Some(results) = results {
            let results: Vec<Red> = results.into_iter().map(Red::constant).collect();
            let (next, state) = self.returned_elsewhere(&mut recorder, &rebuilt.state, &results);
            return self.resume_direct(next, state);
        }
        let position = self.tables.borrow().position(resume.position);
        let next = Next::At(position.pc, position.raising);
        if rebuilt.feed.is_empty() && !watched {
            let words: Vec<u64> = rebuilt.state.iter().map(|red| red.bits).collect();
            (next, <I::State<Direct> as RedState<Direct>>::load(&words, &position.greens))
        } else {
            let mut state = <I::State<Meta> as RedState<Meta>>::load(&rebuilt.state, &position.greens);
            recorder.prepare_feed(rebuilt.feed, resume.flushed);
            self.begin(&mut recorder, position.pc, position.raising, None, &state);
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

    /// A called entry returned with these results at another position than when its caller was recorded. The
    /// state is that of the callee's frame there.
    fn returned_elsewhere(
        &self,
        recorder: &mut Recorder,
        rebuilt: &[Red],
        results: &[Red],
    ) -> (Next<I::Pc>, I::State<Meta>) {
        let (status, words) = (rebuilt[0], &rebuilt[1..]);
        let point = self.tables.borrow().returns.at(status.bits as u32);
        let Some((index, ty)) = Self::frame() else { unreachable!("entries have frames") };
        let frame = words[index];
        for (part, red) in point.results.iter().zip(results) {
            if let Part::Slot(slot) = *part {
                hotloop_record::write_slot(frame.bits, ty, slot as usize, red.bits);
            }
        }
        let position = point.position;
        let state = self.after_return(recorder, words, &point.results, results, &position.greens);
        (Next::At(position.pc, position.raising), state)
    }

    /// A loop that spends too much of its time in exits is left to the interpreter.
    fn count_exit(&self, left: &LeftAt, started: Instant, for_good: bool) {
        let mut tables = self.tables.borrow_mut();
        let spent = started.elapsed();
        tables.summary.leaving += spent;
        if tables.guards[left.guard as usize].returns {
            // That is how functions end, and loops in them; see `ShortRuns`.
            return;
        }
        let head = &mut tables.heads[left.head];
        head.spent += spent;
        if head.exits.add(started, for_good) && head.trace.is_some() {
            head.forget();
            let rest = std::mem::take(&mut head.spent) * (RETIRED_FOR << head.retired.min(16));
            head.retired += 1;
            head.rest_until = Some(Instant::now() + rest);
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
        let results = elsewhere.then(|| self.entry_results(&mut recorder, resume, &reds, live));
        let rebuilt = rebuild(&mut recorder, trace, resume, (live, &reds), None, &Allocator(self));
        // The trace's own frame: the virtualizable that the resume data brought up to date.
        let root = resume.objects.iter().find_map(|object| match object.kind {
            ObjectKind::Existing(operand) => operand.as_var(),
            ObjectKind::Virtual(_) | ObjectKind::Joined(..) => None,
        });
        let root =
            root.and_then(|var| live.iter().position(|known| *known == var)).map(|index| reds[index].operand);
        let (next, state) = if let Some(position) = &position {
            let state = <I::State<Meta> as RedState<Meta>>::load(&rebuilt.state, &position.greens);
            (Next::At(position.pc, position.raising), state)
        } else {
            let types = [Ty::Int].into_iter().chain(self.types.iter().copied());
            let typed: Vec<(Red, Ty)> = rebuilt.state.iter().copied().zip(types).collect();
            recorder.guard_position(resume.position, &typed, rebuilt.state[0]);
            self.returned_elsewhere(&mut recorder, &rebuilt.state, &results.unwrap_or_default())
        };
        recorder.prepare_feed(rebuilt.feed, resume.flushed);
        let goal = Goal::Bridge { guard: left.guard, head: left.head };
        let mut recording = Recording::new(recorder, root, goal, Vec::new());
        let passed = self.tables.borrow().passed(left.guard);
        recording.inputs.passed = passed
            .iter()
            .filter_map(|(var, part)| {
                let input = live.iter().position(|known| known == var)?;
                Some((reds[input].operand.as_var()?, *part))
            })
            .collect();
        recording.called = elsewhere;
        recording.calls = Calls::inherited(position.and_then(|position| position.inlined));
        self.record(recording, next, state)
    }

    /// The results of the entry that returned elsewhere, as the first operations of a bridge.
    fn entry_results(
        &self,
        recorder: &mut Recorder,
        resume: &Resume,
        reds: &[Red],
        live: &[Var],
    ) -> Vec<Red> {
        let status = match &resume.state[0] {
            Desc::Operand(operand) => operand.as_var(),
            _ => None,
        };
        let Some(at) = status.and_then(|var| live.iter().position(|known| *known == var)) else {
            unreachable!("the position at which an entry returned is a variable")
        };
        let point = self.tables.borrow().returns.at(reds[at].bits as u32);
        let types = point.results.iter().map(|part| self.type_of(*part));
        let results: Vec<(u64, Ty)> = self.waiting_results().into_iter().zip(types).collect();
        recorder.entry_results(reds[at], &results)
    }
}
