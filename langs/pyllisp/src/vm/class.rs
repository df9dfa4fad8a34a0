//! Classes of programs: an interface with fields, and members that are the cells of a module.
//!
//! An object is its class and its fields. The class is green, so a field's place is known while compiling; a
//! member is what its cell holds, which is a constant of the trace until somebody writes it a second time. A
//! class finds its parent's members through the cells: each refers to the one of the parent from its beginning.

use std::cell::OnceCell;

use hotloop::prelude::*;

use super::call::Args;
use super::error::Complaint;
use super::interface::{ClassInfo, InterfaceInfo, Known};
use super::link::Atom;
use super::module::{self, ModuleInfo};
use super::{INIT, Pyllisp, State};
use crate::object::{BoundMethod, Cell, Interface, Object, Str, null, repr, text, unset};
use crate::vm::interface::Answer;

/// What a call of a class comes down to.
pub(super) enum Construct<M: Mode> {
    /// The object is made.
    Object(Object<M>),
    /// A function is to be called.
    Call(Value<M>, Args<M>),
    /// An error is pending.
    Raise,
}

/// A new class over a parent. Its shape is its name and its fields in one text, separated by spaces.
#[residual(writes)]
pub(super) fn make_class(
    interp: &Pyllisp,
    parent: Value<Plain>,
    shape: Value<Plain>,
) -> Result<Value<Plain>, Raise<Plain>> {
    let refused = || interp.error(&format!("cannot refine {}", repr::repr(interp, parent)));
    let Some(interface) = parent.cast::<Interface<Plain>>() else { return Err(refused()) };
    let info: &'static InterfaceInfo = interface.info().get();
    if info.class.is_none() && !info.is_one_of(&[interp.interfaces.object]) {
        return Err(refused());
    }
    let runtime = interp.runtime();
    let shape = text::as_text(shape).map(|shape| shape.to_string()).unwrap_or_default();
    let mut names = shape.split(' ');
    let name = names.next().unwrap_or_default();
    let mut fields = info.class.as_ref().map_or_else(Vec::new, |class| class.fields.to_vec());
    for field in names {
        let atom = interp.atom(field);
        if fields.contains(&atom) {
            return Err(interp.error(&format!("field {field} is one of {}", info.name)));
        }
        fields.push(atom);
    }
    let extends = info.class.as_ref().map(|class| class.members);
    let members = ModuleInfo::new(name, extends, false);
    let class = ClassInfo { fields: fields.into(), members, value: OnceCell::new() };
    let known = Known { info, value: runtime.constant(parent) };
    let info = InterfaceInfo::new_class(name, known, class);
    let value = runtime.constant(Interface::new(runtime, GreenRef::new(info)).to_value());
    if let Some(class) = &info.class {
        // Nobody else knows the class yet.
        let _ = class.value.set(value);
    }
    Ok(value.value())
}

/// The cell of a member, which knows the parent's. It is always the same one.
#[elidable(caches)]
fn linked_cell(interp: &Pyllisp, members: GreenRef<ModuleInfo>, name: Atom) -> Cell<Plain> {
    linked(interp, members.get(), name)
}

fn linked(interp: &Pyllisp, members: &'static ModuleInfo, name: Atom) -> Cell<Plain> {
    let cell = members.cell(interp, name);
    if let Some(parent) = members.extends
        && cell.outer().is_none()
    {
        cell.set_outer(Some(linked(interp, parent, name)));
    }
    cell
}

impl Pyllisp {
    /// A field of an object, if it is one.
    #[inline(always)]
    pub(super) fn field<M: Mode>(&self, object: Value<M>, name: Atom) -> Option<Value<M>> {
        let object = object.cast::<Object<M>>()?;
        let place = object.interface().get().class.as_ref()?.field(name)?;
        Some(object.fields(place as u32))
    }

