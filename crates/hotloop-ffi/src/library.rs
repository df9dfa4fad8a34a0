//! Shared libraries and their symbols.

use std::path::Path;

use hotloop::foreign::Foreign;

/// A library; it stays loaded for as long as the process lives, as traces may call it.
#[derive(Debug)]
pub struct Library {
    /// What it was opened by; `None`: the process itself.
    pub name: Option<String>,
    handle: libloading::os::unix::Library,
}

impl Library {
    /// Opens a library by its file name, as the system's loader finds it, or by a path; without a name the process
    /// itself, which has the C library.
    ///
    /// # Errors
    /// The loader's own words.
    pub fn open(_allowed: Foreign, name: Option<&str>) -> Result<&'static Library, String> {
        if name.is_some_and(|name| name.contains('\0')) {
            return Err("the name has a zero byte in it".into());
        }
        let handle = match name {
            None => libloading::os::unix::Library::this(),
            Some(name) => {
                // SAFETY: what the library does while it is loaded is its own affair: who gave the permission
                // vouches for it.
                let opened = unsafe { libloading::os::unix::Library::new(Path::new(name)) };
                opened.map_err(|error| source_of(&error))?
            }
        };
        Ok(Box::leak(Box::new(Library { name: name.map(str::to_owned), handle })))
    }

    /// The address of a symbol, if the library has it.
    pub fn symbol(&self, name: &str) -> Option<usize> {
        // SAFETY: only the address is taken here.
        let found = unsafe { self.handle.get::<*mut ()>(name.as_bytes()) };
        found.ok().map(|symbol| symbol.into_raw().expose_provenance()).filter(|address| *address != 0)
    }
}

fn source_of(error: &libloading::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), |source| source.to_string())
}
