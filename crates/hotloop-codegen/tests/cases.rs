//! Cases that both targets must run alike, each with a known outcome.
#![cfg(all(target_arch = "x86_64", target_os = "linux"))]

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};

use hotloop_codegen::fuzzing::{benchmark_loop, resume_of};
use hotloop_codegen::x64::X64;
use hotloop_codegen::{CodeId, Context, Entry, Eval, Exits, Force, Options, Request, Site, Target};
use hotloop_ir::pure::evaluate;
use hotloop_ir::{CallDescr, CallId, Class, Effect, Op, Opcode, Operand, Trace, Ty, Var};

extern "C" fn no_heap(_: *const (), _: u64, _: usize) -> *mut u8 {
    std::process::abort()
}

fn targets(options: Options) -> [Box<dyn Target>; 2] {
    [Box::new(Eval::new(options.clone())), Box::new(X64::new(options).unwrap())]
}

fn fresh(first_guard: u32) -> Request {
    Request { entry: Entry::Fresh, first_guard, invalid: std::ptr::null() }
}

fn run(target: &dyn Target, code: CodeId, inputs: &[u64]) -> (u32, Vec<u64>) {
    let mut context = Context::new(std::ptr::null(), no_heap);
    let mut values = Vec::new();
    // SAFETY: these traces touch no memory and call functions of this file.
    let guard = unsafe { target.run(code, &mut context, inputs, &mut values) };
    (guard, values)
}

struct Build(Trace);

impl Build {
    fn inputs(count: usize) -> (Build, Vec<Operand>) {
        Build::typed(&vec![Ty::Int; count])
    }

    fn typed(types: &[Ty]) -> (Build, Vec<Operand>) {
        let mut trace = Trace::new();
        let inputs = types
            .iter()
            .map(|ty| trace.push(Op::new(Opcode::Input, &[]).with_descr(ty.number())).into())
            .collect();
        (Build(trace), inputs)
    }

    fn op(&mut self, code: Opcode, args: &[Operand]) -> Operand {
        self.0.push(Op::new(code, args)).into()
    }

    fn int(&mut self, word: i64) -> Operand {
        self.0.push_const(Ty::Int, word as u64)
    }

    fn guard(&mut self, code: Opcode, args: &[Operand], live: &[Operand]) -> Operand {
        self.0.resumes.push(resume_of(live.iter().filter_map(|operand| operand.as_var())));
        let mut op = Op::new(code, args);
        op.resume = self.0.resumes.len() as u32 - 1;
        self.0.push(op).into()
    }

    fn list(&mut self, code: Opcode, descr: u32, list: &[Operand]) -> Operand {
        let mut op = Op::new(code, &[]).with_descr(descr);
        op.list = self.0.push_list(list.iter().copied());
        self.0.push(op).into()
    }

    fn exit(mut self, live: &[Operand]) -> Trace {
        self.guard(Opcode::Exit, &[], live);
        self.0
    }
}

const WORDS: &[i64] = &[
    0,
    1,
    -1,
    2,
    3,
    7,
    -7,
    8,
    63,
    64,
    127,
    -128,
    1 << 31,
    -(1 << 31),
    (1 << 32) + 5,
    i64::MAX,
    i64::MIN,
    i64::MIN + 1,
    1 << 62,
    -10,
    1000,
];
const FLOATS: &[f64] =
    &[0.0, -0.0, 1.0, -2.5, 1e308, 1e-310, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 9.3e18, -9.3e18, 0.49];

/// Every pure operation, with variables and with constants on either side, against its definition.
#[test]
fn pure_operations_are_what_they_are_defined_to_be() {
    for target in [X64::new(Options::default()).unwrap(), X64::baseline(Options::default()).unwrap()] {
        check_pure_operations(&target);
    }
}

