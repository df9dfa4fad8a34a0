//! The text form, inwards: what [`crate::print`] writes, and what people write in tests.
//!
//! One line each; `#` starts a comment; commas separate operands. Grammar (`?` optional, `*` repeated):
//!
//! ```text
//! line        = declaration | operation | fact | event | resume | part
//! declaration = "type" NAME ("id" N)? ("size" N)? "{" (field (";" field)*)? "}" ("items" KIND MUTABILITY)? "virtualizable"?
//!             | "function" NAME "effect" ("elidable" | "reads" | "outside" | "writes" | "any") "raises"? ("returns" TY)?
//!               ("foreign" "[" SCALAR* "]" (SCALAR | "void"))? ("address" N)?
//! field       = "field" NAME KIND OFFSET MUTABILITY
//! operation   = (NAME "=")? OPCODE operand* descr? list? ("!" N)?          one that has no result is numbered, too
//! descr       = OWNER.FIELD | TYPE | TYPE TYPE | FUNCTION | N | TY | SCALAR | N list ("events" N)?      as the operation wants it
//! list        = "[" operand* "]"
//! operand     = NAME | integer | float | "@0x.." | "null" | "bits:0x.." | "_"      _ is no operand
//! fact        = "fact" NAME knowledge             after a resume: what is known there
//! knowledge   = "any" | ("int" LO? ".." HI?)? ("zeros=" N)? ("ones=" N)? ("tags=" N)? ("type=" TYPE)?
//! event       = "event" N ("read" | "write" | "alloc" | "call_reads" | "call_writes")
//!               operand? ("->" operand)? ("raised" operand)? ("check" N)?
//! entry       = "entry" N ":" ("self" | N) "frame" N "slots" "[" N* "]" "callers" "[" (N "=" N)* "]"
//! returning   = "returning" "[" part* "]" "same" "[" (part "=" operand)* "]"          what is handed over, what is not
//! tokens      = "tokens" "[" operand* "]"
//! resume      = "resume" N ":" "at" N "state" "[" desc* "]" ("events" N)? "flushed"?
//! part        = ("word" | "slot") N
//! piece       = "object" N ("virtual" N | "joined" desc "[" run* "]" | "existing" operand) TYPE "[" desc* "]"   pieces of the last resume
//!             | "store" desc (OWNER.FIELD | "slot" TYPE N | "item" TYPE desc) "=" desc
//!             | "log" N "check" N ("skip" | "result" desc | "outcome" desc desc)
//! desc        = operand | "obj"N | "dead" | "keep" | OPCODE "(" desc* ")"
//! KIND        = "int" | "float" | "ref" | "value" | "byte"
//! MUTABILITY  = "mutable" | "immutable" | "stable" | "waiting"
//! TY          = "int" | "ref" | "float"
//! SCALAR      = "i8" | "u8" | … | "u64" | "f32" | "f64"
//! ```
//!
//! Names of values are free (`i0`, `p1`): operations are numbered as they come. Types and functions are
//! those of the declarations above, else those of the process with that name. Names that are not one
//! word stand in double quotes.

use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;

use crate::descr::{
    CallDescr, CallId, Effect, FieldDescr, FieldId, FieldKind, Mutability, TypeDescr, TypeRef,
};
use crate::fact::Fact;
use crate::foreign::{Scalar, Signature};
use crate::ops::Opcode;
use crate::print::{DescrKind, descr_kind};
use crate::resume::{Desc, Feed, Log, ObjectDesc, ObjectKind, Place, Resume, Run, Store};
use crate::trace::{
    Const, EntryCall, Event, EventKind, Instr, Op, Operand, Part, Returning, Trace, Ty, Var, two_types,
};

/// Text that is not a trace.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParseError {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for ParseError {}

/// Reads a trace.
///
/// The text is not verified beyond what reading needs: [`crate::verify::verify`] does that.
///
/// ```
/// let trace = hotloop_ir::parse::parse("i0 = input int\ni1 = int_add i0, 4\nloop [i1]")?;
/// assert_eq!(trace.to_string(), "v0 = input int\nv1 = int_add v0, 4\nloop [v1]\n");
/// # Ok::<(), hotloop_ir::parse::ParseError>(())
/// ```
pub fn parse(text: &str) -> Result<Trace, ParseError> {
    let mut parser = Parser::default();
    for (index, text) in text.lines().enumerate() {
        let mut line = Line::new(text, index + 1)?;
        if !line.at_end() {
            parser.line(&mut line)?;
            if !line.at_end() {
                return Err(line.error("unexpected"));
            }
        }
    }
    Ok(parser.trace)
}

