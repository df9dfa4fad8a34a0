//! Descriptions of headers, and what is wrong with them.

use hotloop_ffi::Type;
use hotloop_ffi::description::{Description, Meaning};

fn ty(description: &Description, name: &str) -> &'static Type {
    match description.find(name) {
        Ok(Some(Meaning::Type(ty))) => ty,
        _ => panic!("{name} is no type"),
    }
}

#[test]
fn what_is_wrong_is_said() {
    let check = |types: &str, name: &str, expected: &str| {
        let text =
            format!("{{\"types\": {{{types}}}, \"functions\": {{\"f\": \"cfunc void [pointer a]\"}}}}");
        let description = Description::read(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let error = description.find(name).map(|_| ()).unwrap_err();
        assert_eq!(error.to_string(), expected, "{types}");
    };
    check("", "f", "f: there is no type a");
    check("\"a\": \"b\"", "f", "f: there is no type b");
    check("\"a\": \"b\", \"b\": \"a\"", "a", "a: a is a part of itself");
    check("\"a\": \"pointer a\"", "a", "a: a is a part of itself");
    check("\"a\": {\"struct\": [[\"x\", \"a\"]]}", "a", "a: a is a part of itself");
    check(
        "\"a\": {\"struct\": [[\"x\", \"array b 2\"]]}, \"b\": {\"union\": [[\"y\", \"a\"]]}",
        "b",
        "b: a is a part of itself",
    );
    check("\"a\": {\"struct\": [[\"x\", \"i33\"]]}", "f", "f: there is no type i33");
    check("\"a\": \"i32 i32\"", "a", "a: `i32` after the type i32");
    check(
        "\"a\": \"cfunc i32 i32\"",
        "a",
        "a: `[` and the arguments' types are missing after cfunc and its result",
    );
    check("\"a\": \"cfunc i32 [i32\"", "a", "a: `]` is missing after a function's arguments");
    check("\"a\": \"cfunc i32 [... i32]\"", "a", "a: something stands after `...`");
    check("\"a\": \"pointer\"", "a", "a: the type ends too early");
    check("\"a\": \"\"", "a", "a: the type ends too early");
    check("\"a\": \"+\"", "a", "a: `+` is no type");
    check("\"a\": \"array void 3\"", "a", "a: void has no size");
    check(&format!("\"a\": \"{}i32\"", "pointer ".repeat(500)), "a", "a: the type is nested too deeply");
    check(&format!("\"a\": \"{}i32\"", "pointer ".repeat(5000)), "a", "a: the text of the type is too long");
    // Structures in structures, each in the next one.
    let chain: Vec<String> = (0..200)
        .map(|number| format!("\"s{number}\": {{\"struct\": [[\"x\", \"s{}\"]]}}", number + 1))
        .collect();
    let types = format!("{}, \"s200\": \"i32\"", chain.join(", "));
    let text = format!("{{\"types\": {{{types}}}}}");
    let description = Description::read(&text).unwrap();
    let error = description.find("s0").map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("nested too deeply"), "{error}");
    // Structures that point to the next one are no problem.
    let chain: Vec<String> = (0..5000)
        .map(|number| {
            format!("\"s{number}\": {{\"struct\": [[\"x\", \"pointer s{}\"]]}}", (number + 1) % 5000)
        })
        .collect();
    let description = Description::read(&format!("{{\"types\": {{{}}}}}", chain.join(", "))).unwrap();
    assert_eq!(ty(&description, "s0").size(), Ok(8));
    for text in
        ["", "[5]", "{\"type\": {}}", "{\"functions\": {\"f\": 5}}", "{\"types\": {\"a\": {\"strict\": []}}}"]
    {
        assert!(Description::read(text).is_err(), "{text}");
    }
}
