//! Calls through libffi: for what does not fit registers, structures by value and functions with any number of
//! arguments.

use hotloop::Runtime;
use hotloop::foreign::{Foreign, Scalar};
use libffi::middle::{Cif, CodePtr, Type as Shape};

use crate::long_double;
use crate::types::{Field, Function, Kind, Type, TypeError};

/// A value on its way to C or from it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Plain {
    /// An integer or an address.
    Word(u64),
    /// A float.
    Float(f64),
    /// The address of a structure that goes by value.
    At(usize),
}

/// What a function gave.
#[derive(Clone, PartialEq, Debug)]
pub enum Returned {
    /// Nothing.
    Nothing,
    /// An integer or an address.
    Word(u64),
    /// A float.
    Float(f64),
    /// A structure.
    Bytes(Vec<u8>),
}

/// What libffi calls a type.
fn shape(ty: &Type) -> Result<Shape, TypeError> {
    Ok(match &ty.kind {
        Kind::Void => Shape::void(),
        Kind::Number(scalar) => scalar_shape(*scalar),
        Kind::LongDouble => Shape::longdouble(),
        Kind::Pointer(_) => Shape::pointer(),
        Kind::Record(record) => match record.body() {
            Some(body) => {
                let mut shapes = Vec::new();
                if is_plain(ty) {
                    for field in &body.fields {
                        flatten(field.ty, &mut shapes)?;
                    }
                } else {
                    shapes = pieces(ty)?;
                }
                if shapes.is_empty() {
                    return Err(TypeError(format!("{ty} has nothing that could be passed")));
                }
                Shape::structure(shapes)
            }
            None => return Err(TypeError(format!("the size of {ty} is unknown"))),
        },
        Kind::Array(..) | Kind::Function(_) => {
            return Err(TypeError(format!("{ty} can't be passed by value")));
        }
    })
}

/// Most items of an array in a structure that goes by value.
const MOST_ITEMS: u64 = 4096;

fn too_large<T>(ty: &Type) -> Result<T, TypeError> {
    Err(TypeError(format!("{ty} is too large to be passed by value")))
}

fn flatten(ty: &Type, shapes: &mut Vec<Shape>) -> Result<(), TypeError> {
    match &ty.kind {
        Kind::Array(of, length) => {
            let length = length.unwrap_or(0);
            if length > MOST_ITEMS {
                return too_large(ty);
            }
            for _ in 0..length {
                flatten(of, shapes)?;
            }
            if shapes.len() as u64 > MOST_ITEMS {
                return too_large(ty);
            }
        }
        _ => shapes.push(shape(ty)?),
    }
    Ok(())
}

/// Whether libffi has words for it: no unions, no bit-fields.
fn is_plain(ty: &Type) -> bool {
    match &ty.kind {
        Kind::Array(of, _) => is_plain(of),
        Kind::Record(record) => {
            let plain = |field: &Field| field.bits.is_none() && is_plain(field.ty);
            !record.union && record.body().is_some_and(|body| body.fields.iter().all(plain))
        }
        _ => true,
    }
}

/// A structure of numbers that goes where the record goes. The convention looks at each eight bytes: whether they
/// have anything else than floats. So does this at each piece of the record's alignment, as records inside of others
/// may begin in the middle of eight bytes.
fn pieces(ty: &Type) -> Result<Vec<Shape>, TypeError> {
    let (size, align) = (ty.size()?, ty.align());
    if align > 8 {
        return Err(TypeError(format!("{ty} can't be passed by value: libffi has nothing like it")));
    }
    if size / align > MOST_ITEMS {
        return too_large(ty);
    }
    // Of each piece: whether it is all floats.
    let mut floats = vec![None; (size / align) as usize];
    note_floats(ty, 0, align, &mut floats);
    Ok(floats
        .into_iter()
        .map(|float| match (align, float) {
            (8, Some(true)) => Shape::f64(),
            (4, Some(true)) => Shape::f32(),
            (8, _) => Shape::u64(),
            (4, _) => Shape::u32(),
            (2, _) => Shape::u16(),
            _ => Shape::u8(),
        })
        .collect())
}

fn note_floats(ty: &Type, offset: u64, align: u64, floats: &mut [Option<bool>]) {
    match &ty.kind {
        Kind::Array(of, length) => {
            let size = of.size().unwrap_or(0);
            (0..length.unwrap_or(0)).for_each(|index| note_floats(of, offset + index * size, align, floats));
        }
        Kind::Record(record) => {
            for field in record.body().into_iter().flat_map(|body| &body.fields) {
                match field.bits {
                    None => note_floats(field.ty, offset + field.offset, align, floats),
                    // The number that it is in may be larger than what is left of the record.
                    Some(bits) => {
                        let first = offset + field.offset + u64::from(bits.shift / 8);
                        let last = offset + field.offset + u64::from((bits.shift + bits.width - 1) / 8);
                        (first / align..=last / align).for_each(|piece| floats[piece as usize] = Some(false));
                    }
                }
            }
        }
        _ => {
            let float = ty.scalar().is_some_and(Scalar::is_float);
            let last = offset + ty.size().unwrap_or(1) - 1;
            for piece in offset / align..=last / align {
                let known = &mut floats[piece as usize];
                *known = Some(float && *known != Some(false));
            }
        }
    }
}

fn scalar_shape(scalar: Scalar) -> Shape {
    match scalar {
        Scalar::I8 => Shape::i8(),
        Scalar::U8 => Shape::u8(),
        Scalar::I16 => Shape::i16(),
        Scalar::U16 => Shape::u16(),
        Scalar::I32 => Shape::i32(),
        Scalar::U32 => Shape::u32(),
        Scalar::I64 => Shape::i64(),
        Scalar::U64 => Shape::u64(),
        Scalar::F32 => Shape::f32(),
        Scalar::F64 => Shape::f64(),
    }
}

