//! Whom a replica follows: told, and seen to be obeyed.

use std::fs;
use std::io::ErrorKind;
use std::sync::PoisonError;

use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use super::node::{Node, PATIENCE};
use super::settings::{self, SUPERUSER};
use super::standing::Standing;
use super::state::give;
use super::{Cluster, POLL, query_error, quoted};
use crate::history::{Condition, NodeName};
use crate::lsn::Lsn;
use crate::pg::{Session, probe};
use crate::topology::{Role, TopologyError};

/// The settings that say whom a replica follows.
const OURS: [&str; 2] = ["primary_conninfo", "primary_slot_name"];

/// Where the log that counts begins to differ from every other one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fork {
    pub(super) timeline: u32,
    pub(super) at: Lsn,
}

/// What becomes of a replica that was told whom to follow.
enum Seen {
    Follows,
    Diverged,
}

impl Cluster {
    /// The connection string through which a program of the lab copies from a node: no password.
    pub(super) fn upstream_conninfo(&self, upstream: &Node) -> String {
        self.conninfo_of(upstream.port())
    }

    /// The same for a replica that receives, through a link where there are links; without an `application_name`, which is
    /// then the replica's own `cluster_name`.
    fn stream_conninfo(&self, replica: &Node, upstream: &Node) -> String {
        self.conninfo_of(self.stream_port(replica, upstream))
    }

    fn conninfo_of(&self, port: u16) -> String {
        let passfile = quoted(&self.passfile());
        format!("host=127.0.0.1 port={port} user={SUPERUSER} passfile={passfile}")
    }

