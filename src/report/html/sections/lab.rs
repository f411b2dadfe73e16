//! Whether the lab itself was the bottleneck, and what nobody looked at.

use crate::report::outcome::Tone;
use maud::html;

use crate::report::Report;
use crate::report::html::parts::{Section, mark, prose, tile};
use crate::report::words::{self, TAINT, bytes};

pub(super) fn section(report: &Report) -> Section {
    let lab = &report.figures.lab;
    let delay =
        |value| if lab.loop_delay.count == 0 { "not measured".to_owned() } else { format!("{value}") };
    let (cpu, cores) = match lab.cores {
        0 => ("not measured".to_owned(), String::new()),
        cores => (format!("{:.2} cores", lab.cpu), format!("mean, of {}", words::plural(cores, "core"))),
    };
    let body = html! {
        p { "A load generator that is late, or starved of CPU, measures itself. If it was, every figure that it may have "
            "distorted carries " b { (TAINT) " tainted" } ", and a threshold over it is unknown." }
        dl.tiles.four {
            (tile("Event loop late by", &delay(lab.loop_delay.p95), &format!("p95; at most {}", delay(lab.loop_delay.max))))
            (tile("CPU of the lab", &cpu, &cores))
            (tile("Longest sampler gap", &lab.longest_sampler_gap.to_string(), "between two lag samples"))
            (tile("Peak memory", &bytes(lab.peak_rss), "resident"))
        }
        @if lab.taints.is_empty() && lab.loop_delay.count == 0 {
            p.verdict-line { (mark(Tone::Unknown)) "Nobody watched the lab, so nobody knows whether it was the bottleneck." }
        } @else if lab.taints.is_empty() {
            p.verdict-line { (mark(Tone::Good)) "No sign that the lab was the bottleneck." }
        } @else {
            ul.taints { @for taint in &lab.taints { li { (mark(Tone::Unknown)) span { b { (TAINT) } " " (taint) } } } }
        }
    };
    Section::measured("lab", "The lab itself", &lab.taints, body)
}

pub(super) fn not_checked(report: &Report) -> Section {
    let body = html! {
        p { "A verdict says nothing of these:" }
        ul.plain-list { @for sentence in &report.not_checked { li { (prose(sentence)) } } }
    };
    Section::new("not-checked", "What was not checked", body)
}
