//! The command line: what to do, and with which options.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use hotloop::{Options, Plan};
use hotloop_log::Log;

use crate::failure::Failure;
use crate::headers::{self, Headers};
use crate::language::LANGUAGES;

/// What the command line asks for.
#[derive(Debug)]
pub enum Command {
    Help,
    Version,
    Prompt(Settings),
    Headers(Headers),
    Run { settings: Settings, file: PathBuf, arguments: Vec<OsString> },
}

/// How a program is run.
#[derive(Debug)]
pub struct Settings {
    pub options: Options,
    pub log: Log,
}

/// What `--help` says.
pub fn help() -> String {
    let languages: Vec<String> = LANGUAGES
        .iter()
        .map(|language| format!("    .{:<6} {}", language.extension, language.name))
        .collect();
    let languages = languages.join("\n");
    // The messages for unknown names are where these are listed.
    let parameters = listed(Options::default().jit.parse("?").err());
    let sections = listed(Log::parse("?:-").err());
    format!(
        "\
Usage: hotloop run [OPTION…] FILE [ARGUMENT…]    run a program
       hotloop [OPTION…]                         a prompt for Pyllisp
       hotloop headers [OPTION…] FILE.h… -o FILE.json [-- ARGUMENT…]
                                                 describe C headers for the module `api`; needs clang, which gets the
                                                 arguments

The extension of FILE says the language:
{languages}

Options:
    --jit NAME=VALUE,…   set parameters of the JIT
    --jit off            do not compile
    --heap SIZE          most memory for live objects, like 512M (bytes, or with K, M or G)
    --gc PLAN            how garbage is collected: `sticky-immix` (the default) or `immix`
    --nursery SIZE       what is allocated between two collections of a small heap (16M)
    --gc-stress N        collect garbage at every N-th allocation, and verify the heap (for tests)
    --no-ffi             a sandbox: the modules `ffi`, `api`, `fs` and `process` are refused, files are imported from the
                         program's own folder only
    --check-hints        check what the interpreter promises to the JIT (slow)
    --help, --version

Options of `headers`:
    --library NAME       a file of the library, like libz.so.1
    --prefix PREFIX      what may be left out at the beginning of names, like SDL_
    --also FOLDER        a folder whose files are described, too
    --alone              other files in the headers' folders are not described

Parameters of the JIT:
    {parameters}

Environment:
    HOTLOOP_LOG=SECTION,…:FILE   write events of the JIT; FILE `-` is standard error; the sections:
    {sections}
    NO_COLOR=1                   values at the prompt have no colours
    XDG_STATE_HOME=FOLDER        where the prompt keeps its history (~/.local/state), in hotloop/pyllisp_history
    HOTLOOP_PERF=map             write /tmp/perf-PID.map, so that `perf report` knows compiled code

Exit status: 0; 1 if the program or its input is wrong; 2 if the command line is; 130 after Ctrl-C.
"
    )
}

/// What follows the last colon of a message that lists what there is.
fn listed(error: Option<impl std::fmt::Display>) -> String {
    let message = error.map(|error| error.to_string()).unwrap_or_default();
    message.rsplit(": ").next().unwrap_or_default().to_string()
}

/// Understands the command line, without the program's own name.
pub fn parse(words: impl Iterator<Item = OsString>) -> Result<Command, Failure> {
    let mut words = words;
    let mut options = Options::default();
    let mut run = false;
    let mut options_end = false;
    while let Some(word) = words.next() {
        let text = word.to_str().unwrap_or_default();
        if options_end || !text.starts_with('-') || text == "-" {
            if run {
                return Ok(Command::Run {
                    settings: Settings { options: perf(options)?, log: log()? },
                    file: word.into(),
                    arguments: words.collect(),
                });
            }
            if text == "headers" {
                return headers::parse(words).map(Command::Headers);
            }
            if text != "run" {
                return Err(unknown_command(&word));
            }
            run = true;
            continue;
        }
        let (name, given) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value.to_string())),
            None => (text, None),
        };
        let has_value = given.is_some();
        let mut value = || match given.clone() {
            Some(value) => Ok(value),
            None => words
                .next()
                .ok_or_else(|| Failure::usage(format!("{name}: a value is missing")))?
                .into_string()
                .map_err(|value| Failure::usage(format!("{name}: `{}` is not text", value.display()))),
        };
        match name {
            "--jit" => jit(&mut options, &value()?)?,
            "--heap" => options.heap_limit = Some(size(&value()?)?),
            "--nursery" => options.gc_nursery = Some(size(&value()?)?),
            "--gc" => options.gc_plan = Some(plan(&value()?)?),
            "--gc-stress" => {
                options.gc_stress = Some(every(&value()?)?);
                options.gc_verify = true;
            }
            _ if has_value => return Err(unknown_option(name)),
            "--no-ffi" => options.sandbox = true,
            "--check-hints" => options.jit.check_hints = true,
            "--help" | "-h" => return Ok(Command::Help),
            "--version" | "-V" => return Ok(Command::Version),
            "--" => options_end = true,
            _ => return Err(unknown_option(name)),
        }
    }
    if run {
        return Err(Failure::usage("run: a FILE is missing; see `hotloop --help`"));
    }
    Ok(Command::Prompt(Settings { options: perf(options)?, log: log()? }))
}

