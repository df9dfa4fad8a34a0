//! Register bytecode: what the compiler makes and the interpreter runs.
//!
//! A frame has registers, `r0` onward: first the parameters, then the other locals that no inner
//! function uses, then temporaries, which the compiler hands out as a stack. Variables that inner
//! functions use live in an *environment* on the heap, one for each call of a function that has
//! any; the environment of the function around it is its parent.

mod disassemble;
mod instr;
pub(crate) mod liveness;
mod verify;

pub use instr::{Cell, CodeId, Const, Instr, Label, NameId, Operand, Reg};
pub use verify::verify;

use hotloop::Live;

use crate::position::Span;
use crate::read::lexer::Literal;

/// A compiled program.
#[derive(Clone, PartialEq, Debug)]
pub struct Program {
    /// The functions; the first is the top level.
    pub codes: Vec<Code>,
    /// The names that attribute instructions mean.
    pub names: Vec<Box<str>>,
    /// The names of the module's cells that the program uses.
    pub cells: Vec<Box<str>>,
    /// The names that the compiled code takes for what `base` says they are, so the module must
    /// have frozen them before it runs.
    pub taken_from_base: Vec<Box<str>>,
    /// The names that the program stores in its module more than once, as far as can be seen.
    pub varying: Vec<Box<str>>,
}

/// A run of instructions whose errors are handled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Handler {
    /// The first instruction.
    pub start: u32,
    /// The one after the last.
    pub stop: u32,
    /// Where the way goes on with the error.
    pub target: Label,
    /// The register that gets the error.
    pub dst: Reg,
}

impl Code {
    /// Who handles an error of an instruction.
    pub fn handler(&self, at: usize) -> Option<Handler> {
        let covers = |handler: &&Handler| (handler.start as usize..handler.stop as usize).contains(&at);
        self.handlers.iter().find(covers).copied()
    }
}

/// A compiled function.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Code {
    /// The name that the function is first bound to; empty if it has none.
    pub name: Box<str>,
    /// How many arguments it takes; they are passed in the first registers.
    pub params: u16,
    /// How many registers it needs.
    pub slots: u16,
    /// Whether calling it makes a generator.
    pub generator: bool,
    /// The instructions. The last one doesn't fall through.
    pub instrs: Box<[Instr]>,
    /// The constants that instructions name.
    pub consts: Box<[Literal]>,
    /// For each instruction, the source it comes from.
    pub spans: Box<[Span]>,
    /// For each instruction, which registers may matter when it begins: what lies in the others
    /// is never read again.
    pub live: Box<[Live]>,
    /// Where errors are handled: inner handlers before those around them.
    pub handlers: Box<[Handler]>,
    /// Where the function stands in the source.
    pub span: Span,
    /// The names of its own variables, for messages.
    pub locals: Box<[Box<str>]>,
    /// The function in which it stands; the top level's is itself.
    pub parent: u16,
}
