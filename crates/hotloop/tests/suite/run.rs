//! A program is run in many ways, which must agree.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use hotloop::{JitOptions, Options, Summary, Vm};
use hotloop_log::Log;

use crate::language::program::Program;
use crate::language::{Interrupts, Outcome, Tiny};

/// Back edges and calls that a program may take.
pub const FUEL: i64 = 600;
/// The same for many random programs.
const LITTLE_FUEL: i64 = 150;

/// One heap is alive at a time, and collector's threads are shared: one test runs at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Runs `test` while no other test runs.
pub fn alone<T>(test: impl FnOnce() -> T) -> T {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    test()
}

/// What a run gave besides its outcome.
#[derive(Clone, Debug)]
pub struct Report {
    pub outcome: Outcome,
    pub summary: Summary,
    pub guards: u32,
    /// How many were answered.
    pub interrupts: u64,
}

/// One way to run.
#[derive(Clone, Debug)]
pub struct Way {
    pub jit: JitOptions,
    pub gc_stress: Option<u32>,
    pub heap_limit: Option<usize>,
    /// The number of the allocation that fails.
    pub gc_fail: Option<u64>,
    pub interrupts: Interrupts,
}

impl Way {
    /// Without compiling.
    pub fn plain() -> Way {
        Way::with(JitOptions { enabled: false, ..JitOptions::default() })
    }

    /// Compiling everything at once.
    pub fn eager(native: bool, optimize: bool, trace_eagerness: u32) -> Way {
        let jit = JitOptions {
            threshold: 1,
            function_threshold: u32::MAX,
            trace_eagerness,
            native,
            optimize,
            ..JitOptions::default()
        };
        Way::with(jit)
    }

    /// With these parameters, and nothing else unusual.
    pub fn with(jit: JitOptions) -> Way {
        Way { jit, gc_stress: None, heap_limit: None, gc_fail: None, interrupts: Interrupts::default() }
    }

    /// Compiling functions, too.
    pub fn with_entries(mut self, on: bool) -> Way {
        self.jit.function_threshold = if on { 1 } else { u32::MAX };
        self
    }

    fn describe(&self) -> String {
        let JitOptions {
            enabled,
            threshold,
            function_threshold,
            trace_eagerness,
            optimize,
            native,
            force,
            force_every,
            ..
        } = self.jit;
        let JitOptions { loop_longevity, max_code, fail_code, trace_limit, .. } = self.jit;
        let (stress, always) = (self.gc_stress, self.interrupts.always);
        format!(
            "enabled {enabled} threshold {threshold} function_threshold {function_threshold} \
             eagerness {trace_eagerness} optimize {optimize} native {native} \
             force {force:?} force_every {force_every:?} gc_stress {stress:?} loop_longevity {loop_longevity} \
             max_code {max_code} fail_code {fail_code:?} trace_limit {trace_limit} interrupts {always}"
        )
    }
}

/// Runs the program one way; an internal error is an error.
pub fn run(program: &'static Program, way: &Way, fuel: i64) -> Result<Report, String> {
    run_logged(program, way, fuel, None)
}

/// The same with a log.
pub fn run_logged(
    program: &'static Program,
    way: &Way,
    fuel: i64,
    log: Option<Log>,
) -> Result<Report, String> {
    if std::env::var_os("TINY_VERBOSE").is_some() {
        eprintln!("{}", way.describe());
    }
    let result = catch_unwind(AssertUnwindSafe(|| {
        let options = Options {
            gc_stress: way.gc_stress,
            gc_verify: way.gc_stress.is_some(),
            heap_limit: way.heap_limit,
            gc_fail: way.gc_fail,
            jit: way.jit,
            ..Options::default()
        };
        let mut tiny = Tiny::new(options, program);
        tiny.interrupts = way.interrupts.clone();
        if way.interrupts.always {
            tiny.runtime.interrupter().interrupt();
        }
        if let Some(log) = log {
            tiny.runtime.set_log(log);
        }
        let vm = Vm::new(&tiny);
        let outcome = tiny.run(&vm, fuel);
        tiny.runtime.interrupter().clear();
        let interrupts = tiny.interrupts.count.get();
        Report { outcome, summary: vm.summary(), guards: vm.guard_count(), interrupts }
    }));
    result.map_err(|payload| {
        let text = payload.downcast_ref::<String>().cloned();
        text.or_else(|| payload.downcast_ref::<&str>().map(|text| text.to_string())).unwrap_or_default()
    })
}

/// How thoroughly.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effort {
    /// Some ways of each kind.
    Some,
    /// All.
    All,
}

/// A difference between two ways to run.
#[derive(Clone, Debug)]
pub struct Failure {
    pub way: String,
    pub text: String,
}

