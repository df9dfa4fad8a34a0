//! `import`: the interpreter's own modules, and files.
//!
//! A file is named by its path, with or without `.pyl`, from the folder of the file that imports it. It runs
//! once, in a module of its own; who imports it again gets the same module. While it runs, importing it is
//! an error: there is nothing of it yet that could be relied on.

use std::collections::HashMap;
use std::fmt::Write;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use hotloop::prelude::*;

use super::Pyllisp;
use super::interface::Answer;
use super::link::link;
use super::module::ModuleInfo;
use crate::base::{reason, string};
use crate::compile;
use crate::object::{Closure, Module, list, repr};
use crate::position::SyntaxError;
use crate::read;

/// The modules that can leave a sandbox.
const OUTSIDE: [&str; 4] = ["api", "ffi", "fs", "process"];

/// What the files of programs' names end with.
const EXTENSION: &str = "pyl";

/// The files that were imported, by their canonical paths.
#[derive(Debug, Default)]
pub(crate) struct Files {
    loaded: HashMap<PathBuf, ConstValue>,
    /// The folder of the first program; of a prompt, the one in which it runs.
    root: Option<PathBuf>,
    /// Those that are running, in the order in which they were imported.
    running: Vec<Running>,
}

#[derive(Debug)]
struct Running {
    path: PathBuf,
    module: &'static ModuleInfo,
}

/// The module that a name means, or, if it is a file that has to run first, a list of the file's program as a
/// closure and its module.
#[residual(writes)]
pub(super) fn import(
    interp: &Pyllisp,
    importer: GreenRef<ModuleInfo>,
    name: Value<Plain>,
) -> Result<Value<Plain>, Raise<Plain>> {
    let text = string(interp, &[name], 0)?;
    if interp.runtime().foreign().is_none() && OUTSIDE.contains(&&*text) {
        return Err(interp.error(&format!("module {text} is refused: this program runs in a sandbox")));
    }
    if let Some(module) = interp.modules.borrow().get(&*text) {
        return Ok(module.value());
    }
    let file = path_from(importer.get(), &text);
    match file.canonicalize() {
        Ok(canonical) if interp.is_walled_off(&canonical) => {
            let message = "is refused: in a sandbox files are imported from the program's own folder only";
            Err(interp.error(&format!("module {text} {message}")))
        }
        Ok(canonical) => import_file(interp, &file, canonical),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidInput) => {
            Err(interp.error(&format!("no such module: {}", repr::repr(interp, name))))
        }
        Err(error) => Err(unreadable(interp, &file, &error)),
    }
}

/// A file's program raised an error: the next import runs it again.
#[residual(writes)]
pub(super) fn import_failed(interp: &Pyllisp, module: GreenRef<ModuleInfo>) {
    interp.files.borrow_mut().running.retain(|running| !std::ptr::eq(running.module, module.get()));
}

fn path_from(importer: &ModuleInfo, name: &str) -> PathBuf {
    let folder = importer.file.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
    let mut path = folder.join(name);
    if path.extension().is_none_or(|extension| extension != EXTENSION) {
        path.as_mut_os_string().push(format!(".{EXTENSION}"));
    }
    path
}

fn unreadable(interp: &Pyllisp, path: &Path, error: &std::io::Error) -> Raise<Plain> {
    interp.error(&format!("cannot read {}: {}", path.display(), reason(error)))
}

fn import_file(interp: &Pyllisp, file: &Path, canonical: PathBuf) -> Answer {
    if let Some(module) = interp.files.borrow().loaded.get(&canonical) {
        return Ok(module.value());
    }
    interp.refuse_cycle(&canonical)?;
    let source = std::fs::read(file).map_err(|error| unreadable(interp, file, &error))?;
    let wrong = |error: SyntaxError| interp.error(&format!("{}:{error}", file.display()));
    let text = read::decode(&source).map_err(wrong)?;
    let program = compile::compile(&source, &compile::Options::default()).map_err(wrong)?;
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    let module = ModuleInfo::of_file(&name, interp.base, file);
    interp.files.borrow_mut().running.push(Running { path: canonical, module });
    let runtime = interp.runtime();
    let closure = Closure::new(runtime, link(interp, program, text, module), None).to_value();
    let module = Module::new(runtime, GreenRef::new(module)).to_value();
    Ok(list::from_values(runtime, &[closure, module]).to_value())
}

/// `(finish_import module)`, which the prelude calls when a file's program has ended.
pub(crate) fn finish_import(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let module: Module<Plain> = crate::base::object(interp, args, 0, interp.interfaces.module)?;
    let info = module.info().get();
    let mut files = interp.files.borrow_mut();
    if let Some(place) = files.running.iter().position(|running| std::ptr::eq(running.module, info)) {
        let running = files.running.remove(place);
        files.loaded.insert(running.path, interp.runtime().constant(args[0]));
    }
    Ok(args[0])
}

impl Pyllisp {
    /// A new module for the program of a file, over `base`. No file that it imports can import it.
    pub fn module_of_file(&self, name: &str, file: &Path) -> &'static ModuleInfo {
        let module = ModuleInfo::of_file(name, self.base, file);
        if let Ok(path) = file.canonicalize() {
            let mut files = self.files.borrow_mut();
            if files.root.is_none() {
                files.root = path.parent().map(Path::to_owned);
            }
            files.running.push(Running { path, module });
        }
        module
    }

    /// Whether this is a sandbox, and the file is none of the program's own folder.
    fn is_walled_off(&self, file: &Path) -> bool {
        if self.runtime().foreign().is_some() {
            return false;
        }
        let root = self.files.borrow().root.clone().or_else(|| Path::new(".").canonicalize().ok());
        root.is_none_or(|root| !file.starts_with(root))
    }

    fn refuse_cycle(&self, path: &Path) -> Result<(), Raise<Plain>> {
        let files = self.files.borrow();
        let Some(start) = files.running.iter().position(|running| running.path == path) else {
            return Ok(());
        };
        let mut message = String::from("import cycle: ");
        for running in &files.running[start..] {
            // Writing to a string can't fail.
            let _ = write!(message, "{} -> ", running.module.place());
        }
        Err(self.error(&(message + &files.running[start].module.place())))
    }
}
