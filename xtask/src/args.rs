//! Command-line arguments, taken apart by hand: flags, options with a value, and the rest.
//!
//! A command asks for what it knows and then calls [`Args::rest`], which refuses what nobody asked for,
//! so that a misspelt option is an error and not ignored.

use crate::Result;

pub struct Args {
    words: Vec<String>,
}

impl Args {
    pub fn new(words: impl IntoIterator<Item = String>) -> Args {
        Args { words: words.into_iter().collect() }
    }

    /// Takes the first word, the name of the command.
    pub fn command(&mut self) -> Option<String> {
        (!self.words.is_empty()).then(|| self.words.remove(0))
    }

    /// Whether `--name` is there; takes it.
    pub fn flag(&mut self, name: &str) -> bool {
        let before = self.words.len();
        self.words.retain(|word| word != name);
        self.words.len() < before
    }

    /// The value of `--name VALUE` or `--name=VALUE`; takes both words.
    pub fn option(&mut self, name: &str) -> Result<Option<String>> {
        let Some(at) = self.words.iter().position(|word| {
            word.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
        }) else {
            return Ok(None);
        };
        let word = self.words.remove(at);
        if let Some((_, value)) = word.split_once('=') {
            return Ok(Some(value.to_string()));
        }
        if at < self.words.len() {
            Ok(Some(self.words.remove(at)))
        } else {
            Err(format!("{name} wants a value"))
        }
    }

    /// The value of `--name NUMBER`, or `default` if it is not there.
    pub fn number(&mut self, name: &str, default: u64) -> Result<u64> {
        match self.option(name)? {
            None => Ok(default),
            Some(text) => text.parse().map_err(|_| format!("{name} wants a number, not `{text}`")),
        }
    }

    /// What is left: names and paths. An option among them is one that nobody knows.
    pub fn rest(self) -> Result<Vec<String>> {
        match self.words.iter().find(|word| word.starts_with('-')) {
            Some(word) => Err(format!("unknown option `{word}` (see `cargo xtask help`)")),
            None => Ok(self.words),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(line: &str) -> Args {
        Args::new(line.split_whitespace().map(str::to_string))
    }

    #[test]
    fn flags_options_and_rest_are_told_apart() {
        let mut args = args("bench addmul --rounds 3 --quick --seed=7 fib");
        assert_eq!(args.command().as_deref(), Some("bench"));
        assert!(args.flag("--quick"));
        assert!(!args.flag("--quick"));
        assert_eq!(args.number("--rounds", 1), Ok(3));
        assert_eq!(args.number("--seed", 1), Ok(7));
        assert_eq!(args.number("--missing", 9), Ok(9));
        assert_eq!(args.rest(), Ok(vec!["addmul".to_string(), "fib".to_string()]));
    }

    #[test]
    fn what_nobody_asked_for_is_an_error() {
        assert!(args("--quik").rest().is_err());
        assert!(args("--rounds").number("--rounds", 1).is_err());
        assert!(args("--rounds many").number("--rounds", 1).is_err());
    }
}
