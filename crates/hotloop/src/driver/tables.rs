//! What the driver knows: positions, loops, traces, guards.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use hotloop_codegen::{CodeId, Ranges};
use hotloop_ir::{Part, Trace, Var};
use hotloop_opt::{Label, Wants};
use hotloop_record::Abort;

use super::calls::Inlined;
use super::returns::Returns;
use crate::runtime::JitOptions;

/// The counter of a position where traces may start, kept beside the code: no hashing on a back edge.
#[derive(Debug, Default)]
pub struct LoopCell {
    /// Counts down; at 0 or below the driver looks.
    count: Cell<i32>,
    /// 1 + index in [`Tables::heads`]; 0: not there yet.
    head: Cell<u32>,
    /// The machine in whose tables that is.
    owner: Cell<u32>,
    /// Calls of this function are not inlined: its own entry is called.
    not_inlined: Cell<bool>,
}

thread_local! {
    /// For each machine of this thread: the first heads of cells that are gone.
    static ORPHANS: RefCell<HashMap<u32, Vec<usize>>> = RefCell::default();
}

/// The code that the cell belonged to is gone: so are its heads, and what was compiled for them.
impl Drop for LoopCell {
    fn drop(&mut self) {
        if let Some(head) = self.head(self.owner.get()) {
            // A thread that ends, or a machine that has ended, has no use for it.
            let _ = ORPHANS.try_with(|orphans| {
                orphans.borrow_mut().get_mut(&self.owner.get()).map(|heads| heads.push(head))
            });
        }
    }
}

impl LoopCell {
    /// Counts; whether the driver should look.
    #[inline(always)]
    pub(crate) fn tick(&self) -> bool {
        let count = self.count.get() - 1;
        self.count.set(count);
        count <= 0
    }

    pub(crate) fn set_count(&self, count: u32) {
        self.count.set(count.min(i32::MAX as u32) as i32);
    }

    /// The cell's first head in the tables of this machine.
    pub(crate) fn head(&self, owner: u32) -> Option<usize> {
        if self.owner.get() == owner { (self.head.get() as usize).checked_sub(1) } else { None }
    }

    /// From now on calls of this function call its entry.
    pub(crate) fn call_instead(&self) {
        self.not_inlined.set(true);
    }

    pub(crate) fn is_called(&self) -> bool {
        self.not_inlined.get()
    }

    fn set_head(&self, owner: u32, index: usize) {
        self.owner.set(owner);
        self.head.set(index as u32 + 1);
    }
}

/// A position of the interpreter, greens of the state included.
#[derive(Clone, Debug)]
pub(crate) struct Position<P> {
    pub pc: P,
    /// An exception is pending: `handle` is asked, not `step`.
    pub raising: bool,
    pub greens: Rc<Vec<u64>>,
    /// The functions that are inlined there, if it is in a trace.
    pub inlined: Inlined,
}

/// What is done at a place where traces start.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum HeadKind {
    /// A loop comes round.
    #[default]
    Loop,
    /// A function is called.
    Entry,
}

/// A place where traces start.
#[derive(Debug, Default)]
pub(crate) struct Head {
    pub kind: HeadKind,
    /// The cell of the function whose entry it is.
    pub entry: Option<*const LoopCell>,
    pub greens: Rc<Vec<u64>>,
    /// The compiled trace.
    pub trace: Option<usize>,
    /// It is being recorded.
    pub recording: bool,
    /// The same loop with all guards in its body: for entries that fail the guards moved out of it.
    pub plain: Option<usize>,
    /// Such an entry was seen.
    pub wants_plain: bool,
    /// The same loop for other types, or other promoted constants.
    pub versions: Vec<usize>,
    /// A bridge has come with such; the next recording from here is for them.
    pub wants_version: bool,
    /// So many versions were recorded, or tried to.
    pub retraces: u32,
    /// A guard that was moved out of a version failed: no guards are moved out of versions.
    pub plain_versions: bool,
    pub aborts: u32,
    /// The loop has several paths that are hot: no guards are moved out of it.
    pub multi_path: bool,
    /// Its code was freed: its counter starts anew.
    pub cold: bool,
    /// The generation in which its code was used last.
    pub used: u32,
    /// Another head of the same cell, with other greens.
    pub next: Option<usize>,
    /// Bridges of its traces.
    pub bridges: u32,
    /// What leaving its traces has cost lately.
    pub exits: ExitCost,
    /// Whether entering it from the interpreter pays.
    pub runs: ShortRuns,
    /// What recording, compiling and leaving has cost since it was compiled first.
    pub spent: Duration,
    /// How often it was retired.
    pub retired: u32,
    /// It was retired: when it may be compiled again.
    pub rest_until: Option<Instant>,
}

