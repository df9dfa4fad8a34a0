//! The module `ffi` as programs find it.

use hotloop::foreign::Scalar;
use hotloop::prelude::*;
use hotloop_ffi::memory::{self, NotFreed};
use hotloop_ffi::{Kind, Type, TypeError, library};

use super::LibraryInfo;
use super::convert::Where;
use crate::base::{builtin, method, object, string};
use crate::object::{
    Block, CFunction, CType, Dict, Library, List, Memory, Module, Str, Wrap, list, null, number, repr,
    special, text,
};
use crate::vm::Pyllisp;
use crate::vm::interface::{Answer, Native, Work};
use crate::vm::module::ModuleInfo;

/// What C calls its numbers, on x86-64.
const NUMBERS: [(&str, Scalar); 29] = [
    ("bool", Scalar::U8),
    ("char", Scalar::I8),
    ("byte", Scalar::U8),
    ("sbyte", Scalar::I8),
    ("ubyte", Scalar::U8),
    ("short", Scalar::I16),
    ("ushort", Scalar::U16),
    ("int", Scalar::I32),
    ("uint", Scalar::U32),
    ("long", Scalar::I64),
    ("ulong", Scalar::U64),
    ("longlong", Scalar::I64),
    ("ulonglong", Scalar::U64),
    ("size_t", Scalar::U64),
    ("ssize_t", Scalar::I64),
    ("intptr_t", Scalar::I64),
    ("uintptr_t", Scalar::U64),
    ("i8", Scalar::I8),
    ("u8", Scalar::U8),
    ("i16", Scalar::I16),
    ("u16", Scalar::U16),
    ("i32", Scalar::I32),
    ("u32", Scalar::U32),
    ("i64", Scalar::I64),
    ("u64", Scalar::U64),
    ("f32", Scalar::F32),
    ("f64", Scalar::F64),
    ("float", Scalar::F32),
    ("double", Scalar::F64),
];

const FUNCTIONS: [(&str, Native); 18] = [
    ("library", open),
    ("handle", handle),
    ("wrap", wrap),
    ("signed", signed),
    ("unsigned", unsigned),
    ("floating", floating),
    ("pointer", pointer),
    ("array", array),
    ("struct", structure),
    ("union", union),
    ("cfunc", cfunc),
    ("blocking", blocking),
    ("cast", cast),
    ("sizeof", sizeof),
    ("malloc", malloc),
    ("automem", automem),
    ("free", free),
    ("callback", callback),
];

/// Makes the module.
pub(crate) fn define(interp: &Pyllisp) {
    let runtime = interp.runtime();
    let info = ModuleInfo::new("ffi", None, true);
    for (name, native) in FUNCTIONS {
        info.define(interp, name, builtin(interp, name, Work::Native(native)));
    }
    for (name, scalar) in NUMBERS {
        info.define(interp, name, interp.type_value(Type::number(scalar)));
    }
    info.define(interp, "longdouble", interp.type_value(Type::long_double()));
    info.define(interp, "void", interp.type_value(Type::void()));
    if let Ok(pointer) = Type::pointer(Type::void()) {
        info.define(interp, "voidp", interp.type_value(pointer));
    }
    method(interp, interp.interfaces.ctype, "declare", Work::Native(declare));
    let value = Module::new(runtime, GreenRef::new(info)).to_value();
    interp.modules.borrow_mut().insert("ffi".to_owned(), runtime.constant(value));
    super::api::define(interp);
}

impl Pyllisp {
    /// A type as programs see it.
    pub(crate) fn type_value(&self, ty: &'static Type) -> Value<Plain> {
        let value = CType::new(self.runtime(), GreenRef::new(ty)).to_value();
        // The types of a program's text are few, and traces take them for granted.
        self.runtime().constant(value).value()
    }

    fn type_error(&self, error: &TypeError) -> Raise<Plain> {
        self.error(&error.0)
    }

    fn made(&self, ty: Result<&'static Type, TypeError>) -> Answer {
        match ty {
            Ok(ty) => Ok(CType::new(self.runtime(), GreenRef::new(ty)).to_value()),
            Err(error) => Err(self.type_error(&error)),
        }
    }

