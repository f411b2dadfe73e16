//! Anti-dependencies that refute models weaker than snapshot isolation: causal consistency and atomic reads.
//!
//! A reader missed a version whose writer it had nevertheless heard of: it read something else of that writer (fractured
//! read), or that writer lies in its past by reads and sessions (causality violation). In the terms of Cerone, Bernardi and
//! Gotsman (CONCUR 2015): `RW; WR` and `RW; (SO ∪ WR)+` lead back to the reader, `RW` to every later writer of the key.

use super::analysis::Witness;
use super::anomaly::Shape;
use super::budget::Budget;
use super::component::components;
use super::graph::{Graph, Kind, Kinds, Node};
use super::keyed::{Keyed, Scope};
use super::knot::Knot;
use super::list::ListKey;
use super::reach::{Closing, closing};
use super::register::RegisterKey;
use super::sink::Case;
use crate::history::txn::{Key, List, Mop, MopId, TxnId, Txns};

/// A read, and the writer of a later version that its transaction had heard of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Missed {
    pub(super) read: MopId,
    pub(super) reader: TxnId,
    pub(super) writer: TxnId,
    pub(super) shape: Shape,
}

impl Missed {
    /// The read, and an append of the writer that it missed.
    pub(super) fn witness(&self, txns: &Txns) -> Witness {
        let (_, key, _) = txns.mop(self.read);
        let wrote =
            |mop: &MopId| matches!(txns.mop(*mop), (_, of, Mop::Append(_) | Mop::Write(_)) if of == key);
        let write = txns.mops_of(self.writer).find(wrote);
        let mops = std::iter::once(self.read).chain(write).collect();
        Witness::Case(Case { weight: 0, key, mops })
    }
}

/// What was missed, and whether all of it was looked at.
pub(super) fn missed(
    txns: &Txns,
    keyed: &Keyed,
    scope: Scope,
    knot: &Knot,
    readers: &[Node],
    budget: &mut Budget,
) -> (Vec<Missed>, bool) {
    let pairs = pairs(txns, keyed, scope, knot, readers);
    let heard = Kinds::of(&[Kind::Wr, Kind::Session]);
    let order = components(&knot.graph, heard);
    let edges: Vec<(Node, Node)> = pairs.iter().map(|pair| (pair.reader, pair.writer)).collect();
    let within = Closing { graph: &knot.graph, kinds: heard, order: &order, sure: &|_, _| false };
    let closes = closing(&within, &edges, budget);
    let is_whole = !closes.contains(&None);
    let mut missed: Vec<Missed> = Vec::new();
    for (pair, closes) in pairs.iter().zip(closes) {
        if closes != Some(true) {
            continue;
        }
        let shape =
            if reads_from(&knot.graph, pair.writer, pair.reader) { Shape::Fractured } else { Shape::Causal };
        let (reader, writer) = (knot.node[pair.reader as usize], knot.node[pair.writer as usize]);
        missed.push(Missed { read: pair.read, reader, writer, shape });
    }
    // One a read, the gravest.
    missed.sort_by_key(|one| (one.read, one.shape));
    missed.dedup_by_key(|one| one.read);
    (missed, is_whole)
}

fn reads_from(graph: &Graph, writer: Node, reader: Node) -> bool {
    graph.from(writer).iter().any(|arrow| arrow.to() == reader && arrow.kind() == Kind::Wr)
}

/// A read, and a later writer of its key; both are vertices of the knot.
struct Pair {
    read: MopId,
    reader: Node,
    writer: Node,
}

fn pairs(txns: &Txns, keyed: &Keyed, scope: Scope, knot: &Knot, readers: &[Node]) -> Vec<Pair> {
    let mut reads: Vec<(Key, MopId, Node)> = Vec::new();
    for &reader in readers {
        for mop in txns.mops_of(knot.node[reader as usize]) {
            if let (_, key, Mop::List(List::Prefix(_)) | Mop::Read(_)) = txns.mop(mop) {
                reads.push((key, mop, reader));
            }
        }
    }
    reads.sort_unstable();
    let in_knot = |txn: TxnId| knot.node.binary_search(&txn).ok().map(|node| node as Node);
    let mut list = ListKey::new(txns);
    let mut pairs = Vec::new();
    for of_key in reads.chunk_by(|a, b| a.0 == b.0) {
        let key = of_key[0].0;
        let register = if list.load(key, keyed.of(key), scope) {
            None
        } else {
            RegisterKey::load(txns, key, keyed.of(key), scope)
        };
        for &(_, read, reader) in of_key {
            let later = match (txns.mop(read).2, &register) {
                (Mop::List(List::Prefix(version)), None) => list.after(version),
                (Mop::Read(value), Some(register)) => register.after(value),
                _ => Vec::new(),
            };
            let others = later.into_iter().filter_map(in_knot).filter(|&writer| writer != reader);
            pairs.extend(others.map(|writer| Pair { read, reader, writer }));
        }
    }
    pairs
}
