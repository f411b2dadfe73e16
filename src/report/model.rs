//! The one value that every format renders. Its JSON form is `results.json`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Claims, Judgement, Verdict};
use crate::history::NodeName;
use crate::measure::{EndpointFigures, Figures};

use super::transactions::Transactions;

/// A run, judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Version of this structure; readers refuse a higher one.
    pub format: u32,
    /// `valid`, `invalid` or `unknown` in the words of exit codes: the worst of the claimed judgements.
    pub verdict: Verdict,
    /// The exit code that `replab run` and `replab check` end with.
    pub exit_code: u8,
    /// Why the run did not come to its end, when it did not.
    pub cut: Option<String>,
    /// What was run.
    pub run: RunFacts,
    /// The nodes, the primary first.
    pub nodes: Vec<NodeFacts>,
    /// What was promised.
    pub claims: Claims,
    /// What was judged.
    pub judgements: Vec<Judgement>,
    /// Limits that the user set.
    pub thresholds: Vec<Threshold>,
    /// What was measured.
    pub figures: Figures,
    /// What transactions on lists or registers amount to, by workload.
    #[serde(default)]
    pub transactions: BTreeMap<String, Transactions>,
    /// How the endpoints that lead to one of several nodes led there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub endpoints: Vec<EndpointFigures>,
    /// What whoever runs the cluster reported of it during the run, by time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<ClusterEvent>,
    /// What this run did not look at, one sentence each; never empty.
    pub not_checked: Vec<String>,
}

/// What was run, and how to run it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunFacts {
    /// The run directory's name.
    pub id: String,
    /// The run directory, as a path from where the run was started.
    pub directory: String,
    /// When it started, RFC 3339 with offset.
    pub started: String,
    /// replab's version.
    pub version: String,
    /// The topology in a few words: `local, 1 primary + 1 replica`.
    pub topology: String,
    /// The workloads in a few words: `orders (8 clients), counter (8 clients)`.
    pub workloads: String,
    /// The schedule as `--fault` takes it; empty without faults.
    pub faults: String,
    /// Planned length of the load, seconds.
    pub duration_seconds: f64,
    /// The load ends before that with so many writes.
    pub operations: Option<u64>,
    /// The seed.
    pub seed: u64,
    /// A command that repeats the run.
    pub reproduce: String,
    /// Operating system, kernel, cores, memory: one line each.
    pub machine: Vec<String>,
    /// The effective configuration, as TOML.
    pub plan: String,
}

/// A node and the settings that were asserted on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NodeFacts {
    /// Its name.
    #[schemars(with = "String")]
    pub node: NodeName,
    /// `primary` or `replica`.
    pub role: String,
    /// The server's own version string.
    pub version: String,
    /// Which instance it is, in a cluster of AWS's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceFacts>,
    /// Settings read with `SHOW`.
    pub settings: Vec<Setting>,
}

/// An instance of a cluster of AWS's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InstanceFacts {
    /// Its identifier.
    pub name: String,
    /// Where its name led to.
    pub address: Option<String>,
    /// `aurora_version()`.
    pub version: Option<String>,
    /// What it refuses of what a run asks PostgreSQL for, each with the error's code.
    pub refused: BTreeMap<String, String>,
    /// What it gave no answer to, so that nobody knows whether it refuses it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unanswered: Vec<String>,
}

/// What whoever runs a cluster reported of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClusterEvent {
    /// RFC 3339, by the reporter's clock.
    pub time: String,
    /// What it happened to.
    pub source: String,
    /// `RDS-EVENT-0071`, where it is known.
    pub id: Option<String>,
    /// In the reporter's words.
    pub message: String,
}

/// One server setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Setting {
    /// Its name.
    pub name: String,
    /// Its value as `SHOW` prints it.
    pub value: String,
    /// The value that durability needs, where the lab asserts one.
    pub required: Option<String>,
}

/// A limit that the user set with `--threshold`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Threshold {
    /// As typed: `lag.p99<500ms`.
    pub text: String,
    /// The measured value with its unit; `None` where there is none.
    pub measured: Option<String>,
    /// Unknown when nothing was measured, or when the lab was the bottleneck.
    pub verdict: Verdict,
    /// One line: why.
    pub reason: String,
}
