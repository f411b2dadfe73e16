//! To whom a step is done.

use std::fmt;

use crate::history::NodeName;

/// A node by its name, or by what it is when the step is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// The node of this name, whatever its role.
    Node(NodeName),
    /// The primary of that moment: after a failover another node than before.
    Writer,
    /// The replica that has received most of the log.
    Best,
}

impl Target {
    /// Reads a target as it is written in a schedule.
    pub fn new(text: &str) -> Target {
        match text {
            "writer" => Target::Writer,
            "best" => Target::Best,
            name => Target::Node(NodeName::new(name)),
        }
    }

    /// The node, where it is named.
    pub fn node(self) -> Option<NodeName> {
        match self {
            Target::Node(node) => Some(node),
            Target::Writer | Target::Best => None,
        }
    }
}

impl From<NodeName> for Target {
    fn from(node: NodeName) -> Target {
        Target::Node(node)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Target::Node(node) => node.as_str(),
            Target::Writer => "writer",
            Target::Best => "best",
        })
    }
}
