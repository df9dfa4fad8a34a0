//! Descriptions of headers: what a library's names mean, as a JSON file has it (the fields of [`File`]).
//!
//! Names are looked up when a program uses them: most of a header is never used. Types are made once; a structure is
//! there, without its fields, before its fields are read, so that it may point to itself.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::text::{self, Use};
use crate::types::{Type, TypeError};

/// How deep structures may lie in structures.
const DEEPEST: usize = 64;

/// What a description's file has.
#[derive(Clone, Default, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// What was described.
    #[serde(default)]
    pub header: String,
    /// Files of the library, for where the name that a program gives is none.
    #[serde(default)]
    pub library: Vec<String>,
    /// What may be left out at the beginning of names.
    #[serde(default)]
    pub prefixes: Vec<String>,
    /// Numbers and texts.
    #[serde(default)]
    pub constants: BTreeMap<String, Constant>,
    /// Types.
    #[serde(default)]
    pub types: BTreeMap<String, Shape>,
    /// Functions and their types.
    #[serde(default)]
    pub functions: BTreeMap<String, String>,
    /// Variables and their types.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
}

impl File {
    /// The file's text, a line for each name.
    ///
    /// # Errors
    /// JSON's own.
    pub fn to_json(&self) -> Result<String, String> {
        let whole = serde_json::to_value(self).map_err(|error| error.to_string())?;
        let mut parts = Vec::new();
        for (name, part) in whole.as_object().into_iter().flatten() {
            let (key, lines) = (serde_json::Value::from(name.as_str()), part.as_object());
            parts.push(match lines {
                Some(lines) => {
                    let line = |(name, value): (&String, &serde_json::Value)| {
                        format!("{}: {value}", serde_json::Value::from(name.as_str()))
                    };
                    format!("{key}: {{\n{}\n}}", lines.iter().map(line).collect::<Vec<_>>().join(",\n"))
                }
                None => format!("{key}: {part}"),
            });
        }
        Ok(format!("{{\n{}\n}}\n", parts.join(",\n")))
    }
}

/// The value of a constant.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Constant {
    /// An integer.
    Int(i64),
    /// An integer of more than 63 bits.
    Unsigned(u64),
    /// A float.
    Float(f64),
    /// A text.
    Text(String),
}

/// What a type's name means.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Shape {
    /// Another type.
    Alias(String),
    /// A structure or a union.
    Record(Record),
}

/// A structure or a union: names and types of its fields, if they are known.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Record {
    /// A structure.
    Struct(Option<Vec<Field>>),
    /// A union.
    Union(Option<Vec<Field>>),
}

/// A field: name, type, and of how many bits it is if it is a bit-field.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Field {
    /// Any other.
    Whole(String, String),
    /// A bit-field.
    Bits(String, String, u32),
}

/// A description in use.
pub struct Description {
    file: File,
    made: RefCell<HashMap<String, &'static Type>>,
    /// Records that have not got their fields yet.
    waiting: RefCell<Vec<String>>,
    /// Names that are being looked up.
    busy: RefCell<HashSet<String>>,
}

/// What a name means.
pub enum Meaning {
    /// A value.
    Constant(Constant),
    /// A type.
    Type(&'static Type),
    /// A symbol of the library, and its type.
    Symbol(String, &'static Type),
}

impl std::fmt::Debug for Description {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Description({})", self.file.header)
    }
}

impl Description {
    /// Reads a description.
    ///
    /// # Errors
    /// It is none; the text says where.
    pub fn read(text: &str) -> Result<Description, String> {
        let file: File = serde_json::from_str(text).map_err(|error| error.to_string())?;
        Ok(Description {
            file,
            made: RefCell::default(),
            waiting: RefCell::default(),
            busy: RefCell::default(),
        })
    }

    /// Files of the library.
    pub fn libraries(&self) -> &[String] {
        &self.file.library
    }

