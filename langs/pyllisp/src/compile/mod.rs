//! The syntax tree to register bytecode.
//!
//! Names that compiled code takes for what `base` says they are (operators, `true`, …) become
//! instructions of their own, unless the program or its module gives them a meaning; the module has
//! to freeze them before the code runs.

mod emit;
mod expression;
mod flow;
mod name;
mod operator;

use std::collections::{HashMap, HashSet};

use crate::ast;
use crate::code::{self, Code, Instr, Reg};
use crate::position::{Span, SyntaxError};
use crate::scope::{self, Scopes};
use crate::{expand, read};
use emit::Emitter;

/// What is already there when a program is compiled.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Options {
    /// The names that the program's module has given a meaning of its own.
    pub defined: HashSet<String>,
    /// Whether the value of the program's last expression is wanted; it is null if not.
    pub value: bool,
}

/// Compiles a source file.
///
/// ```
/// let program = hotloop_pyllisp::compile(b"(print 1 + 2)", &Default::default()).unwrap();
/// assert_eq!(program.codes.len(), 1);
/// ```
pub fn compile(source: &[u8], options: &Options) -> Result<code::Program, SyntaxError> {
    let text = read::decode(source)?;
    let forms = read::read(text)?;
    let tree = expand::expand(&forms)?;
    let scopes = scope::resolve(&tree);
    generate(&tree, &scopes, options)
}

/// Bytecode of a tree whose names are resolved.
pub fn generate(
    tree: &ast::Program,
    scopes: &Scopes,
    options: &Options,
) -> Result<code::Program, SyntaxError> {
    let mut unit = Unit {
        scopes,
        options,
        places: places(scopes),
        codes: vec![Code::default(); tree.functions],
        names: Interner::default(),
        cells: Interner::default(),
        taken_from_base: Interner::default(),
        error: None,
    };
    if tree.functions > usize::from(u16::MAX) {
        unit.fail(tree.main.span, "too many functions");
    } else {
        function(&mut unit, &tree.main);
    }
    match unit.error {
        Some(error) => Err(error),
        None => Ok(code::Program {
            codes: unit.codes,
            names: unit.names.names,
            cells: unit.cells.names,
            taken_from_base: unit.taken_from_base.names,
            varying: varying(scopes),
        }),
    }
}

fn varying(scopes: &Scopes) -> Vec<Box<str>> {
    let stored = scopes.stored_in_module.iter().filter(|(_, times)| **times == scope::OFTEN);
    let mut names: Vec<Box<str>> = stored.map(|(name, _)| Box::from(&**name)).collect();
    names.sort();
    names
}

/// What all functions of a program share.
struct Unit<'a> {
    scopes: &'a Scopes,
    options: &'a Options,
    /// Where each local of each function lives.
    places: Vec<Places>,
    codes: Vec<Code>,
    names: Interner,
    cells: Interner,
    taken_from_base: Interner,
    /// The first error; compiling goes on after it, for nothing.
    error: Option<SyntaxError>,
}

impl Unit<'_> {
    fn fail(&mut self, span: Span, message: &str) {
        self.error.get_or_insert_with(|| SyntaxError::new(span.start, message));
    }
}

/// Where the variables of a function live.
#[derive(Clone, Debug, Default)]
struct Places {
    locals: Vec<Place>,
    /// How many variables its environment has; without any, there is no environment.
    environment: u16,
    /// How many registers its parameters and other locals take.
    registers: usize,
    /// The registers of variables that may be read before they have a value.
    unset: Vec<Reg>,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Register(Reg),
    Environment(u16),
}