type Result<T, E = ParseError> = std::result::Result<T, E>;

/// A line as tokens: words, and `, [ ] ( ) { } ; =` on their own.
struct Line<'a> {
    number: usize,
    tokens: Vec<(usize, &'a str)>,
    next: usize,
    end: usize,
}

impl<'a> Line<'a> {
    fn new(text: &'a str, number: usize) -> Result<Line<'a>> {
        let mut tokens = Vec::new();
        let mut rest = text;
        loop {
            rest = rest.trim_start();
            let start = text.len() - rest.len();
            let Some(first) = rest.chars().next().filter(|first| *first != '#') else { break };
            let special = |c: char| ",[](){};=".contains(c);
            let len = match first {
                '"' => rest[1..].find('"').map(|close| close + 2),
                first if special(first) => Some(1),
                _ => Some(
                    rest.find(|c: char| special(c) || c.is_whitespace() || c == '#').unwrap_or(rest.len()),
                ),
            };
            let column = start + 1;
            let Some(len) = len else {
                return Err(ParseError { line: number, column, message: "missing closing quote".into() });
            };
            tokens.push((column, &rest[..len]));
            rest = &rest[len..];
        }
        Ok(Line { number, tokens, next: 0, end: text.len() + 1 })
    }

    fn at_end(&self) -> bool {
        self.next == self.tokens.len()
    }

    fn peek(&self) -> Option<&'a str> {
        self.tokens.get(self.next).map(|(_, token)| *token)
    }

    /// An error at the next token, which is named after the message.
    fn error(&self, message: &str) -> ParseError {
        let (column, found) = self.tokens.get(self.next).copied().unwrap_or((self.end, "end of line"));
        ParseError { line: self.number, column, message: format!("{message} `{found}`") }
    }

    /// What `read` makes of the next token, or an error that says what was wanted.
    fn take<T>(&mut self, wanted: &str, read: impl FnOnce(&'a str) -> Option<T>) -> Result<T> {
        match self.peek().and_then(read) {
            Some(value) => {
                self.next += 1;
                Ok(value)
            }
            None => Err(self.error(&format!("expected {wanted}, found"))),
        }
    }

    /// Whether the next token is this one; takes it.
    fn eat(&mut self, token: &str) -> bool {
        let found = self.peek() == Some(token);
        self.next += found as usize;
        found
    }

    fn expect(&mut self, token: &str) -> Result<()> {
        self.take(&format!("`{token}`"), |found| (found == token).then_some(()))
    }

    fn name(&mut self, what: &str) -> Result<&'a str> {
        self.take(what, |token| match token.strip_prefix('"') {
            Some(quoted) => quoted.strip_suffix('"'),
            None => token.starts_with(|c: char| c.is_alphabetic() || c == '_').then_some(token),
        })
    }

    fn number(&mut self) -> Result<u32> {
        self.take("a number", |token| token.parse().ok())
    }

    /// A number behind a keyword, if that comes next.
    fn number_after(&mut self, keyword: &str) -> Result<Option<u32>> {
        if self.eat(keyword) { self.number().map(Some) } else { Ok(None) }
    }

    fn word(&mut self) -> Result<u64> {
        self.take("a word", integer)
    }

    /// Things between brackets, with or without commas.
    fn between<T>(
        &mut self,
        open: &str,
        close: &str,
        mut read: impl FnMut(&mut Self) -> Result<T>,
    ) -> Result<Vec<T>> {
        self.expect(open)?;
        let mut all = Vec::new();
        while !self.eat(close) {
            all.push(read(self)?);
            if self.peek() != Some(close) {
                self.expect(",")?;
            }
        }
        Ok(all)
    }
}

/// A word, signed or in hexadecimal.
fn integer(token: &str) -> Option<u64> {
    match token.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => token.parse::<i64>().map(|word| word as u64).ok(),
    }
}

