//! What the compiler must know of a trace before it emits: one walk from the end to the start.
//!
//! * how long each value lives, and where it is really used (a mention in a guard's resume data keeps a
//!   value alive, but doesn't need it in a register);
//! * which operations are *fused* into their only consumer (a compare into its guard), so that they emit
//!   nothing by themselves;
//! * which names stand for the same word (`ref_to_int` and the like);
//! * which phi a value flows into, so that it can be computed in the phi's register (the hints of LuaJIT's
//!   and PyPy's allocators).
//!
//! Positions are `2 * operation` for uses by the operation and `2 * operation + 1` for uses behind its exit.

use hotloop_ir::{Class, Opcode, Operand, Trace, Var};

/// No use, no variable, no node.
pub const NONE: u32 = u32::MAX;

/// The result of the walk.
pub struct Plan {
    /// What a variable stands for: itself, or another variable or constant.
    pub root: Vec<Operand>,
    /// Emitted as part of its consumer.
    pub fused: Vec<bool>,
    /// The position of the last use (0: never used).
    pub end: Vec<u32>,
    /// The first real use of each variable: an index into `nodes`.
    pub first: Vec<u32>,
    /// Real uses: operation, next node.
    pub nodes: Vec<(u32, u32)>,
    /// The variables whose last use is at an operation: the first, and then from each the next.
    pub dying: Vec<u32>,
    pub next_dying: Vec<u32>,
    /// Where the loop's head is: the label, or the first operation behind the inputs. Only if it loops.
    pub head: Option<u32>,
    /// What `loop` sets, in its order.
    pub phis: Vec<Var>,
    /// Defined before the label and really used behind it.
    pub invariant: Vec<bool>,
    /// The phi that a value should be computed in the place of.
    pub hint: Vec<u32>,
    /// What lives at each resume, in order, and where its part starts.
    pub live: Vec<Operand>,
    pub live_start: Vec<u32>,
    /// The operations that call, backwards.
    pub calls: Vec<u32>,
}

/// Whether it produces no code and no value.
pub fn is_mark(code: Opcode) -> bool {
    matches!(code, Opcode::Instr | Opcode::Live | Opcode::Virtualizable | Opcode::Hoisted)
}

/// Whether it is a compare that can be part of a guard.
pub fn is_compare(code: Opcode) -> bool {
    use Opcode::*;
    matches!(
        code,
        IntEq
            | IntNe
            | IntLt
            | IntLe
            | UintLt
            | UintLe
            | RefEq
            | FloatEq
            | FloatLt
            | FloatLe
            | IntAddWraps
            | IntSubWraps
            | IntMulWraps
            | ValueIsFloat
            | FloatFitsValue
    )
}

impl Plan {
    /// Walks the trace, which has been checked.
    pub fn new(trace: &Trace) -> Plan {
        let count = trace.ops.len();
        let last = count - 1;
        let inputs = trace.inputs().count();
        let label = trace.label();
        let loops = trace.ops[last].code == Opcode::Loop;
        let phis: Vec<Var> = match label {
            Some(label) => (label..count)
                .filter(|at| trace.ops[*at].code == Opcode::Phi)
                .map(|at| Var(at as u32))
                .collect(),
            None => trace.inputs().collect(),
        };
        let mut plan = Plan {
            root: Vec::with_capacity(count),
            fused: vec![false; count],
            end: vec![0; count],
            first: vec![NONE; count],
            nodes: Vec::with_capacity(count * 2),
            dying: vec![NONE; count],
            next_dying: vec![NONE; count],
            head: loops.then(|| label.unwrap_or(inputs) as u32),
            phis,
            invariant: vec![false; count],
            hint: vec![NONE; count],
            live: Vec::new(),
            live_start: Vec::new(),
            calls: Vec::new(),
        };
        plan.find_roots(trace);
        plan.find_live(trace);
        plan.walk(trace, label);
        for var in 0..count {
            let end = plan.end[var];
            if end != 0 {
                let at = (end / 2) as usize;
                plan.next_dying[var] = plan.dying[at];
                plan.dying[at] = var as u32;
            }
        }
        plan
    }

    /// The operand behind an operand.
    #[inline]
    pub fn root_of(&self, operand: Operand) -> Operand {
        operand.as_var().map_or(operand, |var| self.root[var.0 as usize])
    }

    fn find_roots(&mut self, trace: &Trace) {
        for (at, op) in trace.ops.iter().enumerate() {
            let root = match op.code {
                Opcode::RefToInt | Opcode::IntToRef => self.root_of(op.args[0]),
                _ => Operand::var(Var(at as u32)),
            };
            self.root.push(root);
        }
    }

    fn find_live(&mut self, trace: &Trace) {
        let mut seen = vec![NONE; trace.ops.len()];
        for (number, resume) in trace.resumes.iter().enumerate() {
            self.live_start.push(self.live.len() as u32);
            resume.each_desc(&mut |desc| {
                desc.each_var(&mut |var| {
                    let seen = &mut seen[var.0 as usize];
                    if *seen != number as u32 {
                        *seen = number as u32;
                        self.live.push(self.root[var.0 as usize]);
                    }
                });
            });
        }
        self.live_start.push(self.live.len() as u32);
    }