fn unknown_command(word: &OsStr) -> Failure {
    let word = word.display();
    Failure::usage(format!(
        "no command `{word}`; to run a program: `hotloop run FILE`; to describe headers: `hotloop headers`; see `hotloop --help`"
    ))
}

fn unknown_option(name: &str) -> Failure {
    Failure::usage(format!(
        "no option `{name}`; there are: --jit, --heap, --gc-stress, --no-ffi, --check-hints, --help, --version"
    ))
}

fn jit(options: &mut Options, text: &str) -> Result<(), Failure> {
    options.jit.parse(text).map_err(Failure::usage)
}

/// A size in bytes.
fn size(text: &str) -> Result<usize, Failure> {
    let units = [('K', 10), ('M', 20), ('G', 30)];
    let unit = units.iter().find(|(unit, _)| text.ends_with([*unit, unit.to_ascii_lowercase()]));
    let (digits, shift) = match unit {
        Some((_, shift)) => (&text[..text.len() - 1], *shift),
        None => (text, 0),
    };
    // Not all that `parse` takes: no sign.
    let number = digits.parse::<usize>().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()));
    number.and_then(|number| number.checked_mul(1 << shift)).filter(|bytes| *bytes > 0).ok_or_else(|| {
        Failure::usage(format!(
            "--heap: `{text}` is not a size; write it like 512M (bytes, or with K, M or G)"
        ))
    })
}

fn every(text: &str) -> Result<u32, Failure> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| Failure::usage(format!("--gc-stress: `{text}` is not a whole number from 1 on")))
}

fn plan(text: &str) -> Result<Plan, Failure> {
    match text {
        "immix" => Ok(Plan::Immix),
        "sticky-immix" => Ok(Plan::StickyImmix),
        _ => Err(Failure::usage(format!("--gc: `{text}` is not `immix` or `sticky-immix`"))),
    }
}

/// The log that the environment asks for.
fn log() -> Result<Log, Failure> {
    match std::env::var_os("HOTLOOP_LOG").filter(|text| !text.is_empty()) {
        None => Ok(Log::off()),
        Some(text) => match text.to_str() {
            Some(text) => Log::parse(text).map_err(Failure::usage),
            None => Err(Failure::usage(format!("HOTLOOP_LOG: `{}` is not text", text.display()))),
        },
    }
}

/// What the environment asks for the sake of profilers.
fn perf(mut options: Options) -> Result<Options, Failure> {
    let asked = std::env::var_os("HOTLOOP_PERF").filter(|text| !text.is_empty());
    match asked.as_deref().map(|text| text.to_str()) {
        None => {}
        Some(Some("map")) => options.jit.perf_map = true,
        Some(_) => return Err(Failure::usage("HOTLOOP_PERF: there is: map")),
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command, Failure> {
        parse(line.split_whitespace().map(OsString::from))
    }

    fn run(line: &str) -> (Options, PathBuf, Vec<OsString>) {
        match parsed(line) {
            Ok(Command::Run { settings, file, arguments }) => (settings.options, file, arguments),
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn options_stand_before_the_file() {
        let (options, file, arguments) =
            run("run --jit threshold=7 --jit=optimize=0 --heap 3k a.pyl --jit off");
        assert_eq!((options.jit.threshold, options.jit.optimize, options.jit.enabled), (7, false, true));
        assert_eq!(options.heap_limit, Some(3 << 10));
        assert_eq!(file, PathBuf::from("a.pyl"));
        assert_eq!(arguments, ["--jit", "off"]);
        assert!(!options.sandbox);
        let (options, file, _) = run("--check-hints run --no-ffi --gc-stress=5 -- -x.b");
        assert!(options.sandbox);
        assert!(options.jit.check_hints);
        assert_eq!(options.gc_stress, Some(5));
        assert_eq!(file, PathBuf::from("-x.b"));
        assert!(
            matches!(parsed("--jit off"), Ok(Command::Prompt(settings)) if !settings.options.jit.enabled)
        );
        assert!(matches!(parsed("run -h"), Ok(Command::Help)));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (line, part) in [
            ("run", "FILE"),
            ("rum a.pyl", "`rum`"),
            ("run --jot off a.pyl", "`--jot`"),
            ("run --check-hints=1 a.pyl", "`--check-hints`"),
            ("run --heap", "--heap: a value is missing"),
            ("run --jit treshold=3 a.pyl", "trace_eagerness"),
            ("run --gc-stress 0 a.pyl", "`0`"),
        ] {
            let failure = parsed(line).unwrap_err();
            assert!(failure.text.contains(part), "{line}: {}", failure.text);
            assert_eq!(failure.status, 2);
        }
    }

    #[test]
    fn sizes() {
        assert_eq!(size("1000"), Ok(1000));
        assert_eq!(size("2G"), Ok(2 << 30));
        for bad in ["", "M", "0", "-1M", "+1M", "1.5G", "1T", "99999999999G", "1 M", "ä"] {
            assert!(size(bad).unwrap_err().text.contains(&format!("`{bad}`")));
        }
    }
}