    /// What a name means, with or without one of the prefixes; nothing if it means nothing.
    ///
    /// # Errors
    /// What is described so can't be.
    pub fn find(&self, name: &str) -> Result<Option<Meaning>, TypeError> {
        let longer = self.file.prefixes.iter().map(|prefix| format!("{prefix}{name}"));
        for name in std::iter::once(name.to_owned()).chain(longer) {
            if let Some(constant) = self.file.constants.get(&name) {
                return Ok(Some(Meaning::Constant(constant.clone())));
            }
            if let Some(ty) = self.file.functions.get(&name).or_else(|| self.file.variables.get(&name)) {
                let ty = self.ty(ty, &name)?;
                return Ok(Some(Meaning::Symbol(name, ty)));
            }
            if self.file.types.contains_key(&name) {
                return Ok(Some(Meaning::Type(self.ty(&name, &name)?)));
            }
        }
        Ok(None)
    }

    /// All names of functions, variables, types and constants.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let file = &self.file;
        let symbols = file.functions.keys().chain(file.variables.keys());
        symbols.chain(file.types.keys()).chain(file.constants.keys()).map(String::as_str)
    }

    /// The type that a text means, complete as far as it can be.
    fn ty(&self, text: &str, what: &str) -> Result<&'static Type, TypeError> {
        let named = |error: TypeError| TypeError(format!("{what}: {error}"));
        let ty = self.parse(text).map_err(named);
        loop {
            // Not borrowed while it is worked on: that adds others.
            let next = self.waiting.borrow_mut().pop();
            let Some(name) = next else { return ty };
            self.complete(&name).map_err(named)?;
        }
    }

    fn parse(&self, text: &str) -> Result<&'static Type, TypeError> {
        text::parse(text, &mut |name, used| self.named(name, used))
    }

    fn named(&self, name: &str, used: Use) -> Result<&'static Type, TypeError> {
        let known = self.made.borrow().get(name).copied();
        let ty = match known {
            Some(ty) => ty,
            None => self.made_now(name)?,
        };
        if used == Use::Whole {
            self.complete(name)?;
        }
        Ok(ty)
    }

    fn made_now(&self, name: &str) -> Result<&'static Type, TypeError> {
        let ty = match self.file.types.get(name) {
            None => return Err(TypeError(format!("there is no type {name}"))),
            Some(Shape::Alias(text)) => self.alone(name, || self.parse(text))?,
            Some(Shape::Record(record)) => Type::record(name, matches!(record, Record::Union(_))),
        };
        if ty.as_record().is_some_and(|record| record.name == name) {
            self.waiting.borrow_mut().push(name.to_owned());
        }
        self.made.borrow_mut().insert(name.to_owned(), ty);
        Ok(ty)
    }

    /// Gives a record its fields, if it has not got them.
    fn complete(&self, name: &str) -> Result<(), TypeError> {
        let Some(ty) = self.made.borrow().get(name).copied() else { return Ok(()) };
        let (Some(record), Some(shape)) = (ty.as_record(), self.file.types.get(name)) else { return Ok(()) };
        let Shape::Record(Record::Struct(Some(fields)) | Record::Union(Some(fields))) = shape else {
            return Ok(());
        };
        if record.body().is_some() {
            return Ok(());
        }
        self.alone(name, || {
            let fields = fields.iter().map(|field| {
                let (name, text, bits) = match field {
                    Field::Whole(name, text) => (name, text, None),
                    Field::Bits(name, text, bits) => (name, text, Some(*bits)),
                };
                Ok((name.clone(), self.parse(text)?, bits))
            });
            record.complete(fields.collect::<Result<_, TypeError>>()?)
        })
    }

    /// Does something that must not need itself.
    fn alone<T>(&self, name: &str, work: impl FnOnce() -> Result<T, TypeError>) -> Result<T, TypeError> {
        let new = self.busy.borrow_mut().insert(name.to_owned());
        let deep = self.busy.borrow().len() > DEEPEST;
        let result = match (new, deep) {
            (false, _) => return Err(TypeError(format!("{name} is a part of itself"))),
            (_, true) => Err(TypeError(format!("{name} is nested too deeply"))),
            _ => work(),
        };
        self.busy.borrow_mut().remove(name);
        result
    }
}
