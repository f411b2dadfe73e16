//! Where the rules put what they find.

use std::collections::BTreeMap;

use super::anomaly::Anomaly;
use super::graph::{Arrow, Kind, Node};
use crate::history::txn::{Key, MopId, TxnId};

/// Auxiliary vertices are numbered from here until all are known.
pub(super) const AUXILIARY: Node = 1 << 28;

/// A counter-example that is no cycle.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Case {
    /// How much there is to look at; the smallest is shown.
    pub weight: u32,
    /// The key.
    pub key: Key,
    /// The micro-operations that show it, the reader's first.
    pub mops: Vec<MopId>,
}

/// How often, and the smallest case.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) count: u64,
    pub(super) case: Option<Case>,
}

impl Tally {
    /// Adds what another one found.
    pub(super) fn add(&mut self, other: Tally) {
        self.count += other.count;
        self.case = [self.case.take(), other.case].into_iter().flatten().min();
    }
}

/// Edges and counter-examples.
#[derive(Debug, Default)]
pub(super) struct Sink {
    pub(super) edges: Vec<(Node, Arrow)>,
    pub(super) auxiliary: u32,
    pub(super) tallies: BTreeMap<Anomaly, Tally>,
}

impl Sink {
    /// `from` comes before `to`; nothing comes before itself.
    pub(super) fn edge(&mut self, from: Node, to: Node, kind: Kind) {
        if from != to {
            self.edges.push((from, Arrow::new(to, kind)));
        }
    }

    /// A new auxiliary vertex.
    pub(super) fn auxiliary(&mut self) -> Node {
        self.auxiliary += 1;
        AUXILIARY + self.auxiliary - 1
    }

    /// Each of `from`, by an edge of its kind, comes before each of `to` but itself; in as many edges as there are
    /// vertices. `to` is sorted.
    pub(super) fn each_to_each(&mut self, from: &[(TxnId, Kind)], to: &[TxnId]) {
        if from.len() * to.len() <= from.len() + to.len() + 1 {
            for &(from, kind) in from {
                to.iter().for_each(|&to| self.edge(from, to, kind));
            }
            return;
        }
        let all = self.auxiliary();
        to.iter().for_each(|&to| self.edges.push((all, Arrow::new(to, Kind::Onward))));
        // Who is on both sides must not come before itself: those before it, and those after it.
        let mut beside: Option<(Vec<Node>, Vec<Node>)> = None;
        for &(from, kind) in from {
            let Ok(place) = to.binary_search(&from) else {
                self.edge(from, all, kind);
                continue;
            };
            let (before, after) =
                beside.get_or_insert_with(|| (self.chain(to.iter()), self.chain(to.iter().rev())));
            if place > 0 {
                let before = before[place - 1];
                self.edges.push((from, Arrow::new(before, kind)));
            }
            if place + 1 < to.len() {
                let after = after[to.len() - place - 2];
                self.edges.push((from, Arrow::new(after, kind)));
            }
        }
    }

    /// Auxiliary vertices, the nth of which leads to the first n + 1 of `to`.
    fn chain<'t>(&mut self, to: impl Iterator<Item = &'t TxnId>) -> Vec<Node> {
        let mut chain: Vec<Node> = Vec::new();
        for &to in to {
            let node = self.auxiliary();
            self.edges.push((node, Arrow::new(to, Kind::Onward)));
            if let Some(&before) = chain.last() {
                self.edges.push((node, Arrow::new(before, Kind::Onward)));
            }
            chain.push(node);
        }
        chain
    }

    /// One more counter-example; `case` is called where it may be the smallest.
    pub(super) fn found(&mut self, anomaly: Anomaly, weight: u32, case: impl FnOnce() -> (Key, Vec<MopId>)) {
        let tally = self.tallies.entry(anomaly).or_default();
        tally.count += 1;
        if tally.case.as_ref().is_none_or(|smallest| weight < smallest.weight) {
            let (key, mops) = case();
            tally.case = Some(Case { weight, key, mops });
        }
    }
}