/// Counts what was done.
#[derive(Clone, Copy, Default, Debug)]
pub struct Counts {
    pub runs: u64,
    pub loops: u64,
    pub entries: u64,
    pub bridges: u64,
    pub exits: u64,
    pub guards_forced: u64,
}

/// Runs the program in all ways; `rule` of replay is broken.
pub fn compare(
    program: &'static Program,
    effort: Effort,
    rule: Option<u32>,
    counts: &mut Counts,
) -> Result<(), Failure> {
    let fuel = if effort == Effort::All { FUEL } else { LITTLE_FUEL };
    let expected = match run(program, &Way::plain(), fuel) {
        Ok(report) => report.outcome,
        Err(text) => return Err(Failure { way: "plain".to_string(), text }),
    };
    let mut check = |mut way: Way| -> Result<Report, Failure> {
        way.jit.break_rule = rule;
        counts.runs += 1;
        let report = run(program, &way, fuel);
        let report = report.map_err(|text| Failure { way: way.describe(), text })?;
        counts.loops += report.summary.loops as u64;
        counts.entries += report.summary.entries as u64;
        counts.bridges += report.summary.bridges as u64;
        counts.exits += report.summary.exits;
        counts.guards_forced += way.jit.force.is_some() as u64;
        if report.outcome != expected {
            let text = format!("expected {expected:#?}\nfound {:#?}", report.outcome);
            return Err(Failure { way: way.describe(), text });
        }
        Ok(report)
    };
    let all = effort == Effort::All;
    let backends: &[(bool, bool)] = if all {
        &[(false, false), (false, true), (true, true), (true, false)]
    } else {
        &[(false, true), (true, true)]
    };
    for &(native, optimize) in backends {
        for eagerness in [1, 2, 3] {
            check(Way::eager(native, optimize, eagerness))?;
            check(Way::eager(native, optimize, eagerness).with_entries(true))?;
        }
        check(Way::eager(native, optimize, 1_000_000))?;
        for every in if all { &[1, 2, 3, 5, 7][..] } else { &[1, 3][..] } {
            for eagerness in [2, 1_000_000] {
                let mut way = Way::eager(native, optimize, eagerness).with_entries(every % 2 == 1);
                way.jit.force_every = Some(*every);
                check(way)?;
            }
        }
    }
    for every in [None, Some(2)] {
        let mut way = Way::eager(true, true, 3);
        // Loops in callees, and callers that were compiled before them.
        way.jit.threshold = 7;
        way.jit.function_threshold = 5;
        way.jit.force_every = every;
        check(way.clone())?;
        way.jit.optimize = false;
        check(way)?;
    }
    // Traces in pieces.
    for limit in if all { &[20, 60, 150][..] } else { &[60][..] } {
        for every in [None, Some(4)] {
            let mut way = Way::eager(true, true, 2);
            (way.jit.trace_limit, way.jit.force_every) = (*limit, every);
            check(way)?;
        }
    }
    // Code is freed all the time, or there is hardly room for it.
    for &(native, optimize) in backends {
        for eagerness in [1, 3] {
            let mut way = Way::eager(native, optimize, eagerness);
            way.jit.loop_longevity = eagerness - 1;
            check(way.clone())?;
            way.jit.force_every = Some(5);
            way.jit.fail_code = Some(2);
            check(way.clone())?;
            (way.jit.loop_longevity, way.jit.fail_code) = (1000, Some(3));
            (way.jit.max_code, way.jit.max_aborts) = (4096, 100);
            check(way.clone())?;
            (way.jit.fail_code, way.jit.force_every) = (None, None);
            way.interrupts.always = true;
            check(way)?;
        }
    }
    for stress in if all { 1..=3 } else { 2..=2 } {
        let mut way = Way::eager(true, true, 2).with_entries(stress != 2);
        way.gc_stress = Some(stress);
        check(way.clone())?;
        way.jit.force_every = Some(3);
        check(way)?;
    }
    for &(native, optimize) in &backends[if all { 0 } else { 1 }..] {
        for eagerness in [1, 1_000_000] {
            for execution in if all { &[1, 2, 5][..] } else { &[2][..] } {
                // Of a random program every fourth: there are many programs.
                let (mut guard, stride) =
                    if all { (0, 1) } else { (program.functions[0].instrs.len() as u32 % 4, 4) };
                loop {
                    let mut way = Way::eager(native, optimize, eagerness).with_entries(*execution != 2);
                    way.jit.force = Some((guard, *execution));
                    guard += stride;
                    // What is forced changes what is compiled: the number is that of this very run.
                    if check(way)?.guards <= guard {
                        break;
                    }
                }
            }
        }
    }
    Ok(())
}
