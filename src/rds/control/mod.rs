//! The control plane: what the API does to the cluster, one change at a time, while the states in between can be seen.

mod failover;
mod inject;
mod jobs;
mod members;
mod power;
mod up;
mod watch;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::{RwLock, mpsc, watch as channel};
use tokio::task::{AbortHandle, JoinError};
use tokio::time::sleep;

use super::chaos::{Dice, Plant};
use super::door::{Door, Target};
use super::events::{Event, Happening, Log, Source};
use super::fleet::{Fleet, InstanceStatus};
use super::refusal::Refusal;
use super::signature::Keys;
use crate::history::{Action, NodeName};
use crate::pg::{Deadlines, PgError, Session};
use crate::topology::local::Cluster;
use crate::topology::{Endpoint, TopologyError};
use jobs::Jobs;
use tokio_rustls::TlsAcceptor;

/// For the sessions of the control plane.
pub(super) const DEADLINES: Deadlines =
    Deadlines { connect: Duration::from_secs(10), statement: Duration::from_secs(30) };

/// Whom commits wait for.
const ANY_READER: &str = "ANY 1 (*)";

/// The cluster, and what is known of it.
pub(super) struct Control {
    pub(super) cluster: RwLock<Cluster>,
    fleet: Mutex<Fleet>,
    log: Mutex<Log>,
    pub(super) dice: Dice,
    plant: Option<Plant>,
    tls: TlsAcceptor,
    force_tls: bool,
    /// What tokens have to be signed with.
    pub(super) keys: Keys,
    /// Held by a change: one at a time.
    turn: tokio::sync::Mutex<()>,
    jobs: Jobs,
    /// Readers that are made to fail.
    failing: Mutex<BTreeMap<NodeName, channel::Sender<()>>>,
    /// Of each server, a signal for the connections that lead to it: it becomes another one.
    connections: Mutex<BTreeMap<NodeName, channel::Sender<u64>>>,
    doors: Mutex<BTreeMap<NodeName, AbortHandle>>,
    /// Whose turn it is at the reader endpoint.
    next_reader: AtomicUsize,
    hosts: PathBuf,
    said: mpsc::UnboundedSender<String>,
}

/// What a control plane begins with.
pub(super) struct Beginning {
    pub(super) cluster: Cluster,
    pub(super) fleet: Fleet,
    pub(super) dice: Dice,
    pub(super) plant: Option<Plant>,
    pub(super) tls: TlsAcceptor,
    pub(super) force_tls: bool,
    pub(super) keys: Keys,
    /// The file with the names of the endpoints.
    pub(super) hosts: PathBuf,
    /// Takes a line for each event, and for what went wrong.
    pub(super) said: mpsc::UnboundedSender<String>,
}

impl Control {
    pub(super) fn new(beginning: Beginning) -> Arc<Control> {
        let Beginning { cluster, fleet, dice, plant, tls, force_tls, keys, hosts, said } = beginning;
        Arc::new(Control {
            cluster: RwLock::new(cluster),
            fleet: Mutex::new(fleet),
            log: Mutex::default(),
            dice,
            plant,
            tls,
            force_tls,
            keys,
            turn: tokio::sync::Mutex::default(),
            jobs: Jobs::default(),
            failing: Mutex::default(),
            connections: Mutex::default(),
            doors: Mutex::default(),
            next_reader: AtomicUsize::new(0),
            hosts,
            said,
        })
    }

