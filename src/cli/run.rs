//! `replab run`: the whole experiment, from nothing to a verdict.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};

use super::args::RunArgs;
use super::console::Console;
use super::survey::{self, Surveyed};
use super::watch::watch;
use super::{Exit, Failure, failures};
use crate::config::{Plan, TopologyKind};
use crate::measure::threshold::Limit;
use crate::report::{Look, Report};
use crate::run::{self, Leave, RunDir, Watcher};
use crate::topology::memory::Bug;

/// Runs what `args` and the configuration say.
pub(super) async fn run(args: RunArgs, console: &Console) -> Result<Exit, Failure> {
    let loaded = super::plan::settings(&args.overrides(), &args.place)?;
    // Before anybody's cluster is asked anything.
    for threshold in &loaded.plan.checks.thresholds {
        let help =
            "such as 'lag.p99<500ms'; 'unavailable.max<5s' is about the time without service after a fault";
        threshold.parse::<Limit>().map_err(|error| Failure::new(Exit::Usage, error).help(help))?;
    }
    if args.plant.is_some() && loaded.plan.topology.kind != TopologyKind::Memory {
        let error = anyhow::anyhow!("a bug can be planted in the in-memory cluster only");
        return Err(Failure::new(Exit::Usage, error).help("add `--topology memory`"));
    }
    let surveyed = survey::survey(&args, &loaded, console).await?;
    let plan = surveyed.as_ref().map_or(loaded.plan, |surveyed| surveyed.plan.clone());
    if args.dry_run {
        rehearse(&plan, surveyed.as_ref(), console);
        return Ok(Exit::Valid);
    }
    if args.example {
        return super::example::example(&plan, console).await;
    }
    let leave = match &surveyed {
        Some(surveyed) => survey::consent(&args, surveyed)?,
        None => Leave::default(),
    };
    let report = report(&plan, args.plant, leave, console).await?;
    show(&report, console);
    Ok(exit(&report))
}

/// The plan as a configuration file; below it, as comments, what would be done to a cluster of AWS's.
fn rehearse(plan: &Plan, surveyed: Option<&Surveyed>, console: &Console) {
    let aurora = plan.topology.aurora.as_ref();
    let calls = surveyed.zip(aurora).map(|(surveyed, aurora)| survey::rehearsal(surveyed, aurora));
    if console.is_json() {
        let mut document = serde_json::json!({ "plan": plan.to_toml() });
        if let Some(calls) = calls {
            document["calls"] = calls.into();
        }
        return console.json(&document);
    }
    let mut text = plan.to_toml();
    for (place, line) in calls.unwrap_or_default().iter().enumerate() {
        let title = if place == 0 { "\n# What a run would do, in this order:\n" } else { "" };
        text += &format!("{title}# {line}\n");
    }
    console.result(&text);
}

/// One run, judged and published.
pub(super) async fn report(
    plan: &Plan,
    bug: Option<Bug>,
    leave: Leave,
    console: &Console,
) -> Result<Report, Failure> {
    let (dir, manifest) =
        run::begin(plan, bug, leave).map_err(|error| failures::directory(&plan.runs, error))?;
    console.note(&format!("seed {}, {}, {}", plan.load.seed, manifest.run.topology, manifest.run.workloads));
    let faults = if plan.faults.is_empty() { "none".to_owned() } else { plan.faults.to_string() };
    console.note(&format!("faults: {faults}"));
    console.note(&format!("run directory: {}", dir.path().display()));

    let (progress, steps) = mpsc::unbounded_channel();
    // Not before: what never came to a load has nothing to report.
    let (latest, stderr) = (dir.clone(), *console);
    let loaded = move || {
        if let Err(error) = latest.link_latest() {
            stderr.note(&format!("latest does not lead to this run: {error}"));
        }
    };
    let shown = tokio::spawn(watch(steps, console.is_quiet(), loaded));
    let (interrupted, interrupt) = watch::channel(false);
    let asked = tokio::spawn(forward_signals(interrupted));
    let ended = run::execute(plan, bug, &dir, manifest, Watcher { progress, interrupt }).await;
    asked.abort();
    drop(shown.await);
    // Where nothing is known besides the error, there is nothing to keep; where that fails, it does no harm.
    if ended.is_err() && dir.is_bare() {
        drop(dir.clone().remove());
    }
    // One that was interrupted before its load is the latest only where there is no other.
    if ended.is_ok() {
        drop(RunDir::mend_latest(&plan.runs));
    }
    match ended {
        Ok(_) => publish(&dir),
        Err(error) => {
            let failure = failures::run(error, &dir);
            // What was seen before the lab failed is still evidence, and its report says that it was cut. With `--json`
            // it is in the run's directory only: the document on stdout is the error.
            if run::Manifest::read(&dir).is_ok_and(|manifest| !manifest.nodes.is_empty())
                && let Ok(report) = publish(&dir)
                && !console.is_json()
            {
                show(&report, console);
            }
            Err(failure)
        }
    }
}

/// Ctrl-C, and what service managers and CI send instead.
///
/// From the call on, not only once the task runs: nobody who is told that something has begun is too early.
pub(super) fn forward_signals(interrupted: watch::Sender<bool>) -> impl Future<Output = ()> + Send {
    let signals = signal(SignalKind::interrupt()).and_then(|one| Ok((one, signal(SignalKind::terminate())?)));
    async move {
        let Ok((mut interrupt, mut terminate)) = signals else { return };
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            interrupted.send_replace(true);
        }
    }
}

/// Judges what was stored, and writes the reports.
fn publish(dir: &RunDir) -> Result<Report, Failure> {
    let report = run::judge(dir, &[]).map_err(failures::judge)?;
    run::publish(dir, &report).map_err(|error| failures::directory(dir.path(), error))?;
    Ok(report)
}

/// The report on stdout, as the console wants it.
pub(super) fn show(report: &Report, console: &Console) {
    if console.is_json() {
        console.result(&crate::report::json(report));
    } else {
        console.result(&crate::report::terminal(report, look(console)));
    }
}

/// How reports look on this console.
pub(super) fn look(console: &Console) -> Look {
    Look { color: console.color(), width: console.width() }
}

/// The exit code that the report carries.
pub(super) fn exit(report: &Report) -> Exit {
    of_code(report.exit_code)
}

/// The exit of that code; what is none of a report's is a failure of the lab.
pub(super) fn of_code(code: u8) -> Exit {
    match code {
        0 => Exit::Valid,
        1 => Exit::Invalid,
        3 => Exit::Unknown,
        4 => Exit::Threshold,
        11 => Exit::Environment,
        130 => Exit::Interrupted,
        _ => Exit::Lab,
    }
}
