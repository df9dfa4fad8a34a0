//! Random loops over inductions, at the ends of the word and of tagged integers: what the optimised trace
//! comes to is what the recorded one, iterated, comes to. A guard that was moved out of the loop wrongly
//! lets the loop run past the iteration where it had to stop.
//!
//! `HOTLOOP_RANDOM_CASES` says how many loops, `HOTLOOP_RANDOM_SEED` which one is the first.

use hotloop_codegen::{Context, Entry, Eval, Options as EvalOptions, Request, Target};
use hotloop_ir::pure::{evaluate, overflows};
use hotloop_ir::{Class, Desc, Op, Opcode, Operand, Trace, Ty, verify};
use hotloop_opt::{Options, optimize};

const CASES: u64 = 4000;
const INPUTS: usize = 6;
/// Loops that go on for longer are not looked at.
const MOST_ROUNDS: usize = 300;

struct Random(u64);

impl Random {
    fn below(&mut self, count: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 24) % count
    }

    fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }

    /// Small, or at an end.
    fn word(&mut self, tagged: bool) -> i64 {
        let small = self.below(40) as i64 - 8;
        let word = match self.below(10) {
            0 | 1 => i64::MAX.wrapping_sub(self.below(60) as i64),
            2 => i64::MIN + self.below(60) as i64,
            3 => (1 << 60) - small,
            4 => (i64::MAX / 3).wrapping_add(small),
            5 => small * 1_000_000_007,
            _ => small,
        };
        match (tagged, word.checked_mul(8)) {
            (true, Some(shifted)) => shifted,
            (true, None) => word & !7,
            (false, _) => word,
        }
    }
}

/// Makes a recorded trace, evaluating its first iteration along.
struct Maker {
    trace: Trace,
    values: Vec<u64>,
    /// What operations may take.
    pool: Vec<Operand>,
}

impl Maker {
    fn word(&self, operand: Operand) -> u64 {
        match operand.as_var() {
            Some(var) => self.values[var.0 as usize],
            None => self.trace.const_of(operand).expect("a constant").bits,
        }
    }

    fn push(&mut self, op: Op) -> Operand {
        let word = |index: usize| op.operands().get(index).map_or(0, |operand| self.word(*operand));
        let value = match op.code.class() {
            Class::Pure | Class::PureGuard => evaluate(op.code, word(0), word(1), word(2)),
            _ => 0,
        };
        self.values.push(value);
        self.trace.push(op).into()
    }

    fn constant(&mut self, word: i64) -> Operand {
        self.trace.push_const(Ty::Int, word as u64)
    }

    fn pure(&mut self, code: Opcode, a: Operand, b: Operand) -> Operand {
        self.push(Op::new(code, &[a, b]))
    }

    /// The checked operation, or the plain one where it overflows already.
    fn checked(&mut self, checked: bool, code: Opcode, a: Operand, b: Operand) -> Operand {
        let guard = match code {
            Opcode::IntAdd => Opcode::IntAddOvf,
            Opcode::IntSub => Opcode::IntSubOvf,
            _ => Opcode::IntMulOvf,
        };
        if !checked || overflows(guard, self.word(a), self.word(b)) {
            return self.pure(code, a, b);
        }
        let mut op = Op::new(guard, &[a, b]);
        op.resume = 0;
        self.push(op)
    }

    fn guard(&mut self, condition: Operand) {
        let code = if self.word(condition) != 0 { Opcode::GuardTrue } else { Opcode::GuardFalse };
        let mut op = Op::new(code, &[condition]);
        op.resume = 0;
        self.push(op);
    }

