//! What can be done to a node, as a value that schedules, topologies and histories share.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Operation;

/// How PostgreSQL is told to shut down (manual, "Shutting Down the Server").
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum StopMode {
    /// SIGINT: sessions are ended, a shutdown checkpoint is written.
    Fast,
    /// SIGQUIT: no checkpoint; the next start recovers from the log, as after a crash.
    Immediate,
}

/// Something done to one node.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// SIGKILL of every process of the node; it stays down.
    Kill,
    /// Kill, and start at once.
    Crash,
    /// Shut down; it stays down.
    Stop(StopMode),
    /// Start a node that is down.
    Start,
    /// Shut down fast, and start at once.
    Restart,
}

impl Action {
    /// Whether the node is down when the action is complete.
    pub fn leaves_down(self) -> bool {
        matches!(self, Action::Kill | Action::Stop(_))
    }

    /// Whether the action can lose what was not yet flushed: it gives the node no chance to write.
    pub fn is_abrupt(self) -> bool {
        matches!(self, Action::Kill | Action::Crash | Action::Stop(StopMode::Immediate))
    }

    /// The word that schedules use.
    pub fn verb(self) -> &'static str {
        match self {
            Action::Kill => "kill",
            Action::Crash => "crash",
            Action::Stop(StopMode::Fast) => "stop",
            Action::Stop(StopMode::Immediate) => "stop immediate",
            Action::Start => "start",
            Action::Restart => "restart",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.verb())
    }
}

/// What the nemesis does; the node it is done to is the event's node, the answer is a line for the report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultOp {
    /// Do it, and verify that it took hold.
    Act {
        /// What.
        action: Action,
        /// Whether this is the end of the run putting things right, and not a fault of the schedule.
        healing: bool,
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
