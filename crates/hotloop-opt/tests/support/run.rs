//! Runs a program directly, and with its loop as a trace: recorded naively, optimised, evaluated; at each
//! exit the state is rebuilt from the resume data and the instruction replayed, or a bridge recorded.

use std::sync::atomic::AtomicU32;

use hotloop_codegen::{CodeId, Context, Entry, Eval, Options as EvalOptions, Request, Target};
use hotloop_ir::{
    Desc, Fact, Feed, FieldKind, ObjectKind, Opcode, Operand, Place, Resume, Trace, Ty, Var, verify,
};
use hotloop_opt::{Label, Optimized, Options, ToLabel, Ways, optimize_for};

use super::language::{Program, Registers, step};
use super::machine::{Entry as LogEntry, Fed, Machine, Red};
use super::memory::{World, allocate_for_trace, canon, kit, load_slot, type_of};

/// How a program is run.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    pub optimize: bool,
    pub peel: bool,
    pub hoist: bool,
    pub break_rule: Option<u32>,
    /// About every 2k-th guard fails.
    pub every: Option<u64>,
    /// In which iteration the loop is recorded.
    pub record_at: u32,
    /// Bridges are recorded, of at most so many instructions.
    pub bridges: Option<u32>,
}

/// What a run comes to.
#[derive(PartialEq, Eq, Debug)]
pub struct Outcome {
    pub seen: Vec<u64>,
    pub state: Vec<u64>,
}

/// What a run of traces did, for statistics.
#[derive(Clone, Copy, Default, Debug)]
pub struct Counts {
    pub loops: u64,
    pub bridges: u64,
    /// Bridges that end at the loop's label.
    pub labels: u64,
    pub exits: u64,
    pub contradictions: u64,
}

fn outcome(program: &Program, world: &World, registers: &Registers) -> Outcome {
    let mut roots = registers.roots();
    roots.push((FieldKind::Ref, world.frame));
    roots.extend(world.globals.iter().map(|object| (FieldKind::Ref, *object)));
    let state = canon(&roots, program.code[0].live);
    Outcome { seen: world.log.borrow().clone(), state }
}

/// The outcome without traces.
pub fn run_direct(program: &Program) -> Outcome {
    let world = World::new(program.always_live());
    let mut registers = Registers::new(program, &world);
    let mut at = 0;
    while !step(program, at, &mut Machine::default(), &world, &mut registers) {
        at = (at + 1) % program.code.len();
    }
    outcome(program, &world, &registers)
}

struct Compiled {
    trace: Trace,
    label: Option<Label>,
    /// Index and code of the loop, and what each guard's bridges are told of.
    root: (usize, CodeId),
    first_guard: u32,
    invalid: Box<AtomicU32>,
}

struct Driver<'a> {
    program: &'a Program,
    config: Config,
    world: Box<World>,
    eval: Eval,
    compiled: Vec<Compiled>,
    failures: Vec<u32>,
    /// Code and index of the loop.
    entry: Option<(CodeId, usize)>,
    texts: Vec<String>,
    counts: Counts,
    entries: u64,
}

/// Where the program stands.
struct At {
    pc: usize,
    registers: Registers,
    done: bool,
}

/// The outcome with traces.
///
/// # Errors
/// What is wrong with the traces, which are appended.
pub fn run_traced(program: &Program, config: Config) -> (Result<Outcome, String>, Counts) {
    let eval = Eval::new(EvalOptions::default());
    let world = World::new(program.always_live());
    let mut driver = Driver {
        program,
        config,
        world,
        eval,
        compiled: Vec::new(),
        failures: Vec::new(),
        entry: None,
        texts: Vec::new(),
        counts: Counts::default(),
        entries: 0,
    };
    let result = driver.run().map_err(|error| format!("{error}\n{}", driver.texts.join("\n")));
    (result, driver.counts)
}

