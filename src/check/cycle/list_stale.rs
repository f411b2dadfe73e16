//! Reads that miss what had been acknowledged before they began: how many versions behind, and for how long.

use super::anomaly::Anomaly;
use super::list::{ListKey, NOBODY};
use super::sink::Sink;
use crate::history::Nanos;
use crate::history::txn::{List, MopId, Status};

/// How stale one read was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stale {
    /// Which node it read.
    pub node: u16,
    /// How many acknowledged versions it missed.
    pub versions: u32,
    /// How long before it began the first of them had been acknowledged.
    pub age: Nanos,
}

/// Finds the key's stale reads. An append that nobody ever saw counts as one that was missed.
pub(super) fn stale(list: &ListKey<'_>, all: &mut Vec<Stale>, sink: &mut Sink) {
    let acknowledged = |mop: MopId| {
        let txn = (mop != NOBODY).then(|| list.txn(list.txns.mop(mop).0));
        txn.filter(|txn| txn.status == Status::Ok).map_or(u32::MAX, |txn| txn.completed)
    };
    // earliest[v]: when the first of the versions above v was acknowledged.
    let unseen = list.unseen().map(|append| acknowledged(append.mop)).min().unwrap_or(u32::MAX);
    let mut earliest = vec![unseen; list.spine.len() + 1];
    for version in (0..list.spine.len()).rev() {
        earliest[version] = earliest[version + 1].min(acknowledged(list.writers[version]));
    }
    for read in &list.reads {
        let List::Prefix(version) = read.list else { continue };
        let txn = list.txn(read.txn);
        if earliest[version as usize] >= txn.invoked {
            continue;
        }
        let above =
            list.writers[version as usize..].iter().copied().chain(list.unseen().map(|append| append.mop));
        let missed = above.filter(|&mop| acknowledged(mop) < txn.invoked);
        let (mut versions, mut first) = (0u32, NOBODY);
        for mop in missed {
            versions += 1;
            if first == NOBODY || acknowledged(mop) < acknowledged(first) {
                first = mop;
            }
        }
        let age = txn.start.since(list.txn(list.txns.mop(first).0).end);
        all.push(Stale { node: txn.node, versions, age });
        // The one that missed most shows it best.
        sink.found(Anomaly::StaleRead, u32::MAX - versions, || (list.key, vec![read.mop, first]));
    }
}
