//! Interfaces and the interpreter's own functions, as green data.

use std::cell::{Cell, OnceCell, RefCell};
use std::fmt;

use hotloop::prelude::*;

use super::Pyllisp;
use super::link::Atom;
use super::module::ModuleInfo;
use crate::object::Builtin;

/// What a function of the interpreter gives: a value, or the error on its way.
pub type Answer = Result<Value<Plain>, Raise<Plain>>;

/// A function of the interpreter. It must not keep its arguments on Rust's heap.
pub type Native = fn(&Pyllisp, &[Value<Plain>]) -> Answer;

/// A function of the interpreter, as green data.
#[derive(Debug)]
pub struct BuiltinInfo {
    /// Its name.
    pub name: String,
    /// What it does.
    pub work: Work,
    /// The functions of the prelude that do it where programs' functions have to be called; the first counts.
    pub helpers: Helpers,
}

/// Functions of the prelude, by their names, and when they are called.
pub type Helpers = &'static [(When, &'static str)];

/// What a builtin does.
#[derive(Clone, Copy)]
pub enum Work {
    /// Plain Rust.
    Native(Native),
    /// The square root: of a float by the processor, of anything else by plain Rust.
    Root(Native),
    /// One of [`super::floats`], for a float that it is defined for; plain Rust for anything else.
    Float(u32, Native),
    /// Plain Rust, where [`Quick`] can't do it.
    Quick(Quick, Native),
    /// Something that changes which frame is running.
    Control(Control),
}

/// When a builtin leaves its work to a function of the prelude.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    /// The argument at this place is a generator.
    Generator(u16),
    /// There is an argument at this place.
    Given(u16),
}

impl fmt::Debug for Work {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Work::Native(_) => out.write_str("Native"),
            Work::Root(_) => out.write_str("Root"),
            Work::Float(function, _) => write!(out, "Float({function})"),
            Work::Quick(quick, _) => write!(out, "{quick:?}"),
            Work::Control(control) => write!(out, "{control:?}"),
        }
    }
}

/// Methods that are done where traces see through them, for the usual arguments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Quick {
    /// `(list.append value)`
    Append,
    /// `(list.extend list)`
    Extend,
    /// `(list.pop)`
    Pop,
    /// `(list.slice start stop)`, `(string.slice start stop)`
    Slice,
    /// `(dict.get key)`, `(dict.get key default)`
    Get,
    /// `(dict.contains key)`, `(set.contains value)`
    Contains,
    /// `(int number)`
    Truncate,
    /// `(math.floor number)`
    Floor,
    /// `(abs number)`
    Absolute,
    /// `(getattr module name)`
    GetAttribute,
    /// `(setattr module name value)`
    SetAttribute,
}

impl Quick {
    /// What a callee does, if that is done in line for the usual arguments. (Those for which it has a helper are none.)
    #[inline(always)]
    pub fn of<M: Mode>(callee: Value<M>) -> Option<Quick> {
        match callee.cast::<Builtin<M>>()?.info().get().work {
            Work::Quick(quick, _) => Some(quick),
            _ => None,
        }
    }
}

/// What builtins do that change which frame is running.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Control {
    /// `generator.next`: runs the generator up to its next value.
    NextOfGenerator,
    /// Calls a multimethod, its first argument, with the others, without its default.
    CallSuppressed,
    /// `greenlet.switch`: another chain of frames goes on.
    Switch,
    /// The greenlet that runs has ended, with a value.
    EndGreenlet,
    /// Calls a function with the arguments that are in a list.
    Apply,
    /// `import`: finds a module, for which a file may have to run.
    Import,
}

/// The type of objects, as green data.
pub struct InterfaceInfo {
    /// Its name.
    pub name: String,
    /// The interface that it refines.
    pub parent: Option<Known>,
    /// What calling the interface does; `None` if it can't be called.
    pub instantiate: RefCell<Option<ConstValue>>,
    /// Methods by their names' numbers. (They are read at every call, and added when the interpreter is made.)
    methods: Cell<&'static [Cell<Option<Method>>]>,
    /// What a program's class has more.
    pub class: Option<ClassInfo>,
}

