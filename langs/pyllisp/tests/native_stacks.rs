//! Many and deep native stacks. Collections look at all of them, whoever asks for the collection: so this is a process
//! of its own, which collects seldom.

mod common;

use common::SORTING as START;

/// There are only so many native stacks.
#[test]
fn too_many_wait() {
    let program = format!(
        "{START}kept = []\nwaits = (func n)\n    (sort 2)\n        (func a b)\n            (main.switch)\n            (return 0)\n\
         (for i (range 2000))\n    g = (greenlet waits 2)\n    (g.switch)\n"
    );
    for way in common::WAYS.into_iter().filter(|way| !way.contains("gc=")) {
        let error = common::run(&program, way).error.unwrap_or_default();
        assert!(error.ends_with("Error: too many greenlets wait in callbacks of C"), "{way}: {error}");
    }
}

/// The native stacks of greenlets have ends, too.
#[test]
fn stacks_end() {
    let program = "deep = (func n)\n    (return 1 + (deep n+1))\n\
         work = (func)\n    (sort 2)\n        (func a b)\n            (main.switch 1)\n            (try)\n                (deep 0)\n\
         \u{20}           (except e)\n                (print e.message)\n            (return 0)\n\
         g = (greenlet work)\n(print (g.switch))\n(g.switch)\n\
         again = (func a b)\n    (sort 2 again)\n    (return 0)\n\
         nested = (func)\n    (try)\n        (sort 2 again)\n    (except e)\n        (print e.message)\n\
         (nested)\n((greenlet nested).switch)\n";
    let expected = "1\nmaximum recursion depth exceeded\ncallbacks are nested too deeply\ncallbacks are nested too deeply\n";
    // (Collections look at all of so many frames.)
    for way in common::WAYS.into_iter().filter(|way| !way.contains("gc=")) {
        assert_eq!(common::run(&format!("{START}{program}"), way).to_string(), expected, "{way}");
    }
}
