//! A whole table in few bytes, precise enough to say which rows differ between two nodes.

use serde::{Deserialize, Serialize};

use crate::lsn::Lsn;

/// Primary keys a bucket covers.
pub const BUCKET_ROWS: i64 = 256;

/// The tables of the workloads.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Table {
    /// `Orders`.
    Orders,
    /// `OrderDetails`.
    OrderDetails,
    /// `Inventory`.
    Inventory,
    /// `user_counter`.
    UserCounter,
    /// `txn_list`.
    TxnList,
    /// `txn_register`.
    TxnRegister,
    /// `bank_account`.
    BankAccount,
    /// `set_element`.
    SetElement,
}

impl Table {
    /// The table's name in SQL, as PostgreSQL folds it.
    pub fn name(self) -> &'static str {
        match self {
            Table::Orders => "orders",
            Table::OrderDetails => "orderdetails",
            Table::Inventory => "inventory",
            Table::UserCounter => "user_counter",
            Table::TxnList => "txn_list",
            Table::TxnRegister => "txn_register",
            Table::BankAccount => "bank_account",
            Table::SetElement => "set_element",
        }
    }

    /// The primary key's column.
    pub fn key(self) -> &'static str {
        match self {
            Table::Orders => "orders_id",
            Table::OrderDetails => "order_details_id",
            Table::Inventory => "inventory_id",
            Table::UserCounter => "user_id",
            Table::TxnList | Table::TxnRegister => "key",
            Table::BankAccount => "account",
            Table::SetElement => "element",
        }
    }
}

/// A table's rows at one moment of one node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableDigest {
    /// Which one.
    pub table: Table,
    /// Replay position of a replica, flush position of the primary, when it was read; `None` where there is none
    /// (the in-memory topology).
    pub lsn: Option<Lsn>,
    /// Rows in all.
    pub rows: u64,
    /// By bucket, those without rows left out.
    pub buckets: Vec<Bucket>,
}

/// The rows whose primary key divided by [`BUCKET_ROWS`] gives `bucket`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    /// Its number.
    pub bucket: i64,
    /// Its rows.
    pub rows: u64,
    /// A hash over the text of its rows in key order.
    pub hash: String,
}
