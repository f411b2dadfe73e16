//! An order of the steps of all transactions.

use std::collections::BTreeSet;

use super::versions::Versions;
use super::{Deed, Turn};
use crate::history::txn::{Key, Mop, MopId, Status, TxnId, Txns};
use crate::isolation::Isolation;

/// What a read's place in the order rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// It sees what is committed on the one server that there is, as this level has it.
    OneServer(Isolation),
    /// What it saw had been written.
    Written,
}

/// Steps and which of them come before which.
struct Steps<'t> {
    txns: &'t Txns,
    /// Each transaction's first step: its begin. Its micro-operations and its end follow.
    first: Vec<u32>,
    turns: Vec<Turn>,
    before: BTreeSet<(u32, u32)>,
}

/// Orders in which every read sees what it saw, as far as `sight` can tell, and no write has to wait for another one; the
/// earliest in the history come first.
pub(super) fn interleavings(txns: &Txns, sight: Sight) -> impl Iterator<Item = Vec<Turn>> {
    Versions::of(txns).into_iter().filter_map(move |versions| interleaving(txns, &versions, sight))
}

fn interleaving(txns: &Txns, versions: &[Versions], sight: Sight) -> Option<Vec<Turn>> {
    let mut steps = Steps::new(txns);
    for (key, versions) in (0..).zip(versions) {
        if let Sight::OneServer(level) = sight {
            steps.known_writes(versions, level);
        }
        steps.reads(key, versions, sight)?;
    }
    if let Sight::OneServer(level) = sight {
        versions.iter().for_each(|versions| steps.other_writes(versions, level));
    }
    steps.sorted()
}

/// The order in which transactions began and ended, each one's statements as soon as it could.
pub(super) fn as_told(txns: &Txns) -> Vec<Turn> {
    let mut turns = Steps::new(txns).turns;
    turns.sort_by_key(|turn| place(txns, *turn));
    turns
}

/// When in the history a step is due.
fn place(txns: &Txns, turn: Turn) -> (u32, u32) {
    let txn = txns.txn(turn.txn);
    match turn.what {
        Deed::Begin => (txn.invoked, 0),
        Deed::Mop(mop) => (txn.invoked, mop + 1),
        Deed::End => (txn.completed, txn.invoked),
    }
}

