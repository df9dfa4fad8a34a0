//! The one table of operations. The enum, the printer, the parser, the verifier and the documentation
//! follow from it; no other list of operations exists.
//!
//! A row: `Variant "name" shape class: meaning`. The *shape* says operands and result:
//!
//! ```text
//! i  word (integer, boolean, tagged value)     r  address of a heap object (0 = null)    f  float
//! *  any of them          [] a list of operands          >x  result type; no > means no result
//! ```
//!
//! The `descr` number of an operation means: a field for `getfield`/`setfield`; a type for `new`, `box_float`,
//! `getitem`, `len`, `fill_items`, `virtualizable`, `guard_type` and `guard_box`; two types ([`crate::two_types`]) for
//! `copy_items` and its like; a call for calls and `known_result`; an instruction for `instr`;
//! the live length for `live`; the type of an `input`; a loop's number for `enter` and `enter_label`; an object's number for `virtual_ref`; an index of
//! [`Trace::calls`](crate::Trace::calls) for `call_entry`; a number as C stores it
//! ([`Scalar`](crate::Scalar)) for `load_raw` and `store_raw`. For guards and calls
//! of a *recorded* trace, `resume` is the number of events before it; of an *optimised* one, the index of
//! its resume data.

use crate::trace::Ty;

/// What an operation may do, as far as moving and removing it goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    /// A function of its operands alone: may be folded, shared, moved, dropped.
    Pure,
    /// Leaves the trace unless its condition holds.
    Guard,
    /// Computes a result and leaves the trace when it overflows.
    PureGuard,
    /// Reads memory.
    Read,
    /// Writes memory.
    Write,
    /// Makes an object.
    Alloc,
    /// Calls native code.
    Call,
    /// Defines a value at the trace's start or at its label, or marks a place.
    Marker,
    /// Ends the trace.
    End,
}

/// Operands and result of an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shape {
    /// The operands in `args`, at most three: `i`, `r`, `f` or `*` each.
    pub args: &'static [u8],
    /// Whether a list of operands follows.
    pub list: bool,
    /// The result's type: `Some(None)` is "any, the operation says which" (inputs, loads, calls).
    pub result: Option<Option<Ty>>,
}

const fn result(text: &str) -> Option<Option<Ty>> {
    match text.as_bytes() {
        [] => None,
        [b'i'] => Some(Some(Ty::Int)),
        [b'r'] => Some(Some(Ty::Ref)),
        [b'f'] => Some(Some(Ty::Float)),
        _ => Some(None),
    }
}

macro_rules! ops {
    ($($variant:ident $name:literal ($args:literal $list:literal -> $result:literal) $class:ident: $doc:literal;)*) => {
        /// An operation of the trace.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Opcode { $(#[doc = $doc] $variant,)* }

        impl Opcode {
            /// Every operation, in the table's order.
            pub const ALL: &[Opcode] = &[$(Opcode::$variant,)*];

            /// The name in the text form.
            pub const fn name(self) -> &'static str {
                match self { $(Opcode::$variant => $name,)* }
            }

            /// What it may do.
            #[inline]
            pub const fn class(self) -> Class {
                const CLASSES: &[Class] = &[$(Class::$class,)*];
                CLASSES[self as usize]
            }

            /// Its operands and result.
            #[inline]
            pub const fn shape(self) -> &'static Shape {
                const SHAPES: &[Shape] = &[$(Shape { args: $args, list: $list, result: result($result) },)*];
                &SHAPES[self as usize]
            }

            /// One line of meaning.
            pub const fn meaning(self) -> &'static str {
                match self { $(Opcode::$variant => $doc,)* }
            }
        }
    };
}

