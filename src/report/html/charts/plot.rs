//! A chart of values over time: lines, or stacked bars.

use maud::{Markup, PreEscaped, html};

use super::axis::{Scale, Unit};
use super::frame::{Frame, LEFT, RIGHT, WIDTH, at};
use super::table;

const HEIGHT: f64 = 210.0;

/// How the values of a series are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::report::html) enum Kind {
    /// Lines on a logarithmic axis.
    Lines,
    /// Bars on top of each other, as wide as the distance of the samples, on a linear axis.
    Bars,
}

/// One series. All series of a chart have their values at the same times.
pub(in crate::report::html) struct Series {
    /// Its name in the legend.
    pub name: String,
    /// Its colour, dash and hatching: `s0` to `s5`, or `ok`, `refused`, `fail`, `info`.
    pub style: String,
    /// A value a time of the chart; `None` breaks the line.
    pub values: Vec<Option<f64>>,
}

/// A time in which there is nothing to draw, and why.
pub(in crate::report::html) struct Gap {
    /// From, in seconds.
    pub start: f64,
    /// To, in seconds.
    pub end: f64,
    /// Why.
    pub label: String,
}

/// A chart with its legend and its numbers.
pub(in crate::report::html) struct Plot<'a> {
    /// Its anchor.
    pub id: String,
    /// Its caption.
    pub title: Markup,
    /// What is drawn, in a sentence.
    pub about: String,
    /// What the value axis counts.
    pub unit: Unit,
    /// How.
    pub kind: Kind,
    /// Seconds of the values.
    pub times: Vec<f64>,
    /// The values.
    pub series: Vec<Series>,
    /// Where there are none.
    pub gaps: Vec<Gap>,
    /// The time axis and the faults.
    pub frame: &'a Frame,
    /// Most rows in the table of numbers.
    pub rows: usize,
}

