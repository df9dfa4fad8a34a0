//! `hotloop headers`: descriptions of C headers.

use std::ffi::OsString;
use std::path::PathBuf;

use hotloop_ffi::headers::{Request, describe};

use crate::failure::Failure;

/// What the command line asks for.
#[derive(Debug, Default)]
pub struct Headers {
    request: Request,
    output: PathBuf,
}

/// Understands what stands after `headers`.
pub fn parse(words: impl Iterator<Item = OsString>) -> Result<Headers, Failure> {
    let mut words = words;
    let mut headers = Headers::default();
    let request = &mut headers.request;
    while let Some(word) = words.next() {
        let mut value = |name: &str| {
            words.next().ok_or_else(|| Failure::usage(format!("headers: {name}: a value is missing")))
        };
        let text = |value: OsString| {
            let refused =
                |value: OsString| Failure::usage(format!("headers: `{}` is not text", value.display()));
            value.into_string().map_err(refused)
        };
        match word.to_str().unwrap_or_default() {
            "-o" => headers.output = value("-o")?.into(),
            "--library" => request.library.push(text(value("--library")?)?),
            "--prefix" => request.prefixes.push(text(value("--prefix")?)?),
            "--also" => request.also.push(value("--also")?.into()),
            "--alone" => request.alone = true,
            "--" => request.arguments.extend(words.by_ref()),
            option if option.starts_with('-') => {
                return Err(Failure::usage(format!(
                    "headers: no option `{option}`; there are: -o, --library, --prefix, --also, --alone, --"
                )));
            }
            _ => request.headers.push(word.into()),
        }
    }
    if headers.request.headers.is_empty() {
        return Err(Failure::usage("headers: a FILE is missing; see `hotloop --help`"));
    }
    if headers.output.as_os_str().is_empty() {
        return Err(Failure::usage("headers: `-o FILE` is missing; see `hotloop --help`"));
    }
    Ok(headers)
}

/// Describes headers.
pub fn run(headers: &Headers) -> Result<(), Failure> {
    let text = describe(&headers.request).and_then(|file| file.to_json());
    let text = text.map_err(|error| Failure::stopped(format!("Error: {error}")))?;
    std::fs::write(&headers.output, text).map_err(|error| {
        Failure::stopped(format!("Error: cannot write {}: {error}", headers.output.display()))
    })
}
