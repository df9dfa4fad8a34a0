//! The generator of random traces.

use std::rc::Rc;

use hotloop_ir::{
    Desc, EntryCall, FRAME_TOKEN, FieldKind, Op, Opcode, Operand, Resume, Trace, Ty, TypeRef, Var, two_types,
};

mod foreign;
mod label;

use self::label::Label;
use super::memory::{Arena, kit};
use crate::CodeId;

/// A small random number generator (xorshift64*).
pub struct Random(u64);

impl Random {
    /// Started with a seed.
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ 0x9e37_79b9_7f4a_7c15)
    }

    /// Any word.
    pub fn word(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Below a limit.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.word() >> 33) as usize % limit
    }

    /// True in so many of a hundred cases.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// An integer, often a special one.
    pub fn int(&mut self) -> u64 {
        match self.below(4) {
            0 => self.pick(INTS) as u64,
            1 => self.below(64) as u64,
            2 => (self.below(4000) as i64 - 2000) as u64,
            _ => self.word() >> self.below(64),
        }
    }

    /// A float that is a number.
    pub fn float(&mut self) -> f64 {
        self.pick(&[0.0, -0.0, 1.0, -1.5, 1e300, -1e300, 0.1, 1e18, 9.3e18, -9.3e18, f64::INFINITY, 3.75])
    }
}

/// Words at which arithmetic is special.
pub const INTS: &[i64] = &[
    0,
    1,
    -1,
    2,
    7,
    8,
    63,
    64,
    65,
    127,
    128,
    -128,
    255,
    256,
    1 << 31,
    (1 << 31) - 1,
    -(1 << 31),
    1 << 32,
    i64::MAX,
    i64::MIN,
    i64::MAX - 1,
    i64::MIN + 1,
    1 << 62,
    1 << 60,
    -3,
    10,
];

/// Functions return at so many positions.
const POSITIONS: usize = 3;

/// Makes traces over the objects of an arena.
pub struct Generator {
    objects: Vec<u64>,
}

/// Where a trace begins: what its inputs are. The first is the counter.
#[derive(Clone, Default)]
pub struct Place {
    /// The inputs' types.
    pub types: Vec<Ty>,
    /// Which input is the function's frame or a token for it, in traces of functions.
    frame: Option<usize>,
    /// The types of what the function returns.
    results: Rc<[Ty]>,
    /// The function's own code, once there is some.
    own: Option<CodeId>,
    /// Behind the label of a loop.
    label: Option<Rc<Label>>,
    /// Behind a call: which input says where it returned, and the types of the results that wait.
    status: Option<(usize, Rc<[Ty]>)>,
}

/// A trace that others may enter, or call if it is a function's.
pub type Known = (CodeId, Place);

/// A trace, and where each of its guards leads.
pub struct Generated {
    /// The trace.
    pub trace: Trace,
    /// By number of the resume data.
    pub places: Vec<Place>,
    /// What it enters and calls.
    pub uses: Vec<CodeId>,
}

/// A trace under construction: its values by type.
struct Builder<'a> {
    trace: Trace,
    values: [Vec<Operand>; 3],
    random: &'a mut Random,
    objects: &'a [u64],
    counter: Var,
    begins: &'a Place,
    /// The token or frame.
    frame: Option<Var>,
    /// It can call itself.
    fresh: bool,
    known: &'a [Known],
    places: Vec<Place>,
    uses: Vec<CodeId>,
}

impl Place {
    /// Whether traces from here are a function's.
    pub fn is_function(&self) -> bool {
        self.frame.is_some()
    }

    /// The same of a function whose code this is.
    pub fn with_code(mut self, code: CodeId) -> Place {
        self.own = Some(code);
        self
    }
}

impl Generator {
    /// A generator for this arena.
    pub fn new(arena: &Arena) -> Generator {
        Generator { objects: (0..Arena::OBJECTS).map(|index| arena.object(index)).collect() }
    }