ops! {
    // Where values come from, and marks.
    Input "input" (b"" false -> "*") Marker: "A value handed over at the trace's entry; `descr` is its type.";
    Label "label" (b"" false -> "") Marker: "The peeled loop's head: `loop` jumps here.";
    Hoisted "hoisted" (b"" false -> "") Marker: "Guards from here to the label were moved out of the loop.";
    Phi "phi" (b"*" false -> "*") Marker: "A loop-carried value: the operand at first, then the operand of `loop`.";
    Instr "instr" (b"" false -> "") Marker: "An instruction of the interpreter begins.";
    Virtualizable "virtualizable" (b"r" true -> "") Marker: "The trace's own frame and what its fields hold (heap copy is stale).";
    Live "live" (b"ri" false -> "") Marker: "Items of the frame from `descr` on are dead, of the first 64 those without a bit, and fields for frames that wait.";
    Flush "flush" (b"r" false -> "") Marker: "The trace's own frame is about to be seen by others: its slots are written back.";

    VirtualRef "virtual_ref" (b"" false -> "r") Marker: "A handle for the frame that is object `descr` behind the next call's `guard_not_forced`.";

    KnownValue "known_value" (b"**" false -> "") Marker: "The author says: the operand is the constant (second operand).";
    KnownResult "known_result" (b"" true -> "") Marker: "The author says: called with the other operands, the elidable `descr` answers the first.";

    // Words.
    IntAdd "int_add" (b"ii" false -> "i") Pure: "Sum, wrapping.";
    IntSub "int_sub" (b"ii" false -> "i") Pure: "Difference, wrapping.";
    IntMul "int_mul" (b"ii" false -> "i") Pure: "Product, wrapping.";
    IntDiv "int_div" (b"ii" false -> "i") Pure: "Quotient towards zero; the divisor is not zero; MIN/-1 is MIN.";
    IntRem "int_rem" (b"ii" false -> "i") Pure: "Remainder of `int_div`; MIN%-1 is 0.";
    IntDivFloor "int_div_floor" (b"ii" false -> "i") Pure: "Quotient towards minus infinity; the divisor is not zero; MIN/-1 is MIN.";
    IntModFloor "int_mod_floor" (b"ii" false -> "i") Pure: "Remainder with the divisor's sign.";
    IntAnd "int_and" (b"ii" false -> "i") Pure: "Bitwise and.";
    IntOr "int_or" (b"ii" false -> "i") Pure: "Bitwise or.";
    IntXor "int_xor" (b"ii" false -> "i") Pure: "Bitwise exclusive or.";
    IntShl "int_shl" (b"ii" false -> "i") Pure: "Shift left; only the low six bits of the count are used.";
    IntSar "int_sar" (b"ii" false -> "i") Pure: "Arithmetic shift right; only the low six bits of the count are used.";
    IntShr "int_shr" (b"ii" false -> "i") Pure: "Logical shift right; only the low six bits of the count are used.";
    IntEq "int_eq" (b"ii" false -> "i") Pure: "1 if equal, else 0.";
    IntNe "int_ne" (b"ii" false -> "i") Pure: "1 if different, else 0.";
    IntLt "int_lt" (b"ii" false -> "i") Pure: "1 if less (signed), else 0.";
    IntLe "int_le" (b"ii" false -> "i") Pure: "1 if less or equal (signed), else 0.";
    UintLt "uint_lt" (b"ii" false -> "i") Pure: "1 if less (unsigned), else 0.";
    UintLe "uint_le" (b"ii" false -> "i") Pure: "1 if less or equal (unsigned), else 0.";
    IntAddWraps "int_add_wraps" (b"ii" false -> "i") Pure: "1 if the signed sum overflows, else 0.";
    IntSubWraps "int_sub_wraps" (b"ii" false -> "i") Pure: "1 if the signed difference overflows, else 0.";
    IntMulWraps "int_mul_wraps" (b"ii" false -> "i") Pure: "1 if the signed product overflows, else 0.";
    Select "select" (b"iii" false -> "i") Pure: "The second operand if the first is not 0, else the third.";

    // Addresses and tagged values.
    RefEq "ref_eq" (b"rr" false -> "i") Pure: "1 if the same object, else 0.";
    RefToValue "ref_to_value" (b"r" false -> "i") Pure: "Tags an address as a language value (adds 2).";
    ValueToRef "value_to_ref" (b"i" false -> "r") Pure: "The address in a language value that is a reference (subtracts 2).";
    RefToInt "ref_to_int" (b"r" false -> "i") Pure: "The address as a word.";
    IntToRef "int_to_ref" (b"i" false -> "r") Pure: "A word as an address.";

    // Floats.
    FloatAdd "float_add" (b"ff" false -> "f") Pure: "Sum.";
    FloatSub "float_sub" (b"ff" false -> "f") Pure: "Difference.";
    FloatMul "float_mul" (b"ff" false -> "f") Pure: "Product.";
    FloatDiv "float_div" (b"ff" false -> "f") Pure: "Quotient.";
    FloatNeg "float_neg" (b"f" false -> "f") Pure: "Sign changed.";
    FloatAbs "float_abs" (b"f" false -> "f") Pure: "Sign cleared.";
    FloatSqrt "float_sqrt" (b"f" false -> "f") Pure: "Square root.";
    FloatEq "float_eq" (b"ff" false -> "i") Pure: "1 if equal (NaN is not), else 0.";
    FloatLt "float_lt" (b"ff" false -> "i") Pure: "1 if less (NaN is not), else 0.";
    FloatLe "float_le" (b"ff" false -> "i") Pure: "1 if less or equal (NaN is not), else 0.";
    IntToFloat "int_to_float" (b"i" false -> "f") Pure: "Nearest float.";
    FloatToInt "float_to_int" (b"f" false -> "i") Pure: "Towards zero, saturating; NaN is 0 (Rust's `as`).";
    FloatToBits "float_to_bits" (b"f" false -> "i") Pure: "The float's bits.";
    BitsToFloat "bits_to_float" (b"i" false -> "f") Pure: "The float with these bits.";

    // Floats in tagged values (self-tagging).
    FloatToValue "float_to_value" (b"f" false -> "i") Pure: "The tagged word of a float that fits (`float_fits_value`).";
    BoxFloat "box_float" (b"f" false -> "i") Pure: "The float as a value: its tagged word if it fits, else a new object of type `descr` with it in its first field.";
    ValueToFloat "value_to_float" (b"i" false -> "f") Pure: "The float in a tagged word that is one (`value_is_float`).";
    FloatFitsValue "float_fits_value" (b"f" false -> "i") Pure: "1 if the float has a tagged word, else 0.";
    ValueIsFloat "value_is_float" (b"i" false -> "i") Pure: "1 if the low three bits are 1, 5 or 6, else 0.";

    // Guards. `int_*_ovf` computes, too.
    GuardTrue "guard_true" (b"i" false -> "") Guard: "Goes on if the operand is not 0.";
    GuardFalse "guard_false" (b"i" false -> "") Guard: "Goes on if the operand is 0.";
    GuardValue "guard_value" (b"**" false -> "") Guard: "Goes on if the operand equals the constant (second operand), bit for bit.";
    GuardType "guard_type" (b"r" false -> "") Guard: "Goes on if the object (not null) is of heap type `descr`.";
    GuardBox "guard_box" (b"i" false -> "") Guard: "Goes on if the value is a float in a box of type `descr`. Recorded traces only.";
    GuardNoInterrupt "guard_no_interrupt" (b"" false -> "") Guard: "Goes on if the poll flag is not set.";
    GuardStack "guard_stack" (b"" false -> "") Guard: "Goes on if the machine stack has room for another frame, and the poll flag is not set.";
    GuardReal "guard_real" (b"r" false -> "") Guard: "Goes on if the word is an address, and no token for a frame of a calling trace.";
    GuardCalled "guard_called" (b"r" false -> "") Guard: "Goes on if the word (the trace's own frame) is a token: a trace called this one.";
    GuardReturned "guard_returned" (b"i" false -> "") Guard: "Goes on if the `call_entry` returned; otherwise it left through an exit of its own.";
    GuardNotForced "guard_not_forced" (b"" false -> "") Guard: "Goes on if nobody has looked at the frames of this trace in the call just before.";
    GuardValid "guard_valid" (b"" false -> "") Guard: "Goes on if no stable field this trace relies on was written.";
    IntAddOvf "int_add_ovf" (b"ii" false -> "i") PureGuard: "Sum; leaves on signed overflow.";
    IntSubOvf "int_sub_ovf" (b"ii" false -> "i") PureGuard: "Difference; leaves on signed overflow.";
    IntMulOvf "int_mul_ovf" (b"ii" false -> "i") PureGuard: "Product; leaves on signed overflow.";

    // Memory.
    GetField "getfield" (b"r" false -> "*") Read: "A field of an object that is not null.";
    SetField "setfield" (b"r*" false -> "") Write: "Writes a field.";
    GetItem "getitem" (b"ri" false -> "*") Read: "An item of the object's array part; the index is in range.";
    SetItem "setitem" (b"ri*" false -> "") Write: "Writes an item.";
    LoadRaw "load_raw" (b"ii" false -> "*") Read: "A number as C stores it, at an address outside the heap plus an offset; floats are widened.";
    StoreRaw "store_raw" (b"ii*" false -> "") Write: "Writes a number as C stores it, at an address outside the heap plus an offset.";
    Len "len" (b"r" false -> "i") Read: "Length of the array part; never changes.";
    CopyItems "copy_items" (b"rri" true -> "") Write: "Copies items from the first object to the second, as through a buffer; the third operand says how many, the list where they begin in each.";
    FillItems "fill_items" (b"ri*" true -> "") Write: "Writes the third operand to as many items from the index on as the list says.";
    EqualItems "equal_items" (b"rri" true -> "i") Read: "1 if as many items of both objects are the same, else 0; the list says where they begin in each.";
    CompareItems "compare_items" (b"rri" true -> "i") Read: "-1, 0 or 1: the order of the first items that differ, as unsigned words; operands as in `equal_items`.";
    GetType "get_type" (b"r" false -> "i") Read: "Number of the heap type; never changes.";
    New "new" (b"" false -> "r") Alloc: "A zeroed object of type `descr` without items.";
    NewArray "new_array" (b"i" false -> "r") Alloc: "A zeroed object of type `descr` with that many items.";

    // Calls.
    Call "call" (b"" true -> "*") Call: "Calls native code; the descriptor says address and effects.";
    CallIf "call_if" (b"" true -> "") Call: "Calls native code with the other operands if the first is not 0. No guard.";
    CallUnless "call_unless" (b"" true -> "*") Call: "The first operand if it is not 0, else what native code answers to the others. No guard.";
    CallRaised "call_raised" (b"*" false -> "i") Pure: "Whether the call just before (the operand) raised: 1, else 0.";

    CallEntry "call_entry" (b"" true -> "i") Call: "Calls the entry of a compiled function; the result says at which position it returned.";
    CallResult "call_result" (b"i" false -> "*") Pure: "A result of the `call_entry` (the operand) just before: `descr` is 4 * its number + its type.";

    // The end.
    Loop "loop" (b"" true -> "") End: "Back to the label's phis, or to the inputs if there is no label.";
    Enter "enter" (b"" true -> "") End: "Goes on at the entry of another compiled loop (`descr`).";
    EnterLabel "enter_label" (b"" true -> "") End: "Goes on at the label of another compiled loop (`descr`): its phis, then what it keeps.";
    Return "return" (b"" true -> "") End: "Returns to the calling trace with results; `descr` says at which position.";
    Exit "exit" (b"" false -> "") End: "Leaves the trace for the interpreter.";
}

