//! Memory outside the heap: every read is an event, and nothing is remembered of it, as C may write it at any time.

use hotloop_ir::{EventKind, Op, Opcode, Operand, Scalar, Ty};

use super::{Fed, Recorder, check};
use crate::Red;

impl Recorder {
    /// Reads a number at an address plus an offset; `load` does it.
    pub fn load_raw(&mut self, address: Red, offset: Red, scalar: Scalar, load: impl FnOnce() -> u64) -> Red {
        self.operations += 1;
        let descr = scalar as u32;
        let code = check(Opcode::LoadRaw, descr);
        if let Some(Fed::Result(red, _)) = self.count_event(Opcode::LoadRaw, descr, &[address, offset]) {
            self.note_raw(EventKind::Read, address, Some((red, scalar)), code);
            return red;
        }
        let bits = match self.executed() {
            Some((answer, _)) => answer,
            None => load(),
        };
        self.keep_answer(bits, 0);
        if !self.recording {
            return Red::constant(bits);
        }
        let operands = [self.operand(address, Ty::Int), self.operand(offset, Ty::Int)];
        let op = Op::new(Opcode::LoadRaw, &operands).with_descr(descr);
        let red = Red { bits, operand: self.push(op).into() };
        self.note_raw(EventKind::Read, address, Some((red, scalar)), code);
        red
    }

    /// Writes a number at an address plus an offset; `store` does it.
    pub fn store_raw(&mut self, address: Red, offset: Red, scalar: Scalar, value: Red, store: impl FnOnce()) {
        self.operations += 1;
        let descr = scalar as u32;
        let code = check(Opcode::StoreRaw, descr);
        if self.count_event(Opcode::StoreRaw, descr, &[address, offset, value]).is_none() {
            if self.executed().is_none() {
                store();
            }
            if self.recording {
                let [address, offset] = [address, offset].map(|word| self.operand(word, Ty::Int));
                let value = self.operand(value, scalar.ty());
                self.push(Op::new(Opcode::StoreRaw, &[address, offset, value]).with_descr(descr));
            }
        }
        self.note_raw(EventKind::Write, address, None, code);
    }

    fn note_raw(&mut self, kind: EventKind, address: Red, result: Option<(Red, Scalar)>, code: u32) {
        if self.recording {
            // No object of the heap, so replay neither reads it again behind an effect nor writes it again.
            let place = self.operand(address, Ty::Int);
            let result = result.map_or(Operand::NONE, |(red, scalar)| self.operand(red, scalar.ty()));
            self.note_event(kind, place, result, Operand::NONE, code);
        }
    }
}
