//! The summary on a terminal: the verdict first and last, and in between what it rests on.

mod grid;
pub(super) mod sheet;
mod tables;
mod wrap;

use super::outcome::{self, Tone};
use super::words::{self, plain};
use super::{Report, verdict};
use crate::check::Judgement;
use sheet::Sheet;

/// How the terminal looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Whether ANSI colours are wanted.
    pub color: bool,
    /// Columns; at least 60 are used.
    pub width: usize,
}

/// The report for a terminal, ending in a line break. The first line begins with the verdict, the last one names what
/// decided it and the exit code. Every moment is counted from the start of the load.
pub fn terminal(report: &Report, look: Look) -> String {
    let mut sheet = Sheet::new(look);
    let headline = outcome::headline(report);
    let run = &report.run;
    sheet.headline(
        headline.tone,
        headline.word,
        &plain(&format!("{} on {}, {}, seed {}", run.workloads, run.topology, words::length(run), run.seed)),
    );
    if let Some(reason) = &report.cut {
        sheet.item(Tone::Unknown, 0, "cut short", &plain(reason));
    }
    checks(report, &mut sheet);
    thresholds(report, &mut sheet);
    transactions(report, &mut sheet);
    tables::totals(report, &mut sheet);
    tables::lag(report, &mut sheet);
    tables::restarts(report, &mut sheet);
    tables::errors(report, &mut sheet);
    for (title, lines) in super::cloud::parts(report) {
        sheet.title(&title.to_uppercase());
        lines.iter().for_each(|sentence| sheet.paragraph("· ", &plain(sentence)));
    }
    lab(report, &mut sheet);
    sheet.title("NOT CHECKED");
    for sentence in &report.not_checked {
        sheet.paragraph("· ", &plain(sentence));
    }
    sheet.title("FILES");
    sheet.paragraph("", &format!("{}/", plain(&run.directory)));
    sheet.paragraph("", "report.html · report.md · results.json · junit.xml");
    sheet.title("REPEAT");
    sheet.command(&plain(&run.reproduce));
    sheet.verdict(headline.tone, headline.word, &verdict::decisive(report), report.exit_code);
    sheet.finish()
}

fn checks(report: &Report, sheet: &mut Sheet) {
    sheet.title("CHECKS");
    let widest = report.judgements.iter().map(|judgement| outcome::subject(judgement).chars().count()).max();
    for judgement in &report.judgements {
        let tone = outcome::tone(judgement);
        let summary = plain(&judgement.summary);
        let text = match tone {
            Tone::Observed => format!("observed, not claimed: {summary}"),
            Tone::Good | Tone::Bad | Tone::Unknown if judgement.claimed => summary,
            Tone::Good | Tone::Bad | Tone::Unknown => format!("not claimed: {summary}"),
        };
        sheet.item(tone, widest.unwrap_or(0), &outcome::subject(judgement), &text);
        if tone == Tone::Bad {
            findings(judgement, sheet);
        }
    }
    if report.judgements.is_empty() {
        sheet.item(Tone::Unknown, 0, "nothing was judged", "");
    }
}

/// What transactions amount to: whatever model was promised, what else they showed and did not.
fn transactions(report: &Report, sheet: &mut Sheet) {
    for (workload, found) in &report.transactions {
        sheet.title(&format!("TRANSACTIONS OF {}", workload.to_uppercase()));
        for (lead, text) in super::transactions::summary(found) {
            sheet.paragraph("· ", &plain(&format!("{lead}{text}")));
        }
    }
}

/// The first counter-examples to a claim: enough to start looking.
fn findings(judgement: &Judgement, sheet: &mut Sheet) {
    const SHOWN: usize = 3;
    for finding in judgement.findings.iter().take(SHOWN) {
        sheet.paragraph("    – ", &plain(&finding.message));
    }
    let more = judgement.violations.saturating_sub(judgement.findings.len().min(SHOWN) as u64);
    if more > 0 && !judgement.findings.is_empty() {
        sheet.paragraph("    – ", &format!("{} more: see the report", words::count(more)));
    }
}

fn thresholds(report: &Report, sheet: &mut Sheet) {
    if report.thresholds.is_empty() {
        return;
    }
    sheet.title("THRESHOLDS");
    let widest = report.thresholds.iter().map(|limit| plain(&limit.text).chars().count()).max();
    for limit in &report.thresholds {
        sheet.item(
            outcome::threshold_tone(limit),
            widest.unwrap_or(0),
            &plain(&limit.text),
            &words::measured(limit, &report.figures.lab),
        );
    }
}

/// Whether the lab was the bottleneck: said in one line when it was not, spelled out when it was.
fn lab(report: &Report, sheet: &mut Sheet) {
    let taints = &report.figures.lab.taints;
    sheet.title("THE LAB ITSELF");
    sheet.paragraph("", &words::lab(&report.figures.lab));
    for taint in taints {
        sheet.paragraph(&format!("{} ", words::TAINT), &plain(taint));
    }
    if !taints.is_empty() {
        sheet.remark(&format!("what is marked {} measures the lab as much as the cluster", words::TAINT));
    }
}
