//! What the user's commands do to nodes, seen on the servers.

use std::sync::atomic::Ordering;

use futures_util::future::join_all;
use tokio::time::Instant;

use super::Cluster;
use super::hook::Hook;
use crate::history::{Action, NodeName};
use crate::topology::TopologyError;
use crate::topology::attached::{DEADLINES, LONGEST_PAUSE, Node, Pauses, Seen};

impl Cluster {
    /// Has the user's command do `action` to `node`, verifies on the servers that it took hold, and answers a line for
    /// the report.
    ///
    /// # Errors
    /// [`TopologyError::Hook`] for a command that fails or does not end, with its last lines; other errors where the
    /// servers do not show what it should have done.
    pub async fn act(&self, node: NodeName, action: Action) -> Result<String, TopologyError> {
        let node = self.node(node)?;
        let _turn = self.turn.lock().await;
        match action {
            Action::Restart => self.restart(node).await,
            Action::Promote => self.fail_over(node).await,
            _ => Err(TopologyError::lab(format!("a cluster that is reached by URLs has no {action}"))),
        }
    }

    async fn restart(&self, node: &Node) -> Result<String, TopologyError> {
        let before = node.look().await?;
        node.forget();
        let ran = self.hook(node, Action::Restart)?.run().await?;
        let is_new = |seen: &Seen| seen.started != before.started;
        let seen = node.wait(self.config.settle_limit, "show a new start of its server", is_new).await?;
        if seen.in_recovery != before.in_recovery {
            let why = format!("{} has another role since its restart", node.name);
            return Err(TopologyError::lab(why));
        }
        node.remember(seen);
        Ok(format!("{ran}; its server started anew"))
    }

    /// The node takes writes, and nobody else does.
    async fn fail_over(&self, node: &Node) -> Result<String, TopologyError> {
        let old = *self.primary();
        if node.name == old {
            return Err(TopologyError::lab(format!("{old} is the primary already")));
        }
        self.nodes.iter().for_each(Node::forget);
        self.moved.store(true, Ordering::Release);
        let ran = self.hook(node, Action::Promote)?.run().await?;
        node.wait(self.config.settle_limit, "leave recovery", |seen| !seen.in_recovery).await?;
        let end = Instant::now() + self.config.settle_limit;
        let mut pauses = Pauses::up_to(LONGEST_PAUSE);
        while let Some(second) = self.primaries().await.into_iter().find(|name| *name != node.name) {
            if Instant::now() >= end {
                return Err(TopologyError::SecondPrimary { node: node.name, primary: second });
            }
            pauses.pause().await;
        }
        *self.primary() = node.name;
        Ok(format!("{ran}; {} takes writes, and {old} does not", node.name))
    }

    /// Those that answer and take writes.
    pub(super) async fn primaries(&self) -> Vec<NodeName> {
        let asked = join_all(self.nodes.iter().map(|node| node.ask(DEADLINES))).await;
        let takes_writes = self.nodes.iter().zip(asked);
        let takes_writes = takes_writes.filter(|(_, seen)| seen.as_ref().is_ok_and(|seen| !seen.in_recovery));
        takes_writes.map(|(node, _)| node.name).collect()
    }

    /// Whether the cluster is still what the run made of it: the same primary, and no server that started anew unasked.
    /// What a failover command leaves of the other nodes is not replab's to judge; the last reads show it.
    pub async fn all_follow(&self) -> Result<(), TopologyError> {
        let (moved, primary) = (self.moved.load(Ordering::Acquire), *self.primary());
        for node in &self.nodes {
            let seen = match node.wait(self.config.settle_limit, "answer a query", |_| true).await {
                Ok(seen) => seen,
                Err(_) if moved && node.name != primary => continue,
                Err(error) => return Err(error),
            };
            if seen.in_recovery == (node.name == primary) {
                let role = if seen.in_recovery { "a replica" } else { "a primary" };
                let why = format!("{} is {role} now, and no fault of this run made it so", node.name);
                return Err(TopologyError::lab(why));
            }
            if node.started().is_some_and(|started| started != seen.started) {
                let why =
                    format!("the server of {} started anew, and no fault of this run made it", node.name);
                return Err(TopologyError::lab(why));
            }
        }
        Ok(())
    }

    fn hook<'a>(&'a self, node: &'a Node, action: Action) -> Result<Hook<'a>, TopologyError> {
        let (name, key) = match action {
            Action::Restart => ("restart_command", "topology.restart_command"),
            _ => ("failover_command", "topology.failover_command"),
        };
        let command = self.config.command(action);
        let command = command.ok_or_else(|| TopologyError::lab(format!("{key} is not set")))?;
        let primary = *self.primary();
        let logs_dir = &self.config.logs_dir;
        Ok(Hook { name, command, node: node.name, primary, conninfo: &node.conninfo, logs_dir })
    }
}
