//! `replab down`: the end of a cluster that `replab up` started.

use serde_json::json;

use super::clusters::{Which, failure, print, print_json};
use super::{Exit, Failure};
use crate::topology::TopologyError;
use crate::topology::local::Cluster;

/// Stop a cluster and remove its data; its logs stay
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub(super) which: Which,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

/// Runs the command.
pub async fn run(args: Args) -> Result<Exit, Failure> {
    let (state_dir, state) = args.which.find()?;
    if let Some(owner) = state.owner.as_ref().filter(|owner| owner.is_alive()) {
        return Err(failure(TopologyError::Owned { name: state.name, pid: owner.pid }));
    }
    let cluster = Cluster::attach(&state_dir, state).map_err(failure)?;
    let state = cluster.state();
    cluster.down().await.map_err(failure)?;
    if args.json {
        print_json(&json!({ "down": state.name, "logs": state.logs }));
    } else {
        print(&format!("cluster `{}` is down; its logs are in {}\n", state.name, state.logs.display()));
    }
    Ok(Exit::Valid)
}
