//! The closed set of topologies: a `match` that only delegates.

use std::time::Duration;

#[cfg(feature = "aurora")]
use super::aurora;
use super::aurora::{ClusterEvent, InstanceFacts};
use super::{Access, Endpoint, ReaderEndpoint, Role, Site, TopologyError, compose, local, memory, urls};
use crate::history::{Action, Clock, Condition, EndpointSample, NodeName};
use crate::pg::Deadlines;

/// A cluster that is up.
#[derive(Debug)]
pub enum Topology {
    /// PostgreSQL processes of this machine.
    Local(Box<local::Cluster>),
    /// PostgreSQL in containers.
    Compose(Box<compose::Cluster>),
    /// Nodes in this process's memory.
    Memory(memory::Cluster),
    /// Servers that somebody else runs.
    Urls(Box<urls::Cluster>),
    /// A cluster of AWS's.
    #[cfg(feature = "aurora")]
    Aurora(Box<aurora::Cluster>),
}

impl Topology {
    /// The nodes, the primary first.
    pub fn sites(&self) -> Vec<Site> {
        match self {
            Topology::Local(cluster) => cluster.endpoints().into_iter().map(site).collect(),
            Topology::Compose(cluster) => cluster.endpoints().into_iter().map(site).collect(),
            Topology::Urls(cluster) => cluster.endpoints().into_iter().map(site).collect(),
            #[cfg(feature = "aurora")]
            Topology::Aurora(cluster) => cluster.endpoints().into_iter().map(site).collect(),
            Topology::Memory(cluster) => {
                let role = |index| if index == 0 { Role::Primary } else { Role::Replica };
                let site = |(index, node)| Site {
                    node,
                    role: role(index),
                    access: Access::Memory(cluster.handle(node)),
                };
                cluster.nodes().into_iter().enumerate().map(site).collect()
            }
        }
    }

    /// Whether [`Topology::act`] can do it.
    pub fn can(&self, action: Action) -> bool {
        match self {
            Topology::Local(_) => local::Cluster::can(action),
            Topology::Compose(_) => compose::Cluster::can(action),
            Topology::Memory(_) => memory::Cluster::can(action),
            Topology::Urls(cluster) => cluster.can(action),
            #[cfg(feature = "aurora")]
            Topology::Aurora(_) => aurora::Cluster::can(action),
        }
    }

    /// Makes room for the run's tables, where they cannot simply be made.
    pub async fn prepare(&self) -> Result<(), TopologyError> {
        match self {
            Topology::Local(_) | Topology::Compose(_) | Topology::Memory(_) => Ok(()),
            Topology::Urls(cluster) => cluster.make_schema().await,
            #[cfg(feature = "aurora")]
            Topology::Aurora(cluster) => cluster.make_schema().await,
        }
    }

    /// The nodes as the lab itself reaches them, the primary first: past whatever is done to the clients' network.
    pub fn direct_sites(&self) -> Vec<Site> {
        match self {
            Topology::Local(cluster) => cluster.direct_endpoints().into_iter().map(site).collect(),
            Topology::Compose(_) | Topology::Memory(_) | Topology::Urls(_) => self.sites(),
            #[cfg(feature = "aurora")]
            Topology::Aurora(_) => self.sites(),
        }
    }

    /// Does `action` to `node` and verifies that it took hold; the answer is a line for the report.
    pub async fn act(&self, node: NodeName, action: Action) -> Result<String, TopologyError> {
        match self {
            // A failover takes many steps, and their state much room.
            Topology::Local(cluster) => Box::pin(cluster.act(node, action)).await,
            Topology::Compose(cluster) => Box::pin(cluster.act(node, action)).await,
            Topology::Memory(cluster) => cluster.act(node, action).map_err(TopologyError::Lab),
            Topology::Urls(cluster) => cluster.act(node, action).await,
            #[cfg(feature = "aurora")]
            Topology::Aurora(cluster) => Box::pin(cluster.act(node, action)).await,
        }
    }

    /// The node that takes writes, and whether it runs.
    pub fn writer(&self) -> Result<(NodeName, bool), TopologyError> {
        match self {
            Topology::Local(cluster) => cluster.writer(),
            Topology::Compose(cluster) => cluster.writer(),
            Topology::Memory(cluster) => Ok((cluster.primary(), cluster.answers(cluster.primary()))),
            Topology::Urls(cluster) => Ok(cluster.writer()),
            #[cfg(feature = "aurora")]
            Topology::Aurora(cluster) => Ok(cluster.writer()),
        }
    }

    /// Whether `node`, or any where none is named, could be promoted just now.
    pub fn check_promotable(&self, node: Option<NodeName>) -> Result<(), TopologyError> {
        match self {
            Topology::Local(cluster) => cluster.check_promotable(node),
            Topology::Compose(cluster) => cluster.check_promotable(node),
            // Whether it could be is for the user's command to say.
            Topology::Memory(_) | Topology::Urls(_) => Ok(()),
            #[cfg(feature = "aurora")]
            Topology::Aurora(_) => Ok(()),
        }
    }

    /// The replica that a failover would promote: the one that has received most.
    pub async fn candidate(&self) -> Result<NodeName, TopologyError> {
        match self {
            Topology::Local(cluster) => cluster.candidate().await,
            Topology::Compose(cluster) => cluster.candidate().await,
            Topology::Memory(_) => Err(TopologyError::lab("a cluster in memory has no failover")),
            Topology::Urls(cluster) => cluster.candidate().await,
            #[cfg(feature = "aurora")]
            Topology::Aurora(cluster) => cluster.candidate().await,
        }
    }

