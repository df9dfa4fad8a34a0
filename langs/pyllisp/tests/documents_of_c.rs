//! The examples of the documents about C are run: a block marked `pyllisp` is a program, the block marked `output` after
//! it what it prints, and its error. `BLESS=1` writes down what they print.

mod common;

use std::path::PathBuf;

const PROGRAM: &str = "```pyllisp\n";
const OUTPUT: &str = "```output\n";
const END: &str = "```\n";

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
    for document in ["ffi.md", "headers.md"] {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/pyllisp").join(document);
        let original = std::fs::read_to_string(&path).unwrap();
        let mut text = original.clone();
        let examples = examples(&original);
        assert!(!examples.is_empty(), "{document}");
        for (source, expected) in examples.into_iter().rev() {
            let got = common::run(source, "off").to_string();
            for way in common::WAYS {
                assert_eq!(got, common::run(source, way).to_string(), "{way}:\n{source}");
            }
            if std::env::var_os("BLESS").is_some() {
                text.replace_range(expected, &got);
            } else {
                assert_eq!(got, original[expected], "{document}:\n{source}");
            }
        }
        if text != original {
            std::fs::write(&path, text).unwrap();
        }
    }
}
