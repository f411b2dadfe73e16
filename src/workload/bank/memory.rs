//! The bank in memory: one transfer after the other.

use std::time::Duration;

use super::{INSUFFICIENT, moved};
use crate::history::{BankOp, BankReply, Table};
use crate::topology::memory::{Session, Store, Write};
use crate::workload::{Answer, digest, lost_connection};

/// How long an answer is under way: the window in which a crash leaves the outcome unknown.
const ANSWER: Duration = Duration::from_millis(1);

const TABLE: Table = Table::BankAccount;

pub(super) struct Bank {
    session: Session,
}

impl Bank {
    pub(super) fn new(session: Session) -> Bank {
        Bank { session }
    }

    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    pub(super) async fn invoke(&mut self, op: &BankOp) -> Answer<BankReply> {
        let BankOp::Transfer { from, to, amount } = *op else {
            let read = self.read(op);
            tokio::time::sleep(ANSWER).await;
            return read.map_or_else(|| Answer::Fail(lost_connection()), Answer::ok);
        };
        let done = self.session.transact(|seen, _| transfer(seen, from, to, amount));
        tokio::time::sleep(ANSWER).await;
        match done {
            None => Answer::Fail(lost_connection()),
            Some(Err(reason)) => Answer::refused(None, &reason),
            Some(Ok(_)) if !self.session.is_open() => Answer::Info(lost_connection()),
            Some(Ok((from, to))) => Answer::ok(BankReply::Transferred { from, to }),
        }
    }

    fn read(&self, op: &BankOp) -> Option<BankReply> {
        let shown = self.session.scan(&[TABLE])?;
        Some(match op {
            BankOp::Digest { .. } => BankReply::Digest(digest::memory(&shown, TABLE)),
            BankOp::Read | BankOp::Audit | BankOp::Transfer { .. } => {
                let row = |(&account, row): (&i64, &Vec<i64>)| Some((account, *row.first()?));
                BankReply::Balances(shown[&TABLE].iter().filter_map(row).collect())
            }
        })
    }
}

/// Reads both balances of what it sees, and writes both, whatever is there by then.
fn transfer(seen: &Store, from: i64, to: i64, amount: i64) -> Result<(Vec<Write>, (i64, i64)), String> {
    let balance = |account| {
        let row = seen.get(TABLE, account).and_then(|row| row.first());
        row.copied().ok_or_else(|| format!("there is no account {account}"))
    };
    let left = moved(balance(from)?, balance(to)?, amount).ok_or(INSUFFICIENT)?;
    let write = |key, balance| Write { table: TABLE, key, row: Some(vec![balance]) };
    Ok((vec![write(from, left.0), write(to, left.1)], left))
}