    /// Waits until every replica that nothing holds up receives what the primary writes.
    pub async fn all_follow(&self) -> Result<(), TopologyError> {
        match self {
            Topology::Local(cluster) => cluster.all_follow().await,
            Topology::Compose(cluster) => cluster.all_follow().await,
            Topology::Memory(_) => Ok(()),
            Topology::Urls(cluster) => cluster.all_follow().await,
            #[cfg(feature = "aurora")]
            Topology::Aurora(cluster) => cluster.all_follow().await,
        }
    }

    /// Waits until `node` answers a real query through a new connection.
    pub async fn answer(&self, node: NodeName, deadline: Duration) -> Result<(), TopologyError> {
        match self {
            Topology::Local(cluster) => cluster.answer(node, deadline).await,
            Topology::Compose(cluster) => cluster.answer(node, deadline).await,
            Topology::Memory(cluster) if cluster.answers(node) => Ok(()),
            Topology::Memory(_) => Err(TopologyError::Lab(format!("{node} is down"))),
            Topology::Urls(cluster) => cluster.answer(node, deadline).await,
            #[cfg(feature = "aurora")]
            Topology::Aurora(cluster) => cluster.answer(node, deadline).await,
        }
    }

    /// What actions have left the nodes in, by node and in the order in which it can be put right.
    pub fn conditions(&self) -> Vec<(NodeName, Condition)> {
        match self {
            Topology::Local(cluster) => cluster.conditions(),
            Topology::Compose(cluster) => cluster.conditions(),
            Topology::Memory(cluster) => {
                cluster.down_nodes().into_iter().map(|node| (node, Condition::Down)).collect()
            }
            // Each command is complete when it is verified, and leaves nothing to end.
            Topology::Urls(_) => Vec::new(),
            #[cfg(feature = "aurora")]
            Topology::Aurora(_) => Vec::new(),
        }
    }

    /// What the nodes keep of their logs, in bytes; `None` where nobody can look.
    pub fn log_bytes(&self) -> Option<u64> {
        match self {
            Topology::Local(cluster) => Some(cluster.log_bytes()),
            Topology::Compose(_) | Topology::Memory(_) | Topology::Urls(_) => None,
            #[cfg(feature = "aurora")]
            Topology::Aurora(_) => None,
        }
    }

    /// A node that ended without being asked to, and why.
    pub fn died_unasked(&self) -> Option<String> {
        match self {
            Topology::Local(cluster) => cluster.died_unasked(),
            Topology::Compose(cluster) => cluster.died_unasked(),
            // Of a server that it did not start, replab sees only that it does not answer.
            Topology::Memory(_) | Topology::Urls(_) => None,
            #[cfg(feature = "aurora")]
            Topology::Aurora(_) => None,
        }
    }

    /// What leads to any of the replicas, where there is such a thing.
    pub fn reader_endpoint(&self) -> Option<ReaderEndpoint> {
        match self {
            #[cfg(feature = "aurora")]
            Topology::Aurora(cluster) => cluster.reader_endpoint(),
            Topology::Local(_) | Topology::Compose(_) | Topology::Memory(_) | Topology::Urls(_) => None,
        }
    }

    /// Whether there are endpoints that lead to one of several nodes.
    pub fn has_shared_endpoints(&self) -> bool {
        match self {
            #[cfg(feature = "aurora")]
            Topology::Aurora(_) => true,
            Topology::Local(_) | Topology::Compose(_) | Topology::Memory(_) | Topology::Urls(_) => false,
        }
    }

    /// One fresh connection through each of them.
    pub async fn sample_endpoints(&self, clock: &Clock, deadlines: Deadlines) -> Vec<EndpointSample> {
        match self {
            #[cfg(feature = "aurora")]
            Topology::Aurora(cluster) => cluster.sample_endpoints(clock, deadlines).await,
            Topology::Local(_) | Topology::Compose(_) | Topology::Memory(_) | Topology::Urls(_) => {
                // There are none to connect through.
                let (_, _) = (clock, deadlines);
                Vec::new()
            }
        }
    }

    /// The instances that the nodes are, where somebody else gives them names.
    pub async fn instances(&self) -> Vec<InstanceFacts> {
        match self {
            #[cfg(feature = "aurora")]
            Topology::Aurora(cluster) => cluster.facts().await,
            Topology::Local(_) | Topology::Compose(_) | Topology::Memory(_) | Topology::Urls(_) => Vec::new(),
        }
    }

    /// What whoever runs the cluster has reported of it since the lab came.
    pub async fn events(&self) -> Result<Vec<ClusterEvent>, TopologyError> {
        match self {
            #[cfg(feature = "aurora")]
            Topology::Aurora(cluster) => cluster.events().await,
            Topology::Local(_) | Topology::Compose(_) | Topology::Memory(_) | Topology::Urls(_) => {
                Ok(Vec::new())
            }
        }
    }

    /// Stops every node and removes what it stored; logs stay. Of servers that somebody else runs, only what the run made
    /// there is removed.
    pub async fn down(self) -> Result<(), TopologyError> {
        match self {
            Topology::Local(cluster) => cluster.down().await,
            Topology::Compose(cluster) => cluster.down().await,
            Topology::Memory(_) => Ok(()),
            Topology::Urls(cluster) => cluster.down().await,
            #[cfg(feature = "aurora")]
            Topology::Aurora(cluster) => cluster.down().await,
        }
    }
}

fn site(endpoint: Endpoint) -> Site {
    Site { node: endpoint.node, role: endpoint.role, access: Access::Postgres(endpoint.conninfo) }
}
