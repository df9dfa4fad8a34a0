//! What is declared: tags and typedefs, and which of them the description has to have.

use std::collections::{BTreeMap, HashMap};

use super::ctype::{Unknown, translate};
use crate::description::{Field, Record, Shape};

/// A structure or union as it was declared.
pub struct Declared {
    pub union: bool,
    /// Names, types and bits as clang writes them; nothing if it is not known how it lies in memory.
    pub fields: Option<Vec<(String, String, Option<u32>)>>,
}

/// What is declared.
#[derive(Default)]
pub struct Scope {
    /// Structures and unions by their tags.
    pub records: HashMap<String, Declared>,
    /// How enumerations are stored.
    pub enums: HashMap<String, &'static str>,
    /// What typedefs mean, as clang writes it, and whether they are the header's own.
    pub typedefs: HashMap<String, (String, bool)>,
    /// What was asked for, in our words.
    pub types: BTreeMap<String, Shape>,
    /// Tags that were asked for and are not in `types` yet.
    waiting: Vec<String>,
    depth: u32,
}

impl Scope {
    /// The name of a tag in our words.
    pub fn tag(&mut self, kind: &str, tag: &str) -> Result<String, Unknown> {
        if kind == "enum" {
            return Ok((*self.enums.get(tag).unwrap_or(&"u32")).to_owned());
        }
        if tag.is_empty() || tag == "__va_list_tag" {
            return Err(Unknown);
        }
        let name = self.name_of(kind, tag);
        if !self.types.contains_key(&name) {
            let shape = match kind {
                "union" => Shape::Record(Record::Union(None)),
                _ => Shape::Record(Record::Struct(None)),
            };
            self.types.insert(name.clone(), shape);
            self.waiting.push(tag.to_owned());
        }
        Ok(name)
    }

    /// A typedef may have a tag's name and mean something else.
    fn name_of(&self, kind: &str, tag: &str) -> String {
        let mean = |text: &str| text == tag || text.strip_prefix(kind).is_some_and(|rest| rest.trim() == tag);
        match self.typedefs.get(tag) {
            Some((text, _)) if !mean(text) => format!("{tag}_tag"),
            _ => tag.to_owned(),
        }
    }

    /// What a name means in our words: the header's own names stay, others are what they mean.
    pub fn typedef(&mut self, name: &str) -> Result<String, Unknown> {
        if name == "__builtin_va_list" || name == "va_list" {
            return Err(Unknown);
        }
        let Some((text, own)) = self.typedefs.get(name).cloned() else {
            // Clang leaves out the word before names of tags that a typedef has named.
            return match self.records.get(name) {
                Some(record) => self.tag(if record.union { "union" } else { "struct" }, name),
                None => self.enums.get(name).map(|scalar| (*scalar).to_owned()).ok_or(Unknown),
            };
        };
        if self.depth > 64 {
            return Err(Unknown);
        }
        self.depth += 1;
        let meaning = if text == name { self.tag_of(name) } else { translate(&text, self) };
        self.depth -= 1;
        let meaning = meaning?;
        if own && meaning != name {
            self.types.entry(name.to_owned()).or_insert(Shape::Alias(meaning));
            return Ok(name.to_owned());
        }
        Ok(meaning)
    }

    fn tag_of(&mut self, name: &str) -> Result<String, Unknown> {
        match self.records.get(name) {
            Some(record) => self.tag(if record.union { "union" } else { "struct" }, name),
            None => self.enums.get(name).map(|scalar| (*scalar).to_owned()).ok_or(Unknown),
        }
    }

    /// Describes the structures and unions that were asked for, and those that they ask for.
    pub fn finish(&mut self) {
        while let Some(tag) = self.waiting.pop() {
            let Some(record) = self.records.get(&tag) else { continue };
            let (union, fields) = (record.union, record.fields.clone());
            let described = fields.and_then(|fields| {
                let translated = fields.into_iter().map(|(name, text, bits)| {
                    let ty = translate(&text, self)?;
                    Ok(match bits {
                        None => Field::Whole(name, ty),
                        Some(bits) => Field::Bits(name, ty, bits),
                    })
                });
                translated.collect::<Result<Vec<_>, Unknown>>().ok()
            });
            let name = self.name_of(if union { "union" } else { "struct" }, &tag);
            let record = if union { Record::Union(described) } else { Record::Struct(described) };
            self.types.insert(name, Shape::Record(record));
        }
    }
}
