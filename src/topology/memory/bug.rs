//! The bugs that can be planted, each with what it does to an otherwise correct cluster.

use std::fmt;
use std::str::FromStr;

use super::store::{Row, Snapshot, Store, Write};
use crate::history::Table;

/// Commits between two occurrences of a recurring bug.
const PERIOD: u64 = 40;
/// Commits before a replica stops, and between two states that one goes back to: more than happen between two reads of one reader.
const AGE: u64 = 500;
/// Commits that a crash loses: more than there are clients, so that acknowledged ones are among them.
const LOST: usize = 60;
/// Increments that a replica hides.
const HIDDEN: i64 = 10;

/// What is wrong with the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// A crash of the primary loses the last commits, acknowledged or not.
    LostCommit,
    /// Now and then a commit is applied twice.
    DoubleApply,
    /// Now and then an order is stored under another price, another value than was written into a
    /// register, or another element than was inserted into a set.
    AlteredOrder,
    /// Now and then a replica shows the last transaction without its last write.
    TornOrder,
    /// Replicas stop replaying until the load has ended.
    Stale,
    /// Now and then a replica shows an older state than it has shown before, to reads of whole tables.
    Backwards,
    /// Replicas hold another price in one order.
    Diverged,
    /// Replicas hide the newest increments of the last counter, and the newest elements of every other list, though they
    /// show later ones of the others.
    LongFork,
    /// Now and then a transaction reads an older state than the one that it writes upon.
    LostUpdate,
}

impl Bug {
    /// All of them.
    pub const ALL: [Bug; 9] = [
        Bug::LostCommit,
        Bug::DoubleApply,
        Bug::AlteredOrder,
        Bug::TornOrder,
        Bug::Stale,
        Bug::Backwards,
        Bug::Diverged,
        Bug::LongFork,
        Bug::LostUpdate,
    ];

    /// The name that `--plant` takes.
    pub fn name(self) -> &'static str {
        match self {
            Bug::LostCommit => "lost-commit",
            Bug::DoubleApply => "double-apply",
            Bug::AlteredOrder => "altered-order",
            Bug::TornOrder => "torn-order",
            Bug::Stale => "stale",
            Bug::Backwards => "backwards",
            Bug::Diverged => "diverged",
            Bug::LongFork => "long-fork",
            Bug::LostUpdate => "lost-update",
        }
    }
}

impl fmt::Display for Bug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Bug {
    type Err = String;

    fn from_str(text: &str) -> Result<Bug, String> {
        Bug::ALL.into_iter().find(|bug| bug.name() == text).ok_or_else(|| {
            let names: Vec<&str> = Bug::ALL.iter().map(|bug| bug.name()).collect();
            format!("`{text}` is not a bug that can be planted; known are {}", names.join(", "))
        })
    }
}

/// A planted bug with what it has to remember.
#[derive(Debug)]
pub(super) struct Defect {
    bug: Option<Bug>,
    commits: u64,
    scans: u64,
    /// What undoes the last commits, oldest first.
    undo: Vec<Vec<Write>>,
    /// An older state: where replicas stopped, or what they go back to.
    older: Option<Store>,
}

impl Defect {
    pub(super) fn new(bug: Option<Bug>) -> Defect {
        Defect { bug, commits: 0, scans: 0, undo: Vec::new(), older: None }
    }

    pub(super) fn applies_twice(&self) -> bool {
        self.bug == Some(Bug::DoubleApply) && self.commits % PERIOD == PERIOD - 1
    }

    /// The older state that the next transaction reads, if it does.
    pub(super) fn seen(&self) -> Option<Store> {
        let is_due = self.bug == Some(Bug::LostUpdate) && self.commits % PERIOD == PERIOD / 2;
        self.older.clone().filter(|_| is_due)
    }