/// A constant, if the token is one.
fn constant(token: &str) -> Option<Const> {
    if let Some(address) = token.strip_prefix('@') {
        return Some(Const { ty: Ty::Ref, bits: integer(address)? });
    }
    if let Some(bits) = token.strip_prefix("bits:") {
        return Some(Const { ty: Ty::Float, bits: integer(bits)? });
    }
    match token {
        "null" => return Some(Const { ty: Ty::Ref, bits: 0 }),
        "inf" | "-inf" => {}
        _ if !token.starts_with(|c: char| c.is_ascii_digit() || c == '-') => return None,
        // What has neither point nor exponent is an integer, or too great for one.
        _ if token.starts_with("0x") || !token.contains(['.', 'e']) => {
            return Some(Const { ty: Ty::Int, bits: integer(token)? });
        }
        _ => {}
    }
    Some(Const { ty: Ty::Float, bits: token.parse::<f64>().ok()?.to_bits() })
}

fn ty(token: &str) -> Option<Ty> {
    [Ty::Int, Ty::Ref, Ty::Float].into_iter().find(|ty| ty.name() == token)
}

fn field_kind(token: &str) -> Option<FieldKind> {
    use FieldKind::*;
    [Int, Float, Ref, Value, Byte].into_iter().find(|kind| kind.name() == token)
}

fn mutability(token: &str) -> Option<Mutability> {
    use Mutability::*;
    [Mutable, Immutable, Stable, Waiting].into_iter().find(|mutability| mutability.name() == token)
}

fn effect(token: &str) -> Option<Effect> {
    use Effect::*;
    [Elidable, Invariant, Looks, Reads, Outside, Writes, Any]
        .into_iter()
        .find(|effect| effect.name() == token)
}

/// `[SCALAR*] SCALAR|void`
fn signature(line: &mut Line) -> Result<Signature> {
    let args = line.between("[", "]", |line| line.take("a number's kind, like i32", Scalar::from_name))?;
    let result = match line.eat("void") {
        true => None,
        false => Some(line.take("a number's kind or void", Scalar::from_name)?),
    };
    Signature::new(args, result).ok_or_else(|| before(line, "more arguments than registers"))
}

/// The trace so far, and what its names mean.
#[derive(Default)]
struct Parser {
    trace: Trace,
    values: HashMap<String, Var>,
    consts: HashMap<Const, Operand>,
    types: HashMap<String, TypeRef>,
    calls: HashMap<String, CallId>,
}

impl Parser {
    fn line(&mut self, line: &mut Line) -> Result<()> {
        let start = line.next;
        line.next += 1;
        match line.tokens[start].1 {
            "type" => self.declare_type(line),
            "function" => self.declare_function(line),
            "fact" => self.fact(line),
            "event" => self.event(line),
            "entry" => self.entry(line),
            "returning" => self.returning(line),
            "tokens" => self.tokens(line),
            "resume" => self.resume(line),
            "object" | "store" | "log" | "kept" if self.trace.resumes.is_empty() => {
                line.next = start;
                Err(line.error("no resume before"))
            }
            "object" => self.object(line),
            "store" => self.store(line),
            "log" => self.log(line),
            "kept" => {
                let kept = line.between("[", "]", |line| self.operand(line))?;
                self.last().kept = Rc::new(kept);
                Ok(())
            }
            _ => {
                line.next = start;
                self.operation(line)
            }
        }
    }

    fn declare_type(&mut self, line: &mut Line) -> Result<()> {
        let name = line.name("a type's name")?.to_string();
        let (mut id, mut fixed_size) = (0, 8);
        while line.peek() != Some("{") {
            match line
                .take("`id`, `size` or `{`", |token| ["id", "size"].iter().find(|word| **word == token))?
            {
                &"id" => id = line.number()?,
                _ => fixed_size = line.number()?,
            }
        }
        line.expect("{")?;
        let mut fields = Vec::new();
        while !line.eat("}") {
            line.expect("field")?;
            fields.push(FieldId::intern(FieldDescr {
                owner: name.clone(),
                name: line.name("a field's name")?.into(),
                kind: line.take("int, float, ref, value or byte", field_kind)?,
                offset: line.number()?,
                mutability: line.take("mutable, immutable, stable or waiting", mutability)?,
            }));
            if line.peek() != Some("}") {
                line.expect(";")?;
            }
        }
        let items = match line.eat("items") {
            true => Some((
                line.take("int, float, ref, value or byte", field_kind)?,
                line.take("mutable, immutable or stable", mutability)?,
            )),
            false => None,
        };
        let virtualizable = line.eat("virtualizable");
        let ty =
            TypeRef::intern(TypeDescr { name: name.clone(), id, fixed_size, fields, items, virtualizable });
        self.types.insert(name, ty);
        Ok(())
    }

