//! The heap types.

use hotloop::prelude::*;

use hotloop_ffi::Type;

use crate::ffi::LibraryInfo;
use crate::vm::Progress;
use crate::vm::interface::{BuiltinInfo, InterfaceInfo};
use crate::vm::link::LinkedCode;
use crate::vm::module::{CellInfo, ModuleInfo};

/// A call in progress, or a generator that waits.
#[heap_type(virtualizable)]
pub struct Frame {
    /// What is executed.
    #[immutable]
    pub code: Green<GreenRef<LinkedCode>>,
    /// The variables that inner functions use: the function's own, or those around it.
    pub env: Option<Env>,
    /// Who called.
    pub back: Option<Frame>,
    /// Of a frame that doesn't run: how far it has come.
    #[waiting]
    pub progress: Green<Progress>,
    /// How many frames are below.
    pub depth: Int,
    /// The registers.
    pub slots: [Value],
}

/// Variables of a function that its inner functions use.
#[heap_type]
pub struct Env {
    /// Those of the function around it.
    #[immutable]
    pub parent: Option<Env>,
    /// The variables.
    pub variables: [Value],
}

/// A function of the program with the variables around it.
#[heap_type]
pub struct Closure {
    /// What is executed.
    #[immutable]
    pub code: Green<GreenRef<LinkedCode>>,
    /// The variables around it.
    #[immutable]
    pub env: Option<Env>,
}

/// A generator.
#[heap_type]
pub struct Generator {
    /// Its frame; whose `back` is set while it runs.
    #[immutable]
    pub frame: Frame,
}

/// A coroutine: a chain of frames of its own. See `vm/greenlet.rs`.
#[heap_type]
pub struct Greenlet {
    /// To whom its end goes; nobody has the one in which programs begin.
    #[immutable]
    pub parent: Option<Greenlet>,
    /// What it calls.
    #[immutable]
    pub function: Value,
    /// With which arguments, and those of the first switch after them.
    #[immutable]
    pub args: Option<List>,
    /// The frame that waits for the next switch.
    pub frame: Option<Frame>,
    /// Whether it has begun or ended, or whether C has called it back.
    pub stage: Int,
    /// The native stack that waits for the next switch, if C has called it back.
    pub stack: Int,
}

/// Where it is noted which greenlet runs.
#[heap_type]
pub struct Running {
    /// The one.
    pub greenlet: Greenlet,
    /// The one that goes on when the native stack was left, if that is why.
    pub next: Option<Greenlet>,
    /// What it is given.
    pub value: Value,
    /// The error that is raised in it, or the unset value.
    pub exception: Value,
}

/// A name's place in a module.
///
/// While the name has been written once at most, `constant` is its value (unset before), which
/// traces take for granted; from the second time on it says so and `value` is the value. A name
/// that its program writes at several places goes there at once.
#[heap_type]
pub struct Cell {
    /// The name.
    #[immutable]
    pub info: Green<GreenRef<CellInfo>>,
    /// Whether its program writes it at several places.
    pub varies: Int,
    /// Whether it was lifted from a frozen module.
    #[stable]
    pub frozen: Int,
    /// The value of a cell that doesn't vary.
    #[stable]
    pub constant: Value,
    /// Where the name is looked up while the cell is empty.
    #[stable]
    pub outer: Option<Cell>,
    /// The value of a cell that does.
    pub value: Value,
}

/// A module.
#[heap_type]
pub struct Module {
    /// Its names.
    #[immutable]
    pub info: Green<GreenRef<ModuleInfo>>,
}

/// A function of the interpreter.
#[heap_type]
pub struct Builtin {
    /// What it is.
    #[immutable]
    pub info: Green<GreenRef<BuiltinInfo>>,
}

/// The type of an object.
#[heap_type]
pub struct Interface {
    /// What it is.
    #[immutable]
    pub info: Green<GreenRef<InterfaceInfo>>,
}

/// A method with the object it belongs to.
#[heap_type]
pub struct BoundMethod {
    /// The object.
    #[immutable]
    pub receiver: Value,
    /// The method's name.
    #[immutable]
    pub name: Str,
    /// What is called.
    #[immutable]
    pub method: Value,
}

