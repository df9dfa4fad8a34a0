//! The functions of `base`.

use hotloop::prelude::*;

use super::{builtin, expect, function, instantiator, nothing, small, string, unexpected};
use crate::object::{Module, Range, boolean, is_true, list, repr};
use crate::vm::Pyllisp;
use crate::vm::dispatch::{MAX_ARITY, new_multimethod};
use crate::vm::greenlet::new_greenlet;
use crate::vm::interface::{Answer, Control, Native, Quick, Work};
use crate::vm::module::ModuleInfo;
use crate::vm::operator;

pub(super) fn define(interp: &Pyllisp) {
    function(interp, "interface", interface);
    let import = builtin(interp, "import", Work::Control(Control::Import));
    interp.base.define(interp, "import", import);
    function(interp, "iter", iter);
    function(interp, "getitem", getitem);
    function(interp, "setitem", setitem);
    for (name, quick, native) in
        [("getattr", Quick::GetAttribute, getattr as Native), ("setattr", Quick::SetAttribute, setattr)]
    {
        interp.base.define(interp, name, builtin(interp, name, Work::Quick(quick, native)));
    }
    function(interp, "print", print);
    function(interp, "repr", show);
    function(interp, "and", and);
    function(interp, "or", or);
    function(interp, "not", not);
    let known = &interp.interfaces;
    instantiator(interp, known.range, Work::Native(range));
    instantiator(interp, known.multimethod, Work::Native(multimethod));
    instantiator(interp, known.module, Work::Native(module));
    instantiator(interp, known.greenlet, Work::Native(greenlet));
    function(interp, "getcurrent", getcurrent);
    for iterator in [
        known.list_iterator,
        known.key_iterator,
        known.value_iterator,
        known.item_iterator,
        known.string_iterator,
        known.range,
    ] {
        super::method(interp, iterator, "next", Work::Native(next));
    }
}

fn interface(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    expect(interp, args, 1)?;
    Ok(interp.interface_value(args[0]))
}

fn iter(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    expect(interp, args, 1)?;
    interp.iterator(args[0])
}

/// `iterator.next`
fn next(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    expect(interp, args, 1)?;
    interp.next(args[0])?.ok_or_else(|| interp.stop())
}

fn getitem(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    expect(interp, args, 2)?;
    interp.item(args[0], args[1])
}

fn setitem(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    expect(interp, args, 3)?;
    interp.store_item(args[0], args[1], args[2])?;
    Ok(args[2])
}

fn getattr(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    expect(interp, args, 2)?;
    let name = string(interp, args, 1)?;
    interp.attribute(args[0], interp.atom(&name))
}

fn setattr(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    expect(interp, args, 3)?;
    let name = string(interp, args, 1)?;
    interp.store_attribute(args[0], interp.atom(&name), args[2])?;
    Ok(args[2])
}

fn print(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let mut line = String::new();
    for (index, arg) in args.iter().enumerate() {
        line.push_str(if index > 0 { " " } else { "" });
        line.push_str(&repr::display(interp, *arg)?);
    }
    line.push('\n');
    match interp.write(&line) {
        Ok(()) => nothing(),
        Err(error) => Err(interp.error(&format!("cannot print: {error}"))),
    }
}

fn show(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    expect(interp, args, 1)?;
    Ok(interp.text(&repr::whole(interp, args[0])?))
}

fn and(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    expect(interp, args, 2)?;
    Ok(boolean(is_true(args[0]) && is_true(args[1])))
}

fn or(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    expect(interp, args, 2)?;
    Ok(boolean(is_true(args[0]) || is_true(args[1])))
}

fn not(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    expect(interp, args, 1)?;
    Ok(boolean(!is_true(args[0])))
}

/// `(range stop)`, `(range start stop)`, `(range start stop step)`
fn range(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    expect(interp, args, 1)?;
    let (start, stop) = match args.len() {
        1 => (0, small(interp, args, 0)?),
        _ => (small(interp, args, 0)?, small(interp, args, 1)?),
    };
    let step = if args.len() > 2 { small(interp, args, 2)? } else { 1 };
    if step == 0 {
        return Err(interp.error("range step is zero"));
    }
    Ok(Range::new(interp.runtime(), start.into(), stop.into(), step.into()).to_value())
}

fn multimethod(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let arity = small(interp, args, 0)?;
    if !(1..=MAX_ARITY).contains(&arity) {
        return Err(interp.error("a multimethod dispatches on one to four arguments"));
    }
    Ok(new_multimethod(interp.runtime(), arity, operator::NONE).to_value())
}

/// `(greenlet function arguments…)`
fn greenlet(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    expect(interp, args, 1)?;
    let rest = list::from_values(interp.runtime(), &args[1..]);
    Ok(new_greenlet(interp, args[0], rest).to_value())
}

fn getcurrent(interp: &Pyllisp, _: &[Value<Plain>]) -> Answer {
    Ok(interp.running::<Plain>().greenlet().to_value())
}

/// `(module "name")` or `(module "name" extended)`
fn module(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let name = string(interp, args, 0)?;
    let extends = match args.get(1) {
        None => None,
        Some(module) => match module.cast::<Module<Plain>>() {
            Some(module) => Some(module.info().get()),
            None => return Err(unexpected(interp, 1, interp.interfaces.module)),
        },
    };
    let info = ModuleInfo::new(&name, extends, false);
    Ok(Module::new(interp.runtime(), GreenRef::new(info)).to_value())
}
