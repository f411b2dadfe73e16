//! Transactions on lists and registers in PostgreSQL's words: with values, or with parameters in their place.

use std::fmt::Display;

/// The table of lists.
pub const LISTS: &str = "CREATE TABLE txn_list (key bigint PRIMARY KEY, elements bigint[] NOT NULL)";
/// The table of registers.
pub const REGISTERS: &str = "CREATE TABLE txn_register (key bigint PRIMARY KEY, value bigint NOT NULL)";

/// Appends `element` to the list `key`.
pub fn append(key: impl Display, element: impl Display) -> String {
    format!(
        "INSERT INTO txn_list VALUES ({key}, ARRAY[{element}]) \
         ON CONFLICT (key) DO UPDATE SET elements = txn_list.elements || EXCLUDED.elements"
    )
}

/// Reads the list `key`: one row, or none where nobody appended.
pub fn read_list(key: impl Display) -> String {
    format!("SELECT elements FROM txn_list WHERE key = {key}")
}

/// Writes `value` into the register `key`.
pub fn write(key: impl Display, value: impl Display) -> String {
    format!(
        "INSERT INTO txn_register VALUES ({key}, {value}) ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value"
    )
}

/// Reads the register `key`: one row, or none where nobody wrote.
pub fn read_register(key: impl Display) -> String {
    format!("SELECT value FROM txn_register WHERE key = {key}")
}
