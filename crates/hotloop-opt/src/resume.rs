//! What stands behind a guard: the state at the start of its instruction, and the log of what the
//! instruction had already done (design: resume by replay).
//!
//! For every event before the guard, by the status of its object *at the guard*:
//!
//! ```text
//! object virtual, or the trace's own frame   everything is done again: the snapshot is from before
//! write to a real object                     skipped: it was made (or is put off: then the exit makes it)
//! copy to a real object                      skipped; to a virtual one: done again, which reads its source
//!                                            again; if that may have changed, the target is forced
//! call                                       fed
//! allocation that was forced                 fed
//! read of a real object                      fed if an effect follows it before the guard, else done again
//! float made a value                         done again: nobody minds which box it is
//! hint                                       fed if anything is: plain execution knows no hints
//! ```
//!
//! Behind a call in which somebody may look at frames stands `guard_not_forced`. Its resume data is made for both:
//! for who looks, in the call (objects and the frame as they are there), and for the exit, as the trace is left if
//! somebody did. By then all objects are real, and the frame is one of them: nothing is done again.

use rustc_hash::FxHashMap as HashMap;
use std::rc::Rc;

use hotloop_ir::{
    Desc, Event, EventKind, Feed, Log, MOST_HANDLES, Mutability, ObjectDesc, ObjectKind, Operand, Place,
    Resume, Run, Store, Var,
};

use crate::pipeline::Optimizer;
use crate::value::{Home, Joined, JoinedRun, ObjectId, Slot, Val};

/// The part of resume data that the guards of one instruction share.
pub(crate) struct SnapshotCache {
    forced: u32,
    state: Rc<Vec<Desc>>,
    objects: Rc<Vec<ObjectDesc>>,
}

struct Builder<'b, 'a> {
    optimizer: &'b mut Optimizer<'a>,
    /// Everything as it is in a call, not as the instruction began.
    in_call: bool,
    indices: HashMap<ObjectId, u32>,
    objects: Vec<ObjectDesc>,
}

impl<'b, 'a> Builder<'b, 'a> {
    fn new(optimizer: &'b mut Optimizer<'a>, in_call: bool) -> Builder<'b, 'a> {
        Builder { optimizer, in_call, indices: HashMap::default(), objects: Vec::new() }
    }

    fn desc(&mut self, value: Val) -> Desc {
        match self.optimizer.settle(value) {
            Val::Op(operand) => Desc::Operand(operand),
            Val::Virtual(id) => Desc::Object(self.object(id)),
            Val::Tagged(id) => {
                let object = Desc::Object(self.object(id));
                Desc::Expr(Rc::new((hotloop_ir::Opcode::RefToValue, vec![object])))
            }
        }
    }

    /// The object's index, described if it was not yet.
    fn object(&mut self, id: ObjectId) -> u32 {
        if let Some(index) = self.indices.get(&id) {
            return *index;
        }
        let object = &self.optimizer.state.objects[id.0 as usize];
        let (ty, items, home, joined) = (object.ty, object.items, object.home, object.joined.clone());
        let index = self.objects.len() as u32;
        self.indices.insert(id, index);
        let kind = match home {
            Home::Virtualizable(operand) => ObjectKind::Existing(operand),
            _ => match joined {
                None => ObjectKind::Virtual(items),
                Some(Joined { length, runs, .. }) => {
                    let run = |JoinedRun { from, ty, at, to, count }: JoinedRun| {
                        let [from, at, to, count] = [from, at, to, count].map(Desc::Operand);
                        Run { from, ty, at, to, count }
                    };
                    ObjectKind::Joined(Desc::Operand(length), runs.into_iter().map(run).collect())
                }
            },
        };
        self.objects.push(ObjectDesc { ty, kind: kind.clone(), slots: Vec::new() });
        // As the instruction began: what it wrote is undone, the oldest entry of a slot counts.
        let mut slots = object.slots.clone();
        if self.optimizer.options.break_rule != Some(4)
            && (!self.in_call || self.optimizer.options.break_rule == Some(10))
        {
            for (owner, slot, before) in self.optimizer.state.undo.iter().rev() {
                if *owner == id {
                    slots[*slot as usize] = *before;
                }
            }
        }
        let exists = matches!(kind, ObjectKind::Existing(_));
        let descr = ty.get();
        let keep = exists && self.optimizer.options.break_rule == Some(6);
        let described = slots
            .into_iter()
            .enumerate()
            .map(|(slot, content)| {
                let immutable = exists
                    && descr
                        .fields
                        .get(slot)
                        .is_some_and(|field| field.get().mutability == Mutability::Immutable);
                match content {
                    _ if keep => Desc::Keep,
                    Slot::Unknown => Desc::Keep,
                    Slot::Dead if immutable => Desc::Keep,
                    Slot::Dead => Desc::Dead,
                    Slot::Known(value) => self.desc(value),
                }
            })
            .collect();
        self.objects[index as usize].slots = described;
        index
    }

