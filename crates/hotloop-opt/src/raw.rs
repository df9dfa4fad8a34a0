//! C. Its memory is outside the heap: read and written in the order in which the interpreter does it, as C may see it and
//! write it in every call. What is known of it is how large a number can be that takes so many bytes; reads that
//! nobody needs are dropped by [`finish`](crate::finish) like others.

use hotloop_ir::{CallDescr, Fact, Op, Operand, Signature};

use crate::pipeline::Optimizer;
use crate::value::Val;

impl Optimizer<'_> {
    fn raw(&mut self, op: &Op) -> Operand {
        let mut args = [Operand::NONE; 3];
        let count = op.operands().len();
        for (index, arg) in op.operands().iter().enumerate() {
            args[index] = self.operand(*arg);
        }
        self.emit(Op::new(op.code, &args[..count]).with_descr(op.descr))
    }

    /// `load_raw`
    pub fn load_raw(&mut self, op: &Op) -> Val {
        let result = self.raw(op);
        let (lo, hi) = op.scalar().range();
        self.learn(result, &Fact::range(lo, hi));
        Val::Op(result)
    }

    /// What a function of C gave is a number of its type.
    pub fn learn_foreign(&mut self, result: Operand, call: &CallDescr) {
        if let Some(scalar) = call.foreign.as_ref().and_then(Signature::result) {
            let (lo, hi) = scalar.range();
            self.learn(result, &Fact::range(lo, hi));
        }
    }

    /// `store_raw`
    pub fn store_raw(&mut self, op: &Op) {
        self.raw(op);
    }
}
