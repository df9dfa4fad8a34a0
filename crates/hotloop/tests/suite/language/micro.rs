//! What the operations do.

use hotloop::prelude::*;

use super::op::{Micro, Op};
use super::types::{Array, Bytes, Cell, Closure, Config, Frame, Generator, Pair};
use super::{DEEP, INDEX, NULL, OVERFLOW, State, TYPE, Tiny, ZERO, error, hint, native};

pub type Done<M, T = ()> = Result<T, Raise<M>>;

pub fn fail<M: Mode, T>(number: u32) -> Done<M, T> {
    Err(Raise(error(number)))
}

pub fn as_type<M: Mode, T: HeapType<M>>(value: Value<M>) -> Done<M, T> {
    value.cast::<T>().ok_or(Raise(error(TYPE)))
}

pub fn as_small<M: Mode>(value: Value<M>) -> Done<M, Small<M>> {
    value.as_small().ok_or(Raise(error(TYPE)))
}

fn as_float<M: Mode>(value: Value<M>) -> Done<M, Float<M>> {
    if let Some(small) = value.as_small() {
        return Ok(small.to_int().to_float());
    }
    value.as_float().ok_or(Raise(error(TYPE)))
}

pub fn less<M: Mode>(a: Value<M>, b: Value<M>) -> Done<M, bool> {
    if let Some((a, b)) = a.both_small(b) {
        return Ok(a < b);
    }
    Ok(as_float(a)? < as_float(b)?)
}

fn truth<M: Mode>(holds: bool) -> Value<M> {
    Value::small(holds as i64)
}

pub fn small<M: Mode>(number: Int<M>) -> Value<M> {
    Small::from_int(number).map_or(error(OVERFLOW), Small::to_value)
}

impl Tiny {
    fn arithmetic<M: Mode>(&self, op: Op, a: Value<M>, b: Value<M>) -> Done<M, Value<M>> {
        if let Some((a, b)) = a.both_small(b) {
            let zero = Small::constant(0);
            let result = match op {
                Op::Add => a.checked_add(b),
                Op::Sub => a.checked_sub(b),
                Op::Mul => a.checked_mul(b),
                Op::Div if b == zero => return fail(ZERO),
                Op::Div => a.checked_div_floor(b),
                _ if b == zero => return fail(ZERO),
                _ => a.checked_mod_floor(b),
            };
            return result.map(Small::to_value).ok_or(Raise(error(OVERFLOW)));
        }
        let (a, b) = (as_float(a)?, as_float(b)?);
        let result = match op {
            Op::Add => a + b,
            Op::Sub => a - b,
            Op::Mul => a * b,
            Op::Div if b == 0.0 => return fail(ZERO),
            Op::Div => a / b,
            _ => return fail(TYPE),
        };
        Ok(Value::from_float(&self.runtime, result))
    }