    fn state(&mut self, state: &[Operand]) -> Vec<Desc> {
        let described = state
            .iter()
            .map(|operand| {
                let value = self.optimizer.value(*operand);
                self.desc(value)
            })
            .collect();
        if let Some(id) = self.optimizer.state.virtualizable {
            self.object(id);
        }
        described
    }

    /// Whether everything done to the object is done again in replay.
    fn done_again(&mut self, operand: Operand) -> bool {
        !self.in_call && self.optimizer.done_again(operand)
    }

    /// What is fed is never virtual: results of calls, of reads of real objects, and forced allocations.
    fn fed(&mut self, operand: Operand) -> Desc {
        let value = self.optimizer.value(operand);
        if self.in_call { self.desc(value) } else { Desc::Operand(self.optimizer.materialize(value)) }
    }

    /// A call's result, and whether it raised.
    fn outcome(&mut self, event: &Event) -> Feed {
        let result = if event.result.is_none() { Desc::Dead } else { self.fed(event.result) };
        match event.raised.is_none() {
            true => Feed::Result(result),
            false => Feed::Outcome(result, self.fed(event.raised)),
        }
    }

    fn log(&mut self, events: &[Event]) -> Vec<Log> {
        let broken = self.optimizer.options.break_rule;
        let mut log = Vec::new();
        // A call follows that may do anything.
        let mut effect_follows = self.in_call;
        let mut hints_only = !self.in_call;
        for (number, event) in events.iter().enumerate().rev() {
            let feed = match event.kind {
                EventKind::Write | EventKind::Copy => {
                    if self.done_again(event.object) {
                        continue;
                    }
                    effect_follows = true;
                    (broken != Some(0)).then_some(Feed::Skip)
                }
                EventKind::Box => continue,
                EventKind::Read => {
                    if !effect_follows || broken == Some(3) || self.done_again(event.object) {
                        continue;
                    }
                    Some(Feed::Result(self.fed(event.result)))
                }
                EventKind::Hint => {
                    if broken == Some(7) {
                        continue;
                    }
                    Some(Feed::Result(self.fed(event.result)))
                }
                EventKind::Alloc => {
                    if broken == Some(2) || self.done_again(event.object) {
                        continue;
                    }
                    Some(Feed::Result(self.fed(event.result)))
                }
                EventKind::CallReads | EventKind::CallWrites => {
                    if event.kind == EventKind::CallWrites {
                        effect_follows = true;
                    }
                    if broken == Some(1) {
                        continue;
                    }
                    Some(self.outcome(event))
                }
            };
            if let Some(feed) = feed {
                hints_only &= event.kind == EventKind::Hint;
                log.push(Log { event: number as u32, check: event.check, feed });
            }
        }
        if hints_only {
            log.clear();
        }
        log.reverse();
        log
    }
}

