//! Makes and drops functions, each hot for a while: `churn COUNT JIT`; says how much memory that took.

use hotloop::{Options, Vm};
use hotloop_pyllisp::Pyllisp;

fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4
}

fn main() {
    let mut args = std::env::args().skip(1);
    let count: u32 = args.next().and_then(|text| text.parse().ok()).unwrap_or(1000);
    let mut options = Options::default();
    options.jit.parse(&args.next().unwrap_or_default()).expect("--jit parameters");
    let interp = Pyllisp::new(options, Box::new(std::io::stdout()));
    let vm = Vm::new(&interp);
    let module = interp.module("main");
    for index in 0..count {
        let source = format!(
            "f = (func n)\n    i = 0\n    (while i < 1200)\n        n += i % {}\n        i += 1\n    (return n)\n(f {index})\n",
            index % 7 + 1
        );
        interp.run(&vm, module, source.as_bytes(), false).expect("no error");
        if (index + 1).is_power_of_two() || index + 1 == count || index == 99 {
            println!("{:6} functions: {} kB", index + 1, resident());
        }
    }
    println!("{}", vm.summary());
}