/// A function or loop that is entered by the interpreter and has done its work before the way into compiled
/// code and back is paid for: for some times the interpreter does it alone. (Traces go there all the same.)
#[derive(Debug, Default)]
pub(crate) struct ShortRuns {
    runs: u32,
    took: Duration,
    pauses: u32,
    /// Its traces call entries.
    pub calls: bool,
}

impl ShortRuns {
    /// Runs that are shorter on average do not pay.
    const SHORT: Duration = Duration::from_micros(2);
    /// So many are looked at together, at first and after a pause.
    const WINDOWS: [u32; 2] = [64, 16];
    /// The same where entries are called: of a recursive function's runs most are short, and the few long ones
    /// pay for all.
    const WINDOWS_WITH_CALLS: [u32; 2] = [1024, 256];
    /// A pause is so many calls, twice as many each time.
    const PAUSE: u32 = 32;

    /// How often pauses are doubled. Of a loop it is iterations that pass meanwhile.
    fn doublings(kind: HeadKind) -> u32 {
        match kind {
            HeadKind::Entry => 10,
            HeadKind::Loop => 6,
        }
    }

    /// Notes how long a run took, both ways included. After how many times to try again.
    pub fn after_run(&mut self, took: Duration, kind: HeadKind) -> u32 {
        self.runs += 1;
        self.took += took;
        let windows = if self.calls { Self::WINDOWS_WITH_CALLS } else { Self::WINDOWS };
        if self.runs < windows[usize::from(self.pauses > 0)] {
            return 1;
        }
        let short = self.took < Self::SHORT * self.runs;
        (self.runs, self.took) = (0, Duration::ZERO);
        self.pauses = if short { self.pauses + 1 } else { 0 };
        if short { Self::PAUSE << self.pauses.min(Self::doublings(kind)) } else { 1 }
    }

    /// A run ended where a bridge may still come: what runs take is not settled.
    pub fn unsettled(&mut self) {
        self.pauses = 0;
    }
}

/// What side exits cost, over a window of [`ExitCost::WINDOW`] of them.
#[derive(Debug, Default)]
pub(crate) struct ExitCost {
    count: u32,
    spent: Duration,
    since: Option<Instant>,
    /// A bridge came in this window: exits may become fewer.
    bridged: bool,
    /// So many windows up to this one were too dear.
    dear: u32,
}

impl ExitCost {
    const WINDOW: u32 = 4096;

    /// Dear windows until bridges are no excuse any more: a full budget of bridges has come by then.
    const PATIENCE: u32 = 5;
    /// Exits for good, after which no bridge will come, count so many times.
    const FOR_GOOD: u32 = 8;

    /// Counts an exit that took from `started` until now. Whether exits have taken more than a tenth of the time,
    /// and are not about to become fewer.
    pub fn add(&mut self, started: Instant, for_good: bool) -> bool {
        let now = Instant::now();
        let since = *self.since.get_or_insert(started);
        self.count += if for_good { Self::FOR_GOOD } else { 1 };
        self.spent += now - started;
        if self.count < Self::WINDOW {
            return false;
        }
        let dear = if self.spent * 10 > now - since { self.dear + 1 } else { 0 };
        let too_much = dear >= Self::PATIENCE || (dear > 0 && !self.bridged);
        *self = ExitCost { dear, ..ExitCost::default() };
        too_much
    }

    /// A bridge was made.
    pub fn bridged(&mut self) {
        self.bridged = true;
    }
}

