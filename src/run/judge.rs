//! From a run directory to a report: the same code judges a run that has just ended and one that was stored.

use std::io;
use std::path::Path;

use super::directory::RunDir;
use super::manifest::{Ended, Manifest, ManifestError};
use super::samples;
use crate::check::{self, Evidence, Guarantee, Judgement, Verdict, overall};
use crate::config::TopologyKind;
use crate::history::file::{self, ReadError, Stored};
use crate::history::{
    Action, Call, CounterOp, FaultOp, Header, History, LabSample, LagSample, NodeName, Occasion, Operation,
    OrdersOp, Outcome, Tenures,
};
use crate::measure::threshold::{Limit, Met, evaluate};
use crate::measure::{self, Figures};
use crate::report::{Report, Threshold};
use crate::topology::Category;

/// The version of `results.json`.
const REPORT_FORMAT: u32 = 1;

/// Why a stored run cannot be judged.
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    /// No manifest, or not one of ours.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A history that is not one.
    #[error(transparent)]
    History(#[from] ReadError),
    /// Samples that cannot be read.
    #[error("read {path}")]
    Samples {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A threshold in the manifest that is not one.
    #[error("threshold `{0}` of the stored run")]
    Threshold(String),
}

/// Judges the run in `dir`; what is in `require` is claimed as well.
pub fn judge(dir: &RunDir, require: &[Guarantee]) -> Result<Report, JudgeError> {
    let manifest = Manifest::read(dir)?;
    let mut claims = manifest.claims.clone();
    claims.everywhere.extend(require);
    let has = |workload: &str| manifest.workloads.iter().any(|name| name == workload);
    let cut = manifest.cut();
    let orders: Option<Stored<OrdersOp>> =
        has("orders").then(|| read_history(dir, "orders", cut.is_some())).transpose()?;
    let counter: Option<Stored<CounterOp>> =
        has("counter").then(|| read_history(dir, "counter", cut.is_some())).transpose()?;
    // After the others: while a run goes on, whatever they saw the effect of is in it.
    let faults: Stored<FaultOp> = read_history(dir, "nemesis", cut.is_some())?;
    let lag: Vec<LagSample> = read_samples(dir, "lag.jsonl", cut.is_some())?;
    let lab: Vec<LabSample> = read_samples(dir, "lab.jsonl", cut.is_some())?;

    let short = [
        (!faults.complete).then_some("nemesis"),
        orders.as_ref().filter(|stored| !stored.complete).map(|_| "orders"),
        counter.as_ref().filter(|stored| !stored.complete).map(|_| "counter"),
    ];
    let short = short.into_iter().flatten().next();
    let cut = cut.or_else(|| short.map(|name| format!("the history `{name}` was cut")));
    let (orders, counter) = (orders.map(|stored| stored.history), counter.map(|stored| stored.history));
    let stage =
        Stage { faults: &faults.history, lag: &lag, nodes: &manifest.node_names(), cut: cut.as_deref() };
    let mut judgements = Vec::new();
    if let Some(history) = &orders {
        judgements.extend(check::orders(&stage.evidence(history), &claims));
    }
    if let Some(history) = &counter {
        judgements.extend(check::counter(&stage.evidence(history), &claims));
    }
    judgements.extend(check::unjudged(&judgements, &claims));
    let primary = manifest.node_names().first().copied().unwrap_or_else(NodeName::primary);
    let figures = measure::figures(
        orders.as_ref(),
        counter.as_ref(),
        &faults.history,
        &lag,
        &lab,
        manifest.cores,
        primary,
    );
    let thresholds = thresholds(&manifest.thresholds, &figures)?;
    let verdict = verdict(&judgements, cut.as_deref());
    let exit_code = exit_code(verdict, &thresholds, manifest.ended.as_ref());
    Ok(Report {
        format: REPORT_FORMAT,
        verdict,
        exit_code,
        not_checked: not_checked(&manifest, &faults.history, &judgements),
        cut,
        run: manifest.run,
        nodes: manifest.nodes,
        claims,
        judgements,
        thresholds,
        figures,
    })
}

/// What every workload's evidence has in common.
struct Stage<'a> {
    faults: &'a History<FaultOp>,
    lag: &'a [LagSample],
    nodes: &'a [NodeName],
    cut: Option<&'a str>,
}