    fn step(&mut self, random: &mut Random, tagged: bool) {
        use Opcode::*;
        let (a, b) = (random.pick(&self.pool.clone()), random.pick(&self.pool.clone()));
        let made = match random.below(12) {
            0..=4 => {
                let code = random.pick(&[IntAdd, IntSub, IntMul]);
                let checked = random.below(4) > 0;
                self.checked(checked, code, a, b)
            }
            5 | 6 => {
                let word = random.word(tagged);
                let constant = self.constant(word);
                let code = random.pick(&[IntAdd, IntSub, IntMul]);
                self.checked(true, code, a, constant)
            }
            7 => {
                let count = self.constant(3);
                let code = random.pick(&[IntSar, IntShl]);
                self.pure(code, a, count)
            }
            8 => {
                let mask = self.constant(7);
                let low = self.pure(IntAnd, a, mask);
                let zero = self.constant(0);
                let is = self.pure(IntEq, low, zero);
                self.guard(is);
                return;
            }
            _ => {
                let code =
                    random.pick(&[IntLt, IntLe, UintLt, IntLt, IntEq, UintLe, IntAddWraps, IntMulWraps]);
                let word = random.word(tagged);
                let other = if random.below(2) == 0 { b } else { self.constant(word) };
                let (a, b) = if random.below(2) == 0 { (a, other) } else { (other, a) };
                let compared = self.pure(code, a, b);
                self.guard(compared);
                return;
            }
        };
        self.pool.push(made);
    }
}

/// A loop: a recorded trace and the inputs of its first iteration.
fn make(random: &mut Random) -> (Trace, Vec<u64>) {
    use Opcode::*;
    let tagged = random.below(2) == 0;
    let unit = if tagged { 8 } else { 1 };
    let mut trace = Trace::new();
    let steps = [1, 1, 1, 2, 3, -1, -1, -5, 4, 7];
    let step = random.pick(&steps) * unit;
    let start = random.word(tagged);
    let rounds = random.below(30) as i64;
    let bound =
        start.wrapping_add(rounds.wrapping_mul(step)).wrapping_add(random.pick(&[0, 0, 0, 1, -1, unit]));
    let mut inputs = vec![start as u64, bound as u64];
    inputs.extend((2..INPUTS).map(|_| random.word(tagged) as u64));
    // The step is a constant or an invariant.
    let variable = random.below(5) == 0;
    // It is added, or its opposite is subtracted.
    let subtracted = random.below(3) == 0;
    let amount = if subtracted { -step } else { step };
    if variable {
        inputs[INPUTS - 1] = amount as u64;
    }
    let vars: Vec<Operand> = inputs.iter().map(|_| trace.push(Op::new(Input, &[])).into()).collect();
    let mut maker = Maker { trace, values: inputs.clone(), pool: vars.clone() };
    let mut instr = Op::new(Instr, &[]);
    instr.descr = 0;
    maker.trace.instrs.push(hotloop_ir::Instr { position: 0, state: vars.clone(), first_event: 0 });
    maker.push(instr);
    let mut poll = Op::new(GuardNoInterrupt, &[]);
    poll.resume = 0;
    maker.push(poll);
    let (i, n) = (vars[0], vars[1]);
    let amount = if variable { vars[INPUTS - 1] } else { maker.constant(amount) };
    let counted = |maker: &mut Maker, random: &mut Random| {
        let checked = random.below(3) > 0;
        match (subtracted, random.below(4)) {
            (true, _) => maker.checked(checked, IntSub, i, amount),
            (false, 0) => maker.checked(checked, IntAdd, amount, i),
            (false, _) => maker.checked(checked, IntAdd, i, amount),
        }
    };
    let condition = |maker: &mut Maker, random: &mut Random, i: Operand| {
        let code = random.pick(&[IntLt, IntLe, IntLt, UintLt, IntNe]);
        let (a, b) = if (step > 0) == (random.below(8) > 0) { (i, n) } else { (n, i) };
        let compared = maker.pure(code, a, b);
        maker.guard(compared);
    };
    // The condition at the start, at the end, or somewhere.
    let place = random.pick(&[0, 0, 0, 1, 2]);
    let count = random.below(7) + 1;
    let middle = random.below(count);
    let mut next = None;
    for number in 0..count {
        if place == 0 && number == 0 || place == 1 && number == middle {
            condition(&mut maker, random, i);
        }
        maker.step(random, tagged);
        if place == 2 && number == middle {
            let counted = counted(&mut maker, random);
            condition(&mut maker, random, counted);
            next = Some(counted);
        }
    }
    let next = match next {
        Some(next) => next,
        None => counted(&mut maker, random),
    };
    let mut back = vars.clone();
    back[0] = next;
    for slot in back.iter_mut().skip(1) {
        match random.below(8) {
            0 => {
                let word = random.pick(&[1, 2, 3, -1, 8, 24, -8, 16, 0]);
                let amount = maker.constant(word);
                let checked = random.below(3) > 0;
                let code = random.pick(&[IntAdd, IntAdd, IntSub]);
                *slot = maker.checked(checked, code, *slot, amount);
            }
            2 => {
                // By a step that is no constant, perhaps from the other side.
                let (code, checked) = (random.pick(&[IntAdd, IntSub]), random.below(3) > 0);
                let step = vars[INPUTS - 1];
                let (a, b) = if random.below(3) == 0 { (step, *slot) } else { (*slot, step) };
                *slot = maker.checked(checked, code, a, b);
            }
            1 => *slot = random.pick(&maker.pool.clone()),
            _ => {}
        }
    }
    let list = maker.trace.push_list(back);
    let mut end = Op::new(Loop, &[]);
    end.list = list;
    maker.push(end);
    (maker.trace, inputs)
}