    /// What lives at a resume.
    pub fn live_at(&self, resume: u32) -> std::ops::Range<usize> {
        self.live_start[resume as usize] as usize..self.live_start[resume as usize + 1] as usize
    }

    fn note_use(&mut self, operand: Operand, at: u32) {
        if let Some(Var(var)) = self.root_of(operand).as_var() {
            let var = var as usize;
            if self.end[var] == 0 {
                self.end[var] = 2 * at;
            }
            self.nodes.push((at, self.first[var]));
            self.first[var] = self.nodes.len() as u32 - 1;
        }
    }

    fn walk(&mut self, trace: &Trace, label: Option<usize>) {
        // The operation behind the current one that is not a mark: what a fused one would be part of, and
        // where its operands are used.
        let mut consumer = (NONE, NONE);
        for at in (0..trace.ops.len()).rev() {
            let op = &trace.ops[at];
            let number = at as u32;
            if is_mark(op.code) || matches!(op.code, Opcode::RefToInt | Opcode::IntToRef) {
                continue;
            }
            if op.code.is_guard() {
                for index in self.live_at(op.resume) {
                    if let Some(Var(var)) = self.live[index].as_var()
                        && self.end[var as usize] == 0
                    {
                        self.end[var as usize] = 2 * number + 1;
                    }
                }
            }
            let unused = self.end[at] == 0;
            if op.code.class() == Class::Pure && unused {
                continue;
            }
            let mut use_at = number;
            if self.can_fuse(trace, number, consumer) {
                self.fused[at] = true;
                use_at = consumer.1;
            }
            consumer = (number, use_at);
            match op.code {
                Opcode::Loop => {
                    for (index, operand) in trace.list(op.list).iter().enumerate() {
                        self.note_use(*operand, number);
                        if let Some(Var(var)) = self.root_of(*operand).as_var() {
                            self.hint[var as usize] = self.phis[index].0;
                        }
                    }
                }
                Opcode::Call | Opcode::CallIf | Opcode::CallUnless | Opcode::CallEntry => {
                    self.calls.push(number);
                    trace.list(op.list).iter().for_each(|operand| self.note_use(*operand, number));
                }
                Opcode::CopyItems | Opcode::FillItems | Opcode::EqualItems | Opcode::CompareItems => {
                    self.calls.push(number);
                    let operands = op.operands().iter().chain(trace.list(op.list));
                    operands.for_each(|operand| self.note_use(*operand, number));
                }
                Opcode::Enter | Opcode::EnterLabel | Opcode::Return => {
                    trace.list(op.list).iter().for_each(|operand| self.note_use(*operand, number))
                }
                // The phis' first values are used at the label, all at once.
                Opcode::Phi => self.note_use(op.args[0], label.unwrap_or(0) as u32),
                Opcode::CallRaised | Opcode::CallResult => {}
                Opcode::GuardValue => self.note_use(op.args[0], number),
                _ => {
                    for operand in op.operands() {
                        self.note_use(*operand, use_at);
                    }
                    self.pass_hint(trace, number);
                }
            }
            if Some(at) == label && self.head.is_some() {
                self.extend_over_loop(at, trace.ops.len() - 1);
            }
        }
    }

    /// The first operand of a two-address operation had better sit where the result shall be.
    fn pass_hint(&mut self, trace: &Trace, at: u32) {
        let op = &trace.ops[at as usize];
        let hint = self.hint[at as usize];
        let two_address = matches!(op.code.class(), Class::Pure | Class::PureGuard);
        if hint != NONE
            && two_address
            && !is_compare(op.code)
            && let Some(Var(var)) = self.root_of(op.args[0]).as_var()
            && self.end[var as usize] == 2 * at
            && self.hint[var as usize] == NONE
            && var != hint
        {
            self.hint[var as usize] = hint;
        }
    }

    /// What is defined before the label and used behind it lives until the loop's end.
    fn extend_over_loop(&mut self, label: usize, last: usize) {
        for var in 0..label {
            if self.end[var] > 2 * label as u32 + 1 {
                self.end[var] = 2 * last as u32 + 1;
                self.invariant[var] = self.first[var] != NONE;
            }
        }
    }

    /// Whether an operation can be emitted as part of the one behind it.
    fn can_fuse(&self, trace: &Trace, at: u32, (consumer, _): (u32, u32)) -> bool {
        let op = &trace.ops[at as usize];
        let code = op.code;
        if consumer == NONE || (code != Opcode::IntAnd && !is_compare(code)) {
            return false;
        }
        // The only use is a real one, by the consumer; nothing behind an exit mentions it.
        let first = self.first[at as usize];
        if first == NONE || self.nodes[first as usize].1 != NONE || self.end[at as usize] & 1 != 0 {
            return false;
        }
        let user = &trace.ops[consumer as usize];
        let by = |index: usize| self.root_of(user.args[index]) == Operand::var(Var(at));
        match user.code {
            Opcode::GuardTrue | Opcode::GuardFalse => by(0),
            Opcode::Select => by(0) && code != Opcode::FloatEq && !by(1) && !by(2),
            Opcode::IntEq | Opcode::IntNe => {
                let zero = trace.const_of(user.args[1]).is_some_and(|constant| constant.bits == 0);
                code == Opcode::IntAnd && self.fused[consumer as usize] && by(0) && zero
            }
            _ => false,
        }
    }
}
