//! What the reads of a bank are compared with.

use std::collections::{BTreeMap, BTreeSet};

use super::{Action, Call, Found, Read};
use crate::history::txn::{Status, Value};

/// What all accounts hold together, and how that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Total {
    /// It was told.
    Given(i64),
    /// So many of the reads that have a total have this one, and none is more frequent; of those that are as frequent, it was
    /// seen first. As it never changes, two reads of different totals show that one of them is wrong, whichever it is.
    Most {
        /// The total.
        total: i128,
        /// Reads that have it.
        of: u64,
        /// Reads that have a total.
        reads: u64,
    },
    /// There are no two reads to compare.
    Untold,
}

impl Total {
    /// What every read should have.
    pub fn expected(self) -> Option<i128> {
        match self {
            Total::Given(total) => Some(i128::from(total)),
            Total::Most { total, .. } => Some(total),
            Total::Untold => None,
        }
    }
}

/// The most frequent of the reads' totals.
pub(super) fn most(totals: impl Iterator<Item = i128>) -> Total {
    // How often, and the place of the first.
    let mut seen: BTreeMap<i128, (u64, u64)> = BTreeMap::new();
    let mut reads = 0;
    for total in totals {
        seen.entry(total).or_insert((0, reads)).0 += 1;
        reads += 1;
    }
    let best = seen.into_iter().max_by_key(|&(_, (count, first))| (count, std::cmp::Reverse(first)));
    match best {
        Some((total, (of, _))) if reads > 1 => Total::Most { total, of, reads },
        _ => Total::Untold,
    }
}

/// The accounts that transfers name, and those that at least half of the reads have.
pub(super) fn accounts(calls: &[Call], reads: &[Read<'_>]) -> BTreeSet<Value> {
    let mut seen: BTreeMap<Value, usize> = BTreeMap::new();
    for read in reads {
        let accounts: BTreeSet<Value> = read.balances.iter().map(|(account, _)| *account).collect();
        accounts.into_iter().for_each(|account| *seen.entry(account).or_default() += 1);
    }
    let often = seen.into_iter().filter(|(_, count)| 2 * count >= reads.len()).map(|(account, _)| account);
    let named = calls.iter().flat_map(|call| match call.action {
        Action::Transfer { from, to, .. } => vec![from, to],
        Action::Read(_) => Vec::new(),
    });
    often.chain(named).collect()
}

/// A transfer between two accounts of just the amount that a total is off by, which may have happened when it was read: one
/// that overlaps the read if there is one, else the last before.
pub(super) fn half(calls: &[Call], found: &Found, total: Total) -> Option<u32> {
    let off = found.total? - total.expected()?;
    let read = &calls[found.call as usize];
    let until = read.completed?;
    let fits = |call: &Call| match call.action {
        Action::Transfer { from, to, amount } => {
            from != to && i128::from(amount).unsigned_abs() == off.unsigned_abs()
        }
        Action::Read(_) => false,
    };
    let overlaps = |call: &Call| call.completed.is_none_or(|completed| completed > read.invoked);
    (0..)
        .zip(calls)
        .filter(|(_, call)| call.status != Status::Fail && call.invoked < until && fits(call))
        .max_by_key(|(_, call)| (overlaps(call), call.invoked))
        .map(|(number, _)| number)
}
