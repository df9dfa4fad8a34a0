//! Sessions at the prompt.

use std::io::{Read, Write};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::{end_of, hotloop};

/// What a session shows, prompts left out.
fn answers(input: &str) -> (String, String) {
    let ended = end_of(&mut hotloop(&[]), input);
    assert_eq!(ended.status, Some(0), "{input:?}: {}", ended.stderr);
    (ended.stdout.replace("pyl> ", "").replace("...> ", "").trim_end().to_string(), ended.stderr)
}

#[test]
fn values_are_shown_and_null_is_not() {
    let ended = end_of(&mut hotloop(&[]), "1 + 2\n\"a\"\nnull\n(print 7)\nx = 4\n\n# nothing\nx * x\n");
    let expected = "pyl> 3\npyl> \"a\"\npyl> pyl> 7\npyl> 4\npyl> pyl> pyl> 16\npyl> \n";
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str(), ended.status), (expected, "", Some(0)));
}

#[test]
fn forms_go_on_until_an_empty_line() {
    let (shown, errors) =
        answers("f = (func n)\n    (if n < 2)\n        (return 1)\n    (return n * (f n-1))\n\n(f 5)\n");
    assert_eq!((shown.as_str(), errors.as_str()), ("<closure>\n120", ""));
    let (shown, errors) =
        answers("[1 2\n 3\n]\n\n(if false)\n  1\n(else)\n  2\n\n(if true) 5\nx =\n  6\n\nx");
    assert_eq!((shown.as_str(), errors.as_str()), ("[1 2 3]\n2\n5\n6\n6", ""));
    let (shown, _) = answers("(if true)\n  8");
    assert_eq!(shown.trim(), "8", "the end of the input ends the form, too");
}

#[test]
fn errors_are_shown_and_the_session_goes_on() {
    let (shown, errors) = answers("x = 1\nnosuch\n)\n[(func a) (func b)]\n(f\n\n\u{1}\nx\n");
    assert_eq!(shown, "1\n1");
    let last: Vec<&str> = errors.lines().filter(|line| line.starts_with("Error: ")).collect();
    let expected = [
        "Error: nosuch not in <module main>",
        "Error: 1:0: expected term, got )",
        "Error: 1:1: expecting capture",
        "Error: 1:0: form truncates at 3:0",
    ];
    assert_eq!(last[..4], expected);
    assert_eq!(last.len(), 5);
}

#[test]
fn bytes_that_are_no_text_are_an_error_only() {
    let mut child = hotloop(&[]).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"(print \xff)\n3\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "pyl> pyl> 3\npyl> \n");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "Error: 1:7: invalid UTF-8: byte 0xff\n");
}

#[test]
fn ctrl_c_stops_the_evaluation_and_keeps_the_session() {
    let mut child = hotloop(&[]).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let interrupt =
        || Command::new("sh").arg("-c").arg(format!("kill -INT {}", child.id())).status().unwrap();
    input.write_all(b"x = 5\n(while true) null\n").unwrap();
    sleep(Duration::from_millis(500));
    interrupt();
    sleep(Duration::from_millis(200));
    // Nothing runs now: this one only gives the line up.
    interrupt();
    sleep(Duration::from_millis(100));
    let start = Instant::now();
    input.write_all(b"x + 1\n").unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(shown, "pyl> 5\npyl> pyl> \npyl> 6\npyl> \n");
    assert!(String::from_utf8_lossy(&output.stderr).ends_with("Error: interrupted\n"));
    assert_eq!(output.status.code(), Some(0));
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn options_count_at_the_prompt() {
    let ended = end_of(&mut hotloop(&["--jit", "off", "--gc-stress", "1"]), "[1 2] ++ [3]\n");
    assert_eq!((ended.stdout.as_str(), ended.status), ("pyl> [1 2 3]\npyl> \n", Some(0)));
    assert_eq!(end_of(&mut hotloop(&["--jit", "of"]), "1\n").status, Some(2));
}

#[test]
fn a_person_sees_what_was_printed_at_once() {
    // A prompt is written out before a line is read, even into a pipe.
    let mut child = hotloop(&[]).spawn().unwrap();
    let mut shown = [0; 5];
    child.stdout.as_mut().unwrap().read_exact(&mut shown).unwrap();
    assert_eq!(&shown, b"pyl> ");
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}