    pub(super) fn micro<M: Mode>(&self, micro: &Micro, state: &mut State<M>) -> Done<M> {
        let runtime = &self.runtime;
        let frame = state.frame;
        let [x, y, z] = micro.args;
        let get = |register: i64| frame.slots(register);
        let set = |register: i64, value: Value<M>| frame.set_slots(register, value);
        match micro.op {
            Op::Int => set(x, Value::small(y)),
            Op::Float => set(x, Value::from_float(runtime, Float::from(f64::from_bits(y as u64)))),
            Op::Null => set(x, Value::special(NULL)),
            Op::Move => set(x, get(y)),
            Op::Promote => {
                // Only what is seldom different: references would make a trace for each object.
                let number = as_small(get(y))?.and(Small::constant(3)).promote();
                set(x, Value::small(number));
            }
            Op::Add | Op::Sub | Op::Mul | Op::Div | Op::Mod => {
                set(x, self.arithmetic(micro.op, get(y), get(z))?)
            }
            Op::And => set(x, as_small(get(y))?.and(as_small(get(z))?).to_value()),
            Op::Xor => set(x, as_small(get(y))?.xor(as_small(get(z))?).to_value()),
            Op::Mix => {
                let (a, b) = (as_small(get(y))?.to_int(), as_small(get(z))?.to_int());
                let mixed = ((a << 7) ^ (b * 0x9e37_79b9i64) ^ a.shr_logical(3)) & 0xff_ffff;
                set(x, small(mixed));
            }
            Op::Less => set(x, truth(less(get(y), get(z))?)),
            Op::Same => set(x, small(get(y).is_same_word(get(z)).to_int())),
            Op::Min => {
                let (a, b) = (as_small(get(y))?, as_small(get(z))?);
                set(x, a.is_lt(b).select_value(a.to_value(), b.to_value()));
            }
            Op::Assert => {
                if !less(get(x), get(y))? {
                    return Err(Raise(get(x)));
                }
            }

            Op::Pair => set(x, Pair::new(runtime, get(y), get(z)).to_value()),
            Op::First => set(x, as_type::<M, Pair<M>>(get(y))?.first()),
            Op::Second => set(x, as_type::<M, Pair<M>>(get(y))?.second()),
            Op::SetFirst => as_type::<M, Pair<M>>(get(x))?.set_first(get(y)),
            Op::SetSecond => as_type::<M, Pair<M>>(get(x))?.set_second(get(y)),
            Op::IsPair => set(x, truth(get(y).is::<Pair<M>>())),

            Op::Cell => set(x, Cell::new(runtime, get(y), Int::from(0), Float::from(0.0), None).to_value()),
            Op::CellGet => set(x, as_type::<M, Cell<M>>(get(y))?.value()),
            Op::CellSet => as_type::<M, Cell<M>>(get(x))?.set_value(get(y)),
            Op::Count => set(x, small(as_type::<M, Cell<M>>(get(y))?.count())),
            Op::Bump => {
                let cell = as_type::<M, Cell<M>>(get(x))?;
                cell.set_count(cell.count() + 1);
            }
            Op::Weight => {
                let weight = as_type::<M, Cell<M>>(get(y))?.weight();
                set(x, Value::from_float(runtime, weight));
            }
            Op::Weigh => {
                let cell = as_type::<M, Cell<M>>(get(x))?;
                cell.set_weight(cell.weight() + as_float(get(y))?);
            }
            Op::Link => as_type::<M, Cell<M>>(get(x))?.set_link(get(y).cast::<Pair<M>>()),
            Op::Linked => {
                let link = as_type::<M, Cell<M>>(get(y))?.link();
                set(x, link.map_or(Value::special(NULL), |pair| pair.to_value()));
            }

            Op::Array => set(x, Array::new(runtime, y).to_value()),
            Op::Item => {
                let (array, index) = (as_type::<M, Array<M>>(get(y))?, as_small(get(z))?.to_int());
                if !index.is_index_of(array.items_len()) {
                    return fail(INDEX);
                }
                set(x, array.items(index));
            }
            Op::SetItem => {
                let (array, index) = (as_type::<M, Array<M>>(get(x))?, as_small(get(y))?.to_int());
                if !index.is_index_of(array.items_len()) {
                    return fail(INDEX);
                }
                array.set_items(index, get(z));
            }
            Op::Length => set(x, small(as_type::<M, Array<M>>(get(y))?.items_len())),
            Op::Bytes => set(x, Bytes::new(runtime, y).to_value()),
            Op::Byte => {
                let (bytes, index) = (as_type::<M, Bytes<M>>(get(y))?, as_small(get(z))?.to_int());
                if !index.is_index_of(bytes.items_len()) {
                    return fail(INDEX);
                }
                set(x, small(bytes.items(index)));
            }
            Op::SetByte => {
                let (bytes, index) = (as_type::<M, Bytes<M>>(get(x))?, as_small(get(y))?.to_int());
                if !index.is_index_of(bytes.items_len()) {
                    return fail(INDEX);
                }
                bytes.set_items(index, as_small(get(z))?.to_int());
            }

            Op::ArrayOf
            | Op::CopyItems
            | Op::CopyBytes
            | Op::FillItems
            | Op::SameBytes
            | Op::SameItems
            | Op::Slice
            | Op::List
            | Op::Push
            | Op::Pop
            | Op::At
            | Op::Size => self.list_micro(micro, state)?,

            Op::Config => set(x, Config::new(runtime, get(y), Int::from(0)).to_value()),
            Op::Kind => set(x, as_type::<M, Config<M>>(get(y))?.promote().kind()),
            Op::Version => set(x, small(as_type::<M, Config<M>>(get(y))?.promote().version())),
            Op::SetVersion => {
                let version = as_small(get(y))?.to_int();
                as_type::<M, Config<M>>(get(x))?.set_version(version);
            }
            Op::Global => set(x, self.globals::<M>()?.items(y)),
            Op::SetGlobal => self.globals::<M>()?.set_items(x, get(y)),
            Op::Closure => {
                let code = GreenRef::new(&self.program.functions[y as usize]);
                set(x, Closure::new(runtime, code, get(z)).to_value());
            }
            Op::Generator => {
                let code = GreenRef::new(&self.program.functions[y as usize]);
                let generator = Generator::new(runtime, None, Int::from(0));
                let depth = frame.depth() + 1;
                if depth > super::MOST_DEPTH {
                    return fail(DEEP);
                }
                let body =
                    Frame::new(runtime, code, None, 0, depth, Some(generator), Value::zero(), code.registers);
                body.set_slots(0, get(z));
                generator.set_frame(Some(body));
                set(x, generator.to_value());
            }

            Op::ThisFrame => set(x, frame.to_value()),
            Op::FrameSlot => {
                let other = as_type::<M, Frame<M>>(get(y))?;
                if !Int::from(z).is_index_of(other.slots_len()) {
                    return fail(INDEX);
                }
                set(x, other.slots(z));
            }
            Op::SetFrameSlot => {
                let other = as_type::<M, Frame<M>>(get(x))?;
                if !Int::from(y).is_index_of(other.slots_len()) {
                    return fail(INDEX);
                }
                other.set_slots(y, get(z));
            }
            Op::Depth => set(x, small(frame.depth())),
            Op::Note => frame.set_note(get(x)),
            Op::Noted => set(x, frame.note()),
            Op::Paint => state.color = x as u32,

            Op::Print => native::print::<M>(self, get(x)),
            Op::Peek => set(x, native::peek::<M>(as_type(get(y))?)),
            Op::MakePair => set(x, native::make_pair::<M>(self, get(y), get(z)).to_value()),
            Op::Next => set(x, small(native::next::<M>(self))),
            Op::IsBig => set(x, truth(native::is_big::<M>(get(y)))),
            Op::PairOf => {
                let pair = native::pair_of::<M>(as_type(get(y))?);
                set(x, pair.map_or(Value::special(NULL), |pair| pair.to_value()));
            }
            Op::Half => {
                let half = native::half::<M>(get(y))?;
                set(x, Value::from_float(runtime, half));
            }
            Op::Halves => set(x, native::halves::<M>(self, get(y))?.to_value()),
            Op::Poke => native::poke::<M>(as_type(get(x))?, get(y)),
            Op::PokeOdd => set(x, native::poke_odd::<M>(as_type(get(y))?, get(z))?),
            Op::Advance => native::advance::<M>(as_type(get(x))?),
            Op::Scribble => native::scribble::<M>(as_type(get(x))?, get(y)),
            Op::PokeVersion => native::poke_version::<M>(as_type(get(x))?, as_small(get(y))?.to_int()),
            Op::Walk => set(x, small(native::walk::<M>(frame))),
            Op::Chain => native::chain::<M>(self, frame),
            Op::CallerSlot => set(x, native::caller_slot::<M>(frame, y)),
            Op::SetCallerSlot => native::set_caller_slot::<M>(frame, x, get(y)),
            Op::MySlot => set(x, native::my_slot::<M>(frame, y)),
            Op::SetMySlot => native::set_my_slot::<M>(frame, x, get(y)),
            Op::OddSlot => native::odd_slot::<M>(frame, x, get(y))?,
            Op::AnyPoke => set(x, native::any_poke::<M>(as_type(get(y))?, get(z))?),
            Op::SlotIf => set(x, native::slot_if::<M>(frame, y, get(z))),
            Op::SetSlotIf => native::set_slot_if::<M>(frame, x, get(y), get(z)),
            Op::CallerSlotIf => set(x, native::caller_slot_if::<M>(frame, y, get(z))),
            Op::SetCallerSlotIf => native::set_caller_slot_if::<M>(frame, x, get(y), get(z)),
            Op::WalkIf => set(x, small(native::walk_if::<M>(frame, get(y)))),
            Op::ChainIf => native::chain_if::<M>(self, frame, get(x)),
            Op::RaiseIf => {
                native::raise_if::<M>(frame, x, get(y))?;
            }
            Op::GrabIf => set(x, native::grab_if::<M>(frame, get(y))),
            Op::NestedIf => set(x, native::nested_if::<M>(self, y, get(z))?),
            Op::Hash => set(x, small(native::hash::<M>(get(y)))),
            Op::Root => set(x, small(native::root::<M>(get(y))?)),
            Op::Total => set(x, small(hint::total::<M>(as_type(get(y))?)?)),
            Op::HashConst => {
                let number = as_small(get(y))?.and(Small::constant(3)).to_value();
                set(x, small(hint::hash_const::<M>(self, number)));
            }
            Op::Limit => set(x, small(hint::limit::<M>(self))),
            Op::Watch => hint::watch::<M>(self, get(x)),
            Op::Square => set(x, small(hint::square::<M>(as_small(get(y))?.to_int()))),
            Op::SquareRoot => set(x, small(hint::square_root::<M>(as_small(get(y))?.to_int()))),
            Op::SureFirst => set(x, hint::sure_first::<M>(get(y)).ok_or(Raise(error(TYPE)))?),
            Op::LowBit => set(x, Value::small(hint::low_bit::<M>(as_small(get(y))?.to_int()))),
            Op::IfConstant => hint::if_constant::<M>(runtime, as_type(get(x))?, get(y)),
            Op::IfVirtual => set(x, hint::if_virtual::<M>(as_type(get(y))?)),
            Op::AtLeast => hint::at_least::<M>(as_type(get(x))?, as_small(get(y))?)?,
            Op::Cached => set(x, small(hint::cached::<M>(as_type(get(y))?))),
            Op::IfJitted => hint::if_jitted::<M>(as_type(get(x))?),
        }
        Ok(())
    }

    fn globals<M: Mode>(&self) -> Done<M, Array<M>> {
        as_type(self.globals.value::<M>())
    }
}
