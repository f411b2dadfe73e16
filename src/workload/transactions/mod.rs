//! Transactions of several reads and writes on several keys: of lists (`append`) or of registers (`register`).
//!
//! Whatever is written is unique for its key, so that who reads it knows whose it is, and the dependencies between
//! transactions follow from what clients saw (Kingsbury and Alvaro, *Elle*, VLDB 2020).

mod client;
mod generator;
mod memory;
mod postgres;

pub use client::{Terms, TxnClient};
pub use generator::{Keys, Mix, ReadOnly, last_reads};

use crate::anomaly::replay::statements;
use crate::history::{Micro, Table};
use crate::pg::{PgError, Session};

/// What a key holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// A list, to which elements are appended.
    List,
    /// A register, which is overwritten.
    Register,
}

/// Where the server's log ends, as a write asks for it.
const POSITION: &str = "pg_current_wal_insert_lsn()";

impl Holds {
    /// Where the keys are.
    pub fn table(self) -> Table {
        match self {
            Holds::List => Table::TxnList,
            Holds::Register => Table::TxnRegister,
        }
    }

    /// The schema, as SQL.
    pub fn schema(self) -> &'static str {
        match self {
            Holds::List => include_str!("../../../schemas/append.sql"),
            Holds::Register => include_str!("../../../schemas/register.sql"),
        }
    }

    /// A write: key, value. Answers the server's number of the transaction, and where its log ends.
    pub fn write_sql(self) -> String {
        let write = match self {
            Holds::List => statements::append("$1", "$2::bigint"),
            Holds::Register => statements::write("$1", "$2"),
        };
        format!("{write} RETURNING pg_current_xact_id()::text, pg_current_wal_insert_lsn()::text")
    }

    /// A read: key.
    pub fn read_sql(self) -> String {
        match self {
            Holds::List => statements::read_list("$1"),
            Holds::Register => statements::read_register("$1"),
        }
    }

    /// A micro-operation with its values: what a person would type to do the same.
    pub fn sql(self, micro: &Micro) -> String {
        match (micro, self) {
            (Micro::Append(key, element), _) => statements::append(key, element),
            (Micro::Write(key, value), _) => statements::write(key, value),
            (Micro::Read(key), Holds::List) => statements::read_list(key),
            (Micro::Read(key), Holds::Register) => statements::read_register(key),
        }
    }

    /// The write of `value` to `key`.
    fn write(self, key: i64, value: i64) -> Micro {
        match self {
            Holds::List => Micro::Append(key, value),
            Holds::Register => Micro::Write(key, value),
        }
    }
}

/// Makes the table anew, empty.
pub async fn set_up(session: &Session, holds: Holds) -> Result<(), PgError> {
    session.batch(holds.schema()).await
}
