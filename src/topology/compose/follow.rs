//! How a server in a container is told whom to follow, and how it is brought back.

use std::sync::PoisonError;
use std::time::Duration;

use super::file::NODE_SCRIPT_PATH;
use super::network::Link;
use super::node::Node;
use super::{Cluster, POLL};
use crate::lsn::Lsn;
use crate::pg::Session;
use crate::topology::TopologyError;
use crate::topology::servers::{Fork, Server, Servers, last_checkpoint};

/// A rewind reads the whole control and configuration and the changed blocks; a new copy, everything.
const REWIND_LIMIT: Duration = Duration::from_secs(120);

/// A container of its own has to be made for anything that is done to a server that is down.
const ASIDE_LIMIT: Duration = Duration::from_secs(30);

impl Servers for Cluster {
    type Server = Node;

    const POLL: Duration = POLL;

    fn servers(&self) -> &[Node] {
        &self.nodes
    }

    async fn session(&self, node: &Node, deadline: Duration) -> Result<Session, TopologyError> {
        self.connect(node, deadline).await
    }

    fn forks(&self) -> Vec<Fork> {
        self.forks.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn add_fork(&self, fork: Fork) {
        self.forks.lock().unwrap_or_else(PoisonError::into_inner).push(fork);
    }

    async fn write_upstream(&self, node: &Node, upstream: &Node) -> Result<(), TopologyError> {
        let args = ["follow", &host(upstream)];
        if !node.is_running() {
            return self.aside(node, args, ASIDE_LIMIT).await.map(drop);
        }
        // The engine lets nobody into a container that is paused.
        if node.state().await?.paused {
            self.aside(node, args, ASIDE_LIMIT).await?;
        } else {
            let [what, host] = args;
            self.engine.tell(["exec", &node.container, "sh", NODE_SCRIPT_PATH, what, host]).await?;
        }
        // The container's init passes it on to the postmaster.
        self.engine.tell(["kill", "--signal", "SIGHUP", &node.container]).await.map(drop)
    }

    async fn starts_as_replica(&self, node: &Node) -> Result<bool, TopologyError> {
        match self.aside(node, ["standby"], ASIDE_LIMIT).await?.trim() {
            "yes" => Ok(true),
            "no" => Ok(false),
            said => Err(TopologyError::lab(format!("node.sh says {said:?} of {}", node.name))),
        }
    }

    async fn rewind(&self, node: &Node, primary: &Node) -> Result<(), TopologyError> {
        self.aside(node, ["rewind", &host(primary)], REWIND_LIMIT).await.map(drop)
    }

    async fn clone_again(&self, node: &Node, primary: &Node) -> Result<(), TopologyError> {
        self.aside(node, ["copy", &host(primary)], REWIND_LIMIT).await.map(drop)
    }

    async fn shutdown_checkpoint(&self, node: &Node) -> Result<Lsn, TopologyError> {
        last_checkpoint(node.name, &self.aside(node, ["control"], ASIDE_LIMIT).await?)
    }
}

impl Cluster {
    /// Runs `node.sh <args>` in a container of its own that has the node's volume, as nothing can be run in one that is
    /// down. It carries the cluster's labels, so whatever becomes of replab it is removed.
    async fn aside<const N: usize>(
        &self,
        node: &Node,
        args: [&str; N],
        limit: Duration,
    ) -> Result<String, TopologyError> {
        let name = format!("{}-{}-aside", super::make::project(&self.id), node.name);
        let (network, variable) = (self.network(Link::Peers), format!("REPLAB_NODE={}", node.name));
        let run = ["run", "--rm", "--init", "--name", &name, "--volumes-from", &node.container];
        let labels = self.labels.iter().flat_map(|label| ["--label", label]);
        let more = ["--network", &network, "--env", &variable, "--entrypoint", "sh", &self.image];
        let all = run.into_iter().chain(labels).chain(more).chain([NODE_SCRIPT_PATH]).chain(args);
        let done = self.engine.program("docker").args(all).run(limit).await;
        if done.is_err() {
            // Its end is not the end of the container, which would go on to write; most often there is none left.
            drop(self.engine.tell(["rm", "--force", "--volumes", &name]).await);
        }
        done
    }
}

/// Where the others find a node.
fn host(node: &Node) -> String {
    format!("{}.peers", node.name)
}
