//! Attributes, items, cells: reading and storing what is not a register.

use hotloop::prelude::*;

use super::interface::Answer;
use super::interface::Known;
use super::link::Atom;
use super::{LENGTH, Pyllisp, module, operator};
use crate::code;
use crate::object::equality::TooDeep;
use crate::object::{
    BoundMethod, Cell, Dict, Generator, Interface, List, Module, Multimethod, Str, dict, is_set, list, null,
    repr, special, text, unset,
};

/// The value of an empty cell's name, which the module takes over from the one it extends.
#[residual(writes)]
pub fn lift_cell(interp: &Pyllisp, cell: Cell<Plain>) -> Result<Value<Plain>, Raise<Plain>> {
    let info = cell.info();
    module::lift(cell)
        .ok_or_else(|| interp.error(&format!("{} not in <module {}>", info.name, info.module.name)))
}

/// Stores a cell that has not been written twice yet.
#[residual(writes)]
pub fn store_cell(interp: &Pyllisp, cell: Cell<Plain>, value: Value<Plain>) -> Result<(), Raise<Plain>> {
    module::store(cell, value).map_err(|frozen| interp.error(&frozen.0))
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

/// The method that an object's interface has for a name; unset if it has none.
#[residual(reads)]
pub fn method_of(interp: &Pyllisp, object: Value<Plain>, name: Atom) -> Value<Plain> {
    if object.is::<Module<Plain>>() {
        return unset();
    }
    interp.interface_of(object).method(name).map_or(unset(), ConstValue::value)
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
    pub(super) fn cell<M: Mode>(&self, cells: &'static [ConstValue], cell: code::Cell) -> Cell<M> {
        match cells[cell.index()].value::<M>().cast::<Cell<M>>() {
            Some(cell) => cell,
            None => unreachable!("a module's table holds cells only"),
        }
    }

    /// The method of an object whose type is quickly known; unset if there is none.
    #[inline(always)]
    pub(super) fn method<M: Mode>(&self, object: Value<M>, name: Atom) -> Value<M> {
        let known = if object.is::<List<M>>() {
            self.interfaces.list
        } else if object.is::<Generator<M>>() {
            self.interfaces.generator
        } else if object.is::<Str<M>>() {
            self.interfaces.string
        } else if object.is::<Dict<M>>() {
            self.interfaces.dict
        } else {
            return method_of::<M>(self, object, name);
        };
        known.info.method(name).map_or(unset(), ConstValue::value)
    }

    /// The interface of a value, as a value.
    pub(crate) fn interface_value(&self, value: Value<Plain>) -> Value<Plain> {
        self.known_interface_of(value).map_or(null(), |known| known.value.value())
    }

    pub(crate) fn attribute(&self, object: Value<Plain>, name: Atom) -> Answer {
        let runtime = self.runtime();
        if let Some(module) = object.cast::<Module<Plain>>() {
            let name_text = self.atom_name(name);
            // A read through the module object lifts as a read of the name does.
            let cell = module.info().get().cell(runtime, &name_text).value::<Plain>().cast::<Cell<Plain>>();
            let found = cell.and_then(|cell| module::value(cell).or_else(|| module::lift(cell)));
            return found.ok_or_else(|| self.missing(object, name));
        }
        if name == LENGTH {
            let length = if let Some(list) = object.cast::<List<Plain>>() {
                Some(list.length())
            } else if let Some(string) = object.cast::<Str<Plain>>() {
                Some(string.length())
            } else {
                object.cast::<Dict<Plain>>().map(|dict| dict.length())
            };
            if let Some(value) = length.and_then(Value::from_int) {
                return Ok(value);
            }
        }
        if let Some(multimethod) = object.cast::<Multimethod<Plain>>() {
            match self.atom_name(name).as_str() {
                "default" if is_set(multimethod.default()) => return Ok(multimethod.default()),
                "default" => return Ok(null()),
                "arity" => {
                    return Value::from_int(multimethod.arity()).ok_or_else(|| self.missing(object, name));
                }
                _ => {}
            }
        }
        if let Some(interface) = object.cast::<Interface<Plain>>() {
            match self.atom_name(name).as_str() {
                "name" => return Ok(self.text(&interface.info().name)),
                "parent" => {
                    let parent = interface.info().parent;
                    return Ok(parent.map_or(null(), |parent| self.value_of_interface(parent)));
                }
                _ => {}
            }
        }
        match self.interface_of(object).method(name) {
            Some(method) => {
                let name = Str::from_text(runtime, &self.atom_name(name));
                Ok(BoundMethod::new(runtime, object, name, method.value()).to_value())
            }
            None => Err(self.missing(object, name)),
        }
    }

    fn value_of_interface(&self, info: &'static super::interface::InterfaceInfo) -> Value<Plain> {
        if std::ptr::eq(info, self.interfaces.null) {
            return null();
        }
        Interface::new(self.runtime(), GreenRef::new(info)).to_value()
    }

    fn missing(&self, object: Value<Plain>, name: Atom) -> Raise<Plain> {
        self.error(&format!("{} not in {}", self.atom_name(name), repr::repr(self, object)))
    }

    pub(crate) fn store_attribute(
        &self,
        object: Value<Plain>,
        name: Atom,
        value: Value<Plain>,
    ) -> Result<(), Raise<Plain>> {
        if let Some(module) = object.cast::<Module<Plain>>() {
            let cell = module.info().get().cell(self.runtime(), &self.atom_name(name));
            let Some(cell) = cell.value::<Plain>().cast::<Cell<Plain>>() else { return Ok(()) };
            if cell.constant().is_special(special::VARIES) {
                cell.set_value(value);
                return Ok(());
            }
            return module::store(cell, value).map_err(|frozen| self.error(&frozen.0));
        }
        if let Some(multimethod) = object.cast::<Multimethod<Plain>>()
            && self.atom_name(name) == "default"
            && multimethod.operator() == operator::NONE
        {
            multimethod.set_default(value);
            return Ok(());
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
            let character = text::character_at(string, at).map(|(character, _)| character);
            return Ok(self.text(&character.unwrap_or_default()));
        }
        if let Some(multimethod) = object.cast::<Multimethod<Plain>>() {
            let found =
                dict::get(multimethod.methods(), item).map_err(|error: TooDeep| self.too_deep(error))?;
            return found.ok_or_else(|| self.error(&format!("no method for {}", repr::repr(self, item))));
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
            list.items().set_items(index, value);
            return Ok(());
        }
        if let Some(dict) = object.cast::<Dict<Plain>>() {
            return dict::set(self.runtime(), dict, item, value).map_err(|error| self.too_deep(error));
        }
        if let Some(multimethod) = object.cast::<Multimethod<Plain>>() {
            return self.add_method(multimethod, item, value);
        }
        Err(self.error(&format!("cannot setitem {}", repr::repr(self, object))))
    }

    /// A multimethod's method for a list of interfaces. Those of the interpreter's own types stay.
    fn add_method(
        &self,
        multimethod: Multimethod<Plain>,
        interfaces: Value<Plain>,
        method: Value<Plain>,
    ) -> Result<(), Raise<Plain>> {
        let arity = multimethod.arity().get() as usize;
        let Some(key) = interfaces.cast::<List<Plain>>().filter(|key| list::length(*key) == arity) else {
            return Err(self.error(&format!("expected a list of {arity} interfaces")));
        };
        let copy = list::with_room(self.runtime(), arity);
        let known = &self.interfaces;
        let is = |interface: Value<Plain>, own: Known| own.value.value::<Plain>().is_same(interface);
        let (mut numbers, mut strings) = (true, true);
        for index in 0..arity {
            let interface = list::get(key, index);
            if !interface.is_special(special::NULL) && !interface.is::<Interface<Plain>>() {
                return Err(self.error(&format!("expected interface, got {}", repr::repr(self, interface))));
            }
            numbers &= [known.integer, known.float, known.boolean].iter().any(|own| is(interface, *own));
            strings &= is(interface, known.string);
            list::push(self.runtime(), copy, interface);
        }
        let frozen =
            dict::get(multimethod.methods(), copy.to_value()).map_err(|error| self.too_deep(error))?;
        let own = numbers || (strings && operator::knows_strings(multimethod.operator()));
        if own && multimethod.operator() != operator::NONE
            || frozen.is_some_and(|method| method.is::<crate::object::Builtin<Plain>>())
        {
            return Err(self.error(&format!("method for {} is frozen", repr::repr(self, copy.to_value()))));
        }
        dict::set(self.runtime(), multimethod.methods(), copy.to_value(), method)
            .map_err(|error| self.too_deep(error))
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
