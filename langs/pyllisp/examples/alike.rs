//! Random programs in several ways, all in one process: `alike FIRST COUNT MILLISECONDS WAY…`, where a way is
//! `--jit` parameters, `gc_stress=n` (which verifies the heap, too), `gc_nursery=bytes` and `gc_verify=1`; the
//! first is the reference. Prints a line for each program: `alike SEED`, `slow SEED`, `differs SEED WAY`. What
//! kills the process is for the caller to find out: it happened to the seed after the last line.

use std::cell::RefCell;
use std::io::Write;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use hotloop::{Options, Vm};
use hotloop_pyllisp::{Pyllisp, generate};

#[derive(Clone, Default)]
struct Output(Rc<RefCell<Vec<u8>>>);

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize| args.get(index).and_then(|text| text.parse::<u64>().ok());
    let (Some(first), Some(count), Some(limit)) = (number(0), number(1), number(2)) else {
        eprintln!("usage: alike FIRST COUNT MILLISECONDS WAY…");
        std::process::exit(2);
    };
    let limit = Duration::from_millis(limit);
    for seed in first..first + count {
        let source = generate::program(seed);
        let mut reference = None;
        let mut verdict = "alike".to_string();
        for way in &args[3..] {
            let Some(outcome) = run(&source, way, limit) else {
                verdict = "slow".to_string();
                // Without the reference there is nothing to compare with.
                match reference {
                    None => break,
                    Some(_) => continue,
                }
            };
            match &reference {
                None => reference = Some(outcome),
                Some(expected) if *expected == outcome => {}
                Some(_) => {
                    println!("differs {seed} {way}");
                    return;
                }
            }
        }
        println!("{verdict} {seed}");
    }
}

/// What the program prints, and how it ends; nothing if it takes too long.
fn run(source: &str, way: &str, limit: Duration) -> Option<(Vec<u8>, String)> {
    let mut options = Options::default();
    let mut jit = Vec::new();
    for item in way.split(',') {
        match item.split_once('=') {
            Some(("gc_stress", every)) => {
                options.gc_stress = every.parse().ok();
                options.gc_verify = true;
            }
            Some(("gc_nursery", bytes)) => options.gc_nursery = bytes.parse().ok(),
            Some(("gc_verify", "1")) => options.gc_verify = true,
            _ => jit.push(item),
        }
    }
    if let Err(error) = options.jit.parse(&jit.join(",")) {
        eprintln!("{error}");
        std::process::exit(2);
    }
    let output = Output::default();
    let interp = Pyllisp::new(options, Box::new(output.clone()));
    let vm = Vm::new(&interp);
    let interrupter = interp.runtime().interrupter();
    let late = Arc::new(AtomicBool::new(false));
    let (done, wait) = mpsc::channel::<()>();
    let watch = std::thread::spawn({
        let late = late.clone();
        move || {
            // Again and again: the program may handle an interrupt like any error.
            let mut pause = limit;
            while wait.recv_timeout(pause) == Err(mpsc::RecvTimeoutError::Timeout) {
                late.store(true, Ordering::Relaxed);
                interrupter.interrupt();
                pause = Duration::from_millis(1);
            }
        }
    });
    let result = interp.run(&vm, interp.module("main"), source.as_bytes(), false);
    drop(done);
    let _ = watch.join();
    interp.runtime().interrupter().clear();
    let error = result.err().map_or(String::new(), |failure| failure.to_string());
    (!late.load(Ordering::Relaxed)).then(|| (output.0.take(), error))
}
