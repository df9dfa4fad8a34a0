//! Random programs, run in all ways; one that fails is made smaller before it is shown.
//!
//! `TINY_PROGRAMS=100000 TINY_SEED=1 TINY_SECONDS=600 cargo test --release -p hotloop --test suite random` is a long run.

mod shrink;

use crate::language::op::{End, Instr, Micro, Op, Role};
use crate::language::program::{Function, Handler, Program};
use crate::run::{Counts, Effort, alone, compare};

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)) % sides
    }

    fn percent(&mut self, chance: u64) -> bool {
        self.roll(100) < chance
    }

    fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.roll(list.len() as u64) as usize]
    }
}

// What usually lives in which register, so that most operations find what they want; the first
// [`PASSED`] are handed from caller to callee.
const PASSED: u32 = 12;
const INTS: &[u32] = &[0, 1, 2, 2];
const CELLS: &[u32] = &[3, 4];
const PAIRS: &[u32] = &[5, 6];
const ARRAYS: &[u32] = &[7, 7, 20];
const BYTES: &[u32] = &[8, 8, 21];
const CONFIG: u32 = 9;
const FLOAT: u32 = 10;
const ANY: u32 = 11;
const COUNTER: u32 = 12;
const LIMIT: u32 = 13;
const ONE: u32 = 14;
const CLOSURE: u32 = 15;
const GENERATOR: u32 = 16;
const INNER: u32 = 17;
const FRAME: u32 = 18;
const LIST: u32 = 19;
const REGISTERS: u32 = 22;

/// What an operation wants in its registers and leaves in its target: a letter for each operand.
fn wants(op: Op) -> &'static str {
    match op {
        Op::Int | Op::Depth | Op::Next | Op::Walk => "i-",
        Op::Float => "f-",
        Op::Null | Op::Noted => "v",
        Op::Move => "vv",
        Op::Promote => "ii",
        Op::Add | Op::Sub | Op::Mul | Op::Div | Op::Mod => "inn",
        Op::And | Op::Xor | Op::Mix | Op::Min => "iii",
        Op::Less => "inn",
        Op::Same => "ivv",
        Op::Assert => "nn",
        Op::Pair | Op::MakePair => "pvv",
        Op::First | Op::Second => "vp",
        Op::SetFirst | Op::SetSecond | Op::Scribble => "pv",
        Op::IsPair => "iv",
        Op::Cell => "cv",
        Op::CellGet | Op::Peek => "vc",
        Op::CellSet | Op::Poke => "cv",
        Op::Count => "ic",
        Op::Bump | Op::Advance => "c",
        Op::Weight => "fc",
        Op::Weigh => "cn",
        Op::Link => "cp",
        Op::Linked => "vc",
        Op::Array => "a-",
        Op::Item => "vai",
        Op::SetItem => "aiv",
        Op::Length => "ia",
        Op::Bytes => "b-",
        Op::Byte => "ibi",
        Op::SetByte => "bii",
        Op::ArrayOf => "ai",
        Op::CopyItems => "aai",
        Op::CopyBytes => "bbi",
        Op::FillItems => "aiv",
        Op::SameBytes => "ibb",
        Op::SameItems => "iaa",
        Op::Slice => "bbi",
        Op::List => "t",
        Op::Push => "tv",
        Op::Pop => "vt",
        Op::At => "vti",
        Op::Size => "it",
        Op::Config => "kv",
        Op::Kind => "vk",
        Op::Version => "ik",
        Op::SetVersion | Op::PokeVersion => "ki",
        Op::Global => "v-",
        Op::SetGlobal => "-v",
        Op::Closure => "l-v",
        Op::Generator => "g-i",
        Op::ThisFrame => "w",
        Op::FrameSlot => "vw-",
        Op::SetFrameSlot => "w-v",
        Op::Note | Op::Print => "v",
        Op::Paint => "-",
        Op::Chain => "",
        Op::IsBig | Op::Hash | Op::Root => "ii",
        Op::HashConst | Op::Square | Op::SquareRoot | Op::LowBit => "ii",
        Op::Total => "ia",
        Op::Limit => "i-",
        Op::Watch => "v",
        Op::SureFirst | Op::IfVirtual => "vp",
        Op::IfConstant => "cv",
        Op::AtLeast => "ci",
        Op::Cached => "ic",
        Op::IfJitted => "c",
        Op::PairOf => "vc",
        Op::Half => "fi",
        Op::Halves => "pi",
        Op::PokeOdd | Op::AnyPoke => "vcv",
        Op::CallerSlot | Op::MySlot => "v-",
        Op::SetCallerSlot | Op::SetMySlot | Op::OddSlot => "-v",
        Op::CallerSlotIf | Op::SlotIf => "v-i",
        Op::SetCallerSlotIf | Op::SetSlotIf => "-vi",
        Op::WalkIf => "ii",
        Op::ChainIf => "i",
        Op::RaiseIf => "-i",
        Op::GrabIf => "wi",
        Op::NestedIf => "v-i",
    }
}

