//! The way back from each fault, all from the same zero.

use maud::{Markup, html};

use super::axis;
use super::frame::{WIDTH, at};
use crate::history::Nanos;
use crate::measure::Recovery;
use crate::report::words;

const ROW: f64 = 44.0;
const BAR: f64 = 12.0;
const START: f64 = 16.0;
/// Leaves room for the words at the end of the longest row.
const END: f64 = WIDTH - 230.0;

/// The figure: a row a fault, from its invocation over the moment it took hold and the node's first answer to the
/// first success.
pub(in crate::report::html) fn recovery(faults: &[Recovery]) -> Markup {
    let id = "chart-recovery";
    let longest = faults.iter().filter_map(|fault| length(fault, fault.first_success.or(fault.answered)));
    let end = longest.fold(0.05, f64::max);
    let x = |seconds: f64| START + (END - START) * (seconds / end).clamp(0.0, 1.0);
    let bottom = 6.0 + ROW * faults.len() as f64;
    html! {
        figure.chart id=(id) {
            figcaption {
                h4 { "Time to recover" }
                p.about { "Seconds from the fault; all rows begin at their own fault." }
            }
            div.legend {
                @for (phase, name) in PHASES {
                    span.key {
                        svg.swatch viewBox="0 0 28 12" aria-hidden="true" {
                            rect class={ "phase " (phase) } x="2" y="0" width="24" height="12" {}
                        }
                        span { (name) }
                    }
                }
            }
            div.plot {
                svg viewBox={ "0 0 " (at(WIDTH)) " " (at(bottom + 28.0)) } role="img"
                    aria-labelledby={ (id) "-t " (id) "-d" } {
                    title id={ (id) "-t" } { "Time to recover from each fault" }
                    desc id={ (id) "-d" } { (describe(faults)) }
                    g.axis {
                        @for (seconds, text) in axis::seconds(0.0, end) {
                            path.grid d={ "M" (at(x(seconds))) " 0V" (at(bottom)) } {}
                            text x=(at(x(seconds))) y=(at(bottom + 18.0)) text-anchor="middle" { (text) }
                        }
                    }
                    @for (place, fault) in faults.iter().enumerate() {
                        @let y = 6.0 + ROW * place as f64;
                        text.row-label x=(at(START)) y=(at(y + 13.0)) { (words::fault(fault)) }
                        @for ((phase, _), (from, to)) in PHASES.into_iter().zip(phases(fault, faults)) {
                            @if let (Some(from), Some(to)) = (from, to) {
                                rect class={ "phase " (phase) } x=(at(x(from))) y=(at(y + 20.0))
                                    width=(at((x(to) - x(from)).max(1.5))) height=(at(BAR)) {}
                            }
                        }
                        @let last = phases(fault, faults).into_iter().filter_map(|(_, to)| to).fold(0.0, f64::max);
                        text.row-value x=(at(x(last) + 6.0)) y=(at(y + 30.0)) { (outcome(fault, faults)) }
                    }
                }
            }
        }
    }
}

const PHASES: [(&str, &str); 3] = [
    ("applying", "until it took hold"),
    ("starting", "until the node answered"),
    ("serving", "until the first success"),
];

fn length(fault: &Recovery, end: Option<Nanos>) -> Option<f64> {
    end.map(|end| end.since(fault.invoked).as_secs_f64())
}

fn phases(fault: &Recovery, faults: &[Recovery]) -> [(Option<f64>, Option<f64>); 3] {
    let [applied, answered, success] =
        [fault.applied, fault.answered, fault.first_success].map(|end| length(fault, end));
    // A client may get through before the nemesis sees the node answer; then there is no third phase.
    let success = success.filter(|&success| answered.is_none_or(|answered| success > answered));
    // A node that was not seen to come back is drawn up to the edge of the picture.
    let answered = if words::gone(fault, faults) { applied.map(|_| f64::INFINITY) } else { answered };
    [(Some(0.0), applied), (applied, answered), (answered.or(applied), success)]
}

fn outcome(fault: &Recovery, faults: &[Recovery]) -> String {
    match (fault.applied, fault.answered, fault.first_success) {
        (None, _, _) => words::answered(fault, faults),
        (_, _, Some(success)) => format!("first success after {}", success.since(fault.invoked)),
        (_, Some(answered), None) => {
            format!("answered after {}, no success seen", answered.since(fault.invoked))
        }
        (_, None, None) => words::answered(fault, faults),
    }
}

fn describe(faults: &[Recovery]) -> String {
    let rows: Vec<String> =
        faults.iter().map(|fault| format!("{}: {}.", words::fault(fault), outcome(fault, faults))).collect();
    rows.join(" ")
}
