//! Counters: is every acknowledged increment in the final value, and nothing else?
//!
//! An increment answers the value that it made, so the values of a key number the increments that are in it:
//! with a final value of N there is exactly one increment behind each of 1 to N. Therefore
//!
//! * of several increments that were acknowledged with the same value, at most one is still there, and none with a
//!   value above N: the others are **lost** (to a crash, or to a lost update; real time and the faults say which);
//! * an increment that answers a value not above one that was acknowledged before it began worked on a row that had
//!   lost that one, even if the value was reached again later;
//! * a value of 1 to N that nobody was told of must come from an increment of unknown outcome: more of them than
//!   there are of those were **applied twice**, or although they were reported as failed;
//! * a value above the number of increments that had begun by then, definite failures left out, was **applied more
//!   often than asked**.
//!
//! The familiar bounds, acknowledged ≤ N ≤ acknowledged + unknown, follow from the first and the third.

mod keys;
mod tally;

use super::draft::Draft;
use super::restarts;
use super::text::{count, plural};
use super::{Checker, Claims, Evidence, Guarantee, Judgement};
use crate::history::CounterOp;
use keys::Keys;
use tally::{Loss, Tally};

/// Judges the increments against each other and against the final read of the primary.
pub(super) struct Counter;

impl Checker<CounterOp> for Counter {
    fn name(&self) -> &'static str {
        "counter"
    }

    fn guarantees(&self) -> &'static [Guarantee] {
        &[Guarantee::Durability, Guarantee::ExactlyOnce]
    }

    fn check(&self, evidence: &Evidence<'_, CounterOp>, claims: &Claims) -> Vec<Judgement> {
        let restarts = restarts::cuts(evidence);
        let keys = Keys::read(evidence.history, &evidence.primaries());
        let tallies: Vec<Tally<'_>> = keys.keys.iter().map(|(&key, of)| Tally::of(key, of)).collect();
        vec![
            durability(evidence, claims, &keys, &tallies, &restarts),
            exactly_once(evidence, claims, &keys, &tallies),
        ]
    }
}

fn durability(
    evidence: &Evidence<'_, CounterOp>,
    claims: &Claims,
    keys: &Keys,
    tallies: &[Tally<'_>],
    restarts: &[restarts::Window],
) -> Judgement {
    let mut draft = Draft::new("counter", Guarantee::Durability, None, evidence, claims);
    keys.doubts(&mut draft);
    let failovers = restarts::failovers(evidence);
    let (mut forewarned, mut warned_lost) = (0u64, 0u64);
    for tally in tallies {
        for loss in &tally.losses {
            let (events, explain) = (loss.events(keys.read_event), || loss.explain(tally.key, restarts));
            warned_lost += u64::from(loss.was_warned());
            if loss.was_forewarned(&failovers) {
                forewarned += 1;
                draft.remark(&events, || explain() + "; nobody else may have had it, as the warning said");
            } else {
                draft.violation(&events, explain);
            }
        }
    }
    let lost = draft.violations() + forewarned;
    // An increment of unknown outcome can make a lost value again.
    let at_least = keys.unknown() > 0;
    let ends = tallies.iter().flat_map(|tally| &tally.losses).map(Loss::end);
    draft.lose(ends, forewarned, at_least);
    figures(&mut draft, keys, tallies);
    draft.count("acknowledged and lost", lost);
    draft.count("acknowledged with a warning and lost in a failover", forewarned);
    let bound = if lost > 0 && at_least { "at least " } else { "" };
    let mut summary = format!(
        "{} acknowledged on {}, {bound}{} lost",
        plural(keys.acknowledged(), "increment"),
        plural(tallies.len() as u64, "key"),
        count(lost)
    );
    if let Some(applied) = keys.unknown_applied(tallies) {
        summary += &format!(
            "; {} unknown were applied, {} were not",
            count(applied),
            count(keys.unknown() - applied)
        );
    }
    if keys.warned > 0 {
        summary +=
            &format!("; {} came with a warning, {} of them lost", count(keys.warned), count(warned_lost));
    }
    draft.finish(summary)
}

fn exactly_once(
    evidence: &Evidence<'_, CounterOp>,
    claims: &Claims,
    keys: &Keys,
    tallies: &[Tally<'_>],
) -> Judgement {
    let mut draft = Draft::new("counter", Guarantee::ExactlyOnce, None, evidence, claims);
    keys.doubts(&mut draft);
    let mut surplus = 0;
    for tally in tallies {
        surplus += tally.surplus();
        for _ in 0..tally.surplus() {
            draft.violation(&keys.read_event.into_iter().collect::<Vec<_>>(), || tally.explain_surplus());
        }
    }
    for early in &keys.early {
        draft.violation(&[early.event], || early.explain());
    }
    figures(&mut draft, keys, tallies);
    draft.count("increments that nobody was told of", surplus);
    draft.count("values above what had been asked for", keys.early.len() as u64);
    draft.finish(format!(
        "{} acknowledged, {} unknown; {} more than both explain, {} above what had been asked for",
        plural(keys.acknowledged(), "increment"),
        count(keys.unknown()),
        plural(surplus, "increment"),
        plural(keys.early.len() as u64, "value")
    ))
}

fn figures(draft: &mut Draft, keys: &Keys, tallies: &[Tally<'_>]) {
    draft.count("keys", tallies.len() as u64);
    draft.count("acknowledged", keys.acknowledged());
    draft.count("acknowledged with a warning", keys.warned);
    draft.count("unknown", keys.unknown());
    if let Some(applied) = keys.unknown_applied(tallies) {
        draft.count("unknown and present", applied);
        draft.count("unknown and absent", keys.unknown() - applied);
        draft.count(
            "sum of final values",
            tallies.iter().filter_map(|tally| tally.end).sum::<i64>().max(0) as u64,
        );
    }
}

#[cfg(test)]
mod tests;
