//! `replab check`: judges a stored run again, without a cluster, or anybody's history of transactions.

use std::path::Path;

use clap::{ArgAction, ValueEnum};

use super::console::Console;
use super::here::here;
use super::run::of_code;
use super::{Exit, Failure, failures, format, run};
use crate::check::Guarantee;
use crate::check::bank::Rules;
use crate::check::cycle::{self, MODELS, Model, Order};
use crate::import::{self, Import, Imported, Orders};
use crate::report::transactions as report;
use crate::report::transactions::Source;
use crate::report::{bank, objects};
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
    /// Of a file: its format, edn, json, dbcop, plume or replab [default: as its content shows]
    #[arg(long, value_name = "FORMAT")]
    input: Option<import::Format>,
    /// Of a bank's history: what all accounts hold together [default: what most reads say]
    #[arg(long, value_name = "AMOUNT", allow_negative_numbers = true)]
    total: Option<i64>,
    /// Of a bank's history: balances may be less than zero
    #[arg(long)]
    negative_balances: bool,
    /// Of a file: how to print what was found [default: text]
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
    /// Of a file: the anomaly that svg and dot draw, by its name [default: svg the gravest, dot all]
    #[arg(long, value_name = "NAME")]
    anomaly: Option<String>,
}

/// The formats of what a history shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a terminal.
    Text,
    /// One JSON document; names of anomalies and models are Elle's.
    Json,
    /// One self-contained page.
    Html,
    /// Counter-examples in the language of Graphviz.
    Dot,
    /// One counter-example as a picture.
    Svg,
}

/// Judges and shows; nothing is written.
pub(super) fn check(args: &Args, runs: &Path, console: &Console) -> Result<Exit, Failure> {
    let path = Path::new(&args.run);
    if path.is_file() || is_stdin(path) {
        return history(path, args, console);
    }
    let is_for_file = args.model.is_some()
        || args.input.is_some()
        || args.format.is_some()
        || args.anomaly.is_some()
        || args.total.is_some()
        || args.negative_balances;
    if is_for_file {
        let flags = "--model, --input, --format, --anomaly, --total and --negative-balances";
        let error = anyhow::anyhow!("{flags} are for a file, and `{}` is none", args.run);
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
    if args.anomaly.is_some() && !matches!(format, Format::Svg | Format::Dot) {
        let error =
            anyhow::anyhow!("--anomaly is for --format svg and --format dot: the others show every anomaly");
        return Err(Failure::new(Exit::Usage, error).help("leave out --anomaly"));
    }
    let is_linear = args.model.as_deref() == Some(LINEARIZABLE);
    let model = args.model.as_deref().filter(|_| !is_linear).map(model).transpose()?;
    let (read, order) = read(path, args.input)?;
    let file = name(path);
    if (args.total.is_some() || args.negative_balances) && !matches!(read.history, Imported::Bank(_)) {
        let error = anyhow::anyhow!("--total and --negative-balances are for a bank, and {file} is none");
        return Err(Failure::new(Exit::Usage, error));
    }
    let judged = match read.history {
        Imported::Transactions(_) if is_linear && order < Order::RealTime => {
            let error = anyhow::anyhow!("{file} tells of no real time, and linearizability rests on it");
            return Err(Failure::new(Exit::Unknown, error));
        }
        Imported::Transactions(txns) if is_linear => imported::keys(&txns, &file),
        Imported::Transactions(txns) => {
            let is_cut = !read.complete;
            let source = Source { file, format: read.format.to_string(), order, is_cut };
            let found = imported::transactions(&txns, &source, model);
            let anomaly = args.anomaly.as_deref();
            let text = match format {
                Format::Json => Some(report::json(&found)),
                Format::Text => Some(report::terminal(&found, run::look(console))),
                Format::Html => Some(report::html(&found)),
                Format::Dot => report::dot(&found, anomaly),
                Format::Svg => report::svg(&found, anomaly),
            };
            console.result(&text.ok_or_else(|| no_such(anomaly.unwrap_or_default(), &found.anomaly_types))?);
            return Ok(of_code(found.exit_code));
        }
        Imported::Bank(_) if args.model.is_some() => {
            let error = anyhow::anyhow!("{file} is a bank's history, of which only the total is judged");
            return Err(Failure::new(Exit::Usage, error).help("leave out --model"));
        }
        Imported::Bank(operations) => {
            let rules = Rules { total: args.total, accounts: None, may_be_negative: args.negative_balances };
            let found = imported::bank(&operations, &file, &rules);
            console.result(&match format {
                Format::Json => bank::json(&found),
                Format::Text => bank::terminal(&found, run::look(console)),
                Format::Html | Format::Svg | Format::Dot => {
                    let error =
                        anyhow::anyhow!("a bank's reads have no picture, and {file} is a bank's history");
                    return Err(Failure::new(Exit::Usage, error).help("--format text or json"));
                }
            });
            return Ok(of_code(found.exit_code));
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
    if args.anomaly.is_some() {
        let error = anyhow::anyhow!("--anomaly is for transactions, and {file} is judged object by object");
        return Err(Failure::new(Exit::Usage, error).help("--format svg draws the calls that show it"));
    }
    let found = judged.map_err(|error| Failure::new(Exit::Environment, error))?;
    let found = if read.complete { found } else { found.of_cut() };
    console.result(&match format {
        Format::Json => objects::json(&found),
        Format::Text => objects::terminal(&found, run::look(console)),
        Format::Html => objects::html(&found),
        Format::Svg => objects::svg(&found),
        Format::Dot => {
            let error = anyhow::anyhow!(
                "--format dot draws what depends on what, and calls of one object have only times"
            );
            return Err(Failure::new(Exit::Usage, error).help("--format svg draws them as lanes"));
        }
    });
    Ok(of_code(found.exit_code))
}

/// No counter-example of that name, in a history that has others.
fn no_such(name: &str, found: &[String]) -> Failure {
    let near = hint(name, found.iter().map(String::as_str));
    let error = anyhow::anyhow!("this history has no counter-example of an anomaly `{name}`{near}");
    let help = match found {
        [] => "it has no anomaly at all: leave out --anomaly".to_owned(),
        found => format!("it has {}", found.join(", ")),
    };
    Failure::new(Exit::Usage, error).help(help)
}

/// Stands for a history that comes from stdin.
const STDIN: &str = "-";

/// Whether it is stdin, and no file.
pub(super) fn is_stdin(path: &Path) -> bool {
    path == Path::new(STDIN)
}

/// What a file is called, or stdin.
pub(super) fn name(path: &Path) -> String {
    if is_stdin(path) { "stdin".to_owned() } else { path.display().to_string() }
}

/// The history in a file or from stdin, and the strongest order that it tells of.
pub(super) fn read(path: &Path, format: Option<import::Format>) -> Result<(Import, Order), Failure> {
    let read = if is_stdin(path) {
        import::read_from(&name(path), std::io::stdin(), format)
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
