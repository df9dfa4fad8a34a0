//! Programs: their text form, and which registers are live.

use std::fmt;

use hotloop::Live;

use super::op::{End, Instr, Micro, Op, Role};

#[derive(Clone, Debug, PartialEq)]
pub struct Handler {
    pub start: u32,
    pub end: u32,
    pub register: u32,
    pub target: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    pub name: String,
    pub index: u32,
    pub registers: u32,
    pub instrs: Vec<Instr>,
    pub handlers: Vec<Handler>,
    /// Registers live before each instruction. `None`: nobody counted.
    pub live: Option<Vec<Live>>,
}

#[derive(Clone, Debug, PartialEq, Default)]
pub struct Program {
    pub functions: Vec<Function>,
}

impl End {
    /// The register that a result arrives in later.
    pub fn target(&self) -> Option<u32> {
        match *self {
            End::Call(d, ..) | End::CallValue(d, ..) | End::Resume(d, ..) | End::Yield(d, _) => Some(d),
            _ => None,
        }
    }

    pub fn sources(&self) -> Vec<u32> {
        match *self {
            End::Next | End::Jump(_) | End::Back(_) => vec![],
            End::JumpIf(a, _) | End::Return(a) | End::Raise(a) | End::Yield(_, a) => vec![a],
            End::JumpLess(a, b, _) | End::BackLess(a, b, _) => vec![a, b],
            End::Call(_, _, first, count) => (first..first + count).collect(),
            End::CallValue(_, callee, first, count) => (first..first + count).chain([callee]).collect(),
            End::Resume(_, generator, a) => vec![generator, a],
        }
    }

    pub fn label(&mut self) -> Option<&mut u32> {
        match self {
            End::Jump(to) | End::Back(to) | End::JumpIf(_, to) => Some(to),
            End::JumpLess(_, _, to) | End::BackLess(_, _, to) => Some(to),
            _ => None,
        }
    }

    fn goes_on(&self) -> bool {
        !matches!(self, End::Jump(_) | End::Back(_) | End::Return(_) | End::Raise(_))
    }
}

impl Program {
    /// Reads the text form; see `programs.rs` for what it looks like.
    pub fn parse(text: &str) -> Program {
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let names: Vec<&str> =
            lines.iter().filter_map(|line| line.strip_prefix("fn ")?.split_whitespace().next()).collect();
        let mut program = Program::default();
        for block in lines.split_inclusive_before(|line| line.starts_with("fn ")) {
            let function = parse_function(block, &names, program.functions.len() as u32);
            program.functions.push(function);
        }
        program.count_live();
        program
    }

    /// Finds the live registers, unless frames are looked at from outside.
    pub fn count_live(&mut self) {
        let looked_at = |op: Op| {
            matches!(
                op,
                Op::ThisFrame
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
            )
        };
        let frames =
            self.functions.iter().flat_map(|function| &function.instrs).flat_map(|instr| &instr.work);
        let exact = !frames.into_iter().any(|micro| looked_at(micro.op));
        for function in &mut self.functions {
            function.live = exact.then(|| liveness(function));
        }
    }
}

trait SplitBefore<'a> {
    fn split_inclusive_before(&self, starts: impl Fn(&str) -> bool) -> Vec<&[&'a str]>;
}
impl<'a> SplitBefore<'a> for Vec<&'a str> {
    fn split_inclusive_before(&self, starts: impl Fn(&str) -> bool) -> Vec<&[&'a str]> {
        let mut cuts: Vec<usize> = (0..self.len()).filter(|index| starts(self[*index])).collect();
        cuts.push(self.len());
        cuts.windows(2).map(|pair| &self[pair[0]..pair[1]]).collect()
    }
}

fn register(word: &str) -> u32 {
    word.strip_prefix('r')
        .and_then(|number| number.parse().ok())
        .unwrap_or_else(|| panic!("`{word}` is no register"))
}

