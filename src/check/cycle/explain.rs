//! Why one transaction comes before another: as data, then in words.

use std::borrow::Cow;

use super::graph::Kind;
use super::witness::Step;
use crate::history::Nanos;
use crate::history::txn::{Key, List, Mop, MopId, TxnId, Txns, Value};

/// Why a transaction comes before another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// `later` appended right after `earlier` to `key`, or overwrote it.
    Ww {
        /// Of what.
        key: Key,
        /// The earlier write.
        earlier: MopId,
        /// The later one.
        later: MopId,
    },
    /// `read` saw what `write` wrote.
    Wr {
        /// Of what.
        key: Key,
        /// The write.
        write: MopId,
        /// The read.
        read: MopId,
    },
    /// `read` did not see what `write` wrote next.
    Rw {
        /// Of what.
        key: Key,
        /// The read.
        read: MopId,
        /// The write.
        write: MopId,
    },
    /// The same process, one after the other.
    Session {
        /// Which.
        process: u32,
    },
    /// One was acknowledged before the other began.
    RealTime {
        /// How long before.
        by: Nanos,
    },
    /// Of a kind that the data does not show again.
    Unexplained,
}

/// Why `step` comes before transaction `next`.
pub(super) fn why(txns: &Txns, step: Step, next: TxnId) -> Why {
    let found = match step.kind {
        Kind::Ww | Kind::TimedWw => write_write(txns, step.txn, next),
        Kind::Wr => write_read(txns, step.txn, next),
        Kind::Rw | Kind::TimedRw => read_write(txns, step.txn, next, None),
        Kind::Session => Some(Why::Session { process: txns.txn(next).process }),
        Kind::Time => Some(Why::RealTime { by: txns.txn(next).start.since(txns.txn(step.txn).end) }),
        Kind::Onward => None,
    };
    found.unwrap_or(Why::Unexplained)
}

/// A transaction's writes: where, which, and the version that each made in its key's order, where that is known.
fn writes(txns: &Txns, txn: TxnId) -> impl Iterator<Item = (MopId, Key, Option<usize>)> {
    txns.mops_of(txn).filter_map(|mop| match txns.mop(mop) {
        (_, key, Mop::Append(value)) => Some((mop, key, place(txns, key, value))),
        (_, key, Mop::Write(_)) => Some((mop, key, None)),
        _ => None,
    })
}

/// A transaction's reads: where, and what each saw; of a register, as of a list, what was last written.
fn reads(txns: &Txns, txn: TxnId) -> impl Iterator<Item = (MopId, Key, Cow<'_, [Value]>)> {
    txns.mops_of(txn).filter_map(|mop| match txns.mop(mop) {
        (_, key, Mop::List(list)) => Some((mop, key, Cow::Borrowed(txns.list(key, list)))),
        (_, key, Mop::Read(value)) => Some((mop, key, Cow::Owned(value.into_iter().collect()))),
        _ => None,
    })
}

fn place(txns: &Txns, key: Key, value: Value) -> Option<usize> {
    txns.spine(key).iter().position(|&other| other == value)
}

fn write_write(txns: &Txns, one: TxnId, other: TxnId) -> Option<Why> {
    let pairs = writes(txns, one).flat_map(|earlier| writes(txns, other).map(move |later| (earlier, later)));
    let ordered = pairs.filter_map(|((earlier, key, first), (later, of, second))| {
        let is_register = matches!(txns.mop(earlier).2, Mop::Write(_));
        let first = first.or(is_register.then_some(0)).filter(|_| of == key)?;
        let distance = second.unwrap_or(usize::MAX).checked_sub(first)?;
        (distance > 0).then_some((distance, Why::Ww { key, earlier, later }))
    });
    ordered.min_by_key(|(distance, _)| *distance).map(|(_, why)| why)
}

/// What `reader` saw of `writer`.
pub(super) fn write_read(txns: &Txns, writer: TxnId, reader: TxnId) -> Option<Why> {
    let pairs = writes(txns, writer).flat_map(|write| reads(txns, reader).map(move |read| (write, read)));
    let seen = pairs.filter_map(|((write, key, _), (read, of, list))| {
        let (Mop::Append(value) | Mop::Write(value)) = txns.mop(write).2 else { return None };
        let from_end = list.iter().rev().position(|&seen| seen == value).filter(|_| of == key)?;
        Some((from_end, Why::Wr { key, write, read }))
    });
    seen.min_by_key(|(from_end, _)| *from_end).map(|(_, why)| why)
}

