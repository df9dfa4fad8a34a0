//! Random programs that end, for differential tests: the same program must print the same whatever
//! compiles it.
//!
//! What a program computes is typed by the names of its variables (`i` integers, `x` floats, `s`
//! strings, `l` lists; `m` a multimethod, `o` and `p` modules, `b` a greenlet, `q` an object of one of two classes, `t` a
//! set), so that few errors happen before the end, but for those that are handled. Loops count to small numbers,
//! functions call only those before them, integers are cut down to about 62 bits whenever they are
//! stored, so that they cross the border between small and big ones without growing for ever. A
//! program prints its variables at last, and may end with an error of its own.

use std::fmt::Write;

/// A random program; the same seed gives the same one.
pub fn program(seed: u64) -> String {
    let mut generator = Generator {
        state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
        out: String::new(),
        functions: 0,
        generators: 0,
        loops: 0,
        depth: 0,
    };
    for _ in 0..8 {
        generator.next();
    }
    generator.whole();
    generator.out
}

struct Generator {
    /// The state of a xorshift generator (Marsaglia, 2003).
    state: u64,
    out: String,
    /// Functions `f0`, `f1`, … that may be called, of two integers.
    functions: usize,
    /// Generator functions `g0`, … of one integer.
    generators: usize,
    /// Loops so far, for the names of their counters.
    loops: usize,
    /// How many loops are around the statement at hand.
    depth: usize,
}

const INTEGERS: [&str; 4] = ["i0", "i1", "i2", "i3"];
const FLOATS: [&str; 2] = ["x0", "x1"];
const STRINGS: [&str; 2] = ["s0", "s1"];
const LISTS: [&str; 2] = ["l0", "l1"];
/// Keys of the dictionary `d0`.
const KEYS: [&str; 6] = ["i0 % 5", "i1 % 7", "s0", "\"a\"", "s1 ++ \"b\"", "x0"];

/// Integers at which something changes: the ends of the small ones, of words, of immediate operands.
const BORDERS: [&str; 14] = [
    "0",
    "1",
    "2",
    "3",
    "7",
    "32767",
    "32768",
    "-32769",
    "2147483648",
    "1152921504606846975",
    "1152921504606846976",
    "-1152921504606846976",
    "9223372036854775807",
    "-9223372036854775809",
];

