//! Random declarations: some records, each perhaps with earlier ones inside, and a function that makes a number of all
//! that it is handed.

use std::cell::RefCell;
use std::fmt::Write;

use hotloop::Plain as Concrete;
use hotloop::foreign::{Foreign, Number, Scalar};

use super::{Random, room};
use crate::call::{Plain, Returned};
use crate::types::{Field, Function, Kind, NewField, Record, Type};
use crate::{long_double, memory};

/// What C calls numbers.
fn c_name(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::I8 => "signed char",
        Scalar::U8 => "unsigned char",
        Scalar::I16 => "short",
        Scalar::U16 => "unsigned short",
        Scalar::I32 => "int",
        Scalar::U32 => "unsigned",
        Scalar::I64 => "long",
        Scalar::U64 => "unsigned long",
        Scalar::F32 => "float",
        Scalar::F64 => "double",
    }
}

/// The declarations of a seed.
pub struct Declaration {
    pub seed: u64,
    records: Vec<&'static Type>,
    pub function: &'static Type,
    caller: &'static Type,
    blocks: RefCell<Vec<usize>>,
}

impl Declaration {
    /// Those of a seed.
    pub fn new(seed: u64) -> Declaration {
        let random = &mut Random::new(seed);
        let mut records = Vec::new();
        for number in 0..1 + random.below(3) {
            let union = random.below(4) == 0;
            let ty = Type::record(&format!("r_{seed}_{number}"), union);
            let fields = (0..1 + random.below(5)).map(|field| new_field(random, field, &records));
            let fields: Vec<NewField> = fields.collect();
            if ty.as_record().is_some_and(|record| record.complete(fields).is_ok()) {
                records.push(ty);
            }
        }
        let passed: Vec<&'static Type> = records.iter().copied().filter(|ty| is_passed(ty)).collect();
        let result = number_or_pointer(random);
        let most = if random.below(4) == 0 { 18 } else { 7 };
        let count = random.below(most);
        let args: Vec<&'static Type> = (0..count)
            .map(|_| match random.below(6) {
                0 if !passed.is_empty() => passed[random.below(passed.len())],
                _ => number_or_pointer(random),
            })
            .collect();
        let function = made(Type::function(result, args.clone(), false));
        let all = std::iter::once(made(Type::pointer(function))).chain(args).collect();
        let caller = made(Type::function(result, all, false));
        Declaration { seed, records, function, caller, blocks: RefCell::default() }
    }

    /// The type of the function that calls another one.
    pub fn caller(&self) -> &'static Function {
        match self.caller.as_function() {
            Some(function) => function,
            None => unreachable!("it is a function's type"),
        }
    }

    fn parts(&self) -> &'static Function {
        match self.function.as_function() {
            Some(function) => function,
            None => unreachable!("it is a function's type"),
        }
    }

    /// As C has it.
    pub fn text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    /// Appends the declarations to a program of C. (Writing to a string can't fail.)
    pub fn write(&self, out: &mut String) {
        let seed = self.seed;
        for ty in &self.records {
            let Some(record) = ty.as_record() else { continue };
            let _ = writeln!(out, "{} {{", spelled(ty));
            for field in record.body().into_iter().flat_map(|body| &body.fields) {
                let bits = field.bits.map_or(String::new(), |bits| format!(" : {}", bits.width));
                let _ = writeln!(out, "    {}{bits};", declared(field.ty, &field.name));
            }
            let _ = writeln!(out, "}};");
        }
        let _ = writeln!(out, "const unsigned long layout_{seed}[] = {{");
        for ty in &self.records {
            let name = spelled(ty);
            let _ = write!(out, "    sizeof({name}), _Alignof({name})");
            let fields =
                ty.as_record().and_then(|record| record.body()).into_iter().flat_map(|body| &body.fields);
            for field in fields.filter(|field| field.bits.is_none()) {
                let _ = write!(out, ", offsetof({name}, {})", field.name);
            }
            let _ = writeln!(out, ",");
        }
        let _ = writeln!(out, "0}};");
        let function = self.parts();
        let result = spelled(function.result);
        let parameters: Vec<String> =
            function.args.iter().enumerate().map(|(index, ty)| declared(ty, &format!("a{index}"))).collect();
        let names: Vec<String> = (0..function.args.len()).map(|index| format!("a{index}")).collect();
        let list = if parameters.is_empty() { "void".into() } else { parameters.join(", ") };
        let _ = writeln!(out, "{result} f_{seed}({list}) {{\n    unsigned long h = {seed}ul;");
        for (ty, name) in function.args.iter().zip(&names) {
            fold_text(ty, name, out);
        }
        let float = is_float(function.result);
        let value = if float { "(h % 4096) * 0.25" } else { "h" };
        let _ = writeln!(out, "    return ({result})({value});\n}}");
        let types: Vec<String> = function.args.iter().map(|ty| spelled(ty)).collect();
        let types = if types.is_empty() { "void".into() } else { types.join(", ") };
        let more = if parameters.is_empty() { String::new() } else { format!(", {}", parameters.join(", ")) };
        let _ = writeln!(
            out,
            "{result} c_{seed}({result} (*f)({types}){more}) {{ return f({}); }}",
            names.join(", ")
        );
    }

    /// What the records' layouts are with us, in the order in which C lists them.
    pub fn layout(&self) -> Vec<(String, u64)> {
        let mut list = Vec::new();
        for ty in &self.records {
            list.push((format!("the size of {ty}"), ty.size().unwrap_or(0)));
            list.push((format!("the alignment of {ty}"), ty.align()));
            let fields =
                ty.as_record().and_then(|record| record.body()).into_iter().flat_map(|body| &body.fields);
            let whole = fields.filter(|field| field.bits.is_none());
            list.extend(whole.map(|field| (format!("the offset of {} in {ty}", field.name), field.offset)));
        }
        list
    }

    /// Arguments for the function, and the number that it makes of them.
    pub fn arguments(&self, allowed: Foreign, random: &mut Random) -> Result<(Vec<Plain>, u64), String> {
        let mut hash = self.seed;
        let mut args = Vec::new();
        for ty in &self.parts().args {
            args.push(match scalar_of(ty) {
                Some(scalar) => number(random, scalar, &mut hash),
                None => {
                    let place = room(allowed, ty)?;
                    self.blocks.borrow_mut().push(place);
                    fill(allowed, random, ty, place, &mut hash);
                    Plain::At(place)
                }
            });
        }
        Ok((args, hash))
    }

    /// The number that the function makes of arguments.
    pub fn hash(&self, allowed: Foreign, args: &[Plain]) -> u64 {
        let mut hash = self.seed;
        for (ty, arg) in self.parts().args.iter().zip(args) {
            match *arg {
                Plain::Word(word) => mix(&mut hash, word),
                Plain::Float(float) => mix(&mut hash, (float * 4.0) as i64 as u64),
                Plain::At(place) => mix_value(allowed, ty, place, &mut hash),
            }
        }
        hash
    }

    /// Gives back what arguments were in.
    pub fn free(&self, allowed: Foreign) {
        for block in self.blocks.take() {
            // They were allocated above.
            let _ = memory::free(allowed, block);
        }
    }
}

