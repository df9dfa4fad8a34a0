//! Whole programs, in every mode: what they print must not depend on how they are executed.

use std::path::{Path, PathBuf};

use crate::{Ended, end_of, file, hotloop, in_tree, run};

/// Compile whatever runs twice.
const EAGER: &str = "threshold=1,trace_eagerness=1";

/// The modes, by their name and the options.
fn modes() -> Vec<(&'static str, Vec<String>)> {
    let jit = |more: &str| vec!["--jit".to_string(), format!("{EAGER}{more}")];
    vec![
        ("off", vec!["--jit".to_string(), "off".to_string()]),
        ("eval, not optimised", jit(",backend=eval,optimize=0")),
        ("eval", jit(",backend=eval")),
        ("native", jit(",backend=x64")),
        ("defaults", Vec::new()),
        ("native, gc stress", [jit(""), vec!["--gc-stress".to_string(), "1".to_string()]].concat()),
    ]
}

/// All files of a folder with this extension, in order.
fn programs(folder: &str, extension: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(in_tree(folder)).unwrap();
    let mut programs: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    programs.sort();
    programs
}

/// Runs a program in its own folder.
fn run_there(options: &[String], program: &Path) -> Ended {
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let mut command = hotloop(&[&["run"], options.as_slice()].concat());
    command.arg(program.file_name().unwrap()).current_dir(program.parent().unwrap());
    end_of(&mut command, "")
}

#[test]
fn brainfuck_programs_print_what_they_should() {
    let programs = programs("bench", "b");
    assert!(!programs.is_empty());
    for program in &programs {
        let expected = std::fs::read_to_string(program.with_extension("out")).unwrap();
        for (mode, options) in modes() {
            let ended = run_there(&options, program);
            assert_eq!(ended.stdout, expected, "{}: {mode}", program.display());
            assert_eq!((ended.stderr.as_str(), ended.status), ("", Some(0)), "{}: {mode}", program.display());
        }
    }
}

#[test]
fn brainfuck_programs_read() {
    let path = file("echo.b", ",[.,]");
    for input in ["", "hello\n", "a\u{e4}b"] {
        let ended = end_of(&mut hotloop(&["run", &path]), input);
        assert_eq!((ended.stdout.as_str(), ended.status), (input, Some(0)));
    }
}

#[test]
fn pyllisp_programs_give_what_the_original_gave() {
    let programs = programs("langs/pyllisp/tests/oracle", "pyl");
    assert!(programs.len() > 50);
    let mut wrong = Vec::new();
    for program in &programs {
        let name = program.file_stem().unwrap().to_string_lossy();
        let expected = |extension: &str| std::fs::read_to_string(program.with_extension(extension)).unwrap();
        let (out, err, rc) = (expected("out"), expected("err"), expected("rc"));
        for (mode, options) in modes() {
            let ended = run_there(&options, program);
            let status = ended.status.map(|status| status.to_string());
            if ended.stdout != out
                || ended.last_error_line() != err.trim_end()
                || status.as_deref() != Some(rc.trim())
            {
                wrong.push(format!("{name}: {mode}: {ended:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} runs differ\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn programs_find_their_arguments() {
    let path = file("argv.pyl", "(print argv)\n");
    let ended = run(&["run", &path, "--jit", "b c"]);
    assert_eq!(ended.stdout, format!("[\"{path}\" \"--jit\" \"b c\"]\n"));
    let path = file("own.pyl", "argv = 3\n(print argv)\n");
    assert_eq!(run(&["run", &path]).stdout, "3\n");
}

#[test]
fn an_empty_program_does_nothing() {
    for name in ["empty.pyl", "empty.b"] {
        let ended = run(&["run", &file(name, "")]);
        assert_eq!((ended.stdout.as_str(), ended.stderr.as_str(), ended.status), ("", "", Some(0)));
    }
}

#[test]
fn profilers_find_names_for_compiled_code() {
    let path = file("profiled.pyl", "i = 0\n(while i < 3000)\n    i += 1\n(print i)\n");
    let mut child = hotloop(&["run", &path]).env("HOTLOOP_PERF", "map").spawn().unwrap();
    let map = format!("/tmp/perf-{}.map", child.id());
    assert!(child.wait().unwrap().success());
    let text = std::fs::read_to_string(&map).unwrap();
    std::fs::remove_file(&map).unwrap();
    let words: Vec<&str> = text.lines().next().unwrap_or_default().splitn(3, ' ').collect();
    let number = |word: &str| u64::from_str_radix(word, 16).unwrap();
    assert!(number(words[0]) > 0 && number(words[1]) > 0 && words[2].starts_with("loop at "), "{text}");
}
