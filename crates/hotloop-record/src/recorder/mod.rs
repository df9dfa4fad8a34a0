//! What every operation on a red value comes to in `Meta` mode.
//!
//! Each operation is executed for real. While *recording* it is also appended to the trace, unless its
//! operands are constants, it was computed before, or the heap cache knows the answer. In *replay* the
//! instruction's events (reads of mutable places, writes, allocations, calls; numbered alike in both) are
//! first looked up in the log: those that must not be done again are fed from it. As long as the log is not
//! empty no guards are recorded; they hold by construction.

mod entries;
mod events;
mod hints;
mod items;
mod operations;
mod raw;

pub use entries::EntryPositions;

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::atomic::AtomicU32;

use rustc_hash::FxHashMap as HashMap;
use std::fmt;

pub use items::Run;

use hotloop_ir::{
    Fact, FieldDescr, FieldId, Instr, Live, Op, Opcode, Operand, Trace, Ty, TypeDescr, TypeRef, Var,
};

pub(crate) use hints::ASKED;
pub use hints::Question;

use crate::follow::Events;
use crate::heap_cache::{HeapCache, PlaceKey};
use crate::looks::Looks;
use crate::{Red, memory};

/// Why a recording was given up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Abort {
    /// More operations than `trace_limit`.
    TooLong,
    /// A loop inside turned out to be the hot one.
    InnerLoop,
    /// A loop in a called function: the call will not be inlined again.
    LoopInCallee,
    /// A bridge goes round its loop by another way, which the guards moved out of the loop do not allow for.
    ManyPaths,
    /// A bridge ends at a loop with other types or promoted constants than that was compiled for: another version of it
    /// comes first.
    OtherVersion,
    /// The optimizer found that the trace contradicts itself.
    Contradiction,
    /// The code generator refused.
    Codegen,
    /// An interrupt, an error or the program's end came in between.
    Left,
    /// A stable field that the trace had read as a constant was written before it was whole.
    StableWritten,
    /// The trace it continues or goes on in was given up meanwhile.
    TargetGone,
    /// A called function did not return in time.
    Callee,
    /// A called function has to be compiled first.
    CalleeFirst,
}

impl fmt::Display for Abort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Abort::TooLong => "trace too long",
            Abort::InnerLoop => "inner loop is hotter",
            Abort::LoopInCallee => "loop in an inlined call",
            Abort::ManyPaths => "loop with several paths",
            Abort::OtherVersion => "another version of the loop is compiled first",
            Abort::Contradiction => "trace contradicts itself",
            Abort::Codegen => "code generator refused",
            Abort::Left => "the program left the loop",
            Abort::StableWritten => "a stable field was written",
            Abort::TargetGone => "what it goes on in was given up",
            Abort::Callee => "a called function did not return in time",
            Abort::CalleeFirst => "a called function is compiled first",
        })
    }
}

/// What replay does with an event instead of doing it again.
#[derive(Clone, Copy, Debug)]
pub enum Fed {
    /// A write that has been made.
    Skip,
    /// The result of a read, an allocation or a call, and whether the call raised.
    Result(Red, Red),
}

/// An entry of the log in replay.
#[derive(Clone, Copy, Debug)]
pub struct FedEntry {
    /// The event's number in its instruction.
    pub event: u32,
    /// Operation and descriptor; a mismatch is an internal error.
    pub check: u32,
    /// What to do.
    pub fed: Fed,
}

/// What is known of a variable while recording.
#[derive(Clone, Copy, Default)]
struct Known {
    constant: bool,
    heap_type: Option<TypeRef>,
}

const MEMO_SLOTS: usize = 512;

#[derive(Clone, Copy)]
struct Memo {
    code: Opcode,
    descr: u32,
    args: [Operand; 3],
    result: Operand,
}

