//! Operations of Jepsen's workloads that are no transactions, as they were read. Nothing here judges them.

use crate::history::txn::{Status, Value, Values};
use crate::history::{Nanos, NodeName};

/// An operation of one process, and what it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation<A> {
    /// Who ran it, one operation at a time.
    pub process: u32,
    /// Where; the primary where the file names no node.
    pub node: NodeName,
    /// Which object, in a history of several that are independent of each other.
    pub key: Option<Value>,
    /// Place of its invocation among all events of clients, from 0.
    pub invoked: u32,
    /// Place of its completion; `None`: it never completed.
    pub completed: Option<u32>,
    /// When it was invoked.
    pub start: Nanos,
    /// When it completed; its start if it never did.
    pub end: Nanos,
    /// How it ended; [`Status::Info`] if it never completed.
    pub status: Status,
    /// What it did.
    pub action: A,
}

/// All operations of a history, in the order of their invocation.
#[derive(Clone, Debug)]
pub struct Operations<A> {
    /// The operations.
    pub all: Vec<Operation<A>>,
    /// What the values in them are called.
    pub values: Values,
}

/// Accounts among which money is moved: what all of them hold together never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BankAction {
    /// Moves an amount, which the file may have as negative or as zero.
    Transfer {
        /// The account that it is taken from.
        from: Value,
        /// The account that it is given to.
        to: Value,
        /// How much.
        amount: i64,
    },
    /// Reads all accounts at once. `None`: nobody knows what it saw. A balance of `None` is one that was read as nil.
    Read(Option<Vec<(Value, Option<i64>)>>),
}

/// A set that only grows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetAction {
    /// Adds an element.
    Add(Value),
    /// Reads the whole set, in the order of the file, with what the file has twice. `None`: nobody knows what it saw.
    Read(Option<Vec<Value>>),
}

/// A counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CounterAction {
    /// Adds to it; what is negative takes from it.
    Add(i64),
    /// Reads it. `None`: nobody knows what it saw.
    Read(Option<i64>),
}

/// What is done to a register that is compared and set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegisterAction {
    /// Reads it. `None`: there was nothing, or, if the operation is not [`Status::Ok`], nobody knows what it saw.
    Read(Option<Value>),
    /// Overwrites it.
    Write(Value),
    /// Writes `new` if it holds `old`. [`Status::Fail`] says that it did not hold it, or that nothing was tried.
    CompareAndSet {
        /// What it has to hold.
        old: Value,
        /// What it holds afterwards.
        new: Value,
    },
}
