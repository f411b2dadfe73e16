//! Making a cluster, and finding one that was left running.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use futures_util::future::try_join_all;
use tokio::time::{Instant, sleep};

use super::binaries::Binaries;
use super::disk::Disk;
use super::guard::Guard;
use super::network::Network;
use super::node::Node;
use super::settings::{self, SUPERUSER};
use super::state::{ClusterState, NodeState, StateDir, give, random_hex};
use super::{Cluster, Config, POLL, cache, connect, mount};
use crate::history::NodeName;
use crate::pg::{Conninfo, Host, Secret, Session};
use crate::topology::process::{Account, Identity, Program};
use crate::topology::servers::{
    self, Life, Server, Servers, Standing, drop_stale_slots, ensure_slot, point, query_error,
};
use crate::topology::{Cascade, TopologyError};

/// How long a node may take to come up for the first time.
const START_LIMIT: Duration = Duration::from_secs(60);

/// Attempts to find a port that nobody else takes between the look and the start.
const PORT_ATTEMPTS: usize = 10;

/// The longest path of a Unix socket that every system takes (`sun_path` is 104 bytes on BSD, 108 on Linux).
const SOCKET_PATH_MAX: usize = 103;

/// Whose a cluster's name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Naming {
    /// A label: two runs that begin in the same second, in different folders, have the same one.
    Shared,
    /// What people type to mean this cluster and no other.
    Unique,
}

impl Cluster {
    /// Makes a primary and its replicas and waits until every one answers and every replica streams.
    pub async fn up(config: &Config) -> Result<Cluster, TopologyError> {
        Cluster::make(config, Naming::Shared).await
    }

    /// The same for a cluster that people call by its name: [`TopologyError::AlreadyUp`] where another one has it.
    pub async fn up_by_name(config: &Config) -> Result<Cluster, TopologyError> {
        Cluster::make(config, Naming::Unique).await
    }