/// A compiled trace (see `life.rs`).
#[derive(Debug)]
pub(crate) struct Compiled {
    pub code: CodeId,
    pub trace: Rc<Trace>,
    /// Of a loop: what bridges must know to jump to its label.
    pub label: Option<Rc<Label>>,
    /// What its preamble wants.
    pub wants: Rc<Wants>,
    pub first_guard: u32,
    /// Not 0: a stable field that it relied on was written.
    pub invalid: Rc<AtomicU32>,
    /// The head it starts from, or the one its root trace starts from.
    pub head: usize,
    /// The frame's slots that are inputs, after the red state.
    pub slots: Rc<Vec<usize>>,
    /// Inputs that are what the function's caller has passed.
    pub passed: Rc<Vec<(Var, Part)>>,
    /// The root of its tree: itself, unless it is a bridge.
    pub root: usize,
    /// For a bridge: whose failure it continues.
    pub parent: Option<u32>,
    /// The traces that its code goes on in.
    pub links: Vec<usize>,
    /// Nobody gets there any more; it is freed when nothing runs in it.
    pub condemned: bool,
}

impl Head {
    /// The loops, or the entry, that were compiled for it.
    pub fn roots(&self) -> impl Iterator<Item = usize> {
        [self.trace, self.plain].into_iter().flatten().chain(self.versions.iter().copied())
    }

    /// Nobody goes on in them any more.
    pub fn forget(&mut self) {
        (self.trace, self.plain) = (None, None);
        self.versions.clear();
        self.wants_version = false;
    }
}

impl Compiled {
    /// Its inputs that may be tokens for frames.
    pub fn entry_tokens(&self) -> Vec<u32> {
        self.trace.tokens.iter().map(|var| var.0).collect()
    }
}

/// A guard of a compiled trace.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Guard {
    /// Index of its trace.
    pub trace: usize,
    pub failures: u32,
    /// How many failures until a bridge is recorded; `u32::MAX`: never.
    pub eagerness: u32,
    pub aborts: u32,
    /// It ends a chain of bridges: how many more there may be. Then where its failures lead is watched.
    pub room: Option<u32>,
    /// Moved out of the loop by the optimizer.
    pub hoisted: bool,
    /// Where the function returns to the interpreter.
    pub returns: bool,
    /// Behind a call in which natives may look at frames.
    pub forced: bool,
}

/// Everything that was compiled, in numbers.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Loops compiled.
    pub loops: u32,
    /// Bridges compiled.
    pub bridges: u32,
    /// Entries of functions compiled.
    pub entries: u32,
    /// Recordings given up.
    pub aborts: Vec<(Abort, u32)>,
    /// Loops given up because leaving them took too much of their time.
    pub retired: u32,
    /// Traces, and recordings at work, that a write to a stable field made invalid.
    pub invalidated: u64,
    /// Side exits that went back to the interpreter.
    pub exits: u64,
    /// How often somebody looked at frames that a trace kept to itself.
    pub forces: u64,
    /// Red operations while recording.
    pub recorded_operations: u64,
    /// Operations left after folding at record time.
    pub trace_ops: u64,
    /// Operations left after optimising.
    pub optimized_ops: u64,
    /// Guards left after optimising.
    pub guards: u64,
    /// Bytes of machine code made.
    pub code_bytes: u64,
    /// Traces freed.
    pub freed: u32,
    /// Bytes of machine code freed.
    pub freed_bytes: u64,
    /// Time spent recording, the interpreter's own work included.
    pub recording: Duration,
    /// Time spent optimising.
    pub optimizing: Duration,
    /// Time spent making code.
    pub assembling: Duration,
    /// Time spent rebuilding states and replaying.
    pub leaving: Duration,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = |duration: Duration| duration.as_secs_f64() * 1e6;
        let per_op = |duration: Duration| micros(duration) / self.trace_ops.max(1) as f64;
        writeln!(f, "loops:            {}", self.loops)?;
        writeln!(f, "bridges:          {}", self.bridges)?;
        writeln!(f, "entries:          {}", self.entries)?;
        for (reason, count) in &self.aborts {
            writeln!(f, "aborts:           {count} ({reason})")?;
        }
        writeln!(f, "retired:          {}", self.retired)?;
        writeln!(f, "invalidated:      {}", self.invalidated)?;
        writeln!(f, "side exits:       {}", self.exits)?;
        writeln!(f, "forces:           {}", self.forces)?;
        writeln!(f, "red operations:   {}", self.recorded_operations)?;
        writeln!(f, "recorded ops:     {}", self.trace_ops)?;
        writeln!(f, "optimized ops:    {}", self.optimized_ops)?;
        writeln!(f, "guards:           {}", self.guards)?;
        writeln!(f, "code bytes:       {}", self.code_bytes)?;
        writeln!(f, "freed:            {} ({} code bytes)", self.freed, self.freed_bytes)?;
        for (name, time) in
            [("recording", self.recording), ("optimizing", self.optimizing), ("assembling", self.assembling)]
        {
            writeln!(f, "{name:<18}{:.0} us ({:.2} us per recorded op)", micros(time), per_op(time))?;
        }
        writeln!(
            f,
            "{:<18}{:.0} us ({:.2} us per exit)",
            "leaving",
            micros(self.leaving),
            micros(self.leaving) / self.exits.max(1) as f64
        )
    }
}