/// What a loop comes to: the state as its last iteration began, and the guard that failed.
type Outcome = (Vec<u64>, usize);

/// Iterates the recorded trace. `None`: for too long.
fn iterate(trace: &Trace, mut state: Vec<u64>) -> Option<Outcome> {
    let mut values = vec![0; trace.ops.len()];
    for _ in 0..MOST_ROUNDS {
        values[..INPUTS].copy_from_slice(&state);
        for (at, op) in trace.ops.iter().enumerate().skip(INPUTS) {
            let word = |index: usize| match op.operands().get(index) {
                Some(operand) => word_of(trace, &values, *operand),
                None => 0,
            };
            let holds = match op.code {
                Opcode::GuardTrue => word(0) != 0,
                Opcode::GuardFalse => word(0) == 0,
                code if code.class() == Class::PureGuard => !overflows(code, word(0), word(1)),
                _ => true,
            };
            if !holds {
                return Some((state, at));
            }
            if matches!(op.code.class(), Class::Pure | Class::PureGuard) {
                values[at] = evaluate(op.code, word(0), word(1), word(2));
            }
        }
        let back = trace.list(trace.ops[trace.ops.len() - 1].list);
        state = back.iter().map(|operand| word_of(trace, &values, *operand)).collect();
    }
    None
}

fn word_of(trace: &Trace, values: &[u64], operand: Operand) -> u64 {
    match operand.as_var() {
        Some(var) => values[var.0 as usize],
        None => trace.const_of(operand).expect("a constant").bits,
    }
}

/// The value of a description at an exit.
fn described(trace: &Trace, values: &[u64], desc: &Desc) -> u64 {
    match desc {
        Desc::Operand(operand) => word_of(trace, values, *operand),
        Desc::Expr(expr) => {
            let word = |index: usize| expr.1.get(index).map_or(0, |arg| described(trace, values, arg));
            evaluate(expr.0, word(0), word(1), word(2))
        }
        _ => 0,
    }
}

struct Ran {
    outcome: Option<Outcome>,
    /// The guard stood before the label.
    early: bool,
}