    /// The place where a loop or a function begins.
    pub fn place(&self, random: &mut Random) -> Place {
        let count = if random.chance(10) { 30 } else { random.below(9) };
        let mut types = vec![Ty::Int];
        let frame = random.chance(40).then_some(1);
        types.extend(frame.map(|_| Ty::Ref));
        let any = |random: &mut Random| random.pick(&[Ty::Int, Ty::Int, Ty::Ref, Ty::Float]);
        types.extend((0..count).map(|_| any(random)));
        let most = if random.chance(10) { 20 } else { 5 };
        let results = (0..random.below(most)).map(|_| any(random)).collect();
        Place { types, frame, results, own: None, label: None, status: None }
    }

    /// Words for inputs.
    pub fn inputs(&self, random: &mut Random, types: &[Ty]) -> Vec<u64> {
        let mut inputs = vec![random.below(40) as u64];
        for ty in &types[1..] {
            inputs.push(match ty {
                Ty::Int => random.int(),
                Ty::Ref => random.pick(&self.objects),
                Ty::Float => random.float().to_bits(),
            });
        }
        inputs
    }

    /// A trace from there. It may enter the loops and call the functions that are known, and jump to the label of the
    /// loop it comes from; `fresh`: it is no bridge.
    pub fn trace(&self, random: &mut Random, begins: &Place, known: &[Known], fresh: bool) -> Generated {
        let length = if random.chance(15) { 120 } else { random.below(40) + 3 };
        let mut builder = Builder {
            trace: Trace::new(),
            values: Default::default(),
            random,
            objects: &self.objects,
            counter: Var(0),
            begins,
            frame: None,
            fresh,
            known,
            places: Vec::new(),
            uses: Vec::new(),
        };
        for (index, ty) in begins.types.iter().enumerate() {
            let var = builder.trace.push(Op::new(Opcode::Input, &[]).with_descr(ty.number()));
            if begins.frame == Some(index) {
                // A token is only handed on.
                builder.frame = Some(var);
            } else {
                builder.values[ty.number() as usize].push(var.into());
            }
        }
        if fresh && begins.is_function() {
            // Who can be called looks at the machine stack.
            builder.guard(Opcode::GuardStack, &[], 0);
        }
        if let Some((status, results)) = &begins.status {
            builder.call_results(Var(*status as u32), results);
        }
        let peeled = builder.random.chance(50);
        let mut phis = Vec::new();
        if peeled {
            builder.operations(length / 2);
            builder.trace.push(Op::new(Opcode::Label, &[]));
            let mut types = vec![Ty::Int];
            types.extend(
                (0..builder.random.below(6)).map(|_| builder.random.pick(&[Ty::Int, Ty::Ref, Ty::Float])),
            );
            let first: Vec<Operand> = types
                .iter()
                .enumerate()
                .map(|(index, ty)| if index == 0 { builder.counter.into() } else { builder.operand(*ty) })
                .collect();
            for (ty, first) in types.iter().zip(first) {
                let var = builder.trace.push(Op::new(Opcode::Phi, &[first]));
                phis.push((*ty, var));
            }
            builder.counter = phis[0].1;
            for (ty, var) in &phis {
                builder.values[ty.number() as usize].push((*var).into());
            }
        }
        builder.operations(length);
        builder.count_down();
        builder.operations(3);
        builder.finish(&phis, peeled);
        if fresh {
            builder.keep_for_label(&phis);
        }
        Generated { trace: builder.trace, places: builder.places, uses: builder.uses }
    }
}

impl<'a> Builder<'a> {
    fn operand(&mut self, ty: Ty) -> Operand {
        let values = &self.values[ty.number() as usize];
        if !values.is_empty() && !self.random.chance(15) {
            // The latest ones more often.
            let back = self.random.below(values.len()).min(self.random.below(values.len()));
            return values[values.len() - 1 - back];
        }
        match ty {
            Ty::Int => {
                let bits = self.random.int();
                self.int_const(bits)
            }
            Ty::Ref => self.object(self.objects),
            Ty::Float => {
                let float = self.random.float();
                self.trace.push_const(Ty::Float, float.to_bits())
            }
        }
    }

    /// One of these objects, which is the same constant each time.
    fn object(&mut self, objects: &[u64]) -> Operand {
        let bits = self.random.pick(objects);
        let known =
            self.trace.consts.iter().position(|constant| constant.ty == Ty::Ref && constant.bits == bits);
        known.map_or_else(|| self.trace.push_const(Ty::Ref, bits), |index| Operand::constant(index as u32))
    }

