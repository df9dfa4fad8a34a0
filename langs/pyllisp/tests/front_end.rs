//! No input makes the front end panic, and what it accepts is bytecode that verifies.

use hotloop_pyllisp::{Options, code, compile};

/// A small generator of random numbers (Marsaglia's xorshift), so that runs repeat.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

fn check(source: &[u8]) -> bool {
    let value = source.len().is_multiple_of(2);
    match compile(source, &Options { value, ..Options::default() }) {
        Ok(program) => {
            if let Err(error) = code::verify(&program) {
                panic!("{error}\n{}\n{program}", String::from_utf8_lossy(source));
            }
            true
        }
        Err(error) => {
            assert!(error.at.line >= 1 && !error.message.is_empty());
            false
        }
    }
}

#[test]
fn random_bytes() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..20_000 {
        let source: Vec<u8> = (0..random.below(60)).map(|_| random.next() as u8).collect();
        check(&source);
    }
}

#[test]
fn random_tokens() {
    let tokens = [
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "(if",
        "(while",
        "(for",
        "x",
        "y",
        "(func",
        "(return",
        "(break)",
        "(continue)",
        "(yield",
        "(assert",
        "(from",
        "(else)",
        "(elif",
        "and",
        "or",
        "not",
        "=",
        ":=",
        "+=",
        "+",
        "-",
        "*",
        "!",
        "~",
        "<",
        "==",
        ".",
        ".a",
        "[0]",
        "1",
        "2.5",
        "\"s\"",
        "'t",
        "\\",
        "0x",
        "99999999999999999999",
        "\n",
        "\n  ",
        "\n    ",
        "\n      ",
        "\n",
        " ",
        " ",
        " ",
        " ",
        "#",
        ":",
        "é",
        "\u{0}",
        "true",
        "null",
    ];
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let mut accepted = 0;
    for _ in 0..30_000 {
        let length = random.below(30);
        let source: String = (0..length).map(|_| tokens[random.below(tokens.len())]).collect();
        accepted += u32::from(check(source.as_bytes()));
    }
    assert!(accepted > 250, "only {accepted} accepted");
}

/// A random expression or statement with its block, mostly well formed.
fn form(random: &mut Random, depth: usize, indent: usize, out: &mut String) {
    let names = ["a", "b", "c", "d", "f", "g"];
    let name = names[random.below(names.len())];
    let pad = "  ".repeat(indent);
    let expr = expression(random, 3);
    let block = |random: &mut Random, out: &mut String, head: &str| {
        out.push_str(&format!("{pad}{head}\n"));
        for _ in 0..1 + random.below(3) {
            form(random, depth.saturating_sub(1), indent + 1, out);
        }
    };
    if depth == 0 {
        out.push_str(&format!("{pad}{name} = {expr}\n"));
        return;
    }
    match random.below(12) {
        0 => {
            block(random, out, &format!("(if {expr})"));
            for _ in 0..random.below(2) {
                block(random, out, &format!("(elif {name})"));
            }
            if random.below(2) == 0 {
                block(random, out, "(else)");
            }
        }
        1 => block(random, out, &format!("{name} = (if {expr})")),
        2 => block(random, out, &format!("(while {expr})")),
        3 => block(random, out, &format!("b = (for {name} {expr})")),
        4 | 5 => block(random, out, &format!("{name} = (func a b)")),
        6 => block(random, out, &format!("(f {expr})")),
        7 => out.push_str(&format!("{pad}(return {expr})\n")),
        8 => out.push_str(&format!("{pad}{name} += {expr}\n")),
        9 => out.push_str(&format!("{pad}{name}[{name}] := {expr}\n")),
        10 => out.push_str(&format!("{pad}(assert {expr})\n")),
        _ => out.push_str(&format!("{pad}{name} := (yield {expr})\n")),
    }
}

fn expression(random: &mut Random, depth: usize) -> String {
    let atoms =
        ["a", "b", "c", "d", "1", "-2", "true", "null", "\"s\"", "(f a)", "b.c", "(b.m 1 2)", "[a 1]", "(g)"];
    if depth == 0 || random.below(4) == 0 {
        return atoms[random.below(atoms.len())].to_owned();
    }
    let operators = ["+", "-", "*", "/", "%", "<", "==", "and", "or", "|", "<<", "++", "< 3 <="];
    let (left, right) = (expression(random, depth - 1), expression(random, depth - 1));
    match random.below(8) {
        0 => format!("{{not {left}}}"),
        1 => format!("{{a = {left}}}"),
        2 => format!("{{c += {left}}}"),
        3 => format!("(f {left} {right})"),
        _ => format!("{{{left} {} {right}}}", operators[random.below(operators.len())]),
    }
}

#[test]
fn random_programs_verify() {
    let mut random = Random(0x1234_5678_9abc_def1);
    let mut accepted = 0;
    for _ in 0..2_000 {
        let mut source = String::new();
        for _ in 0..1 + random.below(5) {
            form(&mut random, 4, 0, &mut source);
        }
        accepted += u32::from(check(source.as_bytes()));
    }
    assert!(accepted > 1_700, "only {accepted} accepted");
}