/// What `reader` missed of `writer`, of `only` where it is given.
pub(super) fn read_write(txns: &Txns, reader: TxnId, writer: TxnId, only: Option<Key>) -> Option<Why> {
    let pairs =
        reads(txns, reader).flat_map(|read| writes(txns, writer).map(move |write| (read.clone(), write)));
    let missed = pairs.filter_map(|((read, key, list), (write, of, version))| {
        let distance = version.unwrap_or(usize::MAX).checked_sub(list.len()).filter(|_| of == key)?;
        (only.is_none_or(|only| only == key)).then_some((distance, Why::Rw { key, read, write }))
    });
    missed.min_by_key(|(distance, _)| *distance).map(|(_, why)| why)
}

/// `[1 2 3]`; of long lists, the end.
pub fn show_list(txns: &Txns, key: Key, list: List) -> String {
    let elements = txns.list(key, list);
    let skipped = elements.len().saturating_sub(SHOWN);
    let shown: Vec<Cow<'_, str>> = elements[skipped..].iter().map(|&value| txns.show(value)).collect();
    match skipped {
        0 => format!("[{}]", shown.join(" ")),
        _ => format!("[{skipped} more, {}]", shown.join(" ")),
    }
}

/// The most elements of a list that are shown.
const SHOWN: usize = 12;

/// A micro-operation in a few words: `append 3 to x`, `read x as [1 2]`.
pub fn show(txns: &Txns, mop: MopId) -> String {
    let (_, key, what) = txns.mop(mop);
    let name = txns.key_name(key);
    match what {
        Mop::Append(value) => format!("append {} to {name}", txns.show(value)),
        Mop::List(list) => format!("read {name} as {}", show_list(txns, key, list)),
        Mop::Write(value) => format!("write {} to {name}", txns.show(value)),
        Mop::Read(Some(value)) => format!("read {name} as {}", txns.show(value)),
        Mop::Read(None) => format!("read {name} as nothing"),
        Mop::Unread => format!("read {name}, unknown what"),
    }
}

impl Why {
    /// The micro-operations that it is about, the earlier transaction's first.
    pub fn mops(&self) -> Option<[MopId; 2]> {
        match *self {
            Why::Ww { earlier, later, .. } => Some([earlier, later]),
            Why::Wr { write, read, .. } => Some([write, read]),
            Why::Rw { read, write, .. } => Some([read, write]),
            Why::Session { .. } | Why::RealTime { .. } | Why::Unexplained => None,
        }
    }

    /// `T2 read T1's append of 3 to x`, where the earlier transaction is called `one` and the later one `other`.
    pub fn words(&self, txns: &Txns, one: &str, other: &str) -> String {
        let value = |mop: MopId| match txns.mop(mop).2 {
            Mop::Append(value) | Mop::Write(value) => txns.show(value).into_owned(),
            _ => String::new(),
        };
        let seen = |mop: MopId| match txns.mop(mop) {
            (_, key, Mop::List(list)) => show_list(txns, key, list),
            (_, _, Mop::Read(Some(value))) => txns.show(value).into_owned(),
            _ => "nothing".to_owned(),
        };
        let is_list = |mop: MopId| matches!(txns.mop(mop).2, Mop::Append(_));
        match *self {
            Why::Ww { key, earlier, later } => {
                let (first, second, key) = (value(earlier), value(later), txns.key_name(key));
                if is_list(later) {
                    format!("{other} appended {second} to {key} after {one} had appended {first}")
                } else {
                    format!("{other} wrote {second} to {key} after {one} had written {first}")
                }
            }
            Why::Wr { key, write, .. } => {
                let what = if is_list(write) { "append" } else { "write" };
                format!("{other} saw {one}'s {what} of {} to {}", value(write), txns.key_name(key))
            }
            Why::Rw { key, read, write } => {
                let what = if is_list(write) { "append" } else { "write" };
                let (read, write, key) = (seen(read), value(write), txns.key_name(key));
                format!("{one} read {key} as {read} and did not see {other}'s {what} of {write}")
            }
            Why::Session { process } => format!("process {process} ran {one} before {other}"),
            Why::RealTime { by } => format!("{one} was acknowledged {by} before {other} began"),
            Why::Unexplained => format!("{one} comes before {other}"),
        }
    }
}
