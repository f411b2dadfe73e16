//! What a report shows of a cluster beside its nodes' settings.

use crate::history::NodeName;
use crate::pg::aurora::Answers;

/// An instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceFacts {
    /// The node.
    pub node: NodeName,
    /// Its identifier.
    pub instance: String,
    /// Where its name leads to.
    pub address: Option<String>,
    /// `aurora_version()`.
    pub version: Option<String>,
    /// What it says to what a run may ask for.
    pub answers: Answers,
}

/// Something that RDS reports of a cluster or of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterEvent {
    /// RFC 3339, by AWS's clock.
    pub time: String,
    /// The identifier of what it happened to.
    pub source: String,
    /// `RDS-EVENT-0071`, where the message is one of those that are known.
    pub id: Option<String>,
    /// In RDS's words.
    pub message: String,
}
