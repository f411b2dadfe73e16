//! A single object: an account is read, its name and address are changed in the client, and it is written back with the
//! version after the one that was read. Whoever undoes somebody else's update writes the same version once more, so that
//! the versions together count the updates that are left.

use tokio_postgres::Statement;

use super::call::{Call, missing, written};
use crate::isolation::Isolation;
use crate::pg::{Failed, PgError, Session};
use crate::workload::bench::Tried;

const READ: &str = "SELECT version, username::text, email::text FROM account WHERE id = $1";
const WRITE: &str = "UPDATE account SET username = $2::text, email = $3::text, updated_on = now(), version = $4 \
    WHERE id = $1";

/// Every account began with version 1.
pub(super) const LEFT: &str = "SELECT (sum(version) - count(*))::bigint FROM account";

/// The statements on one session.
#[derive(Debug)]
pub(in crate::workload) struct Update {
    level: Isolation,
    read: Statement,
    write: Statement,
}

/// What it does at `level`, in a few words.
pub(super) fn about(level: Isolation) -> &'static str {
    match level {
        Isolation::ReadCommitted => {
            "read an account, change it in the client, write it back; who writes last undoes the others"
        }
        Isolation::RepeatableRead => {
            "read, change and write back an account at repeatable read, again after 40001"
        }
        Isolation::Serializable => {
            "read, change and write back an account at serializable, again after 40001"
        }
    }
}

impl Update {
    pub(super) async fn prepare(session: &Session, level: Isolation) -> Result<Update, PgError> {
        Ok(Update { level, read: session.prepare(READ).await?, write: session.prepare(WRITE).await? })
    }

    pub(super) async fn attempt(&self, session: &Session, call: &mut Call) -> Result<Tried, Failed> {
        let [found] = session.begin(self.level.begin(), [(&self.read, &[&call.account])]).await?;
        let Some(row) = found.rows.first() else { return Err(missing(session, "account").await) };
        let version = row.get::<_, i64>(0) + 1;
        let id = call.id();
        let (username, email) = (format!("name-{id}"), format!("name-{id}@example.org"));
        let [done] = session.finish([(&self.write, &[&call.account, &username, &email, &version])]).await?;
        written(&done)
    }
}
