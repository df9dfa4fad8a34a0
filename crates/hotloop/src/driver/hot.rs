//! A hot place: run what is compiled for it, or record it; and the poll.

use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use hotloop_codegen::Exits;
use hotloop_ir::{Desc, Fact, ObjectDesc, ObjectKind, Part, Resume, Var};
use hotloop_record::{Abort, Recorder, Red};

use super::record::{Goal, Recording, Which};
use super::tables::{HeadKind, Position};
use super::{Next, Vm};
use crate::Plain;
use crate::hooks::AbortInfo;
use crate::interpreter::{Interpreter, Interrupt, RedState, Step};
use crate::mode::{Direct, Meta};
use crate::runtime::{POLL_STOP, POLL_USER};
use crate::watch::OneRun;

/// So many recordings may wait for each other.
pub(super) const MOST_RECORDINGS: usize = 8;
/// How many back edges of a retired loop pass until the clock is looked at.
const RETIRED_TICKS: u32 = 20_000;

impl<I: Interpreter> Vm<'_, I> {
    /// At a back edge, or at a function's entry, whose counter has run out, or with the poll flag set.
    pub(super) fn hot(
        &self,
        kind: HeadKind,
        pc: I::Pc,
        state: I::State<Direct>,
    ) -> (Next<I::Pc>, I::State<Direct>) {
        let (interrupted, state) = self.poll(pc, state);
        if interrupted {
            return (Next::At(pc, true), state);
        }
        let jit = self.interpreter.runtime().jit();
        let cell = self.interpreter.loop_cell(pc);
        let threshold = match kind {
            HeadKind::Loop => jit.threshold,
            HeadKind::Entry => jit.function_threshold,
        };
        if !jit.enabled {
            // It may be switched on later.
            cell.set_count(threshold.max(1 << 16));
            return (Next::At(pc, false), state);
        }
        if !self.interpreter.confirm_enter_jit(pc) {
            return (Next::At(pc, false), state);
        }
        // An entry without a frame has nothing to be called with.
        if kind == HeadKind::Entry && Self::frame().is_none() {
            cell.set_count(u32::MAX);
            return (Next::At(pc, false), state);
        }
        let mut greens = Vec::new();
        state.greens(&mut greens);
        if self.tables.borrow().sweep {
            self.sweep();
            if self.recorders.borrow().is_empty() {
                let mut guard = self.tables.borrow_mut();
                let tables = &mut *guard;
                tables.returns.forget(tables.traces.iter().flatten().map(|compiled| &*compiled.trace));
            }
        }
        let (head, code, which) = {
            let mut tables = self.tables.borrow_mut();
            if cell.head(tables.owner).is_none() && threshold > 1 {
                // The first look only sets the counter.
                tables.head(cell, kind, &greens);
                cell.set_count(threshold);
                return (Next::At(pc, false), state);
            }
            let head = tables.head(cell, kind, &greens);
            let code = tables.heads[head].trace;
            let code = code.filter(|trace| tables.trace(*trace).invalid.load(Ordering::Relaxed) == 0);
            let entry = &mut tables.heads[head];
            let plain = std::mem::take(&mut entry.wants_plain) && entry.aborts <= jit.max_aborts;
            let version = std::mem::take(&mut entry.wants_version);
            let which = match code {
                Some(_) if version => Which::Version,
                Some(_) if plain => Which::Plain,
                _ => Which::Main,
            };
            (head, code, which)
        };
        if let Some(trace) = code
            && which == Which::Main
        {
            cell.set_count(1);
            let started = Instant::now();
            let place = || format!("code compiled for {}", self.interpreter.describe(pc));
            let result = match jit.check_hints {
                true => hotloop_record::at_place(&place, || self.enter_code(trace, state)),
                false => self.enter_code(trace, state),
            };
            let runs = &mut self.tables.borrow_mut().heads[head].runs;
            if self.left_for_good.get() {
                cell.set_count(runs.after_run(started.elapsed(), kind));
            } else {
                runs.unsettled();
            }
            return result;
        }
        if let Some(until) = self.tables.borrow().heads[head].rest_until
            && Instant::now() < until
        {
            cell.set_count(RETIRED_TICKS);
            return (Next::At(pc, false), state);
        }
        let aborts = self.tables.borrow().heads[head].aborts;
        if aborts > jit.max_aborts {
            cell.set_count(u32::MAX);
            return (Next::At(pc, false), state);
        }
        // A recording waits for a callee, further up: it is not begun twice, nor too many at a time.
        if self.tables.borrow().heads[head].recording || self.recorders.borrow().len() > MOST_RECORDINGS {
            cell.set_count(threshold);
            return (Next::At(pc, false), state);
        }
        // Should this recording fail, the next waits twice as long (unless there is code to run meanwhile).
        let wait = threshold.max(2).saturating_mul(1 << aborts.min(16));
        cell.set_count(if code.is_some() { 1 } else { wait });
        if std::mem::take(&mut self.tables.borrow_mut().heads[head].cold) {
            return (Next::At(pc, false), state);
        }
        self.record_head(kind, pc, head, which, state)
    }

    /// Whether the flag was set and made a language error.
    fn poll(&self, pc: I::Pc, mut state: I::State<Direct>) -> (bool, I::State<Direct>) {
        let runtime = self.interpreter.runtime();
        let flag = runtime.poll();
        if flag.load(Ordering::Relaxed) == 0 {
            return (false, state);
        }
        let asked = flag.swap(0, Ordering::Relaxed);
        if asked & POLL_STOP != 0 {
            runtime.heap().safepoint();
        }
        runtime.context().poll.rearm();
        let why = if asked & POLL_USER != 0 {
            Interrupt::User
        } else if runtime.heap().over_limit() {
            Interrupt::OutOfMemory
        } else {
            return (false, state);
        };
        let mut plain: I::State<Plain> = Self::in_mode(&state);
        let interrupted = self.interpreter.interrupt(pc, &mut plain, why);
        state = Self::in_mode(&plain);
        (interrupted, state)
    }

    /// Runs a compiled trace from its entry.
    pub(super) fn enter_code(
        &self,
        trace: usize,
        state: I::State<Direct>,
    ) -> (Next<I::Pc>, I::State<Direct>) {
        let (code, slots) = {
            let mut tables = self.tables.borrow_mut();
            let (head, generation) = (tables.trace(trace).head, tables.generation);
            tables.heads[head].used = generation;
            (tables.trace(trace).code, tables.trace(trace).slots.clone())
        };
        let mut inputs = Self::parts(&state).0;
        self.share(&inputs);
        if let Some((index, ty)) = Self::frame() {
            let frame = inputs[index];
            for slot in slots.iter() {
                inputs.push(if Self::is_immutable(ty, *slot) {
                    hotloop_record::read_slot(frame, ty, *slot)
                } else {
                    // Every exit writes the slot back; what it held must not be kept alive by the stale copy.
                    hotloop_record::take_slot(frame, ty, *slot)
                });
            }
        }
        let mut exits = Exits::default();
        let run = OneRun::begin(self.checks_hints());
        // SAFETY: the code is of this target, the inputs are the state and slots that its trace declares.
        let made = unsafe { self.execute(code, &inputs, &mut exits) };
        drop(run);
        self.leave(&exits, made)
    }

    /// Records a loop, or a function, from its head.
    fn record_head(
        &self,
        kind: HeadKind,
        pc: I::Pc,
        head: usize,
        which: Which,
        state: I::State<Direct>,
    ) -> (Next<I::Pc>, I::State<Direct>) {
        let jit = self.interpreter.runtime().jit();
        let (words, greens) = Self::parts(&state);
        self.share(&words);
        let mut recorder = Box::new(Recorder::recording(jit.trace_limit as usize));
        let reds: Vec<Red> =
            words.iter().zip(&self.types).map(|(bits, ty)| recorder.input(*ty, *bits, Fact::ANY)).collect();
        let operand = |red: &Red| Desc::Operand(red.operand);
        let start: Vec<Desc> = reds.iter().map(operand).collect();
        let mut slots = Vec::new();
        let mut objects = Vec::new();
        if let Some((index, ty)) = Self::frame() {
            slots = self.carried_slots(pc, ty, words[index]);
            let descr = ty.get();
            let count = descr.fields.len() + hotloop_record::read_length(words[index]) as usize;
            // What is not carried is dead.
            let mut held: Vec<Option<Red>> = vec![Some(Red::constant(0)); count];
            recorder.trace.tokens.extend(reds[index].operand.as_var());
            for slot in &slots {
                let bits = hotloop_record::read_slot(words[index], ty, *slot);
                let kind = descr.slot(*slot).1;
                let red = recorder.input(kind.ty(), bits, Fact::ANY);
                if Self::is_frame(kind, bits) {
                    recorder.trace.tokens.extend(red.operand.as_var());
                }
                held[*slot] = Some(red);
            }
            recorder.virtualizable(reds[index], ty, &held);
            let described = |slot: usize| match held[slot] {
                Some(red) if slots.contains(&slot) => operand(&red),
                _ => Desc::Dead,
            };
            let slots = (0..count).map(described).collect();
            objects.push(ObjectDesc { ty, kind: ObjectKind::Existing(reds[index].operand), slots });
        }
        let greens_kept = Rc::new(greens.clone());
        let position = Position { pc, raising: false, greens: greens_kept, inlined: None };
        recorder.trace.start = Some(Box::new(Resume {
            position: self.tables.borrow_mut().add_position(position),
            state: Rc::new(start),
            objects: Rc::new(objects),
            stores: Vec::new(),
            log: Vec::new(),
            events: 0,
            flushed: false,
            kept: Rc::default(),
            facts: Vec::new(),
        }));
        let meta = <I::State<Meta> as RedState<Meta>>::load(&reds, &greens);
        let root = Self::frame().map(|(index, _)| reds[index].operand);
        let goal = match kind {
            HeadKind::Loop => Goal::Loop { pc, head, which },
            HeadKind::Entry => Goal::Entry { pc, head },
        };
        let mut recording = Recording::new(recorder, root, goal, slots);
        if kind == HeadKind::Entry {
            let words = (0..words.len()).map(|word| Part::Word(word as u32));
            let slots = recording.inputs.slots.iter().map(|slot| Part::Slot(*slot as u32));
            recording.inputs.passed = (0..).map(Var).zip(words.chain(slots)).collect();
        }
        self.record(recording, Next::At(pc, false), meta)
    }

    /// A recording failed: when it is tried again.
    pub(super) fn aborted(&self, goal: &Goal<I::Pc>, reason: Abort) {
        let mut tables = self.tables.borrow_mut();
        tables.count_abort(reason);
        match *goal {
            // They have a limit of their own.
            Goal::Loop { which: Which::Version, .. } => {}
            Goal::Loop { head, .. } | Goal::Entry { head, .. } => tables.heads[head].aborts += 1,
            // The version is recorded now; the bridge with its next failure.
            Goal::Bridge { guard, .. } if reason == Abort::OtherVersion => {
                let guard = &mut tables.guards[guard as usize];
                guard.eagerness = guard.failures + 1;
            }
            Goal::Bridge { guard, .. } => {
                let max = self.interpreter.runtime().jit().max_aborts;
                let guard = &mut tables.guards[guard as usize];
                guard.aborts += 1;
                guard.eagerness = if guard.aborts > max {
                    u32::MAX
                } else {
                    guard.eagerness.saturating_mul(2).max(guard.failures)
                };
            }
        }
        drop(tables);
        if let Some(hooks) = self.interpreter.runtime().hooks() {
            let (place, kind) = self.place_of(goal);
            hooks.on_abort(&AbortInfo { place: &place, kind, reason: &reason.to_string() });
        }
        let place = match *goal {
            Goal::Loop { pc, .. } | Goal::Entry { pc, .. } => self.interpreter.describe(pc),
            Goal::Bridge { guard, .. } => format!("bridge of guard {guard}"),
        };
        self.interpreter.runtime().log().write(hotloop_log::Section::Abort, place, format!("{reason}\n"));
    }

    /// The step after which the driver goes on without recording.
    pub(super) fn resume_direct(
        &self,
        next: Next<I::Pc>,
        state: I::State<Meta>,
    ) -> (Next<I::Pc>, I::State<Direct>) {
        // A loop or call met while recording is counted like any other.
        let next = match next {
            Next::After(Step::Loop(pc) | Step::Call(pc)) if !self.interpreter.loop_cell(pc).tick() => {
                Next::At(pc, false)
            }
            other => other,
        };
        (next, Self::executed(&state))
    }
}
