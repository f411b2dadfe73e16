//! The order system's three tables as a person reads them.

use crate::history::Table;
use crate::pg::{PgError, Session};

/// A table's columns and rows, as text; `None` is NULL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// Which table.
    pub table: Table,
    /// Column names, in the table's order.
    pub columns: Vec<String>,
    /// Rows by primary key, at most as many as were asked for.
    pub rows: Vec<Vec<Option<String>>>,
    /// Rows in the table.
    pub total: i64,
}

/// Reads one table, the newest `limit` rows of it, by primary key.
pub async fn listing(session: &Session, table: Table, limit: i64) -> Result<Listing, PgError> {
    let (name, key) = (table.name(), table.key());
    let total = session.prepare(&format!("SELECT count(*) FROM {name}")).await?;
    let total = session.query_one(&total, &[]).await?.get(0);
    let rows = session
        .prepare(&format!(
            "SELECT row_to_json(page)::text FROM (SELECT * FROM {name} ORDER BY {key} DESC LIMIT $1) AS page ORDER BY {key}"
        ))
        .await?;
    let columns: Vec<String> = {
        let shape = session.prepare(&format!("SELECT * FROM {name}")).await?;
        shape.columns().iter().map(|column| column.name().to_owned()).collect()
    };
    let mut listing = Listing { table, columns, rows: Vec::new(), total };
    for row in session.query(&rows, &[&limit]).await? {
        let fields: serde_json::Value = serde_json::from_str(row.get(0)).unwrap_or_default();
        let text = |column: &String| match &fields[column] {
            serde_json::Value::Null => None,
            serde_json::Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
        listing.rows.push(listing.columns.iter().map(text).collect());
    }
    Ok(listing)
}
