//! Loads, stores, and allocation.
//!
//! Allocation moves a pointer; where that is not possible, a shared piece of code saves all registers and calls the
//! runtime. So an allocation costs no registers.

use hotloop_ir::{FieldKind, Op, Opcode, Operand, TypeDescr, Var};

use super::asm::{Alu, CONTEXT, Mem, RSP, Reg, SCRATCH, Shift, Src, Target, cond};
use super::compile::{Compiler, RegClass, Result, Slow, SlowKind};
use crate::context::{FLAGS, MAX_BUMP, OLD, REF_TAG, TAG_MASK};
use crate::eval::layout;
use crate::folding::{Fold, Member};
use crate::{Bump, Context};

const GENERAL: RegClass = RegClass::General;

impl Compiler<'_> {
    pub fn memory(&mut self, op: &Op) -> Result<()> {
        let object = op.args[0];
        match op.code {
            Opcode::GetField => {
                let field = op.field().get();
                let base = self.in_reg(object, GENERAL)?;
                self.release(object);
                self.load_place(field.kind, Mem::Base(base, field.offset as i32))
            }
            Opcode::GetItem => {
                let (kind, mem) = self.item(op)?;
                self.release(object);
                self.release(op.args[1]);
                self.load_place(kind, mem)
            }
            Opcode::SetField => {
                let field = op.field().get();
                let base = self.in_reg(object, GENERAL)?;
                self.barrier(object, base, field.kind, op.args[1]);
                self.store_place(field.kind, Mem::Base(base, field.offset as i32), op.args[1])
            }
            Opcode::SetItem => {
                let (kind, mem) = self.item(op)?;
                let base = self.in_reg(object, GENERAL)?;
                self.barrier(object, base, kind, op.args[2]);
                self.store_place(kind, mem, op.args[2])
            }
            code => {
                let base = self.in_reg(object, GENERAL)?;
                self.release(object);
                let dst = self.define(GENERAL, None)?;
                match code {
                    Opcode::Len => self.asm.load_half(dst, Mem::Base(base, 4)),
                    _ => self.asm.load_word(dst, Mem::Base(base, 0)),
                }
                Ok(())
            }
        }
    }

    /// Tells the collector of an old object into which a reference is stored. Not needed for one that is
    /// new, or that it was told of, since the last operation that may collect (as RPython's `rewrite.py`
    /// has it); nor for words that are no references.
    fn barrier(&mut self, object: Operand, base: Reg, kind: FieldKind, value: Operand) {
        if self.may_be_reference(kind, value) {
            self.remember(object, base);
        }
    }

    /// The same for stores of more than one value.
    pub fn barrier_for_all(&mut self, object: Operand, kind: FieldKind) -> Result<()> {
        if matches!(kind, FieldKind::Ref | FieldKind::Value) {
            let base = self.in_reg(object, GENERAL)?;
            self.remember(object, base);
        }
        Ok(())
    }

    fn remember(&mut self, object: Operand, base: Reg) {
        let object = self.root(object);
        if self.clean.contains(&object) {
            return;
        }
        self.clean.push(object);
        self.asm.test_byte_imm(Mem::Base(base, FLAGS), OLD as i8);
        self.asm.jump_if(cond::NOT_EQUAL, Target::Slow(self.slow.len() as u32));
        let kind = SlowKind::Remember { object: base };
        self.slow.push(Slow { back: self.asm.bytes.len() as u32, kind });
    }

    /// Whether a word that is stored in a place of this kind may be a reference.
    fn may_be_reference(&self, kind: FieldKind, value: Operand) -> bool {
        if !matches!(kind, FieldKind::Ref | FieldKind::Value) {
            return false;
        }
        use Opcode::*;
        match (self.constant(value), self.root(value).as_var()) {
            (Some(bits), _) if kind == FieldKind::Value => bits & TAG_MASK == REF_TAG,
            (Some(bits), _) => bits != 0,
            (None, Some(var)) => {
                let immediate = [IntShl, IntAddOvf, IntSubOvf, IntMulOvf, FloatToValue];
                !immediate.contains(&self.trace.op(var).code)
            }
            (None, None) => true,
        }
    }

    /// The place of an item.
    fn item(&mut self, op: &Op) -> Result<(FieldKind, Mem)> {
        let ty = op.type_ref().get();
        let kind = ty.items.map_or(FieldKind::Int, |(kind, _)| kind);
        let base = self.in_reg(op.args[0], GENERAL)?;
        let fixed = ty.fixed_size as i64;
        if let Some(index) = self.constant(op.args[1]) {
            let disp =
                (index as i64).checked_mul(kind.size() as i64).and_then(|bytes| bytes.checked_add(fixed));
            if let Some(disp) = disp.and_then(|disp| i32::try_from(disp).ok()) {
                return Ok((kind, Mem::Base(base, disp)));
            }
        }
        let index = self.in_reg(op.args[1], GENERAL)?;
        let mem = match kind {
            FieldKind::Byte => Mem::Bytes(base, index, fixed as i32),
            _ => Mem::Words(base, index, fixed as i32),
        };
        Ok((kind, mem))
    }

    fn load_place(&mut self, kind: FieldKind, mem: Mem) -> Result<()> {
        match kind {
            FieldKind::Float => {
                let dst = self.define(RegClass::Vector, None)?;
                self.asm.float_load(dst, mem);
            }
            FieldKind::Byte => {
                let dst = self.define(GENERAL, None)?;
                self.asm.load_byte(dst, mem);
            }
            _ => {
                let dst = self.define(GENERAL, None)?;
                self.asm.load(dst, mem);
            }
        }
        Ok(())
    }

    fn store_place(&mut self, kind: FieldKind, mem: Mem, value: Operand) -> Result<()> {
        match (kind, self.constant(value)) {
            (FieldKind::Byte, Some(bits)) => self.asm.store_byte_imm(mem, bits as i8),
            (_, Some(bits)) => match i32::try_from(bits as i64) {
                Ok(imm) => self.asm.store_imm(mem, imm),
                Err(_) => {
                    self.asm.mov_const(SCRATCH, bits);
                    self.asm.store(mem, SCRATCH);
                }
            },
            (FieldKind::Float, None) => {
                let src = self.in_reg(value, RegClass::Vector)?;
                self.asm.float_store(mem, src);
            }
            (FieldKind::Byte, None) => {
                let src = self.in_reg(value, GENERAL)?;
                self.asm.store_byte(mem, src);
            }
            (_, None) => {
                let src = self.in_reg(value, GENERAL)?;
                self.asm.store(mem, src);
            }
        }
        Ok(())
    }

    pub fn allocation(&mut self, op: &Op) -> Result<()> {
        match self.folds.at(self.at).cloned() {
            None => self.allocate(op),
            Some(Fold::First { size, rest }) => self.allocate_run(op, size, rest),
            Some(Fold::Behind { base, distance }) => {
                let base = self.in_reg(base.into(), GENERAL)?;
                let object = self.define(GENERAL, None)?;
                self.asm.lea(object, Mem::Base(base, distance as i32));
                self.clean.push(Var(self.at).into());
                Ok(())
            }
        }
    }

    /// The first object of a run, and the memory of all; see [`folding`](crate::folding).
    fn allocate_run(&mut self, op: &Op, size: usize, rest: Vec<Member>) -> Result<()> {
        let items = if op.code == Opcode::New { 0 } else { self.constant(op.args[0]).unwrap_or(0) };
        let (_, header) = layout(op.type_ref().get(), items);
        let header = header | self.env.header_bits;
        let object = self.define(GENERAL, None)?;
        let end = self.temp(GENERAL)?;
        let slow = Target::Slow(self.slow.len() as u32);
        self.take_memory(object, end, slow, |compiler| {
            compiler.asm.lea(end, Mem::Base(object, size as i32));
        });
        self.store_header(object, 0, header);
        for member in &rest {
            self.store_header(object, member.offset as i32, member.header | self.env.header_bits);
        }
        let kind = SlowKind::AllocRun { object, size: size as u64, header, rest };
        self.slow.push(Slow { back: self.asm.bytes.len() as u32, kind });
        self.clean.push(Var(self.at).into());
        Ok(())
    }

    /// Takes memory from the inline region, from `object` to what `compute` puts into `end`.
    fn take_memory(&mut self, object: Reg, end: Reg, slow: Target, compute: impl FnOnce(&mut Self)) {
        let (cursor, limit) = (std::mem::offset_of!(Bump, cursor), std::mem::offset_of!(Bump, limit));
        self.asm.load(SCRATCH, Mem::Base(CONTEXT, std::mem::offset_of!(Context, bump) as i32));
        self.asm.load(object, Mem::Base(SCRATCH, cursor as i32));
        compute(self);
        self.asm.alu(Alu::Cmp, end, Src::Mem(Mem::Base(SCRATCH, limit as i32)));
        self.asm.jump_if(cond::ABOVE, slow);
        self.asm.store(Mem::Base(SCRATCH, cursor as i32), end);
    }

    fn store_header(&mut self, object: Reg, offset: i32, header: u64) {
        match i32::try_from(header) {
            Ok(header) => self.asm.store_imm(Mem::Base(object, offset), header),
            Err(_) => {
                self.asm.mov_const(SCRATCH, header);
                self.asm.store(Mem::Base(object, offset), SCRATCH);
            }
        }
    }

    fn allocate(&mut self, op: &Op) -> Result<()> {
        let ty = op.type_ref().get();
        let items = match op.code {
            Opcode::New => Some(0),
            _ => self.constant(op.args[0]),
        };
        let length = match items {
            Some(_) => None,
            None => Some(self.in_reg(op.args[0], GENERAL)?),
        };
        let (size, header) = layout(ty, items.unwrap_or(0));
        let header = header | self.env.header_bits;
        let object = self.define(GENERAL, None)?;
        let end = self.temp(GENERAL)?;
        let slow = Target::Slow(self.slow.len() as u32);
        match length {
            None if size > MAX_BUMP => self.asm.jump(slow),
            None => {}
            Some(length) => {
                let item = ty.items.map_or(1, |(kind, _)| kind.size());
                let fixed = ty.fixed_size.next_multiple_of(item);
                let most = (MAX_BUMP as u32).saturating_sub(fixed) / item;
                self.asm.alu(Alu::Cmp, length, Src::Imm(most as i32));
                self.asm.jump_if(cond::ABOVE, slow);
            }
        }
        self.take_memory(object, end, slow, |compiler| match length {
            None => match i32::try_from(size) {
                Ok(size) => compiler.asm.lea(end, Mem::Base(object, size)),
                Err(_) => {
                    compiler.asm.mov_const(end, size as u64);
                    compiler.asm.alu(Alu::Add, end, Src::Reg(object));
                }
            },
            Some(length) => {
                compiler.array_size(end, length, ty);
                compiler.asm.alu(Alu::Add, end, Src::Reg(object));
            }
        });
        self.store_header(object, 0, header);
        if let Some(length) = length {
            self.asm.store_half(Mem::Base(object, 4), length);
        }
        let item = ty.items.map_or(0, |(kind, _)| kind.size());
        let size = if length.is_some() { ty.fixed_size as u64 } else { size as u64 };
        let kind = SlowKind::Alloc { object, length, size, header, item };
        self.slow.push(Slow { back: self.asm.bytes.len() as u32, kind });
        self.clean.push(Var(self.at).into());
        Ok(())
    }

    /// The size of an array of variable length.
    fn array_size(&mut self, dst: u8, length: u8, ty: &TypeDescr) {
        let item = ty.items.map_or(0, |(kind, _)| kind.size());
        array_size(&mut self.asm, dst, length, ty.fixed_size as i32, item);
    }

    /// The seldom run code, behind everything else.
    pub fn emit_slow(&mut self, index: usize) {
        let slow = &self.slow[index];
        match slow.kind {
            SlowKind::Call { address, ref args } => {
                let (back, args) = (slow.back, args.clone());
                self.native_call(address, &args);
                self.asm.jump(Target::Here(back));
            }
            SlowKind::Force { cell, every, guard } => {
                self.asm.mov_const(SCRATCH, cell);
                self.asm.store_imm(Mem::Base(SCRATCH, 0), i32::try_from(every).unwrap_or(i32::MAX));
                self.asm.jump(Target::Stub(guard));
            }
            SlowKind::Returned { status, returned, elsewhere } => {
                self.asm.test(status, status);
                self.asm.jump_if(cond::SIGN, Target::Stub(returned));
                self.asm.jump(Target::Stub(elsewhere));
            }
            SlowKind::Remember { object } => {
                self.asm.mov(SCRATCH, object);
                self.asm.call(Target::Region(self.env.remember as u32));
                self.asm.jump(Target::Here(slow.back));
            }
            SlowKind::Box { value, float, size, header, offset } => {
                self.asm.mov_const(SCRATCH, header);
                self.asm.push_reg(SCRATCH);
                self.asm.mov_const(SCRATCH, size);
                self.asm.push_reg(SCRATCH);
                self.asm.call(Target::Region(self.env.alloc_slow as u32));
                self.asm.float_store(Mem::Base(SCRATCH, offset as i32), float);
                self.asm.lea(value, Mem::Base(SCRATCH, REF_TAG as i32));
                self.asm.jump(Target::Here(slow.back));
            }
            SlowKind::Alloc { object, length, size, header, item } => {
                match length {
                    None => {
                        self.asm.mov_const(SCRATCH, header);
                        self.asm.push_reg(SCRATCH);
                        self.asm.mov_const(SCRATCH, size);
                    }
                    Some(length) => {
                        self.asm.mov_const(SCRATCH, header);
                        self.asm.push_reg(SCRATCH);
                        self.asm.store_half(Mem::Base(RSP, 4), length);
                        array_size(&mut self.asm, SCRATCH, length, size as i32, item);
                    }
                }
                self.asm.push_reg(SCRATCH);
                self.asm.call(Target::Region(self.env.alloc_slow as u32));
                self.asm.mov(object, SCRATCH);
                self.asm.jump(Target::Here(slow.back));
            }
            SlowKind::AllocRun { object, size, header, ref rest } => {
                let (back, rest) = (slow.back, rest.clone());
                self.asm.mov_const(SCRATCH, header);
                self.asm.push_reg(SCRATCH);
                self.asm.mov_const(SCRATCH, size);
                self.asm.push_reg(SCRATCH);
                self.asm.call(Target::Region(self.env.alloc_slow as u32));
                self.asm.mov(object, SCRATCH);
                for member in rest {
                    self.store_header(object, member.offset as i32, member.header | self.env.header_bits);
                }
                self.asm.jump(Target::Here(back));
            }
        }
    }
}

fn array_size(asm: &mut super::asm::Asm, dst: u8, length: u8, fixed: i32, item: u32) {
    asm.mov(dst, length);
    match item {
        8 => {
            asm.shift_imm(Shift::Left, dst, 3);
            asm.alu(Alu::Add, dst, Src::Imm((fixed + 7) & !7));
        }
        1 => {
            asm.alu(Alu::Add, dst, Src::Imm(fixed + 7));
            asm.alu(Alu::And, dst, Src::Imm(!7));
        }
        _ => asm.mov_const(dst, ((fixed + 7) & !7) as u64),
    }
}
