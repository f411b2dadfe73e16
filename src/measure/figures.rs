//! What is measured, as values: everything that a report shows a number or a chart of.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::history::{CauseClass, LinkState, Nanos, NodeName};

/// Everything measured in a run. Times are nanoseconds since the load's start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Figures {
    /// From the start of the load to the last invocation of one of its operations; what is answered later counts.
    pub load: Window,
    /// By operation and node, in the order of reports.
    pub operations: Vec<OperationFigures>,
    /// Outcomes over time, in bins of equal width (at least 60 of them, so that a short run has a chart too).
    pub rate: Vec<RatePoint>,
    /// Latency of the load's writes over time, same bins; bins without a success are left out.
    pub latency: Vec<LatencyPoint>,
    /// By replica.
    pub lag: Vec<LagFigures>,
    /// By fault, in order.
    pub recoveries: Vec<Recovery>,
    /// By node: when it answered nobody.
    pub availability: Vec<Availability>,
    /// By endpoint: when it answered no write, and when no read.
    #[serde(default)]
    pub outages: Vec<Outage>,
    /// Errors by class, SQLSTATE, operation and node; most frequent first.
    pub errors: Vec<ErrorCount>,
    /// The lab itself.
    pub lab: LabFigures,
}

/// From `start` to `end`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Window {
    /// Included.
    pub start: Nanos,
    /// Not included.
    pub end: Nanos,
}

/// Exact percentiles to three digits (HdrHistogram); nanoseconds. They are of the known values and the endless ones
/// together, an endless one being larger than any: where a rank falls among those, the percentile is the largest known
/// value, and only a lower bound ([`Percentiles::is_bound`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Percentiles {
    /// How many values are known; with 0 the percentiles mean nothing.
    pub count: u64,
    /// How many had no end that anybody saw.
    pub endless: u64,
    /// Median.
    pub p50: Nanos,
    /// 95th percentile.
    pub p95: Nanos,
    /// 99th percentile.
    pub p99: Nanos,
    /// 99.9th percentile.
    pub p999: Nanos,
    /// The largest.
    pub max: Nanos,
}

impl Percentiles {
    /// Whether the percentile at `quantile` is only a lower bound, because its rank falls among the endless values.
    pub fn is_bound(&self, quantile: f64) -> bool {
        rank(quantile, self.count + self.endless) > self.count
    }
}

/// The place of `quantile` among `total` values in ascending order, the first being 1.
pub(super) fn rank(quantile: f64, total: u64) -> u64 {
    ((quantile * total as f64).ceil() as u64).clamp(1, total.max(1))
}

/// One operation on one node. `invoked = ok + fail + info`, always.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OperationFigures {
    /// `orders` or `counter`.
    pub workload: String,
    /// [`Operation::name`](crate::history::Operation::name).
    pub operation: String,
    /// Where.
    #[schemars(with = "String")]
    pub node: NodeName,
    /// Started.
    pub invoked: u64,
    /// Succeeded.
    pub ok: u64,
    /// Certainly did not happen.
    pub fail: u64,
    /// Of these, refused by the application's own rule (out of stock): expected.
    pub refused: u64,
    /// Unknown.
    pub info: u64,
    /// Successes per second of the load's window.
    pub ok_per_second: f64,
    /// Latency of successes; endless are those of unknown outcome and those that failed by their deadline.
    pub latency: Percentiles,
}

/// Outcomes of one bin, by completion time; writes and reads apart. The last bin has what completed after the load too.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RatePoint {
    /// Start of the bin.
    pub time: Nanos,
    /// Width of the bin.
    pub width: Nanos,
    /// Writes acknowledged.
    pub write_ok: u64,
    /// Writes that certainly did not happen, refused ones not counted.
    pub write_fail: u64,
    /// Writes refused by the application's own rule.
    pub write_refused: u64,
    /// Writes with unknown outcome.
    pub write_info: u64,
    /// Reads answered.
    pub read_ok: u64,
    /// Reads not answered.
    pub read_fail: u64,
}

/// Latency of acknowledged writes that completed in one bin.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LatencyPoint {
    /// Start of the bin.
    pub time: Nanos,
    /// Median.
    pub p50: Nanos,
    /// 95th percentile.
    pub p95: Nanos,
    /// 99th percentile.
    pub p99: Nanos,
    /// The largest.
    pub max: Nanos,
}

/// One replica's lag, three ways.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LagFigures {
    /// The replica.
    #[schemars(with = "String")]
    pub node: NodeName,
    /// Samples taken.
    pub samples: u64,
    /// Samples in which the primary answered and had no connection to the replica.
    pub disconnected: u64,
    /// Samples in which the primary did not answer.
    pub unknown: u64,
    /// Largest distance from the primary's insert position to the replica's replay position, in bytes; while there was
    /// no connection, to the last replay position that the primary had heard of. `None`: no sample has one.
    pub max_replay_bytes: Option<u64>,
    /// Samples without a connection that have no such distance either: how far behind it was then, nobody knows.
    pub unmeasured: u64,
    /// `replay_lag` as PostgreSQL reports it, over the samples that have one.
    pub replay_time: Percentiles,
    /// From acknowledgement of an increment to the end of the first read on this replica that shows it; endless are
    /// those that none ever showed.
    pub visibility: Percentiles,
    /// Acknowledged increments that no read on this replica ever showed (written after its last read, or lost); `None`
    /// without the counter workload, when nobody looked.
    pub never_seen: Option<u64>,
    /// Over time, down-sampled to at most 2,000 points that keep each interval's worst.
    pub points: Vec<LagPoint>,
}