fn made(ty: Result<&'static Type, crate::types::TypeError>) -> &'static Type {
    ty.unwrap_or_else(|error| unreachable!("the types are small: {error}"))
}

fn number_or_pointer(random: &mut Random) -> &'static Type {
    match random.below(12) {
        11 => Type::long_double(),
        10 => made(Type::pointer(Type::void())),
        number => Type::number(Scalar::ALL[number]),
    }
}

fn field_type(random: &mut Random, records: &[&'static Type]) -> &'static Type {
    match random.below(8) {
        0 if !records.is_empty() => records[random.below(records.len())],
        1 => {
            let of = field_type(random, records);
            made(Type::array(of, Some(1 + random.below(3) as u64)))
        }
        _ => number_or_pointer(random),
    }
}

/// A field, or some bits.
fn new_field(random: &mut Random, number: usize, records: &[&'static Type]) -> NewField {
    let name = format!("x{number}");
    if random.below(3) != 0 {
        return (name, field_type(random, records), None);
    }
    let scalar = Scalar::ALL[random.below(8)];
    let width = 1 + random.below(8 * scalar.size() as usize) as u32;
    (name, Type::number(scalar), Some(width))
}

/// Whether libffi can pass a record by value.
fn is_passed(ty: &'static Type) -> bool {
    made(Type::function(Type::void(), vec![ty], false))
        .as_function()
        .is_some_and(|function| crate::call::interface(function).is_ok())
}

fn is_float(ty: &Type) -> bool {
    matches!(ty.kind, Kind::LongDouble) || ty.scalar().is_some_and(Scalar::is_float)
}

/// As what a number goes.
fn scalar_of(ty: &Type) -> Option<Scalar> {
    if is_float(ty) { ty.scalar().or(Some(Scalar::F64)) } else { ty.scalar() }
}

/// Fields of a record; of a union its largest one.
fn fields_of(record: &Record) -> impl Iterator<Item = &Field> {
    let fields = record.body().map_or(&[][..], |body| &body.fields);
    let size = |field: &&Field| match field.bits {
        Some(bits) => u64::from(bits.width),
        None => field.ty.size().unwrap_or(0) * 8,
    };
    let largest = fields.iter().rev().max_by_key(size);
    fields.iter().filter(move |field| !record.union || largest.is_some_and(|one| std::ptr::eq(one, *field)))
}

fn mix(hash: &mut u64, word: u64) {
    *hash = hash.wrapping_mul(31).wrapping_add(word);
}

fn load(allowed: Foreign, scalar: Scalar, place: usize) -> u64 {
    match allowed.load::<Concrete>(scalar, (place as i64).into(), 0.into()) {
        Number::Word(word) => word.get() as u64,
        Number::Float(float) => (float.get() * 4.0) as i64 as u64,
    }
}

/// Mixes a value in memory as C does it.
fn mix_value(allowed: Foreign, ty: &Type, place: usize, hash: &mut u64) {
    match &ty.kind {
        Kind::Array(of, Some(length)) => {
            let size = of.size().unwrap_or(0) as usize;
            (0..*length as usize).for_each(|index| mix_value(allowed, of, place + index * size, hash));
        }
        Kind::Record(record) => {
            for field in fields_of(record) {
                let place = place + field.offset as usize;
                match (field.bits, field.ty.scalar()) {
                    (Some(bits), Some(scalar)) => mix(hash, bits.read(scalar, load(allowed, scalar, place))),
                    _ => mix_value(allowed, field.ty, place, hash),
                }
            }
        }
        Kind::LongDouble => {
            let (low, high) = (load(allowed, Scalar::U64, place), load(allowed, Scalar::U16, place + 8));
            let float = long_double::to_float(u128::from(high) << 64 | u128::from(low));
            mix(hash, (float * 4.0) as i64 as u64);
        }
        _ => mix(hash, load(allowed, ty.scalar().unwrap_or(Scalar::U64), place)),
    }
}

fn spelled(ty: &Type) -> String {
    match &ty.kind {
        Kind::Number(scalar) => c_name(*scalar).into(),
        Kind::LongDouble => "long double".into(),
        Kind::Record(record) if record.union => format!("union {}", record.name),
        Kind::Record(record) => format!("struct {}", record.name),
        _ => "void *".into(),
    }
}

fn declared(ty: &Type, name: &str) -> String {
    match ty.kind {
        Kind::Array(of, Some(length)) => declared(of, &format!("{name}[{length}]")),
        _ => format!("{} {name}", spelled(ty)),
    }
}

/// The lines of C that mix a value into `h`.
fn fold_text(ty: &Type, name: &str, out: &mut String) {
    match &ty.kind {
        Kind::Array(of, Some(length)) => {
            (0..*length).for_each(|index| fold_text(of, &format!("{name}[{index}]"), out));
        }
        Kind::Record(record) => {
            for field in fields_of(record) {
                fold_text(field.ty, &format!("{name}.{}", field.name), out);
            }
        }
        _ => {
            let value = if is_float(ty) { format!("(long)({name} * 4)") } else { name.into() };
            let _ = writeln!(out, "    h = h * 31 + (unsigned long){value};");
        }
    }
}

/// A random number, mixed into the hash as C does it. Floats are quarters, which are the same in 32 bits.
fn number(random: &mut Random, scalar: Scalar, hash: &mut u64) -> Plain {
    let word = random.word() >> random.below(60);
    let (plain, mixed) = if scalar.is_float() {
        let quarters = (word % 8192) as i64 - 4096;
        (Plain::Float(quarters as f64 * 0.25), quarters as u64)
    } else {
        let word = scalar.extend(word);
        (Plain::Word(word), word)
    };
    mix(hash, mixed);
    plain
}

/// Fills a value in memory.
fn fill(allowed: Foreign, random: &mut Random, ty: &Type, place: usize, hash: &mut u64) {
    match &ty.kind {
        Kind::Array(of, Some(length)) => {
            let size = of.size().unwrap_or(0) as usize;
            (0..*length as usize).for_each(|index| fill(allowed, random, of, place + index * size, hash));
        }
        Kind::Record(record) => {
            for field in fields_of(record) {
                let place = place + field.offset as usize;
                let (Some(bits), Some(scalar)) = (field.bits, field.ty.scalar()) else {
                    fill(allowed, random, field.ty, place, hash);
                    continue;
                };
                let word = bits.write(load(allowed, scalar, place), random.word());
                mix(hash, bits.read(scalar, word));
                let word: Number<Concrete> = super::number(&Plain::Word(word));
                allowed.store(scalar, (place as i64).into(), 0.into(), word);
            }
        }
        Kind::LongDouble => {
            let Plain::Float(float) = number(random, Scalar::F64, hash) else { return };
            memory::write(allowed, place, &long_double::from_float(float).to_ne_bytes());
        }
        _ => {
            let scalar = ty.scalar().unwrap_or(Scalar::U64);
            let value: Number<Concrete> = super::number(&number(random, scalar, hash));
            allowed.store(scalar, (place as i64).into(), 0.into(), value);
        }
    }
}

/// What a function of this result gives for a hash.
pub fn value_of(ty: &Type, hash: u64) -> Returned {
    match scalar_of(ty) {
        Some(scalar) if scalar.is_float() => Returned::Float((hash % 4096) as f64 * 0.25),
        Some(scalar) => Returned::Word(scalar.extend(hash)),
        None => Returned::Nothing,
    }
}
