//! Where everything stands. Each lane has a bar on the axis of time, its operations below, and at the right a badge;
//! arrows lead from badge to badge, each in rows and a track of its own, so that no label touches another.

use super::scale::Scale;
use super::text::{CODE, Part, columns, lines, shorten, shown, wrapped};
use super::{Ending, Picture};
use crate::history::Nanos;

/// The least width of a picture, that of a page's charts.
const WIDTH: f64 = 920.0;
/// The least width of the axis of time.
const PLOT: f64 = 380.0;
const MARGIN: f64 = 14.0;
/// Height of the line that names a node.
const NODE: f64 = 26.0;
/// Height of a bar.
pub(super) const BAR: f64 = 14.0;
/// Height of a line of operations.
const LINE: f64 = 16.0;
/// Height of an arrow's row at a badge.
const ROW: f64 = 19.0;
/// Width of a badge.
const BADGE: f64 = 34.0;
/// Distance of two tracks.
const TRACK: f64 = 17.0;
/// Room between the label of an arrow and what is left and right of it.
const AIR: f64 = 10.0;
/// The most columns of a label.
const LABEL: usize = 30;

/// A rectangle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Area {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
}

/// Everything's place.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) scale: Scale,
    /// The lines above, with their baselines; the first is the title.
    pub(super) heading: Vec<(f64, String)>,
    /// The names of nodes, with their baselines.
    pub(super) nodes: Vec<(f64, String)>,
    /// From the first lane to the axis.
    pub(super) top: f64,
    pub(super) axis: f64,
    /// From top to bottom.
    pub(super) lanes: Vec<LaneAt>,
    pub(super) arrows: Vec<ArrowAt>,
    /// Where the rows below the axis begin.
    pub(super) legend: f64,
}

/// A lane's place.
#[derive(Clone, Debug)]
pub(super) struct LaneAt {
    /// Which.
    pub(super) lane: usize,
    pub(super) bar: Area,
    /// Lines of operations: where they begin, and their baseline.
    pub(super) lines: Vec<(f64, f64, Vec<Part>)>,
    pub(super) badge: Area,
}

/// An arrow's place: from a badge to the right, along its track, and back to another badge.
#[derive(Clone, Debug)]
pub(super) struct ArrowAt {
    /// Which.
    pub(super) arrow: usize,
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) track: f64,
    pub(super) label: Area,
    pub(super) text: String,
}

/// What stands below the axis.
pub(super) const LEGEND_ROW: f64 = 19.0;

impl Layout {
    /// The places of a picture; with a heading where it stands alone.
    pub(super) fn new(picture: &Picture, is_alone: bool) -> Layout {
        let order = order(picture);
        let ends = Ends::new(picture, &order);
        let texts: Vec<String> =
            picture.arrows.iter().map(|arrow| shorten(&shown(&arrow.label), LABEL)).collect();
        let label = texts.iter().map(|text| columns(text) as f64 * CODE).fold(0.0, f64::max);
        let gutter = if texts.is_empty() { 0.0 } else { AIR + label + AIR + TRACK * ends.tracks as f64 };
        let badge = if texts.is_empty() { 0.0 } else { BADGE };
        let left = names(picture);
        let width = WIDTH.max(left + PLOT + AIR + badge + gutter + MARGIN);
        let right = width - MARGIN - gutter - badge - AIR;
        let scale = Scale::new(times(picture), left, right);
        let mut layout = Layout {
            width,
            height: 0.0,
            scale,
            heading: heading(picture, width, is_alone),
            nodes: Vec::new(),
            top: 0.0,
            axis: 0.0,
            lanes: Vec::new(),
            arrows: Vec::new(),
            legend: 0.0,
        };
        layout.top = layout.heading.last().map_or(2.0, |(y, _)| y + 10.0);
        layout.lanes(picture, &order, &ends, [right + AIR, badge]);
        layout.arrows(picture, &ends, &texts, right + AIR + badge, label);
        let kinds = kinds(picture).len() + usize::from(picture.note.is_some());
        layout.legend = layout.axis + 44.0;
        layout.height = layout.legend + LEGEND_ROW * kinds as f64 + 4.0;
        layout
    }

