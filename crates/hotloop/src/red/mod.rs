//! Red values: known only at run time. In `Direct` they are machine words, in `Meta` words with the trace's
//! operand. Comparisons give a plain `bool` (and a guard); nothing else leads from a red word to plain Rust
//! but `promote`.

mod bool;
mod float;
mod int;
mod small;
mod value;

pub use self::bool::Bool;
pub use float::Float;
pub use int::Int;
pub use small::Small;
pub use value::{ConstObject, ConstValue, Value};
