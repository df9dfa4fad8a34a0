//! The module `base` and the other modules that every program finds, and the methods of the
//! interpreter's own types.

mod conversions;
mod dicts;
mod files;
mod format;
mod functions;
mod iterables;
mod lists;
mod numbers;
mod process;
pub(crate) mod random;
pub(crate) mod sets;
mod texts;
mod time;

pub(crate) use files::reason;

use hotloop::prelude::*;

use crate::compile;
use crate::object::text::Text;
use crate::object::{Builtin, Closure, Module, boolean, list, null, number, text};
use crate::vm::Pyllisp;
use crate::vm::dispatch::{self, new_multimethod};
use crate::vm::import::finish_import;
use crate::vm::interface::{Answer, BuiltinInfo, Control, Helpers, Known, Method, Native, Quick, Work};
use crate::vm::link::link;
use crate::vm::module::ModuleInfo;
use crate::vm::operator;

/// What the interpreter does in its own language.
const PRELUDE: &str = include_str!("prelude.pyl");
/// What the library does in its own language, for which a program that doesn't use it need not wait.
const LIBRARY: &str = include_str!("library.pyl");

/// Fills the modules of a new interpreter.
pub fn define(interp: &Pyllisp) {
    let runtime = interp.runtime();
    let base = interp.base;
    let known = &interp.interfaces;
    let types: [(&str, Known); 15] = [
        ("dict", known.dict),
        ("module", known.module),
        ("object", known.object),
        ("list", known.list),
        ("multimethod", known.multimethod),
        ("int", known.integer),
        ("float", known.float),
        ("bool", known.boolean),
        ("str", known.string),
        ("closure", known.closure),
        ("generator", known.generator),
        ("greenlet", known.greenlet),
        ("range", known.range),
        ("error", known.error),
        ("set", known.set),
    ];
    for (name, interface) in types {
        base.define(interp, name, interface.value.value());
    }
    base.define(interp, "null", null());
    base.define(interp, "true", boolean(true));
    base.define(interp, "false", boolean(false));
    operators(interp);
    functions::define(interp);
    conversions::define(interp);
    lists::define(interp);
    dicts::define(interp);
    sets::define(interp);
    texts::define(interp);
    iterables::define(interp);
    process::define(interp);
    time::define(interp);
    random::define(interp);
    files::define(interp);
    crate::ffi::define(interp);
    numbers::define(interp);
    method(interp, known.generator, "next", Work::Control(Control::NextOfGenerator));
    method(interp, known.greenlet, "switch", Work::Control(Control::Switch));
    let base = Module::new(runtime, GreenRef::new(base)).to_value();
    interp.modules.borrow_mut().insert("base".to_owned(), runtime.constant(base));
    let prelude = ModuleInfo::new("base", Some(interp.base), true);
    for (name, work) in [
        ("call_suppressed", Work::Control(Control::CallSuppressed)),
        ("finish_import", Work::Native(finish_import)),
        ("apply", Work::Control(Control::Apply)),
        ("end_greenlet", Work::Control(Control::EndGreenlet)),
    ] {
        prelude.define(interp, name, builtin(interp, name, work));
    }
    helpers(interp, PRELUDE, prelude);
}

/// Compiles the functions of the library that are written in Pyllisp.
pub(crate) fn define_library(interp: &Pyllisp) {
    let library = ModuleInfo::new("base", Some(interp.base), true);
    for (name, work) in
        [("apply", Work::Control(Control::Apply)), ("order_of", Work::Native(lists::order_of))]
    {
        library.define(interp, name, builtin(interp, name, work));
    }
    helpers(interp, LIBRARY, library);
}

fn operators(interp: &Pyllisp) {
    let runtime = interp.runtime();
    for (number, name) in (1..).zip(operator::NAMES) {
        let method = new_multimethod(runtime, operator::arity(number), number);
        interp.base.define(interp, name, method.to_value());
    }
    let coerce = new_multimethod(runtime, 2, operator::NONE);
    interp.base.define(interp, "coerce", coerce.to_value());
    let known = &interp.interfaces;
    let (int, float, bool) = (known.integer, known.float, known.boolean);
    for (one, two, coercion) in [
        (bool, bool, conversions::to_integers as Native),
        (int, bool, conversions::to_integers),
        (bool, int, conversions::to_integers),
        (int, float, conversions::to_floats),
        (float, int, conversions::to_floats),
        (bool, float, conversions::to_floats),
        (float, bool, conversions::to_floats),
    ] {
        let interfaces = list::from_values(runtime, &[one.value.value(), two.value.value()]);
        let function = builtin(interp, "coerce", Work::Native(coercion));
        dispatch::set_method(runtime, coerce, interfaces, function);
    }
}

/// A function of the interpreter as a value.
pub(crate) fn builtin(interp: &Pyllisp, name: &str, work: Work) -> Value<Plain> {
    helped(interp, name, work, &[])
}

/// A function of the interpreter that leaves some calls to the prelude.
fn helped(interp: &Pyllisp, name: &str, work: Work, helpers: Helpers) -> Value<Plain> {
    let info = Box::leak(Box::new(BuiltinInfo { name: name.to_owned(), work, helpers }));
    let value = Builtin::new(interp.runtime(), GreenRef::new(info)).to_value();
    interp.runtime().constant(value).value()
}

