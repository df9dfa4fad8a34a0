//! Constants from macros: those without parameters whose value is a number or a text.
//!
//! Which there are, and of which file, the preprocessor says. Integers are evaluated by clang, as enumerators of a
//! program that it is given; floats and texts are taken as they stand.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write;

use super::tree::Node;
use super::{Clang, constant};
use crate::description::Constant;

/// The constants.
pub fn constants(clang: &Clang<'_>) -> Result<BTreeMap<String, Constant>, String> {
    let text = clang.run(&["-E", "-dD"], &clang.includes())?;
    let candidates = candidates(clang, &String::from_utf8_lossy(&text));
    let mut found = BTreeMap::new();
    let mut open = Vec::new();
    for (name, value) in candidates {
        match literal(&value) {
            Some(constant) => {
                found.insert(name, constant);
            }
            None => open.push(name),
        }
    }
    found.extend(evaluated(clang, &open)?);
    Ok(found)
}

/// Macros without parameters of the headers' own files, and what stands behind their names.
fn candidates(clang: &Clang<'_>, text: &str) -> BTreeMap<String, String> {
    let mut places = HashMap::new();
    let mut own = false;
    let mut found = BTreeMap::new();
    for line in text.lines() {
        if let Some(place) = line.strip_prefix("# ") {
            // `# 12 "file" 1`
            let file = place.split('"').nth(1).unwrap_or_default();
            own = clang.is_own(file, &mut places);
        } else if let Some(definition) = line.strip_prefix("#define ").filter(|_| own) {
            let (name, value) = definition.split_once(' ').unwrap_or((definition, ""));
            if !name.contains('(') && !name.starts_with('_') && !value.trim().is_empty() {
                found.insert(name.to_owned(), value.trim().to_owned());
            }
        } else if let Some(name) = line.strip_prefix("#undef ") {
            found.remove(name.trim());
        }
    }
    found
}

/// A float or a text as it stands.
fn literal(value: &str) -> Option<Constant> {
    if let Some(text) = value.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        let plain = !text.contains(['"', '\\']);
        return plain.then(|| Constant::Text(text.to_owned()));
    }
    let digits = value.trim_start_matches('(').trim_end_matches([')', 'f', 'F', 'L', 'l']);
    let float = digits.contains('.') && digits.parse::<f64>().is_ok_and(f64::is_finite);
    float.then(|| Constant::Float(digits.parse().unwrap_or(0.0)))
}

/// The integers among them.
fn evaluated(clang: &Clang<'_>, names: &[String]) -> Result<Vec<(String, Constant)>, String> {
    let head = clang.includes();
    let first = head.lines().count() + 1;
    let mut program = head;
    for name in names {
        // An address is no constant, whatever clang may fold.
        let _ = writeln!(program, "enum {{ hotloop_value_{name} = ({name}) }};");
    }
    // The lines that are no constant expressions, by clang's complaints.
    let (output, errors, _) = clang.try_run(&["-fsyntax-only", "-Xclang", "-ast-dump=json"], &program)?;
    let wrong: HashSet<usize> = errors
        .lines()
        .filter_map(|line| line.strip_prefix("<stdin>:")?.split(':').next()?.parse().ok())
        .collect();
    let tree = Node::read(&output)?;
    let enumerators = tree.of_kind("EnumDecl").flat_map(|node| node.of_kind("EnumConstantDecl"));
    let values: HashMap<&str, i128> = enumerators
        .filter_map(|node| Some((node.name.strip_prefix("hotloop_value_")?, node.constant()?)))
        .collect();
    let good = names.iter().enumerate().filter(|(index, _)| !wrong.contains(&(first + index)));
    Ok(good.filter_map(|(_, name)| Some((name.clone(), constant(*values.get(name.as_str())?)?))).collect())
}
