//! Pure judgements over a history: no runtime, no clock, no files.
//!
//! A checker answers for one guarantee (or a few that rest on the same evidence), on the whole cluster or node by
//! node. Given an empty, cut or unsuitable history it says `Unknown` and why.

#[cfg(test)]
mod bench;
mod conservation;
mod convergence;
mod counter;
pub mod cycle;
mod draft;
mod durability;
#[cfg(test)]
mod failover;
mod fewest;
mod increments;
mod judgement;
mod ledger;
pub mod linear;
mod long_fork;
mod restarts;
mod session;
mod suite;
mod text;
mod walk;

use crate::history::{CounterOp, OrdersOp, Table};
use convergence::Convergence;

pub use increments::{Balance, Increments, Promise, Rows};
pub use judgement::{
    Checker, Claims, Count, EventRef, Evidence, Finding, Guarantee, Judgement, Lost, MAX_FINDINGS, Verdict,
    overall,
};

/// Every judgement of the order system.
pub fn orders(evidence: &Evidence<'_, OrdersOp>, claims: &Claims) -> Vec<Judgement> {
    let convergence = Convergence { tables: &[Table::Orders, Table::OrderDetails, Table::Inventory] };
    suite::run(&[&durability::Durability, &conservation::Conservation, &convergence], evidence, claims)
}

/// One `Unknown` for every claim that none of `judgements` answers for: nothing in the run shows it.
pub fn unjudged(judgements: &[Judgement], claims: &Claims) -> Vec<Judgement> {
    let claimed = claims.everywhere.union(&claims.on_primary);
    let open = claimed.filter(|&&guarantee| judgements.iter().all(|one| one.guarantee != guarantee));
    let judgement = |&guarantee: &Guarantee| Judgement {
        check: "none".to_owned(),
        workload: "any".to_owned(),
        guarantee,
        node: None,
        claimed: true,
        verdict: Verdict::Unknown,
        summary: "not judged: no workload of this run shows it".to_owned(),
        counts: Vec::new(),
        lost: None,
        violations: 0,
        findings: Vec::new(),
    };
    open.map(judgement).collect()
}

/// Every judgement of the counters.
pub fn counter(evidence: &Evidence<'_, CounterOp>, claims: &Claims) -> Vec<Judgement> {
    let convergence = Convergence { tables: &[Table::UserCounter] };
    suite::run(
        &[
            &counter::Counter,
            &session::ReadYourWrites,
            &session::MonotonicReads,
            &convergence,
            &long_fork::LongFork,
        ],
        evidence,
        claims,
    )
}
