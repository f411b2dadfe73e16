//! The counter in memory.

use std::time::Duration;

use crate::history::{CounterOp, CounterReply, Table};
use crate::topology::memory::{Session, Write};
use crate::workload::{Answer, digest, lost_connection};

/// How long an answer is under way: the window in which a crash leaves the outcome unknown.
const ANSWER: Duration = Duration::from_millis(1);

pub(super) struct Counter {
    session: Session,
}

impl Counter {
    pub(super) fn new(session: Session) -> Counter {
        Counter { session }
    }

    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    pub(super) async fn invoke(&mut self, op: &CounterOp) -> Answer<CounterReply> {
        if let CounterOp::Increment { key } = *op {
            let done = self.session.commit(|store| {
                let value = store.get(Table::UserCounter, i64::from(key)).ok_or("no such counter")?[0] + 1;
                Ok((
                    vec![Write { table: Table::UserCounter, key: i64::from(key), row: Some(vec![value]) }],
                    value,
                ))
            });
            tokio::time::sleep(ANSWER).await;
            return match done {
                None => Answer::Fail(lost_connection()),
                Some(Err(reason)) => Answer::refused(None, &reason),
                Some(Ok(_)) if !self.session.is_open() => Answer::Info(lost_connection()),
                Some(Ok(value)) => Answer::ok(CounterReply::Incremented { value }),
            };
        }
        tokio::time::sleep(ANSWER).await;
        self.read(op).map_or_else(|| Answer::Fail(lost_connection()), Answer::ok)
    }

    fn read(&self, op: &CounterOp) -> Option<CounterReply> {
        let table = Table::UserCounter;
        Some(match *op {
            CounterOp::Increment { .. } => return None,
            CounterOp::ReadOwn { key, .. } => {
                CounterReply::Value { value: self.session.row(table, i64::from(key))??[0] }
            }
            CounterOp::ReadAll => {
                let rows = &self.session.scan(&[table])?[&table];
                let last = rows.keys().next_back().copied().unwrap_or(0);
                CounterReply::All((1..=last).map(|key| rows.get(&key).map_or(0, |row| row[0])).collect())
            }
            CounterOp::Digest { .. } => {
                CounterReply::Digest(digest::memory(&self.session.scan(&[table])?, table))
            }
        })
    }
}
