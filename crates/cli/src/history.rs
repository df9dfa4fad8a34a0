//! What was typed at the prompt in earlier sessions: a file, an entry a line. That it can't be read or written
//! is no reason to complain.

use std::env;
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

/// How many entries are kept.
const KEPT: usize = 1000;

/// Where entries are kept; nowhere if there is no place.
pub struct History(Option<PathBuf>);

impl History {
    /// In the user's folder for what programs remember.
    pub fn usual() -> History {
        let folder = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let state = folder("XDG_STATE_HOME").or_else(|| Some(folder("HOME")?.join(".local/state")));
        History(state.map(|state| state.join("hotloop/pyllisp_history")))
    }

    /// The entries, the oldest first. A file that has grown is cut.
    pub fn load(&self) -> Vec<String> {
        let Some(path) = &self.0 else { return Vec::new() };
        let Ok(text) = fs::read_to_string(path) else { return Vec::new() };
        let lines: Vec<&str> = text.lines().collect();
        let kept = &lines[lines.len().saturating_sub(KEPT)..];
        if lines.len() > 2 * KEPT {
            let _ = fs::write(path, kept.join("\n") + "\n");
        }
        kept.iter().map(|line| unescaped(line)).collect()
    }

    /// Adds an entry.
    pub fn add(&self, entry: &str) {
        let Some(path) = &self.0 else { return };
        if let Some(folder) = path.parent() {
            let _ = fs::create_dir_all(folder);
        }
        let file = fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path);
        if let Ok(mut file) = file {
            // In one piece, so that sessions beside each other don't mix their lines.
            let _ = file.write_all((escaped(entry) + "\n").as_bytes());
        }
    }
}

fn escaped(entry: &str) -> String {
    entry.replace('\\', "\\\\").replace('\n', "\\n")
}

fn unescaped(line: &str) -> String {
    let mut entry = String::new();
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match (character, character == '\\') {
            (_, true) => match characters.next() {
                Some('n') => entry.push('\n'),
                other => entry.extend(other),
            },
            (plain, false) => entry.push(plain),
        }
    }
    entry
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_of_several_lines_are_one_line() {
        for entry in ["x", "(f)\n    1", "\"a\\nb\\\\\"\n\\", ""] {
            assert_eq!(unescaped(&escaped(entry)), entry);
            assert!(!escaped(entry).contains('\n'));
        }
    }

    #[test]
    fn a_file_that_has_grown_is_cut() {
        let path = env::temp_dir().join(format!("hotloop-history-{}", std::process::id()));
        let history = History(Some(path.clone()));
        assert!(history.load().is_empty());
        fs::write(&path, (0..2 * KEPT + 1).map(|number| format!("{number}\n")).collect::<String>()).unwrap();
        assert_eq!(history.load().first().map(String::as_str), Some("1001"));
        history.add("last\nline");
        let entries = history.load();
        assert_eq!((entries.len(), entries.last().map(String::as_str)), (KEPT, Some("last\nline")));
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), KEPT + 1);
        fs::remove_file(&path).unwrap();
        // No folder and no file to write: nothing happens.
        History(Some(PathBuf::from("/dev/null/x/y"))).add("lost");
        History(None).add("lost");
    }
}
