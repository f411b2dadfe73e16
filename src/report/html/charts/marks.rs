//! What a chart draws into its frame: lines, bars, gaps.

use maud::{Markup, html};

use super::axis::Scale;
use super::frame::{RIGHT, at};
use super::plot::{Gap, HEIGHT, Kind, Plot, Series};

impl Plot<'_> {
    /// The gaps, each with its reason.
    pub(super) fn gaps(&self, bottom: f64) -> Markup {
        html! {
            @for (gap, row) in self.gaps.iter().zip(self.gap_rows()) {
                @let (x, end) = (self.frame.x(gap.start), self.frame.x(gap.end));
                @let left = self.leftwards(gap);
                rect.gap x=(at(x)) y=(at(bottom - 12.0)) width=(at((end - x).max(2.0))) height="12" {}
                text.gap-label x=(at(if left { end } else { x })) y=(at(bottom - 16.0 - 13.0 * row as f64))
                    text-anchor=(if left { "end" } else { "start" }) { (gap.label) }
            }
        }
    }

    /// For each gap the row of its label: the lowest in which it touches no label before it.
    fn gap_rows(&self) -> Vec<usize> {
        let mut taken: Vec<f64> = Vec::new();
        let row = |gap: &Gap| {
            let width = label_width(gap);
            let from =
                if self.leftwards(gap) { self.frame.x(gap.end) - width } else { self.frame.x(gap.start) };
            let row = taken.iter().position(|&end| end <= from).unwrap_or(taken.len());
            match taken.get_mut(row) {
                Some(end) => *end = from + width,
                None => taken.push(from + width),
            }
            row
        };
        self.gaps.iter().map(row).collect()
    }

    fn leftwards(&self, gap: &Gap) -> bool {
        self.frame.x(gap.start) + label_width(gap) > RIGHT
    }

    /// Paths are written here and not by the template: there are thousands of numbers, and nothing to escape.
    pub(super) fn marks(&self, scale: Scale, bottom: f64) -> String {
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

    /// Of many values, the largest of each stretch: more points than that hide the dashes, and no peak is lost.
    fn line(&self, series: &Series, y: impl Fn(f64) -> f64) -> String {
        let size = self.stretch();
        let far = 5.0 * self.spacing() * size as f64;
        let mut path = String::new();
        let mut before: Option<f64> = None;
        for (times, values) in self.times.chunks(size).zip(series.values.chunks(size)) {
            let known = times.iter().zip(values).filter_map(|(&seconds, &value)| Some((seconds, value?)));
            let Some((seconds, value)) = known.max_by(|a, b| a.1.total_cmp(&b.1)) else {
                before = None;
                continue;
            };
            let joined =
                before.is_some_and(|before| seconds - before <= far && !self.interrupted(before, seconds));
            path.push(if joined { 'L' } else { 'M' });
            path += &format!("{} {}", at(self.frame.x(seconds)), at(y(value)));
            if !joined {
                path.push_str("h0");
            }
            before = Some(seconds);
        }
        path
    }

    /// Whether there was a gap between two moments, however short.
    fn interrupted(&self, from: f64, to: f64) -> bool {
        self.gaps.iter().any(|gap| gap.start < to && from < gap.end)
    }

    /// How many values one point of a line stands for.
    pub(super) fn stretch(&self) -> usize {
        const POINTS: usize = 320;
        self.times.len().div_ceil(POINTS).max(1)
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
}

fn label_width(gap: &Gap) -> f64 {
    gap.label.chars().count() as f64 * 6.2
}