    /// Whether a cluster can be called so.
    pub fn check_name(name: &str) -> Result<(), TopologyError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || name.len() > 64 || !name.chars().all(allowed) {
            let why = format!("the cluster's name `{name}` is not 1 to 64 letters, digits, `-` and `_`");
            return Err(TopologyError::Config(why));
        }
        Ok(())
    }

    async fn make(config: &Config, naming: Naming) -> Result<Cluster, TopologyError> {
        if config.small_disks {
            mount::check()?;
        }
        settings::check_level(&config.synchronous_commit, config.replicas)?;
        Cluster::check_name(&config.name)?;
        let binaries = Binaries::discover(config.pg_bin.as_deref()).await?;
        let account = Account::for_server()?;
        let state_dir = StateDir::open(config.state_dir.as_deref())?;
        state_dir.check_reachable(account.as_ref())?;
        let initial = cache::ensure(&state_dir, &binaries, account.as_ref()).await?;
        let mut cluster = enter(config, naming, &state_dir, &binaries, account.as_ref())?;
        cluster.guard = Some(Guard::start(config.guard.as_deref(), &cluster.directory)?);
        // Not before the guard stands, which unmounts what is mounted here if nobody else can.
        for (node, disk) in cluster.nodes.iter().filter_map(|node| Some((node, node.disk.as_ref()?))) {
            disk.mount(node.account.as_ref())?;
        }
        if let Some(seed) = config.links {
            cluster.network = Some(Network::open(&cluster.nodes, seed).await?);
        }
        cluster.fill(&state_dir, config, &initial, account.as_ref()).await?;
        Ok(cluster)
    }

    /// Takes over a cluster that `replab up` left running, or looks at one that a run keeps.
    pub fn attach(state_dir: &StateDir, state: ClusterState) -> Result<Cluster, TopologyError> {
        let directory = state_dir.cluster(&state.id);
        let passfile = directory.join("pgpass");
        let line = fs::read_to_string(&passfile).map_err(TopologyError::io("read", &passfile))?;
        let password = line.trim_end().rsplit(':').next().unwrap_or_default();
        let account = Account::for_server()?;
        let nodes = state.nodes.iter().map(|node| known_node(&directory, &state, node, account.as_ref()));
        Ok(Cluster {
            password: Secret::new(password),
            nodes: nodes.collect(),
            state: Mutex::new(state),
            network: None,
            guard: None,
            keep: true,
            directory,
        })
    }

    async fn fill(
        &self,
        state_dir: &StateDir,
        config: &Config,
        initial: &Path,
        account: Option<&Account>,
    ) -> Result<(), TopologyError> {
        write_private(&self.passfile(), &format!("*:*:*:{SUPERUSER}:{}\n", self.password.expose()), account)?;
        let Some((primary, replicas)) = self.nodes.split_first() else { return Ok(()) };
        let (from, to, owner) = (initial.to_path_buf(), primary.data.clone(), account.cloned());
        let copied = tokio::task::spawn_blocking(move || cache::copy(&from, &to, owner.as_ref())).await;
        copied.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
        let names: Vec<NodeName> = self.nodes.iter().map(|node| node.name).collect();
        configure(primary, config, &names)?;

        let socket = Host::Unix(primary.socket.clone());
        let bootstrap = |port| Conninfo::new(socket.clone(), port, SUPERUSER, SUPERUSER);
        let session = self.first_start(state_dir, config, primary, bootstrap).await?;
        // The commit must not wait for replicas that do not exist yet; the statement must not reach a log.
        let sql = format!(
            "SET synchronous_commit = local; SET log_statement = none; SET log_min_error_statement = panic; \
             ALTER ROLE {SUPERUSER} PASSWORD '{}'",
            self.password.expose()
        );
        session.batch(&sql).await.map_err(query_error(primary, "set the password"))?;

        // Before the first backup: one backup's checkpoint may remove what another, begun earlier, still has to read.
        for replica in replicas {
            ensure_slot(primary, &session, replica).await?;
        }
        let backups = replicas.iter().map(async |replica| {
            let upstream = replica.standing().upstream;
            self.clone_primary(primary, replica).await?;
            point(self, replica, upstream.map_or(Ok(primary), |upstream| self.node(upstream))?).await
        });
        try_join_all(backups).await?;
        let endpoints = self.endpoints();
        let starts = replicas.iter().map(async |replica| {
            let conninfo = endpoints.iter().find(|endpoint| endpoint.node == replica.name);
            let conninfo = conninfo.map(|endpoint| endpoint.conninfo.clone());
            let reach = |port| conninfo.clone().unwrap_or_else(|| bootstrap(port)).with_port(port);
            self.first_start(state_dir, config, replica, reach).await.map(drop)
        });
        try_join_all(starts).await?;
        // Through the door that clients use: this proves the password.
        self.answer(primary.name, START_LIMIT).await.map_err(TopologyError::while_starting)?;
        let (direct, behind): (Vec<&Node>, Vec<&Node>) =
            replicas.iter().partition(|replica| replica.standing().upstream == Some(primary.name));
        for replica in behind {
            self.move_behind(replica, &session, primary).await?;
        }
        await_streaming(&session, primary, &direct).await?;
        session.close().await;
        Ok(())
    }

    /// Lets a replica that was copied from the primary receive from its own upstream, which runs by now.
    async fn move_behind(
        &self,
        replica: &Node,
        session: &Session,
        primary: &Node,
    ) -> Result<(), TopologyError> {
        let Some(upstream) = replica.standing().upstream.map(|name| self.node(name)).transpose()? else {
            return Ok(());
        };
        let other = self.session(upstream, START_LIMIT).await?;
        ensure_slot(upstream, &other, replica).await?;
        other.close().await;
        // Its port may be another one by now.
        point(self, replica, upstream).await?;
        servers::wal_receiver(self, replica).await.map_err(TopologyError::while_starting)?;
        drop_stale_slots(self, primary, session).await
    }

    /// Starts a node for the first time; on another port if somebody was faster to take the one that was free.
    async fn first_start(
        &self,
        state_dir: &StateDir,
        config: &Config,
        node: &Node,
        reach: impl Fn(u16) -> Conninfo,
    ) -> Result<Session, TopologyError> {
        for _ in 0..PORT_ATTEMPTS {
            let started = node.start().await;
            self.save()?;
            let error = match started {
                Ok(_) => match connect(node, &reach(node.port()), START_LIMIT).await {
                    Ok(session) => return Ok(session),
                    Err(error) => error,
                },
                Err(error) => error,
            };
            let taken = !node.is_running() && node.log_end().contains("Address already in use");
            match config.port {
                _ if !taken => return Err(error.while_starting()),
                Some(_) => return Err(TopologyError::PortInUse(node.port())),
                None => {
                    let registry = state_dir.lock()?;
                    let port = registry.ports(None, 1)?.first().copied();
                    node.port.store(port.ok_or(TopologyError::NoPort(1))?, Ordering::Relaxed);
                    // Entered before the registry is released, so that it is ours.
                    self.save()?;
                    drop(registry);
                    if let Some(network) = &self.network {
                        network.aim(node).await?;
                    }
                }
            }
        }
        Err(TopologyError::NoPort(PORT_ATTEMPTS))
    }

    /// A base backup that reads the log through the replica's own slot.
    pub(super) async fn clone_primary(&self, primary: &Node, replica: &Node) -> Result<(), TopologyError> {
        let program = self.state().binaries.join("pg_basebackup");
        // Not synced here: a server that starts from a backup syncs its whole directory first.
        Program::new(program, &self.directory, replica.account.as_ref())
            .args(["--wal-method=stream", "--checkpoint=fast", "--no-sync"])
            .args(["--no-manifest", "--no-password", "--slot"])
            .args([settings::slot_name(replica.name.as_str())])
            .args(["--dbname", &self.upstream_conninfo(primary), "--pgdata"])
            .args([&replica.data])
            .run(Duration::from_secs(120))
            .await
            .map(drop)
    }
}

