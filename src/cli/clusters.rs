//! What the commands for clusters share: which one is meant, and how its errors end the program.

use std::path::PathBuf;

use super::{Exit, Failure, failures};
use crate::history::NodeName;
use crate::topology::local::{Cluster, ClusterState, Hold, StateDir};
use crate::topology::{Endpoint, Role, TopologyError};

/// Which cluster is meant.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Which {
    /// The cluster's name or id; needed only where several are up
    #[arg(long)]
    pub(super) name: Option<String>,
    /// The folder with the lab's own files (REPLAB_STATE_DIR)
    #[arg(long, value_name = "DIR")]
    pub(super) state_dir: Option<PathBuf>,
}

impl Which {
    /// The state directory and what is written there about the cluster.
    pub(super) fn find(&self) -> Result<(StateDir, ClusterState), Failure> {
        let state_dir = StateDir::open(self.state_dir.as_deref()).map_err(failures::topology)?;
        let state = state_dir.find(self.name.as_deref()).map_err(failures::topology)?;
        Ok((state_dir, state))
    }

    /// The same with the right to act on it, which nobody else has meanwhile. A run's own cluster is refused.
    pub(super) fn take(&self) -> Result<(Hold, StateDir, ClusterState), Failure> {
        let (state_dir, state) = self.find()?;
        let (hold, state) = Hold::take(&state_dir, &state).map_err(failures::topology)?;
        Ok((hold, state_dir, state))
    }

    /// What to type to mean the same cluster again, with a space before it.
    pub(super) fn option(&self) -> String {
        let name = self.name.as_ref().map(|name| format!(" --name {name}"));
        let state_dir = self.state_dir.as_ref().map(|path| format!(" --state-dir {}", path.display()));
        [name, state_dir].into_iter().flatten().collect()
    }

    /// The cluster itself.
    pub(super) fn attach(&self) -> Result<Cluster, Failure> {
        let (state_dir, state) = self.find()?;
        Cluster::attach(&state_dir, state).map_err(failures::topology)
    }
}

/// The endpoint of `node`; without one, or of `writer`, that of the node that is the primary now.
pub(super) fn endpoint(cluster: &Cluster, node: Option<&str>) -> Result<Endpoint, Failure> {
    let endpoints = cluster.endpoints();
    let node = match node {
        Some(name) if name != "writer" => NodeName::new(name),
        _ => endpoints
            .iter()
            .find(|endpoint| endpoint.role == Role::Primary)
            .map_or_else(NodeName::primary, |endpoint| endpoint.node),
    };
    let known = endpoints.iter().map(|endpoint| endpoint.node.to_string()).collect();
    let unknown = TopologyError::UnknownNode { node, known };
    endpoints
        .into_iter()
        .find(|endpoint| endpoint.node == node)
        .ok_or_else(|| Failure::new(Exit::Usage, unknown))
}