    fn declare_function(&mut self, line: &mut Line) -> Result<()> {
        let name = line.name("a function's name")?.to_string();
        line.expect("effect")?;
        let effect = line.take("elidable, reads, outside, writes or any", effect)?;
        let raises = line.eat("raises");
        let result = if line.eat("returns") { Some(line.take("int, ref or float", ty)?) } else { None };
        let foreign = if line.eat("foreign") { Some(signature(line)?) } else { None };
        let address = if line.eat("address") { line.word()? as usize } else { 0 };
        let call = CallId::intern(CallDescr { name: name.clone(), address, result, effect, raises, foreign });
        self.calls.insert(name, call);
        Ok(())
    }

    fn operation(&mut self, line: &mut Line) -> Result<()> {
        let named = line.tokens.get(line.next + 1).is_some_and(|(_, token)| *token == "=");
        let name = if named { Some(self.new_name(line)?) } else { None };
        let code = line.take("an operation", Opcode::from_name)?;
        let mut args = Vec::new();
        for index in 0..code.shape().args.len() {
            if index > 0 {
                line.expect(",")?;
            }
            args.push(self.operand(line)?);
        }
        let mut op = Op::new(code, &args);
        op.descr = match descr_kind(code) {
            DescrKind::None => 0,
            DescrKind::Number => line.number()?,
            DescrKind::Ty => line.take("int, ref or float", ty)?.number(),
            DescrKind::Field => self.field(line)?.0,
            DescrKind::Type => self.type_ref(line)?.0,
            DescrKind::TwoTypes => {
                let one = self.type_ref(line)?;
                two_types(one, self.type_ref(line)?)
            }
            DescrKind::Call => {
                let call = line.name("a function")?;
                let known = self.calls.get(call).copied().or_else(|| CallId::by_name(call));
                known.ok_or_else(|| before(line, "unknown function"))?.0
            }
            DescrKind::Scalar => line.take("a number's kind, like i32", Scalar::from_name)? as u32,
            DescrKind::Instr => {
                let position = line.number()?;
                let state = line.between("[", "]", |line| self.operand(line))?;
                let first_event = line.number_after("events")?.unwrap_or(0);
                self.trace.instrs.push(Instr { position, state, first_event });
                self.trace.instrs.len() as u32 - 1
            }
        };
        if code.shape().list {
            let operands = line.between("[", "]", |line| self.operand(line))?;
            op.list = self.trace.push_list(operands);
        }
        if line.peek().is_some_and(|token| token.starts_with('!')) {
            op.resume = line.take("`!` and a number", |token| token[1..].parse().ok())?;
        }
        let var = self.trace.push(op);
        self.values.extend(name.map(|name| (name, var)));
        Ok(())
    }

    /// The name that a line defines, and its `=`.
    fn new_name(&mut self, line: &mut Line) -> Result<String> {
        let name = line.name("a value's name")?;
        if self.values.contains_key(name) || constant(name).is_some() || name == "_" {
            return Err(before(line, "not a new name"));
        }
        line.expect("=")?;
        Ok(name.to_string())
    }

    fn operand(&mut self, line: &mut Line) -> Result<Operand> {
        if line.eat("_") {
            return Ok(Operand::NONE);
        }
        if let Some(value) = line.peek().and_then(constant) {
            line.next += 1;
            let trace = &mut self.trace;
            return Ok(*self.consts.entry(value).or_insert_with(|| trace.push_const(value.ty, value.bits)));
        }
        let var = line.take("a value", |token| self.values.get(token).copied());
        var.map(Operand::var)
    }

    fn type_ref(&self, line: &mut Line) -> Result<TypeRef> {
        let name = line.name("a type")?;
        let known = self.types.get(name).copied().or_else(|| TypeRef::by_name(name));
        known.ok_or_else(|| before(line, "unknown type"))
    }

