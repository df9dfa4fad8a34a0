//! Programs of several files.

mod common;

use std::path::PathBuf;

/// A new folder with these files.
fn folder(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    for (path, text) in files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

/// What `main.pyl` of these files prints, and its error; the folder's own name is left out.
fn check(name: &str, files: &[(&str, &str)], expected: &str) {
    let folder = folder(name, files);
    for way in common::WAYS {
        let got = common::run_file(&folder.join("main.pyl"), way).to_string();
        let got = got.replace(&format!("{}/", folder.display()), "");
        assert_eq!(got, expected, "{name}, {way}");
    }
}

#[test]
fn a_file_runs_once_and_is_a_module() {
    let files = [
        (
            "main.pyl",
            "util = (import \"lib/util\")\n(print util util.name (util.twice 4))\n\
             (print {(import \"./lib/../lib/util.pyl\") == util})\nutil.count += 1\n(print (util.get))\n\
             (from (import \"lib/other\") seen)\n(print seen)\n",
        ),
        (
            "lib/util.pyl",
            "(print \"util runs\")\nname = \"u\"\ncount = 5\ntwice = (func n) (return n * 2)\n\
             get = (func) (return count)\n(return 17)\n(print \"not here\")\n",
        ),
        ("lib/other.pyl", "seen = (import \"util\").count\n"),
    ];
    check("once", &files, "util runs\n<module util> u 8\ntrue\n6\n6\n");
}

#[test]
fn functions_of_other_modules_are_called_in_loops() {
    let files = [
        (
            "main.pyl",
            "lib = (import \"lib\")\nf = (func n)\n    i = 0\n    (while i < n)\n        lib.total += (lib.add i 1)\n\
             \u{20}       i += 1\n    (return lib.total)\n(print (f 200))\nlib.add = (func a b) (return 1)\n(print (f 200))\n",
        ),
        ("lib.pyl", "total = 0\nadd = (func a b) (return a + b)\n{+}[[str int]] = (func a b) (return a)\n"),
    ];
    check("loops", &files, "20100\n20300\n");
}

#[test]
fn each_module_has_its_own_operators() {
    let files = [
        ("main.pyl", "lib = (import \"lib\")\n(print 1 + 2 (lib.add 1 2))\n"),
        ("lib.pyl", "{+} = (func a b) (return [a b])\nadd = (func a b) (return a + b)\n"),
    ];
    check("operators", &files, "3 [1 2]\n");
}

#[test]
fn cycles_are_errors() {
    let files = [
        ("main.pyl", "(print 1)\n(import \"a\")\n"),
        ("a.pyl", "(print 2)\n(import \"b\")\n"),
        ("b.pyl", "f = (func) (import \"a\")\n(f)\n"),
    ];
    let trace =
        "Traceback:\n    main.pyl: 2:0 2:12\n    a.pyl: 2:0 2:12\n    b.pyl: 2:0 2:3\n    b.pyl: 1:11 1:23\n";
    check("cycle", &files, &format!("1\n2\n{trace}Error: import cycle: a.pyl -> b.pyl -> a.pyl\n"));
    let files = [("main.pyl", "(import \"main\")\n")];
    let trace = "Traceback:\n    main.pyl: 1:0 1:15\n";
    check("own", &files, &format!("{trace}Error: import cycle: main.pyl -> main.pyl\n"));
}

#[test]
fn errors_name_the_file() {
    let trace = "Traceback:\n    main.pyl: 1:0 1:12\n";
    let files = [("main.pyl", "(import \"a\")\n"), ("a.pyl", "x = 1\n  y\n")];
    check("syntax", &files, &format!("{trace}Error: a.pyl:2:2: layout error\n"));
    let files = [("main.pyl", "(import \"a\")\n"), ("a.pyl", "x = 1\n(print y)\n")];
    check("name", &files, &format!("{trace}    a.pyl: 2:7 2:8\nError: y not in <module a>\n"));
    let files = [("main.pyl", "(import \"a\")\n"), ("a.pyl/x", "")];
    check("folder", &files, &format!("{trace}Error: cannot read a.pyl: is a directory\n"));
    let files = [("main.pyl", "(import \"b\")\n"), ("a.pyl", "")];
    check("missing", &files, &format!("{trace}Error: no such module: \"b\"\n"));
}