    /// Where the last failover made the log go on.
    pub(super) fn fork(&self) -> Option<Fork> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).forks.last().copied()
    }

    /// Where the first failover after `timeline` made the log go on.
    fn fork_after(&self, timeline: u32) -> Option<Fork> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.forks.iter().find(|fork| fork.timeline > timeline).copied()
    }

    pub(super) fn set_fork(&self, fork: Fork) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).forks.push(fork);
    }

    /// Whether what `node` receives comes, through whomever, from `source`.
    pub(super) fn receives_through(&self, node: &Node, source: NodeName) -> bool {
        let mut upstream = node.standing().upstream;
        // As many steps as there are nodes: a circle would otherwise have no end.
        for _ in &self.nodes {
            let Some(name) = upstream else { return false };
            if name == source {
                return true;
            }
            let standing = self.node(name).ok().map(|node| *node.standing());
            upstream = standing.filter(|standing| !standing.diverged).and_then(|standing| standing.upstream);
        }
        false
    }

    /// After a failover: lets everybody but `except` receive from the new primary, over whom it did before where that one
    /// receives from it too.
    pub(super) async fn point_all(
        &self,
        primary: &Node,
        session: &Session,
        except: Option<NodeName>,
    ) -> Result<(), TopologyError> {
        for node in self.nodes.iter().filter(|node| node.name != primary.name && Some(node.name) != except) {
            // Who has diverged would not follow; it comes back by another way.
            if !node.standing().diverged && !self.receives_through(node, primary.name) {
                self.ensure_slot(primary, session, node).await?;
                self.point(node, primary)?;
            }
        }
        self.settle_all().await
    }

    /// Writes down whom `node` follows, whether it runs or not; one that runs reads it at once.
    pub(super) fn point(&self, node: &Node, upstream: &Node) -> Result<(), TopologyError> {
        let path = node.data.join("postgresql.auto.conf");
        let old = match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            read => read.map_err(TopologyError::io("read", &path))?,
        };
        let kept = old.lines().filter(|line| !OURS.iter().any(|name| line.trim_start().starts_with(name)));
        let mut text: String = kept.map(|line| format!("{line}\n")).collect();
        let slot = settings::slot_name(node.name.as_str());
        for (name, value) in OURS.iter().zip([self.stream_conninfo(node, upstream), slot]) {
            text += &format!("{name} = '{}'\n", value.replace('\'', "''"));
        }
        let signal = node.data.join("standby.signal");
        for (path, text) in [(&path, text.as_str()), (&signal, "")] {
            fs::write(path, text).map_err(TopologyError::io("write", path))?;
            give(path, node.account.as_ref())?;
        }
        let timeline = node.standing().timeline;
        *node.standing() = Standing { timeline, ..Standing::follower(upstream.name) };
        if let Ok(process) = node.running("reload") {
            process.identity.signal(Signal::SIGHUP);
        }
        // The server itself would tell it, but perhaps after it has gone on and read what the old upstream had sent.
        if let Some(frozen) = &node.life().receiver {
            frozen.signal(Signal::SIGTERM);
        }
        Ok(())
    }

    /// Makes the slot through which `node` receives from the server of `upstream`, if it is not there.
    pub(super) async fn ensure_slot(
        &self,
        upstream: &Node,
        session: &Session,
        node: &Node,
    ) -> Result<(), TopologyError> {
        let slot = settings::slot_name(node.name.as_str());
        let sql = format!(
            "SELECT pg_create_physical_replication_slot('{slot}', immediately_reserve => true) \
             WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = '{slot}')"
        );
        session.batch(&sql).await.map_err(query_error(upstream, "make a replication slot"))
    }

    /// Drops the slots on `node` of nodes that do not receive from it any more; they would keep its log for ever. Whatever
    /// other slots there are, the lab did not make them.
    pub(super) async fn drop_stale_slots(&self, node: &Node, session: &Session) -> Result<(), TopologyError> {
        let stale = |other: &&Node| other.standing().upstream != Some(node.name);
        let name = |other: &Node| settings::slot_name(other.name.as_str());
        let stale: Vec<String> = self.nodes.iter().filter(stale).map(name).collect();
        let sql = format!(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots \
             WHERE slot_type = 'physical' AND NOT active AND slot_name = ANY ('{{{}}}')",
            stale.join(",")
        );
        session.batch(&sql).await.map_err(query_error(node, "drop replication slots"))
    }

    /// After a failover: waits until `node` follows, or is seen to have diverged, and takes note of which. One that is
    /// down or held up, or whose upstream is down, is looked at when that has ended.
    pub(super) async fn settle(&self, node: &Node) -> Result<(), TopologyError> {
        let standing = *node.standing();
        let (Some(last), Some(_)) = (self.fork(), self.fork_after(standing.timeline)) else {
            return Ok(());
        };
        let upstream = standing.upstream.map(|name| self.node(name)).transpose()?;
        let is_held_up = !node.is_free() || !upstream.is_some_and(Node::is_free) || !self.is_fed(node);
        if standing.diverged || is_held_up {
            return Ok(());
        }
        let session = self.session(node, PATIENCE).await?;
        let look = async {
            loop {
                let receives = probe::receives_timeline(&session).await?;
                if receives >= Some(last.timeline) || node.holds(last.timeline) {
                    return Ok(Seen::Follows);
                }
                // Of a timeline that it has a part of it holds no more than what is common to all.
                let missed = self.fork_after(node.latest().max(standing.timeline)).unwrap_or(last);
                if receives.is_none()
                    && probe::replay_lsn(&session).await? > Some(missed.at)
                    && !node.holds(missed.timeline)
                {
                    return Ok(Seen::Diverged);
                }
                sleep(POLL).await;
            }
        };
        let seen = node.within(look, Condition::Diverged, true).await?;
        session.close().await;
        match seen.map_err(query_error(node, "look whom it follows"))? {
            Seen::Follows => node.standing().timeline = last.timeline,
            Seen::Diverged => node.standing().diverged = true,
        }
        Ok(())
    }

    /// Waits until every replica that is neither down nor held up receives what the primary writes.
    pub async fn all_follow(&self) -> Result<(), TopologyError> {
        let timeline = self.fork().map(|fork| fork.timeline);
        for node in self.nodes.iter().filter(|node| node.standing().role == Role::Replica && node.is_free()) {
            let session = self.session(node, PATIENCE).await?;
            let follows = async {
                loop {
                    let received = probe::receives_timeline(&session).await?;
                    if received.is_some() && received >= timeline {
                        return Ok(());
                    }
                    sleep(POLL).await;
                }
            };
            let follows = node.within(follows, Condition::Diverged, true).await?;
            follows.map_err(query_error(node, "look whom it follows"))?;
            session.close().await;
        }
        // A replica that now receives from somebody else leaves a slot behind, which would keep its log for ever.
        for node in self.nodes.iter().filter(|node| node.is_free()) {
            let session = self.session(node, PATIENCE).await?;
            self.drop_stale_slots(node, &session).await?;
            session.close().await;
        }
        Ok(())
    }

    /// [`Cluster::settle`] for every node.
    pub(super) async fn settle_all(&self) -> Result<(), TopologyError> {
        for node in &self.nodes {
            self.settle(node).await?;
        }
        Ok(())
    }
}

impl Node {
    /// Whether it runs, and nothing keeps it from receiving and replaying.
    pub(super) fn is_free(&self) -> bool {
        self.streams() && self.life().lasting.is_empty()
    }

    /// The last timeline that it has a part of in its log.
    fn latest(&self) -> u32 {
        (1..).take_while(|&timeline| timeline == 1 || self.holds(timeline)).last().unwrap_or(1)
    }

    /// Whether it has a part of `timeline` in its log.
    fn holds(&self, timeline: u32) -> bool {
        let prefix = format!("{timeline:08X}");
        let is_segment = |name: &str| name.len() == 24 && name.starts_with(&prefix);
        let entries = fs::read_dir(self.data.join("pg_wal")).into_iter().flatten().flatten();
        entries.into_iter().any(|entry| entry.file_name().to_str().is_some_and(is_segment))
    }
}
