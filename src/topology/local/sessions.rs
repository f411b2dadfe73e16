//! What is done to the sessions of a server, and not to the server.

use tokio::time::{sleep, timeout};

use super::node::{Node, PATIENCE};
use super::{Cluster, POLL, query_error};
use crate::pg::{PgError, probe};
use crate::topology::TopologyError;

impl Cluster {
    /// Ends the sessions that clients have with a node, once there is one, and waits until they are gone.
    pub(super) async fn terminate(&self, node: &Node) -> Result<String, TopologyError> {
        let session = self.session(node, PATIENCE).await?;
        let done = async {
            let ended = loop {
                let ended = probe::terminate_clients(&session).await?;
                if !ended.is_empty() {
                    break ended;
                }
                sleep(POLL).await;
            };
            while !probe::clients_among(&session, &ended).await?.is_empty() {
                sleep(POLL).await;
            }
            Ok::<_, PgError>(ended.len())
        };
        let nobody = |_| node.no_effect("no client's session was there to be ended, or one did not end");
        let ended = timeout(PATIENCE, done).await.map_err(nobody)?;
        let count = ended.map_err(query_error(node, "end the clients' sessions"))?;
        session.close().await;
        Ok(format!("ended {count} sessions; none of them is left"))
    }

    /// Cancels the commits that wait for a synchronous standby, once there is one. Their clients are told of a success,
    /// and warned that nobody else may have it (manual, "synchronous_commit"; `SyncRepWaitForLSN`).
    pub(super) async fn cancel_sync_wait(&self, node: &Node) -> Result<String, TopologyError> {
        let session = self.session(node, PATIENCE).await?;
        let done = async {
            let cancelled = loop {
                let cancelled = probe::cancel_sync_waits(&session).await?;
                if !cancelled.is_empty() {
                    break cancelled;
                }
                sleep(POLL).await;
            };
            while probe::sync_waits(&session).await?.iter().any(|wait| cancelled.contains(wait)) {
                sleep(POLL).await;
            }
            Ok::<_, PgError>(cancelled.len())
        };
        let nobody = |_| node.no_effect("no commit waits for a synchronous standby, or one went on to wait");
        let cancelled = timeout(PATIENCE, done).await.map_err(nobody)?;
        let count = cancelled.map_err(query_error(node, "cancel waits"))?;
        session.close().await;
        Ok(format!("cancelled the wait of {count} commits"))
    }
}
