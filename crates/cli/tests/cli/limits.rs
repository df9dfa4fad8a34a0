//! Programs that want too much or do what can't be done while they run: an error with its place, status 1, and
//! what was printed before is there.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use crate::{file, run};

/// Tests run beside each other: each program has a file of its own.
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// Runs a program that prints `before` and then fails at a line.
fn check(source: &str, line: usize, message: &str) {
    let number = NUMBER.fetch_add(1, Relaxed);
    let path = file(&format!("limits{number}.pyl"), format!("(print \"before\")\n{source}"));
    for jit in ["threshold=1039", "threshold=1,trace_eagerness=1", "off"] {
        let ended = run(&["run", "--jit", jit, "--heap", "40M", &path]);
        let errors = &ended.stderr;
        assert_eq!(ended.stdout, "before\n", "{jit}: {source}");
        assert_eq!(
            (ended.last_error_line(), ended.status),
            (&*format!("Error: {message}"), Some(1)),
            "{source}"
        );
        assert!(errors.contains(&format!("{path}:{line}:")), "{jit}: no line {line} in {errors}");
        assert!(!errors.contains("panicked"), "{errors}");
    }
}

#[test]
fn memory() {
    let full = "out of memory";
    check("s = \"x\"\n(while true) s = s ++ s", 3, full);
    check("s = \"ab\"\n(while true) s = (s.replace \"a\" s)", 3, full);
    check("(\"x\".repeat 1 << 40)", 2, full);
    check("([1].repeat 1 << 36)", 2, full);
    check("l = [1]\n(while true) (l.extend l)", 3, full);
    check("l = []\n(while true) (l.append l)", 3, full);
    check("l = [1]\n(while true) l = l ++ l", 3, full);
    check("d = (dict)\ni = 0\n(while true)\n    d[i] = i\n    i += 1", 5, full);
    check("(list (range 1 << 50))", 2, full);
    check("(set (range 1 << 50))", 2, full);
    check("x = (\"x\".repeat 12000000)\n(x.bytes)", 3, full);
    check("x = (\"x\".repeat 12000000)\n(x.split \"x\")", 3, full);
    check("n = 1 << 40\n1 << n", 3, "shift count too large");
    check("((import \"math\").pow 3 1 << 50)", 2, full);
    check("l = [null]\n(while true) l = [l l]", 3, full);
}

#[test]
fn a_program_may_go_on_without_the_memory() {
    let path = file(
        "goes_on.pyl",
        "fill = (func)\n    l = null\n    (while true) l = [l l]\n\
         grow = (func)\n    l = [1]\n    (while true) l = l ++ l\n\
         n = 0\n(for f [fill grow fill grow])\n    (try) (f)\n    (except e) n += e.message.length\n(print n)\n",
    );
    for jit in ["threshold=1039", "threshold=1,trace_eagerness=1", "off"] {
        let ended = run(&["run", "--jit", jit, "--heap", "40M", &path]);
        assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("52\n", ""), "{jit}");
    }
}

#[test]
fn values_inside_of_themselves() {
    let path = file(
        "cyclic.pyl",
        "l = [1]\nl[0] = l\n(print l [l])\nd = (dict)\nd[1] = d\n(l.append d)\n(print d l)\n\
         e = (error [1])\n(e.message.append e)\n(print e)\nm = l\n(for i (range 300)) m = [m]\n(print (str m).length)\n",
    );
    let ended = run(&["run", &path]);
    assert_eq!(ended.stderr, "");
    assert_eq!(ended.stdout, "[[...]] [[[...]]]\n<dict> [[...] <dict>]\n<error [1 <error ...>]>\n405\n");
    let deep = "structure is nested too deeply";
    check("a = [1]\na[0] = a\nb = [1]\nb[0] = b\n(print {a == b})", 6, deep);
    check("a = [1]\na[0] = a\nd = (dict)\nd[a] = 1", 5, deep);
    check("a = [1]\na[0] = a\nb = [1]\nb[0] = b\n([a b].sort)", 6, deep);
    // Texts of any length from little memory.
    check("l = [1]\n(for i (range 60)) l = [l l]\n(str l)", 4, "out of memory");
    let path = file("shared.pyl", "l = [1]\n(for i (range 60)) l = [l l]\n(raise l)\n");
    let ended = run(&["run", &path]);
    let last = ended.last_error_line();
    assert!(last.starts_with("Error: [[[") && last.ends_with("...") && last.len() < 1100, "{last}");
}

#[test]
fn changes_while_iterating() {
    let changed = "dictionary or set changed while it was iterated";
    check("d = (dict [[1 2] [3 4]])\n(for k d) d[k + 10] = 1", 3, changed);
    check("d = (dict [[1 2] [3 4]])\n(for k (d.items)) (d.remove k[0])", 3, changed);
    check("s = (set [1 2 3])\n(for x s) (s.add x + 10)", 3, changed);
    check(
        "d = (dict [[1 2] [3 4]])\n(for k d)\n    (d.remove k)\n    d[k + 5] = 1\n    (for i (range 9)) d[i] = 1",
        3,
        changed,
    );
    // Values may change, and lists are followed as they are.
    let path = file(
        "changing.pyl",
        "d = (dict [[1 2] [3 4]])\n(for k d) d[k] = k\n(print (list (d.values)))\nl = [1 2 3]\n\
         (for x l)\n    (print x)\n    (if l.length < 5) (l.append x)\n    (if x == 3) (l.clear)\n",
    );
    assert_eq!(run(&["run", &path]).stdout, "[1 3]\n1\n2\n3\n");
}

