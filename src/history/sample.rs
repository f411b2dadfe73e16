//! Samples taken beside the load: how far each replica is behind, and how the lab itself is doing.

use serde::{Deserialize, Serialize};

use super::{Nanos, NodeName};
use crate::lsn::Lsn;

/// What the primary says of a replica's connection (`pg_stat_replication.state`).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum LinkState {
    /// Connected and up to date but for the flow.
    Streaming,
    /// Connected, catching up (also `startup` and `backup`).
    Catchup,
    /// The primary answers and has no such walsender.
    Disconnected,
    /// The primary does not answer, so nobody knows.
    Unknown,
}

/// One replica at one moment, by the primary's own view; in a cluster that replab did not make, by the replica's, which
/// knows [`flushed`](LagSample::flushed) and [`replayed`](LagSample::replayed) and none of the others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LagSample {
    /// When the answer came.
    pub time: Nanos,
    /// How long the sampler's query took: the sample's uncertainty.
    pub took: Nanos,
    /// The replica.
    pub node: NodeName,
    /// Its connection.
    pub state: LinkState,
    /// `pg_current_wal_insert_lsn()` of the primary.
    pub insert: Option<Lsn>,
    /// `sent_lsn`.
    pub sent: Option<Lsn>,
    /// `write_lsn`.
    pub written: Option<Lsn>,
    /// `flush_lsn`.
    pub flushed: Option<Lsn>,
    /// `replay_lsn`.
    pub replayed: Option<Lsn>,
    /// `write_lag`; PostgreSQL clears the three when the link is idle.
    pub write_lag: Option<Nanos>,
    /// `flush_lag`.
    pub flush_lag: Option<Nanos>,
    /// `replay_lag`.
    pub replay_lag: Option<Nanos>,
}

/// One fresh connection through an endpoint that leads to one of several nodes, as an application would make it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointSample {
    /// When it began.
    pub asked: Nanos,
    /// When it had an answer, or none would come.
    pub time: Nanos,
    /// `cluster`, `reader`.
    pub endpoint: String,
    /// The address that its name led to.
    pub address: Option<String>,
    /// Who answered, by its own word.
    pub instance: Option<String>,
    /// The node that this is.
    pub node: Option<NodeName>,
    /// Whether it takes writes; `None`: nobody answered.
    pub takes_writes: Option<bool>,
    /// Why nobody answered.
    pub error: Option<String>,
    /// What the load read over it; `None`: it was made only to see where it leads.
    #[serde(default)]
    pub reads: Option<u64>,
}

/// How the lab itself did since the sample before.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabSample {
    /// When.
    pub time: Nanos,
    /// The longest that a timer of the load's event loop fired late.
    pub loop_delay: Nanos,
    /// CPU of this process, in cores (1.0 is one core fully used).
    pub cpu: f64,
    /// Resident memory of this process, in bytes.
    pub rss: u64,
    /// Open files and sockets of this process; zero where the system does not tell.
    #[serde(default)]
    pub open_files: u64,
    /// What the nodes keep of their logs, in bytes, where that was looked at: not in every sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_bytes: Option<u64>,
}