/// Chooses ports and enters the cluster, so that nobody else takes them and `gc` finds it from now on.
fn enter(
    config: &Config,
    naming: Naming,
    state_dir: &StateDir,
    binaries: &Binaries,
    account: Option<&Account>,
) -> Result<Cluster, TopologyError> {
    let registry = state_dir.lock()?;
    if naming == Naming::Unique {
        registry.check_free(&config.name)?;
    }
    let id = format!("{}-{}", config.name, random_hex::<3>()?);
    let socket = socket_directory(&state_dir.cluster(&id), &id);
    let logs = config.logs_dir.clone().unwrap_or_else(|| state_dir.path().join("logs").join(&id));
    fs::create_dir_all(&logs).map_err(TopologyError::io("create", &logs))?;
    let logs = logs.canonicalize().map_err(TopologyError::io("open", &logs))?;
    let names = (0..=config.replicas).map(|number| match number {
        0 => (NodeName::primary(), Standing::primary()),
        number => {
            let replica = NodeName::replica(number);
            let upstream = Cascade::upstream(&config.cascade, replica).unwrap_or_else(NodeName::primary);
            (replica, Standing::follower(upstream))
        }
    });
    let ports = registry.ports(config.port, config.replicas + 1)?;
    let nodes = names.zip(ports).map(|((name, standing), port)| NodeState::new(name, standing, port));
    let state = ClusterState {
        id,
        name: config.name.clone(),
        owner: Identity::of_self(),
        binaries: binaries.directory.clone(),
        version: binaries.version.clone(),
        synchronous_commit: config.synchronous_commit.clone(),
        socket,
        logs,
        small_disks: config.small_disks,
        nodes: nodes.collect(),
        forks: Vec::new(),
    };
    let directory = registry.enter(&state, account)?;
    drop(registry);
    // From here on, an error drops the cluster and so ends it.
    let nodes = state.nodes.iter().map(|node| known_node(&directory, &state, node, account)).collect();
    let cluster = Cluster {
        password: Secret::new(random_hex::<24>()?),
        nodes,
        network: None,
        guard: None,
        keep: false,
        directory: directory.clone(),
        state: Mutex::new(state),
    };
    // On who can enter the first of them, pg_hba.conf relies.
    for private in [&cluster.state().socket, &directory.join("nodes")] {
        fs::DirBuilder::new().mode(0o700).create(private).map_err(TopologyError::io("create", private))?;
        give(private, account)?;
    }
    Ok(cluster)
}

