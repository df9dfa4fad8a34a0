//! Where things are: the workspace, its target directory, and the programs that cargo builds in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Result, process};

/// The workspace's root: the folder above xtask's.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lives in the workspace")
}

/// `cargo`, the one that runs this very command, started in the workspace's root.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// The target directory, wherever the environment or a configuration file has put it.
pub fn target_dir() -> Result<PathBuf> {
    let outcome = process::run(cargo().args(["metadata", "--format-version=1", "--no-deps"]), None)?;
    if !outcome.succeeded() {
        return Err(format!("cargo metadata failed:\n{}", outcome.stderr_text()));
    }
    json_string(&outcome.stdout_text(), "target_directory")
        .map(PathBuf::from)
        .ok_or_else(|| "cargo metadata names no target directory".to_string())
}

/// A folder of xtask's own inside the target directory, made if need be.
pub fn scratch(name: &str) -> Result<PathBuf> {
    let folder = target_dir()?.join("xtask").join(name);
    fs::create_dir_all(&folder).map_err(|error| format!("can't make {}: {error}", folder.display()))?;
    Ok(folder)
}

/// The `hotloop` program: the one given with `--hotloop`, else built from the workspace.
pub fn hotloop(given: Option<String>) -> Result<PathBuf> {
    if let Some(given) = given {
        let path = PathBuf::from(&given);
        return path.canonicalize().map_err(|error| format!("--hotloop {given}: {error}"));
    }
    if !root().join("crates/cli/Cargo.toml").exists() {
        return Err("the hotloop program can't be built: crates/cli does not exist".to_string());
    }
    build(&["-p", "hotloop-cli"], "the hotloop program")?;
    let path = target_dir()?.join("release/hotloop");
    if path.exists() {
        Ok(path)
    } else {
        Err(format!("hotloop-cli was built, but there is no {}", path.display()))
    }
}

/// The example program `name` of `package`, built.
pub fn example(package: &str, name: &str) -> Result<PathBuf> {
    build(&["-p", package, "--example", name], &format!("example {name} of {package}"))?;
    Ok(target_dir()?.join("release/examples").join(name))
}

fn build(arguments: &[&str], what: &str) -> Result<()> {
    let outcome = process::run(cargo().args(["build", "--release"]).args(arguments), None)?;
    if outcome.succeeded() {
        Ok(())
    } else {
        Err(format!("{what} can't be built:\n{}", outcome.stderr_text()))
    }
}

/// All files below `folder` that `wanted` accepts, sorted; nothing if there is no such folder.
pub fn files_below(folder: &Path, wanted: &dyn Fn(&Path) -> bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else { return found };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            found.extend(files_below(&path, wanted));
        } else if wanted(&path) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Whether the file's extension is one of `extensions`.
pub fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    path.extension().is_some_and(|extension| extensions.iter().any(|wanted| extension == *wanted))
}

/// The path as seen from the workspace's root, for messages.
pub fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// The value of the last `"key":"…"` in a line of JSON. (A path with a quote or a backslash in it is
/// beyond this; cargo's own answer is the only text it reads.)
fn json_string(json: &str, key: &str) -> Option<String> {
    let start = json.rfind(&format!("\"{key}\":\""))? + key.len() + 4;
    let end = json[start..].find('"')? + start;
    Some(json[start..end].to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_holds_the_workspace() {
        assert!(root().join("Cargo.toml").exists());
        let manifests = files_below(&root().join("xtask"), &|path| path.ends_with("xtask/Cargo.toml"));
        assert_eq!(manifests.len(), 1);
    }

    #[test]
    fn a_string_is_found_in_json() {
        let json = r#"{"packages":[],"target_directory":"/some/where","version":1}"#;
        assert_eq!(json_string(json, "target_directory").as_deref(), Some("/some/where"));
        assert_eq!(json_string(json, "other"), None);
    }
}
