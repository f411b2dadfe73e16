//! What was found, in sentences.

use super::analysis::{Found, Trouble, Witness};
use super::anomaly::Order;
use super::explain::{Why, show};
use crate::history::txn::{TxnId, Txns};

impl Found {
    /// The transactions of its witness, in the order in which [`Found::because`] calls them `T1`, `T2`, …
    pub fn transactions(&self, txns: &Txns) -> Vec<TxnId> {
        match &self.witness {
            None => Vec::new(),
            Some(Witness::Cycle { steps, .. }) => steps.iter().map(|(txn, _)| *txn).collect(),
            Some(Witness::Case(case)) => {
                let mut ids: Vec<TxnId> = Vec::new();
                for &mop in &case.mops {
                    let txn = txns.mop(mop).0;
                    if !ids.contains(&txn) {
                        ids.push(txn);
                    }
                }
                ids
            }
        }
    }

    /// Why it cannot be, a sentence each; `T1` is the first of its transactions.
    pub fn because(&self, txns: &Txns) -> Vec<String> {
        match &self.witness {
            None => Vec::new(),
            Some(Witness::Cycle { steps, .. }) => {
                let name = |place: usize| format!("T{}", place % steps.len() + 1);
                let sentence = |(place, (_, why)): (usize, &(TxnId, Why))| {
                    let (one, other) = (name(place), name(place + 1));
                    format!("{one} < {other}, because {}", why.words(txns, &one, &other))
                };
                steps.iter().enumerate().map(sentence).collect()
            }
            Some(Witness::Case(case)) => {
                let ids = self.transactions(txns);
                let sentence = |&mop: &u32| {
                    let place = ids.iter().position(|&id| id == txns.mop(mop).0).unwrap_or(0);
                    format!("T{}: {}", place + 1, show(txns, mop))
                };
                case.mops.iter().map(sentence).collect()
            }
        }
    }

    /// The completions of its transactions, or where there is none the invocations: places among all events.
    pub fn events(&self, txns: &Txns) -> Vec<u64> {
        let event = |id: TxnId| {
            let txn = txns.txn(id);
            u64::from(if txn.completed == u32::MAX { txn.invoked } else { txn.completed })
        };
        self.transactions(txns).into_iter().map(event).collect()
    }
}

impl Trouble {
    /// In a sentence.
    pub fn words(&self, txns: &Txns) -> String {
        match self {
            Trouble::Empty => "No transaction was acknowledged, or none of them did anything.".to_owned(),
            Trouble::Twice(one, other) => {
                let (one, other) = (show(txns, *one), txns.mop(*other).0);
                format!("`{one}` is there twice, also in transaction {other}: who read it, does not know whose it is.")
            }
            Trouble::Mixed(key) => format!("{} is used as a list and as a register.", txns.key_name(*key)),
            Trouble::OnlyOrder(Order::Data) => "The history tells of no order of transactions.".to_owned(),
            Trouble::OnlyOrder(_) => {
                "The history tells of each session's order, not of real time: strong models are not judged.".to_owned()
            }
            Trouble::Undecided(_) => {
                "The budget ended before every anti-dependency was known to be the only one of a cycle or not.".to_owned()
            }
            Trouble::Unheard => {
                "The budget ended before it was known of every read whether its transaction had heard of what it missed."
                    .to_owned()
            }
        }
    }
}
