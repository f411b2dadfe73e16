//! What the servers themselves say about who waits for whom, and how far a replica is.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::actor::Actor;
use super::stage::PATIENCE;
use super::{PlayError, Stage};
use crate::anomaly::Placement;
use crate::lsn::Lsn;
use crate::pg::{PgError, Session, probe};

/// Between two looks.
pub(super) const POLL: Duration = Duration::from_millis(1);

/// Who is waited for where it is no session of the case.
pub(super) const STANDBY: &str = "a standby";

impl Stage {
    /// The sessions of `cast` with an unanswered step that wait for others of `cast`, by name. While commits are `held`, also
    /// those that wait for a standby: otherwise such a wait ends by itself.
    ///
    /// What a session of somebody else's holds up (an autovacuum) is no wait of the case's, and passes.
    pub(super) async fn waits(
        &self,
        cast: &[Actor],
        held: bool,
    ) -> Result<BTreeMap<String, Vec<String>>, PgError> {
        let mut waits = BTreeMap::new();
        let nodes = [(Placement::Primary, Some(&self.monitor)), (Placement::Replica, self.lookout.as_ref())];
        for (on, monitor) in nodes {
            let here: Vec<&Actor> = cast.iter().filter(|actor| actor.on == on).collect();
            let Some(monitor) = monitor.filter(|_| here.iter().any(|actor| actor.pending.is_some())) else {
                continue;
            };
            let name = |pid: &str| {
                let of = |actor: &&&Actor| actor.session.backend_pid().to_string() == pid;
                here.iter().find(of).map(|actor| actor.name.clone())
            };
            let pending = here.iter().filter(|actor| actor.pending.is_some());
            let pids: Vec<String> = pending.map(|actor| actor.session.backend_pid().to_string()).collect();
            let sql = format!(
                "SELECT pid, coalesce(wait_event, ''), array_to_string(pg_blocking_pids(pid) || \
                 pg_safe_snapshot_blocking_pids(pid), ',') FROM pg_stat_activity \
                 WHERE pid = ANY ('{{{}}}') AND state = 'active'",
                pids.join(",")
            );
            for row in monitor.simple_query_rows(&sql).await? {
                let [Some(pid), Some(event), Some(blockers)] = &row[..] else { continue };
                let mut others: BTreeSet<String> = blockers.split(',').filter_map(name).collect();
                if held && event == "SyncRep" {
                    others.insert(STANDBY.to_owned());
                }
                if let Some(name) = name(pid).filter(|_| !others.is_empty()) {
                    waits.insert(name, others.into_iter().collect());
                }
            }
        }
        Ok(waits)
    }

    /// Waits until the replica has replayed whatever was committed on the primary before.
    pub(super) async fn replayed(&self, case: &str) -> Result<(), PlayError> {
        let Some(lookout) = &self.lookout else { return Ok(()) };
        let what = "the replica has replayed what the primary had written";
        let replay = async {
            // The position behind this record, which its commit flushes with everything before it.
            let sql = "SELECT pg_logical_emit_message(true, 'replab', 'anomalies')";
            let row = self.monitor.simple_query_rows(sql).await?.into_iter().flatten().flatten().next();
            let end = row.map(|text| Lsn::parse_optional(&text)).transpose();
            let end = end.map_err(|error| PgError::Mismatch(error.to_string()))?.flatten();
            while probe::replay_lsn(lookout).await? < end {
                sleep(POLL).await;
            }
            Ok(())
        };
        self.within(case, what, replay).await
    }

    /// Waits until the server has none of `pids` any more, and ends those that do not go by themselves.
    pub(super) async fn gone(&self, case: &str, monitor: &Session, pids: &[i32]) -> Result<(), PlayError> {
        let list: Vec<String> = pids.iter().map(i32::to_string).collect();
        let list = list.join(",");
        let gone = async {
            let sql = format!(
                "SELECT pid FROM pg_stat_activity WHERE pid = ANY ('{{{list}}}') AND application_name = 'replab anomalies'"
            );
            for look in 0.. {
                let left = monitor.simple_query_rows(&sql).await?;
                if left.is_empty() {
                    break;
                }
                // A goodbye needs a moment; what still works on a statement never reads it.
                if look == 20 {
                    monitor
                        .simple_query_rows(&sql.replace("SELECT pid", "SELECT pg_terminate_backend(pid)"))
                        .await?;
                }
                sleep(POLL).await;
            }
            Ok(())
        };
        self.within(case, "its sessions have ended", gone).await
    }

    /// The lab's own questions, with the lab's own patience.
    pub(super) async fn within<T>(
        &self,
        case: &str,
        what: &'static str,
        asking: impl Future<Output = Result<T, PgError>>,
    ) -> Result<T, PlayError> {
        match timeout(PATIENCE, asking).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(source)) => Err(PlayError::Ask { case: case.to_owned(), what, source }),
            Err(_) => Err(PlayError::Never { case: case.to_owned(), what, deadline: PATIENCE }),
        }
    }
}
