//! Whether an anti-dependency is the only one of a cycle: whether its end leads back to its beginning without another.

use std::cmp::Ordering;

use super::budget::Budget;
use super::component::Components;
use super::graph::{Graph, Kinds, Node};

/// Where to search.
pub(super) struct Closing<'g> {
    pub(super) graph: &'g Graph,
    /// Edges that may be walked.
    pub(super) kinds: Kinds,
    /// The components of `graph` by these edges: in topological order, so that only what lies between is searched.
    pub(super) order: &'g Components,
    /// Whether one vertex certainly reaches another: what need not be searched.
    pub(super) sure: &'g dyn Fn(Node, Node) -> bool,
}

/// For each of `edges`: whether its end reaches its beginning; `None` where the budget ended before.
pub(super) fn closing(
    within: &Closing<'_>,
    edges: &[(Node, Node)],
    budget: &mut Budget,
) -> Vec<Option<bool>> {
    let mut closes = vec![None; edges.len()];
    // Those with the same end are searched together.
    let mut by_end: Vec<u32> = Vec::new();
    for (number, &(beginning, end)) in (0u32..).zip(edges) {
        let (first, last) = (within.order.of(end), within.order.of(beginning));
        match first.cmp(&last) {
            Ordering::Greater => closes[number as usize] = Some(false),
            Ordering::Equal => closes[number as usize] = Some(true),
            Ordering::Less if (within.sure)(end, beginning) => closes[number as usize] = Some(true),
            Ordering::Less => by_end.push(number),
        }
    }
    by_end.sort_unstable_by_key(|&edge| edges[edge as usize].1);
    let mut seen = Seen { mark: vec![0; within.graph.nodes()], round: 0, queue: Vec::new() };
    for same in by_end.chunk_by(|&a, &b| edges[a as usize].1 == edges[b as usize].1) {
        let end = edges[same[0] as usize].1;
        let beginnings = same.iter().map(|&edge| within.order.of(edges[edge as usize].0));
        let furthest = beginnings.max().unwrap_or(0);
        let wanted = same.iter().map(|&edge| edges[edge as usize].0);
        let is_whole = seen.from(end, furthest, within, wanted.clone(), budget);
        for (&edge, beginning) in same.iter().zip(wanted) {
            let reached = seen.has(beginning);
            closes[edge as usize] = (reached || is_whole).then_some(reached);
        }
        if !is_whole {
            break;
        }
    }
    closes
}

struct Seen {
    /// The round in which each vertex was reached.
    mark: Vec<u32>,
    round: u32,
    queue: Vec<Node>,
}

impl Seen {
    fn has(&self, node: Node) -> bool {
        self.mark[node as usize] == self.round
    }

    /// Marks what `start` reaches, up to component `furthest` and until all of `wanted` are. False: the budget ended before.
    fn from(
        &mut self,
        start: Node,
        furthest: u32,
        within: &Closing<'_>,
        wanted: impl Iterator<Item = Node>,
        budget: &mut Budget,
    ) -> bool {
        self.round += 1;
        self.queue.clear();
        self.queue.push(start);
        self.mark[start as usize] = self.round;
        let mut wanted: Vec<Node> = wanted.collect();
        let mut next = 0;
        while let Some(&node) = self.queue.get(next) {
            next += 1;
            let arrows = within.graph.from(node);
            if !budget.take(arrows.len() as u64 + 1) {
                return false;
            }
            for arrow in arrows.iter().filter(|arrow| within.kinds.has(arrow.kind())) {
                let to = arrow.to();
                if self.mark[to as usize] != self.round && within.order.of(to) <= furthest {
                    self.mark[to as usize] = self.round;
                    self.queue.push(to);
                }
            }
            while wanted.last().is_some_and(|&last| self.mark[last as usize] == self.round) {
                wanted.pop();
            }
            if wanted.is_empty() {
                return true;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cycle::component::components;
    use crate::check::cycle::graph::{Arrow, Kind};

    #[test]
    fn what_a_budget_does_not_reach_is_not_known() {
        // 0 → 1 → … → 9; a second way leads from 5 to nowhere.
        let graph = Graph::new(11, |add| {
            (0..9).for_each(|node| add(node, Arrow::new(node + 1, Kind::Ww)));
            add(5, Arrow::new(10, Kind::Ww));
        });
        let kinds = Kinds::of(&[Kind::Ww]);
        let order = components(&graph, kinds);
        let never = |_: Node, _: Node| false;
        let within = Closing { graph: &graph, kinds, order: &order, sure: &never };
        let edges = [(9, 0), (10, 0), (0, 9), (10, 7)];
        let whole = [Some(true), Some(true), Some(false), Some(false)];
        assert_eq!(closing(&within, &edges, &mut Budget::new(1_000)), whole);
        let cut = closing(&within, &edges, &mut Budget::new(3));
        assert_eq!([cut[0], cut[1], cut[2]], [None, None, Some(false)]);
        let sure = |_: Node, beginning: Node| beginning == 9;
        let within = Closing { sure: &sure, ..within };
        assert_eq!(closing(&within, &edges, &mut Budget::new(3))[0], Some(true));
    }
}
