//! A primary and its replicas as processes of this machine.
//!
//! replab is the parent of every `postgres`: it sees each end, reaps at once (a postmaster that is a zombie makes the
//! next start refuse the data directory), and kills whole servers. Should replab itself be killed, its guard ends the
//! cluster.

mod ballast;
mod binaries;
mod cache;
mod config;
mod disk;
mod disturbance;
mod files;
mod follow;
mod grow;
mod guard;
mod hold;
mod lock;
mod make;
mod mount;
mod network;
mod node;
mod partition;
mod pgbench;
mod registry;
mod session;
pub(super) mod settings;
mod shared_memory;
mod state;
mod suspend;
mod sweep;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;

pub use binaries::Binaries;
pub use config::Config;
pub use guard::stand;
pub use hold::Hold;
pub use mount::check as check_mounts;
pub use pgbench::{Pgbench, Quantity, Ran};
pub(crate) use state::random_hex;
pub use state::{ClusterState, NodeState, StateDir};
pub use sweep::{Swept, gc};

pub use super::servers::Standing;

use super::process::Identity;
use super::servers::{self, Server, Servers};
use super::{Endpoint, TopologyError};
use crate::history::{Action, Condition, NodeName, Side, StopMode};
use crate::pg::{Conninfo, Host, Secret};
use guard::Guard;
use network::Network;
use node::Node;
use session::connect;
use settings::SUPERUSER;
pub(super) use sweep::remove;
use sweep::sweep;

/// How long a shutdown may take before it is forced, and that is reported.
const STOP_LIMIT: Duration = Duration::from_secs(30);

/// Between two attempts to get an answer; each costs the server a process and a line in its log.
const POLL: Duration = Duration::from_millis(10);

/// A cluster. Dropped, it is ended without ceremony; see [`Cluster::down`] and [`Cluster::detach`].
#[derive(Debug)]
pub struct Cluster {
    directory: PathBuf,
    password: Secret,
    nodes: Vec<Node>,
    /// What is written about it; the nodes' own part is kept by the nodes.
    state: Mutex<ClusterState>,
    network: Option<Network>,
    guard: Option<Guard>,
    /// Whether it outlives this value.
    keep: bool,
}

impl Cluster {
    /// The nodes as clients reach them, primary first: TCP on 127.0.0.1, the superuser with its password.
    pub fn endpoints(&self) -> Vec<Endpoint> {
        self.nodes.iter().map(|node| self.endpoint(node, self.clients_port(node))).collect()
    }

    /// The same for the lab itself: past the links that faults are done to.
    pub fn direct_endpoints(&self) -> Vec<Endpoint> {
        self.nodes.iter().map(|node| self.endpoint(node, node.port())).collect()
    }

    fn endpoint(&self, node: &Node, port: u16) -> Endpoint {
        let conninfo = Conninfo::new(Host::Tcp("127.0.0.1".to_owned()), port, SUPERUSER, SUPERUSER);
        let conninfo = conninfo.with_password(self.password.clone());
        Endpoint { node: node.name, role: node.standing().role, conninfo }
    }

    fn clients_port(&self, node: &Node) -> u16 {
        self.network.as_ref().map_or(node.port(), |network| network.port(None, node))
    }

