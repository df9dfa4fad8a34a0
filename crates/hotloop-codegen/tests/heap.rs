//! What traces do beside storing references, in both targets: the collector is told of old objects, of each
//! once, and of new ones not at all.
#![cfg(all(target_arch = "x86_64", target_os = "linux"))]

use std::cell::{Cell, RefCell};

use hotloop_codegen::fuzzing::resume_of;
use hotloop_codegen::x64::X64;
use hotloop_codegen::{Bump, Context, Entry, Eval, MAX_BUMP, Options, Request, Target};
use hotloop_ir::pure::evaluate;
use hotloop_ir::{
    CallDescr, CallId, Effect, FieldDescr, FieldId, FieldKind, Mutability, Op, Opcode, Operand, Trace, Ty,
    TypeDescr, TypeRef, two_types,
};

/// `OLD` in an object's flags.
const OLD: u64 = 1 << 16;

thread_local! {
    static REMEMBERED: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
    /// Boxed: their addresses are known.
    #[allow(clippy::vec_box)]
    static MEMORY: RefCell<Vec<Box<[u64; 16]>>> = const { RefCell::new(Vec::new()) };
    static ALLOCATED: Cell<u32> = const { Cell::new(0) };
}

extern "C" fn allocate(_: *const (), header: u64, size: usize) -> *mut u8 {
    assert!(size <= 128);
    ALLOCATED.set(ALLOCATED.get() + 1);
    let mut object = Box::new([0; 16]);
    object[0] = header;
    let address = object.as_mut_ptr().cast();
    MEMORY.with_borrow_mut(|memory| memory.push(object));
    address
}

extern "C" fn remember(object: *mut u8) {
    // SAFETY: the targets hand over objects of these tests.
    unsafe {
        assert!(object.cast::<u64>().read() & OLD != 0, "a new object is remembered");
        *object.cast::<u64>() &= !OLD;
    }
    REMEMBERED.with_borrow_mut(|remembered| remembered.push(object as u64));
}

struct Kit {
    ty: TypeRef,
    reference: FieldId,
    value: FieldId,
    number: FieldId,
    call: CallId,
}

#[repr(C)]
struct Answer {
    result: u64,
    raised: u64,
}

extern "C" fn native() -> Answer {
    // A collection makes all objects old.
    MEMORY.with_borrow_mut(|memory| memory.iter_mut().for_each(|object| object[0] |= OLD));
    Answer { result: 0, raised: 0 }
}

fn kit() -> Kit {
    let kinds = [("reference", FieldKind::Ref), ("value", FieldKind::Value), ("number", FieldKind::Int)];
    let fields: Vec<FieldId> = kinds
        .into_iter()
        .enumerate()
        .map(|(index, (name, kind))| {
            FieldId::intern(FieldDescr {
                owner: "cell".into(),
                name: name.into(),
                offset: 8 + 8 * index as u32,
                kind,
                mutability: Mutability::Mutable,
            })
        })
        .collect();
    let ty = TypeRef::intern(TypeDescr {
        name: "cell".into(),
        id: 5,
        fixed_size: 32,
        fields: fields.clone(),
        items: Some((FieldKind::Ref, Mutability::Mutable)),
        virtualizable: false,
    });
    let call = CallId::intern(CallDescr {
        name: "collecting".into(),
        address: native as *const () as usize,
        result: Some(Ty::Int),
        effect: Effect::Any,
        raises: false,
        foreign: None,
    });
    Kit { ty, reference: fields[0], value: fields[1], number: fields[2], call }
}

struct Build(Trace);

impl Build {
    fn new(inputs: &[Ty]) -> (Build, Vec<Operand>) {
        let mut trace = Trace::new();
        let inputs = inputs
            .iter()
            .map(|ty| trace.push(Op::new(Opcode::Input, &[]).with_descr(ty.number())).into())
            .collect();
        (Build(trace), inputs)
    }

    fn op(&mut self, code: Opcode, args: &[Operand], descr: u32) -> Operand {
        self.0.push(Op::new(code, args).with_descr(descr)).into()
    }

    fn exit(mut self, live: &[Operand]) -> Trace {
        self.0.resumes.push(resume_of(live.iter().filter_map(|operand| operand.as_var())));
        let mut op = Op::new(Opcode::Exit, &[]);
        op.resume = 0;
        self.0.push(op);
        self.0
    }
}