/// The tables.
#[derive(Debug)]
pub(crate) struct Tables<P> {
    /// Which machine's they are; code may outlive a machine and be run by another.
    pub owner: u32,
    positions: Vec<Option<Position<P>>>,
    pub heads: Vec<Head>,
    pub traces: Vec<Option<Compiled>>,
    /// By number; those that are free are left as they were.
    pub guards: Vec<Guard>,
    /// By number; those that no trace returns at any more are empty.
    pub returns: Returns<P>,
    pub summary: Summary,
    /// Numbers that are free again.
    unused_positions: Vec<u32>,
    unused_heads: Vec<usize>,
    unused_traces: Vec<usize>,
    numbers: Ranges,
    /// Heads whose cell is gone, but not yet all that was compiled for them.
    orphans: Vec<usize>,
    /// Where the failures of watched guards have led, each place once.
    places: HashMap<u32, Vec<P>>,
    /// Instructions whose calls look at frames often.
    pub looked: Vec<P>,
    /// Traces that recordings at work rely on.
    pub pins: Vec<usize>,
    /// Counts recordings.
    pub generation: u32,
    /// How many traces wait to be freed.
    pub condemned: usize,
    /// A trace was replaced, retired or found invalid: it is to be freed.
    pub sweep: bool,
}

/// This number and the one below are no positions of the interpreter.
pub(crate) const NO_POSITION: u32 = u32::MAX;

/// So many bridges make a chain.
const WATCHED: u32 = 8;

/// Guards' numbers are below this.
const MOST_GUARDS: usize = i32::MAX as usize;

impl<P> Default for Tables<P> {
    fn default() -> Self {
        static OWNERS: AtomicU32 = AtomicU32::new(1);
        let owner = OWNERS.fetch_add(1, Ordering::Relaxed);
        ORPHANS.with_borrow_mut(|orphans| orphans.insert(owner, Vec::new()));
        Tables {
            owner,
            positions: Vec::new(),
            heads: Vec::new(),
            traces: Vec::new(),
            guards: Vec::new(),
            returns: Returns::default(),
            summary: Summary::default(),
            unused_positions: Vec::new(),
            unused_heads: Vec::new(),
            unused_traces: Vec::new(),
            numbers: Ranges::new(0, MOST_GUARDS),
            orphans: Vec::new(),
            places: HashMap::new(),
            looked: Vec::new(),
            pins: Vec::new(),
            generation: 0,
            condemned: 0,
            sweep: false,
        }
    }
}

impl<P> Drop for Tables<P> {
    fn drop(&mut self) {
        let _ = ORPHANS.try_with(|orphans| orphans.borrow_mut().remove(&self.owner));
    }
}