/// What libffi has to know of a function.
pub(crate) fn interface(function: &Function) -> Result<Cif, TypeError> {
    let args = function.args.iter().map(|arg| shape(arg)).collect::<Result<Vec<_>, _>>()?;
    let refused = |_| TypeError("libffi knows no such function".into());
    Cif::try_new(args, shape(function.result)?).map_err(refused)
}

fn variadic_interface(function: &Function, more: &[Plain]) -> Result<Cif, TypeError> {
    let mut args = function.args.iter().map(|arg| shape(arg)).collect::<Result<Vec<_>, _>>()?;
    args.extend(more.iter().map(|arg| match arg {
        Plain::Float(_) => Shape::f64(),
        // C's own promotions make nothing wider than this of what fits an `int`, and its low half is that.
        Plain::Word(_) | Plain::At(_) => Shape::i64(),
    }));
    let refused = |_| TypeError("libffi knows no such function".into());
    Cif::try_new_variadic(args, function.args.len(), shape(function.result)?).map_err(refused)
}

/// Calls a function. There are as many arguments as it takes, or more if it takes any number.
///
/// # Errors
/// Such a function can't be called.
pub fn call(
    allowed: Foreign,
    function: &Function,
    address: usize,
    args: &[Plain],
) -> Result<Returned, TypeError> {
    call_by(allowed, function, address, args, Ready::call)
}

/// As [`call`]; if the function is said to be [blocking](Function::blocking), collections of other threads go on.
///
/// # Errors
/// Such a function can't be called.
pub fn call_in(
    runtime: &Runtime,
    allowed: Foreign,
    function: &Function,
    address: usize,
    args: &[Plain],
) -> Result<Returned, TypeError> {
    let blocking = |ready: Ready| runtime.blocking(move || ready.call());
    let by: &dyn Fn(Ready) = if function.blocking { &blocking } else { &Ready::call };
    call_by(allowed, function, address, args, by)
}

fn call_by(
    _allowed: Foreign,
    function: &Function,
    address: usize,
    args: &[Plain],
    by: impl Fn(Ready),
) -> Result<Returned, TypeError> {
    assert!(args.len() >= function.args.len(), "fewer arguments than the function takes");
    let more = &args[function.args.len()..];
    let special;
    let cif = if more.is_empty() && !function.variadic {
        match function.interface.get_or_init(|| interface(function).ok()) {
            Some(cif) => cif,
            None => return interface(function).map(|_| Returned::Nothing),
        }
    } else {
        special = variadic_interface(function, more)?;
        &special
    };
    // Each argument has a place of its own, in which it begins.
    let kinds = function.args.iter().map(|arg| Some(*arg)).chain(more.iter().map(|_| None));
    let mut words: Vec<u128> = args
        .iter()
        .zip(kinds)
        .map(|(arg, ty)| match *arg {
            Plain::Word(word) => word.into(),
            Plain::Float(float) => float_for(ty, float),
            Plain::At(address) => address as u128,
        })
        .collect();
    let mut places: Vec<*mut libc::c_void> = words
        .iter_mut()
        .zip(args)
        .map(|(word, arg)| match arg {
            Plain::At(address) => std::ptr::with_exposed_provenance_mut(*address),
            _ => std::ptr::from_mut(word).cast(),
        })
        .collect();
    let size = match function.result.kind {
        Kind::Void => 0,
        _ => function.result.size()?,
    };
    // At least a word, aligned as anything in C may be.
    let mut result = vec![0u128; (size as usize).div_ceil(16).max(1)];
    by(Ready {
        interface: cif.as_raw_ptr(),
        code: CodePtr::from_ptr(std::ptr::with_exposed_provenance(address)),
        result: result.as_mut_ptr().cast(),
        places: places.as_mut_ptr(),
    });
    Ok(returned(function.result, &result, size as usize))
}

/// A float as C has it in a place of the type.
pub(crate) fn float_for(ty: Option<&Type>, float: f64) -> u128 {
    match ty.map(|ty| &ty.kind) {
        Some(Kind::Number(Scalar::F32)) => (float as f32).to_bits().into(),
        Some(Kind::LongDouble) => long_double::from_float(float),
        _ => float.to_bits().into(),
    }
}

/// A call that only has to be made.
struct Ready {
    interface: *mut libffi::low::ffi_cif,
    code: CodePtr,
    result: *mut libc::c_void,
    places: *mut *mut libc::c_void,
}

// SAFETY: it stays on its thread: `Runtime::blocking` asks for this so that nothing of the heap gets in, and nothing of
// it is here.
unsafe impl Send for Ready {}

impl Ready {
    fn call(self) {
        // SAFETY: the interface describes these arguments and that room for the result; that it describes the
        // function, who gave the permission vouches for.
        unsafe {
            libffi::raw::ffi_call(self.interface, Some(*self.code.as_fun()), self.result, self.places);
        }
    }
}

fn returned(ty: &Type, result: &[u128], size: usize) -> Returned {
    let word = result[0] as u64;
    match ty.scalar() {
        Some(Scalar::F32) => Returned::Float(f32::from_bits(word as u32).into()),
        Some(Scalar::F64) => Returned::Float(f64::from_bits(word)),
        Some(scalar) => Returned::Word(scalar.extend(word)),
        None if matches!(ty.kind, Kind::LongDouble) => Returned::Float(long_double::to_float(result[0])),
        None if matches!(ty.kind, Kind::Void) => Returned::Nothing,
        None => {
            let bytes = result.iter().flat_map(|word| word.to_ne_bytes());
            Returned::Bytes(bytes.take(size).collect())
        }
    }
}