impl<'t> Steps<'t> {
    /// With the orders that hold whatever is read: each transaction's, each process's, and real time's.
    fn new(txns: &'t Txns) -> Steps<'t> {
        let mut steps = Steps { txns, first: Vec::new(), turns: Vec::new(), before: BTreeSet::new() };
        for txn in 0..txns.len() as TxnId {
            steps.first.push(steps.turns.len() as u32);
            steps.turns.push(Turn { txn, what: Deed::Begin });
            steps.turns.extend(txns.mops_of(txn).map(|mop| Turn { txn, what: Deed::Mop(mop) }));
            steps.turns.push(Turn { txn, what: Deed::End });
            for step in steps.first[txn as usize]..steps.end(txn) {
                steps.before.insert((step, step + 1));
            }
            for other in 0..txn {
                let (earlier, later) = (txns.txn(other), txns.txn(txn));
                if earlier.process == later.process || earlier.completed < later.invoked {
                    steps.before.insert((steps.end(other), steps.first[txn as usize]));
                }
            }
        }
        steps
    }

    fn end(&self, txn: TxnId) -> u32 {
        self.first[txn as usize] + self.txns.mops_of(txn).len() as u32 + 1
    }

    fn at(&self, mop: MopId) -> u32 {
        let txn = self.txns.mop(mop).0;
        self.first[txn as usize] + 1 + (mop - self.txns.mops_of(txn).start)
    }

    /// When what `mop` sees is decided.
    fn sees_at(&self, mop: MopId, level: Isolation) -> u32 {
        match level {
            Isolation::ReadCommitted => self.at(mop),
            // A transaction's snapshot is taken when its first statement is sent.
            Isolation::RepeatableRead | Isolation::Serializable => {
                self.first[self.txns.mop(mop).0 as usize] + 1
            }
        }
    }

    /// Who writes a row waits for whoever did and is not over; with a snapshot, that one must have been over before it.
    fn write(&mut self, earlier: MopId, later: MopId, level: Isolation) {
        self.before.insert(self.written(earlier, later, level));
    }

    fn written(&self, earlier: MopId, later: MopId, level: Isolation) -> (u32, u32) {
        let [one, other] = [earlier, later].map(|mop| self.txns.mop(mop).0);
        let is_failed = [one, other].iter().any(|&txn| self.txns.txn(txn).status == Status::Fail);
        // What does not commit disturbs no snapshot, and one that failed may have failed at this.
        let level = if is_failed { Isolation::ReadCommitted } else { level };
        (self.end(one), self.sees_at(later, level))
    }

    /// The writes whose order the history tells.
    fn known_writes(&mut self, versions: &Versions, level: Isolation) {
        let known = &versions.writes[..versions.known];
        for pair in known.windows(2).filter(|pair| self.txns.mop(pair[0]).0 != self.txns.mop(pair[1]).0) {
            self.write(pair[0], pair[1], level);
        }
    }

    /// The others: as they were acknowledged, where nothing speaks against it.
    fn other_writes(&mut self, versions: &Versions, level: Isolation) {
        for (place, &later) in versions.writes.iter().enumerate().skip(versions.known) {
            for &earlier in &versions.writes[..place] {
                if self.txns.mop(earlier).0 == self.txns.mop(later).0 {
                    continue;
                }
                let (end, step) = self.written(earlier, later, level);
                if self.reaches(step, end) {
                    self.write(later, earlier, level);
                } else {
                    self.before.insert((end, step));
                }
            }
        }
    }

    fn reaches(&self, from: u32, to: u32) -> bool {
        let mut is_seen = vec![false; self.turns.len()];
        let mut open = vec![from];
        while let Some(step) = open.pop() {
            if step == to {
                return true;
            }
            for &(_, next) in self.before.range((step, 0)..=(step, u32::MAX)) {
                if !std::mem::replace(&mut is_seen[next as usize], true) {
                    open.push(next);
                }
            }
        }
        false
    }

    /// Each read after those that it saw, and before those that it did not see. `None`: that is impossible.
    fn reads(&mut self, key: Key, versions: &Versions, sight: Sight) -> Option<()> {
        for read in 0..self.txns.mops() as MopId {
            let (reader, of, what @ (Mop::List(_) | Mop::Read(_))) = self.txns.mop(read) else { continue };
            if of != key {
                continue;
            }
            let seen = versions.seen(self.txns, key, what);
            match sight {
                Sight::Written => {
                    for write in seen.unwrap_or_default() {
                        if self.txns.mop(write).0 != reader {
                            self.before.insert((self.at(write), self.at(read)));
                        }
                    }
                }
                Sight::OneServer(level) => {
                    let seen = seen?;
                    let step = self.sees_at(read, level);
                    for &write in &versions.writes {
                        let writer = self.txns.mop(write).0;
                        if writer == reader || self.txns.txn(writer).status == Status::Fail {
                            continue;
                        }
                        let end = self.end(writer);
                        let pair = if seen.contains(&write) { (end, step) } else { (step, end) };
                        self.before.insert(pair);
                    }
                }
            }
        }
        Some(())
    }

    fn sorted(self) -> Option<Vec<Turn>> {
        let count = self.turns.len();
        let mut open = vec![0u32; count];
        self.before.iter().for_each(|&(_, later)| open[later as usize] += 1);
        let due = |step: u32| (place(self.txns, self.turns[step as usize]), step);
        let mut ready: BTreeSet<((u32, u32), u32)> =
            (0..count as u32).filter(|&step| open[step as usize] == 0).map(due).collect();
        let mut turns = Vec::with_capacity(count);
        while let Some((_, step)) = ready.pop_first() {
            turns.push(self.turns[step as usize]);
            for &(_, later) in self.before.range((step, 0)..=(step, u32::MAX)) {
                open[later as usize] -= 1;
                if open[later as usize] == 0 {
                    ready.insert(due(later));
                }
            }
        }
        (turns.len() == count).then_some(turns)
    }
}
