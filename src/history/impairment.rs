//! What Aurora can be asked to simulate, as a part of what is done to a node. Each ends by itself.

use serde::{Deserialize, Serialize};

use super::Nanos;

/// A reader that fails in a share of what it is sent.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct ReplicaFailure {
    /// The share, from 1 to 100.
    pub percent: u8,
    /// For how long.
    pub length: Nanos,
}

/// A part of the volume that fails in a share of its requests.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct DiskFailure {
    /// The share, from 1 to 100.
    pub percent: u8,
    /// Which of the logical blocks or of the storage nodes.
    pub index: u32,
    /// Whether `index` counts storage nodes.
    pub of_node: bool,
    /// For how long.
    pub length: Nanos,
}

/// A part of the volume that is slow in a share of its requests.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct Congestion {
    /// Which part, how often, and for how long.
    #[serde(flatten)]
    pub failure: DiskFailure,
    /// The shortest delay.
    pub shortest: Nanos,
    /// The longest delay: at most 100 ms.
    pub longest: Nanos,
}

const SHORT: Nanos = Nanos::from_millis(5_000);

impl ReplicaFailure {
    /// What a reader of the catalogue is shown.
    pub const EXAMPLE: ReplicaFailure = ReplicaFailure { percent: 100, length: SHORT };
}

impl DiskFailure {
    /// The same.
    pub const EXAMPLE: DiskFailure = DiskFailure { percent: 100, index: 0, of_node: false, length: SHORT };
}

impl Congestion {
    /// The same.
    pub const EXAMPLE: Congestion = Congestion {
        failure: DiskFailure::EXAMPLE,
        shortest: Nanos::from_millis(10),
        longest: Nanos::from_millis(50),
    };
}
