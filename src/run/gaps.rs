//! What a run did not look at.

use super::finale::late;
use super::manifest::Manifest;
use crate::check::{Guarantee, Judgement, Verdict};
use crate::config::{TopologyKind, WorkloadPlan};
use crate::history::{Action, Call, FaultOp, History, NodeName, Occasion, Outcome, Tenures};
use crate::isolation::Isolation;

/// What a reader might take for granted and must not.
pub(super) fn not_checked(
    manifest: &Manifest,
    faults: &History<FaultOp>,
    judgements: &[Judgement],
) -> Vec<String> {
    let storage = match manifest.kind {
        TopologyKind::Aurora => {
            "The volume: its copies are Amazon's, and none of them, no zone and no region was made to fail."
        }
        _ => {
            "Power loss and operating-system crashes: killing processes leaves the page cache, so this run cannot show what \
             `fsync = off` or a lying disk would lose."
        }
    };
    let mut gaps = vec![storage.to_owned()];
    gaps.push(isolation(manifest));
    if manifest.workloads.iter().any(|ran| ran == "bank") {
        let gap = "Whether each transfer of the bank is there, and once: a read is judged by its total, which a transfer that \
                   is missing or doubled as a whole does not change.";
        gaps.push(gap.to_owned());
    }
    let done = |is: fn(Action) -> bool| {
        let did = |call: &Call<'_, FaultOp>| matches!(call.op, FaultOp::Act { action, .. } if is(*action));
        faults.calls().filter(did).any(|call| matches!(call.outcome, Outcome::Ok { .. }))
    };
    gaps.extend(no_long_fork(manifest, judgements, done(|action| action == Action::Freeze)));
    let lost = "so nothing is said about commits that a promotion would lose.";
    if done(|action| action == Action::Switchover) && !done(|action| action == Action::Promote) {
        gaps.push(format!("Failover: the primary was only replaced in good order, {lost}"));
    } else if !done(Action::moves_primary) {
        gaps.push(format!("Failover: no replica was promoted, {lost}"));
    }
    let network = match (done(|action| action.side().is_some()), manifest.kind) {
        (false, TopologyKind::Urls | TopologyKind::Aurora) => {
            "Network faults: no link was cut or slowed down by the lab."
        }
        (false, _) => {
            "Network faults: no link was slow or lossy, and none was cut; every node was on this machine."
        }
        (true, TopologyKind::Compose) => {
            "Network faults beyond those injected: nodes were taken off their networks as a whole; while they were on, no \
             packet was late or lost."
        }
        (true, _) => {
            "Network faults beyond those injected: they were done to streams of bytes, so no packet was lost, doubled or \
             overtaken, and what was held back arrived at once."
        }
    };
    gaps.push(network.to_owned());
    let planned = || {
        let is =
            |call: &Call<'_, FaultOp>| matches!(call.op, FaultOp::Act { occasion: Occasion::Planned, .. });
        faults.calls().filter(is)
    };
    let begun = planned().count();
    let left_alone = planned().filter(|call| matches!(call.outcome, Outcome::Fail(_))).count();
    let injected = begun - left_alone;
    let first = manifest.node_names().first().copied();
    let primaries = Tenures::of(faults, first.unwrap_or_else(NodeName::primary));
    let died = |call: Call<'_, FaultOp>| {
        let FaultOp::Act { action, .. } = call.op else { return false };
        let of_primary = primaries.may_hold(call.node, call.start, call.start);
        of_primary && action.is_abrupt() && matches!(call.outcome, Outcome::Ok { .. })
    };
    if injected == 0 {
        gaps.push("Restarts: no fault was injected in this run.".to_owned());
    } else if !faults.calls().any(died) {
        let what = if done(|action| action == Action::FillDisk) {
            "Recovery of the primary: nothing but a full disk made it crash, if that did"
        } else {
            "Recovery of the primary: it was not made to crash"
        };
        gaps.push(format!("{what}, so nothing is said about commits that a crash would lose."));
    }
    if left_alone > 0 {
        let planned = manifest.planned_faults;
        gaps.push(format!(
            "Faults: {left_alone} of {planned} did not happen, as the nodes' state did not allow them; the table of \
             faults says which, and why."
        ));
    }
    if (1..manifest.planned_faults).contains(&begun) {
        let planned = manifest.planned_faults;
        gaps.push(format!(
            "Restarts: the load ended before {} of {planned} faults were due.",
            planned - begun
        ));
    }
    gaps.extend(manifest.unread.iter().map(|node| {
        format!(
            "{}: it tells no position of a log, so that what is late there looks like what is lost.",
            late(*node)
        )
    }));
    if manifest.node_names().len() > 1 && !manifest.workloads.iter().any(|ran| ran == "counter") {
        let gap = "Freshness: whether a node shows a client what it was told is committed (read-your-writes) is judged by the \
                   workload counter only, which did not run.";
        gaps.push(gap.to_owned());
    }
    let ran = |name: &&&str| manifest.workloads.iter().any(|one| one == *name);
    let missing: Vec<&str> = WorkloadPlan::NAMES.iter().filter(|name| !ran(name)).copied().collect();
    if !missing.is_empty() {
        gaps.push(format!("Workloads that did not run: {}.", missing.join(", ")));
    }
    let unknown = judgements.iter().filter(|judgement| judgement.verdict == Verdict::Unknown);
    gaps.extend(unknown.map(|judgement| {
        let node = judgement.node.map(|node| format!(" on {node}")).unwrap_or_default();
        format!("{}{node} ({}): {}", judgement.guarantee, judgement.workload, judgement.summary)
    }));
    gaps
}

