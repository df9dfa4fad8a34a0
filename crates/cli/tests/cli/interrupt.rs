//! Ctrl-C while a program runs: in compiled code, in the interpreter, while it waits for input.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::{file, hotloop};

/// How long a program may go on.
const PROMPTLY: Duration = Duration::from_millis(100);

/// Sends SIGINT.
fn interrupt(child: &Child) {
    let status = Command::new("sh").arg("-c").arg(format!("kill -INT {}", child.id())).status().unwrap();
    assert!(status.success());
}

/// Runs a program that does not end, interrupts it, and measures. On a busy machine a single measurement
/// says little, so that the best of three counts; what is said must be right each time.
fn check(jit: &str, path: &str, compiled: bool) {
    let mut best = Duration::MAX;
    for _ in 0..3 {
        let mut command = hotloop(&["run", "--jit", jit, path]);
        if compiled {
            command.env("HOTLOOP_LOG", "jit-log-opt:-");
        }
        let mut child = command.spawn().unwrap();
        let mut errors = BufReader::new(child.stderr.take().unwrap());
        if compiled {
            // The trace is in the log: it is about to be entered.
            let mut line = String::new();
            while line != "jit-log-opt}\n" {
                line.clear();
                assert!(errors.read_line(&mut line).unwrap() > 0, "{jit}: nothing was compiled");
            }
        }
        sleep(Duration::from_millis(if compiled { 50 } else { 300 }));
        let start = Instant::now();
        interrupt(&child);
        let mut text = String::new();
        errors.read_to_string(&mut text).unwrap();
        let status = child.wait().unwrap();
        best = best.min(start.elapsed());
        assert_eq!(text.lines().last(), Some("Error: interrupted"), "{jit}, {path}");
        assert_eq!(status.code(), Some(130), "{jit}, {path}");
        if best < PROMPTLY {
            return;
        }
    }
    panic!("{jit}, {path}: went on for {best:?}");
}

#[test]
fn programs_stop_promptly() {
    let pyllisp = file("spin.pyl", "i = 0\n(while true)\n    i += 1\n    (assert i >= 0)\n");
    let brainfuck = file("spin.b", "+[>+<]");
    for path in [&pyllisp, &brainfuck] {
        check("threshold=100", path, true);
        check("threshold=100,optimize=0", path, true);
        check("threshold=100,backend=eval", path, true);
        check("off", path, false);
    }
}

#[test]
fn a_program_that_waits_for_input_stops() {
    check("off", &file("wait.b", "+[,]"), false);
    check("off", &file("collect.pyl", "(while true) (any (list (range 1 << 20)))"), false);
    check("off", &file("wait.pyl", "(while true) (input)"), false);
    check("off", &file("sleep.pyl", "(try) ((import \"time\").sleep 1000)\n(except e) (print e)"), false);
}

/// Each is a single operation that takes a second or more, so that none ends by itself in time.
#[test]
fn work_with_large_numbers_stops() {
    for (name, work) in [
        ("product", "(x * x)"),
        ("quotient", "(x / y)"),
        ("rest", "(x % y)"),
        ("power", "((import \"math\").pow 7 1 << 25)"),
        ("divisor", "((import \"math\").gcd x y)"),
        ("text", "(try) (str x)\n(except e) (print e)"),
        ("formatted", "(\"{:d}\".format x)"),
        ("number", "(int (\"7\".repeat 20000000))"),
    ] {
        let source = format!("x = {{3 << 60000000}} + 1\ny = {{5 << 30000000}} + 7\n{work}\n");
        let path = file(&format!("long_{name}.pyl"), source);
        check("off", &path, false);
        check("threshold=1", &path, false);
    }
}

#[test]
fn the_second_one_ends_the_process() {
    // Printing to a pipe that is full is where the first one is not seen.
    let path = file("stuck.pyl", "(while true)\n    (print 1)\n");
    let mut child = hotloop(&["run", &path]).spawn().unwrap();
    sleep(Duration::from_millis(500));
    interrupt(&child);
    sleep(Duration::from_millis(100));
    assert_eq!(child.try_wait().unwrap(), None);
    interrupt(&child);
    let status = child.wait().unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(2));
}
