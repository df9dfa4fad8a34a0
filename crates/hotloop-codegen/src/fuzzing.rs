//! Random traces, run by two targets that must agree.
//!
//! [`session`] makes traces from a seed, runs them on a target and on the reference, attaches bridges to
//! the guards that fail, enters loops from others, calls functions, frees traces, and compares every exit, its
//! values, all memory, and what was remembered for the collector. All loops end, as the first input is a counter
//! that each trace counts down and every guard keeps alive.

mod benchmark;
mod generate;
mod memory;

use hotloop_ir::{Opcode, Trace};

pub use benchmark::{benchmark_loop, resume_of};
pub use generate::{Generated, Generator, Known, Place, Random};
pub use memory::{Arena, context_for, remembered};

use crate::{CodeId, CodegenError, Entry, Exits, Request, Target};
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
use crate::{Eval, Force, Options, x64::X64};

/// What a session did.
#[derive(Clone, Copy, Default, Debug)]
pub struct Counts {
    /// Traces, bridges included.
    pub traces: u64,
    /// Runs of them.
    pub runs: u64,
    /// Runs that were left with traces that waited for the innermost one.
    pub unwound: u64,
    /// Calls and slow allocations.
    pub safepoints: u64,
    /// Objects that the reference remembered.
    pub remembered: u64,
    /// Bridges that jump to a label.
    pub to_labels: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        self.traces += other.traces;
        self.runs += other.runs;
        self.unwound += other.unwound;
        self.safepoints += other.safepoints;
        self.remembered += other.remembered;
        self.to_labels += other.to_labels;
    }
}

/// What can be seen of a run.
struct Outcome {
    exits: Exits,
    memory: Vec<u64>,
    remembered: Vec<Vec<u64>>,
}

impl Outcome {
    /// What is wrong with another one, if this is what should be.
    fn difference(&self, other: &Outcome) -> Option<String> {
        // Floats that are no numbers may differ in their bits.
        let same = |a: &[u64], b: &[u64]| {
            let nan = |bits: &u64| f64::from_bits(*bits).is_nan();
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a == b || nan(a) && nan(b))
        };
        let exits = |exits: &Exits| (0..exits.len()).map(|index| exits.get(index).0).collect::<Vec<_>>();
        let (expected, found) = (exits(&self.exits), exits(&other.exits));
        if expected != found || !same(self.exits.words(), other.exits.words()) {
            let (words, wanted) = (other.exits.words(), self.exits.words());
            return Some(format!("guards {found:?} {words:x?}, expected {expected:?} {wanted:x?}"));
        }
        if !same(&self.memory, &other.memory) {
            let at = self.memory.iter().zip(&other.memory).position(|(a, b)| !same(&[*a], &[*b]));
            return Some(format!("memory differs at {at:?}"));
        }
        let told = |(wanted, found): (&Vec<u64>, &Vec<u64>)| {
            wanted.iter().all(|object| found.contains(object)) && !found.contains(&0)
        };
        let (wanted, found) = (&self.remembered, &other.remembered);
        let all = wanted.len() == found.len() && wanted.iter().zip(found).all(told);
        (!all).then(|| format!("remembered {found:x?}, expected {wanted:x?}"))
    }
}

/// Runs a session with machine code against the reference: by the seed's rest, on the baseline of machines,
/// or with guards that fail although they hold.
///
/// # Errors
/// See [`session`].
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
pub fn compare(seed: u64) -> Result<Counts, String> {
    let (rest, number) = (seed % 8, seed / 8);
    let options = Options {
        force_every: (rest == 0).then_some(1 + number % 13),
        force: (rest == 1).then_some(Force { guard: (number % 9) as u32, at: 1 + number % 5 }),
        code_limit: 16 << 20,
        ..Options::default()
    };
    let native = if rest == 2 { X64::baseline(options.clone()) } else { X64::new(options.clone()) };
    let native = native.map_err(|error| format!("seed {seed}: {error}"))?;
    session(seed, &native, &Eval::new(options))
}

