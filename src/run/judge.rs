//! From a run directory to a report: the same code judges a run that has just ended and one that was stored.

use std::io;
use std::path::Path;

use super::directory::RunDir;
use super::gaps::not_checked;
use super::kept::{Judged, Kept, Stage, read_history};
use super::manifest::{Ended, Manifest, ManifestError};
use super::samples;
use crate::check::{self, Guarantee, Judgement, Verdict, overall};
use crate::history::file::{ReadError, Stored};
use crate::history::{EndpointSample, FaultOp, LabSample, LagSample, NodeName};
use crate::isolation::Isolation;
use crate::measure::threshold::{Limit, Met, evaluate};
use crate::measure::{self, Figures, Recorded};
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
    /// A workload in the manifest that this program does not know.
    #[error("the stored run has a workload `{0}`, which this program does not know")]
    Workload(String),
    /// A threshold in the manifest that is not one.
    #[error("threshold `{0}` of the stored run")]
    Threshold(String),
}

/// Judges the run in `dir`; what is in `require` is claimed as well.
pub fn judge(dir: &RunDir, require: &[Guarantee]) -> Result<Report, JudgeError> {
    let manifest = Manifest::read(dir)?;
    let mut claims = manifest.claims.clone();
    claims.everywhere.extend(require);
    let cut = manifest.cut();
    let read = |name: &String| Kept::read(dir, name, cut.is_some());
    let kept: Vec<Kept> = manifest.workloads.iter().map(read).collect::<Result<_, _>>()?;
    // After the others: while a run goes on, whatever they saw the effect of is in it.
    let faults: Stored<FaultOp> = read_history(dir, "nemesis", cut.is_some())?;
    let lag: Vec<LagSample> = read_samples(dir, "lag.jsonl", cut.is_some())?;
    let lab: Vec<LabSample> = read_samples(dir, "lab.jsonl", cut.is_some())?;
    // Only where there are such endpoints.
    let endpoints: Vec<EndpointSample> = read_samples(dir, "endpoints.jsonl", true)?;

    let short = kept.iter().find(|one| !one.is_complete()).map(Kept::name);
    let short = (!faults.complete).then_some("nemesis").or(short);
    let cut = cut.or_else(|| short.map(|name| format!("the history `{name}` was cut")));
    let stage = Stage {
        faults: &faults.history,
        lag: &lag,
        nodes: &manifest.node_names(),
        foreign: manifest.kind.is_foreign(),
        cut: cut.as_deref(),
        isolation: manifest.isolation.unwrap_or(Isolation::ReadCommitted),
    };
    let judged: Vec<Judged> = kept.iter().map(|one| one.judge(&stage, &claims)).collect();
    let mut judgements: Vec<Judgement> =
        judged.iter().flat_map(|one| one.judgements.iter().cloned()).collect();
    judgements.extend(check::unjudged(&judgements, &claims));
    let primary = manifest.node_names().first().copied().unwrap_or_else(NodeName::primary);
    let recorded: Vec<Recorded<'_>> = kept.iter().map(Kept::recorded).collect();
    let figures = measure::figures(&recorded, &faults.history, &lag, &lab, manifest.cores, primary);
    let thresholds = thresholds(&manifest.thresholds, &figures)?;
    let verdict = verdict(&judgements, cut.as_deref());
    let exit_code = exit_code(verdict, &thresholds, manifest.ended.as_ref());
    Ok(Report {
        format: REPORT_FORMAT,
        verdict,
        exit_code,
        not_checked: not_checked(&manifest, &faults.history, &judgements),
        endpoints: measure::endpoints(&endpoints, &faults.history, manifest.nodes.len().saturating_sub(1)),
        events: manifest.events,
        transactions: judged.into_iter().filter_map(|one| one.transactions).collect(),
        cut,
        run: manifest.run,
        nodes: manifest.nodes,
        claims,
        judgements,
        thresholds,
        figures,
    })
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
pub(super) fn is_missing(path: &Path) -> bool {
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
