//! The way back of a node whose log has diverged.

use std::fs;
use std::path::Path;
use std::time::Duration;

use tokio::time::sleep;

use super::node::{Node, PATIENCE};
use super::standing::Standing;
use super::{Cluster, POLL, query_error, started};
use crate::history::Condition;
use crate::lsn::Lsn;
use crate::pg::probe;
use crate::topology::TopologyError;
use crate::topology::process::Program;

/// A rewind reads the whole control and configuration and the changed blocks; a new copy, everything.
const REWIND_LIMIT: Duration = Duration::from_secs(120);

impl Cluster {
    /// Makes `node` a replica of the primary, whatever it holds: its own end of the log is undone where that can be
    /// done, else it is copied anew. Answers how.
    pub(super) async fn rejoin(&self, node: &Node) -> Result<String, TopologyError> {
        let primary = self.primary()?;
        if node.name == primary.name {
            return Err(TopologyError::NothingToCure { node: node.name, condition: Condition::Diverged });
        }
        if !node.standing().diverged {
            return Ok(format!("it follows {} as it is", primary.name));
        }
        let session = self.session(primary, PATIENCE).await?;
        // The control file of a server that was just promoted still names the old timeline, and that is what a rewind
        // reads (PostgreSQL 15 and older).
        session.batch("CHECKPOINT").await.map_err(query_error(primary, "make a checkpoint"))?;
        self.ensure_slot(primary, &session, node).await?;
        node.end().await?;
        // What rewinds starts the server for a moment, too.
        node.clear_locks_of_zombie().await?;
        let how = match self.rewind(node, primary).await {
            Ok(said) => said,
            Err(error) => {
                self.clone_again(node, primary).await?;
                format!("a new base backup, as it cannot be rewound: {}", in_a_line(&error))
            }
        };
        self.point(node, primary)?;
        let process = node.start().await?;
        let follower = self.session(node, PATIENCE).await?;
        let streams = async {
            while probe::receives_timeline(&follower).await? < self.fork().map(|fork| fork.timeline) {
                sleep(POLL).await;
            }
            Ok(())
        };
        let streams = node.within(streams, Condition::Diverged, true).await?;
        streams.map_err(query_error(node, "look whom it follows"))?;
        self.drop_stale_slots(node, &follower).await?;
        follower.close().await;
        session.close().await;
        let timeline = self.fork().map_or(1, |fork| fork.timeline);
        *node.standing() = Standing { timeline, ..Standing::follower(primary.name) };
        Ok(format!("{how}; {}; it follows {}", started(process), primary.name))
    }

    /// Undoes what `node` has and `primary` has not (manual, "pg_rewind"). A server that was killed is recovered first,
    /// by the same program.
    async fn rewind(&self, node: &Node, primary: &Node) -> Result<String, TopologyError> {
        let program = self.state().binaries.join("pg_rewind");
        let source = format!("{} dbname={}", self.upstream_conninfo(primary), super::settings::SUPERUSER);
        Program::new(program, &self.directory, node.account.as_ref())
            .args(["--source-server", &source, "--target-pgdata"])
            .args([&node.data])
            .run(REWIND_LIMIT)
            .await?;
        Ok("rewound".to_owned())
    }

    /// Throws away what `node` has, and copies the primary.
    async fn clone_again(&self, node: &Node, primary: &Node) -> Result<(), TopologyError> {
        empty(&node.data).map_err(TopologyError::io("empty", &node.data))?;
        self.clone_primary(primary, node).await
    }

    /// Where the last checkpoint of a server that has shut down begins.
    pub(super) async fn shutdown_checkpoint(&self, node: &Node) -> Result<Lsn, TopologyError> {
        let program = self.state().binaries.join("pg_controldata");
        let said = Program::new(program, &self.directory, node.account.as_ref())
            .envs(vec![("LC_ALL", "C".to_owned())])
            .args([Path::new("-D"), &node.data])
            .run(PATIENCE)
            .await?;
        let line = said.lines().find_map(|line| line.strip_prefix("Latest checkpoint location:"));
        let at = line.and_then(|at| at.trim().parse().ok());
        at.ok_or_else(|| {
            TopologyError::lab(format!("pg_controldata does not name a checkpoint of {}", node.name))
        })
    }
}

/// Removes what is in a directory, and leaves the directory.
fn empty(directory: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() && !path.is_symlink() { fs::remove_dir_all(&path)? } else { fs::remove_file(&path)? }
    }
    Ok(())
}

/// How a program ended, and the last that it said.
fn in_a_line(error: &TopologyError) -> String {
    match error {
        TopologyError::Tool { program, why, output } => {
            let said = output.lines().last().map(|line| format!(": {line}")).unwrap_or_default();
            format!("{program}: {why}{said}")
        }
        other => other.to_string().lines().next().unwrap_or_default().to_owned(),
    }
}
