//! The counter's operations: in-place increments, and the reads that judge them.

use serde::{Deserialize, Serialize};

use super::{Operation, Reply, Table, TableDigest};

/// What a client of `user_counter` does. Keys are `user_id`s, from 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CounterOp {
    /// `SET counter = counter + 1`, a transaction of its own; answers the new value.
    Increment {
        /// Which counter.
        key: i32,
    },
    /// A reader reads the counter that its own writer increments.
    ReadOwn {
        /// Which counter.
        key: i32,
        /// The client thread of that writer; see [`Header::thread`](super::Header::thread).
        writer: u32,
    },
    /// Every counter, in one statement.
    ReadAll,
    /// Final read: the table, row for row, as digests.
    Digest {
        /// Which one.
        table: Table,
    },
}

/// The answers, in the order of the operations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CounterReply {
    /// The value after the increment.
    Incremented {
        /// `counter`.
        value: i64,
    },
    /// One counter.
    Value {
        /// `counter`.
        value: i64,
    },
    /// All counters; the one with key k is at k - 1, and 0 where its row is missing.
    All(Vec<i64>),
    /// A table.
    Digest(TableDigest),
}

impl Operation for CounterOp {
    type Reply = CounterReply;

    fn is_read_only(&self) -> bool {
        !matches!(self, CounterOp::Increment { .. })
    }

    fn name(&self) -> &'static str {
        match self {
            CounterOp::Increment { .. } => "increment",
            CounterOp::ReadOwn { .. } => "read own counter",
            CounterOp::ReadAll => "read all counters",
            CounterOp::Digest { .. } => "digest",
        }
    }

    fn is_load(&self) -> bool {
        !matches!(self, CounterOp::Digest { .. })
    }
}

impl Reply for CounterReply {
    fn digest(&self) -> Option<&TableDigest> {
        match self {
            CounterReply::Digest(digest) => Some(digest),
            CounterReply::Incremented { .. } | CounterReply::Value { .. } | CounterReply::All(_) => None,
        }
    }
}
