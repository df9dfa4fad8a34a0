//! `cargo xtask`: the project's one developer command. Nothing else needs to be installed to work on it.

mod args;
mod bench;
mod ci;
mod diff;
mod fuzz;
mod modes;
mod process;
mod reduce;
mod tidy;
mod workspace;

use std::process::ExitCode;

use args::Args;

/// What goes wrong is a message for the person at the terminal.
type Result<T> = std::result::Result<T, String>;

/// One command: its name, its help text, and what it does.
struct CommandEntry {
    name: &'static str,
    help: &'static str,
    run: fn(Args) -> Result<()>,
}

/// The only list of commands; dispatch and help follow from it.
const COMMANDS: &[CommandEntry] = &[
    CommandEntry { name: "ci", help: ci::CI_HELP, run: ci::ci },
    CommandEntry { name: "bless", help: ci::BLESS_HELP, run: ci::bless },
    CommandEntry { name: "diff", help: diff::HELP, run: diff::command },
    CommandEntry { name: "fuzz", help: fuzz::HELP, run: fuzz::command },
    CommandEntry { name: "bench", help: bench::HELP, run: bench::command },
    CommandEntry { name: "tidy", help: tidy::HELP, run: tidy::command },
];

fn main() -> ExitCode {
    let mut args = Args::new(std::env::args().skip(1));
    let name = args.command().unwrap_or_default();
    let wants_help = ["", "help", "--help", "-h"].contains(&name.as_str());
    if wants_help || args.flag("--help") {
        println!("cargo xtask COMMAND\n");
        for command in COMMANDS.iter().filter(|command| wants_help || command.name == name) {
            println!("{}\n", command.help);
        }
        return ExitCode::SUCCESS;
    }
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        let names = COMMANDS.iter().map(|command| command.name).collect::<Vec<_>>();
        eprintln!("xtask: there is no command `{name}`; there are {}", names.join(", "));
        return ExitCode::FAILURE;
    };
    match (command.run)(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            // An empty message: the command has said it itself.
            if !message.is_empty() {
                eprintln!("xtask {name}: {message}");
            }
            ExitCode::FAILURE
        }
    }
}
