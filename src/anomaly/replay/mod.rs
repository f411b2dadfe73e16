//! A history of a few transactions as a case: statements, in an order in which a server gives what was read.
//!
//! A history tells when a transaction began and ended, not when each of its statements was answered. So an order is looked for
//! in which PostgreSQL would give the same reads: at repeatable read, where a transaction sees what was committed before its
//! first statement, then at read committed, where each statement does (manual, "Transaction Isolation"). What is found is
//! played in memory before it is believed. Where transactions ran on several nodes, read committed is tried only where it is
//! asked for: one server that gives the same reads because each statement has a snapshot of its own shows something else.

mod case;
mod numbers;
mod order;
mod server;
pub mod statements;
#[cfg(test)]
mod tests;
mod versions;

use super::Case;
use crate::history::NodeName;
use crate::history::txn::{MopId, TxnId, Txns};
use crate::isolation::Isolation;
use numbers::Numbers;
use order::{Sight, interleavings};

pub use numbers::Numbered;

/// One step of one transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Whose.
    pub txn: TxnId,
    /// What it does.
    pub what: Deed,
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Begins.
    Begin,
    /// One micro-operation.
    Mop(MopId),
    /// Commits, or rolls back if that is how it ended.
    End,
}

/// What a playing of the steps is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fidelity {
    /// One PostgreSQL server at the replay's level gives what was read.
    OneServer,
    /// No order was found in which one server would; the transactions ran on several nodes, and what they saw rests on when
    /// each of them showed what.
    SeveralNodes,
    /// No order was found in which a PostgreSQL server would give what was read.
    NoServer,
    /// Nothing was played in memory: at serializable, where a server may refuse what it gives at repeatable read, or because
    /// there are too many steps.
    Unplayed,
}

/// A session: a process on a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// `s1`, in the case.
    pub name: String,
    /// The process of the history.
    pub process: u32,
    /// Where it ran.
    pub node: NodeName,
}

/// A history as something to play.
#[derive(Clone, Debug, PartialEq)]
pub struct Replay {
    /// The steps, with what was read as what to look for; transactions are T1, T2, … in the order of their invocation.
    pub case: Case,
    /// The steps of the case, one for one.
    pub turns: Vec<Turn>,
    /// The level that the steps are for.
    pub level: Isolation,
    /// The levels at which an order was looked for, the one that was found last.
    pub tried: Vec<Isolation>,
    /// What a playing is worth.
    pub fidelity: Fidelity,
    /// Who plays.
    pub clients: Vec<Client>,
    /// Keys and values that are no numbers in the history.
    pub numbered: Vec<Numbered>,
}

/// More steps are not put into another order.
const STEPS: usize = 500;

/// `txns` as a case called `name`, at `level` or else at the strongest of repeatable read and, where all ran on one node, read
/// committed that gives what was read.
pub fn replay(txns: &Txns, name: &str, level: Option<Isolation>) -> Replay {
    let (turns, tried, level, fidelity) = arranged(txns, level);
    let (clients, of_txn) = clients(txns);
    let numbers = Numbers::new(txns);
    let case = case::case(txns, name, &turns, fidelity, &clients, &of_txn, &numbers);
    Replay { case, turns, level, tried, fidelity, clients, numbered: numbers.numbered() }
}

fn arranged(txns: &Txns, level: Option<Isolation>) -> (Vec<Turn>, Vec<Isolation>, Isolation, Fidelity) {
    let is_small = txns.mops() + 2 * txns.len() <= STEPS;
    let is_one = txns.all().iter().all(|txn| txn.node == txns.txn(0).node);
    let levels = match level {
        Some(level) => vec![level],
        None if is_one => vec![Isolation::RepeatableRead, Isolation::ReadCommitted],
        None => vec![Isolation::RepeatableRead],
    };
    let mut tried = Vec::new();
    for &level in levels.iter().filter(|_| is_small) {
        tried.push(level);
        let mut orders = interleavings(txns, Sight::OneServer(level));
        let found = match level {
            Isolation::Serializable => orders.next().map(|turns| (turns, Fidelity::Unplayed)),
            _ => orders
                .find(|turns| server::gives(txns, turns, level))
                .map(|turns| (turns, Fidelity::OneServer)),
        };
        if let Some((turns, fidelity)) = found {
            return (turns, tried, level, fidelity);
        }
    }
    if !is_small {
        return (order::as_told(txns), tried, levels[0], Fidelity::Unplayed);
    }
    let fidelity = if is_one { Fidelity::NoServer } else { Fidelity::SeveralNodes };
    let seen = interleavings(txns, Sight::Written).next();
    let turns = seen.unwrap_or_else(|| order::as_told(txns));
    (turns, tried, levels[0], fidelity)
}

/// Who plays, and which of them each transaction is.
fn clients(txns: &Txns) -> (Vec<Client>, Vec<usize>) {
    let mut clients: Vec<Client> = Vec::new();
    let of = |txn: &crate::history::txn::Txn| {
        let node = txns.nodes()[usize::from(txn.node)];
        let known = clients.iter().position(|client| client.process == txn.process && client.node == node);
        known.unwrap_or_else(|| {
            let name = format!("s{}", clients.len() + 1);
            clients.push(Client { name, process: txn.process, node });
            clients.len() - 1
        })
    };
    let of_txn = txns.all().iter().map(of).collect();
    (clients, of_txn)
}
