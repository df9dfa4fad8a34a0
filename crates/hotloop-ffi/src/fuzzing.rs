//! Random types: their texts, their layouts, and functions of them. What a C compiler makes of the same declarations is
//! right.
//!
//! [`texts`] reads random and broken texts: whatever is read prints as a text that reads back. [`Library`] is a shared
//! library that a C compiler has made of random declarations, with what they came to; [`Library::check`] holds our
//! layouts against that, and calls every function through libffi, without it, and as a callback's caller.

mod declare;

use std::cell::Cell;
use std::path::Path;
use std::process::Command;

use hotloop::foreign::{Foreign, Number, Scalar};
use hotloop::{Float, Int, Plain as Concrete};

use crate::call::{Plain, Returned, call};
use crate::callback::{self, Handler};
use crate::text::parse;
use crate::types::{Type, TypeError};
use crate::{library, memory};
use declare::{Declaration, value_of};

/// A generator of numbers: the same ones for a seed.
pub struct Random(u64);

impl Random {
    /// For a seed.
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Any word.
    pub fn word(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below a limit.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.word() >> 33) as usize % limit
    }
}

/// A random text of a type, most of the time one that means something.
fn text(random: &mut Random, depth: u32) -> String {
    match random.below(if depth > 6 { 4 } else { 8 }) {
        0 => "void".into(),
        1..=3 => Scalar::ALL[random.below(Scalar::ALL.len())].name().into(),
        4 | 5 => format!("pointer {}", text(random, depth + 1)),
        6 => {
            let of = text(random, depth + 1);
            let lengths = ["", " 0", " 3", " 18446744073709551615", " 99999999999999999999", " -1"];
            format!("array {of}{}", lengths[random.below(lengths.len())])
        }
        _ => {
            let args: Vec<String> = (0..random.below(4)).map(|_| text(random, depth + 1)).collect();
            let more = if random.below(4) == 0 { " ..." } else { "" };
            format!("cfunc {} [{}{more}]", text(random, depth + 1), args.join(" "))
        }
    }
}

/// Reads a text that may be broken; what can be read, prints and reads back as the same type.
///
/// # Errors
/// It does not; the text says how.
pub fn texts(seed: u64) -> Result<(), String> {
    let random = &mut Random::new(seed);
    let mut text = text(random, 0);
    let pieces = ["[", "]", "...", "pointer", "array", "cfunc", "i32", "void", "7", "\u{e4}", "x", "", "  "];
    for _ in 0..random.below(3) {
        let mut words: Vec<&str> = text.split(' ').collect();
        let at = random.below(words.len());
        match random.below(3) {
            0 => drop(words.remove(at)),
            1 => words.insert(at, pieces[random.below(pieces.len())]),
            _ => words[at] = pieces[random.below(pieces.len())],
        }
        text = words.join(" ");
        if text.is_empty() {
            text.push('i');
        }
    }
    let read = |text: &str| parse(text, &mut |name, _| Err(TypeError(format!("there is no type {name}"))));
    let Ok(ty) = read(&text) else { return Ok(()) };
    // Sizes must come out, or say why not.
    let _ = (ty.size(), ty.align(), ty.as_function().map(|function| function.direct()));
    match read(&ty.to_string().replace('\u{2026}', "...")) {
        Ok(again) if std::ptr::eq(again, ty) => Ok(()),
        Ok(again) => Err(format!("`{text}` is {ty}, which reads back as {again}")),
        Err(error) => Err(format!("`{text}` is {ty}, which does not read back: {error}")),
    }
}

/// Random declarations, compiled.
pub struct Library {
    library: &'static library::Library,
    declarations: Vec<Declaration>,
}

impl Library {
    /// Compiles declarations for so many seeds, in a folder for such things.
    ///
    /// # Errors
    /// There is no C compiler, or it doesn't like them.
    pub fn compile(allowed: Foreign, first: u64, count: u64, folder: &Path) -> Result<Library, String> {
        let declarations: Vec<Declaration> = (first..first + count).map(Declaration::new).collect();
        let mut program = String::from("#include <stddef.h>\n");
        declarations.iter().for_each(|declaration| declaration.write(&mut program));
        let source = folder.join(format!("types-{first}.c"));
        let object = folder.join(format!("types-{first}.so"));
        std::fs::write(&source, program).map_err(|error| format!("{}: {error}", source.display()))?;
        let mut compiler = Command::new("cc");
        compiler.args(["-w", "-O1", "-shared", "-fPIC", "-o"]).arg(&object).arg(&source);
        let output = compiler.output().map_err(|error| format!("cc: {error}"))?;
        if !output.status.success() {
            return Err(format!("{}: {}", source.display(), String::from_utf8_lossy(&output.stderr)));
        }
        let library = library::Library::open(allowed, object.to_str())?;
        Ok(Library { library, declarations })
    }

