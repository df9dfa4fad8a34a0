//! Calls of C: those whose arguments are as usual and fit registers are done in line, so that a trace calls the
//! function itself; all others go through libffi.

use hotloop::foreign::Number;
use hotloop::prelude::*;
use hotloop_ffi::call::{Returned, call_in};
use hotloop_ffi::{Function, Kind, Type, memory};

use super::convert::{Where, address_of_room};
use crate::object::{Block, CFunction, Items, Memory, Room, Str, is_set, list, null, number, text, unset};
use crate::vm::call::{Args, Outcome};
use crate::vm::{Pc, Pyllisp, State};

/// Calls a function of C in any way that there is.
#[residual(any)]
fn call_any(
    interp: &Pyllisp,
    function: CFunction<Plain>,
    args: Items<Plain>,
) -> Result<Value<Plain>, Raise<Plain>> {
    interp.call_any(function, args)
}

/// The value of a word that is no small integer.
#[residual(reads)]
fn large(interp: &Pyllisp, word: Int<Plain>, signed: bool) -> Value<Plain> {
    let word = word.get();
    if signed { number::integer(interp.runtime(), word) } else { interp.unsigned(word as u64) }
}

impl Pyllisp {
    /// Calls a function of C.
    #[inline(never)]
    pub(crate) fn call_c<M: Mode>(
        &self,
        pc: Pc,
        state: &mut State<M>,
        function: CFunction<M>,
        args: Args<M>,
    ) -> Outcome {
        let frame = state.frame;
        match self.call_directly(state, function, args) {
            Some(answer) => self.answer(pc, state, answer),
            None => {
                let answer = call_any::<M>(self, function, args.items(self.runtime(), frame));
                self.answer(pc, state, answer)
            }
        }
    }

    /// The call without libffi, if that can be.
    fn call_directly<M: Mode>(
        &self,
        state: &State<M>,
        function: CFunction<M>,
        args: Args<M>,
    ) -> Option<Result<Value<M>, Raise<M>>> {
        let foreign = self.ffi.allowed?;
        let ty: &'static Type = function.ty().get();
        let signature: &'static Function = ty.as_function()?;
        let count = signature.args.len();
        let how = signature.direct().filter(|_| usize::from(args.count()) == count)?;
        let mut numbers = [Number::Word(0.into()); 14];
        for (index, arg) in signature.args.iter().enumerate() {
            numbers[index] = self.number_for_c(arg, args.get(state.frame, index as u16))?;
        }
        // Read after the arguments: they may have made the first callback.
        let callbacks = self.callbacks::<M>();
        let calls_back = callbacks.made() != 0;
        let result = foreign.call(how, calls_back, function.address(), &numbers[..count]);
        if calls_back {
            let pending = callbacks.pending();
            if is_set(pending) {
                callbacks.set_pending(unset());
                return Some(Err(Raise(pending)));
            }
        }
        Some(Ok(match result {
            None => null(),
            Some(number) => self.value_of(signature.result, number),
        }))
    }

    /// The value of what C gave.
    pub(super) fn value_of<M: Mode>(&self, ty: &'static Type, number: Number<M>) -> Value<M> {
        let runtime = self.runtime();
        let word = match number {
            Number::Float(float) => return Value::from_float(runtime, float),
            Number::Word(word) => word,
        };
        let Kind::Pointer(to) = ty.kind else {
            let signed = !matches!(ty.kind, Kind::Number(hotloop::foreign::Scalar::U64));
            // The highest bit would be a sign.
            let small = if signed || word >= 0 { Value::from_int(word) } else { None };
            return small.unwrap_or_else(|| large::<M>(self, word, signed));
        };
        if word == 0 {
            return null();
        }
        if matches!(to.kind, Kind::Function(_)) {
            let name = self.function_name();
            return CFunction::new(runtime, GreenRef::new(to), word, name).to_value();
        }
        Memory::new(runtime, GreenRef::new(to), word, None).to_value()
    }

    /// Calls a function of C through libffi.
    pub(super) fn call_any(
        &self,
        function: CFunction<Plain>,
        args: Items<Plain>,
    ) -> Result<Value<Plain>, Raise<Plain>> {
        let foreign = self.foreign()?;
        let ty: &'static Type = function.ty().get();
        let name = text::text(function.name());
        let Some(signature) = ty.as_function() else {
            return Err(self.error(&format!("cannot call {name}: it is of type {ty}")));
        };
        let (given, wanted) = (args.items_len().get() as usize, signature.args.len());
        if given < wanted || (given > wanted && !signature.variadic) {
            let more = if signature.variadic { "at least " } else { "" };
            return Err(self.error(&format!("{name} takes {more}{wanted} arguments, got {given}")));
        }
        let keep = list::with_room(self.runtime(), 0);
        let mut words = Vec::with_capacity(given);
        for index in 0..given {
            let place = Where(format_args!("argument {} of {name}", index + 1));
            let value = args.items(index);
            let arg = match signature.args.get(index) {
                Some(arg) => arg,
                None => self.natural_type(value, &place)?,
            };
            words.push(self.to_c(arg, value, keep, &place)?);
        }
        let answer = call_in(self.runtime(), foreign, signature, function.address().get() as usize, &words);
        // What the words point to stays until the call is over.
        std::hint::black_box((keep, args));
        let callbacks = self.callbacks::<Plain>();
        let pending = callbacks.pending();
        if is_set(pending) {
            callbacks.set_pending(unset());
            return Err(Raise(pending));
        }
        match answer.map_err(|error| self.error(&format!("{name}: {error}")))? {
            Returned::Nothing => Ok(null()),
            Returned::Word(word) => Ok(self.value_of_word(signature.result, word)),
            Returned::Float(float) => Ok(Value::from_float(self.runtime(), float.into())),
            Returned::Bytes(bytes) => {
                let memory = self.room(signature.result, bytes.len() as u64)?;
                memory::write(foreign, memory.address().get() as usize, &bytes);
                Ok(memory.to_value())
            }
        }
    }

    /// As what C takes a value where any number of arguments may follow.
    fn natural_type(&self, value: Value<Plain>, place: &Where<'_>) -> Result<&'static Type, Raise<Plain>> {
        use hotloop::foreign::Scalar;
        if value.as_float().is_some() {
            return Ok(Type::number(Scalar::F64));
        }
        if number::as_number(value).is_some() {
            return Ok(Type::number(Scalar::I64));
        }
        let pointer = value.is::<Memory<Plain>>()
            || value.is::<Str<Plain>>()
            || value.is::<CFunction<Plain>>()
            || value.is_special(crate::object::special::NULL);
        match Type::pointer(Type::void()) {
            Ok(void) if pointer => Ok(void),
            _ => {
                let shown = crate::object::repr::repr(self, value);
                Err(self.error(&format!("{}: C has nothing for {shown}", place.0)))
            }
        }
    }

    /// Zeroed memory for values of a type that lives as long as somebody refers to it.
    pub(super) fn room(&self, ty: &'static Type, size: u64) -> Result<Memory<Plain>, Raise<Plain>> {
        let runtime = self.runtime();
        let length = u32::try_from(size).ok().filter(|_| runtime.try_reserve(size as usize));
        let Some(length) = length else { return Err(self.error("out of memory")) };
        // Bytes in the heap don't move.
        let room = Room::<Plain>::new(runtime, length.max(1));
        let start = address_of_room(room);
        let size = size as i64;
        let block = Block::new(runtime, start.into(), size.into(), 1.into(), Some(room));
        Ok(Memory::new(runtime, GreenRef::new(ty), start.into(), Some(block)))
    }
}
