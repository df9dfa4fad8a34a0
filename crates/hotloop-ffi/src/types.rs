//! The types of C and how they lie in memory, by the System V convention of x86-64.
//!
//! Types live as long as the process, so that traces may keep them; equal ones are made once, but for structures and
//! unions, which are what their names say they are. A record without a body (C calls it incomplete) can be pointed to
//! only. Nesting is bounded, so that nobody overflows the stack who walks a type.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::fmt;

use hotloop::foreign::{ForeignCall, Scalar};

/// How deep types may nest.
const MOST_DEPTH: u32 = 64;
/// The most bytes of a type.
const MOST_SIZE: u64 = 1 << 40;

/// A type of C.
pub struct Type {
    /// What it is.
    pub kind: Kind,
    depth: u32,
}

/// What a type is.
pub enum Kind {
    /// `void`
    Void,
    /// A number.
    Number(Scalar),
    /// `long double`: 80 bits in 16 bytes.
    LongDouble,
    /// A pointer.
    Pointer(&'static Type),
    /// An array; of unknown length at the end of structures and behind pointers.
    Array(&'static Type, Option<u64>),
    /// A structure or a union.
    Record(Record),
    /// A function; what is called is a pointer to one.
    Function(Function),
}

/// A structure or a union.
pub struct Record {
    /// What it is called.
    pub name: String,
    /// Whether its fields share one place.
    pub union: bool,
    body: OnceCell<Body>,
}

/// What a record that is complete consists of.
pub struct Body {
    /// The fields, in order.
    pub fields: Vec<Field>,
    size: u64,
    align: u64,
    depth: u32,
}

/// A field of a record.
#[derive(Clone)]
pub struct Field {
    /// Its name; empty if it is a record whose fields count as the outer one's.
    pub name: String,
    /// Its type.
    pub ty: &'static Type,
    /// Bytes from the record's beginning.
    pub offset: u64,
    /// Which bits of the number there it is, if not all.
    pub bits: Option<Bits>,
}

/// The bits of a bit-field in the number that it lies in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bits {
    /// How many bits are below.
    pub shift: u32,
    /// How many there are.
    pub width: u32,
}

fn is_signed(scalar: Scalar) -> bool {
    matches!(scalar, Scalar::I8 | Scalar::I16 | Scalar::I32 | Scalar::I64)
}

impl Bits {
    /// The field's value in a number of the type.
    pub fn read(self, scalar: Scalar, word: u64) -> u64 {
        let unused = 64 - self.width;
        let high = word << (unused - self.shift);
        if is_signed(scalar) { (high as i64 >> unused) as u64 } else { high >> unused }
    }

    /// The number of the type with another value of the field, of which the lowest bits count.
    pub fn write(self, word: u64, value: u64) -> u64 {
        let mask = (u64::MAX >> (64 - self.width)) << self.shift;
        word & !mask | value << self.shift & mask
    }

    /// The least and the greatest value of the field.
    pub fn range(self, scalar: Scalar) -> (i128, i128) {
        let all = 1i128 << self.width;
        if is_signed(scalar) { (-(all >> 1), (all >> 1) - 1) } else { (0, all - 1) }
    }
}

/// Where a field is found.
#[derive(Clone, Copy)]
pub struct Found {
    /// Its type.
    pub ty: &'static Type,
    /// Bytes from the beginning.
    pub offset: u64,
    /// Which bits there, if not all.
    pub bits: Option<Bits>,
}

/// A field that a record is given: name, type, and of how many bits it is if it is a bit-field.
pub type NewField = (String, &'static Type, Option<u32>);

/// What functions of a type take and give.
pub struct Function {
    /// The result.
    pub result: &'static Type,
    /// The arguments.
    pub args: Vec<&'static Type>,
    /// Whether more arguments may follow.
    pub variadic: bool,
    /// Whether it may take long: collections of other threads don't wait for it.
    pub blocking: bool,
    direct: OnceCell<Option<ForeignCall>>,
    pub(crate) interface: OnceCell<Option<libffi::middle::Cif>>,
}

/// Why there is no such type, or why it can't be used so.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TypeError(pub String);

impl fmt::Display for TypeError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for TypeError {}

fn wrong<T>(message: String) -> Result<T, TypeError> {
    Err(TypeError(message))
}

#[derive(PartialEq, Eq, Hash)]
enum Key {
    Void,
    Number(Scalar),
    LongDouble,
    Pointer(usize),
    Array(usize, Option<u64>),
    Function(usize, Vec<usize>, bool, bool),
}

thread_local! {
    static KNOWN: RefCell<HashMap<Key, &'static Type>> = RefCell::default();
}

fn address(ty: &'static Type) -> usize {
    std::ptr::from_ref(ty).addr()
}

fn made(key: Key, depth: u32, kind: impl FnOnce() -> Kind) -> Result<&'static Type, TypeError> {
    if depth > MOST_DEPTH {
        return wrong("the type is nested too deeply".into());
    }
    Ok(KNOWN.with_borrow_mut(|known| {
        *known.entry(key).or_insert_with(|| Box::leak(Box::new(Type { kind: kind(), depth })))
    }))
}

impl Type {
    /// `void`
    pub fn void() -> &'static Type {
        Type::simple(Key::Void, Kind::Void)
    }

