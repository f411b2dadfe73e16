//! What is varied: the isolation level, and where readers read.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::Serialize;

use crate::suggest::hint;

/// A transaction isolation level as PostgreSQL has it; its READ UNCOMMITTED is READ COMMITTED (manual, "Transaction
/// Isolation").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
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

/// Where the sessions of a case that only read are connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Placement {
    /// Every session is on the primary.
    Primary,
    /// Those that only read are on a replica.
    Replica,
}

impl Placement {
    /// As files and flags have it.
    pub fn name(self) -> &'static str {
        match self {
            Placement::Primary => "primary",
            Placement::Replica => "replica",
        }
    }
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
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
}