/// What was missing for a long fork, where the recipe ran and there was none.
fn no_long_fork(manifest: &Manifest, judgements: &[Judgement], froze: bool) -> Option<String> {
    let of_it = |one: &&Judgement| one.workload == "longfork" && one.guarantee == Guarantee::SnapshotOrder;
    judgements.iter().find(of_it).filter(|one| one.violations == 0)?;
    let missing = match manifest.kind {
        TopologyKind::Memory => {
            "no commit waits for a replica in memory. On real servers (--topology local) the recipe makes one"
        }
        _ if froze => {
            "a replica was kept from receiving, and no commit that waited for it showed on another one first; see \
             --sync-standbys and --synchronous-commit"
        }
        _ => {
            "none was made to happen, as no replica was kept from receiving (freeze) while commits waited for it. \
             Without that one takes luck"
        }
    };
    Some(format!("Long forks: {missing}."))
}

/// What is not known of isolation: without a graph of dependencies next to nothing, with one whatever rests on conditions.
fn isolation(manifest: &Manifest) -> String {
    let graph = ["append", "register", "longfork"]
        .iter()
        .any(|name| manifest.workloads.iter().any(|ran| ran == name));
    match manifest.isolation.filter(|_| graph) {
        Some(level) => format!(
            "Isolation at other levels than {level}, and reads by a condition (predicates): only keys are compared, so \
             phantoms do not show."
        ),
        None => format!(
            "Isolation anomalies beyond the ones listed: transactions ran at {}, and no dependency graph was built (replab \
             run append does).",
            manifest.isolation.unwrap_or(Isolation::ReadCommitted)
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{Overrides, load};
    use crate::history::Header;
    use crate::run::begin::{Leave, begin};

    #[test]
    fn who_was_late_and_why_that_is_not_judged() {
        let folder = tempfile::tempdir().unwrap();
        let (topology, runs) = (Some("memory".to_owned()), Some(folder.path().to_owned()));
        let flags = Overrides { topology, runs, ..Overrides::default() };
        let plan = load(&flags, Some(Path::new("/dev/null")), []).unwrap().plan;
        let (_, mut manifest) = begin(&plan, None, Leave::default()).unwrap();
        let header = Header { workload: "nemesis".to_owned(), concurrency: 1 };
        let faults = History::new(header, Vec::new()).unwrap();
        let late = |manifest: &Manifest| {
            let gaps = not_checked(manifest, &faults, &[]);
            gaps.into_iter().filter(|gap| gap.contains("was not read")).collect::<Vec<_>>()
        };
        assert!(late(&manifest).is_empty());
        manifest.unread = vec![NodeName::replica(2)];
        insta::assert_snapshot!(late(&manifest).join("\n"), @"replica-2 did not show within 60 s what was committed before the last reads, and was not read: it tells no position of a log, so that what is late there looks like what is lost.");
    }
}
