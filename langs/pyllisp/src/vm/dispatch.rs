//! Interfaces of values, and the methods that multimethods choose by them.
//!
//! In a trace a value's type is a guard at most, so its interface is green. The table of a multimethod is a
//! stable field that refers to an object which never changes; so what a constant multimethod chooses for
//! arguments of known interfaces is a constant, and its call costs what a call of the method costs. Another
//! method or default invalidates the traces that relied on the old ones.

use hotloop::prelude::*;

use super::call::{Args, Outcome};
use super::error::Complaint;
use super::interface::{Answer, InterfaceInfo, Known};
use super::operator::{self, EQ, NE};
use super::{Pc, Pyllisp, State};
use crate::object::{
    BigInt, BoundMethod, Builtin, CFunction, CType, Closure, Dict, DictIterator, DictPart, Error, Generator,
    Greenlet, Interface, Library, List, ListIterator, Memory, Methods, Module, Multimethod, Object, Range,
    Set, Str, StrIterator, Wrap, boolean, is_set, list, null, repr, special, unset,
};

/// The most arguments by which a multimethod may choose.
pub const MAX_ARITY: i64 = 4;

/// The method for arguments of these interfaces, as many as decide; unset if there is none.
#[elidable]
fn method_for(
    methods: Methods<Plain>,
    arity: u32,
    a: Value<Plain>,
    b: Value<Plain>,
    c: Value<Plain>,
    d: Value<Plain>,
) -> Value<Plain> {
    find(methods, &[a, b, c, d][..arity as usize]).map_or(unset(), |row| method_of_row(methods, arity, row))
}

/// The row of a method, counted from 0.
fn find(methods: Methods<Plain>, interfaces: &[Value<Plain>]) -> Option<usize> {
    let width = interfaces.len() + 1;
    let rows = methods.rows_len().get() as usize / width;
    (0..rows).find(|row| {
        let mut pairs = (row * width..).zip(interfaces);
        pairs.all(|(place, interface)| methods.rows(place).is_same(*interface))
    })
}

fn method_of_row(methods: Methods<Plain>, arity: u32, row: usize) -> Value<Plain> {
    let arity = arity as usize;
    methods.rows(row * (arity + 1) + arity)
}

/// The error of a multimethod that has no method for these arguments.
#[residual(writes)]
fn no_method(
    interp: &Pyllisp,
    arity: u32,
    a: Value<Plain>,
    b: Value<Plain>,
    c: Value<Plain>,
    d: Value<Plain>,
) -> Value<Plain> {
    let decide = &[a, b, c, d][..arity as usize];
    let names: Vec<&str> = decide.iter().map(|value| interp.interface_of(*value).name.as_str()).collect();
    let Raise(error) = interp.error(&format!("no method for [{}]", names.join(" ")));
    error
}

/// A multimethod without methods.
pub fn new_multimethod(runtime: &Runtime, arity: i64, operator: u32) -> Multimethod<Plain> {
    let methods = Methods::new(runtime, 0);
    Multimethod::new(runtime, arity.into(), operator, methods, unset())
}

/// Gives a multimethod a method for a list of so many interfaces, instead of the one that it may have.
pub fn set_method(
    runtime: &Runtime,
    multimethod: Multimethod<Plain>,
    interfaces: List<Plain>,
    method: Value<Plain>,
) {
    let width = list::length(interfaces) + 1;
    let old = multimethod.methods();
    let length = old.rows_len().get() as usize;
    let found = find_list(multimethod, interfaces);
    let place = found.map_or(length, |row| row * width);
    let new = Methods::new(runtime, length.max(place + width));
    old.copy_to(0, new, 0, length);
    for index in 0..width - 1 {
        new.set_rows(place + index, list::get(interfaces, index));
    }
    new.set_rows(place + width - 1, method);
    multimethod.set_methods(new);
}

fn find_list(multimethod: Multimethod<Plain>, interfaces: List<Plain>) -> Option<usize> {
    // At most `MAX_ARITY`, which stay alive in the list.
    let values: Vec<Value<Plain>> =
        (0..list::length(interfaces)).map(|index| list::get(interfaces, index)).collect();
    find(multimethod.methods(), &values)
}

impl Pyllisp {
    /// The interface of a value (guards).
    #[inline(never)]
    pub(crate) fn interface<M: Mode>(&self, value: Value<M>) -> Known {
        let known = &self.interfaces;
        macro_rules! first_of {
            ($($ty:ident $name:ident;)*) => {
                $(if value.is::<$ty<M>>() { return known.$name; })*
            };
        }
        if value.is_small() {
            return known.integer;
        }
        if value.is_any_special() {
            return if value.is_special(special::NULL) { known.null } else { known.boolean };
        }
        if !value.is_reference() {
            return known.float;
        }
        first_of! {
            Str string; List list; Dict dict; Closure closure; Builtin builtin; Interface interface; BigInt integer;
            ListIterator list_iterator; StrIterator string_iterator; Range range; Module module;
            Multimethod multimethod; Generator generator; Greenlet greenlet; BoundMethod bound_method; Error error;
            Memory memory; CFunction cfunction; Library library; CType ctype; Wrap wrap;
            Set set;
        }
        if let Some(object) = value.cast::<Object<M>>() {
            let info = object.interface().get();
            if let Some(value) = info.class.as_ref().and_then(|class| class.value.get()) {
                return Known { info, value: *value };
            }
        }
        if let Some(iterator) = value.cast::<DictIterator<M>>() {
            let part = iterator.part();
            return if part == DictPart::Keys as i64 {
                known.key_iterator
            } else if part == DictPart::Values as i64 {
                known.value_iterator
            } else {
                known.item_iterator
            };
        }
        if value.as_float().is_some() { known.float } else { known.object }
    }

