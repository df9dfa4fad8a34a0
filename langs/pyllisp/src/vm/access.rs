//! Attributes, items, cells: reading and storing what is not a register.

use hotloop::prelude::*;

use super::error::trace_text;
use super::interface::{Answer, Quick};
use super::link::Atom;
use super::module::ModuleInfo;
use super::{LENGTH, Pc, Pyllisp, dispatch, greenlet, module};
use crate::code;
use crate::object::{
    BoundMethod, Cell, Dict, Error, Generator, Greenlet, Interface, List, Memory, Module, Multimethod,
    Object, Set, Str, boolean, dict, error_kind, list, null, repr, special, text, unset,
};

/// The value of an empty cell's name, which the module takes over from the one it extends.
#[residual(writes)]
pub fn lift_cell(interp: &Pyllisp, cell: Cell<Plain>) -> Result<Value<Plain>, Raise<Plain>> {
    module::lift(interp, cell).ok_or_else(|| {
        let info = cell.info();
        let module = Module::new(interp.runtime(), GreenRef::new(info.module)).to_value();
        interp.missing(&info.name, module, &repr::repr(interp, module))
    })
}

/// Stores a cell that has not been written twice yet.
#[residual(writes)]
pub fn store_cell(interp: &Pyllisp, cell: Cell<Plain>, value: Value<Plain>) -> Result<(), Raise<Plain>> {
    module::store(cell, value).map_err(|frozen| interp.error(&frozen.0))
}

/// The cell of a module's name. It is always the same one.
#[elidable(caches)]
pub(super) fn cell_of(interp: &Pyllisp, module: GreenRef<ModuleInfo>, name: Atom) -> Cell<Plain> {
    module.get().cell(interp, name)
}

/// An attribute of an object.
#[residual(writes)]
pub fn get_attribute(
    interp: &Pyllisp,
    object: Value<Plain>,
    name: Atom,
) -> Result<Value<Plain>, Raise<Plain>> {
    interp.attribute(object, name)
}

/// Stores an attribute of an object.
#[residual(writes)]
pub fn set_attribute(
    interp: &Pyllisp,
    object: Value<Plain>,
    name: Atom,
    value: Value<Plain>,
) -> Result<(), Raise<Plain>> {
    interp.store_attribute(object, name, value)
}

/// `object[item]`
#[residual(writes)]
pub fn get_item(
    interp: &Pyllisp,
    object: Value<Plain>,
    item: Value<Plain>,
) -> Result<Value<Plain>, Raise<Plain>> {
    interp.item(object, item)
}

/// `object[item] = value`
#[residual(writes)]
pub fn set_item(
    interp: &Pyllisp,
    object: Value<Plain>,
    item: Value<Plain>,
    value: Value<Plain>,
) -> Result<(), Raise<Plain>> {
    interp.store_item(object, item, value)
}

impl Pyllisp {
    /// A module's cell that an instruction names.
    #[inline(always)]
    pub(super) fn cell<M: Mode>(&self, pc: Pc, cell: code::Cell) -> Cell<M> {
        pc.code().cells[cell.index()].get::<M, Cell<M>>()
    }

    /// The value of a module's name, if it has one or is known to be another module's.
    #[inline(never)]
    pub(super) fn name_in_module<M: Mode>(&self, object: Value<M>, name: Atom) -> Option<Value<M>> {
        module::value(cell_of::<M>(self, object.cast::<Module<M>>()?.info(), name))
    }

    /// Stores a module's name that has been stored before; whether it has.
    #[inline(never)]
    pub(super) fn store_in_module<M: Mode>(&self, object: Value<M>, name: Atom, value: Value<M>) -> bool {
        let Some(module) = object.cast::<Module<M>>() else { return false };
        let cell = cell_of::<M>(self, module.info(), name);
        let varies = cell.constant().is_special(special::VARIES);
        if varies {
            cell.set_value(value);
        }
        varies
    }

