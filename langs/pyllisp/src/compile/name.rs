//! Reading and storing variables.

use super::{Compiler, Place};
use crate::ast::Name;
use crate::code::{Cell, Instr, NameId, Reg};
use crate::scope::Variable;

impl Compiler<'_, '_> {
    /// The register of a variable that lives in one and certainly has a value.
    pub(super) fn register(&self, name: &Name) -> Option<Reg> {
        let meaning = &self.unit.scopes.uses[name.use_id];
        match *meaning.variables {
            [variable] if !meaning.module => match self.place(variable) {
                Place::Register(reg) => Some(reg),
                Place::Environment(_) => None,
            },
            _ => None,
        }
    }

    /// Whether reading the name is one instruction.
    pub(super) fn is_simple(&self, name: &Name) -> bool {
        let meaning = &self.unit.scopes.uses[name.use_id];
        meaning.variables.len() + usize::from(meaning.module) == 1
    }

    /// Whether the name means what `base` says it does. If so, the module will have to freeze it.
    pub(super) fn is_from_base(&mut self, name: &Name) -> bool {
        let (scopes, options) = (self.unit.scopes, self.unit.options);
        let text = &*name.text;
        let from_base = scopes.uses[name.use_id].variables.is_empty()
            && !scopes.stored_in_module.contains_key(text)
            && !options.defined.contains(text);
        if from_base && self.unit.taken_from_base.number(text).is_none() {
            self.unit.fail(self.emit.span, "program uses too many names");
        }
        from_base
    }

    /// The module's cell of a name.
    pub(super) fn cell(&mut self, name: &str) -> Cell {
        let number = self.unit.cells.number(name);
        Cell(self.numbered(number))
    }

    /// The number of an attribute's name.
    pub(super) fn attribute(&mut self, name: &str) -> NameId {
        let number = self.unit.names.number(name);
        NameId(self.numbered(number))
    }

    fn numbered(&mut self, number: Option<u16>) -> u16 {
        if number.is_none() {
            self.unit.fail(self.emit.span, "program uses too many names");
        }
        number.unwrap_or_default()
    }

    fn place(&self, variable: Variable) -> Place {
        self.unit.places[variable.function].locals[variable.local]
    }

    /// How many environments out the one of a function around this one is.
    fn depth(&self, of: usize) -> u16 {
        let mut depth = 0;
        let mut function = self.function.id;
        while function != of {
            depth += u16::from(self.unit.places[function].environment > 0);
            function = self.unit.scopes.parents[function];
        }
        depth
    }

    /// Reads a variable.
    pub(super) fn read(&mut self, name: &Name, dst: Reg) {
        let scopes = self.unit.scopes;
        let meaning = &scopes.uses[name.use_id];
        self.read_any(&meaning.variables, meaning.module.then_some(name), dst);
    }

    /// Reads the first of the variables that is set, or else the module's.
    fn read_any(&mut self, variables: &[Variable], module: Option<&Name>, dst: Reg) {
        let Some((variable, others)) = variables.split_first() else {
            if let Some(name) = module {
                let cell = self.cell(&name.text);
                self.emit.instr(Instr::LoadCell { dst, cell });
            }
            return;
        };
        let is_last = others.is_empty() && module.is_none();
        match self.place(*variable) {
            Place::Register(src) if is_last => {
                if src != dst {
                    self.emit.instr(Instr::Move { dst, src });
                }
            }
            Place::Register(src) => {
                let (set, done) = (self.emit.label(), self.emit.label());
                self.emit.instr(Instr::JumpIfSet { src, target: set });
                self.read_any(others, module, dst);
                self.emit.instr(Instr::Jump { target: done });
                self.emit.bind(set);
                self.emit.instr(Instr::Move { dst, src });
                self.emit.bind(done);
            }
            Place::Environment(index) => {
                let depth = self.depth(variable.function);
                self.emit.instr(Instr::LoadEnv { dst, depth, index });
                if !is_last {
                    let done = self.emit.label();
                    self.emit.instr(Instr::JumpIfSet { src: dst, target: done });
                    self.read_any(others, module, dst);
                    self.emit.bind(done);
                }
            }
        }
    }

    /// Stores a variable where its name is found.
    pub(super) fn store(&mut self, name: &Name, src: Reg) {
        let scopes = self.unit.scopes;
        let meaning = &scopes.uses[name.use_id];
        self.store_any(&meaning.variables, meaning.module.then_some(name), src);
    }

    fn store_any(&mut self, variables: &[Variable], module: Option<&Name>, src: Reg) {
        let Some((variable, others)) = variables.split_first() else {
            if let Some(name) = module {
                let cell = self.cell(&name.text);
                self.emit.instr(Instr::StoreCell { cell, src });
            }
            return;
        };
        let place = self.place(*variable);
        let depth = self.depth(variable.function);
        let done = self.emit.label();
        if !others.is_empty() || module.is_some() {
            let set = self.emit.label();
            let top = self.emit.top();
            let tested = match place {
                Place::Register(reg) => reg,
                Place::Environment(index) => {
                    let dst = self.emit.push();
                    self.emit.instr(Instr::LoadEnv { dst, depth, index });
                    dst
                }
            };
            self.emit.instr(Instr::JumpIfSet { src: tested, target: set });
            self.emit.pop_to(top);
            self.store_any(others, module, src);
            self.emit.instr(Instr::Jump { target: done });
            self.emit.bind(set);
        }
        match place {
            Place::Register(dst) if dst == src => {}
            Place::Register(dst) => self.emit.instr(Instr::Move { dst, src }),
            Place::Environment(index) => self.emit.instr(Instr::StoreEnv { depth, index, src }),
        }
        self.emit.bind(done);
    }
}
