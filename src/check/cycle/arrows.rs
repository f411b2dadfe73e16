//! Counter-examples that are no cycle, as arrows between their transactions: only what the anomaly itself says.

use super::anomaly::{Anomaly, Shape};
use super::explain::{Why, read_write, write_read};
use super::sink::Case;
use crate::history::txn::{Mop, MopId, TxnId, Txns};

/// Why a transaction comes before another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrow {
    /// The earlier one.
    pub from: TxnId,
    /// Why.
    pub why: Why,
    /// The later one.
    pub to: TxnId,
}

/// What of `case` can be drawn as arrows; none where it is all in one transaction.
pub fn arrows(txns: &Txns, anomaly: Anomaly, case: &Case) -> Vec<Arrow> {
    let &[first, second, ..] = case.mops.as_slice() else { return Vec::new() };
    let pair = Pair { txns, case, mops: [first, second], ids: [first, second].map(|mop| txns.mop(mop).0) };
    let [one, other] = pair.ids;
    if one == other {
        return Vec::new();
    }
    let found = match anomaly {
        Anomaly::G1a | Anomaly::G1b | Anomaly::FutureRead => vec![pair.saw(second, first)],
        Anomaly::DirtyUpdate => vec![pair.ww(second, first)],
        Anomaly::LostUpdate => vec![pair.overwritten(one, other), pair.overwritten(other, one)],
        Anomaly::LostWrite => vec![pair.timed(one, other)],
        Anomaly::StaleRead => vec![pair.missed(first, second), pair.timed(other, one)],
        Anomaly::Cycle(Shape::Fractured | Shape::Causal, _) => {
            let seen = write_read(txns, other, one).map(|why| Arrow { from: other, why, to: one });
            vec![pair.missed(first, second), seen]
        }
        Anomaly::ReadYourWrites => vec![pair.missed(first, second), pair.session(other, one)],
        Anomaly::MonotonicWrites => vec![pair.ww(first, second), pair.session(other, one)],
        Anomaly::WritesFollowReads => vec![pair.saw(first, second), pair.session(other, one)],
        Anomaly::MonotonicReads => vec![pair.session(other, one)],
        _ => Vec::new(),
    };
    found.into_iter().flatten().collect()
}

struct Pair<'a> {
    txns: &'a Txns,
    case: &'a Case,
    mops: [MopId; 2],
    ids: [TxnId; 2],
}

impl Pair<'_> {
    fn of(&self, mop: MopId) -> TxnId {
        if mop == self.mops[0] { self.ids[0] } else { self.ids[1] }
    }

    /// Only where the read has the write's value: a register's process may have read a later one.
    fn saw(&self, write: MopId, read: MopId) -> Option<Arrow> {
        let (Mop::Append(value) | Mop::Write(value)) = self.txns.mop(write).2 else { return None };
        let is_seen = match self.txns.mop(read) {
            (_, key, Mop::List(list)) => self.txns.list(key, list).contains(&value),
            (_, _, Mop::Read(seen)) => seen == Some(value),
            _ => false,
        };
        let why = Why::Wr { key: self.case.key, write, read };
        is_seen.then(|| Arrow { from: self.of(write), why, to: self.of(read) })
    }

    fn ww(&self, earlier: MopId, later: MopId) -> Option<Arrow> {
        let why = Why::Ww { key: self.case.key, earlier, later };
        Some(Arrow { from: self.of(earlier), why, to: self.of(later) })
    }

    fn missed(&self, read: MopId, write: MopId) -> Option<Arrow> {
        let why = Why::Rw { key: self.case.key, read, write };
        Some(Arrow { from: self.of(read), why, to: self.of(write) })
    }

    /// What `reader` read, and `writer` replaced; of the case's own key.
    fn overwritten(&self, reader: TxnId, writer: TxnId) -> Option<Arrow> {
        let why = read_write(self.txns, reader, writer, Some(self.case.key))?;
        Some(Arrow { from: reader, why, to: writer })
    }

    fn session(&self, before: TxnId, after: TxnId) -> Option<Arrow> {
        let why = Why::Session { process: self.txns.txn(after).process };
        Some(Arrow { from: before, why, to: after })
    }

    fn timed(&self, before: TxnId, after: TxnId) -> Option<Arrow> {
        let by = self.txns.txn(after).start.since(self.txns.txn(before).end);
        Some(Arrow { from: before, why: Why::RealTime { by }, to: after })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Order, Scope, Witness, analyze};
    use super::*;
    use crate::history::txn::notation::txns;

    /// The arrows of the case of `name` in `text`, as sentences; transactions are called by their numbers.
    fn drawn(text: &str, name: &str) -> Vec<String> {
        let txns = txns(text);
        let found = analyze(&txns, Scope::Whole, Order::RealTime).found;
        let found = found.iter().find(|found| found.anomaly.name() == name).expect("it is there");
        let Some(Witness::Case(case)) = &found.witness else { panic!("no case of {name}") };
        let words = |arrow: &Arrow| {
            let (from, to) = (arrow.from.to_string(), arrow.to.to_string());
            arrow.why.words(&txns, &from, &to)
        };
        arrows(&txns, found.anomaly, case).iter().map(words).collect()
    }

    #[test]
    fn a_case_is_drawn_by_what_it_says() {
        for (text, name, expected) in [
            ("ax1 !; rx1", "G1a", &["1 saw 0's append of 1 to x"][..]),
            ("ax1 ax2; rx1", "G1b", &["1 saw 0's append of 1 to x"]),
            ("rx1 ax1", "future-read", &[]),
            (
                "rx ax1; rx ax2; rx12",
                "lost-update",
                &[
                    "0 read x as [] and did not see 1's append of 2",
                    "1 read x as [] and did not see 0's append of 1",
                ],
            ),
            (
                "0-1 ax1; 5-6 rx",
                "stale-read",
                &[
                    "1 read x as [] and did not see 0's append of 1",
                    "0 was acknowledged 4.00 ms before 1 began",
                ],
            ),
            (
                "0-1 7: ax1; 5-6 7: rx",
                "read-your-writes",
                &["1 read x as [] and did not see 0's append of 1", "process 7 ran 0 before 1"],
            ),
            ("0-1 ax1; 2-3 7: rx1; 5-6 7: rx", "monotonic-reads", &["process 7 ran 1 before 2"]),
            (
                "0-9 ax1 ay1; 0-9 rx1 ry",
                "fractured-read",
                &["1 read y as [] and did not see 0's append of 1", "1 saw 0's append of 1 to x"],
            ),
        ] {
            assert_eq!(drawn(text, name), expected, "{text}");
        }
    }

    #[test]
    fn a_read_of_a_register_that_saw_something_else_saw_nothing_of_the_write() {
        let text = "0-1 wx1; 2-3 7: gx1; 4-5 7: wx2; 6-7 gx2; 8-9 gx1";
        let txns = txns(text);
        let case = |mops: [MopId; 2]| Case { weight: 0, key: 0, mops: mops.into() };
        assert_eq!(arrows(&txns, Anomaly::G1a, &case([3, 0])), []);
        assert_eq!(arrows(&txns, Anomaly::G1a, &case([1, 0])).len(), 1);
    }
}
