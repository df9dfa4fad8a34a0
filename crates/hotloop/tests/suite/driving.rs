//! What an embedder and a language say to the driver: parameters, hooks, limits.

use std::cell::RefCell;
use std::rc::Rc;

use hotloop::{AbortInfo, ExitInfo, JitHooks, Options, Runtime, TraceInfo, TraceKind, Vm};
use hotloop_ir::Opcode;

use crate::language::Tiny;
use crate::programs::parse;
use crate::run::{Way, alone};
use crate::shapes::{traces, way};

const LOOP: &str = "
    fn main 8
      int r0 0; int r2 300; int r3 1; int r5 7
    loop:
      mod r4 r0 r5
      jump-if r4 on
      add r1 r1 r3
    on:
      add r0 r0 r3
      back-less r0 r2 loop
      return r1";

fn tiny(text: &str, threshold: u32, trace_eagerness: u32) -> Tiny {
    let mut options = Options { jit: way().jit, ..Options::default() };
    options.jit.threshold = threshold;
    options.jit.trace_eagerness = trace_eagerness;
    Tiny::new(options, parse(text))
}

#[test]
fn parameters_change_while_programs_run() {
    alone(|| {
        let tiny = tiny(LOOP, 1, 1_000_000);
        let vm = Vm::new(&tiny);
        let set = |name: &str, value: u32| tiny.runtime.set_param(name, value).expect(name);
        set("enabled", 0);
        let first = tiny.run(&vm, 10_000);
        assert_eq!((vm.summary().loops, vm.summary().exits), (0, 0));
        set("enabled", 1);
        // The counter was set while nothing was to be compiled: it runs out some time.
        for _ in 0..400 {
            assert_eq!(tiny.run(&vm, 10_000), first);
        }
        let summary = vm.summary();
        assert_eq!((summary.loops, summary.bridges), (1, 0), "{summary}");
        set("enabled", 0);
        let exits = vm.summary().exits;
        assert_eq!(tiny.run(&vm, 10_000), first);
        assert_eq!(vm.summary().exits, exits, "compiled code is not entered");
    });
}

#[test]
fn limits_that_change_change_what_is_compiled_next() {
    let twice = "
        fn main 8
          call r0 one r0 0
          call r0 two r0 0
          return r0
        fn one 4
          int r1 40; int r2 1
        loop:
          add r0 r0 r2
          back-less r0 r1 loop
          return r0
        fn two 4
          int r1 40; int r2 1
        loop:
          add r0 r0 r2
          back-less r0 r1 loop
          return r0";
    struct Stop(RefCell<Option<Rc<Tiny>>>);
    impl JitHooks for Stop {
        fn after_compile(&self, _: &TraceInfo<'_>) {
            if let Some(tiny) = &*self.0.borrow() {
                tiny.runtime.set_param("trace_limit", 3).expect("a parameter");
            }
        }
    }
    alone(|| {
        let tiny = Rc::new(tiny(twice, 1, 2));
        let stop = Rc::new(Stop(RefCell::new(Some(tiny.clone()))));
        tiny.runtime.set_hooks(Some(stop.clone()));
        let vm = Vm::new(&*tiny);
        tiny.run(&vm, 10_000);
        let summary = vm.summary();
        assert_eq!(summary.loops, 1, "{summary}");
        assert_eq!(summary.aborts.len(), 1, "{summary}");
        drop(vm);
        tiny.runtime.set_hooks(None);
        stop.0.borrow_mut().take();
    });
}

#[test]
fn parameters_have_rpythons_names() {
    let mut jit = Options::default().jit;
    jit.parse("threshold=5,inlining=0,max_unroll_recursion=3,disable_unrolling=200,enable_opts=")
        .expect("names");
    assert_eq!((jit.threshold, jit.inlining, jit.optimize, jit.unroll), (5, false, false, false));
    jit.parse("enable_opts=intbounds:rewrite:virtualize:string:pure:earlyforce:heap").expect("a list");
    assert_eq!((jit.optimize, jit.unroll), (true, false));
    jit.parse("default").expect("default");
    assert_eq!(
        (jit.threshold, jit.inlining, jit.unroll, jit.disable_unrolling),
        (1039, true, true, u32::MAX)
    );
    jit.parse("off").expect("off");
    assert!(!jit.enabled);
    for wrong in ["enable_opts=heap", "threshold=x", "inlining=2", "thresh=1"] {
        assert!(jit.parse(wrong).is_err(), "{wrong}");
    }
}

#[derive(Default)]
struct Heard {
    before: RefCell<Vec<(String, TraceKind, usize, usize)>>,
    after: RefCell<Vec<(String, TraceKind, usize, usize)>>,
    aborts: RefCell<Vec<(String, String)>>,
    exits: RefCell<Vec<(String, u32, u32)>>,
}

fn heard(info: &TraceInfo<'_>) -> (String, TraceKind, usize, usize) {
    assert!(info.recorded_ops > 0 && info.guards < info.ops && info.trace.to_string().contains("guard"));
    (info.place.to_string(), info.kind, info.ops, info.code_bytes)
}

impl JitHooks for Heard {
    fn before_compile(&self, trace: &TraceInfo<'_>) {
        self.before.borrow_mut().push(heard(trace));
    }
    fn after_compile(&self, trace: &TraceInfo<'_>) {
        self.after.borrow_mut().push(heard(trace));
    }
    fn on_abort(&self, abort: &AbortInfo<'_>) {
        self.aborts.borrow_mut().push((abort.place.to_string(), abort.reason.to_string()));
    }
    fn on_side_exit(&self, exit: &ExitInfo<'_>) {
        self.exits.borrow_mut().push((exit.place.to_string(), exit.guard, exit.failures));
    }
}