    /// A number.
    pub fn number(scalar: Scalar) -> &'static Type {
        Type::simple(Key::Number(scalar), Kind::Number(scalar))
    }

    /// `long double`
    pub fn long_double() -> &'static Type {
        Type::simple(Key::LongDouble, Kind::LongDouble)
    }

    fn simple(key: Key, kind: Kind) -> &'static Type {
        match made(key, 0, || kind) {
            Ok(ty) => ty,
            Err(_) => unreachable!("nothing is nested"),
        }
    }

    /// A pointer.
    ///
    /// # Errors
    /// It is nested too deeply.
    pub fn pointer(to: &'static Type) -> Result<&'static Type, TypeError> {
        made(Key::Pointer(address(to)), to.depth + 1, || Kind::Pointer(to))
    }

    /// An array.
    ///
    /// # Errors
    /// There are no such items, or it is too large.
    pub fn array(of: &'static Type, length: Option<u64>) -> Result<&'static Type, TypeError> {
        let size = of.size()?;
        if length.is_some_and(|length| size.checked_mul(length).is_none_or(|size| size > MOST_SIZE)) {
            return wrong(format!("an array of {} {of} is too large", length.unwrap_or(0)));
        }
        made(Key::Array(address(of), length), of.depth + 1, || Kind::Array(of, length))
    }

    /// A structure, or a union, that is not complete.
    pub fn record(name: &str, union: bool) -> &'static Type {
        let record = Record { name: name.to_owned(), union, body: OnceCell::new() };
        Box::leak(Box::new(Type { kind: Kind::Record(record), depth: 0 }))
    }

    /// A function's type.
    ///
    /// # Errors
    /// An argument or the result can't be passed.
    pub fn function(
        result: &'static Type,
        args: Vec<&'static Type>,
        variadic: bool,
    ) -> Result<&'static Type, TypeError> {
        if matches!(result.kind, Kind::Array(..) | Kind::Function(_)) {
            return wrong(format!("a function can't give {result}"));
        }
        // As a parameter an array is a pointer, and a function the pointer to it.
        let args: Vec<&'static Type> = args
            .into_iter()
            .map(|arg| match arg.kind {
                Kind::Void => wrong("an argument can't be void".into()),
                Kind::Array(of, _) => Type::pointer(of),
                Kind::Function(_) => Type::pointer(arg),
                _ => Ok(arg),
            })
            .collect::<Result<_, _>>()?;
        Type::function_of(result, args, variadic, false)
    }

    /// The same function's type, or a pointer to it, for one that may take long: collections of other threads don't
    /// wait for it. Such a call is made through libffi.
    ///
    /// # Errors
    /// It is no function.
    pub fn blocking(&'static self) -> Result<&'static Type, TypeError> {
        match &self.kind {
            Kind::Function(function) => {
                Type::function_of(function.result, function.args.clone(), function.variadic, true)
            }
            Kind::Pointer(to) if matches!(to.kind, Kind::Function(_)) => Type::pointer(to.blocking()?),
            _ => wrong(format!("{self} is no function")),
        }
    }

    fn function_of(
        result: &'static Type,
        args: Vec<&'static Type>,
        variadic: bool,
        blocking: bool,
    ) -> Result<&'static Type, TypeError> {
        let depth = args.iter().chain([&result]).map(|ty| ty.depth).max().unwrap_or(0);
        let addresses = args.iter().map(|arg| address(arg)).collect();
        let key = Key::Function(address(result), addresses, variadic, blocking);
        made(key, depth + 1, || {
            Kind::Function(Function {
                result,
                args,
                variadic,
                blocking,
                direct: OnceCell::new(),
                interface: OnceCell::new(),
            })
        })
    }

    /// Bytes it takes.
    ///
    /// # Errors
    /// Nobody knows.
    pub fn size(&self) -> Result<u64, TypeError> {
        match &self.kind {
            Kind::Void => wrong("void has no size".into()),
            Kind::Number(scalar) => Ok(scalar.size().into()),
            Kind::LongDouble => Ok(16),
            Kind::Pointer(_) => Ok(8),
            Kind::Array(of, Some(length)) => Ok(of.size()? * length),
            Kind::Array(_, None) => wrong(format!("the size of {self} is unknown")),
            Kind::Record(record) => match record.body.get() {
                Some(body) => Ok(body.size),
                None => wrong(format!("the size of {self} is unknown")),
            },
            Kind::Function(_) => wrong("a function has no size".into()),
        }
    }

    /// What its address is a multiple of.
    pub fn align(&self) -> u64 {
        match &self.kind {
            Kind::Void | Kind::Function(_) => 1,
            Kind::Number(scalar) => scalar.size().into(),
            Kind::LongDouble => 16,
            Kind::Pointer(_) => 8,
            Kind::Array(of, _) => of.align(),
            Kind::Record(record) => record.body.get().map_or(1, |body| body.align),
        }
    }

    /// How it is passed and stored, if it is a number or a pointer.
    pub fn scalar(&self) -> Option<Scalar> {
        match self.kind {
            Kind::Number(scalar) => Some(scalar),
            Kind::Pointer(_) => Some(Scalar::U64),
            _ => None,
        }
    }

    /// Whether it is one byte: text is made of these.
    pub fn is_byte(&self) -> bool {
        matches!(self.kind, Kind::Number(Scalar::I8 | Scalar::U8))
    }

    /// The function, if it is one or points to one.
    pub fn as_function(&'static self) -> Option<&'static Function> {
        match &self.kind {
            Kind::Function(function) => Some(function),
            Kind::Pointer(Type { kind: Kind::Function(function), .. }) => Some(function),
            _ => None,
        }
    }

    /// The record, if it is one.
    pub fn as_record(&self) -> Option<&Record> {
        match &self.kind {
            Kind::Record(record) => Some(record),
            _ => None,
        }
    }

    /// How deep its values nest.
    fn value_depth(&self) -> u32 {
        match &self.kind {
            Kind::Array(of, _) => 1 + of.value_depth(),
            Kind::Record(record) => record.body.get().map_or(0, |body| body.depth),
            _ => 0,
        }
    }
}

