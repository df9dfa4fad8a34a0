//! The random programs: a cycle of instructions over registers, one frame and a few heap types. An
//! instruction is what a language's `step` would be; its micro-operations are the red operations in it.

use hotloop_ir::{FieldKind, Opcode, Ty};

use super::machine::{Machine, Red};
use super::memory::{FRAME_ITEMS, Native, World, kit};

/// Registers by type. The first `STATE` of each are the red state, the others live for an instruction.
pub const INTS: usize = 7;
pub const STATE_INTS: usize = 4;
pub const REFS: usize = 5;
pub const STATE_REFS: usize = 3;
pub const VALUES: usize = 3;
pub const STATE_VALUES: usize = 2;
pub const FLOATS: usize = 2;
pub const STATE_FLOATS: usize = 1;

/// The numbers of registers.
pub type Reg = usize;

/// An int operand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Src {
    Reg(Reg),
    Const(i64),
}

/// An int field that is mutable, or the stable one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum IntField {
    N,
    S,
}

/// A micro-operation. Accesses check null, type and range themselves and do nothing if the check fails.
#[derive(Clone, Debug, PartialEq)]
pub enum Micro {
    /// `ints[0] < ints[1]`, else the program is done; then `ints[0] += 1`.
    Count,
    Pure(Opcode, Reg, Src, Src),
    Div(Opcode, Reg, Src, Src),
    Select(Reg, Reg, Src, Src),
    Checked(Opcode, Reg, Src, Src),
    If(Reg, Vec<Micro>, Vec<Micro>),
    IfLess(Src, Src, Vec<Micro>, Vec<Micro>),
    IfCell(Reg, Vec<Micro>, Vec<Micro>),
    IfSame(Reg, Reg, Vec<Micro>, Vec<Micro>),
    IfRaised(usize, Reg, Reg, Reg, Reg, Vec<Micro>),
    /// Calls a function that does not raise if the int register with the last number is not 0.
    CallIf(usize, Reg, Reg, Reg, Reg),
    /// Calls a function that does not raise for what the register of its result's kind holds, unless that is not 0:
    /// the result is in that register then.
    CallUnless(usize, Reg, Reg, Reg, Reg),
    Promote(Reg),
    PromoteRef(Reg),
    MoveRef(Reg, Reg),
    Null(Reg),
    NewCell(Reg, Src),
    GetInt(Reg, Reg, IntField),
    SetInt(Reg, IntField, Src),
    GetK(Reg, Reg),
    GetNext(Reg, Reg),
    SetNext(Reg, Reg),
    GetV(Reg, Reg),
    SetV(Reg, Reg),
    NewArray(Reg, Src),
    GetItem(Reg, Reg, Src),
    SetItem(Reg, Src, Reg),
    GetCount(Reg, Reg),
    SetCount(Reg, Src),
    /// So many bytes, and their tag.
    NewBytes(Reg, Src, Src),
    GetTag(Reg, Reg),
    GetByte(Reg, Reg, Src),
    SetByte(Reg, Src, Src),
    /// Bytes or references, from, its index, to, its index, how many.
    CopyItems(bool, Reg, Src, Reg, Src, Src),
    /// The items become what the reference register or the int register with this number holds.
    FillItems(bool, Reg, Src, Src, Reg),
    SameItems(Reg, bool, Reg, Src, Reg, Src, Src),
    /// The order of bytes.
    CompareBytes(Reg, Reg, Src, Reg, Src, Src),
    /// A text of a byte array's items.
    TextOf(Reg, Reg),
    /// Two texts in one.
    Join(Reg, Reg, Reg),
    /// A part of a text: from, how many.
    Slice(Reg, Reg, Src, Src),
    /// Whether two texts are the same.
    SameText(Reg, Reg, Reg),
    GetChar(Reg, Reg, Src),
    GetHash(Reg, Reg),
    SetHash(Reg, Src),
    /// Slots of the frame are copied.
    CopySlots(Src, Src, Src),
    GetX(Reg),
    SetX(Src),
    GetR(Reg),
    SetR(Reg),
    GetLink(Reg),
    GetSlot(Reg, u32),
    SetSlot(u32, Reg),
    /// A slot of the frame whose index is a red word.
    GetAnySlot(Reg, Reg),
    SetAnySlot(Reg, Reg),
    TagInt(Reg, Src),
    UntagInt(Reg, Reg),
    AddValues(Reg, Reg, Reg),
    LessValues(Reg, Reg, Reg),
    TagRef(Reg, Reg),
    UntagRef(Reg, Reg),
    SameValues(Reg, Reg, Reg),
    ToFloat(Reg, Src),
    ToInt(Reg, Reg),
    FloatOp(Opcode, Reg, Reg, Reg),
    FloatLess(Reg, Reg, Reg),
    TagFloat(Reg, Reg),
    UntagFloat(Reg, Reg),
}