/// A function of `base`.
fn function(interp: &Pyllisp, name: &str, native: Native) {
    interp.base.define(interp, name, builtin(interp, name, Work::Native(native)));
}

/// A method of one of the interpreter's own types.
pub(crate) fn method(interp: &Pyllisp, interface: Known, name: &str, work: Work) {
    add_method(interp, interface, name, builtin(interp, name, work));
}

fn add_method(interp: &Pyllisp, interface: Known, name: &str, value: Value<Plain>) {
    let method = Method { value: interp.runtime().constant(value), quick: Quick::of(value) };
    interface.info.add_method(interp.atom(name), method);
}

/// What calling an interface does.
fn instantiator(interp: &Pyllisp, interface: Known, work: Work) {
    instantiate(interp, interface, builtin(interp, &interface.info.name, work));
}

fn instantiate(interp: &Pyllisp, interface: Known, value: Value<Plain>) {
    *interface.info.instantiate.borrow_mut() = Some(interp.runtime().constant(value));
}

/// A builtin module that `import` gives.
fn module(interp: &Pyllisp, name: &str, functions: &[(&str, Work)]) -> &'static ModuleInfo {
    let runtime = interp.runtime();
    let info = ModuleInfo::new(name, None, true);
    for (name, work) in functions {
        info.define(interp, name, builtin(interp, name, *work));
    }
    let value = Module::new(runtime, GreenRef::new(info)).to_value();
    interp.modules.borrow_mut().insert(name.to_owned(), runtime.constant(value));
    info
}

/// Compiles functions that the interpreter calls; they need no environment, so their program need not run.
fn helpers(interp: &Pyllisp, source: &'static str, module: &'static ModuleInfo) {
    let runtime = interp.runtime();
    let options = compile::Options::default();
    let program = match compile::compile(source.as_bytes(), &options) {
        Ok(program) => program,
        Err(error) => unreachable!("the prelude is part of the interpreter: {error}"),
    };
    let main = link(interp, program, source, module);
    let mut helpers = interp.helpers.borrow_mut();
    for code in main.codes.get().into_iter().flatten().skip(1) {
        let closure = Closure::new(runtime, GreenRef::new(code), None).to_value();
        helpers.insert(&code.code.name, runtime.constant(closure));
        module.define(interp, &code.code.name, closure);
    }
}

/// Refuses calls with fewer arguments than needed.
fn expect(interp: &Pyllisp, args: &[Value<Plain>], count: usize) -> Result<(), Raise<Plain>> {
    if args.len() < count { Err(interp.error(&format!("expected {count} arguments"))) } else { Ok(()) }
}

/// The argument at a place, which must be of a heap type.
pub(crate) fn object<T: HeapType<Plain>>(
    interp: &Pyllisp,
    args: &[Value<Plain>],
    index: usize,
    wanted: Known,
) -> Result<T, Raise<Plain>> {
    args.get(index).and_then(|arg| arg.cast::<T>()).ok_or_else(|| unexpected(interp, index, wanted))
}

/// The argument at a place, which must be a string.
pub(crate) fn string(interp: &Pyllisp, args: &[Value<Plain>], index: usize) -> Result<Text, Raise<Plain>> {
    let wanted = interp.interfaces.string;
    args.get(index).and_then(|arg| text::as_text(*arg)).ok_or_else(|| unexpected(interp, index, wanted))
}

/// The argument at a place, which must be a number, as a float.
fn float(interp: &Pyllisp, args: &[Value<Plain>], index: usize) -> Result<f64, Raise<Plain>> {
    let arg = args.get(index).copied().ok_or_else(|| unexpected(interp, index, interp.interfaces.float))?;
    let integer = || number::as_number(arg).map(|integer| integer.to_float());
    let float = arg.as_float().map(Float::get).or_else(integer);
    float.ok_or_else(|| unexpected(interp, index, interp.interfaces.float))
}

/// Calls something for each value of an iterable that is no generator.
fn each(
    interp: &Pyllisp,
    iterable: Value<Plain>,
    mut act: impl FnMut(Value<Plain>) -> Result<(), Raise<Plain>>,
) -> Result<(), Raise<Plain>> {
    let iterator = interp.iterator(iterable)?;
    while let Some(item) = interp.next(iterator)? {
        interp.stop_if_asked()?;
        act(item)?;
    }
    Ok(())
}

/// A list of the values that an iterator of Rust's makes.
fn collected(
    interp: &Pyllisp,
    values: impl Iterator<Item = Value<Plain>>,
) -> Result<Value<Plain>, Raise<Plain>> {
    let list = list::with_room(interp.runtime(), 0);
    for value in values {
        interp.push(list, value)?;
    }
    Ok(list.to_value())
}

/// The argument at a place, which must be an integer of moderate size.
fn small(interp: &Pyllisp, args: &[Value<Plain>], index: usize) -> Result<i64, Raise<Plain>> {
    let wanted = interp.interfaces.integer;
    let arg = args.get(index).and_then(|arg| arg.as_small());
    arg.map(|arg| arg.to_int().get()).ok_or_else(|| unexpected(interp, index, wanted))
}

fn unexpected(interp: &Pyllisp, index: usize, wanted: Known) -> Raise<Plain> {
    interp.error(&format!("expected {} as arg: {index}", wanted.info.name))
}

/// `null` as an answer.
fn nothing() -> Answer {
    Ok(null())
}