/// Runs a session; an error says what differed, with the traces.
///
/// # Errors
/// The two targets disagree.
pub fn session(seed: u64, tested: &dyn Target, reference: &dyn Target) -> Result<Counts, String> {
    let mut random = Random::new(seed);
    let mut arena = Arena::new();
    let generator = Generator::new(&arena);
    let mut counts = Counts::default();
    let mut known: Vec<Known> = Vec::new();
    let mut made: Vec<Made> = Vec::new();
    let mut traces: Vec<Trace> = Vec::new();
    // Where each guard leads.
    let mut guards: Vec<Place> = Vec::new();
    let mut add = |new: Generated, entry, made: &mut Vec<Made>, guards: &mut Vec<Place>| {
        let Generated { trace, places, uses } = new;
        let first_guard = guards.len() as u32;
        let request = Request { entry, first_guard, invalid: std::ptr::null() };
        guards.extend(places);
        let failed = |error| format!("seed {seed}: {error}\n{}", describe(std::slice::from_ref(&trace)));
        let tested = match tested.compile(&trace, &request) {
            // Whoever compiles it gives the trace up; so ends the session.
            Err(CodegenError::TooManySpills) => return Ok(None),
            tested => tested.map_err(failed)?,
        };
        let reference = reference.compile(&trace, &request).map_err(failed)?;
        let guards = first_guard..first_guard + trace.resumes.len() as u32;
        made.push(Made { code: tested, entry, uses, guards });
        traces.push(trace);
        if tested == reference { Ok(Some(tested)) } else { Err(format!("seed {seed}: numbers differ")) }
    };
    for _ in 0..random.below(3) + 1 {
        let mut place = generator.place(&mut random);
        let new = generator.trace(&mut random, &place, &known, true);
        let Some(code) = add(new, Entry::Fresh, &mut made, &mut guards)? else {
            return Ok(counts);
        };
        // What leads out of a function's trace leads on in that function; out of a loop, perhaps to its label.
        let own = made.last().map_or(0..0, |made| made.guards.clone());
        for guard in own {
            guards[guard as usize] = guards[guard as usize].clone().with_code(code);
        }
        place = place.with_code(code);
        known.push((code, place));
    }
    for _ in 0..random.below(12) + 4 {
        let (code, place) = &known[random.below(known.len())];
        let inputs = generator.inputs(&mut random, &place.types);
        let run = |target: &dyn Target, arena: &mut Arena| {
            arena.reset(seed);
            let mut context = context_for(arena, seed);
            let mut exits = Exits::default();
            // SAFETY: generated traces only touch the arena and call functions of this crate.
            unsafe { target.execute(*code, &mut context, &inputs, &mut exits) };
            Outcome { exits, memory: arena.words(), remembered: remembered() }
        };
        let expected = run(reference, &mut arena);
        let found = run(tested, &mut arena);
        if let Some(difference) = expected.difference(&found) {
            let traces = describe(&traces);
            return Err(format!("seed {seed}: {difference}\nrun {code:?} with {inputs:x?}\n{traces}"));
        }
        counts.runs += 1;
        counts.unwound += u64::from(expected.exits.len() > 1);
        counts.safepoints += expected.remembered.len() as u64 - 1;
        counts.remembered += expected.remembered.iter().map(|piece| piece.len() as u64).sum::<u64>();
        let (guard, _) = expected.exits.get(0);
        let place = guards[guard as usize].clone();
        if random.chance(60) && guards.len() < 400 {
            let new = generator.trace(&mut random, &place, &known, false);
            if add(new, Entry::Bridge { guard }, &mut made, &mut guards)?.is_none() {
                break;
            }
        } else if random.chance(25) {
            let first = made[random.below(made.len())].code;
            for code in with_dependents(&mut made, first) {
                // SAFETY: nothing runs, and what enters it is freed with it.
                unsafe {
                    tested.free(code);
                    reference.free(code);
                }
                known.retain(|(known, _)| *known != code);
            }
            if known.is_empty() {
                break;
            }
        }
    }
    counts.traces = traces.len() as u64;
    let jumps = |trace: &&Trace| trace.ops.last().is_some_and(|op| op.code == Opcode::EnterLabel);
    counts.to_labels = traces.iter().filter(jumps).count() as u64;
    Ok(counts)
}

/// A trace of a session.
struct Made {
    code: CodeId,
    entry: Entry,
    /// What it enters and calls.
    uses: Vec<CodeId>,
    guards: std::ops::Range<u32>,
}

/// Takes a trace off the list, all that enter it, and all their bridges.
fn with_dependents(made: &mut Vec<Made>, first: CodeId) -> Vec<CodeId> {
    let mut gone: Vec<CodeId> = vec![first];
    let mut guards = Vec::new();
    loop {
        let before = gone.len();
        for one in &*made {
            let bridge = matches!(one.entry, Entry::Bridge { guard } if guards.contains(&guard));
            if (gone.contains(&one.code) || bridge || one.uses.iter().any(|to| gone.contains(to)))
                && !guards.contains(&one.guards.start)
            {
                guards.extend(one.guards.clone());
                if !gone.contains(&one.code) {
                    gone.push(one.code);
                }
            }
        }
        if gone.len() == before {
            break;
        }
    }
    made.retain(|one| !gone.contains(&one.code));
    gone
}

/// The traces as text, roughly.
pub fn describe(traces: &[Trace]) -> String {
    use std::fmt::Write;
    let mut text = String::new();
    for (index, trace) in traces.iter().enumerate() {
        let _ = writeln!(text, "trace {index}");
        for (at, op) in trace.ops.iter().enumerate() {
            let show = |operand: &hotloop_ir::Operand| match trace.const_of(*operand) {
                Some(constant) => format!("{:#x}", constant.bits),
                None => format!("{operand:?}"),
            };
            let operands: Vec<String> = op.operands().iter().chain(trace.list(op.list)).map(show).collect();
            let _ = write!(text, "  v{at} = {} {} d{}", op.code.name(), operands.join(", "), op.descr);
            if op.code == Opcode::CallEntry {
                let _ = write!(text, " of {:?}", trace.calls[op.descr as usize].code);
            }
            if op.code.is_guard() {
                let _ = write!(text, " | {:?}", trace.resumes[op.resume as usize].live());
            }
            text.push('\n');
        }
    }
    text
}
