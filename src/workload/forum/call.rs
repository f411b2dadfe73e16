//! One task in the forum: who does it, and the ids that it gives.

use crate::pg::{Done, Failed, Lost, PgError, Session, Stage};
use crate::workload::bench::{Task, Tried};

/// A task that is under way.
#[derive(Debug)]
pub(in crate::workload) struct Call {
    /// The account that does it, or that is changed.
    pub(super) account: String,
    /// The client dies once a row of its own is inserted.
    pub(super) dies: bool,
    stem: String,
    given: u32,
}

impl Call {
    /// `task`, done by or to account number `account`, from 1.
    pub(super) fn new(task: &Task, account: u32) -> Call {
        Call {
            account: format!("account-{account}"),
            dies: task.dies,
            stem: format!("{}-{}", task.client, task.number),
            given: 0,
        }
    }

    /// An id that no attempt of no task has had.
    pub(super) fn id(&mut self) -> String {
        self.given += 1;
        format!("{}-{}", self.stem, self.given)
    }
}

/// What the client leaves behind that dies after its insert was acknowledged: nobody will ever hear of it again.
pub(super) fn died() -> Failed {
    let message = "the client died between two statements".to_owned();
    Failed { stage: Stage::CommitSent, error: PgError::ConnectionLost(Lost { sqlstate: None, message }) }
}

/// Statements before this one have committed by themselves, so whatever the error says, something has happened.
pub(super) fn halfway(error: PgError) -> Failed {
    Failed { stage: Stage::NoBlock, error }
}

/// Ends the open transaction of somebody who has not found the row of `table`.
pub(super) async fn missing(session: &Session, table: &str) -> Failed {
    let error = PgError::Mismatch(format!("a row of {table} is missing"));
    let error = session.rollback().await.err().unwrap_or(error);
    Failed { stage: Stage::BeforeCommit, error }
}

/// The transaction has committed; whether it wrote the one row that it was to write.
pub(super) fn written(done: &Done) -> Result<Tried, Failed> {
    match done.affected {
        1 => Ok(Tried::Done),
        rows => {
            let error = PgError::Mismatch(format!("an UPDATE of one row touched {rows}"));
            Err(Failed { stage: Stage::CommitSent, error })
        }
    }
}
