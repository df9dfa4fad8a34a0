//! The text form: what is printed reads back, and what people write is understood.

use std::rc::Rc;

use hotloop_ir::parse::parse;
use hotloop_ir::trace::EventKind;
use hotloop_ir::verify::verify;
use hotloop_ir::*;

const DECLARATIONS: &str = "\
type text.Pair id 7 size 24 { field first value 8 mutable; field next ref 16 immutable }
type text.Row id 8 size 24 { field weight float 8 stable; field flag byte 16 mutable } items value mutable virtualizable
function text.print effect any raises
function text.sum effect elidable returns int
function \"text: odd (name)\" effect reads raises returns ref
function text.foreign effect outside returns float foreign [i8, f32, u64] f64
";

/// A generator of numbers; always the same ones.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// Makes correct traces of all operations.
struct Maker {
    random: Random,
    trace: Trace,
    types: [TypeRef; 2],
    calls: [CallId; 3],
    foreign: CallId,
}

impl Maker {
    fn new(seed: u64) -> Maker {
        parse(DECLARATIONS).unwrap();
        Maker {
            random: Random(seed | 1),
            trace: Trace::new(),
            types: ["text.Pair", "text.Row"].map(|name| TypeRef::by_name(name).unwrap()),
            foreign: CallId::by_name("text.foreign").unwrap(),
            calls: ["text.print", "text.sum", "text: odd (name)"].map(|name| CallId::by_name(name).unwrap()),
        }
    }

    fn operand(&mut self, ty: Ty) -> Operand {
        let trace = &self.trace;
        let vars =
            (0..trace.ops.len() as u32).map(Var).filter(|var| trace.result_type(trace.op(*var)) == Some(ty));
        let vars: Vec<Var> = vars.collect();
        if !vars.is_empty() && self.random.below(4) > 0 {
            return self.random.one_of(&vars).into();
        }
        let bits = match ty {
            Ty::Int => self.random.one_of(&[0, 1, u64::MAX, 1 << 63, 77]),
            Ty::Ref => self.random.one_of(&[0, 0x7f00_1000]),
            Ty::Float => {
                let floats = [0.0f64, -0.0, 1.5, 1e300, 1e-7, f64::INFINITY, f64::NEG_INFINITY, f64::NAN];
                self.random.one_of(&floats).to_bits()
            }
        };
        self.trace.push_const(ty, bits)
    }

    fn any(&mut self) -> Operand {
        let ty = self.random.one_of(&[Ty::Int, Ty::Ref, Ty::Float]);
        self.operand(ty)
    }

    fn desc(&mut self, ty: Ty, objects: u32) -> Desc {
        match self.random.below(6) {
            0 => Desc::Dead,
            1 if ty == Ty::Ref && objects > 0 => Desc::Object(self.random.below(objects as usize) as u32),
            2 if ty == Ty::Int => {
                let args = vec![self.desc(Ty::Int, objects), self.desc(Ty::Int, objects)];
                Desc::Expr(Rc::new((Opcode::IntShl, args)))
            }
            3 if ty == Ty::Int => {
                Desc::Expr(Rc::new((Opcode::RefToValue, vec![self.desc(Ty::Ref, objects)])))
            }
            _ => Desc::Operand(self.operand(ty)),
        }
    }

    fn fact(&mut self) -> Fact {
        let fact = match self.random.below(6) {
            5 => Fact::FLOAT_VALUE,
            0 => Fact::ANY,
            1 => Fact::range(-3, 1 << 40),
            2 => Fact { zeros: 7, ones: 1 << 60, ..Fact::ANY }.tightened(),
            3 => Fact { heap_type: Some(self.types[0].0), lo: 0, ..Fact::ANY },
            _ => Fact::range(0, 9).or(&Fact::exactly(-1i64 as u64)).and(&Fact { zeros: 2, ..Fact::ANY }),
        };
        // Bits that follow from the range are not printed, so they come back even if they were not there.
        fact.tightened().tightened()
    }

