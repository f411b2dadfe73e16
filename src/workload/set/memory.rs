//! The set in memory.

use std::time::Duration;

use crate::history::{SetOp, SetReply, Table};
use crate::topology::memory::{Row, Session, Write};
use crate::workload::{Answer, digest, lost_connection};

/// How long an answer is under way: the window in which a crash leaves the outcome unknown.
const ANSWER: Duration = Duration::from_millis(1);

const TABLE: Table = Table::SetElement;

pub(super) struct Set {
    session: Session,
}

impl Set {
    pub(super) fn new(session: Session) -> Set {
        Set { session }
    }

    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    pub(super) async fn invoke(&mut self, op: &SetOp) -> Answer<SetReply> {
        let SetOp::Insert { element } = *op else {
            let read = self.read(op);
            tokio::time::sleep(ANSWER).await;
            return read.map_or_else(|| Answer::Fail(lost_connection()), Answer::ok);
        };
        let write = || Write { table: TABLE, key: element, row: Some(Row::new()) };
        let done = self.session.commit(|_| Ok((vec![write()], ())));
        tokio::time::sleep(ANSWER).await;
        match done {
            None => Answer::Fail(lost_connection()),
            Some(Err(reason)) => Answer::refused(None, &reason),
            Some(Ok(())) if !self.session.is_open() => Answer::Info(lost_connection()),
            Some(Ok(())) => Answer::ok(SetReply::Inserted),
        }
    }

    fn read(&self, op: &SetOp) -> Option<SetReply> {
        let shown = self.session.scan(&[TABLE])?;
        Some(match op {
            SetOp::Digest { .. } => SetReply::Digest(digest::memory(&shown, TABLE)),
            SetOp::Read | SetOp::Last | SetOp::Insert { .. } => {
                SetReply::Elements(ranges(shown[&TABLE].keys().copied()))
            }
        })
    }
}

/// Ascending numbers as ranges without gaps.
fn ranges(elements: impl Iterator<Item = i64>) -> Vec<(i64, i64)> {
    let mut ranges: Vec<(i64, i64)> = Vec::new();
    for element in elements {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == element => *last = element,
            _ => ranges.push((element, element)),
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_one_range() {
        assert_eq!(ranges([1, 2, 3, 5, 7, 8].into_iter()), [(1, 3), (5, 5), (7, 8)]);
        assert_eq!(ranges(std::iter::empty()), []);
    }
}
