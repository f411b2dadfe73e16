//! One key's list: who wrote each version, who read it, and what does not fit.

use rustc_hash::FxHashMap;

use super::keyed::Scope;
use super::sessions::Touch;
use crate::history::txn::{Key, List, Mop, MopId, Txn, TxnId, Txns, Value};

/// No micro-operation.
pub(super) const NOBODY: MopId = MopId::MAX;
/// The version of an append that nobody saw.
pub(super) const UNSEEN: u32 = u32::MAX;

/// An append, and the version that it made: how many elements the list had after it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Append {
    pub(super) mop: MopId,
    pub(super) txn: TxnId,
    pub(super) version: u32,
}

/// A read that counts, and what it saw.
#[derive(Clone, Copy, Debug)]
pub(super) struct Read {
    pub(super) mop: MopId,
    pub(super) txn: TxnId,
    pub(super) list: List,
}

/// Everything about one key's list. Its vectors are used again for the next one.
#[derive(Debug)]
pub(super) struct ListKey<'t> {
    pub(super) txns: &'t Txns,
    pub(super) key: Key,
    /// The longest list.
    pub(super) spine: &'t [Value],
    /// Who appended each of its elements.
    pub(super) writers: Vec<MopId>,
    /// Whether its writer has replaced each of its elements itself.
    pub(super) intermediate: Vec<bool>,
    /// In the order of invocation.
    pub(super) appends: Vec<Append>,
    /// In the order of invocation; of transactions that were acknowledged.
    pub(super) reads: Vec<Read>,
    /// Reads and appends that fit the longest list, in their order.
    pub(super) touches: Vec<Touch>,
    /// Elements that more than one append has, with both.
    pub(super) twice: Vec<(MopId, MopId)>,
    /// Where the spine repeats an element.
    pub(super) repeats: Option<u32>,
    places: Places,
}

impl<'t> ListKey<'t> {
    pub(super) fn new(txns: &'t Txns) -> ListKey<'t> {
        ListKey {
            txns,
            key: 0,
            spine: &[],
            writers: Vec::new(),
            intermediate: Vec::new(),
            appends: Vec::new(),
            reads: Vec::new(),
            touches: Vec::new(),
            twice: Vec::new(),
            repeats: None,
            places: Places::default(),
        }
    }

    /// Looks at `key`, whose micro-operations are `mops`. False: it is no list.
    pub(super) fn load(&mut self, key: Key, mops: &[MopId], scope: Scope) -> bool {
        self.key = key;
        self.spine = self.txns.spine(key);
        self.repeats = self.places.load(self.spine);
        self.writers.clear();
        self.writers.resize(self.spine.len(), NOBODY);
        self.intermediate.clear();
        self.intermediate.resize(self.spine.len(), false);
        self.appends.clear();
        self.reads.clear();
        self.touches.clear();
        self.twice.clear();
        for &mop in mops {
            let (id, _, what) = self.txns.mop(mop);
            match what {
                Mop::Append(value) => self.append(mop, id, value),
                Mop::List(list) => {
                    if scope.reads(self.txns.txn(id).node) {
                        self.reads.push(Read { mop, txn: id, list });
                        if let List::Prefix(version) = list {
                            self.touches.push(Touch { txn: id, mop, version, is_write: false });
                        }
                    }
                }
                Mop::Unread => {}
                Mop::Write(_) | Mop::Read(_) => return false,
            }
        }
        self.unseen_twice();
        true
    }

    fn append(&mut self, mop: MopId, txn: TxnId, value: Value) {
        let version = match self.places.of(self.spine, value) {
            None => UNSEEN,
            Some(place) => {
                let writer = &mut self.writers[place as usize];
                match *writer {
                    NOBODY => *writer = mop,
                    other => self.twice.push((other, mop)),
                }
                place + 1
            }
        };
        if let Some(before) =
            self.appends.last().filter(|before| before.txn == txn && before.version != UNSEEN)
        {
            self.intermediate[before.version as usize - 1] = true;
        }
        self.appends.push(Append { mop, txn, version });
        self.touches.push(Touch { txn, mop, version, is_write: true });
    }

    fn unseen_twice(&mut self) {
        let value = |append: &Append| match self.txns.mop(append.mop).2 {
            Mop::Append(value) => value,
            _ => Value(0),
        };
        let mut unseen: Vec<(Value, MopId)> = self
            .appends
            .iter()
            .filter(|append| append.version == UNSEEN)
            .map(|append| (value(append), append.mop))
            .collect();
        unseen.sort_unstable();
        let twice =
            unseen.windows(2).filter(|pair| pair[0].0 == pair[1].0).map(|pair| (pair[0].1, pair[1].1));
        self.twice.extend(twice);
    }

    /// The transaction that made version `version` (from 1); `None` for the empty list and for garbage.
    pub(super) fn writer(&self, version: u32) -> Option<TxnId> {
        let mop = *self.writers.get((version as usize).checked_sub(1)?)?;
        (mop != NOBODY).then(|| self.txns.mop(mop).0)
    }

    /// Where an element stands in the spine.
    pub(super) fn place(&self, value: Value) -> Option<u32> {
        self.places.of(self.spine, value)
    }

    /// Those that may have committed a version after `version`.
    pub(super) fn after(&self, version: u32) -> Vec<TxnId> {
        let seen = (version + 1..=self.spine.len() as u32).filter_map(|version| self.writer(version));
        let all = seen.chain(self.unseen().map(|append| append.txn));
        all.filter(|&txn| self.txns.is_possible(txn)).collect()
    }

    pub(super) fn txn(&self, txn: TxnId) -> &'t Txn {
        self.txns.txn(txn)
    }

    /// The appends that nobody saw, of transactions that may have committed.
    pub(super) fn unseen(&self) -> impl Iterator<Item = &Append> {
        self.appends.iter().filter(|append| append.version == UNSEEN && self.txns.is_possible(append.txn))
    }
}

/// Where each element of a list stands. Elements of a key are mostly small numbers close to each other.
#[derive(Debug, Default)]
struct Places {
    least: i64,
    dense: Vec<u32>,
    sparse: FxHashMap<Value, u32>,
    is_dense: bool,
}

impl Places {
    /// Takes the elements of `spine`; where one repeats, its second place.
    fn load(&mut self, spine: &[Value]) -> Option<u32> {
        let least = spine.iter().map(|value| value.0).min().unwrap_or(0);
        let most = spine.iter().map(|value| value.0).max().unwrap_or(0);
        let width = most.checked_sub(least).and_then(|width| usize::try_from(width).ok());
        let width = width.filter(|&width| width < spine.len() * 8 + 64);
        self.is_dense = width.is_some();
        self.least = least;
        self.dense.clear();
        self.sparse.clear();
        let mut repeats = None;
        if let Some(width) = width {
            self.dense.resize(width + 1, NOBODY);
        }
        for (place, &value) in (0u32..).zip(spine) {
            let slot = if self.is_dense {
                &mut self.dense[(value.0 - least) as usize]
            } else {
                self.sparse.entry(value).or_insert(NOBODY)
            };
            match *slot {
                NOBODY => *slot = place,
                _ => repeats = repeats.or(Some(place)),
            }
        }
        repeats
    }

    fn of(&self, spine: &[Value], value: Value) -> Option<u32> {
        if !self.is_dense {
            return self.sparse.get(&value).copied();
        }
        let slot = value.0.checked_sub(self.least).and_then(|slot| usize::try_from(slot).ok())?;
        // A spine without elements has one slot.
        self.dense.get(slot).copied().filter(|&place| (place as usize) < spine.len())
    }
}