    fn resume(&mut self) -> u32 {
        let objects = self.random.below(3) as u32;
        let state = (0..self.random.below(4)).map(|_| self.desc(Ty::Int, objects)).collect();
        let mut made = Vec::new();
        for _ in 0..objects {
            let items = if self.random.below(2) == 0 { 0 } else { 2 };
            let ty = self.types[(items > 0) as usize];
            let exists = self.random.below(3) == 0;
            let slots =
                (0..ty.get().fields.len() + items).map(|slot| match exists && self.random.below(3) == 0 {
                    true => Desc::Keep,
                    false => self.desc(ty.get().slot(slot).1.ty(), objects),
                });
            let slots = slots.collect();
            let kind = match exists {
                true => ObjectKind::Existing(self.operand(Ty::Ref)),
                false => ObjectKind::Virtual(items as u32),
            };
            made.push(ObjectDesc { ty, kind, slots });
        }
        let mut stores = Vec::new();
        for _ in 0..self.random.below(3) {
            let (ty, slot) = self.random.one_of(&[(0, 1), (1, 0), (1, 5)]);
            let kind = self.types[ty].get().slot(slot as usize).1;
            let place = match self.random.below(3) {
                0 => Place::Item(self.types[1], self.desc(Ty::Int, objects)),
                _ => Place::Slot(self.types[ty], slot),
            };
            let value_type = if matches!(place, Place::Item(..)) { Ty::Int } else { kind.ty() };
            stores.push(Store {
                object: self.desc(Ty::Ref, objects),
                place,
                value: self.desc(value_type, objects),
            });
        }
        let feeds = (0..self.random.below(4) as u32).map(|event| {
            let feed = match event % 3 {
                0 => Feed::Skip,
                1 => Feed::Result(self.desc(Ty::Float, objects)),
                _ => Feed::Outcome(self.desc(Ty::Ref, objects), self.desc(Ty::Int, objects)),
            };
            Log { event: 2 * event, check: 70 + event, feed }
        });
        let log = feeds.collect();
        let facts = (0..self.random.below(3) as u32).map(|var| (Var(var), self.fact())).collect();
        let kept = (0..self.random.below(3)).map(|_| self.operand(Ty::Int)).collect();
        self.trace.resumes.push(Resume {
            kept: Rc::new(kept),
            position: self.random.below(99) as u32,
            state: Rc::new(state),
            objects: Rc::new(made),
            stores,
            log,
            events: 9,
            flushed: self.random.below(2) == 0,
            facts,
        });
        self.trace.resumes.len() as u32 - 1
    }

    fn operation(&mut self, code: Opcode, recorded: bool) {
        let mut args = Vec::new();
        for wanted in code.shape().args {
            args.push(match wanted {
                b'i' => self.operand(Ty::Int),
                b'r' => self.operand(Ty::Ref),
                b'f' => self.operand(Ty::Float),
                _ => self.any(),
            });
        }
        let row = self.types[1];
        let mut op = Op::new(code, &args);
        match code {
            Opcode::GetField | Opcode::SetField => {
                let fields = &self.types[self.random.below(2)].get().fields;
                let field = fields[self.random.below(2)];
                op.descr = field.0;
                if code == Opcode::SetField {
                    op.args[1] = self.operand(field.get().kind.ty());
                }
            }
            Opcode::SetItem => (op.descr, op.args[2]) = (row.0, self.operand(Ty::Int)),
            Opcode::GetItem | Opcode::Len | Opcode::New | Opcode::NewArray | Opcode::GuardType => {
                op.descr = row.0
            }
            Opcode::CopyItems | Opcode::EqualItems | Opcode::CompareItems => {
                op.descr = two_types(row, row);
                let list = [self.operand(Ty::Int), self.operand(Ty::Int)];
                op.list = self.trace.push_list(list);
            }
            Opcode::FillItems => {
                (op.descr, op.args[2]) = (row.0, self.operand(Ty::Int));
                let count = self.operand(Ty::Int);
                op.list = self.trace.push_list([count]);
            }
            Opcode::Virtualizable => {
                op.descr = row.0;
                let slots = [Ty::Float, Ty::Int, Ty::Int].map(|ty| self.operand(ty));
                op.list = self.trace.push_list(slots.into_iter().chain([Operand::NONE]));
            }
            Opcode::GuardValue | Opcode::KnownValue => {
                let ty = self.trace.operand_type(args[0]).unwrap();
                op.args[1] = self.trace.push_const(ty, 8);
            }
            Opcode::Live => op.descr = 3,
            Opcode::CallEntry => {
                let slots = vec![1, 3];
                self.trace.calls.push(EntryCall { code: Some(2), frame: 0, slots, callers: vec![(3, 0)] });
                op.descr = self.trace.calls.len() as u32 - 1;
                let operands = [self.operand(Ty::Ref), self.operand(Ty::Int)];
                op.list = self.trace.push_list(operands);
            }
            Opcode::CallResult => op.descr = 4 * 7 + 2,
            Opcode::LoadRaw => op.descr = self.random.one_of(&Scalar::ALL) as u32,
            Opcode::StoreRaw => {
                let scalar = self.random.one_of(&Scalar::ALL);
                (op.descr, op.args[2]) = (scalar as u32, self.operand(scalar.ty()));
            }
            Opcode::Call if self.random.below(3) == 0 => {
                op.descr = self.foreign.0;
                let operands = [Ty::Int, Ty::Int, Ty::Float, Ty::Int].map(|ty| self.operand(ty));
                op.list = self.trace.push_list(operands);
            }
            Opcode::Call => {
                op.descr = self.random.one_of(&self.calls.clone()).0;
                let operands: Vec<Operand> = (0..self.random.below(4)).map(|_| self.any()).collect();
                op.list = self.trace.push_list(operands);
            }
            Opcode::CallIf | Opcode::CallUnless => {
                let fits = |call: &&CallId| {
                    let descr = call.get();
                    let result = if code == Opcode::CallIf { Some(Ty::Int) } else { descr.result };
                    !descr.raises && result.is_some_and(|ty| ty != Ty::Float)
                };
                let call = *self.calls.iter().find(fits).expect("a function that never raises");
                op.descr = call.0;
                let ty = if code == Opcode::CallIf { Ty::Int } else { call.get().result.unwrap_or(Ty::Int) };
                let operands = [self.operand(ty), self.any()];
                op.list = self.trace.push_list(operands);
            }
            Opcode::KnownResult => {
                let answers = self.calls.iter().find_map(|call| Some((call.0, call.get().result?)));
                let (call, ty) = answers.expect("a function with a result");
                op.descr = call;
                let operands = [self.operand(ty), self.any()];
                op.list = self.trace.push_list(operands);
            }
            Opcode::Instr => {
                let state = (0..2).map(|_| self.any()).chain([Operand::NONE]).collect();
                let first_event = self.trace.events.len() as u32;
                self.trace.instrs.push(Instr { position: 12, state, first_event });
                op.descr = self.trace.instrs.len() as u32 - 1;
            }
            _ => {}
        }
        if code.is_guard() || code == Opcode::Call && self.random.below(2) == 0 {
            op.resume = if recorded { self.trace.events.len() as u32 } else { self.resume() };
        }
        let var = self.trace.push(op);
        if code == Opcode::Call && op.call().get().raises {
            self.trace.push(Op::new(Opcode::CallRaised, &[var.into()]));
        }
        if recorded && matches!(code, Opcode::GetField | Opcode::Call | Opcode::SetItem) {
            let object = if code == Opcode::Call { Operand::NONE } else { op.args[0] };
            let kind = self.random.one_of(&[EventKind::Read, EventKind::Write, EventKind::CallWrites]);
            let result = if code.shape().result.is_some() { var.into() } else { Operand::NONE };
            self.trace.events.push(Event { kind, object, result, raised: Operand::NONE, check: 5 });
        }
        if code == Opcode::Call && self.random.below(2) == 0 {
            self.operation(Opcode::GuardNotForced, recorded);
        }
    }

