//! Running programs in tests. (Not every test does all of it.)
#![allow(dead_code)]

use std::cell::RefCell;
use std::fmt;
use std::io::{self, Write};
use std::path::Path;
use std::rc::Rc;

use hotloop::{Options, Vm};
use hotloop_pyllisp::{Failure, Pyllisp, run_program};

/// An output that keeps what is written.
#[derive(Clone, Default)]
struct Kept(Rc<RefCell<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a program printed, and its error's text if it ended with one.
pub struct Outcome {
    pub printed: String,
    pub error: Option<String>,
}

impl fmt::Display for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.printed)?;
        match &self.error {
            Some(error) => writeln!(out, "{error}"),
            None => Ok(()),
        }
    }
}

/// In which ways programs are run that must do the same in all of them; `gc=N` collects at every n-th
/// allocation, and verifies the heap.
pub const WAYS: [&str; 7] = [
    "off",
    "threshold=1,backend=eval",
    "threshold=1,function_threshold=1,trace_eagerness=1",
    "threshold=2,function_threshold=3,force_every=3",
    "threshold=1,gc=101",
    "off,gc=11",
    "threshold=3,check_hints=1",
];

fn options(parameters: &str) -> Options {
    let mut options = Options::default();
    for parameter in parameters.split(',') {
        match parameter.strip_prefix("gc=") {
            Some(every) => {
                options.gc_stress = Some(every.parse().unwrap());
                options.gc_verify = true;
            }
            None => options.jit.parse(parameter).unwrap(),
        }
    }
    options
}

/// Runs a program with these parameters of the JIT.
pub fn run(source: &str, parameters: &str) -> Outcome {
    let options = options(parameters);
    let output = Kept::default();
    let result = run_program(source.as_bytes(), options, Box::new(output.clone()));
    outcome(&output, result.err())
}

/// Runs a file's program with these parameters of the JIT.
pub fn run_file(path: &Path, parameters: &str) -> Outcome {
    let output = Kept::default();
    let interp = Pyllisp::new(options(parameters), Box::new(output.clone()));
    let vm = Vm::new(&interp);
    let module = interp.module_of_file("main", path);
    let result = interp.run(&vm, module, &std::fs::read(path).unwrap(), false);
    outcome(&output, result.err())
}

fn outcome(output: &Kept, failure: Option<Failure>) -> Outcome {
    let printed = String::from_utf8(output.0.borrow().clone()).unwrap();
    Outcome { printed, error: failure.map(|failure| failure.to_string()) }
}

/// What a program prints and, if it fails, its error, is this in every way.
pub fn check(source: &str, expected: &str) {
    for way in WAYS {
        assert_eq!(run(source, way).to_string(), expected, "{way}:\n{source}");
    }
}

/// The last line of a program's error is this in every way.
pub fn check_error(source: &str, expected: &str) {
    for way in WAYS {
        let got = run(source, way).to_string();
        let line = got.lines().last().unwrap_or_default();
        assert_eq!(line, format!("Error: {expected}"), "{way}:\n{source}");
    }
}

/// The beginning of programs whose functions C calls: for each comparison of a sort.
pub const SORTING: &str = "\
ffi = (import \"ffi\")
libc = (ffi.library null)
int_p = (ffi.pointer ffi.int)
order = (ffi.cfunc ffi.int [int_p int_p])
qsort = (ffi.handle libc \"qsort\" (ffi.cfunc null [ffi.voidp ffi.size_t ffi.size_t (ffi.pointer order)]))
main = (getcurrent)
numbers = (func count)
    items = (ffi.automem ffi.int count)
    (for i (range count))
        items[i] = i * 7 % count
    (return items)
sort = (func count compare)
    items = (numbers count)
    (qsort items count 4 compare)
    (return items)
asked = 0
# Asks whoever switches to it at each comparison.
asking = (func count)
    items = (sort count)
        (func a b)
            asked += 1
            (main.switch [a.to b.to])
            (return a.to - b.to)
    (return [\"sorted\" items[0] items[1] items[count-1]])
";
