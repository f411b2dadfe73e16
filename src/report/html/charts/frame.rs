//! What all charts of a page share: the time axis and the faults.

use maud::{Markup, html};

use super::axis;
use crate::history::Nanos;
use crate::report::{Report, words};

/// Width of every chart, in its own units.
pub(super) const WIDTH: f64 = 920.0;
/// Where the plot begins.
pub(super) const LEFT: f64 = 68.0;
/// Where the plot ends.
pub(super) const RIGHT: f64 = WIDTH - 14.0;
/// Height of a row of fault labels.
const LANE: f64 = 15.0;

/// The time axis, in seconds from the start of the load, and the faults on it.
pub(in crate::report::html) struct Frame {
    origin: Nanos,
    /// First second shown.
    pub(super) start: f64,
    /// Last second shown.
    pub(super) end: f64,
    bands: Vec<Band>,
    lanes: usize,
}

/// One fault: from its invocation until the node was of use again.
struct Band {
    label: String,
    start: f64,
    end: f64,
    lane: usize,
    left: bool,
}

impl Frame {
    /// The frame that shows all that was measured.
    pub(in crate::report::html) fn of(report: &Report) -> Frame {
        let figures = &report.figures;
        let origin = figures.load.start;
        let mut times = vec![origin, figures.load.end];
        times.extend(figures.rate.iter().flat_map(|bin| [bin.time, bin.time + bin.width]));
        times.extend(figures.lag.iter().flat_map(|lag| lag.points.iter().map(|point| point.time)));
        times.extend(figures.availability.iter().flat_map(|node| node.gaps.iter().map(|gap| gap.end)));
        for fault in &figures.recoveries {
            times.extend([Some(fault.invoked), fault.answered, fault.first_success].into_iter().flatten());
        }
        let seconds = |time: Option<Nanos>| time.map_or(0.0, |time| words::seconds_from(time, origin));
        let start = seconds(times.iter().min().copied());
        let end = seconds(times.iter().max().copied()).max(start + 0.001);
        let mut frame = Frame { origin, start, end, bands: Vec::new(), lanes: 0 };
        for fault in &figures.recoveries {
            let next = words::next(fault, &figures.recoveries).map(|next| next.invoked);
            let back = fault.first_success.or(fault.answered).or(next);
            let gone = words::gone(fault, &figures.recoveries);
            frame.add(Band {
                label: words::fault(fault) + if gone { " (no answer seen)" } else { "" },
                start: frame.seconds(fault.invoked),
                end: back.map_or(end, |time| frame.seconds(time)),
                lane: 0,
                left: false,
            });
        }
        frame
    }

    /// Gives the band the first row in which its label touches no other.
    fn add(&mut self, mut band: Band) {
        let span = |band: &Band, frame: &Frame| {
            let (x, width) = (frame.x(band.start), band.label.chars().count() as f64 * 6.4 + 10.0);
            if band.left { (x - width, x) } else { (x, x + width) }
        };
        band.left = span(&band, self).1 > RIGHT;
        let (from, to) = span(&band, self);
        let free = |lane: usize| {
            let mut others = self.bands.iter().filter(|other| other.lane == lane);
            others.all(|other| {
                let (start, end) = span(other, self);
                to < start || end < from
            })
        };
        band.lane = (0..=self.bands.len()).find(|&lane| free(lane)).unwrap_or(0);
        self.lanes = self.lanes.max(band.lane + 1);
        self.bands.push(band);
    }

    /// Seconds from the start of the load.
    pub(in crate::report::html) fn seconds(&self, time: Nanos) -> f64 {
        words::seconds_from(time, self.origin)
    }

    /// Where a second stands.
    pub(super) fn x(&self, seconds: f64) -> f64 {
        LEFT + (RIGHT - LEFT) * ((seconds - self.start) / (self.end - self.start)).clamp(0.0, 1.0)
    }

    /// Where plots begin: below the labels of the faults.
    pub(super) fn top(&self) -> f64 {
        10.0 + LANE * self.lanes as f64
    }

    /// The faults, hatched from `top` to `bottom`, with their labels above.
    pub(super) fn bands(&self, bottom: f64) -> Markup {
        let top = self.top();
        html! {
            g class="bands" {
                @for band in &self.bands {
                    @let x = self.x(band.start);
                    @let width = (self.x(band.end) - x).max(2.0);
                    @let y = LANE * band.lane as f64 + 14.0;
                    rect class="band" x=(at(x)) y=(at(top)) width=(at(width)) height=(at(bottom - top)) {}
                    path class="band-edge" d={ "M" (at(x)) " " (at(y - 9.0)) "V" (at(bottom)) } {}
                    text class="band-label" x=(at(if band.left { x - 4.0 } else { x + 4.0 })) y=(at(y))
                        text-anchor=(if band.left { "end" } else { "start" }) { (band.label) }
                }
            }
        }
    }

    /// The time axis at `y`, with lines up to `top`.
    pub(super) fn axis(&self, top: f64, y: f64) -> Markup {
        html! {
            g class="axis" {
                @for (seconds, text) in axis::seconds(self.start, self.end) {
                    @let x = at(self.x(seconds));
                    path class="grid" d={ "M" (x) " " (at(top)) "V" (at(y)) } {}
                    text x=(x) y=(at(y + 18.0)) text-anchor="middle" { (text) }
                }
                path class="base" d={ "M" (at(LEFT)) " " (at(y)) "H" (at(RIGHT)) } {}
            }
        }
    }

    /// The faults in a sentence, for those who do not see them.
    pub(super) fn describe(&self) -> String {
        let faults: Vec<String> = (self.bands.iter())
            .map(|band| format!("{} from {:.2} s to {:.2} s", band.label, band.start, band.end))
            .collect();
        if faults.is_empty() { "No faults.".to_owned() } else { format!("Faults: {}.", faults.join("; ")) }
    }
}

/// A coordinate: one decimal is a tenth of a pixel.
pub(in crate::report) fn at(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}