/// A function that dispatches on the interfaces of its first arguments.
#[heap_type]
pub struct Multimethod {
    /// How many arguments decide.
    #[immutable]
    pub arity: Int,
    /// Which of the interpreter's operators it is.
    #[immutable]
    pub operator: Green<u32>,
    /// Its methods: another table from each change on.
    #[stable]
    pub methods: Methods,
    /// What is called where no method is found; unset if there is nothing.
    #[stable]
    pub default: Value,
}

/// The methods of a multimethod, row after row: the interfaces of the arguments that decide, then what is called.
#[heap_type]
pub struct Methods {
    /// The rows; never written after the table's making.
    #[immutable]
    pub rows: [Value],
}

/// A text.
#[heap_type]
pub struct Str {
    /// How many characters it has.
    #[immutable]
    pub length: Int,
    /// Its hash, 0 until it is wanted.
    pub hash: Int,
    /// The text in UTF-8.
    #[immutable]
    pub bytes: [Byte],
}

impl Str<Plain> {
    /// A string of the heap with this text, which is not of one byte, or not seen by programs.
    pub fn from_text(runtime: &Runtime, text: &str) -> Str<Plain> {
        let length = if text.is_ascii() { text.len() } else { text.chars().count() };
        Str::from_bytes(runtime, text.as_bytes(), length)
    }

    /// The same, of bytes in UTF-8 that are so many characters.
    pub fn from_bytes(runtime: &Runtime, bytes: &[u8], length: usize) -> Str<Plain> {
        let object = Str::new(runtime, (length as i64).into(), 0.into(), bytes.len());
        object.write_bytes(0, bytes);
        object
    }
}

/// The strings of one byte, by byte: each is in the heap once only, so that a comparison with one is a
/// comparison of references.
#[heap_type]
pub struct Characters {
    /// The strings; those of the bytes that are no characters by themselves are not used.
    #[immutable]
    pub items: [Str],
}

/// An integer of more than 61 bits.
#[heap_type]
pub struct BigInt {
    /// Whether it is negative.
    #[immutable]
    pub negative: Int,
    /// The magnitude in words of 64 bits, the lowest first.
    #[immutable]
    pub words: [Int],
}

impl BigInt<Plain> {
    /// A big integer of the heap.
    pub fn from_words(runtime: &Runtime, negative: bool, words: &[u64]) -> BigInt<Plain> {
        let object = BigInt::new(runtime, i64::from(negative).into(), words.len());
        object.write_words(0, words);
        object
    }
}

/// Values in a row: arguments, a dictionary's entries.
#[heap_type]
pub struct Items {
    /// The values.
    pub items: [Value],
}

/// A list. See [`crate::object::list`].
#[heap_type]
pub struct List {
    /// Its elements, if they are not in `own`.
    pub grown: Option<Elements>,
    /// All of them, if they are there.
    pub own: [Value],
}

/// The elements of a list that may grow.
#[heap_type]
pub struct Elements {
    /// How many there are.
    pub length: Int,
    /// The elements, and room for more.
    pub items: [Value],
}

/// Integers in a row: a dictionary's table of hashes.
#[heap_type]
pub struct Table {
    /// The integers.
    pub slots: [Int],
}

/// A dictionary; its entries stay in the order in which they were added.
#[heap_type]
pub struct Dict {
    /// How many entries it has.
    pub length: Int,
    /// How many places of `entries` are taken, by entries and by removed ones.
    pub used: Int,
    /// A table of places by hash: see [`crate::object::dict`].
    pub table: Table,
    /// Key, value, key, value, …; the key of a removed entry is unset.
    pub entries: Items,
}

/// An iterator over a list.
#[heap_type]
pub struct ListIterator {
    /// The list.
    #[immutable]
    pub list: List,
    /// How many elements were given.
    pub index: Int,
}

/// An iterator over a dictionary.
#[heap_type]
pub struct DictIterator {
    /// The dictionary.
    #[immutable]
    pub dict: Dict,
    /// What it gives: see [`DictPart`].
    #[immutable]
    pub part: Int,
    /// How many entries it has, and its table, as long as nothing changes but values.
    #[immutable]
    pub length: Int,
    /// See `length`.
    #[immutable]
    pub table: Table,
    /// How many places of `entries` were seen.
    pub index: Int,
}

/// What a dictionary's iterator gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DictPart {
    /// Keys.
    Keys,
    /// Values.
    Values,
    /// Lists of key and value.
    Items,
}

/// An iterator over the characters of a string.
#[heap_type]
pub struct StrIterator {
    /// The string.
    #[immutable]
    pub text: Str,
    /// How many bytes were given.
    pub index: Int,
}

