//! Modules: names to cells, and what is frozen.
//!
//! A module's cells are made when their names are first spoken of and never go away, so that a
//! trace may keep them as constants. A cell whose name the module has not defined is empty. When a
//! program reads such a name and the module extends another that has it, the cell takes over the
//! value and is frozen: from then on it is a constant.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use hotloop::prelude::*;

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
    cells: RefCell<HashMap<String, ConstValue>>,
}

/// What a cell knows of itself.
#[derive(Debug)]
pub struct CellInfo {
    /// The name.
    pub name: String,
    /// The module to which it belongs.
    pub module: &'static ModuleInfo,
}

/// Why a cell can't be written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frozen(pub String);

impl ModuleInfo {
    /// A module without names.
    pub fn new(name: &str, extends: Option<&'static ModuleInfo>, frozen: bool) -> &'static ModuleInfo {
        Box::leak(Box::new(ModuleInfo { name: name.to_owned(), frozen, extends, cells: RefCell::default() }))
    }

    /// The cell of a name.
    pub fn cell(&'static self, runtime: &Runtime, name: &str) -> ConstValue {
        if let Some(cell) = self.cells.borrow().get(name) {
            return *cell;
        }
        let info = Box::leak(Box::new(CellInfo { name: name.to_owned(), module: self }));
        let cell = Cell::new(runtime, GreenRef::new(info), 0.into(), 0.into(), unset(), Value::zero());
        let cell = runtime.constant(cell.to_value());
        self.cells.borrow_mut().insert(name.to_owned(), cell);
        cell
    }

    /// The value of a name in this module or those that it extends, without lifting it.
    pub fn get(&self, name: &str) -> Option<Value<Plain>> {
        let own = self.cells.borrow().get(name).and_then(|cell| value(cell.value().cast()?));
        own.or_else(|| self.extends?.get(name))
    }

    /// Gives a name of a builtin module its value.
    pub fn define(&'static self, runtime: &Runtime, name: &str, value: Value<Plain>) {
        if let Some(cell) = self.cell(runtime, name).value::<Plain>().cast::<Cell<Plain>>() {
            cell.set_constant(value);
            cell.set_frozen(i64::from(self.frozen).into());
        }
    }

    /// The names that have values of the module's own.
    pub fn defined(&self) -> HashSet<String> {
        let cells = self.cells.borrow();
        let own = cells.iter().filter(|(_, cell)| {
            let cell = cell.value::<Plain>().cast::<Cell<Plain>>();
            cell.is_some_and(|cell| value(cell).is_some() && (cell.frozen().get() == 0 || self.frozen))
        });
        own.map(|(name, _)| name.clone()).collect()
    }
}

/// The value of a cell; `None` if it has none.
#[inline(always)]
pub fn value<M: Mode>(cell: Cell<M>) -> Option<Value<M>> {
    let constant = cell.constant();
    if constant.is_special(special::VARIES) {
        Some(cell.value())
    } else if is_set(constant) {
        Some(constant)
    } else {
        None
    }
}

/// Takes over the value of an empty cell's name from what the module extends, for good.
pub fn lift(cell: Cell<Plain>) -> Option<Value<Plain>> {
    let info = cell.info();
    let found = info.module.extends?.get(&info.name)?;
    cell.set_constant(found);
    cell.set_frozen(1.into());
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
