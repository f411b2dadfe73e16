//! A replica's WAL receiver and its replay, as its own sessions see them.

use tokio::time::sleep;

use super::follow::starves;
use super::{Server, Servers, query_error};
use crate::history::Condition;
use crate::pg::{PgError, Session, probe};
use crate::topology::TopologyError;

/// The process that receives the log on a replica. A link that is being made anew gets the time for that.
pub(in crate::topology) async fn wal_receiver<C: Servers>(
    cluster: &C,
    node: &C::Server,
) -> Result<i32, TopologyError> {
    let session = cluster.session(node, C::Server::PATIENCE).await?;
    let streams = async {
        loop {
            match probe::wal_receiver(&session).await {
                Ok(None) => sleep(C::POLL).await,
                found => return found,
            }
        }
    };
    let found = tokio::select! {
        found = node.within(streams, Condition::Frozen, false) => found?,
        missing = starves(cluster, node) => return Err(missing),
    };
    let found = found.map_err(query_error(node, "look for the WAL receiver"))?;
    session.close().await;
    found.ok_or_else(|| TopologyError::lab("the WAL receiver was found and is none"))
}

/// Stops the replay of a replica, and waits until it has stopped.
pub(in crate::topology) async fn pause_replay<C: Servers>(
    cluster: &C,
    node: &C::Server,
) -> Result<String, TopologyError> {
    let session = cluster.session(node, C::Server::PATIENCE).await?;
    set_replay::<C>(node, &session, true).await?;
    node.life().lasting.insert(Condition::ReplayPaused);
    let at = probe::replay_lsn(&session).await.map_err(query_error(node, "ask for the position"))?;
    session.close().await;
    Ok(format!("replay is paused at {}", at.map_or_else(|| "the start".to_owned(), |at| at.to_string())))
}

/// Lets the replay of a replica go on; an error if it did not stay paused.
pub(in crate::topology) async fn resume_replay<C: Servers>(
    cluster: &C,
    node: &C::Server,
) -> Result<String, TopologyError> {
    let condition = Condition::ReplayPaused;
    node.is_in(condition)?;
    let session = cluster.session(node, C::Server::PATIENCE).await?;
    let paused = probe::is_replay_paused(&session).await;
    if !paused.map_err(query_error(node, "ask for the replay"))? {
        return Err(node.did_not_hold(condition, "its replay goes on".to_owned()));
    }
    set_replay::<C>(node, &session, false).await?;
    node.life().lasting.remove(&condition);
    session.close().await;
    Ok("replay goes on; it had stayed paused".to_owned())
}

async fn set_replay<C: Servers>(
    node: &C::Server,
    session: &Session,
    pause: bool,
) -> Result<(), TopologyError> {
    let done = async {
        probe::pause_replay(session, pause).await?;
        while probe::is_replay_paused(session).await? != pause {
            sleep(C::POLL).await;
        }
        Ok::<_, PgError>(())
    };
    let done = node.within(done, Condition::ReplayPaused, !pause).await?;
    done.map_err(query_error(node, if pause { "pause the replay" } else { "resume the replay" }))
}