/// An iterator over integers.
#[heap_type]
pub struct Range {
    /// The next one.
    pub next: Int,
    /// The first that is not given.
    #[immutable]
    pub stop: Int,
    /// The distance between two.
    #[immutable]
    pub step: Int,
}

/// An object of a class.
#[heap_type]
pub struct Object {
    /// Its class.
    #[immutable]
    pub interface: Green<GreenRef<InterfaceInfo>>,
    /// Its fields, those of the parents first.
    pub fields: [Value],
}

/// A set: a dictionary whose values are all null.
#[heap_type]
pub struct Set {
    /// The elements as keys.
    #[immutable]
    pub dict: Dict,
}

/// What an error is to those who could handle it.
pub mod error_kind {
    /// Something is wrong.
    pub const PLAIN: i64 = 0;
    /// The end of an iterator.
    pub const STOP: i64 = 1;
    /// Ctrl-C: nobody handles it.
    pub const INTERRUPT: i64 = 2;
    /// The program ends, with the status that is the message; nobody handles it.
    pub const EXIT: i64 = 3;
}

/// An error on its way.
#[heap_type]
pub struct Error {
    /// See [`error_kind`].
    #[immutable]
    pub kind: Int,
    /// What is wrong.
    #[immutable]
    pub message: Value,
    /// What `except` gets, if it is not the error itself.
    #[immutable]
    pub raised: Value,
    /// The name that is missing, if that is what is wrong.
    #[immutable]
    pub name: Option<Str>,
    /// The object that doesn't have it.
    #[immutable]
    pub object: Value,
    /// Through which frames it came, the outermost first.
    pub trace: Option<Trace>,
}

/// A frame that an error came through.
#[heap_type]
pub struct Trace {
    /// What was executed.
    #[immutable]
    pub code: Green<GreenRef<LinkedCode>>,
    /// The instruction.
    #[immutable]
    pub pc: Green<u32>,
    /// The frame that it called.
    #[immutable]
    pub next: Option<Trace>,
}

/// A type of C.
#[heap_type]
pub struct CType {
    /// The type.
    #[immutable]
    pub ty: Green<GreenRef<Type>>,
}

/// Memory of C: what a pointer points to.
#[heap_type]
pub struct Memory {
    /// The type of what lies there.
    #[immutable]
    pub ty: Green<GreenRef<Type>>,
    /// Where it is; never null.
    #[immutable]
    pub address: Int,
    /// The block in which it is, if the program made that.
    #[immutable]
    pub block: Option<Block>,
}

/// A block of memory that the program made.
#[heap_type]
pub struct Block {
    /// Its address.
    #[immutable]
    pub start: Int,
    /// Bytes in it.
    #[immutable]
    pub size: Int,
    /// 1 until it is freed.
    pub live: Int,
    /// The object in which it lies; of others `free` gives the memory back.
    #[immutable]
    pub owner: Option<Room>,
}

/// Bytes that C reads and writes. The heap never moves them, and they are read and written by their address only.
#[heap_type]
pub struct Room {
    /// The bytes.
    #[immutable]
    pub bytes: [Byte],
}

/// A function of C.
#[heap_type]
pub struct CFunction {
    /// What it takes and gives.
    #[immutable]
    pub ty: Green<GreenRef<Type>>,
    /// Where it is.
    #[immutable]
    pub address: Int,
    /// What it is called.
    #[immutable]
    pub name: Str,
}

/// A library of C.
#[heap_type]
pub struct Library {
    /// What it is.
    #[immutable]
    pub info: Green<GreenRef<LibraryInfo>>,
    /// A dictionary that says what its symbols are, or null.
    #[immutable]
    pub api: Value,
    /// The function of C that says where its functions are, or null.
    #[immutable]
    pub loader: Value,
}

/// In the description of a library: a symbol that has another name in the library.
#[heap_type]
pub struct Wrap {
    /// The symbol's name.
    #[immutable]
    pub name: Str,
    /// Its type.
    #[immutable]
    pub ty: CType,
}

/// Where it is noted what callbacks did.
#[heap_type]
pub struct Callbacks {
    /// Whether there are any: until then C can't change what programs see.
    #[stable]
    pub made: Int,
    /// The error that left one; unset if there is none.
    pub pending: Value,
    /// The function of each, by its number.
    #[immutable]
    pub functions: List,
}