    pub(super) fn fleet(&self) -> MutexGuard<'_, Fleet> {
        lock(&self.fleet)
    }

    pub(super) fn log(&self) -> MutexGuard<'_, Log> {
        lock(&self.log)
    }

    /// Writes down where the endpoints' names lead.
    pub(super) fn name_hosts(&self) -> Result<(), TopologyError> {
        let text = self.fleet().hosts();
        let unfinished = self.hosts.with_extension("new");
        std::fs::write(&unfinished, text).map_err(TopologyError::io("write", &unfinished))?;
        std::fs::rename(&unfinished, &self.hosts).map_err(TopologyError::io("write", &self.hosts))
    }

    pub(super) fn say(&self, text: impl Into<String>) {
        // Nobody listens any more when everything is about to end.
        let _ = self.said.send(text.into());
    }

    /// The server that is the writer.
    pub(super) async fn writer(&self) -> Result<NodeName, Refusal> {
        let writer = self.cluster.read().await.writer();
        writer.map(|(node, _)| node).map_err(|error| Refusal::internal(error.to_string()))
    }

    /// How the control plane reaches a server.
    pub(super) async fn endpoint(&self, node: NodeName) -> Option<Endpoint> {
        let endpoints = self.cluster.read().await.direct_endpoints();
        endpoints.into_iter().find(|endpoint| endpoint.node == node)
    }

    pub(super) async fn session(&self, node: NodeName, database: &str) -> anyhow::Result<Session> {
        let endpoint =
            self.endpoint(node).await.ok_or_else(|| anyhow::anyhow!("there is no server {node}"))?;
        let conninfo = endpoint.conninfo.with_dbname(database);
        Ok(Session::connect(&conninfo, "replab", DEADLINES).await?)
    }

    /// Everything ends: what is being done, and every connection.
    pub(super) async fn end(&self) {
        self.jobs.end().await;
    }

    /// Comes to its end when a job has panicked, with how; none should.
    pub(super) async fn failure(&self) -> JoinError {
        self.jobs.failure().await
    }

    /// Does something in the background.
    fn spawn(&self, job: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        self.jobs.spawn(job)
    }

    /// Takes the connections of an endpoint from now on.
    pub(super) fn open(self: &Arc<Self>, target: Target, listener: tokio::net::TcpListener) {
        let (tls, force_tls) = (self.tls.clone(), self.force_tls);
        let door = Door { target, tls, force_tls, control: Arc::clone(self) };
        let handle = self.spawn(door.serve(listener));
        if let Target::Instance(node) = target {
            lock(&self.doors).insert(node, handle);
        }
    }

    fn close(&self, node: NodeName) {
        if let Some(door) = lock(&self.doors).remove(&node) {
            door.abort();
        }
    }

    /// The servers that connections of an endpoint may have, with their ports; of the reader endpoint the writer where there
    /// is no reader.
    pub(super) async fn servers(&self, target: Target) -> Vec<(NodeName, u16)> {
        let cluster = self.cluster.read().await;
        let Ok((writer, _)) = cluster.writer() else { return Vec::new() };
        let wanted: Vec<NodeName> = match target {
            Target::Writer => vec![writer],
            Target::Instance(node) => vec![node],
            Target::Readers => {
                let fleet = self.fleet();
                let readers = fleet.readers(writer).map(|member| member.node);
                readers.filter(|node| cluster.is_running(*node).unwrap_or(false)).collect()
            }
        };
        let wanted = if wanted.is_empty() { vec![writer] } else { wanted };
        let endpoints = cluster.direct_endpoints().into_iter();
        let ports = endpoints.filter(|endpoint| wanted.contains(&endpoint.node));
        ports.map(|endpoint| (endpoint.node, endpoint.conninfo.port())).collect()
    }

    /// The server that a new connection of an endpoint leads to: at the reader endpoint one after the other.
    pub(super) async fn lead(&self, target: Target) -> Option<(NodeName, u16)> {
        let servers = self.servers(target).await;
        let turn = self.next_reader.fetch_add(usize::from(target == Target::Readers), Ordering::Relaxed);
        servers.get(turn.checked_rem(servers.len())?).copied()
    }

    /// Changes when the connections that lead to `node` are to be cut.
    pub(super) fn connections_of(&self, node: NodeName) -> channel::Receiver<u64> {
        lock(&self.connections).entry(node).or_insert_with(|| channel::channel(0).0).subscribe()
    }

    /// Cuts the connections that lead to `node`.
    fn cut(&self, node: NodeName) {
        if let Some(connections) = lock(&self.connections).get(&node) {
            connections.send_modify(|number| *number += 1);
        }
    }

    /// Writes down, and says, what happened to the cluster.
    pub(super) fn happened(&self, happening: Happening) {
        let (name, arn) = {
            let fleet = self.fleet();
            (fleet.name.clone(), fleet.arn())
        };
        self.note(Event::new(Source::Cluster, &name, arn, happening));
    }

    /// The same of the instance of `node`.
    pub(super) fn happened_to(&self, node: NodeName, happening: Happening) {
        let known = {
            let fleet = self.fleet();
            fleet.of_node(node).map(|member| (member.name.clone(), fleet.member_arn(member)))
        };
        if let Some((name, arn)) = known {
            self.note(Event::new(Source::Instance, &name, arn, happening));
        }
    }

    fn note(&self, event: Event) {
        self.say(event.line());
        self.log().add(event);
    }

    /// As long as a state in between lasts beyond what is done in it.
    async fn linger(&self) {
        sleep(self.dice.delay()).await;
    }

    async fn act(&self, node: NodeName, action: Action) -> anyhow::Result<()> {
        // A failover takes many steps, and their state much room.
        Box::pin(self.cluster.read().await.act(node, action)).await?;
        Ok(())
    }

    /// Has commits wait for a reader where one is available, and for nobody where none is: on Aurora, whose commits wait for
    /// the storage, readers make no difference. On every server, as each may become the writer; the writer first, for which
    /// it counts now.
    ///
    /// # Errors
    /// That of the first server that does not know it now; those behind it do.
    pub(super) async fn wait_for_standbys(&self) -> anyhow::Result<()> {
        let writer = self.cluster.read().await.writer()?.0;
        let has_reader = self.fleet().readers(writer).next().is_some();
        let is_lossy = self.plant == Some(Plant::LossyFailover);
        let names = if has_reader && !is_lossy { ANY_READER } else { "" };
        let mut endpoints = self.cluster.read().await.direct_endpoints();
        endpoints.sort_by_key(|endpoint| endpoint.node != writer);
        let mut told = Ok(());
        for endpoint in endpoints {
            if self.cluster.read().await.is_running(endpoint.node)? {
                told = told.and(wait_for(&endpoint, names).await);
            }
        }
        told
    }

    /// [`Control::wait_for_standbys`], and what goes wrong is only said: something else is being done.
    async fn count_standbys(&self) {
        if let Err(error) = self.wait_for_standbys().await {
            self.say(format!("whom commits wait for is not set: {error:#}"));
        }
    }

    /// What the instance of `node` is doing.
    fn status(&self, node: NodeName) -> Option<InstanceStatus> {
        self.fleet().of_node(node).map(|member| member.status)
    }

    /// Puts instances into a state.
    fn set(&self, nodes: &[NodeName], status: InstanceStatus) {
        let mut fleet = self.fleet();
        nodes.iter().for_each(|node| fleet.set(*node, status));
    }
}

/// Has the commits of a server wait for `names`, from now on.
async fn wait_for(endpoint: &Endpoint, names: &str) -> anyhow::Result<()> {
    let told = async {
        let session = Session::connect(&endpoint.conninfo, "replab", DEADLINES).await?;
        let now = session.simple_query_rows("SHOW synchronous_standby_names").await?;
        if now.first().and_then(|row| row.first()).and_then(Option::as_deref) != Some(names) {
            session.batch(&format!("ALTER SYSTEM SET synchronous_standby_names = '{names}'")).await?;
            session.batch("SELECT pg_reload_conf()").await?;
        }
        session.close().await;
        Ok::<_, PgError>(())
    };
    told.await.with_context(|| endpoint.node.to_string())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
