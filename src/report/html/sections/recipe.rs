//! How to run it again, and where it ran.

use maud::html;

use crate::report::Report;
use crate::report::html::parts::Section;

pub(super) fn section(report: &Report) -> Section {
    let run = &report.run;
    let body = html! {
        p { "The same seed gives the same schedule and the same operations of each client; how they interleave is up to the machine." }
        pre.command tabindex="0" { code { (run.reproduce) } }
        dl.facts {
            dt { "Seed" } dd { code { (run.seed) } }
            dt { "Faults" } dd { @if run.faults.is_empty() { "none" } @else { code { (run.faults) } } }
            dt { "Judge it again" } dd { code { "replab check " (run.id) } }
        }
        details open { summary { "The plan, as " code { "plan.toml" } } pre tabindex="0" { code { (run.plan) } } }
    };
    Section::new("reproduce", "How to reproduce", body)
}

pub(super) fn environment(report: &Report) -> Section {
    let run = &report.run;
    let body = html! {
        dl.facts {
            dt { "Run" } dd { code { (run.id) } }
            dt { "Started" } dd { (run.started) }
            dt { "replab" } dd { (run.version) }
            dt { "Topology" } dd { (run.topology) }
            dt { "Machine" } dd { @for line in &run.machine { (line) br; } }
            @for node in &report.nodes { dt { (node.node) } dd { (node.role) ", " (node.version) } }
        }
    };
    Section::new("environment", "Environment", body)
}
