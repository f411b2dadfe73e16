//! Transactions in as few round trips as they need: one, or one before and one after the client has to think.

use std::pin::pin;

use futures_util::TryStreamExt as _;
use futures_util::future::join_all;
use tokio::join;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, Statement};

use super::{PgError, Session, Stage};

/// A prepared statement with its parameters.
pub type Bound<'a> = (&'a Statement, &'a [&'a (dyn ToSql + Sync)]);

/// What one statement of a transaction that committed did.
#[derive(Debug)]
pub struct Done {
    /// The rows it answered.
    pub rows: Vec<Row>,
    /// The number of rows that it touched.
    pub affected: u64,
}

/// A transaction that was not seen to commit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct Failed {
    /// What may have happened; for [`certainty`](super::certainty).
    pub stage: Stage,
    /// The first error.
    pub error: PgError,
}

impl Session {
    /// Sends `BEGIN`, the statements and `COMMIT` without waiting in between, and waits for all answers. No transaction
    /// stays open, however it ends.
    ///
    /// PostgreSQL answers the `COMMIT` of an aborted transaction with success; the driver drops the tag `ROLLBACK` that
    /// gives it away. So the answer of every statement counts, not that of `COMMIT` alone: one that the server refuses
    /// aborts the block that all of them share, and the commit behind it is a rollback ([`Stage::BeforeCommit`]).
    pub async fn transaction<const N: usize>(&self, statements: [Bound<'_>; N]) -> Result<[Done; N], Failed> {
        self.exactly(Some("BEGIN"), statements, Ends::Commits).await
    }

    /// The same, with another `begin`, of as many statements as there are.
    pub async fn transaction_of(&self, begin: &str, statements: Vec<Bound<'_>>) -> Result<Vec<Done>, Failed> {
        self.trip(Some(begin), statements, Ends::Commits).await
    }

    /// Sends `begin`, such as `BEGIN ISOLATION LEVEL SERIALIZABLE`, and the statements in one round trip, and leaves the
    /// transaction open for [`Session::finish`]. Where a statement is refused, nothing stays open.
    pub async fn begin<const N: usize>(
        &self,
        begin: &str,
        statements: [Bound<'_>; N],
    ) -> Result<[Done; N], Failed> {
        let begun = self.exactly(Some(begin), statements, Ends::StaysOpen).await;
        if begun.as_ref().is_err_and(|failed| !failed.error.ends_session()) {
            self.rollback().await.map_err(|error| Failed { stage: Stage::BeforeCommit, error })?;
        }
        begun
    }

    /// Sends the statements and `COMMIT` in one round trip: the end of what [`Session::begin`] began.
    pub async fn finish<const N: usize>(&self, statements: [Bound<'_>; N]) -> Result<[Done; N], Failed> {
        self.exactly(None, statements, Ends::Commits).await
    }

    /// Ends a transaction, open or aborted, without any effect.
    pub async fn rollback(&self) -> Result<(), PgError> {
        self.batch("ROLLBACK").await
    }

    /// One round trip, whose statements are counted at compile time.
    async fn exactly<const N: usize>(
        &self,
        begin: Option<&str>,
        statements: [Bound<'_>; N],
        ends: Ends,
    ) -> Result<[Done; N], Failed> {
        let done = self.trip(begin, statements.to_vec(), ends).await?;
        <[Done; N]>::try_from(done).map_err(|done| Failed {
            stage: Stage::CommitSent,
            error: PgError::Mismatch(format!("{} answers to {N} statements", done.len())),
        })
    }

    /// One round trip of a transaction.
    async fn trip(
        &self,
        begin: Option<&str>,
        statements: Vec<Bound<'_>>,
        ends: Ends,
    ) -> Result<Vec<Done>, Failed> {
        let command = async |sql: Option<&str>| match sql {
            Some(sql) => self.client.batch_execute(sql).await,
            None => Ok(()),
        };
        let commit = (ends == Ends::Commits).then_some("COMMIT");
        let trip = async {
            let statements = join_all(statements.into_iter().map(|statement| run(&self.client, statement)));
            Ok::<_, tokio_postgres::Error>(join!(command(begin), statements, command(commit)))
        };
        let stage = if commit.is_some() { Stage::CommitSent } else { Stage::BeforeCommit };
        let sent = |error| Failed { stage, error };
        let (begun, done, committed) = self.bounded(trip).await.map_err(sent)?;
        // Without a block the statements commit one by one.
        begun.map_err(|error| Failed { stage: Stage::NoBlock, error: self.explain(&error) })?;
        let done = done.into_iter().collect::<Result<Vec<_>, _>>().map_err(|error| {
            match self.explain(&error) {
                error @ PgError::Sql { .. } => Failed { stage: Stage::BeforeCommit, error },
                // Also a call that the driver refused and never sent: the others may have committed without it.
                error => sent(error),
            }
        })?;
        committed.map_err(|error| sent(self.explain(&error)))?;
        if ends == Ends::Commits {
            self.block_was_open().map_err(|error| Failed { stage: Stage::NoBlock, error })?;
        }
        Ok(done)
    }
}

/// What a round trip leaves behind.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    /// It ends in `COMMIT`.
    Commits,
    /// The transaction goes on.
    StaysOpen,
}

async fn run(client: &Client, (statement, params): Bound<'_>) -> Result<Done, tokio_postgres::Error> {
    let mut answers = pin!(client.query_raw(statement, params.iter().copied()).await?);
    let mut rows = Vec::new();
    while let Some(row) = answers.try_next().await? {
        rows.push(row);
    }
    Ok(Done { rows, affected: answers.rows_affected().unwrap_or(0) })
}
