//! The axis of time, broken where nothing begins or ends for long.

use crate::history::Nanos;
use crate::report::html::charts::nice_step;

/// Width of a break.
const BREAK: f64 = 34.0;
/// How much longer than all that is drawn to scale a stretch has to be, to be broken.
const LONG: u64 = 4;
/// Room for a tick and its number.
const TICK: f64 = 62.0;

/// From moments to places.
#[derive(Clone, Debug)]
pub(super) struct Scale {
    pieces: Vec<Piece>,
    origin: u64,
    unit: (f64, &'static str),
    /// Where it begins.
    pub(super) left: f64,
    /// Where it ends.
    pub(super) right: f64,
}

/// A stretch between two neighbouring events.
#[derive(Clone, Copy, Debug)]
struct Piece {
    start: u64,
    end: u64,
    x0: f64,
    x1: f64,
    is_broken: bool,
}

/// A stretch that is not drawn to its length.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Break {
    /// Its middle.
    pub(super) x: f64,
    /// How long it is.
    pub(super) length: Nanos,
}

impl Scale {
    /// The scale that shows every moment of `times` between `left` and `right`.
    pub(super) fn new(times: impl IntoIterator<Item = Nanos>, left: f64, right: f64) -> Scale {
        let mut times: Vec<u64> = times.into_iter().map(|time| time.0).collect();
        times.sort_unstable();
        times.dedup();
        let first = times.first().copied().unwrap_or_default();
        if times.len() < 2 {
            times = vec![first, first.saturating_add(1)];
        }
        let lengths: Vec<u64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let limit = limit(&lengths);
        let broken = lengths.iter().filter(|&&length| length > limit).count() as f64;
        let drawn: u64 = lengths.iter().filter(|&&length| length <= limit).sum();
        let width = BREAK.min((right - left) / 2.0 / broken.max(1.0));
        let per_nano = (right - left - width * broken) / drawn.max(1) as f64;
        let mut x = left;
        let piece = |(pair, &length): (&[u64], &u64)| {
            let is_broken = length > limit;
            let x0 = x;
            x += if is_broken { width } else { length as f64 * per_nano };
            Piece { start: pair[0], end: pair[1], x0, x1: x, is_broken }
        };
        let pieces = times.windows(2).zip(&lengths).map(piece).collect();
        let unit = match drawn {
            0..1_000 => (1.0, "ns"),
            1_000..1_000_000 => (1e3, "µs"),
            _ => (1e6, "ms"),
        };
        Scale { pieces, origin: first, unit, left, right }
    }

    /// Where `time` stands.
    pub(super) fn x(&self, time: Nanos) -> f64 {
        let Some(piece) = self.pieces.iter().find(|piece| time.0 <= piece.end) else { return self.right };
        let share = time.0.saturating_sub(piece.start) as f64 / (piece.end - piece.start) as f64;
        piece.x0 + (piece.x1 - piece.x0) * share
    }

    /// What the numbers count: `ms`.
    pub(super) fn unit(&self) -> &'static str {
        self.unit.1
    }

    /// The stretches that are not drawn to their length.
    pub(super) fn breaks(&self) -> Vec<Break> {
        let broken = self.pieces.iter().filter(|piece| piece.is_broken);
        broken
            .map(|piece| Break { x: (piece.x0 + piece.x1) / 2.0, length: Nanos(piece.end - piece.start) })
            .collect()
    }

    /// Places worth a number, from the first event on; no two numbers touch.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        let mut ticks: Vec<(f64, String)> = Vec::new();
        for run in self.pieces.chunk_by(|a, b| a.is_broken == b.is_broken).filter(|run| !run[0].is_broken) {
            let (first, last) = (run[0], run[run.len() - 1]);
            let at = |nanos: u64| (nanos - self.origin) as f64 / self.unit.0;
            let (start, end) = (at(first.start), at(last.end));
            let parts = ((last.x1 - first.x0) / TICK).floor().max(1.0) as u32;
            let step = nice_step(end - start, parts);
            let numbers = (start / step).ceil() as i64..=(end / step).floor() as i64;
            let mut values: Vec<f64> = numbers.map(|number| number as f64 * step).collect();
            if values.is_empty() {
                values.push(start);
            }
            for value in values {
                let x = first.x0 + (last.x1 - first.x0) * (value - start) / (end - start);
                let text = number(value);
                let room = TICK.max(text.len() as f64 * 6.6 + 12.0);
                let of_before = |before: &str| TICK.max(before.len() as f64 * 6.6 + 12.0);
                if ticks.last().is_none_or(|(before, text)| x - before >= (room + of_before(text)) / 2.0) {
                    ticks.push((x, text));
                }
            }
        }
        ticks
    }
}

