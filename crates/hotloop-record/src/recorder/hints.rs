//! What an author may ask about red words, and what an author may say of them.
//!
//! Answers depend on what is known *while recording*, and steps may do different things by them. So each is
//! an event: replay hears the answer that the recording got. (RPython answers while tracing only, and
//! re-interprets what was traced.)

use hotloop_ir::{CallId, EventKind, Op, Opcode, Operand, Ty, TypeRef};

use super::{Fed, Recorder, check};
use crate::promise::{check_failed, checking};
use crate::{Red, memory};

/// The event's operation; its descriptor says what was asked.
pub(crate) const ASKED: Opcode = Opcode::Instr;

/// What was asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Question {
    /// Is it known while compiling?
    Constant,
    /// Is it an object of this trace that nobody else can reach?
    Virtual,
}

impl Question {
    pub(crate) fn name(descr: u32) -> &'static str {
        if descr == Question::Constant as u32 { "is_constant" } else { "is_virtual" }
    }
}

impl Recorder {
    /// Answers a question about a word; no, if nothing is recorded.
    pub fn ask(&mut self, question: Question, word: Red) -> bool {
        let code = check(ASKED, question as u32);
        if let Some(Fed::Result(answer, _)) = self.count_event(ASKED, question as u32, &[]) {
            self.note_fed(EventKind::Hint, answer, answer, Ty::Int, code);
            return answer.bits != 0;
        }
        let answer = match self.executed() {
            Some((answer, _)) => answer != 0,
            None => self.is_recording() && self.answer(question, word),
        };
        self.keep_answer(answer as u64, 0);
        if self.is_recording() {
            let result = self.constant(Ty::Int, answer as u64);
            self.note_event(EventKind::Hint, Operand::NONE, result, Operand::NONE, code);
        }
        answer
    }

    fn answer(&self, question: Question, word: Red) -> bool {
        match question {
            Question::Constant => self.is_constant(word),
            Question::Virtual => {
                let object = word.operand.as_var().and_then(|var| self.untagged.get(&var).copied());
                self.heap.is_fresh(object.unwrap_or(word.operand))
            }
        }
    }

    /// The author says that the word is this one: no guard.
    pub fn assume_word(&mut self, word: Red, known: u64) {
        if checking() && word.bits != known {
            check_failed(&format!("a word was said to be {known:#x}, but is {:#x}", word.bits));
        }
        if self.is_recording() && word.bits == known && !self.is_constant(word) {
            if let Some(ty) = self.trace.operand_type(word.operand) {
                let constant = self.constant(ty, known);
                self.push(Op::new(Opcode::KnownValue, &[word.operand, constant]));
            }
            self.became_constant(word);
        }
    }

    /// The author says that the object is of this type: no guard.
    pub fn assume_type(&mut self, object: Red, ty: TypeRef) {
        if checking() && memory::type_number(object.bits) != ty.get().id {
            let found = TypeRef::by_number(memory::type_number(object.bits));
            let found = found.map_or("something else".to_string(), |found| format!("a {}", found.get().name));
            check_failed(&format!("an object was said to be a {}, but is {found}", ty.get().name));
        }
        if let Some(var) = object.operand.as_var()
            && self.is_recording()
        {
            self.known[var.0 as usize].heap_type = Some(ty);
        }
    }

    /// The author says what an elidable function answers to these arguments.
    pub fn assume_result(&mut self, id: CallId, args: &[Red], result: Red) {
        if !self.is_recording() {
            return;
        }
        let Some(ty) = id.get().result else { return };
        let mut operands = vec![self.operand(result, ty)];
        operands.extend(self.call_operands(id, args));
        let mut op = Op::new(Opcode::KnownResult, &[]).with_descr(id.0);
        op.list = self.trace.push_list(operands);
        self.push(op);
    }

    pub(crate) fn call_operands(&mut self, id: CallId, args: &[Red]) -> Vec<Operand> {
        let signature = id.get().foreign.as_ref().map_or(&[][..], |signature| signature.args());
        args.iter()
            .enumerate()
            .map(|(index, arg)| {
                let wanted = index.checked_sub(1).and_then(|index| signature.get(index));
                let known = if arg.operand.is_none() { None } else { self.trace.operand_type(arg.operand) };
                let ty = wanted.map(|scalar| scalar.ty()).or(known);
                self.operand(*arg, ty.unwrap_or(Ty::Int))
            })
            .collect()
    }
}
