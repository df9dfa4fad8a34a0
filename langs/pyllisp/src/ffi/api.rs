//! The module `api`: libraries with the descriptions of their headers (`docs/pyllisp/headers.md`).

use std::path::{Path, PathBuf};

use hotloop::prelude::*;
use hotloop_ffi::description::Description;
use hotloop_ffi::library;

use super::LibraryInfo;
use crate::base::{builtin, reason, string};
use crate::object::{CFunction, Library, Module, null, repr};
use crate::vm::Pyllisp;
use crate::vm::interface::{Answer, Work};
use crate::vm::module::ModuleInfo;

/// The folder of descriptions in each folder of `PYLLISP_PATH`.
const FOLDER: &str = "headers";

/// Makes the module.
pub(super) fn define(interp: &Pyllisp) {
    let info = ModuleInfo::new("api", None, true);
    info.define(interp, "open", builtin(interp, "open", Work::Native(open)));
    let value = Module::new(interp.runtime(), GreenRef::new(info)).to_value();
    interp.modules.borrow_mut().insert("api".to_owned(), interp.runtime().constant(value));
}

/// `(open "libSDL2.so")`, `(open "libGL.json" loader)`
fn open(interp: &Pyllisp, args: &[Value<Plain>]) -> Answer {
    let name = string(interp, args, 0)?.to_string();
    let foreign = interp.foreign()?;
    let (path, description) = described(interp, &name)?;
    if let Some(loader) = args.get(1) {
        if !loader.is::<CFunction<Plain>>() {
            let shown = repr::repr(interp, *loader);
            return Err(interp.error(&format!("a loader is a function of C, got {shown}")));
        }
        let info = LibraryInfo::new(name, None, Some(description));
        return Ok(interp.library_of(info, null(), *loader).to_value());
    }
    // The name that the program gives is often one that only developers' packages have.
    let given = (!name.ends_with(".json")).then_some(&name);
    let mut failure = format!("{} names no library", path.display());
    for (number, file) in given.into_iter().chain(description.libraries()).enumerate() {
        match library::Library::open(foreign, Some(file)) {
            Ok(library) => {
                let info = LibraryInfo::new(file.clone(), Some(library), Some(description));
                return Ok(Library::to_value(interp.library_of(info, null(), null())));
            }
            Err(error) if number == 0 => failure = error,
            Err(_) => {}
        }
    }
    Err(interp.error(&format!("cannot load library {name}: {failure}")))
}

/// The description for a library's file name: `libSDL2.json` for `libSDL2.so`, `libSDL2-2.0.so.0` …
fn described(interp: &Pyllisp, name: &str) -> Result<(PathBuf, &'static Description), Raise<Plain>> {
    let file =
        Path::new(name).file_name().map(|file| file.to_string_lossy().into_owned()).unwrap_or_default();
    let whole = file.strip_suffix(".json").or(file.split(".so").next()).unwrap_or(&file);
    let short = whole.split('-').next().unwrap_or(whole);
    let folders = folders();
    let paths =
        folders.iter().flat_map(|folder| [whole, short].map(|stem| folder.join(format!("{stem}.json"))));
    for path in paths {
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => {
                return Err(interp.error(&format!("cannot read {}: {}", path.display(), reason(&error))));
            }
        };
        return match Description::read(&text) {
            Ok(description) => Ok((path, Box::leak(Box::new(description)))),
            Err(error) => Err(interp.error(&format!("{} is no description: {error}", path.display()))),
        };
    }
    let folders: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
    Err(interp.error(&format!("no description {whole}.json in {}", folders.join(", "))))
}

/// Where descriptions are looked for: `PYLLISP_PATH` first, then beside the program `hotloop`, then where it was
/// built.
fn folders() -> Vec<PathBuf> {
    let path = std::env::var_os("PYLLISP_PATH").unwrap_or_default();
    let given = std::env::split_paths(&path).filter(|path| path != Path::new(""));
    let mut folders: Vec<PathBuf> = given.map(|path| path.join(FOLDER)).collect();
    if let Ok(program) = std::env::current_exe() {
        folders.extend(program.ancestors().nth(2).map(|prefix| prefix.join("share/hotloop").join(FOLDER)));
    }
    folders.push(Path::new(env!("CARGO_MANIFEST_DIR")).join(FOLDER));
    folders
}
