//! Calls: of closures, which get a frame, of builtins, of what stands for one of them.

use hotloop::prelude::*;

use super::class::Construct;
use super::error::Complaint;
use super::floats;
use super::import::import;
use super::interface::{Answer, BuiltinInfo, Control, When, Work};
use super::{Pc, Progress, Pyllisp, State};
use crate::object::{
    BoundMethod, Builtin, CFunction, Closure, Frame, Generator, Greenlet, Interface, Items, List,
    Multimethod, list, null, unset,
};

/// How many calls may be in progress.
pub(super) const MAX_DEPTH: i64 = 200_000;

/// How many things that are called may stand for each other before something is done; a multimethod may be its
/// own default.
const MAX_DETOURS: u32 = 20;

/// What a path out of line did; the step says it to the driver.
///
/// What a variant carries is one machine word, so that it is passed in registers: were it in memory, the end of its
/// place there would keep LLVM from leading each outcome straight to where it is dealt with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outcome {
    /// The instruction is done.
    Next,
    /// The instruction is done, and the way goes on elsewhere in the code.
    Goto(Pc),
    /// There is a new frame, whose code begins here.
    Call(Pc),
    /// Another chain of frames goes on here.
    Switch(Pc),
    /// An error is pending in the frame of this instruction.
    Raise,
    /// An error is pending in another frame, at this instruction.
    RaiseAt(Pc),
    /// A greenlet goes on that C has called back: on its own native stack.
    Leave,
}

/// The arguments of a call.
#[derive(Clone, Copy)]
pub(crate) struct Args<M: Mode> {
    receiver: Option<Value<M>>,
    others: Others<M>,
}

#[derive(Clone, Copy)]
enum Others<M: Mode> {
    Registers { first: u16, count: u16 },
    Pair(Value<M>, Value<M>),
    Three(Value<M>, Value<M>, Value<M>),
    Items { items: Items<M>, count: u16 },
}

impl<M: Mode> Args<M> {
    /// Registers of the frame.
    #[inline(always)]
    pub fn registers(first: u16, count: u16) -> Args<M> {
        Args { receiver: None, others: Others::Registers { first, count } }
    }

    /// An object and registers of the frame.
    #[inline(always)]
    pub fn method(receiver: Value<M>, first: u16, count: u16) -> Args<M> {
        Args { receiver: Some(receiver), others: Others::Registers { first, count } }
    }

    /// One value.
    pub fn one(value: Value<M>) -> Args<M> {
        Args { receiver: Some(value), others: Others::Registers { first: 0, count: 0 } }
    }

    /// Two values.
    pub fn pair(one: Value<M>, two: Value<M>) -> Args<M> {
        Args { receiver: None, others: Others::Pair(one, two) }
    }

    /// Three values.
    pub fn three(one: Value<M>, two: Value<M>, three: Value<M>) -> Args<M> {
        Args { receiver: None, others: Others::Three(one, two, three) }
    }

    /// The elements of a list, as many as a function may have parameters.
    pub fn list(runtime: &Runtime, list: List<M>) -> Args<M> {
        let count = list::count(list).promote().min(u16::MAX.into()) as u16;
        let items = Items::new(runtime, u32::from(count));
        list::copy(list, 0, items, 0, u32::from(count));
        Args { receiver: None, others: Others::Items { items, count } }
    }

    /// An object, and the elements of a list.
    pub fn before_list(runtime: &Runtime, receiver: Value<M>, list: List<M>) -> Args<M> {
        Args { receiver: Some(receiver), ..Args::list(runtime, list) }
    }

    /// How many there are.
    #[inline(always)]
    pub fn count(&self) -> u16 {
        let others = match self.others {
            Others::Registers { count, .. } | Others::Items { count, .. } => count,
            Others::Pair(..) => 2,
            Others::Three(..) => 3,
        };
        others + u16::from(self.receiver.is_some())
    }

    /// One of them.
    #[inline(always)]
    pub fn get(&self, frame: Frame<M>, index: u16) -> Value<M> {
        let index = match self.receiver {
            Some(receiver) if index == 0 => return receiver,
            Some(_) => index - 1,
            None => index,
        };
        match self.others {
            Others::Registers { first, .. } => frame.slots(u32::from(first) + u32::from(index)),
            Others::Pair(one, two) => [one, two][usize::from(index)],
            Others::Three(one, two, three) => [one, two, three][usize::from(index)],
            Others::Items { items, .. } => items.items(u32::from(index)),
        }
    }

