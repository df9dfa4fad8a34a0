//! Reference evaluation: walks the trace, one operation after the other.
//!
//! Slow and simple; what it computes is by definition right. It is also what runs where there is no native
//! target.
//!
//! Invariant: no borrow of the tables is held while native code may run, as that may compile traces, attach
//! bridges and run others. Variables live in an array on the machine stack, where the collector sees them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};

use hotloop_ir::pure::{evaluate, overflows};
use hotloop_ir::{Class, FieldKind, List, Op, Opcode, Operand, Trace, TypeDescr, Var};

use crate::check::check;
use crate::context::{FLAGS, MAX_BUMP, OLD, REF_TAG, TAG_MASK, handle};
use crate::folding::{Fold, Folds, Member};
use crate::force::{Force, Forcing};
use crate::foreign;
use crate::items;
use crate::{CodeId, CodegenError, Context, Entry, Exits, OnStack, Options, Request, Site, Target, UNWOUND};

/// The reference target.
pub struct Eval {
    /// Those that were freed are empty.
    codes: RefCell<Vec<Option<Rc<Code>>>>,
    /// Their numbers.
    unused: RefCell<Vec<u32>>,
    bridges: RefCell<HashMap<u32, CodeId>>,
    /// What is being walked, outermost first.
    active: RefCell<Vec<Active>>,
    forcing: Forcing,
}

/// A trace that is ready to run.
struct Code {
    id: CodeId,
    trace: Trace,
    folds: Folds,
    /// `resume.live()` of each resume.
    live: Vec<Vec<Var>>,
    /// Where `loop` goes on, and what it sets.
    head: usize,
    phis: Vec<Var>,
    /// What `enter_label` sets behind the phis.
    kept: Vec<Var>,
    inputs: usize,
    first_guard: u32,
    /// The guard whose failure it continues.
    parent: Option<u32>,
    invalid: *const AtomicU32,
}

/// A trace that is walked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Active {
    pub id: CodeId,
    /// Another trace waits for it.
    called: bool,
    /// While it waits in a call: the guard behind it (its number in the trace), and where the variables are.
    guard: u32,
    words: usize,
}

/// How a trace was left; the values are in the vector that was handed in.
enum Left {
    Guard(u32),
    Enter(CodeId),
    Returned(u32),
    EnterLabel(CodeId),
}

/// Traces of more operations are refused, as their variables would not fit on the stack.
const MOST_OPS: usize = 1 << 16;
/// More arguments than this can't be passed.
const MOST_ARGS: usize = 64;

impl Eval {
    /// A target without traces.
    pub fn new(options: Options) -> Eval {
        let forcing = Forcing::new(options.force, options.force_every);
        Eval {
            codes: RefCell::default(),
            unused: RefCell::default(),
            bridges: RefCell::default(),
            active: RefCell::default(),
            forcing,
        }
    }

    fn code(&self, code: CodeId) -> Rc<Code> {
        self.codes.borrow()[code.0 as usize].clone().expect("the code was not freed")
    }
}

impl Default for Eval {
    fn default() -> Eval {
        Eval::new(Options::default())
    }
}