    fn int_const(&mut self, bits: u64) -> Operand {
        self.trace.push_const(Ty::Int, bits)
    }

    fn emit(&mut self, op: Op) -> Operand {
        let var = self.trace.push(op);
        let op = *self.trace.op(var);
        if let Some(ty) = self.trace.result_type(&op) {
            self.values[ty.number() as usize].push(var.into());
        }
        var.into()
    }

    /// What lives at a guard: the counter, a function's frame, and some others.
    fn resume(&mut self, status: Option<(Var, Rc<[Ty]>)>) -> u32 {
        let mut state = vec![Desc::Operand(self.counter.into())];
        let hidden = self.frame.into_iter().chain(status.as_ref().map(|(var, _)| *var));
        state.extend(hidden.map(|var| Desc::Operand(var.into())));
        let count = if self.random.chance(5) { 40 } else { self.random.below(6) };
        for _ in 0..count {
            let ty = self.random.pick(&[Ty::Int, Ty::Ref, Ty::Float]);
            state.push(Desc::Operand(self.operand(ty)));
        }
        let resume = Resume {
            kept: Default::default(),
            position: 0,
            state: Rc::new(state),
            objects: Default::default(),
            stores: Vec::new(),
            log: Vec::new(),
            events: 0,
            flushed: false,
            facts: Vec::new(),
        };
        let live = resume.live();
        let find = |var: Var| live.iter().position(|known| *known == var);
        let ty = |var: &Var| self.trace.result_type(self.trace.op(*var)).unwrap_or(Ty::Int);
        self.places.push(Place {
            types: live.iter().map(ty).collect(),
            frame: self.frame.and_then(find),
            results: self.begins.results.clone(),
            own: self.begins.own,
            label: None,
            status: status.and_then(|(var, results)| Some((find(var)?, results))),
        });
        self.trace.resumes.push(resume);
        self.trace.resumes.len() as u32 - 1
    }

    fn guard(&mut self, code: Opcode, args: &[Operand], descr: u32) -> Operand {
        let mut op = Op::new(code, args).with_descr(descr);
        op.resume = self.resume(None);
        self.emit(op)
    }

    fn count_down(&mut self) {
        let one = self.int_const(1);
        let zero = self.int_const(0);
        let less = self.trace.push(Op::new(Opcode::IntSub, &[self.counter.into(), one]));
        let more = self.trace.push(Op::new(Opcode::IntLt, &[zero, self.counter.into()]));
        self.guard(Opcode::GuardTrue, &[more.into()], 0);
        self.counter = less;
    }

    fn operations(&mut self, count: usize) {
        for _ in 0..count {
            self.operation();
        }
    }

    /// A float that is surely a number, so that its bits are the same everywhere.
    fn number(&mut self) -> Operand {
        let float = self.operand(Ty::Float);
        let is_number = self.trace.push(Op::new(Opcode::FloatEq, &[float, float]));
        self.guard(Opcode::GuardTrue, &[is_number.into()], 0);
        float
    }

    fn operation(&mut self) {
        use Opcode::*;
        match self.random.below(20) {
            0..6 => self.pure_operation(),
            6..10 => self.guarded(),
            10..14 => self.memory(),
            14 => self.call(),
            15 => {
                let object = self.operand(Ty::Ref);
                let code = self.random.pick(&[Len, GetType]);
                self.emit(Op::new(code, &[object]));
            }
            16 => self.allocate(),
            17 => {
                let (a, b) = (self.operand(Ty::Float), self.operand(Ty::Float));
                let code =
                    self.random.pick(&[FloatAdd, FloatSub, FloatMul, FloatDiv, FloatEq, FloatLt, FloatLe]);
                self.emit(Op::new(code, &[a, b]));
            }
            18 => {
                let a = self.operand(Ty::Float);
                let code = self.random.pick(&[FloatNeg, FloatAbs, FloatSqrt, FloatToInt]);
                self.emit(Op::new(code, &[a]));
            }
            _ => {
                if self.random.chance(30) {
                    let float = self.number();
                    let code = self.random.pick(&[FloatToBits, FloatToValue, FloatFitsValue]);
                    self.emit(Op::new(code, &[float]));
                } else if self.random.chance(50) {
                    let int = self.operand(Ty::Int);
                    self.emit(Op::new(IntToFloat, &[int]));
                } else {
                    let object = self.operand(Ty::Ref);
                    let value = self.emit(Op::new(RefToValue, &[object]));
                    self.emit(Op::new(ValueToRef, &[value]));
                    let word = self.emit(Op::new(RefToInt, &[object]));
                    self.emit(Op::new(IntToRef, &[word]));
                }
            }
        }
    }

