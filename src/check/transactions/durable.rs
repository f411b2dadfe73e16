//! Lists keep what was acknowledged: every acknowledged append is in what the primary holds at the end.

use std::collections::{BTreeMap, BTreeSet};

use super::observed::observed;
use crate::check::draft::Draft;
use crate::check::restarts::{self, between};
use crate::check::text::{at, count, plural};
use crate::check::{Checker, Claims, Evidence, Guarantee, Judgement};
use crate::history::{Call, Micro, Nanos, Observed, Outcome, TxnOp};

/// Judges the appends of a history by its last reads.
pub(in crate::check) struct Durable;

/// What the primary held at the end: of each key that was read, its elements.
type Kept = BTreeMap<i64, BTreeSet<i64>>;

impl Checker<TxnOp> for Durable {
    fn name(&self) -> &'static str {
        "durability"
    }

    fn guarantees(&self) -> &'static [Guarantee] {
        &[Guarantee::Durability]
    }

    fn check(&self, evidence: &Evidence<'_, TxnOp>, claims: &Claims) -> Vec<Judgement> {
        let mut draft = Draft::new(self.name(), Guarantee::Durability, None, evidence, claims);
        let Some(primary) = evidence.primaries().last() else {
            draft.doubt("nobody knows who is the primary at the end");
            return vec![draft.finish("nothing compared")];
        };
        let last = |call: &Call<'_, TxnOp>| call.node == primary && matches!(call.op, TxnOp::Last(_));
        let kept: Kept = evidence.history.calls().filter(last).flat_map(|call| lists(&call)).collect();
        if kept.is_empty() {
            draft.doubt(format!("no list was read on {primary} after the load"));
        }
        let failovers = restarts::failovers(evidence);
        let (mut acknowledged, mut lost, mut unread) = (0u64, Vec::new(), BTreeSet::new());
        let mut forewarned = 0;
        for call in evidence.history.calls() {
            let Outcome::Ok { warning, .. } = &call.outcome else { continue };
            for micro in call.op.micros() {
                let Micro::Append(key, element) = *micro else { continue };
                acknowledged += 1;
                let Some(list) = kept.get(&key) else {
                    unread.insert(key);
                    continue;
                };
                if list.contains(&element) {
                    continue;
                }
                lost.push(call.end);
                let absent = || {
                    let end = at(call.end);
                    format!(
                        "{element}, appended to list {key} and acknowledged at {end}, is not there at the end"
                    )
                };
                let event = call.completed.unwrap_or(call.invoked);
                // The server said that nobody else may have it.
                if warning.is_some() && between(&failovers, call.start, Nanos(u64::MAX)) {
                    forewarned += 1;
                    draft.remark(&[event], || absent() + "; nobody else may have had it, as a warning said");
                } else {
                    draft.violation(&[event], absent);
                }
            }
        }
        if !unread.is_empty() {
            draft.doubt(format!(
                "{} of {primary} not read after the load",
                plural(unread.len() as u64, "list")
            ));
        }
        if acknowledged == 0 {
            draft.doubt("no append was acknowledged");
        }
        let number = lost.len() as u64;
        draft.lose(lost.into_iter(), forewarned, false);
        draft.count("appends acknowledged", acknowledged);
        draft.count("acknowledged and absent", number);
        draft.count("acknowledged with a warning and lost in a failover", forewarned);
        let keys = plural(kept.len() as u64, "list");
        vec![draft.finish(format!(
            "{} acknowledged to {keys}, {} lost",
            plural(acknowledged, "append"),
            count(number)
        ))]
    }
}

/// The lists that a transaction read, by key.
fn lists(call: &Call<'_, TxnOp>) -> Vec<(i64, BTreeSet<i64>)> {
    let list = |(key, read): (i64, &Observed)| match read {
        Observed::List(elements) => Some((key, elements.iter().copied().collect())),
        Observed::Register(_) => None,
    };
    observed(call).filter_map(list).collect()
}
