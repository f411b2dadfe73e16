//! Percentiles of many values in little memory.

use hdrhistogram::Histogram;

use super::Percentiles;
use super::figures::rank;
use crate::history::Nanos;

/// Times, counted in buckets of three significant digits (HdrHistogram).
#[derive(Clone, Debug)]
pub struct Distribution {
    histogram: Histogram<u64>,
    max: u64,
    endless: u64,
}

impl Default for Distribution {
    fn default() -> Distribution {
        Distribution::new()
    }
}

impl Distribution {
    /// Of no times yet.
    pub fn new() -> Distribution {
        Distribution {
            histogram: Histogram::new(3).expect("three digits are in the allowed range"),
            max: 0,
            endless: 0,
        }
    }

    /// Adds a time.
    pub fn add(&mut self, time: Nanos) {
        // Unlike its saturating sister, `record` lets the histogram grow.
        self.histogram.record(time.0).expect("the histogram grows to any time");
        self.max = self.max.max(time.0);
    }

    /// Adds all that `other` holds.
    pub fn merge(&mut self, other: &Distribution) {
        self.histogram.add(&other.histogram).expect("the histogram grows to any time");
        self.max = self.max.max(other.max);
        self.endless += other.endless;
    }

    /// Adds `number` values that are larger than any.
    pub(super) fn add_endless(&mut self, number: u64) {
        self.endless += number;
    }

    pub(super) fn clear(&mut self) {
        self.histogram.reset();
        self.max = 0;
        self.endless = 0;
    }

    /// The largest is exact, the others are never above it.
    pub fn percentiles(&self) -> Percentiles {
        let count = self.histogram.len();
        let at = |quantile| {
            let rank = rank(quantile, count + self.endless).min(count);
            // Half a rank less, so that rounding does not make it the next one.
            let among_known = (rank as f64 - 0.5).max(0.0) / count.max(1) as f64;
            Nanos(self.histogram.value_at_quantile(among_known).min(self.max))
        };
        Percentiles {
            count,
            endless: self.endless,
            p50: at(0.5),
            p95: at(0.95),
            p99: at(0.99),
            p999: at(0.999),
            max: Nanos(self.max),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_have_three_digits_and_an_exact_maximum() {
        let mut distribution = Distribution::new();
        (1..=100_000).for_each(|n| distribution.add(Nanos(n * 1_000)));
        let of = distribution.percentiles();
        assert_eq!((of.count, of.max), (100_000, Nanos(100_000_000)));
        for (found, expected) in
            [(of.p50, 50_000_000), (of.p95, 95_000_000), (of.p99, 99_000_000), (of.p999, 99_900_000)]
        {
            assert!(found.0.abs_diff(expected) * 1_000 <= expected, "{found:?} is not {expected}");
        }
        distribution.clear();
        assert_eq!(distribution.percentiles(), Percentiles::default());
        distribution.add(Nanos(u64::MAX));
        assert_eq!(distribution.percentiles().max, Nanos(u64::MAX));
    }

    #[test]
    fn parts_make_the_whole() {
        let [mut whole, mut odd, mut even] = [(); 3].map(|()| Distribution::new());
        (1..=10_001).for_each(|n| {
            whole.add(Nanos(n * 7));
            if n % 2 == 0 { &mut even } else { &mut odd }.add(Nanos(n * 7));
        });
        odd.add_endless(3);
        whole.add_endless(3);
        even.merge(&odd);
        assert_eq!(even.percentiles(), whole.percentiles());
    }

    #[test]
    fn endless_values_are_larger_than_any() {
        let mut distribution = Distribution::new();
        (1..=51).for_each(|n| distribution.add(Nanos(n)));
        distribution.add_endless(49);
        let of = distribution.percentiles();
        // The 50th of a hundred values, and not the median of the 51 known ones.
        assert_eq!((of.count, of.endless, of.p50, of.max), (51, 49, Nanos(50), Nanos(51)));
        assert_eq!([0.5, 0.51, 0.511, 0.95, 1.0].map(|q| of.is_bound(q)), [false, false, true, true, true]);
        distribution.add_endless(2);
        assert!(distribution.percentiles().is_bound(0.51));
    }
}