    fn make(mut self) -> Trace {
        let recorded = self.random.below(2) == 0;
        for number in 0..3 + self.random.below(3) as u32 {
            self.trace.push(Op::new(Opcode::Input, &[]).with_descr(number % 3));
        }
        for var in 0..self.random.below(3) as u32 {
            let fact = self.fact();
            self.trace.facts.push((Var(var), fact));
        }
        let excluded =
            [Opcode::Input, Opcode::Label, Opcode::Phi, Opcode::CallRaised, Opcode::GuardNotForced];
        let ordinary: Vec<Opcode> =
            Opcode::ALL.iter().copied().filter(|op| op.class() != Class::End).collect();
        let ordinary: Vec<Opcode> = ordinary.into_iter().filter(|op| !excluded.contains(op)).collect();
        let peeled = self.random.below(2) == 0;
        let mut carried: Vec<Ty> =
            self.trace.inputs().map(|var| self.trace.result_type(self.trace.op(var)).unwrap()).collect();
        for round in 0..2 {
            for _ in 0..self.random.below(40) {
                let code = self.random.one_of(&ordinary);
                self.operation(code, recorded);
            }
            if round == 0 && peeled {
                self.trace.push(Op::new(Opcode::Label, &[]));
                carried = vec![Ty::Float, Ty::Int];
                for ty in carried.clone() {
                    let operand = self.operand(ty);
                    self.trace.push(Op::new(Opcode::Phi, &[operand]));
                }
            }
        }
        let ends = [Opcode::Loop, Opcode::Enter, Opcode::EnterLabel, Opcode::Exit, Opcode::Return];
        let end = self.random.one_of(&ends);
        let mut op = Op::new(end, &[]);
        match end {
            Opcode::Exit => op.resume = if recorded { self.trace.events.len() as u32 } else { self.resume() },
            _ => {
                let operands: Vec<Operand> = carried.iter().map(|ty| self.operand(*ty)).collect();
                op.list = self.trace.push_list(operands);
                op.descr = if end == Opcode::Loop { 0 } else { 4 };
            }
        }
        if end == Opcode::Return {
            self.trace.returning = Some(Returning {
                results: vec![Part::Word(0), Part::Slot(5)],
                same: vec![(Part::Word(1), Var(1)), (Part::Slot(2), Var(0))],
            });
            self.trace.tokens = vec![Var(1)];
        }
        self.trace.push(op);
        self.trace
    }
}