/// The longest length that is drawn: what is longer is several times as long as all shorter ones together, and at most every
/// second stretch is.
fn limit(lengths: &[u64]) -> u64 {
    let mut sorted = lengths.to_vec();
    sorted.sort_unstable();
    let mut sum = 0u64;
    for (place, &length) in sorted.iter().enumerate() {
        let is_few = (sorted.len() - place) * 2 <= sorted.len();
        if sum > 0 && is_few && length > sum.saturating_mul(LONG) {
            return sorted[place - 1];
        }
        sum = sum.saturating_add(length);
    }
    u64::MAX
}

fn number(value: f64) -> String {
    let text = format!("{value:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale(times: &[u64]) -> Scale {
        Scale::new(times.iter().map(|&ms| Nanos::from_millis(ms)), 100.0, 600.0)
    }

    #[test]
    fn long_idle_stretches_are_broken_and_others_are_not() {
        let lengths = |times: &[u64]| -> Vec<u64> {
            scale(times).breaks().iter().map(|one| one.length.0 / 1_000_000).collect()
        };
        assert_eq!(lengths(&[0, 10, 1_000, 1_010]), [990]);
        assert_eq!(lengths(&[0, 1, 1_000, 1_001, 3_000, 3_001]), [999, 1_999]);
        assert_eq!(lengths(&[0, 5, 9, 20, 24]), [0; 0]);
        assert_eq!(lengths(&[0, 100]), [0; 0]);
        assert_eq!(lengths(&[5]), [0; 0]);
        assert_eq!(lengths(&[]), [0; 0]);
    }

    #[test]
    fn later_is_further_right_and_all_is_shown() {
        for times in [&[0, 10, 1_000, 1_010][..], &[7], &[], &[0, 1, 2, 900_000], &[3, 4, 4, 5]] {
            let scale = scale(times);
            let places: Vec<f64> = times.iter().map(|&ms| scale.x(Nanos::from_millis(ms))).collect();
            assert!(places.windows(2).all(|pair| pair[0] <= pair[1]), "{times:?}: {places:?}");
            assert!(places.iter().all(|x| (99.999..=600.001).contains(x)), "{times:?}: {places:?}");
            assert!(scale.ticks().iter().all(|(x, _)| (99.999..=600.001).contains(x)), "{times:?}");
        }
    }

    #[test]
    fn numbers_are_round_count_from_the_first_event_and_do_not_touch() {
        let numbers =
            |scale: &Scale| -> Vec<String> { scale.ticks().into_iter().map(|(_, text)| text).collect() };
        assert_eq!(numbers(&scale(&[5, 15])), ["0", "2", "4", "6", "8", "10"]);
        let broken = scale(&[5, 10, 1_000, 1_010]);
        assert!(numbers(&broken).contains(&"1000".to_owned()), "{:?}", broken.ticks());
        for scale in [broken, scale(&[0, 3, 90_000, 90_001]), scale(&[0, 1, 1_000_000, 1_000_001, 5_000_000])]
        {
            let ticks = scale.ticks();
            for pair in ticks.windows(2) {
                let half = |text: &str| text.len() as f64 * 3.3;
                assert!(pair[0].0 + half(&pair[0].1) < pair[1].0 - half(&pair[1].1), "{ticks:?}");
            }
        }
        let short = Scale::new([Nanos(10), Nanos(17)], 100.0, 600.0);
        assert_eq!((short.unit(), numbers(&short).first().map(String::as_str)), ("ns", Some("0")));
    }
}
