//! The loop that matters most: the seed benchmark's, as the optimizer leaves it.

use std::rc::Rc;

use hotloop_ir::{Desc, Op, Opcode, Operand, Resume, Trace, Ty, Var};

/// Resume data in which these live.
pub fn resume_of(live: impl IntoIterator<Item = Var>) -> Resume {
    Resume {
        position: 0,
        state: Rc::new(live.into_iter().map(|var| Desc::Operand(Operand::var(var))).collect()),
        objects: Rc::default(),
        stores: Vec::new(),
        log: Vec::new(),
        events: 0,
        flushed: false,
        kept: Rc::default(),
        facts: Vec::new(),
    }
}

/// `for k in k..n { assert kk + j * k >= 0 }` over shifted small integers, with a poll. Inputs: k, j, kk, n.
pub fn benchmark_loop() -> Trace {
    let mut trace = Trace::new();
    let inputs: Vec<Var> = (0..4).map(|_| trace.push(Op::new(Opcode::Input, &[]))).collect();
    let (j, kk, n) = (inputs[1], inputs[2], inputs[3]);
    trace.push(Op::new(Opcode::Label, &[]));
    let k = trace.push(Op::new(Opcode::Phi, &[inputs[0].into()]));
    let zero = trace.push_const(Ty::Int, 0);
    let eight = trace.push_const(Ty::Int, 8);
    let guard = |trace: &mut Trace, code, args: &[Operand]| {
        trace.resumes.push(resume_of([k, j, kk, n]));
        let mut op = Op::new(code, args);
        op.resume = trace.resumes.len() as u32 - 1;
        trace.push(op)
    };
    guard(&mut trace, Opcode::GuardNoInterrupt, &[]);
    let more = trace.push(Op::new(Opcode::IntLt, &[k.into(), n.into()]));
    guard(&mut trace, Opcode::GuardTrue, &[more.into()]);
    let product = guard(&mut trace, Opcode::IntMulOvf, &[j.into(), k.into()]);
    let sum = guard(&mut trace, Opcode::IntAddOvf, &[kk.into(), product.into()]);
    let negative = trace.push(Op::new(Opcode::IntLt, &[sum.into(), zero]));
    guard(&mut trace, Opcode::GuardFalse, &[negative.into()]);
    let next = trace.push(Op::new(Opcode::IntAdd, &[k.into(), eight]));
    let mut end = Op::new(Opcode::Loop, &[]);
    end.list = trace.push_list([Operand::from(next)]);
    trace.push(end);
    trace
}
