//! One key's register: who wrote each version, who read it, and which versions are known to follow which.

use rustc_hash::FxHashMap;

use super::component::{Components, components};
use super::graph::{Arrow, Graph, Kind, Kinds, Node};
use super::keyed::Scope;
use super::list::NOBODY;
use super::register_time;
use super::sessions::Touch;
use crate::history::txn::{Key, Mop, MopId, Status, TxnId, Txns, Value};

/// The version that is there before anybody wrote.
pub(super) const NOTHING: u32 = 0;

/// A value of the register.
#[derive(Clone, Copy, Debug)]
pub(super) struct Version {
    /// Who wrote it.
    pub(super) writer: MopId,
    /// Whether its writer replaced it itself.
    pub(super) is_intermediate: bool,
}

/// What one transaction that may have committed did to the register, seen from outside.
#[derive(Clone, Copy, Debug)]
pub(super) struct Access {
    pub(super) txn: TxnId,
    /// Its first read, if nothing was written before: the micro-operation and the version.
    pub(super) read: Option<(MopId, u32)>,
    /// Its last write.
    pub(super) write: Option<(MopId, u32)>,
}

/// Everything about one key's register.
#[derive(Debug)]
pub(super) struct RegisterKey<'t> {
    pub(super) txns: &'t Txns,
    pub(super) key: Key,
    pub(super) versions: Vec<Version>,
    /// In the order of invocation.
    pub(super) accesses: Vec<Access>,
    pub(super) touches: Vec<Touch>,
    pub(super) twice: Vec<(MopId, MopId)>,
    /// Each version's next ones, as far as is known, and acyclic: `Ww` where transactions say so, `TimedWw` where only real
    /// time does.
    next: Graph,
    /// In topological order.
    pub(super) order: Components,
    /// Whether what transactions read and wrote has no order.
    pub(super) is_cyclic: bool,
    numbers: FxHashMap<Value, u32>,
}

/// What transactions say of the order of versions.
pub(super) const SURE: Kinds = Kinds::of(&[Kind::Ww]);
/// What real time says, too.
pub(super) const TIMED: Kinds = Kinds::of(&[Kind::Ww, Kind::TimedWw]);

