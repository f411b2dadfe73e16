//! The state directory: which clusters exist, whose they are, and which ports they hold.
//!
//! ```text
//! <state>/lock               held while a cluster is entered or removed
//! <state>/cache/<version>/   what initdb made, without a password
//! <state>/clusters/<id>/     cluster.json, pgpass, socket/, nodes/<node>/ (a mount, where disks are filled);
//!                            ca.pem and hosts of one that is served
//! <state>/compose/<id>/      cluster.json, compose.yaml, node.sh of a cluster of containers
//! <state>/logs/<id>/         the nodes' logs, where no other place was named
//! ```

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

#[cfg(target_os = "linux")]
use rustix::fs::IFlags;
use serde::{Deserialize, Serialize};

use crate::history::{Condition, NodeName};
use crate::topology::TopologyError;
use crate::topology::process::{Account, Identity};
use crate::topology::servers::{Fork, Standing};

/// What is written about a cluster; no password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterState {
    /// Unique in the state directory.
    pub id: String,
    /// As the user calls it.
    pub name: String,
    /// The replab that keeps it; `None` for one left running by `replab up`.
    pub owner: Option<Identity>,
    /// Where the server's programs are.
    pub binaries: PathBuf,
    /// The server's version.
    pub version: String,
    /// `synchronous_commit` of every session that does not choose its own.
    pub synchronous_commit: String,
    /// The private socket's directory.
    pub socket: PathBuf,
    /// Where the logs are.
    pub logs: PathBuf,
    /// Whether each node has a file system of its own.
    #[serde(default)]
    pub(super) small_disks: bool,
    /// The nodes, the first primary first.
    pub nodes: Vec<NodeState>,
    /// Where the failovers made the log go on, the last one last.
    #[serde(default)]
    pub(super) forks: Vec<Fork>,
}

/// What is written about a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeState {
    /// Its name.
    pub name: NodeName,
    /// What it is in the cluster.
    #[serde(flatten)]
    pub standing: Standing,
    /// On 127.0.0.1, and in the private socket's name.
    pub port: u16,
    /// Its postmaster, while it is meant to run.
    pub process: Option<Identity>,
    /// Whether somebody asked for its end.
    #[serde(default)]
    pub(super) ended: bool,
    /// What actions have left the running server in.
    #[serde(default)]
    pub(super) conditions: BTreeSet<Condition>,
    /// The WAL receiver that is frozen.
    #[serde(default)]
    pub(super) receiver: Option<Identity>,
}

/// The state directory.
#[derive(Clone, Debug)]
pub struct StateDir {
    root: PathBuf,
}

