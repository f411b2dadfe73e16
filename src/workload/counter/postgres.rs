//! The counter on PostgreSQL.

use tokio_postgres::Statement;

use crate::history::{CounterOp, CounterReply};
use crate::pg::{PgError, Session, Stage};
use crate::topology::Role;
use crate::workload::{Answer, digest, prepared, warning};

/// In place, and it answers the value: what each client was told can then be compared with what every other one saw.
pub const INCREMENT: &str =
    "UPDATE user_counter SET counter = counter + 1 WHERE user_id = $1 RETURNING counter";
const READ_OWN: &str = "SELECT counter FROM user_counter WHERE user_id = $1";
/// The counter of key k at place k, whatever is missing: a row that has vanished is a counter of 0.
const READ_ALL: &str = "SELECT array_agg(coalesce(counter, 0) ORDER BY key) \
     FROM generate_series(1, (SELECT max(user_id) FROM user_counter)) AS key LEFT JOIN user_counter ON user_id = key";

/// A session; a statement is prepared when it is first needed.
pub(super) struct Counter {
    session: Session,
    role: Role,
    increment: Option<Statement>,
    read_own: Option<Statement>,
    read_all: Option<Statement>,
}

impl Counter {
    pub(super) fn new(session: Session, role: Role) -> Counter {
        Counter { session, role, increment: None, read_own: None, read_all: None }
    }

    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    pub(super) async fn invoke(&mut self, op: &CounterOp) -> Answer<CounterReply> {
        match *op {
            CounterOp::Increment { key } => self.increment(key).await,
            CounterOp::ReadOwn { key, .. } => Answer::read(self.read_own(key).await),
            CounterOp::ReadAll => Answer::read(self.read_all().await),
            CounterOp::Digest { table } => {
                Answer::read(digest::table(&self.session, self.role, table).await.map(CounterReply::Digest))
            }
        }
    }

    /// One statement is one transaction: when it is sent, its commit is sent.
    async fn increment(&mut self, key: i32) -> Answer<CounterReply> {
        let statement = match prepared(&self.session, &mut self.increment, INCREMENT).await {
            Ok(statement) => statement,
            Err(error) => return Answer::error(Stage::BeforeCommit, &error),
        };
        match self.session.query_one(statement, &[&key]).await {
            Ok(row) => {
                let value = i64::from(row.get::<_, i32>(0));
                Answer::Ok {
                    reply: CounterReply::Incremented { value },
                    warning: warning(self.session.take_warnings()),
                }
            }
            Err(error) => Answer::error(Stage::CommitSent, &error),
        }
    }

    async fn read_own(&mut self, key: i32) -> Result<CounterReply, PgError> {
        let statement = prepared(&self.session, &mut self.read_own, READ_OWN).await?;
        let row = self.session.query_one(statement, &[&key]).await?;
        Ok(CounterReply::Value { value: i64::from(row.get::<_, i32>(0)) })
    }

    async fn read_all(&mut self) -> Result<CounterReply, PgError> {
        let statement = prepared(&self.session, &mut self.read_all, READ_ALL).await?;
        let row = self.session.query_one(statement, &[]).await?;
        let counters: Vec<i32> = row.get::<_, Option<Vec<i32>>>(0).unwrap_or_default();
        Ok(CounterReply::All(counters.into_iter().map(i64::from).collect()))
    }
}
