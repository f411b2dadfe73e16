//! Durability: every acknowledged order is there.

use std::collections::BTreeMap;

use super::acks::{Ack, Acks, Fate};
use crate::check::draft::Draft;
use crate::check::ledger::Ledger;
use crate::check::restarts::{self, Window, between, unbroken_until};
use crate::check::text::{at, count, plural, ranges};
use crate::check::{Claims, Evidence, Guarantee, Judgement};
use crate::history::{Nanos, OrdersOp};

pub(super) fn judge(
    evidence: &Evidence<'_, OrdersOp>,
    claims: &Claims,
    acks: &Acks<'_>,
    ledger: &Result<Ledger<'_>, String>,
    restarts: &[Window],
) -> Judgement {
    let mut draft = Draft::new("durability", Guarantee::Durability, None, evidence, claims);
    match ledger {
        Err(reason) => draft.doubt(reason),
        Ok(ledger) => {
            if let (Some(primary), false) = (evidence.primaries().last(), ledger.complete) {
                ledger.doubt(primary).into_iter().for_each(|reason| draft.doubt(reason));
            }
        }
    }
    if acks.acks.is_empty() {
        draft.doubt("nothing was acknowledged, so nothing can be said");
    }

    let number = |fate: Fate| acks.acks.iter().filter(|ack| ack.fate == fate).count() as u64;
    let (present, absent, unread) = (number(Fate::Present), number(Fate::Absent), number(Fate::Unread));
    let warned = acks.acks.iter().filter(|ack| ack.warned).count() as u64;
    let lost: Vec<&Ack<'_>> = acks.acks.iter().filter(|ack| ack.fate == Fate::Absent).collect();
    let survivors = Survivors::find(acks, restarts);
    let gaps = lost.iter().filter(|ack| survivors.after(ack, restarts).is_some()).count() as u64;
    if gaps > 0 {
        // No setting allows it, so it is claimed never to happen.
        draft.claim(true);
    }
    let reused = reused(&acks.acks, restarts);
    let (unknown, unknown_present) = (acks.unknown(), acks.unknown_present());

    let acknowledged = acks.acks.len() as u64;
    draft.count("acknowledged", acknowledged);
    draft.count("acknowledged and present", present);
    draft.count("acknowledged and absent", absent);
    draft.count("acknowledged and not looked for", unread);
    draft.count("acknowledged with a warning", warned);
    draft.count("unknown and present", unknown_present);
    if let Ok(Ledger { complete: true, .. }) = ledger {
        draft.count("unknown and absent", unknown - unknown_present);
    }
    draft.count("unknown", unknown);
    draft.count("gaps", gaps);
    draft.count("identifiers handed out again after a forced restart", reused);

    let failovers = restarts::failovers(evidence);
    let mut forewarned = 0u64;
    for ack in &lost {
        let survivor = survivors.after(ack, restarts);
        if ack.warned && survivor.is_none() && between(&failovers, ack.start, Nanos(u64::MAX)) {
            forewarned += 1;
            draft.remark(&[ack.event], || {
                explain(ack, None) + "; nobody else may have had it, as the warning said"
            });
        } else {
            draft.violation(&[ack.event], || explain(ack, survivor));
        }
    }
    draft.lose(lost.iter().map(|ack| ack.end), forewarned, unread > 0);
    draft.count("acknowledged with a warning and lost in a failover", forewarned);
    let mut summary = match ledger {
        Ok(_) => format!("{} acknowledged, {} lost", count(acknowledged), count(absent)),
        Err(_) => format!("{} acknowledged, none of them looked for", count(acknowledged)),
    };
    if let (Some(first), Some(last)) =
        (lost.iter().map(|ack| ack.end).min(), lost.iter().map(|ack| ack.end).max())
    {
        let ids = ranges(lost.iter().map(|ack| i64::from(ack.order)));
        summary += &format!(" (orders {ids}, acknowledged between {} and {})", at(first), at(last));
    }
    if gaps > 0 {
        summary += &format!(", {} with later orders still there", plural(gaps, "gap"));
    }
    if unread > 0 && ledger.is_ok() {
        summary += &format!(", {} not looked for", count(unread));
    }
    if matches!(ledger, Ok(Ledger { complete: true, .. })) {
        summary += &format!(
            "; {} unknown were applied, {} were not",
            count(unknown_present),
            count(unknown - unknown_present)
        );
    }
    if warned > 0 {
        let also = lost.iter().filter(|ack| ack.warned).count() as u64;
        summary += &format!("; {} came with a warning, {} of them lost", count(warned), count(also));
    }
    draft.finish(summary)
}

fn explain(ack: &Ack<'_>, survivor: Option<&Ack<'_>>) -> String {
    let mut message = format!(
        "order {} of process {}, acknowledged at {}{}, is absent",
        ack.order,
        ack.user,
        at(ack.end),
        if ack.warned { " with a warning" } else { "" }
    );
    if let Some(later) = survivor {
        message += &format!(
            "; a gap: order {} of process {}, begun at {} and acknowledged at {}, is there",
            later.order,
            later.user,
            at(later.start),
            at(later.end)
        );
    }
    message
}

/// For every point at which the log may have been cut: the order that began last among those acknowledged before it
/// and still there. A lost order has a survivor after it exactly if it has this one.
struct Survivors<'a>(BTreeMap<Nanos, &'a Ack<'a>>);

impl<'a> Survivors<'a> {
    fn find(acks: &'a Acks<'a>, restarts: &[Window]) -> Survivors<'a> {
        let mut latest: BTreeMap<Nanos, &'a Ack<'a>> = BTreeMap::new();
        let cuts = || restarts.iter().map(|window| window.start).chain([Nanos(u64::MAX)]);
        for ack in acks.acks.iter().filter(|ack| ack.fate == Fate::Present) {
            for cut in cuts().filter(|&cut| ack.end < cut) {
                let entry = latest.entry(cut).or_insert(ack);
                if ack.start > entry.start {
                    *entry = ack;
                }
            }
        }
        Survivors(latest)
    }

    fn after(&self, lost: &Ack<'_>, restarts: &[Window]) -> Option<&'a Ack<'a>> {
        let survivor = *self.0.get(&unbroken_until(restarts, lost.start))?;
        (survivor.start > lost.end).then_some(survivor)
    }
}

/// How often an id was acknowledged again with a forced restart in between. `acks` are by order, then by time.
fn reused(acks: &[Ack<'_>], restarts: &[Window]) -> u64 {
    let again =
        |pair: &&[Ack<'_>]| pair[0].order == pair[1].order && between(restarts, pair[0].start, pair[1].end);
    acks.windows(2).filter(again).count() as u64
}
