//! What a key's list says of who came before whom (Elle, section 4: version order by prefixes).

use super::graph::Kind;
use super::list::{ListKey, UNSEEN};
use super::sink::Sink;
use crate::history::txn::{List, TxnId};

/// Write and read dependencies and anti-dependencies between the list's transactions.
pub(super) fn edges(list: &ListKey<'_>, sink: &mut Sink) {
    let last = list.spine.len() as u32;
    // Elements that were not committed, and garbage, do not take part: they are reported for themselves.
    let writer = |version| list.writer(version).filter(|&txn| list.txns.is_possible(txn));
    let mut before = None;
    for version in 1..=last {
        let Some(txn) = writer(version) else { continue };
        before.inspect(|&before| sink.edge(before, txn, Kind::Ww));
        before = Some(txn);
    }
    let mut unseen: Vec<TxnId> = list.unseen().map(|append| append.txn).collect();
    unseen.dedup();
    let mut at_end: Vec<(TxnId, Kind)> = Vec::new();
    if !unseen.is_empty() {
        at_end.extend(before.map(|txn| (txn, Kind::Ww)));
    }
    for read in &list.reads {
        let List::Prefix(version) = read.list else {
            odd(list, read.txn, read.list, sink);
            continue;
        };
        // Its own appends at the end are not what it learned from others.
        let foreign = (1..=version).rev().find(|&version| list.writer(version) != Some(read.txn));
        let foreign = foreign.unwrap_or(0);
        writer(foreign).inspect(|&txn| sink.edge(txn, read.txn, Kind::Wr));
        if foreign != version {
            continue; // What follows its own append, follows it as a write.
        }
        match (version + 1..=last).find_map(writer) {
            Some(next) => sink.edge(read.txn, next, Kind::Rw),
            None if !unseen.is_empty() => at_end.push((read.txn, Kind::Rw)),
            None => {}
        }
    }
    if !unseen.is_empty() {
        at_end.sort_unstable();
        at_end.dedup();
        sink.each_to_each(&at_end, &unseen);
    }
}

/// A list that does not fit tells at least whose its last element is.
fn odd(list: &ListKey<'_>, reader: TxnId, odd: List, sink: &mut Sink) {
    let last = list.txns.list(list.key, odd).last();
    let version = last.and_then(|&value| list.place(value)).map_or(UNSEEN, |place| place + 1);
    if version != UNSEEN {
        list.writer(version)
            .filter(|&txn| list.txns.is_possible(txn))
            .inspect(|&txn| sink.edge(txn, reader, Kind::Wr));
    }
}
