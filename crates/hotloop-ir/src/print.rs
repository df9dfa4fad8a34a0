//! The text form, outwards. [`crate::parse`] reads it back and documents its grammar.
//!
//! ```text
//! v0 = input int                        one line per operation: result, name, operands, descriptor, resume
//! v1 = input ref
//! fact v0 int 0..9                      what is known of inputs
//! instr 12 [v0, v1] events 0            position, red state, number of its first event
//! v3 = getfield v1 Frame.back
//! v4 = int_add v0, 4
//! guard_true v4 !1                      recorded: one event before it; optimised: resume 1
//! loop [v4, v1]
//! event 0 read v1 -> v3 check 77
//! resume 1: at 12 state [v0, obj0, dead, int_shl(v3, 3)] events 1
//!   object 0 virtual 0 Pair [v0, null]
//!   store v1 Frame.back = obj0
//!   log 0 check 77 result v3
//!   fact v3 type=Frame
//! ```
//!
//! An operation without result consumes a number, too, but is not named. Constants stand for their
//! value: `-4`, `@0x7f20`, `null`, `1.5`, `inf`, `bits:0x7ff8000000000000` (NaN).
//!
//! Printing never panics: broken traces are what people print.

use std::fmt;

use crate::descr::{CallId, Effect, FieldId, FieldKind, Mutability, TypeRef};
use crate::fact::Fact;
use crate::ops::{Opcode, Shape};
use crate::resume::{Desc, Feed, ObjectKind, Place, Resume, Run};
use crate::trace::{Const, Event, EventKind, Op, Operand, Part, Trace, Ty, Var};

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inputs = self.inputs().count();
        for index in 0..self.ops.len() {
            if index == inputs {
                show_facts(f, "", &self.facts)?;
            }
            writeln!(f, "{}", self.show_op(Var(index as u32)))?;
        }
        if inputs == self.ops.len() {
            show_facts(f, "", &self.facts)?;
        }
        for (number, call) in self.calls.iter().enumerate() {
            let code = call.code.map_or("self".into(), |code| code.to_string());
            let slots = numbers(&call.slots);
            let callers = call.callers.iter().map(|(slot, caller)| format!("{slot}={caller}"));
            let callers = callers.collect::<Vec<_>>().join(", ");
            writeln!(f, "entry {number}: {code} frame {} slots [{slots}] callers [{callers}]", call.frame)?;
        }
        if let Some(returning) = &self.returning {
            let results = returning.results.iter().map(Part::to_string).collect::<Vec<_>>().join(", ");
            let same = returning.same.iter();
            let same = same.map(|(part, var)| format!("{part}={}", self.show(Operand::var(*var))));
            let same = same.collect::<Vec<_>>().join(", ");
            writeln!(f, "returning [{results}] same [{same}]")?;
        }
        if !self.tokens.is_empty() {
            let tokens: Vec<Operand> = self.tokens.iter().map(|var| Operand::var(*var)).collect();
            writeln!(f, "tokens [{}]", self.show_all(&tokens))?;
        }
        for (number, event) in self.events.iter().enumerate() {
            self.show_event(f, number, event)?;
        }
        for (number, resume) in self.resumes.iter().enumerate() {
            self.fmt_resume(f, number, resume)?;
        }
        Ok(())
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Word(word) => write!(f, "word {word}"),
            Part::Slot(slot) => write!(f, "slot {slot}"),
        }
    }
}

fn numbers(numbers: &[u32]) -> String {
    numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
}

/// An operation in the context of its trace; see [`Trace::show_op`].
pub struct ShowOp<'a> {
    trace: &'a Trace,
    var: Var,
}

