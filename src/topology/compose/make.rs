//! Making a cluster of containers.

use std::fs::{self, File};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep, timeout};

use super::engine::{CLUSTER, Compose, Engine, HOST, OWNER, STATE};
use super::node::Node;
use super::{Cluster, Config, POLL, file, owner};
use crate::history::NodeName;
use crate::pg::{Secret, Session, probe};
use crate::topology::TopologyError;
use crate::topology::local::{self, StateDir, random_hex, settings};
use crate::topology::process::last_lines;
use crate::topology::servers::{Life, Server, Servers, Standing, query_error};

/// How long the nodes may take to come up for the first time.
const START_LIMIT: Duration = Duration::from_secs(120);

/// The oldest version that is supported, as the server counts.
const OLDEST: u32 = 140_000;

/// What is written about a cluster of containers, in `<state>/compose/<id>/cluster.json`; no password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// As the labels say it.
    pub(super) owner: String,
    pub(super) host: String,
    /// Where the engine is, if `DOCKER_HOST` said so.
    pub(super) docker_host: Option<String>,
    /// The nodes' ports on 127.0.0.1, also while they are down.
    pub(super) ports: Vec<u16>,
}

impl Entry {
    pub(super) fn read(directory: &Path) -> Result<Entry, TopologyError> {
        let path = directory.join("cluster.json");
        let bytes = fs::read(&path).map_err(TopologyError::io("read", &path))?;
        serde_json::from_slice(&bytes).map_err(|error| TopologyError::io("read", &path)(error.into()))
    }

    pub(super) fn write(&self, directory: &Path) -> Result<(), TopologyError> {
        let path = directory.join("cluster.json");
        let text = serde_json::to_vec_pretty(self);
        let text = text.map_err(|error| TopologyError::io("write", &path)(error.into()))?;
        fs::write(&path, text).map_err(TopologyError::io("write", &path))
    }
}

/// The ports of every cluster of containers that is entered.
pub(in crate::topology) fn container_ports(state: &StateDir) -> Result<Vec<u16>, TopologyError> {
    // A directory that cannot be read is being removed by its owner.
    let entries = state.entries("compose")?.into_iter().filter_map(|directory| Entry::read(&directory).ok());
    Ok(entries.flat_map(|entry| entry.ports).collect())
}

/// What compose calls a cluster; it knows no capitals.
pub(super) fn project(id: &str) -> String {
    format!("replab-{}", id.to_lowercase())
}

impl Cluster {
    /// Makes a primary and its replicas and waits until every one answers and every replica streams.
    ///
    /// # Errors
    /// [`TopologyError::NoDocker`], [`TopologyError::NoEngine`], [`TopologyError::NoCompose`] and
    /// [`TopologyError::NoImage`] where the machine lacks something: nothing is fetched from anywhere.
    pub async fn up(config: &Config) -> Result<Cluster, TopologyError> {
        settings::check_level(&config.synchronous_commit, config.replicas)?;
        local::Cluster::check_name(&config.name)?;
        let (engine, image) = (Engine::at(None), config.image.clone());
        let checked = tokio::task::spawn_blocking(move || {
            engine.check()?;
            engine.check_image(&image)?;
            Ok::<_, TopologyError>((engine.compose()?, engine))
        });
        let checked = checked.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
        let (compose, engine) = checked?;
        let state_dir = StateDir::open(config.state_dir.as_deref())?;
        let (mut cluster, entry) = enter(config, &state_dir, engine)?;
        let logs = config.logs_dir.clone().unwrap_or_else(|| state_dir.path().join("logs").join(&cluster.id));
        fs::create_dir_all(&logs).map_err(TopologyError::io("create", &logs))?;
        // From here on, an error drops the cluster and so removes it.
        cluster.make_containers(config, compose, &entry, (&state_dir, &logs)).await?;
        cluster.find_nodes(config, &entry, &logs).await?;
        let nodes = cluster.nodes.iter();
        let sessions = try_join_all(nodes.map(|node| cluster.session(node, START_LIMIT))).await;
        let sessions = sessions.map_err(TopologyError::while_starting)?;
        if let (Some((primary, replicas)), Some(session)) = (cluster.nodes.split_first(), sessions.first()) {
            check_version(session, primary, &config.image).await?;
            await_streaming(session, primary, replicas).await?;
        }
        for session in sessions {
            session.close().await;
        }
        Ok(cluster)
    }

