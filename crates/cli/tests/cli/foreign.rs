//! C from programs: the game, descriptions of headers, and the sandbox.

use std::path::Path;
use std::process::Command;

use crate::{Ended, end_of, file, hotloop, in_tree, run};

fn has_library(name: &str) -> bool {
    let program = file("has_library.pyl", format!("ffi = (import \"ffi\")\n(ffi.library \"{name}\")\n"));
    run(&["run", &program]).status == Some(0)
}

/// The game runs for some frames without a screen, the same in all ways.
#[test]
fn the_game_is_played() {
    if !has_library("libSDL2-2.0.so.0") {
        println!("left out: libSDL2 is not installed");
        return;
    }
    let game = in_tree("langs/pyllisp/programs/pong.pyl");
    let picture = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pong.bmp");
    let _ = std::fs::remove_file(&picture);
    let mut seen = Vec::new();
    for jit in ["off", "threshold=1,backend=eval", "default", "threshold=2,force_every=7"] {
        let mut command = hotloop(&["run", "--jit", jit]);
        command.arg(&game).arg("1200").arg(&picture).env("SDL_VIDEODRIVER", "dummy");
        let ended = end_of(&mut command, "");
        assert_eq!((ended.stderr.as_str(), ended.status), ("", Some(0)), "{jit}");
        seen.push((ended.stdout, std::fs::read(&picture).expect("the picture was written")));
    }
    assert_eq!(seen[0].0, "1200 frames, score 0 1\n");
    assert!(seen.iter().all(|one| *one == seen[0]), "the same in all ways");
    let pixels = &seen[0].1[54..];
    assert!(pixels.len() >= 640 * 480 * 3 && pixels.iter().any(|byte| *byte > 200), "there is a picture");
}

fn with_path(folder: &Path, program: &str) -> Ended {
    end_of(hotloop(&["run", program]).env("PYLLISP_PATH", folder), "")
}