/// Records, replays, or merely executes.
pub struct Recorder {
    recording: bool,
    abort: Option<Abort>,
    /// The trace so far.
    pub trace: Trace,
    limit: usize,
    consts: HashMap<(Ty, u64), Operand>,
    known: Vec<Known>,
    memo: Vec<Option<Memo>>,
    pub(crate) heap: HeapCache,
    /// Tagged reference -> the object's operand.
    untagged: HashMap<Var, Operand>,
    live_items: HashMap<Operand, Live>,
    /// The trace's own frame, and other operands that were guarded to be it (or not to be it).
    root: Option<Red>,
    aliases: HashMap<Var, bool>,
    event: u32,
    feed: VecDeque<FedEntry>,
    prepared: Vec<FedEntry>,
    types: HashMap<u32, TypeRef>,
    type_descrs: Vec<Option<&'static TypeDescr>>,
    field_descrs: Vec<Option<&'static FieldDescr>>,
    frame_fields: Vec<Option<bool>>,
    /// The addresses of frames that were made in this trace.
    made_frames: Vec<u64>,
    /// Frames are written back before calls of this instruction that may look at them.
    pub expects_looks: bool,
    /// The first instruction has written its frame back already.
    flushed: bool,
    /// The trace has checked that no stable field it relies on was written, and nothing could write one since.
    validated: bool,
    /// That must be checked as soon as guards are possible again.
    owes_validity: bool,
    /// Red operations executed, folded ones included (for statistics).
    pub operations: u64,
    /// Not 0: a stable field that the trace relies on was written, be it while it was still recorded.
    pub invalid: Rc<AtomicU32>,
    pub(crate) events: Events,
    state: Vec<Red>,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("recording", &self.recording)
            .field("ops", &self.trace.ops.len())
            .finish()
    }
}

/// Operation and descriptor in one word, compared in replay.
pub(crate) fn check(code: Opcode, descr: u32) -> u32 {
    (code as u32) << 24 | (descr & 0xff_ffff)
}

impl Recorder {
    /// A recorder that only executes: for replay without recording.
    pub fn replaying() -> Recorder {
        Recorder::with_limit(false, 0)
    }

    /// A recorder that records up to `limit` operations.
    pub fn recording(limit: usize) -> Recorder {
        Recorder::with_limit(true, limit)
    }

    fn with_limit(recording: bool, limit: usize) -> Recorder {
        Recorder {
            recording,
            abort: None,
            trace: Trace::new(),
            limit,
            consts: HashMap::default(),
            known: Vec::new(),
            memo: if recording { vec![None; MEMO_SLOTS] } else { Vec::new() },
            heap: HeapCache::default(),
            untagged: HashMap::default(),
            live_items: HashMap::default(),
            root: None,
            aliases: HashMap::default(),
            event: 0,
            feed: VecDeque::new(),
            prepared: Vec::new(),
            types: HashMap::default(),
            type_descrs: Vec::new(),
            field_descrs: Vec::new(),
            frame_fields: Vec::new(),
            made_frames: Vec::new(),
            expects_looks: false,
            flushed: false,
            operations: 0,
            validated: false,
            owes_validity: false,
            invalid: Rc::default(),
            events: Events::default(),
            state: Vec::new(),
        }
    }

    // ---- the driver's side -------------------------------------------------------------------------

    /// Why the recording was given up, if it was. Execution goes on without recording.
    pub fn aborted(&self) -> Option<Abort> {
        self.abort
    }

    /// Gives the recording up.
    pub fn give_up(&mut self, reason: Abort) {
        if self.recording {
            self.recording = false;
            self.abort = Some(reason);
        }
    }

    /// Whether operations are appended to the trace.
    pub fn is_recording(&self) -> bool {
        self.recording
    }

    /// A value handed over at the trace's entry, with what is known of it.
    pub fn input(&mut self, ty: Ty, bits: u64, fact: Fact) -> Red {
        let var = self.push(Op::new(Opcode::Input, &[]).with_descr(ty.number()));
        if !fact.is_any() {
            self.trace.facts.push((var, fact));
            self.known[var.0 as usize].heap_type = fact.heap_type.map(TypeRef);
        }
        Red { bits, operand: var.into() }
    }

    /// Declares the trace's own frame and what its slots hold.
    pub fn virtualizable(&mut self, frame: Red, ty: TypeRef, slots: &[Option<Red>]) {
        if !self.recording {
            return;
        }
        let Some(var) = frame.operand.as_var() else { return };
        let descr = ty.get();
        let operands: Vec<Operand> = slots
            .iter()
            .enumerate()
            .map(|(slot, value)| match value {
                Some(value) => self.operand(*value, descr.slot(slot).1.ty()),
                None => Operand::NONE,
            })
            .collect();
        let list = self.trace.push_list(operands);
        let mut op = Op::new(Opcode::Virtualizable, &[frame.operand]).with_descr(ty.0);
        op.list = list;
        self.push(op);
        self.known[var.0 as usize].heap_type = Some(ty);
        self.heap.set_virtualizable(var);
        self.root = Some(frame);
        for (slot, value) in slots.iter().enumerate() {
            if let Some(value) = value {
                self.heap.read(frame.operand, place_of(descr, ty, slot), *value);
            }
        }
        let length = memory::length(frame.bits);
        self.remember(Opcode::Len, ty.0, &[frame.operand], length as u64);
    }

