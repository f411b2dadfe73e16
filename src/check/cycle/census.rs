//! How many dependencies close a cycle, and of which least shape.
//!
//! A write dependency is counted where it closes a cycle of writes (G0), a read dependency where it closes one without
//! anti-dependencies (G1c), an anti-dependency by the least of the cycles that it is on. With another order it is counted
//! again only where the cycle becomes lesser with it. So each count is one of occurrences, of edges, not of components. In
//! how many components they are is counted beside it: cycles in different ones have nothing to do with each other.

use std::collections::{BTreeMap, BTreeSet};

use super::anomaly::{Order, Shape};
use super::budget::Budget;
use super::component::{Components, components, walks};
use super::graph::{Arrow, Graph, Kind, Kinds, Node};
use super::knot::Knot;
use super::reach::{Closing, closing};
use super::walk::{Rule, State};
use crate::history::txn::Txns;

/// Edges that close a cycle of one shape with one order.
#[derive(Clone, Debug, Default)]
pub(super) struct Closers {
    pub(super) count: u64,
    /// The components that they are in.
    pub(super) places: BTreeSet<u32>,
    /// Some of them, for the search for the smallest cycle.
    pub(super) edges: Vec<(Node, Arrow)>,
}

/// The most edges that are kept of one shape with one order.
const KEPT: usize = 1 << 16;

/// All counts.
#[derive(Debug, Default)]
pub(super) struct Census {
    pub(super) closers: BTreeMap<(Shape, Order), Closers>,
    /// Readers whose anti-dependency is the only one of a cycle of data or sessions.
    pub(super) readers: Vec<Node>,
    /// Orders for which it is not known of every anti-dependency whether it is the only one of a cycle.
    pub(super) undecided: Vec<Order>,
}

/// The dependencies that a shape's cycles consist of, and the order's own edges.
pub(super) const fn kinds(shape: Shape, order: Order) -> Kinds {
    let data = match shape {
        Shape::G0 => Kinds::of(&[Kind::Ww]),
        Shape::G1c | Shape::GSingle => Kinds::of(&[Kind::Ww, Kind::Wr]),
        _ => Kinds::of(&[Kind::Ww, Kind::Wr, Kind::Rw]),
    };
    // An anti-dependency begins a walk of the last kind, and is not walked there again.
    let timed = match shape {
        Shape::G0 | Shape::G1c | Shape::GSingle => Kinds::of(&[Kind::Session, Kind::Time, Kind::TimedWw]),
        _ => Kinds::of(&[Kind::Session, Kind::Time, Kind::TimedWw, Kind::TimedRw]),
    };
    match order {
        Order::Data => data,
        Order::Session => data.and(Kinds::of(&[Kind::Session])),
        Order::RealTime => data.and(timed),
    }
}

/// Counts in a graph all of whose vertices are on cycles.
pub(super) fn census(knot: &Knot, txns: &Txns, budget: &mut Budget) -> Census {
    let graph = &knot.graph;
    let mut census = Census::default();
    // By the edge's place: the least shape so far.
    let mut least: Vec<Option<Shape>> = vec![None; graph.edges()];
    for order in Order::ALL {
        let every = kinds(Shape::G2Item, order);
        let all = components(graph, every);
        let writes = components(graph, kinds(Shape::G0, order));
        let reads = components(graph, kinds(Shape::G1c, order));
        let apart = walks(graph, every, Rule::Apart);
        let candidates = apart_edges(graph, every, &all, &apart);
        let sure = |one: Node, other: Node| order == Order::RealTime && knot.is_earlier(txns, one, other);
        let within = Closing { graph, kinds: kinds(Shape::GSingle, order), order: &reads, sure: &sure };
        let single = closing(&within, &candidates, budget);
        if single.contains(&None) {
            census.undecided.push(order);
        }
        let mut candidate = 0;
        for node in 0..graph.nodes() as Node {
            for place in graph.place(node)..graph.place(node + 1) {
                let arrow = graph.arrow(place);
                let to = arrow.to();
                let shape = match arrow.kind() {
                    kind if !every.has(kind) => None,
                    Kind::Ww | Kind::TimedWw => (writes.of(node) == writes.of(to)).then_some(Shape::G0),
                    Kind::Wr => (reads.of(node) == reads.of(to)).then_some(Shape::G1c),
                    Kind::Rw | Kind::TimedRw if all.of(node) != all.of(to) => None,
                    Kind::Rw | Kind::TimedRw if !is_apart(&apart, node, to) => Some(Shape::G2Item),
                    Kind::Rw | Kind::TimedRw => {
                        candidate += 1;
                        Some(if single[candidate - 1] == Some(true) {
                            Shape::GSingle
                        } else {
                            Shape::GNonadjacent
                        })
                    }
                    Kind::Session | Kind::Time | Kind::Onward => None,
                };
                let Some(shape) = shape else { continue };
                let before = &mut least[place as usize];
                if before.is_none_or(|before| shape < before) {
                    *before = Some(shape);
                    let place = match shape {
                        Shape::G0 => writes.of(node),
                        Shape::G1c => reads.of(node),
                        Shape::G2Item => all.of(node),
                        _ => apart.of(2 * node + State::Free.number()),
                    };
                    census.add(shape, order, node, arrow, place);
                }
            }
        }
    }
    for order in Order::ALL {
        prefix(graph, order, &mut least, &mut census);
    }
    census.readers.sort_unstable();
    census.readers.dedup();
    census
}

/// Anti-dependencies on a walk that prefix consistency forbids. They are counted beside their shape: a lesser model than
/// snapshot isolation is refuted by them, and a walk without them may refute snapshot isolation, too.
fn prefix(graph: &Graph, order: Order, least: &mut [Option<Shape>], census: &mut Census) {
    let every = kinds(Shape::Prefix, order);
    let walks = walks(graph, every, Rule::AfterRead);
    for node in 0..graph.nodes() as Node {
        for place in graph.place(node)..graph.place(node + 1) {
            let arrow = graph.arrow(place);
            let before = &mut least[place as usize];
            let may_count = arrow.kind().is_rw() && every.has(arrow.kind()) && *before != Some(Shape::Prefix);
            if may_count && is_apart(&walks, node, arrow.to()) {
                *before = Some(Shape::Prefix);
                census.add(Shape::Prefix, order, node, arrow, walks.of(2 * node + State::Free.number()));
            }
        }
    }
}

impl Census {
    fn add(&mut self, shape: Shape, order: Order, from: Node, arrow: Arrow, place: u32) {
        if shape == Shape::GSingle && order <= Order::Session {
            self.readers.push(from);
        }
        let closers = self.closers.entry((shape, order)).or_default();
        closers.count += 1;
        closers.places.insert(place);
        if closers.edges.len() < KEPT {
            closers.edges.push((from, arrow));
        }
    }
}

/// Whether an anti-dependency is on a closed walk without two of them in a row.
fn is_apart(apart: &Components, from: Node, to: Node) -> bool {
    apart.of(2 * from + State::Free.number()) == apart.of(2 * to + State::Bound.number())
}

fn apart_edges(graph: &Graph, every: Kinds, all: &Components, apart: &Components) -> Vec<(Node, Node)> {
    let mut edges = Vec::new();
    for node in 0..graph.nodes() as Node {
        for arrow in graph.from(node).iter().filter(|arrow| arrow.kind().is_rw() && every.has(arrow.kind())) {
            if all.of(node) == all.of(arrow.to()) && is_apart(apart, node, arrow.to()) {
                edges.push((node, arrow.to()));
            }
        }
    }
    edges
}