impl Target for Eval {
    fn compile(&self, trace: &Trace, request: &Request) -> Result<CodeId, CodegenError> {
        let known = |code: u32| self.codes.borrow().get(code as usize).cloned().flatten();
        let inputs_of = |code: u32| known(code).map(|code| code.inputs);
        let labels_of = |code: u32| known(code).map(|code| code.phis.len() + code.kept.len());
        check(trace, &inputs_of, &labels_of)?;
        if trace.ops.len() > MOST_OPS {
            return Err(CodegenError::TooManySpills);
        }
        let too_many = |op: &Op| {
            matches!(op.code, Opcode::Call | Opcode::CallIf | Opcode::CallUnless)
                && op.list.len as usize > MOST_ARGS
        };
        if trace.ops.iter().any(too_many) {
            return Err(CodegenError::Malformed("too many arguments".into()));
        }
        let inputs = trace.inputs().count();
        let (head, phis) = match trace.label() {
            Some(label) => {
                let phis = (label..trace.ops.len()).filter(|at| trace.ops[*at].code == Opcode::Phi);
                (label, phis.map(|at| Var(at as u32)).collect())
            }
            None => (inputs, trace.inputs().collect()),
        };
        let id = CodeId(self.unused.borrow_mut().pop().unwrap_or(self.codes.borrow().len() as u32));
        let code = Code {
            id,
            folds: Folds::of(trace),
            trace: trace.clone(),
            live: trace.resumes.iter().map(|resume| resume.live()).collect(),
            head,
            phis,
            kept: trace.kept().iter().filter_map(|operand| operand.as_var()).collect(),
            inputs,
            first_guard: request.first_guard,
            parent: match request.entry {
                Entry::Fresh => None,
                Entry::Bridge { guard } => Some(guard),
            },
            invalid: request.invalid,
        };
        let mut codes = self.codes.borrow_mut();
        if id.0 as usize == codes.len() {
            codes.push(None);
        }
        if let Some(guard) = code.parent {
            self.bridges.borrow_mut().insert(guard, id);
        }
        codes[id.0 as usize] = Some(Rc::new(code));
        Ok(id)
    }

    unsafe fn execute(&self, code: CodeId, context: *mut Context, inputs: &[u64], exits: &mut Exits) {
        exits.clear();
        let mut values = inputs.to_vec();
        // SAFETY: the caller's promise.
        unsafe { self.call_trace(code, false, context, &mut values, exits) };
    }

    unsafe fn waiting(&self, site: Site, exits: &mut Exits) {
        exits.clear();
        let active = self.active.borrow();
        let Some(innermost) = active.iter().rposition(|one| one.words == site.frame) else { return };
        for one in active[..=innermost].iter().rev() {
            let code = self.code(one.id);
            let word = |var: &Var| std::ptr::with_exposed_provenance::<u64>(one.words + 8 * var.0 as usize);
            let live = code.live[one.guard as usize].iter();
            // SAFETY: the trace waits in a call, with its variables in that array.
            exits.push(code.first_guard + one.guard, live.map(|var| unsafe { word(var).read() }));
            if !one.called {
                break;
            }
        }
    }

    fn detach(&self, guard: u32) {
        self.bridges.borrow_mut().remove(&guard);
    }

    fn running(&self, suspended: &[&OnStack]) -> Vec<CodeId> {
        let active = self.active.borrow();
        let here = active.iter().map(|one| one.id);
        here.chain(suspended.iter().flat_map(|stack| stack.walked())).collect()
    }

    unsafe fn change_stack(&self, context: *mut Context, other: &mut OnStack) {
        // SAFETY: the caller's promise.
        unsafe { other.exchange(context) };
        std::mem::swap(&mut *self.active.borrow_mut(), &mut other.active);
    }

    unsafe fn free(&self, id: CodeId) {
        let Some(code) = self.codes.borrow_mut()[id.0 as usize].take() else { return };
        self.unused.borrow_mut().push(id.0);
        let numbers = code.first_guard..code.first_guard + code.trace.resumes.len() as u32;
        self.bridges.borrow_mut().retain(|guard, bridge| *bridge != id && !numbers.contains(guard));
    }

    fn code_size(&self, _code: CodeId) -> usize {
        0
    }

    fn address(&self, _code: CodeId) -> Option<usize> {
        None
    }

    fn disassemble(&self, _code: CodeId) -> Option<String> {
        None
    }

    fn stub_size(&self) -> usize {
        0
    }

    fn set_force(&self, force: Option<Force>, every: Option<u64>) {
        self.forcing.set(force, every);
    }
}

/// What a native function answers.
#[repr(C)]
struct Answer {
    result: u64,
    raised: u64,
}

