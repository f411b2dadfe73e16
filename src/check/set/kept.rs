//! What the primary holds at the end, and whether anything was ever seen that nobody inserted.

use std::collections::BTreeMap;

use super::elements;
use super::ranges::Ranges;
use crate::check::draft::Draft;
use crate::check::restarts::{self, between};
use crate::check::text::{at, count, plural};
use crate::check::walk::last_write;
use crate::check::{Checker, Claims, Evidence, Guarantee, Judgement};
use crate::history::{Nanos, NodeName, Outcome, SetOp};

/// Judges every insert by the last read of the primary, and every read by the inserts.
pub(in crate::check) struct Kept;

impl Checker<SetOp> for Kept {
    fn name(&self) -> &'static str {
        "set"
    }

    fn guarantees(&self) -> &'static [Guarantee] {
        &[Guarantee::Durability, Guarantee::ExactlyOnce]
    }

    fn check(&self, evidence: &Evidence<'_, SetOp>, claims: &Claims) -> Vec<Judgement> {
        vec![durability(evidence, claims), once(evidence, claims)]
    }
}

fn durability(evidence: &Evidence<'_, SetOp>, claims: &Claims) -> Judgement {
    let mut draft = Draft::new("set", Guarantee::Durability, None, evidence, claims);
    let (last, reads) = match last(evidence) {
        Ok((last, read)) => (last, vec![read]),
        Err(reason) => {
            draft.doubt(reason);
            return draft.finish("nothing compared");
        }
    };
    let failovers = restarts::failovers(evidence);
    let (mut acknowledged, mut lost, mut forewarned) = (0u64, Vec::new(), 0);
    for call in evidence.history.completed_ok() {
        let (SetOp::Insert { element }, Outcome::Ok { warning, .. }) = (call.op, &call.outcome) else {
            continue;
        };
        acknowledged += 1;
        if last.contains(*element) {
            continue;
        }
        lost.push(call.end);
        let absent = || format!("{element}, acknowledged at {}, is not there at the end", at(call.end));
        let events: Vec<u64> = call.completed.into_iter().chain(reads.iter().copied()).collect();
        // The server said that nobody else may have it.
        if warning.is_some() && between(&failovers, call.start, Nanos(u64::MAX)) {
            forewarned += 1;
            draft.remark(&events, || absent() + "; nobody else may have had it, as a warning said");
        } else {
            draft.violation(&events, absent);
        }
    }
    if acknowledged == 0 {
        draft.doubt("no insert was acknowledged");
    }
    let number = lost.len() as u64;
    draft.lose(lost.into_iter(), forewarned, false);
    draft.count("inserts acknowledged", acknowledged);
    draft.count("acknowledged and absent", number);
    draft.count("acknowledged with a warning and lost in a failover", forewarned);
    draft.finish(format!("{} acknowledged, {} lost", plural(acknowledged, "insert"), count(number)))
}

/// What the last primary held after the load, and the event that tells of it; or why nobody knows.
fn last(evidence: &Evidence<'_, SetOp>) -> Result<(Ranges, u64), String> {
    let primary: Option<NodeName> = evidence.primaries().last();
    let primary = primary.ok_or("nobody knows who is the primary at the end")?;
    let load_end = last_write(evidence.history);
    let reads = evidence.history.calls().filter(|call| {
        call.node == primary && matches!(call.op, SetOp::Last) && Some(call.invoked) > load_end
    });
    let read =
        reads.filter_map(|call| Some((elements(&call)?, call.completed.unwrap_or(call.invoked)))).last();
    let (found, event) = read.ok_or_else(|| format!("the set was not read on {primary} after the load"))?;
    Ok((found?, event))
}

/// What is known of the insert of an element.
struct Asked {
    invoked: u64,
    /// It certainly did not happen.
    failed: bool,
}

fn once(evidence: &Evidence<'_, SetOp>, claims: &Claims) -> Judgement {
    let mut draft = Draft::new("set", Guarantee::ExactlyOnce, None, evidence, claims);
    let mut asked: BTreeMap<i64, Asked> = BTreeMap::new();
    for call in evidence.history.calls() {
        let SetOp::Insert { element } = *call.op else { continue };
        let failed = matches!(call.outcome, Outcome::Fail(_));
        let known = asked.entry(element).or_insert(Asked { invoked: call.invoked, failed });
        known.failed &= failed;
    }
    let all: Ranges = asked.keys().copied().collect();
    let (mut seen, mut reads, mut unasked, mut refused, mut early) = (Ranges::default(), 0u64, 0u64, 0, 0);
    // The first read that shows an element tells of it.
    for call in evidence.history.completed_ok() {
        let read = match elements(&call) {
            Some(Ok(read)) => read,
            Some(Err(reason)) => {
                draft.doubt(reason);
                continue;
            }
            None => continue,
        };
        reads += 1;
        let event = call.completed.unwrap_or(call.invoked);
        let new = read.minus(&seen);
        seen.join(&new);
        let strange = new.minus(&all);
        for (first, last) in strange.iter() {
            draft.violation(&[event], || {
                format!("{first} to {last} was read on {}, and no client ever inserted it", call.node)
            });
        }
        unasked += strange.count();
        for (element, asked) in new.minus(&strange).numbers().filter_map(|one| Some((one, asked.get(&one)?)))
        {
            if asked.failed {
                refused += 1;
                draft.violation(&[asked.invoked, event], || {
                    format!("{element} was read on {}, and its insert certainly failed", call.node)
                });
            } else if asked.invoked > event {
                early += 1;
                draft.violation(&[event, asked.invoked], || {
                    format!("{element} was read on {} before anybody asked for it", call.node)
                });
            }
        }
    }
    if reads == 0 {
        draft.doubt("nothing was read");
    }
    if let Err(reason) = last(evidence) {
        draft.doubt(reason);
    }
    draft.count("reads judged", reads);
    draft.count("elements that nobody inserted", unasked);
    draft.count("elements whose insert failed", refused);
    draft.count("elements before they were inserted", early);
    draft.finish(format!(
        "{} judged, {} there that nobody inserted, {} whose insert failed, {} too early",
        plural(reads, "read"),
        plural(unasked, "element"),
        count(refused),
        count(early)
    ))
}
