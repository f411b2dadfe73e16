//! `replab up`: a cluster that stays.

use std::path::PathBuf;

use serde_json::json;

use super::args::Place;
use super::console::Console;
use super::{Exit, Failure, failures, plan, status};
use crate::config::{Overrides, TopologyKind};
use crate::topology::local::{Cluster, Config};

/// Start a primary and its replicas, and leave them running
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Streaming replicas beside the primary, 0 to 16 [default: 1]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(super) replicas: Option<i64>,
    /// The folder of PostgreSQL's programs [default: the newest that is found]
    #[arg(long, value_name = "DIR")]
    pub(super) pg_bin: Option<PathBuf>,
    /// The primary's port; the replicas have the following ones [default: free ones]
    #[arg(long, value_name = "PORT", allow_negative_numbers = true)]
    pub(super) port: Option<i64>,
    /// off, local, remote_write, on or remote_apply [default: on]
    #[arg(long, value_name = "MODE")]
    pub(super) synchronous_commit: Option<String>,
    /// Which replicas a commit waits for, none, 'ANY 1' or 'FIRST 2 (replica-1, replica-2)' [default: all for the remote modes, none for the others]
    #[arg(long, value_name = "STANDBYS")]
    pub(super) sync_standbys: Option<String>,
    /// A replica behind a replica, 'replica-2<-replica-1'; repeat for more
    #[arg(long, value_name = "CASCADE")]
    pub(super) cascade: Vec<String>,
    /// What to call the cluster
    #[arg(long, default_value = "lab")]
    pub(super) name: String,
    /// The folder with the lab's own files (REPLAB_STATE_DIR)
    #[arg(long, value_name = "DIR")]
    pub(super) state_dir: Option<PathBuf>,
}

impl Args {
    /// As the highest layer of the configuration. What the lower layers break, and when, is for runs, and need not
    /// suit this cluster.
    fn overrides(&self) -> Overrides {
        Overrides {
            replicas: self.replicas,
            pg_bin: self.pg_bin.clone(),
            port: self.port,
            synchronous_commit: self.synchronous_commit.clone(),
            synchronous_standbys: self.sync_standbys.clone(),
            cascade: self.cascade.clone(),
            schedule: Some("none".to_owned()),
            ..Overrides::default()
        }
    }
}

/// Runs the command.
pub(super) async fn run(args: Args, place: &Place, console: &Console) -> Result<Exit, Failure> {
    Cluster::check_name(&args.name).map_err(|error| Failure::new(Exit::Usage, error))?;
    let topology = plan::settings(&args.overrides(), place)?.plan.topology;
    if topology.kind != TopologyKind::Local {
        let error = anyhow::anyhow!("topology.kind is {}: such a cluster ends with its run", topology.kind);
        return Err(Failure::new(Exit::Config, error)
            .help("`replab config show` tells where that comes from; replab up needs local"));
    }
    let config = Config { state_dir: args.state_dir, name: args.name.clone(), ..topology.local() };
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