/// The traces of a run as text, whatever becomes of it.
pub fn traces(program: &Program, config: Config) -> String {
    let eval = Eval::new(EvalOptions::default());
    let world = World::new(program.always_live());
    let (compiled, failures, texts) = (Vec::new(), Vec::new(), Vec::new());
    let counts = Counts::default();
    let mut driver =
        Driver { program, config, world, eval, compiled, failures, entry: None, texts, counts, entries: 0 };
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| driver.run()));
    driver.texts.join("\n")
}

impl Driver<'_> {
    fn run(&mut self) -> Result<Outcome, String> {
        let mut at = At { pc: 0, registers: Registers::new(self.program, &self.world), done: false };
        let mut heads = 0;
        while !at.done {
            if at.pc == 0 {
                heads += 1;
                if heads == self.config.record_at {
                    at = self.record_loop(at)?;
                    continue;
                }
                if let Some((code, index)) = self.entry
                    && *self.compiled[index].invalid.get_mut() == 0
                {
                    at = self.enter(code, at)?;
                    continue;
                }
            }
            at.done = step(self.program, at.pc, &mut Machine::default(), &self.world, &mut at.registers);
            at.pc = (at.pc + 1) % self.program.code.len();
        }
        Ok(outcome(self.program, &self.world, &at.registers))
    }

    /// The slots of the frame that the loop's inputs carry.
    fn slots(&self) -> Vec<usize> {
        let fields = kit().frame.get().fields.len();
        (1..fields + self.program.code[0].live as usize).collect()
    }

    fn enter(&mut self, code: CodeId, at: At) -> Result<At, String> {
        let mut inputs: Vec<u64> = at.registers.state().iter().map(|(red, _)| red.bits).collect();
        let slots = self.slots();
        inputs.extend(slots.iter().map(|slot| load_slot(self.world.frame, kit().frame, *slot)));
        if let Some(every) = self.config.every {
            // Not always the same one: a trace is entered anew after each failure.
            self.entries += 1;
            let mixed = (self.entries ^ every << 20).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
            self.eval.set_force(None, Some(1 + mixed % (4 * every)));
        }
        let mut context = Context::new(std::ptr::null(), allocate_for_trace);
        let mut values = Vec::new();
        // SAFETY: the trace was recorded from this program, whose operations check what they touch.
        let guard = unsafe { self.eval.run(code, &mut context, &inputs, &mut values) };
        self.leave(guard, &values)
    }

    fn record_loop(&mut self, at: At) -> Result<At, String> {
        let mut machine = Machine::recording();
        let state: Vec<Red> =
            at.registers.state().iter().map(|(red, ty)| machine.input(*ty, red.bits, Fact::ANY)).collect();
        let registers = Registers::from_state(&state);
        let ty = kit().frame;
        let mut held = vec![None; ty.get().fields.len() + super::language::MOST_LIVE as usize];
        for slot in self.slots() {
            let bits = load_slot(self.world.frame, ty, slot);
            held[slot] = Some(machine.input(ty.get().slot(slot).1.ty(), bits, Fact::ANY));
        }
        machine.virtualizable(registers.frame, ty, &held);
        self.record(machine, At { registers, ..at }, None)
    }

    /// Records until the loop's head comes again, or for so many instructions.
    fn record(&mut self, mut machine: Machine, mut at: At, bridge: Option<u32>) -> Result<At, String> {
        let mut count = 0;
        let whole = loop {
            self.begin(&mut machine, &at);
            if count == 0 && bridge.is_none() {
                machine.bare_guard(Opcode::GuardValid);
                machine.bare_guard(Opcode::GuardNoInterrupt);
            }
            at.done = step(self.program, at.pc, &mut machine, &self.world, &mut at.registers);
            if !machine.feed.is_empty() {
                return Err(format!("the log was not used up: {:?}", machine.feed));
            }
            if at.done {
                break false;
            }
            at.pc = (at.pc + 1) % self.program.code.len();
            count += 1;
            if at.pc == 0 {
                match (bridge, self.entry) {
                    (None, _) => self.finish(&mut machine, &at, Opcode::Loop, 0),
                    (Some(_), Some((code, _))) => {
                        self.begin(&mut machine, &at);
                        self.finish(&mut machine, &at, Opcode::Enter, code.0);
                    }
                    _ => break false,
                }
                break true;
            }
            if bridge.is_some() && Some(count) == self.config.bridges {
                self.begin(&mut machine, &at);
                machine.finish(Opcode::Exit, 0, &[]);
                break true;
            }
        };
        if whole && let Some(recorded) = machine.trace.take() {
            self.compile(&recorded, bridge)?;
        }
        // From here on, words are just words.
        let words: Vec<Red> = at.registers.state().iter().map(|(red, _)| Red::constant(red.bits)).collect();
        at.registers = Registers::from_state(&words);
        Ok(at)
    }

    fn begin(&self, machine: &mut Machine, at: &At) {
        let live = self.program.code[at.pc].live;
        machine.begin(at.pc as u32, at.registers.frame, live, &at.registers.state());
    }

    fn finish(&self, machine: &mut Machine, at: &At, code: Opcode, descr: u32) {
        let ty = kit().frame;
        let mut args = at.registers.state();
        for slot in self.slots() {
            args.push((machine.slot(at.registers.frame, ty, slot), ty.get().slot(slot).1.ty()));
        }
        machine.finish(code, descr, &args);
    }

    fn compile(&mut self, recorded: &Trace, bridge: Option<u32>) -> Result<(), String> {
        self.texts.push(format!("--- recorded, bridge of {bridge:?}\n{recorded}"));
        verify::verify(recorded).map_err(|error| format!("the test's recorder: {error}"))?;
        let Config { optimize: optimized, peel, hoist, break_rule, .. } = self.config;
        let mut options =
            Options { optimize: optimized, peel, hoist, label: optimized, break_rule, ..Options::default() };
        let parent = bridge.and_then(|guard| {
            let index = self.compiled.iter().rposition(|compiled| compiled.first_guard <= guard)?;
            let number = (guard - self.compiled[index].first_guard) as usize;
            let resume = &self.compiled[index].trace.resumes[number];
            let live = resume.live();
            let input = |operand: &Operand| {
                let index = live.iter().position(|known| Some(*known) == operand.as_var())?;
                Some(Operand::var(Var(index as u32)))
            };
            let kept = resume.kept.iter().map(input).collect::<Option<Vec<Operand>>>()?;
            Some((self.compiled[index].root, kept))
        });
        let target = parent.as_ref().and_then(|((root, code), kept)| {
            Some(ToLabel { label: self.compiled[*root].label.as_ref()?, code: code.0, kept })
        });
        let ways = Ways { label: target, versions: &[] };
        let mut result = optimize_for(recorded, &options, ways);
        if result.is_err() && bridge.is_none() && peel {
            // The body may be dead code. The recorded iteration can't be.
            self.counts.contradictions += 1;
            options.peel = false;
            result = optimize_for(recorded, &options, ways);
        }
        let Optimized { trace, label, .. } =
            result.map_err(|_| "a contradiction in what was executed".to_string())?;
        self.texts.push(format!("--- optimised\n{trace}"));
        verify::verify(&trace).map_err(|error| format!("the optimised trace: {error}"))?;
        let first_guard = self.failures.len() as u32;
        let invalid = Box::new(AtomicU32::new(0));
        let entry = bridge.map_or(Entry::Fresh, |guard| Entry::Bridge { guard });
        let request = Request { entry, first_guard, invalid: &*invalid };
        let code = self.eval.compile(&trace, &request).map_err(|error| error.to_string())?;
        for (object, _) in &trace.stable {
            self.world.watched.borrow_mut().push((*object, &*invalid));
        }
        self.failures.resize(self.failures.len() + trace.resumes.len(), 0);
        if bridge.is_none() {
            self.entry = Some((code, self.compiled.len()));
            self.counts.loops += 1;
        } else {
            self.counts.bridges += 1;
        }
        self.counts.labels += u64::from(trace.ops.last().is_some_and(|op| op.code == Opcode::EnterLabel));
        let root = parent.map_or((self.compiled.len(), code), |(root, _)| root);
        self.compiled.push(Compiled { trace, label, root, first_guard, invalid });
        Ok(())
    }

    fn leave(&mut self, guard: u32, values: &[u64]) -> Result<At, String> {
        self.counts.exits += 1;
        self.failures[guard as usize] += 1;
        let index = self.compiled.iter().rposition(|compiled| compiled.first_guard <= guard);
        let index = index.ok_or("there is no such guard")?;
        let number = guard - self.compiled[index].first_guard;
        let trace = self.compiled[index].trace.clone();
        let resume = &trace.resumes[number as usize];
        check_facts(&trace, resume, values)
            .map_err(|error| format!("resume {number} of {index}: {error}"))?;
        let op = trace.ops.iter().find(|op| op.code.is_guard() && op.resume == number);
        let for_good = op
            .is_none_or(|op| matches!(op.code, Opcode::Exit | Opcode::GuardValid | Opcode::GuardNoInterrupt));
        let hot = self.failures[guard as usize] == 2 && self.config.bridges.is_some();
        let record = hot && !for_good && *self.compiled[index].invalid.get_mut() == 0;
        let mut machine = if record { Machine::recording() } else { Machine::default() };
        let live = resume.live();
        let reds: Vec<(Var, Red)> = live
            .iter()
            .zip(values)
            .map(|(var, bits)| {
                let red = match record {
                    true => {
                        let ty = trace.operand_type((*var).into()).unwrap_or(Ty::Int);
                        let fact = resume.facts.iter().find(|(known, _)| known == var);
                        machine.input(ty, *bits, fact.map_or(Fact::ANY, |(_, fact)| *fact))
                    }
                    false => Red::constant(*bits),
                };
                (*var, red)
            })
            .collect();
        let mut rebuilder =
            Rebuilder { trace: &trace, live: reds, objects: Vec::new(), machine: &mut machine };
        rebuilder.objects(resume, &self.world);
        rebuilder.stores(resume);
        let state: Vec<Red> = resume.state.iter().map(|desc| rebuilder.value(desc)).collect();
        let feed: Vec<LogEntry> = resume.log.iter().map(|entry| rebuilder.entry(entry)).collect();
        machine.feed = feed.into();
        let mut at =
            At { pc: resume.position as usize, registers: Registers::from_state(&state), done: false };
        if record {
            return self.record(machine, at, Some(guard));
        }
        at.done = step(self.program, at.pc, &mut machine, &self.world, &mut at.registers);
        if !machine.feed.is_empty() {
            return Err(format!("resume {number} of trace {index}: log left over: {:?}", machine.feed));
        }
        at.pc = (at.pc + 1) % self.program.code.len();
        Ok(at)
    }
}