    /// What is written in place of what the client asked for.
    pub(super) fn alter(&self, writes: &mut [Write]) {
        if self.bug == Some(Bug::AlteredOrder) && self.commits % PERIOD == PERIOD - 1 {
            let mut orders = writes.iter_mut().filter(|write| write.table == Table::Orders);
            if let Some(row) = orders.next().and_then(|write| write.row.as_mut()) {
                bump(row, 1);
            }
            let mut registers = writes.iter_mut().filter(|write| write.table == Table::TxnRegister);
            if let Some(row) = registers.next().and_then(|write| write.row.as_mut()) {
                // Nobody else writes numbers that large.
                row[0] += 1 << 40;
            }
            let mut elements = writes.iter_mut().filter(|write| write.table == Table::SetElement);
            if let Some(write) = elements.next() {
                write.key += 1 << 60;
            }
        }
    }

    pub(super) fn committed(&mut self, store: &Store, undo: Vec<Write>) {
        self.commits += 1;
        if self.undo.len() == LOST {
            self.undo.remove(0);
        }
        self.undo.push(undo);
        let keeps_older = match self.bug {
            Some(Bug::Stale) => self.commits == AGE,
            Some(Bug::Backwards) => self.commits.is_multiple_of(AGE),
            Some(Bug::LostUpdate) => self.commits.is_multiple_of(PERIOD),
            _ => false,
        };
        if keeps_older {
            self.older = Some(store.clone());
        }
    }

    pub(super) fn crash(&mut self, store: &mut Store) {
        if self.bug == Some(Bug::LostCommit) {
            while let Some(undo) = self.undo.pop() {
                store.apply(undo);
            }
        }
    }

    pub(super) fn catch_up(&mut self) {
        // A replica that never came back would be a diverged one; that bug has its own place.
        if self.bug != Some(Bug::Diverged) {
            (self.bug, self.older) = (None, None);
        }
    }

    /// The state that a replica shows in place of the true one, to every read.
    pub(super) fn frozen(&self, on_primary: bool) -> Option<&Store> {
        if self.bug == Some(Bug::Stale) && !on_primary { self.older.as_ref() } else { None }
    }

    /// What a replica shows of whole tables.
    pub(super) fn distort(&mut self, store: &Store, mut shown: Snapshot, tables: &[Table]) -> Snapshot {
        self.scans += 1;
        match self.bug {
            Some(Bug::TornOrder) if self.scans.is_multiple_of(3) => {
                // Only an order has several writes; its last one, undone, is the stock.
                let order = self.undo.iter().rev().find(|undo| undo.len() > 1);
                if let Some(write) = order.and_then(|undo| undo.first()) {
                    put(&mut shown, write);
                }
            }
            Some(Bug::Backwards) if self.scans.is_multiple_of(5) => {
                if let Some(older) = &self.older {
                    shown = older.snapshot(tables);
                }
            }
            Some(Bug::Diverged) => {
                if let Some(row) = shown.get_mut(&Table::Orders).and_then(|rows| rows.values_mut().next()) {
                    bump(row, 1);
                }
            }
            Some(Bug::LongFork) => {
                let last = store.next_key(Table::UserCounter) - 1;
                if let Some(row) = shown.get_mut(&Table::UserCounter).and_then(|rows| rows.get_mut(&last)) {
                    row[0] = (row[0] - HIDDEN).max(0);
                }
                let lists = shown.get_mut(&Table::TxnList).into_iter().flatten();
                for (_, list) in lists.filter(|(key, _)| *key % 2 == 0) {
                    list.truncate(list.len().saturating_sub(HIDDEN as usize));
                }
            }
            _ => {}
        }
        shown
    }
}

fn put(shown: &mut Snapshot, write: &Write) {
    if let (Some(rows), Some(row)) = (shown.get_mut(&write.table), &write.row) {
        rows.insert(write.key, row.clone());
    }
}

fn bump(row: &mut Row, column: usize) {
    if let Some(value) = row.get_mut(column) {
        *value += 1;
    }
}
