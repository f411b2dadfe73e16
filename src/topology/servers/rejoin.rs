//! The way back of a node whose log has diverged.

use tokio::time::sleep;

use super::follow::{point, settle_all};
use super::{Server, Servers, Standing, drop_stale_slots, ensure_slot, primary, query_error};
use crate::history::{Condition, NodeName};
use crate::lsn::Lsn;
use crate::pg::{PgError, probe};
use crate::topology::TopologyError;

/// Makes `node` a replica of the primary, whatever it holds: its own end of the log is undone where that can be
/// done, else it is copied anew. Answers how.
pub(in crate::topology) async fn rejoin<C: Servers>(
    cluster: &C,
    node: &C::Server,
) -> Result<String, TopologyError> {
    let primary = primary(cluster)?;
    if node.name() == primary.name() {
        return Err(TopologyError::NothingToCure { node: node.name(), condition: Condition::Diverged });
    }
    if !node.standing().diverged {
        return Ok(format!("it follows {} as it is", primary.name()));
    }
    primary.is_to_answer()?;
    for end in [node, primary] {
        if end.is_cut_off(C::Server::NEEDS) {
            return Err(TopologyError::Impossible { node: end.name(), condition: Condition::Isolated });
        }
    }
    let session = cluster.session(primary, C::Server::PATIENCE).await?;
    // Before the checkpoint, which removes what nobody is known to need.
    ensure_slot(primary, &session, node).await?;
    // The control file of a server that was just promoted still names the old timeline, and that is what a rewind
    // reads (PostgreSQL 15 and older).
    session.batch("CHECKPOINT").await.map_err(query_error(primary, "make a checkpoint"))?;
    node.end().await?;
    let how = match cluster.rewind(node, primary).await {
        Ok(()) => "rewound".to_owned(),
        Err(error) => {
            cluster.clone_again(node, primary).await?;
            format!("a new base backup, as it cannot be rewound: {}", in_a_line(&error))
        }
    };
    point(cluster, node, primary).await?;
    // Until it is seen to.
    node.standing().diverged = true;
    let started = node.revive().await?;
    let follower = cluster.session(node, C::Server::PATIENCE).await?;
    let streams = async {
        while probe::receives_timeline(&follower).await? < cluster.fork().map(|fork| fork.timeline) {
            sleep(C::POLL).await;
        }
        Ok::<_, PgError>(())
    };
    let streams = node.within(streams, Condition::Diverged, true).await?;
    streams.map_err(query_error(node, "look whom it follows"))?;
    drop_stale_slots(cluster, node, &follower).await?;
    follower.close().await;
    session.close().await;
    let timeline = cluster.fork().map_or(1, |fork| fork.timeline);
    *node.standing() = Standing { timeline, ..Standing::follower(primary.name()) };
    // Who receives from it shows now whether it can follow.
    settle_all(cluster).await?;
    Ok(format!("{how}; started as {started}; it follows {}", primary.name()))
}

/// Where the last checkpoint of `node` begins, as `pg_controldata` says it in English.
pub(in crate::topology) fn last_checkpoint(node: NodeName, said: &str) -> Result<Lsn, TopologyError> {
    let line = said.lines().find_map(|line| line.strip_prefix("Latest checkpoint location:"));
    let at = line.and_then(|at| at.trim().parse().ok());
    at.ok_or_else(|| TopologyError::lab(format!("pg_controldata does not name a checkpoint of {node}")))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_pg_controldata_says() {
        let said = "Database cluster state:               shut down\n\
                    Latest checkpoint location:           0/3000028\n\
                    Latest checkpoint's REDO location:    0/3000028\n";
        assert_eq!(last_checkpoint(NodeName::primary(), said).unwrap(), "0/3000028".parse().unwrap());
        let error = last_checkpoint(NodeName::primary(), "").unwrap_err();
        assert!(error.to_string().ends_with("does not name a checkpoint of primary"), "{error}");
    }
}
