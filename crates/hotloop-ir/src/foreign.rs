//! What the trace knows of C: numbers as they lie in memory, and functions that take and give them.

use std::fmt;

use crate::trace::Ty;

/// A number as C stores it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Scalar {
    /// `int8_t`
    I8,
    /// `uint8_t`
    U8,
    /// `int16_t`
    I16,
    /// `uint16_t`
    U16,
    /// `int32_t`
    I32,
    /// `uint32_t`
    U32,
    /// `int64_t`
    I64,
    /// `uint64_t`, and every pointer
    U64,
    /// `float`
    F32,
    /// `double`
    F64,
}

impl Scalar {
    /// Every one, by its number.
    pub const ALL: [Scalar; 10] = [
        Scalar::I8,
        Scalar::U8,
        Scalar::I16,
        Scalar::U16,
        Scalar::I32,
        Scalar::U32,
        Scalar::I64,
        Scalar::U64,
        Scalar::F32,
        Scalar::F64,
    ];

    /// The name in the text form, as Rust has it.
    pub const fn name(self) -> &'static str {
        match self {
            Scalar::I8 => "i8",
            Scalar::U8 => "u8",
            Scalar::I16 => "i16",
            Scalar::U16 => "u16",
            Scalar::I32 => "i32",
            Scalar::U32 => "u32",
            Scalar::I64 => "i64",
            Scalar::U64 => "u64",
            Scalar::F32 => "f32",
            Scalar::F64 => "f64",
        }
    }

    /// Bytes it takes; also what its address is a multiple of.
    pub const fn size(self) -> u32 {
        match self {
            Scalar::I8 | Scalar::U8 => 1,
            Scalar::I16 | Scalar::U16 => 2,
            Scalar::I32 | Scalar::U32 | Scalar::F32 => 4,
            Scalar::I64 | Scalar::U64 | Scalar::F64 => 8,
        }
    }

    /// Whether it is a float.
    pub const fn is_float(self) -> bool {
        matches!(self, Scalar::F32 | Scalar::F64)
    }

    /// The type of the operand that holds it; floats of 32 bits are widened.
    pub const fn ty(self) -> Ty {
        if self.is_float() { Ty::Float } else { Ty::Int }
    }

    /// The least and the greatest word that it can be, as far as words can say.
    pub const fn range(self) -> (i64, i64) {
        match self {
            Scalar::I8 => (i8::MIN as i64, i8::MAX as i64),
            Scalar::U8 => (0, u8::MAX as i64),
            Scalar::I16 => (i16::MIN as i64, i16::MAX as i64),
            Scalar::U16 => (0, u16::MAX as i64),
            Scalar::I32 => (i32::MIN as i64, i32::MAX as i64),
            Scalar::U32 => (0, u32::MAX as i64),
            _ => (i64::MIN, i64::MAX),
        }
    }

    /// The word that its lowest bytes are: the others are zeros or copies of the sign.
    pub const fn extend(self, word: u64) -> u64 {
        match self {
            Scalar::I8 => word as i8 as u64,
            Scalar::U8 => word as u8 as u64,
            Scalar::I16 => word as i16 as u64,
            Scalar::U16 => word as u16 as u64,
            Scalar::I32 => word as i32 as u64,
            Scalar::U32 => word as u32 as u64,
            _ => word,
        }
    }

    /// The one with this name.
    pub fn from_name(name: &str) -> Option<Scalar> {
        Scalar::ALL.into_iter().find(|scalar| scalar.name() == name)
    }
}

/// What a C function takes and gives, if all of it is in registers (System V).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Signature {
    args: Vec<Scalar>,
    result: Option<Scalar>,
}

/// The most arguments of a [`Signature`] that are no floats.
pub const WORD_ARGUMENTS: usize = 6;
/// The most arguments of a [`Signature`] that are floats.
pub const FLOAT_ARGUMENTS: usize = 8;

impl Signature {
    /// The signature, unless it takes more than there are registers for.
    pub fn new(args: Vec<Scalar>, result: Option<Scalar>) -> Option<Signature> {
        let floats = args.iter().filter(|arg| arg.is_float()).count();
        let fits = floats <= FLOAT_ARGUMENTS && args.len() - floats <= WORD_ARGUMENTS;
        fits.then_some(Signature { args, result })
    }

    /// What it takes.
    pub fn args(&self) -> &[Scalar] {
        &self.args
    }

    /// What it gives.
    pub fn result(&self) -> Option<Scalar> {
        self.result
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let args: Vec<&str> = self.args.iter().map(|arg| arg.name()).collect();
        let result = self.result.map_or("void", Scalar::name);
        write!(out, "[{}] {result}", args.join(", "))
    }
}
