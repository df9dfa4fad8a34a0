//! What traces look like: claims about speed, as tests.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use hotloop_ir::{Class, Opcode, Trace, TypeRef};
use hotloop_log::{Log, Section};

use crate::programs::parse;
use crate::run::{Report, Way, alone, run, run_logged};

/// A log that a test can read.
#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic meanwhile").write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub fn way() -> Way {
    Way::eager(true, true, 2)
}

/// Runs a program; its report and its optimised traces, in the order in which they were made.
pub fn traces(text: &str, way: &Way, fuel: i64) -> (Report, Vec<Trace>) {
    let buffer = Buffer::default();
    let log = Log::to(&[Section::Opt], Box::new(buffer.clone()));
    let report = run_logged(parse(text), way, fuel, Some(log)).expect("no internal error");
    let log =
        String::from_utf8(std::mem::take(&mut *buffer.0.lock().expect("no panic meanwhile"))).expect("text");
    let traces = log.split("{jit-log-opt\n").skip(1).map(|part| {
        let body = part.split("jit-log-opt}").next().unwrap_or_default();
        hotloop_ir::parse::parse(body).unwrap_or_else(|error| panic!("{error}\n{body}"))
    });
    (report, traces.collect())
}

/// The peeled body of the first loop.
pub fn body(traces: &[Trace]) -> (&Trace, Vec<hotloop_ir::Op>) {
    let trace = traces.iter().find(|trace| trace.label().is_some()).expect("a loop was compiled");
    let label = trace.label().unwrap_or_default();
    (trace, trace.ops[label..].iter().filter(|op| op.code.class() != Class::Marker).copied().collect())
}

/// Whether the operation reads or writes a frame.
pub fn touches_frame(op: &hotloop_ir::Op) -> bool {
    match op.code {
        Opcode::GetField | Opcode::SetField => {
            TypeRef::of_field(op.field()).is_some_and(|ty| ty.get().virtualizable)
        }
        Opcode::GetItem | Opcode::SetItem => op.type_ref().get().virtualizable,
        _ => false,
    }
}

const FIVE_DEEP: &str = "
    fn main 6
      int r0 0; int r2 50; int r3 1
    loop:
      call r4 a r0 1
      add r1 r1 r4
      add r0 r0 r3
      back-less r0 r2 loop
      return r1
    fn a 2
      next
      call r1 b r0 1
      return r1
    fn b 2
      next
      next
      call r1 c r0 1
      return r1
    fn c 2
      call r1 d r0 1
      return r1
    fn d 2
      next
      call r1 e r0 1
      return r1
    fn e 3
      int r1 40; add r2 r0 r1
      jump-less r0 r1 small
      chain; add r2 r2 r1
    small:
      return r2";

#[test]
fn frames_of_inlined_calls_are_not_allocated() {
    alone(|| {
        let (_, traces) = traces(FIVE_DEEP, &way(), 10_000);
        let (trace, ops) = body(&traces);
        for op in &ops {
            assert!(!matches!(op.code.class(), Class::Alloc | Class::Call), "{}:\n{trace}", op.code.name());
            assert!(!touches_frame(op), "{}:\n{trace}", op.code.name());
        }
    });
}

/// The guard that fails stands in the innermost of six frames; all of them are there right after, and each
/// knows where it goes on.
#[test]
fn every_position_is_right_after_an_exit() {
    alone(|| {
        for eagerness in [1, 2, 1000] {
            for optimize in [false, true] {
                let way = Way::eager(true, optimize, eagerness);
                let report = run(parse(FIVE_DEEP), &way, 10_000).expect("no internal error");
                assert_eq!(report.outcome.output.len(), 10);
                for line in &report.outcome.output {
                    assert_eq!(line, "e <- d:2 <- c:1 <- b:3 <- a:2 <- main:2");
                }
                assert!(report.summary.exits > 0);
            }
        }
    });
}

#[test]
fn a_loop_over_registers_touches_no_frame() {
    let text = "
        fn main 8
          int r0 0; int r2 100; int r3 1
        loop:
          add r4 r1 r0; sub r5 r4 r3; move r6 r5; add r1 r6 r3
          add r0 r0 r3
          back-less r0 r2 loop
          return r1";
    alone(|| {
        let (_, traces) = traces(text, &way(), 10_000);
        let (trace, ops) = body(&traces);
        for op in &ops {
            let class = op.code.class();
            assert!(
                !matches!(class, Class::Alloc | Class::Call | Class::Read | Class::Write),
                "{}:\n{trace}",
                op.code.name()
            );
        }
        let guards = ops.iter().filter(|op| op.code.is_guard()).count();
        assert!(guards <= 7, "{guards} guards:\n{trace}");
    });
}

