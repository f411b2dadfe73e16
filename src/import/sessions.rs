//! Registers and sessions, without times: what other checkers' histories have.

use rustc_hash::{FxHashMap, FxHashSet};

use super::error::{Fault, Place, Result};
use crate::history::txn::{Builder, Seen, Status, TxnId, Txns, Value, Values};
use crate::history::{Nanos, NodeName};

/// What was done to a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Write(Value),
    Read(Option<Value>),
    /// Zero, which is what a register holds at first, unless somebody wrote it.
    ReadZero,
    Unread,
}

/// Transactions in the order of the file, which is that of each session.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    builder: Builder,
    txns: Vec<(u32, Status)>,
    accesses: Vec<(TxnId, Value, Access)>,
    /// The registers into which somebody wrote zero.
    zero: FxHashSet<Value>,
}

impl Sessions {
    pub(super) fn values(&mut self) -> &mut Values {
        self.builder.values()
    }

    /// A transaction of `session` begins.
    pub(super) fn begin(&mut self, session: u32, status: Status, place: Place) -> Result<TxnId> {
        // Each has two events.
        let Some(txn) = u32::try_from(self.txns.len()).ok().filter(|&txn| txn < u32::MAX / 2) else {
            return Fault::at(place, format!("there are more than {} transactions", u32::MAX / 2));
        };
        self.txns.push((session, status));
        Ok(txn)
    }

    pub(super) fn access(&mut self, txn: TxnId, key: Value, access: Access) {
        if access == Access::Write(Value(0)) {
            self.zero.insert(key);
        }
        self.accesses.push((txn, key, access));
    }

    /// All transactions at the same time: all begin before the first one ends.
    pub(super) fn finish(self) -> Result<Txns> {
        let Sessions { mut builder, txns, mut accesses, zero } = self;
        let refused = Fault::refused(Place::START);
        let node = builder.node(NodeName::primary());
        for (event, &(session, _)) in (0..).zip(&txns) {
            builder.invoke(session, node, event, Nanos(0)).map_err(&refused)?;
        }
        let seen = |key: Value, access: Access| match access {
            Access::Write(value) => Seen::Write(value),
            Access::Read(value) => Seen::Read(value),
            Access::ReadZero => Seen::Read(zero.contains(&key).then_some(Value(0))),
            Access::Unread => Seen::Unread,
        };
        // Transactions may be mixed in the file; each one's accesses stay in their order.
        accesses.sort_by_key(|&(txn, ..)| txn);
        let mut rest = accesses.as_slice();
        for (txn, &(_, status)) in (0..).zip(&txns) {
            let (own, others) = rest.split_at(rest.partition_point(|&(of, ..)| of == txn));
            rest = others;
            builder.complete(txn, status, txns.len() as u32 + txn, Nanos(0));
            builder
                .mops(txn, own.iter().map(|&(_, key, access)| (key, seen(key, access))))
                .map_err(&refused)?;
        }
        Ok(builder.finish())
    }
}

/// The transactions of a file that names each by its session and a number.
#[derive(Debug, Default)]
pub(super) struct Named {
    pub(super) sessions: Sessions,
    numbers: FxHashMap<(u32, i64), TxnId>,
}

impl Named {
    /// The transaction of this number, which begins where it is new.
    pub(super) fn txn(&mut self, session: u32, number: i64, status: Status, place: Place) -> Result<TxnId> {
        if let Some(&txn) = self.numbers.get(&(session, number)) {
            return Ok(txn);
        }
        let txn = self.sessions.begin(session, status, place)?;
        self.numbers.insert((session, number), txn);
        Ok(txn)
    }
}
