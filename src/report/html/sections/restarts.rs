//! What was broken, how long it took to come back, and when nobody was served.

use maud::{Markup, html};

use crate::history::Nanos;
use crate::measure::Recovery;
use crate::report::Report;
use crate::report::html::charts::{self, Frame};
use crate::report::html::parts::{Section, table};
use crate::report::words;

pub(super) fn section(report: &Report) -> Section {
    let faults = &report.figures.recoveries;
    let origin = report.figures.load.start;
    let rows: Vec<Vec<Markup>> = faults.iter().map(|fault| row(fault, faults, origin)).collect();
    let header = ["fault", "at", "took hold after", "answered after", "first success after", "unavailable"];
    let body = html! {
        @if faults.is_empty() { p { "No fault was injected: nothing is known of restarts." } } @else {
            p { "First success: the end of the first operation begun after the fault that succeeded, a commit on the primary and a "
                "read on a replica. Unavailable: the longest time between two successes from before the fault to that one; ≥: to the next fault or the end of the load, where none came before."
                @if let Some(seen) = words::resolution(faults) { " It was " (seen) "." } }
            (charts::recovery(faults))
            (table("Faults and recoveries", &header, 1, &rows))
        }
    };
    Section::measured("restarts", "Restarts", &report.figures.lab.taints, body)
}

fn row(fault: &Recovery, faults: &[Recovery], origin: Nanos) -> Vec<Markup> {
    let after = |end: Option<Nanos>| words::optional(end.map(|end| end.since(fault.invoked)));
    vec![
        html! { (words::fault(fault)) br; span.detail { (fault.detail) } },
        html! { (words::moment(fault.invoked, origin)) },
        html! { (after(fault.applied)) },
        html! { (words::answered(fault, faults)) },
        html! { (after(fault.first_success)) },
        html! { (words::unavailable(fault)) },
    ]
}

pub(super) fn availability(report: &Report, frame: &Frame) -> Section {
    let nodes = &report.figures.availability;
    let body = html! {
        @if nodes.is_empty() { p { "No node was asked anything." } } @else { (charts::lanes(nodes, frame)) }
    };
    Section::measured("availability", "Availability", &report.figures.lab.taints, body)
}
