//! Percentiles of many values in little memory.

use hdrhistogram::Histogram;

use super::Percentiles;
use crate::history::Nanos;

/// Times, counted in buckets of three significant digits (HdrHistogram).
#[derive(Clone, Debug)]
pub(super) struct Distribution {
    histogram: Histogram<u64>,
    max: u64,
}

impl Distribution {
    pub(super) fn new() -> Distribution {
        Distribution { histogram: Histogram::new(3).expect("three digits are in the allowed range"), max: 0 }
    }

    pub(super) fn add(&mut self, time: Nanos) {
        // Unlike its saturating sister, `record` lets the histogram grow.
        self.histogram.record(time.0).expect("the histogram grows to any time");
        self.max = self.max.max(time.0);
    }

    pub(super) fn clear(&mut self) {
        self.histogram.reset();
        self.max = 0;
    }

    /// The largest is exact, the others are never above it.
    pub(super) fn percentiles(&self) -> Percentiles {
        let at = |quantile| Nanos(self.histogram.value_at_quantile(quantile).min(self.max));
        Percentiles {
            count: self.histogram.len(),
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
}
