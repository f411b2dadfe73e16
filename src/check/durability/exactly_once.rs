//! Exactly once: nothing is there that nobody asked for, and no id is acknowledged twice without a crash between.

use super::acks::{Ack, Acks, Rest};
use crate::check::draft::Draft;
use crate::check::ledger::Ledger;
use crate::check::restarts::{Window, between};
use crate::check::text::{at, count, plural};
use crate::check::{Claims, Evidence, Guarantee, Judgement};
use crate::history::{LedgerLine, OrdersOp};

pub(super) fn judge(
    evidence: &Evidence<'_, OrdersOp>,
    claims: &Claims,
    acks: &Acks<'_>,
    ledger: &Result<Ledger<'_>, String>,
    restarts: &[Window],
) -> Judgement {
    let mut draft = Draft::new("durability", Guarantee::ExactlyOnce, None, evidence, claims);
    let primary = evidence.primaries().last();
    match (ledger, primary) {
        (Ok(ledger), Some(primary)) => {
            ledger.doubt(primary).into_iter().for_each(|reason| draft.doubt(reason));
        }
        (Err(reason), _) => draft.doubt(reason),
        (Ok(_), None) => {}
    }
    if acks.acks.is_empty() {
        draft.doubt("nothing was acknowledged, so nothing can be said");
    }

    let mut twice = 0u64;
    for pair in acks.acks.windows(2) {
        let [first, second] = pair else { continue };
        if first.order != second.order || between(restarts, first.start, second.end) {
            continue;
        }
        twice += 1;
        draft.violation(&[first.event, second.event], || {
            format!(
                "order {} was acknowledged twice, to process {} at {} and to process {} at {}, with no forced restart or failover of the primary in between",
                first.order,
                first.user,
                at(first.end),
                second.user,
                at(second.end)
            )
        });
    }

    let mut surplus = 0u64;
    let reads = ledger.as_ref().map(|ledger| ledger.events.as_slice()).unwrap_or_default();
    for (&user, lines) in &acks.unclaimed {
        let told = acks.rest.get(&user).copied();
        let rest = told.unwrap_or_default();
        let explains = rest.explains(lines);
        let unexplained = lines.len() - usize::from(explains);
        for line in &lines[..unexplained] {
            surplus += 1;
            draft.violation(reads, || explain(line.order, user, told.is_some(), rest, explains));
        }
    }
    for (ack, line) in &acks.altered {
        let events: Vec<u64> = std::iter::once(ack.event).chain(reads.iter().copied()).collect();
        draft.violation(&events, || altered(ack, line));
    }
    let lines = ledger.as_ref().map_or(0, |ledger| ledger.lines().count() as u64);
    draft.count("orders there", lines);
    draft.count("there before the load", acks.earlier);
    draft.count("explained by an unknown outcome", acks.unknown_present());
    draft.count("that nobody was told of", surplus);
    draft.count("acknowledged twice", twice);
    draft.count("with other contents than asked for", acks.altered.len() as u64);
    draft.count("definite failures", acks.rest.values().map(|rest| rest.failed).sum());
    let looked = match ledger {
        Ok(_) => format!("{} there, {} that nobody was told of", plural(lines, "order"), count(surplus)),
        Err(_) => format!("{} acknowledged", plural(acks.acks.len() as u64, "order")),
    };
    let altered = count(acks.altered.len() as u64);
    draft.finish(format!("{looked}, {} acknowledged twice, {altered} with other contents", count(twice)))
}

fn altered(ack: &Ack<'_>, line: &LedgerLine) -> String {
    let OrdersOp::Order { product, quantity, price } = *ack.op else { return String::new() };
    format!(
        "order {} of process {} asked for {quantity} of product {product} at {price} hundredths, and holds {} of product {} at {} in its detail and {} as its price",
        ack.order, ack.user, line.quantity, line.product, line.subtotal, line.price
    )
}

fn explain(order: i32, user: u32, known: bool, rest: Rest<'_>, explains: bool) -> String {
    let unknown = match rest.unknown {
        Some(_) if explains => "one operation of unknown outcome, which explains another order",
        Some(_) => "one operation of unknown outcome, which was for something else",
        None => "no operation of unknown outcome",
    };
    match rest.failed {
        _ if !known => format!("order {order} belongs to {user}, a process that placed no order in this run"),
        0 => format!(
            "order {order} of process {user} is there without an acknowledgement: the process had {unknown} and no failure, so something was applied twice"
        ),
        failed => format!(
            "order {order} of process {user} is there without an acknowledgement: the process had {unknown} and {}, so one that was reported as failed happened, or something was applied twice",
            plural(failed, "definite failure")
        ),
    }
}
