//! C in random traces: its functions, and memory that is no object.

use hotloop_ir::{Op, Opcode, Operand, Scalar, Ty};

use super::{Arena, Builder, kit};

impl Builder<'_> {
    /// Memory that is no object.
    pub(super) fn raw(&mut self) {
        use Opcode::*;
        let mut address = self.int_const(self.objects[0] + Arena::RAW_OFFSET);
        let offset = self.random.below(Arena::RAW_MASK as usize) as u64;
        let mut offset = self.int_const(offset);
        if self.random.chance(50) {
            let (any, mask) = (self.operand(Ty::Int), self.int_const(Arena::RAW_MASK));
            offset = self.emit(Op::new(IntAnd, &[any, mask]));
        }
        if self.random.chance(50) {
            address = self.variable(address);
        }
        let scalar = self.random.pick(&Scalar::ALL);
        if self.random.chance(60) {
            let loaded = Op::new(LoadRaw, &[address, offset]).with_descr(scalar as u32);
            if scalar.is_float() {
                // Of floats that are no numbers nobody says which words come of arithmetic.
                let float = self.trace.push(loaded);
                let is_number = self.trace.push(Op::new(FloatEq, &[float.into(), float.into()]));
                self.guard(GuardTrue, &[is_number.into()], 0);
                self.values[Ty::Float.number() as usize].push(float.into());
            } else {
                self.emit(loaded);
            }
        } else {
            let value = if scalar.is_float() { self.number() } else { self.operand(Ty::Int) };
            self.emit(Op::new(StoreRaw, &[address, offset, value]).with_descr(scalar as u32));
        }
    }

    /// A word as a variable.
    fn variable(&mut self, word: Operand) -> Operand {
        let (any, none) = (self.operand(Ty::Int), self.int_const(0));
        let nothing = self.emit(Op::new(Opcode::IntAnd, &[any, none]));
        self.emit(Op::new(Opcode::IntOr, &[nothing, word]))
    }

    /// A call of a function of C.
    pub(super) fn call_foreign(&mut self) {
        let (call, address) = self.random.pick(&kit().foreign);
        let mut address = self.int_const(address);
        if self.random.chance(40) {
            address = self.variable(address);
        }
        let mut list = vec![address];
        let args = call.get().foreign.as_ref().map_or(&[][..], |signature| signature.args());
        for scalar in args {
            list.push(if scalar.is_float() { self.number() } else { self.operand(Ty::Int) });
        }
        let mut op = Op::new(Opcode::Call, &[]).with_descr(call.0);
        op.list = self.trace.push_list(list);
        if call.get().result.is_some() {
            self.emit(op);
        } else {
            self.trace.push(op);
        }
    }
}