impl Record {
    /// What it consists of, if it is complete.
    pub fn body(&self) -> Option<&Body> {
        self.body.get()
    }

    /// Gives it its fields.
    ///
    /// # Errors
    /// It has some, or one of these can't be one.
    pub fn complete(&self, fields: Vec<NewField>) -> Result<(), TypeError> {
        let last = fields.len().wrapping_sub(1);
        let mut body = Body { fields: Vec::with_capacity(fields.len()), size: 0, align: 1, depth: 0 };
        // Where the next bit-field may begin.
        let mut bit = 0;
        for (index, (name, ty, bits)) in fields.into_iter().enumerate() {
            let size = match ty.kind {
                Kind::Array(_, None) if index == last && !self.union => 0,
                _ => ty.size().map_err(|error| TypeError(format!("field {name}: {error}")))?,
            };
            if name.is_empty() && ty.as_record().is_none() && bits.is_none() {
                return wrong("a field without a name".into());
            }
            if !name.is_empty() && body.find(&name).is_some() {
                return wrong(format!("there are two fields {name}"));
            }
            let align = ty.align();
            if let Some(width) = bits {
                bit = if self.union { 0 } else { bit };
                self.add_bits(&mut body, &mut bit, name, ty, width)?;
                continue;
            }
            let offset = if self.union { 0 } else { body.size.next_multiple_of(align) };
            body.size = body.size.max(offset + size);
            bit = body.size * 8;
            body.align = body.align.max(align);
            body.depth = body.depth.max(1 + ty.value_depth());
            if body.size > MOST_SIZE || body.depth > MOST_DEPTH {
                return wrong(format!("field {name} makes it too large"));
            }
            body.fields.push(Field { name, ty, offset, bits: None });
        }
        body.size = body.size.next_multiple_of(body.align);
        match self.body.set(body) {
            Ok(()) => Ok(()),
            Err(_) => wrong(format!("{} has its fields already", self.name)),
        }
    }

