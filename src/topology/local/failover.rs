//! Another node becomes the primary: because the old one has ended, or in good order.

use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::time::{sleep, timeout};

use super::follow::Fork;
use super::node::{Node, PATIENCE};
use super::standing::Standing;
use super::{Cluster, POLL, STOP_LIMIT, query_error, stopped};
use crate::history::{Condition, NodeName, StopMode};
use crate::lsn::Lsn;
use crate::pg::{PgError, Session, probe};
use crate::topology::{Role, TopologyError};

/// How long a replica may take to replay what it has received, and to open for writes.
const PROMOTION_LIMIT: Duration = Duration::from_secs(60);

/// What is on its way when the primary ends arrives within this time, or its link does not say that it ended.
const LAST_BYTES: Duration = Duration::from_secs(1);

impl Cluster {
    /// The primary.
    pub(super) fn primary(&self) -> Result<&Node, TopologyError> {
        let primary = self.nodes.iter().find(|node| node.standing().role == Role::Primary);
        primary.ok_or_else(|| TopologyError::lab("the cluster has no primary"))
    }

    /// The node that takes writes, and whether it runs.
    pub fn writer(&self) -> Result<(NodeName, bool), TopologyError> {
        self.primary().map(|node| (node.name, node.is_running()))
    }

    /// The replica that has received most of the log, of those that could be promoted; the first of several. Ask when the
    /// primary has ended: what is still on its way is waited for.
    pub async fn candidate(&self) -> Result<NodeName, TopologyError> {
        let mut best: Option<(Option<Lsn>, NodeName)> = None;
        for node in self.nodes.iter().filter(|node| node.can_be_promoted()) {
            let session = self.session(node, PATIENCE).await?;
            let end =
                received(node, &session).await.map_err(query_error(node, "ask what it has received"))?;
            session.close().await;
            if best.is_none_or(|(most, _)| end > most) {
                best = Some((end, node.name));
            }
        }
        best.map(|(_, node)| node)
            .ok_or_else(|| TopologyError::lab("there is no replica that could be promoted"))
    }

    /// Whether `node`, or any where none is named, could be promoted just now: to be asked before the primary is ended.
    pub fn check_promotable(&self, node: Option<NodeName>) -> Result<(), TopologyError> {
        match node.map(|name| self.node(name)).transpose()? {
            Some(node) if node.standing().diverged => {
                Err(TopologyError::Impossible { node: node.name, condition: Condition::Diverged })
            }
            Some(_) => Ok(()),
            None if self.nodes.iter().any(Node::can_be_promoted) => Ok(()),
            None => match self.nodes.iter().find(|node| node.standing().diverged) {
                Some(node) => {
                    Err(TopologyError::Impossible { node: node.name, condition: Condition::Diverged })
                }
                None => Err(TopologyError::lab("there is no replica that could be promoted")),
            },
        }
    }

    /// Makes `node` the primary, and lets whoever can follow it do so.
    pub(super) async fn promote(&self, node: &Node) -> Result<String, TopologyError> {
        let old = self.primary()?;
        if old.is_running() {
            return Err(TopologyError::SecondPrimary { node: node.name, primary: old.name });
        }
        if !node.can_be_promoted() {
            return Err(TopologyError::lab(format!("{} is no replica that could be promoted", node.name)));
        }
        let session = self.session(node, PATIENCE).await?;
        let end = received(node, &session).await.map_err(query_error(node, "ask what it has received"))?;
        node.dismiss_receiver().await?;
        let fork = self.open_for_writes(node, &session).await?;
        *node.standing() = Standing { timeline: fork.timeline, ..Standing::primary() };
        *old.standing() = Standing { diverged: true, ..Standing::follower(node.name) };
        self.set_fork(fork);
        self.point_all(node, &session, Some(old.name)).await?;
        session.close().await;
        let diverged: Vec<&str> = self
            .nodes
            .iter()
            .filter(|node| node.standing().diverged)
            .map(|node| node.name.as_str())
            .collect();
        let end = end.map_or_else(|| "nothing".to_owned(), |end| end.to_string());
        Ok(format!(
            "timeline {} from {}, of {end} received; cannot follow: {}",
            fork.timeline,
            fork.at,
            diverged.join(", ")
        ))
    }

