//! A primary and its replicas in containers, made from `compose/compose.yaml`.
//!
//! The engine is the parent of the servers, so each end is seen through `docker wait`. What a cluster has at the engine
//! carries its name and its owner as labels: `down` removes exactly that, and `gc` what a killed replab has left.

mod engine;
mod file;
mod make;
mod network;
mod node;
mod owner;
mod suspend;
mod sweep;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant, sleep};

pub(super) use make::container_ports;
pub use network::Link;
pub use sweep::gc;

use super::local::settings::SUPERUSER;
use super::process::Process;
use super::{Endpoint, Role, Standbys, TopologyError};
use crate::history::{Action, Condition, Nanos, NodeName, StopMode};
use crate::pg::{Conninfo, Deadlines, Host, PgError, Secret, Session};
use engine::Engine;
use node::Node;

/// How long a shutdown may take before it is forced, and that is reported.
const STOP_LIMIT: Duration = Duration::from_secs(30);

/// Between two attempts to get an answer; each costs the server a process and a line in its log.
const POLL: Duration = Duration::from_millis(20);

/// What cluster to make.
#[derive(Clone, Debug)]
pub struct Config {
    /// The image of every node; it has to be on this machine already.
    pub image: String,
    /// Streaming replicas beside the primary.
    pub replicas: usize,
    /// `off`, `local`, `remote_write`, `on`, `remote_apply`.
    pub synchronous_commit: String,
    /// Which replicas a commit waits for at the levels that wait for any; `None`: for nobody.
    pub standbys: Option<Standbys>,
    /// PostgreSQL's setting of the same name.
    pub hot_standby_feedback: bool,
    /// PostgreSQL's setting of the same name, on every replica.
    pub recovery_min_apply_delay: Nanos,
    /// The primary's port on 127.0.0.1; the replicas have the following ones. `None`: free ones.
    pub port: Option<u16>,
    /// Clients that will connect to one node at the same time.
    pub clients: u32,
    /// The lab's files; `None`: see [`super::local::StateDir::open`].
    pub state_dir: Option<PathBuf>,
    /// Where to write `<node>.log`; `None`: in the state directory.
    pub logs_dir: Option<PathBuf>,
    /// What the user calls the cluster; letters, digits, `-` and `_`.
    pub name: String,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            image: "postgres:17".to_owned(),
            replicas: 1,
            synchronous_commit: "on".to_owned(),
            standbys: None,
            hot_standby_feedback: false,
            recovery_min_apply_delay: Nanos(0),
            port: None,
            clients: 50,
            state_dir: None,
            logs_dir: None,
            name: "lab".to_owned(),
        }
    }
}

/// A cluster. Dropped, it is removed without ceremony; see [`Cluster::down`].
#[derive(Debug)]
pub struct Cluster {
    id: String,
    directory: PathBuf,
    engine: Engine,
    password: Secret,
    nodes: Vec<Node>,
    /// The compose program, while it makes the containers.
    making: Option<Process>,
    /// Whether it has been removed.
    ended: bool,
}

impl Cluster {
    /// The nodes as clients reach them, primary first: the published ports on 127.0.0.1, the superuser with its
    /// password.
    pub fn endpoints(&self) -> Vec<Endpoint> {
        let endpoint =
            |node: &Node| Endpoint { node: node.name, role: node.role, conninfo: self.conninfo(node) };
        self.nodes.iter().map(endpoint).collect()
    }

    /// Whether [`Cluster::act`] can do it.
    pub fn can(action: Action) -> bool {
        match action {
            Action::Kill | Action::Crash | Action::Stop(_) | Action::Start | Action::Restart => true,
            Action::Pause | Action::Resume | Action::Freeze | Action::Thaw => true,
            Action::PauseReplay | Action::ResumeReplay => true,
            // Nothing here follows a new primary yet.
            Action::Promote | Action::Switchover | Action::Rejoin => false,
            Action::Terminate | Action::CancelSyncWait => false,
            Action::Isolate(_) | Action::Reconnect | Action::Slow(_) | Action::SpeedUp => false,
            Action::Reset(_) => false,
        }
    }

    /// Does `action` to `node`, verifies that it took hold, and answers a line for the report. Different nodes at the
    /// same time, one node after the other.
    ///
    /// # Errors
    /// An action that does not fit the node's state (a stop of one that has died) does nothing and is an error.
    pub async fn act(&self, node: NodeName, action: Action) -> Result<String, TopologyError> {
        let node = self.node(node)?;
        let _turn = node.turn.lock().await;
        match action {
            Action::Kill => node.kill().await,
            Action::Stop(mode) => node.stop(mode, STOP_LIMIT).await,
            Action::Start => node.start().await,
            Action::Crash => Ok(format!("{}; {}", node.kill().await?, node.start().await?)),
            Action::Restart => {
                let stopped = node.stop(StopMode::Fast, STOP_LIMIT).await?;
                Ok(format!("{stopped}; {}", node.start().await?))
            }
            Action::Pause => node.pause().await,
            Action::Resume => node.resume().await,
            Action::Freeze => node.freeze(self.wal_receiver(node).await?).await,
            Action::Thaw => node.thaw().await,
            Action::PauseReplay => self.pause_replay(node).await,
            Action::ResumeReplay => self.resume_replay(node).await,
            Action::Promote
            | Action::Switchover
            | Action::Rejoin
            | Action::Terminate
            | Action::CancelSyncWait
            | Action::Isolate(_)
            | Action::Reconnect
            | Action::Slow(_)
            | Action::SpeedUp
            | Action::Reset(_) => {
                Err(TopologyError::lab(format!("a cluster of containers cannot {action} a node yet")))
            }
        }
    }