impl StateDir {
    /// Opens, and makes if need be: `explicit`, `REPLAB_STATE_DIR`, for root `/var/tmp/replab`, else
    /// `$XDG_STATE_HOME/replab` or `~/.local/state/replab`.
    pub fn open(explicit: Option<&Path>) -> Result<StateDir, TopologyError> {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let root = explicit
            .map(Path::to_path_buf)
            .or_else(|| variable("REPLAB_STATE_DIR"))
            .or_else(|| nix::unistd::Uid::effective().is_root().then(|| PathBuf::from("/var/tmp/replab")))
            .or_else(|| variable("XDG_STATE_HOME").map(|state| state.join("replab")))
            .or_else(|| variable("HOME").map(|home| home.join(".local/state/replab")))
            .unwrap_or_else(|| {
                std::env::temp_dir().join(format!("replab-{}", nix::unistd::Uid::effective()))
            });
        fs::create_dir_all(&root).map_err(TopologyError::io("create", &root))?;
        let metadata = fs::metadata(&root).map_err(TopologyError::io("read", &root))?;
        if metadata.uid() != nix::unistd::Uid::effective().as_raw() {
            let why = format!("the state directory {} belongs to another user", root.display());
            return Err(TopologyError::Config(why));
        }
        // The processes of a node are found by their working directory, which the system gives without links.
        let root = root.canonicalize().map_err(TopologyError::io("open", &root))?;
        for part in ["cache", "clusters", "compose", "logs"] {
            let part = root.join(part);
            fs::create_dir_all(&part).map_err(TopologyError::io("create", &part))?;
        }
        #[cfg(target_os = "linux")]
        // Where the file system knows no such thing, clusters are made a little more slowly.
        drop(spread(&root.join("clusters")));
        Ok(StateDir { root })
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// Where a cluster's files are.
    pub(super) fn cluster(&self, id: &str) -> PathBuf {
        self.root.join("clusters").join(id)
    }

    pub(super) fn cache(&self) -> PathBuf {
        self.root.join("cache")
    }

    /// Every cluster that is entered, by id.
    pub fn clusters(&self) -> Result<Vec<ClusterState>, TopologyError> {
        let mut clusters = Vec::new();
        for directory in self.entries("clusters")? {
            // A directory that vanishes in between is being removed by its owner.
            if let Ok(state) = ClusterState::read(&directory) {
                clusters.push(state);
            }
        }
        Ok(clusters)
    }

    /// The cluster that is meant: the one with this name or id; without a name the one that was left running, or the only
    /// one.
    pub fn find(&self, name: Option<&str>) -> Result<ClusterState, TopologyError> {
        let mut clusters = self.clusters()?;
        clusters.retain(|cluster| name.is_none_or(|name| cluster.is_called(name)));
        if clusters.iter().any(|cluster| cluster.owner.is_none()) {
            clusters.retain(|cluster| cluster.owner.is_none());
        }
        match (clusters.pop(), clusters.is_empty()) {
            (Some(only), true) => Ok(only),
            (Some(last), false) => {
                clusters.push(last);
                Err(TopologyError::SeveralClusters(names(&clusters)))
            }
            (None, _) => Err(TopologyError::NoCluster { name: name.map(str::to_owned) }),
        }
    }

    /// The directories in `part`, by name.
    pub(in crate::topology) fn entries(&self, part: &str) -> Result<Vec<PathBuf>, TopologyError> {
        let part = self.root.join(part);
        let entries = fs::read_dir(&part).map_err(TopologyError::io("read", &part))?;
        let mut entries: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        entries.sort();
        Ok(entries)
    }

    /// Asserts that `account` can get to the clusters.
    pub(super) fn check_reachable(&self, account: Option<&Account>) -> Result<(), TopologyError> {
        let Some(account) = account else { return Ok(()) };
        for path in self.root.join("clusters").ancestors() {
            let metadata = fs::metadata(path).map_err(TopologyError::io("read", path))?;
            if metadata.permissions().mode() & 0o001 == 0 {
                return Err(TopologyError::NotReachable {
                    account: account.name.clone(),
                    path: path.to_path_buf(),
                });
            }
        }
        Ok(())
    }
}

impl NodeState {
    /// A node that was never started.
    pub(super) fn new(name: NodeName, standing: Standing, port: u16) -> NodeState {
        let (ended, conditions) = (false, BTreeSet::new());
        NodeState { name, standing, port, process: None, ended, conditions, receiver: None }
    }

    /// A node that is down because somebody wants it to be.
    pub(super) fn ended(name: NodeName, standing: Standing, port: u16) -> NodeState {
        NodeState { ended: true, ..NodeState::new(name, standing, port) }
    }
}

impl ClusterState {
    /// Reads what is written in a cluster's directory.
    pub(super) fn read(directory: &Path) -> io::Result<ClusterState> {
        let bytes = fs::read(directory.join("cluster.json"))?;
        serde_json::from_slice(&bytes).map_err(io::Error::from)
    }

    /// Replaces what is written; a reader sees the old or the new.
    pub(super) fn write(&self, directory: &Path) -> Result<(), TopologyError> {
        let path = directory.join("cluster.json");
        let error = |source: io::Error| TopologyError::Io { what: "write", path: path.clone(), source };
        let text = serde_json::to_vec_pretty(self).map_err(|e| error(e.into()))?;
        let unfinished = directory.join("cluster.json.new");
        fs::write(&unfinished, text).map_err(error)?;
        fs::rename(&unfinished, &path).map_err(error)
    }

    /// Whether `name` means it: what the user calls it, or its id.
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.id == name
    }

    /// Whether the replab that keeps it is gone. One that was left running on purpose is nobody's.
    pub fn is_orphan(&self) -> bool {
        self.owner.as_ref().is_some_and(|owner| !owner.is_alive())
    }

    /// Whether any of its postmasters runs.
    pub fn is_running(&self) -> bool {
        self.nodes.iter().any(|node| node.process.as_ref().is_some_and(Identity::is_alive))
    }

    /// Whether a cluster that was left running is still there to be used: one whose nodes were all ended on purpose can
    /// be started again.
    pub(super) fn is_kept(&self) -> bool {
        self.is_running() || self.nodes.iter().all(|node| node.ended)
    }
}

/// What to type to mean each of `clusters`: the id where several have the name.
fn names(clusters: &[ClusterState]) -> Vec<String> {
    let is_shared = |name: &str| clusters.iter().filter(|cluster| cluster.name == name).count() > 1;
    let name =
        |cluster: &ClusterState| if is_shared(&cluster.name) { &cluster.id } else { &cluster.name }.clone();
    clusters.iter().map(name).collect()
}

