//! One instruction.
//!
//! What is usual is done here, in line; everything else is a call out of line that says what it
//! did, so that each `Step` is made of a literal. Calls are marked as unusual (`cold_path`), even where they are
//! not: so the dispatch loop keeps its registers, and the calls save what they need.

use std::hint::cold_path;

use hotloop::prelude::*;

use super::access::{get_attribute, get_item, lift_cell, set_attribute, set_item, store_cell};
use super::call::{Args, Outcome, native1, native2};
use super::class::make_class;
use super::error::Complaint;
use super::interface::{BuiltinInfo, Quick, Work};
use super::iteration::iterate;
use super::operator::{self, *};
use super::{LENGTH, Pc, Pyllisp, module};
use crate::code::{Instr, Reg};
use crate::object::{
    Builtin, Closure, Dict, Env, Frame, Interface, List, ListIterator, Range, Str, StrIterator, boolean,
    is_set, is_true, list, null, red_boolean, special, unset,
};

/// What instructions work on.
#[derive(State)]
pub struct State<M: Mode> {
    /// The current frame.
    #[frame]
    pub frame: Frame<M>,
    /// What the program gave.
    pub result: Value<M>,
    /// The pending error.
    pub exception: Value<M>,
}

#[inline(always)]
fn get<M: Mode>(frame: Frame<M>, reg: Reg) -> Value<M> {
    frame.slots(u32::from(reg.0))
}

#[inline(always)]
fn set<M: Mode>(frame: Frame<M>, reg: Reg, value: Value<M>) {
    frame.set_slots(u32::from(reg.0), value);
}

impl Interpreter for Pyllisp {
    type Pc = Pc;
    type State<M: Mode> = State<M>;

    fn runtime(&self) -> &Runtime {
        Pyllisp::runtime(self)
    }

