//! The bank on PostgreSQL.

use tokio::join;
use tokio_postgres::Statement;

use super::{INSUFFICIENT, moved};
use crate::history::{BankOp, BankReply};
use crate::isolation::Isolation;
use crate::pg::{Bound, Failed, PgError, Session, Stage, ToSql};
use crate::topology::Role;
use crate::workload::{Answer, digest, warning};

const BALANCE: &str = "SELECT balance FROM bank_account WHERE account = $1";
const WRITE: &str = "UPDATE bank_account SET balance = $2 WHERE account = $1";
/// One statement has one snapshot, at every level.
const ALL: &str = "SELECT account, balance FROM bank_account ORDER BY account";

/// A session; statements are prepared when they are first needed.
pub(super) struct Bank {
    session: Session,
    role: Role,
    level: Isolation,
    transfer: Option<Transfer>,
    all: Option<Statement>,
}

struct Transfer {
    balance: Statement,
    write: Statement,
}

impl Bank {
    pub(super) fn new(session: Session, role: Role, level: Isolation) -> Bank {
        Bank { session, role, level, transfer: None, all: None }
    }

    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    pub(super) async fn invoke(&mut self, op: &BankOp) -> Answer<BankReply> {
        match *op {
            BankOp::Transfer { from, to, amount } => self.transfer(from, to, amount).await,
            BankOp::Read | BankOp::Audit => Answer::read(self.all().await),
            BankOp::Digest { table } => {
                Answer::read(digest::table(&self.session, self.role, table).await.map(BankReply::Digest))
            }
        }
    }

    /// Two round trips, with the client's arithmetic in between.
    async fn transfer(&mut self, from: i64, to: i64, amount: i64) -> Answer<BankReply> {
        let transfer = match self.transfer.take() {
            Some(transfer) => transfer,
            None => match Transfer::prepare(&self.session).await {
                Ok(transfer) => transfer,
                Err(error) => return Answer::error(Stage::BeforeCommit, &error),
            },
        };
        let Transfer { balance, write } = self.transfer.insert(transfer);
        let (session, read): (_, [Bound<'_>; 2]) = (&self.session, [(balance, &[&from]), (balance, &[&to])]);
        let rows = match session.begin(self.level.begin(), read).await {
            Ok(done) => done.map(|done| done.rows.first().map(|row| row.get::<_, i64>(0))),
            Err(Failed { stage, error }) => return Answer::error(stage, &error),
        };
        let left = match rows {
            [Some(from), Some(to)] => moved(from, to, amount),
            _ => {
                let missing = PgError::Mismatch(format!("account {from} or {to} is not there"));
                let ended = session.rollback().await;
                return Answer::error(Stage::BeforeCommit, &ended.err().unwrap_or(missing));
            }
        };
        let Some(left) = left else {
            return match session.rollback().await {
                Ok(()) => Answer::refused(None, INSUFFICIENT),
                Err(error) => Answer::error(Stage::BeforeCommit, &error),
            };
        };
        // In the order of their numbers, so that no two transfers wait for each other.
        let mut writes: [[&(dyn ToSql + Sync); 2]; 2] = [[&from, &left.0], [&to, &left.1]];
        if to < from {
            writes.reverse();
        }
        let done = session.finish([(&*write, writes[0].as_slice()), (&*write, writes[1].as_slice())]).await;
        let warning = warning(session.take_warnings());
        match done {
            Ok(done) if done.iter().all(|done| done.affected == 1) => {
                Answer::Ok { reply: BankReply::Transferred { from: left.0, to: left.1 }, warning }
            }
            Ok(_) => {
                let gone = PgError::Mismatch(format!("not both of {from} and {to} were there to be written"));
                Answer::error(Stage::CommitSent, &gone)
            }
            Err(Failed { stage, error }) => Answer::error(stage, &error),
        }
    }

    async fn all(&mut self) -> Result<BankReply, PgError> {
        let statement = match &self.all {
            Some(statement) => statement,
            None => self.all.insert(self.session.prepare(ALL).await?),
        };
        let rows = self.session.query(statement, &[]).await?;
        Ok(BankReply::Balances(rows.iter().map(|row| (row.get(0), row.get(1))).collect()))
    }
}

impl Transfer {
    async fn prepare(session: &Session) -> Result<Transfer, PgError> {
        let (balance, write) = join!(session.prepare(BALANCE), session.prepare(WRITE));
        Ok(Transfer { balance: balance?, write: write? })
    }
}
