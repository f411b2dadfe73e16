//! Transactions on lists or registers: which consistency each node gives by itself, and all of them together.
//!
//! A node's isolation level promises a model about what is read there: PostgreSQL's read committed is read committed, its
//! repeatable read is snapshot isolation, its serializable is serializable (manual, "Transaction Isolation"); a replica
//! has no serializable transactions, and its snapshots are the primary's states in the order of the log. Nobody promises
//! that the nodes' snapshots agree with each other: commits become visible on the primary in another order than they
//! stand in the log (see [`long_fork`](super::long_fork)).

mod durable;
mod observed;
mod once;
#[cfg(test)]
mod tests;
mod verdict;

use std::sync::OnceLock;

use super::cycle::{Analysis, Model, Order, Scope, analyze, find};
use super::draft::Draft;
use super::text::{count, plural};
use super::{Checker, Claims, Evidence, Guarantee, Judgement};
use crate::history::txn::{Status, Txns, recorded};
use crate::history::{NodeName, TxnOp};
use crate::isolation::Isolation;

pub(super) use durable::Durable;
pub(super) use once::Once;

/// A history in columns, judged whole and for each node's readers alone.
#[derive(Debug)]
pub struct Analyses {
    /// The transactions.
    pub txns: Txns,
    /// What is promised of all nodes' readers by themselves.
    pub model: &'static Model,
    /// All of it.
    pub whole: Analysis,
    /// Each node's readers.
    pub alone: Vec<(NodeName, Analysis)>,
}

/// Judges the isolation of each node, and of all of them together. Keeps the analyses that it made.
pub(super) struct Isolated {
    pub(super) level: Isolation,
    pub(super) analyses: OnceLock<Analyses>,
}

impl Isolated {
    /// What is promised of reads on a node that was the primary, or a replica, at the start.
    fn model(&self, on_primary: bool) -> &'static Model {
        let name = match self.level {
            Isolation::ReadCommitted => "read-committed",
            Isolation::Serializable if on_primary => "serializable",
            Isolation::RepeatableRead | Isolation::Serializable => "snapshot-isolation",
        };
        find(name).expect("it is one of the models")
    }
}

impl Checker<TxnOp> for Isolated {
    fn name(&self) -> &'static str {
        "isolation"
    }

    fn guarantees(&self) -> &'static [Guarantee] {
        &[Guarantee::Isolation, Guarantee::SnapshotOrder]
    }

    fn check(&self, evidence: &Evidence<'_, TxnOp>, claims: &Claims) -> Vec<Judgement> {
        let draft = |guarantee, node| Draft::new(self.name(), guarantee, node, evidence, claims);
        let txns = match recorded::transactions(evidence.history) {
            Ok(txns) => txns,
            Err(refused) => {
                let unjudged = |guarantee| {
                    let mut draft = draft(guarantee, None);
                    draft.doubt(refused.to_string());
                    draft.finish("not judged")
                };
                return self.guarantees().iter().map(|&guarantee| unjudged(guarantee)).collect();
            }
        };
        let whole = analyze(&txns, Scope::Whole, Order::RealTime);
        let number = |node: &NodeName| txns.nodes().iter().position(|one| one == node);
        let mut alone: Vec<(NodeName, Analysis)> = Vec::new();
        let mut judgements = Vec::new();
        let mut refuted = Vec::new();
        for node in evidence.nodes {
            let mut draft = draft(Guarantee::Isolation, Some(*node));
            let Some(number) = number(node).and_then(|number| u16::try_from(number).ok()) else {
                draft.doubt(format!("no transaction was ever sent to {node}"));
                judgements.push(draft.finish("nothing judged"));
                continue;
            };
            let model = self.model(evidence.nodes.first() == Some(node));
            let analysis = analyze(&txns, Scope::Node(number), Order::RealTime);
            let read = txns.all().iter().filter(|txn| txn.node == number && txn.status == Status::Ok).count();
            if read == 0 {
                draft.doubt(format!("no transaction was acknowledged on {node}"));
            }
            if verdict::judge(&mut draft, &txns, &analysis, model) {
                refuted.push(*node);
            }
            verdict::stale(&mut draft, &analysis, number);
            judgements.push(draft.finish(format!(
                "{} at {} on {node}, {}{}",
                plural(read as u64, "transaction"),
                self.shown(*node, evidence),
                verdict::words(&analysis, model),
                verdict::staleness(&analysis, number)
            )));
            alone.push((*node, analysis));
        }
        let mut draft = draft(Guarantee::SnapshotOrder, None);
        let model = self.model(false);
        let disagree = verdict::judge(&mut draft, &txns, &whole, model);
        let mut summary = format!(
            "{} acknowledged on {}, judged together: {}",
            plural(whole.committed, "transaction"),
            plural(alone.len() as u64, "node"),
            verdict::words(&whole, model)
        );
        if disagree && refuted.is_empty() {
            summary += &format!("; each node by itself keeps to {}, together they do not", model.name);
            if let Some(places) = verdict::long_forks(&whole, model) {
                draft.count("places with a long fork", places);
                summary += &format!(
                    ": readers of two nodes saw commits in different orders (long fork, in {})",
                    plural(places, "place")
                );
            }
        } else if disagree {
            let nodes: Vec<&str> = refuted.iter().map(|node| node.as_str()).collect();
            summary += &format!("; {} by {} alone", count(refuted.len() as u64), nodes.join(", "));
        }
        judgements.push(draft.finish(summary));
        // A second check of the same evidence would find the same.
        drop(self.analyses.set(Analyses { txns, model, whole, alone }));
        judgements
    }
}

impl Isolated {
    /// The level at which a node's readers read.
    fn shown(&self, node: NodeName, evidence: &Evidence<'_, TxnOp>) -> Isolation {
        match self.level {
            Isolation::Serializable if evidence.nodes.first() != Some(&node) => Isolation::RepeatableRead,
            level => level,
        }
    }
}