    /// Whether [`Cluster::act`] can do it.
    pub fn can(action: Action) -> bool {
        match action {
            Action::Kill | Action::Crash | Action::Stop(_) | Action::Start | Action::Restart => true,
            Action::Pause | Action::Resume | Action::Freeze | Action::Thaw => true,
            Action::PauseReplay | Action::ResumeReplay => true,
            Action::Promote | Action::Switchover | Action::Rejoin => true,
            Action::Isolate(_) | Action::Reconnect | Action::Slow(_) | Action::SpeedUp => true,
            Action::Reset(_) => true,
            Action::FillDisk | Action::FreeDisk => true,
            Action::Terminate | Action::CancelSyncWait => true,
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
        let mut turns = Vec::new();
        // A change of the primary concerns every node, one of a node's network its peers, and a replica that has to catch up
        // its primary. Always in the same order, so that nobody waits for each other.
        let catches_up = action == Action::FreeDisk;
        let all = action.concerns_all() || catches_up || self.concerns_peers(node, action);
        for one in &self.nodes {
            if one.name == node.name || all {
                turns.push(one.turn.lock().await);
            }
        }
        node.admit(action)?;
        let done = self.perform(node, action).await;
        // Whatever became of it, the processes that exist now are those to be ended later.
        self.save()?;
        done
    }

    async fn perform(&self, node: &Node, action: Action) -> Result<String, TopologyError> {
        let done = match action {
            Action::Kill => killed(node.kill().await?),
            Action::Stop(mode) => stopped(node.stop(mode, STOP_LIMIT).await?),
            Action::Start => started(self.start(node).await?),
            Action::Crash => {
                let dead = node.kill().await?;
                format!("{}; {}", killed(dead), started(self.start(node).await?))
            }
            Action::Restart => {
                let old = node.stop(StopMode::Fast, STOP_LIMIT).await?;
                format!("{}; {}", stopped(old), started(self.start(node).await?))
            }
            Action::Pause => node.pause().await?,
            Action::Resume => node.resume().await?,
            Action::Freeze => loop {
                if let Some(said) = node.freeze(servers::wal_receiver(self, node).await?).await? {
                    break said;
                }
            },
            Action::Thaw => node.thaw().await?,
            Action::PauseReplay => servers::pause_replay(self, node).await?,
            Action::ResumeReplay => servers::resume_replay(self, node).await?,
            Action::Terminate => servers::terminate(self, node).await?,
            Action::CancelSyncWait => servers::cancel_sync_wait(self, node).await?,
            Action::Isolate(cut) => self.isolate(node, cut).await?,
            Action::Reconnect => self.reconnect(node).await?,
            Action::Slow(how) => self.slow(node, how).await?,
            Action::SpeedUp => self.speed_up(node).await?,
            Action::Reset(side) => self.reset(node, side).await?,
            Action::FillDisk => self.fill_disk(node).await?,
            Action::FreeDisk => self.free_disk(node).await?,
            Action::Promote => return servers::promote(self, node).await,
            Action::Switchover => return servers::switch_over(self, node).await,
            Action::Rejoin => return servers::rejoin(self, node).await,
            Action::InjectReplicaFailure(_)
            | Action::InjectDiskFailure(_)
            | Action::InjectDiskCongestion(_) => {
                return Err(TopologyError::lab(format!("a cluster of processes has no {action}")));
            }
        };
        // What was held up during a failover now shows whether it can follow.
        if action.brings_back() || action.cures().is_some() {
            servers::settle(self, node).await?;
        }
        Ok(done)
    }

    /// Starts a node; an old primary is no primary any more, and must not become one by being started.
    async fn start(&self, node: &Node) -> Result<Identity, TopologyError> {
        let diverged = node.standing().diverged;
        if diverged && !self.starts_as_replica(node).await? {
            let primary = servers::primary(self)?.name;
            return Err(TopologyError::SecondPrimary { node: node.name, primary });
        }
        node.start().await
    }

    /// Waits until a query is answered through a fresh connection, through the door that clients use. Of a node that is
    /// cut off from its clients that cannot be asked, only whether it would answer them.
    ///
    /// # Errors
    /// [`TopologyError::NoAnswer`] after `deadline`, and at once when the node has ended; with the end of its log.
    pub async fn answer(&self, node: NodeName, deadline: Duration) -> Result<(), TopologyError> {
        let node = self.node(node)?;
        let port = if node.disturbed().cuts(Side::Clients) { node.port() } else { self.clients_port(node) };
        connect(node, &self.endpoint(node, port).conninfo, deadline).await?.close().await;
        Ok(())
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

    /// The same of one node; the primary follows nobody.
    pub async fn follows(&self, node: NodeName) -> Result<(), TopologyError> {
        servers::follows(self, self.node(node)?).await
    }

    /// What is known of a server that ended although nobody asked for it, with the end of its log.
    pub fn died_unasked(&self) -> Option<String> {
        self.nodes.iter().find_map(Node::died_unasked)
    }

    /// The same of one server.
    pub fn how_it_died(&self, node: NodeName) -> Option<String> {
        self.node(node).ok()?.died_unasked()
    }

    /// What actions have left the nodes in, by node and in the order in which it can be put right.
    pub fn conditions(&self) -> Vec<(NodeName, Condition)> {
        let of = |(name, conditions): (NodeName, BTreeSet<Condition>)| {
            conditions.into_iter().map(move |condition| (name, condition))
        };
        self.nodes.iter().map(|node| (node.name, node.conditions())).flat_map(of).collect()
    }

    /// The nodes that do not run although no action ended them.
    pub fn dead(&self) -> Vec<NodeName> {
        let is_dead = |node: &&Node| !node.is_running() && node.conditions().is_empty();
        self.nodes.iter().filter(is_dead).map(|node| node.name).collect()
    }

    /// Whether a node's postmaster runs; an error for a node that does not exist.
    pub fn is_running(&self, node: NodeName) -> Result<bool, TopologyError> {
        Ok(self.node(node)?.is_running())
    }

    /// What the nodes keep of their write-ahead logs, in bytes.
    pub fn log_bytes(&self) -> u64 {
        let files = |node: &Node| std::fs::read_dir(node.data.join("pg_wal")).into_iter().flatten().flatten();
        let size = |entry: std::fs::DirEntry| entry.metadata().map_or(0, |data| data.len());
        self.nodes.iter().flat_map(files).map(size).sum()
    }

    /// The log of a node.
    pub fn log(&self, node: NodeName) -> Result<&Path, TopologyError> {
        Ok(&self.node(node)?.log)
    }

    /// What is written about the cluster.
    pub fn state(&self) -> ClusterState {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner).clone();
        state.nodes = self.nodes.iter().map(Node::state).collect();
        state
    }

    /// The file with the superuser's password, in libpq's format.
    pub fn passfile(&self) -> PathBuf {
        self.directory.join("pgpass")
    }

    /// The private socket of a node.
    pub fn socket(&self, node: NodeName) -> Result<PathBuf, TopologyError> {
        Ok(self.node(node)?.socket_file())
    }

    /// Stops every server (fast, then immediate, then SIGKILL) and removes their data. The logs stay.
    pub async fn down(mut self) -> Result<(), TopologyError> {
        // A server that shuts down waits for replicas that are connected, and would for those that are cut off.
        drop(self.network.take());
        for ended in join_all(self.nodes.iter().map(Node::end_in_turn)).await {
            ended?;
        }
        mount::unmount_all(&self.directory).map_err(TopologyError::io("unmount", &self.directory))?;
        let socket = self.state().socket;
        for path in [&socket, &self.directory] {
            remove(path).map_err(TopologyError::io("remove", path))?;
        }
        self.keep = true;
        if let Some(guard) = self.guard.take() {
            guard.dismiss();
        }
        Ok(())
    }

    /// Leaves the cluster running when this process ends; [`Cluster::attach`] finds it again.
    pub fn detach(mut self) -> Result<(), TopologyError> {
        if self.network.is_some() {
            return Err(TopologyError::lab(
                "a cluster whose connections go through this process ends with it",
            ));
        }
        if self.nodes.iter().any(|node| node.disk.is_some()) {
            return Err(TopologyError::lab("a cluster on small disks ends with the run that it is made for"));
        }
        self.state.lock().unwrap_or_else(PoisonError::into_inner).owner = None;
        self.save()?;
        self.keep = true;
        if let Some(guard) = self.guard.take() {
            guard.dismiss();
        }
        Ok(())
    }

    fn node(&self, name: NodeName) -> Result<&Node, TopologyError> {
        self.server(name)
    }

    /// Writes down which processes belong to the cluster.
    fn save(&self) -> Result<(), TopologyError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.nodes = self.nodes.iter().map(Node::state).collect();
        state.write(&self.directory)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.keep {
            return;
        }
        sweep(&self.directory, false);
        if let Some(guard) = self.guard.take() {
            guard.dismiss();
        }
    }
}

/// A value of a connection string.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\\', "\\\\").replace('\'', "\\'"))
}

fn killed((pid, count): (i32, usize)) -> String {
    if count == 0 {
        return format!("postmaster {pid} had ended by itself; no process is left");
    }
    format!("killed {count} processes, among them postmaster {pid}; none is left")
}

fn stopped((pid, how): (i32, String)) -> String {
    format!("postmaster {pid} stopped ({how}); no process is left")
}

fn started(new: Identity) -> String {
    format!("started as {}", postmaster(new))
}

fn postmaster(process: Identity) -> String {
    format!("postmaster {}", process.pid)
}