struct Generator {
    dice: Dice,
    functions: u32,
    /// Whether frames may be looked at from outside (then no register is known to be dead).
    frames: bool,
    instrs: Vec<Instr>,
    /// Jumps whose target is not known yet.
    open: Vec<usize>,
}

impl Generator {
    fn register(&mut self, wanted: u8) -> u32 {
        let dice = &mut self.dice;
        if dice.percent(4) {
            return dice.roll(PASSED as u64) as u32;
        }
        match wanted {
            b'i' => dice.pick(INTS),
            b'n' if dice.percent(15) => FLOAT,
            b'n' => dice.pick(INTS),
            b'c' => dice.pick(CELLS),
            b'p' => dice.pick(PAIRS),
            b'a' => dice.pick(ARRAYS),
            b'b' => dice.pick(BYTES),
            b't' => LIST,
            b'k' => CONFIG,
            b'f' => FLOAT,
            b'l' => CLOSURE,
            b'g' => GENERATOR,
            b'w' => FRAME,
            _ if dice.percent(40) => dice.pick(INTS),
            _ => dice.pick(&[ANY, ANY, 3, 4, 5, 6, 10]),
        }
    }

    fn source(&mut self, wanted: u8) -> u32 {
        if wanted == b'i' && self.dice.percent(25) {
            return self.dice.pick(&[COUNTER, COUNTER, ONE, LIMIT]);
        }
        self.register(wanted)
    }

    fn micro(&mut self) -> Micro {
        let op = loop {
            let op = self.dice.pick(Op::ALL);
            let frames = matches!(
                op,
                Op::ThisFrame
                    | Op::FrameSlot
                    | Op::SetFrameSlot
                    | Op::CallerSlot
                    | Op::SetCallerSlot
                    | Op::MySlot
                    | Op::SetMySlot
                    | Op::OddSlot
                    | Op::Walk
                    | Op::SlotIf
                    | Op::SetSlotIf
                    | Op::CallerSlotIf
                    | Op::SetCallerSlotIf
                    | Op::WalkIf
                    | Op::RaiseIf
                    | Op::GrabIf
                    | Op::NestedIf
            );
            // Functions want arguments, which a nested run does not give them.
            if (frames && !self.frames) || op == Op::NestedIf || (op == Op::Paint && self.dice.percent(80)) {
                continue;
            }
            break op;
        };
        let mut micro = Micro { op, args: [0; 3] };
        let wanted = wants(op).as_bytes();
        for (index, role) in op.roles().iter().enumerate() {
            let wanted = wanted.get(index).copied().unwrap_or(b'v');
            micro.args[index] = match role {
                // What is raised as a type error once must not stay one for ever.
                Role::Target if wanted == b'v' => ANY as i64,
                Role::Target => self.register(wanted) as i64,
                Role::Source => self.source(wanted) as i64,
                Role::Function => 1 + self.dice.roll(self.functions as u64 - 1) as i64,
                Role::Float => (self.dice.roll(1000) as f64 / 8.0 - 20.0).to_bits() as i64,
                Role::Number => match op {
                    Op::Int if self.dice.percent(5) => (1 << 59) - 1,
                    Op::Int => self.dice.roll(40) as i64 - 8,
                    Op::Array | Op::Bytes => self.dice.pick(&[0, 3, 8, 8, 40, 200]),
                    Op::Global | Op::SetGlobal => self.dice.roll(8) as i64,
                    Op::Paint => self.dice.roll(3) as i64,
                    Op::CallerSlot | Op::MySlot | Op::FrameSlot | Op::SlotIf | Op::CallerSlotIf => {
                        self.dice.roll(PASSED as u64) as i64
                    }
                    // Writes: mostly where no type is expected.
                    _ if self.dice.percent(5) => self.dice.roll(PASSED as u64) as i64,
                    _ => ANY as i64,
                },
            };
        }
        let arithmetic = matches!(op, Op::Add | Op::Sub | Op::Mul | Op::Div | Op::Mod);
        if arithmetic && micro.args[1..].contains(&(FLOAT as i64)) {
            micro.args[0] = FLOAT as i64;
        }
        micro
    }

