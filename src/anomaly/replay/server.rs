//! What one PostgreSQL server would answer to steps sent one after the other, in memory.
//!
//! At read committed a statement sees what is committed when it is sent, at repeatable read what was committed when its
//! transaction's first one was; and its own transaction's writes. Who writes a row that another transaction has written waits
//! until that one is over; with a snapshot, it is refused where that one committed (40001). Neither is an answer that a
//! history shows, so neither counts as one.

use std::collections::BTreeMap;

use super::{Deed, Turn};
use crate::history::txn::{Key, Mop, Status, TxnId, Txns, Value};
use crate::isolation::Isolation;

/// What each key holds (a register, its last value), and after how many commits it came to that.
type Rows = BTreeMap<Key, (u64, Vec<Value>)>;

/// A transaction that is not over.
#[derive(Default)]
struct Open {
    snapshot: Option<Rows>,
    /// Whether each write replaces what was there.
    writes: Vec<(Key, Value, bool)>,
}

/// Whether every read sees what `txns` has it see, and no step waits, or is refused but of what failed anyway. Not for serializable: what a server
/// refuses there is not known to this one.
pub(super) fn gives(txns: &Txns, turns: &[Turn], level: Isolation) -> bool {
    let mut rows = Rows::new();
    let mut locks: BTreeMap<Key, TxnId> = BTreeMap::new();
    let mut open: BTreeMap<TxnId, Open> = BTreeMap::new();
    let mut commits = 0;
    for turn in turns {
        let own = open.entry(turn.txn).or_default();
        match turn.what {
            Deed::Begin => {}
            Deed::Mop(mop) => {
                let (_, key, what) = txns.mop(mop);
                if level != Isolation::ReadCommitted && own.snapshot.is_none() {
                    own.snapshot = Some(rows.clone());
                }
                let seen = own.snapshot.as_ref().unwrap_or(&rows);
                match what {
                    Mop::Append(value) | Mop::Write(value) => {
                        if *locks.entry(key).or_insert(turn.txn) != turn.txn {
                            return false;
                        }
                        let changed = |rows: &Rows| rows.get(&key).map(|(commit, _)| *commit);
                        if changed(seen) != changed(&rows) {
                            // One that failed may have failed at this.
                            if txns.txn(turn.txn).status == Status::Fail {
                                continue;
                            }
                            return false;
                        }
                        own.writes.push((key, value, matches!(what, Mop::Write(_))));
                    }
                    Mop::List(list) if holds(seen, own, key) != txns.list(key, list) => return false,
                    Mop::Read(value) if holds(seen, own, key).last().copied() != value => return false,
                    Mop::List(_) | Mop::Read(_) | Mop::Unread => {}
                }
            }
            Deed::End => {
                let own = open.remove(&turn.txn).unwrap_or_default();
                locks.retain(|_, owner| *owner != turn.txn);
                if txns.txn(turn.txn).status == Status::Fail {
                    continue;
                }
                commits += 1;
                for (key, value, replaces) in own.writes {
                    let (commit, values) = rows.entry(key).or_default();
                    *commit = commits;
                    wrote(values, value, replaces);
                }
            }
        }
    }
    true
}

fn holds(rows: &Rows, own: &Open, key: Key) -> Vec<Value> {
    let mut values = rows.get(&key).map(|(_, values)| values.clone()).unwrap_or_default();
    for &(_, value, replaces) in own.writes.iter().filter(|(of, ..)| *of == key) {
        wrote(&mut values, value, replaces);
    }
    values
}

fn wrote(values: &mut Vec<Value>, value: Value, replaces: bool) {
    if replaces {
        values.clear();
    }
    values.push(value);
}