fn check_pure_operations(target: &X64) {
    let mut first_guard = 0;
    let floats: Vec<u64> = FLOATS.iter().map(|float| float.to_bits()).collect();
    let ints: Vec<u64> = WORDS.iter().map(|word| *word as u64).collect();
    for code in Opcode::ALL.iter().copied().filter(|code| code.class() == Class::Pure) {
        // (`box_float` makes objects: see `heap.rs`.)
        if matches!(code, Opcode::CallRaised | Opcode::BoxFloat) {
            continue;
        }
        let shape = code.shape();
        let types: Vec<Ty> = shape
            .args
            .iter()
            .map(|letter| match letter {
                b'f' => Ty::Float,
                b'r' => Ty::Ref,
                _ => Ty::Int,
            })
            .collect();
        let words = |ty: &Ty| if *ty == Ty::Float { &floats } else { &ints };
        // Bit `i` of the mask: operand `i` is a constant.
        for mask in 0..1u32 << types.len() {
            let rounds = if mask == 0 { 1 } else { ints.len() };
            for round in 0..rounds {
                let (mut build, inputs) = Build::typed(&types);
                let mut args = inputs.clone();
                let mut constants = [0; 3];
                for (index, ty) in types.iter().enumerate().filter(|(index, _)| mask & 1 << index != 0) {
                    constants[index] = words(ty)[(round * (index + 1)) % words(ty).len()];
                    args[index] = build.0.push_const(*ty, constants[index]);
                }
                let result = build.op(code, &args);
                let mut live = inputs.clone();
                live.push(result);
                let trace = build.exit(&live);
                let compiled = target.compile(&trace, &fresh(first_guard)).unwrap();
                first_guard += 1;
                let limit = |index: usize| types.get(index).map_or(1, |ty| words(ty).len());
                for case in 0..limit(0) * limit(1) * limit(2).min(7) {
                    let picks = [case % limit(0), case / limit(0) % limit(1), case / limit(0) / limit(1)];
                    let given: Vec<u64> = types.iter().zip(picks).map(|(ty, pick)| words(ty)[pick]).collect();
                    let mut actual = [0; 3];
                    for index in 0..types.len() {
                        actual[index] = if mask & 1 << index != 0 { constants[index] } else { given[index] };
                    }
                    let expected = evaluate(code, actual[0], actual[1], actual[2]);
                    let (_, values) = run(target, compiled, &given);
                    let got = *values.last().unwrap();
                    let nan = shape.result == Some(Some(Ty::Float))
                        && f64::from_bits(got).is_nan()
                        && f64::from_bits(expected).is_nan();
                    assert!(
                        got == expected || nan,
                        "{}{actual:x?} (mask {mask}): {got:x}, not {expected:x}",
                        code.name()
                    );
                    assert!(values[..types.len()] == given, "{} spoils its operands", code.name());
                }
            }
        }
    }
}

/// Dividends beside all multiples that are near an edge, which live on or don't.
#[test]
fn constants_divide_exactly() {
    let target = X64::new(Options::default()).unwrap();
    let small = 3..60;
    let large = (2..63).flat_map(|bits| [(1i64 << bits) - 1, (1 << bits) + 1, (1 << bits) / 5 * 3]);
    let others = [1009, 1_000_003, 10_000_000_000, i64::MAX, i64::MAX - 1, i64::MAX / 2 + 1];
    let mut first_guard = 0;
    for divisor in small.chain(large).chain(others).filter(|divisor| *divisor > 2) {
        for code in [Opcode::IntDivFloor, Opcode::IntModFloor] {
            for lives_on in [false, true] {
                let (mut build, inputs) = Build::typed(&[Ty::Int]);
                let constant = build.0.push_const(Ty::Int, divisor as u64);
                let result = build.op(code, &[inputs[0], constant]);
                let trace = build.exit(&[inputs[0], result][usize::from(!lives_on)..]);
                let compiled = target.compile(&trace, &fresh(first_guard)).unwrap();
                first_guard += 1;
                let edges = [i64::MIN, i64::MIN / 2, -1, 0, 1, i64::MAX / 2, i64::MAX, i64::MAX / divisor];
                let multiples = edges.map(|edge| edge / divisor * divisor).into_iter().chain(edges);
                for dividend in multiples.flat_map(|edge| (-2..=2).map(move |by| edge.wrapping_add(by))) {
                    let expected = evaluate(code, dividend as u64, divisor as u64, 0);
                    let (_, values) = run(&target, compiled, &[dividend as u64]);
                    assert_eq!(values.last(), Some(&expected), "{} {dividend} {divisor}", code.name());
                }
            }
        }
    }
}