/// Runs the trace in both targets with `old` old objects as inputs; which of them were remembered, by
/// number, and others as -1.
fn remembered(trace: &Trace, old: usize) -> Vec<i64> {
    let options = Options { header_bits: 3 << 24, ..Options::default() };
    let targets: [Box<dyn Target>; 2] =
        [Box::new(Eval::new(options.clone())), Box::new(X64::new(options.clone()).unwrap())];
    let mut answers = Vec::new();
    for target in targets {
        MEMORY.with_borrow_mut(Vec::clear);
        REMEMBERED.with_borrow_mut(Vec::clear);
        let inputs: Vec<u64> =
            (0..old).map(|_| allocate(std::ptr::null(), 5 | 3 << 24 | OLD | 4 << 32, 96) as u64).collect();
        let request = Request { entry: Entry::Fresh, first_guard: 0, invalid: std::ptr::null() };
        let code = target.compile(trace, &request).unwrap();
        let mut context = Context::new(std::ptr::null(), allocate);
        context.header_bits = options.header_bits;
        context.remember = remember;
        let mut values = Vec::new();
        // SAFETY: the trace works on these objects and on those of `allocate`.
        unsafe { target.run(code, &mut context, &inputs, &mut values) };
        MEMORY.with_borrow(|memory| {
            for object in memory {
                assert_eq!(object[0] as u32 & 0xff00_ffff, 5 | 3 << 24, "type and owner are in the header");
            }
        });
        let number =
            |object: &u64| inputs.iter().position(|input| input == object).map_or(-1, |at| at as i64);
        answers.push(REMEMBERED.with_borrow(|list| list.iter().map(number).collect::<Vec<_>>()));
    }
    assert_eq!(answers[0], answers[1], "the targets differ");
    answers.remove(0)
}

#[test]
fn an_old_object_is_remembered_once() {
    let kit = kit();
    let (mut build, objects) = Build::new(&[Ty::Ref, Ty::Ref]);
    let three = build.0.push_const(Ty::Int, 3);
    build.op(Opcode::SetField, &[objects[1], objects[0]], kit.reference.0);
    build.op(Opcode::SetItem, &[objects[1], three, objects[1]], kit.ty.0);
    build.op(Opcode::SetItem, &[objects[0], three, objects[1]], kit.ty.0);
    assert_eq!(remembered(&build.exit(&objects), 2), [1, 0]);
}

#[test]
fn words_that_are_no_references_need_nothing() {
    let kit = kit();
    let (mut build, objects) = Build::new(&[Ty::Ref]);
    let null = build.0.push_const(Ty::Ref, 0);
    let small = build.0.push_const(Ty::Int, 42 << 3);
    let special = build.0.push_const(Ty::Int, 1 << 3 | 4);
    build.op(Opcode::SetField, &[objects[0], null], kit.reference.0);
    build.op(Opcode::SetField, &[objects[0], small], kit.value.0);
    build.op(Opcode::SetField, &[objects[0], special], kit.value.0);
    let length = build.op(Opcode::Len, &[objects[0]], kit.ty.0);
    build.op(Opcode::SetField, &[objects[0], length], kit.number.0);
    let three = build.0.push_const(Ty::Int, 3);
    let shifted = build.op(Opcode::IntShl, &[length, three], 0);
    build.op(Opcode::SetField, &[objects[0], shifted], kit.value.0);
    assert_eq!(remembered(&build.exit(&objects), 1), []);
    // A tagged reference does.
    let (mut build, objects) = Build::new(&[Ty::Ref]);
    let tagged = build.op(Opcode::RefToValue, &[objects[0]], 0);
    build.op(Opcode::SetField, &[objects[0], tagged], kit.value.0);
    assert_eq!(remembered(&build.exit(&objects), 1), [0]);
}

#[test]
fn new_objects_are_not_remembered_until_something_collects() {
    let kit = kit();
    let (mut build, objects) = Build::new(&[Ty::Ref]);
    let new = build.op(Opcode::New, &[], kit.ty.0);
    build.op(Opcode::SetField, &[new, objects[0]], kit.reference.0);
    let mut call = Op::new(Opcode::Call, &[]).with_descr(kit.call.0);
    call.list = build.0.push_list([]);
    build.0.push(call);
    build.op(Opcode::SetField, &[new, objects[0]], kit.reference.0);
    build.op(Opcode::SetField, &[objects[0], new], kit.reference.0);
    assert_eq!(remembered(&build.exit(&objects), 1), [-1, 0]);
}

/// So is one into which items are copied, or that is filled with references.
#[test]
fn runs_of_references_are_remembered() {
    let kit = kit();
    let (mut build, objects) = Build::new(&[Ty::Ref, Ty::Ref]);
    let [zero, one, two] = [0, 1, 2].map(|bits| build.0.push_const(Ty::Int, bits));
    let new = build.op(Opcode::NewArray, &[two], kit.ty.0);
    for target in [objects[1], new] {
        let descr = two_types(kit.ty, kit.ty);
        let mut copy = Op::new(Opcode::CopyItems, &[objects[0], target, two]).with_descr(descr);
        copy.list = build.0.push_list([zero, zero]);
        build.0.push(copy);
    }
    let mut fill = Op::new(Opcode::FillItems, &[objects[0], one, objects[1]]).with_descr(kit.ty.0);
    fill.list = build.0.push_list([two]);
    build.0.push(fill);
    assert_eq!(remembered(&build.exit(&objects), 2), [1, 0]);
}