    fn type_at(&self, args: &[Value<Plain>], index: usize) -> Result<&'static Type, Raise<Plain>> {
        let ty: CType<Plain> = object(self, args, index, self.interfaces.ctype)?;
        Ok(ty.ty().get())
    }

    /// A count, 1 if it is not given.
    fn count_at(&self, args: &[Value<Plain>], index: usize) -> Result<u64, Raise<Plain>> {
        match args.get(index) {
            None => Ok(1),
            Some(arg) => {
                let count = arg.as_small().and_then(|count| u64::try_from(count.to_int().get()).ok());
                count.ok_or_else(|| {
                    self.error(&format!("expected a count as arg: {index}, got {}", repr::repr(self, *arg)))
                })
            }
        }
    }
}

/// `(library name)`, `(library name api)`; `null` as the name is the process itself
fn open(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let name = match args.first() {
        Some(name) if name.is_special(special::NULL) => None,
        _ => Some(string(interp, args, 0)?),
    };
    let api = args.get(1).copied().unwrap_or(null());
    if !api.is_special(special::NULL) && !api.is::<Dict<Plain>>() {
        return Err(interp.error("a library is described by a dict of names and types"));
    }
    interp.open_library(name.as_deref(), api).map(Library::to_value)
}

impl Pyllisp {
    /// Opens a library that a dict describes.
    pub(crate) fn open_library(
        &self,
        name: Option<&str>,
        api: Value<Plain>,
    ) -> Result<Library<Plain>, Raise<Plain>> {
        let shown = name.unwrap_or("the process itself");
        let library = library::Library::open(self.foreign()?, name)
            .map_err(|error| self.error(&format!("cannot load library {shown}: {error}")))?;
        let info = LibraryInfo::new(shown.to_owned(), Some(library), None);
        Ok(self.library_of(info, api, null()))
    }

    /// A library as programs see it.
    pub(super) fn library_of(
        &self,
        info: LibraryInfo,
        api: Value<Plain>,
        loader: Value<Plain>,
    ) -> Library<Plain> {
        let info = Box::leak(Box::new(info));
        Library::new(self.runtime(), GreenRef::new(info), api, loader)
    }
}

/// `(handle library name type)`: a symbol of a library
fn handle(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let library: Library<Plain> = object(interp, args, 0, interp.interfaces.library)?;
    let name = string(interp, args, 1)?;
    let ty = interp.type_at(args, 2)?;
    interp.symbol(library, &name, &name, ty)
}

/// `(wrap name type)`: in a library's description, what C calls by another name
fn wrap(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let name = string(interp, args, 0)?;
    let ty: CType<Plain> = object(interp, args, 1, interp.interfaces.ctype)?;
    let runtime = interp.runtime();
    Ok(Wrap::new(runtime, Str::from_text(runtime, &name), ty).to_value())
}

fn sized(interp: &Pyllisp, args: &[Value<Plain>], what: &str, sizes: &[(u64, Scalar)]) -> Answer {
    if args.is_empty() {
        return Err(interp.error("expected 1 arguments"));
    }
    let size = interp.count_at(args, 0)?;
    match sizes.iter().find(|(known, _)| *known == size) {
        Some((_, scalar)) => interp.made(Ok(Type::number(*scalar))),
        None => Err(interp.error(&format!("there is no {what} number of {size} bytes"))),
    }
}

/// `(signed bytes)`
fn signed(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let sizes = [(1, Scalar::I8), (2, Scalar::I16), (4, Scalar::I32), (8, Scalar::I64)];
    sized(interp, args, "signed", &sizes)
}

/// `(unsigned bytes)`
fn unsigned(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let sizes = [(1, Scalar::U8), (2, Scalar::U16), (4, Scalar::U32), (8, Scalar::U64)];
    sized(interp, args, "unsigned", &sizes)
}

/// `(floating bytes)`
fn floating(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    sized(interp, args, "floating", &[(4, Scalar::F32), (8, Scalar::F64)])
}

/// `(pointer type)`
fn pointer(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    interp.made(Type::pointer(interp.type_at(args, 0)?))
}

/// `(array type)`, `(array type length)`
fn array(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let length = if args.len() > 1 { Some(interp.count_at(args, 1)?) } else { None };
    interp.made(Type::array(interp.type_at(args, 0)?, length))
}

/// `(struct fields)`, `(struct name fields)`, `(struct name)`: without fields its size is unknown
fn structure(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    record(interp, args, false)
}

/// `(union fields)`, `(union name fields)`, `(union name)`
fn union(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    record(interp, args, true)
}

