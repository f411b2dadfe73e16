//! What a node is in the cluster just now, and whom it follows.

use serde::{Deserialize, Serialize};

use crate::history::NodeName;
use crate::lsn::Lsn;
use crate::topology::Role;

/// A node's place; a failover changes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// What it is for.
    pub role: Role,
    /// The node that it receives the log from; none for the primary.
    pub upstream: Option<NodeName>,
    /// Whether its log is not the beginning of the primary's, so that it follows nobody.
    pub diverged: bool,
    /// The last timeline that it was seen to have a part of.
    pub timeline: u32,
}

/// Where the log that counts begins to differ from every other one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::topology) struct Fork {
    pub(in crate::topology) timeline: u32,
    pub(in crate::topology) at: Lsn,
}

impl Standing {
    /// The node that takes the writes.
    pub(in crate::topology) fn primary() -> Standing {
        Standing { role: Role::Primary, upstream: None, diverged: false, timeline: 1 }
    }

    /// A replica of `upstream`.
    pub(in crate::topology) fn follower(upstream: NodeName) -> Standing {
        Standing { role: Role::Replica, upstream: Some(upstream), diverged: false, timeline: 1 }
    }
}
