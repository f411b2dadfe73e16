//! PostgreSQL's isolation levels: how a transaction is begun at each, and what it is called.

use serde::{Deserialize, Serialize};

use crate::workload::counter::Mistake;

/// An isolation level. Read uncommitted is read committed in PostgreSQL (manual, "Transaction Isolation").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Isolation {
    /// Each statement sees what was committed before it.
    ReadCommitted,
    /// All statements see what was committed before the first.
    RepeatableRead,
    /// As if one transaction ran after the other.
    Serializable,
}

impl Isolation {
    /// All of them, the weakest first.
    pub const ALL: [Isolation; 3] =
        [Isolation::ReadCommitted, Isolation::RepeatableRead, Isolation::Serializable];

    /// Its name in the tables.
    pub fn name(self) -> &'static str {
        match self {
            Isolation::ReadCommitted => "read-committed",
            Isolation::RepeatableRead => "repeatable-read",
            Isolation::Serializable => "serializable",
        }
    }

    /// Begins a transaction.
    pub fn begin(self) -> &'static str {
        match self {
            Isolation::ReadCommitted => "BEGIN ISOLATION LEVEL READ COMMITTED",
            Isolation::RepeatableRead => "BEGIN ISOLATION LEVEL REPEATABLE READ",
            Isolation::Serializable => "BEGIN ISOLATION LEVEL SERIALIZABLE",
        }
    }

    /// Whether a value that was read, changed in the client and written back may undo what others wrote in between.
    pub fn loses_updates(self) -> bool {
        self == Isolation::ReadCommitted
    }

    /// The level that is really used where `mistake` is made.
    pub(super) fn with(self, mistake: Option<Mistake>) -> Isolation {
        match mistake {
            Some(Mistake::Unguarded) => Isolation::ReadCommitted,
            Some(Mistake::DoubleApply) | None => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_weakest_level_loses_updates_and_that_is_what_unguarded_uses() {
        for level in Isolation::ALL {
            assert_eq!(level.loses_updates(), level == Isolation::ReadCommitted);
            assert!(level.with(Some(Mistake::Unguarded)).loses_updates());
            assert_eq!(level.with(Some(Mistake::DoubleApply)), level);
            assert_eq!(
                level.begin().to_lowercase().replace(' ', "-"),
                format!("begin-isolation-level-{}", level.name())
            );
        }
    }
}