impl<P: Copy> Tables<P> {
    /// A number for a position; whoever asks gives it back.
    pub fn add_position(&mut self, position: Position<P>) -> u32 {
        match self.unused_positions.pop() {
            Some(number) => {
                self.positions[number as usize] = Some(position);
                number
            }
            None => {
                self.positions.push(Some(position));
                self.positions.len() as u32 - 1
            }
        }
    }

    /// The position with this number, which is in use.
    pub fn position(&self, number: u32) -> Position<P>
    where
        P: Clone,
    {
        self.positions[number as usize].clone().expect("a position in use")
    }

    /// The positions of a recording are free again, but for those that its trace needs.
    pub fn free_positions(&mut self, recorded: &Trace, kept: Option<&Trace>) {
        let kept: HashSet<u32> =
            kept.iter().flat_map(|trace| &trace.resumes).map(|one| one.position).collect();
        let start = recorded.start.as_ref().map(|start| start.position);
        for position in recorded.instrs.iter().map(|instr| instr.position).chain(start) {
            if !kept.contains(&position) {
                self.free_position(position);
            }
        }
    }

    fn free_position(&mut self, number: u32) {
        if self.positions.get_mut(number as usize).is_some_and(|position| position.take().is_some()) {
            self.unused_positions.push(number);
        }
    }

    /// Nothing for numbers that are no positions of the interpreter.
    fn pc_of(&self, number: u32) -> Option<P> {
        self.positions.get(number as usize)?.as_ref().map(|position| position.pc)
    }

    /// Where a guard's instruction is.
    pub fn place(&self, guard: u32) -> Option<P> {
        let compiled = self.traces[self.guards[guard as usize].trace].as_ref()?;
        let resume = &compiled.trace.resumes[(guard - compiled.first_guard) as usize];
        self.pc_of(resume.position)
    }

    /// How many more bridges guards of this one's instruction may have.
    fn room(&self, guard: u32, jit: &JitOptions) -> u32
    where
        P: PartialEq,
    {
        let compiled = self.trace(self.guards[guard as usize].trace);
        let place = self.place(guard);
        let bridges = self.living().filter(|(_, one)| one.root == compiled.root);
        let here = bridges.filter(|(_, one)| one.parent.is_some_and(|parent| self.place(parent) == place));
        let left = jit.max_bridges.saturating_sub(self.heads[compiled.head].bridges);
        jit.max_chain.saturating_sub(here.count() as u32).min(left)
    }

    /// Whether this guard may have a bridge.
    pub fn has_room(&self, guard: u32, jit: &JitOptions) -> bool
    where
        P: PartialEq,
    {
        self.room(guard, jit) > 0
    }

    /// A bridge of `parent` is compiled. If it makes a chain longer, the guards that end the chain are watched.
    pub fn watch(&mut self, parent: u32, bridge: &Compiled, jit: &JitOptions)
    where
        P: PartialEq,
    {
        self.places.remove(&parent);
        let room = self.room(parent, jit);
        if room + WATCHED > jit.max_chain.min(jit.max_bridges) {
            return;
        }
        let place = self.place(parent);
        for (index, resume) in bridge.trace.resumes.iter().enumerate() {
            if self.pc_of(resume.position) == place {
                self.guards[bridge.first_guard as usize + index].room = Some(room);
            }
        }
    }

    /// A watched guard's failure leads to `place`. More places than there may be bridges: none is worth it.
    pub fn led_to(&mut self, guard: u32, place: P)
    where
        P: PartialEq,
    {
        let Some(room) = self.guards[guard as usize].room else { return };
        let places = self.places.entry(guard).or_default();
        if !places.contains(&place) {
            places.push(place);
        }
        if places.len() > room as usize {
            self.guards[guard as usize].eagerness = u32::MAX;
            self.guards[guard as usize].room = None;
            self.places.remove(&guard);
        }
    }

    /// A compiled trace.
    pub fn trace(&self, index: usize) -> &Compiled {
        self.traces[index].as_ref().expect("a trace that was not freed")
    }

    /// What a guard's trace knows of its inputs: which are what the function's caller has passed.
    pub fn passed(&self, guard: u32) -> Rc<Vec<(Var, Part)>> {
        self.trace(self.guards[guard as usize].trace).passed.clone()
    }

