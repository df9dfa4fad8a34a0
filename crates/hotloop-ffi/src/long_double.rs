//! `long double` of x86-64, by its bits: 80 of them, the lowest of 16 bytes.
//!
//! ```text
//! 127 … 80   79     78 … 64    63         62 … 0
//! nothing    sign   exponent   integer    fraction       value = mantissa (64 bits) * 2^(exponent - 16383 - 63)
//! ```
//!
//! A float is always one of these; the other way the nearest float is taken, so up to 11 bits are lost, and what is too
//! large is infinite.

/// A float as a `long double`: the same number.
pub fn from_float(float: f64) -> u128 {
    let bits = float.to_bits();
    let (exponent, fraction) = ((bits >> 52) as u32 & 0x7ff, bits & ((1 << 52) - 1));
    let (exponent, mantissa) = match (exponent, fraction) {
        (0, 0) => (0, 0),
        // A small float has no integer bit.
        (0, _) => {
            let shift = fraction.leading_zeros();
            (16383 - 1022 + 11 - shift, fraction << shift)
        }
        (0x7ff, _) => (0x7fff, 1 << 63 | fraction << 11),
        _ => (exponent + 16383 - 1023, 1 << 63 | fraction << 11),
    };
    u128::from(bits >> 63) << 79 | u128::from(exponent) << 64 | u128::from(mantissa)
}

/// The float that is nearest to a `long double`; of two the even one.
pub fn to_float(bits: u128) -> f64 {
    let mantissa = bits as u64;
    let exponent = (bits >> 64) as i32 & 0x7fff;
    let sign = (bits >> 79) as u64 & 1;
    let size = if exponent == 0x7fff {
        if mantissa << 1 == 0 { f64::INFINITY } else { f64::NAN }
    } else if mantissa == 0 {
        0.0
    } else {
        // As the integer that its float would be, rounded where that has its last bit.
        let shift = mantissa.leading_zeros();
        let power = exponent.max(1) - 16383 - shift as i32;
        let mantissa = mantissa << shift;
        let lost = if power < -1022 { (11 - 1022 - power).min(65) as u32 } else { 11 };
        let (kept, rest, half) = match lost {
            64 => (0, mantissa, 1 << 63),
            65.. => (0, 0, 1),
            _ => (mantissa >> lost, mantissa & ((1 << lost) - 1), 1 << (lost - 1)),
        };
        let rounded = kept + u64::from(rest > half || (rest == half && kept & 1 == 1));
        let biased = if power < -1022 { 0 } else { power + 1022 };
        // A carry goes to the exponent, as it should.
        let float = (biased as u64).wrapping_shl(52).wrapping_add(rounded);
        if power > 1023 { f64::INFINITY } else { f64::from_bits(float) }
    };
    f64::from_bits(size.to_bits() | sign << 63)
}

#[cfg(test)]
mod tests {
    use super::{from_float, to_float};

    #[test]
    fn floats_come_back() {
        let mut word = 1u64;
        for _ in 0..200_000 {
            word = word.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            for bits in [word, word & 0x800f_ffff_ffff_ffff, word >> (word % 64)] {
                let float = f64::from_bits(bits);
                let back = to_float(from_float(float));
                assert!(back.to_bits() == bits || (float.is_nan() && back.is_nan()), "{float} {back}");
            }
        }
        for float in [0.0, -0.0, 1.0, f64::MAX, f64::MIN_POSITIVE, 5e-324, f64::INFINITY, -f64::INFINITY] {
            assert_eq!(to_float(from_float(float)).to_bits(), float.to_bits());
        }
    }

    #[test]
    fn the_nearest_is_taken() {
        let number = |exponent: u128, mantissa: u64| to_float((exponent << 64) | u128::from(mantissa));
        let one = 16383;
        assert_eq!(number(one, 1 << 63 | 1 << 10), 1.0);
        assert_eq!(number(one, 1 << 63 | 1 << 10 | 1), 1.0 + f64::EPSILON);
        assert_eq!(number(one, 1 << 63 | 3 << 10), 1.0 + 2.0 * f64::EPSILON);
        assert_eq!(number(one, u64::MAX), 2.0);
        assert_eq!(number(one + 1023, u64::MAX), f64::INFINITY);
        assert_eq!(number(one + 1024, 1 << 63), f64::INFINITY);
        // Half of the least float is 0, a little more is not.
        assert_eq!(number(one - 1075, 1 << 63), 0.0);
        assert_eq!(number(one - 1075, 1 << 63 | 1), 5e-324);
        assert_eq!(number(one - 1076, u64::MAX), 0.0);
        assert_eq!(number(1, 1 << 63), 0.0);
    }
}
