//! One pass over sorted snapshots.

use super::snapshot::Snapshot;

/// Two adjacent distinct vectors that contradict each other, with every read that saw either.
pub(super) struct Fork<'s, 'a> {
    pub(super) lower: &'s [Snapshot<'a>],
    pub(super) upper: &'s [Snapshot<'a>],
}

impl<'s, 'a> Fork<'s, 'a> {
    /// One read of each: on two nodes, if there are such, and close to each other in time.
    pub(super) fn witnesses(&self) -> (&'s Snapshot<'a>, &'s Snapshot<'a>) {
        // A vector can have been read ten thousand times while nothing was written; a few reads of each node will do.
        let some = |run: &'s [Snapshot<'a>]| {
            run.chunk_by(|a, b| a.node == b.node).flat_map(|node| node.iter().take(8)).collect::<Vec<_>>()
        };
        let pairs = some(self.lower);
        let others = some(self.upper);
        let pair = pairs.iter().flat_map(|&a| others.iter().map(move |&b| (a, b)));
        pair.min_by_key(|(a, b)| (a.node == b.node, a.end.0.abs_diff(b.end.0)))
            .unwrap_or((&self.lower[0], &self.upper[0]))
    }

    /// Whether some one node saw both.
    pub(super) fn is_within_one_node(&self) -> bool {
        // Within equal vectors the snapshots are by node.
        let nodes = |run: &'s [Snapshot<'a>]| run.chunk_by(|a, b| a.node == b.node).map(|same| same[0].node);
        nodes(self.lower).any(|lower| nodes(self.upper).any(|upper| lower == upper))
    }
}

/// The number of distinct vectors in `sorted` (by [`Snapshot::by_sum`]), and the adjacent ones that contradict.
pub(super) fn chain<'s, 'a>(sorted: &'s [Snapshot<'a>], mut found: impl FnMut(Fork<'s, 'a>)) -> u64 {
    let mut distinct = 0;
    let mut lower: Option<&'s [Snapshot<'a>]> = None;
    for upper in sorted.chunk_by(|a, b| a.values == b.values) {
        distinct += 1;
        if let Some(lower) = lower.filter(|lower| !lower[0].is_within(&upper[0])) {
            found(Fork { lower, upper });
        }
        lower = Some(upper);
    }
    distinct
}
