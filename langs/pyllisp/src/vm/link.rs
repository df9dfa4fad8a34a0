//! Compiled code, tied to a module: names become cells, constants values of the heap.

use std::sync::OnceLock;

use hotloop::prelude::*;

use super::Pyllisp;
use super::module::{self, ModuleInfo};
use crate::ast::Literal;
use crate::code::{Code, CodeId, Program, Reg};
use crate::object::number;

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

/// A function that can be run. It never changes, but for the counters of its loops.
#[derive(Debug)]
pub struct LinkedCode {
    /// The instructions and what describes them.
    pub code: Code,
    /// Whether it is the top level of a file's program.
    pub is_file: bool,
    /// The text of its program.
    pub source: &'static str,
    /// The module whose names it uses.
    pub module: &'static ModuleInfo,
    /// The cells that its instructions name.
    pub cells: &'static [ConstValue],
    /// The attributes that its instructions name.
    pub names: &'static [Atom],
    /// Its constants.
    pub consts: Box<[ConstValue]>,
    /// All functions of the program, this one included.
    pub codes: &'static OnceLock<Vec<&'static LinkedCode>>,
    /// For each instruction, the register that it writes; the first if there is none.
    pub results: Box<[Reg]>,
    /// The counters of the loops that begin at each instruction, and of the function at the first.
    pub loop_cells: Box<[LoopCell]>,
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
    let cells: Vec<ConstValue> =
        program.cells.iter().map(|name| module.constant_cell(interp, interp.atom(name))).collect();
    let names: Vec<Atom> = program.names.iter().map(|name| interp.atom(name)).collect();
    let (cells, names) = (cells.leak(), names.leak());
    let codes: &'static OnceLock<Vec<&'static LinkedCode>> = Box::leak(Box::default());
    let linked = program.codes.into_iter().enumerate().map(|(number, code)| -> &'static LinkedCode {
        let is_file = number == 0 && module.file.is_some();
        let consts = code.consts.iter().map(|literal| runtime.constant(constant(interp, literal))).collect();
        let results = code.instrs.iter().map(|instr| instr.dst().unwrap_or(Reg(0))).collect();
        let loop_cells = code.instrs.iter().map(|_| LoopCell::default()).collect();
        Box::leak(Box::new(LinkedCode {
            code,
            is_file,
            source,
            module,
            cells,
            names,
            consts,
            codes,
            results,
            loop_cells,
        }))
    });
    let linked: Vec<&'static LinkedCode> = linked.collect();
    let main = linked[0];
    // The cell is new: nothing is there yet.
    let _ = codes.set(linked);
    GreenRef::new(main)
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