/// Runs the optimised trace once, and iterates on from where it was left.
fn run(recorded: &Trace, optimized: &Trace, state: &[u64]) -> Result<Ran, String> {
    let eval = Eval::new(EvalOptions::default());
    let request = Request { entry: Entry::Fresh, first_guard: 0, invalid: std::ptr::null() };
    let code = eval.compile(optimized, &request).map_err(|error| error.to_string())?;
    // A loop that never ends shows as one that ends elsewhere.
    eval.set_force(None, Some(20_000));
    let mut context = Context::new(std::ptr::null(), no_allocation);
    let mut live = Vec::new();
    // SAFETY: the trace touches no memory and calls nothing.
    let guard = unsafe { eval.run(code, &mut context, state, &mut live) };
    let resume = &optimized.resumes[guard as usize];
    let mut values = vec![0; optimized.ops.len()];
    for (var, bits) in resume.live().iter().zip(&live) {
        values[var.0 as usize] = *bits;
        for (_, fact) in resume.facts.iter().filter(|(known, _)| known == var) {
            if !fact.admits(*bits) {
                return Err(format!("guard {guard}: {var:?} is {bits:#x}, which `{fact}` excludes"));
            }
        }
    }
    let left: Vec<u64> = resume.state.iter().map(|desc| described(optimized, &values, desc)).collect();
    let at = optimized.ops.iter().position(|op| op.code.is_guard() && op.resume == guard);
    Ok(Ran { outcome: iterate(recorded, left), early: at < optimized.label() })
}

extern "C" fn no_allocation(_: *const (), _: u64, _: usize) -> *mut u8 {
    unreachable!("the traces allocate nothing")
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn moved_guards_make_no_difference() {
    let (first, cases) = (number("HOTLOOP_RANDOM_SEED", 1), number("HOTLOOP_RANDOM_CASES", CASES));
    let (mut hoisted, mut gone, mut early, mut late, mut contradictions) = (0, 0, 0, 0, 0);
    for seed in first..first + cases {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let (recorded, inputs) = make(&mut random);
        verify::verify(&recorded).unwrap_or_else(|error| panic!("seed {seed}: {error}\n{recorded}"));
        let Ok(optimized) = optimize(&recorded, &Options::default()) else {
            contradictions += 1;
            continue;
        };
        verify::verify(&optimized).unwrap_or_else(|error| panic!("seed {seed}: {error}\n{optimized}"));
        let moved = optimized.ops.iter().any(|op| op.code == Opcode::Hoisted);
        hoisted += u64::from(moved);
        if moved {
            let plain = optimize(&recorded, &Options { hoist: false, ..Options::default() });
            let body = |trace: &Trace| {
                let label = trace.label().unwrap_or_default();
                trace.ops[label..].iter().filter(|op| op.code.is_guard()).count()
            };
            gone += plain.map_or(0, |plain| body(&plain).saturating_sub(body(&optimized)));
        }
        // The inputs it was recorded with, and others.
        let mut states = vec![inputs.clone()];
        for _ in 0..12 {
            let mut state = states[0].clone();
            for _ in 0..=random.below(2) {
                let at = random.below(INPUTS as u64) as usize;
                let word = random.word(false);
                state[at] = match random.below(3) {
                    0 => word as u64,
                    1 => state[at].wrapping_add((random.below(80) as i64 - 40) as u64),
                    _ => state[at].wrapping_add((random.below(20) as i64 * 8 - 80) as u64),
                };
            }
            states.push(state);
        }
        for state in states {
            let Some(expected) = iterate(&recorded, state.clone()) else { continue };
            let ran = run(&recorded, &optimized, &state);
            let right = ran.as_ref().is_ok_and(|ran| ran.outcome.as_ref() == Some(&expected));
            if let (Ok(ran), true) = (&ran, moved) {
                if ran.early { early += 1 } else { late += 1 }
            }
            let found = ran.map(|ran| ran.outcome);
            assert!(
                right,
                "seed {seed}, from {state:x?}\n{found:x?}\nexpected {expected:x?}\n{recorded}\n{optimized}"
            );
        }
    }
    println!(
        "{cases} loops, {hoisted} with {gone} guards moved, left before the label {early} times, behind it {late} \
         times; {contradictions} contradictions"
    );
    assert!(hoisted * 8 > cases && late > 0 && early > 0);
}
