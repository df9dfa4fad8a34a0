//! The instructions. The table at the end is the only list of them.
//!
//! An instruction takes twelve bytes: a tag and up to four operands of sixteen bits, or two and one of thirty-two. A register that an
//! instruction writes is called `dst` in the table, all other registers are read; `base` and
//! `count` stand for a run of registers.

use std::fmt;

macro_rules! operands {
    ($($(#[$doc:meta])* $name:ident($type:ty) $prefix:literal;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
            pub struct $name(pub $type);

            impl fmt::Display for $name {
                fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                    write!(out, concat!($prefix, "{}"), self.0)
                }
            }

            impl From<$name> for Operand {
                fn from(operand: $name) -> Operand {
                    Operand::$name(operand)
                }
            }

            impl $name {
                /// As an index.
                #[inline]
                pub const fn index(self) -> usize {
                    self.0 as usize
                }
            }
        )*

        /// An operand of any kind, for those who look at all instructions alike.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Operand {
            $($(#[$doc])* $name($name),)*
            /// A small integer or a count.
            Int(i32),
        }

        impl fmt::Display for Operand {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Operand::$name(operand) => operand.fmt(out),)*
                    Operand::Int(operand) => operand.fmt(out),
                }
            }
        }
    };
}

operands! {
    /// A register of the frame.
    Reg(u16) "r";
    /// A constant of the code.
    Const(u16) "k";
    /// A cell of the module, as the program numbers them.
    Cell(u16) "c";
    /// A name of an attribute.
    NameId(u16) "n";
    /// A function of the program.
    CodeId(u16) "f";
    /// An instruction of the code.
    Label(u32) "@";
}

impl From<u16> for Operand {
    fn from(operand: u16) -> Operand {
        Operand::Int(operand.into())
    }
}

impl From<i16> for Operand {
    fn from(operand: i16) -> Operand {
        Operand::Int(operand.into())
    }
}

impl From<i32> for Operand {
    fn from(operand: i32) -> Operand {
        Operand::Int(operand)
    }
}

impl Instr {
    /// Whether it is a comparison that jumps, if it doesn't hold, where the instruction behind it says.
    pub fn is_fused_comparison(&self) -> bool {
        self.name().starts_with("Jump") && self.dst().is_some()
    }

    /// Whether it does what the instruction behind it is for, too, if everything is as usual.
    pub fn does_the_next(&self) -> bool {
        self.is_fused_comparison() || matches!(self, Instr::Invoke { .. })
    }
}

macro_rules! instructions {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty),* };)*) => {
        /// An instruction.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Instr {
            $($(#[$doc])* $name { $(#[allow(missing_docs)] $field: $type),* },)*
        }

        impl Instr {
            /// Its name in the table.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Instr::$name { .. } => stringify!($name),)*
                }
            }

            /// The register that it writes.
            #[allow(unused_variables, unused_mut)]
            #[inline(always)]
            pub fn dst(&self) -> Option<Reg> {
                match *self {
                    $(Instr::$name { $($field),* } => {
                        let mut found = None;
                        $(if stringify!($field) == "dst"
                            && let Operand::Reg(dst) = $field.into()
                        {
                            found = Some(dst);
                        })*
                        found
                    })*
                }
            }

            /// Calls the visitor with each operand and its name in the table.
            #[allow(unused_variables)]
            pub fn operands(&self, mut visit: impl FnMut(&'static str, Operand)) {
                match *self {
                    $(Instr::$name { $($field),* } => {
                        $(visit(stringify!($field), $field.into());)*
                    })*
                }
            }
        }
    };
}

