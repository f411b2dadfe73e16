//! Strongly connected components, without recursion (Pearce, *A Space-Efficient Algorithm for Finding Strongly Connected
//! Components*, Information Processing Letters 116, 2016).

use super::graph::{Graph, Kinds, Node};
use super::walk::{Rule, State};

/// Which component each vertex (or each vertex in each state) belongs to. Every edge leads into the same component or
/// into one with a larger number.
#[derive(Debug, Default)]
pub(super) struct Components {
    of: Vec<u32>,
}

impl Components {
    /// The component of `node`.
    pub(super) fn of(&self, node: Node) -> u32 {
        self.of[node as usize]
    }

    /// Those with more than one vertex: for each vertex, whether it is in such a one.
    pub(super) fn cyclic(&self) -> Vec<bool> {
        // The component of a lone vertex has one member.
        let mut members = vec![0u8; self.of.len() + 1];
        for &component in &self.of {
            let count = &mut members[component as usize];
            *count = count.saturating_add(1);
        }
        self.of.iter().map(|&component| members[component as usize] > 1).collect()
    }
}

struct Frame {
    node: Node,
    place: u32,
    is_root: bool,
}

/// The components of `graph` by edges of `kinds`. No vertex has an edge to itself.
pub(super) fn components(graph: &Graph, kinds: Kinds) -> Components {
    let successor = |node: Node, place: &mut u32| {
        let end = graph.place(node + 1);
        while *place < end {
            let arrow = graph.arrow(*place);
            *place += 1;
            if kinds.has(arrow.kind()) {
                return Some(arrow.to());
            }
        }
        None
    };
    search(graph.nodes(), |node| graph.place(node), successor)
}

/// The components of the walks that `rule` allows: vertices are pairs of a vertex and what was walked before it,
/// numbered `2 * vertex + state`.
pub(super) fn walks(graph: &Graph, kinds: Kinds, rule: Rule) -> Components {
    let successor = |pair: Node, place: &mut u32| {
        let (node, state) = (pair / 2, State::of(pair % 2));
        let end = graph.place(node + 1);
        while *place < end {
            let arrow = graph.arrow(*place);
            *place += 1;
            if !kinds.has(arrow.kind()) {
                continue;
            }
            if let Some(state) = rule.step(state, arrow.kind()) {
                return Some(arrow.to() * 2 + state.number());
            }
        }
        None
    };
    search(graph.nodes() * 2, |pair| graph.place(pair / 2), successor)
}

fn search(
    nodes: usize,
    first: impl Fn(Node) -> u32,
    successor: impl Fn(Node, &mut u32) -> Option<Node>,
) -> Components {
    // 0: not visited; up to `index`: on the way; from `component` on: done. They never meet.
    let mut of = vec![0u32; nodes];
    let (mut index, mut component) = (1u32, nodes as u32);
    let mut path: Vec<Frame> = Vec::new();
    let mut open: Vec<Node> = Vec::new();
    for start in 0..nodes as Node {
        if of[start as usize] != 0 {
            continue;
        }
        of[start as usize] = index;
        index += 1;
        path.push(Frame { node: start, place: first(start), is_root: true });
        while let Some(frame) = path.last_mut() {
            let node = frame.node;
            if let Some(next) = successor(node, &mut frame.place) {
                let seen = of[next as usize];
                if seen == 0 {
                    of[next as usize] = index;
                    index += 1;
                    path.push(Frame { node: next, place: first(next), is_root: true });
                } else if seen < of[node as usize] {
                    of[node as usize] = seen;
                    frame.is_root = false;
                }
                continue;
            }
            let is_root = frame.is_root;
            path.pop();
            if is_root {
                index -= 1;
                while let Some(&top) = open.last() {
                    if of[top as usize] < of[node as usize] {
                        break;
                    }
                    open.pop();
                    of[top as usize] = component;
                    index -= 1;
                }
                of[node as usize] = component;
                component -= 1;
            } else {
                open.push(node);
            }
            if let Some(parent) = path.last_mut() {
                let low = of[node as usize];
                if low < of[parent.node as usize] {
                    of[parent.node as usize] = low;
                    parent.is_root = false;
                }
            }
        }
    }
    Components { of }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cycle::graph::{Arrow, Kind};
    use proptest::prelude::*;

    const WW: Kinds = Kinds::of(&[Kind::Ww]);

    fn graph(nodes: usize, edges: &[(Node, Node)]) -> Graph {
        Graph::new(nodes, |add| edges.iter().for_each(|&(from, to)| add(from, Arrow::new(to, Kind::Ww))))
    }

    #[test]
    fn a_chain_of_a_million_does_not_recurse() {
        let edges: Vec<(Node, Node)> = (0..999_999).map(|node| (node, node + 1)).collect();
        assert!(!components(&graph(1_000_000, &edges), WW).cyclic().contains(&true));
        let ring: Vec<(Node, Node)> = edges.into_iter().chain([(999_999, 0)]).collect();
        assert!(!components(&graph(1_000_000, &ring), WW).cyclic().contains(&false));
    }

    proptest! {
        /// Against reachability by squaring.
        #[test]
        fn together_is_who_reaches_each_other(edges in prop::collection::vec((0u32..9, 0u32..9), 0..24)) {
            let edges: Vec<(Node, Node)> = edges.into_iter().filter(|(from, to)| from != to).collect();
            let mut reaches = [[false; 9]; 9];
            edges.iter().for_each(|&(from, to)| reaches[from as usize][to as usize] = true);
            for via in 0..9 {
                for from in 0..9 {
                    for to in 0..9 {
                        reaches[from][to] |= reaches[from][via] && reaches[via][to];
                    }
                }
            }
            let found = components(&graph(9, &edges), WW);
            for from in 0..9u32 {
                for to in 0..9u32 {
                    let both = reaches[from as usize][to as usize] && reaches[to as usize][from as usize];
                    prop_assert_eq!(found.of(from) == found.of(to), both || from == to);
                }
            }
            for (from, to) in edges {
                prop_assert!(found.of(from) <= found.of(to), "components are in topological order");
            }
        }
    }
}