/// Tells ext4 to put each directory in `parent` into another part of the disk (`chattr +T`).
///
/// It makes a new file near its directory, and looks past every inode that was freed there in the last minutes, one by
/// one, for each new file. For the two thousand files of a cluster, where others have just been removed, that would
/// take longer than everything else that makes a cluster.
#[cfg(target_os = "linux")]
fn spread(parent: &Path) -> io::Result<()> {
    let parent = File::open(parent)?;
    let flags = rustix::fs::ioctl_getflags(&parent)?;
    if !flags.contains(IFlags::TOPDIR) {
        rustix::fs::ioctl_setflags(&parent, flags | IFlags::TOPDIR)?;
    }
    Ok(())
}

/// Hands a file or directory to the account that runs PostgreSQL.
pub(super) fn give(path: &Path, account: Option<&Account>) -> Result<(), TopologyError> {
    let Some(account) = account else { return Ok(()) };
    nix::unistd::chown(path, Some(account.uid), Some(account.gid))
        .map_err(|errno| TopologyError::io("change the owner of", path)(errno.into()))
}

/// Bytes nobody can guess.
pub(super) fn random_bytes<const N: usize>() -> Result<[u8; N], TopologyError> {
    let path = Path::new("/dev/urandom");
    let mut bytes = [0; N];
    File::open(path)
        .and_then(|mut file| file.read_exact(&mut bytes))
        .map_err(TopologyError::io("read", path))?;
    Ok(bytes)
}

/// The same as text.
pub(crate) fn random_hex<const N: usize>() -> Result<String, TopologyError> {
    Ok(random_bytes::<N>()?.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(id: &str, port: u16) -> ClusterState {
        ClusterState {
            id: id.to_owned(),
            name: "lab".to_owned(),
            owner: Identity::of_self(),
            binaries: PathBuf::from("/bin"),
            version: "15".to_owned(),
            synchronous_commit: "on".to_owned(),
            socket: PathBuf::from("/s"),
            logs: PathBuf::from("/l"),
            small_disks: false,
            nodes: vec![NodeState::new(NodeName::primary(), Standing::primary(), port)],
            forks: Vec::new(),
        }
    }

    #[test]
    fn an_owner_that_is_gone_leaves_an_orphan() {
        let mut cluster = state("a", 1);
        assert!(!cluster.is_orphan());
        cluster.owner = serde_json::from_str(r#"{"pid": 999999999, "start": "1"}"#).unwrap();
        assert!(cluster.is_orphan());
        cluster.owner = None;
        assert!(!cluster.is_orphan());
    }

    #[test]
    fn what_actions_left_nodes_in_is_written_down_and_older_files_lack_it() {
        let mut cluster = state("a", 1);
        cluster.nodes[0].ended = true;
        cluster.nodes[0].conditions = BTreeSet::from([Condition::Frozen, Condition::ReplayPaused]);
        cluster.nodes[0].receiver = Identity::of_self();
        let mut json = serde_json::to_value(&cluster).unwrap();
        assert_eq!(serde_json::from_value::<ClusterState>(json.clone()).unwrap(), cluster);
        let node = json["nodes"][0].as_object_mut().unwrap();
        for field in ["ended", "conditions", "receiver"] {
            assert!(node.remove(field).is_some(), "{field}");
        }
        assert_eq!(serde_json::from_value::<ClusterState>(json).unwrap(), state("a", 1));
    }

    #[test]
    fn a_cluster_whose_nodes_were_all_ended_on_purpose_is_no_garbage() {
        let mut cluster = state("a", 1);
        cluster.nodes.push(NodeState::new(NodeName::replica(1), Standing::follower(NodeName::primary()), 2));
        assert!(!cluster.is_kept(), "nobody asked for their end");
        cluster.nodes[0].ended = true;
        assert!(!cluster.is_kept());
        cluster.nodes[1].ended = true;
        assert!(cluster.is_kept());
        cluster.nodes[1].ended = false;
        cluster.nodes[1].process = Identity::of_self();
        assert!(cluster.is_kept());
    }

    #[test]
    fn clusters_of_one_name_are_told_apart_by_id() {
        let root = tempfile::tempdir().unwrap();
        let dir = StateDir::open(Some(root.path())).unwrap();
        let registry = dir.lock().unwrap();
        for id in ["lab-1", "lab-2"] {
            registry.enter(&state(id, 1), None).unwrap();
        }
        assert_eq!(dir.find(Some("lab-2")).unwrap().id, "lab-2");
        for name in [None, Some("lab")] {
            let several = dir.find(name).unwrap_err();
            assert!(matches!(&several, TopologyError::SeveralClusters(all) if all == &["lab-1", "lab-2"]));
        }
        registry.enter(&ClusterState { name: "other".to_owned(), ..state("other-1", 2) }, None).unwrap();
        let several = dir.find(None).unwrap_err();
        assert_eq!(several.to_string(), "several clusters are up: lab-1, lab-2, other");
    }

    #[test]
    fn secrets_differ() {
        assert_ne!(random_hex::<16>().unwrap(), random_hex::<16>().unwrap());
    }
}