/// What the trace claims of its values at an exit must be true.
fn check_facts(trace: &Trace, resume: &Resume, values: &[u64]) -> Result<(), String> {
    for (var, bits) in resume.live().iter().zip(values) {
        let ty = trace.operand_type((*var).into());
        for (_, fact) in resume.facts.iter().filter(|(known, _)| known == var) {
            let object = match ty {
                Some(Ty::Ref) => Some(*bits),
                Some(Ty::Int) => Some(bits.wrapping_sub(2)),
                _ => None,
            };
            let right = match (fact.heap_type, object) {
                (Some(_), Some(0)) => false,
                (Some(wanted), Some(object)) => type_of(object).0 == wanted,
                (wanted, _) => wanted.is_none(),
            };
            if !right || !fact.admits(*bits) {
                return Err(format!("{var:?} is {bits:#x}, which the fact `{fact}` excludes"));
            }
        }
    }
    Ok(())
}

/// From resume data to red words.
struct Rebuilder<'a> {
    trace: &'a Trace,
    live: Vec<(Var, Red)>,
    objects: Vec<Red>,
    machine: &'a mut Machine,
}

impl Rebuilder<'_> {
    fn operand(&self, operand: Operand) -> Red {
        match operand.as_var() {
            Some(var) => self.live.iter().find(|(known, _)| *known == var).expect("a live variable").1,
            None => Red::constant(self.trace.const_of(operand).map_or(0, |constant| constant.bits)),
        }
    }

    fn value(&mut self, desc: &Desc) -> Red {
        match desc {
            Desc::Operand(operand) => self.operand(*operand),
            Desc::Object(index) => self.objects[*index as usize],
            Desc::Expr(expr) => {
                let args: Vec<Red> = expr.1.iter().map(|arg| self.value(arg)).collect();
                self.machine.pure(expr.0, &args)
            }
            Desc::Dead | Desc::Keep => Red::constant(0),
        }
    }

    fn objects(&mut self, resume: &Resume, world: &World) {
        for object in resume.objects.iter() {
            let length = match &object.kind {
                ObjectKind::Virtual(items) => Some(Red::constant(*items as u64)),
                ObjectKind::Joined(length, _) => Some(self.value(length)),
                ObjectKind::Existing(_) => None,
            };
            let red = match (&object.kind, length) {
                (ObjectKind::Existing(operand), _) => self.operand(*operand),
                (_, length) => {
                    let length = length.unwrap_or(Red::constant(0));
                    let bits = world.allocate(object.ty, length.bits as u32);
                    if self.machine.trace.is_some() {
                        self.machine.emit_new(object.ty, length, bits)
                    } else {
                        Red::constant(bits)
                    }
                }
            };
            self.objects.push(red);
        }
        for (index, object) in resume.objects.iter().enumerate() {
            let red = self.objects[index];
            let fresh = !matches!(object.kind, ObjectKind::Existing(_));
            let mut slots = Vec::new();
            for (slot, desc) in object.slots.iter().enumerate() {
                let value = match desc {
                    Desc::Keep => None,
                    Desc::Dead => {
                        super::memory::store_slot(red.bits, object.ty, slot, 0);
                        None
                    }
                    desc => Some(self.value(desc)),
                };
                if let Some(value) = value {
                    super::memory::store_slot(red.bits, object.ty, slot, value.bits);
                    if fresh {
                        self.machine.emit_store(red, object.ty, slot, value);
                    }
                }
                slots.push(value);
            }
            if let ObjectKind::Joined(_, runs) = &object.kind {
                for run in runs {
                    let from = (self.value(&run.from), run.ty, self.value(&run.at));
                    let to = (red, object.ty, self.value(&run.to));
                    let count = self.value(&run.count);
                    self.machine.copy_now(from, to, count);
                }
            }
            if !fresh {
                self.machine.flushed = slots.iter().all(Option::is_none);
                self.machine.virtualizable(red, object.ty, &slots);
            }
        }
    }

    fn stores(&mut self, resume: &Resume) {
        for store in &resume.stores {
            let object = self.value(&store.object);
            let value = self.value(&store.value);
            match &store.place {
                Place::Slot(ty, slot) => self.machine.emit_store(object, *ty, *slot as usize, value),
                Place::Item(..) => unreachable!("the optimizer makes none"),
            }
        }
    }

    fn entry(&mut self, entry: &hotloop_ir::Log) -> LogEntry {
        let fed = match &entry.feed {
            Feed::Skip => Fed::Skip,
            Feed::Result(result) => Fed::Result(self.value(result), Red::constant(0)),
            Feed::Outcome(result, raised) => Fed::Result(self.value(result), self.value(raised)),
        };
        (entry.event, entry.check, fed)
    }
}
