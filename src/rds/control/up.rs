//! Servers that are down are brought up, and each is seen to work before its instance is available again.

use std::time::Duration;

use anyhow::Context as _;
use futures_util::future::join_all;
use tokio::time::sleep;

use super::Control;
use crate::history::{Action, Condition, NodeName};
use crate::rds::events::Happening;
use crate::rds::fleet::InstanceStatus;

/// How long a server may take to answer after it was started.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);

/// Between two attempts to start a server, and how many there are beside the first.
const PAUSE: Duration = Duration::from_millis(50);
const ATTEMPTS: usize = 20;

impl Control {
    /// Starts the servers of `nodes` that do not run, and answers of each whether it works. The writer first, as the readers
    /// are to follow it; and all of them before any is waited for, so that one that does not start keeps no other one down.
    pub(super) async fn bring_up(&self, nodes: &[NodeName]) -> Vec<(NodeName, anyhow::Result<()>)> {
        let mut started = Vec::new();
        for node in self.writer_first(nodes).await {
            started.push((node, self.start_server(node).await));
        }
        let settled = started.into_iter().map(async |(node, started)| match started {
            Ok(()) => (node, self.settled(node).await),
            failed => (node, failed),
        });
        join_all(settled).await
    }

    /// The same nodes in the order in which something is done to all of them.
    pub(super) async fn writer_first(&self, nodes: &[NodeName]) -> Vec<NodeName> {
        let writer = self.writer().await.ok();
        let mut nodes = nodes.to_vec();
        nodes.sort_by_key(|node| Some(*node) != writer);
        nodes
    }

    async fn start_server(&self, node: NodeName) -> anyhow::Result<()> {
        let Some(action) = self.missing(node).await? else { return Ok(()) };
        // What the old postmaster has left behind may take a moment to end.
        for _ in 0..ATTEMPTS {
            let started = self.act(node, action).await;
            if started.is_ok() || action != Action::Start {
                return started;
            }
            sleep(PAUSE).await;
        }
        self.act(node, action).await
    }

    /// What has to be done to `node` so that it can work; nothing where it runs and may follow.
    pub(super) async fn missing(&self, node: NodeName) -> anyhow::Result<Option<Action>> {
        let cluster = self.cluster.read().await;
        if cluster.conditions().contains(&(node, Condition::Diverged)) {
            return Ok(Some(Condition::Diverged.cure()));
        }
        Ok((!cluster.is_running(node)?).then_some(Action::Start))
    }

    /// Waits until `node` answers; and, of a reader, until it receives what its writer writes.
    pub(super) async fn settled(&self, node: NodeName) -> anyhow::Result<()> {
        let cluster = self.cluster.read().await;
        let (writer, _) = cluster.writer()?;
        if node != writer {
            // At once where it has ended.
            cluster.answer(writer, ANSWER_LIMIT).await.context("its writer")?;
        }
        cluster.answer(node, ANSWER_LIMIT).await?;
        Ok(cluster.follows(node).await?)
    }

    /// An instance that was down is there again, or is not.
    pub(super) async fn back(&self, node: NodeName, restarted: anyhow::Result<()>) {
        match restarted {
            Ok(()) => {
                self.happened_to(node, Happening::Restarted);
                if self.writer().await == Ok(node) {
                    self.reconnected(node).await;
                }
                self.set(&[node], InstanceStatus::Available);
            }
            Err(error) => self.lost(node, &error),
        }
    }

    /// An instance does not work, and nobody waits for it.
    pub(super) fn lost(&self, node: NodeName, error: &anyhow::Error) {
        self.say(format!("{node} did not come back: {error:#}"));
        self.set(&[node], InstanceStatus::Failed);
    }

    /// The writer's readers have lost it, and have it again.
    pub(super) async fn reconnected(&self, writer: NodeName) {
        for reader in self.following(writer).await {
            self.happened_to(reader, Happening::Reconnected);
        }
    }

    /// The readers that follow `writer`. One that was one and does not any more has failed: no commit may wait for it.
    pub(super) async fn following(&self, writer: NodeName) -> Vec<NodeName> {
        let readers: Vec<NodeName> = self.fleet().readers(writer).map(|member| member.node).collect();
        let seen = readers.into_iter().map(async |reader| (reader, self.settled(reader).await));
        let mut following = Vec::new();
        for (reader, seen) in join_all(seen).await {
            match seen {
                Ok(()) => following.push(reader),
                // Unless somebody has asked for its end or its restart meanwhile.
                Err(error) if self.status(reader) == Some(InstanceStatus::Available) => {
                    self.lost(reader, &error)
                }
                Err(_) => {}
            }
        }
        following
    }
}