    /// The traces that are not condemned.
    pub fn living(&self) -> impl Iterator<Item = (usize, &Compiled)> {
        let traces = self.traces.iter().enumerate();
        traces.filter_map(|(index, compiled)| Some((index, compiled.as_ref().filter(|one| !one.condemned)?)))
    }

    /// Where the next trace will be.
    pub fn next_trace(&mut self) -> usize {
        self.unused_traces.pop().unwrap_or_else(|| {
            self.traces.push(None);
            self.traces.len() - 1
        })
    }

    /// Numbers for so many guards of a trace: the first.
    pub fn take_guards(&mut self, count: usize) -> Option<u32> {
        Some(self.numbers.take(count)? as u32)
    }

    /// They are free again.
    pub fn give_guards(&mut self, first: u32, count: usize) {
        self.numbers.give(first as usize, count);
    }

    /// Takes a trace off the tables; `free` frees its code and says how large it was.
    pub fn forget(&mut self, index: usize, free: impl FnOnce(CodeId) -> u64) {
        let Some(compiled) = self.traces[index].take() else { return };
        self.summary.freed += 1;
        self.summary.freed_bytes += free(compiled.code);
        self.condemned -= compiled.condemned as usize;
        let count = compiled.trace.resumes.len();
        self.give_guards(compiled.first_guard, count);
        if !self.places.is_empty() {
            (0..count as u32).for_each(|index| drop(self.places.remove(&(compiled.first_guard + index))));
        }
        for resume in &compiled.trace.resumes {
            self.free_position(resume.position);
        }
        self.unused_traces.push(index);
    }

    /// The heads of cells that are gone lose their code; those that have lost it all are used again.
    pub fn bury(&mut self) {
        let owner = self.owner;
        let gone = ORPHANS.with_borrow_mut(|orphans| orphans.get_mut(&owner).map(std::mem::take));
        for mut head in gone.into_iter().flatten() {
            self.returns.recheck();
            loop {
                self.heads[head].forget();
                self.orphans.push(head);
                match self.heads[head].next.take() {
                    Some(next) => head = next,
                    None => break,
                }
            }
        }
        let needed: Vec<usize> = self.traces.iter().flatten().map(|compiled| compiled.head).collect();
        let (heads, unused) = (&mut self.heads, &mut self.unused_heads);
        self.orphans.retain(|head| {
            if !needed.contains(head) {
                heads[*head] = Head::default();
                unused.push(*head);
            }
            needed.contains(head)
        });
    }

    /// The head of a cell with these greens, made if need be.
    pub fn head(&mut self, cell: &LoopCell, kind: HeadKind, greens: &[u64]) -> usize {
        if let Some(index) = self.find_head(cell, kind, greens) {
            return index;
        }
        let index = self.unused_heads.pop().unwrap_or(self.heads.len());
        if index == self.heads.len() {
            self.heads.push(Head::default());
        }
        self.heads[index] = Head {
            kind,
            entry: (kind == HeadKind::Entry).then_some(std::ptr::from_ref(cell)),
            greens: Rc::new(greens.to_vec()),
            next: cell.head(self.owner),
            ..Head::default()
        };
        cell.set_head(self.owner, index);
        index
    }

    /// The head of a cell with these greens, if there is one.
    pub fn find_head(&self, cell: &LoopCell, kind: HeadKind, greens: &[u64]) -> Option<usize> {
        let mut at = cell.head(self.owner);
        while let Some(index) = at {
            if self.heads[index].kind == kind && *self.heads[index].greens == greens {
                return Some(index);
            }
            at = self.heads[index].next;
        }
        None
    }

    /// Its tree is no good any more: the next time it is recorded.
    pub fn record_anew(&mut self, head: usize) {
        self.heads[head].forget();
        self.sweep = true;
    }

    /// A guard that was moved out of its loop failed: the loop is wanted with all guards in its body, too.
    pub fn hoisted_failed(&mut self, head: usize, trace: usize) {
        let head = &mut self.heads[head];
        head.wants_plain |= head.trace == Some(trace) && head.plain.is_none();
        if let Some(version) = head.versions.iter().position(|version| *version == trace) {
            // Recorded anew when a bridge wants it.
            head.versions.remove(version);
            head.plain_versions = true;
            self.sweep = true;
        }
    }

