//! What the nodes of a cluster are in just now, by what is written about them and by whether they run.

use serde_json::{Value, json};

use crate::fault::Present;
use crate::history::{Condition, NodeName};
use crate::topology::Role;
use crate::topology::local::Cluster;

/// One node.
pub(super) struct NodeNow {
    pub(super) node: NodeName,
    pub(super) role: Role,
    /// From whom it is to receive the log.
    pub(super) follows: Option<NodeName>,
    pub(super) running: bool,
    /// What actions have left it in.
    pub(super) conditions: Vec<Condition>,
}

/// Every node, in the order of the cluster.
pub(super) fn nodes(cluster: &Cluster) -> Vec<NodeNow> {
    let conditions = cluster.conditions();
    let now = |node: crate::topology::local::NodeState| NodeNow {
        node: node.name,
        role: node.standing.role,
        follows: node.standing.upstream,
        running: cluster.is_running(node.name).unwrap_or(false),
        conditions: conditions.iter().filter(|(of, _)| *of == node.name).map(|(_, c)| *c).collect(),
    };
    cluster.state().nodes.into_iter().map(now).collect()
}

/// The same, as faults are judged by it. A node that ended by itself can be started, and not be killed again.
pub(super) fn present(cluster: &Cluster) -> Option<Present> {
    let nodes = nodes(cluster);
    let writer = nodes.iter().find(|node| node.role == Role::Primary)?.node;
    let mut conditions = cluster.conditions();
    conditions.extend(cluster.dead().into_iter().map(|node| (node, Condition::Down)));
    Some(Present { nodes: nodes.iter().map(|node| node.node).collect(), writer, conditions })
}

impl NodeNow {
    pub(super) fn is(&self, condition: Condition) -> bool {
        self.conditions.contains(&condition)
    }

    /// `up`, `paused`, `frozen, paused in its replay`, `down, unasked`; `up` is what is said where nothing else is.
    pub(super) fn words(&self, up: &str) -> String {
        let mut words: Vec<&str> = Vec::new();
        if !self.running {
            words.push(Condition::Down.adjective());
            if self.conditions.is_empty() {
                words.push("unasked");
            }
        } else if !self.is(Condition::Paused) {
            words.push(up);
        }
        let others = self.conditions.iter().filter(|condition| **condition != Condition::Down);
        words.extend(others.map(|condition| condition.adjective()));
        words.join(", ")
    }

    pub(super) fn role_word(&self) -> &'static str {
        match self.role {
            Role::Primary => "primary",
            Role::Replica => "replica",
        }
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "node": self.node,
            "role": self.role,
            "follows": self.follows,
            "running": self.running,
            "conditions": self.conditions,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_in_words() {
        let words = |running, conditions: &[Condition]| {
            let (node, role) = (NodeName::replica(1), Role::Replica);
            NodeNow { node, role, follows: None, running, conditions: conditions.to_vec() }.words("replays")
        };
        assert_eq!(words(true, &[]), "replays");
        assert_eq!(words(true, &[Condition::Paused]), "paused");
        assert_eq!(
            words(true, &[Condition::Frozen, Condition::ReplayPaused]),
            "replays, frozen, paused in its replay"
        );
        assert_eq!(words(true, &[Condition::Diverged]), "replays, diverged");
        assert_eq!(words(false, &[Condition::Down]), "down");
        assert_eq!(words(false, &[Condition::Diverged]), "down, diverged");
        assert_eq!(words(false, &[]), "down, unasked");
    }
}