pub(super) fn known_node(
    directory: &Path,
    cluster: &ClusterState,
    node: &NodeState,
    account: Option<&Account>,
) -> Node {
    let place = directory.join("nodes").join(node.name.as_str());
    let disk = cluster.small_disks.then(|| Disk::new(place.clone()));
    Node {
        name: node.name,
        standing: Mutex::new(node.standing),
        port: AtomicU16::new(node.port),
        data: disk.as_ref().map_or(place, Disk::data),
        log: cluster.logs.join(format!("{}.log", node.name)),
        socket: cluster.socket.clone(),
        postgres: cluster.binaries.join("postgres"),
        account: account.cloned(),
        life: Mutex::new(Life::from(node)),
        disturbed: Mutex::default(),
        disk,
        turn: tokio::sync::Mutex::default(),
    }
}

/// In the cluster's own directory, unless the socket's path would be too long for the system.
pub(super) fn socket_directory(cluster: &Path, id: &str) -> PathBuf {
    let preferred = cluster.join("socket");
    let longest = preferred.as_os_str().len() + "/.s.PGSQL.65535".len();
    if longest <= SOCKET_PATH_MAX { preferred } else { Path::new("/tmp").join(format!("replab-{id}")) }
}

fn configure(primary: &Node, config: &Config, nodes: &[NodeName]) -> Result<(), TopologyError> {
    let account = primary.account.as_ref();
    let path = primary.data.join("postgresql.conf");
    OpenOptions::new()
        .append(true)
        .open(&path)
        .and_then(|mut file| file.write_all(settings::configuration(config, nodes).as_bytes()))
        .map_err(TopologyError::io("write", &path))?;
    let users = Account::names(account);
    for (name, contents) in [
        ("pg_hba.conf", settings::host_based_authentication(config.socket_group)),
        ("pg_ident.conf", settings::identity_map(&users)),
    ] {
        let path = primary.data.join(name);
        fs::write(&path, contents).map_err(TopologyError::io("write", &path))?;
    }
    Ok(())
}

fn write_private(path: &Path, contents: &str, account: Option<&Account>) -> Result<(), TopologyError> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(contents.as_bytes()))
        .map_err(TopologyError::io("write", path))?;
    give(path, account)
}

/// Waits until the primary says that every replica streams.
async fn await_streaming(session: &Session, primary: &Node, replicas: &[&Node]) -> Result<(), TopologyError> {
    let end = Instant::now() + START_LIMIT;
    let sql = "SELECT application_name FROM pg_stat_replication WHERE state = 'streaming'";
    loop {
        let rows =
            session.simple_query_rows(sql).await.map_err(query_error(primary, "look for the replicas"))?;
        let streaming: Vec<String> = rows.into_iter().flatten().flatten().collect();
        let Some(missing) =
            replicas.iter().find(|node| !streaming.iter().any(|name| name == node.name.as_str()))
        else {
            return Ok(());
        };
        if Instant::now() >= end {
            let why = format!("it does not stream from the primary after {} s", START_LIMIT.as_secs());
            return Err(missing.no_answer(why).while_starting());
        }
        sleep(POLL).await;
    }
}
