//! A chart of a row for each thing that is compared: points on one axis, and a bar or an interval.

use maud::{Markup, html};

use super::axis::{Scale, Unit};
use super::frame::{WIDTH, at};

const ROW: f64 = 30.0;
/// Room for the names.
const LEFT: f64 = 150.0;
/// Room for the words at the end of a row.
const RIGHT: f64 = WIDTH - 150.0;
/// Shapes of points, so that they differ by more than their place.
const SHAPES: [&str; 3] = ["dot", "ring", "diamond"];

/// The chart.
pub(in crate::report) struct Rows<'a> {
    /// Its anchor.
    pub id: String,
    /// Its caption.
    pub title: &'a str,
    /// What is drawn, in a sentence.
    pub about: &'a str,
    /// What the axis counts.
    pub unit: Unit,
    /// Whether the axis is logarithmic.
    pub is_log: bool,
    /// The names of a row's points, in order; at most three.
    pub points: &'a [&'a str],
    /// The rows.
    pub rows: Vec<Row>,
}

/// One row.
pub(in crate::report) struct Row {
    /// Whose it is.
    pub name: String,
    /// The points; `None`: not measured.
    pub points: Vec<Option<f64>>,
    /// A bar from here to there.
    pub bar: Option<(f64, f64)>,
    /// Words at its end.
    pub text: String,
}

impl Rows<'_> {
    /// The figure.
    pub(in crate::report) fn render(&self) -> Markup {
        let scale = self.scale();
        let x = |value: f64| LEFT + (RIGHT - LEFT) * scale.place(value);
        let bottom = 8.0 + ROW * self.rows.len() as f64;
        html! {
            figure.chart id=(self.id) {
                figcaption { h4 { (self.title) } p.about { (self.about) } }
                @if self.points.len() > 1 {
                    div.legend {
                        @for (place, name) in self.points.iter().enumerate() {
                            span.key {
                                svg.swatch viewBox="0 0 28 12" aria-hidden="true" { (point(place, 14.0, 6.0)) }
                                span { (name) }
                            }
                        }
                    }
                }
                div.plot {
                    svg viewBox={ "0 0 " (at(WIDTH)) " " (at(bottom + 28.0)) } role="img"
                        aria-labelledby={ (self.id) "-t " (self.id) "-d" } {
                        title id={ (self.id) "-t" } { (self.title) }
                        desc id={ (self.id) "-d" } { (self.describe()) }
                        g.axis {
                            @for (value, text) in scale.ticks(self.unit) {
                                path.grid d={ "M" (at(x(value))) " 4V" (at(bottom)) } {}
                                text.tick x=(at(x(value))) y=(at(bottom + 18.0)) text-anchor="middle" { (text) }
                            }
                        }
                        @for (place, row) in self.rows.iter().enumerate() {
                            @let y = 8.0 + ROW * (place as f64 + 0.5);
                            text.row-label x=(at(LEFT - 12.0)) y=(at(y)) dy="0.34em" text-anchor="end" { (row.name) }
                            @if let Some((from, to)) = row.bar {
                                rect.span x=(at(x(from))) y=(at(y - 4.0)) height="8" rx="2"
                                    width=(at((x(to) - x(from)).max(1.5))) {}
                            }
                            @for (shape, value) in row.points.iter().enumerate() {
                                @if let Some(value) = value { (point(shape, x(*value), y)) }
                            }
                            text.tick x=(at(RIGHT + 12.0)) y=(at(y)) dy="0.34em" { (row.text) }
                        }
                    }
                }
            }
        }
    }

    fn values(&self) -> impl Iterator<Item = f64> + '_ {
        let bars = |row: &Row| row.bar.map_or([None; 2], |(from, to)| [Some(from), Some(to)]);
        self.rows.iter().flat_map(move |row| row.points.iter().copied().chain(bars(row)).flatten())
    }

    fn scale(&self) -> Scale {
        let largest = self.values().fold(0.0, f64::max);
        if self.is_log {
            let smallest = self.values().filter(|value| *value > 0.0).fold(f64::INFINITY, f64::min);
            Scale::log(smallest.min(1e18), largest)
        } else {
            Scale::linear(largest)
        }
    }

    fn describe(&self) -> String {
        let row = |row: &Row| {
            let points = self.points.iter().zip(&row.points).map(|(name, value)| match value {
                Some(value) => format!("{name} {}", self.unit.show(*value)),
                None => format!("{name} not measured"),
            });
            format!("{}: {}.", row.name, points.collect::<Vec<_>>().join(", "))
        };
        self.rows.iter().map(row).collect::<Vec<_>>().join(" ")
    }
}

fn point(shape: usize, x: f64, y: f64) -> Markup {
    let name = SHAPES[shape.min(SHAPES.len() - 1)];
    html! {
        @match name {
            "diamond" => {
                path class={ "point " (name) }
                    d={ "M" (at(x)) " " (at(y - 6.0)) "l6 6l-6 6l-6 -6z" } {}
            }
            _ => { circle class={ "point " (name) } cx=(at(x)) cy=(at(y)) r="5" {} }
        }
    }
}