    /// The interface of a value as green data.
    pub(crate) fn interface_of(&self, value: Value<Plain>) -> &'static InterfaceInfo {
        self.interface(value).info
    }

    /// The interface that programs see of a value: null is an interface like any other, to them.
    pub(crate) fn interface_value(&self, value: Value<Plain>) -> Value<Plain> {
        match value.is_special(special::NULL) {
            true => self.interfaces.interface.value.value(),
            false => self.interface(value).value.value(),
        }
    }

    /// What a call of a multimethod comes down to: another callee with its arguments, or an end. The
    /// multimethod is a constant of the trace.
    pub(super) fn dispatch<M: Mode>(
        &self,
        pc: Pc,
        state: &mut State<M>,
        method: Multimethod<M>,
        args: Args<M>,
        suppressed: bool,
    ) -> Result<(Value<M>, Args<M>), Outcome> {
        let frame = state.frame;
        let arity = method.arity().promote() as u32;
        if u32::from(args.count()) < arity {
            let got = Value::small(args.count().into());
            return Err(self.complain(state, Complaint::ExpectedAtLeast, got, arity));
        }
        let mut values = [unset(); MAX_ARITY as usize];
        let mut interfaces = [unset(); MAX_ARITY as usize];
        let mut infos = [self.interfaces.null.info; MAX_ARITY as usize];
        for index in 0..arity as usize {
            values[index] = args.get(frame, index as u16);
            let known = self.interface(values[index]);
            infos[index] = known.info;
            interfaces[index] = known.value.value();
        }
        let [a, b, c, d] = values;
        let operator = method.operator();
        if let Some(answer) = self.own(operator, a, b, infos[0], infos[1]) {
            return Err(self.answer(pc, state, answer));
        }
        let [one, two, three, four] = interfaces;
        let found = method_for::<M>(method.methods(), arity, one, two, three, four);
        if is_set(found) {
            return Ok((found, args));
        }
        let default = method.default();
        if !suppressed && is_set(default) {
            return Ok((default, args));
        }
        if matches!(operator, EQ | NE) {
            return Err(self.answer(pc, state, Ok(boolean(a.is_same(b) == (operator == EQ)))));
        }
        if !suppressed && operator::coerces(operator) {
            let helper = self.helper("coerced");
            return Ok((helper.value(), Args::three(method.to_value(), a, b)));
        }
        state.exception = no_method::<M>(self, arity, a, b, c, d);
        Err(Outcome::Raise)
    }

    /// `multimethod[interfaces]`
    pub(super) fn method_at(&self, multimethod: Multimethod<Plain>, interfaces: Value<Plain>) -> Answer {
        let key = self.interfaces_for(multimethod, interfaces)?;
        let arity = multimethod.arity().get() as u32;
        match find_list(multimethod, key) {
            Some(row) => Ok(method_of_row(multimethod.methods(), arity, row)),
            None => Err(self.error(&format!("no method for {}", repr::repr(self, interfaces)))),
        }
    }

    /// `multimethod[interfaces] = method`. What the interpreter itself does with its own types stays.
    pub(super) fn add_method(
        &self,
        multimethod: Multimethod<Plain>,
        interfaces: Value<Plain>,
        method: Value<Plain>,
    ) -> Result<(), Raise<Plain>> {
        let key = self.interfaces_for(multimethod, interfaces)?;
        let arity = multimethod.arity().get() as u32;
        let info = |index| match list::get(key, index).cast::<Interface<Plain>>() {
            Some(interface) => interface.info().get(),
            None => self.interfaces.null.info,
        };
        let own = self.is_own(multimethod.operator(), info(0), info(arity as usize - 1));
        let frozen = find_list(multimethod, key).is_some_and(|row| {
            let method = method_of_row(multimethod.methods(), arity, row);
            method.is::<Builtin<Plain>>()
        });
        if own || frozen {
            return Err(self.error(&format!("method for {} is frozen", repr::repr(self, interfaces))));
        }
        set_method(self.runtime(), multimethod, key, method);
        Ok(())
    }

    /// The list of interfaces by which a method is chosen.
    fn interfaces_for(
        &self,
        multimethod: Multimethod<Plain>,
        interfaces: Value<Plain>,
    ) -> Result<List<Plain>, Raise<Plain>> {
        let arity = multimethod.arity().get() as usize;
        let Some(key) = interfaces.cast::<List<Plain>>().filter(|key| list::length(*key) == arity) else {
            return Err(self.error(&format!("expected a list of {arity} interfaces")));
        };
        for index in 0..arity {
            let interface = list::get(key, index);
            if !interface.is_special(special::NULL) && !interface.is::<Interface<Plain>>() {
                return Err(self.error(&format!("expected interface, got {}", repr::repr(self, interface))));
            }
        }
        Ok(key)
    }
}

/// The default of a multimethod as programs see it.
pub(super) fn default_of(multimethod: Multimethod<Plain>) -> Value<Plain> {
    let default = multimethod.default();
    if is_set(default) { default } else { null() }
}
