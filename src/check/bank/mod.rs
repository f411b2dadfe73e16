//! Accounts among which money is moved: what all of them hold together never changes, so that every read of all of them
//! has the same total (Jepsen's `bank` workload, whose anomalies' names these are).
//!
//! A read with another total saw a part of a transfer. That is all that a total shows: which transfers a read contains is
//! not judged here, so that a stale read, or a transfer that was lost as a whole, is none.

mod isolated;
#[cfg(test)]
mod tests;
mod total;

use std::collections::{BTreeMap, BTreeSet};

use super::Verdict;
use crate::history::NodeName;
use crate::history::txn::{Status, Value};

pub(super) use isolated::Isolated;
pub use total::Total;

/// What a client did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Moved an amount.
    Transfer {
        /// The account that it is taken from.
        from: Value,
        /// The account that it is given to.
        to: Value,
        /// How much.
        amount: i64,
    },
    /// Read all accounts at once; a balance of `None` was there, and nil. Of a read that is not [`Status::Ok`], nothing is
    /// looked at.
    Read(Vec<(Value, Option<i64>)>),
}

/// One operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Where.
    pub node: NodeName,
    /// Place of its invocation among all events.
    pub invoked: u32,
    /// Place of its completion, if there is one.
    pub completed: Option<u32>,
    /// How it ended.
    pub status: Status,
    /// What it did.
    pub action: Action,
}

/// What has to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// What all accounts hold together; else the reads tell.
    pub total: Option<i64>,
    /// The accounts that there are; else those that a transfer names, or at least half of the reads have.
    pub accounts: Option<BTreeSet<Value>>,
    /// Whether a balance may be less than zero.
    pub may_be_negative: bool,
}

/// What is wrong with a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Anomaly {
    /// It has an account that there is none of.
    UnexpectedKey,
    /// It has an account without a balance.
    NilBalance,
    /// Its balances have another total. Not looked at where it has one of the two above, as Jepsen does not.
    WrongTotal,
    /// It has a balance that is less than zero.
    NegativeValue,
}

/// The reads with one anomaly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Which one.
    pub anomaly: Anomaly,
    /// How many reads have it.
    pub count: u64,
    /// The call that shows it best: the one with the fewest such accounts, or whose total is off by the least.
    pub call: u32,
    /// Its accounts that are wrong, with what they hold; none for a wrong total.
    pub accounts: Vec<(Value, Option<i64>)>,
    /// Its total, of a wrong one.
    pub total: Option<i128>,
    /// A transfer of just the amount that the total is off by: it is as if one half of it had been seen.
    pub half: Option<u32>,
}

/// What one node's readers saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// Acknowledged reads.
    pub reads: u64,
    /// Of these, with an anomaly.
    pub wrong: u64,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bank {
    /// What every read was compared with.
    pub total: Total,
    /// Acknowledged reads.
    pub reads: u64,
    /// Of these, reads that have a total: with no account that is unexpected or nil.
    pub comparable: u64,
    /// Transfers that were acknowledged, of unknown outcome, and that certainly did not happen.
    pub transfers: [u64; 3],
    /// The anomalies, each with how often it is there.
    pub found: Vec<Found>,
    /// By node, where somebody read.
    pub nodes: BTreeMap<NodeName, Node>,
}

impl Anomaly {
    /// As Jepsen calls it.
    pub fn name(self) -> &'static str {
        match self {
            Anomaly::UnexpectedKey => "unexpected-key",
            Anomaly::NilBalance => "nil-balance",
            Anomaly::WrongTotal => "wrong-total",
            Anomaly::NegativeValue => "negative-value",
        }
    }

    /// In one sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            Anomaly::UnexpectedKey => {
                "a read has an account that no transfer names, and most reads do not have"
            }
            Anomaly::NilBalance => "a read has an account without a balance",
            Anomaly::WrongTotal => "the balances of a read have another total than the accounts have",
            Anomaly::NegativeValue => "a read has a balance that is less than zero",
        }
    }
}

impl Bank {
    /// One verdict. Without two reads, or one and the total, nothing was compared.
    pub fn verdict(&self) -> Verdict {
        match self.total {
            _ if !self.found.is_empty() => Verdict::Fail,
            _ if self.comparable == 0 => Verdict::Unknown,
            Total::Given(_) | Total::Most { .. } => Verdict::Pass,
            Total::Untold => Verdict::Unknown,
        }
    }
}

