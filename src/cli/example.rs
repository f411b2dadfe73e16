//! `replab run orders --example`: the three orders of the document that the lab grew out of, and nothing else.

use super::clusters::Which;
use super::console::Console;
use super::{Exit, Failure, failures, tables};
use crate::config::{Plan, TopologyKind};
use crate::run::example::{ExampleError, place};
use crate::topology::TopologyError;
use crate::topology::local::{Cluster, StateDir};

/// Places the orders on the cluster that is up, or on a new one that stays up, and prints every node's tables.
pub(super) async fn example(plan: &Plan, console: &Console) -> Result<Exit, Failure> {
    if plan.workloads.len() > 1 || plan.orders().is_none() {
        let error = anyhow::anyhow!("only the order system has an example");
        return Err(Failure::new(Exit::Usage, error).help("replab run orders --example"));
    }
    if plan.topology.kind != TopologyKind::Local {
        return Err(Failure::new(
            Exit::Usage,
            anyhow::anyhow!("the example needs PostgreSQL: --topology local"),
        ));
    }
    let (cluster, stays) = if is_one_up()? {
        (attach()?, "the cluster that was up")
    } else {
        (start(plan).await?, "a new cluster, which stays up")
    };
    console.note(&format!("placing three orders on {stays}"));
    let endpoints = cluster.endpoints();
    let placed = match place(&endpoints).await {
        Ok(()) => tables::show(endpoints, 20, console).await,
        Err(error @ ExampleError::Failed(_)) => {
            Err(Failure::new(Exit::Lab, error).help("replab logs primary shows what the server says"))
        }
        Err(ExampleError::Taken(tables)) => {
            let help = format!("if nobody needs them: replab psql -- -c 'DROP TABLE {}'", tables.join(", "));
            Err(Failure::new(Exit::Environment, ExampleError::Taken(tables)).help(help))
        }
    };
    cluster.detach().map_err(failures::topology)?;
    placed?;
    console.note("replab tables prints them again, replab psql looks closer, replab down ends the cluster");
    Ok(Exit::Valid)
}

/// Whether a cluster was left running. One that a run keeps is the run's: the example would drop its tables, and leave
/// it without an owner.
fn is_one_up() -> Result<bool, Failure> {
    let state_dir = StateDir::open(None).map_err(failures::topology)?;
    let clusters = state_dir.clusters().map_err(failures::topology)?;
    Ok(clusters.iter().any(|cluster| cluster.owner.is_none()))
}

/// The one cluster that was left running.
fn attach() -> Result<Cluster, Failure> {
    Which::default().attach().map_err(|failure| match failure.error.downcast_ref() {
        Some(TopologyError::SeveralClusters(_)) => failure
            .help("the example goes to the only one that is up: end the others with replab down --name NAME"),
        _ => failure,
    })
}

async fn start(plan: &Plan) -> Result<Cluster, Failure> {
    Cluster::up_by_name(&plan.topology.local()).await.map_err(failures::topology)
}
