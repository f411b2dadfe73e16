//! `replab check`: judges a stored run again, without a cluster, or anybody's history of transactions.

use std::path::Path;

use clap::{ArgAction, ValueEnum};

use super::console::Console;
use super::here::here;
use super::run::of_code;
use super::{Exit, Failure, failures, format, run};
use crate::check::Guarantee;
use crate::check::cycle::{self, MODELS, Model, Order};
use crate::import::{self, Import, Imported, Orders};
use crate::report::objects;
use crate::report::transactions as report;
use crate::report::transactions::Source;
use crate::run::{RunDir, imported, judge};
use crate::suggest::hint;

/// `replab check`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// A run's id, the beginning of one, its directory, or latest; or a file with anybody's history of transactions, - for stdin
    #[arg(value_name = "RUN|FILE", default_value = "latest")]
    run: String,
    /// Of a run: a guarantee that must hold besides those the run claimed; can be repeated
    #[arg(long, value_name = "GUARANTEE", action = ArgAction::Append)]
    require: Vec<Guarantee>,
    /// Of a file: the consistency model to judge it by [default: the strongest that the history can tell of]
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// Of a file: its format, edn, json, dbcop or plume [default: as its content shows]
    #[arg(long, value_name = "FORMAT")]
    input: Option<import::Format>,
    /// Of a file: how to print what was found [default: text]
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
}

/// The formats of what a history shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a terminal.
    Text,
    /// One JSON document; names of anomalies and models are Elle's.
    Json,
}

/// Judges and shows; nothing is written.
pub(super) fn check(args: &Args, runs: &Path, console: &Console) -> Result<Exit, Failure> {
    let path = Path::new(&args.run);
    if path.is_file() || path == Path::new(STDIN) {
        return history(path, args, console);
    }
    if args.model.is_some() || args.input.is_some() || args.format.is_some() {
        let error =
            anyhow::anyhow!("--model, --input and --format are for a file, and `{}` is none", args.run);
        return Err(
            Failure::new(Exit::Usage, error).help("a run is judged by what it claimed, see --require")
        );
    }
    let dir = RunDir::find(runs, &args.run).map_err(failures::find)?;
    let report = judge(&dir, &args.require).map_err(failures::judge)?;
    let report = here(report, &dir);
    run::show(&report, console);
    Ok(run::exit(&report))
}

fn history(path: &Path, args: &Args, console: &Console) -> Result<Exit, Failure> {
    if !args.require.is_empty() {
        let error = anyhow::anyhow!("--require is for a run, and {} is a file", path.display());
        return Err(
            Failure::new(Exit::Usage, error).help("name a consistency model: --model snapshot-isolation")
        );
    }
    let format = format::chosen(args.format, [Format::Text, Format::Json], console)?;
    let is_linear = args.model.as_deref() == Some(LINEARIZABLE);
    let model = args.model.as_deref().filter(|_| !is_linear).map(model).transpose()?;
    let (read, order) = read(path, args.input)?;
    let file = name(path);
    let judged = match read.history {
        Imported::Transactions(_) if is_linear && order < Order::RealTime => {
            let error = anyhow::anyhow!("{file} tells of no real time, and linearizability rests on it");
            return Err(Failure::new(Exit::Unknown, error));
        }
        Imported::Transactions(txns) if is_linear => imported::keys(&txns, &file),
        Imported::Transactions(txns) => {
            let source = Source { file, format: read.format.to_string(), order };
            let found = imported::transactions(&txns, &source, model);
            console.result(&match format {
                Format::Json => report::json(&found),
                Format::Text => report::terminal(&found, run::look(console)),
            });
            return Ok(of_code(found.exit_code));
        }
        Imported::Bank(_) => {
            let error = anyhow::anyhow!("{file} is a bank's history, which is not judged yet");
            let help = "transactions on lists and registers are; so are registers, counters and sets";
            return Err(Failure::new(Exit::Unknown, error).help(help));
        }
        _ if model.is_some() => {
            let error = anyhow::anyhow!("{file} holds single objects, and that model is about transactions");
            return Err(
                Failure::new(Exit::Usage, error).help("--model linearizable, which is the default for it")
            );
        }
        Imported::Set(operations) => imported::set(&operations, &file),
        Imported::Counter(operations) => imported::counter(&operations, &file),
        Imported::CasRegister(operations) => imported::registers(&operations, &file),
    };
    let found = judged.map_err(|error| Failure::new(Exit::Environment, error))?;
    console.result(&match format {
        Format::Json => objects::json(&found),
        Format::Text => objects::terminal(&found, run::look(console)),
    });
    Ok(of_code(found.exit_code))
}

/// Stands for a history that comes from stdin.
const STDIN: &str = "-";

/// What a file is called, or stdin.
pub(super) fn name(path: &Path) -> String {
    if path == Path::new(STDIN) { "stdin".to_owned() } else { path.display().to_string() }
}

/// The history in a file or from stdin, and the strongest order that it tells of.
pub(super) fn read(path: &Path, format: Option<import::Format>) -> Result<(Import, Order), Failure> {
    let read = if path == Path::new(STDIN) {
        import::read_from(&name(path), std::io::stdin().lock(), format)
    } else {
        import::read(path, format)
    };
    let read = read.map_err(|error| Failure::new(Exit::Environment, error))?;
    let order = match read.orders {
        Orders::RealTime => Order::RealTime,
        Orders::Sessions => Order::Session,
    };
    Ok((read, order))
}

/// The model of single objects.
const LINEARIZABLE: &str = "linearizable";

fn model(name: &str) -> Result<&'static Model, Failure> {
    let names = || MODELS.iter().map(|model| model.name).chain([LINEARIZABLE]);
    cycle::find(name).ok_or_else(|| {
        let near = hint(name, names());
        let names: Vec<&str> = names().collect();
        let error = anyhow::anyhow!("`{name}` is not a consistency model{near}");
        Failure::new(Exit::Usage, error).help(format!("known are {}", names.join(", ")))
    })
}
