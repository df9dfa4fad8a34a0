use std::io::{stdin, stdout, BufWriter};
fn main() {
    let mut options = hotloop::Options::default();
    let args: Vec<String> = std::env::args().collect();
    let mut file = String::new();
    let mut i = 2;
    while i < args.len() { if args[i] == "--jit" { options.jit.parse(&args[i+1]).unwrap(); i += 2 } else if args[i]=="--gc-stress" { options.gc_stress = Some(args[i+1].parse().unwrap()); i+=2 } else { file = args[i].clone(); i += 1 } }
    let runtime = hotloop::Runtime::new(options);
    if let Ok(log) = std::env::var("HOTLOOP_LOG") { runtime.set_log(hotloop_log::Log::parse(&log).unwrap()); }
    let bf = hotloop_bf::Brainfuck::new(runtime, Box::new(stdin()), Box::new(BufWriter::new(stdout())));
    let text = std::fs::read_to_string(&file).unwrap();
    bf.run(hotloop_bf::parse(&text).unwrap()).unwrap();
}