impl Trace {
    /// The line of the operation that defines `var` (or that has its number).
    pub fn show_op(&self, var: Var) -> ShowOp<'_> {
        ShowOp { trace: self, var }
    }

    /// An operand as it stands in the text form.
    pub fn show(&self, operand: Operand) -> String {
        match (operand.as_var(), operand.as_const()) {
            (Some(var), _) => format!("{var:?}"),
            (_, Some(index)) => {
                self.consts.get(index as usize).map_or(format!("c{index}?"), |c| c.to_string())
            }
            _ => "_".into(),
        }
    }

    /// A description as it stands in the text form.
    pub fn show_desc(&self, desc: &Desc) -> String {
        match desc {
            Desc::Operand(operand) => self.show(*operand),
            Desc::Object(index) => format!("obj{index}"),
            Desc::Expr(expr) => format!("{}({})", expr.0.name(), self.show_descs(&expr.1)),
            Desc::Dead => "dead".into(),
            Desc::Keep => "keep".into(),
        }
    }

    /// The declarations of all types and functions that the trace mentions: with them in front, its text
    /// can be parsed in another process.
    pub fn declarations(&self) -> String {
        let mut types: Vec<TypeRef> = Vec::new();
        let mut calls: Vec<CallId> = Vec::new();
        for op in &self.ops {
            match descr_kind(op.code) {
                DescrKind::Type => types.push(op.type_ref()),
                DescrKind::TwoTypes => types.extend(<[TypeRef; 2]>::from(op.types())),
                DescrKind::Field => {
                    types.extend(op.field().try_get().and_then(|f| TypeRef::by_name(&f.owner)))
                }
                DescrKind::Call => calls.push(op.call()),
                DescrKind::None
                | DescrKind::Number
                | DescrKind::Ty
                | DescrKind::Scalar
                | DescrKind::Instr => {}
            }
        }
        for resume in &self.resumes {
            types.extend(resume.objects.iter().map(|object| object.ty));
            types.extend(resume.stores.iter().map(|store| match store.place {
                Place::Slot(ty, _) | Place::Item(ty, _) => ty,
            }));
        }
        let facts = self.facts.iter().chain(self.resumes.iter().flat_map(|resume| &resume.facts));
        types.extend(facts.filter_map(|(_, fact)| fact.heap_type).map(TypeRef));
        types.sort();
        types.dedup();
        calls.sort();
        calls.dedup();
        let types = types.into_iter().filter_map(declare_type);
        types.chain(calls.into_iter().filter_map(declare_call)).collect()
    }

    fn show_all(&self, operands: &[Operand]) -> String {
        operands.iter().map(|operand| self.show(*operand)).collect::<Vec<_>>().join(", ")
    }

    fn show_descs(&self, descs: &[Desc]) -> String {
        descs.iter().map(|desc| self.show_desc(desc)).collect::<Vec<_>>().join(", ")
    }

    fn show_event(&self, f: &mut fmt::Formatter<'_>, number: usize, event: &Event) -> fmt::Result {
        write!(f, "event {number} {}", event.kind.name())?;
        for (before, operand) in [("", event.object), ("-> ", event.result), ("raised ", event.raised)] {
            if !operand.is_none() {
                write!(f, " {before}{}", self.show(operand))?;
            }
        }
        writeln!(f, " check {}", event.check)
    }

    fn fmt_resume(&self, f: &mut fmt::Formatter<'_>, number: usize, resume: &Resume) -> fmt::Result {
        let state = self.show_descs(&resume.state);
        let flushed = if resume.flushed { " flushed" } else { "" };
        writeln!(
            f,
            "resume {number}: at {} state [{state}] events {}{flushed}",
            resume.position, resume.events
        )?;
        for (index, object) in resume.objects.iter().enumerate() {
            let kind = match &object.kind {
                ObjectKind::Virtual(items) => format!("virtual {items}"),
                ObjectKind::Joined(length, runs) => {
                    let run = |run: &Run| {
                        let [from, at, to, count] =
                            [&run.from, &run.at, &run.to, &run.count].map(|desc| self.show_desc(desc));
                        format!("{from} {} {at} {to} {count}", type_name(run.ty))
                    };
                    let runs: Vec<String> = runs.iter().map(run).collect();
                    format!("joined {} [{}]", self.show_desc(length), runs.join(", "))
                }
                ObjectKind::Existing(operand) => format!("existing {}", self.show(*operand)),
            };
            let slots = self.show_descs(&object.slots);
            writeln!(f, "  object {index} {kind} {} [{slots}]", type_name(object.ty))?;
        }
        for store in &resume.stores {
            let place = match &store.place {
                Place::Slot(ty, slot) => slot_name(*ty, *slot),
                Place::Item(ty, index) => format!("item {} {}", type_name(*ty), self.show_desc(index)),
            };
            writeln!(
                f,
                "  store {} {place} = {}",
                self.show_desc(&store.object),
                self.show_desc(&store.value)
            )?;
        }
        for entry in &resume.log {
            let feed = match &entry.feed {
                Feed::Skip => "skip".into(),
                Feed::Result(result) => format!("result {}", self.show_desc(result)),
                Feed::Outcome(result, raised) => {
                    format!("outcome {}, {}", self.show_desc(result), self.show_desc(raised))
                }
            };
            writeln!(f, "  log {} check {} {feed}", entry.event, entry.check)?;
        }
        if !resume.kept.is_empty() {
            let kept: Vec<String> =
                resume.kept.iter().map(|operand| self.show(*operand).to_string()).collect();
            writeln!(f, "  kept [{}]", kept.join(", "))?;
        }
        show_facts(f, "  ", &resume.facts)
    }
}

