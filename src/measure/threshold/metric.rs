//! The figures that can be limited, and their names.

use std::fmt;
use std::str::FromStr;

use super::Unit;
use crate::history::{CounterOp, Nanos, Operation, OrdersOp};
use crate::measure::Percentiles;

/// A percentile, or the largest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stat {
    /// Median.
    P50,
    /// 95th percentile.
    P95,
    /// 99th percentile.
    P99,
    /// 99.9th percentile.
    P999,
    /// The largest.
    Max,
}

impl Stat {
    /// In ascending order.
    pub const ALL: [Stat; 5] = [Stat::P50, Stat::P95, Stat::P99, Stat::P999, Stat::Max];

    /// Its place among the values in ascending order, from 0 to 1.
    pub fn quantile(self) -> f64 {
        match self {
            Stat::P50 => 0.5,
            Stat::P95 => 0.95,
            Stat::P99 => 0.99,
            Stat::P999 => 0.999,
            Stat::Max => 1.0,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Stat::P50 => "p50",
            Stat::P95 => "p95",
            Stat::P99 => "p99",
            Stat::P999 => "p999",
            Stat::Max => "max",
        }
    }

    /// Its value; `None` of nothing. A lower bound where [`Percentiles::is_bound`] says so.
    pub fn of(self, percentiles: &Percentiles) -> Option<Nanos> {
        let value = match self {
            Stat::P50 => percentiles.p50,
            Stat::P95 => percentiles.p95,
            Stat::P99 => percentiles.p99,
            Stat::P999 => percentiles.p999,
            Stat::Max => percentiles.max,
        };
        (percentiles.count > 0).then_some(value)
    }
}

/// A figure that can be limited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Metric {
    /// `lag.p99`: from acknowledgement to the first read that shows it, on the worst replica; what no read showed took
    /// longer than any.
    Lag(Stat),
    /// `lag.replay.p99`: PostgreSQL's `replay_lag`, of the worst replica.
    ReplayLag(Stat),
    /// `lag.bytes.max`: the largest distance to the replay position, of the worst replica, also while it has no
    /// connection.
    LagBytes,
    /// `latency.order.p99`: on the worst node; what got no answer took longer than any. Spaces in an operation's name are dashes.
    Latency(&'static str, Stat),
    /// `rate.ok`: acknowledged writes per second of load.
    WriteRate,
    /// `rate.reads`: answered reads per second of load.
    ReadRate,
    /// `unavailable.max`: the longest time in which a node served nobody who asked.
    Unavailable,
    /// `errors.unknown`: operations whose outcome is unknown.
    Unknown,
    /// `errors.failed`: operations that failed, those refused by the application's own rule not counted.
    Failed,
    /// `errors.refused`: operations refused by the application's own rule.
    Refused,
}

/// The names of the load's operations.
fn operations() -> [&'static str; 5] {
    [
        OrdersOp::Order { product: 1, quantity: 1, price: 0 }.name(),
        OrdersOp::Stock.name(),
        CounterOp::Increment { key: 1 }.name(),
        CounterOp::ReadOwn { key: 1, writer: 0 }.name(),
        CounterOp::ReadAll.name(),
    ]
}

impl Metric {
    /// Every metric, in the order of the documentation.
    pub fn all() -> Vec<Metric> {
        let lag = Stat::ALL.map(Metric::Lag);
        let replay = Stat::ALL.map(Metric::ReplayLag);
        let latency =
            operations().into_iter().flat_map(|name| Stat::ALL.map(|stat| Metric::Latency(name, stat)));
        let others = [
            Metric::WriteRate,
            Metric::ReadRate,
            Metric::Unavailable,
            Metric::Unknown,
            Metric::Failed,
            Metric::Refused,
        ];
        lag.into_iter().chain(replay).chain([Metric::LagBytes]).chain(latency).chain(others).collect()
    }

    /// What it is counted in.
    pub fn unit(&self) -> Unit {
        match self {
            Metric::Lag(_) | Metric::ReplayLag(_) | Metric::Latency(..) | Metric::Unavailable => Unit::Time,
            Metric::LagBytes => Unit::Bytes,
            Metric::WriteRate | Metric::ReadRate => Unit::PerSecond,
            Metric::Unknown | Metric::Failed | Metric::Refused => Unit::Number,
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Metric::Lag(stat) => write!(f, "lag.{}", stat.name()),
            Metric::ReplayLag(stat) => write!(f, "lag.replay.{}", stat.name()),
            Metric::LagBytes => f.write_str("lag.bytes.max"),
            Metric::Latency(operation, stat) => {
                write!(f, "latency.{}.{}", operation.replace(' ', "-"), stat.name())
            }
            Metric::WriteRate => f.write_str("rate.ok"),
            Metric::ReadRate => f.write_str("rate.reads"),
            Metric::Unavailable => f.write_str("unavailable.max"),
            Metric::Unknown => f.write_str("errors.unknown"),
            Metric::Failed => f.write_str("errors.failed"),
            Metric::Refused => f.write_str("errors.refused"),
        }
    }
}

impl FromStr for Metric {
    type Err = String;

    fn from_str(text: &str) -> Result<Metric, String> {
        let mut known: Vec<(String, Metric)> =
            Metric::all().into_iter().map(|metric| (metric.to_string(), metric)).collect();
        if let Some(place) = known.iter().position(|(name, _)| name == text) {
            return Ok(known.swap_remove(place).1);
        }
        let close = |name: &str| strsim::damerau_levenshtein(name, text);
        let nearest = known.iter().map(|(name, _)| (close(name), name)).min();
        let suggestion = match nearest {
            Some((distance, name)) if distance <= 4 => format!("; did you mean `{name}`?"),
            _ => ".".to_owned(),
        };
        Err(format!(
            "there is no metric `{text}`{suggestion} Known are lag, lag.replay and latency.<operation>, each with .p50, .p95, .p99, .p999 or .max; lag.bytes.max, rate.ok, rate.reads, unavailable.max, errors.unknown, errors.failed, errors.refused. Operations are {}. Guarantees such as durability are no figures: see `--require`",
            operations().map(|name| name.replace(' ', "-")).join(", ")
        ))
    }
}