impl Eval {
    /// Runs from the entry of the code until it returns (its position) or is left ([`UNWOUND`]).
    ///
    /// # Safety
    /// As for [`Target::execute`].
    unsafe fn call_trace(
        &self,
        mut id: CodeId,
        called: bool,
        context: *mut Context,
        values: &mut Vec<u64>,
        exits: &mut Exits,
    ) -> u64 {
        let mut at_label = false;
        loop {
            let code = self.code(id);
            self.active.borrow_mut().push(Active { id, called, guard: 0, words: 0 });
            // SAFETY: the caller's promise, which also covers the traces reached from here.
            let left = unsafe {
                match code.trace.ops.len() {
                    0..=256 => self.walk::<256>(&code, context, values, exits, at_label),
                    257..=2048 => self.walk::<2048>(&code, context, values, exits, at_label),
                    2049..=16384 => self.walk::<16384>(&code, context, values, exits, at_label),
                    _ => self.walk::<MOST_OPS>(&code, context, values, exits, at_label),
                }
            };
            self.active.borrow_mut().pop();
            at_label = matches!(left, Left::EnterLabel(_));
            id = match left {
                Left::Enter(next) | Left::EnterLabel(next) => next,
                Left::Returned(position) => return position as u64,
                Left::Guard(guard) => match self.bridges.borrow().get(&guard) {
                    Some(bridge) => *bridge,
                    None => {
                        exits.push(guard, values.iter().copied());
                        return UNWOUND;
                    }
                },
            };
        }
    }

    /// The trace that is walked begins a call: where it goes on, and where its variables are.
    fn wait(&self, code: &Code, words: &[u64], guard: usize) -> Site {
        let resume = code.trace.ops[guard].resume;
        let words = words.as_ptr().expose_provenance();
        if let Some(active) = self.active.borrow_mut().last_mut() {
            (active.guard, active.words) = (resume, words);
        }
        Site { guard: u64::from(code.first_guard + resume), frame: words }
    }

