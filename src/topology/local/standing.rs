//! What a node is in the cluster just now, and whom it follows.

use serde::{Deserialize, Serialize};

use crate::history::NodeName;
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

impl Standing {
    /// The node that takes the writes.
    pub(super) fn primary() -> Standing {
        Standing { role: Role::Primary, upstream: None, diverged: false, timeline: 1 }
    }

    /// A replica of `upstream`.
    pub(super) fn follower(upstream: NodeName) -> Standing {
        Standing { role: Role::Replica, upstream: Some(upstream), diverged: false, timeline: 1 }
    }
}
