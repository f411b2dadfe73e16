//! What the commands for clusters share: which one is meant, and how its errors end the program.

use std::path::PathBuf;

use super::{Exit, Failure, failures};
use crate::history::NodeName;
use crate::topology::local::{Cluster, ClusterState, StateDir};
use crate::topology::{Endpoint, TopologyError};

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

    /// The cluster itself.
    pub(super) fn attach(&self) -> Result<Cluster, Failure> {
        let (state_dir, state) = self.find()?;
        Cluster::attach(&state_dir, state).map_err(failures::topology)
    }
}

/// The endpoint of `node`, or of the primary.
pub(super) fn endpoint(cluster: &Cluster, node: Option<&str>) -> Result<Endpoint, Failure> {
    let node = node.map_or_else(NodeName::primary, NodeName::new);
    let endpoints = cluster.endpoints();
    let known = endpoints.iter().map(|endpoint| endpoint.node.to_string()).collect();
    let unknown = TopologyError::UnknownNode { node, known };
    endpoints
        .into_iter()
        .find(|endpoint| endpoint.node == node)
        .ok_or_else(|| Failure::new(Exit::Usage, unknown))
}
