//! Descriptions of C headers, made of what clang says: its syntax tree for what is declared, its preprocessor for
//! constants.
//!
//! Described is what the headers themselves declare, and other files in their folders; of what these use from
//! elsewhere, the types. Left out is what libffi or we don't know: vectors, `va_list`, functions that are only in the
//! header. Structures with a layout of their own are there without fields.

mod ctype;
mod macros;
mod scope;
mod tree;

use std::collections::HashMap;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::description::{Constant, File};
use ctype::translate;
use scope::{Declared, Scope};
use tree::Node;

/// What is to be described.
#[derive(Clone, Default, Debug)]
pub struct Request {
    /// The headers.
    pub headers: Vec<PathBuf>,
    /// Whether other files in the headers' folders are not theirs.
    pub alone: bool,
    /// Folders whose files count as the headers' own, too.
    pub also: Vec<PathBuf>,
    /// Files of the library.
    pub library: Vec<String>,
    /// What may be left out at the beginning of names.
    pub prefixes: Vec<String>,
    /// Arguments for clang.
    pub arguments: Vec<OsString>,
}

/// Clang, told about the headers.
pub(crate) struct Clang<'a> {
    request: &'a Request,
    own: Vec<PathBuf>,
}

/// Describes headers.
///
/// # Errors
/// Clang is missing, or does not like the headers.
pub fn describe(request: &Request) -> Result<File, String> {
    // Syntax trees are as deep as programs are, and read recursively.
    std::thread::scope(|scope| {
        let thread =
            std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, || describe_here(request));
        let thread = thread.map_err(|error| format!("no thread to read headers: {error}"))?;
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Bytes of the stack on which syntax trees are read.
const STACK: usize = 1 << 29;

fn describe_here(request: &Request) -> Result<File, String> {
    let mut own = Vec::new();
    for header in &request.headers {
        let path = header.canonicalize().map_err(|error| format!("{}: {error}", header.display()))?;
        own.extend(path.parent().map(Path::to_owned));
    }
    for folder in &request.also {
        own.push(folder.canonicalize().map_err(|error| format!("{}: {error}", folder.display()))?);
    }
    let clang = Clang { request, own };
    let tree = clang.run(&["-fsyntax-only", "-Xclang", "-ast-dump=json"], &clang.includes())?;
    let tree = Node::read(&tree)?;
    let mut maker =
        Maker { clang: &clang, scope: Scope::default(), file: File::default(), places: HashMap::new() };
    maker.declarations(&tree);
    let mut file = maker.file;
    file.types = maker.scope.types;
    for (name, value) in macros::constants(&clang)? {
        file.constants.entry(name).or_insert(value);
    }
    let names = request.headers.iter().filter_map(|header| header.file_name());
    file.header = names.map(|name| name.to_string_lossy()).collect::<Vec<_>>().join(" ");
    file.library.clone_from(&request.library);
    file.prefixes.clone_from(&request.prefixes);
    Ok(file)
}

impl Clang<'_> {
    /// A program that includes the headers.
    fn includes(&self) -> String {
        let lines = self.request.headers.iter().filter_map(|header| header.canonicalize().ok());
        lines.map(|header| format!("#include \"{}\"\n", header.display())).collect()
    }

    /// Whether a file is one of the headers' own.
    fn is_own(&self, file: &str, places: &mut HashMap<String, bool>) -> bool {
        if let Some(known) = places.get(file) {
            return *known;
        }
        let inside = Path::new(file).canonicalize().is_ok_and(|path| {
            // Folders inside of a header's folder are others' business, but those that were named.
            let (near, also) = self.own.split_at(self.request.headers.len());
            let itself = || {
                self.request.headers.iter().any(|header| header.canonicalize().is_ok_and(|own| own == path))
            };
            also.iter().any(|folder| path.starts_with(folder))
                || if self.request.alone {
                    itself()
                } else {
                    near.iter().any(|folder| path.parent() == Some(folder))
                }
        });
        places.insert(file.to_owned(), inside);
        inside
    }

    fn run(&self, arguments: &[&str], program: &str) -> Result<Vec<u8>, String> {
        let (output, errors, good) = self.try_run(arguments, program)?;
        if good { Ok(output) } else { Err(format!("clang: {}", errors.trim_end())) }
    }

    /// Output, complaints, and whether all is well.
    fn try_run(&self, arguments: &[&str], program: &str) -> Result<(Vec<u8>, String, bool), String> {
        let mut command = Command::new("clang");
        command
            .args(["-x", "c", "-w", "-ferror-limit=0"])
            .args(&self.request.arguments)
            .args(arguments)
            .arg("-");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| match error.kind() {
            ErrorKind::NotFound => "clang is needed to read headers, and is not installed".to_owned(),
            _ => format!("clang can't be run: {error}"),
        })?;
        if let Some(mut input) = child.stdin.take() {
            // The program is small against the pipe's buffer or clang reads on; if it has died, that shows below.
            let _ = std::io::Write::write_all(&mut input, program.as_bytes());
        }
        let output = child.wait_with_output().map_err(|error| format!("clang: {error}"))?;
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        Ok((output.stdout, errors, output.status.success()))
    }
}

struct Maker<'a> {
    clang: &'a Clang<'a>,
    scope: Scope,
    file: File,
    places: HashMap<String, bool>,
}

