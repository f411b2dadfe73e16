//! Where and how a network is disturbed, as a part of what is done to a node.

use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};

use super::Nanos;

/// Some of a node's connections.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// Those of its clients.
    Clients,
    /// Those with the nodes that it receives the log from, and that receive it from this one.
    Peers,
    /// All of them.
    Both,
}

/// A way, as the node sees it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// What is sent to the node.
    In,
    /// What the node sends.
    Out,
    /// Both of them.
    Both,
}

/// Where a network is cut.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct Cut {
    /// Between the node and whom.
    pub side: Side,
    /// For what is sent which way. New connections cannot be made in any case: they take both.
    pub way: Way,
}

/// How a network is slow, each way.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct Slowness {
    /// Between the node and whom.
    pub side: Side,
    /// How much longer everything is under way, at least.
    pub latency: Nanos,
    /// How much longer still it may be, at most.
    pub jitter: Nanos,
    /// Bytes a second, all connections together with its clients, and with each peer; `None`: as many as before.
    pub bandwidth: Option<NonZeroU64>,
}

impl Side {
    /// Whether some connections are on both.
    pub fn meets(self, other: Side) -> bool {
        self.has_clients() && other.has_clients() || self.has_peers() && other.has_peers()
    }

    /// Every side.
    pub const ALL: [Side; 3] = [Side::Clients, Side::Peers, Side::Both];

    /// Whether the connections of clients are among them.
    pub fn has_clients(self) -> bool {
        self != Side::Peers
    }

    /// Whether those with other nodes are.
    pub fn has_peers(self) -> bool {
        self != Side::Clients
    }

    /// The word that schedules use.
    pub fn word(self) -> &'static str {
        match self {
            Side::Clients => "clients",
            Side::Peers => "peers",
            Side::Both => "both",
        }
    }
}

impl Way {
    /// Every way.
    pub const ALL: [Way; 3] = [Way::In, Way::Out, Way::Both];

    /// The word that schedules use.
    pub fn word(self) -> &'static str {
        match self {
            Way::In => "in",
            Way::Out => "out",
            Way::Both => "both",
        }
    }
}

impl Cut {
    /// From everybody.
    pub const WHOLE: Cut = Cut { side: Side::Both, way: Way::Both };
}

impl Slowness {
    /// What a reader of the catalogue is shown.
    pub const EXAMPLE: Slowness =
        Slowness { side: Side::Both, latency: Nanos::from_millis(20), jitter: Nanos(0), bandwidth: None };
}