/// Objects that do not escape are not made; one that does is made once an iteration.
#[test]
fn what_does_not_escape_is_not_allocated() {
    let text = |keep: &str| {
        format!(
            "fn main 8
               int r0 0; int r2 100; int r3 1
             loop:
               pair r4 r0 r3; cell r5 r4; cell-get r6 r5; first r6 r6; add r1 r1 r6
               {keep}
               add r0 r0 r3
               back-less r0 r2 loop
               return r1"
        )
    };
    alone(|| {
        for (keep, made) in [("next", 0), ("set-global 1 r4", 1), ("set-global 1 r5", 2)] {
            let (_, traces) = traces(&text(keep), &way(), 10_000);
            let (trace, ops) = body(&traces);
            let found = ops.iter().filter(|op| op.code.class() == Class::Alloc).count();
            assert_eq!(found, made, "{keep}:\n{trace}");
        }
    });
}

/// A frame that escapes in every iteration neither leaves the loop nor makes it compile for ever.
#[test]
fn a_frame_that_escapes_stays_compiled() {
    let text = "
        fn main 8
          int r0 0; int r2 4000; int r3 1
        loop:
          this-frame r4; set-global 1 r4; my-slot r5 0; add r1 r1 r5
          add r0 r0 r3
          back-less r0 r2 loop
          null r4; set-global 1 r4
          return r1";
    alone(|| {
        let (report, traces) = traces(text, &way(), 10_000);
        let (trace, ops) = body(&traces);
        let calls = ops.iter().filter(|op| op.code == Opcode::Call).count();
        assert_eq!(calls, 1, "the frame is looked at once an iteration:\n{trace}");
        let summary = &report.summary;
        assert_eq!((summary.loops, summary.aborts.len()), (1, 0), "{summary}");
        assert!(summary.exits < 20 && summary.bridges <= 4, "{summary}");
    });
}

/// A loop that is used with three promoted constants is three loops; none of their bodies asks which it is. Without other versions each iteration with another constant is a bridge.
#[test]
fn each_promoted_constant_has_its_loop() {
    let loops = |limit: u32| {
        let mut way = Way::eager(true, true, 2);
        way.jit.retrace_limit = limit;
        traces(crate::programs::versions::PROMOTED, &way, 100_000)
    };
    alone(|| {
        let (report, made) = loops(15);
        let inner: Vec<&Trace> = made.iter().filter(|trace| trace.label().is_some()).collect();
        assert_eq!(inner.len(), 3, "{}", report.summary);
        for trace in inner {
            let asks = |op: &hotloop_ir::Op| op.code == Opcode::GuardValue;
            assert!(!trace.ops[trace.label().unwrap_or_default()..].iter().any(asks), "{trace}");
        }
        let (without, _) = loops(0);
        assert_eq!(report.outcome, without.outcome);
        assert!(report.summary.loops == without.summary.loops + 2, "{} {}", report.summary, without.summary);
    });
}

/// A stable field costs nothing in a loop that does not write it.
#[test]
fn stable_fields_of_constants_are_not_read() {
    let text = "
        fn main 8
          int r0 0; int r2 100; int r3 1; config r4 r3
        loop:
          version r5 r4; kind r6 r4; add r1 r1 r5; add r1 r1 r6
          add r0 r0 r3
          back-less r0 r2 loop
          return r1";
    alone(|| {
        let (_, traces) = traces(text, &way(), 10_000);
        let (trace, ops) = body(&traces);
        assert!(
            !ops.iter().any(|op| matches!(op.code.class(), Class::Read | Class::Write | Class::Call)),
            "{trace}"
        );
    });
}