    fn pure_operation(&mut self) {
        use Opcode::*;
        let code = self.random.pick(&[
            IntAdd,
            IntAdd,
            IntSub,
            IntMul,
            IntDiv,
            IntRem,
            IntDivFloor,
            IntModFloor,
            IntAnd,
            IntOr,
            IntXor,
            IntShl,
            IntSar,
            IntShr,
            IntEq,
            IntNe,
            IntLt,
            IntLe,
            UintLt,
            UintLe,
            IntAddWraps,
            IntSubWraps,
            IntMulWraps,
            Select,
            RefEq,
        ]);
        let ty = if code == RefEq { Ty::Ref } else { Ty::Int };
        let args = [self.operand(ty), self.operand(ty), self.operand(ty)];
        let result = self.emit(Op::new(code, &args[..code.shape().args.len()]));
        if self.random.chance(20) {
            let (a, b) = (self.operand(Ty::Int), self.operand(Ty::Int));
            self.emit(Op::new(Select, &[result, a, b]));
        }
    }

    fn guarded(&mut self) {
        use Opcode::*;
        let (a, b) = (self.operand(Ty::Int), self.operand(Ty::Int));
        match self.random.below(9) {
            7 => {
                // A float that may be tagged, and back.
                let float = self.number();
                let fits = self.trace.push(Op::new(FloatFitsValue, &[float]));
                self.guard(GuardTrue, &[fits.into()], 0);
                let value = self.emit(Op::new(FloatToValue, &[float]));
                let tested = if self.random.chance(50) { value } else { a };
                let is_float = self.emit(Op::new(ValueIsFloat, &[tested]));
                if self.random.chance(70) {
                    self.guard(GuardTrue, &[is_float], 0);
                }
                self.emit(Op::new(ValueToFloat, &[value]));
            }
            0 | 1 => {
                let code = self.random.pick(&[IntAddOvf, IntSubOvf, IntMulOvf]);
                let result = self.guard(code, &[a, b], 0);
                if self.random.chance(40) {
                    let zero = self.int_const(0);
                    let compare = self.random.pick(&[IntLt, IntEq, IntNe, IntLe]);
                    let test = self.trace.push(Op::new(compare, &[result, zero]));
                    let guard = self.random.pick(&[GuardTrue, GuardFalse]);
                    self.guard(guard, &[test.into()], 0);
                }
            }
            2 => {
                let wanted = if self.random.chance(50) { self.random.int() } else { 0 };
                let constant = self.int_const(wanted);
                self.guard(GuardValue, &[a, constant], 0);
            }
            3 => {
                let object = self.operand(Ty::Ref);
                let ty = if self.random.chance(90) { kit().object } else { kit().small };
                self.guard(GuardType, &[object], ty.0);
            }
            4 => {
                let code = self.random.pick(&[GuardNoInterrupt, GuardStack, GuardReal]);
                match (code, self.frame) {
                    (GuardReal, Some(frame)) => self.guard(GuardReal, &[frame.into()], 0),
                    (GuardStack, _) => self.guard(GuardStack, &[], 0),
                    _ => self.guard(GuardNoInterrupt, &[], 0),
                };
            }
            5 => {
                let mask = self.trace.push(Op::new(IntAnd, &[a, b]));
                let zero = self.int_const(0);
                let compare = self.random.pick(&[IntEq, IntNe]);
                let test = self.trace.push(Op::new(compare, &[mask.into(), zero]));
                let test = if self.random.chance(30) { mask } else { test };
                let guard = self.random.pick(&[GuardTrue, GuardFalse]);
                self.guard(guard, &[test.into()], 0);
            }
            6 => {
                let (a, b) = (self.operand(Ty::Float), self.operand(Ty::Float));
                let compare = self.random.pick(&[FloatEq, FloatLt, FloatLe]);
                let test = self.trace.push(Op::new(compare, &[a, b]));
                let guard = self.random.pick(&[GuardTrue, GuardFalse]);
                self.guard(guard, &[test.into()], 0);
            }
            _ => {
                let compare = self.random.pick(&[
                    IntEq,
                    IntNe,
                    IntLt,
                    IntLe,
                    UintLt,
                    UintLe,
                    IntAddWraps,
                    IntSubWraps,
                    IntMulWraps,
                ]);
                let test = self.emit(Op::new(compare, &[a, b]));
                if self.random.chance(20) {
                    self.operation();
                }
                let guard = self.random.pick(&[GuardTrue, GuardFalse]);
                self.guard(guard, &[test], 0);
            }
        }
    }

