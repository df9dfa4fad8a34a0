//! Compiled code, tied to a module: names become cells, constants values of the heap.

use std::cell::Cell;
use std::sync::OnceLock;

use hotloop::prelude::*;

use super::Pyllisp;
use super::module::{self, ModuleInfo};
use crate::ast::Literal;
use crate::code::{Code, CodeId, Instr, Operand, Program, Reg};
use crate::object::{self, number};

/// The number of an attribute's name; equal names have equal numbers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Green)]
pub struct Atom(pub u32);

impl GreenWord for Atom {
    fn to_word(self) -> u64 {
        self.0.into()
    }
    fn from_word(word: u64) -> Atom {
        Atom(word as u32)
    }
}

/// An instruction that can be run: what is asked of it each time is at hand, so that a reference to it is all that a
/// position needs.
pub struct LinkedInstr {
    /// The instruction.
    pub instr: Instr,
    /// Its number.
    pub number: u32,
    /// The register that it writes; the first if there is none.
    pub result: Reg,
    /// The counter of the loop that begins here, or of the function.
    pub loop_cell: LoopCell,
    // What the following refer to is made later than this. It is set once, by `link`.
    code: Cell<Option<&'static LinkedCode>>,
    next: Cell<Option<&'static LinkedInstr>>,
    jump: Cell<Option<&'static LinkedInstr>>,
    over: Cell<Option<&'static LinkedInstr>>,
}

impl LinkedInstr {
    fn new(number: usize, instr: Instr) -> LinkedInstr {
        LinkedInstr {
            instr,
            number: number as u32,
            result: instr.dst().unwrap_or(Reg(0)),
            loop_cell: LoopCell::default(),
            code: Cell::new(None),
            next: Cell::new(None),
            jump: Cell::new(None),
            over: Cell::new(None),
        }
    }

    /// Its function.
    #[inline(always)]
    pub fn code(&self) -> &'static LinkedCode {
        linked(&self.code)
    }

    /// The instruction behind it.
    #[inline(always)]
    pub fn next(&self) -> &'static LinkedInstr {
        linked(&self.next)
    }

    /// Where it jumps; if it is a fused comparison, where the jump behind it does.
    #[inline(always)]
    pub fn jump(&self) -> &'static LinkedInstr {
        linked(&self.jump)
    }

    /// The instruction behind the next one, whose work this one has done: the jump of a fused comparison, the call of
    /// an `Invoke`.
    #[inline(always)]
    pub fn over(&self) -> &'static LinkedInstr {
        linked(&self.over)
    }
}

#[inline(always)]
fn linked<T>(link: &Cell<Option<&'static T>>) -> &'static T {
    match link.get() {
        Some(target) => target,
        None => unreachable!(
            "code is linked before it runs, and has no ways that lead nowhere: see `code/verify.rs`"
        ),
    }
}

/// A function that can be run. It never changes, but for the counters of its loops.
pub struct LinkedCode {
    /// What describes the instructions; they themselves are in `instrs`.
    pub code: Code,
    /// Whether it is the top level of a file's program.
    pub is_file: bool,
    /// The text of its program.
    pub source: &'static str,
    /// The module whose names it uses.
    pub module: &'static ModuleInfo,
    /// The cells that its instructions name.
    pub cells: &'static [ConstObject<object::Cell<Plain>>],
    /// The attributes that its instructions name.
    pub names: &'static [Atom],
    /// Its constants.
    pub consts: Box<[ConstValue]>,
    /// All functions of the program, this one included.
    pub codes: &'static OnceLock<Vec<&'static LinkedCode>>,
    /// The instructions.
    pub instrs: Box<[LinkedInstr]>,
}

impl LinkedCode {
    /// Another function of the program.
    pub fn function(&self, id: CodeId) -> GreenRef<LinkedCode> {
        match self.codes.get() {
            Some(codes) => GreenRef::new(codes[id.index()]),
            None => unreachable!("code runs after its program is linked"),
        }
    }
}

/// Ties a program to a module and gives its top level. The code lives for ever.
pub fn link(
    interp: &Pyllisp,
    program: Program,
    source: &str,
    module: &'static ModuleInfo,
) -> GreenRef<LinkedCode> {
    let runtime = interp.runtime();
    let source: &'static str = Box::leak(Box::from(source));
    for name in &program.taken_from_base {
        let cell = module.cell(interp, interp.atom(name));
        if module::value(cell).is_none() {
            module::lift(interp, cell);
        }
    }
    for name in &program.varying {
        module.cell(interp, interp.atom(name)).set_varies(1.into());
    }
    let cells: Vec<_> =
        program.cells.iter().map(|name| module.constant_cell(interp, interp.atom(name))).collect();
    let names: Vec<Atom> = program.names.iter().map(|name| interp.atom(name)).collect();
    let (cells, names) = (cells.leak(), names.leak());
    let codes: &'static OnceLock<Vec<&'static LinkedCode>> = Box::leak(Box::default());
    let linked = program.codes.into_iter().enumerate().map(|(number, mut code)| -> &'static LinkedCode {
        let is_file = number == 0 && module.file.is_some();
        let consts = code.consts.iter().map(|literal| runtime.constant(constant(interp, literal))).collect();
        let instrs = std::mem::take(&mut code.instrs).into_iter().enumerate();
        let instrs = instrs.map(|(number, instr)| LinkedInstr::new(number, instr)).collect();
        let linked: &'static LinkedCode = Box::leak(Box::new(LinkedCode {
            code,
            is_file,
            source,
            module,
            cells,
            names,
            consts,
            codes,
            instrs,
        }));
        lay_ways(linked);
        linked
    });
    let linked: Vec<&'static LinkedCode> = linked.collect();
    let main = linked[0];
    // The cell is new: nothing is there yet.
    let _ = codes.set(linked);
    GreenRef::new(main)
}

/// Tells the instructions of a function where they lead.
fn lay_ways(code: &'static LinkedCode) {
    for (number, linked) in code.instrs.iter().enumerate() {
        linked.code.set(Some(code));
        linked.next.set(code.instrs.get(number + 1));
        let jumps = if linked.instr.does_the_next() {
            linked.over.set(code.instrs.get(number + 2));
            &code.instrs[number + 1]
        } else {
            linked
        };
        jumps.instr.operands(|_, operand| {
            if let Operand::Label(target) = operand {
                linked.jump.set(Some(&code.instrs[target.index()]));
            }
        });
    }
}

fn constant(interp: &Pyllisp, literal: &Literal) -> Value<Plain> {
    let runtime = interp.runtime();
    match literal {
        Literal::Int(value) => number::integer(runtime, *value),
        Literal::BigInt { radix, digits } => {
            // The lexer took digits of this radix only.
            number::parse(digits, *radix).map_or(Value::zero(), |integer| integer.to_value(runtime))
        }
        Literal::Float(value) => Value::from_float(runtime, (*value).into()),
        Literal::Str(value) => interp.text(value),
    }
}