    fn lanes(&mut self, picture: &Picture, order: &[usize], ends: &Ends, [badge, badge_width]: [f64; 2]) {
        let (left, right) = (self.scale.left, self.scale.right);
        let mut y = self.top;
        let mut node: Option<&str> = None;
        for &place in order {
            let lane = &picture.lanes[place];
            if node != Some(&lane.node) {
                node = Some(&lane.node);
                self.nodes.push((y + 17.0, shorten(&shown(&lane.node), 60)));
                y += NODE;
            }
            let top = y + 7.0;
            let [start, end] = if picture.is_timed {
                let end = if lane.ending == Ending::Unknown { right } else { self.scale.x(lane.end) };
                [self.scale.x(lane.start), end]
            } else {
                [left, right]
            };
            let start = start.min(right - 3.0);
            let bar = Area { left: start, top, right: end.max(start + 3.0), bottom: top + BAR };
            let found = lines(&lane.operations, ((right - left) / CODE) as usize);
            let mut below = Vec::new();
            for (line, parts) in (1..).zip(found) {
                let width = parts.iter().map(|(text, _)| columns(text)).sum::<usize>() as f64 * CODE;
                let x = start.min(right - width).max(left);
                below.push((x, bar.bottom + LINE * f64::from(line) - 2.0, parts));
            }
            // Under the name is room for how it ended.
            let rows = below.len().max(usize::from(lane.ending != Ending::Acknowledged)) as f64;
            let ports = ends.of(place).max(1) as f64;
            let bottom = (bar.bottom + LINE * rows).max(top - 2.0 + ROW * ports) + 9.0;
            let badge = Area {
                left: badge,
                top: top - 2.0,
                right: badge + badge_width,
                bottom: top - 2.0 + ROW * ports,
            };
            self.lanes.push(LaneAt { lane: place, bar, lines: below, badge });
            y = bottom;
        }
        self.axis = y + 4.0;
    }

    fn arrows(&mut self, picture: &Picture, ends: &Ends, texts: &[String], badge: f64, label: f64) {
        let top = |lane: usize| self.lanes.iter().find(|at| at.lane == lane).map_or(0.0, |at| at.badge.top);
        let row = |lane: usize, port: usize| top(lane) + ROW * (port as f64 + 0.5);
        for (place, text) in texts.iter().enumerate() {
            let arrow = &picture.arrows[place];
            let [from, to] = [row(arrow.from, ends.ports[place][0]), row(arrow.to, ends.ports[place][1])];
            let left = badge + AIR;
            let width = columns(text) as f64 * CODE;
            let at = ArrowAt {
                arrow: place,
                from,
                to,
                track: left + label + AIR + TRACK * (ends.track[place] as f64 + 0.5),
                label: Area { left, top: from - 7.0, right: left + width, bottom: from + 7.0 },
                text: text.clone(),
            };
            self.arrows.push(at);
        }
    }
}

/// Lanes by node, process and time; the primary comes first.
fn order(picture: &Picture) -> Vec<usize> {
    let mut order: Vec<usize> = (0..picture.lanes.len()).collect();
    order.sort_by_key(|&place| {
        let lane = &picture.lanes[place];
        (lane.node != "primary", lane.node.as_str(), lane.process, lane.start, place)
    });
    order
}

fn names(picture: &Picture) -> f64 {
    let longest = picture.lanes.iter().map(|lane| who(lane).chars().count()).max().unwrap_or(0);
    let name = picture.lanes.iter().map(|lane| lane.name.chars().count()).max().unwrap_or(0);
    (MARGIN + 8.6 * name as f64 + 10.0 + 6.8 * longest as f64 + 14.0).max(100.0)
}

/// Who ran a lane.
pub(super) fn who(lane: &super::Lane) -> String {
    format!("process {}", lane.process)
}

