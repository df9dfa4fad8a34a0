//! Random declarations: some records, each perhaps with earlier ones inside, and a function that makes a number of all
//! that it is handed.

use std::cell::RefCell;
use std::fmt::Write;

use hotloop::Plain as Concrete;
use hotloop::foreign::{Foreign, Number, Scalar};

use super::{Random, room};
use crate::call::{Plain, Returned};
use crate::memory;
use crate::types::{Function, Kind, Type};

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
            let fields =
                (0..1 + random.below(5)).map(|field| (format!("x{field}"), field_type(random, &records)));
            let fields: Vec<(String, &'static Type)> = fields.collect();
            if ty.as_record().is_some_and(|record| record.complete(fields).is_ok()) {
                records.push(ty);
            }
        }
        let plain = |ty: &&&'static Type| is_passed(ty);
        let passed: Vec<&'static Type> = records.iter().filter(plain).copied().collect();
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
                let _ = writeln!(out, "    {};", declared(field.ty, &field.name));
            }
            let _ = writeln!(out, "}};");
        }
        let _ = writeln!(out, "const unsigned long layout_{seed}[] = {{");
        for ty in &self.records {
            let name = spelled(ty);
            let _ = write!(out, "    sizeof({name}), _Alignof({name})");
            let fields =
                ty.as_record().and_then(|record| record.body()).into_iter().flat_map(|body| &body.fields);
            for field in fields {
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
        let float = function.result.scalar().is_some_and(Scalar::is_float);
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
            list.extend(fields.map(|field| (format!("the offset of {} in {ty}", field.name), field.offset)));
        }
        list
    }

    /// Arguments for the function, and the number that it makes of them.
    pub fn arguments(&self, allowed: Foreign, random: &mut Random) -> Result<(Vec<Plain>, u64), String> {
        let mut hash = self.seed;
        let mut args = Vec::new();
        for ty in &self.parts().args {
            args.push(match ty.scalar() {
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
    match random.below(11) {
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

/// Whether a record goes by value: libffi has no unions.
fn is_passed(ty: &Type) -> bool {
    match &ty.kind {
        Kind::Record(record) => {
            !record.union
                && record.body().is_some_and(|body| body.fields.iter().all(|field| is_passed(field.ty)))
        }
        Kind::Array(of, _) => is_passed(of),
        _ => true,
    }
}

fn spelled(ty: &Type) -> String {
    match &ty.kind {
        Kind::Number(scalar) => c_name(*scalar).into(),
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
            for field in record.body().into_iter().flat_map(|body| &body.fields) {
                fold_text(field.ty, &format!("{name}.{}", field.name), out);
            }
        }
        _ => {
            let float = ty.scalar().is_some_and(Scalar::is_float);
            let value = if float { format!("(long)({name} * 4)") } else { name.into() };
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
    *hash = hash.wrapping_mul(31).wrapping_add(mixed);
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
            for field in record.body().into_iter().flat_map(|body| &body.fields) {
                fill(allowed, random, field.ty, place + field.offset as usize, hash);
            }
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
    match ty.scalar() {
        Some(scalar) if scalar.is_float() => Returned::Float((hash % 4096) as f64 * 0.25),
        Some(scalar) => Returned::Word(scalar.extend(hash)),
        None => Returned::Nothing,
    }
}