/// An instruction: how many items of the frame live when it begins, and what it does.
#[derive(Clone, Debug, PartialEq)]
pub struct Instruction {
    pub live: u32,
    pub body: Vec<Micro>,
}

/// A program: instruction 0 is the loop's head, after the last one it starts again.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    pub code: Vec<Instruction>,
    /// `ints` at the start.
    pub ints: [u64; STATE_INTS],
    pub refs: [Option<usize>; STATE_REFS],
}

impl Program {
    pub fn always_live(&self) -> u32 {
        self.code.iter().map(|instruction| instruction.live).min().unwrap_or(0)
    }
}

/// The registers, and the frame.
#[derive(Clone, Debug)]
pub struct Registers {
    pub frame: Red,
    pub ints: [Red; INTS],
    pub refs: [Red; REFS],
    pub values: [Red; VALUES],
    pub floats: [Red; FLOATS],
}

impl Registers {
    pub fn new(program: &Program, world: &World) -> Registers {
        let zero = Red::constant(0);
        let mut registers = Registers {
            frame: Red::constant(world.frame),
            ints: [zero; INTS],
            refs: [zero; REFS],
            values: [zero; VALUES],
            floats: [zero; FLOATS],
        };
        for (register, word) in registers.ints.iter_mut().zip(program.ints) {
            *register = Red::constant(word);
        }
        for (register, global) in registers.refs.iter_mut().zip(program.refs) {
            *register = Red::constant(global.map_or(0, |global| world.globals[global]));
        }
        registers
    }

    /// The red state.
    pub fn state(&self) -> Vec<(Red, Ty)> {
        let mut state = vec![(self.frame, Ty::Ref)];
        state.extend(self.ints[..STATE_INTS].iter().map(|red| (*red, Ty::Int)));
        state.extend(self.refs[..STATE_REFS].iter().map(|red| (*red, Ty::Ref)));
        state.extend(self.values[..STATE_VALUES].iter().map(|red| (*red, Ty::Int)));
        state.extend(self.floats[..STATE_FLOATS].iter().map(|red| (*red, Ty::Float)));
        state
    }

    pub fn from_state(state: &[Red]) -> Registers {
        let zero = Red::constant(0);
        let mut from = state.iter().copied();
        let mut take = |count: usize| -> Vec<Red> { from.by_ref().take(count).collect() };
        let frame = take(1)[0];
        let mut registers = Registers {
            frame,
            ints: [zero; INTS],
            refs: [zero; REFS],
            values: [zero; VALUES],
            floats: [zero; FLOATS],
        };
        registers.ints[..STATE_INTS].copy_from_slice(&take(STATE_INTS));
        registers.refs[..STATE_REFS].copy_from_slice(&take(STATE_REFS));
        registers.values[..STATE_VALUES].copy_from_slice(&take(STATE_VALUES));
        registers.floats[..STATE_FLOATS].copy_from_slice(&take(STATE_FLOATS));
        registers
    }