/// Adds up many inputs that all live on, round a loop that permutes them.
#[test]
fn forty_live_values_rotate() {
    for target in targets(Options::default()) {
        let (mut build, inputs) = Build::inputs(41);
        let (zero, one) = (build.int(0), build.int(1));
        let more = build.op(Opcode::IntLt, &[zero, inputs[0]]);
        build.guard(Opcode::GuardTrue, &[more], &inputs);
        let next = build.op(Opcode::IntSub, &[inputs[0], one]);
        let sum =
            inputs[1..].iter().skip(1).fold(inputs[1], |sum, input| build.op(Opcode::IntAdd, &[sum, *input]));
        let mut list = vec![next];
        list.extend(&inputs[2..]);
        list.push(sum);
        build.list(Opcode::Loop, 0, &list);
        let code = target.compile(&build.0, &fresh(0)).unwrap();
        let mut expected: Vec<u64> = (0..41).collect();
        expected[0] = 100;
        let start = expected.clone();
        for round in (0..100).rev() {
            let sum = expected[1..].iter().fold(0u64, |sum, word| sum.wrapping_add(*word));
            expected.remove(1);
            expected.push(sum);
            expected[0] = round;
        }
        assert_eq!(run(&*target, code, &start), (0, expected));
    }
}

/// The loop exchanges its values in cycles, of registers and of slots, floats included.
#[test]
fn loops_permute() {
    for count in [2, 3, 5, 12, 30] {
        for target in targets(Options::default()) {
            let types: Vec<Ty> =
                (0..count + 1).map(|at| if at % 4 == 3 { Ty::Float } else { Ty::Int }).collect();
            let (mut build, inputs) = Build::typed(&types);
            build.op(Opcode::Label, &[]);
            let phis: Vec<Operand> = inputs.iter().map(|input| build.op(Opcode::Phi, &[*input])).collect();
            let (zero, one) = (build.int(0), build.int(1));
            let more = build.op(Opcode::IntLt, &[zero, phis[0]]);
            build.guard(Opcode::GuardTrue, &[more], &phis);
            let next = build.op(Opcode::IntSub, &[phis[0], one]);
            // Backwards within each type.
            let mut list = vec![next];
            let of = |ty: Ty| (1..=count).filter(|at| types[*at] == ty).collect::<Vec<_>>();
            let (ints, floats) = (of(Ty::Int), of(Ty::Float));
            let mut partner = vec![0; count + 1];
            for group in [&ints, &floats] {
                for (index, at) in group.iter().enumerate() {
                    partner[*at] = group[(index + 1) % group.len()];
                }
            }
            list.extend((1..=count).map(|at| phis[partner[at]]));
            build.list(Opcode::Loop, 0, &list);
            let code = target.compile(&build.0, &fresh(0)).unwrap();
            let mut expected: Vec<u64> = (0..=count as u64).map(|at| at * 3).collect();
            expected[0] = 7;
            let start = expected.clone();
            for round in (0..7).rev() {
                let old = expected.clone();
                (1..=count).for_each(|at| expected[at] = old[partner[at]]);
                expected[0] = round;
            }
            assert_eq!(run(&*target, code, &start), (0, expected));
        }
    }
}

#[repr(C)]
struct Answer(u64, u64);

macro_rules! weighted {
    ($($arg:ident $weight:literal)*) => {{
        extern "C" fn sum($($arg: u64),*) -> Answer {
            let total = 0u64 $(+ $arg * $weight)*;
            Answer(total, total & 1)
        }
        sum as *const () as usize
    }};
}