impl Optimizer<'_> {
    /// The resume data of a guard that stands after so many events of the recorded trace.
    pub fn resume_data(&mut self, events_end: u32) -> Resume {
        let recorded = self.recorded;
        let instr = &recorded.instrs[self.state.instr as usize];
        let events = &recorded.events[instr.first_event as usize..events_end as usize];
        // What is fed may have to be tagged first, which is an operation: before anything is described.
        self.settle_copies(events);
        let log = Builder::new(self, false).log(events);
        let cached = self.snapshot.take().filter(|cache| cache.forced == self.state.forced);
        let snapshot = cached.unwrap_or_else(|| self.describe_state(&instr.state));
        let resume = self.resume(instr.position, &snapshot, log, events.len());
        self.snapshot = Some(snapshot);
        resume
    }

    fn describe_state(&mut self, state: &[Operand]) -> SnapshotCache {
        let mut builder = Builder::new(self, false);
        let state = builder.state(state);
        let objects = Rc::new(builder.objects);
        SnapshotCache { forced: self.state.forced, state: Rc::new(state), objects }
    }

    /// The resume data of the guard behind a call of the recorded trace, but for the call's own outcome; so many
    /// events come before it. `args` are what it is given: gives the numbers of the frames among them, which are
    /// handed over as handles.
    pub fn resume_in_call(&mut self, events_end: u32, args: &mut [Val]) -> (Resume, Vec<Option<u32>>) {
        let recorded = self.recorded;
        let instr = &recorded.instrs[self.state.instr as usize];
        let events = &recorded.events[instr.first_event as usize..events_end as usize];
        loop {
            let mut builder = Builder::new(self, true);
            let mut handles = Vec::new();
            for value in args.iter() {
                let frame = builder.optimizer.own_frame(*value);
                handles.push(frame.map(|id| builder.object(id)));
            }
            let state = builder.state(&instr.state);
            let log = builder.log(events);
            let objects = Rc::new(builder.objects);
            let high = |handle: &Option<u32>| handle.is_some_and(|number| number >= MOST_HANDLES);
            if let Some(index) = handles.iter().position(high) {
                // A frame that is made for the call after all.
                args[index] = Val::Op(self.materialize(args[index]));
                continue;
            }
            let snapshot = SnapshotCache { forced: self.state.forced, state: Rc::new(state), objects };
            return (self.resume(instr.position, &snapshot, log, events.len()), handles);
        }
    }

    /// The rest of it: the call's outcome.
    pub fn add_outcome(&mut self, resume: &mut Resume) {
        let instr = &self.recorded.instrs[self.state.instr as usize];
        let event = self.recorded.events[(instr.first_event + resume.events) as usize];
        let feed = Builder::new(self, true).outcome(&event);
        resume.log.push(Log { event: resume.events, check: event.check, feed });
        resume.events += 1;
    }

    fn resume(&mut self, position: u32, snapshot: &SnapshotCache, log: Vec<Log>, events: usize) -> Resume {
        let stores = if self.options.break_rule == Some(5) {
            Vec::new()
        } else {
            self.state
                .heap
                .pending
                .iter()
                .map(|pending| Store {
                    object: Desc::Operand(pending.object),
                    place: Place::Slot(pending.ty, pending.slot),
                    value: Desc::Operand(pending.value),
                })
                .collect()
        };
        let (state, objects) = (snapshot.state.clone(), snapshot.objects.clone());
        let frame = self.state.virtualizable.map(|id| &self.state.objects[id.0 as usize]);
        let flushed = frame.is_some_and(|frame| frame.flushed_in == Some(self.state.instr));
        let (events, facts, kept) = (events as u32, Vec::new(), self.kept.clone());
        let mut resume = Resume { position, state, objects, stores, log, events, flushed, kept, facts };
        resume.facts = self.facts_for(&resume);
        resume
    }

    /// What a bridge from here may know of its inputs.
    fn facts_for(&self, resume: &Resume) -> Vec<(Var, hotloop_ir::Fact)> {
        let mut facts: Vec<(Var, hotloop_ir::Fact)> = Vec::new();
        resume.each_desc(&mut |desc| {
            desc.each_var(&mut |var| {
                let fact = self.state.facts[var.0 as usize];
                if !fact.is_any() && facts.iter().all(|(known, _)| *known != var) {
                    facts.push((var, fact));
                }
            });
        });
        facts
    }

    /// Whether everything done to the object is done again in replay.
    fn done_again(&mut self, operand: Operand) -> bool {
        match self.value(operand) {
            Val::Virtual(_) => true,
            Val::Op(object) => self.state.virtualizable.is_some_and(|id| {
                let known = &self.state.objects[id.0 as usize];
                known.home == Home::Virtualizable(object) && known.flushed_in != Some(self.state.instr)
            }),
            Val::Tagged(_) => false,
        }
    }

    /// A copy to a virtual object is done again in replay; where its source may be another by then, the
    /// object is forced, so that the copy is skipped.
    fn settle_copies(&mut self, events: &[Event]) {
        let broken = self.options.break_rule == Some(9);
        if broken || !events.iter().any(|event| event.kind == EventKind::Copy) {
            return;
        }
        let mut effect_follows = false;
        let mut at = events.len();
        while at > 0 {
            at -= 1;
            let event = events[at];
            match event.kind {
                EventKind::CallWrites => effect_follows = true,
                EventKind::Write if !self.done_again(event.object) => effect_follows = true,
                EventKind::Copy if !self.done_again(event.object) => effect_follows = true,
                EventKind::Copy if effect_follows && !self.done_again(event.result) => {
                    match self.value(event.object) {
                        Val::Op(_) => self.flush_frame(),
                        value => {
                            self.materialize(value);
                        }
                    }
                    // What was done to it is an effect now.
                    (effect_follows, at) = (false, events.len());
                }
                _ => {}
            }
        }
    }
}