    /// The state's words with their kinds, for comparison.
    pub fn roots(&self) -> Vec<(FieldKind, u64)> {
        let kind = |ty| match ty {
            Ty::Int => FieldKind::Int,
            Ty::Ref => FieldKind::Ref,
            Ty::Float => FieldKind::Float,
        };
        let mut roots: Vec<(FieldKind, u64)> =
            self.state().into_iter().map(|(red, ty)| (kind(ty), red.bits)).collect();
        let first_value = 1 + STATE_INTS + STATE_REFS;
        roots[first_value..first_value + STATE_VALUES].iter_mut().for_each(|root| root.0 = FieldKind::Value);
        roots
    }
}

/// Executes one instruction; answers whether the program is done.
pub fn step(
    program: &Program,
    at: usize,
    machine: &mut Machine,
    world: &World,
    registers: &mut Registers,
) -> bool {
    let zero = Red::constant(0);
    registers.ints[STATE_INTS..].fill(zero);
    registers.refs[STATE_REFS..].fill(zero);
    registers.values[STATE_VALUES..].fill(zero);
    registers.floats[STATE_FLOATS..].fill(zero);
    let live = program.code[at].live;
    let next = program.code[(at + 1) % program.code.len()].live;
    let mut run = Run { machine, world, registers, live, next };
    if run.block(&program.code[at].body) {
        return true;
    }
    // What comes to life is written first.
    for slot in live..next {
        let (frame, index) = (run.registers.frame, Red::constant(slot as u64));
        let value = run.registers.values[0];
        run.machine.set_item(frame, kit().frame, index, value);
    }
    false
}

struct Run<'a> {
    machine: &'a mut Machine,
    world: &'a World,
    registers: &'a mut Registers,
    live: u32,
    next: u32,
}