    fn put(&mut self, op: Op, args: [i64; 3]) {
        self.instrs.push(Instr { work: vec![Micro { op, args }], end: End::Next });
    }

    fn instr(&mut self, generator: bool) {
        let count = if self.dice.percent(45) { 1 + self.dice.roll(2) } else { 1 + self.dice.roll(6) };
        let work = (0..count).map(|_| self.micro()).collect();
        let [d, a, b] = [ANY, self.source(b'i'), self.source(b'i')];
        let end = match self.dice.roll(100) {
            0..70 => End::Next,
            70..74 => End::JumpIf(self.source(b'v'), 0),
            74..80 => End::JumpLess(a, b, 0),
            80..87 => End::Call(d, 1 + self.dice.roll(self.functions as u64 - 1) as u32, 0, PASSED),
            87..90 => End::CallValue(d, CLOSURE, 1, PASSED - 1),
            90..94 => End::Resume(ANY, GENERATOR, a),
            94..97 if generator => End::Yield(ANY, a),
            97 => End::Raise(self.source(b'v')),
            98 => End::Return(self.source(b'v')),
            _ => End::Next,
        };
        if matches!(end, End::JumpIf(..) | End::JumpLess(..)) {
            self.open.push(self.instrs.len());
        }
        self.instrs.push(Instr { work, end });
    }

    /// All jumps that are open may land here.
    fn land(&mut self, all: bool) {
        let here = self.instrs.len() as u32;
        for index in std::mem::take(&mut self.open) {
            if all || self.dice.percent(40) {
                if let Some(label) = self.instrs[index].end.label() {
                    *label = here;
                }
            } else {
                self.open.push(index);
            }
        }
    }

    fn function(&mut self, index: u32) -> Function {
        let main = index == 0;
        let generator = !main && self.dice.percent(40);
        let number = |register: u32, number: i64| [register as i64, number, 0];
        if main || generator || self.dice.percent(20) {
            for (register, value) in INTS.iter().zip([1, 5, -3]) {
                if main || *register > 0 {
                    self.put(Op::Int, number(*register, value));
                }
            }
            for register in CELLS {
                self.put(Op::Cell, number(*register, 0));
            }
            for register in PAIRS {
                self.put(Op::Pair, [*register as i64, 1, 3]);
            }
            for (arrays, bytes) in ARRAYS.iter().zip(BYTES) {
                self.put(Op::Array, number(*arrays, 8));
                self.put(Op::Bytes, number(*bytes, 8));
            }
            self.put(Op::List, number(LIST, 0));
            self.put(Op::Config, number(CONFIG, 1));
            self.put(Op::Float, number(FLOAT, 1.5f64.to_bits() as i64));
        }
        for (op, register) in [(Op::Closure, CLOSURE), (Op::Generator, GENERATOR)] {
            let callee = 1 + self.dice.roll(self.functions as u64 - 1) as i64;
            self.put(op, [register as i64, callee, 1]);
        }
        if self.frames {
            self.put(Op::ThisFrame, number(FRAME, 0));
        }
        self.put(Op::Int, number(ONE, 1));
        let rounds = if main { 4 + self.dice.roll(16) } else { self.dice.roll(4) };
        self.put(Op::Int, number(LIMIT, rounds as i64));
        self.put(Op::Int, number(COUNTER, 0));
        let start = self.instrs.len() as u32;
        let length = if main { 3 + self.dice.roll(8) } else { 1 + self.dice.roll(5) };
        for _ in 0..length {
            if self.dice.percent(8) {
                self.put(Op::Int, number(INNER, 0));
                let inner = self.instrs.len() as u32;
                for _ in 0..1 + self.dice.roll(3) {
                    self.instr(generator);
                }
                self.land(true);
                self.put(Op::Add, [INNER as i64, INNER as i64, ONE as i64]);
                self.instrs.push(Instr { work: vec![], end: End::BackLess(INNER, LIMIT, inner) });
            } else {
                self.instr(generator);
            }
            self.land(false);
        }
        self.land(true);
        let end = self.instrs.len() as u32;
        self.put(Op::Add, [COUNTER as i64, COUNTER as i64, ONE as i64]);
        let back = if rounds > 0 { End::BackLess(COUNTER, LIMIT, start) } else { End::Next };
        self.instrs.push(Instr { work: vec![], end: back });
        let result = self.source(b'v');
        self.instrs.push(Instr { work: vec![], end: End::Return(result) });
        let mut handlers = Vec::new();
        match self.dice.roll(10) {
            // What fails is left out: the rest is reached whatever fails.
            0..7 => {
                for index in start..end {
                    handlers.push(Handler { start: index, end: index + 1, register: ANY, target: index + 1 });
                }
            }
            7..9 => handlers.push(Handler { start, end, register: ANY, target: end }),
            _ if main => handlers.push(Handler { start, end, register: ANY, target: end }),
            _ => {}
        }
        Function {
            name: if main { "main".to_string() } else { format!("f{index}") },
            index,
            registers: REGISTERS,
            instrs: std::mem::take(&mut self.instrs),
            handlers,
            live: None,
        }
    }
}

