//! `replab matrix`: settings against faults, every combination a run of its own.

mod progress;

use std::path::{Path, PathBuf};

use tokio::sync::{mpsc, watch};

use super::args::Place;
use super::console::Console;
use super::format::{self, Format};
use super::run::{forward_signals, look, of_code};
use super::{Exit, Failure, failures, plan};
use crate::config::{self, DEFAULT_MATRIX, MatrixFlags, MatrixPlan, Overrides, TopologyKind};
use crate::measure::threshold::Limit;
use crate::report::matrix as report;
use crate::run::Watcher;
use crate::run::matrix::{Campaign, ResumeError, find};
use crate::topology::memory::Bug;
use progress::Screen;

/// Below the flags.
pub(super) const HELP: &str = "\
A matrix is described by one file: values of synchronous_commit, values of standbys, faults with a name and a schedule, and
any section of replab.toml for what its cells have in common. `replab matrix --print` prints the one that is built in.
replab.toml itself is not read, but for where the runs are kept.

Every run keeps its directory below the matrix's own, where `replab report` and `replab check` find it. matrix.json is
written after each of them: what was cut goes on with --resume.

Examples:
  replab matrix
  replab matrix --only 'fault=kill primary' --only synchronous_commit=off --repeat 10
  replab matrix --print > matrix.toml; replab matrix matrix.toml
  replab matrix --resume latest
  replab matrix --resume latest --format md";

/// Measure settings against faults: what was lost, for how long it was unavailable
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What to measure [default: the built-in matrix]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Go on with a matrix that was cut; of one that is complete, print the report
    #[arg(long, value_name = "DIR")]
    resume: Option<String>,
    /// Print the built-in matrix, a file to start from, and stop
    #[arg(long, conflicts_with_all = ["file", "resume"])]
    print: bool,
    /// How often each cell is measured
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    repeat: Option<i64>,
    /// Only these cells: 'fault=kill primary', synchronous_commit=off, 'standbys=ANY 1'; can be repeated
    #[arg(long, value_name = "AXIS=VALUE")]
    only: Vec<String>,
    /// Decides the operations of the first repetition; each later one has the next seed [default: random, and printed]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    seed: Option<i64>,
    /// How long each load is
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    duration: Option<String>,
    /// Clients of each workload
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    clients: Option<i64>,
    /// The folder of PostgreSQL's programs [default: the newest that is found]
    #[arg(long, value_name = "DIR")]
    pg_bin: Option<PathBuf>,
    /// The format of the result [default: text]
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
    /// Plant a bug in in-memory clusters, to see a claim violated
    #[arg(long, value_name = "BUG")]
    plant: Option<Bug>,
}

impl Args {
    fn flags(&self) -> MatrixFlags {
        let settings = Overrides {
            seed: self.seed,
            duration: self.duration.clone(),
            clients: self.clients,
            pg_bin: self.pg_bin.clone(),
            ..Overrides::default()
        };
        MatrixFlags { repeat: self.repeat, only: self.only.clone(), settings }
    }
}

/// Runs the command.
pub(super) async fn run(args: Args, place: &Place, console: &Console) -> Result<Exit, Failure> {
    let format = format::chosen(args.format, [Format::Text, Format::Json], console)?;
    if args.print {
        console.refuse_json("replab matrix --print")?;
        console.result(DEFAULT_MATRIX);
        return Ok(Exit::Valid);
    }
    let runs = plan::runs(place)?;
    let mut campaign = match &args.resume {
        None => {
            let plan = load(args.file.as_deref(), &args.flags(), plan::variables())?;
            plantable(&plan, args.plant)?;
            Campaign::begin(plan, &runs, args.plant).map_err(|error| failures::directory(&runs, error))?
        }
        Some(name) => {
            let folder = find(&runs, name).map_err(resume)?;
            let stored = folder.join("matrix.toml");
            let plan = match &args.file {
                Some(file) => load(Some(file), &args.flags(), plan::variables())?,
                // What it was begun with holds whatever the environment says today.
                None => load(Some(&stored), &args.flags(), std::iter::empty())?,
            };
            plantable(&plan, args.plant)?;
            Campaign::resume(folder, plan, args.plant).map_err(resume)?
        }
    };
    let failure = measure(&mut campaign, console).await.err();
    let matrix = campaign.matrix();
    match failure {
        // The document on stdout is the error.
        Some(failure) if console.is_json() => return Err(failure),
        _ => console.result(&match format {
            Format::Text => report::terminal(matrix, look(console)),
            Format::Json => report::json(matrix),
            Format::Html => report::html(matrix),
            Format::Markdown => report::markdown(matrix),
        }),
    }
    failure.map_or(Ok(of_code(matrix.exit_code)), Err)
}

