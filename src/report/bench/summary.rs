//! The laps of a method together.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::model::Lap;
use crate::history::Nanos;
use crate::measure::{Estimate, Percentiles, Standing, median};

/// What a method's laps say together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// Seconds of a lap: the median.
    pub seconds: Option<f64>,
    /// Acknowledged tasks a second.
    pub rate: Option<Estimate>,
    /// Medians of the laps' own percentiles, and the largest time of all.
    pub latency: Option<Latency>,
    /// Retries for each task that was done or given up: the mean over all laps.
    pub retries: Option<f64>,
    /// What the counter held: the median.
    pub value: Option<f64>,
    /// Acknowledged tasks lost: the median.
    pub lost: Option<f64>,
    /// Its rate in the base's, lap by lap of the same repetition; `None` of the base itself.
    pub against: Option<Estimate>,
    /// What that says.
    pub standing: Option<Standing>,
}

/// Times to an acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Latency {
    /// Median of the laps' medians.
    pub p50: Nanos,
    /// Median of the laps' 95th percentiles.
    pub p95: Nanos,
    /// Median of the laps' 99th percentiles.
    pub p99: Nanos,
    /// The largest.
    pub max: Nanos,
}

impl Summary {
    /// Of `laps`, compared with those of the base.
    pub(super) fn of(laps: &[Lap], base: &[Lap]) -> Summary {
        let all = |pick: fn(&Lap) -> Option<f64>| laps.iter().map(pick).collect::<Option<Vec<f64>>>();
        let middle = |pick| all(pick).filter(|values| !values.is_empty()).map(|values| median(&values));
        let rates: Vec<f64> = laps.iter().map(|lap| lap.rate).collect();
        let pairs: Vec<(f64, f64)> = laps
            .iter()
            .filter_map(|lap| {
                let other = base.iter().find(|other| other.repetition == lap.repetition)?;
                Some((lap.rate, other.rate))
            })
            .collect();
        let against = Estimate::of_ratios(&pairs);
        let done: u64 = laps.iter().map(|lap| lap.increments.acknowledged + lap.given_up).sum();
        let retries: u64 = laps.iter().map(|lap| lap.retries).sum();
        // What another program did, nobody saw doing.
        let is_seen = laps.iter().any(|lap| lap.latency.is_some());
        Summary {
            seconds: middle(|lap| Some(lap.seconds)),
            rate: Estimate::of(&rates),
            latency: Latency::of(&laps.iter().filter_map(|lap| lap.latency).collect::<Vec<_>>()),
            retries: (done > 0 && is_seen).then(|| retries as f64 / done as f64),
            value: middle(|lap| lap.increments.found.map(|found| found as f64)),
            lost: middle(|lap| Some(lap.balance.lost as f64)),
            against,
            standing: against.map(|against| against.standing()),
        }
    }
}

impl Latency {
    fn of(laps: &[Percentiles]) -> Option<Latency> {
        let middle = |pick: fn(&Percentiles) -> Nanos| {
            let values: Vec<f64> = laps.iter().map(|of| pick(of).0 as f64).collect();
            Nanos(median(&values) as u64)
        };
        let max = laps.iter().map(|of| of.max).max()?;
        Some(Latency { p50: middle(|of| of.p50), p95: middle(|of| of.p95), p99: middle(|of| of.p99), max })
    }
}
