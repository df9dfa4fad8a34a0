//! Functions of floats that give floats: what traces may fold, and need not call twice.

use hotloop::prelude::*;

/// A function and its name.
type FloatFunction = (&'static str, fn(f64) -> f64);

/// The functions by number. A result that is no number means that the function is not defined there.
pub const FUNCTIONS: [FloatFunction; 21] = [
    ("sin", f64::sin),
    ("cos", f64::cos),
    ("tan", f64::tan),
    ("asin", f64::asin),
    ("acos", f64::acos),
    ("atan", f64::atan),
    ("sinh", f64::sinh),
    ("cosh", f64::cosh),
    ("tanh", f64::tanh),
    ("asinh", f64::asinh),
    ("acosh", f64::acosh),
    ("atanh", |x| if x.abs() < 1.0 { x.atanh() } else { f64::NAN }),
    ("exp", f64::exp),
    ("expm1", f64::exp_m1),
    ("log2", |x| if x > 0.0 { x.log2() } else { f64::NAN }),
    ("log10", |x| if x > 0.0 { x.log10() } else { f64::NAN }),
    ("log1p", |x| if x > -1.0 { x.ln_1p() } else { f64::NAN }),
    ("cbrt", f64::cbrt),
    ("degrees", f64::to_degrees),
    ("radians", f64::to_radians),
    ("ln", |x| if x > 0.0 { x.ln() } else { f64::NAN }),
];

#[elidable]
fn apply(function: u32, float: Float<Plain>) -> Float<Plain> {
    let (_, apply) = FUNCTIONS[function as usize];
    apply(float.get()).into()
}

/// What a function gives, if it is defined there.
pub fn defined<M: Mode>(function: u32, float: Float<M>) -> Option<Float<M>> {
    let result = apply::<M>(function, float);
    // Not equal to itself is what no number is.
    #[allow(clippy::eq_op)]
    (result == result).then_some(result)
}
