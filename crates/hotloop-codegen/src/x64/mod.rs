//! The x86-64 target (Linux, System V ABI).
//!
//! * `plan`: lifetimes, fused operations, hints; `file`: where values are; `moves`: parallel moves.
//! * `compile`: the walk; `allocate`: who gets which register; `arith`, `float`, `heap`, `call`, `guard`, `control`: the operations.
//! * `asm`: instructions; `glue`: the code all traces share; `memory`: where code lives.
//!
//! Invariants: no borrow of the tables is held while a trace runs; code is only written through the
//! writable mapping; a guard's record stays right as long as its code lives, as code is never moved. Slots of a frame are not
//! cleared, so a dead reference may keep its object alive until the trace is left.

mod allocate;
mod arith;
mod asm;
mod call;
mod compile;
mod control;
#[cfg(feature = "disassembler")]
mod disassemble;
mod entry;
mod file;
mod float;
mod foreign;
mod glue;
mod guard;
mod heap;
mod limit;
mod memory;
mod moves;
mod plan;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::ffi::c_void;
use std::rc::Rc;

use hotloop_ir::{Const, Opcode, Trace};

use self::asm::Asm;
use self::compile::{Compiler, Env, Returns};
use self::control::{Entered, EnteredLabel, Entry as Place};
use self::file::{FRAMES, Loc, frame_size};
use self::glue::{Enter, Glue, Image};
use self::guard::{GuardRecord, STUB_SIZE};
use self::memory::CodeMemory;
use crate::barrier;
use crate::check::check;
use crate::force::Forcing;
use crate::{CodeId, CodegenError, Context, Entry, Exits, Force, OnStack, Options, Request, Site, Target};

/// The native target.
pub struct X64 {
    memory: CodeMemory,
    glue: Glue,
    /// Those that were freed are empty.
    codes: RefCell<Vec<Option<Rc<Code>>>>,
    /// Their numbers.
    unused: RefCell<Vec<u32>>,
    /// The bridge of a guard.
    bridges: RefCell<HashMap<u32, CodeId>>,
    /// Where the stack of the outermost activation begins; 0 if there is none.
    stack: Cell<usize>,
    /// By the number of their first guard.
    guards: RefCell<BTreeMap<u32, Rc<Code>>>,
    /// Boxed: machine code knows the addresses of the counts.
    forcing: Box<Forcing>,
    header_bits: u64,
    bmi2: bool,
}

/// A compiled trace.
struct Code {
    /// Offsets in the region.
    base: usize,
    size: usize,
    entry: usize,
    run_entry: usize,
    stubs: usize,
    entry_locs: Vec<Option<Loc>>,
    /// The label's offset, and all places of the phis and of what is kept there.
    label: Option<(u32, Vec<Vec<Loc>>)>,
    guards: Vec<GuardRecord>,
    /// By resume: the index of its guard.
    by_resume: Vec<u32>,
    locs: Vec<Loc>,
    consts: Vec<Const>,
    first_guard: u32,
    /// The guard whose failure it continues.
    parent: Option<u32>,
    /// Where a `call_entry` comes in, if one may.
    call_entry: Option<usize>,
    /// Its own calls of entries.
    returns: Vec<Returns>,
    /// Spill slots of its frame.
    slots: usize,
}

/// One call of [`Target::execute`].
struct Activation<'a> {
    target: &'a X64,
    exits: &'a mut Exits,
}

impl X64 {
    /// A target without traces.
    ///
    /// # Errors
    /// The system gives no executable memory.
    pub fn new(options: Options) -> Result<X64, CodegenError> {
        let (code, glue) = glue::build(decode as *const () as usize);
        Ok(X64 {
            memory: CodeMemory::new(&code, options.code_limit)?,
            glue,
            codes: RefCell::default(),
            unused: RefCell::default(),
            bridges: RefCell::default(),
            stack: Cell::new(0),
            guards: RefCell::default(),
            forcing: Box::new(Forcing::new(options.force, options.force_every)),
            header_bits: options.header_bits,
            bmi2: std::is_x86_feature_detected!("bmi2"),
        })
    }

    /// The same without instructions that not every x86-64 processor has (BMI2).
    ///
    /// # Errors
    /// As for [`X64::new`].
    pub fn baseline(options: Options) -> Result<X64, CodegenError> {
        Ok(X64 { bmi2: false, ..X64::new(options)? })
    }

    fn code(&self, code: CodeId) -> Rc<Code> {
        self.codes.borrow()[code.0 as usize].clone().expect("the code was not freed")
    }

