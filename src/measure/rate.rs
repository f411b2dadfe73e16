//! Outcomes and latencies over time.

use super::distribution::Distribution;
use super::load::{Ending, Sample};
use super::{LatencyPoint, RatePoint, Window};
use crate::history::Nanos;

/// The least number of bins, where the load has any length at all.
const LEAST_BINS: u64 = 60;

/// Bins of equal width over the load; the last is wider by what is left, since a sliver has a rate of chance.
#[derive(Debug)]
pub(super) struct Rates {
    start: Nanos,
    width: u64,
    points: Vec<RatePoint>,
    /// Latencies of acknowledged writes, by bin.
    latencies: Vec<Vec<u64>>,
}

impl Rates {
    pub(super) fn new(load: Window) -> Rates {
        let length = load.end.since(load.start).0;
        let width = width(length);
        let bins = length / width;
        let points = (0..bins).map(|bin| RatePoint {
            time: load.start + Nanos(bin * width),
            width: Nanos(if bin + 1 == bins { length - bin * width } else { width }),
            write_ok: 0,
            write_fail: 0,
            write_refused: 0,
            write_info: 0,
            read_ok: 0,
            read_fail: 0,
        });
        Rates {
            start: load.start,
            width,
            points: points.collect(),
            latencies: vec![Vec::new(); bins as usize],
        }
    }

    pub(super) fn add(&mut self, sample: &Sample<'_>) {
        let Some(last) = self.points.len().checked_sub(1) else { return };
        // What completes when the load has ended belongs to the last bin.
        let bin = usize::try_from(sample.end.since(self.start).0 / self.width).unwrap_or(last).min(last);
        let point = &mut self.points[bin];
        match (sample.is_write, sample.ending) {
            (true, Ending::Ok) => {
                point.write_ok += 1;
                self.latencies[bin].push(sample.latency().0);
            }
            (true, Ending::Fail) => point.write_fail += 1,
            (true, Ending::Refused) => point.write_refused += 1,
            (true, Ending::Info) => point.write_info += 1,
            (false, Ending::Ok) => point.read_ok += 1,
            (false, _) => point.read_fail += 1,
        }
    }

    pub(super) fn figures(self) -> (Vec<RatePoint>, Vec<LatencyPoint>) {
        let mut distribution = Distribution::new();
        let mut latency = Vec::new();
        for (point, values) in self.points.iter().zip(self.latencies).filter(|(_, values)| !values.is_empty())
        {
            distribution.clear();
            values.into_iter().for_each(|value| distribution.add(Nanos(value)));
            let of = distribution.percentiles();
            latency.push(LatencyPoint {
                time: point.time,
                p50: of.p50,
                p95: of.p95,
                p99: of.p99,
                max: of.max,
            });
        }
        (self.points, latency)
    }
}

/// The widest of 1, 2, 5, 10, … nanoseconds that leaves at least [`LEAST_BINS`] bins in `length`.
fn width(length: u64) -> u64 {
    let mut width = 1u64;
    for factor in [2, 5, 10].into_iter().cycle() {
        let decade = 10u64.pow(width.ilog10());
        let Some(next) = decade.checked_mul(factor).filter(|next| next * LEAST_BINS <= length) else { break };
        width = next;
    }
    width
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_bin_takes_what_is_left() {
        let ms = Nanos::from_millis;
        let rates = Rates::new(Window { start: ms(0), end: ms(6_020) });
        let (points, _) = rates.figures();
        assert_eq!(points.len(), 60);
        assert_eq!([points[58].width, points[59].width], [ms(100), ms(120)]);
        assert!(Rates::new(Window { start: ms(5), end: ms(5) }).points.is_empty());
    }

    #[test]
    fn bins_have_a_round_width_and_are_at_least_sixty() {
        let second = 1_000_000_000;
        assert_eq!(width(30 * second), second / 2);
        assert_eq!(width(60 * second), second);
        assert_eq!(width(119 * second), second);
        assert_eq!(width(10 * second), second / 10);
        assert_eq!(width(59), 1);
        for length in [60, 1_000, 77 * second, 86_400 * second] {
            let bins = length / width(length);
            assert!((60..=150).contains(&bins), "{length}: {bins} bins");
        }
    }
}
