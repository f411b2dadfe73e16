//! Multiple objects: account and thread are read, a comment is inserted, and the thread's total is written as the client
//! has reckoned it. The comment is a row of its own and cannot be undone by anybody; the total can.

use tokio_postgres::Statement;

use super::call::{Call, missing, written};
use super::reaction::READ_ACCOUNT;
use crate::isolation::Isolation;
use crate::pg::{Failed, PgError, Session};
use crate::workload::bench::Tried;

const READ: &str = "SELECT total_comment, version FROM thread WHERE id = 'thread-1'";
const INSERT: &str = "INSERT INTO comment (id, thread_id, user_id, content, created_on, version) \
    VALUES ($1, 'thread-1', $2, 'Well said.', now(), 1)";
const WRITE: &str =
    "UPDATE thread SET total_comment = $1, version = $2, updated_on = now() WHERE id = 'thread-1'";

/// The total, and how many there are.
pub(super) const LEFT: &str =
    "SELECT total_comment, (SELECT count(*) FROM comment) FROM thread WHERE id = 'thread-1'";

/// The statements on one session.
#[derive(Debug)]
pub(in crate::workload) struct Comment {
    level: Isolation,
    account: Statement,
    read: Statement,
    insert: Statement,
    write: Statement,
}

/// What it does at `level`, in a few words.
pub(super) fn about(level: Isolation) -> &'static str {
    match level {
        Isolation::ReadCommitted => {
            "insert a comment, write the total that was read + 1; totals undo each other"
        }
        Isolation::RepeatableRead => {
            "insert a comment and write the total at repeatable read, both again after 40001"
        }
        Isolation::Serializable => {
            "insert a comment and write the total at serializable, both again after 40001"
        }
    }
}

impl Comment {
    pub(super) async fn prepare(session: &Session, level: Isolation) -> Result<Comment, PgError> {
        Ok(Comment {
            level,
            account: session.prepare(READ_ACCOUNT).await?,
            read: session.prepare(READ).await?,
            insert: session.prepare(INSERT).await?,
            write: session.prepare(WRITE).await?,
        })
    }

    pub(super) async fn attempt(&self, session: &Session, call: &mut Call) -> Result<Tried, Failed> {
        let [account, thread] =
            session.begin(self.level.begin(), [(&self.account, &[&call.account]), (&self.read, &[])]).await?;
        let (Some(_), Some(thread)) = (account.rows.first(), thread.rows.first()) else {
            return Err(missing(session, "account or thread").await);
        };
        let (total, version) = (thread.get::<_, i64>(0) + 1, thread.get::<_, i64>(1) + 1);
        let id = call.id();
        let [_, done] = session
            .finish([(&self.insert, &[&id, &call.account]), (&self.write, &[&total, &version])])
            .await?;
        written(&done)
    }
}
