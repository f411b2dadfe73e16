//! The right to act on a cluster that was left running: one process at a time.

use std::fs::File;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use super::state::{ClusterState, StateDir};
use crate::topology::TopologyError;

/// Held while actions are done to a cluster: what they leave its nodes in is written down by whoever did them, and two
/// at once would overwrite each other's notes. It ends with the value, and with the process.
#[derive(Debug)]
pub struct Hold {
    _lock: Flock<File>,
}

impl Hold {
    /// The right to act on the cluster that `state` describes, and what is written about it from then on.
    ///
    /// # Errors
    /// [`TopologyError::Busy`] while another process has it, [`TopologyError::Owned`] where a run keeps the cluster.
    pub fn take(state_dir: &StateDir, state: &ClusterState) -> Result<(Hold, ClusterState), TopologyError> {
        if let Some(owner) = state.owner.as_ref().filter(|owner| owner.is_alive()) {
            return Err(TopologyError::Owned { name: state.name.clone(), pid: owner.pid });
        }
        let directory = state_dir.cluster(&state.id);
        let hold = match lock(&directory) {
            Ok(lock) => Hold { _lock: lock },
            Err(Errno::EWOULDBLOCK) => return Err(TopologyError::Busy(state.name.clone())),
            Err(Errno::ENOENT) => return Err(TopologyError::NoCluster { name: Some(state.name.clone()) }),
            Err(errno) => return Err(TopologyError::io("lock", &directory)(errno.into())),
        };
        // Whoever had it may have changed that, or ended the cluster.
        match ClusterState::read(&directory) {
            Ok(state) => Ok((hold, state)),
            Err(_) => Err(TopologyError::NoCluster { name: Some(state.name.clone()) }),
        }
    }

    /// Whether somebody has the right to act on the cluster in `directory`.
    pub(super) fn is_held(directory: &Path) -> bool {
        lock(directory).is_err_and(|errno| errno == Errno::EWOULDBLOCK)
    }
}

/// Of the directory itself, so that no further file says whether somebody is there.
fn lock(directory: &Path) -> Result<Flock<File>, Errno> {
    let file =
        File::open(directory).map_err(|error| error.raw_os_error().map_or(Errno::EIO, Errno::from_raw))?;
    Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, errno)| errno)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::NodeName;
    use crate::topology::local::NodeState;
    use crate::topology::local::Standing;
    use crate::topology::process::Identity;

    #[test]
    fn one_process_at_a_time_and_what_the_one_before_wrote() {
        let root = tempfile::tempdir().unwrap();
        let dir = StateDir::open(Some(root.path())).unwrap();
        let mut state = ClusterState {
            id: "lab-1".to_owned(),
            name: "lab".to_owned(),
            owner: None,
            binaries: "/bin".into(),
            version: "15".to_owned(),
            synchronous_commit: "on".to_owned(),
            socket: "/s".into(),
            logs: "/l".into(),
            small_disks: false,
            nodes: vec![NodeState::new(NodeName::primary(), Standing::primary(), 1)],
            forks: Vec::new(),
        };
        let gone = Hold::take(&dir, &state).unwrap_err();
        assert!(matches!(gone, TopologyError::NoCluster { .. }), "{gone}");
        let directory = dir.lock().unwrap().enter(&state, None).unwrap();
        let (hold, _) = Hold::take(&dir, &state).unwrap();
        assert!(Hold::is_held(&directory));
        let busy = Hold::take(&dir, &state).unwrap_err();
        assert!(matches!(busy, TopologyError::Busy(_)), "{busy}");
        let changed = ClusterState { version: "16".to_owned(), ..state.clone() };
        changed.write(&directory).unwrap();
        drop(hold);
        assert_eq!(Hold::take(&dir, &state).unwrap().1, changed);
        state.owner = Identity::of_self();
        let owned = Hold::take(&dir, &state).unwrap_err();
        assert!(matches!(owned, TopologyError::Owned { .. }), "{owned}");
    }
}