impl Maker<'_> {
    fn declarations(&mut self, tree: &Node) {
        let mut last = String::new();
        let own: Vec<bool> = tree
            .inner
            .iter()
            .map(|node| {
                let file = node.file(&mut last);
                self.clang.is_own(&file, &mut self.places)
            })
            .collect();
        let mut names = HashMap::new();
        for node in &tree.inner {
            if node.kind == "TypedefDecl" {
                node.owned_tags(&node.name, &mut names);
            }
        }
        for (node, own) in tree.inner.iter().zip(&own) {
            match node.kind.as_str() {
                "RecordDecl" => {
                    let name = if node.name.is_empty() {
                        names.get(&node.id).cloned()
                    } else {
                        Some(node.name.clone())
                    };
                    if let Some(name) = name {
                        self.record(node, &name);
                    }
                }
                "EnumDecl" => {
                    let name = if node.name.is_empty() { names.get(&node.id) } else { Some(&node.name) };
                    self.enumeration(node, name, *own);
                }
                "TypedefDecl" => {
                    let text = bare(&node.ty.text, &node.name);
                    self.scope.typedefs.insert(node.name.clone(), (text, *own));
                }
                _ => {}
            }
        }
        for (node, _) in tree.inner.iter().zip(&own).filter(|(_, own)| **own) {
            self.symbol(node);
        }
        // What has a second name for the library's own use.
        let twins: Vec<String> =
            self.file.functions.keys().filter(|name| name.starts_with("__")).cloned().collect();
        for name in twins {
            if self.file.functions.contains_key(name.trim_start_matches('_')) {
                self.file.functions.remove(&name);
            }
        }
        self.scope.finish();
    }

    fn symbol(&mut self, node: &Node) {
        if node.kind == "TypedefDecl" && node.name.starts_with('_') {
            // If somebody uses it, it will be asked for.
            return;
        }
        match node.kind.as_str() {
            "FunctionDecl" if node.storage != "static" => {
                if let Ok(ty) = translate(&node.ty.text, &mut self.scope) {
                    self.file.functions.insert(node.name.clone(), ty);
                }
            }
            "VarDecl" if node.storage == "extern" => {
                if let Ok(ty) = translate(&node.ty.text, &mut self.scope) {
                    self.file.variables.insert(node.name.clone(), ty);
                }
            }
            "TypedefDecl" => {
                let _ = self.scope.typedef(&node.name);
            }
            "RecordDecl" if !node.name.is_empty() => {
                let _ = self.scope.tag(&node.tag, &node.name);
            }
            _ => {}
        }
    }

    /// A structure or union; those without names inside of it get some.
    fn record(&mut self, node: &Node, name: &str) {
        let union = node.tag == "union";
        if !node.complete {
            self.scope.records.entry(name.to_owned()).or_insert(Declared { union, fields: None });
            return;
        }
        let mut fields = Vec::new();
        let mut last = String::new();
        for (number, part) in node.inner.iter().enumerate() {
            match part.kind.as_str() {
                "RecordDecl" => {
                    last = if part.name.is_empty() { format!("{name}_{number}") } else { part.name.clone() };
                    self.record(part, &last);
                    last = format!("{} {last}", part.tag);
                }
                "EnumDecl" => {
                    let tag =
                        if part.name.is_empty() { format!("{name}_{number}") } else { part.name.clone() };
                    self.enumeration(part, Some(&tag), false);
                    last = format!("enum {tag}");
                }
                "FieldDecl" => {
                    // One whose width is not to be found fits nowhere.
                    let width = || part.constant().and_then(|bits| bits.try_into().ok()).unwrap_or(u32::MAX);
                    let bits = part.bits.then(width);
                    fields.push((part.name.clone(), bare(&part.ty.text, &last), bits));
                }
                _ => {}
            }
        }
        let fields = (!node.is_special()).then_some(fields);
        self.scope.records.insert(name.to_owned(), Declared { union, fields });
    }

    /// An enumeration: its enumerators are constants.
    fn enumeration(&mut self, node: &Node, name: Option<&String>, own: bool) {
        let mut next: i128 = 0;
        let (mut least, mut most) = (0, 0);
        for part in node.of_kind("EnumConstantDecl") {
            let value = part.constant().unwrap_or(next);
            (least, most) = (value.min(least), value.max(most));
            next = value + 1;
            if own && let Some(constant) = constant(value) {
                self.file.constants.insert(part.name.clone(), constant);
            }
        }
        let large = most > i128::from(u32::MAX) || least < i128::from(i32::MIN);
        let scalar = match (least < 0, large) {
            (true, false) if most <= i128::from(i32::MAX) => "i32",
            (false, false) => "u32",
            (true, _) => "i64",
            (false, true) => "u64",
        };
        if let Some(name) = name {
            self.scope.enums.insert(name.clone(), scalar);
        }
    }
}

fn constant(value: i128) -> Option<Constant> {
    i64::try_from(value).map(Constant::Int).or_else(|_| u64::try_from(value).map(Constant::Unsigned)).ok()
}

/// A type's text with a name instead of `struct (unnamed at …)`.
fn bare(text: &str, name: &str) -> String {
    let Some(start) = ["(unnamed", "(anonymous"].iter().find_map(|word| text.find(word)) else {
        return text.to_owned();
    };
    let end = text[start..].find(')').map_or(text.len(), |end| start + end + 1);
    format!("{name}{}", &text[end..])
}
