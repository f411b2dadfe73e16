//! What can go wrong with nodes, told apart by whose fault it is.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::history::{Condition, NodeName};

/// Who has to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    /// The machine lacks something, or refuses it.
    Environment,
    /// The lab itself failed: a node did not do what it was told.
    Lab,
}

/// Why a topology did not do what it was asked to. The last lines of a node's log are part of the text where they
/// say why.
#[derive(Debug, thiserror::Error)]
pub enum TopologyError {
    /// No usable PostgreSQL.
    #[error("no PostgreSQL server binaries (14 or newer, with initdb, postgres and pg_basebackup)\n{}", .looked.join("\n"))]
    NoBinaries {
        /// Where, and why not.
        looked: Vec<String>,
    },
    /// No client of the docker engine.
    #[error("there is no program `docker` here, so there are no containers")]
    NoDocker,
    /// A client, and nobody who answers it.
    #[error("the docker engine does not answer{}", indented(.why))]
    NoEngine {
        /// What the client says.
        why: String,
    },
    /// Nothing that reads compose files.
    #[error("docker is here, but neither `docker compose` nor `docker-compose` is")]
    NoCompose,
    /// An image that would have to be fetched.
    #[error("the image `{0}` is not on this machine")]
    NoImage(String),
    /// PostgreSQL will not run as root, and there is nobody else to run it as.
    #[error("PostgreSQL does not run as root, and this machine has neither a user `postgres` nor `nobody`")]
    NoAccount,
    /// File systems cannot be mounted here.
    #[error("each node would need a small disk of its own, which cannot be mounted: {0}")]
    NoMount(String),
    /// A directory that the server's account cannot reach.
    #[error("the user `{account}`, which runs PostgreSQL here, cannot enter {}", .path.display())]
    NotReachable {
        /// Who.
        account: String,
        /// The first directory that is closed.
        path: PathBuf,
    },
    /// A port that was asked for.
    #[error("port {0} on 127.0.0.1 is in use")]
    PortInUse(u16),
    /// No port could be found.
    #[error("no free port on 127.0.0.1 after {0} attempts")]
    NoPort(usize),
    /// A setting of the topology that PostgreSQL would refuse, or that makes no sense.
    #[error("{0}")]
    Config(String),
    /// A program that ended with an error, or did not end.
    #[error("{program}: {why}{}", indented(.output))]
    Tool {
        /// Its name.
        program: String,
        /// How it ended.
        why: String,
        /// The last lines it wrote.
        output: String,
    },
    /// The process that cleans up after a killed replab could not be started.
    #[error("start the guard process {}: {why}", .path.display())]
    Guard {
        /// The program.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The operating system said no.
    #[error("{what} {}: {source}", .path.display())]
    Io {
        /// A verb: `create`, `read`.
        what: &'static str,
        /// What it was done to.
        path: PathBuf,
        /// What the system says; the text is part of this error's own.
        source: io::Error,
    },
    /// A node that does not come up while the cluster is made.
    #[error("{node} does not start: {why}{}", indented(.log))]
    DoesNotStart {
        /// Which.
        node: NodeName,
        /// What is known.
        why: String,
        /// The end of its log.
        log: String,
    },
    /// There is no such node.
    #[error("there is no node `{node}`; the nodes are {}", .known.join(", "))]
    UnknownNode {
        /// The name.
        node: NodeName,
        /// Those that exist.
        known: Vec<String>,
    },
    /// An action for a running node, on one that is not.
    #[error("{node} is not running, so there is nothing to {verb}{}", indented(.log))]
    NotRunning {
        /// Which.
        node: NodeName,
        /// What was to be done.
        verb: &'static str,
        /// The end of its log, if nobody stopped it.
        log: String,
    },
    /// A start of a node that runs.
    #[error("{node} is already running as process {pid}")]
    AlreadyRunning {
        /// Which.
        node: NodeName,
        /// Its postmaster.
        pid: i32,
    },
    /// Two servers that both take writes: what one acknowledges the other does not have.
    #[error("{node} would be a second primary beside {primary}")]
    SecondPrimary {
        /// Which.
        node: NodeName,
        /// The primary.
        primary: NodeName,
    },
    /// Processes that outlived SIGKILL.
    #[error("{node}: processes {pids:?} are still there {} s after SIGKILL", .waited.as_secs())]
    Survived {
        /// Which.
        node: NodeName,
        /// They.
        pids: Vec<i32>,
        /// How long.
        waited: Duration,
    },
    /// A shutdown that had to be forced; the node is down.
    #[error("{node} did not stop on {signal} within {} s and was killed{}", .waited.as_secs(), indented(.log))]
    StopForced {
        /// Which.
        node: NodeName,
        /// What it was told.
        signal: &'static str,
        /// How long it had.
        waited: Duration,
        /// The end of its log.
        log: String,
    },
    /// No query was answered in time, or the node ended instead.
    #[error("{node} does not answer: {why}{}", indented(.log))]
    NoAnswer {
        /// Which.
        node: NodeName,
        /// The last attempt's error, or how the node ended.
        why: String,
        /// The end of its log.
        log: String,
    },
    /// A fault that did not take hold, or that could not be lifted.
    #[error("{node} is {} {condition} {} s after it was told to", if *.lifted { "still" } else { "not" }, .waited.as_secs())]
    NotTaken {
        /// Which.
        node: NodeName,
        /// What it should be in, or out of.
        condition: Condition,
        /// Whether it should be out of it.
        lifted: bool,
        /// How long it had.
        waited: Duration,
    },
    /// A fault that was over before it was lifted, so that nobody knows how long it lasted.
    #[error("{node} did not stay {condition}: {why}")]
    DidNotHold {
        /// Which.
        node: NodeName,
        /// What it should have been in.
        condition: Condition,
        /// What was found instead.
        why: String,
    },
    /// A fault that the node's state does not allow, which nobody could know beforehand. Nothing was done.
    #[error("{node} is {condition}, so it was left alone")]
    Impossible {
        /// Which.
        node: NodeName,
        /// What it is in.
        condition: Condition,
    },
    /// Something about what is received or replayed, and a node that nobody could know to be the primary. Nothing was done.
    #[error("{node} is the primary, so it was left alone")]
    IsPrimary {
        /// Which.
        node: NodeName,
    },
    /// A fault that found nothing to do.
    #[error("the fault had no effect on {node}: {why}")]
    NoEffect {
        /// Which.
        node: NodeName,
        /// What it waited for.
        why: String,
    },
    /// The end of a fault that the node is not under.
    #[error("{node} is not {condition}")]
    NothingToCure {
        /// Which.
        node: NodeName,
        /// What it would have to be in.
        condition: Condition,
    },
    /// A query of the lab itself.
    #[error("{what} on {node}: {why}")]
    Query {
        /// Which.
        node: NodeName,
        /// What for.
        what: &'static str,
        /// The error.
        why: String,
    },
    /// A node of somebody else's cluster that is not reached.
    #[error("{node} cannot be reached at {url}: {why}")]
    Unreachable {
        /// Which.
        node: NodeName,
        /// Its URL, without the password.
        url: String,
        /// The last attempt's error.
        why: String,
    },
    /// A node of somebody else's cluster that is not what the run needs.
    #[error("{node} cannot be used: {why}")]
    Unfit {
        /// Which.
        node: NodeName,
        /// What it is instead.
        why: String,
    },
    /// A password file that libpq would ignore.
    #[error("read the password file {0}")]
    Passfile(String),
    /// A command of the user's that failed.
    #[error("{name} for {node}: {why}{}", indented(.output))]
    Hook {
        /// Its key in the configuration.
        name: &'static str,
        /// What it should have been done to.
        node: NodeName,
        /// How it ended.
        why: String,
        /// The last lines it wrote.
        output: String,
    },
    /// What was made in somebody else's cluster and is still there.
    #[error("the run's schema {schema} could not be dropped: {why}")]
    LeftBehind {
        /// Its name.
        schema: String,
        /// The last attempt's error.
        why: String,
    },
    /// A cluster of AWS's, or AWS itself.
    #[error(transparent)]
    Aurora(Box<super::aurora::Problem>),
    /// No cluster was left running under this name.
    #[error("no cluster{} is running here", .name.as_ref().map(|name| format!(" named `{name}`")).unwrap_or_default())]
    NoCluster {
        /// The name that was asked for.
        name: Option<String>,
    },
    /// Several clusters, and none was named.
    #[error("several clusters are up: {}", .0.join(", "))]
    SeveralClusters(Vec<String>),
    /// What another kind of topology says.
    #[error("{0}")]
    Lab(String),
    /// What one replab does to a cluster another one would not know of.
    #[error("another replab is at work on the cluster `{0}`")]
    Busy(String),
    /// A name that is taken.
    #[error("a cluster named `{0}` is already up")]
    AlreadyUp(String),
    /// The cluster belongs to a run.
    #[error("the cluster `{name}` belongs to replab process {pid}, which is still running")]
    Owned {
        /// Its name.
        name: String,
        /// The owner.
        pid: i32,
    },
}

impl TopologyError {
    pub(crate) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> TopologyError {
        let path = path.to_path_buf();
        move |source| TopologyError::Io { what, path, source }
    }

    /// A failure of the lab that has no kind of its own.
    pub fn lab(why: impl Into<String>) -> TopologyError {
        TopologyError::Lab(why.into())
    }
}

/// Lines below the error's own, or nothing.
fn indented(lines: &str) -> String {
    lines.lines().map(|line| format!("\n  │ {line}")).collect()
}
