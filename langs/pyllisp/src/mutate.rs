//! Sources that are wrong in some way, for tests of the reader and the compiler: programs of the tree with
//! pieces removed, doubled, swapped, put into each other, and with bytes that don't belong there.
//!
//! Whatever comes out, [`check`] must find that it is compiled to code which keeps the verifier's rules, or
//! refused with a message and a place that is in the source.

use crate::compile::compile;
use crate::{code, read};

/// What is put in: words with a meaning, brackets, and what is hard to read.
const PIECES: [&str; 47] = [
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "\"",
    "'",
    "\\",
    "#",
    "=",
    ":=",
    "+=",
    ".",
    ":",
    "!",
    "-",
    "~",
    "<",
    "==",
    "++",
    "and",
    "or",
    "not",
    "(func x)",
    "(if true)",
    "(else)",
    "(elif 1)",
    "(while x)",
    "(for x y)",
    "(try)",
    "(except e)",
    "(raise 1)",
    "(class object x)",
    "(yield 1)",
    "(return)",
    "(break)",
    "(from x y)",
    "0x",
    "1e",
    "1.",
    "99999999999999999999",
    "\u{e4}",
    "\u{feff}",
    "\r",
    "\t",
    "\n    ",
];

/// A generator of wrong sources; the same seed and programs give the same one.
struct Mutator {
    /// The state of a xorshift generator (Marsaglia, 2003).
    state: u64,
}

impl Mutator {
    fn below(&mut self, bound: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 11) as usize % bound.max(1)
    }

    /// A short range of a text.
    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        let most = if self.below(4) == 0 { length - start } else { (length - start).min(40) };
        start..start + self.below(most + 1)
    }

    fn change(&mut self, source: &mut Vec<u8>, programs: &[Vec<u8>]) {
        let range = self.range(source.len());
        match self.below(11) {
            0 => drop(source.drain(range)),
            1 => {
                let piece = source[range].to_vec();
                let at = self.below(source.len() + 1);
                source.splice(at..at, piece);
            }
            2 => {
                let other = &programs[self.below(programs.len())];
                let from = self.range(other.len());
                source.splice(range, other[from].iter().copied());
            }
            3 if !source.is_empty() => {
                let at = self.below(source.len());
                source[at] = self.below(256) as u8;
            }
            4 => source.truncate(range.start),
            5 => {
                let piece = PIECES[self.below(PIECES.len())];
                // Mostly once, sometimes so often that it nests too deeply.
                let times = if self.below(20) == 0 { 1 + self.below(600) } else { 1 };
                source.splice(range.start..range.start, piece.repeat(times).into_bytes());
            }
            6 => source[range].reverse(),
            7 => self.swap_lines(source),
            8 => self.indent_line(source),
            _ => {
                let piece = PIECES[self.below(PIECES.len())];
                source.splice(range.start..range.start, format!(" {piece} ").into_bytes());
            }
        }
    }

    fn swap_lines(&mut self, source: &mut Vec<u8>) {
        let mut lines: Vec<&[u8]> = source.split(|byte| *byte == b'\n').collect();
        let (one, two) = (self.below(lines.len()), self.below(lines.len()));
        lines.swap(one, two);
        *source = lines.join(&b'\n');
    }

    fn indent_line(&mut self, source: &mut Vec<u8>) {
        let starts: Vec<usize> = (0..source.len()).filter(|at| *at == 0 || source[at - 1] == b'\n').collect();
        let Some(start) = starts.get(self.below(starts.len())).copied() else { return };
        let spaces = source[start..].iter().take_while(|byte| **byte == b' ').count();
        match self.below(2) {
            0 => drop(source.drain(start..start + self.below(spaces + 1))),
            _ => drop(source.splice(start..start, vec![b' '; 1 + self.below(6)])),
        }
    }
}

/// A wrong source made of these programs.
pub fn source(seed: u64, programs: &[Vec<u8>]) -> Vec<u8> {
    let mut mutator = Mutator { state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1 };
    for _ in 0..8 {
        mutator.below(1);
    }
    let mut source = match programs.is_empty() {
        true => Vec::new(),
        false => programs[mutator.below(programs.len())].clone(),
    };
    // Long programs are mostly alike all through. What is cut out begins with a whole form.
    if source.len() > 2000 {
        let begins = |at: &usize| *at == 0 || source[at - 1] == b'\n' && !source[*at].is_ascii_whitespace();
        let starts: Vec<usize> = (0..source.len()).filter(begins).collect();
        let start = starts[mutator.below(starts.len())];
        let stop = starts.iter().find(|at| **at > start + 1000).copied().unwrap_or(source.len());
        source = source[start..stop].to_vec();
    }
    for _ in 0..1 + mutator.below(4) {
        mutator.change(&mut source, programs);
    }
    source
}

/// Compiles a source. The answer is whether that is possible; an error is a rule that is broken.
pub fn check(source: &[u8]) -> Result<bool, String> {
    match compile(source, &Default::default()) {
        Ok(program) => {
            code::verify(&program).map(|()| true).map_err(|error| format!("the code is wrong: {error}"))
        }
        Err(error) => {
            let text = String::from_utf8_lossy(source);
            let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
            let lines: Vec<&str> = text.split('\n').collect();
            let line = (error.at.line as usize).checked_sub(1).and_then(|line| lines.get(line));
            let is_there = line.is_some_and(|line| error.at.col as usize <= line.chars().count());
            match is_there && !error.message.is_empty() {
                true => Ok(false),
                false => Err(format!("no such place: {error}")),
            }
        }
    }
}

/// Whether a source is text at all.
pub fn is_text(source: &[u8]) -> bool {
    read::decode(source).is_ok()
}

#[cfg(test)]
mod tests {
    use crate::generate;

    #[test]
    fn wrong_sources_are_refused_with_a_place() {
        let programs: Vec<Vec<u8>> = (0..20).map(|seed| generate::program(seed).into_bytes()).collect();
        let mut compiled = 0;
        for seed in 0..3000 {
            let source = super::source(seed, &programs);
            assert_eq!(source, super::source(seed, &programs));
            match super::check(&source) {
                Ok(fine) => compiled += u32::from(fine),
                Err(error) => panic!("{seed}: {error}\n{}", String::from_utf8_lossy(&source)),
            }
        }
        // Neither all nor none of them.
        assert!((300..2700).contains(&compiled), "{compiled}");
    }
}
