//! Lists and registers in memory: one transaction after the other.

use std::time::Duration;

use super::Holds;
use crate::history::{Committed, Micro, Observed, TxnOp, TxnReply};
use crate::topology::memory::{Row, Session, Store, Write};
use crate::workload::{Answer, digest, lost_connection};

/// How long an answer is under way: the window in which a crash leaves the outcome unknown.
const ANSWER: Duration = Duration::from_millis(1);

pub(super) struct Transactions {
    session: Session,
    holds: Holds,
}

impl Transactions {
    pub(super) fn new(session: Session, holds: Holds) -> Transactions {
        Transactions { session, holds }
    }

    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    pub(super) async fn invoke(&mut self, op: &TxnOp) -> Answer<TxnReply> {
        if let TxnOp::Digest { table } = *op {
            let read = self.session.scan(&[table]).map(|shown| digest::memory(&shown, table));
            return read.map_or_else(
                || Answer::Fail(lost_connection()),
                |digest| Answer::ok(TxnReply::Digest(digest)),
            );
        }
        let micros = op.micros();
        if micros.iter().all(Micro::is_read) {
            let read = self.read(micros);
            tokio::time::sleep(ANSWER).await;
            return read.map_or_else(|| Answer::Fail(lost_connection()), reply);
        }
        let done = self.session.transact(|seen, store| Ok(self.run(micros, seen, store)));
        tokio::time::sleep(ANSWER).await;
        match done {
            None => Answer::Fail(lost_connection()),
            Some(Err(reason)) => Answer::refused(None, &reason),
            Some(Ok(_)) if !self.session.is_open() => Answer::Info(lost_connection()),
            Some(Ok(reads)) => reply(reads),
        }
    }

    /// What the node shows of the keys, in one snapshot.
    fn read(&self, micros: &[Micro]) -> Option<Vec<Observed>> {
        let table = self.holds.table();
        let shown = self.session.scan(&[table])?;
        let read = |micro: &Micro| match micro {
            Micro::Read(key) => Some(self.observed(shown[&table].get(key))),
            Micro::Append(..) | Micro::Write(..) => None,
        };
        Some(micros.iter().filter_map(read).collect())
    }

    /// Reads `seen` and its own writes, and writes upon `store`.
    fn run(&self, micros: &[Micro], seen: &Store, store: &Store) -> (Vec<Write>, Vec<Observed>) {
        let table = self.holds.table();
        let (mut writes, mut reads): (Vec<Write>, Vec<Observed>) = (Vec::new(), Vec::new());
        for micro in micros {
            let key = micro.key();
            let own = writes.iter().position(|write| write.key == key);
            let current = |from: &Store| match own {
                Some(place) => writes[place].row.clone(),
                None => from.get(table, key).cloned(),
            };
            let row = match *micro {
                Micro::Read(_) => {
                    reads.push(self.observed(current(seen).as_ref()));
                    continue;
                }
                Micro::Append(_, element) => {
                    let mut list = current(store).unwrap_or_default();
                    list.push(element);
                    list
                }
                Micro::Write(_, value) => vec![value],
            };
            match own {
                Some(place) => writes[place].row = Some(row),
                None => writes.push(Write { table, key, row: Some(row) }),
            }
        }
        (writes, reads)
    }

    fn observed(&self, row: Option<&Row>) -> Observed {
        match self.holds {
            Holds::List => Observed::List(row.cloned().unwrap_or_default()),
            Holds::Register => Observed::Register(row.and_then(|row| row.first()).copied()),
        }
    }
}

fn reply(reads: Vec<Observed>) -> Answer<TxnReply> {
    Answer::ok(TxnReply::Committed(Committed { reads, ..Committed::default() }))
}