fn times(picture: &Picture) -> Vec<Nanos> {
    let mut times: Vec<Nanos> = picture.lanes.iter().flat_map(|lane| [lane.start, lane.end]).collect();
    times.sort_unstable();
    // What may still go on, goes on beyond the last event.
    if let (Some(&first), Some(&last)) = (times.first(), times.last())
        && picture.lanes.iter().any(|lane| lane.ending == Ending::Unknown)
    {
        times.push(Nanos(last.0 + (last.since(first).0 / 8).max(1)));
    }
    times
}

fn heading(picture: &Picture, width: f64, is_alone: bool) -> Vec<(f64, String)> {
    if !is_alone {
        return Vec::new();
    }
    let room = width - 2.0 * MARGIN;
    let title = shorten(&shown(&picture.title), (room / 9.5) as usize);
    let about = wrapped(&picture.about, room);
    (0..)
        .zip(std::iter::once(title).chain(about))
        .map(|(line, text)| (26.0 + 19.0 * f64::from(line), text))
        .collect()
}

/// The kinds of arrows that are there.
pub(super) fn kinds(picture: &Picture) -> Vec<super::Kind> {
    let mut kinds: Vec<super::Kind> = picture.arrows.iter().map(|arrow| arrow.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

/// Which row of its badges each arrow begins and ends in, and its track.
#[derive(Debug)]
struct Ends {
    ports: Vec<[usize; 2]>,
    track: Vec<usize>,
    counts: Vec<usize>,
    tracks: usize,
}

impl Ends {
    /// Of arrows that go up, the shortest is at the top of a badge, of those that go down the longest: so none crosses
    /// another one at its own badge. Short ones have inner tracks.
    fn new(picture: &Picture, order: &[usize]) -> Ends {
        let mut rank = vec![0i64; order.len()];
        (0..).zip(order).for_each(|(place, &lane)| rank[lane] = place);
        let arrows = &picture.arrows;
        let mut ends = Ends {
            ports: vec![[0; 2]; arrows.len()],
            track: vec![0; arrows.len()],
            counts: vec![0; order.len()],
            tracks: 0,
        };
        for lane in 0..order.len() {
            let mut at: Vec<(i64, usize, usize)> = Vec::new();
            for (place, arrow) in arrows.iter().enumerate() {
                for (side, own, other) in [(0, arrow.from, arrow.to), (1, arrow.to, arrow.from)] {
                    if own == lane {
                        let way = rank[other] - rank[lane];
                        // −1, −2, …, then …, 2, 1.
                        at.push((if way < 0 { -way } else { i64::MAX - way }, place, side));
                    }
                }
            }
            // Two arrows between the same lanes lie within each other.
            at.sort_by_key(|&(key, place, _)| {
                (key, if key > i64::MAX / 2 { usize::MAX - place } else { place })
            });
            ends.counts[lane] = at.len();
            (0..).zip(at).for_each(|(port, (_, place, side))| ends.ports[place][side] = port);
        }
        ends.take_tracks(picture, &rank);
        ends
    }

    fn take_tracks(&mut self, picture: &Picture, rank: &[i64]) {
        let span = |(arrow, ports): (&super::Arrow, &[usize; 2])| {
            let (a, b) = ((rank[arrow.from], ports[0]), (rank[arrow.to], ports[1]));
            (a.min(b), a.max(b))
        };
        let spans: Vec<_> = picture.arrows.iter().zip(&self.ports).map(span).collect();
        let mut by_length: Vec<usize> = (0..spans.len()).collect();
        by_length.sort_by_key(|&place| (spans[place].1.0 - spans[place].0.0, place));
        let mut taken: Vec<Vec<usize>> = Vec::new();
        for place in by_length {
            let (start, end) = spans[place];
            let is_free = |track: &Vec<usize>| {
                track.iter().all(|&other| end < spans[other].0 || spans[other].1 < start)
            };
            let track = taken.iter().position(is_free).unwrap_or(taken.len());
            if track == taken.len() {
                taken.push(Vec::new());
            }
            taken[track].push(place);
            self.track[place] = track;
        }
        self.tracks = taken.len();
    }

    fn of(&self, lane: usize) -> usize {
        self.counts[lane]
    }
}
