//! The command line: as-typed arguments in, an exit code out. The only place that prints.

mod anomalies;
mod args;
mod aurora;
mod bench;
mod check;
mod cluster;
mod clusters;
mod config;
mod console;
mod doctor;
mod down;
mod example;
mod exit;
mod failures;
mod fault;
mod format;
mod gc;
mod guard;
mod help;
mod here;
mod logs;
mod matrix;
mod plan;
mod present;
mod psql;
mod report;
mod run;
mod runs;
mod setting;
mod shrink;
mod soak;
mod status;
mod survey;
mod tables;
mod up;
mod watch;

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use args::{Cli, Command};
use console::Console;
pub use exit::{Exit, Failure};

/// Reads the arguments, does what they say, and tells how it went.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    let console = Console::new(&cli.global);
    let result = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            Failure::new(Exit::Environment, anyhow::Error::new(error).context("start the runtime"))
        })
        .and_then(|runtime| runtime.block_on(dispatch(cli, &console)));
    match result {
        Ok(exit) => exit.into(),
        Err(failure) => {
            console.failure(&failure);
            failure.exit.into()
        }
    }
}

/// One arm a command, and nothing else.
async fn dispatch(cli: Cli, console: &Console) -> Result<Exit, Failure> {
    let Cli { global, command } = cli;
    match command {
        None if console.is_json() => {
            console.json(&serde_json::json!({ "help": help::EXAMPLES }));
            Ok(Exit::Valid)
        }
        None => {
            console.result(help::EXAMPLES);
            Ok(Exit::Valid)
        }
        Some(Command::Run(mut args)) => {
            args.place = global.place;
            run::run(*args, console).await
        }
        Some(Command::Soak(args)) => soak::run(args, &global.place, console).await,
        Some(Command::Matrix(args)) => matrix::run(*args, &global.place, console).await,
        Some(Command::Anomalies(args)) => anomalies::run(*args, &global.place, console).await,
        Some(Command::Check(args)) => check::check(&args, &plan::runs(&global.place)?, console),
        Some(Command::Shrink(args)) => shrink::shrink(&args, &plan::runs(&global.place)?, console),
        Some(Command::Report(args)) => report::report(&args, &plan::runs(&global.place)?, console),
        Some(Command::Runs { command }) => runs::runs(&command, &plan::runs(&global.place)?, console),
        Some(Command::Up(args)) => up::run(args, &global.place, console).await,
        Some(Command::Status(args)) => status::run(args, console).await,
        Some(Command::Fault { command }) => fault::run(command, console).await,
        Some(Command::Psql(args)) => psql::run(args, console).await,
        Some(Command::Logs(args)) => logs::run(args, console).await,
        Some(Command::Down(args)) => down::run(args, console).await,
        Some(Command::Gc(args)) => gc::run(args, console).await,
        Some(Command::Aurora { command }) => aurora::run(command, console).await,
        Some(Command::Guard(args)) => guard::run(args).await,
        Some(Command::Tables(args)) => tables::tables(&args, console).await,
        Some(Command::Bench { command }) => bench::bench(command, &global.place, console).await,
        Some(Command::Config { command }) => config::config(&command, &global.place, console),
        Some(Command::Doctor(args)) => doctor::doctor(&args, &global.place, console).await,
    }
}

/// Arguments that cannot be read, or a request for help, which clap treats as one.
fn refuse(error: &clap::Error) -> ExitCode {
    let wants_json = std::env::args_os().skip(1).take_while(|arg| arg != "--").any(|arg| arg == "--json");
    let is_answer = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    if wants_json && is_answer {
        let answer = match error.kind() {
            ErrorKind::DisplayVersion => serde_json::json!({ "version": env!("CARGO_PKG_VERSION") }),
            _ => serde_json::json!({ "help": error.to_string() }),
        };
        Console::plain_json().json(&answer);
        return Exit::Valid.into();
    }
    drop(error.print());
    if wants_json && !is_answer {
        // Without a subcommand, what clap has to say is the whole help.
        let message = match error.kind() {
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => "a subcommand is missing".to_owned(),
            _ => error.to_string().trim().trim_start_matches("error: ").to_owned(),
        };
        let failure = Failure::new(Exit::Usage, anyhow::anyhow!(message));
        Console::plain_json().json(&console::FailureDocument::from(&failure));
    }
    if is_answer { Exit::Valid.into() } else { Exit::Usage.into() }
}
