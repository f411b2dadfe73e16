//! What the benches have in common: flags, and how one is made and shown.

use std::time::Duration;

use tokio::sync::{mpsc, watch};

use crate::cli::args::Place;
use crate::cli::cluster::ClusterArgs;
use crate::cli::console::Console;
use crate::cli::format::{self, Format};
use crate::cli::run::{forward_signals, look, of_code};
use crate::cli::{Exit, Failure, failures, plan, survey, watch as screen};
use crate::config::{Overrides, Plan, TopologyKind};
use crate::history::Nanos;
use crate::report::bench as report;
use crate::run::Watcher;
use crate::run::laps::{Amount, Design, Series};
use crate::workload::bench::Policy;
use crate::workload::counter::Mistake;

/// With faults a lap lasts as long, unless it is said.
const DURATION: &str = "6s";

/// What every bench takes.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct RaceArgs {
    /// How long each lap lasts; without it, it lasts until every client has done its tasks
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, help_heading = "Load")]
    duration: Option<String>,
    /// How often everything is measured; from 6 on, methods can be told apart
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000), help_heading = "Load")]
    repeat: Option<u32>,
    /// How often a task is tried again when somebody else was faster [default: until it is done]
    #[arg(long, value_name = "N", help_heading = "Load")]
    max_retries: Option<u32>,
    /// Longest pause before the first retry, doubled for each further one [default: 0s]
    #[arg(long, value_name = "TIME", value_parser = time, help_heading = "Load")]
    backoff: Option<Nanos>,
    /// Decides whatever is random [default: random, and printed]
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = "Load")]
    seed: Option<i64>,
    /// What to break in every lap, such as 'crash(primary)@2s', or a profile; each lap has a cluster of its own
    #[arg(long, value_name = "SCHEDULE", help_heading = "Faults")]
    fault: Option<String>,
    /// Make a mistake with every method, to see its verdict catch it
    #[arg(long, value_name = "MISTAKE", help_heading = "Load")]
    plant: Option<Mistake>,
    /// The format of the result [default: text]
    #[arg(long, value_name = "FORMAT", help_heading = "Output")]
    format: Option<Format>,
    #[command(flatten)]
    cluster: ClusterArgs,
}

fn time(text: &str) -> Result<Nanos, String> {
    crate::fault::duration(text).map_err(|error| error.to_string())
}

impl RaceArgs {
    /// The plan of the cluster, for at most `clients` clients.
    pub(super) fn plan(&self, clients: u32, place: &Place) -> Result<Plan, Failure> {
        let with_faults = self.fault.is_some();
        let overrides = Overrides {
            workloads: vec!["counter".to_owned()],
            clients: Some(i64::from(clients)),
            duration: self.duration.clone().or_else(|| with_faults.then(|| DURATION.to_owned())),
            seed: self.seed,
            schedule: Some(self.fault.clone().unwrap_or_else(|| "none".to_owned())),
            runs: place.runs.clone(),
            ..self.cluster.overrides()
        };
        let plan = plan::settings(&overrides, place)?.plan;
        survey::refuse(&plan, "replab bench")?;
        if plan.topology.kind == TopologyKind::Memory {
            let error = anyhow::anyhow!("the methods are SQL, and a cluster in memory has none");
            return Err(Failure::new(Exit::Usage, error).help("leave out `--topology memory`"));
        }
        Ok(plan)
    }

    /// How much a client does in a lap: `each` tasks, unless a time was given, or faults need one.
    pub(super) fn amount(&self, each: u32, plan: &Plan) -> Amount {
        if self.duration.is_some() || self.fault.is_some() {
            Amount::For(plan.load.duration)
        } else {
            Amount::Each(each)
        }
    }

    pub(super) fn repeat(&self) -> Option<u32> {
        self.repeat
    }

    pub(super) fn has_duration(&self) -> bool {
        self.duration.is_some() || self.fault.is_some()
    }

    pub(super) fn mistake(&self) -> Option<Mistake> {
        self.plant
    }

    /// `most` where the user has not said how often.
    pub(super) fn policy(&self, most: Option<u32>) -> Policy {
        let backoff = self.backoff.map_or(Duration::ZERO, Duration::from);
        Policy { max_retries: self.max_retries.or(most), backoff }
    }

    /// The flags that repeat what `plan.toml` does not hold.
    pub(super) fn flags(&self, plan: &Plan) -> String {
        let mut flags = String::new();
        if self.has_duration() {
            flags += &format!(" --duration {}", crate::fault::format_duration(plan.load.duration));
        }
        if let Some(repeat) = self.repeat {
            flags += &format!(" --repeat {repeat}");
        }
        if let Some(most) = self.max_retries {
            flags += &format!(" --max-retries {most}");
        }
        if let Some(backoff) = self.backoff {
            flags += &format!(" --backoff {}", crate::fault::format_duration(backoff));
        }
        if !plan.faults.is_empty() {
            flags += &format!(" --fault '{}'", plan.faults);
            // Leave to break somebody else's servers is given anew each time.
            flags += if plan.topology.urls.is_some() { " --allow-faults" } else { "" };
        }
        if let Some(plant) = self.plant.and_then(|plant| clap::ValueEnum::to_possible_value(&plant)) {
            flags += &format!(" --plant {}", plant.get_name());
        }
        flags
    }

    /// Makes the bench that `design` describes, and shows it.
    pub(super) async fn run(&self, design: Design, console: &Console) -> Result<Exit, Failure> {
        let format = format::chosen(self.format, [Format::Text, Format::Json], console)?;
        let runs = design.plan.runs.clone();
        let mut series = Series::begin(design).map_err(|error| failures::directory(&runs, error))?;
        let bench = series.bench();
        console.note(&format!("seed {}, {}", bench.seed, bench.cluster));
        console.note(&format!("faults: {}", bench.faults.as_deref().unwrap_or("none")));
        console.note(&format!("bench directory: {}", series.dir().path().display()));
        let (progress, steps) = mpsc::unbounded_channel();
        let shown = tokio::spawn(screen::watch(steps, console.is_quiet(), || {}));
        let (interrupted, interrupt) = watch::channel(false);
        let asked = tokio::spawn(forward_signals(interrupted));
        let done = series.perform(Watcher { progress, interrupt }).await;
        asked.abort();
        drop(shown.await);
        let bench = series.bench();
        let has_laps = bench.groups.iter().flat_map(|group| &group.rows).any(|row| !row.laps.is_empty());
        let failure = done.err().map(|error| failures::run(error, series.dir()));
        if failure.is_some() && !has_laps && series.dir().is_bare() {
            drop(series.dir().clone().remove());
        }
        match failure {
            // The document on stdout is the error.
            Some(failure) if console.is_json() || !has_laps => return Err(failure),
            _ => console.result(&match format {
                Format::Text => report::terminal(bench, look(console)),
                Format::Json => report::json(bench),
                Format::Html => report::html(bench),
                Format::Markdown => report::markdown(bench),
            }),
        }
        failure.map_or(Ok(of_code(bench.exit_code)), Err)
    }
}
