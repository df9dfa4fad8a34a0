//! A code in the making: registers as a stack, labels that are bound later, constants.

use hotloop::Live;

use crate::code::liveness::Later;
use crate::code::{Code, Const, Handler, Instr, Label, Reg};
use crate::position::Span;
use crate::read::lexer::Literal;

/// The code of one function while it is being made.
///
/// Until it is finished, a jump's target is the number of a label of this emitter.
pub(super) struct Emitter {
    instrs: Vec<Instr>,
    spans: Vec<Span>,
    /// How many registers were in use: what is live at most.
    live: Vec<u16>,
    consts: Vec<Literal>,
    labels: Vec<Option<u32>>,
    /// Where the last label was bound.
    last_bound: usize,
    /// The first register that is free.
    top: u16,
    slots: u16,
    /// What the next instruction comes from.
    pub span: Span,
    /// Failed assertions, which stand at the end, out of the way.
    failures: Vec<(Label, Span, u16)>,
    /// Handlers, whose targets are labels.
    handlers: Vec<Handler>,
    error: Option<&'static str>,
}

impl Emitter {
    /// An empty code whose parameters and locals take `registers`.
    pub fn new(registers: u16, span: Span) -> Emitter {
        Emitter {
            instrs: Vec::new(),
            spans: Vec::new(),
            live: Vec::new(),
            consts: Vec::new(),
            labels: Vec::new(),
            last_bound: 0,
            top: registers,
            slots: registers,
            span,
            failures: Vec::new(),
            handlers: Vec::new(),
            error: None,
        }
    }

    /// A new temporary, above all others.
    pub fn push(&mut self) -> Reg {
        let reg = Reg(self.top);
        if self.top == u16::MAX - 1 {
            self.error = Some("function needs too many registers");
        } else {
            self.top += 1;
        }
        self.slots = self.slots.max(self.top);
        reg
    }

    /// The first register that is free, to come back to with [`Emitter::pop_to`].
    pub fn top(&self) -> u16 {
        self.top
    }

    /// Frees the temporaries from `top` onward.
    pub fn pop_to(&mut self, top: u16) {
        self.top = top;
    }

    /// Adds an instruction.
    pub fn instr(&mut self, instr: Instr) {
        self.instrs.push(instr);
        self.spans.push(self.span);
        self.live.push(self.top);
    }

    /// A label that is not bound yet.
    pub fn label(&mut self) -> Label {
        self.labels.push(None);
        Label(self.labels.len() as u32 - 1)
    }

    /// The label means the next instruction from now on.
    pub fn bind(&mut self, label: Label) {
        self.last_bound = self.instrs.len();
        self.labels[label.index()] = Some(self.instrs.len() as u32);
    }

    /// A label where an assertion has failed.
    pub fn failure(&mut self) -> Label {
        let label = self.label();
        self.failures.push((label, self.span, self.top));
        label
    }

    /// Where errors are handled from now on, until [`Emitter::end_handled`]: the next instruction, and how many
    /// failed assertions there are.
    pub fn begin_handled(&self) -> (usize, usize) {
        (self.instrs.len(), self.failures.len())
    }

    /// Errors since then go on at the label in a register. Assertions that failed there stand here, so that they
    /// are among them; nothing may fall through to here.
    pub fn end_handled(&mut self, (start, failures): (usize, usize), target: Label, dst: Reg) {
        let own = self.failures.split_off(failures);
        self.place_failures(own);
        let (start, stop) = (start as u32, self.instrs.len() as u32);
        if start < stop {
            self.handlers.push(Handler { start, stop, target, dst });
        }
    }

    fn place_failures(&mut self, failures: Vec<(Label, Span, u16)>) {
        let (span, top) = (self.span, self.top);
        for (label, span, live) in failures {
            self.bind(label);
            (self.span, self.top) = (span, live);
            self.instr(Instr::AssertFail {});
        }
        (self.span, self.top) = (span, top);
    }

    /// Whether what is added next may ever run.
    pub fn reachable(&self) -> bool {
        let leaves = matches!(
            self.instrs.last(),
            Some(
                Instr::Return { .. }
                    | Instr::End {}
                    | Instr::Jump { .. }
                    | Instr::Loop { .. }
                    | Instr::AssertFail {}
                    | Instr::Raise { .. }
            )
        );
        !leaves || self.last_bound == self.instrs.len()
    }

    /// The number of a constant.
    pub fn constant(&mut self, value: &Literal) -> Const {
        let same = |other: &&Literal| match (value, other) {
            (Literal::Float(one), Literal::Float(two)) => one.to_bits() == two.to_bits(),
            (one, two) => one == *two,
        };
        let recent = self.consts.len().saturating_sub(64);
        if let Some(found) = self.consts[recent..].iter().position(|other| same(&other)) {
            return Const((recent + found) as u16);
        }
        if self.consts.len() == usize::from(u16::MAX) {
            self.error = Some("function has too many constants");
            return Const(0);
        }
        self.consts.push(value.clone());
        Const(self.consts.len() as u16 - 1)
    }

    /// Binds what is left and gives the code, or says why it can't be.
    pub fn finish(mut self) -> Result<Code, &'static str> {
        let failures = std::mem::take(&mut self.failures);
        self.place_failures(failures);
        if let Some(error) = self.error {
            return Err(error);
        }
        for at in 0..self.instrs.len() {
            let labels = &self.labels;
            if let Some(target) = target(&mut self.instrs[at]) {
                // Every label that is jumped to is bound by now.
                *target = Label(labels[target.index()].unwrap_or_default());
            }
        }
        for handler in &mut self.handlers {
            handler.target = Label(self.labels[handler.target.index()].unwrap_or_default());
        }
        let mut code = Code {
            slots: self.slots,
            instrs: self.instrs.into(),
            consts: self.consts.into(),
            spans: self.spans.into(),
            live: self.live.into_iter().map(|top| Live::below(top.into())).collect(),
            handlers: self.handlers.into(),
            ..Code::default()
        };
        if let Some(later) = Later::find(&code) {
            code.live = (0..code.instrs.len()).map(|at| later.live(at)).collect();
        }
        Ok(code)
    }
}

/// The target of a jump.
fn target(instr: &mut Instr) -> Option<&mut Label> {
    match instr {
        Instr::Jump { target }
        | Instr::Loop { target }
        | Instr::JumpIfFalse { target, .. }
        | Instr::JumpIfTrue { target, .. }
        | Instr::JumpIfSet { target, .. }
        | Instr::Next { target, .. } => Some(target),
        _ => None,
    }
}