impl Plot<'_> {
    /// The figure.
    pub(in crate::report::html) fn render(&self) -> Markup {
        let (top, bottom) = (self.frame.top(), self.frame.top() + HEIGHT);
        let scale = self.scale();
        html! {
            figure.chart id=(self.id) data-x0=(self.frame.start) data-x1=(self.frame.end)
                data-left=(LEFT / WIDTH) data-right=(RIGHT / WIDTH) {
                figcaption { h4 { (self.title) } p.about { (self.about) } }
                (self.legend())
                div.plot {
                    svg viewBox={ "0 0 " (at(WIDTH)) " " (at(bottom + 28.0)) } role="img"
                        aria-labelledby={ (self.id) "-t " (self.id) "-d" } {
                        title id={ (self.id) "-t" } { (self.about) }
                        desc id={ (self.id) "-d" } { (self.describe()) }
                        @for (value, text) in scale.ticks(self.unit) {
                            @let y = at(bottom - HEIGHT * scale.place(value));
                            path.grid d={ "M" (at(LEFT)) " " (y) "H" (at(RIGHT)) } {}
                            text.tick x=(at(LEFT - 8.0)) y=(y) dy="0.32em" text-anchor="end" { (text) }
                        }
                        (self.frame.axis(top, bottom))
                        (self.frame.bands(bottom))
                        (self.gaps(bottom))
                        @if self.times.is_empty() {
                            text.nothing x=(at((LEFT + RIGHT) / 2.0)) y=(at(top + HEIGHT / 2.0))
                                text-anchor="middle" { "nothing was measured" }
                        }
                        (PreEscaped(self.marks(scale, bottom)))
                    }
                }
                (table::numbers(self))
            }
        }
    }

    fn scale(&self) -> Scale {
        let values = || self.series.iter().flat_map(|series| series.values.iter().flatten().copied());
        match self.kind {
            Kind::Lines => {
                let positive = values().filter(|&value| value > 0.0);
                Scale::log(positive.fold(f64::INFINITY, f64::min).min(1e18), values().fold(0.0, f64::max))
            }
            Kind::Bars => {
                let sum =
                    |place: usize| self.series.iter().filter_map(|series| series.values[place]).sum::<f64>();
                Scale::linear((0..self.times.len()).map(sum).fold(0.0, f64::max))
            }
        }
    }

    /// The legend; each entry also shows and hides its series, which takes no script.
    fn legend(&self) -> Markup {
        html! {
            div.legend {
                @for (place, series) in self.series.iter().enumerate() {
                    label class={ "key " (series.style) } {
                        input type="checkbox" checked class={ "k" (place) };
                        svg.swatch viewBox="0 0 28 12" aria-hidden="true" {
                            @match self.kind {
                                Kind::Lines => { path class={ "line " (series.style) } d="M2 6H26" {} }
                                Kind::Bars => {
                                    rect class={ "bar " (series.style) } x="4" y="0" width="20" height="12" {}
                                }
                            }
                        }
                        span { (series.name) }
                    }
                }
            }
        }
    }

    fn gaps(&self, bottom: f64) -> Markup {
        html! {
            @for gap in &self.gaps {
                @let (x, end) = (self.frame.x(gap.start), self.frame.x(gap.end));
                @let left = x + gap.label.chars().count() as f64 * 5.8 > RIGHT;
                rect.gap x=(at(x)) y=(at(bottom - 12.0)) width=(at((end - x).max(2.0))) height="12" {}
                text.gap-label x=(at(if left { end } else { x })) y=(at(bottom - 16.0))
                    text-anchor=(if left { "end" } else { "start" }) { (gap.label) }
            }
        }
    }

    /// Paths are written here and not by the template: there are thousands of numbers, and nothing to escape.
    fn marks(&self, scale: Scale, bottom: f64) -> String {
        let y = |value: f64| bottom - HEIGHT * scale.place(value);
        let mut below = vec![0.0; self.times.len()];
        let mut svg = String::new();
        for (place, series) in self.series.iter().enumerate() {
            let (path, class) = match self.kind {
                Kind::Lines => (self.line(series, y), "line"),
                Kind::Bars => (self.bars(series, &mut below, y), "bar"),
            };
            svg += &format!("<path class=\"{class} {} p{place}\" d=\"{path}\"></path>", series.style);
        }
        svg
    }

    fn line(&self, series: &Series, y: impl Fn(f64) -> f64) -> String {
        let far = 5.0 * self.spacing();
        let mut path = String::new();
        let mut before: Option<f64> = None;
        for (&seconds, value) in self.times.iter().zip(&series.values) {
            let Some(value) = *value else {
                before = None;
                continue;
            };
            let joined = before.is_some_and(|before| seconds - before <= far);
            path.push(if joined { 'L' } else { 'M' });
            path += &format!("{} {}", at(self.frame.x(seconds)), at(y(value)));
            if !joined {
                path.push_str("h0");
            }
            before = Some(seconds);
        }
        path
    }

    fn bars(&self, series: &Series, below: &mut [f64], y: impl Fn(f64) -> f64) -> String {
        let width = self.spacing();
        let mut path = String::new();
        for ((&seconds, value), below) in self.times.iter().zip(&series.values).zip(below) {
            let value = value.unwrap_or(0.0);
            if value <= 0.0 {
                continue;
            }
            let (left, right) = (self.frame.x(seconds), self.frame.x(seconds + width));
            let (low, high) = (y(*below), y(*below + value));
            *below += value;
            path += &format!("M{} {}V{}H{}V{}Z", at(left), at(low), at(high), at(right), at(low));
        }
        path
    }

    /// The usual distance of two values, in seconds.
    pub(super) fn spacing(&self) -> f64 {
        let mut steps: Vec<f64> = self.times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        steps.sort_by(f64::total_cmp);
        steps.get(steps.len() / 2).copied().unwrap_or(self.frame.end - self.frame.start)
    }

    fn describe(&self) -> String {
        let mut sentences = Vec::new();
        for series in &self.series {
            let known = self.times.iter().zip(&series.values).filter_map(|(&at, &value)| Some((at, value?)));
            let largest = known.max_by(|a, b| a.1.total_cmp(&b.1));
            sentences.push(match largest {
                Some((at, value)) => {
                    format!("{}: at most {}, at {at:.2} s.", series.name, self.unit.show(value))
                }
                None => format!("{}: nothing measured.", series.name),
            });
        }
        for gap in &self.gaps {
            sentences.push(format!("{} from {:.2} s to {:.2} s.", gap.label, gap.start, gap.end));
        }
        sentences.push(self.frame.describe());
        sentences.join(" ")
    }
}
