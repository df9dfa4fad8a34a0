//! `cargo xtask diff`: every program of the tree under every mode; the modes must not be told apart by
//! what a program prints or by how it ends.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::args::Args;
use crate::modes::{self, Observed, Setting};
use crate::process::Ended;
use crate::{Result, bench, workspace};

pub const HELP: &str = "\
diff [PATH…]           run every program of the tree (or those whose path contains a PATH) in all
                       modes of xtask/src/modes.rs and compare output and status
    --mode NAME        only the modes whose name contains NAME
    --limit SECONDS    for each run (default 60)
    --jobs N           programs at the same time (default: one per processor)
    --verbose          say what is running
    --hotloop PATH     use this program instead of building it";

pub fn command(mut args: Args) -> Result<()> {
    let filter = args.option("--mode")?;
    let limit = Duration::from_secs(args.number("--limit", 60)?);
    let processors = thread::available_parallelism().map_or(1, |number| number.get());
    let jobs = args.number("--jobs", processors as u64)?.max(1) as usize;
    let verbose = args.flag("--verbose");
    let given = args.option("--hotloop")?;
    let selection = args.rest()?;
    let programs = programs(&selection)?;
    if programs.is_empty() {
        return Err("no program is selected".to_string());
    }
    let hotloop = workspace::hotloop(given)?;
    let settings = modes::settings(filter.as_deref());
    println!("{} programs in {} modes", programs.len(), settings.len());

    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while let Some(program) = programs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let found = compare(&hotloop, program, &settings, limit, verbose);
                    for line in &found {
                        println!("{line}");
                    }
                    failures.lock().expect("no thread panics with the lock").extend(found);
                }
            });
        }
    });
    let failures = failures.into_inner().expect("no thread panics with the lock");
    println!("{} passed, {} failed", programs.len() * settings.len() - failures.len(), failures.len());
    if failures.is_empty() { Ok(()) } else { Err(format!("{} differences", failures.len())) }
}

/// A program as it is called in the tree, and the file that is run: a shortened copy of a benchmark.
struct Program {
    name: String,
    path: PathBuf,
}

fn programs(selection: &[String]) -> Result<Vec<Program>> {
    let root = workspace::root();
    let mut programs = Vec::new();
    for path in
        workspace::files_below(&root.join("bench"), &|path| workspace::has_extension(path, &["pyl", "b"]))
    {
        let name = workspace::shown(&path);
        let path = bench::shortened(&path, &workspace::scratch("diff")?)?;
        programs.push(Program { name, path });
    }
    let is_test = |path: &Path| {
        let in_tests = path.components().any(|component| component.as_os_str() == "tests");
        in_tests && workspace::has_extension(path, &["pyl", "b"])
    };
    for path in workspace::files_below(&root.join("langs"), &is_test) {
        programs.push(Program { name: workspace::shown(&path), path });
    }
    programs.retain(|program| {
        selection.is_empty() || selection.iter().any(|part| program.name.contains(part.as_str()))
    });
    Ok(programs)
}

/// Runs one program in all settings; a line for each difference.
fn compare(
    hotloop: &Path,
    program: &Program,
    settings: &[Setting],
    limit: Duration,
    verbose: bool,
) -> Vec<String> {
    let name = &program.name;
    let mut reference: Option<Observed> = None;
    let mut lines = Vec::new();
    for setting in settings {
        if verbose {
            println!("{name}: {}", setting.name);
        }
        let observed = match setting.observe(hotloop, &program.path, limit) {
            Ok(observed) => observed,
            Err(error) => {
                lines.push(format!("{name}: {}: {error}", setting.name));
                continue;
            }
        };
        let difference = match &reference {
            Some(reference) => reference.difference(&observed),
            // The reference has nothing to be compared with, but a crash is one in any mode.
            None => match observed.ended {
                Ended::Status(_) => None,
                ended => Some(ended.to_string()),
            },
        };
        if let Some(difference) = difference {
            let arguments = setting.arguments().join(" ");
            lines.push(format!("{name}: {}: {difference}\n    hotloop run {arguments} {name}", setting.name));
        }
        reference.get_or_insert(observed);
    }
    lines
}
