//! Without a transaction, as where there is none to be had: the reaction is there at once, the total is written if the
//! version is still the one that was read, and who was too slow takes the reaction back. Who dies in between leaves one
//! that nobody counts.

use tokio::join;
use tokio_postgres::Statement;
use tokio_postgres::types::ToSql;

use super::super::call::{Call, died, halfway};
use super::{INSERT, READ, READ_ACCOUNT};
use crate::pg::{Failed, PgError, Session, Stage};
use crate::workload::bench::Tried;

pub(super) const ABOUT: &str = "no transaction: read, insert, write the total if the version is still the same, else \
    delete the reaction and begin again";

const WRITE: &str = "UPDATE thread SET total_reaction = $1, version = $2::bigint + 1, updated_on = now() \
    WHERE id = 'thread-1' AND version = $2";
/// The version is written and not compared.
const UNGUARDED: &str = "UPDATE thread SET total_reaction = $1, version = $2::bigint + 1, updated_on = now() \
    WHERE id = 'thread-1'";
const DELETE: &str = "DELETE FROM reaction WHERE id = $1";

/// The statements on one session.
#[derive(Debug)]
pub(in crate::workload) struct CompareAndSet {
    account: Statement,
    read: Statement,
    insert: Statement,
    write: Statement,
    delete: Statement,
}

impl CompareAndSet {
    /// Without the comparison, if `is_unguarded`.
    pub(in crate::workload::forum) async fn prepare(
        session: &Session,
        is_unguarded: bool,
    ) -> Result<CompareAndSet, PgError> {
        Ok(CompareAndSet {
            account: session.prepare(READ_ACCOUNT).await?,
            read: session.prepare(READ).await?,
            insert: session.prepare(INSERT).await?,
            write: session.prepare(if is_unguarded { UNGUARDED } else { WRITE }).await?,
            delete: session.prepare(DELETE).await?,
        })
    }

    /// One reaction, or the news that somebody was faster. Each statement commits by itself: once the reaction is there,
    /// no error means that nothing has happened.
    pub(in crate::workload::forum) async fn attempt(
        &self,
        session: &Session,
        call: &mut Call,
    ) -> Result<Tried, Failed> {
        let unsent = |error| Failed { stage: Stage::BeforeCommit, error };
        let user: [&(dyn ToSql + Sync); 1] = [&call.account];
        let (thread, account) =
            join!(session.query_one(&self.read, &[]), session.query_one(&self.account, &user));
        let thread = account.and(thread).map_err(unsent)?;
        let (total, version) = (thread.get::<_, i64>(0) + 1, thread.get::<_, i64>(1));
        let id = call.id();
        let inserted = session.execute(&self.insert, &[&id, &call.account]).await;
        inserted.map_err(|error| Failed { stage: Stage::CommitSent, error })?;
        if call.dies {
            return Err(died());
        }
        match session.execute(&self.write, &[&total, &version]).await.map_err(halfway)? {
            0 => {}
            _ => return Ok(Tried::Done),
        }
        match session.execute(&self.delete, &[&id]).await.map_err(halfway)? {
            1 => Ok(Tried::Conflict),
            rows => Err(halfway(PgError::Mismatch(format!("a DELETE of one reaction touched {rows}")))),
        }
    }
}