    fn memory(&mut self) {
        use Opcode::*;
        let object = self.operand(Ty::Ref);
        if self.random.chance(15) {
            return self.runs();
        }
        if self.random.chance(20) {
            return self.raw();
        }
        if self.random.chance(40) {
            // Never the last ones: a new small object has no items.
            let (ty, objects, items) = self.kind_of_items();
            let object = self.object(objects);
            let (seven, index) = (self.int_const(7), self.operand(Ty::Int));
            let index = match self.trace.const_of(index) {
                Some(constant) => self.int_const(constant.bits & 7),
                None => self.emit(Op::new(IntAnd, &[index, seven])),
            };
            if self.random.chance(50) {
                self.emit(Op::new(GetItem, &[object, index]).with_descr(ty.0));
            } else {
                let value = self.operand(items);
                self.emit(Op::new(SetItem, &[object, index, value]).with_descr(ty.0));
            }
            return;
        }
        let field = self.random.pick(&kit().fields);
        let ty = field.get().kind.ty();
        if self.random.chance(60) {
            self.emit(Op::new(GetField, &[object]).with_descr(field.0));
        } else {
            let value = if field.get().kind == FieldKind::Value { self.value() } else { self.operand(ty) };
            self.emit(Op::new(SetField, &[object, value]).with_descr(field.0));
        }
    }

    /// A tagged word.
    fn value(&mut self) -> Operand {
        let three = self.int_const(3);
        match self.random.below(4) {
            0 => {
                let object = self.operand(Ty::Ref);
                self.emit(Op::new(Opcode::RefToValue, &[object]))
            }
            1 => {
                let word = self.random.pick(self.objects) + 2;
                self.int_const(word)
            }
            2 => {
                let int = self.operand(Ty::Int);
                self.emit(Op::new(Opcode::IntShl, &[int, three]))
            }
            _ => {
                let (int, eight) = (self.operand(Ty::Int), self.int_const(8));
                let shifted = self.emit(Op::new(Opcode::IntShl, &[int, three]));
                self.guard(Opcode::IntAddOvf, &[shifted, eight], 0)
            }
        }
    }

    /// Objects that surely have eight items: their type, they, and the items' type.
    fn kind_of_items(&mut self) -> (TypeRef, &'a [u64], Ty) {
        let (numbers, refs) = self.objects.split_at(Arena::NUMBERS);
        if self.random.chance(70) { (kit().object, numbers, Ty::Int) } else { (kit().refs, refs, Ty::Ref) }
    }

