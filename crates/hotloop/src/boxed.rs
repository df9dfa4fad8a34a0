//! Floats that don't fit a tagged word.

use crate::heap_type;

/// A float in the heap: infinities, NaN, and magnitudes that self-tagging leaves out.
#[heap_type]
pub struct BoxedFloat {
    #[immutable]
    pub float: Float,
}