/// Arguments in registers and on the stack, from registers, slots and constants.
#[test]
fn calls_pass_any_number_of_arguments() {
    let addresses = [
        weighted!(),
        weighted!(a 1),
        weighted!(a 1 b 10),
        weighted!(a 1 b 10 c 100),
        weighted!(a 1 b 10 c 100 d 1000),
        weighted!(a 1 b 10 c 100 d 1000 e 10000),
        weighted!(a 1 b 10 c 100 d 1000 e 10000 f 100000),
        weighted!(a 1 b 10 c 100 d 1000 e 10000 f 100000 g 1000000),
        weighted!(a 1 b 10 c 100 d 1000 e 10000 f 100000 g 1000000 h 10000000),
        weighted!(a 1 b 10 c 100 d 1000 e 10000 f 100000 g 1000000 h 10000000 i 100000000),
    ];
    for (count, address) in addresses.into_iter().enumerate() {
        for target in targets(Options::default()) {
            let call = CallId::intern(CallDescr {
                name: format!("weighted{count}"),
                address,
                result: Some(Ty::Int),
                effect: Effect::Reads,
                raises: true,
                foreign: None,
            });
            let (mut build, inputs) = Build::inputs(16);
            let seven = build.int(7);
            let mut args: Vec<Operand> = (0..count).map(|at| inputs[(at * 7 + 3) % 16]).collect();
            if let Some(last) = args.last_mut() {
                *last = seven;
            }
            let result = build.list(Opcode::Call, call.0, &args);
            let raised = build.op(Opcode::CallRaised, &[result]);
            let mut live = inputs.clone();
            live.extend([result, raised]);
            let code = target.compile(&build.exit(&live), &fresh(0)).unwrap();
            let given: Vec<u64> = (0..16).map(|at| at % 9 + 1).collect();
            let words = (0..count).map(|at| if at + 1 == count { 7 } else { given[(at * 7 + 3) % 16] });
            let total = words.enumerate().map(|(at, word)| word * 10u64.pow(at as u32)).sum::<u64>();
            let mut expected = given.clone();
            expected.extend([total, total & 1]);
            assert_eq!(run(&*target, code, &given), (0, expected), "{count} arguments");
        }
    }
}

/// A guard's bridge goes on in the loop; a second bridge replaces the first.
#[test]
fn bridges_are_taken() {
    for target in targets(Options::default()) {
        let code = target.compile(&benchmark_loop(), &fresh(0)).unwrap();
        // 3 * 8k overflows never; the loop ends at n.
        assert_eq!(run(&*target, code, &[0, 3, 5, 80]), (1, vec![80, 3, 5, 80]));
        // n grows once, then the loop is entered again; when k reaches 160, the bridge leaves.
        let (mut build, inputs) = Build::inputs(4);
        let limit = build.int(160);
        let small = build.op(Opcode::IntLt, &[inputs[3], limit]);
        build.guard(Opcode::GuardTrue, &[small], &inputs);
        let eighty = build.int(80);
        let more = build.op(Opcode::IntAdd, &[inputs[3], eighty]);
        build.list(Opcode::Enter, code.0, &[inputs[0], inputs[1], inputs[2], more]);
        let bridge = Request { entry: Entry::Bridge { guard: 1 }, ..fresh(100) };
        target.compile(&build.0, &bridge).unwrap();
        assert_eq!(run(&*target, code, &[0, 3, 5, 80]), (100, vec![160, 3, 5, 160]));
        // The sign guard, and a replacement.
        assert_eq!(run(&*target, code, &[0, -3i64 as u64, 5, 80]), (4, vec![8, -3i64 as u64, 5, 80]));
        let (build, inputs) = Build::inputs(4);
        let trace = build.exit(&[inputs[1], inputs[0]]);
        let bridge = Request { entry: Entry::Bridge { guard: 1 }, ..fresh(200) };
        target.compile(&trace, &bridge).unwrap();
        assert_eq!(run(&*target, code, &[0, 3, 5, 80]), (200, vec![3, 80]));
    }
}