    /// The code and the record of a guard.
    fn guard(&self, number: u32) -> Option<(Rc<Code>, usize)> {
        let guards = self.guards.borrow();
        let (_, code) = guards.range(..=number).next_back()?;
        let index = *code.by_resume.get((number - code.first_guard) as usize)?;
        (index != plan::NONE).then(|| (code.clone(), index as usize))
    }

    /// The call of an entry that returns to this address.
    fn call_of(&self, address: usize) -> Option<(Rc<Code>, Returns)> {
        let offset = self.memory.offset_of(address)?;
        let codes = self.codes.borrow();
        let mut codes = codes.iter().flatten();
        let code = codes.find(|code| (code.base..code.base + code.size).contains(&offset))?;
        let call = code.returns.iter().find(|call| code.base + call.at as usize == offset)?;
        Some((code.clone(), *call))
    }

    /// Lets a guard go on at an offset of the region when it fails, or leave (`None`).
    fn attach(&self, code: &Code, index: usize, bridge: Option<usize>) {
        let stub = code.base + code.stubs + index * STUB_SIZE;
        let jump = |from: usize| (bridge.unwrap_or(stub) as i64 - from as i64) as i32;
        let mut asm = Asm::default();
        match bridge {
            Some(_) => {
                asm.bytes.push(0xe9);
                asm.bytes.extend(jump(stub + 5).to_le_bytes());
            }
            None => asm.push_imm((code.first_guard + code.guards[index].resume) as i32),
        }
        self.memory.write(stub, &asm.bytes);
        for site in &code.guards[index].sites {
            let at = code.base + *site as usize;
            self.memory.write(at, &jump(at + 4).to_le_bytes());
        }
        self.memory.serialise();
    }
}

impl Target for X64 {
    fn compile(&self, trace: &Trace, request: &Request) -> Result<CodeId, CodegenError> {
        let known = |code: u32| self.codes.borrow().get(code as usize).cloned().flatten();
        let inputs_of = |code: u32| known(code).map(|code| code.entry_locs.len());
        let labels_of = |code: u32| Some(known(code)?.label.as_ref()?.1.len());
        check(trace, &inputs_of, &labels_of)?;
        if request.invalid.is_null() && trace.ops.iter().any(|op| op.code == Opcode::GuardValid) {
            return Err(CodegenError::Malformed("guard_valid without a cell".into()));
        }
        let parent = match request.entry {
            Entry::Fresh => None,
            Entry::Bridge { guard } => Some(
                self.guard(guard)
                    .ok_or_else(|| CodegenError::Malformed(format!("there is no guard {guard}")))?,
            ),
        };
        // A frame grows at its low end, where slots are counted from.
        let found = parent.as_ref().map_or(FRAMES[0], |(code, _)| code.slots);
        let inputs = |more: usize| {
            let (code, index) = parent.as_ref()?;
            let record = &code.guards[*index];
            let locs = &code.locs[record.start as usize..record.end as usize];
            let place = |loc: &Loc| match loc {
                Loc::Const(index) => Place::Known(code.consts[*index as usize].bits),
                Loc::Slot(slot) => Place::At(Loc::Slot(slot + more as u16)),
                loc => Place::At(*loc),
            };
            Some(locs.iter().map(place).collect())
        };
        let mut env = Env {
            slots: found,
            more_slots: 0,
            common_exits: self.glue.common_exits,
            alloc_slow: self.glue.alloc_slow,
            remember: self.glue.remember,
            header_bits: self.header_bits,
            first_guard: request.first_guard,
            invalid: request.invalid as u64,
            bridge: inputs(0),
            enter: &|code| {
                let code = known(code)?;
                Some(Entered {
                    at: code.base + code.entry,
                    call_at: code.call_entry.map(|at| code.base + at),
                    locs: code.entry_locs.clone(),
                    slots: code.slots,
                })
            },
            enter_label: &|code| {
                let code = known(code)?;
                let (at, places) = code.label.as_ref()?;
                let (at, places) = (code.base + *at as usize, places.clone());
                Some(EnteredLabel { at, places, slots: code.slots })
            },
            force: self
                .forcing
                .force
                .get()
                .map(|force| (force.guard, self.forcing.force_left.as_ptr() as u64)),
            force_every: self
                .forcing
                .every
                .get()
                .map(|every| (self.forcing.every_left.as_ptr() as u64, every)),
            bmi2: self.bmi2,
            fence: !barrier::ready(),
        };
        let mut compiler = Compiler::new(trace, &env);
        let mut result = compiler.run();
        for slots in FRAMES.into_iter().filter(|slots| *slots > found) {
            if result != Err(CodegenError::TooManySpills) {
                break;
            }
            let more = if parent.is_some() { slots - found } else { 0 };
            env = Env { slots, more_slots: more, bridge: inputs(more), ..env };
            compiler = Compiler::new(trace, &env);
            result = compiler.run();
        }
        result?;
        let base = self.memory.take(compiler.asm.bytes.len())?;
        compiler.link(base);
        self.memory.write(base, &compiler.asm.bytes);
        let mut by_resume = vec![plan::NONE; trace.resumes.len()];
        for (index, guard) in compiler.guards.iter().enumerate() {
            by_resume[guard.resume as usize] = index as u32;
        }
        let code = Rc::new(Code {
            base,
            size: compiler.asm.bytes.len(),
            entry: compiler.entry as usize,
            run_entry: compiler.run_entry as usize,
            stubs: compiler.stubs as usize,
            entry_locs: std::mem::take(&mut compiler.entry_locs),
            label: compiler.label.take(),
            guards: std::mem::take(&mut compiler.guards),
            by_resume,
            locs: std::mem::take(&mut compiler.locs),
            consts: std::mem::take(&mut compiler.consts),
            first_guard: request.first_guard,
            parent: match request.entry {
                Entry::Fresh => None,
                Entry::Bridge { guard } => Some(guard),
            },
            call_entry: compiler.call_entry.map(|at| at as usize),
            returns: std::mem::take(&mut compiler.returns),
            slots: env.slots,
        });
        if !code.by_resume.is_empty() {
            self.guards.borrow_mut().insert(request.first_guard, code.clone());
        }
        let mut codes = self.codes.borrow_mut();
        let id = CodeId(self.unused.borrow_mut().pop().unwrap_or(codes.len() as u32));
        if id.0 as usize == codes.len() {
            codes.push(None);
        }
        if let (Some((parent, index)), Some(guard)) = (parent, code.parent) {
            self.attach(&parent, index, Some(base));
            self.bridges.borrow_mut().insert(guard, id);
        }
        codes[id.0 as usize] = Some(code);
        // It may stand where other code stood.
        self.memory.serialise();
        Ok(id)
    }

