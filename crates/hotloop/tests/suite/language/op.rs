//! The one list of the test language's operations: enum, text form, operands, all follow from it.

/// An operand of an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// A register that is written.
    Target,
    /// A register that is read.
    Source,
    /// A number.
    Number,
    /// A float.
    Float,
    /// A function's index.
    Function,
}

macro_rules! operations {
    ($($op:ident $name:literal $($role:ident)*;)*) => {
        /// What a micro-operation does.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Op { $($op),* }

        impl Op {
            pub const ALL: &'static [Op] = &[$(Op::$op),*];

            pub fn name(self) -> &'static str {
                match self { $(Op::$op => $name),* }
            }

            pub fn roles(self) -> &'static [Role] {
                match self { $(Op::$op => &[$(Role::$role),*]),* }
            }
        }
    };
}

operations! {
    // Values.
    Int "int" Target Number;
    Float "float" Target Float;
    Null "null" Target;
    Move "move" Target Source;
    Promote "promote" Target Source;
    // Arithmetic: of small integers (overflow is an error), or of floats.
    Add "add" Target Source Source;
    Sub "sub" Target Source Source;
    Mul "mul" Target Source Source;
    Div "div" Target Source Source;
    Mod "mod" Target Source Source;
    And "and" Target Source Source;
    Xor "xor" Target Source Source;
    // Both as full 64-bit integers; the result is cut to 60 bits.
    Mix "mix" Target Source Source;
    Less "less" Target Source Source;
    Same "same" Target Source Source;
    // Without a guard.
    Min "min" Target Source Source;
    // An error unless the first is less.
    Assert "assert" Source Source;
    // Pairs.
    Pair "pair" Target Source Source;
    First "first" Target Source;
    Second "second" Target Source;
    SetFirst "set-first" Source Source;
    SetSecond "set-second" Source Source;
    IsPair "is-pair" Target Source;
    // Cells: a value, a count, a weight, a pair or none.
    Cell "cell" Target Source;
    CellGet "cell-get" Target Source;
    CellSet "cell-set" Source Source;
    Count "count" Target Source;
    Bump "bump" Source;
    Weight "weight" Target Source;
    Weigh "weigh" Source Source;
    Link "link" Source Source;
    Linked "linked" Target Source;
    // Arrays of values, of bytes, of integers.
    Array "array" Target Number;
    Item "item" Target Source Source;
    SetItem "set-item" Source Source Source;
    Length "length" Target Source;
    Bytes "bytes" Target Number;
    Byte "byte" Target Source Source;
    SetByte "set-byte" Source Source Source;
    ArrayOf "array-of" Target Source;
    // Runs of items: to, from; a number says how many (0 to 3) and where (`n + 4 * from + 32 * to`).
    CopyItems "copy-items" Source Source Source;
    CopyBytes "copy-bytes" Source Source Source;
    // Two items from an index on.
    FillItems "fill-items" Source Source Source;
    SameBytes "same-bytes" Target Source Source;
    SameItems "same-items" Target Source Source;
    Slice "slice" Target Source Source;
    // Lists that grow.
    List "list" Target;
    Push "push" Source Source;
    Pop "pop" Target Source;
    At "at" Target Source Source;
    Size "size" Target Source;
    // Objects with an immutable and a stable field.
    Config "config" Target Source;
    Kind "kind" Target Source;
    Version "version" Target Source;
    SetVersion "set-version" Source Source;
    Global "global" Target Number;
    SetGlobal "set-global" Number Source;
    Closure "closure" Target Function Source;
    Generator "generator" Target Function Source;
    // Frames as values.
    ThisFrame "this-frame" Target;
    FrameSlot "frame-slot" Target Source Number;
    SetFrameSlot "set-frame-slot" Source Number Source;
    Depth "depth" Target;
    Note "note" Source;
    Noted "noted" Target;
    // The plain part of the state.
    Paint "paint" Number;
    // Natives that read.
    Print "print" Source;
    Peek "peek" Target Source;
    MakePair "make-pair" Target Source Source;
    // Counts outside of the heap: another number each time.
    Next "next" Target;
    IsBig "is-big" Target Source;
    PairOf "pair-of" Target Source;
    Half "half" Target Source;
    Halves "halves" Target Source;
    // Natives that write.
    Poke "poke" Source Source;
    // Writes, then raises if the value is odd.
    PokeOdd "poke-odd" Target Source Source;
    // Replaces the cell's value by what comes after it.
    Advance "advance" Source;
    Scribble "scribble" Source Source;
    PokeVersion "poke-version" Source Source;
    // Natives that do anything.
    Walk "walk" Target;
    // Prints the chain of frames and where each goes on.
    Chain "chain";
    CallerSlot "caller-slot" Target Number;
    SetCallerSlot "set-caller-slot" Number Source;
    MySlot "my-slot" Target Number;
    SetMySlot "set-my-slot" Number Source;
    // Writes a slot of this frame, then raises if the value is odd.
    OddSlot "odd-slot" Number Source;
    AnyPoke "any-poke" Target Source Source;
    // The same natives, but they look only if the last operand is a number other than 0.
    SlotIf "slot-if" Target Number Source;
    SetSlotIf "set-slot-if" Number Source Source;
    CallerSlotIf "caller-slot-if" Target Number Source;
    SetCallerSlotIf "set-caller-slot-if" Number Source Source;
    WalkIf "walk-if" Target Source;
    ChainIf "chain-if" Source;
    // Writes a slot of this frame and raises, only if the value is odd.
    RaiseIf "raise-if" Number Source;
    // This frame as a value, or 0.
    GrabIf "grab-if" Target Source;
    // The interpreter runs the function, in a native.
    NestedIf "nested-if" Target Function Source;
    // Elidable natives.
    Hash "hash" Target Source;
    Root "root" Target Source;
    // Hints. The sum of an array: traced if it is short or virtual, else called.
    Total "total" Target Source;
    // An elidable native that promotes its argument.
    HashConst "hash-const" Target Source;
    // A loop-invariant native.
    Limit "limit" Target;
    // A native that compiled code does not call.
    Watch "watch" Source;
    // Squares, and says what the root of that is; the root.
    Square "square" Target Source;
    SquareRoot "square-root" Target Source;
    // The first of what a native says to be a pair.
    SureFirst "sure-first" Target Source;
    // The lowest bit, assumed where a guard has told it.
    LowBit "low-bit" Target Source;
    // Ways that do different things, chosen by what is known while compiling.
    IfConstant "if-constant" Source Source;
    IfVirtual "if-virtual" Target Source;
    IfJitted "if-jitted" Source;
    // Raises the cell's value to the number if it is less, in a call that is made or not.
    AtLeast "at-least" Source Source;
    // The cell's count; if it is 0, what a native computes from its value, and that is kept.
    Cached "cached" Target Source;
}

/// One operation with its operands; floats are kept as their bits.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Micro {
    pub op: Op,
    pub args: [i64; 3],
}

/// How an instruction ends.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum End {
    Next,
    Jump(u32),
    // A back edge.
    Back(u32),
    JumpIf(u32, u32),
    JumpLess(u32, u32, u32),
    // A back edge if the first is less.
    BackLess(u32, u32, u32),
    // Result register, function, first argument register, how many.
    Call(u32, u32, u32, u32),
    // The same with a closure in a register.
    CallValue(u32, u32, u32, u32),
    Return(u32),
    Raise(u32),
    // What the generator yields next goes to the first register; the last is what its `yield` gives.
    Resume(u32, u32, u32),
    Yield(u32, u32),
}

/// An instruction: any number of operations in *one* step, then where to go.
#[derive(Clone, PartialEq, Debug)]
pub struct Instr {
    pub work: Vec<Micro>,
    pub end: End,
}
