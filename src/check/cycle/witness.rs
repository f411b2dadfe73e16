//! The smallest cycle of a shape.
//!
//! Cycles are looked for by their length, so that the first one that is found is one of the smallest. In real time, one
//! step is enough: of two steps `x₁ < y₁` and `x₂ < y₂` of a cycle, `x₁ < y₂` or `x₂ < y₁` holds, too, and makes it shorter
//! (real time is an interval order; Fishburn, 1970). So such a step is not walked, but found where two searches meet.

use super::anomaly::{Order, Shape};
use super::budget::Budget;
use super::census::{Closers, kinds};
use super::graph::{Arrow, Graph, Kind, Kinds, Node};
use super::knot::Knot;
use super::spread::{Place, Spread};
use super::walk::{Rule, State};
use crate::history::txn::{Status, TxnId, Txns};

/// One step of a cycle: the transaction, and why it comes before the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) txn: TxnId,
    pub(super) kind: Kind,
}

/// A cycle: the last step leads to the first transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cycle {
    pub(super) steps: Vec<Step>,
    /// Whether there is none with fewer steps.
    pub(super) is_smallest: bool,
}

/// Longer ones are taken as they come.
const LONGEST: u32 = 12;

/// Where cycles are looked for.
pub(super) struct Search<'k> {
    txns: &'k Txns,
    knot: &'k Knot,
    backwards: Graph,
    forth: Spread,
    back: Spread,
}

/// Which walks close a cycle.
#[derive(Clone, Copy)]
struct Wanted {
    rule: Rule,
    kinds: Kinds,
    is_timed: bool,
}

impl<'k> Search<'k> {
    pub(super) fn new(txns: &'k Txns, knot: &'k Knot) -> Search<'k> {
        let pairs = 2 * knot.graph.nodes();
        let backwards = knot.graph.reversed();
        Search { txns, knot, backwards, forth: Spread::new(pairs), back: Spread::new(pairs) }
    }

    /// The smallest cycle of `shape` with `order`, that one of `closers` closes.
    pub(super) fn smallest(
        &mut self,
        shape: Shape,
        order: Order,
        closers: &Closers,
        budget: &mut Budget,
    ) -> Option<Cycle> {
        let rule = match shape {
            Shape::G0 | Shape::G1c | Shape::GSingle => Rule::Never,
            Shape::Prefix => Rule::AfterRead,
            Shape::GNonadjacent => Rule::Apart,
            Shape::G2Item => Rule::Anywhere,
            // Those are shown by what was read.
            Shape::Fractured | Shape::Causal => return None,
        };
        let every = kinds(shape, order);
        let is_timed = order == Order::RealTime;
        let kinds = if is_timed { every.without(Kind::Time) } else { every };
        let wanted = Wanted { rule, kinds, is_timed };
        for length in 2..=LONGEST {
            for &(from, arrow) in &closers.edges {
                if budget.is_spent() {
                    break;
                }
                if let Some(steps) = self.of_length(length, from, arrow, wanted, budget) {
                    let is_smallest = !budget.is_spent() && closers.count == closers.edges.len() as u64;
                    return Some(Cycle { steps, is_smallest });
                }
            }
        }
        // Whatever it takes, once: any cycle is better than none.
        let &(from, arrow) = closers.edges.first()?;
        let start = Place { node: arrow.to(), state: start(arrow.kind()) };
        self.forth.walk(&self.knot.graph, start, u32::MAX, rule, every, &mut Budget::new(u64::MAX));
        let path = ends(arrow.kind(), from).find_map(|end| self.forth.path(end))?;
        Some(Cycle { steps: self.steps(from, arrow.kind(), &path), is_smallest: false })
    }

    /// A cycle of exactly `length` steps that begins with the edge.
    fn of_length(
        &mut self,
        length: u32,
        from: Node,
        arrow: Arrow,
        wanted: Wanted,
        budget: &mut Budget,
    ) -> Option<Vec<Step>> {
        let Wanted { rule, kinds, is_timed } = wanted;
        let first = Place { node: arrow.to(), state: start(arrow.kind()) };
        self.forth.walk(&self.knot.graph, first, length - 1, rule, kinds, budget);
        if let Some(path) = ends(arrow.kind(), from).find_map(|end| self.forth.path(end)) {
            return Some(self.steps(from, arrow.kind(), &path));
        }
        if !is_timed {
            return None;
        }
        let last: Vec<Place> = ends(arrow.kind(), from).collect();
        self.back.walk_back(&self.backwards, &last, length - 2, rule, kinds, budget);
        let txn = |place: &Place| {
            let id = self.knot.node[place.node as usize];
            ((id as usize) < self.txns.len()).then(|| *self.txns.txn(id))
        };
        for before in 0..=length - 2 {
            let acknowledged = |place: &&Place| txn(place).is_some_and(|txn| txn.status == Status::Ok);
            let ended = self.forth.within(before).iter().filter(acknowledged);
            let Some(x) = ended.min_by_key(|place| txn(place).map(|txn| txn.completed)) else { continue };
            let begun = self.back.within(length - 2 - before).iter();
            // Real time is a step after which everything may follow.
            let begun = begun.filter(|place| place.state == State::Free && txn(place).is_some());
            let Some(y) = begun.max_by_key(|place| txn(place).map(|txn| txn.invoked)) else { continue };
            let (Some(end), Some(begin)) = (txn(x), txn(y)) else { continue };
            if end.completed < begin.invoked {
                let (x, y) = (*x, *y);
                let mut path = self.forth.path(x)?;
                path.last_mut()?.1 = Kind::Time;
                let mut rest = self.back.path(y)?;
                rest.reverse();
                // Backwards, each vertex's kind is that of the edge which leads to it from the one before.
                let kinds: Vec<Kind> = rest.iter().skip(1).map(|(_, kind)| *kind).collect();
                path.extend(
                    rest.iter()
                        .zip(kinds.into_iter().chain([Kind::Onward]))
                        .map(|(step, kind)| (step.0, kind)),
                );
                return Some(self.steps(from, arrow.kind(), &path));
            }
        }
        None
    }

    /// The steps from `from`, by an edge of `kind`, along `path` (vertices, each with the kind of the edge that leaves it).
    fn steps(&self, from: Node, kind: Kind, path: &[(Node, Kind)]) -> Vec<Step> {
        let all = std::iter::once((from, kind)).chain(path[..path.len() - 1].iter().copied());
        let mut steps: Vec<Step> = Vec::new();
        for (node, kind) in all {
            let id = self.knot.node[node as usize];
            // Auxiliary vertices only pass on.
            if (id as usize) < self.txns.len() {
                steps.push(Step { txn: id, kind });
            }
        }
        steps
    }
}

fn start(kind: Kind) -> State {
    if kind.is_rw() { State::Bound } else { State::Free }
}

/// How a walk may end so that the edge that begins it may follow.
fn ends(kind: Kind, node: Node) -> impl Iterator<Item = Place> {
    let states: &[State] = if kind.is_rw() { &[State::Free] } else { &State::ALL };
    states.iter().map(move |&state| Place { node, state })
}
