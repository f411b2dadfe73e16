//! The set's operations: inserts of numbers that nobody else inserts, and reads of the whole set.

use serde::{Deserialize, Serialize};

use super::{Operation, Reply, Table, TableDigest};

/// What a client of the set does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetOp {
    /// A transaction of its own.
    Insert {
        /// Which number; no other operation of the run inserts it.
        element: i64,
    },
    /// The whole set, in one statement.
    Read,
    /// The same once the load has ended: none of the load.
    Last,
    /// Final read: the table, row for row, as digests.
    Digest {
        /// Which one.
        table: Table,
    },
}

/// The answers, in the order of the operations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetReply {
    /// It is in the set.
    Inserted,
    /// The elements as ranges without gaps, first and last of each, ascending: `[[1,100],[102,130]]`.
    Elements(Vec<(i64, i64)>),
    /// A table.
    Digest(TableDigest),
}

impl Operation for SetOp {
    type Reply = SetReply;

    fn is_read_only(&self) -> bool {
        !matches!(self, SetOp::Insert { .. })
    }

    fn name(&self) -> &'static str {
        match self {
            SetOp::Insert { .. } => "insert",
            SetOp::Read => "read the set",
            SetOp::Last => "last read",
            SetOp::Digest { .. } => "digest",
        }
    }

    fn is_load(&self) -> bool {
        matches!(self, SetOp::Insert { .. } | SetOp::Read)
    }
}

impl Reply for SetReply {
    fn digest(&self) -> Option<&TableDigest> {
        match self {
            SetReply::Digest(digest) => Some(digest),
            SetReply::Inserted | SetReply::Elements(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_is_as_short_as_its_gaps_are_few() {
        let reply = SetReply::Elements(vec![(1, 100), (102, 130)]);
        let text = r#"{"elements":[[1,100],[102,130]]}"#;
        assert_eq!(serde_json::to_string(&reply).unwrap(), text);
        assert_eq!(serde_json::from_str::<SetReply>(text).unwrap(), reply);
        let op = SetOp::Insert { element: 7 };
        assert_eq!(serde_json::to_string(&op).unwrap(), r#"{"insert":{"element":7}}"#);
    }
}
