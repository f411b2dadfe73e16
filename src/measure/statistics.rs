//! What repeated measurements say: a mean with its interval, and whether one way is faster than another.
//!
//! Rates are compared by their ratio within a repetition, since what slows a machine down for a while slows down both; and
//! ratios are averaged as ratios are, geometrically. Intervals are bootstrap percentile intervals (Efron, "Bootstrap
//! Methods: Another Look at the Jackknife"), expanded for small samples (Hesterberg, "What Teachers Should Know About the
//! Bootstrap", section 3.2), as the plain ones are too short for a handful of values.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Samples that are drawn from the sample.
const RESAMPLES: usize = 10_000;
/// The bootstrap's own chance: always the same, so that the same values always give the same interval.
const SEED: u64 = 0x5EED;
/// With fewer values there is no interval that misses only one time in twenty: all of n values lie on the same side of the
/// true median with a chance of 2 / 2ⁿ, which is 6 % of five and 3 % of six.
const FEWEST: usize = 6;
/// The part of the resamples to leave out on each side, of 2 values, of 3, … : Φ(−√(n / (n − 1)) · t), where t is the
/// 97.5 % quantile of Student's t with n − 1 degrees of freedom.
const TAILS: [f64; 29] = [
    1.70e-72, 6.83e-8, 1.19e-4, 9.54e-4, 2.43e-3, 4.11e-3, 5.74e-3, 7.22e-3, 8.55e-3, 9.72e-3, 0.0108,
    0.0117, 0.0125, 0.0132, 0.0139, 0.0144, 0.0150, 0.0154, 0.0159, 0.0163, 0.0166, 0.0170, 0.0173, 0.0176,
    0.0179, 0.0181, 0.0183, 0.0185, 0.0188,
];

/// A geometric mean with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Estimate {
    /// The mean.
    pub mean: f64,
    /// From here.
    pub low: f64,
    /// To here; the true mean lies outside about one time in twenty.
    pub high: f64,
    /// How many values it is made of.
    pub samples: u64,
}

/// One way beside another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// The whole interval of the ratio of their rates is above 1.
    Faster,
    /// It is below 1.
    Slower,
    /// It contains 1, or there are too few values for one.
    Inconclusive,
}

impl Estimate {
    /// Of positive values; `None` where there is none, or one of them is not positive.
    pub fn of(values: &[f64]) -> Option<Estimate> {
        Estimate::resampled(values, RESAMPLES)
    }

    fn resampled(values: &[f64], resamples: usize) -> Option<Estimate> {
        if values.is_empty() || !values.iter().all(|value| value.is_finite() && *value > 0.0) {
            return None;
        }
        let logs: Vec<f64> = values.iter().map(|value| value.ln()).collect();
        let tail = TAILS.get(logs.len().wrapping_sub(2)).copied().unwrap_or(0.025);
        let means = resampled_means(&logs, resamples);
        let left_out = (tail * resamples as f64) as usize;
        let (low, high) = (means[left_out], means[resamples - 1 - left_out]);
        let samples = values.len() as u64;
        Some(Estimate { mean: mean(&logs).exp(), low: low.exp(), high: high.exp(), samples })
    }

    /// Of the ratios of `pairs`, the first of each to the second.
    pub fn of_ratios(pairs: &[(f64, f64)]) -> Option<Estimate> {
        let ratios: Vec<f64> = pairs.iter().map(|(one, other)| one / other).collect();
        Estimate::of(&ratios)
    }

    /// Whether there are values enough for the interval to be what it says.
    pub fn is_interval(&self) -> bool {
        self.samples >= FEWEST as u64
    }

    /// What it says as the ratio of two rates.
    pub fn standing(&self) -> Standing {
        match self {
            _ if !self.is_interval() => Standing::Inconclusive,
            _ if self.low > 1.0 => Standing::Faster,
            _ if self.high < 1.0 => Standing::Slower,
            _ => Standing::Inconclusive,
        }
    }
}

