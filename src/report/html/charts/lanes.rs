//! When each node served: one lane a node.

use maud::{Markup, html};

use super::frame::{Frame, LEFT, RIGHT, WIDTH, at};
use crate::measure::{Availability, Window};
use crate::report::words;

const LANE: f64 = 34.0;
const BAR: f64 = 14.0;

/// The figure: a full lane where the node served whoever asked, hatched where it served nobody.
pub(in crate::report::html) fn lanes(nodes: &[Availability], frame: &Frame) -> Markup {
    let top = frame.top() + 4.0;
    let bottom = top + LANE * nodes.len() as f64;
    let id = "chart-availability";
    html! {
        figure.chart id=(id) data-x0=(frame.start) data-x1=(frame.end)
            data-left=(LEFT / WIDTH) data-right=(RIGHT / WIDTH) {
            figcaption {
                h4 { "Served or not, by node" }
                p.about { "Hatched: longer than 100 ms without a success, though somebody asked." }
            }
            div.plot {
                svg viewBox={ "0 0 " (at(WIDTH)) " " (at(bottom + 28.0)) } role="img"
                    aria-labelledby={ (id) "-t " (id) "-d" } {
                    title id={ (id) "-t" } { "Availability of each node over time" }
                    desc id={ (id) "-d" } { (describe(nodes, frame)) }
                    (frame.axis(frame.top(), bottom))
                    (frame.bands(bottom))
                    @for (place, node) in nodes.iter().enumerate() {
                        @let y = top + LANE * place as f64 + (LANE - BAR) / 2.0;
                        text.tick x=(at(LEFT - 8.0)) y=(at(y + BAR / 2.0)) dy="0.32em" text-anchor="end" {
                            (short(node.node.as_str()))
                        }
                        rect.served x=(at(LEFT)) y=(at(y)) width=(at(RIGHT - LEFT)) height=(at(BAR)) {}
                        @for gap in &node.gaps {
                            @let (x, end) = ends(gap, frame);
                            rect.unserved x=(at(x)) y=(at(y)) width=(at((end - x).max(2.0))) height=(at(BAR)) {}
                            text.gap-label x=(at(end + 4.0)) y=(at(y - 2.0)) { (gap.end.since(gap.start)) }
                        }
                    }
                }
            }
            (table(nodes, frame))
        }
    }
}

fn ends(gap: &Window, frame: &Frame) -> (f64, f64) {
    (frame.x(frame.seconds(gap.start)), frame.x(frame.seconds(gap.end)))
}

/// What fits beside the axis; the table below has the whole name.
fn short(name: &str) -> String {
    let name = words::plain(name);
    if name.chars().count() <= 10 { name } else { name.chars().take(9).chain(['…']).collect() }
}

fn table(nodes: &[Availability], frame: &Frame) -> Markup {
    let gaps = nodes.iter().flat_map(|node| node.gaps.iter().map(move |gap| (node.node, gap)));
    html! {
        details.numbers {
            summary { "The numbers" }
            div.scroll tabindex="0" role="region" aria-label="Numbers: availability" {
                table {
                    thead { tr {
                        th scope="col" { "at" } th scope="col" { "node" } th scope="col" { "served again at" }
                        th scope="col" { "served nobody for" }
                    } }
                    tbody {
                        @for (node, gap) in gaps {
                            @let start = frame.seconds(gap.start);
                            tr data-t=(format!("{start:.3}")) {
                                th scope="row" { (format!("{start:.2} s")) }
                                td { (node) }
                                td { (format!("{:.2} s", frame.seconds(gap.end))) }
                                td { (gap.end.since(gap.start)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn describe(nodes: &[Availability], frame: &Frame) -> String {
    let mut sentences: Vec<String> = (nodes.iter())
        .map(|node| {
            let gaps: Vec<String> = (node.gaps.iter())
                .map(|gap| format!("{} from {:.2} s", gap.end.since(gap.start), frame.seconds(gap.start)))
                .collect();
            match gaps.len() {
                0 => format!("{} served whenever it was asked.", node.node),
                _ => format!("{} served nobody for {}.", node.node, gaps.join(", ")),
            }
        })
        .collect();
    sentences.push(frame.describe());
    sentences.join(" ")
}