impl fmt::Display for ShowOp<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let trace = self.trace;
        let Some(op) = trace.ops.get(self.var.0 as usize) else { return write!(f, "{:?}?", self.var) };
        if is_named(op) {
            write!(f, "{:?} = ", self.var)?;
        }
        let Shape { list, .. } = op.code.shape();
        f.write_str(op.code.name())?;
        if !op.operands().is_empty() {
            write!(f, " {}", trace.show_all(op.operands()))?;
        }
        match descr_kind(op.code) {
            DescrKind::None => {}
            DescrKind::Number => write!(f, " {}", op.descr)?,
            DescrKind::Ty => write!(f, " {}", Ty::from_number(op.descr).name())?,
            DescrKind::Scalar => write!(f, " {}", op.scalar().name())?,
            DescrKind::Field => write!(f, " {}", field_name(op.field()))?,
            DescrKind::Type => write!(f, " {}", type_name(op.type_ref()))?,
            DescrKind::TwoTypes => {
                let (one, two) = op.types();
                write!(f, " {} {}", type_name(one), type_name(two))?
            }
            DescrKind::Call => {
                write!(f, " {}", op.call().try_get().map_or("?".into(), |call| quoted(&call.name)))?
            }
            DescrKind::Instr => match trace.instrs.get(op.descr as usize) {
                Some(instr) => {
                    let state = trace.show_all(&instr.state);
                    write!(f, " {} [{state}] events {}", instr.position, instr.first_event)?;
                }
                None => write!(f, " ?{}", op.descr)?,
            },
        }
        if *list {
            let end = op.list.start as usize + op.list.len as usize;
            match trace.lists.get(op.list.start as usize..end) {
                Some(operands) => write!(f, " [{}]", trace.show_all(operands))?,
                None => write!(f, " [?]")?,
            }
        }
        if op.resume != u32::MAX {
            write!(f, " !{}", op.resume)?;
        }
        Ok(())
    }
}

impl fmt::Display for Const {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ty {
            Ty::Int => write!(f, "{}", self.bits as i64),
            Ty::Ref if self.bits == 0 => f.write_str("null"),
            Ty::Ref => write!(f, "@{:#x}", self.bits),
            Ty::Float => match f64::from_bits(self.bits) {
                float if float.is_nan() => write!(f, "bits:{:#x}", self.bits),
                float => write!(f, "{float:?}"),
            },
        }
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        match (self.lo, self.hi) {
            (i64::MIN, i64::MAX) => {}
            (i64::MIN, hi) => parts.push(format!("int ..{hi}")),
            (lo, i64::MAX) => parts.push(format!("int {lo}..")),
            (lo, hi) => parts.push(format!("int {lo}..{hi}")),
        }
        // Bits that follow from the range are not repeated.
        let (zeros, ones) = self.bits_of_range();
        if self.zeros & !zeros != 0 {
            parts.push(format!("zeros={:#x}", self.zeros & !zeros));
        }
        if self.ones & !ones != 0 {
            parts.push(format!("ones={:#x}", self.ones & !ones));
        }
        if self.tags != self.tags_of_bits() {
            parts.push(format!("tags={:#x}", self.tags));
        }
        if let Some(ty) = self.heap_type {
            parts.push(format!("type={}", type_name(TypeRef(ty))));
        }
        f.write_str(&if parts.is_empty() { "any".into() } else { parts.join(" ") })
    }
}

impl Fact {
    /// The bits (zeros, ones) that are fixed by the range alone: the common prefix of its ends.
    pub(crate) fn bits_of_range(&self) -> (u64, u64) {
        let differ = (self.lo ^ self.hi) as u64;
        let fixed = if differ == 0 { u64::MAX } else { !(u64::MAX >> differ.leading_zeros()) };
        (!(self.lo as u64) & fixed, self.lo as u64 & fixed)
    }
}

/// What an operation's `descr` is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum DescrKind {
    None,
    Number,
    Ty,
    Field,
    Type,
    TwoTypes,
    Call,
    Scalar,
    Instr,
}

/// What the `descr` of this operation is (the table's header says the same in words).
pub(crate) fn descr_kind(op: Opcode) -> DescrKind {
    use Opcode::*;
    match op {
        Input => DescrKind::Ty,
        Instr => DescrKind::Instr,
        Live | Enter | EnterLabel | CallEntry | CallResult | Return | VirtualRef => DescrKind::Number,
        GetField | SetField => DescrKind::Field,
        GetItem | SetItem | FillItems | Len | New | NewArray | BoxFloat | Virtualizable | GuardType
        | GuardBox => DescrKind::Type,
        CopyItems | EqualItems | CompareItems => DescrKind::TwoTypes,
        LoadRaw | StoreRaw => DescrKind::Scalar,
        Call | CallIf | CallUnless | KnownResult => DescrKind::Call,
        _ => DescrKind::None,
    }
}

