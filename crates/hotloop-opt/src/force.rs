//! Calls in which natives may look at frames, guarded: the frames stay where they are.
//!
//! Nothing is written back before such a call, and frames of inlined calls are not made for it: they are handed
//! over as handles. The `guard_not_forced` behind the call has the description of everything as it is in the call.
//! Who looks at a frame there makes all of it from that description, and the trace is left behind the call. If
//! nobody does, nobody has seen or written what the trace keeps to itself, and it goes on with what it knows.
//!
//! ```text
//! before   v5 = new Frame; setfield v5 Frame.back v0; call look [v5]; guard_not_forced
//! after    v5 = virtual_ref 0; call look [v5]; guard_not_forced !0      object 0: virtual Frame [v0, …]
//! ```
//!
//! Does not do it for calls in which somebody looked while they were recorded: they come unguarded, and
//! `flush_frame` writes the frame back before them.
//! Source: PyPy's `virtualref.py`, `virtualizable.py` and `resume.py` (`force_from_resumedata`).

use hotloop_ir::{Op, Opcode, Operand};

use crate::pipeline::Optimizer;
use crate::value::{Home, ObjectId, Val};

impl Optimizer<'_> {
    /// The frame that the value refers to, if it is the trace's own or one that was not made.
    pub fn own_frame(&self, value: Val) -> Option<ObjectId> {
        match value {
            Val::Virtual(id) => {
                let object = &self.state.objects[id.0 as usize];
                (object.ty.get().virtualizable && object.home == Home::Virtual).then_some(id)
            }
            Val::Op(operand) => self
                .state
                .virtualizable
                .filter(|id| self.state.objects[id.0 as usize].home == Home::Virtualizable(operand)),
            Val::Tagged(_) => None,
        }
    }

    /// A call with a `guard_not_forced` behind it.
    pub fn guarded_call(&mut self, op: &Op, list: &[Operand]) -> Val {
        let mut args: Vec<Val> = list.iter().map(|operand| self.value(*operand)).collect();
        for value in args.iter_mut().filter(|value| !matches!(value, Val::Op(_))) {
            // What was made for one argument may be a frame that another one is.
            *value = self.settle(*value);
            if self.own_frame(*value).is_none() {
                *value = Val::Op(self.materialize(*value));
            }
        }
        self.flush_stores();
        let (resume, handles) = self.resume_in_call(op.resume, &mut args);
        let mut operands = Vec::with_capacity(args.len());
        for (value, handle) in args.into_iter().zip(handles) {
            operands.push(match handle {
                Some(number) => self.emit(Op::new(Opcode::VirtualRef, &[]).with_descr(number)),
                None => {
                    let value = self.settle(value);
                    self.materialize(value)
                }
            });
        }
        self.in_call = Some(resume);
        let mut new = Op::new(Opcode::Call, &[]).with_descr(op.descr);
        new.list = self.state.out.push_list(operands);
        let result = self.emit(new);
        self.learn_foreign(result, op.call().get());
        self.after_call(op.call().get().effect);
        Val::Op(result)
    }

    /// The guard behind it.
    pub fn guard_not_forced(&mut self) {
        let Some(mut resume) = self.in_call.take() else { return };
        self.add_outcome(&mut resume);
        let mut op = Op::new(Opcode::GuardNotForced, &[]);
        op.resume = self.state.out.resumes.len() as u32;
        self.state.out.resumes.push(resume);
        self.emit(op);
    }
}
