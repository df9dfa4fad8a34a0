//! The dispatch loop in Meta mode, recording. It decides where a trace ends: closed at its own head, in
//! another compiled loop, or with an exit to the interpreter.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use hotloop_ir::{Opcode, Operand, Part, Ty, TypeRef, Var};
use hotloop_record::{Abort, Recorder, Red};

use super::calls::{Calls, Inlined};
use super::tables::{HeadKind, LoopCell, Position};
use super::{Next, Vm};
use crate::interpreter::{Interpreter, RedState, Step};
use crate::mode::{Direct, Meta};
use crate::watch::OneRun;

/// A loop whose recordings failed more often is unrolled in the traces that come across it.
pub(super) const INNER_ATTEMPTS: u32 = 2;

/// One place may have several loops.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Which {
    /// The one that the interpreter enters.
    Main,
    /// The same with all guards in its body, beside one whose moved guards failed.
    Plain,
    /// One for other types, or other promoted constants (`hotloop_opt::Version`).
    Version,
}

/// What is recorded.
#[derive(Clone, Copy, Debug)]
pub(super) enum Goal<P> {
    /// A loop, from its head.
    Loop { pc: P, head: usize, which: Which },
    /// A function, from its entry.
    Entry { pc: P, head: usize },
    /// What follows a guard's failure; `head` is that of its root trace.
    Bridge { guard: u32, head: usize },
}

/// A recording at work.
pub(super) struct Recording<P> {
    pub recorder: Box<Recorder>,
    /// The operand of the trace's own frame.
    pub root: Option<Operand>,
    pub goal: Goal<P>,
    pub inputs: Inputs,
    pub ending: Ending,
    /// An entry was called just before.
    pub called: bool,
    /// How often it has come by the back edges of other loops.
    pub loops: HashMap<*const LoopCell, u32>,
    /// The calls that are inlined at this point.
    pub calls: Calls,
}

impl<P> Recording<P> {
    /// A recording that has just begun.
    pub fn new(recorder: Box<Recorder>, root: Option<Operand>, goal: Goal<P>, slots: Vec<usize>) -> Self {
        let (ending, loops, calls) = Default::default();
        let inputs = Inputs { slots, passed: Vec::new() };
        Recording { recorder, root, goal, inputs, ending, called: false, loops, calls }
    }
}

/// What a trace takes from where it starts.
pub(super) struct Inputs {
    /// The frame's slots that are inputs behind the red state; none for a bridge, which takes what its guard left.
    pub slots: Vec<usize>,
    /// Inputs that are, unchanged, what the function's caller has passed.
    pub passed: Vec<(Var, Part)>,
}

impl<P> Goal<P> {
    /// The place it belongs to.
    pub fn head(&self) -> usize {
        match self {
            Goal::Loop { head, .. } | Goal::Entry { head, .. } | Goal::Bridge { head, .. } => *head,
        }
    }
}

/// Where a trace goes on.
#[derive(Default)]
pub(super) struct Ending {
    /// In these entries, which it calls; they are not freed meanwhile.
    pub links: Vec<usize>,
    /// At the end in one of these traces, in the first if it is all the same; likewise.
    pub targets: Vec<usize>,
    /// It became too long and ends with an exit; what follows is a bridge of that.
    pub cut: bool,
}

/// Whose frame is current.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Owner {
    /// The trace's own, or the interpreter has no frames.
    Root,
    /// Made in this trace.
    Inlined,
    /// Somebody else's.
    Foreign,
}

/// How a recording ended.
pub(super) enum End<P> {
    /// The trace is whole.
    Whole,
    /// Given up.
    Aborted(Abort),
    /// Goes on.
    Open(Next<P>),
    /// Given up in the middle of a call of an entry.
    Left(Next<P>),
}

/// The instruction that was executed last.
#[derive(Clone, Copy)]
pub(super) struct Before<P> {
    pub pc: P,
    pub raising: bool,
    /// The address of its frame.
    pub frame: u64,
    /// That is the trace's own frame.
    pub root: bool,
}