impl Generator {
    fn next(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 11) as usize % bound
    }

    fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }

    fn line(&mut self, indent: usize, text: &str) {
        let _ = writeln!(self.out, "{}{text}", "    ".repeat(indent));
    }

    fn whole(&mut self) {
        self.classes();
        self.locals(0);
        self.shared();
        for _ in 0..1 + self.below(5) {
            self.function();
        }
        if self.below(2) == 0 {
            self.generator();
        }
        for _ in 0..2 + self.below(6) {
            self.statement(0, 3);
        }
        self.line(0, "(for k d0) (print k d0[k])");
        let names = [&INTEGERS[..], &FLOATS, &STRINGS, &LISTS].concat();
        for name in names {
            self.line(0, &format!("(print \"{name}\" {name})"));
        }
        self.ending();
    }

    /// The variables that all statements speak of.
    fn locals(&mut self, indent: usize) {
        for name in INTEGERS {
            let value = self.pick(&BORDERS);
            self.line(indent, &format!("{name} = {value}"));
        }
        for name in FLOATS {
            let value = self.pick(&["0.0", "1.5", "-2.25", "1e300", "3.0e-5", "100000.125"]);
            self.line(indent, &format!("{name} = {value}"));
        }
        for name in STRINGS {
            let value = self.pick(&["\"\"", "\"abc\"", "\"ä€\"", "\"a b\""]);
            self.line(indent, &format!("{name} = {value}"));
        }
        for name in LISTS {
            let value = self.pick(&["[]", "[1 2 3]", "[0 [1] \"x\"]", "[5 4 3 2 1]"]);
            self.line(indent, &format!("{name} = {value}"));
        }
        self.line(indent, "d0 = (dict)");
        self.line(indent, "t0 = (set)");
        self.line(indent, "q0 = (near 1 2)");
    }

    /// Two classes, the second with `init` and a member of its own.
    fn classes(&mut self) {
        let step = self.pick(&["1", "3", "-2"]);
        for line in [
            "near = (class object n k)",
            &format!("    step = (func self a) (return {{self.n * {step} + a}} % 1000003)"),
            "    add = (func self a)",
            "        self.n = (self.step a)",
            "        (return self.n)",
            "far = (class near w)",
            "    init = (func self n)",
            "        self.n = n",
            "        self.k = 0",
            "        self.w = [n]",
            "    step = (func self a)",
            "        self.k += 1",
            "        (if self.k % 7 == 0) (raise self)",
            "        (return (near.step self a+1))",
        ] {
            self.line(0, line);
        }
        self.line(0, "(from (import \"math\") sin floor sqrt)");
        self.line(0, "half = (func n) (return n / 2)");
        self.line(0, "even = (func n) (return n % 2 == 0)");
    }

    /// What all functions use: multimethods, modules, a greenlet.
    fn shared(&mut self) {
        let factor = self.pick(&["1", "3", "1152921504606846976"]);
        self.line(0, "{*}[[list int]] = (func a n) (return [a.length n])");
        self.line(0, "{+}[[str int]] = (func s n) (return s.length + n)");
        self.line(0, "{<}[[list list]] = (func a b) (return a.length < b.length)");
        self.line(0, "coerce[[list str]] = (func a b) (return [a.length b.length])");
        self.line(0, "m0 = (multimethod 2)");
        self.line(0, &format!("m0[[int int]] = (func a b) (return a * {factor} - b)"));
        self.line(0, "m0.default = (func a b) (return 5)");
        self.line(0, "o0 = (module \"o\")");
        self.line(0, "p0 = (module \"p\" o0)");
        self.line(0, "o0.n = 1");
        self.line(0, "o0.add = (func a b) (return a + b)");
        self.line(0, "main = (getcurrent)");
        self.line(0, "turns = (func a)");
        self.line(1, "(while true)");
        self.line(2, "(if a % 3 == 0) a += (main.switch 7)");
        self.line(2, "a = {(main.switch a) + a} % 1000003");
        self.line(0, "b0 = (greenlet turns)");
    }

    fn function(&mut self) {
        let number = self.functions;
        self.line(0, &format!("f{number} = (func i0 i1)"));
        for name in &INTEGERS[2..] {
            let value = self.pick(&BORDERS);
            self.line(1, &format!("{name} = {value}"));
        }
        self.line(1, "x0 = 0.5");
        self.line(1, "x1 = 2.0");
        self.line(1, "s0 = \"f\"");
        self.line(1, "s1 = \"\"");
        self.line(1, "l0 = [i0 i1]");
        self.line(1, "l1 = []");
        self.line(1, "d0 = (dict)");
        self.line(1, "t0 = (set)");
        self.line(1, "q0 = (far 5)");
        if self.below(3) == 0 {
            self.line(1, "(if i0 < 3 or i0 > 40) (return i1)");
            // The function may call itself, each time with a smaller number.
            self.line(1, &format!("i2 += (f{number} i0-1 i1+1)"));
        }
        let depth = self.depth;
        self.depth = 1;
        for _ in 0..1 + self.below(4) {
            self.statement(1, 2);
        }
        self.depth = depth;
        let result = self.integer(2);
        self.line(1, &format!("(return {{{result}}} % 1000003)"));
        self.functions += 1;
    }

    fn generator(&mut self) {
        let number = self.generators;
        let step = self.integer(1);
        self.line(0, &format!("g{number} = (func n)"));
        self.line(1, "at = 0");
        self.line(1, "i0 = 1");
        self.line(1, "i1 = 2");
        self.line(1, "i2 = 3");
        self.line(1, "i3 = 4");
        self.line(1, "l0 = [1]");
        self.line(1, "s0 = \"g\"");
        self.line(1, "q0 = (near 3 4)");
        self.line(1, "(while at < n)");
        self.line(2, &format!("i0 = {{at + {step}}} % 65537"));
        self.line(2, "(yield i0)");
        self.line(2, "at += 1");
        self.generators += 1;
    }

    fn block(&mut self, indent: usize, budget: usize) {
        for _ in 0..1 + self.below(3) {
            self.statement(indent, budget);
        }
    }

    fn statement(&mut self, indent: usize, budget: usize) {
        let kinds = if budget == 0 || self.depth > 2 { 13 } else { 20 };
        match self.below(kinds) {
            8..=10 => self.collection(indent),
            11 => self.object(indent),
            12 => self.library(indent),
            0..=2 => {
                let (name, value) = (self.pick(&INTEGERS), self.integer(3));
                let limit = self.pick(&[
                    "1000003",
                    "2305843009213693951",
                    "1152921504606846977",
                    "4611686018427387905",
                ]);
                self.line(indent, &format!("{name} = {{{value}}} % {limit}"));
            }
            3 => {
                let (name, value) = (self.pick(&FLOATS), self.float(2));
                self.line(indent, &format!("{name} = {value}"));
                // Infinities are fine, but not for ever.
                self.line(indent, &format!("(if {name} > 1e280 or {name} < -1e280) {name} = 1.0"));
            }
            4 => {
                let (name, value) = (self.pick(&STRINGS), self.string());
                self.line(indent, &format!("(if {name}.length < 200) {name} = {value}"));
            }
            5 => {
                let list = self.pick(&LISTS);
                let value = self.integer(1);
                self.line(indent, &format!("(if {list}.length < 50) ({list}.append {{{value}}} % 256)"));
            }
            6 => {
                let (list, index, value) = (self.pick(&LISTS), self.integer(1), self.integer(1));
                self.line(indent, &format!("(if {list}.length > 0)"));
                let index = format!("{{{index}}} % {list}.length");
                self.line(indent + 1, &format!("{list}[{index}] = {{{value}}} % 4096"));
            }
            7 => {
                let (name, value) = (self.pick(&INTEGERS), self.integer(1));
                let operator = self.pick(&["+", "-", "^", "|"]);
                self.line(indent, &format!("{name} {operator}= {{{value}}} % 32771"));
            }
            13 | 14 => {
                let condition = self.condition(2);
                self.line(indent, &format!("(if {condition})"));
                self.block(indent + 1, budget - 1);
                if self.below(3) == 0 {
                    let condition = self.condition(1);
                    self.line(indent, &format!("(elif {condition})"));
                    self.block(indent + 1, budget - 1);
                }
                if self.below(2) == 0 {
                    self.line(indent, "(else)");
                    self.block(indent + 1, budget - 1);
                }
            }
            15 | 16 => self.counted(indent, budget),
            17 => self.for_loop(indent, budget),
            18 => self.handled(indent, budget),
            _ => self.closure(indent, budget),
        }
    }

    /// Something is done with a list, a string or the dictionary.
    fn collection(&mut self, indent: usize) {
        let (list, other) = (self.pick(&LISTS), self.pick(&LISTS));
        let (text, integer) = (self.pick(&STRINGS), self.pick(&INTEGERS));
        let key = self.pick(&KEYS);
        match self.below(18) {
            10 => self.line(indent, &format!("i1 = {{{text} + {integer}}} % 1000003")),
            11 => self.line(indent, &format!("l0 = {other} * {{{integer} % 5}}")),
            12 => self.line(indent, &format!("(if {list} < {other}) i2 = {{{list} + \"four\"}} + true")),
            13 => {
                let argument = self.pick(&["i0", "i1 % 10", "l0", "s0", "null"]);
                self.line(indent, &format!("i2 = {{(m0 {integer} {argument})}} % 1000003"));
                if self.below(4) == 0 {
                    let interface = self.pick(&["int", "list", "str", "null"]);
                    self.line(indent, &format!("m0[[int {interface}]] = (func a b) (return {})", self.loops));
                }
            }
            14 => self.line(indent, &format!("o0.n = {{(p0.add p0.n {integer})}} % 1000003")),
            15 => {
                let store = self.pick(&["p0.n = i0 % 100", "o0.n += 1", "(setattr o0 \"n\" i1 % 50)"]);
                self.line(indent, store);
                self.line(indent, "i3 = {(getattr p0 \"n\") + i3} % 1000003");
            }
            16 | 17 => self.line(indent, &format!("i3 = (b0.switch {{{integer}}} % 1000)")),
            0 => self.line(indent, &format!("(if {list}.length > 0) i0 = {{({list}.pop) == 3 and 1 or i0}}")),
            1 => self.line(indent, &format!("(if {list}.length < 40) ({list}.extend {other})")),
            2 => self.line(indent, &format!("{list} = ({other}.slice 0 {{{integer} % 3}})")),
            3 => self.line(indent, &format!("(if {list}.length < 40) {list} = {other} ++ {list}")),
            4 => {
                self.line(indent, &format!("(if {text}.length > 0)"));
                let letter = self.pick(&["a", "b", " ", "é"]);
                let index = format!("{{{integer}}} % {text}.length");
                self.line(indent + 1, &format!("(if {text}[{index}] == \"{letter}\") i2 += 1"));
            }
            5 => {
                let other = self.pick(&STRINGS);
                self.line(indent, &format!("(if {text} ++ {other} == \"abc\" ++ s1) i1 += 1"));
            }
            6 => {
                let limit = self.pick(&["1", "2", "3"]);
                self.line(indent, &format!("(if ({text}.slice 0 {limit}) < \"b\") i3 += 1"));
            }
            7 => {
                self.line(indent, &format!("(if (d0.contains {{{key}}}))"));
                self.line(indent + 1, &format!("d0[{key}] = d0[{key}] + 1"));
                self.line(indent, "(else)");
                self.line(indent + 1, &format!("d0[{key}] = 1"));
            }
            8 => self.line(indent, &format!("d0[{key}] = (d0.get {{{key}}} 0) + 2")),
            _ => {
                let (item, letter) = (format!("k{}", self.loops), self.pick(&["a", "c"]));
                self.loops += 1;
                self.line(indent, &format!("(for {item} {text})"));
                self.line(indent + 1, &format!("(if {item} != \"{letter}\") i0 = {{i0 + 1}} % 1000003"));
            }
        }
    }

    /// Something is done with the object.
    fn object(&mut self, indent: usize) {
        let integer = self.pick(&INTEGERS);
        match self.below(6) {
            0 => self.line(indent, &format!("q0 = (near {integer} % 1000 1)")),
            1 => self.line(indent, &format!("q0 = (far {integer} % 1000)")),
            2 => self.line(indent, &format!("q0.n = {{q0.n + {integer}}} % 65537")),
            3 => self.line(indent, "i2 = {i2 + q0.n + q0.k} % 1000003"),
            4 => self.line(indent, "(if (isinstance q0 far)) i3 = {i3 + q0.w.length} % 1000003"),
            _ => {
                // The second class raises itself now and then.
                self.line(indent, "(try)");
                self.line(indent + 1, &format!("i1 = (q0.add {integer} % 1000)"));
                self.line(indent, "(except e)");
                self.line(indent + 1, "i1 = e.k");
            }
        }
    }

    /// Functions of the library, on what there is.
    fn library(&mut self, indent: usize) {
        let (list, text, integer) = (self.pick(&LISTS), self.pick(&STRINGS), self.pick(&INTEGERS));
        let line = match self.below(14) {
            0 => format!("i0 = {{(sum (range {{{integer} % 9}})) + i0}} % 1000003"),
            1 => format!("l0 = (map half (range {{{integer} % 6}}))"),
            2 => format!("(if (any (filter even (range {{{integer} % 5}})))) i2 += 1"),
            3 => {
                format!("(for k{} (enumerate {text})) i1 = {{i1 + k{}[0]}} % 1000003", self.loops, self.loops)
            }
            4 => format!("i3 = {{(reduce {{+}} [{integer} 2 3]) + i3}} % 1000003"),
            5 => format!("(t0.add {integer} % 11)"),
            6 => format!("(if (t0.contains {integer} % 7)) (t0.discard {integer} % 5)"),
            7 => "i2 = {i2 + t0.length + (sum t0)} % 1000003".to_owned(),
            8 => "x0 = (sin x1) * 2.5 + (sqrt 4.0)".to_owned(),
            9 => "(if x0 < 1e9 and x0 > -1e9) i1 = {(floor x0) + i1} % 1000003".to_owned(),
            10 => {
                format!("(if {text}.length < 200) {text} = (\"{{}}:{{:>4}}\".format i0 % 100 {text}.length)")
            }
            11 => format!("i0 = {{(d0.setdefault {integer} % 4 1) + i0}} % 1000003"),
            12 => format!("l1 = (reversed (list (d0.keys)))\n{}(l1.clear)", "    ".repeat(indent)),
            _ => {
                format!("i3 = {{({list}.count {integer} % 3) + (zip {list} \"abc\").length + i3}} % 1000003")
            }
        };
        self.loops += 1;
        self.line(indent, &line);
    }

    /// Statements that may raise errors, and what is done then.
    fn handled(&mut self, indent: usize, budget: usize) {
        let (name, other) = (self.pick(&INTEGERS), self.pick(&INTEGERS));
        self.line(indent, "(try)");
        self.block(indent + 1, budget - 1);
        let raise = match self.below(6) {
            0 => format!("(if {name} % 3 == 0) (raise {other} % 1000)"),
            1 => format!("{name} = {other} / {{{name} % 4}}"),
            2 => format!("(assert {name} % 5 > 1)"),
            3 => format!("{name} = l0[{{{other}}} % 7] == 3 and 1 or 2"),
            4 => format!("(if {name} % 2 == 0) (raise \"even\")"),
            _ => format!("{name} = (m0 {other}) % 5"),
        };
        self.line(indent + 1, &raise);
        self.line(indent + 1, &format!("{other} = {{{other} + 5}} % 1000003"));
        self.line(indent, "(except e)");
        let handler = self.pick(&[
            "(if (isinstance e int)) i0 = {i0 + e} % 1000003",
            "i1 = {i1 + 1} % 1000003",
            "(if (isinstance e error)) s0 = e.message",
        ]);
        self.line(indent + 1, handler);
    }

    fn counted(&mut self, indent: usize, budget: usize) {
        let counter = format!("k{}", self.loops);
        self.loops += 1;
        let times = [40, 12, 5][self.depth.min(2)];
        self.line(indent, &format!("{counter} = 0"));
        self.line(indent, &format!("(while {counter} < {times})"));
        self.line(indent + 1, &format!("{counter} += 1"));
        if self.below(4) == 0 {
            let condition = self.condition(1);
            let leave = self.pick(&["(break)", "(continue)"]);
            self.line(indent + 1, &format!("(if {condition} and {counter} > 3) {leave}"));
        }
        self.depth += 1;
        self.block(indent + 1, budget - 1);
        self.depth -= 1;
        let name = self.pick(&INTEGERS);
        self.line(indent + 1, &format!("{name} = {{{name} + {counter}}} % 1152921504606846977"));
    }

    fn for_loop(&mut self, indent: usize, budget: usize) {
        let item = format!("k{}", self.loops);
        self.loops += 1;
        let times = [40, 12, 5][self.depth.min(2)];
        let range = format!("(range {times})");
        let (iterable, numbers) = match self.below(4) {
            0 => ("(list l0)".to_owned(), false),
            1 if self.generators > 0 => (format!("(g{} {times})", self.below(self.generators)), true),
            2 => (self.pick(&STRINGS).to_owned(), false),
            _ => (range, true),
        };
        self.line(indent, &format!("(for {item} {iterable})"));
        self.depth += 1;
        self.block(indent + 1, budget - 1);
        self.depth -= 1;
        let name = self.pick(&INTEGERS);
        let counted = if numbers { item } else { "1".to_owned() };
        self.line(indent + 1, &format!("{name} = {{{name} + {counted}}} % 1152921504606846977"));
    }

    /// A function that changes variables around it, called a few times.
    fn closure(&mut self, indent: usize, budget: usize) {
        let number = self.loops;
        self.loops += 1;
        let (name, value) = (self.pick(&INTEGERS), self.integer(1));
        self.line(indent, &format!("c{number} = (func n)"));
        self.line(indent + 1, &format!("{name} := {{{name} + {value} + n}} % 1000003"));
        self.line(indent + 1, &format!("(return {name} - n)"));
        let times = [30, 8, 3][self.depth.min(2)];
        self.line(indent, &format!("(for k{number} (range {times}))"));
        self.depth += 1;
        self.line(indent + 1, &format!("i3 = {{(c{number} k{number}) + i3}} % 1152921504606846977"));
        self.block(indent + 1, budget - 1);
        self.depth -= 1;
    }

    fn integer(&mut self, budget: usize) -> String {
        let kinds = if budget == 0 { 3 } else { 12 };
        match self.below(kinds) {
            0 => self.pick(&BORDERS).to_owned(),
            1 | 2 => self.pick(&INTEGERS).to_owned(),
            3..=5 => {
                let (a, b) = (self.integer(budget - 1), self.integer(budget - 1));
                let operator = self.pick(&["+", "-", "*", "^", "|", "&"]);
                format!("{{{a} {operator} {b}}}")
            }
            6 => {
                let (a, b) = (self.integer(budget - 1), self.integer(budget - 1));
                let operator = self.pick(&["/", "%"]);
                format!("{{{a} {operator} {{{b} | 1}}}}")
            }
            7 => {
                let (a, b) = (self.integer(budget - 1), self.integer(0));
                let operator = self.pick(&["<<", ">>"]);
                format!("{{{a} {operator} {{{b} & 15}}}}")
            }
            8 if self.functions > 0 => {
                let (f, a, b) =
                    (self.below(self.functions), self.integer(1.min(budget - 1)), self.integer(0));
                format!("(f{f} {{{a}}} % 64 {{{b}}} % 1000)")
            }
            9 => {
                let (name, a, b) = (self.pick(&["min", "max"]), self.integer(budget - 1), self.integer(0));
                format!("({name} {a} {b})")
            }
            10 => self.pick(&["l0.length", "s0.length", "{-i1}", "{~i2}"]).to_owned(),
            _ => {
                let (condition, a, b) = (self.condition(0), self.integer(budget - 1), self.integer(0));
                format!("{{{condition} and {a} or {b}}}")
            }
        }
    }

    fn float(&mut self, budget: usize) -> String {
        match self.below(if budget == 0 { 3 } else { 7 }) {
            0 => self.pick(&["0.5", "1e-7", "3.25", "-1.0"]).to_owned(),
            1 | 2 => self.pick(&FLOATS).to_owned(),
            3..=5 => {
                let (a, b) = (self.float(budget - 1), self.float(budget - 1));
                let operator = self.pick(&["+", "-", "*"]);
                format!("{{{a} {operator} {b}}}")
            }
            _ => {
                let (a, b) = (self.float(budget - 1), self.pick(&INTEGERS));
                format!("{{{a} / 3.5 + {b}}}")
            }
        }
    }

    fn condition(&mut self, budget: usize) -> String {
        if budget > 0 && self.below(3) == 0 {
            let (a, b) = (self.condition(budget - 1), self.condition(budget - 1));
            return match self.below(3) {
                0 => format!("{{{a} and {b}}}"),
                1 => format!("{{{a} or {b}}}"),
                _ => format!("{{not {a}}}"),
            };
        }
        let operator = self.pick(&["<", ">", "<=", ">=", "==", "!="]);
        match self.below(5) {
            0 => format!("{{{} {operator} {}}}", self.pick(&FLOATS), self.pick(&FLOATS)),
            1 => format!("{{{} {operator} {}}}", self.pick(&STRINGS), self.pick(&STRINGS)),
            2 => format!("{{0 <= {} {operator} 1000}}", self.pick(&INTEGERS)),
            _ => {
                let (a, b) = (self.pick(&INTEGERS), self.integer(0));
                format!("{{{a} {operator} {b}}}")
            }
        }
    }

    fn string(&mut self) -> String {
        let (a, b) = (self.pick(&STRINGS), self.pick(&STRINGS));
        match self.below(4) {
            0 => format!("{a} ++ {b}"),
            1 => format!("{a} ++ (str {} % 100)", self.pick(&INTEGERS)),
            2 => format!("({a}.slice 1 5) ++ \"é\""),
            _ => format!("(str l0.length) ++ {b}"),
        }
    }

    /// The end: some programs end with an error, in a function or at the top level.
    fn ending(&mut self) {
        match self.below(6) {
            0 => self.line(0, "(assert i0 == \"no number\")"),
            1 => self.line(0, "(print l0[100])"),
            2 => {
                self.line(0, "last = (func n)");
                self.line(1, "(if n == 0) (return i0 / 0)");
                self.line(1, "(return 1 + (last n-1))");
                self.line(0, "(print (last 5))");
            }
            3 => {
                self.line(0, "last = (func n)");
                self.line(1, "(yield 1)");
                self.line(1, "(print n + \"x\")");
                self.line(0, "(for n (last 5)) (print n)");
            }
            _ => self.line(0, "(print \"end\")"),
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn programs_are_valid_and_repeat() {
        for seed in 0..500 {
            let source = super::program(seed);
            assert_eq!(source, super::program(seed));
            let program = crate::compile(source.as_bytes(), &Default::default());
            let program = program.unwrap_or_else(|error| panic!("{error}\n{source}"));
            crate::code::verify(&program).unwrap();
        }
    }
}
