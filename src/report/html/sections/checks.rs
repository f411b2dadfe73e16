//! Every judgement and every threshold, with the evidence.

use crate::measure::LabFigures;
use crate::report::outcome::{self, Tone};
use maud::{Markup, html};

use crate::check::{EventRef, Finding, Judgement, MAX_FINDINGS};
use crate::report::html::parts::{Section, mark};
use crate::report::words::{self, count};
use crate::report::{Report, Threshold};

pub(super) fn section(report: &Report) -> Section {
    let body = html! {
        ol.checks {
            @for (place, judgement) in report.judgements.iter().enumerate() { (check(place + 1, judgement)) }
        }
        @if report.judgements.is_empty() { p { "Nothing was judged." } }
        h3 { "Thresholds" }
        @if report.thresholds.is_empty() {
            p.small { "None was set; " code { "--threshold 'lag.p99<500ms'" } " sets one." }
        } @else {
            ol.checks { @for limit in &report.thresholds { (threshold(limit, &report.figures.lab)) } }
        }
        @if let Some(Judgement { workload, .. }) = report.judgements.first() {
            p.small {
                "Event " code { "n" } " of a history stands in line n + 2 of its file: "
                code { "zstd -dc history/" (workload) ".jsonl.zst | sed -n 48233p" } " shows "
                code { (workload) "#48231" } "."
            }
        }
    };
    Section::new("checks", "Checks and thresholds", body)
}

fn check(number: usize, judgement: &Judgement) -> Markup {
    let tone = outcome::tone(judgement);
    html! {
        li class={ "check " (tone.class()) } id={ "check-" (number) } {
            (mark(tone))
            div.what {
                h4 {
                    (outcome::subject(judgement))
                    span.tag { @if judgement.claimed { "claimed" } @else { "not claimed" } }
                }
                p { (judgement.summary) }
                p.meaning { (judgement.guarantee.meaning()) }
                (counts(judgement))
                (findings(number, judgement, tone))
            }
            p.found { (outcome::found(judgement)) }
        }
    }
}

fn counts(judgement: &Judgement) -> Markup {
    html! {
        @if !judgement.counts.is_empty() {
            ul.counts {
                @for item in &judgement.counts { li { strong { (count(item.value)) } " " (item.name) } }
            }
        }
    }
}

/// Open where a claim was contradicted.
fn findings(number: usize, judgement: &Judgement, tone: Tone) -> Markup {
    let shown = judgement.findings.len() as u64;
    let total = judgement.violations.max(shown);
    html! {
        @if shown > 0 {
            details open[tone == Tone::Bad] {
                summary {
                    @if judgement.violations == 0 { "Why" } @else { "Evidence" }
                    span.count { " " (count(shown)) " of " (count(total)) }
                }
                ol.findings {
                    @for (place, finding) in judgement.findings.iter().enumerate() {
                        (evidence(&format!("finding-{number}-{}", place + 1), finding))
                    }
                }
                @if total > shown { p.small { "A judgement carries at most " (MAX_FINDINGS) " findings, and counts them all." } }
            }
        }
    }
}

fn evidence(id: &str, finding: &Finding) -> Markup {
    html! {
        li id=(id) {
            a.anchor href={ "#" (id) } { (finding.message) }
            @for event in &finding.events { " " (reference(event)) }
        }
    }
}

fn reference(event: &EventRef) -> Markup {
    html! { code.event { (event.workload) "#" (event.index) } }
}

fn threshold(limit: &Threshold, lab: &LabFigures) -> Markup {
    let tone = outcome::threshold_tone(limit);
    let found = match tone {
        Tone::Good => "kept",
        Tone::Bad => "missed",
        Tone::Unknown | Tone::Observed => "unknown",
    };
    html! {
        li class={ "check " (tone.class()) } {
            (mark(tone))
            div.what { h4 { code { (limit.text) } } p { (words::measured(limit, lab)) } }
            p.found { (found) }
        }
    }
}
