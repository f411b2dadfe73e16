//! The part of a graph that is on cycles at all: the vertices that reach themselves, with new numbers.

use super::component::components;
use super::graph::{Arrow, Graph, Kind, Kinds, Node};
use crate::history::txn::{Status, Txn, Txns};

/// Every kind of edge.
const ALL: Kinds =
    Kinds::of(&[Kind::Ww, Kind::Wr, Kind::Rw, Kind::Session, Kind::Time, Kind::TimedWw, Kind::TimedRw]);

/// Vertices on cycles, and the edges that are on one.
#[derive(Debug)]
pub(super) struct Knot {
    pub(super) graph: Graph,
    /// The vertex in the whole graph.
    pub(super) node: Vec<Node>,
}

impl Knot {
    /// Unties the rest. `None`: there is no cycle.
    pub(super) fn of(whole: &Graph) -> Option<Knot> {
        let found = components(whole, ALL);
        let is_cyclic = found.cyclic();
        let node: Vec<Node> = (0..whole.nodes() as Node).filter(|&node| is_cyclic[node as usize]).collect();
        if node.is_empty() {
            return None;
        }
        let mut number = vec![0 as Node; whole.nodes()];
        (0..).zip(&node).for_each(|(new, &old)| number[old as usize] = new);
        let graph = Graph::new(node.len(), |add| {
            for (new, &old) in (0..).zip(&node) {
                for arrow in whole.from(old).iter().filter(|arrow| found.of(arrow.to()) == found.of(old)) {
                    add(new, Arrow::new(number[arrow.to() as usize], arrow.kind()));
                }
            }
        });
        Some(Knot { graph, node })
    }

    /// Whether `one`, or one of those that it passes on to, was acknowledged before `other` was invoked.
    pub(super) fn is_earlier(&self, txns: &Txns, one: Node, other: Node) -> bool {
        let row = |node: Node| txns.all().get(self.node[node as usize] as usize);
        let Some(later) = row(other) else { return false };
        let is_over = |txn: &Txn| txn.status == Status::Ok && txn.completed < later.invoked;
        match row(one) {
            Some(txn) => is_over(txn),
            None => {
                self.graph.from(one).iter().take(PASSED).any(|arrow| row(arrow.to()).is_some_and(is_over))
            }
        }
    }
}

/// How many of those that an auxiliary vertex passes on to are looked at.
const PASSED: usize = 16;