    /// The method of an object whose type is quickly known, and what it does if that is known; unset if there is none.
    #[inline(always)]
    pub(super) fn method<M: Mode>(&self, object: Value<M>, name: Atom) -> (Value<M>, Option<Quick>) {
        let known = if object.is::<List<M>>() {
            self.interfaces.list
        } else if object.is::<Str<M>>() {
            self.interfaces.string
        } else if object.is::<Dict<M>>() {
            self.interfaces.dict
        } else if object.is::<Generator<M>>() {
            self.interfaces.generator
        } else if object.is::<Module<M>>() {
            return (unset(), None);
        } else if let Some(object) = object.cast::<Object<M>>() {
            return (self.member_to_call(object, name), None);
        } else {
            self.interface(object)
        };
        match known.info.method(name) {
            Some(method) => (method.value.value(), method.quick),
            None => (unset(), None),
        }
    }

    pub(crate) fn attribute(&self, object: Value<Plain>, name: Atom) -> Answer {
        let runtime = self.runtime();
        if let Some(module) = object.cast::<Module<Plain>>() {
            // A read through the module object lifts as a read of the name does.
            let cell = module.info().get().cell(self, name);
            let found = module::value(cell).or_else(|| module::lift(self, cell));
            return found.ok_or_else(|| self.missing_attribute(object, name));
        }
        if name == LENGTH {
            let length = if let Some(list) = object.cast::<List<Plain>>() {
                Some(list::count(list))
            } else if let Some(string) = object.cast::<Str<Plain>>() {
                Some(string.length())
            } else if let Some(set) = object.cast::<Set<Plain>>() {
                Some(set.dict().length())
            } else {
                object.cast::<Dict<Plain>>().map(|dict| dict.length())
            };
            if let Some(value) = length.and_then(Value::from_int) {
                return Ok(value);
            }
        }
        if let Some(multimethod) = object.cast::<Multimethod<Plain>>() {
            match self.atom_name(name).as_str() {
                "default" => return Ok(dispatch::default_of(multimethod)),
                "arity" => {
                    return Value::from_int(multimethod.arity())
                        .ok_or_else(|| self.missing_attribute(object, name));
                }
                _ => {}
            }
        }
        if let Some(object) = object.cast::<Object<Plain>>() {
            return self.attribute_of(object, name);
        }
        if let Some(error) = object.cast::<Error<Plain>>() {
            match self.atom_name(name).as_str() {
                "message" => return Ok(error.message()),
                "stop" => return Ok(boolean(error.kind().get() == error_kind::STOP)),
                "trace" => return Ok(self.text(&trace_text(error))),
                _ => {}
            }
        }
        if let Some(greenlet) = object.cast::<Greenlet<Plain>>()
            && self.atom_name(name) == "parent"
        {
            return Ok(greenlet::parent_of(greenlet));
        }
        if let Some(interface) = object.cast::<Interface<Plain>>() {
            match self.atom_name(name).as_str() {
                "name" => return Ok(self.text(&interface.info().name)),
                "parent" => {
                    let parent = interface.info().parent;
                    return Ok(parent.map_or(null(), |parent| parent.value.value()));
                }
                "methods" => return Ok(self.method_names(interface)),
                "fields" => return Ok(self.field_names(interface)),
                _ => {}
            }
            if let Some(member) = self.member(interface.info(), name) {
                return Ok(member);
            }
        }
        if let Some(answer) = self.attribute_in_c(object, name) {
            return answer;
        }
        match self.interface_of(object).method(name) {
            Some(method) => {
                let name = Str::from_text(runtime, &self.atom_name(name));
                Ok(BoundMethod::new(runtime, object, name, method.value.value()).to_value())
            }
            None => Err(self.missing_attribute(object, name)),
        }
    }

    fn method_names(&self, interface: Interface<Plain>) -> Value<Plain> {
        let names = list::with_room(self.runtime(), 0);
        for name in interface.info().method_names() {
            list::push(self.runtime(), names, self.text(&self.atom_name(name)));
        }
        for name in self.member_names(interface.info().get()) {
            list::push(self.runtime(), names, self.text(&name));
        }
        names.to_value()
    }

    fn field_names(&self, interface: Interface<Plain>) -> Value<Plain> {
        let names = list::with_room(self.runtime(), 0);
        for name in interface.info().get().class.iter().flat_map(|class| &class.fields) {
            list::push(self.runtime(), names, self.text(&self.atom_name(*name)));
        }
        names.to_value()
    }

