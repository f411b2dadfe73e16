//! Snapshot order: do all snapshots, of all nodes, form one chain?
//!
//! PostgreSQL makes a commit visible on the primary in another order than the one in which commit records stand in
//! the log, and a replica shows them in the order of the log. So a reader of the primary can see one of two commits
//! without the other, and a reader of a replica the other without the one: a *long fork* (Jepsen, "Amazon RDS for
//! PostgreSQL 17.4"). Each node by itself is snapshot isolated; the pair is not.
//!
//! A snapshot is the vector of all counters, which only grow; a ≤ b when no counter of a is larger than in b. Sorted
//! by their sum, the vectors form a chain exactly if every two *adjacent distinct* ones are comparable: a comparable
//! pair is ordered as its sums are, equal sums of distinct vectors are incomparable, and ≤ is transitive. So a sort
//! and one pass decide, in O(n log n) and without copying a vector. What is counted is adjacent pairs, the smallest
//! number of pairs that explains what was seen, and not all pairs.
//!
//! A forced restart or a failover of the primary can take back increments that a reader of the primary has already seen, if
//! `synchronous_commit` is off. That would look like a fork between snapshots from before and after. So snapshots are
//! compared only within an epoch: up to the fault, and from the fault on. Reads of the primary that overlap the
//! fault belong to neither, because nobody knows which primary answered. Reads of a replica that end after the
//! fault's begin belong to the later epoch, because a replica only ever shows what the primary had made safe. After a failover they belong to none: a replica that had received more than the new
//! primary goes on to show it. What
//! contradicts across epochs only is counted and left unknown.

mod alone;
mod chain;
mod snapshot;

use std::collections::{BTreeMap, BTreeSet};

use super::draft::Draft;
use super::restarts;
use super::text::{at, count, plural};
use super::{Checker, Claims, Evidence, Guarantee, Judgement};
use crate::history::{CounterOp, NodeName};
pub(super) use alone::Alone;
use chain::{Fork, chain};
use snapshot::{Snapshot, Snapshots};

/// The most counters that a finding names for either side.
const SHOWN_KEYS: usize = 4;

/// Judges every read of all counters.
pub(super) struct LongFork;

impl Checker<CounterOp> for LongFork {
    fn name(&self) -> &'static str {
        "long-fork"
    }

    fn guarantees(&self) -> &'static [Guarantee] {
        &[Guarantee::SnapshotOrder]
    }

    fn check(&self, evidence: &Evidence<'_, CounterOp>, claims: &Claims) -> Vec<Judgement> {
        let mut draft = Draft::new(self.name(), Guarantee::SnapshotOrder, None, evidence, claims);
        let (primaries, restarts) = (evidence.primaries(), restarts::cuts(evidence));
        let Snapshots { mut all, odd } = Snapshots::read(evidence.history, &primaries, &restarts);
        let during = all.iter().filter(|snapshot| snapshot.epoch.is_none()).count() as u64;
        let judged = all.len() as u64 - during;

        all.sort_unstable_by(|a, b| a.epoch.cmp(&b.epoch).then_with(|| a.by_sum(b)));
        let (mut distinct, mut between) = (0, 0u64);
        for epoch in all.chunk_by(|a, b| a.epoch == b.epoch).filter(|epoch| epoch[0].epoch.is_some()) {
            distinct += chain(epoch, |fork| {
                between += u64::from(!fork.is_within_one_node());
                report(&mut draft, &fork);
            });
        }
        let within = within_nodes(&mut all);
        let across = if restarts.is_empty() { 0 } else { across_epochs(&mut all) };

        if odd > 0 {
            draft.doubt(format!("{} had another number of counters than the first", plural(odd, "snapshot")));
        }
        if judged < 2 {
            draft.doubt("fewer than two snapshots can be compared");
        }
        if across > 0 {
            draft.doubt(format!(
                "{} across a forced restart or failover of the primary, where a commit that was lost looks the same as a long fork",
                plural(across, "contradiction")
            ));
        }
        let forks = draft.violations();
        draft.count("snapshots judged", judged);
        draft.count("distinct snapshots", distinct);
        draft.count("contradicting neighbors", forks);
        draft.count("contradicting neighbors between nodes", between);
        for (node, pairs) in &within {
            draft.count(&format!("contradicting neighbors on {node} alone"), *pairs);
        }
        draft
            .count("snapshots during a forced restart, or of a replica after a failover, not judged", during);
        draft.count("contradictions across a forced restart or failover", across);
        let mut summary = format!(
            "{} judged, {} distinct, {} contradict each other",
            plural(judged, "snapshot"),
            count(distinct),
            plural(forks, "neighboring pair")
        );
        if forks > 0 {
            let alone: Vec<String> =
                within.iter().map(|(node, pairs)| format!("{} on {node} alone", count(*pairs))).collect();
            summary += &format!(
                " ({} between nodes, {}): long forks, two commits that two readers saw in opposite order",
                count(between),
                alone.join(", ")
            );
        }
        vec![draft.finish(summary)]
    }
}

/// Contradictions among the snapshots of one node, by node. A node that is snapshot isolated has none.
fn within_nodes(all: &mut [Snapshot<'_>]) -> BTreeMap<NodeName, u64> {
    all.sort_unstable_by(|a, b| (a.node, a.epoch).cmp(&(b.node, b.epoch)).then_with(|| a.by_sum(b)));
    let mut within = BTreeMap::new();
    for group in all.chunk_by(|a, b| (a.node, a.epoch) == (b.node, b.epoch)) {
        let pairs: &mut u64 = within.entry(group[0].node).or_default();
        if group[0].epoch.is_some() {
            chain(group, |_| *pairs += 1);
        }
    }
    within
}

/// Contradictions between snapshots of different epochs, or of none.
fn across_epochs(all: &mut [Snapshot<'_>]) -> u64 {
    all.sort_unstable_by(Snapshot::by_sum);
    let mut across = 0;
    chain(all, |fork| {
        let epochs =
            |run: &[Snapshot<'_>]| run.iter().filter_map(|snapshot| snapshot.epoch).collect::<BTreeSet<_>>();
        let upper = epochs(fork.upper);
        across += u64::from(epochs(fork.lower).is_disjoint(&upper));
    });
    across
}

fn report(draft: &mut Draft, fork: &Fork<'_, '_>) {
    let (a, b) = fork.witnesses();
    draft.violation(&[a.event, b.event], || {
        format!(
            "{} at {} shows {}; {} at {} shows {}",
            a.node,
            at(a.end),
            ahead(a, b),
            b.node,
            at(b.end),
            ahead(b, a)
        )
    });
}

/// Where `a` is ahead of `b`: `counter 3 at 41 (40 there)`.
fn ahead(a: &Snapshot<'_>, b: &Snapshot<'_>) -> String {
    let pairs = (1..).zip(a.values.iter().zip(b.values));
    let keys: Vec<String> = pairs
        .filter(|(_, (mine, theirs))| mine > theirs)
        .map(|(key, (mine, theirs))| format!("counter {key} at {mine}, which the other saw at {theirs}"))
        .collect::<Vec<String>>();
    let more = keys.len().saturating_sub(SHOWN_KEYS);
    let mut text = keys[..keys.len() - more].join(", and ");
    if more > 0 {
        text += &format!(", and {}", plural(more as u64, "more counter"));
    }
    text
}

#[cfg(test)]
mod tests;