/// The value in the middle; of an even number of them, between the two in the middle. NaN of none.
pub fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[n / 2],
        n => f64::midpoint(values[n / 2 - 1], values[n / 2]),
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The means of samples as large as `values`, drawn from them with repetition; in order.
fn resampled_means(values: &[f64], resamples: usize) -> Vec<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let mut draw = || (0..values.len()).map(|_| values[rng.random_range(0..values.len())]).sum::<f64>();
    let mut means: Vec<f64> = (0..resamples).map(|_| draw() / values.len() as f64).collect();
    means.sort_by(f64::total_cmp);
    means
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, expected: f64, within: f64) {
        assert!((found / expected - 1.0).abs() < within, "{found} is not {expected}");
    }

    #[test]
    fn the_median_of_an_even_number_lies_between() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn the_mean_of_a_ratio_and_of_its_inverse_are_inverse() {
        let pairs = [(2.0, 1.0), (8.0, 1.0), (4.0, 4.0), (1.0, 2.0), (3.0, 1.0)];
        let ratio = Estimate::of_ratios(&pairs).unwrap();
        near(ratio.mean, 24.0_f64.powf(0.2), 1e-12);
        let inverse = Estimate::of_ratios(&pairs.map(|(one, other)| (other, one))).unwrap();
        near(inverse.mean, 1.0 / ratio.mean, 1e-12);
        near(inverse.low, 1.0 / ratio.high, 0.05);
    }

    #[test]
    fn the_interval_of_a_known_sample_is_the_textbooks() {
        // Logarithms 1, 2, …, 20: mean 10.5, standard deviation 5.916; t of 19 degrees of freedom is 2.093, so that
        // Student's interval is 10.5 ± 2.769.
        let values: Vec<f64> = (1..=20).map(|n| f64::from(n).exp()).collect();
        let found = Estimate::of(&values).unwrap();
        near(found.mean.ln(), 10.5, 1e-12);
        near(found.low.ln(), 10.5 - 2.769, 0.02);
        near(found.high.ln(), 10.5 + 2.769, 0.02);
    }

    #[test]
    fn all_resamples_of_two_values_are_known() {
        // Four equally likely resamples with the means 1, 2, 2 and 3.
        let means = resampled_means(&[1.0, 3.0], RESAMPLES);
        let at = |mean: f64| means.iter().filter(|found| **found == mean).count() as f64;
        near(at(1.0), 2_500.0, 0.05);
        near(at(2.0), 5_000.0, 0.05);
        near(at(3.0), 2_500.0, 0.05);
    }

    #[test]
    fn an_interval_contains_the_true_mean_nineteen_times_in_twenty() {
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        // The sum of twelve uniform values is as good as normal.
        let mut normal = || (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0;
        for samples in [6, 10] {
            let mut hit = 0;
            for _ in 0..500 {
                let values: Vec<f64> = (0..samples).map(|_| (1.0 + 0.3 * normal()).exp()).collect();
                let found = Estimate::resampled(&values, 1_000).unwrap();
                hit += usize::from(found.low.ln() <= 1.0 && 1.0 <= found.high.ln());
            }
            // Without the expansion it is 430 to 455 of them.
            assert!((456..490).contains(&hit), "{hit} of 500 intervals of {samples} values");
        }
    }

    #[test]
    fn a_difference_is_told_only_from_what_it_is_told_by() {
        let standing = |ratios: &[f64]| Estimate::of(ratios).unwrap().standing();
        assert_eq!(standing(&[1.1, 1.12, 1.09, 1.11, 1.1, 1.1]), Standing::Faster);
        assert_eq!(standing(&[0.9, 0.88, 0.91, 0.89, 0.9, 0.9]), Standing::Slower);
        assert_eq!(standing(&[0.9, 1.12, 1.0, 0.97, 1.05, 1.0]), Standing::Inconclusive);
        assert_eq!(standing(&[2.0; 5]), Standing::Inconclusive, "too few");
        assert_eq!(standing(&[1.0; 6]), Standing::Inconclusive);
    }

    #[test]
    fn nothing_is_estimated_from_nothing() {
        assert_eq!(Estimate::of(&[]), None);
        assert_eq!(Estimate::of(&[1.0, 0.0]), None);
        assert_eq!(Estimate::of_ratios(&[(1.0, 0.0)]), None);
        let one = Estimate::of(&[7.0]).unwrap();
        assert!(!one.is_interval() && one.low == one.high);
    }
}
