//! The columns, and what is read from them.

use super::{Value, Values};
use crate::history::{Nanos, NodeName};

/// A transaction's number: they are numbered in the order of their invocation.
pub type TxnId = u32;
/// A key's number, in the order of its first use.
pub type Key = u32;
/// A micro-operation's number.
pub type MopId = u32;

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Its commit was acknowledged.
    Ok,
    /// It certainly did not commit.
    Fail,
    /// It may have committed, and may still commit.
    Info,
}

/// What a read of a list saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// The first elements of the key's spine, so many.
    Prefix(u32),
    /// Something else: [`Txns::list`] has its elements.
    Odd(u32),
}

/// What a micro-operation did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mop {
    /// Appended an element to a list.
    Append(Value),
    /// Read a list.
    List(List),
    /// Wrote a register.
    Write(Value),
    /// Read a register; `None`: nothing was there.
    Read(Option<Value>),
    /// Read, and nobody knows what.
    Unread,
}

/// A micro-operation in two words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// The kind in the top three bits.
    pub(super) key: u32,
    pub(super) txn: TxnId,
    pub(super) argument: i64,
}

/// The most keys.
pub(super) const KEYS: u32 = 1 << 29;
/// The most transactions: who makes a graph of them has numbers left for as many other vertices.
pub(super) const TXNS: u32 = 1 << 28;

impl Row {
    pub(super) fn new(txn: TxnId, key: Key, mop: Mop) -> Row {
        let (kind, argument) = match mop {
            Mop::Append(value) => (0, value.0),
            Mop::List(List::Prefix(length)) => (1, i64::from(length)),
            Mop::List(List::Odd(number)) => (2, i64::from(number)),
            Mop::Write(value) => (3, value.0),
            Mop::Read(Some(value)) => (4, value.0),
            Mop::Read(None) => (5, 0),
            Mop::Unread => (6, 0),
        };
        Row { key: key | kind << 29, txn, argument }
    }

    pub(super) fn mop(self) -> Mop {
        match self.key >> 29 {
            0 => Mop::Append(Value(self.argument)),
            1 => Mop::List(List::Prefix(self.argument as u32)),
            2 => Mop::List(List::Odd(self.argument as u32)),
            3 => Mop::Write(Value(self.argument)),
            4 => Mop::Read(Some(Value(self.argument))),
            5 => Mop::Read(None),
            _ => Mop::Unread,
        }
    }

    pub(super) fn key(self) -> Key {
        self.key & (KEYS - 1)
    }
}

/// One transaction's own row.
#[derive(Clone, Copy, Debug)]
pub struct Txn {
    /// Where its micro-operations begin.
    pub(super) first: MopId,
    pub(super) count: u32,
    /// Who ran it, one transaction at a time.
    pub process: u32,
    /// Which node it ran on: [`Txns::nodes`].
    pub node: u16,
    /// How it ended.
    pub status: Status,
    /// Place of its invocation among all events.
    pub invoked: u32,
    /// Place of its completion; `u32::MAX` if there is none.
    pub completed: u32,
    /// When it was invoked.
    pub start: Nanos,
    /// When it completed.
    pub end: Nanos,
}

/// Transactions; immutable. Made by a [`Builder`](super::Builder).
#[derive(Clone, Debug, Default)]
pub struct Txns {
    pub(super) txns: Vec<Txn>,
    pub(super) mops: Vec<Row>,
    pub(super) keys: Vec<Value>,
    pub(super) spines: Vec<Vec<Value>>,
    pub(super) odd: Vec<Box<[Value]>>,
    pub(super) nodes: Vec<NodeName>,
    pub(super) values: Values,
}

impl Txns {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.txns.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.txns.is_empty()
    }

    /// All of them, by number.
    pub fn all(&self) -> &[Txn] {
        &self.txns
    }

    /// One of them.
    pub fn txn(&self, txn: TxnId) -> &Txn {
        &self.txns[txn as usize]
    }

    /// How many keys there are.
    pub fn keys(&self) -> usize {
        self.keys.len()
    }

    /// How many micro-operations there are.
    pub fn mops(&self) -> usize {
        self.mops.len()
    }

    /// The numbers of a transaction's micro-operations, in their order.
    pub fn mops_of(&self, txn: TxnId) -> std::ops::Range<MopId> {
        let Txn { first, count, .. } = self.txns[txn as usize];
        first..first + count
    }

    /// A micro-operation, with its transaction and key.
    pub fn mop(&self, mop: MopId) -> (TxnId, Key, Mop) {
        let row = self.mops[mop as usize];
        (row.txn, row.key(), row.mop())
    }

    /// The longest list that was read of `key`.
    pub fn spine(&self, key: Key) -> &[Value] {
        &self.spines[key as usize]
    }

    /// The elements of a list of `key`.
    pub fn list(&self, key: Key, list: List) -> &[Value] {
        match list {
            List::Prefix(length) => &self.spines[key as usize][..length as usize],
            List::Odd(number) => &self.odd[number as usize],
        }
    }

    /// The nodes, by [`Txn::node`].
    pub fn nodes(&self) -> &[NodeName] {
        &self.nodes
    }

    /// A key's name.
    pub fn key_name(&self, key: Key) -> std::borrow::Cow<'_, str> {
        self.values.show(self.keys[key as usize])
    }

    /// A value as it was written.
    pub fn show(&self, value: Value) -> std::borrow::Cow<'_, str> {
        self.values.show(value)
    }

    /// Whether a transaction's commit was acknowledged or may have happened.
    pub fn is_possible(&self, txn: TxnId) -> bool {
        self.txns[txn as usize].status != Status::Fail
    }

    /// When the last event was.
    pub fn end(&self) -> Nanos {
        self.txns.iter().map(|txn| txn.end.max(txn.start)).max().unwrap_or_default()
    }
}