/// Large objects are not made in the region of small ones.
#[test]
fn large_objects_are_allocated_the_slow_way() {
    extern "C" fn large(_: *const (), header: u64, size: usize) -> *mut u8 {
        ALLOCATED.set(ALLOCATED.get() + 1);
        let object: &mut [u64] = Box::leak(vec![0; size / 8].into_boxed_slice());
        object[0] = header;
        object.as_mut_ptr().cast()
    }
    let kit = kit();
    for (items, slow) in [(2000, 0), (MAX_BUMP / 8 - 4, 0), (MAX_BUMP / 8 - 3, 1), (3000, 1)] {
        for constant in [true, false] {
            let (mut build, inputs) = Build::new(&[Ty::Int]);
            let length = if constant { build.0.push_const(Ty::Int, items as u64) } else { inputs[0] };
            let new = build.op(Opcode::NewArray, &[length], kit.ty.0);
            let trace = build.exit(&[new]);
            for target in [&Eval::default() as &dyn Target, &X64::new(Options::default()).unwrap()] {
                let request = Request { entry: Entry::Fresh, first_guard: 0, invalid: std::ptr::null() };
                let code = target.compile(&trace, &request).unwrap();
                let mut memory = vec![0u64; 8192];
                let start = memory.as_mut_ptr() as usize;
                let mut bump = Bump { cursor: start, limit: start + 8 * memory.len() };
                let mut context = Context::new(std::ptr::null(), large);
                context.bump = &mut bump;
                ALLOCATED.set(0);
                let mut values = Vec::new();
                // SAFETY: the trace works on this memory.
                unsafe { target.run(code, &mut context, &[items as u64], &mut values) };
                assert_eq!((ALLOCATED.get(), bump.cursor == start), (slow, slow == 1), "{items} items");
            }
        }
    }
}

/// All registers survive the call.
#[test]
fn remembering_costs_no_registers() {
    let kit = kit();
    let types: Vec<Ty> = std::iter::repeat_n(Ty::Ref, 12).collect();
    let (mut build, objects) = Build::new(&types);
    let lengths: Vec<Operand> =
        objects.iter().map(|object| build.op(Opcode::Len, &[*object], kit.ty.0)).collect();
    let floats: Vec<Operand> =
        lengths.iter().map(|length| build.op(Opcode::IntToFloat, &[*length], 0)).collect();
    for (index, object) in objects.iter().enumerate() {
        build.op(Opcode::SetField, &[*object, objects[(index + 1) % 12]], kit.reference.0);
    }
    let back: Vec<Operand> = floats.iter().map(|float| build.op(Opcode::FloatToInt, &[*float], 0)).collect();
    for (index, object) in objects.iter().enumerate() {
        let sum = build.op(Opcode::IntAdd, &[lengths[index], back[index]], 0);
        build.op(Opcode::SetField, &[*object, sum], kit.number.0);
    }
    let trace = build.exit(&objects);
    assert_eq!(remembered(&trace, 12), (0..12).collect::<Vec<i64>>());
    MEMORY.with_borrow(|memory| {
        for (index, object) in memory.iter().enumerate() {
            assert_eq!((object[1], object[3]), (memory[(index + 1) % 12].as_ptr() as u64, 8));
        }
    });
}

/// What fits is tagged, without an allocation; the collector is told of the other.
#[test]
fn floats_that_do_not_fit_are_boxed() {
    let kit = kit();
    let (mut build, objects) = Build::new(&[Ty::Ref]);
    let length = build.op(Opcode::Len, &[objects[0]], kit.ty.0);
    let four = build.op(Opcode::IntToFloat, &[length], 0);
    let big = build.0.push_const(Ty::Float, 1e300f64.to_bits());
    let huge = build.op(Opcode::FloatMul, &[four, big], 0);
    for (field, float) in [(kit.value, huge), (kit.number, four)] {
        let value = build.op(Opcode::BoxFloat, &[float], kit.ty.0);
        build.op(Opcode::SetField, &[objects[0], value], field.0);
    }
    assert_eq!(remembered(&build.exit(&objects), 1), [0]);
    MEMORY.with_borrow(|memory| {
        assert_eq!(memory.len(), 2, "one box");
        assert_eq!(memory[1][1], 4e300f64.to_bits());
        assert_eq!(memory[0][2], memory[1].as_ptr() as u64 + 2);
        assert_eq!(memory[0][3], evaluate(Opcode::FloatToValue, 4f64.to_bits(), 0, 0));
    });
}
