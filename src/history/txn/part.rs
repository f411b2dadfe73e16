//! A part of a history, as a history of its own.
//!
//! What is left out never happened: an element whose append is left out is in no list either, and a read of a register that
//! saw a write which is left out is left out, too. So nothing is read in a part that nobody wrote, unless that was so before.
//! What is left stands in the order in which it was: who completed before whom was invoked, and what each list has before
//! what.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use super::{Builder, Key, Mop, MopId, Seen, TxnId, Txns, Value};

/// What stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// Micro-operations, ascending. A transaction of which none stays is left out.
    pub mops: Vec<MopId>,
    /// Elements that nobody appended, and that no list shows any more.
    pub hidden: BTreeSet<(Key, Value)>,
}

/// Cuts parts out of a history.
#[derive(Debug)]
pub struct Parts<'t> {
    txns: &'t Txns,
    writers: FxHashMap<(Key, Value), MopId>,
}

impl Part {
    /// The transactions of which something stays, in the order of their invocation: the part numbers them so, from 0.
    pub fn txns(&self, whole: &Txns) -> Vec<TxnId> {
        let mut ids: Vec<TxnId> = self.mops.iter().map(|&mop| whole.mop(mop).0).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}

impl<'t> Parts<'t> {
    /// Of `txns`.
    pub fn of(txns: &'t Txns) -> Parts<'t> {
        let mut writers = FxHashMap::default();
        for mop in 0..txns.mops() as MopId {
            if let (_, key, Mop::Append(value) | Mop::Write(value)) = txns.mop(mop) {
                writers.entry((key, value)).or_insert(mop);
            }
        }
        Parts { txns, writers }
    }

    /// Whether no transaction wrote `value` to `key`.
    pub fn is_garbage(&self, key: Key, value: Value) -> bool {
        !self.writers.contains_key(&(key, value))
    }

    /// The part without the reads of registers that saw what is left out.
    pub fn closed(&self, part: Part) -> Part {
        let Part { mops, hidden } = part;
        let stays = |&mop: &MopId| match self.txns.mop(mop) {
            (_, key, Mop::Read(Some(value))) => self.is_there(&mops, key, value),
            _ => true,
        };
        let mops = mops.iter().copied().filter(stays).collect();
        Part { mops, hidden }
    }

    /// The part as a history; its events are numbered anew, its times are as they were.
    pub fn cut(&self, part: &Part) -> Txns {
        let whole = self.txns;
        let mops_of: FxHashMap<TxnId, &[MopId]> = part
            .mops
            .chunk_by(|one, other| whole.mop(*one).0 == whole.mop(*other).0)
            .map(|mops| (whole.mop(mops[0]).0, mops))
            .collect();
        let ids = part.txns(whole);
        let mut events: Vec<(u32, bool, TxnId)> = Vec::new();
        for &id in &ids {
            let txn = whole.txn(id);
            events.push((txn.invoked, false, id));
            if txn.completed != u32::MAX {
                events.push((txn.completed, true, id));
            }
        }
        events.sort_unstable();
        let mut builder = Builder::default();
        let number = |id: TxnId| ids.binary_search(&id).map_or(TxnId::MAX, |place| place as TxnId);
        for (event, (_, completes, id)) in (0..).zip(events) {
            let txn = whole.txn(id);
            if completes {
                builder.complete(number(id), txn.status, event, txn.end);
                self.did(&mut builder, number(id), mops_of[&id], part);
            } else {
                let node = builder.node(whole.nodes()[usize::from(txn.node)]);
                builder
                    .invoke(txn.process, node, event, txn.start)
                    .expect("there are no more than in the whole");
            }
        }
        for &id in ids.iter().filter(|&&id| whole.txn(id).completed == u32::MAX) {
            self.did(&mut builder, number(id), mops_of[&id], part);
        }
        builder.finish()
    }

    /// What of a transaction stays.
    fn did(&self, builder: &mut Builder, id: TxnId, mops: &[MopId], part: &Part) {
        let whole = self.txns;
        let mut told: Vec<(Value, Mop, Vec<Value>)> = Vec::new();
        for &mop in mops {
            let (_, key, what) = whole.mop(mop);
            let mut adopt = |value: Value| builder.values().adopt(&whole.values, value);
            let name = adopt(whole.keys[key as usize]);
            let values = match what {
                Mop::Append(value) | Mop::Write(value) => vec![adopt(value)],
                Mop::Read(Some(value)) if self.is_there(&part.mops, key, value) => vec![adopt(value)],
                Mop::Read(Some(_)) => continue,
                Mop::Read(None) | Mop::Unread => Vec::new(),
                Mop::List(list) => {
                    let shown = whole.list(key, list).iter().copied();
                    let shown = shown.filter(|&value| self.is_there(&part.mops, key, value));
                    shown.filter(|&value| !part.hidden.contains(&(key, value))).map(adopt).collect()
                }
            };
            told.push((name, what, values));
        }
        let seen = told.iter().map(|(name, what, values)| {
            let seen = match what {
                Mop::Append(_) => Seen::Append(values[0]),
                Mop::Write(_) => Seen::Write(values[0]),
                Mop::List(_) => Seen::List(values),
                Mop::Read(_) => Seen::Read(values.first().copied()),
                Mop::Unread => Seen::Unread,
            };
            (*name, seen)
        });
        builder.mops(id, seen).expect("there are no more than in the whole");
    }

    /// Whether the write of `value` is among `mops`, or there never was one.
    fn is_there(&self, mops: &[MopId], key: Key, value: Value) -> bool {
        self.writers.get(&(key, value)).is_none_or(|writer| mops.binary_search(writer).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::txn::notation::txns;
    use crate::history::txn::{List, Status};

    /// Each transaction of a part: its process, its node, its events, and what it did.
    fn shown(txns: &Txns) -> Vec<String> {
        let mop = |mop: MopId| {
            let (_, key, what) = txns.mop(mop);
            let name = txns.key_name(key);
            match what {
                Mop::Append(value) => format!("a{name}{}", txns.show(value)),
                Mop::Write(value) => format!("w{name}{}", txns.show(value)),
                Mop::List(list) => {
                    let all: Vec<_> = txns.list(key, list).iter().map(|&value| txns.show(value)).collect();
                    format!("r{name}[{}]", all.join(" "))
                }
                Mop::Read(value) => format!("g{name}{}", value.map_or("-".into(), |value| txns.show(value))),
                Mop::Unread => format!("r{name}?"),
            }
        };
        let one = |id: TxnId| {
            let txn = txns.txn(id);
            let mops: Vec<String> = txns.mops_of(id).map(mop).collect();
            let node = txns.nodes()[usize::from(txn.node)];
            format!(
                "{}@{node} {}-{} {:?} {}",
                txn.process,
                txn.invoked,
                txn.completed,
                txn.status,
                mops.join(" ")
            )
        };
        (0..txns.len() as TxnId).map(one).collect()
    }

    fn part(txns: &Txns, ids: &[TxnId]) -> Part {
        let mut mops: Vec<MopId> = ids.iter().flat_map(|&id| txns.mops_of(id)).collect();
        mops.sort_unstable();
        Part { mops, hidden: BTreeSet::new() }
    }

    #[test]
    fn what_is_left_out_is_in_no_list() {
        let whole = txns(
            "0-9 1: ax1; 1-2 2@replica-1: ax2; 3-4 2@replica-1: rx[2,1,7] ry; 5-6 3: ax3 ?; 7-8 4: ay5 !",
        );
        let parts = Parts::of(&whole);
        let mut kept = part(&whole, &[0, 2, 3]);
        assert_eq!(
            shown(&parts.cut(&kept)),
            ["1@primary 0-5 Ok ax1", "2@replica-1 1-2 Ok rx[1 7] ry[]", "3@primary 3-4 Info ax3"]
        );
        let seven = Value(7);
        let x = whole.mop(0).1;
        assert!(parts.is_garbage(x, seven));
        kept.hidden.insert((x, seven));
        assert_eq!(shown(&parts.cut(&kept))[1], "2@replica-1 1-2 Ok rx[1] ry[]");
        assert_eq!(kept.txns(&whole), [0, 2, 3]);
    }

    #[test]
    fn a_read_of_a_write_that_is_left_out_is_left_out() {
        let whole = txns("wx1; gx1 wx2; gx2 gy; gx");
        let parts = Parts::of(&whole);
        let kept = part(&whole, &[1, 2, 3]);
        assert_eq!(parts.closed(kept.clone()).mops.len(), kept.mops.len() - 1);
        let cut = parts.cut(&kept);
        assert_eq!(cut.mops(), kept.mops.len() - 1);
        assert!(shown(&cut)[0].ends_with("wx2"), "{:?}", shown(&cut));
        assert!(shown(&cut)[2].ends_with("gx-"));
    }

    #[test]
    fn the_whole_is_a_part_of_itself() {
        let whole = txns("0-1 ax1 ay2; 2-3 rx1 ry2; 4-9 ax3 ...; 5-6 rx[1,9]; 7-8 rx[9,1,4] !; 7-8 rx13");
        let parts = Parts::of(&whole);
        let all: Vec<TxnId> = (0..whole.len() as TxnId).collect();
        let cut = parts.cut(&part(&whole, &all));
        assert_eq!(shown(&cut), shown(&whole));
        assert_eq!(cut.txn(2).status, Status::Info);
        assert_eq!(cut.spine(cut.mop(0).1).len(), 2);
        let odd = (0..cut.mops() as MopId).filter(|&mop| matches!(cut.mop(mop).2, Mop::List(List::Odd(_))));
        assert_eq!(odd.count(), 1);
    }
}