fn generate(seed: u64) -> Program {
    let mut dice = Dice(seed);
    let functions = 2 + dice.roll(3) as u32;
    let frames = dice.percent(60);
    let mut generator = Generator { dice, functions, frames, instrs: Vec::new(), open: Vec::new() };
    let mut program = Program { functions: (0..functions).map(|index| generator.function(index)).collect() };
    program.count_live();
    program
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn random_programs_agree() {
    let (first, count) = (number("TINY_SEED", 1), number("TINY_PROGRAMS", 150));
    let seconds = number("TINY_SECONDS", u64::MAX);
    // How soon chance finds a broken rule of replay.
    let rule = std::env::var("TINY_BROKEN_RULE").ok().and_then(|text| text.parse().ok());
    let verbose = std::env::var_os("TINY_VERBOSE").is_some();
    let mut counts = Counts::default();
    let started = std::time::Instant::now();
    for seed in first..first + count {
        if started.elapsed().as_secs() >= seconds {
            println!("stopped before seed {seed}");
            break;
        }
        let program: &'static Program = Box::leak(Box::new(generate(seed)));
        if verbose {
            eprintln!("seed {seed}\n{program}");
        }
        if let Err(failure) = alone(|| compare(program, Effort::Some, rule, &mut counts)) {
            let small = alone(|| {
                shrink::shrink(program, |program| compare(program, Effort::Some, rule, &mut counts))
            });
            let (small, failure) = small.unwrap_or((program, failure));
            panic!("seed {seed}\n{}\n{}\n{small}", failure.way, failure.text);
        }
    }
    println!("{count} programs, {counts:?}");
}

/// One program with one setting of the JIT, to look at:
/// `TINY_FILE=FILE TINY_JIT=threshold=1,… TINY_STRESS=2 TINY_LOG=jit-log-opt:- cargo test … one_program -- --nocapture`.
#[test]
fn one_program() {
    let Some(file) = std::env::var_os("TINY_FILE") else { return };
    let text = std::fs::read_to_string(file).expect("the program");
    let program: &'static Program = Box::leak(Box::new(Program::parse(&text)));
    let mut jit = hotloop::JitOptions::default();
    jit.parse(&std::env::var("TINY_JIT").unwrap_or_default()).expect("the JIT's options");
    if std::env::var_os("TINY_COMPARE").is_some() {
        let found =
            alone(|| crate::run::compare(program, crate::run::Effort::Some, None, &mut Counts::default()));
        println!("compared: {found:?}");
        return;
    }
    let gc_stress = std::env::var("TINY_STRESS").ok().and_then(|text| text.parse().ok());
    let way = crate::run::Way { gc_stress, ..crate::run::Way::with(jit) };
    let log = std::env::var("TINY_LOG").ok().map(|text| hotloop_log::Log::parse(&text).expect("the log"));
    alone(|| println!("{:#?}", crate::run::run_logged(program, &way, crate::run::FUEL, log)));
}
