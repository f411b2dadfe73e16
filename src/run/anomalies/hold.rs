//! Commits that wait for a standby which does not exist.
//!
//! What a commit looks at is neither the setting that `SHOW` prints nor the file: it is a flag in shared memory, which the
//! checkpointer sets when it reads its configuration again (`SyncRepUpdateSyncStandbysDefined`). So it is a commit that
//! shows that the setting holds, by waiting, and that it is over, by being answered.

use std::sync::Arc;

use tokio::time::sleep;

use super::look::POLL;
use super::stage::PATIENCE;
use super::{PlayError, Stage};
use crate::pg::{Deadlines, PgError, Session};

/// What nobody calls itself.
const NOBODY: &str = "replab_nobody";
/// Commits, and so waits for whatever commits wait for.
const COMMIT: &str = "SET synchronous_commit = on; SELECT pg_logical_emit_message(true, 'replab', 'held')";

/// That commits are held, and how it was before.
#[derive(Debug)]
pub(super) struct Held {
    /// `ALTER SYSTEM`'s own value; `None`: it had none.
    before: Option<String>,
    witness: Arc<Session>,
}

impl Stage {
    /// Has commits wait, and sees that one does. What it changed is in `held` from the moment of the change.
    pub(super) async fn hold(&self, case: &str, held: &mut Option<Held>) -> Result<(), PlayError> {
        if held.is_some() {
            return Ok(());
        }
        let hold = async {
            let deadlines = Deadlines { connect: PATIENCE, statement: PATIENCE };
            let witness = Arc::new(Session::connect(&self.primary, "replab anomalies", deadlines).await?);
            let sql = "SELECT setting FROM pg_file_settings WHERE name = 'synchronous_standby_names' \
                       AND sourcefile LIKE '%postgresql.auto.conf' ORDER BY seqno DESC LIMIT 1";
            let before = self.monitor.simple_query_rows(sql).await?.into_iter().flatten().next().flatten();
            *held = Some(Held { before, witness: Arc::clone(&witness) });
            set(&self.monitor, Some(NOBODY)).await?;
            while !self.is_held(&witness).await? {
                sleep(POLL).await;
            }
            Ok(())
        };
        self.within(case, "commits wait for a standby that does not exist", hold).await
    }

    /// Puts the setting back, and sees that a commit is answered. Where the session that changed it is of no more use, others
    /// are opened: what was changed outlasts a restart of the server, and holds up every commit there.
    pub(super) async fn release(&self, case: &str, held: &mut Option<Held>) -> Result<(), PlayError> {
        let Some(Held { before, witness }) = held.as_ref() else { return Ok(()) };
        let first = restore(&self.monitor, before.as_deref(), witness);
        if self.within(case, "commits wait no longer", first).await.is_err() {
            let again = async {
                loop {
                    let deadlines = Deadlines { connect: PATIENCE, statement: PATIENCE };
                    let session = Session::connect(&self.primary, "replab anomalies", deadlines).await;
                    if let Ok(session) = session
                        && restore(&session, before.as_deref(), &session).await.is_ok()
                    {
                        return Ok(());
                    }
                    sleep(POLL).await;
                }
            };
            let by_hand = "synchronous_standby_names is put back; do it by hand: ALTER SYSTEM RESET \
                           synchronous_standby_names, or SET it to what it was, then SELECT pg_reload_conf()";
            self.within(case, by_hand, again).await?;
        }
        *held = None;
        Ok(())
    }

    /// Whether a commit waits. It is cancelled where it does.
    async fn is_held(&self, witness: &Arc<Session>) -> Result<bool, PgError> {
        let pid = witness.backend_pid();
        let commit = tokio::spawn({
            let witness = Arc::clone(witness);
            async move { witness.batch(COMMIT).await }
        });
        let look = format!("SELECT 1 FROM pg_stat_activity WHERE pid = {pid} AND wait_event = 'SyncRep'");
        let mut waits = false;
        while !commit.is_finished() {
            if !self.monitor.simple_query_rows(&look).await?.is_empty() {
                waits = true;
                self.monitor.batch(&format!("SELECT pg_cancel_backend({pid})")).await?;
            }
            sleep(POLL).await;
        }
        match commit.await {
            Ok(done) => done?,
            Err(error) => return Err(PgError::Mismatch(error.to_string())),
        }
        // A commit that waited only until a real standby had it is answered without a warning.
        let cancelled = witness.take_warnings().iter().any(|notice| notice.sqlstate == "01000");
        Ok(waits && cancelled)
    }
}

async fn restore(session: &Session, before: Option<&str>, witness: &Session) -> Result<(), PgError> {
    set(session, before).await?;
    // Whoever waits while the flag is taken away is woken: this one was answered after it.
    witness.batch(COMMIT).await
}

async fn set(session: &Session, value: Option<&str>) -> Result<(), PgError> {
    let sql = match value {
        Some(value) => {
            format!("ALTER SYSTEM SET synchronous_standby_names = '{}'", value.replace('\'', "''"))
        }
        None => "ALTER SYSTEM RESET synchronous_standby_names".to_owned(),
    };
    session.batch(&sql).await?;
    session.batch("SELECT pg_reload_conf()").await
}