    pub(super) fn missing_attribute(&self, object: Value<Plain>, name: Atom) -> Raise<Plain> {
        self.missing(&self.atom_name(name), object, &repr::repr(self, object))
    }

    pub(crate) fn store_attribute(
        &self,
        object: Value<Plain>,
        name: Atom,
        value: Value<Plain>,
    ) -> Result<(), Raise<Plain>> {
        if let Some(module) = object.cast::<Module<Plain>>() {
            let cell = module.info().get().cell(self, name);
            if cell.constant().is_special(special::VARIES) {
                cell.set_value(value);
                return Ok(());
            }
            return module::store(cell, value).map_err(|frozen| self.error(&frozen.0));
        }
        if let Some(object) = object.cast::<Object<Plain>>()
            && self.set_field(object.to_value(), name, value)
        {
            return Ok(());
        }
        if let Some(interface) = object.cast::<Interface<Plain>>()
            && let Some(class) = &interface.info().get().class
        {
            let cell = self.member_cell(class, name);
            return module::store(cell, value).map_err(|frozen| self.error(&frozen.0));
        }
        if let Some(multimethod) = object.cast::<Multimethod<Plain>>()
            && self.atom_name(name) == "default"
        {
            multimethod.set_default(if value.is_special(special::NULL) { unset() } else { value });
            return Ok(());
        }
        if let Some(answer) = self.store_attribute_in_c(object, name, value) {
            return answer;
        }
        Err(self.error(&format!("cannot set {} in {}", self.atom_name(name), repr::repr(self, object))))
    }

    pub(crate) fn item(&self, object: Value<Plain>, item: Value<Plain>) -> Answer {
        if let Some(list) = object.cast::<List<Plain>>() {
            return Ok(list::get(list, self.index(item, list::length(list))?));
        }
        if let Some(dict) = object.cast::<Dict<Plain>>() {
            let found = dict::get(dict, item).map_err(|error| self.too_deep(error))?;
            return found.ok_or_else(|| {
                self.error(&format!("key {} not in {}", repr::repr(self, item), repr::repr(self, object)))
            });
        }
        if let Some(string) = object.cast::<Str<Plain>>() {
            let index = self.index(item, string.length().get() as usize)?;
            let at = text::offset(string, index as i64);
            let character = text::character_at(string, at).map_or('\0', |(character, _)| character);
            return Ok(self.text(character.encode_utf8(&mut [0; 4])));
        }
        if let Some(multimethod) = object.cast::<Multimethod<Plain>>() {
            return self.method_at(multimethod, item);
        }
        if let Some(memory) = object.cast::<Memory<Plain>>() {
            return self.item_in_c(memory, item);
        }
        Err(self.error(&format!("cannot getitem {}", repr::repr(self, object))))
    }

    pub(crate) fn store_item(
        &self,
        object: Value<Plain>,
        item: Value<Plain>,
        value: Value<Plain>,
    ) -> Result<(), Raise<Plain>> {
        if let Some(list) = object.cast::<List<Plain>>() {
            let index = self.index(item, list::length(list))?;
            list::set(list, index, value);
            return Ok(());
        }
        if let Some(dict) = object.cast::<Dict<Plain>>() {
            return self.put(dict, item, value);
        }
        if let Some(multimethod) = object.cast::<Multimethod<Plain>>() {
            return self.add_method(multimethod, item, value);
        }
        if let Some(memory) = object.cast::<Memory<Plain>>() {
            return self.store_item_in_c(memory, item, value);
        }
        Err(self.error(&format!("cannot setitem {}", repr::repr(self, object))))
    }

    /// A list's index as a number in range.
    pub(crate) fn index(&self, item: Value<Plain>, length: usize) -> Result<usize, Raise<Plain>> {
        if crate::object::number::as_integer(item).is_none() {
            return Err(self.error("index not an integer"));
        }
        let index = item.as_small().and_then(|small| usize::try_from(small.to_int().get()).ok());
        index.filter(|index| *index < length).ok_or_else(|| self.error("index out of range"))
    }
}
