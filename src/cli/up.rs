//! `replab up`: a cluster that stays.

use std::path::PathBuf;

use serde_json::json;

use super::console::Console;
use super::{Exit, Failure, failures, status};
use crate::topology::local::{Cluster, Config};

/// Start a primary and its replicas, and leave them running
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Streaming replicas beside the primary
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(super) replicas: usize,
    /// The folder with PostgreSQL's server programs (REPLAB_PG_BIN)
    #[arg(long, value_name = "DIR")]
    pub(super) pg_bin: Option<PathBuf>,
    /// The primary's port; the replicas have the following ones [default: free ones]
    #[arg(long)]
    pub(super) port: Option<u16>,
    /// When a commit is acknowledged: off, local, remote_write, on, remote_apply
    #[arg(long, default_value = "on", value_name = "LEVEL")]
    pub(super) synchronous_commit: String,
    /// What to call the cluster
    #[arg(long, default_value = "lab")]
    pub(super) name: String,
    /// The folder with the lab's own files (REPLAB_STATE_DIR)
    #[arg(long, value_name = "DIR")]
    pub(super) state_dir: Option<PathBuf>,
}

/// Runs the command.
pub(super) async fn run(args: Args, console: &Console) -> Result<Exit, Failure> {
    let config = Config {
        pg_bin: args.pg_bin,
        replicas: args.replicas,
        synchronous_commit: args.synchronous_commit,
        port: args.port,
        state_dir: args.state_dir,
        name: args.name.clone(),
        ..Config::default()
    };
    let cluster = Cluster::up_by_name(&config).await.map_err(failures::topology)?;
    let (state, endpoints) = (cluster.state(), cluster.endpoints());
    cluster.detach().map_err(failures::topology)?;
    if console.is_json() {
        let nodes: Vec<_> = endpoints.iter().map(status::endpoint_json).collect();
        console
            .json(&json!({ "name": state.name, "id": state.id, "version": state.version, "nodes": nodes }));
        return Ok(Exit::Valid);
    }
    let option = if args.name == "lab" { String::new() } else { format!(" --name {}", args.name) };
    let mut text = format!(
        "cluster `{}` is up: PostgreSQL {}, synchronous_commit = {}\n\n",
        state.name, state.version, state.synchronous_commit
    );
    for endpoint in &endpoints {
        text += &format!("  {:<10} {}\n", endpoint.node, endpoint.conninfo);
    }
    text += &format!(
        "\n  replab psql{option} [NODE]                 a session; the password is filled in
  eval \"$(replab status{option} --env)\"      PGHOST, PGPASSWORD … for other clients
  replab status{option}, replab logs{option} NODE
  replab down{option}                        stops it and removes its data\n"
    );
    console.result(&text);
    Ok(Exit::Valid)
}