    /// An instruction begins: its position's number, the red state, the frame's live items.
    pub fn begin_instruction(&mut self, position: u32, state: &[Red], tys: &[Ty], live: Option<(Red, Live)>) {
        debug_assert!(self.feed.is_empty(), "log left over: {:?}", self.feed);
        self.event = 0;
        self.feed = std::mem::take(&mut self.prepared).into();
        if !self.recording {
            return;
        }
        if let Some((frame, items)) = live {
            let private = frame.operand.as_var().is_some();
            let known = self.live_items.insert(frame.operand, items);
            if private && known.is_none_or(|known| items.ends_some_of(known)) {
                let (below, first) = items.parts();
                let first = self.constant(Ty::Int, first);
                self.push(Op::new(Opcode::Live, &[frame.operand, first]).with_descr(below));
            }
        }
        self.state.clear();
        self.state.extend_from_slice(state);
        let state = state.iter().zip(tys).map(|(red, ty)| self.operand(*red, *ty)).collect();
        self.trace.instrs.push(Instr { position, state, first_event: self.trace.events.len() as u32 });
        let index = self.trace.instrs.len() as u32 - 1;
        self.push(Op::new(Opcode::Instr, &[]).with_descr(index));
        if std::mem::take(&mut self.flushed) {
            self.flush();
        }
    }

    /// What the first instruction must not do again, once it begins; whether it has written the trace's own
    /// frame back.
    pub fn prepare_feed(&mut self, feed: Vec<FedEntry>, flushed: bool) {
        self.prepared = feed;
        self.flushed = flushed;
    }

    /// Whether it is the trace's own frame, or one that was made in this trace.
    pub(crate) fn is_own_frame(&self, object: Operand) -> bool {
        let Some(root) = self.root else { return false };
        let is_frame =
            |var: Var| self.known[var.0 as usize].heap_type.is_some_and(|ty| ty.get().virtualizable);
        object == root.operand || (self.is_made(object) && object.as_var().is_some_and(is_frame))
    }

    /// Whether a call that may look at frames, in which those were looked at, leaves the frames where they are.
    pub(crate) fn lets_frames_be(&self, looks: &Looks) -> bool {
        let Some(root) = self.root else { return false };
        !self.expects_looks
            && self.feed.is_empty()
            && !looks.any_of(&[root.bits])
            && !looks.any_of(&self.made_frames)
    }

    /// Whether the object was made in this trace.
    pub fn is_made(&self, object: Operand) -> bool {
        object.as_var().is_some_and(|var| matches!(self.trace.op(var).code, Opcode::New | Opcode::NewArray))
    }

    /// The instruction has ended: an entry left over is an internal error.
    pub fn end_instruction(&mut self) {
        if matches!(self.events, Events::Done { .. }) {
            self.events = Events::Unchecked;
        }
        assert!(self.feed.is_empty(), "internal error: log left over after replay: {:?}", self.feed);
    }

    /// Ends the trace with a jump or an exit.
    pub fn finish(&mut self, code: Opcode, descr: u32, args: &[(Red, Ty)]) {
        if self.owes_validity {
            self.bare_guard(Opcode::GuardValid);
        }
        let operands: Vec<Operand> = args.iter().map(|(red, ty)| self.operand(*red, *ty)).collect();
        let mut op = Op::new(code, &[]).with_descr(descr);
        op.list = self.trace.push_list(operands);
        if matches!(code, Opcode::Exit | Opcode::Return) {
            op.resume = self.trace.events.len() as u32;
        }
        self.push(op);
    }

    /// The trace's own frame is about to be seen by others: its slots are written back.
    pub fn flush(&mut self) {
        if let Some(root) = self.root {
            let operand = self.operand(root, Ty::Ref);
            self.push(Op::new(Opcode::Flush, &[operand]));
        }
    }

    /// The trace's own frame is written back, and others may write it from now on.
    pub fn give_away_frame(&mut self) {
        self.flush();
        self.heap.clobber(true);
    }

