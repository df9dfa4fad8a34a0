//! Measures the benchmark's inner loop and the compiler: `cargo run --release --example measure`.

use std::hint::black_box;
use std::time::Instant;

use hotloop_codegen::fuzzing::{Arena, Generator, Random, benchmark_loop, resume_of};
use hotloop_codegen::{Context, Entry, Options, Request, Target, x64::X64};
use hotloop_ir::{Op, Opcode, Trace};

extern "C" fn no_heap(_: *const (), _: u64, _: usize) -> *mut u8 {
    std::ptr::null_mut()
}

fn main() {
    let target = X64::new(Options { code_limit: 1 << 30, ..Options::default() }).unwrap();
    let trace = benchmark_loop();
    let request = Request { entry: Entry::Fresh, first_guard: 0, invalid: std::ptr::null() };
    let code = target.compile(&trace, &request).unwrap();
    println!("{}", target.disassemble(code).unwrap_or_default());
    let mut context = Context::new(std::ptr::null(), no_heap);
    let mut values = Vec::new();
    let n = 400_000_000i64;
    let mut best = f64::MAX;
    for _ in 0..5 {
        let start = Instant::now();
        // SAFETY: the loop touches no memory.
        let guard = unsafe { target.run(code, &mut context, &[0, 3, 5, n as u64 * 8], &mut values) };
        best = best.min(start.elapsed().as_secs_f64() * 1e9 / n as f64);
        assert_eq!((guard, values[0]), (1, n as u64 * 8));
    }
    println!("{best:.3} ns per iteration");

    let rounds = 100_000u32;
    let start = Instant::now();
    for _ in 0..rounds {
        // SAFETY: as above.
        black_box(unsafe { target.run(code, &mut context, &[0, 3, 5, 0], &mut values) });
    }
    println!("{:.1} ns for entering and leaving", start.elapsed().as_secs_f64() * 1e9 / rounds as f64);

    let arena = Arena::new();
    let generator = Generator::new(&arena);
    let mut random = Random::new(1);
    let traces: Vec<_> = (0..3000)
        .map(|_| {
            let place = generator.place(&mut random);
            generator.trace(&mut random, &place, &[], true).trace
        })
        .collect();
    let ops: usize = traces.iter().map(|trace| trace.real_ops()).sum();
    let mut first_guard = 10;
    let mut size = 0;
    let start = Instant::now();
    for trace in &traces {
        let request = Request { entry: Entry::Fresh, first_guard, invalid: std::ptr::null() };
        first_guard += trace.resumes.len() as u32;
        size += target.code_size(target.compile(trace, &request).unwrap());
    }
    let time = start.elapsed().as_secs_f64();
    println!(
        "{} traces, {ops} operations: {:.3} µs and {:.1} bytes per operation",
        traces.len(),
        time * 1e6 / ops as f64,
        size as f64 / ops as f64
    );
    let start = Instant::now();
    for trace in std::iter::repeat_n(&benchmark_loop(), 10_000) {
        let request = Request { entry: Entry::Fresh, first_guard, invalid: std::ptr::null() };
        first_guard += trace.resumes.len() as u32;
        black_box(target.compile(trace, &request).unwrap());
    }
    println!("{:.2} µs to compile the benchmark's loop", start.elapsed().as_secs_f64() * 1e6 / 10_000.0);

    let mut bridge = Trace::new();
    for _ in 0..4 {
        bridge.push(Op::new(Opcode::Input, &[]));
    }
    let mut exit = Op::new(Opcode::Exit, &[]);
    exit.resume = 0;
    bridge.push(exit);
    bridge.resumes.push(resume_of([]));
    let start = Instant::now();
    for _ in 0..10_000 {
        first_guard += 1;
        let request = Request { entry: Entry::Bridge { guard: 1 }, first_guard, invalid: std::ptr::null() };
        black_box(target.compile(&bridge, &request).unwrap());
    }
    println!(
        "{:.2} µs to compile and attach an empty bridge",
        start.elapsed().as_secs_f64() * 1e6 / 10_000.0
    );
}