#[test]
fn descriptions_are_found_and_may_be_wrong() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("described");
    std::fs::create_dir_all(folder.join("headers")).unwrap();
    let describe = |name: &str, text: &str| std::fs::write(folder.join("headers").join(name), text).unwrap();
    describe(
        "libmine.json",
        "{\"library\": [\"libm.so.6\"], \"prefixes\": [\"f\"], \"constants\": {\"N\": 7, \"TEXT\": \"abc\", \"X\": 1.5, \
         \"BIG\": 18446744073709551615}, \"functions\": {\"fabs\": \"cfunc f64 [f64]\", \"gone\": \"cfunc void []\", \
         \"bad\": \"cfunc void [nothing]\"}, \"types\": {\"pair\": {\"struct\": [[\"a\", \"i32\"], [\"b\", \"pointer pair\"]]}}}",
    );
    describe("libbroken.json", "{\"functions\": 5}");
    describe("libnowhere.json", "{\"library\": [\"libno_such_thing.so\"]}");
    let start =
        "api = (import \"api\")\n(print (api.open \"libmine.so\"))\nmine = (api.open \"libmine.json\")\n";
    let program = file(
        "mine.pyl",
        format!("{start}(print (mine.abs -2) mine.N mine.TEXT mine.X mine.BIG mine.pair)\n"),
    );
    let ended = with_path(&folder, &program);
    let expected = "<library libm.so.6>\n2.0 7 abc 1.5 18446744073709551615 <struct pair>\n";
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), (expected, ""));
    for (what, expected) in [
        ("(mine.gone)", "Error: no symbol gone in library libm.so.6"),
        ("(mine.bad)", "Error: the description of libm.so.6 is wrong: bad: there is no type nothing"),
        ("(mine.none)", "Error: none not in <library libm.so.6>"),
        (
            "(api.open \"libbroken.so\")",
            "is no description: invalid type: integer `5`, expected a map at line 1 column 15",
        ),
        (
            "(api.open \"libnowhere.json\")",
            "libno_such_thing.so: cannot open shared object file: No such file or directory",
        ),
        ("(api.open \"libwho.so\")", "Error: no description libwho.json in "),
        ("(api.open \"libmine.json\" 5)", "Error: a loader is a function of C, got 5"),
    ] {
        let ended = with_path(&folder, &file("mine.pyl", format!("{start}{what}\n")));
        assert_eq!(ended.status, Some(1));
        assert!(ended.stderr.contains("mine.pyl:4:"), "{}", ended.stderr);
        assert!(ended.last_error_line().contains(expected), "{what}: {}", ended.stderr);
    }
    // A loader gives the addresses: here C's own.
    let program = "\
api = (import \"api\")
ffi = (import \"ffi\")
voidp = ffi.voidp
dlsym = (ffi.handle (ffi.library null) \"dlsym\" (ffi.cfunc voidp [voidp (ffi.pointer ffi.char)]))
find = (func name) (return (dlsym null name))
loader = (ffi.callback (ffi.cfunc voidp [(ffi.pointer ffi.char)]) find)
mine = (api.open \"libmine.json\" loader)
i = 0
(while i < 3000)
    (assert (mine.abs 1 - i) == i - 1 or i == 0)
    i += 1
(print (mine.abs -3))
(mine.gone)
";
    let ended = with_path(&folder, &file("mine.pyl", program));
    assert_eq!(ended.stdout, "3.0\n", "{}", ended.stderr);
    assert_eq!(ended.last_error_line(), "Error: no symbol gone in library libmine.json");
}

#[test]
fn headers_are_described() {
    let header = file(
        "described.h",
        "typedef struct point { int x; double y; struct { char a; }; union { int i; float f; } u; } point;\n\
         typedef int (*compare)(const void *, const void *);\nenum color { RED, GREEN = 5, BLUE };\n\
         #define FLAG 0x20u\n#define BOTH (FLAG|1)\n#define HALF 0.5\n#define NAME \"abc\"\n#define CALL(x) x\n\
         #define WRONG nothing_known\n\
         extern int variable;\npoint *make(const char *name, int n[4], compare c, enum color, unsigned long);\n\
         void any(int (*g[3])(void), ...);\nstruct bits { int a:3; unsigned :2; unsigned b:(1<<2); };\nvoid of(struct bits *);\nlong double far(void);\n",
    );
    let output = Path::new(env!("CARGO_TARGET_TMPDIR")).join("described.json");
    let arguments = ["headers", &header, "-o", output.to_str().unwrap(), "--alone", "--library", "libx.so"];
    if Command::new("clang").arg("--version").output().is_err() {
        println!("left out: clang is not installed");
    } else {
        let ended = run(&arguments);
        assert_eq!((ended.stderr.as_str(), ended.status), ("", Some(0)));
        let text = std::fs::read_to_string(&output).unwrap();
        let expected = include_str!("described.json");
        assert_eq!(text, expected);
        let wrong = file("wrong.h", "int f(\n");
        let ended = run(&["headers", &wrong, "-o", output.to_str().unwrap()]);
        assert!(ended.stderr.contains("wrong.h:") && ended.status == Some(1), "{}", ended.stderr);
    }
    let ended = end_of(hotloop(&arguments).env("PATH", ""), "");
    assert_eq!(ended.last_error_line(), "Error: clang is needed to read headers, and is not installed");
    for (line, part) in [
        (&["headers"][..], "FILE"),
        (&["headers", "x.h"], "-o FILE"),
        (&["headers", "-o"], "-o: a value is missing"),
        (&["headers", "--what"], "`--what`"),
    ] {
        let ended = run(line);
        assert!(ended.stderr.contains(part) && ended.status == Some(2), "{line:?}: {}", ended.stderr);
    }
    let ended = run(&["headers", "no_such.h", "-o", "x.json"]);
    assert!(ended.stderr.contains("no_such.h: No such file") && ended.status == Some(1), "{}", ended.stderr);
}

#[test]
fn a_sandbox_has_no_way_out() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sandbox");
    std::fs::create_dir_all(folder.join("inside")).unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    write("outside.pyl", "(print \"outside\")\n");
    write("inside/helper.pyl", "(print \"helper\")\nffi = (import \"ffi\")\n");
    write("inside/good.pyl", "(print \"good\")\n");
    let _ = std::os::unix::fs::symlink("../outside.pyl", folder.join("inside/link.pyl"));
    let module = |name: &str| format!("Error: module {name} is refused: this program runs in a sandbox");
    let walled = |name: &str| {
        format!(
            "Error: module {name} is refused: in a sandbox files are imported from the program's own folder only"
        )
    };
    for (program, expected) in [
        ("(import \"good\")", String::new()),
        ("(import \"ffi\")", module("ffi")),
        ("(import \"api\")", module("api")),
        ("(import \"fs\")", module("fs")),
        ("get = import\n(get \"f\" ++ \"fi\")", module("ffi")),
        ("(import \"helper\")", module("ffi")),
        ("(import \"../outside\")", walled("../outside")),
        ("(import \"link\")", walled("link")),
        (
            "(getattr (import \"base\") \"import\")\n((getattr (import \"base\") \"import\") \"ffi\")",
            module("ffi"),
        ),
    ] {
        write("inside/main.pyl", program);
        for jit in ["off", "threshold=1"] {
            let main = folder.join("inside/main.pyl");
            let ended = run(&["run", "--no-ffi", "--jit", jit, main.to_str().unwrap()]);
            assert_eq!(ended.last_error_line(), expected, "{program}: {}", ended.stderr);
        }
    }
    let ended = end_of(&mut hotloop(&["--no-ffi"]), "(import \"ffi\")\n");
    assert!((ended.stdout + &ended.stderr).contains(&module("ffi")));
}