    fn field(&self, line: &mut Line) -> Result<FieldId> {
        let name = line.name("a field")?;
        let found = name.rsplit_once('.').and_then(|(owner, name)| match self.types.get(owner) {
            Some(ty) => ty.get().fields.iter().copied().find(|field| field.get().name == name),
            None => FieldId::by_name(owner, name),
        });
        found.ok_or_else(|| before(line, "unknown field"))
    }

    fn fact(&mut self, line: &mut Line) -> Result<()> {
        let var = line.take("a value", |token| self.values.get(token).copied())?;
        let mut fact = Fact::ANY;
        if line.eat("int") {
            (fact.lo, fact.hi) = line.take("LO..HI", |token| {
                let (lo, hi) = token.split_once("..")?;
                let lo = if lo.is_empty() { i64::MIN } else { lo.parse().ok()? };
                Some((lo, if hi.is_empty() { i64::MAX } else { hi.parse().ok()? }))
            })?;
            (fact.zeros, fact.ones) = fact.bits_of_range();
        }
        line.eat("any");
        for part in ["zeros", "ones", "tags", "type"] {
            if !line.eat(part) {
                continue;
            }
            line.expect("=")?;
            match part {
                "zeros" => fact.zeros |= line.word()?,
                "ones" => fact.ones |= line.word()?,
                "tags" => fact.tags = line.word()? as u8,
                _ => fact.heap_type = Some(self.type_ref(line)?.0),
            }
        }
        fact.tags &= fact.tags_of_bits();
        match self.trace.resumes.last_mut() {
            Some(resume) => resume.facts.push((var, fact)),
            None => self.trace.facts.push((var, fact)),
        }
        Ok(())
    }

    fn event(&mut self, line: &mut Line) -> Result<()> {
        let count = self.trace.events.len() as u32;
        line.take(&format!("event number {count}"), |token| (token.parse() == Ok(count)).then_some(()))?;
        let kind = line
            .take("a kind of event", |token| EventKind::ALL.into_iter().find(|kind| kind.name() == token))?;
        let [mut object, mut result, mut raised] = [Operand::NONE; 3];
        if !line.at_end() && !["->", "raised", "check"].contains(&line.peek().unwrap_or("check")) {
            object = self.operand(line)?;
        }
        if line.eat("->") {
            result = self.operand(line)?;
        }
        if line.eat("raised") {
            raised = self.operand(line)?;
        }
        let check = line.number_after("check")?.unwrap_or(0);
        self.trace.events.push(Event { kind, object, result, raised, check });
        Ok(())
    }

    fn entry(&mut self, line: &mut Line) -> Result<()> {
        let wanted = format!("{}:", self.trace.calls.len());
        line.take(&wanted, |token| (token == wanted).then_some(()))?;
        let code = if line.eat("self") { None } else { Some(line.number()?) };
        line.expect("frame")?;
        let frame = line.number()?;
        line.expect("slots")?;
        let slots = line.between("[", "]", |line| line.number())?;
        line.expect("callers")?;
        let callers = line.between("[", "]", |line| {
            let slot = line.number()?;
            line.expect("=")?;
            Ok((slot, line.number()?))
        })?;
        self.trace.calls.push(EntryCall { code, frame, slots, callers });
        Ok(())
    }

    fn returning(&mut self, line: &mut Line) -> Result<()> {
        let part = |line: &mut Line| {
            let is_word = line.eat("word");
            if !is_word {
                line.expect("slot")?;
            }
            let number = line.number()?;
            Ok(if is_word { Part::Word(number) } else { Part::Slot(number) })
        };
        let results = line.between("[", "]", part)?;
        line.expect("same")?;
        let same = line.between("[", "]", |line| {
            let part = part(line)?;
            line.expect("=")?;
            Ok((part, self.operand(line)?))
        })?;
        let same = same.into_iter().filter_map(|(part, operand)| Some((part, operand.as_var()?))).collect();
        self.trace.returning = Some(Returning { results, same });
        Ok(())
    }

    fn tokens(&mut self, line: &mut Line) -> Result<()> {
        let operands = line.between("[", "]", |line| self.operand(line))?;
        self.trace.tokens = operands.into_iter().filter_map(|operand| operand.as_var()).collect();
        Ok(())
    }

