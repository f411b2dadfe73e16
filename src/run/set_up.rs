//! Before the load: the cluster and the tables.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;

use super::directory::RunDir;
use super::{mark::Mark, parts};
use crate::config::{Plan, Switch, TopologyKind, TopologyPlan};
#[cfg(feature = "aurora")]
use crate::pg::Secret;
use crate::pg::{Deadlines, Passfile, Session};
#[cfg(feature = "aurora")]
use crate::topology::aurora;
use crate::topology::memory::Bug;
use crate::topology::{Access, Role, Site, Topology, TopologyError, compose, local, memory, urls};

const POLL: Duration = Duration::from_millis(2);
/// How long a replica may take to replay a few empty tables.
const REPLAY_DEADLINE: Duration = Duration::from_secs(30);

/// What a cluster is started for.
#[derive(Debug)]
pub(super) struct Purpose {
    /// Its name, for people who look at what is up.
    pub(super) name: String,
    /// Clients of the primary, which has the most.
    pub(super) clients: u32,
    /// Where the servers' logs go.
    pub(super) logs_dir: Option<PathBuf>,
    /// Where tables are made on servers that somebody else runs.
    pub(super) schema: String,
    /// With links, and their seed.
    pub(super) links: Option<u64>,
    /// With a small disk of its own for each node.
    pub(super) small_disks: bool,
    /// With a bug, in memory.
    pub(super) bug: Option<Bug>,
}

/// Starts the cluster of a run.
pub(super) async fn topology(plan: &Plan, bug: Option<Bug>, dir: &RunDir) -> Result<Topology, TopologyError> {
    let purpose = Purpose {
        name: dir.id(),
        clients: clients(plan),
        logs_dir: Some(dir.nodes()),
        schema: schema(dir),
        links: plan.faults.needs_links().then_some(plan.load.seed),
        small_disks: plan.faults.needs_small_disks(),
        bug,
    };
    // Whatever any kind of cluster needs to be made.
    Box::pin(start(&plan.topology, purpose)).await
}

/// Starts the planned cluster, or attaches to the servers that somebody else runs.
pub(super) async fn start(plan: &TopologyPlan, purpose: Purpose) -> Result<Topology, TopologyError> {
    let Purpose { name, clients, logs_dir, schema, links, small_disks, bug } = purpose;
    match plan.kind {
        TopologyKind::Memory => Ok(Topology::Memory(memory::Cluster::up(plan.replicas, bug))),
        TopologyKind::Local => {
            let config = local::Config { clients, logs_dir, name, links, small_disks, ..plan.local() };
            local::Cluster::up(&config).await.map(|cluster| Topology::Local(Box::new(cluster)))
        }
        TopologyKind::Compose => {
            let config = compose::Config { clients, logs_dir, name, ..plan.compose() };
            compose::Cluster::up(&config).await.map(|cluster| Topology::Compose(Box::new(cluster)))
        }
        TopologyKind::Urls => {
            let wanted = plan.urls.as_ref();
            let wanted = wanted.ok_or_else(|| TopologyError::Config("the plan names no URLs".to_owned()))?;
            let passwords = Passfile::read().map_err(|error| TopologyError::Passfile(error.to_string()))?;
            let config = urls::Config {
                writer: passwords.complete(wanted.writer.clone()),
                readers: wanted.readers.iter().cloned().map(|url| passwords.complete(url)).collect(),
                restart_command: wanted.restart_command.clone(),
                failover_command: wanted.failover_command.clone(),
                schema,
                synchronous_commit: plan.synchronous_commit.to_string(),
                keep: wanted.keep == Switch::On,
                logs_dir: logs_dir.unwrap_or_else(std::env::temp_dir),
                settle_limit: urls::SETTLE_LIMIT,
            };
            urls::Cluster::attach(config).await.map(|cluster| Topology::Urls(Box::new(cluster)))
        }
        #[cfg(not(feature = "aurora"))]
        TopologyKind::Aurora => {
            Err(TopologyError::Config("this replab was built without the feature `aurora`".to_owned()))
        }
        #[cfg(feature = "aurora")]
        TopologyKind::Aurora => {
            let wanted = plan.aurora.as_ref();
            let wanted =
                wanted.ok_or_else(|| TopologyError::Config("the plan names no cluster".to_owned()))?;
            let password = std::env::var("PGPASSWORD").ok().filter(|password| !password.is_empty());
            let config = aurora::Config {
                access: wanted.access.clone(),
                readers: plan.replicas,
                password: password.map(Secret::new),
                passfile: Passfile::read().map_err(|error| TopologyError::Passfile(error.to_string()))?,
                schema,
                synchronous_commit: plan.synchronous_commit.to_string(),
                keep: wanted.keep == Switch::On,
                patience: aurora::Patience::default(),
            };
            let cluster = Box::pin(aurora::Cluster::attach(config)).await?;
            Ok(Topology::Aurora(Box::new(cluster)))
        }
    }
}

/// The schema of the run in `dir`; the process's number tells runs apart that began in the same second.
pub(super) fn schema(dir: &RunDir) -> String {
    let is_plain = |c: char| c.is_ascii_digit() || c.is_ascii_lowercase();
    let id: String = dir.id().chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    format!("replab_{id}_{}", std::process::id())
}

/// Makes the tables on the primary, and waits until every replica has them.
pub(super) async fn tables(plan: &Plan, sites: &[Site], deadlines: Deadlines) -> anyhow::Result<()> {
    let mut made = None;
    for site in sites.iter().filter(|site| site.role == Role::Primary) {
        match &site.access {
            Access::Postgres(conninfo) => {
                let session = Session::connect(conninfo, "replab", deadlines)
                    .await
                    .context("connect to the primary")?;
                for workload in &plan.workloads {
                    let made = parts::set_up(workload, &session).await;
                    made.with_context(|| format!("make the tables of the workload {}", workload.name()))?;
                }
                made = Some(Mark::set(&session, plan.topology.kind).await?);
                session.close().await;
            }
            Access::Memory(handle) => {
                let session = handle.connect().context("the primary is down")?;
                plan.workloads.iter().for_each(|workload| parts::set_up_memory(workload, &session));
            }
        }
    }
    for site in sites.iter().filter(|site| site.role == Role::Replica) {
        if let Access::Postgres(conninfo) = &site.access {
            let session = Session::connect(conninfo, "replab", deadlines)
                .await
                .with_context(|| format!("connect to {}", site.node))?;
            let replayed = async {
                while let Some(mark) = &made
                    && !mark.is_shown(&session).await?
                {
                    tokio::time::sleep(POLL).await;
                }
                anyhow::Ok(())
            };
            tokio::time::timeout(REPLAY_DEADLINE, replayed).await.with_context(|| {
                format!("{} has not replayed the new tables within {REPLAY_DEADLINE:?}", site.node)
            })??;
        }
    }
    Ok(())
}

/// Clients of the primary, which has the most: writers and readers of every workload.
fn clients(plan: &Plan) -> u32 {
    plan.workloads.iter().map(|workload| workload.clients() + plan.readers.per_node).sum()
}