/// Whether the line names what the operation defines: a result, or an outcome that `call_raised` asks for.
fn is_named(op: &Op) -> bool {
    match op.code {
        Opcode::Call => op.call().try_get().is_none_or(|call| call.result.is_some() || call.raises),
        _ => op.code.shape().result.is_some(),
    }
}

impl EventKind {
    /// Every kind.
    pub(crate) const ALL: [EventKind; 8] = [
        EventKind::Read,
        EventKind::Write,
        EventKind::Copy,
        EventKind::Alloc,
        EventKind::CallReads,
        EventKind::CallWrites,
        EventKind::Hint,
        EventKind::Box,
    ];

    /// Its name in the text form.
    pub const fn name(self) -> &'static str {
        match self {
            EventKind::Read => "read",
            EventKind::Write => "write",
            EventKind::Copy => "copy",
            EventKind::Alloc => "alloc",
            EventKind::CallReads => "call_reads",
            EventKind::CallWrites => "call_writes",
            EventKind::Hint => "hint",
            EventKind::Box => "box",
        }
    }
}

impl Ty {
    /// Its name in the text form.
    pub const fn name(self) -> &'static str {
        match self {
            Ty::Int => "int",
            Ty::Ref => "ref",
            Ty::Float => "float",
        }
    }

    /// The type with this [`Ty::number`].
    pub const fn from_number(number: u32) -> Ty {
        match number % 3 {
            0 => Ty::Int,
            1 => Ty::Ref,
            _ => Ty::Float,
        }
    }
}

fn show_facts(f: &mut fmt::Formatter<'_>, indent: &str, facts: &[(Var, Fact)]) -> fmt::Result {
    facts.iter().try_for_each(|(var, fact)| writeln!(f, "{indent}fact {var:?} {fact}"))
}

/// A name, in quotes if it would not read back as one word.
fn quoted(name: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_.:<>$&*-+/?!".contains(c);
    let word = name.chars().all(plain) && name.starts_with(|c: char| c.is_alphabetic() || c == '_');
    if word { name.into() } else { format!("\"{name}\"") }
}

fn type_name(ty: TypeRef) -> String {
    ty.try_get().map_or_else(|| format!("type?{}", ty.0), |descr| quoted(&descr.name))
}

fn field_name(field: FieldId) -> String {
    field.try_get().map_or_else(|| "?".into(), |descr| quoted(&format!("{}.{}", descr.owner, descr.name)))
}

fn slot_name(ty: TypeRef, slot: u32) -> String {
    let field = ty.try_get().and_then(|descr| descr.fields.get(slot as usize));
    field.map_or_else(|| format!("slot {} {slot}", type_name(ty)), |field| field_name(*field))
}

impl FieldKind {
    /// Its name in declarations.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            FieldKind::Int => "int",
            FieldKind::Float => "float",
            FieldKind::Ref => "ref",
            FieldKind::Value => "value",
            FieldKind::Byte => "byte",
        }
    }
}

impl Mutability {
    /// Its name in declarations.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Mutability::Mutable => "mutable",
            Mutability::Immutable => "immutable",
            Mutability::Stable => "stable",
            Mutability::Waiting => "waiting",
        }
    }
}

impl Effect {
    /// Its name in declarations.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Effect::Elidable => "elidable",
            Effect::Invariant => "invariant",
            Effect::Looks => "looks",
            Effect::Reads => "reads",
            Effect::Outside => "outside",
            Effect::Writes => "writes",
            Effect::Any => "any",
        }
    }
}

fn declare_type(ty: TypeRef) -> Option<String> {
    let descr = ty.try_get()?;
    let fields = descr.fields.iter().filter_map(|field| field.try_get()).map(|field| {
        let (kind, mutability) = (field.kind.name(), field.mutability.name());
        format!("field {} {kind} {} {mutability}", quoted(&field.name), field.offset)
    });
    let fields = fields.collect::<Vec<_>>().join("; ");
    let mut line = format!("type {} id {} size {} {{ {fields} }}", type_name(ty), descr.id, descr.fixed_size);
    if let Some((kind, mutability)) = descr.items {
        line += &format!(" items {} {}", kind.name(), mutability.name());
    }
    Some(line + if descr.virtualizable { " virtualizable\n" } else { "\n" })
}

fn declare_call(call: CallId) -> Option<String> {
    let descr = call.try_get()?;
    let mut line = format!("function {} effect {}", quoted(&descr.name), descr.effect.name());
    if descr.raises {
        line += " raises";
    }
    if let Some(result) = descr.result {
        line += &format!(" returns {}", result.name());
    }
    if let Some(signature) = &descr.foreign {
        line += &format!(" foreign {signature}");
    }
    if descr.address != 0 {
        line += &format!(" address {:#x}", descr.address);
    }
    Some(line + "\n")
}
