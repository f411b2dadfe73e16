//! What a verdict rests on, in sentences that say no more than was seen.

use super::Report;
use super::words::{self, count, plural, subject};
use crate::check::{Judgement, Verdict};

/// The verdict in plain language, one sentence an entry.
pub(super) fn explanation(report: &Report) -> Vec<String> {
    let mut sentences = Vec::new();
    if let Some(reason) = &report.cut {
        sentences.push(format!(
            "The run did not come to its end ({}). What rests on the final reads is unknown.",
            words::plain(reason)
        ));
    }
    sentences.push(claims(report));
    sentences.extend(observed(report));
    sentences.extend(limits(report));
    sentences.push(basis(report));
    sentences
}

/// What decided, in half a line: `violated durability · orders`. What was observed and not claimed is named too, so
/// that nobody reads a clean bill into `VALID`.
pub(super) fn decisive(report: &Report) -> String {
    let mut parts = Vec::new();
    for (verdict, word) in [(Verdict::Fail, "violated"), (Verdict::Unknown, "nothing can be said about")] {
        parts.extend(named(word, claimed(report, verdict).into_iter().map(subject)));
    }
    for (verdict, word) in [(Verdict::Fail, "threshold missed:"), (Verdict::Unknown, "threshold unknown:")] {
        let limits = report.thresholds.iter().filter(|limit| limit.verdict == verdict);
        parts.extend(named(word, limits.map(|limit| words::plain(&limit.text))));
    }
    if parts.is_empty() {
        parts.push(words::exit_meaning(report.exit_code).to_owned());
    }
    parts.extend(named("observed, not claimed:", unclaimed(report).map(subject)));
    parts.join("; ")
}

fn named(word: &str, names: impl Iterator<Item = String>) -> Option<String> {
    let names: Vec<String> = names.collect();
    (!names.is_empty()).then(|| format!("{word} {}", names.join(", ")))
}

fn unclaimed(report: &Report) -> impl Iterator<Item = &Judgement> {
    report.judgements.iter().filter(|judgement| !judgement.claimed && judgement.verdict == Verdict::Fail)
}

fn claimed(report: &Report, verdict: Verdict) -> Vec<&Judgement> {
    let decides = |judgement: &&Judgement| judgement.claimed && judgement.verdict == verdict;
    report.judgements.iter().filter(decides).collect()
}

fn claims(report: &Report) -> String {
    let violated = claimed(report, Verdict::Fail);
    let unknown = claimed(report, Verdict::Unknown);
    let clean = claimed(report, Verdict::Pass);
    let names = |judgements: &[&Judgement]| {
        judgements.iter().map(|judgement| subject(judgement)).collect::<Vec<_>>().join("; ")
    };
    let mut parts = Vec::new();
    if !violated.is_empty() {
        let total = violated.iter().map(|judgement| judgement.violations).sum();
        parts.push(format!(
            "{} contradict what the run claimed: {}.",
            plural(total, "counter-example"),
            names(&violated)
        ));
    }
    if !unknown.is_empty() {
        parts.push(format!(
            "Nothing can be said about {}: {}.",
            plural(unknown.len() as u64, "claim"),
            names(&unknown)
        ));
    }
    if !clean.is_empty() {
        parts.push(format!(
            "No counter-example was found to {}{}.",
            if violated.is_empty() && unknown.is_empty() { "" } else { "the other " },
            plural(clean.len() as u64, "claim"),
        ));
    }
    if parts.is_empty() {
        parts.push("No claimed guarantee was judged, so nothing is known.".to_owned());
    }
    parts.join(" ")
}

fn observed(report: &Report) -> Option<String> {
    let names: Vec<String> = unclaimed(report)
        .map(|judgement| format!("{} ({})", subject(judgement), count(judgement.violations)))
        .collect();
    (!names.is_empty()).then(|| {
        format!(
            "Observed, not claimed, and so without effect on the verdict: counter-examples to {}.",
            names.join("; ")
        )
    })
}

fn limits(report: &Report) -> Option<String> {
    let total = report.thresholds.len() as u64;
    let of = |verdict| report.thresholds.iter().filter(|limit| limit.verdict == verdict).count() as u64;
    (total > 0).then(|| {
        format!(
            "Of {}, {} kept, {} missed, {} unknown.",
            plural(total, "threshold"),
            count(of(Verdict::Pass)),
            count(of(Verdict::Fail)),
            count(of(Verdict::Unknown))
        )
    })
}

/// How much was looked at. Without it "no counter-example" means nothing.
fn basis(report: &Report) -> String {
    let (mut ok, mut fail, mut info) = (0, 0, 0);
    for line in &report.figures.operations {
        ok += line.ok;
        fail += line.fail;
        info += line.info;
    }
    let faults = report.figures.recoveries.iter().filter(|fault| !fault.healing && fault.applied.is_some());
    format!(
        "This rests on {} that succeeded, {} that certainly did not happen and {} with unknown outcome, over {}. \
         It is what was observed in this run, not a proof.",
        plural(ok, "operation"),
        count(fail),
        count(info),
        plural(faults.count() as u64, "fault"),
    )
}