impl<I: Interpreter> Vm<'_, I> {
    /// The slots of the frame that a trace starting at `pc` takes as inputs.
    pub(super) fn carried_slots(&self, pc: I::Pc, ty: TypeRef, frame: u64) -> Vec<usize> {
        let descr = ty.get();
        let length = hotloop_record::read_length(frame);
        let live = self.interpreter.live_items(pc);
        let slots = 0..descr.fields.len() + length as usize;
        slots.filter(|slot| Self::means_something(ty, *slot, live)).collect()
    }

    /// Records until the trace ends one way or another, and compiles it.
    pub(super) fn record(
        &self,
        mut recording: Recording<I::Pc>,
        next: Next<I::Pc>,
        mut state: I::State<Meta>,
    ) -> (Next<I::Pc>, I::State<Direct>) {
        let started = Instant::now();
        let pins = self.tables.borrow().pins.len();
        if let Goal::Bridge { guard, .. } = recording.goal {
            let mut tables = self.tables.borrow_mut();
            let parent = tables.guards[guard as usize].trace;
            tables.pins.push(parent);
        }
        self.next_generation();
        let run = OneRun::begin(self.checks_hints());
        self.recorders.borrow_mut().push(&raw const *recording.recorder);
        let (mut next, mut end) = (next, End::Open(next));
        let kept_before = self.kept.borrow().len();
        let long = self.interpreter.runtime().jit().trace_limit as usize / 4 * 3;
        let head = recording.goal.head();
        let before = std::mem::replace(&mut self.tables.borrow_mut().heads[head].recording, true);
        let mut first = true;
        while let End::Open(at) = end {
            next = at;
            let Some((pc, raising)) = at.at() else {
                end = End::Aborted(Abort::Left);
                break;
            };
            self.begin_in(&mut recording, pc, raising, &state);
            let poll = match recording.goal {
                Goal::Loop { .. } => Some(Opcode::GuardNoInterrupt),
                Goal::Entry { .. } => Some(Opcode::GuardStack),
                Goal::Bridge { .. } => None,
            };
            if let Some(poll) = poll.filter(|_| first) {
                recording.recorder.bare_guard(Opcode::GuardValid);
                recording.recorder.bare_guard(poll);
            }
            first = false;
            if std::mem::take(&mut recording.called) {
                recording.recorder.stable_may_change();
            }
            let root = self.owner(&mut recording, &state) == Owner::Root;
            let frame = Self::current_frame(&state);
            recording.recorder.expects_looks = self.tables.borrow().looked.contains(&pc);
            let step = self.meta_step(&mut recording.recorder, pc, raising, &mut state);
            next = Next::After(step);
            end = match recording.recorder.aborted() {
                Some(reason) => End::Aborted(reason),
                None => {
                    let before = Before { pc, raising, frame, root };
                    self.after_step(&mut recording, before, step, &mut state)
                }
            };
            if let End::Open(Next::After(_)) = end
                && !recording.called
                && recording.recorder.trace.ops.len() > long
            {
                next = Next::After(step);
                end = self.cut(&mut recording, next, &state);
            }
        }
        self.recorders.borrow_mut().pop();
        self.tables.borrow_mut().heads[head].recording = before;
        self.kept.borrow_mut().truncate(kept_before);
        if let End::Left(at) = end {
            // Given up in the middle of a call; the state is where that has come to.
            (next, end) = (at, End::Aborted(Abort::Callee));
        }
        drop(run);
        let elapsed = started.elapsed();
        {
            let mut tables = self.tables.borrow_mut();
            tables.summary.recording += elapsed;
            tables.summary.recorded_operations += recording.recorder.operations;
        }
        let reason = match end {
            End::Aborted(reason) => Some(reason),
            // Running out of room on the last operation still means giving up.
            _ => recording.recorder.aborted(),
        };
        match reason {
            Some(reason) => {
                self.aborted(&recording.goal, reason);
                self.tables.borrow_mut().free_positions(&recording.recorder.trace, None);
            }
            None => self.compile(recording),
        }
        let mut tables = self.tables.borrow_mut();
        tables.pins.truncate(pins);
        tables.heads[head].spent += started.elapsed();
        drop(tables);
        self.resume_direct(next, state)
    }

    /// Tells the recorder that an instruction begins.
    fn begin_in(&self, recording: &mut Recording<I::Pc>, pc: I::Pc, raising: bool, state: &I::State<Meta>) {
        let inlined = recording.calls.functions();
        self.begin(&mut recording.recorder, pc, raising, inlined, state);
    }

    /// Likewise, with these functions inlined.
    pub(super) fn begin(
        &self,
        recorder: &mut Recorder,
        pc: I::Pc,
        raising: bool,
        inlined: Inlined,
        state: &I::State<Meta>,
    ) {
        let (words, greens) = Self::parts(state);
        let live = Self::frame().map(|(index, _)| (words[index], self.interpreter.live_items(pc)));
        let position =
            self.tables.borrow_mut().add_position(Position { pc, raising, greens: Rc::new(greens), inlined });
        recorder.begin_instruction(position, &words, &self.types, if raising { None } else { live });
    }

    /// Executes one instruction in Meta mode.
    pub(super) fn meta_step(
        &self,
        recorder: &mut Recorder,
        pc: I::Pc,
        raising: bool,
        state: &mut I::State<Meta>,
    ) -> Step<I::Pc> {
        let check = self.checks_hints();
        let before = (check && recorder.is_unchecked()).then(|| {
            recorder.keep_events();
            Self::words_of(state)
        });
        let mut run = || {
            // SAFETY: the recorder outlives the guard and is used through it only meanwhile.
            let _entered = unsafe { hotloop_record::enter(recorder) };
            if raising {
                self.interpreter.handle::<Meta>(pc, state)
            } else {
                self.interpreter.step::<Meta>(pc, state)
            }
        };
        let step =
            if check { hotloop_record::at_place(&|| self.interpreter.describe(pc), run) } else { run() };
        recorder.end_instruction();
        if let Some(before) = before {
            self.check_step(recorder, (pc, raising), before, step, state);
        }
        step
    }

    /// The address of a state's frame; 0 if it has none.
    fn current_frame(state: &I::State<Meta>) -> u64 {
        state.frame_word().map_or(0, |red: Red| red.bits)
    }

    fn owner(&self, recording: &mut Recording<I::Pc>, state: &I::State<Meta>) -> Owner {
        let Some(frame) = state.frame_word().filter(|_| Self::frame().is_some()) else { return Owner::Root };
        let operand = recording.recorder.frame_operand(frame);
        if Some(operand) == recording.root {
            Owner::Root
        } else if recording.recorder.is_made(operand) {
            Owner::Inlined
        } else {
            Owner::Foreign
        }
    }

    fn after_step(
        &self,
        recording: &mut Recording<I::Pc>,
        before: Before<I::Pc>,
        step: Step<I::Pc>,
        state: &mut I::State<Meta>,
    ) -> End<I::Pc> {
        let go_on = End::Open(Next::After(step));
        // Whoever's it is (a generator's that the trace has resumed): the trace goes on in the same frame, or in one
        // whose call was recorded.
        let frame = Self::current_frame(state);
        let known =
            !matches!(step, Step::Call(_)) && (recording.calls.back_in(frame) || frame == before.frame);
        if !known && matches!(step, Step::Return(_) | Step::Raise(_)) {
            recording.calls.left();
        }
        match step {
            Step::Next(_) | Step::Switch(_) => go_on,
            Step::Done => End::Aborted(Abort::Left),
            Step::Call(pc) => {
                if self.interpreter.runtime().poll().load(Ordering::Relaxed) != 0 {
                    return End::Aborted(Abort::Left);
                }
                let cell: *const LoopCell = self.interpreter.loop_cell(pc);
                let own = self.tables.borrow().heads[recording.goal.head()].entry;
                let depth = recording.calls.depth(cell) + usize::from(own == Some(cell));
                recording.calls.push(cell, before.frame);
                let owner = self.owner(recording, state);
                let jit = self.interpreter.runtime().jit();
                let apart = depth >= jit.max_unroll_recursion as usize
                    || !jit.inlining
                    || self.interpreter.can_never_inline(pc);
                if owner == Owner::Inlined && (apart || self.interpreter.loop_cell(pc).is_called()) {
                    // Its return is recorded here, and takes it off `calls`.
                    return self.call_entry(recording, pc, state, apart);
                }
                if apart || owner == Owner::Foreign {
                    return self.exit(recording, pc, false, state);
                }
                go_on
            }
            Step::Return(pc) | Step::Raise(pc) => match self.owner(recording, state) {
                Owner::Foreign if known => go_on,
                Owner::Foreign if before.root => self.returns(recording, before),
                Owner::Foreign => self.exit(recording, pc, matches!(step, Step::Raise(_)), state),
                _ => go_on,
            },
            Step::Loop(pc) => self.at_back_edge(recording, pc, state),
        }
    }

    /// Ends the trace with an exit to the interpreter. A loop that does not close is not worth its code.
    pub(super) fn exit(
        &self,
        recording: &mut Recording<I::Pc>,
        pc: I::Pc,
        raising: bool,
        state: &I::State<Meta>,
    ) -> End<I::Pc> {
        if matches!(recording.goal, Goal::Loop { .. }) {
            return End::Aborted(Abort::Left);
        }
        self.begin_in(recording, pc, raising, state);
        recording.recorder.finish(Opcode::Exit, 0, &[]);
        End::Whole
    }

    /// Ends a trace that becomes too long. The next piece is recorded when this one is left (PyPy cuts traces
    /// of huge functions like this, `force_finish_trace`).
    fn cut(&self, recording: &mut Recording<I::Pc>, next: Next<I::Pc>, state: &I::State<Meta>) -> End<I::Pc> {
        let Some((pc, raising)) = next.at() else { return End::Aborted(Abort::Left) };
        self.begin_in(recording, pc, raising, state);
        recording.recorder.finish(Opcode::Exit, 0, &[]);
        recording.ending.cut = true;
        End::Whole
    }

    fn at_back_edge(
        &self,
        recording: &mut Recording<I::Pc>,
        pc: I::Pc,
        state: &I::State<Meta>,
    ) -> End<I::Pc> {
        if self.interpreter.runtime().poll().load(Ordering::Relaxed) != 0 {
            return End::Aborted(Abort::Left);
        }
        let mut greens = Vec::new();
        state.greens(&mut greens);
        let cell = self.interpreter.loop_cell(pc);
        let owner = self.owner(recording, state);
        let found = self.tables.borrow().find_head(cell, HeadKind::Loop, &greens);
        if let (Goal::Loop { head, .. }, Owner::Root) = (recording.goal, owner)
            && found == Some(head)
        {
            let slots = recording.inputs.slots.clone();
            let args = self.jump_args(&mut recording.recorder, state, &slots);
            recording.recorder.finish(Opcode::Loop, 0, &args);
            return End::Whole;
        }
        let bridge = match recording.goal {
            Goal::Bridge { guard, .. } => Some(guard),
            Goal::Loop { .. } | Goal::Entry { .. } => None,
        };
        let target = found.and_then(|head| {
            let tables = self.tables.borrow();
            let targets = tables.targets(head, bridge);
            let compiled = tables.trace(*targets.first()?);
            Some((compiled.code, compiled.slots.clone(), compiled.entry_tokens(), targets))
        });
        if target.is_some() && owner == Owner::Inlined && self.call_instead(recording) {
            return End::Aborted(Abort::LoopInCallee);
        }
        if let Some((code, slots, tokens, targets)) = target {
            self.tables.borrow_mut().pins.extend(&targets);
            recording.ending.targets = targets;
            recording.recorder.trace.entered = tokens;
            // The position, should the loop's entry need one.
            self.begin_in(recording, pc, false, state);
            if owner != Owner::Root {
                recording.recorder.flush();
            }
            let args = self.jump_args(&mut recording.recorder, state, &slots);
            recording.recorder.finish(Opcode::Enter, code.0, &args);
            return End::Whole;
        }
        let visits = recording.loops.entry(cell).or_default();
        *visits += 1;
        if *visits > self.interpreter.unroll_limit(pc) && owner != Owner::Foreign {
            // This inner loop has to be compiled first: at its next back edge.
            if owner == Owner::Inlined {
                self.call_instead(recording);
            }
            let mut tables = self.tables.borrow_mut();
            let head = tables.head(cell, HeadKind::Loop, &greens);
            if tables.heads[head].aborts > INNER_ATTEMPTS || tables.heads[head].rest_until.is_some() {
                // It comes to nothing on its own (it is short, or retired): part of this trace, unrolled.
                return End::Open(Next::After(Step::Loop(pc)));
            }
            cell.set_count(1);
            return End::Aborted(if owner == Owner::Root { Abort::InnerLoop } else { Abort::LoopInCallee });
        }
        End::Open(Next::After(Step::Loop(pc)))
    }

    /// The innermost function that is inlined has a loop: it is called from now on. If the parent of a bridge
    /// has inlined it, the tree is recorded anew, for there is no end to the ways out of that loop. Whether
    /// something is different next time.
    fn call_instead(&self, recording: &Recording<I::Pc>) -> bool {
        let Some(called) = recording.calls.innermost() else { return false };
        let new = !called.is_called();
        called.call_instead();
        if !recording.calls.inherits() {
            return new;
        }
        let mut tables = self.tables.borrow_mut();
        let head = &mut tables.heads[recording.goal.head()];
        // It may be inlined again, for want of a good entry.
        let anew = head.trace.is_some() && head.aborts <= INNER_ATTEMPTS;
        if anew {
            head.aborts += 1;
            tables.record_anew(recording.goal.head());
        }
        new || anew
    }

    /// The red state and the frame's slots, as a loop's entry wants them.
    fn jump_args(&self, recorder: &mut Recorder, state: &I::State<Meta>, slots: &[usize]) -> Vec<(Red, Ty)> {
        let (words, _) = Self::parts(state);
        let mut args: Vec<(Red, Ty)> = words.into_iter().zip(self.types.iter().copied()).collect();
        if let Some((index, ty)) = Self::frame() {
            let frame = args[index].0;
            for slot in slots {
                let red = recorder.slot(frame, ty, *slot);
                args.push((red, ty.get().slot(*slot).1.ty()));
            }
        }
        args
    }
}
