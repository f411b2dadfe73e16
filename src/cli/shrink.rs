//! `replab shrink`: the few transactions of a history that show an anomaly, and how to play them.

use std::fs;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::console::Console;
use super::run::look;
use super::{Exit, Failure, check, failures, format};
use crate::check::cycle::{ALIASES, Anomaly};
use crate::history::txn::Txns;
use crate::import::{self, Imported};
use crate::isolation::Isolation;
use crate::report::shrink as report;
use crate::report::shrink::Shrunk;
use crate::report::transactions::Source;
use crate::run::RunDir;
use crate::run::shrunk::{Unshown, shrunk};
use crate::suggest::hint;

/// Below the flags.
pub(super) const HELP: &str = "\
Names of anomalies are those that `replab check FILE` prints, or what people call them: write-skew, long-fork, read-skew, \
lost-update, dirty-read, stale-read. Every part that is tried is judged anew, and a part that seems to show what the whole \
does not is not taken.

Examples:
  replab shrink history.edn                                 the gravest anomaly
  replab shrink history.edn write-skew --format psql        for two people at two terminals
  replab shrink history.edn G2-item --format isolationtester > skew.spec
  replab shrink history.edn G2-item --format edn | replab check -
  replab shrink latest long-fork                            of what a run saw

Exit codes: 0 the part is shown; 2 the command line, also an anomaly that the history does not show; 3 the history cannot be \
judged; 11 it cannot be read.";

/// `replab shrink`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// A file with anybody's history of transactions, - for stdin, or a run: its id, the beginning of one, or latest
    #[arg(value_name = "FILE|RUN")]
    file: PathBuf,
    /// What the part has to show [default: the gravest that is found]
    #[arg(value_name = "ANOMALY")]
    anomaly: Option<String>,
    /// How to print the part [default: text]
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
    /// The format of the file, edn, json, replab, dbcop or plume [default: as its content shows]
    #[arg(long, value_name = "FORMAT")]
    input: Option<import::Format>,
    /// The level of the statements [default: the strongest at which one server gives what was read]
    #[arg(long, value_name = "LEVEL")]
    isolation: Option<Isolation>,
    /// Write to a file instead of stdout
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// The formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a terminal.
    Text,
    /// One JSON document, as schemas/shrink.schema.json describes it.
    Json,
    /// Statements for people at several terminals.
    Psql,
    /// A specification for PostgreSQL's own isolationtester.
    Isolationtester,
    /// The part as a history, as Jepsen writes it.
    Edn,
    /// The same in JSON.
    JsonHistory,
}

/// Shrinks and prints.
pub(super) fn shrink(args: &Args, runs: &Path, console: &Console) -> Result<Exit, Failure> {
    let format = format::chosen(args.format, [Format::Text, Format::Json], console)?;
    let anomaly = args.anomaly.as_deref().map(named).transpose()?;
    let path = located(&args.file, runs)?;
    let (read, order) = check::read(&path, args.input)?;
    let file = check::name(&path);
    let Imported::Transactions(txns) = read.history else {
        let error = anyhow::anyhow!("{file} holds single objects, and this is about transactions");
        let help = "replab check shows the few calls that have no order";
        return Err(Failure::new(Exit::Usage, error).help(help));
    };
    let source =
        Source { file: file.clone(), format: read.format.to_string(), order, is_cut: !read.complete };
    let (found, part) = shrunk(&txns, &source, anomaly, args.isolation).map_err(|why| unshown(&file, why))?;
    let printed = printed(format, &found, &part, console)?;
    match &args.output {
        Some(path) => write(path, &printed)?,
        None => console.result(&printed),
    }
    Ok(Exit::Valid)
}

/// The file, or that of the run's one workload of transactions.
fn located(file: &Path, runs: &Path) -> Result<PathBuf, Failure> {
    if file.is_file() || check::is_stdin(file) {
        return Ok(file.to_owned());
    }
    let dir = RunDir::find(runs, &file.to_string_lossy()).map_err(failures::find)?;
    let files = ["append", "register", "longfork"].map(|workload| dir.history(workload));
    let files: Vec<PathBuf> = files.into_iter().filter(|file| file.is_file()).collect();
    match files.as_slice() {
        [file] => Ok(file.clone()),
        [] => {
            let error = anyhow::anyhow!("run {} has no transactions on lists or registers", dir.id());
            Err(Failure::new(Exit::Usage, error).help("replab run append has some"))
        }
        _ => {
            let error = anyhow::anyhow!("run {} has several workloads of transactions", dir.id());
            let files: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
            Err(Failure::new(Exit::Usage, error).help(format!("name one: {}", files.join(" or "))))
        }
    }
}

fn named(name: &str) -> Result<Anomaly, Failure> {
    Anomaly::named(name).ok_or_else(|| {
        let names: Vec<String> = Anomaly::all().into_iter().map(Anomaly::name).collect();
        let aliases = ALIASES.iter().map(|(alias, _)| *alias);
        let near = hint(name, names.iter().map(String::as_str).chain(aliases));
        let error = anyhow::anyhow!("`{name}` is not an anomaly{near}");
        Failure::new(Exit::Usage, error).help(format!("known are {}", names.join(", ")))
    })
}

fn unshown(file: &str, why: Unshown) -> Failure {
    let (exit, help) = match &why {
        Unshown::Unjudged(_) => (Exit::Unknown, "replab check says what of it can be judged"),
        Unshown::Nothing => (Exit::Usage, "replab check says what it was judged by"),
        Unshown::Others(..) => (Exit::Usage, "name one of these, or none for the gravest"),
    };
    Failure::new(exit, anyhow::Error::new(why).context(format!("{file} cannot be shrunk"))).help(help)
}

fn printed(format: Format, found: &Shrunk, part: &Txns, console: &Console) -> Result<String, Failure> {
    let history = |written: std::io::Result<()>, bytes: Vec<u8>| {
        let why = |error| {
            let error = anyhow::Error::new(error).context("write the part as a history");
            Failure::new(Exit::Usage, error).help("text, json and psql have it all the same")
        };
        written.map_err(why)?;
        String::from_utf8(bytes).map_err(|error| Failure::new(Exit::Lab, error))
    };
    let mut bytes = Vec::new();
    Ok(match format {
        Format::Text => report::terminal(found, look(console)),
        Format::Json => report::json(found),
        Format::Psql => report::psql(found),
        Format::Isolationtester => report::isolationtester(found).map_err(|why| {
            Failure::new(Exit::Usage, why).help("--format psql names the node of each session")
        })?,
        Format::Edn => history(import::edn(part, &mut bytes), bytes)?,
        Format::JsonHistory => history(import::json(part, &mut bytes), bytes)?,
    })
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(|error| {
        let error = anyhow::Error::new(error).context(format!("write `{}`", path.display()));
        Failure::new(Exit::Environment, error)
    })
}
