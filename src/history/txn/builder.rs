//! Makes columns of transactions that come one event after the other.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::txns::{KEYS, Row, TXNS};
use super::{Key, List, Mop, Status, Txn, TxnId, Txns, Value, Values};
use crate::history::{Nanos, NodeName};

/// Why an event is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// More than the columns can number.
    #[error("there are more than {0} {1}")]
    TooMany(u64, &'static str),
}

/// A micro-operation as it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen<'a> {
    /// Appended an element.
    Append(Value),
    /// Read a list.
    List(&'a [Value]),
    /// Wrote a register.
    Write(Value),
    /// Read a register.
    Read(Option<Value>),
    /// Read, and nobody knows what.
    Unread,
}

/// Takes invocations in their order, and their completions.
#[derive(Debug, Default)]
pub struct Builder {
    made: Txns,
    keys: FxHashMap<Value, Key>,
    nodes: BTreeMap<NodeName, u16>,
    /// The longest list that does not fit its spine, by key.
    longest_odd: FxHashMap<Key, u32>,
    /// The key of each odd list.
    odd_keys: Vec<Key>,
}

impl Builder {
    /// For keys' names and values.
    pub fn values(&mut self) -> &mut Values {
        &mut self.made.values
    }

    /// A node's number.
    pub fn node(&mut self, name: NodeName) -> u16 {
        let nodes = &mut self.made.nodes;
        let next = nodes.len() as u16;
        *self.nodes.entry(name).or_insert_with(|| {
            nodes.push(name);
            next
        })
    }

    /// How many transactions were invoked.
    pub fn len(&self) -> usize {
        self.made.txns.len()
    }

    /// Whether none was.
    pub fn is_empty(&self) -> bool {
        self.made.txns.is_empty()
    }

    /// Process `process` begins a transaction on `node`: the `event`th event of all, at `time`. Until it is completed,
    /// nobody knows how it ended.
    pub fn invoke(&mut self, process: u32, node: u16, event: u32, time: Nanos) -> Result<TxnId, Refused> {
        let id = self.made.txns.len() as u32;
        if id >= TXNS {
            return Err(Refused::TooMany(u64::from(TXNS), "transactions"));
        }
        self.made.txns.push(Txn {
            first: 0,
            count: 0,
            process,
            node,
            status: Status::Info,
            invoked: event,
            completed: u32::MAX,
            start: time,
            end: time,
        });
        Ok(id)
    }

    /// The transaction is over, and what it did was not told yet: the `event`th event of all, at `time`.
    pub fn complete(&mut self, txn: TxnId, status: Status, event: u32, time: Nanos) {
        let txn = &mut self.made.txns[txn as usize];
        assert!(txn.count == 0, "what a transaction did is told after its end");
        (txn.status, txn.completed, txn.end) = (status, event, time);
    }

    /// What the transaction did; called once for each, after it was completed, also for those that never were, with what they
    /// asked for. What a transaction read that was not acknowledged is not kept: it may have been aborted, and models say
    /// nothing of what those see. Nor do its reads tell in which order others wrote.
    pub fn mops<'s>(
        &mut self,
        txn: TxnId,
        mops: impl IntoIterator<Item = (Value, Seen<'s>)>,
    ) -> Result<(), Refused> {
        let first = self.made.mops.len();
        let is_acknowledged = self.made.txns[txn as usize].status == Status::Ok;
        for (name, seen) in mops {
            let key = self.key(name)?;
            let mop = match seen {
                Seen::Append(value) => Mop::Append(value),
                Seen::List(_) | Seen::Read(_) if !is_acknowledged => Mop::Unread,
                Seen::List(list) => Mop::List(self.list(key, list)?),
                Seen::Write(value) => Mop::Write(value),
                Seen::Read(value) => Mop::Read(value),
                Seen::Unread => Mop::Unread,
            };
            self.made.mops.push(Row::new(txn, key, mop));
        }
        let end = self.made.mops.len();
        if end >= u32::MAX as usize {
            return Err(Refused::TooMany(u64::from(u32::MAX), "operations"));
        }
        let txn = &mut self.made.txns[txn as usize];
        (txn.first, txn.count) = (first as u32, (end - first) as u32);
        Ok(())
    }

    /// No more events.
    pub fn finish(mut self) -> Txns {
        self.lengthen();
        let made = &mut self.made;
        made.txns.shrink_to_fit();
        made.mops.shrink_to_fit();
        self.made
    }

    fn key(&mut self, name: Value) -> Result<Key, Refused> {
        if let Some(&key) = self.keys.get(&name) {
            return Ok(key);
        }
        let key = self.made.keys.len() as u32;
        if key >= KEYS {
            return Err(Refused::TooMany(u64::from(KEYS), "keys"));
        }
        self.keys.insert(name, key);
        self.made.keys.push(name);
        self.made.spines.push(Vec::new());
        Ok(key)
    }

    fn list(&mut self, key: Key, list: &[Value]) -> Result<List, Refused> {
        let spine = &mut self.made.spines[key as usize];
        let common = list.len().min(spine.len());
        if list[..common] == spine[..common] {
            spine.extend_from_slice(&list[common..]);
            return Ok(List::Prefix(list.len() as u32));
        }
        let number = self.made.odd.len() as u32;
        if number == u32::MAX || list.len() >= u32::MAX as usize {
            return Err(Refused::TooMany(u64::from(u32::MAX), "lists"));
        }
        let longest = self.longest_odd.entry(key).or_insert(number);
        if self.made.odd.get(*longest as usize).is_some_and(|odd| odd.len() < list.len()) {
            *longest = number;
        }
        self.made.odd.push(list.into());
        self.odd_keys.push(key);
        Ok(List::Odd(number))
    }

    /// Where a list that does not fit the spine is longer, it becomes the spine: the longest list is the version order.
    fn lengthen(&mut self) {
        let made = &mut self.made;
        let longer = |key: Key, odd: u32| made.odd[odd as usize].len() > made.spines[key as usize].len();
        let replaced: Vec<(Key, u32)> = self
            .longest_odd
            .iter()
            .map(|(&key, &odd)| (key, odd))
            .filter(|&(key, odd)| longer(key, odd))
            .collect();
        if replaced.is_empty() {
            return;
        }
        let mut before: FxHashMap<Key, Vec<Value>> = FxHashMap::default();
        for (key, odd) in replaced {
            let spine = made.odd[odd as usize].to_vec();
            before.insert(key, std::mem::replace(&mut made.spines[key as usize], spine));
        }
        for row in &mut made.mops {
            let (key, Mop::List(list)) = (row.key(), row.mop()) else { continue };
            let Some(old) = before.get(&key) else { continue };
            let elements: Box<[Value]> = match list {
                List::Prefix(length) => old[..length as usize].into(),
                List::Odd(number) => made.odd[number as usize].clone(),
            };
            let fits = made.spines[key as usize].starts_with(&elements);
            let list = match list {
                _ if fits => List::Prefix(elements.len() as u32),
                List::Odd(number) => List::Odd(number),
                List::Prefix(_) => {
                    made.odd.push(elements);
                    List::Odd(made.odd.len() as u32 - 1)
                }
            };
            *row = Row::new(row.txn, key, Mop::List(list));
        }
    }
}