impl Opcode {
    /// The operation with this name in the text form.
    pub fn from_name(name: &str) -> Option<Opcode> {
        Opcode::ALL.iter().copied().find(|op| op.name() == name)
    }

    /// Whether a collection may come while it is executed: it allocates, or calls what may.
    pub fn may_collect(self) -> bool {
        matches!(self.class(), Class::Alloc | Class::Call) || self == Opcode::BoxFloat
    }

    /// Whether it may leave the trace and so has resume data.
    #[inline]
    pub const fn is_guard(self) -> bool {
        matches!(self.class(), Class::Guard | Class::PureGuard) || matches!(self, Opcode::Exit)
    }

    /// Whether it can't be made to fail although it holds (in the test modes).
    #[inline]
    pub const fn is_final(self) -> bool {
        matches!(self, Opcode::Exit | Opcode::GuardReturned | Opcode::GuardNotForced)
    }

    /// Whether it is a part of the outcome of the call just before.
    #[inline]
    pub const fn is_outcome(self) -> bool {
        matches!(self, Opcode::CallRaised | Opcode::CallResult)
    }

    /// Whether the two operands may be swapped.
    pub const fn is_commutative(self) -> bool {
        use Opcode::*;
        matches!(
            self,
            IntAdd
                | IntMul
                | IntAnd
                | IntOr
                | IntXor
                | IntEq
                | IntNe
                | IntAddOvf
                | IntMulOvf
                | IntAddWraps
                | IntMulWraps
                | RefEq
                | FloatAdd
                | FloatMul
                | FloatEq
        )
    }
}
