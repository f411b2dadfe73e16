//! `replab psql`: a session on a node.

use super::clusters::{Which, endpoint};
use super::console::Console;
use super::{Exit, Failure};
use crate::topology::replace_with_psql;

/// Open psql on a node, the password filled in
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) which: Which,
    /// The node [default: writer, the primary of this moment]
    pub(super) node: Option<String>,
    /// Arguments for psql, such as -c 'SELECT 1'
    #[arg(last = true)]
    pub(super) psql: Vec<String>,
}

/// Becomes psql; returns only if that fails.
pub(super) async fn run(args: Args, console: &Console) -> Result<Exit, Failure> {
    console.refuse_json("psql")?;
    let cluster = args.which.attach()?;
    let endpoint = endpoint(&cluster, args.node.as_deref())?;
    let beside_the_server = cluster.state().binaries.join("psql");
    let psql = if beside_the_server.exists() { beside_the_server } else { "psql".into() };
    let error = replace_with_psql(&psql, &endpoint.conninfo, &args.psql);
    let error = anyhow::Error::new(error).context(format!("start {}", psql.display()));
    Err(Failure::new(Exit::Environment, error)
        .help("install the client (Debian, Ubuntu: apt-get install postgresql-client)"))
}
