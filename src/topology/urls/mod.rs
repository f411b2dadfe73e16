//! A cluster that somebody else runs: a writer's URL and readers' URLs.
//!
//! Who is the primary is asked of the servers. Nothing is done to them but what the user's own commands do: the lab
//! starts the command, waits until the servers show that it took hold, and says so where they do not. Tables are made
//! in a schema of the run's own, which is dropped at the end.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;

use super::attached::{Node, Schema};
use super::{Endpoint, Role, TopologyError};
use crate::history::{Action, NodeName};
use crate::lsn::Lsn;
use crate::pg::{Conninfo, PgError, probe};

mod faults;
mod hook;

/// Long enough for a server to replay what it has to.
pub const SETTLE_LIMIT: Duration = super::attached::SETTLE_LIMIT;

/// How long the primary may be away when the run's schema is to be dropped: nobody fails it over any more.
const DROP_LIMIT: Duration = Duration::from_secs(30);

/// What to attach to.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The primary; its sessions set nothing yet.
    pub writer: Conninfo,
    /// The replicas.
    pub readers: Vec<Conninfo>,
    /// Restarts the node `$REPLAB_NODE`; run by `sh -c`.
    pub restart_command: Option<String>,
    /// Makes the node `$REPLAB_NODE` the primary; run by `sh -c`.
    pub failover_command: Option<String>,
    /// The run's own schema: lower-case letters, digits and `_`.
    pub schema: String,
    /// `synchronous_commit` of every session.
    pub synchronous_commit: String,
    /// Whether the schema stays.
    pub keep: bool,
    /// Where the commands' output goes.
    pub logs_dir: PathBuf,
    /// How long the servers may take to show what a command did.
    pub settle_limit: Duration,
}

/// A cluster that is reached by URLs.
#[derive(Debug)]
pub struct Cluster {
    config: Config,
    nodes: Vec<Node>,
    /// Which of them is the primary, as the servers said when they were last asked.
    primary: Mutex<NodeName>,
    schema: Schema,
    /// Whether a command has made another node the primary, so that nobody knows what became of the old one.
    moved: AtomicBool,
    /// One command at a time: each is verified by what the servers say after it.
    turn: tokio::sync::Mutex<()>,
}

impl Cluster {
    /// Asks every node what it is. The writer must be a primary of PostgreSQL 14 or newer, the readers replicas of the
    /// same cluster; nothing is changed.
    ///
    /// # Errors
    /// [`TopologyError::Unreachable`] and [`TopologyError::Unfit`], both with the node's name.
    pub async fn attach(config: Config) -> Result<Cluster, TopologyError> {
        let named = |(number, conninfo): (usize, &Conninfo)| {
            let name = if number == 0 { NodeName::primary() } else { NodeName::replica(number) };
            Node::new(name, conninfo, &config.schema, &config.synchronous_commit)
        };
        let urls = std::iter::once(&config.writer).chain(&config.readers);
        let nodes: Vec<Node> = urls.enumerate().map(named).collect();
        // All at once; of several errors the first node's.
        let seen = join_all(nodes.iter().map(Node::look)).await;
        let seen = seen.into_iter().collect::<Result<Vec<_>, _>>()?;
        for (place, node) in nodes.iter().enumerate() {
            node.check(&seen[place])?;
            for (other, of_other) in nodes.iter().zip(&seen).take(place) {
                node.check_beside(&seen[place], other.name, of_other)?;
            }
        }
        if config.waits_for_replicas() {
            nodes[0].check_standbys(&config.synchronous_commit).await?;
        }
        for (node, seen) in nodes.iter().zip(seen) {
            node.remember(seen);
        }
        let primary = Mutex::new(NodeName::primary());
        let schema = Schema::new(&config.schema, config.keep, DROP_LIMIT);
        let moved = AtomicBool::new(false);
        Ok(Cluster { config, nodes, primary, schema, moved, turn: tokio::sync::Mutex::default() })
    }

