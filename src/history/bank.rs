//! The bank's operations: transfers between accounts, and reads of all of them at once.

use serde::{Deserialize, Serialize};

use super::{Operation, Reply, Table, TableDigest};

/// What a client of the bank does. Accounts are numbered from 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BankOp {
    /// Reads two balances and writes both back, in one transaction. Refused where the first would become less than zero.
    Transfer {
        /// The account that it is taken from.
        from: i64,
        /// The account that it is given to.
        to: i64,
        /// How much, more than nothing.
        amount: i64,
    },
    /// All accounts, in one statement.
    Read,
    /// The same before the load, and once it has ended: none of the load.
    Audit,
    /// Final read: the table, row for row, as digests.
    Digest {
        /// Which one.
        table: Table,
    },
}

/// The answers, in the order of the operations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BankReply {
    /// What the transfer has left in its two accounts.
    Transferred {
        /// In the one that it was taken from.
        from: i64,
        /// In the one that it was given to.
        to: i64,
    },
    /// Accounts with what they hold, in the order of their numbers.
    Balances(Vec<(i64, i64)>),
    /// A table.
    Digest(TableDigest),
}

impl Operation for BankOp {
    type Reply = BankReply;

    fn is_read_only(&self) -> bool {
        !matches!(self, BankOp::Transfer { .. })
    }

    fn name(&self) -> &'static str {
        match self {
            BankOp::Transfer { .. } => "transfer",
            BankOp::Read => "read all accounts",
            BankOp::Audit => "audit",
            BankOp::Digest { .. } => "digest",
        }
    }

    fn is_load(&self) -> bool {
        matches!(self, BankOp::Transfer { .. } | BankOp::Read)
    }
}

impl Reply for BankReply {
    fn digest(&self) -> Option<&TableDigest> {
        match self {
            BankReply::Digest(digest) => Some(digest),
            BankReply::Transferred { .. } | BankReply::Balances(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_file_is_short() {
        let op = BankOp::Transfer { from: 1, to: 2, amount: 5 };
        let text = r#"{"transfer":{"from":1,"to":2,"amount":5}}"#;
        assert_eq!(serde_json::to_string(&op).unwrap(), text);
        assert_eq!(serde_json::from_str::<BankOp>(text).unwrap(), op);
        let reply = BankReply::Balances(vec![(1, 95), (2, 105)]);
        let text = r#"{"balances":[[1,95],[2,105]]}"#;
        assert_eq!(serde_json::to_string(&reply).unwrap(), text);
        assert_eq!(serde_json::from_str::<BankReply>(text).unwrap(), reply);
    }
}
