//! What is done to the sessions of a server, and not to the server.

use tokio::time::{sleep, timeout};

use super::{Server, Servers, query_error};
use crate::pg::{PgError, probe};
use crate::topology::TopologyError;

/// Ends the sessions that clients have with a node, once there is one, and waits until they are gone.
pub(in crate::topology) async fn terminate<C: Servers>(
    cluster: &C,
    node: &C::Server,
) -> Result<String, TopologyError> {
    let session = cluster.session(node, C::Server::PATIENCE).await?;
    let done = async {
        let ended = loop {
            let ended = probe::terminate_clients(&session).await?;
            if !ended.is_empty() {
                break ended;
            }
            sleep(C::POLL).await;
        };
        while !probe::clients_among(&session, &ended).await?.is_empty() {
            sleep(C::POLL).await;
        }
        Ok::<_, PgError>(ended.len())
    };
    let nobody = |_| node.no_effect("no client's session was there to be ended, or one did not end");
    let ended = timeout(C::Server::PATIENCE, done).await.map_err(nobody)?;
    let count = ended.map_err(query_error(node, "end the clients' sessions"))?;
    session.close().await;
    Ok(format!("ended {count} sessions; none of them is left"))
}

/// Cancels the commits that wait for a synchronous standby, once there is one. Their clients are told of a success,
/// and warned that nobody else may have it (manual, "synchronous_commit"; `SyncRepWaitForLSN`).
pub(in crate::topology) async fn cancel_sync_wait<C: Servers>(
    cluster: &C,
    node: &C::Server,
) -> Result<String, TopologyError> {
    let session = cluster.session(node, C::Server::PATIENCE).await?;
    let done = async {
        let cancelled = loop {
            let cancelled = probe::cancel_sync_waits(&session).await?;
            if !cancelled.is_empty() {
                break cancelled;
            }
            sleep(C::POLL).await;
        };
        while probe::sync_waits(&session).await?.iter().any(|wait| cancelled.contains(wait)) {
            sleep(C::POLL).await;
        }
        Ok::<_, PgError>(cancelled.len())
    };
    let nobody = |_| node.no_effect("no commit waits for a synchronous standby, or one went on to wait");
    let cancelled = timeout(C::Server::PATIENCE, done).await.map_err(nobody)?;
    let count = cancelled.map_err(query_error(node, "cancel waits"))?;
    session.close().await;
    Ok(format!("cancelled the wait of {count} commits"))
}
