//! The numbers under a chart. The script reads its readouts from here, so that picture and numbers cannot differ.

use maud::{Markup, html};

use super::plot::{Kind, Plot};

/// The chart's values as a table that is folded away, of at most as many rows as the chart allows.
pub(super) fn numbers(plot: &Plot<'_>) -> Markup {
    let total = plot.times.len();
    let size = total.div_ceil(plot.rows.max(1)).max(1);
    let chunks: Vec<(usize, usize)> =
        (0..total).step_by(size).map(|first| (first, (first + size).min(total))).collect();
    html! {
        details.numbers {
            summary { "The numbers" span.count { " " (chunks.len()) " rows" } }
            @if size > 1 {
                @let what = if plot.kind == Kind::Lines { "largest" } else { "mean" };
                p { "Each row is the " (what) " of " (size) " values; " code { "results.json" } " has them all." }
            }
            div.scroll tabindex="0" role="region" aria-label={ "Numbers: " (plot.about) } {
                table {
                    thead { tr {
                        th scope="col" { "at" }
                        @for series in &plot.series { th scope="col" { (series.name) } }
                    } }
                    tbody {
                        @for &(first, last) in &chunks {
                            tr data-t=(format!("{:.3}", plot.times[first])) {
                                th scope="row" { (format!("{:.2} s", plot.times[first]).replace('-', "−")) }
                                @for series in &plot.series { td { (cell(plot, &series.values[first..last], first)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn cell(plot: &Plot<'_>, values: &[Option<f64>], first: usize) -> String {
    let largest = match plot.kind {
        Kind::Lines => values.iter().flatten().copied().reduce(f64::max),
        Kind::Bars => Some(values.iter().flatten().sum::<f64>() / values.len().max(1) as f64),
    };
    largest.map_or_else(
        || {
            let seconds = plot.times[first];
            let gap = plot.gaps.iter().find(|gap| gap.start <= seconds && seconds < gap.end);
            gap.map_or_else(|| "–".to_owned(), |gap| gap.label.clone())
        },
        |value| plot.unit.show(value),
    )
}