    /// One of them, or the unset value.
    fn get_or_unset(&self, frame: Frame<M>, index: u16) -> Value<M> {
        if index < self.count() { self.get(frame, index) } else { unset() }
    }

    /// All of them as one, a list.
    pub fn as_list(&self, runtime: &Runtime, frame: Frame<M>) -> Args<M> {
        let list = list::of(runtime, self.count().into(), |index| self.get(frame, index as u16));
        Args::one(list.to_value())
    }

    /// All of them in the heap.
    pub(crate) fn items(&self, runtime: &Runtime, frame: Frame<M>) -> Items<M> {
        let items = Items::new(runtime, u32::from(self.count()));
        for index in 0..self.count() {
            items.set_items(u32::from(index), self.get(frame, index));
        }
        items
    }

    /// An object before all of them.
    pub fn after(self, runtime: &Runtime, frame: Frame<M>, receiver: Value<M>) -> Args<M> {
        let others = match self.receiver {
            None => self.others,
            Some(_) => Others::Items { items: self.items(runtime, frame), count: self.count() },
        };
        Args { receiver: Some(receiver), others }
    }
}

/// Calls a builtin without arguments.
#[residual(writes)]
fn native0(interp: &Pyllisp, builtin: GreenRef<BuiltinInfo>) -> Result<Value<Plain>, Raise<Plain>> {
    work(interp, builtin, &[])
}

/// Calls a builtin with one argument.
#[residual(writes)]
pub(super) fn native1(
    interp: &Pyllisp,
    builtin: GreenRef<BuiltinInfo>,
    a: Value<Plain>,
) -> Result<Value<Plain>, Raise<Plain>> {
    work(interp, builtin, &[a])
}

/// Calls a builtin with two arguments.
#[residual(writes)]
pub(super) fn native2(
    interp: &Pyllisp,
    builtin: GreenRef<BuiltinInfo>,
    a: Value<Plain>,
    b: Value<Plain>,
) -> Result<Value<Plain>, Raise<Plain>> {
    work(interp, builtin, &[a, b])
}

/// Calls a builtin with three arguments.
#[residual(writes)]
fn native3(
    interp: &Pyllisp,
    builtin: GreenRef<BuiltinInfo>,
    a: Value<Plain>,
    b: Value<Plain>,
    c: Value<Plain>,
) -> Result<Value<Plain>, Raise<Plain>> {
    work(interp, builtin, &[a, b, c])
}

/// Calls a builtin with any number of arguments.
#[residual(writes)]
fn native(
    interp: &Pyllisp,
    builtin: GreenRef<BuiltinInfo>,
    args: Items<Plain>,
) -> Result<Value<Plain>, Raise<Plain>> {
    let values: Vec<Value<Plain>> = (0..args.items_len().get()).map(|index| args.items(index)).collect();
    let answer = work(interp, builtin, &values);
    // What the vector refers to, the items keep alive.
    std::hint::black_box(args);
    answer
}

fn work(interp: &Pyllisp, builtin: GreenRef<BuiltinInfo>, args: &[Value<Plain>]) -> Answer {
    match builtin.work {
        Work::Native(native) | Work::Quick(_, native) | Work::Root(native) | Work::Float(_, native) => {
            native(interp, args)
        }
        Work::Control(_) => Err(interp.error("this function can't be called from here")),
    }
}

