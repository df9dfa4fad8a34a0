//! Clang's syntax tree, as `-ast-dump=json` writes it: what we want of it.
//!
//! A place says its file only where that differs from the place that was written before it, so nodes are visited in
//! the order of the text.

use std::collections::HashMap;

use serde::Deserialize;

/// A node.
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
pub struct Node {
    pub id: String,
    pub kind: String,
    pub loc: Place,
    pub range: Range,
    pub name: String,
    #[serde(rename = "type")]
    pub ty: TypeText,
    #[serde(rename = "tagUsed")]
    pub tag: String,
    #[serde(rename = "completeDefinition")]
    pub complete: bool,
    #[serde(rename = "storageClass")]
    pub storage: String,
    #[serde(rename = "isBitfield")]
    pub bits: bool,
    #[serde(rename = "isImplicit")]
    pub implicit: bool,
    pub variadic: bool,
    /// Of a constant expression the number's text; of others there are all kinds of values.
    pub value: serde_json::Value,
    #[serde(rename = "ownedTagDecl")]
    pub owned: Reference,
    pub inner: Vec<Node>,
}

/// A type as text.
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
pub struct TypeText {
    #[serde(rename = "qualType")]
    pub text: String,
}

/// Another node.
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
pub struct Reference {
    pub id: String,
}

/// A place in the text; of a macro's expansion two.
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
pub struct Place {
    file: Option<String>,
    #[serde(rename = "spellingLoc")]
    spelling: Option<Box<Place>>,
    #[serde(rename = "expansionLoc")]
    expansion: Option<Box<Place>>,
}

/// Where a node begins and ends.
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
pub struct Range {
    begin: Place,
    end: Place,
}

impl Place {
    /// Follows the places of the text; the file of this one.
    fn visit(&self, last: &mut String) -> String {
        for part in [&self.spelling, &self.expansion].into_iter().flatten() {
            part.visit(last);
        }
        if let Some(file) = &self.file {
            last.clone_from(file);
        }
        last.clone()
    }
}

impl Node {
    /// Reads what clang has written.
    pub fn read(json: &[u8]) -> Result<Node, String> {
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        deserializer.disable_recursion_limit();
        Node::deserialize(&mut deserializer)
            .map_err(|error| format!("clang's syntax tree can't be read: {error}"))
    }

    /// Follows the places of a node and all inside of it; the file where it stands.
    pub fn file(&self, last: &mut String) -> String {
        let file = self.loc.visit(last);
        self.range.begin.visit(last);
        self.range.end.visit(last);
        self.inner.iter().for_each(|node| {
            node.file(last);
        });
        file
    }

    /// The nodes of a kind right inside of it.
    pub fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Node> {
        self.inner.iter().filter(move |node| node.kind == kind)
    }

    /// Whether it is laid out in a way of its own.
    pub fn is_special(&self) -> bool {
        let attribute = |node: &Node| {
            matches!(
                node.kind.as_str(),
                "PackedAttr" | "AlignedAttr" | "MaxFieldAlignmentAttr" | "VectorSizeAttr"
            )
        };
        self.inner.iter().any(|node| attribute(node) || (node.kind == "FieldDecl" && node.is_special()))
    }

    /// The value of an enumerator, if it is written there.
    pub fn constant(&self) -> Option<i128> {
        let expression =
            self.inner.iter().find(|node| node.kind == "ConstantExpr" || !node.inner.is_empty())?;
        match expression.value.as_str() {
            Some(text) if expression.kind == "ConstantExpr" => text.parse().ok(),
            _ => expression.constant(),
        }
    }

    /// What the tags are called that stand inside of a typedef.
    pub fn owned_tags(&self, name: &str, names: &mut HashMap<String, String>) {
        if !self.owned.id.is_empty() {
            names.entry(self.owned.id.clone()).or_insert_with(|| name.to_owned());
        }
        self.inner.iter().for_each(|node| node.owned_tags(name, names));
    }
}
