//! A method on one session: its statements are prepared once, its increments done one by one.

use tokio_postgres::Statement;

use super::{Method, Mistake, Recipe};
use crate::pg::{Bound, Done, Failed, PgError, Session, Stage};
use crate::workload::bench::Tried;

/// What is done, with its statements prepared.
#[derive(Debug)]
pub(in crate::workload) struct Prepared {
    recipe: Recipe,
    lock: Option<Statement>,
    read: Option<Statement>,
    write: Statement,
    /// Nobody looks at how many rows were written.
    is_careless: bool,
}

impl Prepared {
    /// Has the statements of `method` parsed.
    pub(in crate::workload) async fn prepare(
        session: &Session,
        method: Method,
        mistake: Option<Mistake>,
    ) -> Result<Prepared, PgError> {
        let recipe = method.recipe(mistake);
        let is_careless = mistake == Some(Mistake::Unguarded);
        Ok(match recipe {
            Recipe::Statement { sql, .. } => {
                Prepared { recipe, lock: None, read: None, write: session.prepare(sql).await?, is_careless }
            }
            Recipe::ReadWrite { lock, read, write, .. } => Prepared {
                recipe,
                lock: match lock {
                    Some(lock) => Some(session.prepare(lock).await?),
                    None => None,
                },
                read: Some(session.prepare(read).await?),
                write: session.prepare(write).await?,
                is_careless,
            },
        })
    }

    /// One increment, or the news that somebody was faster. `slot` is where, if the method has several places.
    pub(in crate::workload) async fn attempt(&self, session: &Session, slot: i32) -> Result<Tried, Failed> {
        let (begin, compares) = match self.recipe {
            Recipe::Statement { has_slot, .. } => return self.statement(session, has_slot, slot).await,
            Recipe::ReadWrite { begin, compares, .. } => (begin, compares),
        };
        let read: Bound<'_> = (self.read.as_ref().unwrap_or(&self.write), &[]);
        let found = match &self.lock {
            Some(lock) => session.begin(begin, [(lock, &[]), read]).await?.into_iter().next_back(),
            None => session.begin(begin, [read]).await?.into_iter().next_back(),
        };
        let Some(row) = found.and_then(|done| done.rows.into_iter().next()) else {
            session.rollback().await.map_err(|error| Failed { stage: Stage::BeforeCommit, error })?;
            return Err(self.missing(Stage::BeforeCommit));
        };
        let (counter, version): (i32, i32) = (row.get(0), row.get(1));
        let counter = counter + 1;
        let [done] = if compares {
            session.finish([(&self.write, &[&counter, &version])]).await?
        } else {
            session.finish([(&self.write, &[&counter])]).await?
        };
        self.is_done(&done, compares)
    }

    async fn statement(&self, session: &Session, has_slot: bool, slot: i32) -> Result<Tried, Failed> {
        let done = if has_slot {
            session.execute(&self.write, &[&slot]).await
        } else {
            session.execute(&self.write, &[]).await
        };
        // One statement is one transaction: when it is sent, its commit is sent.
        let affected = done.map_err(|error| Failed { stage: Stage::CommitSent, error })?;
        self.is_done(&Done { rows: Vec::new(), affected }, false)
    }

    /// The transaction has committed: whether it wrote the row.
    fn is_done(&self, done: &Done, compares: bool) -> Result<Tried, Failed> {
        match done.affected {
            1 => Ok(Tried::Done),
            0 if compares => Ok(Tried::Conflict),
            _ if self.is_careless => Ok(Tried::Done),
            // Nothing was written, which is certain.
            0 => Err(self.missing(Stage::BeforeCommit)),
            _ => Err(self.missing(Stage::CommitSent)),
        }
    }

    fn missing(&self, stage: Stage) -> Failed {
        Failed {
            stage,
            error: PgError::Mismatch("the counter's row is missing, or there are several".to_owned()),
        }
    }
}