    /// There is a loop with all guards in its body now: bridges to it are worth it at once.
    pub fn installed_plain(&mut self, head: usize, plain: usize) {
        self.heads[head].plain = Some(plain);
        let main = self.heads[head].trace;
        for guard in &mut self.guards {
            if guard.hoisted && Some(guard.trace) == main {
                guard.eagerness = guard.eagerness.min(guard.failures + 1);
            }
        }
    }

    /// The traces that a bridge, or a trace of another head, may go on in at this head, the best first.
    pub fn targets(&self, head: usize, bridge: Option<u32>) -> Vec<usize> {
        let entry = &self.heads[head];
        let from = bridge.map(|guard| {
            let guard = &self.guards[guard as usize];
            (guard.hoisted, self.trace(guard.trace))
        });
        let from = from.filter(|(_, from)| from.head == head);
        let early = from.is_some_and(|(hoisted, from)| hoisted || Some(from.root) == entry.plain);
        let valid = |trace: &usize| self.trace(*trace).invalid.load(Ordering::Relaxed) == 0;
        let plain = entry.plain.filter(|trace| early && valid(trace));
        let Some(main) = plain.or(entry.trace.filter(valid)) else { return Vec::new() };
        // One of the same slots is as good as another.
        let alike = |trace: &usize| valid(trace) && self.trace(*trace).slots == self.trace(main).slots;
        let own = |trace: &usize| from.is_some_and(|(_, from)| from.root == *trace);
        let mut targets: Vec<usize> =
            [main].into_iter().chain(entry.versions.iter().copied().filter(alike)).collect();
        targets.sort_by_key(|trace| !own(trace));
        targets
    }

    /// Counts an abort.
    pub fn count_abort(&mut self, reason: Abort) {
        match self.summary.aborts.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, count)) => *count += 1,
            None => self.summary.aborts.push((reason, 1)),
        }
    }

    /// Calls `visit` with every constant of a trace: references among them stay alive.
    pub fn constants(&self, visit: &mut dyn FnMut(u64)) {
        for compiled in self.traces.iter().flatten() {
            compiled.trace.consts.iter().for_each(|constant| visit(constant.bits));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program that makes and drops code does not fill the tables with its heads.
    #[test]
    fn heads_of_dropped_cells_are_used_again() {
        let mut tables = Tables::<u32>::default();
        for round in 0..1000u64 {
            let cell = LoopCell::default();
            let (one, other) =
                (tables.head(&cell, HeadKind::Loop, &[]), tables.head(&cell, HeadKind::Loop, &[round]));
            assert_eq!(
                (
                    tables.find_head(&cell, HeadKind::Loop, &[]),
                    tables.find_head(&cell, HeadKind::Loop, &[round])
                ),
                (Some(one), Some(other))
            );
            tables.heads[other].aborts = 3;
            drop(cell);
            tables.bury();
        }
        assert_eq!(tables.heads.len(), 2);
        assert_eq!(tables.heads[1].aborts, 0);
        // Cells of other machines, or of none, are not ours.
        drop(LoopCell::default());
        let cell = LoopCell::default();
        Tables::<u32>::default().head(&cell, HeadKind::Loop, &[]);
        drop(cell);
        tables.bury();
    }

    #[test]
    fn positions_are_used_again() {
        let mut tables = Tables::<u32>::default();
        let position = |pc| Position { pc, raising: false, greens: Rc::default(), inlined: None };
        for round in 0..100 {
            let mut trace = Trace::new();
            for pc in 0..5 {
                let position = tables.add_position(position(round * 10 + pc));
                trace.instrs.push(hotloop_ir::Instr { position, state: Default::default(), first_event: 0 });
            }
            assert_eq!(tables.position(trace.instrs[3].position).pc, round * 10 + 3);
            tables.free_positions(&trace, None);
        }
        assert_eq!(tables.positions.len(), 5);
    }
}
