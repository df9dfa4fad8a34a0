//! Calls of compiled entries, while recording: recursion that is not inlined, and functions with loops.
//!
//! The callee is executed for real, in the middle of the recording, up to the instruction that returns from
//! it; that one is recorded in the calling trace, which so needs not know how frames are left.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::atomic::Ordering;

use hotloop_ir::{EntryCall, FieldKind, Live, Opcode, Part, Returning, Ty, TypeRef, caller_of_token};
use hotloop_record::{Abort, EntryPositions, Kept, Recorder, Red};

use super::record::{Before, End, Goal, INNER_ATTEMPTS, Recording};
use super::tables::{HeadKind, NO_POSITION, Position};
use super::{Next, Vm};
use crate::interpreter::{Interpreter, RedState, Step};
use crate::mode::{Direct, Meta};

/// Most instructions of a callee's own frame that are executed while its caller is recorded.
const MOST_STEPS: u32 = 20_000;

/// What stands for positions in the resume data behind calls of entries.
const ENTRY_POSITIONS: EntryPositions = EntryPositions { unwound: NO_POSITION - 1, elsewhere: NO_POSITION };

/// The position of an exit behind a call that returned elsewhere.
pub(super) const ELSEWHERE: u32 = ENTRY_POSITIONS.elsewhere;

/// A callee that is about to return.
pub(super) struct Returned<P> {
    /// The instruction that returns.
    pub position: Position<P>,
    /// The red state before it.
    pub words: Vec<u64>,
    /// What it has done.
    pub kept: Vec<Kept>,
    /// A frame that the caller's trace keeps to itself was written before that.
    pub changed: bool,
}

/// The entry that is called.
struct Callee {
    code: Option<u32>,
    slots: Rc<Vec<usize>>,
    /// The numbers of its inputs that may be tokens.
    tokens: Vec<u32>,
}