#[test]
fn what_runs_already() {
    let running = "generator is running already";
    check("g = (func) (yield (h.next))\nh = (g)\n(h.next)", 2, running);
    check("g = (func) (for x h) (yield x)\nh = (g)\n(for x h) 1", 2, running);
    check("f = (func) (return 1)\ng = (greenlet f)\n(g.switch)\n(g.switch)", 5, "dead greenlet");
    // A greenlet that runs switches to itself: nothing happens.
    let path = file("itself.pyl", "f = (func) (return (g.switch 5))\ng = (greenlet f)\n(print (g.switch))\n");
    assert_eq!(run(&["run", &path]).stdout, "5\n");
}

#[test]
fn sources_that_nest_too_deeply() {
    let deep = "expression too deeply nested";
    for source in [
        "(".repeat(5000),
        format!("x = {}{}", "[".repeat(5000), "]".repeat(5000)),
        format!("x = {}1", "1 + ".repeat(5000)),
        format!("x = {}1", "-".repeat(5000)),
        format!("x = {}1", "a = ".repeat(5000)),
        format!("x = a{}", ".b".repeat(5000)),
        format!("x = a{}", "[0]".repeat(5000)),
        format!("x = {}1", "not ".repeat(5000)),
        (0..3000).map(|depth| format!("{}(if true)\n", " ".repeat(depth))).collect(),
        (0..3000).map(|depth| format!("{}f = (func)\n", " ".repeat(depth))).collect(),
    ] {
        let ended = run(&["run", &file("nested.pyl", &source)]);
        let last = ended.last_error_line();
        let start = &source[..source.len().min(40)];
        assert!(last.starts_with("Error: ") && last.ends_with(deep), "{start}: {}", ended.stderr);
        assert_eq!((ended.stdout.as_str(), ended.status), ("", Some(1)), "{start}");
    }
}

#[test]
fn sources_that_end_too_early() {
    for (source, message) in [
        ("(print 1)\nf = (func x\n    (return 1)", "2:4: form truncates at 3:14"),
        ("(print 1)\nx = [1 2\n", "2:4: list truncates at 3:0"),
        ("(print 1)\nx = {1 + 2\n", "2:4: group truncates at 3:0"),
        ("(print 1)\nx = \"abc\n", "2:4: Broken string literal"),
        ("(print 1)\nx =", "2:3: expected term, got eof"),
        ("(print 1)\n    (print 2)\n  (print 3)\n", "3:2: layout error"),
        ("  (print 1)\n", "1:2: layout error"),
        ("(print 1))\n", "1:9: expected term, got )"),
        ("x = 1e999999999999\n(try)\n    1\n", "2:0: expecting except"),
    ] {
        let ended = run(&["run", &file("early.pyl", source)]);
        assert_eq!(
            (ended.last_error_line(), ended.status),
            (&*format!("Error: {message}"), Some(1)),
            "{source}"
        );
        assert_eq!(ended.stdout, "", "nothing runs of a program that can't be read");
    }
}

#[test]
fn programs_end_themselves() {
    let path =
        file("exit.pyl", "(print 1)\nf = (func) (exit 7)\n(try) (f)\n(except e) (print 2)\n(print 3)\n");
    let ended = run(&["run", &path]);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str(), ended.status), ("1\n", "", Some(7)));
    let path = file("exit.pyl", "(print 1)\n(exit)\n(print 2)\n");
    let ended = run(&["run", &path]);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str(), ended.status), ("1\n", "", Some(0)));
}

#[test]
fn programs_read_lines() {
    let path = file(
        "input.pyl",
        "name = (input \"name? \")\n(while name != null)\n    (print [name])\n    name = (input)\n(print \"end\")\n",
    );
    for (input, expected) in [
        ("a\n\n\u{e4}b\r\nlast", "name? [\"a\"]\n[\"\"]\n[\"\u{e4}b\"]\n[\"last\"]\nend\n"),
        ("", "name? end\n"),
    ] {
        let ended = crate::end_of(&mut crate::hotloop(&["run", &path]), input);
        assert_eq!((ended.stdout.as_str(), ended.stderr.as_str(), ended.status), (expected, "", Some(0)));
    }
    let path = file("bytes.pyl", "(print 1)\n(input)\n");
    let mut child = crate::hotloop(&["run", &path]).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"\xff\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.stdout, b"1\n");
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.ends_with("Error: cannot read standard input: invalid UTF-8: byte 0xff\n"), "{errors}");
    // At a prompt that is no terminal the lines are the session's, and the program's.
    let ended = crate::end_of(&mut crate::hotloop(&[]), "x = (input)\nhello\nx\n");
    assert_eq!(ended.stdout, "pyl> \"hello\"\npyl> \"hello\"\npyl> \n");
}
