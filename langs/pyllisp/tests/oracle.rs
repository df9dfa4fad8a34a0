//! The programs with the original interpreter's own answers: same output, same exit status, same
//! last line of the error.

mod common;

use std::path::{Path, PathBuf};

fn check(program: &Path) -> Result<(), String> {
    let expected = |extension: &str| std::fs::read_to_string(program.with_extension(extension)).unwrap();
    let source = std::fs::read_to_string(program).unwrap();
    let common::Outcome { printed, error } = common::run(&source, "");
    let status = if error.is_none() { "0" } else { "1" };
    let error = error.unwrap_or_default();
    let last_line = error.lines().last().unwrap_or_default();
    let (out, err, rc) = (expected("out"), expected("err"), expected("rc"));
    if printed != out || last_line != err.trim_end() || status != rc.trim() {
        return Err(format!(
            "{}:\n  printed {printed:?}\n  not     {out:?}\n  error {error:?}\n  not   {err:?}",
            program.display()
        ));
    }
    Ok(())
}

#[test]
fn programs_give_what_the_original_gave() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle");
    // One of the programs reads its own source.
    std::env::set_current_dir(&directory).unwrap();
    let mut programs: Vec<PathBuf> = std::fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "pyl"))
        .collect();
    programs.sort();
    assert!(programs.len() > 50);
    let wrong: Vec<String> = programs.iter().filter_map(|program| check(program).err()).collect();
    assert!(wrong.is_empty(), "{} programs differ\n{}", wrong.len(), wrong.join("\n"));
}
