//! The prompt on a terminal: lines that can be edited, completed and called back, also from earlier sessions.

use std::io;

use hotloop_pyllisp::Pyllisp;
use hotloop_pyllisp::vm::module::ModuleInfo;
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::MemHistory;
use rustyline::validate::Validator;
use rustyline::{CompletionType, Config, Context, Editor, Helper};

use crate::history::History;
use crate::input::{self, Typed};

/// How far a block is indented.
const INDENTATION: &str = "    ";

/// A terminal for one session.
pub struct Terminal<'a> {
    editor: Editor<Names<'a>, MemHistory>,
    history: History,
}

impl<'a> Terminal<'a> {
    /// The terminal, with what was typed in earlier sessions.
    pub fn new(interpreter: &'a Pyllisp, module: &'static ModuleInfo) -> io::Result<Terminal<'a>> {
        let config = Config::builder().completion_type(CompletionType::List).build();
        let earlier = MemHistory::with_config(&config);
        let mut editor = Editor::with_history(config, earlier).map_err(reason)?;
        editor.set_helper(Some(Names { interpreter, module }));
        let history = History::usual();
        for entry in history.load() {
            // An entry that can't be kept is no reason to complain.
            let _ = editor.add_history_entry(entry);
        }
        Ok(Terminal { editor, history })
    }

    /// Reads a line; if that is the beginning of something longer, further lines up to an empty one, each with
    /// the indentation of the line before.
    pub fn read(&mut self, goes_on: impl Fn(&[u8]) -> bool) -> io::Result<Typed> {
        let mut source = String::new();
        let mut indentation = String::new();
        loop {
            let line = match source.is_empty() {
                true => self.editor.readline(input::FIRST),
                false => self.editor.readline_with_initial(input::FURTHER, (&indentation, "")),
            };
            let line = match line {
                Ok(line) => line,
                Err(ReadlineError::Interrupted) => return Ok(Typed::Interrupted),
                Err(ReadlineError::Eof) if source.is_empty() => return Ok(Typed::End),
                Err(ReadlineError::Eof) => break,
                Err(error) => return interrupted_or(reason(error)),
            };
            let first = source.is_empty();
            if line.trim().is_empty() {
                match first {
                    true => continue,
                    false => break,
                }
            }
            source.push_str(&line);
            source.push('\n');
            // What has several lines already was called back, and is whole.
            if first && (line.contains('\n') || !goes_on(source.as_bytes())) {
                break;
            }
            indentation = line.chars().take_while(|character| *character == ' ').collect();
            if first {
                indentation.push_str(INDENTATION);
            }
        }
        let entry = source.trim_end();
        if self.editor.add_history_entry(entry).unwrap_or(false) {
            self.history.add(entry);
        }
        Ok(Typed::Source(source.into_bytes()))
    }
}

/// A signal gives the line up.
fn interrupted_or(error: io::Error) -> io::Result<Typed> {
    if error.kind() == io::ErrorKind::Interrupted { Ok(Typed::Interrupted) } else { Err(error) }
}

fn reason(error: ReadlineError) -> io::Error {
    match error {
        ReadlineError::Io(error) => error,
        ReadlineError::Errno(error) => error.into(),
        ReadlineError::Signal(_) => io::ErrorKind::Interrupted.into(),
        other => io::Error::other(other.to_string()),
    }
}

/// What names there are.
struct Names<'a> {
    interpreter: &'a Pyllisp,
    module: &'static ModuleInfo,
}

impl Completer for Names<'_> {
    type Candidate = String;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        let before = &line[..at];
        let current = before.rsplit('\n').next().unwrap_or_default();
        if current.trim().is_empty() {
            return Ok((at, vec![INDENTATION.to_string()]));
        }
        let part_of_name =
            |character: char| character.is_alphanumeric() || character == '_' || character == '.';
        let word = &before[before.trim_end_matches(part_of_name).len()..];
        let mut path: Vec<&str> = word.split('.').collect();
        let start = path.pop().unwrap_or_default();
        if start.is_empty() && path.is_empty() {
            return Ok((at, Vec::new()));
        }
        let mut names = self.interpreter.completions(self.module, &path);
        names.retain(|name| name.starts_with(start));
        Ok((at - start.len(), names))
    }
}

impl Hinter for Names<'_> {
    type Hint = String;
}

impl Highlighter for Names<'_> {}
impl Validator for Names<'_> {}
impl Helper for Names<'_> {}
