//! Everything that can be wrong before and while a program runs: what is said, and the status.

use std::fs::File;
use std::path::Path;
use std::process::Stdio;

use crate::{end_of, file, hotloop, run};

/// Runs with these arguments; the last line of standard error and the status must be these.
fn check(arguments: &[&str], last_line: &str, status: i32) {
    let ended = run(arguments);
    assert_eq!(
        (ended.last_error_line(), ended.status),
        (last_line, Some(status)),
        "{arguments:?}: {}",
        ended.stderr
    );
}

#[test]
fn files_that_can_not_be_read() {
    check(&["run", "nosuch.pyl"], "Error: nosuch.pyl: no such file or directory", 1);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("folder.pyl");
    std::fs::create_dir_all(&folder).unwrap();
    let folder = folder.to_str().unwrap();
    check(&["run", folder], &format!("Error: {folder}: is a directory"), 1);
}

#[test]
fn files_of_unknown_languages() {
    for name in ["program.x", "program", ".pyl"] {
        let path = file(name, "");
        let known = "there are: .pyl (Pyllisp), .b (Brainfuck)";
        check(&["run", &path], &format!("Error: {path}: the extension does not name a language; {known}"), 2);
    }
}

#[test]
fn text_that_is_not_utf8() {
    let path = file("utf8.pyl", b"(print 1)\n\xc3\xa4 \xff\n");
    check(&["run", &path], "Error: 2:2: invalid UTF-8: byte 0xff", 1);
    let path = file("utf8.b", b"++\n\xc3\xa4 \xff\n");
    check(&["run", &path], "Error: 2:3: invalid UTF-8: byte 0xff", 1);
}

#[test]
fn syntax_errors_have_a_place() {
    let path = file("syntax.pyl", "(print (+ 1 2 3))\n");
    let ended = run(&["run", &path]);
    let expected =
        format!("{path}:1:8\n  |\n1 | (print (+ 1 2 3))\n  |         ^\nError: 1:8: expected term, got +\n");
    assert_eq!((ended.stdout.as_str(), ended.stderr, ended.status), ("", expected, Some(1)));
    let path = file("syntax.b", "++\n ]");
    let ended = run(&["run", &path]);
    let expected = format!("{path}:2:2\n  |\n2 |  ]\n  |  ^\nError: 2:2: `]` without its partner\n");
    assert_eq!((ended.stdout.as_str(), ended.stderr, ended.status), ("", expected, Some(1)));
}

#[test]
fn runtime_errors_have_a_traceback() {
    let path = file("raises.pyl", "f = (func x)\n    (return x.nothing)\n(print 1)\n(f 2)\n");
    let ended = run(&["run", &path]);
    let trace = format!("Traceback:\n    {path}: 4:0 4:5\n    {path}: 2:12 2:21\n");
    let excerpt = "  |\n2 |     (return x.nothing)\n  |             ^^^^^^^^^\n";
    let expected = format!("{trace}{path}:2:12\n{excerpt}Error: nothing not in 2\n");
    assert_eq!((ended.stdout.as_str(), ended.stderr, ended.status), ("1\n", expected, Some(1)));
    let path = file("off.b", "+.<");
    let ended = run(&["run", &path]);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("\u{1}", "Error: the head left the tape\n"));
}

#[test]
fn misspelt_names_come_with_a_suggestion() {
    for (source, suggested) in [
        ("(pirnt 1)", "print"),
        ("f = (func number) (return nubmer)\n(f 1)", "number"),
        ("f = (func number)\n    g = (func) (return nubmer)\n    (g)\n(f 1)", "number"),
        ("total = 1\n(print totall)", "total"),
        ("(print [1].lenght)", "length"),
        ("(print (\"a\".uppr))", "upper"),
        ("m = (module \"m\")\nm.name = 1\n(print m.nmae)", "name"),
        ("(print (getattr {+} \"defualt\"))", "default"),
        ("(print (import \"fs\").read_fil)", "read_file"),
    ] {
        let ended = run(&["run", &file("misspelt.pyl", source)]);
        assert!(
            ended.stderr.contains(&format!("^ did you mean `{suggested}`?\n")),
            "{source}: {}",
            ended.stderr
        );
    }
    for source in ["(print x)", "(print nothing_like_this)", "x = 1\n(print x.y)"] {
        let ended = run(&["run", &file("misspelt.pyl", source)]);
        assert!(!ended.stderr.contains("did you mean"), "{source}: {}", ended.stderr);
    }
}

#[test]
fn long_tracebacks_are_cut() {
    let path =
        file("deep.pyl", "f = (func n)\n    (return 1 + (g n+1))\ng = (func n)\n    (return (f n))\n(f 1)\n");
    let ended = run(&["run", &path]);
    let lines: Vec<&str> = ended.stderr.lines().collect();
    // The heading, two times twenty frames and what is between, the excerpt, the error.
    assert_eq!(lines.len(), 1 + 20 + 1 + 20 + 4 + 1, "{}", ended.stderr);
    assert!(lines[21].ends_with(" more lines)"), "{}", lines[21]);
}

#[test]
fn errors_in_imported_files_name_them() {
    let path = file("importer.pyl", "lib = (import \"imported\")\n(lib.f 1)\n");
    let other = file("imported.pyl", "f = (func x)\n    (assert x > 1)\n");
    let ended = run(&["run", &path]);
    let trace = format!("Traceback:\n    {path}: 2:0 2:9\n    {other}: 2:4 2:18\n");
    let excerpt = "  |\n2 |     (assert x > 1)\n  |     ^^^^^^^^^^^^^^\n";
    assert_eq!(ended.stderr, format!("{trace}{other}:2:4\n{excerpt}Error: Assertion error\n"));
    file("imported.pyl", "f = (func x)\n");
    check(&["run", &path], &format!("Error: {other}:1:4: expecting capture"), 1);
    file("imported.pyl", "(import \"importer\")\n");
    check(&["run", &path], &format!("Error: import cycle: {path} -> {other} -> {path}"), 1);
}

