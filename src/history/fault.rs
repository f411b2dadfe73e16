//! What the nemesis does, and why: the operations of its history.

use serde::{Deserialize, Serialize};

use super::{Action, Operation};

/// Why something is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Occasion {
    /// The schedule says so.
    Planned,
    /// So that there are never two primaries: the old one ends before another is made.
    Fencing,
    /// It puts things right at the end of the load.
    Healing,
}

/// What the nemesis does; the node it is done to is the event's node, the answer is a line for the report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultOp {
    /// Do it, and verify that it took hold.
    Act {
        /// What.
        action: Action,
        /// Why.
        occasion: Occasion,
    },
    /// Wait until the node answers a real query again.
    Answer,
}

impl Operation for FaultOp {
    type Reply = String;

    fn is_read_only(&self) -> bool {
        matches!(self, FaultOp::Answer)
    }

    fn name(&self) -> &'static str {
        match self {
            FaultOp::Act { action, .. } => action.verb(),
            FaultOp::Answer => "answer",
        }
    }

    fn is_load(&self) -> bool {
        false
    }
}