    /// Runs one trace, `SIZE` variables at most; `values` are its inputs and then what it was left with.
    ///
    /// # Safety
    /// As for [`Target::run`].
    #[inline(never)]
    unsafe fn walk<const SIZE: usize>(
        &self,
        code: &Code,
        context: *mut Context,
        values: &mut Vec<u64>,
        exits: &mut Exits,
        at_label: bool,
    ) -> Left {
        let trace = &code.trace;
        let mut words = [0u64; SIZE];
        let mut raised = 0;
        let mut at = code.inputs;
        if at_label {
            for (var, value) in code.phis.iter().chain(&code.kept).zip(&*values) {
                words[var.0 as usize] = *value;
            }
            at = code.head + 1 + code.phis.len();
        } else {
            words[..code.inputs].copy_from_slice(&values[..code.inputs]);
        }
        loop {
            let op = &trace.ops[at];
            let word = |operand: Operand| match operand.as_var() {
                Some(var) => words[var.0 as usize],
                None => trace.const_of(operand).map_or(0, |constant| constant.bits),
            };
            let collect = |values: &mut Vec<u64>, list: List| {
                values.clear();
                values.extend(trace.list(list).iter().map(|operand| word(*operand)));
            };
            let [a, b, c] = op.args.map(word);
            let mut fails = false;
            let result = match op.code {
                Opcode::Phi => a,
                Opcode::CallRaised => raised,
                // SAFETY: the context is valid, says the caller; the number was checked.
                Opcode::CallResult => unsafe { (*context).results[op.descr as usize / 4] },
                Opcode::CallEntry => {
                    let target = trace.calls[op.descr as usize].code;
                    let mut inputs = Vec::new();
                    collect(&mut inputs, op.list);
                    let target = target.map_or(code.id, CodeId);
                    let mut behind = trace.ops[at..].iter();
                    if let Some(guard) = behind.position(|op| op.code == Opcode::GuardReturned) {
                        self.wait(code, &words, at + guard);
                    }
                    // SAFETY: the caller's promise.
                    unsafe { self.call_trace(target, true, context, &mut inputs, exits) }
                }
                Opcode::Return => {
                    for (number, operand) in trace.list(op.list).iter().enumerate() {
                        // SAFETY: as above.
                        unsafe { (*context).results[number] = word(*operand) };
                    }
                    return Left::Returned(op.descr);
                }
                Opcode::BoxFloat if evaluate(Opcode::FloatFitsValue, a, 0, 0) == 0 => {
                    let ty = op.type_ref().get();
                    // SAFETY: the context is valid, says the caller; the object is of the type that is written.
                    unsafe {
                        let (size, header) = layout(ty, 0);
                        let object = allocate(context, size, header, &[]);
                        store(context, FieldKind::Float, object, ty.slot(0).0.into(), a);
                        evaluate(Opcode::RefToValue, object, 0, 0)
                    }
                }
                code if code.class() == Class::Pure => evaluate(code, a, b, c),
                Opcode::IntAddOvf | Opcode::IntSubOvf | Opcode::IntMulOvf => {
                    fails = overflows(op.code, a, b);
                    evaluate(op.code, a, b, 0)
                }
                Opcode::VirtualRef => (words.as_ptr().addr() as u64).wrapping_add(handle(op.descr) as u64),
                Opcode::Call => {
                    if let Some(guard) = trace.force_guard(at) {
                        // SAFETY: the context is valid, says the caller.
                        unsafe { (*context).waiting.set(self.wait(code, &words, guard)) };
                    }
                    let (descr, operands) = (op.call().get(), trace.list(op.list));
                    if let Some(signature) = &descr.foreign {
                        let args = operands[1..].iter().map(|operand| word(*operand));
                        // SAFETY: the caller vouches for what the trace calls.
                        unsafe { foreign::call(signature, word(operands[0]), args) }
                    } else {
                        // SAFETY: as above.
                        let answer = unsafe { call(descr.address, operands, &word) };
                        raised = answer.raised;
                        answer.result
                    }
                }
                Opcode::CallIf | Opcode::CallUnless => {
                    let operands = trace.list(op.list);
                    let condition = word(operands[0]);
                    if (condition != 0) == (op.code == Opcode::CallIf) {
                        // SAFETY: as above.
                        unsafe { call(op.call().get().address, &operands[1..], &word) }.result
                    } else {
                        condition
                    }
                }
                // SAFETY: the caller vouches for the memory that the trace reads and writes.
                Opcode::GetField => unsafe { load(op.field().get().kind, a, op.field().get().offset.into()) },
                // SAFETY: as above.
                Opcode::GetItem => unsafe {
                    let (kind, offset) = item(op.type_ref().get(), b);
                    load(kind, a, offset)
                },
                // SAFETY: as above.
                Opcode::LoadRaw => unsafe { foreign::load(a.wrapping_add(b), op.scalar()) },
                Opcode::StoreRaw => {
                    // SAFETY: as above.
                    unsafe { foreign::store(a.wrapping_add(b), op.scalar(), c) };
                    0
                }
                // SAFETY: as above; the header is type, flags and length.
                Opcode::GetType => unsafe { (a as *const u16).read() as u64 },
                // SAFETY: as above.
                Opcode::Len => unsafe { (a as *const u32).add(1).read() as u64 },
                // SAFETY: the context is valid, says the caller.
                Opcode::New | Opcode::NewArray => unsafe {
                    let (size, header) = layout(op.type_ref().get(), a);
                    match code.folds.at(at as u32) {
                        None => allocate(context, size, header, &[]),
                        Some(Fold::First { size, rest }) => allocate(context, *size, header, rest),
                        Some(Fold::Behind { base, distance }) => word((*base).into()) + *distance as u64,
                    }
                },
                Opcode::SetField => {
                    let field = op.field().get();
                    // SAFETY: the caller vouches for the memory that the trace reads and writes.
                    unsafe { store(context, field.kind, a, field.offset.into(), b) };
                    0
                }
                Opcode::SetItem => {
                    let (kind, offset) = item(op.type_ref().get(), b);
                    // SAFETY: as above.
                    unsafe { store(context, kind, a, offset, c) };
                    0
                }
                Opcode::CopyItems => {
                    let [from_at, to_at] = [0, 1].map(|index| word(trace.list(op.list)[index]));
                    // SAFETY: the context is valid, and so is the object, says the caller.
                    unsafe { barrier(context, item(op.types().1.get(), 0).0, b) };
                    items::copy(a, b, c, from_at, to_at, items::layout(op))
                }
                Opcode::FillItems => {
                    // SAFETY: as above.
                    unsafe { barrier(context, item(op.type_ref().get(), 0).0, a) };
                    items::fill(a, b, c, word(trace.list(op.list)[0]), items::layout(op))
                }
                Opcode::EqualItems | Opcode::CompareItems => {
                    let [at, other_at] = [0, 1].map(|index| word(trace.list(op.list)[index]));
                    let compare = if op.code == Opcode::EqualItems { items::equal } else { items::compare };
                    compare(a, b, c, at, other_at, items::layout(op))
                }
                Opcode::Loop => {
                    collect(values, op.list);
                    for (phi, value) in code.phis.iter().zip(&*values) {
                        words[phi.0 as usize] = *value;
                    }
                    at = code.head;
                    // The phis take their new words instead of their first operands.
                    while matches!(trace.ops[at].code, Opcode::Label | Opcode::Phi) {
                        at += 1;
                    }
                    continue;
                }
                Opcode::Enter => {
                    collect(values, op.list);
                    return Left::Enter(CodeId(op.descr));
                }
                Opcode::EnterLabel => {
                    collect(values, op.list);
                    return Left::EnterLabel(CodeId(op.descr));
                }
                guard => {
                    fails = match guard {
                        Opcode::GuardTrue => a == 0,
                        Opcode::GuardFalse => a != 0,
                        Opcode::GuardValue => a != b,
                        // SAFETY: the object is valid and not null, says the caller.
                        Opcode::GuardType => unsafe {
                            (a as *const u16).read() as u32 != op.type_ref().get().id
                        },
                        // SAFETY: the context is valid, says the caller.
                        Opcode::GuardNoInterrupt => unsafe {
                            (*context).poll.flag.load(Ordering::Relaxed) != 0
                        },
                        // SAFETY: as above.
                        Opcode::GuardStack => unsafe { !(*context).poll.has_room(&raw const words as usize) },
                        Opcode::GuardReal => a & 1 != 0,
                        Opcode::GuardCalled => a & 1 == 0,
                        Opcode::GuardReturned => a == UNWOUND,
                        // SAFETY: as above.
                        Opcode::GuardNotForced => unsafe {
                            let site = (*context).waiting.get();
                            (*context).waiting.set(Site { guard: Site::NONE, ..site });
                            site.guard != u64::from(code.first_guard + op.resume)
                        },
                        // SAFETY: the cell outlives the code, said who compiled it.
                        Opcode::GuardValid => unsafe { (*code.invalid).load(Ordering::Relaxed) != 0 },
                        Opcode::Exit => true,
                        _ => false,
                    };
                    0
                }
            };
            if op.code.is_guard() {
                let guard = code.first_guard + op.resume;
                let forced = !op.code.is_final() && self.forcing.must_fail(guard);
                if fails || forced {
                    values.clear();
                    values.extend(code.live[op.resume as usize].iter().map(|var| words[var.0 as usize]));
                    return Left::Guard(guard);
                }
            }
            words[at] = result;
            at += 1;
        }
    }
}