    #[inline(always)]
    fn step<M: Mode>(&self, pc: Pc, state: &mut State<M>) -> Step<Pc> {
        let frame = state.frame;
        // Where nobody asks, the field is not read: that took up to 9 % of plain execution.
        if we_are_jitted::<M>() {
            frame.assume_code(pc.code());
        }

        // The end of an instruction that was done out of line.
        macro_rules! finish {
            ($outcome:expr) => {
                finish!(pc, $outcome)
            };
            ($at:expr, $outcome:expr) => {{
                cold_path();
                match $outcome {
                    Outcome::Next => Step::Next($at.next()),
                    Outcome::Goto(to) => Step::Next(to),
                    Outcome::Call(to) => Step::Call(to),
                    Outcome::Switch(to) => Step::Switch(to),
                    Outcome::Raise => Step::Raise($at),
                    Outcome::RaiseAt(at) => Step::Raise(at),
                    Outcome::Leave => Step::Done,
                }
            }};
        }
        // The end of an instruction with a result that may be an error.
        macro_rules! answer {
            ($answer:expr) => {{
                cold_path();
                match $answer {
                    Ok(()) => Step::Next(pc.next()),
                    Err(Raise(error)) => {
                        state.exception = error;
                        Step::Raise(pc)
                    }
                }
            }};
            ($dst:expr, $answer:expr) => {{
                cold_path();
                match $answer {
                    Ok(value) => {
                        set(frame, $dst, value);
                        Step::Next(pc.next())
                    }
                    Err(Raise(error)) => {
                        state.exception = error;
                        Step::Raise(pc)
                    }
                }
            }};
        }
        macro_rules! done {
            ($dst:expr, $value:expr) => {{
                set(frame, $dst, $value);
                Step::Next(pc.next())
            }};
        }
        // Operators over small integers, some over floats, too; others go out of line.
        macro_rules! arithmetic {
            ($operator:ident, $dst:expr, $a:expr, $b:expr, $cell:expr, |$x:ident, $y:ident| $quick:expr $(, $float:expr)?) => {{
                let (a, b) = ($a, $b);
                let quick = match a.both_small(b) {
                    Some(($x, $y)) => $quick.map(Small::to_value),
                    $(None if let (Some($x), Some($y)) = (a.as_float(), b.as_float()) => {
                        Some(Value::from_float(self.runtime(), $float))
                    })?
                    None => None,
                };
                match quick {
                    Some(result) => done!($dst, result),
                    None => {
                        cold_path();
                        let cell = self.cell(pc, $cell);
                        finish!(self.general::<M, { operator::$operator }>(pc, state, cell, a, b))
                    }
                }
            }};
        }
        macro_rules! compare {
            ($operator:ident, $dst:expr, $a:expr, $b:expr, $cell:expr, |$x:ident, $y:ident| $quick:expr) => {{
                let (a, b) = ($a, $b);
                match a.both_small(b) {
                    Some(($x, $y)) => done!($dst, red_boolean($quick)),
                    None => {
                        cold_path();
                        let cell = self.cell(pc, $cell);
                        finish!(self.general::<M, { operator::$operator }>(pc, state, cell, a, b))
                    }
                }
            }};
        }
        // A comparison and the jump after it.
        macro_rules! jump {
            ($operator:ident, $a:expr, $b:expr, $cell:expr, |$x:ident, $y:ident| $quick:expr) => {{
                let (a, b) = ($a, $b);
                match a.both_small(b) {
                    Some(($x, $y)) => {
                        if $quick {
                            Step::Next(pc.over())
                        } else {
                            Step::Next(pc.jump())
                        }
                    }
                    None => match compare_quickly::<M, { operator::$operator }>(a, b) {
                        Some(true) => Step::Next(pc.over()),
                        Some(false) => Step::Next(pc.jump()),
                        None => {
                            cold_path();
                            let cell = self.cell(pc, $cell);
                            finish!(
                                self.compare_and_jump::<M, { operator::$operator }>(pc, state, cell, a, b)
                            )
                        }
                    },
                }
            }};
        }
        macro_rules! jump_int {
            ($operator:ident, $a:expr, $value:expr, $cell:expr, |$x:ident, $y:ident| $quick:expr) => {{
                let (a, $y) = ($a, Small::constant(i64::from($value)));
                match a.as_small() {
                    Some($x) => {
                        if $quick {
                            Step::Next(pc.over())
                        } else {
                            Step::Next(pc.jump())
                        }
                    }
                    None => {
                        cold_path();
                        let cell = self.cell(pc, $cell);
                        finish!(self.general::<M, { operator::$operator }>(pc, state, cell, a, $y.to_value()))
                    }
                }
            }};
        }

        macro_rules! jump_null {
            ($operator:ident, $a:expr, $cell:expr) => {{
                let a = $a;
                match equals_null::<M, { operator::$operator }>(a, null()) {
                    Some(true) => Step::Next(pc.over()),
                    Some(false) => Step::Next(pc.jump()),
                    None => {
                        cold_path();
                        let cell = self.cell(pc, $cell);
                        finish!(self.general::<M, { operator::$operator }>(pc, state, cell, a, null()))
                    }
                }
            }};
        }

        macro_rules! read_item {
            ($dst:expr, $object:expr, $item:expr) => {{
                let (object, item) = ($object, $item);
                if let Some(list) = object.cast::<List<M>>()
                    && let Some(index) = item.as_int()
                    && let Some(element) = list::item(list, index)
                {
                    done!($dst, element)
                } else if let Some(string) = object.cast::<Str<M>>()
                    && let Some(index) = item.as_int()
                    && let Some(character) = self.character_at(string, index)
                {
                    done!($dst, character)
                } else if let Some(dict) = object.cast::<Dict<M>>() {
                    cold_path();
                    match self.entry(dict, item) {
                        Ok(Some(value)) => done!($dst, value),
                        Ok(None) => answer!($dst, get_item::<M>(self, object, item)),
                        Err(Raise(error)) => {
                            state.exception = error;
                            Step::Raise(pc)
                        }
                    }
                } else if let Some(value) = self.memory_item(object, item) {
                    done!($dst, value)
                } else {
                    answer!($dst, get_item::<M>(self, object, item))
                }
            }};
        }
        macro_rules! write_item {
            ($object:expr, $item:expr, $value:expr) => {{
                let (object, item, value) = ($object, $item, $value);
                if let Some(list) = object.cast::<List<M>>()
                    && let Some(index) = item.as_int()
                    && list::set_item(list, index, value).is_some()
                {
                    Step::Next(pc.next())
                } else if let Some(dict) = object.cast::<Dict<M>>() {
                    cold_path();
                    match self.set_entry(dict, item, value) {
                        Ok(true) => Step::Next(pc.next()),
                        Ok(false) => answer!(set_item::<M>(self, object, item, value)),
                        Err(Raise(error)) => {
                            state.exception = error;
                            Step::Raise(pc)
                        }
                    }
                } else if self.set_memory_item(object, item, value) {
                    Step::Next(pc.next())
                } else {
                    answer!(set_item::<M>(self, object, item, value))
                }
            }};
        }

        // What is called is a method with so many arguments, which lie two registers behind the base.
        macro_rules! quick_call {
            ($callee:expr, $quick:expr, $receiver:expr, $base:expr, $count:expr) => {{
                let (receiver, count, first) = ($receiver, $count, $base + 2);
                match $quick {
                    Some(Quick::Append)
                        if count == 1
                            && let Some(list) = receiver.cast::<List<M>>()
                            && list::push_in_room(list, get(frame, Reg(first))).is_some() =>
                    {
                        Some(Ok(null()))
                    }
                    Some(Quick::Get) if count == 1 || count == 2 => {
                        cold_path();
                        let default = if count == 2 { get(frame, Reg(first + 1)) } else { null() };
                        self.get_entry(receiver, get(frame, Reg(first)), default)
                    }
                    Some(quick) if count <= 2 && is_set(receiver) => {
                        cold_path();
                        let one = if count > 0 { get(frame, Reg(first)) } else { unset() };
                        let two = if count > 1 { get(frame, Reg(first + 1)) } else { unset() };
                        self.quick(quick, count + 1, receiver, one, two)
                    }
                    None if count <= 1
                        && is_set(receiver)
                        && let Some(native) = plain_native($callee) =>
                    {
                        cold_path();
                        Some(match count {
                            0 => native1::<M>(self, native, receiver),
                            _ => native2::<M>(self, native, receiver, get(frame, Reg(first))),
                        })
                    }
                    _ => None,
                }
            }};
        }

        // What an object has for a name is no method: the attribute is called without it.
        macro_rules! no_method {
            ($dst:expr, $object:expr, $name:expr) => {{
                let (object, name) = ($object, $name);
                set(frame, Reg($dst.0 + 1), unset());
                let found = self.field(object, name).or_else(|| self.name_in_module(object, name));
                match found.or_else(|| self.name_in_c(object, name)) {
                    Some(value) => done!($dst, value),
                    None => answer!($dst, get_attribute::<M>(self, object, name)),
                }
            }};
        }

        match *pc.instr() {
            Instr::Move { dst, src } => done!(dst, get(frame, src)),
            Instr::LoadConst { dst, value } => done!(dst, pc.code().consts[value.index()].value()),
            Instr::LoadInt { dst, value } => done!(dst, Value::small(value.into())),
            Instr::LoadNull { dst } => done!(dst, null()),
            Instr::LoadTrue { dst } => done!(dst, boolean(true)),
            Instr::LoadFalse { dst } => done!(dst, boolean(false)),
            Instr::LoadUnset { dst } => done!(dst, unset()),
            Instr::LoadCell { dst, cell } => {
                let cell = self.cell(pc, cell);
                match module::value(cell) {
                    Some(value) => done!(dst, value),
                    None => answer!(dst, lift_cell::<M>(self, cell)),
                }
            }
            Instr::StoreCell { cell, src } => {
                let cell = self.cell(pc, cell);
                if cell.constant().is_special(special::VARIES) {
                    cell.set_value(get(frame, src));
                    Step::Next(pc.next())
                } else {
                    answer!(store_cell::<M>(self, cell, get(frame, src)))
                }
            }
            Instr::MakeEnv { count } => {
                let env = Env::new(self.runtime(), frame.env(), u32::from(count));
                for index in 0..count {
                    env.set_variables(u32::from(index), unset());
                }
                frame.set_env(Some(env));
                Step::Next(pc.next())
            }
            Instr::LoadEnv { dst, depth, index } => {
                done!(dst, environment(frame, depth).variables(u32::from(index)))
            }
            Instr::StoreEnv { depth, index, src } => {
                environment(frame, depth).set_variables(u32::from(index), get(frame, src));
                Step::Next(pc.next())
            }
            Instr::MakeClosure { dst, code: function } => {
                let closure = Closure::new(self.runtime(), pc.code().function(function), frame.env());
                done!(dst, closure.to_value())
            }
            Instr::MakeList { dst, base, count } => {
                let list = list::of(self.runtime(), count.into(), |at| get(frame, Reg(base.0 + at as u16)));
                done!(dst, list.to_value())
            }
            Instr::GetAttr { dst, object, name } => {
                let object = get(frame, object);
                let name = pc.code().names[name.index()];
                let length = if name != LENGTH {
                    None
                } else if let Some(list) = object.cast::<List<M>>() {
                    Some(list::count(list))
                } else if let Some(string) = object.cast::<Str<M>>() {
                    Some(string.length())
                } else {
                    object.cast::<Dict<M>>().map(|dict| dict.length())
                };
                if let Some(length) = length.and_then(Value::from_int) {
                    done!(dst, length)
                } else if let Some(value) = self.field(object, name) {
                    done!(dst, value)
                } else if let Some(value) = self.name_in_module(object, name) {
                    done!(dst, value)
                } else if let Some(value) = self.name_in_c(object, name) {
                    done!(dst, value)
                } else {
                    answer!(dst, get_attribute::<M>(self, object, name))
                }
            }
            Instr::SetAttr { object, name, src } => {
                let (object, name) = (get(frame, object), pc.code().names[name.index()]);
                let value = get(frame, src);
                if self.set_field(object, name, value)
                    || self.store_in_module(object, name, value)
                    || self.set_memory_field(object, name, value)
                {
                    Step::Next(pc.next())
                } else {
                    answer!(set_attribute::<M>(self, object, name, get(frame, src)))
                }
            }
            Instr::GetItem { dst, object, item } => read_item!(dst, get(frame, object), get(frame, item)),
            Instr::GetItemInt { dst, object, value } => {
                read_item!(dst, get(frame, object), Value::small(value.into()))
            }
            Instr::SetItem { object, item, src } => {
                write_item!(get(frame, object), get(frame, item), get(frame, src))
            }
            Instr::SetItemInt { object, value, src } => {
                write_item!(get(frame, object), Value::small(value.into()), get(frame, src))
            }

            Instr::Jump { target: _ } => Step::Next(pc.jump()),
            Instr::JumpIfFalse { cond, target: _ } => {
                if is_true(get(frame, cond)) {
                    Step::Next(pc.next())
                } else {
                    Step::Next(pc.jump())
                }
            }
            Instr::JumpIfTrue { cond, target: _ } => {
                if is_true(get(frame, cond)) {
                    Step::Next(pc.jump())
                } else {
                    Step::Next(pc.next())
                }
            }
            Instr::JumpIfSet { src, target: _ } => {
                if is_set(get(frame, src)) {
                    Step::Next(pc.jump())
                } else {
                    Step::Next(pc.next())
                }
            }
            Instr::Loop { target: _ } => Step::Loop(pc.jump()),
            Instr::Iter { dst, src } => {
                let object = get(frame, src);
                if let Some(list) = object.cast::<List<M>>() {
                    done!(dst, ListIterator::new(self.runtime(), list, 0.into()).to_value())
                } else if let Some(text) = object.cast::<Str<M>>() {
                    done!(dst, StrIterator::new(self.runtime(), text, 0.into()).to_value())
                } else {
                    answer!(dst, iterate::<M>(self, object))
                }
            }
            Instr::Next { dst, iterator, target: _ } => {
                let iterator = get(frame, iterator);
                if let Some(iterator) = iterator.cast::<ListIterator<M>>() {
                    let index = iterator.index();
                    match list::item(iterator.list(), index) {
                        Some(element) => {
                            iterator.set_index(index + 1);
                            done!(dst, element)
                        }
                        None => Step::Next(pc.jump()),
                    }
                } else if let Some(range) = iterator.cast::<Range<M>>()
                    && range.step() == 1
                {
                    let at = range.next();
                    if at < range.stop() {
                        range.set_next(at + 1);
                        // A range begins and ends at small integers.
                        done!(dst, Small::assume(at).to_value())
                    } else {
                        Step::Next(pc.jump())
                    }
                } else if let Some(iterator) = iterator.cast::<StrIterator<M>>()
                    && let Some(character) = self.next_character(iterator)
                {
                    done!(dst, character)
                } else {
                    finish!(self.next_in_loop(pc, state, iterator))
                }
            }

            Instr::Call { dst, base, count } => {
                let callee = get(frame, base);
                // What goes out of line lies in memory, so the usual case has arguments of its own.
                if let Some(closure) = callee.cast::<Closure<M>>() {
                    finish!(self.enter(pc, state, closure, Args::registers(base.0 + 1, count)))
                } else if count == 1
                    && let Some(native) = plain_native(callee)
                {
                    answer!(dst, native1::<M>(self, native, get(frame, Reg(base.0 + 1))))
                } else {
                    finish!(self.invoke(pc, state, callee, Args::registers(base.0 + 1, count)))
                }
            }
            Instr::Invoke { base, object, name, count } => {
                let object = get(frame, object);
                let name = pc.code().names[name.index()];
                let (method, quick) = self.method(object, name);
                // The call is that of the instruction behind.
                let call = pc.next();
                if is_set(method) {
                    match quick_call!(method, quick, object, base.0, count) {
                        Some(Ok(answer)) => {
                            set(frame, call.result_register(), answer);
                            Step::Next(pc.over())
                        }
                        Some(Err(Raise(error))) => {
                            state.exception = error;
                            Step::Raise(call)
                        }
                        None => {
                            let args = Args::method(object, base.0 + 2, count);
                            if let Some(closure) = method.cast::<Closure<M>>() {
                                finish!(call, self.enter(call, state, closure, args))
                            } else {
                                finish!(call, self.invoke(call, state, method, args))
                            }
                        }
                    }
                } else {
                    no_method!(base, object, name)
                }
            }
            Instr::LoadMethod { dst, object, name } => {
                let object = get(frame, object);
                let name = pc.code().names[name.index()];
                let (method, _) = self.method(object, name);
                if is_set(method) {
                    set(frame, Reg(dst.0 + 1), object);
                    done!(dst, method)
                } else {
                    no_method!(dst, object, name)
                }
            }
            Instr::CallMethod { dst, base, count } => {
                let callee = get(frame, base);
                let receiver = get(frame, Reg(base.0 + 1));
                let quick = quick_call!(callee, Quick::of(callee), receiver, base.0, count);
                match quick {
                    Some(answer) => answer!(dst, answer),
                    None => {
                        let args = self.method_args(frame, base.0, count);
                        finish!(self.invoke(pc, state, callee, args))
                    }
                }
            }
            Instr::Return { src } => {
                let value = get(frame, src);
                match frame.back() {
                    None => {
                        state.result = value;
                        Step::Done
                    }
                    Some(back) => {
                        state.frame = back;
                        let to = back.progress().place();
                        self.give(to, state, value);
                        frame.release(self.runtime());
                        Step::Return(to.next())
                    }
                }
            }
            Instr::End {} => finish!(self.end_generator(state)),
            Instr::Yield { dst: _, src } => finish!(self.yield_value(pc, state, get(frame, src))),
            Instr::AssertFail {} => finish!(self.complain(state, Complaint::Assertion, null(), 0)),
            Instr::Raise { src } => finish!(self.raise(state, get(frame, src))),
            Instr::MakeClass { dst, parent, shape } => {
                let shape = pc.code().consts[shape.index()].value();
                answer!(dst, make_class::<M>(self, get(frame, parent), shape))
            }

            Instr::Negate { dst, a, cell } => {
                let a = get(frame, a);
                match a.as_small().and_then(Small::checked_neg) {
                    Some(result) => done!(dst, result.to_value()),
                    None => finish!(self.general_unary(pc, state, NEGATE, self.cell(pc, cell), a)),
                }
            }
            Instr::Posate { dst: _, a, cell } => {
                finish!(self.general_unary(pc, state, POSATE, self.cell(pc, cell), get(frame, a)))
            }
            Instr::Invert { dst: _, a, cell } => {
                finish!(self.general_unary(pc, state, INVERT, self.cell(pc, cell), get(frame, a)))
            }
            Instr::Not { dst, a } => done!(dst, boolean(!is_true(get(frame, a)))),
            Instr::Both { dst, a, b } => {
                let truth = is_true(get(frame, a)) && is_true(get(frame, b));
                done!(dst, boolean(truth))
            }
            Instr::Add { dst, a, b, cell } => {
                arithmetic!(ADD, dst, get(frame, a), get(frame, b), cell, |x, y| x.checked_add(y), x + y)
            }
            Instr::Sub { dst, a, b, cell } => {
                arithmetic!(SUB, dst, get(frame, a), get(frame, b), cell, |x, y| x.checked_sub(y), x - y)
            }
            Instr::Mul { dst, a, b, cell } => {
                arithmetic!(MUL, dst, get(frame, a), get(frame, b), cell, |x, y| x.checked_mul(y), x * y)
            }
            Instr::Div { dst, a, b, cell } => {
                arithmetic!(DIV, dst, get(frame, a), get(frame, b), cell, |x, y| x.checked_div_floor(y))
            }
            Instr::Mod { dst, a, b, cell } => {
                arithmetic!(MOD, dst, get(frame, a), get(frame, b), cell, |x, y| x.checked_mod_floor(y))
            }
            Instr::BitOr { dst, a, b, cell } => {
                arithmetic!(BIT_OR, dst, get(frame, a), get(frame, b), cell, |x, y| Some(x.or(y)))
            }
            Instr::BitXor { dst, a, b, cell } => {
                arithmetic!(BIT_XOR, dst, get(frame, a), get(frame, b), cell, |x, y| Some(x.xor(y)))
            }
            Instr::BitAnd { dst, a, b, cell } => {
                arithmetic!(BIT_AND, dst, get(frame, a), get(frame, b), cell, |x, y| Some(x.and(y)))
            }
            Instr::Shl { dst: _, a, b, cell } => {
                let cell = self.cell(pc, cell);
                finish!(self.shift_left(pc, state, cell, get(frame, a), get(frame, b)))
            }
            Instr::Shr { dst: _, a, b, cell } => {
                let cell = self.cell(pc, cell);
                finish!(self.shift_right(pc, state, cell, get(frame, a), get(frame, b)))
            }
            Instr::Concat { dst: _, a, b, cell } => {
                let cell = self.cell(pc, cell);
                finish!(self.general::<M, CONCAT>(pc, state, cell, get(frame, a), get(frame, b)))
            }
            Instr::Piece { dst: _, base, count, cell } => {
                finish!(self.add_piece(pc, state, self.cell(pc, cell), base.0, count))
            }
            Instr::JoinPieces { dst: _, base, count, cell } => {
                finish!(self.join_pieces(pc, state, self.cell(pc, cell), base.0, count))
            }
            Instr::AddInt { dst, a, value, cell } => {
                let (a, b) = (get(frame, a), Small::constant(value.into()));
                match a.as_small().and_then(|x| x.checked_add(b)) {
                    Some(result) => done!(dst, result.to_value()),
                    None => {
                        cold_path();
                        let cell = self.cell(pc, cell);
                        finish!(self.general::<M, ADD>(pc, state, cell, a, b.to_value()))
                    }
                }
            }
            Instr::SubInt { dst, a, value, cell } => {
                let (a, b) = (get(frame, a), Small::constant(value.into()));
                match a.as_small().and_then(|x| x.checked_sub(b)) {
                    Some(result) => done!(dst, result.to_value()),
                    None => {
                        cold_path();
                        let cell = self.cell(pc, cell);
                        finish!(self.general::<M, SUB>(pc, state, cell, a, b.to_value()))
                    }
                }
            }
            Instr::Lt { dst, a, b, cell } => {
                compare!(LT, dst, get(frame, a), get(frame, b), cell, |x, y| x.is_lt(y))
            }
            Instr::Gt { dst, a, b, cell } => {
                compare!(GT, dst, get(frame, a), get(frame, b), cell, |x, y| y.is_lt(x))
            }
            Instr::Le { dst, a, b, cell } => {
                compare!(LE, dst, get(frame, a), get(frame, b), cell, |x, y| !y.is_lt(x))
            }
            Instr::Ge { dst, a, b, cell } => {
                compare!(GE, dst, get(frame, a), get(frame, b), cell, |x, y| !x.is_lt(y))
            }
            Instr::Eq { dst, a, b, cell } => {
                compare!(EQ, dst, get(frame, a), get(frame, b), cell, |x, y| x.is_eq(y))
            }
            Instr::Ne { dst, a, b, cell } => {
                compare!(NE, dst, get(frame, a), get(frame, b), cell, |x, y| !x.is_eq(y))
            }
            Instr::JumpLt { dst: _, a, b, cell } => {
                jump!(LT, get(frame, a), get(frame, b), cell, |x, y| x < y)
            }
            Instr::JumpGt { dst: _, a, b, cell } => {
                jump!(GT, get(frame, a), get(frame, b), cell, |x, y| x > y)
            }
            Instr::JumpLe { dst: _, a, b, cell } => {
                jump!(LE, get(frame, a), get(frame, b), cell, |x, y| x <= y)
            }
            Instr::JumpGe { dst: _, a, b, cell } => {
                jump!(GE, get(frame, a), get(frame, b), cell, |x, y| x >= y)
            }
            Instr::JumpEq { dst: _, a, b, cell } => {
                jump!(EQ, get(frame, a), get(frame, b), cell, |x, y| x == y)
            }
            Instr::JumpNe { dst: _, a, b, cell } => {
                jump!(NE, get(frame, a), get(frame, b), cell, |x, y| x != y)
            }
            Instr::JumpLtInt { dst: _, a, value, cell } => {
                jump_int!(LT, get(frame, a), value, cell, |x, y| x < y)
            }
            Instr::JumpGtInt { dst: _, a, value, cell } => {
                jump_int!(GT, get(frame, a), value, cell, |x, y| x > y)
            }
            Instr::JumpLeInt { dst: _, a, value, cell } => {
                jump_int!(LE, get(frame, a), value, cell, |x, y| x <= y)
            }
            Instr::JumpGeInt { dst: _, a, value, cell } => {
                jump_int!(GE, get(frame, a), value, cell, |x, y| x >= y)
            }
            Instr::JumpEqInt { dst: _, a, value, cell } => {
                jump_int!(EQ, get(frame, a), value, cell, |x, y| x == y)
            }
            Instr::JumpNeInt { dst: _, a, value, cell } => {
                jump_int!(NE, get(frame, a), value, cell, |x, y| x != y)
            }
            Instr::JumpEqNull { dst: _, a, cell } => jump_null!(EQ, get(frame, a), cell),
            Instr::JumpNeNull { dst: _, a, cell } => jump_null!(NE, get(frame, a), cell),
        }
    }