impl<'a> Stage<'a> {
    fn evidence<O: Operation>(&self, history: &'a History<O>) -> Evidence<'a, O> {
        Evidence { history, faults: self.faults, lag: self.lag, nodes: self.nodes, cut: self.cut }
    }
}

/// A run that ended before its load has no histories yet: they are empty, and were cut.
fn read_history<O: Operation>(dir: &RunDir, workload: &str, cut: bool) -> Result<Stored<O>, ReadError> {
    let path = dir.history(workload);
    if cut && is_missing(&path) {
        let header = Header { workload: workload.to_owned(), concurrency: 1 };
        let history = History::new(header, Vec::new());
        let history =
            history.map_err(|source| ReadError::Malformed { path: path.display().to_string(), source })?;
        return Ok(Stored { history, complete: false });
    }
    file::read(&path)
}

fn read_samples<S: serde::de::DeserializeOwned>(
    dir: &RunDir,
    name: &str,
    cut: bool,
) -> Result<Vec<S>, JudgeError> {
    let path = dir.file(name);
    if cut && is_missing(&path) {
        return Ok(Vec::new());
    }
    samples::read(&path).map_err(|source| JudgeError::Samples { path: path.display().to_string(), source })
}

/// Whether nothing was ever written there.
fn is_missing(path: &Path) -> bool {
    match std::fs::metadata(path) {
        Ok(data) => data.len() == 0,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

fn thresholds(texts: &[String], figures: &Figures) -> Result<Vec<Threshold>, JudgeError> {
    let judged = |text: &String| {
        let limit = text.parse::<Limit>().map_err(|_| JudgeError::Threshold(text.clone()))?;
        let result = evaluate(&limit, figures);
        let verdict = match result.met {
            Met::Yes => Verdict::Pass,
            Met::No => Verdict::Fail,
            Met::Unknown => Verdict::Unknown,
        };
        Ok(Threshold { text: text.clone(), measured: result.measured, verdict, reason: result.reason })
    };
    texts.iter().map(judged).collect()
}

/// A run that did not come to its end is unknown at best.
fn verdict(judgements: &[Judgement], cut: Option<&str>) -> Verdict {
    overall(judgements).max(if cut.is_some() { Verdict::Unknown } else { Verdict::Pass })
}

/// 11 and 12 > 1 > 130 > 3 > 4 > 0, as the README's table says: a violation that was seen before Ctrl-C was seen.
fn exit_code(verdict: Verdict, thresholds: &[Threshold], ended: Option<&Ended>) -> u8 {
    let worst = thresholds.iter().map(|threshold| threshold.verdict).max().unwrap_or(Verdict::Pass);
    match (ended, verdict, worst) {
        (Some(Ended::Failed { category: Category::Lab, .. }), _, _) => 12,
        (Some(Ended::Failed { category: Category::Environment, .. }), _, _) => 11,
        (_, Verdict::Fail, _) => 1,
        (Some(Ended::Interrupted), _, _) => 130,
        (_, Verdict::Unknown, _) | (_, _, Verdict::Unknown) => 3,
        (_, _, Verdict::Fail) => 4,
        (_, Verdict::Pass, Verdict::Pass) => 0,
    }
}

/// What a reader might take for granted and must not.
fn not_checked(manifest: &Manifest, faults: &History<FaultOp>, judgements: &[Judgement]) -> Vec<String> {
    let mut gaps = vec![
        "Power loss and operating-system crashes: killing processes leaves the page cache, so this run cannot show what \
         `fsync = off` or a lying disk would lose."
            .to_owned(),
        "Isolation anomalies beyond the ones listed: transactions ran at read committed, and no dependency graph was \
         built."
            .to_owned(),
    ];
    let done = |is: fn(Action) -> bool| {
        let did = |call: &Call<'_, FaultOp>| matches!(call.op, FaultOp::Act { action, .. } if is(*action));
        faults.calls().filter(did).any(|call| matches!(call.outcome, Outcome::Ok { .. }))
    };
    let lost = "so nothing is said about commits that a promotion would lose.";
    if done(|action| action == Action::Switchover) && !done(|action| action == Action::Promote) {
        gaps.push(format!("Failover: the primary was only replaced in good order, {lost}"));
    } else if !done(Action::moves_primary) {
        gaps.push(format!("Failover: no replica was promoted, {lost}"));
    }
    let network = match (done(|action| action.side().is_some()), manifest.kind) {
        (false, TopologyKind::Urls) => "Network faults: no link was cut or slowed down by the lab.",
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
    for workload in ["orders", "counter"] {
        if !manifest.workloads.iter().any(|name| name == workload) {
            gaps.push(format!("The {workload} workload did not run."));
        }
    }
    let unknown = judgements.iter().filter(|judgement| judgement.verdict == Verdict::Unknown);
    gaps.extend(unknown.map(|judgement| {
        let node = judgement.node.map(|node| format!(" on {node}")).unwrap_or_default();
        format!("{}{node} ({}): {}", judgement.guarantee, judgement.workload, judgement.summary)
    }));
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_is_that_of_the_worst_that_is_known() {
        let missed = Threshold {
            text: "lag.p99<1s".to_owned(),
            measured: None,
            verdict: Verdict::Fail,
            reason: String::new(),
        };
        let missed = std::slice::from_ref(&missed);
        let failed = |category| Ended::Failed { why: "a node died".to_owned(), category };
        let (lab, machine) = (failed(Category::Lab), failed(Category::Environment));
        for (verdict, thresholds, ended, code) in [
            (Verdict::Pass, &[][..], Some(&Ended::Complete), 0),
            (Verdict::Pass, missed, Some(&Ended::Complete), 4),
            (Verdict::Unknown, missed, Some(&Ended::Complete), 3),
            (Verdict::Unknown, missed, None, 3),
            (Verdict::Unknown, missed, Some(&Ended::Interrupted), 130),
            (Verdict::Fail, missed, Some(&Ended::Interrupted), 1),
            (Verdict::Fail, missed, Some(&lab), 12),
            (Verdict::Fail, missed, Some(&machine), 11),
        ] {
            assert_eq!(exit_code(verdict, thresholds, ended), code, "{verdict:?} {ended:?}");
        }
    }
}
