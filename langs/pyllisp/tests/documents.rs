//! The examples of the documents are run: a block marked `pyllisp` is a program, the block marked `output` after it
//! what it prints, and its error. `BLESS=1` writes down what they print.

mod common;

use std::path::PathBuf;

use hotloop::{Options, Vm};
use hotloop_pyllisp::Pyllisp;

const DOCUMENTS: [&str; 5] = ["tutorial.md", "reference.md", "differences.md", "ffi.md", "headers.md"];

const PROGRAM: &str = "```pyllisp\n";
const OUTPUT: &str = "```output\n";
const END: &str = "```\n";

fn path(document: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/pyllisp").join(document)
}

/// The programs of a document, each with the place of what it should print.
fn examples(text: &str) -> Vec<(&str, std::ops::Range<usize>)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find(PROGRAM) {
        let start = at + start + PROGRAM.len();
        let stop = start + text[start..].find(END).expect("a program ends");
        let after = stop + END.len();
        assert!(text[after..].starts_with(OUTPUT), "no output after\n{}", &text[start..stop]);
        let output = after + OUTPUT.len();
        at = output + text[output..].find(END).expect("an output ends");
        found.push((&text[start..stop], output..at));
    }
    found
}

#[test]
fn examples_print_what_the_documents_say() {
    for document in DOCUMENTS {
        let mut text = std::fs::read_to_string(path(document)).unwrap();
        let original = text.clone();
        let examples = examples(&original);
        assert!(!examples.is_empty(), "{document}");
        for (source, expected) in examples.into_iter().rev() {
            let got = printed(source, common::WAYS[0]);
            for way in &common::WAYS[1..] {
                assert_eq!(printed(source, way), got, "{way}:\n{source}");
            }
            if std::env::var_os("BLESS").is_some() {
                text.replace_range(expected, &got);
            } else {
                assert_eq!(got, original[expected], "{document}:\n{source}");
            }
        }
        if text != original {
            std::fs::write(path(document), text).unwrap();
        }
    }
}

fn printed(source: &str, parameters: &str) -> String {
    let outcome = common::run(source, parameters);
    match outcome.error.as_deref() {
        // That a program has ended itself is nothing to see.
        Some(error) if error.starts_with("exit") => outcome.printed,
        _ => outcome.to_string(),
    }
}

#[test]
fn the_reference_has_every_name() {
    let text = std::fs::read_to_string(path("reference.md")).unwrap();
    let interp = Pyllisp::new(Options::default(), Box::new(std::io::sink()));
    let vm = Vm::new(&interp);
    let module = interp.module("main");
    let mut paths: Vec<String> = vec![String::new()];
    let values = [
        ("a_text", "\"\""),
        ("a_list", "[]"),
        ("a_dict", "(dict)"),
        ("a_set", "(set)"),
        ("an_error", "(error 1)"),
        ("an_interface", "int"),
        ("a_multimethod", "{+}"),
        ("an_iterator", "(iter [])"),
        ("a_greenlet", "(getcurrent)"),
        ("math", "(import \"math\")"),
        ("time", "(import \"time\")"),
        ("random", "(import \"random\")"),
        ("fs", "(import \"fs\")"),
        ("process", "(import \"process\")"),
    ];
    for (name, value) in values {
        interp.run(&vm, module, format!("{name} = {value}").as_bytes(), false).unwrap();
        paths.push(name.to_owned());
    }
    let mut missing = Vec::new();
    for path in &paths {
        let steps: Vec<&str> = path.split('.').filter(|step| !step.is_empty()).collect();
        for name in interp.completions(module, &steps) {
            let own = steps.is_empty() && values.iter().any(|(value, _)| *value == name);
            let is_word = |character: Option<char>| {
                character.is_some_and(|character| character.is_alphanumeric() || character == '_')
            };
            let named = text.match_indices(&*name).any(|(at, _)| {
                let (before, after) =
                    (text[..at].chars().next_back(), text[at + name.len()..].chars().next());
                !is_word(before) && !is_word(after)
            });
            if !own && !named {
                missing.push(format!("{path}.{name}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
}