    fn resume(&mut self, line: &mut Line) -> Result<()> {
        let count = self.trace.resumes.len();
        let wanted = format!("{count}:");
        line.take(&wanted, |token| (token == wanted).then_some(()))?;
        line.expect("at")?;
        let position = line.number()?;
        line.expect("state")?;
        let state = Rc::new(line.between("[", "]", |line| self.desc(line))?);
        let events = line.number_after("events")?.unwrap_or(0);
        let flushed = line.eat("flushed");
        self.trace.resumes.push(Resume {
            position,
            state,
            objects: Rc::default(),
            stores: Vec::new(),
            log: Vec::new(),
            events,
            flushed,
            kept: Rc::default(),
            facts: Vec::new(),
        });
        Ok(())
    }

    /// The resume that the parts belong to.
    fn last(&mut self) -> &mut Resume {
        self.trace.resumes.last_mut().expect("parts come after a resume: checked where they begin")
    }

    fn object(&mut self, line: &mut Line) -> Result<()> {
        let count = self.last().objects.len() as u32;
        line.take(&format!("object number {count}"), |token| (token.parse() == Ok(count)).then_some(()))?;
        let kind = if line.eat("virtual") {
            ObjectKind::Virtual(line.number()?)
        } else if line.eat("joined") {
            let length = self.desc(line)?;
            ObjectKind::Joined(length, line.between("[", "]", |line| self.run(line))?)
        } else if line.eat("existing") {
            ObjectKind::Existing(self.operand(line)?)
        } else {
            return Err(before(line, "expected virtual, joined or existing, found"));
        };
        let ty = self.type_ref(line)?;
        let slots = line.between("[", "]", |line| self.desc(line))?;
        Rc::make_mut(&mut self.last().objects).push(ObjectDesc { ty, kind, slots });
        Ok(())
    }

    fn run(&mut self, line: &mut Line) -> Result<Run> {
        let (from, ty) = (self.desc(line)?, self.type_ref(line)?);
        Ok(Run { from, ty, at: self.desc(line)?, to: self.desc(line)?, count: self.desc(line)? })
    }

    fn store(&mut self, line: &mut Line) -> Result<()> {
        let object = self.desc(line)?;
        let place = if line.eat("slot") {
            Place::Slot(self.type_ref(line)?, line.number()?)
        } else if line.eat("item") {
            Place::Item(self.type_ref(line)?, self.desc(line)?)
        } else {
            let field = self.field(line)?;
            let owner = &field.get().owner;
            let ty = self.types.get(owner).copied().or_else(|| TypeRef::by_name(owner));
            let slot = ty.and_then(|ty| Some((ty, ty.get().slot_of(field)?)));
            let (ty, slot) = slot.ok_or_else(|| before(line, "no type has"))?;
            Place::Slot(ty, slot as u32)
        };
        line.expect("=")?;
        let value = self.desc(line)?;
        self.last().stores.push(Store { object, place, value });
        Ok(())
    }

    fn log(&mut self, line: &mut Line) -> Result<()> {
        let event = line.number()?;
        line.expect("check")?;
        let check = line.number()?;
        let feed = if line.eat("skip") {
            Feed::Skip
        } else if line.eat("result") {
            Feed::Result(self.desc(line)?)
        } else {
            line.expect("outcome")?;
            let result = self.desc(line)?;
            line.expect(",")?;
            Feed::Outcome(result, self.desc(line)?)
        };
        self.last().log.push(Log { event, check, feed });
        Ok(())
    }

    fn desc(&mut self, line: &mut Line) -> Result<Desc> {
        if line.eat("dead") {
            return Ok(Desc::Dead);
        }
        if line.eat("keep") {
            return Ok(Desc::Keep);
        }
        if line.tokens.get(line.next + 1).is_some_and(|(_, token)| *token == "(") {
            let code = line.take("an operation", Opcode::from_name)?;
            let args = line.between("(", ")", |line| self.desc(line))?;
            return Ok(Desc::Expr(Rc::new((code, args))));
        }
        let object = line.peek().and_then(|token| token.strip_prefix("obj")?.parse().ok());
        if let Some(object) = object {
            line.next += 1;
            return Ok(Desc::Object(object));
        }
        self.operand(line).map(Desc::Operand)
    }
}

/// An error at the token that was just taken.
fn before(line: &mut Line, message: &str) -> ParseError {
    line.next -= 1;
    line.error(message)
}
