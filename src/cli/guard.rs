//! `replab guard`, which replab itself starts: it ends a cluster whose replab was killed.

use std::path::PathBuf;

use super::{Exit, Failure};
use crate::topology::local::stand;

/// Not for people: waits on stdin, and ends the cluster in DIR when that closes
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The cluster's directory
    pub(super) directory: PathBuf,
}

/// Runs the command.
pub(super) async fn run(args: Args) -> Result<Exit, Failure> {
    let stood = tokio::task::spawn_blocking(move || stand(&args.directory)).await;
    let stood = stood.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
    stood.map_err(|error| Failure::new(Exit::Environment, error))?;
    Ok(Exit::Valid)
}
