//! Random traces, run by two targets that must agree.
//!
//! [`session`] makes traces from a seed, runs them on a target and on the reference, attaches bridges to
//! the guards that fail, enters loops from others, and compares every exit, its values, and all memory. All
//! loops end, as the first input is a counter that each trace counts down and every guard keeps alive.

mod benchmark;
mod generate;
mod memory;

use hotloop_ir::{Trace, Ty};

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
    let mut traces: Vec<Trace> = Vec::new();
    // The types that live behind each guard.
    let mut guards: Vec<Vec<Ty>> = Vec::new();
    let add = |trace: Trace, entry: Entry, guards: &mut Vec<Vec<Ty>>, traces: &mut Vec<Trace>| {
        let request = Request { entry, first_guard: guards.len() as u32, invalid: std::ptr::null() };
        for resume in &trace.resumes {
            let ty = |var| trace.result_type(trace.op(var)).unwrap_or(Ty::Int);
            guards.push(resume.live().into_iter().map(ty).collect());
        }
        let failed = |error| format!("seed {seed}: {error}\n{}", describe(std::slice::from_ref(&trace)));
        let tested = tested.compile(&trace, &request).map_err(failed)?;
        let reference = reference.compile(&trace, &request).map_err(failed)?;
        traces.push(trace);
        if tested == reference { Ok(tested) } else { Err(format!("seed {seed}: numbers differ")) }
    };
    for _ in 0..random.below(3) + 1 {
        let types = generator.input_types(&mut random);
        let trace = generator.trace(&mut random, &types, &fresh);
        let code = add(trace, Entry::Fresh, &mut guards, &mut traces)?;
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
            add(trace, Entry::Bridge { guard }, &mut guards, &mut traces)?;
        }
    }
    Ok(())
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