#[test]
fn random_traces_verify_and_read_back() {
    let mut seen = std::collections::HashSet::new();
    for seed in 1..600u64 {
        let trace = Maker::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)).make();
        verify(&trace).unwrap_or_else(|fault| panic!("{fault}\n{trace}"));
        let text = trace.to_string();
        let again = parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(text, again.to_string());
        verify(&again).unwrap();
        let declared = trace.declarations() + &text;
        assert_eq!(text, parse(&declared).unwrap_or_else(|error| panic!("{error}\n{declared}")).to_string());
        // The same trace, but for shared constants and unused instructions.
        assert_eq!((trace.ops.len(), trace.lists.len()), (again.ops.len(), again.lists.len()));
        assert_eq!(
            (trace.calls, trace.returning, trace.tokens),
            (again.calls, again.returning, again.tokens)
        );
        assert_eq!((trace.facts, trace.instrs.len()), (again.facts, again.instrs.len()));
        seen.extend(trace.ops.iter().map(|op| op.code));
    }
    assert_eq!(seen.len(), Opcode::ALL.len());
}

#[test]
fn a_trace_as_people_write_it() {
    let text = "
        # names are free
        type text.Link size 24 id 9 { field back ref 8 mutable; field word int 16 stable }
        i0 = input int
        p1 = input ref
        fact i0 int 0..9
        p3 = getfield p1 text.Link.back     # an operation
        i5 = int_add i0, -0x1
    "
    .replace("-0x1", "-1");
    let rest = "
        guard_true i5 !0
        f1 = int_to_float i5
        f2 = float_add f1, 2.0
        guard_value p3, null !1
        loop [i5, p3]
        resume 0: at 12 state [i0, obj0, dead, int_shl(i5, 3)] events 2
          object 0 virtual 0 text.Link [p1, i0]
          store obj0 text.Link.back = p1
          log 1 check 77 outcome i0, 0
        resume 1: at 12 state []
          fact i5 ..4 zeros=0x10";
    let rest = rest.replace("i5 ..4", "i5 int ..4");
    let trace = parse(&format!("{text}{rest}")).unwrap();
    verify(&trace).unwrap();
    let expected = "\
v0 = input int
v1 = input ref
fact v0 int 0..9
v2 = getfield v1 text.Link.back
v3 = int_add v0, -1
guard_true v3 !0
v5 = int_to_float v3
v6 = float_add v5, 2.0
guard_value v2, null !1
loop [v3, v2]
resume 0: at 12 state [v0, obj0, dead, int_shl(v3, 3)] events 2
  object 0 virtual 0 text.Link [v1, v0]
  store obj0 text.Link.back = v1
  log 1 check 77 outcome v0, 0
resume 1: at 12 state [] events 0
  fact v3 int ..4 zeros=0x10
";
    assert_eq!(trace.to_string(), expected);
    assert_eq!(trace.show_op(Var(3)).to_string(), "v3 = int_add v0, -1");
}

#[test]
fn errors_say_where() {
    for (text, expected) in [
        ("v0 = input int\nv1 = int_add v0, v9", "2:18: expected a value, found `v9`"),
        ("v0 = int_plus 1, 2", "1:6: expected an operation, found `int_plus`"),
        ("v0 = input int\nv0 = input int", "2:1: not a new name `v0`"),
        ("v0 = getfield null No.where", "1:20: unknown field `No.where`"),
        ("v0 = int_neg", "1:6: expected an operation, found `int_neg`"),
        ("v0 = int_add 1", "1:15: expected `,`, found `end of line`"),
        ("loop [] 7", "1:9: unexpected `7`"),
        ("loop [99999999999999999999]", "1:7: expected a value, found `99999999999999999999`"),
        ("  log 0 check 1 skip", "1:3: no resume before `log`"),
        ("v0 = call \"open", "1:11: missing closing quote"),
        ("resume 1: at 3 state []", "1:8: expected 0:, found `1:`"),
    ] {
        assert_eq!(parse(text).unwrap_err().to_string(), expected, "{text}");
    }
}

#[test]
fn broken_traces_are_printed() {
    let mut trace = Trace::new();
    trace.push(Op::new(Opcode::GetField, &[Operand::var(Var(7))]).with_descr(u32::MAX));
    trace.push(Op::new(Opcode::Call, &[]).with_descr(u32::MAX));
    trace.push(Op::new(Opcode::Instr, &[]).with_descr(3));
    let mut end = Op::new(Opcode::Loop, &[]);
    end.list.len = 3;
    trace.push(end);
    trace.facts.push((Var(9), Fact { heap_type: Some(u32::MAX), ..Fact::ANY }));
    assert!(trace.to_string().contains("loop [?]"));
    assert!(verify(&trace).is_err());
}
