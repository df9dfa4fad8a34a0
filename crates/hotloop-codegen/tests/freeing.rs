//! Code is freed, and its memory used again.
#![cfg(all(target_arch = "x86_64", target_os = "linux"))]

use std::cell::Cell;

use hotloop_codegen::fuzzing::{benchmark_loop, resume_of};
use hotloop_codegen::x64::X64;
use hotloop_codegen::{CodeId, CodegenError, Context, Entry, Eval, Options, Request, Target};
use hotloop_ir::{CallDescr, CallId, Effect, Op, Opcode, Operand, Trace, Ty};

extern "C" fn no_heap(_: *const (), _: u64, _: usize) -> *mut u8 {
    std::process::abort()
}

fn targets() -> [Box<dyn Target>; 2] {
    [Box::new(Eval::default()), Box::new(X64::new(Options::default()).unwrap())]
}

fn request(entry: Entry, first_guard: u32) -> Request {
    Request { entry, first_guard, invalid: std::ptr::null() }
}

fn run(target: &dyn Target, code: CodeId, inputs: &[u64]) -> (u32, Vec<u64>) {
    let mut context = Context::new(std::ptr::null(), no_heap);
    let mut values = Vec::new();
    // SAFETY: these traces touch no memory and call functions of this file.
    let guard = unsafe { target.run(code, &mut context, inputs, &mut values) };
    (guard, values)
}

/// `count` inputs; leaves with the first plus a number.
fn plus(count: usize, number: u64) -> Trace {
    let mut trace = Trace::new();
    let inputs: Vec<_> = (0..count).map(|_| trace.push(Op::new(Opcode::Input, &[]))).collect();
    let number = trace.push_const(Ty::Int, number);
    let sum = trace.push(Op::new(Opcode::IntAdd, &[inputs[0].into(), number]));
    trace.resumes.push(resume_of([sum]));
    trace.push(Op { resume: 0, ..Op::new(Opcode::Exit, &[]) });
    trace
}

#[test]
fn guards_leave_again_when_their_bridge_is_freed() {
    for target in targets() {
        let code = target.compile(&benchmark_loop(), &request(Entry::Fresh, 0)).unwrap();
        let left = (1, vec![80, 3, 5, 80]);
        assert_eq!(run(&*target, code, &[0, 3, 5, 80]), left);
        for round in 0..5 {
            let bridge = target.compile(&plus(4, round), &request(Entry::Bridge { guard: 1 }, 100)).unwrap();
            assert_eq!(bridge, CodeId(1), "numbers are used again");
            assert_eq!(run(&*target, code, &[0, 3, 5, 80]), (100, vec![80 + round]));
            if round % 2 == 0 {
                target.detach(1);
                assert_eq!(run(&*target, code, &[0, 3, 5, 80]), left);
            }
            assert_eq!(target.running(&[]), []);
            // SAFETY: nothing runs, nothing enters it.
            unsafe { target.free(bridge) };
            assert_eq!(run(&*target, code, &[0, 3, 5, 80]), left);
        }
        // A freed bridge that was replaced before leaves the later one alone.
        let first = target.compile(&plus(4, 1), &request(Entry::Bridge { guard: 1 }, 100)).unwrap();
        target.compile(&plus(4, 2), &request(Entry::Bridge { guard: 1 }, 200)).unwrap();
        // SAFETY: as above.
        unsafe { target.free(first) };
        assert_eq!(run(&*target, code, &[0, 3, 5, 80]), (200, vec![82]));
    }
}

/// A limit is what is in use at a time; what does not fit is refused, and fits when something was freed.
#[test]
fn code_memory_is_used_again() {
    let target = X64::new(Options { code_limit: 64 << 10, ..Options::default() }).unwrap();
    let mut codes: Vec<(CodeId, u64)> = Vec::new();
    let mut made = 0u64;
    let mut refused = 0;
    while refused < 300 {
        match target.compile(&plus(1 + made as usize % 7, made), &request(Entry::Fresh, made as u32 * 2)) {
            Ok(code) => {
                codes.push((code, made));
                made += 1;
            }
            Err(error) => {
                assert_eq!(error, CodegenError::OutOfCodeMemory);
                refused += 1;
                for _ in 0..1 + refused % 3 {
                    let (code, _) = codes.swap_remove((refused * 7919) % codes.len());
                    // SAFETY: nothing runs, nothing enters it.
                    unsafe { target.free(code) };
                }
            }
        }
    }
    assert!(made > codes.len() as u64 + 300);
    for (code, number) in codes {
        assert_eq!(run(&target, code, &[1; 7]), (number as u32 * 2, vec![number + 1]));
    }
}

thread_local! {
    static TARGET: Cell<Option<*const dyn Target>> = const { Cell::new(None) };
}

#[repr(C)]
struct Answer(u64, u64);

/// Says which code runs: a bit for each number; and runs what is not running to its end.
extern "C" fn who_runs(other: u64) -> Answer {
    let target = TARGET.get().unwrap();
    // SAFETY: the test keeps the target alive.
    let target = unsafe { &*target };
    if other != 0 {
        return Answer(run(target, CodeId(other as u32), &[0]).1[0], 0);
    }
    Answer(target.running(&[]).iter().map(|code| 1 << code.0).sum(), 0)
}

#[test]
fn what_runs_is_known() {
    for target in targets() {
        let call = CallId::intern(CallDescr {
            name: "who_runs".into(),
            address: who_runs as *const () as usize,
            result: Some(Ty::Int),
            effect: Effect::Any,
            raises: false,
            foreign: None,
        });
        let asking = || {
            let mut trace = Trace::new();
            let input: Operand = trace.push(Op::new(Opcode::Input, &[])).into();
            let mut op = Op::new(Opcode::Call, &[]).with_descr(call.0);
            op.list = trace.push_list([input]);
            let answer = trace.push(op);
            trace.resumes.push(resume_of([answer]));
            trace.push(Op { resume: 0, ..Op::new(Opcode::Exit, &[]) });
            trace
        };
        for at in 0..3 {
            let code = target.compile(&asking(), &request(Entry::Fresh, at * 10)).unwrap();
            assert_eq!(code, CodeId(at));
        }
        let address: *const (dyn Target + '_) = &*target;
        // SAFETY: only the lifetime is changed; the target outlives its use below.
        let address = unsafe {
            std::mem::transmute::<*const (dyn Target + '_), *const (dyn Target + 'static)>(address)
        };
        TARGET.set(Some(address));
        assert_eq!(run(&*target, CodeId(1), &[0]), (10, vec![0b010]));
        assert_eq!(run(&*target, CodeId(0), &[2]), (0, vec![0b101]));
        TARGET.set(None);
        assert_eq!(target.running(&[]), []);
    }
}