/// The poll flag and the invalidation cell are looked at each time.
#[test]
fn flags_stop_a_loop() {
    let invalid = AtomicU32::new(0);
    for target in targets(Options::default()) {
        let (mut build, inputs) = Build::inputs(1);
        build.guard(Opcode::GuardNoInterrupt, &[], &inputs);
        build.guard(Opcode::GuardValid, &[], &inputs);
        let trace = build.exit(&inputs);
        let request = Request { invalid: &invalid, ..fresh(0) };
        let code = target.compile(&trace, &request).unwrap();
        let mut context = Context::new(std::ptr::null(), no_heap);
        let mut values = Vec::new();
        // SAFETY: the trace touches no memory.
        let mut go = |context: &mut Context| unsafe { target.run(code, context, &[5], &mut values) };
        assert_eq!(go(&mut context), 2);
        invalid.store(1, Ordering::Relaxed);
        assert_eq!(go(&mut context), 1);
        context.poll.request(1);
        assert_eq!(go(&mut context), 0);
        invalid.store(0, Ordering::Relaxed);
    }
}

/// A forced guard fails at the execution asked for, with the values it has then.
#[test]
fn guards_can_be_forced() {
    for guard in 0..5 {
        let options = Options { force: Some(Force { guard, at: 4 }), ..Options::default() };
        for target in targets(options) {
            let code = target.compile(&benchmark_loop(), &fresh(0)).unwrap();
            assert_eq!(run(&*target, code, &[0, 3, 5, 800]), (guard, vec![24, 3, 5, 800]));
            assert_eq!(run(&*target, code, &[0, 3, 5, 800]).0, 1);
        }
    }
    for target in targets(Options { force_every: Some(7), ..Options::default() }) {
        let code = target.compile(&benchmark_loop(), &fresh(0)).unwrap();
        // Five guards an iteration: the seventh is the second iteration's second.
        assert_eq!(run(&*target, code, &[0, 3, 5, 800]), (1, vec![8, 3, 5, 800]));
        assert_eq!(run(&*target, code, &[0, 3, 5, 800]), (1, vec![8, 3, 5, 800]));
    }
}

thread_local! {
    static TARGET: Cell<Option<(*const dyn Target, CodeId)>> = const { Cell::new(None) };
}

/// Attaches a bridge to its caller's next guard, and runs the same code once more.
extern "C" fn reenter(depth: u64) -> Answer {
    let (target, code) = TARGET.get().unwrap();
    // SAFETY: the test keeps the target alive.
    let target = unsafe { &*target };
    if depth == 0 {
        let (mut build, inputs) = Build::inputs(2);
        let hundred = build.int(100);
        let sum = build.op(Opcode::IntAdd, &[inputs[1], hundred]);
        let trace = build.exit(&[inputs[0], sum]);
        target.compile(&trace, &Request { entry: Entry::Bridge { guard: 0 }, ..fresh(50) }).unwrap();
        return Answer(1, 0);
    }
    let (guard, values) = run(target, code, &[depth - 1]);
    assert_eq!(guard, 50);
    Answer(values[1] + 1, 0)
}

