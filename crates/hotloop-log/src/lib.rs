//! Events of the JIT and of the collector, and how they are written.
//!
//! `HOTLOOP_LOG=section[,section]:file` like `PYPYLOG`: sections are named as PyPy names them where they
//! mean the same; the file `-` is standard error.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Write};

/// A kind of event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Section {
    /// Traces as recorded.
    NoOpt,
    /// Traces as optimised.
    Opt,
    /// Counts and times, at the end.
    Summary,
    /// Recordings that were given up, with the reason.
    Abort,
    /// Machine code.
    Backend,
    /// The collector's counts and times, at the end.
    Collector,
}

impl Section {
    const ALL: [(Section, &'static str); 6] = [
        (Section::NoOpt, "jit-log-noopt"),
        (Section::Opt, "jit-log-opt"),
        (Section::Summary, "jit-summary"),
        (Section::Abort, "jit-abort"),
        (Section::Backend, "jit-backend"),
        (Section::Collector, "gc-summary"),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Section::ALL.iter().find(|(section, _)| *section == self).map_or("", |(_, name)| name)
    }
}

/// A `HOTLOOP_LOG` that can't be used.
#[derive(Debug)]
pub struct LogError(String);

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::error::Error for LogError {}

/// Where events go.
pub struct Log {
    sections: Vec<Section>,
    out: Option<Box<dyn Write + Send>>,
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log").field("sections", &self.sections).finish_non_exhaustive()
    }
}

impl Log {
    /// Nothing is written.
    pub fn off() -> Log {
        Log { sections: Vec::new(), out: None }
    }

    /// These sections, to any writer.
    pub fn to(sections: &[Section], out: Box<dyn Write + Send>) -> Log {
        Log { sections: sections.to_vec(), out: Some(out) }
    }

    /// From the text of `HOTLOOP_LOG`: `section,…:file`; `jit` means all sections of the JIT.
    ///
    /// ```
    /// let error = hotloop_log::Log::parse("jit-log-up:-").unwrap_err();
    /// assert!(error.to_string().contains("jit-log-opt"));
    /// ```
    ///
    /// # Errors
    /// An unknown section (the message lists the valid ones), or a file that can't be made.
    pub fn parse(text: &str) -> Result<Log, LogError> {
        let (names, file) = text.split_once(':').unwrap_or((text, "-"));
        let mut sections = Vec::new();
        for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            if name == "jit" {
                let of_jit = Section::ALL.iter().filter(|(_, name)| name.starts_with("jit-"));
                sections.extend(of_jit.map(|(section, _)| *section));
                continue;
            }
            match Section::ALL.iter().find(|(_, known)| *known == name) {
                Some((section, _)) => sections.push(*section),
                None => {
                    let known: Vec<&str> = Section::ALL.iter().map(|(_, name)| *name).collect();
                    return Err(LogError(format!(
                        "HOTLOOP_LOG: no section `{name}`; there are: {}, jit (all of the JIT)",
                        known.join(", ")
                    )));
                }
            }
        }
        let out: Box<dyn Write + Send> = match file {
            "-" | "" => Box::new(io::stderr()),
            path => match File::create(path) {
                Ok(file) => Box::new(BufWriter::new(file)),
                Err(error) => return Err(LogError(format!("HOTLOOP_LOG: {path}: {error}"))),
            },
        };
        Ok(Log { sections, out: Some(out) })
    }

    /// Whether the section is written.
    pub fn wants(&self, section: Section) -> bool {
        self.sections.contains(&section)
    }

    /// Writes an event: a headline and a body, between `{section` and `section}` as PyPy does.
    pub fn write(&mut self, section: Section, headline: impl fmt::Display, body: impl fmt::Display) {
        if !self.wants(section) {
            return;
        }
        if let Some(out) = &mut self.out {
            // A log that can't be written must not stop the program.
            let name = section.name();
            let _ = writeln!(out, "{{{name}\n# {headline}\n{body}{name}}}");
            let _ = out.flush();
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        if let Some(out) = &mut self.out {
            let _ = out.flush();
        }
    }
}