    unsafe fn execute(&self, code: CodeId, context: *mut Context, inputs: &[u64], exits: &mut Exits) {
        let code = self.code(code);
        assert!(inputs.len() >= code.entry_locs.len(), "inputs are missing");
        exits.clear();
        let mut activation = Activation { target: self, exits };
        let start = self.memory.address(code.base + code.run_entry);
        // SAFETY: the glue begins with `enter`, which has this type.
        let enter = unsafe { std::mem::transmute::<usize, Enter>(self.memory.address(self.glue.enter)) };
        let activation: *mut Activation = &mut activation;
        let outermost = self.stack.get() == 0;
        if outermost {
            self.stack.set(activation as usize);
        }
        // SAFETY: the code was compiled from a checked trace; what it reads, writes and calls is the
        // caller's promise. The activation lives until the call is over; the one before comes back after.
        unsafe {
            let before = std::mem::replace(&mut (*context).activation, activation.cast::<c_void>());
            enter(context, start, inputs.as_ptr());
            (*context).activation = before;
        }
        if outermost {
            self.stack.set(0);
        }
    }

    unsafe fn waiting(&self, site: Site, exits: &mut Exits) {
        exits.clear();
        // SAFETY: words of the frames of traces that wait in calls, says the caller.
        let read =
            |address: usize| unsafe { std::ptr::with_exposed_provenance::<u64>(address).read_volatile() };
        let (mut guard, mut frame) = (site.guard as u32, site.frame);
        while let Some((code, index)) = self.guard(guard) {
            let Some((start, end)) = code.guards[index].waiting else { return };
            let word = |loc: &Loc| match *loc {
                Loc::Slot(slot) => read(frame + 8 * slot as usize),
                Loc::Const(index) => code.consts[index as usize].bits,
                // Not while it waits.
                Loc::Reg(_) => 0,
            };
            exits.push(guard, code.locs[start as usize..end as usize].iter().map(word));
            let above = frame + frame_size(code.slots) as usize;
            let Some((caller, call)) = self.call_of(read(above) as usize) else { return };
            (guard, frame) = (caller.first_guard + call.resume, above + 8);
        }
    }

