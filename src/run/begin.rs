//! A new run: its directory, and what its manifest can say before the cluster is up.

use std::io;

use chrono::Local;

use super::directory::RunDir;
use super::machine;
use super::manifest::{FORMAT, Manifest};
use super::set_up;
use crate::config::{AuroraPlan, Plan, SynchronousCommit, TopologyKind, UrlsPlan, WorkloadPlan};
use crate::report::RunFacts;
use crate::topology::Identity;
use crate::topology::aurora::{Auth, Tls};
use crate::topology::memory::Bug;

/// What lets a run break a cluster of somebody else's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Leave {
    /// Whatever repeats the run finds it again: the plan, or what the cluster says of itself.
    #[default]
    Standing,
    /// `--allow-faults`, given for this run only.
    Flag,
}

/// Makes the directory of a run of `plan`, on a cluster with `bug` planted, with `plan.toml` and the manifest in it;
/// `leave` is what allows its faults.
pub fn begin(plan: &Plan, bug: Option<Bug>, leave: Leave) -> io::Result<(RunDir, Manifest)> {
    let now = Local::now();
    let dir = RunDir::create(&plan.runs, &now.format("%Y%m%d-%H%M%S").to_string())?;
    let toml = plan.to_toml();
    dir.write("plan.toml", &toml)?;
    let run = RunFacts {
        id: dir.id(),
        directory: dir.path().display().to_string(),
        started: now.format("%Y-%m-%dT%H:%M:%S%:z").to_string(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        topology: topology(plan, bug, &dir),
        workloads: workloads(plan),
        faults: plan.faults.to_string(),
        duration_seconds: plan.load.duration.as_secs_f64(),
        operations: plan.load.operations,
        seed: plan.load.seed,
        reproduce: reproduce(plan, &dir, bug, leave),
        machine: machine::lines(),
        plan: toml,
    };
    let manifest = Manifest {
        format: FORMAT,
        run,
        workloads: plan.workloads.iter().map(|workload| workload.name().to_owned()).collect(),
        isolation: plan.workloads.iter().find_map(WorkloadPlan::isolation),
        nodes: Vec::new(),
        events: Vec::new(),
        unread: Vec::new(),
        claims: plan.claims(),
        thresholds: plan.checks.thresholds.clone(),
        kind: plan.topology.kind,
        planned_faults: plan.faults.steps().len(),
        cores: machine::cores(),
        writer: Identity::of_self(),
        ended: None,
    };
    manifest.write(&dir)?;
    Ok((dir, manifest))
}

/// A bug is no setting, so that no file plants one unseen; the plan alone would repeat another run.
///
/// The plan holds no password either, and leave to break somebody else's cluster is given anew each time.
fn reproduce(plan: &Plan, dir: &RunDir, bug: Option<Bug>, leave: Leave) -> String {
    let plant = bug.map(|bug| format!(" --plant {bug}")).unwrap_or_default();
    let urls = plan.topology.urls.as_ref();
    let allow = match plan.topology.kind {
        _ if plan.faults.is_empty() => "",
        TopologyKind::Urls => " --allow-faults",
        TopologyKind::Aurora if leave == Leave::Flag => " --yes --allow-faults",
        TopologyKind::Aurora => " --yes",
        TopologyKind::Local | TopologyKind::Compose | TopologyKind::Memory => "",
    };
    let by_password = plan.topology.aurora.as_ref().is_some_and(|plan| plan.access.auth == Auth::Password);
    let secret = if by_password || urls.is_some_and(UrlsPlan::has_password) {
        "  # set PGPASSWORD first: the plan holds no password"
    } else {
        ""
    };
    format!("replab run --config {}{plant}{allow}{secret}", dir.file("plan.toml").display())
}

/// `orders (8 clients), counter (8 clients)`.
pub(super) fn workloads(plan: &Plan) -> String {
    let described =
        plan.workloads.iter().map(|one| format!("{} ({})", one.name(), count(one.clients(), "client")));
    described.collect::<Vec<_>>().join(", ")
}

/// `local, 1 primary + 1 replica`, `synchronous_commit` where it is not PostgreSQL's default, and the planted bug.
fn topology(plan: &Plan, bug: Option<Bug>, dir: &RunDir) -> String {
    let level = match plan.topology.synchronous_commit {
        SynchronousCommit::On => String::new(),
        level => format!(", synchronous_commit = {level}"),
    };
    let planted = bug.map(|bug| format!(", planted: {bug}")).unwrap_or_default();
    let schema = match plan.topology.kind {
        TopologyKind::Urls | TopologyKind::Aurora => format!(", schema {}", set_up::schema(dir)),
        _ => String::new(),
    };
    // Nothing waits for such a disk, so that figures of other runs do not compare.
    let disks = if plan.faults.needs_small_disks() { ", each on a small disk in memory" } else { "" };
    format!("{}{disks}{level}{schema}{planted}", nodes(plan))
}

/// `local, 1 primary + 1 replica`, and the planted bug.
pub(super) fn cluster(plan: &Plan, bug: Option<Bug>) -> String {
    let planted = bug.map(|bug| format!(", planted: {bug}")).unwrap_or_default();
    format!("{}{planted}", nodes(plan))
}

fn nodes(plan: &Plan) -> String {
    let kind = match plan.topology.kind {
        TopologyKind::Local => "local",
        TopologyKind::Compose => "compose",
        TopologyKind::Memory => "in memory",
        TopologyKind::Urls => "urls",
        TopologyKind::Aurora => "aurora",
    };
    let replicas = count(u32::try_from(plan.topology.replicas).unwrap_or(u32::MAX), "replica");
    let cluster = plan.topology.aurora.as_ref().map(aurora).unwrap_or_default();
    format!("{kind}{cluster}, 1 primary + {replicas}")
}

/// ` part-4`, and what of its servers is not verified.
fn aurora(plan: &AuroraPlan) -> String {
    let unverified = match plan.access.tls {
        Tls::VerifyFull => "",
        Tls::VerifyCa => " (servers' names not verified)",
        Tls::Disable => " (without TLS)",
    };
    let mode = plan.access.consistency.map(|mode| format!(" (consistency mode {mode})")).unwrap_or_default();
    format!(" {}{unverified}{mode}", plan.access.cluster)
}

fn count(number: u32, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

#[cfg(feature = "aurora")]
#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{Overrides, load};

    #[test]
    fn a_run_is_repeated_with_the_leave_that_it_had() {
        let folder = tempfile::tempdir().unwrap();
        let text = |text: &str| Some(text.to_owned());
        let reproduced = |schedule: Option<String>, leave| {
            let (cluster, runs) = (text("part-4"), Some(folder.path().to_owned()));
            let flags = Overrides { cluster, runs, schedule, auth: text("iam"), ..Overrides::default() };
            let plan = load(&flags, Some(Path::new("/dev/null")), []).unwrap().plan;
            let (_, manifest) = begin(&plan, None, leave).unwrap();
            manifest.run.reproduce.rsplit_once("plan.toml").unwrap().1.to_owned()
        };
        let fault = || text("restart(writer)@1s");
        assert_eq!(reproduced(None, Leave::Standing), "");
        assert_eq!(reproduced(fault(), Leave::Standing), " --yes");
        assert_eq!(reproduced(fault(), Leave::Flag), " --yes --allow-faults");
    }
}