/// Calls a native function with the words of the operands.
///
/// # Safety
/// The address is that of an `extern "C"` function of so many words that answers two words.
unsafe fn call(address: usize, operands: &[Operand], word: &dyn Fn(Operand) -> u64) -> Answer {
    let mut args = [0u64; MOST_ARGS];
    for (arg, operand) in args.iter_mut().zip(operands) {
        *arg = word(*operand);
    }
    macro_rules! call_with {
        ($($index:literal)*) => {{
            type Function = extern "C" fn($(word_at!($index),)*) -> Answer;
            // SAFETY: the caller vouches for the address. More arguments than the function takes are
            // harmless in the C calling convention: they sit in scratch registers or in the caller's frame.
            let function = unsafe { std::mem::transmute::<usize, Function>(address) };
            function($(args[$index],)*)
        }};
    }
    macro_rules! word_at {
        ($index:literal) => {
            u64
        };
    }
    match operands.len() {
        0..=6 => call_with!(0 1 2 3 4 5),
        7..=16 => call_with!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15),
        _ => call_with!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31
            32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63),
    }
}

fn item(ty: &TypeDescr, index: u64) -> (FieldKind, u64) {
    let kind = ty.items.map_or(FieldKind::Int, |(kind, _)| kind);
    (kind, (ty.fixed_size as u64).wrapping_add(index.wrapping_mul(kind.size() as u64)))
}