fn record(interp: &Pyllisp, args: &[Value<Plain>], union: bool) -> Answer {
    let named = args.first().and_then(|name| text::as_text(*name));
    let fields = if named.is_some() { args.get(1) } else { args.first() };
    let ty = Type::record(named.as_deref().unwrap_or("without name"), union);
    if let Some(fields) = fields {
        complete(interp, ty, *fields)?;
    }
    interp.made(Ok(ty))
}

/// `(type.declare fields)`: gives a structure or union its fields
fn declare(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let ty = interp.type_at(args, 0)?;
    complete(interp, ty, args.get(1).copied().unwrap_or(null()))?;
    Ok(args[0])
}

fn complete(interp: &Pyllisp, ty: &'static Type, fields: Value<Plain>) -> Result<(), Raise<Plain>> {
    let Some(record) = ty.as_record() else {
        return Err(interp.error(&format!("{ty} has no fields")));
    };
    let shown = || repr::repr(interp, fields);
    let Some(fields) = fields.cast::<List<Plain>>() else {
        return Err(interp.error(&format!("expected a list of fields, got {}", shown())));
    };
    let mut described = Vec::with_capacity(list::length(fields));
    for index in 0..list::length(fields) {
        let field = list::get(fields, index);
        let pair = field.cast::<List<Plain>>().filter(|pair| (2..=3).contains(&list::length(*pair)));
        let pair = pair.and_then(|pair| {
            let name = text::as_text(list::get(pair, 0))?.to_string();
            let bits = match list::length(pair) {
                2 => None,
                _ => Some(u32::try_from(list::get(pair, 2).as_small()?.to_int().get()).ok()?),
            };
            Some((name, list::get(pair, 1).cast::<CType<Plain>>()?.ty().get(), bits))
        });
        match pair {
            Some(pair) => described.push(pair),
            None => {
                let shown = repr::repr(interp, field);
                return Err(interp.error(&format!(
                    "expected a field like [\"x\" ffi.int], or [\"x\" ffi.int 3] for bits, got {shown}"
                )));
            }
        }
    }
    record.complete(described).map_err(|error| interp.type_error(&error))
}

/// `(cfunc result arguments)`, `(cfunc result arguments true)`: any number of arguments may follow
fn cfunc(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let result = match args.first() {
        Some(result) if result.is_special(special::NULL) => Type::void(),
        _ => interp.type_at(args, 0)?,
    };
    let wanted: List<Plain> = object(interp, args, 1, interp.interfaces.list)?;
    let mut types = Vec::with_capacity(list::length(wanted));
    for index in 0..list::length(wanted) {
        match list::get(wanted, index).cast::<CType<Plain>>() {
            Some(ty) => types.push(ty.ty().get()),
            None => {
                let shown = repr::repr(interp, list::get(wanted, index));
                return Err(interp.error(&format!("expected a type of C as an argument's, got {shown}")));
            }
        }
    }
    let variadic = args.get(2).is_some_and(|more| crate::object::is_true(*more));
    interp.made(Type::function(result, types, variadic))
}

/// `(blocking type)`: a function's type, for functions that may take long
fn blocking(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    interp.made(interp.type_at(args, 0)?.blocking())
}

/// `(cast value type)`: the same word or memory as another type
fn cast(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let ty = interp.type_at(args, 1)?;
    let value = args[0];
    let refused = || Err(interp.error(&format!("cannot cast {} to {ty}", repr::repr(interp, value))));
    let address = if let Some(memory) = value.cast::<Memory<Plain>>() {
        Some((memory.address().get(), memory.block()))
    } else {
        value.cast::<CFunction<Plain>>().map(|function| (function.address().get(), None))
    };
    let number = number::as_number(value).map(|integer| match integer {
        number::Integer::Small(word) => word as u64,
        number::Integer::Big(big) => low_word(&big),
    });
    match &ty.kind {
        Kind::LongDouble | Kind::Number(Scalar::F32 | Scalar::F64) => {
            let float = value.as_float().map(|float| float.get());
            let float = float.or_else(|| number::as_number(value).map(|integer| integer.to_float()));
            match float {
                Some(float) if ty.scalar() == Some(Scalar::F32) => {
                    Ok(Value::from_float(interp.runtime(), f64::from(float as f32).into()))
                }
                Some(float) => Ok(Value::from_float(interp.runtime(), float.into())),
                None => refused(),
            }
        }
        Kind::Number(scalar) => {
            let float = value.as_float().map(|float| float.get() as i64 as u64);
            match number.or(float).or(address.map(|(address, _)| address as u64)) {
                Some(word) => Ok(interp.value_of_word(ty, scalar.extend(word))),
                None => refused(),
            }
        }
        _ => {
            let to = match ty.kind {
                Kind::Pointer(to) => to,
                _ => ty,
            };
            let (address, block) = match (address, number) {
                (Some(known), _) => known,
                (None, Some(word)) => (word as i64, None),
                (None, None) if value.is_special(special::NULL) => (0, None),
                (None, None) => return refused(),
            };
            if address == 0 {
                return Ok(null());
            }
            if let Kind::Function(_) = to.kind {
                let name = value.cast::<CFunction<Plain>>().map(|function| text::text(function.name()));
                return Ok(interp.function_at(address, to, name.as_deref().unwrap_or("function")));
            }
            Ok(Memory::new(interp.runtime(), GreenRef::new(to), address.into(), block).to_value())
        }
    }
}

