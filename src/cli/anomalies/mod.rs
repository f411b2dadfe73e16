//! `replab anomalies`: scripted interleavings, played and compared with what is expected.

mod args;
mod cases;

use std::time::Duration;

use tokio::sync::watch;

use super::args::Place;
use super::cluster::ClusterArgs;
use super::console::Console;
use super::run::{forward_signals, look, of_code};
use super::{Exit, Failure, failures, plan, survey};
use crate::anomaly::{Case, Placement, isolationtester};
use crate::config::{Overrides, Plan, TopologyKind};
use crate::isolation::Isolation;
use crate::report::anomalies as report;
use crate::report::anomalies::Anomalies;
use crate::run::anomalies::{Campaign, PlayError, Rules, Stage, Wanted, cluster, topology};
pub(super) use args::{Args, HELP};
use args::{Command, Format, On, ShowArgs};

/// How long a step may go unanswered.
const DEADLINE: Duration = Duration::from_secs(30);

/// Runs the command.
pub(super) async fn run(args: Args, place: &Place, console: &Console) -> Result<Exit, Failure> {
    match &args.command {
        Some(Command::List) => cases::list(console),
        Some(Command::Show(show)) => show_one(show, place, console).await,
        None => all(&args, place, console).await,
    }
}

async fn all(args: &Args, place: &Place, console: &Console) -> Result<Exit, Failure> {
    let format = args.format(console)?;
    let cases = cases::named(&args.names)?;
    let levels = if args.isolation.is_empty() { Isolation::ALL.to_vec() } else { sorted(&args.isolation) };
    if format == Format::Isolationtester {
        return export(&cases, &args.isolation, console);
    }
    let plan = cluster_plan(&args.cluster, place)?;
    let wanted = Wanted {
        cases,
        levels,
        placements: args.on.placements(),
        repeat: args.repeat,
        cluster: cluster(&plan),
        reproduce: args.reproduce(),
    };
    let found = play(&plan, &wanted, args.cluster.allows_faults(), console).await?;
    console.result(&match format {
        Format::Json => report::json(&found),
        Format::Html => report::html(&found),
        Format::Markdown => report::markdown(&found),
        Format::Text | Format::Isolationtester => report::terminal(&found, look(console)),
    });
    Ok(of_code(found.exit_code))
}

async fn show_one(args: &ShowArgs, place: &Place, console: &Console) -> Result<Exit, Failure> {
    let case = cases::one(&args.name)?;
    let (case, on, levels) = cases::chosen(case, args)?;
    let plan = cluster_plan(&args.cluster, place)?;
    let wanted = Wanted {
        cases: vec![case],
        levels,
        placements: vec![on],
        repeat: 1,
        cluster: cluster(&plan),
        reproduce: args.reproduce(),
    };
    let found = play(&plan, &wanted, args.cluster.allows_faults(), console).await?;
    if console.is_json() {
        console.result(&report::json(&found));
    } else {
        console.result(&report::show(&found, look(console)));
    }
    Ok(of_code(found.exit_code))
}

/// What the lower layers break, and when, is for runs.
fn cluster_plan(cluster: &ClusterArgs, place: &Place) -> Result<Plan, Failure> {
    let overrides = Overrides { schedule: Some("none".to_owned()), ..cluster.overrides() };
    let plan = plan::settings(&overrides, place)?.plan;
    survey::refuse(&plan, "replab anomalies")?;
    Ok(plan)
}

/// A cluster for the cases, or the one that is there, and what was found on it. Whatever happens, it is as before after it.
async fn play(
    plan: &Plan,
    wanted: &Wanted,
    allow_faults: bool,
    console: &Console,
) -> Result<Anomalies, Failure> {
    if plan.topology.kind == TopologyKind::Memory {
        return Err(Failure::new(Exit::Usage, PlayError::Memory).help("leave out --topology memory"));
    }
    // Nobody else's, also where two of us look at the same servers from two machines.
    let schema = format!("replab_anomalies_{}_{}", std::process::id(), plan.load.seed);
    console.note(&format!("starting {}", cluster(plan)));
    let (interrupted, interrupt) = watch::channel(false);
    let asked = tokio::spawn(forward_signals(interrupted));
    let mut before = interrupt.clone();
    let topology = tokio::select! {
        topology = topology(plan, &schema) => topology.map_err(failures::topology)?,
        _ = before.wait_for(|interrupt| *interrupt) => {
            let error = anyhow::anyhow!("interrupted while the cluster was being started: nothing was played");
            return Err(Failure::new(Exit::Interrupted, error));
        }
    };
    let rules = Rules {
        schema,
        deadline: DEADLINE,
        may_change_settings: !plan.topology.is_foreign() || allow_faults,
        slip: None,
    };
    let played = async {
        let stage = Stage::open(&topology.sites(), rules).await?;
        let told = |case: &str, repetition: u32| {
            if wanted.repeat == 1 {
                console.note(case);
            } else if wanted.cases.first().is_some_and(|first| first.name == case) {
                console.note(&format!("repetition {repetition} of {}", wanted.repeat));
            }
        };
        let found = Box::pin(Campaign::new(wanted, &stage).play(&interrupt, told)).await;
        stage.close().await;
        Ok(found)
    };
    let played: Result<Anomalies, PlayError> = played.await;
    asked.abort();
    let down = topology.down().await.map_err(failures::topology);
    let found = played.map_err(|error| {
        Failure::new(Exit::Lab, error).help("replab doctor checks what a cluster needs here")
    })?;
    down?;
    Ok(found)
}

/// The specification of one case for PostgreSQL's isolationtester.
fn export(cases: &[Case], levels: &[Isolation], console: &Console) -> Result<Exit, Failure> {
    console.refuse_json("replab anomalies --format isolationtester")?;
    let ([case], [] | [_]) = (cases, levels) else {
        let error = anyhow::anyhow!("a specification is of one case at one level");
        return Err(Failure::new(Exit::Usage, error)
            .help("replab anomalies --format isolationtester --isolation serializable write-skew"));
    };
    let level = levels.first().copied().unwrap_or(Isolation::ReadCommitted);
    match isolationtester(case, level) {
        Ok(text) => {
            console.result(&text);
            Ok(Exit::Valid)
        }
        Err(error) => Err(Failure::new(Exit::Usage, error)
            .help(format!("`replab anomalies show {}` plays it here", case.name))),
    }
}

/// From the weakest to the strongest, each once.
fn sorted(levels: &[Isolation]) -> Vec<Isolation> {
    Isolation::ALL.into_iter().filter(|level| levels.contains(level)).collect()
}

impl On {
    fn placements(self) -> Vec<Placement> {
        match self {
            On::Primary => vec![Placement::Primary],
            On::Replica => vec![Placement::Replica],
            On::Both => vec![Placement::Primary, Placement::Replica],
        }
    }
}