    /// An operation on runs of items of the objects that surely have eight.
    fn runs(&mut self) {
        use Opcode::*;
        let small = |builder: &mut Self, mask: u64| {
            let (mask, index) = (builder.int_const(mask), builder.operand(Ty::Int));
            match builder.trace.const_of(index) {
                Some(constant) => {
                    let bits = constant.bits & builder.trace.const_of(mask).map_or(0, |mask| mask.bits);
                    builder.int_const(bits)
                }
                None => builder.emit(Op::new(IntAnd, &[index, mask])),
            }
        };
        let (one, two, count) = (small(self, 3), small(self, 3), small(self, 5));
        let (ty, objects, items) = self.kind_of_items();
        let [first, second] = [0, 1].map(|_| self.object(objects));
        if self.random.chance(25) {
            let value = self.operand(items);
            let mut op = Op::new(FillItems, &[first, one, value]).with_descr(ty.0);
            op.list = self.trace.push_list([count]);
            self.emit(op);
            return;
        }
        let code = self.random.pick(&[CopyItems, CopyItems, EqualItems, CompareItems]);
        let mut op = Op::new(code, &[first, second, count]).with_descr(two_types(ty, ty));
        op.list = self.trace.push_list([one, two]);
        self.emit(op);
    }

    fn allocate(&mut self) {
        let next = self.operand(Ty::Ref);
        let object = if self.random.chance(50) {
            self.trace.push(Op::new(Opcode::New, &[]).with_descr(kit().small.0))
        } else {
            let mut length = self.int_const(3);
            if self.random.chance(60) {
                let any = self.operand(Ty::Int);
                length = self.emit(Op::new(Opcode::IntAnd, &[any, length]));
            }
            self.trace.push(Op::new(Opcode::NewArray, &[length]).with_descr(kit().object.0))
        };
        // Fields are never null, so that they can be followed.
        let field =
            kit().fields.iter().find(|field| field.get().kind == FieldKind::Ref).map_or(0, |field| field.0);
        self.trace.push(Op::new(Opcode::SetField, &[object.into(), next]).with_descr(field));
        self.values[Ty::Ref.number() as usize].push(object.into());
    }

    /// A call of a function's entry. The deeper, the less is left to count down.
    fn call_entry(&mut self) {
        let own = (self.fresh && self.frame.is_some()).then_some((None, self.begins));
        let known = self.known.iter().filter(|(_, place)| place.is_function());
        let choices: Vec<(Option<CodeId>, &Place)> =
            known.map(|(code, place)| (Some(*code), place)).chain(own).collect();
        if choices.is_empty() {
            return;
        }
        let (code, callee) = self.random.pick(&choices);
        let (zero, two) = (self.int_const(0), self.int_const(2));
        let more = self.trace.push(Op::new(Opcode::IntLt, &[zero, self.counter.into()]));
        self.guard(Opcode::GuardTrue, &[more.into()], 0);
        let less = self.trace.push(Op::new(Opcode::IntSar, &[self.counter.into(), two]));
        let list = self.arguments(less, callee);
        let number = self.trace.calls.len() as u32;
        self.trace.calls.push(EntryCall { code: code.map(|code| code.0), ..EntryCall::default() });
        self.uses.extend(code);
        let mut op = Op::new(Opcode::CallEntry, &[]).with_descr(number);
        op.list = self.trace.push_list(list);
        let status = self.trace.push(op);
        self.guard(Opcode::GuardReturned, &[status.into()], 0);
        let results = callee.results.clone();
        if self.random.chance(60) {
            let position = self.random.below(POSITIONS) as u64;
            let position = self.int_const(position);
            let mut op = Op::new(Opcode::GuardValue, &[status.into(), position]);
            op.resume = self.resume(Some((status, results.clone())));
            self.emit(op);
        }
        self.call_results(status, &results);
    }

    /// Takes some results of a call.
    fn call_results(&mut self, status: Var, results: &[Ty]) {
        for (number, ty) in results.iter().enumerate() {
            if self.random.chance(80) {
                let descr = 4 * number as u32 + ty.number();
                self.emit(Op::new(Opcode::CallResult, &[status.into()]).with_descr(descr));
            }
        }
    }

    /// Inputs for a trace that begins there.
    fn arguments(&mut self, counter: Var, place: &Place) -> Vec<Operand> {
        let mut list = vec![Operand::from(counter)];
        for (index, ty) in place.types.iter().enumerate().skip(1) {
            list.push(match self.frame {
                _ if place.frame != Some(index) => self.operand(*ty),
                Some(frame) if self.random.chance(20) => frame.into(),
                _ if self.random.chance(10) => self.operand(Ty::Ref),
                _ => self.trace.push_const(Ty::Ref, FRAME_TOKEN),
            });
        }
        list
    }

