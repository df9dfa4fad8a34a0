//! For a name that is nowhere: the name that was perhaps meant.

use hotloop::prelude::*;

use super::Pyllisp;
use super::interface::InterfaceInfo;
use super::link::LinkedCode;
use super::module::{self, ModuleInfo};
use crate::code::CodeId;
use crate::object::{Error, Greenlet, Interface, Module, Multimethod};

/// A name that an object has and that resembles one which it doesn't have. Variables count if the object is a
/// module, which stands for all that a function can name.
pub(super) fn suggestion(
    interp: &Pyllisp,
    name: &str,
    object: Value<Plain>,
    code: &'static LinkedCode,
) -> Option<String> {
    let mut names = Vec::new();
    if let Some(module) = object.cast::<Module<Plain>>() {
        let module: &'static ModuleInfo = module.info().get();
        if std::ptr::eq(module, code.module) {
            variables(code, &mut names);
        }
        let mut next = Some(module);
        while let Some(module) = next {
            names.extend(module.defined(interp));
            next = module.extends;
        }
    } else {
        attributes(interp, object, &mut names);
    }
    let mut close: Vec<(usize, String)> = names
        .into_iter()
        .filter(|other| other != name)
        .map(|other| (distance(name, &other), other))
        .filter(|(distance, _)| *distance <= (name.chars().count() / 3).max(1))
        .collect();
    close.sort();
    // A name of one character resembles all others of one.
    close.into_iter().map(|(_, name)| name).next().filter(|_| name.chars().count() > 1)
}

/// The words that have a meaning at the head of a form.
const MACROS: [&str; 16] = [
    "assert", "break", "class", "continue", "elif", "else", "except", "for", "from", "func", "if", "raise",
    "return", "try", "while", "yield",
];

impl Pyllisp {
    /// The names that may stand in a module, or after a path of names with dots between them, in the order of the
    /// alphabet. Nothing of the program runs for it, and no name is frozen.
    pub fn completions(&self, module: &'static ModuleInfo, path: &[&str]) -> Vec<String> {
        let mut names = Vec::new();
        match path.split_first() {
            None => {
                names.extend(MACROS.map(str::to_owned));
                let mut next = Some(module);
                while let Some(module) = next {
                    names.extend(module.defined(self));
                    next = module.extends;
                }
                names.retain(|name| name.starts_with(|first: char| first.is_alphabetic() || first == '_'));
                // Operators that are no words are called so.
                names.retain(|name| {
                    name.chars().all(|character| character.is_alphanumeric() || character == '_')
                });
            }
            Some((first, rest)) => {
                let object = rest.iter().try_fold(self.peek(module, first), |object, name| {
                    Some(self.peek_attribute(object?, name))
                });
                match object.flatten() {
                    Some(object) if object.is::<Module<Plain>>() => {
                        let info = object.cast::<Module<Plain>>().map(|module| module.info().get());
                        names.extend(info.into_iter().flat_map(|module| module.defined(self)));
                    }
                    Some(object) => attributes(self, object, &mut names),
                    None => {}
                }
            }
        }
        names.sort();
        names.dedup();
        names
    }

    /// The value of a name, if it has one already.
    fn peek(&self, module: &'static ModuleInfo, name: &str) -> Option<Value<Plain>> {
        let mut next = Some(module);
        while let Some(module) = next {
            if module.defined(self).contains(name) {
                return module::value(module.cell(self, self.atom(name)));
            }
            next = module.extends;
        }
        None
    }

    fn peek_attribute(&self, object: Value<Plain>, name: &str) -> Option<Value<Plain>> {
        match object.cast::<Module<Plain>>() {
            Some(module) => self.peek(module.info().get(), name),
            None => self.field(object, self.atom(name)),
        }
    }
}

/// The variables of a function and of those around it.
fn variables(code: &'static LinkedCode, names: &mut Vec<String>) {
    let mut code = GreenRef::new(code);
    loop {
        names.extend(code.code.locals.iter().map(|name| name.to_string()));
        // The top level is its own parent.
        let parent = code.function(CodeId(code.code.parent));
        if parent == code {
            return;
        }
        code = parent;
    }
}

fn attributes(interp: &Pyllisp, object: Value<Plain>, names: &mut Vec<String>) {
    let own: &[&str] = if object.is::<Multimethod<Plain>>() {
        &["arity", "default"]
    } else if object.is::<Greenlet<Plain>>() {
        &["parent"]
    } else if object.is::<Interface<Plain>>() {
        &["fields", "methods", "name", "parent"]
    } else if object.is::<Error<Plain>>() {
        &["message", "stop", "trace"]
    } else if interp.attribute(object, super::LENGTH).is_ok() {
        &["length"]
    } else {
        &[]
    };
    names.extend(own.iter().map(|name| (*name).to_owned()));
    let mut next: Option<&'static InterfaceInfo> = Some(interp.interface_of(object));
    while let Some(info) = next {
        names.extend(info.method_names().into_iter().map(|name| interp.atom_name(name)));
        names.extend(interp.member_names(info));
        let fields = info.class.iter().flat_map(|class| &class.fields);
        names.extend(fields.map(|name| interp.atom_name(*name)));
        next = info.parent.map(|parent| parent.info);
    }
}

/// How many characters have to be inserted, removed, replaced or swapped with their neighbour to come from one
/// text to the other (the optimal string alignment distance).
fn distance(one: &str, two: &str) -> usize {
    let (one, two): (Vec<char>, Vec<char>) = (one.chars().collect(), two.chars().collect());
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=two.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in two.iter().enumerate() {
            let mut best = (last[j] + usize::from(a != b)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == two[j - 1] && one[i - 1] == *b {
                best = best.min(before_last[j - 1] + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[two.len()]
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn distances() {
        for (one, two, expected) in
            [("", "", 0), ("", "abc", 3), ("print", "pirnt", 1), ("kitten", "sitting", 3), ("ca", "abc", 3)]
        {
            assert_eq!((distance(one, two), distance(two, one)), (expected, expected), "{one} {two}");
        }
    }
}