    /// The nodes as clients reach them, in the order of the URLs: with the run's schema and `synchronous_commit`.
    pub fn endpoints(&self) -> Vec<Endpoint> {
        let primary = *self.primary();
        let role = |node: &Node| if node.name == primary { Role::Primary } else { Role::Replica };
        let endpoint =
            |node: &Node| Endpoint { node: node.name, role: role(node), conninfo: node.clients.clone() };
        self.nodes.iter().map(endpoint).collect()
    }

    /// The node that takes writes; whether it runs is for its owner to know.
    pub fn writer(&self) -> (NodeName, bool) {
        (*self.primary(), true)
    }

    /// Whether [`Cluster::act`] can do it: only what a command of the user's does.
    pub fn can(&self, action: Action) -> bool {
        self.config.command(action).is_some()
    }

    /// The replica that has received most of the log, by the replicas' own word; the first of several.
    pub async fn candidate(&self) -> Result<NodeName, TopologyError> {
        let primary = *self.primary();
        let position = async |node: &Node| -> Result<(Option<Lsn>, NodeName), PgError> {
            let session = node.session().await?;
            let standby = probe::standby(&session).await?;
            session.close().await;
            Ok((standby.flushed.max(standby.replayed), node.name))
        };
        let replicas = self.nodes.iter().filter(|node| node.name != primary);
        let mut best: Option<(Option<Lsn>, NodeName)> = None;
        for (end, node) in join_all(replicas.map(position)).await.into_iter().flatten() {
            if best.is_none_or(|(most, _)| end > most) {
                best = Some((end, node));
            }
        }
        best.map(|(_, node)| node)
            .ok_or_else(|| TopologyError::lab("no replica answers that could be promoted"))
    }

    /// Makes the run's schema.
    ///
    /// # Errors
    /// [`TopologyError::Unfit`] where it is there already, or the user may not make it.
    pub async fn make_schema(&self) -> Result<(), TopologyError> {
        let primary = *self.primary();
        self.schema.make(self.node(primary)?).await
    }

    /// Drops the schema, unless it is to stay.
    ///
    /// # Errors
    /// [`TopologyError::LeftBehind`], with what to type.
    pub async fn down(self) -> Result<(), TopologyError> {
        let writer = async |again: bool| {
            // After a failover that replab saw only half of, another node than the one it knows takes writes.
            if again && let [primary] = self.primaries().await[..] {
                *self.primary() = primary;
            }
            self.node(*self.primary()).ok()
        };
        self.schema.drop(writer).await
    }

    /// Waits until a query is answered through a fresh connection.
    pub async fn answer(&self, node: NodeName, deadline: Duration) -> Result<(), TopologyError> {
        self.node(node)?.wait(deadline, "answer a query", |_| true).await.map(drop)
    }

    fn primary(&self) -> MutexGuard<'_, NodeName> {
        self.primary.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn node(&self, name: NodeName) -> Result<&Node, TopologyError> {
        self.nodes.iter().find(|node| node.name == name).ok_or_else(|| TopologyError::UnknownNode {
            node: name,
            known: self.nodes.iter().map(|node| node.name.to_string()).collect(),
        })
    }
}

/// Which of the user's commands does `action`. An orderly switchover is more than a failover command promises.
pub fn command<'a>(action: Action, restart: Option<&'a str>, failover: Option<&'a str>) -> Option<&'a str> {
    match action {
        Action::Restart => restart,
        Action::Promote => failover,
        _ => None,
    }
}

impl Config {
    /// What the user has for `action`.
    fn command(&self, action: Action) -> Option<&str> {
        command(action, self.restart_command.as_deref(), self.failover_command.as_deref())
    }

    /// Whether commits are meant to wait for replicas at a level that PostgreSQL takes for `local` where none is named.
    fn waits_for_replicas(&self) -> bool {
        matches!(&*self.synchronous_commit, "remote_write" | "remote_apply")
    }
}