#[test]
fn recursion_makes_no_frames() {
    // Whichever way a call goes, the trace calls the entry (its own), and neither makes nor touches a frame.
    let text = "fn main 3
           int r0 16
           call r1 fib r0 1
           return r1
         fn fib 5
           int r1 2; jump-less r0 r1 small
           int r2 1; sub r3 r0 r2
           call r3 fib r3 1
           sub r4 r0 r1
           call r4 fib r4 1
           add r0 r3 r4
         small:
           return r0";
    let mut way = way().with_entries(true);
    way.jit.function_threshold = 3;
    let (report, traces) = traces(text, &way, 1_000_000);
    assert_eq!(report.summary.entries, 1, "one entry of `fib`");
    let calls = traces.iter().flat_map(|trace| &trace.ops).filter(|op| op.code == Opcode::CallEntry);
    assert!(calls.count() >= 2, "the recursive calls are calls of the entry");
    for trace in &traces {
        let frames = trace
            .ops
            .iter()
            .any(|op| touches_frame(op) || op.code == Opcode::NewArray && op.type_ref().get().virtualizable);
        assert!(!frames, "a frame was made or touched:\n{trace}");
    }
    assert!(report.summary.exits < 400, "it settles: {} exits", report.summary.exits);
}

/// A list that grows is the language's own; its growth, once in a while, is not in the loop. Its storage is
/// chosen by a type switch: integers are stored untagged.
#[test]
fn a_list_grows_without_calls() {
    let text = "
        fn main 8
          int r0 0; int r2 3000; int r3 1; list r4
        loop:
          push r4 r0; at r5 r4 r0; add r1 r1 r5
          add r0 r0 r3
          back-less r0 r2 loop
          return r1";
    alone(|| {
        let (report, traces) = traces(text, &way(), 10_000);
        let (trace, ops) = body(&traces);
        for op in &ops {
            assert!(!matches!(op.code.class(), Class::Alloc | Class::Call), "{}:\n{trace}", op.code.name());
            assert!(op.code != Opcode::CopyItems, "{trace}");
        }
        let grows = traces.iter().any(|trace| trace.ops.iter().any(|op| op.code == Opcode::CopyItems));
        assert!(grows, "{}", report.summary);
    });
}

/// Overflow checks, bounds checks and comparisons that hold for the whole range leave the loop.
#[test]
fn guards_over_inductions_leave_the_loop() {
    let text = "
        fn main 8
          int r0 0; int r1 77; int r2 100; int r3 1; array r5 120
        loop:
          mul r4 r1 r0; add r4 r4 r0; assert r0 r4 ; set-item r5 r0 r4
          add r0 r0 r3
          back-less r0 r2 loop
          return r4";
    // One more than they are: at first the product is not greater than the index.
    let text = text.replace("int r0 0", "int r0 1");
    alone(|| {
        let (report, traces) = traces(&text, &way(), 10_000);
        let (trace, ops) = body(&traces);
        // Left are the poll, the condition, and the fuel.
        let guards = ops.iter().filter(|op| op.code.is_guard()).count();
        assert!(guards <= 3, "{guards} guards:\n{trace}");
        assert_eq!(report.summary.loops, 1, "{}", report.summary);
    });
}

/// Short runs of bytes that are only compared are not made.
#[test]
fn a_slice_that_is_compared_is_not_allocated() {
    let text = "
        fn main 12
          int r0 0; int r2 100; int r3 1; int r7 3; bytes r4 8; bytes r6 3
        loop:
          promote r5 r7; slice r8 r4 r5; same-bytes r9 r8 r6; add r1 r1 r9; add r0 r0 r3
          back-less r0 r2 loop
          return r1";
    alone(|| {
        let (_, traces) = traces(text, &way(), 10_000);
        let (trace, ops) = body(&traces);
        for op in &ops {
            assert!(!matches!(op.code.class(), Class::Alloc | Class::Call), "{}:\n{trace}", op.code.name());
        }
    });
}

/// The moved guards fail at each entry, as the loop always ends before its bound: the loop is made once more
/// without moving them, and entries go there without leaving the machine code.
#[test]
fn guards_that_were_moved_for_nothing_cost_one_more_loop() {
    let text = "
        fn main 10
          int r3 1; int r1 9; array r5 10; int r6 50; int r7 0; int r8 2000
        outer:
          int r0 0
        loop:
          set-item r5 r0 r7; add r0 r0 r3
          same r9 r0 r1
          jump-if r9 out
          back-less r0 r6 loop
        out:
          add r7 r7 r3
          back-less r7 r8 outer
          return r7";
    alone(|| {
        let (report, traces) = traces(text, &Way::eager(true, true, 5), 100_000);
        let moved =
            traces.iter().filter(|trace| trace.ops.iter().any(|op| op.code == Opcode::Hoisted)).count();
        let summary = &report.summary;
        assert_eq!(report.outcome.result, "returned 2000 color 0");
        assert!(moved >= 1, "nothing was moved");
        assert!(summary.loops <= moved as u32 + 2 && summary.exits < 60, "{summary}");
    });
}
