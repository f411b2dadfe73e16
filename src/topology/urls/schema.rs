//! The run's own schema: nothing else in the database is touched.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{Cluster, DEADLINES, POLL};
use crate::pg::{PgError, Session};
use crate::topology::TopologyError;

/// How long a primary may take to come back for the last statement.
const DROP_LIMIT: Duration = Duration::from_secs(30);

/// A standby that does not answer must not hold up what is nobody's data.
const LOCAL: &str = "SET synchronous_commit = local";

impl Cluster {
    /// Makes the schema, and sees that a client's session is in it: a pooler that drops the session's options would have
    /// the workloads make their tables somewhere else.
    ///
    /// # Errors
    /// [`TopologyError::Unfit`] where it is there already, or the user may not make it.
    pub async fn make_schema(&self) -> Result<(), TopologyError> {
        let schema = &self.config.schema;
        let writer = self.node(*self.primary())?;
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

    /// Drops the schema, unless it is to stay.
    ///
    /// # Errors
    /// [`TopologyError::LeftBehind`], with what to type.
    pub async fn down(self) -> Result<(), TopologyError> {
        if self.config.keep || !self.made.load(Ordering::Acquire) {
            return Ok(());
        }
        let schema = &self.config.schema;
        let end = Instant::now() + DROP_LIMIT;
        loop {
            let error = match self.drop_schema().await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            if Instant::now() >= end {
                let (schema, why) = (schema.clone(), error.to_string());
                return Err(TopologyError::LeftBehind { schema, why });
            }
            // After a failover that replab saw only half of, another node than the one it knows takes writes.
            if let [primary] = self.primaries().await[..] {
                *self.primary() = primary;
            }
            sleep(POLL).await;
        }
    }

    async fn drop_schema(&self) -> Result<(), PgError> {
        let session = self.writer_session().await?;
        session.batch(LOCAL).await?;
        session.batch(&format!("DROP SCHEMA IF EXISTS {} CASCADE", self.config.schema)).await?;
        session.close().await;
        Ok(())
    }
}
