//! The cluster that cases are played on: as `run` makes it, without a run.

use crate::config::{Plan, Switch, TopologyKind};
use crate::pg::Passfile;
use crate::topology::{Topology, TopologyError, compose, local, memory, urls};

/// Sessions of one case at one node, and the lab's own.
const CLIENTS: u32 = 10;

/// The planned cluster, or the servers that somebody else runs.
pub async fn topology(plan: &Plan, schema: &str) -> Result<Topology, TopologyError> {
    let name = "anomalies".to_owned();
    match plan.topology.kind {
        TopologyKind::Memory => Ok(Topology::Memory(memory::Cluster::up(plan.topology.replicas, None))),
        TopologyKind::Local => {
            let config = local::Config { clients: CLIENTS, name, ..plan.topology.local() };
            local::Cluster::up(&config).await.map(|cluster| Topology::Local(Box::new(cluster)))
        }
        TopologyKind::Compose => {
            let config = compose::Config { clients: CLIENTS, name, ..plan.topology.compose() };
            compose::Cluster::up(&config).await.map(|cluster| Topology::Compose(Box::new(cluster)))
        }
        TopologyKind::Urls => {
            let wanted = plan.topology.urls.as_ref();
            let wanted = wanted.ok_or_else(|| TopologyError::Config("the plan names no URLs".to_owned()))?;
            let passwords = Passfile::read().map_err(|error| TopologyError::Passfile(error.to_string()))?;
            let config = urls::Config {
                writer: passwords.complete(wanted.writer.clone()),
                readers: wanted.readers.iter().cloned().map(|url| passwords.complete(url)).collect(),
                // Nothing is restarted here.
                restart_command: None,
                failover_command: None,
                schema: schema.to_owned(),
                synchronous_commit: plan.topology.synchronous_commit.to_string(),
                keep: wanted.keep == Switch::On,
                logs_dir: std::env::temp_dir(),
                settle_limit: urls::SETTLE_LIMIT,
            };
            urls::Cluster::attach(config).await.map(|cluster| Topology::Urls(Box::new(cluster)))
        }
    }
}

/// The cluster in a few words: `local, 1 primary + 1 replica, synchronous_commit = on`.
pub fn cluster(plan: &Plan) -> String {
    let kind = plan.topology.kind;
    let replicas = match plan.topology.replicas {
        0 => String::new(),
        1 => " + 1 replica".to_owned(),
        n => format!(" + {n} replicas"),
    };
    format!("{kind}, 1 primary{replicas}, synchronous_commit = {}", plan.topology.synchronous_commit)
}
