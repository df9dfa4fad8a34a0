//! The lines of the prompt, put together to what can be evaluated at once.

use std::io::{self, BufRead, Write};

/// What was typed at a prompt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Typed {
    /// Something to evaluate.
    Source(Vec<u8>),
    /// Ctrl-C.
    Interrupted,
    /// Nothing more.
    End,
}

/// The prompt of a first line.
pub const FIRST: &str = "pyl> ";
/// The prompt of further lines.
pub const FURTHER: &str = "...> ";

/// Reads a line; if that is the beginning of something longer, further lines up to an empty one.
pub fn read(
    input: &mut impl BufRead,
    prompt: &mut impl Write,
    goes_on: impl Fn(&[u8]) -> bool,
) -> io::Result<Typed> {
    let mut source = Vec::new();
    let mut longer = false;
    loop {
        prompt.write_all(if longer { FURTHER } else { FIRST }.as_bytes())?;
        prompt.flush()?;
        let start = source.len();
        if !line(input, &mut source)? {
            prompt.write_all(b"\n")?;
            return Ok(Typed::Interrupted);
        }
        if start == source.len() {
            // The shell's own prompt begins on a new line.
            prompt.write_all(b"\n")?;
            return Ok(if source.is_empty() { Typed::End } else { Typed::Source(source) });
        }
        match (source[start..].trim_ascii().is_empty(), longer) {
            (true, true) => return Ok(Typed::Source(source)),
            (true, false) => source.clear(),
            (false, false) if !goes_on(&source) => return Ok(Typed::Source(source)),
            (false, _) => longer = true,
        }
    }
}

/// Adds a line; nothing at the end of the input. `false`: a signal came first.
fn line(input: &mut impl BufRead, source: &mut Vec<u8>) -> io::Result<bool> {
    // `read_until` would go on reading after a signal.
    loop {
        let available = match input.fill_buf() {
            Ok(available) => available,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(false),
            Err(error) => return Err(error),
        };
        let end = available.iter().position(|byte| *byte == b'\n').map(|index| index + 1);
        let taken = end.unwrap_or(available.len());
        source.extend_from_slice(&available[..taken]);
        input.consume(taken);
        if end.is_some() || taken == 0 {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything typed, and the prompts.
    fn typed(mut text: &[u8]) -> (Vec<String>, String) {
        let mut shown = Vec::new();
        let mut all = Vec::new();
        loop {
            match read(&mut text, &mut shown, |source| source.ends_with(b":\n")).unwrap() {
                Typed::Source(source) => all.push(String::from_utf8(source).unwrap()),
                Typed::Interrupted => all.push("^C".to_string()),
                Typed::End => return (all, String::from_utf8(shown).unwrap()),
            }
        }
    }

    #[test]
    fn lines_go_on_until_an_empty_one() {
        let (sources, shown) = typed(b"\na\nf:\n  b\n  c\n\nlast");
        assert_eq!(sources, ["a\n", "f:\n  b\n  c\n\n", "last"]);
        assert_eq!(shown, "pyl> pyl> pyl> ...> ...> ...> pyl> pyl> \n");
        let (sources, shown) = typed(b"f:\n  b");
        assert_eq!(sources, ["f:\n  b"]);
        assert_eq!(shown, "pyl> ...> ...> \npyl> \n");
    }

    #[test]
    fn a_signal_gives_the_line_up() {
        struct Once(bool);
        impl io::Read for Once {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                match std::mem::replace(&mut self.0, true) {
                    false => Err(io::ErrorKind::Interrupted.into()),
                    true => Ok(0),
                }
            }
        }
        let mut input = io::BufReader::new(Once(false));
        let mut shown = Vec::new();
        assert_eq!(read(&mut input, &mut shown, |_| false).unwrap(), Typed::Interrupted);
        assert_eq!(read(&mut input, &mut shown, |_| false).unwrap(), Typed::End);
    }
}