fn places(scopes: &Scopes) -> Vec<Places> {
    let functions = scopes.captured.iter().zip(&scopes.params);
    let mut places: Vec<Places> = functions
        .map(|(captured, params)| {
            let mut places = Places { registers: *params, ..Places::default() };
            for (local, captured) in captured.iter().enumerate() {
                places.locals.push(if *captured {
                    places.environment = places.environment.saturating_add(1);
                    Place::Environment(places.environment - 1)
                } else if local < *params {
                    Place::Register(Reg(local as u16))
                } else {
                    places.registers += 1;
                    Place::Register(Reg((places.registers - 1) as u16))
                });
            }
            places
        })
        .collect();
    for meaning in &scopes.uses {
        let certain = usize::from(!meaning.module);
        let uncertain = meaning.variables.len().saturating_sub(certain);
        for variable in &meaning.variables[..uncertain] {
            let places = &mut places[variable.function];
            if let Place::Register(reg) = places.locals[variable.local]
                && !places.unset.contains(&reg)
            {
                places.unset.push(reg);
            }
        }
    }
    places
}

/// Texts and their numbers.
#[derive(Default)]
struct Interner {
    names: Vec<Box<str>>,
    numbers: HashMap<Box<str>, u16>,
}

impl Interner {
    /// The number of a text; `None` if there are too many.
    fn number(&mut self, text: &str) -> Option<u16> {
        if let Some(number) = self.numbers.get(text) {
            return Some(*number);
        }
        let number = u16::try_from(self.names.len()).ok()?;
        self.names.push(text.into());
        self.numbers.insert(text.into(), number);
        Some(number)
    }
}

/// Compiles a function and those in it.
fn function(unit: &mut Unit<'_>, function: &ast::Function) {
    let places = unit.places[function.id].clone();
    if places.locals.len() > MAX_LOCALS {
        unit.fail(function.span, "function has too many variables");
        return;
    }
    let mut compiler = Compiler {
        unit,
        function,
        emit: Emitter::new(places.registers as u16, function.span),
        loops: Vec::new(),
    };
    if places.environment > 0 {
        compiler.emit.instr(Instr::MakeEnv { count: places.environment });
    }
    for dst in &places.unset {
        compiler.emit.instr(Instr::LoadUnset { dst: *dst });
    }
    for (param, place) in places.locals.iter().enumerate().take(function.params) {
        if let Place::Environment(index) = *place {
            compiler.emit.instr(Instr::StoreEnv { depth: 0, index, src: Reg(param as u16) });
        }
    }
    compiler.body();
    let finished = compiler.emit.finish();
    match finished {
        Ok(code) => {
            let name = function.name.as_deref().unwrap_or_default().into();
            let (params, generator, span) = (function.params as u16, function.generator, function.span);
            let locals = function.locals.iter().map(|local| Box::from(&**local)).collect();
            let parent = unit.scopes.parents[function.id] as u16;
            unit.codes[function.id] = Code { name, params, generator, span, locals, parent, ..code };
        }
        Err(message) => unit.fail(function.span, message),
    }
}

/// How many locals a function may have; its registers leave as much room again for temporaries.
const MAX_LOCALS: usize = 30_000;

struct Compiler<'unit, 'a> {
    unit: &'unit mut Unit<'a>,
    function: &'unit ast::Function,
    emit: Emitter,
    /// The loops around the expression at hand, the innermost last.
    loops: Vec<flow::Loop>,
}

impl Compiler<'_, '_> {
    /// The whole body. A function that falls off its end gives null.
    fn body(&mut self) {
        let body = &self.function.body;
        if self.function.id == 0 && !body.is_empty() && self.unit.options.value {
            let dst = self.emit.push();
            self.block_into(body, dst);
            self.emit.instr(Instr::Return { src: dst });
        } else {
            self.block(body);
            if self.emit.reachable() {
                let dst = self.emit.push();
                self.emit.instr(Instr::LoadNull { dst });
                self.leave(dst);
            }
        }
    }

    /// Leaves the function; nobody gets what a generator returns.
    fn leave(&mut self, src: Reg) {
        self.emit.instr(if self.function.generator { Instr::End {} } else { Instr::Return { src } });
    }
}

#[cfg(test)]
mod tests;
