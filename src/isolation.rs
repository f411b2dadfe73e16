//! PostgreSQL's transaction isolation levels.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::suggest::hint;

/// A transaction isolation level as PostgreSQL has it; its READ UNCOMMITTED is READ COMMITTED (manual, "Transaction
/// Isolation").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Isolation {
    /// A new snapshot for every statement.
    ReadCommitted,
    /// One snapshot for the transaction: snapshot isolation.
    RepeatableRead,
    /// Snapshot isolation that refuses what no serial order explains.
    Serializable,
}

impl Isolation {
    /// From the weakest to the strongest.
    pub const ALL: [Isolation; 3] =
        [Isolation::ReadCommitted, Isolation::RepeatableRead, Isolation::Serializable];

    /// As files and flags have it.
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

    /// As SQL has it.
    pub fn sql(self) -> &'static str {
        match self {
            Isolation::ReadCommitted => "read committed",
            Isolation::RepeatableRead => "repeatable read",
            Isolation::Serializable => "serializable",
        }
    }
}

impl fmt::Display for Isolation {
    /// As SQL has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sql())
    }
}

/// Not a level.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{typed}` is not an isolation level of PostgreSQL's{near}: read-committed, repeatable-read, serializable"
)]
pub struct UnknownIsolation {
    typed: String,
    near: String,
}

impl FromStr for Isolation {
    type Err = UnknownIsolation;

    /// With a hyphen or a space, in any case.
    fn from_str(text: &str) -> Result<Isolation, UnknownIsolation> {
        let wanted = text.trim().to_ascii_lowercase().replace([' ', '_'], "-");
        Isolation::ALL.into_iter().find(|level| level.name() == wanted).ok_or_else(|| UnknownIsolation {
            typed: text.to_owned(),
            near: hint(&wanted, Isolation::ALL.map(Isolation::name)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_read_as_people_write_them() {
        for text in ["repeatable-read", "Repeatable Read", "repeatable_read"] {
            assert_eq!(text.parse(), Ok(Isolation::RepeatableRead));
        }
        let refused = "serialisable".parse::<Isolation>().unwrap_err().to_string();
        assert!(refused.contains("did you mean `serializable`?"), "{refused}");
    }

    #[test]
    fn a_level_is_called_the_same_everywhere() {
        for level in Isolation::ALL {
            assert_eq!(level.begin(), format!("BEGIN ISOLATION LEVEL {}", level.sql().to_uppercase()));
            assert_eq!(level.sql().replace(' ', "-"), level.name());
            assert_eq!(level.loses_updates(), level == Isolation::ReadCommitted);
        }
    }
}