    /// Holds everything against what the compiler has made.
    ///
    /// # Errors
    /// What differs, with its seed.
    pub fn check(&self, allowed: Foreign) -> Result<(), String> {
        for declaration in &self.declarations {
            self.check_one(allowed, declaration)
                .map_err(|error| format!("seed {}: {error}\n{}", declaration.seed, declaration.text()))?;
        }
        Ok(())
    }

    fn symbol(&self, name: &str) -> Result<usize, String> {
        self.library.symbol(name).ok_or_else(|| format!("no symbol {name}"))
    }

    fn check_one(&self, allowed: Foreign, declaration: &Declaration) -> Result<(), String> {
        let seed = declaration.seed;
        let layout = self.symbol(&format!("layout_{seed}"))?;
        let expected = |index: usize| {
            let place = (layout + 8 * index) as i64;
            match allowed.load::<Concrete>(Scalar::U64, place.into(), 0.into()) {
                Number::Word(word) => word.get() as u64,
                Number::Float(_) => 0,
            }
        };
        for (index, (what, ours)) in declaration.layout().into_iter().enumerate() {
            let theirs = expected(index);
            if ours != theirs {
                return Err(format!("{what} is {theirs}, not {ours}"));
            }
        }
        let function = declaration.function.as_function().ok_or("no function")?;
        let address = self.symbol(&format!("f_{seed}"))?;
        for round in 0..4 {
            let random = &mut Random::new(seed ^ round << 40);
            let (args, hash) = declaration.arguments(allowed, random)?;
            let wanted = value_of(function.result, hash);
            let given = call(allowed, function, address, &args).map_err(|error| error.to_string())?;
            same(&wanted, &given, "through libffi")?;
            if let Some(how) = function.direct() {
                let numbers: Vec<Number<Concrete>> = args.iter().map(number).collect();
                let given = allowed.call(how, false, Int::from(address as i64), &numbers);
                same(&wanted, &returned(given), "called directly")?;
            }
            if let Ok(back) = callback::make(allowed, OWNER, 0, function) {
                let handler = Echo { wanted: wanted.clone(), declaration, allowed, seen: Cell::new(0) };
                let all: Vec<Plain> =
                    [Plain::Word(back.address() as u64)].into_iter().chain(args.iter().copied()).collect();
                let caller = self.symbol(&format!("c_{seed}"))?;
                let given = callback::serve(&handler, || call(allowed, declaration.caller(), caller, &all));
                same(&wanted, &given.map_err(|error| error.to_string())?, "as a callback gave it")?;
                if handler.seen.get() != hash {
                    return Err(format!("a callback was not handed {args:?}"));
                }
            }
        }
        declaration.free(allowed);
        Ok(())
    }
}

/// The number of the handler below.
const OWNER: u64 = u64::MAX;

/// Answers what is wanted, and keeps what it makes of what it was handed.
struct Echo<'a> {
    wanted: Returned,
    declaration: &'a Declaration,
    allowed: Foreign,
    seen: Cell<u64>,
}

impl Handler for Echo<'_> {
    fn owner(&self) -> u64 {
        OWNER
    }
    fn call(&self, _number: usize, args: &[Plain]) -> Returned {
        self.seen.set(self.declaration.hash(self.allowed, args));
        self.wanted.clone()
    }
}

fn number(plain: &Plain) -> Number<Concrete> {
    match plain {
        Plain::Word(word) => Number::Word(Int::from(*word as i64)),
        Plain::Float(float) => Number::Float(Float::from(*float)),
        Plain::At(address) => Number::Word(Int::from(*address as i64)),
    }
}

fn returned(number: Option<Number<Concrete>>) -> Returned {
    match number {
        None => Returned::Nothing,
        Some(Number::Word(word)) => Returned::Word(word.get() as u64),
        Some(Number::Float(float)) => Returned::Float(float.get()),
    }
}

fn same(wanted: &Returned, given: &Returned, how: &str) -> Result<(), String> {
    if wanted == given { Ok(()) } else { Err(format!("{how}: {given:?}, not {wanted:?}")) }
}

/// Bytes of a type's value at an address, for messages and checks.
fn room(allowed: Foreign, ty: &Type) -> Result<usize, String> {
    let size = ty.size().map_err(|error| error.to_string())?;
    memory::allocate(allowed, size as usize).ok_or_else(|| "no memory".into())
}