#[test]
fn hooks_hear_of_everything() {
    alone(|| {
        let tiny = tiny(LOOP, 1, 4);
        let hooks = Rc::new(Heard::default());
        tiny.runtime.set_hooks(Some(hooks.clone()));
        let vm = Vm::new(&tiny);
        tiny.run(&vm, 10_000);
        tiny.runtime.set_param("trace_limit", 2).expect("a parameter");
        let summary = vm.summary();
        let (before, after) = (hooks.before.borrow(), hooks.after.borrow());
        assert_eq!(after.len() as u32, summary.loops + summary.bridges, "{summary}");
        assert_eq!(before.len(), after.len());
        let loops = after.iter().filter(|(_, kind, ..)| *kind == TraceKind::Loop).count();
        assert_eq!(loops as u32, summary.loops);
        assert!(summary.bridges > 0);
        let bytes: usize = after.iter().map(|(.., bytes)| bytes).sum();
        assert_eq!(bytes as u64, summary.code_bytes);
        assert!(before.iter().all(|(.., bytes)| *bytes == 0));
        assert!(after.iter().all(|(place, ..)| place.contains("main:")), "{after:?}");
        let aborts = hooks.aborts.borrow();
        assert!(aborts.iter().all(|(_, reason)| reason == "loop with several paths"), "{aborts:?}");
        let exits = hooks.exits.borrow();
        // An exit that is recorded as a bridge is no exit to the interpreter, be the bridge given up in the end.
        let recorded = summary.bridges as usize + aborts.len();
        assert_eq!(exits.len() + recorded, summary.exits as usize, "{summary}");
        assert!(exits.iter().all(|(place, ..)| place.contains("main:")), "{exits:?}");
    });
}

#[test]
fn hooks_hear_of_aborts() {
    alone(|| {
        let tiny = tiny(LOOP, 1, 4);
        tiny.runtime.set_param("trace_limit", 5).expect("a parameter");
        let hooks = Rc::new(Heard::default());
        tiny.runtime.set_hooks(Some(hooks.clone()));
        let vm = Vm::new(&tiny);
        tiny.run(&vm, 10_000);
        let aborts = hooks.aborts.borrow();
        assert!(
            !aborts.is_empty() && aborts.iter().all(|(_, reason)| reason == "trace too long"),
            "{aborts:?}"
        );
        assert_eq!(vm.summary().loops, 0);
    });
}

/// A language says of a function that it is not inlined: by its name, in the test language.
#[test]
fn a_function_that_can_not_be_inlined_is_not() {
    let text = |name: &str| {
        format!(
            "fn main 6
               int r0 0; int r2 100; int r3 1
             loop:
               call r4 {name} r0 1
               add r1 r1 r4; add r0 r0 r3
               back-less r0 r2 loop
               return r1
             fn {name} 3
               mix r1 r0 r0
               return r1"
        )
    };
    alone(|| {
        for (name, inlined) in [("callee", true), ("not-inlined", false)] {
            let (report, traces) = traces(&text(name), &way(), 10_000);
            let plain = crate::shapes::traces(&text(name), &Way::plain(), 10_000).0;
            assert_eq!(report.outcome, plain.outcome);
            let shifts = |trace: &hotloop_ir::Trace| trace.ops.iter().any(|op| op.code == Opcode::IntShl);
            let main_has_it = traces.iter().any(|trace| trace.label().is_some() && shifts(trace));
            assert_eq!(main_has_it, inlined, "{name}: {}", report.summary);
        }
    });
}

/// A loop in a callee that plain execution leaves alone: it is unrolled as often as the language says.
#[test]
fn inner_loops_are_unrolled_up_to_their_limit() {
    let text = |name: &str, rounds: u32| {
        format!(
            "fn main 6
               int r0 0; int r2 100; int r3 1
             loop:
               call r4 {name} r0 1
               add r1 r1 r4; add r0 r0 r3
               back-less r0 r2 loop
               return r1
             fn {name} 5
               int r1 0; int r2 1; int r3 {rounds}
             loop:
               add r4 r4 r0; add r1 r1 r2
               back-less r1 r3 loop
               return r4"
        )
    };
    alone(|| {
        let cases = [
            ("unrolled-4-plain", 4, true),
            ("callee-plain", 4, false),
            ("callee-plain", 2, true),
            ("unrolled-0-plain", 2, false),
        ];
        for (name, rounds, unrolled) in cases {
            let (report, _) = traces(&text(name, rounds), &way(), 10_000);
            let plain = traces(&text(name, rounds), &Way::plain(), 10_000).0;
            assert_eq!(report.outcome, plain.outcome);
            let summary = &report.summary;
            assert_eq!(
                (summary.loops == 1, summary.aborts.is_empty()),
                (unrolled, unrolled),
                "{name} {rounds}: {summary}"
            );
        }
    });
}

#[test]
fn a_runtime_keeps_its_parameters_to_itself() {
    alone(|| {
        let runtime = Runtime::new(Options::default());
        runtime.set_param("threshold", 7).expect("a parameter");
        assert_eq!((runtime.jit().threshold, runtime.options().jit.threshold), (7, 1039));
        assert!(runtime.set_param_to_default("treshold").is_err());
        assert!(runtime.set_param("threshold", "many").is_err());
    });
}
