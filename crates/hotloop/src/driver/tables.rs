//! What the driver knows: positions, loops, traces, guards.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use hotloop_codegen::CodeId;
use hotloop_ir::Trace;
use hotloop_record::Abort;

/// The counter of a position where traces may start, kept beside the code: no hashing on a back edge.
#[derive(Debug, Default)]
pub struct LoopCell {
    /// Counts down; at 0 or below the driver looks.
    count: Cell<i32>,
    /// 1 + index in [`Tables::heads`]; 0: not there yet.
    head: Cell<u32>,
    /// The machine in whose tables that is.
    owner: Cell<u32>,
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
}

/// A place where traces start.
#[derive(Debug, Default)]
pub(crate) struct Head {
    pub greens: Rc<Vec<u64>>,
    /// The compiled trace.
    pub trace: Option<usize>,
    pub aborts: u32,
    /// Another head of the same cell, with other greens.
    pub next: Option<usize>,
    /// Bridges of its traces.
    pub bridges: u32,
    /// What leaving its traces has cost lately.
    pub exits: ExitCost,
}

/// What side exits cost, over a window of [`ExitCost::WINDOW`] of them.
#[derive(Debug, Default)]
pub(crate) struct ExitCost {
    count: u32,
    spent: Duration,
    since: Option<Instant>,
}

impl ExitCost {
    const WINDOW: u32 = 4096;

    /// Counts an exit that took from `started` until now. Whether exits take more than a tenth of the time.
    pub fn add(&mut self, started: Instant) -> bool {
        let now = Instant::now();
        let since = *self.since.get_or_insert(started);
        self.count += 1;
        self.spent += now - started;
        if self.count < Self::WINDOW {
            return false;
        }
        let too_much = self.spent * 10 > now - since;
        *self = ExitCost::default();
        too_much
    }
}

/// A compiled trace.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub code: CodeId,
    pub trace: Rc<Trace>,
    pub first_guard: u32,
    /// Not 0: a stable field that it relied on was written.
    pub invalid: Rc<AtomicU32>,
    /// The head it starts from, or the one its root trace starts from.
    pub head: usize,
    /// The frame's slots that are inputs, after the red state.
    pub slots: Rc<Vec<usize>>,
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
}

/// Everything that was compiled, in numbers.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Loops compiled.
    pub loops: u32,
    /// Bridges compiled.
    pub bridges: u32,
    /// Recordings given up.
    pub aborts: Vec<(Abort, u32)>,
    /// Loops given up because leaving them took too much of their time.
    pub retired: u32,
    /// Side exits that went back to the interpreter.
    pub exits: u64,
    /// Red operations while recording.
    pub recorded_operations: u64,
    /// Operations left after folding at record time.
    pub trace_ops: u64,
    /// Operations left after optimising.
    pub optimized_ops: u64,
    /// Guards left after optimising.
    pub guards: u64,
    /// Bytes of machine code.
    pub code_bytes: u64,
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
        for (reason, count) in &self.aborts {
            writeln!(f, "aborts:           {count} ({reason})")?;
        }
        writeln!(f, "retired:          {}", self.retired)?;
        writeln!(f, "side exits:       {}", self.exits)?;
        writeln!(f, "red operations:   {}", self.recorded_operations)?;
        writeln!(f, "recorded ops:     {}", self.trace_ops)?;
        writeln!(f, "optimized ops:    {}", self.optimized_ops)?;
        writeln!(f, "guards:           {}", self.guards)?;
        writeln!(f, "code bytes:       {}", self.code_bytes)?;
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
    pub positions: Vec<Position<P>>,
    pub heads: Vec<Head>,
    pub traces: Vec<Compiled>,
    pub guards: Vec<Guard>,
    pub summary: Summary,
}

impl<P> Default for Tables<P> {
    fn default() -> Self {
        static OWNERS: AtomicU32 = AtomicU32::new(1);
        Tables {
            owner: OWNERS.fetch_add(1, Ordering::Relaxed),
            positions: Vec::new(),
            heads: Vec::new(),
            traces: Vec::new(),
            guards: Vec::new(),
            summary: Summary::default(),
        }
    }
}

impl<P: Copy> Tables<P> {
    /// The number of a position.
    pub fn position(&mut self, position: Position<P>) -> u32 {
        self.positions.push(position);
        self.positions.len() as u32 - 1
    }

    /// The head of a cell with these greens, made if need be.
    pub fn head(&mut self, cell: &LoopCell, greens: &[u64]) -> usize {
        let mut at = cell.head(self.owner);
        while let Some(index) = at {
            if *self.heads[index].greens == greens {
                return index;
            }
            at = self.heads[index].next;
        }
        self.heads.push(Head {
            greens: Rc::new(greens.to_vec()),
            next: cell.head(self.owner),
            ..Head::default()
        });
        cell.set_head(self.owner, self.heads.len() - 1);
        self.heads.len() - 1
    }

    /// The head of a cell with these greens, if there is one.
    pub fn find_head(&self, cell: &LoopCell, greens: &[u64]) -> Option<usize> {
        let mut at = cell.head(self.owner);
        while let Some(index) = at {
            if *self.heads[index].greens == greens {
                return Some(index);
            }
            at = self.heads[index].next;
        }
        None
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
        for compiled in &self.traces {
            compiled.trace.consts.iter().for_each(|constant| visit(constant.bits));
        }
    }
}
