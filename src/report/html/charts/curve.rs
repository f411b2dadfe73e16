//! A chart of rates over the number of clients: a line for each method, named at its end.

use maud::{Markup, PreEscaped, html};

use super::axis::{Scale, Unit};
use super::frame::{LEFT, WIDTH, at};

const TOP: f64 = 10.0;
const HEIGHT: f64 = 330.0;
/// Room for the names.
const RIGHT: f64 = WIDTH - 150.0;
/// Two names need as much room between them.
const NAME: f64 = 15.0;
/// Styles of lines.
const STYLES: usize = 6;

/// The chart.
pub(in crate::report) struct Curve<'a> {
    /// Its anchor.
    pub id: String,
    /// Its caption.
    pub title: &'a str,
    /// What is drawn, in a sentence.
    pub about: &'a str,
    /// What the vertical axis counts.
    pub unit: Unit,
    /// What the horizontal axis counts.
    pub across: &'a str,
    /// Its values, ascending.
    pub places: Vec<f64>,
    /// The lines.
    pub lines: Vec<Line>,
}

/// A line.
pub(in crate::report) struct Line {
    /// Its name.
    pub name: String,
    /// A value and its interval at each place; `None` breaks it.
    pub values: Vec<Option<(f64, f64, f64)>>,
}

impl Curve<'_> {
    /// The figure.
    pub(in crate::report) fn render(&self) -> Markup {
        let values = || self.lines.iter().flat_map(|line| line.values.iter().flatten());
        let smallest = values().map(|(_, low, _)| *low).fold(f64::INFINITY, f64::min);
        let scale = Scale::log(smallest.min(1e18), values().map(|(_, _, high)| *high).fold(0.0, f64::max));
        let bottom = TOP + HEIGHT;
        let y = |value: f64| bottom - HEIGHT * scale.place(value);
        html! {
            figure.chart id=(self.id) {
                figcaption { h4 { (self.title) } p.about { (self.about) } }
                div.plot {
                    svg viewBox={ "0 0 " (at(WIDTH)) " " (at(bottom + 46.0)) } role="img"
                        aria-labelledby={ (self.id) "-t " (self.id) "-d" } {
                        title id={ (self.id) "-t" } { (self.title) }
                        desc id={ (self.id) "-d" } { (self.describe()) }
                        @for (value, text) in scale.ticks(self.unit).into_iter().skip(1) {
                            path.grid d={ "M" (at(LEFT)) " " (at(y(value))) "H" (at(RIGHT)) } {}
                            text.tick x=(at(LEFT - 8.0)) y=(at(y(value))) dy="0.32em" text-anchor="end" { (text) }
                        }
                        @for place in &self.places {
                            path.grid d={ "M" (at(self.x(*place))) " " (at(TOP)) "V" (at(bottom)) } {}
                            text.tick x=(at(self.x(*place))) y=(at(bottom + 18.0)) text-anchor="middle" { (place) }
                        }
                        text.tick x=(at((LEFT + RIGHT) / 2.0)) y=(at(bottom + 38.0)) text-anchor="middle" { (self.across) }
                        @for (number, line) in self.lines.iter().enumerate() {
                            path class={ "line s" (number % STYLES) } d=(PreEscaped(self.path(line, y))) {}
                            @for (place, value) in self.places.iter().zip(&line.values) {
                                @if let Some((value, low, high)) = value {
                                    path class={ "line whisker s" (number % STYLES) }
                                        d={ "M" (at(self.x(*place))) " " (at(y(*low))) "V" (at(y(*high))) } {}
                                    (marker(number, self.x(*place), y(*value)))
                                }
                            }
                        }
                        @for (number, at_y) in self.names(y) {
                            text class={ "name s" (number % STYLES) } x=(at(RIGHT + 10.0)) y=(at(at_y)) dy="0.34em" {
                                (self.lines[number].name)
                            }
                        }
                    }
                }
            }
        }
    }

    /// Doublings are as far apart as doublings.
    fn x(&self, place: f64) -> f64 {
        let (first, last) =
            (self.places.first().copied().unwrap_or(1.0), self.places.last().copied().unwrap_or(1.0));
        let width = (last / first).ln();
        let part = if width > 0.0 { (place / first).ln() / width } else { 0.5 };
        LEFT + (RIGHT - LEFT) * (0.03 + 0.94 * part)
    }

    fn path(&self, line: &Line, y: impl Fn(f64) -> f64) -> String {
        let mut path = String::new();
        let mut pen = 'M';
        for (place, value) in self.places.iter().zip(&line.values) {
            match value {
                Some((value, _, _)) => {
                    path += &format!("{pen}{} {}", at(self.x(*place)), at(y(*value)));
                    pen = 'L';
                }
                None => pen = 'M',
            }
        }
        path
    }

    /// Where the lines' names stand: at their ends, moved apart where they would lie over each other.
    fn names(&self, y: impl Fn(f64) -> f64) -> Vec<(usize, f64)> {
        let end = |line: &Line| line.values.iter().rev().flatten().next().map(|(value, _, _)| y(*value));
        let mut names: Vec<(usize, f64)> =
            self.lines.iter().enumerate().filter_map(|(number, line)| Some((number, end(line)?))).collect();
        names.sort_by(|a, b| a.1.total_cmp(&b.1));
        for place in 1..names.len() {
            names[place].1 = names[place].1.max(names[place - 1].1 + NAME);
        }
        let mut limit = TOP + HEIGHT;
        for name in names.iter_mut().rev() {
            name.1 = name.1.min(limit);
            limit = name.1 - NAME;
        }
        names
    }

    fn describe(&self) -> String {
        let line = |line: &Line| {
            let values = self.places.iter().zip(&line.values).map(|(place, value)| match value {
                Some((value, _, _)) => format!("{} at {place}", self.unit.show(*value)),
                None => format!("not measured at {place}"),
            });
            format!("{}: {}.", line.name, values.collect::<Vec<_>>().join(", "))
        };
        self.lines.iter().map(line).collect::<Vec<_>>().join(" ")
    }
}

/// Lines of the same style differ by the shape of their points.
fn marker(number: usize, x: f64, y: f64) -> Markup {
    let class = format!("end s{}", number % STYLES);
    html! {
        @if number < STYLES { circle class=(class) cx=(at(x)) cy=(at(y)) r="3" {} }
        @else { path class=(class) d={ "M" (at(x)) " " (at(y - 5.0)) "l5 5l-5 5l-5 -5z" } {} }
    }
}