/// # Safety
/// There is a place of this kind at that offset of the object.
unsafe fn load(kind: FieldKind, object: u64, offset: u64) -> u64 {
    let address = object.wrapping_add(offset);
    match kind {
        // SAFETY: the caller's promise.
        FieldKind::Byte => unsafe { (address as *const u8).read() as u64 },
        // SAFETY: the caller's promise.
        _ => unsafe { (address as *const u64).read() },
    }
}

/// Tells the collector of an old object that may get references.
///
/// # Safety
/// The object exists; the context is valid.
unsafe fn barrier(context: *mut Context, kind: FieldKind, object: u64) {
    if !matches!(kind, FieldKind::Ref | FieldKind::Value) {
        return;
    }
    // SAFETY: the caller's promise; every object has a header.
    unsafe {
        if (object.wrapping_add(FLAGS as u64) as *const u8).read() & OLD != 0 {
            ((*context).remember)(object as *mut u8);
        }
    }
}

/// # Safety
/// There is a place of this kind at that offset of the object; the context is valid.
unsafe fn store(context: *mut Context, kind: FieldKind, object: u64, offset: u64, word: u64) {
    let address = object.wrapping_add(offset);
    let reference = match kind {
        FieldKind::Ref => word != 0,
        FieldKind::Value => word & TAG_MASK == REF_TAG,
        _ => false,
    };
    if reference {
        // SAFETY: the caller's promise.
        unsafe { barrier(context, kind, object) };
    }
    match kind {
        // SAFETY: the caller's promise.
        FieldKind::Byte => unsafe { (address as *mut u8).write(word as u8) },
        // SAFETY: the caller's promise.
        _ => unsafe { (address as *mut u64).write(word) },
    }
}

/// Size and header of an object with so many items.
pub(crate) fn layout(ty: &TypeDescr, items: u64) -> (usize, u64) {
    let item = ty.items.map_or(0, |(kind, _)| kind.size() as usize);
    let size = (ty.fixed_size as usize + items as usize * item).next_multiple_of(8);
    (size, ty.id as u64 | items << 32)
}

/// Memory for an object with this header and for the rest of its run.
///
/// # Safety
/// The context is valid; the objects lie in `size` bytes.
unsafe fn allocate(context: *mut Context, size: usize, header: u64, rest: &[Member]) -> u64 {
    // SAFETY: the caller's promise; the region is this thread's own.
    unsafe {
        let header_bits = (*context).header_bits;
        let first = Member { offset: 0, header };
        let mut object = 0;
        let bump = (*context).bump;
        if size <= MAX_BUMP && size <= (*bump).limit - (*bump).cursor {
            object = (*bump).cursor;
            (*bump).cursor = object + size;
        }
        if object == 0 {
            object = ((*context).alloc)((*context).heap, header | header_bits, size) as usize;
            if rest.is_empty() {
                return object as u64;
            }
        }
        for member in [first].iter().chain(rest) {
            let address = object + member.offset;
            (address as *mut u64).write(member.header | header_bits);
        }
        object as u64
    }
}