    /// A bit-field lies behind the one before, unless it would be in two numbers of its type then. One without a name
    /// is room, one of no bits ends the number.
    fn add_bits(
        &self,
        body: &mut Body,
        bit: &mut u64,
        name: String,
        ty: &'static Type,
        width: u32,
    ) -> Result<(), TypeError> {
        let unit = match ty.kind {
            Kind::Number(scalar) if !scalar.is_float() => u64::from(scalar.size()) * 8,
            _ => return wrong(format!("field {name}: {ty} has no bits")),
        };
        let wide = u64::from(width);
        if wide > unit || (wide == 0 && !name.is_empty()) {
            return wrong(format!("field {name}: {ty} can't be of {width} bits"));
        }
        if wide == 0 || *bit / unit != (*bit + wide - 1) / unit {
            *bit = bit.next_multiple_of(unit);
        }
        let start = *bit;
        *bit += wide;
        body.size = body.size.max(bit.div_ceil(8));
        if !name.is_empty() {
            body.align = body.align.max(ty.align());
            body.depth = body.depth.max(1);
            let bits = Bits { shift: (start % unit) as u32, width };
            body.fields.push(Field { name, ty, offset: start / unit * (unit / 8), bits: Some(bits) });
        }
        Ok(())
    }

    /// The field of this name, also in records without names inside of it.
    pub fn find(&self, name: &str) -> Option<Found> {
        self.body.get()?.find(name)
    }
}

impl Body {
    fn find(&self, name: &str) -> Option<Found> {
        self.fields.iter().find_map(|field| {
            if field.name == name {
                return Some(Found { ty: field.ty, offset: field.offset, bits: field.bits });
            }
            let found = field.ty.as_record().filter(|_| field.name.is_empty())?.find(name)?;
            Some(Found { offset: field.offset + found.offset, ..found })
        })
    }
}

impl Function {
    /// How it is called without libffi: if it takes and gives numbers and pointers only, not too many.
    pub fn direct(&self) -> Option<ForeignCall> {
        *self.direct.get_or_init(|| {
            let args = self.args.iter().map(|arg| arg.scalar()).collect::<Option<Vec<Scalar>>>()?;
            let result = match self.result.kind {
                Kind::Void => None,
                _ => Some(self.result.scalar()?),
            };
            if self.variadic || self.blocking { None } else { ForeignCall::new(&args, result) }
        })
    }
}

impl fmt::Display for Type {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Void => out.write_str("void"),
            Kind::Number(scalar) => out.write_str(scalar.name()),
            Kind::LongDouble => out.write_str("longdouble"),
            Kind::Pointer(to) => write!(out, "pointer {to}"),
            Kind::Array(of, Some(length)) => write!(out, "array {of} {length}"),
            Kind::Array(of, None) => write!(out, "array {of}"),
            Kind::Record(record) if record.union => write!(out, "union {}", record.name),
            Kind::Record(record) => write!(out, "struct {}", record.name),
            Kind::Function(function) => {
                write!(out, "cfunc {} [", function.result)?;
                for (index, arg) in function.args.iter().enumerate() {
                    write!(out, "{}{arg}", if index == 0 { "" } else { " " })?;
                }
                out.write_str(if function.variadic { " …]" } else { "]" })
            }
        }
    }
}

impl fmt::Debug for Type {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{self}")
    }
}
