//! `replab down`: the end of a cluster that `replab up` started.

use serde_json::json;

use super::clusters::Which;
use super::console::Console;
use super::{Exit, Failure, failures};
use crate::topology::local::Cluster;

/// Stop a cluster and remove its data; its logs stay
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) which: Which,
}

/// Runs the command.
pub(super) async fn run(args: Args, console: &Console) -> Result<Exit, Failure> {
    let (_hold, state_dir, state) = args.which.take()?;
    let cluster = Cluster::attach(&state_dir, state).map_err(failures::topology)?;
    let state = cluster.state();
    cluster.down().await.map_err(failures::topology)?;
    if console.is_json() {
        console.json(&json!({ "down": state.name, "logs": state.logs }));
    } else {
        console.result(&format!(
            "cluster `{}` is down; its logs are in {}\n",
            state.name,
            state.logs.display()
        ));
    }
    Ok(Exit::Valid)
}
