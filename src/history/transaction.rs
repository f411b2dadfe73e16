//! Transactions on lists and registers: several micro-operations on several keys, committed together.

use serde::{Deserialize, Serialize};

use super::{Operation, Reply, Table, TableDigest};
use crate::lsn::Lsn;

/// One micro-operation, in the order in which the client sends them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Micro {
    /// Appends an element to a key's list; no other transaction of the run appends it to that key.
    Append(i64, i64),
    /// Reads a key: its list or its register, as the workload has it.
    Read(i64),
    /// Writes a key's register; no other transaction of the run writes that into it.
    Write(i64, i64),
}

impl Micro {
    /// Of what.
    pub fn key(&self) -> i64 {
        match *self {
            Micro::Append(key, _) | Micro::Read(key) | Micro::Write(key, _) => key,
        }
    }

    /// Whether it only reads.
    pub fn is_read(&self) -> bool {
        matches!(self, Micro::Read(_))
    }
}

/// What a client of lists or registers does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TxnOp {
    /// One transaction of the load.
    Transaction(Vec<Micro>),
    /// What is read once the load has ended: a transaction like any other, but none of the load.
    Last(Vec<Micro>),
    /// Final read: the table, row for row, as digests.
    Digest {
        /// Which one.
        table: Table,
    },
}

/// What one read saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Observed {
    /// A list; empty where the key has no row.
    List(Vec<i64>),
    /// A register; `None` where the key has no row.
    Register(Option<i64>),
}

/// The answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TxnReply {
    /// The transaction is committed.
    Committed(Committed),
    /// A table.
    Digest(TableDigest),
}

/// What is known of a transaction whose commit was acknowledged.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Committed {
    /// What its reads saw, in their order.
    pub reads: Vec<Observed>,
    /// The server's number of it, where it wrote (`pg_current_xact_id`, PostgreSQL 13 and newer).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub xid: Option<u64>,
    /// Where the log ended just before its last write (`pg_current_wal_insert_lsn`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lsn: Option<Lsn>,
}

impl TxnOp {
    /// The micro-operations; none of a digest.
    pub fn micros(&self) -> &[Micro] {
        match self {
            TxnOp::Transaction(micros) | TxnOp::Last(micros) => micros,
            TxnOp::Digest { .. } => &[],
        }
    }
}

impl Operation for TxnOp {
    type Reply = TxnReply;

    fn is_read_only(&self) -> bool {
        self.micros().iter().all(Micro::is_read)
    }

    fn name(&self) -> &'static str {
        match self {
            TxnOp::Transaction(_) if self.is_read_only() => "reading transaction",
            TxnOp::Transaction(_) => "transaction",
            TxnOp::Last(_) => "last read",
            TxnOp::Digest { .. } => "digest",
        }
    }

    fn is_load(&self) -> bool {
        matches!(self, TxnOp::Transaction(_))
    }
}

impl Reply for TxnReply {
    fn digest(&self) -> Option<&TableDigest> {
        match self {
            TxnReply::Digest(digest) => Some(digest),
            TxnReply::Committed(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_is_short_on_its_line() {
        let op = TxnOp::Transaction(vec![Micro::Append(3, 17), Micro::Read(4), Micro::Write(5, 6)]);
        let text = r#"{"transaction":[{"append":[3,17]},{"read":4},{"write":[5,6]}]}"#;
        assert_eq!(serde_json::to_string(&op).unwrap(), text);
        assert_eq!(serde_json::from_str::<TxnOp>(text).unwrap(), op);
        let reads = vec![Observed::List(vec![1, 2]), Observed::List(vec![]), Observed::Register(None)];
        let reply = TxnReply::Committed(Committed { reads, xid: Some(812), lsn: Lsn::new(0x10) });
        let text = r#"{"committed":{"reads":[[1,2],[],null],"xid":812,"lsn":"0/10"}}"#;
        assert_eq!(serde_json::to_string(&reply).unwrap(), text);
        assert_eq!(serde_json::from_str::<TxnReply>(text).unwrap(), reply);
    }

    #[test]
    fn what_only_reads_is_told_from_what_writes() {
        let of = |micros: Vec<Micro>| TxnOp::Transaction(micros).is_read_only();
        assert!(of(vec![Micro::Read(1), Micro::Read(2)]));
        assert!(!of(vec![Micro::Read(1), Micro::Append(2, 3)]));
    }
}
