//! A primary and its replicas in containers, made from `compose/compose.yaml`.
//!
//! The engine is the parent of the servers, so each end is seen through `docker wait`. What a cluster has at the engine
//! carries its name and its owner as labels: `down` removes exactly that, and `gc` what a killed replab has left.

mod engine;
mod file;
mod follow;
mod make;
mod network;
mod node;
mod owner;
mod suspend;
mod sweep;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant, sleep};

pub(super) use make::container_ports;
pub use sweep::gc;

use super::local::settings::SUPERUSER;
use super::process::Process;
use super::servers::{self, Fork, Server, Servers};
use super::{Endpoint, Standbys, TopologyError};
use crate::history::{Action, Condition, Nanos, NodeName, Side, StopMode};
use crate::pg::{Conninfo, Deadlines, Host, Secret, Session};
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
    image: String,
    /// Of everything that belongs to it, as `name=value`.
    labels: Vec<String>,
    password: Secret,
    nodes: Vec<Node>,
    /// Where the failovers made the log go on, the last one last.
    forks: Mutex<Vec<Fork>>,
    /// The compose program, while it makes the containers.
    making: Option<Process>,
    /// Whether it has been removed.
    ended: bool,
}

impl Cluster {
    /// The nodes as clients reach them, primary first: the published ports on 127.0.0.1, the superuser with its
    /// password.
    pub fn endpoints(&self) -> Vec<Endpoint> {
        let endpoint = |node: &Node| {
            let conninfo = self.conninfo(node);
            Endpoint { node: node.name, role: node.standing().role, conninfo }
        };
        self.nodes.iter().map(endpoint).collect()
    }

    /// Whether [`Cluster::act`] can do it.
    pub fn can(action: Action) -> bool {
        match action {
            Action::Kill | Action::Crash | Action::Stop(_) | Action::Start | Action::Restart => true,
            Action::Pause | Action::Resume | Action::Freeze | Action::Thaw => true,
            Action::PauseReplay | Action::ResumeReplay => true,
            Action::Promote | Action::Switchover | Action::Rejoin => true,
            Action::Terminate | Action::CancelSyncWait => true,
            Action::Isolate(cut) => Cluster::can_cut(cut),
            Action::Reconnect => true,
            // An engine knows networks, and not what passes through them.
            Action::Slow(_) | Action::SpeedUp | Action::Reset(_) => false,
            // Its volumes lie on the engine's own disk.
            Action::FillDisk | Action::FreeDisk => false,
            // PostgreSQL simulates nothing.
            Action::InjectReplicaFailure(_)
            | Action::InjectDiskFailure(_)
            | Action::InjectDiskCongestion(_) => false,
        }
    }

    /// Does `action` to `node`, verifies that it took hold, and answers a line for the report. Different nodes at the
    /// same time, one node after the other.
    ///
    /// # Errors
    /// An action that does not fit the node's state (a stop of one that has died) does nothing and is an error.
    pub async fn act(&self, node: NodeName, action: Action) -> Result<String, TopologyError> {
        let node = self.node(node)?;
        if node.standing().diverged && (action == Action::Freeze || action.moves_primary()) {
            return Err(TopologyError::Impossible { node: node.name, condition: Condition::Diverged });
        }
        if needs_session(action) && node.is_running() {
            node.is_to_answer()?;
        }
        let mut turns = Vec::new();
        // A change of the primary concerns every node. Always in the same order, so that nobody waits for each other.
        for one in &self.nodes {
            if one.name == node.name || action.concerns_all() {
                turns.push(one.turn.lock().await);
            }
        }
        node.admit(action)?;
        self.perform(node, action).await
    }

