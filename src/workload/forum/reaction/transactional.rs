//! Reaction and total in one transaction: both are there, or neither.

use tokio_postgres::Statement;
use tokio_postgres::types::ToSql;

use super::super::call::{Call, died, halfway, missing, written};
use super::{INSERT, READ, READ_ACCOUNT, Reaction, Recipe, WRITE, repeatable_read, row_lock};
use crate::pg::{Failed, PgError, Session, Stage};
use crate::workload::bench::Tried;

/// Somebody who forgot the lock, the isolation level, and that both belong together.
const UNGUARDED: Recipe = Recipe { about: "", begin: "BEGIN ISOLATION LEVEL READ COMMITTED", read: READ };

/// The statements on one session.
#[derive(Debug)]
pub(in crate::workload) struct Transactional {
    begin: &'static str,
    account: Statement,
    read: Statement,
    insert: Statement,
    write: Statement,
    /// The total is written in a transaction of its own.
    is_split: bool,
}

impl Transactional {
    /// `reaction`; without what makes it safe, if `is_unguarded`.
    pub(in crate::workload::forum) async fn prepare(
        session: &Session,
        reaction: Reaction,
        is_unguarded: bool,
    ) -> Result<Transactional, PgError> {
        let recipe = match reaction {
            _ if is_unguarded => UNGUARDED,
            Reaction::RowLock => row_lock::RECIPE,
            Reaction::RepeatableRead | Reaction::CompareAndSet => repeatable_read::RECIPE,
        };
        Ok(Transactional {
            begin: recipe.begin,
            account: session.prepare(READ_ACCOUNT).await?,
            read: session.prepare(recipe.read).await?,
            insert: session.prepare(INSERT).await?,
            write: session.prepare(WRITE).await?,
            is_split: is_unguarded,
        })
    }

    /// One reaction, or the news that somebody was faster.
    pub(in crate::workload::forum) async fn attempt(
        &self,
        session: &Session,
        call: &mut Call,
    ) -> Result<Tried, Failed> {
        let [thread, account] =
            session.begin(self.begin, [(&self.read, &[]), (&self.account, &[&call.account])]).await?;
        let (Some(thread), Some(_)) = (thread.rows.first(), account.rows.first()) else {
            return Err(missing(session, "account or thread").await);
        };
        let (total, version) = (thread.get::<_, i64>(0) + 1, thread.get::<_, i64>(1) + 1);
        let id = call.id();
        let reaction: [&(dyn ToSql + Sync); 2] = [&id, &call.account];
        let count: [&(dyn ToSql + Sync); 2] = [&total, &version];
        if self.is_split {
            session.finish([(&self.insert, &reaction)]).await?;
            if call.dies {
                return Err(died());
            }
            let [done] =
                session.transaction([(&self.write, &count)]).await.map_err(|failed| halfway(failed.error))?;
            return written(&done);
        }
        if call.dies {
            return Err(self.die(session, &reaction).await);
        }
        let [_, done] = session.finish([(&self.insert, &reaction), (&self.write, &count)]).await?;
        written(&done)
    }

    /// Inserts, and is not heard of again once that was acknowledged.
    async fn die(&self, session: &Session, reaction: &[&(dyn ToSql + Sync)]) -> Failed {
        let error = match session.execute(&self.insert, reaction).await {
            Ok(_) => return died(),
            Err(error) if error.ends_session() => error,
            Err(error) => session.rollback().await.err().unwrap_or(error),
        };
        Failed { stage: Stage::BeforeCommit, error }
    }
}