impl<I: Interpreter> Vm<'_, I> {
    /// The trace's own frame is left by the instruction that was executed last: the trace ends before it.
    pub(super) fn returns(&self, recording: &mut Recording<I::Pc>, before: Before<I::Pc>) -> End<I::Pc> {
        let Some((_, ty)) = Self::frame().filter(|_| !matches!(recording.goal, Goal::Loop { .. })) else {
            return End::Aborted(Abort::Left);
        };
        let (Some(root), Some(operand)) = (recording.recorder.own_frame(), recording.root) else {
            return End::Aborted(Abort::Left);
        };
        recording.recorder.rewind_instruction();
        let greens = recording.recorder.instruction_position();
        let position = self.tables.borrow().position(greens);
        let own = Red { bits: root, operand };
        let parts = self.parts_left(before.pc, before.raising, ty, root);
        let mut same = Vec::new();
        for part in &parts {
            let operand = match *part {
                Part::Word(word) => recording.recorder.state_operand(word as usize),
                Part::Slot(slot) => {
                    recording.recorder.known_slot(own, ty, slot as usize).map(|red| red.operand)
                }
            };
            let input = operand.and_then(|operand| operand.as_var());
            if let Some(var) = input.filter(|var| recording.inputs.passed.contains(&(*var, *part))) {
                same.push((*part, var));
            }
        }
        let unchanged = |part| same.iter().any(|(known, _)| *known == part);
        let number = self.tables.borrow_mut().returns.number(position, || parts, unchanged);
        let point = self.tables.borrow().returns.at(number);
        if point.results.len() > hotloop_codegen::MOST_RESULTS {
            recording.recorder.finish(Opcode::Exit, 0, &[]);
            return End::Whole;
        }
        same.retain(|(part, _)| point.same.contains(part));
        let results = point.results.to_vec();
        recording.recorder.trace.returning = Some(Returning { results, same });
        recording.recorder.finish(Opcode::Return, number, &[]);
        End::Whole
    }

    /// What can have changed since a frame was entered when the instruction at `pc` leaves it: the red state, and the
    /// frame's slots but for references to frames.
    fn parts_left(&self, pc: I::Pc, raising: bool, ty: TypeRef, frame: u64) -> Vec<Part> {
        let own = Self::frame().map_or(0, |(index, _)| index);
        let words = (0..self.types.len()).filter(|word| *word != own).map(|word| Part::Word(word as u32));
        let descr = ty.get();
        let length = hotloop_record::read_length(frame);
        let live = if raising { Live::ALL } else { self.interpreter.live_items(pc) };
        let slots = (0..descr.fields.len() + length as usize).filter(|slot| {
            let kind = descr.slot(*slot).1;
            let frame =
                kind == FieldKind::Ref && Self::is_frame(kind, hotloop_record::read_slot(frame, ty, *slot));
            Self::means_something(ty, *slot, live) && !Self::is_immutable(ty, *slot) && !frame
        });
        words.chain(slots.map(|slot| Part::Slot(slot as u32))).collect()
    }

    /// Records a call of a function's entry: its frame was made by the instruction before.
    pub(super) fn call_entry(
        &self,
        recording: &mut Recording<I::Pc>,
        pc: I::Pc,
        state: &mut I::State<Meta>,
        recursive: bool,
    ) -> End<I::Pc> {
        let Some((index, ty)) = Self::frame() else { return End::Aborted(Abort::Left) };
        let (words, greens) = Self::parts(state);
        let frame = words[index];
        let Some(callee) = self.callee(recording, pc, &greens) else {
            let cell = self.interpreter.loop_cell(pc);
            let mut tables = self.tables.borrow_mut();
            let head = tables.head(cell, HeadKind::Entry, &greens);
            let jit = self.interpreter.runtime().jit();
            let callee = &tables.heads[head];
            // A function that rests, or that comes to nothing on its own, had better be part of this trace.
            let most = if recursive { jit.max_aborts } else { INNER_ATTEMPTS };
            if callee.aborts <= most && callee.rest_until.is_none() {
                cell.set_count(1);
                return End::Aborted(Abort::CalleeFirst);
            }
            drop(tables);
            return if recursive {
                self.exit(recording, pc, false, state)
            } else {
                End::Open(Next::After(Step::Call(pc)))
            };
        };
        // Frames of this trace among the callee's slots.
        let mut callers: Vec<Red> = Vec::new();
        let mut held = Vec::new();
        for (number, slot) in callee.slots.iter().enumerate() {
            let kind = ty.get().slot(*slot).1;
            if kind != FieldKind::Ref {
                continue;
            }
            let red = recording.recorder.slot(frame, ty, *slot);
            let operand = recording.recorder.frame_operand(red);
            let own = Some(operand) == recording.root
                || recording.recorder.is_made(operand) && Self::is_frame(kind, red.bits)
                || operand.as_var().is_some_and(|var| recording.recorder.trace.tokens.contains(&var));
            if !own {
                continue;
            }
            if !callee.tokens.contains(&((self.types.len() + number) as u32)) {
                return self.exit(recording, pc, false, state);
            }
            let known = callers.iter().position(|known| recording.recorder.frame_operand(*known) == operand);
            let caller = known.unwrap_or_else(|| {
                callers.push(red);
                callers.len() - 1
            });
            held.push((*slot as u32, caller as u32));
        }
        let back = callers.first().map(|red| red.bits);
        let start = Self::executed(state);
        let (kept_slots, waiting) = self.frame_slots(&mut recording.recorder, callers.clone(), ty);
        let changed = || {
            let same = |(frame, slot, word): &(u64, usize, u64)| {
                hotloop_record::read_slot(*frame, ty, *slot) == *word
            };
            !kept_slots.iter().all(same)
        };
        let passed: Vec<u64> =
            callee.slots.iter().map(|slot| hotloop_record::read_slot(frame.bits, ty, *slot)).collect();
        let returned = match self.run_callee(pc, start, frame.bits, back, &changed) {
            Ok(returned) => returned,
            Err((next, left)) => {
                let (words, greens) = Self::parts(&left);
                *state = Self::unrecorded(&words, &greens);
                return End::Left(next);
            }
        };
        let Returned { position, words: ends, kept, changed } = returned;
        let (pc, raising, greens) = (position.pc, position.raising, position.greens.clone());
        let left = |part: Part| match part {
            Part::Word(word) => ends[word as usize],
            Part::Slot(slot) => hotloop_record::read_slot(frame.bits, ty, slot as usize),
        };
        let unchanged = |part: Part| match part {
            Part::Word(word) => words[word as usize].bits == left(part),
            Part::Slot(slot) => {
                let input = callee.slots.iter().position(|known| *known == slot as usize);
                input.is_some_and(|input| passed[input] == left(part))
            }
        };
        let parts = || self.parts_left(pc, raising, ty, frame.bits);
        let number = self.tables.borrow_mut().returns.number(position, parts, unchanged);
        let point = self.tables.borrow().returns.at(number);
        let results: Vec<(u64, Ty)> =
            point.results.iter().map(|part| (left(*part), self.type_of(*part))).collect();
        if changed || results.len() > hotloop_codegen::MOST_RESULTS {
            *state = Self::unrecorded(&ends, &greens);
            recording.recorder.record_executed(kept);
            return End::Left(Next::At(pc, raising));
        }
        let call = EntryCall {
            code: callee.code,
            frame: index as u32,
            slots: callee.slots.iter().map(|slot| *slot as u32).collect(),
            callers: held,
        };
        let typed: Vec<(Red, Ty)> = words.iter().copied().zip(self.types.iter().copied()).collect();
        let recorder = &mut recording.recorder;
        if recorder.own_frame().is_some_and(|own| !waiting.contains(&own)) {
            // It does not wait for the callee, which may find it where others keep it, and go on there.
            recorder.give_away_frame();
        }
        let reds = recorder.call_entry(call, frame, &typed, &callers, &results, number, ENTRY_POSITIONS);
        *state = self.after_return(recorder, &words, &point.results, &reds, &greens);
        recording.called = true;
        recording.recorder.record_executed(kept);
        End::Open(Next::At(pc, raising))
    }

    /// What these frames, which the trace keeps to itself, and those they refer to hold where the trace knows it:
    /// frame, slot, word; and the frames.
    fn frame_slots(
        &self,
        recorder: &mut Recorder,
        mut frames: Vec<Red>,
        ty: TypeRef,
    ) -> (Vec<(u64, usize, u64)>, Vec<u64>) {
        let mut seen: Vec<u64> = Vec::new();
        let mut held = Vec::new();
        while let Some(frame) = frames.pop() {
            if seen.contains(&frame.bits) {
                continue;
            }
            seen.push(frame.bits);
            let count = ty.get().fields.len() + hotloop_record::read_length(frame.bits) as usize;
            for slot in 0..count {
                let Some(known) = recorder.known_slot(frame, ty, slot) else { continue };
                held.push((frame.bits, slot, hotloop_record::read_slot(frame.bits, ty, slot)));
                if Self::is_frame(ty.get().slot(slot).1, known.bits) {
                    frames.push(known);
                }
            }
        }
        (held, seen)
    }

    /// The state behind a call with these results, where its words before the call were these; the rest of the results
    /// goes to the callee's frame.
    pub(super) fn after_return(
        &self,
        recorder: &mut Recorder,
        words: &[Red],
        parts: &[Part],
        results: &[Red],
        greens: &[u64],
    ) -> I::State<Meta> {
        let Some((index, ty)) = Self::frame() else { unreachable!("entries have frames") };
        let (mut words, frame) = (words.to_vec(), words[index]);
        for (part, red) in parts.iter().zip(results) {
            match *part {
                Part::Word(word) => words[word as usize] = *red,
                Part::Slot(slot) => recorder.record_store(frame, ty, slot as usize, *red),
            }
        }
        <I::State<Meta> as RedState<Meta>>::load(&words, greens)
    }

    /// The type of a part of the state.
    pub(super) fn type_of(&self, part: Part) -> Ty {
        match (part, Self::frame()) {
            (Part::Word(word), _) => self.types[word as usize],
            (Part::Slot(slot), Some((_, ty))) => ty.get().slot(slot as usize).1.ty(),
            (Part::Slot(_), None) => unreachable!("slots are those of frames"),
        }
    }

    /// The entry to call: a compiled one, or the one that is just recorded.
    fn callee(&self, recording: &mut Recording<I::Pc>, pc: I::Pc, greens: &[u64]) -> Option<Callee> {
        let tables = self.tables.borrow();
        let head = tables.find_head(self.interpreter.loop_cell(pc), HeadKind::Entry, greens)?;
        if let Goal::Entry { head: own, .. } = recording.goal
            && own == head
        {
            let tokens = recording.recorder.trace.tokens.iter().map(|var| var.0).collect();
            return Some(Callee { code: None, slots: Rc::new(recording.inputs.slots.clone()), tokens });
        }
        let trace = tables.heads[head].trace?;
        let compiled = tables.trace(trace);
        if compiled.invalid.load(Ordering::Relaxed) != 0 {
            return None;
        }
        let (code, slots) = (Some(compiled.code.0), compiled.slots.clone());
        let callee = Callee { code, slots, tokens: compiled.entry_tokens() };
        drop(tables);
        self.tables.borrow_mut().pins.push(trace);
        recording.ending.links.push(trace);
        Some(callee)
    }

    /// Executes a callee until it is about to return to the caller's frame; gives up in time.
    #[allow(clippy::type_complexity)] // what the driver passes around
    fn run_callee(
        &self,
        pc: I::Pc,
        mut state: I::State<Direct>,
        frame: u64,
        caller: Option<u64>,
        changed: &dyn Fn() -> bool,
    ) -> Result<Returned<I::Pc>, (Next<I::Pc>, I::State<Direct>)> {
        let mut recorder = Box::new(Recorder::replaying());
        self.recorders.borrow_mut().push(&raw const *recorder);
        let mut next = Next::After(Step::Call(pc));
        let mut result = None;
        for _ in 0..MOST_STEPS {
            // Loops and calls are as hot as ever; what lies above the callee's frame is none of this
            // recording's business.
            if let Next::After(step @ (Step::Call(pc) | Step::Loop(pc))) = next
                && self.interpreter.loop_cell(pc).tick()
            {
                let kind = if matches!(step, Step::Call(_)) { HeadKind::Entry } else { HeadKind::Loop };
                (next, state) = self.hot(kind, pc, state);
            }
            let back;
            (back, state) = self.drive_back_to(frame, caller, next, state);
            let Some(at) = back else {
                next = Next::After(Step::Done);
                break;
            };
            next = at;
            if state.frame_word() != Some(frame) {
                // It has returned, where nobody looked.
                break;
            }
            let Some((pc, raising)) = at.at() else { break };
            let (words, greens) = Self::parts(&state);
            recorder.keep_events();
            recorder.begin_instruction(0, &[], &[], None);
            let mut meta = Self::unrecorded(&words, &greens);
            // The instruction that returns may write the caller's frame: that is recorded.
            let changed = changed();
            let step = self.meta_step(&mut recorder, pc, raising, &mut meta);
            let kept = recorder.take_kept();
            let current = meta.frame_word().map(|red: Red| red.bits);
            if matches!(step, Step::Return(_) | Step::Raise(_)) && current == caller {
                // The words are in no place that the collector knows.
                self.kept.borrow_mut().extend_from_slice(&words);
                let position = Position { pc, raising, greens: Rc::new(greens), inlined: None };
                result = Some(Returned { position, words, kept, changed });
                break;
            }
            (next, state) = (Next::After(step), Self::executed(&meta));
        }
        self.recorders.borrow_mut().pop();
        result.ok_or((next, state))
    }
}

/// The words of an exit with the frames in place that tokens stood for.
pub(super) fn resolve<'a>(
    words: &'a [u64],
    types: impl Iterator<Item = Ty>,
    callers: &[u64],
) -> Cow<'a, [u64]> {
    if callers.is_empty() {
        return Cow::Borrowed(words);
    }
    words
        .iter()
        .zip(types)
        .map(|(word, ty)| match caller_of_token(*word).filter(|_| ty == Ty::Ref) {
            Some(number) => callers.get(number).copied().unwrap_or(0),
            None => *word,
        })
        .collect()
}
