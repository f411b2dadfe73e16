//! Who holds which port and which name: clusters enter here, one at a time.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;

use nix::fcntl::{Flock, FlockArg};

use super::state::{ClusterState, StateDir, give, random_bytes};
use crate::topology::TopologyError;
use crate::topology::compose::container_ports;
use crate::topology::process::Account;

/// Nobody else enters or removes clusters while this is held.
pub(in crate::topology) struct Registry<'a> {
    state: &'a StateDir,
    _lock: Flock<File>,
}

impl StateDir {
    /// Waits until nobody else holds the registry; that is short.
    pub(in crate::topology) fn lock(&self) -> Result<Registry<'_>, TopologyError> {
        let path = self.path().join("lock");
        let file = File::create(&path).map_err(TopologyError::io("create", &path))?;
        let lock = Flock::lock(file, FlockArg::LockExclusive)
            .map_err(|(_, errno)| TopologyError::io("lock", &path)(errno.into()))?;
        Ok(Registry { state: self, _lock: lock })
    }
}

impl Registry<'_> {
    /// Finds `count` ports, which are the caller's once its cluster is entered: `base`, `base + 1`, … or free ones.
    ///
    /// Free ones lie below the range from which the system serves outgoing connections, so that no client takes the
    /// port of a node that is down for a moment; other clusters' ports are taken even while they are down.
    pub(in crate::topology) fn ports(
        &self,
        base: Option<u16>,
        count: usize,
    ) -> Result<Vec<u16>, TopologyError> {
        let mut taken: Vec<u16> =
            self.state.clusters()?.iter().flat_map(|c| c.nodes.iter().map(|node| node.port)).collect();
        taken.extend(container_ports(self.state)?);
        let is_free =
            |port: &u16| !taken.contains(port) && TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
        if let Some(base) = base {
            let ports: Vec<u16> = (base..=u16::MAX).take(count).collect();
            if ports.len() < count {
                let why = format!("ports from {base} do not suffice for {count} nodes");
                return Err(TopologyError::Config(why));
            }
            return match ports.iter().find(|port| !is_free(port)) {
                Some(port) => Err(TopologyError::PortInUse(*port)),
                None => Ok(ports),
            };
        }
        let end = lowest_ephemeral_port();
        let start = end.saturating_sub(12_000).max(1_024);
        // Different users' labs do not see each other's registries, so each begins elsewhere.
        let offset = random_bytes::<2>().map_or(0, u16::from_le_bytes) % (end - start);
        let candidates = (start + offset..end).chain(start..start + offset);
        let ports: Vec<u16> = candidates.filter(is_free).take(count).collect();
        if ports.len() < count { Err(TopologyError::NoPort(usize::from(end - start))) } else { Ok(ports) }
    }

    /// Refuses a name, or the id that looks like one, by which another cluster is called: neither could be ended then.
    /// What an ended replab or a reboot has left is no cluster any more.
    pub(super) fn check_free(&self, name: &str) -> Result<(), TopologyError> {
        let is_up = |cluster: &ClusterState| match &cluster.owner {
            // It may just be coming up, and have no server yet.
            Some(owner) => owner.is_alive(),
            None => cluster.is_kept(),
        };
        if self.state.clusters()?.iter().any(|cluster| cluster.is_called(name) && is_up(cluster)) {
            return Err(TopologyError::AlreadyUp(name.to_owned()));
        }
        Ok(())
    }

    /// Makes the cluster's directory, for `account` alone, with `state` in it from the first moment on.
    pub(super) fn enter(
        &self,
        state: &ClusterState,
        account: Option<&Account>,
    ) -> Result<PathBuf, TopologyError> {
        let directory = self.state.cluster(&state.id);
        let unfinished = self.state.cluster(&format!(".new-{}", state.id));
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&unfinished)
            .map_err(TopologyError::io("create", &unfinished))?;
        give(&unfinished, account)?;
        state.write(&unfinished)?;
        fs::rename(&unfinished, &directory).map_err(TopologyError::io("create", &directory))?;
        Ok(directory)
    }
}

/// Where the system's range for outgoing connections begins; below it lie the ports that services choose.
fn lowest_ephemeral_port() -> u16 {
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let lowest = range.split_whitespace().next().and_then(|port| port.parse().ok());
    // IANA's range begins at 49152; that is what systems without the file use.
    lowest.filter(|&port| port > 4_096).unwrap_or(49_152)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::NodeName;
    use crate::topology::local::NodeState;
    use crate::topology::local::Standing;
    use crate::topology::process::Identity;

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
    fn a_port_belongs_to_one_cluster_even_while_nobody_listens() {
        let root = tempfile::tempdir().unwrap();
        let dir = StateDir::open(Some(root.path())).unwrap();
        let registry = dir.lock().unwrap();
        let ports = registry.ports(None, 3).unwrap();
        assert_eq!(ports.len(), 3);
        registry.enter(&state("a", ports[0]), None).unwrap();
        assert!(
            matches!(registry.ports(Some(ports[0]), 1), Err(TopologyError::PortInUse(p)) if p == ports[0])
        );
        assert_eq!(dir.clusters().unwrap(), [state("a", ports[0])]);
    }

    #[test]
    fn a_name_belongs_to_one_cluster_even_before_its_servers_run() {
        let root = tempfile::tempdir().unwrap();
        let dir = StateDir::open(Some(root.path())).unwrap();
        let registry = dir.lock().unwrap();
        registry.check_free("lab").unwrap();
        registry.enter(&state("lab-1", 1), None).unwrap();
        for name in ["lab", "lab-1"] {
            assert!(matches!(registry.check_free(name), Err(TopologyError::AlreadyUp(n)) if n == name));
        }
        registry.check_free("other").unwrap();
        let mut gone = state("old-1", 2);
        gone.name = "old".to_owned();
        gone.owner = serde_json::from_str(r#"{"pid": 999999999, "start": "1"}"#).unwrap();
        registry.enter(&gone, None).unwrap();
        registry.check_free("old").unwrap();
        gone.id = "old-2".to_owned();
        gone.owner = None;
        registry.enter(&gone, None).unwrap();
        registry.check_free("old").unwrap();
    }

    #[test]
    fn a_port_in_use_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let dir = StateDir::open(Some(root.path())).unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let registry = dir.lock().unwrap();
        assert!(matches!(registry.ports(Some(port), 1), Err(TopologyError::PortInUse(p)) if p == port));
        assert!(matches!(registry.ports(Some(u16::MAX), 2), Err(TopologyError::Config(_))));
    }
}