    async fn perform(&self, node: &Node, action: Action) -> Result<String, TopologyError> {
        let done = match action {
            Action::Kill => node.kill().await?,
            Action::Stop(mode) => node.stop(mode, STOP_LIMIT).await?,
            Action::Start => self.start(node).await?,
            Action::Crash => format!("{}; {}", node.kill().await?, self.start(node).await?),
            Action::Restart => {
                let stopped = node.stop(StopMode::Fast, STOP_LIMIT).await?;
                format!("{stopped}; {}", self.start(node).await?)
            }
            Action::Pause => node.pause().await?,
            Action::Resume => node.resume().await?,
            Action::Freeze => node.freeze(servers::wal_receiver(self, node).await?).await?,
            Action::Thaw => node.thaw().await?,
            Action::PauseReplay => servers::pause_replay(self, node).await?,
            Action::ResumeReplay => servers::resume_replay(self, node).await?,
            Action::Terminate => servers::terminate(self, node).await?,
            Action::CancelSyncWait => servers::cancel_sync_wait(self, node).await?,
            Action::Promote => return servers::promote(self, node).await,
            Action::Switchover => return servers::switch_over(self, node).await,
            Action::Rejoin => return servers::rejoin(self, node).await,
            Action::Isolate(cut) => self.isolate(node, cut).await?,
            Action::Reconnect => self.reconnect(node).await?,
            Action::Slow(_)
            | Action::SpeedUp
            | Action::Reset(_)
            | Action::FillDisk
            | Action::FreeDisk
            | Action::InjectReplicaFailure(_)
            | Action::InjectDiskFailure(_)
            | Action::InjectDiskCongestion(_) => {
                let why = format!("a cluster of containers cannot {action} a node");
                return Err(TopologyError::lab(why));
            }
        };
        // What was held up during a failover now shows whether it can follow.
        if action.brings_back() || action.cures().is_some() {
            servers::settle(self, node).await?;
        }
        Ok(done)
    }

    /// Starts a node; an old primary is no primary any more, and must not become one by being started.
    async fn start(&self, node: &Node) -> Result<String, TopologyError> {
        let diverged = node.standing().diverged;
        if diverged && !node.is_running() && !self.starts_as_replica(node).await? {
            let primary = servers::primary(self)?.name;
            return Err(TopologyError::SecondPrimary { node: node.name, primary });
        }
        node.start().await
    }

    /// Waits until a query is answered through a fresh connection, through the door that clients use; of a node that is cut
    /// off from its clients, in its container.
    ///
    /// # Errors
    /// [`TopologyError::NoAnswer`] after `deadline`, and at once when the node has ended; with the end of its log.
    pub async fn answer(&self, node: NodeName, deadline: Duration) -> Result<(), TopologyError> {
        let node = self.node(node)?;
        if node.is_cut_off(Side::Clients) {
            return node.answers_inside(deadline).await;
        }
        self.session(node, deadline).await?.close().await;
        Ok(())
    }

    /// A session through the door that clients use: it is tried again until it works, or the node ends, or `deadline` is
    /// over.
    async fn connect(&self, node: &Node, deadline: Duration) -> Result<Session, TopologyError> {
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
        servers::writer(self)
    }

    /// The replica that has received most of the log, of those that could be promoted; the first of several. Ask when the
    /// primary has ended: what is still on its way is waited for.
    pub async fn candidate(&self) -> Result<NodeName, TopologyError> {
        servers::candidate(self).await
    }

    /// Whether `node`, or any where none is named, could be promoted just now: to be asked before the primary is ended.
    pub fn check_promotable(&self, node: Option<NodeName>) -> Result<(), TopologyError> {
        servers::check_promotable(self, node)
    }

    /// Waits until every replica that is neither down nor held up receives what the primary writes.
    pub async fn all_follow(&self) -> Result<(), TopologyError> {
        servers::all_follow(self).await
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
        self.server(name)
    }
}

/// Whether the lab has to speak with the node's server for it.
fn needs_session(action: Action) -> bool {
    let replay = matches!(action, Action::PauseReplay | Action::ResumeReplay);
    replay || matches!(action, Action::Freeze | Action::Terminate | Action::CancelSyncWait)
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