impl Run<'_> {
    fn block(&mut self, body: &[Micro]) -> bool {
        body.iter().any(|micro| self.micro(micro))
    }

    fn int(&self, src: Src) -> Red {
        match src {
            Src::Reg(reg) => self.registers.ints[reg],
            Src::Const(word) => Red::constant(word as u64),
        }
    }

    fn test(&mut self, code: Opcode, args: &[Red]) -> bool {
        let condition = self.machine.pure(code, args);
        self.machine.branch(condition)
    }

    fn is_null(&mut self, object: Red) -> bool {
        self.test(Opcode::RefEq, &[object, Red::constant(0)])
    }

    /// The object in the register, if it is of that type.
    fn object(&mut self, reg: Reg, ty: hotloop_ir::TypeRef) -> Option<Red> {
        let object = self.registers.refs[reg];
        (!self.is_null(object) && self.machine.is_type(object, ty)).then_some(object)
    }

    fn item(&mut self, reg: Reg, ty: hotloop_ir::TypeRef, index: Src) -> Option<(Red, Red)> {
        let object = self.object(reg, ty)?;
        let index = self.int(index);
        let length = self.machine.length(object, ty);
        self.test(Opcode::UintLt, &[index, length]).then_some((object, index))
    }

    fn set_int(&mut self, reg: Reg, red: Option<Red>) {
        if let Some(red) = red {
            self.registers.ints[reg] = red;
        }
    }

    fn has_tag(&mut self, value: Red, tag: u64) -> bool {
        let low = self.machine.pure(Opcode::IntAnd, &[value, Red::constant(7)]);
        self.test(Opcode::IntEq, &[low, Red::constant(tag)])
    }

    fn both_ints(&mut self, a: Red, b: Red) -> bool {
        let either = self.machine.pure(Opcode::IntOr, &[a, b]);
        self.has_tag(either, 0)
    }

    fn either(&mut self, condition: bool, yes: &[Micro], no: &[Micro]) -> bool {
        self.block(if condition { yes } else { no })
    }

    fn new_object(&mut self, ty: hotloop_ir::TypeRef, items: Red) -> Red {
        let world = self.world;
        self.machine.new_object(ty, items, &|ty, items| world.allocate(ty, items))
    }

    /// Whether so many items from an index on are there.
    fn within(&mut self, at: Red, count: Red, length: Red) -> bool {
        let most = self.machine.pure(Opcode::IntSub, &[length, count]);
        self.test(Opcode::UintLe, &[count, length]) && self.test(Opcode::UintLe, &[at, most])
    }

    /// The run of so many items of the object in the register, if they are there.
    fn run(
        &mut self,
        bytes: bool,
        object: Reg,
        at: Src,
        count: Red,
    ) -> Option<(Red, hotloop_ir::TypeRef, Red)> {
        let ty = if bytes { kit().bytes } else { kit().array };
        let object = self.object(object, ty)?;
        let (at, length) = (self.small(at), self.machine.length(object, ty));
        self.within(at, count, length).then_some((object, ty, at))
    }

    /// A length from 0 to 3.
    /// What a native function is given.
    fn arguments(&self, native: &Native, object: Reg, other: Reg, number: Reg) -> Vec<(Red, Ty)> {
        let mut objects = [self.registers.refs[object], self.registers.refs[other]].into_iter();
        let number = self.registers.ints[number];
        let letters = native.takes.chars();
        letters
            .map(|letter| match letter {
                'r' => (objects.next().unwrap_or(number), Ty::Ref),
                _ => (number, Ty::Int),
            })
            .collect()
    }

    fn small(&mut self, src: Src) -> Red {
        let length = self.int(src);
        self.machine.pure(Opcode::IntAnd, &[length, Red::constant(3)])
    }

    /// Answers whether the program is done.
    fn micro(&mut self, micro: &Micro) -> bool {
        let kit = kit();
        match micro {
            Micro::Count => {
                let [count, limit, ..] = self.registers.ints;
                if !self.test(Opcode::IntLt, &[count, limit]) {
                    return true;
                }
                let next = self.machine.checked(Opcode::IntAddOvf, count, Red::constant(1));
                self.set_int(0, next);
            }
            Micro::Pure(code, to, a, b) => {
                let args = [self.int(*a), self.int(*b)];
                self.registers.ints[*to] = self.machine.pure(*code, &args);
            }
            Micro::Div(code, to, a, b) => {
                let args = [self.int(*a), self.int(*b)];
                if !self.test(Opcode::IntEq, &[args[1], Red::constant(0)]) {
                    self.registers.ints[*to] = self.machine.pure(*code, &args);
                }
            }
            Micro::Select(to, condition, a, b) => {
                let args = [self.registers.ints[*condition], self.int(*a), self.int(*b)];
                self.registers.ints[*to] = self.machine.pure(Opcode::Select, &args);
            }
            Micro::Checked(code, to, a, b) => {
                let (a, b) = (self.int(*a), self.int(*b));
                let result = self.machine.checked(*code, a, b);
                self.registers.ints[*to] = result.unwrap_or(Red::constant(0));
            }
            Micro::If(condition, yes, no) => {
                let taken = self.machine.branch(self.registers.ints[*condition]);
                return self.either(taken, yes, no);
            }
            Micro::IfLess(a, b, yes, no) => {
                let args = [self.int(*a), self.int(*b)];
                let taken = self.test(Opcode::IntLt, &args);
                return self.either(taken, yes, no);
            }
            Micro::IfCell(object, yes, no) => {
                let taken = self.object(*object, kit.cell).is_some();
                return self.either(taken, yes, no);
            }
            Micro::IfSame(one, other, yes, no) => {
                let args = [self.registers.refs[*one], self.registers.refs[*other]];
                let taken = self.test(Opcode::RefEq, &args);
                return self.either(taken, yes, no);
            }
            Micro::IfRaised(native, object, other, number, to, yes) => {
                let native = &kit.natives[*native];
                let args = self.arguments(native, *object, *other, *number);
                let (result, raised) = self.machine.call(native.id, &args);
                if raised {
                    return self.block(yes);
                }
                match native.id.get().result {
                    Some(Ty::Int) => self.registers.ints[2 + to % (INTS - 2)] = result,
                    Some(Ty::Ref) => self.registers.refs[to % REFS] = result,
                    _ => {}
                }
            }
            Micro::CallIf(native, object, other, number, condition) => {
                let native = &kit.natives[*native];
                let args = self.arguments(native, *object, *other, *number);
                let condition = (self.registers.ints[*condition], Ty::Int);
                self.machine.conditional_call(Opcode::CallIf, native.id, condition, &args);
            }
            Micro::CallUnless(native, object, other, number, to) => {
                let native = &kit.natives[*native];
                let args = self.arguments(native, *object, *other, *number);
                let ty = native.id.get().result.unwrap_or(Ty::Int);
                let held = match ty {
                    Ty::Ref => &mut self.registers.refs[to % REFS],
                    _ => &mut self.registers.ints[2 + to % (INTS - 2)],
                };
                *held = self.machine.conditional_call(Opcode::CallUnless, native.id, (*held, ty), &args);
            }
            Micro::Promote(reg) => {
                self.registers.ints[*reg] = self.machine.promote(self.registers.ints[*reg], Ty::Int);
            }
            Micro::PromoteRef(reg) => {
                let object = self.registers.refs[*reg];
                // Others have other addresses in the next run: what is promoted must be there in all.
                if object.bits == 0 || self.world.is_global(object.bits) || self.machine.trace.is_none() {
                    self.registers.refs[*reg] = self.machine.promote(object, Ty::Ref);
                }
            }
            Micro::MoveRef(to, from) => self.registers.refs[*to] = self.registers.refs[*from],
            Micro::Null(to) => self.registers.refs[*to] = Red::constant(0),
            Micro::NewCell(to, k) => {
                let cell = self.new_object(kit.cell, Red::constant(0));
                let k = self.int(*k);
                self.machine.set_field(cell, kit.k, k);
                self.registers.refs[*to] = cell;
            }
            Micro::GetInt(to, object, field) => {
                if let Some(object) = self.object(*object, kit.cell) {
                    let field = if *field == IntField::N { kit.n } else { kit.s };
                    self.registers.ints[*to] = self.machine.get_field(object, field);
                }
            }
            Micro::SetInt(object, field, value) => {
                if let Some(object) = self.object(*object, kit.cell) {
                    let field = if *field == IntField::N { kit.n } else { kit.s };
                    let value = self.int(*value);
                    self.machine.set_field(object, field, value);
                }
            }
            Micro::GetK(to, object) => {
                if let Some(object) = self.object(*object, kit.cell) {
                    self.registers.ints[*to] = self.machine.get_field(object, kit.k);
                }
            }
            Micro::GetNext(to, object) => {
                if let Some(object) = self.object(*object, kit.cell) {
                    self.registers.refs[*to] = self.machine.get_field(object, kit.next);
                }
            }
            Micro::SetNext(object, value) => {
                if let Some(object) = self.object(*object, kit.cell) {
                    self.machine.set_field(object, kit.next, self.registers.refs[*value]);
                }
            }
            Micro::GetV(to, object) => {
                if let Some(object) = self.object(*object, kit.cell) {
                    self.registers.values[*to] = self.machine.get_field(object, kit.v);
                }
            }
            Micro::SetV(object, value) => {
                if let Some(object) = self.object(*object, kit.cell) {
                    self.machine.set_field(object, kit.v, self.registers.values[*value]);
                }
            }
            Micro::NewArray(to, length) => {
                let length = self.small(*length);
                self.registers.refs[*to] = self.new_object(kit.array, length);
            }
            Micro::GetItem(to, object, index) => {
                if let Some((object, index)) = self.item(*object, kit.array, *index) {
                    self.registers.refs[*to] = self.machine.get_item(object, kit.array, index);
                }
            }
            Micro::SetItem(object, index, value) => {
                if let Some((object, index)) = self.item(*object, kit.array, *index) {
                    self.machine.set_item(object, kit.array, index, self.registers.refs[*value]);
                }
            }
            Micro::GetCount(to, object) => {
                if let Some(object) = self.object(*object, kit.array) {
                    self.registers.ints[*to] = self.machine.get_field(object, kit.count);
                }
            }
            Micro::SetCount(object, value) => {
                if let Some(object) = self.object(*object, kit.array) {
                    let value = self.int(*value);
                    self.machine.set_field(object, kit.count, value);
                }
            }
            Micro::NewBytes(to, length, tag) => {
                let (length, tag) = (self.small(*length), self.int(*tag));
                let bytes = self.new_object(kit.bytes, length);
                self.machine.set_field(bytes, kit.tag, tag);
                self.registers.refs[*to] = bytes;
            }
            Micro::GetTag(to, object) => {
                if let Some(object) = self.object(*object, kit.bytes) {
                    self.registers.ints[*to] = self.machine.get_field(object, kit.tag);
                }
            }
            Micro::GetByte(to, object, index) => {
                if let Some((object, index)) = self.item(*object, kit.bytes, *index) {
                    self.registers.ints[*to] = self.machine.get_item(object, kit.bytes, index);
                }
            }
            Micro::SetByte(object, index, value) => {
                if let Some((object, index)) = self.item(*object, kit.bytes, *index) {
                    let value = self.int(*value);
                    self.machine.set_item(object, kit.bytes, index, value);
                }
            }
            Micro::CopyItems(bytes, from, at, to, to_at, count) => {
                let count = self.small(*count);
                if let Some(from) = self.run(*bytes, *from, *at, count)
                    && let Some(to) = self.run(*bytes, *to, *to_at, count)
                {
                    self.machine.copy_items(from, to, count);
                }
            }
            Micro::TextOf(to, bytes) => {
                if let Some(bytes) = self.object(*bytes, kit.bytes) {
                    let count = self.machine.length(bytes, kit.bytes);
                    let text = self.new_object(kit.text, count);
                    let zero = Red::constant(0);
                    self.machine.copy_items((bytes, kit.bytes, zero), (text, kit.text, zero), count);
                    self.registers.refs[*to] = text;
                }
            }
            Micro::Join(to, one, two) => {
                if let Some(one) = self.object(*one, kit.text)
                    && let Some(two) = self.object(*two, kit.text)
                {
                    let [first, second] = [one, two].map(|text| self.machine.length(text, kit.text));
                    let count = self.machine.pure(Opcode::IntAdd, &[first, second]);
                    if self.test(Opcode::UintLt, &[count, Red::constant(40)]) {
                        let text = self.new_object(kit.text, count);
                        let zero = Red::constant(0);
                        self.machine.copy_items((one, kit.text, zero), (text, kit.text, zero), first);
                        self.machine.copy_items((two, kit.text, zero), (text, kit.text, first), second);
                        self.registers.refs[*to] = text;
                    }
                }
            }
            Micro::Slice(to, text, at, count) => {
                let count = self.small(*count);
                if let Some(text) = self.object(*text, kit.text) {
                    let (at, length) = (self.small(*at), self.machine.length(text, kit.text));
                    if self.within(at, count, length) {
                        let part = self.new_object(kit.text, count);
                        let zero = Red::constant(0);
                        self.machine.copy_items((text, kit.text, at), (part, kit.text, zero), count);
                        self.registers.refs[*to] = part;
                    }
                }
            }
            Micro::SameText(to, one, two) => {
                if let Some(one) = self.object(*one, kit.text)
                    && let Some(two) = self.object(*two, kit.text)
                {
                    let [first, second] = [one, two].map(|text| self.machine.length(text, kit.text));
                    let zero = Red::constant(0);
                    self.registers.ints[*to] = if self.test(Opcode::IntEq, &[first, second]) {
                        let (one, two) = ((one, kit.text, zero), (two, kit.text, zero));
                        self.machine.compare_items(Opcode::EqualItems, one, two, second)
                    } else {
                        zero
                    };
                }
            }
            Micro::GetChar(to, object, index) => {
                if let Some((object, index)) = self.item(*object, kit.text, *index) {
                    self.registers.ints[*to] = self.machine.get_item(object, kit.text, index);
                }
            }
            Micro::GetHash(to, object) => {
                if let Some(object) = self.object(*object, kit.text) {
                    self.registers.ints[*to] = self.machine.get_field(object, kit.hash);
                }
            }
            Micro::SetHash(object, value) => {
                if let Some(object) = self.object(*object, kit.text) {
                    let value = self.int(*value);
                    self.machine.set_field(object, kit.hash, value);
                }
            }
            Micro::FillItems(bytes, object, at, count, value) => {
                let count = self.small(*count);
                if let Some(run) = self.run(*bytes, *object, *at, count) {
                    let value =
                        if *bytes { self.registers.ints[*value] } else { self.registers.refs[*value] };
                    self.machine.fill_items(run, count, value);
                }
            }
            Micro::SameItems(to, bytes, one, at, two, other_at, count) => {
                let count = self.small(*count);
                if let Some(one) = self.run(*bytes, *one, *at, count)
                    && let Some(two) = self.run(*bytes, *two, *other_at, count)
                {
                    self.registers.ints[*to] =
                        self.machine.compare_items(Opcode::EqualItems, one, two, count);
                }
            }
            Micro::CompareBytes(to, one, at, two, other_at, count) => {
                let count = self.small(*count);
                if let Some(one) = self.run(true, *one, *at, count)
                    && let Some(two) = self.run(true, *two, *other_at, count)
                {
                    self.registers.ints[*to] =
                        self.machine.compare_items(Opcode::CompareItems, one, two, count);
                }
            }
            Micro::CopySlots(from, to, count) => {
                let [count, from, to] = [*count, *from, *to].map(|src| self.small(src));
                let live = Red::constant(self.live as u64);
                if self.within(from, count, live) && self.within(to, count, live) {
                    let frame = self.registers.frame;
                    self.machine.copy_items((frame, kit.frame, from), (frame, kit.frame, to), count);
                }
            }
            Micro::GetX(to) => self.registers.ints[*to] = self.machine.get_field(self.registers.frame, kit.x),
            Micro::SetX(value) => {
                let value = self.int(*value);
                self.machine.set_field(self.registers.frame, kit.x, value);
            }
            Micro::GetR(to) => self.registers.refs[*to] = self.machine.get_field(self.registers.frame, kit.r),
            Micro::SetR(value) => {
                self.machine.set_field(self.registers.frame, kit.r, self.registers.refs[*value]);
            }
            Micro::GetLink(to) => {
                self.registers.refs[*to] = self.machine.get_field(self.registers.frame, kit.link);
            }
            Micro::GetSlot(to, slot) => {
                if *slot < self.live {
                    let index = Red::constant(*slot as u64);
                    self.registers.values[*to] =
                        self.machine.get_item(self.registers.frame, kit.frame, index);
                }
            }
            Micro::SetSlot(slot, value) => {
                if *slot < self.live.max(self.next) {
                    let index = Red::constant(*slot as u64);
                    let value = self.registers.values[*value];
                    self.machine.set_item(self.registers.frame, kit.frame, index, value);
                }
            }
            Micro::GetAnySlot(to, index) => {
                let index = self.registers.ints[*index];
                if self.test(Opcode::UintLt, &[index, Red::constant(self.live as u64)]) {
                    self.registers.values[*to] =
                        self.machine.get_item(self.registers.frame, kit.frame, index);
                }
            }
            Micro::SetAnySlot(index, value) => {
                let index = self.registers.ints[*index];
                if self.test(Opcode::UintLt, &[index, Red::constant(self.live as u64)]) {
                    let value = self.registers.values[*value];
                    self.machine.set_item(self.registers.frame, kit.frame, index, value);
                }
            }
            Micro::TagInt(to, number) => {
                let number = self.int(*number);
                let shifted = self.machine.pure(Opcode::IntShl, &[number, Red::constant(3)]);
                let back = self.machine.pure(Opcode::IntSar, &[shifted, Red::constant(3)]);
                if self.test(Opcode::IntEq, &[back, number]) {
                    self.registers.values[*to] = shifted;
                }
            }
            Micro::UntagInt(to, value) => {
                let value = self.registers.values[*value];
                if self.has_tag(value, 0) {
                    self.registers.ints[*to] = self.machine.pure(Opcode::IntSar, &[value, Red::constant(3)]);
                }
            }
            Micro::AddValues(to, a, b) => {
                let (a, b) = (self.registers.values[*a], self.registers.values[*b]);
                if self.both_ints(a, b)
                    && let Some(sum) = self.machine.checked(Opcode::IntAddOvf, a, b)
                {
                    self.registers.values[*to] = sum;
                }
            }
            Micro::LessValues(to, a, b) => {
                let (a, b) = (self.registers.values[*a], self.registers.values[*b]);
                if self.has_tag(a, 0) && self.has_tag(b, 0) {
                    self.registers.ints[*to] = self.machine.pure(Opcode::IntLt, &[a, b]);
                }
            }
            Micro::TagRef(to, object) => {
                let object = self.registers.refs[*object];
                if !self.is_null(object) {
                    self.registers.values[*to] = self.machine.pure(Opcode::RefToValue, &[object]);
                }
            }
            Micro::UntagRef(to, value) => {
                let value = self.registers.values[*value];
                if self.has_tag(value, 2) {
                    self.registers.refs[*to] = self.machine.pure(Opcode::ValueToRef, &[value]);
                }
            }
            Micro::SameValues(to, a, b) => {
                let args = [self.registers.values[*a], self.registers.values[*b]];
                self.registers.ints[*to] = self.machine.pure(Opcode::IntEq, &args);
            }
            Micro::ToFloat(to, number) => {
                let number = self.int(*number);
                self.registers.floats[*to] = self.machine.pure(Opcode::IntToFloat, &[number]);
            }
            Micro::ToInt(to, float) => {
                let float = self.registers.floats[*float];
                self.registers.ints[*to] = self.machine.pure(Opcode::FloatToInt, &[float]);
            }
            Micro::FloatOp(code, to, a, b) => {
                let args = [self.registers.floats[*a], self.registers.floats[*b]];
                let result = self.machine.pure(*code, &args);
                // Which NaN an operation gives is nobody's business.
                if self.test(Opcode::FloatEq, &[result, result]) {
                    self.registers.floats[*to] = result;
                }
            }
            Micro::FloatLess(to, a, b) => {
                let args = [self.registers.floats[*a], self.registers.floats[*b]];
                self.registers.ints[*to] = self.machine.pure(Opcode::FloatLt, &args);
            }
            Micro::TagFloat(to, float) => {
                let float = self.registers.floats[*float];
                if self.test(Opcode::FloatFitsValue, &[float]) {
                    self.registers.values[*to] = self.machine.pure(Opcode::FloatToValue, &[float]);
                }
            }
            Micro::UntagFloat(to, value) => {
                let value = self.registers.values[*value];
                if self.test(Opcode::ValueIsFloat, &[value]) {
                    self.registers.floats[*to] = self.machine.pure(Opcode::ValueToFloat, &[value]);
                }
            }
        }
        false
    }
}

/// Frames have that many items at most.
pub const MOST_LIVE: u32 = FRAME_ITEMS;
