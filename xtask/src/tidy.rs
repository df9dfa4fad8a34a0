//! `cargo xtask tidy`: house rules that no other tool checks.

use std::fs;
use std::path::Path;

use crate::args::Args;
use crate::{Result, process, workspace};

pub const HELP: &str = "\
tidy                   check the house rules: no file over 800 lines without a reason in its header, no
                       unfinished code, no ignored tests, no language in the toolkit, no machine's paths";

/// From here on a file's header must say why (a header line with this number in it).
const LONGEST: usize = 800;

/// Written in two parts each, so that this file does not break the rules it checks.
const UNFINISHED: [&str; 3] = [concat!("to", "do!"), concat!("unimpl", "emented!"), concat!("#[ign", "ore")];

/// The toolkit knows no language; RPython, CPython and PyPy are ancestors and not languages, and other words.
const LANGUAGES: [&str; 5] = ["pyllisp", "python", "brainfuck", "hotloop_bf", "hotloop_pyllisp"];

/// Folders in which only one machine has its files.
const MACHINE_FOLDERS: [&str; 5] = ["/work/", "/root/", "/home/", "/Users/", "/mnt/"];

pub fn command(args: Args) -> Result<()> {
    args.rest()?;
    let files = check()?;
    println!("{files} files are tidy");
    Ok(())
}

/// Checks every text file of the tree; how many there are, or all that is wrong.
pub fn check() -> Result<usize> {
    let mut problems = Vec::new();
    let files = tracked_files()?;
    let mut checked = 0;
    for name in &files {
        // A file that is gone or is not text has no rules to break.
        let Ok(text) = fs::read_to_string(workspace::root().join(name)) else { continue };
        checked += 1;
        problems.extend(problems_of(name, &text));
    }
    if problems.is_empty() { Ok(checked) } else { Err(problems.join("\n")) }
}

/// The files that are in the repository or about to be: what git neither ignores nor misses.
fn tracked_files() -> Result<Vec<String>> {
    let mut git = std::process::Command::new("git");
    git.current_dir(workspace::root()).args(["ls-files", "--cached", "--others", "--exclude-standard"]);
    let outcome = process::run(&mut git, None)?;
    if outcome.succeeded() {
        Ok(outcome.stdout_text().lines().map(str::to_string).collect())
    } else {
        Err(format!("git ls-files failed:\n{}", outcome.stderr_text()))
    }
}

/// The rules, applied to one file.
fn problems_of(name: &str, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let rust = workspace::has_extension(Path::new(name), &["rs"]);
    let toolkit = name.starts_with("crates/")
        && !name.starts_with("crates/cli/")
        && workspace::has_extension(Path::new(name), &["rs", "toml"]);
    if rust && text.lines().count() > LONGEST && !header_mentions_length(text) {
        problems.push(format!(
            "{name}: {} lines; the `//!` header must say why it has over {LONGEST} lines",
            text.lines().count()
        ));
    }
    for (index, line) in text.lines().enumerate() {
        let mut complain = |what: String| problems.push(format!("{name}:{}: {what}", index + 1));
        if rust && let Some(word) = UNFINISHED.iter().find(|word| line.contains(**word)) {
            complain(format!("`{word}`"));
        }
        if toolkit && let Some(language) = words(line).find_map(language) {
            complain(format!("the toolkit knows no language, not even {language}"));
        }
        if let Some(folder) = machine_folder(line) {
            complain(format!("a path of one machine only: {folder}"));
        }
    }
    problems
}

fn header_mentions_length(text: &str) -> bool {
    let header = text.lines().take_while(|line| line.starts_with("//!"));
    header.into_iter().any(|line| line.contains(&LONGEST.to_string()))
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

fn language(word: &str) -> Option<&'static str> {
    LANGUAGES.into_iter().find(|language| word.eq_ignore_ascii_case(language))
}

/// A machine's folder at the start of a path: `shared/work/x` is none.
fn machine_folder(line: &str) -> Option<&'static str> {
    MACHINE_FOLDERS.into_iter().find(|folder| {
        line.match_indices(folder).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            let in_a_path = before.is_some_and(|c| c.is_alphanumeric() || "/._-~})".contains(c));
            // Nothing but a quote after it: a list of such folders, as here, and not a path.
            let quoted = line[at + folder.len()..].starts_with('"');
            !in_a_path && !quoted
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_files_need_a_reason() {
        let long = "fn f() {}\n".repeat(LONGEST + 1);
        assert_eq!(problems_of("crates/x/src/a.rs", &long).len(), 1);
        let explained = format!("//! One table, more than {LONGEST} lines of it.\n{long}");
        assert!(problems_of("crates/x/src/a.rs", &explained).is_empty());
        assert!(problems_of("docs/a.md", &long).is_empty());
    }

    #[test]
    fn unfinished_code_and_ignored_tests_are_found() {
        for word in UNFINISHED {
            assert_eq!(problems_of("langs/x/a.rs", &format!("a\n    {word}(x)")).len(), 1, "{word}");
            assert!(problems_of("docs/a.md", word).is_empty());
        }
    }

    #[test]
    fn the_toolkit_knows_no_language() {
        let line = "// as in Python";
        assert_eq!(problems_of("crates/hotloop/src/lib.rs", line).len(), 1);
        assert!(problems_of("crates/cli/src/main.rs", line).is_empty());
        assert!(problems_of("langs/pyllisp/src/lib.rs", line).is_empty());
        assert!(problems_of("crates/hotloop/src/lib.rs", "// RPython's name, CPython's speed").is_empty());
    }

    #[test]
    fn paths_of_one_machine_are_found() {
        let path = ["/", "work", "/main/x"].concat();
        assert_eq!(problems_of("docs/a.md", &format!("see {path}")).len(), 1);
        assert_eq!(problems_of("docs/a.md", &format!("\"{path}\"")).len(), 1);
        assert!(problems_of("docs/a.md", &format!("see ..{path}")).is_empty());
        assert!(problems_of("docs/a.md", &format!("{{root}}{path}")).is_empty());
    }
}
