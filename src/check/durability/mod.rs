//! Orders: is everything that was acknowledged still there, and is nothing there that nobody asked for?
//!
//! Rests on the final ledger of the primary. An order is told by its id *and* the process that placed it: after a
//! crash that loses the end of the log, PostgreSQL's sequence hands the lost ids out again, and the order that is
//! found under the id is another one.
//!
//! A **gap** is a lost order although an order that was invoked after its acknowledgement, and acknowledged before
//! the next abrupt restart or failover of the primary, is still there. The log is written in order and a crash cuts off its end
//! only, so no setting of `synchronous_commit` explains a gap (PostgreSQL manual, "Asynchronous Commit"): what is
//! lost in a crash is the end of what was acknowledged. Real time is the yardstick rather than the session, because
//! it holds within every session and between them.
//!
//! An acknowledgement that came with a warning (a wait for a standby that was cancelled) is counted apart, and is an
//! acknowledgement all the same: the server said that the commit is on its own disk. It also said that nobody else may
//! have it, so that its loss in a failover is told, and is no counter-example.

mod acks;
mod exactly_once;
mod kept;

use super::ledger::Ledger;
use super::restarts;
use super::walk::last_write;
use super::{Checker, Claims, Evidence, Guarantee, Judgement};
use crate::history::OrdersOp;
use acks::Acks;

/// Judges the orders against the final ledger of the primary.
pub(super) struct Durability;

impl Checker<OrdersOp> for Durability {
    fn name(&self) -> &'static str {
        "durability"
    }

    fn guarantees(&self) -> &'static [Guarantee] {
        &[Guarantee::Durability, Guarantee::ExactlyOnce]
    }

    fn check(&self, evidence: &Evidence<'_, OrdersOp>, claims: &Claims) -> Vec<Judgement> {
        let history = evidence.history;
        let load_end = last_write(history);
        let ledger = match evidence.primaries().last() {
            Some(primary) => Ledger::read(history, primary, load_end),
            None => Err("nobody knows who is the primary at the end".to_owned()),
        };
        let restarts = restarts::cuts(evidence);
        let acks = Acks::read(history, ledger.as_ref().ok());
        vec![
            kept::judge(evidence, claims, &acks, &ledger, &restarts),
            exactly_once::judge(evidence, claims, &acks, &ledger, &restarts),
        ]
    }
}

#[cfg(test)]
mod tests;