#[test]
fn endless_recursion_is_an_error() {
    let path = file("recursion.pyl", "f = (func n)\n    (return (f n+1))\n(f 1)\n");
    for jit in ["threshold=1039", "off"] {
        check(&["run", "--jit", jit, &path], "Error: maximum recursion depth exceeded", 1);
    }
}

#[test]
fn a_full_heap_is_an_error() {
    let path = file("memory.pyl", "a = []\n(while true)\n    a = [a a a]\n");
    for jit in ["threshold=1039", "off"] {
        check(&["run", "--jit", jit, "--heap", "20M", &path], "Error: out of memory", 1);
    }
}

#[test]
fn command_lines_that_are_wrong() {
    let path = file("fine.pyl", "(print 1)\n");
    let sizes = "write it like 512M (bytes, or with K, M or G)";
    for size in ["x", "512Q", "0", "-5M"] {
        let message = format!("Error: --heap: `{size}` is not a size; {sizes}");
        check(&["run", "--heap", size, &path], &message, 2);
    }
    check(&["run", "--gc-stress", "0", &path], "Error: --gc-stress: `0` is not a whole number from 1 on", 2);
    check(
        &["run", "--jit", "threshold=x", &path],
        "Error: --jit threshold: `x` is not a whole number below 2^32",
        2,
    );
    check(&["run"], "Error: run: a FILE is missing; see `hotloop --help`", 2);
    for (arguments, named, listed) in [
        (&["run", "--jit", "treshold=3", &path] as &[&str], "`treshold`", ["threshold", "trace_eagerness"]),
        (&["run", "--jot", "off", &path], "`--jot`", ["--jit", "--heap"]),
        (&["go", &path], "`go`", ["hotloop run FILE", "--help"]),
    ] {
        let ended = run(arguments);
        assert_eq!((ended.stdout.as_str(), ended.status), ("", Some(2)), "{arguments:?}");
        assert!(ended.stderr.contains(named), "{arguments:?}: {}", ended.stderr);
        assert!(listed.iter().all(|word| ended.stderr.contains(word)), "{arguments:?}: {}", ended.stderr);
    }
}

#[test]
fn the_log_is_asked_for_by_the_environment() {
    let path = file("logged.pyl", "i = 0\n(while i < 3000)\n    i += 1\n(print i)\n");
    let ended = end_of(hotloop(&["run", &path]).env("HOTLOOP_PERF", "mop"), "");
    assert!(
        ended.status == Some(2) && ended.stderr.contains("HOTLOOP_PERF: there is: map"),
        "{}",
        ended.stderr
    );
    let ended = end_of(hotloop(&["run", &path]).env("HOTLOOP_LOG", "jit-sumary:-"), "");
    assert_eq!((ended.stdout.as_str(), ended.status), ("", Some(2)));
    assert!(
        ended.stderr.contains("`jit-sumary`") && ended.stderr.contains("jit-log-noopt"),
        "{}",
        ended.stderr
    );
    let log = file("summary.log", "");
    let value = format!("jit-summary,jit-log-opt:{log}");
    let ended = end_of(hotloop(&["run", &path]).env("HOTLOOP_LOG", value), "");
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str(), ended.status), ("3000\n", "", Some(0)));
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("{jit-log-opt") && log.contains("{jit-summary"), "{log}");
}

#[test]
fn help_and_version() {
    let ended = run(&["--help"]);
    assert_eq!((ended.stderr.as_str(), ended.status), ("", Some(0)));
    for word in ["hotloop run", ".pyl", "Brainfuck", "--heap", "trace_eagerness", "jit-summary"] {
        assert!(ended.stdout.contains(word), "{word}");
    }
    let ended = run(&["--version"]);
    assert_eq!(ended.stdout, concat!("hotloop ", env!("CARGO_PKG_VERSION"), "\n"));
}

/// The program is told, and so may end in good order: what it has written elsewhere is not lost.
#[test]
fn a_reader_that_goes_away_is_an_error() {
    let kept = file("kept.txt", "");
    let program = format!(
        "fs = (import \"fs\")\n(try)\n    (while true)\n        (print 1)\n(except e)\n    (fs.write_file {kept:?} e.message)\n    (raise e)\n"
    );
    let programs = [
        file("endless.pyl", "(while true)\n    (print 1)\n"),
        file("endless.b", "+[.]"),
        file("told.pyl", &program),
    ];
    for path in &programs {
        let mut child = hotloop(&["run", path]).spawn().unwrap();
        let mut first = [0; 2];
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut first).unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(
            String::from_utf8_lossy(&output.stderr),
            "Error: standard output: broken pipe\n",
            "{path}"
        );
        assert_eq!(output.status.code(), Some(1), "{path}");
    }
    assert_eq!(std::fs::read_to_string(kept).unwrap(), "cannot print: broken pipe");
}

#[test]
fn a_full_disk_is_an_error() {
    let Ok(full) = File::options().write(true).open("/dev/full") else { return };
    let path = file("full.pyl", "(print 1)\n");
    for arguments in [&["run", &path] as &[&str], &["--help"]] {
        let mut command = hotloop(arguments);
        command.stdout(Stdio::from(full.try_clone().unwrap()));
        let ended = end_of(&mut command, "");
        assert_eq!(ended.stderr, "Error: standard output: no space left on device\n", "{arguments:?}");
        assert_eq!(ended.status, Some(1));
    }
}