    /// Waits until a query is answered through a fresh connection.
    ///
    /// # Errors
    /// [`TopologyError::NoAnswer`] after `deadline`, and at once when the node has ended; with the end of its log.
    pub async fn answer(&self, node: NodeName, deadline: Duration) -> Result<(), TopologyError> {
        self.session(self.node(node)?, deadline).await?.close().await;
        Ok(())
    }

    /// A session through the door that clients use: it is tried again until it works, or the node ends, or `deadline` is
    /// over.
    async fn session(&self, node: &Node, deadline: Duration) -> Result<Session, TopologyError> {
        let conninfo = self.conninfo(node);
        let end = Instant::now() + deadline;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let deadlines = Deadlines { connect: left, statement: deadline };
            let error = match Session::connect(&conninfo, "replab", deadlines).await {
                Ok(session) => return Ok(session),
                Err(error) => error,
            };
            if !node.is_running() {
                return Err(node.no_answer("it has ended".to_owned()));
            }
            if Instant::now() >= end {
                let waited = deadline.as_millis();
                return Err(node.no_answer(format!(
                    "no query was answered within {waited} ms; the last attempt: {error}"
                )));
            }
            sleep(POLL).await;
        }
    }

    fn conninfo(&self, node: &Node) -> Conninfo {
        let host = Host::Tcp("127.0.0.1".to_owned());
        Conninfo::new(host, node.port, SUPERUSER, SUPERUSER).with_password(self.password.clone())
    }

    /// The node that takes writes, and whether it runs.
    pub fn writer(&self) -> Result<(NodeName, bool), TopologyError> {
        let primary = self.nodes.iter().find(|node| node.role == Role::Primary);
        let primary = primary.ok_or_else(|| TopologyError::lab("the cluster has no primary"))?;
        Ok((primary.name, primary.is_running()))
    }

    /// What is known of a server that ended although nobody asked for it, with the end of its log.
    pub fn died_unasked(&self) -> Option<String> {
        self.nodes.iter().find_map(Node::died_unasked)
    }

    /// What actions have left the nodes in, by node and in the order in which it can be put right.
    pub fn conditions(&self) -> Vec<(NodeName, Condition)> {
        let of = |(name, conditions): (NodeName, BTreeSet<Condition>)| {
            conditions.into_iter().map(move |condition| (name, condition))
        };
        self.nodes.iter().map(|node| (node.name, node.conditions())).flat_map(of).collect()
    }

    /// Whether a node's container runs; an error for a node that does not exist.
    pub fn is_running(&self, node: NodeName) -> Result<bool, TopologyError> {
        Ok(self.node(node)?.is_running())
    }

    /// Where the log of a node is once the cluster is down.
    pub fn log(&self, node: NodeName) -> Result<&Path, TopologyError> {
        Ok(&self.node(node)?.log)
    }

    /// What the labels of everything that belongs to it say: `replab.cluster`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The id of a node's container.
    pub fn container(&self, node: NodeName) -> Result<&str, TopologyError> {
        Ok(&self.node(node)?.container)
    }

    /// Removes the containers, their networks and their volumes. The logs stay.
    pub async fn down(mut self) -> Result<(), TopologyError> {
        for saved in join_all(self.nodes.iter().map(Node::save_log)).await {
            saved?;
        }
        let (engine, id, directory) = (self.engine.clone(), self.id.clone(), self.directory.clone());
        let swept = tokio::task::spawn_blocking(move || sweep::sweep(&engine, &id, Some(&directory), false));
        let swept = swept.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
        if !swept.failed.is_empty() {
            return Err(TopologyError::lab(format!("end {}: {}", self.id, swept.failed.join("; "))));
        }
        self.ended = true;
        Ok(())
    }

    fn node(&self, name: NodeName) -> Result<&Node, TopologyError> {
        self.nodes.iter().find(|node| node.name == name).ok_or_else(|| TopologyError::UnknownNode {
            node: name,
            known: self.nodes.iter().map(|node| node.name.to_string()).collect(),
        })
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        // Before what it makes is looked for.
        if let Some(making) = &self.making {
            making.kill_group();
        }
        for node in &self.nodes {
            node.log_end();
        }
        sweep::sweep(&self.engine, &self.id, Some(&self.directory), false);
    }
}

fn query_error(node: &Node, what: &'static str) -> impl FnOnce(PgError) -> TopologyError {
    let node = node.name;
    move |error| TopologyError::Query { node, what, why: error.to_string() }
}