/// A read, and its place among the calls.
struct Read<'c> {
    call: u32,
    node: NodeName,
    balances: &'c [(Value, Option<i64>)],
}

impl Read<'_> {
    /// What it has in all, where it can be told.
    fn total(&self, accounts: &BTreeSet<Value>) -> Option<i128> {
        self.balances.iter().try_fold(0, |sum, (account, balance)| {
            accounts.contains(account).then_some(sum + i128::from((*balance)?))
        })
    }

    fn accounts(&self, is_wrong: impl Fn(&(Value, Option<i64>)) -> bool) -> Vec<(Value, Option<i64>)> {
        self.balances.iter().copied().filter(is_wrong).collect()
    }
}

/// Judges every acknowledged read, on whatever node.
pub fn check(calls: &[Call], rules: &Rules) -> Bank {
    let mut reads: Vec<Read<'_>> = Vec::new();
    let mut transfers = [0; 3];
    for (number, call) in (0..).zip(calls) {
        match (&call.action, call.status) {
            (Action::Read(balances), Status::Ok) => {
                reads.push(Read { call: number, node: call.node, balances })
            }
            (Action::Read(_), _) => {}
            (Action::Transfer { .. }, Status::Ok) => transfers[0] += 1,
            (Action::Transfer { .. }, Status::Info) => transfers[1] += 1,
            (Action::Transfer { .. }, Status::Fail) => transfers[2] += 1,
        }
    }
    let accounts = rules.accounts.clone().unwrap_or_else(|| total::accounts(calls, &reads));
    let total = match rules.total {
        Some(total) => Total::Given(total),
        None => total::most(reads.iter().filter_map(|read| read.total(&accounts))),
    };
    let mut bank = Bank {
        total,
        reads: reads.len() as u64,
        comparable: reads.iter().filter(|read| read.total(&accounts).is_some()).count() as u64,
        transfers,
        found: Vec::new(),
        nodes: BTreeMap::new(),
    };
    let mut found: BTreeMap<Anomaly, Found> = BTreeMap::new();
    for read in &reads {
        let wrong = anomalies(read, &accounts, total.expected(), rules);
        let node = bank.nodes.entry(read.node).or_default();
        node.reads += 1;
        node.wrong += u64::from(!wrong.is_empty());
        for one in wrong {
            let size = |found: &Found| (off(found, total), found.accounts.len());
            found
                .entry(one.anomaly)
                .and_modify(|best| {
                    let count = best.count + 1;
                    if size(&one) < size(best) {
                        *best = one.clone();
                    }
                    best.count = count;
                })
                .or_insert(one);
        }
    }
    bank.found = found.into_values().collect();
    for one in &mut bank.found {
        one.half = total::half(calls, one, total);
    }
    bank
}

/// By how much a total is off.
fn off(found: &Found, total: Total) -> u128 {
    match (found.total, total.expected()) {
        (Some(seen), Some(expected)) => seen.abs_diff(expected),
        _ => 0,
    }
}

/// What is wrong with one read.
fn anomalies(
    read: &Read<'_>,
    accounts: &BTreeSet<Value>,
    expected: Option<i128>,
    rules: &Rules,
) -> Vec<Found> {
    let mut wrong = Vec::new();
    let mut add = |anomaly, accounts: Vec<_>, total: Option<i128>| {
        if !accounts.is_empty() || total.is_some() {
            wrong.push(Found { anomaly, count: 1, call: read.call, accounts, total, half: None });
        }
    };
    add(Anomaly::UnexpectedKey, read.accounts(|(account, _)| !accounts.contains(account)), None);
    add(Anomaly::NilBalance, read.accounts(|(_, balance)| balance.is_none()), None);
    let total = read.total(accounts).filter(|&total| expected.is_some_and(|expected| total != expected));
    add(Anomaly::WrongTotal, Vec::new(), total);
    if !rules.may_be_negative {
        let is_negative = |(_, balance): &(Value, Option<i64>)| balance.is_some_and(|balance| balance < 0);
        add(Anomaly::NegativeValue, read.accounts(is_negative), None);
    }
    wrong
}