    /// `docker compose up`, in the cluster's own directory.
    async fn make_containers(
        &mut self,
        config: &Config,
        compose: Compose,
        entry: &Entry,
        (state_dir, logs): (&StateDir, &Path),
    ) -> Result<(), TopologyError> {
        let path = self.directory.join("compose.yaml");
        fs::write(&path, file::render(config.replicas)).map_err(TopologyError::io("write", &path))?;
        let script = self.directory.join("node.sh");
        // It is read in the containers, by another user.
        fs::write(&script, file::NODE_SCRIPT)
            .and_then(|()| fs::set_permissions(&script, fs::Permissions::from_mode(0o755)))
            .map_err(TopologyError::io("write", &script))?;
        let own = [
            ("IMAGE", config.image.clone()),
            ("PASSWORD", self.password.expose().to_owned()),
            ("CLUSTER", self.id.clone()),
            ("OWNER", entry.owner.clone()),
            ("HOST", entry.host.clone()),
            ("STATE", state_dir.path().display().to_string()),
        ];
        let log = logs.join("compose.log");
        let written = File::create(&log).map_err(TopologyError::io("create", &log))?;
        let making = self
            .engine
            .composing(compose, &project(&self.id), &path)
            .args(["up", "--detach"])
            .envs(own.map(|(name, value)| (format!("REPLAB_{name}"), value)))
            .envs(file::server_variables(config))
            .envs(file::port_variables(&entry.ports))
            .supervise(written)?;
        self.making = Some(making.clone());
        let how = timeout(START_LIMIT, making.wait()).await;
        if making.succeeded() {
            self.making = None;
            return Ok(());
        }
        let said = fs::read_to_string(&log).unwrap_or_default();
        if let Some(port) = entry.ports.iter().find(|port| is_taken(&said, **port)) {
            return Err(TopologyError::PortInUse(*port));
        }
        let late = format!("up: still running after {} s", START_LIMIT.as_secs());
        Err(TopologyError::Tool {
            program: "docker compose".to_owned(),
            why: how.map_or(late, |how| format!("up: {how}")),
            output: last_lines(&said, 12),
        })
    }

    /// The containers that compose made, as nodes that are watched from now on.
    async fn find_nodes(&mut self, config: &Config, entry: &Entry, logs: &Path) -> Result<(), TopologyError> {
        let names = (0..=config.replicas).map(|number| match number {
            0 => (NodeName::primary(), Standing::primary()),
            number => (NodeName::replica(number), Standing::follower(NodeName::primary())),
        });
        for ((name, standing), port) in names.zip(entry.ports.iter().copied()) {
            let cluster = format!("label={CLUSTER}={}", self.id);
            let service = format!("label=com.docker.compose.service={name}");
            let list = ["ps", "--all", "--quiet", "--no-trunc", "--filter", &cluster, "--filter", &service];
            let listed = self.engine.tell(list).await?;
            let container = listed.trim();
            if container.is_empty() || container.contains(char::is_whitespace) {
                let why = format!("compose made no container, or several, of {name}: `{container}`");
                return Err(TopologyError::lab(why));
            }
            let node = Node {
                name,
                standing: Mutex::new(standing),
                port,
                container: container.to_owned(),
                engine: self.engine.clone(),
                log: logs.join(format!("{name}.log")),
                life: Mutex::new(Life::begun(None)),
                cut: Mutex::default(),
                turn: tokio::sync::Mutex::default(),
            };
            node.watch()?;
            self.nodes.push(node);
        }
        Ok(())
    }
}

