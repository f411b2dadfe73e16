//! Everything within so many steps of a vertex, nearest first.

use std::collections::VecDeque;

use super::budget::Budget;
use super::graph::{Graph, Kind, Kinds, Node};
use super::walk::{Rule, State};

/// A vertex, and what was walked before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) node: Node,
    pub(super) state: State,
}

impl Place {
    fn number(self) -> usize {
        (2 * self.node + self.state.number()) as usize
    }
}

/// How a place was reached.
#[derive(Clone, Copy, Debug)]
struct Reached {
    /// The search in which it was.
    round: u32,
    depth: u32,
    /// From where, by an edge of which kind; itself at the start.
    from: Place,
    kind: Kind,
    /// Whether its edges were looked at.
    is_done: bool,
}

/// A search by breadth; its memory is used again for the next one.
#[derive(Debug)]
pub(super) struct Spread {
    reached: Vec<Reached>,
    round: u32,
    /// In the order of their distance.
    places: Vec<Place>,
}

impl Spread {
    /// For graphs of up to `pairs / 2` vertices.
    pub(super) fn new(pairs: usize) -> Spread {
        let nowhere = Place { node: 0, state: State::Free };
        let never = Reached { round: 0, depth: 0, from: nowhere, kind: Kind::Onward, is_done: false };
        Spread { reached: vec![never; pairs], round: 0, places: Vec::new() }
    }

    /// Walks from `start`, at most `depth` steps.
    pub(super) fn walk(
        &mut self,
        graph: &Graph,
        start: Place,
        depth: u32,
        rule: Rule,
        kinds: Kinds,
        budget: &mut Budget,
    ) {
        self.search(graph, &[start], depth, kinds, budget, |place, kind| {
            [rule.step(place.state, kind), None]
        });
    }

    /// Walks backwards from each of `ends`: `graph` has its edges turned.
    pub(super) fn walk_back(
        &mut self,
        graph: &Graph,
        ends: &[Place],
        depth: u32,
        rule: Rule,
        kinds: Kinds,
        budget: &mut Budget,
    ) {
        self.search(graph, ends, depth, kinds, budget, |place, kind| {
            State::ALL.map(|before| (rule.step(before, kind) == Some(place.state)).then_some(before))
        });
    }

    fn search(
        &mut self,
        graph: &Graph,
        starts: &[Place],
        depth: u32,
        kinds: Kinds,
        budget: &mut Budget,
        states: impl Fn(Place, Kind) -> [Option<State>; 2],
    ) {
        self.round += 1;
        self.places.clear();
        let mut queue: VecDeque<Place> = VecDeque::new();
        for &start in starts {
            self.reached[start.number()] =
                Reached { round: self.round, depth: 0, from: start, kind: Kind::Onward, is_done: false };
            queue.push_back(start);
        }
        while let Some(place) = queue.pop_front() {
            let at = self.reached[place.number()];
            if at.is_done {
                continue;
            }
            self.reached[place.number()].is_done = true;
            self.places.push(place);
            let arrows = graph.from(place.node);
            if !budget.take(arrows.len() as u64 + 1) {
                return;
            }
            for arrow in arrows.iter().filter(|arrow| kinds.has(arrow.kind())) {
                let kind = arrow.kind();
                let is_onward = kind == Kind::Onward;
                if at.depth >= depth && !is_onward {
                    continue;
                }
                for state in states(place, kind).into_iter().flatten() {
                    let next = Place { node: arrow.to(), state };
                    let length = at.depth + u32::from(!is_onward);
                    let before = self.reached[next.number()];
                    if before.round == self.round && (before.is_done || before.depth <= length) {
                        continue;
                    }
                    self.reached[next.number()] =
                        Reached { round: self.round, depth: length, from: place, kind, is_done: false };
                    // An auxiliary vertex is no step of its own.
                    if is_onward { queue.push_front(next) } else { queue.push_back(next) }
                }
            }
        }
    }

    /// The places within `depth` steps.
    pub(super) fn within(&self, depth: u32) -> &[Place] {
        let end = self.places.partition_point(|place| self.reached[place.number()].depth <= depth);
        &self.places[..end]
    }

    /// The way to `end`: each vertex with the kind of the edge that leaves it; the last one's says nothing.
    pub(super) fn path(&self, end: Place) -> Option<Vec<(Node, Kind)>> {
        let mut path = vec![(end.node, Kind::Onward)];
        let mut place = end;
        loop {
            let reached = self.reached[place.number()];
            if reached.round != self.round {
                return None;
            }
            if reached.from == place {
                path.reverse();
                return Some(path);
            }
            path.push((reached.from.node, reached.kind));
            place = reached.from;
        }
    }
}
