//! Pure judgements over a history: no runtime, no clock, no files.
//!
//! A checker answers for one guarantee (or a few that rest on the same evidence), on the whole cluster or node by
//! node. Given an empty, cut or unsuitable history it says `Unknown` and why.

pub mod bank;
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
mod set;
mod suite;
mod text;
mod transactions;
mod walk;

use std::sync::OnceLock;

use crate::history::{BankOp, CounterOp, OrdersOp, SetOp, Table, TxnOp};
use crate::isolation::Isolation;
use convergence::Convergence;

pub use increments::{Balance, Increments, Promise, Rows};
pub use judgement::{
    Checker, Claims, Count, EventRef, Evidence, Finding, Guarantee, Judgement, Lost, MAX_FINDINGS, Verdict,
    overall,
};
pub use transactions::Analyses;

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

/// Every judgement of counters that belong to one client each.
pub fn counters(evidence: &Evidence<'_, CounterOp>, claims: &Claims) -> Vec<Judgement> {
    let convergence = Convergence { tables: &[Table::UserCounter] };
    suite::run(
        &[&counter::Counter, &session::MonotonicReads, &convergence, &long_fork::LongFork, &long_fork::Alone],
        evidence,
        claims,
    )
}

/// What transactions on lists or registers show.
pub struct Transactions {
    /// Every judgement.
    pub judgements: Vec<Judgement>,
    /// What they rest on; `None` where the check crashed or the history does not fit.
    pub analyses: Option<Analyses>,
}

/// Every judgement of transactions on lists, which were made at `level`.
pub fn append(evidence: &Evidence<'_, TxnOp>, claims: &Claims, level: Isolation) -> Transactions {
    let convergence = Convergence { tables: &[Table::TxnList] };
    judge(&[&transactions::Durable, &transactions::Once, &convergence], evidence, claims, level)
}

/// Every judgement of transactions on registers, which were made at `level`.
pub fn register(evidence: &Evidence<'_, TxnOp>, claims: &Claims, level: Isolation) -> Transactions {
    let convergence = Convergence { tables: &[Table::TxnRegister] };
    judge(&[&transactions::Once, &convergence], evidence, claims, level)
}

/// Every judgement of the bank.
pub fn bank(evidence: &Evidence<'_, BankOp>, claims: &Claims) -> Vec<Judgement> {
    let convergence = Convergence { tables: &[Table::BankAccount] };
    suite::run(&[&bank::Isolated, &convergence], evidence, claims)
}

/// Every judgement of the set.
pub fn set(evidence: &Evidence<'_, SetOp>, claims: &Claims) -> Vec<Judgement> {
    let convergence = Convergence { tables: &[Table::SetElement] };
    suite::run(&[&set::Kept, &set::Visible, &convergence], evidence, claims)
}

fn judge(
    others: &[&dyn Checker<TxnOp>],
    evidence: &Evidence<'_, TxnOp>,
    claims: &Claims,
    level: Isolation,
) -> Transactions {
    let isolated = transactions::Isolated { level, analyses: OnceLock::new() };
    let mut judgements = suite::run(&[&isolated], evidence, claims);
    judgements.extend(suite::run(others, evidence, claims));
    Transactions { judgements, analyses: isolated.analyses.into_inner() }
}