/// Native code called by a trace may run traces and attach bridges to the ones that are running.
#[test]
fn calls_reenter_and_patch() {
    for target in targets(Options::default()) {
        let call = CallId::intern(CallDescr {
            name: "reenter".into(),
            address: reenter as *const () as usize,
            result: Some(Ty::Int),
            effect: Effect::Any,
            raises: false,
            foreign: None,
        });
        let (mut build, inputs) = Build::inputs(1);
        let result = build.list(Opcode::Call, call.0, &[inputs[0]]);
        build.guard(Opcode::GuardFalse, &[result], &[inputs[0], result]);
        let trace = build.exit(&[]);
        let code = target.compile(&trace, &fresh(0)).unwrap();
        let address: *const (dyn Target + '_) = &*target;
        // SAFETY: only the lifetime is changed; the target outlives its use below.
        let address = unsafe {
            std::mem::transmute::<*const (dyn Target + '_), *const (dyn Target + 'static)>(address)
        };
        TARGET.set(Some((address, code)));
        assert_eq!(run(&*target, code, &[3]), (50, vec![3, 404]));
        TARGET.set(None);
    }
}

thread_local! {
    static LOOKED_AT: Cell<Option<(*const dyn Target, *const Context)>> = const { Cell::new(None) };
}

/// Looks for what lives behind the call that it is called by.
extern "C" fn look(handle: u64, round: u64) -> Answer {
    let (target, context) = LOOKED_AT.get().unwrap();
    // SAFETY: the test keeps both alive.
    let (target, context) = unsafe { (&*target, &*context) };
    let site = context.waiting.get();
    assert_eq!((site.guard, site.number_of(handle)), (40, Some(5)));
    assert_eq!(site.number_of(handle + 1), None);
    let mut exits = Exits::default();
    // SAFETY: the call is at work.
    unsafe { target.waiting(site, &mut exits) };
    let (guard, words) = exits.get(0);
    assert_eq!((exits.len(), guard), (1, 40));
    assert_eq!(words[..4], [round, 3 * round, 2.5f64.to_bits(), 11]);
    if round == 7 {
        context.waiting.set(Site { guard: Site::FORCED, ..site });
    }
    Answer(100 + round, 0)
}

/// Native code finds what a trace keeps to itself; if it says so, the trace is left behind the call.
#[test]
fn calls_can_be_looked_behind() {
    for target in targets(Options::default()) {
        let call = CallId::intern(CallDescr {
            name: "look".into(),
            address: look as *const () as usize,
            result: Some(Ty::Int),
            effect: Effect::Any,
            raises: false,
            foreign: None,
        });
        let (mut build, inputs) = Build::typed(&[Ty::Int, Ty::Float, Ty::Int]);
        let (one, three) = (build.int(1), build.int(3));
        build.op(Opcode::Label, &[]);
        let phi = build.op(Opcode::Phi, &[inputs[0]]);
        let product = build.op(Opcode::IntMul, &[phi, three]);
        let mut handle = Op::new(Opcode::VirtualRef, &[]);
        handle.descr = 5;
        let handle = build.0.push(handle).into();
        let result = build.list(Opcode::Call, call.0, &[handle, phi]);
        build.guard(Opcode::GuardNotForced, &[], &[phi, product, inputs[1], inputs[2], result]);
        let next = build.op(Opcode::IntAdd, &[phi, one]);
        build.list(Opcode::Loop, 0, &[next]);
        let code = target.compile(&build.0, &fresh(40)).unwrap();
        let mut context = Context::new(std::ptr::null(), no_heap);
        let address: *const (dyn Target + '_) = &*target;
        // SAFETY: only the lifetime is changed; the target outlives its use below.
        let address = unsafe {
            std::mem::transmute::<*const (dyn Target + '_), *const (dyn Target + 'static)>(address)
        };
        LOOKED_AT.set(Some((address, &raw const context)));
        let mut values = Vec::new();
        // SAFETY: the trace touches no memory and calls the function above.
        let guard = unsafe { target.run(code, &raw mut context, &[0, 2.5f64.to_bits(), 11], &mut values) };
        assert_eq!((guard, values), (40, vec![7, 21, 2.5f64.to_bits(), 11, 107]));
        assert_eq!(context.waiting.get().guard, Site::NONE);
        LOOKED_AT.set(None);
    }
}

/// What can't be compiled is refused, and the target goes on.
#[test]
fn errors_are_values() {
    for target in targets(Options::default()) {
        let trace = Trace::new();
        assert!(target.compile(&trace, &fresh(0)).is_err());
        let (build, inputs) = Build::inputs(600);
        let big = build.exit(&inputs);
        let compiled = target.compile(&big, &fresh(0));
        if target.stub_size() > 0 {
            assert!(compiled.is_err());
        }
        assert!(target.compile(&benchmark_loop(), &fresh(1000)).is_ok());
        let (mut build, inputs) = Build::inputs(1);
        build.op(Opcode::IntAdd, &[inputs[0], Var(9).into()]);
        assert!(target.compile(&build.exit(&[]), &fresh(2000)).is_err());
    }
    let small = X64::new(Options { code_limit: 4096, ..Options::default() }).unwrap();
    let results: Vec<_> = (0..100).map(|at| small.compile(&benchmark_loop(), &fresh(at * 10))).collect();
    assert!(results[0].is_ok() && results[99].is_err());
}

/// The benchmark's loop has no moves but the one that the product needs, and no memory but the poll.
#[test]
fn the_benchmark_loop_is_tight() {
    let target = X64::new(Options::default()).unwrap();
    let code = target.compile(&benchmark_loop(), &fresh(0)).unwrap();
    let Some(text) = target.disassemble(code) else { return };
    // Behind the padding, up to the first stub.
    let body = text.split("guard 0 fails").next().and_then(|code| code.split("nop").last()).unwrap();
    assert_eq!(body.matches("mov ").count(), 1, "{text}");
    assert!(!body.contains("rsp"), "{text}");
    // The poll rides on the loop's condition.
    assert!(!body.contains("[r15],") && body.contains("[r15+8]"), "{text}");
    assert_eq!(body.lines().filter(|line| line.split_whitespace().count() > 1).count(), 10, "{text}");
    assert!(target.stub_size() <= 16);
}

/// Values that only guards mention cost nothing in a loop: they wait in slots, stored in front of it.
#[test]
fn values_for_guards_only_stay_out_of_the_loop() {
    let (mut build, inputs) = Build::inputs(12);
    let three = build.int(3);
    let mut kept = inputs.clone();
    for input in &inputs {
        kept.push(build.op(Opcode::IntMul, &[*input, three]));
        kept.push(build.op(Opcode::IntXor, &[*input, three]));
    }
    build.op(Opcode::Label, &[]);
    let phi = build.op(Opcode::Phi, &[inputs[0]]);
    kept.push(phi);
    let more = build.op(Opcode::IntLt, &[phi, inputs[1]]);
    build.guard(Opcode::GuardTrue, &[more], &kept);
    let five = build.int(5);
    // Eight values at once, so that there are not registers for all.
    let sums: Vec<Operand> = (2..10).map(|at| build.op(Opcode::IntXor, &[phi, inputs[at]])).collect();
    let all = sums.iter().fold(phi, |all, sum| build.op(Opcode::IntOr, &[all, *sum]));
    let negative = build.op(Opcode::IntLt, &[all, five]);
    build.guard(Opcode::GuardFalse, &[negative], &kept);
    let next = build.op(Opcode::IntAdd, &[phi, five]);
    build.list(Opcode::Loop, 0, &[next]);
    let native = X64::new(Options::default()).unwrap();
    let code = native.compile(&build.0, &fresh(0)).unwrap();
    let reference = Eval::default();
    let same = reference.compile(&build.0, &fresh(0)).unwrap();
    let given: Vec<u64> = (0..12).map(|at| at * at + 100 * (at % 2)).collect();
    assert_eq!(run(&native, code, &given), run(&reference, same, &given));
    let Some(text) = native.disassemble(code) else { return };
    let body = text.split("guard 0 fails").next().unwrap();
    let at_head = body.lines().position(|line| line.contains("; guard 0")).unwrap();
    let stores = body
        .lines()
        .skip(at_head)
        .filter(|line| line.contains("mov") && line.contains("[rsp") && line.find("[rsp") < line.find(','));
    assert_eq!(stores.count(), 0, "{text}");
}