fn parse_function(lines: &[&str], names: &[&str], index: u32) -> Function {
    let head: Vec<&str> = lines[0].split_whitespace().collect();
    let mut labels: Vec<(&str, u32)> = Vec::new();
    let mut at = 0;
    for line in &lines[1..] {
        match line.strip_suffix(':') {
            Some(label) => labels.push((label, at)),
            None if line.starts_with("try ") => {}
            None => at += 1,
        }
    }
    let label = |name: &str| match labels.iter().find(|(known, _)| *known == name) {
        Some((_, at)) => *at,
        None => panic!("no label `{name}` in {}", head[1]),
    };
    let callee = |name: &str| match names.iter().position(|known| *known == name) {
        Some(index) => index as u32,
        None => panic!("no function `{name}`"),
    };
    let mut function = Function {
        name: head[1].to_string(),
        index,
        registers: head[2].parse().expect("the number of registers"),
        instrs: Vec::new(),
        handlers: Vec::new(),
        live: None,
    };
    for line in &lines[1..] {
        if line.ends_with(':') {
            continue;
        }
        if let Some(rest) = line.strip_prefix("try ") {
            let words: Vec<&str> = rest.split_whitespace().collect();
            function.handlers.push(Handler {
                start: label(words[0]),
                end: label(words[1]),
                register: register(words[2]),
                target: label(words[3]),
            });
            continue;
        }
        let mut instr = Instr { work: Vec::new(), end: End::Next };
        for part in line.split(';') {
            let words: Vec<&str> = part.split_whitespace().collect();
            let (name, args) = (words[0], &words[1..]);
            let reg = |index: usize| register(args[index]);
            instr.end = match name {
                "next" => End::Next,
                "jump" => End::Jump(label(args[0])),
                "back" => End::Back(label(args[0])),
                "jump-if" => End::JumpIf(reg(0), label(args[1])),
                "jump-less" => End::JumpLess(reg(0), reg(1), label(args[2])),
                "back-less" => End::BackLess(reg(0), reg(1), label(args[2])),
                "call" => End::Call(reg(0), callee(args[1]), reg(2), args[3].parse().expect("a count")),
                "call-value" => End::CallValue(reg(0), reg(1), reg(2), args[3].parse().expect("a count")),
                "return" => End::Return(reg(0)),
                "raise" => End::Raise(reg(0)),
                "resume" => End::Resume(reg(0), reg(1), reg(2)),
                "yield" => End::Yield(reg(0), reg(1)),
                _ => {
                    let op = Op::ALL.iter().find(|op| op.name() == name);
                    let op = *op.unwrap_or_else(|| panic!("no operation `{name}`"));
                    let mut micro = Micro { op, args: [0; 3] };
                    assert_eq!(op.roles().len(), args.len(), "operands of `{part}`");
                    for (index, role) in op.roles().iter().enumerate() {
                        micro.args[index] = match role {
                            Role::Target | Role::Source => register(args[index]) as i64,
                            Role::Number => args[index].parse().expect("a number"),
                            Role::Float => args[index].parse::<f64>().expect("a float").to_bits() as i64,
                            Role::Function => callee(args[index]) as i64,
                        };
                    }
                    instr.work.push(micro);
                    End::Next
                }
            };
        }
        function.instrs.push(instr);
    }
    function
}

/// For each instruction, one more than the highest register that may be read before it is written.
fn liveness(function: &Function) -> Vec<Live> {
    let count = function.instrs.len();
    let mut live = vec![0u128; count + 1];
    loop {
        let before = live.clone();
        for index in (0..count).rev() {
            let instr = &function.instrs[index];
            let mut end = instr.end;
            let mut set = if end.goes_on() { live[index + 1] } else { 0 };
            if let Some(target) = end.label() {
                set |= live[(*target as usize).min(count)];
            }
            if let Some(target) = end.target() {
                set &= !(1 << target);
            }
            for source in end.sources() {
                set |= 1 << source;
            }
            for micro in instr.work.iter().rev() {
                for (role, arg) in micro.op.roles().iter().zip(micro.args) {
                    if *role == Role::Target {
                        set &= !(1 << arg);
                    }
                }
                for (role, arg) in micro.op.roles().iter().zip(micro.args) {
                    if *role == Role::Source {
                        set |= 1 << arg;
                    }
                }
            }
            for handler in &function.handlers {
                if (handler.start..handler.end).contains(&(index as u32)) {
                    set |= live[(handler.target as usize).min(count)] & !(1 << handler.register);
                }
            }
            live[index] = set;
        }
        if before == live {
            return live.iter().map(|set| Live::new(128 - set.leading_zeros(), *set as u64)).collect();
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |index: u32| &self.functions[index as usize].name;
        for function in &self.functions {
            writeln!(f, "fn {} {}", function.name, function.registers)?;
            for handler in &function.handlers {
                let Handler { start, end, register, target } = handler;
                writeln!(f, "  try l{start} l{end} r{register} l{target}")?;
            }
            for (index, instr) in function.instrs.iter().enumerate() {
                write!(f, "l{index}:\n  ")?;
                for micro in &instr.work {
                    write!(f, "{}", micro.op.name())?;
                    for (role, arg) in micro.op.roles().iter().zip(micro.args) {
                        match role {
                            Role::Target | Role::Source => write!(f, " r{arg}")?,
                            Role::Number => write!(f, " {arg}")?,
                            Role::Float => write!(f, " {:?}", f64::from_bits(arg as u64))?,
                            Role::Function => write!(f, " {}", name(arg as u32))?,
                        }
                    }
                    write!(f, "; ")?;
                }
                match instr.end {
                    End::Next => writeln!(f, "next")?,
                    End::Jump(to) => writeln!(f, "jump l{to}")?,
                    End::Back(to) => writeln!(f, "back l{to}")?,
                    End::JumpIf(a, to) => writeln!(f, "jump-if r{a} l{to}")?,
                    End::JumpLess(a, b, to) => writeln!(f, "jump-less r{a} r{b} l{to}")?,
                    End::BackLess(a, b, to) => writeln!(f, "back-less r{a} r{b} l{to}")?,
                    End::Call(d, callee, first, count) => {
                        writeln!(f, "call r{d} {} r{first} {count}", name(callee))?;
                    }
                    End::CallValue(d, callee, first, count) => {
                        writeln!(f, "call-value r{d} r{callee} r{first} {count}")?
                    }
                    End::Return(a) => writeln!(f, "return r{a}")?,
                    End::Raise(a) => writeln!(f, "raise r{a}")?,
                    End::Resume(d, generator, a) => writeln!(f, "resume r{d} r{generator} r{a}")?,
                    End::Yield(d, a) => writeln!(f, "yield r{d} r{a}")?,
                }
            }
            writeln!(f, "l{}:", function.instrs.len())?;
        }
        Ok(())
    }
}