    fn call(&mut self) {
        if self.random.chance(30) {
            return self.call_entry();
        }
        if self.random.chance(30) {
            return self.call_foreign();
        }
        let kit = kit();
        let (call, args) = match self.random.below(6) {
            0 => (kit.float_call, vec![self.number(), self.number()]),
            1 => (kit.write_call, vec![self.operand(Ty::Ref), self.operand(Ty::Int)]),
            _ => {
                let count = self.random.below(10);
                let args = (0..count).map(|_| {
                    let ty = self.random.pick(&[Ty::Int, Ty::Int, Ty::Ref]);
                    self.operand(ty)
                });
                (kit.calls[count], args.collect())
            }
        };
        let mut args: Vec<Operand> = args;
        let mut code = Opcode::Call;
        if !call.get().raises && self.random.chance(40) {
            let answers = call.get().result.filter(|ty| *ty != Ty::Float && self.random.chance(50));
            code = if answers.is_some() { Opcode::CallUnless } else { Opcode::CallIf };
            let ty = answers.unwrap_or(Ty::Int);
            args.insert(0, self.operand(ty));
        }
        let list = self.trace.push_list(args);
        let mut op = Op::new(code, &[]).with_descr(call.0);
        op.list = list;
        let result = self.emit(op);
        if code == Opcode::Call && call.get().raises && self.random.chance(80) {
            let raised = self.trace.push(Op::new(Opcode::CallRaised, &[result]));
            self.guard(Opcode::GuardFalse, &[raised.into()], 0);
        }
    }

    fn jump(&mut self, code: Opcode, list: Vec<Operand>, descr: u32) {
        let mut op = Op::new(code, &[]).with_descr(descr);
        op.list = self.trace.push_list(list);
        self.trace.push(op);
    }

    fn finish(&mut self, phis: &[(Ty, Var)], peeled: bool) {
        let choice = self.random.below(10);
        // A trace of a function goes on in that function or in a loop.
        let entered = |(code, place): &&Known| !place.is_function() || self.begins.own == Some(*code);
        let known: Vec<&Known> = self.known.iter().filter(entered).collect();
        if choice < 2 && !known.is_empty() {
            let (code, place) = self.random.pick(&known);
            let mut list = self.arguments(self.counter, place);
            if let (Some(index), Some(frame)) = (place.frame, self.frame) {
                list[index] = frame.into();
            }
            self.uses.push(*code);
            self.jump(Opcode::Enter, list, code.0);
        } else if choice < 8
            && let (Some(label), Some(code)) = (&self.begins.label, self.begins.own)
        {
            let mut list = vec![Operand::from(self.counter)];
            list.extend(label.phis[1..].iter().map(|ty| self.operand(*ty)));
            for (input, idle) in &label.kept {
                list.push(idle.map_or(Operand::var(Var(*input as u32)), |ty| self.operand(ty)));
            }
            self.uses.push(code);
            self.jump(Opcode::EnterLabel, list, code.0);
        } else if let Some(frame) = self.frame
            && choice < 7
        {
            self.guard(Opcode::GuardCalled, &[frame.into()], 0);
            let results = self.begins.results.clone();
            let list = results.iter().map(|ty| self.operand(*ty)).collect();
            let position = self.random.below(POSITIONS) as u32;
            self.jump(Opcode::Return, list, position);
        } else if choice < 4 || (!peeled && self.begins.status.is_some()) {
            // What waits for a trace that begins behind a call waits only once.
            self.guard(Opcode::Exit, &[], 0);
        } else if peeled {
            let mut list = vec![Operand::from(self.counter)];
            for (ty, _) in &phis[1..] {
                list.push(self.operand(*ty));
            }
            self.jump(Opcode::Loop, list, 0);
        } else {
            let mut list = self.arguments(self.counter, self.begins);
            if let (Some(index), Some(frame)) = (self.begins.frame, self.frame) {
                list[index] = frame.into();
            }
            self.jump(Opcode::Loop, list, 0);
        }
    }
}