/// Chooses ports and enters the cluster, so that nobody else takes them and `gc` finds it from now on.
fn enter(config: &Config, state_dir: &StateDir, engine: Engine) -> Result<(Cluster, Entry), TopologyError> {
    let registry = state_dir.lock()?;
    let id = format!("{}-{}", config.name, random_hex::<3>()?);
    let entry = Entry {
        owner: owner::label()?,
        host: owner::host(),
        docker_host: std::env::var("DOCKER_HOST").ok().filter(|host| !host.is_empty()),
        ports: registry.ports(config.port, config.replicas + 1)?,
    };
    let directory = state_dir.path().join("compose").join(&id);
    let mut builder = fs::DirBuilder::new();
    builder.mode(0o755).create(&directory).map_err(TopologyError::io("create", &directory))?;
    let state = state_dir.path().display().to_string();
    let labels = [(CLUSTER, &id), (OWNER, &entry.owner), (HOST, &entry.host), (STATE, &state)];
    let cluster = Cluster {
        image: config.image.clone(),
        labels: labels.map(|(name, value)| format!("{name}={value}")).into(),
        forks: Mutex::default(),
        password: Secret::new(random_hex::<24>()?),
        nodes: Vec::new(),
        making: None,
        ended: false,
        id,
        directory,
        engine,
    };
    entry.write(&cluster.directory)?;
    Ok((cluster, entry))
}

/// Whether compose failed because somebody else has the port.
fn is_taken(said: &str, port: u16) -> bool {
    let about = |line: &str| line.contains(&format!(":{port}"));
    let taken = |line: &str| line.contains("already in use") || line.contains("already allocated");
    said.lines().any(|line| about(line) && taken(line))
}

async fn check_version(session: &Session, primary: &Node, image: &str) -> Result<(), TopologyError> {
    let version = probe::server_version_num(session).await;
    let version = version.map_err(query_error(primary, "ask for the version"))?;
    if version < OLDEST {
        let why = format!("the image {image} holds PostgreSQL {}; 14 or newer is needed", version / 10_000);
        return Err(TopologyError::Config(why));
    }
    Ok(())
}

/// Waits until the primary says that every replica streams.
async fn await_streaming(session: &Session, primary: &Node, replicas: &[Node]) -> Result<(), TopologyError> {
    let end = Instant::now() + START_LIMIT;
    let sql = "SELECT application_name FROM pg_stat_replication WHERE state = 'streaming'";
    loop {
        let rows =
            session.simple_query_rows(sql).await.map_err(query_error(primary, "look for the replicas"))?;
        let streaming: Vec<String> = rows.into_iter().flatten().flatten().collect();
        let streams = |node: &&Node| streaming.iter().any(|name| name == node.name.as_str());
        let Some(missing) = replicas.iter().find(|node| !streams(node)) else { return Ok(()) };
        if Instant::now() >= end {
            let why = format!("it does not stream from the primary after {} s", START_LIMIT.as_secs());
            return Err(missing.no_answer(why).while_starting());
        }
        sleep(POLL).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_somebody_else_has_is_named() {
        let said = "Error: failed to bind 127.0.0.1:54321: bind: address already in use\n";
        assert!(is_taken(said, 54321) && !is_taken(said, 54320));
        assert!(is_taken("Bind for 127.0.0.1:7 failed: port is already allocated", 7));
    }

    #[test]
    fn its_ports_are_taken_for_everybody_else() {
        let root = tempfile::tempdir().unwrap();
        let state_dir = StateDir::open(Some(root.path())).unwrap();
        let port = state_dir.lock().unwrap().ports(None, 1).unwrap()[0];
        let config = Config { port: Some(port), replicas: 0, ..Config::default() };
        let engine = || Engine::at(Some("unix:///nowhere/docker.sock".to_owned()));
        let (_cluster, entry) = enter(&config, &state_dir, engine()).unwrap();
        assert_eq!(entry.ports, [port]);
        let error = enter(&config, &state_dir, engine()).unwrap_err();
        assert!(matches!(error, TopologyError::PortInUse(of) if of == port), "{error}");
        let free = state_dir.lock().unwrap().ports(None, 50).unwrap();
        assert!(!free.contains(&port));
    }
}