    /// Stores a field of an object; whether it is one.
    #[inline(always)]
    pub(super) fn set_field<M: Mode>(&self, object: Value<M>, name: Atom, value: Value<M>) -> bool {
        let Some(object) = object.cast::<Object<M>>() else { return false };
        let Some(class) = &object.interface().get().class else { return false };
        match class.field(name) {
            Some(place) => {
                object.set_fields(place as u32, value);
                true
            }
            None => false,
        }
    }

    /// A member of a class or its parents.
    pub(super) fn member<M: Mode>(&self, info: GreenRef<InterfaceInfo>, name: Atom) -> Option<Value<M>> {
        let class = info.get().class.as_ref()?;
        module::value(linked_cell::<M>(self, GreenRef::new(class.members), name))
    }

    /// The member that a call of an object's attribute means; unset if that is a field, or nothing.
    #[inline(never)]
    pub(super) fn member_to_call<M: Mode>(&self, object: Object<M>, name: Atom) -> Value<M> {
        let info = object.interface();
        match &info.get().class {
            Some(class) if class.field(name).is_none() => self.member(info, name).unwrap_or(unset()),
            _ => unset(),
        }
    }

    /// The cell of a member, to be written.
    pub(super) fn member_cell(&self, class: &ClassInfo, name: Atom) -> Cell<Plain> {
        linked(self, class.members, name)
    }

    /// An attribute of an object: a field, or a member as a bound method.
    pub(super) fn attribute_of(&self, object: Object<Plain>, name: Atom) -> Answer {
        let value = object.to_value();
        if let Some(field) = self.field(value, name) {
            return Ok(field);
        }
        match self.member::<Plain>(object.interface(), name) {
            Some(member) => {
                let name = Str::from_text(self.runtime(), &self.atom_name(name));
                Ok(BoundMethod::new(self.runtime(), value, name, member).to_value())
            }
            None => Err(self.missing_attribute(value, name)),
        }
    }

    /// The names of a class's own members, in the order of the alphabet.
    pub(crate) fn member_names(&self, info: &InterfaceInfo) -> Vec<String> {
        let members = info.class.iter().flat_map(|class| class.members.defined(self));
        let mut names: Vec<String> = members.collect();
        names.sort();
        names
    }

    /// Makes an object: by `init`, if the class has it, else from the values of its fields.
    pub(super) fn construct<M: Mode>(
        &self,
        state: &mut State<M>,
        interface: Interface<M>,
        class: &'static ClassInfo,
        args: Args<M>,
    ) -> Construct<M> {
        let (runtime, info) = (self.runtime(), interface.info());
        let count = class.fields.len() as u32;
        match self.member::<M>(info, INIT) {
            Some(init) => {
                let object = Object::new(runtime, info, count);
                for place in 0..count {
                    object.set_fields(place, null());
                }
                let helper = match args.count() {
                    0 => "construct0",
                    1 => "construct1",
                    2 => "construct2",
                    3 => "construct3",
                    _ => "construct",
                };
                let args = if args.count() > 3 { args.as_list(runtime, state.frame) } else { args };
                let args = args.after(runtime, state.frame, object.to_value());
                Construct::Call(self.helper(helper).value(), args.after(runtime, state.frame, init))
            }
            None if u32::from(args.count()) < count => {
                self.complain(state, Complaint::ClassRequires, interface.to_value(), count);
                Construct::Raise
            }
            None => {
                let object = Object::new(runtime, info, count);
                for place in 0..count {
                    object.set_fields(place, args.get(state.frame, place as u16));
                }
                Construct::Object(object)
            }
        }
    }

    /// Whether an object is one of an interface or of one that refines it.
    pub(crate) fn is_instance(&self, value: Value<Plain>, interface: &InterfaceInfo) -> bool {
        let mut next = Some(self.interface_of(value));
        while let Some(info) = next {
            if std::ptr::eq(info, interface) {
                return true;
            }
            next = info.parent.map(|parent| parent.info);
        }
        false
    }
}