/// One moment of a replica's lag. Bytes are distances to the primary's insert position.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LagPoint {
    /// When.
    pub time: Nanos,
    /// The connection.
    pub state: LinkState,
    /// Not yet sent.
    pub sent: Option<u64>,
    /// Not yet written.
    pub written: Option<u64>,
    /// Not yet flushed.
    pub flushed: Option<u64>,
    /// Not yet replayed.
    pub replayed: Option<u64>,
    /// `write_lag`.
    pub write_lag: Option<Nanos>,
    /// `flush_lag`.
    pub flush_lag: Option<Nanos>,
    /// `replay_lag`.
    pub replay_lag: Option<Nanos>,
    /// Worst client-observed delay among the increments acknowledged since the point before.
    pub visibility: Option<Nanos>,
}

/// One fault and the way back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Recovery {
    /// `crash`, `stop immediate`, …
    pub action: String,
    /// The node.
    #[schemars(with = "String")]
    pub node: NodeName,
    /// Whether it is the healing at the end of the run.
    pub healing: bool,
    /// When the nemesis began.
    pub invoked: Nanos,
    /// When it was verified to have taken hold; `None`: it never was.
    pub applied: Option<Nanos>,
    /// What the nemesis saw.
    pub detail: String,
    /// Whether clients of the node got no answer meanwhile.
    pub silenced: bool,
    /// When the node answered a real query again, be it after a later `start`; `None` while it stays down, or when
    /// another fault came first, or when nothing kept it from that.
    pub answered: Option<Nanos>,
    /// End of the first operation of the load invoked on the node after the fault that succeeded: a commit on the
    /// primary, a read on a replica. `None` as well when the load ended before, or another fault came first.
    pub first_success: Option<Nanos>,
    /// How long it served nobody: the longest time between two successes in a row that ends after the fault began, and no
    /// later than `first_success`. What an earlier fault began is the earlier one's up to this fault. Without
    /// `first_success`, from the last success up to the next fault or the load's end.
    pub unavailable: Option<Nanos>,
    /// Whether `unavailable` is only a lower bound, because there was no success to end it.
    pub unavailable_is_bound: bool,
    /// How finely `unavailable` was seen: how long nobody asked after its last success, and before the attempt that
    /// was its first. `None` without `first_success`.
    pub resolution: Option<Nanos>,
}

/// Something that should not grow, as the median of the second tenth of the load and of the last. Zero where it was not
/// looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Growth {
    /// When the load had run for a while.
    pub early: u64,
    /// When it ended.
    pub late: u64,
}

/// When a node served nobody, though somebody asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Availability {
    /// The node.
    #[schemars(with = "String")]
    pub node: NodeName,
    /// Windows of the load longer than 100 ms from a success to the next, in which an operation failed, stayed unknown,
    /// or waited that long. On the primary only writes count, where there are any, on a replica only reads.
    pub gaps: Vec<Window>,
}

/// When an endpoint answered none of its writes, or none of its reads, though somebody asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Outage {
    /// `None`: the writer, whichever node that is.
    #[schemars(with = "Option<String>")]
    pub node: Option<NodeName>,
    /// Windows longer than 100 ms, as in [`Availability`]; of the writer writes only, of a node reads only.
    pub gaps: Vec<Window>,
    /// How long they are together.
    pub total: Nanos,
    /// Whether the load's end ended the last of them.
    pub unended: bool,
}

/// One kind of error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorCount {
    /// Its class.
    pub class: CauseClass,
    /// PostgreSQL's code, if any.
    pub sqlstate: Option<String>,
    /// The operation.
    pub operation: String,
    /// The node.
    #[schemars(with = "String")]
    pub node: NodeName,
    /// How often it was a definite failure.
    pub fail: u64,
    /// How often the outcome stayed unknown.
    pub info: u64,
    /// The first message of its kind.
    pub example: String,
}

/// Whether the lab itself was the bottleneck.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LabFigures {
    /// How late the load's timers fired.
    pub loop_delay: Percentiles,
    /// Mean CPU of the lab during the load, in cores.
    pub cpu: f64,
    /// Cores of the machine.
    pub cores: u64,
    /// Peak resident memory, bytes.
    pub peak_rss: u64,
    /// Resident memory early and late in the load, bytes.
    pub rss: Growth,
    /// Open files and sockets early and late in the load.
    pub open_files: Growth,
    /// What the nodes keep of their logs early and late in the load, bytes.
    pub log_bytes: Growth,
    /// Longest time during the load without a lag sample, while the primary answered.
    pub longest_sampler_gap: Nanos,
    /// Why figures are tainted; empty when they are not. A threshold over a tainted figure is unknown.
    pub taints: Vec<String>,
}