    /// A guard without operands: the poll, or the check that no stable field was written.
    pub fn bare_guard(&mut self, code: Opcode) {
        if !self.recording {
            return;
        }
        if !self.feed.is_empty() {
            self.owes_validity |= code == Opcode::GuardValid;
            return;
        }
        self.emit_guard(Op::new(code, &[]));
    }

    /// A guard that is owed is recorded, as no other may be for now.
    pub(crate) fn settle_validity(&mut self) {
        if self.owes_validity {
            self.bare_guard(Opcode::GuardValid);
        }
    }

    /// A stable field's value was taken for granted.
    fn relies_on_stable(&mut self) {
        if !self.validated {
            self.bare_guard(Opcode::GuardValid);
        }
    }

    /// Native code, or another trace, may have written a stable field.
    pub fn stable_may_change(&mut self) {
        self.validated = false;
        self.bare_guard(Opcode::GuardValid);
    }

    /// What a slot of the object holds: from the heap cache, else read from memory (no event).
    pub fn slot(&mut self, object: Red, ty: TypeRef, slot: usize) -> Red {
        let descr = self.type_descr(ty);
        let (offset, kind) = descr.slot(slot);
        let bits = memory::load(object.bits, offset as u64, kind);
        if !self.recording {
            return Red::constant(bits);
        }
        let operand = self.operand(object, Ty::Ref);
        let place = place_of(descr, ty, slot);
        if let Some(known) = self.heap.get(operand, place) {
            return known;
        }
        let op = match place {
            PlaceKey::Field(field) => Op::new(Opcode::GetField, &[operand]).with_descr(field),
            PlaceKey::Item(ty, index) => {
                let index = self.constant(Ty::Int, index as u64);
                Op::new(Opcode::GetItem, &[operand, index]).with_descr(ty)
            }
        };
        let red = Red { bits, operand: self.push(op).into() };
        self.heap.read(operand, place, red);
        red
    }

    /// What a slot of the object is known to hold.
    pub fn known_slot(&mut self, object: Red, ty: TypeRef, slot: usize) -> Option<Red> {
        let operand = self.operand(object, Ty::Ref);
        let place = place_of(self.type_descr(ty), ty, slot);
        self.heap.get(operand, place)
    }

    /// Calls `visit` with every word that must stay alive while recording.
    pub fn visit_words(&self, visit: &mut dyn FnMut(u64)) {
        self.trace.consts.iter().for_each(|constant| visit(constant.bits));
        self.heap.visit_words(visit);
        self.visit_kept(visit);
        self.state.iter().for_each(|red| visit(red.bits));
        for entry in self.feed.iter().chain(&self.prepared) {
            if let Fed::Result(result, _) = entry.fed {
                visit(result.bits);
            }
        }
    }

    // ---- appending ---------------------------------------------------------------------------------

    pub(crate) fn push(&mut self, op: Op) -> Var {
        self.known.push(Known::default());
        let var = self.trace.push(op);
        if self.trace.ops.len() > self.limit {
            self.give_up(Abort::TooLong);
        }
        var
    }

    fn emit_guard(&mut self, mut op: Op) -> Var {
        if op.code == Opcode::GuardValid {
            self.validated = true;
            self.owes_validity = false;
        } else if self.owes_validity {
            self.emit_guard(Op::new(Opcode::GuardValid, &[]));
        }
        op.resume = self.trace.events.len() as u32;
        self.push(op)
    }

    pub(crate) fn constant(&mut self, ty: Ty, bits: u64) -> Operand {
        let trace = &mut self.trace;
        *self.consts.entry((ty, bits)).or_insert_with(|| trace.push_const(ty, bits))
    }

    /// The operand of a red word; words that became constant by a guard are constants from there on.
    pub(crate) fn operand(&mut self, red: Red, ty: Ty) -> Operand {
        if !self.recording {
            return Operand::NONE;
        }
        match red.operand.as_var() {
            Some(var) if self.aliases.get(&var) == Some(&true) => {
                self.root.map_or(red.operand, |root| root.operand)
            }
            Some(var) if !self.known[var.0 as usize].constant => red.operand,
            None if red.operand.is_const()
                && self.trace.const_of(red.operand).is_some_and(|c| c.ty == ty) =>
            {
                red.operand
            }
            _ => self.constant(ty, red.bits),
        }
    }

    /// Whether the word is known while compiling.
    pub fn is_constant(&self, red: Red) -> bool {
        self.recording && red.operand.as_var().is_none_or(|var| self.known[var.0 as usize].constant)
    }

