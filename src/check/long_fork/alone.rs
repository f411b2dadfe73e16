//! Each node by itself: do the snapshots that were read there form one chain?
//!
//! On one node they do, whatever the isolation level, as each is taken in one statement: of two snapshots the later one
//! holds all that the earlier one does.

use super::chain::chain;
use super::report;
use super::snapshot::{Snapshot, Snapshots};
use crate::check::draft::Draft;
use crate::check::text::{count, plural};
use crate::check::{Checker, Claims, Evidence, Guarantee, Judgement, restarts};
use crate::history::CounterOp;

/// Judges every read of all counters against those of the same node.
pub(in crate::check) struct Alone;

impl Checker<CounterOp> for Alone {
    fn name(&self) -> &'static str {
        "long-fork"
    }

    fn guarantees(&self) -> &'static [Guarantee] {
        &[Guarantee::Isolation]
    }

    fn check(&self, evidence: &Evidence<'_, CounterOp>, claims: &Claims) -> Vec<Judgement> {
        let (primaries, restarts) = (evidence.primaries(), restarts::cuts(evidence));
        let Snapshots { all, odd } = Snapshots::read(evidence.history, &primaries, &restarts);
        let judge = |&node| {
            let mut draft = Draft::new("long-fork", Guarantee::Isolation, Some(node), evidence, claims);
            let judged = |one: &&Snapshot<'_>| one.node == node && one.epoch.is_some();
            let mut here: Vec<Snapshot<'_>> = all.iter().filter(judged).copied().collect();
            here.sort_unstable_by(|a, b| a.epoch.cmp(&b.epoch).then_with(|| a.by_sum(b)));
            let mut distinct = 0;
            for epoch in here.chunk_by(|a, b| a.epoch == b.epoch) {
                distinct += chain(epoch, |fork| report(&mut draft, &fork));
            }
            if here.len() < 2 {
                draft.doubt("fewer than two snapshots can be compared");
            }
            if odd > 0 {
                draft.doubt(format!(
                    "{} had another number of counters than the first",
                    plural(odd, "snapshot")
                ));
            }
            draft.count("snapshots judged", here.len() as u64);
            draft.count("distinct snapshots", distinct);
            let found = draft.violations();
            draft.finish(format!(
                "{} of {node} alone judged, {} distinct, {} contradict each other",
                plural(here.len() as u64, "snapshot"),
                count(distinct),
                plural(found, "neighboring pair")
            ))
        };
        evidence.nodes.iter().map(judge).collect()
    }
}
