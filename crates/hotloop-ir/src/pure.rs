//! What the pure operations compute. Folding while recording, folding in the optimizer, the direct mode,
//! the reference evaluation and the rebuilding of described values all call this one function; with a
//! constant opcode it folds to the single machine operation.

use crate::ops::Opcode;

/// The result of a pure operation over raw words (floats as their bits).
///
/// `call_raised` and operations that are not pure have no value of their own: they give 0.
#[inline(always)]
pub fn evaluate(op: Opcode, a: u64, b: u64, c: u64) -> u64 {
    use Opcode::*;
    let (ia, ib) = (a as i64, b as i64);
    let (fa, fb) = (f64::from_bits(a), f64::from_bits(b));
    match op {
        IntAdd | IntAddOvf => ia.wrapping_add(ib) as u64,
        IntSub | IntSubOvf => ia.wrapping_sub(ib) as u64,
        IntMul | IntMulOvf => ia.wrapping_mul(ib) as u64,
        IntDiv => {
            if ib == 0 {
                0
            } else {
                ia.wrapping_div(ib) as u64
            }
        }
        IntRem => {
            if ib == 0 {
                0
            } else {
                ia.wrapping_rem(ib) as u64
            }
        }
        IntDivFloor => div_floor(ia, ib) as u64,
        IntModFloor => mod_floor(ia, ib) as u64,
        IntAnd => a & b,
        IntOr => a | b,
        IntXor => a ^ b,
        IntShl => a << (b & 63),
        IntSar => (ia >> (b & 63)) as u64,
        IntShr => a >> (b & 63),
        IntEq | RefEq => (a == b) as u64,
        IntNe => (a != b) as u64,
        IntLt => (ia < ib) as u64,
        IntLe => (ia <= ib) as u64,
        UintLt => (a < b) as u64,
        UintLe => (a <= b) as u64,
        IntAddWraps => ia.overflowing_add(ib).1 as u64,
        IntSubWraps => ia.overflowing_sub(ib).1 as u64,
        IntMulWraps => ia.overflowing_mul(ib).1 as u64,
        Select => {
            if a != 0 {
                b
            } else {
                c
            }
        }
        RefToValue => a.wrapping_add(2),
        ValueToRef => a.wrapping_sub(2),
        RefToInt | IntToRef | FloatToBits | BitsToFloat => a,
        FloatAdd => (fa + fb).to_bits(),
        FloatSub => (fa - fb).to_bits(),
        FloatMul => (fa * fb).to_bits(),
        FloatDiv => (fa / fb).to_bits(),
        FloatNeg => a ^ (1 << 63),
        FloatAbs => a & !(1 << 63),
        FloatSqrt => fa.sqrt().to_bits(),
        FloatEq => (fa == fb) as u64,
        FloatLt => (fa < fb) as u64,
        FloatLe => (fa <= fb) as u64,
        IntToFloat => (ia as f64).to_bits(),
        FloatToInt => (fa as i64) as u64,
        // (Of a `box_float` only the half that makes no object.)
        FloatToValue | BoxFloat => a.rotate_left(4) ^ 5,
        ValueToFloat => (a ^ 5).rotate_right(4),
        FloatFitsValue => value_is_float(a.rotate_left(4) ^ 5) as u64,
        ValueIsFloat => value_is_float(a) as u64,
        _ => 0,
    }
}

/// Self-tagging (Melançon, Feeley, Serrano, 2024): rotating a float left by four brings the top three bits
/// of its exponent down; flipping two of them leaves the tags 1, 5 and 6 for the magnitudes 2^-255 to
/// 2^256 and those near 0, and 0 free for small integers.
#[inline(always)]
fn value_is_float(word: u64) -> bool {
    (0b0110_0010u32 >> (word & 7)) & 1 != 0
}

/// Whether an `int_*_ovf` operation leaves the trace for these operands.
#[inline(always)]
pub fn overflows(op: Opcode, a: u64, b: u64) -> bool {
    let (a, b) = (a as i64, b as i64);
    match op {
        Opcode::IntAddOvf => a.overflowing_add(b).1,
        Opcode::IntSubOvf => a.overflowing_sub(b).1,
        Opcode::IntMulOvf => a.overflowing_mul(b).1,
        _ => false,
    }
}

#[inline(always)]
fn div_floor(a: i64, b: i64) -> i64 {
    if b == 0 {
        return 0;
    }
    let quotient = a.wrapping_div(b);
    if (a ^ b) < 0 && quotient.wrapping_mul(b) != a { quotient - 1 } else { quotient }
}

#[inline(always)]
fn mod_floor(a: i64, b: i64) -> i64 {
    if b == 0 {
        return 0;
    }
    let remainder = a.wrapping_rem(b);
    if remainder != 0 && (remainder ^ b) < 0 { remainder + b } else { remainder }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floor_division_follows_the_divisor() {
        for (a, b, quotient, remainder) in [
            (7, 2, 3, 1),
            (-7, 2, -4, 1),
            (7, -2, -4, -1),
            (-7, -2, 3, -1),
            (i64::MIN, -1, i64::MIN, 0),
            (6, -3, -2, 0),
        ] {
            assert_eq!(evaluate(Opcode::IntDivFloor, a as u64, b as u64, 0) as i64, quotient, "{a}/{b}");
            assert_eq!(evaluate(Opcode::IntModFloor, a as u64, b as u64, 0) as i64, remainder, "{a}%{b}");
        }
    }
}