    /// Shuts the primary down, promotes `node` once it has everything, and starts the old primary as its replica.
    pub(super) async fn switch_over(&self, node: &Node) -> Result<String, TopologyError> {
        let old = self.primary()?;
        if !node.can_be_promoted() || !node.is_free() {
            return Err(TopologyError::lab(format!("{} is no replica that could take over", node.name)));
        }
        // It waits until everybody who streams has everything, its own last checkpoint included.
        let old_end = old.stop(StopMode::Fast, STOP_LIMIT).await.map(stopped)?;
        let shut_down = self.shutdown_checkpoint(old).await?;
        let session = self.session(node, PATIENCE).await?;
        let end = received(node, &session).await.map_err(query_error(node, "ask what it has received"))?;
        if end <= Some(shut_down) {
            let why = format!("{} has not received the shutdown of {} at {shut_down}", node.name, old.name);
            return Err(TopologyError::lab(why));
        }
        let fork = self.open_for_writes(node, &session).await?;
        *node.standing() = Standing { timeline: fork.timeline, ..Standing::primary() };
        self.set_fork(fork);
        // Nobody receives through it: it was the primary. Whom it follows is written down before it starts, and that it
        // does is seen after.
        *old.standing() = Standing { diverged: true, ..Standing::follower(node.name) };
        self.point_all(node, &session, Some(old.name)).await?;
        self.ensure_slot(node, &session, old).await?;
        self.point(old, node)?;
        session.close().await;
        let process = old.start().await?;
        self.settle_all().await?;
        let follower = self.session(old, PATIENCE).await?;
        self.drop_stale_slots(old, &follower).await?;
        follower.close().await;
        if let Some(lost) = self.nodes.iter().find(|node| node.standing().diverged) {
            return Err(
                lost.did_not_hold(Condition::Diverged, "it does not follow the new primary".to_owned())
            );
        }
        Ok(format!(
            "{} {old_end}; timeline {} from {}; {} follows as postmaster {}",
            old.name, fork.timeline, fork.at, old.name, process.pid
        ))
    }

    /// Has `node` end its recovery, and waits until it takes writes.
    async fn open_for_writes(&self, node: &Node, session: &Session) -> Result<Fork, TopologyError> {
        let promoted = async {
            probe::promote(session).await?;
            while probe::is_in_recovery(session).await? {
                sleep(POLL).await;
            }
            loop {
                // The history file is written before the recovery ends; where there is none, nothing was promoted.
                if let Some((timeline, at)) = probe::timeline(session).await? {
                    return Ok::<_, PgError>(Fork { timeline, at });
                }
                sleep(POLL).await;
            }
        };
        let promoted = timeout(PROMOTION_LIMIT, promoted).await;
        let late = |_| {
            node.no_answer(format!(
                "it is still in recovery {} s after its promotion",
                PROMOTION_LIMIT.as_secs()
            ))
        };
        let fork = promoted.map_err(late)?.map_err(query_error(node, "promote it"))?;
        // A replay that was paused is not any more.
        node.life().lasting.remove(&Condition::ReplayPaused);
        Ok(fork)
    }
}

/// The end of what a replica has received, once nothing more is on its way. What a frozen receiver has not read does
/// not count: it will never be read.
async fn received(node: &Node, session: &Session) -> Result<Option<Lsn>, PgError> {
    if !node.life().lasting.contains(&Condition::Frozen) {
        let link_ended = async {
            while matches!(probe::wal_receiver(session).await, Ok(Some(_))) {
                sleep(POLL).await;
            }
        };
        // A link that was cut does not end.
        drop(timeout(LAST_BYTES, link_ended).await);
    }
    // What is written is flushed by a receiver that ends.
    let written = probe::written_lsn(session).await?;
    Ok(probe::receive_lsn(session).await?.max(probe::replay_lsn(session).await?).max(written))
}

impl Node {
    /// Whether it is a replica of the primary's log that can be spoken to.
    fn can_be_promoted(&self) -> bool {
        let standing = *self.standing();
        let hindered =
            self.conditions().iter().any(|condition| condition.hinders(crate::history::Action::Promote));
        standing.role == Role::Replica && !standing.diverged && self.is_running() && !hindered
    }

    /// Ends a WAL receiver that is frozen, without letting it read what has arrived meanwhile.
    async fn dismiss_receiver(&self) -> Result<(), TopologyError> {
        let Some(receiver) = self.life().receiver.take() else { return Ok(()) };
        // It waits for data, so the first thing that it sees when it goes on is that it is to end.
        receiver.signal(Signal::SIGTERM);
        let gone = async {
            while receiver.signal(Signal::SIGCONT) {
                sleep(POLL).await;
            }
        };
        self.within(gone, Condition::Frozen, true).await?;
        self.life().lasting.remove(&Condition::Frozen);
        Ok(())
    }
}