/// A method of the interpreter's own.
#[derive(Clone, Copy, Debug)]
pub struct Method {
    /// What is called.
    pub value: ConstValue,
    /// What that does, if it is done in line for the usual arguments.
    pub quick: Option<Quick>,
}

/// A class of the program's, as green data.
#[derive(Debug)]
pub struct ClassInfo {
    /// The names of an object's fields, in their order, those of the parents first.
    pub fields: Box<[Atom]>,
    /// Its members: a module that extends the one of the parent. (Members may change, a module's cells may, too.)
    pub members: &'static ModuleInfo,
    /// The value that programs see; set when the class is made.
    pub value: OnceCell<ConstValue>,
}

impl ClassInfo {
    /// The place of a field.
    pub fn field(&self, name: Atom) -> Option<usize> {
        self.fields.iter().position(|field| *field == name)
    }
}

impl fmt::Debug for InterfaceInfo {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "InterfaceInfo({})", self.name)
    }
}

impl InterfaceInfo {
    /// An interface without methods.
    pub fn new(name: &str, parent: Option<Known>) -> &'static InterfaceInfo {
        Box::leak(Box::new(InterfaceInfo {
            name: name.to_owned(),
            parent,
            instantiate: RefCell::default(),
            methods: Cell::default(),
            class: None,
        }))
    }

    /// A class of the program's.
    pub fn new_class(name: &str, parent: Known, class: ClassInfo) -> &'static InterfaceInfo {
        Box::leak(Box::new(InterfaceInfo {
            name: name.to_owned(),
            parent: Some(parent),
            instantiate: RefCell::default(),
            methods: Cell::default(),
            class: Some(class),
        }))
    }

    /// What calling an interface that is no class does, if it can be called.
    #[inline(always)]
    pub fn conversion(&self) -> Option<ConstValue> {
        if self.class.is_some() { None } else { *self.instantiate.borrow() }
    }

    /// Whether it is one of these.
    pub fn is_one_of(&self, others: &[Known]) -> bool {
        others.iter().any(|other| std::ptr::eq(other.info, self))
    }

    /// The names' numbers of its own methods.
    pub fn method_names(&self) -> Vec<Atom> {
        let named = (0..).zip(self.methods.get());
        named.filter(|(_, method)| method.get().is_some()).map(|(name, _)| Atom(name)).collect()
    }

    /// The method of a name, here or in the parents.
    pub fn method(&self, name: Atom) -> Option<Method> {
        let own = self.methods.get().get(name.0 as usize).and_then(Cell::get);
        own.or_else(|| self.parent?.info.method(name))
    }

    /// Adds a method.
    pub fn add_method(&self, name: Atom, method: Method) {
        let index = name.0 as usize;
        if self.methods.get().len() <= index {
            let mut larger = self.methods.get().to_vec();
            larger.resize((index + 1).next_power_of_two(), Cell::new(None));
            self.methods.set(larger.leak());
        }
        self.methods.get()[index].set(Some(method));
    }
}

/// The interfaces of the interpreter's own objects.
#[derive(Debug)]
pub struct Interfaces {
    pub(crate) object: Known,
    pub(crate) interface: Known,
    pub(crate) integer: Known,
    pub(crate) float: Known,
    pub(crate) boolean: Known,
    pub(crate) string: Known,
    pub(crate) list: Known,
    pub(crate) list_iterator: Known,
    pub(crate) dict: Known,
    pub(crate) key_iterator: Known,
    pub(crate) value_iterator: Known,
    pub(crate) item_iterator: Known,
    pub(crate) string_iterator: Known,
    pub(crate) range: Known,
    pub(crate) module: Known,
    pub(crate) multimethod: Known,
    pub(crate) builtin: Known,
    pub(crate) closure: Known,
    pub(crate) generator: Known,
    pub(crate) greenlet: Known,
    pub(crate) bound_method: Known,
    pub(crate) error: Known,
    pub(crate) ctype: Known,
    pub(crate) memory: Known,
    pub(crate) cfunction: Known,
    pub(crate) library: Known,
    pub(crate) wrap: Known,
    pub(crate) set: Known,
    /// `null`, which is its own interface.
    pub(crate) null: Known,
}

/// An interface of the interpreter's own, with its value.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// The interface.
    pub info: &'static InterfaceInfo,
    /// The value that programs see.
    pub value: ConstValue,
}
