//! Is a step what it should be, a function of its position and state (and of what it reads, allocates and is
//! answered by calls)? For `check_hints`: a recorded step keeps its events, then it is executed once more by
//! a recorder that *follows*: every event is answered from what was kept, nothing is done. It must ask for
//! the same events in the same order, with the same words.

use std::collections::VecDeque;

use hotloop_ir::{CallId, FieldId, Opcode, TypeRef};

use crate::Red;
use crate::promise::check_failed;
use crate::recorder::{ASKED, Fed, Question, Recorder, check};

/// An event of a recorded step.
#[derive(Clone, Debug)]
pub struct Kept {
    code: Opcode,
    descr: u32,
    args: Vec<u64>,
    /// Its result, and whether it raised.
    answer: (u64, u64),
}

/// What a recorder does about events: for `check_hints`, and for steps that are recorded after they were
/// executed.
#[derive(Debug, Default)]
pub(crate) enum Events {
    /// Nothing.
    #[default]
    Unchecked,
    /// Keeps them.
    Keep(Vec<Kept>),
    /// Answers them from what was kept; the text names the step.
    Follow(VecDeque<Kept>, String),
    /// The step has been executed: its events are recorded with the answers they had, and not done again.
    Done { kept: VecDeque<Kept>, answer: (u64, u64) },
}

/// What dead items of frames hold while hints are checked: a small integer, also as a value.
pub const POISON: u64 = 0x0dea_d17e_0dea_d17e << 3;

impl Kept {
    /// What of this frame was read that held [`POISON`].
    pub fn poisoned(&self, frame: u64) -> Option<String> {
        if self.args.first() != Some(&frame) || self.answer.0 != POISON {
            return None;
        }
        match self.code {
            Opcode::GetItem => {
                Some(format!("item {} of its frame, which `live_items` said was dead", self.args[1]))
            }
            Opcode::GetField => {
                let name = &FieldId(self.descr).get().name;
                Some(format!("`{name}` of its frame, which means something only in frames that wait"))
            }
            _ => None,
        }
    }

    /// Calls `visit` with every word of it.
    pub fn visit(&self, visit: &mut dyn FnMut(u64)) {
        self.args.iter().for_each(|word| visit(*word));
        visit(self.answer.0);
    }

    fn describe(code: Opcode, descr: u32) -> String {
        let what = match code {
            ASKED => Question::name(descr).to_string(),
            Opcode::Call | Opcode::CallIf | Opcode::CallUnless => CallId(descr).get().name.clone(),
            Opcode::GetField | Opcode::SetField => {
                let field = FieldId(descr).get();
                format!("{}.{}", field.owner, field.name)
            }
            Opcode::LoadRaw | Opcode::StoreRaw => hotloop_ir::Scalar::ALL[descr as usize].name().into(),
            Opcode::CopyItems | Opcode::EqualItems | Opcode::CompareItems => {
                TypeRef(descr >> 16).get().name.clone()
            }
            _ => TypeRef(descr).get().name.clone(),
        };
        if code == ASKED { what } else { format!("{} {what}", code.name()) }
    }
}

impl Recorder {
    /// A recorder that follows what was kept of a step.
    pub fn following(kept: Vec<Kept>, step: String) -> Recorder {
        let mut recorder = Recorder::replaying();
        recorder.events = Events::Follow(kept.into(), step);
        recorder
    }

    /// The instruction that begins now was executed before: it is recorded, but nothing is done.
    pub fn record_executed(&mut self, kept: Vec<Kept>) {
        self.events = Events::Done { kept: kept.into(), answer: (0, 0) };
    }

    /// The answer that the event just counted had, if the instruction was executed before.
    pub fn executed(&self) -> Option<(u64, u64)> {
        match &self.events {
            Events::Done { answer, .. } => Some(*answer),
            _ => None,
        }
    }

    /// Whether what it meets was done before: it follows what another recorder did, or records it late.
    pub fn is_done(&self) -> bool {
        matches!(self.events, Events::Follow(..) | Events::Done { .. })
    }

    /// Whether nobody minds its events.
    pub fn is_unchecked(&self) -> bool {
        matches!(self.events, Events::Unchecked)
    }

    /// From here on events are kept.
    pub fn keep_events(&mut self) {
        self.events = Events::Keep(Vec::new());
    }

    /// What was kept since.
    pub fn take_kept(&mut self) -> Vec<Kept> {
        match std::mem::take(&mut self.events) {
            Events::Keep(kept) => kept,
            _ => Vec::new(),
        }
    }

    /// The step has ended: what it did the first time and not now.
    pub fn end_following(&mut self) {
        if let Events::Follow(kept, step) = &self.events
            && let Some(next) = kept.front()
        {
            let first = Kept::describe(next.code, next.descr);
            check_failed(&format!(
                "the step at {step} is not deterministic: it did `{first}` the first time only"
            ));
        }
    }

    /// An event is about to happen.
    pub(crate) fn check_event(&mut self, code: Opcode, descr: u32, args: &[Red]) -> Option<Fed> {
        let words = || args.iter().map(|arg| arg.bits).collect::<Vec<u64>>();
        match &mut self.events {
            Events::Unchecked => None,
            Events::Keep(kept) => {
                kept.push(Kept { code, descr, args: words(), answer: (0, 0) });
                None
            }
            Events::Done { kept, answer } => {
                let next = kept.pop_front();
                let same = next.as_ref().filter(|next| next.code == code && next.descr == descr);
                assert!(same.is_some(), "internal error: an executed instruction does something else");
                *answer = same.map_or((0, 0), |next| next.answer);
                None
            }
            Events::Follow(kept, step) => {
                let now = Kept::describe(code, descr);
                let Some(next) = kept.pop_front() else {
                    check_failed(&format!(
                        "the step at {step} is not deterministic: it did `{now}` the second time only"
                    ));
                };
                let first = Kept::describe(next.code, next.descr);
                if check(code, descr) != check(next.code, next.descr) {
                    check_failed(&format!(
                        "the step at {step} is not deterministic: it did `{first}`, then `{now}`"
                    ));
                }
                if next.args != words() {
                    check_failed(&format!(
                        "the step at {step} is not deterministic: it did `{first}` with {:?}, then with {:?}",
                        next.args,
                        words()
                    ));
                }
                let (value, raised) = next.answer;
                Some(Fed::Result(Red::constant(value), Red::constant(raised)))
            }
        }
    }

    /// The event that was last counted has happened.
    pub(crate) fn keep_answer(&mut self, value: u64, raised: u64) {
        if let Events::Keep(kept) = &mut self.events
            && let Some(last) = kept.last_mut()
        {
            last.answer = (value, raised);
        }
    }

    /// Calls `visit` with every word that was kept.
    pub(crate) fn visit_kept(&self, visit: &mut dyn FnMut(u64)) {
        match &self.events {
            Events::Keep(kept) => kept.iter().for_each(|event| event.visit(visit)),
            Events::Done { kept, .. } => kept.iter().for_each(|event| event.visit(visit)),
            _ => {}
        }
    }
}
