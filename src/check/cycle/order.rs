//! The orders beside the data's, in as many edges as there are transactions: each process's own, and real time.

use rustc_hash::FxHashMap;

use super::graph::{Arrow, Kind, Node};
use crate::history::txn::{Status, TxnId, Txns};

/// Each process's acknowledged transactions follow each other.
pub(super) fn sessions(txns: &Txns) -> Vec<(Node, Arrow)> {
    let mut last: FxHashMap<u32, TxnId> = FxHashMap::default();
    let mut edges = Vec::with_capacity(txns.len());
    for (id, txn) in (0..).zip(txns.all()).filter(|(_, txn)| txn.status == Status::Ok) {
        if let Some(before) = last.insert(txn.process, id) {
            edges.push((before, Arrow::new(id, Kind::Session)));
        }
    }
    edges
}

/// What had been acknowledged comes before what was invoked afterwards. Between the two lies a chain of auxiliary vertices
/// from `first` on, one for each moment at which somebody begins after somebody has ended.
pub(super) fn real_time(txns: &Txns, first: Node) -> (Vec<(Node, Arrow)>, u32) {
    let mut ended: Vec<TxnId> = Vec::new();
    let last = txns
        .all()
        .iter()
        .map(|txn| if txn.completed == u32::MAX { txn.invoked } else { txn.completed })
        .max();
    let mut ends_at = vec![TxnId::MAX; last.map_or(0, |last| last as usize + 1)];
    for (id, txn) in (0..).zip(txns.all()).filter(|(_, txn)| txn.status == Status::Ok) {
        ends_at[txn.completed as usize] = id;
    }
    let mut edges = Vec::with_capacity(3 * txns.len());
    let mut moments = 0;
    let mut event = 0;
    for (id, txn) in (0..).zip(txns.all()) {
        while event < txn.invoked as usize {
            if ends_at[event] != TxnId::MAX {
                ended.push(ends_at[event]);
            }
            event += 1;
        }
        if !ended.is_empty() {
            let moment = first + moments;
            moments += 1;
            edges.extend(ended.drain(..).map(|ended| (ended, Arrow::new(moment, Kind::Time))));
            if moments > 1 {
                edges.push((moment - 1, Arrow::new(moment, Kind::Onward)));
            }
        }
        if moments > 0 {
            edges.push((first + moments - 1, Arrow::new(id, Kind::Onward)));
        }
    }
    (edges, moments)
}
