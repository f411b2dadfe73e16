//! What tests on real servers share.

use std::path::{Path, PathBuf};

use replab::history::NodeName;
use replab::pg::{Conninfo, Deadlines, Session};
use replab::topology::local::{Binaries, Cluster, Config};
use tokio::sync::{Semaphore, SemaphorePermit};

/// More clusters at once only make every one of them slow.
pub(crate) static CLUSTERS: Semaphore = Semaphore::const_new(2);

/// Long enough to be no reason for a failure on a busy machine.
pub(crate) const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

/// For sessions whose deadlines are not what is tested.
pub(crate) const DEADLINES: Deadlines = Deadlines { connect: PATIENCE, statement: PATIENCE };

/// The program under test; it is its own guard.
pub(crate) fn replab() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_replab"))
}

/// PostgreSQL's programs; `None`, and a line that says so, where there are none. With `REPLAB_REQUIRE_PG=1` that is a
/// failure.
pub(crate) async fn require_pg() -> Option<Binaries> {
    match Binaries::discover(None).await {
        Ok(binaries) => Some(binaries),
        Err(error) if std::env::var("REPLAB_REQUIRE_PG").is_ok_and(|value| value == "1") => {
            panic!("REPLAB_REQUIRE_PG=1, and {error}")
        }
        Err(error) => {
            say(&format!("skipped: {error}"));
            None
        }
    }
}

/// Whether replab may mount here; `None`, and a line that says why, where it may not. With `REPLAB_REQUIRE_PG=1` that is a
/// failure.
#[cfg(target_os = "linux")]
pub(crate) fn require_mounts() -> Option<()> {
    match replab::topology::local::check_mounts() {
        Ok(()) => Some(()),
        Err(error) if std::env::var("REPLAB_REQUIRE_PG").is_ok_and(|value| value == "1") => {
            panic!("REPLAB_REQUIRE_PG=1, and {error}")
        }
        Err(error) => {
            say(&format!("skipped: {error}"));
            None
        }
    }
}

/// The image that containers are made from; `None`, and a line that says why, where there is no docker engine, no compose
/// or no image. With `REPLAB_REQUIRE_DOCKER=1` that is a failure.
pub(crate) fn require_docker() -> Option<String> {
    match find_docker() {
        Ok(image) => Some(image),
        Err(why) if std::env::var("REPLAB_REQUIRE_DOCKER").is_ok_and(|value| value == "1") => {
            panic!("REPLAB_REQUIRE_DOCKER=1, and {why}")
        }
        Err(why) => {
            say(&format!("skipped: {why}"));
            None
        }
    }
}

fn find_docker() -> Result<String, String> {
    let works = |program: &str, args: &[&str]| {
        let done = std::process::Command::new(program).args(args).output();
        done.is_ok_and(|done| done.status.success())
    };
    if !works("docker", &["version"]) {
        return Err("no docker engine answers".to_owned());
    }
    if !works("docker", &["compose", "version"]) && !works("docker-compose", &["version"]) {
        return Err("there is neither `docker compose` nor `docker-compose`".to_owned());
    }
    let named = std::env::var("REPLAB_OFFLINE_IMAGE").ok();
    let images = named.as_deref().into_iter().chain(["replab-postgres:offline", "postgres:17"]);
    let image = images.into_iter().find(|image| works("docker", &["image", "inspect", image]));
    let image = image.map(str::to_owned);
    image.ok_or_else(|| "there is no image: compose/offline-image.sh builds one".to_owned())
}

/// A state directory that every test shares, so that `initdb` runs once. The account that runs PostgreSQL can enter it.
pub(crate) fn state_dir() -> PathBuf {
    let path = std::env::temp_dir().join(format!("replab-tests-{}", nix::unistd::Uid::effective()));
    std::fs::create_dir_all(&path).unwrap();
    path
}

/// A cluster for one test, and the right to have it.
pub(crate) struct Lab {
    pub(crate) cluster: Cluster,
    permit: SemaphorePermit<'static>,
}

/// A cluster as tests want it.
pub(crate) fn config(replicas: usize) -> Config {
    Config {
        replicas,
        state_dir: Some(state_dir()),
        guard: Some(replab()),
        name: "test".to_owned(),
        ..Config::default()
    }
}

impl Lab {
    /// A primary and `replicas` replicas; `None` where there is no PostgreSQL.
    pub(crate) async fn up(replicas: usize) -> Option<Lab> {
        Lab::of(config(replicas)).await
    }

    /// The cluster that `config` describes.
    pub(crate) async fn of(config: Config) -> Option<Lab> {
        require_pg().await?;
        let permit = CLUSTERS.acquire().await.unwrap();
        let cluster = Cluster::up(&config).await.unwrap();
        Some(Lab { cluster, permit })
    }

    pub(crate) fn conninfo(&self, node: NodeName) -> Conninfo {
        let endpoints = self.cluster.endpoints();
        endpoints.into_iter().find(|endpoint| endpoint.node == node).unwrap().conninfo
    }

    /// A session with a node.
    pub(crate) async fn session(&self, node: NodeName) -> Session {
        Session::connect(&self.conninfo(node), "test", DEADLINES).await.unwrap()
    }

    /// The cluster's own directory.
    pub(crate) fn directory(&self) -> PathBuf {
        self.cluster.passfile().parent().unwrap().to_path_buf()
    }

    pub(crate) async fn down(self) {
        self.cluster.down().await.unwrap();
        drop(self.permit);
    }
}

/// Numbers of the processes that work in `directory`, by the system's own table (Linux only).
pub(crate) fn processes_in(directory: &Path) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let stands_there = |pid: &u32| {
        std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|standing| standing.starts_with(directory))
    };
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(stands_there).collect()
}

/// How many rows a node shows of table `t`; `None` while a replica has not replayed that the table was made. A primary that
/// crashes may not have sent that yet, and a replica that crashes may answer before it has replayed it again.
pub(crate) async fn shown(node: &Session) -> Option<usize> {
    match node.simple_query_rows("SELECT id FROM t").await {
        Ok(rows) => Some(rows.len()),
        Err(error) if error.sqlstate() == Some("42P01") => None,
        Err(error) => panic!("{error}"),
    }
}

/// Waits for a state.
pub(crate) async fn until(what: &str, mut reached: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !reached().await {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("never: {what}"));
}

#[expect(clippy::print_stdout, reason = "a skipped test says so")]
fn say(text: &str) {
    println!("{text}");
}
