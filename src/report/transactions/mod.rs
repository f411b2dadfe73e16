//! What a history of transactions shows, in every format.

mod model;
mod terminal;
#[cfg(test)]
mod tests;

use super::json::{document, written_schema};

pub use model::{AnomalyReport, ModelReport, NodeReport, Source, Step, Transactions, Valid};
pub use terminal::terminal;

/// What was found as one pretty-printed JSON document. `anomaly-types`, `not` and `also-not` are Elle's.
pub fn json(found: &Transactions) -> String {
    document(found)
}

/// The JSON Schema that every [`json`] is valid against; checked in as `schemas/transactions.schema.json`.
pub fn schema() -> String {
    written_schema::<Transactions>()
}
