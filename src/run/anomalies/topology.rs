//! The cluster that cases are played on: as `run` makes it, without a run.

use crate::config::Plan;
use crate::run::set_up::{Purpose, start};
use crate::topology::{Topology, TopologyError};

/// Sessions of one case at one node, and the lab's own.
const CLIENTS: u32 = 10;

/// The planned cluster, or the servers that somebody else runs. Nothing is broken there.
pub async fn topology(plan: &Plan, schema: &str) -> Result<Topology, TopologyError> {
    let purpose = Purpose {
        name: "anomalies".to_owned(),
        clients: CLIENTS,
        logs_dir: None,
        schema: schema.to_owned(),
        links: None,
        small_disks: false,
        bug: None,
    };
    start(&plan.topology, purpose).await
}

/// The cluster in a few words: `local, 1 primary + 1 replica, synchronous_commit = on`.
pub fn cluster(plan: &Plan) -> String {
    let level = plan.topology.synchronous_commit;
    format!("{}, synchronous_commit = {level}", crate::run::begin::cluster(plan, None))
}