fn load(
    file: Option<&Path>,
    flags: &MatrixFlags,
    variables: impl Iterator<Item = (String, String)>,
) -> Result<MatrixPlan, Failure> {
    let plan = config::matrix(file, flags, variables).map_err(|error| {
        let failure = plan::failure(error);
        match failure.exit {
            Exit::Config => failure.help("`replab matrix --print` prints a file to start from, and `replab config init` every other key"),
            _ => failure,
        }
    })?;
    for threshold in plan.cells.iter().flat_map(|cell| &cell.plan.checks.thresholds) {
        threshold.parse::<Limit>().map_err(|error| Failure::new(Exit::Config, error))?;
    }
    Ok(plan)
}

fn plantable(plan: &MatrixPlan, bug: Option<Bug>) -> Result<(), Failure> {
    let in_memory = plan.cells.iter().all(|cell| cell.plan.topology.kind == TopologyKind::Memory);
    if bug.is_some() && !in_memory {
        let error = anyhow::anyhow!("a bug can be planted in in-memory clusters only");
        return Err(Failure::new(Exit::Usage, error).help("set `kind = \"memory\"` in the file's [topology]"));
    }
    Ok(())
}

/// Every run that is missing, until one is interrupted, or the machine fails.
async fn measure(campaign: &mut Campaign, console: &Console) -> Result<(), Failure> {
    let matrix = campaign.matrix();
    console.note(&format!("seed {}, {}, {}", matrix.seed, matrix.cluster, matrix.workloads));
    console.note(&format!(
        "{} cells, {} runs, of which {} are there",
        matrix.cells.len(),
        matrix.planned(),
        matrix.done()
    ));
    console.note(&format!("matrix directory: {}", campaign.folder().display()));
    let (interrupted, interrupt) = watch::channel(false);
    let asked = tokio::spawn(forward_signals(interrupted));
    let mut screen = Screen::new(console.is_quiet());
    let result = loop {
        // A signal between two runs counts as well.
        let Some(next) = campaign.next().filter(|_| !*interrupt.borrow()) else { break Ok(()) };
        screen.begin(campaign.matrix(), next);
        let (progress, steps) = mpsc::unbounded_channel();
        let shown = tokio::spawn(progress::watch(screen, steps));
        let ran = campaign.perform(next, Watcher { progress, interrupt: interrupt.clone() }).await;
        screen = shown.await.unwrap_or_else(|_| Screen::new(true));
        match ran {
            Ok(true) => screen.end_run(campaign.matrix(), next),
            Ok(false) => break Ok(()),
            Err(error) => {
                let help =
                    format!("what is there stays: replab matrix --resume {}", campaign.folder().display());
                break Err(Failure::new(Exit::Environment, error).help(help));
            }
        }
    };
    asked.abort();
    screen.end();
    if *interrupt.borrow() && campaign.next().is_some() {
        campaign.interrupt().map_err(|error| failures::directory(campaign.folder(), error))?;
        console.note(&format!("to go on: replab matrix --resume {}", campaign.folder().display()));
    }
    result
}

/// A matrix that cannot go on.
fn resume(error: ResumeError) -> Failure {
    let exit = match &error {
        ResumeError::None(_) | ResumeError::Differs { .. } | ResumeError::Running { .. } => Exit::Usage,
        ResumeError::Io { .. } | ResumeError::Json { .. } | ResumeError::Format { .. } => Exit::Environment,
    };
    let help = match &error {
        ResumeError::None(_) => "name the directory that `replab matrix` printed, or latest",
        ResumeError::Differs { .. } => {
            "leave out FILE and flags to go on with what was begun, or leave out --resume"
        }
        ResumeError::Running { .. } => "end it with Ctrl-C first, or wait for it",
        _ => "its runs are whole all the same: replab report DIR/cells/CELL/RUN",
    };
    Failure::new(exit, error).help(help)
}
