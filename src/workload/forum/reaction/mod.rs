//! Reactions: each user adds one to the same thread, and raises its total. A reaction that nobody counts is orphaned.

mod compare_and_set;
mod repeatable_read;
mod row_lock;
mod transactional;

pub(in crate::workload) use compare_and_set::CompareAndSet;
pub(in crate::workload) use transactional::Transactional;

use serde::{Deserialize, Serialize};

/// The user's account, which has to be there.
pub(super) const READ_ACCOUNT: &str = "SELECT username::text, is_deleted FROM account WHERE id = $1";
const READ: &str = "SELECT total_reaction, version FROM thread WHERE id = 'thread-1'";
const INSERT: &str = "INSERT INTO reaction (id, account_id, thread_id, content, created_on, version) \
    VALUES ($1, $2, 'thread-1', 'like', now(), 1)";
const WRITE: &str =
    "UPDATE thread SET total_reaction = $1, version = $2, updated_on = now() WHERE id = 'thread-1'";

/// The total, and how many there are.
pub(super) const LEFT: &str =
    "SELECT total_reaction, (SELECT count(*) FROM reaction) FROM thread WHERE id = 'thread-1'";

/// How a reaction is added and counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reaction {
    /// `SELECT … FOR UPDATE` of the thread, at read committed.
    RowLock,
    /// At repeatable read; again after 40001.
    RepeatableRead,
    /// Without a transaction: the total is written if the version is still the one that was read.
    CompareAndSet,
}

impl Reaction {
    /// All of them, in the original's order.
    pub const ALL: [Reaction; 3] = [Reaction::RowLock, Reaction::RepeatableRead, Reaction::CompareAndSet];

    /// Its name in the tables.
    pub fn name(self) -> &'static str {
        match self {
            Reaction::RowLock => "row-lock",
            Reaction::RepeatableRead => "repeatable-read",
            Reaction::CompareAndSet => "compare-and-set",
        }
    }

    /// What it does, in a few words.
    pub(super) fn about(self) -> &'static str {
        match self {
            Reaction::RowLock => row_lock::RECIPE.about,
            Reaction::RepeatableRead => repeatable_read::RECIPE.about,
            Reaction::CompareAndSet => compare_and_set::ABOUT,
        }
    }
}

/// A transaction that reads, inserts, and writes.
#[derive(Debug)]
struct Recipe {
    about: &'static str,
    begin: &'static str,
    /// Answers total and version of the thread.
    read: &'static str,
}