impl Pyllisp {
    /// Calls a closure: its frame is the current one afterwards.
    #[inline(always)]
    pub(super) fn enter<M: Mode>(
        &self,
        pc: Pc,
        state: &mut State<M>,
        closure: Closure<M>,
        args: Args<M>,
    ) -> Outcome {
        let caller = state.frame;
        let code = closure.code();
        let params = code.code.params;
        if args.count() < params {
            return self.complain(state, Complaint::ClosureRequires, null(), u32::from(params));
        }
        let depth = caller.depth() + 1;
        if depth > MAX_DEPTH {
            return self.complain(state, Complaint::Recursion, null(), 0);
        }
        let back = if code.code.generator { None } else { Some(caller) };
        let slots = u32::from(code.code.slots);
        let frame = Frame::new(self.runtime(), code, closure.env(), back, Progress::New, depth, slots);
        for index in 0..params {
            frame.set_slots(u32::from(index), args.get(caller, index));
        }
        if code.code.generator {
            let generator = Generator::new(self.runtime(), frame);
            self.give(pc, state, generator.to_value());
            return Outcome::Next;
        }
        caller.set_progress(Progress::At(pc));
        state.frame = frame;
        Outcome::Call(Pc::new(code, 0))
    }

    /// The result of the current instruction.
    #[inline(always)]
    pub(super) fn give<M: Mode>(&self, pc: Pc, state: &mut State<M>, value: Value<M>) {
        let dst = pc.result_register();
        state.frame.set_slots(u32::from(dst.0), value);
    }

    /// The result of the current instruction, or its error.
    #[inline(always)]
    pub(crate) fn answer<M: Mode>(
        &self,
        pc: Pc,
        state: &mut State<M>,
        answer: Result<Value<M>, Raise<M>>,
    ) -> Outcome {
        match answer {
            Ok(value) => {
                self.give(pc, state, value);
                Outcome::Next
            }
            Err(Raise(error)) => {
                state.exception = error;
                Outcome::Raise
            }
        }
    }

