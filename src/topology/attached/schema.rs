//! The run's own schema: nothing else in the database is touched.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::{DEADLINES, LONGEST_PAUSE, Node, Pauses};
use crate::pg::{PgError, Session};
use crate::topology::TopologyError;

/// A standby that does not answer must not hold up what is nobody's data.
const LOCAL: &str = "SET synchronous_commit = local";

/// A schema that is there from [`Schema::make`] to [`Schema::drop`].
#[derive(Debug)]
pub(in crate::topology) struct Schema {
    name: String,
    /// Whether it stays.
    keep: bool,
    /// How long a primary may take to come back for the last statement.
    limit: Duration,
    /// Whether it may be there.
    made: AtomicBool,
}

impl Schema {
    /// `name`: lower-case letters, digits and `_`. Where it is not to stay, a primary that is away is waited for up to `limit`
    /// before it is left behind.
    pub(in crate::topology) fn new(name: &str, keep: bool, limit: Duration) -> Schema {
        Schema { name: name.to_owned(), keep, limit, made: AtomicBool::new(false) }
    }

    /// Makes it on the primary, and sees that a client's session is in it: a pooler that drops the session's options would
    /// have the workloads make their tables somewhere else.
    ///
    /// # Errors
    /// [`TopologyError::Unfit`] where it is there already, or the user may not make it.
    pub(in crate::topology) async fn make(&self, writer: &Node) -> Result<(), TopologyError> {
        let schema = &self.name;
        let database = writer.conninfo.dbname();
        let make = async {
            let session = writer.session().await?;
            session.batch(LOCAL).await?;
            self.made.store(true, Ordering::Release);
            session.batch(&format!("CREATE SCHEMA {schema}")).await?;
            session.close().await;
            Session::connect(&writer.clients, "replab", DEADLINES).await?.close().await;
            Ok(())
        };
        make.await.map_err(|error: PgError| {
            if let PgError::Sql { .. } = error {
                self.made.store(false, Ordering::Release);
            }
            writer.unfit(format!("make the schema {schema} in the database {database}: {error}"))
        })
    }

    /// Drops it, unless it is to stay, on the primary that `writer` finds; it is asked again for every attempt.
    ///
    /// # Errors
    /// [`TopologyError::LeftBehind`], with what to type.
    pub(in crate::topology) async fn drop<'a>(
        &self,
        mut writer: impl AsyncFnMut(bool) -> Option<&'a Node>,
    ) -> Result<(), TopologyError> {
        if self.keep || !self.made.load(Ordering::Acquire) {
            return Ok(());
        }
        let end = Instant::now() + self.limit;
        let mut pauses = Pauses::up_to(LONGEST_PAUSE);
        let mut again = false;
        loop {
            let why = match writer(again).await {
                Some(node) => match self.drop_on(node).await {
                    Ok(()) => return Ok(()),
                    Err(error) => error.to_string(),
                },
                None => "nobody takes writes".to_owned(),
            };
            if Instant::now() >= end {
                return Err(TopologyError::LeftBehind { schema: self.name.clone(), why });
            }
            again = true;
            pauses.pause().await;
        }
    }

    async fn drop_on(&self, writer: &Node) -> Result<(), PgError> {
        let session = writer.session().await?;
        session.batch(LOCAL).await?;
        session.batch(&format!("DROP SCHEMA IF EXISTS {} CASCADE", self.name)).await?;
        session.close().await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_primary_is_waited_for_as_long_as_the_cluster_may_take() {
        for limit in [30, 300].map(Duration::from_secs) {
            let schema = Schema::new("replab_1", false, limit);
            schema.made.store(true, Ordering::Release);
            let begun = Instant::now();
            let left = schema.drop(async |_| None).await;
            assert!(matches!(left, Err(TopologyError::LeftBehind { .. })), "{left:?}");
            assert!(begun.elapsed() >= limit && begun.elapsed() < limit + LONGEST_PAUSE, "{limit:?}");
        }
    }
}