instructions! {
    /// `dst` becomes `src`.
    Move { dst: Reg, src: Reg };
    /// `dst` becomes a constant.
    LoadConst { dst: Reg, value: Const };
    /// `dst` becomes a small integer.
    LoadInt { dst: Reg, value: i32 };
    /// `dst` becomes null.
    LoadNull { dst: Reg };
    /// `dst` becomes true.
    LoadTrue { dst: Reg };
    /// `dst` becomes false.
    LoadFalse { dst: Reg };
    /// `dst` becomes unset: a variable before its first assignment.
    LoadUnset { dst: Reg };
    /// `dst` becomes the value of a module's cell; an error if it has none.
    LoadCell { dst: Reg, cell: Cell };
    /// A module's cell becomes `src`; an error if it is frozen.
    StoreCell { cell: Cell, src: Reg };
    /// The frame gets a new environment of `count` unset variables, whose parent is the current one.
    MakeEnv { count: u16 };
    /// `dst` becomes a variable of the environment `depth` steps out, set or not.
    LoadEnv { dst: Reg, depth: u16, index: u16 };
    /// A variable of the environment `depth` steps out becomes `src`.
    StoreEnv { depth: u16, index: u16, src: Reg };
    /// `dst` becomes a closure of a function over the current environment.
    MakeClosure { dst: Reg, code: CodeId };
    /// `dst` becomes a list of `count` registers from `base`.
    MakeList { dst: Reg, base: Reg, count: u16 };
    /// `dst` becomes an attribute of an object.
    GetAttr { dst: Reg, object: Reg, name: NameId };
    /// An attribute of an object becomes `src`.
    SetAttr { object: Reg, name: NameId, src: Reg };
    /// `dst` becomes `object[item]`.
    GetItem { dst: Reg, object: Reg, item: Reg };
    /// `object[item]` becomes `src`.
    SetItem { object: Reg, item: Reg, src: Reg };
    /// `dst` becomes `object[value]`.
    GetItemInt { dst: Reg, object: Reg, value: i16 };
    /// `object[value]` becomes `src`.
    SetItemInt { object: Reg, value: i16, src: Reg };

    /// Goes on at `target`.
    Jump { target: Label };
    /// Goes on at `target` if `cond` is null or false.
    JumpIfFalse { cond: Reg, target: Label };
    /// Goes on at `target` if `cond` is neither null nor false.
    JumpIfTrue { cond: Reg, target: Label };
    /// Goes on at `target` if `src` is set.
    JumpIfSet { src: Reg, target: Label };
    /// A loop's back edge: goes on at `target`, where the next iteration begins.
    Loop { target: Label };
    /// `dst` becomes an iterator of `src`.
    Iter { dst: Reg, src: Reg };
    /// `dst` becomes the iterator's next value; goes on at `target` if there is none.
    Next { dst: Reg, iterator: Reg, target: Label };

    /// `dst` becomes what the function in `base` gives for the `count` arguments after it.
    Call { dst: Reg, base: Reg, count: u16 };
    /// `dst` becomes the method of an object, the register after it the object; of anything that
    /// is no method `dst` becomes the attribute, the register after it unset.
    LoadMethod { dst: Reg, object: Reg, name: NameId };
    /// Like `Call`, but what `LoadMethod` left in `base` and after it is called with `count`
    /// arguments more.
    CallMethod { dst: Reg, base: Reg, count: u16 };
    /// Both in one, if `count` arguments lie behind `base` and the one after it: the method of an object is called.
    /// Anything that is no method is left to the `CallMethod` behind this, as `LoadMethod` leaves it.
    Invoke { base: Reg, object: Reg, name: NameId, count: u16 };
    /// Leaves the function with `src`; it is no generator.
    Return { src: Reg };
    /// Leaves the generator for good.
    End {};
    /// Leaves the generator with `src`; it goes on here with what it is given in `dst`.
    Yield { dst: Reg, src: Reg };
    /// The error of a failed assertion.
    AssertFail {};
    /// Raises `src`.
    Raise { src: Reg };
    /// `dst` becomes a new interface over `parent`; `shape` is its name and its fields in one text, separated by
    /// spaces.
    MakeClass { dst: Reg, parent: Reg, shape: Const };

    /// `-a`
    Negate { dst: Reg, a: Reg, cell: Cell };
    /// `+a`
    Posate { dst: Reg, a: Reg, cell: Cell };
    /// `~a`
    Invert { dst: Reg, a: Reg, cell: Cell };
    /// `not a`
    Not { dst: Reg, a: Reg };
    /// Whether both are neither null nor false, as the function `and` says.
    Both { dst: Reg, a: Reg, b: Reg };
    /// `a + b`
    Add { dst: Reg, a: Reg, b: Reg, cell: Cell };
    /// `a - b`
    Sub { dst: Reg, a: Reg, b: Reg, cell: Cell };
    /// `a * b`
    Mul { dst: Reg, a: Reg, b: Reg, cell: Cell };
    /// `a / b`
    Div { dst: Reg, a: Reg, b: Reg, cell: Cell };
    /// `a % b`
    Mod { dst: Reg, a: Reg, b: Reg, cell: Cell };
    /// `a | b`
    BitOr { dst: Reg, a: Reg, b: Reg, cell: Cell };
    /// `a ^ b`
    BitXor { dst: Reg, a: Reg, b: Reg, cell: Cell };
    /// `a & b`
    BitAnd { dst: Reg, a: Reg, b: Reg, cell: Cell };
    /// `a << b`
    Shl { dst: Reg, a: Reg, b: Reg, cell: Cell };
    /// `a >> b`
    Shr { dst: Reg, a: Reg, b: Reg, cell: Cell };
    /// `a ++ b`
    Concat { dst: Reg, a: Reg, b: Reg, cell: Cell };
    /// Of `count` pieces from `base` the last, which is `dst`, was evaluated: unless it and the one before are strings,
    /// it becomes what `++` makes of all of them, which become unset.
    Piece { dst: Reg, base: Reg, count: u16, cell: Cell };
    /// `dst` becomes what `++` makes of `count` pieces from `base`.
    JoinPieces { dst: Reg, base: Reg, count: u16, cell: Cell };
    /// `a + value`
    AddInt { dst: Reg, a: Reg, value: i16, cell: Cell };
    /// `a - value`
    SubInt { dst: Reg, a: Reg, value: i16, cell: Cell };
    /// `a < b`
    Lt { dst: Reg, a: Reg, b: Reg, cell: Cell };
    /// `a > b`
    Gt { dst: Reg, a: Reg, b: Reg, cell: Cell };
    /// `a <= b`
    Le { dst: Reg, a: Reg, b: Reg, cell: Cell };
    /// `a >= b`
    Ge { dst: Reg, a: Reg, b: Reg, cell: Cell };
    /// `a == b`
    Eq { dst: Reg, a: Reg, b: Reg, cell: Cell };
    /// `a != b`
    Ne { dst: Reg, a: Reg, b: Reg, cell: Cell };

    // A comparison that only decides where to go on. The next instruction is a `JumpIfFalse` of
    // `dst`, which nothing else reads. Where the comparison is quickly made, that jump is made with
    // it; else this is the plain comparison.

    /// `a < b`, then the jump after it.
    JumpLt { dst: Reg, a: Reg, b: Reg, cell: Cell };
    /// `a > b`, then the jump after it.
    JumpGt { dst: Reg, a: Reg, b: Reg, cell: Cell };
    /// `a <= b`, then the jump after it.
    JumpLe { dst: Reg, a: Reg, b: Reg, cell: Cell };
    /// `a >= b`, then the jump after it.
    JumpGe { dst: Reg, a: Reg, b: Reg, cell: Cell };
    /// `a == b`, then the jump after it.
    JumpEq { dst: Reg, a: Reg, b: Reg, cell: Cell };
    /// `a != b`, then the jump after it.
    JumpNe { dst: Reg, a: Reg, b: Reg, cell: Cell };
    /// `a < value`, then the jump after it.
    JumpLtInt { dst: Reg, a: Reg, value: i16, cell: Cell };
    /// `a > value`, then the jump after it.
    JumpGtInt { dst: Reg, a: Reg, value: i16, cell: Cell };
    /// `a <= value`, then the jump after it.
    JumpLeInt { dst: Reg, a: Reg, value: i16, cell: Cell };
    /// `a >= value`, then the jump after it.
    JumpGeInt { dst: Reg, a: Reg, value: i16, cell: Cell };
    /// `a == value`, then the jump after it.
    JumpEqInt { dst: Reg, a: Reg, value: i16, cell: Cell };
    /// `a != value`, then the jump after it.
    JumpNeInt { dst: Reg, a: Reg, value: i16, cell: Cell };
    /// `a == null`, then the jump after it.
    JumpEqNull { dst: Reg, a: Reg, cell: Cell };
    /// `a != null`, then the jump after it.
    JumpNeNull { dst: Reg, a: Reg, cell: Cell };
}

#[cfg(test)]
mod tests {
    use super::Instr;

    #[test]
    fn an_instruction_is_small() {
        assert_eq!(std::mem::size_of::<Instr>(), 12);
    }
}
