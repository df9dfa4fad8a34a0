//! C from Rust: what `load_raw`, `store_raw` and calls of C functions do, for the reference target and for plain
//! execution. Words of [`Scalar::F32`] are those of the widened float, as everywhere in traces.

use hotloop_ir::{Scalar, Signature};

const WORDS: usize = hotloop_ir::foreign::WORD_ARGUMENTS;
const FLOATS: usize = hotloop_ir::foreign::FLOAT_ARGUMENTS;

/// Reads a number.
///
/// # Safety
/// So many bytes can be read at the address.
#[inline(always)]
pub unsafe fn load(address: u64, scalar: Scalar) -> u64 {
    let place = std::ptr::with_exposed_provenance::<u8>(address as usize);
    // SAFETY: the caller's promise. C aligns numbers, but packed structures don't.
    unsafe {
        match scalar {
            Scalar::I8 => place.cast::<i8>().read_unaligned() as u64,
            Scalar::U8 => place.read_unaligned() as u64,
            Scalar::I16 => place.cast::<i16>().read_unaligned() as u64,
            Scalar::U16 => place.cast::<u16>().read_unaligned() as u64,
            Scalar::I32 => place.cast::<i32>().read_unaligned() as u64,
            Scalar::U32 => place.cast::<u32>().read_unaligned() as u64,
            Scalar::I64 | Scalar::U64 | Scalar::F64 => place.cast::<u64>().read_unaligned(),
            Scalar::F32 => f64::from(place.cast::<f32>().read_unaligned()).to_bits(),
        }
    }
}

/// Writes a number.
///
/// # Safety
/// So many bytes can be written at the address, and nobody in Rust refers to them.
#[inline(always)]
pub unsafe fn store(address: u64, scalar: Scalar, word: u64) {
    let place = std::ptr::with_exposed_provenance_mut::<u8>(address as usize);
    // SAFETY: the caller's promise.
    unsafe {
        match scalar {
            Scalar::I8 | Scalar::U8 => place.write(word as u8),
            Scalar::I16 | Scalar::U16 => place.cast::<u16>().write_unaligned(word as u16),
            Scalar::I32 | Scalar::U32 => place.cast::<u32>().write_unaligned(word as u32),
            Scalar::I64 | Scalar::U64 | Scalar::F64 => place.cast::<u64>().write_unaligned(word),
            Scalar::F32 => place.cast::<f32>().write_unaligned(f64::from_bits(word) as f32),
        }
    }
}

/// Calls a C function.
///
/// # Safety
/// The address is that of a C function of this signature, which may be called with these words.
pub unsafe fn call(signature: &Signature, address: u64, args: impl IntoIterator<Item = u64>) -> u64 {
    let (mut words, mut floats) = ([0u64; WORDS], [0f64; FLOATS]);
    let (mut word_count, mut float_count) = (0, 0);
    for (scalar, word) in signature.args().iter().zip(args) {
        if scalar.is_float() {
            let float = f64::from_bits(word);
            // A `float` travels in the low half of the register.
            let narrow = || f64::from_bits((float as f32).to_bits().into());
            floats[float_count] = if *scalar == Scalar::F32 { narrow() } else { float };
            float_count += 1;
        } else {
            words[word_count] = word;
            word_count += 1;
        }
    }
    macro_rules! call_for {
        ($result:ty) => {{
            type Function = unsafe extern "C" fn(
                u64, u64, u64, u64, u64, u64, f64, f64, f64, f64, f64, f64, f64, f64,
            ) -> $result;
            let [a, b, c, d, e, f] = words;
            let [g, h, i, j, k, l, m, n] = floats;
            let address = std::ptr::with_exposed_provenance::<()>(address as usize);
            // SAFETY: the caller's promise. In the System V convention words and floats are counted apart, and
            // all of these are in registers that the function may ignore.
            unsafe { std::mem::transmute::<*const (), Function>(address)(a, b, c, d, e, f, g, h, i, j, k, l, m, n) }
        }};
    }
    match signature.result() {
        Some(Scalar::F32) => f64::from(call_for!(f32)).to_bits(),
        Some(Scalar::F64) => call_for!(f64).to_bits(),
        Some(scalar) => scalar.extend(call_for!(u64)),
        None => {
            call_for!(());
            0
        }
    }
}