/// The lowest 64 bits, as two's complement.
fn low_word(big: &dashu_int::IBig) -> u64 {
    let (sign, words) = big.as_sign_words();
    let low = words.first().copied().unwrap_or(0);
    if sign == dashu_int::Sign::Negative { low.wrapping_neg() } else { low }
}

fn size_of_many(interp: &Pyllisp, args: &[Value<Plain>]) -> Result<(&'static Type, u64), Raise<Plain>> {
    let ty = interp.type_at(args, 0)?;
    let size = ty.size().map_err(|error| interp.type_error(&error))?;
    let count = interp.count_at(args, 1)?;
    match size.checked_mul(count).filter(|size| *size < 1 << 40) {
        Some(size) => Ok((ty, size)),
        None => Err(interp.error("out of memory")),
    }
}

/// `(sizeof type)`, `(sizeof type count)`
fn sizeof(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let (_, size) = size_of_many(interp, args)?;
    Ok(number::integer(interp.runtime(), size as i64))
}

/// `(malloc type)`, `(malloc type count)`: zeroed memory that has to be freed
fn malloc(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let (ty, size) = size_of_many(interp, args)?;
    let Some(address) = memory::allocate(interp.foreign()?, size as usize) else {
        return Err(interp.error("out of memory"));
    };
    let runtime = interp.runtime();
    let (start, size) = (address as i64, size as i64);
    let block = Block::new(runtime, start.into(), size.into(), 1.into(), None);
    Ok(Memory::new(runtime, GreenRef::new(ty), start.into(), Some(block)).to_value())
}

/// `(automem type)`, `(automem type count)`: zeroed memory that goes when nobody refers to it
fn automem(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let (ty, size) = size_of_many(interp, args)?;
    Ok(interp.room(ty, size)?.to_value())
}

/// `(free memory)`, `(free callback)`
fn free(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    if let Some(function) = args.first().and_then(|arg| arg.cast::<CFunction<Plain>>()) {
        return interp.free_callback(function.address().get() as usize).map(|()| null());
    }
    let memory: Memory<Plain> = object(interp, args, 0, interp.interfaces.memory)?;
    interp.check_live(memory, &Where(format_args!("free")))?;
    if let Some(block) = memory.block() {
        if block.owner().is_some() {
            return Err(interp.error("free: memory of automem is freed when nobody refers to it"));
        }
        if block.start().get() != memory.address().get() {
            return Err(interp.error("free: the memory is inside of a block"));
        }
        block.set_live(0.into());
    }
    match memory::free(interp.foreign()?, memory.address().get() as usize) {
        Ok(()) => Ok(null()),
        Err(NotFreed::Null) => Err(interp.error("free: null")),
        Err(NotFreed::Inside) => Err(interp.error("free: the memory is inside of a block")),
    }
}

/// `(callback type function)`: a function of the program as one of C
fn callback(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let mut ty = interp.type_at(args, 0)?;
    if let Kind::Pointer(to) = ty.kind {
        ty = to;
    }
    let function = args.get(1).copied().unwrap_or(null());
    if !super::convert::can_be_called(function) {
        let shown = repr::repr(interp, function);
        return Err(interp.error(&format!("callback: expected a function, got {shown}")));
    }
    let address = interp.callback(function, ty, &Where(format_args!("callback")))?;
    Ok(interp.function_at(address as i64, ty, "callback"))
}
