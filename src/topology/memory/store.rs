//! Tables as ordered maps of integer rows.

use std::collections::BTreeMap;

use crate::history::Table;

/// A row without its key.
pub type Row = Vec<i64>;

/// Whole tables at one moment.
pub type Snapshot = BTreeMap<Table, BTreeMap<i64, Row>>;

/// One row's new value; `None` deletes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// Which table.
    pub table: Table,
    /// Its primary key.
    pub key: i64,
    /// What it becomes.
    pub row: Option<Row>,
}

/// What a cluster holds.
#[derive(Clone, Debug, Default)]
pub struct Store {
    tables: Snapshot,
}

impl Store {
    /// One row.
    pub fn get(&self, table: Table, key: i64) -> Option<&Row> {
        self.tables.get(&table)?.get(&key)
    }

    /// The next free key of a table, counted from 1.
    pub fn next_key(&self, table: Table) -> i64 {
        self.tables.get(&table).and_then(|rows| rows.last_key_value()).map_or(1, |(key, _)| key + 1)
    }

    /// Copies of whole tables.
    pub(super) fn snapshot(&self, tables: &[Table]) -> Snapshot {
        tables.iter().map(|table| (*table, self.tables.get(table).cloned().unwrap_or_default())).collect()
    }

    /// Applies the writes and answers what undoes them, last write first.
    pub(super) fn apply(&mut self, writes: Vec<Write>) -> Vec<Write> {
        let mut undo: Vec<Write> = Vec::with_capacity(writes.len());
        for Write { table, key, row } in writes {
            let rows = self.tables.entry(table).or_default();
            let before = match row {
                Some(row) => rows.insert(key, row),
                None => rows.remove(&key),
            };
            undo.push(Write { table, key, row: before });
        }
        undo.reverse();
        undo
    }
}
