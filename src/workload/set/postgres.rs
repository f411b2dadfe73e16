//! The set on PostgreSQL.

use tokio_postgres::Statement;

use crate::history::{SetOp, SetReply};
use crate::pg::{PgError, Session, Stage};
use crate::topology::Role;
use crate::workload::{Answer, digest, prepared, warning};

const INSERT: &str = "INSERT INTO set_element (element) VALUES ($1)";
/// Within a range without gaps an element and its rank grow alike: what is left of one after the other is taken away names
/// the range.
const RANGES: &str = "SELECT min(element), max(element) \
     FROM (SELECT element, element - row_number() OVER (ORDER BY element) AS island FROM set_element) AS ranked \
     GROUP BY island ORDER BY 1";

/// A session; a statement is prepared when it is first needed.
pub(super) struct Set {
    session: Session,
    role: Role,
    insert: Option<Statement>,
    ranges: Option<Statement>,
}

impl Set {
    pub(super) fn new(session: Session, role: Role) -> Set {
        Set { session, role, insert: None, ranges: None }
    }

    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    pub(super) async fn invoke(&mut self, op: &SetOp) -> Answer<SetReply> {
        match *op {
            SetOp::Insert { element } => self.insert(element).await,
            SetOp::Read | SetOp::Last => Answer::read(self.ranges().await),
            SetOp::Digest { table } => {
                Answer::read(digest::table(&self.session, self.role, table).await.map(SetReply::Digest))
            }
        }
    }

    /// One statement is one transaction: when it is sent, its commit is sent.
    async fn insert(&mut self, element: i64) -> Answer<SetReply> {
        let statement = match prepared(&self.session, &mut self.insert, INSERT).await {
            Ok(statement) => statement,
            Err(error) => return Answer::error(Stage::BeforeCommit, &error),
        };
        let done = self.session.execute(statement, &[&element]).await;
        let warning = warning(self.session.take_warnings());
        match done {
            Ok(_) => Answer::Ok { reply: SetReply::Inserted, warning },
            Err(error) => Answer::error(Stage::CommitSent, &error),
        }
    }

    async fn ranges(&mut self) -> Result<SetReply, PgError> {
        let statement = prepared(&self.session, &mut self.ranges, RANGES).await?;
        let rows = self.session.query(statement, &[]).await?;
        Ok(SetReply::Elements(rows.iter().map(|row| (row.get(0), row.get(1))).collect()))
    }
}
