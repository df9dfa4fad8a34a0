//! Random traces, run by two targets that must agree.
//!
//! [`session`] makes traces from a seed, runs them on a target and on the reference, attaches bridges to
//! the guards that fail, enters loops from others, frees traces, and compares every exit, its values, and all memory. All
//! loops end, as the first input is a counter that each trace counts down and every guard keeps alive.

mod benchmark;
mod generate;
mod memory;

use hotloop_ir::{Opcode, Trace, Ty};

pub use benchmark::{benchmark_loop, resume_of};
pub use generate::{Generator, Random};
pub use memory::{Arena, context_for};

use crate::{CodeId, Entry, Request, Target};

/// Runs a session; an error says what differed, with the traces.
///
/// # Errors
/// The two targets disagree.
pub fn session(seed: u64, tested: &dyn Target, reference: &dyn Target) -> Result<(), String> {
    let mut random = Random::new(seed);
    let mut arena = Arena::new();
    let generator = Generator::new(&arena);
    let mut fresh: Vec<(CodeId, Vec<Ty>)> = Vec::new();
    let mut made: Vec<Made> = Vec::new();
    let mut traces: Vec<Trace> = Vec::new();
    // The types that live behind each guard.
    let mut guards: Vec<Vec<Ty>> = Vec::new();
    let mut add = |trace: Trace, entry, made: &mut Vec<Made>, guards: &mut Vec<Vec<Ty>>| {
        let first_guard = guards.len() as u32;
        let request = Request { entry, first_guard, invalid: std::ptr::null() };
        for resume in &trace.resumes {
            let ty = |var| trace.result_type(trace.op(var)).unwrap_or(Ty::Int);
            guards.push(resume.live().into_iter().map(ty).collect());
        }
        let failed = |error| format!("seed {seed}: {error}\n{}", describe(std::slice::from_ref(&trace)));
        let tested = tested.compile(&trace, &request).map_err(failed)?;
        let reference = reference.compile(&trace, &request).map_err(failed)?;
        let enters = trace.ops.last().filter(|op| op.code == Opcode::Enter).map(|op| CodeId(op.descr));
        let guards = first_guard..first_guard + trace.resumes.len() as u32;
        made.push(Made { code: tested, entry, enters, guards });
        traces.push(trace);
        if tested == reference { Ok(tested) } else { Err(format!("seed {seed}: numbers differ")) }
    };
    for _ in 0..random.below(3) + 1 {
        let types = generator.input_types(&mut random);
        let trace = generator.trace(&mut random, &types, &fresh);
        let code = add(trace, Entry::Fresh, &mut made, &mut guards)?;
        fresh.push((code, types));
    }
    for _ in 0..random.below(12) + 4 {
        let (code, types) = &fresh[random.below(fresh.len())];
        let inputs = generator.inputs(&mut random, types);
        let outcome = |target: &dyn Target, arena: &mut Arena, values: &mut Vec<u64>| {
            arena.reset(seed);
            let mut context = context_for(arena, seed);
            // SAFETY: generated traces only touch the arena and call functions of this crate.
            unsafe { target.run(*code, &mut context, &inputs, values) }
        };
        let (mut one, mut other) = (Vec::new(), Vec::new());
        let expected = outcome(reference, &mut arena, &mut other);
        let memory = arena.words();
        let guard = outcome(tested, &mut arena, &mut one);
        let after = arena.words();
        let same_word =
            |a: &u64, b: &u64| a == b || f64::from_bits(*a).is_nan() && f64::from_bits(*b).is_nan();
        let same = guard == expected
            && one.len() == other.len()
            && one.iter().zip(&other).all(|(a, b)| same_word(a, b))
            && memory.iter().zip(&after).all(|(a, b)| same_word(a, b));
        if !same {
            let at = memory.iter().zip(&after).position(|(a, b)| !same_word(a, b));
            return Err(format!(
                "seed {seed}: guard {guard} {one:x?}, expected {expected} {other:x?}; memory differs at {at:?}\n\
                 run {code:?} with {inputs:x?}\n{}",
                describe(&traces)
            ));
        }
        let types = guards[guard as usize].clone();
        if random.chance(60) && guards.len() < 400 {
            let trace = generator.trace(&mut random, &types, &fresh);
            add(trace, Entry::Bridge { guard }, &mut made, &mut guards)?;
        } else if random.chance(25) {
            let first = made[random.below(made.len())].code;
            for code in with_dependents(&mut made, first) {
                // SAFETY: nothing runs, and what enters it is freed with it.
                unsafe {
                    tested.free(code);
                    reference.free(code);
                }
                fresh.retain(|(known, _)| *known != code);
            }
            if fresh.is_empty() {
                break;
            }
        }
    }
    Ok(())
}

/// A trace of a session.
struct Made {
    code: CodeId,
    entry: Entry,
    enters: Option<CodeId>,
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
            if (gone.contains(&one.code) || bridge || one.enters.is_some_and(|to| gone.contains(&to)))
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
            if op.code.is_guard() {
                let _ = write!(text, " | {:?}", trace.resumes[op.resume as usize].live());
            }
            text.push('\n');
        }
    }
    text
}