    fn detach(&self, guard: u32) {
        if self.bridges.borrow_mut().remove(&guard).is_some()
            && let Some((code, index)) = self.guard(guard)
        {
            self.attach(&code, index, None);
        }
    }

    /// Any word may be a return address, so some code may be spared that is not running.
    #[inline(never)]
    fn running(&self, suspended: &[&OnStack]) -> Vec<CodeId> {
        let mut found = Vec::new();
        let here = ((&raw const found).addr(), self.stack.get());
        let others = suspended.iter().map(|stack| (stack.low, stack.outermost));
        let stacks: Vec<(usize, usize)> =
            [here].into_iter().chain(others).filter(|(_, outermost)| *outermost != 0).collect();
        if stacks.is_empty() {
            return found;
        }
        let codes = self.codes.borrow();
        let known = codes.iter().enumerate().filter_map(|(id, code)| Some((id, code.as_ref()?)));
        let bases: BTreeMap<usize, (usize, CodeId)> =
            known.map(|(id, code)| (code.base, (code.base + code.size, CodeId(id as u32)))).collect();
        for at in stacks.into_iter().flat_map(|(low, high)| (low.next_multiple_of(8)..high).step_by(8)) {
            // SAFETY: a word of this thread's stack, between this function's frame and that of the
            // outermost `run`, or of a stack that is suspended; all return addresses into code are there.
            let word = unsafe { std::ptr::with_exposed_provenance::<usize>(at).read_volatile() };
            if let Some(offset) = self.memory.offset_of(word)
                && let Some((_, (end, id))) = bases.range(..=offset).next_back()
                && offset <= *end
                && !found.contains(id)
            {
                found.push(*id);
            }
        }
        found
    }

    unsafe fn change_stack(&self, context: *mut Context, other: &mut OnStack) {
        // SAFETY: the caller's promise.
        unsafe { other.exchange(context) };
        other.outermost = self.stack.replace(other.outermost);
    }

    unsafe fn free(&self, id: CodeId) {
        let Some(code) = self.codes.borrow_mut()[id.0 as usize].take() else { return };
        self.unused.borrow_mut().push(id.0);
        if let Some(guard) = code.parent
            && self.bridges.borrow().get(&guard) == Some(&id)
        {
            self.detach(guard);
        }
        if !code.by_resume.is_empty() {
            self.guards.borrow_mut().remove(&code.first_guard);
            let numbers = code.first_guard..code.first_guard + code.by_resume.len() as u32;
            self.bridges.borrow_mut().retain(|guard, _| !numbers.contains(guard));
        }
        self.memory.give(code.base, code.size);
    }

    fn code_size(&self, code: CodeId) -> usize {
        self.code(code).size
    }

    fn address(&self, code: CodeId) -> Option<usize> {
        Some(self.memory.address(self.code(code).base))
    }

    fn disassemble(&self, code: CodeId) -> Option<String> {
        #[cfg(feature = "disassembler")]
        {
            let code = self.code(code);
            let bytes = self.memory.read(code.base, code.size);
            Some(disassemble::listing(&code, &bytes))
        }
        #[cfg(not(feature = "disassembler"))]
        {
            let _ = code;
            None
        }
    }

    fn stub_size(&self) -> usize {
        STUB_SIZE
    }

    fn set_force(&self, force: Option<Force>, every: Option<u64>) {
        self.forcing.set(force, every);
    }
}

/// Called by the common exit while the trace's frame still exists: collects the guard's values.
///
/// # Safety
/// Called by the glue, with the activation that `run` handed in and the image that it has made.
unsafe extern "C" fn decode(activation: *mut c_void, image: *const Image) {
    // SAFETY: `run` waits for the trace and doesn't touch the activation meanwhile.
    let activation = unsafe { &mut *activation.cast::<Activation>() };
    // SAFETY: the image is on the stack, below the frame.
    let image = unsafe { &*image };
    let number = image.guard as u32;
    let Some((code, index)) = activation.target.guard(number) else {
        // Can't happen: stubs are made from records. Unwinding from here is not possible.
        std::process::abort();
    };
    let record = &code.guards[index];
    let word = |loc: &Loc| match *loc {
        Loc::Reg(reg @ 0..16) => image.general[reg as usize],
        Loc::Reg(reg) => image.vector[reg as usize - 16],
        Loc::Slot(slot) => image.slots[slot as usize],
        Loc::Const(index) => code.consts[index as usize].bits,
    };
    let locs = &code.locs[record.start as usize..record.end as usize];
    activation.exits.push(number, locs.iter().map(word));
}