    fn folds(&self, red: Red) -> bool {
        !self.recording || red.operand.as_var().is_none_or(|var| self.known[var.0 as usize].constant)
    }

    fn became_constant(&mut self, red: Red) {
        if let Some(var) = red.operand.as_var() {
            self.known[var.0 as usize].constant = true;
        }
    }

    fn memo_slot(code: Opcode, descr: u32, args: &[Operand; 3]) -> usize {
        let mut hash = code as u64 ^ (descr as u64) << 8;
        for arg in args {
            let word = arg
                .as_var()
                .map_or(0x8000_0000 | arg.as_const().unwrap_or(0x7fff_ffff) as u64, |var| var.0 as u64);
            hash = (hash.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
        (hash >> 55) as usize % MEMO_SLOTS
    }

    /// The result of an operation that is never emitted is known to be a constant.
    fn remember(&mut self, code: Opcode, descr: u32, args: &[Operand], constant: u64) {
        let mut all = [Operand::NONE; 3];
        all[..args.len()].copy_from_slice(args);
        let result = self.constant(Ty::Int, constant);
        self.memo[Self::memo_slot(code, descr, &all)] = Some(Memo { code, descr, args: all, result });
    }

    /// Appends an operation whose result depends on its operands alone, or finds it computed before.
    fn emit_memo(&mut self, op: Op, bits: u64) -> Red {
        let slot = Self::memo_slot(op.code, op.descr, &op.args);
        if let Some(memo) = self.memo[slot]
            && memo.code == op.code
            && memo.descr == op.descr
            && memo.args == op.args
        {
            return Red { bits, operand: memo.result };
        }
        let result = self.push(op).into();
        self.memo[slot] = Some(Memo { code: op.code, descr: op.descr, args: op.args, result });
        Red { bits, operand: result }
    }

    fn type_descr(&mut self, ty: TypeRef) -> &'static TypeDescr {
        let index = ty.0 as usize;
        if self.type_descrs.len() <= index {
            self.type_descrs.resize(index + 1, None);
        }
        self.type_descrs[index].get_or_insert_with(|| ty.get())
    }

    pub(crate) fn field_descr(&mut self, field: FieldId) -> &'static FieldDescr {
        let index = field.0 as usize;
        if self.field_descrs.len() <= index {
            self.field_descrs.resize(index + 1, None);
        }
        self.field_descrs[index].get_or_insert_with(|| field.get())
    }

    fn is_frame_field(&mut self, field: FieldId) -> bool {
        if self.root.is_none() {
            return false;
        }
        let index = field.0 as usize;
        if self.frame_fields.len() <= index {
            self.frame_fields.resize(index + 1, None);
        }
        *self.frame_fields[index]
            .get_or_insert_with(|| TypeRef::of_field(field).is_some_and(|ty| ty.get().virtualizable))
    }

    fn type_by_number(&mut self, number: u32) -> Option<TypeRef> {
        if let Some(ty) = self.types.get(&number) {
            return Some(*ty);
        }
        let ty = TypeRef::by_number(number)?;
        self.types.insert(number, ty);
        Some(ty)
    }

    /// A frame reached through the heap may be the trace's own, whose slots in the heap are stale: one
    /// comparison of addresses tells (PyPy's virtualizable token serves the same end).
    fn identify(&mut self, object: Red) -> Red {
        let Some(root) = self.root else { return object };
        if object.operand == root.operand || self.is_made(object.operand) {
            return object;
        }
        let var = object.operand.as_var();
        let known = var.and_then(|var| self.aliases.get(&var).copied());
        let same = known.unwrap_or_else(|| {
            let same = self.pure(Opcode::RefEq, &[object, root]);
            self.branch(same)
        });
        if let Some(var) = var {
            self.aliases.insert(var, same);
        }
        if same { root } else { object }
    }

    /// The operand of the current frame, its aliases resolved.
    pub fn frame_operand(&mut self, frame: Red) -> Operand {
        self.operand(frame, Ty::Ref)
    }
}

pub(crate) fn place_of(descr: &TypeDescr, ty: TypeRef, slot: usize) -> PlaceKey {
    match descr.fields.get(slot) {
        Some(field) => PlaceKey::Field(field.0),
        None => PlaceKey::Item(ty.0, (slot - descr.fields.len()) as u32),
    }
}