    /// Calls anything.
    #[inline(never)]
    pub(super) fn invoke<M: Mode>(
        &self,
        pc: Pc,
        state: &mut State<M>,
        mut callee: Value<M>,
        mut args: Args<M>,
    ) -> Outcome {
        for _ in 0..MAX_DETOURS {
            if let Some(closure) = callee.cast::<Closure<M>>() {
                return self.enter(pc, state, closure, args);
            } else if let Some(builtin) = callee.cast::<Builtin<M>>() {
                let info = builtin.info();
                let mut helpers = info.get().helpers.iter();
                if let Some((_, helper)) = helpers.find(|(when, _)| self.needs_help(state.frame, *when, args))
                {
                    callee = self.helper(helper).value();
                    continue;
                }
                match info.work {
                    Work::Native(_) => return self.native(pc, state, info, args),
                    Work::Root(_) => {
                        return match args.get_or_unset(state.frame, 0).as_float() {
                            Some(float) if float >= 0.0 => {
                                self.give(pc, state, Value::from_float(self.runtime(), float.sqrt()));
                                Outcome::Next
                            }
                            _ => self.native(pc, state, info, args),
                        };
                    }
                    Work::Float(function, _) => {
                        let float = args.get_or_unset(state.frame, 0).as_float();
                        return match float.and_then(|float| floats::defined(function, float)) {
                            Some(float) => {
                                self.give(pc, state, Value::from_float(self.runtime(), float));
                                Outcome::Next
                            }
                            None => self.native(pc, state, info, args),
                        };
                    }
                    Work::Quick(quick, _) => {
                        let count = args.count();
                        let [object, first, second] =
                            [0, 1, 2].map(|index| args.get_or_unset(state.frame, index));
                        let answer = match count {
                            0..=3 => self.quick(quick, count, object, first, second),
                            _ => None,
                        };
                        return match answer {
                            Some(answer) => self.answer(pc, state, answer),
                            None => self.native(pc, state, info, args),
                        };
                    }
                    Work::Control(Control::NextOfGenerator) => {
                        let object = args.get_or_unset(state.frame, 0);
                        let Some(generator) = object.cast::<Generator<M>>() else {
                            return self.complain(state, Complaint::CannotCall, callee, 0);
                        };
                        let sent = if args.count() > 1 { args.get(state.frame, 1) } else { null() };
                        return self.resume(pc, state, generator.frame(), sent);
                    }
                    Work::Control(Control::Switch) => {
                        let object = args.get_or_unset(state.frame, 0);
                        return match object.cast::<Greenlet<M>>() {
                            Some(greenlet) => self.switch(pc, state, greenlet, args),
                            None => self.complain(state, Complaint::CannotCall, callee, 0),
                        };
                    }
                    Work::Control(Control::EndGreenlet) => {
                        return self.end_greenlet(state, args.get_or_unset(state.frame, 0));
                    }
                    Work::Control(Control::Apply) => {
                        let list = args.get_or_unset(state.frame, 1).cast::<List<M>>();
                        let Some(list) = list else {
                            return self.complain(state, Complaint::CannotCall, callee, 0);
                        };
                        callee = args.get(state.frame, 0);
                        args = Args::list(self.runtime(), list);
                    }
                    Work::Control(Control::Import) => {
                        let name = args.get_or_unset(state.frame, 0);
                        let importer = GreenRef::new(pc.code().get().module);
                        match import::<M>(self, importer, name) {
                            Ok(found) if found.is::<List<M>>() => {
                                (callee, args) = (self.helper("imported").value(), Args::one(found));
                            }
                            answer => return self.answer(pc, state, answer),
                        }
                    }
                    Work::Control(Control::CallSuppressed) => {
                        let method = args.get_or_unset(state.frame, 0).promote().cast::<Multimethod<M>>();
                        let (Some(method), true) = (method, args.count() >= 3) else {
                            return self.complain(state, Complaint::CannotCall, callee, 0);
                        };
                        args = Args::pair(args.get(state.frame, 1), args.get(state.frame, 2));
                        match self.dispatch(pc, state, method, args, true) {
                            Ok((found, given)) => (callee, args) = (found, given),
                            Err(outcome) => return outcome,
                        }
                    }
                }
            } else if let Some(interface) = callee.cast::<Interface<M>>() {
                if let Some(class) = &interface.info().get().class {
                    match self.construct(state, interface, class, args) {
                        Construct::Object(object) => {
                            self.give(pc, state, object.to_value());
                            return Outcome::Next;
                        }
                        Construct::Call(function, given) => (callee, args) = (function, given),
                        Construct::Raise => return Outcome::Raise,
                    }
                    continue;
                }
                let instantiate = *interface.info().instantiate.borrow();
                match instantiate {
                    Some(function) => callee = function.value(),
                    None => return self.complain(state, Complaint::CannotInstantiate, callee, 0),
                }
            } else if let Some(function) = callee.cast::<CFunction<M>>() {
                return self.call_c(pc, state, function, args);
            } else if let Some(bound) = callee.cast::<BoundMethod<M>>() {
                args = args.after(self.runtime(), state.frame, bound.receiver());
                callee = bound.method();
            } else if callee.is::<Multimethod<M>>()
                && let Some(method) = callee.promote().cast::<Multimethod<M>>()
            {
                match self.dispatch(pc, state, method, args, false) {
                    Ok((found, given)) => (callee, args) = (found, given),
                    Err(outcome) => return outcome,
                }
            } else {
                return self.complain(state, Complaint::CannotCall, callee, 0);
            }
        }
        self.complain(state, Complaint::Recursion, null(), 0)
    }

    /// Whether a builtin leaves a call to its helper.
    fn needs_help<M: Mode>(&self, frame: Frame<M>, when: When, args: Args<M>) -> bool {
        match when {
            When::Generator(place) => args.get_or_unset(frame, place).is::<Generator<M>>(),
            When::Given(place) => args.count() > place,
        }
    }

    fn native<M: Mode>(
        &self,
        pc: Pc,
        state: &mut State<M>,
        info: GreenRef<BuiltinInfo>,
        args: Args<M>,
    ) -> Outcome {
        let frame = state.frame;
        let answer = match args.count() {
            0 => native0::<M>(self, info),
            1 => native1::<M>(self, info, args.get(frame, 0)),
            2 => native2::<M>(self, info, args.get(frame, 0), args.get(frame, 1)),
            3 => native3::<M>(self, info, args.get(frame, 0), args.get(frame, 1), args.get(frame, 2)),
            _ => native::<M>(self, info, args.items(self.runtime(), frame)),
        };
        self.answer(pc, state, answer)
    }

    /// A function of the prelude.
    pub(crate) fn helper(&self, name: &'static str) -> ConstValue {
        if let Some(helper) = self.helpers.borrow().get(name) {
            return *helper;
        }
        crate::base::define_library(self);
        self.helpers.borrow()[name]
    }
}