    fn handle<M: Mode>(&self, pc: Pc, state: &mut State<M>) -> Step<Pc> {
        self.unwind(pc, state)
    }

    #[inline(always)]
    fn loop_cell(&self, pc: Pc) -> &LoopCell {
        pc.loop_cell()
    }

    fn live_items(&self, pc: Pc) -> Live {
        pc.code().code.live[pc.number() as usize]
    }

    fn interrupt(&self, _pc: Pc, state: &mut State<Plain>, why: Interrupt) -> bool {
        let Raise(error) = match why {
            Interrupt::User => self.interrupted(),
            Interrupt::OutOfMemory => self.error("out of memory"),
        };
        state.exception = error;
        true
    }

    fn describe(&self, pc: Pc) -> String {
        let code = pc.code();
        let place = code.code.spans[pc.number() as usize].start;
        let instr = pc.instr().name();
        format!("{}:{place} {} {instr}", code.module.name, code.code.name)
    }
}

/// A callee that is plain Rust for all arguments, or an interface that calls one.
#[inline(always)]
fn plain_native<M: Mode>(callee: Value<M>) -> Option<GreenRef<BuiltinInfo>> {
    let builtin = match callee.cast::<Builtin<M>>() {
        Some(builtin) => builtin,
        None => callee.cast::<Interface<M>>()?.info().get().conversion()?.value::<M>().cast()?,
    };
    let info = builtin.info();
    (matches!(info.work, Work::Native(_)) && info.helpers.is_empty()).then_some(info)
}

/// The environment so many steps out.
#[inline(always)]
fn environment<M: Mode>(frame: Frame<M>, depth: u16) -> Env<M> {
    let mut env = frame.env();
    for _ in 0..depth {
        env = env.and_then(Env::parent);
    }
    match env {
        Some(env) => env,
        None => unreachable!("the compiler counts environments"),
    }
}