impl<'t> RegisterKey<'t> {
    /// Looks at `key`, whose micro-operations are `mops`. `None`: it is no register.
    pub(super) fn load(txns: &'t Txns, key: Key, mops: &[MopId], scope: Scope) -> Option<RegisterKey<'t>> {
        let mut register = RegisterKey {
            txns,
            key,
            versions: vec![Version { writer: NOBODY, is_intermediate: false }],
            accesses: Vec::new(),
            touches: Vec::new(),
            twice: Vec::new(),
            next: Graph::default(),
            order: Components::default(),
            is_cyclic: false,
            numbers: FxHashMap::default(),
        };
        let mut within: Vec<(u32, u32)> = Vec::new();
        for of_one in mops.chunk_by(|a, b| txns.mop(*a).0 == txns.mop(*b).0) {
            register.access(of_one, scope, &mut within)?;
        }
        register.arrange(&within);
        Some(register)
    }

    /// One transaction's micro-operations; the versions that it replaced itself go to `within`.
    fn access(&mut self, mops: &[MopId], scope: Scope, within: &mut Vec<(u32, u32)>) -> Option<()> {
        let (txn, ..) = self.txns.mop(*mops.first()?);
        let row = self.txns.txn(txn);
        let mut access = Access { txn, read: None, write: None };
        for &mop in mops {
            match self.txns.mop(mop).2 {
                Mop::Write(value) => {
                    let version = self.written(value, mop);
                    if let Some((_, before)) = access.write.replace((mop, version)) {
                        self.versions[before as usize].is_intermediate = true;
                        within.push((before, version));
                    }
                    self.touches.push(Touch { txn, mop, version, is_write: true });
                }
                Mop::Read(value) if scope.reads(row.node) => {
                    let version = value.map_or(NOTHING, |value| self.number(value));
                    if access.write.is_none() && access.read.is_none() {
                        access.read = Some((mop, version));
                    }
                    self.touches.push(Touch { txn, mop, version, is_write: false });
                }
                Mop::Read(_) | Mop::Unread => {}
                Mop::Append(_) | Mop::List(_) => return None,
            }
        }
        if row.status != Status::Fail {
            self.accesses.push(access);
        }
        Some(())
    }

    fn number(&mut self, value: Value) -> u32 {
        let versions = &mut self.versions;
        *self.numbers.entry(value).or_insert_with(|| {
            versions.push(Version { writer: NOBODY, is_intermediate: false });
            versions.len() as u32 - 1
        })
    }

    fn written(&mut self, value: Value, mop: MopId) -> u32 {
        let number = self.number(value);
        let writer = &mut self.versions[number as usize].writer;
        match *writer {
            NOBODY => *writer = mop,
            other => self.twice.push((other, mop)),
        }
        number
    }

    /// Finds out which versions follow which: what a transaction wrote comes after what it had read or written before, and
    /// what was written after somebody had been told of a version comes after that version.
    fn arrange(&mut self, within: &[(u32, u32)]) {
        let mut sure: Vec<(u32, u32)> = within.to_vec();
        for access in &self.accesses {
            if let (Some((_, read)), Some((_, write))) = (access.read, access.write) {
                sure.push((read, write));
            }
        }
        sure.retain(|(before, after)| before != after);
        let count = self.versions.len();
        let graph = |sure: &[(u32, u32)], timed: &[(u32, u32)]| {
            Graph::new(count, |add| {
                sure.iter().for_each(|&(from, to)| add(from, Arrow::new(to, Kind::Ww)));
                timed.iter().for_each(|&(from, to)| add(from, Arrow::new(to, Kind::TimedWw)));
            })
        };
        let alone = components(&graph(&sure, &[]), SURE);
        self.is_cyclic = alone.cyclic().contains(&true);
        sure.retain(|&(from, to)| alone.of(from) != alone.of(to));
        sure.sort_unstable();
        sure.dedup();
        // Before all of them, there was nothing.
        let mut has_before = vec![false; count];
        sure.iter().for_each(|&(_, to)| has_before[to as usize] = true);
        sure.extend(
            (1..count as u32).filter(|&version| !has_before[version as usize]).map(|first| (NOTHING, first)),
        );
        sure.sort_unstable();
        // Where time contradicts the transactions themselves, it does not order versions: the cycle is one of transactions.
        let mut timed = register_time::follows(self);
        let together = components(&graph(&sure, &timed), TIMED);
        timed.retain(|&(from, to)| {
            together.of(from) != together.of(to) && sure.binary_search(&(from, to)).is_err()
        });
        timed.sort_unstable();
        timed.dedup();
        self.next = graph(&sure, &timed);
        self.order = components(&self.next, TIMED);
    }

    /// The transaction that wrote `version`.
    pub(super) fn writer(&self, version: u32) -> Option<TxnId> {
        let mop = self.versions[version as usize].writer;
        (mop != NOBODY).then(|| self.txns.mop(mop).0)
    }

    /// The versions that are known to follow `version` directly, by which kind.
    pub(super) fn next(&self, version: u32, kinds: Kinds) -> impl Iterator<Item = u32> {
        let arrows = self.next.from(version).iter();
        arrows.filter(move |arrow| kinds.has(arrow.kind())).map(|arrow| arrow.to())
    }

    /// Those that may have written a version after that of `value`, as transactions say.
    pub(super) fn after(&self, value: Option<Value>) -> Vec<TxnId> {
        let version = value.map_or(Some(NOTHING), |value| self.numbers.get(&value).copied());
        let mut is_after = vec![false; self.versions.len()];
        let mut all: Vec<u32> = version.into_iter().collect();
        let mut place = 0;
        while let Some(&version) = all.get(place) {
            place += 1;
            for next in self.next(version, SURE) {
                if !std::mem::replace(&mut is_after[next as usize], true) {
                    all.push(next);
                }
            }
        }
        let writers = all.into_iter().skip(1).filter_map(|version| self.writer(version));
        writers.filter(|&txn| self.txns.is_possible(txn)).collect()
    }

    /// Whether transactions say that `one` comes before `other`.
    pub(super) fn is_before(&self, one: u32, other: u32) -> bool {
        if self.order.of(one) >= self.order.of(other) {
            return false;
        }
        let mut seen: Vec<Node> = vec![one];
        let mut place = 0;
        while let Some(&version) = seen.get(place) {
            place += 1;
            for next in self.next(version, SURE) {
                if next == other {
                    return true;
                }
                // No way leads back, and nothing beyond the other one leads to it.
                if self.order.of(next) < self.order.of(other) && !seen.contains(&next) {
                    seen.push(next);
                }
            }
        }
        false
    }
}
