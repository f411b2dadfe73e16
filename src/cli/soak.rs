//! `replab soak`: many faults, one after the other, and nothing that grows.

use anyhow::anyhow;

use super::args::Place;
use super::console::Console;
use super::{Exit, Failure, plan, run, survey};
use crate::config::Overrides;
use crate::fault::{Profile, format_duration};
use crate::measure::leaks;
use crate::report::Report;
use crate::run::Leave;

/// The flags.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Faults, each with what ends it
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    cycles: u32,
    /// gentle, restarts, failovers, partitions or chaos
    #[arg(long, value_name = "PROFILE", default_value_t = Profile::Chaos)]
    profile: Profile,
    /// Streaming replicas, 1 to 16
    #[arg(long, value_name = "N", default_value_t = 2)]
    replicas: i64,
    /// Of every workload
    #[arg(long, value_name = "N", default_value_t = 2)]
    clients: i64,
    /// Decides the faults and the operations of each client [default: a random one, which is printed]
    #[arg(long, value_name = "N")]
    seed: Option<i64>,
    /// off, local, remote_write, on or remote_apply [default: on]
    #[arg(long, value_name = "MODE")]
    synchronous_commit: Option<String>,
    /// Which replicas a commit waits for, such as 'ANY 1'
    #[arg(long, value_name = "STANDBYS")]
    sync_standbys: Option<String>,
}

/// Runs the command.
pub(super) async fn run(args: Args, place: &Place, console: &Console) -> Result<Exit, Failure> {
    let flags = Overrides {
        replicas: Some(args.replicas),
        clients: Some(args.clients),
        seed: args.seed,
        synchronous_commit: args.synchronous_commit,
        synchronous_standbys: args.sync_standbys,
        schedule: Some("none".to_owned()),
        runs: place.runs.clone(),
        ..Overrides::default()
    };
    // Once for the seed, and again with the schedule that it stands for.
    let drawn = plan::settings(&flags, place)?.plan;
    survey::refuse(&drawn, "replab soak")?;
    let (schedule, duration) =
        args.profile.cycles(drawn.load.seed, args.cycles as usize, &drawn.topology.nodes(), |action| {
            drawn.topology.can(action)
        });
    if schedule.is_empty() {
        let error = anyhow!("nothing of the profile {} can be done to this cluster", args.profile);
        return Err(Failure::new(Exit::Usage, error).help("`replab soak --help` shows the profiles"));
    }
    let flags = Overrides {
        seed: i64::try_from(drawn.load.seed).ok(),
        schedule: Some(schedule.to_string()),
        duration: Some(format_duration(duration)),
        ..flags
    };
    let plan = plan::settings(&flags, place)?.plan;
    console.note(&format!(
        "{} faults of the profile {}, in {}",
        args.cycles,
        args.profile,
        format_duration(duration)
    ));
    let report = run::report(&plan, None, Leave::default(), console).await?;
    let leaks = leaks(&report.figures.lab, report.nodes.len());
    if console.is_json() {
        console.json(&serde_json::json!({ "report": report, "cycles": args.cycles, "leaks": leaks }));
    } else {
        console.result(&summary(&report, &leaks));
    }
    match run::exit(&report) {
        Exit::Valid if !leaks.is_empty() => Ok(Exit::Lab),
        exit => Ok(exit),
    }
}

/// What a soak is about, in a few lines; everything else is in the run's report.
fn summary(report: &Report, leaks: &[String]) -> String {
    let recoveries = &report.figures.recoveries;
    let number =
        |is: &dyn Fn(&crate::measure::Recovery) -> bool| recoveries.iter().filter(|one| is(one)).count();
    let lab = &report.figures.lab;
    let megabytes = |bytes: u64| format!("{:.1} MB", bytes as f64 / 1e6);
    let mut lines = vec![
        format!("{} (exit {})", crate::report::headline(report), report.exit_code),
        format!(
            "{} faults and cures took hold, {} were not possible when their time came, {} did not take hold",
            number(&|one| one.applied.is_some()),
            number(&|one| one.applied.is_none() && one.detail.starts_with("did not happen")),
            number(&|one| one.applied.is_none() && !one.detail.starts_with("did not happen")),
        ),
        format!(
            "memory {} early, {} late; open files {}, {}; the nodes' logs {}, {}",
            megabytes(lab.rss.early),
            megabytes(lab.rss.late),
            lab.open_files.early,
            lab.open_files.late,
            megabytes(lab.log_bytes.early),
            megabytes(lab.log_bytes.late)
        ),
    ];
    match leaks {
        [] => lines.push("nothing leaked".to_owned()),
        leaks => lines.extend(leaks.iter().map(|leak| format!("leaked: {leak}"))),
    }
    lines.push(format!("report: {}/report.html", report.run.directory));
    lines.join("\n") + "\n"
}
