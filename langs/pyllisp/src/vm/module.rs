//! Modules: names to cells, and what is frozen.
//!
//! A module's cells are made when their names are first spoken of and never go away, so that a
//! trace may keep them as constants. A cell whose name the module has not defined is empty. When a
//! program reads such a name, the modules that its own extends are asked in turn:
//!
//! * if the name is found in a frozen module, or frozen already, the cell takes over the value and is
//!   frozen, too: from then on it is a constant;
//! * else the cell's `outer` is from then on the cell of the next module, which is read through this
//!   one until this module defines the name itself.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use hotloop::prelude::*;

use super::Pyllisp;
use super::link::Atom;
use crate::object::{Cell, is_set, special, unset};

/// A module as green data.
#[derive(Debug)]
pub struct ModuleInfo {
    /// Its name.
    pub name: String,
    /// Whether programs may change it.
    pub frozen: bool,
    /// The module where names are looked up that this one doesn't define.
    pub extends: Option<&'static ModuleInfo>,
    /// The file of its program.
    pub file: Option<PathBuf>,
    cells: RefCell<HashMap<Atom, ConstObject<Cell<Plain>>>>,
}

/// What a cell knows of itself.
#[derive(Debug)]
pub struct CellInfo {
    /// The name.
    pub name: String,
    /// The name's number.
    pub atom: Atom,
    /// The module to which it belongs.
    pub module: &'static ModuleInfo,
}

/// Why a cell can't be written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frozen(pub String);

impl ModuleInfo {
    /// A module without names.
    pub fn new(name: &str, extends: Option<&'static ModuleInfo>, frozen: bool) -> &'static ModuleInfo {
        let (name, file) = (name.to_owned(), None);
        Box::leak(Box::new(ModuleInfo { name, frozen, extends, file, cells: RefCell::default() }))
    }

    /// A module without names for the program of a file.
    pub fn of_file(name: &str, extends: &'static ModuleInfo, file: &Path) -> &'static ModuleInfo {
        let (name, extends, file) = (name.to_owned(), Some(extends), Some(file.to_owned()));
        Box::leak(Box::new(ModuleInfo { name, frozen: false, extends, file, cells: RefCell::default() }))
    }

    /// What tracebacks call it.
    pub fn place(&self) -> String {
        self.file.as_ref().map_or_else(|| self.name.clone(), |file| file.display().to_string())
    }

    /// The cell of a name, as a constant.
    pub fn constant_cell(&'static self, interp: &Pyllisp, atom: Atom) -> ConstObject<Cell<Plain>> {
        if let Some(cell) = self.cells.borrow().get(&atom) {
            return *cell;
        }
        let info = Box::leak(Box::new(CellInfo { name: interp.atom_name(atom), atom, module: self }));
        let runtime = interp.runtime();
        let cell = Cell::new(runtime, GreenRef::new(info), 0.into(), 0.into(), unset(), None, Value::zero());
        let cell = runtime.constant_object(cell);
        self.cells.borrow_mut().insert(atom, cell);
        cell
    }

    /// The cell of a name.
    pub fn cell(&'static self, interp: &Pyllisp, atom: Atom) -> Cell<Plain> {
        self.constant_cell(interp, atom).get()
    }

    /// Gives a name its value, as its first and only one.
    pub fn define(&'static self, interp: &Pyllisp, name: &str, value: Value<Plain>) {
        let cell = self.cell(interp, interp.atom(name));
        cell.set_constant(value);
        cell.set_frozen(i64::from(self.frozen).into());
    }

    /// The names that have values of the module's own.
    pub fn defined(&self, interp: &Pyllisp) -> HashSet<String> {
        let cells = self.cells.borrow();
        let own = cells.iter().filter(|(_, cell)| {
            let cell: Cell<Plain> = cell.get();
            is_set(cell.constant()) && (cell.frozen().get() == 0 || self.frozen)
        });
        own.map(|(atom, _)| interp.atom_name(*atom)).collect()
    }
}

/// The value of a cell; `None` if it has none, or none that is known yet.
#[inline(always)]
pub fn value<M: Mode>(mut cell: Cell<M>) -> Option<Value<M>> {
    loop {
        let constant = cell.constant();
        if constant.is_special(special::VARIES) {
            return Some(cell.value());
        } else if is_set(constant) {
            return Some(constant);
        }
        cell = cell.outer()?;
    }
}

/// Finds the value of an empty cell's name in the modules that the cell's own extends.
pub fn lift(interp: &Pyllisp, cell: Cell<Plain>) -> Option<Value<Plain>> {
    // Cells live as long as the interpreter.
    let mut way = Vec::new();
    let mut holder = cell;
    while !is_set(holder.constant()) {
        way.push(holder);
        let info = holder.info();
        holder = info.module.extends?.cell(interp, info.atom);
    }
    let found = value(holder)?;
    for cell in way.into_iter().rev() {
        if holder.frozen().get() != 0 {
            cell.set_constant(found);
            cell.set_frozen(1.into());
        } else {
            cell.set_outer(Some(holder));
        }
        holder = cell;
    }
    Some(found)
}

/// Writes a cell that has not been written twice yet.
pub fn store(cell: Cell<Plain>, value: Value<Plain>) -> Result<(), Frozen> {
    let info = cell.info();
    if info.module.frozen {
        return Err(Frozen(format!("module {} is frozen", info.module.name)));
    }
    if cell.frozen().get() != 0 {
        return Err(Frozen(format!("cell {} is frozen", info.name)));
    }
    if !is_set(cell.constant()) && cell.varies().get() == 0 {
        cell.set_constant(value);
    } else {
        cell.set_value(value);
        cell.set_constant(Value::special(special::VARIES));
    }
    Ok(())
}
